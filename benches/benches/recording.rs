//! A second of a conference at 16 kHz, recorded in each format, without a disk.

use std::hint::black_box;
use std::io::{self, Read, Seek, SeekFrom, Write};

use criterion::{Criterion, criterion_group, criterion_main};
use flite_rs::Engine;
use mixminus_audio::SampleRate;
use mixminus_recording::{FileName, Format, Layout, Medium, Outline, Recorder, Storage, TrackId};

const RATE: SampleRate = SampleRate::Hz16000;
const TICKS_PER_SECOND: u64 = 50;

/// Files that keep nothing.
struct Nowhere;

impl Storage for Nowhere {
    type File = Self;

    fn create(&mut self, _name: FileName) -> io::Result<Self> {
        Ok(Self)
    }

    fn open(&mut self, _name: FileName) -> io::Result<Self> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn remove(&mut self, _name: FileName) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Nowhere {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Nowhere {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(black_box(buffer).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Nowhere {
    fn seek(&mut self, _position: SeekFrom) -> io::Result<u64> {
        Ok(0)
    }
}

impl Medium for Nowhere {
    fn set_len(&mut self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }
}

/// Frames of speech.
fn speech() -> Vec<Vec<i16>> {
    let mut engine = Engine::new();
    assert!(engine.select_voice("kal16"), "the voice is compiled in");
    let said = engine.synthesize("Good morning, you are speaking to the service desk. Please hold the line.");
    said.samples.chunks_exact(RATE.frame_samples()).map(<[i16]>::to_vec).collect()
}

/// Records second after second of participants who all talk, in frames at `rate`.
fn bench(criterion: &mut Criterion, name: &str, outline: Outline, participants: usize) {
    let speech = speech();
    let mut recorder = Recorder::new(outline, Nowhere).expect("there is nothing to fail");
    let mut tick = 0;
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            for _ in 0..TICKS_PER_SECOND {
                let frame = |n: usize| &speech[(tick as usize + 7 * n) % speech.len()][..];
                let frames: Vec<_> = (0..participants).map(|n| (TrackId(n as u32), frame(n))).collect();
                recorder.tick(tick, RATE, &frames).expect("there is nothing to fail");
                tick += 1;
            }
        });
    });
}

fn formats(criterion: &mut Criterion) {
    for format in Format::ALL {
        for participants in [1, 10] {
            let name = format!("recording of a second of {participants} to {format:?}");
            bench(criterion, &name, Outline::new(RATE, format, Layout::Mono), participants);
        }
        let name = format!("recording of a second of 2 to {format:?} in stereo");
        bench(criterion, &name, Outline::new(RATE, format, Layout::Stereo), 2);
    }
    let tracks = Outline { keep_tracks: true, ..Outline::new(RATE, Format::Wav, Layout::Mono) };
    bench(criterion, "recording of a second of 10 to Wav and tracks", tracks, 10);
    let full = Outline::new(SampleRate::Hz48000, Format::Wav, Layout::Mono);
    bench(criterion, "recording of a second of 10 to Wav at 48000 Hz", full, 10);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = formats
}
criterion_main!(benches);
