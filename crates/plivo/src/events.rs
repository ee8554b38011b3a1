//! Events of an MPC and the groups by which they are asked for.

/// Groups of events that `statusCallbackEvents` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventGroup {
    /// Created, started, ended.
    MpcStateChanges,
    /// Join, exit, mute, hold, coach mode.
    ParticipantStateChanges,
    /// Talking started and stopped.
    ParticipantSpeakEvents,
    /// Digits.
    ParticipantDigitInputEvents,
    /// Progress of add-participant requests.
    AddParticipantApiEvents,
    /// Named by newer documentation without saying what it holds.
    ParticipantAudioEvents,
}

impl EventGroup {
    /// How `statusCallbackEvents` writes them.
    pub const NAMES: [&str; 6] = [
        "mpc-state-changes",
        "participant-state-changes",
        "participant-speak-events",
        "participant-digit-input-events",
        "add-participant-api-events",
        "participant-audio-events",
    ];

    /// Reads a group in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        let groups = [
            Self::MpcStateChanges,
            Self::ParticipantStateChanges,
            Self::ParticipantSpeakEvents,
            Self::ParticipantDigitInputEvents,
            Self::AddParticipantApiEvents,
            Self::ParticipantAudioEvents,
        ];
        let index = Self::NAMES.iter().position(|name| name.eq_ignore_ascii_case(text))?;
        Some(groups[index])
    }
}

/// What a status callback tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum EventName {
    MpcInitialized,
    MpcStart,
    MpcEnd,
    ParticipantJoin,
    ParticipantExit,
    ParticipantMute,
    ParticipantUnmute,
    ParticipantHold,
    ParticipantUnhold,
    ParticipantCoachModeStart,
    ParticipantCoachModeStop,
    ParticipantSpeakStart,
    ParticipantSpeakStop,
    ParticipantDigitInput,
    AddParticipantByApiActionInitiated,
    AddParticipantByApiActionCompleted,
}

impl EventName {
    /// `EventName`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MpcInitialized => "MPCInitialized",
            Self::MpcStart => "MPCStart",
            Self::MpcEnd => "MPCEnd",
            Self::ParticipantJoin => "ParticipantJoin",
            Self::ParticipantExit => "ParticipantExit",
            Self::ParticipantMute => "ParticipantMute",
            Self::ParticipantUnmute => "ParticipantUnmute",
            Self::ParticipantHold => "ParticipantHold",
            Self::ParticipantUnhold => "ParticipantUnhold",
            Self::ParticipantCoachModeStart => "ParticipantCoachModeStart",
            Self::ParticipantCoachModeStop => "ParticipantCoachModeStop",
            Self::ParticipantSpeakStart => "ParticipantSpeakStart",
            Self::ParticipantSpeakStop => "ParticipantSpeakStop",
            Self::ParticipantDigitInput => "ParticipantDigitInput",
            Self::AddParticipantByApiActionInitiated => "AddParticipantByAPIActionInitiated",
            Self::AddParticipantByApiActionCompleted => "AddParticipantByAPIActionCompleted",
        }
    }

    /// The group by which it is asked for.
    pub const fn group(self) -> EventGroup {
        match self {
            Self::MpcInitialized | Self::MpcStart | Self::MpcEnd => EventGroup::MpcStateChanges,
            Self::ParticipantSpeakStart | Self::ParticipantSpeakStop => EventGroup::ParticipantSpeakEvents,
            Self::ParticipantDigitInput => EventGroup::ParticipantDigitInputEvents,
            Self::AddParticipantByApiActionInitiated | Self::AddParticipantByApiActionCompleted => {
                EventGroup::AddParticipantApiEvents
            }
            _ => EventGroup::ParticipantStateChanges,
        }
    }
}
