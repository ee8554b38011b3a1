//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use mixminus_rehearse::Options;

/// A self-hosted conference service that speaks Plivo's MultiPartyCall API.
#[derive(Debug, Parser)]
#[command(name = "mixminus", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

impl Cli {
    /// What to do: run the service unless it says otherwise.
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service; this is done without a command, too.
    Serve(Serve),
    /// Call a SIP server with many callers and check who hears whom; exits 0 if all is as it should be.
    Rehearse(Rehearse),
    /// Print a configuration file with every key and its default.
    Config,
}

/// How to run the service.
#[derive(Debug, Args)]
pub struct Serve {
    /// TOML file; `mixminus config` prints one with every key.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What to rehearse.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// SIP server to call: `host[:port][;transport]`.
    #[arg(long, default_value_t = Options::default().target)]
    target: String,
    /// Conferences.
    #[arg(long, default_value_t = Options::default().rooms)]
    rooms: u32,
    /// Callers in each of them.
    #[arg(long, default_value_t = Options::default().participants)]
    participants: u32,
    /// Length of the conversation.
    #[arg(long, default_value_t = Options::default().seconds)]
    seconds: u32,
    /// WAV file that callers read out in turn, instead of all sounding a tone at once.
    #[arg(long, value_name = "FILE")]
    speech: Option<PathBuf>,
    /// Whom to call; `{room}` stands for the number of the room.
    #[arg(long, default_value_t = Options::default().user_pattern, value_name = "PATTERN")]
    user: String,
    /// Process of the server, for its cost; found by itself on this machine.
    #[arg(long)]
    pid: Option<u32>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

impl From<Rehearse> for Options {
    fn from(given: Rehearse) -> Self {
        let Rehearse { target, rooms, participants, seconds, speech, user, pid, json: _ } = given;
        Self { target, rooms, participants, seconds, speech, user_pattern: user, pid }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn serve_is_what_is_done_without_a_command() {
        for arguments in
            [&["mixminus", "serve", "--config", "a.toml"][..], &["mixminus", "--config", "a.toml"]]
        {
            let Command::Serve(serve) = Cli::parse_from(arguments).command() else { panic!("{arguments:?}") };
            assert_eq!(serve.config, Some("a.toml".into()));
        }
        assert!(Cli::try_parse_from(["mixminus", "--config", "a.toml", "rehearse"]).is_err());
    }

    #[test]
    fn a_rehearsal_has_its_own_defaults() {
        let rehearse = |arguments: &[&str]| match Cli::parse_from(arguments).command() {
            Command::Rehearse(rehearse) => Options::from(rehearse),
            other => panic!("{other:?}"),
        };
        assert_eq!(rehearse(&["mixminus", "rehearse"]), Options::default());
        let given = rehearse(&["mixminus", "rehearse", "--rooms", "3", "--target", "h:1;tcp", "--json"]);
        assert_eq!(given, Options { rooms: 3, target: "h:1;tcp".into(), ..Options::default() });
    }
}
