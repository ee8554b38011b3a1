//! Descriptions of browsers, who check where we are (ICE) and shake hands.

use mixminus_ice::Credentials;
use mixminus_rtp::srtp::Fingerprint;

use super::*;

/// What Chromium offers, less what says nothing to us; its addresses are names that only its network knows.
const CHROMIUM: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS s\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 c5f4b9ad-0c4e-4d2e-8d4f-1d9f5f5b9d5e.local 51234 typ host generation 0\r\n\
    a=ice-ufrag:lKx7\r\na=ice-pwd:R0MpPpTbsKKZuRdmsFNGaF5p\r\na=ice-options:trickle\r\n\
    a=fingerprint:sha-256 07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07\r\n\
    a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\n\
    a=msid:s t\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
    a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n\
    a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:1 cname:x\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:lKx7\r\n\
    a=ice-pwd:R0MpPpTbsKKZuRdmsFNGaF5p\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n";

fn named(ufrag: &str) -> Credentials {
    Credentials::new(ufrag, "a password that is long enough").unwrap()
}

fn checking() -> LocalMedia {
    let srtp = LocalSrtp {
        policy: SrtpPolicy::Optional,
        fingerprint: Some(Fingerprint([1; 32])),
        ..LocalSrtp::default()
    };
    let ice = LocalIce { agreed: None, fresh: named("ours"), offers: false };
    LocalMedia { srtp, ice: Some(ice), ..local() }
}

/// The same, after that was agreed.
fn after(ours: &str, theirs: &str) -> LocalMedia {
    let agreed = Some(Ice { ours: named(ours), theirs: theirs.to_owned() });
    LocalMedia { ice: Some(LocalIce { agreed, fresh: named("next"), offers: true }), ..checking() }
}

#[test]
fn a_browser_is_answered_with_our_address_to_check_and_our_certificate() {
    let (answer, agreed) = negotiate(CHROMIUM, &checking()).unwrap();
    assert_eq!(
        answer.replace(&"01:".repeat(31), ""),
        "v=0\r\no=- 7 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         a=ice-lite\r\na=group:BUNDLE 0\r\n\
         m=audio 6000 UDP/TLS/RTP/SAVPF 111 110\r\na=rtpmap:111 opus/48000/2\r\n\
         a=fmtp:111 useinbandfec=1;stereo=0\r\na=rtpmap:110 telephone-event/48000\r\n\
         a=fmtp:110 0-15\r\na=ptime:20\r\na=maxptime:60\r\na=fingerprint:sha-256 01\r\na=setup:passive\r\n\
         a=mid:0\r\na=msid:mixminus mixminus\r\na=ice-ufrag:ours\r\na=ice-pwd:a password that is long enough\r\n\
         a=candidate:1 1 udp 2130706431 127.0.0.1 6000 typ host\r\na=end-of-candidates\r\na=rtcp-mux\r\n\
         a=sendrecv\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"
    );
    assert_eq!(agreed.ice, Some(Ice { ours: named("ours"), theirs: "lKx7".to_owned() }));
    let security = Security::Dtls { fingerprint: Fingerprint([7; 32]), role: DtlsRole::Passive };
    assert_eq!((agreed.security, agreed.direction), (security, Direction::SendReceive));
}

#[test]
fn names_stay_until_the_far_end_takes_others() {
    let ours = |local: &LocalMedia, offer: &str| negotiate(offer, local).unwrap().1.ice.unwrap().ours;
    assert_eq!(ours(&after("kept", "lKx7"), CHROMIUM), named("kept"));
    assert_eq!(ours(&after("kept", "gone"), CHROMIUM), named("next"));
}

#[test]
fn a_browser_that_holds_us_says_so_by_its_direction_and_not_by_its_address() {
    for (theirs, ours) in [
        ("sendonly", Direction::ReceiveOnly),
        ("inactive", Direction::Inactive),
        ("recvonly", Direction::SendOnly),
    ] {
        let held = CHROMIUM.replace("a=sendrecv", &format!("a={theirs}"));
        let (answer, agreed) = negotiate(&held, &checking()).unwrap();
        assert_eq!(agreed.direction, ours);
        assert!(answer.contains(&format!("a={}\r\n", ours.attribute())));
    }
}

#[test]
fn who_checks_from_the_other_family_of_addresses_may_still_find_us() {
    let offer = CHROMIUM.replace("m=audio 9", "m=audio 50000").replace("IP4 0.0.0.0", "IP6 2001:db8::1");
    assert!(negotiate(&offer, &checking()).unwrap().1.ice.is_some());
}

#[test]
fn a_stream_that_shares_the_port_of_one_before_it_has_none_of_its_own() {
    let shares = CHROMIUM.replace("m=audio 9 ", "m=audio 0 ").replace("a=mid:0", "a=mid:0\r\na=bundle-only");
    assert!(negotiate(&shares, &checking()).is_ok());
    let refused = shares.replace("a=bundle-only\r\n", "");
    assert_eq!(negotiate(&refused, &checking()), Err(SdpError::NoAudio));
}

#[test]
fn without_somebody_who_checks_and_one_port_for_all_there_are_no_checks() {
    let plain = "v=0\r\nc=IN IP4 192.0.2.1\r\na=ice-ufrag:theirs\r\nm=audio 4000 RTP/AVP 0\r\n\
        a=ice-pwd:R0MpPpTbsKKZuRdmsFNGaF5p\r\na=rtcp-mux\r\n";
    assert!(negotiate(plain, &checking()).unwrap().0.contains("a=candidate:"));
    for (said, instead) in [
        ("a=rtcp-mux\r\n", ""),
        ("v=0\r\n", "v=0\r\na=ice-lite\r\n"),
        ("R0MpPpTbsKKZuRdmsFNGaF5p", "short"),
        ("a=ice-ufrag:theirs\r\n", ""),
    ] {
        let (answer, agreed) = negotiate(&plain.replace(said, instead), &checking()).unwrap();
        assert_eq!(agreed.ice, None, "{said}");
        assert!(!answer.contains("ice") && !answer.contains("candidate"), "{answer}");
    }
}

#[test]
fn what_we_offer_a_browser_is_agreed_at_both_ends() {
    let ice = LocalIce { agreed: None, fresh: named("caller"), offers: true };
    let caller = LocalMedia { ice: Some(ice), ..checking() };
    let offered = offer(&caller, Direction::SendReceive);
    assert!(offered.contains("m=audio 6000 UDP/TLS/RTP/SAVPF ") && offered.contains("a=setup:actpass\r\n"));
    assert!(offered.contains("a=group:BUNDLE 0\r\n") && offered.contains("a=mid:0\r\n"));
    // A browser is no ICE-lite agent.
    let browser = negotiate(&offered.replace("a=ice-lite\r\n", ""), &checking()).unwrap();
    assert_eq!(browser.1.ice, Some(Ice { ours: named("ours"), theirs: "caller".to_owned() }));
    let answer = browser.0.replace("a=ice-lite\r\n", "");
    let agreed = read_answer(&answer, &caller).unwrap();
    assert_eq!(agreed.ice, Some(Ice { ours: named("caller"), theirs: "ours".to_owned() }));
    assert!(matches!(agreed.security, Security::Dtls { role: DtlsRole::Active, .. }));
    let again = offer(&after("kept", "lKx7"), Direction::SendReceive);
    assert!(again.contains("a=ice-ufrag:kept\r\n"), "what was agreed goes on: {again}");
}
