//! What the SDKs send, and what they refuse to send.

use super::*;
use crate::xml::parse as parse_xml;

const PYTHON: &str = r#"{"role": "agent", "from": "+14151234567", "to": "+14157654321<sip:bob@phone.example", "caller_name": "+14151234567", "call_status_callback_method": "POST", "confirm_key_sound_method": "GET", "dial_music": "real", "ring_timeout": "30<20", "delay_dial": 0, "max_duration": 14400, "max_participants": 10, "record_min_member_count": 1, "wait_music_method": "GET", "agent_hold_music_method": "GET", "customer_hold_music_method": "GET", "recording_callback_method": "GET", "status_callback_url": "http://127.0.0.1:9000/mpc", "status_callback_method": "GET", "on_exit_action_method": "POST", "record": false, "record_participant_track": false, "record_file_format": "mp3", "status_callback_events": "mpc-state-changes,participant-state-changes", "stay_alone": false, "coach_mode": true, "mute": true, "hold": false, "start_mpc_on_enter": true, "end_mpc_on_exit": false, "relay_dtmf_inputs": false, "enter_sound": "beep:1", "enter_sound_method": "GET", "exit_sound": "beep:2", "exit_sound_method": "GET", "start_recording_audio_method": "GET", "stop_recording_audio_method": "GET", "create_mpc_with_single_participant": true, "send_digits": "ww1", "send_on_preanswer": false, "transcript": false}"#;
const NODE: &str = r#"{"from":"+14151234567","to":"+14157654321","mute":true,"coach_mode":"true","start_mpc_on_enter":false,"status_callback_url":"https://example.com/mpc","send_digits":"ww1","relay_dtmf_inputs":true,"role":"Agent","call_status_callback_method":"POST","confirm_key_sound_method":"GET","dial_music":"Real","ring_timeout":45,"delay_dial":0,"max_duration":14400,"max_participants":10,"record_min_member_count":1,"wait_music_method":"GET","agent_hold_music_method":"GET","customer_hold_music_method":"GET","recording_callback_method":"GET","status_callback_method":"GET","on_exit_action_method":"POST","record":"false","record_file_format":"mp3","status_callback_events":"mpc-state-changes,participant-state-changes","stay_alone":"false","hold":"false","end_mpc_on_exit":"false","enter_sound":"beep:1","enter_sound_method":"GET","exit_sound":"beep:2","exit_sound_method":"GET","start_recording_audio_method":"GET","stop_recording_audio_method":"GET","record_participant_track":"false","caller_name":"+14151234567"}"#;
const RUBY: &str = r#"{"role":"customer","call_uuid":"ABC","caller_name":null,"call_status_callback_method":"POST","dial_music":"Real","ring_timeout":45,"delay_dial":0,"max_duration":14400,"record":false,"coach_mode":true}"#;
const GO: &str = r#"{"role":"Agent","from":"+1415","to":"+1416\u003c+1417","caller_name":"+1415","ring_timeout":45,"delay_dial":0,"status_callback_url":"http://127.0.0.1:9000/mpc","mute":true,"record_participant_track":false}
"#;

fn read(json: &str) -> Result<AddParticipant, RestError> {
    let body = Arguments::from_body(Some("application/json"), json.as_bytes()).unwrap();
    AddParticipant::parse(&body, "room", &Limits::default())
}

/// A request of an agent to be called, with `more` parameters.
fn agent(more: &str) -> Result<AddParticipant, RestError> {
    read(&format!(r#"{{"role":"agent","from":"1","to":"2<3<4"{more}}}"#))
}

fn called(request: AddParticipant) -> Outbound {
    let Party::Called(outbound) = request.party else { panic!("{request:?}") };
    *outbound
}

fn refusal(json: &str) -> String {
    let error = read(json).unwrap_err();
    assert_eq!(error.status(), 400);
    error.to_string()
}

fn attempt(to: &str, delay: u64, ring: u64) -> Attempt {
    let [delay, ring_timeout] = [delay, ring].map(Duration::from_secs);
    Attempt { to: Destination::parse(to).unwrap(), delay, ring_timeout }
}

fn target(url: &str, method: Method) -> Target {
    Target { url: url.into(), method }
}

/// What absent attributes of `<MultiPartyCall>` mean.
fn plain() -> MultiPartyCall {
    let document = b"<Response><MultiPartyCall role='agent'>room</MultiPartyCall></Response>";
    let base = "http://h/".parse().unwrap();
    let elements = parse_xml(document, &base, &Limits::default()).unwrap().elements;
    let crate::xml::Element::MultiPartyCall(call) = &elements[0] else { panic!("{elements:?}") };
    call.as_ref().clone()
}

#[test]
fn the_python_sdk_is_understood() {
    let request = read(PYTHON).unwrap();
    let expected = MultiPartyCall {
        mute: true,
        status_callback: Some(StatusCallback {
            target: target("http://127.0.0.1:9000/mpc", Method::Get),
            events: vec![EventGroup::MpcStateChanges, EventGroup::ParticipantStateChanges],
        }),
        ..plain()
    };
    assert_eq!(request.mpc, expected);
    assert!(request.create_mpc_with_single_participant);
    let half = Duration::from_millis(500);
    let expected = Outbound {
        from: "+14151234567".into(),
        caller_name: "+14151234567".into(),
        attempts: vec![attempt("+14157654321", 0, 30), attempt("sip:bob@phone.example", 0, 20)],
        call_status_callback: None,
        sip_headers: Vec::new(),
        confirm: None,
        dial_music: DialMusic::Real,
        send_digits: vec![Key::Pause(half), Key::Pause(half), Key::Press('1')],
        send_on_preanswer: false,
    };
    assert_eq!(called(request), expected);
}

#[test]
fn the_other_sdks_are_understood() {
    let node = read(NODE).unwrap();
    assert_eq!(
        (node.mpc.coach_mode, node.mpc.start_mpc_on_enter, node.mpc.recording.record),
        (true, false, false)
    );
    let ruby = read(RUBY).unwrap();
    assert_eq!(ruby.party, Party::Existing { call_uuid: "abc".into() });
    assert_eq!(ruby.mpc, MultiPartyCall { role: Role::Customer, ..plain() });
    let go = called(read(GO).unwrap());
    assert_eq!(go.attempts, [attempt("+1416", 0, 45), attempt("+1417", 0, 45)]);
}

#[test]
fn what_is_absent_means_what_absent_attributes_mean() {
    let request = agent("").unwrap();
    assert_eq!(request.mpc, plain());
    assert_eq!(called(request).caller_name, "1");
}

#[test]
fn every_field_is_read() {
    let request = agent(
        r#","caller_name":"Ann","call_status_callback_url":"http://h/cs","call_status_callback_method":"get",
        "sip_headers":"k=v,k2=v2,","confirm_key":"*","confirm_key_sound_url":"http://h/ck",
        "confirm_key_sound_method":"POST","dial_music":"http://h/dm","ring_timeout":20,"delay_dial":"0<5",
        "max_duration":300,"max_participants":"2","record_min_member_count":2,"wait_music_url":"http://h/w",
        "wait_music_method":"POST","agent_hold_music_url":"http://h/a","customer_hold_music_url":"http://h/c",
        "recording_callback_url":"http://h/r","status_callback_url":"http://h/s","status_callback_method":"POST",
        "on_exit_action_url":"http://h/e","record":true,"record_participant_track":"True",
        "record_file_format":"WAV","status_callback_events":"participant-speak-events, add-participant-api-events",
        "stay_alone":true,"coach_mode":false,"mute":true,"hold":true,"start_mpc_on_enter":false,
        "end_mpc_on_exit":true,"relay_dtmf_inputs":true,"enter_sound":"None","exit_sound":"http://h/x.mp3",
        "exit_sound_method":"POST","start_recording_audio":"http://h/sr","stop_recording_audio":"http://h/er",
        "create_mpc_with_single_participant":false,"send_digits":"1","send_on_preanswer":true,
        "transcript":true,"transcription_url":"http://h/t""#,
    )
    .unwrap();
    let (get, post) = (Method::Get, Method::Post);
    let mpc = MultiPartyCall {
        coach_mode: false,
        mute: true,
        hold: true,
        stay_alone: true,
        start_mpc_on_enter: false,
        end_mpc_on_exit: true,
        relay_dtmf_inputs: true,
        enter_sound: Sound::None,
        exit_sound: Sound::Url(target("http://h/x.mp3", post)),
        on_exit_action: Some(target("http://h/e", post)),
        max_duration_seconds: 300,
        max_participants: 2,
        wait_music: Some(target("http://h/w", post)),
        agent_hold_music: Some(target("http://h/a", get)),
        customer_hold_music: Some(target("http://h/c", get)),
        recording: Recording {
            record: true,
            participant_track: true,
            file_format: FileFormat::Wav,
            min_member_count: 2,
            coach_voice: true,
            callback: Some(target("http://h/r", get)),
            start_audio: Some(target("http://h/sr", get)),
            stop_audio: Some(target("http://h/er", get)),
            transcript: true,
            transcription_url: Some("http://h/t".into()),
        },
        status_callback: Some(StatusCallback {
            target: target("http://h/s", post),
            events: vec![EventGroup::ParticipantSpeakEvents, EventGroup::AddParticipantApiEvents],
        }),
        ..plain()
    };
    assert_eq!((&request.mpc, request.create_mpc_with_single_participant), (&mpc, false));
    let outbound = Outbound {
        from: "1".into(),
        caller_name: "Ann".into(),
        attempts: vec![attempt("2", 0, 20), attempt("3", 5, 20), attempt("4", 5, 20)],
        call_status_callback: Some(target("http://h/cs", get)),
        sip_headers: vec![("k".into(), "v".into()), ("k2".into(), "v2".into())],
        confirm: Some(Confirm { key: '*', sound: Some(target("http://h/ck", post)) }),
        dial_music: DialMusic::Url("http://h/dm".into()),
        send_digits: vec![Key::Press('1')],
        send_on_preanswer: true,
    };
    assert_eq!(called(request), outbound);
}

#[test]
fn refusals_are_in_the_words_of_the_sdk() {
    let many = |count: usize| vec!["1"; count].join("<");
    for (json, text) in [
        (r#"{"from":"1","to":"2"}"#, "role is required (current value: None)"),
        (
            r#"{"role":"boss","from":"1","to":"2"}"#,
            "role should be in ('ai-agent', 'agent', 'supervisor', 'customer') (actual value: boss)",
        ),
        (r#"{"role":"agent"}"#, "specify either call_uuid or (from, to)"),
        (
            r#"{"role":"agent","call_uuid":"x","to":"2"}"#,
            "cannot specify call_uuid when (from, to) is provided",
        ),
        (
            r#"{"role":"agent","from":"1"}"#,
            "specify (from, to) when not adding an existing call_uuid to multi party participant",
        ),
        (r#"{"role":"Customer","from":"1","to":"2<3"}"#, "Multiple to_  values given for role customer"),
        (
            &format!(r#"{{"role":"agent","from":"1","to":"{}"}}"#, many(21)),
            "No of to_ values provided should be lesser than 20",
        ),
        (r#"{"role":"agent","from":"1","to":"tel:2"}"#, "to parameter is invalid"),
    ] {
        assert_eq!(refusal(json), text);
    }
    assert!(read(&format!(r#"{{"role":"agent","from":"1","to":"{}"}}"#, many(20))).is_ok());
}

#[test]
fn a_wrong_value_is_refused_by_name() {
    for (more, text) in [
        (
            r#""ring_timeout":"1<2<3<4""#,
            "RingTimeout:number of ring_timeout(s) should be same as number of destination(s)",
        ),
        (
            r#""delay_dial":"1<2<3<4""#,
            "DelayDial:number of delay_dial(s) should be same as number of destination(s)",
        ),
        (r#""ring_timeout":"1<x""#, "ring_timeout destination value must be integer"),
        (r#""ring_timeout":0"#, "1 <= ring_timeout <= 3600 (actual value: 0)"),
        (r#""max_duration":299"#, "300 < max_duration <= 28800 (actual value: 299)"),
        (r#""max_participants":11"#, "2 < max_participants <= 10 (actual value: 11)"),
        (r#""record_min_member_count":3"#, "1 < record_min_member_count <= 2 (actual value: 3)"),
        (
            r#""record_file_format":"aac""#,
            "record_file_format should be in ('mp3', 'wav', 'ogg', 'flac') (actual value: aac)",
        ),
        (
            r#""wait_music_method":"PUT""#,
            "wait_music_method should be in ('GET', 'POST') (actual value: PUT)",
        ),
        (r#""caller_name":"a\nb""#, "1 < len(caller_name) <= 50 (actual value: a\nb)"),
        (r#""status_callback_url":"/x""#, "status_callback_url parameter is invalid"),
        (r#""status_callback_events":"x""#, "status_callback_events parameter is invalid"),
        (r#""sip_headers":"a=1\r\nb""#, "sip_headers parameter is invalid"),
        (r#""send_digits":"12x""#, "send_digits parameter is invalid"),
        (r#""dial_music":"loud""#, "dial_music parameter is invalid"),
        (r#""enter_sound":"beep:3""#, "enter_sound parameter is invalid"),
        (r#""mute":"yes""#, "mute parameter is invalid"),
    ] {
        assert_eq!(agent(&format!(",{more}")).unwrap_err().to_string(), text);
    }
    let refused = agent(r#","confirm_key":"12""#).unwrap_err().to_string();
    assert!(refused.starts_with("confirm_key should be in ('0', '1', "), "{refused}");
}

#[test]
fn a_deployer_may_move_the_limits() {
    let body = |json: &str| Arguments::from_body(None, json.as_bytes()).unwrap();
    let read = |max_participants, json| {
        let limits = Limits { max_participants, ..Limits::default() };
        AddParticipant::parse(&body(json), "room", &limits).map(|request| request.mpc.max_participants)
    };
    assert_eq!(read(100, r#"{"role":"agent","call_uuid":"x","max_participants":100}"#), Ok(100));
    assert_eq!(read(5, r#"{"role":"agent","call_uuid":"x","max_participants":10}"#), Ok(5));
    let nameless =
        AddParticipant::parse(&body(r#"{"role":"agent","call_uuid":"x"}"#), "", &Limits::default());
    assert_eq!(nameless, Err(RestError::Parameter("friendly_name")));
}
