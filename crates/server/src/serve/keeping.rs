//! Puts together what keeps recordings and transcribes them.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use mixminus_archive::{Archive, ArchiveError, ObjectPlace, Pace, SealingKey, Spool};
use mixminus_control::Input;
use mixminus_store::Store;
use rand::rngs::StdRng;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

use super::ServeError;
use crate::config::{Config, EncryptionKey, RecordingStore, Recordings, Setting};
use crate::exchange::Clock;
use crate::recorder::{Recorder, Writing};
use crate::recording_place::{RecordingPlace, UrlKey};
use crate::transcripts::{Transcriber, Transcripts};

/// What keeps recordings, as configured.
pub fn archive(config: &Config) -> Result<Arc<Archive>, ServeError> {
    let configured = config.recordings.directory.clone();
    let directory = configured.unwrap_or_else(|| config.data_dir.join("recordings"));
    let failed = |source| ServeError::Recordings { key: "directory", source };
    let spool = Spool::open(directory, key(&config.recordings)?).map_err(failed)?;
    let store = match config.recordings.store {
        RecordingStore::Local => None,
        RecordingStore::S3 => {
            Some(bucket(config).map_err(|source| ServeError::Recordings { key: "store", source })?)
        }
    };
    Ok(Arc::new(Archive::new(spool, store, Pace::default())))
}

/// What recordings are sealed with, if they are.
fn key(recordings: &Recordings) -> Result<Option<SealingKey>, ServeError> {
    let file = recordings.encryption_key_file.as_ref();
    let Some(path) = file.filter(|_| recordings.encryption_key.is_none()) else {
        return Ok(recordings.encryption_key.clone().map(|EncryptionKey(key)| key));
    };
    let failed = |source| ServeError::EncryptionKey { path: path.clone(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let wrong = || io::Error::new(ErrorKind::InvalidData, format!("accepted: {}", EncryptionKey::accepts()));
    EncryptionKey::parse(text.trim()).map(|EncryptionKey(key)| Some(key)).ok_or_else(wrong).map_err(failed)
}

#[cfg(feature = "s3")]
fn bucket(config: &Config) -> Result<Arc<dyn ObjectPlace>, ArchiveError> {
    use mixminus_archive::{AccessKey, S3};

    let recordings = &config.recordings;
    let secret = recordings.s3_secret_access_key.as_ref().map(|secret| secret.expose().to_owned().into());
    let id = recordings.s3_access_key_id.clone();
    S3 {
        endpoint: recordings.s3_endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
        bucket: recordings.s3_bucket.as_ref().map(|name| name.0.clone()).unwrap_or_default(),
        region: recordings.s3_region.0.clone(),
        key: id.zip(secret).map(|(id, secret)| AccessKey { id: id.0, secret }),
        path_style: recordings.s3_path_style,
        allow_http: recordings.s3_allow_http,
    }
    .open()
}

#[cfg(not(feature = "s3"))]
fn bucket(_: &Config) -> Result<Arc<dyn ObjectPlace>, ArchiveError> {
    unreachable!("the configuration takes no s3 in such a program")
}

/// Begins to write recordings as configured; what became of them comes by the other end.
pub fn recorder(
    config: &Config,
    archive: &Arc<Archive>,
) -> Result<(Recorder, UnboundedReceiver<Input>), ServeError> {
    let recordings = &config.recordings;
    let writing = Writing {
        rate: recordings.sample_rate_hz.0,
        keeps_tracks: recordings.keep_tracks,
        multichannel_wav: recordings.multichannel_wav,
        max_backlog: Duration::from_secs(recordings.max_buffer_s.get().into()),
    };
    Recorder::start(archive, &writing).map_err(ServeError::Recorder)
}

/// What transcribes recordings, and has `written` told of its callbacks.
pub fn transcripts(
    config: &Config,
    (store, archive): (&Arc<dyn Store>, &Arc<Archive>),
    (clock, written): (Clock, &Arc<Notify>),
) -> Transcripts {
    Transcripts {
        store: Arc::clone(store),
        archive: Arc::clone(archive),
        transcriber: Transcriber::new(&config.speech),
        now: Arc::new(move || clock.now()),
        queued: Arc::clone(written),
    }
}

/// Where recordings are fetched.
pub fn place(config: &Config, clock: Clock) -> Result<RecordingPlace, ServeError> {
    let key = UrlKey::kept(&config.data_dir, &mut rand::make_rng::<StdRng>()).map_err(ServeError::UrlKey)?;
    let signed_for = config.recordings.sign_urls_for_s.map(|time| Duration::from_secs(time.get().into()));
    Ok(RecordingPlace::new(config.public_url(), key, signed_for, clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recordings(variables: &[(&str, String)]) -> Recordings {
        let variables = variables
            .iter()
            .map(|(name, value)| (format!("MIXMINUS__RECORDINGS__ENCRYPTION_{name}").into(), value.into()));
        Config::load(None, variables).unwrap().recordings
    }

    #[test]
    fn the_encryption_key_may_come_from_a_file() {
        assert!(key(&recordings(&[])).unwrap().is_none());
        assert!(key(&recordings(&[("KEY", "ab".repeat(32))])).unwrap().is_some());
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        std::fs::write(file.path(), "ab".repeat(32) + "\n").unwrap();
        assert!(key(&recordings(&[("KEY_FILE", path.clone())])).unwrap().is_some());
        std::fs::write(file.path(), "secret").unwrap();
        let said = key(&recordings(&[("KEY_FILE", path.clone())])).unwrap_err().to_string();
        assert_eq!(said, format!("recordings.encryption_key_file {path}: accepted: 64 hexadecimal digits"));
    }
}
