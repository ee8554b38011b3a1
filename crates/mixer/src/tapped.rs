//! What taps carry.

use crate::plan::{LegId, MixPlan, PlanError, SourceId};

/// One tap, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapId(pub u64);

/// What one channel of a tap carries, at the rate of the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TapChannel {
    /// What a source adds to the bridge: after its gain, before anybody is chosen to hear it.
    Source(SourceId),
    /// What a leg hears: its limited mix, before that goes to the rate of its format.
    Heard(LegId),
}

/// What one tap carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapRoutes {
    /// Which tap.
    pub tap: TapId,
    /// Its channels, in any order. A prompt that nobody hears is none: it is not played.
    pub channels: Vec<TapChannel>,
    /// Time goes on, and nothing at all is copied.
    pub paused: bool,
}

/// What a tap carries: each channel with the place of its leg or prompt in [`MixPlan::legs`] or [`MixPlan::prompts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TapSet {
    pub channels: Vec<(TapChannel, usize)>,
    pub paused: bool,
}

impl TapSet {
    /// What `routes` let their tap carry of `plan`.
    pub fn of(routes: &TapRoutes, plan: &MixPlan) -> Result<Self, PlanError> {
        let mut channels = Vec::with_capacity(routes.channels.len());
        for &channel in &routes.channels {
            match channel {
                TapChannel::Source(SourceId::Leg(leg)) | TapChannel::Heard(leg) => {
                    let place = plan.legs().binary_search(&leg);
                    let place = place.map_err(|_| PlanError::UnknownTapped(routes.tap, leg))?;
                    channels.push((channel, place));
                }
                TapChannel::Source(SourceId::Prompt(prompt)) => {
                    channels.extend(plan.prompts().binary_search(&prompt).ok().map(|place| (channel, place)));
                }
            }
        }
        channels.sort_unstable();
        channels.dedup();
        Ok(Self { channels, paused: routes.paused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{PromptId, SinkRoutes};

    #[test]
    fn a_tap_carries_legs_of_the_plan_and_prompts_that_are_heard() {
        let [heard, unheard] = [8, 9].map(|id| TapChannel::Source(SourceId::Prompt(PromptId(id))));
        let [said, mix] = [TapChannel::Source(SourceId::Leg(LegId(1))), TapChannel::Heard(LegId(1))];
        let plan =
            MixPlan::compile(&[SinkRoutes { leg: LegId(1), hears: vec![SourceId::Prompt(PromptId(8))] }])
                .unwrap();
        let taps = |tap, channels: &[TapChannel]| TapRoutes {
            tap: TapId(tap),
            channels: channels.to_vec(),
            paused: tap == 5,
        };
        let tapped =
            plan.clone().with_taps(&[taps(7, &[mix, unheard, said, heard, mix]), taps(5, &[])]).unwrap();
        assert_eq!(tapped.taps(), [TapId(5), TapId(7)]);
        assert_eq!(tapped.tap_routes(), [taps(5, &[]), taps(7, &[said, heard, mix])]);
        assert_eq!(tapped.routes(), plan.routes());
        let twice = plan.clone().with_taps(&[taps(5, &[]), taps(5, &[said])]);
        assert_eq!(twice, Err(PlanError::DuplicateTap(TapId(5))));
        for stranger in [TapChannel::Source(SourceId::Leg(LegId(2))), TapChannel::Heard(LegId(2))] {
            let refused = plan.clone().with_taps(&[taps(7, &[said, stranger])]);
            assert_eq!(refused, Err(PlanError::UnknownTapped(TapId(7), LegId(2))));
        }
    }
}
