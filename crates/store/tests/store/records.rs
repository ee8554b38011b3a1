use std::collections::BTreeSet;

use futures::future::join_all;
use mixminus_control::policy::Role;
use mixminus_control::{
    Action, CallRecord, CallState, ConferenceRecord, ConferenceState, Direction, EndCause, ExitCause,
    FetchPurpose, HangupCause, HangupSource, HttpMethod, ParticipantId, ParticipantRecord, Selector,
    StatusCallback,
};
use mixminus_store::{Batch, ConferenceFilter, Page, Store, StoreError};
use sqlx::{AssertSqlSafe, Executor};

use crate::fixtures::{Fixture, account, at, call, callback, conference, participant, subscriber};

#[tokio::test]
async fn a_conference_is_read_as_it_was_written_and_written_over() {
    let fixture = Fixture::new().await;
    let new = ConferenceRecord {
        state: ConferenceState::Initialized,
        started_at: None,
        ..conference("support", 10)
    };
    let over = ConferenceRecord {
        state: ConferenceState::Ended,
        stay_alone: false,
        started_at: Some(at(11)),
        ended_at: Some(at(12)),
        end_cause: Some(EndCause::MaxDuration),
        billed_seconds: Some(120),
        sequence: 9,
        subscribers: vec![
            subscriber("http://customer.example/\"会議\""),
            StatusCallback {
                action: Action { url: String::new(), method: HttpMethod::Get },
                groups: BTreeSet::new(),
            },
        ],
        ..new.clone()
    };
    for written in [new, over] {
        fixture.commit(Batch { conferences: vec![written.clone()], ..Batch::default() }).await;
        let read = fixture.store.conference(&account(), &Selector::Id(written.id)).await.unwrap();
        assert_eq!(read, Some(written));
    }
}

#[tokio::test]
async fn a_participant_is_read_as_it_was_written_and_written_over() {
    let fixture = Fixture::new().await;
    let (conference, call) = (conference("support", 10), call(10));
    let new = participant(7, &conference, &call, 10);
    let over = ParticipantRecord {
        coaching: true,
        muted: true,
        held: true,
        left_at: Some(at(12)),
        exit_cause: Some(ExitCause::Kicked),
        ..new.clone()
    };
    fixture
        .commit(Batch { conferences: vec![conference.clone()], calls: vec![call], ..Batch::default() })
        .await;
    for written in [new, over] {
        fixture.commit(Batch { participants: vec![written.clone()], ..Batch::default() }).await;
        let read = fixture.store.participant(conference.id, written.id).await.unwrap();
        assert_eq!(read, Some(written));
    }
}

#[tokio::test]
async fn a_call_is_read_as_it_was_written_and_written_over() {
    let fixture = Fixture::new().await;
    let new = CallRecord {
        direction: Direction::Outbound,
        state: CallState::Ringing,
        answered_at: None,
        ..call(10)
    };
    let over = CallRecord {
        state: CallState::Completed,
        answered_at: Some(at(11)),
        ended_at: Some(at(12)),
        hangup_cause: Some(HangupCause::Unreachable(FetchPurpose::Action)),
        hangup_source: Some(HangupSource::Error),
        ..new.clone()
    };
    for written in [new, over] {
        fixture.commit(Batch { calls: vec![written.clone()], ..Batch::default() }).await;
        assert_eq!(fixture.store.call(written.id).await.unwrap(), Some(written));
    }
}

#[tokio::test]
async fn hostile_names_are_only_text() {
    let fixture = Fixture::new().await;
    let names = [
        "Zürich 会議 🎧",
        "'; DROP TABLE conferences; --",
        "a%_b",
        "../../etc/passwd",
        "nul\0inside",
        "line\r\nbreak",
        " ",
        &"x".repeat(10_000),
    ];
    for name in names {
        let written = conference(name, 10);
        fixture.commit(Batch { conferences: vec![written.clone()], ..Batch::default() }).await;
        let by_name = fixture.store.conference(&account(), &Selector::Name(name.into())).await.unwrap();
        assert_eq!(by_name, Some(written));
    }
    let filter = ConferenceFilter { name: Some("a__b".into()), ..ConferenceFilter::default() };
    let page = Page { limit: 20, offset: 0 };
    let matching = fixture.store.conferences(&account(), &filter, page).await.unwrap();
    assert_eq!(matching, (vec![], 0), "names are compared, not matched");
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all() {
    let fixture = Fixture::new().await;
    let (conference, call) = (conference("support", 10), call(10));
    let stranger = participant(1, &conference, &call, 10);
    let batch =
        Batch { conferences: vec![conference.clone()], participants: vec![stranger], ..Batch::default() };
    let refused = fixture.store.commit(&batch).await;
    assert!(matches!(refused, Err(StoreError::Database(_))), "its call is unknown: {refused:?}");
    let found = fixture.store.conference(&account(), &Selector::Id(conference.id)).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn commits_at_once_are_all_kept() {
    let fixture = Fixture::new().await;
    let calls: Vec<_> = (0..100).map(call).collect();
    let results = join_all(calls.iter().map(|call| async {
        let batch = Batch { calls: vec![call.clone()], ..Batch::default() };
        fixture.store.commit(&batch).await?;
        fixture.store.call(call.id).await
    }))
    .await;
    for (result, call) in results.into_iter().zip(calls) {
        assert_eq!(result.unwrap(), Some(call), "and seen by who reads after the commit");
    }
}

#[tokio::test]
async fn participant_ids_grow_past_the_greatest_ever_written() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.next_participant_id().await.unwrap(), ParticipantId(1));
    let (conference, call) = (conference("support", 10), call(10));
    let batch = Batch {
        participants: vec![participant(41, &conference, &call, 10), participant(7, &conference, &call, 10)],
        conferences: vec![conference],
        calls: vec![call],
        ..Batch::default()
    };
    fixture.commit(batch).await;
    assert_eq!(fixture.store.next_participant_id().await.unwrap(), ParticipantId(42));
}

#[tokio::test]
async fn an_unknown_word_in_a_row_is_a_clear_error() {
    let fixture = Fixture::new().await;
    let conference = conference("support", 10);
    fixture.commit(Batch { conferences: vec![conference.clone()], ..Batch::default() }).await;
    let damage = sqlx::query("UPDATE conferences SET state = 'paused'");
    damage.execute(&mut fixture.peek().await).await.unwrap();
    let refused = fixture.store.conference(&account(), &Selector::Id(conference.id)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the store holds an unknown state: \"paused\"");
}

#[tokio::test]
async fn every_role_and_exit_cause_is_kept() {
    let fixture = Fixture::new().await;
    let (conference, call) = (conference("support", 10), call(10));
    let roles = [Role::Agent, Role::AiAgent, Role::Customer, Role::Supervisor];
    let causes =
        [ExitCause::CallHangup, ExitCause::Kicked, ExitCause::ConferenceEnded, ExitCause::CallTransferred];
    let written: Vec<_> = (1..)
        .zip(roles.into_iter().zip(causes))
        .map(|(id, (role, cause))| ParticipantRecord {
            role,
            exit_cause: Some(cause),
            ..participant(id, &conference, &call, 10)
        })
        .collect();
    fixture
        .commit(Batch {
            conferences: vec![conference.clone()],
            calls: vec![call],
            participants: written.clone(),
            ..Batch::default()
        })
        .await;
    let mut read = fixture
        .store
        .participants(conference.id, &mixminus_store::ParticipantFilter::default())
        .await
        .unwrap();
    read.reverse();
    assert_eq!(read, written);
}

#[tokio::test]
async fn a_transaction_that_the_database_rolled_back_by_itself_spoils_no_later_one() {
    let fixture = Fixture::new().await;
    let room = conference("support", 1);
    let batch = Batch {
        conferences: vec![room.clone()],
        callbacks: vec![callback(room.id, 1, 1)],
        ..Batch::default()
    };
    let mut outside = fixture.peek().await;
    for event in ["INSERT ON conferences", "UPDATE ON callbacks"] {
        let full = format!("BEFORE {event} BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END");
        let name = event.split(' ').next().unwrap();
        outside.execute(AssertSqlSafe(format!("CREATE TRIGGER full_{name} {full}"))).await.unwrap();
    }
    fixture.store.commit(&batch).await.unwrap_err();
    outside.execute("DROP TRIGGER full_INSERT").await.unwrap();
    fixture.store.commit(&batch).await.unwrap();
    let id = batch.callbacks[0].id;
    fixture.store.callback_delivered(id, at(20)).await.unwrap_err();
    outside.execute("DROP TRIGGER full_UPDATE").await.unwrap();
    fixture.store.callback_delivered(id, at(20)).await.unwrap();
    fixture.commit(batch).await;
}
