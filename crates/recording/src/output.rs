//! A file that is being recorded.

use std::io::{self, SeekFrom};

use mixminus_audio::SampleRate;
use serde::{Deserialize, Serialize};

use crate::{FileName, Format, Medium, Storage, flac, mp3, ogg_opus, wav};

/// Rate and channels of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) rate: SampleRate,
    pub(crate) channels: u16,
}

/// How far a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extent {
    /// Samples of each channel that a reader finds in it.
    pub(crate) samples: u64,
    /// Bytes behind its head.
    pub(crate) bytes: u64,
    /// The MD5 sum of the samples, known at the end where the format has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<[u8; 16]>,
}

/// Makes the bytes behind the head of a file from its samples.
pub(crate) trait Coder: Send {
    /// Adds interleaved samples, of which some may be written later.
    fn encode(&mut self, pcm: &[i16], body: &mut Vec<u8>);

    /// Ends what would not be read without its end.
    fn settle(&mut self, _body: &mut Vec<u8>) {}

    /// Adds all that is not written yet, and gives the MD5 sum of the samples where the format has one.
    fn finish(&mut self, _body: &mut Vec<u8>) -> Option<[u8; 16]> {
        None
    }

    /// Samples of each channel that a reader finds in what is written so far.
    fn samples(&self) -> u64;
}

/// A coder at the start of a file.
fn coder(format: Format, shape: Shape) -> io::Result<Box<dyn Coder>> {
    match format {
        Format::Wav => Ok(Box::new(wav::Coder::new(shape))),
        #[cfg(feature = "mp3")]
        Format::Mp3 => Ok(Box::new(mp3::Coder::new(shape)?)),
        #[cfg(not(feature = "mp3"))]
        Format::Mp3 => Err(io::Error::new(io::ErrorKind::Unsupported, "MP3 is not built in")),
        Format::OggOpus => Ok(Box::new(ogg_opus::Coder::new(shape)?)),
        Format::Flac => Ok(Box::new(flac::Coder::new(shape)?)),
    }
}

/// The beginning of a file, which says how much follows. Its size depends on the shape only.
fn head(format: Format, shape: Shape, extent: &Extent) -> Vec<u8> {
    match format {
        Format::Wav => wav::head(shape, extent),
        Format::Mp3 => mp3::head(shape, extent),
        Format::OggOpus => ogg_opus::head(shape),
        Format::Flac => flac::head(shape, extent),
    }
}

/// A file that is being recorded. It keeps what it is given until that is written.
pub(crate) struct Output<F> {
    name: FileName,
    format: Format,
    shape: Shape,
    coder: Box<dyn Coder>,
    /// None until something is written.
    file: Option<F>,
    body: Vec<u8>,
    written_bytes: u64,
}

impl<F: Medium> Output<F> {
    /// The start of a file.
    pub(crate) fn new(name: FileName, format: Format, shape: Shape) -> io::Result<Self> {
        let coder = coder(format, shape)?;
        Ok(Self { name, format, shape, coder, file: None, body: Vec::new(), written_bytes: 0 })
    }

    /// A WAV of one channel that begins with `samples` of silence, which take no room where files may have holes.
    pub(crate) fn behind_silence(name: FileName, rate: SampleRate, samples: u64) -> Self {
        let shape = Shape { rate, channels: 1 };
        let coder = Box::new(wav::Coder::behind(shape, samples));
        let written_bytes = wav::extent(shape, samples).bytes;
        Self { name, format: Format::Wav, shape, coder, file: None, body: Vec::new(), written_bytes }
    }

    /// Adds samples, interleaved.
    pub(crate) fn encode(&mut self, pcm: &[i16]) {
        self.coder.encode(pcm, &mut self.body);
    }

    /// Makes what there is so far complete, and says how far the file is once that is written.
    pub(crate) fn settle(&mut self) -> Extent {
        self.coder.settle(&mut self.body);
        self.extent(None)
    }

    /// Makes the end, and says how far the file is once that is written.
    pub(crate) fn finish(&mut self) -> Extent {
        let digest = self.coder.finish(&mut self.body);
        self.extent(digest)
    }

    fn extent(&self, digest: Option<[u8; 16]>) -> Extent {
        Extent { samples: self.coder.samples(), bytes: self.written_bytes + self.body.len() as u64, digest }
    }

    /// Writes what there is, and that it goes as far as `extent`. What could not be written is tried again the next time.
    pub(crate) fn write<S: Storage<File = F>>(&mut self, storage: &mut S, extent: &Extent) -> io::Result<()> {
        let head = head(self.format, self.shape, extent);
        let head_bytes = head.len() as u64;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(storage.create(self.name)?),
        };
        let end_bytes = self.written_bytes + self.body.len() as u64;
        if self.format == Format::Wav && self.body.iter().all(|&byte| byte == 0) {
            file.set_len(head_bytes + end_bytes)?;
        } else {
            file.seek(SeekFrom::Start(head_bytes + self.written_bytes))?;
            file.write_all(&self.body)?;
        }
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&head)?;
        file.flush()?;
        self.body.clear();
        self.written_bytes = end_bytes;
        Ok(())
    }
}

/// Makes a file hold no more than `extent`, and say so.
pub(crate) fn repair(mut file: impl Medium, format: Format, shape: Shape, extent: &Extent) -> io::Result<()> {
    let head = head(format, shape, extent);
    file.set_len(head.len() as u64 + extent.bytes)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&head)?;
    if format == Format::OggOpus { ogg_opus::end(&mut file) } else { file.flush() }
}

/// Where a sample is in a WAV, in bytes.
pub(crate) fn place(shape: Shape, sample: u64) -> u64 {
    let head_bytes = wav::head(shape, &Extent::default()).len() as u64;
    head_bytes + wav::extent(shape, sample).bytes
}
