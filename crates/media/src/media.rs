//! The control side's handle to the media plane.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use mixminus_audio::{Clip, TICK};
use mixminus_mixer::{BridgeId, Gains, LegId, MixPlan, Plays, PromptId, TapCapacity, TapId, TapReader};
use mixminus_rtp::{Digit, Statistics};
use rtrb::{Consumer, Producer, RingBuffer};
use tokio::sync::mpsc;

use crate::cadence::Cadence;
use crate::clock;
use crate::counters::WorkerCounters;
use crate::errand::{Errand, Table};
use crate::janitor::{FromWorker, Janitor};
use crate::link::WorkerLink;
use crate::load::Window;
use crate::order::Order;
use crate::preparer::Preparer;
use crate::registry::{Registry, SharedRegistry};
use crate::replay_log::{self, ReplayLog};
use crate::tick::Tick;
use crate::worker::Worker;
use crate::{BridgeState, Load, MediaCounters, MediaError, MediaEvent, RemoteMedia, SideChannel, Voice};

/// Errands on their way to one worker, and as many on their way home.
const ERRAND_RING: usize = 4_096;

/// Events of one worker that nobody has taken yet; later ones are lost and counted.
const EVENT_RING: usize = 4_096;

/// Events of all workers that the caller has not received yet.
const EVENT_CHANNEL: usize = 4_096;

/// Files that the process opens besides media ports.
const OTHER_FILES: u64 = 512;

/// What the media plane may use.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// The address that media ports are bound to.
    pub bind_ip: IpAddr,
    /// Media ports. Each leg takes an even one and the odd one above it.
    pub ports: RangeInclusive<u16>,
    /// How many threads tick bridges, at least one.
    pub workers: usize,
    /// How long a far end may be silent before [`MediaEvent::MediaTimeout`].
    pub media_timeout: Duration,
    /// How many legs may be open.
    pub max_legs: usize,
    /// How busy a worker may be, in per cent of the tick, for [`Media::has_room`]
    /// to say yes. Higher leaves less for what comes unexpectedly.
    pub max_busy_percent: u8,
    /// A log of all that bridges are given and sent. With one, there is one
    /// worker, whatever `workers` says: only what one worker does has an order.
    pub replay_log: Option<ReplayLog>,
}

/// A handle to the media plane. Its clones are handles to the same one, which
/// ends with the last of them. No method waits for a worker.
#[derive(Clone, Debug)]
pub struct Media {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: Arc<SharedRegistry>,
    _threads: Threads,
}

impl Media {
    /// Starts the workers, which sleep until there is a bridge. Returns what
    /// they will report, too. Raises the process's limit of open files to
    /// what `config.max_legs` needs, as far as it may.
    ///
    /// # Errors
    ///
    /// [`MediaError::NoWorkers`] or [`MediaError::NoPortPair`] when `config`
    /// cannot work, [`MediaError::Thread`] when a thread does not start.
    pub fn start(config: MediaConfig) -> Result<(Self, mpsc::Receiver<MediaEvent>), MediaError> {
        if config.workers == 0 {
            return Err(MediaError::NoWorkers);
        }
        let needed = config.max_legs as u64 * 2 + OTHER_FILES;
        let allowed = clock::allow_open_files(needed);
        if allowed < needed {
            tracing::warn!(allowed, needed, "the limit of open files allows fewer legs than configured");
        }
        let log =
            config.replay_log.as_ref().map(ReplayLog::open).transpose().map_err(MediaError::ReplayLog)?;
        let workers = if log.is_some() { 1 } else { config.workers };
        let registry = Arc::new(SharedRegistry::new(Registry::new(config)?));
        let (events, received) = mpsc::channel(EVENT_CHANNEL);
        let threads = Threads::start(workers, &registry, events, log).map_err(MediaError::Thread)?;
        Ok((Self { inner: Arc::new(Inner { registry, _threads: threads }) }, received))
    }

    /// Opens a leg that is in no bridge and knows no far end yet. Returns
    /// where its far end is to send to.
    ///
    /// # Errors
    ///
    /// [`MediaError::NoPorts`] when as many are open as may be,
    /// [`MediaError::Socket`] when the system refuses a socket.
    pub fn open_leg(&self) -> Result<(LegId, SocketAddr), MediaError> {
        self.inner.registry.lock().open_leg()
    }

    /// Tells a leg what signalling agreed with its far end.
    pub fn set_remote(&self, leg: LegId, remote: RemoteMedia) {
        self.inner.registry.lock().set_remote(leg, remote);
    }

    /// Opens a way to what a leg's far end sends to its media socket that is no media, in place of one that
    /// was opened before; `None` when there is no such leg.
    pub fn open_side_channel(&self, leg: LegId) -> Option<SideChannel> {
        self.inner.registry.lock().open_side_channel(leg)
    }

    /// Routes a bridge anew, opening it if need be. Legs and taps that the plan names
    /// come from wherever they are: at the same tick if they are in no bridge
    /// or in one of the same worker, else within two more. A leg that the plan
    /// does not name any more is in no bridge, and silent.
    ///
    /// The bridge runs at the highest rate of its legs' formats, and follows
    /// them when [`Self::set_remote`] changes one.
    pub fn install(&self, bridge: BridgeId, plan: MixPlan) {
        self.inner.registry.lock().install(bridge, plan);
    }

    /// Closes a bridge. What is in it is in no bridge then.
    pub fn close_bridge(&self, bridge: BridgeId) {
        self.inner.registry.lock().close_bridge(bridge);
    }

    /// How a bridge is at present; `None` when it is not open.
    pub fn bridge(&self, bridge: BridgeId) -> Option<BridgeState> {
        self.inner.registry.lock().bridge(bridge)
    }

    /// The routing that a bridge has, or will have at its next tick; `None` when it is not open.
    pub fn plan(&self, bridge: BridgeId) -> Option<MixPlan> {
        self.inner.registry.lock().plan(bridge)
    }

    /// Closes a leg. Its port is free again within two ticks.
    pub fn release_leg(&self, leg: LegId) {
        self.inner.registry.lock().release_leg(leg);
    }

    /// Presses keys at a leg's far end, one after the other: by telephone events
    /// if those were agreed on, otherwise as tones. Meanwhile the far end hears
    /// nothing else. Beyond [`MAX_DIGITS_WAITING`](crate::MAX_DIGITS_WAITING),
    /// digits are dropped.
    pub fn send_digits(&self, leg: LegId, digits: &[Digit]) {
        self.inner.registry.lock().tell_leg(leg, Order::Dial(digits.into()));
    }

    /// Changes how loud a leg is heard and hears, without a click.
    pub fn set_gains(&self, leg: LegId, gains: Gains) {
        self.inner.registry.lock().tell_leg(leg, Order::SetGains(gains));
    }

    /// Gives a prompt its audio; it starts once a plan names it, or at once, or
    /// when the audio has been computed for the bridge's rate. It must be
    /// stopped or heard to its end, else it is kept.
    pub fn play(&self, prompt: PromptId, clip: Arc<Clip>, plays: Plays) {
        self.inner.registry.lock().play(prompt, clip, plays);
    }

    /// Begins a prompt whose audio comes in parts, one after the other, by
    /// [`Self::append`]. It ends when all are heard after [`Self::complete`].
    pub fn begin(&self, prompt: PromptId, plays: Plays) {
        self.inner.registry.lock().begin(prompt, plays);
    }

    /// Begins a prompt without end, whose parts come by [`Self::append`] about when they are to be heard: no
    /// more than [`LIVE_PARTS`](mixminus_mixer::LIVE_PARTS) ahead. It must be stopped.
    pub fn begin_live(&self, prompt: PromptId) {
        self.inner.registry.lock().begin_live(prompt);
    }

    /// Adds a part to a prompt that was begun, to be heard when those before it
    /// are and it has been computed for the bridge's rate; until then there is
    /// silence. Beyond [`MAX_PARTS`](mixminus_mixer::MAX_PARTS) parts are left out.
    pub fn append(&self, prompt: PromptId, clip: Arc<Clip>) {
        self.inner.registry.lock().append(prompt, Some(clip));
    }

    /// Says that a prompt that was begun has all its parts.
    pub fn complete(&self, prompt: PromptId) {
        self.inner.registry.lock().append(prompt, None);
    }

    /// Silences a prompt and forgets it.
    pub fn stop_prompt(&self, prompt: PromptId) {
        self.inner.registry.lock().stop_prompt(prompt);
    }

    /// Opens a tap. It has a tick for each that the bridge has whose plan names
    /// it, from then on or at once, and goes from bridge to bridge like a leg: it
    /// is where the latest plan is that names it, and waits while none does.
    /// Ticks have numbers of one time line for all bridges; there is none where a
    /// bridge has no leg or its worker was too late. What is not read in time is
    /// lost by whole ticks. It must be closed, else it is kept; then its reader
    /// is over. A second tap of one id is over from the beginning.
    pub fn open_tap(&self, tap: TapId, capacity: TapCapacity) -> TapReader {
        self.inner.registry.lock().open_tap(tap, capacity)
    }

    /// Closes a tap, at the next tick at the latest, whatever plans name it.
    pub fn close_tap(&self, tap: TapId) {
        self.inner.registry.lock().close_tap(tap);
    }

    /// What a leg's streams have been like, at most a second ago; `None` when
    /// it is not open.
    pub fn statistics(&self, leg: LegId) -> Option<Statistics> {
        self.inner.registry.lock().statistics(leg)
    }

    /// What the far ends of `legs` sound like at present, in their order; `None` for one that is not open.
    pub fn voices(&self, legs: &[LegId]) -> Vec<Option<Voice>> {
        let registry = self.inner.registry.lock();
        legs.iter().map(|leg| registry.voice(*leg)).collect()
    }

    /// How busy the workers are.
    pub fn load(&self) -> Load {
        self.inner.registry.lock().load()
    }

    /// Whether there is time for another call. When there is not, one more would
    /// be heard at the expense of those that are here.
    pub fn has_room(&self) -> bool {
        self.inner.registry.lock().has_room()
    }

    /// Whether there is time for another leg in this bridge, which runs on one
    /// worker however idle the others are.
    pub fn has_room_in(&self, bridge: BridgeId) -> bool {
        self.inner.registry.lock().has_room_in(bridge)
    }

    /// What has been counted so far.
    pub fn counters(&self) -> MediaCounters {
        let mut total = MediaCounters::default();
        self.inner.registry.lock().count(&mut total);
        total
    }
}

/// The threads, which end when this is dropped.
#[derive(Debug)]
struct Threads {
    running: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Threads {
    fn start(
        workers: usize,
        registry: &Arc<SharedRegistry>,
        events: mpsc::Sender<MediaEvent>,
        log: Option<replay_log::Ends>,
    ) -> Result<Self, io::Error> {
        let mut threads = Self { running: Vec::new(), stop: Arc::default() };
        let (ends, from_workers): (Vec<_>, Vec<_>) = (0..workers).map(|_| rings()).unzip();
        let janitor = Janitor {
            workers: from_workers,
            registry: Arc::clone(registry),
            events,
            stop: Arc::clone(&threads.stop),
        };
        let janitor = threads.spawn("media-janitor", || janitor.run())?;
        let preparer = Preparer { registry: Arc::clone(registry), stop: Arc::clone(&threads.stop) };
        registry.lock().set_preparer(threads.spawn("media-clips", || preparer.run())?);
        let (mut log, mut scribe) = match log {
            Some(log) => {
                let stop = Arc::clone(&threads.stop);
                threads.spawn("media-log", move || log.file.run(&stop))?;
                (Some(log.worker), Some(log.scribe))
            }
            None => (None, None),
        };
        for (index, ends) in ends.into_iter().enumerate() {
            let counters = Arc::<WorkerCounters>::default();
            let worker = Worker {
                errands: ends.errands,
                done: ends.done,
                tick: Tick::new(ends.events, Arc::clone(&counters)).with_log(log.take()),
                table: Table::default(),
                // Apart by a fraction of a tick, they do not all want a core at once.
                cadence: Cadence::new(TICK * index as u32 / workers as u32),
                janitor: janitor.clone(),
                counters: Arc::clone(&counters),
                window: Window::default(),
                legs: 0,
                stop: Arc::clone(&threads.stop),
            };
            let thread = threads.spawn(&format!("media-{index}"), || worker.run())?;
            let mut link = WorkerLink::new(ends.to_worker, thread, counters);
            scribe.take().into_iter().for_each(|scribe| link.keep_log(scribe));
            registry.lock().add_worker(link);
        }
        Ok(threads)
    }

    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<Thread, io::Error> {
        let handle = thread::Builder::new().name(name.to_owned()).spawn(body)?;
        let thread = handle.thread().clone();
        self.running.push(handle);
        Ok(thread)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.running.iter().for_each(|thread| thread.thread().unpark());
        for thread in self.running.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media thread panicked");
            }
        }
    }
}

/// One worker's ends of its rings, with the one that goes to its link.
struct Ends {
    errands: Consumer<Box<Errand>>,
    done: Producer<Box<Errand>>,
    events: Producer<MediaEvent>,
    to_worker: Producer<Box<Errand>>,
}

fn rings() -> (Ends, FromWorker) {
    let (to_worker, errands) = RingBuffer::new(ERRAND_RING);
    let (done, from_done) = RingBuffer::new(ERRAND_RING);
    let (events, from_events) = RingBuffer::new(EVENT_RING);
    (Ends { errands, done, events, to_worker }, FromWorker { done: from_done, events: from_events })
}
