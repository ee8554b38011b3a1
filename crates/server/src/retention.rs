//! Deletes recordings that are too old, and the oldest when there are too many.

use std::sync::Arc;
use std::time::Duration;

use mixminus_archive::{Archive, ArchiveError};
use mixminus_control::Timestamp;
use mixminus_store::{RecordingLimits, Store, StoreError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often is looked for what is to be deleted.
const PAUSE: Duration = Duration::from_mins(5);
/// Recordings looked for at once.
const BATCH: u32 = 100;

/// What tells the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How much is kept, and for how long. Where a recording lies makes no difference: one that waits to be uploaded
/// counts, and goes, as any other.
pub struct Retention {
    /// Where recordings are known.
    pub store: Arc<dyn Store>,
    /// Where they are kept.
    pub archive: Arc<Archive>,
    /// Now.
    pub now: Now,
    /// For how long after its end a recording is kept; for good when absent.
    pub age: Option<Duration>,
    /// How many bytes all recordings together may have.
    pub max_total_bytes: Option<u64>,
}

/// Why something is still there.
#[derive(Debug, thiserror::Error)]
enum StillThere {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Retention {
    /// Deletes what is to be deleted until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        if self.age.is_none() && self.max_total_bytes.is_none() {
            return;
        }
        while !stop.is_cancelled() {
            match self.round().await {
                Ok(count) if count == BATCH as usize => continue,
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "old recordings were not deleted"),
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Deletes the first of them; how many.
    async fn round(&self) -> Result<usize, StillThere> {
        let now = (self.now)();
        let before = |age: Duration| {
            let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
            Timestamp::from_micros(now.as_micros().saturating_sub(age_us))
        };
        let limits =
            RecordingLimits { ended_before: self.age.map(before), max_total_bytes: self.max_total_bytes };
        let beyond = self.store.recordings_beyond(limits, BATCH).await?;
        for record in &beyond {
            // The record goes last: as long as it is there, this is tried again.
            self.archive.delete(record.id.0).await?;
            self.store.delete_recording(record.id).await?;
            tracing::info!(recording = %record.id, "deleted, as recordings.retention_days or .max_total_mib says");
        }
        Ok(beyond.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use mixminus_archive::{FileName, Format, Pace, Spool};
    use mixminus_control::{
        AccountId, RecordedFrom, RecordingFormat, RecordingId, RecordingRecord, RecordingState,
        RecordingTrack,
    };
    use mixminus_store::{Batch, SqliteStore};
    use uuid::Uuid;

    use super::*;

    const AUDIO: FileName = FileName::Main(Format::Wav);

    fn hour(count: i64) -> Timestamp {
        Timestamp::from_micros(count * 3_600_000_000)
    }

    /// A recording of 10 bytes in the hour before it ended.
    fn recording(number: u128, ended: i64) -> RecordingRecord {
        let of = RecordedFrom {
            conference: None,
            participant: None,
            call: None,
            from: String::new(),
            to: String::new(),
        };
        let (id, account) = (RecordingId(Uuid::from_u128(number)), AccountId("MA1".into()));
        let what = (RecordingFormat::Wav, RecordingTrack::Mix);
        RecordingRecord {
            state: RecordingState::Completed,
            ended_at: Some(hour(ended)),
            size_bytes: 10,
            ..RecordingRecord::begin(id, account, of, what, hour(ended - 1))
        }
    }

    /// Which of the recordings 1 to 4, that ended at hours 1 to 4 and of which the last goes on, are there at hour 5.
    async fn left(age: Option<Duration>, max_total_bytes: Option<u64>) -> Vec<u128> {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&directory.path().join("db")).await.unwrap());
        let spool = Spool::open(directory.path().join("recordings"), None).unwrap();
        let archive = Arc::new(Archive::new(spool, None, Pace::default()));
        let mut recordings: Vec<_> = (1..=4).map(|number| recording(number, number as i64)).collect();
        recordings[3].state = RecordingState::Recording;
        for record in &recordings {
            archive.spool().create(record.id.0, AUDIO).unwrap().write_all(b"0123456789").unwrap();
        }
        store.commit(&Batch { recordings: recordings.clone(), ..Batch::default() }).await.unwrap();
        let (archive, now) = (Arc::clone(&archive), Arc::new(|| hour(5)));
        let store = Arc::clone(&store) as Arc<dyn Store>;
        let retention = Retention { store, archive, now, age, max_total_bytes };
        retention.round().await.unwrap();
        let mut left = Vec::new();
        for record in &recordings {
            let known = retention.store.recording(&record.account, record.id).await.unwrap().is_some();
            assert_eq!(retention.archive.open(record.id.0, AUDIO).await.is_ok(), known);
            left.extend(known.then(|| record.id.0.as_u128()));
        }
        left
    }

    #[tokio::test]
    async fn the_old_go_and_of_too_many_the_oldest_and_none_that_goes_on() {
        let hours = |count| Some(Duration::from_hours(count));
        assert_eq!(left(None, None).await, [1, 2, 3, 4]);
        assert_eq!(left(hours(3), None).await, [2, 3, 4]);
        assert_eq!(left(hours(0), None).await, [4]);
        assert_eq!(left(None, Some(30)).await, [1, 2, 3, 4]);
        assert_eq!(left(None, Some(29)).await, [2, 3, 4]);
        assert_eq!(left(hours(4), Some(9)).await, [4]);
    }
}
