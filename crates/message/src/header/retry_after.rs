//! Retry-After.

use std::fmt;

use crate::grammar::{Parsed, cut, digits, expected, number, single, skip_lws};
use crate::params::params;
use crate::text::unfold;
use crate::{HeaderName, Params, ParseError, TypedHeader};

/// When to try again (RFC 3261 section 20.33).
///
/// `Retry-After = "Retry-After" HCOLON delta-seconds [ comment ] *( SEMI retry-param )`
///
/// ```
/// use sip_oauth_message::{header::RetryAfter, TypedHeader};
/// let retry = RetryAfter::parse("120 (I'm in a meeting);duration=3600")?;
/// assert_eq!((retry.seconds(), retry.duration()), (120, Some(3600)));
/// assert_eq!(retry.comment(), Some("I'm in a meeting"));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RetryAfter<'a> {
    seconds: u32,
    comment: Option<&'a str>,
    params: Params<'a>,
}

impl<'a> RetryAfter<'a> {
    /// After this many seconds, nothing else.
    pub const fn new(seconds: u32) -> Self {
        Self {
            seconds,
            comment: None,
            params: Params::EMPTY,
        }
    }

    /// After this many seconds.
    pub const fn seconds(&self) -> u32 {
        self.seconds
    }

    /// The comment as written, without its outer parentheses.
    pub const fn comment(&self) -> Option<&'a str> {
        self.comment
    }

    /// For how many seconds it will then be possible.
    pub fn duration(&self) -> Option<u32> {
        digits(self.params.token("duration")?)
    }

    /// The parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

impl<'a> TypedHeader<'a> for RetryAfter<'a> {
    const NAME: HeaderName<'static> = HeaderName::RetryAfter;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, retry_after)
    }
}

/// A comment is the same however it is folded.
impl PartialEq for RetryAfter<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.seconds == other.seconds
            && self.comment.map(unfold) == other.comment.map(unfold)
            && self.params == other.params
    }
}

impl Eq for RetryAfter<'_> {}

fn retry_after(input: &str) -> Parsed<'_, RetryAfter<'_>> {
    let (rest, seconds) = number(input, u32::MAX, "a number of seconds below 2^32")?;
    let (rest, comment) = match skip_lws(rest) {
        open if open.starts_with('(') => {
            let (rest, comment) = comment(open)?;
            (rest, Some(comment))
        }
        _ => (rest, None),
    };
    let (rest, params) = params(rest)?;
    let retry = RetryAfter {
        seconds,
        comment,
        params,
    };
    Ok((rest, retry))
}

/// `comment = LPAREN *(ctext / quoted-pair / comment) RPAREN`; counts instead of recursing.
fn comment(input: &str) -> Parsed<'_, &str> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in input.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let (comment, rest) = cut(input, at);
            return Ok((cut(rest, 1).1, cut(comment, 1).1));
        }
    }
    expected(cut(input, input.len()).1, "')' closing the comment")
}

impl fmt::Display for RetryAfter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        if let Some(comment) = self.comment {
            write!(f, " ({comment})")?;
        }
        self.params.fmt(f)
    }
}
