//! What a caller says, recognised by a program that knows tones.

use std::collections::BTreeMap;

use mixminus_sip::CallEnd;

use crate::application::Application;
use crate::{Running, TOKEN};

/// Counts how often loud samples change their sign, which a tone does 40 times in a frame of 20 ms for each kilohertz.
const RECOGNISER: &str = r#"
od -An -v -td2 -w640 | awk '
    function report() {
        printf "{\"final\":\"a tone of %d\",\"confidence\":0.93}\n", int(changes / loud / 4 + 0.5) * 100
    }
    {
        peak = 0; here = 0
        for (i = 1; i <= NF; i++) {
            if ($i > peak) peak = $i
            if (($i < 0) != (last < 0)) here++
            last = $i
        }
        if (peak > 1000) { loud++; changes += here }
        if (loud == 5 && !told) { told = 1; print "{\"partial\":\"a tone\",\"stability\":0.5}"; fflush() }
        if (peak <= 1000 && loud >= 10) { report(); loud = 0; exit }
    }
    END { if (loud >= 10) report() }
'
"#;

/// A service with this recogniser, where a caller is asked by `<GetInput>` with these attributes and hears a tone.
async fn asking(recogniser: &str, attributes: &str) -> (Application, Running) {
    let application = Application::start().await;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("recognise.sh");
    std::fs::write(&script, recogniser).unwrap();
    let settings = [
        ("MIXMINUS__APPLICATION__ANSWER_URL", &*application.url("/answer")),
        ("MIXMINUS__SPEECH__RECOGNISER", &format!("sh,{}", script.display())),
    ];
    application.answer(&format!(
        "<Response><GetInput action='/events' redirect='false' executionTimeout='30' {attributes}>\
         <Play loop='0'>/tone.wav</Play></GetInput><Hangup/></Response>"
    ));
    let running = Running::start_in(folder, &settings).await;
    (application, running)
}

fn assert_told(told: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        assert_eq!(told.get(*key).map(String::as_str), Some(*value), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_says_is_recognised_and_reported() {
    let attributes = "inputType='speech' interimSpeechResultsCallback='/events'";
    let (application, running) = asking(RECOGNISER, attributes).await;
    let phone = running.call("line").await;
    phone.talk(50).await;
    assert_eq!(phone.ended().await, CallEnd::HungUp);
    application.told(2).await;
    let [interim, input] = &application.events()[..] else { panic!("{:?}", application.events()) };
    let understood = [("UnstableSpeech", "a tone"), ("StableSpeech", ""), ("Stability", "0.5")];
    assert_told(interim, &understood);
    assert_told(interim, &[("SequenceNumber", "1"), ("Event", "SpeechInterimResult")]);
    let said = [("InputType", "speech"), ("Speech", "a tone of 1000"), ("SpeechConfidenceScore", "0.93")];
    assert_told(input, &said);
    assert_told(input, &[("Digits", ""), ("BilledAmount", "0.00000")]);
    application.assert_signed(TOKEN);
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_ends_what_a_recogniser_hears() {
    let until_the_end = r#"test "$(wc -c)" -gt 64000 && echo '{"final":"all of it"}'"#;
    let attributes = "inputType='dtmf speech' speechEndTimeout='2'";
    let (application, running) = asking(until_the_end, attributes).await;
    let phone = running.call("line").await;
    phone.talk(50).await;
    assert_eq!(phone.ended().await, CallEnd::HungUp);
    application.told(1).await;
    assert_told(&application.events()[0], &[("Speech", "all of it"), ("SpeechConfidenceScore", "")]);
    running.service.drain().await;
}
