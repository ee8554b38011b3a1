//! Accounts and sub-accounts.

use super::fields::required;
use super::{Arguments, RestError};

/// What is changed of an account; absent is unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct AccountUpdate {
    pub name: Option<String>,
    pub city: Option<String>,
    pub address: Option<String>,
}

impl AccountUpdate {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] for a wrong value, and for nothing to update.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let update =
            Self { name: body.line("name")?, city: body.line("city")?, address: body.line("address")? };
        if update == Self::default() { Err(RestError::NoAccountChange) } else { Ok(update) }
    }
}

/// A sub-account to be made, or what it is changed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubaccountBody {
    /// Its name.
    pub name: String,
    /// Whether its credentials work.
    pub enabled: bool,
}

impl SubaccountBody {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there is no name, or for a wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        Ok(Self { name: required("name", body.line("name")?)?, enabled: body.flag_or("enabled", false)? })
    }
}

/// Whether what belongs to a sub-account is deleted with it.
///
/// # Errors
///
/// [`RestError`] if `cascade` is no boolean.
pub fn parse_cascade(arguments: &Arguments) -> Result<bool, RestError> {
    arguments.flag_or("cascade", false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Arguments {
        Arguments::from_body(None, json.as_bytes()).unwrap()
    }

    #[test]
    fn an_account_update_updates_something() {
        let update = AccountUpdate { city: Some("Bonn".into()), ..AccountUpdate::default() };
        assert_eq!(AccountUpdate::parse(&body(r#"{"name": null, "city": "Bonn"}"#)), Ok(update));
        assert_eq!(AccountUpdate::parse(&body("{}")), Err(RestError::NoAccountChange));
    }

    #[test]
    fn a_sub_account_is_disabled_until_it_is_enabled() {
        let made = |enabled| Ok(SubaccountBody { name: "Sales".into(), enabled });
        assert_eq!(SubaccountBody::parse(&body(r#"{"name":"Sales"}"#)), made(false));
        assert_eq!(SubaccountBody::parse(&body(r#"{"name":"Sales","enabled":true}"#)), made(true));
        assert_eq!(SubaccountBody::parse(&body("{}")), Err(RestError::Missing("name")));
        assert_eq!(parse_cascade(&body(r#"{"cascade":"True"}"#)), Ok(true));
    }
}
