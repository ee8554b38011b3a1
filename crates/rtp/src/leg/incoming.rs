//! What a leg makes of the datagrams that arrive.

use std::time::Duration;

use super::{GivenUp, LegMedia, Reason, Received};
use crate::arrivals::{Arrival, Arrivals};
use crate::drift::Drift;
use crate::keypad::Keypad;
use crate::transit::Transit;
use crate::{DigitEvent, Header, Inserted, Order, Packet, PacketView, SenderIdentity, Statistics};

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Audio,
    Digit,
    ComfortNoise,
}

impl LegMedia {
    pub(super) fn accept(&mut self, now: Duration, datagram: &[u8]) -> Result<Received, Reason> {
        let PacketView { header, payload } = PacketView::parse(datagram)?;
        let kind = self.kind(header.payload_type);
        if kind.is_some() {
            self.yield_ssrc(now, header.ssrc);
            self.follow(header.ssrc);
        } else if self.source != Some(header.ssrc) {
            return Err(Reason::PayloadType(header.payload_type));
        }
        let order = match self.arrivals.take(header.sequence, &mut self.statistics) {
            Arrival::Newest => Order::Newest,
            Arrival::Overtaken => Order::Overtaken,
            Arrival::Duplicate => return Err(Reason::Duplicate),
            Arrival::Jump => return Err(Reason::SequenceJump),
            Arrival::Ancient => {
                self.statistics.late += 1;
                return Err(Reason::Late);
            }
        };
        match kind {
            Some(Kind::Audio) => self.audio(now, header, payload, order),
            Some(Kind::Digit) => self.digit(now, header, payload, order),
            Some(Kind::ComfortNoise) => self.noise(header, payload, order),
            None => {
                self.hearing.buffer.pass(header.sequence);
                Err(Reason::PayloadType(header.payload_type))
            }
        }
    }

    fn kind(&self, payload_type: u8) -> Option<Kind> {
        let parameters = &self.parameters;
        if payload_type == parameters.payload_type {
            Some(Kind::Audio)
        } else if Some(payload_type) == parameters.digit_payload_type {
            Some(Kind::Digit)
        } else {
            parameters.is_comfort_noise(payload_type).then_some(Kind::ComfortNoise)
        }
    }

    /// Takes another SSRC when the far end has ours (RFC 3550, section 8.2). If it has the next one too, it
    /// sends back what we send, and no choice would help.
    fn yield_ssrc(&mut self, now: Duration, theirs: u32) {
        let SenderIdentity { ssrc, sequence, timestamp } = self.sender.next();
        if theirs != ssrc || self.given_up.is_some() {
            return;
        }
        let Statistics { sent: packets, sent_bytes: bytes, .. } = self.statistics;
        self.given_up = Some(GivenUp { ssrc, packets, bytes });
        let seed = now.as_nanos() as u64 ^ u64::from(timestamp) << 32 ^ u64::from(sequence) << 16;
        self.sender.rename(another(ssrc, seed));
    }

    /// Makes `ssrc` the stream that is listened to.
    fn follow(&mut self, ssrc: u32) {
        if self.source == Some(ssrc) {
            return;
        }
        self.statistics.source_changes += u64::from(self.source.is_some());
        self.source = Some(ssrc);
        self.arrivals = Arrivals::default();
        self.keypad = Keypad::default();
        (self.transit, self.drift) = (Transit::default(), Drift::default());
        self.hearing.buffer.restart();
    }

    fn audio(
        &mut self,
        now: Duration,
        header: Header,
        payload: &[u8],
        order: Order,
    ) -> Result<Received, Reason> {
        if self.keypad.sounds(now, header.timestamp) {
            self.hearing.buffer.pass(header.sequence);
            return Err(Reason::DuringDigit);
        }
        let packet = packet(header, payload);
        let inserted = self.hearing.buffer.insert(packet, order, &mut self.statistics);
        if inserted == Inserted::Refused {
            return Err(Reason::Payload(payload.len()));
        }
        let clock = self.parameters.format().clock_rate();
        self.statistics.jitter = self.transit.take(now, header.timestamp, clock);
        self.drift.take(now, header.timestamp, clock);
        if inserted == Inserted::Late { Err(Reason::Late) } else { Ok(Received::Audio) }
    }

    fn noise(&mut self, header: Header, payload: &[u8], order: Order) -> Result<Received, Reason> {
        match self.hearing.buffer.insert_noise(packet(header, payload), order, &mut self.statistics) {
            Inserted::Buffered => Ok(Received::ComfortNoise),
            Inserted::Late => Err(Reason::Late),
            Inserted::Refused => Err(Reason::Payload(payload.len())),
        }
    }

    fn digit(
        &mut self,
        now: Duration,
        header: Header,
        payload: &[u8],
        order: Order,
    ) -> Result<Received, Reason> {
        self.hearing.buffer.pass(header.sequence);
        let event = DigitEvent::parse(payload).ok_or(Reason::Event)?;
        if !self.keypad.take(now, header, event, order) {
            return Ok(Received::DigitContinues);
        }
        self.statistics.digits += 1;
        Ok(Received::Digit(event.digit))
    }
}

fn packet(header: Header, payload: &[u8]) -> Packet<'_> {
    Packet { sequence: header.sequence, timestamp: header.timestamp, payload }
}

/// Another number than `ssrc`, which nobody can guess who does not know `seed` (SplitMix64).
fn another(ssrc: u32, seed: u64) -> u32 {
    let mut mixed = (seed ^ u64::from(ssrc)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    let mixed = (mixed ^ mixed >> 31) as u32;
    if mixed == ssrc { !ssrc } else { mixed }
}
