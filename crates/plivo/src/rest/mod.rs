//! Plivo's REST language: lenient requests in, exact replies out.

mod account;
mod add_participant;
mod application;
mod arguments;
mod asynchronous;
mod call_filter;
mod call_object;
mod endpoint;
mod error;
mod fields;
mod filters;
mod join_token;
mod list;
mod live_call;
mod make_call;
mod mpc_recording;
mod object;
mod parameters;
mod path;
mod playback;
mod recording_filter;
mod replies;
mod request;
mod resource_object;
mod schema;
mod transcription;

pub use account::{AccountUpdate, SubaccountBody, parse_cascade};
pub use add_participant::{
    AddParticipant, Attempt, Confirm, DialMusic, MAX_DESTINATIONS, MAX_RING_SECONDS, Outbound, Party,
};
pub use application::{ApplicationDelete, ApplicationFilter, ApplicationSettings, NewApplication};
pub use arguments::Arguments;
pub use asynchronous::AsyncCallback;
pub use call_filter::{CallFilter, CallList, CallView};
pub use call_object::{CallIds, CallObject, LiveCallObject, StreamObject};
pub use endpoint::{
    EndpointUpdate, MAX_PASSWORD_CHARS, MAX_USERNAME_BYTES, MIN_PASSWORD_CHARS, NewEndpoint, Password,
};
pub use error::{ErrorBody, RestError};
pub use fields::MAX_LINE_CHARS;
pub use filters::{Bounds, Given, TimeRange};
pub use join_token::{JoinTokenCreated, NewJoinToken};
pub use list::{DEFAULT_PAGE_OBJECTS, List, Meta, Page};
pub use live_call::{CallRecord, SendDigits, StartStream, Transfer};
pub use make_call::{MAX_CALL_DESTINATIONS, MachineDetection, MakeCall};
pub use mpc_recording::{MpcRecord, TrackType};
pub use object::{MpcObject, ParticipantObject, Reply, UpdateReply};
pub use parameters::{Parameter, parameters};
pub use path::{MAX_MEMBERS, MemberSelector, MpcPath, MpcSegment};
pub use playback::{CallPlay, CallSpeak, Legs, MAX_PLAY_URLS, MemberPlay, Speech};
pub use recording_filter::RecordingFilter;
pub use replies::{
    AddParticipantReply, AddedCall, ApplicationCreated, CallFired, CallRecordReply, EndpointCreated,
    MemberReply, Message, MpcRecordReply, RequestUuid, StreamReply,
};
pub use request::{MpcFilter, ParticipantFilter, ParticipantUpdate, parse_start};
pub use resource_object::{
    AccountObject, ApplicationObject, EndpointObject, RecordingObject, Registration, SubaccountCreated,
    SubaccountObject,
};
pub use transcription::{NewTranscription, TranscriptStatus, TranscriptionObject, TranscriptionReply};
