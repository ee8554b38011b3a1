//! How calls join an MPC, from a document or a request, as the domain says it.

use std::collections::BTreeSet;
use std::time::Duration;

use mixminus_control::policy::{CoachVoice, Role};
use mixminus_control::{
    Action, AutomaticRecording, ConferenceKind, ConferenceRequest, EventGroup, HttpMethod, RecordingFormat,
    RecordingTerms, RecordingTrack, Report, Sound, StatusCallback, TranscriptTerms,
};
use mixminus_plivo::xml::{self, MultiPartyCall, Target};
use mixminus_plivo::{FileFormat, Key, Transcription};

use super::resource::http_method;
use super::stream::ai_agent;

/// How long a callee has for the key after it was asked, when nobody says it.
pub const CONFIRM_TIMEOUT: Duration = Duration::from_secs(15);

/// The request that `call` makes.
pub fn conference(call: MultiPartyCall) -> ConferenceRequest {
    ConferenceRequest {
        kind: ConferenceKind::Supervised,
        name: call.name,
        role: role(call.role),
        coach: call.coach_mode,
        mute: call.mute,
        hold: call.hold,
        stay_alone: call.stay_alone,
        start_on_enter: call.start_mpc_on_enter,
        end_on_exit: call.end_mpc_on_exit,
        relay_digits: call.relay_dtmf_inputs,
        max_duration: seconds(call.max_duration_seconds),
        max_participants: call.max_participants as usize,
        enter_sound: sound(call.enter_sound),
        exit_sound: sound(call.exit_sound),
        wait_music: call.wait_music.map(action),
        agent_hold_music: call.agent_hold_music.map(action),
        customer_hold_music: call.customer_hold_music.map(action),
        wait_for_agent: call.wait_for_agent,
        max_wait: call.wait_time_seconds.map(seconds),
        coach_voice: if call.recording.coach_voice { CoachVoice::Recorded } else { CoachVoice::LeftOut },
        recording: recording(call.recording),
        status_callback: call.status_callback.map(status_callback),
        own_callback: None,
        leave_on_star: false,
        stream: call.ai_agent_stream.map(|stream| Box::new(ai_agent(stream))),
        on_exit: call.on_exit_action.map(|target| Report { action: action(target), follow: true }),
    }
}

fn recording(recording: xml::Recording) -> Option<AutomaticRecording> {
    let terms = RecordingTerms {
        format: format(recording.file_format),
        track: RecordingTrack::Mix,
        keeps_tracks: false,
        callback: recording.callback.map(action),
        transcript: recording.transcript.then(|| to_url(recording.transcription_url)),
    };
    recording.record.then(|| AutomaticRecording {
        terms,
        min_participants: recording.min_member_count as usize,
        participants_too: recording.participant_track,
        start_sound: recording.start_audio.map(action),
        stop_sound: recording.stop_audio.map(action),
    })
}

/// A transcript that is told to `url`.
pub fn to_url(url: Option<String>) -> TranscriptTerms {
    TranscriptTerms { callback: url.map(|url| Action { url, method: HttpMethod::Post }) }
}

/// The transcript that `transcription` asks for. A machine makes it, whoever was asked for.
pub fn transcript(transcription: Transcription) -> TranscriptTerms {
    TranscriptTerms { callback: transcription.callback.map(action) }
}

/// What a file of that format is.
pub const fn format(format: FileFormat) -> RecordingFormat {
    match format {
        FileFormat::Mp3 => RecordingFormat::Mp3,
        FileFormat::Wav => RecordingFormat::Wav,
        FileFormat::Ogg => RecordingFormat::OggOpus,
        FileFormat::Flac => RecordingFormat::Flac,
    }
}

fn status_callback(callback: xml::StatusCallback) -> StatusCallback {
    let groups: BTreeSet<_> = callback.events.into_iter().filter_map(group).collect();
    StatusCallback { action: action(callback.target), groups }
}

const fn group(group: mixminus_plivo::EventGroup) -> Option<EventGroup> {
    use mixminus_plivo::EventGroup as Plivo;
    match group {
        Plivo::MpcStateChanges => Some(EventGroup::Conference),
        Plivo::ParticipantStateChanges => Some(EventGroup::Participant),
        Plivo::ParticipantSpeakEvents => Some(EventGroup::Talking),
        Plivo::ParticipantDigitInputEvents => Some(EventGroup::Digits),
        Plivo::AddParticipantApiEvents => Some(EventGroup::AddParticipant),
        // Accepted because newer documents name it; nobody knows what it holds.
        Plivo::ParticipantAudioEvents => None,
    }
}

/// A URL and how to ask it.
pub fn action(target: Target) -> Action {
    Action { url: target.url, method: http_method(target.method) }
}

pub(super) fn sound(sound: xml::Sound) -> Sound {
    match sound {
        xml::Sound::None => Sound::None,
        xml::Sound::Beep1 => Sound::Beep1,
        xml::Sound::Beep2 => Sound::Beep2,
        xml::Sound::Url(target) => Sound::Url(action(target)),
    }
}

const fn role(role: mixminus_plivo::Role) -> Role {
    match role {
        mixminus_plivo::Role::Agent => Role::Agent,
        mixminus_plivo::Role::AiAgent => Role::AiAgent,
        mixminus_plivo::Role::Customer => Role::Customer,
        mixminus_plivo::Role::Supervisor => Role::Supervisor,
    }
}

/// Keys to press as the domain writes them.
pub fn digits(keys: &[Key]) -> String {
    let letter = |key: &Key| match key {
        Key::Press(digit) => *digit,
        Key::Pause(pause) if *pause < Duration::from_secs(1) => 'w',
        Key::Pause(_) => 'W',
    };
    keys.iter().map(letter).collect()
}

pub const fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds as u64)
}
