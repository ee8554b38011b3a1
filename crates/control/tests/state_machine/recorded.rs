//! Who is in which recording, whatever happens.

use std::collections::BTreeSet;

use mixminus_control::{
    ConferenceId, ConferenceState, ParticipantRecord, RecordingState, RecordingTrack, StreamAudience,
};
use mixminus_mixer::{LegId, MixPlan, SourceId, TapChannel, TapRoutes};

use crate::Machine;

impl Machine {
    /// Each recording that goes on is tapped in one place, of those who may be recorded.
    /// Other taps listen.
    pub fn check_taps(&self) {
        let mut tapped = BTreeSet::new();
        let plans = self.world.plans.values();
        for (mut tap, plan) in
            plans.flat_map(|plan| plan.tap_routes().into_iter().map(move |tap| (tap, plan)))
        {
            self.merge_voices(&mut tap, plan);
            assert!(tapped.insert(tap.tap), "two plans name {tap:?}");
            let Some(start) = self.world.taps.get(&tap.tap) else { continue };
            let recording = &self.books.recordings[&start.recording.id];
            assert_eq!(tap.paused, recording.state == RecordingState::Paused);
            assert!(!tap.paused || tap.channels.is_empty(), "{tap:?}");
            match (&recording.of.conference, recording.of.participant) {
                (None, _) => self.check_tapped_call(&tap, plan, recording.track),
                (Some((id, _)), None) => self.check_tapped_conference(&tap, plan, *id),
                (Some(_), Some(_)) => {
                    let call = recording.of.call.unwrap();
                    let own = plan.legs().iter().find(|leg| self.calls[leg] == call).unwrap();
                    self.check_tapped_participant(&tap, plan, (*own, recording.track));
                }
            }
        }
        for (tap, start) in &self.world.taps {
            let conference = start.recording.of.conference.as_ref();
            let deserted = conference.is_some_and(|(id, _)| self.books.inside(*id).is_empty());
            assert!(tapped.contains(tap) || deserted, "{start:?}");
        }
    }

    /// Takes out what streams say as calls do: each is heard by whoever hears its call, and recorded with it.
    fn merge_voices(&self, tap: &mut TapRoutes, plan: &MixPlan) {
        for open in &self.world.opened {
            let Some(voice) = open.voice.map(SourceId::Prompt) else { continue };
            let own = SourceId::Leg(open.leg);
            let speaks = open.terms.audience == Some(StreamAudience::Listeners);
            let sinks = plan.legs().iter().filter(|sink| speaks && plan.hears(**sink, voice));
            sinks.for_each(|sink| assert!(plan.hears(*sink, own), "{sink:?} hears {open:?}"));
            let merged = speaks && tap.channels.contains(&TapChannel::Source(own));
            tap.channels.retain(|channel| !(merged && *channel == TapChannel::Source(voice)));
        }
    }

    /// The call's own voice, unless it enters nothing, and what it hears.
    fn check_tapped_call(&self, tap: &TapRoutes, plan: &MixPlan, track: RecordingTrack) {
        let call = self.world.taps[&tap.tap].recording.of.call.unwrap();
        let leg = *plan.legs().iter().find(|leg| self.calls[leg] == call).expect("it is where its call is");
        let enters = self.books.participant(call).is_none_or(|one| self.enters(one));
        let voice = enters.then_some(TapChannel::Source(SourceId::Leg(leg)));
        let heard = (track != RecordingTrack::Party).then_some(TapChannel::Heard(leg));
        assert!(tap.channels.iter().copied().eq(voice.into_iter().chain(heard)), "{tap:?} of {leg:?}");
    }

    /// Everybody who enters the conference; coaches only if they are not left out.
    fn check_tapped_conference(&self, tap: &TapRoutes, plan: &MixPlan, id: ConferenceId) {
        for source in sources(tap) {
            match source {
                SourceId::Leg(leg) => {
                    let one = self.books.participant(self.calls[&leg]).expect("nobody else is recorded");
                    assert!(one.conference == id && self.enters(one), "{one:?} is recorded");
                }
                prompt @ SourceId::Prompt(_) => {
                    assert!(plan.legs().iter().any(|leg| self.is_told(plan, *leg, prompt)), "{tap:?}");
                }
            }
        }
        for leg in plan.legs().iter().filter(|_| !tap.paused) {
            // Who is heard ringing takes no part yet.
            let Some(one) = self.books.participant(self.calls[leg]) else { continue };
            let must = self.enters(one) && !one.coaching;
            assert!(
                !must || sources(tap).any(|source| source == SourceId::Leg(*leg)),
                "{one:?} is not recorded"
            );
        }
    }

    /// Its own voice, and if asked for what it hears of the conversation.
    fn check_tapped_participant(
        &self,
        tap: &TapRoutes,
        plan: &MixPlan,
        (own, track): (LegId, RecordingTrack),
    ) {
        let one = self.books.participant(self.calls[&own]).unwrap();
        for source in sources(tap) {
            let may = match source {
                SourceId::Leg(leg) if leg == own => self.enters(one),
                SourceId::Leg(leg) => track != RecordingTrack::Party && plan.hears(own, SourceId::Leg(leg)),
                prompt @ SourceId::Prompt(_) => {
                    track != RecordingTrack::Party && self.is_told(plan, own, prompt)
                }
            };
            assert!(may, "{source:?} in {tap:?}");
        }
        let must = !tap.paused && self.enters(one) && !one.coaching;
        assert!(!must || sources(tap).any(|source| source == SourceId::Leg(own)), "{one:?} is not recorded");
    }

    fn enters(&self, one: &ParticipantRecord) -> bool {
        !one.muted && !one.held && self.books.conferences[&one.conference].state == ConferenceState::Active
    }

    /// Whether the conference reaches `leg`, which hears `prompt`.
    fn is_told(&self, plan: &MixPlan, leg: LegId, prompt: SourceId) -> bool {
        let Some(one) = self.books.participant(self.calls[&leg]) else { return false };
        let active = self.books.conferences[&one.conference].state == ConferenceState::Active;
        plan.hears(leg, prompt) && !one.held && active
    }
}

fn sources(tap: &TapRoutes) -> impl Iterator<Item = SourceId> {
    tap.channels.iter().map(|channel| match channel {
        TapChannel::Source(source) => *source,
        TapChannel::Heard(leg) => panic!("what {leg:?} hears is recorded of a conference"),
    })
}
