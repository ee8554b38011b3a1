//! The parts of a path that name an MPC and its members.

use std::fmt;

use url::Url;

use super::RestError;

/// The most members that one request may list.
pub const MAX_MEMBERS: usize = 100;

/// How a path names an MPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MpcSegment {
    /// `uuid_…`, live or ended.
    Uuid(String),
    /// `name_…` or a bare name, live only.
    Name(String),
}

impl MpcSegment {
    /// Reads a path segment that is percent-decoded already.
    ///
    /// # Errors
    ///
    /// [`RestError::MpcNotFound`] if it names nothing.
    pub fn parse(segment: &str) -> Result<Self, RestError> {
        let named = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        match segment.strip_prefix("uuid_") {
            Some(uuid) => named(uuid).map(|uuid| Self::Uuid(uuid.to_ascii_lowercase())),
            None => named(segment.strip_prefix("name_").unwrap_or(segment)).map(Self::Name),
        }
        .ok_or(RestError::MpcNotFound)
    }
}

impl fmt::Display for MpcSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => write!(f, "uuid_{uuid}"),
            Self::Name(name) => write!(f, "name_{name}"),
        }
    }
}

/// The path of an MPC in the style in which it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MpcPath {
    /// The account's id.
    pub account: String,
    /// The MPC.
    pub mpc: MpcSegment,
}

impl MpcPath {
    /// The path of all MPCs of `account`.
    pub fn collection(account: &str) -> String {
        absolute(&["v1", "Account", account, "MultiPartyCall"])
    }

    /// The path of the MPC itself.
    pub fn mpc(&self) -> String {
        absolute(&["v1", "Account", &self.account, "MultiPartyCall", &self.mpc.to_string()])
    }

    /// The path of its participants.
    pub fn participants(&self) -> String {
        format!("{}Participant/", self.mpc())
    }

    /// The path of one participant.
    pub fn participant(&self, member_id: u64) -> String {
        format!("{}{member_id}/", self.participants())
    }
}

/// The path of `segments`, percent-encoded, with a slash at both ends.
pub(super) fn absolute(segments: &[&str]) -> String {
    let mut url = Url::parse("http://localhost").expect("it is a URL");
    url.path_segments_mut().expect("a URL with a host has a path").extend(segments).push("");
    url.path().to_owned()
}

/// Which members a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberSelector {
    /// `all`.
    All,
    /// One id or several with commas between, each once.
    Ids(Vec<u64>),
}

impl MemberSelector {
    /// Reads a path segment.
    ///
    /// # Errors
    ///
    /// [`RestError::Parameter`] if it is neither `all` nor at most
    /// [`MAX_MEMBERS`] member ids.
    pub fn parse(segment: &str) -> Result<Self, RestError> {
        const INVALID: RestError = RestError::Parameter("member_id");
        if segment.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        let mut ids = Vec::new();
        for text in segment.split(',') {
            let id = text.trim().parse().map_err(|_| INVALID)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
            if ids.len() > MAX_MEMBERS {
                return Err(INVALID);
            }
        }
        Ok(Self::Ids(ids))
    }

    /// The one member it names.
    ///
    /// # Errors
    ///
    /// [`RestError::Parameter`] if it names several.
    pub fn sole(&self) -> Result<u64, RestError> {
        match self {
            Self::Ids(ids) if ids.len() == 1 => Ok(ids[0]),
            _ => Err(RestError::Parameter("member_id")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mpc_is_named_by_uuid_by_name_or_barely() {
        for (segment, mpc) in [
            ("uuid_9AAD", MpcSegment::Uuid("9aad".into())),
            ("name_my room", MpcSegment::Name("my room".into())),
            ("name_uuid_x", MpcSegment::Name("uuid_x".into())),
            ("Support", MpcSegment::Name("Support".into())),
        ] {
            assert_eq!(MpcSegment::parse(segment), Ok(mpc));
        }
        for nothing in ["", "uuid_", "name_"] {
            assert_eq!(MpcSegment::parse(nothing).unwrap_err().status(), 404);
        }
    }

    #[test]
    fn paths_echo_the_style_and_encode_the_name() {
        let path = |mpc| MpcPath { account: "MA1".into(), mpc };
        let by_name = path(MpcSegment::Name("a/é b?".into()));
        assert_eq!(by_name.mpc(), "/v1/Account/MA1/MultiPartyCall/name_a%2F%C3%A9%20b%3F/");
        let by_uuid = path(MpcSegment::Uuid("9aad".into()));
        assert_eq!(by_uuid.participant(355), "/v1/Account/MA1/MultiPartyCall/uuid_9aad/Participant/355/");
        assert_eq!(MpcPath::collection("MA1"), "/v1/Account/MA1/MultiPartyCall/");
    }

    #[test]
    fn members_are_one_several_or_all() {
        assert_eq!(MemberSelector::parse("ALL"), Ok(MemberSelector::All));
        assert_eq!(MemberSelector::parse("355, 7,355"), Ok(MemberSelector::Ids(vec![355, 7])));
        assert_eq!(MemberSelector::parse("355").unwrap().sole(), Ok(355));
        let too_many = (0..=MAX_MEMBERS).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
        for bad in ["", "x", "1,", "-1", &too_many] {
            assert_eq!(MemberSelector::parse(bad), Err(RestError::Parameter("member_id")), "{bad}");
        }
        for several in ["all", "1,2"] {
            assert!(MemberSelector::parse(several).unwrap().sole().is_err());
        }
    }
}
