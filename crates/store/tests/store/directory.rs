use std::time::Duration;

use mixminus_control::{
    AccountId, Action, ApplicationId, ApplicationRecord, CallId, ConferenceId, EndpointId, EndpointRecord,
    HttpMethod, ParticipantId, PasswordDigests, RecordedFrom, RecordingFormat, RecordingId, RecordingRecord,
    RecordingState, RecordingTrack,
};
use mixminus_store::{
    Batch, Directory, DirectoryFilter, Estate, Orphaned, Page, Profile, RecordingFilter, RegistrationRecord,
    Store, StoreError, SubaccountRecord, Token,
};
use uuid::Uuid;

use crate::fixtures::{Fixture, account, at};

const FIRST: Page = Page { limit: 20, offset: 0 };

fn subaccount(id: &str, created: i64) -> SubaccountRecord {
    SubaccountRecord {
        id: AccountId(id.into()),
        main: account(),
        name: "sales".into(),
        token: Token("a-token-to-sign-with".into()),
        enabled: true,
        created_at: at(created),
        modified_at: Some(at(created + 1)),
    }
}

fn application(id: &str, owner: &AccountId, name: &str) -> ApplicationRecord {
    let action = |path: &str| Some(Action { url: format!("http://h/{path}"), method: HttpMethod::Get });
    ApplicationRecord {
        id: ApplicationId(id.into()),
        account: owner.clone(),
        name: name.into(),
        answer: action("answer"),
        fallback: None,
        hangup: action("hangup"),
        message: None,
        default_for_numbers: false,
        default_for_endpoints: true,
        public: true,
        logs_messages: false,
        created_at: at(10),
    }
}

fn endpoint(id: &str, owner: &AccountId, application: &str) -> EndpointRecord {
    EndpointRecord {
        id: EndpointId(id.into()),
        account: owner.clone(),
        username: format!("bob{id}"),
        alias: "Bob".into(),
        digests: PasswordDigests { md5: "0a".into(), sha256: "0b".into() },
        application: Some(ApplicationId(application.into())),
        created_at: at(10),
    }
}

pub fn recording(started: i64) -> RecordingRecord {
    RecordingRecord {
        id: RecordingId(Uuid::new_v4()),
        account: account(),
        of: RecordedFrom {
            conference: Some((ConferenceId(Uuid::from_u128(1)), "room".into())),
            participant: Some(ParticipantId(7)),
            call: Some(CallId(Uuid::from_u128(2))),
            from: "ann".into(),
            to: "bob".into(),
        },
        state: RecordingState::Completed,
        format: RecordingFormat::Wav,
        track: RecordingTrack::Channels,
        started_at: at(started),
        ended_at: Some(at(started + 9)),
        duration: Duration::from_millis(8_500),
        size_bytes: 1 << 40,
        url: "http://h/r".into(),
        told: None,
        transcript: None,
    }
}

#[tokio::test]
async fn what_an_account_sets_up_is_read_as_it_was_written_and_written_over() {
    let Fixture { store, directory: _kept } = Fixture::new().await;
    let (owner, mut app) = (account(), application("1", &account(), "a"));
    let mut phone = endpoint("9", &owner, "1");
    for name in ["a", "b"] {
        (app.name, phone.alias) = (name.into(), name.into());
        store.save_application(&app).await.unwrap();
        store.save_endpoint(&phone).await.unwrap();
        assert_eq!(store.application(&owner, &app.id).await.unwrap().as_ref(), Some(&app));
        assert_eq!(store.default_application(&owner).await.unwrap().as_ref(), Some(&app));
        assert_eq!(store.endpoint(&owner, &phone.id).await.unwrap().as_ref(), Some(&phone));
        assert_eq!(store.endpoint_by_username("bob9").await.unwrap().as_ref(), Some(&phone));
    }
    assert_eq!(store.profile(&owner).await.unwrap(), Profile::default());
    let profile = Profile { name: "Ann".into(), city: "Bonn".into(), address: "1".into() };
    store.save_profile(&owner, &profile).await.unwrap();
    assert_eq!(store.profile(&owner).await.unwrap(), profile);
}

#[tokio::test]
async fn names_are_taken_once_and_only_one_is_the_default() {
    let Fixture { store, directory: _kept } = Fixture::new().await;
    let owner = account();
    store.save_application(&application("1", &owner, "a")).await.unwrap();
    let same_name = store.save_application(&application("2", &owner, "a")).await;
    assert!(matches!(same_name, Err(StoreError::Taken("name"))));
    let first = store.application(&owner, &ApplicationId("1".into())).await.unwrap().unwrap();
    assert!(first.default_for_endpoints, "a refused one takes nothing away");
    store.save_application(&application("2", &owner, "b")).await.unwrap();
    let default = store.default_application(&owner).await.unwrap().unwrap();
    assert_eq!(default.id.0, "2");
    store.save_endpoint(&endpoint("8", &owner, "1")).await.unwrap();
    let twin = EndpointRecord { username: "bob8".into(), ..endpoint("9", &owner, "1") };
    assert!(matches!(store.save_endpoint(&twin).await, Err(StoreError::Taken("user name"))));
}

#[tokio::test]
async fn a_subaccount_reaches_its_own_and_the_main_account_both() {
    let Fixture { store, directory: _kept } = Fixture::new().await;
    let (main, sub) = (account(), subaccount("SA1", 5));
    store.save_subaccount(&sub).await.unwrap();
    store.save_application(&application("1", &main, "a")).await.unwrap();
    store.save_application(&application("2", &sub.id, "a")).await.unwrap();
    let names = async |who: &AccountId, only: Option<&AccountId>| {
        let filter = DirectoryFilter { account: only.cloned(), name: None };
        let (found, total) = store.applications(who, &filter, FIRST).await.unwrap();
        assert_eq!(found.len() as u64, total);
        found.into_iter().map(|one| one.id.0).collect::<String>()
    };
    let stranger = AccountId("MAOTHER".into());
    assert_eq!(names(&main, None).await, "21");
    assert_eq!(names(&main, Some(&main)).await, "1");
    assert_eq!(names(&main, Some(&sub.id)).await, "2");
    assert_eq!(names(&sub.id, None).await, "2");
    assert_eq!(names(&sub.id, Some(&main)).await, "");
    assert_eq!(names(&stranger, Some(&sub.id)).await, "");
    let second = ApplicationId("2".into());
    assert!(store.application(&main, &second).await.unwrap().is_some());
    assert!(store.application(&stranger, &second).await.unwrap().is_none());
    assert!(store.application(&sub.id, &ApplicationId("1".into())).await.unwrap().is_none());
}

#[tokio::test]
async fn a_deleted_subaccount_leaves_its_estate_its_records_and_no_token() {
    for estate in [Estate::Deleted, Estate::Inherited] {
        let fixture = Fixture::new().await;
        let (store, main) = (&fixture.store, account());
        let sub = subaccount("SA1", 5);
        store.save_subaccount(&sub).await.unwrap();
        assert_eq!(store.subaccounts(&main, FIRST).await.unwrap(), (vec![sub.clone()], 1));
        store.save_application(&application("1", &main, "a")).await.unwrap();
        store.save_application(&application("2", &sub.id, "a")).await.unwrap();
        store.save_endpoint(&endpoint("9", &sub.id, "2")).await.unwrap();
        let left = RecordingRecord { account: sub.id.clone(), ..recording(1) };
        fixture.commit(Batch { recordings: vec![left.clone()], ..Batch::default() }).await;

        let deleted = store.delete_subaccount(&sub, estate, at(50)).await.unwrap();
        assert_eq!(deleted.len(), usize::from(estate == Estate::Deleted), "{estate:?}");
        assert_eq!(store.subaccounts(&main, FIRST).await.unwrap(), (Vec::new(), 0));
        let inherited = store.application(&main, &ApplicationId("2".into())).await.unwrap();
        let phone = store.endpoint(&main, &EndpointId("9".into())).await.unwrap();
        match estate {
            Estate::Deleted => assert_eq!((inherited, phone), (None, None)),
            Estate::Inherited => {
                let inherited = inherited.unwrap();
                assert_eq!((inherited.name.as_str(), &inherited.account), ("a-SA1", &main));
                assert!(!inherited.default_for_endpoints, "the main account's own stays its default");
                assert_eq!(phone.unwrap().account, main);
            }
        }
        assert_eq!(store.recording(&main, left.id).await.unwrap(), Some(left));
        store.save_subaccount(&sub).await.unwrap();
        assert_eq!(store.subaccounts(&main, FIRST).await.unwrap().1, 0, "it does not come back");
    }
}

#[tokio::test]
async fn endpoints_go_stay_or_move_when_their_application_is_deleted() {
    for (orphaned, expected) in [
        (Orphaned::Deleted, None),
        (Orphaned::Kept, Some(None)),
        (Orphaned::MovedTo(ApplicationId("2".into())), Some(Some(ApplicationId("2".into())))),
    ] {
        let Fixture { store, directory: _kept } = Fixture::new().await;
        let owner = account();
        for (id, name) in [("1", "a"), ("2", "b")] {
            store.save_application(&application(id, &owner, name)).await.unwrap();
        }
        store.save_endpoint(&endpoint("9", &owner, "1")).await.unwrap();
        let deleted = store.delete_application(&ApplicationId("1".into()), &orphaned).await.unwrap();
        assert_eq!(deleted.len(), usize::from(orphaned == Orphaned::Deleted), "{orphaned:?}");
        let found = store.endpoint(&owner, &EndpointId("9".into())).await.unwrap();
        assert_eq!(found.map(|one| one.application), expected);
    }
}

#[tokio::test]
async fn a_recording_is_read_as_it_was_written_and_written_over() {
    let fixture = Fixture::new().await;
    let mut record = RecordingRecord { state: RecordingState::Paused, ended_at: None, ..recording(10) };
    for (state, ended_at) in [(RecordingState::Paused, None), (RecordingState::Completed, Some(at(20)))] {
        (record.state, record.ended_at) = (state, ended_at);
        fixture.commit(Batch { recordings: vec![record.clone()], ..Batch::default() }).await;
        assert_eq!(fixture.store.recording(&account(), record.id).await.unwrap().as_ref(), Some(&record));
    }
    let filter = RecordingFilter { conference_name: Some("room".into()), ..RecordingFilter::default() };
    let (found, total) = fixture.store.recordings(&account(), &filter, FIRST).await.unwrap();
    assert_eq!((found, total), (vec![record.clone()], 1));
    fixture.store.delete_recording(record.id).await.unwrap();
    assert_eq!(fixture.store.recording(&account(), record.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_recording_that_went_on_when_the_process_died_is_as_long_as_its_file_or_has_failed() {
    let fixture = Fixture::new().await;
    let record = RecordingRecord { state: RecordingState::Recording, ended_at: None, ..recording(10) };
    fixture.commit(Batch { recordings: vec![record.clone(), recording(1)], ..Batch::default() }).await;
    fixture.store.heartbeat(at(40)).await.unwrap();
    let mut orphans = fixture.store.orphans().await.unwrap();
    let open = orphans.open_recordings.pop().unwrap();
    orphans.end_recording(open.clone(), None);
    orphans.end_recording(open, Some((Duration::from_secs(7), 99)));
    let failed = RecordingRecord {
        state: RecordingState::Failed,
        ended_at: Some(at(40)),
        duration: Duration::ZERO,
        size_bytes: 0,
        ..record.clone()
    };
    let whole = RecordingRecord {
        state: RecordingState::Completed,
        ended_at: Some(at(17)),
        duration: Duration::from_secs(7),
        size_bytes: 99,
        ..record
    };
    assert_eq!(orphans.recordings, [failed, whole]);
}

#[test]
fn a_token_prints_truncated() {
    assert_eq!(format!("{:?}", Token("secret-of-the-account".into())), "secr…");
}

#[tokio::test]
async fn where_endpoints_are_is_known_after_a_restart_while_it_lasts() {
    let fixture = Fixture::new().await;
    let owner = account();
    fixture.store.save_endpoint(&endpoint("1", &owner, "7")).await.unwrap();
    let record = |contact: &str, username: &str, ends| RegistrationRecord {
        username: username.into(),
        contact: contact.into(),
        peer: ([192, 0, 2, 7], 5060).into(),
        preference: 500,
        path: vec!["sip:p.example;lr".into()],
        user_agent: "phone".into(),
        instance: Some(("<urn:uuid:1>".into(), 2)),
        call_id: "c".into(),
        sequence: 9,
        expires_at: at(ends),
    };
    let (first, second) = (record("sip:a@h", "bob1", 20), record("sip:b@h", "bob1", 30));
    let nobody = ("bob2".to_owned(), vec![record("sip:c@h", "bob2", 30)]);
    let bob = |records: &[&RegistrationRecord]| {
        ("bob1".to_owned(), records.iter().map(|record| (*record).clone()).collect::<Vec<_>>())
    };
    fixture.store.save_registrations(&[bob(&[&first, &second]), nobody]).await.unwrap();
    assert_eq!(fixture.store.registrations(at(10)).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(fixture.store.registrations(at(20)).await.unwrap(), [second]);
    fixture.store.save_registrations(&[bob(&[&first])]).await.unwrap();
    assert_eq!(fixture.store.registrations(at(10)).await.unwrap(), [first]);
}
