//! A leg as the exchange sees it: signalling on one side, media on the other.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mixminus_codec::{Format, OpusSettings};
use mixminus_control::{CallId, Input};
use mixminus_dtls::Identity;
use mixminus_ice::Credentials;
use mixminus_media::{Direction, Media, MediaError, RemoteMedia, Security, Whereabouts};
use mixminus_mixer::LegId;
use mixminus_rtp::srtp::{SrtpKey, SrtpSuite};
use mixminus_sip::sdp::{self, LocalIce, LocalMedia, LocalSrtp, Negotiated, SdpError, SrtpPolicy};
use mixminus_sip::{CallControl, CallEnd, CallEvent, IncomingCall};
use rand::Rng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;

use super::dialling::Offers;
use super::keying::{Hand, Keying, Open};
use super::transfer::{Transfer, Transfers};
use super::translated::reached;
use super::{Occurrence, RETRY_AFTER, Status, report};

/// Why a call got no leg.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no port or no room for its media.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// Its offer has nothing in common with us.
    #[error(transparent)]
    Offer(#[from] SdpError),
}

impl OpenError {
    /// The SIP status that says so.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Media(_) => 503,
            Self::Offer(_) => 488,
        }
    }

    /// When it is worth another try.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Media(_) => Some(RETRY_AFTER),
            Self::Offer(_) => None,
        }
    }
}

/// What far ends are told of our media.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Where they are to send.
    pub address: IpAddr,
    /// What we speak, best first.
    pub formats: Arc<[Format]>,
    /// What our Opus encoders may spend.
    pub opus: OpusSettings,
    /// Whether packets are protected, and how offers propose that.
    pub srtp: SrtpTerms,
}

impl Terms {
    /// The same with another policy, if there is one.
    #[must_use]
    pub fn with_srtp(&self, policy: Option<SrtpPolicy>) -> Self {
        let mut terms = self.clone();
        terms.srtp.policy = policy.unwrap_or(terms.srtp.policy);
        terms
    }
}

/// How packets are protected.
#[derive(Clone, Debug)]
pub struct SrtpTerms {
    /// Whether they are.
    pub policy: SrtpPolicy,
    /// Whether our offers propose a handshake instead of keys.
    pub offers_dtls: bool,
    /// Who we are in handshakes.
    pub identity: Identity,
}

/// What the exchange needs to signal to a far end.
#[derive(Clone, Debug)]
pub struct Signalling {
    pub control: CallControl,
    first_description: Arc<str>,
    local: Arc<Local>,
    answer: Arc<Mutex<Answer>>,
}

/// How far the answer to a call is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answer {
    /// Nobody wants to answer, or it was done.
    #[default]
    None,
    /// To be given once the call is on record.
    Promised,
    /// The same, and to be followed by a hang-up.
    PromisedBriefly,
}

impl Signalling {
    /// Says that the call will be answered, so that a hang-up waits for that.
    pub fn promise(&self) {
        *self.lock() = Answer::Promised;
    }

    /// Lets the caller hear us before the answer.
    pub fn progress(&self) {
        self.control.progress(self.first_description.to_string());
    }

    /// Answers the call with what was agreed when it arrived.
    pub fn answer(&self) {
        let mut answer = self.lock();
        self.control.answer(self.first_description.to_string());
        if *answer == Answer::PromisedBriefly {
            self.control.hang_up();
        }
        *answer = Answer::None;
    }

    /// Ends the call, after its answer if that was promised.
    pub fn hang_up(&self) {
        let mut answer = self.lock();
        match *answer {
            Answer::None => self.control.hang_up(),
            Answer::Promised | Answer::PromisedBriefly => *answer = Answer::PromisedBriefly,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Our side of the session, which gets a new version each time it is described.
#[derive(Debug)]
struct Local {
    terms: Terms,
    port: u16,
    session_id: u64,
    version: AtomicU64,
    srtp: LocalSrtp,
    ice: Mutex<LocalIce>,
    keying: Keying,
    /// Where the far end's signalling comes from, if that is known.
    signals: Option<IpAddr>,
}

impl Local {
    fn new(terms: &Terms, leg: LegId, port: u16, signals: Option<IpAddr>) -> Self {
        let SrtpTerms { policy, offers_dtls, identity } = &terms.srtp;
        let srtp = LocalSrtp {
            policy: *policy,
            keys: srtp_keys(*policy),
            fingerprint: Some(identity.fingerprint()),
            offers_dtls: *offers_dtls,
        };
        let (version, keying) = (AtomicU64::new(1), Keying::default());
        let ice = LocalIce { agreed: None, fresh: names(), offers: false }.into();
        Self { terms: terms.clone(), port, session_id: leg.0, version, srtp, ice, keying, signals }
    }

    /// Remembers what was agreed on; names that are taken are not fresh any more.
    fn agreed(&self, agreed: &Negotiated) {
        let mut ice = self.ice.lock().unwrap_or_else(PoisonError::into_inner);
        if agreed.ice.as_ref().is_some_and(|agreed| agreed.ours == ice.fresh) {
            ice.fresh = names();
        }
        ice.agreed.clone_from(&agreed.ice);
        ice.offers = agreed.ice.is_some() && matches!(agreed.security, sdp::Security::Dtls { .. });
    }

    /// As it is described next.
    fn next(&self) -> LocalMedia {
        self.described(self.version.fetch_add(1, Ordering::Relaxed))
    }

    /// As it was described last.
    fn last(&self) -> LocalMedia {
        self.described(self.version.load(Ordering::Relaxed) - 1)
    }

    fn described(&self, version: u64) -> LocalMedia {
        let Terms { address, formats, opus, .. } = &self.terms;
        LocalMedia {
            address: (*address, self.port).into(),
            session_id: self.session_id,
            version,
            formats: formats.to_vec(),
            opus: *opus,
            srtp: self.srtp.clone(),
            ice: Some(self.ice.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }
}

/// Where what is agreed with a far end takes effect.
#[derive(Clone, Debug)]
pub struct Ground {
    pub media: Media,
    pub status: Arc<Status>,
    pub occurred: mpsc::Sender<Occurrence>,
}

/// Opens media for a call and agrees on its session.
///
/// # Errors
///
/// [`OpenError`]; nothing is left open then.
pub fn open(call: &IncomingCall, ground: &Ground, terms: &Terms) -> Result<(LegId, Signalling), OpenError> {
    let (leg, bound) = ground.media.open_leg()?;
    let local = Local::new(terms, leg, bound.port(), Some(call.source.ip()));
    let description = match &call.offer {
        None => Ok(sdp::offer(&local.next(), sdp::Direction::SendReceive)),
        Some(offer) => sdp::negotiate(offer, &local.next()).map(|(answer, agreed)| {
            ground.agree(leg, &agreed, &call.control, &local);
            answer
        }),
    };
    match description {
        Ok(description) => Ok((
            leg,
            Signalling {
                control: call.control.clone(),
                first_description: description.into(),
                local: Arc::new(local),
                answer: Arc::default(),
            },
        )),
        Err(error) => {
            ground.media.release_leg(leg);
            Err(error.into())
        }
    }
}

/// Opens media for a call that we place, and what it is to offer.
///
/// # Errors
///
/// [`MediaError`] if there is no port or no room.
pub fn offer(ground: &Ground, terms: &Terms) -> Result<(LegId, Offered), MediaError> {
    let (leg, bound) = ground.media.open_leg()?;
    let local = Local::new(terms, leg, bound.port(), None);
    let media = local.next();
    let phone = sdp::offer(&media, sdp::Direction::SendReceive);
    let ice = media.ice.clone().map(|ice| LocalIce { offers: true, ..ice });
    let browser = sdp::offer(&LocalMedia { ice, ..media }, sdp::Direction::SendReceive);
    Ok((leg, Offered { offers: Offers { phone, browser }, local }))
}

/// Our side of a call that is about to be placed.
#[derive(Debug)]
pub struct Offered {
    /// Its session, described in the ways in which it may be told.
    pub offers: Offers,
    local: Local,
}

impl Offered {
    /// What the exchange needs once the call is placed, to a phone whose signalling comes from `signals`.
    pub fn placed(self, control: CallControl, signals: Option<IpAddr>) -> Signalling {
        let Self { offers, local } = self;
        let local = Arc::new(Local { signals, ..local });
        Signalling { control, first_description: offers.phone.into(), local, answer: Arc::default() }
    }
}

/// Follows a call's signalling to its end.
pub struct Attendance {
    pub leg: LegId,
    pub signalling: Signalling,
    pub ground: Ground,
    /// The call that we placed by it.
    pub placed: Option<CallId>,
    /// Whether its far end is an endpoint.
    pub is_endpoint: bool,
    /// Whose transfers are followed.
    pub transfers: Transfers,
}

impl Attendance {
    /// Answers new offers by itself and tells the exchange of the rest.
    pub async fn run(self, mut events: mpsc::Receiver<CallEvent>) {
        let (leg, occurred) = (self.leg, self.ground.occurred.clone());
        if let Some(call) = self.placed {
            report(&occurred, Occurrence::Input(Box::new(Input::Dialled { call, leg }))).await;
        }
        let mut end = CallEnd::Failed { status: 500, reason: None };
        while let Some(event) = events.recv().await {
            let input = match event {
                CallEvent::Ringing => Input::LegRinging { leg },
                CallEvent::Progress { sdp } => {
                    self.take_answer(&sdp);
                    Input::LegAudible { leg }
                }
                CallEvent::Answered { sdp, .. } => {
                    self.take_answer(&sdp);
                    Input::LegAnswered { leg }
                }
                CallEvent::Digit(digit) => Input::Digit { leg, digit: digit.into() },
                CallEvent::Offer { sdp: Some(offer) } => {
                    self.take_offer(&offer);
                    continue;
                }
                CallEvent::Offer { sdp: None } => {
                    let offer = sdp::offer(&self.signalling.local.next(), sdp::Direction::SendReceive);
                    self.signalling.control.accept_offer(offer);
                    continue;
                }
                CallEvent::Transfer { target, replaces } => {
                    let is_endpoint = self.is_endpoint;
                    if self.transfers.let_in(is_endpoint) {
                        let transfer = Transfer { leg, is_endpoint, target, replaces };
                        report(&occurred, Occurrence::Transfer(transfer)).await;
                    } else {
                        // Nobody else may make us call somebody (attack S4). Phones take 403 for a wrong password.
                        self.signalling.control.refuse_transfer(603);
                    }
                    continue;
                }
                CallEvent::Transferred { .. } => continue,
                CallEvent::Ended(ended) => {
                    end = ended;
                    continue;
                }
            };
            // A call that came to us rings and is answered by our own doing.
            if self.placed.is_some() || matches!(input, Input::Digit { .. }) {
                report(&occurred, Occurrence::Input(Box::new(input))).await;
            }
        }
        report(&occurred, Occurrence::CallEnded(leg, end)).await;
    }

    fn agree(&self, agreed: &Negotiated) {
        self.ground.agree(self.leg, agreed, &self.signalling.control, &self.signalling.local);
    }

    fn take_offer(&self, offer: &str) {
        match sdp::negotiate(offer, &self.signalling.local.next()) {
            Ok((answer, agreed)) => {
                self.agree(&agreed);
                self.signalling.control.accept_offer(answer);
            }
            Err(error) => {
                tracing::warn!(call_id = self.signalling.control.id(), %error, "new offer refused");
                self.signalling.control.refuse_offer();
            }
        }
    }

    fn take_answer(&self, answer: &str) {
        match sdp::read_answer(answer, &self.signalling.local.last()) {
            Ok(agreed) => self.agree(&agreed),
            Err(error) => {
                tracing::warn!(call_id = self.signalling.control.id(), %error, "unusable answer; hanging up");
                self.signalling.control.hang_up();
            }
        }
    }
}

impl Ground {
    /// Tells media what was agreed, and signalling to watch where a silence of media
    /// will not show that the far end is gone.
    fn agree(&self, leg: LegId, agreed: &Negotiated, control: &CallControl, local: &Local) {
        local.agreed(agreed);
        let dtls = match agreed.security {
            sdp::Security::Dtls { fingerprint, role } => Some((fingerprint, role)),
            sdp::Security::Plain | sdp::Security::Keys(_) => None,
        };
        let identity = local.terms.srtp.identity.clone();
        let hand = Hand { identity, media: self.media.clone(), leg, occurred: self.occurred.clone() };
        local.keying.agree(&hand, remote(agreed, local.signals), &Open { dtls, ice: agreed.ice.clone() });
        self.status.speaks(leg, agreed.parameters.format());
        match agreed.direction {
            sdp::Direction::SendReceive => control.unwatch(),
            _ => control.watch(),
        }
    }
}

fn remote(agreed: &Negotiated, signals: Option<IpAddr>) -> RemoteMedia {
    RemoteMedia {
        address: reached(agreed.remote, signals),
        whereabouts: Whereabouts::Said,
        report_address: reached(agreed.remote_rtcp, signals),
        rtcp_mux: agreed.rtcp_mux,
        voip_metrics: agreed.voip_metrics,
        parameters: agreed.parameters,
        direction: match agreed.direction {
            sdp::Direction::SendReceive => Direction::SendReceive,
            sdp::Direction::SendOnly => Direction::SendOnly,
            sdp::Direction::ReceiveOnly => Direction::ReceiveOnly,
            sdp::Direction::Inactive => Direction::Inactive,
        },
        security: match &agreed.security {
            sdp::Security::Plain => Security::Plain,
            sdp::Security::Keys(keys) => Security::Srtp(keys.clone()),
            sdp::Security::Dtls { .. } => Security::Awaited,
        },
    }
}

/// What we are called in checks that begin.
fn names() -> Credentials {
    Credentials::generate(&mut rand::make_rng::<StdRng>())
}

/// Keys of our own for one session.
fn srtp_keys(policy: SrtpPolicy) -> Vec<SrtpKey> {
    if policy == SrtpPolicy::Off {
        return Vec::new();
    }
    let mut random = rand::make_rng::<StdRng>();
    let key = |suite: SrtpSuite| {
        let mut bytes = vec![0; suite.key_bytes() + suite.salt_bytes()];
        random.fill_bytes(&mut bytes);
        SrtpKey::new(suite, &bytes).expect("as many bytes as the suite takes")
    };
    SrtpSuite::ALL.into_iter().map(key).collect()
}
