//! RFC 8898: what a refusal is answered with, by role and dialect.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{CLAIMS, HEADER, at, now, rfc9068, sign, verify_with, with};
use sip_oauth_token::{
    AccessToken, BearerError, ChallengeDialect, KeySet, Policy, Role, SipAnswer, TokenError,
    Verifier,
};

const ROLES: [Role; 2] = [Role::Registrar, Role::Proxy];
const DIALECTS: [ChallengeDialect; 2] = [ChallengeDialect::Rfc8898, ChallengeDialect::UnifiedCm];

fn refused(header: &str, claims: &str) -> TokenError {
    verify_with(rfc9068(), &sign(header, claims)).unwrap_err()
}

/// A refusal of each class a token can meet.
fn invalid() -> Vec<TokenError> {
    let good = sign(HEADER, CLAIMS);
    let revoked = {
        let verifier = Verifier::new(common::keys(), rfc9068());
        verifier.revoke_token("t1");
        verifier.verify(&good, now()).unwrap_err()
    };
    vec![
        AccessToken::parse("").unwrap_err(),
        AccessToken::parse("a b").unwrap_err(),
        verify_with(rfc9068(), "opaque").unwrap_err(),
        refused(&with(HEADER, "alg", Some("\"none\"")), CLAIMS),
        refused(&with(HEADER, "kid", Some("\"other\"")), CLAIMS),
        refused(&with(HEADER, "crit", Some("[]")), CLAIMS),
        refused(
            HEADER,
            &with(CLAIMS, "iss", Some("\"https://other.example\"")),
        ),
        refused(HEADER, &with(CLAIMS, "aud", Some("\"sip:other.example\""))),
        refused(HEADER, &with(CLAIMS, "sub", None)),
        refused(HEADER, &with(CLAIMS, "ctyp", Some("\"refresh\""))),
        Verifier::new(common::keys(), rfc9068())
            .verify(&good, at(1_800_000_000))
            .unwrap_err(),
        revoked,
    ]
}

mod section_2_2_uas_and_registrar {
    use super::*;

    /// "If the token is expired or invalid, the UAS/registrar MUST reject the request" with 401.
    #[test]
    fn a_registrar_challenges_with_401_and_says_invalid_token() {
        for error in invalid() {
            let answer = error.answer(Role::Registrar, ChallengeDialect::Rfc8898);
            assert_eq!(answer.to_string(), "401 error=\"invalid_token\"", "{error}");
        }
    }

    #[test]
    fn a_missing_scope_is_asked_for_in_the_challenge() {
        let policy = rfc9068().require_scope("sip");
        let error = verify_with(policy, &sign(HEADER, CLAIMS)).unwrap_err();
        let answer = error.answer(Role::Registrar, ChallengeDialect::Rfc8898);
        assert_eq!(answer.status(), 401);
        // RFC 8898 section 4 names `invalid_token` and `invalid_scope`; `insufficient_scope` is that of RFC 6750.
        assert_eq!(error.error_code(), BearerError::InsufficientScope);
        assert_eq!(answer.to_string(), "401 error=\"invalid_scope\"");
        let answer = error.answer(Role::Proxy, ChallengeDialect::Rfc8898);
        assert_eq!(answer.error(), Some(BearerError::InvalidScope));
    }
}

mod section_2_3_proxy {
    use super::*;

    #[test]
    fn a_proxy_challenges_with_407() {
        for error in invalid() {
            let answer = error.answer(Role::Proxy, ChallengeDialect::Rfc8898);
            assert_eq!(answer.to_string(), "407 error=\"invalid_token\"", "{error}");
        }
    }
}

mod unified_cm {
    use super::*;

    #[test]
    fn its_challenge_is_407_and_silent_whoever_answers() {
        for error in invalid() {
            for role in ROLES {
                let answer = error.answer(role, ChallengeDialect::UnifiedCm);
                assert_eq!(
                    answer,
                    SipAnswer::Challenge {
                        status: 407,
                        error: None
                    },
                    "{error}"
                );
            }
        }
    }

    /// A challenge that cannot name the scope would bring back the same token for ever.
    #[test]
    fn a_missing_scope_is_403() {
        let policy = rfc9068().require_scope("sip");
        let error = verify_with(policy, &sign(HEADER, CLAIMS)).unwrap_err();
        for role in ROLES {
            let answer = error.answer(role, ChallengeDialect::UnifiedCm);
            assert_eq!(
                (answer, answer.status(), answer.error()),
                (SipAnswer::Forbid, 403, None)
            );
        }
    }
}

/// A client is not told that its token is bad when nobody knows.
#[test]
fn without_a_verdict_the_answer_is_503() {
    let policy = Policy::introspection(common::ISSUER, common::AUDIENCE);
    let verifier = Verifier::new(KeySet::builder().build(), policy);
    let error = verifier.verify("opaque", now()).unwrap_err();
    for role in ROLES {
        for dialect in DIALECTS {
            assert_eq!(error.answer(role, dialect).to_string(), "503");
        }
    }
}

/// The sentence is one sentence, says what to do, and differs from what is wrong.
#[test]
fn every_refusal_has_a_sentence_for_the_operator() {
    for error in invalid() {
        let advice = error.advice();
        assert!(
            advice.len() > 20 && !advice.ends_with('.') && !advice.contains('\n'),
            "{advice}"
        );
        assert_ne!(advice, error.to_string());
    }
}
