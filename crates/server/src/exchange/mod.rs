//! Runs the control plane: feeds it what happened and does what it says.

pub mod admission;
mod backlog;
mod clock;
mod dialling;
mod documents;
pub mod handle;
mod journal;
mod keying;
mod leg;
mod listening;
mod status;
mod streaming;
mod told;
mod transfer;
mod translated;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mixminus_audio::Clip;
use mixminus_control::{
    Arrival, CommandError, DialError, Effect, Fetch, Input, Introduction, LegEnd, News, Outcome,
    OutgoingMessage, PlaceCall, PromptContent, Refusal, Repeat, RequestId, StartRecording, StreamId,
    Switchboard, TimerId, Verification,
};
use mixminus_media::{Media, MediaEvent};
use mixminus_mixer::{BridgeId, LegId, Plays, PromptId, TapCapacity, TapId};
use mixminus_rtp::Digit;
use mixminus_sip::{CallControl, CallEnd, IncomingCall, OutgoingCall, UserAgent};
use mixminus_store::NewCallback;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::dialect;
use crate::endpoints::Arriving;
use crate::live::Live;
use crate::messages;
use crate::prompts::{AudioFiles, PromptError, Prompts};
use crate::rate::RateLimit;
use crate::recogniser::Recogniser;
use crate::recorder::Recorder;
use crate::recording_place::RecordingPlace;
use crate::streams::Streams;
use crate::web;
use handle::{CommandRequest, ExchangeError};

pub use admission::Admission;
pub use backlog::{Backlog, Entry};
pub use clock::Clock;
pub use dialling::{Dialling, Offers, Peer, Prefix, Trunk};
pub use documents::Documents;
pub use journal::Journal;
pub use leg::{SrtpTerms, Terms};
pub use status::Status;
pub use told::{queued, queued_for_call, queued_for_recording};
pub use transfer::Transfers;

use told::queued_for_participant;
use transfer::Transfer;

/// How often bridges are looked at that may have become too busy for another
/// leg: as often as media measures how busy they are.
const ROOM_INTERVAL: Duration = Duration::from_secs(1);
/// What may be told to the exchange before it has to listen.
const MAX_QUEUED_OCCURRENCES: usize = 1024;
/// What callers are asked to wait before they try again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// What comes from outside.
#[derive(Debug)]
pub struct Intake {
    /// New calls.
    pub calls: mpsc::Receiver<Arriving>,
    /// Digits, ended prompts, vanished legs.
    pub media: mpsc::Receiver<MediaEvent>,
    /// The ends of recordings.
    pub recordings: mpsc::UnboundedReceiver<Input>,
    /// Requests of API clients.
    pub commands: mpsc::Receiver<CommandRequest>,
    /// Cancelled when no more calls are to be taken.
    pub drain: CancellationToken,
}

/// How calls are answered.
#[derive(Clone, Debug)]
pub struct Answering {
    /// What far ends are told of our media.
    pub terms: Terms,
    /// How calls are placed.
    pub dialling: Dialling,
    /// Whose transfers are followed.
    pub transfers: Transfers,
    /// Where recordings can be fetched.
    pub recordings: RecordingPlace,
    /// Whether there is a service that sends messages.
    pub sends_messages: bool,
    /// How many calls are taken in a second.
    pub max_arrivals_per_s: usize,
}

/// What the exchange works with.
#[derive(Debug)]
pub struct Equipment {
    /// The control plane.
    pub switchboard: Switchboard,
    /// Its time.
    pub clock: Clock,
    /// Media of legs, bridges and prompts.
    pub media: Media,
    /// Places calls.
    pub agent: Arc<UserAgent>,
    /// Takes calls or refuses them.
    pub admission: Admission,
    /// What is going on, for others to see.
    pub status: Arc<Status>,
    /// The same as it happens, for those who look on.
    pub live: Arc<Live>,
    /// Makes prompts' audio.
    pub prompts: Arc<Prompts<AudioFiles>>,
    /// Recognises what callers say.
    pub recogniser: Arc<Recogniser>,
    /// Fetches documents.
    pub documents: Arc<Documents>,
    /// Writes recordings.
    pub recorder: Recorder,
    /// Sends calls' audio to WebSockets.
    pub streams: Arc<Streams>,
    /// Keeps rows and callbacks.
    pub journal: Journal,
}

/// What a task of the exchange reports back to it.
#[derive(Debug)]
enum Occurrence {
    /// Something for the control plane.
    Input(Box<Input>),
    /// The next part of a prompt's audio is there.
    PromptGrew(PromptId, Arc<Clip>),
    /// All of a prompt's audio is there, or there will never be any.
    PromptMade(PromptId, Result<(), PromptError>),
    /// A far end wants somebody else in its place, and may.
    Transfer(Transfer),
    /// Signalling with a leg's far end is over.
    CallEnded(LegId, CallEnd),
}

/// The one task that owns calls and conferences.
#[derive(Debug)]
pub struct Exchange {
    equipment: Equipment,
    answering: Answering,
    calls: HashMap<LegId, leg::Signalling>,
    /// What makes each prompt, which may have ended.
    prompts: HashMap<PromptId, AbortHandle>,
    listening: HashMap<TapId, listening::Listening>,
    /// Each ends when its sender is dropped.
    streams: HashMap<StreamId, mpsc::Sender<char>>,
    bridges: HashSet<BridgeId>,
    crowded: BTreeSet<BridgeId>,
    arrivals: RateLimit,
    replies: HashMap<RequestId, oneshot::Sender<Result<Outcome, ExchangeError>>>,
    last_request: u64,
    occurred: mpsc::Sender<Occurrence>,
    occurrences: mpsc::Receiver<Occurrence>,
}

impl Exchange {
    /// An exchange without calls.
    pub fn new(equipment: Equipment, answering: Answering) -> Self {
        let (occurred, occurrences) = mpsc::channel(MAX_QUEUED_OCCURRENCES);
        let arrivals = RateLimit::new(answering.max_arrivals_per_s, Duration::from_secs(1));
        Self {
            equipment,
            answering,
            arrivals,
            calls: HashMap::new(),
            prompts: HashMap::new(),
            listening: HashMap::new(),
            streams: HashMap::new(),
            bridges: HashSet::new(),
            crowded: BTreeSet::new(),
            replies: HashMap::new(),
            last_request: 0,
            occurred,
            occurrences,
        }
    }

    /// Runs until it was told to drain, the last call has ended and the last recording is whole;
    /// everything is written then.
    pub async fn run(mut self, mut intake: Intake) {
        let mut draining = false;
        let mut look = tokio::time::interval(ROOM_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !draining || !self.calls.is_empty() || self.equipment.switchboard.recordings() > 0 {
            tokio::select! {
                Some(call) = intake.calls.recv() => self.arrive(call),
                Some(event) = intake.media.recv() => self.handle(media_input(event)),
                Some(ended) = intake.recordings.recv() => self.handle(ended),
                Some(request) = intake.commands.recv() => self.command(request),
                Some(occurrence) = self.occurrences.recv() => self.occur(occurrence),
                _ = look.tick() => self.look_for_room(),
                () = intake.drain.cancelled(), if !draining => {
                    draining = true;
                    self.handle(Input::Drain);
                }
            }
        }
        self.equipment.journal.close().await;
    }

    fn arrive(&mut self, Arriving { call, account, application }: Arriving) {
        if !self.equipment.journal.keeps_up() {
            tracing::warn!(call_id = call.control.id(), "refused: it could not be put on record");
            return call.control.refuse(503, Some(RETRY_AFTER));
        }
        if !self.equipment.admission.admit() {
            tracing::warn!(call_id = call.control.id(), "refused: the media workers are too busy");
            return call.control.refuse(503, Some(RETRY_AFTER));
        }
        if self.arrivals.admit(now()).is_err() {
            tracing::warn!(call_id = call.control.id(), "refused: too many calls in a second");
            return call.control.refuse(503, Some(RETRY_AFTER));
        }
        let ground = self.ground();
        let terms = self.answering.terms.with_srtp(self.answering.dialling.srtp_with(&call));
        let opened = leg::open(&call, &ground, &terms);
        let (leg, signalling) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::warn!(call_id = call.control.id(), %error, "refused");
                return call.control.refuse(error.status(), error.retry_after());
            }
        };
        let (is_endpoint, transfers) = (call.endpoint.is_some(), self.answering.transfers);
        let signals = signalling.clone();
        let attendance =
            leg::Attendance { leg, signalling: signals, ground, placed: None, is_endpoint, transfers };
        self.calls.insert(leg, signalling);
        let IncomingCall { from, to, user, endpoint, headers, diverted_by, verification, events, .. } = call;
        tokio::spawn(attendance.run(events));
        // What an endpoint says of these nobody vouches for.
        let vouched = endpoint.is_none();
        let verification = verification.filter(|_| vouched).map(|verification| match verification {
            mixminus_sip::Verification::Passed => Verification::Passed,
            mixminus_sip::Verification::NotPassed => Verification::NotPassed,
        });
        let diverted_by = diverted_by.filter(|_| vouched);
        let introduction = Introduction { headers, diverted_by, verification };
        let arrival = Arrival { leg, account, from, to, user, application, introduction };
        let effects = self.decide(Input::CallArrived(arrival));
        if let Some(id) = self.equipment.switchboard.call_of(leg) {
            self.signal(leg, |control| {
                control.trace_as(&id.to_string());
                if endpoint.is_some() {
                    control.label(vec![dialect::call_id_header(id)]);
                }
            });
        }
        self.carry_out(effects);
    }

    fn ground(&self) -> leg::Ground {
        let Equipment { media, status, .. } = &self.equipment;
        leg::Ground { media: media.clone(), status: Arc::clone(status), occurred: self.occurred.clone() }
    }

    /// Places a call; what comes of it is told by its events.
    fn dial(&mut self, place: &PlaceCall) {
        let call = place.call.id;
        if let Err(reason) = self.try_dial(place) {
            let occurred = self.occurred.clone();
            tokio::spawn(async move {
                report(&occurred, Occurrence::Input(Box::new(Input::NotDialled { call, reason }))).await;
            });
        }
    }

    fn try_dial(&mut self, place: &PlaceCall) -> Result<(), DialError> {
        let call = place.call.id;
        let route = self.answering.dialling.route(place).inspect_err(|reason| {
            tracing::warn!(%call, ?reason, "not dialled: nobody whom `[sip]` allows to call, or who is there");
        })?;
        if !self.equipment.admission.admit() {
            return Err(DialError::NoRoom);
        }
        let ground = self.ground();
        let terms = self.answering.terms.with_srtp(route.srtp);
        let (leg, offered) = leg::offer(&ground, &terms).map_err(|error| {
            tracing::warn!(%call, %error, "not dialled");
            DialError::NoRoom
        })?;
        let signals = route.registered_from();
        match route.place(&self.equipment.agent, &offered.offers) {
            Ok(OutgoingCall { control, events }) => {
                control.trace_as(&call.to_string());
                let signalling = offered.placed(control, signals);
                let attendance = leg::Attendance {
                    leg,
                    signalling: signalling.clone(),
                    ground,
                    placed: Some(call),
                    is_endpoint: dialect::endpoint_name(&place.call.to).is_some(),
                    transfers: self.answering.transfers,
                };
                self.calls.insert(leg, signalling);
                tokio::spawn(attendance.run(events));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%call, %error, "not dialled");
                ground.media.release_leg(leg);
                Err(DialError::InvalidAddress)
            }
        }
    }

    fn command(&mut self, request: CommandRequest) {
        if !self.equipment.journal.keeps_up() {
            // Who asked may be gone.
            return drop(request.reply.send(Err(ExchangeError::Storage)));
        }
        self.last_request += 1;
        let id = RequestId(self.last_request);
        self.replies.insert(id, request.reply);
        let CommandRequest { account, command, .. } = request;
        self.handle(Input::Command { request: id, account, command });
    }

    /// Tells the control plane when other bridges than before have no room.
    fn look_for_room(&mut self) {
        let media = &self.equipment.media;
        let crowded = self.bridges.iter().filter(|bridge| !media.has_room_in(**bridge));
        let crowded: BTreeSet<_> = crowded.copied().collect();
        if crowded != self.crowded {
            self.crowded.clone_from(&crowded);
            self.handle(Input::Crowded(crowded));
        }
    }

    fn occur(&mut self, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Input(input) => {
                self.note_stream(&input);
                self.handle(*input);
            }
            Occurrence::PromptGrew(prompt, _) | Occurrence::PromptMade(prompt, _)
                if !self.prompts.contains_key(&prompt) => {}
            Occurrence::PromptGrew(prompt, part) => self.equipment.media.append(prompt, part),
            Occurrence::PromptMade(prompt, Ok(())) => self.equipment.media.complete(prompt),
            Occurrence::PromptMade(prompt, Err(error)) => {
                tracing::warn!(?prompt, %error, "prompt left out");
                self.handle(Input::PromptEnded { prompt });
            }
            Occurrence::Transfer(transfer) => self.transfer(transfer),
            Occurrence::CallEnded(leg, end) => {
                self.calls.remove(&leg);
                self.equipment.status.is_gone(leg);
                self.handle(Input::LegEnded { leg, end: leg_end(&end) });
            }
        }
    }

    /// Lets the control plane take `input` in, and does what it says.
    fn handle(&mut self, input: Input) {
        let effects = self.decide(input);
        self.carry_out(effects);
    }

    fn decide(&mut self, input: Input) -> Vec<Effect> {
        self.equipment.switchboard.handle(input, self.equipment.clock.now())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut entry = Entry::default();
        for effect in effects {
            self.take_effect(effect, &mut entry);
        }
        let Equipment { switchboard, clock, status, live, journal, .. } = &self.equipment;
        status.update(switchboard);
        live.note(&entry.batch, switchboard, clock.now());
        journal.write(entry);
    }

    fn take_effect(&mut self, effect: Effect, entry: &mut Entry) {
        let media = &self.equipment.media;
        match effect {
            Effect::Ring(leg) => self.signal(leg, CallControl::ring),
            Effect::Progress(leg) => {
                if let Some(signalling) = self.calls.get(&leg) {
                    signalling.progress();
                }
            }
            Effect::Dial(place) => self.dial(&place),
            Effect::Answer(leg) => {
                if let Some(signalling) = self.calls.get(&leg) {
                    signalling.promise();
                    entry.answers.push(signalling.clone());
                }
            }
            Effect::Refuse(leg, refusal) => {
                media.release_leg(leg);
                let (status, retry_after) = refused(refusal);
                self.signal(leg, |control| control.refuse(status, retry_after));
            }
            Effect::HangUp(leg) => {
                media.release_leg(leg);
                if let Some(signalling) = self.calls.get(&leg) {
                    signalling.hang_up();
                }
            }
            Effect::Release(leg) => media.release_leg(leg),
            Effect::Install(bridge, plan) => {
                media.install(bridge, plan);
                self.bridges.insert(bridge);
                self.equipment.live.rerouted(bridge);
            }
            Effect::CloseBridge(bridge) => {
                media.close_bridge(bridge);
                self.bridges.remove(&bridge);
            }
            Effect::Play { prompt, content, repeat } => self.make_prompt(prompt, content, repeat),
            Effect::StopPrompt(prompt) => self.stop_prompt(prompt),
            Effect::Listen(listen) => self.listen(*listen),
            Effect::EndListening(tap) => self.end_listening(tap),
            Effect::StopListening(tap) => self.stop_listening(tap),
            Effect::Record(start) => self.record(start),
            Effect::NoteRecording { recording, entry, .. } => self.equipment.recorder.note(recording, entry),
            Effect::StopTap(tap) => media.close_tap(tap),
            Effect::SendDigits { legs, digits } => self.send_digits(&legs, &digits),
            Effect::TellHandover(leg, news) => self.signal(leg, |control| transfer::tell(control, news)),
            Effect::SendMessage(message) => entry.batch.callbacks.extend(self.queued_message(&message)),
            Effect::OpenStream(open) => self.open_stream(*open),
            Effect::StreamDigit { stream, digit } => self.stream_digit(stream, digit),
            Effect::CloseStream(stream) => drop(self.streams.remove(&stream)),
            Effect::SaveStream(record) => entry.batch.streams.push(record),
            Effect::Fetch(fetch) => self.fetch(fetch),
            Effect::SaveCall(record) => entry.batch.calls.push(record),
            Effect::SaveConference(record) => entry.batch.conferences.push(record),
            Effect::SaveParticipant(record) => entry.batch.participants.push(record),
            Effect::Notify(event) => entry.batch.callbacks.push(queued(&event)),
            Effect::SaveRecording(record) => {
                entry.batch.transcripts.extend(record.awaited_transcript());
                entry.batch.recordings.push(self.answering.recordings.located(record));
            }
            Effect::NotifyOfRecording(event) => {
                entry.batch.callbacks.push(queued_for_recording(*event, &self.answering.recordings));
            }
            Effect::NotifyOfParticipant(event) => entry.batch.callbacks.push(queued_for_participant(&event)),
            Effect::NotifyOfCall(event) => {
                entry.batch.callbacks.push(queued_for_call(*event, &self.answering.recordings));
            }
            Effect::Reply(request, result) => self.reply(request, result, entry),
            Effect::Wake { timer, after } => self.wake(timer, after),
        }
    }

    fn reply(&mut self, request: RequestId, mut result: Result<Outcome, CommandError>, entry: &mut Entry) {
        if let Ok(Outcome::Recording(record)) = &mut result {
            self.answering.recordings.locate(record);
        }
        let result = result.map_err(ExchangeError::from);
        entry.replies.extend(self.replies.remove(&request).map(|reply| (reply, result)));
    }

    fn signal(&self, leg: LegId, action: impl FnOnce(&CallControl)) {
        if let Some(signalling) = self.calls.get(&leg) {
            action(&signalling.control);
        }
    }

    fn send_digits(&self, legs: &[LegId], digits: &str) {
        let digits: Vec<_> = digits.chars().filter_map(|digit| Digit::try_from(digit).ok()).collect();
        for leg in legs {
            self.equipment.media.send_digits(*leg, &digits);
        }
    }

    fn queued_message(&self, message: &OutgoingMessage) -> Vec<NewCallback> {
        let sends = self.answering.sends_messages;
        if !sends {
            tracing::warn!(message = %message.id, "not sent: no service under [messages]");
        }
        messages::queued(message, sends)
    }

    fn make_prompt(&mut self, prompt: PromptId, content: PromptContent, repeat: Repeat) {
        self.equipment.media.begin(prompt, plays(repeat));
        let (prompts, occurred) = (Arc::clone(&self.equipment.prompts), self.occurred.clone());
        let making = tokio::spawn(async move {
            let (parts, mut made) = mpsc::channel(1);
            let pass_on = async {
                while let Some(part) = made.recv().await {
                    report(&occurred, Occurrence::PromptGrew(prompt, part)).await;
                }
            };
            let (result, ()) = tokio::join!(prompts.render(&content, parts), pass_on);
            report(&occurred, Occurrence::PromptMade(prompt, result)).await;
        });
        self.prompts.insert(prompt, making.abort_handle());
    }

    fn stop_prompt(&mut self, prompt: PromptId) {
        if let Some(making) = self.prompts.remove(&prompt) {
            making.abort();
        }
        self.equipment.media.stop_prompt(prompt);
    }

    fn record(&self, start: Box<StartRecording>) {
        let reader = self.equipment.media.open_tap(start.tap, tap_capacity(&start));
        self.equipment.recorder.begin(start, reader);
    }

    fn fetch(&self, mut fetch: Box<Fetch>) {
        if let Some(News::Recorded(report)) = &mut fetch.news {
            self.answering.recordings.locate(&mut report.recording);
        }
        let (documents, occurred) = (Arc::clone(&self.equipment.documents), self.occurred.clone());
        tokio::spawn(async move {
            let result = documents.fetch(&fetch).await;
            if let Err(error) = &result {
                tracing::warn!(call = %fetch.call.id, url = web::loggable(&fetch.action.url), %error, "no document");
            }
            let input = Input::Fetched { call: fetch.call.id, fetch: fetch.id, result };
            report(&occurred, Occurrence::Input(Box::new(input))).await;
        });
    }

    fn wake(&self, timer: TimerId, after: Duration) {
        let occurred = self.occurred.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            report(&occurred, Occurrence::Input(Box::new(Input::Timer(timer)))).await;
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the exchange is the edge where calls get their instant")]
fn now() -> Instant {
    Instant::now()
}

/// Tells the exchange; after its end nobody needs to know.
async fn report(occurred: &mpsc::Sender<Occurrence>, occurrence: Occurrence) {
    drop(occurred.send(occurrence).await);
}

fn media_input(event: MediaEvent) -> Input {
    match event {
        MediaEvent::Digit { leg, digit } => Input::Digit { leg, digit: digit.into() },
        MediaEvent::Talking { leg, talking } => Input::Talking { leg, talking },
        MediaEvent::PromptEnded { prompt } => Input::PromptEnded { prompt },
        MediaEvent::MediaTimeout { leg } => Input::LegEnded { leg, end: LegEnd::MediaTimeout },
        MediaEvent::Evicted { leg } => Input::LegEnded { leg, end: LegEnd::Evicted },
    }
}

/// Room for what a recording is of: a call's two sides, or as many as usually meet.
const fn tap_capacity(start: &StartRecording) -> TapCapacity {
    TapCapacity::of(if start.recording.of.conference.is_some() { 10 } else { 2 })
}

const fn plays(repeat: Repeat) -> Plays {
    match repeat {
        Repeat::Times(times) => Plays::Times(times),
        Repeat::Forever => Plays::Forever,
    }
}

const fn leg_end(end: &CallEnd) -> LegEnd {
    match end {
        CallEnd::HungUp => LegEnd::HungUp,
        CallEnd::Canceled => LegEnd::Canceled,
        CallEnd::Failed { status, .. } => LegEnd::Failed { status: *status },
    }
}

const fn refused(refusal: Refusal) -> (u16, Option<Duration>) {
    match refusal {
        Refusal::Busy => (486, None),
        Refusal::Declined => (603, None),
        Refusal::Unavailable => (503, Some(RETRY_AFTER)),
        Refusal::NotAvailable => (480, None),
        Refusal::NotFound => (404, None),
    }
}
