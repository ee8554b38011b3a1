//! Applications: where the calls of numbers and endpoints are answered.

use super::fields::{line, required};
use super::filters::{Filters, Given, sub_account};
use super::{Arguments, Page, RestError, schema};
use crate::Method;

/// An application to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApplication {
    /// Its name.
    pub app_name: String,
    /// The rest of it.
    pub settings: ApplicationSettings,
}

impl NewApplication {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there is no name, or for the first wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        Ok(Self {
            app_name: required("app_name", body.line("app_name")?)?,
            settings: ApplicationSettings::parse(body)?,
        })
    }
}

/// What an application has, or what is changed of it; absent is unchanged, and
/// for a new one the default: no URL, `POST`, false, and true for
/// `log_incoming_messages`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct ApplicationSettings {
    pub answer_url: Option<String>,
    pub answer_method: Option<Method>,
    pub hangup_url: Option<String>,
    pub hangup_method: Option<Method>,
    pub fallback_answer_url: Option<String>,
    pub fallback_method: Option<Method>,
    pub message_url: Option<String>,
    pub message_method: Option<Method>,
    pub default_number_app: Option<bool>,
    pub default_endpoint_app: Option<bool>,
    pub sub_account: Option<String>,
    pub log_incoming_messages: Option<bool>,
    pub public_uri: Option<bool>,
}

impl ApplicationSettings {
    /// Reads the body of an update.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        body.note("subaccount", schema::sub_account);
        let method = |name| body.choice(name, Method::WORDS);
        Ok(Self {
            answer_url: body.url("answer_url")?,
            answer_method: method("answer_method")?,
            hangup_url: body.url("hangup_url")?,
            hangup_method: method("hangup_method")?,
            fallback_answer_url: body.url("fallback_answer_url")?,
            fallback_method: method("fallback_method")?,
            message_url: body.url("message_url")?,
            message_method: method("message_method")?,
            default_number_app: body.flag("default_number_app")?,
            default_endpoint_app: body.flag("default_endpoint_app")?,
            sub_account: body.read("subaccount", sub_account)?,
            log_incoming_messages: body.flag("log_incoming_messages")?,
            public_uri: body.flag("public_uri")?,
        })
    }
}

/// What happens to the endpoints of an application that is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationDelete {
    /// Whether they are deleted with it.
    pub cascade: bool,
    /// The application that they get instead.
    pub new_endpoint_application: Option<String>,
}

impl ApplicationDelete {
    /// Reads the body or the query.
    ///
    /// # Errors
    ///
    /// [`RestError`] for a wrong value.
    pub fn parse(arguments: &Arguments) -> Result<Self, RestError> {
        Ok(Self {
            cascade: arguments.flag_or("cascade", true)?,
            new_endpoint_application: arguments.line("new_endpoint_application")?,
        })
    }
}

/// Which applications a list request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationFilter {
    /// Of this sub-account.
    pub sub_account: Option<String>,
    /// Of this name.
    pub app_name: Option<String>,
    /// Which part of the list.
    pub page: Page,
    given: Given,
}

impl ApplicationFilter {
    /// Reads the query of a list request.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        let mut filters = Filters::new(query);
        Ok(Self {
            sub_account: filters.read_as(schema::sub_account, &["subaccount", "sub_account"], sub_account)?,
            app_name: filters.read(&["app_name"], line)?,
            page: Page::parse(query)?,
            given: filters.given(),
        })
    }

    /// The filters as they were given, for the links to the neighbouring pages.
    pub fn given(&self) -> &[(&'static str, String)] {
        &self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Arguments {
        Arguments::from_body(None, json.as_bytes()).unwrap()
    }

    #[test]
    fn an_application_needs_a_name_and_nothing_else() {
        let made = NewApplication::parse(&body(r#"{"app_name":"Support"}"#));
        let settings = ApplicationSettings::default();
        assert_eq!(made, Ok(NewApplication { app_name: "Support".into(), settings }));
        assert_eq!(NewApplication::parse(&body("{}")), Err(RestError::Missing("app_name")));
    }

    #[test]
    fn every_setting_is_read() {
        let settings = ApplicationSettings::parse(&body(
            r#"{"answer_url":"http://h/a","answer_method":"get","hangup_url":"http://h/h","hangup_method":"POST",
            "fallback_answer_url":"http://h/f","fallback_method":"GET","message_url":"http://h/m",
            "message_method":"POST","default_number_app":false,"default_endpoint_app":"true",
            "subaccount":"SAXXXXXXXXXXXXXXXXXX","log_incoming_messages":true,"public_uri":false}"#,
        ));
        let expected = ApplicationSettings {
            answer_url: Some("http://h/a".into()),
            answer_method: Some(Method::Get),
            hangup_url: Some("http://h/h".into()),
            hangup_method: Some(Method::Post),
            fallback_answer_url: Some("http://h/f".into()),
            fallback_method: Some(Method::Get),
            message_url: Some("http://h/m".into()),
            message_method: Some(Method::Post),
            default_number_app: Some(false),
            default_endpoint_app: Some(true),
            sub_account: Some("SAXXXXXXXXXXXXXXXXXX".into()),
            log_incoming_messages: Some(true),
            public_uri: Some(false),
        };
        assert_eq!(settings, Ok(expected));
        let wrong = ApplicationSettings::parse(&body(r#"{"hangup_url":"x"}"#));
        assert_eq!(wrong, Err(RestError::Parameter("hangup_url")));
    }

    #[test]
    fn endpoints_go_with_their_application_unless_asked_otherwise() {
        let all = ApplicationDelete { cascade: true, new_endpoint_application: None };
        assert_eq!(ApplicationDelete::parse(&body("{}")), Ok(all));
        let moved = ApplicationDelete::parse(&body(r#"{"cascade":false,"new_endpoint_application":"7"}"#));
        let expected = ApplicationDelete { cascade: false, new_endpoint_application: Some("7".into()) };
        assert_eq!(moved, Ok(expected));
    }

    #[test]
    fn applications_may_be_filtered_by_name() {
        let filter = ApplicationFilter::parse(&Arguments::from_form(b"app_name=Support&limit=20")).unwrap();
        assert_eq!(filter.given(), [("app_name", "Support".to_owned())]);
    }
}
