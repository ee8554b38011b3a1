//! The thread that takes home what the workers are done with, and passes on
//! what they report.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rtrb::Consumer;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::MediaEvent;
use crate::errand::Errand;
use crate::registry::SharedRegistry;

/// How soon it looks again whether a full event channel has room.
const RETRY: Duration = Duration::from_millis(10);

/// What one worker sends.
#[derive(Debug)]
pub(crate) struct FromWorker {
    /// What is done.
    pub(crate) done: Consumer<Box<Errand>>,
    /// What happens.
    pub(crate) events: Consumer<MediaEvent>,
}

/// Woken by a worker (one futex call, and only when asleep), so it costs
/// nothing while nothing happens.
#[derive(Debug)]
pub(crate) struct Janitor {
    pub(crate) workers: Vec<FromWorker>,
    pub(crate) registry: Arc<SharedRegistry>,
    pub(crate) events: Sender<MediaEvent>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Janitor {
    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        loop {
            self.take_home();
            let all_passed_on = self.pass_on();
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            if all_passed_on { thread::park() } else { thread::park_timeout(RETRY) }
        }
    }

    fn take_home(&mut self) {
        let mut registry = self.registry.lock();
        for worker in &mut self.workers {
            for _ in 0..worker.done.slots() {
                let Ok(mut errand) = worker.done.pop() else { break };
                registry.welcome(&mut errand);
            }
        }
        registry.flush();
    }

    /// Returns whether nothing is left for want of room. What is left waits
    /// in the worker's ring, which counts what it cannot take.
    fn pass_on(&mut self) -> bool {
        for worker in &mut self.workers {
            while !worker.events.is_empty() {
                let room = match self.events.try_reserve() {
                    Ok(room) => Some(room),
                    Err(TrySendError::Full(())) => return false,
                    Err(TrySendError::Closed(())) => None,
                };
                let Ok(event) = worker.events.pop() else { break };
                if let MediaEvent::PromptEnded { prompt } = event {
                    self.registry.lock().prompt_ended(prompt);
                }
                if let Some(room) = room {
                    room.send(event);
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use mixminus_mixer::PromptId;
    use rtrb::RingBuffer;
    use tokio::sync::mpsc;

    use super::*;
    use crate::MediaConfig;
    use crate::registry::Registry;

    fn ended(prompt: u64) -> MediaEvent {
        MediaEvent::PromptEnded { prompt: PromptId(prompt) }
    }

    #[test]
    fn events_wait_for_room_in_order() {
        let config = MediaConfig {
            bind_ip: Ipv4Addr::LOCALHOST.into(),
            ports: 20_000..=20_001,
            workers: 1,
            media_timeout: Duration::from_secs(1),
            max_legs: 1,
            max_busy_percent: 70,
            replay_log: None,
        };
        let (mut reported, from_events) = RingBuffer::new(4);
        let (_done, from_done) = RingBuffer::new(1);
        let (events, mut received) = mpsc::channel(2);
        let mut janitor = Janitor {
            workers: vec![FromWorker { done: from_done, events: from_events }],
            registry: Arc::new(SharedRegistry::new(Registry::new(config).unwrap())),
            events,
            stop: Arc::default(),
        };
        for prompt in [1, 2, 3] {
            reported.push(ended(prompt)).unwrap();
        }
        assert!(!janitor.pass_on());
        assert_eq!(received.try_recv(), Ok(ended(1)));
        assert!(janitor.pass_on());
        assert_eq!(received.try_recv(), Ok(ended(2)));
        assert_eq!(received.try_recv(), Ok(ended(3)));
        drop(received);
        reported.push(ended(4)).unwrap();
        assert!(janitor.pass_on() && janitor.workers[0].events.is_empty());
    }
}
