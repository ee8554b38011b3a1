//! Keys in session descriptions (SDES, RFC 4568).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mixminus_rtp::srtp::{SrtpKey, SrtpKeys, SrtpSuite};

/// Most `a=crypto:` lines of a stream that are read.
pub(super) const MAX_LINES: usize = 16;

/// An `a=crypto:` line that we can use.
#[derive(Debug)]
pub(super) struct Crypto<'a> {
    pub tag: &'a str,
    pub key: SrtpKey,
}

impl<'a> Crypto<'a> {
    /// Reads the value of a line; none for a suite, a key or a parameter that we do not speak. A lifetime is
    /// longer than calls are; a master key identifier would be in every packet.
    pub(super) fn parse(value: &'a str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let (tag, suite, keys) = (words.next()?, SrtpSuite::named(words.next()?)?, words.next()?);
        let numbered = tag.len() <= 9 && tag.bytes().all(|byte| byte.is_ascii_digit());
        // Window sizes are advice (section 6.3.6); the others change what packets look like.
        let usual = words.all(|parameter| parameter.starts_with("WSH="));
        let mut parts = keys.strip_prefix("inline:")?.split('|');
        let bytes = STANDARD.decode(parts.next()?).ok()?;
        let unidentified = parts.all(|part| !part.contains(':'));
        let key = SrtpKey::new(suite, &bytes)?;
        (numbered && usual && unidentified && !keys.contains(';')).then_some(Self { tag, key })
    }
}

/// What comes of lines that are `offered`, of which the first that fits counts, and the line that answers.
pub(super) fn answer(offered: &[&str], ours: &[SrtpKey]) -> Option<(SrtpKeys, String)> {
    offered.iter().filter_map(|line| Crypto::parse(line)).find_map(|Crypto { tag, key: inbound }| {
        let outbound = ours.iter().find(|key| key.suite() == inbound.suite())?.clone();
        let answer = line(tag, &outbound);
        Some((SrtpKeys { inbound, outbound }, answer))
    })
}

/// Our keys as an offer has them.
pub(super) fn offer(ours: &[SrtpKey]) -> impl Iterator<Item = String> {
    ours.iter().zip(1..).map(|(key, tag): (_, u32)| line(&tag.to_string(), key))
}

/// What comes of lines that are the answer to an [`offer`] of `ours`.
pub(super) fn agreed(answered: &[&str], ours: &[SrtpKey]) -> Option<SrtpKeys> {
    answered.iter().filter_map(|line| Crypto::parse(line)).find_map(|Crypto { tag, key: inbound }| {
        let place = tag.parse::<usize>().ok()?.checked_sub(1)?;
        let outbound = ours.get(place).filter(|key| key.suite() == inbound.suite())?.clone();
        Some(SrtpKeys { inbound, outbound })
    })
}

fn line(tag: &str, key: &SrtpKey) -> String {
    format!("a=crypto:{tag} {} inline:{}", key.suite().name(), STANDARD.encode(key.bytes()))
}
