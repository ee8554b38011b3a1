//! What is known of a recording, as it becomes known: lines of JSON that are only added to.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

use crate::output::Extent;
use crate::{Link, Outline, Peak, Placed, Sidecar, Span, TrackId};

/// The longest line that is read: a checkpoint of the most tracks is well below.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Lines that wait in memory; entries beyond are counted only.
const MAX_DUE_LINES: usize = 16_384;

/// One line. What stands before a checkpoint is taken in with it, and what comes after the last one is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(crate) enum Line {
    /// The first line.
    Begin { outline: Outline },
    /// A track began.
    Track { track: TrackId, from_sample: u64 },
    /// There is silence in all tracks.
    Silence(Span),
    /// Something happened.
    Entry(Placed),
    /// A minute is over.
    Link(Link),
    /// The files hold all that was recorded so far.
    Checkpoint {
        /// How far the main file is written.
        #[serde(flatten)]
        extent: Extent,
        /// How many peaks there are since the last checkpoint.
        peaks: u64,
        /// Those of the sum of all tracks, and of each, where it is not silent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mix: Vec<Peak>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tracks: Vec<(TrackId, Vec<Peak>)>,
    },
}

/// The journal of a recording that goes on.
pub(crate) struct Journal<F> {
    file: F,
    written_bytes: u64,
    sidecar: Sidecar,
    tracks: Vec<Line>,
    due: Vec<Line>,
}

impl<F: Write + Seek> Journal<F> {
    /// Begins a journal in an empty file.
    pub(crate) fn new(file: F, outline: Outline) -> io::Result<Self> {
        let due = vec![Line::Begin { outline: outline.clone() }];
        let mut journal =
            Self { file, written_bytes: 0, sidecar: Sidecar::new(outline), tracks: Vec::new(), due };
        journal.write()?;
        Ok(journal)
    }

    /// Notes what is to be written when the files hold all that was recorded so far.
    pub(crate) fn note(&mut self, line: Line) {
        match line {
            Line::Track { .. } => self.tracks.push(line),
            Line::Entry(_) if self.due.len() >= MAX_DUE_LINES => self.sidecar.left_out += 1,
            _ => self.due.push(line),
        }
    }

    /// Writes which tracks there are: before they have files, so that none is left that the journal does not know.
    pub(crate) fn write_tracks(&mut self) -> io::Result<()> {
        let text = text(&self.tracks)?;
        self.append(&text)?;
        self.tracks.drain(..).for_each(|line| self.sidecar.learn(line));
        Ok(())
    }

    /// Writes all that is noted.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let text = text(&self.due)?;
        self.append(&text)?;
        self.due.drain(..).for_each(|line| self.sidecar.learn(line));
        Ok(())
    }

    /// What a failure left of an earlier try is overwritten.
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.written_bytes))?;
        self.file.write_all(text)?;
        self.file.flush()?;
        self.written_bytes += text.len() as u64;
        Ok(())
    }

    /// What is known when all is written.
    pub(crate) fn into_sidecar(self) -> Sidecar {
        self.sidecar
    }
}

fn text(lines: &[Line]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// What a journal tells, up to its last checkpoint, and the tracks that began after that. None when it does not even say
/// what was to be recorded.
pub(crate) fn replay(file: impl Read) -> io::Result<Option<(Sidecar, Vec<TrackId>)>> {
    let mut file = BufReader::new(file);
    let Some(Line::Begin { outline }) = next(&mut file)? else {
        return Ok(None);
    };
    let mut sidecar = Sidecar::new(outline);
    let mut due = Vec::new();
    while let Some(line) = next(&mut file)? {
        let checkpoint = matches!(line, Line::Checkpoint { .. });
        due.push(line);
        if checkpoint {
            due.drain(..).for_each(|line| sidecar.learn(line));
        }
    }
    let begun =
        due.iter().filter_map(|line| if let Line::Track { track, .. } = line { Some(*track) } else { None });
    Ok(Some((sidecar, begun.collect())))
}

/// The next line; None at the end and at a line that was not written whole.
fn next(file: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut text = Vec::new();
    file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut text)?;
    Ok(text.ends_with(b"\n").then(|| serde_json::from_slice(&text).ok()).flatten())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use mixminus_audio::SampleRate;

    use super::*;
    use crate::{Format, Layout, Silence};

    fn checkpoint(samples: u64) -> Line {
        let extent = Extent { samples, ..Extent::default() };
        Line::Checkpoint { extent, peaks: 6, mix: vec![Peak(-1, 2)], tracks: vec![(TrackId(3), vec![])] }
    }

    #[test]
    fn a_journal_cut_off_anywhere_is_read_up_to_its_last_whole_checkpoint() {
        let outline = Outline::new(SampleRate::Hz8000, Format::Wav, Layout::Mono);
        let mut journal = Journal::new(Cursor::new(Vec::new()), outline).unwrap();
        let mut ends = vec![journal.file.get_ref().len()];
        for n in 1..4 {
            journal.note(Line::Silence(Span { why: Silence::Gap, from_sample: n * 1_000, samples: 10 }));
            journal.note(checkpoint(n * 3_840));
            journal.write().unwrap();
            ends.push(journal.file.get_ref().len());
        }
        let bytes = journal.file.get_ref().clone();
        for end in 0..=bytes.len() {
            let checkpoints = ends.iter().filter(|&&whole| whole <= end).count() as u64;
            let found = replay(&bytes[..end]).unwrap();
            let Some((sidecar, _)) = found else {
                assert_eq!(checkpoints, 0, "cut at {end}");
                continue;
            };
            assert_eq!(sidecar.samples, (checkpoints - 1) * 3_840, "cut at {end}");
            assert_eq!(sidecar.spans.len() as u64, checkpoints - 1, "cut at {end}");
        }
        assert_eq!(replay(&bytes[..]).unwrap(), Some((journal.into_sidecar(), vec![])));
    }
}
