//! Tokens with which browsers join an MPC: a resource of ours, in Plivo's manner.

use serde::Serialize;
use utoipa::ToSchema;

use super::add_participant::mpc;
use super::fields::required;
use super::{Arguments, RestError};
use crate::Role;
use crate::xml::{Limits, MultiPartyCall};

/// How long a token is good when nobody says it.
const DEFAULT_SECONDS: u32 = 300;
/// How long a token may be good: a day.
const MAX_SECONDS: u32 = 86_400;

/// As what people join.
const ROLES: &[(&str, Role)] =
    &[("agent", Role::Agent), ("customer", Role::Customer), ("supervisor", Role::Supervisor)];

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJoinToken {
    /// How who has it joins.
    pub mpc: MultiPartyCall,
    /// The calling party's name.
    pub name: String,
    /// How long it is good.
    pub expires_in_seconds: u32,
}

impl NewJoinToken {
    /// Reads the body: `mpc_name`, `role`, `name`, `expires_in_seconds`, and what an add-participant request may say
    /// of how somebody joins.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter that is missing or has a wrong value.
    pub fn parse(body: &Arguments, limits: &Limits) -> Result<Self, RestError> {
        let mpc_name = required("mpc_name", body.line("mpc_name")?)?;
        let role = required("role", body.choice("role", ROLES)?)?;
        Ok(Self {
            mpc: mpc(body, &mpc_name, role, limits)?,
            name: required("name", body.line("name")?)?,
            expires_in_seconds: body
                .number("expires_in_seconds", 1..=MAX_SECONDS)?
                .unwrap_or(DEFAULT_SECONDS),
        })
    }
}

/// The reply with a new token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct JoinTokenCreated {
    /// What was done.
    pub message: &'static str,
    /// To be shown as `Authorization: Bearer`, once.
    pub token: String,
    /// How long it is good.
    pub expires_in_seconds: u32,
}

impl JoinTokenCreated {
    /// That `token` was made.
    pub const fn new(token: String, expires_in_seconds: u32) -> Self {
        Self { message: "created", token, expires_in_seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<NewJoinToken, RestError> {
        NewJoinToken::parse(&Arguments::from_body(None, json.as_bytes()).unwrap(), &Limits::default())
    }

    #[test]
    fn a_token_says_where_as_what_and_under_which_name_somebody_joins() {
        let made = read(r#"{"mpc_name":"sales","role":"customer","name":"Ann","mute":true}"#).unwrap();
        assert_eq!((made.mpc.name.as_str(), made.mpc.role, made.mpc.mute), ("sales", Role::Customer, true));
        assert_eq!((made.name.as_str(), made.expires_in_seconds), ("Ann", 300));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (json, text) in [
            (r#"{"role":"agent","name":"A"}"#, "mpc_name is required (current value: None)"),
            (r#"{"mpc_name":"a","name":"A"}"#, "role is required (current value: None)"),
            (r#"{"mpc_name":"a","role":"agent"}"#, "name is required (current value: None)"),
            (
                r#"{"mpc_name":"a","role":"ai-agent","name":"A"}"#,
                "role should be in ('agent', 'customer', 'supervisor') (actual value: ai-agent)",
            ),
            (
                r#"{"mpc_name":"a","role":"agent","name":"A","expires_in_seconds":0}"#,
                "1 <= expires_in_seconds <= 86400 (actual value: 0)",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().to_string(), text);
        }
    }
}
