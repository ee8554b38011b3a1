//! What applications and SDKs write.

mod elements;
mod speech;

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::{EventGroup, Method, Role, StreamFormat};

/// As `MultiPartyCallElement(content='my room', role='Agent')` of the Python SDK prints it.
const PYTHON: &str = r#"<Response>
  <Speak>Welcome</Speak>
  <MultiPartyCall role="agent" maxDuration="14400" maxParticipants="10" recordMinMemberCount="1" waitMusicMethod="GET" agentHoldMusicMethod="GET" customerHoldMusicMethod="GET" record="false" recordParticipantTrack="false" recordFileFormat="mp3" recordingCallbackMethod="POST" statusCallbackEvents="mpc-state-changes,participant-state-changes" statusCallbackUrl="http://127.0.0.1:9000/mpc" statusCallbackMethod="POST" stayAlone="false" coachMode="true" mute="false" hold="false" startMpcOnEnter="true" endMpcOnExit="false" enterSound="beep:1" enterSoundMethod="GET" exitSound="beep:2" exitSoundMethod="GET" onExitActionMethod="POST" relayDTMFInputs="false" startRecordingAudioMethod="GET" stopRecordingAudioMethod="GET" transcript="false">my room</MultiPartyCall>
</Response>
"#;

fn base() -> Url {
    "https://app.example/flow/answer?x=1".parse().unwrap()
}

fn read(document: &str) -> Result<Document, XmlError> {
    parse(document.as_bytes(), &base(), &Limits::default())
}

fn only(element: &str) -> Element {
    let mut elements = read(&format!("<Response>{element}</Response>")).unwrap().elements;
    assert_eq!(elements.len(), 1);
    elements.remove(0)
}

fn call(attributes: &str) -> MultiPartyCall {
    let element = only(&format!("<MultiPartyCall role='agent' {attributes}>room</MultiPartyCall>"));
    let Element::MultiPartyCall(call) = element else { panic!("{element:?}") };
    *call
}

/// The text of the error that refuses `body`, put on the second line.
fn refusal(body: &str) -> String {
    read(&format!("<Response>\n{body}</Response>")).unwrap_err().to_string()
}

fn target(url: &str, method: Method) -> Target {
    Target { url: url.into(), method }
}

fn usual(language: &str) -> Manner {
    Manner { language: language.into(), rate_percent: 100, pitch_percent: 100, volume_db: 0 }
}

fn plain() -> MultiPartyCall {
    MultiPartyCall {
        name: "room".into(),
        role: Role::Agent,
        coach_mode: true,
        mute: false,
        hold: false,
        stay_alone: false,
        start_mpc_on_enter: true,
        end_mpc_on_exit: false,
        relay_dtmf_inputs: false,
        enter_sound: Sound::Beep1,
        exit_sound: Sound::Beep2,
        on_exit_action: None,
        ai_agent_stream: None,
        max_duration_seconds: 14_400,
        max_participants: 10,
        wait_music: None,
        wait_time_seconds: None,
        wait_for_agent: false,
        agent_hold_music: None,
        customer_hold_music: None,
        recording: Recording {
            record: false,
            participant_track: false,
            file_format: FileFormat::Mp3,
            min_member_count: 1,
            coach_voice: true,
            callback: None,
            start_audio: None,
            stop_audio: None,
            transcript: false,
            transcription_url: None,
        },
        status_callback: None,
    }
}

#[test]
fn the_python_sdk_is_understood() {
    let elements = read(PYTHON).unwrap().elements;
    let expected = MultiPartyCall {
        name: "my room".into(),
        status_callback: Some(StatusCallback {
            target: target("http://127.0.0.1:9000/mpc", Method::Post),
            events: vec![EventGroup::MpcStateChanges, EventGroup::ParticipantStateChanges],
        }),
        ..plain()
    };
    assert_eq!(elements[1], Element::MultiPartyCall(Box::new(expected)));
    let speak = Speak {
        text: "Welcome".into(),
        parts: vec![SpeechPart::Text("Welcome".into(), usual("en-US"))],
        plain: BTreeSet::new(),
        voice: "WOMAN".into(),
        language: "en-US".into(),
        repeat: Repeat::Times(1),
    };
    assert_eq!(elements[0], Element::Speak(speak));
}

/// What Node writes on one line, and Ruby with single quotes in the order of the alphabet.
const NODE: &str = r#"<Response><MultiPartyCall role="Agent" maxDuration="14400" maxParticipants="10" recordMinMemberCount="1" waitMusicMethod="GET" agentHoldMusicMethod="GET" customerHoldMusicMethod="GET" record="false" recordFileFormat="mp3" recordingCallbackMethod="GET" statusCallbackEvents="mpc-state-changes,participant-state-changes" statusCallbackMethod="POST" stayAlone="false" coachMode="true" mute="false" hold="false" startMpcOnEnter="true" endMpcOnExit="false" enterSound="beep:1" enterSoundMethod="GET" exitSound="beep:2" exitSoundMethod="GET" onExitActionMethod="POST" relayDTMFInputs="false" startRecordingAudioMethod="GET" stopRecordingAudioMethod="GET" recordParticipantTrack="false">room</MultiPartyCall></Response>"#;
const RUBY: &str = r"<?xml version='1.0' encoding='utf-8' ?><Response><MultiPartyCall agentHoldMusicMethod='GET' coachMode='true' customerHoldMusicMethod='GET' endMpcOnExit='false' enterSound='beep:1' enterSoundMethod='GET' exitSound='beep:2' exitSoundMethod='GET' hold='false' maxDuration='14400' maxParticipants='10' mute='false' onExitActionMethod='POST' record='false' recordFileFormat='mp3' recordMinMemberCount='1' recordingCallbackMethod='GET' relayDTMFInputs='false' role='Agent' startMpcOnEnter='true' startRecordingAudioMethod='GET' statusCallbackEvents='mpc-state-changes,participant-state-changes' statusCallbackMethod='POST' stayAlone='false' stopRecordingAudioMethod='GET' waitMusicMethod='GET'>
room
</MultiPartyCall></Response>";

#[test]
fn the_node_and_ruby_sdks_are_understood() {
    for document in [NODE, RUBY] {
        let elements = read(document).unwrap().elements;
        assert_eq!(elements, [Element::MultiPartyCall(Box::new(plain()))], "{document}");
    }
}

#[test]
fn absent_and_blank_attributes_take_the_defaults() {
    assert_eq!(call(""), plain());
    assert_eq!(
        call("mute='' waitMusicUrl=' ' maxParticipants='' enterSound='' statusCallbackEvents=''"),
        plain()
    );
}

#[test]
fn every_attribute_is_read() {
    let read = call(
        "coachMode='FALSE' mute='true' hold='true' stayAlone='true' startMpcOnEnter='false' \
         endMpcOnExit='true' relayDtmfInputs='true' enterSound='None' exitSound='bell.wav' \
         exitSoundMethod='post' onExitActionUrl='/bye?a=1&amp;b=2' onExitActionMethod='GET' \
         maxDuration='300' maxParticipants='2' waitMusicUrl='//m.example/w.mp3' waitMusicMethod='POST' \
         waitTime='1800' waitForAgent='true' agentHoldMusicUrl='a.mp3' customerHoldMusicUrl='c.mp3'",
    );
    let url = |path: &str| format!("https://app.example{path}");
    let expected = MultiPartyCall {
        coach_mode: false,
        mute: true,
        hold: true,
        stay_alone: true,
        start_mpc_on_enter: false,
        end_mpc_on_exit: true,
        relay_dtmf_inputs: true,
        enter_sound: Sound::None,
        exit_sound: Sound::Url(target(&url("/flow/bell.wav"), Method::Post)),
        on_exit_action: Some(target(&url("/bye?a=1&b=2"), Method::Get)),
        max_duration_seconds: 300,
        max_participants: 2,
        wait_music: Some(target("https://m.example/w.mp3", Method::Post)),
        wait_time_seconds: Some(1800),
        wait_for_agent: true,
        agent_hold_music: Some(target(&url("/flow/a.mp3"), Method::Get)),
        customer_hold_music: Some(target(&url("/flow/c.mp3"), Method::Get)),
        ..plain()
    };
    assert_eq!(read, expected);
}

#[test]
fn an_ai_agent_and_nobody_else_has_a_stream() {
    let parse = |role: &str, more: &str| {
        format!(
            "<MultiPartyCall role='{role}' aiAgentStreamServiceUrl='wss://ai.example/s' {more}>r</MultiPartyCall>"
        )
    };
    let stream = |role, more| {
        let Element::MultiPartyCall(call) = only(&parse(role, more)) else { panic!("{role}") };
        call.ai_agent_stream
    };
    let full = AiAgentStream {
        service_url: "wss://ai.example/s".into(),
        format: StreamFormat::L16At16000,
        extra_headers: Some("k=v".into()),
        status_callback: Some(target("https://app.example/ai", Method::Post)),
    };
    let all = "aiAgentStreamSamplingRate='16000' aiAgentStreamExtraHeaders='k=v' \
               aiAgentStreamContentType='audio/x-l16;rate=8000' aiAgentStreamStatusCallbackUrl='/ai'";
    assert_eq!(stream("ai-agent", all), Some(full));
    let plain = stream("AI-Agent", "").map(|stream| stream.format);
    assert_eq!(plain, Some(StreamFormat::L16At8000));
    assert_eq!(stream("Agent", all), None);
    let mulaw = "aiAgentStreamContentType='audio/x-mulaw;rate=8000' aiAgentStreamSamplingRate='16000'";
    for (more, accepted) in [
        (
            "aiAgentStreamSamplingRate='44100'",
            "aiAgentStreamSamplingRate=\"44100\", accepted: 8000, 16000, 24000",
        ),
        (mulaw, "aiAgentStreamSamplingRate=\"16000\", accepted: 8000"),
    ] {
        let refused = refusal(&parse("ai-agent", more));
        assert_eq!(refused, format!("line 2: <MultiPartyCall> {accepted}"));
    }
}

#[test]
fn the_attributes_of_recording_and_reporting_are_read_in_go_spelling() {
    let read = call(
        "record='true' recordParticipantTrack='true' recordFileFormat='WAV' recordMinMemberCount='2' \
         recordCoachVoice='false' recordingCallbackUrl='/r' StartRecordingAudio='/b' \
         StartRecordingAudioMethod='POST' StopRecordingAudio='/e' transcript='true' transcriptionUrl='/t' \
         statusCallbackUrl='/s' statusCallbackMethod='GET' \
         statusCallbackEvents='participant-audio-events, Participant-Speak-Events'",
    );
    let url = |path: &str| format!("https://app.example{path}");
    let expected = MultiPartyCall {
        recording: Recording {
            record: true,
            participant_track: true,
            file_format: FileFormat::Wav,
            min_member_count: 2,
            coach_voice: false,
            callback: Some(target(&url("/r"), Method::Get)),
            start_audio: Some(target(&url("/b"), Method::Post)),
            stop_audio: Some(target(&url("/e"), Method::Get)),
            transcript: true,
            transcription_url: Some(url("/t")),
        },
        status_callback: Some(StatusCallback {
            target: target(&url("/s"), Method::Get),
            events: vec![EventGroup::ParticipantAudioEvents, EventGroup::ParticipantSpeakEvents],
        }),
        ..plain()
    };
    assert_eq!(read, expected);
}

#[test]
fn a_url_without_a_method_is_asked_by_the_documented_one() {
    let read = call(
        "onExitActionUrl='/x' statusCallbackUrl='/s' recordingCallbackUrl='/r' waitMusicUrl='/w' \
         enterSound='/e' startRecordingAudio='/b'",
    );
    assert_eq!(read.on_exit_action.unwrap().method, Method::Post);
    assert_eq!(read.status_callback.unwrap().target.method, Method::Post);
    assert_eq!(read.recording.callback.unwrap().method, Method::Get);
    assert_eq!(read.wait_music.unwrap().method, Method::Get);
    assert_eq!(read.enter_sound, Sound::Url(target("https://app.example/e", Method::Get)));
    assert_eq!(read.recording.start_audio.unwrap().method, Method::Get);
}

#[test]
fn a_name_is_trimmed_and_has_no_children() {
    let element = only(
        "<MultiPartyCall role='Supervisor'>\n  my room <AgentHoldMusic>x</AgentHoldMusic>\n</MultiPartyCall>",
    );
    let Element::MultiPartyCall(call) = element else { panic!("{element:?}") };
    assert_eq!((call.name.as_str(), call.role), ("my room", Role::Supervisor));
}

#[test]
fn a_wrong_attribute_is_refused_with_line_value_and_what_is_accepted() {
    let mpc = "line 2: <MultiPartyCall>";
    for (attribute, text) in [
        ("mute='yes'", "mute=\"yes\", accepted: true, false"),
        ("maxDuration='299'", "maxDuration=\"299\", accepted: a whole number from 300 to 28800"),
        ("maxParticipants='11'", "maxParticipants=\"11\", accepted: a whole number from 2 to 10"),
        ("waitTime='x'", "waitTime=\"x\", accepted: a whole number from 0 to 1800"),
        (
            "enterSound='beep:3'",
            "enterSound=\"beep:3\", accepted: none, beep:1, beep:2, or a URL, http or https",
        ),
        ("waitMusicUrl='ftp://h/x'", "waitMusicUrl=\"ftp://h/x\", accepted: a URL, http or https"),
        ("waitMusicUrl='http://'", "waitMusicUrl=\"http://\", accepted: a URL, http or https"),
        ("aiAgentStreamServiceUrl='/s'", "aiAgentStreamServiceUrl=\"/s\", accepted: a URL, ws or wss"),
        ("waitMusicMethod='PUT'", "waitMusicMethod=\"PUT\", accepted: GET, POST"),
        ("recordFileFormat='aac'", "recordFileFormat=\"aac\", accepted: mp3, wav, ogg, flac"),
    ] {
        let refused = refusal(&format!("<MultiPartyCall role='agent' {attribute}>room</MultiPartyCall>"));
        assert_eq!(refused, format!("{mpc} {text}"));
    }
    let events = refusal("<MultiPartyCall role='agent' statusCallbackEvents='a'>room</MultiPartyCall>");
    assert!(events.contains("statusCallbackEvents=\"a\", accepted: mpc-state-changes, "), "{events}");
}

#[test]
fn a_role_and_a_name_are_required() {
    let roles = "accepted: Agent, Supervisor, Customer, ai-agent";
    for (attribute, value) in [("", ""), ("role='boss'", "boss")] {
        let refused = refusal(&format!("<MultiPartyCall {attribute}>room</MultiPartyCall>"));
        assert_eq!(refused, format!("line 2: <MultiPartyCall> role=\"{value}\", {roles}"));
    }
    let long = "x".repeat(MAX_NAME_CHARS + 1);
    for name in [" ", "a\nb", &long] {
        let refused = refusal(&format!("<MultiPartyCall role='agent'>{name}</MultiPartyCall>"));
        assert!(refused.ends_with("accepted: a name on one line of 1 to 255 characters"), "{refused}");
        assert!(refused.len() < 250, "{refused}");
    }
}

#[test]
fn a_deployer_may_move_the_limits() {
    let read = |max_participants, attribute: &str| {
        let limits = Limits { max_participants, max_duration_seconds: 3600, ..Limits::default() };
        let document =
            format!("<Response><MultiPartyCall role='agent' {attribute}>r</MultiPartyCall></Response>");
        let elements = parse(document.as_bytes(), &base(), &limits).ok()?.elements;
        let Element::MultiPartyCall(call) = &elements[0] else { panic!("{elements:?}") };
        Some((call.max_participants, call.max_duration_seconds))
    };
    assert_eq!(read(100, "maxParticipants='100'"), Some((100, 3600)));
    assert_eq!(read(100, "maxParticipants='101'"), None);
    assert_eq!(read(100, ""), Some((100, 3600)));
    assert_eq!(read(5, "maxParticipants='10' maxDuration='14400'"), Some((5, 3600)));
}

#[test]
fn the_other_elements_are_read() {
    let wait = Wait { length_seconds: 1, silence: false, min_silence_ms: None, beep: None };
    let beep =
        BeepDetection { duration_ms: 200, inter_silence_ms: 50, intra_silence_ms: 500, threshold: 256 };
    for (text, element) in [
        (
            "<Speak voice='Polly.Amy' language='en-GB' loop='2'> a <break/><s>b &lt; c</s></Speak>",
            Element::Speak(Speak {
                text: "a b < c".into(),
                parts: vec![
                    SpeechPart::Text("a".into(), usual("en-GB")),
                    SpeechPart::Pause(Duration::from_millis(400)),
                    SpeechPart::Text("b < c".into(), usual("en-GB")),
                ],
                plain: BTreeSet::new(),
                voice: "Polly.Amy".into(),
                language: "en-GB".into(),
                repeat: Repeat::Times(2),
            }),
        ),
        (
            "<Play loop='0'>\n/a.mp3\n</Play>",
            Element::Play(Play { url: "https://app.example/a.mp3".into(), repeat: Repeat::Forever }),
        ),
        ("<Wait/>", Element::Wait(wait)),
        (
            "<Wait length='3' silence='true' minSilence='500' beep='duration=200, threshold=256'/>",
            Element::Wait(Wait {
                length_seconds: 3,
                silence: true,
                min_silence_ms: Some(500),
                beep: Some(beep),
            }),
        ),
        (
            "<Redirect>next</Redirect>",
            Element::Redirect(target("https://app.example/flow/next", Method::Post)),
        ),
        (
            "<Redirect method='GET'><![CDATA[http://h/?a=1&b=2]]></Redirect>",
            Element::Redirect(target("http://h/?a=1&b=2", Method::Get)),
        ),
        ("<Hangup/>", Element::Hangup(Hangup { reason: None, schedule_seconds: None })),
        (
            "<Hangup reason='busy' schedule='60'/>",
            Element::Hangup(Hangup { reason: Some(HangupReason::Busy), schedule_seconds: Some(60) }),
        ),
    ] {
        assert_eq!(only(text), element, "{text}");
    }
}

#[test]
fn the_other_elements_are_refused_with_what_is_accepted() {
    let long = format!("<Speak>{}</Speak>", "x".repeat(MAX_SPEECH_CHARS + 1));
    for (text, accepted) in [
        (long.as_str(), "at most 3000 characters"),
        ("<Speak voice='ROBOT'>x</Speak>", "WOMAN, MAN, Polly.<Name>"),
        ("<Speak language='en US'>x</Speak>", "a language tag such as en-US"),
        ("<Play/>", "a URL, http or https"),
        ("<Play loop='-1'>/a</Play>", "a whole number from 0 to 4294967295"),
        ("<Play>file:///etc/passwd</Play>", "a URL, http or https"),
        ("<Wait length='0'/>", "a whole number from 1 to 86400"),
        ("<Wait beep='loud=1'/>", "threshold= with commas between"),
        ("<Redirect> </Redirect>", "a URL, http or https"),
        ("<Hangup reason='tired'/>", "rejected, busy"),
    ] {
        let refused = refusal(text);
        assert!(refused.starts_with("line 2: <") && refused.ends_with(accepted), "{refused}");
    }
}

#[test]
fn unknown_elements_and_attributes_are_ignored() {
    let elements =
        read("<Response>\n<Say>x</Say>text<!-- c --><Wait colour='red'/></Response>").unwrap().elements;
    assert_eq!(elements.iter().map(Element::name).collect::<Vec<_>>(), ["Wait"]);
    assert_eq!(read("<Response/>"), Ok(Document::default()));
}

#[test]
fn leading_blanks_a_declaration_and_a_byte_order_mark_are_accepted() {
    for document in [
        "\n<?xml version='1.0' encoding='utf-8' ?><Response/>",
        "\u{feff}<Response/>",
        "<ns:Response xmlns:ns='urn:x'/>",
    ] {
        assert_eq!(read(document), Ok(Document::default()), "{document}");
    }
}

#[test]
fn what_is_no_document_is_refused() {
    for (document, text) in [
        (&b""[..], "the document is empty"),
        (b" \r\n\t", "the document is empty"),
        (b"\xff\xfe<\0R\0", "the document is not UTF-8"),
        (b"<html/>", "the root element is <html>, accepted: <Response>"),
        (b"Not Found", "the document is not well-formed: unknown token at 1:1"),
        (b"<Response><Speak></Response>", "the document is not well-formed: expected 'Speak' tag"),
    ] {
        let error = parse(document, &base(), &Limits::default()).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
    }
}
