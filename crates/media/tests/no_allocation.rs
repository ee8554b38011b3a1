//! A worker neither allocates nor frees, whatever is asked of it.
#![expect(unsafe_code, reason = "an allocator that counts is an allocator")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mixminus_audio::{Clip, Decibels, MAX_FRAME_SAMPLES, Pcm, SampleRate, TICK};
use mixminus_codec::{Encoder, Format, MAX_PAYLOAD_BYTES};
use mixminus_media::{Direction, Media, MediaConfig, RemoteMedia, Security, Whereabouts};
use mixminus_mixer::{
    BridgeId, Gains, LegId, MixPlan, Plays, PromptId, SinkRoutes, SourceId, TapCapacity, TapChannel, TapId,
    TapRoutes,
};
use mixminus_rtp::srtp::{SrtpKey, SrtpKeys, SrtpSuite};
use mixminus_rtp::{Digit, MAX_PACKET_BYTES, MediaParameters, Press, Sender, SenderIdentity};

/// Counts what threads named `media-0`, `media-1`, … do while it is armed.
struct Counting;

static ARMED: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);

impl Counting {
    fn count() {
        if !ARMED.load(Ordering::Relaxed) {
            return;
        }
        let mut name = [0_u8; 16];
        // SAFETY: the kernel writes at most 16 bytes, and a final zero.
        unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
        if name.starts_with(b"media-") && name[6].is_ascii_digit() {
            COUNT.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count();
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::count();
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Caller {
    leg: LegId,
    to: SocketAddr,
    sender: Sender,
    encoder: Encoder,
}

/// Every format and what can be agreed on about it, in turn.
fn parameters(number: u64) -> MediaParameters {
    let parameters = MediaParameters::of(Format::ALL[number as usize % Format::ALL.len()]);
    let digit_payload_type = number.is_multiple_of(2).then_some(101);
    MediaParameters { digit_payload_type, comfort_noise_payload_type: Some(13), ..parameters }
}

/// None, keys to come, and keys of every suite.
fn security(number: u64) -> Security {
    let key = |byte| {
        let suite = SrtpSuite::ALL[number as usize % SrtpSuite::ALL.len()];
        SrtpKey::new(suite, &vec![byte; suite.key_bytes() + suite.salt_bytes()]).unwrap()
    };
    match number % 7 {
        0..3 => Security::Plain,
        3 => Security::Awaited,
        _ => Security::Srtp(SrtpKeys { inbound: key(1), outbound: key(number as u8) }),
    }
}

fn remote(socket: &UdpSocket, number: u64) -> RemoteMedia {
    let address = socket.local_addr().unwrap();
    RemoteMedia {
        address,
        whereabouts: Whereabouts::Said,
        report_address: address,
        rtcp_mux: number.is_multiple_of(3),
        voip_metrics: number.is_multiple_of(2),
        parameters: parameters(number),
        direction: if number.is_multiple_of(5) { Direction::ReceiveOnly } else { Direction::SendReceive },
        security: security(number),
    }
}

fn call(media: &Media, socket: &UdpSocket) -> Caller {
    let (leg, to) = media.open_leg().unwrap();
    let parameters = parameters(leg.0);
    media.set_remote(leg, remote(socket, leg.0));
    let identity = SenderIdentity { ssrc: leg.0 as u32, sequence: 1, timestamp: 0 };
    Caller { leg, to, sender: Sender::new(parameters, identity), encoder: Encoder::new(parameters.encoding) }
}

fn everyone_hears(media: &Media, bridge: u64, callers: &[Caller], prompt: u64) {
    let others = |leg| callers.iter().map(|caller| caller.leg).filter(move |other| *other != leg);
    let routes = |caller: &Caller| SinkRoutes {
        leg: caller.leg,
        hears: others(caller.leg).map(SourceId::Leg).chain([SourceId::Prompt(PromptId(prompt))]).collect(),
    };
    let routes: Vec<_> = callers.iter().map(routes).collect();
    let channels = callers
        .iter()
        .flat_map(|Caller { leg, .. }| [TapChannel::Heard(*leg), TapChannel::Source(SourceId::Leg(*leg))]);
    let tap = TapRoutes { tap: TapId(prompt), channels: channels.collect(), paused: prompt % 5 == 4 };
    let plan = MixPlan::compile(&routes).unwrap().with_taps(&[tap]);
    media.install(BridgeId(bridge), plan.unwrap());
}

/// Every kind of errand, event and datagram, once a round.
fn churn(media: &Media, callers: &mut Vec<Caller>, socket: &UdpSocket, round: u64) {
    let split = round as usize % callers.len();
    let clip = || Arc::new(Clip::new(Pcm { rate: SampleRate::Hz8000, samples: vec![1_000; 200] }));
    let plays = Plays::Times(1 + round as u32 % 3);
    if round.is_multiple_of(2) {
        media.play(PromptId(round), clip(), plays);
    } else {
        media.begin(PromptId(round), plays);
    }
    media.append(PromptId(round), clip());
    media.append(PromptId(round.saturating_sub(1)), clip());
    media.complete(PromptId(round.saturating_sub(1)));
    // Nobody reads it, so the end that is written is the last to go.
    drop(media.open_tap(TapId(round + 1), TapCapacity::of(4)));
    media.close_tap(TapId(round.saturating_sub(3)));
    everyone_hears(media, 0, &callers[..split], round);
    everyone_hears(media, 1, &callers[split..], round + 1);
    media.stop_prompt(PromptId(round.saturating_sub(3)));
    everyone_hears(media, 100 + round, &callers[..1], 0);
    media.close_bridge(BridgeId(100 + round.saturating_sub(70)));
    let leaver = callers.remove(split);
    media.release_leg(leaver.leg);
    callers.push(call(media, socket));
    media.set_remote(callers[0].leg, remote(socket, round));
    media.send_digits(callers[1].leg, &[Digit::try_from('5').unwrap()]);
    let gains = Gains { incoming: Decibels(round as f32 % 7.0), ..Gains::default() };
    media.set_gains(callers[2].leg, gains);
}

fn speak(caller: &mut Caller, socket: &UdpSocket, press: Option<&mut Press>) {
    let frame = [(caller.leg.0 as i16 % 128) * 100; MAX_FRAME_SAMPLES];
    let rate = caller.encoder.encoding().format().sample_rate();
    let mut payload = [0; MAX_PAYLOAD_BYTES];
    let size_bytes = caller.encoder.encode(&frame[..rate.frame_samples()], &mut payload);
    let mut packet = [0; MAX_PACKET_BYTES];
    if let Some(size_bytes) = press.and_then(|press| caller.sender.press(press, &mut packet)) {
        socket.send_to(&packet[..size_bytes], caller.to).unwrap();
    } else {
        caller.sender.send(&payload[..size_bytes]);
    }
    while let Some(size_bytes) = caller.sender.next_packet(&mut packet) {
        socket.send_to(&packet[..size_bytes], caller.to).unwrap();
    }
    socket.send_to(b"malformed", caller.to).unwrap();
    socket.send_to(&[0x80, 201, 0, 1, 0, 0, 0, 1], caller.to).unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real sockets are tested in real time")]
fn a_worker_neither_allocates_nor_frees() {
    let config = MediaConfig {
        bind_ip: Ipv4Addr::LOCALHOST.into(),
        ports: 20_000..=31_999,
        workers: 2,
        media_timeout: Duration::from_millis(100),
        max_legs: 40,
        max_busy_percent: 70,
        replay_log: None,
    };
    let (media, mut events) = Media::start(config).unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut callers: Vec<_> = (0..8).map(|_| call(&media, &socket)).collect();
    std::thread::sleep(TICK);
    ARMED.store(true, Ordering::Relaxed);
    for round in 0..100 {
        churn(&media, &mut callers, &socket, round);
        let mut press = Press::new(Digit::try_from('1').unwrap(), TICK);
        for caller in &mut callers[1..] {
            speak(caller, &socket, (round % 3 == 0).then_some(&mut press));
        }
        std::thread::sleep(TICK / 2);
    }
    std::thread::sleep(TICK * 10);
    ARMED.store(false, Ordering::Relaxed);
    let counters = media.counters();
    assert!(counters.ticks > 50 && counters.traffic.received > 200, "{counters:?}");
    assert!(std::iter::from_fn(|| events.try_recv().ok()).count() > 10);
    assert_eq!(COUNT.load(Ordering::Relaxed), 0);
}
