//! What is going on at this instant, for whoever looks on: which conferences there are, who is inside,
//! who hears whom, and what has just happened.
//!
//! The exchange notes each row that changed and each bridge that was routed anew. A reader is woken, looks at
//! what is new to it, and asks media for what changes all the time.

mod scene;
mod tape;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mixminus_control::{
    AccountId, ConferenceId, ConferenceRecord, ConferenceState, ParticipantId, Switchboard, Timestamp,
};
use mixminus_media::{Media, Voice};
use mixminus_mixer::{BridgeId, LegId, MixPlan};
use mixminus_rtp::Statistics;
use mixminus_store::Batch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub use scene::{Hears, Inside, Scene, Seen};
pub use tape::{Happening, Missed, What};

use scene::Stage;
use tape::Tape;

/// Readers at once. Each costs a look at one conference ten times in a second.
const MAX_READERS: usize = 64;

/// Whoever knows what bridges do and what legs sound like.
pub trait Sounds: std::fmt::Debug + Send + Sync {
    /// The routing of a bridge.
    fn plan(&self, bridge: BridgeId) -> Option<MixPlan>;

    /// What the far ends of `legs` sound like, in their order.
    fn voices(&self, legs: &[LegId]) -> Vec<Option<Voice>>;

    /// What a leg's streams have been like.
    fn statistics(&self, leg: LegId) -> Option<Statistics>;
}

impl Sounds for Media {
    fn plan(&self, bridge: BridgeId) -> Option<MixPlan> {
        Self::plan(self, bridge)
    }

    fn voices(&self, legs: &[LegId]) -> Vec<Option<Voice>> {
        Self::voices(self, legs)
    }

    fn statistics(&self, leg: LegId) -> Option<Statistics> {
        Self::statistics(self, leg)
    }
}

/// What is going on, and what was.
#[derive(Debug)]
pub struct Live {
    sounds: Arc<dyn Sounds>,
    book: Mutex<Book>,
    changed: watch::Sender<u64>,
    places: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Book {
    conferences: HashMap<ConferenceId, Stage>,
    tape: Tape,
    /// Counts changes; each conference has the number of its last one.
    version: u64,
}

impl Live {
    /// Nothing yet; `sounds` is asked for what it sounds like.
    pub fn new(sounds: Arc<dyn Sounds>) -> Self {
        let places = Arc::new(Semaphore::new(MAX_READERS));
        Self { sounds, book: Mutex::default(), changed: watch::Sender::default(), places }
    }

    /// Takes over the rows of `batch`, which `switchboard` decided at `now`.
    pub fn note(&self, batch: &Batch, switchboard: &Switchboard, now: Timestamp) {
        if batch.conferences.is_empty() && batch.participants.is_empty() {
            return;
        }
        let mut book = self.book();
        // Who leaves a conference that ends leaves before its end.
        let ends = |record: &&ConferenceRecord| record.state == ConferenceState::Ended;
        let (ended, lasting): (Vec<_>, Vec<_>) = batch.conferences.iter().partition(ends);
        for record in lasting {
            book.note_conference(record, switchboard.bridge_of(record.id), now);
        }
        for record in &batch.participants {
            book.note_participant(record, switchboard.leg_of(record.call), now);
        }
        for record in ended {
            book.note_conference(record, None, now);
        }
        book.forget_ended();
        self.changed.send_replace(book.version);
    }

    /// Notes that a bridge has another plan.
    pub fn rerouted(&self, bridge: BridgeId) {
        let mut book = self.book();
        book.version += 1;
        let version = book.version;
        if let Some(stage) = book.conferences.values_mut().find(|stage| stage.bridge == bridge) {
            stage.version = version;
            self.changed.send_replace(version);
        }
    }

    /// A place among the readers; `None` if there is none left.
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Woken by each change; the value is the number of the last.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The live conferences for which `reaches` holds that changed after `version`.
    pub fn since(&self, version: u64, reaches: impl Fn(&AccountId) -> bool) -> Vec<Seen> {
        let book = self.book();
        let changed = book.conferences.values().filter(|stage| stage.version > version);
        changed.filter(|stage| reaches(&stage.record.account)).map(Stage::seen).collect()
    }

    /// Which conferences are live for which `reaches` holds.
    pub fn conferences(&self, reaches: impl Fn(&AccountId) -> bool) -> HashSet<ConferenceId> {
        let book = self.book();
        let live = book.conferences.iter().filter(|(_, stage)| reaches(&stage.record.account));
        live.map(|(id, _)| *id).collect()
    }

    /// What happened after number `sequence`, and the number of the last of it.
    ///
    /// # Errors
    ///
    /// [`Missed`] if some of it is forgotten.
    pub fn tape(
        &self,
        sequence: u64,
        reaches: impl Fn(&AccountId) -> bool,
    ) -> Result<(Vec<Happening>, u64), Missed> {
        self.book().tape.after(sequence, reaches)
    }

    /// What is remembered of what happened, as [`Self::tape`].
    pub fn remembered(&self, reaches: impl Fn(&AccountId) -> bool) -> (Vec<Happening>, u64) {
        self.book().tape.all(reaches)
    }

    /// Who is in a conference and hears whom; `None` if it is not live.
    pub fn scene(&self, conference: ConferenceId) -> Option<Scene> {
        let book = self.book();
        let stage = book.conferences.get(&conference)?;
        let (seen, bridge) = (stage.seen(), stage.bridge);
        let inside: Vec<_> = stage.inside.values().cloned().collect();
        drop(book);
        Some(Scene::new(seen, inside, self.sounds.plan(bridge).as_ref()))
    }

    /// What those inside sound like.
    pub fn voices(&self, scene: &Scene) -> Vec<(ParticipantId, Voice)> {
        let voices = self.sounds.voices(&scene.legs());
        let ids = scene.inside.iter().map(|one| one.record.id);
        ids.zip(voices).filter_map(|(id, voice)| Some((id, voice?))).collect()
    }

    /// What the streams of those inside have been like.
    pub fn statistics(&self, scene: &Scene) -> Vec<(ParticipantId, Statistics)> {
        let statistics = scene.inside.iter().map(|one| (one.record.id, self.sounds.statistics(one.leg)));
        statistics.filter_map(|(id, statistics)| Some((id, statistics?))).collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests;
