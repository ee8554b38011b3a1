//! Plivo's XML as instructions.

use std::time::Duration;

use mixminus_control::{
    Await, Beep, Document, FetchError, Instruction, PromptContent, Prosody, Refusal, Repeat, TextMessage,
};
use mixminus_plivo::xml::{self, Element, HangupReason, Limits};

use super::input;
use super::join::{action, conference, digits, seconds};
use super::plain;
use super::sounds::spoken;
use super::stream;

/// How long a caller has to be silent for a wait to end, unless it says so: Plivo's.
const MIN_SILENCE: Duration = Duration::from_secs(2);

/// The largest sample.
const LOUDEST: u32 = 32_767;

/// What a document learns that asks for speech alone.
const NO_RECOGNISER: &str =
    "<GetInput> inputType=\"speech\" needs a speech recogniser: `speech.recogniser` is not set";

/// What there is to carry documents out with.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// What a document may ask for.
    pub limits: Limits,
    /// Whether there is a recogniser.
    pub recognises_speech: bool,
}

/// The instructions in `document`, which came from `url`. An element that is
/// not supported is logged and skipped.
///
/// # Errors
///
/// [`FetchError::Invalid`] with the parser's own words for the author.
pub fn document(document: &[u8], url: &str, means: &Means) -> Result<Document, FetchError> {
    let invalid = |error: &dyn std::fmt::Display| FetchError::Invalid(error.to_string());
    let base = url.parse().map_err(|error: url::ParseError| invalid(&error))?;
    let mut document = xml::parse(document, &base, &means.limits).map_err(|error| invalid(&error))?;
    if !means.recognises_speech {
        for element in &mut document.elements {
            without_speech(element).map_err(|()| invalid(&NO_RECOGNISER))?;
        }
    }
    Ok(Document {
        url: Some(url.to_owned()),
        instructions: document.elements.into_iter().filter_map(instruction).collect(),
    })
}

/// Leaves the digits of what may be answered with digits or words; what may not be is an error.
fn without_speech(element: &mut Element) -> Result<(), ()> {
    match element {
        Element::GetInput(question) if question.dtmf => question.speech = None,
        Element::GetInput(_) => return Err(()),
        Element::PreAnswer(elements) => return elements.iter_mut().try_for_each(without_speech),
        _ => {}
    }
    Ok(())
}

fn instruction(element: Element) -> Option<Instruction> {
    Some(match element {
        Element::MultiPartyCall(call) => Instruction::Conference(Box::new(conference(*call))),
        Element::Conference(room) => Instruction::Conference(Box::new(plain::conference(*room))),
        Element::Speak(speak) if speak.parts.is_empty() => return None,
        Element::Speak(speak) => self::speak(speak),
        Element::Play(play) => self::play(play),
        Element::Wait(wait) => self::wait(&wait),
        Element::GetDigits(question) => Instruction::Collect(Box::new(input::digits(*question))),
        Element::GetInput(question) => Instruction::Collect(Box::new(input::input(*question))),
        Element::Record(record) => Instruction::Record(Box::new(input::record(*record))),
        Element::Dial(dial) => Instruction::Dial(Box::new(input::dial(*dial))),
        Element::Stream(stream) => {
            let waits = stream.keep_call_alive;
            Instruction::Stream { terms: Box::new(stream::terms(*stream)), waits }
        }
        Element::Dtmf(dtmf) => Instruction::SendDigits { digits: digits(&dtmf.keys), at_once: dtmf.is_async },
        Element::PreAnswer(elements) => {
            Instruction::BeforeAnswer(elements.into_iter().filter_map(instruction).collect())
        }
        Element::Message(message) => Instruction::SendMessage(Box::new(TextMessage {
            from: message.src,
            to: message.dst,
            text: message.text,
            kind: message.kind,
            report: message.callback.map(action),
        })),
        Element::Redirect(target) => Instruction::Redirect(action(target)),
        Element::Hangup(hangup) => Instruction::HangUp {
            refusal: hangup.reason.map(|reason| match reason {
                HangupReason::Rejected => Refusal::Declined,
                HangupReason::Busy => Refusal::Busy,
            }),
            after: hangup.schedule_seconds.map(seconds),
        },
    })
}

fn speak(speak: xml::Speak) -> Instruction {
    let repeat = repeat(speak.repeat);
    match spoken(speak) {
        PromptContent::Speech { text, voice, language, prosody } if prosody == Prosody::default() => {
            Instruction::Speak { text, voice, language, repeat }
        }
        PromptContent::Several(contents) => Instruction::PlaySeveral { contents, repeat },
        other => Instruction::PlaySeveral { contents: vec![other], repeat },
    }
}

/// A wait for silence or a beep if it says so, and otherwise as long as it says; silent in any case.
fn wait(wait: &xml::Wait) -> Instruction {
    let length = seconds(wait.length_seconds);
    if !wait.silence && wait.beep.is_none() {
        return Instruction::Wait { length };
    }
    let ms = |ms: u32| Duration::from_millis(ms.into());
    Instruction::Await(Await {
        silence: wait.silence.then(|| wait.min_silence_ms.map_or(MIN_SILENCE, ms)),
        beep: wait.beep.map(|beep| Beep {
            shortest: ms(beep.duration_ms),
            longest_gap: ms(beep.intra_silence_ms),
            silence_after: ms(beep.inter_silence_ms),
            weakest: beep.threshold.min(LOUDEST) as u16,
        }),
        longest: length,
    })
}

fn play(play: xml::Play) -> Instruction {
    Instruction::Play { url: play.url, repeat: repeat(play.repeat) }
}

/// What is heard before an input, as instructions.
pub(super) fn prompt(prompt: xml::Prompt) -> Option<Instruction> {
    match prompt {
        xml::Prompt::Speak(said) if said.parts.is_empty() => None,
        xml::Prompt::Speak(said) => Some(speak(said)),
        xml::Prompt::Play(played) => Some(play(played)),
        xml::Prompt::Wait(wait) => Some(Instruction::Wait { length: seconds(wait.length_seconds) }),
    }
}

pub(super) const fn repeat(repeat: xml::Repeat) -> Repeat {
    match repeat {
        xml::Repeat::Times(times) => Repeat::Times(times),
        xml::Repeat::Forever => Repeat::Forever,
    }
}

#[cfg(test)]
mod tests {
    use mixminus_control::policy::{CoachVoice, Role};
    use mixminus_control::{
        Action, ConferenceKind, ConferenceRequest, Credentials, EventGroup, HttpMethod, Record, RecordSpan,
        RecordingFormat, RecordingTrack, Report, Sound, SpeechModel, SpeechTerms, StatusCallback,
        StreamAudience, StreamFormat, StreamTerms, StreamTrack, Suppression, TranscriptTerms, Turn,
    };

    use super::*;

    const URL: &str = "http://127.0.0.1:9000/answer";

    fn instructions(body: &str) -> Vec<Instruction> {
        let xml = format!("<Response>{body}</Response>");
        document(xml.as_bytes(), URL, &Means::default()).unwrap().instructions
    }

    fn post(path: &str) -> Action {
        Action { url: format!("http://127.0.0.1:9000{path}"), method: HttpMethod::Post }
    }

    #[test]
    fn a_conference_is_joined_as_the_document_says() {
        let joined = instructions(
            "<MultiPartyCall role='Supervisor' coachMode='false' mute='true' hold='true' stayAlone='true' \
             startMpcOnEnter='false' endMpcOnExit='true' relayDTMFInputs='true' maxDuration='300' maxParticipants='4' \
             enterSound='none' exitSound='/bye.wav' waitMusicUrl='/w' agentHoldMusicUrl='/a' \
             customerHoldMusicUrl='/c' waitForAgent='true' waitTime='60' onExitActionUrl='/exit' statusCallbackUrl='/s' \
             statusCallbackEvents='participant-state-changes,participant-audio-events'>room</MultiPartyCall>",
        );
        let get = |path| Some(Action { method: HttpMethod::Get, ..post(path) });
        let request = ConferenceRequest {
            kind: ConferenceKind::Supervised,
            name: "room".into(),
            role: Role::Supervisor,
            coach: false,
            mute: true,
            hold: true,
            stay_alone: true,
            start_on_enter: false,
            end_on_exit: true,
            relay_digits: true,
            max_duration: seconds(300),
            max_participants: 4,
            enter_sound: Sound::None,
            exit_sound: Sound::Url(Action { method: HttpMethod::Get, ..post("/bye.wav") }),
            wait_music: get("/w"),
            agent_hold_music: get("/a"),
            customer_hold_music: get("/c"),
            wait_for_agent: true,
            max_wait: Some(seconds(60)),
            recording: None,
            coach_voice: CoachVoice::Recorded,
            status_callback: Some(StatusCallback {
                action: post("/s"),
                groups: [EventGroup::Participant].into(),
            }),
            own_callback: None,
            leave_on_star: false,
            stream: None,
            on_exit: Some(Report { action: post("/exit"), follow: true }),
        };
        assert_eq!(joined, [Instruction::Conference(Box::new(request))]);
    }

    #[test]
    fn roles_and_event_groups_keep_their_meaning() {
        use EventGroup::{AddParticipant, Conference, Digits, Participant, Talking};
        for (name, group, known) in [
            ("agent", "mpc-state-changes", (Role::Agent, Conference)),
            ("ai-agent", "participant-speak-events", (Role::AiAgent, Talking)),
            ("customer", "participant-digit-input-events", (Role::Customer, Digits)),
            ("supervisor", "add-participant-api-events", (Role::Supervisor, AddParticipant)),
            ("Agent", "participant-state-changes", (Role::Agent, Participant)),
        ] {
            let read = instructions(&format!(
                "<MultiPartyCall role='{name}' statusCallbackUrl='/s' statusCallbackEvents='{group}'>r\
                 </MultiPartyCall>"
            ));
            let [Instruction::Conference(request)] = &read[..] else { panic!("{read:?}") };
            let groups = request.status_callback.as_ref().map(|callback| callback.groups.clone());
            assert_eq!((request.role, groups), (known.0, Some([known.1].into())));
        }
    }

    #[test]
    fn the_other_elements_become_instructions_in_order() {
        assert_eq!(
            instructions(
                "<Speak>Hi</Speak><Speak> </Speak><Play loop='0'>/a</Play><Wait length='2'/>\
                 <Hangup schedule='60' reason='rejected'/><Redirect>/n</Redirect>"
            ),
            [
                Instruction::Speak {
                    text: "Hi".into(),
                    voice: "WOMAN".into(),
                    language: "en-US".into(),
                    repeat: Repeat::Times(1),
                },
                Instruction::Play { url: post("/a").url, repeat: Repeat::Forever },
                Instruction::Wait { length: seconds(2) },
                Instruction::HangUp { refusal: Some(Refusal::Declined), after: Some(seconds(60)) },
                Instruction::Redirect(post("/n")),
            ]
        );
    }

    #[test]
    fn a_text_with_pauses_is_played_with_them() {
        let said = |text: &str| PromptContent::Speech {
            text: text.into(),
            voice: "MAN".into(),
            language: "en-US".into(),
            prosody: Prosody::default(),
        };
        let pause = |ms| PromptContent::Pause(Duration::from_millis(ms));
        let read = instructions(
            "<Speak voice='MAN' loop='2'>One<break time='250ms'/><s>two</s>three</Speak>\
             <Speak><break strength='strong'/></Speak>",
        );
        let [first, second] =
            [vec![said("One"), pause(250), said("two"), pause(400), said("three")], vec![pause(700)]];
        let several = |contents, repeat| Instruction::PlaySeveral { contents, repeat };
        assert_eq!(read, [several(first, Repeat::Times(2)), several(second, Repeat::Times(1))]);
    }

    #[test]
    fn a_message_is_sent_as_the_document_says() {
        let read = instructions("<Message src='1' dst='2&lt;3' callbackUrl='/told'>Hi</Message>");
        let message = TextMessage {
            from: "1".into(),
            to: vec!["2".into(), "3".into()],
            text: "Hi".into(),
            kind: "sms".into(),
            report: Some(post("/told")),
        };
        assert_eq!(read, [Instruction::SendMessage(Box::new(message))]);
    }

    #[test]
    fn a_wait_ends_with_silence_only_where_it_says_so() {
        let wait = |attributes: &str| instructions(&format!("<Wait length='9' {attributes}/>")).remove(0);
        let await_silence = |ms| {
            Instruction::Await(Await {
                silence: Some(Duration::from_millis(ms)),
                beep: None,
                longest: seconds(9),
            })
        };
        assert_eq!(wait("silence='true' minSilence='500'"), await_silence(500));
        assert_eq!(wait("silence='true'"), await_silence(2000));
        assert_eq!(wait("minSilence='500'"), Instruction::Wait { length: seconds(9) });
    }

    #[test]
    fn a_caller_is_asked_for_digits() {
        let [Instruction::Collect(collect)] = &instructions(
            "<GetDigits action='/d' redirect='false' numDigits='4' finishOnKey='*' retries='3' playBeep='true' \
             validDigits='12' invalidDigitsSound='/no.wav'><Speak>Hi</Speak><Speak/><Wait/></GetDigits>",
        )[..] else {
            panic!()
        };
        assert_eq!((collect.tries, collect.max_digits, collect.beep), (3, 4, true));
        assert_eq!((collect.finish_on, collect.accepted.as_str()), (Some('*'), "12"));
        assert_eq!(collect.report, Some(Report { action: post("/d"), follow: false }));
        assert_eq!(collect.refusal_sound.as_ref().map(|sound| &*sound.url), Some(&*post("/no.wav").url));
        assert_eq!(collect.prompts.len(), 2, "what says nothing is left out");
    }

    #[test]
    fn speech_alone_cannot_be_asked_for_without_a_recogniser() {
        let asked = |kinds: &str| {
            let xml = format!(
                "<Response><PreAnswer><GetInput action='/a' inputType='{kinds}'/></PreAnswer></Response>"
            );
            document(xml.as_bytes(), URL, &Means::default())
        };
        assert_eq!(asked("speech"), Err(FetchError::Invalid(NO_RECOGNISER.into())));
        let both = asked("dtmf speech").unwrap().instructions;
        let [Instruction::BeforeAnswer(early)] = &both[..] else { panic!("{both:?}") };
        assert!(matches!(&early[..], [Instruction::Collect(collect)] if collect.speech.is_none()));
    }

    #[test]
    fn a_caller_is_asked_for_words_as_the_document_says() {
        let xml = "<Response><GetInput action='/a' inputType='speech' executionTimeout='20' speechEndTimeout='3' \
                   startInputTimeout='4' language='de-DE' speechModel='phone_call' hints='ja, nein' profanityFilter='true' \
                   interimSpeechResultsCallback='/i'/></Response>";
        let means = Means { recognises_speech: true, ..Means::default() };
        let read = document(xml.as_bytes(), URL, &means).unwrap().instructions;
        let [Instruction::Collect(collect)] = &read[..] else { panic!("{read:?}") };
        let terms = SpeechTerms {
            language: "de-DE".into(),
            model: SpeechModel::Conversation,
            hints: vec!["ja".into(), "nein".into()],
            filters_profanity: true,
            end_timeout: Some(seconds(3)),
            interim: Some(post("/i")),
        };
        assert_eq!(collect.speech, Some(terms));
        assert_eq!((collect.first_timeout, collect.total_timeout), (seconds(4), Some(seconds(20))));
        assert_eq!(collect.accepted, "", "digits do not count");
    }

    #[test]
    fn others_are_called_as_the_document_says() {
        let [Instruction::Dial(dial)] = &instructions(
            "<Dial action='/d' digitsMatch='1,*2' digitsMatchBLeg='3' timeout='20' callerId='1415' hangupOnStar='true' confirmSound='/ask' sipHeaders='a=1'>\
             <Number sendDigits='1w2' sendOnPreanswer='true'>14157654321</Number>\
             <User sipHeaders='b=2' sipAuthUsername='ann' sipAuthPassword='12345678'>sip:bob@h</User></Dial>",
        )[..] else {
            panic!()
        };
        let [number, user] = &dial.destinations[..] else { panic!() };
        assert_eq!((number.address.as_str(), number.digits.as_deref()), ("14157654321", Some("1w2")));
        assert!(number.digits_early && !user.digits_early);
        assert_eq!(
            (&*dial.caller_digits, &*dial.callee_digits),
            (&["1".into(), "*2".into()][..], &["3".into()][..])
        );
        let credentials = Credentials { username: "ann".into(), password: "12345678".into() };
        assert_eq!((&number.credentials, &user.credentials), (&None, &Some(credentials)));
        assert_eq!((number.ring_timeout, user.address.as_str()), (seconds(20), "sip:bob@h"));
        let header = |name: &str, value: &str| (format!("X-PH-{name}"), value.to_owned());
        assert_eq!(user.headers, [header("a", "1"), header("b", "2")]);
        assert_eq!((dial.terms.from.as_str(), dial.end_on_star), ("1415", true));
        assert_eq!(dial.terms.confirm.as_ref().map(|confirm| confirm.key), Some(None), "any key will do");
    }

    #[test]
    fn coaches_are_recorded_unless_a_document_says_otherwise() {
        let voice = |attribute: &str| {
            let read = instructions(&format!("<MultiPartyCall role='agent' {attribute}>r</MultiPartyCall>"));
            let [Instruction::Conference(request)] = &read[..] else { panic!("{read:?}") };
            request.coach_voice
        };
        assert_eq!(voice(""), CoachVoice::Recorded);
        assert_eq!(voice("recordCoachVoice='true'"), CoachVoice::Recorded);
        assert_eq!(voice("recordCoachVoice='false'"), CoachVoice::LeftOut);
    }

    fn record(attributes: &str) -> Record {
        let read = instructions(&format!("<Record {attributes}/>"));
        let [Instruction::Record(record)] = &read[..] else { panic!("{read:?}") };
        (**record).clone()
    }

    #[test]
    fn a_caller_has_a_minute_for_its_turn() {
        let plain = record("");
        let turn = Turn { beep: true, silence: seconds(15), finish_on: Some('#') };
        assert_eq!(
            (plain.span, plain.longest, plain.report),
            (RecordSpan::Turn(turn), Some(seconds(60)), None)
        );
        let own =
            record("playBeep='false' timeout='3' finishOnKey='none' maxLength='7' recordChannelType='mono'");
        let turn = Turn { beep: false, silence: seconds(3), finish_on: None };
        assert_eq!((own.span, own.longest), (RecordSpan::Turn(turn), Some(seconds(7))));
        assert_eq!((plain.terms.track, own.terms.track), (RecordingTrack::Channels, RecordingTrack::Party));
    }

    #[test]
    fn what_a_document_records_is_transcribed_if_it_asks_for_that() {
        let told = |target| Some(TranscriptTerms { callback: target });
        let of_call = |attributes| record(attributes).terms.transcript;
        assert_eq!(of_call(""), None);
        assert_eq!(of_call("transcriptionType='hybrid'"), told(None));
        let to = "transcriptionUrl='/t' transcriptionMethod='GET' transcriptionReportType='full'";
        assert_eq!(of_call(to), told(Some(Action { method: HttpMethod::Get, ..post("/t") })));
        let of_conference = |element: &str| {
            let read = instructions(&format!("<{element}>room</{}>", element.split(' ').next().unwrap()));
            let [Instruction::Conference(request)] = &read[..] else { panic!("{read:?}") };
            request.recording.as_ref().and_then(|recording| recording.terms.transcript.clone())
        };
        let mpc = "MultiPartyCall role='agent' transcriptionUrl='/t'";
        assert_eq!(of_conference(&format!("{mpc} record='true'")), None);
        assert_eq!(of_conference(&format!("{mpc} transcript='true'")), None, "nothing is recorded");
        assert_eq!(of_conference(&format!("{mpc} record='true' transcript='true'")), told(Some(post("/t"))));
        let plain = "Conference record='true'";
        assert_eq!(of_conference(plain), None);
        assert_eq!(of_conference(&format!("{plain} transcriptionUrl='/t'")), told(Some(post("/t"))));
    }

    #[test]
    fn a_session_is_recorded_to_its_end_unless_a_length_is_given() {
        let session =
            record("recordSession='true' fileFormat='wav' callbackUrl='/c' redirect='false' action='/a'");
        assert_eq!((session.span, session.longest), (RecordSpan::Session, None));
        assert_eq!((session.terms.format, session.terms.callback), (RecordingFormat::Wav, Some(post("/c"))));
        assert_eq!(session.report, Some(Report { action: post("/a"), follow: false }));
        let connection = record("startOnDialAnswer='true' maxLength='3600' recordChannelType='mono'");
        assert_eq!((connection.span, connection.longest), (RecordSpan::Connection, Some(seconds(3600))));
        assert_eq!(connection.terms.track, RecordingTrack::Mix);
    }

    #[test]
    fn digits_are_sent_and_callers_hear_us_before_the_answer() {
        assert_eq!(
            instructions("<PreAnswer><Wait length='1'/></PreAnswer><DTMF async='false'>1wW#</DTMF>"),
            [
                Instruction::BeforeAnswer(vec![Instruction::Wait { length: seconds(1) }]),
                Instruction::SendDigits { digits: "1wW#".into(), at_once: false },
            ]
        );
    }

    #[test]
    fn a_call_is_streamed_as_the_document_says() {
        let streamed = instructions(
            "<Stream bidirectional='true' keepCallAlive='true' streamTimeout='60' extraHeaders='k=v' \
             contentType='audio/x-l16;rate=24000' statusCallbackUrl='/s' noiseCancellation='true'>wss://h/s</Stream>\
             <Stream audioTrack='both'>ws://h/s</Stream>",
        );
        let full = StreamTerms {
            url: "wss://h/s".into(),
            track: StreamTrack::Said,
            format: StreamFormat::Linear24k,
            audience: Some(StreamAudience::Caller),
            denoised: Some(Suppression::Strong),
            longest: seconds(60),
            headers: Some("k=v".into()),
            callback: Some(post("/s")),
        };
        let plain = StreamTerms {
            url: "ws://h/s".into(),
            track: StreamTrack::Both,
            format: StreamFormat::Linear8k,
            audience: None,
            denoised: None,
            longest: seconds(86_400),
            headers: None,
            callback: None,
        };
        let stream = |terms, waits| Instruction::Stream { terms: Box::new(terms), waits };
        assert_eq!(streamed, [stream(full, true), stream(plain, false)]);
    }

    #[test]
    fn a_wait_may_end_at_a_beep() {
        let ms = Duration::from_millis;
        let beep = Beep { shortest: ms(300), longest_gap: ms(500), silence_after: ms(50), weakest: 256 };
        let wait =
            |beep, silence| Instruction::Await(Await { silence, beep: Some(beep), longest: seconds(9) });
        assert_eq!(
            instructions(
                "<Wait length='9' beep='true'/><Wait length='9' silence='true' beep='threshold=70000'/>"
            ),
            [wait(beep, None), wait(Beep { weakest: 32_767, ..beep }, Some(MIN_SILENCE))]
        );
    }

    #[test]
    fn an_invalid_document_tells_its_author_why() {
        let refused = document(b"<Response>\n<Wait length='0'/></Response>", URL, &Means::default());
        let why = "line 2: <Wait> length=\"0\", accepted: a whole number from 1 to 86400";
        assert_eq!(refused, Err(FetchError::Invalid(why.into())));
        assert!(matches!(
            document(b"<Response/>", "nowhere", &Means::default()),
            Err(FetchError::Invalid(_))
        ));
    }
}
