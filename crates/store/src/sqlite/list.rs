//! Pages of what an account and its subaccounts have, newest first.

use mixminus_control::{AccountId, Timestamp};
use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row};

use crate::{Page, SecondsRange, StoreError, TimeRange};

/// The rows that an account reaches by their id: its own and its subaccounts'.
/// The account is the first parameter.
pub(super) const REACHED: &str =
    "account IN (SELECT $1 UNION ALL SELECT id FROM subaccounts WHERE main = $1)";

/// The same as a condition of a query that is being built.
pub(super) fn push_reached(query: &mut QueryBuilder<Sqlite>, account: &AccountId) {
    query.push("account IN (SELECT ").push_bind(account.0.clone());
    query.push(" UNION ALL SELECT id FROM subaccounts WHERE main = ").push_bind(account.0.clone()).push(")");
}

/// Which rows, and which part of them.
pub(super) struct Wanted<'a> {
    /// The table; it has an account and an id.
    pub table: &'static str,
    /// Its column by which rows are older or newer.
    pub age: &'static str,
    /// Who asks.
    pub account: &'a AccountId,
    /// Whose rows alone are wanted.
    pub only: Option<&'a AccountId>,
    /// The part.
    pub page: Page,
}

/// The page and how many rows match in all; `filter` adds conditions.
pub(super) async fn page(
    readers: &SqlitePool,
    wanted: &Wanted<'_>,
    filter: impl Fn(&mut QueryBuilder<Sqlite>),
) -> Result<(Vec<SqliteRow>, u64), StoreError> {
    // One transaction, so that the page and the total are of one instant.
    let mut transaction = readers.begin().await?;
    let subaccounts = sqlx::query("SELECT id FROM subaccounts WHERE main = $1")
        .bind(&wanted.account.0)
        .fetch_all(&mut *transaction)
        .await?;
    let mut accounts = vec![wanted.account.0.clone()];
    for row in &subaccounts {
        accounts.push(row.try_get("id")?);
    }
    accounts.retain(|account| wanted.only.is_none_or(|only| only.0 == *account));

    let mut count = QueryBuilder::new("SELECT COUNT(*) FROM ");
    push_accounts(&mut count, wanted.table, &accounts);
    filter(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(&mut *transaction).await?;

    let mut select = QueryBuilder::new("SELECT * FROM ");
    push_accounts(&mut select, wanted.table, &accounts);
    filter(&mut select);
    select
        .push(" ORDER BY ")
        .push(wanted.age)
        .push(" DESC, id DESC LIMIT ")
        .push_bind(i64::from(wanted.page.limit.min(Page::MAX_LIMIT)))
        .push(" OFFSET ")
        .push_bind(i64::try_from(wanted.page.offset).unwrap_or(i64::MAX));
    Ok((select.build().fetch_all(&mut *transaction).await?, total as u64))
}

/// One account is compared with `=`, so that its rows come from the index in their order.
fn push_accounts(query: &mut QueryBuilder<Sqlite>, table: &'static str, accounts: &[String]) {
    query.push(table).push(" WHERE account ");
    if let [account] = accounts {
        query.push("= ").push_bind(account.clone());
        return;
    }
    query.push("IN (");
    let mut list = query.separated(", ");
    for account in accounts {
        list.push_bind(account.clone());
    }
    query.push(")");
}

pub(super) fn push_equal(query: &mut QueryBuilder<Sqlite>, column: &'static str, value: Option<String>) {
    if let Some(value) = value {
        query.push(" AND ").push(column).push(" = ").push_bind(value);
    }
}

/// One of `values`, or anything if there are none.
pub(super) fn push_any(query: &mut QueryBuilder<Sqlite>, column: &'static str, values: Vec<String>) {
    if values.is_empty() {
        return;
    }
    query.push(" AND ").push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}

/// Whole seconds between a call's answer and its end.
pub(super) fn push_seconds(query: &mut QueryBuilder<Sqlite>, range: &SecondsRange) {
    let bounds = [(" > ", range.gt), (" >= ", range.gte), (" < ", range.lt), (" <= ", range.lte)];
    for (comparison, bound) in bounds {
        if let Some(bound) = bound {
            query
                .push(" AND (ended_at - answered_at) / 1000000")
                .push(comparison)
                .push_bind(i64::from(bound));
        }
    }
}

pub(super) fn push_range(query: &mut QueryBuilder<Sqlite>, column: &'static str, range: &TimeRange) {
    let bounds = [(" > ", range.gt), (" >= ", range.gte), (" < ", range.lt), (" <= ", range.lte)];
    for (comparison, bound) in bounds {
        if let Some(bound) = bound {
            query.push(" AND ").push(column).push(comparison).push_bind(Timestamp::as_micros(bound));
        }
    }
}
