//! Session-ID.

use std::fmt;

use crate::grammar::{Parsed, expected, single, token};
use crate::params::params;
use crate::{HeaderName, Params, ParseError, TypedHeader};

/// What a session is called from end to end (RFC 7989 section 5).
///
/// `session-id-value = 32(HEXDIG) *( SEMI session-id-param )`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId<'a> {
    local: &'a str,
    params: Params<'a>,
}

impl<'a> SessionId<'a> {
    /// The UUID of the sender, 32 hex digits.
    pub const fn local(&self) -> &'a str {
        self.local
    }

    /// The UUID of the other side, once it is known; all zeros before.
    pub fn remote(&self) -> Option<&'a str> {
        self.params.value("remote")
    }

    /// The parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

impl<'a> TypedHeader<'a> for SessionId<'a> {
    const NAME: HeaderName<'static> = HeaderName::SessionId;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, session_id)
    }
}

fn session_id(input: &str) -> Parsed<'_, SessionId<'_>> {
    let (rest, local) = token(input)?;
    if local.len() != 32 || !local.bytes().all(|b| b.is_ascii_hexdigit()) {
        return expected(input, "32 hex digits");
    }
    let (rest, params) = params(rest)?;
    Ok((rest, SessionId { local, params }))
}

impl fmt::Display for SessionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.local, self.params)
    }
}
