//! One decoder for all formats.

use crate::{Concealment, Format, g711, g722, l16, opus};

/// Why a payload could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The payload is not one of its format, or holds no audio or more than 120 ms.
    #[error("payload is malformed")]
    Malformed,
    /// The payload holds more audio than there is room for.
    #[error("payload holds {samples} samples, at most {capacity_samples} fit")]
    TooLong {
        /// Samples in the payload.
        samples: usize,
        /// Samples that the caller has room for.
        capacity_samples: usize,
    },
}

/// Turns payloads into samples, and makes up for those that were lost.
#[derive(Debug)]
pub struct Decoder {
    format: Format,
    coder: Coder,
}

#[derive(Debug)]
enum Coder {
    Waveform(Waveform, Concealment),
    Opus(opus::Decoder),
}

#[derive(Debug)]
enum Waveform {
    Ulaw,
    Alaw,
    G722(Box<g722::Decoder>),
    L16,
}

impl Decoder {
    /// A decoder at the start of a stream of `format`.
    pub fn new(format: Format) -> Self {
        let waveform = |waveform| Coder::Waveform(waveform, Concealment::new(format.sample_rate()));
        let coder = match format {
            Format::Pcmu => waveform(Waveform::Ulaw),
            Format::Pcma => waveform(Waveform::Alaw),
            Format::G722 => waveform(Waveform::G722(Box::new(g722::Decoder::new()))),
            Format::L16(_) => waveform(Waveform::L16),
            Format::Opus(rate) => Coder::Opus(opus::Decoder::new(rate)),
        };
        Self { format, coder }
    }

    /// The format that it understands.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Decodes `payload` to the start of `out` and returns the number of samples.
    ///
    /// # Errors
    ///
    /// When the payload is malformed, or its samples do not fit `out`, which is then untouched.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, DecodeError> {
        let samples = self.format.samples_in(payload).ok_or(DecodeError::Malformed)?;
        let capacity_samples = out.len();
        let out = out.get_mut(..samples).ok_or(DecodeError::TooLong { samples, capacity_samples })?;
        match &mut self.coder {
            Coder::Opus(decoder) => return decoder.decode(payload, out),
            Coder::Waveform(waveform, concealment) => {
                waveform.decode(payload, out);
                concealment.good(out);
            }
        }
        Ok(samples)
    }

    /// Fills `out` with the audio before `next_payload` if that payload tells of it (in-band FEC). Otherwise
    /// returns false, with `out` untouched.
    pub fn recover(&mut self, next_payload: &[u8], out: &mut [i16]) -> bool {
        match &mut self.coder {
            Coder::Opus(decoder) => decoder.recover(next_payload, out),
            Coder::Waveform(..) => false,
        }
    }

    /// Fills `out` with made-up audio that continues the stream: any length, or for Opus a multiple of
    /// 2.5 ms. Returns false when all of it is silence.
    pub fn conceal(&mut self, out: &mut [i16]) -> bool {
        match &mut self.coder {
            Coder::Opus(decoder) => decoder.conceal(out),
            Coder::Waveform(_, concealment) => concealment.conceal(out),
        }
    }

    /// What comes next is of another stream: it is to be faded in, and is not coded as more of the last.
    pub fn restart(&mut self) {
        self.interrupt();
        if let Coder::Waveform(Waveform::G722(decoder), _) = &mut self.coder {
            **decoder = g722::Decoder::new();
        }
    }

    /// What comes next is of the same stream but does not continue what was played: it is to be faded in.
    pub fn interrupt(&mut self) {
        match &mut self.coder {
            // libopus carries on smoothly from any packet to any other.
            Coder::Opus(_) => {}
            Coder::Waveform(_, concealment) => concealment.interrupt(),
        }
    }
}

impl Waveform {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) {
        match self {
            Self::Ulaw => g711::decode(&g711::ULAW, payload, out),
            Self::Alaw => g711::decode(&g711::ALAW, payload, out),
            Self::G722(decoder) => decoder.decode(payload, out),
            Self::L16 => l16::decode(payload, out),
        }
    }
}
