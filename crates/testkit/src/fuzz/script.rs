//! Bytes read as a script.

/// What is left of the bytes.
pub(super) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// All of `data`.
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// The next byte as a number around 0; 0 at the end.
    pub(super) fn offset(&mut self) -> i8 {
        self.byte().unwrap_or(0).cast_signed()
    }

    /// As many bytes as the next two say, or what is left.
    pub(super) fn block(&mut self) -> &'a [u8] {
        let bytes = u16::from_le_bytes([self.byte().unwrap_or(0), self.byte().unwrap_or(0)]);
        let (block, rest) = self.0.split_at(usize::from(bytes).min(self.0.len()));
        self.0 = rest;
        block
    }
}
