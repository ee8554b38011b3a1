mod documents;
mod engines;

use std::sync::atomic::{AtomicUsize, Ordering};

use mixminus_audio::{Dbov, Sine, goertzel, level};
use mixminus_control::Prosody;

use super::*;

const RATE: SampleRate = SampleRate::Hz8000;
const TONE_MP3: &[u8] = include_bytes!("samples/tone.mp3");
const SILENCE_MP3: &[u8] = include_bytes!("samples/silence.mp3");
const TONE_ADPCM_STEREO: &[u8] = include_bytes!("samples/tone-adpcm-stereo.wav");
const FRAME_OF_SILENCE: usize = 72;

/// The kinds of samples a WAV file may hold.
#[derive(Clone, Copy)]
enum Tag {
    Pcm = 1,
    Alaw = 6,
    Mulaw = 7,
}

#[derive(Clone, Copy)]
struct Shape {
    tag: Tag,
    channels: u16,
    hz: u32,
    bits: u16,
}

const PCM_8K: Shape = Shape { tag: Tag::Pcm, channels: 1, hz: 8_000, bits: 16 };

/// A WAV file that says its data are `claimed` bytes long.
fn wav_claiming(shape: Shape, data: &[u8], claimed: u32) -> Vec<u8> {
    let frame = shape.channels * shape.bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend(claimed.saturating_add(38).to_le_bytes());
    file.extend(b"WAVEfmt \x12\0\0\0");
    file.extend((shape.tag as u16).to_le_bytes());
    file.extend(shape.channels.to_le_bytes());
    file.extend(shape.hz.to_le_bytes());
    file.extend((shape.hz * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(shape.bits.to_le_bytes());
    file.extend(b"\0\0data");
    file.extend(claimed.to_le_bytes());
    file.extend(data);
    file
}

fn wav(shape: Shape, data: &[u8]) -> Vec<u8> {
    wav_claiming(shape, data, data.len() as u32)
}

fn bytes_of(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn tone(samples: usize) -> Vec<i16> {
    let mut tone = vec![0; samples];
    Sine::new(RATE, 1_000.0, Dbov(-20.0)).fill(&mut tone);
    tone
}

fn fetched(bytes: impl Into<Bytes>) -> Fetched {
    Fetched { bytes: bytes.into(), media_type: None, url: "http://music.example/a".into() }
}

fn decode(bytes: impl Into<Bytes>) -> Result<Pcm, PromptError> {
    let file = fetched(bytes);
    decode::decode(&file, &CancellationToken::new())
}

/// Serves one file under every URL and counts how often.
#[derive(Debug)]
struct OneFile(Result<Bytes, PromptError>, AtomicUsize);

impl FetchAudio for OneFile {
    async fn fetch(&self, _action: &Action) -> Result<Fetched, PromptError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.clone().map(fetched)
    }
}

fn prompts(file: Result<Vec<u8>, PromptError>) -> Prompts<OneFile> {
    Prompts::new(OneFile(file.map(Bytes::from), AtomicUsize::new(0)), Arc::new(Speech::built_in()))
}

/// All parts of a prompt.
async fn render(
    prompts: &Prompts<impl FetchAudio>,
    content: &PromptContent,
) -> Result<Vec<Arc<Clip>>, PromptError> {
    let (parts, mut made) = mpsc::channel(1);
    let collect = async {
        let mut clips = Vec::new();
        while let Some(clip) = made.recv().await {
            clips.push(clip);
        }
        clips
    };
    let (result, clips) = tokio::join!(prompts.render(content, parts), collect);
    assert_eq!(result.is_err(), clips.is_empty());
    result.map(|()| clips)
}

/// What has one part.
async fn render_one(
    prompts: &Prompts<impl FetchAudio>,
    content: &PromptContent,
) -> Result<Arc<Clip>, PromptError> {
    let mut clips = render(prompts, content).await?;
    assert_eq!(clips.len(), 1);
    Ok(clips.remove(0))
}

/// What the clip sounds like in narrow band.
fn samples(clip: &Clip) -> Vec<i16> {
    clip.prepare(RATE);
    clip.at(RATE).unwrap().to_vec()
}

fn speech(text: &str) -> PromptContent {
    PromptContent::Speech {
        text: text.into(),
        voice: "WOMAN".into(),
        language: "en-US".into(),
        prosody: Prosody::default(),
    }
}

fn file() -> PromptContent {
    PromptContent::File("http://music.example/a.wav".into())
}

#[test]
fn a_wav_file_at_a_rate_of_bridges_comes_out_as_it_is() {
    let samples = tone(1_600);
    assert_eq!(decode(wav(PCM_8K, &bytes_of(&samples))).unwrap().samples, samples);
}

#[test]
fn companded_wav_files_are_expanded() {
    for (tag, silence) in [(Tag::Mulaw, 0xFF), (Tag::Alaw, 0xD5)] {
        let decoded = decode(wav(Shape { tag, bits: 8, ..PCM_8K }, &[silence, silence, 0x80])).unwrap();
        assert!(decoded.samples[..2].iter().all(|sample| sample.abs() <= 8), "{:?}", decoded.samples);
        assert!(decoded.samples[2].abs() > 5_000, "{:?}", decoded.samples);
    }
}

#[test]
fn channels_are_averaged() {
    let stereo = Shape { channels: 2, ..PCM_8K };
    let decoded = decode(wav(stereo, &bytes_of(&[1_000, 500, -200, 200]))).unwrap();
    assert_eq!(decoded.samples, [750, 0]);
}

#[test]
fn stereo_adpcm_at_16_khz_becomes_mono() {
    let decoded = decode(TONE_ADPCM_STEREO).unwrap();
    assert_eq!(decoded.rate, SampleRate::Hz16000);
    assert!(decoded.duration().abs_diff(Duration::from_millis(250)) < Duration::from_millis(20));
    let (all, tone) = (level(&decoded.samples), goertzel(&decoded.samples, decoded.rate, 1_000.0));
    assert!(tone > Dbov(all.0 - 1.0), "{tone:?} of {all:?}");
}

#[test]
fn an_mp3_file_is_decoded() {
    let decoded = decode(TONE_MP3).unwrap();
    let middle = decoded.samples.len() / 3..2 * decoded.samples.len() / 3;
    let tone = goertzel(&decoded.samples[middle], decoded.rate, 1_000.0);
    assert!(tone > Dbov(-26.0), "{tone:?}");
}

#[test]
fn an_mp3_file_that_breaks_off_yields_what_is_there() {
    let whole = decode(TONE_MP3).unwrap().samples.len();
    let part = decode(&TONE_MP3[..400]).unwrap().samples.len();
    assert!(part > 0 && part < whole, "{part} of {whole}");
}

#[test]
fn a_wav_file_that_claims_four_gigabytes_yields_what_is_there() {
    let samples = tone(800);
    let decoded = decode(wav_claiming(PCM_8K, &bytes_of(&samples), u32::MAX)).unwrap();
    assert_eq!(decoded.samples, samples);
}

#[test]
fn a_header_without_audio_is_an_error() {
    assert!(decode(wav(PCM_8K, &[])).is_err());
    assert!(decode(wav(PCM_8K, &[0; 2])[..30].to_vec()).is_err());
    assert!(decode(Vec::new()).is_err());
}

#[test]
fn a_web_page_in_place_of_audio_is_named() {
    let page = format!("\n<!DOCTYPE html><html>{}</html>", "\u{FFFB}".repeat(2_000));
    let file = Fetched { media_type: Some("text/html".into()), ..fetched(page) };
    let error = decode::decode(&file, &CancellationToken::new()).unwrap_err();
    assert_eq!(error, PromptError::NotAudio("a text document (text/html)".into()));
    assert!(matches!(decode(&b"{\"error\": \"not found\"}"[..]), Err(PromptError::NotAudio(_))));
}

#[test]
fn junk_never_panics_and_is_never_long() {
    let mut state = 7_u32;
    for size in [1, 44, 1_000, 200_000] {
        let junk: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(size)
        .collect();
        if let Ok(clip) = decode(junk) {
            assert!(clip.duration() < Duration::from_mins(1), "{:?} of {size} bytes", clip.duration());
        }
    }
}

#[test]
fn absurd_shapes_are_refused() {
    for shape in [
        Shape { hz: 768_000, ..PCM_8K },
        Shape { hz: 1, ..PCM_8K },
        Shape { hz: 0, ..PCM_8K },
        Shape { channels: 24, ..PCM_8K },
        Shape { channels: 64, hz: 384_000, ..PCM_8K },
        Shape { channels: 64, ..PCM_8K },
        Shape { hz: 384_000, ..PCM_8K },
        Shape { channels: 0, ..PCM_8K },
    ] {
        assert!(decode(wav(shape, &[1; 4_800])).is_err(), "{} Hz, {} channels", shape.hz, shape.channels);
    }
}

/// Bytes of good files set to what may mean most. The decoder's own arithmetic may overflow.
#[tokio::test]
async fn a_damaged_file_is_an_error_at_worst_and_never_long() {
    let wav = wav(PCM_8K, &bytes_of(&tone(160)));
    for file in [&wav[..], &TONE_MP3[..600], &TONE_ADPCM_STEREO[..600]] {
        for (place, value) in (0..60).flat_map(|place| [0, 1, 0x7F, 0xFF].map(|value| (place, value))) {
            let mut damaged = file.to_vec();
            damaged[place] = value;
            let decoded = on_a_thread(move |stop| decode::decode(&fetched(damaged), stop)).await;
            let length = decoded.map_or(Duration::ZERO, |pcm| pcm.duration());
            assert!(length < Duration::from_mins(1), "byte {place} = {value}: {length:?}");
        }
    }
}

/// Ten hours of it, were it not for the size of a file.
#[test]
fn silence_that_is_told_in_few_bytes_costs_no_more_memory_than_the_limit() {
    let frame = &SILENCE_MP3[..FRAME_OF_SILENCE];
    let decoded = decode(frame.repeat(MAX_FILE_BYTES / FRAME_OF_SILENCE)).unwrap();
    assert_eq!(decoded.samples.len(), max_samples(decoded.rate.hz()));
}

#[test]
fn a_file_over_the_limit_is_refused() {
    let error = decode(vec![0; MAX_FILE_BYTES + 1]).unwrap_err();
    assert_eq!(error, PromptError::TooLarge { size_bytes: MAX_FILE_BYTES + 1 });
}

#[test]
fn hours_of_silence_in_a_small_file_are_cut_off_at_the_limit() {
    let frame = &SILENCE_MP3[..FRAME_OF_SILENCE];
    let eleven_minutes = frame.repeat(11 * 60 * 1_000 / 72);
    assert_eq!(decode(eleven_minutes).unwrap().duration(), MAX_CLIP);
}

#[test]
fn a_cancelled_decoding_stops() {
    let stop = CancellationToken::new();
    stop.cancel();
    let file = fetched(TONE_MP3);
    assert_eq!(decode::decode(&file, &stop), Err(PromptError::TooSlow));
}

#[tokio::test]
async fn built_in_sounds_are_made_once() {
    let prompts = prompts(Err(PromptError::Empty));
    for content in [
        PromptContent::Beep1,
        PromptContent::Beep2,
        PromptContent::WaitMusic,
        PromptContent::AgentHoldMusic,
        PromptContent::CustomerHoldMusic,
        PromptContent::Ringback,
    ] {
        let first = render_one(&prompts, &content).await.unwrap();
        let second = render_one(&prompts, &content).await.unwrap();
        assert!(Arc::ptr_eq(&first, &second), "{content:?}");
        assert!(level(&samples(&first)) > Dbov(-40.0), "{content:?}");
    }
}

#[test]
fn other_rates_are_raised_to_the_next_so_that_nothing_is_lost() {
    for (hz, rate) in [
        (4_000, SampleRate::Hz8000),
        (11_025, SampleRate::Hz16000),
        (22_050, SampleRate::Hz48000),
        (44_100, SampleRate::Hz48000),
    ] {
        let decoded = decode(wav(Shape { hz, ..PCM_8K }, &bytes_of(&vec![0; hz as usize / 2]))).unwrap();
        assert_eq!((decoded.rate, decoded.duration().as_millis()), (rate, 500), "{hz}");
    }
}

#[tokio::test]
async fn a_sentence_is_spoken_aloud_and_in_its_time() {
    let prompts = prompts(Err(PromptError::Empty));
    let sentence = speech("You are the first in the queue. Please hold the line.");
    let clip = render_one(&prompts, &sentence).await.unwrap();
    assert!(clip.duration() > Duration::from_secs(2), "{:?}", clip.duration());
    assert!(clip.duration() < Duration::from_secs(6), "{:?}", clip.duration());
    let level = level(&samples(&clip));
    assert!(level > Dbov(-35.0), "{level:?}");
}

#[tokio::test]
async fn nothing_to_say_is_an_error() {
    let silence = render(&prompts(Err(PromptError::Empty)), &speech(" \n ")).await;
    assert_eq!(silence.unwrap_err(), PromptError::Empty);
}

#[tokio::test]
async fn strange_text_is_spoken_or_refused() {
    let prompts = prompts(Err(PromptError::Empty));
    for text in
        ["日本語 🦀 ﷽", "1e999 99999999999999999999999999 $%^&*", &"a".repeat(3_000), &"9 ".repeat(1_500)]
    {
        match render(&prompts, &speech(text)).await {
            Ok(clips) => assert!(clips.iter().map(|clip| clip.duration()).sum::<Duration>() <= MAX_CLIP),
            Err(error) => assert_eq!(error, PromptError::Empty),
        }
    }
}

#[tokio::test]
async fn a_file_is_fetched_each_time_and_decoded_once() {
    let prompts = prompts(Ok(wav(PCM_8K, &bytes_of(&tone(160)))));
    let first = render_one(&prompts, &file()).await.unwrap();
    let second = render_one(&prompts, &file()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(prompts.files.1.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_file_that_cannot_be_fetched_says_why() {
    let error = PromptError::Fetch("404 Not Found".into());
    assert_eq!(render(&prompts(Err(error.clone())), &file()).await.unwrap_err(), error);
}

#[tokio::test]
async fn a_panic_ends_one_prompt_and_no_more() {
    let broken = on_a_thread(|_| -> Result<(), PromptError> { panic!("no decoder should") }).await;
    assert_eq!(broken, Err(PromptError::Broken));
    assert!(render_one(&prompts(Err(PromptError::Empty)), &PromptContent::Beep1).await.is_ok());
}

#[tokio::test]
async fn work_that_nobody_waits_for_is_told_to_stop() {
    let (told, stopped) = std::sync::mpsc::channel();
    let work = on_a_thread(move |stop| {
        while !stop.is_cancelled() {
            std::thread::yield_now();
        }
        told.send(()).map_err(|_| PromptError::Broken)
    });
    assert!(tokio::time::timeout(Duration::from_millis(10), work).await.is_err());
    stopped.recv_timeout(Duration::from_secs(5)).unwrap();
}
