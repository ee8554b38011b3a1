//! A leg's media without I/O: RTP, digits, jitter buffer, reports, statistics.
//!
//! ```
//! use mixminus_codec::Format;
//! use mixminus_rtp::{LegMedia, MAX_PACKET_BYTES, MediaParameters, Playout, Received, SenderIdentity};
//! use std::time::Duration;
//!
//! let parameters = MediaParameters { format: Format::Pcmu, digit_payload_type: Some(101) };
//! let mut near = LegMedia::new(parameters, SenderIdentity { ssrc: 1, sequence: 10, timestamp: 0 });
//! let mut far = LegMedia::new(parameters, SenderIdentity { ssrc: 2, sequence: 20, timestamp: 0 });
//!
//! let mut datagram = [0; MAX_PACKET_BYTES];
//! let bytes = far.packet(&[0x80; 160], &mut datagram);
//! assert_eq!(near.receive(Duration::ZERO, &datagram[..bytes]), Received::Audio);
//!
//! let mut frame = [0; 160];
//! assert_eq!(near.playout(&mut frame), Playout::Audio);
//! assert_eq!(frame, [32_124; 160]);
//! ```

mod arrivals;
mod digit;
mod jitter_buffer;
mod keypad;
mod leg;
mod packet;
mod press;
mod ring;
pub mod rtcp;
mod sender;
mod slack;
mod statistics;
mod transit;

pub use digit::{Digit, DigitEvent, NotADigit};
pub use jitter_buffer::{Inserted, JitterBuffer, MAX_DEPTH_FRAMES, MAX_TARGET_FRAMES, Order, Playout};
pub use leg::{LegMedia, MAX_PTIME_MS, MIN_PTIME_MS, MediaParameters, Reason, Received};
pub use packet::{HEADER_BYTES, Header, PacketError, PacketView};
pub use press::Press;
pub use sender::{MAX_PACKET_BYTES, Sender, SenderIdentity};
pub use statistics::{RemoteQuality, Statistics};
