//! A stream of payloads that many legs share.

use std::mem;

use mixminus_audio::SampleRate;
use mixminus_codec::{Encoder, Encoding, Format, MAX_PAYLOAD_BYTES};

use crate::recent::Recent;

/// For how many ticks, one second, two encoders must have heard the same before a leg goes over from one to the
/// other. Shorter, and each breath would bring a talker back for a moment, and what the two remember of different
/// audio could be heard; longer, and more legs need an encoder of their own.
pub(crate) const HANG_TICKS: u64 = 50;

/// How many legs may leave in one tick with an encoder that was primed; others begin with one that was reset. More,
/// and a tick in which many begin to speak at once takes too long.
const PRIMES_PER_TICK: usize = 8;

/// What legs of one encoding are sent who hear the same and say nothing.
#[derive(Debug)]
pub(crate) struct Line {
    encoding: Encoding,
    encoder: Encoder,
    /// For an encoder that remembers what it heard.
    succession: Option<Succession>,
    /// How many legs are sent its payloads.
    users: usize,
    /// A leg would join if its own mix were the same.
    wanted: bool,
    primes: usize,
    size_bytes: usize,
    payload: [u8; MAX_PAYLOAD_BYTES],
}

/// How legs come to share an encoder that remembers what it heard.
///
/// Nothing that a leg is sent may depend, not in one bit, on what it was not allowed to hear, nor on when others who
/// were there before it spoke. So it joins only an encoder that began after it had come, for which it waits as long
/// whatever was said: some time after an arrival a successor begins beside the encoder, and takes its place for all once
/// it has run for long enough.
#[derive(Debug)]
struct Succession {
    /// In which tick the encoder began, if it has run ever since.
    born: Option<u64>,
    successor: Encoder,
    /// In which tick the successor began, if it runs.
    successor_born: Option<u64>,
    /// Whether it runs for those who have come, and not for those who have fallen silent.
    for_arrivals: bool,
    /// In which ticks the first and the last one came for whom no successor has begun.
    arrivals: Option<(u64, u64)>,
    /// How many have fallen silent and find no encoder to join.
    waiting: usize,
}

impl Succession {
    fn new(encoding: Encoding) -> Self {
        Self {
            born: None,
            successor: Encoder::new(encoding),
            successor_born: None,
            for_arrivals: false,
            arrivals: None,
            waiting: 0,
        }
    }

    /// Begins `tick`, with so many `users` of the `encoder`.
    fn begin(&mut self, tick: u64, users: usize, encoder: &mut Encoder) {
        if users == 0 {
            self.born = None;
        }
        if self.successor_born.is_some_and(|born| born + HANG_TICKS <= tick) {
            mem::swap(encoder, &mut self.successor);
            self.born = self.successor_born.take();
            // Whether they join it is seen now.
            self.waiting = 0;
        }
        let waiting = mem::take(&mut self.waiting);
        let busy = self.successor_born.is_some();
        match self.arrivals {
            Some((first, last)) if first + HANG_TICKS <= tick && !(busy && self.for_arrivals) => {
                self.arrivals = (last + HANG_TICKS > tick).then_some((last, last));
                self.start(tick, true);
            }
            None if !busy && waiting > 0 && waiting + users > 1 => self.start(tick, false),
            _ => {}
        }
    }

    fn start(&mut self, tick: u64, for_arrivals: bool) {
        self.successor.reset();
        (self.successor_born, self.for_arrivals) = (Some(tick), for_arrivals);
    }
}

impl Line {
    /// A line that nobody uses.
    pub fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            encoder: Encoder::new(encoding),
            succession: remembers(encoding).then(|| Succession::new(encoding)),
            users: 0,
            wanted: false,
            primes: PRIMES_PER_TICK,
            size_bytes: 0,
            payload: [0; MAX_PAYLOAD_BYTES],
        }
    }

    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub fn rate(&self) -> SampleRate {
        self.encoding.format().sample_rate()
    }

    /// Begins `tick`.
    pub fn begin(&mut self, tick: u64) {
        self.wanted = false;
        self.primes = PRIMES_PER_TICK;
        if let Some(succession) = &mut self.succession {
            succession.begin(tick, self.users, &mut self.encoder);
        }
    }

    /// Notes that a leg comes in `tick` that may join later.
    pub fn expect(&mut self, tick: u64) {
        if let Some(succession) = &mut self.succession {
            let first = succession.arrivals.map_or(tick, |(first, _)| first);
            succession.arrivals = Some((first, tick));
        }
    }

    /// For how long a leg must have heard what is encoded here before it joins.
    pub const fn hang_ticks(&self) -> u64 {
        if self.succession.is_some() { HANG_TICKS } else { 0 }
    }

    /// Notes that a leg has heard that for long enough.
    pub const fn want(&mut self) {
        self.wanted = true;
    }

    /// Lets a leg join that came in tick `since` and hears just what is encoded here; or lets it wait.
    pub fn join(&mut self, since: u64) -> bool {
        if let Some(succession) = &mut self.succession
            && succession.born.is_none_or(|born| born < since + HANG_TICKS)
        {
            succession.waiting += 1;
            return false;
        }
        self.users += 1;
        true
    }

    /// Lets a leg stay that was with this line's predecessor.
    pub const fn keep(&mut self) {
        self.users += 1;
    }

    /// Lets a leg leave whose stream goes on with its `own` encoder. `recent` is what was encoded last.
    pub fn leave(&mut self, own: &mut Encoder, recent: Option<&Recent>) {
        self.users -= 1;
        let bare = |encoding: Encoding| encoding.with_expected_loss(0);
        if own.continue_from(&self.encoder) || own.encoding().format() != self.encoding.format() {
            return;
        }
        if self.users == 0 && bare(own.encoding()) == bare(self.encoding) {
            let expected_loss = own.encoding().expected_loss_percent();
            mem::swap(own, &mut self.encoder);
            own.expect_loss(expected_loss);
            self.encoder.expect_loss(self.encoding.expected_loss_percent());
        } else if let Some(recent) = recent.filter(|_| self.primes > 0) {
            self.primes -= 1;
            recent.prime(own);
        } else {
            own.reset();
        }
        if let Some(succession) = self.succession.as_mut().filter(|_| self.users == 0) {
            succession.born = None;
        }
    }

    /// Whether anything is to be made of what is heard in this tick. From an arrival on it is, so that a successor begins
    /// with filters and a limiter that have heard the same whoever shared before.
    pub fn is_needed(&self) -> bool {
        let succession = self.succession.as_ref();
        let expects = |is: &Succession| is.successor_born.is_some() || is.arrivals.is_some();
        self.users > 0 || self.wanted || succession.is_some_and(expects)
    }

    /// Encodes what is heard in this tick.
    pub fn encode(&mut self, frame: &[i16]) {
        if self.users > 0 {
            self.size_bytes = self.encoder.encode(frame, &mut self.payload);
        }
        if let Some(succession) = &mut self.succession
            && succession.successor_born.is_some()
        {
            succession.successor.encode(frame, &mut [0; MAX_PAYLOAD_BYTES]);
        }
    }

    /// What was encoded last.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        &self.payload[..self.size_bytes]
    }

    /// Goes on with the stream of `old`, which has the same encoding and ends.
    pub fn succeed(&mut self, old: &mut Self) {
        mem::swap(&mut self.encoder, &mut old.encoder);
        mem::swap(&mut self.succession, &mut old.succession);
    }

    /// Goes on with the stream of `old`, which has the same encoding and goes on elsewhere. `recent` is what was
    /// encoded last.
    pub fn branch_off(&mut self, old: &Self, recent: Option<&Recent>) {
        if !self.encoder.continue_from(&old.encoder)
            && let Some(recent) = recent
        {
            recent.prime(&mut self.encoder);
        }
        if let (Some(new), Some(old)) = (&mut self.succession, &old.succession) {
            (new.born, new.arrivals) = (old.born, old.arrivals);
        }
    }
}

/// Whether what an encoder makes of a frame depends on the frames before.
pub(crate) fn remembers(encoding: Encoding) -> bool {
    match encoding.format() {
        Format::Pcmu | Format::Pcma | Format::L16(_) => false,
        Format::G722 | Format::Opus(_) => true,
    }
}
