//! The thread that listens for all callers.

use std::io::{self, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mixminus_rtp::PacketView;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt::ReceiveTimestampns};
use nix::sys::time::TimeSpec;

use crate::arrivals::Arrivals;
use crate::clock::{now, sleep, wall};
use crate::ear::Ear;
use crate::hearing::Seat;
use crate::quantiles::Histogram;
use crate::timeline::Timeline;

/// From one look at the sockets to the next. The kernel stamps packets when they arrive, so that they may
/// wait: a server that had to wake us for each of its packets would be charged for it.
const PAUSE: Duration = Duration::from_millis(4);
/// Sockets that are looked at, at once.
const BATCH: usize = 1024;

/// One caller's way from the server.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) seat: Seat,
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) payload_type: u8,
    pub(crate) arrivals: Arrivals,
    /// Not all who get packets listen to them.
    pub(crate) ear: Option<Ear>,
}

/// What came.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) lines: Vec<Line>,
    pub(crate) gaps: Histogram,
}

/// Starts the thread that listens for everybody until the timeline ends.
pub(crate) fn start(
    mut lines: Vec<Line>,
    timeline: Timeline,
    start: Instant,
) -> io::Result<JoinHandle<io::Result<Heard>>> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    for (line, index) in lines.iter().zip(0..) {
        setsockopt(&line.socket, ReceiveTimestampns, &true)?;
        epoll.add(&line.socket, EpollEvent::new(EpollFlags::EPOLLIN, index))?;
    }
    thread::Builder::new().name("rehearse-listen".into()).spawn(move || {
        let mut gaps = Histogram::new();
        let mut ready = [EpollEvent::empty(); BATCH];
        let mut mail = Mail::new();
        while now() < start + timeline.duration() {
            let count = match epoll.wait(&mut ready, EpollTimeout::from(100_u8)) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(error) => return Err(error.into()),
            };
            // What the wall clock showed at the start, if it had run since as it does now.
            let start = wall().saturating_sub(now().saturating_duration_since(start));
            for event in &ready[..count] {
                let line = &mut lines[event.data() as usize];
                if let Ok((arrival, datagram)) = mail.receive(&line.socket) {
                    line.hear(timeline, arrival.saturating_sub(start), datagram, &mut gaps);
                }
            }
            if count < BATCH {
                sleep(PAUSE);
            }
        }
        Ok(Heard { lines, gaps })
    })
}

impl Line {
    fn hear(&mut self, timeline: Timeline, at: Duration, datagram: &[u8], gaps: &mut Histogram) {
        let Ok(packet) = PacketView::parse(datagram) else { return };
        // Reports of a server that multiplexes come here, too.
        if packet.header.payload_type != self.payload_type || !timeline.counted().contains(&at) {
            return;
        }
        let place = self.arrivals.note(at, packet.header.sequence, gaps);
        if let Some(ear) = &mut self.ear {
            ear.hear(at, packet.payload, place);
        }
    }
}

/// Room for one datagram and the kernel's note on it.
struct Mail {
    datagram: [u8; 2048],
    note: Vec<u8>,
}

impl Mail {
    fn new() -> Self {
        Self { datagram: [0; 2048], note: cmsg_space!(TimeSpec) }
    }

    /// A datagram, and when the kernel got it, by the wall clock.
    fn receive(&mut self, socket: &UdpSocket) -> nix::Result<(Duration, &[u8])> {
        let mut parts = [IoSliceMut::new(&mut self.datagram)];
        let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut self.note), MsgFlags::empty())?;
        let bytes = message.bytes;
        let arrival = message.cmsgs()?.find_map(|note| match note {
            ControlMessageOwned::ScmTimestampns(time) => Some(time.into()),
            _ => None,
        });
        Ok((arrival.unwrap_or_else(wall), &self.datagram[..bytes]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test owns both sockets")]
    fn a_packet_that_waits_has_come_when_it_came() {
        let bind = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (sender, receiver) = (bind(), bind());
        setsockopt(&receiver, ReceiveTimestampns, &true).unwrap();
        let mut mail = Mail::new();
        // The kernel takes a moment until it stamps what comes.
        let stamped = (0..100).any(|_| {
            let before = wall();
            sender.send_to(b"hello", receiver.local_addr().unwrap()).unwrap();
            let after = wall();
            sleep(Duration::from_millis(5));
            let (arrival, datagram) = mail.receive(&receiver).unwrap();
            assert_eq!(datagram, b"hello");
            (before..=after).contains(&arrival)
        });
        assert!(stamped);
    }
}
