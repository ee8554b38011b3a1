//! What Plivo's phones and browsers expect of the SIP server.

use mixminus_control::CallId;
use mixminus_plivo::rest::{ApplicationObject, EndpointObject};

/// The domain of endpoints' addresses, and the realm of their passwords.
pub const ENDPOINT_DOMAIN: &str = EndpointObject::DOMAIN;
/// The MESSAGE by which a browser asks for its own address.
pub const ADDRESS_QUERY: &str = "ipAddress";
/// The header by which a browser learns what the API calls its call.
const CALL_ID_HEADER: &str = "X-Calluuid";

/// The header that tells an endpoint its call's id.
pub fn call_id_header(id: CallId) -> (String, String) {
    (CALL_ID_HEADER.to_owned(), id.to_string())
}

/// The user name in the address of an endpoint; none if `address` is none of an endpoint.
pub fn endpoint_name(address: &str) -> Option<&str> {
    let rest =
        address.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("sip:")).map(|_| &address[4..])?;
    let (user, host) = rest.split([';', '?']).next()?.split_once('@')?;
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (host.eq_ignore_ascii_case(ENDPOINT_DOMAIN) && !user.is_empty()).then_some(user)
}

/// Whether `address` is that of an application.
pub fn is_application(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(_, host)| host.eq_ignore_ascii_case(ApplicationObject::DOMAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_an_endpoint_names_it() {
        for (address, name) in [
            ("sip:bob1@phone.plivo.com", Some("bob1")),
            ("SIP:bob1@Phone.Plivo.com:5060;transport=tls", Some("bob1")),
            ("sip:phone.plivo.com", None),
            ("sip:@phone.plivo.com", None),
            ("sip:bob1@phone.plivo.com.example", None),
            ("bob1", None),
        ] {
            assert_eq!(endpoint_name(address), name, "{address}");
        }
        assert!(is_application("sip:204@app.plivo.com") && !is_application("sip:204@phone.plivo.com"));
    }
}
