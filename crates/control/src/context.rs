//! What every state machine of the control plane acts through.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use mixminus_mixer::{
    BridgeId, LegId, MixPlan, PromptId, SinkRoutes, SourceId, TapChannel, TapId, TapRoutes,
};
use rand::Rng;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::command::Playback;
use crate::effect::{Effect, FetchId, Listen, Listened, PromptContent, Repeat, TimerId};
use crate::instruction::StreamAudience;
use crate::record::{CallId, ConferenceId, ParticipantId, RecordingId, StreamId, Timestamp};

/// Whose prompt or recording it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Call(CallId),
    Conference(ConferenceId),
}

/// Identifies two calls that are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(u64);

/// What a wake-up is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// What the call does at the time took long enough.
    Step(CallId),
    /// The call is to be dialled, after those that wait for it already.
    Dial(CallId),
    /// An account may dial again.
    DialMore,
    /// It is certain who answered the call.
    Answerer(CallId),
    /// The call rang long enough.
    RingTimeout(CallId),
    /// The call's next digits are to be sent.
    Digits(CallId),
    /// A scheduled hang-up.
    HangUp(CallId),
    /// A prompt was heard long enough.
    PromptEnd(PromptId),
    /// The call was recorded long enough.
    RecordingEnd(CallId, RecordingId),
    /// The call was streamed long enough.
    StreamEnd(CallId, StreamId),
    /// Two calls were connected long enough.
    ConnectionEnd(ConnectionId),
    /// A participant waited long enough.
    WaitEnd(ConferenceId, ParticipantId),
    /// The conference reached its longest duration.
    ConferenceEnd(ConferenceId),
}

/// What of a bridge is tapped beside what follows its legs.
#[derive(Debug, Default)]
pub(crate) struct Tapped {
    pub taps: Vec<TapRoutes>,
    /// Whose voice enters nothing, not even a recording of its own call.
    pub silenced: BTreeSet<LegId>,
}

/// Collects effects and issues ids; knows what time it is because it was told.
#[derive(Debug)]
pub(crate) struct Context {
    pub now: Timestamp,
    effects: Vec<Effect>,
    emptied: Vec<BridgeId>,
    stopped_taps: Vec<TapId>,
    /// Taps that follow a leg from bridge to bridge.
    leg_taps: BTreeMap<LegId, Vec<TapRoutes>>,
    /// What streams hear and say, following a leg so: the tap whatever enters a conference.
    leg_streams: BTreeMap<LegId, (TapRoutes, Option<(PromptId, StreamAudience)>)>,
    /// Legs whose taps are others than when they were routed.
    retapped: BTreeSet<LegId>,
    recordings: BTreeMap<RecordingId, Owner>,
    random: StdRng,
    next_participant: u64,
    last_id: u64,
    /// Whose each is, and what ends it early.
    prompts: HashMap<PromptId, (Owner, Option<TimerId>)>,
    timers: HashMap<TimerId, Due>,
    talking: HashSet<LegId>,
    listening: HashMap<TapId, CallId>,
}

impl Context {
    pub fn new(random: StdRng, next_participant: ParticipantId) -> Self {
        Self {
            now: Timestamp::default(),
            effects: Vec::new(),
            emptied: Vec::new(),
            stopped_taps: Vec::new(),
            leg_taps: BTreeMap::new(),
            leg_streams: BTreeMap::new(),
            retapped: BTreeSet::new(),
            recordings: BTreeMap::new(),
            random,
            next_participant: next_participant.0,
            last_id: 0,
            prompts: HashMap::new(),
            timers: HashMap::new(),
            talking: HashSet::new(),
            listening: HashMap::new(),
        }
    }

    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Everything to be done; bridges are closed when their legs have moved, and taps are
    /// stopped when no bridge has them.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        self.effects.extend(self.emptied.drain(..).map(Effect::CloseBridge));
        self.effects.extend(self.stopped_taps.drain(..).map(Effect::StopTap));
        std::mem::take(&mut self.effects)
    }

    pub fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    pub fn participant_id(&mut self) -> ParticipantId {
        let id = self.next_participant;
        self.next_participant += 1;
        ParticipantId(id)
    }

    fn id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub fn bridge(&mut self) -> BridgeId {
        BridgeId(self.id())
    }

    /// Installs the plan that `routes` compile to, with what is tapped. What follows a leg
    /// is in whatever plan it is in: taps add no route, the voice of a stream one to this leg alone
    /// or, if it speaks as the leg does, where the leg's own goes.
    pub fn install(&mut self, bridge: BridgeId, routes: &[SinkRoutes], tapped: Tapped) {
        let Tapped { mut taps, silenced } = tapped;
        let mut routes = routes.to_vec();
        let mut as_legs = Vec::new();
        for SinkRoutes { leg, hears } in &mut routes {
            self.retapped.remove(leg);
            let own = TapChannel::Source(SourceId::Leg(*leg));
            for tap in self.leg_taps.get(leg).into_iter().flatten() {
                let mut tap = tap.clone();
                tap.channels.retain(|channel| *channel != own || !silenced.contains(leg));
                taps.push(tap);
            }
            if let Some((tap, voice)) = self.leg_streams.get(leg) {
                taps.push(tap.clone());
                match voice {
                    Some((voice, StreamAudience::Caller)) => hears.push(SourceId::Prompt(*voice)),
                    Some((voice, StreamAudience::Listeners)) => as_legs.push((*leg, *voice)),
                    None => {}
                }
            }
        }
        for (leg, voice) in as_legs {
            speak_as(leg, voice, &mut routes, &mut taps);
        }
        let plan = MixPlan::compile(&routes)
            .and_then(|plan| plan.with_taps(&taps))
            .expect("routes list each leg once and never its own voice, taps carry none but theirs");
        self.push(Effect::Install(bridge, plan));
    }

    /// A tap for a recording of `owner`.
    pub fn record(&mut self, recording: RecordingId, owner: Owner) -> TapId {
        self.recordings.insert(recording, owner);
        TapId(self.id())
    }

    /// Whose recording it was that is over now; nobody's if it was over.
    pub fn forget_recording(&mut self, recording: RecordingId) -> Option<Owner> {
        self.recordings.remove(&recording)
    }

    pub fn recordings(&self) -> usize {
        self.recordings.len()
    }

    pub fn tap(&mut self) -> TapId {
        TapId(self.id())
    }

    /// A prompt that is not made here.
    pub fn voice(&mut self) -> PromptId {
        PromptId(self.id())
    }

    /// Has `tap` follow `leg` from bridge to bridge.
    pub fn tap_leg(&mut self, leg: LegId, tap: TapRoutes) {
        self.leg_taps.entry(leg).or_default().push(tap);
        self.retapped.insert(leg);
    }

    pub fn untap_leg(&mut self, leg: LegId, tap: TapId) {
        if let Some(taps) = self.leg_taps.get_mut(&leg) {
            taps.retain(|one| one.tap != tap);
            self.retapped.insert(leg);
            self.leg_taps.retain(|_, taps| !taps.is_empty());
        }
    }

    /// Has a stream's tap follow `leg`, and its voice.
    pub fn stream_leg(&mut self, leg: LegId, tap: TapRoutes, voice: Option<(PromptId, StreamAudience)>) {
        self.leg_streams.insert(leg, (tap, voice));
        self.retapped.insert(leg);
    }

    pub fn unstream_leg(&mut self, leg: LegId) {
        self.leg_streams.remove(&leg);
        self.retapped.insert(leg);
    }

    /// The legs that have to be routed anew for what follows them.
    pub fn take_retapped(&mut self) -> BTreeSet<LegId> {
        std::mem::take(&mut self.retapped)
    }

    pub fn stop_tap(&mut self, tap: TapId) {
        self.stopped_taps.push(tap);
    }

    pub fn connection(&mut self) -> ConnectionId {
        ConnectionId(self.id())
    }

    pub fn fetch(&mut self) -> FetchId {
        FetchId(self.id())
    }

    pub fn close_bridge(&mut self, bridge: BridgeId) {
        self.emptied.push(bridge);
    }

    /// Plays what a request asks for, for as long as it may be heard.
    pub fn play_back(&mut self, owner: Owner, playback: Playback) -> PromptId {
        let prompt = self.play(owner, playback.content, playback.repeat);
        let end = playback.length.map(|length| self.wake(length, Due::PromptEnd(prompt)));
        self.prompts.insert(prompt, (owner, end));
        prompt
    }

    pub fn play(&mut self, owner: Owner, content: PromptContent, repeat: Repeat) -> PromptId {
        let prompt = PromptId(self.id());
        self.prompts.insert(prompt, (owner, None));
        self.push(Effect::Play { prompt, content, repeat });
        prompt
    }

    pub fn stop_prompt(&mut self, prompt: PromptId) {
        if let Some((_, Some(end))) = self.prompts.remove(&prompt) {
            self.cancel(end);
        }
        self.push(Effect::StopPrompt(prompt));
    }

    pub fn prompt_owner(&self, prompt: PromptId) -> Option<Owner> {
        self.prompts.get(&prompt).map(|(owner, _)| *owner)
    }

    /// Has something listened for in what `call` says; some plan is to name the tap.
    pub fn listen(&mut self, call: CallId, to: Listened) -> TapId {
        let tap = TapId(self.id());
        self.listening.insert(tap, call);
        self.push(Effect::Listen(Box::new(Listen { tap, call, to })));
        tap
    }

    pub fn stop_listening(&mut self, tap: TapId) {
        self.listening.remove(&tap);
        self.push(Effect::StopListening(tap));
    }

    /// Who is listened to by `tap`.
    pub fn heard_by(&self, tap: TapId) -> Option<CallId> {
        self.listening.get(&tap).copied()
    }

    pub fn wake(&mut self, after: Duration, due: Due) -> TimerId {
        let timer = TimerId(self.id());
        self.timers.insert(timer, due);
        self.push(Effect::Wake { timer, after });
        timer
    }

    pub fn cancel(&mut self, timer: TimerId) {
        self.timers.remove(&timer);
    }

    /// Notes whether the far end of `leg` talks, wherever the leg is.
    pub fn set_talking(&mut self, leg: LegId, talking: bool) {
        if talking {
            self.talking.insert(leg);
        } else {
            self.talking.remove(&leg);
        }
    }

    pub fn is_talking(&self, leg: LegId) -> bool {
        self.talking.contains(&leg)
    }

    /// What the wake-up was for, once; nothing if it was cancelled.
    pub fn expire(&mut self, timer: TimerId) -> Option<Due> {
        self.timers.remove(&timer)
    }
}

/// Has `voice` go wherever that of `leg` goes, and nowhere else.
fn speak_as(leg: LegId, voice: PromptId, routes: &mut [SinkRoutes], taps: &mut [TapRoutes]) {
    let (leg, voice) = (SourceId::Leg(leg), SourceId::Prompt(voice));
    for SinkRoutes { hears, .. } in routes {
        if hears.contains(&leg) {
            hears.push(voice);
        }
    }
    for TapRoutes { channels, .. } in taps {
        if channels.contains(&TapChannel::Source(leg)) {
            channels.push(TapChannel::Source(voice));
        }
    }
}
