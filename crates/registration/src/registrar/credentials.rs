//! The token of a request, found and judged.

use std::time::SystemTime;

use sip_oauth_message::header::{Authorization, ProxyAuthorization};
use sip_oauth_message::{BearerCredentials, Credentials, MessageView, ParseError};
use sip_oauth_token::{BearerError, VerifiedToken, Verifier};

use super::observation::TokenVerdict;
use super::options::{RegistrarDialect, TokenPlace};

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
    for found in credentials(request, dialect, place) {
        let verdict = match found {
            Ok(Credentials::Bearer(bearer)) => match verify(&bearer, dialect, verifier, now) {
                Ok(token) => return Judged::Genuine(token),
                Err(rejected) => rejected,
            },
            Ok(Credentials::Digest(_) | Credentials::Other(_)) => continue,
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

/// The credentials of a request, those that answer the dialect's challenge first.
fn credentials<'a>(
    request: &MessageView<'a>,
    dialect: &RegistrarDialect,
    place: TokenPlace,
) -> impl Iterator<Item = Result<Credentials<'a>, ParseError>> {
    let proxy = || -> Vec<_> {
        request
            .all::<ProxyAuthorization<'a>>()
            .map(|field| field.map(|field| field.credentials()))
            .collect()
    };
    let www = || -> Vec<_> {
        request
            .all::<Authorization<'a>>()
            .map(|field| field.map(|field| field.credentials()))
            .collect()
    };
    let (first, second) = match dialect {
        RegistrarDialect::UnifiedCm { .. } => (proxy(), www()),
        RegistrarDialect::Rfc8898 { .. } => (www(), proxy()),
    };
    let second = match place {
        TokenPlace::Both => second,
        TokenPlace::AnswerOnly => Vec::new(),
    };
    first.into_iter().chain(second)
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
