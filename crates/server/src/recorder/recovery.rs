//! Recordings whose process ended before they did.

use std::io;

use mixminus_archive::{Archive, ArchiveError, Extension, FileName as Kept, Folder, Spool};
use mixminus_control::{Recorded, RecordingId};
use mixminus_recording::{FileName, Sidecar, Storage};
use uuid::Uuid;

/// Makes whole what there is of a recording that nobody writes any more; none if there is nothing. It may be called
/// again, also for one that is whole.
///
/// # Errors
///
/// A file cannot be read or written.
pub fn recover(archive: &Archive, recording: RecordingId) -> io::Result<Option<Recorded>> {
    let id = recording.0;
    let Some(mut folder) = folder(archive.spool(), id)? else { return Ok(None) };
    let finished = match mixminus_recording::recover(folder.clone())? {
        Some(finished) => finished,
        None => match folder.open(FileName::Sidecar) {
            Ok(sidecar) => Sidecar::read(sidecar)?.finished(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    let size_bytes = archive.finish(id)?;
    Ok(Some(Recorded { duration: finished.duration(), size_bytes }))
}

/// Makes whole all that a dead process left, at most `limit` recordings, and says what became of each.
///
/// # Errors
///
/// The directory cannot be read.
pub fn recover_all(
    archive: &Archive,
    limit: usize,
) -> Result<Vec<(RecordingId, io::Result<Option<Recorded>>)>, ArchiveError> {
    let left = archive.spool().unfinished(limit)?.into_iter().map(RecordingId);
    Ok(left.map(|id| (id, recover(archive, id))).collect())
}

/// The folder of a recording of which there is something; none if there is nothing.
fn folder(spool: &Spool, id: Uuid) -> io::Result<Option<Folder>> {
    let files = match spool.files(id) {
        Err(ArchiveError::NotFound) => return Ok(None),
        files => files?,
    };
    // Until its end, a recording whose tracks become its channels has no main file.
    let main =
        files.iter().find_map(|(name, _)| if let Kept::Main(main) = name { Some(*main) } else { None });
    Ok(Some(spool.folder(id, main.unwrap_or(Extension::Wav))))
}
