//! Descriptions at random.

use proptest::prelude::*;

use super::*;

/// Lines that are nearly right, in any order.
fn line() -> impl Strategy<Value = String> {
    let audio = |numbers: &str| Just(format!("m=audio 4000 RTP/AVP {numbers}"));
    prop_oneof![
        "[vosctmab]=[ -~]{0,40}",
        "m=(audio|video) [0-9]{1,6} RTP/S?AVPF?( [0-9]{1,3}){1,4}",
        "a=rtpmap:[0-9]{1,3} (PCMU|pcma|G722|L16|CN|opus|telephone-event|x)/[0-9]{0,6}(/[0-9]{0,3})?",
        "a=rtpmap:9[6-9] (opus/48000/2|L16/16000|G722/8000|(telephone-event|CN)/(8000|16000|48000))",
        "a=fmtp:9[6-9] ((usedtx|maxplaybackrate|maxaveragebitrate|stereo)=[0-9]{0,11};? ?){0,4}",
        "a=(ptime|maxptime):[0-9]{0,11}",
        "a=rtcp:[0-9]{1,6}( IN IP[46] [0-9.:]{1,15})?",
        "a=(sendonly|recvonly|inactive|sendrecv|rtcp-mux|rtcp-xr:voip-metrics)",
        "c=IN IP[46] [0-9.:]{1,15}",
        Just("c=IN IP4 192.0.2.1".to_owned()),
        audio("0 13 101"),
        audio("99 98 97 96 9 13"),
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
            let live = answer.lines().filter(|line| line.starts_with("m=audio 6000 "));
            let MediaParameters { payload_type, comfort_noise_payload_type, digit_payload_type, .. } =
                agreed.parameters;
            let numbers = [Some(payload_type), comfort_noise_payload_type, digit_payload_type];
            let numbers: Vec<_> = numbers.into_iter().flatten().map(|number| number.to_string()).collect();
            let said: Vec<_> = live.map(|line| line.split(' ').skip(3).collect::<Vec<_>>()).collect();
            prop_assert_eq!(said, [numbers]);
            let attribute = format!("a={}", agreed.direction.attribute());
            prop_assert!(answer.lines().any(|line| line == attribute));
        }
    }

    #[test]
    fn an_offer_answered_by_ourselves_is_agreed_at_both_ends(
        formats in proptest::sample::subsequence(Format::ALL.to_vec(), 1..=Format::ALL.len()).prop_shuffle(),
        opus in (0..600_000_u32, 0..=10_u8, any::<bool>()),
    ) {
        let (bitrate_bps, complexity, dtx) = opus;
        let caller = LocalMedia { formats, opus: OpusSettings { bitrate_bps, complexity, dtx }, ..local() };
        let callee = LocalMedia { address: "127.0.0.1:7000".parse().unwrap(), ..caller.clone() };
        let (answer, agreed) = negotiate(&offer(&caller, Direction::SendOnly), &callee).unwrap();
        prop_assert_eq!(agreed.direction, Direction::ReceiveOnly);
        prop_assert_eq!(agreed.parameters.encoding.format(), caller.formats[0]);
        prop_assert!(agreed.parameters.digit_payload_type.is_some());
        let read = Negotiated { direction: Direction::SendOnly, remote: callee.address, remote_rtcp: callee.address, ..agreed };
        prop_assert_eq!(read_answer(&answer, &caller), Ok(read));
    }
}
