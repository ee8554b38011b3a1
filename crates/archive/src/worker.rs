//! Fills the store from the spool, and empties it of what was deleted.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::multipart::PartId;
use object_store::{ObjectStoreExt, PutPayload};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::archive::{Archive, ObjectPlace, folder, object};
use crate::progress::{Begun, Progress};
use crate::raw::Raw;
use crate::stored::blocking;
use crate::{ArchiveError, FileName};

/// Recordings that are looked for at once; those beyond come later.
const MAX_AT_ONCE: usize = 256;
/// How often is looked for what nobody told of, such as what a failing disk left.
const PATROL: Duration = Duration::from_mins(5);
/// Failures one after another after which the store is taken to be down: one of them could be a single
/// recording's trouble.
const MAX_FAILURES: usize = 3;

/// How far a round through the spool came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// There may be more.
    More,
    /// There is nothing to do.
    Done,
    /// Something failed that is to be tried again.
    Failed,
}

impl Archive {
    /// Brings what is finished to the store, and deletes there what is deleted here, until `stop`. What fails is
    /// tried again without end.
    ///
    /// One task does all of it in turn, so that no deletion meets an upload.
    pub async fn run(&self, stop: CancellationToken) {
        let mut wait = self.pace.first_retry;
        while !stop.is_cancelled() {
            let round = tokio::select! {
                round = self.round() => round,
                () = stop.cancelled() => return,
            };
            let pause = match round {
                Round::More => continue,
                Round::Done => {
                    wait = self.pace.first_retry;
                    PATROL
                }
                Round::Failed => {
                    let pause = wait;
                    wait = (wait * 2).min(self.pace.longest_retry);
                    tokio::select! {
                        () = tokio::time::sleep(pause) => continue,
                        () = stop.cancelled() => return,
                    }
                }
            };
            tokio::select! {
                () = self.work.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn round(&self) -> Round {
        let (spool, fills) = (self.spool.clone(), self.store.is_some());
        let jobs = blocking(move || {
            let deleted = spool.deleted(MAX_AT_ONCE)?;
            let finished = if fills { spool.finished(MAX_AT_ONCE)? } else { Vec::new() };
            Ok((deleted, finished))
        });
        let (deleted, finished) = match jobs.await {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::error!(%error, "the spool cannot be read");
                return Round::Failed;
            }
        };
        let any = !deleted.is_empty() || !finished.is_empty();
        let (mut failures, mut in_a_row) = (0, 0);
        let jobs = deleted.into_iter().map(|id| (id, true)).chain(finished.into_iter().map(|id| (id, false)));
        for (recording, delete) in jobs {
            let done = if delete { self.erase(recording).await } else { self.upload(recording).await };
            match done {
                Ok(()) => in_a_row = 0,
                Err(error) => {
                    tracing::warn!(%recording, delete, %error, "not yet");
                    (failures, in_a_row) = (failures + 1, in_a_row + 1);
                }
            }
            if in_a_row == MAX_FAILURES {
                break;
            }
        }
        match (any, failures) {
            (false, _) => Round::Done,
            (true, 0) => Round::More,
            (true, _) => Round::Failed,
        }
    }

    /// Deletes what is left of a deleted recording.
    async fn erase(&self, id: Uuid) -> Result<(), ArchiveError> {
        let spool = self.spool.clone();
        let progress = blocking(move || {
            spool.bury(id)?;
            spool.deleted_progress(id)
        });
        let progress = progress.await?;
        if let Some(store) = &self.store {
            if let Some(begun) = progress.begun
                && let Some(name) = FileName::parse(&begun.file)
            {
                absent(store.abort_multipart(&object(id, name), &begun.upload).await)?;
            }
            let objects: Vec<_> = store.list(Some(&folder(id).into())).try_collect().await?;
            for object in objects {
                absent(store.delete(&object.location).await)?;
            }
        }
        let spool = self.spool.clone();
        blocking(move || spool.forget(id)).await
    }

    /// Brings a finished recording to the store and takes it from the spool.
    async fn upload(&self, id: Uuid) -> Result<(), ArchiveError> {
        let Some(store) = &self.store else { return Ok(()) };
        let spool = self.spool.clone();
        let (files, mut progress) = match blocking(move || Ok((spool.files(id)?, spool.progress(id)?))).await
        {
            // It was deleted meanwhile.
            Err(ArchiveError::NotFound) => return Ok(()),
            found => found?,
        };
        for (name, len) in files {
            if progress.done.contains(&name.to_string()) {
                continue;
            }
            if let Err(error) = self.upload_file(&**store, (id, name), &mut progress).await {
                return if self.is_deleted(id).await? { Ok(()) } else { Err(error) };
            }
            let found = store.head(&object(id, name)).await?.size;
            if found != len {
                return Err(ArchiveError::Damaged { expected: len, found });
            }
            progress.done.insert(name.to_string());
            progress.begun = None;
            self.keep(id, &progress).await?;
        }
        let spool = self.spool.clone();
        blocking(move || if spool.is_deleted(id) { Ok(()) } else { spool.release(id) }).await
    }

    async fn is_deleted(&self, id: Uuid) -> Result<bool, ArchiveError> {
        let spool = self.spool.clone();
        blocking(move || Ok(spool.is_deleted(id))).await
    }

    async fn upload_file(
        &self,
        store: &dyn ObjectPlace,
        (id, name): (Uuid, FileName),
        progress: &mut Progress,
    ) -> Result<(), ArchiveError> {
        let spool = self.spool.clone();
        let file = blocking(move || Raw::on_disk(spool.file(id, name)?)).await?;
        let path = object(id, name);
        if file.len() <= self.pace.part_bytes {
            store.put(&path, payload(file.read(0..file.len()).await?)).await?;
            return Ok(());
        }
        match self.upload_parts(store, (id, name), &file, progress).await {
            // The store does not know the upload: it gave it up, or completed it and could not say so.
            Err(ArchiveError::NotFound) if progress.begun.is_some() => {
                progress.begun = None;
                self.keep(id, progress).await?;
                match store.head(&path).await {
                    Ok(there) if there.size == file.len() => Ok(()),
                    _ => self.upload_parts(store, (id, name), &file, progress).await,
                }
            }
            done => done,
        }
    }

    async fn upload_parts(
        &self,
        store: &dyn ObjectPlace,
        (id, name): (Uuid, FileName),
        file: &Raw,
        progress: &mut Progress,
    ) -> Result<(), ArchiveError> {
        let path = object(id, name);
        let mut begun = match progress.begun.take().filter(|begun| begun.file == name.to_string()) {
            Some(begun) => begun,
            None => Begun {
                file: name.to_string(),
                upload: store.create_multipart(&path).await?,
                part_bytes: self.pace.part_bytes,
                parts: Vec::new(),
            },
        };
        loop {
            progress.begun = Some(begun.clone());
            if let Err(error) = self.keep(id, progress).await {
                // Nobody would find it again.
                if begun.parts.is_empty() {
                    store.abort_multipart(&path, &begun.upload).await?;
                }
                return Err(error);
            }
            let start = begun.parts.len() as u64 * begun.part_bytes;
            if start >= file.len() {
                break;
            }
            let bytes = file.read(start..file.len().min(start + begun.part_bytes)).await?;
            let part = store.put_part(&path, &begun.upload, begun.parts.len(), payload(bytes)).await?;
            begun.parts.push(part.content_id);
        }
        let parts = begun.parts.into_iter().map(|content_id| PartId { content_id }).collect();
        store.complete_multipart(&path, &begun.upload, parts).await?;
        Ok(())
    }

    async fn keep(&self, id: Uuid, progress: &Progress) -> Result<(), ArchiveError> {
        let (spool, progress) = (self.spool.clone(), progress.clone());
        blocking(move || spool.keep_progress(id, &progress)).await
    }
}

fn payload(bytes: Bytes) -> PutPayload {
    bytes.into()
}

/// That something is not there is what was wanted.
fn absent(deleted: object_store::Result<()>) -> Result<(), ArchiveError> {
    match deleted.map_err(ArchiveError::from) {
        Err(ArchiveError::NotFound) => Ok(()),
        other => other,
    }
}
