//! For tests: a hall in which callers are heard after a fixed delay, without a network.

use std::time::Duration;

use mixminus_audio::TICK;
use mixminus_codec::{Decoder, Encoder, Encoding, MAX_PAYLOAD_BYTES};

use crate::arrivals::Place;
use crate::ear::Ear;
use crate::hearing::{Plan, Seat};
use crate::network::Network;
use crate::repertoire::Repertoire;
use crate::sending::Script;
use crate::timeline::{Course, Timeline};
use crate::tones::Scale;

/// How long sound takes in the hall.
pub(crate) const DELAY: Duration = Duration::from_micros(31_500);

/// A script for `rooms` rooms of `participants` who all talk and listen.
pub(crate) fn script(encoding: Encoding, rooms: u32, participants: u32) -> Script {
    let scale = Scale::new(encoding.format().sample_rate(), rooms * participants);
    let plan = Plan {
        rooms,
        participants,
        talkers: participants,
        listeners: rooms * participants,
        format: encoding.format(),
        scale,
    };
    let course = Course { seconds: 8, rooms, stall: Duration::ZERO };
    let repertoire = Repertoire::encode(encoding, scale, participants, &[0; 960]);
    Script { plan, timeline: Timeline::new(course), network: Network::default(), repertoire }
}

/// What an ear in `room` hears of `speakers`, when packets of the ticks that are `lost` do not arrive.
pub(crate) fn ear(
    script: &Script,
    encoding: Encoding,
    room: u32,
    speakers: &[Seat],
    lost: impl Fn(u32) -> bool,
) -> Ear {
    let format = encoding.format();
    let mut ear = Ear::new(script.timeline, room, format);
    let mut speakers: Vec<_> = speakers.iter().map(|seat| (*seat, Decoder::new(format))).collect();
    let (mut encoder, mut place) = (Encoder::new(encoding), Place::Next);
    for tick in 0..(script.timeline.duration().as_millis() / TICK.as_millis()) as u32 {
        let mut mix = vec![0; format.sample_rate().frame_samples()];
        for (seat, decoder) in &mut speakers {
            let mut frame = vec![0; mix.len()];
            decoder.decode(script.repertoire.payload(script.said(*seat, tick)), &mut frame).unwrap();
            mix.iter_mut().zip(frame).for_each(|(sum, sample): (&mut i16, i16)| *sum += sample);
        }
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let bytes = encoder.encode(&mix, &mut payload);
        if lost(tick) {
            place = Place::AfterGap;
        } else {
            ear.hear(TICK * tick + DELAY, &payload[..bytes], place);
            place = Place::Next;
        }
    }
    ear
}
