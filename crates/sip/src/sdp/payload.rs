//! What the payload types of a stream stand for.

use std::fmt;
use std::ops::RangeInclusive;

use mixminus_codec::Format;

use super::description::Media;

/// Payload types that only an `a=rtpmap:` gives a meaning (RFC 3551, section 6), first those that we hand
/// out. The numbers between them would be taken for RTCP where both share a port (RFC 5761, section 4).
const DYNAMIC: [RangeInclusive<u8>; 2] = [96..=127, 35..=63];
/// What we offer for digits at the clock of telephones; most of them do, too.
const DIGIT_PAYLOAD_TYPE: u8 = 101;
/// The clock of telephones, which digits may have beside any audio.
const TELEPHONE_CLOCK_HZ: u32 = 8_000;

/// What one payload type is: the right side of an `a=rtpmap:` line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coding<'a> {
    name: &'a str,
    pub clock_rate_hz: u32,
    channels: u8,
}

impl<'a> Coding<'a> {
    /// Reads `name/clock rate`, maybe with `/channels`.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('/');
        let (name, clock_rate_hz) = (parts.next()?, parts.next()?.parse().ok()?);
        let channels = parts.next().map_or(Some(1), |channels| channels.parse().ok())?;
        Some(Self { name, clock_rate_hz, channels })
    }

    pub(super) const fn of(format: Format) -> Self {
        let channels = match format {
            // Always two, mono or not (RFC 7587, section 7).
            Format::Opus(_) => 2,
            _ => 1,
        };
        Self { name: format.encoding_name(), clock_rate_hz: format.clock_rate().hz(), channels }
    }

    const fn mono(name: &'a str, clock_rate_hz: u32) -> Self {
        Self { name, clock_rate_hz, channels: 1 }
    }

    /// What RFC 3551 says `number` is, as far as we speak it.
    const fn assigned(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::of(Format::Pcmu)),
            8 => Some(Self::of(Format::Pcma)),
            9 => Some(Self::of(Format::G722)),
            13 => Some(Self::mono("CN", 8_000)),
            _ => None,
        }
    }

    pub(super) fn is(&self, other: &Coding) -> bool {
        let same_name = self.name.eq_ignore_ascii_case(other.name);
        same_name && (self.clock_rate_hz, self.channels) == (other.clock_rate_hz, other.channels)
    }
}

impl fmt::Display for Coding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.clock_rate_hz)?;
        if self.channels > 1 { write!(f, "/{}", self.channels) } else { Ok(()) }
    }
}

/// One payload type that a description of ours lists.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub number: u8,
    pub coding: Coding<'static>,
    /// Its `a=fmtp:`.
    pub parameters: Option<String>,
}

impl Payload {
    pub(super) fn digits(number: u8, clock_rate_hz: u32) -> Self {
        let coding = Coding::mono("telephone-event", clock_rate_hz);
        Self { number, coding, parameters: Some("0-15".to_owned()) }
    }

    pub(super) const fn comfort_noise(number: u8, clock_rate_hz: u32) -> Self {
        Self { number, coding: Coding::mono("CN", clock_rate_hz), parameters: None }
    }
}

/// The payload types under which we offer `formats` and, for each clock among them, digits.
pub(super) fn offered(formats: &[Format]) -> (Vec<(u8, Format)>, Vec<Payload>) {
    let mut free = DYNAMIC.into_iter().flatten().filter(|number| *number != DIGIT_PAYLOAD_TYPE);
    let mut number = |fixed: Option<u8>| fixed.or_else(|| free.next());
    let audio: Vec<_> =
        formats.iter().filter_map(|format| Some((number(format.static_payload_type())?, *format))).collect();
    let mut clocks: Vec<u32> = audio.iter().map(|(_, format)| format.clock_rate().hz()).collect();
    clocks.push(TELEPHONE_CLOCK_HZ);
    clocks.sort_unstable();
    clocks.dedup();
    let digits = clocks.into_iter().filter_map(|clock_hz| {
        let number = number((clock_hz == TELEPHONE_CLOCK_HZ).then_some(DIGIT_PAYLOAD_TYPE))?;
        Some(Payload::digits(number, clock_hz))
    });
    let digits = digits.collect();
    (audio, digits)
}

impl Media<'_> {
    /// The payload types that can be used, in the order of the description.
    pub(super) fn payloads(&self) -> impl Iterator<Item = (u8, Coding<'_>)> {
        self.formats.iter().filter_map(|payload_type| {
            let number = payload_type.parse().ok()?;
            let mapped = self.mappings.iter().find(|(mapped, _)| mapped == payload_type);
            let assigned = Coding::assigned(number);
            let coding = mapped.map(|(_, coding)| *coding).or(assigned)?;
            let dynamic = DYNAMIC.iter().any(|range| range.contains(&number));
            (dynamic || assigned.is_some_and(|assigned| assigned.is(&coding))).then_some((number, coding))
        })
    }

    /// The first of the stream's formats that is one of `ours`, and its payload type.
    pub(super) fn first_of(&self, ours: &[Format]) -> Option<(u8, Format)> {
        self.payloads().find_map(|(number, coding)| {
            ours.iter().find(|format| Coding::of(**format).is(&coding)).map(|format| (number, *format))
        })
    }

    /// Digits beside `format`: at its clock, else at that of telephones.
    pub(super) fn digits(&self, format: Format) -> Option<Payload> {
        [format.clock_rate().hz(), TELEPHONE_CLOCK_HZ].into_iter().find_map(|clock_hz| {
            let number = self.number_of(&Coding::mono("telephone-event", clock_hz))?;
            Some(Payload::digits(number, clock_hz))
        })
    }

    /// Comfort noise beside `format`; Opus has its own.
    pub(super) fn comfort_noise(&self, format: Format) -> Option<Payload> {
        let clock_hz = format.clock_rate().hz();
        match format {
            Format::Opus(_) => None,
            _ => Some(Payload::comfort_noise(self.number_of(&Coding::mono("CN", clock_hz))?, clock_hz)),
        }
    }

    /// What `a=fmtp:` says of a payload type.
    pub(super) fn parameters_of(&self, number: u8) -> &str {
        let mut of_number = self.parameters.iter().filter(|(said, _)| said.parse() == Ok(number));
        of_number.next().map_or("", |(_, parameters)| parameters)
    }

    fn number_of(&self, wanted: &Coding) -> Option<u8> {
        self.payloads().find(|(_, coding)| coding.is(wanted)).map(|(number, _)| number)
    }
}
