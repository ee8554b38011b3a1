//! What a document tells a call to do.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::policy::Role;

/// The instructions of one fetched document, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The URL it came from; relative URLs in it were resolved against this.
    pub url: Option<String>,
    /// What to do, one after the other.
    pub instructions: Vec<Instruction>,
}

/// How an URL is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body.
    Post,
}

/// A request that fetches the next document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Absolute URL.
    pub url: String,
    /// How to request it.
    pub method: HttpMethod,
}

/// One instruction of a [`Document`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Join a conference and stay until leaving it.
    Conference(Box<ConferenceRequest>),
    /// Say a text to the caller.
    Speak {
        /// What to say, at most 3000 characters.
        text: String,
        /// Voice name as the document gave it.
        voice: String,
        /// BCP 47 language tag.
        language: String,
        /// How often.
        repeat: crate::Repeat,
    },
    /// Play an audio file to the caller.
    Play {
        /// Absolute URL.
        url: String,
        /// How often.
        repeat: crate::Repeat,
    },
    /// Wait in silence.
    Wait {
        /// How long.
        length: Duration,
    },
    /// Go on with another document.
    Redirect(Action),
    /// End the call.
    HangUp {
        /// How to refuse the call if it is not answered yet.
        refusal: Option<crate::Refusal>,
        /// End it so much later and go on with the document meanwhile.
        after: Option<Duration>,
    },
}

/// A sound played into the conference when somebody enters or leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// No sound.
    None,
    /// The built-in single beep.
    Beep1,
    /// The built-in double beep.
    Beep2,
    /// An audio file.
    Url(String),
}

/// Groups of conference events that a status callback may subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventGroup {
    /// Created, started, ended.
    Conference,
    /// Join, exit, mute, hold, coach.
    Participant,
    /// Talking started and stopped.
    Talking,
    /// Digits.
    Digits,
    /// Progress of add-participant requests.
    AddParticipant,
}

/// Where conference events are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCallback {
    /// Where and how.
    pub action: Action,
    /// Which events.
    pub groups: BTreeSet<EventGroup>,
}

/// How a call joins a conference; what concerns the conference as a whole is
/// taken from whoever creates it.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent attribute of a participant")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConferenceRequest {
    /// Name of the conference.
    pub name: String,
    /// Role of the participant.
    pub role: Role,
    /// Whether a supervisor starts out coaching.
    pub coach: bool,
    /// Whether the participant starts out muted.
    pub mute: bool,
    /// Whether the participant starts out held.
    pub hold: bool,
    /// Whether the participant may stay alone.
    pub stay_alone: bool,
    /// Whether the participant's arrival starts the conference.
    pub start_on_enter: bool,
    /// Whether the participant's departure ends the conference.
    pub end_on_exit: bool,
    /// Whether the participant's digits are sent on to those who hear it.
    pub relay_digits: bool,
    /// Longest duration of the conference.
    pub max_duration: Duration,
    /// Most participants at once.
    pub max_participants: usize,
    /// Played when the participant enters.
    pub enter_sound: Sound,
    /// Played when the participant leaves.
    pub exit_sound: Sound,
    /// Audio file for those who wait; built-in music if absent.
    pub wait_music: Option<String>,
    /// Audio file for held agents; built-in music if absent.
    pub agent_hold_music: Option<String>,
    /// Audio file for held customers and supervisors; built-in if absent.
    pub customer_hold_music: Option<String>,
    /// Where events are reported.
    pub status_callback: Option<StatusCallback>,
    /// What the call does after leaving the conference; the next instruction if absent.
    pub on_exit: Option<Action>,
}
