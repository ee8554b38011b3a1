//! Every operation, one line each.

use mixminus_plivo::rest::{
    AccountObject, AccountUpdate, AddParticipant, AddParticipantReply, ApplicationCreated, ApplicationDelete,
    ApplicationFilter, ApplicationObject, ApplicationSettings, CallFired, CallIds, CallObject, CallPlay,
    CallRecord, CallRecordReply, CallSpeak, CallView, EndpointCreated, EndpointObject, EndpointUpdate,
    JoinTokenCreated, LiveCallObject, MakeCall, MemberPlay, MemberReply, MemberSelector, Message, MpcFilter,
    MpcObject, MpcRecord, MpcRecordReply, NewApplication, NewEndpoint, NewJoinToken, NewTranscription, Page,
    ParticipantFilter, ParticipantObject, ParticipantUpdate, RecordingFilter, RecordingObject, SendDigits,
    Speech, StartStream, StreamObject, StreamReply, SubaccountBody, SubaccountCreated, SubaccountObject,
    TrackType, TranscriptionObject, TranscriptionReply, Transfer, UpdateReply, parse_cascade, parse_start,
};
use mixminus_plivo::xml::Limits;

use super::operation::{
    Operation, json, list, none, nothing, operation as on, plain, reads, reads_either, some,
};
use crate::http::callback::{CallbackList, CallbackObject, CallbackQuery};
use crate::http::feed::FeedQuery;
use crate::http::health::{About, Status};
use crate::http::live::{self, LiveCall};
use crate::http::recording::TrackList;
use crate::http::trace::{self, TraceObject};
use crate::http::waveform::WaveformQuery;

/// Every operation of a service with these limits.
pub fn operations(limits: &Limits) -> Vec<Operation> {
    let all = [
        conferences(limits),
        recorded_conferences(),
        calls(),
        accounts(),
        directory(),
        callbacks(),
        service(),
    ];
    // A call's recording has a callback URL of its own; files, and what is never over, are no answers for a callback.
    all.into_iter()
        .flatten()
        .map(Operation::or_later)
        .chain(recorded_calls())
        .chain(live())
        .chain(recording_files())
        .collect()
}

#[rustfmt::skip]
fn recorded_conferences() -> Vec<Operation> {
    vec![
        on("POST MultiPartyCall/{mpc}/Record/", "recordMpc", "Records an MPC.", reads(MpcRecord::parse), json::<MpcRecordReply>(202)),
        on("DELETE MultiPartyCall/{mpc}/Record/", "stopRecordingMpc", "Stops the recording of an MPC.", reads(TrackType::parse), nothing()),
        on("POST MultiPartyCall/{mpc}/Record/Pause/", "pauseRecordingMpc", "Pauses the recording of an MPC.", reads(TrackType::parse), nothing()),
        on("POST MultiPartyCall/{mpc}/Record/Resume/", "resumeRecordingMpc", "Resumes the recording of an MPC.", reads(TrackType::parse), nothing()),
        on("POST MultiPartyCall/{mpc}/Participant/{member_id}/Record/", "recordParticipant", "Records a participant.", reads(MpcRecord::parse), json::<MpcRecordReply>(202)),
        on("DELETE MultiPartyCall/{mpc}/Participant/{member_id}/Record/", "stopRecordingParticipant", "Stops the recording of a participant.", reads(TrackType::parse), nothing()),
        on("POST MultiPartyCall/{mpc}/Participant/{member_id}/Record/Pause/", "pauseRecordingParticipant", "Pauses the recording of a participant.", reads(TrackType::parse), nothing()),
        on("POST MultiPartyCall/{mpc}/Participant/{member_id}/Record/Resume/", "resumeRecordingParticipant", "Resumes the recording of a participant.", reads(TrackType::parse), nothing()),
    ]
}

#[rustfmt::skip]
fn recorded_calls() -> Vec<Operation> {
    vec![
        on("POST Call/{call_uuid}/Record/", "recordCall", "Records a call.", reads(CallRecord::parse), json::<CallRecordReply>(202)),
        on("DELETE Call/{call_uuid}/Record/", "stopRecordingCall", "Stops the recording of a call.", reads(CallRecord::parse_stop), nothing()),
    ]
}

#[rustfmt::skip]
fn live() -> Vec<Operation> {
    vec![on("GET Live/", "watch", "What is going on, as it happens.", reads(FeedQuery::parse), some("text/event-stream", "string").refuses(&[503]))]
}

#[rustfmt::skip]
fn recording_files() -> Vec<Operation> {
    let audio = |kind| some(kind, "string").also(206).refuses(&[416, 503]);
    vec![
        on("GET Recording/{recording_id}.{extension}", "downloadRecording", "The audio of a recording that is over, or a range of its bytes.", none(), audio("audio/*")),
        on("HEAD Recording/{recording_id}.{extension}", "sizeRecording", "How large that is.", none(), audio("audio/*")),
        on("GET Recording/{recording_id}/Track/{number}.wav", "downloadTrack", "The audio of a track, or a range of its bytes.", none(), audio("audio/wav")),
        on("HEAD Recording/{recording_id}/Track/{number}.wav", "sizeTrack", "How large that is.", none(), audio("audio/wav")),
        on("GET Recording/{recording_id}/Sidecar/", "getSidecar", "Who and what is heard when in a recording.", none(), some("application/json", "object").also(206).refuses(&[416, 503])),
        on("HEAD Recording/{recording_id}/Sidecar/", "sizeSidecar", "How large that is.", none(), some("application/json", "object").also(206).refuses(&[416, 503])),
    ]
}

#[rustfmt::skip]
fn conferences(limits: &Limits) -> Vec<Operation> {
    let add = |body: &_| AddParticipant::parse(body, "support", limits);
    let add = reads_either(&[&[("from", "1"), ("to", "2")], &[("call_uuid", "x")]], add);
    let update = |body: &_| ParticipantUpdate::parse(body, &MemberSelector::Ids(vec![1]));
    let update = reads_either(&[&[("mute", "true")], &[("hold", "true")], &[("coach_mode", "true")]], update);
    let start = reads_either(&[&[("status", "active")]], parse_start);
    let play = reads_either(&[&[("url", "http://h/x")], &[("urls", "http://h/x")]], MemberPlay::parse);
    vec![
        on("GET MultiPartyCall/", "listMpcs", "MPCs, the newest first.", reads(MpcFilter::parse), list::<MpcObject>()),
        on("GET MultiPartyCall/{mpc}/", "getMpc", "One MPC.", none(), json::<MpcObject>(200)),
        on("POST MultiPartyCall/{mpc}/", "startMpc", "Starts an MPC.", start, nothing()),
        on("DELETE MultiPartyCall/{mpc}/", "endMpc", "Ends an MPC.", none(), nothing()),
        on("GET MultiPartyCall/{mpc}/Participant/", "listParticipants", "Participants of an MPC.", reads(ParticipantFilter::parse), list::<ParticipantObject>()),
        on("POST JoinToken/", "createJoinToken", "Makes a token with which a browser joins an MPC.", reads(|body: &_| NewJoinToken::parse(body, limits)), json::<JoinTokenCreated>(201)),
        on("POST MultiPartyCall/{mpc}/Participant/", "addParticipant", "Calls somebody into an MPC, or moves a live call there.", add, json::<AddParticipantReply>(201)),
        on("GET MultiPartyCall/{mpc}/Participant/{member_id}/", "getParticipant", "One participant.", none(), json::<ParticipantObject>(200)),
        on("POST MultiPartyCall/{mpc}/Participant/{member_id}/", "updateParticipant", "Mutes, holds, or changes who is coached.", update, json::<UpdateReply>(202)),
        on("DELETE MultiPartyCall/{mpc}/Participant/{member_id}/", "kickParticipant", "Removes participants.", none(), nothing()),
        on("POST MultiPartyCall/{mpc}/Member/{member_id}/Play/", "playToMember", "Plays a file to participants.", play, json::<MemberReply>(202)),
        on("DELETE MultiPartyCall/{mpc}/Member/{member_id}/Play/", "stopPlayingToMember", "Stops the files that participants hear.", none(), nothing()),
        on("POST MultiPartyCall/{mpc}/Member/{member_id}/Speak/", "speakToMember", "Says a text to participants.", reads(Speech::parse), json::<MemberReply>(202)),
        on("DELETE MultiPartyCall/{mpc}/Member/{member_id}/Speak/", "stopSpeakingToMember", "Stops the texts that participants hear.", none(), nothing()),
    ]
}

#[rustfmt::skip]
fn calls() -> Vec<Operation> {
    let bleg = [("bleg_url", "http://h/x"), ("legs", "bleg")];
    let transfer = reads_either(&[&[("aleg_url", "http://h/x")], &bleg], Transfer::parse);
    let one = || json::<CallObject>(200).or(json::<LiveCallObject>(200));
    vec![
        on("GET Call/", "listCalls", "Records of calls, or the ids of those that last or wait.", reads(live::parse), list::<CallObject>().or(json::<CallIds>(200)).or(list::<LiveCall>())),
        on("POST Call/", "makeCall", "Makes calls.", reads(MakeCall::parse), json::<CallFired>(201)),
        on("GET Call/{call_uuid}/", "getCall", "The record of a call, or the call while it lasts or waits.", reads(CallView::parse), one()),
        on("POST Call/{call_uuid}/", "transferCall", "Goes on with other documents.", transfer, json::<Message>(202)),
        on("DELETE Call/{call_uuid}/", "hangUpCall", "Hangs a call up.", none(), nothing()),
        on("POST Call/{call_uuid}/Play/", "playToCall", "Plays files to a call.", reads(CallPlay::parse), json::<Message>(202)),
        on("DELETE Call/{call_uuid}/Play/", "stopPlayingToCall", "Stops the files that a call hears.", none(), nothing()),
        on("POST Call/{call_uuid}/Speak/", "speakToCall", "Says a text to a call.", reads(CallSpeak::parse), json::<Message>(202)),
        on("DELETE Call/{call_uuid}/Speak/", "stopSpeakingToCall", "Stops the texts that a call hears.", none(), nothing()),
        on("POST Call/{call_uuid}/DTMF/", "sendDigits", "Sends digits to a call.", reads(SendDigits::parse), json::<Message>(202)),
        on("GET Call/{call_uuid}/Stream/", "listStreams", "Streams of a call, the newest first.", reads(Page::parse), list::<StreamObject>()),
        on("POST Call/{call_uuid}/Stream/", "startStream", "Sends a call's audio to a WebSocket.", reads(StartStream::parse), json::<StreamReply>(202)),
        on("DELETE Call/{call_uuid}/Stream/", "stopStreams", "Ends the stream of a call.", none(), nothing()),
        on("GET Call/{call_uuid}/Stream/{stream_id}/", "getStream", "One stream of a call.", none(), json::<StreamObject>(200)),
        on("DELETE Call/{call_uuid}/Stream/{stream_id}/", "stopStream", "Ends one stream of a call.", none(), nothing()),
        on("GET Call/{call_uuid}/Trace/", "getTrace", "The SIP messages of a call that lasts or ended lately, without secrets.", reads(trace::Format::parse), json::<TraceObject>(200).or_as(some("text/plain", "string"))),
        on("DELETE Request/{request_uuid}/", "cancelRequest", "Cancels calls that are not answered.", none(), nothing()),
    ]
}

#[rustfmt::skip]
fn accounts() -> Vec<Operation> {
    let change = reads_either(&[&[("name", "x")], &[("city", "x")], &[("address", "x")]], AccountUpdate::parse);
    vec![
        on("GET ", "getAccount", "The account.", none(), json::<AccountObject>(200)),
        on("POST ", "updateAccount", "Changes whose account it is.", change, json::<Message>(202)),
        on("GET Subaccount/", "listSubaccounts", "Subaccounts, the newest first.", reads(Page::parse), list::<SubaccountObject>()),
        on("POST Subaccount/", "createSubaccount", "Makes a subaccount.", reads(SubaccountBody::parse), json::<SubaccountCreated>(201)),
        on("GET Subaccount/{subauth_id}/", "getSubaccount", "One subaccount.", none(), json::<SubaccountObject>(200)),
        on("POST Subaccount/{subauth_id}/", "updateSubaccount", "Changes a subaccount.", reads(SubaccountBody::parse), json::<Message>(202)),
        on("DELETE Subaccount/{subauth_id}/", "deleteSubaccount", "Deletes a subaccount.", reads(parse_cascade), nothing()),
    ]
}

#[rustfmt::skip]
fn directory() -> Vec<Operation> {
    vec![
        on("GET Application/", "listApplications", "Applications, the newest first.", reads(ApplicationFilter::parse), list::<ApplicationObject>()),
        on("POST Application/", "createApplication", "Makes an application.", reads(NewApplication::parse), json::<ApplicationCreated>(201)),
        on("GET Application/{app_id}/", "getApplication", "One application.", none(), json::<ApplicationObject>(200)),
        on("POST Application/{app_id}/", "updateApplication", "Changes an application.", reads(ApplicationSettings::parse), json::<Message>(202)),
        on("DELETE Application/{app_id}/", "deleteApplication", "Deletes an application.", reads(ApplicationDelete::parse), nothing()),
        on("GET Endpoint/", "listEndpoints", "Endpoints, the newest first.", reads(Page::parse), list::<EndpointObject>()),
        on("POST Endpoint/", "createEndpoint", "Makes an endpoint.", reads(NewEndpoint::parse), json::<EndpointCreated>(201)),
        on("GET Endpoint/{endpoint_id}/", "getEndpoint", "One endpoint.", none(), json::<EndpointObject>(200)),
        on("POST Endpoint/{endpoint_id}/", "updateEndpoint", "Changes an endpoint.", reads(EndpointUpdate::parse), json::<Message>(202)),
        on("DELETE Endpoint/{endpoint_id}/", "deleteEndpoint", "Deletes an endpoint.", none(), nothing()),
        on("GET Recording/", "listRecordings", "Recordings, the newest first.", reads(RecordingFilter::parse), list::<RecordingObject>()),
        on("GET Recording/{recording_id}/", "getRecording", "One recording.", none(), json::<RecordingObject>(200)),
        on("GET Recording/{recording_id}/Track/", "listTracks", "The tracks of a recording that are kept.", none(), json::<TrackList>(200)),
        on("GET Recording/{recording_id}/Waveform/", "getWaveform", "A picture of how loud a recording is, or one of its tracks.", reads(WaveformQuery::parse), some("image/png", "string").refuses(&[503])),
        on("GET Transcription/{recording_id}/", "getTranscription", "The transcript of a recording.", reads(NewTranscription::parse_type), json::<TranscriptionObject>(200)),
        on("POST Transcription/{recording_id}/", "createTranscription", "Transcribes a recording that is over.", reads(NewTranscription::parse), json::<TranscriptionReply>(202).refuses(&[409])),
        on("DELETE Transcription/{recording_id}/", "deleteTranscription", "Deletes a transcript.", none(), nothing()),
        on("DELETE Recording/{recording_id}/", "deleteRecording", "Deletes a recording that is over.", none(), nothing().refuses(&[409])),
    ]
}

#[rustfmt::skip]
fn callbacks() -> Vec<Operation> {
    vec![
        on("GET Callbacks/", "listCallbacks", "Callbacks from a sequence number on.", reads(CallbackQuery::parse), json::<CallbackList>(200)),
        on("GET Callbacks/{callback_id}/", "getCallback", "One callback.", none(), json::<CallbackObject>(200)),
        on("POST Callbacks/{callback_id}/", "requeueCallback", "Sends a callback that was given up again.", none(), json::<Message>(202).refuses(&[409])),
    ]
}

#[rustfmt::skip]
fn service() -> Vec<Operation> {
    vec![
        on("GET /", "about", "What this is and where to go.", none(), plain::<About>("application/json")),
        on("GET /healthz", "health", "Whether there is somebody to answer.", none(), plain::<Status>("application/json")),
        on("GET /readyz", "readiness", "Whether calls are taken.", none(), plain::<Status>("application/json").also(503)),
        on("GET /metrics", "metrics", "Numbers for Prometheus; with credentials unless only this machine can ask.", none(), some("text/plain", "string").refuses(&[401, 403, 429])),
        on("GET /openapi.json", "document", "This document.", none(), some("application/json", "object")),
        on("GET /docs", "docs", "A page to try the API.", none(), some("text/html", "string")),
    ]
}
