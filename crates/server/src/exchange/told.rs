//! Callbacks as they are kept until they are delivered.

use mixminus_control::{
    CallCallback, CallEvent, CallbackEvent, ConferenceRecord, HttpMethod, ParticipantCallback,
    RecordingCallback, Timestamp,
};
use mixminus_plivo::callback::Parameters;
use mixminus_store::{NewCallback, OrderKey};
use uuid::Uuid;

use crate::dialect;
use crate::recording_place::RecordingPlace;

/// The callback that tells `event`, ready to be kept.
pub fn queued(event: &CallbackEvent) -> NewCallback {
    let to = (event.url.clone(), event.method);
    of_conference(&event.conference, to, (event.sequence, event.at), dialect::callback_parameters(event))
}

/// The callback that tells `event` of a participant, ready to be kept.
pub(super) fn queued_for_participant(event: &ParticipantCallback) -> NewCallback {
    let to = (event.url.clone(), event.method);
    let params = dialect::participant_callback_parameters(event);
    of_conference(&event.conference, to, (event.sequence, event.at), params)
}

fn of_conference(
    conference: &ConferenceRecord,
    (url, method): (String, HttpMethod),
    (sequence, created_at): (u64, Timestamp),
    params: Parameters,
) -> NewCallback {
    NewCallback {
        id: Uuid::new_v4(),
        account: conference.account.clone(),
        order: OrderKey::Conference(conference.id),
        sequence,
        url,
        method,
        params,
        created_at,
    }
}

/// The callback that tells `event` of a call, ready to be kept.
pub fn queued_for_call(mut event: CallCallback, place: &RecordingPlace) -> NewCallback {
    match &mut event.event {
        CallEvent::Recorded(record) => place.locate(record),
        CallEvent::RecordReported(report) => place.locate(&mut report.recording),
        _ => {}
    }
    NewCallback {
        id: Uuid::new_v4(),
        account: event.call.account.clone(),
        order: OrderKey::Call(event.call.id),
        sequence: event.sequence,
        url: event.url.clone(),
        method: event.method,
        params: dialect::call_callback_parameters(&event),
        created_at: event.at,
    }
}

/// The callback that tells `event` of a recording, ready to be kept.
pub fn queued_for_recording(mut event: RecordingCallback, place: &RecordingPlace) -> NewCallback {
    place.locate(&mut event.recording);
    NewCallback {
        id: Uuid::new_v4(),
        account: event.recording.account.clone(),
        order: OrderKey::Conference(event.conference),
        sequence: event.sequence,
        url: event.url.clone(),
        method: event.method,
        params: dialect::recording_callback_parameters(&event, place.base()),
        created_at: event.at,
    }
}
