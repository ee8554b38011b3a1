//! Whatever comes as a document, the parser answers and does not panic.

use std::fmt::Write as _;

use mixminus_plivo::xml::{self, Limits, MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, XmlError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const SEED: &str = "<?xml version='1.0'?>\n<Response><Speak voice='MAN'>Hé &lt;you&gt; <s>&#65;</s></Speak>\
    <Play loop='0'>/a.mp3</Play><Wait length='3' beep='duration=1'/><Redirect method='GET'>x</Redirect>\
    <MultiPartyCall role='Agent' maxParticipants='4' enterSound='beep:2' statusCallbackUrl='//h/s' \
    statusCallbackEvents='mpc-state-changes, participant-speak-events'><![CDATA[my room]]></MultiPartyCall>\
    <Dial sipHeaders='k=v'><Number sendDigits='1w'>14151234567</Number><User>sip:b@h</User></Dial>\
    <PreAnswer><Speak>x</Speak></PreAnswer><GetDigits validDigits='12'><Play>b</Play></GetDigits>\
    <GetInput action='/i' hints='a,b'/><Record maxLength='3'/><Conference>c</Conference><DTMF>1w</DTMF>\
    <Stream>wss://h/s</Stream><Message src='1' dst='2'>m</Message><!-- c --><Hangup reason='busy' schedule='60'/></Response>";

const PIECES: [&[u8]; 12] = [
    b"<",
    b">",
    b"&",
    b"'",
    b"=",
    b"\xc3",
    b"\0",
    b"<!DOCTYPE x [",
    b"]]>",
    b"xmlns:a=''",
    b"99999999999",
    b"\xf0\x9f\x98\x80",
];

fn parse_within(limits: &Limits, document: &[u8]) -> Result<xml::Document, XmlError> {
    let base = "http://127.0.0.1:9000/answer".parse().expect("it is a URL");
    xml::parse(document, &base, limits)
}

fn parse(document: &[u8]) -> Result<xml::Document, XmlError> {
    parse_within(&Limits::default(), document)
}

fn read(document: &str) -> Result<xml::Document, XmlError> {
    parse(document.as_bytes())
}

#[test]
fn the_seed_of_the_mutations_is_a_document() {
    assert_eq!(parse(SEED.as_bytes()).map(|document| document.elements.len()), Ok(15));
}

#[test]
fn entities_are_never_expanded() {
    let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>\
                  <!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><Response><Speak>&c;</Speak></Response>";
    let external =
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><Response><Speak>&e;</Speak></Response>";
    for document in [laughs, external] {
        assert_eq!(read(document), Err(XmlError::Malformed(roxmltree::Error::DtdDetected)));
    }
    assert!(matches!(read("<Response>&e;</Response>"), Err(XmlError::Malformed(_))));
}

#[test]
fn depth_number_and_size_have_limits() {
    let nested = |depth: usize| {
        format!("<Response>{}{}</Response>", "<a>".repeat(depth - 1), "</a>".repeat(depth - 1))
    };
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(XmlError::TooDeep { line: 1 }));
    let wide = |elements: usize| format!("<Response>{}</Response>", "\n<a/>".repeat(elements - 1));
    assert!(read(&wide(MAX_ELEMENTS)).is_ok());
    assert_eq!(read(&wide(MAX_ELEMENTS + 1)), Err(XmlError::TooManyElements { line: 101 }));
    let comments = format!("<Response>{}</Response>", "<!---->".repeat(10_000));
    assert_eq!(read(&comments), Err(XmlError::Malformed(roxmltree::Error::NodesLimitReached)));
    let sized = |bytes: usize| format!("<Response>{}</Response>", "x".repeat(bytes - 21));
    assert!(read(&sized(102_400)).is_ok());
    assert_eq!(read(&sized(102_401)), Err(XmlError::TooLarge { bytes: 102_401, limit: 102_400 }));
}

#[test]
fn a_flood_of_attributes_is_refused_before_it_is_parsed() {
    let flood = |attributes: usize| {
        let mut document = "<Response ".to_owned();
        for index in 0..attributes {
            write!(document, "a{index}='' ").unwrap();
        }
        document + "/>"
    };
    assert!(read(&flood(MAX_ATTRIBUTES)).is_ok());
    assert_eq!(read(&flood(MAX_ATTRIBUTES + 1)), Err(XmlError::TooManyAttributes));
    let huge = Limits { document_bytes: usize::MAX, ..Limits::default() };
    assert_eq!(parse_within(&huge, flood(100_000).as_bytes()), Err(XmlError::TooManyAttributes));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(document in vec(any::<u8>(), 0..512)) {
        let _answer = parse(&document);
    }

    #[test]
    fn arbitrary_text_is_answered(document in "[<>/ ='\"!\\[\\]&;a-zA-Zé\\-]{0,200}") {
        let _answer = parse(document.as_bytes());
    }

    #[test]
    fn mutations_are_answered_and_errors_are_short(
        edits in vec((any::<Index>(), 0..40usize, any::<prop::sample::Selector>()), 1..8),
    ) {
        let mut document = SEED.as_bytes().to_vec();
        for (at, removed, piece) in edits {
            let start = at.index(document.len() + 1);
            let end = (start + removed).min(document.len());
            document.splice(start..end, piece.select(PIECES).iter().copied());
        }
        if let Err(error) = parse(&document) {
            prop_assert!(error.to_string().len() < 1000, "{error}");
        }
    }
}
