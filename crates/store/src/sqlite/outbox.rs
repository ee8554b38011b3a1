//! The callback outbox: one queue for each order key and URL.
//!
//! Only the head of a queue carries an instant at which it is due, so finding
//! what to deliver costs the number of queues due, not of callbacks waiting.

use mixminus_control::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Executor, Row, Sqlite};
use uuid::Uuid;

use super::rows;
use crate::text::Text;
use crate::{Forget, NewCallback, QueuedCallback, StoreError};

/// How much of an error is kept.
const MAX_ERROR_CHARS: usize = 500;

/// Rows deleted in one go: the writer is not held up for long.
const FORGOTTEN_AT_ONCE: i64 = 500;

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    callback: &NewCallback,
) -> Result<(), StoreError> {
    let params = serde_json::to_string(&callback.params).expect("pairs of strings are JSON");
    sqlx::query(
        "INSERT INTO callbacks (id, account, order_key, sequence, url, method, params, created_at, queued_at,
             attempts, state, due_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8, 0,
             CASE WHEN behind THEN 'waiting' ELSE 'head' END, CASE WHEN behind THEN NULL ELSE $8 END
         FROM (SELECT EXISTS (SELECT 1 FROM callbacks
             WHERE order_key = $3 AND url = $5 AND state IN ('head', 'waiting')) AS behind) AS queue
         WHERE true
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(callback.id.to_string())
    .bind(&callback.account.0)
    .bind(callback.order.to_string())
    .bind(callback.sequence as i64)
    .bind(&callback.url)
    .bind(callback.method.text())
    .bind(params)
    .bind(callback.created_at.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn pending(
    readers: &SqlitePool,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<QueuedCallback>, StoreError> {
    let found = sqlx::query(
        "SELECT * FROM callbacks WHERE state = 'head' AND due_at <= $1
         ORDER BY attempts > 0, due_at, position LIMIT $2",
    )
    .bind(now.as_micros())
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?;
    found.iter().map(rows::queued_callback).collect()
}

pub(super) async fn next_due(readers: &SqlitePool, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let found =
        sqlx::query("SELECT MIN(due_at) AS due_at FROM callbacks WHERE state = 'head' AND due_at > $1")
            .bind(now.as_micros())
            .fetch_one(readers)
            .await?;
    rows::optional_instant(&found, "due_at")
}

pub(super) async fn delivered(writer: &SqlitePool, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let settled = sqlx::query(
        "UPDATE callbacks SET state = 'delivered', due_at = NULL, settled_at = $2
         WHERE id = $1 AND state = 'head' RETURNING order_key, url",
    )
    .bind(id.to_string())
    .bind(at.as_micros())
    .fetch_optional(&mut *transaction)
    .await?;
    if let Some(settled) = settled {
        promote(&mut *transaction, &settled).await?;
    }
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn failed(
    writer: &SqlitePool,
    id: Uuid,
    next_attempt_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE callbacks SET attempts = attempts + 1, due_at = $2, last_error = $3
         WHERE id = $1 AND state = 'head'",
    )
    .bind(id.to_string())
    .bind(next_attempt_at.as_micros())
    .bind(shortened(error))
    .execute(writer)
    .await?;
    Ok(())
}

pub(super) async fn dead(
    writer: &SqlitePool,
    id: Uuid,
    at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let settled = sqlx::query(
        "UPDATE callbacks SET state = 'dead', due_at = NULL, attempts = attempts + 1, last_error = $3,
             settled_at = $2
         WHERE id = $1 AND state = 'head' RETURNING order_key, url",
    )
    .bind(id.to_string())
    .bind(at.as_micros())
    .bind(shortened(error))
    .fetch_optional(&mut *transaction)
    .await?;
    if let Some(settled) = settled {
        promote(&mut *transaction, &settled).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Makes the next one of the queue that `settled` was the head of its head.
async fn promote<'a>(
    connection: impl Executor<'a, Database = Sqlite>,
    settled: &SqliteRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE callbacks SET state = 'head', due_at = queued_at WHERE position = (
             SELECT position FROM callbacks WHERE order_key = $1 AND url = $2 AND state = 'waiting'
             ORDER BY sequence, position LIMIT 1)",
    )
    .bind(settled.try_get::<&str, _>("order_key")?)
    .bind(settled.try_get::<&str, _>("url")?)
    .execute(connection)
    .await?;
    Ok(())
}

/// It joins its queue like a new one, so there is still one head only.
pub(super) async fn requeue(writer: &SqlitePool, id: Uuid, at: Timestamp) -> Result<bool, StoreError> {
    let requeued = sqlx::query(
        "UPDATE callbacks SET queued_at = $2, attempts = 0, settled_at = NULL,
             state = CASE WHEN behind THEN 'waiting' ELSE 'head' END,
             due_at = CASE WHEN behind THEN NULL ELSE $2 END
         FROM (SELECT EXISTS (SELECT 1 FROM callbacks AS dead JOIN callbacks AS other
             ON other.order_key = dead.order_key AND other.url = dead.url AND other.state IN ('head', 'waiting')
             WHERE dead.id = $1) AS behind) AS queue
         WHERE id = $1 AND state = 'dead'",
    )
    .bind(id.to_string())
    .bind(at.as_micros())
    .execute(writer)
    .await?;
    Ok(requeued.rows_affected() > 0)
}

pub(super) async fn forget(writer: &SqlitePool, forget: Forget) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for (state, before) in [("delivered", forget.delivered_before), ("dead", forget.dead_before)] {
        loop {
            let deleted = sqlx::query(
                "DELETE FROM callbacks WHERE position IN (SELECT position FROM callbacks
                     WHERE state = $1 AND settled_at < $2 LIMIT $3)",
            )
            .bind(state)
            .bind(before.as_micros())
            .bind(FORGOTTEN_AT_ONCE)
            .execute(writer)
            .await?;
            forgotten += deleted.rows_affected();
            if deleted.rows_affected() == 0 {
                break;
            }
        }
    }
    Ok(forgotten)
}

fn shortened(error: &str) -> String {
    error.chars().take(MAX_ERROR_CHARS).collect()
}
