//! What is said of a text with SSML.

use super::*;

fn parts(content: &str) -> Vec<SpeechPart> {
    let Element::Speak(speak) = only(&format!("<Speak>{content}</Speak>")) else { panic!("{content}") };
    speak.parts
}

fn text(text: &str) -> SpeechPart {
    SpeechPart::Text(text.into(), usual("en-US"))
}

fn pause(ms: u64) -> SpeechPart {
    SpeechPart::Pause(Duration::from_millis(ms))
}

fn pause_of(attributes: &str) -> Vec<SpeechPart> {
    parts(&format!("a<break {attributes}/>b"))
}

#[test]
fn speech_has_pauses_and_the_rest_of_ssml_is_said_as_text() {
    for (content, expected) in [
        ("<p>One. <s>Two</s></p> Three", vec![text("One. Two"), pause(400), pause(700), text("Three")]),
        (
            "<prosody contour='x'>a</prosody> <phoneme alphabet='ipa' ph='x'>d</phoneme> <w role='x'>e</w>",
            vec![text("a"), text("d e")],
        ),
        ("<sub alias='World Wide Web'>WWW</sub>", vec![text("World Wide Web")]),
        ("pin <say-as interpret-as='digits'>12 3</say-as>now", vec![text("pin 1 2 3 now")]),
        ("on <say-as interpret-as='date'>1.2.2026</say-as>", vec![text("on January 2nd 2026")]),
        ("at <say-as interpret-as='address'>1 St</say-as>", vec![text("at 1 St")]),
        ("a<cont>b</cont>c", vec![text("a b c")]),
        (" \n ", Vec::new()),
    ] {
        assert_eq!(parts(content), expected, "{content}");
    }
}

#[test]
fn a_break_is_as_long_as_it_says() {
    for (attributes, ms) in [
        ("time='250ms'", 250),
        ("time='1.5s'", 1500),
        ("time='99s'", 10_000),
        ("strength='x-strong'", 1000),
        ("strength='weak'", 200),
        ("time='soon'", 400),
        ("", 400),
    ] {
        assert_eq!(pause_of(attributes), [text("a"), pause(ms), text("b")], "{attributes}");
    }
    assert_eq!(pause_of("strength='none'"), [text("a"), text("b")]);
}

#[test]
fn prosody_emphasis_and_language_are_the_manner_of_what_is_in_them() {
    let manners = |content: &str| {
        let parts = parts(content).into_iter().map(|part| match part {
            SpeechPart::Text(text, Manner { language, rate_percent, pitch_percent, volume_db }) => {
                (text, language, (rate_percent, pitch_percent, volume_db))
            }
            SpeechPart::Pause(_) => panic!("{content}"),
        });
        parts.collect::<Vec<_>>()
    };
    let said = |text: &str, language: &str, how| (text.to_owned(), language.to_owned(), how);
    assert_eq!(
        manners("a <prosody rate='slow' pitch='+10%'>b <emphasis>c</emphasis></prosody> d"),
        [
            said("a", "en-US", (100, 100, 0)),
            said("b", "en-US", (75, 110, 0)),
            said("c", "en-US", (67, 110, 3)),
            said("d", "en-US", (100, 100, 0)),
        ]
    );
    for (attributes, how) in [
        ("rate='80%' pitch='x-low' volume='x-loud'", (80, 70, 12)),
        ("rate='-30%' pitch='-99%' volume='-6dB'", (70, 50, -6)),
        ("rate='5%' volume='silent'", (20, 100, -96)),
        ("rate='quick' pitch='200Hz' volume='+1e9dB'", (100, 100, 12)),
        ("rate='NaN%'", (20, 100, 0)),
    ] {
        let read = manners(&format!("<prosody {attributes}>a</prosody>"));
        assert_eq!(read, [said("a", "en-US", how)], "{attributes}");
    }
    for (level, how) in [("strong", (80, 100, 6)), ("reduced", (110, 100, -3)), ("none", (100, 100, 0))] {
        let read = manners(&format!("<emphasis level='{level}'>a</emphasis>"));
        assert_eq!(read, [said("a", "en-US", how)], "{level}");
    }
    let read = manners("<lang xml:lang='fr-FR'>un <say-as interpret-as='ordinal'>2</say-as></lang>");
    assert_eq!(read, [said("un 2", "fr-FR", (100, 100, 0))]);
    assert_eq!(manners("<lang xml:lang='$x'>a</lang>"), [said("a", "en-US", (100, 100, 0))]);
}

#[test]
fn what_of_ssml_changes_nothing_is_named() {
    let Element::Speak(speak) = only(
        "<Speak><prosody rate='slow'>a</prosody><say-as interpret-as='date'>1.2.</say-as><w>c</w><s>d</s>\
         <phoneme ph='x'>e</phoneme></Speak>",
    ) else {
        panic!()
    };
    assert_eq!(speak.plain, ["phoneme", "say-as", "w"].into());
}
