//! `config`: what is in force with these arguments, and where it was set.

use clap::Args;

use super::Format;
use crate::{
    cli::ConfigArgs,
    config::{Effective, Environment},
    output,
};

/// Arguments of `config`.
#[derive(Args, Debug)]
#[command(after_help = "\
Behind each value that was set stands where; the others are defaults. What is printed can be given to --config \
again, but for values that may be secrets: <hidden> stands in their place, and is refused there.

Examples:
  scale-from-zero config                              the defaults
  scale-from-zero config --config config.yaml         what `run --config config.yaml` goes by
  scale-from-zero config -o json | jq .config.wake    one section

Exit status: 0 the configuration is good; 1 it is not, and standard error says all that is wrong, each with its line.")]
pub struct ConfigCommandArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How to print it: text is YAML.
    #[arg(long, short, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Format,
}

/// Prints it.
///
/// # Errors
/// All that is wrong with the file; or it cannot be written to standard output.
pub fn config(args: &ConfigCommandArgs) -> anyhow::Result<()> {
    let mut effective = Effective::read(args.config.config.as_deref(), &Environment::of_process())?;
    if args.config.dry_run {
        effective.dry_run("--dry-run");
    }
    let text = match args.output {
        Format::Text => effective.yaml(),
        Format::Json => effective.json() + "\n",
    };
    Ok(output::print(&text)?)
}
