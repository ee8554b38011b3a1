//! What two ends tell each other about Opus (RFC 7587, section 6.1).

use mixminus_audio::SampleRate;
use mixminus_codec::{Encoding, Format, OpusSettings};

/// Up to this a far end plays no more than wide band.
const WIDE_BAND_HZ: u32 = 16_000;
/// The least that Opus is given, whatever a far end asks for.
const MIN_BITRATE_BPS: u32 = 6_000;

/// What a far end wants to be sent. Its other parameters are wishes that any decoder gets along without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    max_playback_hz: Option<u32>,
    max_bitrate_bps: Option<u32>,
    dtx: bool,
}

impl Wishes {
    /// Reads an `a=fmtp:`; what cannot be read is as good as absent.
    pub(super) fn parse(parameters: &str) -> Self {
        let mut wishes = Self::default();
        for (name, value) in parameters.split(';').filter_map(|parameter| parameter.split_once('=')) {
            let value = value.trim().parse::<u32>().ok();
            match name.trim().to_ascii_lowercase().as_str() {
                "maxplaybackrate" => wishes.max_playback_hz = value,
                "maxaveragebitrate" => wishes.max_bitrate_bps = value,
                "usedtx" => wishes.dtx = value == Some(1),
                _ => {}
            }
        }
        wishes
    }

    /// How we encode for it what we would rather encode in `format`, with `settings`.
    pub(super) fn encoding(self, format: Format, settings: OpusSettings) -> Encoding {
        let narrow = self.max_playback_hz.is_some_and(|hz| hz <= WIDE_BAND_HZ);
        let format = if narrow { Format::Opus(SampleRate::Hz16000) } else { format };
        let at_most = self.max_bitrate_bps.map_or(u32::MAX, |bps| bps.max(MIN_BITRATE_BPS));
        let bitrate_bps = settings.bitrate_bps.min(at_most);
        Encoding::new(format, OpusSettings { bitrate_bps, dtx: settings.dtx && self.dtx, ..settings })
    }
}

/// Our own `a=fmtp:`: what we want to be sent, and that we capture no wider than we play.
pub(super) fn parameters(rate: SampleRate, settings: OpusSettings) -> String {
    let dtx = if settings.dtx { ";usedtx=1" } else { "" };
    let rates = match rate {
        SampleRate::Hz48000 => String::new(),
        lower => format!(";maxplaybackrate={0};sprop-maxcapturerate={0}", lower.hz()),
    };
    format!("useinbandfec=1;stereo=0{dtx}{rates}")
}
