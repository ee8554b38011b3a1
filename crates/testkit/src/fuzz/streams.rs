//! Scripts of datagrams and ticks for a leg.

use std::time::Duration;

use mixminus_codec::{Encoder, Format, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{
    DigitEvent, HEADER_BYTES, Header, LegMedia, MAX_DEPTH, MediaParameters, Received, Renewal,
};

use super::script::Script;
use super::{format, identity};

const DIGITS: u8 = 101;
const COMFORT_NOISE: u8 = 102;
const TICK: Duration = Duration::from_millis(20);

/// The most that is kept when the network has been good for [`RECOVERY_PACKETS`].
const GOOD_DELAY: Duration = Duration::from_millis(60);

/// Sixteen seconds: the buffer remembers a bad network for four, and gives a third of a second of delay back without a
/// pause to do it in.
const RECOVERY_PACKETS: u32 = 800;

/// A leg under test, and the stream that is sent to it.
struct Stream {
    leg: LegMedia,
    header: Header,
    now: Duration,
    frame: Vec<i16>,
    /// Ticks in a row after which more waited than may.
    too_deep: u32,
}

impl Stream {
    fn new(format: Format) -> Self {
        let parameters = parameters(format);
        let payload_type = parameters.payload_type;
        Self {
            leg: LegMedia::new(parameters, identity()),
            header: Header { marker: false, payload_type, sequence: 0, timestamp: 0, ssrc: 7 },
            now: Duration::ZERO,
            frame: vec![0; format.sample_rate().frame_samples()],
            too_deep: 0,
        }
    }

    fn tick(&mut self) {
        self.now += TICK;
        self.leg.playout(&mut self.frame);
        let depth = self.leg.statistics().delay.now;
        // A burst that ends a stall waits on top of the delay that is kept, until the next tick.
        self.too_deep = if depth > MAX_DEPTH { self.too_deep + 1 } else { 0 };
        assert!(self.too_deep < 2, "{depth:?} wait");
    }

    /// Gives the leg a packet some numbers and some frames from the one before.
    fn packet(&mut self, payload_type: u8, (sequence, units): (i16, i32), payload: &[u8]) -> Received {
        self.header.payload_type = payload_type;
        self.header.sequence = self.header.sequence.wrapping_add_signed(sequence);
        self.header.timestamp = self.header.timestamp.wrapping_add_signed(units);
        let mut head = [0; HEADER_BYTES];
        self.header.write(&mut head);
        self.leg.receive(self.now, &[&head, payload].concat())
    }
}

/// A leg: datagrams of any kind, well-formed packets in any order, ticks and changes of format.
pub fn leg(data: &[u8]) {
    let mut script = Script::new(data);
    let mut stream = Stream::new(format(script.byte().unwrap_or(0)));
    while let Some(step) = script.byte() {
        let audio = stream.leg.parameters().payload_type;
        let frame_units = stream.leg.parameters().format().clock_rate().frame_units() as i32;
        let (number, amount) = (step & 7, step >> 3);
        match number {
            0 => (0..amount).for_each(|_| stream.tick()),
            1 => drop(stream.leg.receive(stream.now, script.block())),
            2 => {
                let to = format(amount);
                stream.leg.renew(&mut Renewal::new(parameters(to)));
                stream.frame.resize(to.sample_rate().frame_samples(), 0);
            }
            3 => drop(stream.leg.take_digit()),
            4 => stream.header.ssrc = amount.into(),
            _ => {
                let payload_type = [audio, DIGITS, COMFORT_NOISE][usize::from(number - 5)];
                let steps = (script.offset().into(), i32::from(script.offset()) * frame_units / 4);
                stream.packet(payload_type, steps, script.block());
            }
        }
    }
}

/// The jitter buffer: good packets at any time and in any order, in formats that are decoded fast. It never
/// keeps more than it may, and gives all but 60 ms back when the network is good again.
pub fn jitter_buffer(data: &[u8]) {
    let mut script = Script::new(data);
    let number = script.byte().unwrap_or(0);
    let format = if matches!(format(number), Format::Opus(_)) { Format::Pcmu } else { format(number) };
    let mut stream = Stream::new(format);
    let payload_type = stream.header.payload_type;
    let frame_units = format.clock_rate().frame_units() as i32;
    let mut payload = [0; MAX_PAYLOAD_BYTES];
    let voice: Vec<_> = (0..stream.frame.len()).map(|n| (n as i16 % 23 - 11) * 500).collect();
    let bytes = Encoder::new(format.into()).encode(&voice, &mut payload);
    let payload = &payload[..bytes];
    while let Some(step) = script.byte() {
        if step < 128 {
            (0..step / 8).for_each(|_| stream.tick());
            let steps = i32::from(step % 8) - 1;
            stream.packet(payload_type, (steps as i16, steps * frame_units), payload);
        } else {
            let steps = (script.offset().into(), i32::from(script.offset()) * frame_units / 2);
            stream.packet(payload_type, steps, payload);
        }
    }
    for _ in 0..RECOVERY_PACKETS {
        stream.packet(payload_type, (1, frame_units), payload);
        stream.tick();
    }
    let depth = stream.leg.statistics().delay.now;
    assert!(depth <= GOOD_DELAY, "{depth:?} still wait");
}

/// Digits (RFC 4733): events in any order. One is reported at most when the timestamp changes.
pub fn digits(data: &[u8]) {
    if let Some(event) = DigitEvent::parse(data) {
        assert_eq!(DigitEvent::parse(&event.to_bytes()), Some(event));
    }
    let mut script = Script::new(data);
    let mut stream = Stream::new(Format::Pcmu);
    let (mut before, mut changes, mut reported) = (None, 0, 0);
    while let Some(step) = script.byte() {
        (0..step & 3).for_each(|_| stream.tick());
        let steps = (i16::from(script.offset()), i32::from(script.offset()) * 40);
        let payload =
            [script.byte(), script.byte(), script.byte(), script.byte()].map(Option::unwrap_or_default);
        let received = stream.packet(DIGITS, steps, &payload);
        let timestamp = stream.header.timestamp;
        changes += u32::from(before.replace(timestamp) != Some(timestamp));
        reported += u32::from(matches!(received, Received::Digit(_)));
        assert!(reported <= changes, "a digit for each change of the timestamp at most");
    }
}

fn parameters(format: Format) -> MediaParameters {
    MediaParameters {
        digit_payload_type: Some(DIGITS),
        comfort_noise_payload_type: Some(COMFORT_NOISE),
        ..MediaParameters::of(format)
    }
}
