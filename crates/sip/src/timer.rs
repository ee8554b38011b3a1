//! Session timers (RFC 4028): who refreshes a session, how often, and what follows when nobody does.

use std::time::Duration;

use rand::RngExt as _;
use rsipstack::sip::{Header, Headers, Method, Response, StatusCode, StatusCodeKind};
use rsipstack::transaction::key::TransactionRole;
use tracing::debug;

use crate::alarm::Alarm;
use crate::call::CallEvent;
use crate::dialog::Question;
use crate::message;
use crate::task::{CallTask, Progress, Stage};

/// The option tag.
pub(crate) const TIMER: &str = "timer";
/// A session is given up so long before it expires, or a third of it if that is less.
const MARGIN: Duration = Duration::from_secs(32);
/// After a refresh that failed for the moment, the next one follows after this part of the session.
const AGAIN_AFTER: u32 = 8;

/// How long sessions may go without a refresh, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// What we ask for.
    pub(crate) expires: u32,
    /// The shortest that we accept.
    pub(crate) shortest: u32,
}

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    seconds: u32,
    we_refresh: bool,
}

impl Limits {
    pub(crate) fn new(expires: Duration, shortest: Duration) -> Self {
        let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        Self { expires: seconds(expires), shortest: seconds(shortest) }
    }

    /// What is agreed by answering a request. Peers that do not know session timers get none, and
    /// where the peer leaves the choice it is us who refresh.
    ///
    /// # Errors
    ///
    /// The session is too short: 422 and its `Min-SE`.
    pub(crate) fn answer(self, headers: &Headers) -> Result<Option<Agreement>, (StatusCode, Vec<Header>)> {
        if !message::supports(headers, TIMER) {
            return Ok(None);
        }
        let longest = self.expires.max(shortest(headers)).max(self.shortest);
        match expires(headers) {
            Some((seconds, _)) if seconds < self.shortest => {
                let least = Header::MinSE(self.shortest.to_string().into());
                Err((StatusCode::SessionIntervalTooSmall, vec![least]))
            }
            Some((seconds, refresher)) => {
                let we_refresh = !refresher.is_some_and(|who| who.eq_ignore_ascii_case("uac"));
                Ok(Some(Agreement { seconds: seconds.min(longest), we_refresh }))
            }
            None => Ok(Some(Agreement { seconds: longest, we_refresh: true })),
        }
    }

    /// Headers of an INVITE that begins a call.
    pub(crate) fn proposal(self) -> Vec<Header> {
        self.wanting(self.expires)
    }

    fn wanting(self, seconds: u32) -> Vec<Header> {
        vec![
            Header::SessionExpires(seconds.max(self.shortest).to_string().into()),
            Header::MinSE(self.shortest.to_string().into()),
        ]
    }
}

/// The session that a 422 asks for, unless it is no longer than what we wanted, and the headers for it.
pub(crate) fn longer(wanted: u32, refusal: &Response) -> Option<(u32, Vec<Header>)> {
    let least = shortest(&refusal.headers);
    let refused = refusal.status_code == StatusCode::SessionIntervalTooSmall && least > wanted;
    let seconds = least.to_string();
    refused
        .then(|| (least, vec![Header::SessionExpires(seconds.clone().into()), Header::MinSE(seconds.into())]))
}

impl Agreement {
    /// What the answer to a request of ours agrees on.
    fn read(headers: &Headers) -> Option<Self> {
        let (seconds, refresher) = expires(headers)?;
        let we_refresh = !refresher.is_some_and(|who| who.eq_ignore_ascii_case("uas"));
        (seconds > 0).then_some(Self { seconds, we_refresh })
    }

    /// Headers of the answer that agrees.
    fn headers(self) -> Vec<Header> {
        let refresher = if self.we_refresh { "uas" } else { "uac" };
        let mut headers =
            vec![Header::SessionExpires(format!("{};refresher={refresher}", self.seconds).into())];
        if !self.we_refresh {
            headers.push(Header::Require(TIMER.into()));
        }
        headers
    }

    /// When we refresh, and when we give the session up.
    fn times(self) -> (Option<Duration>, Duration) {
        let whole = Duration::from_secs(self.seconds.into());
        (self.we_refresh.then_some(whole / 2), whole.saturating_sub(MARGIN.min(whole / 3)))
    }
}

/// `Session-Expires`: seconds, and who refreshes.
fn expires(headers: &Headers) -> Option<(u32, Option<&str>)> {
    let stated = headers.iter().find_map(|header| match header {
        Header::SessionExpires(value) => Some(value.value()),
        _ => None,
    });
    let mut parts = stated?.split(';').map(str::trim);
    let seconds = parts.next()?.parse().ok()?;
    let refresher = parts.filter_map(|part| part.split_once('='));
    let mut refresher = refresher.filter(|(name, _)| name.trim().eq_ignore_ascii_case("refresher"));
    Some((seconds, refresher.next().map(|(_, who)| who.trim())))
}

/// `Min-SE`; 0 without one.
fn shortest(headers: &Headers) -> u32 {
    let stated = headers.iter().find_map(|header| match header {
        Header::MinSE(value) => value.value().split(';').next(),
        _ => None,
    });
    stated.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(0)
}

/// The session of a call, as far as signalling keeps it.
#[derive(Default)]
pub(crate) struct Session {
    agreed: Option<Agreement>,
    /// The peer takes UPDATE.
    updates: bool,
    /// A refresh of ours is under way.
    pub(crate) refreshing: Option<Method>,
    /// Our newest description.
    pub(crate) description: String,
}

impl CallTask {
    /// Headers of the 2xx to a request of the peer's, by which the session is refreshed.
    pub(crate) fn agree(&mut self, request: &Headers) -> Vec<Header> {
        self.session.updates = message::allows_update(request).unwrap_or(self.session.updates);
        let agreed = self.agent.timer.answer(request).ok().flatten();
        self.keep_until(agreed);
        agreed.map_or_else(Vec::new, Agreement::headers)
    }

    /// Takes over what the 2xx to a request of ours agrees on.
    pub(crate) fn agreed(&mut self, response: &Headers) {
        self.session.updates = message::allows_update(response).unwrap_or(self.session.updates);
        self.keep_until(Agreement::read(response));
    }

    fn keep_until(&mut self, agreed: Option<Agreement>) {
        self.session.agreed = agreed;
        self.alarms.clear(Alarm::Refresh);
        self.alarms.clear(Alarm::Expired);
        let Some((refresh, give_up)) = agreed.map(Agreement::times) else { return };
        self.alarms.set(Alarm::Expired, give_up);
        if let Some(refresh) = refresh {
            self.alarms.set(Alarm::Refresh, refresh);
        }
    }

    /// Tells the far end that the session goes on: by UPDATE, or by an INVITE with what it knows.
    pub(crate) fn refresh(&mut self) {
        let Some(agreed) = self.session.agreed else { return };
        if self.session.refreshing.is_some() || !matches!(self.stage, Stage::Up) {
            return;
        }
        if self.offer.is_some() {
            return self.refresh_later(agreed);
        }
        let method = if self.session.updates { Method::Update } else { Method::Invite };
        let mut headers = self.agent.timer.wanting(agreed.seconds);
        if let Some(header) = headers.first_mut() {
            *header = Header::SessionExpires(format!("{};refresher=uac", agreed.seconds).into());
        }
        headers.extend([message::supported(), message::allow()]);
        let body = (method == Method::Invite).then(|| self.session.description.clone());
        if body.is_some() {
            headers.push(message::content_type());
        }
        self.session.refreshing = Some(method);
        let dialog = self.dialog.clone();
        self.follow(async move {
            let question = Question { method, headers, body, branch: None };
            Progress::Refreshed(dialog.ask(question).await.map(Box::new))
        });
    }

    /// What became of our refresh.
    pub(crate) fn refreshed(&mut self, response: Option<&Response>) {
        let Some(method) = self.session.refreshing.take() else { return };
        let (Some(agreed), Stage::Up) = (self.session.agreed, &self.stage) else { return };
        let status = response.map_or(StatusCode::RequestTimeout, |response| response.status_code.clone());
        match (response, &status) {
            (Some(response), status) if status.kind() == StatusCodeKind::Successful => {
                self.dialog.retarget(response);
                self.agreed(&response.headers);
                if let Some(sdp) = message::answer(response).filter(|_| method == Method::Invite) {
                    self.report(CallEvent::Answered { sdp, headers: vec![] });
                }
            }
            (Some(refusal), StatusCode::SessionIntervalTooSmall) => {
                if let Some((seconds, _)) = longer(agreed.seconds, refusal) {
                    self.session.agreed = Some(Agreement { seconds, ..agreed });
                    self.refresh();
                }
            }
            (_, StatusCode::RequestPending) => {
                let wait =
                    if self.dialog.role() == TransactionRole::Client { 2_100..4_000 } else { 0..2_000 };
                let wait = rand::make_rng::<rand::rngs::StdRng>().random_range(wait);
                self.alarms.set(Alarm::Refresh, Duration::from_millis(wait));
            }
            (_, StatusCode::RequestTimeout | StatusCode::CallTransactionDoesNotExist) => {
                self.lost(status.code());
            }
            (_, StatusCode::MethodNotAllowed | StatusCode::NotImplemented) if method == Method::Update => {
                self.session.updates = false;
                self.refresh();
            }
            _ => {
                debug!(%status, "the session was not refreshed");
                self.refresh_later(agreed);
            }
        }
    }

    fn refresh_later(&mut self, agreed: Agreement) {
        let wait = Duration::from_secs(agreed.seconds.into()) / AGAIN_AFTER;
        self.alarms.set(Alarm::Refresh, wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { expires: 1800, shortest: 90 };

    fn headers(lines: &[&str]) -> Headers {
        let text = format!("UPDATE sip:a@b SIP/2.0\r\n{}\r\n\r\n", lines.join("\r\n"));
        rsipstack::sip::Request::try_from(text.as_str()).unwrap().headers
    }

    fn answered(lines: &[&str]) -> Option<(u32, bool)> {
        let agreed = LIMITS.answer(&headers(lines)).unwrap();
        agreed.map(|agreed| (agreed.seconds, agreed.we_refresh))
    }

    #[test]
    fn a_session_is_as_short_as_the_shorter_wish() {
        let supported = "Supported: replaces, Timer";
        assert_eq!(answered(&["Session-Expires: 300"]), None, "not supported");
        assert_eq!(answered(&[supported]), Some((1800, true)));
        assert_eq!(answered(&[supported, "Min-SE: 3600"]), Some((3600, true)));
        assert_eq!(answered(&[supported, "x: 300;refresher=UAC"]), Some((300, false)));
        assert_eq!(answered(&["k: timer", "Session-Expires: 90; refresher = uas"]), Some((90, true)));
        assert_eq!(answered(&[supported, "Session-Expires: 7200", "Min-SE: 2000"]), Some((2000, true)));
        assert_eq!(answered(&[supported, "Session-Expires: soon"]), Some((1800, true)));
        let (status, least) = LIMITS.answer(&headers(&[supported, "Session-Expires: 89"])).unwrap_err();
        assert_eq!((status.code(), least[0].to_string()), (422, "Min-SE: 90".into()));
    }

    #[test]
    fn whoever_agreed_to_refresh_is_given_time() {
        let times = |text: &str| Agreement::read(&headers(&[text])).map(Agreement::times);
        let seconds = Duration::from_secs;
        assert_eq!(times("Session-Expires: 1800;refresher=uac"), Some((Some(seconds(900)), seconds(1768))));
        assert_eq!(times("Session-Expires: 90;refresher=uas"), Some((None, seconds(60))));
        assert_eq!(times("Session-Expires: 4294967295").map(|(_, end)| end), Some(seconds(4_294_967_263)));
        assert_eq!((times("Session-Expires: 0"), times("Subject: x")), (None, None));
    }
}
