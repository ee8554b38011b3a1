//! Connections with peers, whatever carries them, and their way through the gate into the stack.
//!
//! To the stack each is a channel: it reads nothing from the network itself, and nothing it sends
//! waits for a peer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use rsipstack::sip::{CSeq, HeadersExt, Method, SipMessage, StatusCodeKind};
use rsipstack::transaction::endpoint::{EndpointInner, EndpointInnerRef, TransportEventInspector};
use rsipstack::transport::channel::ChannelConnection;
use rsipstack::transport::connection::{TransportReceiver, TransportSender};
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::door::Door;
use crate::faithful;
use crate::gate::Verdict;
use crate::limits::{Place, Places};
use crate::listen::sip_addr;
use crate::reachable::Reachable;
use crate::{StreamLimits, Trace, Transport};

/// Messages that may wait for a peer to read; one that lets more pile up loses its connection.
const MAX_UNSENT: usize = 64;
/// Messages of one peer that may wait for the stack; then no more are read.
const MAX_UNREAD: usize = 32;

/// What waits to be written to a peer.
pub(crate) type Unsent = mpsc::Receiver<Vec<u8>>;

/// The connections of a user agent.
pub(crate) struct Flows {
    /// Not ours to keep alive: it owns what looks connections up.
    stack: OnceLock<Weak<EndpointInner>>,
    door: Arc<Door>,
    reachable: Arc<Reachable>,
    stopped: CancellationToken,
    pub(crate) limits: StreamLimits,
    pub(crate) places: Arc<Places>,
    by_peer: Mutex<HashMap<SipAddr, Entry>>,
    connecting: Mutex<HashMap<SipAddr, Weak<Turn>>>,
}

/// Held by who connects with a peer.
pub(crate) type Turn = tokio::sync::Mutex<()>;

struct Entry {
    ended: CancellationToken,
    /// Whom we meant when we opened it. A peer that opened it has proved no name.
    host: Option<String>,
    unread: Arc<Semaphore>,
    channel: ChannelConnection,
}

/// One connection: where its messages go in.
pub(crate) struct Flow {
    flows: Arc<Flows>,
    peer: SipAddr,
    source: SocketAddr,
    connection: SipConnection,
    messages: TransportSender,
    answers: mpsc::Sender<Vec<u8>>,
    unread: Arc<Semaphore>,
    used: Arc<AtomicBool>,
    /// Cancelled when it is not to be used any more.
    pub(crate) ended: CancellationToken,
    _place: Place,
}

/// The end of a connection: the stack is gone, or the peer does not read.
#[derive(Debug)]
pub(crate) struct Ended;

impl Flows {
    pub(crate) fn new(
        limits: StreamLimits,
        door: Arc<Door>,
        reachable: Arc<Reachable>,
        stopped: CancellationToken,
    ) -> Self {
        let (stack, places) = (OnceLock::new(), Places::new(&limits));
        let (by_peer, connecting) = (Mutex::default(), Mutex::default());
        Self { stack, door, reachable, stopped, limits, places, by_peer, connecting }
    }

    /// Says where messages go.
    pub(crate) fn serve(&self, stack: &EndpointInnerRef) {
        self.stack.get_or_init(|| Arc::downgrade(stack));
    }

    /// Whether there is a connection with `peer`, and one that was meant for `host` if we opened it.
    pub(crate) fn has(&self, peer: &SipAddr, host: &str) -> bool {
        let by_peer = self.by_peer();
        let live = by_peer.get(peer).filter(|entry| !entry.ended.is_cancelled());
        live.is_some_and(|entry| entry.host.as_deref().is_none_or(|meant| meant == host))
    }

    /// What is locked while somebody connects with `peer`.
    pub(crate) fn turn(&self, peer: &SipAddr) -> Arc<Turn> {
        let mut connecting = self.connecting.lock().unwrap_or_else(PoisonError::into_inner);
        connecting.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = connecting.get(peer).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::new(Turn::default());
        connecting.insert(peer.clone(), Arc::downgrade(&turn));
        turn
    }

    /// Sends a message to `peer`, if there is a connection.
    pub(crate) fn send(&self, peer: &SipAddr, message: SipMessage) -> bool {
        let by_peer = self.by_peer();
        let live = by_peer.get(peer).filter(|entry| !entry.ended.is_cancelled());
        live.is_some_and(|entry| entry.channel.try_send(message).is_ok())
    }

    /// Makes a new connection with `source` known to the stack; if we opened it, meant for `host`.
    ///
    /// `None` when the stack is gone.
    pub(crate) async fn open(
        self: &Arc<Self>,
        place: Place,
        transport: Transport,
        source: SocketAddr,
        host: Option<String>,
    ) -> Option<(Flow, Unsent)> {
        let stack = self.stack.get()?.upgrade()?;
        let peer = sip_addr(transport.for_stack(), source);
        let ended = self.stopped.child_token();
        let (messages, incoming) = mpsc::unbounded_channel();
        let (outlet, outgoing) = mpsc::unbounded_channel();
        let channel =
            ChannelConnection::create_connection(incoming, outlet, peer.clone(), Some(ended.clone()));
        let channel = channel.await.ok()?;
        let connection = SipConnection::Channel(channel.clone());
        let unread = Arc::new(Semaphore::new(MAX_UNREAD));
        let used = Arc::new(AtomicBool::new(host.is_some()));
        let entry = Entry { ended: ended.clone(), host, unread: Arc::clone(&unread), channel };
        self.by_peer().insert(peer.clone(), entry);
        stack.transport_layer.add_connection(connection.clone());
        let (answers, unsent) = mpsc::channel(MAX_UNSENT);
        let exit =
            Exit { peer: peer.clone(), reachable: Arc::clone(&self.reachable), used: Arc::clone(&used) };
        tokio::spawn(exit.forward(outgoing, answers.clone(), ended.clone()));
        let flows = Arc::clone(self);
        let flow =
            Flow { flows, peer, source, connection, messages, answers, unread, used, ended, _place: place };
        Some((flow, unsent))
    }

    fn by_peer(&self) -> MutexGuard<'_, HashMap<SipAddr, Entry>> {
        self.by_peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    pub(crate) fn limits(&self) -> StreamLimits {
        self.flows.limits
    }

    pub(crate) fn peer(&self) -> &SipAddr {
        &self.peer
    }

    /// Whether something was agreed with the peer, so that it may be silent.
    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Gives the message in `buffer[..length]` to the stack, or answers it.
    pub(crate) async fn take(&self, buffer: &mut [u8], length: usize) -> Result<(), Ended> {
        let source = self.source;
        match self.flows.door.inspect(buffer, length, source.ip()) {
            Verdict::Pass(length) => {
                let transport = self.peer.r#type.unwrap_or_default();
                // The gate lets nothing pass that the stack cannot read.
                let Ok(message) = SipMessage::try_from(&buffer[..length]) else { return Ok(()) };
                let received = SipConnection::update_msg_received(message, source, transport);
                let Ok(message) = received else { return Ok(()) };
                self.unread.acquire().await.map_err(|_| Ended)?.forget();
                let event = TransportEvent::Incoming(message, self.connection.clone(), self.peer.clone());
                self.messages.send(event).map_err(|_| Ended)
            }
            Verdict::Answer(response) => {
                debug!(%source, "refused a message");
                self.answer(response)
            }
            Verdict::Drop => {
                debug!(%source, "dropped a message");
                Ok(())
            }
        }
    }

    /// Sends `bytes` to the peer.
    pub(crate) fn answer(&self, bytes: Vec<u8>) -> Result<(), Ended> {
        self.answers.try_send(bytes).map_err(|_| Ended)
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.ended.cancel();
        let mut by_peer = self.flows.by_peer();
        // Another connection with the same peer may have taken its place.
        if by_peer.get(&self.peer).is_some_and(|entry| Arc::ptr_eq(&entry.unread, &self.unread)) {
            by_peer.remove(&self.peer);
        }
    }
}

/// Counts what the stack has read, so that a peer can fill the memory of neither, and notes it,
/// retransmissions that the stack answers by itself included.
pub(crate) struct Arrivals {
    pub(crate) flows: Arc<Flows>,
    pub(crate) trace: Arc<Trace>,
}

#[async_trait]
impl TransportEventInspector for Arrivals {
    async fn handle(&self, mut event: TransportEvent) -> Option<TransportEvent> {
        if let TransportEvent::Incoming(message, connection, peer) = &mut event {
            faithful::unbracket(message);
            self.trace.received(message, peer);
            if let SipConnection::Channel(_) = connection
                && let Some(entry) = self.flows.by_peer().get(peer)
            {
                entry.unread.add_permits(1);
            }
        }
        Some(event)
    }
}

/// Where messages of the stack leave for a peer.
struct Exit {
    peer: SipAddr,
    reachable: Arc<Reachable>,
    used: Arc<AtomicBool>,
}

impl Exit {
    /// Takes what the stack sends to where it waits for the peer.
    async fn forward(
        self,
        mut sent: TransportReceiver,
        unsent: mpsc::Sender<Vec<u8>>,
        ended: CancellationToken,
    ) {
        while let Some(Some(event)) = ended.run_until_cancelled(sent.recv()).await {
            let TransportEvent::Incoming(mut message, ..) = event else { continue };
            if let SipMessage::Request(request) = &mut message {
                self.reachable.sign(request, &self.peer);
            }
            if agrees(&message) {
                self.used.store(true, Ordering::Relaxed);
            }
            if unsent.try_send(message.to_bytes()).is_err() {
                debug!("a peer does not read");
                ended.cancel();
            }
        }
    }
}

/// Whether we want something of the peer, or grant it a call or a registration.
fn agrees(message: &SipMessage) -> bool {
    match message {
        SipMessage::Request(_) => true,
        SipMessage::Response(response) => {
            let method = response.cseq_header().and_then(CSeq::method);
            let lasting = method.is_ok_and(|method| matches!(method, Method::Invite | Method::Register));
            lasting && response.status_code.kind() == StatusCodeKind::Successful
        }
    }
}
