//! Transfers (REFER, RFC 3515): those that far ends ask for, and those that we ask of them.

use std::fmt;
use std::time::Duration;

use rsipstack::dialog::DialogId;
use rsipstack::sip::event_packages::parse_refer_to;
use rsipstack::sip::{Header, Method, Request, StatusCode, StatusCodeKind};
use rsipstack::transaction::transaction::Transaction;

use crate::alarm::Alarm;
use crate::call::CallEvent;
use crate::dialog::Question;
use crate::message;
use crate::place;
use crate::task::{CallTask, Progress, Stage, log};

/// How long the far end may wait for news of its transfer, in seconds: as long as a caller may ring.
const NEWS_SECONDS: u32 = 180;
/// How long a far end whose transfer succeeded may take to hang up, as it is to (RFC 5589 section 6.1);
/// then we do. Less, and both say goodbye to each other; more, and a phone that waits for us is left on a
/// line without anybody.
const FAREWELL: Duration = Duration::from_secs(3);
/// Media type of the news: the first line of a response.
const FRAGMENT: &str = "message/sipfrag";

/// A call that another one is to take the place of (`Replaces`, RFC 3891).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// The call's Call-ID.
    pub call_id: String,
    /// Tag of the far end that is asked.
    pub to_tag: String,
    /// Tag of the other.
    pub from_tag: String,
    /// The call is only replaced before its answer.
    pub early_only: bool,
}

impl Replaces {
    /// Reads `id;to-tag=…;from-tag=…`; `None` if a tag is missing or there are two of one kind.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let call_id = parts.next().filter(|id| !id.is_empty())?.to_owned();
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for part in parts {
            match part.split_once('=') {
                Some(("to-tag", tag)) if to_tag.is_none() => to_tag = Some(tag.to_owned()),
                Some(("from-tag", tag)) if from_tag.is_none() => from_tag = Some(tag.to_owned()),
                Some(("to-tag" | "from-tag", _)) => return None,
                None if part == "early-only" => early_only = true,
                _ => {}
            }
        }
        Some(Self { call_id, to_tag: to_tag?, from_tag: from_tag?, early_only })
    }

    /// Our place in a call of this dialog.
    pub(crate) fn of(dialog: &DialogId) -> Self {
        let DialogId { call_id, local_tag, remote_tag } = dialog.clone();
        Self { call_id, to_tag: remote_tag, from_tag: local_tag, early_only: false }
    }

    /// Whether the call is that of this dialog of ours.
    pub(crate) fn names(&self, dialog: &DialogId) -> bool {
        (&self.call_id, &self.to_tag, &self.from_tag)
            == (&dialog.call_id, &dialog.local_tag, &dialog.remote_tag)
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, to_tag, from_tag, early_only } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        f.write_str(if *early_only { ";early-only" } else { "" })
    }
}

/// The transfers of a call, one at a time each way.
#[derive(Default)]
pub(crate) struct Transfers {
    /// The far end's REFER, to be answered.
    pub(crate) asked: Option<Transaction>,
    /// The REFER that was accepted, which waits for news.
    told: Option<Told>,
    /// Somebody else is where the far end was: it is about to hang up.
    pub(crate) succeeded: bool,
    /// We asked for one, and wait for news.
    asking: bool,
}

/// Whom we tell how a transfer goes, with one NOTIFY at a time: were two under way, the later one
/// could come first and be the only one to count.
struct Told {
    /// Number of the REFER.
    number: u32,
    under_way: bool,
    /// The newest status that was not told yet.
    next: Option<StatusCode>,
}

impl CallTask {
    /// Takes a REFER to the application.
    pub(crate) async fn consider_transfer(&mut self, request: Transaction) {
        let busy = self.transfers.asked.is_some() || self.transfers.told.is_some();
        match target(&request.original) {
            // The stack may tell us of the ACK before it only now.
            _ if !matches!(self.stage, Stage::Up | Stage::Answered { .. }) || busy => {
                self.agent.answer(&request, StatusCode::RequestPending, vec![]).await;
            }
            None => self.agent.answer(&request, StatusCode::BadRequest, vec![]).await,
            Some(event) => {
                self.transfers.asked = Some(request);
                self.report(event);
            }
        }
    }

    pub(crate) async fn accept_transfer(&mut self) {
        let Some(mut request) = self.transfers.asked.take() else { return };
        let number = message::cseq(&request.original);
        self.transfers.told = Some(Told { number, under_way: false, next: None });
        let contact = rsipstack::sip::typed::Contact::from(self.contact.clone());
        log("accept", request.reply_with(StatusCode::Accepted, vec![contact.into()], None).await);
        self.tell_transfer(StatusCode::Trying.code());
    }

    pub(crate) fn refuse_transfer(&mut self, status: u16) {
        let Some(request) = self.transfers.asked.take() else { return };
        let status = if (300..700).contains(&status) { status } else { 500 };
        self.refuse_offer(request, StatusCode::from(status));
    }

    /// Tells the far end how its transfer goes; a final status is the end of it.
    pub(crate) fn tell_transfer(&mut self, status: u16) {
        let Some(told) = &mut self.transfers.told else { return };
        self.transfers.succeeded |= (200..300).contains(&status);
        if told.next.as_ref().is_none_or(is_provisional) {
            told.next = Some(StatusCode::from(status));
        }
        self.tell_next();
    }

    /// Lets a far end whose transfer succeeded hang up itself, for a while.
    pub(crate) fn await_farewell(&mut self) {
        self.transfers.succeeded = false;
        self.leaving = true;
        self.alarms.set(Alarm::NoFarewell, FAREWELL);
    }

    /// Tells the newest news, unless the last ones are still under way.
    fn tell_next(&mut self) {
        let Some(told) = self.transfers.told.as_mut().filter(|told| !told.under_way) else { return };
        let Some(status) = told.next.take() else { return };
        told.under_way = true;
        let id = format!("refer;id={}", told.number);
        let state = if is_provisional(&status) {
            format!("active;expires={NEWS_SECONDS}")
        } else {
            self.transfers.told = None;
            "terminated;reason=noresource".to_owned()
        };
        let headers = vec![
            Header::Event(id.into()),
            Header::SubscriptionState(state.into()),
            Header::ContentType(FRAGMENT.into()),
        ];
        let body = Some(format!("SIP/2.0 {} {}\r\n", status.code(), status.text()));
        self.put(Question { method: Method::Notify, headers, body, branch: None }, |_| Progress::Told);
    }

    /// The far end knows the news, or does not want to.
    pub(crate) fn told(&mut self) {
        if let Some(told) = &mut self.transfers.told {
            told.under_way = false;
        }
        self.tell_next();
    }

    /// Asks the far end to call somebody else instead, and to take our place in the call that `replaces` names.
    pub(crate) fn refer(&mut self, target: &str, replaces: Option<&Replaces>) {
        let busy = self.transfers.asking || !matches!(self.stage, Stage::Up);
        let Some(uri) = place::uri(target).ok().filter(|_| !busy) else {
            return self.report(CallEvent::Transferred { status: StatusCode::BadRequest.code() });
        };
        self.transfers.asking = true;
        let replaces = replaces.map(|call| format!("?Replaces={}", message::escaped(&call.to_string())));
        let headers = vec![Header::ReferTo(format!("<{uri}{}>", replaces.unwrap_or_default()).into())];
        self.put(Question { method: Method::Refer, headers, body: None, branch: None }, |answer| {
            Progress::Referred(answer.unwrap_or(StatusCode::RequestTimeout.code()))
        });
    }

    /// The far end's answer to our REFER. That it agrees is not yet news.
    pub(crate) fn referred(&mut self, status: u16) {
        if !(200..300).contains(&status) {
            self.transferred(status);
        }
    }

    /// Answers a NOTIFY: news of a transfer that we asked for.
    pub(crate) async fn notice(&mut self, request: Transaction) {
        let is_ours = request.original.headers.iter().any(|header| match header {
            Header::Event(event) => {
                event.value().split(';').next().is_some_and(|name| name.trim() == "refer")
            }
            _ => false,
        });
        if !self.transfers.asking || !is_ours {
            return self.agent.answer(&request, StatusCode::CallTransactionDoesNotExist, vec![]).await;
        }
        self.agent.answer(&request, StatusCode::OK, vec![]).await;
        if let Some(status) = fragment(&request.original).filter(|status| *status >= 200) {
            self.transferred(status);
        }
    }

    fn transferred(&mut self, status: u16) {
        if std::mem::take(&mut self.transfers.asking) {
            self.report(CallEvent::Transferred { status });
        }
    }

    /// Sends a request in the background; what becomes of it is told by `outcome`.
    fn put(
        &mut self,
        question: Question<'static>,
        outcome: impl FnOnce(Option<u16>) -> Progress + Send + 'static,
    ) {
        let dialog = self.dialog.clone();
        self.follow(async move {
            let answer = dialog.ask(question).await;
            outcome(answer.map(|response| response.status_code.code()))
        });
    }
}

fn is_provisional(status: &StatusCode) -> bool {
    status.kind() == StatusCodeKind::Provisional
}

/// Where a REFER is to lead. The target is one that we could call, whoever may decide that we do.
fn target(refer: &Request) -> Option<CallEvent> {
    let mut stated = refer.headers.iter().filter_map(|header| match header {
        Header::ReferTo(value) => Some(value.value()),
        _ => None,
    });
    let asked = parse_refer_to(stated.next()?);
    let target = place::uri(&asked.uri).ok()?;
    let replaces = match &asked.replaces {
        Some(text) => Some(Replaces::read(text)?),
        None => None,
    };
    stated.next().is_none().then(|| CallEvent::Transfer { target: target.to_string(), replaces })
}

/// The status in the body of a NOTIFY.
fn fragment(notify: &Request) -> Option<u16> {
    let text = std::str::from_utf8(&notify.body).ok()?;
    text.strip_prefix("SIP/2.0 ")?.split(' ').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(lines: &str) -> Option<CallEvent> {
        target(&Request::try_from(format!("REFER sip:a@b SIP/2.0\r\n{lines}\r\n").as_str()).ok()?)
    }

    #[test]
    fn a_transfer_leads_to_one_address() {
        let blind = CallEvent::Transfer { target: "sip:carol@c.example".into(), replaces: None };
        assert_eq!(read("Refer-To: \"C\" <sip:carol@c.example>\r\n"), Some(blind.clone()));
        assert_eq!(read("r: sip:carol@c.example\r\n"), Some(blind));
        let attended = "Refer-To: <sip:c@d?Replaces=7%40x%3Bto-tag%3Dt%3Bfrom-tag%3Df%3Bearly-only>\r\n";
        let (call_id, to_tag, from_tag) = ("7@x".into(), "t".into(), "f".into());
        let replaces = Some(Replaces { call_id, to_tag, from_tag, early_only: true });
        assert_eq!(read(attended), Some(CallEvent::Transfer { target: "sip:c@d".into(), replaces }));
    }

    proptest! {
        #[test]
        fn whatever_a_transfer_says_its_target_could_be_called(text in r#"[<>";,:=@%&?\\ a-z\u{e9}]{0,40}"#) {
            if let Some(CallEvent::Transfer { target, .. }) = read(&format!("Refer-To: sip:{text}\r\n")) {
                prop_assert!(place::uri(&target).is_ok(), "{target}");
            }
        }
    }

    #[test]
    fn a_transfer_that_leads_nowhere_is_none() {
        for lines in [
            "",
            "Refer-To: <tel:+1900>\r\n",
            "Refer-To: <sip:a@good@evil>\r\n",
            "Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>\r\n",
            "Refer-To: <sip:a@b?Replaces=7%3Bto-tag%3Dt>\r\n",
            "Refer-To: <sip:a@b?Replaces=7%3Bto-tag%3Dt%3Bto-tag%3Du%3Bfrom-tag%3Df>\r\n",
        ] {
            assert_eq!(read(lines), None, "{lines}");
        }
    }
}
