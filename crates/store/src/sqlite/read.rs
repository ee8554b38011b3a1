//! Reads records.

use mixminus_control::{
    AccountId, CallId, CallRecord, CallState, ConferenceId, ConferenceRecord, ParticipantId,
    ParticipantRecord, RecordingRecord, RecordingState, Selector, StreamRecord, Timestamp,
};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use sqlx::{AssertSqlSafe, QueryBuilder, Row};
use uuid::Uuid;

use super::list::{self, REACHED, Wanted, push_any, push_equal, push_range, push_seconds};
use super::rows;
use crate::orphans::{LiveCall, LiveConference, OpenRecording, Recorded};
use crate::text::Text;
use crate::{
    CallFilter, CallbackFilter, CallbackRecord, CallbackState, ConferenceFilter, OrderKey, Orphans, Page,
    ParticipantFilter, RecordingFilter, RecordingLimits, StoreError,
};

pub(super) async fn conferences(
    readers: &SqlitePool,
    account: &AccountId,
    filter: &ConferenceFilter,
    page: Page,
) -> Result<(Vec<ConferenceRecord>, u64), StoreError> {
    let only = filter.subaccount.as_ref();
    let wanted = Wanted { table: "conferences", age: "created_at", account, only, page };
    let matching = |query: &mut QueryBuilder<Sqlite>| {
        push_equal(query, "name", filter.name.clone());
        push_equal(query, "state", filter.state.map(|state| state.text().to_owned()));
        push_equal(query, "end_cause", filter.end_cause.map(|cause| cause.text().to_owned()));
        push_range(query, "created_at", &filter.created);
        push_range(query, "ended_at", &filter.ended);
    };
    let (found, total) = list::page(readers, &wanted, matching).await?;
    Ok((found.iter().map(rows::conference).collect::<Result<_, _>>()?, total))
}

pub(super) async fn conference(
    readers: &SqlitePool,
    account: &AccountId,
    selector: &Selector,
) -> Result<Option<ConferenceRecord>, StoreError> {
    let query = match selector {
        Selector::Id(id) => {
            let reached = format!("SELECT * FROM conferences WHERE id = $2 AND {REACHED}");
            sqlx::query(AssertSqlSafe(reached)).bind(&account.0).bind(id.to_string())
        }
        Selector::Name(name) => sqlx::query(
            "SELECT * FROM conferences WHERE account = $1 AND name = $2 AND state <> 'ended'
             ORDER BY created_at DESC LIMIT 1",
        )
        .bind(&account.0)
        .bind(name),
    };
    let found = query.fetch_optional(readers).await?;
    found.as_ref().map(rows::conference).transpose()
}

pub(super) async fn participants(
    readers: &SqlitePool,
    conference: ConferenceId,
    filter: &ParticipantFilter,
) -> Result<Vec<ParticipantRecord>, StoreError> {
    let mut select = QueryBuilder::new("SELECT * FROM participants WHERE conference_id = ");
    select.push_bind(conference.to_string());
    if let Some(call) = filter.call {
        select.push(" AND call_id = ").push_bind(call.to_string());
    }
    if filter.live_only {
        select.push(" AND left_at IS NULL");
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(Page::MAX_LIMIT));
    let found = select.build().fetch_all(readers).await?;
    found.iter().map(rows::participant).collect()
}

pub(super) async fn participant(
    readers: &SqlitePool,
    conference: ConferenceId,
    id: ParticipantId,
) -> Result<Option<ParticipantRecord>, StoreError> {
    let found = sqlx::query("SELECT * FROM participants WHERE conference_id = $1 AND id = $2")
        .bind(conference.to_string())
        .bind(id.0 as i64)
        .fetch_optional(readers)
        .await?;
    found.as_ref().map(rows::participant).transpose()
}

pub(super) async fn call(readers: &SqlitePool, id: CallId) -> Result<Option<CallRecord>, StoreError> {
    let found =
        sqlx::query("SELECT * FROM calls WHERE id = $1").bind(id.to_string()).fetch_optional(readers).await?;
    found.as_ref().map(rows::call).transpose()
}

pub(super) async fn calls(
    readers: &SqlitePool,
    account: &AccountId,
    filter: &CallFilter,
    page: Page,
) -> Result<(Vec<CallRecord>, u64), StoreError> {
    let only = filter.subaccount.as_ref();
    let wanted = Wanted { table: "calls", age: "created_at", account, only, page };
    let words = |states: &[CallState]| states.iter().map(|state| state.text().to_owned()).collect();
    let matching = |query: &mut QueryBuilder<Sqlite>| {
        push_any(query, "state", words(&filter.states));
        push_equal(query, "direction", filter.direction.map(|direction| direction.text().to_owned()));
        push_equal(query, "from_address", filter.from.clone());
        push_any(query, "to_address", filter.to.clone());
        push_equal(query, "parent_call_id", filter.parent.map(|parent| parent.to_string()));
        let causes = filter.causes.iter().map(|cause| cause.text().to_owned()).collect();
        push_any(query, "hangup_cause", causes);
        push_equal(query, "hangup_source", filter.source.map(|source| source.text().to_owned()));
        push_seconds(query, &filter.seconds);
        push_range(query, "created_at", &filter.created);
        push_range(query, "answered_at", &filter.answered);
        push_range(query, "ended_at", &filter.ended);
    };
    let (found, total) = list::page(readers, &wanted, matching).await?;
    Ok((found.iter().map(rows::call).collect::<Result<_, _>>()?, total))
}

pub(super) async fn conference_names(
    readers: &SqlitePool,
    calls: &[CallId],
) -> Result<Vec<(CallId, String)>, StoreError> {
    let mut select = QueryBuilder::new(
        "SELECT call_id, name FROM participants JOIN conferences ON conferences.id = conference_id
         WHERE left_at IS NULL AND call_id IN (",
    );
    let mut ids = select.separated(", ");
    for call in calls {
        ids.push_bind(call.to_string());
    }
    select.push(")");
    let found = select.build().fetch_all(readers).await?;
    found.iter().map(|row| Ok((CallId(rows::uuid(row, "call_id")?), row.try_get("name")?))).collect()
}

pub(super) async fn recordings(
    readers: &SqlitePool,
    account: &AccountId,
    filter: &RecordingFilter,
    page: Page,
) -> Result<(Vec<RecordingRecord>, u64), StoreError> {
    let only = filter.subaccount.as_ref();
    let wanted = Wanted { table: "recordings", age: "started_at", account, only, page };
    let matching = |query: &mut QueryBuilder<Sqlite>| {
        push_equal(query, "from_address", filter.from.clone());
        push_equal(query, "to_address", filter.to.clone());
        push_equal(query, "call_id", filter.call.map(|id| id.to_string()));
        push_equal(query, "conference_id", filter.conference.map(|id| id.to_string()));
        push_equal(query, "conference_name", filter.conference_name.clone());
        push_range(query, "started_at", &filter.started);
    };
    let (found, total) = list::page(readers, &wanted, matching).await?;
    Ok((found.iter().map(rows::recording).collect::<Result<_, _>>()?, total))
}

pub(super) async fn recordings_beyond(
    readers: &SqlitePool,
    RecordingLimits { ended_before, max_total_bytes }: RecordingLimits,
    limit: u32,
) -> Result<Vec<RecordingRecord>, StoreError> {
    let found = sqlx::query(
        "SELECT * FROM
            (SELECT *, SUM(size_bytes) OVER (ORDER BY started_at DESC, id DESC) AS up_to_this
             FROM recordings WHERE state IN ($1, $2))
         WHERE ended_at < $3 OR up_to_this > $4 ORDER BY started_at, id LIMIT $5",
    )
    .bind(RecordingState::Completed.text())
    .bind(RecordingState::Failed.text())
    .bind(ended_before.map(Timestamp::as_micros))
    .bind(max_total_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)))
    .bind(limit)
    .fetch_all(readers)
    .await?;
    found.iter().map(rows::recording).collect()
}

pub(super) async fn streams(
    readers: &SqlitePool,
    account: &AccountId,
    call: CallId,
) -> Result<Vec<StreamRecord>, StoreError> {
    let reached = format!(
        "SELECT * FROM streams WHERE call_id = $2 AND {REACHED} ORDER BY created_at DESC, id DESC LIMIT {}",
        Page::MAX_LIMIT
    );
    let found = sqlx::query(AssertSqlSafe(reached))
        .bind(&account.0)
        .bind(call.to_string())
        .fetch_all(readers)
        .await?;
    found.iter().map(rows::stream).collect()
}

pub(super) async fn callbacks(
    readers: &SqlitePool,
    account: &AccountId,
    filter: CallbackFilter,
    limit: u32,
) -> Result<Vec<CallbackRecord>, StoreError> {
    let mut select = QueryBuilder::new("SELECT * FROM callbacks WHERE ");
    list::push_reached(&mut select, account);
    select.push(" AND position >= ").push_bind(i64::try_from(filter.from).unwrap_or(i64::MAX));
    select.push(match filter.state {
        None => "",
        Some(CallbackState::Pending) => " AND state IN ('head', 'waiting')",
        Some(CallbackState::Delivered) => " AND state = 'delivered'",
        Some(CallbackState::Dead) => " AND state = 'dead'",
    });
    select.push(" ORDER BY position LIMIT ").push_bind(i64::from(limit.min(Page::MAX_LIMIT)));
    let found = select.build().fetch_all(readers).await?;
    found.iter().map(rows::callback).collect()
}

pub(super) async fn callback(
    readers: &SqlitePool,
    account: &AccountId,
    id: Uuid,
) -> Result<Option<CallbackRecord>, StoreError> {
    let reached = format!("SELECT * FROM callbacks WHERE id = $2 AND {REACHED}");
    let found = sqlx::query(AssertSqlSafe(reached))
        .bind(&account.0)
        .bind(id.to_string())
        .fetch_optional(readers)
        .await?;
    found.as_ref().map(rows::callback).transpose()
}

pub(super) async fn meta(readers: &SqlitePool, name: &str) -> Result<i64, StoreError> {
    let found = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(name).fetch_one(readers).await?;
    Ok(found.try_get("value")?)
}

pub(super) async fn orphans(readers: &SqlitePool) -> Result<Orphans, StoreError> {
    let at = Timestamp::from_micros(meta(readers, "alive_at").await?);
    let mut transaction = readers.begin().await?;
    let open = sqlx::query("SELECT * FROM calls WHERE ended_at IS NULL ORDER BY created_at, id")
        .fetch_all(&mut *transaction)
        .await?;
    let mut calls = Vec::with_capacity(open.len());
    for row in &open {
        let call = rows::call(row)?;
        let told = last_sequence(&mut transaction, OrderKey::Call(call.id)).await?;
        calls.push(LiveCall { record: call, told });
    }
    let live = sqlx::query("SELECT * FROM conferences WHERE state <> 'ended' ORDER BY created_at, id")
        .fetch_all(&mut *transaction)
        .await?;
    let mut conferences = Vec::with_capacity(live.len());
    for row in &live {
        conferences.push(live_conference(&mut transaction, rows::conference(row)?).await?);
    }
    let going_on = sqlx::query("SELECT * FROM recordings WHERE ended_at IS NULL ORDER BY started_at, id")
        .fetch_all(&mut *transaction)
        .await?;
    let mut recordings = Vec::with_capacity(going_on.len());
    for row in &going_on {
        recordings.push(open_recording(&mut transaction, rows::recording(row)?, at).await?);
    }
    let open = sqlx::query("SELECT * FROM streams WHERE ended_at IS NULL ORDER BY created_at, id")
        .fetch_all(&mut *transaction)
        .await?;
    let streams = open.iter().map(rows::stream).collect::<Result<_, _>>()?;
    let mut orphans = Orphans::close(conferences, calls, recordings, at);
    orphans.close_streams(streams, at);
    Ok(orphans)
}

/// A recording with what it is of, unless that has no row.
async fn open_recording(
    connection: &mut SqliteConnection,
    record: RecordingRecord,
    at: Timestamp,
) -> Result<OpenRecording, StoreError> {
    let (table, id, order) = match (&record.of.conference, record.of.call) {
        (Some((id, _)), _) => ("conferences", id.to_string(), OrderKey::Conference(*id)),
        (None, Some(id)) => ("calls", id.to_string(), OrderKey::Call(id)),
        (None, None) => return Ok(OpenRecording { record, of: None, at }),
    };
    let query = format!("SELECT * FROM {table} WHERE id = $1");
    let found = sqlx::query(AssertSqlSafe(query)).bind(id).fetch_optional(&mut *connection).await?;
    let last = last_sequence(connection, order).await?;
    let of = match (found, order) {
        (None, _) => None,
        (Some(row), OrderKey::Call(_)) => Some((Recorded::Call(rows::call(&row)?), last)),
        (Some(row), _) => Some((Recorded::Conference(rows::conference(&row)?), last)),
    };
    Ok(OpenRecording { record, of, at })
}

/// The number of the last callback that is kept of what `order` names, settled or not.
async fn last_sequence(connection: &mut SqliteConnection, order: OrderKey) -> Result<u64, StoreError> {
    let last = sqlx::query("SELECT COALESCE(MAX(sequence), 0) AS last FROM callbacks WHERE order_key = $1")
        .bind(order.to_string())
        .fetch_one(connection)
        .await?;
    Ok(last.try_get::<i64, _>("last")? as u64)
}

async fn live_conference(
    connection: &mut SqliteConnection,
    record: ConferenceRecord,
) -> Result<LiveConference, StoreError> {
    let participants = sqlx::query("SELECT * FROM participants WHERE conference_id = $1 ORDER BY id")
        .bind(record.id.to_string())
        .fetch_all(connection)
        .await?;
    Ok(LiveConference {
        record,
        participants: participants.iter().map(rows::participant).collect::<Result<_, _>>()?,
    })
}
