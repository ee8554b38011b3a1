//! Who heard whom, against who should have.

use serde::Serialize;

use crate::ear::Ear;
use crate::voice::{Speech, TONES, tone_level};

/// A voice at least so loud, against what was said, is heard.
const HEARD_DB: f32 = -15.0;
/// A voice that nobody may hear has to be softer than this, against what was said. A leak is as loud as
/// what was said; what G.711 makes of a hundred soft tones stays some 28 dB below them.
const AUDIBLE_DB: f32 = -25.0;

/// A caller's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Seat {
    /// Number of the room, from 0.
    pub room: u32,
    /// Number in the room, from 0.
    pub number: u32,
}

/// How the callers are seated and what they say.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) rooms: u32,
    pub(crate) participants: u32,
    pub(crate) speech: Option<Speech>,
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

    fn index(&self, seat: Seat) -> u32 {
        seat.room * self.participants + seat.number
    }

    fn seat(&self, index: u32) -> Seat {
        Seat { room: index / self.participants, number: index % self.participants }
    }

    /// Every seat, room by room.
    pub(crate) fn seats(&self) -> impl Iterator<Item = Seat> {
        (0..self.callers()).map(|index| self.seat(index))
    }

    /// The tone of a seat: different for everybody until they run out, and then still in each room.
    pub(crate) fn tone(&self, seat: Seat) -> u32 {
        self.index(seat) % TONES
    }

    /// Everyone whom `listener` may hear, and how loud, against what was said.
    fn voices(&self, listener: Seat, ear: &Ear) -> Vec<(Seat, f32)> {
        if let Some(speech) = &self.speech {
            let level = |number| ear.turn_level(number).0 - speech.level().0;
            let seat = |number| Seat { number, ..listener };
            return (0..self.participants).map(|number| (seat(number), level(number))).collect();
        }
        let said = tone_level(self.participants).0;
        let owner = |tone| {
            let mates = (0..self.participants).map(|number| Seat { number, ..listener });
            mates.into_iter().find(|seat| self.tone(*seat) == tone).unwrap_or_else(|| self.seat(tone))
        };
        let tones = 0..self.callers().min(TONES);
        tones.map(|tone| (owner(tone), ear.tone(tone).0 - said)).collect()
    }

    /// Judges what the ears of those who are there heard.
    pub(crate) fn judge(&self, ears: &[(Seat, Ear)]) -> Vec<RoomHearing> {
        let empty = |room| RoomHearing {
            room,
            expected: 0,
            heard: 0,
            missing: Vec::new(),
            unexpected: Vec::new(),
            own_voice_db: f32::NEG_INFINITY,
        };
        let mut rooms: Vec<_> = (0..self.rooms).map(empty).collect();
        for (listener, ear) in ears {
            let room = &mut rooms[listener.room as usize];
            for (speaker, level_db) in self.voices(*listener, ear) {
                let finding = Finding { listener: *listener, speaker, level_db };
                let there = ears.iter().any(|(seat, _)| *seat == speaker);
                room.note(finding, there);
            }
        }
        rooms
    }
}

impl RoomHearing {
    fn note(&mut self, finding: Finding, speaker_is_there: bool) {
        let Finding { listener, speaker, level_db } = finding;
        if speaker == listener {
            self.own_voice_db = self.own_voice_db.max(level_db);
        }
        if speaker_is_there && speaker.room == listener.room && speaker != listener {
            self.expected += 1;
            if level_db >= HEARD_DB {
                self.heard += 1;
            } else {
                self.missing.push(finding);
            }
        } else if level_db > AUDIBLE_DB {
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
    use mixminus_audio::TICK;
    use mixminus_codec::{Encoder, Format};
    use mixminus_rtp::{MAX_PACKET_BYTES, Sender, SenderIdentity};

    use super::*;
    use crate::timeline::Timeline;
    use crate::voice::{FRAME, Mouth, Voice};

    const PLAN: Plan = Plan { rooms: 2, participants: 3, speech: None };

    fn seat(room: u32, number: u32) -> Seat {
        Seat { room, number }
    }

    /// An ear that hears these voices.
    fn ear(voices: &[Seat]) -> Ear {
        let timeline = Timeline::new(5);
        let voice = |seat: &Seat| Voice::tone(PLAN.tone(*seat), PLAN.participants);
        let mut mouths: Vec<_> =
            voices.iter().map(|seat| Mouth { voice: voice(seat), clicks: false }).collect();
        let mut sender = Sender::new(SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 });
        let mut ear = Ear::new(timeline, 0);
        for tick in 0..timeline.ticks() {
            let mut mix = [0; FRAME];
            for mouth in &mut mouths {
                let mut frame = [0; FRAME];
                mouth.speak(timeline, tick, &mut frame);
                mix.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += sample);
            }
            let (mut payload, mut packet) = ([0; FRAME], [0; MAX_PACKET_BYTES]);
            Encoder::new(Format::Pcmu).encode(&mix, &mut payload);
            let bytes = sender.packet(Format::Pcmu, &payload, &mut packet);
            ear.hear(TICK * tick, &packet[..bytes]);
        }
        ear
    }

    /// All six callers, who hear their room without themselves, except for what `changed` says.
    fn rooms(changed: &[(Seat, &[Seat])]) -> Vec<RoomHearing> {
        let ears: Vec<_> = PLAN
            .seats()
            .map(|listener| {
                let mates: Vec<_> =
                    PLAN.seats().filter(|seat| seat.room == listener.room && *seat != listener).collect();
                let changed = changed.iter().find(|(seat, _)| *seat == listener);
                (listener, ear(changed.map_or(&mates, |(_, voices)| *voices)))
            })
            .collect();
        PLAN.judge(&ears)
    }

    fn pairs(findings: &[Finding]) -> Vec<(Seat, Seat)> {
        findings.iter().map(|finding| (finding.listener, finding.speaker)).collect()
    }

    #[test]
    fn everybody_hears_everybody_else() {
        for room in rooms(&[]) {
            assert!(room.passed());
            assert_eq!((room.expected, room.heard), (6, 6));
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
    fn a_voice_from_another_room_is_unexpected() {
        let rooms = rooms(&[(seat(0, 1), &[seat(0, 0), seat(0, 2), seat(1, 2)])]);
        assert_eq!(pairs(&rooms[0].unexpected), [(seat(0, 1), seat(1, 2))]);
        assert!(rooms[0].missing.is_empty());
    }

    #[test]
    fn nobody_is_expected_to_hear_who_is_not_there() {
        let ears = [(seat(0, 0), ear(&[seat(0, 1)])), (seat(0, 1), ear(&[seat(0, 0)]))];
        let rooms = PLAN.judge(&ears);
        assert!(rooms[0].passed());
        assert_eq!((rooms[0].expected, rooms[1].expected), (2, 0));
    }
}
