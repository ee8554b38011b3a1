//! The control side's handle to the media plane.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use mixminus_audio::{Pcm, SampleRate, TICK};
use mixminus_mixer::{Arrangement, BridgeId, LegId, MixPlan, Plays, PromptId};
use mixminus_rtp::Statistics;
use rtrb::{Consumer, Producer, RingBuffer};
use tokio::sync::mpsc;

use crate::cadence::Cadence;
use crate::clock;
use crate::counters::WorkerCounters;
use crate::errand::{Errand, Table};
use crate::janitor::{FromWorker, Janitor};
use crate::leg::RemoteMedia;
use crate::link::WorkerLink;
use crate::registry::{BRIDGE_RATE, Registry, SharedRegistry};
use crate::tick::Tick;
use crate::worker::Worker;
use crate::{MediaCounters, MediaError, MediaEvent};

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
        let workers = config.workers;
        let registry = Arc::new(SharedRegistry::new(Registry::new(config)?));
        let (events, received) = mpsc::channel(EVENT_CHANNEL);
        let threads = Threads::start(workers, &registry, events).map_err(MediaError::Thread)?;
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

    /// Routes a bridge anew, opening it if need be. Legs that the plan names
    /// come from wherever they are: at the same tick if they are in no bridge
    /// or in one of the same worker, else within two more. A leg that the plan
    /// does not name any more is in no bridge, and silent.
    pub fn install(&self, bridge: BridgeId, plan: MixPlan) {
        let arrangement = Box::new(Arrangement::new(plan, BRIDGE_RATE));
        self.inner.registry.lock().install(bridge, arrangement);
    }

    /// Closes a bridge. What is in it is in no bridge then.
    pub fn close_bridge(&self, bridge: BridgeId) {
        self.inner.registry.lock().close_bridge(bridge);
    }

    /// Closes a leg. Its port is free again within two ticks.
    pub fn release_leg(&self, leg: LegId) {
        self.inner.registry.lock().release_leg(leg);
    }

    /// Gives a prompt its audio; it starts once a plan names it, or at once.
    /// It must be stopped or heard to its end, else it is kept.
    ///
    /// # Errors
    ///
    /// [`MediaError::WrongRate`] when `pcm` is not at [`Self::prompt_rate`].
    pub fn play(&self, prompt: PromptId, pcm: Arc<Pcm>, plays: Plays) -> Result<(), MediaError> {
        if pcm.rate != BRIDGE_RATE {
            return Err(MediaError::WrongRate { is: pcm.rate, expected: BRIDGE_RATE });
        }
        self.inner.registry.lock().play(prompt, pcm, plays);
        Ok(())
    }

    /// The rate that the audio of prompts must have.
    pub const fn prompt_rate() -> SampleRate {
        BRIDGE_RATE
    }

    /// Silences a prompt and forgets it.
    pub fn stop_prompt(&self, prompt: PromptId) {
        self.inner.registry.lock().stop_prompt(prompt);
    }

    /// What a leg's streams have been like, at most a second ago; `None` when
    /// it is not open.
    pub fn statistics(&self, leg: LegId) -> Option<Statistics> {
        self.inner.registry.lock().statistics(leg)
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
        for (index, ends) in ends.into_iter().enumerate() {
            let counters = Arc::<WorkerCounters>::default();
            let worker = Worker {
                errands: ends.errands,
                done: ends.done,
                tick: Tick::new(ends.events, Arc::clone(&counters)),
                table: Table::default(),
                // Apart by a fraction of a tick, they do not all want a core at once.
                cadence: Cadence::new(TICK * index as u32 / workers as u32),
                janitor: janitor.clone(),
                counters: Arc::clone(&counters),
                stop: Arc::clone(&threads.stop),
            };
            let thread = threads.spawn(&format!("media-{index}"), || worker.run())?;
            registry.lock().add_worker(WorkerLink::new(ends.to_worker, thread, counters));
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
