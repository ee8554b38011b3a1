//! The thread that sends for all callers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mixminus_codec::{ClockRate, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{HEADER_BYTES, Header};

use crate::click::Variation;
use crate::clock::{now, sleep};
use crate::delay::Click;
use crate::hearing::{Plan, Seat};
use crate::network::{Network, Route};
use crate::quantiles::Histogram;
use crate::repertoire::{Repertoire, Said};
use crate::timeline::{Part, Timeline};

/// The thread sleeps at least so long: packets leave late by up to this, and no more wake-ups are paid.
/// With less, waking up would be most of what a small rehearsal costs; with more, callers would send in
/// groups that no network makes.
const GRAIN: Duration = Duration::from_micros(500);

type Packet = [u8; HEADER_BYTES + MAX_PAYLOAD_BYTES];

/// What all callers say and when.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) plan: Plan,
    pub(crate) timeline: Timeline,
    pub(crate) network: Network,
    pub(crate) repertoire: Repertoire,
}

/// One caller's way to the server.
#[derive(Debug)]
pub(crate) struct Speaker {
    pub(crate) seat: Seat,
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) stream: Stream,
    pub(crate) route: Route,
}

/// The headers of an outgoing stream.
#[derive(Debug)]
pub(crate) struct Stream {
    next: Header,
    clock_rate: ClockRate,
}

/// What the sending thread did.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) sent: u64,
    /// Lost on purpose.
    pub(crate) dropped: u64,
    /// Refused by our own machine.
    pub(crate) unsent: u64,
    /// How much later packets left than they should.
    pub(crate) lateness: Histogram,
    pub(crate) clicks: Vec<Click>,
}

/// Starts the thread that sends for everybody, from `start` on, until the timeline ends.
pub(crate) fn start(
    script: Arc<Script>,
    mut speakers: Vec<Speaker>,
    start: Instant,
) -> io::Result<JoinHandle<Spoken>> {
    thread::Builder::new().name("rehearse-send".into()).spawn(move || {
        let mut spoken =
            Spoken { sent: 0, dropped: 0, unsent: 0, lateness: Histogram::new(), clicks: Vec::new() };
        let end = script.timeline.duration();
        sleep(start.saturating_duration_since(now()));
        let mut due: BinaryHeap<_> = speakers
            .iter_mut()
            .enumerate()
            .map(|(index, speaker)| Reverse((speaker.route.departure(0), index, 0)))
            .collect();
        while let Some(mut next) = due.peek_mut() {
            let Reverse((departure, index, tick)) = *next;
            if departure >= end {
                PeekMut::pop(next);
                continue;
            }
            let at = now().saturating_duration_since(start);
            let Some(late) = at.checked_sub(departure) else {
                sleep(departure.saturating_sub(at).max(GRAIN));
                continue;
            };
            spoken.lateness.note(late);
            let speaker = &mut speakers[index];
            spoken.speak(&script, speaker, tick, at);
            *next = Reverse((speaker.route.departure(tick + 1), index, tick + 1));
        }
        spoken
    })
}

impl Spoken {
    fn speak(&mut self, script: &Script, speaker: &mut Speaker, tick: u32, at: Duration) {
        let said = script.said(speaker.seat, tick);
        let mut packet: Packet = [0; _];
        let packet = speaker.stream.packet(script.repertoire.payload(said), &mut packet);
        if packet.is_empty() {
            return;
        }
        if speaker.route.loses() {
            self.dropped += 1;
            return;
        }
        match speaker.socket.send(packet) {
            Ok(_) => self.sent += 1,
            Err(_) => self.unsent += 1,
        }
        if let Said::Click(variation, 0) = said {
            let since_stall = speaker.route.since_stall(tick, at);
            let (by, at) = (speaker.seat, at + variation.offset());
            self.clicks.push(Click { by, at, pitch: variation.pitch(), since_stall });
        }
    }
}

impl Script {
    pub(crate) fn said(&self, seat: Seat, tick: u32) -> Said {
        let Self { plan, timeline, network, .. } = self;
        if let Some(clicking) = timeline.click(seat.room, tick) {
            // In a stall it is the one who stalls whose delay is to be known.
            let by = if network.stall_ms > 0 { 0 } else { clicking.click % plan.participants };
            if by == seat.number {
                return Said::Click(Variation::of(clicking.click), clicking.frame);
            }
        }
        match (plan.tone(seat), timeline.part(seat.room, tick)) {
            (Some(tone), Part::Tones) => Said::Tone(tone, tick),
            (Some(_), Part::Talk) => Said::Talk(tick + self.place(seat)),
            (None, _) | (_, Part::Quiet) => Said::Silence(tick),
        }
    }

    /// Where in the talk a caller begins: all at other places.
    fn place(&self, seat: Seat) -> u32 {
        const STEP: u32 = 37;
        self.plan.index(seat) * STEP % self.repertoire.talk_frames()
    }
}

impl Stream {
    /// A stream with random beginnings.
    pub(crate) fn new(payload_type: u8, clock_rate: ClockRate) -> Self {
        let (ssrc, sequence, timestamp) = rand::random();
        Self { next: Header { marker: true, payload_type, sequence, timestamp, ssrc }, clock_rate }
    }

    /// Writes the packet of a frame to the start of `out`; nothing when there is no payload.
    fn packet<'a>(&mut self, payload: &[u8], out: &'a mut Packet) -> &'a [u8] {
        let header = self.next;
        self.next.timestamp = header.timestamp.wrapping_add(self.clock_rate.frame_units());
        if payload.is_empty() {
            self.next.marker = true;
            return &[];
        }
        (self.next.marker, self.next.sequence) = (false, header.sequence.wrapping_add(1));
        let (head, rest) = out.split_first_chunk_mut::<HEADER_BYTES>().expect("a packet has a header");
        header.write(head);
        rest[..payload.len()].copy_from_slice(payload);
        &out[..HEADER_BYTES + payload.len()]
    }
}

#[cfg(test)]
mod tests {
    use mixminus_codec::Format;
    use mixminus_rtp::PacketView;

    use super::*;
    use crate::hall;

    #[test]
    fn those_of_a_room_talk_at_once_and_none_says_what_another_says() {
        let mut script = hall::script(Format::Pcmu.into(), 1, 3);
        script.repertoire =
            Repertoire::encode(Format::Pcmu.into(), script.plan.scale, 3, &vec![0; 160 * 500]);
        let tick = (script.timeline.talk().start.as_millis() / 20) as u32;
        let said: Vec<_> = script.plan.seats().map(|seat| script.said(seat, tick)).collect();
        assert_eq!(said, [0, 37, 74].map(|place| Said::Talk(tick + place)));
    }

    #[test]
    fn those_of_a_room_click_in_turn_or_only_the_one_who_stalls() {
        let clickers = |network| {
            let script = Script { network, ..hall::script(Format::Pcmu.into(), 1, 3) };
            let mut clickers = Vec::new();
            for tick in 0..script.timeline.duration().as_millis() as u32 / 20 {
                for seat in script.plan.seats() {
                    if let Said::Click(_, 0) = script.said(seat, tick) {
                        clickers.push(seat.number);
                    }
                }
            }
            clickers
        };
        assert_eq!(clickers(Network::default())[..5], [0, 1, 2, 0, 1]);
        let stall = Network { stall_ms: 100, ..Network::default() };
        assert!(clickers(stall).iter().all(|number| *number == 0));
    }

    #[test]
    fn a_pause_uses_time_but_no_sequence_number_and_is_marked() {
        let mut stream = Stream::new(96, Format::ALL[0].clock_rate());
        let mut headers = Vec::new();
        for payload in [&[1][..], &[2], &[], &[3]] {
            let mut packet = [0; _];
            if let Ok(packet) = PacketView::parse(stream.packet(payload, &mut packet)) {
                assert_eq!((packet.payload, packet.header.payload_type), (payload, 96));
                headers.push(packet.header);
            }
        }
        let first = headers[0];
        let since = |header: &Header| {
            let sequence = header.sequence.wrapping_sub(first.sequence);
            (sequence, header.timestamp.wrapping_sub(first.timestamp), header.marker)
        };
        assert_eq!(
            headers.iter().map(since).collect::<Vec<_>>(),
            [(0, 0, true), (1, 960, false), (2, 2880, true)]
        );
    }
}
