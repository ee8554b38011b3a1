//! Speech through the whole path: encoder, RTP, network, leg, bridge, encoder, RTP, decoder.
//!
//! `speech IN.raw OUT.raw FORMAT NETWORK [ARRIVALS]`: samples of 16 bits, little-endian, at the format's rate.
//! What arrives at the leg is written to ARRIVALS, as by the example `jitter`.
//!
//! FORMAT is pcmu, pcma, g722, opus or opus16. NETWORK is clean, loss (5 %, random), bursts (5 %, in runs of
//! three), jitter (up to 30 ms), fast, slow (500 ppm), lan, wifi or mobile; or, without any of the path, codec
//! (once) and tandem (twice, as through a bridge). On a clean network the listener can talk too, every other
//! three seconds: seam moves it between the encoding that it shares with others and its own, personal has it
//! its own all the time. With `leg-` before its name, all ends with what the leg plays, as at the receivers of
//! `peers.py`.

use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::rc::Rc;
use std::time::Duration;

use mixminus_audio::SampleRate;
use mixminus_codec::{Decoder, Encoder, Encoding, Format, MAX_PAYLOAD_BYTES};
use mixminus_mixer::{Arrangement, Bridge, LegId, MixPlan, Seated, SinkRoutes, SourceId};
use mixminus_rtp::{LegMedia, MediaParameters, PacketView, SenderIdentity};
use mixminus_testkit::{Arrival, Delay, Line, Loss, Network, Phone, Talker};

const TICK: Duration = Duration::from_millis(20);
/// Instant of the first packet: somewhere between two ticks.
const START: Duration = Duration::from_millis(7);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [from, to, format, network, rest @ ..] = &arguments[..] else { return Err("see the source".into()) };
    let format = format_named(format).ok_or("no such format")?;
    let mut audio: Vec<_> =
        fs::read(from)?.as_chunks().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
    audio.truncate(audio.len() / format.sample_rate().frame_samples() * format.sample_rate().frame_samples());
    let heard = match network.as_str() {
        "codec" => recode(format, &audio),
        "tandem" => recode(format, &recode(format, &audio)),
        name => {
            let whole_path = name.strip_prefix("leg-").is_none();
            let name = name.trim_start_matches("leg-");
            let arrivals = arrivals(format, audio, name).ok_or("no such network")?;
            if let [to] = rest {
                fs::write(to, arrivals.iter().flat_map(Arrival::record).collect::<Vec<_>>())?;
            }
            let listener_talks = matches!(name, "seam" | "personal");
            let own = arrivals.iter().filter(|arrival| listener_talks && arrival.at.as_secs() / 3 % 2 == 1);
            let own: Vec<_> = own.cloned().collect();
            let encodings: &[Encoding] = if name == "personal" { &[] } else { &[format.into()] };
            if whole_path {
                through_a_bridge(format, [&arrivals, &own], encodings)
            } else {
                played(format, &arrivals)
            }
        }
    };
    fs::write(to, heard.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>())?;
    Ok(())
}

fn format_named(name: &str) -> Option<Format> {
    Some(match name {
        "pcmu" => Format::Pcmu,
        "pcma" => Format::Pcma,
        "g722" => Format::G722,
        "opus" => Format::Opus(SampleRate::Hz48000),
        "opus16" => Format::Opus(SampleRate::Hz16000),
        _ => return None,
    })
}

/// What arrives of `audio` sent through the network of this name.
fn arrivals(format: Format, audio: Vec<i16>, network: &str) -> Option<Vec<Arrival>> {
    let perfect = Network::new(1);
    let (network, ppm, lost_percent) = match network {
        "clean" | "seam" | "personal" => (perfect, 0.0, 0),
        "loss" => (perfect.loss(Loss::Random(0.05)), 0.0, 5),
        "bursts" => (perfect.loss(Loss::bursts(0.05, 3.0)), 0.0, 5),
        "jitter" => (perfect.delay(Delay::Uniform(Duration::ZERO..Duration::from_millis(30))), 0.0, 0),
        "fast" => (perfect, 500.0, 0),
        "slow" => (perfect, -500.0, 0),
        "lan" => (Network::lan(1), 0.0, 0),
        "wifi" => (Network::wifi(1), 0.0, 0),
        "mobile" => (Network::mobile(1), 0.0, 0),
        _ => return None,
    };
    let frames = audio.len() / format.sample_rate().frame_samples();
    let encoding = Encoding::from(format).with_expected_loss(lost_percent);
    let payload_type = MediaParameters::of(format).payload_type;
    let talker = Talker::new(encoding, payload_type, audio.into(), START).drift(ppm);
    let end = talker.instant(((frames - 1) * format.sample_rate().frame_samples()) as u64);
    let mut line = Line { talker, network };
    let first = line.arrival(end);
    // What is sent has been sent; the rest is on its way.
    let rest = std::iter::from_fn(|| line.network.arrival(Duration::MAX));
    Some(first.into_iter().chain(rest).collect())
}

/// What the second leg hears in a bridge of three, of which the third never talks.
fn through_a_bridge(format: Format, arrivals: [&[Arrival]; 2], encodings: &[Encoding]) -> Vec<i16> {
    let rate = format.sample_rate();
    let [talks, listens, silent] = [1, 2, 3].map(LegId);
    let of_both = [SourceId::Leg(talks), SourceId::Leg(listens)];
    let plan = MixPlan::compile(&[
        SinkRoutes { leg: talks, hears: vec![] },
        SinkRoutes { leg: listens, hears: of_both[..1].into() },
        SinkRoutes { leg: silent, hears: of_both.into() },
    ]);
    let mut arrangement = Arrangement::new(plan.expect("three legs fit"), rate, encodings);
    let heard = Rc::new(RefCell::new((Decoder::new(format), vec![])));
    for leg in [talks, listens, silent] {
        let heard = Rc::clone(&heard);
        let hears = move |packet: &[u8]| {
            if leg == listens {
                hear(&mut heard.borrow_mut(), rate, packet);
            }
        };
        let identity = SenderIdentity { ssrc: leg.0 as u32, sequence: 0, timestamp: 0 };
        let seated = Seated::new(leg, Phone::new(MediaParameters::of(format), identity, hears));
        arrangement.seat(Box::new(seated)).expect("the plan names it");
    }
    let mut bridge = Bridge::new(Box::new(arrangement));
    let mut arrivals = arrivals.map(|arrivals| arrivals.iter().peekable());
    for tick in 0.. {
        for (leg, arrivals) in [talks, listens].into_iter().zip(&mut arrivals) {
            let leg = bridge.leg_mut(leg).expect("it is seated");
            while let Some(arrival) = arrivals.next_if(|arrival| arrival.at <= TICK * tick) {
                leg.media.receive(arrival.at, &arrival.datagram);
            }
        }
        bridge.tick(&mut |_| {});
        if arrivals[0].peek().is_none() {
            break;
        }
    }
    drop(bridge);
    Rc::into_inner(heard).expect("the bridge has ended").into_inner().1
}

/// What a leg plays.
fn played(format: Format, arrivals: &[Arrival]) -> Vec<i16> {
    let identity = SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 };
    let mut leg = LegMedia::new(MediaParameters::of(format), identity);
    let mut arrivals = arrivals.iter().peekable();
    let mut heard = vec![];
    for tick in 0.. {
        while let Some(arrival) = arrivals.next_if(|arrival| arrival.at <= TICK * tick) {
            leg.receive(arrival.at, &arrival.datagram);
        }
        let from = heard.len();
        heard.resize(from + format.sample_rate().frame_samples(), 0);
        leg.playout(&mut heard[from..]);
        if arrivals.peek().is_none() {
            break;
        }
    }
    heard
}

fn hear((decoder, heard): &mut (Decoder, Vec<i16>), rate: SampleRate, packet: &[u8]) {
    let from = heard.len();
    heard.resize(from + rate.frame_samples(), 0);
    let payload = PacketView::parse(packet).expect("a packet of ours").payload;
    decoder.decode(payload, &mut heard[from..]).expect("a payload of ours");
}

/// What a decoder makes of what an encoder makes of `audio`.
fn recode(format: Format, audio: &[i16]) -> Vec<i16> {
    let (mut encoder, mut decoder) = (Encoder::new(format.into()), Decoder::new(format));
    let mut decoded = vec![0; audio.len()];
    let frame = format.sample_rate().frame_samples();
    for (audio, decoded) in audio.chunks_exact(frame).zip(decoded.chunks_exact_mut(frame)) {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let bytes = encoder.encode(audio, &mut payload);
        decoder.decode(&payload[..bytes], decoded).expect("a payload of ours");
    }
    decoded
}
