//! The dialog of a call. The stack keeps its state; we make it here, so that requests which the stack
//! cannot send, or sends astray, take its numbers and its route.

use std::ops::Deref;
use std::sync::Arc;

use rsipstack::dialog::DialogId;
use rsipstack::dialog::authenticate::{AuthRetry, Credential, handle_client_authenticate};
use rsipstack::dialog::dialog::{DialogInner, DialogStateSender};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::headers::{MaxForwards, Route};
use rsipstack::sip::uri::ParamsExt;
use rsipstack::sip::{
    Header, HeadersExt, Method, Param, Request, Response, SipMessage, StatusCode, StatusCodeKind,
    ToTypedHeader, Transport, Uri, Version,
};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::make_tag;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::{SipAddr, SipConnection};
use tracing::debug;

use crate::early::Outcome;
use crate::message;
use crate::task::drain;

/// Branches of a forked call that are told apart.
pub(crate) const MAX_BRANCHES: usize = 8;
/// Hops that a request may take.
const MAX_FORWARDS: u32 = 70;

/// The stack's error is large.
type Fallible<T> = Result<T, Box<rsipstack::Error>>;

/// A dialog of the stack, and the way to the far end.
#[derive(Clone)]
pub(crate) struct Dialog {
    invite: InviteDialog,
    inner: Arc<DialogInner>,
    stack: EndpointInnerRef,
    /// The stream that an incoming call came by.
    stream: Option<SipConnection>,
    /// Where an outgoing call was sent, if not to its target.
    destination: Option<SipAddr>,
    states: DialogStateSender,
}

/// A request inside a dialog.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Option<String>,
    /// The response that tells the way, for the branch of a call that has no answer yet.
    pub(crate) branch: Option<&'a Response>,
}

impl Deref for Dialog {
    type Target = InviteDialog;

    fn deref(&self) -> &InviteDialog {
        &self.invite
    }
}

impl Dialog {
    /// The dialog that an INVITE from outside would make.
    pub(crate) fn of_invite(
        stack: &EndpointInnerRef,
        invite: &Transaction,
        states: DialogStateSender,
        contact: Option<Uri>,
    ) -> Fallible<Self> {
        let mut id = DialogId::try_from(invite)?;
        id.local_tag = make_tag().to_string();
        let (request, sender) = (invite.original.clone(), invite.tu_sender.clone());
        let role = TransactionRole::Server;
        let (told, stack) = (states.clone(), Arc::clone(stack));
        let inner = DialogInner::new(role, id, request, Arc::clone(&stack), told, None, contact, sender)?;
        inner.set_server_connection(invite.connection.clone());
        let inner = Arc::new(inner);
        let invite_dialog = InviteDialog::from_inner(Arc::clone(&inner));
        let stream = invite.connection.clone().filter(SipConnection::is_reliable);
        let dialog = Self { invite: invite_dialog, inner, stack, stream, destination: None, states };
        dialog.retarget(&invite.original);
        Ok(dialog)
    }

    /// The dialog of an INVITE of ours, and the transaction to be given to [`Self::place`].
    pub(crate) fn of_request(
        stack: &EndpointInnerRef,
        request: Request,
        destination: Option<SipAddr>,
        credential: Option<Credential>,
        states: DialogStateSender,
    ) -> Fallible<(Self, Transaction)> {
        let key = TransactionKey::from_request(&request, TransactionRole::Client)?;
        let mut transaction = Transaction::new_client(key, request.clone(), Arc::clone(stack), None);
        transaction.destination.clone_from(&destination);
        let id = DialogId::try_from(&transaction)?;
        let contacts = request.typed_contact_headers().map_err(rsipstack::Error::from)?;
        let contact = contacts.into_iter().next().map(|contact| contact.uri);
        let (role, sender) = (TransactionRole::Client, transaction.tu_sender.clone());
        let (told, stack) = (states.clone(), Arc::clone(stack));
        let inner =
            DialogInner::new(role, id, request, Arc::clone(&stack), told, credential, contact, sender)?;
        let inner = Arc::new(inner);
        let invite = InviteDialog::from_inner(Arc::clone(&inner));
        Ok((Self { invite, inner, stack, stream: None, destination, states }, transaction))
    }

    /// Sends the INVITE and waits for its final response.
    pub(crate) async fn place(self, mut invite: Transaction) -> Outcome {
        match Box::pin(self.process_invite(&mut invite)).await {
            Ok((_, Some(response))) => {
                if response.status_code.kind() == StatusCodeKind::Successful {
                    tokio::spawn(self.settle(invite));
                }
                Ok(Box::new(response))
            }
            Err(rsipstack::Error::DialogError(_, _, status)) => Err(status.code()),
            _ => Err(StatusCode::ServiceUnavailable.code()),
        }
    }

    /// Confirms repeated answers, and ends the calls that other branches of the INVITE made
    /// (RFC 3261 section 13.2.2.4).
    async fn settle(self, mut invite: Transaction) {
        let mut answered = vec![self.id().remote_tag];
        while let Some(message) = invite.receive().await {
            let SipMessage::Response(response) = message else { continue };
            let tag = message::response_tag(&response);
            let made_a_call = response.status_code.kind() == StatusCodeKind::Successful;
            if made_a_call && !answered.contains(&tag) && answered.len() < MAX_BRANCHES {
                answered.push(tag);
                let dialog = self.clone();
                tokio::spawn(async move { dialog.ask(Question::of_branch(Method::Bye, &response)).await });
            }
        }
    }

    /// Requests go from now on where a peer's message says (RFC 3261 section 12.2).
    pub(crate) fn retarget(&self, message: &impl HeadersExt) {
        let Ok(contacts) = message.typed_contact_headers() else { return };
        let Some(mut uri) = contacts.into_iter().next().map(|contact| contact.uri) else { return };
        if let Some(stream) = &self.stream
            && uri.transport().is_none()
        {
            uri.params.push(Param::Transport(stream.transport()));
        }
        self.inner.set_remote_target(uri, message.contact_header().ok().cloned());
    }

    /// The INVITE once more, as the same call, with other headers of the names of `changed`.
    pub(crate) fn again(&self, changed: Vec<Header>) -> Fallible<(Self, Transaction)> {
        let mut request = self.initial_request();
        let hop = match &self.destination {
            Some(destination) => destination.clone(),
            None => SipAddr::try_from(&request.uri)?,
        };
        let via = self.stack.get_via(self.sent_by(&hop), None)?;
        let number = self.inner.increment_local_seq();
        request.cseq_header_mut().and_then(|cseq| cseq.mut_seq(number)).map_err(rsipstack::Error::from)?;
        let used = |header: &Header| {
            matches!(header, Header::Via(_) | Header::Authorization(_) | Header::ProxyAuthorization(_))
        };
        request.headers.retain(|header| !used(header));
        request.headers.push_front(via.into());
        for header in changed {
            request.headers.unique_push(header);
        }
        let (credential, states) = (self.inner.credential.clone(), self.states.clone());
        Self::of_request(&self.stack, request, self.destination.clone(), credential, states)
    }

    /// Sends a request and waits for its final response; `None` if it could not be sent.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Option<Response> {
        let mut transaction =
            self.transaction(question).inspect_err(|error| debug!(%error, "no request")).ok()?;
        transaction.send().await.ok()?;
        let mut tries = AuthRetry::new();
        while let Some(message) = transaction.receive().await {
            let SipMessage::Response(response) = message else { continue };
            if response.status_code.kind() == StatusCodeKind::Provisional {
                continue;
            }
            if let (401 | 407, Some(credential)) = (response.status_code.code(), &self.inner.credential)
                && tries.should_answer(&response)
            {
                let number = self.inner.increment_local_seq();
                let again = handle_client_authenticate(number, &transaction, response, credential).await;
                transaction = again.ok()?;
                transaction.send().await.ok()?;
                continue;
            }
            if transaction.original.method == Method::Invite {
                // Its ACK may be lost, and is sent again for as long.
                tokio::spawn(async move { drain(&mut transaction).await });
            }
            return Some(response);
        }
        None
    }

    fn transaction(&self, question: Question<'_>) -> Fallible<Transaction> {
        let stream = self
            .stream
            .clone()
            .filter(|stream| stream.cancel_token().is_none_or(|closed| !closed.is_cancelled()));
        let Path { uri, routes, remote_tag } = self.path(question.branch);
        let first =
            routes.first().and_then(|route| route.typed().ok()).map_or(uri.clone(), |route| route.uri);
        let hop = match self.streamed_to() {
            Some(stream) => stream,
            None => SipAddr::try_from(&first)?,
        };
        let nearest = stream.as_ref().map_or(&hop, SipConnection::get_addr);
        let via = self.stack.get_via(self.sent_by(nearest), None)?;
        let (from, to) = match self.role() {
            TransactionRole::Client => {
                let to = self.inner.to.lock().clone().with_tag(remote_tag.into());
                (self.inner.from.to_string(), to.to_string())
            }
            TransactionRole::Server => (self.inner.to.lock().to_string(), self.inner.from.to_string()),
        };
        let number = self.inner.increment_local_seq();
        let sequence = rsipstack::sip::typed::CSeq { seq: number, method: question.method };
        let mut headers = vec![
            Header::Via(via.into()),
            Header::CallId(self.id().call_id.into()),
            Header::From(from.into()),
            Header::To(to.into()),
            Header::CSeq(sequence.into()),
            Header::UserAgent(self.stack.user_agent.clone().into()),
            Header::MaxForwards(MaxForwards::from(MAX_FORWARDS)),
        ];
        let contact = self.inner.local_contact.clone();
        headers.extend(contact.map(|uri| rsipstack::sip::typed::Contact::from(uri).into()));
        headers.extend(routes.into_iter().map(Header::Route));
        headers.extend(question.headers);
        let body = question.body.unwrap_or_default().into_bytes();
        let method = question.method;
        let request = Request { method, uri, version: Version::V2, headers: headers.into(), body };
        let key = TransactionKey::from_request(&request, TransactionRole::Client)?;
        let mut transaction = Transaction::new_client(key, request, Arc::clone(&self.stack), stream);
        transaction.destination = transaction.connection.is_none().then_some(hop);
        Ok(transaction)
    }

    /// Where a request goes: the way that the dialog has, or that of a branch without an answer.
    fn path(&self, branch: Option<&Response>) -> Path {
        let uri = self.inner.remote_uri.lock().clone();
        let Some(response) = branch else {
            let routes = self.inner.route_set.lock().clone();
            return Path { uri, routes, remote_tag: self.id().remote_tag };
        };
        let contact = response.typed_contact_headers().ok().and_then(|contacts| contacts.into_iter().next());
        let routes = response.record_route_headers().into_iter();
        let routes = routes.flat_map(|header| message::list(header.value()).map(Route::from)).collect();
        let mut path = Path {
            uri: contact.map_or(uri, |contact| contact.uri),
            routes,
            remote_tag: message::response_tag(response),
        };
        path.routes.reverse();
        path
    }

    /// Where an outgoing call was sent by a stream, which stays its way.
    fn streamed_to(&self) -> Option<SipAddr> {
        if self.role() != TransactionRole::Client {
            return None;
        }
        let target = || SipAddr::try_from(&self.initial_request().uri).ok();
        let sent_to = self.destination.clone().or_else(target)?;
        sent_to.r#type.is_some_and(|transport| transport != Transport::Udp).then_some(sent_to)
    }

    /// Our address for the Via of what goes to `hop` (RFC 3261 section 18.1.1).
    fn sent_by(&self, hop: &SipAddr) -> Option<SipAddr> {
        let transport = hop.r#type.filter(|transport| *transport != Transport::Udp)?;
        let listening = self.stack.transport_layer.get_listen_addrs();
        let same = listening.iter().find(|address| address.r#type == Some(transport)).cloned();
        let first = || Some(SipAddr { r#type: Some(transport), ..listening.first()?.clone() });
        same.or_else(first)
    }
}

impl Question<'_> {
    /// A request without a body to one branch of a call.
    pub(crate) fn of_branch(method: Method, branch: &Response) -> Question<'_> {
        Question { method, headers: vec![], body: None, branch: Some(branch) }
    }
}

struct Path {
    uri: Uri,
    routes: Vec<Route>,
    remote_tag: String,
}
