//! `<MultiPartyCall>` and its attributes.

use super::attributes::Attributes;
use super::{Limits, MultiPartyCall, Recording, Sound, StatusCallback, Target, XmlError};
use crate::join::{AiAgentStream, MAX_NAME_CHARS, is_name};
use crate::media::{MAX_EXTRA_HEADERS_BYTES, StreamFormat, extra_headers};
use crate::{EventGroup, FileFormat, Method, Role};

pub(super) fn read(attributes: &Attributes<'_, '_>, limits: &Limits) -> Result<MultiPartyCall, XmlError> {
    let get = Method::Get;
    let hold_music = |name, method, element| match attributes.target(name, (method, get)) {
        Ok(None) => nested_music(attributes, element),
        target => target,
    };
    let (name, role) = (name(attributes)?, role(attributes)?);
    Ok(MultiPartyCall {
        name,
        role,
        coach_mode: attributes.flag("coachMode", true)?,
        mute: attributes.flag("mute", false)?,
        hold: attributes.flag("hold", false)?,
        stay_alone: attributes.flag("stayAlone", false)?,
        start_mpc_on_enter: attributes.flag("startMpcOnEnter", true)?,
        end_mpc_on_exit: attributes.flag("endMpcOnExit", false)?,
        relay_dtmf_inputs: attributes.flag("relayDTMFInputs", false)?,
        enter_sound: sound(attributes, "enterSound", "enterSoundMethod")?.unwrap_or(Sound::Beep1),
        exit_sound: sound(attributes, "exitSound", "exitSoundMethod")?.unwrap_or(Sound::Beep2),
        on_exit_action: attributes.target("onExitActionUrl", ("onExitActionMethod", Method::Post))?,
        ai_agent_stream: ai_agent_stream(attributes, role)?,
        max_duration_seconds: bounded(attributes, "maxDuration", (300, 28_800), limits.max_duration_seconds)?
            .unwrap_or(limits.max_duration_seconds.min(14_400)),
        max_participants: bounded(attributes, "maxParticipants", (2, 10), limits.max_participants)?
            .unwrap_or(limits.max_participants),
        wait_music: attributes.target("waitMusicUrl", ("waitMusicMethod", get))?,
        wait_time_seconds: attributes.number("waitTime", 0..=1800)?,
        wait_for_agent: attributes.flag("waitForAgent", false)?,
        agent_hold_music: hold_music("agentHoldMusicUrl", "agentHoldMusicMethod", "AgentHoldMusic")?,
        customer_hold_music: hold_music(
            "customerHoldMusicUrl",
            "customerHoldMusicMethod",
            "CustomerHoldMusic",
        )?,
        recording: recording(attributes)?,
        status_callback: status_callback(attributes)?,
    })
}

/// The URL in an element inside, which is how the Go SDK may write it.
fn nested_music(attributes: &Attributes<'_, '_>, element: &str) -> Result<Option<Target>, XmlError> {
    let Some(music) = attributes.children().find(|child| child.name() == element) else { return Ok(None) };
    let url = music.content();
    let url = attributes.resolve_http(&url).filter(|_| !url.is_empty() && !url.contains(char::is_whitespace));
    let url = url.ok_or_else(|| music.refuse_content(&music.content(), "a URL, http or https"))?;
    Ok(Some(Target { url, method: music.method("method", Method::Get)? }))
}

/// A number within Plivo's own range, or up to `limit` where that is more. A
/// deployer who sets less still accepts what every SDK writes unasked.
fn bounded(
    attributes: &Attributes<'_, '_>,
    name: &'static str,
    (min, vendor_max): (u32, u32),
    limit: u32,
) -> Result<Option<u32>, XmlError> {
    let number = attributes.number(name, min..=vendor_max.max(limit))?;
    Ok(number.map(|number| number.min(limit)))
}

fn name(attributes: &Attributes<'_, '_>) -> Result<String, XmlError> {
    let name = attributes.own_content();
    if !is_name(&name) {
        let accepted = format!("a name on one line of 1 to {MAX_NAME_CHARS} characters");
        return Err(attributes.refuse_content(&name, accepted));
    }
    Ok(name)
}

fn role(attributes: &Attributes<'_, '_>) -> Result<Role, XmlError> {
    attributes
        .text("role")
        .and_then(Role::parse)
        .ok_or_else(|| attributes.refuse("role", "Agent, Supervisor, Customer, ai-agent"))
}

fn sound(
    attributes: &Attributes<'_, '_>,
    name: &'static str,
    method_name: &'static str,
) -> Result<Option<Sound>, XmlError> {
    let method = attributes.method(method_name, Method::Get)?;
    let Some(text) = attributes.text(name) else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "none" => Ok(Some(Sound::None)),
        "beep:1" => Ok(Some(Sound::Beep1)),
        "beep:2" => Ok(Some(Sound::Beep2)),
        _ => attributes
            .resolve_http(text)
            .map(|url| Some(Sound::Url(Target { url, method })))
            .ok_or_else(|| attributes.refuse(name, "none, beep:1, beep:2, or a URL, http or https")),
    }
}

fn recording(attributes: &Attributes<'_, '_>) -> Result<Recording, XmlError> {
    let get = Method::Get;
    Ok(Recording {
        record: attributes.flag("record", false)?,
        participant_track: attributes.flag("recordParticipantTrack", false)?,
        file_format: attributes.choice("recordFileFormat", FileFormat::WORDS)?.unwrap_or_default(),
        min_member_count: attributes.number("recordMinMemberCount", 1..=2)?.unwrap_or(1),
        coach_voice: attributes.flag("recordCoachVoice", true)?,
        callback: attributes.target("recordingCallbackUrl", ("recordingCallbackMethod", get))?,
        start_audio: attributes.target("startRecordingAudio", ("startRecordingAudioMethod", get))?,
        stop_audio: attributes.target("stopRecordingAudio", ("stopRecordingAudioMethod", get))?,
        transcript: attributes.flag("transcript", false)?,
        transcription_url: attributes.url("transcriptionUrl")?,
    })
}

fn status_callback(attributes: &Attributes<'_, '_>) -> Result<Option<StatusCallback>, XmlError> {
    let events = attributes
        .text("statusCallbackEvents")
        .unwrap_or("mpc-state-changes,participant-state-changes")
        .split(',')
        .map(str::trim)
        .filter(|group| !group.is_empty())
        .map(|group| {
            EventGroup::parse(group)
                .ok_or_else(|| attributes.refuse("statusCallbackEvents", EventGroup::NAMES.join(", ")))
        })
        .collect::<Result<_, _>>()?;
    let target = attributes.target("statusCallbackUrl", ("statusCallbackMethod", Method::Post))?;
    Ok(target.map(|target| StatusCallback { target, events }))
}

/// The stream by which an AI agent takes part; nobody else has one.
fn ai_agent_stream(attributes: &Attributes<'_, '_>, role: Role) -> Result<Option<AiAgentStream>, XmlError> {
    let method = ("aiAgentStreamStatusCallbackMethod", Method::Post);
    let status_callback = attributes.target("aiAgentStreamStatusCallbackUrl", method)?;
    let format = ai_agent_format(attributes)?;
    let short = format!("at most {MAX_EXTRA_HEADERS_BYTES} bytes on one line");
    let extra_headers = attributes.read("aiAgentStreamExtraHeaders", short, extra_headers)?;
    let service_url = attributes.url_of("aiAgentStreamServiceUrl", &["ws", "wss"])?;
    let stream = |service_url| AiAgentStream { service_url, format, extra_headers, status_callback };
    Ok(service_url.filter(|_| role == Role::AiAgent).map(stream))
}

/// The format that the content type names, at the sampling rate if one is given beside it.
fn ai_agent_format(attributes: &Attributes<'_, '_>) -> Result<StreamFormat, XmlError> {
    let format = attributes.choice("aiAgentStreamContentType", StreamFormat::WORDS)?.unwrap_or_default();
    let rate = "aiAgentStreamSamplingRate";
    let Some(text) = attributes.text(rate) else { return Ok(format) };
    let formats = StreamFormat::WORDS.iter().map(|(_, other)| *other);
    let mut fitting = formats.filter(|other| other.encoding() == format.encoding());
    let accepted = fitting.clone().map(|other| other.rate_hz().to_string()).collect::<Vec<_>>().join(", ");
    fitting.find(|other| text.parse() == Ok(other.rate_hz())).ok_or_else(|| attributes.refuse(rate, accepted))
}
