use mixminus_control::ConferenceId;
use mixminus_store::{CallbackFilter, CallbackState, OrderKey, SqliteStore, Store};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use uuid::Uuid;

use crate::fixtures::{account, at};

#[tokio::test]
async fn callbacks_of_the_first_schema_keep_their_order_and_what_was_dead_stays_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let sql = include_str!("../../migrations/0001_records.sql").into_sql_str();
    let first = Migration::new(1, "records".into(), MigrationType::Simple, sql, false);
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    Migrator::with_migrations(vec![first]).run(&pool).await.unwrap();
    let room = Uuid::from_u128(7);
    for (number, state, due) in [(1, "dead", "NULL"), (2, "head", "10000000"), (3, "waiting", "NULL")] {
        let id = Uuid::from_u128(number);
        let row = format!(
            "INSERT INTO callbacks VALUES ({number}, '{id}', '{}', '{room}', {number}, 'http://h/', 'POST', '[]',
                 10000000, '{state}', {due}, 0, NULL)",
            account()
        );
        sqlx::query(AssertSqlSafe(row)).execute(&pool).await.unwrap();
    }
    pool.close().await;

    let store = SqliteStore::open(&path).await.unwrap();
    let found = store.callbacks(&account(), CallbackFilter::default(), 10).await.unwrap();
    let states: Vec<_> = found.iter().map(|one| (one.position, one.state)).collect();
    let pending = CallbackState::Pending;
    assert_eq!(states, [(1, CallbackState::Dead), (2, pending), (3, pending)]);
    assert_eq!(found[1].callback.order, OrderKey::Conference(ConferenceId(room)));
    for expected in [2, 3] {
        let due = store.pending_callbacks(at(20), 10).await.unwrap();
        assert_eq!(due[0].callback.sequence, expected);
        store.callback_delivered(due[0].callback.id, at(20)).await.unwrap();
    }
}
