//! Who heard whom, against who should have.

use std::collections::HashSet;

use mixminus_codec::Format;
use serde::Serialize;

use crate::ear::Ear;
use crate::tones::{Scale, tone_level};

/// A voice at least so loud, against what was said, is heard.
const HEARD_DB: f32 = -15.0;
/// A voice that nobody may hear has to be softer than this, against what was said. A leak is as loud as
/// what was said; what G.711 makes of a hundred soft tones stays some 28 dB below them.
const AUDIBLE_DB: f32 = -25.0;
/// The same through two encoders of Opus, which put more beside the tones of ten.
const AUDIBLE_IN_OPUS_DB: f32 = -18.0;

/// A caller's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Seat {
    /// Number of the room, from 0.
    pub room: u32,
    /// Number in the room, from 0.
    pub number: u32,
}

/// How the callers are seated, who of them talks, and who listens.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) rooms: u32,
    pub(crate) participants: u32,
    /// The first so many of each room.
    pub(crate) talkers: u32,
    /// So many of all, the others count their packets.
    pub(crate) listeners: u32,
    pub(crate) format: Format,
    pub(crate) scale: Scale,
}

/// One voice at one ear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Whose ear.
    pub listener: Seat,
    /// Whose voice.
    pub speaker: Seat,
    /// How loud it was against what was said.
    pub level_db: f32,
}

/// What was heard in one room.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoomHearing {
    /// Number of the room.
    pub room: u32,
    /// Callers who listened.
    pub listeners: usize,
    /// Pairs of a listener and a voice that should be heard.
    pub expected: usize,
    /// Those of them that were.
    pub heard: usize,
    /// Those that were not.
    pub missing: Vec<Finding>,
    /// Voices that should not have been heard, the listener's own among them.
    pub unexpected: Vec<Finding>,
    /// The loudest that anybody heard of their own voice, against what they said.
    pub own_voice_db: f32,
}

impl Plan {
    pub(crate) fn callers(&self) -> u32 {
        self.rooms * self.participants
    }

    pub(crate) fn index(&self, seat: Seat) -> u32 {
        seat.room * self.participants + seat.number
    }

    /// Every seat, room by room.
    pub(crate) fn seats(&self) -> impl Iterator<Item = Seat> {
        let numbers = |room| (0..self.participants).map(move |number| Seat { room, number });
        (0..self.rooms).flat_map(numbers)
    }

    /// The tone of a seat, if it talks: different for everybody until they run out, and then still in each
    /// room, where they are as far apart as can be.
    pub(crate) fn tone(&self, seat: Seat) -> Option<u32> {
        let rooms = self.rooms_apart();
        (seat.number < self.talkers).then(|| (seat.number * rooms + seat.room % rooms) % self.scale.tones)
    }

    /// How many rooms there are tones for, all different.
    fn rooms_apart(&self) -> u32 {
        (self.scale.tones / self.talkers).max(1)
    }

    /// Whether a seat listens: some in every room, as evenly as can be, and others from room to room.
    pub(crate) fn listens(&self, seat: Seat) -> bool {
        let number = (seat.number + seat.room) % self.participants;
        let before = |index: u32| u64::from(index) * u64::from(self.listeners) / u64::from(self.callers());
        let index = self.index(Seat { number, ..seat });
        before(index) != before(index + 1)
    }

    /// Everyone whom `listener` may hear, and how loud, against what was said.
    fn voices(&self, listener: Seat, ear: &Ear) -> Vec<(Seat, f32)> {
        let mates = (0..self.talkers).map(|number| Seat { number, ..listener });
        let said = tone_level(self.talkers);
        let owner = |tone| {
            let stranger = Seat { room: tone % self.rooms_apart(), number: tone / self.rooms_apart() };
            mates.clone().find(|seat| self.tone(*seat) == Some(tone)).unwrap_or(stranger)
        };
        let tones = 0..self.scale.tones;
        tones.map(|tone| (owner(tone), ear.tone(self.scale, tone).0 - said.0)).collect()
    }

    /// Judges what the ears of those who are there heard.
    pub(crate) fn judge<'a>(
        &self,
        there: &HashSet<Seat>,
        ears: impl Iterator<Item = (Seat, &'a Ear)>,
    ) -> Vec<RoomHearing> {
        let empty = |room| RoomHearing {
            room,
            listeners: 0,
            expected: 0,
            heard: 0,
            missing: Vec::new(),
            unexpected: Vec::new(),
            own_voice_db: f32::NEG_INFINITY,
        };
        let audible_db = if let Format::Opus(_) = self.format { AUDIBLE_IN_OPUS_DB } else { AUDIBLE_DB };
        let mut rooms: Vec<_> = (0..self.rooms).map(empty).collect();
        for (listener, ear) in ears {
            let room = &mut rooms[listener.room as usize];
            room.listeners += 1;
            for (speaker, level_db) in self.voices(listener, ear) {
                let finding = Finding { listener, speaker, level_db };
                if speaker != listener && speaker.room == listener.room && there.contains(&speaker) {
                    room.expect(finding);
                } else {
                    room.forbid(finding, audible_db);
                }
            }
        }
        rooms
    }
}

impl RoomHearing {
    fn expect(&mut self, finding: Finding) {
        self.expected += 1;
        if finding.level_db >= HEARD_DB {
            self.heard += 1;
        } else {
            self.missing.push(finding);
        }
    }

    fn forbid(&mut self, finding: Finding, audible_db: f32) {
        let Finding { listener, speaker, level_db } = finding;
        if speaker == listener {
            self.own_voice_db = self.own_voice_db.max(level_db);
        }
        if level_db > audible_db {
            self.unexpected.push(finding);
        }
    }

    /// Whether everybody heard exactly whom they should.
    pub fn passed(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;
    use mixminus_codec::Encoding;

    use super::*;
    use crate::hall;
    use crate::sending::Script;

    fn seat(room: u32, number: u32) -> Seat {
        Seat { room, number }
    }

    const OPUS: Format = Format::Opus(SampleRate::Hz48000);

    fn script() -> Script {
        hall::script(Format::Pcmu.into(), 2, 3)
    }

    /// All six callers, who hear their room without themselves, except for what `changed` says.
    fn rooms(changed: &[(Seat, &[Seat])]) -> Vec<RoomHearing> {
        judged(&script(), changed)
    }

    fn judged(script: &Script, changed: &[(Seat, &[Seat])]) -> Vec<RoomHearing> {
        let encoding = Encoding::from(script.plan.format);
        let ears: Vec<_> = script
            .plan
            .seats()
            .map(|listener| {
                let mates: Vec<_> = script
                    .plan
                    .seats()
                    .filter(|seat| seat.room == listener.room && *seat != listener)
                    .collect();
                let changed = changed.iter().find(|(seat, _)| *seat == listener);
                let heard = changed.map_or(&mates[..], |(_, voices)| *voices);
                (listener, hall::ear(script, encoding, listener.room, heard, |_| false))
            })
            .collect();
        script.plan.judge(&script.plan.seats().collect(), ears.iter().map(|(seat, ear)| (*seat, ear)))
    }

    fn pairs(findings: &[Finding]) -> Vec<(Seat, Seat)> {
        findings.iter().map(|finding| (finding.listener, finding.speaker)).collect()
    }

    #[test]
    fn everybody_hears_everybody_else() {
        for room in rooms(&[]) {
            assert!(room.passed());
            assert_eq!((room.listeners, room.expected, room.heard), (3, 6, 6));
            assert!(room.own_voice_db < -40.0);
        }
    }

    #[test]
    fn a_voice_that_is_missing_is_named() {
        let rooms = rooms(&[(seat(1, 0), &[seat(1, 2)])]);
        assert!(rooms[0].passed() && !rooms[1].passed());
        assert_eq!(pairs(&rooms[1].missing), [(seat(1, 0), seat(1, 1))]);
        assert_eq!(rooms[1].heard, 5);
    }

    #[test]
    fn ones_own_voice_is_unexpected() {
        let rooms = rooms(&[(seat(0, 1), &[seat(0, 0), seat(0, 1), seat(0, 2)])]);
        assert_eq!(pairs(&rooms[0].unexpected), [(seat(0, 1), seat(0, 1))]);
        assert!(rooms[0].own_voice_db > -1.0);
    }

    #[test]
    fn ones_own_voice_is_unexpected_in_opus_too() {
        let rooms =
            judged(&hall::script(OPUS.into(), 2, 3), &[(seat(0, 1), &[seat(0, 0), seat(0, 1), seat(0, 2)])]);
        assert_eq!(pairs(&rooms[0].unexpected), [(seat(0, 1), seat(0, 1))]);
        assert!(rooms[1].passed());
    }

    #[test]
    fn a_voice_from_another_room_is_unexpected() {
        let rooms = rooms(&[(seat(0, 1), &[seat(0, 0), seat(0, 2), seat(1, 2)])]);
        assert_eq!(pairs(&rooms[0].unexpected), [(seat(0, 1), seat(1, 2))]);
        assert!(rooms[0].missing.is_empty());
    }

    #[test]
    fn who_does_not_talk_is_not_to_be_heard() {
        let mut script = script();
        script.plan.talkers = 2;
        let rooms = judged(&script, &[]);
        assert!(rooms.iter().all(RoomHearing::passed));
        // Two who talk hear one, the third hears two.
        assert_eq!((rooms[0].expected, rooms[0].heard), (4, 4));
    }

    #[test]
    fn nobody_is_expected_to_hear_who_is_not_there() {
        let script = script();
        let ear = |by| hall::ear(&script, Format::Pcmu.into(), 0, &[by], |_| false);
        let ears = [(seat(0, 0), ear(seat(0, 1))), (seat(0, 1), ear(seat(0, 0)))];
        let there = [seat(0, 0), seat(0, 1)].into();
        let rooms = script.plan.judge(&there, ears.iter().map(|(seat, ear)| (*seat, ear)));
        assert!(rooms[0].passed());
        assert_eq!((rooms[0].expected, rooms[1].expected), (2, 0));
    }

    #[test]
    fn listeners_are_spread_over_rooms_and_over_who_talks_and_who_does_not() {
        let listening = |listeners| {
            let plan = Plan { rooms: 10, participants: 10, listeners, ..script().plan };
            plan.seats().filter(|seat| plan.listens(*seat)).collect::<Vec<_>>()
        };
        assert_eq!(listening(100).len(), 100);
        let twenty = listening(20);
        for room in 0..10 {
            assert_eq!(twenty.iter().filter(|seat| seat.room == room).count(), 2);
            assert_eq!(twenty.iter().filter(|seat| seat.number == room).count(), 2);
        }
        assert_eq!(listening(1).len(), 1);
    }
}
