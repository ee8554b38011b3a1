//! Reads records.

use mixminus_control::{
    AccountId, CallId, CallRecord, ConferenceId, ConferenceRecord, ParticipantId, ParticipantRecord,
    Selector, Timestamp,
};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use sqlx::{QueryBuilder, Row};

use super::rows;
use crate::orphans::LiveConference;
use crate::text::Text;
use crate::{ConferenceFilter, Orphans, Page, ParticipantFilter, StoreError, TimeRange};

pub(super) async fn conferences(
    readers: &SqlitePool,
    account: &AccountId,
    filter: &ConferenceFilter,
    page: Page,
) -> Result<(Vec<ConferenceRecord>, u64), StoreError> {
    // One transaction, so that the page and the total are of one instant.
    let mut transaction = readers.begin().await?;
    let mut count = QueryBuilder::new("SELECT COUNT(*) FROM conferences WHERE account = ");
    push_filter(&mut count, account, filter);
    let total: i64 = count.build_query_scalar().fetch_one(&mut *transaction).await?;

    let mut select = QueryBuilder::new("SELECT * FROM conferences WHERE account = ");
    push_filter(&mut select, account, filter);
    select
        .push(" ORDER BY created_at DESC, id DESC LIMIT ")
        .push_bind(i64::from(page.limit.min(Page::MAX_LIMIT)))
        .push(" OFFSET ")
        .push_bind(i64::try_from(page.offset).unwrap_or(i64::MAX));
    let found = select.build().fetch_all(&mut *transaction).await?;
    let records = found.iter().map(rows::conference).collect::<Result<_, _>>()?;
    Ok((records, total as u64))
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, account: &AccountId, filter: &ConferenceFilter) {
    query.push_bind(account.0.clone());
    if let Some(name) = &filter.name {
        query.push(" AND name = ").push_bind(name.clone());
    }
    if let Some(state) = filter.state {
        query.push(" AND state = ").push_bind(state.text());
    }
    if let Some(cause) = filter.end_cause {
        query.push(" AND end_cause = ").push_bind(cause.text());
    }
    push_range(query, "created_at", &filter.created);
    push_range(query, "ended_at", &filter.ended);
}

fn push_range(query: &mut QueryBuilder<Sqlite>, column: &'static str, range: &TimeRange) {
    let bounds = [(" > ", range.gt), (" >= ", range.gte), (" < ", range.lt), (" <= ", range.lte)];
    for (comparison, bound) in bounds {
        if let Some(bound) = bound {
            query.push(" AND ").push(column).push(comparison).push_bind(bound.as_micros());
        }
    }
}

pub(super) async fn conference(
    readers: &SqlitePool,
    account: &AccountId,
    selector: &Selector,
) -> Result<Option<ConferenceRecord>, StoreError> {
    let query = match selector {
        Selector::Id(id) => sqlx::query("SELECT * FROM conferences WHERE account = $1 AND id = $2")
            .bind(&account.0)
            .bind(id.to_string()),
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
    let calls = open.iter().map(rows::call).collect::<Result<_, _>>()?;
    let live = sqlx::query("SELECT * FROM conferences WHERE state <> 'ended' ORDER BY created_at, id")
        .fetch_all(&mut *transaction)
        .await?;
    let mut conferences = Vec::with_capacity(live.len());
    for row in &live {
        conferences.push(live_conference(&mut transaction, rows::conference(row)?).await?);
    }
    Ok(Orphans::close(conferences, calls, at))
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
