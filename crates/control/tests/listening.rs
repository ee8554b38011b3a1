//! Words that a document asks a caller for.

mod world;

use std::time::Duration;

use mixminus_control::{
    Action, Await, Beep, CallEvent, Collect, CollectKind, Entry, HangupCause, Heard, HttpMethod, Instruction,
    Likelihood, Listened, News, Repeat, Report, SpeechModel, SpeechTerms, Understood,
};
use mixminus_mixer::{LegId, SourceId, TapChannel, TapRoutes};
use world::World;

fn post(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn terms() -> SpeechTerms {
    SpeechTerms {
        language: "en-US".into(),
        model: SpeechModel::Any,
        hints: vec!["yes".into()],
        filters_profanity: false,
        end_timeout: None,
        interim: None,
    }
}

/// A question whose prompt lasts until it is ended, for digits and words.
fn question(speech: SpeechTerms) -> Collect {
    Collect {
        prompts: vec![Instruction::Play { url: "http://app/ask.wav".into(), repeat: Repeat::Times(1) }],
        tries: 1,
        max_digits: 2,
        first_timeout: Duration::from_secs(5),
        next_timeout: Duration::from_secs(2),
        total_timeout: Some(Duration::from_secs(15)),
        finish_on: Some('#'),
        accepted: "1234567890*#".into(),
        refusal_sound: None,
        beep: false,
        speech: Some(speech),
        report: Some(Report { action: post("input"), follow: true }),
        kind: CollectKind::Input,
    }
}

fn asked(collect: Collect) -> (World, LegId) {
    let mut world = World::new();
    let leg = world.call(vec![Instruction::Collect(Box::new(collect))]);
    (world, leg)
}

fn partial(text: &str) -> Heard {
    Heard::Partial { text: text.into(), stability: Likelihood::new(0.8) }
}

fn said(text: &str, confidence: f64) -> Heard {
    Heard::Final { text: text.into(), confidence: Some(Likelihood::new(confidence)) }
}

fn reported(world: &World) -> Option<Entry> {
    match &world.fetches.first()?.news {
        Some(News::Collected(collected)) => Some(collected.entry.clone()),
        other => panic!("{other:?}"),
    }
}

fn speech(text: &str, confidence: f64) -> Entry {
    Entry::Speech { text: text.into(), confidence: Some(Likelihood::new(confidence)) }
}

fn has_ended(world: &World) -> bool {
    world.listening.values().any(|(_, ended)| *ended)
}

#[test]
fn only_the_caller_is_listened_to_and_only_while_it_is_asked() {
    let (mut world, leg) = asked(question(terms()));
    let (listen, _) = world.listening.values().next().unwrap().clone();
    assert_eq!((listen.call, listen.to), (world.call_of(leg).id, Listened::Speech(terms())));
    let routes = |world: &World| world.plans[&world.seats[&leg]].tap_routes();
    let channels = vec![TapChannel::Source(SourceId::Leg(leg))];
    assert_eq!(routes(&world), [TapRoutes { tap: listen.tap, channels, paused: false }]);
    world.hear(said("yes", 0.9));
    assert_eq!(routes(&world), []);
    assert!(world.listening.is_empty());
}

#[test]
fn what_the_recogniser_takes_for_the_end_is_reported_at_once() {
    let (mut world, leg) = asked(question(terms()));
    world.hear(partial("two"));
    assert_eq!(world.prompts_of(leg), [], "the first word ended the prompt");
    assert_eq!(reported(&world), None);
    world.hear(said("two pizzas", 0.93));
    assert_eq!(reported(&world), Some(speech("two pizzas", 0.93)));
}

#[test]
fn a_silence_of_the_given_length_ends_what_was_said() {
    let (mut world, leg) =
        asked(question(SpeechTerms { end_timeout: Some(Duration::from_secs(3)), ..terms() }));
    world.talk(leg, true);
    world.hear(said("two pizzas", 0.9));
    world.talk(leg, false);
    world.pass(Duration::from_millis(2999));
    world.talk(leg, true);
    world.pass(Duration::from_secs(4));
    world.talk(leg, false);
    world.pass(Duration::from_millis(2999));
    assert!(!has_ended(&world));
    world.pass(Duration::from_millis(1));
    assert!(has_ended(&world));
    world.hear(said("with cheese", 0.7));
    assert_eq!(reported(&world), None, "the recogniser may have more");
    world.hear(Heard::End);
    assert_eq!(reported(&world), Some(speech("two pizzas with cheese", 0.7)));
}

#[test]
fn a_cough_ends_neither_the_prompt_nor_the_question() {
    let (mut world, leg) = asked(question(terms()));
    for _ in 0..2 {
        world.talk(leg, true);
        world.talk(leg, false);
        world.pass(Duration::from_secs(1));
        assert!(has_ended(&world));
        world.hear(Heard::End);
        assert!(!has_ended(&world), "it begins anew");
        assert_eq!(world.prompts_of(leg).len(), 1);
    }
    world.finish_sounds();
    world.pass(Duration::from_millis(4999));
    assert_eq!(world.listening.len(), 1);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.call_of(leg).hangup_cause, Some(HangupCause::EndOfInstructions), "the next instruction");
}

#[test]
fn who_talks_on_and_on_is_heard_until_the_time_of_the_question_is_over() {
    let (mut world, leg) =
        asked(question(SpeechTerms { end_timeout: Some(Duration::from_secs(10)), ..terms() }));
    world.finish_sounds();
    world.pass(Duration::from_secs(4));
    world.talk(leg, true);
    world.pass(Duration::from_millis(10_999));
    assert!(!has_ended(&world), "who has begun is waited for");
    world.pass(Duration::from_millis(1));
    assert!(has_ended(&world));
    world.hear(said("a novel", 0.5));
    world.hear(Heard::End);
    assert_eq!(reported(&world), Some(speech("a novel", 0.5)));
}

#[test]
fn a_digit_before_the_first_word_makes_it_an_input_of_digits() {
    let (mut world, leg) = asked(question(terms()));
    world.press(leg, '7');
    assert!(world.listening.is_empty());
    world.press(leg, '8');
    assert_eq!(reported(&world), Some(Entry::Digits("78".into())));
}

#[test]
fn a_digit_after_the_first_word_changes_nothing() {
    let (mut world, leg) = asked(question(terms()));
    world.hear(partial("yes"));
    world.press(leg, '7');
    world.hear(said("yes", 1.0));
    assert_eq!(reported(&world), Some(speech("yes", 1.0)));
}

#[test]
fn digits_do_not_answer_a_question_for_words() {
    let (mut world, leg) = asked(Collect { accepted: String::new(), ..question(terms()) });
    world.press(leg, '7');
    world.press(leg, '#');
    assert_eq!(world.prompts_of(leg).len(), 1);
    world.hear(said("yes", 1.0));
    assert_eq!(reported(&world), Some(speech("yes", 1.0)));
}

#[test]
fn without_its_recogniser_a_question_is_answered_with_digits_or_not_at_all() {
    let (mut world, leg) = asked(question(terms()));
    world.hear(Heard::Failed);
    world.press(leg, '7');
    world.press(leg, '#');
    assert_eq!(reported(&world), Some(Entry::Digits("7".into())));
    for ends in [Heard::Failed, Heard::End] {
        let (mut world, leg) = asked(Collect { accepted: String::new(), tries: 3, ..question(terms()) });
        world.hear(ends);
        assert_eq!(world.call_of(leg).hangup_cause, Some(HangupCause::EndOfInstructions));
    }
}

#[test]
fn what_was_heard_before_a_failure_is_reported() {
    let terms = SpeechTerms { end_timeout: Some(Duration::from_secs(2)), ..terms() };
    let (mut world, _) = asked(question(terms));
    world.hear(said("yes", 0.9));
    world.hear(Heard::Failed);
    assert_eq!(reported(&world), Some(speech("yes", 0.9)));
}

#[test]
fn what_is_understood_meanwhile_is_told_four_times_a_second_at_most() {
    let terms =
        SpeechTerms { interim: Some(post("interim")), end_timeout: Some(Duration::from_secs(5)), ..terms() };
    let (mut world, _) = asked(question(terms));
    world.hear(said("two", 0.9));
    for text in ["piz", "pizza", "pizzas"] {
        world.hear(partial(text));
        world.pass(Duration::from_millis(125));
    }
    let understood = |unstable: &str, sequence| {
        let (stable, unstable) = ("two".into(), unstable.into());
        CallEvent::Understood(Understood { stable, unstable, stability: Likelihood::new(0.8), sequence })
    };
    let told: Vec<_> = world.told_of_calls.iter().map(|told| (&*told.url, told.event.clone())).collect();
    assert_eq!(
        told,
        [("http://app/interim", understood("piz", 1)), ("http://app/interim", understood("pizzas", 2))]
    );
}

#[test]
fn a_caller_who_hangs_up_is_not_listened_to_any_more() {
    let (mut world, leg) = asked(question(terms()));
    world.talk(leg, true);
    world.hang_up(leg);
    assert!(world.listening.is_empty());
    world.pass(Duration::from_mins(1));
    assert_eq!(world.switchboard.calls(), 0);
}

#[test]
fn a_wait_for_a_beep_ends_at_it_and_otherwise_when_it_is_over() {
    let beep = Beep {
        shortest: Duration::from_millis(300),
        longest_gap: Duration::from_millis(500),
        silence_after: Duration::from_millis(50),
        weakest: 256,
    };
    let wait = Instruction::Await(Await { silence: None, beep: Some(beep), longest: Duration::from_secs(9) });
    let play = Instruction::Play { url: "after".into(), repeat: Repeat::Times(1) };
    for (beeps, seconds) in [(true, 3), (false, 9)] {
        let mut world = World::new();
        let leg = world.call(vec![wait.clone(), play.clone()]);
        let (tap, (listen, _)) = world.listening.first_key_value().unwrap();
        assert_eq!(listen.to, Listened::Beep(beep));
        let routes =
            TapRoutes { tap: *tap, channels: vec![TapChannel::Source(SourceId::Leg(leg))], paused: false };
        let taps: Vec<_> = world.plans.values().flat_map(mixminus_mixer::MixPlan::tap_routes).collect();
        assert_eq!(taps, [routes]);
        world.pass(Duration::from_secs(seconds - 1));
        assert!(world.prompts.is_empty());
        if beeps {
            world.hear(Heard::Beep);
        } else {
            world.pass(Duration::from_secs(1));
        }
        assert_eq!((world.prompts.len(), world.listening.len()), (1, 0), "it beeps: {beeps}");
    }
    let mut world = World::new();
    let leg = world.call(vec![wait, play]);
    world.hang_up(leg);
    assert!(world.listening.is_empty());
}
