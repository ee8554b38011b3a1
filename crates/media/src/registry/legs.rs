//! Where each leg is, and its way from one bridge to another.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use mixminus_mixer::{Arrangement, BridgeId, LegId, Seated};
use mixminus_rtp::{MediaParameters, SenderIdentity, Statistics};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{BridgePlace, Registry};
use crate::errand::{Errand, Move};
use crate::leg::SipLeg;
use crate::order::Order;
use crate::published::{Published, publish};
use crate::remote::Remote;
use crate::reports::Reports;
use crate::side_channel::{SideChannel, side_channel};
use crate::voice::{Voice, VoiceWatch};
use crate::{MediaError, RemoteMedia, Security, StreamTotals};

#[derive(Debug)]
pub(super) struct LegRecord {
    port: u16,
    place: Place,
    /// What was agreed last.
    pub(super) parameters: MediaParameters,
    security: Security,
    /// The media socket.
    socket: Arc<UdpSocket>,
    published: Published<Statistics>,
    voice: Arc<VoiceWatch>,
}

#[derive(Debug)]
enum Place {
    /// Here.
    Home(Box<Seated<SipLeg>>),
    /// With the worker of this bridge, in its seat.
    Seated(BridgeId),
    /// On its way home from a worker.
    Coming {
        then: Then,
        /// What it is to do once it is here.
        orders: Vec<Order>,
    },
}

/// What becomes of a leg that is coming home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Stay,
    Seat(BridgeId),
    Release,
}

impl LegRecord {
    /// The bridge it is seated in, or will be once it has come home.
    pub(super) fn bridge(&self) -> Option<BridgeId> {
        match self.place {
            Place::Seated(bridge) | Place::Coming { then: Then::Seat(bridge), .. } => Some(bridge),
            Place::Home(_) | Place::Coming { .. } => None,
        }
    }
}

impl Place {
    const fn coming(then: Then) -> Self {
        Self::Coming { then, orders: Vec::new() }
    }
}

impl Registry {
    /// Opens a leg. Returns where its far end is to send to.
    pub(crate) fn open_leg(&mut self) -> Result<(LegId, SocketAddr), MediaError> {
        if self.legs.len() >= self.config.max_legs {
            return Err(MediaError::NoPorts);
        }
        let (port, sockets) = self.ports.open()?;
        let id = LegId(self.last_leg.0 + 1);
        self.last_leg = id;
        let identity = SenderIdentity {
            ssrc: self.random.random(),
            sequence: self.random.random(),
            timestamp: self.random.random(),
        };
        let (publisher, published) = publish(Statistics::default());
        let reports = Reports::new(StdRng::from_rng(&mut self.random), publisher);
        let socket = sockets.rtp.share();
        let mut leg = SipLeg::new(id, sockets, identity, reports, self.config.media_timeout);
        if self.config.replay_log.is_some() {
            leg.keep_log();
        }
        let voice = leg.voice();
        let place = Place::Home(Box::new(Seated::new(id, leg)));
        self.legs.insert(
            id,
            LegRecord {
                port,
                place,
                parameters: SipLeg::unagreed(),
                security: Security::Plain,
                socket,
                published,
                voice,
            },
        );
        Ok((id, SocketAddr::new(self.config.bind_ip, port)))
    }

    /// What a leg's streams have been like.
    pub(crate) fn statistics(&mut self, id: LegId) -> Option<Statistics> {
        self.legs.get_mut(&id).map(|record| record.published.read())
    }

    /// What a leg's far end sounds like.
    pub(crate) fn voice(&self, id: LegId) -> Option<Voice> {
        self.legs.get(&id).map(|record| record.voice.read())
    }

    /// What the streams of all legs have been like, also of those released.
    pub(super) fn streams(&mut self) -> StreamTotals {
        let mut streams = self.ended;
        self.legs.values_mut().for_each(|record| streams.add(&record.published.read()));
        streams
    }

    /// Opens a way to what a leg's far end sends that is no media.
    pub(crate) fn open_side_channel(&mut self, id: LegId) -> Option<SideChannel> {
        let socket = Arc::clone(&self.legs.get(&id)?.socket);
        let (inlet, channel) = side_channel(socket);
        self.tell_leg(id, Order::SetSide(Some(Box::new(inlet))));
        Some(channel)
    }

    /// Tells a leg what signalling agreed.
    pub(crate) fn set_remote(&mut self, id: LegId, agreed: RemoteMedia) {
        let Some(record) = self.legs.get_mut(&id) else { return };
        let present = std::mem::replace(&mut record.parameters, agreed.parameters);
        let security = std::mem::replace(&mut record.security, agreed.security.clone());
        self.tell_leg(id, Order::SetRemote(Box::new(Remote::new(agreed, present, &security))));
        self.retune_bridge_of(id);
    }

    /// Has a leg do something, wherever it is.
    pub(crate) fn tell_leg(&mut self, id: LegId, mut order: Order) {
        let Some(record) = self.legs.get_mut(&id) else { return };
        if let (Order::SetGains(gains), Place::Home(_) | Place::Coming { .. }) = (&order, &record.place) {
            self.workers.iter_mut().for_each(|worker| worker.note(id, *gains));
        }
        match &mut record.place {
            Place::Home(leg) => order.give(leg),
            Place::Coming { orders, .. } => orders.push(order),
            Place::Seated(bridge) => {
                let BridgePlace { worker, slot } = self.bridges[bridge].at;
                self.workers[worker].send(Errand::Tell { slot, leg: id, order });
            }
        }
    }

    /// Closes a leg, wherever it is.
    pub(crate) fn release_leg(&mut self, id: LegId) {
        let Some(record) = self.legs.get_mut(&id) else { return };
        match &mut record.place {
            Place::Home(_) => self.forget_leg(id),
            Place::Coming { then, .. } => *then = Then::Release,
            Place::Seated(bridge) => {
                let BridgePlace { worker, slot } = self.bridges[bridge].at;
                self.workers[worker].send(Errand::Recall { slot, leg: id, found: None });
                record.place = Place::coming(Then::Release);
            }
        }
    }

    /// Has a leg join a bridge that names it: a leg that is here is seated,
    /// one with another worker is called home first, and one with the same
    /// worker takes the step that is returned.
    pub(super) fn summon_leg(
        &mut self,
        id: LegId,
        (bridge, at): (BridgeId, BridgePlace),
        arrangement: &mut Arrangement<SipLeg>,
    ) -> Option<Move<LegId, Seated<SipLeg>>> {
        let place = &mut self.legs.get_mut(&id)?.place;
        match place {
            Place::Coming { then: Then::Release, .. } => None,
            Place::Coming { then, .. } => {
                *then = Then::Seat(bridge);
                None
            }
            Place::Seated(from) if *from == bridge => None,
            Place::Seated(from) => {
                let from = self.bridges[from].at;
                if from.worker == at.worker {
                    *place = Place::Seated(bridge);
                    return Some(Move { from: from.slot, id, refused: None });
                }
                *place = Place::coming(Then::Seat(bridge));
                self.workers[from.worker].send(Errand::Recall { slot: from.slot, leg: id, found: None });
                None
            }
            Place::Home(_) => {
                if let Place::Home(mut leg) = std::mem::replace(place, Place::Seated(bridge)) {
                    leg.leg_mut().discard_backlog();
                    let seated = arrangement.seat(leg);
                    debug_assert!(seated.is_ok(), "the plan names the leg, and it was not there");
                }
                None
            }
        }
    }

    /// Notes that a bridge does not name a leg any more.
    pub(super) fn dismiss_leg(&mut self, id: LegId, bridge: BridgeId) {
        let Some(record) = self.legs.get_mut(&id) else { return };
        match &mut record.place {
            Place::Seated(seated) if *seated == bridge => record.place = Place::coming(Then::Stay),
            Place::Coming { then, .. } if *then == Then::Seat(bridge) => *then = Then::Stay,
            _ => {}
        }
    }

    /// Takes in a leg that has come home.
    pub(super) fn welcome_leg(&mut self, mut leg: Box<Seated<SipLeg>>) {
        let id = leg.id();
        leg.leg_mut().publish();
        let record = self.legs.get_mut(&id).expect("a leg is recorded until it has come home");
        let Place::Coming { then, mut orders } =
            std::mem::replace(&mut record.place, Place::coming(Then::Stay))
        else {
            unreachable!("a leg that comes home was expected")
        };
        for order in &mut orders {
            order.give(&mut leg);
        }
        match then {
            Then::Stay => record.place = Place::Home(leg),
            Then::Seat(bridge) => {
                record.place = Place::Seated(bridge);
                let BridgePlace { worker, slot } = self.bridges[&bridge].at;
                self.workers[worker].send(Errand::Seat { slot, leg: Some(leg) });
            }
            Then::Release => {
                drop(leg);
                self.forget_leg(id);
            }
        }
    }

    fn forget_leg(&mut self, id: LegId) {
        if let Some(LegRecord { port, place, mut published, .. }) = self.legs.remove(&id) {
            drop(place);
            self.ended.add_ended(&published.read());
            self.ports.close(port);
        }
    }
}
