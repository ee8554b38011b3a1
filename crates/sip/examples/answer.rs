//! Answers every call with G.711 and listens to nothing: `cargo run -p mixminus-sip --example answer`.

use std::time::{SystemTime, UNIX_EPOCH};

use mixminus_codec::{Format, OpusSettings};
use mixminus_sip::sdp::{LocalMedia, LocalSrtp, negotiate};
use mixminus_sip::{CallEvent, IncomingCall, UserAgent, UserAgentConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (agent, mut calls) = UserAgent::start(UserAgentConfig::default()).await?;
    for address in agent.listening() {
        println!("listening on {address}");
    }
    while let Some(call) = calls.recv().await {
        tokio::spawn(answer(call));
    }
    Ok(())
}

async fn answer(mut call: IncomingCall) {
    let local = LocalMedia {
        address: ([127, 0, 0, 1], 40_000).into(),
        session_id: session_id(),
        version: 1,
        formats: vec![Format::Pcmu, Format::Pcma],
        opus: OpusSettings::default(),
        srtp: LocalSrtp::default(),
        ice: None,
    };
    match negotiate(call.offer.as_deref().unwrap_or_default(), &local) {
        Ok((answer, _)) => call.control.answer(answer),
        Err(_) => call.control.refuse(488, None),
    }
    while let Some(event) = call.events.recv().await {
        if let CallEvent::Offer { .. } = event {
            call.control.refuse_offer();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a program owns its clock")]
fn session_id() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
