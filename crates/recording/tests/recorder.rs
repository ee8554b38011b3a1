//! Files of whole recordings, read back.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read;

use mixminus_audio::{Dbov, Limiter, SampleRate, Sine};
use mixminus_recording::{
    Entry, Event, FileName, Finished, Format, Layout, MemoryStorage, Outline, Recorder, Side, Sidecar,
    Silence, Span, TrackId, recover,
};

const RATE: SampleRate = SampleRate::Hz16000;

fn outline(layout: Layout) -> Outline {
    Outline { keep_tracks: true, ..Outline::new(RATE, Format::Wav, layout) }
}

/// The samples of a WAV with a header of `head_bytes`.
fn samples(storage: &MemoryStorage, name: FileName, head_bytes: usize) -> Vec<i16> {
    let bytes = storage.bytes(name).unwrap();
    assert_eq!(&bytes[head_bytes - 8..head_bytes - 4], b"data");
    let size = u32::from_le_bytes(bytes[head_bytes - 4..head_bytes].try_into().unwrap());
    assert_eq!(size as usize, bytes.len() - head_bytes, "{name} says what it holds");
    bytes[head_bytes..].as_chunks().0.iter().map(|&sample| i16::from_le_bytes(sample)).collect()
}

fn sidecar(storage: &MemoryStorage) -> Sidecar {
    Sidecar::read(&storage.bytes(FileName::Sidecar).unwrap()[..]).unwrap()
}

/// Loud tones of tracks that begin and end, at rates that change, with a pause and a gap.
fn busy(layout: Layout) -> (Finished, MemoryStorage) {
    let storage = MemoryStorage::default();
    let mut recorder = Recorder::new(outline(layout), storage.clone()).unwrap();
    recorder.place(TrackId(0), Side::Left);
    for tick in (1_000..1_300).filter(|tick| !(1_120..1_130).contains(tick)) {
        let rate = SampleRate::ALL[tick as usize / 50 % 3];
        let present = (0..3).filter(|&track| tick >= 1_000 + 70 * u64::from(track));
        let frames: Vec<_> = present
            .map(|track| {
                let mut frame = vec![0; rate.frame_samples()];
                Sine::new(rate, 300.0 + 350.0 * f64::from(track), Dbov(-6.0)).fill(&mut frame);
                (TrackId(track), frame)
            })
            .collect();
        let frames: Vec<_> = frames.iter().map(|(track, frame)| (*track, &frame[..])).collect();
        if (1_200..1_220).contains(&tick) {
            recorder.paused(tick).unwrap();
        } else {
            recorder.tick(tick, rate, &frames).unwrap();
        }
    }
    (recorder.finish().unwrap(), storage)
}

/// The limited sum of tracks.
fn limited(tracks: &[&[i16]]) -> Vec<i16> {
    let mut limiter = Limiter::new(RATE);
    let mut out = vec![0; tracks[0].len()];
    for (n, out) in out.chunks_exact_mut(RATE.frame_samples()).enumerate() {
        let at = n * RATE.frame_samples();
        let sum = |n| tracks.iter().map(|track| i32::from(track[at + n])).sum();
        limiter.limit(&(0..out.len()).map(sum).collect::<Vec<i32>>(), out);
    }
    out
}

#[test]
fn the_limited_sum_of_the_tracks_is_the_mix_bit_for_bit() {
    let (finished, storage) = busy(Layout::Mono);
    assert_eq!(finished.samples, 300 * 320);
    let tracks = [0, 1, 2].map(|track| samples(&storage, FileName::Track(TrackId(track)), 80));
    assert!(tracks.iter().all(|track| track.len() == 300 * 320 && track.iter().any(|&sample| sample != 0)));
    let mix = samples(&storage, FileName::Main, 80);
    assert_eq!(mix, limited(&tracks.each_ref().map(|track| &track[..])));
    let raw: i32 = tracks.iter().map(|track| i32::from(track[64_010].abs())).sum();
    assert!(mix.iter().any(|sample| sample.unsigned_abs() > 30_000), "the limiter had work, e.g. {raw}");
}

#[test]
fn stereo_has_the_tracks_placed_left_on_the_left() {
    let (_, storage) = busy(Layout::Stereo);
    let tracks = [0, 1, 2].map(|track| samples(&storage, FileName::Track(TrackId(track)), 80));
    let both = samples(&storage, FileName::Main, 80);
    let side = |n: usize| both.iter().skip(n).step_by(2).copied().collect::<Vec<_>>();
    assert_eq!(side(0), limited(&[&tracks[0]]));
    assert_eq!(side(1), limited(&[&tracks[1], &tracks[2]]));
}

#[test]
fn each_track_is_a_channel_of_one_file() {
    let (finished, storage) = busy(Layout::EachItsOwn);
    let all = samples(&storage, FileName::Main, 104);
    for track in 0..3 {
        let channel: Vec<_> = all.iter().skip(track as usize).step_by(3).copied().collect();
        assert_eq!(channel, samples(&storage, FileName::Track(TrackId(track)), 80));
    }
    assert_eq!((finished.samples, all.len()), (300 * 320, 3 * 300 * 320));
}

#[test]
fn pauses_and_gaps_are_silent_and_told() {
    let (_, storage) = busy(Layout::Mono);
    let spans = [(Silence::Gap, 120, 10), (Silence::Paused, 200, 20)];
    let spans = spans.map(|(why, tick, ticks)| Span { why, from_sample: tick * 320, samples: ticks * 320 });
    assert_eq!(sidecar(&storage).spans, spans);
    for name in [FileName::Main, FileName::Track(TrackId(0))] {
        let samples = samples(&storage, name, 80);
        for span in spans {
            let (from, to) = (span.from_sample as usize, (span.from_sample + span.samples) as usize);
            assert!(samples[from..to].iter().all(|&sample| sample == 0), "{name} at {from}");
            assert!(samples[from - 20..from].iter().any(|&sample| sample != 0), "{name} before {from}");
            assert!(samples[to..to + 20].iter().any(|&sample| sample != 0), "{name} after {to}");
        }
    }
}

#[test]
fn what_happened_is_told_with_its_place() {
    let storage = MemoryStorage::default();
    let mut recorder = Recorder::new(outline(Layout::Mono), storage.clone()).unwrap();
    let entry = |event| Entry { participant: Some("p".to_owned()), event };
    let who = Event::Participant { name: None, role: "agent".to_owned(), track: Some(TrackId(4)) };
    recorder.mark(77, entry(who.clone()));
    for tick in 100..160 {
        recorder.tick(tick, RATE, &[(TrackId(4), &[9; 320])]).unwrap();
    }
    recorder.mark(110, entry(Event::Digits { digits: "5#".to_owned() }));
    recorder.finish().unwrap();
    let told = sidecar(&storage);
    let told: Vec<_> =
        told.entries.iter().map(|told| (told.at_ms, told.at_sample, &told.entry.event)).collect();
    assert_eq!(told, [(0, 0, &who), (200, 3_200, &Event::Digits { digits: "5#".to_owned() })]);
}

#[test]
fn nothing_but_what_was_asked_for_is_left() {
    let storage = MemoryStorage::default();
    let outline = Outline::new(RATE, Format::Wav, Layout::EachItsOwn);
    let mut recorder = Recorder::new(outline, storage.clone()).unwrap();
    for tick in 0..30 {
        recorder.tick(tick, RATE, &[(TrackId(0), &[9; 320])]).unwrap();
    }
    assert!(storage.names().contains(&FileName::Track(TrackId(0))));
    let finished = recorder.finish().unwrap();
    assert_eq!(storage.names(), [FileName::Main, FileName::Sidecar]);
    assert_eq!(finished.files.iter().map(|file| file.name).collect::<Vec<_>>(), [FileName::Main]);
    assert_eq!(recover(storage).unwrap(), None);
}

#[test]
fn a_recording_without_a_tick_is_empty_and_whole() {
    for layout in [Layout::Mono, Layout::Stereo, Layout::EachItsOwn] {
        let storage = MemoryStorage::default();
        let finished = Recorder::new(outline(layout), storage.clone()).unwrap().finish().unwrap();
        assert_eq!((finished.samples, samples(&storage, FileName::Main, 80).len()), (0, 0));
    }
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let multi = Outline::new(RATE, Format::Mp3, Layout::EachItsOwn);
    assert!(Recorder::new(multi, MemoryStorage::default()).is_err());
    let mut recorder = Recorder::new(outline(Layout::Mono), MemoryStorage::default()).unwrap();
    recorder.tick(5, RATE, &[]).unwrap();
    assert!(recorder.tick(5, RATE, &[]).is_err(), "the same tick again");
    assert!(recorder.tick(6, RATE, &[(TrackId(0), &[0; 160])]).is_err(), "a frame of another rate");
    let silence = [0; 320];
    let frames: Vec<_> = (0..513).map(|track| (TrackId(track), &silence[..])).collect();
    recorder.tick(6, RATE, &frames[..512]).unwrap();
    assert!(recorder.tick(7, RATE, &frames).is_err(), "one track too many");
}

#[test]
fn the_sum_of_a_file_is_that_of_its_bytes() {
    let (finished, storage) = busy(Layout::Mono);
    for file in &finished.files {
        let mut bytes = Vec::new();
        storage.bytes(file.name).unwrap().as_slice().read_to_end(&mut bytes).unwrap();
        assert_eq!(file.bytes, bytes.len() as u64);
    }
    assert_eq!(finished, sidecar(&storage).finished());
}
