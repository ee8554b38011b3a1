//! Recordings whose process ended before they did.

use std::{fmt, io};

use mixminus_archive::{Archive, ArchiveError, FileName as Kept, Folder, Format, Spool};
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

/// A recording that a dead process left.
#[derive(Debug)]
pub struct Recovered {
    /// Which.
    pub recording: RecordingId,
    /// What there is of it.
    pub result: io::Result<Option<Recorded>>,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.recording)?;
        match &self.result {
            Ok(Some(whole)) => {
                write!(f, "{:.2} s, {} bytes", whole.duration.as_secs_f64(), whole.size_bytes)
            }
            Ok(None) => f.write_str("nothing was recorded"),
            Err(error) => error.fmt(f),
        }
    }
}

/// Makes whole all that a dead process left, as many as a directory holds.
///
/// # Errors
///
/// The directory cannot be read.
pub fn recover_all(archive: &Archive) -> Result<Vec<Recovered>, ArchiveError> {
    let left = archive.spool().unfinished(usize::MAX)?.into_iter().map(RecordingId);
    Ok(left.map(|recording| Recovered { recording, result: recover(archive, recording) }).collect())
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
    Ok(Some(spool.folder(id, main.unwrap_or(Format::Wav))))
}
