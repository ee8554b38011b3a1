//! The keys of one direction's packets or reports, derived from the master key, and what they do.

use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use aes::{Aes128Enc, Aes256Enc};
use ctr::{CtrCore, flavors::Ctr128BE};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use ring::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{SrtpKey, SrtpSuite};

/// What a derived key is for (RFC 3711, section 4.3.2). That of reports is 3 more.
#[derive(Clone, Copy)]
enum Label {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

/// Whether keys are for packets or for reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Packets = 0,
    Reports = 3,
}

/// Which packet or report it is: for packets the rollover counter and the sequence number.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) ssrc: u32,
    pub(super) index: u64,
}

/// What of a packet or report is not encrypted.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) number: Number,
    /// What goes before the encrypted part.
    pub(super) open: &'a [u8],
    /// What follows it when the tag is made.
    pub(super) after: &'a [u8],
}

/// Encrypts and authenticates packets, or reports.
#[expect(clippy::large_enum_variant, reason = "a leg has four, all of one kind")]
pub(super) enum Cipher {
    /// Encrypted in counter mode, then authenticated.
    Counter { aes: Aes, salt: [u8; 14], mac: hmac::Key, tag_bytes: usize },
    /// Both at once.
    Aead { key: LessSafeKey, salt: [u8; 12] },
}

impl Cipher {
    pub(super) fn new(master: &SrtpKey, kind: Kind) -> Self {
        let suite = master.suite();
        let derive = |label, bytes: &mut [u8]| derive(master, kind, label, bytes);
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..suite.key_bytes()];
        derive(Label::Encryption, key);
        if suite.is_aead() {
            let algorithm = if suite == SrtpSuite::AeadAes128Gcm { &AES_128_GCM } else { &AES_256_GCM };
            let key = UnboundKey::new(algorithm, key).expect("the suite's key is as long as its algorithm's");
            let mut salt = [0; 12];
            derive(Label::Salt, &mut salt);
            return Self::Aead { key: LessSafeKey::new(key), salt };
        }
        let (mut salt, mut authentication) = ([0; 14], Zeroizing::new([0; 20]));
        derive(Label::Salt, &mut salt);
        derive(Label::Authentication, &mut authentication[..]);
        let mac = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &authentication[..]);
        let tag_bytes = match kind {
            Kind::Packets => suite.tag_bytes(),
            Kind::Reports => suite.report_tag_bytes(),
        };
        Self::Counter { aes: Aes::new(key), salt, mac, tag_bytes }
    }

    /// Protects `clear` and writes the tag. Returns the tag's length.
    pub(super) fn seal(&self, frame: Frame<'_>, clear: &mut [u8], tag: &mut [u8]) -> usize {
        let made = match self {
            Self::Counter { aes, salt, mac, tag_bytes } => {
                aes.apply(counter(frame.number, salt), clear);
                let whole = authenticate(mac, frame, clear);
                tag[..*tag_bytes].copy_from_slice(&whole.as_ref()[..*tag_bytes]);
                return *tag_bytes;
            }
            Self::Aead { key, salt } => {
                let aad = Aad::from(Associated::of(frame));
                key.seal_in_place_separate_tag(nonce(frame.number, salt), aad, clear)
                    .expect("a packet is shorter than AES-GCM allows")
            }
        };
        tag[..made.as_ref().len()].copy_from_slice(made.as_ref());
        made.as_ref().len()
    }

    /// Undoes [`Self::seal`]. Returns whether the tag is right; when not, `secret` is of no use.
    pub(super) fn open(&self, frame: Frame<'_>, secret: &mut [u8], tag: &[u8]) -> bool {
        match self {
            Self::Counter { aes, salt, mac, tag_bytes } => {
                let whole = authenticate(mac, frame, secret);
                let right = bool::from(whole.as_ref()[..*tag_bytes].ct_eq(tag));
                if right {
                    aes.apply(counter(frame.number, salt), secret);
                }
                right
            }
            Self::Aead { key, salt } => {
                let aad = Aad::from(Associated::of(frame));
                let Ok(tag) = Tag::try_from(tag) else { return false };
                key.open_in_place_separate_tag(nonce(frame.number, salt), aad, tag, secret, 0..).is_ok()
            }
        }
    }
}

/// AES with a key of either length.
#[expect(clippy::large_enum_variant, reason = "a leg has four, all of one kind")]
pub(super) enum Aes {
    Short(Aes128Enc),
    Long(Aes256Enc),
}

impl Aes {
    fn new(key: &[u8]) -> Self {
        match key.len() {
            16 => Self::Short(Aes128Enc::new_from_slice(key).expect("16 bytes")),
            _ => Self::Long(Aes256Enc::new_from_slice(key).expect("a suite's key has 16 or 32 bytes")),
        }
    }

    /// Adds the key stream that begins at `counter`.
    fn apply(&self, counter: [u8; 16], bytes: &mut [u8]) {
        let counter = &counter.into();
        match self {
            Self::Short(aes) => {
                let core = CtrCore::<_, Ctr128BE>::inner_iv_init(aes, counter);
                StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
            }
            Self::Long(aes) => {
                let core = CtrCore::<_, Ctr128BE>::inner_iv_init(aes, counter);
                StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
            }
        }
    }
}

/// Fills `bytes` with the key stream for `label` (RFC 3711, section 4.3.3; RFC 7714, section 11).
fn derive(master: &SrtpKey, kind: Kind, label: Label, bytes: &mut [u8]) {
    let mut counter = [0; 16];
    counter[..master.salt().len()].copy_from_slice(master.salt());
    counter[7] ^= label as u8 + kind as u8;
    bytes.fill(0);
    Aes::new(master.key()).apply(counter, bytes);
}

/// Where the key stream of a packet begins (RFC 3711, section 4.1.1).
fn counter(Number { ssrc, index }: Number, salt: &[u8; 14]) -> [u8; 16] {
    let mut counter = [0; 16];
    counter[..14].copy_from_slice(salt);
    xor(&mut counter[4..8], &ssrc.to_be_bytes());
    xor(&mut counter[8..14], &index.to_be_bytes()[2..]);
    counter
}

/// The nonce of a packet (RFC 7714, sections 8.1 and 9.1).
fn nonce(Number { ssrc, index }: Number, salt: &[u8; 12]) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    Nonce::assume_unique_for_key(nonce)
}

fn xor(bytes: &mut [u8], with: &[u8]) {
    bytes.iter_mut().zip(with).for_each(|(byte, with)| *byte ^= with);
}

fn authenticate(key: &hmac::Key, frame: Frame<'_>, secret: &[u8]) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    mac.update(frame.open);
    mac.update(secret);
    mac.update(frame.after);
    mac.sign()
}

/// What AES-GCM authenticates without encrypting it, in one piece.
struct Associated {
    bytes: [u8; MAX_ASSOCIATED_BYTES],
    length: usize,
}

/// The longest RTP header that is read: all contributing sources and 1000 bytes of extension.
pub(super) const MAX_ASSOCIATED_BYTES: usize = 12 + 15 * 4 + 4 + 1000;

impl Associated {
    /// Both parts of `frame`, which are not longer than that together.
    fn of(Frame { open, after, .. }: Frame<'_>) -> Self {
        let mut bytes = [0; MAX_ASSOCIATED_BYTES];
        bytes[..open.len()].copy_from_slice(open);
        bytes[open.len()..][..after.len()].copy_from_slice(after);
        Self { bytes, length: open.len() + after.len() }
    }
}

impl AsRef<[u8]> for Associated {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
