//! What can happen to the bridges of one worker, as it is written to a log.

use std::borrow::Cow;

use mixminus_audio::SampleRate;
use mixminus_codec::{Encoding, Format, OpusSettings};
use mixminus_mixer::{LegId, MixPlan, Plays, PromptId, SinkRoutes, SourceId};
use serde::{Deserialize, Serialize};

/// One thing that happened. Bridges go by the number of their place with the worker, which is used again
/// after a bridge was closed; legs, prompts and clips by numbers that are never used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event<'a> {
    /// The audio of prompts that name this clip, written before the first of them.
    Clip {
        /// Its number.
        clip: u64,
        /// The rate of its samples.
        rate: Rate,
        /// Whether its end is followed by its beginning.
        loops: bool,
        /// All of it.
        samples: Cow<'a, [i16]>,
    },
    /// A bridge opens or is routed anew.
    Install(Install),
    /// A bridge closes; its legs and prompts wait outside.
    Close {
        /// Which one.
        bridge: u32,
    },
    /// A leg comes from outside and takes its seat.
    Seat {
        /// Where.
        bridge: u32,
        /// Who.
        seat: Seat,
    },
    /// A leg leaves its seat and waits outside.
    Take {
        /// From where.
        bridge: u32,
        /// Who.
        leg: u64,
    },
    /// A prompt is placed in a bridge that has named it already.
    Place {
        /// Where.
        bridge: u32,
        /// What.
        prompt: Placed,
    },
    /// A prompt is taken from its bridge and waits outside.
    Stop {
        /// From where.
        bridge: u32,
        /// What.
        prompt: u64,
    },
    /// A prompt that is placed in a bridge gets another part.
    Append {
        /// Where.
        bridge: u32,
        /// What.
        prompt: u64,
        /// Its next part, or none any more.
        clip: Option<u64>,
    },
    /// A leg is turned up or down, or what it hears is.
    Gains {
        /// Who.
        leg: u64,
        /// In decibels, of what it says.
        incoming_db: f32,
        /// In decibels, of what it hears.
        outgoing_db: f32,
    },
    /// What a leg contributes to the next tick of its bridge, and what it was sent in it.
    Leg {
        /// Who.
        leg: u64,
        /// How it wants to be sent audio.
        encoding: LoggedEncoding,
        /// A frame at the rate of its format, unless it was silent.
        frame: Option<Cow<'a, [i16]>>,
        /// The payload it was sent.
        payload: Cow<'a, [u8]>,
    },
    /// A bridge mixes, after the [`Leg`](Self::Leg) of each leg in it.
    Tick {
        /// Which one.
        bridge: u32,
    },
    /// The log has reached its limit, or could not be written as fast as things happened: nothing follows.
    Cut,
}

/// A bridge's routing with what is moved into it at the same tick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    /// Which bridge.
    pub bridge: u32,
    /// The rate it runs at.
    pub rate: Rate,
    /// What it has shared encoders for.
    pub encodings: Vec<LoggedEncoding>,
    /// Each leg with the legs and the prompts that it hears.
    pub routes: Vec<Route>,
    /// Legs that come from other bridges of the worker: from where, and who.
    pub moves: Vec<(u32, u64)>,
    /// Legs that come from outside.
    pub seats: Vec<Seat>,
    /// Prompts that come from outside.
    pub prompts: Vec<Placed>,
}

/// What one leg hears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Who listens.
    pub leg: u64,
    /// The legs that it hears.
    pub legs: Vec<u64>,
    /// The prompts that it hears.
    pub prompts: Vec<u64>,
}

/// A leg from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Who.
    pub leg: u64,
    /// How it wants to be sent audio.
    pub encoding: LoggedEncoding,
}

/// A prompt from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Its number.
    pub prompt: u64,
    /// What it plays, one after the other.
    pub clips: Vec<u64>,
    /// Whether that is all.
    pub whole: bool,
    /// How often, or for ever.
    pub times: Option<u32>,
}

/// A sample rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the rates")]
pub enum Rate {
    #[default]
    Hz8000,
    Hz16000,
    Hz48000,
}

/// An [`Encoding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedEncoding {
    format: LoggedFormat,
    bitrate_bps: u32,
    complexity: u8,
    dtx: bool,
    expected_loss_percent: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum LoggedFormat {
    Pcmu,
    Pcma,
    G722,
    L16(Rate),
    Opus(Rate),
}

impl Route {
    /// What each leg of `plan` hears.
    pub fn all(plan: &MixPlan) -> Vec<Self> {
        plan.routes().into_iter().map(Self::from).collect()
    }
}

impl From<SinkRoutes> for Route {
    fn from(routes: SinkRoutes) -> Self {
        let mut route = Self { leg: routes.leg.0, legs: Vec::new(), prompts: Vec::new() };
        for source in routes.hears {
            match source {
                SourceId::Leg(leg) => route.legs.push(leg.0),
                SourceId::Prompt(prompt) => route.prompts.push(prompt.0),
            }
        }
        route
    }
}

impl From<&Route> for SinkRoutes {
    fn from(route: &Route) -> Self {
        let legs = route.legs.iter().map(|leg| SourceId::Leg(LegId(*leg)));
        let prompts = route.prompts.iter().map(|prompt| SourceId::Prompt(PromptId(*prompt)));
        Self { leg: LegId(route.leg), hears: legs.chain(prompts).collect() }
    }
}

impl Placed {
    /// The prompt that plays `clips` and no other, so often.
    pub fn new(prompt: PromptId, clips: Vec<u64>, plays: Plays) -> Self {
        let times = match plays {
            Plays::Times(times) => Some(times),
            Plays::Forever => None,
        };
        Self { prompt: prompt.0, clips, whole: true, times }
    }

    pub(crate) fn plays(&self) -> Plays {
        self.times.map_or(Plays::Forever, Plays::Times)
    }
}

impl From<SampleRate> for Rate {
    fn from(rate: SampleRate) -> Self {
        match rate {
            SampleRate::Hz8000 => Self::Hz8000,
            SampleRate::Hz16000 => Self::Hz16000,
            SampleRate::Hz48000 => Self::Hz48000,
        }
    }
}

impl From<Rate> for SampleRate {
    fn from(rate: Rate) -> Self {
        match rate {
            Rate::Hz8000 => Self::Hz8000,
            Rate::Hz16000 => Self::Hz16000,
            Rate::Hz48000 => Self::Hz48000,
        }
    }
}

impl From<Encoding> for LoggedEncoding {
    fn from(encoding: Encoding) -> Self {
        let OpusSettings { bitrate_bps, complexity, dtx } = encoding.opus();
        let format = match encoding.format() {
            Format::Pcmu => LoggedFormat::Pcmu,
            Format::Pcma => LoggedFormat::Pcma,
            Format::G722 => LoggedFormat::G722,
            Format::L16(rate) => LoggedFormat::L16(rate.into()),
            Format::Opus(rate) => LoggedFormat::Opus(rate.into()),
        };
        let expected_loss_percent = encoding.expected_loss_percent();
        Self { format, bitrate_bps, complexity, dtx, expected_loss_percent }
    }
}

impl From<LoggedEncoding> for Encoding {
    fn from(logged: LoggedEncoding) -> Self {
        let LoggedEncoding { format, bitrate_bps, complexity, dtx, expected_loss_percent } = logged;
        let format = match format {
            LoggedFormat::Pcmu => Format::Pcmu,
            LoggedFormat::Pcma => Format::Pcma,
            LoggedFormat::G722 => Format::G722,
            LoggedFormat::L16(rate) => Format::L16(rate.into()),
            LoggedFormat::Opus(rate) => Format::Opus(rate.into()),
        };
        Self::new(format, OpusSettings { bitrate_bps, complexity, dtx })
            .with_expected_loss(expected_loss_percent)
    }
}
