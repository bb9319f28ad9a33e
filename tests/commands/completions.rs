//! `completions` and `man`.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::{COMMANDS, printed, refused};

#[test]
fn every_shell_gets_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        for command in COMMANDS {
            assert!(script.contains(command), "{command} is missing for {shell}");
        }
        assert!(
            script.contains("dry-run") && script.contains("config"),
            "no options for {shell}"
        );
    }
    let told = refused(&["completions", "tcsh"], 2);
    assert!(
        told.contains("possible values: bash, elvish, fish, powershell, zsh"),
        "{told}"
    );
}

/// Bash itself completes by it. (The other shells may not be there.)
#[test]
fn bash_completes_by_it() {
    let script = printed(&["completions", "bash"]);
    let asks = "COMP_WORDS=(scale-from-zero ver); COMP_CWORD=1; \
        _scale__from__zero scale-from-zero ver scale-from-zero; echo \"${COMPREPLY[*]}\"";
    let Ok(output) = Command::new("bash").arg("-c").arg(script + "\n" + asks).output() else {
        eprintln!("there is no bash here");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "version");
}

#[test]
fn help_says_how_to_install_them() {
    let help = printed(&["completions", "--help"]);
    for part in [
        "echo 'source <(scale-from-zero completions bash)' >> ~/.bashrc",
        "completions zsh > ~/.zfunc/_scale-from-zero",
        "completions fish > ~/.config/fish/completions/scale-from-zero.fish",
    ] {
        assert!(help.contains(part), "{help}");
    }
}

#[test]
fn man_pages_are_of_every_command() {
    let page = printed(&["man"]);
    assert!(
        page.contains(".TH scale-from-zero 1") && page.contains("SUBCOMMANDS"),
        "{page}"
    );
    let folder = TempDir::new().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(printed(&["man", pages.to_str().unwrap()]), "");
    for command in COMMANDS {
        let page = fs::read_to_string(pages.join(format!("scale-from-zero-{command}.1"))).unwrap();
        assert!(page.contains(command), "{page}");
    }
    let told = refused(&["man", "/dev/null/x"], 1);
    assert!(told.contains("cannot write man pages into /dev/null/x"), "{told}");
}
