//! Programs that recognise, and such that do not.

use std::path::Path;

use mixminus_mixer::{TapCapacity, TapId, tap};

use super::*;
use crate::config::Config;

fn configured(settings: &[(&str, &str)]) -> Recogniser {
    let variables =
        settings.iter().map(|(key, value)| (format!("MIXMINUS__SPEECH__{key}").into(), (*value).into()));
    Recogniser::new(&Config::load(None, variables).unwrap().speech)
}

/// One that runs a script of `body`, written into `folder`.
fn script(folder: &Path, body: &str) -> Recogniser {
    let file = folder.join("recognise.sh");
    std::fs::write(&file, body).unwrap();
    let words = format!("sh,{},{{language}},{{model}}", file.display());
    configured(&[("RECOGNISER", &words), ("RECOGNISER_TIMEOUT_S", "1"), ("MAX_RECOGNISERS", "1")])
}

fn terms() -> SpeechTerms {
    SpeechTerms {
        language: "de-DE".into(),
        model: SpeechModel::Phrase,
        hints: vec!["ja bitte".into(), "$(nein)".into()],
        filters_profanity: true,
        end_timeout: None,
        interim: None,
    }
}

/// What is told of a caller who has said all.
async fn told_by(recogniser: &Recogniser) -> (Vec<Heard>, Result<(), RecogniserError>) {
    let (_, audio) = tap(TapId(1), TapCapacity::of(1));
    let (end, (tell, mut told)) = (CancellationToken::new(), mpsc::channel(10));
    end.cancel();
    let result = recogniser.recognise(&terms(), audio, end, tell).await;
    let mut all = Vec::new();
    while let Some(heard) = told.recv().await {
        all.push(heard);
    }
    (all, result)
}

async fn error_of(body: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    told_by(&script(folder.path(), body)).await.1.unwrap_err().to_string()
}

#[tokio::test]
async fn what_a_program_says_is_told_in_order_and_no_line_twice() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"
        echo '{"partial":"ye","stability":0.5}'
        echo '{"partial":"ye","stability":0.5}'
        cat > /dev/null
        echo '{"final":"yes","confidence":0.93}'
        echo '{"final":"please"}'
    "#;
    let (told, result) = told_by(&script(folder.path(), body)).await;
    assert!(result.is_ok(), "{result:?}");
    let last = |text: &str, confidence| Heard::Final { text: text.into(), confidence };
    assert_eq!(
        told,
        [
            Heard::Partial { text: "ye".into(), stability: Likelihood::new(0.5) },
            last("yes", Some(Likelihood::new(0.93))),
            last("please", None),
        ]
    );
}

#[tokio::test]
async fn a_program_is_told_what_the_document_says_and_no_shell_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"
        said="$1 $2 $SPEECH_LANGUAGE $SPEECH_MODEL $SPEECH_HINTS $SPEECH_PROFANITY_FILTER"
        printf '{"final":"%s"}\n' "$said"
    "#;
    let (told, _) = told_by(&script(folder.path(), body)).await;
    let text = "de-DE command_and_search de-DE command_and_search ja bitte,$(nein) true".into();
    assert_eq!(told, [Heard::Final { text, confidence: None }]);
}

#[tokio::test]
async fn a_program_that_fails_says_why() {
    assert_eq!(error_of("exit 3").await, "the recogniser ended with exit status: 3");
    let other = "of the recogniser's output is none of those in docs/speech.md";
    for line in ["junk", "{}", r#"{"partial":"a","final":"b"}"#, r#"{"final":3}"#] {
        let said = error_of(&format!("echo '{{\"partial\":\"a\"}}'\necho '{line}'")).await;
        assert_eq!(said, format!("line 2 {other}"), "{line}");
    }
    assert_eq!(error_of("head -c 100000 /dev/zero").await, format!("line 1 {other}"));
    assert_eq!(error_of("exec sleep 60").await, "the recogniser was not done within 1s after the last word");
}

#[tokio::test]
async fn there_are_no_more_programs_than_allowed_nor_any_that_is_not_there() {
    assert!(matches!(told_by(&configured(&[])).await.1, Err(RecogniserError::NotConfigured)));
    let absent = configured(&[("RECOGNISER", "/nowhere/recognise")]);
    assert!(matches!(told_by(&absent).await.1, Err(RecogniserError::Start(_))));
    let folder = tempfile::tempdir().unwrap();
    let one = script(folder.path(), "cat > /dev/null");
    let (first, second) = tokio::join!(told_by(&one), told_by(&one));
    assert!(first.1.is_ok() && matches!(second.1, Err(RecogniserError::Busy)), "{first:?}, {second:?}");
}
