//! What an API client may ask of the control plane.

use crate::record::{AccountId, ConferenceId, ParticipantId};

/// How a request names a conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// By its id, live or ended.
    Id(ConferenceId),
    /// By its name, live only.
    Name(String),
}

/// Which participants of a conference a request concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Everybody inside.
    All,
    /// Those listed; one unknown id refuses the whole request.
    Listed(Vec<ParticipantId>),
}

/// What to change of a participant; `None` leaves as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParticipantChange {
    /// Mute or unmute.
    pub mute: Option<bool>,
    /// Hold or resume.
    pub hold: Option<bool>,
    /// Coach, or be heard by all; ignored for other roles than supervisor.
    pub coach: Option<bool>,
}

/// A request to change something that is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Move an initialized conference to active; nothing happens if it is.
    StartConference {
        /// Who asks.
        account: AccountId,
        /// Which conference.
        conference: Selector,
    },
    /// End a live conference.
    EndConference {
        /// Who asks.
        account: AccountId,
        /// Which conference.
        conference: Selector,
    },
    /// Mute, hold or coach.
    UpdateParticipants {
        /// Who asks.
        account: AccountId,
        /// Which conference.
        conference: Selector,
        /// Which participants.
        members: Members,
        /// What to change.
        change: ParticipantChange,
    },
    /// Remove participants from the conference.
    Kick {
        /// Who asks.
        account: AccountId,
        /// Which conference.
        conference: Selector,
        /// Which participants.
        members: Members,
    },
}

/// Why a [`Command`] was refused; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The account has no such live conference.
    #[error("conference not found")]
    ConferenceNotFound,
    /// The conference has no such participant inside.
    #[error("participant {0} not found")]
    ParticipantNotFound(ParticipantId),
}
