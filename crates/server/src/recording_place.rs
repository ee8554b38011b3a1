//! Where recordings are fetched: their URLs, signed or not.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use mixminus_archive::Format;
use mixminus_control::{RecordingFormat, RecordingRecord, Timestamp};
use rand::Rng;
use sha2::Sha256;

use crate::exchange::Clock;

/// Name of the file in the data directory that keeps the key of signatures.
const KEY_FILE: &str = "url.key";
const KEY_BYTES: usize = 32;

/// What signatures are made with. It never leaves this service, so it is none of the accounts' tokens.
#[derive(Clone)]
pub struct UrlKey(Arc<[u8; KEY_BYTES]>);

impl std::fmt::Debug for UrlKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UrlKey(…)")
    }
}

impl UrlKey {
    /// A new one.
    pub fn generate(rng: &mut impl Rng) -> Self {
        let mut key = [0; KEY_BYTES];
        rng.fill_bytes(&mut key);
        Self(Arc::new(key))
    }

    /// That which is kept in `data_dir`, made with `rng` at the first start.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is not what an earlier start wrote.
    pub fn kept(data_dir: &Path, rng: &mut impl Rng) -> io::Result<Self> {
        let path = data_dir.join(KEY_FILE);
        match std::fs::read(&path) {
            Ok(bytes) => match bytes.try_into() {
                Ok(key) => Ok(Self(Arc::new(key))),
                Err(_) => Err(io::Error::new(ErrorKind::InvalidData, format!("accepted: {KEY_BYTES} bytes"))),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = Self::generate(rng);
                let beside = path.with_extension("new");
                let mut options = OpenOptions::new();
                let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
                file.write_all(&*made.0)?;
                file.sync_all()?;
                std::fs::rename(beside, path)?;
                Ok(made)
            }
            Err(error) => Err(error),
        }
    }

    fn mac(&self, path: &str, expires: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        mac.update(path.as_bytes());
        mac.update(b"?expires=");
        mac.update(expires.as_bytes());
        mac
    }
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It is ours and in time.
    Good,
    /// It is ours, and its time is over.
    Expired,
    /// It is not ours.
    Forged,
}

/// Where recordings are fetched.
#[derive(Clone, Debug)]
pub struct RecordingPlace {
    /// Where the API is reached, without a slash at the end.
    base: String,
    key: UrlKey,
    /// How long a URL that is told is good without credentials, if at all.
    signed_for: Option<Duration>,
    clock: Clock,
}

impl RecordingPlace {
    /// Below `base`, which has no slash at its end. URLs are signed for as long as `signed_for` says.
    pub const fn new(base: String, key: UrlKey, signed_for: Option<Duration>, clock: Clock) -> Self {
        Self { base, key, signed_for, clock }
    }

    /// Where the API is reached, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `record` as it is to be kept: with the URL that takes credentials.
    pub fn located(&self, mut record: RecordingRecord) -> RecordingRecord {
        record.url = format!("{}{}", self.base, path(&record));
        record
    }

    /// Says in `record`, which is told to somebody now, where its file is.
    pub fn locate(&self, record: &mut RecordingRecord) {
        let path = path(record);
        record.url = match self.signed_for {
            None => format!("{}{path}", self.base),
            Some(time) => {
                let expires = (self.clock.now() + time).as_micros() / 1_000_000;
                let query = format!("expires={expires}&signature={}", self.signature(&path, expires));
                format!("{}{path}?{query}", self.base)
            }
        };
    }

    /// What `signature`, in hexadecimal digits, is worth for `path` until `expires`, in seconds of Unix time.
    /// How long that takes to say tells nothing of the right one.
    pub fn check(&self, path: &str, expires: &str, signature: &str) -> Signature {
        let Some(signature) = unhex(signature) else { return Signature::Forged };
        if self.key.mac(path, expires).verify_slice(&signature).is_err() {
            return Signature::Forged;
        }
        let until = expires.parse::<i64>().unwrap_or_default().saturating_mul(1_000_000);
        if self.clock.now() < Timestamp::from_micros(until) { Signature::Good } else { Signature::Expired }
    }

    fn signature(&self, path: &str, expires: i64) -> String {
        let tag = self.key.mac(path, &expires.to_string()).finalize().into_bytes();
        tag.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes everything");
            text
        })
    }
}

/// How the main file of such a recording is written.
pub const fn file_format(format: RecordingFormat) -> Format {
    match format {
        RecordingFormat::Mp3 => Format::Mp3,
        RecordingFormat::Wav => Format::Wav,
        RecordingFormat::OggOpus => Format::OggOpus,
        RecordingFormat::Flac => Format::Flac,
    }
}

fn path(record: &RecordingRecord) -> String {
    let extension = file_format(record.format).extension();
    format!("/v1/Account/{}/Recording/{}.{extension}", record.account, record.id)
}

/// The bytes that hexadecimal digits stand for, two for each.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn the_first_start_makes_the_key_that_later_starts_find() {
        let directory = tempfile::tempdir().unwrap();
        let start = |seed| UrlKey::kept(directory.path(), &mut StdRng::seed_from_u64(seed));
        assert_eq!(start(1).unwrap().0, start(2).unwrap().0);
        let path = directory.path().join(KEY_FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(path, "short").unwrap();
        assert_eq!(start(1).unwrap_err().to_string(), "accepted: 32 bytes");
    }

    #[test]
    fn only_what_was_signed_is_good_and_only_in_time() {
        let place = |seed| {
            let key = UrlKey::generate(&mut StdRng::seed_from_u64(seed));
            RecordingPlace::new("http://h".into(), key, None, Clock::start())
        };
        let (own, path) = (place(1), "/v1/Account/MA1/Recording/x.wav");
        let now = own.clock.now().as_micros() / 1_000_000;
        let good = own.signature(path, now + 60);
        let until = (now + 60).to_string();
        assert_eq!(own.check(path, &until, &good), Signature::Good);
        assert_eq!(
            own.check(path, &(now - 1).to_string(), &own.signature(path, now - 1)),
            Signature::Expired
        );
        assert_eq!(own.check(path, &(now + 61).to_string(), &good), Signature::Forged);
        assert_eq!(own.check("/v1/Account/MA1/Recording/y.wav", &until, &good), Signature::Forged);
        for forged in ["", "0", "zz", &good[2..], &format!("{good}00"), &place(2).signature(path, now + 60)] {
            assert_eq!(own.check(path, &until, forged), Signature::Forged, "{forged}");
        }
    }
}
