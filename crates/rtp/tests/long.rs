//! Eight hours with a sender whose clock is as far off as any, in seconds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod voice;

use std::time::Duration;

use allocation_counter::measure;
use mixminus_audio::TICK;
use mixminus_codec::{Encoder, Format, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{
    HEADER_BYTES, Header, LegMedia, MAX_PACKET_BYTES, MediaParameters, PacketView, Playout, Renewal,
    SenderIdentity,
};

const HOURS: u32 = 8;
const TICKS_PER_MINUTE: u32 = 3_000;

/// Payloads of four seconds of speech.
fn payloads(format: Format) -> Vec<[u8; 160]> {
    let mut encoder = Encoder::new(format.into());
    let payload = |tick: u64| {
        let (mut frame, mut payload) = ([0; 160], [0; MAX_PAYLOAD_BYTES]);
        voice::speak(8_000.0, 160 * tick, &mut frame);
        encoder.encode(&frame, &mut payload);
        *payload.first_chunk().unwrap()
    };
    (0..200).map(payload).collect()
}

/// A sender whose clock is fast by `ppm`, and what it sends next.
struct Sender {
    ppm: f64,
    packets: u64,
    header: Header,
    /// In µ-law and in A-law.
    payloads: [Vec<[u8; 160]>; 2],
}

impl Sender {
    /// When its next packet is sent.
    fn due(&self) -> Duration {
        TICK.mul_f64(self.packets as f64 / (1.0 + self.ppm * 1e-6))
    }

    fn send(&mut self, leg: &mut LegMedia) {
        let mut datagram = [0; HEADER_BYTES + 160];
        let (head, payload) = datagram.split_first_chunk_mut().unwrap();
        self.header.write(head);
        let payloads = &self.payloads[usize::from(self.header.payload_type == 8)];
        payload.copy_from_slice(&payloads[self.packets as usize % payloads.len()]);
        leg.receive(self.due(), &datagram);
        self.packets += 1;
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
    }

    /// Once a minute something else changes; what both sides agree on then.
    fn change(&mut self, minute: u32) -> MediaParameters {
        let format = if (minute / 7).is_multiple_of(2) { Format::Pcmu } else { Format::Pcma };
        self.header.payload_type = format.static_payload_type().unwrap();
        match minute % 60 {
            10 => self.header.ssrc += 1,
            20 => self.header.timestamp = self.header.timestamp.wrapping_mul(7),
            30 => self.header.sequence = self.header.sequence.wrapping_add(20_000),
            _ => {}
        }
        MediaParameters {
            digit_payload_type: (!minute.is_multiple_of(3)).then_some(101),
            ..MediaParameters::of(format)
        }
    }
}

/// Sends a tick and checks that it follows all before.
fn send(leg: &mut LegMedia, tick: u32) {
    let mut out = [0; MAX_PACKET_BYTES];
    leg.send(&[0xFF; 160]);
    let bytes = leg.next_packet(&mut out).unwrap();
    let header = PacketView::parse(&out[..bytes]).unwrap().header;
    assert_eq!((header.sequence, header.timestamp), (tick as u16, tick.wrapping_mul(160)));
}

fn call_of_eight_hours(ppm: f64) {
    let mut leg = LegMedia::new(
        MediaParameters::of(Format::Pcmu),
        SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 },
    );
    let header = Header { marker: false, payload_type: 0, sequence: 65_000, timestamp: 0, ssrc: 7 };
    let payloads = [payloads(Format::Pcmu), payloads(Format::Pcma)];
    let mut sender = Sender { ppm, packets: 0, header, payloads };
    let (mut frame, mut silent) = ([0; 160], 0);
    let ticks = HOURS * 60 * TICKS_PER_MINUTE;
    let info = measure(|| {
        for tick in 0..ticks {
            if tick % TICKS_PER_MINUTE == 0 {
                leg.renew(&mut Renewal::new(sender.change(tick / TICKS_PER_MINUTE)));
            }
            while sender.due() <= TICK * tick {
                sender.send(&mut leg);
            }
            silent += u32::from(leg.playout(&mut frame) == Playout::Silence);
            send(&mut leg, tick);
        }
    });
    let statistics = leg.statistics();
    assert_eq!(info.bytes_current, 0, "{info:?}");
    assert!(statistics.delay.max <= Duration::from_millis(60), "{statistics:?}");
    assert!(statistics.delay.mean <= Duration::from_millis(12), "{statistics:?}");
    // A slow sender is made up for where it falls short: 20 ms in 13 s. Sequence jumps cost a packet each.
    assert!(statistics.concealed_share() < 0.002, "{statistics:?}");
    assert_eq!((statistics.shed_frames, statistics.lost), (0, 0), "{statistics:?}");
    assert!(f64::from(silent) < 0.001 * f64::from(ticks), "{silent} silent frames");
    let drift = f64::from(statistics.drift_ppm.unwrap());
    assert!((drift - ppm).abs() < 60.0, "{drift}");
    let expected = Duration::from_secs(u64::from(HOURS) * 3_600).mul_f64(ppm.max(0.0) * 1e-6);
    assert!(statistics.shortened.abs_diff(expected) < Duration::from_secs(2), "{statistics:?}");
}

#[test]
fn a_sender_that_is_fast_by_1500_ppm_is_followed_for_eight_hours() {
    call_of_eight_hours(1_500.0);
}

#[test]
fn a_sender_that_is_slow_by_1500_ppm_is_followed_for_eight_hours() {
    call_of_eight_hours(-1_500.0);
}
