//! The keys of a leg that a handshake agrees on (DTLS-SRTP, RFC 5763).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mixminus_dtls::{Handshake, Identity, Role};
use mixminus_media::{Media, RemoteMedia, Security, SideChannel};
use mixminus_mixer::LegId;
use mixminus_rtp::srtp::{Fingerprint, SrtpKeys};
use mixminus_sip::sdp::DtlsRole;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a handshake looks for what came; its parts are some round trips apart.
const ATTENTION: Duration = Duration::from_millis(20);
/// How long after its end a handshake answers who has not heard of that.
const AFTERMATH: Duration = Duration::from_secs(30);

/// A leg's handshake, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Keying(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Of the far end that the handshake is with.
    fingerprint: Option<Fingerprint>,
    keys: Option<SrtpKeys>,
    /// What was agreed on last, for when the keys are there.
    remote: Option<RemoteMedia>,
    task: Option<AbortHandle>,
}

/// Who shakes hands, and where the keys go.
#[derive(Clone, Debug)]
pub struct Hand {
    pub identity: Identity,
    pub media: Media,
    pub leg: LegId,
}

impl Keying {
    /// Has a leg speak with a far end that shows a certificate of `fingerprint`: at once if their handshake is
    /// over, else once it is. Another far end begins another handshake.
    pub fn agree(&self, hand: &Hand, remote: RemoteMedia, fingerprint: Fingerprint, role: DtlsRole) {
        let mut state = self.lock();
        if state.fingerprint != Some(fingerprint) {
            state.stop();
            state.fingerprint = Some(fingerprint);
            state.task = self.begin(hand, &remote, fingerprint, role);
        }
        let security = state.keys.clone().map_or(Security::Awaited, Security::Srtp);
        hand.media.set_remote(hand.leg, RemoteMedia { security, ..remote.clone() });
        state.remote = Some(remote);
    }

    /// Ends a handshake that is not needed any more.
    pub fn give_up(&self) {
        self.lock().stop();
    }

    fn begin(
        &self,
        hand: &Hand,
        remote: &RemoteMedia,
        fingerprint: Fingerprint,
        role: DtlsRole,
    ) -> Option<AbortHandle> {
        let role = match role {
            DtlsRole::Active => Role::Active(remote.address),
            DtlsRole::Passive => Role::Passive,
        };
        let side = hand.media.open_side_channel(hand.leg)?;
        let handshake = Handshake::new(&hand.identity, role, fingerprint, now());
        let handshake = handshake.map_err(|error| tracing::warn!(%error, "no handshake for media")).ok()?;
        let (keying, hand) = (self.clone(), hand.clone());
        let task = shake(side, handshake, move |keys| keying.keep(&hand, keys));
        Some(tokio::spawn(task).abort_handle())
    }

    fn keep(&self, hand: &Hand, keys: SrtpKeys) {
        let mut state = self.lock();
        if let Some(remote) = &state.remote {
            let security = Security::Srtp(keys.clone());
            hand.media.set_remote(hand.leg, RemoteMedia { security, ..remote.clone() });
        }
        state.keys = Some(keys);
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
}

/// Carries a handshake on until the leg is gone, or nobody can be in doubt of its end any more. A far end that
/// never shakes hands is heard by nobody, and given up like every other that falls silent.
async fn shake(mut side: SideChannel, mut handshake: Handshake, keep: impl Fn(SrtpKeys)) {
    let mut attention = interval(ATTENTION);
    attention.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut over: Option<Instant> = None;
    while !side.is_closed() && over.is_none_or(|over| over.elapsed() < AFTERMATH) {
        let now = attention.tick().await.into_std();
        while let Some((source, datagram)) = side.receive() {
            match handshake.receive(now, source, &datagram) {
                Ok(Some(keys)) => {
                    over = Some(now.into());
                    keep(keys);
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "a handshake for media failed"),
            }
        }
        if handshake.timeout().is_some_and(|due| due <= now) {
            handshake.on_timeout(now);
        }
        while let Some((destination, datagram)) = handshake.next_datagram() {
            // What is not sent is like what is lost: it is sent again.
            side.send(&datagram, destination).ok();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a handshake begins now")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
