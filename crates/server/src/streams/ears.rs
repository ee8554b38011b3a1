//! What a tap carries, as what a WebSocket is sent.

use mixminus_audio::{NoiseSuppressor, SampleRate, Suppression};
use mixminus_codec::{Encoder, Format, MAX_PAYLOAD_BYTES};
use mixminus_control::{OpenStream, StreamAudience, StreamFormat, StreamTrack};
use mixminus_mixer::{SourceId, TapChannel, TapTick};
use mixminus_plivo::AudioTrack;

use super::line::{Line, WireRate};

/// How many ticks that a tap does not have are made up as silence, a second; a longer gap is one in time.
const MAX_FILLED_TICKS: u64 = 50;

/// One payload of 20 ms.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub track: AudioTrack,
    /// Its number on its track, from 1.
    pub number: u64,
    /// Ticks since the first one.
    pub ticks: u64,
    pub payload: Vec<u8>,
}

/// Turns ticks into payloads.
#[derive(Debug)]
pub(super) struct Ears {
    lanes: Vec<Lane>,
    first: Option<u64>,
    next: u64,
}

/// One track.
#[derive(Debug)]
struct Lane {
    track: AudioTrack,
    channel: TapChannel,
    format: StreamFormat,
    line: Line,
    suppression: Option<Suppression>,
    suppressor: Option<(SampleRate, Box<NoiseSuppressor>)>,
    chunks: u64,
}

impl Ears {
    pub fn new(open: &OpenStream) -> Self {
        let said = (AudioTrack::Inbound, TapChannel::Source(SourceId::Leg(open.leg)));
        let heard = (AudioTrack::Outbound, TapChannel::Heard(open.leg));
        let tracks = match open.terms.track {
            StreamTrack::Said => vec![said],
            // For who speaks as the call, that comes in.
            StreamTrack::Heard if open.terms.audience == Some(StreamAudience::Listeners) => {
                vec![(AudioTrack::Inbound, heard.1)]
            }
            StreamTrack::Heard => vec![heard],
            StreamTrack::Both => vec![said, heard],
        };
        let format = open.terms.format;
        let lane = |(track, channel)| Lane {
            track,
            channel,
            format,
            line: Line::to_wire(SampleRate::Hz8000, wire_rate(format)),
            suppression: open.terms.denoised.filter(|_| channel == said.1).map(suppression),
            suppressor: None,
            chunks: 0,
        };
        Self { lanes: tracks.into_iter().map(lane).collect(), first: None, next: 0 }
    }

    /// Hands `each` payload of the tick, after those of silence for ticks that are missing before it.
    pub fn hear(&mut self, tick: &TapTick<'_>, each: &mut impl FnMut(Chunk)) {
        let first = *self.first.get_or_insert(tick.tick);
        let missing = if self.next == 0 { 0 } else { tick.tick.saturating_sub(self.next) };
        for number in tick.tick - missing.min(MAX_FILLED_TICKS)..=tick.tick {
            for lane in &mut self.lanes {
                let frame =
                    tick.frames().find(|(channel, _)| number == tick.tick && *channel == lane.channel);
                let payload = lane.hear(tick.rate, frame.map(|(_, frame)| frame));
                let (track, ticks) = (lane.track, number - first);
                each(Chunk { track, number: lane.chunks, ticks, payload });
            }
        }
        self.next = tick.tick + 1;
    }
}

impl Lane {
    /// The payload of a frame at `rate`, or of silence.
    fn hear(&mut self, rate: SampleRate, frame: Option<&[i16]>) -> Vec<u8> {
        let wire = wire_rate(self.format);
        if !self.line.is_between(wire, rate) {
            self.line = Line::to_wire(rate, wire);
        }
        self.chunks += 1;
        let mut frame = frame.map_or_else(|| vec![0; rate.frame_samples()], <[i16]>::to_vec);
        if let Some(suppression) = self.suppression {
            self.suppressor.take_if(|(known, _)| *known != rate);
            let fresh = || (rate, Box::new(NoiseSuppressor::new(rate, suppression)));
            self.suppressor.get_or_insert_with(fresh).1.process(&mut frame);
        }
        encode(self.format, &self.line.send(&frame))
    }
}

const fn suppression(asked: mixminus_control::Suppression) -> Suppression {
    use mixminus_control::Suppression as Asked;
    match asked {
        Asked::Light => Suppression::Db6,
        Asked::Medium => Suppression::Db12,
        Asked::Strong => Suppression::Db18,
        Asked::Strongest => Suppression::Db21,
    }
}

pub(super) const fn wire_rate(format: StreamFormat) -> WireRate {
    match format {
        StreamFormat::Linear8k | StreamFormat::Mulaw => WireRate::Usual(SampleRate::Hz8000),
        StreamFormat::Linear16k => WireRate::Usual(SampleRate::Hz16000),
        StreamFormat::Linear24k => WireRate::Half,
    }
}

fn encode(format: StreamFormat, samples: &[i16]) -> Vec<u8> {
    if format != StreamFormat::Mulaw {
        return samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    }
    let mut payload = [0; MAX_PAYLOAD_BYTES];
    let size = Encoder::new(Format::Pcmu.into()).encode(samples, &mut payload);
    payload[..size].to_vec()
}
