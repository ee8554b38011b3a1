use mixminus_codec::Format;
use proptest::prelude::*;

use super::*;

const OFFER: &str = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 9 8 0 96 110\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\na=rtpmap:110 opus/48000/2\r\n";

fn local() -> LocalMedia {
    LocalMedia {
        address: "127.0.0.1:6000".parse().unwrap(),
        session_id: 7,
        version: 3,
        formats: Format::ALL.to_vec(),
    }
}

#[test]
fn the_offers_order_and_numbers_are_honoured() {
    let (answer, agreed) = negotiate(OFFER, &local()).unwrap();
    assert_eq!(
        answer,
        "v=0\r\no=- 7 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio 6000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n\
         a=fmtp:96 0-15\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n"
    );
    assert_eq!(
        agreed,
        Negotiated {
            format: Format::Pcma,
            digit_payload_type: Some(96),
            remote: "192.0.2.1:4000".parse().unwrap(),
            remote_rtcp: "192.0.2.1:4001".parse().unwrap(),
            direction: Direction::SendReceive,
        }
    );
}

#[test]
fn static_payload_types_need_no_mapping() {
    let bare = "v=0\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n";
    let (_, agreed) = negotiate(bare, &local()).unwrap();
    assert_eq!((agreed.format, agreed.digit_payload_type), (Format::Pcmu, None));
}

#[test]
fn a_static_number_mapped_to_something_else_is_not_ours() {
    let odd = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 iLBC/8000\r\n";
    assert_eq!(negotiate(odd, &local()), Err(SdpError::NoCommonFormat));
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
fn an_offer_answered_by_ourselves_is_agreed_at_both_ends() {
    let callee = LocalMedia { address: "127.0.0.1:7000".parse().unwrap(), ..local() };
    let (answer, agreed) = negotiate(&offer(&local(), Direction::SendOnly), &callee).unwrap();
    assert_eq!(agreed.direction, Direction::ReceiveOnly);
    assert_eq!(
        read_answer(&answer),
        Ok(Negotiated {
            direction: Direction::SendOnly,
            remote: callee.address,
            remote_rtcp: "127.0.0.1:7001".parse().unwrap(),
            ..agreed
        })
    );
}

#[test]
fn an_answer_with_port_zero_is_a_refusal() {
    let answer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n";
    assert_eq!(read_answer(answer), Err(SdpError::NoAudio));
}

/// Lines that are nearly right, in any order.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[vosctmab]=[ -~]{0,40}",
        "m=(audio|video) [0-9]{1,6} RTP/S?AVPF?( [0-9]{1,3}){1,4}",
        "a=rtpmap:[0-9]{1,3} (PCMU|pcma|telephone-event|x)/[0-9]{0,6}",
        "a=rtcp:[0-9]{1,6}( IN IP[46] [0-9.:]{1,15})?",
        "a=(sendonly|recvonly|inactive|sendrecv)",
        "c=IN IP[46] [0-9.:]{1,15}",
        Just("c=IN IP4 192.0.2.1".to_owned()),
        Just("m=audio 4000 RTP/AVP 0 101".to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        prop_assert_ne!(negotiate(&text, &local()), Err(SdpError::TooLong));
    }

    #[test]
    fn whatever_is_agreed_the_answer_says_it(lines in proptest::collection::vec(line(), 0..12)) {
        let offer = format!("v=0\r\n{}\r\n", lines.join("\r\n"));
        if let Ok((answer, agreed)) = negotiate(&offer, &local()) {
            let count = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
            prop_assert_eq!(count(&answer), count(&offer));
            let live = answer.lines().filter(|line| line.starts_with("m=audio 6000 ")).count();
            prop_assert_eq!(live, 1);
            let attribute = format!("a={}", agreed.direction.attribute());
            prop_assert!(answer.lines().any(|line| line == attribute));
        }
    }
}
