//! How loud the far end is.

use mixminus_audio::Dbov;
use mixminus_codec::Format;

/// Frames over which the level is averaged: a second.
const AVERAGED_FRAMES: f32 = 50.0;

/// The lowest level that is told from silence.
const INAUDIBLE: Dbov = Dbov(-90.0);

/// Level and clipping of what is heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loudness {
    /// Mean square of the last frame, and on average.
    power: f32,
    average: f32,
    clipped_frames: u64,
}

impl Loudness {
    /// Takes in a frame with a mean square of `power`.
    pub(crate) fn hear(&mut self, format: Format, frame: &[i16], power: f32) {
        self.power = power;
        self.average += (power - self.average) / AVERAGED_FRAMES;
        let limit = full_scale(format);
        // One sample at the limit makes at least so much.
        if power * frame.len() as f32 >= f32::from(limit) * f32::from(limit) {
            let peak = frame.iter().map(|sample| sample.saturating_abs()).max();
            self.clipped_frames += u64::from(peak >= Some(limit));
        }
    }

    /// Nothing is left of the last frame.
    pub(crate) fn mute(&mut self) {
        self.power = 0.0;
    }

    /// Level of the last frame.
    pub(crate) fn now(&self) -> Dbov {
        to_level(self.power)
    }

    /// Level of about the last second, unless it was silent.
    pub(crate) fn recent(&self) -> Option<Dbov> {
        Some(to_level(self.average)).filter(|&level| level >= INAUDIBLE)
    }

    /// Frames with a sample at the end of the scale.
    pub(crate) fn clipped_frames(&self) -> u64 {
        self.clipped_frames
    }
}

/// The largest sample that a format can carry.
const fn full_scale(format: Format) -> i16 {
    match format {
        Format::Pcmu => 32_124,
        Format::Pcma => 32_256,
        Format::G722 | Format::L16(_) | Format::Opus(_) => i16::MAX,
    }
}

fn to_level(power: f32) -> Dbov {
    if power <= 0.0 {
        return Dbov::SILENCE;
    }
    Dbov((10.0 * (power / (32_768.0 * 32_768.0)).log10()).max(Dbov::SILENCE.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(format: Format, sample: i16, frames: usize) -> Loudness {
        let mut loudness = Loudness::default();
        (0..frames).for_each(|_| loudness.hear(format, &[sample; 160], f32::from(sample).powi(2)));
        loudness
    }

    #[test]
    fn the_level_of_the_last_second_follows_the_frames() {
        let loudness = after(Format::Pcmu, 3_277, 500);
        for Dbov(level) in [loudness.now(), loudness.recent().unwrap()] {
            assert!((level + 20.0).abs() < 0.01, "{level}");
        }
        assert_eq!(after(Format::Pcmu, 0, 5).recent(), None);
        assert_eq!(after(Format::Pcmu, 0, 5).now(), Dbov::SILENCE);
    }

    #[test]
    fn frames_at_the_end_of_the_formats_scale_are_clipped() {
        assert_eq!(after(Format::Pcmu, 32_124, 3).clipped_frames(), 3);
        assert_eq!(after(Format::G722, 32_124, 3).clipped_frames(), 0);
        assert_eq!(after(Format::G722, i16::MIN, 3).clipped_frames(), 3);
    }
}
