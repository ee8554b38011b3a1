//! Callbacks as they are kept until they are delivered.

use mixminus_control::{CallCallback, CallEvent, CallbackEvent, ParticipantCallback, RecordingCallback};
use mixminus_store::{NewCallback, OrderKey};
use uuid::Uuid;

use crate::dialect;
use crate::recording_place::RecordingPlace;

/// The callback that tells `event`, ready to be kept.
pub fn queued(event: &CallbackEvent) -> NewCallback {
    NewCallback {
        id: Uuid::new_v4(),
        account: event.conference.account.clone(),
        order: OrderKey::Conference(event.conference.id),
        sequence: event.sequence,
        url: event.url.clone(),
        method: event.method,
        params: dialect::callback_parameters(event),
        created_at: event.at,
    }
}

/// The callback that tells `event` of a participant, ready to be kept.
pub(super) fn queued_for_participant(event: &ParticipantCallback) -> NewCallback {
    NewCallback {
        id: Uuid::new_v4(),
        account: event.conference.account.clone(),
        order: OrderKey::Conference(event.conference.id),
        sequence: event.sequence,
        url: event.url.clone(),
        method: event.method,
        params: dialect::participant_callback_parameters(event),
        created_at: event.at,
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
