//! What a document asks a caller, records of it, and whom it calls for it.

use std::time::Duration;

use mixminus_control::{
    Action, Collect, CollectKind, Confirm, Credentials, Destination, Dial, DialMusic, DialTerms, HttpMethod,
    Record, RecordSpan, RecordingTerms, RecordingTrack, Report, SpeechModel, SpeechTerms, Turn,
};
use mixminus_plivo::xml::{
    self, DialTone, Dialled, GetDigits, GetInput, SipCredentials, SpeechInput, Target,
};

use super::command::sip_headers;
use super::document::prompt;
use super::join::{CONFIRM_TIMEOUT, action, digits as keys, format, transcript};

/// How long to wait for a further digit when the document leaves that to us.
const NEXT_DIGIT: Duration = Duration::from_secs(3);
/// How long a callee may ring when the document leaves that to us: as a call that the API makes.
const RING: Duration = Duration::from_mins(2);

/// Any key, where the document names none.
const ANY_DIGIT: &str = "1234567890*#";

/// The question that `<GetDigits>` is.
pub fn digits(question: GetDigits) -> Collect {
    Collect {
        prompts: question.prompts.into_iter().filter_map(prompt).collect(),
        tries: question.tries,
        max_digits: question.num_digits as usize,
        first_timeout: question.timeout,
        next_timeout: question.digit_timeout,
        total_timeout: None,
        finish_on: question.finish_on_key,
        accepted: question.valid_digits,
        refusal_sound: question.invalid_digits_sound.map(sound),
        beep: question.play_beep,
        speech: None,
        report: report(question.action, question.redirect),
        kind: CollectKind::Digits,
    }
}

/// The question that `<GetInput>` is.
pub fn input(question: GetInput) -> Collect {
    Collect {
        prompts: question.prompts.into_iter().filter_map(prompt).collect(),
        tries: question.tries,
        max_digits: question.num_digits as usize,
        first_timeout: question.start_input_timeout.unwrap_or(question.execution_timeout),
        next_timeout: question.digit_end_timeout.unwrap_or(NEXT_DIGIT),
        total_timeout: Some(question.execution_timeout),
        finish_on: question.finish_on_key,
        accepted: if question.dtmf { ANY_DIGIT.to_owned() } else { String::new() },
        refusal_sound: None,
        beep: false,
        speech: question.speech.map(speech),
        report: report(Some(question.action), question.redirect),
        kind: CollectKind::Input,
    }
}

fn speech(input: SpeechInput) -> SpeechTerms {
    SpeechTerms {
        language: input.language,
        model: match input.model {
            xml::SpeechModel::Default => SpeechModel::Any,
            xml::SpeechModel::CommandAndSearch => SpeechModel::Phrase,
            xml::SpeechModel::PhoneCall => SpeechModel::Conversation,
        },
        hints: input.hints,
        filters_profanity: input.profanity_filter,
        end_timeout: input.end_timeout,
        interim: input.interim_results.map(action),
    }
}

/// The recording that `<Record>` is.
pub fn record(record: xml::Record) -> Record {
    let (span, mono) = match (record.start_on_dial_answer, record.record_session) {
        (true, _) => (RecordSpan::Connection, RecordingTrack::Mix),
        (false, true) => (RecordSpan::Session, RecordingTrack::Mix),
        (false, false) => {
            let turn =
                Turn { beep: record.play_beep, silence: record.timeout, finish_on: record.finish_on_key };
            (RecordSpan::Turn(turn), RecordingTrack::Party)
        }
    };
    let is_turn = matches!(span, RecordSpan::Turn(_));
    Record {
        terms: RecordingTerms {
            format: format(record.file_format),
            track: if record.stereo { RecordingTrack::Channels } else { mono },
            keeps_tracks: false,
            callback: record.callback.map(action),
            transcript: record.transcription.map(transcript),
        },
        span,
        longest: record.max_length.or_else(|| is_turn.then_some(xml::MAX_LENGTH)),
        report: report(record.action, record.redirect),
    }
}

/// The calls that `<Dial>` places.
pub fn dial(dial: xml::Dial) -> Dial {
    let ring_timeout = dial.timeout.unwrap_or(RING);
    let common = sip_headers(&dial.sip_headers);
    let destination = |party: Dialled| Destination {
        address: party.to.as_str().to_owned(),
        ring_timeout,
        ring_limit: None,
        delay: Duration::ZERO,
        digits: Some(keys(&party.send_digits)).filter(|digits| !digits.is_empty()),
        digits_early: party.send_on_preanswer,
        headers: common.iter().cloned().chain(sip_headers(&party.sip_headers)).collect(),
        credentials: party
            .credentials
            .map(|SipCredentials { username, password }| Credentials { username, password }),
    };
    Dial {
        destinations: dial.parties.into_iter().map(destination).collect(),
        terms: DialTerms {
            from: dial.caller_id.unwrap_or_default(),
            caller_name: dial.caller_name,
            confirm: dial.confirm.map(|confirm| Confirm {
                key: confirm.key,
                sound: Some(sound(confirm.sound)),
                timeout: confirm.timeout.unwrap_or(CONFIRM_TIMEOUT),
            }),
            music: match dial.dial_music {
                DialTone::Ringing => DialMusic::Ringing,
                DialTone::Real => DialMusic::Callee,
                DialTone::Url(url) => DialMusic::Url(sound(url)),
            },
            progress: None,
            machine: None,
        },
        time_limit: dial.time_limit,
        end_on_star: dial.hangup_on_star,
        report: report(dial.action, dial.redirect),
        callback: dial.callback.map(action),
        caller_digits: dial.digits_match,
        callee_digits: dial.digits_match_b_leg,
    }
}

fn report(target: Option<Target>, follow: bool) -> Option<Report> {
    target.map(|target| Report { action: action(target), follow })
}

fn sound(url: String) -> Action {
    Action { url, method: HttpMethod::Get }
}
