//! Which recordings a list request asks for.

use super::fields::line;
use super::filters::{Bounds, Filters, Given, TimeRange, bounds, sub_account};
use super::{Arguments, Page, RestError, schema};
use crate::Timestamp;

/// Which recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Of this sub-account.
    pub sub_account: Option<String>,
    /// From this number.
    pub from_number: Option<String>,
    /// To this number.
    pub to_number: Option<String>,
    /// Of this call.
    pub call_uuid: Option<String>,
    /// Of conferences, or MPCs, of this name.
    pub conference_name: Option<String>,
    /// Of this conference or MPC.
    pub conference_uuid: Option<String>,
    /// Made then.
    pub add_time: TimeRange,
    /// Kept so many days.
    pub recording_storage_duration: Bounds<u32>,
    /// Which part of the list.
    pub page: Page,
    given: Given,
}

impl RecordingFilter {
    /// Reads the query of a list request.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        let mut filters = Filters::new(query);
        Ok(Self {
            sub_account: filters.read_as(schema::sub_account, &["subaccount", "sub_account"], sub_account)?,
            from_number: filters.read(&["from_number"], line)?,
            to_number: filters.read(&["to_number"], line)?,
            call_uuid: filters.read(&["call_uuid"], line)?,
            conference_name: filters.read(&["mpc_name", "conference_name"], line)?,
            conference_uuid: filters.read(&["mpc_uuid", "conference_uuid"], line)?,
            add_time: filters.bounds(schema::instant, &bounds!("add_time"), Timestamp::parse)?,
            recording_storage_duration: filters.bounds_or_equal(
                schema::whole,
                &bounds!("recording_storage_duration"),
                |text| text.parse().ok(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_may_be_filtered_by_everything_documented() {
        let filter = RecordingFilter::parse(&Arguments::from_form(
            b"subaccount=SAXXXXXXXXXXXXXXXXXX&from_number=1&to_number=2&call_uuid=c&mpc_name=room&conference_uuid=m\
              &add_time__gt=2026-01-01%2000:00&recording_storage_duration__lte=30&limit=1&cursor=x",
        ))
        .unwrap();
        assert_eq!(filter.conference_name.as_deref(), Some("room"));
        assert_eq!(filter.add_time.gt, Timestamp::parse("2026-01-01 00:00"));
        assert_eq!(filter.recording_storage_duration.lte, Some(30));
        let names: Vec<_> = filter.given().iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "subaccount",
                "from_number",
                "to_number",
                "call_uuid",
                "mpc_name",
                "mpc_uuid",
                "add_time__gt",
                "recording_storage_duration__lte"
            ]
        );
    }

    #[test]
    fn a_wrong_filter_is_named() {
        for (query, name) in [("add_time__gt=x", "add_time__gt"), ("call_uuid=%0D%0A!%00", "call_uuid")] {
            let error = RecordingFilter::parse(&Arguments::from_form(query.as_bytes())).unwrap_err();
            assert_eq!(error, RestError::Parameter(name));
        }
    }
}
