//! A live conference as it is kept and as it is seen.

use std::collections::BTreeMap;

use mixminus_control::{ConferenceRecord, ConferenceState, ParticipantId, ParticipantRecord, Timestamp};
use mixminus_mixer::{BridgeId, LegId, MixPlan, SourceId};

use super::Book;
use super::tape::{of_conference, of_participant};

/// A live conference as it is kept.
#[derive(Debug)]
pub(super) struct Stage {
    pub record: ConferenceRecord,
    pub bridge: BridgeId,
    pub inside: BTreeMap<ParticipantId, Inside>,
    pub version: u64,
}

/// A participant and its leg.
#[derive(Clone, Debug, PartialEq)]
pub struct Inside {
    /// Its row.
    pub record: ParticipantRecord,
    /// Its leg.
    pub leg: LegId,
}

/// A live conference in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its row.
    pub record: ConferenceRecord,
    /// How many are inside.
    pub participants: usize,
}

/// What a participant hears now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hears {
    /// Whom.
    pub participants: Vec<ParticipantId>,
    /// How many sounds besides: music, prompts, whoever is being called.
    pub sounds: usize,
}

/// Who is in a conference and hears whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The conference.
    pub seen: Seen,
    /// Who is inside.
    pub inside: Vec<Inside>,
    /// What each of them hears, in their order, by the plan that the mixer has.
    pub hears: Vec<Hears>,
}

impl Stage {
    pub(super) fn seen(&self) -> Seen {
        Seen { record: self.record.clone(), participants: self.inside.len() }
    }
}

impl Scene {
    pub(super) fn new(seen: Seen, inside: Vec<Inside>, plan: Option<&MixPlan>) -> Self {
        let routes = plan.map(MixPlan::routes).unwrap_or_default();
        let of_leg: BTreeMap<LegId, ParticipantId> =
            inside.iter().map(|one| (one.leg, one.record.id)).collect();
        let hears = |one: &Inside| {
            let Ok(place) = routes.binary_search_by_key(&one.leg, |route| route.leg) else {
                return Hears::default();
            };
            let sources = &routes[place].hears;
            let participants: Vec<_> = sources
                .iter()
                .filter_map(|source| match source {
                    SourceId::Leg(leg) => of_leg.get(leg).copied(),
                    SourceId::Prompt(_) => None,
                })
                .collect();
            Hears { sounds: sources.len() - participants.len(), participants }
        };
        let hears = inside.iter().map(hears).collect();
        Self { seen, inside, hears }
    }

    pub(super) fn legs(&self) -> Vec<LegId> {
        self.inside.iter().map(|one| one.leg).collect()
    }
}

impl Book {
    pub(super) fn note_conference(
        &mut self,
        record: &ConferenceRecord,
        bridge: Option<BridgeId>,
        now: Timestamp,
    ) {
        self.version += 1;
        let version = self.version;
        let known = self.conferences.get_mut(&record.id);
        for what in of_conference(known.as_ref().map(|stage| &stage.record), record) {
            self.tape.add(now, what, record, None);
        }
        match (known, bridge) {
            (Some(stage), _) => (stage.record, stage.version) = (record.clone(), version),
            (None, Some(bridge)) => {
                let stage = Stage { record: record.clone(), bridge, inside: BTreeMap::new(), version };
                self.conferences.insert(record.id, stage);
            }
            // It ended with what made it.
            (None, None) => {}
        }
    }

    pub(super) fn note_participant(
        &mut self,
        record: &ParticipantRecord,
        leg: Option<LegId>,
        now: Timestamp,
    ) {
        let Some(stage) = self.conferences.get_mut(&record.conference) else { return };
        self.version += 1;
        stage.version = self.version;
        let known = stage.inside.get(&record.id);
        for what in of_participant(known.map(|inside| &inside.record), record) {
            self.tape.add(now, what, &stage.record, Some(record));
        }
        let leg = leg.or(known.map(|inside| inside.leg));
        match leg.filter(|_| record.left_at.is_none()) {
            Some(leg) => drop(stage.inside.insert(record.id, Inside { record: record.clone(), leg })),
            None => drop(stage.inside.remove(&record.id)),
        }
    }

    pub(super) fn forget_ended(&mut self) {
        self.conferences.retain(|_, stage| stage.record.state != ConferenceState::Ended);
    }
}
