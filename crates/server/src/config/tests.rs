use std::ffi::OsString;
use std::io::Write;

use mixminus_audio::SampleRate;

use super::*;

fn from_environment(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(None, variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn from_file(text: &str) -> Result<Config, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Config::load(Some(file.path()), [])
}

#[test]
fn the_committed_reference_is_what_the_program_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/mixminus.toml");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == reference(), "stale: cargo run -- config > config/mixminus.toml");
}

#[test]
fn the_reference_with_every_key_uncommented_is_accepted() {
    let text = reference();
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with('[') || !key.starts_with(' ') && key.contains(" = ") => key.to_owned(),
        _ => line.to_owned(),
    };
    let text = text.lines().map(uncommented).collect::<Vec<_>>().join("\n");
    let config = from_file(&text).unwrap();
    assert_eq!(config.account.auth_id.unwrap().as_str(), "MAEXAMPLE00000000000");
    assert_eq!(config.media.workers.unwrap().get(), 2);
}

#[test]
fn defaults_stay_on_this_machine() {
    let config = from_environment(&[]).unwrap();
    assert!(config.is_local());
    assert!(config.allows_private_urls());
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    assert_eq!(config.sip.listen[0].to_string(), "udp:127.0.0.1:5060");
    assert_eq!(config.media.ports.0, 20_000..=29_999);
    assert_eq!(config.limits.max_participants.get(), 10);
}

#[test]
fn opus_is_offered_first_and_in_wide_band() {
    let config = from_environment(&[]).unwrap();
    let expected = [Format::Opus(SampleRate::Hz16000), Format::G722, Format::Pcmu, Format::Pcma];
    assert_eq!(config.formats(), expected);
    assert_eq!(config.opus(), OpusSettings::default());
}

#[test]
fn formats_keep_their_order_and_are_offered_once() {
    let config = from_environment(&[
        ("MIXMINUS__MEDIA__FORMATS", "pcma, Opus, L16/16000, pcma, l16/8000"),
        ("MIXMINUS__MEDIA__OPUS_RATE_HZ", "48000"),
        ("MIXMINUS__MEDIA__OPUS_DTX", "true"),
    ])
    .unwrap();
    let [narrow, wide, full] = SampleRate::ALL;
    let expected = [Format::Pcma, Format::Opus(full), Format::L16(wide), Format::L16(narrow)];
    assert_eq!(config.formats(), expected);
    assert!(config.opus().dtx);
}

#[test]
fn naming_a_public_address_closes_private_urls() {
    for variable in [("MIXMINUS__HTTP__LISTEN", "0.0.0.0:80"), ("MIXMINUS__SIP__LISTEN", "udp:0.0.0.0:5060")]
    {
        assert!(!from_environment(&[variable]).unwrap().allows_private_urls());
        let allowed = [variable, ("MIXMINUS__URLS__ALLOW_PRIVATE", "true")];
        assert!(from_environment(&allowed).unwrap().allows_private_urls());
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "data_dir = \"/a\"\n[sip]\nlisten = [\"tcp:127.0.0.1:1\"]\n[limits]\nmax_calls = 5")
        .unwrap();
    let variable = (OsString::from("MIXMINUS__SIP__LISTEN"), OsString::from("udp:127.0.0.1:2, tcp:[::1]:3"));
    let config = Config::load(Some(file.path()), [variable]).unwrap();
    let listeners: Vec<_> = config.sip.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listeners, ["udp:127.0.0.1:2", "tcp:[::1]:3"]);
    assert_eq!(config.limits.max_calls.get(), 5);
    assert_eq!(config.data_dir, PathBuf::from("/a"));
}

#[test]
fn trunks_have_labels_and_may_be_several() {
    let config =
        from_file("[trunks.a]\nhost = \"a.example\"\n[trunks.b-1]\nhost = \"b.example\"\norder = 1").unwrap();
    let trunks: Vec<_> = config.trunks.iter().map(|(label, trunk)| (&**label, trunk.order.get())).collect();
    assert_eq!(trunks, [("a", 100), ("b-1", 1)]);
    let one = from_environment(&[("MIXMINUS__TRUNKS__C_2__HOST", "c.example")]).unwrap();
    assert_eq!(one.trunks["c_2"].host, Some(TrunkHost("c.example".into())));
    for (wrong, part) in [
        ("[trunks.a]\norder = 1", "trunks.a.host is left out"),
        ("[trunks]\nhost = \"a\"", "unknown key trunks.host"),
        ("[trunks.\"a b\"]\nhost = \"a\"", "unknown key trunks.a b.host"),
        ("[trunks.a]\nname = \"a\"", "accepted: host, username, password, prefixes, order, networks, srtp"),
    ] {
        let error = from_file(wrong).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// Key, wrong value, part of what is said to be accepted.
const WRONG: &[(&str, &str, &str)] = &[
    ("http.listen", "localhost", "an address with a port"),
    ("http.public_url", "ftp://a", "an http:// or https:// URL"),
    ("sip.listen", "sctp:127.0.0.1:5060", "udp:, tcp: or tls:"),
    ("sip.listen", "", "one or more"),
    ("sip.allow", "10.0.0.0/33", "a network"),
    ("sip.public_address", "example.com", "an IPv4 or IPv6 address"),
    ("media.ports", "30000-20000", "first and last"),
    ("media.ports", "80-90", "from 1024 on"),
    ("media.workers", "0", "from 1 to 256"),
    ("media.timeout_s", "1.5", "a whole number"),
    ("media.formats", "opus,G729", "opus, G722, PCMU"),
    ("media.formats", "", "one or more"),
    ("media.opus_bitrate_bps", "5999", "from 6000 to 128000"),
    ("media.opus_complexity", "11", "from 0 to 10"),
    ("media.opus_rate_hz", "8000", "16000 or 48000"),
    ("media.opus_dtx", "auto", "true or false"),
    ("media.srtp", "yes", "off, optional or required"),
    ("media.srtp_keys", "zrtp", "sdes or dtls"),
    ("limits.max_load_percent", "0", "from 1 to 100"),
    ("speech.engine", "espeak", "flite, command or http"),
    ("speech.command", "", "a word"),
    ("speech.voices", "en-US=amy", "LANGUAGE/VOICE=NAME"),
    ("speech.timeout_s", "61", "from 1 to 60"),
    ("account.auth_id", "MAlower", "MA and 18 characters"),
    ("application.answer_url", "/answer", "an http:// or https:// URL"),
    ("application.answer_method", "PUT", "GET or POST"),
    ("urls.allow_private", "perhaps", "true or false"),
    ("recordings.sample_rate_hz", "44100", "8000, 16000 or 48000"),
    ("recordings.store", "ftp", "local or s3"),
    ("limits.max_participants", "1", "from 2 to"),
    ("limits.requests_per_5s", "-1", "a whole number"),
    ("data_dir", "", "a path"),
];

#[test]
fn a_wrong_value_is_told_with_its_key_and_what_is_accepted() {
    for (key, value, accepted) in WRONG {
        let variable = format!("MIXMINUS__{}", key.to_uppercase().replace('.', "__"));
        let said = from_environment(&[(&variable, value)]).unwrap_err().to_string();
        let expected = format!("{key} = {value:?} (environment {variable}); accepted: ");
        assert!(said.starts_with(&expected) && said.contains(accepted), "{said}");

        let text = match key.split_once('.') {
            Some((section, name)) => format!("[{section}]\n{name} = {value:?}"),
            None => format!("{key} = {value:?}"),
        };
        let said = from_file(&text).unwrap_err().to_string();
        assert!(said.starts_with(&format!("{key} = {value:?} (file ")) && said.contains(accepted), "{said}");
    }
}

#[test]
fn an_engine_that_is_not_said_how_to_reach_is_told_with_the_key_that_says_it() {
    for (engine, key) in [("command", "speech.command"), ("http", "speech.url")] {
        let said = from_file(&format!("[speech]\nengine = \"{engine}\"")).unwrap_err().to_string();
        let expected = format!("{key} is left out, which speech.engine needs; accepted: ");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn a_bucket_needs_a_name_and_a_key_its_secret() {
    for (text, needed, by) in [
        ("store = \"s3\"", "s3_bucket", "store"),
        ("s3_access_key_id = \"x\"", "s3_secret_access_key", "s3_access_key_id"),
        ("s3_secret_access_key = \"x\"", "s3_access_key_id", "s3_secret_access_key"),
    ] {
        let said = from_file(&format!("[recordings]\n{text}")).unwrap_err().to_string();
        let expected = format!("recordings.{needed} is left out, which recordings.{by} needs; accepted: ");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn an_unknown_key_is_told_with_those_that_exist() {
    let said = from_file("[http]\nlissen = \"127.0.0.1:1\"").unwrap_err().to_string();
    assert!(
        said.starts_with("unknown key http.lissen (file ")
            && said.ends_with("accepted: listen, public_url, tls_listen, tls_certificate, tls_key"),
        "{said}"
    );
    let said = from_environment(&[("MIXMINUS__HTPP__LISTEN", "x")]).unwrap_err().to_string();
    assert!(said.starts_with("unknown key htpp.listen (environment MIXMINUS__HTPP__LISTEN)"), "{said}");
    assert!(said.contains("data_dir, http.listen"), "{said}");
    for text in ["http = 1", "[http.listen]\nx = 1", "[[sip]]\nlisten = []", "[data_dir]\nx = 1"] {
        assert!(from_file(text).is_err(), "{text}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_told() {
    let missing = Config::load(Some(std::path::Path::new("/nowhere/mixminus.toml")), []).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/mixminus.toml"), "{missing}");
    let said = from_file("[http\nlisten = 1").unwrap_err().to_string();
    assert!(said.contains("accepted: TOML") && said.contains("line 1"), "{said}");
}

#[test]
fn a_wrong_encryption_key_is_not_repeated() {
    for wrong in ["0".repeat(63), "0".repeat(66), "g".repeat(64)] {
        let said =
            from_environment(&[("MIXMINUS__RECORDINGS__ENCRYPTION_KEY", &wrong)]).unwrap_err().to_string();
        assert!(
            said.starts_with("recordings.encryption_key = (not shown) ") && !said.contains(&wrong),
            "{said}"
        );
    }
}

#[test]
fn a_wrong_token_is_not_repeated() {
    let said = from_environment(&[("MIXMINUS__ACCOUNT__AUTH_TOKEN", "hunter2")]).unwrap_err().to_string();
    assert!(said.starts_with("account.auth_token = (not shown) ") && !said.contains("hunter2"), "{said}");
}
