//! Date.

use std::fmt;
use std::time::SystemTime;

use crate::grammar::{Parsed, cut, expected, single};
use crate::{HeaderName, ParseError, TypedHeader};

/// When a message was first sent, as text (RFC 3261 section 20.17).
///
/// ```text
/// rfc1123-date = wkday "," SP date1 SP time SP "GMT"
/// ```
///
/// The shape is checked when it is read, the calendar by [`to_system_time`](Self::to_system_time).
/// SIP allows GMT only.
///
/// ```
/// use sip_oauth_message::{header::Date, TypedHeader};
/// use std::time::{Duration, UNIX_EPOCH};
/// let date = Date::parse("Sat, 13 Nov 2010 23:29:00 GMT")?;
/// assert_eq!(date.to_system_time(), Some(UNIX_EPOCH + Duration::from_secs(1_289_690_940)));
/// assert_eq!(Date::parse("Sat, 31 Feb 2010 23:29:00 GMT")?.to_system_time(), None);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Date<'a>(&'a str);

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl<'a> Date<'a> {
    /// As written, 29 characters such as `Mon, 30 Mar 2020 11:03:19 GMT`.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// The moment, in whole seconds, whatever weekday is written before it; `None` for a day or time that the
    /// calendar does not have.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let part = |from: usize, to: usize| self.0.get(from..to);
        let is_month = |known: &&&str| part(8, 11).is_some_and(|m| known.eq_ignore_ascii_case(m));
        let month = MONTHS.iter().find(is_month)?;
        // The day of the week adds nothing to the date, and is not looked at.
        let (day, time) = (part(5, 7)?, part(12, 25)?);
        WEEKDAYS.iter().find_map(|weekday| {
            httpdate::parse_http_date(&format!("{weekday}, {day} {month} {time} GMT")).ok()
        })
    }
}

impl<'a> TypedHeader<'a> for Date<'a> {
    const NAME: HeaderName<'static> = HeaderName::Date;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, date)
    }
}

fn date(input: &str) -> Parsed<'_, Date<'_>> {
    const SHAPE: &[u8] = b"www, 00 mmm 0000 00:00:00 GMT";
    let (text, rest) = cut(input, SHAPE.len());
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'w' | b'm' => byte.is_ascii_alphabetic(),
        literal => byte == *literal,
    };
    let has_shape = text.len() == SHAPE.len() && text.bytes().zip(SHAPE).all(fits);
    let is_known = |names: &[&str], from: usize| {
        let name = text.get(from..from + 3).unwrap_or_default();
        names.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    if has_shape && is_known(&WEEKDAYS, 0) && is_known(&MONTHS, 8) {
        Ok((rest, Date(text)))
    } else {
        expected(input, "a date such as 'Sat, 01 Jan 2000 00:00:00 GMT'")
    }
}

impl fmt::Display for Date<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
