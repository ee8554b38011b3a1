//! Text messages, and what their senders are told.

use mixminus_control::{Action, MessageId, OutgoingMessage};

use super::*;
use crate::config::Config;
use crate::messages;

/// What was asked: the path, `Authorization`, the form.
type Asked = Arc<Mutex<Vec<(String, Option<String>, HashMap<String, String>)>>>;

/// A service of messages that answers with `status`, and beside it a customer who acknowledges everything.
async fn answering(status: StatusCode, asked: &Asked) -> SocketAddr {
    let asked = Arc::clone(asked);
    let router = Router::new().fallback(
        move |uri: axum::http::Uri, headers: HeaderMap, Form(form): Form<HashMap<String, String>>| {
            let authorization = headers.get("Authorization").map(|value| value.to_str().unwrap().to_owned());
            let answer = if uri.path() == "/send" { status } else { StatusCode::OK };
            asked.lock().unwrap().push((uri.path().to_owned(), authorization, form));
            async move { answer }
        },
    );
    serve(router).await
}

fn message(report: String) -> OutgoingMessage {
    OutgoingMessage {
        id: MessageId(Uuid::new_v4()),
        account: AccountId("MAXXXXXXXXXXXXXXXXXX".into()),
        from: "1".into(),
        to: "2".into(),
        text: "Hi".into(),
        kind: "sms".into(),
        report: Some(Action { url: report, method: HttpMethod::Post }),
        at: Clock::start().now(),
    }
}

/// What a sender is told of a message that the service answers with `status`, in order; the service is asked once.
async fn told_after(status: StatusCode) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    let asked = Asked::default();
    let address = answering(status, &asked).await;
    commit(&store, messages::queued(&message(format!("http://{address}/told")), true)).await;
    let settings = [("URL", format!("http://{address}/send")), ("SECRET", "s3cret".to_owned())];
    let settings = settings.map(|(key, value)| (format!("MIXMINUS__MESSAGES__{key}").into(), value.into()));
    let config = Config::load(None, settings).unwrap();
    let outbox = Running::sending(&store, MessageService::new(&config.messages).unwrap());
    let all_told = async {
        while asked.lock().unwrap().len() < 3 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, all_told).await.unwrap();
    outbox.stop().await;
    let asked = asked.lock().unwrap();
    let (sent, told): (Vec<_>, Vec<_>) = asked.iter().partition(|(path, ..)| path == "/send");
    let [(_, authorization, form)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(authorization.as_deref(), Some("Bearer s3cret"));
    assert_eq!([&form["from"], &form["to"], &form["text"], &form["type"]], ["1", "2", "Hi", "sms"]);
    assert!(told.iter().all(|(_, authorization, _)| authorization.is_none()), "the secret is the service's");
    told.iter().map(|(_, _, form)| form["Status"].clone()).collect()
}

#[tokio::test]
async fn a_message_is_handed_to_its_service_and_its_sender_is_told() {
    assert_eq!(told_after(StatusCode::ACCEPTED).await, ["queued", "sent"]);
    assert_eq!(told_after(StatusCode::BAD_REQUEST).await, ["queued", "failed"]);
}
