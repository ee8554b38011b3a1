//! What a conference plays: music to those it does not reach, announcements to the rest.

use std::collections::{BTreeMap, BTreeSet};

use mixminus_mixer::{LegId, PromptId};

use crate::context::{Context, PromptOwner};
use crate::effect::{PromptContent, Repeat};
use crate::instruction::{ConferenceRequest, Sound};
use crate::policy::{self, Music, Party};
use crate::record::ConferenceId;

/// Announcements at once; when many come or go together, more would only be louder.
const MAX_ANNOUNCEMENTS: usize = 4;

/// A sound in the conference and the legs that were there to hear it.
#[derive(Debug)]
struct Announcement {
    prompt: PromptId,
    audience: BTreeSet<LegId>,
}

/// The prompts of a conference and who hears them.
#[derive(Debug)]
pub(super) struct Sounds {
    owner: PromptOwner,
    /// Audio files instead of the built-in music.
    files: BTreeMap<Music, String>,
    music: BTreeMap<Music, PromptId>,
    announcements: Vec<Announcement>,
}

impl Sounds {
    /// No sound yet; music later as the creator's `request` asks.
    pub fn new(conference: ConferenceId, request: &ConferenceRequest) -> Self {
        let files = [
            (Music::Wait, &request.wait_music),
            (Music::AgentHold, &request.agent_hold_music),
            (Music::CustomerHold, &request.customer_hold_music),
        ];
        Self {
            owner: PromptOwner::Conference(conference),
            files: files.into_iter().filter_map(|(kind, file)| Some((kind, file.clone()?))).collect(),
            music: BTreeMap::new(),
            announcements: Vec::new(),
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
            let content = || self.files.get(&kind).cloned().map_or(built_in(kind), PromptContent::File);
            self.music.entry(kind).or_insert_with(|| context.play(self.owner, content(), Repeat::Forever));
        }
    }

    /// Plays `sound` once to `audience`. Returns whether it does.
    pub fn announce(&mut self, sound: &Sound, audience: BTreeSet<LegId>, context: &mut Context) -> bool {
        let content = match sound {
            Sound::None => return false,
            Sound::Beep1 => PromptContent::Beep1,
            Sound::Beep2 => PromptContent::Beep2,
            Sound::Url(url) => PromptContent::File(url.clone()),
        };
        if audience.is_empty() || self.announcements.len() >= MAX_ANNOUNCEMENTS {
            return false;
        }
        let prompt = context.play(self.owner, content, Repeat::Times(1));
        self.announcements.push(Announcement { prompt, audience });
        true
    }

    /// Forgets an announcement that was heard to its end. Returns whether it was one.
    pub fn ended(&mut self, prompt: PromptId, context: &mut Context) -> bool {
        let Some(index) = self.announcements.iter().position(|playing| playing.prompt == prompt) else {
            return false;
        };
        self.announcements.swap_remove(index);
        context.stop_prompt(prompt);
        true
    }

    /// The prompts that reach `sink` on its `leg`.
    pub fn heard_by(&self, leg: LegId, sink: &Party) -> impl Iterator<Item = PromptId> {
        let music = policy::music(sink).map(|kind| self.music[&kind]);
        let reached = policy::hears_conference(sink);
        let announcements =
            self.announcements.iter().filter(move |sound| reached && sound.audience.contains(&leg));
        music.into_iter().chain(announcements.map(|sound| sound.prompt))
    }

    /// Ends all of it.
    pub fn stop(&mut self, context: &mut Context) {
        let announcements = self.announcements.drain(..).map(|announcement| announcement.prompt);
        for prompt in announcements.chain(std::mem::take(&mut self.music).into_values()) {
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
