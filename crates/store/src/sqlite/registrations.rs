//! Where endpoints are.

use mixminus_control::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::rows::instant;
use crate::{RegistrationRecord, StoreError};

pub(super) async fn all(readers: &SqlitePool, now: Timestamp) -> Result<Vec<RegistrationRecord>, StoreError> {
    let found = sqlx::query(
        "SELECT registrations.* FROM registrations JOIN endpoints USING (username)
         WHERE expires_at > $1 ORDER BY username, contact",
    )
    .bind(now.as_micros())
    .fetch_all(readers)
    .await?;
    found.iter().map(registration).collect()
}

pub(super) async fn save(
    writer: &SqlitePool,
    endpoints: &[(String, Vec<RegistrationRecord>)],
) -> Result<(), StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    for (username, records) in endpoints {
        sqlx::query("DELETE FROM registrations WHERE username = $1")
            .bind(username)
            .execute(&mut *transaction)
            .await?;
        for record in records {
            let (instance, number) = record.instance.as_ref().map(|(id, number)| (id, *number)).unzip();
            sqlx::query(
                "INSERT OR REPLACE INTO registrations (username, contact, peer, preference, path, user_agent,
                     instance, instance_number, call_id, sequence, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(username)
            .bind(&record.contact)
            .bind(record.peer.to_string())
            .bind(record.preference)
            .bind(serde_json::to_string(&record.path).expect("texts can be written"))
            .bind(&record.user_agent)
            .bind(instance)
            .bind(number)
            .bind(&record.call_id)
            .bind(record.sequence)
            .bind(record.expires_at.as_micros())
            .execute(&mut *transaction)
            .await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

fn registration(row: &SqliteRow) -> Result<RegistrationRecord, StoreError> {
    let (peer, path): (String, String) = (row.try_get("peer")?, row.try_get("path")?);
    let unknown = |column| move |value| StoreError::Unknown { column, value };
    let instance: Option<String> = row.try_get("instance")?;
    let number: Option<u32> = row.try_get("instance_number")?;
    Ok(RegistrationRecord {
        username: row.try_get("username")?,
        contact: row.try_get("contact")?,
        peer: peer.parse().map_err(|_| unknown("peer")(peer))?,
        preference: row.try_get("preference")?,
        path: serde_json::from_str(&path).map_err(|_| unknown("path")(path))?,
        user_agent: row.try_get("user_agent")?,
        instance: instance.zip(number),
        call_id: row.try_get("call_id")?,
        sequence: row.try_get("sequence")?,
        expires_at: instant(row, "expires_at")?,
    })
}
