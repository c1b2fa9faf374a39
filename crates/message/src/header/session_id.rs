//! Session-ID.

use std::fmt;

use crate::grammar::{Parsed, expected, from_part, single, token};
use crate::params::params;
use crate::{HeaderName, Params, ParseError, TypedHeader};

/// What a session is called from end to end (RFC 7989 section 5).
///
/// ```text
/// session-id-value = local-uuid *(SEMI sess-id-param)
/// local-uuid       = sess-uuid / null
/// sess-uuid        = 32(DIGIT / %x61-66)    ; 32 chars of [0-9a-f]
/// remote-param     = "remote" EQUAL remote-uuid
/// ```
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
    if !is_uuid(local) {
        return expected(input, "32 hex digits in lower case");
    }
    let behind = rest;
    let (rest, params) = params(behind)?;
    if let Some(remote) = params.get("remote")
        && !params.token("remote").is_some_and(is_uuid)
    {
        let value = remote.value.map_or(remote.name, |value| value.as_written());
        let what = "32 hex digits in lower case as the remote UUID";
        return expected(from_part(behind, value), what);
    }
    Ok((rest, SessionId { local, params }))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for SessionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.local, self.params)
    }
}
