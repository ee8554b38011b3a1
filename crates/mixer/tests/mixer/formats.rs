//! Rooms of mixed formats, by ear.

use mixminus_audio::{Dbov, Decibels, SampleRate, goertzel, level};
use mixminus_codec::{Encoding, Format, OpusSettings};
use mixminus_mixer::{Bridge, Gains, LegId};

use crate::legs::{LINEAR, OPUS, TestLeg, all_hear_all, arrangement_at, bridge_at, hears, leg};
use crate::voices::tone;

const FORMATS: [Format; 6] = [Format::Pcmu, Format::Pcma, Format::G722, OPUS, LINEAR[0], LINEAR[2]];
const TONES_HZ: [f64; 10] = [210.0, 330.0, 470.0, 610.0, 790.0, 980.0, 1_190.0, 1_430.0, 1_710.0, 2_030.0];

/// What each leg hears in `ticks` in which leg `n` says the tone `n` of this amplitude.
fn hear(bridge: &mut Bridge<TestLeg>, amplitude: f64, ticks: std::ops::Range<usize>) -> Vec<Vec<i16>> {
    let mut heard = vec![vec![]; bridge.legs_mut().count()];
    for tick in ticks {
        for ((_, leg), hz) in bridge.legs_mut().zip(TONES_HZ) {
            leg.says = Some(tone(leg.rate(), hz, amplitude, tick));
        }
        bridge.tick(&mut |_| ());
        bridge.legs_mut().zip(&mut heard).for_each(|((_, leg), heard)| heard.extend(leg.heard_samples()));
    }
    heard
}

#[test]
fn everybody_hears_all_but_themselves_in_their_own_format() {
    let routes = all_hear_all(0..FORMATS.len() as u64);
    let mut bridge = bridge_at(SampleRate::Hz48000, &routes, FORMATS.map(TestLeg::new).into());
    hear(&mut bridge, 3_000.0, 0..20);
    let said = level(&tone(SampleRate::Hz8000, 200.0, 3_000.0, 0)).0;
    for ((own, format), heard) in FORMATS.iter().enumerate().zip(hear(&mut bridge, 3_000.0, 20..70)) {
        let levels = TONES_HZ[..FORMATS.len()].iter().map(|&hz| goertzel(&heard, format.sample_rate(), hz).0);
        for (other, level) in levels.enumerate() {
            // An encoder made for speech spends little on so many tones.
            let expected = if own == other { level < said - 25.0 } else { (level - said).abs() < 6.0 };
            assert!(expected, "{format:?} hears {:?} at {level}", FORMATS[other]);
        }
    }
}

#[test]
fn a_leg_with_a_lower_or_a_higher_rate_than_its_bridge_is_heard_and_hears() {
    for rate in SampleRate::ALL {
        let mut bridge = bridge_at(rate, &all_hear_all(0..3), LINEAR.map(TestLeg::new).into());
        hear(&mut bridge, 3_000.0, 0..20);
        for ((own, format), heard) in LINEAR.iter().enumerate().zip(hear(&mut bridge, 3_000.0, 20..70)) {
            for (other, hz) in TONES_HZ[..3].iter().enumerate() {
                let Dbov(level) = goertzel(&heard, format.sample_rate(), *hz);
                let expected = if own == other { level < -90.0 } else { (level + 23.8).abs() < 0.1 };
                assert!(expected, "{format:?} hears {hz} Hz at {level} at {rate:?}");
            }
        }
    }
}

#[test]
fn ten_who_talk_at_once_are_heard_fifteen_decibels_above_all_else() {
    for (format, rate) in [(LINEAR[0], SampleRate::Hz8000), (LINEAR[0], SampleRate::Hz48000)] {
        let legs = (0..10).map(|_| TestLeg::new(format)).collect();
        let mut bridge = bridge_at(rate, &all_hear_all(0..10), legs);
        hear(&mut bridge, 0.4 * 32_768.0, 0..20);
        let power = |Dbov(db): Dbov| 10.0_f32.powf(db / 10.0);
        for (own, heard) in hear(&mut bridge, 0.4 * 32_768.0, 20..70).iter().enumerate() {
            let levels = TONES_HZ.map(|hz| power(goertzel(heard, format.sample_rate(), hz)));
            let wanted = levels.iter().sum::<f32>() - levels[own];
            let [else_db, own_db] =
                [power(level(heard)) - wanted, levels[own]].map(|power| 10.0 * (wanted / power).log10());
            assert!(else_db > 15.0, "{else_db}");
            assert!(own_db > 30.0, "{own_db}");
        }
    }
}

#[test]
fn a_bridge_that_follows_a_leg_to_another_rate_is_heard_as_before() {
    let legs = || vec![TestLeg::new(LINEAR[0]), TestLeg::new(LINEAR[0])];
    let mut bridge = bridge_at(SampleRate::Hz8000, &all_hear_all(0..2), legs());
    hear(&mut bridge, 3_000.0, 0..20);
    bridge.adopt(arrangement_at(SampleRate::Hz48000, &all_hear_all(0..2)));
    let heard = hear(&mut bridge, 3_000.0, 20..70);
    let levels = [goertzel(&heard[0], SampleRate::Hz8000, TONES_HZ[1]), level(&heard[0])];
    assert!(levels.iter().all(|Dbov(level)| (level + 23.8).abs() < 0.1), "{levels:?}");
}

#[test]
fn gains_turn_up_and_down_what_is_heard_of_a_leg_and_what_it_hears() {
    let mut bridge =
        bridge_at(SampleRate::Hz8000, &all_hear_all(0..3), [LINEAR[0]; 3].map(TestLeg::new).into());
    bridge.set_gains(LegId(0), Gains { incoming: Decibels(-6.0), outgoing: Decibels(12.0) });
    bridge.set_gains(LegId(1), Gains { incoming: Decibels::MUTE, ..Gains::default() });
    hear(&mut bridge, 3_000.0, 0..5);
    let heard = hear(&mut bridge, 3_000.0, 5..55);
    let found = |leg: usize, tone: usize| goertzel(&heard[leg], SampleRate::Hz8000, TONES_HZ[tone]).0 + 23.8;
    for (leg, tone, gain) in [(0, 2, 12.0), (1, 0, -6.0), (1, 2, 0.0), (2, 0, -6.0)] {
        assert!((found(leg, tone) - gain).abs() < 0.1, "{leg} hears {tone} at {}", found(leg, tone));
    }
    assert!(found(0, 1) < -60.0 && found(2, 1) < -60.0, "muted");
}

#[test]
fn what_is_turned_up_too_far_is_limited_and_not_clipped() {
    let mut bridge =
        bridge_at(SampleRate::Hz8000, &all_hear_all(0..2), [LINEAR[0]; 2].map(TestLeg::new).into());
    bridge.set_gains(LegId(1), Gains { incoming: Decibels(20.0), ..Gains::default() });
    hear(&mut bridge, 20_000.0, 0..20);
    let heard = &hear(&mut bridge, 20_000.0, 20..70)[0];
    let (Dbov(tone), Dbov(all)) = (goertzel(heard, SampleRate::Hz8000, TONES_HZ[1]), level(heard));
    assert!(tone > -4.0 && all - tone < 0.1, "{tone} of {all}");
}

#[test]
fn who_was_too_loud_while_nobody_heard_it_is_not_held_down_when_somebody_does() {
    let heard = |before: f64| {
        let formats = [LINEAR[0], LINEAR[0]].map(TestLeg::new);
        let mut bridge = bridge_at(SampleRate::Hz8000, &[hears(0, &[]), hears(1, &[])], formats.into());
        bridge.set_gains(LegId(1), Gains { incoming: Decibels(20.0), ..Gains::default() });
        hear(&mut bridge, before, 0..5);
        bridge.adopt(arrangement_at(SampleRate::Hz8000, &all_hear_all(0..2)));
        hear(&mut bridge, 3_000.0, 5..10).swap_remove(0)
    };
    assert!(heard(30_000.0) == heard(0.0));
}

#[test]
fn an_empty_payload_is_sent_when_there_is_nothing_to_be_sent() {
    let dtx = Encoding::new(OPUS, OpusSettings { dtx: true, ..OpusSettings::default() });
    let legs = vec![TestLeg::with(dtx), TestLeg::with(dtx)];
    let mut bridge = bridge_at(SampleRate::Hz48000, &all_hear_all(0..2), legs);
    (0..30).for_each(|_| bridge.tick(&mut |_| ()));
    assert!(bridge.legs_mut().all(|(_, leg)| leg.heard.is_empty() && leg.sent == 30));
}

#[test]
fn the_active_speaker_is_the_loudest_of_those_whom_anybody_hears() {
    let mut routes = all_hear_all(0..3);
    for sink in &mut routes {
        sink.hears.retain(|source| *source != leg(2));
    }
    let mut bridge = bridge_at(SampleRate::Hz8000, &routes, [LINEAR[0]; 3].map(TestLeg::new).into());
    bridge.tick(&mut |_| ());
    assert_eq!(bridge.active_speaker(), None);
    for (id, talks) in [(0, -30.0), (1, -20.0), (2, -10.0)] {
        bridge.leg_mut(LegId(id)).unwrap().talks = Some(Dbov(talks));
    }
    (0..20).for_each(|_| bridge.tick(&mut |_| ()));
    assert_eq!(bridge.active_speaker(), Some(LegId(1)));
    bridge.adopt(arrangement_at(SampleRate::Hz8000, &routes));
    assert_eq!(bridge.active_speaker(), Some(LegId(1)), "another plan changes nothing");
}
