//! The built-in application: the called name is the conference.

use std::time::Duration;

use crate::input::Refusal;
use crate::instruction::{ConferenceRequest, Document, Instruction, Sound};
use crate::policy::{CoachVoice, Role};
use crate::record::ConferenceKind;

/// Longest name of a conference.
const MAX_NAME_CHARS: usize = 255;

/// The document for a call to `user`: join the conference `<name>` as agent,
/// or as what the suffix of `<name>.customer` or `<name>.supervisor` says. What
/// can be no name is not found.
pub(crate) fn built_in(user: &str, max_participants: usize) -> Document {
    let (name, role) = match user.rsplit_once('.') {
        Some((name, "agent")) => (name, Role::Agent),
        Some((name, "customer")) => (name, Role::Customer),
        Some((name, "supervisor")) => (name, Role::Supervisor),
        _ => (user, Role::Agent),
    };
    let instruction = if is_name(name) {
        Instruction::Conference(Box::new(request(name, role, max_participants)))
    } else {
        Instruction::HangUp { refusal: Some(Refusal::NotFound), after: None }
    };
    Document { url: None, instructions: vec![instruction] }
}

/// Whether a conference can be found again under `name`: it can be written in
/// one line, and no character of it was lost on the way.
fn is_name(name: &str) -> bool {
    let lost = |character: char| character.is_control() || character == char::REPLACEMENT_CHARACTER;
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.contains(lost)
}

fn request(name: &str, role: Role, max_participants: usize) -> ConferenceRequest {
    ConferenceRequest {
        kind: ConferenceKind::Supervised,
        name: name.to_owned(),
        role,
        coach: true,
        mute: false,
        hold: false,
        // A demonstration that hangs up on its first caller's last guest would puzzle people.
        stay_alone: true,
        start_on_enter: true,
        end_on_exit: false,
        relay_digits: false,
        max_duration: Duration::from_hours(4),
        max_participants,
        enter_sound: Sound::Beep1,
        exit_sound: Sound::Beep2,
        wait_music: None,
        agent_hold_music: None,
        customer_hold_music: None,
        wait_for_agent: false,
        max_wait: None,
        recording: None,
        coach_voice: CoachVoice::default(),
        status_callback: None,
        own_callback: None,
        leave_on_star: false,
        stream: None,
        on_exit: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(user: &str) -> (String, Role) {
        match built_in(user, 10).instructions.remove(0) {
            Instruction::Conference(request) => (request.name, request.role),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_called_name_says_conference_and_role() {
        assert_eq!(joined("demo"), ("demo".into(), Role::Agent));
        assert_eq!(joined("demo.customer"), ("demo".into(), Role::Customer));
        assert_eq!(joined("demo.supervisor"), ("demo".into(), Role::Supervisor));
        assert_eq!(joined("a.b.customer"), ("a.b".into(), Role::Customer));
        assert_eq!(joined("acme.sales"), ("acme.sales".into(), Role::Agent));
    }

    #[test]
    fn what_can_be_no_name_is_not_found() {
        for user in ["", " ", ".customer", "x\0y", "a\nb", "\u{fffd}", &"n".repeat(256)] {
            let refused = Instruction::HangUp { refusal: Some(Refusal::NotFound), after: None };
            assert_eq!(built_in(user, 10).instructions, [refused], "{user:?}");
        }
        assert_eq!(joined(&"n".repeat(255)).0.len(), 255);
    }
}
