//! Callers: a call and a media socket each.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use mixminus_codec::Encoding;
use mixminus_sip::sdp::{self, Direction, LocalMedia, LocalSrtp};
use mixminus_sip::{CallControl, CallEnd, CallEvent, OutgoingCall, OutgoingCallRequest, UserAgent};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::hearing::Seat;
use crate::target::Target;

/// How long the server may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How long the server may take to confirm a goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(5);

/// A caller in a conversation.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) seat: Seat,
    /// Connected to where the server receives our media.
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) payload_type: u8,
    control: CallControl,
    /// Ends with the call.
    conversation: JoinHandle<()>,
}

impl Caller {
    /// Calls `user` and waits for the answer.
    pub(crate) async fn call(
        agent: &UserAgent,
        target: &Target,
        user: &str,
        encoding: Encoding,
        seat: Seat,
    ) -> Result<Self, String> {
        let socket = open(target).map_err(|error| format!("no media socket: {error}"))?;
        let local = LocalMedia {
            address: socket.local_addr().map_err(|error| error.to_string())?,
            session_id: rand::random::<u32>().into(),
            version: 1,
            formats: vec![encoding.format()],
            opus: encoding.opus(),
            srtp: LocalSrtp::default(),
            ice: None,
        };
        let request = OutgoingCallRequest {
            target: target.uri(user),
            from: format!("sip:caller-{}-{}@{}", seat.room, seat.number, target.local),
            offer: sdp::offer(&local, Direction::SendReceive),
            ..OutgoingCallRequest::default()
        };
        let OutgoingCall { control, mut events } = agent.call(request).map_err(|error| error.to_string())?;
        let answer = timeout(ANSWER_LIMIT, answer(&mut events)).await.unwrap_or(Err("no answer".into()));
        let negotiated =
            answer.and_then(|sdp| sdp::read_answer(&sdp, &local).map_err(|error| error.to_string()));
        let connected = negotiated.and_then(|negotiated| {
            socket.connect(negotiated.remote).map_err(|error| error.to_string())?;
            Ok(negotiated.parameters.payload_type)
        });
        let payload_type = connected.inspect_err(|_| control.hang_up())?;
        let conversation = tokio::spawn(converse(control.clone(), events));
        Ok(Self { seat, socket: Arc::new(socket), payload_type, control, conversation })
    }

    /// Whether the call is over.
    pub(crate) fn is_over(&self) -> bool {
        self.conversation.is_finished()
    }

    pub(crate) fn hang_up(&self) {
        self.control.hang_up();
    }

    /// Waits for the end of the call.
    pub(crate) async fn finished(self) -> bool {
        timeout(GOODBYE_LIMIT, self.conversation).await.is_ok()
    }
}

#[expect(clippy::disallowed_methods, reason = "the rehearsal is a program of its own on the network")]
fn open(target: &Target) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind((target.local, 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

async fn answer(events: &mut mpsc::Receiver<CallEvent>) -> Result<String, String> {
    while let Some(event) = events.recv().await {
        match event {
            CallEvent::Answered { sdp, .. } => return Ok(sdp),
            CallEvent::Ended(CallEnd::Failed { status, .. }) => return Err(format!("status {status}")),
            CallEvent::Ended(end) => return Err(format!("{end:?}")),
            _ => {}
        }
    }
    Err("the call vanished".into())
}

/// Stays in the call until it ends; its media stay as they are.
async fn converse(control: CallControl, mut events: mpsc::Receiver<CallEvent>) {
    while let Some(event) = events.recv().await {
        if let CallEvent::Offer { .. } = event {
            control.refuse_offer();
        }
    }
}
