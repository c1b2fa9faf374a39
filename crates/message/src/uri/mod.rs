//! URIs: `sip:` and `sips:` in their parts, `tel:` and others as written.

mod compare;
mod escape;
mod host;
mod params;

use std::borrow::Cow;
use std::fmt;

pub use self::escape::{EscapedUser, unescape};
pub use self::host::Host;
pub(crate) use self::host::{host, port};
pub use self::params::{UriHeaders, UriParams};

use crate::grammar::{USER, cut, is_class};
use crate::{ErrorKind, ParseError};

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme<'a> {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// Any other, as written.
    Other(&'a str),
}

/// A URI (RFC 3261 section 19.1).
///
/// ```text
/// SIP-URI = "sip:" [ userinfo ] hostport uri-parameters [ headers ]
/// ```
///
/// `==` compares what is written; [`equivalent`](Self::equivalent) is the comparison of
/// section 19.1.4.
///
/// ```
/// use sip_oauth_message::{Scheme, Uri};
/// let uri = Uri::parse("sip:1010@[2001:db8::1]:5090;transport=tls")?;
/// assert_eq!(uri.scheme(), Scheme::Sip);
/// assert_eq!(uri.user(), Some("1010"));
/// assert_eq!(uri.host().unwrap().as_str(), "2001:db8::1");
/// assert_eq!(uri.port(), Some(5090));
/// assert_eq!(uri.params().value("transport"), Some("tls"));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uri<'a> {
    text: &'a str,
    scheme: Scheme<'a>,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: Option<Host<'a>>,
    port: Option<u16>,
    params: UriParams<'a>,
    headers: UriHeaders<'a>,
}

impl<'a> Uri<'a> {
    /// Reads a URI that is all of `text`.
    ///
    /// # Errors
    ///
    /// When `text` is no URI, or a `sip:`, `sips:` or `tel:` URI that breaks its own grammar.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let colon = scheme_length(text)?;
        let (name, rest) = cut(text, colon);
        let rest = cut(rest, 1).1;
        let scheme = match name {
            name if name.eq_ignore_ascii_case("sip") => Scheme::Sip,
            name if name.eq_ignore_ascii_case("sips") => Scheme::Sips,
            name if name.eq_ignore_ascii_case("tel") => Scheme::Tel,
            name => Scheme::Other(name),
        };
        let mut uri = Self {
            text,
            scheme,
            user: None,
            password: None,
            host: None,
            port: None,
            params: UriParams::EMPTY,
            headers: UriHeaders::EMPTY,
        };
        let result = match scheme {
            Scheme::Sip | Scheme::Sips => uri.read_sip(rest),
            Scheme::Tel => uri.read_tel(rest),
            Scheme::Other(_) => check_opaque(rest),
        };
        result.map_err(|error| error.shifted(colon + 1))?;
        Ok(uri)
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme<'a> {
        self.scheme
    }

    /// Whether this is a `sip:` or `sips:` URI.
    pub const fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The user part of a SIP URI or the number of a `tel:` URI, with its escapes.
    pub const fn user(&self) -> Option<&'a str> {
        self.user
    }

    /// The user part with `%HH` undone, once.
    pub fn user_unescaped(&self) -> Option<Cow<'a, [u8]>> {
        self.user.map(unescape)
    }

    /// The password part, which RFC 3261 recommends against.
    pub const fn password(&self) -> Option<&'a str> {
        self.password
    }

    /// The host of a SIP URI.
    pub const fn host(&self) -> Option<Host<'a>> {
        self.host
    }

    /// The port, where one is written.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The parameters of a SIP or `tel:` URI.
    pub const fn params(&self) -> UriParams<'a> {
        self.params
    }

    /// The header fields behind the question mark.
    pub const fn headers(&self) -> UriHeaders<'a> {
        self.headers
    }

    /// As written.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// `[ userinfo ] hostport uri-parameters [ headers ]`
    fn read_sip(&mut self, text: &'a str) -> Result<(), ParseError> {
        let mut rest = text;
        if let Some(at) = memchr::memchr(b'@', text.as_bytes()) {
            let (userinfo, after) = cut(text, at);
            self.read_userinfo(userinfo)?;
            rest = cut(after, 1).1;
        }
        let consumed = |rest: &str| text.len() - rest.len();
        let (host, port, after) =
            host::host_port(rest).map_err(|error| error.shifted(consumed(rest)))?;
        self.host = Some(host);
        self.port = port;
        rest = after;
        if rest.starts_with(';') {
            let end = memchr::memchr(b'?', rest.as_bytes()).unwrap_or(rest.len());
            let (params, after) = cut(rest, end);
            self.params =
                UriParams::parse(params).map_err(|error| error.shifted(consumed(rest)))?;
            rest = after;
        }
        if let Some(headers) = rest.strip_prefix('?') {
            self.headers =
                UriHeaders::parse(headers).map_err(|error| error.shifted(consumed(headers)))?;
            rest = "";
        }
        if rest.is_empty() {
            Ok(())
        } else {
            let what = "a port, parameters, headers or the end of the URI";
            Err(ParseError::new(ErrorKind::Uri, consumed(rest), what))
        }
    }

    /// `userinfo = ( user / telephone-subscriber ) [ ":" password ] "@"`
    fn read_userinfo(&mut self, text: &'a str) -> Result<(), ParseError> {
        let (user, password) = match memchr::memchr(b':', text.as_bytes()) {
            Some(colon) => {
                let (user, password) = cut(text, colon);
                (user, Some(cut(password, 1).1))
            }
            None => (text, None),
        };
        if user.is_empty() {
            return Err(ParseError::new(ErrorKind::Uri, 0, "a user before the '@'"));
        }
        escape::check(user, USER, "a character allowed in the user part")?;
        if let Some(password) = password {
            escape::check(password, USER, "a character allowed in the password")
                .map_err(|error| error.shifted(user.len() + 1))?;
        }
        self.user = Some(user);
        self.password = password;
        Ok(())
    }

    /// ```text
    /// telephone-uri        = "tel:" telephone-subscriber
    /// telephone-subscriber = global-number / local-number
    /// global-number        = "+" *phonedigit DIGIT *phonedigit *par
    /// local-number         = *phonedigit-hex (HEXDIG / "*" / "#") *phonedigit-hex *par context *par
    /// ```
    /// (RFC 3966 section 3)
    fn read_tel(&mut self, text: &'a str) -> Result<(), ParseError> {
        let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
        let (number, params) = cut(text, end);
        let (digits, is_digit): (_, fn(&u8) -> bool) = match number.strip_prefix('+') {
            Some(digits) => (digits, u8::is_ascii_digit),
            None => (number, |b| b.is_ascii_hexdigit() || b"*#".contains(b)),
        };
        let is_phone_digit = |b: u8| is_digit(&b) || b"-.()".contains(&b);
        if !digits.bytes().all(is_phone_digit) || !digits.bytes().any(|b| is_digit(&b)) {
            return Err(ParseError::new(ErrorKind::Uri, 0, "a telephone number"));
        }
        self.user = Some(number);
        self.params = UriParams::parse(params).map_err(|error| error.shifted(end))?;
        // "Local numbers MUST be tagged with a 'phone-context'" (section 5.1.5).
        if !number.starts_with('+') && self.params.value("phone-context").is_none() {
            let what = "'+' or a phone-context";
            return Err(ParseError::new(ErrorKind::Uri, 0, what));
        }
        Ok(())
    }
}

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, up to its colon.
fn scheme_length(text: &str) -> Result<usize, ParseError> {
    let bytes = text.as_bytes();
    let end = bytes
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(b)))
        .unwrap_or(bytes.len());
    let starts_well = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    if starts_well && bytes.get(end) == Some(&b':') {
        Ok(end)
    } else {
        Err(ParseError::new(
            ErrorKind::Uri,
            0,
            "a scheme such as sip: or sips:",
        ))
    }
}

/// The part behind a scheme that we do not know: anything a URI may be made of.
fn check_opaque(text: &str) -> Result<(), ParseError> {
    let allowed = |&b: &u8| is_class(b, USER) || b"%:@#[]".contains(&b);
    match text.as_bytes().iter().position(|b| !allowed(b)) {
        None if !text.is_empty() => Ok(()),
        None => Err(ParseError::new(
            ErrorKind::Uri,
            0,
            "something after the scheme",
        )),
        Some(at) => Err(ParseError::new(ErrorKind::Uri, at, "a character of a URI")),
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", self.text)
    }
}
