//! What a start says to whoever started it.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::account::{Credentials, Provenance};
use crate::config::Config;

/// Where to call, where to click, and with what; printed once everything listens.
///
/// The token appears in it only when it was just generated.
#[derive(Debug)]
pub struct Welcome<'a> {
    /// What the service runs with.
    pub config: &'a Config,
    /// Whose API it is.
    pub account: &'a Credentials,
    /// Where the credentials come from.
    pub provenance: &'a Provenance,
}

impl Display for Welcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.config.public_url();
        writeln!(f, "mixminus {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "  call        sip:<name>@{}", sip_address(self.config))?;
        writeln!(f, "              who calls the same <name> is in the same conference;")?;
        writeln!(f, "              <name>.customer and <name>.supervisor join it in these roles")?;
        writeln!(f, "  open        {base}/")?;
        writeln!(f, "  API         {base}/v1/Account/{}/MultiPartyCall/", self.account.id)?;
        writeln!(f, "  auth id     {}", self.account.id)?;
        match self.provenance {
            Provenance::Configured => writeln!(f, "  auth token  as configured"),
            Provenance::Kept(path) => writeln!(f, "  auth token  in {}", path.display()),
            Provenance::Generated(path) => {
                writeln!(f, "  auth token  {}", self.account.token.expose())?;
                writeln!(f, "              shown this once; kept in {}", path.display())
            }
        }
    }
}

/// An address that a phone can be given.
pub fn sip_address(config: &Config) -> SocketAddr {
    let sip = &config.sip;
    if let Some(advertised) = sip.listen[0].advertised {
        return advertised;
    }
    let mut address = sip.listen[0].address;
    if let Some(public) = sip.public_address {
        address.set_ip(public);
    } else if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AuthId, AuthToken};
    use crate::config::Setting;

    const TOKEN: &str = "0123456789012345678901234567890123456789";

    fn said(variables: &[(&str, &str)], provenance: &Provenance) -> String {
        let config =
            Config::load(None, variables.iter().map(|(name, value)| (name.into(), value.into()))).unwrap();
        let account = Credentials {
            id: AuthId::parse("MATEST00000000000000").unwrap(),
            token: AuthToken::parse(TOKEN).unwrap(),
        };
        Welcome { config: &config, account: &account, provenance }.to_string()
    }

    #[test]
    fn a_first_start_says_where_to_call_and_shows_the_token() {
        let said = said(&[], &Provenance::Generated("./mixminus-data/account.toml".into()));
        for part in [
            "sip:<name>@127.0.0.1:5060\n",
            "http://127.0.0.1:8080/v1/Account/MATEST00000000000000/MultiPartyCall/\n",
            TOKEN,
            "kept in ./mixminus-data/account.toml\n",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn later_starts_say_where_the_token_is() {
        for provenance in [Provenance::Configured, Provenance::Kept("account.toml".into())] {
            assert!(!said(&[], &provenance).contains(TOKEN));
        }
        assert!(said(&[], &Provenance::Kept("d/account.toml".into())).contains("in d/account.toml"));
    }

    #[test]
    fn the_address_to_call_is_one_that_can_be_called() {
        let everywhere = ("MIXMINUS__SIP__LISTEN", "udp:0.0.0.0:5070");
        assert!(said(&[everywhere], &Provenance::Configured).contains("sip:<name>@127.0.0.1:5070\n"));
        let public = ("MIXMINUS__SIP__PUBLIC_ADDRESS", "203.0.113.7");
        assert!(
            said(&[everywhere, public], &Provenance::Configured).contains("sip:<name>@203.0.113.7:5070\n")
        );
    }
}
