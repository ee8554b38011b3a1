//! The parameters that tell of a call.

use super::{Parameters, or_empty, parameters};
use crate::{Call, Direction, StirVerification, amount, billed_seconds};

/// The parameters of every request about a call: `event` is `StartApp` for the
/// answer URL, `Ring`, `Hangup` and `Redirect` for the others. `headers` are
/// the call's `X-PH-` headers. A call that ended tells how.
pub fn call_parameters(call: &Call, event: &str, headers: &[(String, String)]) -> Parameters {
    let mut all = parameters([
        ("CallUUID", call.uuid.clone()),
        ("From", call.from.clone()),
        ("To", call.to.clone()),
        ("CallStatus", call.status.name().to_owned()),
        ("Direction", call.direction.name().to_owned()),
        ("Event", event.to_owned()),
        ("ParentAuthID", call.account.clone()),
        ("SessionStart", call.created_at.with_fraction()),
        ("BillRate", amount(60)),
        ("CallerName", or_empty(call.caller_name.as_ref())),
        ("STIRVerification", or_empty(call.stir_verification.map(StirVerification::name))),
    ]);
    if call.direction == Direction::Outbound {
        all.extend(parameters([
            ("ALegUUID", call.parent_uuid.as_ref().unwrap_or(&call.uuid).clone()),
            ("ALegRequestUUID", call.request_uuid().to_owned()),
            ("RequestUUID", call.request_uuid().to_owned()),
        ]));
    }
    if let Some(number) = &call.forwarded_from {
        all.extend(parameters([("ForwardedFrom", number.clone())]));
    }
    all.extend(hangup_parameters(call));
    all.extend(headers.iter().map(|(name, value)| {
        let key = match name.get(..5) {
            Some(prefix) if prefix.eq_ignore_ascii_case("X-PH-") => &name[5..],
            _ => name,
        };
        (format!("X-PH-{key}"), value.clone())
    }));
    all
}

/// What is added once the call ended.
fn hangup_parameters(call: &Call) -> Parameters {
    let (Some((cause, source)), Some(end)) = (call.hangup, call.ended_at) else {
        return Vec::new();
    };
    let answered = call.answered_at.unwrap_or(end);
    let billed = billed_seconds(answered, end);
    parameters([
        ("HangupCause", cause.legacy().to_owned()),
        ("HangupCauseName", cause.name.to_owned()),
        ("HangupCauseCode", cause.code.to_string()),
        ("HangupSource", source.name().to_owned()),
        ("Duration", end.seconds_since(answered).to_string()),
        ("BillDuration", billed.to_string()),
        ("TotalCost", amount(billed)),
    ])
}
