//! The name under which an end sends its reports.

/// Size of a name.
pub const CNAME_BYTES: usize = 24;

/// A name that says nothing about who has it (RFC 7022, section 4.2): 96 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cname([u8; CNAME_BYTES]);

impl Cname {
    /// The name made of `random` bits.
    pub fn new(random: [u8; CNAME_BYTES / 2]) -> Self {
        let digit = |half: u8| b"0123456789abcdef"[usize::from(half & 0x0F)];
        Self(std::array::from_fn(|index| digit(random[index / 2] >> (4 * (1 - index % 2)))))
    }

    /// Its text, in ASCII.
    pub const fn as_bytes(&self) -> &[u8; CNAME_BYTES] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_random_bits_in_hexadecimal() {
        let name = Cname::new([0, 0x1F, 0xA0, 3, 4, 5, 6, 7, 8, 9, 0xAB, 0xFF]);
        assert_eq!(name.as_bytes(), b"001fa003040506070809abff");
    }
}
