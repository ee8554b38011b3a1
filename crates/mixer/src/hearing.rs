//! What a leg hears: alone, or with others who hear the same.

use std::mem;

use mixminus_audio::{Decibels, Gain, MAX_FRAME_SAMPLES, SampleRate};
use mixminus_codec::{Encoding, MAX_PAYLOAD_BYTES};

use crate::base::Base;
use crate::heard::Heard;
use crate::leg::{Leg, Seated};
use crate::mixdown::{Mixdown, Outlet};
use crate::plan::Sink;
use crate::shared::SharedMix;
use crate::source::Source;
use crate::sum::{Part, Sum};

/// What has to stay with a leg from tick to tick, and from bridge to bridge, so that what it hears has no seam.
///
/// Sharing saves work and changes nothing: a leg shares what is made of its base while its own sum is that of the
/// base, and what would be made of it alone is in the same state.
#[derive(Debug)]
pub(crate) struct Hearing {
    gain: Gain,
    /// Whether that changes anything.
    turned: bool,
    encoding: Encoding,
    /// Whether that is another one than in the last tick.
    recoded: bool,
    mode: Mode,
    /// Where the sum of what the leg heard alone ended in the last tick.
    end: i32,
    /// What the leg heard in the last tick, in the plan of that; nothing in another bridge.
    heard: Option<Sink>,
    /// None before the first tick in a bridge.
    membership: Option<Membership>,
    /// In which tick the leg last had to hear something of its own.
    apart_at: u64,
    alone: Box<Alone>,
}

/// What makes a mix for one leg alone, of no meaning while it shares one. It is kept apart so that a look at a leg that
/// shares touches little memory.
#[derive(Debug)]
struct Alone {
    mixdown: Mixdown,
    outlet: Outlet,
}

/// How a leg gets what it hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// By its own encoder.
    Alone,
    /// By the line at this place of its base.
    Shares(usize),
}

/// Which base a leg hears, and since which tick it has heard that and those that went before it.
#[derive(Clone, Copy, Debug)]
struct Membership {
    base: usize,
    since: u64,
}

/// Working memory for the mix of one sink alone.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub wide: Box<[i32]>,
    frame: Box<[i16]>,
    payload: [u8; MAX_PAYLOAD_BYTES],
}

impl Scratch {
    pub fn new(rate: SampleRate) -> Self {
        Self {
            wide: vec![0; rate.frame_samples()].into(),
            frame: vec![0; MAX_FRAME_SAMPLES].into(),
            payload: [0; MAX_PAYLOAD_BYTES],
        }
    }
}

impl Hearing {
    /// A leg with this encoding that has heard nothing yet.
    pub fn new(encoding: Encoding) -> Self {
        let rate = encoding.format().sample_rate();
        Self {
            gain: Gain::default(),
            turned: false,
            encoding,
            recoded: false,
            mode: Mode::Alone,
            end: 0,
            heard: None,
            membership: None,
            apart_at: 0,
            alone: Box::new(Alone { mixdown: Mixdown::new(rate), outlet: Outlet::new(rate, rate) }),
        }
    }

    pub fn set_gain(&mut self, gain: Decibels) {
        self.gain.set(gain);
        self.turned = true;
    }

    /// Takes note of what the far end wants to be sent in this tick.
    #[inline]
    pub fn recode(&mut self, encoding: Encoding) {
        self.recoded = self.encoding != encoding;
        if self.recoded {
            self.encoding = encoding;
        }
    }

    /// Shares what is made of `base`, if that is what would be made for this leg alone.
    fn join(&mut self, base: &mut SharedMix, tick: u64) {
        let Some(place) = base.find(self.encoding) else { return };
        let line = base.line_mut(place);
        if tick - self.apart_at < line.hang_ticks() {
            return;
        }
        line.want();
        let since = self.membership.map_or(tick, |membership| membership.since);
        if base.agrees_with(&self.alone.mixdown, &self.alone.outlet) && base.line_mut(place).join(since) {
            self.mode = Mode::Shares(place);
        }
    }

    /// Comes to a bridge, of which the leg has heard nothing.
    pub const fn arrive(&mut self) {
        self.heard = None;
    }

    /// Notes that the leg has heard what `sink` says.
    pub const fn note(&mut self, sink: Sink) {
        self.heard = Some(sink);
    }

    /// The base that the leg heard in the last tick, by its place in the plan of that.
    pub fn origin(&self) -> Option<usize> {
        self.heard.map(|sink| sink.base)
    }

    /// Whether the leg heard in the last tick what the other sinks of `base` did; if not, it needs a sum of its own.
    pub fn goes_with(&self, base: &Base) -> bool {
        self.origin() == base.origin
    }

    /// Whether anybody heard the leg in the last tick.
    #[inline]
    pub fn is_heard(&self) -> bool {
        self.heard.is_some_and(|sink| sink.in_base)
    }

    /// What the leg hears in this tick, which was sent, at the bridge's rate and unless it is silence; `shared` is made
    /// of its base.
    pub fn mix<'a>(&'a self, shared: &'a SharedMix) -> Option<&'a [i16]> {
        match self.mode {
            Mode::Alone => self.alone.mixdown.heard(),
            Mode::Shares(_) => shared.heard(),
        }
    }

    /// The base that the leg has heard, by its place.
    pub fn base(&self) -> Option<usize> {
        self.membership.map(|membership| membership.base)
    }
}

impl<L: Leg> Seated<L> {
    /// Decides, before anything of `tick` is mixed, whether the leg hears it alone.
    pub(crate) fn choose(&mut self, sink: Sink, base: &mut Base, tick: u64) {
        let Part { before, frame } = own_part(&self.source, sink);
        let hearing = &self.hearing;
        let apart = frame.is_some() || before != 0 || hearing.recoded || hearing.turned;
        if apart || hearing.mode == Mode::Alone {
            self.part_from(base, base.before());
            self.reconsider(sink, base, (tick, apart));
        }
    }

    /// Hears this `tick` alone, unless the leg can join what is shared, as one that is not `apart` might.
    fn reconsider(&mut self, sink: Sink, base: &mut Base, (tick, apart): (u64, bool)) {
        let hearing = &mut self.hearing;
        if hearing.membership.is_none() {
            hearing.membership = Some(Membership { base: sink.base, since: tick });
            base.shared.expect(hearing.encoding, tick);
            hearing.apart_at = tick;
        }
        if apart {
            hearing.apart_at = tick;
        }
        let Alone { mixdown, outlet } = &mut *hearing.alone;
        mixdown.follow(base.rate());
        outlet.adapt(base.rate(), hearing.encoding.format().sample_rate(), mixdown);
        let goes_on = hearing.goes_with(base) && base.sum.offset(hearing.end, Part::default()) == 0;
        if !apart && goes_on && base.offset() == 0 {
            hearing.join(&mut base.shared, tick);
        }
    }

    /// Sends what the leg hears of `base`.
    pub(crate) fn send(&mut self, sink: Sink, base: &Base, scratch: &mut Scratch) {
        if let Mode::Shares(line) = self.hearing.mode {
            self.leg_mut().send(base.shared.line(line).payload());
            return;
        }
        let own = own_part(&self.source, sink);
        send_alone((&mut self.leg, &mut self.hearing), &base.sum, own, scratch);
    }

    /// Sends `sum`, which was made for the leg.
    pub(crate) fn send_own(&mut self, sum: &Sum, scratch: &mut Scratch) {
        send_alone((&mut self.leg, &mut self.hearing), sum, Part::default(), scratch);
    }

    /// Goes on alone from where `base` is, whose sum has ended at `end`, if the leg has shared what is made of that.
    fn part_from(&mut self, base: &mut Base, end: i32) {
        let hearing = &mut self.hearing;
        if let Mode::Shares(line) = mem::replace(&mut hearing.mode, Mode::Alone) {
            hearing.end = end;
            let Alone { mixdown, outlet } = &mut *hearing.alone;
            base.shared.leave(line, (mixdown, outlet), self.leg.encoder());
        }
    }

    /// Leaves the bridge that has these `bases`.
    pub(crate) fn depart(&mut self, bases: &mut [Base]) {
        if let Some(membership) = self.hearing.membership.take() {
            let base = &mut bases[membership.base];
            self.part_from(base, base.end());
        }
    }

    /// Goes over to the base at place `to` of those that follow `old`: with it, if that comes from the one that was
    /// heard so far; otherwise alone.
    pub(crate) fn move_on(&mut self, to: usize, new: &mut [Base], old: &mut [Base]) {
        let Some(membership) = &mut self.hearing.membership else { return };
        if new[to].kin() != Some(membership.base) {
            return self.depart(old);
        }
        let from = mem::replace(&mut membership.base, to);
        if let Mode::Shares(line) = &mut self.hearing.mode {
            if let Some(place) = new[to].shared.find(self.hearing.encoding) {
                *line = place;
                new[to].shared.line_mut(place).keep();
            } else {
                let end = old[from].end();
                self.part_from(&mut old[from], end);
            }
        }
    }
}

/// What a leg, as a `source`, adds to the base that it hears; to those who hear it newly the same, for if they all do,
/// it begins anew.
#[inline]
fn own_part(source: &Source, sink: Sink) -> Part<'_> {
    if sink.in_base { source.part(Heard::Still) } else { Part::default() }
}

/// Sends a leg what there is in `sum` but for its `own` part.
fn send_alone<L: Leg>(
    (leg, hearing): (&mut L, &mut Hearing),
    sum: &Sum,
    own: Part,
    Scratch { wide, frame, payload }: &mut Scratch,
) {
    let Hearing { gain, turned, end, alone, encoding, .. } = hearing;
    let Alone { mixdown, outlet } = &mut **alone;
    let offset = sum.offset(*end, own);
    *end = sum.end(own);
    let mut wide = sum.without(own, offset, wide);
    if *turned {
        gain.apply_wide(wide.as_deref_mut().unwrap_or_default());
        *turned = !gain.is_identity();
    }
    mixdown.mix(wide.as_deref());
    let frame = outlet.pass(mixdown.heard(), frame);
    let encoder = leg.encoder();
    if encoder.encoding() != *encoding {
        encoder.expect_loss(encoding.expected_loss_percent());
    }
    let size_bytes = encoder.encode(frame, payload);
    leg.send(&payload[..size_bytes]);
}
