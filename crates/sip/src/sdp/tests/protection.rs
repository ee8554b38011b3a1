use mixminus_rtp::srtp::{SrtpKeys, SrtpSuite};

use super::*;

const THEIRS: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn key(suite: SrtpSuite, byte: u8) -> SrtpKey {
    SrtpKey::new(suite, &vec![byte; suite.key_bytes() + suite.salt_bytes()]).unwrap()
}

/// We, with a key for each suite.
fn protecting(policy: SrtpPolicy) -> LocalMedia {
    let keys = SrtpSuite::ALL.iter().zip(1..).map(|(suite, byte)| key(*suite, byte)).collect();
    LocalMedia { srtp: LocalSrtp { policy, keys, ..LocalSrtp::default() }, ..local() }
}

fn offering(protocol: &str, crypto: &[&str]) -> String {
    let stream = format!("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 {protocol} 0\r\n");
    crypto.iter().fold(stream, |offer, line| offer + "a=crypto:" + line + "\r\n")
}

fn keys(agreed: Negotiated) -> SrtpKeys {
    let Security::Keys(keys) = agreed.security else { panic!("{:?}", agreed.security) };
    keys
}

fn crypto_lines(description: &str) -> Vec<&str> {
    description.lines().filter_map(|line| line.strip_prefix("a=crypto:")).collect()
}

#[test]
fn the_first_suite_that_both_speak_is_answered_with_our_key_under_its_tag() {
    let line = format!("7 AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}|2^20 WSH=128");
    let crypto = ["1 AES_192_CM_HMAC_SHA1_80 inline:AAAA", &line, "8 AEAD_AES_128_GCM inline:AAAA"];
    for protocol in ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP"] {
        for policy in [SrtpPolicy::Optional, SrtpPolicy::Required] {
            let (answer, agreed) = negotiate(&offering(protocol, &crypto), &protecting(policy)).unwrap();
            assert!(answer.contains(&format!("m=audio 6000 {protocol} 0\r\n")));
            let ours = "7 AES_CM_128_HMAC_SHA1_80 inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
            assert_eq!(crypto_lines(&answer), [ours]);
            let keys = keys(agreed);
            assert_eq!(keys.outbound, key(SrtpSuite::AesCm128HmacSha1_80, 1));
            assert_eq!(keys.inbound.bytes(), b"YS___semctl () {\t220;}\n}\nunles");
        }
    }
}

#[test]
fn a_stream_that_cannot_be_protected_as_it_must_is_refused() {
    let usable = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}");
    let refused =
        |protocol, crypto: &[&str], policy| negotiate(&offering(protocol, crypto), &protecting(policy)).err();
    for policy in [SrtpPolicy::Off, SrtpPolicy::Optional, SrtpPolicy::Required] {
        assert_eq!(refused("RTP/SAVP", &[], policy), Some(SdpError::NoCommonProtection), "{policy:?}");
    }
    assert_eq!(refused("RTP/SAVP", &[&usable], SrtpPolicy::Off), Some(SdpError::NoCommonProtection));
    assert_eq!(refused("RTP/AVP", &[], SrtpPolicy::Required), Some(SdpError::NoCommonProtection));
    assert_eq!(refused("RTP/AVP", &[], SrtpPolicy::Optional), None);
    assert_eq!(refused("RTP/AVP", &[&usable], SrtpPolicy::Off), None);
}

#[test]
fn a_line_that_would_be_misunderstood_is_passed_over() {
    let with = |rest: &str| format!("AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}{rest}");
    for line in [
        format!("1 {}", with("|2^20|1:4")),
        format!("1 {}", with(" UNENCRYPTED_SRTP")),
        format!("1 {}", with(" KDR=1")),
        format!("1 {}", with(";inline:AAAA")),
        format!("x {}", with("")),
        format!("1234567890 {}", with("")),
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA".into(),
        "1 AES_CM_128_HMAC_SHA1_80".into(),
        "1 AES_CM_128_HMAC_SHA1_80 uri:x".into(),
        String::new(),
    ] {
        let offer = offering("RTP/SAVP", &[&line]);
        let refused = negotiate(&offer, &protecting(SrtpPolicy::Optional)).err();
        assert_eq!(refused, Some(SdpError::NoCommonProtection), "{line}");
    }
}

#[test]
fn an_offer_and_its_answer_lead_to_the_same_keys() {
    for policy in [SrtpPolicy::Optional, SrtpPolicy::Required] {
        let (ours, mut theirs) = (protecting(policy), protecting(SrtpPolicy::Optional));
        theirs.srtp.keys = vec![key(SrtpSuite::AeadAes128Gcm, 77)];
        let offered = offer(&ours, Direction::SendReceive);
        assert_eq!(crypto_lines(&offered).len(), SrtpSuite::ALL.len());
        assert_eq!(offered.contains("RTP/SAVP"), policy == SrtpPolicy::Required);
        let (answer, far) = negotiate(&offered, &theirs).unwrap();
        let (near, far) = (keys(read_answer(&answer, &ours).unwrap()), keys(far));
        assert_eq!((&near.inbound, &near.outbound), (&far.outbound, &far.inbound));
    }
    assert!(crypto_lines(&offer(&protecting(SrtpPolicy::Off), Direction::SendReceive)).is_empty());
}

#[test]
fn an_answer_without_keys_is_one_without_protection() {
    let plain = offering("RTP/AVP", &[]);
    assert_eq!(read_answer(&plain, &protecting(SrtpPolicy::Optional)).unwrap().security, Security::Plain);
    let refused = read_answer(&plain, &protecting(SrtpPolicy::Required));
    assert_eq!(refused, Err(SdpError::NoCommonProtection));
    let other = format!("9 AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}");
    let refused = read_answer(&offering("RTP/SAVP", &[&other]), &protecting(SrtpPolicy::Required));
    assert_eq!(refused, Err(SdpError::NoCommonProtection), "a tag that was not offered");
}

const PRINT: Fingerprint = Fingerprint([0xAB; 32]);

/// We, with a certificate as well.
fn shaking(policy: SrtpPolicy, offers_dtls: bool) -> LocalMedia {
    let mut local = protecting(policy);
    (local.srtp.fingerprint, local.srtp.offers_dtls) = (Some(Fingerprint([1; 32])), offers_dtls);
    local
}

fn dtls(protocol: &str, setup: &str) -> String {
    format!("{}a=fingerprint:sha-1 00\r\na=fingerprint:{PRINT}\r\n{setup}", offering(protocol, &[]))
}

#[test]
fn the_far_end_begins_a_handshake_unless_it_refuses_to() {
    for (setup, role, ours) in [
        ("a=setup:actpass\r\n", DtlsRole::Passive, "passive"),
        ("a=setup:active\r\n", DtlsRole::Passive, "passive"),
        ("", DtlsRole::Passive, "passive"),
        ("a=setup:passive\r\n", DtlsRole::Active, "active"),
    ] {
        for protocol in ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "RTP/AVP"] {
            let local = shaking(SrtpPolicy::Optional, false);
            let (answer, agreed) = negotiate(&dtls(protocol, setup), &local).unwrap();
            assert_eq!(agreed.security, Security::Dtls { fingerprint: PRINT, role });
            assert!(answer.contains(&format!("m=audio 6000 {protocol} 0\r\n")));
            assert!(answer.contains(&format!("a=setup:{ours}\r\n")), "{answer}");
            assert!(answer.contains("a=fingerprint:sha-256 01:01:") && crypto_lines(&answer).is_empty());
        }
    }
}

#[test]
fn a_handshake_that_cannot_be_is_refused() {
    let refused = |offer: &str, local| negotiate(offer, &local).err();
    let wanted = dtls("UDP/TLS/RTP/SAVP", "a=setup:actpass\r\n");
    assert_eq!(refused(&wanted, protecting(SrtpPolicy::Optional)), Some(SdpError::NoCommonProtection));
    assert_eq!(refused(&wanted, shaking(SrtpPolicy::Off, false)), Some(SdpError::NoCommonProtection));
    let on_hold = dtls("UDP/TLS/RTP/SAVP", "a=setup:holdconn\r\n");
    assert_eq!(refused(&on_hold, shaking(SrtpPolicy::Optional, false)), Some(SdpError::NoCommonProtection));
    let usable = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}");
    let keyed = offering("UDP/TLS/RTP/SAVP", &[&usable]);
    let refusal = refused(&keyed, shaking(SrtpPolicy::Optional, false));
    assert_eq!(refusal, Some(SdpError::NoCommonProtection), "keys are no handshake");
}

#[test]
fn an_offer_of_a_handshake_and_its_answer_agree() {
    for (policy, protocol) in [(SrtpPolicy::Optional, "RTP/AVP"), (SrtpPolicy::Required, "UDP/TLS/RTP/SAVP")]
    {
        let (ours, theirs) = (shaking(policy, true), shaking(SrtpPolicy::Optional, false));
        let offered = offer(&ours, Direction::SendReceive);
        assert!(offered.contains(protocol) && crypto_lines(&offered).is_empty());
        let (answer, far) = negotiate(&offered, &theirs).unwrap();
        let fingerprint = Fingerprint([1; 32]);
        assert_eq!(far.security, Security::Dtls { fingerprint, role: DtlsRole::Passive });
        let near = read_answer(&answer, &ours).unwrap().security;
        assert_eq!(near, Security::Dtls { fingerprint, role: DtlsRole::Active });
        assert!(
            read_answer(&answer.replace("passive", "actpass"), &ours).is_err()
                == (policy == SrtpPolicy::Required)
        );
    }
}

#[test]
fn a_fingerprint_of_the_session_is_that_of_its_streams() {
    let offer = dtls("UDP/TLS/RTP/SAVP", "");
    let line = format!("a=fingerprint:{PRINT}\r\n");
    let whole = offer.replace(&line, "").replace("m=audio", &format!("{line}a=setup:passive\r\nm=audio"));
    let agreed = negotiate(&whole, &shaking(SrtpPolicy::Optional, false)).unwrap().1.security;
    assert_eq!(agreed, Security::Dtls { fingerprint: PRINT, role: DtlsRole::Active });
}
