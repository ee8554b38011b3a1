//! What accounts set up and what was recorded, as Plivo shows it.

use std::time::Duration;

use mixminus_control::{
    AccountId, Action, ApplicationRecord, CallId, ConferenceId, EndpointRecord, HttpMethod, RecordingFormat,
    RecordingRecord, RecordingState, Timestamp, TranscriptRecord, TranscriptState,
};
use mixminus_plivo::rest::{
    ApplicationObject, EndpointObject, RecordingFilter, Registration, TranscriptStatus, TranscriptionObject,
};
use mixminus_plivo::{FileFormat, Method, RecordingFile};
use mixminus_store as store;

use super::rest::{instant, time_range};
use super::words;

const DAY: Duration = Duration::from_hours(24);

/// The application in a reply.
pub fn application(record: &ApplicationRecord) -> ApplicationObject {
    let (answer_url, answer_method) = action(record.answer.as_ref());
    let (fallback_answer_url, fallback_method) = action(record.fallback.as_ref());
    let (hangup_url, hangup_method) = action(record.hangup.as_ref());
    let (message_url, message_method) = action(record.message.as_ref());
    ApplicationObject {
        answer_method,
        answer_url,
        app_id: record.id.0.clone(),
        app_name: record.name.clone(),
        default_app: record.default_for_numbers,
        default_endpoint_app: record.default_for_endpoints,
        enabled: true,
        fallback_answer_url,
        fallback_method,
        hangup_method,
        hangup_url,
        log_incoming_messages: record.logs_messages,
        message_method,
        message_url,
        public_uri: record.public,
        resource_uri: ApplicationObject::uri(&record.account.0, &record.id.0),
        sip_uri: ApplicationObject::sip_uri(&record.id.0),
        sub_account: sub_account(&record.account),
    }
}

fn action(action: Option<&Action>) -> (String, &'static str) {
    let method = action.map_or(HttpMethod::Post, |action| action.method);
    (action.map(|action| action.url.clone()).unwrap_or_default(), words::method(method).name())
}

/// How Plivo's method is done.
pub const fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
    }
}

/// The endpoint in a reply, with its registration if it has one.
pub fn endpoint(record: &EndpointRecord, registration: Option<Registration>) -> EndpointObject {
    EndpointObject {
        alias: record.alias.clone(),
        application: record.application.as_ref().map(|id| ApplicationObject::uri(&record.account.0, &id.0)),
        endpoint_id: record.id.0.clone(),
        resource_uri: EndpointObject::uri(&record.account.0, &record.id.0),
        sip_registered: if registration.is_some() { "true" } else { "false" },
        sip_uri: EndpointObject::sip_uri(&record.username),
        sub_account: sub_account(&record.account),
        username: record.username.clone(),
        registration,
    }
}

/// The transcript of `record` in a reply.
pub fn transcription(record: &RecordingRecord, transcript: &TranscriptRecord) -> TranscriptionObject {
    let status = match &transcript.state {
        TranscriptState::Pending => TranscriptStatus::InProgress,
        TranscriptState::Completed { text } => TranscriptStatus::Completed(text),
        TranscriptState::Failed { error } => TranscriptStatus::Failed(error),
    };
    TranscriptionObject::new(&recording(record), status)
}

/// What Plivo knows of the recording.
pub fn recording(record: &RecordingRecord) -> RecordingFile {
    let (mpc_uuid, mpc_name) =
        record.of.conference.as_ref().map(|(id, name)| (id.to_string(), name.clone())).unzip();
    // What is told of a file is true of its samples; the end was noted somewhat later.
    let ended_at = match record.state {
        RecordingState::Completed => Some(record.started_at + record.duration),
        _ => record.ended_at,
    };
    let party = |address: &str| Some(address.to_owned()).filter(|address| !address.is_empty());
    RecordingFile {
        id: record.id.to_string(),
        account: record.account.0.clone(),
        url: match record.state {
            RecordingState::Failed => String::new(),
            _ => record.url.clone(),
        },
        format: match record.format {
            RecordingFormat::Mp3 => FileFormat::Mp3,
            RecordingFormat::Wav => FileFormat::Wav,
            RecordingFormat::OggOpus => FileFormat::Ogg,
            RecordingFormat::Flac => FileFormat::Flac,
        },
        started_at: instant(record.started_at),
        ended_at: ended_at.map(instant),
        duration_us: record.ended_at.map(|_| record.duration.as_micros() as u64),
        mpc_uuid,
        mpc_name,
        member_id: record.of.participant.map(|id| id.0),
        call_uuid: record.of.call.map(|id| id.to_string()),
        from: party(&record.of.from),
        to: party(&record.of.to),
    }
}

/// The recordings that `filter` wants at `now`; none if one of its uuids is none. How many
/// days something was kept is told by when it began.
pub fn recording_filter(filter: &RecordingFilter, now: Timestamp) -> Option<store::RecordingFilter> {
    let call = filter.call_uuid.as_ref().map(|uuid| uuid.parse().map(CallId)).transpose().ok()?;
    let conference =
        filter.conference_uuid.as_ref().map(|uuid| uuid.parse().map(ConferenceId)).transpose().ok()?;
    let days = filter.recording_storage_duration;
    let begun = |days: u32| {
        let age_us = (DAY * days).as_micros() as i64;
        Timestamp::from_micros(now.as_micros().saturating_sub(age_us))
    };
    // Kept for n days is: begun at most n and less than n + 1 days ago.
    let kept = store::TimeRange {
        gt: days.lte.map(|days| begun(days.saturating_add(1))),
        gte: None,
        lt: None,
        lte: days.gte.map(begun),
    };
    let longer = days.gt.map(|days| begun(days.saturating_add(1)));
    let shorter = days.lt.map(begun);
    let asked = time_range(filter.add_time);
    Some(store::RecordingFilter {
        subaccount: filter.sub_account.clone().map(AccountId),
        from: filter.from_number.clone(),
        to: filter.to_number.clone(),
        call,
        conference,
        conference_name: filter.conference_name.clone(),
        started: store::TimeRange {
            gt: [asked.gt, kept.gt, shorter].into_iter().flatten().max(),
            gte: asked.gte,
            lt: asked.lt,
            lte: [asked.lte, kept.lte, longer].into_iter().flatten().min(),
        },
    })
}

fn sub_account(account: &AccountId) -> Option<String> {
    Some(account.0.clone()).filter(|id| id.starts_with("SA"))
}
