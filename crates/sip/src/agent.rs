//! What every request meets first, and the table of calls.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rsipstack::dialog::DialogId;
use rsipstack::dialog::dialog::DialogStateReceiver;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::{Header, HeadersExt, Method, Request, Scheme, StatusCode, ToTypedHeader, Uri};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, debug, info, info_span};

use crate::call::{CallControl, CallEvent, IncomingCall};
use crate::caller;
use crate::dialog::Dialog;
use crate::door::Door;
use crate::gate::stateless_tag;
use crate::message::{self, Masked};
use crate::places::{Confirmed, Place};
use crate::reachable::Reachable;
use crate::task::{CallTask, Inputs, Stage};
use crate::timer::Limits;
use crate::trace::{Trace, Traced};

/// Commands, events and requests that may wait at one call.
const PER_CALL: usize = 16;
/// When a caller may try again who finds us full, in seconds.
const BUSY_RETRY_SECONDS: u64 = 5;
/// How long a peer may block our response on a stream.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
/// Requests whose sender is being found out at one time; more get 503.
pub(crate) const MAX_IDENTIFYING: usize = 1024;

/// Call-ID and our tag: they name a call from its first request on.
type CallKey = (String, String);

/// Call-ID, the caller's tag and CSeq: they name an INVITE, whichever way it came.
type InviteKey = (String, String, u32);

/// The calls that are not over yet.
#[derive(Default)]
pub(crate) struct Calls {
    entries: HashMap<CallKey, Entry>,
    invites: HashSet<InviteKey>,
}

struct Entry {
    requests: mpsc::Sender<Transaction>,
    opening: Opening,
    traced: Traced,
}

/// How a call began.
#[derive(Default)]
pub(crate) struct Opening {
    /// What made the call, if it is an incoming one.
    pub(crate) invite: Option<InviteKey>,
    /// Who it is with, when that is known by its address: there is nobody else in it then.
    pub(crate) peer: Option<IpAddr>,
}

impl Calls {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn insert(&mut self, key: CallKey, entry: Entry) {
        self.invites.extend(entry.opening.invite.clone());
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &CallKey) {
        let Some(Entry { opening, traced, .. }) = self.entries.remove(key) else { return };
        traced.end();
        if let Some(invite) = opening.invite {
            self.invites.remove(&invite);
        }
    }
}

/// What all tasks of a user agent share.
pub(crate) struct Agent {
    pub(crate) stack: EndpointInnerRef,
    pub(crate) layer: Arc<DialogLayer>,
    pub(crate) reachable: Arc<Reachable>,
    pub(crate) incoming: mpsc::Sender<IncomingCall>,
    pub(crate) door: Arc<Door>,
    pub(crate) max_calls: usize,
    /// Retry-After of refused calls, in seconds; 0 while calls are welcome.
    pub(crate) refusing: AtomicU64,
    pub(crate) running: TaskTracker,
    /// Ends every call.
    pub(crate) hang_up: CancellationToken,
    /// How often a call that is up is asked whether it still is.
    pub(crate) probe_interval: Duration,
    /// Room for requests whose sender is being found out.
    pub(crate) identifying: Arc<Semaphore>,
    /// How long sessions may go without a refresh.
    pub(crate) timer: Limits,
    pub(crate) calls: Mutex<Calls>,
    pub(crate) trace: Arc<Trace>,
}

/// Both ends of a new call.
pub(crate) struct Ends {
    pub(crate) control: CallControl,
    pub(crate) events: mpsc::Receiver<CallEvent>,
    pub(crate) reports: mpsc::Sender<CallEvent>,
    pub(crate) inputs: Inputs,
    pub(crate) key: CallKey,
    pub(crate) confirmed: Confirmed,
}

/// Where a request goes.
enum Destination {
    Call(mpsc::Sender<Transaction>),
    Application(Box<Offered>),
    /// To whoever knows endpoints.
    Identification(OwnedSemaphorePermit),
    Back(StatusCode, Vec<Header>),
}

/// A call that the application is about to hear of.
pub(crate) struct Offered {
    permit: mpsc::OwnedPermit<IncomingCall>,
    call: IncomingCall,
    dialog: Dialog,
    contact: Uri,
    reports: mpsc::Sender<CallEvent>,
    inputs: Inputs,
    key: CallKey,
    confirmed: Confirmed,
}

impl Agent {
    /// Serves requests until the stack stops.
    pub(crate) async fn serve(self: Arc<Self>, mut requests: mpsc::UnboundedReceiver<Transaction>) {
        while let Some(request) = requests.recv().await {
            match self.destination(&request) {
                Destination::Call(call) => {
                    if let Err(refused) = call.try_send(request) {
                        let headers = vec![message::retry_after(BUSY_RETRY_SECONDS)];
                        self.answer(&refused.into_inner(), StatusCode::ServerInternalError, headers).await;
                    }
                }
                Destination::Application(offered) => self.begin(request, *offered),
                Destination::Identification(room) => {
                    tokio::spawn(Arc::clone(&self).identify(request, room));
                }
                Destination::Back(status, headers) => self.answer(&request, status, headers).await,
            }
        }
    }

    fn destination(&self, request: &Transaction) -> Destination {
        let Some(source) = message::source(request).map(|source| source.ip()) else {
            return Destination::Back(StatusCode::BadRequest, vec![]);
        };
        let (original, known) = (&request.original, self.door.knows(source));
        if let Some(tag) = message::to_tag(original) {
            return self.inside(original, tag, (source, known));
        }
        if let Some(endpoints) = &self.door.endpoints {
            match original.method {
                Method::Register | Method::Message => return self.identification(),
                Method::Invite if !known || endpoints.are_named_by(original) => return self.identification(),
                Method::Options if endpoints.miss(&original.uri) => {
                    return Destination::Back(StatusCode::NotFound, vec![]);
                }
                _ => {}
            }
        }
        if !known {
            return Destination::Back(StatusCode::Forbidden, vec![]);
        }
        match original.method {
            Method::Invite => match self.invite(request, None) {
                Ok(offered) => Destination::Application(Box::new(offered)),
                Err((status, headers)) => Destination::Back(status, headers),
            },
            Method::Options => {
                let fine = (StatusCode::OK, vec![message::allow(), message::accept(), message::supported()]);
                let (status, headers) = check(&request.original).err().unwrap_or(fine);
                Destination::Back(status, headers)
            }
            Method::Bye | Method::Update | Method::Info | Method::PRack => {
                Destination::Back(StatusCode::CallTransactionDoesNotExist, vec![])
            }
            _ => Destination::Back(StatusCode::MethodNotAllowed, vec![message::allow()]),
        }
    }

    /// Where a request inside a call goes. One from an unknown network must come from the far end.
    fn inside(&self, request: &Request, tag: String, (source, known): (IpAddr, bool)) -> Destination {
        let call_id = request.call_id_header().map(|id| id.value().to_owned());
        let calls = self.calls();
        match calls.entries.get(&(call_id.unwrap_or_default(), tag)) {
            None => Destination::Back(StatusCode::CallTransactionDoesNotExist, vec![]),
            Some(entry) if known || entry.opening.peer == Some(source.to_canonical()) => {
                Destination::Call(entry.requests.clone())
            }
            Some(_) => Destination::Back(StatusCode::Forbidden, vec![]),
        }
    }

    fn identification(&self) -> Destination {
        let room = Arc::clone(&self.identifying).try_acquire_owned();
        let busy = || vec![message::retry_after(BUSY_RETRY_SECONDS)];
        room.map_or_else(
            |_| Destination::Back(StatusCode::ServiceUnavailable, busy()),
            Destination::Identification,
        )
    }

    /// Makes a call of an INVITE, by this endpoint if by one, or says how it is refused.
    pub(crate) fn invite(
        &self,
        invite: &Transaction,
        endpoint: Option<String>,
    ) -> Result<Offered, (StatusCode, Vec<Header>)> {
        let bad = |_| (StatusCode::BadRequest, vec![]);
        let busy = |seconds| (StatusCode::ServiceUnavailable, vec![message::retry_after(seconds)]);
        let request = &invite.original;
        let from = request.from_header().and_then(ToTypedHeader::typed).map_err(bad)?;
        let call_id = request.call_id_header().map_err(bad)?.value().to_owned();
        let tag = from.tag().map(|tag| tag.value().to_owned()).unwrap_or_default();
        let named = (call_id, tag, message::cseq(request));
        if self.calls().invites.contains(&named) {
            // A proxy forked the call and both branches lead here (RFC 3261 section 8.2.2.2).
            return Err((StatusCode::LoopDetected, vec![]));
        }
        match self.refusing.load(Ordering::Relaxed) {
            0 => {}
            seconds => return Err(busy(seconds)),
        }
        if self.calls().len() >= self.max_calls {
            return Err(busy(BUSY_RETRY_SECONDS));
        }
        check(request)?;
        self.timer.answer(&request.headers)?;
        let offer = message::description(request).map_err(|status| (status, vec![message::accept()]))?;
        let source = message::source(invite).ok_or((StatusCode::BadRequest, vec![]))?;
        let permit = self.incoming.clone().try_reserve_owned().map_err(|_| busy(BUSY_RETRY_SECONDS))?;
        let contact = self.reachable.contact(invite);
        let (states, states_receiver) = self.layer.new_dialog_state_channel();
        let dialog = Dialog::of_invite(&self.stack, invite, states, contact.clone()).map_err(|error| {
            debug!(%error, "an INVITE makes no dialog");
            (StatusCode::BadRequest, vec![])
        })?;
        let opening = Opening { invite: Some(named), peer: Some(source.ip().to_canonical()) };
        let Ends { control, events, reports, inputs, key, confirmed } =
            self.open(&dialog.id(), opening, states_receiver);
        let call = IncomingCall {
            from: self.address(endpoint.as_deref()).unwrap_or_else(|| message::bare(&from.uri)),
            from_display: from.display_name,
            to: message::bare(&request.uri),
            user: message::user(&request.uri),
            endpoint,
            headers: message::application_headers(&request.headers),
            diverted_by: caller::diverted_by(&request.headers),
            verification: caller::verification(&request.headers),
            source,
            offer,
            control,
            events,
        };
        let contact = contact.unwrap_or_default();
        Ok(Offered { permit, call, dialog, contact, reports, inputs, key, confirmed })
    }

    /// The address of an endpoint, whatever it says itself.
    fn address(&self, endpoint: Option<&str>) -> Option<String> {
        Some(format!("sip:{}@{}", endpoint?, self.door.endpoints.as_ref()?.config.realm))
    }

    /// Starts the task of an incoming call and shows the call to the application.
    pub(crate) fn begin(self: &Arc<Self>, invite: Transaction, offered: Offered) {
        let Offered { permit, call, dialog, contact, reports, inputs, key, confirmed } = offered;
        info!(call_id = call.control.id(), from = %Masked(&call.from), source = %call.source, "call offered");
        let stage = Stage::Offered { invite: invite.tu_sender.clone(), we_offer: call.offer.is_none() };
        let mut task = CallTask::new(Arc::clone(self), dialog, contact, stage, reports);
        task.confirmed = confirmed;
        task.serve(invite);
        self.run(key, task, inputs);
        permit.send(call);
    }

    /// Enters a new call into the table and makes its two ends.
    pub(crate) fn open(&self, id: &DialogId, opening: Opening, states: DialogStateReceiver) -> Ends {
        let key = (id.call_id.clone(), id.local_tag.clone());
        let (commands_sender, commands) = mpsc::channel(PER_CALL);
        let (reports, events) = mpsc::channel(PER_CALL);
        let (sender, requests) = mpsc::channel(PER_CALL);
        let hang_up = self.hang_up.child_token();
        let caller_tag = opening.invite.as_ref().map_or(&id.local_tag, |(_, tag, _)| tag);
        let traced = self.trace.open(&id.call_id, caller_tag);
        let confirmed = Confirmed::default();
        let place = Place { traced: traced.clone(), confirmed: Arc::clone(&confirmed) };
        let control = CallControl::new(&id.call_id, commands_sender, hang_up.clone(), place.into());
        self.calls().insert(key.clone(), Entry { requests: sender, opening, traced });
        let inputs = Inputs { commands, hang_up, states, requests };
        Ends { control, events, reports, inputs, key, confirmed }
    }

    /// Runs a call's task, and forgets the call when it ends.
    pub(crate) fn run(self: &Arc<Self>, key: CallKey, task: CallTask, inputs: Inputs) {
        let agent = Arc::clone(self);
        let span = info_span!("sip_call", call_id = %key.0);
        self.running.spawn(
            async move {
                task.run(inputs).await;
                agent.calls().remove(&key);
            }
            .instrument(span),
        );
    }

    /// Sends a final response and keeps nothing (RFC 3261 section 8.2.7): a flood of requests that
    /// make no call leaves no trace in memory.
    pub(crate) async fn answer(&self, request: &Transaction, status: StatusCode, headers: Vec<Header>) {
        self.reply(request, status, (headers, None)).await;
    }

    /// The same with a body.
    pub(crate) async fn reply(
        &self,
        request: &Transaction,
        status: StatusCode,
        (headers, body): (Vec<Header>, Option<Vec<u8>>),
    ) {
        let (Some(connection), original) = (request.connection.clone(), &request.original) else { return };
        let mut response = self.stack.make_response(original, status, body);
        if message::to_tag(original).is_none()
            && let Ok(to) = original.to_header()
        {
            let tag = stateless_tag(original.headers.iter().filter(|h| identifies(h)).map(Header::value));
            response.headers.unique_push(to.clone().with_tag(tag.into()).into());
        }
        response.headers.extend(headers);
        let response = response.into();
        self.trace.sent(&response, None);
        let sending = async move {
            let sent = tokio::time::timeout(RESPONSE_LIMIT, connection.send(response, None)).await;
            debug!(ok = matches!(sent, Ok(Ok(()))), "answered without a call");
        };
        if request.connection.as_ref().is_some_and(SipConnection::is_reliable) {
            tokio::spawn(sending); // a peer that does not read must not hold up the others
        } else {
            sending.await;
        }
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses what a request must not ask for.
fn check(request: &Request) -> Result<(), (StatusCode, Vec<Header>)> {
    if !matches!(request.uri.scheme, Some(Scheme::Sip | Scheme::Sips)) {
        return Err((StatusCode::UnsupportedUriScheme, vec![]));
    }
    let known = |tag: &&str| message::EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(tag));
    let unknown: Vec<_> = message::required(&request.headers).filter(|tag| !known(tag)).collect();
    if !unknown.is_empty() {
        return Err((StatusCode::BadExtension, vec![Header::Unsupported(unknown.join(", ").into())]));
    }
    if request.method == Method::Invite && !message::accepts_description(&request.headers) {
        return Err((StatusCode::NotAcceptable, vec![]));
    }
    Ok(())
}

/// Whether a header is the same in every retransmission and in no other transaction.
fn identifies(header: &Header) -> bool {
    matches!(header, Header::Via(_) | Header::CallId(_) | Header::From(_) | Header::CSeq(_))
}
