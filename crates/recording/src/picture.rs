//! A picture of how loud a track was.

use crate::{Peak, Peaks, Sidecar, Silence, TrackId};

/// The widest and the highest picture, in pixels.
const MAX_WIDTH: u32 = 4_096;
const MAX_HEIGHT: u32 = 1_024;

/// What a picture is seen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// White.
    #[default]
    Light,
    /// Nearly black.
    Dark,
}

/// Size and colours of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels, 1 to 4096; what is outside is taken as the nearest.
    pub width: u32,
    /// Pixels, 1 to 1024; what is outside is taken as the nearest.
    pub height: u32,
    /// What it is seen on.
    pub background: Background,
}

/// Places in the palette.
const GROUND: u8 = 0;
const PAUSED: u8 = 1;
const GAP: u8 = 2;
const WAVE: u8 = 3;

impl Background {
    /// Red, green and blue of ground, pauses, gaps and the wave.
    const fn palette(self) -> [u8; 12] {
        match self {
            Self::Light => [255, 255, 255, 225, 229, 236, 250, 214, 208, 38, 92, 168],
            Self::Dark => [20, 22, 26, 48, 53, 62, 92, 40, 36, 112, 170, 240],
        }
    }
}

impl Sidecar {
    /// The wave of a track, or of the sum of all, over the whole recording, as PNG; pauses and gaps are shaded. None,
    /// when there is no such track.
    pub fn picture(&self, track: Option<TrackId>, picture: Picture) -> Option<Vec<u8>> {
        let peaks = match track {
            Some(track) => &self.tracks.get(&track)?.peaks,
            None => &self.mix,
        };
        let (width, height) = (picture.width.clamp(1, MAX_WIDTH), picture.height.clamp(1, MAX_HEIGHT));
        let columns = (0..width).map(|x| {
            let part = |x: u32| u64::from(x) * self.samples / u64::from(width);
            (self.peak(peaks, part(x), part(x + 1)), self.ground(part(x), part(x + 1)))
        });
        let columns: Vec<_> = columns.collect();
        let pixels = (0..height).flat_map(|y| {
            columns.iter().map(move |&(peak, ground)| if crosses(peak, y, height) { WAVE } else { ground })
        });
        Some(encode(&pixels.collect::<Vec<_>>(), width, height, picture.background))
    }

    /// The peak between two samples.
    fn peak(&self, peaks: &Peaks, from_sample: u64, to_sample: u64) -> Peak {
        let bucket_samples = peaks.bucket_ticks() * self.outline.rate.frame_samples() as u64;
        let from = (from_sample / bucket_samples) as usize;
        let to = (to_sample.div_ceil(bucket_samples) as usize).min(peaks.buckets().len());
        peaks
            .buckets()
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .fold(Peak::default(), |all, &peak| all.with(peak))
    }

    /// What is seen behind the wave between two samples: what most of it is, if that is a pause or a gap.
    fn ground(&self, from_sample: u64, to_sample: u64) -> u8 {
        let shared =
            |from: u64, samples: u64| to_sample.min(from + samples).saturating_sub(from_sample.max(from));
        let spans = self.spans.partition_point(|span| span.from_sample + span.samples <= from_sample);
        let spans = self.spans[spans..].iter().take_while(|span| span.from_sample < to_sample);
        let most = spans.max_by_key(|span| shared(span.from_sample, span.samples));
        match most {
            Some(span) if 2 * shared(span.from_sample, span.samples) >= to_sample - from_sample => {
                match span.why {
                    Silence::Paused => PAUSED,
                    Silence::Gap => GAP,
                }
            }
            _ => GROUND,
        }
    }
}

/// Whether the wave of a column is seen in this row, of which the highest is 0. Silence is a line in the middle.
fn crosses(peak: Peak, row: u32, height: u32) -> bool {
    let place = |sample: i16| (i64::from(height - 1) * (32_767 - i64::from(sample)) + 32_767) / 65_535;
    (place(peak.1)..=place(peak.0)).contains(&i64::from(row))
}

fn encode(pixels: &[u8], width: u32, height: u32, background: Background) -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(background.palette().to_vec());
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.expect("memory takes every byte, and there is a pixel for each place");
    png
}
