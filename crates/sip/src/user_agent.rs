//! The user agent: how it is started, what it is asked, how it stops.

use std::fmt::{self, Display};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use rsipstack::EndpointBuilder;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::transaction::CallIdFormat;
use rsipstack::transaction::endpoint::EndpointOption;
use rsipstack::transport::tcp_listener::TcpListenerConnection;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipConnection, TransportLayer};
use rustls::{ClientConfig, ServerConfig};
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agent::{Agent, Calls, MAX_IDENTIFYING};
use crate::call::{IncomingCall, OutgoingCall};
use crate::dialler::Dialler;
use crate::door::Door;
use crate::endpoints::{EndpointConfig, Endpoints};
use crate::faithful::Faithful;
use crate::flow::{Arrivals, Flows};
use crate::fork::Fork;
use crate::gate::Gate;
use crate::hunt::Hunt;
use crate::place::OutgoingCallRequest;
use crate::reach::Reach;
use crate::reachable::Reachable;
use crate::resolve::Names;
use crate::switch::Switch;
use crate::timer::Limits;
use crate::trace::Trace;
use crate::web_socket::WebSocketClient;
use crate::{Cidr, ListenAddress, PeerAddress, StreamLimits, Transport, listen, registrar};

/// Incoming calls that may wait for the application; more get 503.
const MAX_WAITING_CALLS: usize = 256;
/// How long [`UserAgent::stop`] waits for the answers to its goodbyes.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// What a user agent is started with.
#[derive(Clone, Debug)]
pub struct UserAgentConfig {
    /// Where it listens. The first address of a transport and family is also where its requests come
    /// from.
    pub listen: Vec<ListenAddress>,
    /// What peers are told instead of the address of a listener of the same family, if it says nothing
    /// else and is not on loopback.
    pub public_address: Option<IpAddr>,
    /// The certificate that TLS listeners show. What it resolves may change meanwhile.
    pub tls_server: Option<Arc<ServerConfig>>,
    /// The certificates that are believed when we connect by TLS; without it, we do not.
    pub tls_client: Option<Arc<ClientConfig>>,
    /// Limits of TCP, TLS and WebSocket.
    pub streams: StreamLimits,
    /// `User-Agent` header.
    pub product: String,
    /// Who may send requests; all others get 403, unless they are endpoints.
    pub allow: Vec<Cidr>,
    /// Who may register, and call from anywhere.
    pub endpoints: Option<EndpointConfig>,
    /// Calls at one time; more get 503.
    pub max_calls: usize,
    /// Estimate of the round trip (timer T1 of RFC 3261): the first retransmission follows after it,
    /// and whoever is silent for 64 times as long is gone.
    pub round_trip: Duration,
    /// How often a call under [`CallControl::watch`](crate::CallControl::watch) asks the far end
    /// whether it knows the call too (OPTIONS). One that does not, or is silent, is the end of the call.
    pub probe_interval: Duration,
    /// How long a call may go without a refresh by either side (`Session-Expires`, RFC 4028), in whole
    /// seconds. Asked of all far ends; those that do not know session timers go without.
    pub session_expires: Duration,
    /// The shortest time that a far end may ask for instead (`Min-SE`).
    pub min_session_expires: Duration,
    /// Who is asked where the names of peers lead; those that this machine asks when left out.
    pub name_server: Option<SocketAddr>,
}

impl Default for UserAgentConfig {
    fn default() -> Self {
        let address = ([127, 0, 0, 1], 5060).into();
        Self {
            listen: [Transport::Udp, Transport::Tcp]
                .map(|transport| ListenAddress::new(transport, address))
                .to_vec(),
            public_address: None,
            tls_server: None,
            tls_client: None,
            streams: StreamLimits::default(),
            product: concat!("mixminus/", env!("CARGO_PKG_VERSION")).into(),
            allow: Cidr::LOOPBACK.to_vec(),
            endpoints: None,
            max_calls: 10_000,
            round_trip: Duration::from_millis(500),
            probe_interval: Duration::from_mins(1),
            session_expires: Duration::from_mins(30),
            min_session_expires: Duration::from_secs(90),
            name_server: None,
        }
    }
}

/// Why a user agent does not start, or a call is not placed.
#[derive(Debug, Error)]
pub enum SipError {
    /// Nothing to listen on.
    #[error("a SIP user agent needs an address to listen on")]
    NoListener,
    /// An address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: ListenAddress,
        /// What the system says.
        source: io::Error,
    },
    /// A TLS listener needs a certificate.
    #[error("cannot listen on {0} without a certificate")]
    NoCertificate(ListenAddress),
    /// Not a SIP URI, or one that could be misread.
    #[error("{0:?} is not a SIP URI to call or to call from")]
    Uri(String),
    /// The caller's name is too long or has control characters.
    #[error("the caller's name is too long or cannot be printed")]
    DisplayName,
    /// A header that may not be set, cannot be printed or is one too many.
    #[error("header {0:?} cannot be sent")]
    Header(String),
    /// The user name of the credentials is empty, too long, or cannot be quoted.
    #[error("the user name for the trunk is empty, too long or cannot be quoted")]
    Username,
    /// The call's transport is not among the listeners.
    #[error("cannot call over {0}: there is no listener for it")]
    NoTransport(String),
    /// There is no place to call.
    #[error("there is no place to call")]
    Nowhere,
    /// Names of peers cannot be looked up.
    #[error("names of peers cannot be looked up")]
    Names,
    /// The system has no randomness for challenges.
    #[error("the system has no randomness")]
    Randomness,
    /// The SIP stack refused.
    #[error("SIP stack: {0}")]
    Stack(String),
}

/// A SIP user agent. Dropping it stops it at once; [`UserAgent::stop`] says goodbye first.
pub struct UserAgent {
    dialler: Dialler,
    listening: Vec<ListenAddress>,
    stopped: CancellationToken,
}

impl UserAgent {
    /// Listens, and yields the calls that come in.
    ///
    /// # Errors
    ///
    /// [`SipError::NoListener`], [`SipError::NoCertificate`] and [`SipError::Bind`].
    pub async fn start(config: UserAgentConfig) -> Result<(Self, mpsc::Receiver<IncomingCall>), SipError> {
        let Sockets { udp, tcp, listening, reachable } = Sockets::open(&config)?;
        let door = door(config.allow, config.endpoints)?;
        let stopped = CancellationToken::new();
        let reachable = Arc::new(reachable);
        let flows =
            Arc::new(Flows::new(config.streams, Arc::clone(&door), Arc::clone(&reachable), stopped.clone()));
        let reach = Reach {
            flows: Arc::clone(&flows),
            reachable: Arc::clone(&reachable),
            tls: config.tls_client.clone(),
            names: Names::new(config.name_server).ok_or(SipError::Names)?,
            avoided: Arc::default(),
        };
        let transports = TransportLayer::new_with_domain_resolver(stopped.clone(), Box::new(reach.clone()));
        transports.set_stream_idle_timeout(config.streams.silence);
        let switch = Arc::new(Switch::new(reach.clone()));
        add_datagrams(&transports, udp, &door, &switch, &stopped).await.map_err(stack_error)?;
        let trace = Arc::<Trace>::default();
        let endpoint = EndpointBuilder::new()
            .with_user_agent(&config.product)
            .with_transport_layer(transports)
            .with_cancel_token(stopped.clone())
            .with_inspector(Box::new(Faithful {
                reachable: Arc::clone(&reachable),
                door: Arc::clone(&door),
                trace: Arc::clone(&trace),
            }))
            .with_transport_inspector(Box::new(Arrivals {
                flows: Arc::clone(&flows),
                trace: Arc::clone(&trace),
            }))
            .with_target_locator(Box::new(reach.clone()))
            .with_option(EndpointOption {
                t1: config.round_trip,
                t1x64: config.round_trip * 64,
                t4: config.round_trip * 10,
                // The other format signs every Call-ID with the name of the stack's maker.
                callid_format: CallIdFormat::Uuid,
                ..EndpointOption::default()
            })
            .build();
        let requests = endpoint.incoming_transactions().map_err(stack_error)?;
        let stack = Arc::clone(&endpoint.inner);
        flows.serve(&stack);
        let mut serving = Box::pin(async move { endpoint.serve().await });
        // The stack binds every listener it knows when it is first polled. Ours are bound already,
        // and streams are only made known for their address, so they come after that.
        poll_fn(|context| Poll::Ready(serving.as_mut().poll(context).is_ready())).await;
        tokio::spawn(serving);
        add_streams(&stack.transport_layer, tcp, &flows, &stopped).await.map_err(stack_error)?;
        let (incoming, calls) = mpsc::channel(MAX_WAITING_CALLS);
        let agent = Arc::new(Agent {
            layer: Arc::new(DialogLayer::new(Arc::clone(&stack))),
            reachable,
            stack,
            incoming,
            door,
            max_calls: config.max_calls,
            refusing: AtomicU64::new(0),
            running: TaskTracker::new(),
            hang_up: CancellationToken::new(),
            identifying: Arc::new(Semaphore::new(MAX_IDENTIFYING)),
            probe_interval: config.probe_interval,
            timer: Limits::new(config.session_expires, config.min_session_expires),
            calls: Mutex::new(Calls::default()),
            trace,
        });
        let serving = Arc::clone(&agent).serve(requests);
        tokio::spawn(stopped.clone().run_until_cancelled_owned(serving));
        let dialler = Dialler { agent, reach, patience: config.round_trip * 8 };
        Ok((Self { dialler, listening, stopped }, calls))
    }

    /// Where it listens, with the ports that were found for port 0.
    pub fn listening(&self) -> &[ListenAddress] {
        &self.listening
    }

    /// Adopts a WebSocket that the client at `peer` opened, by TLS (`wss`) or not (`ws`). Calls to it go
    /// by the same: [`OutgoingCallRequest::binding`].
    ///
    /// `None` when there are too many connections, or the user agent stops.
    pub async fn accept_websocket(&self, transport: Transport, peer: SocketAddr) -> Option<WebSocketClient> {
        let place = self.dialler.reach.flows.places.take(peer.ip())?;
        let (flow, unsent) = self.dialler.reach.flows.open(place, transport, peer, None).await?;
        Some(WebSocketClient::new(flow, unsent))
    }

    /// Whether there is a connection with `peer`; by UDP there never is.
    pub fn is_connected(&self, peer: PeerAddress) -> bool {
        let address = listen::sip_addr(peer.transport.for_stack(), peer.address);
        self.dialler.reach.flows.has(&address, &peer.address.ip().to_string())
    }

    /// Calls that are not over yet.
    pub fn calls(&self) -> usize {
        self.dialler.agent.calls().len()
    }

    /// The messages of its calls, and what it counts.
    pub fn trace(&self) -> Arc<Trace> {
        Arc::clone(&self.dialler.agent.trace)
    }

    /// Refuses new calls from now on with 503, asking callers to wait for `retry_after`.
    pub fn drain(&self, retry_after: Duration) {
        self.dialler.agent.refusing.store(retry_after.as_secs().max(1), Ordering::Relaxed);
    }

    /// Hangs up all calls, waits a moment for the far ends to confirm it, and closes the sockets.
    pub async fn stop(&self) {
        self.drain(STOP_LIMIT);
        self.dialler.agent.hang_up.cancel();
        self.dialler.agent.running.close();
        let quiet = tokio::time::timeout(STOP_LIMIT, self.dialler.agent.running.wait()).await;
        tracing::debug!(quiet = quiet.is_ok(), "stopped");
        self.stopped.cancel();
    }

    /// Places a call. Whatever becomes of it is told by its events.
    ///
    /// # Errors
    ///
    /// [`SipError::Uri`], [`SipError::DisplayName`], [`SipError::Header`], [`SipError::Username`],
    /// [`SipError::NoTransport`], [`SipError::Stack`]: nothing was sent.
    pub fn call(&self, request: OutgoingCallRequest) -> Result<OutgoingCall, SipError> {
        Ok(self.dialler.call(request, None)?.call)
    }

    /// Places one call at several places at once, such as all contacts of an endpoint. The first that
    /// answers has it, and the others are given up. Where a place cannot be called the others are.
    ///
    /// # Errors
    ///
    /// As [`UserAgent::call`], of the last place, if none can be called; [`SipError::Nowhere`] without any.
    pub fn call_any(&self, requests: Vec<OutgoingCallRequest>) -> Result<OutgoingCall, SipError> {
        let (mut branches, mut error) = (Vec::new(), SipError::Nowhere);
        for request in requests {
            match self.call(request) {
                Ok(branch) => branches.push(branch),
                Err(refused) => error = refused,
            }
        }
        if branches.len() == 1 {
            return branches.pop().ok_or(error);
        }
        let (call, fork) = Fork::join(branches, self.dialler.agent.hang_up.child_token()).ok_or(error)?;
        self.dialler.agent.running.spawn(fork.run());
        Ok(call)
    }

    /// Places one call at one of several places, such as trunks: at the next only when the one before is
    /// silent for eight times the `round_trip`, or cannot take the call now (500, 502, 503, 504), and
    /// nothing was heard of its callee. A name may lead to several hosts (RFC 3263), which are tried like
    /// places.
    ///
    /// # Errors
    ///
    /// As [`UserAgent::call`], of the first place that cannot be called; [`SipError::Nowhere`] without any.
    pub fn call_in_turn(&self, requests: Vec<OutgoingCallRequest>) -> Result<OutgoingCall, SipError> {
        if requests.is_empty() {
            return Err(SipError::Nowhere);
        }
        for request in &requests {
            self.dialler.check(request)?;
        }
        let (call, hunt) = Hunt::new(self.dialler.clone(), requests);
        self.dialler.agent.running.spawn(hunt.run());
        Ok(call)
    }
}

impl fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAgent").field("listening", &self.listening).finish_non_exhaustive()
    }
}

impl Drop for UserAgent {
    fn drop(&mut self) {
        self.stopped.cancel();
    }
}

/// The sockets before they are served.
#[derive(Default)]
struct Sockets {
    /// With the address that peers are told.
    udp: Vec<(Arc<UdpSocket>, SocketAddr)>,
    tcp: Vec<Stream>,
    listening: Vec<ListenAddress>,
    reachable: Reachable,
}

struct Stream {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    advertised: SocketAddr,
}

impl Sockets {
    fn open(config: &UserAgentConfig) -> Result<Self, SipError> {
        let mut sockets = Self::default();
        for address in udp_first(&config.listen) {
            let tls = config.tls_server.clone().filter(|_| address.transport == Transport::Tls);
            if address.transport == Transport::Tls && tls.is_none() {
                return Err(SipError::NoCertificate(address));
            }
            let opened = sockets.bind(address, tls, config.public_address);
            opened.map_err(|source| SipError::Bind { address, source })?;
        }
        if sockets.listening.is_empty() { Err(SipError::NoListener) } else { Ok(sockets) }
    }

    fn bind(
        &mut self,
        wanted: ListenAddress,
        tls: Option<Arc<ServerConfig>>,
        public: Option<IpAddr>,
    ) -> io::Result<()> {
        let told = |bound| listen::advertised(&wanted, bound, public);
        let (address, advertised) = match wanted.transport {
            Transport::Udp => {
                let socket = listen::bind_udp(wanted.address)?;
                let address = socket.local_addr()?;
                self.udp.push((Arc::new(socket), told(address)));
                (address, told(address))
            }
            Transport::Tcp | Transport::Tls => {
                let listener = listen::bind_tcp(wanted.address)?;
                let address = listener.local_addr()?;
                let advertised = told(address);
                self.tcp.push(Stream { listener, tls, advertised });
                (address, advertised)
            }
            // They come by the HTTP port.
            Transport::Ws | Transport::Wss => return Err(io::ErrorKind::Unsupported.into()),
        };
        self.reachable.push(wanted.transport.for_stack(), advertised);
        self.listening.push(ListenAddress { address, ..wanted });
        Ok(())
    }
}

/// Gives the UDP sockets to the stack, each behind its gate.
async fn add_datagrams(
    transports: &TransportLayer,
    sockets: Vec<(Arc<UdpSocket>, SocketAddr)>,
    door: &Arc<Door>,
    switch: &Arc<Switch>,
    stopped: &CancellationToken,
) -> rsipstack::Result<()> {
    let all: Arc<[_]> = sockets.iter().map(|(socket, _)| Arc::clone(socket)).collect();
    for (socket, advertised) in sockets {
        let (all, door, switch) = (Arc::clone(&all), Arc::clone(door), Arc::clone(switch));
        let gate = Arc::new(Gate { socket, all, door, switch });
        let connection = UdpConnection::from_socket(gate, Some(advertised), Some(stopped.child_token()));
        transports.add_transport(SipConnection::Udp(connection.await?));
    }
    Ok(())
}

/// Accepts connections; the stack only learns of the listeners.
async fn add_streams(
    transports: &TransportLayer,
    listeners: Vec<Stream>,
    flows: &Arc<Flows>,
    stopped: &CancellationToken,
) -> rsipstack::Result<()> {
    for Stream { listener, tls, advertised } in listeners {
        let known = TcpListenerConnection::new(advertised, None).await?;
        transports.add_transport(SipConnection::TcpListener(known));
        tokio::spawn(listen::accept(listener, tls, Arc::clone(flows), stopped.child_token()));
    }
    Ok(())
}

/// What lets known networks in, and endpoints.
fn door(allow: Vec<Cidr>, endpoints: Option<EndpointConfig>) -> Result<Arc<Door>, SipError> {
    let endpoints = endpoints.map(|endpoints| {
        Endpoints::new(endpoints, registrar::now()).map(Arc::new).ok_or(SipError::Randomness)
    });
    Ok(Arc::new(Door::new(allow, endpoints.transpose()?)))
}

/// The stack sends requests of a UDP dialog under the name of its first listener.
fn udp_first(listen: &[ListenAddress]) -> Vec<ListenAddress> {
    let mut sorted = listen.to_vec();
    sorted.sort_by_key(|address| address.transport);
    sorted
}

pub(crate) fn stack_error(error: impl Display) -> SipError {
    SipError::Stack(error.to_string())
}
