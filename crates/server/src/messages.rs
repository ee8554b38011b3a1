//! Text messages. There is no carrier inside: a service that the deployer names sends them. They wait in the outbox as
//! callbacks do, and their senders are told what became of them.

use mixminus_control::{Action, HttpMethod, OutgoingMessage, Timestamp};
use mixminus_store::{NewCallback, OrderKey};
use uuid::Uuid;

use crate::config;
use crate::dialect::{self, MessageStatus};
use crate::web::{Destinations, Limits, WebClient, WebError, WebRequest};

/// Names of what a service is sent; where its sender is told of a message, too, so that it may say more.
const FROM: &str = "from";
const TO: &str = "to";
const REPORT: &str = "callback_url";
const REPORT_METHOD: &str = "callback_method";
const GET: &str = "GET";

/// Sends messages by the deployer's service, which may be anywhere.
#[derive(Clone, Debug)]
pub struct MessageService {
    web: WebClient,
    url: String,
    secret: Option<config::Password>,
}

impl MessageService {
    /// The service that `config` names, if it does.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the system gives no resources for a client.
    pub fn new(config: &config::Messages) -> Result<Option<Self>, reqwest::Error> {
        let Some(url) = &config.url else { return Ok(None) };
        let web = WebClient::new(Destinations::Any)?;
        Ok(Some(Self { web, url: url.as_str().to_owned(), secret: config.secret.clone() }))
    }

    /// Hands a queued message over.
    ///
    /// # Errors
    ///
    /// [`WebError`] for everything but a 2xx answer.
    pub async fn send(&self, message: &NewCallback) -> Result<(), WebError> {
        let secret =
            self.secret.as_ref().map(|secret| ("Authorization", format!("Bearer {}", secret.expose())));
        let request = WebRequest {
            method: HttpMethod::Post,
            url: &self.url,
            params: &message.params,
            headers: secret.as_slice(),
            limits: Limits::CALLBACK,
        };
        self.web.send(&request).await.map(drop)
    }
}

/// Whether the service will not take the message however often it is asked.
pub const fn is_refused(error: &WebError) -> bool {
    matches!(error, WebError::Status { status: 400..=499, .. })
        && !matches!(error, WebError::Status { status: 408 | 429, .. })
}

/// What waits in the outbox for `message`: itself where `sent` by a service, and what its sender is told of that.
pub fn queued(message: &OutgoingMessage, sent: bool) -> Vec<NewCallback> {
    let OutgoingMessage { id, account, from, to, text, kind, report, at } = message;
    let mut params: Vec<_> = [
        (FROM, from.clone()),
        (TO, to.clone()),
        ("text", text.clone()),
        ("type", kind.clone()),
        ("account", account.to_string()),
        ("message", id.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(Action { url, method }) = report {
        let method = if *method == HttpMethod::Get { GET } else { "POST" };
        params.push((REPORT.to_owned(), url.clone()));
        params.push((REPORT_METHOD.to_owned(), method.to_owned()));
    }
    let queued = NewCallback {
        id: id.0,
        account: account.clone(),
        order: OrderKey::Message(id.0),
        sequence: 1,
        url: format!("sms:{to}"),
        method: HttpMethod::Post,
        params,
        created_at: *at,
    };
    let status = if sent { MessageStatus::Queued } else { MessageStatus::Failed };
    let told = self::report(&queued, (1, status), *at);
    sent.then_some(queued).into_iter().chain(told).collect()
}

/// What the sender of a queued `message` is told once it was handed over, or given up; if it wants to be.
pub fn settled(message: &NewCallback, status: MessageStatus, at: Timestamp) -> Option<NewCallback> {
    report(message, (2, status), at)
}

fn report(
    message: &NewCallback,
    (sequence, status): (u64, MessageStatus),
    at: Timestamp,
) -> Option<NewCallback> {
    let param = |name| message.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let url = param(REPORT)?.to_owned();
    let method = if param(REPORT_METHOD) == Some(GET) { HttpMethod::Get } else { HttpMethod::Post };
    let parties = (param(FROM).unwrap_or_default(), param(TO).unwrap_or_default());
    Some(NewCallback {
        // The same each time, so that what is told twice is queued once.
        id: Uuid::from_u128(message.id.as_u128() ^ u128::from(sequence)),
        account: message.account.clone(),
        order: OrderKey::Request(message.id),
        sequence,
        url,
        method,
        params: dialect::message_parameters(message.id, parties, status),
        created_at: at,
    })
}

#[cfg(test)]
mod tests {
    use mixminus_control::{AccountId, MessageId};

    use super::*;

    fn message(report: Option<Action>) -> OutgoingMessage {
        OutgoingMessage {
            id: MessageId(Uuid::from_u128(0x10)),
            account: AccountId("MAXXXXXXXXXXXXXXXXXX".into()),
            from: "1415".into(),
            to: "4930".into(),
            text: "Hi".into(),
            kind: "sms".into(),
            report,
            at: Timestamp::from_micros(7),
        }
    }

    fn asked() -> Action {
        Action { url: "http://app/told".into(), method: HttpMethod::Get }
    }

    fn statuses(queued: &[NewCallback]) -> Vec<(&str, u64, Option<&str>)> {
        let status = |one: &'_ NewCallback| one.params.iter().position(|(key, _)| key == "Status");
        queued.iter().map(|one| (&*one.url, one.sequence, status(one).map(|at| &*one.params[at].1))).collect()
    }

    #[test]
    fn a_message_waits_for_its_service_and_its_sender_is_told_so() {
        let queued = queued(&message(Some(asked())), true);
        assert_eq!(statuses(&queued), [("sms:4930", 1, None), ("http://app/told", 1, Some("queued"))]);
        assert_eq!(queued[1].method, HttpMethod::Get);
        let sent = settled(&queued[0], MessageStatus::Sent, Timestamp::from_micros(9)).unwrap();
        assert_eq!(statuses(std::slice::from_ref(&sent)), [("http://app/told", 2, Some("sent"))]);
        assert_eq!((sent.order, sent.method), (queued[1].order, HttpMethod::Get));
        assert!(sent.id != queued[0].id && sent.id != queued[1].id);
        assert_eq!(Some(sent), settled(&queued[0], MessageStatus::Sent, Timestamp::from_micros(9)));
    }

    #[test]
    fn without_a_service_the_sender_is_told_that_it_failed() {
        assert_eq!(
            statuses(&queued(&message(Some(asked())), false)),
            [("http://app/told", 1, Some("failed"))]
        );
        assert_eq!(queued(&message(None), false), []);
    }

    #[test]
    fn what_a_service_refuses_is_not_sent_again() {
        let error = |status| WebError::Status { host: "h".into(), status };
        let refused = [400, 404, 408, 429, 500].map(|status| is_refused(&error(status)));
        assert_eq!(refused, [true, true, false, false, false]);
    }
}
