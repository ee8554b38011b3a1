use mixminus_control::{
    AccountId, ConferenceRecord, ConferenceState, EndCause, ParticipantId, ParticipantRecord, Selector,
};
use mixminus_store::{Batch, ConferenceFilter, Page, ParticipantFilter, Store, TimeRange};

use crate::fixtures::{Fixture, account, at, call, conference, ended, participant};

const FIRST: Page = Page { limit: 20, offset: 0 };

async fn names(fixture: &Fixture, filter: &ConferenceFilter, page: Page) -> (String, u64) {
    let (found, total) = fixture.store.conferences(&account(), filter, page).await.unwrap();
    let names: Vec<_> = found.into_iter().map(|one| one.name).collect();
    (names.join(" "), total)
}

/// `a` and `b` ended, `c` is live and waits, and another account has its own `a`.
async fn three_conferences() -> Fixture {
    let fixture = Fixture::new().await;
    let foreign =
        ConferenceRecord { account: AccountId("MAYYYYYYYYYYYYYYYYYY".into()), ..conference("a", 40) };
    let conferences = vec![
        ConferenceRecord { end_cause: Some(EndCause::ApiRequest), ..ended("a", 10, 15) },
        ended("b", 20, 25),
        ConferenceRecord { state: ConferenceState::Initialized, ..conference("c", 30) },
        foreign,
    ];
    fixture.commit(Batch { conferences, ..Batch::default() }).await;
    fixture
}

#[tokio::test]
async fn conferences_are_listed_newest_first_for_their_account_only() {
    let fixture = three_conferences().await;
    assert_eq!(names(&fixture, &ConferenceFilter::default(), FIRST).await, ("c b a".into(), 3));
}

#[tokio::test]
async fn pages_do_not_overlap_and_know_the_total() {
    let fixture = three_conferences().await;
    let all = ConferenceFilter::default();
    assert_eq!(names(&fixture, &all, Page { limit: 2, offset: 0 }).await, ("c b".into(), 3));
    assert_eq!(names(&fixture, &all, Page { limit: 2, offset: 2 }).await, ("a".into(), 3));
    assert_eq!(names(&fixture, &all, Page { limit: 2, offset: u64::MAX }).await, (String::new(), 3));
}

#[tokio::test]
async fn conferences_are_filtered_by_name_state_and_end_cause() {
    let fixture = three_conferences().await;
    let none = ConferenceFilter::default();
    for (filter, expected) in [
        (ConferenceFilter { name: Some("a".into()), ..none.clone() }, "a"),
        (ConferenceFilter { name: Some("A".into()), ..none.clone() }, ""),
        (ConferenceFilter { state: Some(ConferenceState::Ended), ..none.clone() }, "b a"),
        (ConferenceFilter { state: Some(ConferenceState::Initialized), ..none.clone() }, "c"),
        (ConferenceFilter { state: Some(ConferenceState::Active), ..none.clone() }, ""),
        (ConferenceFilter { end_cause: Some(EndCause::ApiRequest), ..none.clone() }, "a"),
    ] {
        let total = expected.split_whitespace().count() as u64;
        assert_eq!(names(&fixture, &filter, FIRST).await, (expected.into(), total), "{filter:?}");
    }
}

#[tokio::test]
async fn each_bound_of_creation_and_end_is_exact() {
    let fixture = three_conferences().await;
    let any = TimeRange::default();
    for (range, created, ended) in [
        (TimeRange { gt: Some(at(20)), ..any }, "c", "b"),
        (TimeRange { gte: Some(at(20)), ..any }, "c b", "b"),
        (TimeRange { lt: Some(at(20)), ..any }, "a", "a"),
        (TimeRange { lte: Some(at(20)), ..any }, "b a", "a"),
        (TimeRange { gt: Some(at(15)), ..any }, "c b", "b"),
        (TimeRange { gte: Some(at(15)), ..any }, "c b", "b a"),
        (TimeRange { lt: Some(at(25)), ..any }, "b a", "a"),
        (TimeRange { lte: Some(at(25)), ..any }, "b a", "b a"),
        (TimeRange { gte: Some(at(20)), lt: Some(at(30)), ..any }, "b", "b"),
    ] {
        let by_creation = ConferenceFilter { created: range, ..ConferenceFilter::default() };
        let by_end = ConferenceFilter { ended: range, ..ConferenceFilter::default() };
        assert_eq!(names(&fixture, &by_creation, FIRST).await.0, created, "created {range:?}");
        assert_eq!(names(&fixture, &by_end, FIRST).await.0, ended, "ended {range:?}");
    }
}

#[tokio::test]
async fn a_name_finds_the_live_conference_only() {
    let fixture = Fixture::new().await;
    let (past, live) = (ended("support", 10, 20), conference("support", 30));
    fixture.commit(Batch { conferences: vec![past.clone()], ..Batch::default() }).await;
    let by_name = Selector::Name("support".into());
    assert_eq!(fixture.store.conference(&account(), &by_name).await.unwrap(), None);
    fixture.commit(Batch { conferences: vec![live.clone()], ..Batch::default() }).await;
    assert_eq!(fixture.store.conference(&account(), &by_name).await.unwrap(), Some(live));
    let by_id = Selector::Id(past.id);
    assert_eq!(fixture.store.conference(&account(), &by_id).await.unwrap(), Some(past));
}

#[tokio::test]
async fn another_accounts_conference_is_not_found() {
    let fixture = Fixture::new().await;
    let ours = conference("support", 10);
    fixture.commit(Batch { conferences: vec![ours.clone()], ..Batch::default() }).await;
    let other = AccountId("MAYYYYYYYYYYYYYYYYYY".into());
    for selector in [Selector::Id(ours.id), Selector::Name(ours.name)] {
        assert_eq!(fixture.store.conference(&other, &selector).await.unwrap(), None);
    }
}

#[tokio::test]
async fn calls_are_found_in_the_conferences_that_they_have_not_left() {
    let fixture = Fixture::new().await;
    let (room, other) = (conference("a", 10), conference("b", 10));
    let (alice, bob, carol) = (call(10), call(11), call(12));
    let left = ParticipantRecord { left_at: Some(at(12)), ..participant(1, &other, &alice, 10) };
    let gone = ParticipantRecord { left_at: Some(at(12)), ..participant(2, &other, &bob, 10) };
    fixture
        .commit(Batch {
            conferences: vec![room.clone(), other.clone()],
            calls: vec![alice.clone(), bob.clone(), carol.clone()],
            participants: vec![
                left,
                gone,
                participant(3, &room, &alice, 13),
                participant(4, &other, &carol, 14),
            ],
            ..Batch::default()
        })
        .await;
    let names = fixture.store.conference_names(&[alice.id, bob.id]).await.unwrap();
    assert_eq!(names, [(alice.id, "a".to_owned())]);
    assert_eq!(fixture.store.conference_names(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn participants_are_listed_newest_first_and_filtered() {
    let fixture = Fixture::new().await;
    let (room, other_room) = (conference("a", 10), conference("b", 10));
    let (alice, bob) = (call(10), call(11));
    let left = ParticipantRecord { left_at: Some(at(12)), ..participant(1, &room, &alice, 10) };
    fixture
        .commit(Batch {
            conferences: vec![room.clone(), other_room.clone()],
            calls: vec![alice.clone(), bob.clone()],
            participants: vec![
                left,
                participant(2, &room, &bob, 11),
                participant(3, &room, &alice, 13),
                participant(4, &other_room, &bob, 14),
            ],
            ..Batch::default()
        })
        .await;
    let all = ParticipantFilter::default();
    for (filter, expected) in [
        (all, vec![3, 2, 1]),
        (ParticipantFilter { live_only: true, ..all }, vec![3, 2]),
        (ParticipantFilter { call: Some(alice.id), ..all }, vec![3, 1]),
        (ParticipantFilter { call: Some(alice.id), live_only: true }, vec![3]),
    ] {
        let found = fixture.store.participants(room.id, &filter).await.unwrap();
        let ids: Vec<_> = found.into_iter().map(|one| one.id.0).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
    let elsewhere = fixture.store.participant(room.id, ParticipantId(4)).await.unwrap();
    assert_eq!(elsewhere, None, "a participant is found in its own conference only");
}
