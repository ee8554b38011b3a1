//! Callbacks as they are kept until they are delivered.

use mixminus_control::{
    CallCallback, CallEvent, CallbackEvent, ParticipantCallback, RecordingCallback, RecordingFormat,
    RecordingRecord,
};
use mixminus_store::{NewCallback, OrderKey};
use uuid::Uuid;

use crate::dialect;

/// Where the API is reached, without a slash at the end: recordings are below it.
#[derive(Clone, Debug)]
pub struct RecordingPlace(pub String);

impl RecordingPlace {
    /// `record`, which now says where its file is.
    pub(super) fn located(&self, mut record: RecordingRecord) -> RecordingRecord {
        self.locate(&mut record);
        record
    }

    /// Says in `record` where its file is.
    pub(super) fn locate(&self, record: &mut RecordingRecord) {
        let extension = match record.format {
            RecordingFormat::Mp3 => "mp3",
            RecordingFormat::Wav => "wav",
        };
        let RecordingRecord { id, account, .. } = record;
        record.url = format!("{}/v1/Account/{account}/Recording/{id}.{extension}", self.0);
    }
}

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
pub(super) fn queued_for_recording(mut event: RecordingCallback, place: &RecordingPlace) -> NewCallback {
    place.locate(&mut event.recording);
    NewCallback {
        id: Uuid::new_v4(),
        account: event.recording.account.clone(),
        order: OrderKey::Conference(event.conference),
        sequence: event.sequence,
        url: event.url.clone(),
        method: event.method,
        params: dialect::recording_callback_parameters(&event, &place.0),
        created_at: event.at,
    }
}
