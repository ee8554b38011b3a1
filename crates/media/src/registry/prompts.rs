//! Where each prompt is.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use mixminus_audio::{Clip, SampleRate};
use mixminus_mixer::{BridgeId, Plays, Prompt, PromptId};

use super::{BridgePlace, BridgeRecord, Registry};
use crate::errand::Errand;

/// A prompt that has been made, or that a plan names.
#[derive(Debug, Default)]
pub(super) struct PromptRecord {
    /// The bridge whose plan named it last.
    named_by: Option<BridgeId>,
    place: Place,
    clip: Option<Arc<Clip>>,
    /// Nobody needs it any more.
    over: bool,
}

#[derive(Debug, Default)]
enum Place {
    /// A plan names it, but there is no audio yet.
    #[default]
    Awaited,
    /// Here.
    Home(Box<Prompt>),
    /// With the worker of this bridge.
    Placed(BridgeId),
    /// On its way home from a worker.
    Coming,
}

impl Registry {
    /// Takes the audio of a prompt. It starts where a plan names it. A prompt
    /// has its audio once; a second time changes nothing.
    pub(crate) fn play(&mut self, id: PromptId, clip: Arc<Clip>, plays: Plays) {
        let record = self.prompts.entry(id).or_default();
        if matches!(record.place, Place::Awaited) {
            record.place = Place::Home(Box::new(Prompt::new(id, Arc::clone(&clip), plays)));
            record.clip = Some(clip);
            self.settle_prompt(id);
        }
    }

    /// Silences and forgets a prompt, wherever it is.
    pub(crate) fn stop_prompt(&mut self, id: PromptId) {
        let Some(record) = self.prompts.get_mut(&id) else { return };
        record.over = true;
        if let Place::Placed(bridge) = record.place {
            record.place = Place::Coming;
            let BridgePlace { worker, slot } = self.bridges[&bridge].at;
            self.workers[worker].send(Errand::Stop { slot, prompt: id, found: None });
        }
        self.settle_prompt(id);
    }

    /// Notes that a prompt was heard to its end: it is forgotten once home.
    pub(crate) fn prompt_ended(&mut self, id: PromptId) {
        if let Some(record) = self.prompts.get_mut(&id) {
            record.over = true;
            self.settle_prompt(id);
        }
    }

    /// Has a prompt sound in a bridge that names it. One that another bridge
    /// still names goes on there, and comes here when that one lets it go.
    pub(super) fn summon_prompt(&mut self, id: PromptId, bridge: BridgeId) {
        self.prompts.entry(id).or_default().named_by = Some(bridge);
        self.settle_prompt(id);
    }

    /// Notes that a bridge does not name a prompt any more.
    pub(super) fn dismiss_prompt(&mut self, id: PromptId, bridge: BridgeId) {
        let Some(record) = self.prompts.get_mut(&id) else { return };
        if record.named_by == Some(bridge) {
            record.named_by = None;
        }
        if matches!(record.place, Place::Placed(placed) if placed == bridge) {
            record.place = Place::Coming;
        }
        self.settle_prompt(id);
    }

    /// Takes in a prompt that has come home.
    pub(super) fn welcome_prompt(&mut self, prompt: Box<Prompt>) {
        let id = prompt.id();
        let record = self.prompts.get_mut(&id).expect("a prompt is recorded until it has come home");
        record.place = Place::Home(prompt);
        self.settle_prompt(id);
    }

    /// Has a prompt prepared for `rate` if it plays in a bridge. Returns whether
    /// it is, or does not play there.
    pub(super) fn prepare_playing(&mut self, id: PromptId, bridge: BridgeId, rate: SampleRate) -> bool {
        match self.prompts.get(&id) {
            Some(PromptRecord { place: Place::Placed(placed), clip: Some(clip), .. })
                if *placed == bridge =>
            {
                self.clips.prepare(clip, rate)
            }
            _ => true,
        }
    }

    /// Sends every prompt that has waited for its audio on its way.
    pub(super) fn settle_all_prompts(&mut self) {
        let prompts: Vec<_> = self.prompts.keys().copied().collect();
        for prompt in prompts {
            self.settle_prompt(prompt);
        }
    }

    /// Sends a prompt that is here to the bridge that names it, once it is
    /// prepared for its rate, and forgets one that nobody needs.
    fn settle_prompt(&mut self, id: PromptId) {
        let Entry::Occupied(mut entry) = self.prompts.entry(id) else { return };
        let PromptRecord { named_by, place, over, clip } = entry.get_mut();
        match (&place, *named_by) {
            (Place::Home(_), _) if *over => drop(entry.remove()),
            (Place::Awaited, named_by) if *over || named_by.is_none() => drop(entry.remove()),
            (Place::Home(_), Some(bridge)) => {
                let BridgeRecord { at: BridgePlace { worker, slot }, tuning, .. } = &self.bridges[&bridge];
                let is_prepared = clip.as_ref().is_some_and(|clip| self.clips.prepare(clip, tuning.rate));
                if is_prepared && let Place::Home(prompt) = std::mem::replace(place, Place::Placed(bridge)) {
                    self.workers[*worker].send(Errand::Place { slot: *slot, prompt: Some(prompt) });
                }
            }
            _ => {}
        }
    }
}
