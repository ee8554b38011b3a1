//! Programs that transcribe, and such that do not.

use std::io::Write;
use std::path::Path;

use mixminus_archive::{Format, Pace, SealingKey, Spool};
use mixminus_control::{AccountId, HttpMethod, RecordedFrom, RecordingFormat, Timestamp, TranscriptTerms};
use mixminus_store::{Batch, SqliteStore};
use tempfile::TempDir;

use super::*;
use crate::config::Config;

/// A service's store and its recordings, sealed, of which number 1 to 3 are to be transcribed.
struct Kept {
    directory: TempDir,
    store: Arc<SqliteStore>,
    archive: Arc<Archive>,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn recording(number: u8, state: RecordingState) -> RecordingRecord {
    let of = RecordedFrom {
        conference: None,
        participant: None,
        call: None,
        from: String::new(),
        to: String::new(),
    };
    let (id, account) = (RecordingId(Uuid::from_u128(number.into())), AccountId("MA1".into()));
    let kind = (RecordingFormat::Wav, RecordingTrack::Channels);
    let callback = Action { url: "http://app/said".into(), method: HttpMethod::Post };
    RecordingRecord {
        state,
        ended_at: Some(at(number.into())),
        duration: Duration::from_secs(7),
        transcript: Some(TranscriptTerms { callback: Some(callback) }),
        ..RecordingRecord::begin(id, account, of, kind, at(0))
    }
}

impl Kept {
    async fn new(recordings: Vec<RecordingRecord>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&directory.path().join("db")).await.unwrap());
        let key = SealingKey::new([7; 32]);
        let spool = Spool::open(directory.path().join("recordings"), Some(key)).unwrap();
        let archive = Arc::new(Archive::new(spool, None, Pace::default()));
        for record in recordings.iter().filter(|one| one.state == RecordingState::Completed) {
            let name = FileName::Main(Format::Wav);
            let mut file = archive.spool().create(record.id.0, name).unwrap();
            file.write_all(b"RIFF012345").unwrap();
            file.flush().unwrap();
            archive.finish(record.id.0).unwrap();
        }
        let transcripts = recordings.iter().filter_map(RecordingRecord::awaited_transcript).collect();
        store.commit(&Batch { recordings, transcripts, ..Batch::default() }).await.unwrap();
        Self { directory, store, archive }
    }

    /// Starts to transcribe with a script of `body`, or with nothing.
    fn start(&self, body: Option<&str>) -> CancellationToken {
        let transcripts = Transcripts {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            archive: Arc::clone(&self.archive),
            transcriber: body.map_or_else(|| configured(&[]), |body| script(self.directory.path(), body)),
            now: Arc::new(|| at(100)),
            queued: Arc::default(),
        };
        let stop = CancellationToken::new();
        tokio::spawn(transcripts.run(stop.clone()));
        stop
    }

    /// What becomes of the transcript of recording `number`.
    async fn ended(&self, number: u8) -> TranscriptState {
        for _ in 0..1000 {
            let found = self.store.transcript(RecordingId(Uuid::from_u128(number.into()))).await.unwrap();
            match found.unwrap().state {
                TranscriptState::Pending => sleep(Duration::from_millis(10)).await,
                ended => return ended,
            }
        }
        panic!("it stays pending");
    }

    async fn failed(&self, body: Option<&str>) -> String {
        let _stop = self.start(body).drop_guard();
        match self.ended(1).await {
            TranscriptState::Failed { error } => error,
            other => panic!("{other:?}"),
        }
    }
}

fn configured(settings: &[(&str, &str)]) -> Transcriber {
    let variables =
        settings.iter().map(|(key, value)| (format!("MIXMINUS__SPEECH__{key}").into(), (*value).into()));
    Transcriber::new(&Config::load(None, variables).unwrap().speech)
}

fn script(folder: &Path, body: &str) -> Transcriber {
    let file = folder.join("transcribe.sh");
    std::fs::write(&file, body).unwrap();
    let words = format!("sh,{},{{format}},{{channels}}", file.display());
    configured(&[("TRANSCRIBER", &words), ("TRANSCRIBER_TIMEOUT_S", "2")])
}

fn completed(text: &str) -> TranscriptState {
    TranscriptState::Completed { text: text.into() }
}

#[tokio::test]
async fn a_sealed_recording_is_transcribed_in_clear_and_whoever_asked_is_told() {
    let kept = Kept::new(vec![recording(1, RecordingState::Completed)]).await;
    let _stop = kept.start(Some("printf '\n%s %s: ' $1 $2; cat; echo")).drop_guard();
    assert_eq!(kept.ended(1).await, completed("wav 2: RIFF012345"));
    let queued = kept.store.pending_callbacks(at(200), 9).await.unwrap();
    let [told] = &queued[..] else { panic!("{queued:?}") };
    let told = &told.callback;
    assert_eq!((told.account.0.as_str(), told.url.as_str()), ("MA1", "http://app/said"));
    assert_eq!((told.order, told.created_at), (OrderKey::Request(Uuid::from_u128(1)), at(100)));
    let id = Uuid::from_u128(1).to_string();
    let expected = [
        ("transcription", "wav 2: RIFF012345"),
        ("transcription_charge", "0.00000"),
        ("transcription_rate", "0.00000"),
        ("duration", "7"),
        ("call_uuid", ""),
        ("recording_id", &id),
        ("error", ""),
    ];
    assert_eq!(told.params, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn why_there_is_no_transcript_is_told_without_what_only_the_log_should_say() {
    for (body, error) in [
        (None, "there is no transcriber"),
        (Some("echo half; exit 3"), "the transcriber failed"),
        (Some("printf '\\377'"), "the transcriber failed"),
        (Some("yes"), "the transcriber failed"),
        (Some("exec sleep 60"), "the transcription took too long"),
    ] {
        let kept = Kept::new(vec![recording(1, RecordingState::Completed)]).await;
        assert_eq!(kept.failed(body).await, error, "{body:?}");
        let queued = kept.store.pending_callbacks(at(200), 9).await.unwrap();
        assert!(queued[0].callback.params.contains(&("error".into(), error.into())));
    }
    let kept = Kept::new(vec![recording(1, RecordingState::Failed)]).await;
    assert_eq!(kept.failed(Some("echo never")).await, "the recording has no file");
}

#[tokio::test]
async fn one_after_the_other_is_transcribed_in_the_order_in_which_they_ended() {
    let recordings = [3, 1, 2].map(|number| recording(number, RecordingState::Completed));
    let kept = Kept::new(recordings.into()).await;
    let log = kept.directory.path().join("log");
    let body = format!("echo begun >>{0}; sleep 0.1; echo done >>{0}; wc -l <{0}", log.display());
    let _stop = kept.start(Some(&body)).drop_guard();
    for number in 1..=3 {
        assert_eq!(kept.ended(number).await, completed(&(2 * number).to_string()));
    }
    assert_eq!(std::fs::read_to_string(log).unwrap(), "begun\ndone\n".repeat(3));
}

#[tokio::test]
async fn what_was_not_done_at_the_end_is_done_after_the_next_start() {
    let kept = Kept::new(vec![recording(1, RecordingState::Completed)]).await;
    let begun = kept.directory.path().join("begun");
    let stop = kept.start(Some(&format!("touch {}; exec sleep 60", begun.display())));
    while !begun.exists() {
        sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    let _stop = kept.start(Some("echo hello")).drop_guard();
    assert_eq!(kept.ended(1).await, completed("hello"));
    assert_eq!(kept.store.pending_callbacks(at(200), 9).await.unwrap().len(), 1);
}
