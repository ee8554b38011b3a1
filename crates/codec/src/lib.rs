//! Audio codecs behind one encoder and one decoder, comfort noise and concealment.
//!
//! ```
//! use mixminus_codec::{Decoder, Encoder, Format, MAX_PAYLOAD_BYTES};
//!
//! let mut payload = [0; MAX_PAYLOAD_BYTES];
//! let bytes = Encoder::new(Format::Pcmu.into()).encode(&[0; 160], &mut payload);
//! let mut frame = [1; 160];
//! let samples = Decoder::new(Format::Pcmu).decode(&payload[..bytes], &mut frame)?;
//! assert_eq!(frame[..samples], [0; 160]);
//! # Ok::<(), mixminus_codec::DecodeError>(())
//! ```

mod comfort_noise;
mod concealment;
mod decoder;
mod encoder;
mod encoding;
mod format;
mod g711;
mod g722;
mod l16;
mod opus;
mod ptime;

pub use comfort_noise::{ComfortNoise, comfort_noise_payload};
pub use concealment::Concealment;
pub use decoder::{DecodeError, Decoder};
pub use encoder::{Encoder, MAX_PAYLOAD_BYTES};
pub use encoding::{Encoding, OpusSettings};
pub use format::{ClockRate, Format, MAX_PACKET_MS};
pub use ptime::Ptime;
