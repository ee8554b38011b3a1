//! Recordings whose process ended at any moment.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "other tests use more of it")]
mod common;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::{decode, ffprobe, save, tone};
use mixminus_audio::SampleRate;
use mixminus_recording::{
    FileName, Finished, Format, Layout, Medium, MemoryFile, MemoryStorage, Outline, Recorder, Storage,
    TrackId, recover,
};

const RATE: SampleRate = SampleRate::Hz16000;
const TICKS: u64 = 230;

/// Something done to a file system.
#[derive(Clone)]
enum Step {
    Create(FileName),
    Write(FileName, u64, Vec<u8>),
    SetLen(FileName, u64),
    Remove(FileName),
    /// A tick has been given.
    Ticked,
}

/// Files in memory, and all that is done to them.
#[derive(Clone, Default)]
struct Watched {
    files: MemoryStorage,
    steps: Arc<Mutex<Vec<Step>>>,
    /// Whether nothing more fits.
    full: Arc<AtomicBool>,
}

struct WatchedFile {
    name: FileName,
    file: MemoryFile,
    watched: Watched,
}

impl Watched {
    fn note(&self, step: Step) {
        self.steps.lock().unwrap().push(step);
    }

    fn watch(&self, name: FileName, file: MemoryFile) -> WatchedFile {
        WatchedFile { name, file, watched: self.clone() }
    }

    fn room(&self) -> io::Result<()> {
        if self.full.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Storage for Watched {
    type File = WatchedFile;

    fn create(&mut self, name: FileName) -> io::Result<WatchedFile> {
        self.room()?;
        self.note(Step::Create(name));
        let file = self.files.create(name)?;
        Ok(self.watch(name, file))
    }

    fn open(&mut self, name: FileName) -> io::Result<WatchedFile> {
        let file = self.files.open(name)?;
        Ok(self.watch(name, file))
    }

    fn remove(&mut self, name: FileName) -> io::Result<()> {
        self.note(Step::Remove(name));
        self.files.remove(name)
    }
}

impl Read for WatchedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Write for WatchedFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let at = self.file.stream_position()?;
        let fits = if self.watched.room().is_ok() { buffer.len() } else { buffer.len() / 2 };
        self.watched.note(Step::Write(self.name, at, buffer[..fits].to_vec()));
        self.file.write_all(&buffer[..fits])?;
        self.watched.room().map(|()| fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for WatchedFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

impl Medium for WatchedFile {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        self.watched.room()?;
        self.watched.note(Step::SetLen(self.name, bytes));
        self.file.set_len(bytes)
    }
}

/// What is left when the process ends after some of the steps, and `torn` bytes of the next if that is a write.
fn replay(steps: &[Step], count: usize, torn: usize) -> (MemoryStorage, u64) {
    let mut left = MemoryStorage::default();
    let mut ticks = 0;
    let write = |left: &mut MemoryStorage, name, at, bytes: &[u8]| {
        let mut file = left.open(name).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
    };
    for step in &steps[..count] {
        match step {
            Step::Create(name) => drop(left.create(*name).unwrap()),
            Step::Write(name, at, bytes) => write(&mut left, *name, *at, bytes),
            Step::SetLen(name, bytes) => left.open(*name).unwrap().set_len(*bytes).unwrap(),
            Step::Remove(name) => left.remove(*name).unwrap(),
            Step::Ticked => ticks += 1,
        }
    }
    if let Some(Step::Write(name, at, bytes)) = steps.get(count) {
        write(&mut left, *name, *at, &bytes[..torn.min(bytes.len())]);
    }
    (left, ticks)
}

/// A whole recording of tones that nothing disturbs.
fn record(outline: Outline) -> (Finished, MemoryStorage, Vec<Step>) {
    record_with_full_disk(outline, 0..0)
}

/// A whole recording of tones, with a pause and a gap, and what was done for it. During these ticks nothing fits.
fn record_with_full_disk(outline: Outline, full: Range<u64>) -> (Finished, MemoryStorage, Vec<Step>) {
    let storage = Watched::default();
    let mut recorder = Recorder::new(outline, storage.clone()).unwrap();
    for tick in (0..TICKS).filter(|tick| !(60..70).contains(tick)) {
        let first = tone(RATE, 700.0, tick);
        let second = tone(RATE, 450.0, tick);
        let frames = [(TrackId(3), &first[..]), (TrackId(8), &second[..])];
        storage.full.store(full.contains(&tick), Ordering::Relaxed);
        let written = match tick {
            100..120 => recorder.paused(tick),
            _ => recorder.tick(tick, RATE, &frames[..if tick < 40 { 1 } else { 2 }]),
        };
        assert!(written.is_ok() || full.contains(&tick), "{written:?} at {tick}");
        let passed = if tick == 70 { 11 } else { 1 };
        (0..passed).for_each(|_| storage.note(Step::Ticked));
    }
    let finished = recorder.finish().unwrap();
    let steps = storage.steps.lock().unwrap().clone();
    (finished, storage.files, steps)
}

fn outline(format: Format, layout: Layout) -> Outline {
    Outline { keep_tracks: true, ..Outline::new(RATE, format, layout) }
}

/// Ends the process at `moment` and makes whole what is left.
fn crash(steps: &[Step], moment: usize, outline: &Outline) -> (Option<Finished>, MemoryStorage) {
    let (left, ticks) = replay(steps, moment, moment % 97);
    let finished = left.names().contains(&FileName::Sidecar);
    let recovered = recover(left.clone()).unwrap_or_else(|error| panic!("{error} after {moment} steps"));
    let whole = recovered.as_ref().map_or(0, |recording| recording.samples);
    let given = ticks * RATE.frame_samples() as u64;
    let at_most = u64::from(RATE.hz());
    assert!(
        whole + at_most >= given || finished,
        "{whole} of {given} left after {moment} steps of {outline:?}"
    );
    assert!(whole <= given, "{whole} of {given} after {moment} steps of {outline:?}");
    (recovered, left)
}

#[test]
fn at_most_a_second_is_lost_whenever_the_process_ends() {
    for format in Format::ALL {
        let outline = outline(format, Layout::Stereo);
        let (_, _, steps) = record(outline.clone());
        for moment in 0..steps.len() {
            let (recovered, left) = crash(&steps, moment, &outline);
            let Some(recovered) = recovered else { continue };
            assert!(recovered.recovered || moment + 4 > steps.len(), "{moment} of {}", steps.len());
            assert_eq!(
                left.names().len(),
                2 + recovered.files.len() - 1,
                "no journal is left after {moment} steps"
            );
            for file in &recovered.files {
                assert_eq!(left.bytes(file.name).unwrap().len() as u64, file.bytes);
            }
            assert_eq!(recover(left).unwrap(), None, "once is enough");
        }
    }
}

#[test]
fn what_is_recovered_is_the_beginning_of_what_was_recorded() {
    for layout in [Layout::Mono, Layout::EachItsOwn] {
        let outline = outline(Format::Wav, layout);
        let (_, whole, steps) = record(outline.clone());
        for moment in (0..steps.len()).step_by(7) {
            let (recovered, left) = crash(&steps, moment, &outline);
            let Some(recovered) = recovered else { continue };
            for file in recovered.files {
                let (left, whole) = (left.bytes(file.name).unwrap(), whole.bytes(file.name).unwrap());
                if left.len() > 80 && left[56..80] == whole[56..80] {
                    assert_eq!(left[80..], whole[80..left.len()], "{} after {moment} steps", file.name);
                }
            }
        }
    }
}

#[test]
fn what_is_recovered_of_every_format_is_decoded_to_its_exact_length() {
    for format in Format::ALL {
        let outline = outline(format, Layout::Mono);
        let (_, _, steps) = record(outline.clone());
        for part in 1..6 {
            let moment = steps.len() * part / 6 + 1;
            let (recovered, left) = crash(&steps, moment, &outline);
            let recovered = recovered.unwrap();
            let file = save(&left, FileName::Main, format);
            assert_eq!(
                decode(file.path(), RATE).len() as u64,
                recovered.samples,
                "{format:?} after {moment} steps"
            );
        }
    }
}

#[test]
fn a_disk_that_is_full_for_a_while_loses_nothing() {
    for format in Format::ALL {
        let (expected, whole, _) = record(outline(format, Layout::Mono));
        // The second track begins meanwhile.
        let (finished, files, steps) = record_with_full_disk(outline(format, Layout::Mono), 20..130);
        assert_eq!(finished, expected);
        for name in whole.names() {
            assert_eq!(files.bytes(name), whole.bytes(name), "{name} of {format:?}");
        }
        let when = steps.iter().scan(0, |tick, step| {
            *tick += u64::from(matches!(step, Step::Ticked));
            Some(*tick)
        });
        let during = when.enumerate().filter(|(_, tick)| (40..130).contains(tick)).map(|(moment, _)| moment);
        for moment in during.step_by(11) {
            let (left, _) = replay(&steps, moment, 0);
            let recovered = recover(left).unwrap().unwrap();
            assert!(recovered.samples <= 20 * 320, "{} of {format:?}", recovered.samples);
        }
    }
}

#[test]
fn a_file_is_opened_at_any_moment_without_being_recovered() {
    for format in Format::ALL {
        let (_, _, steps) = record(outline(format, Layout::Mono));
        for part in 2..6 {
            let (left, ticks) = replay(&steps, steps.len() * part / 6, 0);
            let probed = ffprobe(save(&left, FileName::Main, format).path());
            let given = ticks as f64 * 0.02;
            assert!(
                probed.seconds > given - 1.0 && probed.seconds < given + 0.1,
                "{probed:?} of {given} s of {format:?}"
            );
        }
    }
}
