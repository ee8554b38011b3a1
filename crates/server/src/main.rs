//! The `mixminus` program.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use mixminus_rehearse::RehearseError;
use mixminus_server::cli::{Cli, Command, Rehearse};
use mixminus_server::config::{self, Config};
use mixminus_server::serve;
use tokio::runtime::Runtime;

/// `EX_USAGE`: the command line or the configuration is wrong.
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be done when even this cannot be printed.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { EXIT_USAGE } else { 0 });
        }
    };
    let done = match cli.command() {
        Command::Serve(serve) => match Config::load(serve.config.as_deref(), std::env::vars_os()) {
            Ok(config) => start("info").and_then(|runtime| Ok(runtime.block_on(serve::run(config))?)),
            Err(error) => Err(Failure::usage(error)),
        },
        Command::Rehearse(rehearse) => start("warn").and_then(|runtime| runtime.block_on(run(rehearse))),
        Command::Config => print(&config::reference()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { said, code }) => {
            if let Some(said) = said {
                eprintln!("mixminus: {said}");
            }
            ExitCode::from(code)
        }
    }
}

/// Why the program does not exit with 0.
struct Failure {
    said: Option<String>,
    code: u8,
}

impl Failure {
    fn usage(error: impl std::error::Error) -> Self {
        Self { said: Some(error.to_string()), code: EXIT_USAGE }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { said: Some(error.to_string()), code: 1 }
    }
}

/// What everything that runs needs: logging, TLS, a runtime.
///
/// The log goes to standard error and holds what `RUST_LOG` asks for, or else
/// `log`, but never the SIP stack's copies of whole messages.
fn start(log: &str) -> Result<Runtime, Failure> {
    use tracing_subscriber::EnvFilter;
    let secrets = mixminus_sip::LOG_DIRECTIVE.parse().expect("the directive is a constant");
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(log)).add_directive(secrets);
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("no other provider was installed before");
    Ok(Runtime::new()?)
}

async fn run(rehearse: Rehearse) -> Result<(), Failure> {
    let json = rehearse.json;
    let report = mixminus_rehearse::run(rehearse.into()).await.map_err(|error| match error {
        RehearseError::Target(_) | RehearseError::Range { .. } | RehearseError::Speech { .. } => {
            Failure::usage(error)
        }
        error => error.into(),
    })?;
    print(&if json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() })?;
    if report.passed() { Ok(()) } else { Err(Failure { said: None, code: 1 }) }
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
