//! The first line: request line or status line.

use std::fmt;

use crate::grammar::is_token;
use crate::scan::find;
use crate::uri::{Redacted, Uri};
use crate::view::forbidden_control;
use crate::{ErrorKind, Method, ParseError, StatusCode};

/// The version this crate writes.
pub(crate) const VERSION: &str = "SIP/2.0";

/// The first line of a message (RFC 3261 section 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// A request.
    Request(RequestLine<'a>),
    /// A response.
    Response(StatusLine<'a>),
}

/// `Request-Line = Method SP Request-URI SP SIP-Version CRLF` (RFC 3261 section 7.1).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLine<'a> {
    /// The method.
    pub method: Method<'a>,
    /// The Request-URI as written; [`request_uri`](Self::request_uri) reads it.
    pub uri: &'a str,
    /// The version as written, `SIP/2.0` unless the peer is from the future.
    pub version: &'a str,
}

/// `Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF` (RFC 3261 section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusLine<'a> {
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase, which may be empty.
    pub reason: &'a str,
    /// The version as written.
    pub version: &'a str,
}

impl<'a> RequestLine<'a> {
    /// The Request-URI, read.
    ///
    /// # Errors
    ///
    /// When it is no URI; the offset counts from the start of the line.
    pub fn request_uri(&self) -> Result<Uri<'a>, ParseError> {
        Uri::parse(self.uri).map_err(|error| error.shifted(self.method.as_str().len() + 1))
    }
}

impl<'a> StartLine<'a> {
    /// Reads a first line without its CRLF.
    ///
    /// # Errors
    ///
    /// When it is neither a request line nor a status line. Elements are separated by exactly
    /// one space, and there is no control character but the tab.
    pub fn parse(line: &'a str) -> Result<Self, ParseError> {
        let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
        match line.bytes().position(is_control) {
            Some(at) => Err(forbidden_control(at)),
            None => Self::of_checked(line),
        }
    }

    /// A line of a message, where control characters were looked for.
    pub(crate) fn of_checked(line: &'a str) -> Result<Self, ParseError> {
        let end = find(line.as_bytes(), 0, [b' ']);
        match line.split_at_checked(end) {
            Some((version, rest)) if is_version(version) => {
                StatusLine::parse(version, rest).map(Self::Response)
            }
            _ => RequestLine::parse(line).map(Self::Request),
        }
    }
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a str) -> Result<Self, ParseError> {
        let fail = |offset, expected| Err(ParseError::new(ErrorKind::StartLine, offset, expected));
        let space = find(line.as_bytes(), 0, [b' ']);
        let Some((method, rest)) = behind(line, space) else {
            return fail(line.len(), "a space after the method");
        };
        let method = Method::from_token(method);
        if matches!(&method, Method::Other(other) if !is_token(other.as_str())) {
            return fail(0, "a method or SIP/2.0");
        }
        let at = space + 1;
        // The tab is the one control character that may be in a line.
        let space = find(rest.as_bytes(), 0, [b' ', b'\t']);
        let Some((uri, version)) = behind(rest, space) else {
            return fail(line.len(), "a space after the Request-URI");
        };
        let is_tab = rest.as_bytes().get(space) == Some(&b'\t');
        if uri.is_empty() || uri.starts_with('<') || is_tab {
            return fail(at, "a Request-URI, without brackets");
        }
        if !is_version(version) {
            return fail(at + space + 1, "SIP/2.0 and the end of the line");
        }
        Ok(Self {
            method,
            uri,
            version,
        })
    }
}

/// What is before a space at `at`, and what is behind it.
fn behind(line: &str, at: usize) -> Option<(&str, &str)> {
    Some((line.get(..at)?, line.get(at + 1..)?))
}

impl<'a> StatusLine<'a> {
    fn parse(version: &'a str, rest: &'a str) -> Result<Self, ParseError> {
        let fail = |offset, expected| Err(ParseError::new(ErrorKind::StartLine, offset, expected));
        let &[b' ', hundreds, tens, ones, ref phrase @ ..] = rest.as_bytes() else {
            return fail(version.len(), "a space and three digits");
        };
        let digits = [hundreds, tens, ones];
        if !digits.iter().all(u8::is_ascii_digit) {
            return fail(version.len() + 1, "a status code of three digits");
        }
        let number = digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        let Some(status) = StatusCode::new(number) else {
            return fail(version.len() + 1, "a status code from 100");
        };
        if phrase.first() != Some(&b' ') {
            return fail(version.len() + 4, "a space after the status code");
        }
        Ok(Self {
            status,
            reason: rest.get(5..).unwrap_or_default(),
            version,
        })
    }
}

/// `SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT`; the name is case-insensitive.
#[inline]
fn is_version(text: &str) -> bool {
    text == VERSION || is_other_version(text)
}

/// A version that is not written as all are, or is another one.
#[inline(never)]
fn is_other_version(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.split_once('/').is_some_and(|(name, numbers)| {
        let numbers = numbers.split_once('.');
        name.eq_ignore_ascii_case("SIP")
            && numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
    })
}

/// The Request-URI is printed as a [`Uri`] is, without its secrets.
impl fmt::Debug for RequestLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLine")
            .field("method", &self.method)
            .field("uri", &Redacted(self.uri).to_string())
            .field("version", &self.version)
            .finish()
    }
}

impl fmt::Display for RequestLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, self.uri, self.version)
    }
}

impl fmt::Display for StatusLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.version, self.status, self.reason)
    }
}
