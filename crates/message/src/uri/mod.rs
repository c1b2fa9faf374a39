//! URIs: `sip:` and `sips:` in their parts, `tel:` and others as written.

mod compare;
mod escape;
mod host;
mod params;
mod redact;

use std::borrow::Cow;
use std::fmt;

pub use self::escape::{EscapedUser, unescape};
pub use self::host::Host;
pub(crate) use self::host::{behind_host, host, is_host_port, port_at};
pub use self::params::{UriHeaders, UriParams};
pub(crate) use self::redact::{Redacted, has_sip_uri};

use self::escape::behind_escaped;
use crate::grammar::{USER, cut};
use crate::scan::find;
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
    kind: Kind,
    port: Option<u16>,
    places: Places,
}

/// The schemes that are read in their parts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Sip,
    Sips,
    Tel,
    Other,
}

/// Where the parts are, in bytes. What is not there is at 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Places {
    /// The user begins behind the scheme.
    user_end: u32,
    /// The host begins here, with its bracket if it has one. A password is between the user and it.
    host: u32,
    host_end: u32,
    /// The parameters begin here, and end where the headers begin.
    params: u32,
    /// Behind the question mark.
    headers: u32,
}

impl<'a> Uri<'a> {
    /// Reads a URI that is all of `text`.
    ///
    /// # Errors
    ///
    /// When `text` is no URI, or a `sip:`, `sips:` or `tel:` URI that breaks its own grammar, or
    /// when it has 4 GiB.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        if u32::try_from(text.len()).is_err() {
            return Err(ParseError::new(ErrorKind::Uri, 0, "a URI below 4 GiB"));
        }
        let (kind, start) = scheme(text)?;
        match kind {
            Kind::Sip | Kind::Sips => Self::sip(text, kind, start, None)
                .map_err(|error| no_userinfo(text, start).unwrap_or(error)),
            Kind::Tel => Self::tel(text, start),
            Kind::Other => {
                check_opaque(text, start)?;
                Ok(Self::of_parts(text, kind, None, Places::default()))
            }
        }
    }

    /// A `sip:` or `sips:` URI at the front of `text` that a `>` follows, if there is one.
    #[allow(clippy::inline_always, reason = "as the rules of the grammar")]
    #[inline(always)]
    pub(crate) fn sip_in_brackets(text: &'a str) -> Option<Self> {
        let (kind, start) = sip_scheme(text.as_bytes())?;
        u32::try_from(text.len()).ok()?;
        Self::sip(text, kind, start, Some(&b'>')).ok()
    }

    const fn of_parts(text: &'a str, kind: Kind, port: Option<u16>, places: Places) -> Self {
        Self {
            text,
            kind,
            port,
            places,
        }
    }

    /// What is between two places; nothing where the second one is 0.
    #[inline]
    fn part(&self, from: u32, to: u32) -> Option<&'a str> {
        self.text.get(from as usize..to as usize)
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme<'a> {
        match self.kind {
            Kind::Sip => Scheme::Sip,
            Kind::Sips => Scheme::Sips,
            Kind::Tel => Scheme::Tel,
            Kind::Other => Scheme::Other(cut(self.text, find(self.text.as_bytes(), 0, [b':'])).0),
        }
    }

    /// Where the user begins.
    const fn start(&self) -> u32 {
        match self.kind {
            Kind::Sip | Kind::Tel => 4,
            Kind::Sips => 5,
            Kind::Other => 0,
        }
    }

    /// Whether this is a `sip:` or `sips:` URI.
    pub const fn is_sip(&self) -> bool {
        matches!(self.kind, Kind::Sip | Kind::Sips)
    }

    /// The user part of a SIP URI or the number of a `tel:` URI, with its escapes.
    pub fn user(&self) -> Option<&'a str> {
        self.part(self.start(), self.places.user_end)
    }

    /// The user part with `%HH` undone, once.
    pub fn user_unescaped(&self) -> Option<Cow<'a, [u8]>> {
        self.user().map(unescape)
    }

    /// The password part, which RFC 3261 recommends against.
    pub fn password(&self) -> Option<&'a str> {
        let Places { user_end, host, .. } = self.places;
        if user_end == 0 || host <= user_end + 1 {
            return None;
        }
        self.part(user_end + 1, host - 1)
    }

    /// The host of a SIP URI.
    pub fn host(&self) -> Option<Host<'a>> {
        let text = self.part(self.places.host, self.places.host_end)?;
        (!text.is_empty()).then(|| Host::of_checked(text))
    }

    /// The port, where one is written.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The parameters of a SIP or `tel:` URI.
    pub fn params(&self) -> UriParams<'a> {
        let text = match (self.places.params, self.places.headers) {
            (0, _) => None,
            (start, 0) => self.text.get(start as usize..),
            (start, headers) => self.part(start, headers - 1),
        };
        UriParams::of_checked(text.unwrap_or_default())
    }

    /// The header fields behind the question mark.
    pub fn headers(&self) -> UriHeaders<'a> {
        match self.places.headers {
            0 => UriHeaders::EMPTY,
            start => UriHeaders::of_checked(cut(self.text, start as usize).1),
        }
    }

    /// As written.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// `[ userinfo ] hostport uri-parameters [ headers ]` from `start` on, to the end of the text or
    /// to what closes the URI.
    #[allow(clippy::inline_always, reason = "as the rules of the grammar")]
    #[inline(always)]
    fn sip(
        text: &'a str,
        kind: Kind,
        start: usize,
        closing: Option<&u8>,
    ) -> Result<Self, ParseError> {
        let bytes = text.as_bytes();
        let mut places = Places::default();
        let mut port = None;
        let mut at = start;
        if let Some((user_end, end)) = userinfo(bytes, start) {
            places.user_end = place(user_end);
            at = end + 1;
        }
        places.host = place(at);
        at = behind_host(text, at)?;
        places.host_end = place(at);
        if bytes.get(at) == Some(&b':') {
            let (number, end) = port_at(bytes, at + 1)?;
            port = Some(number);
            at = end;
        }
        if bytes.get(at) == Some(&b';') {
            places.params = place(at);
            let may_follow = |byte| byte == b'?' || Some(&byte) == closing;
            at = UriParams::check(bytes, at, may_follow)?;
        }
        if bytes.get(at) == Some(&b'?') {
            let start = at + 1;
            at = closing.map_or(bytes.len(), |&closing| find(bytes, at, [closing]));
            UriHeaders::check(text.get(start..at).unwrap_or_default())
                .map_err(|error| error.shifted(start))?;
            places.headers = place(start);
        }
        if bytes.get(at) != closing {
            let what = "a port, parameters, headers or the end of the URI";
            return Err(ParseError::new(ErrorKind::Uri, at, what));
        }
        Ok(Self::of_parts(cut(text, at).0, kind, port, places))
    }

    /// ```text
    /// telephone-uri        = "tel:" telephone-subscriber
    /// telephone-subscriber = global-number / local-number
    /// global-number        = "+" *phonedigit DIGIT *phonedigit *par
    /// local-number         = *phonedigit-hex (HEXDIG / "*" / "#") *phonedigit-hex *par context *par
    /// ```
    /// (RFC 3966 section 3), the subscriber from `start` on
    fn tel(text: &'a str, start: usize) -> Result<Self, ParseError> {
        let end = find(text.as_bytes(), start, [b';']);
        let number = text.get(start..end).unwrap_or_default();
        let (digits, is_digit): (_, fn(&u8) -> bool) = match number.strip_prefix('+') {
            Some(digits) => (digits, u8::is_ascii_digit),
            None => (number, |b| b.is_ascii_hexdigit() || b"*#".contains(b)),
        };
        let is_phone_digit = |b: u8| is_digit(&b) || b"-.()".contains(&b);
        let wrong = digits.bytes().position(|b| !is_phone_digit(b));
        if wrong.is_some() || !digits.bytes().any(|b| is_digit(&b)) {
            let at = end - digits.len() + wrong.unwrap_or(digits.len());
            let what = "a telephone number";
            return Err(ParseError::new(ErrorKind::Uri, at, what));
        }
        UriParams::check(text.as_bytes(), end, |_| false)?;
        let places = Places {
            user_end: place(end),
            params: place(end),
            ..Places::default()
        };
        let uri = Self::of_parts(text, Kind::Tel, None, places);
        let mut at = end;
        for (name, value) in uri.params().iter() {
            let name_start = at + ";".len();
            if !is_tel_param(name, value) {
                let what = "a parameter of a telephone number";
                return Err(ParseError::new(ErrorKind::Uri, name_start, what));
            }
            at = name_start + name.len() + value.map_or(0, |value| "=".len() + value.len());
        }
        // "Local numbers MUST be tagged with a 'phone-context'" (section 5.1.5).
        if !number.starts_with('+') && uri.params().value("phone-context").is_none() {
            let what = "'+' or a phone-context";
            return Err(ParseError::new(ErrorKind::Uri, start, what));
        }
        Ok(uri)
    }
}

/// `userinfo = ( user / telephone-subscriber ) [ ":" password ] "@"` at `start`: where the user ends,
/// and where the `@` stands. No other part of a SIP URI may have one.
#[allow(clippy::inline_always, reason = "as the rules of the grammar")]
#[inline(always)]
fn userinfo(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let user_end = behind_escaped(bytes, start, USER);
    let end = match bytes.get(user_end) {
        Some(b':') => behind_password(bytes, user_end + 1),
        _ => user_end,
    };
    (user_end > start && bytes.get(end) == Some(&b'@')).then_some((user_end, end))
}

/// `password = *( unreserved / escaped / "&" / "=" / "+" / "$" / "," )`: the characters of a user but three, each of which
/// would begin another part where the colon is that of a port.
#[inline(never)]
fn behind_password(bytes: &[u8], start: usize) -> usize {
    let end = behind_escaped(bytes, start, USER);
    let password = bytes.get(start..end).unwrap_or_default();
    let other = password.iter().position(|b| b";?/".contains(b));
    other.map_or(end, |other| start + other)
}

/// The error for what stands before an `@` and is no userinfo.
#[cold]
fn no_userinfo(text: &str, start: usize) -> Option<ParseError> {
    let fail = |at, what| Some(ParseError::new(ErrorKind::Uri, at, what));
    let bytes = text.as_bytes();
    let end = find(bytes, start, [b'@']);
    let user_end = behind_escaped(bytes, start, USER);
    if end == bytes.len() || userinfo(bytes, start).is_some() {
        return None;
    }
    if matches!(bytes.get(user_end), Some(b':' | b'@')) && user_end == start {
        return fail(start, "a user before the '@'");
    }
    if bytes.get(user_end) == Some(&b':') {
        let at = behind_password(bytes, user_end + 1);
        return fail(at, "a character allowed in the password");
    }
    fail(user_end, "a character allowed in the user part")
}

/// ```text
/// extension        = ";ext=" 1*phonedigit
/// context          = ";phone-context=" descriptor
/// descriptor       = domainname / global-number-digits
/// parameter        = ";" pname ["=" pvalue ]
/// pname            = 1*( alphanum / "-" )
/// ```
fn is_tel_param(name: &str, value: Option<&str>) -> bool {
    let is_phone_digit = |b: u8| b.is_ascii_digit() || b"-.()".contains(&b);
    if name.eq_ignore_ascii_case("ext") {
        return value.is_some_and(|value| value.bytes().all(is_phone_digit));
    }
    if name.eq_ignore_ascii_case("phone-context") {
        return value.is_some_and(|value| match value.strip_prefix('+') {
            Some(digits) => {
                digits.bytes().all(is_phone_digit) && digits.bytes().any(|b| b.is_ascii_digit())
            }
            None => Host::parse(value).is_ok_and(|host| host.ip().is_none()),
        });
    }
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A position in a URI, which is below 4 GiB.
#[allow(clippy::cast_possible_truncation, reason = "as said above")]
const fn place(at: usize) -> u32 {
    at as u32
}

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, and where what follows its colon begins.
#[inline]
fn scheme(text: &str) -> Result<(Kind, usize), ParseError> {
    let bytes = text.as_bytes();
    if let Some(found) = sip_scheme(bytes) {
        return Ok(found);
    }
    match *bytes {
        [t, e, l, b':', ..] if [t, e, l].eq_ignore_ascii_case(b"tel") => Ok((Kind::Tel, 4)),
        _ => {
            let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
            let end = bytes.iter().take_while(|b| is_allowed(b)).count();
            let starts_well = bytes.first().is_some_and(u8::is_ascii_alphabetic);
            if starts_well && bytes.get(end) == Some(&b':') {
                return Ok((Kind::Other, end + 1));
            }
            let what = "a scheme such as sip: or sips:";
            Err(ParseError::new(ErrorKind::Uri, 0, what))
        }
    }
}

/// `sip:` or `sips:`, and where what follows begins.
#[inline]
fn sip_scheme(bytes: &[u8]) -> Option<(Kind, usize)> {
    // With the bit that tells the case of a letter.
    let lower = u32::from_le_bytes(*bytes.first_chunk()?) | 0x0020_2020;
    if lower == u32::from_le_bytes(*b"sip:") {
        return Some((Kind::Sip, 4));
    }
    let is_sips = lower | 0x2000_0000 == u32::from_le_bytes(*b"sips");
    (is_sips && bytes.get(4) == Some(&b':')).then_some((Kind::Sips, 5))
}

/// The part behind a scheme that we do not know: `hier-part / opaque-part`. It has no fragment, and
/// brackets are those of an IPv6 address (RFC 2732) that is the host.
fn check_opaque(text: &str, start: usize) -> Result<(), ParseError> {
    let fail = |at, what| Err(ParseError::new(ErrorKind::Uri, at, what));
    let bytes = text.as_bytes();
    if start == bytes.len() {
        return fail(start, "something after the scheme");
    }
    let mut at = start;
    if let Some([b'/', b'/', authority @ ..]) = bytes.get(start..) {
        let authority_start = start + 2;
        let length = authority.iter().position(|b| b"/?".contains(b));
        let end = authority_start + length.unwrap_or(authority.len());
        let authority = text.get(authority_start..end).unwrap_or_default();
        let address = authority_start + authority.rfind('@').map_or(0, |at| at + 1);
        if bytes.get(address) == Some(&b'[') {
            let (_, rest) = host(cut(text, address).1).map_err(|error| error.shifted(address))?;
            let userinfo = behind_opaque(bytes, authority_start);
            if userinfo != address {
                return fail(userinfo, "a character of a URI");
            }
            at = text.len() - rest.len();
            if at < end && bytes.get(at) != Some(&b':') {
                return fail(at, "a port or the end of the authority");
            }
        }
    }
    match behind_opaque(bytes, at) {
        end if end == bytes.len() => Ok(()),
        wrong => fail(wrong, "a character of a URI"),
    }
}

/// Where characters of a URI without brackets, and escapes, end.
fn behind_opaque(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = behind_escaped(bytes, at, USER);
        match bytes.get(at) {
            Some(b':' | b'@') => at += 1,
            _ => return at,
        }
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Passwords and the values of header fields are not printed.
impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", Redacted(self.text))
    }
}
