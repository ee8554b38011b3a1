//! What comes out of the control plane.

use std::time::Duration;

use mixminus_mixer::{BridgeId, LegId, MixPlan, PromptId, SourceId, TapId};

use crate::callback::{
    Answerer, CallCallback, CallbackEvent, Collected, ConferenceEvent, Dialled, ParticipantCallback,
    RecordReport, RecordingCallback,
};
use crate::command::{CommandError, Outcome};
use crate::input::{Introduction, Refusal};
use crate::instruction::{Action, Beep, Credentials, SpeechTerms, StreamTerms};
use crate::policy::Role;
use crate::record::{
    AccountId, CallId, CallRecord, ConferenceRecord, HangupCause, MessageId, ParticipantId,
    ParticipantRecord, RecordingId, RecordingRecord, StreamId, StreamRecord, Timestamp,
};

/// Identifies one [`Command`](crate::Command) so that its answer finds the asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// Identifies one wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u64);

/// Identifies one fetch of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchId(pub u64);

/// What a document is fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchPurpose {
    /// What to do with a new call.
    Answer,
    /// What to do after an instruction that has an outcome.
    Action,
    /// What an API request told the call to do instead.
    Transfer,
    /// A redirect instruction.
    Redirect,
}

/// The outcome that a document is asked for with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A conference was left.
    Left(Box<(ConferenceRecord, ParticipantRecord)>),
    /// Digits or words were collected.
    Collected(Collected),
    /// Calls were placed.
    Dialled(Box<Dialled>),
    /// Something was recorded, or is from now on.
    Recorded(Box<RecordReport>),
}

/// A document to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// For the answer.
    pub id: FetchId,
    /// The call that asks.
    pub call: CallRecord,
    /// What the call brought.
    pub introduction: Introduction,
    /// What for.
    pub purpose: FetchPurpose,
    /// Where and how.
    pub action: Action,
    /// Where and how instead, if that fails.
    pub fallback: Option<Action>,
    /// For [`FetchPurpose::Action`]: of what.
    pub news: Option<News>,
    /// Who answered the call, if that was to be found out and is certain.
    pub answerer: Option<Answerer>,
}

/// A call to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceCall {
    /// Whom it is between, and whose it is.
    pub call: CallRecord,
    /// SIP headers for the called party.
    pub headers: Vec<(String, String)>,
    /// What the called party's server is told if it asks who we are.
    pub credentials: Option<Credentials>,
}

/// A text message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Its id.
    pub id: MessageId,
    /// Whose it is.
    pub account: AccountId,
    /// Who sends it.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// The text.
    pub text: String,
    /// Its kind, such as `sms`.
    pub kind: String,
    /// Who is told what becomes of it.
    pub report: Option<Action>,
    /// When it was to be sent.
    pub at: Timestamp,
}

/// How a text is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prosody {
    /// How fast, in percent of the usual.
    pub rate_percent: u16,
    /// How high, in percent of the usual.
    pub pitch_percent: u16,
    /// How much louder than usual, in decibels.
    pub volume_db: i8,
}

impl Default for Prosody {
    fn default() -> Self {
        Self { rate_percent: 100, pitch_percent: 100, volume_db: 0 }
    }
}

/// What a prompt sounds like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PromptContent {
    /// The built-in single beep.
    Beep1,
    /// The built-in double beep.
    Beep2,
    /// The built-in wait music.
    WaitMusic,
    /// The built-in hold music for agents.
    AgentHoldMusic,
    /// The built-in hold music for customers and supervisors.
    CustomerHoldMusic,
    /// The built-in ringing tone.
    Ringback,
    /// An audio file.
    File(String),
    /// A document of sounds, or an audio file.
    Sounds(Action),
    /// Several, one after the other.
    Several(Vec<PromptContent>),
    /// Silence.
    Pause(Duration),
    /// A synthesised sentence.
    Speech {
        /// What is said.
        text: String,
        /// Voice name.
        voice: String,
        /// BCP 47 language tag.
        language: String,
        /// How it is said.
        prosody: Prosody,
    },
}

/// How often a prompt is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// So many times, at least once.
    Times(u32),
    /// Until it is stopped.
    Forever,
}

/// Where the channels of a recording's tap are in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingLayout {
    /// One channel: the sum of all.
    Mono,
    /// Two channels.
    Stereo {
        /// What this source says is the left one; the right one is the sum of all else.
        left: SourceId,
    },
}

/// A recording to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartRecording {
    /// The recording.
    pub recording: RecordingRecord,
    /// What it is written from. Plans name it from now on, sooner or later, until [`Effect::StopTap`].
    pub tap: TapId,
    /// What its file holds of that.
    pub layout: RecordingLayout,
    /// Whether each source is kept in a file of its own as well.
    pub keeps_tracks: bool,
}

/// Whose voice a leg carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedParty {
    /// Its call.
    pub call: CallId,
    /// As whom it is in the conference; none if that is not why it is recorded.
    pub participant: Option<ParticipantId>,
    /// Its number or SIP address.
    pub address: String,
    /// What it is in the conference.
    pub role: Option<Role>,
    /// Whether it is muted at present.
    pub muted: bool,
    /// Whether it is held at present.
    pub held: bool,
    /// Whether it coaches at present.
    pub coaching: bool,
}

/// Something that a recording's listener may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingEntry {
    /// A party is there: it came, or was there when the recording began.
    Present(LegId, Box<RecordedParty>),
    /// What happened to a party: of [`ConferenceEvent`], what concerns one that is there. No digits
    /// while the recording is paused.
    Happened(LegId, ConferenceEvent),
    /// Nothing is kept from now on.
    Paused,
    /// It goes on.
    Resumed,
}

/// Something to be listened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// What carries it, with nothing else: plans name it from now on, sooner or later, until
    /// [`Effect::StopListening`].
    pub tap: TapId,
    /// Who speaks.
    pub call: CallId,
    /// What for.
    pub to: Listened,
}

/// What is listened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listened {
    /// Words, recognised as these terms say.
    Speech(SpeechTerms),
    /// The first beep of an answering machine.
    Beep(Beep),
}

/// A stream to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStream {
    /// The stream.
    pub record: StreamRecord,
    /// How it is to be.
    pub terms: StreamTerms,
    /// The leg of its call.
    pub leg: LegId,
    /// What is said and heard by the leg. Plans name it for as long as the stream is not over.
    pub tap: TapId,
    /// What the WebSocket lets the leg hear; plans name it so, and nobody makes it but the stream.
    pub voice: Option<PromptId>,
}

/// How it goes when a far end hands its place over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// It is not where anybody could succeed it, or there may be nobody more; nothing was begun.
    Refused,
    /// It was begun; [`Handover::Done`] or [`Handover::Failed`] follows, while the far end is there.
    Begun,
    /// The successor rings.
    Ringing,
    /// The successor has the place.
    Done,
    /// There is no successor, for this reason; the far end has its place still.
    Failed(HangupCause),
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Tell the caller that it rings.
    Ring(LegId),
    /// Let the caller hear us before the answer.
    Progress(LegId),
    /// Place a call; [`Input::Dialled`](crate::Input::Dialled) or
    /// [`Input::NotDialled`](crate::Input::NotDialled) follows.
    Dial(Box<PlaceCall>),
    /// Answer the call.
    Answer(LegId),
    /// Refuse the unanswered call; its media is released.
    Refuse(LegId, Refusal),
    /// End the answered call, or the one that we placed; its media is released.
    HangUp(LegId),
    /// Release the media of a leg whose far end is gone.
    Release(LegId),
    /// Route a bridge anew. Legs named by the plan move into the bridge from
    /// wherever they are, at the same tick; the bridge is created if need be.
    Install(BridgeId, MixPlan),
    /// The bridge is empty and no longer needed.
    CloseBridge(BridgeId),
    /// Make a prompt's audio; it sounds once made, where a plan names it.
    Play {
        /// The prompt.
        prompt: PromptId,
        /// What it sounds like.
        content: PromptContent,
        /// How often.
        repeat: Repeat,
    },
    /// The prompt is no longer needed.
    StopPrompt(PromptId),
    /// Write a recording of what its tap will carry;
    /// [`Input::RecordingEnded`](crate::Input::RecordingEnded) follows, once.
    Record(Box<StartRecording>),
    /// Keep an entry beside a recording that was begun and whose end was not told.
    NoteRecording {
        /// The recording.
        recording: RecordingId,
        /// When it happened.
        at: Timestamp,
        /// What.
        entry: RecordingEntry,
    },
    /// No plan names the tap any more: what was recorded of it is all there is. Comes once for
    /// each [`Effect::Record`], after every plan that named it, if one did.
    StopTap(TapId),
    /// Recognise what a caller says, as it comes; [`Input::Heard`](crate::Input::Heard) follows, any number of times.
    Listen(Box<Listen>),
    /// The caller has said all: recognise what is left, and end with
    /// [`Heard::End`](crate::Heard::End) or [`Heard::Failed`](crate::Heard::Failed).
    EndListening(TapId),
    /// Nobody waits for what is recognised any more. Comes once for each [`Effect::Listen`], when no plan names its
    /// tap any more.
    StopListening(TapId),
    /// Send digits to the far ends of `legs`.
    SendDigits {
        /// To whom, at least one.
        legs: Vec<LegId>,
        /// Of `0-9 * # A-D`, one after the other.
        digits: String,
    },
    /// Tell a leg's far end how it goes with its place, which it hands over. A [`Handover::Done`] is
    /// followed by [`Effect::HangUp`], though the far end may be about to hang up itself.
    TellHandover(LegId, Handover),
    /// Send a text message.
    SendMessage(Box<OutgoingMessage>),
    /// Open a stream; its [`Input::Stream`](crate::Input::Stream) follow, the last of them its end.
    OpenStream(Box<OpenStream>),
    /// Tell a stream that its far end sent a digit.
    StreamDigit {
        /// The stream.
        stream: StreamId,
        /// One of `0-9 * # A-D`.
        digit: char,
    },
    /// Close a stream; nothing that it tells matters any more.
    CloseStream(StreamId),
    /// Fetch a document.
    Fetch(Box<Fetch>),
    /// Write the call's row.
    SaveCall(CallRecord),
    /// Write the conference's row.
    SaveConference(ConferenceRecord),
    /// Write the participant's row.
    SaveParticipant(ParticipantRecord),
    /// Write the recording's row.
    SaveRecording(RecordingRecord),
    /// Write the stream's row.
    SaveStream(StreamRecord),
    /// Queue a callback about a recording.
    NotifyOfRecording(Box<RecordingCallback>),
    /// Queue a callback about a conference.
    Notify(Box<CallbackEvent>),
    /// Queue a callback about a participant.
    NotifyOfParticipant(Box<ParticipantCallback>),
    /// Queue a callback about a call.
    NotifyOfCall(Box<CallCallback>),
    /// Answer an API client, after everything before it is written.
    Reply(RequestId, Result<Outcome, CommandError>),
    /// Give [`Input::Timer`](crate::Input::Timer) back after `after`.
    Wake {
        /// Which wake-up.
        timer: TimerId,
        /// How much later.
        after: Duration,
    },
}
