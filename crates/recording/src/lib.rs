//! Recordings: tracks on one time line, file formats, sidecar, repair and encryption.
//!
//! A [`Recorder`] is given every tick of a bridge and writes to the files of a [`Storage`]. It reads no clock, starts
//! no thread and knows no folder. What a killed process leaves is made whole by [`recover`].
//!
//! ```
//! use mixminus_audio::SampleRate;
//! use mixminus_recording::{Format, Layout, MemoryStorage, Outline, Recorder, TrackId};
//!
//! let outline = Outline::new(SampleRate::Hz8000, Format::Wav, Layout::Mono);
//! let mut recorder = Recorder::new(outline, MemoryStorage::default())?;
//! for tick in 500..550 {
//!     recorder.tick(tick, SampleRate::Hz8000, &[(TrackId(7), &[100; 160])])?;
//! }
//! assert_eq!(recorder.finish()?.samples, 8_000);
//! # Ok::<(), std::io::Error>(())
//! ```

mod aligner;
mod chain;
mod entry;
mod flac;
mod interleave;
mod journal;
mod mixdown;
mod mp3;
mod ogg_opus;
mod outline;
mod output;
mod peaks;
mod picture;
mod recorder;
mod recover;
pub mod sealed;
mod sidecar;
mod storage;
mod verify;
mod wav;

pub use chain::{Link, Sha256};
pub use entry::{Entry, Event, Placed};
pub use outline::{Format, Layout, Outline, Side, TrackId};
pub use peaks::{Peak, Peaks};
pub use picture::{Background, Picture};
pub use recorder::{MAX_TRACKS, Recorder};
pub use recover::recover;
pub use sidecar::{Finished, Sidecar, Silence, Span, StoredFile, TrackRecord};
pub use storage::{FileName, Medium, MemoryFile, MemoryStorage, Storage};
pub use verify::{VerifyError, verify};
