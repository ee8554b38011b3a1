//! One mix for many sinks.

use std::mem;

use mixminus_audio::SampleRate;
use mixminus_codec::{Encoder, Encoding, Format};

use crate::line::Line;
use crate::mixdown::{Mixdown, Outlet};
use crate::recent::Recent;

/// The mix of a base for the sinks that add nothing to it, at each of their rates and in each of their encodings.
#[derive(Debug)]
pub(crate) struct SharedMix {
    /// The rate of the bridge.
    rate: SampleRate,
    /// Whether what follows comes from another mix, perhaps at another rate.
    inherited: bool,
    mixdown: Mixdown,
    /// Working memory.
    frame: Box<[i16]>,
    outlets: Box<[SharedOutlet]>,
    lines: Box<[Line]>,
}

#[derive(Debug)]
struct SharedOutlet {
    outlet: Outlet,
    /// For encoders whose state cannot be copied.
    recent: Option<Recent>,
}

impl SharedMix {
    /// A mix that nobody has heard, with a line for each of `encodings`.
    pub fn new(rate: SampleRate, encodings: &[Encoding]) -> Self {
        let outlet = |to: SampleRate| {
            let opus = encodings.iter().any(|encoding| encoding.format() == Format::Opus(to));
            SharedOutlet { outlet: Outlet::new(rate, to), recent: opus.then(|| Recent::new(to)) }
        };
        let mut rates: Vec<_> = encodings.iter().map(|encoding| encoding.format().sample_rate()).collect();
        rates.sort_unstable();
        rates.dedup();
        Self {
            rate,
            inherited: false,
            mixdown: Mixdown::new(rate),
            frame: vec![0; rates.last().map_or(0, |rate| rate.frame_samples())].into(),
            outlets: rates.into_iter().map(outlet).collect(),
            lines: encodings.iter().copied().map(Line::new).collect(),
        }
    }

    /// Begins `tick`.
    pub fn begin(&mut self, tick: u64) {
        if mem::take(&mut self.inherited) {
            self.mixdown.follow(self.rate);
            for SharedOutlet { outlet, .. } in &mut self.outlets {
                outlet.adapt(self.rate, outlet.rate(), &self.mixdown);
            }
        }
        self.lines.iter_mut().for_each(|line| line.begin(tick));
    }

    pub const fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Notes that a leg comes in `tick` that wants to be sent `encoding`.
    pub fn expect(&mut self, encoding: Encoding, tick: u64) {
        if let Some(place) = self.find(encoding) {
            self.lines[place].expect(tick);
        }
    }

    /// The place of the line in `encoding`.
    pub fn find(&self, encoding: Encoding) -> Option<usize> {
        self.lines.iter().position(|line| line.encoding() == encoding)
    }

    #[inline]
    pub const fn line(&self, place: usize) -> &Line {
        &self.lines[place]
    }

    pub const fn line_mut(&mut self, place: usize) -> &mut Line {
        &mut self.lines[place]
    }

    /// Whether what is made here of a sum is what these make of it.
    pub fn agrees_with(&self, mixdown: &Mixdown, outlet: &Outlet) -> bool {
        let shared = self.outlet(outlet.rate());
        self.mixdown.agrees_with(mixdown) && shared.is_some_and(|shared| shared.outlet.agrees_with(outlet))
    }

    /// Lets a leg leave the line at `place`, to go on alone where that is.
    pub fn leave(
        &mut self,
        place: usize,
        (mixdown, outlet): (&mut Mixdown, &mut Outlet),
        encoder: &mut Encoder,
    ) {
        let line = &mut self.lines[place];
        let shared = self.outlets.iter().find(|shared| shared.outlet.rate() == line.rate());
        let shared = shared.expect("there is an outlet for each line");
        mixdown.clone_from(&self.mixdown);
        outlet.clone_from(&shared.outlet);
        line.leave(encoder, shared.recent.as_ref());
    }

    /// Whether anything is to be made of this tick.
    pub fn is_needed(&self) -> bool {
        self.lines.iter().any(Line::is_needed)
    }

    /// Mixes `wide`, or silence, for all who share.
    pub fn mix(&mut self, wide: Option<&[i32]>) {
        self.mixdown.mix(wide);
        for SharedOutlet { outlet, recent } in &mut self.outlets {
            let rate = outlet.rate();
            let at_rate = |line: &&mut Line| line.rate() == rate && line.is_needed();
            let mut lines = self.lines.iter_mut().filter(at_rate).peekable();
            if lines.peek().is_none() {
                continue;
            }
            let frame = outlet.pass(self.mixdown.heard(), &mut self.frame);
            lines.for_each(|line| line.encode(frame));
            if let Some(recent) = recent {
                recent.push(frame);
            }
        }
    }

    /// The last mix, unless it was silence.
    pub fn heard(&self) -> Option<&[i16]> {
        self.mixdown.heard()
    }

    /// Goes on with the streams of `old`, which end.
    pub fn succeed(&mut self, old: &mut Self) {
        self.inherited = true;
        mem::swap(&mut self.mixdown, &mut old.mixdown);
        for new in &mut self.outlets {
            if let Some(old) = old.outlets.iter_mut().find(|old| old.outlet.rate() == new.outlet.rate()) {
                mem::swap(new, old);
            }
        }
        for new in &mut self.lines {
            if let Some(old) = old.lines.iter_mut().find(|old| old.encoding() == new.encoding()) {
                new.succeed(old);
            }
        }
    }

    /// Goes on with the streams of `old`, which go on elsewhere too.
    pub fn branch_off(&mut self, old: &Self) {
        self.inherited = true;
        self.mixdown.clone_from(&old.mixdown);
        for new in &mut self.outlets {
            if let Some(old) = old.outlet(new.outlet.rate()) {
                new.copy(old);
            }
        }
        for new in &mut self.lines {
            if let Some(line) = old.find(new.encoding()) {
                let recent = old.outlet(new.rate()).and_then(|shared| shared.recent.as_ref());
                new.branch_off(&old.lines[line], recent);
            }
        }
    }

    fn outlet(&self, rate: SampleRate) -> Option<&SharedOutlet> {
        self.outlets.iter().find(|shared| shared.outlet.rate() == rate)
    }
}

impl SharedOutlet {
    fn copy(&mut self, other: &Self) {
        self.outlet.clone_from(&other.outlet);
        if let (Some(new), Some(old)) = (&mut self.recent, &other.recent) {
            new.copy(old);
        }
    }
}
