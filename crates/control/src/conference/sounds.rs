//! What a conference plays: music to those it does not reach, announcements to the rest.

use std::collections::{BTreeMap, BTreeSet};

use mixminus_mixer::{LegId, PromptId};

use crate::command::{CommandError, Members, PlayKind, Playback};
use crate::context::{Context, Owner};
use crate::effect::{PromptContent, Repeat};
use crate::instruction::{Action, ConferenceRequest, DialMusic, Sound};
use crate::policy::{self, Music, Party};
use crate::record::{ConferenceId, PlacementId};

/// Announcements at once; when many come or go together, more would only be louder.
const MAX_ANNOUNCEMENTS: usize = 4;
/// What requests may have played at once.
const MAX_PLAYS: usize = 20;

/// A sound in the conference and the legs that were there to hear it.
#[derive(Debug)]
struct Announcement {
    prompt: PromptId,
    audience: BTreeSet<LegId>,
}

/// What a request has played, to whom, and what it is called when it is to stop.
#[derive(Debug)]
struct Play {
    announcement: Announcement,
    members: Members,
    kind: PlayKind,
    mixed: bool,
}

/// The prompts of a conference and who hears them.
#[derive(Debug)]
pub(super) struct Sounds {
    owner: Owner,
    /// What is played instead of the built-in music.
    chosen: BTreeMap<Music, Action>,
    music: BTreeMap<Music, PromptId>,
    announcements: Vec<Announcement>,
    plays: Vec<Play>,
    /// What is heard while those called to join are not there.
    ringing: BTreeMap<PlacementId, PromptId>,
    /// Those called to join who are heard instead.
    callees: BTreeMap<PlacementId, LegId>,
}

impl Sounds {
    /// No sound yet; music later as the creator's `request` asks.
    pub fn new(conference: ConferenceId, request: &ConferenceRequest) -> Self {
        let chosen = [
            (Music::Wait, &request.wait_music),
            (Music::AgentHold, &request.agent_hold_music),
            (Music::CustomerHold, &request.customer_hold_music),
        ];
        Self {
            owner: Owner::Conference(conference),
            chosen: chosen.into_iter().filter_map(|(kind, music)| Some((kind, music.clone()?))).collect(),
            music: BTreeMap::new(),
            announcements: Vec::new(),
            plays: Vec::new(),
            ringing: BTreeMap::new(),
            callees: BTreeMap::new(),
        }
    }

    /// Plays the music that `parties` need and no other.
    pub fn choose_music<'a>(&mut self, parties: impl Iterator<Item = &'a Party>, context: &mut Context) {
        let needed: BTreeSet<_> = parties.filter_map(policy::music).collect();
        self.music.retain(|kind, prompt| {
            let keep = needed.contains(kind);
            if !keep {
                context.stop_prompt(*prompt);
            }
            keep
        });
        for kind in needed {
            let content = || self.chosen.get(&kind).cloned().map_or(built_in(kind), PromptContent::Sounds);
            self.music.entry(kind).or_insert_with(|| context.play(self.owner, content(), Repeat::Forever));
        }
    }

    /// Plays `sound` once to `audience`. Returns whether it does.
    pub fn announce(&mut self, sound: &Sound, audience: BTreeSet<LegId>, context: &mut Context) -> bool {
        let content = match sound {
            Sound::None => return false,
            Sound::Beep1 => PromptContent::Beep1,
            Sound::Beep2 => PromptContent::Beep2,
            Sound::Url(action) => PromptContent::Sounds(action.clone()),
        };
        if audience.is_empty() || self.announcements.len() >= MAX_ANNOUNCEMENTS {
            return false;
        }
        let prompt = context.play(self.owner, content, Repeat::Times(1));
        self.announcements.push(Announcement { prompt, audience });
        true
    }

    /// Plays what a request asks for, to the legs of `members`.
    ///
    /// # Errors
    ///
    /// [`CommandError::TooMany`] if as much is played as may be.
    pub fn play(
        &mut self,
        playback: Playback,
        audience: BTreeSet<LegId>,
        (members, kind, mixed): (Members, PlayKind, bool),
        context: &mut Context,
    ) -> Result<(), CommandError> {
        if self.plays.len() >= MAX_PLAYS {
            return Err(CommandError::TooMany);
        }
        let prompt = context.play_back(self.owner, playback);
        self.plays.push(Play { announcement: Announcement { prompt, audience }, members, kind, mixed });
        Ok(())
    }

    /// Ends what was played of `kind` to exactly `members`.
    pub fn stop_playing(&mut self, members: &Members, kind: PlayKind, context: &mut Context) {
        self.plays.retain(|play| {
            let stops = play.kind == kind && play.members == *members;
            if stops {
                context.stop_prompt(play.announcement.prompt);
            }
            !stops
        });
    }

    /// Lets those inside hear that somebody is called.
    pub fn ring(&mut self, placement: PlacementId, music: &DialMusic, context: &mut Context) {
        let Some(content) = music.content() else { return };
        let owner = self.owner;
        self.ringing.entry(placement).or_insert_with(|| context.play(owner, content, Repeat::Forever));
    }

    /// Lets those inside hear who is called instead of ringing, or ringing again.
    pub fn hear_callee(&mut self, placement: PlacementId, callee: Option<LegId>) {
        match callee {
            Some(leg) => drop(self.callees.insert(placement, leg)),
            None => drop(self.callees.remove(&placement)),
        }
    }

    /// The legs of those who are heard instead of ringing.
    pub fn callees(&self) -> impl Iterator<Item = LegId> {
        self.callees.values().copied()
    }

    /// Those of them who reach `sink` on its `leg`.
    pub fn callees_heard_by(&self, leg: LegId, sink: &Party) -> impl Iterator<Item = LegId> {
        let reached = policy::hears_conference(sink) && self.leaves_room(leg);
        self.callees().filter(move |_| reached)
    }

    /// Ends either. Returns whether it was heard.
    pub fn stop_ringing(&mut self, placement: PlacementId, context: &mut Context) -> bool {
        let callee = self.callees.remove(&placement);
        let prompt = self.ringing.remove(&placement);
        prompt.map(|prompt| context.stop_prompt(prompt)).is_some() || callee.is_some()
    }

    /// Forgets a sound that was heard to its end. Returns whether it was one.
    pub fn ended(&mut self, prompt: PromptId, context: &mut Context) -> bool {
        let before = self.announcements.len() + self.plays.len() + self.ringing.len();
        self.announcements.retain(|sound| sound.prompt != prompt);
        self.plays.retain(|play| play.announcement.prompt != prompt);
        self.ringing.retain(|_, ringing| *ringing != prompt);
        let known = self.announcements.len() + self.plays.len() + self.ringing.len() < before;
        if known {
            context.stop_prompt(prompt);
        }
        known
    }

    /// The prompts that reach `sink` on its `leg`.
    pub fn heard_by(&self, leg: LegId, sink: &Party) -> impl Iterator<Item = PromptId> {
        let plays = self.plays_for(leg).map(|play| play.announcement.prompt);
        let music = policy::music(sink).filter(|_| self.plays_for(leg).next().is_none());
        let music = music.map(|kind| self.music[&kind]);
        let reached = policy::hears_conference(sink) && self.leaves_room(leg);
        let announcements =
            self.announcements.iter().filter(move |sound| reached && sound.audience.contains(&leg));
        let ringing = self.ringing.iter().filter(move |(id, _)| reached && !self.callees.contains_key(id));
        let ringing = ringing.map(|(_, prompt)| *prompt);
        plays.chain(music).chain(announcements.map(|sound| sound.prompt)).chain(ringing)
    }

    /// Whether what a request has played to `leg` leaves room for the others.
    pub fn leaves_room(&self, leg: LegId) -> bool {
        self.plays_for(leg).all(|play| play.mixed)
    }

    fn plays_for(&self, leg: LegId) -> impl Iterator<Item = &Play> {
        self.plays.iter().filter(move |play| play.announcement.audience.contains(&leg))
    }

    /// Ends all of it.
    pub fn stop(&mut self, context: &mut Context) {
        self.callees.clear();
        let announcements = self.announcements.drain(..).map(|announcement| announcement.prompt);
        let plays = self.plays.drain(..).map(|play| play.announcement.prompt);
        let music = std::mem::take(&mut self.music).into_values();
        let ringing = std::mem::take(&mut self.ringing).into_values();
        for prompt in announcements.chain(plays).chain(music).chain(ringing) {
            context.stop_prompt(prompt);
        }
    }
}

const fn built_in(music: Music) -> PromptContent {
    match music {
        Music::Wait => PromptContent::WaitMusic,
        Music::AgentHold => PromptContent::AgentHoldMusic,
        Music::CustomerHold => PromptContent::CustomerHoldMusic,
    }
}
