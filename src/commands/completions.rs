//! `completions` and `man`: what a shell and `man` know of the command line, made from the command line itself.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{cli::Cli, output};

/// Arguments of `completions`.
#[derive(Args, Debug)]
#[command(after_help = "\
Installing them, each for the current user:
  bash  echo 'source <(scale-from-zero completions bash)' >> ~/.bashrc
  zsh   mkdir -p ~/.zfunc && scale-from-zero completions zsh > ~/.zfunc/_scale-from-zero
        and in ~/.zshrc, before compinit: fpath=(~/.zfunc $fpath)
  fish  scale-from-zero completions fish > ~/.config/fish/completions/scale-from-zero.fish")]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// It cannot be written to standard output.
pub fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    Ok(output::print(&String::from_utf8(script)?)?)
}

/// Arguments of `man`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  scale-from-zero man | man -l -
  scale-from-zero man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// A folder for the pages of the program and of each command; without one, the program's goes to standard output.
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Writes the pages, or prints the first.
///
/// # Errors
/// They cannot be written.
pub fn man(args: &ManArgs) -> anyhow::Result<()> {
    let command = Cli::command();
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(output::print(&String::from_utf8(page)?)?);
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .with_context(|| format!("cannot write man pages into {}", folder.display()))
}
