//! A switchboard with everything around it played by the test: calls arrive,
//! documents come, time passes, and what the effects say is carried out.

#![expect(dead_code, reason = "each test file uses its part of the world")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use mixminus_control::policy::{CoachVoice, Role};
use mixminus_control::{
    AccountId, Action, Application, Arrival, CallCallback, CallId, CallRecord, CallUrls, CallbackEvent,
    Command, CommandError, ConferenceChange, ConferenceId, ConferenceKind, ConferenceRecord,
    ConferenceRequest, Document, Effect, EventGroup, Fetch, FetchError, Handover, Heard, HttpMethod, Input,
    Instruction, Introduction, LegEnd, Limits, Listen, Members, OpenStream, Outcome, OutgoingMessage,
    ParticipantCallback, ParticipantChange, ParticipantId, ParticipantRecord, PlaceCall, PromptContent,
    Recorded, RecordingCallback, RecordingEntry, RecordingFault, RecordingId, RecordingRecord, RequestId,
    Selector, Sound, StartRecording, StatusCallback, StreamId, StreamRecord, Successor, Switchboard, TimerId,
    Timestamp,
};
use mixminus_mixer::{BridgeId, LegId, MixPlan, PromptId, SourceId, TapChannel, TapId, TapRoutes};
use rand::SeedableRng;
use rand::rngs::StdRng;

pub const LIMITS: Limits =
    Limits { max_calls: 50, max_conferences: 20, max_participants: 10, max_dials_per_s: 10, max_placed: 20 };

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum LegFate {
    Ringing,
    /// We placed it; its far end has not answered.
    Dialled,
    /// It hears us before the answer.
    Early,
    Answered,
    Refused(mixminus_control::Refusal),
    HungUp,
    Released,
}

pub struct World {
    pub switchboard: Switchboard,
    pub now: Timestamp,
    pub legs: BTreeMap<LegId, LegFate>,
    pub plans: BTreeMap<BridgeId, MixPlan>,
    pub seats: BTreeMap<LegId, BridgeId>,
    pub prompts: HashMap<PromptId, PromptContent>,
    /// What is recognised, and whether the recogniser was told that there is no more.
    pub listening: BTreeMap<TapId, (Listen, bool)>,
    pub fetches: Vec<Fetch>,
    pub calls: BTreeMap<CallId, CallRecord>,
    pub conferences: BTreeMap<ConferenceId, ConferenceRecord>,
    pub participants: BTreeMap<ParticipantId, ParticipantRecord>,
    pub told: Vec<CallbackEvent>,
    pub told_of_calls: Vec<CallCallback>,
    pub recordings: BTreeMap<RecordingId, RecordingRecord>,
    pub told_of_recordings: Vec<RecordingCallback>,
    pub told_of_participants: Vec<ParticipantCallback>,
    /// Recordings whose taps were not stopped.
    pub taps: BTreeMap<TapId, StartRecording>,
    /// Recordings that were, when, and whose files are not whole.
    pub unwritten: Vec<(StartRecording, Timestamp)>,
    /// Whether files are whole when the test says so, not when they are stopped.
    pub disk_is_slow: bool,
    /// Recordings that ended before they were stopped.
    broken: BTreeSet<RecordingId>,
    pub notes: Vec<(RecordingId, RecordingEntry)>,
    pub messages: Vec<OutgoingMessage>,
    /// Calls to be placed, oldest first.
    pub dials: Vec<PlaceCall>,
    /// The rows of streams.
    pub streams: BTreeMap<StreamId, StreamRecord>,
    /// Streams to be opened.
    pub opened: Vec<OpenStream>,
    /// Streams that were closed.
    pub closed: Vec<StreamId>,
    /// Digits that streams were told.
    pub streamed_digits: Vec<(StreamId, char)>,
    /// What far ends were told of their handovers.
    pub handovers: Vec<(LegId, Handover)>,
    /// Digits sent to far ends.
    pub digits: Vec<(LegId, char)>,
    /// What was done to bridges, legs and prompts, for a test that mixes to take.
    pub media: Vec<Effect>,
    timers: Vec<(Timestamp, TimerId)>,
    replies: HashMap<RequestId, Result<Outcome, CommandError>>,
    last: u64,
}

pub fn request(name: &str, role: Role) -> ConferenceRequest {
    ConferenceRequest {
        kind: ConferenceKind::Supervised,
        name: name.into(),
        role,
        coach: true,
        mute: false,
        hold: false,
        stay_alone: true,
        start_on_enter: true,
        end_on_exit: false,
        relay_digits: false,
        max_duration: Duration::from_hours(4),
        max_participants: 10,
        enter_sound: Sound::Beep1,
        exit_sound: Sound::Beep2,
        wait_music: None,
        agent_hold_music: None,
        customer_hold_music: None,
        wait_for_agent: false,
        max_wait: None,
        recording: None,
        coach_voice: CoachVoice::default(),
        status_callback: Some(StatusCallback {
            action: Action { url: "http://app/status".into(), method: HttpMethod::Post },
            groups: [EventGroup::Conference, EventGroup::Participant, EventGroup::Talking].into(),
        }),
        own_callback: None,
        leave_on_star: false,
        stream: None,
        on_exit: None,
    }
}

pub fn document(instructions: Vec<Instruction>) -> Document {
    Document { url: None, instructions }
}

impl World {
    pub fn new() -> Self {
        Self::within(LIMITS)
    }

    pub fn within(limits: Limits) -> Self {
        Self {
            switchboard: Switchboard::new(limits, ParticipantId(1), StdRng::seed_from_u64(1)),
            now: Timestamp::from_micros(1_000_000),
            legs: BTreeMap::new(),
            plans: BTreeMap::new(),
            seats: BTreeMap::new(),
            prompts: HashMap::new(),
            listening: BTreeMap::new(),
            fetches: Vec::new(),
            calls: BTreeMap::new(),
            conferences: BTreeMap::new(),
            participants: BTreeMap::new(),
            told: Vec::new(),
            told_of_calls: Vec::new(),
            recordings: BTreeMap::new(),
            told_of_recordings: Vec::new(),
            told_of_participants: Vec::new(),
            taps: BTreeMap::new(),
            unwritten: Vec::new(),
            disk_is_slow: false,
            broken: BTreeSet::new(),
            notes: Vec::new(),
            messages: Vec::new(),
            dials: Vec::new(),
            streams: BTreeMap::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            streamed_digits: Vec::new(),
            handovers: Vec::new(),
            digits: Vec::new(),
            media: Vec::new(),
            timers: Vec::new(),
            replies: HashMap::new(),
            last: 0,
        }
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub fn input(&mut self, input: Input) {
        for effect in self.switchboard.handle(input, self.now) {
            self.carry_out(effect);
        }
        if !self.disk_is_slow && !self.unwritten.is_empty() {
            self.write(0, Ok(()));
        }
    }

    /// The file of an unwritten recording is whole, or never will be.
    pub fn write(&mut self, at: usize, result: Result<(), RecordingFault>) {
        let (StartRecording { recording, .. }, stopped_at) = self.unwritten.remove(at);
        let recorded = Recorded { duration: stopped_at.since(recording.started_at), size_bytes: 44 };
        self.input(Input::RecordingEnded { recording: recording.id, result: result.map(|()| recorded) });
    }

    /// What is recorded by the tap cannot be written any more.
    pub fn break_file(&mut self, tap: TapId) {
        let recording = self.taps[&tap].recording.id;
        self.broken.insert(recording);
        self.input(Input::RecordingEnded { recording, result: Err(RecordingFault::Storage) });
        assert!(!self.taps.contains_key(&tap), "it goes on without a file");
    }

    fn carry_out(&mut self, effect: Effect) {
        self.media.push(effect.clone());
        match effect {
            Effect::Ring(leg) => drop(self.legs.insert(leg, LegFate::Ringing)),
            Effect::Answer(leg) => {
                let before = self.legs.insert(leg, LegFate::Answered);
                assert!(
                    matches!(before, Some(LegFate::Ringing | LegFate::Early)),
                    "answered from {before:?}"
                );
            }
            Effect::Progress(leg) => {
                let before = self.legs.insert(leg, LegFate::Early);
                assert!(matches!(before, Some(LegFate::Ringing | LegFate::Early)), "early from {before:?}");
            }
            Effect::Dial(place) => self.dials.push(*place),
            Effect::Refuse(leg, refusal) => {
                let before = self.legs.insert(leg, LegFate::Refused(refusal));
                assert!(matches!(before, Some(LegFate::Ringing | LegFate::Early)), "refused from {before:?}");
                self.seats.remove(&leg);
            }
            Effect::HangUp(leg) => {
                let before = self.legs.insert(leg, LegFate::HungUp);
                assert!(
                    matches!(before, Some(LegFate::Answered | LegFate::Dialled)),
                    "hung up from {before:?}"
                );
                self.seats.remove(&leg);
            }
            Effect::Release(leg) => {
                self.legs.insert(leg, LegFate::Released);
                self.seats.remove(&leg);
            }
            Effect::Install(bridge, plan) => self.install(bridge, plan),
            Effect::Listen(listen) => drop(self.listening.insert(listen.tap, (*listen, false))),
            Effect::EndListening(tap) => {
                let (_, ended) = self.listening.get_mut(&tap).expect("somebody is listened to");
                assert!(!std::mem::replace(ended, true), "it ends twice");
            }
            Effect::StopListening(tap) => self.stop_listening(tap),
            Effect::CloseBridge(bridge) => {
                assert!(
                    !self.seats.values().any(|seat| *seat == bridge),
                    "{bridge:?} closed with legs in it"
                );
                self.plans.remove(&bridge);
            }
            Effect::Play { prompt, content, .. } => drop(self.prompts.insert(prompt, content)),
            Effect::StopPrompt(prompt) => assert!(self.prompts.remove(&prompt).is_some(), "stopped twice"),
            Effect::SendDigits { legs, digits } => {
                assert!(!legs.is_empty(), "a digit for nobody");
                self.digits
                    .extend(digits.chars().flat_map(|digit| legs.iter().map(move |leg| (*leg, digit))));
            }
            effect @ (Effect::Record(_) | Effect::NoteRecording { .. } | Effect::StopTap(_)) => {
                self.record(effect);
            }
            Effect::TellHandover(leg, news) => {
                let may = news == Handover::Refused || self.legs[&leg] == LegFate::Answered;
                assert!(may, "{leg:?}, which is {:?}, is told {news:?}", self.legs[&leg]);
                self.handovers.push((leg, news));
            }
            Effect::SendMessage(message) => self.messages.push(*message),
            Effect::OpenStream(open) => self.opened.push(*open),
            Effect::StreamDigit { stream, digit } => self.streamed_digits.push((stream, digit)),
            Effect::CloseStream(stream) => self.closed.push(stream),
            Effect::Fetch(fetch) => self.fetches.push(*fetch),
            Effect::Reply(request, result) => drop(self.replies.insert(request, result)),
            Effect::Wake { timer, after } => self.timers.push((self.now + after, timer)),
            effect => self.keep(effect),
        }
    }

    /// Keeps rows and callbacks.
    fn keep(&mut self, effect: Effect) {
        match effect {
            Effect::SaveStream(record) => drop(self.streams.insert(record.id, record)),
            Effect::SaveCall(record) => drop(self.calls.insert(record.id, record)),
            Effect::SaveConference(record) => drop(self.conferences.insert(record.id, record)),
            Effect::SaveParticipant(record) => drop(self.participants.insert(record.id, record)),
            Effect::SaveRecording(record) => drop(self.recordings.insert(record.id, record)),
            Effect::NotifyOfRecording(event) => self.told_of_recordings.push(*event),
            Effect::NotifyOfParticipant(event) => self.told_of_participants.push(*event),
            Effect::Notify(event) => self.told.push(*event),
            Effect::NotifyOfCall(event) => self.told_of_calls.push(*event),
            _ => unreachable!("no row and no callback"),
        }
    }

    fn install(&mut self, bridge: BridgeId, plan: MixPlan) {
        let streamed = |tap| self.opened.iter().any(|open| open.tap == tap);
        let known = |tap| self.taps.contains_key(&tap) || streamed(tap);
        for routes in plan.tap_routes().iter().filter(|routes| !known(routes.tap)) {
            let (listen, _) = self.listening.get(&routes.tap).expect("a plan names taps that are open");
            assert!(self.calls[&listen.call].ended_at.is_none() && !routes.paused);
            assert!(matches!(routes.channels[..], [TapChannel::Source(SourceId::Leg(_))]));
        }
        for leg in plan.legs() {
            self.seats.insert(*leg, bridge);
        }
        self.plans.insert(bridge, plan);
    }

    fn stop_listening(&mut self, tap: TapId) {
        assert!(self.listening.remove(&tap).is_some(), "stopped twice");
        let named = self.plans.values().any(|plan| plan.taps().contains(&tap));
        assert!(!named, "a plan still names what is over");
    }

    /// Keeps what taps there are, and what is noted of recordings.
    fn record(&mut self, effect: Effect) {
        match effect {
            Effect::Record(start) => {
                let before = self.taps.insert(start.tap, *start);
                assert!(before.is_none(), "begun twice: {before:?}");
            }
            Effect::NoteRecording { recording, at, entry } => {
                assert!(
                    self.taps.values().any(|one| one.recording.id == recording),
                    "{entry:?} of what is over"
                );
                assert_eq!(at, self.now);
                self.notes.push((recording, entry));
            }
            Effect::StopTap(tap) => {
                let stopped = self.taps.remove(&tap).expect("a tap is stopped once");
                if !self.broken.contains(&stopped.recording.id) {
                    self.unwritten.push((stopped, self.now));
                }
                let named = self.plans.values().any(|plan| plan.taps().contains(&tap));
                assert!(!named, "a plan names {tap:?}, which was stopped");
            }
            _ => unreachable!("no recording's effect"),
        }
    }

    pub fn arrive(&mut self, user: &str, application: Application) -> LegId {
        let leg = LegId(self.next());
        self.input(Input::CallArrived(Arrival {
            leg,
            account: account(),
            from: format!("sip:caller{}@test", leg.0),
            to: format!("sip:{user}@test"),
            user: user.into(),
            application,
            introduction: Introduction::default(),
        }));
        leg
    }

    /// A call to the built-in application.
    pub fn dial(&mut self, user: &str) -> LegId {
        self.arrive(user, Application::BuiltIn)
    }

    /// A call whose answer URL is not answered yet.
    pub fn ring(&mut self) -> LegId {
        let action = Action { url: "http://app/answer".into(), method: HttpMethod::Post };
        self.arrive("service", Application::Url { answer: action, urls: CallUrls::default() })
    }

    /// A call that does what `instructions` say.
    pub fn call(&mut self, instructions: Vec<Instruction>) -> LegId {
        let leg = self.ring();
        self.deliver(Ok(document(instructions)));
        leg
    }

    pub fn join(&mut self, request: ConferenceRequest) -> LegId {
        self.call(vec![Instruction::Conference(Box::new(request))])
    }

    /// Answers the oldest fetch.
    pub fn deliver(&mut self, result: Result<Document, FetchError>) {
        let fetch = self.fetches.remove(0);
        self.input(Input::Fetched { call: fetch.call.id, fetch: fetch.id, result });
    }

    /// What the media plane hears of the leg's far end.
    pub fn talk(&mut self, leg: LegId, talking: bool) {
        self.input(Input::Talking { leg, talking });
    }

    /// What is recognised of the only caller who is listened to.
    pub fn hear(&mut self, heard: Heard) {
        let tap = *self.listening.keys().next().expect("somebody is listened to");
        self.input(Input::Heard { tap, heard });
    }

    /// What the leg's far end presses.
    pub fn press(&mut self, leg: LegId, digit: char) {
        self.input(Input::Digit { leg, digit });
    }

    pub fn hang_up(&mut self, leg: LegId) {
        self.input(Input::LegEnded { leg, end: LegEnd::HungUp });
    }

    /// The leg's far end hands its place over; what it was told of that so far.
    pub fn hand_over(&mut self, leg: LegId, to: Successor) -> Vec<Handover> {
        self.input(Input::HandOver { leg, to });
        self.told_of_handover(leg)
    }

    pub fn told_of_handover(&self, leg: LegId) -> Vec<Handover> {
        self.handovers.iter().filter(|(told, _)| *told == leg).map(|(_, news)| *news).collect()
    }

    pub fn command(&mut self, command: Command) -> Result<Outcome, CommandError> {
        self.command_of(account(), command)
    }

    pub fn command_of(&mut self, account: AccountId, command: Command) -> Result<Outcome, CommandError> {
        let request = RequestId(self.next());
        self.input(Input::Command { request, account, command });
        self.replies.remove(&request).expect("every command is answered at once")
    }

    pub fn change(&mut self, conference: Selector, change: ConferenceChange) -> Result<(), CommandError> {
        self.command(Command::Conference(conference, change)).map(drop)
    }

    pub fn update(&mut self, leg: LegId, change: ParticipantChange) -> Result<(), CommandError> {
        let members = Members::Listed(vec![self.participant(leg).id]);
        self.change(self.conference_of(leg), ConferenceChange::Update(members, change))
    }

    pub fn kick(&mut self, leg: LegId) -> Result<(), CommandError> {
        let members = Members::Listed(vec![self.participant(leg).id]);
        self.change(self.conference_of(leg), ConferenceChange::Kick(members))
    }

    pub fn start(&mut self, name: &str) -> Result<(), CommandError> {
        self.change(Selector::Name(name.into()), ConferenceChange::Start)
    }

    pub fn end(&mut self, name: &str) -> Result<(), CommandError> {
        self.change(Selector::Name(name.into()), ConferenceChange::End)
    }

    /// Dials the oldest call that is to be placed.
    pub fn connect(&mut self) -> LegId {
        let place = self.dials.remove(0);
        let leg = LegId(self.next());
        self.legs.insert(leg, LegFate::Dialled);
        self.input(Input::Dialled { call: place.call.id, leg });
        leg
    }

    pub fn far_end_rings(&mut self, leg: LegId) {
        self.input(Input::LegRinging { leg });
    }

    pub fn far_end_answers(&mut self, leg: LegId) {
        self.legs.insert(leg, LegFate::Answered);
        self.input(Input::LegAnswered { leg });
    }

    pub fn far_end_refuses(&mut self, leg: LegId, status: u16) {
        self.input(Input::LegEnded { leg, end: LegEnd::Failed { status } });
    }

    fn conference_of(&self, leg: LegId) -> Selector {
        Selector::Id(self.participant(leg).conference)
    }

    /// Lets time pass and fires what came due.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(index) =
            (0..self.timers.len()).filter(|i| self.timers[*i].0 <= end).min_by_key(|i| self.timers[*i].0)
        {
            let (at, timer) = self.timers.swap_remove(index);
            self.now = at;
            self.input(Input::Timer(timer));
        }
        self.now = end;
    }

    /// Ends every prompt that is not music, as if heard to its end.
    pub fn finish_sounds(&mut self) {
        let music =
            [PromptContent::WaitMusic, PromptContent::AgentHoldMusic, PromptContent::CustomerHoldMusic];
        let sounds: BTreeSet<_> =
            self.prompts.iter().filter(|(_, content)| !music.contains(content)).map(|(id, _)| *id).collect();
        for prompt in sounds {
            self.input(Input::PromptEnded { prompt });
        }
    }

    /// The latest participation of the leg's call.
    pub fn participant(&self, leg: LegId) -> &ParticipantRecord {
        let from = format!("sip:caller{}@test", leg.0);
        self.participants.values().rfind(|one| one.address == from).expect("the leg took part")
    }

    /// The call that we placed to `to`.
    pub fn placed(&self, to: &str) -> &CallRecord {
        self.calls.values().find(|one| one.to == to).expect("it was placed")
    }

    pub fn call_of(&self, leg: LegId) -> &CallRecord {
        let from = format!("sip:caller{}@test", leg.0);
        self.calls.values().find(|one| one.from == from).expect("the leg has a call")
    }

    pub fn conference(&self, leg: LegId) -> &ConferenceRecord {
        &self.conferences[&self.participant(leg).conference]
    }

    /// Whether `sink` hears `source` by the plan of the bridge it sits in.
    pub fn hears(&self, sink: LegId, source: LegId) -> bool {
        self.seats.get(&sink).is_some_and(|bridge| self.plans[bridge].hears(sink, SourceId::Leg(source)))
    }

    /// What prompts `sink` hears.
    pub fn prompts_of(&self, sink: LegId) -> Vec<PromptContent> {
        let Some(bridge) = self.seats.get(&sink) else {
            return vec![];
        };
        let plan = &self.plans[bridge];
        let mut heard: Vec<_> =
            plan.prompts().iter().filter(|prompt| plan.hears(sink, SourceId::Prompt(**prompt))).collect();
        heard.sort();
        heard.into_iter().filter_map(|prompt| self.prompts.get(prompt).cloned()).collect()
    }

    /// What is tapped for the recording, and where.
    pub fn tapped(&self, recording: RecordingId) -> Option<(BridgeId, TapRoutes)> {
        let (tap, _) = self.taps.iter().find(|(_, one)| one.recording.id == recording)?;
        let mut named = self.plans.iter().flat_map(|(bridge, plan)| {
            plan.tap_routes().into_iter().filter(|one| one.tap == *tap).map(|one| (*bridge, one))
        });
        let only = named.next();
        assert_eq!(named.next(), None, "two plans name {tap:?}");
        only
    }

    pub fn events(&self) -> Vec<mixminus_control::ConferenceEvent> {
        self.told.iter().map(|told| told.event).collect()
    }
}

pub fn account() -> AccountId {
    AccountId("MAXXXXXXXXXXXXXXXXXX".into())
}
