//! Which one of several voices dominates.

use crate::Dbov;

/// How much louder than the active speaker a challenger must be to take over soon. Less, and two equal
/// voices take turns; more, and a loud word in the background of a soft voice has to last.
const CLEARLY_DB: f32 = 6.0;

/// What a tick in which the challenger is louder, and one in which it is so clearly, count on the way to
/// taking over: 300 ms of the one, 100 ms of the other. Less, and every interjection shows another face; more,
/// and the wrong one is shown for longer.
const LOUDER: u8 = 1;
const CLEARLY_LOUDER: u8 = 3;
const ENOUGH: u8 = 15;

/// How fast loudness is forgotten, in decibels a tick: the gaps between syllables cost a voice little, a
/// second of murmur 25 dB.
const FORGET_DB: f32 = 0.5;

/// A voice in one tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Voice<Id> {
    /// Whose it is.
    pub id: Id,
    /// How loud it is in this tick.
    pub level: Dbov,
    /// Whether it is in a talkspurt.
    pub talking: bool,
}

/// The one dominant talker of a bridge.
///
/// ```
/// use mixminus_audio::{ActiveSpeaker, Dbov, Voice};
///
/// let mut speaker = ActiveSpeaker::default();
/// let voice = |id, level, talking| Voice { id, level: Dbov(level), talking };
/// assert_eq!(speaker.hear([voice("Ann", -70.0, false), voice("Bob", -20.0, true)]), Some("Bob"));
/// assert_eq!(speaker.hear([voice("Ann", -15.0, true), voice("Bob", -20.0, true)]), Some("Bob"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActiveSpeaker<Id> {
    speaker: Option<Contender<Id>>,
    challenger: Option<Contender<Id>>,
    /// How far the challenger is on the way to taking over.
    lead: u8,
}

/// Whoever is or may become the active speaker, and how loud that one was of late.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Contender<Id> {
    id: Id,
    level: f32,
}

impl<Id> Default for ActiveSpeaker<Id> {
    fn default() -> Self {
        Self { speaker: None, challenger: None, lead: 0 }
    }
}

impl<Id: Copy + PartialEq> ActiveSpeaker<Id> {
    /// Takes in every voice of one tick and returns the active speaker's id: that of the last one who talked
    /// while all are silent, and none once that one has gone.
    pub fn hear(&mut self, voices: impl IntoIterator<Item = Voice<Id>>) -> Option<Id> {
        let (mut own, mut challenger, mut loudest) = (None, None, None::<Voice<Id>>);
        for voice in voices {
            if self.speaker.is_some_and(|speaker| speaker.id == voice.id) {
                own = Some(voice);
            } else if voice.talking {
                if self.challenger.is_some_and(|challenger| challenger.id == voice.id) {
                    challenger = Some(voice);
                }
                if loudest.is_none_or(|loudest| voice.level > loudest.level) {
                    loudest = Some(voice);
                }
            }
        }
        self.challenge(challenger, loudest);
        self.speaker = match (self.speaker, own) {
            (Some(speaker), Some(own)) if own.talking || self.challenger.is_none() => {
                let speaker = speaker.after(own);
                if self.takes_over(speaker) { self.challenger.take() } else { Some(speaker) }
            }
            _ => self.challenger.take(),
        };
        self.speaker.map(|speaker| speaker.id)
    }

    /// The challenger stays the same until it is silent or another one is louder than it was of late.
    fn challenge(&mut self, same: Option<Voice<Id>>, loudest: Option<Voice<Id>>) {
        let same = self.challenger.zip(same).map(|(challenger, voice)| challenger.after(voice));
        let loudest = loudest.map(|voice| Contender { id: voice.id, level: voice.level.0 });
        let level = |contender: Option<Contender<Id>>| contender.map(|contender| contender.level);
        if same.is_some() && level(same) >= level(loudest) {
            self.challenger = same;
        } else {
            (self.challenger, self.lead) = (loudest, 0);
        }
    }

    fn takes_over(&mut self, speaker: Contender<Id>) -> bool {
        let lead_db =
            self.challenger.map_or(f32::NEG_INFINITY, |challenger| challenger.level - speaker.level);
        self.lead = match lead_db {
            CLEARLY_DB.. => self.lead + CLEARLY_LOUDER,
            0.0.. => self.lead + LOUDER,
            _ => 0,
        };
        self.lead >= ENOUGH
    }
}

impl<Id: Copy> Contender<Id> {
    fn after(self, voice: Voice<Id>) -> Self {
        Self { level: voice.level.0.max(self.level - FORGET_DB), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENT: f32 = -70.0;

    /// The voices A, B, C of one tick by their levels; from -50 dBov on they talk.
    fn tick(levels: [f32; 3]) -> [Voice<char>; 3] {
        let mut ids = ['A', 'B', 'C'].into_iter();
        levels.map(|level| Voice { id: ids.next().unwrap(), level: Dbov(level), talking: level >= -50.0 })
    }

    /// Who is the active speaker in each of `ticks` ticks, as a text.
    fn heard(speaker: &mut ActiveSpeaker<char>, levels: [f32; 3], ticks: usize) -> String {
        (0..ticks).map(|_| speaker.hear(tick(levels)).unwrap_or('-')).collect()
    }

    /// Where A has talked for a while.
    fn while_a_talks() -> ActiveSpeaker<char> {
        let mut speaker = ActiveSpeaker::default();
        assert_eq!(heard(&mut speaker, [-20.0, SILENT, SILENT], 3), "AAA");
        speaker
    }

    #[test]
    fn nobody_is_the_speaker_until_somebody_talks_and_then_at_once() {
        let mut speaker = ActiveSpeaker::default();
        assert_eq!(heard(&mut speaker, [SILENT; 3], 2), "--");
        assert_eq!(heard(&mut speaker, [SILENT, -30.0, -25.0], 2), "CC");
    }

    #[test]
    fn who_talked_last_stays_through_silence_until_another_one_talks() {
        let mut speaker = while_a_talks();
        assert_eq!(heard(&mut speaker, [SILENT; 3], 100), "A".repeat(100));
        assert_eq!(heard(&mut speaker, [SILENT, -45.0, SILENT], 1), "B");
    }

    #[test]
    fn who_leaves_is_the_speaker_no_more() {
        let mut speaker = while_a_talks();
        assert_eq!(speaker.hear(tick([SILENT; 3]).into_iter().skip(1)), None);
    }

    #[test]
    fn a_louder_voice_takes_over_after_300_ms_and_a_clearly_louder_one_after_100() {
        assert_eq!(heard(&mut while_a_talks(), [-20.0, -18.0, SILENT], 16), "AAAAAAAAAAAAAABB");
        assert_eq!(heard(&mut while_a_talks(), [-20.0, -14.0, SILENT], 6), "AAAABB");
        assert_eq!(heard(&mut while_a_talks(), [-20.0, -21.0, SILENT], 50), "A".repeat(50));
    }

    #[test]
    fn an_interjection_changes_nothing() {
        let mut speaker = while_a_talks();
        for _ in 0..20 {
            assert_eq!(heard(&mut speaker, [-20.0, -10.0, SILENT], 4), "AAAA");
            assert_eq!(heard(&mut speaker, [-20.0, SILENT, SILENT], 20), "A".repeat(20));
        }
    }

    #[test]
    fn the_gaps_between_words_are_no_weakness() {
        let mut speaker = while_a_talks();
        for _ in 0..20 {
            assert_eq!(heard(&mut speaker, [-20.0, -24.0, SILENT], 10), "A".repeat(10));
            assert_eq!(heard(&mut speaker, [-45.0, -24.0, SILENT], 8), "A".repeat(8));
        }
    }

    #[test]
    fn a_challenger_who_falls_back_begins_anew() {
        let mut speaker = while_a_talks();
        for level in [-18.0, -26.0, -18.0, -26.0] {
            assert_eq!(heard(&mut speaker, [-20.0, level, SILENT], 10), "A".repeat(10), "{level}");
        }
    }

    #[test]
    fn two_challengers_who_take_turns_do_not_take_over_together() {
        let mut speaker = while_a_talks();
        for _ in 0..20 {
            assert_eq!(heard(&mut speaker, [-20.0, -12.0, SILENT], 4), "AAAA");
            assert_eq!(heard(&mut speaker, [-20.0, SILENT, -12.0], 4), "AAAA");
        }
    }

    #[test]
    fn the_loudest_of_two_challengers_takes_over() {
        assert_eq!(heard(&mut while_a_talks(), [-30.0, -18.0, -12.0], 40).pop(), Some('C'));
    }
}
