//! The body of the target `sdp`, here because `testkit` does not know SIP.

use std::net::{Ipv4Addr, SocketAddr};

use mixminus_codec::{Format, OpusSettings};
use mixminus_ice::Credentials;
use mixminus_rtp::srtp::{SrtpKey, SrtpSuite};
use mixminus_sip::sdp::{LocalIce, LocalMedia, LocalSrtp, SrtpPolicy, negotiate, read_answer};

/// Session descriptions: as an offer, as an answer, and what we answer as an answer again.
pub fn sdp(data: &[u8]) {
    let Ok(description) = std::str::from_utf8(data) else { return };
    let local = LocalMedia {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 4_000)),
        session_id: 1,
        version: 1,
        formats: Format::ALL.to_vec(),
        opus: OpusSettings::default(),
        srtp: LocalSrtp {
            policy: SrtpPolicy::Optional,
            keys: SrtpSuite::ALL.map(key).to_vec(),
            ..LocalSrtp::default()
        },
        ice: Credentials::new("ours", "a password that is long enough").map(|fresh| LocalIce {
            agreed: None,
            fresh,
            offers: false,
        }),
    };
    drop(read_answer(description, &local));
    if let Ok((answer, _)) = negotiate(description, &local) {
        drop(read_answer(&answer, &local));
    }
}

fn key(suite: SrtpSuite) -> SrtpKey {
    SrtpKey::new(suite, &vec![1; suite.key_bytes() + suite.salt_bytes()]).expect("the suite's length")
}
