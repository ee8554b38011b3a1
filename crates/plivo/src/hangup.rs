//! Why a call ended, by Plivo's codes.

use crate::HangupSource;

/// A hang-up cause: `HangupCauseCode` and `HangupCauseName`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HangupCause {
    /// The code.
    pub code: u16,
    /// The name.
    pub name: &'static str,
}

macro_rules! causes {
    ($($constant:ident = $code:literal $name:literal)*) => {
        impl HangupCause {
            $(
                #[doc = $name]
                pub const $constant: Self = Self { code: $code, name: $name };
            )*
            /// Every cause there is, by rising code.
            pub const ALL: &[Self] = &[$(Self::$constant),*];
        }
    };
}

causes! {
    UNKNOWN = 0 "Unknown"
    CANCELED = 1000 "Canceled"
    OUT_OF_CREDITS = 1010 "Canceled (Out Of Credits)"
    DIAL_LIMIT = 1020 "Canceled (Simultaneous dial limit reached)"
    INVALID_DESTINATION = 2000 "Invalid Destination Address"
    OUT_OF_SERVICE = 2010 "Destination Out Of Service"
    NOT_REGISTERED = 2020 "Endpoint Not Registered"
    COUNTRY_BARRED = 2030 "Destination Country Barred"
    NUMBER_BARRED = 2040 "Destination Number Barred"
    PREFIX_BARRED = 2050 "Destination Prefix Barred"
    LOOP = 2060 "Loop Detected"
    MEDIA_ANCHORING = 2070 "Violates Media Anchoring"
    NO_ANSWER = 3000 "No Answer"
    BUSY = 3010 "Busy Line"
    REJECTED = 3020 "Rejected"
    UNKNOWN_CALLER_ID = 3030 "Unknown Caller ID"
    FORBIDDEN = 3040 "Forbidden"
    UNALLOCATED = 3050 "Unallocated number"
    REQUEST_TIMEOUT = 3070 "Request timeout"
    CARRIER_ERROR = 3080 "Internal server error from carrier"
    CARRIER_CONGESTION = 3090 "Network congestion from carrier"
    BUSY_EVERYWHERE = 3100 "Busy everywhere"
    DECLINED = 3110 "Declined"
    NO_SUCH_USER = 3120 "User does not exist anywhere"
    SPAM = 3130 "Spam block"
    DNO_CALLER_ID = 3140 "DNO Caller ID"
    NORMAL = 4000 "Normal Hangup"
    END_OF_XML = 4010 "End Of XML Instructions"
    MPC_ENDED = 4020 "Multiparty Call Ended"
    MPC_KICKED = 4030 "Kicked Out Of Multiparty Call"
    SIP_AUTH_FAILED = 4240 "sip_auth_failed"
    SIP_AUTH_TIMEOUT = 4250 "sip_auth_timeout"
    NETWORK_ERROR = 5000 "Network Error"
    INTERNAL_ERROR = 5010 "Internal Error"
    ROUTING_ERROR = 5020 "Routing Error"
    CONCURRENCY_LIMIT = 5030 "Concurrency Limit Breached"
    SCHEDULED = 6000 "Scheduled Hangup"
    RING_TIMEOUT = 6010 "Ring Timeout Reached"
    MEDIA_TIMEOUT = 6020 "Media Timeout"
    ANSWER_UNREACHABLE = 7011 "Error Reaching Answer URL"
    ACTION_UNREACHABLE = 7012 "Error Reaching Action URL"
    TRANSFER_UNREACHABLE = 7013 "Error Reaching Transfer URL"
    REDIRECT_UNREACHABLE = 7014 "Error Reaching Redirect URL"
    ACTION_URL_INVALID = 7022 "Invalid Action URL"
    TRANSFER_URL_INVALID = 7023 "Invalid Transfer URL"
    REDIRECT_URL_INVALID = 7024 "Invalid Redirect URL"
    ACTION_METHOD_INVALID = 7032 "Invalid Method For Action URL"
    TRANSFER_METHOD_INVALID = 7033 "Invalid Method For Transfer URL"
    REDIRECT_METHOD_INVALID = 7034 "Invalid Method For Redirect URL"
    ANSWER_XML_INVALID = 8011 "Invalid Answer XML"
    ACTION_XML_INVALID = 8012 "Invalid Action XML"
    TRANSFER_XML_INVALID = 8013 "Invalid Transfer XML"
    REDIRECT_XML_INVALID = 8014 "Invalid Redirect XML"
    LOST_RACE = 9000 "Lost Race"
    MACHINE = 9100 "Machine Detected"
    CONFIRM_KEY_FAILED = 9110 "Confirm Key Challenge Failed"
}

impl HangupCause {
    /// The cause with `code`.
    pub fn find(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.code == code)
    }

    /// Who ended a call for this cause, where the cause tells: of others, such
    /// as a normal hang-up, the call has to be asked.
    pub const fn source(self) -> Option<HangupSource> {
        Some(match self.code {
            1000 => HangupSource::Caller,
            3000..=3050 | 3100..=3120 => HangupSource::CallRecipient,
            3070..=3090 | 3130 | 3140 => HangupSource::Carrier,
            4010 | 6000 => HangupSource::AnswerXml,
            4020 | 4030 => HangupSource::ApiRequest,
            1010..=2070 | 4240 | 4250 | 5030 | 6010 | 6020 | 9000..=9110 => HangupSource::Plivo,
            5000..=5020 | 7011..=8014 => HangupSource::Error,
            _ => return None,
        })
    }

    /// The older word for it, `HangupCause`.
    pub fn legacy(self) -> &'static str {
        match self {
            Self::NO_ANSWER | Self::RING_TIMEOUT => "NO_ANSWER",
            Self::BUSY | Self::BUSY_EVERYWHERE => "USER_BUSY",
            Self::REJECTED | Self::DECLINED => "CALL_REJECTED",
            Self::UNALLOCATED | Self::NO_SUCH_USER => "UNALLOCATED_NUMBER",
            Self::NETWORK_ERROR | Self::MEDIA_TIMEOUT => "NETWORK_OUT_OF_ORDER",
            _ => "NORMAL_CLEARING",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_named_once() {
        assert!(HangupCause::ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(HangupCause::MPC_ENDED.code, 4020);
        assert_eq!(HangupCause::ALL.len(), 56);
    }

    #[test]
    fn a_cause_is_found_by_its_code() {
        assert_eq!(HangupCause::find(9110), Some(HangupCause::CONFIRM_KEY_FAILED));
        assert_eq!(HangupCause::find(1), None);
    }

    #[test]
    fn a_cause_tells_its_source_where_it_can() {
        for (cause, source) in [
            (HangupCause::MPC_ENDED, Some(HangupSource::ApiRequest)),
            (HangupCause::END_OF_XML, Some(HangupSource::AnswerXml)),
            (HangupCause::LOST_RACE, Some(HangupSource::Plivo)),
            (HangupCause::CARRIER_CONGESTION, Some(HangupSource::Carrier)),
            (HangupCause::ANSWER_XML_INVALID, Some(HangupSource::Error)),
            (HangupCause::NORMAL, None),
            (HangupCause::UNKNOWN, None),
        ] {
            assert_eq!(cause.source(), source, "{}", cause.name);
        }
    }
}
