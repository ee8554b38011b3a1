//! Refusals of requests.

use serde::Serialize;
use utoipa::ToSchema;

use crate::VoiceError;

/// Why a request was refused; its text is for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// The body is neither a JSON object nor a form.
    #[error("request body is not a JSON object")]
    Body,
    /// A parameter has no value that it may have.
    #[error("{0} parameter is invalid")]
    Parameter(&'static str),
    /// A parameter that has to be there is not.
    #[error("{0} is required (current value: None)")]
    Missing(&'static str),
    /// A parameter says something else than it may.
    #[error("{name} should be in ({accepted}) (actual value: {value})")]
    Choice {
        /// The parameter.
        name: &'static str,
        /// What it may say, quoted and with commas between.
        accepted: String,
        /// What it says.
        value: String,
    },
    /// A number is too large or too small.
    #[error("{min} <= {name} <= {max} (actual value: {value})")]
    Range {
        /// The parameter.
        name: &'static str,
        /// The smallest accepted.
        min: u32,
        /// The largest accepted.
        max: u32,
        /// What it says.
        value: String,
    },
    /// The same in the words of the Python SDK, whose first sign is stricter than what it checks.
    #[error("{min} < {name} <= {max} (actual value: {value})")]
    SdkRange {
        /// The parameter.
        name: &'static str,
        /// The smallest accepted.
        min: u32,
        /// The largest accepted.
        max: u32,
        /// What it says.
        value: String,
    },
    /// Neither a call to add nor one to make.
    #[error("specify either call_uuid or (from, to)")]
    NobodyToAdd,
    /// A call to add and one to make.
    #[error("cannot specify call_uuid when (from, to) is provided")]
    CallAndDestination,
    /// Half of what it takes to make a call.
    #[error("specify (from, to) when not adding an existing call_uuid to multi party participant")]
    HalfACall,
    /// Only agents are looked for in several places.
    #[error("Multiple to_  values given for role {0}")]
    SeveralDestinations(&'static str),
    /// There are too many destinations.
    #[error("No of to_ values provided should be lesser than {0}")]
    TooManyDestinations(usize),
    /// There are more ring timeouts than destinations.
    #[error("RingTimeout:number of ring_timeout(s) should be same as number of destination(s)")]
    RingTimeouts,
    /// There are more delays than destinations.
    #[error("DelayDial:number of delay_dial(s) should be same as number of destination(s)")]
    DelayDials,
    /// An element of a list of numbers is no number.
    #[error("{0} destination value must be integer")]
    NotIntegers(&'static str),
    /// Somebody calls itself.
    #[error("src and destination cannot overlap")]
    CallsItself,
    /// The page is too large or too small.
    #[error("0 < limit <= 20 (actual value: {0})")]
    Limit(String),
    /// The page begins before the list does.
    #[error("0 <= offset (actual value: {0})")]
    Offset(String),
    /// An update that updates nothing.
    #[error("update at least one of coach_mode, mute or hold")]
    NothingToUpdate,
    /// Coach mode is for one supervisor at a time.
    #[error("cannot specify coach_mode when updating all participants")]
    CoachModeOfAll,
    /// There is no such voice.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// An account update that updates nothing.
    #[error("One parameter of name, city and address is required")]
    NoAccountChange,
    /// The account has no such MPC; a name finds live ones only.
    #[error("MPC not found")]
    MpcNotFound,
    /// The MPC has no such member.
    #[error("member {0} not found")]
    MemberNotFound(u64),
    /// The account has nothing of this kind under this id.
    #[error("{0} not found")]
    NotFound(&'static str),
}

impl RestError {
    /// The HTTP status to answer with.
    pub const fn status(&self) -> u16 {
        match self {
            Self::MpcNotFound | Self::MemberNotFound(_) | Self::NotFound(_) => 404,
            _ => 400,
        }
    }
}

/// The body of every reply that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorBody {
    /// UUID of the request.
    pub api_id: String,
    /// What is wrong.
    pub error: String,
}
