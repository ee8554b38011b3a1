//! Streams of calls.

use std::time::Duration;

use mixminus_control::{
    CallChange, CallId, StreamAudience, StreamFormat, StreamRecord, StreamState, StreamTerms, StreamTrack,
    Suppression,
};
use mixminus_plivo::rest::{StartStream, StreamObject};
use mixminus_plivo::{AudioTrack, xml};

use super::join::action;
use super::rest::instant;

/// The longest stream of an AI agent, which is told of none: longer than any MPC lasts.
const LONGEST: Duration = Duration::from_hours(24);

/// What `<Stream>` asks for.
pub(super) fn terms(stream: xml::Stream) -> StreamTerms {
    StreamTerms {
        url: stream.service_url,
        track: track(stream.audio_track),
        format: stream_format(stream.content_type),
        audience: stream.bidirectional.then_some(StreamAudience::Caller),
        denoised: stream.noise_cancellation_level.map(suppression),
        longest: stream.stream_timeout,
        headers: stream.extra_headers,
        callback: stream.status_callback.map(action),
    }
}

/// By what an AI agent takes part.
pub(super) fn ai_agent(stream: xml::AiAgentStream) -> StreamTerms {
    StreamTerms {
        url: stream.service_url,
        track: StreamTrack::Heard,
        format: stream_format(stream.format),
        audience: Some(StreamAudience::Listeners),
        denoised: None,
        longest: LONGEST,
        headers: stream.extra_headers,
        callback: stream.status_callback.map(action),
    }
}

/// What takes as much noise out as `level` says, from 60 to 100. Plivo's own, 85, is the strongest but one.
const fn suppression(level: u32) -> Suppression {
    match level {
        ..70 => Suppression::Light,
        70..80 => Suppression::Medium,
        80..95 => Suppression::Strong,
        95.. => Suppression::Strongest,
    }
}

/// How `request` streams a call.
pub fn start_stream(request: StartStream) -> CallChange {
    CallChange::Stream(Box::new(StreamTerms {
        url: request.service_url,
        track: track(request.audio_track),
        format: stream_format(request.content_type),
        audience: request.bidirectional.then_some(StreamAudience::Caller),
        denoised: None,
        longest: request.stream_timeout,
        headers: request.extra_headers,
        callback: request.status_callback.map(action),
    }))
}

const fn track(track: AudioTrack) -> StreamTrack {
    match track {
        AudioTrack::Inbound => StreamTrack::Said,
        AudioTrack::Outbound => StreamTrack::Heard,
        AudioTrack::Both => StreamTrack::Both,
    }
}

/// What Plivo calls what is streamed. To who speaks as the call, what that hears comes in.
pub fn audio_track(terms: &StreamTerms) -> AudioTrack {
    match terms.track {
        StreamTrack::Said => AudioTrack::Inbound,
        StreamTrack::Heard if terms.audience == Some(StreamAudience::Listeners) => AudioTrack::Inbound,
        StreamTrack::Heard => AudioTrack::Outbound,
        StreamTrack::Both => AudioTrack::Both,
    }
}

/// What we call Plivo's format.
pub const fn stream_format(format: mixminus_plivo::StreamFormat) -> StreamFormat {
    match format {
        mixminus_plivo::StreamFormat::L16At8000 => StreamFormat::Linear8k,
        mixminus_plivo::StreamFormat::L16At16000 => StreamFormat::Linear16k,
        mixminus_plivo::StreamFormat::L16At24000 => StreamFormat::Linear24k,
        mixminus_plivo::StreamFormat::MulawAt8000 => StreamFormat::Mulaw,
    }
}

/// What Plivo calls our format.
pub const fn plivo_format(format: StreamFormat) -> mixminus_plivo::StreamFormat {
    match format {
        StreamFormat::Linear8k => mixminus_plivo::StreamFormat::L16At8000,
        StreamFormat::Linear16k => mixminus_plivo::StreamFormat::L16At16000,
        StreamFormat::Linear24k => mixminus_plivo::StreamFormat::L16At24000,
        StreamFormat::Mulaw => mixminus_plivo::StreamFormat::MulawAt8000,
    }
}

/// The stream in a reply.
pub fn stream(record: &StreamRecord) -> StreamObject {
    let CallId(call) = record.call;
    StreamObject {
        call_uuid: call.to_string(),
        end_time: record.ended_at.map(instant),
        service_url: record.url.clone(),
        start_time: record.started_at.map(instant),
        status: match record.state {
            StreamState::Connecting => "initiated",
            StreamState::Streaming => "started",
            StreamState::Stopped => "stopped",
            StreamState::Dropped => "failed",
        },
        status_callback_url: record.callback_url.clone(),
        stream_id: record.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use mixminus_control::{AccountId, StreamId, Timestamp};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn tracks_and_formats_are_the_same_there_and_back() {
        for plivo in [AudioTrack::Inbound, AudioTrack::Outbound, AudioTrack::Both] {
            let terms = StreamTerms { track: track(plivo), audience: None, ..agent() };
            assert_eq!(audio_track(&terms), plivo);
        }
        assert_eq!(audio_track(&agent()), AudioTrack::Inbound, "what an AI agent hears");
        for ours in
            [StreamFormat::Linear8k, StreamFormat::Linear16k, StreamFormat::Linear24k, StreamFormat::Mulaw]
        {
            assert_eq!(stream_format(plivo_format(ours)), ours);
        }
    }

    fn agent() -> StreamTerms {
        ai_agent(xml::AiAgentStream {
            service_url: "wss://h/s".into(),
            format: mixminus_plivo::StreamFormat::default(),
            extra_headers: None,
            status_callback: None,
        })
    }

    #[test]
    fn more_noise_goes_at_a_higher_level() {
        use Suppression::{Light, Medium, Strong, Strongest};
        let levels = [60, 69, 70, 79, 80, 85, 94, 95, 100];
        let expected = [Light, Light, Medium, Medium, Strong, Strong, Strong, Strongest, Strongest];
        assert_eq!(levels.map(suppression), expected);
    }

    #[test]
    fn a_stream_says_where_it_is_in_its_life() {
        let record = |state| StreamRecord {
            id: StreamId(Uuid::nil()),
            account: AccountId("MA".into()),
            call: CallId(Uuid::nil()),
            url: "wss://h/s".into(),
            callback_url: None,
            state,
            created_at: Timestamp::default(),
            started_at: None,
            ended_at: None,
        };
        for (state, word) in [
            (StreamState::Connecting, "initiated"),
            (StreamState::Streaming, "started"),
            (StreamState::Stopped, "stopped"),
            (StreamState::Dropped, "failed"),
        ] {
            assert_eq!(stream(&record(state)).status, word);
        }
    }
}
