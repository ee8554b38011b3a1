//! Endpoints: SIP accounts.

use std::fmt;

use serde_json::json;

use super::fields::required;
use super::{Arguments, RestError, schema};

/// The shortest password.
pub const MIN_PASSWORD_CHARS: u32 = 5;
/// The longest password.
pub const MAX_PASSWORD_CHARS: u32 = 128;
/// The longest user name, before its suffix.
pub const MAX_USERNAME_BYTES: usize = 50;

/// A password; it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn parse(body: &Arguments) -> Result<Option<Self>, RestError> {
        let (min, max) = (MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS);
        body.note("password", || schema::password(min..=max));
        let Some(text) = body.text("password")? else { return Ok(None) };
        let chars = text.chars().count() as u32;
        if !(min..=max).contains(&chars) {
            return Err(RestError::Range { name: "len(password)", min, max, value: chars.to_string() });
        }
        let is_line = !text.chars().any(char::is_control);
        is_line.then_some(Some(Self(text))).ok_or(RestError::Parameter("password"))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// An endpoint to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Its user name, to which 12 digits are added.
    pub username: String,
    /// Its password.
    pub password: Password,
    /// Its name for humans.
    pub alias: String,
    /// Its application.
    pub app_id: Option<String>,
}

impl NewEndpoint {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter that is missing or has a wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        body.note(
            "username",
            || json!({ "type": "string", "maxLength": MAX_USERNAME_BYTES, "pattern": "^[A-Za-z0-9._-]+$" }),
        );
        let change = EndpointUpdate::parse(body)?;
        Ok(Self {
            username: required("username", body.read("username", username)?)?,
            password: required("password", change.password)?,
            alias: required("alias", change.alias)?,
            app_id: change.app_id,
        })
    }
}

/// What is changed of an endpoint; absent is unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of a new endpoint")]
pub struct EndpointUpdate {
    pub password: Option<Password>,
    pub alias: Option<String>,
    pub app_id: Option<String>,
}

impl EndpointUpdate {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        Ok(Self {
            password: Password::parse(body)?,
            alias: body.line("alias")?,
            app_id: body.line("app_id")?,
        })
    }
}

/// What may stand before the `@` of a SIP URI without being escaped.
fn username(text: &str) -> Option<String> {
    let sound = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (sound && text.len() <= MAX_USERNAME_BYTES).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<NewEndpoint, RestError> {
        NewEndpoint::parse(&Arguments::from_body(None, json.as_bytes()).unwrap())
    }

    #[test]
    fn an_endpoint_has_a_name_a_password_and_an_alias() {
        let made = read(r#"{"username": "bob", "password": "secret", "alias": "Bob"}"#).unwrap();
        assert_eq!((made.username.as_str(), made.alias.as_str(), made.app_id), ("bob", "Bob", None));
        assert_eq!(made.password.expose(), "secret");
        assert_eq!(format!("{:?}", made.password), "Password(…)");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_no_password_is_repeated() {
        for (json, text) in [
            (r#"{"password":"secret","alias":"Bob"}"#, "username is required (current value: None)"),
            (r#"{"username":"b","alias":"Bob"}"#, "password is required (current value: None)"),
            (r#"{"username":"b","password":"secret"}"#, "alias is required (current value: None)"),
            (r#"{"username":"b@h","password":"secret","alias":"B"}"#, "username parameter is invalid"),
            (
                r#"{"username":"b","password":"1234","alias":"B"}"#,
                "5 <= len(password) <= 128 (actual value: 4)",
            ),
            (r#"{"username":"b","password":"secr\net","alias":"B"}"#, "password parameter is invalid"),
        ] {
            assert_eq!(read(json).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn an_update_changes_what_it_says() {
        let body = Arguments::from_body(None, br#"{"app_id": 7}"#).unwrap();
        let update = EndpointUpdate { app_id: Some("7".into()), ..EndpointUpdate::default() };
        assert_eq!(EndpointUpdate::parse(&body), Ok(update));
    }
}
