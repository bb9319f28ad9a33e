//! The `scale-from-zero` binary: arguments, logging, the command, the exit status.

use std::process::ExitCode;

use clap::Parser as _;
use scale_from_zero::{
    check,
    cli::{Cli, Command},
    commands,
};

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("scale-from-zero: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let end = runtime.block_on(async {
        let done = match command {
            Command::Check(args) => return Ok(check::command::run(args).await),
            Command::Run(args) => Box::pin(commands::run(args)).await,
            Command::Wake(args) => commands::wake(args).await,
            #[cfg(feature = "demo")]
            Command::Demo(args) => commands::demo(args).await,
            Command::Config(args) => commands::config(&args),
            Command::Version(args) => commands::version(&args),
            Command::Completions(args) => commands::completions(&args),
            Command::Man(args) => commands::man(&args),
        };
        done.map(|()| ExitCode::SUCCESS)
    });
    // Not waiting for threads that look up a name: with DNS away, that would outlast the grace period.
    runtime.shutdown_background();
    match end {
        Ok(status) => status,
        Err(error) => {
            // To standard error as it is, whatever the log's format: a person reads this. Each error
            // names its own causes, so the chain is not printed again.
            eprintln!("scale-from-zero: {error}");
            ExitCode::FAILURE
        }
    }
}
