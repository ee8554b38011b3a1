//! Which track of a recording holds what.

use std::collections::HashMap;

use mixminus_mixer::{LegId, PromptId, SourceId, TapChannel};
use mixminus_recording::{MAX_TRACKS, TrackId};

/// The tracks of one recording: one for each leg, and as many for prompts as were heard at once. Once there are as many
/// as may be, whoever comes has one of somebody who left.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    known: HashMap<TapChannel, TrackId>,
    /// What each track of prompts holds in the last tick.
    lanes: Vec<(TrackId, Option<PromptId>)>,
    /// Whose voice each leg carries.
    parties: HashMap<LegId, String>,
    ids: Ids,
}

#[derive(Debug, Default)]
struct Ids {
    count: u32,
    free: Vec<TrackId>,
}

impl Tracks {
    /// Says whose voice a leg carries from now on.
    pub fn name(&mut self, leg: LegId, party: &str) {
        self.parties.insert(leg, party.to_owned());
    }

    /// Whose voice a leg carries.
    pub fn party(&self, leg: LegId) -> Option<String> {
        self.parties.get(&leg).cloned()
    }

    /// Says that nothing of a leg is to come.
    pub fn leave(&mut self, leg: LegId) {
        self.parties.remove(&leg);
        self.ids.free.extend(self.known.remove(&TapChannel::Source(SourceId::Leg(leg))));
    }

    /// The track of a leg, unless there are too many.
    pub fn of_leg(&mut self, leg: LegId) -> Option<TrackId> {
        self.track(TapChannel::Source(SourceId::Leg(leg)))
    }

    /// The frames of a tick, each with its track, which `placed` learns.
    pub fn of<'a>(
        &mut self,
        frames: impl Iterator<Item = (TapChannel, &'a [i16])> + Clone,
        mut placed: impl FnMut(TapChannel, TrackId),
    ) -> Vec<(TrackId, &'a [i16])> {
        let sounds = |prompt| {
            frames.clone().any(|(channel, _)| channel == TapChannel::Source(SourceId::Prompt(prompt)))
        };
        for (_, lane) in &mut self.lanes {
            *lane = lane.filter(|prompt| sounds(*prompt));
        }
        let frames = frames.filter_map(|(channel, frame)| {
            let track = match channel {
                TapChannel::Source(SourceId::Prompt(prompt)) => self.lane(prompt),
                _ => self.track(channel),
            }?;
            placed(channel, track);
            Some((track, frame))
        });
        frames.collect()
    }

    fn track(&mut self, channel: TapChannel) -> Option<TrackId> {
        if let Some(track) = self.known.get(&channel) {
            return Some(*track);
        }
        let track = self.ids.next()?;
        self.known.insert(channel, track);
        Some(track)
    }

    /// Where a prompt goes: where it was in the last tick, or where nothing is now.
    fn lane(&mut self, prompt: PromptId) -> Option<TrackId> {
        let place = |wanted| self.lanes.iter().position(|(_, lane)| *lane == wanted);
        let lane = if let Some(lane) = place(Some(prompt)).or_else(|| place(None)) {
            lane
        } else {
            self.lanes.push((self.ids.next()?, None));
            self.lanes.len() - 1
        };
        self.lanes[lane].1 = Some(prompt);
        Some(self.lanes[lane].0)
    }
}

impl Ids {
    fn next(&mut self) -> Option<TrackId> {
        if self.count as usize == MAX_TRACKS {
            return self.free.pop();
        }
        self.count += 1;
        Some(TrackId(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[i16] = &[1];

    fn leg(id: u64) -> TapChannel {
        TapChannel::Source(SourceId::Leg(LegId(id)))
    }

    fn prompt(id: u64) -> TapChannel {
        TapChannel::Source(SourceId::Prompt(PromptId(id)))
    }

    fn tick(tracks: &mut Tracks, channels: &[TapChannel]) -> Vec<u32> {
        let frames = channels.iter().map(|&channel| (channel, FRAME));
        tracks.of(frames, |_, _| {}).into_iter().map(|(track, _)| track.0).collect()
    }

    #[test]
    fn a_leg_has_one_track_and_what_it_hears_another() {
        let mut tracks = Tracks::default();
        assert_eq!(tick(&mut tracks, &[leg(1), leg(2), TapChannel::Heard(LegId(1))]), [1, 2, 3]);
        assert_eq!(tick(&mut tracks, &[leg(2)]), [2]);
        assert_eq!(tracks.of_leg(LegId(1)), Some(TrackId(1)));
    }

    #[test]
    fn prompts_share_a_track_unless_they_are_heard_at_once() {
        let mut tracks = Tracks::default();
        assert_eq!(tick(&mut tracks, &[prompt(1)]), [1]);
        assert_eq!(tick(&mut tracks, &[prompt(1), prompt(2)]), [1, 2]);
        assert_eq!(tick(&mut tracks, &[prompt(2), prompt(3)]), [2, 1]);
        assert_eq!(tick(&mut tracks, &[]), [0; 0]);
        assert_eq!(tick(&mut tracks, &[prompt(4)]), [1]);
    }

    #[test]
    fn whoever_comes_when_there_are_too_many_has_the_track_of_somebody_who_left() {
        let mut tracks = Tracks::default();
        let first: Vec<_> = (0..MAX_TRACKS as u64).map(leg).collect();
        assert_eq!(tick(&mut tracks, &first).len(), MAX_TRACKS);
        assert_eq!(tick(&mut tracks, &[leg(9_999)]), [0; 0], "there is none");
        tracks.leave(LegId(6));
        assert_eq!(tick(&mut tracks, &[leg(9_999)]), [7]);
    }
}
