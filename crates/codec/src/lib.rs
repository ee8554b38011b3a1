//! Audio codecs behind one encoder and one decoder, and concealment.
//!
//! ```
//! use mixminus_codec::{Decoder, Encoder, Format, MAX_PAYLOAD_BYTES};
//!
//! let mut payload = [0; MAX_PAYLOAD_BYTES];
//! let bytes = Encoder::new(Format::Pcmu).encode(&[0; 160], &mut payload);
//! let mut frame = [1; 160];
//! let samples = Decoder::new(Format::Pcmu).decode(&payload[..bytes], &mut frame)?;
//! assert_eq!(frame[..samples], [0; 160]);
//! # Ok::<(), mixminus_codec::DecodeError>(())
//! ```

mod coder;
mod concealment;
mod format;
mod g711;

pub use coder::{DecodeError, Decoder, Encoder, MAX_PAYLOAD_BYTES};
pub use concealment::Concealment;
pub use format::{ClockRate, Format};
