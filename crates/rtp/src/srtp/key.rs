//! What protects a stream.

use std::fmt::{self, Debug};

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The longest key with its salt.
const MAX_BYTES: usize = 46;

/// How a stream is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpSuite {
    /// AES in counter mode with a tag of 80 bits (RFC 3711): what everybody speaks.
    AesCm128HmacSha1_80,
    /// The same with a tag of 32 bits on media.
    AesCm128HmacSha1_32,
    /// The same with a longer key and a tag of 80 bits (RFC 6188).
    AesCm256HmacSha1_80,
    /// AES-GCM (RFC 7714).
    AeadAes128Gcm,
    /// The same with a longer key.
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::AesCm128HmacSha1_80,
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm256HmacSha1_80,
        Self::AesCm128HmacSha1_32,
    ];

    /// Its name in session descriptions (RFC 4568, RFC 6188, RFC 7714).
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Bytes of the master key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AesCm256HmacSha1_80 | Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt.
    pub const fn salt_bytes(self) -> usize {
        if self.is_aead() { 12 } else { 14 }
    }

    pub(super) const fn is_aead(self) -> bool {
        matches!(self, Self::AeadAes128Gcm | Self::AeadAes256Gcm)
    }

    /// Bytes of the tag of an RTP packet.
    pub(super) const fn tag_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm256HmacSha1_80 => 10,
            Self::AesCm128HmacSha1_32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// Bytes of the tag of a report, which is never shortened.
    pub(super) const fn report_tag_bytes(self) -> usize {
        if self.is_aead() { 16 } else { 10 }
    }
}

/// Master key and master salt for one direction. Overwritten when dropped, and not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKey {
    suite: SrtpSuite,
    bytes: [u8; MAX_BYTES],
}

/// The keys of both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Of what the far end sends.
    pub inbound: SrtpKey,
    /// Of what we send.
    pub outbound: SrtpKey,
}

impl SrtpKey {
    /// The key for `suite` that is followed by its salt in `bytes`; none if there are more or fewer bytes.
    pub fn new(suite: SrtpSuite, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == suite.key_bytes() + suite.salt_bytes()).then(|| {
            let mut padded = [0; MAX_BYTES];
            padded[..bytes.len()].copy_from_slice(bytes);
            Self { suite, bytes: padded }
        })
    }

    /// What it is a key of.
    pub fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// Key and salt.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.suite.key_bytes() + self.suite.salt_bytes()]
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.bytes[..self.suite.key_bytes()]
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.bytes()[self.suite.key_bytes()..]
    }
}

impl Drop for SrtpKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for SrtpKey {}

impl Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}
