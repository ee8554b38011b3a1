//! `<Conference>`, Plivo's conferences in which all are equal.

use mixminus_control::policy::{CoachVoice, Role};
use mixminus_control::{
    AutomaticRecording, ConferenceKind, ConferenceRecord, ConferenceRequest, OwnCallback,
    ParticipantCallback, ParticipantEvent, ParticipantRecord, RecordingCallback, RecordingTerms,
    RecordingTrack, Report,
};
use mixminus_plivo::callback::{ConferenceAction, ConferenceEvent, Parameters};
use mixminus_plivo::xml;

use super::join::{action, format, sound, transcript};
use super::resource::recording;

/// The request that `room` makes.
pub fn conference(room: xml::Conference) -> ConferenceRequest {
    let xml::Conference { callback, digits_match, floor_event, redirect: follow, .. } = room;
    let callback = callback.map(action);
    let recording = room.record.then(|| AutomaticRecording {
        terms: RecordingTerms {
            format: format(room.record_file_format),
            track: RecordingTrack::Mix,
            keeps_tracks: false,
            callback: callback.clone(),
            transcript: room.transcription.map(transcript),
        },
        min_participants: 1,
        participants_too: false,
        start_sound: None,
        stop_sound: None,
    });
    let own = |action| OwnCallback { action, digits: digits_match, tells_active_speaker: floor_event };
    ConferenceRequest {
        kind: ConferenceKind::Plain,
        name: room.name,
        role: Role::Agent,
        coach: false,
        mute: room.muted,
        hold: false,
        stay_alone: room.stay_alone,
        start_on_enter: room.start_conference_on_enter,
        end_on_exit: room.end_conference_on_exit,
        relay_digits: room.relay_dtmf,
        max_duration: room.time_limit,
        max_participants: room.max_members as usize,
        enter_sound: sound(room.enter_sound),
        exit_sound: sound(room.exit_sound),
        wait_music: room.wait_sound.map(action),
        agent_hold_music: None,
        customer_hold_music: None,
        wait_for_agent: false,
        max_wait: None,
        recording,
        status_callback: None,
        coach_voice: CoachVoice::default(),
        own_callback: callback.map(own),
        leave_on_star: room.hangup_on_star,
        stream: None,
        on_exit: room.action.map(|target| Report { action: action(target), follow }),
    }
}

/// What the callback of `told` says; it goes to the participant's own URL.
pub fn participant_callback_parameters(told: &ParticipantCallback) -> Parameters {
    let action = match &told.event {
        ParticipantEvent::Joined => ConferenceAction::Enter,
        ParticipantEvent::Left => ConferenceAction::Exit,
        ParticipantEvent::Digits(digits) => ConferenceAction::Digits(digits),
        ParticipantEvent::BecameActiveSpeaker => ConferenceAction::Floor,
    };
    let (uuid, call) = (told.conference.id.to_string(), told.participant.call.to_string());
    event(&told.conference.name, (&uuid, &call), &told.participant, action).parameters()
}

/// What its action is asked with after `left` has left `conference`.
pub fn left_parameters(conference: &ConferenceRecord, left: &ParticipantRecord) -> Parameters {
    let (uuid, call) = (conference.id.to_string(), left.call.to_string());
    event(&conference.name, (&uuid, &call), left, ConferenceAction::Exit).action_parameters()
}

fn event<'a>(
    name: &'a str,
    (uuid, call): (&'a str, &'a str),
    participant: &ParticipantRecord,
    action: ConferenceAction<'a>,
) -> ConferenceEvent<'a> {
    let (member_id, call_uuid) = (Some(participant.id.0), Some(call));
    ConferenceEvent { action, name, uuid, member_id, call_uuid, recording: None }
}

/// What is told of a recording that is over. It is nobody's alone, and names no member.
pub fn recorded_parameters(told: &RecordingCallback) -> Parameters {
    let recording = recording(&told.recording);
    ConferenceEvent {
        action: ConferenceAction::Record,
        name: recording.mpc_name.as_deref().unwrap_or_default(),
        uuid: &told.conference.to_string(),
        member_id: None,
        call_uuid: None,
        recording: Some(&recording),
    }
    .parameters()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mixminus_control::{
        Action, Fetch, FetchId, FetchPurpose, HttpMethod, Instruction, Introduction, News, RecordedFrom,
        RecordingEvent, RecordingFormat, RecordingId, RecordingRecord, Sound,
    };

    use super::super::{Means, document, fetch_parameters, recording_callback_parameters, samples};
    use super::*;

    fn post(path: &str) -> Action {
        Action { url: format!("http://127.0.0.1:9000{path}"), method: HttpMethod::Post }
    }

    fn joined(attributes: &str) -> ConferenceRequest {
        let xml = format!("<Response><Conference {attributes}>room</Conference></Response>");
        let read = document(xml.as_bytes(), &post("/").url, &Means::default()).unwrap();
        let [Instruction::Conference(request)] = &read.instructions[..] else { panic!("{read:?}") };
        (**request).clone()
    }

    #[test]
    fn an_older_conference_is_plain_silent_and_forgiving_unless_it_says_otherwise() {
        let plain = joined("");
        assert_eq!((plain.kind, plain.name.as_str()), (ConferenceKind::Plain, "room"));
        assert_eq!(
            (&plain.enter_sound, &plain.exit_sound, plain.wait_music),
            (&Sound::None, &Sound::None, None)
        );
        assert!(plain.stay_alone && plain.start_on_enter && plain.relay_digits);
        assert!(!plain.mute && !plain.end_on_exit && !plain.leave_on_star);
        assert_eq!((plain.max_duration, plain.max_participants), (Duration::from_hours(24), 20));
        assert_eq!((plain.recording, plain.own_callback, plain.on_exit), (None, None, None));
    }

    #[test]
    fn every_attribute_of_an_older_conference_counts() {
        let full = joined(
            "muted='true' enterSound='beep:1' exitSound='/bye' maxMembers='3' timeLimit='60' hangupOnStar='true' \
             stayAlone='false' startConferenceOnEnter='false' endConferenceOnExit='true' waitSound='/wait' \
             record='true' recordFileFormat='wav' action='/next' redirect='false' callbackUrl='/told' \
             digitsMatch='1,22' floorEvent='true' relayDTMF='false'",
        );
        assert!(full.mute && full.end_on_exit && full.leave_on_star);
        assert!(!full.stay_alone && !full.start_on_enter && !full.relay_digits);
        assert_eq!((full.max_duration, full.max_participants), (Duration::from_mins(1), 3));
        assert_eq!((full.enter_sound, full.exit_sound), (Sound::Beep1, Sound::Url(post("/bye"))));
        assert_eq!(full.wait_music, Some(post("/wait")));
        let terms = full.recording.unwrap().terms;
        assert_eq!((terms.format, terms.callback), (RecordingFormat::Wav, Some(post("/told"))));
        let digits = vec!["1".into(), "22".into()];
        let own = OwnCallback { action: post("/told"), digits, tells_active_speaker: true };
        assert_eq!(full.own_callback, Some(own));
        assert_eq!(full.on_exit, Some(Report { action: post("/next"), follow: false }));
    }

    fn value<'a>(parameters: &'a Parameters, key: &str) -> Option<&'a str> {
        parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn room() -> ConferenceRecord {
        ConferenceRecord { kind: ConferenceKind::Plain, ..samples::conference() }
    }

    #[test]
    fn what_happens_to_a_member_is_told_in_plivos_words() {
        for (event, action, digits) in [
            (ParticipantEvent::Joined, "enter", ""),
            (ParticipantEvent::Left, "exit", ""),
            (ParticipantEvent::Digits("22".into()), "digits", "22"),
            (ParticipantEvent::BecameActiveSpeaker, "floor", ""),
        ] {
            let told = participant_callback_parameters(&ParticipantCallback {
                url: post("/told").url,
                method: HttpMethod::Post,
                event,
                at: samples::second(3),
                sequence: 4,
                conference: room(),
                participant: samples::participant(),
            });
            for (key, expected) in [
                ("ConferenceAction", action),
                ("ConferenceName", "my room"),
                ("ConferenceUUID", "00000000-0000-0000-0000-000000000001"),
                ("ConferenceMemberID", "355"),
                ("CallUUID", "00000000-0000-0000-0000-000000000002"),
                ("ConferenceDigitsMatch", digits),
                ("RecordUrl", ""),
            ] {
                assert_eq!(value(&told, key), Some(expected), "{key}");
            }
        }
    }

    #[test]
    fn the_recording_of_an_older_conference_is_told_as_a_whole() {
        let of = RecordedFrom {
            conference: Some((room().id, room().name)),
            participant: None,
            call: None,
            from: String::new(),
            to: String::new(),
        };
        let kind = (RecordingFormat::Wav, RecordingTrack::Mix);
        let mut recording =
            RecordingRecord::begin(RecordingId(room().id.0), room().account, of, kind, samples::second(0));
        recording.ended_at = Some(samples::second(2));
        recording.duration = std::time::Duration::from_secs(2);
        let told = RecordingCallback {
            url: post("/told").url,
            method: HttpMethod::Post,
            event: RecordingEvent::Completed,
            at: samples::second(2),
            sequence: 2,
            conference: room().id,
            kind: ConferenceKind::Plain,
            recording,
        };
        let told = recording_callback_parameters(&told, "http://h");
        for (key, expected) in [
            ("ConferenceAction", "record"),
            ("ConferenceName", "my room"),
            ("ConferenceMemberID", ""),
            ("RecordingID", "00000000-0000-0000-0000-000000000001"),
            ("RecordingDuration", "2"),
        ] {
            assert_eq!(value(&told, key), Some(expected), "{key}");
        }
        assert_eq!(value(&told, "EventName"), None);
    }

    #[test]
    fn the_action_of_an_older_conference_is_asked_with_what_was_left() {
        let news = News::Left(Box::new((room(), samples::participant())));
        let asked = fetch_parameters(&Fetch {
            id: FetchId(1),
            call: samples::call(),
            introduction: Introduction::default(),
            purpose: FetchPurpose::Action,
            action: post("/next"),
            fallback: None,
            news: Some(news),
            answerer: None,
        });
        assert_eq!(value(&asked, "ConferenceName"), Some("my room"));
        assert_eq!(value(&asked, "ConferenceMemberID"), Some("355"));
        assert_eq!((value(&asked, "MPCUUID"), value(&asked, "ConferenceAction")), (None, None));
        assert_eq!(asked.iter().filter(|(key, _)| key == "CallUUID").count(), 1, "as the call's own");
    }
}
