//! Recording an MPC or one of its participants.

use super::{Arguments, RestError};
use crate::join::Target;
use crate::{FileFormat, Method};

/// How an MPC, or a participant of it, is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MpcRecord {
    /// Format of the file.
    pub file_format: FileFormat,
    /// Where the recording's events are reported.
    pub callback: Option<Target>,
    /// Whether it is transcribed.
    pub transcript: bool,
    /// Where the transcript goes.
    pub transcription_url: Option<String>,
    /// For a participant's: which tracks.
    pub track_type: TrackType,
}

impl MpcRecord {
    /// Reads the body that starts a recording.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        Ok(Self {
            file_format: body.choice("file_format", FileFormat::WORDS)?.unwrap_or_default(),
            callback: body.target("recording_callback_url", ("recording_callback_method", Method::Post))?,
            transcript: body.flag_or("transcript", false)?,
            transcription_url: body.url("transcription_url")?,
            track_type: TrackType::parse(body)?,
        })
    }
}

/// Which tracks of a participant's recording are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrackType {
    /// The one of everybody, the participant on a channel of its own.
    #[default]
    All,
    /// The one of the participant alone.
    Participant,
    /// Both.
    Both,
}

impl TrackType {
    /// Reads the body that starts, pauses, resumes or stops a recording.
    ///
    /// # Errors
    ///
    /// [`RestError::Choice`] if there is no such track.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let words = [("all", Self::All), ("participant", Self::Participant), ("both", Self::Both)];
        Ok(body.choice("record_track_type", &words)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<MpcRecord, RestError> {
        MpcRecord::parse(&Arguments::from_body(None, json.as_bytes()).unwrap())
    }

    fn plain() -> MpcRecord {
        MpcRecord {
            file_format: FileFormat::Mp3,
            callback: None,
            transcript: false,
            transcription_url: None,
            track_type: TrackType::All,
        }
    }

    #[test]
    fn what_the_sdks_send_is_understood() {
        let wav = MpcRecord { file_format: FileFormat::Wav, ..plain() };
        let callback = |method| Some(Target { url: "http://127.0.0.1:9000/rec".into(), method });
        for (json, record) in [
            ("{}", plain()),
            (r#"{"file_format":"wav","record_track_type":""}"#, wav.clone()),
            (
                r#"{"file_format": "wav", "recording_callback_url": "http://127.0.0.1:9000/rec", "recording_callback_method": "POST", "transcript": false}"#,
                MpcRecord { callback: callback(Method::Post), ..wav },
            ),
            (
                r#"{"recording_callback_url":"http://127.0.0.1:9000/rec","recording_callback_method":"get","transcript":true,"transcription_url":"http://h/t","record_track_type":"both"}"#,
                MpcRecord {
                    callback: callback(Method::Get),
                    transcript: true,
                    transcription_url: Some("http://h/t".into()),
                    track_type: TrackType::Both,
                    ..plain()
                },
            ),
        ] {
            assert_eq!(read(json), Ok(record), "{json}");
        }
    }

    #[test]
    fn other_formats_and_tracks_are_refused() {
        for (json, text) in [
            (
                r#"{"file_format":"aac"}"#,
                "file_format should be in ('mp3', 'wav', 'ogg', 'flac') (actual value: aac)",
            ),
            (
                r#"{"record_track_type":"left"}"#,
                "record_track_type should be in ('all', 'participant', 'both') (actual value: left)",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().to_string(), text);
        }
    }
}
