//! A talker and the network to the leg that receives it.

use std::time::Duration;

use mixminus_rtp::LegMedia;

use crate::{Arrival, Network, Talker};

/// What comes in to one leg.
#[derive(Debug)]
pub struct Line {
    /// Who sends.
    pub talker: Talker,
    /// What it is sent through.
    pub network: Network,
}

impl Line {
    /// The next packet that has arrived by `now`.
    pub fn arrival(&mut self, now: Duration) -> Option<Arrival> {
        while let Some(sent) = self.talker.next(now) {
            if let Some(datagram) = sent.datagram {
                self.network.send(sent.at, datagram);
            }
        }
        self.network.arrival(now)
    }

    /// Gives `leg` what has arrived by `now`.
    pub fn deliver(&mut self, now: Duration, leg: &mut LegMedia) {
        while let Some(arrival) = self.arrival(now) {
            leg.receive(arrival.at, &arrival.datagram);
        }
    }
}
