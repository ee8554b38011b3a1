//! REST requests as commands.

use std::time::Duration;

use mixminus_control::{
    CallChange, CallId, CallUrls, Calls, Command, Confirm, Destination, DialMusic, DialTerms, HttpMethod,
    Invitation, Invited, MachineDetection, Parent, PlayKind, Playback, PromptContent, Prosody, RecordingId,
    RecordingTerms, RecordingTrack, Repeat,
};
use mixminus_plivo::rest::{
    self, AddParticipant, CallPlay, CallRecord, CallSpeak, MakeCall, MpcRecord, Outbound, Party, SendDigits,
    Speech, TrackType, Transfer,
};
use mixminus_plivo::{Gender, SipHeaders, Voice};

use super::join::{CONFIRM_TIMEOUT, action, conference, digits, format, to_url, transcript};

/// The invitation that `request` is; none if its call is no uuid.
pub fn invitation(request: AddParticipant) -> Option<Invitation> {
    let AddParticipant { party, mpc, create_mpc_with_single_participant: creates } = request;
    let invited = match party {
        Party::Existing { call_uuid } => Invited::Call(call_id(&call_uuid)?),
        Party::Called(outbound) => called(*outbound),
    };
    Some(Invitation { invited, request: conference(mpc), creates })
}

fn called(outbound: Outbound) -> Invited {
    let keys = Some(digits(&outbound.send_digits)).filter(|digits| !digits.is_empty());
    let headers = sip_headers(&outbound.sip_headers);
    let destination = |attempt: rest::Attempt| Destination {
        address: attempt.to.as_str().to_owned(),
        ring_timeout: attempt.ring_timeout,
        ring_limit: None,
        delay: attempt.delay,
        digits: keys.clone(),
        digits_early: outbound.send_on_preanswer,
        headers: headers.clone(),
        credentials: None,
    };
    let terms = DialTerms {
        from: outbound.from,
        caller_name: Some(outbound.caller_name),
        confirm: outbound.confirm.map(|confirm| Confirm {
            key: Some(confirm.key),
            sound: confirm.sound.map(action),
            timeout: CONFIRM_TIMEOUT,
        }),
        music: match outbound.dial_music {
            rest::DialMusic::Real => DialMusic::Callee,
            rest::DialMusic::None => DialMusic::None,
            rest::DialMusic::Url(url) => {
                DialMusic::Url(mixminus_control::Action { url, method: HttpMethod::Get })
            }
        },
        progress: outbound.call_status_callback.map(action),
        machine: None,
    };
    Invited::Dialled(outbound.attempts.into_iter().map(destination).collect(), terms)
}

/// The calls that `request` makes; none if the parent that it needs can be no call.
pub fn calls(request: MakeCall) -> Option<Calls> {
    let required = request.error_if_parent_not_found;
    // A parent is kept of a single call only.
    let parent = request.parent_call_uuid.filter(|_| request.to.len() == 1);
    let parent = match parent.map(|uuid| call_id(&uuid)) {
        Some(None) if required => return None,
        parent => parent.flatten().map(|call| Parent { call, required }),
    };
    let keys = Some(digits(&request.send_digits)).filter(|digits| !digits.is_empty());
    let headers = sip_headers(&request.sip_headers);
    let destinations = request.to.iter().map(|to| Destination {
        address: to.as_str().to_owned(),
        ring_timeout: request.ring_timeout,
        ring_limit: request.hangup_on_ring,
        delay: Duration::ZERO,
        digits: keys.clone(),
        digits_early: request.send_on_preanswer,
        headers: headers.clone(),
        credentials: None,
    });
    let answer = action(request.answer);
    // Whoever asks for nothing else is told the end where the call was answered.
    let hangup = request.hangup.map_or_else(|| answer.clone(), action);
    Some(Calls {
        destinations: destinations.collect(),
        from: request.from,
        caller_name: request.caller_name,
        answer,
        urls: CallUrls {
            fallback: request.fallback.map(action),
            ring: request.ring.map(action),
            hangup: Some(hangup),
            progress: None,
        },
        time_limit: request.time_limit,
        parent,
        machine: request.machine_detection.map(|detection| Box::new(machine(detection))),
    })
}

fn machine(detection: rest::MachineDetection) -> MachineDetection {
    MachineDetection {
        hang_up: detection.hangup,
        callback: detection.callback.map(action),
        time: detection.time,
        initial_silence: detection.initial_silence,
        max_greeting: detection.initial_greeting,
        max_talkspurt: detection.maximum_speech_length,
        max_talkspurts: detection.maximum_words,
        silence: detection.silence,
    }
}

/// As they stand in the INVITE.
pub(super) fn sip_headers(headers: &SipHeaders) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (format!("X-PH-{name}"), value.clone())).collect()
}

/// The call of that uuid; none if it is no uuid.
pub fn call_id(uuid: &str) -> Option<CallId> {
    uuid.parse().ok().map(CallId)
}

/// What `request` changes of a call.
pub fn transfer(request: Transfer) -> CallChange {
    CallChange::Transfer { this: request.aleg.map(action), other: request.bleg.map(action) }
}

/// What `request` lets a call hear.
pub fn play(request: CallPlay) -> CallChange {
    CallChange::Play {
        playback: Playback {
            content: PromptContent::Several(request.urls.into_iter().map(PromptContent::File).collect()),
            repeat: repeat(request.repeat),
            length: request.length,
        },
        legs: legs(request.legs),
        mixed: request.mix,
        kind: PlayKind::File,
    }
}

/// What `request` lets a call hear.
pub fn speak(request: CallSpeak) -> CallChange {
    CallChange::Play {
        playback: Playback {
            content: speech(request.speech.text, request.speech.voice),
            repeat: repeat(request.repeat),
            length: None,
        },
        legs: legs(request.legs),
        mixed: request.speech.mix,
        kind: PlayKind::Speech,
    }
}

/// What `request` sends to a call.
pub fn send_digits(request: &SendDigits) -> CallChange {
    CallChange::SendDigits(digits(&request.keys), legs(request.legs))
}

/// What members hear of `request`.
pub fn said(request: Speech) -> PromptContent {
    speech(request.text, request.voice)
}

fn speech(text: String, voice: Voice) -> PromptContent {
    let name = match (voice.polly, voice.gender) {
        (Some(name), _) => format!("Polly.{name}"),
        (None, Gender::Female) => "WOMAN".to_owned(),
        (None, Gender::Male) => "MAN".to_owned(),
    };
    let (language, prosody) = (voice.language.to_owned(), Prosody::default());
    PromptContent::Speech { text, voice: name, language, prosody }
}

const fn repeat(forever: bool) -> Repeat {
    if forever { Repeat::Forever } else { Repeat::Times(1) }
}

const fn legs(legs: rest::Legs) -> mixminus_control::Legs {
    match legs {
        rest::Legs::Aleg => mixminus_control::Legs::This,
        rest::Legs::Bleg => mixminus_control::Legs::Other,
        rest::Legs::Both => mixminus_control::Legs::Both,
    }
}

/// The cancellation of the request of that uuid; none if it is no uuid.
pub fn cancel(uuid: &str) -> Option<Command> {
    uuid.parse().ok().map(|uuid| Command::Cancel(mixminus_control::PlacementId(uuid)))
}

/// How `request` records.
pub fn recording_terms(request: &MpcRecord) -> RecordingTerms {
    RecordingTerms {
        format: format(request.file_format),
        track: match request.track_type {
            TrackType::All | TrackType::Both => RecordingTrack::Channels,
            TrackType::Participant => RecordingTrack::Party,
        },
        keeps_tracks: request.track_type == TrackType::Both,
        callback: request.callback.clone().map(action),
        transcript: request.transcript.then(|| to_url(request.transcription_url.clone())),
    }
}

/// How `request` records a call.
pub fn record_call(request: CallRecord) -> CallChange {
    let terms = RecordingTerms {
        format: format(request.file_format),
        track: if request.stereo { RecordingTrack::Channels } else { RecordingTrack::Mix },
        keeps_tracks: false,
        callback: request.callback.map(action),
        transcript: request.transcription.map(transcript),
    };
    CallChange::Record(terms, request.time_limit)
}

/// The end of the recording that is found at `url`, or of all; none if nothing is found there.
pub fn stop_recording(url: Option<&str>) -> Option<CallChange> {
    let id = |url: &str| {
        let (_, file) = url.rsplit_once("/Recording/")?;
        file.split(['.', '/', '?']).next()?.parse().ok().map(RecordingId)
    };
    url.map_or(Some(None), |url| id(url).map(Some)).map(CallChange::StopRecording)
}

#[cfg(test)]
mod tests {
    use mixminus_control::TranscriptTerms;
    use mixminus_plivo::FileFormat;

    use super::*;

    #[test]
    fn both_tracks_of_a_participant_are_one_recording() {
        let terms = |track_type| {
            let terms = recording_terms(&MpcRecord {
                file_format: FileFormat::Mp3,
                callback: None,
                transcript: false,
                transcription_url: None,
                track_type,
            });
            (terms.track, terms.keeps_tracks)
        };
        assert_eq!(terms(TrackType::All), (RecordingTrack::Channels, false));
        assert_eq!(terms(TrackType::Participant), (RecordingTrack::Party, false));
        assert_eq!(terms(TrackType::Both), (RecordingTrack::Channels, true));
    }

    #[test]
    fn what_a_request_records_is_transcribed_if_it_asks_for_that() {
        let read =
            |body: &str| rest::Arguments::from_body(Some("application/json"), body.as_bytes()).unwrap();
        let told = |url: &str, method| {
            Some(TranscriptTerms { callback: Some(mixminus_control::Action { url: url.into(), method }) })
        };
        let of_mpc = |body| recording_terms(&MpcRecord::parse(&read(body)).unwrap()).transcript;
        assert_eq!(of_mpc(r#"{"transcription_url":"http://h/t"}"#), None, "as the Python SDK says it");
        assert_eq!(of_mpc(r#"{"transcript":true}"#), Some(TranscriptTerms::default()));
        let both = r#"{"transcript":true,"transcription_url":"http://h/t"}"#;
        assert_eq!(of_mpc(both), told("http://h/t", HttpMethod::Post));
        let of_call = |body| match record_call(CallRecord::parse(&read(body)).unwrap()) {
            CallChange::Record(terms, _) => terms.transcript,
            other => panic!("{other:?}"),
        };
        assert_eq!(of_call("{}"), None);
        let get = r#"{"transcription_url":"http://h/t","transcription_method":"GET"}"#;
        assert_eq!(of_call(get), told("http://h/t", HttpMethod::Get));
    }

    #[test]
    fn the_recording_to_end_is_named_by_its_url() {
        let id = "00000000-0000-0000-0000-000000000007";
        let stop = |id| Some(CallChange::StopRecording(id));
        let known = stop(Some(RecordingId(id.parse().unwrap())));
        for end in [".mp3", ".wav?expires=1", "/"] {
            assert_eq!(stop_recording(Some(&format!("https://h/v1/Account/MA/Recording/{id}{end}"))), known);
        }
        assert_eq!(stop_recording(None), stop(None), "all that go on");
        for elsewhere in ["https://h/x.mp3", "https://h/Recording/x.mp3"] {
            assert_eq!(stop_recording(Some(elsewhere)), None);
        }
    }
}
