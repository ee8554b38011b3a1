//! Media of all callers: one thread that sends, one task for each that listens.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mixminus_audio::TICK;
use mixminus_codec::{Encoder, Format};
use mixminus_rtp::{MAX_PACKET_BYTES, Sender, SenderIdentity};

use crate::ear::Ear;
use crate::hearing::Seat;
use crate::timeline::Timeline;
use crate::voice::{FRAME, Mouth, RATE};

/// A tick is sent in so many parts, a millisecond apart, as callers who know nothing of each other
/// would: the server then meets every phase of its own tick.
const PHASES: u32 = 20;

/// One caller's way to the server.
#[derive(Debug)]
pub(crate) struct Speaker {
    seat: Seat,
    mouth: Mouth,
    socket: UdpSocket,
    remote: SocketAddr,
    sender: Sender,
}

/// What the sending thread did.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    pub(crate) sent: u64,
    pub(crate) unsent: u64,
    /// Room and instant of each click, since the start.
    pub(crate) clicks: Vec<(u32, Duration)>,
}

impl Speaker {
    pub(crate) fn new(seat: Seat, mouth: Mouth, socket: UdpSocket, remote: SocketAddr) -> Self {
        let (ssrc, sequence, timestamp) = rand::random();
        let sender = Sender::new(SenderIdentity { ssrc, sequence, timestamp });
        Self { seat, mouth, socket, remote, sender }
    }

    /// When in a tick it sends: neighbours, and the first callers of neighbouring rooms, at other times.
    fn phase(&self) -> u32 {
        (self.seat.number * 7 + self.seat.room * 3) % PHASES
    }

    /// Sends the packet of `tick`; where it clicks, if it does.
    fn speak(&mut self, timeline: Timeline, tick: u32) -> (io::Result<usize>, Option<usize>) {
        let (mut frame, mut payload, mut packet) = ([0; FRAME], [0; FRAME], [0; MAX_PACKET_BYTES]);
        let click = self.mouth.speak(timeline, tick, &mut frame);
        Encoder::new(Format::Pcmu).encode(&frame, &mut payload);
        let bytes = self.sender.packet(Format::Pcmu, &payload, &mut packet);
        (self.socket.send_to(&packet[..bytes], self.remote), click)
    }
}

/// Starts the thread that sends for everybody, from `start` on, until the timeline ends.
pub(crate) fn start_speaking(
    mut speakers: Vec<Speaker>,
    timeline: Timeline,
    start: Instant,
) -> io::Result<JoinHandle<Spoken>> {
    thread::Builder::new().name("rehearse-media".into()).spawn(move || {
        let mut spoken = Spoken::default();
        for tick in 0..timeline.ticks() {
            for phase in 0..PHASES {
                wait_until(start + TICK * tick + TICK * phase / PHASES);
                let due = speakers.iter_mut().filter(|speaker| speaker.phase() == phase);
                due.for_each(|speaker| spoken.note(speaker, timeline, tick, start));
            }
        }
        spoken
    })
}

impl Spoken {
    fn note(&mut self, speaker: &mut Speaker, timeline: Timeline, tick: u32, start: Instant) {
        let at = now().saturating_duration_since(start);
        let (sent, click) = speaker.speak(timeline, tick);
        match sent {
            Ok(_) => self.sent += 1,
            Err(_) => self.unsent += 1,
        }
        if let Some(offset) = click {
            self.clicks.push((speaker.seat.room, at + Duration::from_secs(offset as u64) / RATE.hz()));
        }
    }
}

/// Listens on a caller's socket until the timeline ends.
pub(crate) async fn listen(
    socket: UdpSocket,
    server: SocketAddr,
    mut ear: Ear,
    timeline: Timeline,
    start: Instant,
) -> io::Result<Ear> {
    let socket = tokio::net::UdpSocket::from_std(socket)?;
    let end = tokio::time::Instant::from_std(start + timeline.duration());
    let mut datagram = [0; 2048];
    while let Ok(received) = tokio::time::timeout_at(end, socket.recv_from(&mut datagram)).await {
        let at = now().saturating_duration_since(start);
        match received {
            Ok((bytes, source)) if source.ip() == server.ip() => ear.hear(at, &datagram[..bytes]),
            // The kernel reports that the far end has closed its port: it may open it again.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(ear)
}

#[expect(clippy::disallowed_methods, reason = "the rehearsal measures time as it passes")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "packets leave at absolute deadlines")]
fn wait_until(deadline: Instant) {
    if let Some(left) = deadline.checked_duration_since(now()) {
        thread::sleep(left);
    }
}
