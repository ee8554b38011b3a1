//! What elements of a document tell, key by key.

use super::*;

#[test]
fn inputs_are_told_with_every_key() {
    assert_eq!(lines(&digits_parameters("12")), ["Digits=12"]);
    let input = Input { kind: InputType::Speech, digits: "", speech: "yes", confidence: Some(0.5) };
    assert_eq!(
        lines(&input.parameters()),
        ["InputType=speech", "Digits=", "Speech=yes", "SpeechConfidenceScore=0.5", "BilledAmount=0.00000"]
    );
    let interim = InterimSpeech { stable: "ye", unstable: "s", stability: 0.25, sequence: 2 };
    assert_eq!(
        lines(&interim.parameters()),
        ["StableSpeech=ye", "UnstableSpeech=s", "Stability=0.25", "SequenceNumber=2"]
    );
}

#[test]
fn a_recording_of_the_session_has_no_end_yet() {
    let going_on = recording();
    let outcome = RecordOutcome { recording: &going_on, digit: None };
    assert_eq!(
        lines(&outcome.action_parameters()),
        [
            "RecordUrl=https://h/r-1.mp3",
            "RecordingID=r-1",
            "RecordingDuration=-1",
            "RecordingDurationMs=-1",
            "RecordingStartMs=-1",
            "RecordingEndMs=-1",
            "Digits=",
        ]
    );
    let ended = RecordingFile { ended_at: Some(after(2)), ..recording() };
    let outcome = RecordOutcome { recording: &ended, digit: Some('#') };
    assert_eq!(
        lines(&outcome.callback_parameters())[2..],
        [
            "RecordingDuration=2",
            "RecordingDurationMs=2000",
            "RecordingStartMs=1767350923000",
            "RecordingEndMs=1767350925000",
        ]
    );
    assert_eq!(lines(&outcome.action_parameters())[6], "Digits=#");
    let transcript = TranscriptOutcome { recording: &ended, text: Err("no engine") };
    assert_eq!(
        lines(&transcript.parameters()),
        [
            "transcription=",
            "transcription_charge=0.00000",
            "transcription_rate=0.00000",
            "duration=2",
            "call_uuid=call-uuid",
            "recording_id=r-1",
            "error=no engine",
        ]
    );
}

#[test]
fn a_dial_tells_its_outcome_and_each_step() {
    let outcome = DialOutcome {
        status: DialStatus::Busy,
        rang: false,
        cause: Some(HangupCause::BUSY),
        a_leg: "a-1",
        b_leg: None,
    };
    assert_eq!(
        lines(&outcome.parameters()),
        [
            "DialStatus=busy",
            "DialRingStatus=false",
            "DialHangupCause=USER_BUSY",
            "DialALegUUID=a-1",
            "DialBLegUUID="
        ]
    );
    let b_leg = call();
    let event = |action| lines(&DialEvent { action, a_leg: "a-1", b_leg: &b_leg }.parameters());
    assert_eq!(
        event(DialAction::Digits { digits: "12", by_b_leg: true }),
        [
            "DialAction=digits",
            "DialBLegStatus=connected",
            "DialALegUUID=a-1",
            "DialBLegUUID=call-uuid",
            "DialBLegDuration=",
            "DialBLegBillDuration=",
            "DialBLegFrom=sip:ann@h",
            "DialBLegTo=sip:room@h",
            "DialDigitsMatch=12",
            "DialDigitsPressedBy=BLeg",
            "DialBLegHangupCauseName=",
            "DialBLegHangupCauseCode=",
            "DialBLegHangupSource=",
            "STIRVerification=",
        ]
    );
    assert_eq!(event(DialAction::Answer)[..2], ["DialAction=answer", "DialBLegStatus=answer"]);
}

#[test]
fn a_conference_and_a_stream_tell_what_happens() {
    let event = ConferenceEvent {
        action: ConferenceAction::Digits("1"),
        name: "room",
        uuid: "m-1",
        member_id: Some(7),
        call_uuid: Some("c-1"),
        recording: None,
    };
    let told = lines(&event.parameters());
    assert_eq!(
        told[..6],
        [
            "ConferenceAction=digits",
            "ConferenceName=room",
            "ConferenceUUID=m-1",
            "ConferenceMemberID=7",
            "CallUUID=c-1",
            "ConferenceDigitsMatch=1",
        ]
    );
    let recorded = ConferenceEvent { recording: Some(&recording()), ..event };
    let keys = |lines: &[String]| {
        lines.iter().map(|line| line.split('=').next().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&told), keys(&lines(&recorded.parameters())));
    assert_eq!(
        lines(&event.action_parameters())[..4],
        ["ConferenceName=room", "ConferenceUUID=m-1", "ConferenceMemberID=7", "ConferenceDigitsMatch=1"]
    );
    let call = call();
    let stream = StreamEvent { status: StreamStatus::Dropped, at: after(0), stream_id: "s-1", call: &call };
    assert_eq!(
        lines(&stream.parameters()),
        [
            "Event=DroppedStream",
            "CallUUID=call-uuid",
            "StreamID=s-1",
            "Timestamp=2026-01-02 10:48:43+00:00",
            "From=sip:ann@h",
            "To=sip:room@h",
            "Direction=inbound",
        ]
    );
}

#[test]
fn a_message_tells_what_became_of_it() {
    let told = |status| lines(&MessageReport { uuid: "m-1", from: "1", to: "2", status }.parameters());
    let sent = ["MessageUUID=m-1", "From=1", "To=2", "Status=sent", "ErrorCode="];
    assert_eq!(told(MessageStatus::Sent), sent);
    assert_eq!(told(MessageStatus::Failed)[3..], ["Status=failed", "ErrorCode=900"]);
    assert_eq!(told(MessageStatus::Queued)[3], "Status=queued");
}
