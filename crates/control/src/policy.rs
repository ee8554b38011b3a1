//! Who hears whom, and who hears which music.
//!
//! These functions are the only place where that is decided. A conference
//! asks them for every pair of participants and compiles the answers into its
//! bridge's mix plan; nothing routes audio in another way.

/// What a participant is in a conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Serves customers; may be coached.
    Agent,
    /// A software agent; as [`Role::Agent`].
    AiAgent,
    /// Is served.
    Customer,
    /// Oversees: may listen, coach or speak to all.
    Supervisor,
}

impl Role {
    /// Whether this role serves customers.
    pub const fn is_agent(self) -> bool {
        matches!(self, Self::Agent | Self::AiAgent)
    }
}

/// Whom a coach speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoachTarget {
    /// Every agent.
    Agents,
    /// One participant.
    One(crate::ParticipantId),
}

/// How a supervisor takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Supervision {
    /// Hears all, is heard by nobody.
    Monitor,
    /// Hears all, is heard by its target only.
    Coach(CoachTarget),
    /// Hears all, is heard by all.
    Barge,
}

/// What decides about one participant's audio: the causes, not the effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// Who it is.
    pub id: crate::ParticipantId,
    /// What it is.
    pub role: Role,
    /// How it supervises; counts for supervisors only.
    pub supervision: Supervision,
    /// Muted by request.
    pub muted: bool,
    /// Held by request.
    pub held: bool,
    /// The conference has not started.
    pub waiting: bool,
}

/// Whether the conference reaches this party at all: its talk, its sounds.
pub const fn hears_conference(sink: &Party) -> bool {
    !sink.held && !sink.waiting
}

/// Whether what this party says enters the conference.
pub const fn contributes(source: &Party) -> bool {
    !source.muted && !source.held && !source.waiting
}

/// Whether `sink` hears `source`.
pub fn audible(source: &Party, sink: &Party) -> bool {
    let meant_for_sink = match (source.role, source.supervision) {
        (Role::Supervisor, Supervision::Monitor) => false,
        (Role::Supervisor, Supervision::Coach(CoachTarget::Agents)) => sink.role.is_agent(),
        (Role::Supervisor, Supervision::Coach(CoachTarget::One(target))) => sink.id == target,
        _ => true,
    };
    source.id != sink.id && contributes(source) && meant_for_sink && hears_conference(sink)
}

/// Whether a conference's recordings hold what coaches say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CoachVoice {
    /// They do.
    #[default]
    Recorded,
    /// They do not.
    LeftOut,
}

/// Whether recordings of the conference hold what `source` says.
///
/// Whatever enters the conference does, with two exceptions: a monitor is heard by nobody, so there
/// is nothing to keep, and coaches may be left out.
pub fn recorded(source: &Party, coaches: CoachVoice) -> bool {
    let kept = match (source.role, source.supervision) {
        (Role::Supervisor, Supervision::Monitor) => false,
        (Role::Supervisor, Supervision::Coach(_)) => coaches == CoachVoice::Recorded,
        _ => true,
    };
    kept && contributes(source)
}

/// Whether recordings of the conference hold what is played to `sink`, whoever else hears it.
///
/// A recording is to tell what those in the conversation heard, be it said to one of them. Nobody
/// whom the conference does not reach is in the conversation: neither its music nor what a request
/// plays to it.
pub const fn recorded_of(sink: &Party) -> bool {
    hears_conference(sink)
}

/// Music that a conference plays to those whom it does not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Music {
    /// For those who wait for the start.
    Wait,
    /// For held agents.
    AgentHold,
    /// For held customers and supervisors.
    CustomerHold,
}

/// The music `sink` hears; hold music when it is both held and waiting.
pub const fn music(sink: &Party) -> Option<Music> {
    match (sink.held, sink.waiting) {
        (true, _) if sink.role.is_agent() => Some(Music::AgentHold),
        (true, _) => Some(Music::CustomerHold),
        (false, true) => Some(Music::Wait),
        (false, false) => None,
    }
}

/// Whether the others may notice that this party enters or leaves.
///
/// A supervisor whom customers do not hear must not be announced to them.
pub const fn announced(party: &Party) -> bool {
    !matches!(
        (party.role, party.supervision),
        (Role::Supervisor, Supervision::Monitor | Supervision::Coach(_))
    )
}

/// Whether the others may notice that somebody is on the way who comes as `role`, a
/// supervisor `coaching` or not.
pub fn announced_as(role: Role, coaching: bool) -> bool {
    role != Role::Supervisor || !coaching
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParticipantId;

    fn party(id: u64, role: Role) -> Party {
        Party {
            id: ParticipantId(id),
            role,
            supervision: Supervision::Barge,
            muted: false,
            held: false,
            waiting: false,
        }
    }

    fn coach(id: u64, target: CoachTarget) -> Party {
        Party { supervision: Supervision::Coach(target), ..party(id, Role::Supervisor) }
    }

    const ROLES: [Role; 4] = [Role::Agent, Role::AiAgent, Role::Customer, Role::Supervisor];

    #[test]
    fn everybody_hears_everybody_else() {
        for source in ROLES {
            for sink in ROLES {
                assert!(audible(&party(1, source), &party(2, sink)), "{source:?} to {sink:?}");
            }
        }
    }

    #[test]
    fn nobody_hears_themselves() {
        for role in ROLES {
            assert!(!audible(&party(1, role), &party(1, role)));
        }
    }

    #[test]
    fn a_muted_participant_is_not_heard_but_still_hears() {
        let muted = Party { muted: true, ..party(1, Role::Agent) };
        assert!(!audible(&muted, &party(2, Role::Customer)));
        assert!(audible(&party(2, Role::Customer), &muted));
    }

    #[test]
    fn a_held_participant_is_not_heard_and_hears_only_music() {
        let held = Party { held: true, ..party(1, Role::Customer) };
        assert!(!audible(&held, &party(2, Role::Agent)));
        assert!(!audible(&party(2, Role::Agent), &held));
        assert_eq!(music(&held), Some(Music::CustomerHold));
        assert_eq!(music(&Party { held: true, ..party(1, Role::Agent) }), Some(Music::AgentHold));
        assert_eq!(music(&Party { held: true, ..party(1, Role::AiAgent) }), Some(Music::AgentHold));
        assert_eq!(music(&Party { held: true, ..party(1, Role::Supervisor) }), Some(Music::CustomerHold));
    }

    #[test]
    fn a_waiting_participant_is_not_heard_and_hears_only_music() {
        let waiting = Party { waiting: true, ..party(1, Role::Customer) };
        assert!(!audible(&waiting, &party(2, Role::Agent)));
        assert!(!audible(&party(2, Role::Agent), &waiting));
        assert_eq!(music(&waiting), Some(Music::Wait));
        assert_eq!(music(&Party { held: true, ..waiting }), Some(Music::CustomerHold));
    }

    #[test]
    fn a_coach_is_heard_by_agents_only() {
        let coach = coach(1, CoachTarget::Agents);
        assert!(audible(&coach, &party(2, Role::Agent)));
        assert!(audible(&coach, &party(2, Role::AiAgent)));
        assert!(!audible(&coach, &party(2, Role::Customer)));
        assert!(!audible(&coach, &party(2, Role::Supervisor)));
        assert!(audible(&party(2, Role::Customer), &coach));
    }

    #[test]
    fn a_coach_of_one_is_heard_by_that_one_only() {
        let coach = coach(1, CoachTarget::One(ParticipantId(2)));
        assert!(audible(&coach, &party(2, Role::Customer)));
        assert!(!audible(&coach, &party(3, Role::Agent)));
    }

    #[test]
    fn a_monitor_is_heard_by_nobody_and_hears_all() {
        let monitor = Party { supervision: Supervision::Monitor, ..party(1, Role::Supervisor) };
        for role in ROLES {
            assert!(!audible(&monitor, &party(2, role)));
            assert!(audible(&party(2, role), &monitor));
        }
    }

    #[test]
    fn supervision_means_nothing_for_other_roles() {
        for role in [Role::Agent, Role::AiAgent, Role::Customer] {
            let odd = Party { supervision: Supervision::Monitor, ..party(1, role) };
            assert!(audible(&odd, &party(2, Role::Customer)));
            assert!(announced(&odd));
        }
    }

    #[test]
    fn whoever_enters_the_conference_is_recorded() {
        for role in ROLES {
            assert!(recorded(&party(1, role), CoachVoice::LeftOut), "{role:?}");
        }
    }

    #[test]
    fn a_barging_supervisor_is_recorded_and_a_coach_unless_coaches_are_left_out() {
        let coach = coach(1, CoachTarget::Agents);
        assert!(recorded(&party(1, Role::Supervisor), CoachVoice::LeftOut));
        assert!(recorded(&coach, CoachVoice::Recorded));
        assert!(!recorded(&coach, CoachVoice::LeftOut));
    }

    #[test]
    fn a_monitor_is_not_recorded() {
        let monitor = Party { supervision: Supervision::Monitor, ..party(1, Role::Supervisor) };
        assert!(!recorded(&monitor, CoachVoice::Recorded));
    }

    #[test]
    fn who_is_muted_held_or_waiting_is_not_recorded() {
        let one = party(1, Role::Customer);
        for silent in
            [Party { muted: true, ..one }, Party { held: true, ..one }, Party { waiting: true, ..one }]
        {
            assert!(!recorded(&silent, CoachVoice::Recorded), "{silent:?}");
        }
    }

    #[test]
    fn what_is_played_is_recorded_of_whom_the_conference_reaches() {
        let one = party(1, Role::Customer);
        assert!(recorded_of(&one) && recorded_of(&Party { muted: true, ..one }));
        assert!(!recorded_of(&Party { held: true, ..one }) && !recorded_of(&Party { waiting: true, ..one }));
    }

    #[test]
    fn only_supervisors_whom_customers_hear_are_announced() {
        assert!(!announced(&coach(1, CoachTarget::Agents)));
        assert!(!announced(&Party { supervision: Supervision::Monitor, ..party(1, Role::Supervisor) }));
        assert!(announced(&party(1, Role::Supervisor)));
    }
}
