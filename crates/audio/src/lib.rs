//! Sample rates, levels, ramps, limiter, tones, resampling and talking detection.
//!
//! ```
//! use mixminus_audio::{Dbov, SampleRate, builtin, level};
//!
//! let beep = builtin::beep_once(SampleRate::Hz8000);
//! assert!(level(&beep.samples) > Dbov(-25.0));
//! ```

pub mod builtin;
mod declick;
mod level;
mod limiter;
mod pcm;
mod resample;
mod talking;
mod tone;

pub use declick::Declick;
pub use level::{Dbov, Decibels, level};
pub use limiter::Limiter;
pub use pcm::{MAX_FRAME_SAMPLES, Pcm, SampleRate, TICK};
pub use resample::resample;
pub use talking::Talking;
pub use tone::{Sine, goertzel};
