//! The token of a request, found and judged.

use std::time::SystemTime;

use sip_oauth_message::{BearerCredentials, MessageView};
use sip_oauth_token::{BearerError, VerifiedToken, Verifier};

use super::observation::TokenVerdict;
use super::options::{RegistrarDialect, TokenPlace};
use crate::bearer::{Field, bearers};

/// What became of the token: who it speaks for, or what to tell the client.
#[derive(Debug)]
pub(super) enum Judged {
    Genuine(VerifiedToken),
    Missing,
    Rejected {
        verdict: TokenVerdict,
        error: BearerError,
    },
}

/// Finds the token and verifies it.
///
/// A request may carry several, one for each realm on its way: a value "MUST NOT be consumed by any proxy
/// whose realm does not match" (RFC 3261 section 22.3). One that holds is enough; when none does, the
/// first is what the client hears about.
pub(super) fn judge(
    request: &MessageView<'_>,
    dialect: &RegistrarDialect,
    place: TokenPlace,
    verifier: &Verifier,
    now: SystemTime,
) -> Judged {
    let mut first_failure = None;
    for found in bearers(request, fields(dialect, place)) {
        let verdict = match found {
            Ok(bearer) => match verify(&bearer, dialect, verifier, now) {
                Ok(token) => return Judged::Genuine(token),
                Err(rejected) => rejected,
            },
            Err(error) => Judged::Rejected {
                verdict: TokenVerdict::Unreadable {
                    why: error.to_string(),
                },
                error: BearerError::InvalidRequest,
            },
        };
        first_failure.get_or_insert(verdict);
    }
    first_failure.unwrap_or(Judged::Missing)
}

/// Where a token is looked for, the answer to the dialect's challenge first.
const fn fields(dialect: &RegistrarDialect, place: TokenPlace) -> &'static [Field] {
    use Field::{Authorization, ProxyAuthorization};
    match (dialect, place) {
        (RegistrarDialect::UnifiedCm { .. }, TokenPlace::AnswerOnly) => &[ProxyAuthorization],
        (RegistrarDialect::UnifiedCm { .. }, TokenPlace::Both) => {
            &[ProxyAuthorization, Authorization]
        }
        (RegistrarDialect::Rfc8898 { .. }, TokenPlace::AnswerOnly) => &[Authorization],
        (RegistrarDialect::Rfc8898 { .. }, TokenPlace::Both) => {
            &[Authorization, ProxyAuthorization]
        }
    }
}

fn verify(
    bearer: &BearerCredentials<'_>,
    dialect: &RegistrarDialect,
    verifier: &Verifier,
    now: SystemTime,
) -> Result<VerifiedToken, Judged> {
    let token = verifier
        .verify(bearer.expose(), now)
        .map_err(|error| Judged::Rejected {
            error: error.error_code(),
            verdict: TokenVerdict::Rejected(error),
        })?;
    match dialect {
        RegistrarDialect::Rfc8898 {
            scope: Some(scope), ..
        } if !scope.split(' ').all(|scope| token.has_scope(scope)) => Err(Judged::Rejected {
            verdict: TokenVerdict::InsufficientScope {
                user: token.user().to_owned(),
                wanted: scope.clone(),
            },
            error: BearerError::InsufficientScope,
        }),
        RegistrarDialect::Rfc8898 { .. } | RegistrarDialect::UnifiedCm { .. } => Ok(token),
    }
}
