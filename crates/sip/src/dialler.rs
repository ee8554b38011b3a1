//! How a call is placed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, Ends, Opening};
use crate::call::OutgoingCall;
use crate::dialog::Dialog;
use crate::early::Early;
use crate::place::{self, OutgoingCallRequest};
use crate::reach::{self, Reach};
use crate::resolve::Way;
use crate::task::{CallTask, Progress, Stage};
use crate::user_agent::{SipError, stack_error};

/// Places calls.
#[derive(Clone)]
pub(crate) struct Dialler {
    pub(crate) agent: Arc<Agent>,
    pub(crate) reach: Reach,
    /// How long a place may be silent before the next one is tried.
    pub(crate) patience: Duration,
}

/// A call that was placed.
pub(crate) struct Placed {
    pub(crate) call: OutgoingCall,
    /// Cancelled once anything was heard of it.
    pub(crate) heard: CancellationToken,
}

impl Dialler {
    /// Places a call, by `way` or by the first one to its target.
    pub(crate) fn call(&self, request: OutgoingCallRequest, way: Option<Way>) -> Result<Placed, SipError> {
        let agent = &self.agent;
        let peer = request.binding.as_ref().and_then(|binding| binding.flow.peer());
        let opening = Opening { invite: None, peer: peer.map(|peer| peer.ip().to_canonical()) };
        let host = way.map(|_| place::next_hop(&request)).transpose()?.map(|hop| reach::host(&hop));
        let mut invite = place::invite(request, &agent.reachable, way)?;
        let contact = invite.contact.clone();
        let (reach, destination) = (self.reach.clone(), invite.destination.clone());
        let offer = invite.offer.take().unwrap_or_default();
        invite.headers.get_or_insert_default().extend(agent.timer.proposal());
        let (states, states_receiver) = agent.layer.new_dialog_state_channel();
        let mut request = agent.layer.make_invite_request(&invite).map_err(stack_error)?;
        request.headers.push(Header::ContentLength(u32::try_from(offer.len()).unwrap_or(u32::MAX).into()));
        request.body.clone_from(&offer);
        let (hop, credential) = (invite.destination, invite.credential);
        let (dialog, invite) =
            Dialog::of_request(&agent.stack, request, hop, credential, states).map_err(stack_error)?;
        let Ends { control, events, reports, inputs, key, confirmed } =
            agent.open(&dialog.id(), opening, states_receiver);
        let early = Early::default();
        let heard = early.heard.clone();
        let mut task =
            CallTask::new(Arc::clone(agent), dialog.clone(), contact, Stage::Calling(early), reports);
        task.confirmed = confirmed;
        task.session.description = String::from_utf8_lossy(&offer).into_owned();
        task.follow(async move {
            let opened = match (way, destination) {
                (Some(way), _) => reach.open(way, &host.unwrap_or_default()).await.is_ok(),
                // The stack would look for a way as long as it waits for an answer.
                (None, Some(destination)) => reach.find(&destination).await.is_ok(),
                (None, None) => true,
            };
            if !opened {
                return Progress::Outcome(Err(StatusCode::ServiceUnavailable.code()));
            }
            Progress::Outcome(dialog.place(invite).await)
        });
        agent.run(key, task, inputs);
        Ok(Placed { call: OutgoingCall { control, events }, heard })
    }

    /// Whether a call could be placed.
    pub(crate) fn check(&self, request: &OutgoingCallRequest) -> Result<(), SipError> {
        place::invite(request.clone(), &self.agent.reachable, None).map(drop)
    }

    /// The ways to where a call is sent first.
    pub(crate) async fn ways(&self, request: &OutgoingCallRequest) -> io::Result<Vec<Way>> {
        let hop = place::next_hop(request).map_err(io::Error::other)?;
        self.reach.ways(&hop).await
    }
}
