//! Protection of RTP and RTCP: the RFCs' vectors, another implementation, and whoever has no key.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mixminus_rtp::srtp::{MAX_OVERHEAD_BYTES, Protector, SrtpError, SrtpKey, SrtpSuite, Unprotector};
use mixminus_rtp::{HEADER_BYTES, Header};
use proptest::prelude::*;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;

fn hex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn key(suite: SrtpSuite, seed: u8) -> SrtpKey {
    let bytes: Vec<u8> = (0..suite.key_bytes() + suite.salt_bytes()).map(|n| n as u8 ^ seed).collect();
    SrtpKey::new(suite, &bytes).unwrap()
}

fn packet(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut head = [0; HEADER_BYTES];
    let timestamp = u32::from(sequence) * 160;
    Header { marker: false, payload_type: 0, sequence, timestamp, ssrc }.write(&mut head);
    [&head, payload].concat()
}

fn report(ssrc: u32) -> Vec<u8> {
    [&[0x80, 201, 0, 1][..], &ssrc.to_be_bytes()].concat()
}

fn protected(protector: &mut Protector, packet: &[u8]) -> Vec<u8> {
    let mut buffer = [packet, &[0; MAX_OVERHEAD_BYTES]].concat();
    let size_bytes = protector.protect(&mut buffer, packet.len());
    buffer.truncate(size_bytes);
    buffer
}

fn protected_report(protector: &mut Protector, report: &[u8]) -> Vec<u8> {
    let mut buffer = [report, &[0; MAX_OVERHEAD_BYTES]].concat();
    let size_bytes = protector.protect_report(&mut buffer, report.len());
    buffer.truncate(size_bytes);
    buffer
}

fn unprotected(unprotector: &mut Unprotector, datagram: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut datagram = datagram.to_vec();
    let size_bytes = unprotector.unprotect(&mut datagram)?;
    datagram.truncate(size_bytes);
    Ok(datagram)
}

/// Both ends of a stream.
fn pair(suite: SrtpSuite) -> (Protector, Unprotector) {
    let key = key(suite, 0x5A);
    (Protector::new(&key), Unprotector::new(&key))
}

/// The other implementation.
fn oracle(key: &SrtpKey) -> Context {
    let profile = match key.suite() {
        SrtpSuite::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        SrtpSuite::AesCm256HmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        SrtpSuite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpSuite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    };
    let (master, salt) = key.bytes().split_at(key.suite().key_bytes());
    let (packets, reports) = (srtp_replay_protection(64), srtcp_replay_protection(64));
    let crypto = rtc_crypto::default_provider().unwrap();
    Context::new(master, salt, profile, Some(packets), Some(reports), crypto.crypto()).unwrap()
}

#[test]
fn a_packet_is_protected_as_in_the_test_vectors() {
    // RFC 7714, sections 16.1.1 and 16.2.1, are of session keys; RFC 3711 has none of a whole packet. This one,
    // of a master key, is used by several implementations.
    let key = hex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6");
    let key = SrtpKey::new(SrtpSuite::AesCm128HmacSha1_80, &key).unwrap();
    let clear = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let secret = hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    assert_eq!(protected(&mut Protector::new(&key), &clear), secret);
    assert_eq!(unprotected(&mut Unprotector::new(&key), &secret).unwrap(), clear);
}

#[test]
fn a_key_has_the_length_of_its_suite() {
    for suite in SrtpSuite::ALL {
        let length = suite.key_bytes() + suite.salt_bytes();
        for other in [0, length - 1, length + 1, 64] {
            assert_eq!(SrtpKey::new(suite, &vec![1; other]), None);
        }
        assert_eq!(SrtpSuite::named(suite.name()), Some(suite));
        assert!(!format!("{:?}", key(suite, 0)).contains("1, 2"), "a key is not shown");
    }
    assert_eq!(SrtpSuite::named("NULL_HMAC_SHA1_80"), None);
}

#[test]
fn a_stream_goes_on_when_its_sequence_numbers_begin_anew() {
    for suite in SrtpSuite::ALL {
        let (mut protector, mut unprotector) = pair(suite);
        let mut other = oracle(&key(suite, 0x5A));
        for n in 0..140_000_u32 {
            let clear = packet(n as u16, 7, &n.to_be_bytes());
            let secret = protected(&mut protector, &clear);
            assert_eq!(unprotected(&mut unprotector, &secret).unwrap(), clear, "{suite:?} {n}");
            if n % 1_000 == 0 || n % 65_536 < 3 {
                assert_eq!(other.decrypt_rtp(&secret).unwrap()[..], clear, "{suite:?} {n}");
            }
        }
    }
}

#[test]
fn packets_overtake_each_other_also_where_numbers_begin_anew() {
    let (mut protector, mut unprotector) = pair(SrtpSuite::AesCm128HmacSha1_80);
    let sent: Vec<_> =
        (65_500..65_600_u32).map(|n| protected(&mut protector, &packet(n as u16, 7, b"x"))).collect();
    for pair in sent.chunks(2) {
        assert!(unprotected(&mut unprotector, &pair[1]).is_ok());
        assert!(unprotected(&mut unprotector, &pair[0]).is_ok());
    }
}

#[test]
fn what_came_before_is_told_from_what_is_new() {
    for suite in SrtpSuite::ALL {
        let (mut protector, mut unprotector) = pair(suite);
        let sent: Vec<_> = (0..300).map(|n| protected(&mut protector, &packet(n, 7, b"payload"))).collect();
        let late = sent.iter().skip(150).chain(&sent[172..180]).chain(&sent[..20]);
        let taken = late.filter(|packet| unprotected(&mut unprotector, packet).is_ok()).count();
        assert_eq!(taken, 150, "{suite:?}: each once, and nothing that is too old to tell");
        let said = protected_report(&mut protector, &report(7));
        assert!(unprotector.unprotect_report(&mut said.clone()).is_ok());
        assert_eq!(unprotector.unprotect_report(&mut said.clone()), Err(SrtpError::Replayed));
    }
}

#[test]
fn whoever_has_no_key_changes_nothing() {
    for suite in SrtpSuite::ALL {
        let (mut protector, mut unprotector) = pair(suite);
        let secret = protected(&mut protector, &packet(1, 7, b"payload"));
        for bit in 0..secret.len() * 8 {
            let mut forged = secret.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(unprotected(&mut unprotector, &forged).is_err(), "{suite:?} bit {bit}");
        }
        let plain = packet(2, 7, &[0; 160]);
        assert_eq!(unprotected(&mut unprotector, &plain), Err(SrtpError::Forged), "no protection");
        for sequence in [0, 5, 30_000, 65_535] {
            for ssrc in 0..100 {
                assert!(unprotected(&mut unprotector, &packet(sequence, ssrc, &[1; 40])).is_err());
            }
        }
        assert!(unprotected(&mut unprotector, &secret).is_ok(), "{suite:?}: nothing was learned from those");
        assert_eq!(unprotected(&mut unprotector, &secret), Err(SrtpError::Replayed));
    }
}

#[test]
fn reports_are_protected_as_others_do() {
    for suite in SrtpSuite::ALL {
        let key = key(suite, 3);
        let (mut protector, mut unprotector, mut other) =
            (Protector::new(&key), Unprotector::new(&key), oracle(&key));
        for _ in 0..3 {
            let secret = protected_report(&mut protector, &report(9));
            assert_eq!(other.decrypt_rtcp(&secret).unwrap()[..], report(9), "{suite:?}");
            let mut forged = secret.clone();
            forged[8] ^= 1;
            assert_eq!(unprotector.unprotect_report(&mut forged), Err(SrtpError::Forged));
            let mut secret = secret;
            let size_bytes = unprotector.unprotect_report(&mut secret).unwrap();
            assert_eq!(secret[..size_bytes], report(9));
        }
        let theirs = oracle(&key).encrypt_rtcp(&report(11)).unwrap();
        assert!(Unprotector::new(&key).unprotect_report(&mut theirs.to_vec()).is_ok(), "{suite:?}");
    }
}

#[test]
fn a_report_that_is_not_encrypted_is_refused() {
    let (mut protector, mut unprotector) = pair(SrtpSuite::AesCm128HmacSha1_80);
    let mut secret = protected_report(&mut protector, &report(9));
    let at = secret.len() - 14;
    secret[at] &= 0x7F;
    assert_eq!(unprotector.unprotect_report(&mut secret), Err(SrtpError::Forged));
}

proptest! {
    #[test]
    fn others_understand_each_packet_and_are_understood(
        suite in 0..5_usize, sequences in proptest::collection::vec(any::<u8>(), 1..50), seed: u8,
        payload in proptest::collection::vec(any::<u8>(), 0..200), extension in 0..3_usize, sources in 0..16_usize,
    ) {
        let key = key(SrtpSuite::ALL[suite], seed);
        let (mut protector, mut unprotector) = (Protector::new(&key), Unprotector::new(&key));
        let (mut theirs, mut other) = (oracle(&key), oracle(&key));
        let mut sequence = 65_400_u16;
        for step in sequences {
            sequence = sequence.wrapping_add(u16::from(step % 16) + 1);
            let mut clear = packet(sequence, 0xDEAD_BEEF, &[]);
            clear[0] |= sources as u8 | u8::from(extension > 0) << 4;
            clear.extend(vec![9; 4 * sources]);
            if extension > 0 {
                clear.extend([0xBE, 0xDE, 0, extension as u8 - 1]);
                clear.extend(vec![0; 4 * (extension - 1)]);
            }
            clear.extend(&payload);
            let secret = protected(&mut protector, &clear);
            prop_assert_eq!(&other.decrypt_rtp(&secret).unwrap()[..], &clear[..]);
            let secret = theirs.encrypt_rtp(&clear).unwrap();
            prop_assert_eq!(unprotected(&mut unprotector, &secret).unwrap(), clear);
        }
    }

    #[test]
    fn nothing_panics(suite in 0..5_usize, datagram in proptest::collection::vec(any::<u8>(), 0..1_600)) {
        let (_, mut unprotector) = pair(SrtpSuite::ALL[suite]);
        prop_assert!(unprotector.unprotect(&mut datagram.clone()).is_err());
        prop_assert!(unprotector.unprotect_report(&mut datagram.clone()).is_err());
    }
}
