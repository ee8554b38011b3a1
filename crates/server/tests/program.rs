//! The program as it is started: what it prints and how it exits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program with everything it opens on free ports and under `directory`.
fn program(directory: &Path, http_port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mixminus"));
    command
        .env("MIXMINUS__DATA_DIR", directory.join("data"))
        .env("MIXMINUS__HTTP__LISTEN", format!("127.0.0.1:{http_port}"))
        .env("MIXMINUS__SIP__LISTEN", "udp:127.0.0.1:0,tcp:127.0.0.1:0")
        .env("MIXMINUS__MEDIA__WORKERS", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[expect(clippy::disallowed_methods, reason = "the test looks for a free port")]
fn taken_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// Everything printed up to the line that says where the token is, and that line.
fn welcome(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text = String::new();
    for line in lines.by_ref() {
        text += &(line.unwrap() + "\n");
        if text.ends_with("account.toml\n") {
            break;
        }
    }
    text
}

fn interrupt(mut child: Child) -> (Option<i32>, String) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    let mut logged = String::new();
    child.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
    (status.code(), logged)
}

#[test]
fn it_says_where_to_call_drains_on_an_interrupt_and_shows_the_token_once() {
    let directory = tempfile::tempdir().unwrap();
    let http_port = taken_port().local_addr().unwrap().port();
    let mut first = program(directory.path(), http_port).spawn().unwrap();
    let said = welcome(&mut first);
    assert!(said.contains("call        sip:<name>@127.0.0.1:"), "{said}");
    assert!(said.contains("shown this once"), "{said}");
    let (code, logged) = interrupt(first);
    assert_eq!(code, Some(0), "{logged}");
    let kept = std::fs::read_to_string(directory.path().join("data/account.toml")).unwrap();
    let token = kept.lines().last().unwrap().split('"').nth(1).unwrap();
    assert!(said.contains(token) && !logged.contains(token));

    let mut second = program(directory.path(), http_port).spawn().unwrap();
    let said = welcome(&mut second);
    assert!(said.contains("auth token  in ") && !said.contains(token), "{said}");
    assert_eq!(interrupt(second).0, Some(0));
}

#[test]
fn a_taken_port_exits_1_and_names_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let taken = taken_port();
    let (code, said) = run(&mut program(directory.path(), taken.local_addr().unwrap().port()));
    assert_eq!(code, Some(1));
    assert!(said.contains("http.listen 127.0.0.1:"), "{said}");
}

#[test]
fn a_wrong_configuration_exits_64_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mixminus.toml");
    std::fs::write(&file, "[limits]\nmax_calls = 0\n").unwrap();
    let mut command = program(directory.path(), 1);
    let (code, said) = run(command.arg("--config").arg(&file));
    assert_eq!(code, Some(64));
    assert!(said.contains("limits.max_calls = \"0\" (file "), "{said}");
    assert!(!directory.path().join("data").exists());
    let (code, said) = run(program(directory.path(), 1).env("MIXMINUS__SIP__LISTEN", "5060"));
    assert_eq!(code, Some(64));
    assert!(said.contains("environment MIXMINUS__SIP__LISTEN); accepted: "), "{said}");
    assert_eq!(run(program(directory.path(), 1).arg("--nonsense")).0, Some(64));
}

#[test]
fn calls_of_a_service_that_is_not_there_are_an_error_that_says_where_it_was_looked_for() {
    let directory = tempfile::tempdir().unwrap();
    let port = taken_port().local_addr().unwrap().port();
    let (code, said) = run(program(directory.path(), port).arg("calls"));
    assert_eq!(code, Some(1));
    assert!(said.contains("data/account.toml"), "{said}");
    let (code, said) = run(program(directory.path(), port)
        .args(["calls", "--url", "http://127.0.0.1:9"])
        .env("MIXMINUS__ACCOUNT__AUTH_ID", "MATEST00000000000000")
        .env("MIXMINUS__ACCOUNT__AUTH_TOKEN", "0123456789012345678901234567890123456789"));
    assert_eq!(code, Some(1));
    assert!(said.contains("http://127.0.0.1:9: ") && !said.contains("0123456789"), "{said}");
    assert_eq!(run(program(directory.path(), port).args(["calls", "--url", "nowhere"])).0, Some(64));
}
