//! `Recording/{id}/Waveform/`: a picture of how loud a recording is.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use mixminus_archive::FileName;
use mixminus_plivo::rest::{Arguments, RestError};
use mixminus_recording::{Background, Picture, Sidecar, TrackId};
use serde_json::json;

use super::asked::Asked;
use super::recording::{absent, over};
use super::reply::ApiError;

/// Longest sidecar that is read; one of 200,000 entries has some forty mebibytes.
const MAX_SIDECAR_BYTES: u64 = 64 << 20;
const MAX_WIDTH: u32 = 4096;
const MAX_HEIGHT: u32 = 1024;

/// What the picture is to be like.
#[derive(Debug)]
pub struct WaveformQuery {
    track: Option<TrackId>,
    picture: Picture,
}

impl WaveformQuery {
    /// Reads the query.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        let pixels = |most: u32, usual: u32| move || json!({ "type": "integer", "minimum": 1, "maximum": most, "default": usual });
        query.note("track", || json!({ "type": "integer", "minimum": 0 }));
        query.note("width", pixels(MAX_WIDTH, 800));
        query.note("height", pixels(MAX_HEIGHT, 120));
        query.note("theme", || json!({ "type": "string", "enum": ["light", "dark"], "default": "light" }));
        let within =
            |most: u32| move |text: &str| text.parse().ok().filter(|pixels| (1..=most).contains(pixels));
        let theme = query.read("theme", |text| match text {
            "light" => Some(Background::Light),
            "dark" => Some(Background::Dark),
            _ => None,
        })?;
        Ok(Self {
            track: query.read("track", |text| text.parse().ok().map(TrackId))?,
            picture: Picture {
                width: query.read("width", within(MAX_WIDTH))?.unwrap_or(800),
                height: query.read("height", within(MAX_HEIGHT))?.unwrap_or(120),
                background: theme.unwrap_or_default(),
            },
        })
    }
}

/// The picture, as PNG.
pub async fn answer(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let WaveformQuery { track, picture } = WaveformQuery::parse(asked.arguments)?;
    let record = over(asked.state, &asked.account, id).await?;
    let stored = asked.state.archive.open(record.id.0, FileName::Sidecar).await?;
    if stored.len() > MAX_SIDECAR_BYTES {
        return Err(absent());
    }
    let text = stored.read(0..stored.len()).await?;
    let draw = move || Sidecar::read(&text[..]).map(|sidecar| sidecar.picture(track, picture));
    match tokio::task::spawn_blocking(draw).await {
        Ok(Ok(Some(png))) => Ok(([(CONTENT_TYPE, "image/png")], png).into_response()),
        Ok(Ok(None)) => Err(ApiError::absent("track")),
        Ok(Err(error)) => {
            tracing::error!(recording = %record.id, %error, "a sidecar is none");
            Err(ApiError::internal())
        }
        Err(_) => Err(ApiError::internal()),
    }
}
