//! Programs and services that speak, and how soon they are heard.
#![expect(clippy::disallowed_methods, reason = "how soon something is heard is measured in real time")]

use std::time::Instant;

use axum::extract::RawQuery;
use axum::http::HeaderMap;

use super::*;
use crate::config::Config;
use crate::web::tests::serve;

/// Some 3000 characters.
const LONG: &str = "All our agents are talking to others at the moment, and we are sorry for that. ";

/// Speech as these variables configure it.
fn configured(settings: &[(&str, &str)]) -> Speech {
    let variables =
        settings.iter().map(|(key, value)| (format!("MIXMINUS__SPEECH__{key}").into(), (*value).into()));
    Speech::new(&Config::load(None, variables).unwrap().speech).unwrap()
}

fn command(command: &str, voices: &str) -> Speech {
    let mut settings = vec![("ENGINE", "command"), ("COMMAND", command), ("TIMEOUT_S", "2")];
    settings.extend((!voices.is_empty()).then_some(("VOICES", voices)));
    configured(&settings)
}

fn spoken_by(speech: Speech) -> Prompts<OneFile> {
    Prompts::new(OneFile(Err(PromptError::Empty), AtomicUsize::new(0)), Arc::new(speech))
}

fn asked(text: &str, voice: &str, language: &str) -> PromptContent {
    let (voice, language, prosody) = (voice.into(), language.into(), Prosody::default());
    PromptContent::Speech { text: text.into(), voice, language, prosody }
}

/// Times from the beginning until the first part and until all are made, and how much there is to hear.
async fn timed(speech: Speech, text: &str) -> (Duration, Duration, Duration) {
    let prompts = spoken_by(speech);
    let began = Instant::now();
    let (parts, mut made) = mpsc::channel::<Arc<Clip>>(1);
    let content = self::speech(text);
    let hear = async {
        let first = made.recv().await.unwrap();
        let (first_at, mut heard) = (began.elapsed(), first.duration());
        while let Some(part) = made.recv().await {
            heard += part.duration();
        }
        (first_at, heard)
    };
    let (result, (first_at, heard)) = tokio::join!(prompts.render(&content, parts), hear);
    result.unwrap();
    (first_at, began.elapsed(), heard)
}

/// A program that takes 4 ms for each character, of which a second of speech has 15, and the folder it is in.
fn slow_program() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let header = folder.path().join("header.wav");
    std::fs::write(&header, wav_claiming(PCM_8K, &[], u32::MAX)).unwrap();
    let script = folder.path().join("speak.sh");
    let body = format!(
        "n=$(wc -c)\nsleep $(awk \"BEGIN {{ print $n * 0.004 }}\")\ncat {}\nhead -c $((n * 1066)) /dev/zero\n",
        header.display()
    );
    std::fs::write(&script, body).unwrap();
    let words = format!("sh,{}", script.display());
    (folder, words)
}

#[tokio::test]
async fn a_long_text_is_heard_long_before_all_of_it_is_made() {
    let text = LONG.repeat(37);
    let (first, all, heard) = timed(Speech::built_in(), &text).await;
    println!("built in: first sound after {first:?}, {heard:?} of speech made in {all:?}");
    assert!(first < Duration::from_secs(2), "{first:?}");
    assert!(heard > Duration::from_mins(1), "{heard:?}");

    let (_folder, words) = slow_program();
    let (first, all, heard) = timed(command(&words, ""), &LONG.repeat(5)).await;
    println!("slow program: first sound after {first:?}, {heard:?} of speech made in {all:?}");
    assert!(first < all / 3, "{first:?} of {all:?}");
}

#[tokio::test]
async fn a_program_is_told_voice_language_and_gender_and_hears_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let (heard, file) = (folder.path().join("heard"), folder.path().join("beep.wav"));
    std::fs::write(&file, wav(PCM_8K, &bytes_of(&tone(800)))).unwrap();
    let script = folder.path().join("speak.sh");
    let body = format!("echo \"$@\" >> {0}; cat >> {0}; cat {1}", heard.display(), file.display());
    std::fs::write(&script, body).unwrap();
    let words =
        format!("sh,{},-v{{voice}},{{language}}/{{gender}},{{rate}}/{{pitch}},$(date)", script.display());
    let prompts = spoken_by(command(&words, "de-DE/MAN=hans,en-US/WOMAN=amy"));
    for (voice, language) in [("MAN", "de-DE"), ("Polly.Joanna", "en-US"), ("WOMAN", "xx-XX")] {
        let clip = render_one(&prompts, &asked("Hi; `date` 'x'\n", voice, language)).await.unwrap();
        assert_eq!(clip.duration(), Duration::from_millis(100));
    }
    let expected =
        "-vhans de-DE/male 100/100 $(date)\nHi; `date` 'x'-vamy en-US/female 100/100 $(date)\nHi; `date` 'x'";
    assert_eq!(std::fs::read_to_string(heard).unwrap(), expected);
}

async fn spoken(prompts: &Prompts<OneFile>, prosody: Prosody) -> Arc<Clip> {
    let (text, voice, language) = ("Good morning.".into(), "WOMAN".into(), "en-US".into());
    render_one(prompts, &PromptContent::Speech { text, voice, language, prosody }).await.unwrap()
}

#[tokio::test]
async fn the_built_in_voice_speaks_as_fast_high_and_loud_as_it_is_asked_to() {
    let prompts = spoken_by(Speech::built_in());
    let usual = spoken(&prompts, Prosody::default()).await;
    let slow = spoken(&prompts, Prosody { rate_percent: 50, ..Prosody::default() }).await;
    let times = slow.duration().as_secs_f64() / usual.duration().as_secs_f64();
    assert!((times - 2.0).abs() < 0.05, "{times} times as long");
    let of = |clip: &Clip| level(&clip.pcm().samples).0;
    for (volume_db, louder) in [(-6, -6.0), (3, 3.0)] {
        let clip = spoken(&prompts, Prosody { volume_db, ..Prosody::default() }).await;
        assert!((of(&clip) - of(&usual) - louder).abs() < 0.2, "{volume_db} dB: {}", of(&clip));
    }
    let loud = spoken(&prompts, Prosody { volume_db: 90, ..Prosody::default() }).await;
    let peak = loud.pcm().samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!((32_760..=32_767).contains(&peak), "as loud as can be, and undistorted");
    let high = spoken(&prompts, Prosody { pitch_percent: 200, ..Prosody::default() }).await;
    assert!(high.pcm().samples != usual.pcm().samples);
}

#[tokio::test]
async fn a_program_is_told_how_fast_and_high_and_its_volume_is_changed_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (heard, file) = (folder.path().join("heard"), folder.path().join("beep.wav"));
    std::fs::write(&file, wav(PCM_8K, &bytes_of(&tone(800)))).unwrap();
    let script = folder.path().join("speak.sh");
    std::fs::write(&script, format!("echo $1 >> {}; cat {}", heard.display(), file.display())).unwrap();
    let prompts = spoken_by(command(&format!("sh,{},{{rate}}/{{pitch}}", script.display()), ""));
    let usual = spoken(&prompts, Prosody::default()).await;
    let soft = Prosody { rate_percent: 80, pitch_percent: 110, volume_db: -6 };
    let soft = spoken(&prompts, soft).await;
    let softer = level(&soft.pcm().samples).0 - level(&usual.pcm().samples).0;
    assert!((softer + 6.0).abs() < 0.2, "{softer} dB");
    assert_eq!(std::fs::read_to_string(heard).unwrap(), "100/100\n80/110\n");
}

#[tokio::test]
async fn a_program_that_fails_says_so_and_one_that_hangs_is_ended() {
    for (words, expected) in [
        ("/nonexistent/voice", "the speech engine failed: No such file"),
        ("false", "the speech engine failed: the program ended with exit status: 1"),
        ("true", "not a WAV or MP3 audio file"),
        ("cat,/dev/zero", "audio file of"),
        ("sleep,60", "not made within"),
    ] {
        let error = render(&spoken_by(command(words, "")), &speech("Hello.")).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{words}: {error}");
    }
}

/// A call that is hung up costs no more.
#[tokio::test]
async fn a_program_that_nobody_waits_for_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (id, script) = (folder.path().join("id"), folder.path().join("speak.sh"));
    std::fs::write(&script, format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60", id.display()))
        .unwrap();
    let prompts = spoken_by(command(&format!("sh,{}", script.display()), ""));
    let content = speech("Hello.");
    let rendering = tokio::spawn(async move { render(&prompts, &content).await });
    let until = async |condition: &dyn Fn() -> bool| {
        for _ in 0..500 {
            if condition() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not within 5 s");
    };
    until(&|| id.exists()).await;
    let process = std::path::PathBuf::from("/proc").join(std::fs::read_to_string(&id).unwrap().trim());
    assert!(process.exists());
    rendering.abort();
    until(&|| !process.exists()).await;
}

#[tokio::test]
async fn what_is_missing_is_an_error_for_who_asks() {
    let installed = command("true", "de-DE/MAN=hans,en-US/WOMAN=amy");
    assert_eq!(installed.available("MAN", "de-DE"), Ok(()));
    assert!(matches!(installed.available("WOMAN", "de-DE"), Err(Missing::Voice { .. })));
    assert!(matches!(installed.available("WOMAN", "fr-FR"), Err(Missing::Language { .. })));
    assert_eq!(command("true", "").available("WOMAN", "fr-FR"), Ok(()));
}

#[tokio::test]
async fn a_service_is_sent_the_text_and_told_voice_and_language() {
    let file = wav(PCM_8K, &bytes_of(&tone(800)));
    let speak = |RawQuery(query): RawQuery, headers: HeaderMap, text: String| async move {
        let kind = headers["content-type"].to_str().unwrap().to_owned();
        let expected = ("v=a%26b&l=en-US&g=female", "text/plain; charset=utf-8", "Füße & more");
        assert_eq!((&*query.unwrap(), &*kind, &*text), expected);
        file
    };
    let address = serve(axum::Router::new().route("/speak", axum::routing::post(speak))).await;
    let service = |path: &str| {
        let url = format!("http://{address}{path}?v={{voice}}&l={{language}}&g={{gender}}");
        configured(&[("ENGINE", "http"), ("URL", &url), ("VOICES", "en-US/*=a&b")])
    };
    let clip = render_one(&spoken_by(service("/speak")), &speech("Füße & more")).await.unwrap();
    assert_eq!(clip.duration(), Duration::from_millis(100));
    let error = render(&spoken_by(service("/missing")), &speech("Hello.")).await.unwrap_err();
    assert!(matches!(&error, PromptError::Engine(why) if why.contains("404")), "{error}");
}

#[tokio::test]
async fn an_installed_program_speaks_german() {
    let words = "espeak-ng,--stdin,--stdout,-v,{language}";
    match render_one(&spoken_by(command(words, "")), &asked("Guten Tag, wie geht es?", "WOMAN", "de-DE"))
        .await
    {
        Ok(clip) => {
            assert!(clip.duration() > Duration::from_millis(800), "{:?}", clip.duration());
            assert!(level(&samples(&clip)) > Dbov(-35.0));
        }
        Err(PromptError::Engine(why)) => println!("not installed: {why}"),
        Err(error) => panic!("{error}"),
    }
}
