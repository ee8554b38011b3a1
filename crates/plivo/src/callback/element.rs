//! What an element of a document tells its action and callback URLs, to be
//! sent with the parameters of the call.

use super::{Parameters, or_empty, parameters};
use crate::{Call, HangupCause, HangupSource, RecordingFile, Timestamp, billed_seconds};

/// What `<GetDigits>` collected.
pub fn digits_parameters(digits: &str) -> Parameters {
    parameters([("Digits", digits.to_owned())])
}

/// How an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum InputType {
    Dtmf,
    Speech,
}

/// What `<GetInput>` collected.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// How it came.
    pub kind: InputType,
    /// Digits.
    pub digits: &'a str,
    /// What was said.
    pub speech: &'a str,
    /// How sure the recogniser is, from 0 to 1.
    pub confidence: Option<f32>,
}

impl Input<'_> {
    /// The parameters of the action.
    pub fn parameters(&self) -> Parameters {
        let kind = match self.kind {
            InputType::Dtmf => "dtmf",
            InputType::Speech => "speech",
        };
        parameters([
            ("InputType", kind.to_owned()),
            ("Digits", self.digits.to_owned()),
            ("Speech", self.speech.to_owned()),
            ("SpeechConfidenceScore", or_empty(self.confidence)),
            ("BilledAmount", "0.00000".to_owned()),
        ])
    }
}

/// What `<GetInput>` understood so far.
#[derive(Clone, Copy, Debug)]
pub struct InterimSpeech<'a> {
    /// What will not change.
    pub stable: &'a str,
    /// What may.
    pub unstable: &'a str,
    /// How likely it is not to, from 0 to 1.
    pub stability: f32,
    /// Its number among the reports of this input, from 1.
    pub sequence: u64,
}

impl InterimSpeech<'_> {
    /// The parameters of the callback.
    pub fn parameters(&self) -> Parameters {
        parameters([
            ("StableSpeech", self.stable.to_owned()),
            ("UnstableSpeech", self.unstable.to_owned()),
            ("Stability", self.stability.to_string()),
            ("SequenceNumber", self.sequence.to_string()),
        ])
    }
}

/// What `<Record>`, or a request to record a call, made.
#[derive(Clone, Copy, Debug)]
pub struct RecordOutcome<'a> {
    /// The recording.
    pub recording: &'a RecordingFile,
    /// The key that ended it.
    pub digit: Option<char>,
}

impl RecordOutcome<'_> {
    /// The parameters of the action; times are -1 while a recording of the session goes on.
    pub fn action_parameters(&self) -> Parameters {
        let mut all = self.callback_parameters();
        all.extend(parameters([("Digits", or_empty(self.digit))]));
        all
    }

    /// The parameters of the callback.
    pub fn callback_parameters(&self) -> Parameters {
        let recording = self.recording;
        let micros = recording.ended_at.map(|end| recording.duration_micros(end));
        let or_minus = |value: Option<u64>| value.map_or_else(|| "-1".to_owned(), |value| value.to_string());
        let ms = |at: Option<Timestamp>| or_minus(at.map(|at| (at.as_micros() / 1000) as u64));
        parameters([
            ("RecordUrl", recording.url.clone()),
            ("RecordingID", recording.id.clone()),
            ("RecordingDuration", or_minus(micros.map(|micros| micros / 1_000_000))),
            ("RecordingDurationMs", or_minus(micros.map(|micros| micros / 1000))),
            ("RecordingStartMs", ms(recording.ended_at.map(|_| recording.started_at))),
            ("RecordingEndMs", ms(recording.ended_at)),
        ])
    }
}

/// A transcript, or why there is none.
#[derive(Clone, Copy, Debug)]
pub struct TranscriptOutcome<'a> {
    /// The recording.
    pub recording: &'a RecordingFile,
    /// The text, or what went wrong.
    pub text: Result<&'a str, &'a str>,
}

impl TranscriptOutcome<'_> {
    /// The parameters of the callback.
    pub fn parameters(&self) -> Parameters {
        let recording = self.recording;
        let seconds = recording.ended_at.map(|end| recording.duration_micros(end) / 1_000_000);
        parameters([
            ("transcription", self.text.unwrap_or_default().to_owned()),
            ("transcription_charge", "0.00000".to_owned()),
            ("transcription_rate", "0.00000".to_owned()),
            ("duration", or_empty(seconds)),
            ("call_uuid", or_empty(recording.call_uuid.as_ref())),
            ("recording_id", recording.id.clone()),
            ("error", self.text.err().unwrap_or_default().to_owned()),
        ])
    }
}

/// How a `<Dial>` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum DialStatus {
    Completed,
    Busy,
    Failed,
    Cancel,
    Timeout,
    NoAnswer,
}

impl DialStatus {
    /// `DialStatus`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Cancel => "cancel",
            Self::Timeout => "timeout",
            Self::NoAnswer => "no-answer",
        }
    }
}

/// The outcome of a `<Dial>`.
#[derive(Clone, Copy, Debug)]
pub struct DialOutcome<'a> {
    /// How it ended.
    pub status: DialStatus,
    /// Whether a phone rang.
    pub rang: bool,
    /// Why the called party's call ended.
    pub cause: Option<HangupCause>,
    /// The calling party's call.
    pub a_leg: &'a str,
    /// The call that was connected, or the last one that was made.
    pub b_leg: Option<&'a str>,
}

impl DialOutcome<'_> {
    /// The parameters of the action.
    pub fn parameters(&self) -> Parameters {
        parameters([
            ("DialStatus", self.status.name().to_owned()),
            ("DialRingStatus", self.rang.to_string()),
            ("DialHangupCause", or_empty(self.cause.map(HangupCause::legacy))),
            ("DialALegUUID", self.a_leg.to_owned()),
            ("DialBLegUUID", or_empty(self.b_leg)),
        ])
    }
}

/// What happened to a called party of a `<Dial>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialAction<'a> {
    /// It answered.
    Answer,
    /// It was connected.
    Connected,
    /// It, or its caller, hung up.
    Hangup,
    /// One of both pressed digits that are reported.
    Digits {
        /// The digits.
        digits: &'a str,
        /// Whether it was the called party.
        by_b_leg: bool,
    },
}

/// What happened to a called party of a `<Dial>`, and who it is.
#[derive(Clone, Copy, Debug)]
pub struct DialEvent<'a> {
    /// What happened.
    pub action: DialAction<'a>,
    /// The calling party's call.
    pub a_leg: &'a str,
    /// The called party's call.
    pub b_leg: &'a Call,
}

impl DialEvent<'_> {
    /// The parameters of the callback.
    pub fn parameters(&self) -> Parameters {
        let (action, digits, pressed_by) = match self.action {
            DialAction::Answer => ("answer", "", ""),
            DialAction::Connected => ("connected", "", ""),
            DialAction::Hangup => ("hangup", "", ""),
            DialAction::Digits { digits, by_b_leg } => {
                ("digits", digits, if by_b_leg { "BLeg" } else { "ALeg" })
            }
        };
        let b_leg = self.b_leg;
        let lasted = b_leg.answered_at.zip(b_leg.ended_at);
        let cause = b_leg.hangup.map(|(cause, _)| cause);
        parameters([
            ("DialAction", action.to_owned()),
            ("DialBLegStatus", if action == "digits" { "connected" } else { action }.to_owned()),
            ("DialALegUUID", self.a_leg.to_owned()),
            ("DialBLegUUID", b_leg.uuid.clone()),
            ("DialBLegDuration", or_empty(lasted.map(|(from, to)| to.seconds_since(from)))),
            ("DialBLegBillDuration", or_empty(lasted.map(|(from, to)| billed_seconds(from, to)))),
            ("DialBLegFrom", b_leg.from.clone()),
            ("DialBLegTo", b_leg.to.clone()),
            ("DialDigitsMatch", digits.to_owned()),
            ("DialDigitsPressedBy", pressed_by.to_owned()),
            ("DialBLegHangupCauseName", or_empty(cause.map(|cause| cause.name))),
            ("DialBLegHangupCauseCode", or_empty(cause.map(|cause| cause.code))),
            ("DialBLegHangupSource", or_empty(b_leg.hangup.map(|(_, source)| HangupSource::name(source)))),
            ("STIRVerification", String::new()),
        ])
    }
}

/// What happened in a conference of the older kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum ConferenceAction<'a> {
    Enter,
    Exit,
    Digits(&'a str),
    Floor,
    Record,
}

/// What happened in a conference of the older kind, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct ConferenceEvent<'a> {
    /// What happened.
    pub action: ConferenceAction<'a>,
    /// The name of the conference.
    pub name: &'a str,
    /// Its uuid.
    pub uuid: &'a str,
    /// The member; none if it concerns all of them.
    pub member_id: Option<u64>,
    /// The member's call.
    pub call_uuid: Option<&'a str>,
    /// Its recording.
    pub recording: Option<&'a RecordingFile>,
}

impl ConferenceEvent<'_> {
    /// The parameters of the action: what tells which conference was left, and as whom. The call's own parameters name
    /// the call.
    pub fn action_parameters(&self) -> Parameters {
        let mut all = self.parameters();
        all.retain(|(key, _)| !["ConferenceAction", "CallUUID"].contains(&key.as_str()));
        all
    }

    /// The parameters of the callback.
    pub fn parameters(&self) -> Parameters {
        let (action, digits) = match self.action {
            ConferenceAction::Enter => ("enter", ""),
            ConferenceAction::Exit => ("exit", ""),
            ConferenceAction::Digits(digits) => ("digits", digits),
            ConferenceAction::Floor => ("floor", ""),
            ConferenceAction::Record => ("record", ""),
        };
        let mut all = parameters([
            ("ConferenceAction", action.to_owned()),
            ("ConferenceName", self.name.to_owned()),
            ("ConferenceUUID", self.uuid.to_owned()),
            ("ConferenceMemberID", or_empty(self.member_id)),
            ("CallUUID", or_empty(self.call_uuid)),
            ("ConferenceDigitsMatch", digits.to_owned()),
        ]);
        match self.recording {
            Some(recording) => all.extend(RecordOutcome { recording, digit: None }.callback_parameters()),
            None => all.extend(parameters(
                [
                    "RecordUrl",
                    "RecordingID",
                    "RecordingDuration",
                    "RecordingDurationMs",
                    "RecordingStartMs",
                    "RecordingEndMs",
                ]
                .map(|key| (key, String::new())),
            )),
        }
        all
    }
}

/// What happened to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum StreamStatus {
    Started,
    Stopped,
    Dropped,
    Degraded,
}

/// What happened to a stream of a call.
#[derive(Clone, Copy, Debug)]
pub struct StreamEvent<'a> {
    /// What happened.
    pub status: StreamStatus,
    /// When.
    pub at: Timestamp,
    /// The stream.
    pub stream_id: &'a str,
    /// The call.
    pub call: &'a Call,
}

impl StreamEvent<'_> {
    /// The parameters of the callback.
    pub fn parameters(&self) -> Parameters {
        let event = match self.status {
            StreamStatus::Started => "StartStream",
            StreamStatus::Stopped => "StopStream",
            StreamStatus::Dropped => "DroppedStream",
            StreamStatus::Degraded => "DegradedStream",
        };
        parameters([
            ("Event", event.to_owned()),
            ("CallUUID", self.call.uuid.clone()),
            ("StreamID", self.stream_id.to_owned()),
            ("Timestamp", self.at.to_string()),
            ("From", self.call.from.clone()),
            ("To", self.call.to.clone()),
            ("Direction", self.call.direction.name().to_owned()),
        ])
    }
}
