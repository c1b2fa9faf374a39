//! Challenges and credentials (RFC 3261 section 22, RFC 6750, RFC 8898).

mod bearer_challenge;
mod bearer_credentials;
mod digest;
mod params;
mod secret;

use std::fmt;

pub use self::bearer_challenge::{AuthzServerSpelling, BearerChallenge};
pub use self::bearer_credentials::{BearerCredentials, BearerForm};
pub use self::digest::{DigestChallenge, DigestCredentials};
pub use self::params::{AuthParam, AuthParams};
pub use self::secret::SecretValue;
pub(crate) use self::secret::constant_time_eq;

use self::params::{auth_params, starts_param};
use crate::grammar::{
    Parsed, TOKEN, TOKEN68, cut, expected_kind, is_same_name, skip_lws, span, token, trim_end,
    whole,
};
use crate::{ErrorKind, ParseError};

/// What a server asks for.
///
/// `challenge = auth-scheme [ 1*SP ( token68 / auth-param *( COMMA auth-param ) ) ]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge<'a> {
    /// An access token (RFC 8898 section 4).
    Bearer(BearerChallenge<'a>),
    /// A digest (RFC 8760).
    Digest(DigestChallenge<'a>),
    /// Anything else, kept as written.
    Other(OtherChallenge<'a>),
}

/// A challenge of a scheme we do not know.
#[derive(Clone, Copy, Debug)]
pub struct OtherChallenge<'a> {
    scheme: &'a str,
    text: &'a str,
}

/// What a client answers.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// An access token.
    Bearer(BearerCredentials<'a>),
    /// A digest, read as far as it takes to pass it on.
    Digest(DigestCredentials<'a>),
    /// Anything else, kept as written.
    Other(OtherCredentials<'a>),
}

/// Credentials of a scheme we do not know. They are not printed, and neither is the scheme unless it
/// is registered for HTTP.
#[derive(Clone, Copy)]
pub struct OtherCredentials<'a> {
    scheme: &'a str,
    text: &'a str,
}

impl<'a> Challenge<'a> {
    /// The scheme as written.
    pub const fn scheme(&self) -> &'a str {
        match self {
            Self::Bearer(_) => "Bearer",
            Self::Digest(_) => "Digest",
            Self::Other(other) => other.scheme,
        }
    }

    /// Reads one challenge.
    ///
    /// # Errors
    ///
    /// When `text` is not one challenge.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let end = "the end of the challenge";
        whole(text, ErrorKind::Credentials, end, challenge)
    }
}

impl<'a> OtherChallenge<'a> {
    /// The scheme as written.
    pub const fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// What follows the scheme.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }
}

/// Schemes compare without case; parameters as in [`AuthParams`].
impl PartialEq for OtherChallenge<'_> {
    fn eq(&self, other: &Self) -> bool {
        let is_same_text = match (all_params(self.text), all_params(other.text)) {
            (Some(one), Some(other)) => one == other,
            _ => self.text == other.text,
        };
        is_same_text && self.scheme.eq_ignore_ascii_case(other.scheme)
    }
}

impl Eq for OtherChallenge<'_> {}

impl<'a> Credentials<'a> {
    /// The scheme, as written where it is neither Bearer nor Digest; see
    /// [`OtherCredentials::scheme`].
    pub const fn scheme(&self) -> &'a str {
        match self {
            Self::Bearer(_) => "Bearer",
            Self::Digest(_) => "Digest",
            Self::Other(other) => other.scheme,
        }
    }

    /// Reads credentials.
    ///
    /// # Errors
    ///
    /// When `text` is not credentials; the error never repeats them.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let end = "the end of the credentials";
        whole(text, ErrorKind::Credentials, end, credentials)
    }
}

impl Credentials<'_> {
    /// The value as it goes into the header field, secrets included: to pass on what was read.
    ///
    /// ```
    /// use sip_oauth_message::Credentials;
    /// let read = Credentials::parse(r#"Digest username="a", response="0123""#)?;
    /// assert_eq!(read.to_header_value().expose(), r#"Digest username="a", response="0123""#);
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    pub fn to_header_value(&self) -> SecretValue {
        let (scheme, text) = match self {
            Self::Bearer(bearer) => return bearer.to_header_value(),
            Self::Digest(digest) => ("Digest", digest.expose().as_str()),
            Self::Other(other) => (other.scheme, other.text),
        };
        // One piece, so that no copy is left behind that nobody wipes.
        SecretValue::new([scheme, " ", text].concat())
    }
}

impl<'a> OtherCredentials<'a> {
    /// The scheme as written, which is a secret where the sender left out the scheme itself.
    pub const fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// The text behind the scheme, which may be a secret.
    pub const fn expose(&self) -> &'a str {
        self.text
    }

    /// The text as parameters, if it is such; they may be secrets.
    pub fn expose_params(&self) -> Option<AuthParams<'a>> {
        all_params(self.text)
    }
}

/// What is parameters and nothing else.
fn all_params(text: &str) -> Option<AuthParams<'_>> {
    match auth_params(text) {
        Ok((rest, params)) if skip_lws(rest).is_empty() => Some(params),
        _ => None,
    }
}

/// One challenge; a comma that another one follows is left.
pub(crate) fn challenge(input: &str) -> Parsed<'_, Challenge<'_>> {
    let (after, scheme) = token(input)?;
    let rest = skip_lws(after);
    if is_same_name(scheme.as_bytes(), b"Bearer") {
        let (rest, params) = optional_params(rest)?;
        Ok((rest, Challenge::Bearer(BearerChallenge::read(params))))
    } else if is_same_name(scheme.as_bytes(), b"Digest") {
        let (rest, params) = auth_params(rest)?;
        Ok((rest, Challenge::Digest(DigestChallenge::read(params))))
    } else {
        let (rest, text) = other_text(rest)?;
        Ok((rest, Challenge::Other(OtherChallenge { scheme, text })))
    }
}

fn optional_params(input: &str) -> Parsed<'_, AuthParams<'_>> {
    if input.is_empty() || input.starts_with(',') {
        return Ok((input, AuthParams::EMPTY));
    }
    auth_params(input)
}

/// `token68`, parameters, or nothing.
fn other_text(input: &str) -> Parsed<'_, &str> {
    let rest = if starts_param(input) {
        auth_params(input)?.0
    } else {
        let bytes = input.as_bytes();
        let length = span(bytes, TOKEN68 | TOKEN);
        let padding = bytes
            .iter()
            .skip(length)
            .take_while(|b| **b == b'=')
            .count();
        cut(input, length + padding).1
    };
    let (text, _) = cut(input, input.len() - rest.len());
    Ok((rest, trim_end(text)))
}

/// Credentials, to the end of the value.
pub(crate) fn credentials(input: &str) -> Parsed<'_, Credentials<'_>> {
    let (after, scheme) = token(input)?;
    let rest = skip_lws(after);
    if rest.len() == after.len() {
        let what = "a space and credentials after the scheme";
        return expected_kind(after, ErrorKind::Credentials, what);
    }
    if is_same_name(scheme.as_bytes(), b"Bearer") {
        let (rest, bearer) = bearer_credentials::bearer(rest)?;
        Ok((rest, Credentials::Bearer(bearer)))
    } else if is_same_name(scheme.as_bytes(), b"Digest") {
        let (rest, params) = auth_params(rest)?;
        Ok((rest, Credentials::Digest(DigestCredentials::read(params))))
    } else {
        let (rest, text) = other_text(rest)?;
        Ok((rest, Credentials::Other(OtherCredentials { scheme, text })))
    }
}

impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer(bearer) => bearer.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Other(other) if other.text.is_empty() => f.write_str(other.scheme),
            Self::Other(other) => write!(f, "{} {}", other.scheme, other.text),
        }
    }
}

/// By their length: it is no `Display`, so that nothing writes this into a message.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer(bearer) => bearer.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Other(other) => other.fmt(f),
        }
    }
}

/// The schemes that are printed by name: those of the IANA registry, and two that Windows has.
const SCHEMES: [&str; 16] = [
    "Basic",
    "Bearer",
    "Concealed",
    "Digest",
    "DPoP",
    "GNAP",
    "HOBA",
    "Kerberos",
    "Mutual",
    "Negotiate",
    "NTLM",
    "OAuth",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "vapid",
];

/// A scheme that is not well known may be an access token whose sender forgot the scheme: a JWT is
/// a token of RFC 3261 too. Its length is printed instead.
impl fmt::Debug for OtherCredentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_ours = |scheme: &&&str| scheme.eq_ignore_ascii_case(self.scheme);
        match SCHEMES.iter().find(is_ours) {
            Some(scheme) => f.write_str(scheme)?,
            None => write!(f, "<{} bytes>", self.scheme.len())?,
        }
        write!(f, " <{} bytes>", self.text.len())
    }
}
