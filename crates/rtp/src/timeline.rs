//! Where in a stream a timestamp is.

use mixminus_codec::Format;

use crate::Order;

/// Turns timestamps, which wrap and may jump, into positions in samples, which do not. When timestamps jump
/// further than audio can have been under way, the stream is taken to go on where it was.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    clock_hz: i64,
    sample_hz: i64,
    /// A timestamp and its position.
    known: Option<(u32, i64)>,
    /// Where the audio ends that has come.
    end: i64,
}

impl Timeline {
    /// The timeline of a stream that is to begin at position 0.
    pub(crate) fn new(format: Format) -> Self {
        Self {
            clock_hz: format.clock_rate().hz().into(),
            sample_hz: format.sample_rate().hz().into(),
            known: None,
            end: 0,
        }
    }

    /// Where the audio ends that has come.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Whether the stream has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.known.is_some()
    }

    /// Another stream begins, where the one before ends.
    pub(crate) fn restart(&mut self) {
        self.known = None;
    }

    /// The position of a packet of `length` samples. `max_gap` is the longest time between it and all audio
    /// before it that is no jump.
    pub(crate) fn place(&mut self, timestamp: u32, length: i64, order: Order, max_gap: i64) -> i64 {
        let (known, at) = *self.known.get_or_insert((timestamp, self.end));
        let units = i64::from(timestamp.wrapping_sub(known) as i32);
        let mut position = at + units * self.sample_hz / self.clock_hz;
        if order == Order::Newest {
            // Audio that is sent after all other and lies before its end has no place there.
            if position + length <= self.end || position > self.end + max_gap {
                position = self.end;
            }
            self.known = Some((timestamp, position));
            self.end = self.end.max(position + length);
        }
        position
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;

    use super::*;

    fn positions(format: Format, timestamps: &[u32]) -> Vec<i64> {
        let mut timeline = Timeline::new(format);
        timestamps.iter().map(|&timestamp| timeline.place(timestamp, 320, Order::Newest, 3_200)).collect()
    }

    #[test]
    fn positions_count_samples_through_the_wrap_of_timestamps() {
        let third = 1_u32.wrapping_neg() - 959;
        let opus = Format::Opus(SampleRate::Hz16000);
        assert_eq!(positions(opus, &[third, third.wrapping_add(960), 960]), [0, 320, 640]);
        assert_eq!(positions(Format::G722, &[u32::MAX - 159, 0, 160]), [0, 320, 640]);
    }

    #[test]
    fn a_gap_is_kept_and_a_jump_is_not() {
        let l16 = Format::L16(SampleRate::Hz16000);
        assert_eq!(positions(l16, &[0, 320 + 3_200, 320 + 3_520]), [0, 3_520, 3_840]);
        assert_eq!(positions(l16, &[0, 320 + 3_201, 320 + 3_521]), [0, 320, 640]);
        assert_eq!(positions(l16, &[0, 1 << 31, (1 << 31) + 320]), [0, 320, 640]);
    }

    #[test]
    fn timestamps_that_turn_back_or_stand_still_go_on() {
        let l16 = Format::L16(SampleRate::Hz16000);
        assert_eq!(positions(l16, &[9_000, 9_320, 100, 420]), [0, 320, 640, 960]);
        assert_eq!(positions(l16, &[7, 7, 7]), [0, 320, 640]);
    }

    #[test]
    fn what_was_overtaken_has_its_own_place() {
        let mut timeline = Timeline::new(Format::L16(SampleRate::Hz16000));
        timeline.place(0, 320, Order::Newest, 3_200);
        timeline.place(640, 320, Order::Newest, 3_200);
        assert_eq!(timeline.place(320, 320, Order::Overtaken, 3_200), 320);
        assert_eq!(timeline.end(), 960);
    }
}
