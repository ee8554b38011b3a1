use proptest::prelude::*;
use rsipstack::sip::SipMessage;

use super::*;

const REALM: &str = "calls.example";
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

#[expect(clippy::disallowed_methods, reason = "an instant to begin with; tests add to it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn challenges(algorithms: &[Algorithm], began: Instant) -> Challenges {
    Challenges::new(&[7; 32], algorithms.to_vec(), began)
}

/// HA1 of alice with the password `secret`.
pub(crate) fn alice() -> PasswordHashes {
    PasswordHashes::of("alice", REALM, "secret")
}

/// A REGISTER with this Authorization.
pub(crate) fn register(authorization: &str) -> Request {
    let text = format!(
        "REGISTER sip:calls.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
         Authorization: {authorization}\r\n\r\n"
    );
    let SipMessage::Request(request) = SipMessage::try_from(text.as_str()).unwrap() else { panic!() };
    request
}

fn parameter<'a>(challenge: &'a str, name: &str) -> &'a str {
    let (_, rest) = challenge.split_once(&format!("{name}=")).unwrap();
    rest.split(',').next().unwrap().trim_matches('"')
}

/// What alice answers to a challenge for a REGISTER.
fn answered(challenge: &str, count: u32) -> (Request, Answer) {
    let (nonce, algorithm) = (parameter(challenge, "nonce"), parameter(challenge, "algorithm"));
    let template = |response: &str| {
        format!(
            "Digest username=\"alice\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:calls.example\", \
             response=\"{response}\", algorithm={algorithm}, qop=auth, nc={count:08x}, cnonce=\"c\""
        )
    };
    let answer = Answer::read(&template("x"), REALM).unwrap();
    let secret = if algorithm == "MD5" { alice().md5 } else { alice().sha256 };
    let what = answer.algorithm.hash("REGISTER:sip:calls.example");
    let response = answer.algorithm.hash(&format!("{secret}:{nonce}:{count:08x}:c:auth:{what}"));
    let request = register(&template(&response));
    let answer = Answer::of(&request, REALM).unwrap();
    (request, answer)
}

#[test]
fn the_examples_of_the_rfc_are_right() {
    // RFC 7616, section 3.9.1.
    let example = |algorithm: &str, response: &str| {
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, nonce=\"{}\", nc=00000001, cnonce=\"c\", qop=auth, response=\"{response}\"",
            "0".repeat(40)
        )
    };
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let answer = Answer::read(&example(algorithm, response), "http-auth@example.org").unwrap();
        let secret = answer.algorithm.hash("Mufasa:http-auth@example.org:Circle of Life");
        let what = answer.algorithm.hash("GET:/dir/index.html");
        assert_eq!(
            answer.algorithm.hash(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{what}")),
            response
        );
    }
}

#[test]
fn a_right_answer_counts_once_with_either_hash() {
    let began = now();
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let challenges = challenges(&[algorithm], began);
        let issued = challenges.issue(REALM, HERE, false, began);
        let (request, answer) = answered(&issued[0], 1);
        assert!(challenges.is_fresh(&answer, HERE, began));
        assert!(answer.proves(&request, &alice()));
        let print = fingerprint(&request);
        assert_eq!(challenges.count(&answer, print, began), Ok(Accepted::New));
        assert_eq!(challenges.count(&answer, print, began), Ok(Accepted::Repeated), "sent again");
        assert_eq!(challenges.count(&answer, [0; 32], began), Err(Stale), "replayed for another");
        let (_, next) = answered(&issued[0], 2);
        assert_eq!(challenges.count(&next, [1; 32], began), Ok(Accepted::New));
        assert_eq!(challenges.count(&answer, print, began), Err(Stale), "the count goes back");
    }
}

#[test]
fn the_preferred_hash_is_offered_first_and_cannot_be_exchanged_for_the_other() {
    let began = now();
    let challenges = challenges(&[Algorithm::Sha256, Algorithm::Md5], began);
    let issued = challenges.issue(REALM, HERE, true, began);
    assert!(issued[0].contains("algorithm=SHA-256") && issued[1].contains("algorithm=MD5"));
    assert!(issued[0].starts_with("Digest realm=\"calls.example\", nonce=\""));
    assert!(issued[0].ends_with(", qop=\"auth\", stale=true"));
    let downgraded = issued[0].replace("SHA-256", "MD5");
    assert!(!challenges.is_fresh(&answered(&downgraded, 1).1, HERE, began));
    assert!(challenges.is_fresh(&answered(&issued[1], 1).1, HERE, began));
}

#[test]
fn a_nonce_is_good_for_a_while_for_one_address_and_from_us() {
    let began = now();
    let own = challenges(&[Algorithm::Md5], began);
    let (_, answer) = answered(&own.issue(REALM, HERE, false, began)[0], 1);
    let last = began + Duration::from_secs(NONCE_LIFE.as_secs() - 1);
    assert!(own.is_fresh(&answer, HERE, last));
    assert!(!own.is_fresh(&answer, HERE, began + NONCE_LIFE));
    assert!(!own.is_fresh(&answer, [192, 0, 2, 8].into(), began));
    let other = Challenges::new(&[8; 32], vec![Algorithm::Md5], began);
    assert!(!other.is_fresh(&answer, HERE, began));
}

#[test]
fn a_wrong_password_another_method_and_another_target_prove_nothing() {
    let began = now();
    let issued = challenges(&[Algorithm::Md5], began).issue(REALM, HERE, false, began);
    let (request, answer) = answered(&issued[0], 1);
    let wrong = PasswordHashes { md5: "0".repeat(32), ..alice() };
    assert!(!answer.proves(&request, &wrong));
    for (from, to) in [("REGISTER sip", "INVITE sip"), ("sip:calls.example SIP", "sip:bob@calls.example SIP")]
    {
        let text = request.to_string().replace(from, to);
        let SipMessage::Request(other) = SipMessage::try_from(text.as_str()).unwrap() else { panic!() };
        assert!(!answer.proves(&other, &alice()), "{to}");
    }
}

#[test]
fn what_was_not_asked_for_is_no_answer() {
    let began = now();
    let issued = challenges(&[Algorithm::Md5], began).issue(REALM, HERE, false, began);
    let (request, _) = answered(&issued[0], 1);
    let fine = request.headers.iter().find_map(|header| match header {
        Header::Authorization(value) => Some(value.value().to_owned()),
        _ => None,
    });
    let fine = fine.unwrap();
    for (from, to) in [
        (REALM, "other.example"),
        ("Digest", "Basic"),
        ("qop=auth", "qop=auth-int"),
        (", qop=auth", ""),
        ("nc=00000001", "nc=1"),
        ("algorithm=MD5", "algorithm=MD5-sess"),
        ("nonce=\"0", "nonce=\"X"),
        ("cnonce=\"c\"", "cnonce=\"\""),
        ("username=\"alice\"", "username=\"alice\", username=\"bob\""),
    ] {
        let changed = fine.replacen(from, to, 1);
        assert_ne!(changed, fine, "{from}");
        assert!(Answer::read(&changed, REALM).is_none(), "{changed}");
    }
}

#[test]
fn answered_nonces_take_bounded_memory_and_none_that_was_forgotten_is_good_again() {
    let began = now();
    let challenges = challenges(&[Algorithm::Md5], began);
    let (_, answer) = answered(&challenges.issue(REALM, HERE, false, began)[0], 1);
    let first = answer.nonce;
    for number in 0..=MAX_USED as u32 {
        let answer = Answer { nonce: Nonce { number, ..first }, nc: String::new(), ..copy(&answer) };
        assert_eq!(challenges.count(&answer, [0; 32], began), Ok(Accepted::New));
    }
    assert_eq!(challenges.used.lock().unwrap().last.len(), MAX_USED);
    assert!(!challenges.is_fresh(&answer, HERE, began));
    let later = began + NONCE_LIFE + Duration::from_secs(1);
    let (_, late) = answered(&challenges.issue(REALM, HERE, false, later)[0], 1);
    assert!(challenges.is_fresh(&late, HERE, later));
    challenges.count(&late, [0; 32], later).unwrap();
    assert_eq!(challenges.used.lock().unwrap().last.len(), 1);
}

fn copy(answer: &Answer) -> Answer {
    Answer {
        username: answer.username.clone(),
        uri: answer.uri.clone(),
        response: answer.response.clone(),
        nc: answer.nc.clone(),
        cnonce: answer.cnonce.clone(),
        ..*answer
    }
}

proptest! {
    #[test]
    fn any_authorization_is_read(text in "(Digest )?([a-z]{1,8}=(\"[^\"]{0,40}\"|[a-f0-9]{0,40}),? ?){0,12}.{0,20}") {
        let _ = Answer::read(&text, REALM);
    }
}
