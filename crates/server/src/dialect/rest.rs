//! Records as REST objects, REST requests as commands and filters.

use mixminus_control::{
    AccountId, CallId, ConferenceId, ConferenceRecord, EndCause, Members, ParticipantChange, ParticipantId,
    ParticipantRecord, Selector,
};
use mixminus_plivo::rest::{
    CallFilter, CallView, MemberSelector, MpcFilter, MpcSegment, ParticipantFilter, ParticipantUpdate,
    TimeRange,
};
use mixminus_plivo::{Direction, Mpc, MpcStatus, Participant, RecordingState, Timestamp};
use mixminus_store as store;

use super::words;

/// What Plivo knows of the conference.
pub fn mpc(record: &ConferenceRecord) -> Mpc {
    Mpc {
        uuid: record.id.to_string(),
        name: record.name.clone(),
        sub_account: Some(record.account.0.clone()).filter(|id| id.starts_with("SA")),
        status: words::status(record.state),
        recording: match record.recording {
            Some(mixminus_control::RecordingState::Recording) => RecordingState::Recording,
            Some(mixminus_control::RecordingState::Paused) => RecordingState::Paused,
            _ => RecordingState::NotRecording,
        },
        stay_alone: record.stay_alone,
        created_at: instant(record.created_at),
        started_at: record.started_at.map(instant),
        ended_at: record.ended_at.map(instant),
        termination: record.end_cause.map(words::termination),
        billed_seconds: record.billed_seconds,
    }
}

/// What Plivo knows of the participant.
pub fn participant(record: &ParticipantRecord) -> Participant {
    Participant {
        member_id: record.id.0,
        mpc_uuid: record.conference.to_string(),
        call_uuid: record.call.to_string(),
        address: record.address.clone(),
        role: words::role(record.role),
        coach_mode: record.coaching,
        mute: record.muted,
        hold: record.held,
        start_mpc_on_enter: record.start_on_enter,
        end_mpc_on_exit: record.end_on_exit,
        joined_at: instant(record.joined_at),
        left_at: record.left_at.map(instant),
        exit_cause: record.exit_cause.map(words::exit_cause),
    }
}

/// The conference that `segment` names; none if its uuid is no uuid.
pub fn selector(segment: &MpcSegment) -> Option<Selector> {
    match segment {
        MpcSegment::Uuid(uuid) => uuid.parse().ok().map(|uuid| Selector::Id(ConferenceId(uuid))),
        MpcSegment::Name(name) => Some(Selector::Name(name.clone())),
    }
}

/// The participants that `members` names.
pub fn members(members: &MemberSelector) -> Members {
    match members {
        MemberSelector::All => Members::All,
        MemberSelector::Ids(ids) => Members::Listed(ids.iter().copied().map(ParticipantId).collect()),
    }
}

/// What `update` changes of a participant.
pub const fn change(update: ParticipantUpdate) -> ParticipantChange {
    ParticipantChange { mute: update.mute, hold: update.hold, coach: update.coach_mode }
}

/// The conferences that `filter` wants; none if there can be none, as with an
/// unknown cause.
pub fn conference_filter(filter: &MpcFilter) -> Option<store::ConferenceFilter> {
    let end_cause = match filter.termination_cause_code {
        None => None,
        Some(code) => Some(end_cause(code)?),
    };
    Some(store::ConferenceFilter {
        subaccount: filter.sub_account.clone().map(AccountId),
        name: filter.friendly_name.clone(),
        state: filter.status.map(|status| match status {
            MpcStatus::Initialized => mixminus_control::ConferenceState::Initialized,
            MpcStatus::Active => mixminus_control::ConferenceState::Active,
            MpcStatus::Ended => mixminus_control::ConferenceState::Ended,
        }),
        end_cause,
        created: time_range(filter.creation_time),
        ended: time_range(filter.end_time),
    })
}

/// The participants that `filter` wants of the conference at `segment`: by
/// name those inside only. None if its call is no uuid.
pub fn participant_filter(
    filter: &ParticipantFilter,
    segment: &MpcSegment,
) -> Option<store::ParticipantFilter> {
    let call = match &filter.call_uuid {
        None => None,
        Some(uuid) => Some(CallId(uuid.parse().ok()?)),
    };
    Some(store::ParticipantFilter { call, live_only: matches!(segment, MpcSegment::Name(_)) })
}

/// The same instant as Plivo writes it.
pub const fn instant(at: mixminus_control::Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros())
}

fn end_cause(code: u32) -> Option<EndCause> {
    use EndCause::{AloneNotPermitted, ApiRequest, MaxDuration, NoParticipants};
    [NoParticipants, AloneNotPermitted, MaxDuration, ApiRequest]
        .into_iter()
        .find(|cause| words::termination(*cause).code() == code)
}

/// The calls that `filter` wants, seen as `view`; none if there can be none.
pub fn call_filter(filter: &CallFilter, view: CallView) -> Option<store::CallFilter> {
    use mixminus_control::CallState::{
        Busy, Canceled, Completed, Failed, InProgress, NoAnswer, Queued, Ringing,
    };
    let parent = match &filter.parent_call_uuid {
        None => None,
        Some(uuid) => Some(CallId(uuid.parse().ok()?)),
    };
    let causes = match filter.hangup_cause_code {
        None => Vec::new(),
        Some(code) => Some(words::causes(code)).filter(|causes| !causes.is_empty())?,
    };
    let source = match filter.hangup_source {
        None => None,
        Some(source) => Some(words::source(source)?),
    };
    let seconds = filter.bill_duration;
    Some(store::CallFilter {
        subaccount: filter.sub_account.clone().map(AccountId),
        states: match view {
            CallView::Live => vec![Ringing, InProgress],
            CallView::Queued => vec![Queued],
            CallView::Record => vec![Completed, Busy, Failed, NoAnswer, Canceled],
        },
        direction: filter.direction.map(|direction| match direction {
            Direction::Inbound => mixminus_control::Direction::Inbound,
            Direction::Outbound => mixminus_control::Direction::Outbound,
        }),
        from: filter.from_number.clone(),
        to: filter.to_numbers.clone(),
        parent,
        causes,
        source,
        seconds: store::SecondsRange { gt: seconds.gt, gte: seconds.gte, lt: seconds.lt, lte: seconds.lte },
        created: time_range(filter.initiation_time),
        answered: time_range(filter.answer_time),
        ended: time_range(filter.end_time),
    })
}

pub(super) fn time_range(range: TimeRange) -> store::TimeRange {
    let instant = |at: Timestamp| mixminus_control::Timestamp::from_micros(at.as_micros());
    store::TimeRange {
        gt: range.gt.map(instant),
        gte: range.gte.map(instant),
        lt: range.lt.map(instant),
        lte: range.lte.map(instant),
    }
}

#[cfg(test)]
mod tests {
    use mixminus_control::{ConferenceState, ExitCause};
    use mixminus_plivo::rest::{Arguments, MpcObject, MpcPath, ParticipantObject};
    use serde_json::{json, to_value};

    use super::super::samples;
    use super::*;

    fn filter(query: &str) -> Option<store::ConferenceFilter> {
        conference_filter(&MpcFilter::parse(&Arguments::from_form(query.as_bytes())).unwrap())
    }

    fn path(mpc: &str) -> MpcPath {
        MpcPath { account: "MA1".into(), mpc: MpcSegment::parse(mpc).unwrap() }
    }

    #[test]
    fn an_ended_conference_keeps_what_it_was() {
        let ended = ConferenceRecord {
            account: AccountId("SAXXXXXXXXXXXXXXXXXX".into()),
            state: ConferenceState::Ended,
            ended_at: Some(samples::second(11)),
            end_cause: Some(EndCause::ApiRequest),
            billed_seconds: Some(120),
            ..samples::conference()
        };
        let object = to_value(MpcObject::new(&mpc(&ended), &path("name_room"))).unwrap();
        for (key, value) in [
            ("billed_amount", json!("0.01000")),
            ("creation_time", json!("2026-01-02 10:48:43+00:00")),
            ("start_time", json!("2026-01-02 10:48:44+00:00")),
            ("duration", json!(11)),
            ("friendly_name", json!("my room")),
            ("mpc_uuid", json!("00000000-0000-0000-0000-000000000001")),
            ("resource_uri", json!("/v1/Account/MA1/MultiPartyCall/name_room/")),
            ("status", json!("Ended")),
            ("stay_alone", json!(true)),
            ("sub_account", json!("SAXXXXXXXXXXXXXXXXXX")),
            ("termination_cause_code", json!(3000)),
        ] {
            assert_eq!(object[key], value, "{key}");
        }
        assert_eq!(mpc(&samples::conference()).sub_account, None);
    }

    #[test]
    fn a_participant_is_a_member_inside_and_after() {
        let inside = participant(&samples::participant());
        let object = to_value(ParticipantObject::new(&inside, &path("uuid_1"))).unwrap();
        for (key, value) in [
            ("call_uuid", json!("00000000-0000-0000-0000-000000000002")),
            ("coach_mode", json!(true)),
            ("mute", json!(false)),
            ("hold", json!(true)),
            ("start_mpc_on_enter", json!(true)),
            ("end_mpc_on_exit", json!(false)),
            ("member_id", json!("355")),
            ("mpc_uuid", json!("00000000-0000-0000-0000-000000000001")),
            ("role", json!("supervisor")),
        ] {
            assert_eq!(object[key], value, "{key}");
        }
        let left = participant(&ParticipantRecord {
            left_at: Some(samples::second(62)),
            exit_cause: Some(ExitCause::ConferenceEnded),
            ..samples::participant()
        });
        let object = to_value(ParticipantObject::new(&left, &path("uuid_1"))).unwrap();
        assert_eq!(object["exit_cause"], "Multiparty Call Ended");
        assert_eq!((&object["hold"], &object["duration"]), (&json!(null), &json!(61)));
    }

    #[test]
    fn a_segment_selects_by_id_or_by_name() {
        let by_id = selector(&path("uuid_00000000-0000-0000-0000-000000000001").mpc);
        assert_eq!(by_id, Some(Selector::Id(samples::conference().id)));
        assert_eq!(selector(&path("name_a").mpc), Some(Selector::Name("a".into())));
        assert_eq!(selector(&path("uuid_x").mpc), None);
    }

    #[test]
    fn members_and_changes_keep_their_meaning() {
        assert_eq!(members(&MemberSelector::All), Members::All);
        let listed = Members::Listed(vec![ParticipantId(3), ParticipantId(1)]);
        assert_eq!(members(&MemberSelector::Ids(vec![3, 1])), listed);
        let update = ParticipantUpdate {
            mute: Some(true),
            hold: None,
            coach_mode: Some(false),
            ..ParticipantUpdate::default()
        };
        let expected = ParticipantChange { mute: Some(true), hold: None, coach: Some(false) };
        assert_eq!(change(update), expected);
    }

    #[test]
    fn a_list_filter_becomes_a_store_filter() {
        let expected = store::ConferenceFilter {
            subaccount: Some(AccountId("SAXXXXXXXXXXXXXXXXXX".into())),
            name: Some("room".into()),
            state: Some(ConferenceState::Ended),
            end_cause: Some(EndCause::AloneNotPermitted),
            created: store::TimeRange { gte: Some(samples::second(0)), ..Default::default() },
            ended: store::TimeRange { lt: Some(samples::second(2)), ..Default::default() },
        };
        let query = "sub_account=SAXXXXXXXXXXXXXXXXXX&friendly_name=room&status=ended&termination_cause_code=1010\
                     &creation_time__gte=2026-01-02+10:48:43&end_time__lt=2026-01-02+10:48:45";
        assert_eq!(filter(query), Some(expected));
        assert_eq!(filter(""), Some(store::ConferenceFilter::default()));
        assert_eq!(filter("termination_cause_code=1"), None);
    }

    #[test]
    fn by_name_only_those_inside_are_listed() {
        let list = |query: &str, mpc| {
            let filter = ParticipantFilter::parse(&Arguments::from_form(query.as_bytes())).unwrap();
            participant_filter(&filter, &path(mpc).mpc)
        };
        let all = store::ParticipantFilter { call: None, live_only: false };
        assert_eq!(list("", "uuid_1"), Some(all));
        let call = Some(samples::call().id);
        assert_eq!(
            list("call_uuid=00000000-0000-0000-0000-000000000002", "room"),
            Some(store::ParticipantFilter { call, live_only: true })
        );
        assert_eq!(list("call_uuid=x", "room"), None);
    }
}
