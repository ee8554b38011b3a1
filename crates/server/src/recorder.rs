//! Writes recordings, away from media and from the exchange.
//!
//! The pump empties the rings of taps in time; writers write, and may wait for the disk. What waits to be written has
//! a limit, beyond which a recording has a gap.

mod patient;
mod pump;
mod recovery;
mod stretch;
mod told;
mod tracks;
mod writer;

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use mixminus_archive::Archive;
use mixminus_audio::{SampleRate, TICK};
use mixminus_control::{Input, RecordingEntry, RecordingId, StartRecording};
use mixminus_mixer::TapReader;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use pump::{Order, Pump};
use writer::Writer;

pub use recovery::{Recovered, recover, recover_all};

/// Threads that write, and encode: a disk that stalls stops all of them, and more encode no faster than cores can.
const WRITERS: usize = 2;

/// How recordings are written.
#[derive(Clone, Debug)]
pub struct Writing {
    /// Rate of their files.
    pub rate: SampleRate,
    /// Whether each party is always kept in a file of its own as well.
    pub keeps_tracks: bool,
    /// Whether WAV files of whole conferences have a channel for each party instead of their mix.
    pub multichannel_wav: bool,
    /// How much of a recording may wait for the disk; what comes later is left out, as a gap.
    pub max_backlog: Duration,
}

/// What writes recordings. It ends with the last of them once it is dropped.
#[derive(Debug)]
pub struct Recorder {
    orders: mpsc::Sender<Order>,
}

impl Recorder {
    /// A recorder that writes into the spool of `archive`. What it tells is received from the other end: one
    /// [`Input::RecordingEnded`] for each recording that was begun, which bounds how much that can be.
    ///
    /// # Errors
    ///
    /// A thread does not start.
    pub fn start(archive: &Arc<Archive>, writing: &Writing) -> io::Result<(Self, UnboundedReceiver<Input>)> {
        let (ended, told) = unbounded_channel();
        let writers = (0..WRITERS).map(|_| start_writer(archive, writing, ended.clone()));
        let writers = writers.collect::<io::Result<_>>()?;
        let (orders, received) = mpsc::channel();
        let max_backlog_ticks = (writing.max_backlog.as_millis() / TICK.as_millis()) as usize;
        let pump = Pump { orders: received, writers, max_backlog_ticks };
        thread("recording-pump", || pump.run())?;
        Ok((Self { orders }, told))
    }

    /// Writes what `reader` reads until it is over.
    pub fn begin(&self, start: Box<StartRecording>, reader: TapReader) {
        self.order(Order::Begin(start, reader));
    }

    /// Keeps an entry beside a recording that is written.
    pub fn note(&self, recording: RecordingId, entry: RecordingEntry) {
        self.order(Order::Note(recording, entry));
    }

    fn order(&self, order: Order) {
        self.orders.send(order).expect("the pump runs for as long as somebody can give it orders");
    }
}

fn start_writer(
    archive: &Arc<Archive>,
    writing: &Writing,
    ended: UnboundedSender<Input>,
) -> io::Result<mpsc::Sender<writer::Work>> {
    let (work, received) = mpsc::channel();
    let writer = Writer { work: received, archive: Arc::clone(archive), writing: writing.clone(), ended };
    thread("recording-files", || writer.run())?;
    Ok(work)
}

/// A thread of its own: writing waits for the disk, which no worker of the runtime may.
fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

#[cfg(test)]
mod tests;
