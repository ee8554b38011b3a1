//! Takes the ticks of a bridge and writes the files of a recording.

use std::collections::BTreeMap;
use std::io;

use mixminus_audio::SampleRate;

use crate::aligner::Aligner;
use crate::chain::{Chain, LINK_TICKS};
use crate::journal::{Journal, Line};
use crate::mixdown::Mixdown;
use crate::output::{Extent, Output, Shape};
use crate::peaks::PEAK_TICKS;
use crate::recover::{channels, conclude};
use crate::{
    Entry, FileName, Finished, Format, Layout, Outline, Peak, Placed, Side, Silence, Span, Storage, TrackId,
};

/// Tracks that a recording can have. Who needs more gives new parties the ids of those who left.
pub const MAX_TRACKS: usize = 512;

/// Ticks between two checkpoints, 480 ms: with what encoders hold back, a killed process loses less than a second.
const CHECKPOINT_TICKS: u64 = 24;

/// Peaks of one track between two checkpoints.
const CHECKPOINT_PEAKS: usize = (CHECKPOINT_TICKS / PEAK_TICKS) as usize;

/// Writes a recording, tick by tick.
///
/// Every track has a frame for every tick since the first one, silence included. The main file is the limited sum of
/// the tracks as they are written. A tick's frames are written when the next one comes, and files are brought up to date
/// twice a second; nothing is kept in memory for longer.
///
/// When a file cannot be written, e.g. since the disk is full, nothing is lost: what is recorded stays in memory, and each
/// further tick tries again. Who cannot wait any longer gives no more ticks for a while, which makes a gap, or drops the
/// recorder and [recovers](crate::recover) what there is.
pub struct Recorder<S: Storage> {
    storage: S,
    outline: Outline,
    main: Option<Output<S::File>>,
    tracks: BTreeMap<TrackId, Track<S::File>>,
    sides: BTreeMap<TrackId, Side>,
    mixdown: Mixdown,
    mix_meter: Meter,
    journal: Journal<S::File>,
    chain: Chain,
    /// The first tick, once there was one.
    first_tick: Option<u64>,
    /// Ticks of which all is written.
    ticks: u64,
    /// What the tick after those is, if it has come.
    held: Option<Held>,
    /// How far the main file is at the last checkpoint, and whether that is not written yet.
    extent: Extent,
    behind: bool,
}

/// What there is in a tick.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Frames,
    Silence(Silence),
}

struct Track<F> {
    aligner: Aligner,
    /// The frame that is written next, and whether it is all silence.
    frame: Vec<i16>,
    silent: bool,
    meter: Meter,
    output: Option<Output<F>>,
    /// How far its file is at the last checkpoint.
    extent: Extent,
}

/// The peaks since the last checkpoint.
#[derive(Default)]
struct Meter([Peak; CHECKPOINT_PEAKS]);

impl Meter {
    fn hear(&mut self, tick: u64, frame: &[i16]) {
        let peak = &mut self.0[(tick % CHECKPOINT_TICKS / PEAK_TICKS) as usize];
        *peak = peak.with(Peak::of(frame));
    }

    /// The first `count` peaks; none, if all are silent.
    fn take(&mut self, count: usize) -> Vec<Peak> {
        let peaks = std::mem::take(&mut self.0);
        if peaks == Self::default().0 { Vec::new() } else { peaks[..count].to_vec() }
    }
}

impl<S: Storage> Recorder<S> {
    /// Begins the files of a recording.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when the outline's format cannot hold its layout,
    /// [`io::ErrorKind::Unsupported`] when the format is not built in; or when the files cannot be made.
    pub fn new(outline: Outline, mut storage: S) -> io::Result<Self> {
        if outline.layout == Layout::EachItsOwn && outline.format != Format::Wav {
            return Err(invalid("a channel for each track is for WAV only"));
        }
        let channels = channels(outline.layout);
        let main = match outline.layout {
            Layout::EachItsOwn => None,
            Layout::Mono | Layout::Stereo => {
                let shape = Shape { rate: outline.rate, channels };
                Some(Output::new(FileName::Main, outline.format, shape)?)
            }
        };
        let mut recorder = Self {
            main,
            tracks: BTreeMap::new(),
            sides: BTreeMap::new(),
            mixdown: Mixdown::new(outline.rate, channels),
            mix_meter: Meter::default(),
            journal: Journal::new(storage.create(FileName::Journal)?, outline.clone())?,
            chain: Chain::default(),
            first_tick: None,
            ticks: 0,
            held: None,
            extent: Extent::default(),
            behind: true,
            storage,
            outline,
        };
        recorder.flush()?;
        Ok(recorder)
    }

    /// Says in which channel of a stereo recording a track is heard from now on. It is the right one otherwise.
    pub fn place(&mut self, track: TrackId, side: Side) {
        self.sides.insert(track, side);
    }

    /// Records the frames of a tick, all at `rate`. The first tick begins the recording; ticks that are left out since
    /// then are a gap: silence of the same length. A track begins with its first frame, and is silent where it has none.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when the tick is not later than the one before, a frame is not of one tick at
    /// `rate`, or there are more than [`MAX_TRACKS`]: nothing is recorded then. Any other error is that of a file that
    /// cannot be written: the tick is recorded, and is in memory.
    pub fn tick(&mut self, tick: u64, rate: SampleRate, frames: &[(TrackId, &[i16])]) -> io::Result<()> {
        if frames.iter().any(|(_, frame)| frame.len() != rate.frame_samples()) {
            return Err(invalid("a frame is not as long as a tick"));
        }
        let new = frames.iter().filter(|(id, _)| !self.tracks.contains_key(id));
        if self.tracks.len() + new.count() > MAX_TRACKS {
            return Err(invalid("there are too many tracks"));
        }
        self.arrive(tick)?;
        for &(id, _) in frames {
            if !self.tracks.contains_key(&id) {
                self.begin_track(id);
            }
        }
        self.hear(rate, frames);
        self.hold(Held::Frames);
        self.flush()
    }

    /// Records a tick during which the recording is paused: silence of the same length.
    ///
    /// # Errors
    ///
    /// As those of a [tick](Self::tick).
    pub fn paused(&mut self, tick: u64) -> io::Result<()> {
        self.arrive(tick)?;
        self.be_silent(Silence::Paused);
        self.flush()
    }

    /// Notes what happened at a tick; before the first one, at the start. It is in the sidecar from the next checkpoint
    /// on.
    pub fn mark(&mut self, tick: u64, entry: Entry) {
        let ticks = self.first_tick.map_or(0, |first| tick.saturating_sub(first));
        let at_sample = self.samples(ticks);
        self.journal.note(Line::Entry(Placed { at_ms: ticks * 20, at_sample, entry }));
    }

    /// Writes what should have been written before, if anything.
    ///
    /// # Errors
    ///
    /// When a file still cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.behind {
            return Ok(());
        }
        self.journal.write_tracks()?;
        for track in self.tracks.values_mut() {
            if let Some(output) = &mut track.output {
                output.write(&mut self.storage, &track.extent)?;
            }
        }
        if let Some(main) = &mut self.main {
            main.write(&mut self.storage, &self.extent)?;
        }
        self.journal.write()?;
        self.behind = false;
        Ok(())
    }

    /// Ends the recording behind its last tick.
    ///
    /// # Errors
    ///
    /// When a file cannot be written; [`recover`](crate::recover) makes whole what there is. Who wants to lose nothing
    /// calls [`flush`](Self::flush) first until that succeeds.
    pub fn finish(mut self) -> io::Result<Finished> {
        self.end_streams();
        self.release();
        if let Some(link) = self.chain.end_link() {
            self.journal.note(Line::Link(link));
        }
        self.settle(Output::finish, self.ticks % CHECKPOINT_TICKS);
        self.flush()?;
        conclude(&mut self.storage, self.journal.into_sidecar())
    }

    fn samples(&self, ticks: u64) -> u64 {
        ticks * self.outline.rate.frame_samples() as u64
    }

    /// Fills the time since the last tick.
    fn arrive(&mut self, tick: u64) -> io::Result<()> {
        let first = *self.first_tick.get_or_insert(tick);
        let next = first + self.ticks + u64::from(self.held.is_some());
        let gap =
            tick.checked_sub(next).ok_or_else(|| invalid("the tick is not later than the one before"))?;
        for _ in 0..gap {
            self.be_silent(Silence::Gap);
            // Whether that fails is told at the end of the tick, when it is tried again.
            self.flush().ok();
        }
        Ok(())
    }

    fn begin_track(&mut self, id: TrackId) {
        let kept = self.outline.keep_tracks || self.outline.layout == Layout::EachItsOwn;
        let silence = self.samples(self.ticks);
        let output = kept.then(|| Output::behind_silence(FileName::Track(id), self.outline.rate, silence));
        let track = Track {
            aligner: Aligner::new(self.outline.rate),
            frame: vec![0; self.outline.rate.frame_samples()],
            silent: true,
            meter: Meter::default(),
            output,
            extent: Extent::default(),
        };
        self.tracks.insert(id, track);
        let held = u64::from(self.held.is_some());
        self.journal.note(Line::Track { track: id, from_sample: self.samples(self.ticks + held) });
    }

    /// Completes the held frames by what comes next.
    fn hear(&mut self, rate: SampleRate, frames: &[(TrackId, &[i16])]) {
        let silence = [0; mixminus_audio::MAX_FRAME_SAMPLES];
        for (id, track) in &mut self.tracks {
            let given = frames.iter().find(|(given, _)| given == id);
            if given.is_none() && track.silent && track.aligner.rests(rate) {
                continue;
            }
            let frame = given.map_or(&silence[..rate.frame_samples()], |&(_, frame)| frame);
            track.silent = track.aligner.next(rate, frame, &mut track.frame);
        }
    }

    fn be_silent(&mut self, why: Silence) {
        self.end_streams();
        self.hold(Held::Silence(why));
    }

    /// Completes the held frames by nothing that comes later.
    fn end_streams(&mut self) {
        for track in self.tracks.values_mut() {
            track.silent = track.aligner.end(&mut track.frame);
        }
    }

    /// Encodes the tick that is held, whose frames are complete, and holds the next.
    fn hold(&mut self, next: Held) {
        self.release();
        self.held = Some(next);
    }

    /// Encodes the tick that is held, if there is one.
    fn release(&mut self) {
        let Some(held) = self.held.take() else { return };
        if let Held::Silence(why) = held {
            let span = Span { why, from_sample: self.samples(self.ticks), samples: self.samples(1) };
            self.journal.note(Line::Silence(span));
        }
        self.encode_frames();
        self.ticks += 1;
        if self.ticks.is_multiple_of(LINK_TICKS) {
            self.journal.note(Line::Link(self.chain.end_link().expect("a minute of ticks is no empty link")));
        }
        if self.ticks.is_multiple_of(CHECKPOINT_TICKS) {
            self.settle(Output::settle, CHECKPOINT_TICKS);
        }
    }

    fn encode_frames(&mut self) {
        for (id, track) in &mut self.tracks {
            if let Some(output) = &mut track.output {
                output.encode(&track.frame);
            }
            if !track.silent {
                track.meter.hear(self.ticks, &track.frame);
                self.mixdown.add(self.sides.get(id).copied().unwrap_or_default(), &track.frame);
            }
        }
        let mix = self.mixdown.finish();
        self.mix_meter.hear(self.ticks, mix);
        let bytes: Vec<_> = mix.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.chain.add(self.outline.rate.frame_samples() as u64, &bytes);
        if let Some(main) = &mut self.main {
            main.encode(mix);
        }
    }

    /// Makes a checkpoint, `ticks` after the last one, of all that is encoded.
    fn settle(&mut self, complete: fn(&mut Output<S::File>) -> Extent, ticks: u64) {
        let peaks = ticks.div_ceil(PEAK_TICKS);
        let mut tracks = Vec::new();
        for (&id, track) in &mut self.tracks {
            if let Some(output) = &mut track.output {
                track.extent = complete(output);
            }
            tracks.push((id, track.meter.take(peaks as usize)));
        }
        tracks.retain(|(_, peaks)| !peaks.is_empty());
        let samples = self.samples(self.ticks);
        self.extent = self.main.as_mut().map_or(Extent { samples, ..Extent::default() }, complete);
        let mix = self.mix_meter.take(peaks as usize);
        self.journal.note(Line::Checkpoint { extent: self.extent, peaks, mix, tracks });
        self.behind = true;
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
