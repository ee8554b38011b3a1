//! Who answers a call that arrives, which the store has to be asked for.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use mixminus_control::{AccountId, Application, ApplicationId, ApplicationRecord, CallUrls};
use mixminus_sip::IncomingCall;
use mixminus_store::{Store, StoreError};
use tokio::sync::mpsc;

use crate::dialect;

/// When a caller may try again whose application cannot be looked up.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// A call, and what answers it.
#[derive(Debug)]
pub struct Arriving {
    /// The call.
    pub call: IncomingCall,
    /// Whose it is.
    pub account: AccountId,
    /// What it does.
    pub application: Application,
}

/// Which applications answer which numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(HashMap<String, ApplicationId>);

impl Numbers {
    /// The application of `number`, whether it is written with a plus or without.
    fn of(&self, number: &str) -> Option<&ApplicationId> {
        self.0.get(digits(number))
    }
}

impl FromIterator<NumberRoute> for Numbers {
    fn from_iter<T: IntoIterator<Item = NumberRoute>>(routes: T) -> Self {
        Self(routes.into_iter().map(|route| (route.number, route.application)).collect())
    }
}

/// The application of a number, written `+14155550100=20468599130939380`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRoute {
    /// Digits without a plus.
    number: String,
    application: ApplicationId,
}

impl FromStr for NumberRoute {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, application) = text.split_once('=').ok_or(())?;
        let (number, application) = (digits(number.trim()), application.trim());
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let sound = is_number(number) && is_number(application);
        sound
            .then(|| Self { number: number.into(), application: ApplicationId(application.into()) })
            .ok_or(())
    }
}

fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// Finds out who answers calls.
pub struct Reception {
    /// Where applications and endpoints are looked up.
    pub store: Arc<dyn Store>,
    /// Whose calls those are that come from elsewhere than endpoints.
    pub account: AccountId,
    /// What answers where nothing else is set up.
    pub otherwise: Application,
    /// What answers numbers.
    pub numbers: Numbers,
}

impl Reception {
    /// Passes calls on with what answers them, in their order, until there are no more.
    pub async fn run(self, mut calls: mpsc::Receiver<IncomingCall>, arrivals: mpsc::Sender<Arriving>) {
        while let Some(call) = calls.recv().await {
            match self.answers(call.endpoint.as_deref(), (&call.user, &call.to)).await {
                Ok(None) => call.control.refuse(403, None), // the endpoint was deleted just now
                Ok(Some((account, application))) => {
                    let arriving = Arriving { call, account, application };
                    if arrivals.send(arriving).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(call_id = call.control.id(), %error, "refused: no application could be found");
                    call.control.refuse(503, Some(RETRY_AFTER));
                }
            }
        }
    }

    /// Whose a call by an endpoint or by somebody else to `user` is, and what answers it.
    async fn answers(
        &self,
        endpoint: Option<&str>,
        (user, to): (&str, &str),
    ) -> Result<Option<(AccountId, Application)>, StoreError> {
        let (account, named) = match endpoint {
            Some(username) => match self.store.endpoint_by_username(username).await? {
                Some(found) => (found.account, found.application),
                None => return Ok(None),
            },
            None if dialect::is_application(to) => (self.account.clone(), Some(ApplicationId(user.into()))),
            None => (self.account.clone(), self.numbers.of(user).cloned()),
        };
        let found = match (&named, endpoint) {
            (Some(id), _) => self.store.application(&account, id).await?,
            (None, Some(_)) => self.store.default_application(&account).await?,
            (None, None) => self.store.number_application(&account).await?,
        };
        let application = found.and_then(application).unwrap_or_else(|| self.otherwise.clone());
        Ok(Some((account, application)))
    }
}

/// What an application does, if it does anything.
fn application(record: ApplicationRecord) -> Option<Application> {
    let urls = CallUrls { fallback: record.fallback, hangup: record.hangup, ..CallUrls::default() };
    Some(Application::Url { answer: record.answer?, urls })
}

#[cfg(test)]
mod tests {
    use mixminus_control::{Action, EndpointId, EndpointRecord, HttpMethod, PasswordDigests, Timestamp};
    use mixminus_store::{Directory, SqliteStore};

    use super::*;

    const MAIN: &str = "MATEST00000000000000";
    const SUB: &str = "SATEST00000000000000";

    fn asked_at(path: &str) -> Application {
        let answer = Action { url: format!("http://app/{path}"), method: HttpMethod::Post };
        Application::Url { answer, urls: CallUrls::default() }
    }

    fn application(id: &str, owner: &str, default: bool) -> ApplicationRecord {
        let Application::Url { answer, .. } = asked_at(id) else { panic!() };
        ApplicationRecord {
            id: ApplicationId(id.into()),
            account: AccountId(owner.into()),
            name: id.into(),
            answer: Some(answer).filter(|_| id != "9"),
            fallback: None,
            hangup: None,
            message: None,
            default_for_numbers: default,
            default_for_endpoints: default,
            public: false,
            logs_messages: false,
            created_at: Timestamp::default(),
        }
    }

    fn endpoint(username: &str, owner: &str, application: Option<&str>) -> EndpointRecord {
        EndpointRecord {
            id: EndpointId(username.into()),
            account: AccountId(owner.into()),
            username: username.into(),
            alias: String::new(),
            digests: PasswordDigests { md5: String::new(), sha256: String::new() },
            application: application.map(|id| ApplicationId(id.into())),
            created_at: Timestamp::default(),
        }
    }

    async fn reception(folder: &tempfile::TempDir, default: bool) -> Reception {
        let store = Arc::new(SqliteStore::open(&folder.path().join("store.db")).await.unwrap());
        for record in [
            application("1", MAIN, false),
            application("2", SUB, true),
            application("3", MAIN, default),
            application("9", MAIN, false),
        ] {
            store.save_application(&record).await.unwrap();
        }
        for record in [
            endpoint("ann", MAIN, Some("1")),
            endpoint("bob", SUB, None),
            endpoint("cid", MAIN, Some("9")),
            endpoint("dan", MAIN, None),
        ] {
            store.save_endpoint(&record).await.unwrap();
        }
        let numbers = ["+1415=1", "1416=2"].map(|route| route.parse::<NumberRoute>().unwrap());
        let account = AccountId(MAIN.into());
        Reception { store, account, otherwise: asked_at("otherwise"), numbers: Numbers::from_iter(numbers) }
    }

    async fn answers(
        reception: &Reception,
        endpoint: Option<&str>,
        user: &str,
    ) -> Option<(String, Application)> {
        let to = if user == "3" { "sip:3@app.plivo.com" } else { "sip:user@h" };
        let answers = reception.answers(endpoint, (user, to)).await.unwrap();
        answers.map(|(account, application)| (account.0, application))
    }

    #[tokio::test]
    async fn an_endpoints_call_is_answered_by_its_application_else_by_its_accounts_else_by_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let reception = reception(&folder, false).await;
        for (endpoint, account, path) in
            [("ann", MAIN, "1"), ("bob", SUB, "2"), ("cid", MAIN, "otherwise"), ("dan", MAIN, "otherwise")]
        {
            let found = answers(&reception, Some(endpoint), "1415").await;
            assert_eq!(found, Some((account.into(), asked_at(path))), "{endpoint}");
        }
        assert_eq!(answers(&reception, Some("gone"), "1415").await, None);
    }

    #[tokio::test]
    async fn a_call_from_a_trunk_is_answered_by_number_by_address_or_by_default() {
        let folder = tempfile::tempdir().unwrap();
        let by_default = reception(&folder, true).await;
        for (user, path) in [("+1415", "1"), ("1415", "1"), ("1416", "otherwise"), ("1417", "3"), ("3", "3")]
        {
            let found = answers(&by_default, None, user).await;
            assert_eq!(found, Some((MAIN.into(), asked_at(path))), "{user}");
        }
        let other = tempfile::tempdir().unwrap();
        let configured = reception(&other, false).await;
        assert_eq!(answers(&configured, None, "1417").await.unwrap().1, asked_at("otherwise"));
    }

    #[test]
    fn a_number_has_an_application_or_is_refused() {
        for text in ["1415", "=1", "+=1", "1415=", "1415=app", "14 15=1", "sip:1415@h=1"] {
            assert_eq!(text.parse::<NumberRoute>(), Err(()), "{text}");
        }
        assert_eq!("+1415 = 7".parse::<NumberRoute>(), "1415=7".parse());
    }
}
