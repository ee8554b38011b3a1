//! `<say-as>` in English, as words that every engine says alike.

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The name of each unit, of one and of several.
const UNITS: [(&str, &str, &str); 14] = [
    ("in", "inch", "inches"),
    ("ft", "foot", "feet"),
    ("mi", "mile", "miles"),
    ("mph", "mile per hour", "miles per hour"),
    ("mm", "millimeter", "millimeters"),
    ("cm", "centimeter", "centimeters"),
    ("m", "meter", "meters"),
    ("km", "kilometer", "kilometers"),
    ("oz", "ounce", "ounces"),
    ("lb", "pound", "pounds"),
    ("g", "gram", "grams"),
    ("kg", "kilogram", "kilograms"),
    ("s", "second", "seconds"),
    ("min", "minute", "minutes"),
];

/// The sign and the code of each currency, and the names of one and of several, and of a hundredth and several.
const CURRENCIES: [(char, &str, [&str; 4]); 3] = [
    ('$', "USD", ["dollar", "dollars", "cent", "cents"]),
    ('€', "EUR", ["euro", "euros", "cent", "cents"]),
    ('£', "GBP", ["pound", "pounds", "penny", "pence"]),
];

/// How `text` is said as a `kind`, of the given `format`; none, if that says nothing of it.
pub(super) fn say(kind: &str, format: Option<&str>, text: &str) -> Option<String> {
    match kind {
        "cardinal" | "number" => cardinal(text),
        "ordinal" => ordinal(cardinal(text)?.parse().ok()?).into(),
        "fraction" => fraction(text),
        "unit" => unit(text),
        "date" => date(text, format),
        "time" => time(text),
        "currency" => currency(text),
        "expletive" | "bleep" => Some("beep".to_owned()),
        _ => None,
    }
}

/// Digits without what groups them.
fn cardinal(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|one| !matches!(one, ',' | ' ')).collect();
    let number = digits.strip_prefix('-').unwrap_or(&digits);
    (!number.is_empty() && number.bytes().all(|one| one.is_ascii_digit())).then_some(digits)
}

fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tail) if tail != 11 => "st",
        (2, tail) if tail != 12 => "nd",
        (3, tail) if tail != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// `2/9`, or `1+1/2`.
fn fraction(text: &str) -> Option<String> {
    if let Some((whole, part)) = text.split_once('+') {
        return Some(format!("{} and {}", cardinal(whole)?, fraction(part)?));
    }
    let (share, of) = text.split_once('/')?;
    match (cardinal(share)?.as_str(), cardinal(of)?.as_str()) {
        ("1", "2") => Some("one half".to_owned()),
        (share, of) => Some(format!("{share} over {of}")),
    }
}

fn unit(text: &str) -> Option<String> {
    let end = text.find(|one: char| one.is_ascii_alphabetic())?;
    let (number, symbol) = (text[..end].trim(), &text[end..]);
    let (_, one, several) = UNITS.iter().find(|(known, ..)| *known == symbol)?;
    let name = if number == "1" { one } else { several };
    number.parse::<f64>().is_ok().then(|| format!("{number} {name}"))
}

/// A date whose parts are in the order of `format`: `mdy`, `dmy`, `ymd`, `md`, `dm`, `ym`, `my`, or one alone.
fn date(text: &str, format: Option<&str>) -> Option<String> {
    let packed = text.len() == 8 && text.bytes().all(|one| one.is_ascii_digit());
    let parts: Vec<&str> = match (packed, format) {
        (true, None | Some("yyyymmdd")) => vec![&text[..4], &text[4..6], &text[6..]],
        _ => text.split(['/', '-', '.', ' ']).filter(|part| !part.is_empty()).collect(),
    };
    let first_is_year = parts.first()?.len() == 4;
    let order = match format {
        Some("yyyymmdd") => "ymd",
        Some(format) => format,
        None if first_is_year => "ymd",
        None => "mdy",
    };
    if order.len() != parts.len() {
        return None;
    }
    let part = |wanted| order.find(wanted).map(|at| parts[at].parse::<usize>());
    let month = part('m').transpose().ok()?.map(|month| MONTHS.get(month.checked_sub(1)?).copied());
    let day = part('d').transpose().ok()?.filter(|day| (1..=31).contains(day));
    let year = part('y').transpose().ok()?;
    let day = day.map(|day| ordinal(day as u64));
    let (month, year) =
        (month.map(|month| month.ok_or(())).transpose().ok()?, year.map(|year| year.to_string()));
    let said: Vec<_> = [month.map(str::to_owned), day, year].into_iter().flatten().collect();
    (said.len() == parts.len()).then(|| said.join(" "))
}

/// A time that something takes: `1'21"`.
fn time(text: &str) -> Option<String> {
    let (minutes, rest) = text.split_once('\'')?;
    let named = |number: &str, name| {
        let number = number.trim().parse::<u32>().ok()?;
        Some(format!("{number} {name}{}", if number == 1 { "" } else { "s" }))
    };
    let minutes = named(minutes, "minute")?;
    match rest.trim().strip_suffix('"') {
        Some(seconds) => Some(format!("{minutes} {}", named(seconds, "second")?)),
        None => rest.trim().is_empty().then_some(minutes),
    }
}

/// `$12.50`, `USD 12.50`, `12.50 EUR`.
fn currency(text: &str) -> Option<String> {
    let known = CURRENCIES.iter().find(|(sign, code, _)| text.contains(*sign) || text.contains(code));
    let (sign, code, [one, several, cent, cents]) = known?;
    let amount = text.replace(*sign, "").replace(code, "");
    let (whole, part) = amount.trim().split_once('.').unwrap_or((amount.trim(), "00"));
    let whole = cardinal(whole)?;
    let part: u8 = part.parse().ok().filter(|_| part.len() == 2)?;
    let unit = if whole == "1" { one } else { several };
    Some(match part {
        0 => format!("{whole} {unit}"),
        part => format!("{whole} {unit} and {part} {}", if part == 1 { cent } else { cents }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_times_units_and_money_are_said_as_what_they_are() {
        for (kind, format, text, said) in [
            ("cardinal", None, "1,234", "1234"),
            ("ordinal", None, "1", "1st"),
            ("ordinal", None, "12", "12th"),
            ("ordinal", None, "23", "23rd"),
            ("fraction", None, "2/9", "2 over 9"),
            ("fraction", None, "1+1/2", "1 and one half"),
            ("unit", None, "5ft", "5 feet"),
            ("unit", None, "1 km", "1 kilometer"),
            ("date", Some("mdy"), "2/1/2026", "February 1st 2026"),
            ("date", Some("dmy"), "1.2.2026", "February 1st 2026"),
            ("date", None, "2026-02-01", "February 1st 2026"),
            ("date", None, "20260201", "February 1st 2026"),
            ("date", Some("md"), "12/24", "December 24th"),
            ("date", Some("y"), "2026", "2026"),
            ("time", None, "1'21\"", "1 minute 21 seconds"),
            ("time", None, "2'", "2 minutes"),
            ("currency", None, "$12.50", "12 dollars and 50 cents"),
            ("currency", None, "1 EUR", "1 euro"),
            ("currency", None, "GBP 1,000.01", "1000 pounds and 1 penny"),
            ("expletive", None, "darn", "beep"),
        ] {
            assert_eq!(say(kind, format, text).as_deref(), Some(said), "{kind} {format:?} {text}");
        }
    }

    #[test]
    fn what_is_none_is_left_as_it_is() {
        for (kind, format, text) in [
            ("cardinal", None, "many"),
            ("ordinal", None, "-3"),
            ("fraction", None, "2"),
            ("unit", None, "5 parsecs"),
            ("date", None, "13/1/2026"),
            ("date", Some("mdy"), "2/2026"),
            ("date", Some("xyz"), "1/2/3"),
            ("date", None, ""),
            ("time", None, "12:30"),
            ("currency", None, "12.5 USD"),
            ("currency", None, "12"),
            ("address", None, "1 Main St"),
        ] {
            assert_eq!(say(kind, format, text), None, "{kind} {format:?} {text}");
        }
    }
}
