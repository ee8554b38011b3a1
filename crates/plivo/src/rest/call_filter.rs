//! Which calls a list request asks for.

use super::fields::line;
use super::filters::{Bounds, Filters, Given, TimeRange, bounds, sub_account};
use super::{Arguments, Page, RestError, schema};
use crate::words::pick;
use crate::{Direction, HangupSource, Timestamp};

/// What `GET Call/` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallList {
    /// Calls that last.
    Live(CallFilter),
    /// Calls that wait to be made.
    Queued(CallFilter),
    /// Records of calls that ended.
    Records(CallFilter),
}

/// Which calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFilter {
    /// Of this sub-account.
    pub sub_account: Option<String>,
    /// Set up by that side.
    pub direction: Option<Direction>,
    /// From this number.
    pub from_number: Option<String>,
    /// To one of these numbers; to any if there are none.
    pub to_numbers: Vec<String>,
    /// Billed so many seconds.
    pub bill_duration: Bounds<u32>,
    /// Ended then.
    pub end_time: TimeRange,
    /// Answered then.
    pub answer_time: TimeRange,
    /// Arrived or placed then.
    pub initiation_time: TimeRange,
    /// Of this call.
    pub parent_call_uuid: Option<String>,
    /// Ended for this reason.
    pub hangup_cause_code: Option<u16>,
    /// Ended by that side.
    pub hangup_source: Option<HangupSource>,
    /// Which part of the list.
    pub page: Page,
    given: Given,
}

/// Which of a call's two faces a `GET Call/{uuid}/` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallView {
    /// While it lasts.
    Live,
    /// While it waits to be made.
    Queued,
    /// Its record.
    Record,
}

impl CallView {
    /// Reads the `status` of a query.
    ///
    /// # Errors
    ///
    /// [`RestError::Choice`] if there is no such status.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        let words = [("live", Self::Live), ("queued", Self::Queued)];
        Ok(query.choice("status", &words)?.unwrap_or(Self::Record))
    }
}

impl CallList {
    /// Reads the query of a list request.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        let filter = CallFilter::parse(query)?;
        Ok(match CallView::parse(query)? {
            CallView::Live => Self::Live(filter),
            CallView::Queued => Self::Queued(filter),
            CallView::Record => Self::Records(filter),
        })
    }
}

impl CallFilter {
    fn parse(query: &Arguments) -> Result<Self, RestError> {
        let mut filters = Filters::new(query);
        let directions = [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
        Ok(Self {
            sub_account: filters.read_as(schema::sub_account, &["subaccount", "sub_account"], sub_account)?,
            direction: filters.read_as(
                || schema::words(["inbound", "outbound"]),
                &["call_direction"],
                |text| pick(text, &directions),
            )?,
            from_number: filters.read(&["from_number"], line)?,
            to_numbers: filters.read(&["to_number"], numbers)?.unwrap_or_default(),
            bill_duration: filters
                .bounds_or_equal(schema::whole, &bounds!("bill_duration"), |text| text.parse().ok())?,
            end_time: filters.bounds_or_equal(schema::instant, &bounds!("end_time"), Timestamp::parse)?,
            answer_time: filters.bounds_or_equal(
                schema::instant,
                &bounds!("answer_time"),
                Timestamp::parse,
            )?,
            initiation_time: filters.bounds_or_equal(
                schema::instant,
                &bounds!("initiation_time"),
                Timestamp::parse,
            )?,
            parent_call_uuid: filters.read(&["parent_call_uuid"], line)?,
            hangup_cause_code: filters
                .read_as(schema::whole, &["hangup_cause_code"], |text| text.parse().ok())?,
            hangup_source: filters.read_as(
                || schema::words(HangupSource::ALL.map(HangupSource::name)),
                &["hangup_source"],
                HangupSource::parse,
            )?,
            page: Page::parse(query)?,
            given: filters.given(),
        })
    }

    /// The filters as they were given, for the links to the neighbouring pages.
    pub fn given(&self) -> &[(&'static str, String)] {
        &self.given
    }
}

fn numbers(text: &str) -> Option<Vec<String>> {
    text.split('<').map(|number| line(number.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<CallList, RestError> {
        CallList::parse(&Arguments::from_form(query.as_bytes()))
    }

    fn records(query: &str) -> CallFilter {
        let CallList::Records(filter) = read(query).unwrap() else { panic!("{query}") };
        filter
    }

    #[test]
    fn the_status_says_which_calls() {
        assert!(matches!(read("limit=20&offset=0&status=live"), Ok(CallList::Live(_))));
        assert!(matches!(read("status=Queued"), Ok(CallList::Queued(_))));
        assert!(matches!(read(""), Ok(CallList::Records(_))));
        let text = "status should be in ('live', 'queued') (actual value: dead)";
        assert_eq!(read("status=dead").unwrap_err().to_string(), text);
    }

    #[test]
    fn records_may_be_filtered_by_everything_documented() {
        let filter = records(
            "subaccount=SAXXXXXXXXXXXXXXXXXX&call_direction=inbound&from_number=1&to_number=2%3C3\
             &bill_duration__gt=60&end_time__lt=2026-01-02%2000:00&answer_time__gte=2026-01-01%2000:00\
             &initiation_time_lte=2026-01-01%2000:00&parent_call_uuid=p&hangup_cause_code=4000\
             &hangup_source=api%20request&limit=5&cursor=x",
        );
        let midnight = Timestamp::parse("2026-01-01 00:00");
        assert_eq!(filter.sub_account.as_deref(), Some("SAXXXXXXXXXXXXXXXXXX"));
        assert_eq!((filter.direction, filter.from_number.as_deref()), (Some(Direction::Inbound), Some("1")));
        assert_eq!(filter.to_numbers, ["2", "3"]);
        assert_eq!(filter.bill_duration, Bounds { gt: Some(60), ..Bounds::default() });
        assert_eq!(filter.end_time.lt, Timestamp::parse("2026-01-02 00:00"));
        assert_eq!((filter.answer_time.gte, filter.initiation_time.lte), (midnight, midnight));
        assert_eq!(filter.parent_call_uuid.as_deref(), Some("p"));
        assert_eq!(filter.hangup_cause_code, Some(4000));
        assert_eq!(filter.hangup_source, Some(HangupSource::ApiRequest));
        assert_eq!(filter.page, Page { limit: 5, offset: 0 });
        assert_eq!(filter.given().len(), 11);
        assert_eq!(filter.given()[7], ("initiation_time__lte", "2026-01-01 00:00".into()));
    }

    #[test]
    fn a_value_without_a_bound_is_both_bounds() {
        let filter = records("bill_duration=60");
        assert_eq!(filter.bill_duration, Bounds { gte: Some(60), lte: Some(60), ..Bounds::default() });
    }

    #[test]
    fn a_wrong_filter_is_named() {
        for (query, name) in [
            ("subaccount=MA", "subaccount"),
            ("call_direction=up", "call_direction"),
            ("bill_duration__lt=x", "bill_duration__lt"),
            ("end_time=now", "end_time"),
            ("hangup_cause_code=-1", "hangup_cause_code"),
            ("hangup_source=me", "hangup_source"),
        ] {
            assert_eq!(read(query), Err(RestError::Parameter(name)));
        }
    }
}
