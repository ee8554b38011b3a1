//! A network between a sender and a receiver, in virtual time.

mod delay;
mod loss;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::time::Duration;

pub use delay::{Blocks, Delay};
pub use loss::Loss;

use crate::Random;

/// Takes packets with the instant of sending and hands them out in the order of arrival.
///
/// Links keep packets in order: one that would overtake another arrives after it. What is to overtake
/// says [`reordering`](Self::reordering).
///
/// ```
/// use std::time::Duration;
/// use mixminus_testkit::{Delay, Loss, Network};
///
/// let mut network = Network::new(7).delay(Delay::Fixed(Duration::from_millis(30))).loss(Loss::Random(0.0));
/// network.send(Duration::from_millis(20), vec![1, 2, 3]);
/// assert_eq!(network.arrival(Duration::from_millis(49)), None);
/// let arrival = network.arrival(Duration::from_millis(50)).unwrap();
/// assert_eq!((arrival.at, arrival.datagram), (Duration::from_millis(50), vec![1, 2, 3]));
/// ```
#[derive(Debug)]
pub struct Network {
    random: Random,
    delay: Delay,
    loss: Loss,
    duplicated: f64,
    reordered: f64,
    held_back: Duration,
    outages: Vec<Range<Duration>>,
    end: Duration,
    last: Duration,
    sent: u64,
    under_way: BinaryHeap<Reverse<Arrival>>,
}

/// A packet that has arrived.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// When.
    pub at: Duration,
    /// Its place among all that were sent.
    order: u64,
    /// What it is.
    pub datagram: Vec<u8>,
}

impl Arrival {
    /// Itself in a file: microseconds (8 bytes), size (2 bytes), both little-endian, and the datagram.
    pub fn record(&self) -> Vec<u8> {
        let at = (self.at.as_micros() as u64).to_le_bytes();
        [&at[..], &(self.datagram.len() as u16).to_le_bytes(), &self.datagram].concat()
    }
}

impl Network {
    /// A perfect network, whose faults, once there are any, `seed` determines.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            delay: Delay::Fixed(Duration::ZERO),
            loss: Loss::None,
            duplicated: 0.0,
            reordered: 0.0,
            held_back: Duration::ZERO,
            outages: vec![],
            end: Duration::MAX,
            last: Duration::ZERO,
            sent: 0,
            under_way: BinaryHeap::new(),
        }
    }

    /// A wired office.
    pub fn lan(seed: u64) -> Self {
        Self::new(seed).delay(Delay::Lan)
    }

    /// A busy Wi-Fi network, which loses 0.3 % for good.
    pub fn wifi(seed: u64) -> Self {
        Self::new(seed).delay(Delay::wifi()).loss(Loss::Random(0.003))
    }

    /// A phone on LTE in motion, which loses 0.5 % in short runs.
    pub fn mobile(seed: u64) -> Self {
        Self::new(seed).delay(Delay::mobile()).loss(Loss::bursts(0.005, 2.0))
    }

    /// How long packets are under way.
    #[must_use]
    pub fn delay(self, delay: Delay) -> Self {
        Self { delay, ..self }
    }

    /// Which packets are lost.
    #[must_use]
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// Share of the packets that arrives twice, the second time up to 30 ms later.
    #[must_use]
    pub fn duplication(self, share: f64) -> Self {
        Self { duplicated: share, ..self }
    }

    /// Holds back `share` of the packets for `held_back`, so that others overtake them.
    #[must_use]
    pub fn reordering(self, share: f64, held_back: Duration) -> Self {
        Self { reordered: share, held_back, ..self }
    }

    /// Loses everything that is sent in this time.
    #[must_use]
    pub fn outage(mut self, time: Range<Duration>) -> Self {
        self.outages.push(time);
        self
    }

    /// From `end` on the network is perfect.
    #[must_use]
    pub fn until(self, end: Duration) -> Self {
        Self { end, ..self }
    }

    /// Sends a packet. To be called in the order of sending.
    pub fn send(&mut self, at: Duration, datagram: Vec<u8>) {
        if at >= self.end {
            self.last = delay::in_order(at, self.last);
            return self.deliver(self.last, datagram);
        }
        let due = at + self.delay.of(at, &mut self.random);
        if self.loss.takes(&mut self.random) || self.outages.iter().any(|outage| outage.contains(&at)) {
            return;
        }
        if self.random.chance(self.duplicated) {
            let later = self.random.uniform(&(Duration::ZERO..Duration::from_millis(30)));
            self.deliver(due + later, datagram.clone());
        }
        if self.random.chance(self.reordered) {
            self.deliver(due + self.held_back, datagram);
        } else {
            self.last = delay::in_order(due, self.last);
            self.deliver(self.last, datagram);
        }
    }

    /// The next packet that has arrived by `until`.
    pub fn arrival(&mut self, until: Duration) -> Option<Arrival> {
        let Reverse(next) = self.under_way.peek()?;
        if next.at > until {
            return None;
        }
        self.under_way.pop().map(|Reverse(arrival)| arrival)
    }

    fn deliver(&mut self, at: Duration, datagram: Vec<u8>) {
        self.sent += 1;
        self.under_way.push(Reverse(Arrival { at, order: self.sent, datagram }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Sends packets 0 to `packets`, one each 20 ms, and returns arrival in ms and number of each.
    fn pass(mut network: Network, packets: u8) -> Vec<(u128, u8)> {
        (0..packets).for_each(|n| network.send(20 * MS * n.into(), vec![n]));
        let arrivals = std::iter::from_fn(|| network.arrival(Duration::MAX));
        arrivals.map(|arrival| (arrival.at.as_millis(), arrival.datagram[0])).collect()
    }

    #[test]
    fn jitter_alone_keeps_packets_in_order() {
        let arrivals = pass(Network::new(3).delay(Delay::Uniform(MS..100 * MS)), 200);
        assert!(arrivals.is_sorted_by_key(|&(_, number)| number));
        assert_eq!(arrivals.len(), 200);
    }

    #[test]
    fn packets_held_back_are_overtaken() {
        let arrivals = pass(Network::new(3).reordering(0.1, 45 * MS), 100);
        let overtaken = arrivals.iter().filter(|&&(at, number)| at == u128::from(number) * 20 + 45).count();
        assert!(!arrivals.is_sorted_by_key(|&(_, number)| number));
        assert!((4..20).contains(&overtaken), "{overtaken}");
        assert_eq!(arrivals.len(), 100);
    }

    #[test]
    fn an_outage_takes_what_is_sent_in_it() {
        let numbers: Vec<_> =
            pass(Network::new(3).outage(100 * MS..200 * MS), 20).iter().map(|a| a.1).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    }

    #[test]
    fn duplicates_come_soon_after() {
        let arrivals = pass(Network::new(3).duplication(1.0), 3);
        assert_eq!(arrivals.iter().filter(|arrival| arrival.1 == 1).count(), 2);
        assert!(arrivals.iter().all(|&(at, number)| at < u128::from(number) * 20 + 30));
    }

    #[test]
    fn one_seed_is_one_network() {
        let faulty = |seed| Network::wifi(seed).loss(Loss::Random(0.2)).duplication(0.1);
        assert_eq!(pass(faulty(5), 200), pass(faulty(5), 200));
        assert_ne!(pass(faulty(5), 200), pass(faulty(6), 200));
    }
}
