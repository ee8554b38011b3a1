//! What the jitter buffer does to a stream whose samples count up, so that each tells its position.

use mixminus_audio::SampleRate;
use mixminus_rtp::{Inserted, JitterBuffer, MAX_DEPTH_FRAMES, MAX_TARGET_FRAMES, Order, Playout, Statistics};

const FRAME: u32 = 160;

/// A buffer, its statistics and everything it has played.
struct Listener {
    buffer: JitterBuffer,
    statistics: Statistics,
    played: Vec<i16>,
}

/// The sample at `position`; never 0, which is silence.
fn sample(position: u32) -> i16 {
    (position % 30_000) as i16 + 1
}

fn samples(position: u32, length: u32) -> Vec<i16> {
    (0..length).map(|n| sample(position.wrapping_add(n))).collect()
}

impl Listener {
    fn new() -> Self {
        let buffer = JitterBuffer::new(SampleRate::Hz8000);
        Self { buffer, statistics: Statistics::default(), played: Vec::new() }
    }

    fn insert(&mut self, position: u32, length: u32, order: Order) -> Inserted {
        self.buffer.insert(position, &samples(position, length), order, &mut self.statistics)
    }

    /// The packet that is number `frame` of a stream of 20 ms packets arrives, the newest so far.
    fn packet(&mut self, frame: u32) -> Inserted {
        self.insert(frame * FRAME, FRAME, Order::Newest)
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

#[test]
fn a_regular_stream_plays_at_once_and_unchanged() {
    let mut listener = Listener::new();
    listener.steady(0..500);
    assert_eq!(listener.played, samples(0, 500 * FRAME));
    let Statistics { concealed_frames, shed_frames, late, target_frames, .. } = listener.statistics;
    assert_eq!((concealed_frames, shed_frames, late, target_frames), (0, 0, 0, 1));
}

#[test]
fn packets_of_ten_to_sixty_milliseconds_become_the_same_frames() {
    for length in [80, 240, 320, 400, 480] {
        let mut listener = Listener::new();
        let mut sent = 0;
        for tick in 0..60 {
            while sent < (tick + 3) * FRAME {
                listener.insert(sent, length, Order::Newest);
                sent += length;
            }
            listener.tick();
        }
        assert_eq!(listener.played, samples(0, 60 * FRAME), "{length} samples a packet");
    }
}

#[test]
fn thirty_millisecond_packets_that_come_just_in_time_cost_one_concealment() {
    let mut listener = Listener::new();
    for tick in 0..90 {
        // A packet each 30 ms: at ticks 0, 2, 3, 5, 6, ...
        if tick % 3 != 1 {
            listener.insert(tick / 3 * 480 + if tick % 3 == 2 { 240 } else { 0 }, 240, Order::Newest);
        }
        listener.tick();
    }
    assert_eq!(listener.statistics.concealed_frames, 1);
    // 10 ms were made up in the second frame, then everything follows 10 ms later.
    assert_eq!(listener.played[..240], samples(0, 240));
    assert_eq!(listener.played[480..], samples(400, 88 * FRAME - 80)[..][..listener.played.len() - 480]);
}

#[test]
fn positions_wrap_without_a_trace() {
    let mut listener = Listener::new();
    let start = u32::MAX - 999;
    for n in 0..20 {
        listener.insert(start.wrapping_add(n * FRAME), FRAME, Order::Newest);
        listener.tick();
    }
    assert_eq!(listener.played, samples(start, 20 * FRAME));
}

#[test]
fn a_lost_packet_is_concealed_and_keeps_its_time() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.tick();
    listener.steady(11..20);
    assert_eq!(listener.statistics.concealed_frames, 1);
    assert_eq!(listener.played.len(), 20 * FRAME as usize);
    let faded_in = 11 * FRAME as usize + 80;
    assert_eq!(listener.played[faded_in..], samples(0, 20 * FRAME)[faded_in..]);
    assert_ne!(listener.played[10 * FRAME as usize..11 * FRAME as usize], [0; FRAME as usize]);
    assert_eq!(listener.statistics.target_frames, 1);
}

#[test]
fn ten_lost_milliseconds_are_concealed_inside_their_frame() {
    let mut listener = Listener::new();
    listener.steady(0..3);
    listener.insert(3 * FRAME, 80, Order::Newest);
    listener.insert(4 * FRAME, FRAME, Order::Newest);
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
    assert_eq!((listener.statistics.late, listener.statistics.target_frames), (1, 2));
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
        listener.packet(second);
        listener.tick();
        late += u32::from(listener.insert(first * FRAME, FRAME, Order::Overtaken) == Inserted::Late);
        listener.tick();
    }
    assert_eq!(late, 1);
    assert_eq!(listener.statistics.target_frames, 2);
    let length = listener.played.len();
    assert_eq!(listener.played[length - 4 * FRAME as usize..], samples(55 * FRAME, 4 * FRAME));
}

#[test]
fn delay_that_is_no_longer_needed_is_given_back() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.ticks(5);
    (10..15).for_each(|frame| {
        listener.packet(frame);
    });
    assert_eq!(listener.statistics.depth_frames, 5);
    listener.steady(15..1_000);
    assert_eq!((listener.statistics.depth_frames, listener.statistics.target_frames), (0, 1));
    assert_eq!(listener.statistics.shed_frames, 5);
}

#[test]
fn shedding_does_not_click() {
    let mut listener = Listener::new();
    let mut sine = mixminus_audio::Sine::new(SampleRate::Hz8000, 330.0, mixminus_audio::Dbov(-10.0));
    let mut packet = [0; FRAME as usize];
    for n in 0..400 {
        sine.fill(&mut packet);
        listener.buffer.insert(n * FRAME, &packet, Order::Newest, &mut listener.statistics);
        if n >= 2 {
            listener.tick();
        }
    }
    assert!(listener.statistics.shed_frames >= 1);
    let steepest = listener.played.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap();
    assert!(steepest < 4_000, "{steepest} where the sine's own is 3800");
}

#[test]
fn shedding_between_extremes_does_not_wrap() {
    let mut listener = Listener::new();
    for n in 0..400 {
        let loudness = if n % 2 == 0 { i16::MIN } else { i16::MAX };
        listener.buffer.insert(
            n * FRAME,
            &[loudness; FRAME as usize],
            Order::Newest,
            &mut listener.statistics,
        );
        if n >= 1 {
            let shed = listener.statistics.shed_frames;
            let frame = listener.tick();
            assert!(
                listener.statistics.shed_frames == shed
                    || frame.is_sorted()
                    || frame.iter().rev().is_sorted()
            );
        }
    }
    assert_eq!(listener.statistics.shed_frames, 1);
}

#[test]
fn a_pause_fades_to_silence_is_no_endless_loss_and_adds_no_delay() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.ticks(50);
    assert_eq!(listener.statistics.concealed_frames, 3);
    assert_eq!(listener.played[60 * FRAME as usize - 1], 0);
    // Timestamps went on during the pause; then a sender that stops its timestamps, too.
    listener.steady(60..70);
    listener.ticks(50);
    listener.steady(70..80);
    assert_eq!((listener.statistics.depth_frames, listener.statistics.target_frames), (0, 1));
    assert_eq!(listener.statistics.late, 0);
    let length = listener.played.len();
    assert_eq!(listener.played[length - 9 * FRAME as usize..], samples(71 * FRAME, 9 * FRAME));
}

#[test]
fn a_burst_after_a_stall_leaves_no_lasting_delay() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    listener.ticks(100);
    (10..110).for_each(|frame| {
        listener.packet(frame);
    });
    assert!(listener.statistics.depth_frames <= MAX_DEPTH_FRAMES, "{}", listener.statistics.depth_frames);
    listener.steady(110..1_500);
    assert_eq!(listener.statistics.depth_frames, 0);
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
        assert!(listener.statistics.depth_frames <= 1, "at tick {tick}");
    }
    assert_eq!(listener.statistics.shed_frames, 30);
    assert_eq!(listener.statistics.concealed_frames, 0);
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
    assert!(listener.statistics.depth_frames <= 1);
    assert_eq!(listener.statistics.concealed_frames, 29);
}

#[test]
fn delay_never_exceeds_its_maximum() {
    let mut listener = Listener::new();
    let mut worst = 0;
    // Bursts of twenty packets each twenty ticks: 400 ms of jitter.
    for burst in 0..50 {
        (20 * burst..20 * (burst + 1)).for_each(|frame| {
            listener.packet(frame);
        });
        worst = worst.max(listener.statistics.depth_frames);
        listener.ticks(20);
    }
    assert!(worst <= MAX_DEPTH_FRAMES, "{worst}");
    assert!(listener.statistics.target_frames <= MAX_TARGET_FRAMES);
}

#[test]
fn timestamps_that_jump_either_way_are_followed_at_once() {
    let mut listener = Listener::new();
    listener.steady(0..10);
    let half_way_round = 3_000 + 480 + (1 << 31);
    for start in [4_000_000, 3_000, half_way_round, 2_990, 4_000_000_000, 4_000_000_000 - half_way_round] {
        let at = listener.played.len();
        for n in 0..3 {
            listener.insert(start + n * FRAME, FRAME, Order::Newest);
            listener.tick();
        }
        assert_eq!(listener.played[at + 80..], samples(start, 3 * FRAME)[80..], "{start}");
    }
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
    assert_eq!(listener.statistics.target_frames, 2);
    let length = listener.played.len();
    assert_eq!(listener.played[length - 8 * FRAME as usize..], samples(5_001 * FRAME, 8 * FRAME));
}

#[test]
fn an_overtaken_packet_that_is_in_time_changes_nothing() {
    let mut listener = Listener::new();
    listener.packet(0);
    listener.packet(2);
    listener.insert(FRAME, FRAME, Order::Overtaken);
    listener.ticks(3);
    assert_eq!(listener.played, samples(0, 3 * FRAME));
}

#[test]
fn what_is_left_of_a_packet_that_is_half_too_late_is_played() {
    let mut listener = Listener::new();
    listener.steady(0..3);
    listener.insert(3 * FRAME - 80, 240, Order::Newest);
    assert_eq!(listener.tick(), samples(3 * FRAME, FRAME));
}

#[test]
fn audio_of_long_ago_never_stands_in_for_what_is_lost() {
    let mut listener = Listener::new();
    listener.packet(0);
    listener.steady(1..150);
    listener.packet(151);
    listener.ticks(2);
    assert_eq!(listener.statistics.concealed_frames, 1);
}

#[test]
fn delay_is_given_back_where_it_is_quiet() {
    let mut listener = Listener::new();
    for n in 0..400 {
        let loudness = if n % 20 == 7 { 10 } else { 8_000 };
        listener.buffer.insert(
            n * FRAME,
            &[loudness; FRAME as usize],
            Order::Newest,
            &mut listener.statistics,
        );
        let before = listener.statistics.shed_frames;
        if n >= 1 {
            let frame = listener.tick();
            let shed = listener.statistics.shed_frames > before;
            assert_eq!(frame[0] != 8_000 && frame[159] == 8_000, shed, "packet {n}");
        }
    }
    assert_eq!(listener.statistics.shed_frames, 1);
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
    assert_eq!((listener.statistics.shed_frames, listener.statistics.concealed_frames), (1, 0));
}

#[test]
fn audio_from_before_a_jump_never_stands_in_for_what_is_lost_after_it() {
    let mut listener = Listener::new();
    (0..10).for_each(|frame| {
        listener.packet(frame);
    });
    let start = 1 << 20;
    listener.insert(start, FRAME, Order::Newest);
    listener.insert(start + 2 * FRAME, FRAME, Order::Newest);
    listener.ticks(3);
    assert_eq!(listener.statistics.concealed_frames, 1);
}

#[test]
fn rare_bursts_keep_the_delay_that_they_need_and_no_more() {
    let mut listener = Listener::new();
    (0..5).for_each(|frame| {
        listener.packet(frame);
    });
    let mut sent = 5;
    for tick in 0..2_000 {
        // Once a second, three packets come up to three ticks late.
        while tick % 50 < 47 && sent < tick + 6 {
            listener.packet(sent);
            sent += 1;
        }
        listener.tick();
    }
    assert_eq!((listener.statistics.shed_frames, listener.statistics.concealed_frames), (2, 0));
}

#[test]
fn one_packet_four_frames_late_makes_room_for_the_next_such() {
    let mut listener = Listener::new();
    listener.steady(0..100);
    for slow in [100, 110, 120] {
        listener.tick();
        listener.steady(slow + 1..slow + 4);
        listener.insert(slow * FRAME, FRAME, Order::Overtaken);
        listener.steady(slow + 4..slow + 10);
    }
    let Statistics { late, target_frames, concealed_frames, .. } = listener.statistics;
    assert_eq!((late, target_frames), (1, 5));
    // One while it was waited for, and of the four that raise the delay the last has faded to silence.
    assert_eq!(concealed_frames, 4);
}

#[test]
fn a_jump_does_not_click() {
    let mut listener = Listener::new();
    for (start, loudness) in [(0, -8_000), (1 << 20, 8_000), (0, -8_000)] {
        for n in 0..5 {
            let packet = [loudness; FRAME as usize];
            listener.buffer.insert(start + n * FRAME, &packet, Order::Newest, &mut listener.statistics);
            listener.tick();
        }
    }
    let steepest = listener.played.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max();
    assert!(steepest < Some(1_000), "{steepest:?}");
}
