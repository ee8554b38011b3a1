//! What may happen, at random.

use std::time::Duration;

use mixminus_control::policy::{CoachVoice, Role};
use mixminus_control::{
    Action, AutomaticRecording, Await, Beep, CallChange, CallUrls, Calls, Collect, CollectKind,
    ConferenceRequest, Confirm, Destination, Dial, DialError, DialMusic, DialTerms, Document, EventGroup,
    FetchError, Heard, HttpMethod, Instruction, LegEnd, Legs, Likelihood, MachineDetection,
    ParticipantChange, PlayKind, Playback, PromptContent, Record, RecordChange, RecordSpan, RecordingFormat,
    RecordingTerms, RecordingTrack, Refusal, Repeat, Report, Sound, SpeechModel, SpeechTerms, StatusCallback,
    StreamAudience, StreamFormat, StreamNews, StreamState, StreamTerms, StreamTrack, Turn,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::world::{document, request};

/// Most participants of every conference.
pub const MAX_PARTICIPANTS: usize = 3;
const GROUPS: [EventGroup; 5] = [
    EventGroup::Conference,
    EventGroup::Participant,
    EventGroup::Talking,
    EventGroup::Digits,
    EventGroup::AddParticipant,
];

/// One thing that happens. An [`Index`] is into whatever there is by then.
#[derive(Clone, Debug)]
pub enum Step {
    /// A call to the built-in application.
    CallRoom(&'static str, Role),
    /// A call that asks for a document.
    CallService(CallUrls),
    /// A document comes, or does not; `true` leaves it to come once more.
    Fetched(Index, Result<Document, FetchError>, bool),
    /// A document comes for the second time.
    FetchedAgain(Index, Document),
    Dialled(Index),
    NotDialled(Index, DialError),
    /// What one of those far ends does that can.
    FarEnd(Index, FarEnd),
    /// What is heard of a far end that is gone by now.
    Late(Index, FarEnd),
    PromptEnds(Index),
    /// A far end hands its place over to somebody who is called, or to the party of another leg.
    HandsOver(Index, Option<Index>),
    /// A recording that was stopped is whole, or has failed.
    Written(Index, bool),
    /// One that goes on cannot be written any more.
    FileBreaks(Index),
    /// A recogniser tells something.
    Hears(Index, Heard),
    /// What becomes of one of the streams that there ever were.
    Streamed(Index, StreamNews),
    Pass(Duration),
    /// One of the bridges has no room, or none of them.
    Crowd(Option<Index>),
    Ask(Ask),
}

#[derive(Clone, Copy, Debug)]
pub enum FarEnd {
    Rings,
    /// Before it answers.
    IsHeard,
    Answers,
    Ends(LegEnd),
    Talks(bool),
    Presses(char),
}

/// A request without the ids, which are not known yet.
#[derive(Clone, Debug)]
pub enum Ask {
    Conference(Room, Change),
    Invite(Room, Box<ConferenceRequest>, Option<Box<(Vec<Destination>, DialTerms)>>, Index),
    Place(Box<Calls>),
    /// The `bool` says whether only a live call is meant.
    Call(Index, bool, CallChange),
    Cancel(Index),
}

#[derive(Clone, Debug)]
pub enum Room {
    Named(&'static str),
    Live(Index),
    /// Live or ended.
    Known(Index),
}

/// Everybody, or some of those inside, or anybody who ever was anywhere.
#[derive(Clone, Debug)]
pub enum People {
    All,
    Inside(Vec<Index>),
    Anybody(Index),
}

#[derive(Clone, Debug)]
pub enum Change {
    Start,
    End,
    Update(People, ParticipantChange),
    Kick(People),
    Play(People, PlayKind, bool),
    StopPlaying(People, PlayKind),
    /// Of all, or of one of those inside.
    Record(Option<Index>, RecordingTerms),
    KeepRecording(Option<Index>, RecordChange),
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..200)
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        3 => (name(), role()).prop_map(|(name, role)| Step::CallRoom(name, role)),
        9 => call_urls().prop_map(Step::CallService),
        16 => (index(), fetched(), any::<bool>()).prop_map(|(at, result, again)| Step::Fetched(at, result, again)),
        1 => (index(), a_document()).prop_map(|(at, document)| Step::FetchedAgain(at, document)),
        14 => index().prop_map(Step::Dialled),
        1 => (index(), select(vec![DialError::InvalidAddress, DialError::NoRoom]))
            .prop_map(|(at, reason)| Step::NotDialled(at, reason)),
        20 => (index(), far_end()).prop_map(|(at, does)| Step::FarEnd(at, does)),
        1 => (index(), far_end()).prop_map(|(at, does)| Step::Late(at, does)),
        5 => index().prop_map(Step::PromptEnds),
        4 => (index(), prop::option::weighted(0.3, index())).prop_map(|(at, other)| Step::HandsOver(at, other)),
        4 => (index(), recognised()).prop_map(|(at, heard)| Step::Hears(at, heard)),
        2 => (index(), stream_news()).prop_map(|(at, news)| Step::Streamed(at, news)),
        8 => select(vec![0, 150, 150, 600, 600, 600, 2_000, 2_000, 6_000, 11_000, 61_000])
            .prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        4 => (index(), prop::bool::weighted(0.9)).prop_map(|(at, written)| Step::Written(at, written)),
        1 => index().prop_map(Step::FileBreaks),
        1 => any::<Option<Index>>().prop_map(Step::Crowd),
        20 => ask().prop_map(Step::Ask),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["room", "room", "hall", "yard"])
}

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Agent, Role::AiAgent, Role::Customer, Role::Supervisor])
}

fn kind() -> impl Strategy<Value = PlayKind> {
    select(vec![PlayKind::File, PlayKind::Speech])
}

fn to(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn maybe(path: &'static str) -> impl Strategy<Value = Option<Action>> {
    any::<bool>().prop_map(move |wanted| wanted.then(|| to(path)))
}

fn call_urls() -> impl Strategy<Value = CallUrls> {
    (maybe("fallback"), maybe("ring"), maybe("hangup"), maybe("progress"))
        .prop_map(|(fallback, ring, hangup, progress)| CallUrls { fallback, ring, hangup, progress })
}

fn far_end() -> impl Strategy<Value = FarEnd> {
    let ends = vec![
        LegEnd::HungUp,
        LegEnd::HungUp,
        LegEnd::Canceled,
        LegEnd::Failed { status: 486 },
        LegEnd::Failed { status: 503 },
        LegEnd::MediaTimeout,
        LegEnd::Evicted,
    ];
    prop_oneof![
        3 => Just(FarEnd::Rings),
        4 => Just(FarEnd::IsHeard),
        8 => Just(FarEnd::Answers),
        2 => select(ends).prop_map(FarEnd::Ends),
        3 => any::<bool>().prop_map(FarEnd::Talks),
        3 => select(vec!['1', '2', '*', '#']).prop_map(FarEnd::Presses),
    ]
}

fn fetched() -> impl Strategy<Value = Result<Document, FetchError>> {
    prop_oneof![
        30 => a_document().prop_map(Ok),
        1 => Just(Err(FetchError::Unreachable("gone".into()))),
        1 => Just(Err(FetchError::Invalid("no document".into()))),
    ]
}

fn a_document() -> impl Strategy<Value = Document> {
    prop_oneof![1 => Just(Vec::new()), 30 => vec(instruction(), 1..5)].prop_map(document)
}

fn heard() -> impl Strategy<Value = Instruction> {
    let repeat = select(vec![Repeat::Times(1), Repeat::Forever]);
    let speech = |repeat| Instruction::Speak {
        text: "hello".into(),
        voice: "WOMAN".into(),
        language: "en-US".into(),
        repeat,
    };
    prop_oneof![
        repeat.clone().prop_map(speech),
        repeat.prop_map(|repeat| Instruction::Play { url: "http://app/a.mp3".into(), repeat }),
        select(vec![0, 500, 20_000]).prop_map(|ms| Instruction::Wait { length: Duration::from_millis(ms) }),
        any::<[bool; 2]>().prop_map(|[silence, beep]| {
            let seconds = Duration::from_secs;
            let beep = beep.then(|| Beep {
                shortest: seconds(1),
                longest_gap: seconds(1),
                silence_after: seconds(1),
                weakest: 256,
            });
            Instruction::Await(Await { silence: silence.then(|| seconds(2)), beep, longest: seconds(9) })
        }),
    ]
}

fn instruction() -> impl Strategy<Value = Instruction> {
    prop_oneof![
        6 => joining().prop_map(|request| Instruction::Conference(Box::new(request))),
        3 => heard(),
        2 => collect().prop_map(|collect| Instruction::Collect(Box::new(collect))),
        2 => record().prop_map(|record| Instruction::Record(Box::new(record))),
        4 => dial().prop_map(|dial| Instruction::Dial(Box::new(dial))),
        1 => (digits(), any::<bool>()).prop_map(|(digits, at_once)| Instruction::SendDigits { digits, at_once }),
        1 => vec(heard(), 0..3).prop_map(Instruction::BeforeAnswer),
        1 => Just(Instruction::Redirect(to("next"))),
        1 => any::<bool>().prop_map(|waits| Instruction::Stream { terms: Box::new(stream()), waits }),
        1 => (any::<Option<bool>>(), select(vec![None, Some(Duration::from_secs(1)), Some(Duration::from_mins(2))]))
            .prop_map(|(busy, after)| Instruction::HangUp {
                refusal: busy.map(|busy| if busy { Refusal::Busy } else { Refusal::Declined }),
                after,
            }),
    ]
}

fn stream() -> StreamTerms {
    StreamTerms {
        url: "wss://app/s".into(),
        track: StreamTrack::Both,
        format: StreamFormat::Mulaw,
        audience: Some(StreamAudience::Caller),
        denoised: None,
        longest: Duration::from_mins(1),
        headers: None,
        callback: Some(to("stream")),
    }
}

fn stream_news() -> impl Strategy<Value = StreamNews> {
    prop_oneof![
        3 => Just(StreamNews::Connected),
        1 => Just(StreamNews::Degraded),
        1 => digits().prop_map(StreamNews::Digits),
        1 => select(vec![StreamState::Stopped, StreamState::Dropped]).prop_map(StreamNews::Ended),
    ]
}

fn digits() -> impl Strategy<Value = String> {
    select(vec!["1", "w2", "12wW3", "ww"]).prop_map(str::to_owned)
}

fn report() -> impl Strategy<Value = Option<Report>> {
    any::<Option<bool>>().prop_map(|follow| Some(Report { action: to("report"), follow: follow? }))
}

fn recognised() -> impl Strategy<Value = Heard> {
    let likely = Likelihood::new(0.5);
    let text = select(vec!["", "yes"]);
    prop_oneof![
        2 => text.clone().prop_map(move |text| Heard::Partial { text: text.into(), stability: likely }),
        2 => text.prop_map(|text| Heard::Final { text: text.into(), confidence: None }),
        2 => Just(Heard::End),
        1 => Just(Heard::Failed),
    ]
}

fn speech() -> impl Strategy<Value = SpeechTerms> {
    (select(vec![None, Some(Duration::from_secs(2))]), maybe("interim")).prop_map(|(end_timeout, interim)| {
        SpeechTerms {
            language: "en-US".into(),
            model: SpeechModel::Any,
            hints: Vec::new(),
            filters_profanity: false,
            end_timeout,
            interim,
        }
    })
}

fn collect() -> impl Strategy<Value = Collect> {
    let entry = (prop::option::of(speech()), select(vec!["123", ""]));
    (vec(heard(), 0..3), 1..3_u32, 1..3_usize, maybe("wrong"), any::<bool>(), report(), entry).prop_map(
        |(prompts, tries, max_digits, refusal_sound, beep, report, (speech, accepted))| Collect {
            total_timeout: speech.as_ref().map(|_| Duration::from_secs(15)),
            speech,
            prompts,
            tries,
            max_digits,
            first_timeout: Duration::from_secs(5),
            next_timeout: Duration::from_secs(2),
            finish_on: Some('#'),
            accepted: accepted.into(),
            refusal_sound,
            beep,
            report,
            kind: CollectKind::Digits,
        },
    )
}

fn destination() -> impl Strategy<Value = Destination> {
    let delays = select(vec![Duration::ZERO, Duration::ZERO, Duration::from_secs(3)]);
    (delays, select(vec![5, 45]), prop::option::of(digits())).prop_map(|(delay, ring, digits)| Destination {
        address: "sip:far@test".into(),
        ring_timeout: Duration::from_secs(ring),
        delay,
        ring_limit: (ring > 5).then(|| Duration::from_secs(20)),
        digits_early: ring > 5,
        digits,
        headers: Vec::new(),
        credentials: None,
    })
}

fn terms() -> impl Strategy<Value = DialTerms> {
    let confirm = (maybe("confirm"), select(vec![None, Some('1')])).prop_map(|(sound, key)| Confirm {
        key,
        sound,
        timeout: Duration::from_secs(10),
    });
    let music = select(vec![
        DialMusic::Ringing,
        DialMusic::Callee,
        DialMusic::Callee,
        DialMusic::None,
        DialMusic::Url(to("ringing")),
    ]);
    (prop::option::of(confirm), music, maybe("progress")).prop_map(|(confirm, music, progress)| DialTerms {
        from: "1415".into(),
        caller_name: None,
        confirm,
        music,
        progress,
        machine: None,
    })
}

fn dial() -> impl Strategy<Value = Dial> {
    (vec(destination(), 0..4), terms(), select(vec![30, 14_400]), report(), maybe("steps")).prop_map(
        |(destinations, terms, limit_s, report, callback)| Dial {
            destinations,
            terms,
            time_limit: Duration::from_secs(limit_s),
            end_on_star: true,
            report,
            callback,
            caller_digits: vec!["1".into(), "12".into()],
            callee_digits: vec!["#".into()],
        },
    )
}

fn sound() -> impl Strategy<Value = Sound> {
    select(vec![Sound::None, Sound::Beep1, Sound::Beep2, Sound::Url(to("bell"))])
}

fn subscriber() -> impl Strategy<Value = StatusCallback> {
    prop_oneof![
        5 => Just(StatusCallback { action: to("all"), groups: GROUPS.into() }),
        1 => select(GROUPS.to_vec())
            .prop_map(|group| StatusCallback { action: to("some"), groups: [group].into() }),
    ]
}

fn recording() -> impl Strategy<Value = RecordingTerms> {
    let track = select(vec![RecordingTrack::Mix, RecordingTrack::Party, RecordingTrack::Channels]);
    (track, maybe("recorded")).prop_map(|(track, callback)| RecordingTerms {
        format: RecordingFormat::Mp3,
        track,
        keeps_tracks: false,
        callback,
        transcript: None,
    })
}

fn record() -> impl Strategy<Value = Record> {
    let turn = (any::<bool>(), select(vec![2, 15])).prop_map(|(beep, silence_s)| {
        let silence = Duration::from_secs(silence_s);
        RecordSpan::Turn(Turn { beep, silence, finish_on: Some('#') })
    });
    let span = prop_oneof![2 => turn, 1 => Just(RecordSpan::Session), 1 => Just(RecordSpan::Connection)];
    let longest = select(vec![None, Some(Duration::from_mins(1))]);
    (recording(), span, longest, report()).prop_map(|(terms, span, longest, report)| Record {
        terms,
        span,
        longest,
        report,
    })
}

fn automatic() -> impl Strategy<Value = Option<AutomaticRecording>> {
    let one = (recording(), 1..3_usize, any::<bool>(), maybe("begins"), maybe("stops"));
    let one = one.prop_map(|(terms, min_participants, participants_too, start_sound, stop_sound)| {
        AutomaticRecording { terms, min_participants, participants_too, start_sound, stop_sound }
    });
    prop::option::weighted(0.3, one)
}

fn joining() -> impl Strategy<Value = ConferenceRequest> {
    let flags = any::<([bool; 8], bool)>();
    let longest = select(vec![Duration::from_mins(1), Duration::from_hours(4)]);
    let max_wait = select(vec![None, Some(Duration::from_secs(10))]);
    let sounds = (sound(), sound(), maybe("wait"), maybe("hold"));
    let coaches = select(vec![CoachVoice::Recorded, CoachVoice::Recorded, CoachVoice::LeftOut]);
    let told = (subscriber(), automatic(), coaches);
    (name(), role(), flags, (longest, max_wait), sounds, told, maybe("exit")).prop_map(
        |(
            name,
            role,
            flags,
            (max_duration, max_wait),
            sounds,
            (subscriber, recording, coach_voice),
            on_exit,
        )| {
            let ([coach, mute, hold, stay_alone, start_on_enter, end_on_exit, relay_digits, with], agent) =
                flags;
            let (enter_sound, exit_sound, wait_music, hold_music) = sounds;
            ConferenceRequest {
                coach,
                mute,
                hold,
                stay_alone,
                start_on_enter,
                end_on_exit: end_on_exit && with,
                relay_digits,
                max_duration,
                max_participants: MAX_PARTICIPANTS,
                enter_sound,
                exit_sound,
                wait_music,
                agent_hold_music: hold_music.clone(),
                customer_hold_music: hold_music,
                wait_for_agent: agent,
                max_wait,
                status_callback: Some(subscriber),
                on_exit: on_exit.map(|action| Report { action, follow: true }),
                recording,
                coach_voice,
                stream: (role == Role::AiAgent).then(|| {
                    let audience = Some(StreamAudience::Listeners);
                    Box::new(StreamTerms { track: StreamTrack::Heard, audience, ..stream() })
                }),
                ..request(name, role)
            }
        },
    )
}

fn room() -> impl Strategy<Value = Room> {
    prop_oneof![
        3 => name().prop_map(Room::Named),
        6 => any::<Index>().prop_map(Room::Live),
        1 => any::<Index>().prop_map(Room::Known),
    ]
}

fn people() -> impl Strategy<Value = People> {
    prop_oneof![
        2 => Just(People::All),
        6 => vec(any::<Index>(), 1..3).prop_map(People::Inside),
        1 => any::<Index>().prop_map(People::Anybody),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let update =
        any::<[Option<bool>; 3]>().prop_map(|[mute, hold, coach]| ParticipantChange { mute, hold, coach });
    prop_oneof![
        3 => Just(Change::Start),
        1 => Just(Change::End),
        10 => (people(), update).prop_map(|(people, update)| Change::Update(people, update)),
        2 => people().prop_map(Change::Kick),
        2 => (people(), kind(), any::<bool>()).prop_map(|(people, kind, mixed)| Change::Play(people, kind, mixed)),
        1 => (people(), kind()).prop_map(|(people, kind)| Change::StopPlaying(people, kind)),
        2 => (any::<Option<Index>>(), recording()).prop_map(|(of, terms)| Change::Record(of, terms)),
        2 => (any::<Option<Index>>(), select(vec![RecordChange::Pause, RecordChange::Resume, RecordChange::Stop]))
            .prop_map(|(of, change)| Change::KeepRecording(of, change)),
    ]
}

fn call_change() -> impl Strategy<Value = CallChange> {
    let legs = select(vec![Legs::This, Legs::Other, Legs::Both]);
    let play = (kind(), legs.clone(), any::<bool>()).prop_map(|(kind, legs, mixed)| CallChange::Play {
        playback: Playback {
            content: PromptContent::File("http://app/b.mp3".into()),
            repeat: Repeat::Times(1),
            length: Some(Duration::from_secs(5)),
        },
        legs,
        mixed,
        kind,
    });
    prop_oneof![
        3 => (maybe("this"), maybe("other")).prop_map(|(this, other)| CallChange::Transfer { this, other }),
        1 => Just(CallChange::HangUp),
        2 => play,
        2 => (recording(), select(vec![5, 3600]))
            .prop_map(|(terms, longest_s)| CallChange::Record(terms, Duration::from_secs(longest_s))),
        1 => Just(CallChange::StopRecording(None)),
        1 => kind().prop_map(CallChange::StopPlaying),
        1 => (digits(), legs).prop_map(|(digits, legs)| CallChange::SendDigits(digits, legs)),
        2 => Just(CallChange::Stream(Box::new(stream()))),
        1 => Just(CallChange::StopStream(None)),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let dialled = (vec(destination(), 1..4), terms()).prop_map(Box::new);
    let machine = (any::<bool>(), maybe("machine")).prop_map(|(hang_up, callback)| MachineDetection {
        hang_up,
        callback,
        time: Duration::from_secs(5),
        initial_silence: Duration::from_secs(2),
        max_greeting: Duration::from_secs(1),
        max_talkspurt: Duration::from_secs(5),
        max_talkspurts: 2,
        silence: Duration::from_millis(800),
    });
    let calls = (vec(destination(), 1..3), call_urls(), prop::option::of(machine.prop_map(Box::new)));
    let calls = calls.prop_map(|(destinations, urls, machine)| Calls {
        destinations,
        from: "1415".into(),
        caller_name: None,
        answer: to("answer"),
        urls,
        time_limit: Duration::from_mins(10),
        parent: None,
        machine,
    });
    prop_oneof![
        8 => (room(), change()).prop_map(|(room, change)| Ask::Conference(room, change)),
        6 => (room(), joining(), prop::option::of(dialled), any::<Index>())
            .prop_map(|(room, request, dialled, call)| Ask::Invite(room, Box::new(request), dialled, call)),
        2 => calls.prop_map(|calls| Ask::Place(Box::new(calls))),
        6 => (any::<Index>(), prop::bool::weighted(0.9), call_change())
            .prop_map(|(call, live, change)| Ask::Call(call, live, change)),
        1 => any::<Index>().prop_map(Ask::Cancel),
    ]
}
