//! Where each prompt is.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use mixminus_audio::{Clip, SampleRate};
use mixminus_mixer::{BridgeId, LIVE_PARTS, MAX_PARTS, Plays, Prompt, PromptId};

use super::{BridgePlace, BridgeRecord, Registry};
use crate::errand::{Errand, Slot};

/// A prompt that has been made, or that a plan names.
#[derive(Debug, Default)]
pub(super) struct PromptRecord {
    /// The bridge whose plan named it last.
    named_by: Option<BridgeId>,
    place: Place,
    /// What it plays, each once: what has to be there at a bridge's rate.
    clips: Vec<Arc<Clip>>,
    /// Parts that it has not got yet; the last is none when all are here.
    coming: VecDeque<Option<Arc<Clip>>>,
    /// Whether it keeps only what is about to be heard, and nothing that nobody hears.
    live: bool,
    /// Whether what it has when it comes home is not to be heard any more.
    missed: bool,
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
            record.clips.push(clip);
            self.settle_prompt(id);
        }
    }

    /// Begins a prompt that gets its audio later.
    pub(crate) fn begin(&mut self, id: PromptId, plays: Plays) {
        let record = self.prompts.entry(id).or_default();
        if matches!(record.place, Place::Awaited) {
            record.place = Place::Home(Box::new(Prompt::growing(id, plays)));
            self.settle_prompt(id);
        }
    }

    /// Begins a prompt without end.
    pub(crate) fn begin_live(&mut self, id: PromptId) {
        let record = self.prompts.entry(id).or_default();
        if matches!(record.place, Place::Awaited) {
            record.place = Place::Home(Box::new(Prompt::live(id)));
            record.live = true;
            self.settle_prompt(id);
        }
    }

    /// Takes the next part of a prompt, or that there is none any more.
    pub(crate) fn append(&mut self, id: PromptId, part: Option<Arc<Clip>>) {
        let Some(record) = self.prompts.get_mut(&id) else { return };
        if record.live && record.named_by.is_none() {
            return;
        }
        // One more than it takes says that all are here.
        if part.is_none() || record.coming.len() < MAX_PARTS {
            record.coming.push_back(part);
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
            record.miss();
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
        if record.missed {
            record.miss();
        }
        self.settle_prompt(id);
    }

    /// Has a prompt prepared for `rate` if it plays in a bridge. Returns whether
    /// it is, or does not play there.
    pub(super) fn prepare_playing(&mut self, id: PromptId, bridge: BridgeId, rate: SampleRate) -> bool {
        match self.prompts.get(&id) {
            Some(PromptRecord { place: Place::Placed(placed), clips, .. }) if *placed == bridge => {
                self.clips.prepare_all(clips, rate)
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
    /// prepared for its rate, and forgets one that nobody needs. Where it is, it
    /// gets the parts that have come for it.
    fn settle_prompt(&mut self, id: PromptId) {
        let Entry::Occupied(mut entry) = self.prompts.entry(id) else { return };
        let record = entry.get_mut();
        match (&record.place, record.named_by) {
            (Place::Home(_), _) if record.over => drop(entry.remove()),
            (Place::Awaited, named_by) if record.over || named_by.is_none() => drop(entry.remove()),
            (Place::Home(_), Some(bridge)) => {
                let BridgeRecord { at: BridgePlace { worker, slot }, tuning, .. } = &self.bridges[&bridge];
                if let Some(prompt) =
                    record.depart(bridge, |clips| self.clips.prepare_all(clips, tuning.rate))
                {
                    self.workers[*worker].send(Errand::Place { slot: *slot, prompt: Some(prompt) });
                }
            }
            (Place::Placed(bridge), _) => {
                let BridgeRecord { at: BridgePlace { worker, slot }, tuning, .. } = &self.bridges[bridge];
                let mut is_prepared = |clip: &_| self.clips.prepare(clip, tuning.rate);
                while let Some(errand) = record.next_part(*slot, id, &mut is_prepared) {
                    self.workers[*worker].send(errand);
                }
            }
            _ => {}
        }
    }
}

impl PromptRecord {
    /// Lets go of what a live prompt was to let somebody hear, here or once it is here.
    fn miss(&mut self) {
        if !self.live {
            return;
        }
        self.missed = !matches!(self.place, Place::Home(_));
        if let Place::Home(prompt) = &mut self.place {
            **prompt = Prompt::live(prompt.id());
            self.clips.clear();
            self.coming.clear();
        }
    }

    /// The prompt, if it is here, with all parts that have come, once they `are_prepared`: on its way to `bridge`.
    fn depart(
        &mut self,
        bridge: BridgeId,
        are_prepared: impl FnOnce(&[Arc<Clip>]) -> bool,
    ) -> Option<Box<Prompt>> {
        let Place::Home(prompt) = &mut self.place else { return None };
        for part in self.coming.drain(..) {
            match part {
                Some(clip) => {
                    know(&mut self.clips, &clip, self.live);
                    drop(prompt.append(clip));
                }
                None => prompt.complete(),
            }
        }
        if !are_prepared(&self.clips) {
            return None;
        }
        let Place::Home(prompt) = std::mem::replace(&mut self.place, Place::Placed(bridge)) else {
            return None;
        };
        Some(prompt)
    }

    /// Brings the prompt what it has not got yet, the first to come, once that `is_prepared`.
    fn next_part(
        &mut self,
        slot: Slot,
        prompt: PromptId,
        is_prepared: impl FnOnce(&Arc<Clip>) -> bool,
    ) -> Option<Errand> {
        let part = self.coming.pop_front_if(|part| part.as_ref().is_none_or(is_prepared))?;
        if let Some(clip) = &part {
            know(&mut self.clips, clip, self.live);
        }
        Some(Errand::Append { slot, prompt, part })
    }
}

/// Notes that `clip` is one of `clips`. Of those that are played over and over the last ones come again; of those that
/// are more than a prompt keeps, the first ones were played for the last time.
fn know(clips: &mut Vec<Arc<Clip>>, clip: &Arc<Clip>, live: bool) {
    if !clips.iter().rev().any(|known| Arc::ptr_eq(known, clip)) {
        if clips.len() == if live { LIVE_PARTS } else { MAX_PARTS } {
            clips.remove(0);
        }
        clips.push(Arc::clone(clip));
    }
}
