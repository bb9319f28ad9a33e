//! The `scale-from-zero` binary: arguments, logging, the command, the exit status.

use std::process::ExitCode;

use clap::Parser as _;
use scale_from_zero::{
    cli::{Cli, Command},
    commands,
};

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let end = match Cli::parse().command {
        Command::Run(args) => commands::run(args).await,
        Command::Wake(args) => commands::wake(args).await,
        #[cfg(feature = "demo")]
        Command::Demo(args) => commands::demo(args).await,
    };
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // To standard error as it is, whatever the log's format: a person reads this. Each error
            // names its own causes, so the chain is not printed again.
            eprintln!("scale-from-zero: {error}");
            ExitCode::FAILURE
        }
    }
}
