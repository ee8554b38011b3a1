//! The requests made to a customer's URLs.

use mixminus_control::{
    Answerer, CallCallback, CallEvent, CallRecord, CallState, CallbackEvent, CollectKind, Collected,
    ConferenceEvent, ConferenceKind, ConferenceRecord, ConnectionEnd, DialStep, Dialled, Entry, Fetch,
    FetchPurpose, HangupCause, HttpMethod, Introduction, Likelihood, News, ParticipantRecord, PressedDigits,
    RecordReport, RecordingCallback, RecordingEvent, RecordingRecord, StreamEvent, Understood, Verification,
};
use mixminus_plivo::callback::{
    self, AddParticipantOutcome, Called, DialAction, DialEvent, DialOutcome, DialStatus, Input, InputType,
    InterimSpeech, MessageReport, MessageStatus, Parameters, RecordOutcome, RecordingEventName, StatusEvent,
    StreamStatus, TranscriptOutcome, call_parameters, digits_parameters, exit_parameters,
};
use mixminus_plivo::{Call, CallStatus, ExitCause, Request, StirVerification};
use uuid::Uuid;

use super::plain;
use super::resource::recording;
use super::rest::{instant, mpc, participant};
use super::words;

/// What the callback of `event` says; it goes to the event's own URL.
pub fn callback_parameters(event: &CallbackEvent) -> Parameters {
    let conference = mpc(&event.conference);
    let subject = event.subject.as_ref().map(|subject| {
        let inside = subject.participant.as_ref().map(participant);
        (inside, call(&subject.call), words::role(subject.role))
    });
    let mut status = StatusEvent {
        name: words::event_name(event.event),
        at: instant(event.at),
        sequence: event.sequence,
        mpc: &conference,
        participant: None,
        called: None,
        digit: None,
        outcome: None,
    };
    match &subject {
        Some((Some(inside), call, _)) => status.participant = Some((inside, call)),
        Some((None, call, role)) => {
            let left = event.event == ConferenceEvent::Left;
            let left = left.then_some((status.at, ExitCause::CallHangup));
            status.called = Some(Called { call, role: *role, left });
        }
        None => {}
    }
    match event.event {
        ConferenceEvent::Digit(digit) => status.digit = Some(digit),
        ConferenceEvent::InvitationEnded { joined: true } => {
            status.outcome = Some(AddParticipantOutcome::Success);
        }
        ConferenceEvent::InvitationEnded { joined: false } => {
            status.outcome = Some(AddParticipantOutcome::Failure);
        }
        _ => {}
    }
    status.parameters()
}

/// What the request for the document of `fetch` says.
pub fn fetch_parameters(fetch: &Fetch) -> Parameters {
    let event = match fetch.purpose {
        FetchPurpose::Answer => "StartApp",
        FetchPurpose::Action | FetchPurpose::Transfer | FetchPurpose::Redirect => "Redirect",
    };
    let mut parameters = introduced_parameters(&fetch.call, event, &fetch.introduction);
    parameters.extend(answerer_parameters(fetch.answerer));
    match &fetch.news {
        Some(News::Left(left)) => parameters.extend(left_parameters(&left.0, &left.1)),
        Some(News::Collected(collected)) => parameters.extend(input_parameters(collected)),
        Some(News::Dialled(dialled)) => parameters.extend(dial_parameters(&fetch.call, dialled)),
        Some(News::Recorded(report)) => parameters.extend(record_parameters(report)),
        None => {}
    }
    parameters
}

/// What the callback of a call's `event` says; it goes to the event's own URL.
pub fn call_callback_parameters(callback: &CallCallback) -> Parameters {
    let (event, news) = match &callback.event {
        CallEvent::Streamed(event, stream) => {
            let status = match event {
                StreamEvent::Started => StreamStatus::Started,
                StreamEvent::Stopped => StreamStatus::Stopped,
                StreamEvent::Dropped => StreamStatus::Dropped,
                StreamEvent::Degraded => StreamStatus::Degraded,
            };
            let (at, stream_id, call) = (instant(callback.at), stream.id.to_string(), call(&callback.call));
            let told = callback::StreamEvent { status, at, stream_id: &stream_id, call: &call };
            return told.parameters();
        }
        CallEvent::Ringing => ("Ring", Parameters::new()),
        CallEvent::Answered => ("Answer", Parameters::new()),
        CallEvent::Ended => ("Hangup", Parameters::new()),
        CallEvent::Collected(collected) => ("Redirect", input_parameters(collected)),
        CallEvent::Understood(understood) => ("SpeechInterimResult", interim_parameters(understood)),
        CallEvent::Dialled(dialled) => ("Redirect", dial_parameters(&callback.call, dialled)),
        CallEvent::Left(left) => ("Redirect", left_parameters(&left.0, &left.1)),
        CallEvent::Recorded(record) => {
            let recording = recording(record);
            ("Record", RecordOutcome { recording: &recording, digit: None }.callback_parameters())
        }
        CallEvent::RecordReported(report) => ("Redirect", record_parameters(report)),
        CallEvent::DialStep(step, callee) => ("Dial", step_parameters(&callback.call, *step, callee)),
        CallEvent::AnsweredBy { ends_machines } => {
            let then = if *ends_machines { "hangup" } else { "continue" };
            ("MachineDetection", vec![("IfMachine".to_owned(), then.to_owned())])
        }
        CallEvent::Pressed(pressed) => ("Dial", pressed_parameters(&callback.call, pressed)),
    };
    let mut parameters = introduced_parameters(&callback.call, event, &callback.introduction);
    parameters.extend(answerer_parameters(callback.answerer));
    parameters.extend(news);
    parameters
}

/// What is told of a call and of what it brought.
fn introduced_parameters(record: &CallRecord, event: &str, introduction: &Introduction) -> Parameters {
    let verified = introduction.verification.map(|verification| match verification {
        Verification::Passed => StirVerification::Verified,
        Verification::NotPassed => StirVerification::NotVerified,
    });
    let forwarded_from = introduction.diverted_by.clone();
    let call = Call { forwarded_from, stir_verification: verified, ..call(record) };
    call_parameters(&call, event, &introduction.headers)
}

/// What is told of a call whose answerer was to be found out, once that is certain.
fn answerer_parameters(answerer: Option<Answerer>) -> Parameters {
    let machine = answerer.map(|answerer| (answerer == Answerer::Machine).to_string());
    machine.map(|machine| ("Machine".to_owned(), machine)).into_iter().collect()
}

/// What the callback of a recording's `event` says; `api_url` is where the API is reached.
pub fn recording_callback_parameters(event: &RecordingCallback, api_url: &str) -> Parameters {
    if event.kind == ConferenceKind::Plain {
        return plain::recorded_parameters(event);
    }
    let name = match event.event {
        RecordingEvent::Initiated => RecordingEventName::Initiated,
        RecordingEvent::Paused => RecordingEventName::Paused,
        RecordingEvent::Resumed => RecordingEventName::Resumed,
        RecordingEvent::Completed => RecordingEventName::Completed,
        RecordingEvent::Failed => RecordingEventName::Failed,
    };
    let (at, recording) = (instant(event.at), &recording(&event.recording));
    let told =
        mixminus_plivo::callback::RecordingEvent { name, at, sequence: event.sequence, recording, api_url };
    told.parameters()
}

fn left_parameters(conference: &ConferenceRecord, left: &ParticipantRecord) -> Parameters {
    match conference.kind {
        ConferenceKind::Supervised => exit_parameters(&mpc(conference), &participant(left)),
        ConferenceKind::Plain => plain::left_parameters(conference, left),
    }
}

fn input_parameters(collected: &Collected) -> Parameters {
    match (collected.kind, &collected.entry) {
        (CollectKind::Digits, Entry::Digits(digits)) => digits_parameters(digits),
        (CollectKind::Input, Entry::Digits(digits)) => {
            Input { kind: InputType::Dtmf, digits, speech: "", confidence: None }.parameters()
        }
        (_, Entry::Speech { text, confidence }) => {
            let confidence = confidence.map(Likelihood::share);
            Input { kind: InputType::Speech, digits: "", speech: text, confidence }.parameters()
        }
    }
}

fn record_parameters(report: &RecordReport) -> Parameters {
    RecordOutcome { recording: &recording(&report.recording), digit: report.digit }.action_parameters()
}

fn interim_parameters(understood: &Understood) -> Parameters {
    let Understood { stable, unstable, stability, sequence } = understood;
    InterimSpeech { stable, unstable, stability: stability.share(), sequence: *sequence }.parameters()
}

fn dial_parameters(caller: &CallRecord, dialled: &Dialled) -> Parameters {
    let callee = &dialled.callee;
    let status = match callee.state {
        CallState::Busy => DialStatus::Busy,
        CallState::NoAnswer if callee.hangup_cause == Some(HangupCause::RingTimeout) => DialStatus::Timeout,
        CallState::NoAnswer => DialStatus::NoAnswer,
        CallState::Canceled => DialStatus::Cancel,
        CallState::Completed | CallState::InProgress => DialStatus::Completed,
        CallState::Failed | CallState::Queued | CallState::Ringing => DialStatus::Failed,
    };
    let (a_leg, b_leg) = (caller.id.to_string(), callee.id.to_string());
    let cause = callee.hangup_cause.map(words::hangup_cause);
    DialOutcome { status, rang: dialled.rang, cause, a_leg: &a_leg, b_leg: Some(&b_leg) }.parameters()
}

fn step_parameters(caller: &CallRecord, step: DialStep, callee: &CallRecord) -> Parameters {
    let action = match step {
        DialStep::Answered => DialAction::Answer,
        DialStep::Connected => DialAction::Connected,
        DialStep::Ended => DialAction::Hangup,
    };
    DialEvent { action, a_leg: &caller.id.to_string(), b_leg: &call(callee) }.parameters()
}

fn pressed_parameters(caller: &CallRecord, pressed: &PressedDigits) -> Parameters {
    let by_b_leg = pressed.by == ConnectionEnd::Callee;
    let action = DialAction::Digits { digits: &pressed.digits, by_b_leg };
    DialEvent { action, a_leg: &caller.id.to_string(), b_leg: &call(&pressed.callee) }.parameters()
}

/// What the callback of a message between `from` and `to` says.
pub fn message_parameters(id: Uuid, (from, to): (&str, &str), status: MessageStatus) -> Parameters {
    MessageReport { uuid: &id.to_string(), from, to, status }.parameters()
}

/// What the callback of a transcript of `record` says: the text, or why there is none.
pub fn transcript_parameters(record: &RecordingRecord, text: Result<&str, &str>) -> Parameters {
    TranscriptOutcome { recording: &recording(record), text }.parameters()
}

/// The request of `url`, ready to be signed.
pub fn request(url: &str, method: HttpMethod, parameters: Parameters) -> Request {
    Request { url: url.to_owned(), method: words::method(method), parameters }
}

/// What Plivo knows of the call.
pub fn call(record: &CallRecord) -> Call {
    Call {
        uuid: record.id.to_string(),
        account: record.account.0.clone(),
        from: record.from.clone(),
        to: record.to.clone(),
        direction: words::direction(record.direction),
        status: match record.hangup_cause {
            Some(HangupCause::RingTimeout) => CallStatus::Timeout,
            _ => words::call_status(record.state),
        },
        created_at: instant(record.created_at),
        answered_at: record.answered_at.map(instant),
        ended_at: record.ended_at.map(instant),
        hangup: record
            .hangup_cause
            .zip(record.hangup_source)
            .map(|(cause, source)| (words::hangup_cause(cause), words::hangup_source(source))),
        caller_name: record.caller_name.clone(),
        request_uuid: record.placement.map(|placement| placement.to_string()),
        parent_uuid: record.parent.map(|parent| parent.to_string()),
        forwarded_from: None,
        stir_verification: None,
    }
}

#[cfg(test)]
mod tests {
    use mixminus_control::{
        Action, FetchId, HangupSource, ParticipantRecord, RecordedFrom, RecordingFormat, RecordingId,
        RecordingRecord, RecordingState, RecordingTrack,
    };
    use std::time::Duration;

    use mixminus_plivo::Method;
    use uuid::Uuid;

    use super::super::samples;
    use super::*;

    fn value<'a>(parameters: &'a Parameters, key: &str) -> Option<&'a str> {
        parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn event(event: ConferenceEvent) -> Parameters {
        callback_parameters(&CallbackEvent {
            url: "http://h/s".into(),
            method: HttpMethod::Post,
            event,
            at: samples::second(3),
            sequence: 4,
            conference: samples::conference(),
            subject: Some(samples::subject()),
        })
    }

    fn fetch(purpose: FetchPurpose) -> Fetch {
        let left = ParticipantRecord { left_at: Some(samples::second(5)), ..samples::participant() };
        Fetch {
            id: FetchId(1),
            call: samples::call(),
            introduction: Introduction {
                headers: vec![("X-PH-Order".into(), "7".into())],
                diverted_by: Some("+1415".into()),
                verification: Some(Verification::NotPassed),
            },
            purpose,
            action: Action { url: "http://h/answer".into(), method: HttpMethod::Post },
            fallback: None,
            news: (purpose == FetchPurpose::Action)
                .then(|| News::Left(Box::new((samples::conference(), left)))),
            answerer: None,
        }
    }

    #[test]
    fn every_event_has_its_name() {
        use ConferenceEvent as Event;
        for (happened, name) in [
            (Event::Initialized, "MPCInitialized"),
            (Event::Started, "MPCStart"),
            (Event::Ended, "MPCEnd"),
            (Event::Joined, "ParticipantJoin"),
            (Event::Left, "ParticipantExit"),
            (Event::Muted, "ParticipantMute"),
            (Event::Unmuted, "ParticipantUnmute"),
            (Event::Held, "ParticipantHold"),
            (Event::Resumed, "ParticipantUnhold"),
            (Event::CoachStarted, "ParticipantCoachModeStart"),
            (Event::CoachStopped, "ParticipantCoachModeStop"),
            (Event::TalkStarted, "ParticipantSpeakStart"),
            (Event::TalkStopped, "ParticipantSpeakStop"),
            (Event::Digit('5'), "ParticipantDigitInput"),
        ] {
            assert_eq!(value(&event(happened), "EventName"), Some(name));
        }
    }

    #[test]
    fn a_callback_tells_event_conference_participant_and_call() {
        let parameters = event(ConferenceEvent::Digit('5'));
        for (key, expected) in [
            ("EventTimestamp", "2026-01-02 10:48:46+00:00"),
            ("SequenceNumber", "4"),
            ("MPCUUID", "00000000-0000-0000-0000-000000000001"),
            ("MPCName", "my room"),
            ("MemberID", "355"),
            ("ParticipantRole", "Supervisor"),
            ("ParticipantCallUUID", "00000000-0000-0000-0000-000000000002"),
            ("ParticipantCallFrom", "sip:ann@h"),
            ("ParticipantCallDirection", "inbound"),
            ("ParticipantCoachMode", "true"),
            ("DigitInput", "5"),
        ] {
            assert_eq!(value(&parameters, key), Some(expected), "{key}");
        }
        assert_eq!(parameters.len(), 27);
    }

    #[test]
    fn a_document_is_asked_for_in_the_name_of_the_call() {
        let answer = fetch_parameters(&fetch(FetchPurpose::Answer));
        for (key, expected) in [
            ("CallUUID", "00000000-0000-0000-0000-000000000002"),
            ("CallStatus", "in-progress"),
            ("Event", "StartApp"),
            ("ParentAuthID", "MAXXXXXXXXXXXXXXXXXX"),
            ("X-PH-Order", "7"),
            ("ForwardedFrom", "+1415"),
            ("STIRVerification", "Not Verified"),
        ] {
            assert_eq!(value(&answer, key), Some(expected), "{key}");
        }
        assert_eq!(value(&answer, "MPCUUID"), None);
        assert_eq!(value(&answer, "HangupCause"), None);
        let redirect = fetch_parameters(&fetch(FetchPurpose::Redirect));
        assert_eq!(value(&redirect, "Event"), Some("Redirect"));
    }

    #[test]
    fn after_a_conference_the_document_is_asked_for_with_what_was_left() {
        let exit = fetch_parameters(&fetch(FetchPurpose::Action));
        for (key, expected) in [
            ("CallUUID", "00000000-0000-0000-0000-000000000002"),
            ("MPCFriendlyName", "my room"),
            ("MemberID", "355"),
            ("ParticipantEndTime", "2026-01-02 10:48:48+00:00"),
        ] {
            assert_eq!(value(&exit, key), Some(expected), "{key}");
        }
    }

    fn recorded(state: RecordingState) -> RecordingRecord {
        let (id, call) = (RecordingId(Uuid::from_u128(7)), samples::call());
        let of = RecordedFrom {
            conference: None,
            participant: None,
            call: Some(call.id),
            from: call.from,
            to: call.to,
        };
        let kind = (RecordingFormat::Wav, RecordingTrack::Party);
        let begun = RecordingRecord::begin(id, call.account, of, kind, samples::second(1));
        let (ended_at, duration) = (Some(samples::second(4)), Duration::from_millis(2_980));
        RecordingRecord { state, ended_at, duration, url: "http://h/7.wav".into(), ..begun }
    }

    #[test]
    fn what_was_recorded_is_told_with_the_key_that_ended_it() {
        let report = RecordReport { recording: recorded(RecordingState::Recording), digit: Some('#') };
        let news = Some(News::Recorded(Box::new(report)));
        let action = fetch_parameters(&Fetch { news, ..fetch(FetchPurpose::Redirect) });
        for (key, expected) in [
            ("CallUUID", "00000000-0000-0000-0000-000000000002"),
            ("RecordUrl", "http://h/7.wav"),
            ("RecordingID", "00000000-0000-0000-0000-000000000007"),
            ("RecordingDuration", "2"),
            ("RecordingDurationMs", "2980"),
            ("Digits", "#"),
        ] {
            assert_eq!(value(&action, key), Some(expected), "{key}");
        }
    }

    #[test]
    fn a_recording_that_failed_is_nowhere() {
        let event = RecordingCallback {
            url: "http://h/s".into(),
            method: HttpMethod::Post,
            event: RecordingEvent::Failed,
            at: samples::second(5),
            sequence: 9,
            conference: samples::conference().id,
            kind: ConferenceKind::Supervised,
            recording: recorded(RecordingState::Failed),
        };
        let parameters = recording_callback_parameters(&event, "http://api");
        assert_eq!(value(&parameters, "EventName"), Some("MPCRecordingFailed"));
        assert_eq!(value(&parameters, "RecordingURL"), Some(""));
    }

    #[test]
    fn digits_of_either_leg_are_told_as_the_dial_names_them() {
        for (by, name) in [(ConnectionEnd::Caller, "ALeg"), (ConnectionEnd::Callee, "BLeg")] {
            let pressed = PressedDigits { digits: "*1".into(), by, callee: samples::call() };
            let parameters = call_callback_parameters(&CallCallback {
                url: "http://h/d".into(),
                method: HttpMethod::Post,
                event: CallEvent::Pressed(Box::new(pressed)),
                at: samples::second(3),
                sequence: 1,
                call: samples::call(),
                introduction: Introduction::default(),
                answerer: None,
            });
            for (key, expected) in [
                ("Event", "Dial"),
                ("DialAction", "digits"),
                ("DialDigitsMatch", "*1"),
                ("DialDigitsPressedBy", name),
            ] {
                assert_eq!(value(&parameters, key), Some(expected), "{key}");
            }
        }
    }

    #[test]
    fn who_answered_is_told_at_once_and_with_all_that_follows() {
        for (answerer, machine) in
            [(Answerer::Machine, "true"), (Answerer::Person, "false"), (Answerer::Unknown, "false")]
        {
            let told = |event| {
                call_callback_parameters(&CallCallback {
                    url: "http://h/m".into(),
                    method: HttpMethod::Post,
                    event,
                    at: samples::second(3),
                    sequence: 1,
                    call: samples::call(),
                    introduction: Introduction::default(),
                    answerer: Some(answerer),
                })
            };
            let detected = told(CallEvent::AnsweredBy { ends_machines: true });
            for (key, expected) in
                [("Event", "MachineDetection"), ("IfMachine", "hangup"), ("Machine", machine)]
            {
                assert_eq!(value(&detected, key), Some(expected), "{key}");
            }
            assert_eq!(value(&told(CallEvent::Ended), "Machine"), Some(machine));
            let fetch = Fetch { answerer: Some(answerer), ..fetch(FetchPurpose::Answer) };
            assert_eq!(value(&fetch_parameters(&fetch), "Machine"), Some(machine));
        }
        assert_eq!(value(&fetch_parameters(&fetch(FetchPurpose::Answer)), "Machine"), None);
    }

    #[test]
    fn an_ended_call_tells_its_cause() {
        let ended = CallRecord {
            ended_at: Some(samples::second(9)),
            hangup_cause: Some(HangupCause::Kicked),
            hangup_source: Some(HangupSource::ApiRequest),
            ..samples::call()
        };
        let parameters = fetch_parameters(&Fetch { call: ended, ..fetch(FetchPurpose::Redirect) });
        assert_eq!(value(&parameters, "HangupCauseCode"), Some("4030"));
        assert_eq!(value(&parameters, "HangupSource"), Some("API Request"));
    }

    #[test]
    fn a_request_is_what_is_signed() {
        let parameters = vec![("b".to_owned(), "2".to_owned())];
        for (ours, method) in [(HttpMethod::Get, Method::Get), (HttpMethod::Post, Method::Post)] {
            let expected = Request { method, url: "http://h/s".into(), parameters: parameters.clone() };
            assert_eq!(request("http://h/s", ours, parameters.clone()), expected);
        }
    }
}
