//! What a worker hands its legs in a tick.

use std::sync::Arc;
use std::time::Duration;

use rtrb::Producer;

use crate::MediaEvent;
use crate::counters::{Traffic, WorkerCounters};
use crate::replay_log::WorkerLog;

/// Longest datagram that is looked at: an Ethernet frame. No leg's packet is
/// longer, and what is cut off is dropped as malformed.
const MAX_DATAGRAM_BYTES: usize = 1_500;

/// One tick of a worker, and where its legs put what it yields.
#[derive(Debug)]
pub(crate) struct Tick {
    /// When the tick was due.
    pub(crate) now: Duration,
    /// Its number, the same at all workers.
    pub(crate) number: u64,
    /// Working memory for one datagram.
    pub(crate) datagram: [u8; MAX_DATAGRAM_BYTES],
    /// What went over sockets in this tick.
    pub(crate) traffic: Traffic,
    events: Producer<MediaEvent>,
    counters: Arc<WorkerCounters>,
    reported: bool,
    /// Where what bridges are given and sent is written, if it is.
    pub(crate) log: Option<WorkerLog>,
    /// When the last lap ended.
    lapped: Duration,
}

impl Tick {
    pub(crate) fn new(events: Producer<MediaEvent>, counters: Arc<WorkerCounters>) -> Self {
        Self {
            now: Duration::ZERO,
            number: 0,
            datagram: [0; MAX_DATAGRAM_BYTES],
            traffic: Traffic::default(),
            events,
            counters,
            reported: false,
            log: None,
            lapped: Duration::ZERO,
        }
    }

    /// The same, with a log.
    pub(crate) fn with_log(self, log: Option<WorkerLog>) -> Self {
        Self { log, ..self }
    }

    /// Ends a lap at `now`; how long it took.
    pub(crate) fn lap(&mut self, now: Duration) -> Duration {
        now.saturating_sub(std::mem::replace(&mut self.lapped, now))
    }

    /// Tells the control side; when it does not listen, the event is lost and
    /// counted.
    pub(crate) fn report(&mut self, event: MediaEvent) {
        if !self.offer(event) {
            self.counters.event_lost();
        }
    }

    /// Tells the control side if it listens; otherwise the event is to be
    /// offered again in the next tick.
    pub(crate) fn offer(&mut self, event: MediaEvent) -> bool {
        let taken = self.events.push(event).is_ok();
        self.reported |= taken;
        taken
    }

    /// Whether anything was reported since the last call.
    pub(crate) fn take_reported(&mut self) -> bool {
        std::mem::take(&mut self.reported)
    }
}

#[cfg(test)]
mod tests {
    use mixminus_mixer::PromptId;
    use rtrb::RingBuffer;

    use super::*;
    use crate::MediaCounters;

    #[test]
    fn an_event_that_nobody_has_room_for_is_counted() {
        let (events, _unread) = RingBuffer::new(1);
        let counters = Arc::<WorkerCounters>::default();
        let mut tick = Tick::new(events, Arc::clone(&counters));
        assert!(!tick.take_reported());
        let event = MediaEvent::PromptEnded { prompt: PromptId(1) };
        for _ in 0..3 {
            tick.report(event);
        }
        assert!(!tick.offer(event), "it may be offered again, so it is not lost");
        assert!(tick.take_reported() && !tick.take_reported());
        let mut total = MediaCounters::default();
        counters.add_to(&mut total);
        assert_eq!(total.events_lost, 2);
    }
}
