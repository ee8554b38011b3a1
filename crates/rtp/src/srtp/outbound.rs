//! Protection of what is sent.

use std::fmt::{self, Debug};

use super::cipher::{Cipher, Frame, Kind, Number};
use super::index::Window;
use super::{ENCRYPTED, REPORT_HEADER_BYTES, REPORT_INDEX_BYTES, SrtpKey, header_bytes, numbers, word};

/// Protects what a leg sends.
pub struct Protector {
    packets: Cipher,
    reports: Cipher,
    is_aead: bool,
    /// SSRC and numbers of the packets that were sent last.
    stream: Option<(u32, Window)>,
    sent_reports: u32,
}

impl Protector {
    /// A protector that has sent nothing with `key`.
    pub fn new(key: &SrtpKey) -> Self {
        Self {
            packets: Cipher::new(key, Kind::Packets),
            reports: Cipher::new(key, Kind::Reports),
            is_aead: key.suite().is_aead(),
            stream: None,
            sent_reports: 0,
        }
    }

    /// Protects the RTP packet in the first `size_bytes` of `buffer`. Returns its new size.
    ///
    /// # Panics
    ///
    /// When it is no RTP packet, or `buffer` has not [`MAX_OVERHEAD_BYTES`](super::MAX_OVERHEAD_BYTES) after it.
    pub fn protect(&mut self, buffer: &mut [u8], size_bytes: usize) -> usize {
        let (packet, tag) = buffer.split_at_mut(size_bytes);
        let header = header_bytes(packet).expect("what is sent has a header");
        let (sequence, ssrc) = numbers(packet);
        let index = match &mut self.stream {
            Some((same, sent)) if *same == ssrc => {
                let index = sent.index_of(sequence);
                sent.note(index);
                index
            }
            stream => {
                *stream = Some((ssrc, Window::from(sequence.into())));
                sequence.into()
            }
        };
        let rollovers = ((index >> 16) as u32).to_be_bytes();
        let after = if self.is_aead { &[][..] } else { &rollovers };
        let (open, clear) = packet.split_at_mut(header);
        size_bytes + self.packets.seal(Frame { number: Number { ssrc, index }, open, after }, clear, tag)
    }

    /// Protects the report in the first `size_bytes` of `buffer`. Returns its new size.
    ///
    /// # Panics
    ///
    /// When it is no report, or `buffer` has not [`MAX_OVERHEAD_BYTES`](super::MAX_OVERHEAD_BYTES) after it.
    pub fn protect_report(&mut self, buffer: &mut [u8], size_bytes: usize) -> usize {
        self.sent_reports = (self.sent_reports + 1) & !ENCRYPTED;
        let (report, rest) = buffer.split_at_mut(size_bytes);
        let number = Number { ssrc: word(report, 4), index: self.sent_reports.into() };
        let (open, clear) = report.split_at_mut(REPORT_HEADER_BYTES);
        let index = (self.sent_reports | ENCRYPTED).to_be_bytes();
        // The tag of AES-GCM is before the number, any other after it.
        let (at, after) = if self.is_aead { (0, 16) } else { (REPORT_INDEX_BYTES, 0) };
        let tag_bytes = self.reports.seal(Frame { number, open, after: &index }, clear, &mut rest[at..]);
        rest[after..][..REPORT_INDEX_BYTES].copy_from_slice(&index);
        size_bytes + tag_bytes + REPORT_INDEX_BYTES
    }
}

impl Debug for Protector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protector").finish_non_exhaustive()
    }
}
