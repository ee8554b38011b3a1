//! Whole recordings in sealed files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{self, Read};

use mixminus_audio::SampleRate;
use mixminus_recording::sealed::{SealedFile, SealingKey};
use mixminus_recording::{
    FileName, Format, Layout, MemoryFile, MemoryStorage, Outline, Recorder, Storage, TrackId, recover,
};

#[derive(Clone, Default)]
struct Sealed(MemoryStorage);

fn key() -> SealingKey {
    SealingKey::new([3; 32])
}

impl Storage for Sealed {
    type File = SealedFile<MemoryFile>;

    fn create(&mut self, name: FileName) -> io::Result<Self::File> {
        SealedFile::create(self.0.create(name)?, &key())
    }

    fn open(&mut self, name: FileName) -> io::Result<Self::File> {
        SealedFile::open(self.0.open(name)?, &key())
    }

    fn remove(&mut self, name: FileName) -> io::Result<()> {
        self.0.remove(name)
    }
}

/// Records ten seconds of a wave, of which a second track has the last five, and gives what the process has then.
fn record<S: Storage>(storage: S, format: Format) -> Recorder<S> {
    let outline = Outline { keep_tracks: true, ..Outline::new(SampleRate::Hz48000, format, Layout::Mono) };
    let mut recorder = Recorder::new(outline, storage).unwrap();
    let wave: Vec<_> = (0..960).map(|n| (n % 48 - 24) * 300).collect();
    let frames = [(TrackId(0), &wave[..]), (TrackId(1), &wave[..])];
    for tick in 0..500 {
        recorder.tick(tick, SampleRate::Hz48000, &frames[..if tick < 250 { 1 } else { 2 }]).unwrap();
    }
    recorder
}

#[test]
fn sealed_files_hold_what_open_ones_would_finished_or_recovered() {
    for format in Format::ALL {
        for crash in [false, true] {
            let (plain, mut sealed) = (MemoryStorage::default(), Sealed::default());
            let recorders = (record(plain.clone(), format), record(sealed.clone(), format));
            let finished = if crash {
                drop(recorders);
                (recover(plain.clone()).unwrap().unwrap(), recover(sealed.clone()).unwrap().unwrap())
            } else {
                (recorders.0.finish().unwrap(), recorders.1.finish().unwrap())
            };
            assert_eq!(finished.0, finished.1);
            assert_eq!(plain.names(), sealed.0.names());
            for name in plain.names() {
                let mut content = Vec::new();
                sealed.open(name).unwrap().read_to_end(&mut content).unwrap();
                assert_eq!(Some(content), plain.bytes(name), "{name} of {format:?}");
            }
        }
    }
}

#[test]
fn a_recorder_goes_to_another_thread() {
    fn check<T: Send>(_: &T) {}
    check(&record(Sealed::default(), Format::Mp3));
}
