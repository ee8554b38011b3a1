//! Browsers in calls, signalled by WHIP (RFC 9725): one session for each, whatever HTTP says about it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mixminus_control::{AccountId, Application};
use mixminus_sip::{CallEnd, Caller, ForeignCall, Wish};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use crate::endpoints::Arriving;
use crate::join_tokens::JoinTokens;

/// How long a call may wait to be answered.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How long what is proposed during a call may wait for its answer.
const RESTART_LIMIT: Duration = Duration::from_secs(5);
/// Requests about a session that may wait.
const MAX_ASKED: usize = 4;

/// Who comes.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Whose call it is.
    pub account: AccountId,
    /// What answers it.
    pub application: Application,
    /// The calling party.
    pub from: String,
    /// Whom it calls.
    pub user: String,
    /// Where the request came from.
    pub source: SocketAddr,
    /// Its session description.
    pub offer: String,
}

/// A session that was opened, or restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, which nobody guesses.
    pub id: Uuid,
    /// Our session description.
    pub answer: String,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhipError {
    /// The call was refused.
    Refused {
        /// As SIP would say it.
        status: u16,
        /// When it is worth another try.
        retry_after: Option<Duration>,
    },
    /// Nobody answers, or the service is stopping.
    Unanswered,
    /// There is no such session.
    Unknown,
}

/// What is asked about a session.
#[derive(Debug)]
enum Ask {
    /// It ends.
    Close,
    /// It goes on over another way, which its far end looks for under these names.
    Restart(Names, oneshot::Sender<Result<String, WhipError>>),
}

/// What a far end calls itself in checks (RFC 8839).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The user name fragment.
    pub ufrag: String,
    /// The password.
    pub password: String,
}

/// The sessions that there are, and how more come about.
#[derive(Debug)]
pub struct Whip {
    /// Who may come.
    pub tokens: JoinTokens,
    /// Whether one may come from this machine without a token: nothing else of it is reached by others.
    pub trusts_loopback: bool,
    arrivals: mpsc::Sender<Arriving>,
    sessions: Mutex<HashMap<Uuid, Entry>>,
}

#[derive(Debug)]
struct Entry {
    asks: mpsc::Sender<Ask>,
    /// Our user name fragment in checks, which tells a session's state from others.
    tag: String,
}

impl Whip {
    /// No sessions; calls go to `arrivals`.
    pub fn new(arrivals: mpsc::Sender<Arriving>, trusts_loopback: bool) -> Self {
        Self { tokens: JoinTokens::default(), trusts_loopback, arrivals, sessions: Mutex::default() }
    }

    /// Makes a call of who comes, and waits until it is answered.
    ///
    /// # Errors
    ///
    /// [`WhipError::Refused`] or [`WhipError::Unanswered`]: there is no session, and no call any more.
    pub async fn open(self: &Arc<Self>, newcomer: Newcomer) -> Result<Session, WhipError> {
        let Newcomer { account, application, from, user, source, offer } = newcomer;
        let id = Uuid::new_v4();
        let caller = Caller { id: id.to_string(), from, user, source, offer: offer.clone() };
        let (foreign, call) = ForeignCall::new(caller);
        let arriving = Arriving { call, account, application };
        let arrived = timeout(ANSWER_LIMIT, self.arrivals.send(arriving)).await;
        let Ok(Ok(())) = arrived else { return Err(WhipError::Unanswered) };
        let (told, answered) = oneshot::channel();
        tokio::spawn(Arc::clone(self).attend(id, foreign, offer, told));
        answered.await.unwrap_or(Err(WhipError::Unanswered))
    }

    /// Looks for the far end anew, under `names`.
    ///
    /// # Errors
    ///
    /// [`WhipError`]: the session goes on as it was, if there is one.
    pub async fn restart(&self, id: Uuid, names: Names) -> Result<String, WhipError> {
        let (reply, answered) = oneshot::channel();
        let asks = self.lock().get(&id).map(|entry| entry.asks.clone()).ok_or(WhipError::Unknown)?;
        asks.send(Ask::Restart(names, reply)).await.map_err(|_| WhipError::Unknown)?;
        answered.await.unwrap_or(Err(WhipError::Unknown))
    }

    /// Ends a session. Returns whether there was one.
    pub async fn close(&self, id: Uuid) -> bool {
        let Some(Entry { asks, .. }) = self.lock().remove(&id) else { return false };
        // Whose task has ended is gone, which is what is wanted.
        asks.send(Ask::Close).await.ok();
        true
    }

    /// What tells the state of a session from those before it; `None` if there is no such session.
    pub fn tag(&self, id: Uuid) -> Option<String> {
        self.lock().get(&id).map(|entry| entry.tag.clone())
    }

    /// Follows a session from its call's arrival to its end.
    async fn attend(
        self: Arc<Self>,
        id: Uuid,
        mut call: ForeignCall,
        offer: String,
        told: oneshot::Sender<Result<Session, WhipError>>,
    ) {
        let refused = match timeout(ANSWER_LIMIT, call.wish()).await {
            Ok(Wish::Answer(answer)) => {
                let (asks, asked) = mpsc::channel(MAX_ASKED);
                let tag = our_ufrag(&answer).to_owned();
                self.lock().insert(id, Entry { asks, tag });
                let is_heard = told.send(Ok(Session { id, answer })).is_ok();
                if is_heard {
                    self.converse(id, &mut call, offer, asked).await;
                }
                self.lock().remove(&id);
                return call.end(CallEnd::HungUp).await;
            }
            Ok(Wish::Refuse { status, retry_after }) => WhipError::Refused { status, retry_after },
            Ok(_) | Err(_) => WhipError::Unanswered,
        };
        call.end(CallEnd::Canceled).await;
        // Whoever asked may be gone.
        told.send(Err(refused)).ok();
    }

    /// Goes on until one of both ends has enough.
    async fn converse(
        &self,
        id: Uuid,
        call: &mut ForeignCall,
        offer: String,
        mut asked: mpsc::Receiver<Ask>,
    ) {
        loop {
            let ask = tokio::select! {
                wish = call.wish() => match wish {
                    Wish::HangUp | Wish::Refuse { .. } => return,
                    // The answer to a proposal that nobody waits for any more.
                    _ => continue,
                },
                ask = asked.recv() => ask,
            };
            let Some(Ask::Restart(names, reply)) = ask else { return };
            call.offer(renamed(&offer, &names)).await;
            let answer = match timeout(RESTART_LIMIT, call.wish()).await {
                Ok(Wish::AcceptOffer(answer)) => {
                    if let Some(entry) = self.lock().get_mut(&id) {
                        our_ufrag(&answer).clone_into(&mut entry.tag);
                    }
                    Ok(answer)
                }
                Ok(Wish::HangUp) => return,
                Ok(_) => Err(WhipError::Refused { status: 488, retry_after: None }),
                Err(_) => Err(WhipError::Unanswered),
            };
            // Whoever asked may be gone.
            reply.send(answer).ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Entry>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names in a piece of a session description, if there are any.
pub fn names(description: &str) -> Option<Names> {
    let ufrag = attribute(description, "ice-ufrag")?.to_owned();
    Some(Names { ufrag, password: attribute(description, "ice-pwd")?.to_owned() })
}

/// Our user name fragment in an answer of ours.
pub fn our_ufrag(answer: &str) -> &str {
    attribute(answer, "ice-ufrag").unwrap_or_default()
}

fn attribute<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    let mut values = description.lines().filter_map(|line| line.strip_prefix("a=")?.split_once(':'));
    values.find(|(said, _)| *said == name).map(|(_, value)| value.trim())
}

/// An offer under other names.
fn renamed(offer: &str, names: &Names) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some(("a=ice-ufrag", _)) => format!("a=ice-ufrag:{}\r\n", names.ufrag),
        Some(("a=ice-pwd", _)) => format!("a=ice-pwd:{}\r\n", names.password),
        _ => format!("{}\r\n", line.trim_end()),
    };
    offer.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarted_offer_is_the_same_under_other_names() {
        let offer = "v=0\r\na=ice-ufrag:old1\r\nm=audio 9 x 0\na=ice-pwd:oldpassword\r\na=mid:0\r\n";
        let names = names("a=ice-ufrag:new1\r\na=ice-pwd: new password \r\n").unwrap();
        assert_eq!(
            renamed(offer, &names),
            "v=0\r\na=ice-ufrag:new1\r\nm=audio 9 x 0\r\na=ice-pwd:new password\r\na=mid:0\r\n"
        );
        assert_eq!(super::names("a=ice-ufrag:new1\r\n"), None);
    }
}
