//! What a document tells a call to do.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::effect::{PromptContent, Repeat};
use crate::input::Refusal;
use crate::policy::{CoachVoice, Role};
use crate::record::{ConferenceKind, RecordingFormat, RecordingTrack};

/// The instructions of one fetched document, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The URL it came from; relative URLs in it were resolved against this.
    pub url: Option<String>,
    /// What to do, one after the other.
    pub instructions: Vec<Instruction>,
}

/// How an URL is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body.
    Post,
}

/// A request that fetches the next document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Action {
    /// Absolute URL.
    pub url: String,
    /// How to request it.
    pub method: HttpMethod,
}

/// Where a call's document is looked for when its own URL fails, and who is told of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallUrls {
    /// Asked for the first document if the answer URL fails.
    pub fallback: Option<Action>,
    /// Told when the call rings.
    pub ring: Option<Action>,
    /// Told when the call ended.
    pub hangup: Option<Action>,
    /// Told of every step of the call.
    pub progress: Option<Action>,
}

impl CallUrls {
    /// Who is told of something that `own` is for, each once.
    pub(crate) fn told(&self, own: Option<&Action>) -> Vec<Action> {
        let progress = self.progress.as_ref().filter(|progress| own != Some(progress));
        own.into_iter().chain(progress).cloned().collect()
    }
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
        repeat: Repeat,
    },
    /// Play an audio file to the caller.
    Play {
        /// Absolute URL.
        url: String,
        /// How often.
        repeat: Repeat,
    },
    /// Play several things to the caller, one after the other, as one.
    PlaySeveral {
        /// What.
        contents: Vec<PromptContent>,
        /// How often.
        repeat: Repeat,
    },
    /// Wait in silence until something comes from the caller, or nothing.
    Await(Await),
    /// Wait in silence.
    Wait {
        /// How long.
        length: Duration,
    },
    /// Ask the caller for digits or words.
    Collect(Box<Collect>),
    /// Call others and connect the caller to whoever answers first.
    Dial(Box<Dial>),
    /// Record.
    Record(Box<Record>),
    /// Send digits to the caller.
    SendDigits {
        /// `0-9 * # A-D`, and `w` and `W` for half a second and a second of pause.
        digits: String,
        /// Whether to go on at once.
        at_once: bool,
    },
    /// Send a text message, and go on at once.
    SendMessage(Box<TextMessage>),
    /// Send the call's audio to a WebSocket.
    Stream {
        /// Where and how.
        terms: Box<StreamTerms>,
        /// Whether to go on only when the stream is over.
        waits: bool,
    },
    /// Let an unanswered caller hear these before the call is answered.
    BeforeAnswer(Vec<Instruction>),
    /// Go on with another document.
    Redirect(Action),
    /// End the call.
    HangUp {
        /// How to refuse the call if it is not answered yet.
        refusal: Option<Refusal>,
        /// End it so much later and go on with the document meanwhile.
        after: Option<Duration>,
    },
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Await {
    /// How long the caller has to be silent.
    pub silence: Option<Duration>,
    /// The beep of an answering machine.
    pub beep: Option<Beep>,
    /// How long to wait for either at most.
    pub longest: Duration,
}

/// What is a beep: one tone that keeps its pitch, or several one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beep {
    /// How long its tones are together at least.
    pub shortest: Duration,
    /// How long its tones may be apart.
    pub longest_gap: Duration,
    /// How long nothing has to follow it.
    pub silence_after: Duration,
    /// The amplitude of the weakest tone that counts, of 32 767; what is weaker is nothing.
    pub weakest: u16,
}

/// A text message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMessage {
    /// Who sends it.
    pub from: String,
    /// Who gets it, each a message of its own.
    pub to: Vec<String>,
    /// The text.
    pub text: String,
    /// Its kind, such as `sms`.
    pub kind: String,
    /// Who is told what became of each.
    pub report: Option<Action>,
}

/// A question that the caller answers with digits, or with words: whatever comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    /// What the caller hears first; its first digit or word ends them. Speak, Play and Wait only.
    pub prompts: Vec<Instruction>,
    /// How often the caller is asked.
    pub tries: u32,
    /// Most digits; so many end the input.
    pub max_digits: usize,
    /// How long to wait for the first digit, or for the caller to talk, after the prompts.
    pub first_timeout: Duration,
    /// How long to wait for a further digit.
    pub next_timeout: Duration,
    /// How long a try may take after the prompts, whatever was entered by then.
    pub total_timeout: Option<Duration>,
    /// The digit that ends the input and is no part of it.
    pub finish_on: Option<char>,
    /// The digits that are accepted; if there are none, digits change nothing.
    pub accepted: String,
    /// Played after a digit that is not, before the caller is asked again.
    pub refusal_sound: Option<Action>,
    /// Whether a beep says that it is the caller's turn.
    pub beep: bool,
    /// How words are recognised, if they are accepted.
    pub speech: Option<SpeechTerms>,
    /// Who is told what was entered.
    pub report: Option<Report>,
    /// What the input is called where it is reported.
    pub kind: CollectKind,
}

/// How what a caller says is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeechTerms {
    /// BCP 47 language tag.
    pub language: String,
    /// What kind of speech it is.
    pub model: SpeechModel,
    /// Phrases that are likely.
    pub hints: Vec<String>,
    /// Whether swear words are to be left out.
    pub filters_profanity: bool,
    /// How much silence ends it; absent, a second does, or what the recogniser takes for the end.
    pub end_timeout: Option<Duration>,
    /// Told what is recognised meanwhile, at most four times a second.
    pub interim: Option<Action>,
}

/// What kind of speech is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeechModel {
    /// Any.
    #[default]
    Any,
    /// A few words.
    Phrase,
    /// A conversation by telephone.
    Conversation,
}

/// In whose words a collected input is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectKind {
    /// Digits and nothing else.
    Digits,
    /// An input that could have been spoken.
    Input,
}

/// Who is told the outcome of an instruction, and whether the answer is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where and how.
    pub action: Action,
    /// Whether the answer is the document to go on with.
    pub follow: bool,
}

/// Others to call in the name of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    /// Whom; all ring at once.
    pub destinations: Vec<Destination>,
    /// How.
    pub terms: DialTerms,
    /// How long the two may be connected.
    pub time_limit: Duration,
    /// Whether the caller's `*` ends it.
    pub end_on_star: bool,
    /// Who is told how it went.
    pub report: Option<Report>,
    /// Who is told of each step.
    pub callback: Option<Action>,
    /// Patterns of `0-9 * #` of which it is told when the caller presses them while connected.
    pub caller_digits: Vec<String>,
    /// The same of the callee.
    pub callee_digits: Vec<String>,
}

/// One party to call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// A number or a SIP URI.
    pub address: String,
    /// How long it may ring.
    pub ring_timeout: Duration,
    /// How long it may ring from when it is known to; no longer than `ring_timeout` all the same.
    pub ring_limit: Option<Duration>,
    /// How much later than the request it is dialled.
    pub delay: Duration,
    /// Digits sent once it answered, as in [`Instruction::SendDigits`].
    pub digits: Option<String>,
    /// Whether they are sent as soon as it can be heard, be it before the answer.
    pub digits_early: bool,
    /// SIP headers for it.
    pub headers: Vec<(String, String)>,
    /// What its server is told if it asks who we are.
    pub credentials: Option<Credentials>,
}

/// What a SIP server knows us by.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// How others are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialTerms {
    /// The calling party that they see.
    pub from: String,
    /// The name that they see.
    pub caller_name: Option<String>,
    /// What they must press before they are connected.
    pub confirm: Option<Confirm>,
    /// What is heard while they ring.
    pub music: DialMusic,
    /// Who is told of each call's progress.
    pub progress: Option<Action>,
    /// How it is found out whether a machine answers.
    pub machine: Option<Box<MachineDetection>>,
}

/// How it is found out whether a machine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineDetection {
    /// Whether a machine is hung up on.
    pub hang_up: bool,
    /// Told who answered; without one the call does nothing before that is certain.
    pub callback: Option<Action>,
    /// How long after the answer it is given up.
    pub time: Duration,
    /// How long after the answer it is given up while nothing is said.
    pub initial_silence: Duration,
    /// Who speaks longer in all, without a pause of `silence`, is a machine.
    pub max_greeting: Duration,
    /// Who speaks longer in one go is a machine.
    pub max_talkspurt: Duration,
    /// Who speaks more often is a machine.
    pub max_talkspurts: u32,
    /// Who is silent for longer after it spoke is a person.
    pub silence: Duration,
}

/// A key that a callee has to press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// The key; any will do if absent.
    pub key: Option<char>,
    /// What the callee hears before it presses.
    pub sound: Option<Action>,
    /// How long it may take after that.
    pub timeout: Duration,
}

/// What is heard while a callee rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DialMusic {
    /// Ringing.
    #[default]
    Ringing,
    /// Whoever of the callees can be heard first, and ringing while none can.
    Callee,
    /// Nothing.
    None,
    /// What an URL says.
    Url(Action),
}

impl DialMusic {
    /// What is played, unless it is nothing.
    pub(crate) fn content(&self) -> Option<PromptContent> {
        match self {
            Self::None => None,
            Self::Ringing | Self::Callee => Some(PromptContent::Ringback),
            Self::Url(action) => Some(PromptContent::Sounds(action.clone())),
        }
    }
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
    /// What an URL says.
    Url(Action),
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

/// Where a participant's own part in a conference is reported: that it joined, that it left, and this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCallback {
    /// Where and how.
    pub action: Action,
    /// Digits, of `0-9 * #`, that are told when it presses them one after the other.
    pub digits: Vec<String>,
    /// Whether it is told that it became the active speaker.
    pub tells_active_speaker: bool,
}

/// A recording that a document asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// How.
    pub terms: RecordingTerms,
    /// From when to when.
    pub span: RecordSpan,
    /// How long at most; to the end of the call if absent.
    pub longest: Option<Duration>,
    /// Who is told that it was made or, unless it is a [`RecordSpan::Turn`], that it begins.
    pub report: Option<Report>,
}

/// From when to when a document records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordSpan {
    /// What the caller says next; the document goes on after it.
    Turn(Turn),
    /// From now on, whatever follows.
    Session,
    /// From when somebody is connected whom the document calls; the report is not followed.
    Connection,
}

/// The caller's turn to say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whether a beep says that it begins.
    pub beep: bool,
    /// How much silence ends it.
    pub silence: Duration,
    /// The key that ends it.
    pub finish_on: Option<char>,
}

/// How something is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingTerms {
    /// What the file is written as.
    pub format: RecordingFormat,
    /// What a participant's or a call's recording holds.
    pub track: RecordingTrack,
    /// Whether each source is kept in a file of its own as well.
    pub keeps_tracks: bool,
    /// Who is told of the recording.
    pub callback: Option<Action>,
    /// Whether, once it is over, it is transcribed.
    pub transcript: Option<TranscriptTerms>,
}

/// How something recorded is transcribed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TranscriptTerms {
    /// Who is told the transcript.
    pub callback: Option<Action>,
}

/// What of a call is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamTrack {
    /// What its far end says.
    Said,
    /// What its far end hears.
    Heard,
    /// Both, each by itself.
    Both,
}

/// As what audio is streamed, one channel in all cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFormat {
    /// Linear at 8 kHz.
    Linear8k,
    /// Linear at 16 kHz.
    Linear16k,
    /// Linear at 24 kHz.
    Linear24k,
    /// G.711 μ-law.
    Mulaw,
}

/// How much noise is taken out where nobody speaks; the more, the more of soft voices goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppression {
    /// 6 dB.
    Light,
    /// 12 dB.
    Medium,
    /// 18 dB.
    Strong,
    /// 21 dB.
    Strongest,
}

/// Who hears what a stream's WebSocket sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamAudience {
    /// The call's far end, and nobody else.
    Caller,
    /// Whoever hears the call's far end, but not that itself: the WebSocket speaks as the call does.
    Listeners,
}

/// A call's audio over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamTerms {
    /// The WebSocket: `ws:` or `wss:`.
    pub url: String,
    /// What is sent.
    pub track: StreamTrack,
    /// As what.
    pub format: StreamFormat,
    /// Who hears what comes back, if anybody does; the far end gets digits from there, too.
    pub audience: Option<StreamAudience>,
    /// How much noise is taken out of what the far end says, if any.
    pub denoised: Option<Suppression>,
    /// How long it may last once its WebSocket is open.
    pub longest: Duration,
    /// Told to the WebSocket.
    pub headers: Option<String>,
    /// Who is told of it.
    pub callback: Option<Action>,
}

/// What is recorded of a conference without a request for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomaticRecording {
    /// How.
    pub terms: RecordingTerms,
    /// How many must be inside before it begins.
    pub min_participants: usize,
    /// Whether each participant has a recording of its own as well.
    pub participants_too: bool,
    /// What everybody hears when it begins.
    pub start_sound: Option<Action>,
    /// What everybody hears when it is stopped.
    pub stop_sound: Option<Action>,
}

/// How a call joins a conference; what concerns the conference as a whole is
/// taken from whoever creates it.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent attribute of a participant")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConferenceRequest {
    /// Among which conferences it is looked for.
    pub kind: ConferenceKind,
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
    /// Sounds for those who wait; built-in music if absent.
    pub wait_music: Option<Action>,
    /// Sounds for held agents; built-in music if absent.
    pub agent_hold_music: Option<Action>,
    /// Sounds for held customers and supervisors; built-in if absent.
    pub customer_hold_music: Option<Action>,
    /// Whether only an agent's arrival starts the conference.
    pub wait_for_agent: bool,
    /// How long those who wait do so before they leave again; for ever if absent.
    pub max_wait: Option<Duration>,
    /// Whether and how the conference is recorded from now on.
    pub recording: Option<AutomaticRecording>,
    /// Whether coaches are recorded; who says that they are left out is obeyed from then on,
    /// whoever came first.
    pub coach_voice: CoachVoice,
    /// Where events are reported.
    pub status_callback: Option<StatusCallback>,
    /// Where the participant's own part is reported.
    pub own_callback: Option<OwnCallback>,
    /// Whether the participant leaves by `*`.
    pub leave_on_star: bool,
    /// By what somebody else hears and speaks as the participant while it is inside.
    pub stream: Option<Box<StreamTerms>>,
    /// Who is told that the call left the conference, and may say what it does next; otherwise the next
    /// instruction does.
    pub on_exit: Option<Report>,
}
