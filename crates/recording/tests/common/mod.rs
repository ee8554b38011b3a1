//! Programs that read recordings, and what they are given.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use mixminus_audio::{Dbov, SampleRate, Sine};
use mixminus_recording::{FileName, Format, MemoryStorage};
use tempfile::NamedTempFile;

/// The frame of an endless tone at -20 dBov that is heard at `tick`.
pub fn tone(rate: SampleRate, hz: f64, tick: u64) -> Vec<i16> {
    let mut frame = vec![0; rate.frame_samples()];
    // Every tone here fits 20 ms a whole number of times.
    debug_assert!((hz * 0.02).fract() == 0.0, "{tick}");
    Sine::new(rate, hz, Dbov(-20.0)).fill(&mut frame);
    frame
}

/// A file on disk with what there is in memory.
pub fn save(storage: &MemoryStorage, name: FileName, format: Format) -> NamedTempFile {
    let suffix = format!(".{}", format.extension());
    let mut file = tempfile::Builder::new().suffix(&suffix).tempfile().unwrap();
    file.write_all(&storage.bytes(name).unwrap()).unwrap();
    file
}

/// What a program prints, which must succeed.
fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let ran = Command::new(program).args(arguments).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program} is needed by this test: {error}"));
    assert!(ran.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// The samples that ffmpeg finds in a file, at `rate`, interleaved.
pub fn decode(path: &Path, rate: SampleRate) -> Vec<i16> {
    let (path, rate) = (path.to_str().unwrap(), rate.hz().to_string());
    let arguments = ["-v", "error", "-i", path, "-f", "s16le", "-ar", &rate, "-"];
    let bytes = run("ffmpeg", &arguments);
    bytes.as_chunks().0.iter().map(|&sample| i16::from_le_bytes(sample)).collect()
}

/// What ffprobe says of a file.
#[derive(Debug)]
pub struct Probed {
    pub channels: u16,
    pub seconds: f64,
}

pub fn ffprobe(path: &Path) -> Probed {
    let entries = "stream=channels:format=duration";
    let arguments =
        ["-v", "error", "-show_entries", entries, "-of", "default=nk=1:nw=1", path.to_str().unwrap()];
    let text = String::from_utf8(run("ffprobe", &arguments)).unwrap();
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_else(|| panic!("ffprobe says too little: {text:?}"));
    Probed { channels: next().parse().unwrap(), seconds: next().parse().unwrap() }
}

/// The samples of each channel that sox counts.
pub fn sox_samples(path: &Path) -> u64 {
    let text = String::from_utf8(run("sox", &["--i", "-s", path.to_str().unwrap()])).unwrap();
    text.trim().parse().unwrap()
}
