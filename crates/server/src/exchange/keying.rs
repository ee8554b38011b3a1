//! What a leg and its far end settle beside the media: where that is (ICE), and their keys (DTLS-SRTP, RFC 5763).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mixminus_control::{Input, LegEnd};
use mixminus_dtls::{Handshake, Heard, Identity, Role};
use mixminus_ice::{Agent, is_stun};
use mixminus_media::{Direction, Media, RemoteMedia, Security, SideChannel, Whereabouts};
use mixminus_mixer::LegId;
use mixminus_rtp::srtp::{Fingerprint, SrtpKeys};
use mixminus_sip::sdp::{DtlsRole, Ice};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{Occurrence, report};

/// How often somebody looks for what came; checks and the parts of a handshake are some round trips apart.
const ATTENTION: Duration = Duration::from_millis(20);
/// How long after its end a handshake answers who has not heard of that, if there are no checks.
const AFTERMATH: Duration = Duration::from_secs(30);
/// How long a browser that was heard may send nothing at all before it is taken for closed, if it was sending media to
/// the last: its checks would come after up to six seconds. Less would end calls when a network changes, more leaves
/// who has left in the conference.
const SILENCE: Duration = Duration::from_millis(4_500);
/// A check that comes so much later than media shows that only those have stopped.
const PAUSE: Duration = Duration::from_secs(1);
/// The far end of a handshake, wherever checks found it: it may move, and nobody else gets as far.
const FAR_END: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9);

/// What a leg and its far end have settled, and who is at it.
#[derive(Clone, Debug, Default)]
pub struct Keying(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Of the far end that the handshake is with.
    fingerprint: Option<Fingerprint>,
    keys: Option<SrtpKeys>,
    /// Answers checks, if there are any.
    agent: Option<Agent>,
    /// What was agreed on last, but for what is settled here.
    remote: Option<RemoteMedia>,
    task: Option<AbortHandle>,
}

/// Who shakes hands, and who is told what comes of it.
#[derive(Clone, Debug)]
pub struct Hand {
    pub identity: Identity,
    pub media: Media,
    pub leg: LegId,
    pub occurred: mpsc::Sender<Occurrence>,
}

/// What signalling leaves to be settled.
#[derive(Clone, Debug)]
pub struct Open {
    /// The certificate that the far end will show, and who begins.
    pub dtls: Option<(Fingerprint, DtlsRole)>,
    /// What both ends call each other in checks.
    pub ice: Option<Ice>,
}

impl Keying {
    /// Has a leg speak with a far end as `remote` says, once what is `open` is settled. What was settled before stays
    /// as long as it is the same certificate and the same names.
    pub fn agree(&self, hand: &Hand, remote: RemoteMedia, open: &Open) {
        let mut state = self.lock();
        let fingerprint = open.dtls.map(|(fingerprint, _)| fingerprint);
        let goes_on = state.fingerprint == fingerprint && state.agent.is_some() == open.ice.is_some();
        if !goes_on {
            state.stop();
            state.fingerprint = fingerprint;
        }
        state.be_found(open.ice.as_ref());
        if !goes_on && (open.dtls.is_some() || open.ice.is_some()) {
            state.task = self.begin(hand, &remote, open);
        }
        state.remote = Some(remote);
        state.tell(hand);
    }

    fn begin(&self, hand: &Hand, remote: &RemoteMedia, open: &Open) -> Option<AbortHandle> {
        let side = hand.media.open_side_channel(hand.leg)?;
        let handshake = open.dtls.map(|(fingerprint, role)| {
            let role = match role {
                DtlsRole::Active if open.ice.is_some() => Role::Active(FAR_END),
                DtlsRole::Active => Role::Active(remote.address),
                DtlsRole::Passive => Role::Passive,
            };
            Handshake::new(&hand.identity, role, fingerprint, now())
        });
        let handshake = handshake.transpose();
        let handshake = handshake.map_err(|error| tracing::warn!(%error, "no handshake for media")).ok()?;
        let (keying, hand) = (self.clone(), hand.clone());
        let attendant =
            Attendant { side, handshake, keying, hand, agreed_at: None, packets: 0, media_at: None };
        Some(tokio::spawn(attendant.run()).abort_handle())
    }

    fn keep(&self, hand: &Hand, keys: SrtpKeys) {
        let mut state = self.lock();
        state.keys = Some(keys);
        state.tell(hand);
    }

    /// Takes a check. Returns the reply.
    fn check(&self, hand: &Hand, now: Instant, source: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let received = state.agent.as_mut()?.receive(now, source, datagram);
        if received.selected.is_some() {
            state.tell(hand);
        }
        received.reply
    }

    /// Whom a handshake is held with that comes from `source`: with nobody who has not passed a check, where there are
    /// any (RFC 8445, section 12.1).
    fn peer(&self, source: SocketAddr) -> Option<SocketAddr> {
        match &self.lock().agent {
            Some(agent) => agent.admits(source).then_some(FAR_END),
            None => Some(source),
        }
    }

    /// Where that is.
    fn place(&self, peer: SocketAddr) -> Option<SocketAddr> {
        match &self.lock().agent {
            Some(agent) => agent.selected().or(agent.latest()),
            None => Some(peer),
        }
    }

    /// Whether the far end, last heard by the leg at `media_at`, is there no longer.
    fn is_gone(&self, media_at: Option<Instant>, now: Instant) -> bool {
        let state = self.lock();
        let Some(agent) = &state.agent else { return false };
        let sends = state.remote.as_ref().is_some_and(|remote| {
            matches!(remote.direction, Direction::SendReceive | Direction::ReceiveOnly)
        });
        agent.is_gone(now) || sends && has_left(media_at, agent.heard_at(), now)
    }

    fn is_checked(&self) -> bool {
        self.lock().agent.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        (self.fingerprint, self.keys) = (None, None);
    }

    fn be_found(&mut self, ice: Option<&Ice>) {
        match (&mut self.agent, ice) {
            (Some(agent), Some(ice)) if agent.is_between(&ice.ours, &ice.theirs) => {}
            (Some(agent), Some(ice)) => agent.restart(ice.ours.clone(), &ice.theirs),
            (agent, ice) => *agent = ice.map(|ice| Agent::new(ice.ours.clone(), &ice.theirs)),
        }
    }

    /// Tells media what is settled by now.
    fn tell(&self, hand: &Hand) {
        let Some(mut remote) = self.remote.clone() else { return };
        if self.fingerprint.is_some() {
            remote.security = self.keys.clone().map_or(Security::Awaited, Security::Srtp);
        }
        if let Some(agent) = &self.agent {
            let nowhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
            remote.address = agent.selected().unwrap_or(nowhere);
            (remote.report_address, remote.whereabouts) = (remote.address, Whereabouts::Checked);
        }
        hand.media.set_remote(hand.leg, remote);
    }
}

/// Answers what comes to a leg's socket and is no media.
struct Attendant {
    side: SideChannel,
    handshake: Option<Handshake>,
    keying: Keying,
    hand: Hand,
    agreed_at: Option<Instant>,
    /// Packets that the leg has taken, and when there was another one.
    packets: u32,
    media_at: Option<Instant>,
}

impl Attendant {
    /// Goes on until the leg is gone, or, without checks, nobody can be in doubt any more. A far end that never shakes
    /// hands is heard by nobody, and given up like every other that falls silent.
    async fn run(mut self) {
        let mut attention = interval(ATTENTION);
        attention.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = attention.tick().await.into_std();
            if self.side.is_closed() {
                return self.say_goodbye(now);
            }
            let left = self.take(now);
            let end = match () {
                () if left && self.keying.is_checked() => Some(LegEnd::HungUp),
                () if self.keying.is_gone(self.media_at, now) => Some(LegEnd::MediaTimeout),
                () => None,
            };
            if let Some(end) = end {
                let ended = Input::LegEnded { leg: self.hand.leg, end };
                return report(&self.hand.occurred, Occurrence::Input(Box::new(ended))).await;
            }
            let is_over = self.agreed_at.is_some_and(|agreed| now.duration_since(agreed) >= AFTERMATH);
            if is_over && !self.keying.is_checked() {
                return;
            }
        }
    }

    /// Takes what came. Returns whether the far end said goodbye.
    fn take(&mut self, now: Instant) -> bool {
        let (mut left, packets) = (false, self.side.packets());
        if std::mem::replace(&mut self.packets, packets) != packets {
            self.media_at = Some(now);
        }
        while let Some((source, datagram)) = self.side.receive() {
            if is_stun(&datagram) {
                if let Some(reply) = self.keying.check(&self.hand, now, source, &datagram) {
                    // What is not sent is like what is lost: it is asked for again.
                    self.side.send(&reply, source).ok();
                }
            } else {
                left |= self.shake(now, source, &datagram);
            }
        }
        if let Some(handshake) = &mut self.handshake
            && handshake.timeout().is_some_and(|due| due <= now)
        {
            handshake.on_timeout(now);
        }
        self.send();
        left
    }

    fn shake(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) -> bool {
        let Some((handshake, peer)) = self.handshake.as_mut().zip(self.keying.peer(source)) else {
            return false;
        };
        match handshake.receive(now, peer, datagram) {
            Ok(Heard::Keys(keys)) => {
                self.agreed_at = Some(now);
                self.keying.keep(&self.hand, keys);
            }
            Ok(Heard::Goodbye) => return true,
            Ok(Heard::Nothing) => {}
            Err(error) => tracing::debug!(%error, "a handshake for media failed"),
        }
        false
    }

    /// Sends what the handshake wants sent, once it is known where to.
    fn send(&mut self) {
        let Some(handshake) = &mut self.handshake else { return };
        while let Some((peer, datagram)) = handshake.next_datagram() {
            if let Some(place) = self.keying.place(peer) {
                self.side.send(&datagram, place).ok();
            }
        }
    }

    /// Tells the far end that the leg is gone, which a browser may learn in no other way.
    fn say_goodbye(mut self, now: Instant) {
        if let Some(handshake) = &mut self.handshake {
            handshake.close(now);
        }
        self.send();
    }
}

/// Whether somebody who sent media to the last has fallen silent altogether.
fn has_left(media_at: Option<Instant>, checked_at: Option<Instant>, now: Instant) -> bool {
    let Some((media, checked)) = media_at.zip(checked_at) else { return false };
    let silence = now.saturating_duration_since(media.max(checked));
    checked <= media + PAUSE && silence >= SILENCE
}

#[expect(clippy::disallowed_methods, reason = "a handshake begins now")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_sending_and_falls_silent_altogether_has_left_and_who_only_pauses_has_not() {
        let start = now();
        let at = |ms: u64| Some(start + Duration::from_millis(ms));
        let left = |media, checked, now_ms| has_left(media, checked, start + Duration::from_millis(now_ms));
        assert!(!left(at(10_000), at(9_000), 14_499) && left(at(10_000), at(9_000), 14_500));
        assert!(!left(at(10_000), at(10_900), 15_399) && left(at(10_000), at(10_900), 15_400));
        assert!(!left(at(10_000), at(11_001), 60_000), "checks go on without media");
        assert!(!left(None, at(10_000), 60_000) && !left(at(10_000), None, 60_000));
    }
}
