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
/// After an error the recording is as the end of the process would have left it: drop the recorder and
/// [`recover`](crate::recover) what there is.
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
        let journal = Journal::new(storage.create(FileName::Journal)?, outline.clone())?;
        let main = match outline.layout {
            Layout::EachItsOwn => None,
            Layout::Mono | Layout::Stereo => {
                let shape = Shape { rate: outline.rate, channels };
                Some(Output::new(storage.create(FileName::Main)?, outline.format, shape)?)
            }
        };
        Ok(Self {
            storage,
            main,
            tracks: BTreeMap::new(),
            sides: BTreeMap::new(),
            mixdown: Mixdown::new(outline.rate, channels),
            mix_meter: Meter::default(),
            journal,
            chain: Chain::default(),
            first_tick: None,
            ticks: 0,
            held: None,
            outline,
        })
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
    /// `rate`, or there are more than [`MAX_TRACKS`]; or when a file cannot be written.
    pub fn tick(&mut self, tick: u64, rate: SampleRate, frames: &[(TrackId, &[i16])]) -> io::Result<()> {
        if frames.iter().any(|(_, frame)| frame.len() != rate.frame_samples()) {
            return Err(invalid("a frame is not as long as a tick"));
        }
        self.arrive(tick)?;
        for &(id, _) in frames {
            if !self.tracks.contains_key(&id) {
                self.begin_track(id)?;
            }
        }
        let silence = [0; mixminus_audio::MAX_FRAME_SAMPLES];
        for (id, track) in &mut self.tracks {
            let given = frames.iter().find(|(given, _)| given == id);
            if given.is_none() && track.silent && track.aligner.rests(rate) {
                continue;
            }
            let frame = given.map_or(&silence[..rate.frame_samples()], |&(_, frame)| frame);
            track.silent = track.aligner.next(rate, frame, &mut track.frame);
        }
        self.hold(Held::Frames)
    }

    /// Records a tick during which the recording is paused: silence of the same length.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when the tick is not later than the one before; or when a file cannot be written.
    pub fn paused(&mut self, tick: u64) -> io::Result<()> {
        self.arrive(tick)?;
        self.be_silent(Silence::Paused)
    }

    /// Notes what happened at a tick; before the first one, at the start. It is in the sidecar from the next checkpoint
    /// on.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written.
    pub fn mark(&mut self, tick: u64, entry: Entry) -> io::Result<()> {
        let ticks = self.first_tick.map_or(0, |first| tick.saturating_sub(first));
        let at_sample = self.samples(ticks);
        self.journal.note(Line::Entry(Placed { at_ms: ticks * 20, at_sample, entry }));
        self.journal.write_if_full()
    }

    /// Ends the recording behind its last tick.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn finish(mut self) -> io::Result<Finished> {
        self.end_streams();
        self.release()?;
        if let Some(link) = self.chain.end_link() {
            self.journal.note(Line::Link(link));
        }
        let mut extent = Extent { samples: self.samples(self.ticks), ..Extent::default() };
        if let Some(main) = self.main.take() {
            extent = main.finish()?;
        }
        for track in self.tracks.values_mut() {
            if let Some(output) = track.output.take() {
                output.finish()?;
            }
        }
        self.note_checkpoint(extent, self.ticks % CHECKPOINT_TICKS);
        self.journal.write()?;
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
        (0..gap).try_for_each(|_| self.be_silent(Silence::Gap))
    }

    fn begin_track(&mut self, id: TrackId) -> io::Result<()> {
        if self.tracks.len() == MAX_TRACKS {
            return Err(invalid("there are too many tracks"));
        }
        let held = u64::from(self.held.is_some());
        // Written before there is a file, so that none is left that the journal does not know.
        self.journal.note(Line::Track { track: id, from_sample: self.samples(self.ticks + held) });
        self.journal.write()?;
        let output = if self.outline.keep_tracks || self.outline.layout == Layout::EachItsOwn {
            let file = self.storage.create(FileName::Track(id))?;
            Some(Output::behind_silence(file, self.outline.rate, self.samples(self.ticks))?)
        } else {
            None
        };
        let track = Track {
            aligner: Aligner::new(self.outline.rate),
            frame: vec![0; self.outline.rate.frame_samples()],
            silent: true,
            meter: Meter::default(),
            output,
        };
        self.tracks.insert(id, track);
        Ok(())
    }

    fn be_silent(&mut self, why: Silence) -> io::Result<()> {
        self.end_streams();
        self.hold(Held::Silence(why))
    }

    /// Completes the held frames by nothing that comes later.
    fn end_streams(&mut self) {
        for track in self.tracks.values_mut() {
            track.silent = track.aligner.end(&mut track.frame);
        }
    }

    /// Writes the tick that is held, whose frames are complete, and holds the next.
    fn hold(&mut self, next: Held) -> io::Result<()> {
        self.release()?;
        self.held = Some(next);
        Ok(())
    }

    /// Writes the tick that is held, if there is one.
    fn release(&mut self) -> io::Result<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        if let Held::Silence(why) = held {
            let span = Span { why, from_sample: self.samples(self.ticks), samples: self.samples(1) };
            self.journal.note(Line::Silence(span));
        }
        self.write_frames();
        self.ticks += 1;
        if self.ticks.is_multiple_of(LINK_TICKS) {
            self.journal.note(Line::Link(self.chain.end_link().expect("a minute of ticks is no empty link")));
        }
        if self.ticks.is_multiple_of(CHECKPOINT_TICKS) { self.checkpoint() } else { Ok(()) }
    }

    fn write_frames(&mut self) {
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

    fn checkpoint(&mut self) -> io::Result<()> {
        for track in self.tracks.values_mut() {
            if let Some(output) = &mut track.output {
                output.checkpoint()?;
            }
        }
        let extent = match &mut self.main {
            Some(main) => main.checkpoint()?,
            None => Extent { samples: self.samples(self.ticks), ..Extent::default() },
        };
        self.note_checkpoint(extent, CHECKPOINT_TICKS);
        self.journal.write()
    }

    fn note_checkpoint(&mut self, extent: Extent, ticks: u64) {
        let peaks = ticks.div_ceil(PEAK_TICKS);
        let tracks = self.tracks.iter_mut().map(|(&id, track)| (id, track.meter.take(peaks as usize)));
        let tracks = tracks.filter(|(_, peaks)| !peaks.is_empty()).collect();
        let mix = self.mix_meter.take(peaks as usize);
        self.journal.note(Line::Checkpoint { extent, peaks, mix, tracks });
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
