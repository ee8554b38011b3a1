//! The `mixminus` program.

use std::fs::File;
use std::io::{BufReader, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use mixminus_rehearse::RehearseError;
use mixminus_server::cert::{self, CertError};
use mixminus_server::cli::{Calls, Cert, Cli, Command, Rehearse, Replay, Serve};
use mixminus_server::config::{self, Config};
use mixminus_server::serve;
use tokio::runtime::{Builder, Runtime};

/// Threads of the control plane, whatever the number of cores: those belong to
/// the media workers. With one, whatever takes long would hold up signalling.
const CONTROL_THREADS: usize = 2;
/// Threads for what blocks, which is looking up names and making prompts; they
/// end when there is nothing to do. More wait for their turn.
const BLOCKING_THREADS: usize = 8;
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
        Command::Serve(options) => load(&options).and_then(serve),
        Command::Recover(options) => load(&options).and_then(|config| recover(&config)),
        Command::Rehearse(options) => rehearse(options),
        Command::Replay(asked) => replay(&asked),
        Command::Cert(asked) => certify(&asked),
        Command::Calls(asked) => calls(asked),
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

fn load(options: &Serve) -> Result<Config, Failure> {
    Config::load(options.config.as_deref(), std::env::vars_os()).map_err(Failure::usage)
}

fn recover(config: &Config) -> Result<(), Failure> {
    let recovered = serve::recover(config)?;
    let failed = recovered.iter().any(|one| one.result.is_err());
    recovered.iter().try_for_each(|one| print(&format!("{one}\n")))?;
    if failed { Err(Failure { said: None, code: 1 }) } else { Ok(()) }
}

fn serve(config: Config) -> Result<(), Failure> {
    start("info");
    let runtime = Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?;
    Ok(runtime.block_on(serve::run(config))?)
}

fn rehearse(options: Rehearse) -> Result<(), Failure> {
    start("warn");
    Runtime::new()?.block_on(run(options))
}

/// What everything that runs needs: logging and TLS.
///
/// The log goes to standard error and holds what `RUST_LOG` asks for, or else
/// `log`, but never the SIP stack's copies of whole messages.
fn start(log: &str) {
    use tracing_subscriber::EnvFilter;
    let secrets = mixminus_sip::LOG_DIRECTIVE.parse().expect("the directive is a constant");
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(log)).add_directive(secrets);
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("no other provider was installed before");
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

fn replay(asked: &Replay) -> Result<(), Failure> {
    let log = File::open(&asked.file)
        .map_err(|error| Failure { said: Some(format!("{}: {error}", asked.file.display())), code: 1 })?;
    let outcome = mixminus_replay::replay(BufReader::new(log))?;
    print(&outcome.to_string())?;
    if asked.assert && !outcome.is_identical() {
        return Err(Failure { said: None, code: 1 });
    }
    Ok(())
}

fn certify(asked: &Cert) -> Result<(), Failure> {
    let made = cert::write(&asked.dir, &asked.name, cert::today()).map_err(|error| match error {
        CertError::Name(_) => Failure::usage(error),
        error => error.into(),
    })?;
    print(&made.to_string())
}

fn calls(asked: Calls) -> Result<(), Failure> {
    let config = load(&asked.serve)?;
    let asking = mixminus_server::calls::ask(&config, asked.url, asked.uuid.as_deref());
    print(&Runtime::new()?.block_on(asking)?)
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
