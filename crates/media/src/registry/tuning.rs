//! At which rate a bridge runs and what it encodes for several legs at once.

use mixminus_audio::SampleRate;
use mixminus_codec::{Encoding, Format};
use mixminus_mixer::{BridgeId, LegId, MixPlan};

use super::{BridgeRecord, Registry};

/// What an Opus encoder that listeners with some loss share is made for. Those
/// with much loss have their own.
const SHARED_LOSS_PERCENT: u8 = 10;

/// What follows from the formats of a bridge's legs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tuning {
    pub(super) rate: SampleRate,
    /// Ascending.
    pub(super) encodings: Vec<Encoding>,
}

impl Registry {
    /// The tuning for a bridge that is to follow `plan`, now that it is as
    /// `before`: the highest rate of its legs. Prompts that play in it must not
    /// pause, so until they are prepared for that rate it keeps its own.
    pub(super) fn tuning(&mut self, id: BridgeId, before: Option<&BridgeRecord>, plan: &MixPlan) -> Tuning {
        let formats = plan.legs().iter().filter_map(|leg| self.format(*leg));
        let wanted = formats.map(Format::sample_rate).max().unwrap_or(SampleRate::Hz8000);
        let unprepared = plan.prompts().iter().filter(|prompt| !self.prepare_playing(**prompt, id, wanted));
        let all_prepared = unprepared.count() == 0;
        let rate = before.map_or(wanted, |before| if all_prepared { wanted } else { before.tuning.rate });
        Tuning { rate, encodings: self.encodings(plan.legs()) }
    }

    /// Tunes the bridge of a leg anew, if its legs' formats ask for that.
    pub(super) fn retune_bridge_of(&mut self, leg: LegId) {
        if let Some(bridge) = self.legs.get(&leg).and_then(super::LegRecord::bridge) {
            self.retune(bridge);
        }
    }

    /// Tunes anew every bridge that has waited for a prompt to be prepared.
    pub(super) fn retune_all(&mut self) {
        let bridges: Vec<_> = self.bridges.keys().copied().collect();
        for bridge in bridges {
            self.retune(bridge);
        }
    }

    fn retune(&mut self, id: BridgeId) {
        let Some(bridge) = self.bridges.remove(&id) else { return };
        let tuning = self.tuning(id, Some(&bridge), &bridge.plan);
        let (is_tuned, plan) = (tuning == bridge.tuning, bridge.plan.clone());
        self.bridges.insert(id, bridge);
        if !is_tuned {
            self.install(id, plan);
        }
    }

    /// What several of these legs may want to be sent.
    fn encodings(&self, legs: &[LegId]) -> Vec<Encoding> {
        if legs.len() < 2 {
            return Vec::new();
        }
        let encodings = legs.iter().filter_map(|leg| self.legs.get(leg)).map(|leg| leg.parameters.encoding);
        let mut encodings: Vec<_> = encodings
            .flat_map(|encoding| [encoding, encoding.with_expected_loss(SHARED_LOSS_PERCENT)])
            .collect();
        encodings.sort_unstable();
        encodings.dedup();
        encodings
    }

    fn format(&self, leg: LegId) -> Option<Format> {
        self.legs.get(&leg).map(|leg| leg.parameters.format())
    }
}
