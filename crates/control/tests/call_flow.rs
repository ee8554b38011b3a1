//! What a call does with its documents.

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, Await, CallState, FetchError, FetchPurpose, HangupCause, HangupSource, HttpMethod, Input,
    Instruction, LegEnd, PromptContent, Refusal, Repeat, TextMessage,
};
use world::{LIMITS, LegFate, World, document, request};

fn play(name: &str) -> Instruction {
    Instruction::Play { url: format!("http://app/{name}"), repeat: Repeat::Times(1) }
}

fn redirect() -> Instruction {
    Instruction::Redirect(Action { url: "http://app/next".into(), method: HttpMethod::Get })
}

#[test]
fn a_call_rings_until_its_document_needs_it_answered() {
    let mut world = World::new();
    let leg = world.ring();
    assert_eq!(world.legs[&leg], LegFate::Ringing);
    world.deliver(Ok(document(vec![play("hello.wav")])));
    assert_eq!(world.legs[&leg], LegFate::Answered);
    assert_eq!(world.prompts_of(leg), [PromptContent::File("http://app/hello.wav".into())]);
    assert_eq!(world.call_of(leg).state, CallState::InProgress);
}

#[test]
fn instructions_run_one_after_the_other() {
    let mut world = World::new();
    let speak = Instruction::Speak {
        text: "hello".into(),
        voice: "WOMAN".into(),
        language: "en-US".into(),
        repeat: Repeat::Times(1),
    };
    let leg = world.call(vec![play("a.wav"), speak, Instruction::Wait { length: Duration::from_secs(2) }]);
    world.finish_sounds();
    assert!(matches!(&world.prompts_of(leg)[..], [PromptContent::Speech { text, .. }] if text == "hello"));
    world.finish_sounds();
    assert_eq!(world.prompts_of(leg), []);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.legs[&leg], LegFate::HungUp);
    assert_eq!(world.call_of(leg).hangup_cause, Some(HangupCause::EndOfInstructions));
    assert_eq!(world.call_of(leg).hangup_source, Some(HangupSource::Document));
}

#[test]
fn a_document_may_refuse_the_call() {
    for (refusal, cause, state) in [
        (Refusal::Busy, HangupCause::Busy, CallState::Busy),
        (Refusal::Declined, HangupCause::Rejected, CallState::Failed),
    ] {
        let mut world = World::new();
        let leg =
            world.call(vec![Instruction::HangUp { refusal: Some(refusal), after: None }, play("never.wav")]);
        assert_eq!(world.legs[&leg], LegFate::Refused(refusal));
        assert_eq!((world.call_of(leg).hangup_cause, world.call_of(leg).state), (Some(cause), state));
        assert!(world.prompts.is_empty());
    }
}

#[test]
fn a_scheduled_hang_up_lets_the_document_go_on() {
    let mut world = World::new();
    let hang_up = Instruction::HangUp { refusal: None, after: Some(Duration::from_secs(30)) };
    let leg = world.call(vec![hang_up, Instruction::Conference(Box::new(request("room", Role::Agent)))]);
    assert_eq!(world.legs[&leg], LegFate::Answered);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.legs[&leg], LegFate::HungUp);
    assert_eq!(world.call_of(leg).hangup_cause, Some(HangupCause::Scheduled));
    assert!(world.participant(leg).left_at.is_some());
}

#[test]
fn a_redirect_fetches_the_next_document() {
    let mut world = World::new();
    let leg = world.call(vec![redirect(), play("never.wav")]);
    assert_eq!(world.fetches[0].purpose, FetchPurpose::Redirect);
    world.deliver(Ok(document(vec![play("next.wav")])));
    assert_eq!(world.prompts_of(leg), [PromptContent::File("http://app/next.wav".into())]);
}

#[test]
fn redirects_in_a_circle_end_the_call() {
    let mut world = World::new();
    let leg = world.call(vec![redirect()]);
    for _ in 0..100 {
        if world.fetches.is_empty() {
            break;
        }
        world.deliver(Ok(document(vec![redirect()])));
    }
    assert_eq!(world.call_of(leg).hangup_cause, Some(HangupCause::InvalidDocument(FetchPurpose::Redirect)));
}

#[test]
fn a_document_that_does_not_come_ends_the_call() {
    for (error, cause) in [
        (FetchError::Unreachable("time-out".into()), HangupCause::Unreachable(FetchPurpose::Answer)),
        (FetchError::Invalid("no XML".into()), HangupCause::InvalidDocument(FetchPurpose::Answer)),
    ] {
        let mut world = World::new();
        let leg = world.ring();
        world.deliver(Err(error));
        assert_eq!(world.legs[&leg], LegFate::Refused(Refusal::NotAvailable));
        assert_eq!(world.call_of(leg).hangup_cause, Some(cause));
        assert_eq!(world.call_of(leg).hangup_source, Some(HangupSource::Error));
        assert_eq!(world.switchboard.calls(), 0);
    }
}

#[test]
fn an_empty_document_ends_the_call() {
    let mut world = World::new();
    let leg = world.call(vec![]);
    assert_eq!(world.legs[&leg], LegFate::Refused(Refusal::NotAvailable));
}

#[test]
fn a_caller_who_gives_up_is_forgotten_and_a_late_document_ignored() {
    let mut world = World::new();
    let leg = world.ring();
    world.input(Input::LegEnded { leg, end: LegEnd::Canceled });
    assert_eq!(world.call_of(leg).state, CallState::Canceled);
    world.deliver(Ok(document(vec![play("late.wav")])));
    assert_eq!(world.legs[&leg], LegFate::Released);
    assert!(world.prompts.is_empty());
}

#[test]
fn a_hang_up_during_a_prompt_releases_everything() {
    let mut world = World::new();
    let leg = world.call(vec![play("long.wav")]);
    world.hang_up(leg);
    world.hang_up(leg);
    assert!(world.prompts.is_empty() && world.plans.is_empty() && world.seats.is_empty());
    assert_eq!(world.call_of(leg).hangup_source, Some(HangupSource::Caller));
}

#[test]
fn calls_beyond_the_limit_are_refused() {
    let mut world = World::new();
    for _ in 0..LIMITS.max_calls {
        world.ring();
    }
    let one_more = world.ring();
    assert_eq!(world.legs[&one_more], LegFate::Refused(Refusal::Unavailable));
    assert_eq!(world.call_of(one_more).hangup_cause, Some(HangupCause::ConcurrencyLimit));
}

#[test]
fn conferences_beyond_the_limit_are_not_created() {
    let mut world = World::new();
    for number in 0..LIMITS.max_conferences {
        world.dial(&format!("room{number}"));
    }
    let one_more = world.dial("one-more");
    assert_eq!(world.legs[&one_more], LegFate::Refused(Refusal::NotAvailable));
    assert_eq!(world.switchboard.conferences(), LIMITS.max_conferences);
}

#[test]
fn a_wait_for_silence_ends_once_the_caller_was_silent_long_enough() {
    let seconds = Duration::from_secs;
    let wait = || Instruction::Await(Await { silence: Some(seconds(2)), beep: None, longest: seconds(10) });
    let hung_up = |world: &World, leg| world.legs[&leg] == LegFate::HungUp;
    let mut world = World::new();
    let leg = world.call(vec![wait()]);
    world.pass(seconds(1));
    world.talk(leg, true);
    world.pass(seconds(4));
    world.talk(leg, false);
    world.pass(Duration::from_millis(1_999));
    assert!(!hung_up(&world, leg), "a talkspurt begins the count anew");
    world.pass(Duration::from_millis(1));
    assert!(hung_up(&world, leg));

    let talker = world.call(vec![Instruction::Wait { length: seconds(1) }, wait()]);
    world.talk(talker, true);
    world.pass(Duration::from_millis(10_999));
    assert!(!hung_up(&world, talker), "who talks is never silent");
    world.pass(Duration::from_millis(1));
    assert!(hung_up(&world, talker), "and is not waited for any longer");
}

#[test]
fn several_prompts_are_heard_as_one() {
    let mut world = World::new();
    let contents = vec![PromptContent::Beep1, PromptContent::Pause(Duration::from_millis(400))];
    let repeat = Repeat::Times(2);
    let leg = world.call(vec![Instruction::PlaySeveral { contents: contents.clone(), repeat }]);
    assert_eq!(world.prompts_of(leg), [PromptContent::Several(contents)]);
    world.finish_sounds();
    assert_eq!(world.legs[&leg], LegFate::HungUp);
}

#[test]
fn a_message_goes_to_each_and_the_call_goes_on() {
    let mut world = World::new();
    let message = TextMessage {
        from: "1".into(),
        to: vec!["2".into(), "3".into()],
        text: "Hi".into(),
        kind: "sms".into(),
        report: None,
    };
    let leg = world.call(vec![Instruction::SendMessage(Box::new(message)), play("hello.wav")]);
    let sent: Vec<_> = world.messages.iter().map(|sent| (&*sent.from, &*sent.to, &*sent.text)).collect();
    assert_eq!(sent, [("1", "2", "Hi"), ("1", "3", "Hi")]);
    assert_ne!(world.messages[0].id, world.messages[1].id);
    assert_eq!(world.prompts_of(leg).len(), 1);
}
