//! Files of recordings: who may fetch which bytes of them, and until when.

use std::io::Write;
use std::time::Duration;

use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use mixminus_archive::{FileName, Format};
use mixminus_audio::SampleRate;
use mixminus_control::{
    RecordedFrom, RecordingFormat, RecordingId, RecordingRecord, RecordingState, RecordingTrack,
};
use mixminus_recording::{Layout, Outline, Recorder, TrackId};
use mixminus_store::{SubaccountRecord, Token};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use super::*;
use crate::recording_place::UrlKey;

const AUDIO: &str = "RIFF0123456789";
pub const RECORDING: Uuid = Uuid::from_u128(0x7777_7777_7777_4777_8777_7777_7777_7777);
const SUB: &str = "SATEST00000000000000";
const SUB_TOKEN: &str = "sub-token-sub-token-sub-token-sub-token!";

/// Where recordings are fetched, signed for so long.
pub fn place(signed_for: Option<Duration>) -> RecordingPlace {
    let key = UrlKey::generate(&mut StdRng::seed_from_u64(1));
    RecordingPlace::new("http://h".into(), key, signed_for, Clock::start())
}

pub fn record(state: RecordingState) -> RecordingRecord {
    let of = RecordedFrom {
        conference: Some((ConferenceId(SUPPORT), "support".into())),
        participant: None,
        call: None,
        from: String::new(),
        to: String::new(),
    };
    let what = (RecordingFormat::Wav, RecordingTrack::Mix);
    let begun = RecordingRecord::begin(RecordingId(RECORDING), AccountId(ID.into()), of, what, after(0));
    RecordingRecord {
        state,
        ended_at: Some(after(62)),
        duration: Duration::from_millis(61_020),
        url: "http://h/kept".into(),
        ..begun
    }
}

/// An API with a recording of `account` whose file, track and sidecar are kept.
pub async fn with_recording(account: &str, signed_for: Option<Duration>) -> Api {
    let mut api = api().await;
    api.state.place = place(signed_for);
    api.router = router(api.state.clone());
    let subaccount = SubaccountRecord {
        id: AccountId(SUB.into()),
        main: AccountId(ID.into()),
        name: "sub".into(),
        token: Token(SUB_TOKEN.into()),
        enabled: true,
        created_at: after(0),
        modified_at: None,
    };
    api.state.store.save_subaccount(&subaccount).await.unwrap();
    api.state.accounts.put(subaccount);
    let record = RecordingRecord { account: AccountId(account.into()), ..record(RecordingState::Completed) };
    save(&api, record).await;
    for (name, text) in
        [(FileName::Main(Format::Wav), AUDIO), (FileName::Track(2), "RIFF2"), (FileName::Sidecar, "{}")]
    {
        api.state.archive.spool().create(RECORDING, name).unwrap().write_all(text.as_bytes()).unwrap();
    }
    api.state.archive.finish(RECORDING).unwrap();
    api
}

pub async fn save(api: &Api, record: RecordingRecord) {
    api.state.store.commit(&Batch { recordings: vec![record], ..Batch::default() }).await.unwrap();
}

fn below(end: &str) -> String {
    format!("Recording/{RECORDING}{end}")
}

/// A request without credentials for a URL that was told.
async fn open(api: &Api, url: &str) -> Answer {
    let path = url.strip_prefix("http://h").unwrap();
    api.request(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn told_url(api: &Api) -> String {
    api.get(&below("/")).await.json()["recording_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_recording_is_fetched_whole_or_in_part() {
    let api = with_recording(ID, None).await;
    let whole = api.get(&below(".wav")).await;
    assert_eq!((whole.status.as_u16(), whole.text.as_str()), (200, AUDIO));
    for (name, value) in [("content-type", "audio/wav"), ("content-length", "14"), ("accept-ranges", "bytes")]
    {
        assert_eq!(whole.headers[name], value);
    }
    let part = async |range: &str, version: &HeaderValue| {
        let request = request("GET", &below(".wav")).header(RANGE, range).header(IF_RANGE, version);
        api.request(request.body(Body::empty()).unwrap()).await
    };
    let etag = &whole.headers[ETAG];
    for (range, text, place) in [
        ("bytes=4-6", "012", "bytes 4-6/14"),
        ("bytes=12-", "89", "bytes 12-13/14"),
        ("bytes=-1", "9", "bytes 13-13/14"),
    ] {
        let part = part(range, etag).await;
        assert_eq!((part.status.as_u16(), part.text.as_str()), (206, text));
        assert_eq!((&part.headers[CONTENT_RANGE], &part.headers[ETAG]), (&place.parse().unwrap(), etag));
    }
    assert_eq!(part("bytes=0-0", &"\"other\"".parse().unwrap()).await.text, AUDIO);
    let beyond = part("bytes=14-", etag).await;
    assert_eq!((beyond.status.as_u16(), beyond.error().as_str()), (416, "there are no such bytes"));
    assert_eq!(beyond.headers[CONTENT_RANGE], "bytes */14");
}

#[tokio::test]
async fn a_head_tells_the_same_without_the_bytes() {
    let api = with_recording(ID, None).await;
    let head = api.send("HEAD", &below(".wav"), "").await;
    let get = api.get(&below(".wav")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(
        (&head.headers[CONTENT_LENGTH], &head.headers[ETAG]),
        (&"14".parse().unwrap(), &get.headers[ETAG])
    );
}

#[tokio::test]
async fn tracks_and_the_sidecar_are_fetched_beside_the_whole() {
    let api = with_recording(ID, None).await;
    let mut list = api.get(&below("/Track/")).await.json();
    assert!(list["api_id"].take().is_string());
    let uri = format!("/v1/Account/{ID}/Recording/{RECORDING}/Track/2.wav");
    let track = json!({ "number": 2, "size_bytes": 5, "resource_uri": uri });
    assert_eq!(list, json!({ "api_id": null, "objects": [track] }));
    assert_eq!(api.get(&below("/Track/2.wav")).await.text, "RIFF2");
    assert_eq!(api.get(&below("/Track/3.wav")).await.status, 404);
    let sidecar = api.get(&below("/Sidecar/")).await;
    assert_eq!(
        (sidecar.text.as_str(), &sidecar.headers[CONTENT_TYPE]),
        ("{}", &"application/json".parse().unwrap())
    );
}

#[tokio::test]
async fn a_waveform_is_drawn_of_what_was_recorded() {
    let api = with_recording(ID, None).await;
    let folder = api.state.archive.spool().folder(RECORDING, Format::Wav);
    let outline = Outline::new(SampleRate::Hz8000, Format::Wav, Layout::Mono);
    let mut recorder = Recorder::new(outline, folder).unwrap();
    recorder.tick(0, SampleRate::Hz8000, &[(TrackId(2), &[1000; 160])]).unwrap();
    recorder.finish().unwrap();
    let picture = async |query: &str| {
        let path = below(&format!("/Waveform/?{query}"));
        let response =
            api.router.clone().oneshot(request("GET", &path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()[CONTENT_TYPE]),
            (200, &"image/png".parse().unwrap())
        );
        axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap()
    };
    let small = picture("width=320&height=40&track=2&theme=dark").await;
    assert_eq!(small[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!(small[16..24], [0, 0, 1, 64, 0, 0, 0, 40]);
    assert_ne!(picture("width=320&height=40&track=2").await, small);
    assert_eq!(api.get(&below("/Waveform/?track=3")).await.error(), "track not found");
    for wrong in ["width=0", "width=4097", "height=1025", "theme=blue", "track=x"] {
        assert_eq!(api.get(&below(&format!("/Waveform/?{wrong}"))).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn nobody_fetches_anothers_recording() {
    let api = with_recording(ID, None).await;
    for path in [below(".wav"), below("/Track/"), below("/Track/2.wav"), below("/Sidecar/"), below("/")] {
        let by = async |id: &str, token: &str, account: &str| {
            let request = Request::get(format!("/v1/Account/{account}/{path}"));
            let request = request.header(AUTHORIZATION, basic(id, token)).body(Body::empty());
            api.request(request.unwrap()).await.status.as_u16()
        };
        assert_eq!(by(ID, TOKEN, ID).await, 200, "{path}");
        assert_eq!(by(SUB, SUB_TOKEN, SUB).await, 404, "{path}");
        assert_eq!(by(SUB, SUB_TOKEN, ID).await, 403, "{path}");
        assert_eq!(by(ID, "wrong", ID).await, 401, "{path}");
    }
    let by_sub = Request::delete(format!("/v1/Account/{SUB}/{}", below("/")))
        .header(AUTHORIZATION, basic(SUB, SUB_TOKEN))
        .body(Body::empty());
    assert_eq!(api.request(by_sub.unwrap()).await.status, 404);
    assert_eq!(api.get(&below(".wav")).await.text, AUDIO);
}

#[tokio::test]
async fn what_is_not_over_or_another_format_is_not_there() {
    let api = with_recording(ID, None).await;
    for end in [".mp3", ".WAV", ".", ".wav.wav"] {
        assert_eq!(api.get(&below(end)).await.error(), "file not found", "{end}");
    }
    for state in [RecordingState::Recording, RecordingState::Paused, RecordingState::Failed] {
        save(&api, record(state)).await;
        assert_eq!(api.get(&below(".wav")).await.error(), "file not found", "{state:?}");
    }
}

/// Attack H6.
#[tokio::test]
async fn no_name_leads_out_of_a_recording() {
    let api = with_recording(ID, None).await;
    let database = api.state.archive.spool().create(Uuid::nil(), FileName::Journal);
    assert!(database.is_ok());
    let long = "a".repeat(300);
    for hostile in [
        "..%2f..%2fmixminus.db.wav",
        "%2e%2e/mixminus.db.wav",
        "..%2f..%2fmixminus.db/Sidecar/",
        "../mixminus.db.wav",
        "%00.wav",
        "．．%2fx.wav",
        "con.wav",
        &format!("{long}.wav"),
        &below("/Track/..%2fmain.wav").replace("Recording/", ""),
        &below("/Track/02.wav").replace("Recording/", ""),
        &below("/Track/+2.wav").replace("Recording/", ""),
        &below(".wav%00").replace("Recording/", ""),
        &below(".wav%2f..%2ftrack-2.wav").replace("Recording/", ""),
    ] {
        let uri = format!("/v1/Account/{ID}/Recording/{hostile}");
        let Ok(request) = Request::get(uri).header(AUTHORIZATION, basic(ID, TOKEN)).body(Body::empty())
        else {
            continue;
        };
        let answer = api.request(request).await;
        assert_eq!(answer.status, 404, "{hostile}");
        answer.error();
    }
}

#[tokio::test]
async fn a_signed_url_needs_no_credentials_for_some_time() {
    let api = with_recording(ID, Some(Duration::from_mins(1))).await;
    let url = told_url(&api).await;
    let path = format!("http://h/v1/Account/{ID}/Recording/{RECORDING}.wav?expires=");
    assert!(url.starts_with(&path), "{url}");
    assert_eq!(open(&api, &url).await.text, AUDIO);

    let (plain, query) = url.split_once('?').unwrap();
    assert_eq!(open(&api, plain).await.status, 401);
    let forged = url.replace("expires=1", "expires=2");
    assert_eq!(open(&api, &forged).await.error(), "this URL was not signed here");
    let others = format!("http://h/v1/Account/{SUB}/Recording/{RECORDING}.wav?{query}");
    assert_eq!(open(&api, &others).await.status, 403);
    for end in ["/", "/Sidecar/", "/Track/2.wav"] {
        let other = format!("http://h/v1/Account/{ID}/Recording/{RECORDING}{end}?{query}");
        assert_eq!(open(&api, &other).await.status, 401, "{end}");
    }
    let deletion = Request::delete(url.strip_prefix("http://h").unwrap()).body(Body::empty());
    assert_eq!(api.request(deletion.unwrap()).await.status, 405);

    let over = with_recording(ID, Some(Duration::ZERO)).await;
    let expired = open(&over, &told_url(&over).await).await;
    assert_eq!(
        (expired.status.as_u16(), expired.error().as_str()),
        (403, "this URL was good for some time, which is over")
    );
}

#[tokio::test]
async fn a_signed_url_ends_with_its_subaccount() {
    let api = with_recording(SUB, Some(Duration::from_mins(1))).await;
    let url = told_url(&api).await;
    assert_eq!(open(&api, &url).await.text, AUDIO);
    let path = format!("Subaccount/{SUB}/");
    assert_eq!(api.send("POST", &path, r#"{"name":"sub","enabled":false}"#).await.status, 202);
    assert_eq!(open(&api, &url).await.status, 403);
}

#[tokio::test]
async fn a_deleted_recording_leaves_no_byte() {
    let api = with_recording(ID, Some(Duration::from_mins(1))).await;
    let url = told_url(&api).await;
    assert_eq!(api.send("DELETE", &below("/"), "").await.status, 204);
    for end in ["/", ".wav", "/Track/", "/Sidecar/"] {
        assert_eq!(api.get(&below(end)).await.status, 404, "{end}");
    }
    assert_eq!(open(&api, &url).await.status, 404);
    assert!(api.state.archive.files(RECORDING).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_recordings_times_are_those_of_its_samples() {
    let api = with_recording(ID, None).await;
    let shown = api.get(&below("/")).await.json();
    let of = |key: &str| shown[key].as_str().unwrap().parse::<f64>().unwrap();
    assert_eq!(shown["recording_duration_ms"], "61020.00000");
    assert_eq!((of("recording_end_ms") - of("recording_start_ms")).round() as u64, 61_020);
    assert_eq!(shown["rounded_recording_duration"], 120);
    assert_eq!(shown["recording_url"], format!("http://h/v1/Account/{ID}/Recording/{RECORDING}.wav"));
}
