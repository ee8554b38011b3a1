//! A service that speaks as much of S3's protocol as an archive needs, and can be switched off.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED, RANGE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use mixminus_archive::{AccessKey, ObjectPlace, S3};
use tokio::net::TcpListener;

pub const BUCKET: &str = "bucket";

#[derive(Debug, Default)]
pub struct Kept {
    pub objects: BTreeMap<String, Vec<u8>>,
    /// Uploads that are neither completed nor given up: parts by number, by id.
    pub uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// How many parts were taken, ever.
    pub parts_taken: usize,
    /// Requests until it is down, if it is to be.
    pub requests_left: Option<usize>,
    /// Objects with this in their name are refused.
    pub refused: Option<String>,
    /// Whether it completes the next upload without being able to say so.
    pub loses_next_answer: bool,
    last_upload: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Imitation(Arc<Mutex<Kept>>);

impl Imitation {
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    /// A client of it, while the runtime lives.
    #[expect(clippy::disallowed_methods, reason = "the far end of the test owns its socket")]
    pub async fn start(&self) -> Arc<dyn ObjectPlace> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let key = Some(AccessKey { id: "id".into(), secret: "secret".to_owned().into() });
        let (bucket, region) = (BUCKET.to_owned(), "eu-central-1".to_owned());
        S3 { endpoint, bucket, region, key, path_style: true, allow_http: true }.open().unwrap()
    }
}

async fn answer(
    State(imitation): State<Imitation>,
    Query(query): Query<BTreeMap<String, String>>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    body: Bytes,
) -> Response {
    let mut kept = imitation.kept();
    match &mut kept.requests_left {
        Some(0) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(left) => *left -= 1,
        None => {}
    }
    let signed =
        headers.get("authorization").is_some_and(|value| value.to_str().unwrap().starts_with("AWS4"));
    assert!(signed, "{method} {uri}");
    let path = uri.path().trim_start_matches('/').strip_prefix(BUCKET).unwrap();
    let key = path.trim_start_matches('/').to_owned();
    if kept.refused.as_ref().is_some_and(|refused| key.contains(refused)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match (method.as_str(), query.get("uploadId")) {
        ("PUT", Some(upload)) => kept.take_part(upload, query["partNumber"].parse().unwrap(), &body),
        ("POST", None) => kept.begin(),
        ("POST", Some(upload)) => kept.complete(key, upload),
        ("DELETE", Some(upload)) => found(kept.uploads.remove(upload).is_some()),
        ("DELETE", None) => {
            kept.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        ("PUT", None) => {
            kept.objects.insert(key, body.to_vec());
            ([(ETAG, "\"whole\"")], "").into_response()
        }
        ("GET", None) if key.is_empty() => kept.list(&query["prefix"]),
        _ => kept.get(&key, &headers),
    }
}

fn found(there: bool) -> Response {
    if there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }.into_response()
}

impl Kept {
    fn begin(&mut self) -> Response {
        self.last_upload += 1;
        let id = self.last_upload.to_string();
        self.uploads.insert(id.clone(), BTreeMap::new());
        let open = "<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>key</Key><UploadId>";
        format!("{open}{id}</UploadId></InitiateMultipartUploadResult>").into_response()
    }

    fn take_part(&mut self, upload: &str, number: u32, body: &[u8]) -> Response {
        let Some(parts) = self.uploads.get_mut(upload) else { return StatusCode::NOT_FOUND.into_response() };
        parts.insert(number, body.to_vec());
        self.parts_taken += 1;
        ([(ETAG, format!("\"part {number}\""))], "").into_response()
    }

    fn complete(&mut self, key: String, upload: &str) -> Response {
        let Some(parts) = self.uploads.remove(upload) else { return StatusCode::NOT_FOUND.into_response() };
        self.objects.insert(key, parts.into_values().flatten().collect());
        if std::mem::take(&mut self.loses_next_answer) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>"
            .into_response()
    }

    fn list(&self, prefix: &str) -> Response {
        let mut text = "<ListBucketResult>".to_owned();
        for (key, bytes) in self.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
            let size = bytes.len();
            let modified = "<LastModified>2026-01-01T00:00:00.000Z</LastModified>";
            write!(text, "<Contents><Key>{key}</Key><Size>{size}</Size>{modified}</Contents>").unwrap();
        }
        format!("{text}</ListBucketResult>").into_response()
    }

    fn get(&self, key: &str, headers: &HeaderMap) -> Response {
        let Some(bytes) = self.objects.get(key) else { return StatusCode::NOT_FOUND.into_response() };
        let fixed = [(ETAG, "\"whole\""), (LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT")];
        let Some(range) = headers.get(RANGE) else {
            return (fixed, [(CONTENT_LENGTH, bytes.len())], bytes.clone()).into_response();
        };
        let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
        let (first, last) = range.split_once('-').unwrap();
        let (first, last) = (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap());
        let says = [("content-range", format!("bytes {first}-{last}/{}", bytes.len()))];
        (StatusCode::PARTIAL_CONTENT, fixed, says, bytes[first..=last].to_vec()).into_response()
    }
}
