//! The elements that collect, dial, record and stream.

use super::*;
use crate::{AudioTrack, Destination, Key, StreamFormat, Transcription, TranscriptionType};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn post(path: &str) -> Target {
    target(&format!("https://app.example{path}"), Method::Post)
}

#[test]
fn digits_are_collected_as_documented() {
    let plain = GetDigits {
        action: None,
        redirect: true,
        num_digits: 99,
        timeout: seconds(5),
        digit_timeout: seconds(2),
        finish_on_key: Some('#'),
        tries: 1,
        play_beep: false,
        valid_digits: "1234567890*#".into(),
        invalid_digits_sound: None,
        log: true,
        prompts: Vec::new(),
    };
    assert_eq!(only("<GetDigits/>"), Element::GetDigits(Box::new(plain.clone())));
    let full = only(
        "<GetDigits action='/handle-input/' numDigits='4' timeout='10' digitTimeout='3' finishOnKey='*' retries='2' \
         redirect='false' playBeep='true' validDigits='12' invalidDigitsSound='no.mp3' log='false'>\
         <Play>a.mp3</Play><Wait/></GetDigits>",
    );
    let wait = Wait { length_seconds: 1, silence: false, min_silence_ms: None, beep: None };
    let play = Play { url: "https://app.example/flow/a.mp3".into(), repeat: Repeat::Times(1) };
    let expected = GetDigits {
        action: Some(post("/handle-input/")),
        redirect: false,
        num_digits: 4,
        timeout: seconds(10),
        digit_timeout: seconds(3),
        finish_on_key: Some('*'),
        tries: 2,
        play_beep: true,
        valid_digits: "12".into(),
        invalid_digits_sound: Some("https://app.example/flow/no.mp3".into()),
        log: false,
        prompts: vec![Prompt::Play(play), Prompt::Wait(wait)],
    };
    assert_eq!(full, Element::GetDigits(Box::new(expected)));
    for none in ["", "none"] {
        let read = only(&format!("<GetDigits finishOnKey='{none}'/>"));
        assert_eq!(read, Element::GetDigits(Box::new(GetDigits { finish_on_key: None, ..plain.clone() })));
    }
}

#[test]
fn input_is_digits_speech_or_both() {
    let plain = GetInput {
        action: post("/i"),
        redirect: true,
        dtmf: true,
        speech: None,
        execution_timeout: seconds(15),
        digit_end_timeout: None,
        start_input_timeout: None,
        tries: 1,
        num_digits: 32,
        finish_on_key: Some('#'),
        log: true,
        prompts: Vec::new(),
    };
    assert_eq!(only("<GetInput action='/i'/>"), Element::GetInput(Box::new(plain.clone())));
    let full = only(
        "<GetInput action='/i' inputType='dtmf speech' executionTimeout='60' digitEndTimeout='auto' \
         speechEndTimeout='2' startInputTimeout='4' retries='3' numDigits='1' language='de-DE' \
         speechModel='phone_call' hints='yes please, no' profanityFilter='true' \
         interimSpeechResultsCallback='/n' interimSpeechResultsCallbackMethod='POST'/>",
    );
    let speech = SpeechInput {
        language: "de-DE".into(),
        model: SpeechModel::PhoneCall,
        hints: vec!["yes please".into(), "no".into()],
        profanity_filter: true,
        end_timeout: Some(seconds(2)),
        interim_results: Some(post("/n")),
    };
    let expected = GetInput {
        speech: Some(speech),
        execution_timeout: seconds(60),
        start_input_timeout: Some(seconds(4)),
        tries: 3,
        num_digits: 1,
        ..plain
    };
    assert_eq!(full, Element::GetInput(Box::new(expected)));
}

#[test]
fn a_recording_says_how_long_it_may_last_or_leaves_it_to_what_it_is_of() {
    let plain = Record {
        action: None,
        redirect: true,
        file_format: FileFormat::Mp3,
        timeout: seconds(15),
        max_length: None,
        finish_on_key: Some('#'),
        play_beep: true,
        record_session: false,
        start_on_dial_answer: false,
        stereo: true,
        transcription: None,
        full_report: false,
        callback: None,
    };
    assert_eq!(only("<Record/>"), Element::Record(Box::new(plain.clone())));
    let full = only(
        "<Record action='/r' maxLength='3600' recordSession='true' startOnDialAnswer='true' fileFormat='wav' recordChannelType='mono' \
         transcriptionType='hybrid' transcriptionUrl='/t' transcriptionReportType='full' callbackUrl='/c'/>",
    );
    let expected = Record {
        action: Some(post("/r")),
        max_length: Some(seconds(3600)),
        record_session: true,
        start_on_dial_answer: true,
        file_format: FileFormat::Wav,
        stereo: false,
        transcription: Some(Transcription { kind: TranscriptionType::Hybrid, callback: Some(post("/t")) }),
        full_report: true,
        callback: Some(post("/c")),
        ..plain
    };
    assert_eq!(full, Element::Record(Box::new(expected)));
}

#[test]
fn a_dial_calls_numbers_and_users_together() {
    let party = |to: &str| Dialled {
        to: Destination::parse(to).unwrap(),
        send_digits: Vec::new(),
        send_on_preanswer: false,
        sip_headers: Vec::new(),
        credentials: None,
    };
    let plain = Dial {
        action: None,
        redirect: true,
        timeout: None,
        time_limit: seconds(14_400),
        caller_id: None,
        caller_name: None,
        hangup_on_star: false,
        call_type: CallType::Voice,
        callback: None,
        confirm: None,
        dial_music: DialTone::Ringing,
        digits_match: Vec::new(),
        digits_match_b_leg: Vec::new(),
        sip_headers: Vec::new(),
        parties: vec![party("14151234567")],
    };
    let read = only("<Dial><Number>1 415-123 4567</Number></Dial>");
    assert_eq!(read, Element::Dial(Box::new(plain.clone())));
    let full = only(
        "<Dial action='/d' timeout='20' timeLimit='60' callerId='1' callerName='Ann' hangupOnStar='true' \
         callType='whatsapp' callbackUrl='/c' confirmSound='/s' confirmKey='5' confirmTimeout='9' dialMusic='real' \
         digitsMatch='12,*#' digitsMatchBLeg='9' sipHeaders='k=v,Plivo-x=1'>\
         <Number sendDigits='w1' sendDigitsMode='rfc2833' sendOnPreanswer='true'>2</Number>\
         <User sipHeaders='a=b' sipAuthUsername='u' sipAuthPassword='12345678'>sip:bob@h</User></Dial>",
    );
    let number = Dialled {
        send_digits: vec![Key::Pause(Duration::from_millis(500)), Key::Press('1')],
        send_on_preanswer: true,
        ..party("2")
    };
    let credentials = SipCredentials { username: "u".into(), password: "12345678".into() };
    assert_eq!(format!("{credentials:?}"), "SipCredentials(u, …)");
    let user = Dialled {
        sip_headers: vec![("a".into(), "b".into())],
        credentials: Some(credentials),
        ..party("sip:bob@h")
    };
    let sound = "https://app.example/s".into();
    let expected = Dial {
        action: Some(post("/d")),
        timeout: Some(seconds(20)),
        time_limit: seconds(60),
        caller_id: Some("1".into()),
        caller_name: Some("Ann".into()),
        hangup_on_star: true,
        call_type: CallType::Whatsapp,
        callback: Some(post("/c")),
        confirm: Some(DialConfirm { sound, key: Some('5'), timeout: Some(seconds(9)) }),
        dial_music: DialTone::Real,
        digits_match: vec!["12".into(), "*#".into()],
        digits_match_b_leg: vec!["9".into()],
        sip_headers: vec![("k".into(), "v".into())],
        parties: vec![number, user],
        ..plain
    };
    assert_eq!(full, Element::Dial(Box::new(expected)));
}

#[test]
fn an_older_conference_is_joined_as_documented() {
    let plain = Conference {
        name: "room".into(),
        muted: false,
        enter_sound: Sound::None,
        exit_sound: Sound::None,
        max_members: 20,
        time_limit: seconds(86_400),
        hangup_on_star: false,
        stay_alone: true,
        start_conference_on_enter: true,
        end_conference_on_exit: false,
        wait_sound: None,
        record: false,
        record_file_format: FileFormat::Mp3,
        transcription: None,
        action: None,
        redirect: true,
        callback: None,
        digits_match: Vec::new(),
        floor_event: false,
        relay_dtmf: true,
    };
    assert_eq!(only("<Conference>room</Conference>"), Element::Conference(Box::new(plain.clone())));
    let full = only(
        "<Conference muted='true' enterSound='beep:1' exitSound='/x' maxMembers='2' stayAlone='false' \
         waitSound='/w' record='true' action='/a' callbackUrl='/c' digitsMatch='1' floorEvent='true' \
         relayDTMF='false'>\nroom\n</Conference>",
    );
    let expected = Conference {
        muted: true,
        enter_sound: Sound::Beep1,
        exit_sound: Sound::Url(post("/x")),
        max_members: 2,
        stay_alone: false,
        wait_sound: Some(post("/w")),
        record: true,
        action: Some(post("/a")),
        callback: Some(post("/c")),
        digits_match: vec!["1".into()],
        floor_event: true,
        relay_dtmf: false,
        ..plain
    };
    assert_eq!(full, Element::Conference(Box::new(expected)));
}

#[test]
fn a_stream_goes_to_a_websocket() {
    let plain = Stream {
        service_url: "wss://h/s".into(),
        bidirectional: false,
        audio_track: AudioTrack::Inbound,
        stream_timeout: seconds(86_400),
        content_type: StreamFormat::L16At8000,
        keep_call_alive: false,
        extra_headers: None,
        status_callback: None,
        noise_cancellation_level: None,
    };
    assert_eq!(only("<Stream>wss://h/s</Stream>"), Element::Stream(Box::new(plain.clone())));
    let full = only(
        "<Stream bidirectional='true' keepCallAlive='true' streamTimeout='60' extraHeaders='k=v' \
         contentType='audio/x-mulaw;rate=8000' statusCallbackUrl='/s' noiseCancellation='true'>wss://h/s</Stream>",
    );
    let expected = Stream {
        bidirectional: true,
        keep_call_alive: true,
        stream_timeout: seconds(60),
        extra_headers: Some("k=v".into()),
        content_type: StreamFormat::MulawAt8000,
        status_callback: Some(post("/s")),
        noise_cancellation_level: Some(85),
        ..plain
    };
    assert_eq!(full, Element::Stream(Box::new(expected)));
}

#[test]
fn digits_messages_and_early_media_are_read() {
    let keys = vec![Key::Press('1'), Key::Pause(Duration::from_secs(1))];
    assert_eq!(only("<DTMF>1W</DTMF>"), Element::Dtmf(Dtmf { keys: keys.clone(), is_async: true }));
    let message = Message {
        src: "1".into(),
        dst: vec!["2".into(), "3".into()],
        kind: "sms".into(),
        text: "Hi".into(),
        callback: None,
    };
    assert_eq!(only("<Message src='1' dst='2&lt;3'>Hi</Message>"), Element::Message(message));
    let dtmf = Element::Dtmf(Dtmf { keys, is_async: false });
    let read = only("<PreAnswer><Say/><DTMF async='false'>1W</DTMF></PreAnswer>");
    assert_eq!(read, Element::PreAnswer(vec![dtmf]));
}

#[test]
fn hold_music_of_the_go_sdk_stands_inside() {
    let element = only(
        "<MultiPartyCall role='agent'>room<AgentHoldMusic><Play>/a.mp3</Play></AgentHoldMusic>\
         <CustomerHoldMusic method='POST'>/c.mp3</CustomerHoldMusic></MultiPartyCall>",
    );
    let Element::MultiPartyCall(call) = element else { panic!("{element:?}") };
    assert_eq!(call.name, "room");
    assert_eq!(call.agent_hold_music, Some(target("https://app.example/a.mp3", Method::Get)));
    assert_eq!(call.customer_hold_music, Some(post("/c.mp3")));
}

#[test]
fn attributes_of_other_elements_have_one_case() {
    let Element::GetDigits(digits) = only("<GetDigits NumDigits='4'/>") else { panic!("no input") };
    assert_eq!(digits.num_digits, 99);
}

#[test]
fn what_is_missing_wrong_or_misplaced_is_named() {
    for (text, accepted) in [
        ("<GetInput/>", "action=\"\", accepted: a URL, http or https"),
        ("<GetDigits finishOnKey='12'/>", "finishOnKey=\"12\", accepted: one of 0-9 * #, or none"),
        ("<GetDigits validDigits='a'/>", "validDigits=\"a\", accepted: some of 0-9 * #"),
        ("<GetDigits><Dial/></GetDigits>", "<Dial> may not stand in <GetDigits>"),
        ("<PreAnswer><Dial/></PreAnswer>", "<Dial> may not stand in <PreAnswer>"),
        ("<Dial>1</Dial>", "contains \"1\", accepted: 1 to 20 of <Number> and <User>"),
        ("<Dial><Play>/a</Play></Dial>", "<Play> may not stand in <Dial>"),
        ("<Dial><Number>bob</Number></Dial>", "contains \"bob\", accepted: a number of at most 15 digits"),
        ("<Dial><User>bob</User></Dial>", "contains \"bob\", accepted: a SIP URI"),
        (
            "<Dial sipHeaders='a=1&#13;&#10;Via: x'><Number>1</Number></Dial>",
            "accepted: name=value with commas between",
        ),
        (
            "<Dial><User sipAuthUsername='u' sipAuthPassword='1234567'>sip:b@h</User></Dial>",
            "sipAuthPassword=\"…\", accepted: 8 to 128 characters, together with sipAuthUsername",
        ),
        ("<Conference/>", "accepted: a name on one line of 1 to 255 characters"),
        ("<Conference maxMembers='21'>r</Conference>", "accepted: a whole number from 1 to 20"),
        ("<Stream>http://h/s</Stream>", "accepted: a URL, ws or wss, of at most 2048 bytes"),
        (
            "<Stream bidirectional='true' audioTrack='both'>wss://h/s</Stream>",
            "accepted: inbound, since the stream is bidirectional",
        ),
        ("<DTMF>x</DTMF>", "contains \"x\", accepted: 1 to 255 of 0-9 * # w W"),
        ("<Message dst='1'>Hi</Message>", "src=\"\", accepted: a number"),
    ] {
        let refused = refusal(text);
        assert!(refused.starts_with("line 2: <") && refused.ends_with(accepted), "{refused}");
    }
}

#[test]
fn of_a_document_of_sounds_only_sounds_count() {
    let read = |document: &str| parse_sounds(document.as_bytes(), &base(), &Limits::default());
    let play = Prompt::Play(Play { url: "https://app.example/m.mp3".into(), repeat: Repeat::Forever });
    let document = "<Response><Dial/><Play loop='0'>/m.mp3</Play><MultiPartyCall/><Unknown/></Response>";
    assert_eq!(read(document), Ok(vec![play]));
    assert_eq!(read("<Response/>"), Ok(Vec::new()));
    assert!(matches!(read("<html/>"), Err(XmlError::Root(_))));
    assert!(matches!(read("<!DOCTYPE x><Response/>"), Err(XmlError::Malformed(_))));
}

#[test]
fn a_message_goes_to_so_many_and_to_somebody() {
    let sent = |dst: &str| read(&format!("<Response><Message src='1' dst='{dst}'>x</Message></Response>"));
    let hundred = ["2"; 100].join("&lt;");
    assert!(sent(&hundred).is_ok());
    for refused in [format!("{hundred}&lt;2"), "2&lt;".to_owned(), "&lt;2".to_owned()] {
        assert!(sent(&refused).is_err(), "{refused}");
    }
}
