//! The words under which enumerations are stored, and who subscribed in words.

use mixminus_control::{
    Action, CallState, ConferenceState, Direction, EndCause, EventGroup, ExitCause, FetchPurpose,
    HangupCause, HangupSource, HttpMethod, RecordingFormat, RecordingState, RecordingTrack, StatusCallback,
    StreamState, policy::Role,
};

/// An enumeration with a word for each value. Words are for good: stored rows
/// hold them.
pub(crate) trait Text: Copy + 'static {
    /// Every value.
    const ALL: &'static [Self];

    /// The word for this value.
    fn text(self) -> &'static str;

    /// The value whose word is `text`.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.text() == text)
    }
}

/// A value without a word does not compile; one without an entry in `ALL`
/// cannot be, since both come from the same list.
macro_rules! words {
    ($($Enum:ident { $($variant:ident $(($inner:ident))? = $word:literal,)+ })+) => {$(
        impl Text for $Enum {
            const ALL: &'static [Self] = &[$(Self::$variant $((FetchPurpose::$inner))?),+];

            fn text(self) -> &'static str {
                match self {
                    $(Self::$variant $((FetchPurpose::$inner))? => $word,)+
                }
            }
        }
    )+};
}

words! {
    ConferenceState {
        Initialized = "initialized",
        Active = "active",
        Ended = "ended",
    }
    EndCause {
        NoParticipants = "no-participants",
        AloneNotPermitted = "alone-not-permitted",
        MaxDuration = "max-duration",
        ApiRequest = "api-request",
    }
    ExitCause {
        CallHangup = "call-hangup",
        Kicked = "kicked",
        ConferenceEnded = "conference-ended",
        CallTransferred = "call-transferred",
    }
    Direction {
        Inbound = "inbound",
        Outbound = "outbound",
    }
    CallState {
        Queued = "queued",
        Ringing = "ringing",
        InProgress = "in-progress",
        Completed = "completed",
        Busy = "busy",
        Failed = "failed",
        NoAnswer = "no-answer",
        Canceled = "canceled",
    }
    HangupSource {
        Caller = "caller",
        Callee = "callee",
        Service = "service",
        ApiRequest = "api-request",
        Document = "document",
        Error = "error",
    }
    HangupCause {
        Canceled = "canceled",
        Rejected = "rejected",
        Busy = "busy",
        BusyEverywhere = "busy-everywhere",
        NoAnswer = "no-answer",
        Declined = "declined",
        Forbidden = "forbidden",
        UnknownAddress = "unknown-address",
        UnknownEverywhere = "unknown-everywhere",
        InvalidAddress = "invalid-address",
        Barred = "barred",
        NotRegistered = "not-registered",
        RequestTimeout = "request-timeout",
        FarEndFailed = "far-end-failed",
        FarEndCongested = "far-end-congested",
        RingTimeout = "ring-timeout",
        LostRace = "lost-race",
        NotConfirmed = "not-confirmed",
        Machine = "machine",
        Normal = "normal",
        EndOfInstructions = "end-of-instructions",
        ConferenceEnded = "conference-ended",
        Kicked = "kicked",
        NetworkError = "network-error",
        InternalError = "internal-error",
        ConcurrencyLimit = "concurrency-limit",
        Scheduled = "scheduled",
        MediaTimeout = "media-timeout",
        Unreachable(Answer) = "unreachable-answer",
        Unreachable(Action) = "unreachable-exit",
        Unreachable(Transfer) = "unreachable-transfer",
        Unreachable(Redirect) = "unreachable-redirect",
        InvalidDocument(Answer) = "invalid-answer",
        InvalidDocument(Action) = "invalid-exit",
        InvalidDocument(Transfer) = "invalid-transfer",
        InvalidDocument(Redirect) = "invalid-redirect",
    }
    Role {
        Agent = "agent",
        AiAgent = "ai-agent",
        Customer = "customer",
        Supervisor = "supervisor",
    }
    EventGroup {
        Conference = "conference",
        Participant = "participant",
        Talking = "talking",
        Digits = "digits",
        AddParticipant = "add-participant",
    }
    RecordingState {
        Recording = "recording",
        Paused = "paused",
        Completed = "completed",
        Failed = "failed",
    }
    StreamState {
        Connecting = "connecting",
        Streaming = "streaming",
        Stopped = "stopped",
        Dropped = "dropped",
    }
    RecordingFormat {
        Mp3 = "mp3",
        Wav = "wav",
        OggOpus = "ogg",
        Flac = "flac",
    }
    RecordingTrack {
        Mix = "mix",
        Party = "party",
        Channels = "channels",
    }
    HttpMethod {
        Get = "GET",
        Post = "POST",
    }
}

/// Actions as JSON: of each its URL and its method.
pub(crate) fn actions(actions: &[Action]) -> String {
    let rows: Vec<_> = actions.iter().map(|action| (&action.url, action.method.text())).collect();
    serde_json::to_string(&rows).expect("strings are JSON")
}

/// The actions of which `text` tells.
pub(crate) fn parse_actions(text: &str) -> Option<Vec<Action>> {
    let rows: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    let action = |(url, method): (String, String)| Some(Action { url, method: HttpMethod::parse(&method)? });
    rows.into_iter().map(action).collect()
}

/// Subscribers as JSON: of each its URL, its method and its event groups.
pub(crate) fn subscribers(subscribers: &[StatusCallback]) -> String {
    let rows: Vec<_> = subscribers
        .iter()
        .map(|StatusCallback { action, groups }| {
            let groups: Vec<_> = groups.iter().map(|group| group.text()).collect();
            (&action.url, action.method.text(), groups)
        })
        .collect();
    serde_json::to_string(&rows).expect("strings are JSON")
}

/// The subscribers of whom `text` tells.
pub(crate) fn parse_subscribers(text: &str) -> Option<Vec<StatusCallback>> {
    let rows: Vec<(String, String, Vec<String>)> = serde_json::from_str(text).ok()?;
    rows.into_iter()
        .map(|(url, method, groups)| {
            let action = Action { url, method: HttpMethod::parse(&method)? };
            let groups = groups.iter().map(|group| EventGroup::parse(group)).collect::<Option<_>>()?;
            Some(StatusCallback { action, groups })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn every_word_is_read_back<T: Text + PartialEq + std::fmt::Debug>() {
        let words: HashSet<_> = T::ALL.iter().map(|value| value.text()).collect();
        assert_eq!(words.len(), T::ALL.len(), "no word stands for two values");
        for value in T::ALL {
            assert_eq!(T::parse(value.text()), Some(*value));
        }
        assert_eq!(T::parse("no such word"), None);
    }

    #[test]
    fn subscribers_are_words_and_unknown_words_are_nobody() {
        let known = r#"[["http://customer.example/","GET",["conference","digits"]]]"#;
        let read = parse_subscribers(known).unwrap();
        assert_eq!(read[0].groups, [EventGroup::Conference, EventGroup::Digits].into());
        assert_eq!(subscribers(&read), known);
        for unknown in [known.replace("GET", "PUT"), known.replace("digits", "dials"), String::new()] {
            assert_eq!(parse_subscribers(&unknown), None);
        }
    }

    #[test]
    fn every_word_of_every_enumeration_is_read_back() {
        every_word_is_read_back::<ConferenceState>();
        every_word_is_read_back::<EndCause>();
        every_word_is_read_back::<ExitCause>();
        every_word_is_read_back::<Direction>();
        every_word_is_read_back::<CallState>();
        every_word_is_read_back::<HangupSource>();
        every_word_is_read_back::<HangupCause>();
        every_word_is_read_back::<Role>();
        every_word_is_read_back::<EventGroup>();
        every_word_is_read_back::<RecordingState>();
        every_word_is_read_back::<StreamState>();
        every_word_is_read_back::<RecordingFormat>();
        every_word_is_read_back::<RecordingTrack>();
        every_word_is_read_back::<HttpMethod>();
    }
}
