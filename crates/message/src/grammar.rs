//! The basic rules of RFC 3261 section 25.1, as nom parsers that do not leave this crate.

#![allow(
    clippy::inline_always,
    reason = "handing over a large result through memory costs more than many a rule"
)]

use nom::Err;

use crate::scan::{BLOCK, behind_token_blocks, find, first_not_plain};
use crate::text::Text;
use crate::{ErrorKind, HeaderName, ParseError};

/// What a rule expected, and how much input was left when it did not find it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) remaining: usize,
    pub(crate) kind: ErrorKind,
    pub(crate) what: &'static str,
}

impl nom::error::ParseError<&str> for Expected {
    fn from_error_kind(input: &str, _: nom::error::ErrorKind) -> Self {
        Self {
            remaining: input.len(),
            kind: ErrorKind::HeaderValue,
            what: "another value",
        }
    }

    fn append(_: &str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

pub(crate) type Parsed<'a, T> = nom::IResult<&'a str, T, Expected>;

/// The error: `what` was expected where `input` begins.
pub(crate) fn expected<'a, T>(input: &'a str, what: &'static str) -> Parsed<'a, T> {
    Err(Err::Error(Expected {
        remaining: input.len(),
        kind: ErrorKind::HeaderValue,
        what,
    }))
}

/// `whole` from where `part`, which is cut out of it, begins.
pub(crate) fn from_part<'a>(whole: &'a str, part: &str) -> &'a str {
    let at = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    cut(whole, at).1
}

/// As [`expected`], of another kind.
pub(crate) fn expected_kind<'a, T>(
    input: &'a str,
    kind: ErrorKind,
    what: &'static str,
) -> Parsed<'a, T> {
    Err(Err::Error(Expected {
        remaining: input.len(),
        kind,
        what,
    }))
}

/// Turns the error of something that was parsed where `input` begins into one of ours.
pub(crate) fn nested<'a, T>(input: &'a str, error: &ParseError) -> Parsed<'a, T> {
    Err(Err::Error(Expected {
        remaining: input.len().saturating_sub(error.offset()),
        kind: error.kind(),
        what: error.expected(),
    }))
}

/// Turns a parser's error into the crate's, `whole` being what it was given.
#[cold]
pub(crate) fn into_error(error: &Err<Expected>, whole: &str) -> ParseError {
    match error {
        Err::Error(e) | Err::Failure(e) => {
            ParseError::new(e.kind, whole.len().saturating_sub(e.remaining), e.what)
        }
        // No parser here is of nom's streaming kind.
        Err::Incomplete(_) => ParseError::new(ErrorKind::HeaderValue, whole.len(), "more input"),
    }
}

/// What is all of `text`, white space around it aside; `end` is what else could follow.
#[inline(always)]
pub(crate) fn whole<'a, T>(
    text: &'a str,
    kind: ErrorKind,
    end: &'static str,
    parser: impl FnOnce(&'a str) -> Parsed<'a, T>,
) -> Result<T, ParseError> {
    let (rest, parsed) = parser(skip_lws(text)).map_err(|error| into_error(&error, text))?;
    let rest = skip_lws(rest);
    if rest.is_empty() {
        Ok(parsed)
    } else {
        Err(ParseError::new(kind, text.len() - rest.len(), end))
    }
}

/// The whole of a value.
#[inline(always)]
pub(crate) fn single<'a, T>(
    value: &'a str,
    name: HeaderName<'static>,
    parser: impl FnOnce(&'a str) -> Parsed<'a, T>,
) -> Result<(T, &'a str), ParseError> {
    whole(
        value,
        ErrorKind::HeaderValue,
        "the end of the value",
        parser,
    )
    .map(|typed| (typed, ""))
    .map_err(|error| error.in_header(name))
}

/// One element of a comma-separated list, and what follows its comma.
#[inline(always)]
pub(crate) fn element<'a, T>(
    value: &'a str,
    name: HeaderName<'static>,
    parser: impl FnOnce(&'a str) -> Parsed<'a, T>,
) -> Result<(T, &'a str), ParseError> {
    let (rest, typed) =
        parser(skip_lws(value)).map_err(|error| into_error(&error, value).in_header(name))?;
    let rest = skip_lws(rest);
    let fail = |rest: &str, what| {
        let offset = value.len() - rest.len();
        Err(ParseError::new(ErrorKind::HeaderValue, offset, what).in_header(name))
    };
    match rest.strip_prefix(',').map(skip_lws) {
        Some("") => fail("", "another value after the comma"),
        Some(next) => Ok((typed, next)),
        None if rest.is_empty() => Ok((typed, rest)),
        None => fail(rest, "a comma or the end of the value"),
    }
}

/// `token` of RFC 3261 section 25.1.
pub(crate) const TOKEN: u8 = 1;
/// `word`, of which Call-IDs are made.
pub(crate) const WORD: u8 = 1 << 1;
/// `user` of a SIP URI, without the percent sign.
pub(crate) const USER: u8 = 1 << 2;
/// `paramchar` of a SIP URI, without the percent sign.
pub(crate) const URI_PARAM: u8 = 1 << 3;
/// Characters of header names and values in a SIP URI, without the percent sign.
pub(crate) const URI_HEADER: u8 = 1 << 4;
/// Characters of a host name or IPv4 address. The underscore is not in the grammar; names of
/// Unified CM nodes may have it.
pub(crate) const HOST: u8 = 1 << 5;
/// What unquoted parameter values are made of where they are addresses: `token / host`.
pub(crate) const VALUE: u8 = 1 << 6;
/// `token68` of RFC 9110 section 11.2 without the padding.
pub(crate) const TOKEN68: u8 = 1 << 7;

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static CLASSES: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut byte = 0_u8;
    loop {
        let mut class = 0;
        if byte.is_ascii_alphanumeric() {
            class |= TOKEN | WORD | USER | URI_PARAM | URI_HEADER | HOST | VALUE | TOKEN68;
        }
        if matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        ) {
            class |= TOKEN | WORD | VALUE;
        }
        if matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'{'
                | b'}'
        ) {
            class |= WORD;
        }
        if matches!(
            byte,
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')'
        ) {
            class |= USER | URI_PARAM | URI_HEADER;
        }
        if matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/') {
            class |= USER;
        }
        if matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$') {
            class |= URI_PARAM;
        }
        if matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$') {
            class |= URI_HEADER;
        }
        if matches!(byte, b'-' | b'.' | b'_') {
            class |= HOST;
        }
        if matches!(byte, b'[' | b']' | b':') {
            class |= VALUE;
        }
        if matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/') {
            class |= TOKEN68;
        }
        table[byte as usize] = class;
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    table
};

/// Whether `byte` is in one of `classes`.
#[inline]
pub(crate) fn is_class(byte: u8, classes: u8) -> bool {
    CLASSES
        .get(usize::from(byte))
        .is_some_and(|class| class & classes != 0)
}

/// How many bytes at the front are in one of `classes`. All of them are ASCII.
#[inline]
pub(crate) fn span(bytes: &[u8], classes: u8) -> usize {
    behind(bytes, 0, classes)
}

/// Splits at a byte position that is known to lie between ASCII characters.
#[inline]
pub(crate) fn cut(input: &str, at: usize) -> (&str, &str) {
    input.split_at_checked(at).unwrap_or((input, ""))
}

/// Whether `byte` may stand in a token, for what the compiler works out.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    #[allow(clippy::indexing_slicing, reason = "there is one for each byte")]
    let class = CLASSES[byte as usize];
    class & TOKEN != 0
}

#[inline]
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && span(text.as_bytes(), TOKEN) == text.len()
}

/// Whether both are the same but for the case of letters; most names are written as we expect.
#[inline]
pub(crate) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    let first = |name: &[u8]| name.first().map(|byte| byte | 0x20);
    first(one) == first(other) && (one == other || one.eq_ignore_ascii_case(other))
}

/// One or more characters of a class.
#[inline]
pub(crate) fn take<'a>(input: &'a str, classes: u8, what: &'static str) -> Parsed<'a, &'a str> {
    match span(input.as_bytes(), classes) {
        0 => expected(input, what),
        length => {
            let (taken, rest) = cut(input, length);
            Ok((rest, taken))
        }
    }
}

/// `token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" )`
#[inline]
pub(crate) fn token(input: &str) -> Parsed<'_, &str> {
    take(input, TOKEN, "a token")
}

/// The character `c` and white space around it, as `SEMI`, `EQUAL` and their like.
#[inline]
pub(crate) fn separator<'a>(input: &'a str, c: char, what: &'static str) -> Parsed<'a, ()> {
    match skip_lws(input).strip_prefix(c) {
        Some(rest) => Ok((skip_lws(rest), ())),
        None => expected(input, what),
    }
}

/// What follows linear white space: `LWS = [*WSP CRLF] 1*WSP`.
#[inline]
pub(crate) fn skip_lws(input: &str) -> &str {
    match behind_lws(input.as_bytes(), 0) {
        0 => input,
        length => cut(input, length).1,
    }
}

/// How many bytes of linear white space are at the front.
pub(crate) fn lws_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    loop {
        match bytes.get(length) {
            Some(b' ' | b'\t') => length += 1,
            Some(b'\r') => match bytes.get(length + 1..) {
                Some([b'\n', b' ' | b'\t', ..]) => length += 3,
                _ => return length,
            },
            _ => return length,
        }
    }
}

/// Where linear white space at `at` ends: mostly there is none, or one space.
#[inline]
pub(crate) fn behind_lws(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b' ') if bytes.get(at + 1).is_some_and(|next| *next > b' ') => at + 1,
        Some(b' ' | b'\t' | b'\r') => behind_much_lws(bytes, at),
        _ => at,
    }
}

#[inline(never)]
fn behind_much_lws(bytes: &[u8], at: usize) -> usize {
    at + lws_length(bytes.get(at..).unwrap_or_default())
}

/// Where a separator at `at`, with linear white space around it, ends; nothing where there is none.
#[inline]
pub(crate) fn behind_separator(bytes: &[u8], at: usize, separator: u8) -> Option<usize> {
    match bytes.get(at..)? {
        [first, next, ..] if *first == separator && *next > b' ' => Some(at + 1),
        [first, b' ', next, ..] if *first == separator && *next > b' ' => Some(at + 2),
        [first, ..] if *first == separator || matches!(first, b' ' | b'\t' | b'\r') => {
            behind_separator_in_lws(bytes, at, separator)
        }
        _ => None,
    }
}

#[inline(never)]
fn behind_separator_in_lws(bytes: &[u8], at: usize, separator: u8) -> Option<usize> {
    let at = behind_lws(bytes, at);
    (bytes.get(at) == Some(&separator)).then(|| behind_lws(bytes, at + 1))
}

/// Where what is in one of `classes` at `from` ends.
#[inline]
pub(crate) fn behind(bytes: &[u8], from: usize, classes: u8) -> usize {
    let Some(ahead) = bytes.get(from..) else {
        return from;
    };
    // Whether the bytes are at their end is asked once for four of them.
    let (groups, rest) = ahead.as_chunks::<4>();
    let mut at = from;
    for group in groups {
        for (before, &byte) in group.iter().enumerate() {
            if !is_class(byte, classes) {
                return at + before;
            }
        }
        at += group.len();
    }
    let in_rest = rest.iter().take_while(|byte| is_class(**byte, classes));
    at + in_rest.count()
}

/// Where a name that is mostly shorter than its first few bytes and what follows it ends.
#[inline(always)]
pub(crate) fn behind_name(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    if let Some(front) = bytes.get(from..).and_then(<[u8]>::first_chunk::<12>) {
        for (length, &byte) in front.iter().enumerate() {
            if !is_class(byte, TOKEN) {
                return from + length;
            }
        }
        at += front.len();
    }
    behind_long_name(bytes, at)
}

#[inline(never)]
fn behind_long_name(bytes: &[u8], from: usize) -> usize {
    behind(bytes, from, TOKEN)
}

/// As [`behind`], for what is often longer than a few bytes: letters, digits, `-` and `.`, which are
/// in all classes, are passed over several at a time.
#[inline(always)]
pub(crate) fn behind_long(bytes: &[u8], from: usize, classes: u8) -> usize {
    let Some(block) = bytes.get(from..).and_then(<[u8]>::first_chunk) else {
        return behind(bytes, from, classes);
    };
    match first_not_plain(block) {
        None => behind_longer(bytes, from + BLOCK, classes),
        Some(plain)
            if block
                .get(plain)
                .is_some_and(|&byte| is_class(byte, classes)) =>
        {
            behind_longer(bytes, from + plain + 1, classes)
        }
        Some(plain) => from + plain,
    }
}

#[inline(never)]
fn behind_longer(bytes: &[u8], from: usize, classes: u8) -> usize {
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let Some(plain) = first_not_plain(block) else {
            at += BLOCK;
            continue;
        };
        at += plain;
        if !block
            .get(plain)
            .is_some_and(|&byte| is_class(byte, classes))
        {
            return at;
        }
        at += 1;
    }
    behind(bytes, at, classes)
}

/// Where the characters of a `token68` at the front end, without the padding. As [`span`], which
/// is slow for two kilobytes.
pub(crate) fn token68_span(bytes: &[u8]) -> usize {
    behind(bytes, behind_token_blocks(bytes), TOKEN68)
}

/// The text without linear white space at its end.
#[inline]
pub(crate) fn trim_end(text: &str) -> &str {
    let mut bytes = text.as_bytes();
    while let [before @ .., b' ' | b'\t' | b'\r' | b'\n'] = bytes {
        bytes = before;
    }
    cut(text, bytes.len()).0
}

/// `quoted-string = DQUOTE *(qdtext / quoted-pair ) DQUOTE`
pub(crate) fn quoted_string(input: &str) -> Parsed<'_, Text<'_>> {
    if !input.starts_with('"') {
        return expected(input, "a quoted string");
    }
    let end = behind_quoted(input, 0)?;
    let text = input.get(1..end - 1).unwrap_or_default();
    Ok((cut(input, end).1, Text::Quoted(text)))
}

/// Where the quoted string ends whose opening quote is at `at`.
#[inline(always)]
pub(crate) fn behind_quoted(input: &str, at: usize) -> Result<usize, Err<Expected>> {
    quoted_end(input.as_bytes(), at).map_err(|wrong| {
        if wrong < input.len() {
            not_found(input, wrong, "a quoted pair")
        } else {
            not_found(input, at, "a quoted string that is closed")
        }
    })
}

/// As [`behind_quoted`]; the error is where a quoted pair is wrong, or the end. Small enough to be
/// handed over in registers.
#[inline(always)]
fn quoted_end(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let mut end = at + 1;
    loop {
        end = find(bytes, end, [b'"', b'\\']);
        match bytes.get(end) {
            Some(b'"') => return Ok(end + 1),
            // A quoted-pair never hides a line end.
            Some(_) => match bytes.get(end + 1) {
                Some(b'\r' | b'\n' | 0x80..) | None => return Err(end),
                Some(_) => end += 2,
            },
            None => return Err(end),
        }
    }
}

/// The error: `what` was expected at byte `at` of `input`.
#[cold]
pub(crate) fn not_found(input: &str, at: usize, what: &'static str) -> Err<Expected> {
    Err::Error(Expected {
        remaining: input.len().saturating_sub(at),
        kind: ErrorKind::HeaderValue,
        what,
    })
}

/// `1*DIGIT` that is all of `text`, if it fits; `str::parse` would take a sign as well.
#[inline]
pub(crate) fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let all_digits = text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// The number that all of `text` is, if it is one to nine digits.
#[inline]
pub(crate) fn few_digits(text: &str) -> Option<u32> {
    if !matches!(text.len(), 1..=9) {
        return None;
    }
    let mut number = 0;
    for byte in text.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u32::from(byte - b'0');
    }
    Some(number)
}

/// A decimal number up to `max`.
#[inline]
pub(crate) fn number<'a>(input: &'a str, max: u32, what: &'static str) -> Parsed<'a, u32> {
    let bytes = input.as_bytes();
    let mut value = 0_u32;
    let mut length = 0;
    while let Some(digit @ b'0'..=b'9') = bytes.get(length) {
        let next = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(u32::from(digit - b'0')));
        match next {
            Some(next) if next <= max => value = next,
            _ => return expected_kind(input, ErrorKind::Range, what),
        }
        length += 1;
    }
    if length == 0 {
        return expected(input, what);
    }
    Ok((cut(input, length).1, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        HOST, TOKEN, TOKEN68, URI_HEADER, URI_PARAM, USER, VALUE, WORD, behind, behind_long,
        behind_name, few_digits, is_class,
    };

    proptest! {
        #[test]
        fn a_span_ends_where_a_look_at_each_byte_ends_it(
            front in "[A-Za-z0-9.-]{0,70}",
            text in "([a-z0-9.-]{1,40}[ -~]){0,4}|[!-~]{0,40}",
            last in any::<u8>(),
            from in 0_usize..120,
        ) {
            let bytes = [front.as_bytes(), text.as_bytes(), &[last]].concat();
            for class in [TOKEN, WORD, USER, URI_PARAM, URI_HEADER, HOST, VALUE, TOKEN68] {
                let ahead = bytes.get(from..).unwrap_or_default();
                let plain = ahead.iter().take_while(|byte| is_class(**byte, class)).count();
                prop_assert_eq!(behind(&bytes, from, class), from + plain);
                prop_assert_eq!(behind_long(&bytes, from, class), from + plain);
                if class == TOKEN {
                    prop_assert_eq!(behind_name(&bytes, from), from + plain);
                }
            }
        }

        #[test]
        fn few_digits_are_the_number_they_say(text in "[0-9]{0,11}|[+-]?[0-9]{1,3} ?") {
            let is_number = text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| is_number);
            prop_assert_eq!(few_digits(&text), number);
        }
    }
}
