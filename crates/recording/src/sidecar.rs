//! What is known of a recording besides its audio.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::journal::Line;
use crate::output::Extent;
use crate::{FileName, Link, Outline, Peaks, Placed, Sha256, TrackId};

/// Entries and spans that are kept of one recording: some for each second of a day.
const MAX_ENTRIES: usize = 200_000;

/// Why there is silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// What was to be recorded never came, e.g. since the disk was too slow.
    Gap,
    /// The recording was paused.
    Paused,
}

/// Silence in all tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Why.
    pub why: Silence,
    /// Where it begins, in samples.
    pub from_sample: u64,
    /// How long it is, in samples.
    pub samples: u64,
}

/// What is known of a track.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackRecord {
    /// Where its first frame is, in samples; before that, it is silent.
    pub from_sample: u64,
    /// How loud it is.
    pub peaks: Peaks,
}

/// A finished file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Which.
    pub name: FileName,
    /// Its size.
    pub bytes: u64,
    /// The sum of its content.
    pub sha256: Sha256,
}

/// A finished recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What it was to hold.
    pub outline: Outline,
    /// Its length: samples of each channel, at the outline's rate.
    pub samples: u64,
    /// The main file, and the tracks where they are kept.
    pub files: Vec<StoredFile>,
    /// The sum that vouches for all of its audio and for the main file.
    pub chain_head: Sha256,
    /// Whether its process ended before it did, so that up to a second may be lost at its end.
    pub recovered: bool,
}

impl Finished {
    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.samples * 1_000_000 / u64::from(self.outline.rate.hz()))
    }
}

/// What is known of a recording besides its audio; the sidecar file holds it as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sidecar {
    /// What it was to hold.
    #[serde(flatten)]
    pub outline: Outline,
    /// Its length: samples of each channel.
    pub samples: u64,
    /// Whether its process ended before it did.
    pub recovered: bool,
    /// What happened, in the order it was told.
    pub entries: Vec<Placed>,
    /// Where all is silent, and why.
    pub spans: Vec<Span>,
    /// How many entries and spans were left out, since there were more than 200,000.
    pub left_out: u64,
    /// How loud the sum of all tracks is.
    pub mix: Peaks,
    /// The tracks.
    pub tracks: BTreeMap<TrackId, TrackRecord>,
    /// The hash chain.
    pub chain: Vec<Link>,
    /// The finished files.
    pub files: Vec<StoredFile>,
    /// The sum of the last link and of the main file.
    pub chain_head: Sha256,
    /// How far the main file was written.
    #[serde(skip)]
    pub(crate) extent: Extent,
}

impl Sidecar {
    /// That of a recording that has not begun.
    pub(crate) fn new(outline: Outline) -> Self {
        Self {
            outline,
            samples: 0,
            recovered: false,
            entries: Vec::new(),
            spans: Vec::new(),
            left_out: 0,
            mix: Peaks::default(),
            tracks: BTreeMap::new(),
            chain: Vec::new(),
            files: Vec::new(),
            chain_head: Sha256::default(),
            extent: Extent::default(),
        }
    }

    /// Reads a sidecar file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is none.
    pub fn read(file: impl io::Read) -> io::Result<Self> {
        Ok(serde_json::from_reader(io::BufReader::new(file))?)
    }

    /// What is to be told of the finished recording.
    pub fn finished(&self) -> Finished {
        Finished {
            outline: self.outline.clone(),
            samples: self.samples,
            files: self.files.clone(),
            chain_head: self.chain_head,
            recovered: self.recovered,
        }
    }

    /// Takes in what the journal says.
    pub(crate) fn learn(&mut self, line: Line) {
        let full = self.entries.len() + self.spans.len() >= MAX_ENTRIES;
        match line {
            Line::Begin { .. } => {}
            Line::Track { track, from_sample } => {
                let mut record = TrackRecord { from_sample, ..TrackRecord::default() };
                record.peaks.push_silence(self.mix.pushed());
                self.tracks.insert(track, record);
            }
            Line::Silence(span) => match self.spans.last_mut() {
                Some(last) if last.why == span.why && last.from_sample + last.samples == span.from_sample => {
                    last.samples += span.samples;
                }
                _ if full => self.left_out += 1,
                _ => self.spans.push(span),
            },
            Line::Entry(_) if full => self.left_out += 1,
            Line::Entry(entry) => self.entries.push(entry),
            Line::Link(link) => self.chain.push(link),
            Line::Checkpoint { extent, peaks, mix, tracks } => {
                self.samples = extent.samples;
                self.extent = extent;
                add(&mut self.mix, &mix, peaks);
                for (id, record) in &mut self.tracks {
                    let given = tracks.iter().find(|(track, _)| track == id);
                    add(&mut record.peaks, given.map_or(&[], |(_, peaks)| peaks), peaks);
                }
            }
        }
    }
}

/// Adds `count` peaks, which are silent when they are not given.
fn add(to: &mut Peaks, given: &[crate::Peak], count: u64) {
    for &peak in given {
        to.push(peak);
    }
    to.push_silence(count.saturating_sub(given.len() as u64));
}
