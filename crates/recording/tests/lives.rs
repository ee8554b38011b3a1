//! Recordings of random and of long conferences.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "other tests use more of it")]
mod common;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::tone;
use mixminus_audio::{Limiter, SampleRate, goertzel};
use mixminus_recording::{
    FileName, Format, Layout, Medium, MemoryFile, MemoryStorage, Outline, Recorder, Sidecar, Silence,
    Storage, TrackId, verify,
};
use proptest::prelude::*;
use proptest::sample::select;

/// What happens at a tick.
#[derive(Clone, Debug)]
enum Tick {
    /// These tracks have frames of noise at this rate.
    Frames(SampleRate, Vec<u32>),
    Paused,
    /// So many ticks are left out before the next.
    Gap(u64),
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    let rates = || select(SampleRate::ALL.to_vec());
    let frames = (rates(), proptest::collection::vec(0..5_u32, 0..4)).prop_map(|(rate, mut tracks)| {
        tracks.sort_unstable();
        tracks.dedup();
        Tick::Frames(rate, tracks)
    });
    let ticks = prop_oneof![8 => frames, 1 => Just(Tick::Paused), 1 => (1..60_u64).prop_map(Tick::Gap)];
    proptest::collection::vec(ticks, 1..120)
}

fn noise(rate: SampleRate, seed: u64) -> Vec<i16> {
    let mut state = seed as u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16
    };
    (0..rate.frame_samples()).map(|_| next()).collect()
}

/// Records all of it, and gives the number of ticks that makes.
fn record(outline: Outline, storage: MemoryStorage, ticks: &[Tick]) -> u64 {
    let mut recorder = Recorder::new(outline, storage).unwrap();
    // A gap after the last tick is not seen.
    let (mut now, mut first, mut end) = (1 << 40, None, 0);
    for tick in ticks {
        match tick {
            Tick::Gap(ticks) => now += ticks,
            Tick::Paused => recorder.paused(now).unwrap(),
            Tick::Frames(rate, tracks) => {
                let frames =
                    tracks.iter().map(|&track| (TrackId(track), noise(*rate, now + u64::from(track))));
                let frames: Vec<_> = frames.collect();
                let frames: Vec<_> = frames.iter().map(|(track, frame)| (*track, &frame[..])).collect();
                recorder.tick(now, *rate, &frames).unwrap();
            }
        }
        if !matches!(tick, Tick::Gap(_)) {
            first.get_or_insert(now);
            now += 1;
            end = now;
        }
    }
    let expected = first.map_or(0, |first| end - first);
    assert_eq!(recorder.finish().unwrap().samples, expected * RATE.frame_samples() as u64);
    expected
}

const RATE: SampleRate = SampleRate::Hz16000;

fn samples(storage: &MemoryStorage, name: FileName) -> Vec<i16> {
    storage.bytes(name).unwrap()[80..]
        .as_chunks()
        .0
        .iter()
        .map(|&sample| i16::from_le_bytes(sample))
        .collect()
}

fn sidecar(storage: &MemoryStorage) -> Sidecar {
    Sidecar::read(&storage.bytes(FileName::Sidecar).unwrap()[..]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_track_is_as_long_as_the_mix_and_their_limited_sum_is_the_mix(ticks in ticks()) {
        let storage = MemoryStorage::default();
        let outline = Outline { keep_tracks: true, ..Outline::new(RATE, Format::Wav, Layout::Mono) };
        let length = record(outline, storage.clone(), &ticks) as usize * RATE.frame_samples();
        let sidecar = sidecar(&storage);
        let mut sum = vec![0; length];
        for &track in sidecar.tracks.keys() {
            let track = samples(&storage, FileName::Track(track));
            prop_assert_eq!(track.len(), length);
            sum.iter_mut().zip(track).for_each(|(sum, sample)| *sum += i32::from(sample));
        }
        let mut limiter = Limiter::new(RATE);
        let mut expected = vec![0; length];
        for (sum, out) in sum.chunks(RATE.frame_samples()).zip(expected.chunks_mut(RATE.frame_samples())) {
            limiter.limit(sum, out);
        }
        prop_assert_eq!(samples(&storage, FileName::Main), expected);
        let finished = sidecar.finished();
        verify(&sidecar, storage.clone().open(FileName::Main).unwrap(), finished.chain_head).unwrap();
    }

    #[test]
    fn every_format_and_layout_has_the_exact_length(
        ticks in ticks(),
        (format, layout) in select(vec![
            (Format::Mp3, Layout::Mono),
            (Format::OggOpus, Layout::Stereo),
            (Format::Flac, Layout::Stereo),
            (Format::Wav, Layout::EachItsOwn),
        ]),
    ) {
        record(Outline::new(RATE, format, layout), MemoryStorage::default(), &ticks);
    }
}

#[test]
fn nothing_of_a_pause_is_in_anything_that_is_written() {
    for layout in [Layout::Mono, Layout::EachItsOwn] {
        let storage = MemoryStorage::default();
        let outline = Outline { keep_tracks: true, ..Outline::new(RATE, Format::Wav, layout) };
        let mut recorder = Recorder::new(outline, storage.clone()).unwrap();
        for tick in 0..150 {
            // A change of rate right before and after it, so that filters are full.
            let rate = if tick < 49 { RATE } else { SampleRate::Hz8000 };
            match tick {
                50..100 => recorder.paused(tick).unwrap(),
                _ => recorder.tick(tick, rate, &[(TrackId(0), &tone(rate, 450.0, tick))]).unwrap(),
            }
        }
        recorder.finish().unwrap();
        let track = samples(&storage, FileName::Track(TrackId(0)));
        let frames: Vec<_> = track.chunks(RATE.frame_samples()).collect();
        assert!(frames[50..100].iter().all(|frame| frame.iter().all(|&sample| sample == 0)));
        assert!([49, 100].iter().all(|&tick| goertzel(frames[tick], RATE, 450.0).0 > -21.0));
        let spans = sidecar(&storage).spans;
        assert_eq!((spans.len(), spans[0].why, spans[0].samples), (1, Silence::Paused, 50 * 320));
    }
}

/// A main file of which only the first bytes are kept, and other files in memory.
#[derive(Clone, Default)]
struct Hollow {
    files: MemoryStorage,
    main_bytes: Arc<AtomicU64>,
}

enum HollowFile {
    Whole(MemoryFile),
    Main { start: MemoryFile, bytes: Arc<AtomicU64>, position: u64 },
}

const KEPT_BYTES: u64 = 4_096;

impl Hollow {
    fn file(&self, name: FileName, file: MemoryFile) -> HollowFile {
        match name {
            FileName::Main => HollowFile::Main { start: file, bytes: self.main_bytes.clone(), position: 0 },
            _ => HollowFile::Whole(file),
        }
    }
}

impl Storage for Hollow {
    type File = HollowFile;

    fn create(&mut self, name: FileName) -> io::Result<HollowFile> {
        let file = self.files.create(name)?;
        Ok(self.file(name, file))
    }

    fn open(&mut self, name: FileName) -> io::Result<HollowFile> {
        let file = self.files.open(name)?;
        Ok(self.file(name, file))
    }

    fn remove(&mut self, name: FileName) -> io::Result<()> {
        self.files.remove(name)
    }
}

impl Read for HollowFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(file) => file.read(buffer),
            Self::Main { bytes, position, .. } => {
                let count = (buffer.len() as u64).min(bytes.load(Ordering::Relaxed) - *position);
                buffer[..count as usize].fill(0);
                *position += count;
                Ok(count as usize)
            }
        }
    }
}

impl Write for HollowFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Whole(file) => file.write(buffer),
            Self::Main { start, bytes, position } => {
                if *position < KEPT_BYTES {
                    start.seek(SeekFrom::Start(*position))?;
                    start.write_all(buffer)?;
                }
                *position += buffer.len() as u64;
                bytes.fetch_max(*position, Ordering::Relaxed);
                Ok(buffer.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for HollowFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match (self, to) {
            (Self::Whole(file), to) => file.seek(to),
            (Self::Main { position, .. }, SeekFrom::Start(place)) => {
                *position = place;
                Ok(place)
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl Medium for HollowFile {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        match self {
            Self::Whole(file) => file.set_len(length),
            Self::Main { bytes, .. } => {
                bytes.store(length, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

#[test]
fn a_day_with_churn_pauses_gaps_and_changes_of_rate_is_exact_to_the_sample() {
    const DAY: u64 = 24 * 3_600 * 50;
    let rate = SampleRate::Hz8000;
    let storage = Hollow::default();
    let mut recorder = Recorder::new(Outline::new(rate, Format::Wav, Layout::Mono), storage.clone()).unwrap();
    let tones = SampleRate::ALL.map(|rate| tone(rate, 700.0, 0));
    for tick in 0..DAY {
        let now = tick / 9_000;
        let at = (now % 3) as usize;
        let frame = [(TrackId((now % 40) as u32), &tones[at][..])];
        match tick % 9_000 {
            4_000..4_300 => recorder.paused(tick).unwrap(),
            5_000..5_007 => {}
            n => recorder.tick(tick, SampleRate::ALL[at], &frame[..usize::from(n < 300)]).unwrap(),
        }
    }
    let finished = recorder.finish().unwrap();
    let bytes = 24 * 3_600 * 8_000 * 2;
    assert_eq!((finished.samples, finished.files[0].bytes), (bytes / 2, 80 + bytes));
    let head = storage.files.bytes(FileName::Main).unwrap();
    assert_eq!(head[76..80], (bytes as u32).to_le_bytes());
    let sidecar = sidecar(&storage.files);
    assert_eq!((sidecar.tracks.len(), sidecar.spans.len(), sidecar.chain.len()), (40, 960, 1_440));
    let lost: u64 =
        sidecar.spans.iter().filter(|span| span.why == Silence::Gap).map(|span| span.samples).sum();
    assert_eq!(lost, 480 * 7 * 160);
}
