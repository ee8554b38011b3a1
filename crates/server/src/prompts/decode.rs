//! Decodes audio files that come from strangers.

use std::io::Cursor;

use mixminus_audio::Pcm;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use tokio_util::sync::CancellationToken;

use super::{Fetched, MAX_CLIP, MAX_FILE_BYTES, PromptError, at_best_rate, max_samples};

/// Sample rates taken. Ten minutes at the highest are 58 MB, and no leg plays
/// more.
const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=48_000;
/// Most channels taken, which is 7.1 surround.
const MAX_CHANNELS: usize = 8;

/// The audio of `file` as one channel, cut off after [`MAX_CLIP`].
///
/// A file that breaks off yields what is there.
///
/// # Errors
///
/// [`PromptError`] when not one sample can be had, or when `stop` is cancelled.
pub fn decode(file: &Fetched, stop: &CancellationToken) -> Result<Pcm, PromptError> {
    if file.bytes.len() > MAX_FILE_BYTES {
        return Err(PromptError::TooLarge { size_bytes: file.bytes.len() });
    }
    refuse_documents(file)?;
    let (reader, decoder, track) = open(file)?;
    let (samples, hz) = read(reader, decoder, track, stop)?;
    Ok(at_best_rate(samples, hz))
}

/// A page or document in place of audio is the commonest mistake, and a
/// decoder that searches it for MP3 frames may well find some.
fn refuse_documents(file: &Fetched) -> Result<(), PromptError> {
    let text = file.bytes.trim_ascii_start();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    if matches!(text.first(), Some(b'<' | b'{')) {
        let kind = file.media_type.as_deref().unwrap_or("no media type");
        return Err(PromptError::NotAudio(format!("a text document ({kind})")));
    }
    Ok(())
}

type Opened = (Box<dyn FormatReader>, Box<dyn AudioDecoder>, u32);

/// Finds the format and the first audio track.
fn open(file: &Fetched) -> Result<Opened, PromptError> {
    let bytes = Box::new(Cursor::new(file.bytes.clone()));
    let source = MediaSourceStream::new(bytes, MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    if let Some(media_type) = &file.media_type {
        hint.mime_type(media_type);
    }
    let not_audio = |error: Error| PromptError::NotAudio(error.to_string());
    let reader = symphonia::default::get_probe()
        .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
        .map_err(not_audio)?;
    let track = reader.default_track(TrackType::Audio).ok_or(PromptError::Empty)?;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| PromptError::Unsupported("unknown codec".into()))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| PromptError::Unsupported(error.to_string()))?;
    let track = track.id;
    Ok((reader, decoder, track))
}

/// Decodes `track` to one channel, and tells its sample rate.
fn read(
    mut reader: Box<dyn FormatReader>,
    mut decoder: Box<dyn AudioDecoder>,
    track: u32,
    stop: &CancellationToken,
) -> Result<(Vec<i16>, u32), PromptError> {
    let mut mono = Vec::new();
    let mut interleaved: Vec<i16> = Vec::new();
    let mut rate = None;
    // A file that breaks off ends with an error where another ends in order.
    while let Ok(Some(packet)) = reader.next_packet() {
        if stop.is_cancelled() {
            return Err(PromptError::TooSlow);
        }
        if packet.track_id != track {
            continue;
        }
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(Error::DecodeError(_)) => continue,
            Err(_) => break,
        };
        let (hz, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
        check_shape(hz, channels)?;
        if *rate.get_or_insert(hz) != hz {
            return Err(PromptError::Unsupported("the sample rate changes".into()));
        }
        decoded.copy_to_vec_interleaved(&mut interleaved);
        mono.extend(interleaved.chunks_exact(channels).map(mean));
        if mono.len() >= max_samples(hz) {
            tracing::warn!("audio file cut off after {} s", MAX_CLIP.as_secs());
            mono.truncate(max_samples(hz));
            break;
        }
    }
    rate.map(|hz| (mono, hz)).ok_or(PromptError::Empty)
}

fn check_shape(hz: u32, channels: usize) -> Result<(), PromptError> {
    if !RATES_HZ.contains(&hz) {
        return Err(PromptError::Unsupported(format!("{hz} samples a second")));
    }
    if !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(PromptError::Unsupported(format!("{channels} channels")));
    }
    Ok(())
}

fn mean(samples: &[i16]) -> i16 {
    let sum: i32 = samples.iter().copied().map(i32::from).sum();
    (sum / samples.len() as i32) as i16
}
