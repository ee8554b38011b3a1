//! Undoing the protection of what comes in.

use std::fmt::{self, Debug};

use super::cipher::{Cipher, Frame, Kind, MAX_ASSOCIATED_BYTES, Number};
use super::index::Window;
use super::{
    ENCRYPTED, REPORT_HEADER_BYTES, REPORT_INDEX_BYTES, SrtpError, SrtpKey, SrtpSuite, header_bytes, numbers,
    word,
};

/// Sources whose packets are told from those that came before. A far end has one, and another when it starts
/// anew.
const MAX_SOURCES: usize = 8;

/// Undoes the protection of what a leg receives. Nothing is learned from what is not right.
pub struct Unprotector {
    packets: Cipher,
    reports: Cipher,
    suite: SrtpSuite,
    came_packets: Sources,
    came_reports: Sources,
}

impl Unprotector {
    /// One that has received nothing under `key`.
    pub fn new(key: &SrtpKey) -> Self {
        Self {
            packets: Cipher::new(key, Kind::Packets),
            reports: Cipher::new(key, Kind::Reports),
            suite: key.suite(),
            came_packets: Sources::default(),
            came_reports: Sources::default(),
        }
    }

    /// Makes `datagram` the RTP packet that was sent, and returns its size.
    ///
    /// # Errors
    ///
    /// [`SrtpError`]; what the datagram holds is of no use then.
    pub fn unprotect(&mut self, datagram: &mut [u8]) -> Result<usize, SrtpError> {
        let size_bytes = datagram.len().checked_sub(self.suite.tag_bytes()).ok_or(SrtpError::Malformed)?;
        let (packet, tag) = datagram.split_at_mut(size_bytes);
        let header = header_bytes(packet).filter(|&bytes| bytes <= MAX_ASSOCIATED_BYTES);
        let header = header.ok_or(SrtpError::Malformed)?;
        let (sequence, ssrc) = numbers(packet);
        let index = self.came_packets.of(ssrc).map_or(sequence.into(), |window| window.index_of(sequence));
        self.came_packets.check(ssrc, index)?;
        let rollovers = ((index >> 16) as u32).to_be_bytes();
        let after = if self.suite.is_aead() { &[][..] } else { &rollovers };
        let (open, secret) = packet.split_at_mut(header);
        if !self.packets.open(Frame { number: Number { ssrc, index }, open, after }, secret, tag) {
            return Err(SrtpError::Forged);
        }
        self.came_packets.note(ssrc, index);
        Ok(size_bytes)
    }

    /// Makes `datagram` the report that was sent, and returns its size.
    ///
    /// # Errors
    ///
    /// [`SrtpError`]; what the datagram holds is of no use then.
    pub fn unprotect_report(&mut self, datagram: &mut [u8]) -> Result<usize, SrtpError> {
        let tag_bytes = self.suite.report_tag_bytes();
        let size_bytes = datagram.len().checked_sub(tag_bytes + REPORT_INDEX_BYTES);
        let size_bytes =
            size_bytes.filter(|&bytes| bytes >= REPORT_HEADER_BYTES).ok_or(SrtpError::Malformed)?;
        let (report, rest) = datagram.split_at_mut(size_bytes);
        let (tag, index) = if self.suite.is_aead() {
            rest.split_at(tag_bytes)
        } else {
            let (index, tag) = rest.split_at(REPORT_INDEX_BYTES);
            (tag, index)
        };
        let stated = word(index, 0);
        if stated & ENCRYPTED == 0 {
            return Err(SrtpError::Forged);
        }
        let number = Number { ssrc: word(report, 4), index: (stated & !ENCRYPTED).into() };
        self.came_reports.check(number.ssrc, number.index)?;
        let (open, secret) = report.split_at_mut(REPORT_HEADER_BYTES);
        if !self.reports.open(Frame { number, open, after: index }, secret, tag) {
            return Err(SrtpError::Forged);
        }
        self.came_reports.note(number.ssrc, number.index);
        Ok(size_bytes)
    }
}

impl Debug for Unprotector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unprotector").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// What came of the newest sources.
#[derive(Default)]
struct Sources {
    /// The newest first.
    windows: [Option<(u32, Window)>; MAX_SOURCES],
}

impl Sources {
    fn of(&self, ssrc: u32) -> Option<&Window> {
        self.windows.iter().flatten().find(|(same, _)| *same == ssrc).map(|(_, window)| window)
    }

    fn check(&self, ssrc: u32, index: u64) -> Result<(), SrtpError> {
        let new = self.of(ssrc).is_none_or(|window| window.admits(index));
        if new { Ok(()) } else { Err(SrtpError::Replayed) }
    }

    fn note(&mut self, ssrc: u32, index: u64) {
        if let Some((_, window)) = self.windows.iter_mut().flatten().find(|(same, _)| *same == ssrc) {
            return window.note(index);
        }
        self.windows.rotate_right(1);
        self.windows[0] = Some((ssrc, Window::from(index)));
    }
}
