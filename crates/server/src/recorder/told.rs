//! What the control plane says of a recording, in the words of its sidecar.

use mixminus_control::policy::Role;
use mixminus_control::{ConferenceEvent, RecordedParty, RecordingEntry};
use mixminus_mixer::LegId;
use mixminus_recording::{Entry, Event};

use super::tracks::Tracks;

/// The entries for what was said; none for what a listener need not know.
pub(super) fn entries(told: RecordingEntry, tracks: &mut Tracks) -> Vec<Entry> {
    match told {
        RecordingEntry::Present(leg, party) => present(leg, &party, tracks),
        RecordingEntry::Happened(leg, event) => {
            let participant = tracks.party(leg);
            if event == ConferenceEvent::Left {
                tracks.leave(leg);
            }
            event_of(event).map(|event| Entry { participant, event }).into_iter().collect()
        }
        // The ticks themselves say what was paused.
        RecordingEntry::Paused | RecordingEntry::Resumed => Vec::new(),
    }
}

fn present(leg: LegId, party: &RecordedParty, tracks: &mut Tracks) -> Vec<Entry> {
    let track = tracks.of_leg(leg);
    let role = party.role.map_or("party", role).to_owned();
    let id = party.participant.map_or_else(|| party.call.to_string(), |id| id.to_string());
    tracks.name(leg, &id);
    let causes = [
        (true, Event::Participant { name: Some(party.address.clone()), role, track }),
        (true, Event::Joined),
        (party.muted, Event::Muted),
        (party.held, Event::Held),
        (party.coaching, Event::Coaching),
    ];
    let applying = causes.into_iter().filter(|(applies, _)| *applies);
    applying.map(|(_, event)| Entry { participant: Some(id.clone()), event }).collect()
}

fn event_of(event: ConferenceEvent) -> Option<Event> {
    Some(match event {
        ConferenceEvent::Joined => Event::Joined,
        ConferenceEvent::Left => Event::Left,
        ConferenceEvent::Muted => Event::Muted,
        ConferenceEvent::Unmuted => Event::Unmuted,
        ConferenceEvent::Held => Event::Held,
        ConferenceEvent::Resumed => Event::Unheld,
        ConferenceEvent::CoachStarted => Event::Coaching,
        ConferenceEvent::CoachStopped => Event::CoachingEnded,
        ConferenceEvent::TalkStarted => Event::Talking,
        ConferenceEvent::TalkStopped => Event::TalkingEnded,
        ConferenceEvent::Digit(digit) => Event::Digits { digits: digit.into() },
        _ => return None,
    })
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::AiAgent => "ai_agent",
        Role::Customer => "customer",
        Role::Supervisor => "supervisor",
    }
}
