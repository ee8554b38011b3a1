//! Whether a source goes on to be heard, or is heard for the first time.

use crate::plan::{MixPlan, SourceId};

/// How a source comes to the ears of who hears it in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// As in the last tick.
    Still,
    /// For the first time: nothing that it said before is meant for them.
    Newly,
}

/// Tells of sources, legs and prompts that each ascend, how who has heard the base of `plan` at place `base` in the
/// last tick, or nothing, hears them now.
pub(crate) fn since(plan: &MixPlan, base: Option<usize>) -> impl FnMut(SourceId) -> Heard {
    let set = base.map(|base| &plan.bases()[base]);
    let mut legs = places(set.map(|set| &set.legs[..])).map(|place| plan.legs()[place]).peekable();
    let mut prompts = places(set.map(|set| &set.prompts[..])).map(|place| plan.prompts()[place]).peekable();
    move |source| {
        let known = match source {
            SourceId::Leg(id) => {
                while legs.next_if(|leg| *leg < id).is_some() {}
                legs.next_if_eq(&id).is_some()
            }
            SourceId::Prompt(id) => {
                while prompts.next_if(|prompt| *prompt < id).is_some() {}
                prompts.next_if_eq(&id).is_some()
            }
        };
        if known { Heard::Still } else { Heard::Newly }
    }
}

fn places(places: Option<&[usize]>) -> impl Iterator<Item = usize> {
    places.unwrap_or_default().iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{LegId, PromptId, SinkRoutes};

    #[test]
    fn what_a_base_had_in_it_is_still_heard_and_all_else_newly() {
        let [leg, prompt] = [|id| SourceId::Leg(LegId(id)), |id| SourceId::Prompt(PromptId(id))];
        let hears = vec![leg(3), leg(5), prompt(4)];
        let silent = [3, 5].map(|id| SinkRoutes { leg: LegId(id), hears: vec![prompt(9)] });
        let plan = MixPlan::compile(&[&[SinkRoutes { leg: LegId(1), hears }], &silent[..]].concat()).unwrap();
        let sources = [leg(1), leg(3), leg(4), leg(5), prompt(4), prompt(9)];
        let still = |base| {
            let mut heard = since(&plan, base);
            sources.into_iter().filter(|&source| heard(source) == Heard::Still).collect::<Vec<_>>()
        };
        assert_eq!(still(Some(0)), [leg(3), leg(5), prompt(4)]);
        assert_eq!(still(Some(1)), [leg(3), prompt(9)]);
        assert_eq!(still(None), []);
    }
}
