use std::collections::HashMap;
use std::time::Duration;

use mixminus_audio::Dbov;
use mixminus_control::{
    Application, Arrival, Command, ConferenceChange, ConferenceEvent, Effect, Input, Introduction, Limits,
    Members, ParticipantChange, RequestId, Selector, TimerId,
};
use mixminus_mixer::SourceId;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

/// Whose calls they are.
pub const ACCOUNT: &str = "MATEST00000000000000";

/// Keeps the plans that were installed; leg 1 talks.
#[derive(Debug, Default)]
pub struct Plans(Mutex<HashMap<BridgeId, MixPlan>>);

impl Sounds for Plans {
    fn plan(&self, bridge: BridgeId) -> Option<MixPlan> {
        self.0.lock().unwrap().get(&bridge).cloned()
    }

    fn voices(&self, legs: &[LegId]) -> Vec<Option<Voice>> {
        let voice = |leg: &LegId| Voice { level: Dbov(-20.0), talking: leg.0 == 1 };
        legs.iter().map(|leg| Some(voice(leg))).collect()
    }

    fn statistics(&self, _: LegId) -> Option<Statistics> {
        None
    }
}

/// A switchboard whose conferences are looked on at.
pub struct Stand {
    switchboard: Switchboard,
    pub live: Arc<Live>,
    plans: Arc<Plans>,
    now: Timestamp,
}

impl Stand {
    pub fn new() -> Self {
        let limits = Limits {
            max_calls: 10,
            max_conferences: 10,
            max_participants: 10,
            max_dials_per_s: 10,
            max_placed: 10,
        };
        let plans = Arc::<Plans>::default();
        Self {
            switchboard: Switchboard::new(limits, ParticipantId(1), StdRng::seed_from_u64(7)),
            live: Arc::new(Live::new(Arc::clone(&plans) as Arc<_>)),
            plans,
            now: Timestamp::from_micros(0),
        }
    }

    fn happens(&mut self, input: Input) {
        self.now = self.now + Duration::from_secs(1);
        let mut batch = Batch::default();
        for effect in self.switchboard.handle(input, self.now) {
            match effect {
                Effect::SaveConference(record) => batch.conferences.push(record),
                Effect::SaveParticipant(record) => batch.participants.push(record),
                Effect::Install(bridge, plan) => {
                    self.plans.0.lock().unwrap().insert(bridge, plan);
                    self.live.rerouted(bridge);
                }
                _ => {}
            }
        }
        self.live.note(&batch, &self.switchboard, self.now);
    }

    /// A call to `user` of the built-in application.
    pub fn call(&mut self, leg: u64, user: &str) {
        self.happens(Input::CallArrived(Arrival {
            leg: LegId(leg),
            account: AccountId(ACCOUNT.into()),
            from: format!("sip:{leg}@h"),
            to: format!("sip:{user}@h"),
            user: user.into(),
            application: Application::BuiltIn,
            introduction: Introduction::default(),
        }));
    }

    pub fn change(&mut self, change: ConferenceChange) {
        let command = Command::Conference(Selector::Name("support".into()), change);
        let (request, account) = (RequestId(1), AccountId(ACCOUNT.into()));
        self.happens(Input::Command { request, account, command });
    }

    fn scene(&self) -> Scene {
        let seen = self.live.since(0, |_| true);
        self.live.scene(seen[0].record.id).unwrap()
    }

    fn happened(&self) -> Vec<What> {
        self.live.remembered(|_| true).0.into_iter().map(|one| one.what).collect()
    }
}

fn hears(scene: &Scene) -> Vec<Vec<u64>> {
    scene.hears.iter().map(|hears| hears.participants.iter().map(|id| id.0).collect()).collect()
}

pub fn mute() -> ConferenceChange {
    let change = ParticipantChange { mute: Some(true), ..ParticipantChange::default() };
    ConferenceChange::Update(Members::Listed(vec![ParticipantId(1)]), change)
}

#[test]
fn who_hears_whom_is_what_the_installed_plan_says() {
    let mut stand = Stand::new();
    for (leg, user) in [(1, "support"), (2, "support.customer"), (3, "support.supervisor")] {
        stand.call(leg, user);
    }
    // The coach is heard by the agent only.
    assert_eq!(hears(&stand.scene()), [vec![2, 3], vec![1], vec![1, 2]]);
    stand.change(mute());
    assert_eq!(hears(&stand.scene()), [vec![2, 3], vec![], vec![2]]);

    let plan = MixPlan::compile(&[]).unwrap();
    stand.plans.0.lock().unwrap().values_mut().for_each(|installed| *installed = plan.clone());
    assert_eq!(hears(&stand.scene()), vec![Vec::<u64>::new(); 3]);
}

#[test]
fn sounds_are_counted_beside_those_inside() {
    let mut stand = Stand::new();
    stand.call(1, "support.customer");
    let plans: Vec<_> = stand.plans.0.lock().unwrap().values().cloned().collect();
    let heard = plans.iter().flat_map(MixPlan::routes).flat_map(|route| route.hears);
    let sounds = heard.filter(|source| matches!(source, SourceId::Prompt(_))).count();
    assert_eq!((stand.scene().hears[0].sounds, sounds), (1, 1), "music while it waits");
}

#[test]
fn what_happens_is_numbered_in_order_and_told_once() {
    use ConferenceEvent::{Ended, Initialized, Joined, Left, Muted, Started};
    let mut stand = Stand::new();
    stand.call(1, "support");
    stand.change(mute());
    stand.change(ConferenceChange::End);
    let expected = [Initialized, Started, Joined, Muted, Left, Ended].map(What::Event);
    assert_eq!(stand.happened(), expected);
    let (later, last) = stand.live.tape(4, |_| true).unwrap();
    assert_eq!((later.len(), later[0].sequence, last), (2, 5, 6));
    assert_eq!(stand.live.tape(4, |account| account.0 != ACCOUNT).unwrap(), (vec![], 6));
    assert_eq!(stand.live.since(0, |_| true), []);
}

#[test]
fn who_was_away_for_too_long_is_told_so() {
    let mut stand = Stand::new();
    stand.call(1, "support");
    for muted in (0..2000).map(|turn| turn % 2 == 0) {
        let change = ParticipantChange { mute: Some(muted), ..ParticipantChange::default() };
        stand.change(ConferenceChange::Update(Members::All, change));
    }
    assert_eq!(stand.live.tape(3, |_| true), Err(Missed));
    let (remembered, last) = stand.live.remembered(|_| true);
    assert_eq!((remembered.len(), last), (1024, 2003));
}

#[test]
fn a_reader_is_woken_by_what_changes_and_there_are_not_more_than_fit() {
    let mut stand = Stand::new();
    let seen = stand.live.subscribe();
    stand.happens(Input::Timer(TimerId(99)));
    assert!(!seen.has_changed().unwrap());
    stand.call(1, "support");
    assert!(seen.has_changed().unwrap());
    let version = *seen.borrow();
    assert_eq!((stand.live.since(version, |_| true).len(), stand.live.since(0, |_| true).len()), (0, 1));
    let places: Vec<_> = std::iter::from_fn(|| stand.live.admit()).collect();
    assert_eq!(places.len(), 64);
}
