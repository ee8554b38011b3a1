//! The hash chain: each minute vouches for those before it.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256 as Hasher};

/// Ticks of one link: a minute.
pub(crate) const LINK_TICKS: u64 = 3_000;

/// A SHA-256 sum, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let mut sum = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(D::Error::custom("a SHA-256 sum has 64 digits"));
        }
        for (byte, pair) in sum.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = str::from_utf8(pair).map_err(D::Error::custom)?;
            *byte = u8::from_str_radix(pair, 16).map_err(D::Error::custom)?;
        }
        Ok(Self(sum))
    }
}

/// A minute of the recording, or what is left of one at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Where it begins, in samples.
    pub from_sample: u64,
    /// How long it is, in samples of each channel.
    pub samples: u64,
    /// The sum of its samples before they were encoded: 16 bits, lowest byte first, channels interleaved. In a file
    /// with a channel for each track, of the limited sum of all.
    pub pcm: Sha256,
    /// The sum of the link before (32 zeros before the first), `from_sample` and `samples` as 8 bytes each, lowest
    /// first, and `pcm`.
    pub link: Sha256,
}

impl Link {
    /// The link after the one with the sum `before`.
    pub(crate) fn after(before: Sha256, from_sample: u64, samples: u64, pcm: Sha256) -> Self {
        let hasher = Hasher::new().chain_update(before.0).chain_update(from_sample.to_le_bytes());
        let sum = hasher.chain_update(samples.to_le_bytes()).chain_update(pcm.0).finalize();
        Self { from_sample, samples, pcm, link: Sha256(sum.into()) }
    }
}

/// The sum that vouches for all links, the last of which has the sum `before`, and for the finished file.
pub(crate) fn head(before: Sha256, file: Sha256) -> Sha256 {
    Sha256(Hasher::new().chain_update(before.0).chain_update(file.0).finalize().into())
}

/// The link that is being made.
#[derive(Default)]
pub(crate) struct Chain {
    hasher: Hasher,
    last: Sha256,
    from_sample: u64,
    samples: u64,
}

impl Chain {
    /// A chain that goes on behind `link`.
    pub(crate) fn behind(link: &Link) -> Self {
        Self { last: link.link, from_sample: link.from_sample + link.samples, ..Self::default() }
    }

    /// Where what it has not yet linked begins.
    pub(crate) fn next_sample(&self) -> u64 {
        self.from_sample
    }

    /// Adds samples of each channel, which fill `pcm`.
    pub(crate) fn add(&mut self, samples: u64, pcm: &[u8]) {
        self.hasher.update(pcm);
        self.samples += samples;
    }

    /// Ends the link, if there is anything in it.
    pub(crate) fn end_link(&mut self) -> Option<Link> {
        if self.samples == 0 {
            return None;
        }
        let pcm = Sha256(self.hasher.finalize_reset().into());
        let link = Link::after(self.last, self.from_sample, self.samples, pcm);
        *self = Self::behind(&link);
        Some(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_64_digits_and_read_back() {
        let sum = Sha256(Hasher::digest(b"abc").into());
        let json = serde_json::to_string(&sum).unwrap();
        assert_eq!(json, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
        assert_eq!(serde_json::from_str::<Sha256>(&json).unwrap(), sum);
        for wrong in ["\"ba78\"", &json.replace("ba", "bx"), &json.replace("ba78", "é78")] {
            serde_json::from_str::<Sha256>(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_link_depends_on_the_one_before_its_place_and_its_audio() {
        let mut chain = Chain::default();
        chain.add(2, &[1, 0, 2, 0]);
        let first = chain.end_link().unwrap();
        assert_eq!((first.from_sample, first.samples, chain.next_sample()), (0, 2, 2));
        chain.add(1, &[3, 0]);
        let second = chain.end_link().unwrap();
        assert_eq!(second, Link::after(first.link, 2, 1, second.pcm));
        assert_ne!(second.link, Link::after(Sha256::default(), 2, 1, second.pcm).link);
        assert_ne!(second.link, Link::after(first.link, 3, 1, second.pcm).link);
        assert_eq!(chain.end_link(), None);
    }
}
