//! Accounts: who may use the API, and what callbacks are signed with.

mod directory;

use std::fmt;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rand::distr::Alphanumeric;
use rand::{Rng, RngExt};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::{Account, Setting};

pub use directory::{Accounts, Caller};

/// Name of the file in the data directory that keeps what was generated.
const FILE: &str = "account.toml";
const ID_PREFIX: &str = "MA";
const SUBACCOUNT_PREFIX: &str = "SA";
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const ID_LENGTH: usize = 20;
const TOKEN_LENGTH: usize = 40;

/// User name of the API: `MA` and 18 characters of `A-Z0-9`, which is what
/// vendors' SDKs check for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthId(String);

impl AuthId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new id for a subaccount: `SA` and 18 characters.
    pub fn for_subaccount(rng: &mut impl Rng) -> Self {
        Self::generate(SUBACCOUNT_PREFIX, rng)
    }

    fn generate(prefix: &str, rng: &mut impl Rng) -> Self {
        let mut id = prefix.to_owned();
        while id.len() < ID_LENGTH {
            id.push(char::from(ID_ALPHABET[rng.random_range(0..ID_ALPHABET.len())]));
        }
        Self(id)
    }
}

impl fmt::Display for AuthId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Setting for AuthId {
    fn accepts() -> String {
        "MA and 18 characters of A-Z and 0-9".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let accepted = text.len() == ID_LENGTH
            && text.starts_with(ID_PREFIX)
            && text.bytes().all(|byte| ID_ALPHABET.contains(&byte));
        accepted.then(|| Self(text.into()))
    }
}

/// Password of the API and signing key of callbacks; prints truncated.
#[derive(Clone)]
pub struct AuthToken(SecretString);

impl AuthToken {
    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A new token of forty letters and digits.
    pub fn generate(rng: &mut impl Rng) -> Self {
        let token: String = rng.sample_iter(Alphanumeric).take(TOKEN_LENGTH).map(char::from).collect();
        Self(token.into())
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", &self.expose()[..4])
    }
}

impl Setting for AuthToken {
    const SECRET: bool = true;

    fn accepts() -> String {
        "20 to 128 printable ASCII characters without blanks".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let accepted = (20..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        accepted.then(|| Self(text.to_owned().into()))
    }
}

/// What an API client has to know.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// User name.
    pub id: AuthId,
    /// Password.
    pub token: AuthToken,
}

/// Where the credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Both from the configuration.
    Configured,
    /// From this file, which an earlier start wrote.
    Kept(PathBuf),
    /// Just made and written to this file.
    Generated(PathBuf),
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not what an earlier start wrote.
    #[error("{}: accepted: auth_id ({}) and auth_token ({})", path.display(), AuthId::accepts(), AuthToken::accepts())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// The account's credentials: what `configured` says, otherwise what is kept
/// in `data_dir`, otherwise made with `rng` and kept there.
///
/// # Errors
///
/// The file that keeps them cannot be read, understood or written.
pub fn credentials(
    configured: &Account,
    data_dir: &Path,
    rng: &mut impl Rng,
) -> Result<(Credentials, Provenance), AccountError> {
    if let (Some(id), Some(token)) = (&configured.auth_id, &configured.auth_token) {
        return Ok((Credentials { id: id.clone(), token: token.clone() }, Provenance::Configured));
    }
    let path = data_dir.join(FILE);
    let (kept, provenance) = match kept(&path) {
        Ok(kept) => (kept, Provenance::Kept(path)),
        Err(AccountError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            let made = Credentials { id: AuthId::generate(ID_PREFIX, rng), token: AuthToken::generate(rng) };
            keep(&path, &made).map_err(|source| AccountError::Io { path: path.clone(), source })?;
            (made, Provenance::Generated(path))
        }
        Err(error) => return Err(error),
    };
    Ok((completed(configured, kept), provenance))
}

/// The credentials of a service that was started before: configured or kept in `data_dir`.
///
/// # Errors
///
/// The file that keeps them is not there, or cannot be read or understood.
pub fn known(configured: &Account, data_dir: &Path) -> Result<Credentials, AccountError> {
    if let (Some(id), Some(token)) = (&configured.auth_id, &configured.auth_token) {
        return Ok(Credentials { id: id.clone(), token: token.clone() });
    }
    Ok(completed(configured, kept(&data_dir.join(FILE))?))
}

fn completed(configured: &Account, kept: Credentials) -> Credentials {
    Credentials {
        id: configured.auth_id.clone().unwrap_or(kept.id),
        token: configured.auth_token.clone().unwrap_or(kept.token),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    auth_id: String,
    auth_token: String,
}

fn kept(path: &Path) -> Result<Credentials, AccountError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| AccountError::Io { path: path.into(), source })?;
    parse(&text).ok_or_else(|| AccountError::Malformed { path: path.into() })
}

fn parse(text: &str) -> Option<Credentials> {
    let kept: Kept = toml::from_str(text).ok()?;
    Some(Credentials { id: AuthId::parse(&kept.auth_id)?, token: AuthToken::parse(&kept.auth_token)? })
}

/// Writes beside and renames, so that the file is whole whenever it exists.
fn keep(path: &Path, made: &Credentials) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    writeln!(file, "auth_id = \"{}\"\nauth_token = \"{}\"", made.id, made.token.expose())?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::config::Config;

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    fn not_configured() -> Account {
        Config::load(None, []).unwrap().account
    }

    #[test]
    fn the_first_start_generates_what_later_starts_find() {
        let dir = tempfile::tempdir().unwrap();
        let (made, provenance) = credentials(&not_configured(), dir.path(), &mut rng()).unwrap();
        let path = dir.path().join("account.toml");
        assert_eq!(provenance, Provenance::Generated(path.clone()));
        assert_eq!(made.token.expose().len(), 40);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let (found, provenance) = credentials(&not_configured(), dir.path(), &mut rng()).unwrap();
        assert_eq!(provenance, Provenance::Kept(path));
        assert_eq!((found.id.as_str(), found.token.expose()), (made.id.as_str(), made.token.expose()));
    }

    #[test]
    fn generated_ids_are_accepted_and_differ() {
        let mut rng = rng();
        let (one, other) = (AuthId::generate(ID_PREFIX, &mut rng), AuthId::generate(ID_PREFIX, &mut rng));
        assert_ne!(one, other);
        assert_eq!(AuthId::parse(one.as_str()), Some(one));
        assert_eq!(AuthId::parse("MAshort"), None);
        assert_eq!(AuthId::parse("MAlowercase000000000"), None);
    }

    #[test]
    fn configured_values_win_one_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let id = AuthId::parse("MATEST00000000000000").unwrap();
        let configured = Account { auth_id: Some(id.clone()), auth_token: None };
        let (both, _) = credentials(&configured, dir.path(), &mut rng()).unwrap();
        assert_eq!(both.id, id);
        assert_eq!(both.token.expose().len(), 40);
    }

    #[test]
    fn who_asks_a_service_finds_its_account_and_makes_none() {
        let dir = tempfile::tempdir().unwrap();
        let missing = known(&not_configured(), dir.path()).unwrap_err().to_string();
        assert!(
            missing.contains("account.toml") && dir.path().read_dir().unwrap().next().is_none(),
            "{missing}"
        );
        let (made, _) = credentials(&not_configured(), dir.path(), &mut rng()).unwrap();
        let found = known(&not_configured(), dir.path()).unwrap();
        assert_eq!((found.id, found.token.expose()), (made.id, made.token.expose()));
    }

    #[test]
    fn a_spoilt_file_is_reported_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("account.toml");
        std::fs::write(&path, "auth_id = \"MA\"\nauth_token = \"x\"\n").unwrap();
        let error = credentials(&not_configured(), dir.path(), &mut rng()).unwrap_err();
        assert!(error.to_string().contains("18 characters of A-Z and 0-9"), "{error}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("auth_id = \"MA\""));
    }

    #[test]
    fn a_token_prints_truncated() {
        let token = AuthToken::parse("secret-that-must-not-appear-anywhere").unwrap();
        assert_eq!(format!("{token:?}"), "secr…");
    }
}
