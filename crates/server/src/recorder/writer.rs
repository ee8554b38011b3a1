//! Writes what the pump brings.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use mixminus_archive::{Archive, Folder};
use mixminus_control::{
    Input, Recorded, RecordingEntry, RecordingFault, RecordingFormat, RecordingId, RecordingLayout,
    RecordingRecord, StartRecording,
};
use mixminus_mixer::TapChannel;
use mixminus_recording::{Layout, Outline, Recorder, Side};
use tokio::sync::mpsc::UnboundedSender;

use super::patient::Patient;
use super::stretch::{Stretch, StretchTick};
use super::tracks::Tracks;
use super::{Writing, told};
use crate::recording_place::file_format;

/// What a writer is to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Make the files of a recording; its ticks that wait are counted.
    Begin(Box<StartRecording>, Arc<AtomicUsize>),
    /// Write ticks.
    Ticks(RecordingId, Stretch),
    /// Keep an entry about a tick.
    Note(RecordingId, Option<u64>, RecordingEntry),
    /// Finish the files.
    Finish(RecordingId),
}

/// Does one piece of work after the other, and may wait for the disk in each.
pub(super) struct Writer {
    pub work: Receiver<Work>,
    pub archive: Arc<Archive>,
    pub writing: Writing,
    /// Who learns which recordings are over.
    pub ended: UnboundedSender<Input>,
}

/// A recording that is written.
struct Open {
    recorder: Recorder<Patient<Folder>>,
    tracks: Tracks,
    /// What is heard on the left of a stereo recording.
    left: Option<TapChannel>,
    backlog: Arc<AtomicUsize>,
}

impl Writer {
    /// Runs until nobody gives work any more.
    pub fn run(self) {
        let mut open = HashMap::new();
        while let Ok(work) = self.work.recv() {
            self.carry_out(work, &mut open);
        }
    }

    fn carry_out(&self, work: Work, open: &mut HashMap<RecordingId, Open>) {
        match work {
            Work::Begin(start, backlog) => {
                let id = start.recording.id;
                match self.begin(&start, backlog) {
                    Ok(begun) => drop(open.insert(id, begun)),
                    Err(error) => self.fail(id, RecordingFault::Unavailable, &error),
                }
            }
            Work::Ticks(id, stretch) => {
                if let Some(Err(error)) = open.get_mut(&id).map(|open| open.write(&stretch)) {
                    open.remove(&id);
                    self.fail(id, RecordingFault::Storage, &error);
                }
            }
            Work::Note(id, tick, entry) => {
                if let Some(open) = open.get_mut(&id) {
                    open.note(tick, entry);
                }
            }
            Work::Finish(id) => {
                if let Some(open) = open.remove(&id) {
                    match self.finish(id, open) {
                        Ok(recorded) => self.end(id, Ok(recorded)),
                        Err(error) => self.fail(id, RecordingFault::Storage, &error),
                    }
                }
            }
        }
    }

    fn begin(&self, start: &StartRecording, backlog: Arc<AtomicUsize>) -> io::Result<Open> {
        let outline = self.outline(start);
        let folder = self.archive.spool().folder(start.recording.id.0, outline.format);
        let recorder = Recorder::new(outline, Patient(folder))?;
        let left = match start.layout {
            RecordingLayout::Stereo { left } => Some(TapChannel::Source(left)),
            RecordingLayout::Mono => None,
        };
        Ok(Open { recorder, tracks: Tracks::default(), left, backlog })
    }

    fn outline(&self, start: &StartRecording) -> Outline {
        let RecordingRecord { format: wanted, of, .. } = &start.recording;
        let is_whole = of.conference.is_some() && of.participant.is_none();
        let is_multichannel = self.writing.multichannel_wav && *wanted == RecordingFormat::Wav && is_whole;
        let layout = match start.layout {
            RecordingLayout::Mono if is_multichannel => Layout::EachItsOwn,
            RecordingLayout::Mono => Layout::Mono,
            RecordingLayout::Stereo { .. } => Layout::Stereo,
        };
        let mut outline = Outline::new(self.writing.rate, file_format(*wanted), layout);
        outline.keep_tracks = start.keeps_tracks || self.writing.keeps_tracks;
        outline.about = about(&start.recording);
        outline
    }

    fn finish(&self, id: RecordingId, open: Open) -> io::Result<Recorded> {
        let duration = open.recorder.finish()?.duration();
        let size_bytes = self.archive.finish(id.0)?;
        Ok(Recorded { duration, size_bytes })
    }

    fn fail(&self, id: RecordingId, fault: RecordingFault, error: &io::Error) {
        tracing::error!(recording = %id, %error, "{fault}");
        self.end(id, Err(fault));
    }

    fn end(&self, recording: RecordingId, result: Result<Recorded, RecordingFault>) {
        // At the end of the process nobody may be there to learn it; the next start finds it on the disk.
        drop(self.ended.send(Input::RecordingEnded { recording, result }));
    }
}

impl Open {
    fn write(&mut self, stretch: &Stretch) -> io::Result<()> {
        stretch.ticks().try_for_each(|tick| self.tick(&tick))?;
        self.backlog.fetch_sub(stretch.len(), Ordering::Relaxed);
        Ok(())
    }

    fn tick(&mut self, tick: &StretchTick<'_>) -> io::Result<()> {
        if tick.paused {
            return self.recorder.paused(tick.number);
        }
        let Self { recorder, tracks, left, .. } = self;
        let frames = tracks.of(tick.frames(), |channel, track| {
            if *left == Some(channel) {
                recorder.place(track, Side::Left);
            }
        });
        recorder.tick(tick.number, tick.rate, &frames)
    }

    fn note(&mut self, tick: Option<u64>, entry: RecordingEntry) {
        for entry in told::entries(entry, &mut self.tracks) {
            self.recorder.mark(tick.unwrap_or_default(), entry);
        }
    }
}

/// What the sidecar says of the whole recording.
fn about(recording: &RecordingRecord) -> BTreeMap<String, String> {
    let RecordingRecord { id, account, of, started_at, .. } = recording;
    let (conference, name) = of.conference.clone().unzip();
    let facts = [
        ("recording", Some(id.to_string())),
        ("account", Some(account.to_string())),
        ("started_at_us", Some(started_at.as_micros().to_string())),
        ("conference", conference.map(|id| id.to_string())),
        ("conference_name", name),
        ("call", of.call.map(|id| id.to_string())),
    ];
    facts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
