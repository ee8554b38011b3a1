//! A private certificate authority for one certificate: `mixminus cert`.
//!
//! Vendors' SDKs have their host's name built in. A server that is to be reached by that name
//! needs a certificate for it, from an authority that the SDK's machine was told to trust.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::ServerName;

use crate::dialect;
use crate::exchange::Clock;

/// What the authority is called where certificates are listed.
const AUTHORITY: &str = "mixminus private CA";
/// How long both certificates are good for: some clients take no certificate for longer.
const YEARS: i32 = 2;

/// A day: year, month and day of the month.
pub type Day = (i32, u8, u8);

/// Why no certificate was made.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not, for instance because it exists.
        source: std::io::Error,
    },
    /// Something is no name of a host.
    #[error("--name {0:?}; accepted: host names and IP addresses")]
    Name(String),
    /// A certificate cannot be made.
    #[error("certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// What was written; prints as what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The authority's certificate, for clients to trust.
    pub authority: PathBuf,
    /// The certificate, and the authority's after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    names: Vec<String>,
}

/// Makes a certificate for `names` from `day` on and the authority that signs it, and writes
/// them into `folder`. The authority's own key is kept nowhere, so nobody can have it sign
/// anything else; for other names there is another authority.
///
/// # Errors
///
/// [`CertError`]: a name is none, or a file exists or cannot be written.
pub fn write(folder: &Path, names: &[String], day: Day) -> Result<Made, CertError> {
    if let Some(wrong) = names.iter().find(|name| ServerName::try_from(name.as_str()).is_err()) {
        return Err(CertError::Name(wrong.clone()));
    }
    let authority = CertifiedIssuer::self_signed(authority(day), KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = leaf(names, day)?.signed_by(&key, &authority)?;
    let made = Made {
        authority: folder.join("ca.pem"),
        certificate: folder.join("server.pem"),
        key: folder.join("server-key.pem"),
        names: names.to_vec(),
    };
    let mut builder = std::fs::DirBuilder::new();
    let created = builder.recursive(true).mode(0o700).create(folder);
    created.map_err(|source| CertError::Io { path: folder.into(), source })?;
    keep(&made.key, 0o600, &key.serialize_pem())?;
    keep(&made.certificate, 0o644, &(certificate.pem() + &authority.pem()))?;
    keep(&made.authority, 0o644, &authority.pem())?;
    Ok(made)
}

/// Today, in UTC.
pub fn today() -> Day {
    let today = dialect::instant(Clock::start().now()).to_string();
    let number = |digits: std::ops::Range<usize>| today[digits].parse::<u16>().expect("it begins YYYY-MM-DD");
    (i32::from(number(0..4)), number(5..7) as u8, number(8..10) as u8)
}

fn authority(day: Day) -> CertificateParams {
    let mut params = valid(CertificateParams::default(), day);
    params.distinguished_name.push(DnType::CommonName, AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf(names: &[String], day: Day) -> Result<CertificateParams, rcgen::Error> {
    let mut params = valid(CertificateParams::new(names)?, day);
    params.distinguished_name.push(DnType::CommonName, names[0].as_str());
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// The 28th is in every month.
fn valid(mut params: CertificateParams, (year, month, day): Day) -> CertificateParams {
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(year + YEARS, month, day.min(28));
    params
}

fn keep(path: &Path, mode: u32, text: &str) -> Result<(), CertError> {
    let written =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|source| CertError::Io { path: path.into(), source })
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
        let authority = absolute(&self.authority);
        writeln!(f, "a certificate for {} was written. Next:", self.names.join(", "))?;
        writeln!(f, "1. in the configuration:")?;
        writeln!(f, "   [http]")?;
        writeln!(f, "   tls_listen = \"0.0.0.0:443\"")?;
        writeln!(f, "   tls_certificate = \"{}\"", absolute(&self.certificate).display())?;
        writeln!(f, "   tls_key = \"{}\"", absolute(&self.key).display())?;
        writeln!(f, "2. where the client runs, in /etc/hosts:")?;
        let is_host = |name: &&str| name.parse::<IpAddr>().is_err();
        let hosts: Vec<&str> = self.names.iter().map(String::as_str).filter(is_host).collect();
        writeln!(f, "   <address of this server> {}", hosts.join(" "))?;
        writeln!(f, "3. have the client trust {}:", authority.display())?;
        writeln!(f, "   Node    NODE_EXTRA_CA_CERTS={}", authority.display())?;
        writeln!(f, "   Python  client.session.verify = \"{}\"", authority.display())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_for_its_owner_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["api.plivo.com".to_owned(), "127.0.0.1".to_owned()];
        let made = write(&folder.path().join("tls"), &names, (2024, 2, 29)).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&made.key), mode(&made.authority)), (0o600, 0o644));
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(text(&made.certificate).matches("BEGIN CERTIFICATE").count(), 2);
        assert!(text(&made.certificate).ends_with(&text(&made.authority)));
        assert!(made.to_string().contains("<address of this server> api.plivo.com\n"));

        let kept = text(&made.key);
        let error = write(&folder.path().join("tls"), &names, (2026, 1, 2)).unwrap_err();
        assert!(error.to_string().contains("server-key.pem"), "{error}");
        assert_eq!(text(&made.key), kept);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["zürich", "a b", ""] {
            let error = write(folder.path(), &[name.into()], (2026, 1, 2)).unwrap_err();
            assert!(error.to_string().starts_with(&format!("--name {name:?}")), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
