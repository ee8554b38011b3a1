//! What is said of a text with SSML.

use super::*;

fn parts(content: &str) -> Vec<SpeechPart> {
    let Element::Speak(speak) = only(&format!("<Speak>{content}</Speak>")) else { panic!("{content}") };
    speak.parts
}

fn text(text: &str) -> SpeechPart {
    SpeechPart::Text(text.into())
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
            "<emphasis level='strong'>a</emphasis> <prosody rate='slow'>b</prosody> <lang xml:lang='fr-FR'>c</lang> \
             <phoneme alphabet='ipa' ph='x'>d</phoneme> <w role='x'>e</w>",
            vec![text("a b c d e")],
        ),
        ("<sub alias='World Wide Web'>WWW</sub>", vec![text("World Wide Web")]),
        ("pin <say-as interpret-as='digits'>12 3</say-as>now", vec![text("pin 1 2 3 now")]),
        ("on <say-as interpret-as='date'>1.2.2026</say-as>", vec![text("on 1.2.2026")]),
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
fn what_of_ssml_changes_nothing_is_named() {
    let Element::Speak(speak) = only(
        "<Speak><prosody rate='slow'>a</prosody><say-as interpret-as='date'>1.2.</say-as><w>c</w><s>d</s>\
         <prosody volume='loud'>e</prosody></Speak>",
    ) else {
        panic!()
    };
    assert_eq!(speak.plain, ["prosody", "say-as", "w"].into());
}
