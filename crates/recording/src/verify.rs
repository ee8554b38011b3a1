//! Whether a recording is still what was recorded.

use std::io::{self, Read, Seek, SeekFrom};

use crate::chain::{self, Link};
use crate::output::{self, Shape};
use crate::recover::{channels, sum};
use crate::{Format, Layout, Sha256, Sidecar, wav};

/// In what a recording differs from what was recorded.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It could not be read.
    #[error("the recording cannot be read")]
    Io(#[from] io::Error),
    /// A link of the chain does not follow from the one before.
    #[error("the hash chain is broken at sample {from_sample}")]
    Link {
        /// Where the link begins.
        from_sample: u64,
    },
    /// The audio of a link is not what was recorded.
    #[error("the audio was changed in the minute from sample {from_sample} on")]
    Audio {
        /// Where the link begins.
        from_sample: u64,
    },
    /// The main file is not the one that was finished.
    #[error("the main file was changed")]
    File,
    /// The sum of all is another: by itself, the sidecar does not show who changed what.
    #[error("the sidecar does not have the sum that was told when the recording ended")]
    Head,
}

/// Compares a main file and its sidecar with each other and with `chain_head`, the sum that was
/// [told](crate::Finished::chain_head) when the recording ended. Of WAV it also says which minute was changed, except
/// where each track has a channel.
///
/// # Errors
///
/// The first thing that differs.
pub fn verify(sidecar: &Sidecar, mut main: impl Read + Seek, chain_head: Sha256) -> Result<(), VerifyError> {
    let (mut before, mut next_sample) = (Sha256::default(), 0);
    for link in &sidecar.chain {
        if *link != Link::after(before, next_sample, link.samples, link.pcm) {
            return Err(VerifyError::Link { from_sample: link.from_sample });
        }
        (before, next_sample) = (link.link, link.from_sample + link.samples);
    }
    if sidecar.outline.format == Format::Wav && sidecar.outline.layout != Layout::EachItsOwn {
        verify_audio(sidecar, &mut main)?;
    }
    main.seek(SeekFrom::Start(0))?;
    let (bytes, sha256) = sum(main, u64::MAX)?;
    if !sidecar.files.first().is_some_and(|file| (file.bytes, file.sha256) == (bytes, sha256)) {
        return Err(VerifyError::File);
    }
    let head = chain::head(before, sha256);
    if head == sidecar.chain_head && head == chain_head { Ok(()) } else { Err(VerifyError::Head) }
}

fn verify_audio(sidecar: &Sidecar, main: &mut (impl Read + Seek)) -> Result<(), VerifyError> {
    let shape = Shape { rate: sidecar.outline.rate, channels: channels(sidecar.outline.layout) };
    main.seek(SeekFrom::Start(output::place(shape, 0)))?;
    for link in &sidecar.chain {
        let bytes = wav::extent(shape, link.samples).bytes;
        if sum(main.by_ref(), bytes)? != (bytes, link.pcm) {
            return Err(VerifyError::Audio { from_sample: link.from_sample });
        }
    }
    Ok(())
}
