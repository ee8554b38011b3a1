//! A call's messages as a ladder diagram: a line for each, an arrow from who sent it.

use std::fmt::Write;

use mixminus_sip::{CallTrace, TracedMessage, Way};

/// Characters between the far end's rail and ours.
const WIDTH: usize = 46;

/// The diagram of `trace`, with seconds since its first message.
pub fn draw(title: &str, trace: &CallTrace) -> String {
    let mut text = format!("{title}\n");
    let mut shown: Option<(&str, &str)> = None;
    for message in &trace.messages {
        let peer = (message.peer.as_str(), message.transport.as_str());
        if shown.replace(peer) != Some(peer) {
            let peer = format!("{} ({})", peer.0, peer.1);
            writeln!(text, "\n{:>10}  {peer:<WIDTH$}  mixminus", "").expect("a String takes everything");
        }
        let offset = message.at.duration_since(trace.messages[0].at).as_secs_f64();
        writeln!(text, "{offset:>10.3}  │{}│{}", arrow(message), repeated(message.retransmissions))
            .expect("a String takes everything");
    }
    if trace.left_out > 0 {
        writeln!(text, "\n{} messages are left out", trace.left_out).expect("a String takes everything");
    }
    text
}

fn arrow(message: &TracedMessage) -> String {
    let label = label(message);
    let shaft = "─".repeat((WIDTH - 4).saturating_sub(label.chars().count()));
    match message.way {
        Way::Received => format!(" {label} {shaft}► "),
        Way::Sent => format!(" ◄{shaft} {label} "),
    }
}

/// The method, or the status and what it answers, and whether there is a session description.
fn label(message: &TracedMessage) -> String {
    let (head, body) = message.text.split_once("\r\n\r\n").unwrap_or((&message.text, ""));
    let summary = message.summary();
    let method = |line: &str| {
        line.strip_prefix("CSeq:").and_then(|cseq| cseq.split_whitespace().last().map(str::to_owned))
    };
    let what = match summary.strip_prefix("SIP/2.0 ") {
        Some(status) => {
            let answered = head.lines().find_map(method);
            answered.map_or_else(|| status.to_owned(), |method| format!("{status} to {method}"))
        }
        None => summary.split(' ').next().unwrap_or_default().to_owned(),
    };
    let sdp = if body.starts_with("v=") { " (sdp)" } else { "" };
    let room = WIDTH - 6 - sdp.len();
    format!("{}{sdp}", what.chars().filter(|c| !c.is_control()).take(room).collect::<String>())
}

fn repeated(times: u32) -> String {
    if times == 0 { String::new() } else { format!("  {} times", times.saturating_add(1)) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::now;

    #[test]
    fn a_ladder_has_a_line_for_each_message_under_who_it_is_exchanged_with() {
        let start = now();
        let message = |ms, way, peer: &str, text: &str| TracedMessage {
            at: start + Duration::from_millis(ms),
            way,
            transport: "udp".into(),
            peer: peer.into(),
            retransmissions: u32::from(ms == 5),
            text: text.into(),
        };
        let (one, other) = ("192.0.2.1:5060", "192.0.2.2:5060");
        let messages = vec![
            message(0, Way::Received, one, "INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n"),
            message(5, Way::Sent, one, "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n"),
            message(12_345, Way::Received, other, "BYE sip:a@b SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n"),
        ];
        let expected = "\
Call 1

            192.0.2.1:5060 (udp)                            mixminus
     0.000  │ INVITE (sdp) ──────────────────────────────► │
     0.005  │ ◄──────────────────── 200 OK to INVITE (sdp) │  2 times

            192.0.2.2:5060 (udp)                            mixminus
    12.345  │ BYE ───────────────────────────────────────► │

2 messages are left out
";
        assert_eq!(draw("Call 1", &CallTrace { messages, left_out: 2 }), expected);
    }

    #[test]
    fn a_line_is_no_longer_for_a_long_reason() {
        let text = format!("SIP/2.0 488 {}\r\nCSeq: 1 INVITE\r\n\r\n", "x".repeat(200));
        let message = TracedMessage {
            at: now(),
            way: Way::Sent,
            transport: "udp".into(),
            peer: "h".into(),
            retransmissions: 0,
            text,
        };
        assert_eq!(arrow(&message).chars().count(), WIDTH);
    }
}
