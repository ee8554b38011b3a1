use mixminus_audio::SampleRate;
use mixminus_codec::{Encoding, Format, OpusSettings, Ptime};

use super::*;

mod browsers;
mod properties;
mod protection;

const OFFER: &str = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 18 8 0 96 13\r\na=rtpmap:18 G729/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\n";
const OPUS: Format = Format::Opus(SampleRate::Hz48000);
const WIDE_OPUS: Format = Format::Opus(SampleRate::Hz16000);

fn local() -> LocalMedia {
    LocalMedia {
        address: "127.0.0.1:6000".parse().unwrap(),
        session_id: 7,
        version: 3,
        formats: Format::ALL.to_vec(),
        opus: OpusSettings::default(),
        srtp: LocalSrtp::default(),
        ice: None,
    }
}

/// An offer of the payload types `numbers` with `attributes`.
fn audio(numbers: &str, attributes: &[&str]) -> String {
    let stream = format!("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP {numbers}\r\n");
    attributes.iter().fold(stream, |offer, attribute| offer + "a=" + attribute + "\r\n")
}

/// What is agreed on such an offer.
fn agreed(numbers: &str, attributes: &[&str]) -> MediaParameters {
    negotiate(&audio(numbers, attributes), &local()).unwrap().1.parameters
}

/// The audio lines of the answer to such an offer.
fn answered(numbers: &str, attributes: &[&str], local: &LocalMedia) -> Vec<String> {
    let (answer, _) = negotiate(&audio(numbers, attributes), local).unwrap();
    let lines = answer.lines().skip_while(|line| !line.starts_with("m=")).map(str::to_owned);
    lines.take_while(|line| !line.starts_with("a=ptime")).collect()
}

#[test]
fn the_offers_order_and_numbers_are_honoured() {
    let (answer, agreed) = negotiate(OFFER, &local()).unwrap();
    assert_eq!(
        answer,
        "v=0\r\no=- 7 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio 6000 RTP/AVP 8 13 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n\
         a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:20\r\na=maxptime:60\r\n\
         a=sendrecv\r\n"
    );
    let expected = Negotiated {
        parameters: MediaParameters {
            encoding: Encoding::from(Format::Pcma),
            payload_type: 8,
            ptime: Ptime::default(),
            digit_payload_type: Some(96),
            comfort_noise_payload_type: Some(13),
        },
        remote: "192.0.2.1:4000".parse().unwrap(),
        remote_rtcp: "192.0.2.1:4001".parse().unwrap(),
        rtcp_mux: false,
        voip_metrics: false,
        direction: Direction::SendReceive,
        security: Security::Plain,
        ice: None,
    };
    assert_eq!(agreed, expected);
}

#[test]
fn every_format_is_taken_under_a_number_that_can_be_its() {
    for (number, mapping, format) in [
        ("0", "", Format::Pcmu),
        ("8", "", Format::Pcma),
        ("9", "", Format::G722),
        ("9", "rtpmap:9 g722/8000/1", Format::G722),
        ("97", "rtpmap:97 PCMU/8000", Format::Pcmu),
        ("127", "rtpmap:127 G722/8000", Format::G722),
        ("35", "rtpmap:35 L16/8000", Format::L16(SampleRate::Hz8000)),
        ("110", "rtpmap:110 l16/16000/1", Format::L16(SampleRate::Hz16000)),
        ("111", "rtpmap:111 OPUS/48000/2", OPUS),
    ] {
        let parameters = agreed(number, &[mapping]);
        assert_eq!(
            (parameters.payload_type.to_string().as_str(), parameters.encoding.format()),
            (number, format)
        );
    }
}

#[test]
fn what_only_looks_like_a_format_is_not_taken() {
    for (number, mapping) in [
        ("0", "rtpmap:0 iLBC/8000"),
        ("0", "rtpmap:0 PCMA/8000"),
        ("1", "rtpmap:1 PCMU/8000"),
        ("72", "rtpmap:72 PCMU/8000"),
        ("128", "rtpmap:128 PCMU/8000"),
        ("96", "rtpmap:97 PCMU/8000"),
        ("96", "rtpmap:96 PCMU"),
        ("96", "rtpmap:96 PCMU/16000"),
        ("96", "rtpmap:96 G722/16000"),
        ("96", "rtpmap:96 L16/8000/2"),
        ("96", "rtpmap:96 L16/44100"),
        ("96", "rtpmap:96 opus/48000"),
        ("96", "rtpmap:96 opus/16000/2"),
        ("96", "rtpmap:96 CN/8000"),
        ("96", ""),
    ] {
        let refused = negotiate(&audio(number, &[mapping]), &local());
        assert_eq!(refused, Err(SdpError::NoCommonFormat), "{number} {mapping}");
    }
}

#[test]
fn only_what_the_deployer_enabled_is_spoken() {
    let offer = audio("9 8 0", &[]);
    let chosen = |formats: &[Format]| {
        let local = LocalMedia { formats: formats.to_vec(), ..local() };
        negotiate(&offer, &local).map(|(_, agreed)| agreed.parameters.encoding.format())
    };
    assert_eq!(chosen(&[Format::Pcmu, Format::G722]), Ok(Format::G722), "the offer's order counts");
    assert_eq!(chosen(&[Format::Pcmu]), Ok(Format::Pcmu));
    assert_eq!(chosen(&[OPUS]), Err(SdpError::NoCommonFormat));
}

#[test]
fn digits_and_comfort_noise_have_the_clock_of_the_audio_where_that_is_offered() {
    let attributes = [
        "rtpmap:111 opus/48000/2",
        "rtpmap:101 telephone-event/8000",
        "rtpmap:102 telephone-event/48000",
        "rtpmap:105 CN/16000",
        "rtpmap:106 CN/48000",
        "rtpmap:97 L16/16000",
    ];
    let beside = |numbers| {
        let MediaParameters { digit_payload_type, comfort_noise_payload_type, .. } =
            agreed(numbers, &attributes);
        (digit_payload_type, comfort_noise_payload_type)
    };
    assert_eq!(beside("111 0 13 105 106 101 102"), (Some(102), None), "Opus has no other comfort noise");
    assert_eq!(beside("111 101"), (Some(101), None));
    assert_eq!(beside("0 13 105 102 101"), (Some(101), Some(13)));
    assert_eq!(beside("97 13 105 101"), (Some(101), Some(105)));
    assert_eq!(beside("97 13 102"), (None, None));
    assert_eq!(
        answered("111 101", &attributes, &local()),
        [
            "m=audio 6000 RTP/AVP 111 101",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 useinbandfec=1;stereo=0",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
        ]
    );
}

#[test]
fn opus_is_sent_as_the_far_end_wants_it_and_not_above_what_we_spend() {
    let spending = OpusSettings { bitrate_bps: 32_000, complexity: 3, dtx: true };
    let thrifty = LocalMedia { opus: spending, ..local() };
    let encoding = |parameters: &str| {
        let offer = audio("96", &["rtpmap:96 opus/48000/2", &format!("fmtp:96 {parameters}")]);
        negotiate(&offer, &thrifty).unwrap().1.parameters.encoding
    };
    let with = |bitrate_bps, dtx| OpusSettings { bitrate_bps, dtx, ..spending };
    for (parameters, format, settings) in [
        ("", OPUS, with(32_000, false)),
        ("useinbandfec=1; usedtx=1;stereo=1;cbr=1", OPUS, with(32_000, true)),
        ("maxplaybackrate=16000;sprop-maxcapturerate=8000", WIDE_OPUS, with(32_000, false)),
        ("maxplaybackrate=24000", OPUS, with(32_000, false)),
        ("MaxPlaybackRate = 8000 ; MAXAVERAGEBITRATE = 20000", WIDE_OPUS, with(20_000, false)),
        ("maxaveragebitrate=510000", OPUS, with(32_000, false)),
        ("maxaveragebitrate=1", OPUS, with(6_000, false)),
        ("maxaveragebitrate=-1;maxplaybackrate=;usedtx;=;;x=99999999999", OPUS, with(32_000, false)),
    ] {
        assert_eq!(encoding(parameters), Encoding::new(format, settings), "{parameters}");
    }
}

#[test]
fn we_say_how_we_want_opus() {
    let parameters = |local: &LocalMedia, said: &str| {
        answered("96", &["rtpmap:96 opus/48000/2", said], local).pop().unwrap()
    };
    assert_eq!(parameters(&local(), "fmtp:96 stereo=1"), "a=fmtp:96 useinbandfec=1;stereo=0");
    let dtx = OpusSettings { dtx: true, ..OpusSettings::default() };
    let dtx = LocalMedia { opus: dtx, ..local() };
    assert_eq!(parameters(&dtx, "x"), "a=fmtp:96 useinbandfec=1;stereo=0;usedtx=1");
    let wide = "a=fmtp:96 useinbandfec=1;stereo=0;maxplaybackrate=16000;sprop-maxcapturerate=16000";
    assert_eq!(parameters(&LocalMedia { formats: vec![WIDE_OPUS], ..local() }, "x"), wide);
    assert_eq!(parameters(&local(), "fmtp:96 maxplaybackrate=16000"), wide);
}

#[test]
fn packets_are_as_long_as_the_far_end_wants_and_takes() {
    for (attributes, ms) in [
        (&[][..], 20),
        (&["ptime:10"], 10),
        (&["ptime:40"], 40),
        (&["ptime:25"], 30),
        (&["ptime:0"], 10),
        (&["ptime:120"], 60),
        (&["ptime:4294967295"], 60),
        (&["ptime:long"], 20),
        (&["maxptime:10"], 10),
        (&["maxptime:150"], 20),
        (&["ptime:60", "maxptime:39"], 30),
        (&["ptime:60", "maxptime:3"], 10),
    ] {
        assert_eq!(agreed("0", attributes).ptime.ms(), ms, "{attributes:?}");
    }
}

#[test]
fn reports_share_the_port_of_the_audio_if_that_is_offered() {
    let offer = audio("0", &["rtcp:5005", "rtcp-mux"]);
    let (answer, agreed) = negotiate(&offer, &local()).unwrap();
    assert!(agreed.rtcp_mux && answer.contains("\r\na=rtcp-mux\r\n"));
    assert_eq!(agreed.remote_rtcp, agreed.remote);
    let (answer, agreed) = negotiate(OFFER, &local()).unwrap();
    assert!(!agreed.rtcp_mux && !answer.contains("rtcp-mux"));
}

#[test]
fn voip_metrics_are_agreed_if_they_are_offered() {
    for (attribute, expected) in
        [("rtcp-xr:rcvr-rtt=all voip-metrics", true), ("rtcp-xr:rcvr-rtt=all", false), ("x", false)]
    {
        let (answer, agreed) = negotiate(&audio("0", &[attribute]), &local()).unwrap();
        let answered = answer.contains("\r\na=rtcp-xr:voip-metrics\r\n");
        assert_eq!((agreed.voip_metrics, answered), (expected, expected), "{attribute}");
    }
}

#[test]
fn an_offer_lists_our_formats_in_order_and_digits_at_every_clock() {
    let offer = offer(&local(), Direction::SendReceive);
    let lines: Vec<_> = offer.lines().skip(5).collect();
    let expected = [
        "m=audio 6000 RTP/AVP 96 9 0 8 97 98 101 99 100",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1;stereo=0",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:97 L16/16000",
        "a=rtpmap:98 L16/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:99 telephone-event/16000",
        "a=fmtp:99 0-15",
        "a=rtpmap:100 telephone-event/48000",
        "a=fmtp:100 0-15",
        "a=ptime:20",
        "a=maxptime:60",
        "a=rtcp-mux",
        "a=sendrecv",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn an_answer_with_other_numbers_is_sent_what_it_says() {
    let answer = audio("110 112", &["rtpmap:110 opus/48000/2", "rtpmap:112 telephone-event/48000"]);
    let parameters = read_answer(&answer, &local()).unwrap().parameters;
    assert_eq!((parameters.payload_type, parameters.digit_payload_type), (110, Some(112)));
}

#[test]
fn an_answer_in_a_format_that_we_did_not_offer_is_refused() {
    let local = LocalMedia { formats: vec![Format::Pcmu], ..local() };
    assert_eq!(read_answer(&audio("8", &[]), &local), Err(SdpError::NoCommonFormat));
}

#[test]
fn streams_other_than_the_first_usable_one_are_refused_in_place() {
    let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 5000 RTP/AVP 97\r\nm=audio 0 RTP/AVP 0\r\n\
        m=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4004 RTP/AVP 0\r\n";
    let (answer, agreed) = negotiate(offer, &local()).unwrap();
    let media: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        media,
        [
            "m=video 0 RTP/AVP 97",
            "m=audio 0 RTP/AVP 0",
            "m=audio 0 RTP/SAVP 0",
            "m=audio 6000 RTP/AVP 0",
            "m=audio 0 RTP/AVP 0"
        ]
    );
    assert_eq!(agreed.remote, "192.0.2.9:4002".parse().unwrap());
}

#[test]
fn reports_go_where_the_offer_says_or_one_port_above_the_audio() {
    let rtcp = |attribute: &str| {
        let (_, agreed) = negotiate(&format!("{OFFER}{attribute}\r\n"), &local()).unwrap();
        agreed.remote_rtcp.to_string()
    };
    assert_eq!(rtcp("a=rtcp:5005"), "192.0.2.1:5005");
    assert_eq!(rtcp("a=rtcp:5005 IN IP4 192.0.2.7"), "192.0.2.7:5005");
    for odd in ["a=x", "a=rtcp", "a=rtcp:", "a=rtcp:70000", "a=rtcp:5005 IN IP4 a.example", "a=rtcp:5005 IN"]
    {
        assert_eq!(rtcp(odd), "192.0.2.1:4001", "{odd}");
    }
    assert_eq!(rtcp("a=rtcp:5005 IN IP6 ::1"), "192.0.2.1:5005");
    let last = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 65535 RTP/AVP 0\r\n";
    assert_eq!(negotiate(last, &local()).unwrap().1.remote_rtcp.port(), 0);
}

#[test]
fn hold_is_mirrored() {
    let held = |attribute: &str| {
        let (answer, agreed) = negotiate(&format!("{OFFER}a={attribute}\r\n"), &local()).unwrap();
        (answer.lines().last().unwrap().to_owned(), agreed.direction)
    };
    assert_eq!(held("sendonly"), ("a=recvonly".into(), Direction::ReceiveOnly));
    assert_eq!(held("recvonly"), ("a=sendonly".into(), Direction::SendOnly));
    assert_eq!(held("inactive"), ("a=inactive".into(), Direction::Inactive));
}

#[test]
fn a_direction_above_the_streams_applies_to_all_of_them() {
    let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(negotiate(offer, &local()).unwrap().1.direction, Direction::ReceiveOnly);
}

#[test]
fn an_unspecified_address_is_hold() {
    let offer = OFFER.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0");
    let (answer, agreed) = negotiate(&offer, &local()).unwrap();
    assert!(answer.ends_with("a=recvonly\r\n"));
    assert_eq!(agreed.direction, Direction::ReceiveOnly);
}

#[test]
fn an_offer_without_audio_for_us_is_refused() {
    let refusal = |offer: &str| negotiate(offer, &local()).unwrap_err();
    assert_eq!(refusal(""), SdpError::Version);
    assert_eq!(refusal("v=0\r\nc=IN IP4 192.0.2.1\r\n"), SdpError::NoAudio);
    assert_eq!(refusal("v=0\r\nm=audio 4000 RTP/AVP 0\r\n"), SdpError::NoAudio);
    assert_eq!(refusal("v=0\r\nc=IN IP6 ::1\r\nm=audio 4000 RTP/AVP 0\r\n"), SdpError::NoAudio);
    assert_eq!(refusal("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 18\r\n"), SdpError::NoCommonFormat);
    assert_eq!(refusal("v=0\r\nm=audio\r\n"), SdpError::Line("m=audio".into()));
    assert_eq!(refusal("v=0\r\nm=audio 70000 RTP/AVP 0"), SdpError::Line("m=audio 70000 RTP/AVP 0".into()));
    assert_eq!(refusal("v=0\r\nc=IN IP4 a.example"), SdpError::Address("IN IP4 a.example".into()));
}

#[test]
fn a_description_past_the_limits_is_refused() {
    let endless = format!("v=0\r\n{}", "b=AS:1\r\n".repeat(600));
    let crowded = format!("v=0\r\n{}", "m=audio 0 RTP/AVP 0\r\n".repeat(17));
    let huge = format!("v=0\r\ni={}", "x".repeat(20_000));
    for offer in [endless, crowded, huge] {
        assert_eq!(negotiate(&offer, &local()), Err(SdpError::TooLong));
    }
}

#[test]
fn an_answer_with_port_zero_is_a_refusal() {
    let answer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n";
    assert_eq!(read_answer(answer, &local()), Err(SdpError::NoAudio));
}
