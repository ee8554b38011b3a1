//! The console's files.

use super::*;

async fn open(path: &str, accept: &str) -> Answer {
    let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
    api().await.request(request).await
}

#[tokio::test]
async fn a_browser_is_shown_the_console_and_a_program_what_this_is() {
    let page = open("/", "text/html,application/xhtml+xml,*/*;q=0.8").await;
    assert_eq!(page.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(page.text.starts_with("<!doctype html>"));
    for accept in ["*/*", "application/json"] {
        assert_eq!(open("/", accept).await.json()["service"], "mixminus");
    }
}

#[tokio::test]
async fn the_console_comes_from_here_alone_and_runs_nothing_that_stands_in_a_page() {
    let mut wanted = vec!["index.html".to_owned()];
    let mut seen = Vec::new();
    while let Some(name) = wanted.pop() {
        let file = open(&format!("/console/{name}"), "*/*").await;
        assert_eq!(file.status, 200, "{name}");
        let policy = file.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
        for banned in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            " style=",
            " onclick=",
        ] {
            assert!(!file.text.contains(banned), "{name} has {banned}");
        }
        let elsewhere =
            file.text.replace("http://www.w3.org/2000/svg", "").replace("https://example.com", "");
        assert!(!elsewhere.contains("://"), "{name} names another place");
        let names = file.text.split(['"', '\'']).filter_map(|word| {
            word.strip_prefix("./").or_else(|| word.strip_prefix("/console/")).map(str::to_owned)
        });
        seen.push(name);
        wanted.extend(names.filter(|name| !seen.contains(name)));
        wanted.sort();
        wanted.dedup();
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
}

#[tokio::test]
async fn what_is_no_file_of_the_console_is_not_found() {
    for name in ["index", "..%2Fmod.rs", "console.css%00"] {
        assert_eq!(open(&format!("/console/{name}"), "text/html").await.status, 404, "{name}");
    }
}
