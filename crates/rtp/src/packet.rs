//! The RTP header (RFC 3550, section 5.1), read in place and written.

/// Size of a header without contributing sources or extension.
pub const HEADER_BYTES: usize = 12;

/// Why a datagram is no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// It is shorter than a header.
    #[error("shorter than an RTP header")]
    TooShort,
    /// It has another version than 2.
    #[error("RTP version is not 2")]
    Version,
    /// It ends inside its contributing sources.
    #[error("contributing sources exceed the packet")]
    ContributingSources,
    /// It ends inside its header extension.
    #[error("header extension exceeds the packet")]
    Extension,
    /// Its padding is empty or exceeds the payload.
    #[error("padding does not fit the payload")]
    Padding,
}

/// The fields of a header that a receiver acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Set on the first packet of a talkspurt or event.
    pub marker: bool,
    /// What the payload is.
    pub payload_type: u8,
    /// Counts packets.
    pub sequence: u16,
    /// Counts units of the clock rate, at the first sample of the payload.
    pub timestamp: u32,
    /// Identifies the stream.
    pub ssrc: u32,
}

impl Header {
    /// Writes it to the start of `out`.
    pub fn write(&self, out: &mut [u8; HEADER_BYTES]) {
        out[0] = 2 << 6;
        out[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7F;
        out[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..].copy_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// One RTP packet inside a datagram. Nothing is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketView<'a> {
    /// The fixed header.
    pub header: Header,
    /// The payload without padding.
    pub payload: &'a [u8],
}

impl<'a> PacketView<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    ///
    /// [`PacketError`] when the datagram is no RTP packet.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        let (fixed, rest) = datagram.split_first_chunk::<HEADER_BYTES>().ok_or(PacketError::TooShort)?;
        if fixed[0] >> 6 != 2 {
            return Err(PacketError::Version);
        }
        let header = Header {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7F,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        };
        let sources_bytes = 4 * usize::from(fixed[0] & 0x0F);
        let mut payload = rest.get(sources_bytes..).ok_or(PacketError::ContributingSources)?;
        if fixed[0] & 0x10 != 0 {
            let (extension, rest) = payload.split_first_chunk::<4>().ok_or(PacketError::Extension)?;
            let words = u16::from_be_bytes([extension[2], extension[3]]);
            payload = rest.get(4 * usize::from(words)..).ok_or(PacketError::Extension)?;
        }
        if fixed[0] & 0x20 != 0 {
            let padding = usize::from(*payload.last().ok_or(PacketError::Padding)?);
            let end = payload.len().checked_sub(padding).ok_or(PacketError::Padding)?;
            if padding == 0 {
                return Err(PacketError::Padding);
            }
            payload = &payload[..end];
        }
        Ok(Self { header, payload })
    }
}
