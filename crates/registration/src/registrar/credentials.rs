//! The token of a request, found and judged.

use std::time::SystemTime;

use sip_oauth_message::{BearerCredentials, MessageView};
use sip_oauth_token::{BearerError, SipAnswer, VerifiedToken, Verifier};

use super::arrival::Arrival;
use super::observation::TokenVerdict;
use super::options::{RegistrarConfig, RegistrarDialect, TokenPlace};
use crate::bearer::{Field, Hope, bearers};

/// What became of the token: who it speaks for, or what to tell the client.
#[derive(Debug)]
pub(super) enum Judged {
    Genuine(VerifiedToken),
    Missing,
    Rejected {
        verdict: TokenVerdict,
        answer: SipAnswer,
    },
}

/// Finds the token and verifies it.
///
/// A request may carry several, one for each realm on its way: a value "MUST NOT be consumed by any proxy
/// whose realm does not match" (RFC 3261 section 22.3). One that holds is enough; when none does, the
/// client hears about the first of those that may yet be found good, else about the first.
pub(super) fn judge(
    request: &MessageView<'_>,
    arrival: &Arrival,
    config: &RegistrarConfig,
    verifier: &Verifier,
    now: SystemTime,
) -> Judged {
    let mut failure: Option<Judged> = None;
    for found in bearers(request, fields(&config.dialect, config.token_place)) {
        let verdict = match found {
            Ok(bearer) => match verify(&bearer, arrival, config, verifier, now) {
                Ok(token) => return Judged::Genuine(token),
                Err(rejected) => rejected,
            },
            Err(error) => Judged::Rejected {
                verdict: TokenVerdict::Unreadable {
                    why: error.to_string(),
                },
                answer: config
                    .answer(|role, dialect| BearerError::InvalidRequest.answer(role, dialect)),
            },
        };
        if failure
            .as_ref()
            .is_none_or(|known| known.hope() < verdict.hope())
        {
            failure = Some(verdict);
        }
    }
    failure.unwrap_or(Judged::Missing)
}

impl Judged {
    fn hope(&self) -> Hope {
        match self {
            Self::Rejected {
                verdict: TokenVerdict::Rejected(error),
                ..
            } => Hope::of(error),
            Self::Rejected { .. } | Self::Genuine(_) | Self::Missing => Hope::None,
        }
    }
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
    arrival: &Arrival,
    config: &RegistrarConfig,
    verifier: &Verifier,
    now: SystemTime,
) -> Result<VerifiedToken, Judged> {
    let token = match arrival.judged_token(bearer.expose()) {
        Some(judged) => judged.clone(),
        None => verifier
            .verify(bearer.expose(), now)
            .map_err(|error| Judged::Rejected {
                answer: config.answer(|role, dialect| error.answer(role, dialect)),
                verdict: TokenVerdict::Rejected(error),
            })?,
    };
    match &config.dialect {
        RegistrarDialect::Rfc8898 {
            scope: Some(scope), ..
        } if !scope.split(' ').all(|scope| token.has_scope(scope)) => Err(Judged::Rejected {
            verdict: TokenVerdict::InsufficientScope {
                user: token.user().to_owned(),
                wanted: scope.clone(),
            },
            answer: config
                .answer(|role, dialect| BearerError::InsufficientScope.answer(role, dialect)),
        }),
        RegistrarDialect::Rfc8898 { .. } | RegistrarDialect::UnifiedCm { .. } => Ok(token),
    }
}
