//! What a worker's bridges are given and sent, in a file for `mixminus replay`.
//!
//! The control side describes each errand, the worker adds the description to its ring when it does the errand, and
//! after each tick of a bridge what its legs contributed and were sent. A thread of its own writes the file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use mixminus_audio::Clip;
use mixminus_mixer::{Gains, LegId, Prompt};
use mixminus_replay::{Event, Install, PREAMBLE, Placed, Route, Seat, to_bytes, write};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::errand::Errand;
use crate::leg::SipLeg;
use crate::order::Order;

/// Bytes on their way to the file: some seconds of a hundred legs.
const RING_BYTES: usize = 16 << 20;

/// The largest event that a worker writes by itself: a frame at 48 kHz with its payload.
const MAX_LINE_BYTES: usize = 8 << 10;

/// How often the file is written, so how much of it a sudden end costs.
const INTERVAL: Duration = Duration::from_millis(100);

/// Where to keep a log, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayLog {
    /// The file, which is replaced.
    pub path: PathBuf,
    /// The log ends, and says so, before it gets longer.
    pub max_bytes: u64,
}

/// The three ends of a log.
pub(crate) struct Ends {
    pub(crate) scribe: Scribe,
    pub(crate) worker: WorkerLog,
    pub(crate) file: LogFile,
}

impl ReplayLog {
    /// Begins the log.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn open(&self) -> io::Result<Ends> {
        let mut file = BufWriter::new(File::create(&self.path)?);
        file.write_all(PREAMBLE)?;
        file.flush()?;
        let (to_file, ring) = RingBuffer::new(RING_BYTES);
        let (sounds, from_scribe) = channel();
        let cut = Arc::<AtomicBool>::default();
        Ok(Ends {
            scribe: Scribe { clips: Vec::new(), sounds },
            worker: WorkerLog { to_file, line: vec![0; MAX_LINE_BYTES].into(), cut: Arc::clone(&cut) },
            file: LogFile { file, left_bytes: self.max_bytes, ring, sounds: from_scribe, cut },
        })
    }
}

/// The control side's end: describes what a worker is to do.
#[derive(Debug)]
pub(crate) struct Scribe {
    /// Those described so far; their numbers are their places.
    clips: Vec<Arc<Clip>>,
    sounds: Sender<Box<[u8]>>,
}

impl Scribe {
    /// The errand with its description, if it has any.
    pub(crate) fn describe(&mut self, mut errand: Errand) -> Errand {
        let event = match &mut errand {
            Errand::Install { slot, arrangement: Some(arrangement), moves, .. } => {
                let seats = arrangement.legs_mut().map(|(id, leg)| seat(id, leg)).collect();
                Event::Install(Install {
                    bridge: slot.0 as u32,
                    rate: arrangement.rate().into(),
                    encodings: arrangement.encodings().iter().copied().map(Into::into).collect(),
                    routes: Route::all(arrangement.plan()),
                    moves: moves.iter().map(|step| (step.from.0 as u32, step.id.0)).collect(),
                    seats,
                    prompts: Vec::new(),
                })
            }
            Errand::Close { slot, .. } => Event::Close { bridge: slot.0 as u32 },
            Errand::Seat { slot, leg: Some(seated) } => {
                Event::Seat { bridge: slot.0 as u32, seat: seat(seated.id(), seated.leg()) }
            }
            Errand::Recall { slot, leg, .. } => Event::Take { bridge: slot.0 as u32, leg: leg.0 },
            Errand::Tell { leg, order: Order::SetGains(gains), .. } => told(*leg, *gains),
            Errand::Place { slot, prompt: Some(prompt) } => {
                Event::Place { bridge: slot.0 as u32, prompt: self.placed(prompt) }
            }
            Errand::Append { slot, prompt, part } => {
                let clip = part.as_ref().map(|clip| self.number(clip));
                Event::Append { bridge: slot.0 as u32, prompt: prompt.0, clip }
            }
            Errand::Stop { slot, prompt, .. } => Event::Stop { bridge: slot.0 as u32, prompt: prompt.0 },
            _ => return errand,
        };
        Errand::Logged { line: to_bytes(&event), errand: Some(Box::new(errand)) }
    }

    /// The description of what a leg that is with no worker is told.
    pub(crate) fn note(leg: LegId, gains: Gains) -> Errand {
        Errand::Logged { line: to_bytes(&told(leg, gains)), errand: None }
    }

    fn placed(&mut self, prompt: &Prompt) -> Placed {
        let clips = prompt.parts().iter().map(|clip| self.number(clip)).collect();
        Placed { whole: prompt.is_whole(), ..Placed::new(prompt.id(), clips, prompt.plays()) }
    }

    /// The number of `clip`, which is written if it is new.
    fn number(&mut self, clip: &Arc<Clip>) -> u64 {
        let known = self.clips.iter().position(|known| Arc::ptr_eq(known, clip));
        let number = known.unwrap_or_else(|| {
            let pcm = clip.pcm();
            let (rate, samples) = (pcm.rate.into(), (&pcm.samples[..]).into());
            let event = Event::Clip { clip: self.clips.len() as u64, rate, loops: clip.loops(), samples };
            // Without the thread that writes there is no log.
            self.sounds.send(to_bytes(&event)).ok();
            self.clips.push(Arc::clone(clip));
            self.clips.len() - 1
        });
        number as u64
    }
}

fn seat(leg: LegId, media: &SipLeg) -> Seat {
    use mixminus_mixer::Leg;
    Seat { leg: leg.0, encoding: media.encoding().into() }
}

fn told(leg: LegId, gains: Gains) -> Event<'static> {
    Event::Gains { leg: leg.0, incoming_db: gains.incoming.0, outgoing_db: gains.outgoing.0 }
}

/// The worker's end. It never waits: when the file falls behind by all that the ring holds, the log ends there.
#[derive(Debug)]
pub(crate) struct WorkerLog {
    to_file: Producer<u8>,
    line: Box<[u8]>,
    cut: Arc<AtomicBool>,
}

impl WorkerLog {
    /// Adds an event that has been described.
    pub(crate) fn add(&mut self, line: &[u8]) {
        if self.cut.load(Ordering::Relaxed) || self.to_file.push_entire_slice(line).is_err() {
            self.cut.store(true, Ordering::Release);
        }
    }

    /// Adds an event.
    pub(crate) fn write(&mut self, event: &Event) {
        let mut line = std::mem::take(&mut self.line);
        match write(event, &mut line) {
            Some(size_bytes) => self.add(&line[..size_bytes]),
            None => self.cut.store(true, Ordering::Release),
        }
        self.line = line;
    }
}

/// The file's end.
#[derive(Debug)]
pub(crate) struct LogFile {
    file: BufWriter<File>,
    left_bytes: u64,
    ring: Consumer<u8>,
    sounds: Receiver<Box<[u8]>>,
    cut: Arc<AtomicBool>,
}

impl LogFile {
    /// Writes until told to stop, or until the log is cut.
    pub(crate) fn run(mut self, stop: &AtomicBool) {
        loop {
            let is_last = stop.load(Ordering::Relaxed);
            match self.write_what_is_there() {
                Ok(true) if !is_last => thread::park_timeout(INTERVAL),
                Ok(_) => return,
                Err(error) => {
                    self.cut.store(true, Ordering::Release);
                    tracing::error!(%error, "the replay log cannot be written and ends here");
                    return;
                }
            }
        }
    }

    /// Returns whether more may come.
    fn write_what_is_there(&mut self) -> io::Result<bool> {
        let is_cut = self.cut.load(Ordering::Acquire);
        // A sound is sent before the errand that names it: what is in the ring by now names none that is not here.
        let there = self.ring.slots();
        while let Ok(sound) = self.sounds.try_recv() {
            if !Self::put(&mut self.file, &mut self.left_bytes, &[&sound])? {
                return self.end();
            }
        }
        if let Ok(chunk) = self.ring.read_chunk(there) {
            let (head, tail) = chunk.as_slices();
            let fits = Self::put(&mut self.file, &mut self.left_bytes, &[head, tail])?;
            chunk.commit_all();
            if !fits {
                return self.end();
            }
        }
        if is_cut {
            return self.end();
        }
        self.file.flush()?;
        Ok(true)
    }

    /// Writes all of it or nothing.
    fn put(file: &mut BufWriter<File>, left_bytes: &mut u64, parts: &[&[u8]]) -> io::Result<bool> {
        let size_bytes = parts.iter().map(|part| part.len() as u64).sum();
        let Some(left) = left_bytes.checked_sub(size_bytes) else { return Ok(false) };
        *left_bytes = left;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        Ok(true)
    }

    fn end(&mut self) -> io::Result<bool> {
        self.cut.store(true, Ordering::Release);
        self.file.write_all(&to_bytes(&Event::Cut))?;
        self.file.flush()?;
        tracing::warn!("the replay log has reached its limit and ends here");
        Ok(false)
    }
}
