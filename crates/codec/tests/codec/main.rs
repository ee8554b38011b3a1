//! The formats as their users see them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod malformed;
mod no_allocation;
mod opus_encoder;
mod opus_loss;
mod opus_seams;
mod second_decoder;
mod speech;
mod waveform;
