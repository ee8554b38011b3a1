//! Random lives of a whole switchboard: calls come and are placed, far ends do
//! what they like, documents come late, twice or not at all, clients ask for
//! anything at any time. After every step the books balance, nobody hears whom
//! they must not, and what was refused changed nothing; after the last one
//! nothing is left.

#![expect(clippy::unwrap_used, reason = "a test's assumptions may fail loudly")]

mod books;
mod checks;
mod recorded;
mod steps;
#[path = "../world/mod.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use books::Books;
use mixminus_control::policy::Role;
use mixminus_control::{
    Action, Application, CallId, Command, ConferenceChange, Document, Effect, FetchError, FetchId, Handover,
    Heard, HttpMethod, Input, Invitation, Invited, LegEnd, Limits, Members, Outcome, ParticipantId,
    PlacementId, Playback, PromptContent, RecordScope, RecordingFault, Selector, StreamNews, Successor,
    TimerId,
};
use mixminus_mixer::{LegId, TapId};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use steps::{Ask, Change, FarEnd, MAX_PARTICIPANTS, People, Room, Step, steps};
use world::{LegFate, World};

/// Few enough to be reached.
const LIMITS: Limits = Limits {
    max_calls: 10,
    max_conferences: 2,
    max_participants: MAX_PARTICIPANTS,
    max_dials_per_s: 10,
    max_placed: 6,
};

struct Machine {
    world: World,
    books: Books,
    /// The calls of legs, also of those that are over.
    calls: BTreeMap<LegId, CallId>,
    /// Documents that came and may come again.
    fetched: Vec<(CallId, FetchId)>,
    placements: Vec<PlacementId>,
    with_hangup_url: BTreeSet<CallId>,
    /// Parties whom a third one joined, either way round.
    joined: BTreeSet<(CallId, CallId)>,
    /// Whether a request had something played in place of the others' voices.
    alone: bool,
}

impl Machine {
    fn new() -> Self {
        let mut world = World::within(LIMITS);
        world.disk_is_slow = true;
        Self {
            world,
            books: Books::default(),
            calls: BTreeMap::new(),
            fetched: Vec::new(),
            placements: Vec::new(),
            with_hangup_url: BTreeSet::new(),
            joined: BTreeSet::new(),
            alone: false,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::CallRoom(name, role) => {
                let suffix = if role == Role::Agent { "agent" } else { "customer" };
                let leg = self.world.dial(&format!("{name}.{suffix}"));
                self.calls.insert(leg, self.world.call_of(leg).id);
            }
            Step::CallService(urls) => {
                let answer = Action { url: "http://app/answer".into(), method: HttpMethod::Post };
                let told_of_its_end = urls.hangup.is_some();
                let leg = self.world.arrive("service", Application::Url { answer, urls });
                let call = self.world.call_of(leg).id;
                self.calls.insert(leg, call);
                self.with_hangup_url.extend(told_of_its_end.then_some(call));
            }
            Step::Fetched(at, result, again) => self.fetched(at, result, again),
            Step::FetchedAgain(at, document) => {
                if let Some((call, fetch)) = pick(&self.fetched, at) {
                    self.without_effect(&Input::Fetched { call, fetch, result: Ok(document) });
                }
            }
            Step::Dialled(at) => {
                if let Some(at) = position(&self.world.dials, at) {
                    self.world.dials.swap(0, at);
                    self.dialled();
                }
            }
            Step::NotDialled(at, reason) => {
                if let Some(at) = position(&self.world.dials, at) {
                    let call = self.world.dials.remove(at).call.id;
                    self.world.input(Input::NotDialled { call, reason });
                }
            }
            Step::FarEnd(at, does) => self.far_end(at, does),
            Step::Late(at, does) => {
                if let Some(leg) = pick(&self.legs(is_over), at) {
                    self.without_effect(&said(leg, does));
                }
            }
            Step::PromptEnds(at) => {
                let mut playing: Vec<_> = self.world.prompts.keys().copied().collect();
                playing.sort_unstable();
                if let Some(prompt) = pick(&playing, at) {
                    self.world.input(Input::PromptEnded { prompt });
                }
            }
            Step::HandsOver(at, other) => self.hands_over(at, other),
            Step::Written(at, written) => {
                if let Some(at) = position(&self.world.unwritten, at) {
                    self.world.write(at, if written { Ok(()) } else { Err(RecordingFault::Storage) });
                }
            }
            Step::FileBreaks(at) => {
                let taps: Vec<_> = self.world.taps.keys().copied().collect();
                if let Some(tap) = pick(&taps, at) {
                    self.world.break_file(tap);
                }
            }
            Step::Hears(at, heard) => self.hears(at, heard),
            Step::Streamed(at, news) => self.streamed(at, news),
            Step::Pass(span) => self.world.pass(span),
            Step::Crowd(at) => {
                let bridges: Vec<_> = self.world.plans.keys().copied().collect();
                let crowded = at.and_then(|at| pick(&bridges, at));
                self.world.input(Input::Crowded(crowded.into_iter().collect()));
            }
            Step::Ask(ask) => self.ask(ask),
        }
    }

    fn streamed(&mut self, at: Index, news: StreamNews) {
        let streams: Vec<_> = self.world.streams.values().map(|one| (one.call, one.id)).collect();
        if let Some((call, stream)) = pick(&streams, at) {
            self.world.input(Input::Stream { call, stream, news });
        }
    }

    /// A recogniser that was told to end ends at last.
    fn hears(&mut self, at: Index, heard: Heard) {
        let listening: Vec<_> = self.world.listening.keys().copied().collect();
        match pick(&listening, at) {
            Some(tap) => self.world.input(Input::Heard { tap, heard }),
            None => self.without_effect(&Input::Heard { tap: TapId(u64::MAX), heard }),
        }
    }

    fn fetched(&mut self, at: Index, result: Result<Document, FetchError>, again: bool) {
        let Some(at) = position(&self.world.fetches, at) else { return };
        self.world.fetches.swap(0, at);
        let fetch = &self.world.fetches[0];
        if again {
            self.fetched.push((fetch.call.id, fetch.id));
        }
        self.world.deliver(result);
    }

    fn dialled(&mut self) {
        let call = self.world.dials[0].call.id;
        let leg = self.world.connect();
        self.calls.insert(leg, call);
    }

    fn far_end(&mut self, at: Index, does: FarEnd) {
        let can = |fate: LegFate| match does {
            FarEnd::Rings | FarEnd::IsHeard | FarEnd::Answers => fate == LegFate::Dialled,
            FarEnd::Ends(end) => may_end(fate, end),
            FarEnd::Talks(_) | FarEnd::Presses(_) => matches!(fate, LegFate::Answered | LegFate::Early),
        };
        let Some(leg) = pick(&self.legs(can), at) else { return };
        match does {
            FarEnd::Rings => self.world.far_end_rings(leg),
            FarEnd::Answers => self.world.far_end_answers(leg),
            does => self.world.input(said(leg, does)),
        }
    }

    fn hands_over(&mut self, at: Index, other: Option<Index>) {
        let legs = self.legs(|fate| !is_over(fate));
        let Some(leg) = pick(&legs, at) else { return };
        let Some(other) = other.and_then(|other| pick(&legs, other)) else {
            self.world.hand_over(leg, Successor::Called("3".into()));
            return;
        };
        let party = |leg: LegId| {
            let plan = &self.world.plans[self.world.seats.get(&leg)?];
            let [one, another] = plan.legs() else { return None };
            Some(self.calls[if *one == leg { another } else { one }])
        };
        let parties = (party(leg), party(other));
        let news = self.world.hand_over(leg, Successor::PartyOf(other));
        if let (Some(Handover::Done), (Some(one), Some(another))) = (news.last(), parties) {
            self.joined.extend([(one, another), (another, one)]);
        }
    }

    fn legs(&self, are: impl Fn(LegFate) -> bool) -> Vec<LegId> {
        self.world.legs.iter().filter(|(_, fate)| are(**fate)).map(|(leg, _)| *leg).collect()
    }

    /// What comes too late, or again, does nothing.
    fn without_effect(&mut self, input: &Input) {
        self.enter();
        self.world.input(input.clone());
        assert!(self.world.media.is_empty(), "{input:?} led to {:?}", self.world.media);
    }

    fn ask(&mut self, ask: Ask) {
        let Some(command) = self.command(ask) else { return };
        self.alone |= match &command {
            Command::Conference(_, ConferenceChange::Play { mixed, .. })
            | Command::Call(_, mixminus_control::CallChange::Play { mixed, .. }) => !mixed,
            _ => false,
        };
        self.enter();
        // So that the switchboard knows what time it is before and after.
        self.world.input(Input::Timer(TimerId(u64::MAX)));
        let before = format!("{:?}", self.world.switchboard);
        match self.world.command(command.clone()) {
            Ok(Outcome::Placed(placement, placed)) => {
                self.placements.push(placement);
                if let Command::Place(calls) = command
                    && calls.urls.hangup.is_some()
                {
                    self.with_hangup_url.extend(placed.iter().map(|one| one.call));
                }
            }
            Ok(_) => {}
            Err(why) => {
                let after = format!("{:?}", self.world.switchboard);
                assert!(before == after, "{command:?} changed something, and was refused: {why}");
                assert!(matches!(self.world.media[..], [Effect::Reply(..)]), "{:?}", self.world.media);
            }
        }
    }

    /// The request, with the ids that it is for.
    fn command(&self, ask: Ask) -> Option<Command> {
        let calls = |live: bool| -> Vec<_> {
            let calls = self.world.calls.values().filter(|call| !live || call.ended_at.is_none());
            calls.map(|call| call.id).collect()
        };
        Some(match ask {
            Ask::Conference(room, change) => {
                let (selector, inside) = self.room(&room)?;
                Command::Conference(selector, self.change(change, &inside)?)
            }
            Ask::Invite(room, request, dialled, call) => {
                let invited = match dialled {
                    Some(dialled) => Invited::Dialled(dialled.0, dialled.1),
                    None => Invited::Call(pick(&calls(true), call)?),
                };
                let creates = !request.end_on_exit;
                Command::Invite(
                    self.room(&room)?.0,
                    Box::new(Invitation { invited, request: *request, creates }),
                )
            }
            Ask::Place(calls) => Command::Place(calls),
            Ask::Call(call, live, change) => Command::Call(pick(&calls(live), call)?, change),
            Ask::Cancel(at) => Command::Cancel(pick(&self.placements, at)?),
        })
    }

    /// The conference, and who is inside.
    fn room(&self, room: &Room) -> Option<(Selector, Vec<ParticipantId>)> {
        let known: Vec<_> = self.world.conferences.keys().copied().collect();
        let live = || self.world.conferences.values().filter(|one| one.ended_at.is_none());
        let id = match room {
            Room::Named(name) => live().find(|one| one.name == *name).map(|one| one.id),
            Room::Live(at) => Some(pick(&live().map(|one| one.id).collect::<Vec<_>>(), *at)?),
            Room::Known(at) => Some(pick(&known, *at)?),
        };
        let selector = match (room, id) {
            (Room::Known(_) | Room::Live(_), Some(id)) => Selector::Id(id),
            (Room::Named(name), _) => Selector::Name((*name).into()),
            (_, None) => return None,
        };
        Some((selector, id.map(|id| self.books.inside(id)).unwrap_or_default()))
    }

    fn change(&self, change: Change, inside: &[ParticipantId]) -> Option<ConferenceChange> {
        let everybody: Vec<_> = self.world.participants.keys().copied().collect();
        let members = |people: People| match people {
            People::All => Some(Members::All),
            People::Inside(at) => {
                at.into_iter().map(|at| pick(inside, at)).collect::<Option<_>>().map(Members::Listed)
            }
            People::Anybody(at) => Some(Members::Listed(vec![pick(&everybody, at)?])),
        };
        let scope = |of: Option<Index>| match of {
            None => Some(RecordScope::All),
            Some(at) => pick(inside, at).map(RecordScope::One),
        };
        Some(match change {
            Change::Start => ConferenceChange::Start,
            Change::End => ConferenceChange::End,
            Change::Update(people, change) => ConferenceChange::Update(members(people)?, change),
            Change::Kick(people) => ConferenceChange::Kick(members(people)?),
            Change::Play(people, kind, mixed) => {
                let content = PromptContent::File("http://app/c.mp3".into());
                ConferenceChange::Play {
                    members: members(people)?,
                    playback: Playback::once(content),
                    kind,
                    mixed,
                }
            }
            Change::StopPlaying(people, kind) => ConferenceChange::StopPlaying(members(people)?, kind),
            Change::Record(of, terms) => ConferenceChange::Record(scope(of)?, terms),
            Change::KeepRecording(of, change) => ConferenceChange::ChangeRecording(scope(of)?, change),
        })
    }

    /// Takes what was done into the books.
    fn enter(&mut self) {
        for effect in std::mem::take(&mut self.world.media) {
            self.books.enter(&effect);
        }
    }
}

/// How the switchboard learns of it.
fn said(leg: LegId, does: FarEnd) -> Input {
    match does {
        FarEnd::Rings => Input::LegRinging { leg },
        FarEnd::IsHeard => Input::LegAudible { leg },
        FarEnd::Answers => Input::LegAnswered { leg },
        FarEnd::Ends(end) => Input::LegEnded { leg, end },
        FarEnd::Talks(talking) => Input::Talking { leg, talking },
        FarEnd::Presses(digit) => Input::Digit { leg, digit },
    }
}

fn is_over(fate: LegFate) -> bool {
    matches!(fate, LegFate::Refused(_) | LegFate::HungUp | LegFate::Released)
}

/// Whether a leg can end so.
fn may_end(fate: LegFate, end: LegEnd) -> bool {
    match end {
        LegEnd::HungUp => fate == LegFate::Answered,
        LegEnd::Canceled => matches!(fate, LegFate::Ringing | LegFate::Early),
        LegEnd::Failed { .. } => !is_over(fate),
        LegEnd::MediaTimeout | LegEnd::Evicted => matches!(fate, LegFate::Answered | LegFate::Early),
    }
}

fn position<T>(of: &[T], at: Index) -> Option<usize> {
    (!of.is_empty()).then(|| at.index(of.len()))
}

fn pick<T: Copy>(of: &[T], at: Index) -> Option<T> {
    position(of, at).map(|at| of[at])
}

proptest! {
    #![proptest_config(ProptestConfig {
        // A case takes some milliseconds, and what is rare needs many of them.
        cases: 4 * ProptestConfig::default().cases,
        rng_seed: RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_the_books_balance_and_everything_ends(steps in steps(), drain in any::<bool>()) {
        let mut machine = Machine::new();
        for step in steps {
            machine.step(step);
            machine.check();
        }
        machine.finish(drain);
    }
}
