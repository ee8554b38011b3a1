//! Sample rates, levels, gains, limiter, tones, digits, resampling, noise suppression and who is talking.
//!
//! ```
//! use mixminus_audio::{Dbov, SampleRate, builtin, level};
//!
//! let beep = builtin::beep_once();
//! beep.prepare(SampleRate::Hz48000);
//! assert!(level(beep.at(SampleRate::Hz48000).unwrap_or_default()) > Dbov(-25.0));
//! ```

mod active_speaker;
mod beep;
pub mod builtin;
mod clip;
mod declick;
pub mod dtmf;
mod gain;
mod level;
mod limiter;
mod noise_suppressor;
mod pcm;
mod pitch;
mod resample;
mod resampler;
mod talking;
mod tone;

pub use active_speaker::{ActiveSpeaker, Voice};
pub use beep::{BeepDetector, BeepTerms};
pub use clip::Clip;
pub use declick::Declick;
pub use gain::Gain;
pub use level::{Dbov, Decibels, level};
pub use limiter::Limiter;
pub use noise_suppressor::{NoiseSuppressor, Suppression};
pub use pcm::{MAX_FRAME_SAMPLES, Pcm, SampleRate, TICK};
pub use resample::resample;
pub use resampler::Resampler;
pub use talking::Talking;
pub use tone::{Sine, goertzel};
