use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawForm, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures::stream;
use ipnet::IpNet;

use super::*;

/// Serves `router` on loopback until the test ends.
#[expect(clippy::disallowed_methods, reason = "the test's own server needs a socket")]
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

const QUICK: Limits =
    Limits { timeout: Duration::from_secs(5), body_bytes: Some(100 * 1024), redirects: MAX_REDIRECTS };

fn request(url: &str) -> WebRequest<'_> {
    WebRequest { method: HttpMethod::Get, url, params: &[], headers: &[], limits: QUICK }
}

async fn get_from(address: SocketAddr, path: &str) -> Result<WebResponse, WebError> {
    let client = WebClient::new(Destinations::Any).unwrap();
    client.send(&request(&format!("http://{address}{path}"))).await
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

#[tokio::test]
async fn a_post_carries_a_form_and_the_given_headers() {
    let echo = |RawQuery(query): RawQuery, headers: HeaderMap, form: Bytes| async move {
        let header = |name| headers[name].to_str().unwrap().to_owned();
        let seen = [query.unwrap(), header("content-type"), header("x-plivo-signature-v3-nonce")];
        ([("content-type", "text/xml")], format!("{seen:?} {}", String::from_utf8_lossy(&form)))
    };
    let address = serve(Router::new().route("/e", post(echo))).await;
    let url = format!("http://{address}/e?a=1#rt=5");
    let answer = WebClient::new(Destinations::Any)
        .unwrap()
        .send(&WebRequest {
            method: HttpMethod::Post,
            params: &pairs(&[("MPCName", "my room & más"), ("Empty", "")]),
            headers: &[("X-Plivo-Signature-V3-Nonce", "12345".into())],
            ..request(&url)
        })
        .await
        .unwrap();
    assert_eq!(
        answer.body,
        r#"["a=1", "application/x-www-form-urlencoded", "12345"] MPCName=my+room+%26+m%C3%A1s&Empty="#
    );
    assert_eq!(answer.content_type.as_deref(), Some("text/xml"));
    assert_eq!(answer.url.as_str(), format!("http://{address}/e?a=1"));
}

#[tokio::test]
async fn a_get_merges_its_parameters_into_the_query() {
    let echo = |RawQuery(query): RawQuery| async { query.unwrap_or_default() };
    let address = serve(Router::new().route("/e", get(echo))).await;
    let client = WebClient::new(Destinations::Any).unwrap();
    for (path, params, query) in [
        ("/e?a=b%20c#x", &[("MPCName", "my room")][..], "a=b%20c&MPCName=my+room"),
        ("/e", &[("A", "1"), ("B", "")], "A=1&B="),
        ("/e", &[], ""),
    ] {
        let url = format!("http://{address}{path}");
        let answer = client.send(&WebRequest { params: &pairs(params), ..request(&url) }).await.unwrap();
        assert_eq!(answer.body, query);
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let never = || async { std::future::pending::<()>().await };
    let address = serve(Router::new().route("/", get(never))).await;
    let url = format!("http://{address}/");
    let limits = Limits { timeout: Duration::from_millis(50), ..QUICK };
    let client = WebClient::new(Destinations::Any).unwrap();
    let error = client.send(&WebRequest { limits, ..request(&url) }).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1 did not answer within 50ms");
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_in_time() {
    let drip = || async {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"<Resp"))]);
        Body::from_stream(futures::StreamExt::chain(first, stream::pending()))
    };
    let address = serve(Router::new().route("/", get(drip))).await;
    let url = format!("http://{address}/");
    let limits = Limits { timeout: Duration::from_millis(50), ..QUICK };
    let client = WebClient::new(Destinations::Any).unwrap();
    let error = client.send(&WebRequest { limits, ..request(&url) }).await.unwrap_err();
    assert!(matches!(error, WebError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_redirect_ends_with_a_clear_error() {
    let round = || async { Redirect::temporary("/round") };
    let address = serve(Router::new().route("/round", get(round))).await;
    let error = get_from(address, "/round").await.unwrap_err();
    assert_eq!(error.to_string(), "too many redirects, the last one to 127.0.0.1");
}

#[tokio::test]
async fn five_redirects_are_followed_and_six_are_not() {
    let down = |Path(left): Path<u32>| async move {
        match left {
            0 => "arrived".into_response(),
            _ => Redirect::temporary(&format!("{}#part", left - 1)).into_response(),
        }
    };
    let address = serve(Router::new().route("/down/{left}", get(down))).await;
    let answer = get_from(address, "/down/5").await.unwrap();
    assert_eq!(answer.body, "arrived");
    assert_eq!(answer.url.as_str(), format!("http://{address}/down/0"));
    let error = get_from(address, "/down/6").await.unwrap_err();
    assert!(matches!(error, WebError::TooManyRedirects { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirected_post_keeps_its_form_only_if_the_status_says_so() {
    let hop = |Path(status): Path<u16>| async move {
        (StatusCode::from_u16(status).unwrap(), [("location", "/end")])
    };
    let end = |method: axum::http::Method, RawForm(form): RawForm| async move {
        format!("{method} {}", String::from_utf8_lossy(&form))
    };
    let router = Router::new().route("/hop/{status}", post(hop)).route("/end", any(end));
    let address = serve(router).await;
    let client = WebClient::new(Destinations::Any).unwrap();
    for (status, seen) in
        [(301, "POST a=1"), (302, "POST a=1"), (303, "GET "), (307, "POST a=1"), (308, "POST a=1")]
    {
        let url = format!("http://{address}/hop/{status}");
        let params = pairs(&[("a", "1")]);
        let post = WebRequest { method: HttpMethod::Post, params: &params, ..request(&url) };
        assert_eq!(client.send(&post).await.unwrap().body, seen, "{status}");
    }
}

#[tokio::test]
async fn ten_megabytes_are_refused_where_a_hundred_kilobytes_are_taken() {
    let announced = || async { vec![b'x'; 10 * 1024 * 1024] };
    let streamed = || async {
        let chunk = Bytes::from(vec![b'x'; 1024]);
        Body::from_stream(stream::iter((0..10 * 1024).map(move |_| Ok::<_, Infallible>(chunk.clone()))))
    };
    let exact = || async { vec![b'x'; 100 * 1024] };
    let router = Router::new()
        .route("/announced", get(announced))
        .route("/streamed", get(streamed))
        .route("/exact", get(exact));
    let address = serve(router).await;
    for path in ["/announced", "/streamed"] {
        let error = get_from(address, path).await.unwrap_err();
        assert_eq!(error.to_string(), "127.0.0.1 answered with more than 102400 bytes");
    }
    assert_eq!(get_from(address, "/exact").await.unwrap().body.len(), 100 * 1024);
}

#[tokio::test]
async fn an_error_status_is_an_error_and_an_unwanted_body_is_not_read() {
    let broken = || async { (StatusCode::INTERNAL_SERVER_ERROR, "x") };
    let huge = || async { vec![b'x'; 10 * 1024 * 1024] };
    let router = Router::new().route("/broken", get(broken)).route("/huge", get(huge));
    let address = serve(router).await;
    let error = get_from(address, "/broken").await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1 answered with status 500");
    let url = format!("http://{address}/huge");
    let client = WebClient::new(Destinations::Any).unwrap();
    let answer = client.send(&WebRequest { limits: Limits::CALLBACK, ..request(&url) }).await.unwrap();
    assert_eq!(answer.body, "");
}

#[tokio::test]
async fn a_redirect_does_not_lead_where_the_url_may_not_point() {
    let out = |Path(host): Path<String>| async move { Redirect::temporary(&format!("http://{host}/")) };
    let address = serve(Router::new().route("/to/{host}", get(out))).await;
    let this: IpNet = address.ip().into();
    let client = WebClient::new(Destinations::PublicAnd(vec![this])).unwrap();
    for host in ["127.0.0.2", "0x7f000002", "[::1]", "10.0.0.1", "169.254.169.254", "2130706434"] {
        let url = format!("http://{address}/to/{host}");
        let refused = client.send(&request(&url)).await;
        assert!(matches!(refused, Err(WebError::Forbidden { .. })), "{host}: {refused:?}");
    }
    let elsewhere = format!("http://{address}/to/file:");
    let refused = client.send(&request(&elsewhere)).await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn a_name_is_refused_for_what_it_resolves_to() {
    let address = serve(Router::new().route("/", get(|| async { "inside" }))).await;
    let client = WebClient::new(Destinations::Public).unwrap();
    for name in ["localhost", "LOCALHOST", "example.com@localhost", "loc%61lhost"] {
        let url = format!("http://{name}:{}/", address.port());
        let refused = client.send(&request(&url)).await;
        assert!(matches!(refused, Err(WebError::Forbidden { .. })), "{name}: {refused:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_a_clear_error() {
    let address = serve(Router::new()).await;
    let client = WebClient::new(Destinations::Any).unwrap();
    let refused = client.send(&request("http://127.0.0.1:1/")).await.unwrap_err();
    assert_eq!(refused.to_string(), "cannot connect to 127.0.0.1: Connection refused (os error 111)");
    // A label this long is in no resolver, so no name server is asked.
    let name = format!("{}.invalid", "x".repeat(64));
    let unresolved = client.send(&request(&format!("http://{name}/"))).await.unwrap_err();
    assert_eq!(unresolved.to_string(), format!("the name {name} cannot be resolved"));
    let plain = client.send(&request(&format!("https://{address}/"))).await.unwrap_err();
    assert!(matches!(plain, WebError::Unreachable { .. }), "{plain:?}");
}

#[test]
fn a_logged_url_has_no_secret() {
    assert_eq!(super::loggable("http://user:pass@h:1/a?token=x#y"), "http://h:1/a");
    assert_eq!(super::loggable("nonsense"), "no URL");
}

#[tokio::test]
async fn only_a_websocket_is_taken_for_one() {
    let liar = || async {
        let headers = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", "x")];
        (StatusCode::SWITCHING_PROTOCOLS, headers)
    };
    let address =
        serve(Router::new().route("/plain", get(|| async { "hi" })).route("/liar", get(liar))).await;
    let client = WebClient::new(Destinations::Any).unwrap();
    for (url, why) in [
        (format!("ws://{address}/plain"), "127.0.0.1 answered with status 200"),
        (format!("ws://{address}/liar"), "127.0.0.1 did not accept a WebSocket as RFC 6455 asks"),
        (format!("http://{address}/plain"), "only http and https URLs are requested, not http"),
    ] {
        let refused = client.open_websocket(&url, &[], 1024).await.map(drop).unwrap_err();
        assert_eq!(refused.to_string(), why);
    }
}
