//! Whether there is room for another call.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mixminus_media::{Load, Media};

use crate::http::{Exposition, Measured};

/// Whoever knows how busy the media workers are.
pub trait Workers: Debug + Send + Sync {
    /// Whether there is time for another call.
    fn has_room(&self) -> bool;

    /// How busy each worker has been of late.
    fn load(&self) -> Load;
}

impl Workers for Media {
    fn has_room(&self) -> bool {
        Self::has_room(self)
    }

    fn load(&self) -> Load {
        Self::load(self)
    }
}

/// Refuses whole calls before those inside lose anything.
#[derive(Clone, Debug)]
pub struct Admission {
    workers: Arc<dyn Workers>,
    refused: Arc<AtomicU64>,
}

impl Admission {
    /// Takes calls as long as `workers` have room.
    pub fn new(workers: Arc<dyn Workers>) -> Self {
        Self { workers, refused: Arc::default() }
    }

    /// Whether another call would be taken.
    pub fn has_room(&self) -> bool {
        self.workers.has_room()
    }

    /// Whether a call that arrived is taken.
    pub fn admit(&self) -> bool {
        let admitted = self.has_room();
        if !admitted {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }
}

impl Measured for Admission {
    fn measure(&self, out: &mut Exposition) {
        let refused = self.refused.load(Ordering::Relaxed);
        out.counter("calls_shed_total", "Calls refused since a media worker was too busy.", refused);
        let load = self.workers.load();
        let workers = || load.workers.iter().enumerate();
        let busy = workers().map(|(index, worker)| (index, worker.busy));
        out.gauges("media_worker_busy_ratio", "Share of its time that a worker needs.", "worker", busy);
        let legs = workers().map(|(index, worker)| (index, worker.legs));
        out.gauges("media_worker_legs", "Legs that a worker has.", "worker", legs);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::AtomicBool;

    use mixminus_media::WorkerLoad;

    use super::*;

    /// One worker, which has room until the test says otherwise.
    #[derive(Debug, Default)]
    pub struct Crowd(pub AtomicBool);

    impl Workers for Crowd {
        fn has_room(&self) -> bool {
            !self.0.load(Ordering::Relaxed)
        }

        fn load(&self) -> Load {
            Load { workers: vec![WorkerLoad { busy: 0.25, legs: 7, ..WorkerLoad::default() }] }
        }
    }

    #[test]
    fn calls_that_are_refused_are_counted() {
        let crowd = Arc::<Crowd>::default();
        let admission = Admission::new(Arc::clone(&crowd) as Arc<_>);
        assert!(admission.admit());
        crowd.0.store(true, Ordering::Relaxed);
        assert!(!admission.has_room() && !admission.admit());
        let mut out = Exposition::default();
        admission.measure(&mut out);
        let text = out.into_text();
        for line in [
            "mixminus_calls_shed_total 1",
            "mixminus_media_worker_busy_ratio{worker=\"0\"} 0.25",
            "mixminus_media_worker_legs{worker=\"0\"} 7",
        ] {
            assert!(text.lines().any(|said| said == line), "{text}");
        }
    }
}
