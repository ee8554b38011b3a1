//! Development only: a simulated network, talkers and listeners, and the bodies of the fuzz targets.
//!
//! Everything runs in virtual time and is determined by seeds.

pub mod fuzz;
mod hearing;
mod line;
mod network;
mod phone;
mod random;
mod talker;
mod voice;

pub use hearing::{Heard, Hearing};
pub use line::Line;
pub use network::{Arrival, Blocks, Delay, Loss, Network};
pub use phone::Phone;
pub use random::Random;
pub use talker::{Sent, Talker, Upset};
pub use voice::{MARK_SAMPLES, Voice};
