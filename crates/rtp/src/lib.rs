//! A leg's media without I/O: RTP, digits, jitter buffer, reports, statistics.
//!
//! ```
//! use mixminus_codec::Format;
//! use mixminus_rtp::{LegMedia, MAX_PACKET_BYTES, MediaParameters, Playout, Received, SenderIdentity};
//! use std::time::Duration;
//!
//! let parameters = MediaParameters::of(Format::Pcmu);
//! let mut near = LegMedia::new(parameters, SenderIdentity { ssrc: 1, sequence: 10, timestamp: 0 });
//! let mut far = LegMedia::new(parameters, SenderIdentity { ssrc: 2, sequence: 20, timestamp: 0 });
//!
//! let mut datagram = [0; MAX_PACKET_BYTES];
//! far.send(&[0x80; 160]);
//! let bytes = far.next_packet(&mut datagram).expect("a packet holds one tick");
//! assert_eq!(near.receive(Duration::ZERO, &datagram[..bytes]), Received::Audio);
//!
//! let mut frame = [0; 160];
//! assert_eq!(near.playout(&mut frame), Playout::Audio);
//! assert_eq!(frame, [32_124; 160]);
//! ```

mod arrivals;
mod bursts;
mod digit;
mod drift;
mod in_band;
mod jitter_buffer;
mod keypad;
mod lateness;
mod leg;
mod loudness;
mod mos;
mod packet;
mod packets;
mod parameters;
mod press;
mod queue;
pub mod rtcp;
mod sender;
pub mod srtp;
mod statistics;
mod stretch;
mod timeline;
mod transit;

pub use digit::{Digit, DigitEvent, NotADigit};
pub use jitter_buffer::{
    Inserted, JitterBuffer, MAX_DEPTH, MAX_PTIME_MS, MAX_TARGET, MIN_PTIME_MS, Order, Packet, Playout,
};
pub use leg::{LegMedia, Reason, Received, Renewal};
pub use mos::Mos;
pub use packet::{HEADER_BYTES, Header, PacketError, PacketView};
pub use parameters::MediaParameters;
pub use press::Press;
pub use sender::{MAX_PACKET_BYTES, Sender, SenderIdentity};
pub use statistics::{BufferDelay, RemoteQuality, Statistics};
