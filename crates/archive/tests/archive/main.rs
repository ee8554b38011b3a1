//! Recordings on the way from the spool to a store, and back to a reader.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

mod imitation;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use mixminus_archive::{Archive, ArchiveError, FileName, Format, ObjectPlace, Pace, SealingKey, Spool};
use mixminus_recording::{FileName as Part, Storage};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use imitation::Imitation;

const ID: Uuid = Uuid::from_u128(0xab00_0000_0000_4000_8000_0000_0000_0001);
const MAIN: FileName = FileName::Main(Format::Wav);
const PART_BYTES: usize = 1000;
const PACE: Pace = Pace {
    part_bytes: PART_BYTES as u64,
    first_retry: Duration::from_millis(10),
    longest_retry: Duration::from_millis(50),
};

/// A process that keeps recordings in a directory and a store.
struct Process {
    archive: Arc<Archive>,
    task: JoinHandle<()>,
    _stop: DropGuard,
}

impl Process {
    async fn start(directory: &Path, store: &Arc<dyn ObjectPlace>) -> Self {
        let spool = reopened(directory, None).await;
        Self::keeping(Archive::new(spool, Some(Arc::clone(store)), PACE))
    }

    fn keeping(archive: Archive) -> Self {
        let archive = Arc::new(archive);
        let (stop, running) = (CancellationToken::new(), Arc::clone(&archive));
        let stopped = stop.clone();
        let task = tokio::spawn(async move { running.run(stopped).await });
        Self { archive, task, _stop: stop.drop_guard() }
    }

    /// Ends between two bytes, as a process that is killed does.
    fn kill(self) {
        self.task.abort();
    }
}

/// The spool of a process that came after one that may still be ending.
async fn reopened(directory: &Path, key: Option<[u8; 32]>) -> Spool {
    loop {
        match Spool::open(directory, key.map(SealingKey::new)) {
            Err(ArchiveError::InUse) => tokio::time::sleep(Duration::from_millis(1)).await,
            opened => return opened.unwrap(),
        }
    }
}

fn audio(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * index / 7) as u8).collect()
}

fn write(archive: &Archive, id: Uuid, name: FileName, bytes: &[u8]) {
    let mut file = archive.spool().create(id, name).unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
}

async fn read(archive: &Archive, id: Uuid, name: FileName) -> Result<Vec<u8>, ArchiveError> {
    let stored = archive.open(id, name).await?;
    let len = stored.len();
    let windows: Vec<_> = stored.stream(0..len).try_collect().await?;
    Ok(windows.concat())
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

/// The files below `directory`, of whatever name.
fn files_below(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

fn is_empty(directory: &TempDir) -> bool {
    files_below(directory.path()).is_empty()
}

#[tokio::test]
async fn a_recording_reads_the_same_before_during_and_after_its_way_to_the_store() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let process = Process::start(directory.path(), &imitation.start().await).await;
    let archive = &process.archive;
    let files = [(MAIN, audio(2500)), (FileName::Track(1), audio(900)), (FileName::Sidecar, audio(0))];
    for (name, bytes) in &files {
        write(archive, ID, *name, bytes);
        assert_eq!(read(archive, ID, *name).await.unwrap(), *bytes);
    }
    let listed = files.each_ref().map(|(name, bytes)| (*name, bytes.len() as u64));
    assert_eq!(archive.files(ID).await.unwrap(), listed);
    assert_eq!(archive.finish(ID).unwrap(), 3400);
    until("the spool is empty", || is_empty(&directory)).await;
    for (name, bytes) in &files {
        assert_eq!(read(archive, ID, *name).await.unwrap(), *bytes);
    }
    assert_eq!(archive.files(ID).await.unwrap(), listed);
    let part = archive.open(ID, MAIN).await.unwrap().read(998..1003).await.unwrap();
    assert_eq!(part, audio(2500)[998..1003]);
    let missing = archive.open(ID, FileName::Track(2)).await;
    assert!(matches!(missing, Err(ArchiveError::NotFound)), "{:?}", missing.err());
    let named = |name: &str| format!("recordings/ab/{ID}/{name}");
    let expected = ["main.wav", "sidecar.json", "track-1.wav"].map(named);
    assert_eq!(imitation.kept().objects.keys().cloned().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn an_upload_goes_on_where_a_killed_process_left_it() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let store = imitation.start().await;
    // One request begins the upload and three bring parts.
    imitation.kept().requests_left = Some(4);
    let process = Process::start(directory.path(), &store).await;
    write(&process.archive, ID, MAIN, &audio(9 * PART_BYTES + 1));
    process.archive.finish(ID).unwrap();
    until("the store is down", || imitation.kept().requests_left == Some(0)).await;
    assert_eq!(read(&process.archive, ID, MAIN).await.unwrap(), audio(9 * PART_BYTES + 1));
    process.kill();

    imitation.kept().requests_left = None;
    let process = Process::start(directory.path(), &store).await;
    until("the spool is empty", || is_empty(&directory)).await;
    assert_eq!(imitation.kept().parts_taken, 10, "each part once");
    assert_eq!(read(&process.archive, ID, MAIN).await.unwrap(), audio(9 * PART_BYTES + 1));
}

#[tokio::test]
async fn an_upload_that_the_store_forgot_begins_anew() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let store = imitation.start().await;
    imitation.kept().requests_left = Some(3);
    let process = Process::start(directory.path(), &store).await;
    write(&process.archive, ID, MAIN, &audio(2500));
    process.archive.finish(ID).unwrap();
    until("the store is down", || imitation.kept().requests_left == Some(0)).await;
    {
        let mut kept = imitation.kept();
        kept.uploads.clear();
        kept.requests_left = None;
    }
    until("the spool is empty", || is_empty(&directory)).await;
    assert_eq!(read(&process.archive, ID, MAIN).await.unwrap(), audio(2500));
}

#[tokio::test]
async fn an_upload_whose_completion_was_not_heard_of_is_not_sent_again() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let process = Process::start(directory.path(), &imitation.start().await).await;
    imitation.kept().loses_next_answer = true;
    write(&process.archive, ID, MAIN, &audio(2500));
    process.archive.finish(ID).unwrap();
    until("the spool is empty", || is_empty(&directory)).await;
    assert_eq!(imitation.kept().parts_taken, 3);
    assert_eq!(read(&process.archive, ID, MAIN).await.unwrap(), audio(2500));
}

#[tokio::test]
async fn deletion_leaves_no_byte_also_when_the_store_was_down_and_the_process_killed() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let store = imitation.start().await;
    let (half, whole) = (ID, Uuid::from_u128(2));
    let process = Process::start(directory.path(), &store).await;
    write(&process.archive, whole, MAIN, b"secret");
    process.archive.finish(whole).unwrap();
    until("the spool is empty", || is_empty(&directory)).await;
    imitation.kept().requests_left = Some(3);
    write(&process.archive, half, MAIN, &audio(2500));
    process.archive.finish(half).unwrap();
    until("the store is down", || imitation.kept().requests_left == Some(0)).await;

    for id in [half, whole] {
        process.archive.delete(id).await.unwrap();
        assert!(matches!(read(&process.archive, id, MAIN).await, Err(ArchiveError::NotFound)));
        assert_eq!(process.archive.files(id).await.unwrap(), []);
    }
    let left = files_below(directory.path());
    assert!(left.iter().all(|path| path.ends_with("/upload.json")), "{left:?}");
    process.kill();

    imitation.kept().requests_left = None;
    let _process = Process::start(directory.path(), &store).await;
    let nothing = || imitation.kept().objects.is_empty() && imitation.kept().uploads.is_empty();
    until("the store is empty", nothing).await;
    until("nothing is to be done", || fs::read_dir(directory.path().join("deleted")).unwrap().count() == 0)
        .await;
    assert!(is_empty(&directory));
}

#[tokio::test]
async fn one_recording_that_the_store_refuses_keeps_no_other_back() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let process = Process::start(directory.path(), &imitation.start().await).await;
    imitation.kept().refused = Some(ID.to_string());
    for id in [ID, Uuid::from_u128(2), Uuid::from_u128(0xff << 120)] {
        write(&process.archive, id, MAIN, b"RIFF");
        process.archive.finish(id).unwrap();
    }
    until("the others are there", || imitation.kept().objects.len() == 2).await;
    imitation.kept().refused = None;
    until("all are there", || imitation.kept().objects.len() == 3).await;
}

#[tokio::test]
async fn what_a_dead_process_left_is_told_and_not_uploaded() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let spool = Spool::open(directory.path(), None).unwrap();
    spool.create(ID, MAIN).unwrap().write_all(b"RIFF").unwrap();
    drop(spool);
    let process = Process::start(directory.path(), &imitation.start().await).await;
    assert_eq!(process.archive.spool().unfinished(10).unwrap(), [ID]);
    write(&process.archive, Uuid::from_u128(2), MAIN, b"RIFF");
    process.archive.finish(Uuid::from_u128(2)).unwrap();
    until("the other is there", || imitation.kept().objects.len() == 1).await;
    assert_eq!(process.archive.spool().unfinished(10).unwrap(), [ID]);
    process.archive.spool().edit(ID, MAIN).unwrap().write_all(b"OggS").unwrap();
    process.archive.finish(ID).unwrap();
    assert!(process.archive.spool().unfinished(10).unwrap().is_empty());
    until("the spool is empty", || is_empty(&directory)).await;
    assert_eq!(read(&process.archive, ID, MAIN).await.unwrap(), b"OggS");
}

#[tokio::test]
async fn without_a_store_the_spool_is_the_place_and_a_deletion_is_done_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let archive = Archive::new(Spool::open(directory.path(), None).unwrap(), None, PACE);
    write(&archive, ID, MAIN, &audio(3 << 20));
    archive.finish(ID).unwrap();
    assert_eq!(read(&archive, ID, MAIN).await.unwrap(), audio(3 << 20));
    let stored = archive.open(ID, MAIN).await.unwrap();
    archive.delete(ID).await.unwrap();
    assert!(is_empty(&directory));
    assert_eq!(stored.read(0..4).await.unwrap(), audio(4), "who reads may go on");
    assert!(matches!(archive.open(ID, MAIN).await, Err(ArchiveError::NotFound)));
    assert!(matches!(archive.finish(ID), Err(ArchiveError::NotFound)));
    archive.delete(ID).await.unwrap();
}

#[test]
fn no_two_processes_have_one_directory() {
    let directory = tempfile::tempdir().unwrap();
    let first = Spool::open(directory.path(), None).unwrap();
    assert!(matches!(Spool::open(directory.path(), None), Err(ArchiveError::InUse)));
    drop(first);
    Spool::open(directory.path(), None).unwrap();
}

#[tokio::test]
async fn a_sealed_recording_is_read_by_range_from_either_place_and_lies_nowhere_in_clear() {
    let (directory, imitation) = (tempfile::tempdir().unwrap(), Imitation::default());
    let store = imitation.start().await;
    let keeping = async |key: Option<[u8; 32]>| {
        let spool = reopened(directory.path(), key).await;
        let pace = Pace { part_bytes: 1 << 20, ..PACE };
        Archive::new(spool, Some(Arc::clone(&store)), pace)
    };
    let audio = audio((5 << 19) + 3);
    let archive = keeping(Some([7; 32])).await;
    write(&archive, ID, MAIN, &audio);
    let check = async |archive: &Archive| {
        assert_eq!(read(archive, ID, MAIN).await.unwrap(), audio);
        let stored = archive.open(ID, MAIN).await.unwrap();
        for range in [0..1, 65_535..65_537, 1_048_575..1_048_577, audio.len() - 1..audio.len(), 5..5] {
            let bytes = stored.read(range.start as u64..range.end as u64).await.unwrap();
            assert_eq!(bytes, audio[range]);
        }
    };
    let refuse_others = async || {
        for key in [None, Some([8; 32])] {
            let refused = keeping(key).await.open(ID, MAIN).await.err();
            assert!(matches!(refused, Some(ArchiveError::Sealed(_))), "{refused:?}");
        }
    };
    check(&archive).await;
    drop(archive);
    refuse_others().await;
    let archive = keeping(Some([7; 32])).await;
    archive.finish(ID).unwrap();
    let files = files_below(directory.path()).into_iter().map(|path| fs::read(path).unwrap());
    let mut lying: Vec<_> = files.collect();
    let process = Process::keeping(archive);
    until("the spool is empty", || is_empty(&directory)).await;
    check(&process.archive).await;
    process.kill();
    refuse_others().await;
    lying.extend(imitation.kept().objects.values().cloned());
    let secret = &audio[1000..1016];
    assert!(lying.iter().any(|bytes| bytes.len() > audio.len()));
    assert!(lying.iter().all(|bytes| !bytes.windows(secret.len()).any(|piece| piece == secret)));
}

#[tokio::test]
async fn a_recorders_folder_is_the_recordings_and_takes_what_is_sealed_or_not() {
    let directory = tempfile::tempdir().unwrap();
    for key in [None, Some(SealingKey::new([7; 32]))] {
        let spool = Spool::open(directory.path(), key.clone()).unwrap();
        let id = Uuid::from_u128(u128::from(key.is_some()));
        let mut folder = spool.folder(id, Format::Mp3);
        for part in [Part::Main, Part::Journal] {
            let mut file = folder.create(part).unwrap();
            file.write_all(b"0123").unwrap();
            file.flush().unwrap();
        }
        folder.remove(Part::Journal).unwrap();
        folder.remove(Part::Journal).unwrap();
        assert_eq!(folder.open(Part::Journal).err().unwrap().kind(), ErrorKind::NotFound);
        let mut text = String::new();
        folder.open(Part::Main).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "0123");
        let names: Vec<_> = spool.files(id).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [FileName::Main(Format::Mp3)]);
    }
    let later = reopened(directory.path(), Some([7; 32])).await;
    assert!(
        later.edit(Uuid::from_u128(0), FileName::Main(Format::Mp3)).is_ok(),
        "made before there was a key"
    );
}
