//! A far end that talks in some format, and a leg that hears it.

use std::time::Duration;

use mixminus_audio::TICK;
use mixminus_codec::{Encoder, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{
    HEADER_BYTES, Header, LegMedia, MediaParameters, Playout, Received, SenderIdentity, Statistics,
};

pub struct Call {
    pub leg: LegMedia,
    encoder: Encoder,
    pub header: Header,
    pub now: Duration,
    /// Samples spoken.
    spoken: u64,
    frame: Vec<i16>,
}

impl Call {
    pub fn new(parameters: MediaParameters) -> Self {
        let identity = SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 };
        Self {
            leg: LegMedia::new(parameters, identity),
            encoder: Encoder::new(parameters.encoding),
            header: Header {
                marker: true,
                payload_type: parameters.payload_type,
                sequence: 65_500,
                timestamp: u32::MAX - 9_000,
                ssrc: 7,
            },
            now: Duration::ZERO,
            spoken: 0,
            frame: vec![0; parameters.format().sample_rate().frame_samples()],
        }
    }

    /// The next packet of the voice; empty when there is nothing to send.
    pub fn packet(&mut self) -> Vec<u8> {
        let rate = self.leg.parameters().format().sample_rate();
        let mut frame = std::mem::take(&mut self.frame);
        crate::voice::speak(f64::from(rate.hz()), self.spoken, &mut frame);
        let packet = self.packet_of(&frame);
        self.frame = frame;
        packet
    }

    /// The packet of a frame.
    pub fn packet_of(&mut self, frame: &[i16]) -> Vec<u8> {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        self.spoken += frame.len() as u64;
        let bytes = self.encoder.encode(frame, &mut payload);
        let packet =
            if bytes > 0 { self.datagram(self.header.payload_type, &payload[..bytes]) } else { vec![] };
        self.pass();
        packet
    }

    /// A packet with a sequence number of its own and the present timestamp.
    pub fn datagram(&mut self, payload_type: u8, payload: &[u8]) -> Vec<u8> {
        let mut head = [0; HEADER_BYTES];
        Header { payload_type, ..self.header }.write(&mut head);
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.marker = false;
        [&head, payload].concat()
    }

    /// The far end's clock goes on by a tick.
    pub fn pass(&mut self) {
        let units = self.leg.parameters().format().clock_rate().frame_units();
        self.header.timestamp = self.header.timestamp.wrapping_add(units);
    }

    /// A datagram arrives.
    pub fn receive(&mut self, datagram: &[u8]) -> Received {
        self.leg.receive(self.now, datagram)
    }

    /// Our clock goes on by a tick: the frame that is played.
    pub fn play(&mut self) -> (Playout, Vec<i16>) {
        let mut frame = self.frame.clone();
        self.now += TICK;
        (self.leg.playout(&mut frame), frame)
    }

    /// So many packets, of which those that `lost` names are lost, each followed by a tick: what is played.
    pub fn talk(&mut self, ticks: usize, lost: impl Fn(usize) -> bool) -> Vec<i16> {
        let mut played = vec![];
        for tick in 0..ticks {
            let packet = self.packet();
            if !packet.is_empty() && !lost(tick) {
                self.receive(&packet);
            }
            played.extend(self.play().1);
        }
        played
    }

    pub fn statistics(&self) -> Statistics {
        self.leg.statistics()
    }
}
