//! What signalling says of the certificate that a far end will show.

use std::fmt::{self, Display};
use std::str::FromStr;

use thiserror::Error;

/// The name of the one hash that is taken: everybody has to have it (RFC 8122, section 5).
const HASH: &str = "sha-256";

/// SHA-256 of a certificate, as `a=fingerprint:` has it: `sha-256 AB:CD:…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Not `sha-256` and 32 bytes in hexadecimal digits with colons between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the SHA-256 fingerprint of a certificate")]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let (hash, digits) = text.trim().split_once(' ').ok_or(NotAFingerprint)?;
        let mut bytes = [0; 32];
        let mut pairs = digits.trim().split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && !pair.starts_with('+'));
            *byte = u8::from_str_radix(pair.ok_or(NotAFingerprint)?, 16).map_err(|_| NotAFingerprint)?;
        }
        let whole = hash.eq_ignore_ascii_case(HASH) && pairs.next().is_none();
        if whole { Ok(Self(bytes)) } else { Err(NotAFingerprint) }
    }
}

impl Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HASH} ")?;
        for (n, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if n == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_written_and_nothing_else_is() {
        let fingerprint = Fingerprint(std::array::from_fn(|n| n as u8 * 8));
        let text = fingerprint.to_string();
        assert!(text.starts_with("sha-256 00:08:10:18:"));
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(text.to_lowercase().parse(), Ok(fingerprint));
        for wrong in [
            text.replace("sha-256", "sha-1"),
            text.replace("08", "8"),
            text.replace("08", "+8"),
            text.replace("08", "xx"),
            format!("{text}:00"),
            text[..text.len() - 3].into(),
            String::new(),
        ] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NotAFingerprint), "{wrong}");
        }
    }
}
