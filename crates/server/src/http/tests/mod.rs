//! The API driven in-process, on a real store and a small exchange.

mod accounts;
mod callbacks;
mod console;
mod directory;
mod feed;
mod openapi;
mod probes;
mod recordings;
mod refusals;
mod repeats;
mod resources;
mod transcriptions;
mod twelve;
mod whip;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mixminus_archive::{Pace, Spool};
use mixminus_control::policy::Role;
use mixminus_control::{
    AccountId, CallId, CallRecord, CallState, Command, CommandError, ConferenceChange, ConferenceId,
    ConferenceKind, ConferenceRecord, ConferenceState, Direction, Members, Outcome, ParticipantId,
    ParticipantRecord, Selector, Timestamp,
};
use mixminus_store::{Batch, ParticipantFilter, SqliteStore, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;
use uuid::Uuid;

use super::*;
use crate::account::{AuthId, AuthToken, Credentials};
use crate::config::Setting;
use crate::exchange::admission::tests::Crowd;
use crate::exchange::handle::CommandRequest;

pub const ID: &str = "MATEST00000000000000";
pub const TOKEN: &str = "0123456789012345678901234567890123456789";
pub const LIMIT: usize = 40;
pub const WRONG_PASSWORDS: u32 = 20;

/// The conference `support`, live with two inside and one who left.
pub const SUPPORT: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
/// The conference `support` of an hour before, ended.
pub const ENDED: Uuid = Uuid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);
pub const CALL: Uuid = Uuid::from_u128(0x3333_3333_3333_4333_8333_3333_3333_3333);

/// 2026-01-02 10:48:43 UTC.
const NOON: i64 = 1_767_350_923;

pub struct Api {
    pub router: Router,
    pub state: ApiState,
    pub phase: watch::Sender<Phase>,
    pub crowd: Arc<Crowd>,
    /// What was asked of the exchange, and for which account.
    pub commands: Arc<Mutex<Vec<(AccountId, Command)>>>,
    _directory: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Checks that it is JSON in the envelope of an error.
    pub fn error(&self) -> String {
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        let body = self.json();
        assert!(Uuid::try_parse(body["api_id"].as_str().unwrap()).is_ok());
        body["error"].as_str().unwrap().to_owned()
    }
}

struct ThreeCalls;

impl Measured for ThreeCalls {
    fn measure(&self, out: &mut Exposition) {
        out.gauge("calls", "Live calls.", 3);
    }
}

/// What becomes of the exchange's store after a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    StoreWorks,
    StoreIsGone,
}

pub async fn api() -> Api {
    api_with(Afterwards::StoreWorks).await
}

pub async fn api_with(afterwards: Afterwards) -> Api {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&directory.path().join("mixminus.db")).await.unwrap());
    store.commit(&records()).await.unwrap();
    let spool = Spool::open(directory.path().join("recordings"), None).unwrap();
    let (commands, requests) = mpsc::channel(8);
    let (phase, phase_seen) = health::phases();
    let seen = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(exchange(requests, Arc::clone(&store), Arc::clone(&seen), afterwards));
    let account = Credentials { id: AuthId::parse(ID).unwrap(), token: AuthToken::parse(TOKEN).unwrap() };
    let crowd = Arc::<Crowd>::default();
    let state = ApiState {
        accounts: Arc::new(Accounts::new(account)),
        document_limits: mixminus_plivo::xml::Limits::default(),
        speech: Arc::new(crate::prompts::Speech::built_in()),
        transcribes: false,
        local: true,
        store: Arc::clone(&store) as Arc<dyn Store>,
        registrar: Registrar::default(),
        archive: Arc::new(Archive::new(spool, None, Pace::default())),
        place: recordings::place(None),
        live: Arc::new(Live::new(Arc::<crate::live::tests::Plans>::default())),
        dial: None,
        exchange: ExchangeHandle::new(commands),
        backlog: Arc::default(),
        admission: Admission::new(Arc::clone(&crowd) as Arc<_>),
        phase: phase_seen,
        limits: Arc::new(ApiLimits {
            rates: RateLimits::new(LIMIT),
            attempts: Arc::new(mixminus_sip::Attempts::new(WRONG_PASSWORDS)),
            max_subaccounts: 2,
        }),
        clock: Clock::start(),
        queued: Arc::default(),
        repeats: Arc::default(),
        whip: Arc::new(Whip::new(mpsc::channel(1).0, true)),
        trace: Arc::default(),
        answers: Arc::default(),
        measured: Arc::new([Box::new(ThreeCalls)]),
    };
    Api { router: router(state.clone()), state, phase, crowd, commands: seen, _directory: directory }
}

impl Api {
    /// A request by the account, with a JSON content type as every SDK sets it.
    pub async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.request(request(method, path).body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub async fn request(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub fn commands(&self) -> Vec<Command> {
        self.commands.lock().unwrap().iter().map(|(_, command)| command.clone()).collect()
    }
}

/// The head of a request below the account's path.
pub fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("/v1/Account/{ID}/{path}"))
        .header(AUTHORIZATION, basic(ID, TOKEN))
        .header(CONTENT_TYPE, "application/json")
}

pub fn basic(id: &str, token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{token}")))
}

/// Carries out commands on the records alone.
async fn exchange(
    mut requests: mpsc::Receiver<CommandRequest>,
    store: Arc<SqliteStore>,
    seen: Arc<Mutex<Vec<(AccountId, Command)>>>,
    afterwards: Afterwards,
) {
    while let Some(CommandRequest { account, command, reply }) = requests.recv().await {
        let done = carry_out(&store, &account, &command).await;
        seen.lock().unwrap().push((account, command));
        if afterwards == Afterwards::StoreIsGone {
            store.close().await;
        }
        reply.send(done.map_err(Into::into)).unwrap();
    }
}

async fn carry_out(
    store: &SqliteStore,
    account: &AccountId,
    command: &Command,
) -> Result<Outcome, CommandError> {
    let Command::Conference(conference, change) = command else { return Err(CommandError::TooMany) };
    let record = live(store, account, conference).await?;
    let mut batch = Batch::default();
    match change {
        ConferenceChange::Start => {
            batch.conferences.push(ConferenceRecord { state: ConferenceState::Active, ..record.clone() });
        }
        ConferenceChange::End => {
            let (state, ended_at) = (ConferenceState::Ended, Some(after(60)));
            batch.conferences.push(ConferenceRecord { state, ended_at, ..record.clone() });
        }
        ConferenceChange::Update(members, change) => {
            for mut record in inside(store, account, conference, members).await? {
                record.muted = change.mute.unwrap_or(record.muted);
                record.held = change.hold.unwrap_or(record.held);
                record.coaching = change.coach.unwrap_or(record.coaching);
                batch.participants.push(record);
            }
        }
        ConferenceChange::Kick(members) => {
            for record in inside(store, account, conference, members).await? {
                batch.participants.push(ParticipantRecord { left_at: Some(after(60)), ..record });
            }
        }
        ConferenceChange::Play { members, .. } | ConferenceChange::StopPlaying(members, _) => {
            inside(store, account, conference, members).await?;
        }
        ConferenceChange::Record(..) | ConferenceChange::ChangeRecording(..) => {
            return Err(CommandError::NotRecording);
        }
    }
    store.commit(&batch).await.unwrap();
    Ok(Outcome::Conference(Box::new(record), vec![]))
}

async fn live(
    store: &SqliteStore,
    account: &AccountId,
    conference: &Selector,
) -> Result<ConferenceRecord, CommandError> {
    let found = store.conference(account, conference).await.unwrap();
    found.filter(|record| record.state != ConferenceState::Ended).ok_or(CommandError::ConferenceNotFound)
}

async fn inside(
    store: &SqliteStore,
    account: &AccountId,
    conference: &Selector,
    members: &Members,
) -> Result<Vec<ParticipantRecord>, CommandError> {
    let conference = live(store, account, conference).await?.id;
    let filter = ParticipantFilter { call: None, live_only: true };
    let all = store.participants(conference, &filter).await.unwrap();
    let Members::Listed(ids) = members else { return Ok(all) };
    let find = |id: &ParticipantId| {
        all.iter().find(|record| record.id == *id).cloned().ok_or(CommandError::ParticipantNotFound(*id))
    };
    ids.iter().map(find).collect()
}

pub fn after(seconds: i64) -> Timestamp {
    Timestamp::from_micros((NOON + seconds) * 1_000_000)
}

fn records() -> Batch {
    let support = ConferenceRecord {
        kind: ConferenceKind::Supervised,
        id: ConferenceId(SUPPORT),
        account: AccountId(ID.into()),
        name: "support".into(),
        state: ConferenceState::Initialized,
        stay_alone: false,
        created_at: after(0),
        started_at: None,
        ended_at: None,
        end_cause: None,
        billed_seconds: None,
        recording: None,
        sequence: 4,
        subscribers: Vec::new(),
    };
    let ended = ConferenceRecord {
        id: ConferenceId(ENDED),
        state: ConferenceState::Ended,
        created_at: after(-3600),
        ended_at: Some(after(-3589)),
        end_cause: Some(mixminus_control::EndCause::AloneNotPermitted),
        billed_seconds: Some(60),
        ..support.clone()
    };
    let gone = ParticipantRecord {
        left_at: Some(after(5)),
        exit_cause: Some(mixminus_control::ExitCause::CallHangup),
        ..participant(7, SUPPORT, Role::Customer)
    };
    Batch {
        conferences: vec![ended, support],
        calls: vec![call()],
        participants: vec![
            ParticipantRecord { left_at: Some(after(-3589)), ..participant(1, ENDED, Role::Agent) },
            gone,
            participant(8, SUPPORT, Role::Agent),
            participant(9, SUPPORT, Role::Supervisor),
        ],
        ..Batch::default()
    }
}

fn call() -> CallRecord {
    CallRecord {
        id: CallId(CALL),
        account: AccountId(ID.into()),
        direction: Direction::Inbound,
        from: "sip:ann@127.0.0.1".into(),
        to: "sip:support@127.0.0.1".into(),
        caller_name: None,
        placement: None,
        parent: None,
        state: CallState::InProgress,
        created_at: after(-3600),
        answered_at: Some(after(-3600)),
        ended_at: None,
        hangup_cause: None,
        hangup_source: None,
        on_end: Vec::new(),
    }
}

fn participant(id: u64, conference: Uuid, role: Role) -> ParticipantRecord {
    ParticipantRecord {
        id: ParticipantId(id),
        conference: ConferenceId(conference),
        call: CallId(CALL),
        address: "sip:ann@127.0.0.1".into(),
        role,
        coaching: role == Role::Supervisor,
        muted: false,
        held: false,
        start_on_enter: true,
        end_on_exit: false,
        joined_at: after(0),
        left_at: None,
        exit_cause: None,
    }
}
