//! Transfers (REFER) by phones in a conference and in a connection.

use mixminus_sip::CallEnd;

use crate::application::Application;
use crate::phone::{Desk, Phone};
use crate::{Running, eventually};

const BY_ALL: (&str, &str) = ("MIXMINUS__SIP__TRANSFERS", "all");

/// An agent and a customer in the conference `room`.
async fn two(running: &Running) -> (Phone, Phone) {
    let (agent, customer) = (running.call("room").await, running.call("room.customer").await);
    customer.joined(running, 2).await;
    (agent, customer)
}

/// Calls the application, which connects the call to `desk`.
async fn connected(running: &Running, application: &Application, desk: Desk) -> (Phone, Phone) {
    let address = desk.address();
    application.answer(&format!("<Response><Dial><User>{address}</User></Dial></Response>"));
    let (caller, callee) = tokio::join!(running.call("service"), desk.answer());
    hear_each_other(&caller, &callee).await;
    (caller, callee)
}

async fn hear_each_other(one: &Phone, other: &Phone) {
    for (talker, listener) in [(one, other), (other, one)] {
        eventually("one hears the other", async || {
            talker.talk(10).await;
            listener.hears_tone()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_is_transferred_and_its_successor_is_in_its_place() {
    let running = Running::start(&[BY_ALL]).await;
    let (agent, customer) = two(&running).await;
    let desk = Desk::open().await;
    let (status, carol) = tokio::join!(agent.transfer(desk.address()), desk.answer());
    assert_eq!(status, 200);
    hear_each_other(&customer, &carol).await;
    assert_eq!(agent.ended().await, CallEnd::HungUp, "we say goodbye where the phone does not");
    let members = running.get("name_room/Participant/").await;
    let roles: Vec<_> = members["objects"].as_array().unwrap().iter().map(|one| &one["role"]).collect();
    assert_eq!(roles, ["agent", "customer"], "{members}");
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_called_for_whom_the_configuration_does_not_let_transfer() {
    for rule in [None, Some("endpoints")] {
        let settings: Vec<_> = rule.map(|rule| (BY_ALL.0, rule)).into_iter().collect();
        let running = Running::start(&settings).await;
        let (agent, customer) = two(&running).await;
        let mut desk = Desk::open().await;
        assert_eq!(agent.transfer(desk.address()).await, 603);
        hear_each_other(&agent, &customer).await;
        assert!(!desk.rang());
        running.service.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_leads_to_nobody_who_may_not_be_called_and_leaves_all_as_it_is() {
    let running = Running::start(&[BY_ALL, ("MIXMINUS__SIP__DENY_PREFIXES", "+1900")]).await;
    let (agent, customer) = two(&running).await;
    let mut desk = Desk::open().await;
    let barred = desk.address().replace("carol", "0019005550100");
    for (target, status) in [
        ("sip:carol@192.0.2.9".to_owned(), 404),
        (barred, 403),
        (format!("sip:+14155550100@{}", running.sip()), 404),
        (format!("sip:nobody@{}", running.sip()), 480),
    ] {
        assert_eq!(agent.transfer(target.clone()).await, status, "{target}");
    }
    assert!(!desk.rang());
    let target = desk.address();
    let busy = async { desk.rings().await.control.refuse(486, None) };
    assert_eq!(tokio::join!(agent.transfer(target), busy).0, 486);
    hear_each_other(&agent, &customer).await;
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callee_is_transferred_and_its_caller_is_connected_to_the_successor() {
    let application = Application::start().await;
    let running =
        Running::start(&[BY_ALL, ("MIXMINUS__APPLICATION__ANSWER_URL", &application.url("/answer"))]).await;
    let (caller, bob) = connected(&running, &application, Desk::open().await).await;
    let desk = Desk::open().await;
    let (status, carol) = tokio::join!(bob.transfer(desk.address()), desk.answer());
    assert_eq!(status, 200);
    hear_each_other(&caller, &carol).await;
    bob.hang_up().await;
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parties_of_two_calls_of_one_phone_are_joined_and_nobody_is_called() {
    let application = Application::start().await;
    let running =
        Running::start(&[BY_ALL, ("MIXMINUS__APPLICATION__ANSWER_URL", &application.url("/answer"))]).await;
    let (ann, bob) = connected(&running, &application, Desk::open().await).await;
    let (consulting, carol) = connected(&running, &application, Desk::open().await).await;
    let target = format!("sip:carol@{}", running.sip());
    assert_eq!(ann.transfer_into(&consulting, target).await, 200);
    hear_each_other(&bob, &carol).await;
    assert_eq!((ann.ended().await, consulting.ended().await), (CallEnd::HungUp, CallEnd::HungUp));
    running.service.drain().await;
}
