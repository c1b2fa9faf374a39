//! What an authorization server says about an opaque token (RFC 7662 section 2.2).
//!
//! The question is HTTP and asked elsewhere; here the answer is judged, by the same policy as a token
//! that speaks for itself.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::claims::{self, Judged, list};
use crate::error::{Place, TokenError, TokenErrorKind, quoted};
use crate::header::media_type_eq;
use crate::json::{self, Json};
use crate::policy::Policy;
use crate::verified::Form;

/// Longest introspection response read, in bytes: who fetches one need not read on.
pub const MAX_INTROSPECTION_BYTES: usize = 64 * 1024;

/// Judges the body of an introspection response.
pub(crate) fn judge(
    response: &[u8],
    policy: &Policy,
    now: SystemTime,
) -> Result<Judged, TokenError> {
    let place = Place::Introspection;
    if response.len() > MAX_INTROSPECTION_BYTES {
        let kind = TokenErrorKind::TooLong {
            max_bytes: MAX_INTROSPECTION_BYTES,
            found_bytes: response.len(),
        };
        return Err(kind.at(place));
    }
    let mut members = json::members(response, &place)?;
    match members.get("active") {
        Some(Json::Bool(true)) => {}
        Some(Json::Bool(false)) => return Err(TokenErrorKind::Inactive.at(place)),
        Some(_) => {
            let problem = "is no boolean";
            return Err(TokenErrorKind::ActiveMember { problem }.at(place));
        }
        None => {
            let problem = "is absent";
            return Err(TokenErrorKind::ActiveMember { problem }.at(place));
        }
    }
    if claims::is_refresh(&members, policy) {
        return Err(TokenErrorKind::RefreshToken.at(place));
    }
    if let (Some(types), Some(found)) = (&policy.types, members.get("token_type")) {
        let at = Place::Claim(Cow::Borrowed("token_type"));
        let Some(found) = found.as_str() else {
            let expected = "a string";
            return Err(TokenErrorKind::ClaimType { expected }.at(at));
        };
        if !types.iter().any(|accepted| media_type_eq(accepted, found)) {
            let (expected, found) = (list(types), quoted(found));
            return Err(TokenErrorKind::Type { expected, found }.at(at));
        }
    }
    if policy.endpoint_vouches {
        // What the server left out, its endpoint stands for.
        for (name, accepted) in [("iss", &policy.issuers), ("aud", &policy.audiences)] {
            if let (false, Some(first)) = (members.contains(name), accepted.first()) {
                members.add(name, Json::String(Cow::Borrowed(first)));
            }
        }
    }
    let mut judged = claims::judge(&members, Form::Opaque, policy, now)?;
    // A time too long for the clock is for ever.
    if let Some(reuse_end) = now.checked_add(policy.introspection_reuse) {
        judged.valid_until = judged.valid_until.min(reuse_end);
    }
    Ok(judged)
}
