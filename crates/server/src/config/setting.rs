//! Types of values and how each is written as text.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use mixminus_archive::SealingKey;
use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_control::HttpMethod;
use mixminus_sip::sdp::SrtpPolicy;
use mixminus_sip::{Algorithm, Cidr, ListenAddress};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::endpoints::NumberRoute;
use crate::exchange::{Peer, Prefix, Transfers};

use crate::prompts::InstalledVoice;
use crate::recording_place::unhex;

/// A type of configuration values, written alike in the file and in the
/// environment.
pub trait Setting: Sized {
    /// Whether the value must not appear in messages.
    const SECRET: bool = false;
    /// Whether the key may be left out without a default.
    const OPTIONAL: bool = false;

    /// What is accepted, for a reader of the reference and of error messages.
    fn accepts() -> String;

    /// The value that `text` stands for, if it is accepted.
    fn parse(text: &str) -> Option<Self>;

    /// The value when the key is left out, for types that have one.
    fn left_out() -> Option<Self> {
        None
    }
}

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;
    const OPTIONAL: bool = true;

    fn accepts() -> String {
        T::accepts()
    }

    fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(Some)
    }

    fn left_out() -> Option<Self> {
        Some(None)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn accepts() -> String {
        format!("a list of one or more, each {}", T::accepts())
    }

    fn parse(text: &str) -> Option<Self> {
        text.split(',').map(|item| T::parse(item.trim())).collect()
    }
}

/// Implements [`Setting`] by [`FromStr`].
macro_rules! by_from_str {
    ($($Type:ty: $accepts:literal,)*) => { $(
        impl Setting for $Type {
            fn accepts() -> String {
                $accepts.into()
            }

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )* };
}

by_from_str! {
    bool: "true or false",
    SocketAddr: "an address with a port such as 127.0.0.1:8080 or [::1]:8080",
    IpAddr: "an IPv4 or IPv6 address",
    HttpUrl: "an http:// or https:// URL",
    ListenAddress: "udp:, tcp: or tls: and an address with a port such as udp:127.0.0.1:5060",
    Cidr: "a network such as 10.0.0.0/8, or one address",
    InstalledVoice: "LANGUAGE/VOICE=NAME, such as en-US/WOMAN=amy",
    PortRange: "two ports from 1024 on, first and last, such as 20000-29999",
}

impl Setting for String {
    fn accepts() -> String {
        "a word".into()
    }

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

impl Setting for PathBuf {
    fn accepts() -> String {
        "a path".into()
    }

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Within<MIN, MAX> {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> Setting for Within<MIN, MAX> {
    fn accepts() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| (MIN..=MAX).contains(number)).map(Self)
    }
}

impl Setting for Format {
    fn accepts() -> String {
        "opus, G722, PCMU, PCMA, L16/16000 or L16/8000".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "OPUS" => Some(Self::Opus(SampleRate::Hz48000)),
            "G722" => Some(Self::G722),
            "PCMU" => Some(Self::Pcmu),
            "PCMA" => Some(Self::Pcma),
            "L16/16000" => Some(Self::L16(SampleRate::Hz16000)),
            "L16/8000" => Some(Self::L16(SampleRate::Hz8000)),
            _ => None,
        }
    }
}

/// Rate of the audio that Opus carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusRate(pub SampleRate);

impl Setting for OpusRate {
    fn accepts() -> String {
        "16000 or 48000".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "16000" => Some(Self(SampleRate::Hz16000)),
            "48000" => Some(Self(SampleRate::Hz48000)),
            _ => None,
        }
    }
}

/// A key of 256 bits.
#[derive(Clone, Debug)]
pub struct EncryptionKey(pub SealingKey);

impl Setting for EncryptionKey {
    const SECRET: bool = true;

    fn accepts() -> String {
        "64 hexadecimal digits".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = unhex(text)?;
        Some(Self(SealingKey::new(bytes.try_into().ok()?)))
    }
}

/// Rate of what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingRate(pub SampleRate);

impl Setting for RecordingRate {
    fn accepts() -> String {
        "8000, 16000 or 48000".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "8000" => Some(Self(SampleRate::Hz8000)),
            "16000" => Some(Self(SampleRate::Hz16000)),
            "48000" => Some(Self(SampleRate::Hz48000)),
            _ => None,
        }
    }
}

/// Where recordings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingStore {
    /// Where they are written.
    Local,
    /// In a bucket.
    S3,
}

impl Setting for RecordingStore {
    fn accepts() -> String {
        if cfg!(feature = "s3") { "local or s3" } else { "local; this program was built without s3" }.into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "local" => Some(Self::Local),
            "s3" if cfg!(feature = "s3") => Some(Self::S3),
            _ => None,
        }
    }
}

/// What speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeechEngine {
    /// What is inside.
    Flite,
    /// A program.
    Command,
    /// A service.
    Http,
}

impl Setting for SpeechEngine {
    fn accepts() -> String {
        "flite, command or http".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "flite" => Some(Self::Flite),
            "command" => Some(Self::Command),
            "http" => Some(Self::Http),
            _ => None,
        }
    }
}

impl Setting for SrtpPolicy {
    fn accepts() -> String {
        "off, optional or required".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            "optional" => Some(Self::Optional),
            "required" => Some(Self::Required),
            _ => None,
        }
    }
}

/// How keys of SRTP are proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpKeying {
    /// In the session description.
    Sdes,
    /// By a handshake.
    Dtls,
}

impl Setting for SrtpKeying {
    fn accepts() -> String {
        "sdes or dtls".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "sdes" => Some(Self::Sdes),
            "dtls" => Some(Self::Dtls),
            _ => None,
        }
    }
}

impl Setting for Transfers {
    fn accepts() -> String {
        "refuse, endpoints or all".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refused),
            "endpoints" => Some(Self::OfEndpoints),
            "all" => Some(Self::OfAll),
            _ => None,
        }
    }
}

/// How a URL is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method(pub HttpMethod);

impl Setting for Method {
    fn accepts() -> String {
        "GET or POST".into()
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "GET" => Some(Self(HttpMethod::Get)),
            "POST" => Some(Self(HttpMethod::Post)),
            _ => None,
        }
    }
}

/// An absolute URL of the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(Url);

impl HttpUrl {
    /// The URL as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The URL.
    pub fn to_url(&self) -> Url {
        self.0.clone()
    }
}

impl FromStr for HttpUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let url = Url::parse(text).map_err(|_| ())?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if web && url.fragment().is_none() { Ok(Self(url)) } else { Err(()) }
    }
}

/// A host that calls may go to, or a network of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callable(pub Peer);

impl Setting for Callable {
    fn accepts() -> String {
        "a host name, or a network such as 10.0.0.0/8".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// What numbers begin with that are not called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberPrefix(pub Prefix);

impl Setting for NumberPrefix {
    fn accepts() -> String {
        "digits, with a plus or without".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// A number, and what answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberApplication(pub NumberRoute);

impl Setting for NumberApplication {
    fn accepts() -> String {
        "a number, =, and the id of an application".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// What passwords are hashed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub Algorithm);

impl Setting for Digest {
    fn accepts() -> String {
        "MD5 or SHA-256".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// The host part of a SIP URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkHost(pub String);

impl Setting for TrunkHost {
    fn accepts() -> String {
        "a host, with a port or not, and ;transport=tcp for TCP or ;transport=tls for TLS".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[];=".contains(&byte);
        (!text.is_empty() && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }
}

/// A user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

impl Setting for Name {
    fn accepts() -> String {
        "1 to 128 printable characters without quotes and backslashes".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        ((1..=128).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }
}

/// A password that is given by somebody else.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// The password.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Setting for Password {
    const SECRET: bool = true;

    fn accepts() -> String {
        "1 to 256 characters".into()
    }

    fn parse(text: &str) -> Option<Self> {
        (1..=256).contains(&text.chars().count()).then(|| Self(text.to_owned().into()))
    }
}

/// Ports that audio may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRange(pub RangeInclusive<u16>);

impl FromStr for PortRange {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, last) = text.split_once('-').ok_or(())?;
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| ());
        let (first, last) = (port(first)?, port(last)?);
        if (1024..last).contains(&first) { Ok(Self(first..=last)) } else { Err(()) }
    }
}
