//! Opus by libopus (RFC 6716): mono, made for speech.

mod decoder;
mod encoder;
mod packet;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub(crate) use packet::samples_in;
