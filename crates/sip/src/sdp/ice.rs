//! How both ends come to check where the other is (RFC 8839). We are ICE-lite: we have one address, and say so.

use mixminus_ice::Credentials;

use super::description::{Description, Media};
use super::negotiate::Reading;
use super::{Ice, LocalIce, LocalMedia};

/// That of a host's address over UDP, as the first and only one (RFC 8445, section 5.1.2.1).
const PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;

/// What an audio stream says of its checks, the same in a session description and in one of its streams.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Named<'a> {
    pub ufrag: Option<&'a str>,
    pub password: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// Takes in an attribute. Candidates are of no interest: checks show where they come from, so that no name of a
    /// browser's address has to be known to anybody.
    pub(super) fn attribute(&mut self, name: &str, value: &'a str) {
        match name {
            "ice-ufrag" => self.ufrag = Some(value.trim()),
            "ice-pwd" => self.password = Some(value.trim()),
            _ => {}
        }
    }
}

/// What both ends call each other in the checks of a stream; none if they do without. That takes a far end that does
/// the checking, and one port for media and reports.
pub(super) fn agree(
    description: &Description,
    media: &Media,
    local: &LocalMedia,
    reading: Reading,
) -> Option<Ice> {
    let LocalIce { agreed, fresh, .. } = local.ice.as_ref()?;
    let ufrag = media.ice.ufrag.or(description.ice.ufrag)?;
    let password = media.ice.password.or(description.ice.password)?;
    let theirs = Credentials::new(ufrag, password).filter(|_| media.rtcp_mux && !description.ice_lite)?;
    let kept = agreed.as_ref().filter(|agreed| reading == Reading::Answer || agreed.theirs == theirs.ufrag());
    let ours = kept.map_or(fresh, |agreed| &agreed.ours).clone();
    Some(Ice { ours, theirs: theirs.ufrag().to_owned() })
}

/// What an offer of ours says of it, if it does.
pub(super) fn offered(local: &LocalMedia) -> Option<&Credentials> {
    let ice = local.ice.as_ref()?;
    ice.agreed.as_ref().map(|agreed| &agreed.ours).or(ice.offers.then_some(&ice.fresh))
}

/// The lines of a description before its first stream; `bundled` is what the stream is called that is not refused.
pub(super) fn session_lines(bundled: Option<&str>) -> Vec<String> {
    let group = bundled.map(|mid| format!("a=group:BUNDLE {mid}"));
    ["a=ice-lite".to_owned()].into_iter().chain(group).collect()
}

/// The lines of a stream.
pub(super) fn stream_lines(local: &LocalMedia, ours: &Credentials, mid: Option<&str>) -> Vec<String> {
    let (ip, port) = (local.address.ip(), local.address.port());
    let named = mid.map(|mid| [format!("a=mid:{mid}"), "a=msid:mixminus mixminus".to_owned()]);
    let checks = [
        format!("a=ice-ufrag:{}", ours.ufrag()),
        format!("a=ice-pwd:{}", ours.password()),
        format!("a=candidate:1 1 udp {PRIORITY} {ip} {port} typ host"),
        "a=end-of-candidates".to_owned(),
    ];
    named.into_iter().flatten().chain(checks).collect()
}

/// Whether the offerer wants the stream that it calls `mid` to share its port with others (RFC 9143).
pub(super) fn is_bundled(description: &Description, mid: &str) -> bool {
    description.bundle.is_some_and(|names| names.split_ascii_whitespace().any(|name| name == mid))
}
