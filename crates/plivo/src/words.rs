//! Plivo's enumerations and how it spells them.

/// How an URL is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body.
    Post,
}

impl Method {
    /// Every method by its name.
    pub(crate) const WORDS: &[(&str, Self)] = &[("GET", Self::Get), ("POST", Self::Post)];

    /// Reads `GET` or `POST` in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        pick(text, Self::WORDS)
    }

    /// As replies have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Format of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileFormat {
    /// MPEG layer 3.
    #[default]
    Mp3,
    /// RIFF.
    Wav,
    /// Opus in Ogg; not the vendor's.
    Ogg,
    /// Lossless and smaller than WAV; not the vendor's.
    Flac,
}

impl FileFormat {
    /// Every format by its name.
    pub(crate) const WORDS: &[(&str, Self)] =
        &[("mp3", Self::Mp3), ("wav", Self::Wav), ("ogg", Self::Ogg), ("flac", Self::Flac)];

    /// As replies and URLs have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Ogg => "ogg",
            Self::Flac => "flac",
        }
    }
}

/// What a member is in an MPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Serves customers.
    Agent,
    /// A software agent.
    AiAgent,
    /// Is served.
    Customer,
    /// Oversees.
    Supervisor,
}

impl Role {
    /// Every role by its name.
    pub(crate) const WORDS: &[(&str, Self)] = &[
        ("ai-agent", Self::AiAgent),
        ("agent", Self::Agent),
        ("supervisor", Self::Supervisor),
        ("customer", Self::Customer),
    ];

    /// Reads a role in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        pick(text, Self::WORDS)
    }

    /// As JSON has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::AiAgent => "ai-agent",
            Self::Customer => "customer",
            Self::Supervisor => "supervisor",
        }
    }

    /// As callbacks have it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Agent => "Agent",
            Self::AiAgent => "AI-Agent",
            Self::Customer => "Customer",
            Self::Supervisor => "Supervisor",
        }
    }
}

/// Where an MPC is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MpcStatus {
    /// Created.
    Initialized,
    /// Started.
    Active,
    /// Over.
    Ended,
}

impl MpcStatus {
    /// Every status.
    pub(crate) const ALL: [Self; 3] = [Self::Initialized, Self::Active, Self::Ended];

    /// Reads a status in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(text))
    }

    /// As replies have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initialized => "Initialized",
            Self::Active => "Active",
            Self::Ended => "Ended",
        }
    }
}

/// Whether an MPC is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordingState {
    /// It is not.
    #[default]
    NotRecording,
    /// It is.
    Recording,
    /// It will be when the recording goes on.
    Paused,
}

impl RecordingState {
    /// As replies have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRecording => "not-recording",
            Self::Recording => "recording",
            Self::Paused => "paused",
        }
    }
}

/// Why an MPC ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminationCause {
    /// The last participant left.
    NoActiveParticipants,
    /// One participant was left who may not stay alone.
    StayAloneNotPermitted,
    /// It lasted as long as it may.
    MaxDurationReached,
    /// An API request ended it.
    HangupApiTriggered,
}

impl TerminationCause {
    /// `termination_cause_code`.
    pub const fn code(self) -> u32 {
        match self {
            Self::NoActiveParticipants => 1000,
            Self::StayAloneNotPermitted => 1010,
            Self::MaxDurationReached => 2000,
            Self::HangupApiTriggered => 3000,
        }
    }

    /// `termination_cause`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoActiveParticipants => "No Active Participants",
            Self::StayAloneNotPermitted => "Stay Alone Not Permitted",
            Self::MaxDurationReached => "Max Duration Reached",
            Self::HangupApiTriggered => "Hangup API Triggered",
        }
    }
}

/// Why a participant left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCause {
    /// The call ended.
    CallHangup,
    /// An API request removed it.
    Kicked,
    /// The MPC ended.
    MpcEnded,
    /// The call went on to another document.
    CallTransferred,
}

impl ExitCause {
    /// `exit_cause`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallHangup => "Participant Call Hangup",
            Self::Kicked => "Kicked Out of Multiparty Call",
            Self::MpcEnded => "Multiparty Call Ended",
            Self::CallTransferred => "Participant Call Transferred",
        }
    }
}

/// Which side set up a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The far end called.
    Inbound,
    /// The far end was called.
    Outbound,
}

impl Direction {
    /// As callbacks have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Where a call is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// Not answered yet.
    Ringing,
    /// Answered.
    InProgress,
    /// Ended after an answer.
    Completed,
    /// The called party was busy.
    Busy,
    /// Ended without an answer by an error or a refusal.
    Failed,
    /// Ended by a timer.
    Timeout,
    /// Nobody answered.
    NoAnswer,
}

impl CallStatus {
    /// `CallStatus`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::NoAnswer => "no-answer",
        }
    }
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupSource {
    /// The calling party.
    Caller,
    /// The called party.
    CallRecipient,
    /// The service itself, called by its vendor's name because clients compare it.
    Plivo,
    /// The carrier.
    Carrier,
    /// An API request.
    ApiRequest,
    /// An element of the document.
    AnswerXml,
    /// A failure.
    Error,
    /// Not known.
    Unknown,
}

impl HangupSource {
    /// Every source.
    pub(crate) const ALL: [Self; 8] = [
        Self::Caller,
        Self::CallRecipient,
        Self::Plivo,
        Self::Carrier,
        Self::ApiRequest,
        Self::AnswerXml,
        Self::Error,
        Self::Unknown,
    ];

    /// Reads a source in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name().eq_ignore_ascii_case(text))
    }

    /// `HangupSource`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "Caller",
            Self::CallRecipient => "Call recipient",
            Self::Plivo => "Plivo",
            Self::Carrier => "Carrier",
            Self::ApiRequest => "API Request",
            Self::AnswerXml => "Answer XML",
            Self::Error => "Error",
            Self::Unknown => "Unknown",
        }
    }
}

/// The value that `choices` gives to `text` in any letter case.
pub(crate) fn pick<T: Copy>(text: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value)
}
