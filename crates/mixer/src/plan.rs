//! The compiled routing of a bridge.

use std::collections::HashMap;

use crate::tapped::{TapId, TapRoutes, TapSet};

/// One leg, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

/// One prompt, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PromptId(pub u64);

/// One bridge, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BridgeId(pub u64);

/// Anything that adds audio to a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// A leg's far end.
    Leg(LegId),
    /// A prompt.
    Prompt(PromptId),
}

/// What one leg hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkRoutes {
    /// The leg that listens.
    pub leg: LegId,
    /// Every source that reaches it, in any order.
    pub hears: Vec<SourceId>,
}

/// Why routes do not make a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A leg is listed as sink twice.
    #[error("leg {0:?} is listed twice")]
    DuplicateSink(LegId),
    /// A leg would hear itself.
    #[error("leg {0:?} would hear itself")]
    HearsItself(LegId),
    /// A leg is heard that is not in the bridge.
    #[error("leg {0:?} is heard but is no sink")]
    UnknownSource(LegId),
    /// More legs and prompts than a sum can hold.
    #[error("{0} sources, at most {MAX_SOURCES} can be summed")]
    TooManySources(usize),
    /// A tap is listed twice.
    #[error("tap {0:?} is listed twice")]
    DuplicateTap(TapId),
    /// A tap carries a leg that is not in the bridge.
    #[error("tap {0:?} carries leg {1:?}, which is no sink")]
    UnknownTapped(TapId, LegId),
}

/// Most legs and prompts of one plan: so many `i16` fit an `i32` sum, whatever they are.
pub const MAX_SOURCES: usize = 65_535;

/// The compiled, immutable routing of a bridge.
///
/// Sinks are grouped by *base*: what a sink hears, and itself if anybody hears it. In a room where
/// all hear all there is one base, and each sink hears it minus its own contribution; so a plan
/// takes as much memory as the room has legs, not as it has routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixPlan {
    legs: Vec<LegId>,
    prompts: Vec<PromptId>,
    /// One for each leg, in the order of `legs`.
    sinks: Vec<Sink>,
    bases: Vec<BaseSet>,
    taps: Vec<TapId>,
    /// One for each tap, in the order of `taps`.
    tapped: Vec<TapSet>,
}

/// Where a leg's mix comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sink {
    /// Which base, by its place in [`MixPlan::bases`].
    pub base: usize,
    /// Whether the base has the leg's own contribution in it.
    pub in_base: bool,
}

/// The sources of a base, ascending, by their places in [`MixPlan::legs`] and [`MixPlan::prompts`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct BaseSet {
    pub legs: Vec<usize>,
    pub prompts: Vec<usize>,
}

impl MixPlan {
    /// Compiles `routes`: one entry for each leg of the bridge, in any order.
    ///
    /// # Errors
    ///
    /// [`PlanError`] when the routes contradict each other.
    pub fn compile(routes: &[SinkRoutes]) -> Result<Self, PlanError> {
        let mut routes: Vec<&SinkRoutes> = routes.iter().collect();
        routes.sort_unstable_by_key(|route| route.leg);
        let legs = distinct_legs(&routes)?;
        let prompts = all_prompts(&routes);
        if legs.len() + prompts.len() > MAX_SOURCES {
            return Err(PlanError::TooManySources(legs.len() + prompts.len()));
        }
        let mut heard = vec![false; legs.len()];
        let mut sets = Vec::with_capacity(legs.len());
        for route in routes {
            let set = BaseSet::of(route, &legs, &prompts)?;
            set.legs.iter().for_each(|&leg| heard[leg] = true);
            sets.push(set);
        }
        let (sinks, bases) = group(sets, &heard);
        Ok(Self { legs, prompts, sinks, bases, taps: Vec::new(), tapped: Vec::new() })
    }

    /// The same plan with these taps, in any order, and no others. They change nothing that anybody hears. A channel
    /// with a prompt that nobody hears is left out, as that prompt is not played.
    ///
    /// # Errors
    ///
    /// [`PlanError`] when a tap is listed twice or carries a leg that is not in the plan.
    pub fn with_taps(mut self, taps: &[TapRoutes]) -> Result<Self, PlanError> {
        let mut taps: Vec<&TapRoutes> = taps.iter().collect();
        taps.sort_unstable_by_key(|routes| routes.tap);
        if let Some(pair) = taps.windows(2).find(|pair| pair[0].tap == pair[1].tap) {
            return Err(PlanError::DuplicateTap(pair[0].tap));
        }
        self.tapped = taps.iter().map(|routes| TapSet::of(routes, &self)).collect::<Result<_, _>>()?;
        self.taps = taps.iter().map(|routes| routes.tap).collect();
        Ok(self)
    }

    /// The legs of the bridge, ascending.
    pub fn legs(&self) -> &[LegId] {
        &self.legs
    }

    /// The prompts that somebody hears, ascending.
    pub fn prompts(&self) -> &[PromptId] {
        &self.prompts
    }

    /// Whether `source` reaches `sink`; never, if the plan does not name them.
    pub fn hears(&self, sink: LegId, source: SourceId) -> bool {
        let Ok(place) = self.legs.binary_search(&sink) else {
            return false;
        };
        let base = &self.bases[self.sinks[place].base];
        match source {
            SourceId::Leg(leg) if leg == sink => false,
            SourceId::Leg(leg) => contains(&base.legs, self.legs.binary_search(&leg)),
            SourceId::Prompt(prompt) => contains(&base.prompts, self.prompts.binary_search(&prompt)),
        }
    }

    /// Routes that compile to this plan.
    pub fn routes(&self) -> Vec<SinkRoutes> {
        let routes = |(place, (&leg, sink)): (usize, (&LegId, &Sink))| {
            let BaseSet { legs, prompts } = &self.bases[sink.base];
            let legs = legs.iter().filter(|&&other| other != place).map(|&leg| SourceId::Leg(self.legs[leg]));
            let prompts = prompts.iter().map(|&prompt| SourceId::Prompt(self.prompts[prompt]));
            SinkRoutes { leg, hears: legs.chain(prompts).collect() }
        };
        self.legs.iter().zip(&self.sinks).enumerate().map(routes).collect()
    }

    /// The taps, ascending.
    pub fn taps(&self) -> &[TapId] {
        &self.taps
    }

    /// What each tap carries, in the order of [`Self::taps`], its channels ascending.
    pub fn tap_routes(&self) -> Vec<TapRoutes> {
        let taps = self.taps.iter().zip(&self.tapped);
        let routes = |(&tap, TapSet { channels, paused }): (&TapId, &TapSet)| {
            let channels = channels.iter().map(|&(channel, _)| channel).collect();
            TapRoutes { tap, channels, paused: *paused }
        };
        taps.map(routes).collect()
    }

    /// One for each tap, in the order of [`Self::taps`].
    pub(crate) fn tapped(&self) -> &[TapSet] {
        &self.tapped
    }

    /// One for each leg, in the order of [`Self::legs`].
    pub(crate) fn sinks(&self) -> &[Sink] {
        &self.sinks
    }

    pub(crate) fn bases(&self) -> &[BaseSet] {
        &self.bases
    }
}

impl BaseSet {
    /// What `route` lets its leg hear.
    fn of(route: &SinkRoutes, legs: &[LegId], prompts: &[PromptId]) -> Result<Self, PlanError> {
        let mut set = Self::default();
        for source in &route.hears {
            match source {
                SourceId::Leg(leg) if *leg == route.leg => return Err(PlanError::HearsItself(*leg)),
                SourceId::Leg(leg) => {
                    let place = find(leg, legs, &set.legs).ok_or(PlanError::UnknownSource(*leg))?;
                    set.legs.push(place);
                }
                SourceId::Prompt(prompt) => {
                    let place =
                        find(prompt, prompts, &set.prompts).expect("prompts were collected from the routes");
                    set.prompts.push(place);
                }
            }
        }
        for places in [&mut set.legs, &mut set.prompts] {
            places.sort_unstable();
            places.dedup();
        }
        Ok(set)
    }
}

/// The place of `id` in `sorted`. Routes mostly come in order, so the place after the last one `found` is
/// tried first; for a thousand legs that takes a third off the time of a plan.
fn find<I: Ord>(id: &I, sorted: &[I], found: &[usize]) -> Option<usize> {
    let next = found.last().map_or(0, |last| last + 1);
    if sorted.get(next) == Some(id) { Some(next) } else { sorted.binary_search(id).ok() }
}

fn distinct_legs(sorted: &[&SinkRoutes]) -> Result<Vec<LegId>, PlanError> {
    match sorted.windows(2).find(|pair| pair[0].leg == pair[1].leg) {
        Some(pair) => Err(PlanError::DuplicateSink(pair[0].leg)),
        None => Ok(sorted.iter().map(|route| route.leg).collect()),
    }
}

fn all_prompts(routes: &[&SinkRoutes]) -> Vec<PromptId> {
    let sources = routes.iter().flat_map(|route| &route.hears);
    let mut prompts: Vec<_> = sources
        .filter_map(|source| match source {
            SourceId::Prompt(prompt) => Some(*prompt),
            SourceId::Leg(_) => None,
        })
        .collect();
    prompts.sort_unstable();
    prompts.dedup();
    prompts
}

/// Gives each sink, in order, the base it shares with all whose set is the same.
fn group(sets: Vec<BaseSet>, heard: &[bool]) -> (Vec<Sink>, Vec<BaseSet>) {
    let mut places = HashMap::new();
    let mut sinks = Vec::with_capacity(sets.len());
    for (leg, mut set) in sets.into_iter().enumerate() {
        let in_base = heard[leg];
        if in_base {
            set.legs.insert(set.legs.partition_point(|&other| other < leg), leg);
        }
        let next = places.len();
        let base = *places.entry(set).or_insert(next);
        sinks.push(Sink { base, in_base });
    }
    let mut bases: Vec<_> = places.into_iter().collect();
    bases.sort_unstable_by_key(|&(_, place)| place);
    (sinks, bases.into_iter().map(|(set, _)| set).collect())
}

fn contains(places: &[usize], place: Result<usize, usize>) -> bool {
    place.is_ok_and(|place| places.binary_search(&place).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(id: u64) -> SourceId {
        SourceId::Leg(LegId(id))
    }

    fn hears(id: u64, hears: &[SourceId]) -> SinkRoutes {
        SinkRoutes { leg: LegId(id), hears: hears.to_vec() }
    }

    fn bases(routes: &[SinkRoutes]) -> Vec<(usize, bool)> {
        let plan = MixPlan::compile(routes).unwrap();
        plan.sinks().iter().map(|sink| (sink.base, sink.in_base)).collect()
    }

    #[test]
    fn a_room_where_all_hear_all_has_one_base() {
        let others = |id| (0..300).filter(|&other| other != id).map(leg).collect();
        let routes: Vec<_> = (0..300).map(|id| SinkRoutes { leg: LegId(id), hears: others(id) }).collect();
        let plan = MixPlan::compile(&routes).unwrap();
        assert_eq!(plan.bases, [BaseSet { legs: (0..300).collect(), prompts: vec![] }]);
        assert!(plan.sinks.iter().all(|sink| sink.in_base));
    }

    #[test]
    fn a_coached_agent_has_a_base_with_the_coach_and_the_customer_one_without() {
        let (coach, agent, customer) = (leg(1), leg(2), leg(3));
        let routes = [hears(1, &[agent, customer]), hears(2, &[coach, customer]), hears(3, &[agent])];
        assert_eq!(bases(&routes), [(0, true), (0, true), (1, true)]);
    }

    #[test]
    fn who_is_heard_by_nobody_listens_to_the_base_of_the_others() {
        let routes = [hears(1, &[leg(2)]), hears(2, &[leg(1)]), hears(3, &[leg(1), leg(2)])];
        assert_eq!(bases(&routes), [(0, true), (0, true), (0, false)]);
    }

    #[test]
    fn a_plan_tells_the_routes_it_came_from() {
        let prompt = SourceId::Prompt(PromptId(9));
        let routes = [hears(1, &[leg(2), prompt]), hears(2, &[leg(1), leg(3)]), hears(3, &[])];
        assert_eq!(MixPlan::compile(&routes).unwrap().routes(), routes);
    }

    #[test]
    fn neither_order_nor_repetition_matters() {
        let sorted = [hears(1, &[leg(2), leg(3)]), hears(2, &[leg(1)]), hears(3, &[])];
        let shuffled = [hears(3, &[]), hears(1, &[leg(3), leg(2), leg(3)]), hears(2, &[leg(1), leg(1)])];
        assert_eq!(MixPlan::compile(&sorted), MixPlan::compile(&shuffled));
    }

    #[test]
    fn whom_the_plan_does_not_name_hears_nobody_and_is_not_heard() {
        let plan = MixPlan::compile(&[hears(1, &[]), hears(2, &[leg(1)])]).unwrap();
        assert!(plan.hears(LegId(2), leg(1)));
        assert!(!plan.hears(LegId(9), leg(1)));
        assert!(!plan.hears(LegId(2), leg(9)));
        assert!(!plan.hears(LegId(2), SourceId::Prompt(PromptId(1))));
    }

    #[test]
    fn contradictions_are_refused() {
        let compile = |routes: &[SinkRoutes]| MixPlan::compile(routes).unwrap_err();
        assert_eq!(compile(&[hears(1, &[leg(1)])]), PlanError::HearsItself(LegId(1)));
        assert_eq!(compile(&[hears(1, &[]), hears(1, &[])]), PlanError::DuplicateSink(LegId(1)));
        assert_eq!(compile(&[hears(1, &[leg(2)])]), PlanError::UnknownSource(LegId(2)));
    }

    #[test]
    fn no_more_sources_than_an_i32_can_sum() {
        let prompts = |count| (0..count).map(|id| SourceId::Prompt(PromptId(id))).collect::<Vec<_>>();
        let room = |count| MixPlan::compile(&[hears(1, &prompts(count))]);
        assert!(room(65_534).is_ok());
        assert_eq!(room(65_535), Err(PlanError::TooManySources(65_536)));
        assert!(MAX_SOURCES as i64 * i64::from(i16::MIN) >= i64::from(i32::MIN));
    }
}
