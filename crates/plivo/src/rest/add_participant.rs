//! Bringing somebody into an MPC.

use std::time::Duration;

use super::fields::{quoted, required};
use super::{Arguments, RestError, schema};
use crate::join::{MultiPartyCall, Recording, Sound, StatusCallback, Target, is_name};
use crate::xml::Limits;
use crate::{Destination, EventGroup, FileFormat, Key, Method, Role, SipHeaders};

/// The most destinations of one request.
pub const MAX_DESTINATIONS: usize = 20;
/// The longest that a phone rings, and that dialling is delayed.
pub const MAX_RING_SECONDS: u32 = 3600;

const DEFAULT_RING_SECONDS: u32 = 45;

/// An add-participant request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddParticipant {
    /// Who takes part.
    pub party: Party,
    /// How, and in what MPC if the request creates it.
    pub mpc: MultiPartyCall,
    /// Whether the MPC is created for a first participant alone.
    pub create_mpc_with_single_participant: bool,
}

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A live call, taken from what it does.
    Existing {
        /// Its `call_uuid`.
        call_uuid: String,
    },
    /// The first to answer, and to confirm, of those who are called.
    Called(Box<Outbound>),
}

/// Calls to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The caller id.
    pub from: String,
    /// The caller's name.
    pub caller_name: String,
    /// Whom to call, at least one.
    pub attempts: Vec<Attempt>,
    /// Where the calls' progress is reported.
    pub call_status_callback: Option<Target>,
    /// Custom headers of the calls.
    pub sip_headers: SipHeaders,
    /// What the called party has to press.
    pub confirm: Option<Confirm>,
    /// What the MPC hears while it rings.
    pub dial_music: DialMusic,
    /// Sent after the answer.
    pub send_digits: Vec<Key>,
    /// Whether they are sent with early media already.
    pub send_on_preanswer: bool,
}

/// One of the calls to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who is called.
    pub to: Destination,
    /// How long after the request.
    pub delay: Duration,
    /// How long it may ring.
    pub ring_timeout: Duration,
}

/// The key by which a called party proves to be no machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// One of `0-9 # *`.
    pub key: char,
    /// Document played before.
    pub sound: Option<Target>,
}

/// What is heard while a phone rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialMusic {
    /// What the called side sends.
    Real,
    /// Nothing.
    None,
    /// An audio file or a document.
    Url(String),
}

impl AddParticipant {
    /// Reads the body of a request about the MPC called `name`. As in XML, a
    /// value within Plivo's own limits is brought down to the deployer's.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value, in the words
    /// of the Python SDK where it has any, and for a `name` that no MPC may have.
    pub fn parse(body: &Arguments, name: &str, limits: &Limits) -> Result<Self, RestError> {
        let role = required("role", body.choice("role", Role::WORDS)?)?;
        Ok(Self {
            party: party(body, role)?,
            mpc: mpc(body, name, role, limits)?,
            create_mpc_with_single_participant: body.flag_or("create_mpc_with_single_participant", true)?,
        })
    }
}

fn party(body: &Arguments, role: Role) -> Result<Party, RestError> {
    let from = body.caller_id()?;
    let has_destination = body.text("to")?.is_some();
    match body.line("call_uuid")? {
        Some(_) if from.is_some() || has_destination => Err(RestError::CallAndDestination),
        Some(call_uuid) => Ok(Party::Existing { call_uuid: call_uuid.to_ascii_lowercase() }),
        None => match from {
            None if !has_destination => Err(RestError::NobodyToAdd),
            Some(from) if has_destination => Ok(Party::Called(Box::new(outbound(body, from, role)?))),
            _ => Err(RestError::HalfACall),
        },
    }
}

fn outbound(body: &Arguments, from: String, role: Role) -> Result<Outbound, RestError> {
    Ok(Outbound {
        caller_name: body.caller_name()?.unwrap_or_else(|| from.chars().take(50).collect()),
        from,
        attempts: attempts(body, role)?,
        call_status_callback: body
            .target("call_status_callback_url", ("call_status_callback_method", Method::Post))?,
        sip_headers: body.sip_headers()?,
        confirm: confirm(body)?,
        dial_music: dial_music(body)?,
        send_digits: body.keys("send_digits")?,
        send_on_preanswer: body.flag_or("send_on_preanswer", false)?,
    })
}

fn attempts(body: &Arguments, role: Role) -> Result<Vec<Attempt>, RestError> {
    let destinations = body.destinations("to")?;
    if destinations.len() > 1 && role != Role::Agent {
        return Err(RestError::SeveralDestinations(role.name()));
    }
    if destinations.len() > MAX_DESTINATIONS {
        return Err(RestError::TooManyDestinations(MAX_DESTINATIONS));
    }
    let rings = seconds_each(body, "ring_timeout", (1, DEFAULT_RING_SECONDS))?;
    let delays = seconds_each(body, "delay_dial", (0, 0))?;
    if rings.len() > destinations.len() {
        return Err(RestError::RingTimeouts);
    }
    if delays.len() > destinations.len() {
        return Err(RestError::DelayDials);
    }
    let nth = |list: &[Duration], index: usize| list[index.min(list.len() - 1)];
    let attempt = |(index, to)| Attempt { to, delay: nth(&delays, index), ring_timeout: nth(&rings, index) };
    Ok(destinations.into_iter().enumerate().map(attempt).collect())
}

/// One number of seconds for each destination, `<` between; the last one
/// counts for the destinations that follow. At least one.
fn seconds_each(
    body: &Arguments,
    name: &'static str,
    (min, default): (u32, u32),
) -> Result<Vec<Duration>, RestError> {
    body.note(name, schema::seconds_each);
    let Some(text) = body.text(name)? else { return Ok(vec![Duration::from_secs(default.into())]) };
    let seconds = |part: &str| match part.trim().parse::<i64>() {
        Err(_) => Err(RestError::NotIntegers(name)),
        Ok(number) => u32::try_from(number)
            .ok()
            .filter(|number| (min..=MAX_RING_SECONDS).contains(number))
            .map(|number| Duration::from_secs(number.into()))
            .ok_or_else(|| RestError::Range { name, min, max: MAX_RING_SECONDS, value: quoted(&text) }),
    };
    text.split('<').map(seconds).collect()
}

fn confirm(body: &Arguments) -> Result<Option<Confirm>, RestError> {
    let keys = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "#", "*"].map(|key| (key, key));
    let sound = body.target("confirm_key_sound_url", ("confirm_key_sound_method", Method::Get))?;
    let key = body.choice("confirm_key", &keys)?.and_then(|key| key.chars().next());
    Ok(key.map(|key| Confirm { key, sound }))
}

fn dial_music(body: &Arguments) -> Result<DialMusic, RestError> {
    body.note("dial_music", || schema::words_or_url(&["real", "none"]));
    match body.text("dial_music")? {
        None => Ok(DialMusic::Real),
        Some(text) if text.eq_ignore_ascii_case("real") => Ok(DialMusic::Real),
        Some(text) if text.eq_ignore_ascii_case("none") => Ok(DialMusic::None),
        Some(_) => Ok(body.url("dial_music")?.map_or(DialMusic::Real, DialMusic::Url)),
    }
}

/// How somebody joins the MPC called `name`, as the body says.
pub(super) fn mpc(
    body: &Arguments,
    name: &str,
    role: Role,
    limits: &Limits,
) -> Result<MultiPartyCall, RestError> {
    if !is_name(name) {
        return Err(RestError::Parameter("friendly_name"));
    }
    let music = |name, method| body.target(name, (method, Method::Get));
    Ok(MultiPartyCall {
        name: name.to_owned(),
        role,
        coach_mode: body.flag_or("coach_mode", true)?,
        mute: body.flag_or("mute", false)?,
        hold: body.flag_or("hold", false)?,
        stay_alone: body.flag_or("stay_alone", false)?,
        start_mpc_on_enter: body.flag_or("start_mpc_on_enter", true)?,
        end_mpc_on_exit: body.flag_or("end_mpc_on_exit", false)?,
        relay_dtmf_inputs: body.flag_or("relay_dtmf_inputs", false)?,
        enter_sound: body.sound("enter_sound", "enter_sound_method")?.unwrap_or(Sound::Beep1),
        exit_sound: body.sound("exit_sound", "exit_sound_method")?.unwrap_or(Sound::Beep2),
        on_exit_action: body.target("on_exit_action_url", ("on_exit_action_method", Method::Post))?,
        ai_agent_stream: None,
        max_duration_seconds: bounded(body, "max_duration", (300, 28_800), limits.max_duration_seconds)?
            .unwrap_or(limits.max_duration_seconds.min(14_400)),
        max_participants: bounded(body, "max_participants", (2, 10), limits.max_participants)?
            .unwrap_or(limits.max_participants),
        wait_music: music("wait_music_url", "wait_music_method")?,
        wait_time_seconds: None,
        wait_for_agent: false,
        agent_hold_music: music("agent_hold_music_url", "agent_hold_music_method")?,
        customer_hold_music: music("customer_hold_music_url", "customer_hold_music_method")?,
        recording: recording(body)?,
        status_callback: status_callback(body)?,
    })
}

fn recording(body: &Arguments) -> Result<Recording, RestError> {
    let get = Method::Get;
    Ok(Recording {
        record: body.flag_or("record", false)?,
        participant_track: body.flag_or("record_participant_track", false)?,
        file_format: body.choice("record_file_format", FileFormat::WORDS)?.unwrap_or_default(),
        min_member_count: bounded(body, "record_min_member_count", (1, 2), 2)?.unwrap_or(1),
        coach_voice: true,
        callback: body.target("recording_callback_url", ("recording_callback_method", get))?,
        start_audio: body.target("start_recording_audio", ("start_recording_audio_method", get))?,
        stop_audio: body.target("stop_recording_audio", ("stop_recording_audio_method", get))?,
        transcript: body.flag_or("transcript", false)?,
        transcription_url: body.url("transcription_url")?,
    })
}

fn status_callback(body: &Arguments) -> Result<Option<StatusCallback>, RestError> {
    body.note("status_callback_events", schema::event_groups);
    let events = body.text("status_callback_events")?;
    let events = events
        .as_deref()
        .unwrap_or("mpc-state-changes,participant-state-changes")
        .split(',')
        .map(str::trim)
        .filter(|group| !group.is_empty())
        .map(|group| EventGroup::parse(group).ok_or(RestError::Parameter("status_callback_events")))
        .collect::<Result<_, _>>()?;
    let target = body.target("status_callback_url", ("status_callback_method", Method::Get))?;
    Ok(target.map(|target| StatusCallback { target, events }))
}

/// A number within Plivo's own range, or up to `limit` where that is more.
fn bounded(
    body: &Arguments,
    name: &'static str,
    (min, vendor_max): (u32, u32),
    limit: u32,
) -> Result<Option<u32>, RestError> {
    let max = vendor_max.max(limit);
    let number = body.number(name, min..=max).map_err(|error| match error {
        RestError::Range { name, min, max, value } => RestError::SdkRange { name, min, max, value },
        other => other,
    })?;
    Ok(number.map(|number| number.min(limit)))
}

#[cfg(test)]
mod tests;
