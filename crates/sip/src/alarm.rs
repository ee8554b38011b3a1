//! What a call has to do at a later time.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// The session has to be refreshed by us.
    Refresh,
    /// Nobody refreshed the session.
    Expired,
    /// A provisional response was not confirmed yet.
    Resend,
    /// It never was.
    Unconfirmed,
    /// The far end, whose transfer succeeded, did not hang up.
    NoFarewell,
}

/// One time at most for each kind of alarm.
#[derive(Default)]
pub(crate) struct Alarms(Vec<(Alarm, Pin<Box<Sleep>>)>);

impl Alarms {
    /// Sets an alarm, or puts off one that was set before.
    pub(crate) fn set(&mut self, alarm: Alarm, after: Duration) {
        self.clear(alarm);
        self.0.push((alarm, Box::pin(sleep(after))));
    }

    pub(crate) fn clear(&mut self, alarm: Alarm) {
        self.0.retain(|(set, _)| *set != alarm);
    }

    /// Waits for the next alarm; for ever without one.
    pub(crate) async fn next(&mut self) -> Alarm {
        poll_fn(|context| {
            let due = self.0.iter_mut().position(|(_, sleep)| sleep.as_mut().poll(context).is_ready());
            due.map_or(Poll::Pending, |index| Poll::Ready(self.0.swap_remove(index).0))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_that_is_put_off_rings_once() {
        let mut alarms = Alarms::default();
        alarms.set(Alarm::Refresh, Duration::ZERO);
        alarms.set(Alarm::Resend, Duration::ZERO);
        alarms.set(Alarm::Expired, Duration::from_millis(1));
        alarms.set(Alarm::Refresh, Duration::from_millis(50));
        alarms.clear(Alarm::Resend);
        assert_eq!((alarms.next().await, alarms.next().await), (Alarm::Expired, Alarm::Refresh));
        assert!(alarms.0.is_empty());
    }
}
