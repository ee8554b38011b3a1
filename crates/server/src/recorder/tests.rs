//! Recordings of real media workers, in real time.

use std::io::Read;
use std::net::Ipv4Addr;

use mixminus_archive::{FileName, Format, Pace, Spool};
use mixminus_audio::{Clip, Pcm};
use mixminus_control::{
    AccountId, Recorded, RecordedFrom, RecordingFault, RecordingFormat, RecordingLayout, RecordingRecord,
    RecordingTrack, Timestamp,
};
use mixminus_media::{Media, MediaConfig};
use mixminus_mixer::{
    BridgeId, LegId, MixPlan, Plays, PromptId, SinkRoutes, SourceId, TapCapacity, TapChannel, TapId,
    TapRoutes,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::*;

const RATE: SampleRate = SampleRate::Hz8000;
const BRIDGE: BridgeId = BridgeId(1);
const PROMPT: PromptId = PromptId(2);
const TAP: TapId = TapId(3);
/// With the room that RF64 would take.
const HEADER_BYTES: usize = 80;

/// Media, a recorder, and a recording of [`TAP`] that has begun.
struct Studio {
    directory: TempDir,
    archive: Arc<Archive>,
    media: Media,
    ended: UnboundedReceiver<Input>,
    _recorder: Recorder,
}

impl Studio {
    fn new(prepare: impl FnOnce(&TempDir)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        prepare(&directory);
        let spool = Spool::open(directory.path(), None).unwrap();
        let archive = Arc::new(Archive::new(spool, None, Pace::default()));
        let max_backlog = Duration::from_secs(30);
        let writing = Writing { rate: RATE, keeps_tracks: false, multichannel_wav: false, max_backlog };
        let (recorder, ended) = Recorder::start(&archive, &writing).unwrap();
        let config = MediaConfig {
            bind_ip: Ipv4Addr::LOCALHOST.into(),
            ports: 29_000..=29_400,
            workers: 1,
            media_timeout: Duration::from_mins(1),
            max_legs: 4,
            max_busy_percent: 90,
            replay_log: None,
        };
        let media = Media::start(config).unwrap().0;
        recorder.begin(start(), media.open_tap(TAP, TapCapacity::of(1)));
        Self { directory, archive, media, ended, _recorder: recorder }
    }

    async fn told(&mut self) -> Result<Recorded, RecordingFault> {
        let told = timeout(Duration::from_secs(5), self.ended.recv()).await.unwrap().unwrap();
        let Input::RecordingEnded { recording, result } = told else { panic!("{told:?}") };
        assert_eq!(recording, start().recording.id);
        result
    }

    /// Lets `leg` hear a prompt of ones, which is recorded unless that is `paused`.
    fn route(&self, leg: LegId, paused: bool) {
        let source = SourceId::Prompt(PROMPT);
        let plan = MixPlan::compile(&[SinkRoutes { leg, hears: vec![source] }]).unwrap();
        let channels = if paused { Vec::new() } else { vec![TapChannel::Source(source)] };
        self.media.install(BRIDGE, plan.with_taps(&[TapRoutes { tap: TAP, channels, paused }]).unwrap());
    }

    fn samples(&self) -> Vec<i16> {
        let (id, main) = (start().recording.id.0, FileName::Main(Format::Wav));
        let mut bytes = Vec::new();
        self.archive.spool().edit(id, main).unwrap().read_to_end(&mut bytes).unwrap();
        let samples = bytes[HEADER_BYTES..].chunks_exact(2);
        samples.map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
    }
}

fn start() -> Box<StartRecording> {
    let (from, to) = (String::new(), String::new());
    let of = RecordedFrom { conference: None, participant: None, call: None, from, to };
    let what = (RecordingFormat::Wav, RecordingTrack::Mix);
    let id = RecordingId(Uuid::from_u128(1));
    let recording = RecordingRecord::begin(id, AccountId("MA".into()), of, what, Timestamp::default());
    Box::new(StartRecording { recording, tap: TAP, layout: RecordingLayout::Mono, keeps_tracks: false })
}

#[tokio::test]
async fn a_file_has_what_its_tap_carried_and_silence_for_as_long_as_that_was_paused() {
    let mut studio = Studio::new(|_| {});
    let (leg, _) = studio.media.open_leg().unwrap();
    let ones = Clip::new(Pcm { rate: RATE, samples: vec![1; 8_000] });
    studio.media.play(PROMPT, Arc::new(ones), Plays::Forever);
    for paused in [false, true, false] {
        studio.route(leg, paused);
        sleep(Duration::from_millis(300)).await;
    }
    studio.media.close_tap(TAP);
    let recorded = studio.told().await.unwrap();
    let samples = studio.samples();
    assert_eq!(samples.len() as u128 * 1_000, recorded.duration.as_millis() * u128::from(RATE.hz()));
    assert_eq!(samples.len() % RATE.frame_samples(), 0);
    let stretches: Vec<_> = samples.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() / 8)).collect();
    // The prompt may have begun after the tap.
    let begun = &stretches[usize::from(stretches[0].0 == 0)..];
    assert_eq!(begun.iter().map(|(value, _)| *value).collect::<Vec<_>>(), [1, 0, 1], "{stretches:?}");
    assert!(begun.iter().all(|(_, ms)| (200..1_500).contains(ms)), "{stretches:?}");
}

#[tokio::test]
async fn a_recording_whose_tap_no_plan_ever_named_is_over_all_the_same() {
    let mut studio = Studio::new(|_| {});
    studio.media.close_tap(TAP);
    assert_eq!(studio.told().await.unwrap().duration, Duration::ZERO);
}

#[tokio::test]
async fn a_directory_that_takes_no_files_is_told_at_once() {
    // A file stands where the folder of the recording would be.
    let mut studio = Studio::new(|directory| std::fs::write(directory.path().join("00"), "").unwrap());
    assert_eq!(studio.told().await, Err(RecordingFault::Unavailable));
}

#[tokio::test]
async fn what_a_dead_process_left_is_made_whole() {
    let studio = Studio::new(|_| {});
    let (leg, _) = studio.media.open_leg().unwrap();
    studio.media.play(
        PROMPT,
        Arc::new(Clip::new(Pcm { rate: RATE, samples: vec![1; 8_000] })),
        Plays::Forever,
    );
    studio.route(leg, false);
    sleep(Duration::from_millis(1_500)).await;
    // A copy is what a killed process leaves.
    let left = tempfile::tempdir().unwrap();
    let place = "00/00000000-0000-0000-0000-000000000001";
    std::fs::create_dir_all(left.path().join(place)).unwrap();
    for file in std::fs::read_dir(studio.directory.path().join(place)).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), left.path().join(place).join(file.file_name())).unwrap();
    }
    let archive = Archive::new(Spool::open(left.path(), None).unwrap(), None, Pace::default());
    let whole = recover(&archive, start().recording.id).unwrap().unwrap();
    assert!(whole.duration > Duration::from_millis(400), "{whole:?}");
    assert_eq!(recover(&archive, start().recording.id).unwrap(), Some(whole), "it may be called again");
    assert_eq!(recover(&archive, RecordingId(Uuid::from_u128(2))).unwrap(), None);
    studio.media.close_tap(TAP);
}
