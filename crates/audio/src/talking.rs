//! Whether a party is talking, from the level of each of its frames.

use crate::Dbov;
use crate::pitch::Pitch;

/// The lowest noise floor that is believed, and so how quiet speech may be: it
/// counts from [`START_DB`] above, at -45 dBov. Lower, and breath at the
/// microphone starts a talkspurt; higher, and soft voices are missed.
const LOWEST_FLOOR: Dbov = Dbov(-57.0);

/// The highest, also assumed of who was never heard: noise below -26 dBov never
/// starts a talkspurt, however suddenly a call begins with it, and a steady
/// sound above that talks as long as it lasts. Higher, and a loud talker who
/// never pauses falls silent; lower, and a noisy street talks.
const HIGHEST_FLOOR: Dbov = Dbov(-38.0);

/// Decibels a tick by which the floor follows louder frames and quieter ones.
/// By their ratio it settles where a tenth of all frames is below, which in
/// speech is the pauses. Twice as fast, and a long sentence raises its own
/// threshold; at half the speed, noise that sets in talks for 4 s instead of 2.
const FLOOR_UP_DB: f32 = 0.1;
const FLOOR_DOWN_DB: f32 = 0.9;

/// How far above the floor a talkspurt starts. Less, and other voices in the
/// room start it; more, and a voice in noise is missed.
const START_DB: f32 = 12.0;

/// How far above the floor it lasts: less than [`START_DB`], so that a voice
/// near that threshold does not start and stop with every syllable.
const STAY_DB: f32 = 6.0;

/// Loud ticks in a row that start a talkspurt, the last of which must have a pitch. A click of 40 ms touches
/// three ticks and a key of a keyboard rings for two, so with fewer a keyboard would talk; each one more delays
/// the event by 20 ms and misses more monosyllables. Breath is loud for longer and has no pitch.
const ATTACK_TICKS: u8 = 4;
const PITCHED_TICKS: u8 = 2;

/// Ticks in a row that end it: half a second. Pauses between words are shorter,
/// those between sentences last longer.
const HANGOVER_TICKS: u8 = 25;

/// A talking detector: an adaptive noise floor with two thresholds above it, and an ear for pitch.
///
/// ```
/// use mixminus_audio::{Dbov, SampleRate, Sine, Talking, level};
///
/// let (mut talking, mut frame) = (Talking::default(), [0; 160]);
/// let mut voice = Sine::new(SampleRate::Hz8000, 200.0, Dbov(-20.0));
/// let talks = [(); 4].map(|()| {
///     voice.fill(&mut frame);
///     talking.hear(level(&frame), &frame)
/// });
/// assert_eq!(talks, [false, false, false, true]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Talking {
    floor: Dbov,
    talks: bool,
    /// Ticks in a row that speak for a change, and how many of the last ones had a pitch.
    ticks: u8,
    pitched_ticks: u8,
    pitch: Pitch,
}

impl Default for Talking {
    fn default() -> Self {
        Self { floor: HIGHEST_FLOOR, talks: false, ticks: 0, pitched_ticks: 0, pitch: Pitch::NOTHING_HEARD }
    }
}

impl Talking {
    /// Takes in one tick at any rate and its level, [`Dbov::SILENCE`] if there was no audio, and returns
    /// whether the party is talking.
    pub fn hear(&mut self, level: Dbov, frame: &[i16]) -> bool {
        let talked = self.talks;
        if talked {
            let loud = level.0 >= self.floor.0 + STAY_DB;
            self.ticks = if loud { 0 } else { self.ticks + 1 };
            self.talks = self.ticks < HANGOVER_TICKS;
        } else if level.0 >= self.floor.0 + START_DB {
            self.ticks = self.ticks.saturating_add(1);
            self.pitched_ticks =
                if self.pitch.hear(frame) { self.pitched_ticks.saturating_add(1) } else { 0 };
            self.talks = self.ticks >= ATTACK_TICKS && self.pitched_ticks >= PITCHED_TICKS;
        } else {
            self.forget();
        }
        if self.talks != talked {
            self.forget();
        }
        let step = if level > self.floor { FLOOR_UP_DB } else { -FLOOR_DOWN_DB };
        self.floor = Dbov((self.floor.0 + step).clamp(LOWEST_FLOOR.0, HIGHEST_FLOOR.0));
        self.talks
    }

    fn forget(&mut self) {
        (self.ticks, self.pitched_ticks, self.pitch) = (0, 0, Pitch::NOTHING_HEARD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Dbov = Dbov(-65.0);

    /// A frame that repeats itself every 5 ms; how loud it is said to be is another thing.
    const PITCHED: [i16; 160] = {
        let mut frame = [0; 160];
        let mut n = 0;
        while n < frame.len() {
            frame[n] = if n % 40 < 20 { 1_000 } else { -1_000 };
            n += 1;
        }
        frame
    };

    /// After how many ticks it talked and stopped talking, in turn.
    fn changes(talking: &mut Talking, levels: impl IntoIterator<Item = Dbov>) -> Vec<usize> {
        let mut talks = talking.talks;
        let changed = |(tick, level)| {
            let before = std::mem::replace(&mut talks, talking.hear(level, &PITCHED));
            (talks != before).then_some(tick + 1)
        };
        levels.into_iter().enumerate().filter_map(changed).collect()
    }

    fn of(level: f32, ticks: usize) -> impl Iterator<Item = Dbov> {
        std::iter::repeat_n(Dbov(level), ticks)
    }

    /// A detector that has heard two seconds of `noise`.
    fn after(noise: Dbov) -> Talking {
        let mut talking = Talking::default();
        assert_eq!(changes(&mut talking, of(noise.0, 100)), []);
        talking
    }

    /// Syllables of 160 ms, each swelling to `loudest`, with `pause` for 80 ms
    /// after each and for 240 ms after every fourth.
    fn speech(loudest: f32, pause: Dbov, syllables: usize) -> Vec<Dbov> {
        let syllable = [-9.0, -3.0, 0.0, -1.0, -2.0, -4.0, -7.0, -12.0].map(|db| Dbov(loudest + db));
        let ticks = |number: usize| if number.is_multiple_of(4) { 12 } else { 4 };
        (1..=syllables)
            .flat_map(|number| syllable.into_iter().chain(std::iter::repeat_n(pause, ticks(number))))
            .collect()
    }

    #[test]
    fn speech_is_noticed_within_100_ms_and_lasts_half_a_second_longer() {
        for (loudest, noise) in [(-15.0, QUIET), (-30.0, QUIET), (-15.0, Dbov(-40.0)), (-25.0, Dbov(-45.0))] {
            let words = speech(loudest, noise, 40);
            let spoken = words.len() - 12;
            let found = changes(&mut after(noise), words.into_iter().chain(of(noise.0, 100)));
            let [started, stopped] = found[..] else { panic!("{found:?} at {loudest} in {noise:?}") };
            assert!(started <= 5, "{started} at {loudest} in {noise:?}");
            let hangover = stopped - spoken;
            assert!((20..=25).contains(&hangover), "{hangover} at {loudest} in {noise:?}");
        }
    }

    #[test]
    fn quiet_speech_in_a_quiet_room_is_noticed() {
        assert_eq!(changes(&mut after(QUIET), speech(-40.0, QUIET, 40)), [5]);
    }

    #[test]
    fn who_talks_from_the_first_moment_is_noticed() {
        assert_eq!(changes(&mut Talking::default(), speech(-15.0, QUIET, 40)), [4]);
    }

    #[test]
    fn a_click_or_a_keyboard_never_talks() {
        let mut talking = after(QUIET);
        for touched in [1, 2, 3] {
            let click = of(-10.0, touched).chain(of(QUIET.0, 4));
            assert_eq!(changes(&mut talking, click.collect::<Vec<_>>().repeat(200)), [], "{touched} ticks");
        }
    }

    #[test]
    fn breath_never_talks() {
        let breath = of(-47.0, 60).chain(of(QUIET.0, 100));
        assert_eq!(changes(&mut after(QUIET), breath.collect::<Vec<_>>().repeat(20)), []);
    }

    #[test]
    fn steady_noise_never_talks_and_noise_that_sets_in_soon_stops() {
        for level in [-60.0, -50.0, -40.0, -30.0] {
            assert_eq!(changes(&mut Talking::default(), of(level, 3_000)), [], "{level}");
        }
        let found = changes(&mut after(QUIET), of(-40.0, 3_000));
        let [4, stopped] = found[..] else { panic!("{found:?}") };
        assert!(stopped <= 150, "{stopped}");
    }

    #[test]
    fn a_loud_steady_sound_talks_as_long_as_it_lasts() {
        assert_eq!(changes(&mut after(QUIET), of(-20.0, 3_000).chain(of(QUIET.0, 100))), [4, 3_025]);
    }

    #[test]
    fn a_voice_between_the_thresholds_neither_starts_nor_stops() {
        let murmur: Vec<_> = of(-48.0, 10).chain(of(QUIET.0, 4)).collect();
        let mut talking = after(QUIET);
        assert_eq!(changes(&mut talking, murmur.repeat(50)), []);
        assert_eq!(changes(&mut talking, of(-20.0, 4).chain(murmur.repeat(50))), [4]);
    }

    #[test]
    fn pauses_between_words_do_not_flap() {
        let word: Vec<_> = of(-20.0, 4).chain(of(QUIET.0, 24)).collect();
        assert_eq!(changes(&mut after(QUIET), word.repeat(100)), [4]);
    }

    #[test]
    fn silence_ends_a_talkspurt() {
        let word = of(-20.0, 4).chain(of(Dbov::SILENCE.0, 50));
        assert_eq!(changes(&mut Talking::default(), word), [4, 29]);
    }
}
