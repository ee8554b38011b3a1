//! Files of every format, read by ffmpeg, ffprobe and sox.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::f64::consts::TAU;

use common::{decode, ffprobe, save, sox_samples, tone};
use mixminus_audio::{Dbov, Limiter, SampleRate, goertzel, level};
use mixminus_recording::{
    FileName, Finished, Format, Layout, MemoryStorage, Outline, Recorder, Side, TrackId,
};

/// Ticks of each recording: neither a whole number of blocks nor of checkpoints.
const TICKS: u64 = 117;

const LEFT_HZ: f64 = 700.0;
const RIGHT_HZ: f64 = 1_100.0;

/// A recording of two tones.
fn record(format: Format, rate: SampleRate, layout: Layout) -> (Finished, MemoryStorage) {
    let storage = MemoryStorage::default();
    let mut recorder = Recorder::new(Outline::new(rate, format, layout), storage.clone()).unwrap();
    recorder.place(TrackId(0), Side::Left);
    for tick in 0..TICKS {
        let left = tone(rate, LEFT_HZ, tick);
        let right = tone(rate, RIGHT_HZ, tick);
        recorder.tick(tick, rate, &[(TrackId(0), &left), (TrackId(1), &right)]).unwrap();
    }
    (recorder.finish().unwrap(), storage)
}

/// What is heard in the middle of a recording in one channel.
fn middle(samples: &[i16], channels: usize, channel: usize) -> Vec<i16> {
    let channel: Vec<_> = samples.iter().skip(channel).step_by(channels).copied().collect();
    let whole_tenths = channel.len() / 10;
    channel[3 * whole_tenths..7 * whole_tenths].to_vec()
}

fn close(heard: Dbov, expected: f32) -> bool {
    (heard.0 - expected).abs() < 1.0
}

#[test]
fn every_format_holds_exactly_its_samples_and_their_tones() {
    for format in Format::ALL {
        for rate in SampleRate::ALL {
            let (finished, storage) = record(format, rate, Layout::Mono);
            assert_eq!(finished.samples, TICKS * rate.frame_samples() as u64);
            let file = save(&storage, FileName::Main, format);
            let samples = decode(file.path(), rate);
            assert_eq!(samples.len() as u64, finished.samples, "{format:?} at {rate:?}");
            let heard = middle(&samples, 1, 0);
            for hz in [LEFT_HZ, RIGHT_HZ] {
                let found = goertzel(&heard, rate, hz);
                assert!(close(found, -20.0), "{hz} Hz at {found:?} in {format:?} at {rate:?}");
            }
            assert!(close(level(&heard), -17.0), "{:?} in {format:?} at {rate:?}", level(&heard));
        }
    }
}

#[test]
fn stereo_keeps_left_and_right_apart_in_every_format() {
    for format in Format::ALL {
        for rate in SampleRate::ALL {
            let (finished, storage) = record(format, rate, Layout::Stereo);
            let samples = decode(save(&storage, FileName::Main, format).path(), rate);
            assert_eq!(samples.len() as u64, 2 * finished.samples, "{format:?} at {rate:?}");
            for (channel, own, other) in [(0, LEFT_HZ, RIGHT_HZ), (1, RIGHT_HZ, LEFT_HZ)] {
                let heard = middle(&samples, 2, channel);
                let found = [own, other].map(|hz| goertzel(&heard, rate, hz));
                assert!(
                    close(found[0], -20.0) && found[1] < Dbov(-45.0),
                    "{found:?} in {format:?} at {rate:?}"
                );
            }
        }
    }
}

/// A tone that rises from 200 to 1800 Hz in two seconds.
fn sweep(rate: SampleRate) -> Vec<i16> {
    let at = |n: usize| n as f64 / f64::from(rate.hz());
    let phase = |time: f64| TAU * (200.0 * time + 400.0 * time * time);
    (0..100 * rate.frame_samples()).map(|n| (9_000.0 * phase(at(n)).sin()) as i16).collect()
}

#[test]
fn what_was_heard_is_decoded_at_its_place() {
    for format in Format::ALL {
        for rate in SampleRate::ALL {
            let (storage, sweep) = (MemoryStorage::default(), sweep(rate));
            let mut recorder =
                Recorder::new(Outline::new(rate, format, Layout::Mono), storage.clone()).unwrap();
            for (tick, frame) in (0..).zip(sweep.chunks(rate.frame_samples())) {
                recorder.tick(tick, rate, &[(TrackId(0), frame)]).unwrap();
            }
            recorder.finish().unwrap();
            let samples = decode(save(&storage, FileName::Main, format).path(), rate);
            let most = 10 * rate.samples_per_ms();
            let middle = &sweep[most..sweep.len() - most];
            let alike = |shift: &usize| -> i64 {
                samples[*shift..].iter().zip(middle).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
            };
            let best = (0..2 * most).max_by_key(alike).unwrap();
            // Codecs for speech delay different frequencies differently.
            assert!(
                best.abs_diff(most) <= rate.samples_per_ms(),
                "{best}, not {most}, in {format:?} at {rate:?}"
            );
        }
    }
}

#[test]
fn lossless_formats_hold_the_limited_sum_bit_for_bit() {
    let rate = SampleRate::Hz16000;
    let [wav, flac] = [Format::Wav, Format::Flac].map(|format| {
        decode(save(&record(format, rate, Layout::Mono).1, FileName::Main, format).path(), rate)
    });
    let mut limiter = Limiter::new(rate);
    let mut expected = Vec::new();
    for tick in 0..TICKS {
        let tones = [tone(rate, LEFT_HZ, tick), tone(rate, RIGHT_HZ, tick)];
        let sum: Vec<_> =
            (0..rate.frame_samples()).map(|n| tones.iter().map(|tone| i32::from(tone[n])).sum()).collect();
        let mut frame = vec![0; sum.len()];
        limiter.limit(&sum, &mut frame);
        expected.extend(frame);
    }
    assert_eq!(wav, expected);
    assert_eq!(flac, expected);
}

#[test]
fn ffprobe_and_sox_know_length_and_shape_of_every_format() {
    for format in Format::ALL {
        for (layout, channels) in [(Layout::Mono, 1), (Layout::Stereo, 2)] {
            let (finished, storage) = record(format, SampleRate::Hz48000, layout);
            let file = save(&storage, FileName::Main, format);
            let probed = ffprobe(file.path());
            assert_eq!(probed.channels, channels, "{format:?}");
            // Of MP3 it counts whole frames of 24 ms, those before the start included.
            let off = probed.seconds - finished.duration().as_secs_f64();
            assert!(off.abs() < 0.05, "{probed:?} of {format:?}");
            // sox does not look at the tag of MP3, and not every sox reads Opus.
            if matches!(format, Format::Wav | Format::Flac) {
                assert_eq!(sox_samples(file.path()), finished.samples, "{format:?}");
            }
        }
    }
}

#[test]
fn a_channel_for_each_track_is_read_by_everybody() {
    let (finished, storage) = record(Format::Wav, SampleRate::Hz8000, Layout::EachItsOwn);
    let file = save(&storage, FileName::Main, Format::Wav);
    assert_eq!((ffprobe(file.path()).channels, sox_samples(file.path())), (2, finished.samples));
}
