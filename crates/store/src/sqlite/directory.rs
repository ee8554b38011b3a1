//! Subaccounts, applications and endpoints.

use async_trait::async_trait;
use mixminus_control::{
    AccountId, Action, ApplicationId, ApplicationRecord, EndpointId, EndpointRecord, Timestamp,
};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::list::{self, REACHED, Wanted, push_equal};
use super::{SqliteStore, registrations, rows};
use crate::text::Text;
use crate::{
    Directory, DirectoryFilter, Estate, Orphaned, Page, Profile, RegistrationRecord, StoreError,
    SubaccountRecord,
};

#[async_trait]
impl Directory for SqliteStore {
    async fn subaccounts(
        &self,
        main: &AccountId,
        page: Page,
    ) -> Result<(Vec<SubaccountRecord>, u64), StoreError> {
        let mut transaction = self.readers.begin().await?;
        let living = "FROM subaccounts WHERE main = $1 AND deleted_at IS NULL";
        let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {living}")))
            .bind(&main.0)
            .fetch_one(&mut *transaction)
            .await?;
        let query = format!("SELECT * {living} ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3");
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(&main.0)
            .bind(i64::from(page.limit.min(Page::MAX_LIMIT)))
            .bind(i64::try_from(page.offset).unwrap_or(i64::MAX))
            .fetch_all(&mut *transaction)
            .await?;
        Ok((found.iter().map(rows::subaccount).collect::<Result<_, _>>()?, total as u64))
    }

    async fn save_subaccount(&self, subaccount: &SubaccountRecord) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO subaccounts (id, main, name, token, enabled, created_at, modified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, token = excluded.token,
                 enabled = excluded.enabled, modified_at = excluded.modified_at
                 WHERE deleted_at IS NULL AND main = excluded.main",
        )
        .bind(&subaccount.id.0)
        .bind(&subaccount.main.0)
        .bind(&subaccount.name)
        .bind(&subaccount.token.0)
        .bind(subaccount.enabled)
        .bind(subaccount.created_at.as_micros())
        .bind(subaccount.modified_at.map(Timestamp::as_micros))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn delete_subaccount(
        &self,
        subaccount: &SubaccountRecord,
        estate: Estate,
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let SubaccountRecord { id, main, .. } = subaccount;
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE subaccounts SET deleted_at = $2, token = '', enabled = FALSE WHERE id = $1")
            .bind(&id.0)
            .bind(at.as_micros())
            .execute(&mut *transaction)
            .await?;
        let deleted = match estate {
            Estate::Deleted => {
                sqlx::query("DELETE FROM applications WHERE account = $1")
                    .bind(&id.0)
                    .execute(&mut *transaction)
                    .await?;
                sqlx::query_scalar("DELETE FROM endpoints WHERE account = $1 RETURNING username")
                    .bind(&id.0)
                    .fetch_all(&mut *transaction)
                    .await?
            }
            Estate::Inherited => {
                inherit(&mut transaction, id, main).await?;
                vec![]
            }
        };
        transaction.commit().await?;
        Ok(deleted)
    }

    async fn profile(&self, account: &AccountId) -> Result<Profile, StoreError> {
        let found = sqlx::query("SELECT * FROM profiles WHERE account = $1")
            .bind(&account.0)
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = found else { return Ok(Profile::default()) };
        Ok(Profile {
            name: row.try_get("name")?,
            city: row.try_get("city")?,
            address: row.try_get("address")?,
        })
    }

    async fn save_profile(&self, account: &AccountId, profile: &Profile) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO profiles (account, name, city, address) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account) DO UPDATE SET name = excluded.name, city = excluded.city,
                 address = excluded.address",
        )
        .bind(&account.0)
        .bind(&profile.name)
        .bind(&profile.city)
        .bind(&profile.address)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn applications(
        &self,
        account: &AccountId,
        filter: &DirectoryFilter,
        page: Page,
    ) -> Result<(Vec<ApplicationRecord>, u64), StoreError> {
        let only = filter.account.as_ref();
        let wanted = Wanted { table: "applications", age: "created_at", account, only, page };
        let (found, total) =
            list::page(&self.readers, &wanted, |query| push_equal(query, "name", filter.name.clone()))
                .await?;
        Ok((found.iter().map(rows::application).collect::<Result<_, _>>()?, total))
    }

    async fn application(
        &self,
        account: &AccountId,
        id: &ApplicationId,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        let found = self.reached("applications", account, &id.0).await?;
        found.as_ref().map(rows::application).transpose()
    }

    async fn default_application(
        &self,
        account: &AccountId,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        self.application_where("account = $1 AND default_for_endpoints", account).await
    }

    async fn number_application(&self, account: &AccountId) -> Result<Option<ApplicationRecord>, StoreError> {
        self.application_where("account = $1 AND default_for_numbers", account).await
    }

    async fn save_application(&self, application: &ApplicationRecord) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for (is_default, yield_place) in [
            (
                application.default_for_numbers,
                "UPDATE applications SET default_for_numbers = FALSE WHERE account = $1 AND id <> $2",
            ),
            (
                application.default_for_endpoints,
                "UPDATE applications SET default_for_endpoints = FALSE WHERE account = $1 AND id <> $2",
            ),
        ] {
            if is_default {
                let query = sqlx::query(yield_place).bind(&application.account.0).bind(&application.id.0);
                query.execute(&mut *transaction).await?;
            }
        }
        save_application(&mut transaction, application).await.map_err(|error| taken(error, "name"))?;
        transaction.commit().await?;
        Ok(())
    }

    async fn delete_application(
        &self,
        id: &ApplicationId,
        endpoints: &Orphaned,
    ) -> Result<Vec<String>, StoreError> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let heir = match endpoints {
            Orphaned::Deleted | Orphaned::Kept => None,
            Orphaned::MovedTo(other) => Some(&other.0),
        };
        let deleted = if *endpoints == Orphaned::Deleted {
            sqlx::query_scalar("DELETE FROM endpoints WHERE application_id = $1 RETURNING username")
                .bind(&id.0)
                .fetch_all(&mut *transaction)
                .await?
        } else {
            sqlx::query("UPDATE endpoints SET application_id = $2 WHERE application_id = $1")
                .bind(&id.0)
                .bind(heir)
                .execute(&mut *transaction)
                .await?;
            vec![]
        };
        sqlx::query("DELETE FROM applications WHERE id = $1").bind(&id.0).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    async fn endpoints(
        &self,
        account: &AccountId,
        filter: &DirectoryFilter,
        page: Page,
    ) -> Result<(Vec<EndpointRecord>, u64), StoreError> {
        let only = filter.account.as_ref();
        let wanted = Wanted { table: "endpoints", age: "created_at", account, only, page };
        let (found, total) =
            list::page(&self.readers, &wanted, |query| push_equal(query, "alias", filter.name.clone()))
                .await?;
        Ok((found.iter().map(rows::endpoint).collect::<Result<_, _>>()?, total))
    }

    async fn endpoint(
        &self,
        account: &AccountId,
        id: &EndpointId,
    ) -> Result<Option<EndpointRecord>, StoreError> {
        let found = self.reached("endpoints", account, &id.0).await?;
        found.as_ref().map(rows::endpoint).transpose()
    }

    async fn endpoint_by_username(&self, username: &str) -> Result<Option<EndpointRecord>, StoreError> {
        let found = sqlx::query("SELECT * FROM endpoints WHERE username = $1")
            .bind(username)
            .fetch_optional(&self.readers)
            .await?;
        found.as_ref().map(rows::endpoint).transpose()
    }

    async fn save_endpoint(&self, endpoint: &EndpointRecord) -> Result<(), StoreError> {
        let saved = sqlx::query(
            "INSERT INTO endpoints (id, account, username, alias, digest_md5, digest_sha256, application_id,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET alias = excluded.alias, digest_md5 = excluded.digest_md5,
                 digest_sha256 = excluded.digest_sha256, application_id = excluded.application_id",
        )
        .bind(&endpoint.id.0)
        .bind(&endpoint.account.0)
        .bind(&endpoint.username)
        .bind(&endpoint.alias)
        .bind(&endpoint.digests.md5)
        .bind(&endpoint.digests.sha256)
        .bind(endpoint.application.as_ref().map(|id| &id.0))
        .bind(endpoint.created_at.as_micros())
        .execute(&self.writer)
        .await;
        saved.map(drop).map_err(|error| taken(error.into(), "user name"))
    }

    async fn delete_endpoint(&self, id: &EndpointId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM endpoints WHERE id = $1").bind(&id.0).execute(&self.writer).await?;
        Ok(())
    }

    async fn registrations(&self, now: Timestamp) -> Result<Vec<RegistrationRecord>, StoreError> {
        registrations::all(&self.readers, now).await
    }

    async fn save_registrations(
        &self,
        endpoints: &[(String, Vec<RegistrationRecord>)],
    ) -> Result<(), StoreError> {
        registrations::save(&self.writer, endpoints).await
    }
}

impl SqliteStore {
    async fn application_where(
        &self,
        condition: &'static str,
        account: &AccountId,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        let query = format!("SELECT * FROM applications WHERE {condition}");
        let found = sqlx::query(sqlx::AssertSqlSafe(query)).bind(&account.0);
        found.fetch_optional(&self.readers).await?.as_ref().map(rows::application).transpose()
    }

    /// The row with this id, if `account` reaches it.
    pub(super) async fn reached(
        &self,
        table: &'static str,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<SqliteRow>, StoreError> {
        let query = format!("SELECT * FROM {table} WHERE id = $2 AND {REACHED}");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(&account.0).bind(id);
        Ok(query.fetch_optional(&self.readers).await?)
    }
}

/// The main account gets what the subaccount had. Names may be taken there, so
/// they get the subaccount's id as a suffix; no default of the main account's changes.
async fn inherit(
    connection: &mut SqliteConnection,
    subaccount: &AccountId,
    main: &AccountId,
) -> Result<(), StoreError> {
    for update in [
        "UPDATE applications SET account = $2, default_for_numbers = FALSE, default_for_endpoints = FALSE,
             name = CASE WHEN EXISTS (SELECT 1 FROM applications AS other
                 WHERE other.account = $2 AND other.name = applications.name)
             THEN name || '-' || $1 ELSE name END
         WHERE account = $1",
        "UPDATE endpoints SET account = $2 WHERE account = $1",
    ] {
        sqlx::query(update).bind(&subaccount.0).bind(&main.0).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn save_application(
    connection: &mut SqliteConnection,
    application: &ApplicationRecord,
) -> Result<(), StoreError> {
    let mut query = sqlx::query(
        "INSERT INTO applications (id, account, name, default_for_numbers, default_for_endpoints, public,
             logs_messages, created_at, answer_url, answer_method, fallback_url, fallback_method, hangup_url,
             hangup_method, message_url, message_method)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (id) DO UPDATE SET account = excluded.account, name = excluded.name,
             default_for_numbers = excluded.default_for_numbers,
             default_for_endpoints = excluded.default_for_endpoints, public = excluded.public,
             logs_messages = excluded.logs_messages, answer_url = excluded.answer_url,
             answer_method = excluded.answer_method, fallback_url = excluded.fallback_url,
             fallback_method = excluded.fallback_method, hangup_url = excluded.hangup_url,
             hangup_method = excluded.hangup_method, message_url = excluded.message_url,
             message_method = excluded.message_method",
    )
    .bind(&application.id.0)
    .bind(&application.account.0)
    .bind(&application.name)
    .bind(application.default_for_numbers)
    .bind(application.default_for_endpoints)
    .bind(application.public)
    .bind(application.logs_messages)
    .bind(application.created_at.as_micros());
    let ApplicationRecord { answer, fallback, hangup, message, .. } = application;
    for action in [answer, fallback, hangup, message] {
        let (url, method) = action.as_ref().map(|Action { url, method }| (url, method.text())).unzip();
        query = query.bind(url).bind(method);
    }
    query.execute(connection).await?;
    Ok(())
}

/// A name that is taken is no fault of the database's.
fn taken(error: StoreError, what: &'static str) -> StoreError {
    match error {
        StoreError::Database(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            StoreError::Taken(what)
        }
        other => other,
    }
}
