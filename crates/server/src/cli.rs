//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_rehearse::{AfterStall, Network, Options};

use crate::config::{HttpUrl, Setting};

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
    /// Play a log of conferences again (`media.replay_log`) and compare what is sent with what was.
    Replay(Replay),
    /// Make whole what a service that was killed left of its recordings. A service does so when it starts.
    Recover(Serve),
    /// Make a certificate for the port with TLS, and a private authority that clients can trust.
    Cert(Cert),
    /// Print a configuration file with every key and its default.
    Config,
    /// List the live calls of a running service, or show what was signalled in one.
    Calls(Calls),
}

/// Which calls to show, and of which service.
#[derive(Debug, Args)]
pub struct Calls {
    /// Draw the SIP messages of this call; it may have ended some minutes ago.
    #[arg(value_name = "UUID")]
    pub uuid: Option<String>,
    /// Where the service's API is [default: where its configuration has it listen].
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub url: Option<HttpUrl>,
    /// The service's configuration: whose account to use, which is in its `data_dir` if not there.
    #[command(flatten)]
    pub serve: Serve,
}

/// Which configuration to go by.
#[derive(Debug, Args)]
pub struct Serve {
    /// TOML file; `mixminus config` prints one with every key.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What to certify.
#[derive(Debug, Args)]
pub struct Cert {
    /// Folder for the three files; it is made if need be.
    #[arg(long, value_name = "FOLDER")]
    pub dir: PathBuf,
    /// Host name or IP address that clients use; may be given several times.
    #[arg(long, value_name = "NAME", default_value = "api.plivo.com")]
    pub name: Vec<String>,
}

fn http_url(text: &str) -> Result<HttpUrl, String> {
    HttpUrl::parse(text).ok_or_else(|| format!("accepted: {}", HttpUrl::accepts()))
}

/// What to replay.
#[derive(Debug, Args)]
pub struct Replay {
    /// The log.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Exit with 1 unless every payload is the same, bit for bit.
    #[arg(long)]
    pub assert: bool,
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
    /// How many of them talk, the others being silent [default: all].
    #[arg(long, value_name = "N")]
    talkers: Option<u32>,
    /// How many of all callers listen, the others counting packets [default: all; with Opus 40].
    #[arg(long, value_name = "N")]
    listeners: Option<u32>,
    /// Length of the conversation.
    #[arg(long, default_value_t = Options::default().seconds)]
    seconds: u32,
    /// What the callers speak.
    #[arg(long, value_enum, default_value_t = Codec::Pcmu)]
    codec: Codec,
    /// Callers who are silent send nothing.
    #[arg(long)]
    dtx: bool,
    #[command(flatten)]
    network: Faults,
    /// WAV file with what callers talk about, instead of what the built-in voice says.
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

/// What callers can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Codec {
    Pcmu,
    Pcma,
    G722,
    Opus,
    L16,
}

/// What the callers' packets go through.
#[derive(Debug, Args)]
struct Faults {
    /// Delay each packet at random by up to this many milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter: u32,
    /// Lose so many packets of a hundred.
    #[arg(long, value_name = "PERCENT", default_value_t = 0)]
    loss: u32,
    /// Let the callers' clocks run fast or slow by so many parts in a million.
    #[arg(long, value_name = "PPM", default_value_t = 0)]
    drift: u32,
    /// Let one caller in each room send nothing for a while, once, and report the delay before and after.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    stall: u32,
    /// What follows a stall: all that was held at once, or everything later from then on.
    #[arg(long, value_enum, default_value_t = After::Burst)]
    after_stall: After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum After {
    Burst,
    GoOn,
}

impl From<Rehearse> for Options {
    fn from(given: Rehearse) -> Self {
        let Rehearse { target, rooms, participants, talkers, listeners, seconds, dtx, speech, pid, .. } =
            given;
        Self {
            target,
            rooms,
            participants,
            talkers,
            listeners,
            seconds,
            codec: given.codec.into(),
            dtx,
            network: given.network.into(),
            speech,
            user_pattern: given.user,
            pid,
        }
    }
}

impl From<Codec> for Format {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu => Self::Pcmu,
            Codec::Pcma => Self::Pcma,
            Codec::G722 => Self::G722,
            Codec::Opus => Self::Opus(SampleRate::Hz48000),
            Codec::L16 => Self::L16(SampleRate::Hz16000),
        }
    }
}

impl From<Faults> for Network {
    fn from(given: Faults) -> Self {
        let Faults { jitter, loss, drift, stall, after_stall } = given;
        let after_stall = match after_stall {
            After::Burst => AfterStall::Burst,
            After::GoOn => AfterStall::GoOn,
        };
        Self { jitter_ms: jitter, loss_percent: loss, drift_ppm: drift, stall_ms: stall, after_stall }
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
        let given = rehearse(&[
            "mixminus",
            "rehearse",
            "--codec",
            "opus",
            "--dtx",
            "--stall",
            "200",
            "--after-stall",
            "go-on",
        ]);
        let network = Network { stall_ms: 200, after_stall: AfterStall::GoOn, ..Network::default() };
        let codec = Format::Opus(SampleRate::Hz48000);
        assert_eq!(given, Options { codec, dtx: true, network, ..Options::default() });
    }
}
