//! What a leg hears: alone, or with others who hear the same.

use std::mem;

use mixminus_audio::{Decibels, Gain, MAX_FRAME_SAMPLES, SampleRate};
use mixminus_codec::{Encoding, MAX_PAYLOAD_BYTES};

use crate::base::Base;
use crate::leg::{Leg, Seated};
use crate::mixdown::{Mixdown, Outlet};
use crate::plan::Sink;
use crate::shared::SharedMix;

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
    /// The step in this tick from there, to be smoothed.
    offset: i64,
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
            offset: 0,
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

    /// The base that the leg has heard, by its place.
    pub fn base(&self) -> Option<usize> {
        self.membership.map(|membership| membership.base)
    }
}

impl<L: Leg> Seated<L> {
    /// Decides, before anything of `tick` is mixed, whether the leg hears it alone.
    pub(crate) fn choose(&mut self, sink: Sink, base: &mut Base, tick: u64) {
        let own_before = if sink.in_base { self.before() } else { 0 };
        let speaks = sink.in_base && self.contribution().is_some();
        let hearing = &mut self.hearing;
        let apart = speaks || own_before != 0 || hearing.recoded || hearing.turned;
        if apart || hearing.mode == Mode::Alone {
            self.part(base, base.before());
            self.hearing.offset = base.offset(self.hearing.end, own_before);
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
        if !apart && hearing.offset == 0 && base.offset(base.before(), 0) == 0 {
            hearing.join(&mut base.shared, tick);
        }
    }

    /// Sends what the leg hears of `base`.
    pub(crate) fn send(&mut self, sink: Sink, base: &Base, scratch: &mut Scratch) {
        if let Mode::Shares(line) = self.hearing.mode {
            self.leg_mut().send(base.shared.line(line).payload());
            return;
        }
        let Scratch { wide, frame, payload } = scratch;
        let own = self.source.contribution().filter(|_| sink.in_base);
        let Hearing { gain, turned, offset, end, alone, encoding, .. } = &mut self.hearing;
        let Alone { mixdown, outlet } = &mut **alone;
        *end = base.end() - own.and_then(<[i16]>::last).map_or(0, |&last| i32::from(last));
        let mut wide = base.sum_without(own, *offset, wide);
        if *turned {
            gain.apply_wide(wide.as_deref_mut().unwrap_or_default());
            *turned = !gain.is_identity();
        }
        mixdown.mix(wide.as_deref());
        let frame = outlet.pass(mixdown.heard(), frame);
        let encoder = self.leg.encoder();
        if encoder.encoding() != *encoding {
            encoder.expect_loss(encoding.expected_loss_percent());
        }
        let size_bytes = encoder.encode(frame, payload);
        self.leg.send(&payload[..size_bytes]);
    }

    /// Goes on alone from where `base` is, whose sum has ended at `end`, if the leg has shared what is made of that.
    fn part(&mut self, base: &mut Base, end: i32) {
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
            self.part(base, base.end());
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
                self.part(&mut old[from], end);
            }
        }
    }
}
