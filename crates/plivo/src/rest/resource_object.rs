//! Applications, endpoints, recordings and accounts as replies show them.

use serde::Serialize;
use utoipa::ToSchema;

use super::path::absolute;
use crate::{RecordingFile, Timestamp};

/// An application in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
#[expect(clippy::struct_excessive_bools, reason = "they are Plivo's and independent")]
pub struct ApplicationObject {
    pub answer_method: &'static str,
    pub answer_url: String,
    pub app_id: String,
    pub app_name: String,
    pub default_app: bool,
    pub default_endpoint_app: bool,
    pub enabled: bool,
    pub fallback_answer_url: String,
    pub fallback_method: &'static str,
    pub hangup_method: &'static str,
    pub hangup_url: String,
    pub log_incoming_messages: bool,
    pub message_method: &'static str,
    pub message_url: String,
    pub public_uri: bool,
    pub resource_uri: String,
    pub sip_uri: String,
    #[schema(required)]
    pub sub_account: Option<String>,
}

impl ApplicationObject {
    /// The host of applications' addresses.
    pub const DOMAIN: &str = "app.plivo.com";

    /// The `resource_uri` of the application.
    pub fn uri(account: &str, app_id: &str) -> String {
        absolute(&["v1", "Account", account, "Application", app_id])
    }

    /// The `sip_uri` of the application.
    pub fn sip_uri(app_id: &str) -> String {
        format!("sip:{app_id}@{}", Self::DOMAIN)
    }
}

/// An endpoint in a reply. What is known of its registration is there while
/// it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct EndpointObject {
    pub alias: String,
    #[schema(required)]
    pub application: Option<String>,
    pub endpoint_id: String,
    pub resource_uri: String,
    /// `true` or `false` as a text.
    pub sip_registered: &'static str,
    pub sip_uri: String,
    #[schema(required)]
    pub sub_account: Option<String>,
    pub username: String,
    #[serde(flatten)]
    #[schema(value_type = Registration)]
    pub registration: Option<Registration>,
}

/// What is known of the registration of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct Registration {
    #[schema(required = false)]
    pub sip_contact: String,
    /// `YYYY-MM-DD HH:MM:SS`.
    #[schema(required = false)]
    pub sip_expires: String,
    #[schema(required = false)]
    pub sip_user_agent: String,
}

impl EndpointObject {
    /// The host of endpoints' addresses, and the realm of their passwords.
    pub const DOMAIN: &str = "phone.plivo.com";

    /// The `resource_uri` of the endpoint.
    pub fn uri(account: &str, endpoint_id: &str) -> String {
        absolute(&["v1", "Account", account, "Endpoint", endpoint_id])
    }

    /// The `sip_uri` of the endpoint.
    pub fn sip_uri(username: &str) -> String {
        format!("sip:{username}@{}", Self::DOMAIN)
    }
}

/// A recording in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct RecordingObject {
    pub add_time: String,
    #[schema(required)]
    pub call_uuid: Option<String>,
    #[schema(required)]
    pub conference_name: Option<String>,
    #[schema(required)]
    pub conference_uuid: Option<String>,
    #[schema(required)]
    pub from_number: Option<String>,
    pub monthly_recording_storage_amount: String,
    #[schema(required)]
    pub mpc_name: Option<String>,
    #[schema(required)]
    pub mpc_uuid: Option<String>,
    pub recording_duration_ms: String,
    pub recording_end_ms: String,
    pub recording_format: &'static str,
    pub recording_id: String,
    pub recording_start_ms: String,
    pub recording_storage_duration: u64,
    pub recording_storage_rate: String,
    pub recording_type: &'static str,
    pub recording_url: String,
    pub resource_uri: String,
    pub rounded_recording_duration: u64,
    #[schema(required)]
    pub to_number: Option<String>,
}

impl RecordingObject {
    /// `recording` as it stands at `now`. Storage is free.
    pub fn new(recording: &RecordingFile, now: Timestamp) -> Self {
        let end = recording.ended_at.unwrap_or(now);
        let free = || "0.00000".to_owned();
        Self {
            add_time: format!("{}+00:00", recording.started_at.with_fraction()),
            call_uuid: recording.call_uuid.clone(),
            conference_name: recording.mpc_name.clone(),
            conference_uuid: recording.mpc_uuid.clone(),
            from_number: recording.from.clone(),
            monthly_recording_storage_amount: free(),
            mpc_name: recording.mpc_name.clone(),
            mpc_uuid: recording.mpc_uuid.clone(),
            recording_duration_ms: milliseconds(recording.duration_micros(end) as i64),
            recording_end_ms: milliseconds(end.as_micros()),
            recording_format: recording.format.name(),
            recording_id: recording.id.clone(),
            recording_start_ms: milliseconds(recording.started_at.as_micros()),
            recording_storage_duration: now.seconds_since(recording.started_at) / 86_400,
            recording_storage_rate: free(),
            recording_type: recording.kind(),
            recording_url: recording.url.clone(),
            resource_uri: recording.resource_uri(),
            rounded_recording_duration: recording.duration_micros(end).div_ceil(60_000_000) * 60,
            to_number: recording.to.clone(),
        }
    }
}

/// Microseconds as milliseconds with five decimals.
fn milliseconds(micros: i64) -> String {
    format!("{}.{:03}00", micros / 1000, micros % 1000)
}

/// An account in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct AccountObject {
    pub account_type: &'static str,
    pub address: String,
    pub auth_id: String,
    pub auto_recharge: bool,
    pub billing_mode: &'static str,
    pub cash_credits: String,
    pub city: String,
    pub name: String,
    pub resource_uri: String,
    pub state: String,
    pub timezone: String,
}

impl AccountObject {
    /// The account, which nobody bills; `details` are name, city and address.
    pub fn new(auth_id: &str, [name, city, address]: [&str; 3]) -> Self {
        Self {
            account_type: "standard",
            address: address.to_owned(),
            auth_id: auth_id.to_owned(),
            auto_recharge: false,
            billing_mode: "prepaid",
            cash_credits: "0.00000".to_owned(),
            city: city.to_owned(),
            name: name.to_owned(),
            resource_uri: absolute(&["v1", "Account", auth_id]),
            state: String::new(),
            timezone: "UTC".to_owned(),
        }
    }
}

/// A sub-account in a reply; every field is there every time.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct SubaccountObject {
    pub account: String,
    pub auth_id: String,
    pub auth_token: String,
    pub created: Timestamp,
    pub enabled: bool,
    #[schema(required)]
    pub modified: Option<Timestamp>,
    pub name: String,
    pub resource_uri: String,
}

impl SubaccountObject {
    /// The `resource_uri` of the sub-account, and the `account` it belongs to.
    pub fn uris(main: &str, auth_id: &str) -> [String; 2] {
        [absolute(&["v1", "Account", main, "Subaccount", auth_id]), absolute(&["v1", "Account", main])]
    }
}

/// The reply to a request for a sub-account.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct SubaccountCreated {
    pub auth_id: String,
    pub auth_token: String,
    pub message: &'static str,
}

impl SubaccountCreated {
    /// That the sub-account is there.
    pub fn new(auth_id: String, auth_token: String) -> Self {
        Self { auth_id, auth_token, message: "created" }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::FileFormat;

    #[test]
    fn an_application_has_the_documented_shape() {
        let object = ApplicationObject {
            answer_method: "POST",
            answer_url: "http://h/a".into(),
            app_id: "7".into(),
            app_name: "Support".into(),
            default_app: false,
            default_endpoint_app: false,
            enabled: true,
            fallback_answer_url: String::new(),
            fallback_method: "POST",
            hangup_method: "POST",
            hangup_url: String::new(),
            log_incoming_messages: true,
            message_method: "POST",
            message_url: String::new(),
            public_uri: false,
            resource_uri: ApplicationObject::uri("MA1", "7"),
            sip_uri: ApplicationObject::sip_uri("7"),
            sub_account: None,
        };
        assert_eq!(
            to_value(object).unwrap(),
            json!({
                "answer_method": "POST", "answer_url": "http://h/a", "app_id": "7", "app_name": "Support",
                "default_app": false, "default_endpoint_app": false, "enabled": true,
                "fallback_answer_url": "", "fallback_method": "POST", "hangup_method": "POST",
                "hangup_url": "", "log_incoming_messages": true, "message_method": "POST",
                "message_url": "", "public_uri": false,
                "resource_uri": "/v1/Account/MA1/Application/7/",
                "sip_uri": "sip:7@app.plivo.com", "sub_account": null,
            })
        );
    }

    #[test]
    fn an_endpoint_tells_its_registration_while_it_has_one() {
        let away = EndpointObject {
            alias: "Bob".into(),
            application: Some(ApplicationObject::uri("MA1", "7")),
            endpoint_id: "9".into(),
            resource_uri: EndpointObject::uri("MA1", "9"),
            sip_registered: "false",
            sip_uri: EndpointObject::sip_uri("bob1"),
            sub_account: None,
            username: "bob1".into(),
            registration: None,
        };
        let mut shape = json!({
            "alias": "Bob",
            "application": "/v1/Account/MA1/Application/7/",
            "endpoint_id": "9",
            "resource_uri": "/v1/Account/MA1/Endpoint/9/",
            "sip_registered": "false",
            "sip_uri": "sip:bob1@phone.plivo.com",
            "sub_account": null,
            "username": "bob1",
        });
        assert_eq!(to_value(&away).unwrap(), shape);
        let registration = Registration {
            sip_contact: "sip:bob1@192.0.2.1:5060".into(),
            sip_expires: "2026-01-02 10:48:43".into(),
            sip_user_agent: "x".into(),
        };
        let here = EndpointObject { registration: Some(registration), sip_registered: "true", ..away };
        shape["sip_registered"] = json!("true");
        shape["sip_contact"] = json!("sip:bob1@192.0.2.1:5060");
        shape["sip_expires"] = json!("2026-01-02 10:48:43");
        shape["sip_user_agent"] = json!("x");
        assert_eq!(to_value(&here).unwrap(), shape);
    }

    #[test]
    fn a_recording_has_the_documented_shape() {
        let start = 1_767_350_923_123_456;
        let recording = RecordingFile {
            id: "r-1".into(),
            account: "MA1".into(),
            url: "https://h/r-1.mp3".into(),
            format: FileFormat::Mp3,
            started_at: Timestamp::from_micros(start),
            ended_at: Some(Timestamp::from_micros(start + 61_500_000)),
            duration_us: None,
            mpc_uuid: Some("m-1".into()),
            mpc_name: Some("room".into()),
            member_id: None,
            call_uuid: None,
            from: None,
            to: None,
        };
        let now = Timestamp::from_micros(start + 2 * 86_400_000_000);
        assert_eq!(
            to_value(RecordingObject::new(&recording, now)).unwrap(),
            json!({
                "add_time": "2026-01-02 10:48:43.123456+00:00",
                "call_uuid": null,
                "conference_name": "room",
                "conference_uuid": "m-1",
                "from_number": null,
                "monthly_recording_storage_amount": "0.00000",
                "mpc_name": "room",
                "mpc_uuid": "m-1",
                "recording_duration_ms": "61500.00000",
                "recording_end_ms": "1767350984623.45600",
                "recording_format": "mp3",
                "recording_id": "r-1",
                "recording_start_ms": "1767350923123.45600",
                "recording_storage_duration": 2,
                "recording_storage_rate": "0.00000",
                "recording_type": "conference",
                "recording_url": "https://h/r-1.mp3",
                "resource_uri": "/v1/Account/MA1/Recording/r-1/",
                "rounded_recording_duration": 120,
                "to_number": null,
            })
        );
    }

    #[test]
    fn an_account_has_the_documented_shape() {
        assert_eq!(
            to_value(AccountObject::new("MA1", ["Acme", "Bonn", "Road 1"])).unwrap(),
            json!({
                "account_type": "standard", "address": "Road 1", "auth_id": "MA1", "auto_recharge": false,
                "billing_mode": "prepaid", "cash_credits": "0.00000", "city": "Bonn", "name": "Acme",
                "resource_uri": "/v1/Account/MA1/", "state": "", "timezone": "UTC",
            })
        );
    }

    #[test]
    fn a_sub_account_names_the_account_it_belongs_to() {
        let [resource_uri, account] = SubaccountObject::uris("MA1", "SA1");
        let object = SubaccountObject {
            account,
            auth_id: "SA1".into(),
            auth_token: "t".into(),
            created: Timestamp::from_micros(0),
            enabled: true,
            modified: None,
            name: "Sales".into(),
            resource_uri,
        };
        assert_eq!(
            to_value(object).unwrap(),
            json!({
                "account": "/v1/Account/MA1/", "auth_id": "SA1", "auth_token": "t",
                "created": "1970-01-01 00:00:00+00:00", "enabled": true, "modified": null, "name": "Sales",
                "resource_uri": "/v1/Account/MA1/Subaccount/SA1/",
            })
        );
        assert_eq!(
            to_value(SubaccountCreated::new("SA1".into(), "t".into())).unwrap(),
            json!({"auth_id": "SA1", "auth_token": "t", "message": "created"})
        );
    }
}
