//! What a request asks for.

use super::filters::{Filters, bounds, sub_account};
use super::{Arguments, MemberSelector, Page, RestError, TimeRange, schema};
use crate::{MpcStatus, Timestamp};

/// Which MPCs a list request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MpcFilter {
    /// Of this sub-account.
    pub sub_account: Option<String>,
    /// Of this name.
    pub friendly_name: Option<String>,
    /// In this state.
    pub status: Option<MpcStatus>,
    /// Ended for this reason.
    pub termination_cause_code: Option<u32>,
    /// Ended then.
    pub end_time: TimeRange,
    /// Created then.
    pub creation_time: TimeRange,
    /// Which part of the list.
    pub page: Page,
    given: Vec<(&'static str, String)>,
}

impl MpcFilter {
    /// Reads the query of a list request.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        let mut filters = Filters::new(query);
        Ok(Self {
            sub_account: filters.read_as(schema::sub_account, &["sub_account"], sub_account)?,
            friendly_name: filters.read(&["friendly_name"], |text| Some(text.to_owned()))?,
            status: filters.read_as(
                || schema::words(MpcStatus::ALL.map(MpcStatus::name)),
                &["status"],
                MpcStatus::parse,
            )?,
            termination_cause_code: filters
                .read_as(schema::whole, &["termination_cause_code"], |text| text.parse().ok())?,
            end_time: filters.bounds(schema::instant, &bounds!("end_time"), Timestamp::parse)?,
            creation_time: filters.bounds(schema::instant, &bounds!("creation_time"), Timestamp::parse)?,
            page: Page::parse(query)?,
            given: filters.given(),
        })
    }

    /// The filters as they were given, for the links to the neighbouring pages.
    pub fn given(&self) -> &[(&'static str, String)] {
        &self.given
    }
}

/// Which participants a list request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantFilter {
    /// Of this call.
    pub call_uuid: Option<String>,
    /// Which part of the list.
    pub page: Page,
}

impl ParticipantFilter {
    /// Reads the query of a list request.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        Ok(Self { call_uuid: query.text("call_uuid")?, page: Page::parse(query)? })
    }

    /// The filters as they were given, for the links to the neighbouring pages.
    pub fn given(&self) -> Vec<(&'static str, String)> {
        self.call_uuid.iter().map(|uuid| ("call_uuid", uuid.clone())).collect()
    }
}

/// Checks the body of a start request, which can only say `active`.
///
/// # Errors
///
/// [`RestError::Parameter`] if it says anything else or nothing.
pub fn parse_start(body: &Arguments) -> Result<(), RestError> {
    body.note("status", || schema::words(["active"]));
    match body.read("status", MpcStatus::parse)? {
        Some(MpcStatus::Active) => Ok(()),
        _ => Err(RestError::Parameter("status")),
    }
}

/// What to change of a participant; `None` leaves as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParticipantUpdate {
    /// Mute or unmute.
    pub mute: Option<bool>,
    /// Hold or resume.
    pub hold: Option<bool>,
    /// Start or stop coaching.
    pub coach_mode: Option<bool>,
    /// Whether the change is not heard; by itself it changes nothing.
    pub disable_state_change_sound: bool,
}

impl ParticipantUpdate {
    /// Reads the body of an update of `members`.
    ///
    /// # Errors
    ///
    /// [`RestError`] for a wrong value, for nothing to update, and for the
    /// coach mode of everybody.
    pub fn parse(body: &Arguments, members: &MemberSelector) -> Result<Self, RestError> {
        let update = Self {
            mute: body.flag("mute")?,
            hold: body.flag("hold")?,
            coach_mode: body.flag("coach_mode")?,
            disable_state_change_sound: body.flag_or("disable_state_change_sound", false)?,
        };
        if update.coach_mode.is_some() && *members == MemberSelector::All {
            return Err(RestError::CoachModeOfAll);
        }
        if update.mute.or(update.hold).or(update.coach_mode).is_none() {
            return Err(RestError::NothingToUpdate);
        }
        Ok(update)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<MpcFilter, RestError> {
        MpcFilter::parse(&Arguments::from_form(text.as_bytes()))
    }

    fn body(json: &str) -> Arguments {
        Arguments::from_body(None, json.as_bytes()).unwrap()
    }

    fn one() -> MemberSelector {
        MemberSelector::Ids(vec![355])
    }

    #[test]
    fn a_list_may_be_filtered_by_everything_documented() {
        let filter = query(
            "sub_account=SAXXXXXXXXXXXXXXXXXX&friendly_name=my%20room&status=ACTIVE\
             &termination_cause_code=1010&end_time__lt=2026-01-02%2000:00\
             &creation_time__gte=2026-01-01+00:00:01&limit=5&offset=10&unknown=x",
        )
        .unwrap();
        assert_eq!(filter.sub_account.as_deref(), Some("SAXXXXXXXXXXXXXXXXXX"));
        assert_eq!(filter.friendly_name.as_deref(), Some("my room"));
        assert_eq!(filter.status, Some(MpcStatus::Active));
        assert_eq!(filter.termination_cause_code, Some(1010));
        assert_eq!(filter.end_time.lt, Timestamp::parse("2026-01-02 00:00"));
        assert_eq!(filter.creation_time.gte, Timestamp::parse("2026-01-01 00:00:01"));
        assert_eq!(filter.page, Page { limit: 5, offset: 10 });
        let names: Vec<_> = filter.given().iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "sub_account",
                "friendly_name",
                "status",
                "termination_cause_code",
                "end_time__lt",
                "creation_time__gte"
            ]
        );
    }

    #[test]
    fn a_single_underscore_is_understood_and_passed_on_as_two() {
        let filter = query("creation_time_gt=2026-01-01%2000%3A00&end_time_lte=2026-01-02+00:00").unwrap();
        assert_eq!(filter.creation_time.gt, Timestamp::parse("2026-01-01 00:00"));
        assert_eq!(filter.end_time.lte, Timestamp::parse("2026-01-02 00:00"));
        assert_eq!(
            filter.given(),
            [
                ("end_time__lte", "2026-01-02 00:00".to_owned()),
                ("creation_time__gt", "2026-01-01 00:00".to_owned())
            ]
        );
    }

    #[test]
    fn a_wrong_filter_is_named() {
        for (text, name) in [
            ("status=live", "status"),
            ("sub_account=MAXXXXXXXXXXXXXXXXXX", "sub_account"),
            ("sub_account=SAxxxxxxxxxxxxxxxxxx", "sub_account"),
            ("sub_account=SAXXXXXXXXXXXXXXXXX", "sub_account"),
            ("termination_cause_code=x", "termination_cause_code"),
            ("end_time__gt=yesterday", "end_time__gt"),
            ("creation_time_lte=2026", "creation_time_lte"),
        ] {
            let error = query(text).unwrap_err();
            assert_eq!(error.to_string(), format!("{name} parameter is invalid"));
            assert_eq!(error.status(), 400);
        }
    }

    #[test]
    fn participants_may_be_filtered_by_call() {
        let filter = ParticipantFilter::parse(&Arguments::from_form(b"call_uuid=abc")).unwrap();
        assert_eq!(filter.given(), [("call_uuid", "abc".to_owned())]);
        assert_eq!(filter.page, Page { limit: 20, offset: 0 });
    }

    #[test]
    fn a_start_says_active_in_any_case_or_in_a_list() {
        for json in [r#"{"status":"active"}"#, r#"{"status":["active"]}"#, r#"{"status":"Active"}"#] {
            assert_eq!(parse_start(&body(json)), Ok(()), "{json}");
        }
        for json in ["{}", r#"{"status":"ended"}"#, r#"{"status":"x"}"#, r#"{"status":["active","ended"]}"#] {
            assert_eq!(parse_start(&body(json)), Err(RestError::Parameter("status")), "{json}");
        }
    }

    #[test]
    fn an_update_takes_booleans_and_their_words() {
        let update = ParticipantUpdate::parse(
            &body(r#"{"mute":true,"hold":"False","uuid":"U","disable_state_change_sound":true}"#),
            &one(),
        );
        let expected = ParticipantUpdate {
            mute: Some(true),
            hold: Some(false),
            coach_mode: None,
            disable_state_change_sound: true,
        };
        assert_eq!(update, Ok(expected));
    }

    #[test]
    fn everybody_may_be_muted_at_once() {
        let update = ParticipantUpdate::parse(&body(r#"{"mute":true}"#), &MemberSelector::All);
        assert_eq!(update, Ok(ParticipantUpdate { mute: Some(true), ..ParticipantUpdate::default() }));
    }

    #[test]
    fn an_update_needs_something_to_update_and_one_to_coach() {
        for (json, members, text) in [
            ("{}", one(), "update at least one of coach_mode, mute or hold"),
            (
                r#"{"disable_state_change_sound":true}"#,
                one(),
                "update at least one of coach_mode, mute or hold",
            ),
            (r#"{"mute":null}"#, one(), "update at least one of coach_mode, mute or hold"),
            (
                r#"{"mute":true,"coach_mode":"false"}"#,
                MemberSelector::All,
                "cannot specify coach_mode when updating all participants",
            ),
            (r#"{"hold":1}"#, one(), "hold parameter is invalid"),
        ] {
            let error = ParticipantUpdate::parse(&body(json), &members).unwrap_err();
            assert_eq!((error.status(), error.to_string().as_str()), (400, text));
        }
    }
}
