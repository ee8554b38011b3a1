//! What applications answer for music, beeps and greetings.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::web::Destinations;
use crate::web::tests::serve;

/// Answers by URL; none is found under others.
#[derive(Debug)]
struct Site(HashMap<&'static str, Vec<u8>>, AtomicUsize);

impl FetchAudio for Site {
    async fn fetch(&self, action: &Action) -> Result<Fetched, PromptError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let bytes = self.0.get(&*action.url).cloned();
        let bytes = bytes.ok_or_else(|| PromptError::Fetch("404 Not Found".into()))?.into();
        Ok(Fetched { bytes, media_type: None, url: action.url.clone() })
    }
}

const DOCUMENT: &str = "http://music.example/wait/doc";

fn site(body: &str) -> Prompts<Site> {
    let beep = wav(PCM_8K, &bytes_of(&tone(800)));
    let other = wav(PCM_8K, &bytes_of(&tone(1_600)));
    let answers = [
        (DOCUMENT, format!("\n<Response>{body}</Response>").into_bytes()),
        ("http://music.example/wait/beep.wav", beep),
        ("http://music.example/other.wav", other),
        ("http://music.example/empty", vec![]),
        ("http://music.example/round", b"<Response><Play>/round</Play></Response>".to_vec()),
    ];
    Prompts::new(Site(answers.into(), AtomicUsize::new(0)), Arc::new(Speech::built_in()))
}

fn sounds(url: &str) -> PromptContent {
    PromptContent::Sounds(Action { url: url.into(), method: HttpMethod::Post })
}

async fn lengths_ms(prompts: &Prompts<Site>, url: &str) -> Result<Vec<u128>, PromptError> {
    let clips = render(prompts, &sounds(url)).await?;
    Ok(clips.iter().map(|clip| clip.duration().as_millis()).collect())
}

#[tokio::test]
async fn a_plain_audio_file_is_played() {
    assert_eq!(lengths_ms(&site(""), "http://music.example/other.wav").await.unwrap(), [200]);
}

#[tokio::test]
async fn files_sentences_and_pauses_are_heard_in_order_and_the_rest_is_ignored() {
    let prompts = site(
        "<Play loop='2'>beep.wav</Play><Hangup/><Wait length='2'/><Speak>Hello.</Speak><Redirect>/x</Redirect>\
         <Play>/other.wav</Play>",
    );
    let lengths = lengths_ms(&prompts, DOCUMENT).await.unwrap();
    assert_eq!((&lengths[..4], lengths[5]), (&[100, 100, 1_000, 1_000][..], 200));
    assert!((300..1_500).contains(&lengths[4]), "{lengths:?}");
}

#[tokio::test]
async fn what_cannot_be_had_is_left_out_and_nothing_at_all_is_silence() {
    let prompts = site("<Play>/missing.wav</Play><Speak> </Speak><Play>/round</Play><Play>/other.wav</Play>");
    assert_eq!(lengths_ms(&prompts, DOCUMENT).await.unwrap(), [200]);
    for body in
        ["", "<Play>/missing.wav</Play>", "<Play loop='0'>/missing.wav</Play>", "<Wait length='x'/>", "<Pl"]
    {
        assert!(lengths_ms(&site(body), DOCUMENT).await.is_err(), "{body}");
    }
    for url in ["http://music.example/missing", "http://music.example/empty"] {
        assert!(lengths_ms(&prompts, url).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn several_are_heard_one_after_the_other_without_those_that_cannot_be_had() {
    let prompts = site("<Play>beep.wav</Play>");
    let file = |url: &str| PromptContent::File(format!("http://music.example/{url}"));
    let inner = PromptContent::Several(vec![file("missing"), sounds(DOCUMENT)]);
    let several = PromptContent::Several(vec![file("other.wav"), inner, PromptContent::Beep1]);
    let clips = render(&prompts, &several).await.unwrap();
    let lengths: Vec<_> = clips.iter().map(|clip| clip.duration().as_millis()).collect();
    assert_eq!(lengths, [200, 100, 150]);
    for nothing in [vec![], vec![file("missing"), file("empty")]] {
        assert_eq!(render(&prompts, &PromptContent::Several(nothing)).await.unwrap_err(), PromptError::Empty);
    }
}

#[tokio::test]
async fn a_document_has_a_bounded_number_of_sounds_and_a_bounded_length() {
    let many = site(&"<Play>beep.wav</Play>".repeat(MAX_SOUNDS + 1));
    assert_eq!(lengths_ms(&many, DOCUMENT).await.unwrap(), [100; MAX_SOUNDS]);
    let endless = site("<Wait length='400'/><Wait length='86400'/><Play>beep.wav</Play>");
    assert_eq!(lengths_ms(&endless, DOCUMENT).await.unwrap().iter().sum::<u128>(), MAX_CLIP.as_millis());
    let short = site("<Play loop='0'>beep.wav</Play>");
    assert_eq!(lengths_ms(&short, DOCUMENT).await.unwrap().len(), mixminus_mixer::MAX_PARTS);
}

#[tokio::test]
async fn an_answer_and_its_files_are_asked_for_once_a_minute() {
    let prompts = site("<Play loop='3'>beep.wav</Play>");
    for _ in 0..3 {
        lengths_ms(&prompts, DOCUMENT).await.unwrap();
    }
    assert_eq!(prompts.files.1.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_failed_is_asked_for_again() {
    let prompts = site("");
    for _ in 0..2 {
        assert!(lengths_ms(&prompts, "http://music.example/missing").await.is_err());
    }
    assert_eq!(prompts.files.1.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn nothing_more_is_made_when_nobody_hears_it() {
    let prompts = site(&"<Play>beep.wav</Play><Play>/other.wav</Play>".repeat(2));
    let (parts, mut made) = mpsc::channel(1);
    let content = sounds(DOCUMENT);
    let hear_one = async {
        made.recv().await.unwrap();
        drop(made);
    };
    let (result, ()) = tokio::join!(prompts.render(&content, parts), hear_one);
    assert_eq!(result, Ok(()));
    assert!(prompts.files.1.load(Ordering::Relaxed) <= 3);
}

/// Attack H1: neither the document nor what it names leads into the deployer's own network.
#[tokio::test]
async fn sounds_come_from_public_addresses_only() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let router = axum::Router::new().fallback(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { b"<Response><Play>http://169.254.169.254/latest</Play></Response>".to_vec() }
    });
    let address = serve(router).await;
    let content = sounds(&format!("http://{address}/"));
    let render_within = async |destinations| {
        let web = AudioFiles::new(destinations).unwrap();
        render(&Prompts::new(web, Arc::new(Speech::built_in())), &content).await.unwrap_err()
    };
    let refused = render_within(Destinations::Public).await;
    assert!(matches!(&refused, PromptError::Fetch(why) if why.contains("127.0.0.1")), "{refused}");
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let here = vec!["127.0.0.0/8".parse().unwrap()];
    assert_eq!(render_within(Destinations::PublicAnd(here)).await, PromptError::Empty);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn urls_of_a_document_are_resolved_where_it_came_from_in_the_end() {
    let file = wav(PCM_8K, &bytes_of(&tone(800)));
    let document = || async { "<Response><Play>beep.wav</Play></Response>" };
    let router = axum::Router::new()
        .route("/old", axum::routing::get(|| async { axum::response::Redirect::temporary("/new/doc") }))
        .route("/new/doc", axum::routing::get(document))
        .route("/new/beep.wav", axum::routing::get(move || async { file }));
    let url = format!("http://{}/old", serve(router).await);
    let web = AudioFiles::new(Destinations::Any).unwrap();
    let prompts = Prompts::new(web, Arc::new(Speech::built_in()));
    let content = PromptContent::Sounds(Action { url, method: HttpMethod::Get });
    assert_eq!(render_one(&prompts, &content).await.unwrap().duration(), Duration::from_millis(100));
}

/// Fails so often before it serves a file; how often it was asked, and whether the file came.
async fn asked_of_one_that_fails(times: usize) -> (usize, bool) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, file) = (Arc::clone(&asked), wav(PCM_8K, &bytes_of(&tone(800))));
    let router = axum::Router::new().fallback(move || {
        let failing = count.fetch_add(1, Ordering::Relaxed) < times;
        let file = file.clone();
        async move { if failing { Err(axum::http::StatusCode::NOT_FOUND) } else { Ok(file) } }
    });
    let url = format!("http://{}/a.wav", serve(router).await);
    let prompts = Prompts::new(AudioFiles::new(Destinations::Any).unwrap(), Arc::new(Speech::built_in()));
    let came = render(&prompts, &PromptContent::File(url)).await.is_ok();
    (asked.load(Ordering::Relaxed), came)
}

#[tokio::test]
async fn a_file_that_does_not_come_is_asked_for_once_more() {
    assert_eq!(asked_of_one_that_fails(0).await, (1, true));
    assert_eq!(asked_of_one_that_fails(1).await, (2, true));
    assert_eq!(asked_of_one_that_fails(2).await, (2, false));
}

#[tokio::test]
async fn pauses_of_a_text_are_heard_where_they_are() {
    let prompts = site("<Speak loop='2'><s>Hello.</s><break time='1250ms'/>World.</Speak>");
    let lengths = lengths_ms(&prompts, DOCUMENT).await.unwrap();
    let (once, again) = lengths.split_at(5);
    assert_eq!((once, &once[1..4]), (again, &[400, 1_000, 250][..]));
    assert!(once[0] > 300 && once[4] > 300, "{lengths:?}");
}
