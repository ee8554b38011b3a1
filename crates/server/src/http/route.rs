//! What a path names.

use std::borrow::Cow;

use axum::http::Method;
use mixminus_control::PlayKind;
use mixminus_plivo::rest::MpcSegment;

/// A kind of objects that a path names by a word and an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Callbacks/`
    Callback,
    /// `Subaccount/`
    Subaccount,
    /// `Application/`
    Application,
    /// `Endpoint/`
    Endpoint,
    /// `Recording/`
    Recording,
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "Callbacks" => Some(Self::Callback),
            "Subaccount" => Some(Self::Subaccount),
            "Application" => Some(Self::Application),
            "Endpoint" => Some(Self::Endpoint),
            "Recording" => Some(Self::Recording),
            _ => None,
        }
    }
}

/// What is done about a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taping {
    /// `Record/`: it is begun or stopped.
    Record,
    /// `Record/Pause/`
    Pause,
    /// `Record/Resume/`
    Resume,
}

/// A file of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingPart {
    /// `Recording/{id}.{extension}`: all of it.
    Main(String),
    /// `Recording/{id}/Track/{number}.wav`
    Track(String),
    /// `Recording/{id}/Sidecar/`
    Sidecar,
}

/// An account, or something below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The account itself.
    Account,
    /// All objects of a kind.
    List(Kind),
    /// One of them.
    One(Kind, String),
    /// `MultiPartyCall/`
    Conferences,
    /// `MultiPartyCall/{mpc}/`
    Conference(MpcSegment),
    /// `MultiPartyCall/{mpc}/Participant/`
    Participants(MpcSegment),
    /// `MultiPartyCall/{mpc}/Participant/{member}/`
    Participant(MpcSegment, String),
    /// `MultiPartyCall/{mpc}/Member/{member}/Play/` or `…/Speak/`
    Heard(MpcSegment, String, PlayKind),
    /// `MultiPartyCall/{mpc}/Record/` and below, or `MultiPartyCall/{mpc}/Participant/{member}/Record/`
    /// and below.
    Recorded(MpcSegment, Option<String>, Taping),
    /// `Call/`
    Calls,
    /// `Call/{uuid}/`
    Call(String),
    /// `Call/{uuid}/Play/` or `…/Speak/`
    CallHears(String, PlayKind),
    /// `Call/{uuid}/DTMF/`
    CallDigits(String),
    /// `Call/{uuid}/Stream/`
    CallStreams(String),
    /// `Call/{uuid}/Stream/{stream}/`
    CallStream(String, String),
    /// `Call/{uuid}/Record/`
    CallRecorded(String),
    /// `Call/{uuid}/Trace/`
    CallTrace(String),
    /// `Live/`
    Live,
    /// `Request/{uuid}/`
    Request(String),
    /// `JoinToken/`
    JoinTokens,
    /// `Transcription/{id}/`, by the recording's id.
    Transcription(String),
    /// `Recording/{id}/Track/`
    Tracks(String),
    /// `Recording/{id}/Waveform/`
    Waveform(String),
    /// A file of a recording, by the recording's id.
    RecordingFile(String, RecordingPart),
}

/// A path split into its account and what it names there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The account's id.
    pub auth_id: String,
    /// What is named, if this API has it.
    pub resource: Option<Resource>,
}

impl Route {
    /// Takes `path` as it came, still percent-encoded, with or without slashes
    /// at its end: the Node SDK sends two after an account.
    pub fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/v1/Account/")?;
        let path = path.trim_end_matches('/');
        let segments: Option<Vec<String>> = path.split('/').map(decode).collect();
        let segments = segments?;
        let (auth_id, below) = segments.split_first()?;
        Some(Self { auth_id: auth_id.clone(), resource: Resource::parse(below) })
    }
}

impl Resource {
    fn parse(segments: &[String]) -> Option<Self> {
        let Some((first, rest)) = segments.split_first() else { return Some(Self::Account) };
        match (first.as_str(), rest) {
            ("Call", _) => return Self::call(rest),
            ("Request", [id]) => return Some(Self::Request(id.clone())),
            ("JoinToken", []) => return Some(Self::JoinTokens),
            ("Live", []) => return Some(Self::Live),
            ("Transcription", [id]) => return Some(Self::Transcription(id.clone())),
            _ => {}
        }
        if first != "MultiPartyCall" {
            let kind = Kind::parse(first)?;
            if kind == Kind::Recording
                && let Some(part) = Self::recording_part(rest)
            {
                return Some(part);
            }
            return match rest {
                [] => Some(Self::List(kind)),
                [id] => Some(Self::One(kind, id.clone())),
                _ => None,
            };
        }
        // A slash in a name arrives as such from the Python SDK, so all that
        // stands before the last words with a meaning is the name.
        match rest {
            [] => Some(Self::Conferences),
            [mpc @ .., word, member, action] if word == "Member" && !mpc.is_empty() => {
                Some(Self::Heard(named(mpc)?, member.clone(), played(action)?))
            }
            [before @ .., word] if word == "Record" => Self::recorded(before, Taping::Record),
            [before @ .., record, word] if record == "Record" && word == "Pause" => {
                Self::recorded(before, Taping::Pause)
            }
            [before @ .., record, word] if record == "Record" && word == "Resume" => {
                Self::recorded(before, Taping::Resume)
            }
            [mpc @ .., word] if word == "Participant" && !mpc.is_empty() => {
                Some(Self::Participants(named(mpc)?))
            }
            [mpc @ .., word, member] if word == "Participant" && !mpc.is_empty() => {
                Some(Self::Participant(named(mpc)?, member.clone()))
            }
            mpc => Some(Self::Conference(named(mpc)?)),
        }
    }

    /// The recording of what `segments` name; a conference that is called `Record` has none before its name.
    fn recorded(segments: &[String], taping: Taping) -> Option<Self> {
        match segments {
            [] => Some(Self::Conference(named(&["Record".to_owned()])?)),
            [mpc @ .., word, member] if word == "Participant" && !mpc.is_empty() => {
                Some(Self::Recorded(named(mpc)?, Some(member.clone()), taping))
            }
            mpc => Some(Self::Recorded(named(mpc)?, None, taping)),
        }
    }

    fn recording_part(segments: &[String]) -> Option<Self> {
        let file = |id: &str, part| Some(Self::RecordingFile(id.to_owned(), part));
        match segments {
            [name] => {
                let (id, extension) = name.split_once('.')?;
                file(id, RecordingPart::Main(extension.to_owned()))
            }
            [id, word] if word == "Track" => Some(Self::Tracks(id.clone())),
            [id, word] if word == "Waveform" => Some(Self::Waveform(id.clone())),
            [id, word] if word == "Sidecar" => file(id, RecordingPart::Sidecar),
            [id, word, name] if word == "Track" => {
                file(id, RecordingPart::Track(name.strip_suffix(".wav")?.to_owned()))
            }
            _ => None,
        }
    }

    fn call(segments: &[String]) -> Option<Self> {
        match segments {
            [] => Some(Self::Calls),
            [id] => Some(Self::Call(id.clone())),
            [id, word] if word == "Record" => Some(Self::CallRecorded(id.clone())),
            [id, word] if word == "Trace" => Some(Self::CallTrace(id.clone())),
            [id, word] if word == "Stream" => Some(Self::CallStreams(id.clone())),
            [id, word, stream] if word == "Stream" => Some(Self::CallStream(id.clone(), stream.clone())),
            [id, word] if word == "DTMF" => Some(Self::CallDigits(id.clone())),
            [id, word] => Some(Self::CallHears(id.clone(), played(word)?)),
            _ => None,
        }
    }

    /// The methods it takes.
    pub const fn methods(&self) -> &'static [Method] {
        match self {
            Self::Conferences
            | Self::Live
            | Self::List(Kind::Callback | Kind::Recording)
            | Self::CallTrace(_)
            | Self::Tracks(_)
            | Self::Waveform(_) => &[Method::GET],
            Self::RecordingFile(..) => &[Method::GET, Method::HEAD],
            Self::Heard(..)
            | Self::CallHears(..)
            | Self::CallRecorded(_)
            | Self::Recorded(_, _, Taping::Record) => &[Method::POST, Method::DELETE],
            Self::CallDigits(_) | Self::Recorded(..) | Self::JoinTokens => &[Method::POST],
            Self::Request(_) => &[Method::DELETE],
            Self::Account
            | Self::Calls
            | Self::Participants(_)
            | Self::List(_)
            | Self::One(Kind::Callback, _) => &[Method::GET, Method::POST],
            Self::One(Kind::Recording, _) | Self::CallStream(..) => &[Method::GET, Method::DELETE],
            Self::Call(_)
            | Self::CallStreams(_)
            | Self::Transcription(_)
            | Self::Conference(_)
            | Self::Participant(..)
            | Self::One(..) => &[Method::GET, Method::POST, Method::DELETE],
        }
    }
}

fn played(word: &str) -> Option<PlayKind> {
    match word {
        "Play" => Some(PlayKind::File),
        "Speak" => Some(PlayKind::Speech),
        _ => None,
    }
}

fn named(segments: &[String]) -> Option<MpcSegment> {
    MpcSegment::parse(&segments.join("/")).ok()
}

fn decode(segment: &str) -> Option<String> {
    percent_encoding::percent_decode_str(segment).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_api_does_not_have_is_no_name() {
        assert_eq!(resource("MultiPartyCall/name_a/Member/all/Sing/"), None);
        assert!(matches!(resource("MultiPartyCall/Record/"), Some(Resource::Conference(_))));
        for (path, member, taping) in [
            ("name_a/Record/", None, Taping::Record),
            ("name_a/b/Record/Pause/", None, Taping::Pause),
            ("name_a/Participant/7/Record/Resume/", Some("7".to_owned()), Taping::Resume),
        ] {
            let Some(Resource::Recorded(_, of, what)) = resource(&format!("MultiPartyCall/{path}")) else {
                panic!("{path}")
            };
            assert_eq!((of, what), (member, taping));
        }
    }

    #[test]
    fn files_of_recordings_are_named_below_them() {
        let file = |part| Some(Resource::RecordingFile("r".into(), part));
        for (path, expected) in [
            ("r/", Some(Resource::One(Kind::Recording, "r".into()))),
            ("r.mp3", file(RecordingPart::Main("mp3".into()))),
            ("r/Track/", Some(Resource::Tracks("r".into()))),
            ("r/Waveform/", Some(Resource::Waveform("r".into()))),
            ("r/Track/3.wav", file(RecordingPart::Track("3".into()))),
            ("r/Track/3.mp3", None),
            ("r/Sidecar", file(RecordingPart::Sidecar)),
            ("r/x/", None),
        ] {
            assert_eq!(resource(&format!("Recording/{path}")), expected, "{path}");
        }
    }

    #[test]
    fn an_account_and_its_objects_are_named_by_word_and_id() {
        let one = Resource::One(Kind::Subaccount, "SA1".into());
        for (path, expected) in [
            ("", Resource::Account),
            ("/", Resource::Account),
            ("Subaccount/", Resource::List(Kind::Subaccount)),
            ("Subaccount/SA1", one.clone()),
            ("Subaccount/SA1/", one),
        ] {
            assert_eq!(resource(path), Some(expected), "{path}");
        }
    }

    fn resource(path: &str) -> Option<Resource> {
        let route = Route::parse(&format!("/v1/Account/MA1/{path}")).unwrap();
        assert_eq!(route.auth_id, "MA1");
        route.resource
    }

    fn name(text: &str) -> MpcSegment {
        MpcSegment::Name(text.into())
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference() {
        let paths = [
            ("MultiPartyCall", Resource::Conferences),
            ("MultiPartyCall/uuid_9aad", Resource::Conference(MpcSegment::Uuid("9aad".into()))),
            ("MultiPartyCall/name_a/Participant", Resource::Participants(name("a"))),
            ("MultiPartyCall/name_a/Participant/7", Resource::Participant(name("a"), "7".into())),
        ];
        for (path, expected) in paths {
            assert_eq!(resource(path), Some(expected.clone()));
            assert_eq!(resource(&format!("{path}/")), Some(expected));
        }
    }

    #[test]
    fn names_are_decoded_and_may_hold_slashes() {
        assert_eq!(resource("MultiPartyCall/name_my%20room"), Some(Resource::Conference(name("my room"))));
        assert_eq!(resource("MultiPartyCall/name_a%2Fb/"), Some(Resource::Conference(name("a/b"))));
        assert_eq!(
            resource("MultiPartyCall/name_a/b/Participant/all/"),
            Some(Resource::Participant(name("a/b"), "all".into()))
        );
        assert_eq!(resource("MultiPartyCall/support/"), Some(Resource::Conference(name("support"))));
    }

    #[test]
    fn what_is_not_there_has_no_resource() {
        for path in [
            "Number/",
            "Subaccount/SA1/x/",
            "MultiPartyCall/uuid_/",
            "MultiPartyCall/name_/",
            "MultiPartyCall/name_%ff/",
        ] {
            let route = Route::parse(&format!("/v1/Account/MA1/{path}"));
            assert_eq!(route.and_then(|route| route.resource), None, "{path}");
        }
        assert_eq!(Route::parse("/v1/Accounts/"), None);
    }
}
