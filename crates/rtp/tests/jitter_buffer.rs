//! What the jitter buffer does to a stream whose samples count up, so that each tells its position.

use std::time::Duration;

use mixminus_audio::{Dbov, SampleRate, Sine};
use mixminus_codec::Format;
use mixminus_rtp::{
    BufferDelay, Inserted, JitterBuffer, MAX_DEPTH, MAX_TARGET, Order, Packet, Playout, Statistics,
};

use proptest::collection::vec;
use proptest::prelude::*;

const FRAME: u32 = 160;

/// A buffer, its statistics and everything it has played.
struct Listener {
    buffer: JitterBuffer,
    statistics: Statistics,
    played: Vec<i16>,
    sequence: u16,
}

/// The sample at `position`; never 0, which is silence.
fn sample(position: u32) -> i16 {
    (position % 30_000) as i16 + 1
}

fn samples(position: u32, length: u32) -> Vec<i16> {
    (0..length).map(|n| sample(position.wrapping_add(n))).collect()
}

impl Listener {
    /// One who hears samples as they are.
    fn new() -> Self {
        let buffer = JitterBuffer::new(Format::L16(SampleRate::Hz8000));
        Self { buffer, statistics: Statistics::default(), played: Vec::new(), sequence: 65_000 }
    }

    /// A packet of these samples arrives.
    fn hear(&mut self, sequence: u16, timestamp: u32, samples: &[i16], order: Order) -> Inserted {
        let payload: Vec<u8> = samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
        self.buffer.insert(Packet { sequence, timestamp, payload: &payload }, order, &mut self.statistics)
    }

    /// The next packet, the newest so far, arrives.
    fn next(&mut self, timestamp: u32, samples: &[i16]) -> Inserted {
        self.sequence = self.sequence.wrapping_add(1);
        self.hear(self.sequence, timestamp, samples, Order::Newest)
    }

    /// The next packet has `length` samples that tell their position.
    fn next_at(&mut self, position: u32, length: u32) -> Inserted {
        self.next(position, &samples(position, length))
    }

    /// So many packets are lost.
    fn lose(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
    }

    /// The packet that is number `frame` of a stream of 20 ms packets arrives, the newest so far.
    fn packet(&mut self, frame: u32) -> Inserted {
        self.next_at(frame * FRAME, FRAME)
    }

    fn delay_ms(&self) -> u128 {
        self.buffer.delay().now.as_millis()
    }

    fn target_ms(&self) -> u128 {
        self.buffer.delay().target.as_millis()
    }

    fn tick(&mut self) -> Vec<i16> {
        let mut frame = [0; FRAME as usize];
        let playout = self.buffer.playout(&mut frame, &mut self.statistics);
        assert_eq!(playout == Playout::Silence, frame == [0; FRAME as usize]);
        self.played.extend(frame);
        frame.to_vec()
    }

    fn ticks(&mut self, count: u32) {
        for _ in 0..count {
            self.tick();
        }
    }

    /// Packets `frames`, each followed by a tick.
    fn steady(&mut self, frames: std::ops::Range<u32>) {
        for frame in frames {
            self.packet(frame);
            self.tick();
        }
    }
}

/// Whether each sample follows the one before.
fn goes_on(samples: &[i16]) -> bool {
    samples.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair == [30_000, 1])
}

fn steepest(samples: &[i16]) -> u16 {
    samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap_or(0)
}

#[test]
fn a_regular_stream_plays_at_once_and_unchanged() {
    let mut listener = Listener::new();
    listener.steady(0..500);
    assert_eq!(listener.played, samples(0, 500 * FRAME));
    let Statistics { concealed_frames, shed_frames, late, played_frames, .. } = listener.statistics;
    assert_eq!((concealed_frames, shed_frames, late, played_frames), (0, 0, 0, 500));
    assert_eq!(listener.buffer.delay(), BufferDelay::default());
}

#[test]
fn packets_of_ten_to_sixty_milliseconds_become_the_same_frames() {
    for length in [80, 240, 320, 400, 480] {
        let mut listener = Listener::new();
        let mut sent = 0;
        for tick in 0..60 {
            while sent < (tick + 1) * FRAME {
                listener.next_at(sent, length);
                sent += length;
            }
            listener.tick();
        }
        assert_eq!(listener.played, samples(0, 60 * FRAME), "{length} samples a packet");
    }
}

#[test]
fn other_lengths_and_half_samples_are_refused() {
    let mut listener = Listener::new();
    assert_eq!(listener.next_at(0, 79), Inserted::Refused);
    assert_eq!(listener.next_at(79, 481), Inserted::Refused);
    let packet = Packet { sequence: 9, timestamp: 0, payload: &[0; 321] };
    assert_eq!(listener.buffer.insert(packet, Order::Newest, &mut listener.statistics), Inserted::Refused);
}

#[test]
fn thirty_millisecond_packets_that_come_just_in_time_cost_one_concealment() {
    let mut listener = Listener::new();
    for tick in 0..90 {
        // A packet each 30 ms: at ticks 0, 2, 3, 5, 6, ...
        if tick % 3 != 1 {
            listener.next_at(tick / 3 * 480 + if tick % 3 == 2 { 240 } else { 0 }, 240);
        }
        listener.tick();
    }
    assert_eq!(listener.statistics.concealed_frames, 1);
    // 10 ms were made up in the second frame, then everything follows 10 ms later.
    assert_eq!(listener.played[..240], samples(0, 240));
    assert_eq!(listener.played[480..], samples(400, 87 * FRAME));
}

#[test]
fn timestamps_wrap_without_a_trace() {
    let mut listener = Listener::new();
    let start = u32::MAX - 999;
    for n in 0..20 {
        listener.next_at(start.wrapping_add(n * FRAME), FRAME);
        listener.tick();
    }
    assert_eq!(listener.played, samples(start, 20 * FRAME));
}

#[test]
fn a_lost_packet_is_concealed_and_keeps_its_time() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.tick();
    listener.lose(1);
    listener.steady(11..20);
    assert_eq!((listener.statistics.concealed_frames, listener.statistics.played_frames), (1, 20));
    assert_eq!(listener.played.len(), 20 * FRAME as usize);
    let faded_in = 11 * FRAME as usize + 80;
    assert_eq!(listener.played[faded_in..], samples(0, 20 * FRAME)[faded_in..]);
    assert_ne!(listener.played[10 * FRAME as usize..11 * FRAME as usize], [0; FRAME as usize]);
    assert_eq!(listener.target_ms(), 0);
}

#[test]
fn ten_lost_milliseconds_are_concealed_inside_their_frame() {
    let mut listener = Listener::new();
    listener.steady(0..3);
    listener.next_at(3 * FRAME, 80);
    listener.lose(1);
    listener.next_at(4 * FRAME, FRAME);
    let frame = listener.tick();
    assert_eq!(frame[..80], samples(3 * FRAME, 80));
    assert_eq!(listener.statistics.concealed_frames, 1);
    assert_eq!(listener.tick()[80..], samples(4 * FRAME + 80, 80));
}

#[test]
fn a_late_packet_raises_the_delay_so_that_the_next_one_is_in_time() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.tick();
    listener.packet(10);
    listener.packet(11);
    listener.tick();
    assert_eq!((listener.statistics.late, listener.target_ms(), listener.delay_ms()), (1, 20, 20));
    // From now on every other packet is a tick late, and it no longer matters.
    for pair in 6..20 {
        listener.tick();
        listener.packet(2 * pair);
        listener.packet(2 * pair + 1);
        listener.tick();
    }
    assert_eq!((listener.statistics.late, listener.statistics.concealed_frames), (1, 1));
}

#[test]
fn reordered_packets_play_in_order_once_there_is_delay_for_it() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    let mut late = 0;
    for pair in 5..30 {
        let (first, second) = (2 * pair, 2 * pair + 1);
        listener.lose(1);
        listener.packet(second);
        listener.tick();
        let overtaken = samples(first * FRAME, FRAME);
        let inserted = listener.hear(listener.sequence - 1, first * FRAME, &overtaken, Order::Overtaken);
        late += u32::from(inserted == Inserted::Late);
        listener.tick();
    }
    assert!(late <= 2, "{late}");
    // The second of each pair is a frame early, the first a frame late.
    assert_eq!(listener.target_ms(), 40);
    assert!(goes_on(&listener.played[30 * FRAME as usize..]));
}

#[test]
fn delay_that_is_no_longer_needed_is_given_back() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.ticks(5);
    (10..16).for_each(|frame| {
        listener.packet(frame);
    });
    listener.tick();
    assert_eq!(listener.delay_ms(), 100);
    listener.steady(16..500);
    assert!(listener.delay_ms() <= 2, "{}", listener.delay_ms());
    assert_eq!((listener.target_ms(), listener.statistics.shed_frames), (0, 0));
    let shortened = listener.statistics.shortened.as_millis();
    assert!((97..=100).contains(&shortened), "{shortened}");
}

#[test]
fn giving_delay_back_does_not_click() {
    for hz in [95.0, 330.0, 1_000.0] {
        let mut listener = Listener::new();
        let mut sine = Sine::new(SampleRate::Hz8000, hz, Dbov(-10.0));
        let mut packet = [0; FRAME as usize];
        for n in 0..400 {
            sine.fill(&mut packet);
            listener.next(n * FRAME, &packet);
            if n >= 2 {
                listener.tick();
            }
        }
        assert!(listener.statistics.shortened > Duration::from_millis(30));
        let own = steepest(&packet);
        assert!(steepest(&listener.played) <= own + own / 10, "{hz}: {}", steepest(&listener.played));
    }
}

#[test]
fn delay_is_given_back_where_it_is_quiet() {
    let mut listener = Listener::new();
    // Noise at -14 dBov, which has no period, with a pause now and then.
    let mut noise = 1_u32;
    let mut played_in_pause = false;
    for n in 0..400 {
        let pause = n % 20 == 7;
        let packet = [(); FRAME as usize].map(|()| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if pause { 10 } else { (noise >> 18) as i16 - 8_192 }
        });
        listener.next(n * FRAME, &packet);
        if n >= 1 {
            let before = listener.statistics.shortened;
            let frame = listener.tick();
            if listener.statistics.shortened > before {
                played_in_pause = frame[..8].iter().all(|sample| sample.abs() < 500);
                break;
            }
        }
    }
    assert!(played_in_pause);
    assert_eq!(listener.statistics.shortened, Duration::from_millis(20));
}

#[test]
fn a_pause_fades_to_silence_is_no_loss_and_adds_no_delay() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.ticks(50);
    assert_eq!(listener.played[60 * FRAME as usize - 1], 0);
    // Timestamps went on during the pause; then a sender that stops its timestamps, too.
    listener.steady(60..70);
    listener.ticks(50);
    listener.steady(70..80);
    assert_eq!((listener.delay_ms(), listener.target_ms()), (0, 0));
    assert_eq!((listener.statistics.late, listener.statistics.concealed_frames), (0, 0));
    let length = listener.played.len();
    assert_eq!(listener.played[length - 9 * FRAME as usize..], samples(71 * FRAME, 9 * FRAME));
}

#[test]
fn push_to_talk_adds_no_delay() {
    let mut listener = Listener::new();
    let mut frame = 0;
    for turn in 0..200 {
        listener.steady(frame..frame + 30);
        // Pauses of all lengths, with timestamps that go on or do not.
        let pause = 1 + turn * 7 % 60;
        listener.ticks(pause);
        frame += if turn % 2 == 0 { 30 } else { 30 + pause };
    }
    listener.steady(frame..frame + 500);
    assert_eq!(listener.delay_ms(), 0);
    assert_eq!(listener.statistics.shed_frames, 0);
}

#[test]
fn an_outage_is_skipped() {
    let mut listener = Listener::new();
    listener.steady(0..100);
    listener.ticks(250);
    listener.lose(250);
    listener.steady(350..400);
    let Statistics { concealed_frames, late, shed_frames, .. } = listener.statistics;
    // What was made up had faded after three frames.
    assert_eq!((concealed_frames, late, shed_frames), (3, 0, 0));
    assert_eq!((listener.delay_ms(), listener.target_ms()), (0, 0));
    let length = listener.played.len();
    assert_eq!(listener.played[length - 49 * FRAME as usize..], samples(351 * FRAME, 49 * FRAME));
}

#[test]
fn a_packet_that_is_late_once_delays_what_follows_for_seconds_only() {
    let mut listener = Listener::new();
    listener.steady(0..100);
    listener.tick();
    listener.packet(100);
    listener.packet(101);
    listener.tick();
    let mut delays = vec![];
    for second in 0..7 {
        listener.steady(102 + 50 * second..152 + 50 * second);
        delays.push(listener.delay_ms());
    }
    assert_eq!(delays[..3], [20; 3]);
    assert!(delays[5] <= 2, "{delays:?}");
}

#[test]
fn a_stall_of_any_length_leaves_no_lasting_delay() {
    for stall in [5, 10, 11, 16, 50, 250] {
        let mut listener = Listener::new();
        listener.steady(0..100);
        listener.ticks(stall);
        (100..100 + stall).for_each(|frame| {
            listener.packet(frame);
        });
        listener.steady(100 + stall..400 + stall);
        assert!(listener.delay_ms() <= 2, "{} after {stall} ticks", listener.delay_ms());
        assert!(listener.buffer.delay().max <= MAX_DEPTH);
    }
}

#[test]
fn a_sender_whose_clock_is_fast_never_gains_delay() {
    let mut listener = Listener::new();
    // 1500 ppm: one packet more every 667 ticks.
    let mut frame = 0;
    for tick in 0..20_000 {
        let packets = if tick % 667 == 0 { 2 } else { 1 };
        for _ in 0..packets {
            listener.packet(frame);
            frame += 1;
        }
        listener.tick();
        assert!(listener.delay_ms() <= 20, "at tick {tick}");
    }
    assert_eq!((listener.statistics.shed_frames, listener.statistics.concealed_frames), (0, 0));
    assert!(listener.delay_ms() <= 2);
}

#[test]
fn a_sender_whose_clock_is_slow_is_concealed_once_a_frame() {
    let mut listener = Listener::new();
    let mut frame = 0;
    for tick in 1..20_000 {
        if tick % 667 != 0 {
            listener.packet(frame);
            frame += 1;
        }
        listener.tick();
    }
    assert!(listener.buffer.delay().max <= Duration::from_millis(20));
    assert_eq!(listener.statistics.concealed_frames, 29);
}

#[test]
fn delay_never_exceeds_its_maximum() {
    let mut listener = Listener::new();
    // Bursts of twenty packets each twenty ticks: 400 ms of jitter.
    for burst in 0..50 {
        (20 * burst..20 * (burst + 1)).for_each(|frame| {
            listener.packet(frame);
        });
        listener.ticks(20);
    }
    let delay = listener.buffer.delay();
    assert!(delay.max <= MAX_DEPTH && delay.target <= MAX_TARGET, "{delay:?}");
}

#[test]
fn timestamps_that_jump_either_way_are_followed_at_once() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    let half_way_round = 3_000 + 480 + (1 << 31);
    for start in [4_000_000, 3_000, half_way_round, 2_990, 4_000_000_000, 4_000_000_000 - half_way_round] {
        let at = listener.played.len();
        for n in 0..3 {
            listener.next_at(start + n * FRAME, FRAME);
            listener.tick();
        }
        assert_eq!(listener.played[at..], samples(start, 3 * FRAME), "{start}");
    }
}

#[test]
fn timestamps_that_stand_still_are_played_in_order() {
    let mut listener = Listener::new();
    for n in 0..20 {
        listener.next(7, &samples(n * FRAME, FRAME));
        listener.tick();
    }
    assert_eq!(listener.played, samples(0, 20 * FRAME));
}

#[test]
fn another_stream_keeps_the_delay_but_nothing_else() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.tick();
    listener.packet(10);
    listener.packet(11);
    listener.tick();
    listener.buffer.restart();
    listener.tick();
    listener.steady(5_000..5_010);
    assert_eq!((listener.target_ms(), listener.delay_ms()), (20, 20));
    let length = listener.played.len();
    assert_eq!(listener.played[length - 8 * FRAME as usize..], samples(5_001 * FRAME, 8 * FRAME));
}

#[test]
fn an_overtaken_packet_that_is_in_time_changes_nothing() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.lose(1);
    listener.packet(11);
    listener.hear(listener.sequence - 1, 10 * FRAME, &samples(10 * FRAME, FRAME), Order::Overtaken);
    listener.tick();
    listener.steady(12..14);
    assert_eq!(listener.played, samples(0, 13 * FRAME));
}

#[test]
fn an_overtaken_packet_from_the_far_future_is_refused() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.lose(1);
    listener.packet(11);
    let future = samples(1 << 30, FRAME);
    let inserted = listener.hear(listener.sequence - 1, 1 << 30, &future, Order::Overtaken);
    assert_eq!(inserted, Inserted::Refused);
    listener.ticks(2);
    assert_eq!(listener.played[11 * FRAME as usize + 80..], samples(11 * FRAME, FRAME)[80..]);
}

#[test]
fn what_is_left_of_a_packet_that_is_half_too_late_is_played() {
    let mut listener = Listener::new();
    listener.steady(0..3);
    listener.next_at(3 * FRAME - 80, 240);
    assert_eq!(listener.tick(), samples(3 * FRAME, FRAME));
}

#[test]
fn a_sender_in_bursts_keeps_the_delay_that_it_needs_and_no_more() {
    let mut listener = Listener::new();
    listener.packet(0);
    for burst in 0..200 {
        (4 * burst + 1..4 * burst + 5).for_each(|frame| {
            listener.packet(frame);
        });
        listener.ticks(4);
    }
    assert_eq!(listener.statistics.concealed_frames, 0);
    assert_eq!((listener.target_ms(), listener.buffer.delay().max.as_millis()), (60, 80));
    let shortened = listener.statistics.shortened.as_millis();
    assert!((17..=20).contains(&shortened), "{shortened}");
}

#[test]
fn one_packet_four_frames_late_makes_room_for_the_next_such() {
    let mut listener = Listener::new();
    listener.steady(0..100);
    for slow in [100, 150, 200] {
        listener.tick();
        listener.lose(1);
        let sequence = listener.sequence;
        listener.steady(slow + 1..slow + 4);
        listener.hear(sequence, slow * FRAME, &samples(slow * FRAME, FRAME), Order::Overtaken);
        listener.steady(slow + 4..slow + 50);
    }
    let Statistics { late, concealed_frames, lengthened, .. } = listener.statistics;
    assert_eq!((late, concealed_frames, listener.target_ms()), (1, 1, 80));
    assert!((80..100).contains(&lengthened.as_millis()), "{lengthened:?}");
}

#[test]
fn a_jump_does_not_click() {
    let mut listener = Listener::new();
    for (start, loudness) in [(0, -8_000), (1 << 20, 8_000), (0, -8_000)] {
        for n in 0..5 {
            listener.next(start + n * FRAME, &[loudness; FRAME as usize]);
            listener.tick();
        }
        listener.buffer.restart();
    }
    assert!(steepest(&listener.played) < 1_000, "{}", steepest(&listener.played));
}

/// Packets of any stream with any numbers, and ticks between them.
fn any_packets() -> impl Strategy<Value = Vec<(u16, u32, usize, bool, u8)>> {
    let sequence = prop_oneof![4 => 0..100_u16, 1 => any::<u16>()];
    let timestamp = prop_oneof![4 => (0..100_u32).prop_map(|n| n * 160), 1 => any::<u32>()];
    let length = prop_oneof![4 => Just(320_usize), 1 => 0..1_500_usize];
    vec((sequence, timestamp, length, any::<bool>(), 0..3_u8), 0..300)
}

proptest! {
    // The ways to deepen it take several unlikely packets in a row.
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_packets_panic_or_deepen_the_buffer_without_bound(packets in any_packets(), format in 0..6_usize) {
        let format = Format::ALL[format];
        let mut buffer = JitterBuffer::new(format);
        let mut statistics = Statistics::default();
        let mut frame = vec![0; format.sample_rate().frame_samples()];
        for (n, (sequence, timestamp, length, newest, ticks)) in packets.into_iter().enumerate() {
            let payload: Vec<u8> = (0..length).map(|byte| (byte * n * 7) as u8).collect();
            let packet = Packet { sequence, timestamp, payload: &payload };
            let order = if newest { Order::Newest } else { Order::Overtaken };
            if n % 9 == 0 {
                buffer.insert_noise(packet, order, &mut statistics);
            } else {
                buffer.insert(packet, order, &mut statistics);
            }
            for _ in 0..ticks {
                buffer.playout(&mut frame, &mut statistics);
            }
            let delay = buffer.delay();
            prop_assert!(delay.max <= MAX_DEPTH && delay.target <= MAX_TARGET, "{:?}", delay);
        }
    }
}
