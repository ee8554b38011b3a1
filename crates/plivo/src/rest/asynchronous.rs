//! Answers that are asked for later.

use super::{Arguments, RestError};
use crate::Method;
use crate::join::Target;

/// Where the answer to a request goes, if it is not to be the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsyncCallback(pub Target);

impl AsyncCallback {
    /// Reads `callback_url` and `callback_method`, which any request may carry.
    /// Where a request has a parameter of that name for itself, as a call's
    /// recording does, this is not to be asked.
    ///
    /// # Errors
    ///
    /// [`RestError`] if it is no URL or no method.
    pub fn parse(arguments: &Arguments) -> Result<Option<Self>, RestError> {
        Ok(arguments.target("callback_url", ("callback_method", Method::Post))?.map(Self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_be_asked_for_later() {
        let read = |json: &str| AsyncCallback::parse(&Arguments::from_body(None, json.as_bytes()).unwrap());
        let to = |method| Some(AsyncCallback(Target { url: "http://h/x".into(), method }));
        assert_eq!(read("{}"), Ok(None));
        assert_eq!(read(r#"{"callback_url":["http://h/x"]}"#), Ok(to(Method::Post)));
        assert_eq!(read(r#"{"callback_url":"http://h/x","callback_method":"get"}"#), Ok(to(Method::Get)));
        assert_eq!(read(r#"{"callback_url":"x"}"#), Err(RestError::Parameter("callback_url")));
    }
}
