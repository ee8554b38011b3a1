//! Answers that go to a URL of the client's instead of the reply.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mixminus_plivo::rest::{AsyncCallback, Message};
use mixminus_store::{Batch, NewCallback, OrderKey};
use serde_json::Value;
use uuid::Uuid;

use super::asked::Asked;
use super::reply::json_as;
use super::route::Resource;
use super::{ApiState, body, carry_out_now, survive};
use crate::dialect;

/// Says that the answer comes later, and has it made and sent then.
pub fn answer(asked: &Asked<'_>, resource: Resource, AsyncCallback(target): AsyncCallback) -> Response {
    let id = Uuid::new_v4();
    let (state, account) = (asked.state.clone(), asked.account.clone());
    let (method, arguments) = (asked.method.clone(), asked.arguments.clone());
    tokio::spawn(async move {
        let asked = Asked { state: &state, account: account.clone(), method, arguments: &arguments };
        let answer = survive(carry_out_now(&asked, resource)).await;
        let params = parameters(id, answer.unwrap_or_else(IntoResponse::into_response)).await;
        let method = dialect::http_method(target.method);
        let created_at = state.clock.now();
        let order = OrderKey::Request(id);
        queue(
            &state,
            NewCallback { id, account, order, sequence: 1, url: target.url, method, params, created_at },
        )
        .await;
    });
    json_as(id.to_string(), StatusCode::ACCEPTED, Message::ASYNC_SPAWNED)
}

/// The answer's fields as a form has them: texts as they are, all else as JSON. Under the id that
/// the client knows.
async fn parameters(id: Uuid, answer: Response) -> Vec<(String, String)> {
    let status = answer.status().as_u16().to_string();
    let body = axum::body::to_bytes(answer.into_body(), body::MAX_BODY_BYTES * 16).await.unwrap_or_default();
    let fields = match serde_json::from_slice(&body) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let known = [("api_id".to_owned(), id.to_string()), ("status_code".to_owned(), status)];
    let fields = fields.into_iter().filter(|(key, _)| key != "api_id");
    known.into_iter().chain(fields.map(|(key, value)| (key, text(value)))).collect()
}

async fn queue(state: &ApiState, callback: NewCallback) {
    let batch = Batch { callbacks: vec![callback], ..Batch::default() };
    match state.store.commit(&batch).await {
        Ok(()) => state.queued.notify_one(),
        Err(error) => tracing::error!(%error, "an answer that was to come later is lost"),
    }
}
