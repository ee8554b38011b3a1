//! A step without a click when routing changes.

/// Makes one sink's output continuous where its routing changes.
///
/// It knows only the last sample that the sink was sent, so the audio of a source that is no longer
/// allowed is never needed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Declick {
    last: i16,
}

impl Declick {
    /// A sink that has been sent nothing but silence.
    pub const fn new() -> Self {
        Self { last: 0 }
    }

    /// Remembers where `frame`, which was just sent, ended.
    pub fn frame_sent(&mut self, frame: &[i16]) {
        if let Some(&last) = frame.last() {
            self.last = last;
        }
    }

    /// Makes the first frame under new routing begin where the last one ended: the difference is added
    /// and decays linearly over the first quarter of the frame (5 ms).
    pub fn smooth(&self, frame: &mut [i16]) {
        let Some(&first) = frame.first() else { return };
        let step = i32::from(self.last) - i32::from(first);
        let length = frame.len().div_ceil(4) as i32;
        for (sample, left) in frame.iter_mut().zip((1..=length).rev()) {
            let smoothed = i32::from(*sample) + step * left / length;
            *sample = smoothed.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_vanishes_leaves_a_five_millisecond_slope() {
        let mut declick = Declick::new();
        declick.frame_sent(&[0, 0, 4_000]);
        let mut frame = [0; 160];
        declick.smooth(&mut frame);
        assert_eq!(frame[..4], [4_000, 3_900, 3_800, 3_700]);
        assert_eq!(frame[39..], [100].into_iter().chain([0; 120]).collect::<Vec<_>>());
    }

    #[test]
    fn continuous_audio_is_not_touched() {
        let mut declick = Declick::new();
        declick.frame_sent(&[7]);
        let mut frame = [7, 8, 9, 10];
        declick.smooth(&mut frame);
        assert_eq!(frame, [7, 8, 9, 10]);
    }

    #[test]
    fn the_largest_step_does_not_wrap() {
        let mut declick = Declick::new();
        declick.frame_sent(&[i16::MAX]);
        let mut frame = [i16::MIN, i16::MAX, i16::MIN, i16::MIN, 0, 0, 0, 0];
        declick.smooth(&mut frame);
        assert_eq!(frame[..2], [i16::MAX, i16::MAX]);
    }
}
