//! Refusals of requests.

use serde::Serialize;

/// Why a request was refused; its text is for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// The body is neither a JSON object nor a form.
    #[error("request body is not a JSON object")]
    Body,
    /// A parameter has no value that it may have.
    #[error("{0} parameter is invalid")]
    Parameter(&'static str),
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
    /// The account has no such MPC; a name finds live ones only.
    #[error("MPC not found")]
    MpcNotFound,
    /// The MPC has no such member.
    #[error("member {0} not found")]
    MemberNotFound(u64),
}

impl RestError {
    /// The HTTP status to answer with.
    pub const fn status(&self) -> u16 {
        match self {
            Self::MpcNotFound | Self::MemberNotFound(_) => 404,
            _ => 400,
        }
    }
}

/// The body of every reply that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// UUID of the request.
    pub api_id: String,
    /// What is wrong.
    pub error: String,
}
