//! Digits that a document asks a caller for, and digits that it sends.

mod world;

use std::time::Duration;

use mixminus_control::{
    Action, CallEvent, Collect, CollectKind, Collected, Entry, HangupCause, HttpMethod, Instruction, News,
    PromptContent, Repeat, Report,
};
use mixminus_mixer::LegId;
use world::{LegFate, World};

fn action() -> Action {
    Action { url: "http://app/digits".into(), method: HttpMethod::Post }
}

fn speak(text: &str) -> Instruction {
    let (voice, language) = ("WOMAN".into(), "en-US".into());
    Instruction::Speak { text: text.into(), voice, language, repeat: Repeat::Times(1) }
}

fn question() -> Collect {
    Collect {
        prompts: vec![speak("How many?"), Instruction::Wait { length: Duration::from_secs(1) }],
        tries: 2,
        max_digits: 3,
        first_timeout: Duration::from_secs(5),
        next_timeout: Duration::from_secs(2),
        total_timeout: None,
        finish_on: Some('#'),
        accepted: "1234567890*#".into(),
        refusal_sound: None,
        beep: false,
        speech: None,
        report: Some(Report { action: action(), follow: true }),
        kind: CollectKind::Digits,
    }
}

fn asked(world: &mut World, collect: Collect) -> LegId {
    world.call(vec![Instruction::Collect(Box::new(collect))])
}

fn reported(world: &World) -> Option<&str> {
    match &world.fetches.first()?.news {
        Some(News::Collected(Collected { entry: Entry::Digits(digits), .. })) => Some(digits),
        other => panic!("{other:?}"),
    }
}

#[test]
fn digits_are_complete_when_there_are_enough_or_the_last_key_says_so() {
    for (pressed, digits) in [("123", "123"), ("12#", "12"), ("#", "")] {
        let mut world = World::new();
        let leg = asked(&mut world, question());
        for digit in pressed.chars() {
            assert_eq!(reported(&world), None);
            world.press(leg, digit);
        }
        assert_eq!(reported(&world), Some(digits));
        assert_eq!(world.prompts_of(leg), [], "the first key ended the prompt");
    }
}

#[test]
fn a_pause_after_a_digit_completes_them() {
    let mut world = World::new();
    let leg = asked(&mut world, question());
    world.press(leg, '7');
    world.pass(Duration::from_millis(1999));
    assert_eq!(reported(&world), None);
    world.pass(Duration::from_millis(1));
    assert_eq!(reported(&world), Some("7"));
}

#[test]
fn a_caller_who_says_nothing_is_asked_again_and_then_no_more() {
    let mut world = World::new();
    let leg = asked(&mut world, question());
    for _ in 0..2 {
        assert_eq!(world.prompts_of(leg).len(), 1);
        world.finish_sounds();
        world.pass(Duration::from_secs(6));
    }
    assert_eq!(world.call_of(leg).hangup_cause, Some(HangupCause::EndOfInstructions), "the next instruction");
    assert!(world.fetches.is_empty());
}

#[test]
fn a_key_that_is_not_accepted_is_told_and_asked_about_again() {
    let mut world = World::new();
    let sound = Action { url: "http://app/wrong".into(), method: HttpMethod::Get };
    let accepted = "12".into();
    let leg = asked(&mut world, Collect { accepted, refusal_sound: Some(sound.clone()), ..question() });
    world.press(leg, '9');
    assert_eq!(world.prompts_of(leg), [PromptContent::Sounds(sound)]);
    world.press(leg, '1');
    world.press(leg, '#');
    assert_eq!(reported(&world), Some("1"), "the key that ends is no digit");
}

#[test]
fn a_beep_says_that_it_is_the_callers_turn() {
    let mut world = World::new();
    let leg = asked(&mut world, Collect { prompts: vec![], beep: true, ..question() });
    assert_eq!(world.prompts_of(leg), [PromptContent::Beep1]);
    world.finish_sounds();
    world.pass(Duration::from_millis(4999));
    world.press(leg, '#');
    assert_eq!(reported(&world), Some(""));
}

#[test]
fn the_answer_may_be_reported_without_being_followed() {
    let mut world = World::new();
    let report = Some(Report { action: action(), follow: false });
    let leg =
        world.call(vec![Instruction::Collect(Box::new(Collect { report, ..question() })), speak("Thanks")]);
    world.press(leg, '5');
    world.press(leg, '#');
    assert!(world.fetches.is_empty());
    let collected = Collected { entry: Entry::Digits("5".into()), kind: CollectKind::Digits };
    assert_eq!(world.told_of_calls[0].event, CallEvent::Collected(collected));
    assert!(matches!(&world.prompts_of(leg)[..], [PromptContent::Speech { text, .. }] if text == "Thanks"));
}

#[test]
fn a_caller_who_hangs_up_while_being_asked_leaves_nothing_behind() {
    let mut world = World::new();
    let leg = asked(&mut world, question());
    world.hang_up(leg);
    assert!(world.prompts.is_empty());
    world.pass(Duration::from_mins(1));
    assert_eq!(world.switchboard.calls(), 0);
}

#[test]
fn digits_are_sent_and_waited_for_or_not() {
    for at_once in [true, false] {
        let mut world = World::new();
        let digits = "12".to_owned();
        let leg = world.call(vec![Instruction::SendDigits { digits, at_once }, speak("done")]);
        assert_eq!(world.digits, [(leg, '1'), (leg, '2')]);
        assert_eq!(world.prompts_of(leg).len(), usize::from(at_once));
        world.pass(Duration::from_millis(400));
        assert_eq!(world.prompts_of(leg).len(), 1);
    }
}

#[test]
fn a_call_may_be_heard_before_it_is_answered() {
    let mut world = World::new();
    let early = Instruction::BeforeAnswer(vec![speak("Please wait")]);
    let leg = world.call(vec![early, speak("Welcome")]);
    assert_eq!(world.legs[&leg], LegFate::Early);
    assert_eq!(world.call_of(leg).answered_at, None);
    world.finish_sounds();
    assert_eq!(world.legs[&leg], LegFate::Answered);
}
