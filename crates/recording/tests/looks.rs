//! Pictures of recordings, and whether they were changed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Cursor;

use mixminus_audio::SampleRate;
use mixminus_recording::{
    Background, FileName, Finished, Format, Layout, MemoryStorage, Outline, Picture, Recorder, Sidecar,
    TrackId, VerifyError, verify,
};

const RATE: SampleRate = SampleRate::Hz8000;

/// Parts of 960 ms, which are whole numbers of buckets: loud, paused, a gap, and quiet.
fn record(ticks: u64) -> (Finished, Sidecar, Vec<u8>) {
    let storage = MemoryStorage::default();
    let mut recorder = Recorder::new(Outline::new(RATE, Format::Wav, Layout::Mono), storage.clone()).unwrap();
    for tick in 0..ticks {
        let wave = |loud: i16| (0..160).map(|n| if n % 2 == 0 { loud } else { -loud }).collect::<Vec<_>>();
        match tick {
            0..48 => recorder.tick(tick, RATE, &[(TrackId(1), &wave(32_000))]).unwrap(),
            48..96 => recorder.paused(tick).unwrap(),
            96..144 => {}
            _ => recorder.tick(tick, RATE, &[(TrackId(1), &wave(8_000))]).unwrap(),
        }
    }
    let finished = recorder.finish().unwrap();
    let sidecar = Sidecar::read(&storage.bytes(FileName::Sidecar).unwrap()[..]).unwrap();
    (finished, sidecar, storage.bytes(FileName::Main).unwrap())
}

/// The places in the palette of each pixel, row by row.
fn pixels(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let shape = reader.next_frame(&mut pixels).unwrap();
    (shape.width, shape.height, pixels)
}

const SMALL: Picture = Picture { width: 8, height: 9, background: Background::Light };

#[test]
fn a_picture_shows_where_it_was_loud_quiet_paused_and_missing() {
    let (_, sidecar, _) = record(192);
    let (width, height, pixels) = pixels(&sidecar.picture(None, SMALL).unwrap());
    assert_eq!((width, height), (8, 9));
    let rows: Vec<_> = pixels.chunks(8).collect();
    assert_eq!(rows[0], [3, 3, 1, 1, 2, 2, 0, 0]);
    assert_eq!(rows[3], [3, 3, 1, 1, 2, 2, 3, 3]);
    assert_eq!(rows[4], [3; 8], "silence is a line");
    assert_eq!(rows[8], rows[0]);
}

#[test]
fn a_picture_is_of_a_track_there_is_and_of_a_size_that_is_bounded() {
    let (_, sidecar, _) = record(192);
    assert_eq!(sidecar.picture(Some(TrackId(1)), SMALL), sidecar.picture(None, SMALL));
    assert_eq!(sidecar.picture(Some(TrackId(2)), SMALL), None);
    let huge = Picture { width: u32::MAX, height: u32::MAX, background: Background::Dark };
    let (width, height, _) = pixels(&sidecar.picture(None, huge).unwrap());
    assert_eq!((width, height), (4_096, 1_024));
    let none = Picture { width: 0, height: 0, ..SMALL };
    assert_eq!(pixels(&record(0).1.picture(None, none).unwrap()), (1, 1, vec![3]));
}

#[test]
fn what_was_not_changed_is_verified_and_a_minute_that_was_is_named() {
    let (finished, sidecar, main) = record(7_000);
    let check = |sidecar: &Sidecar, main: &[u8], head| verify(sidecar, Cursor::new(main), head);
    check(&sidecar, &main, finished.chain_head).unwrap();
    let mut changed = main.clone();
    changed[80 + 2 * 500_000] ^= 1;
    let found = check(&sidecar, &changed, finished.chain_head);
    assert!(matches!(found, Err(VerifyError::Audio { from_sample: 480_000 })), "{found:?}");
    let mut changed = main.clone();
    changed[30] ^= 1;
    assert!(matches!(check(&sidecar, &changed, finished.chain_head), Err(VerifyError::File)));
    let mut other = sidecar.clone();
    other.chain[1].samples -= 1;
    let found = check(&other, &main, finished.chain_head);
    assert!(matches!(found, Err(VerifyError::Link { from_sample: 480_000 })), "{found:?}");
    let (other, sidecar, main) = record(6_999);
    assert!(
        matches!(check(&sidecar, &main, finished.chain_head), Err(VerifyError::Head)),
        "all of it is another"
    );
    check(&sidecar, &main, other.chain_head).unwrap();
}
