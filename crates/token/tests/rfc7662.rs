//! RFC 7662: what an authorization server says about an opaque token.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use common::{AUDIENCE, ISSUER, NOW, at, now, with};
use sip_oauth_token::{
    ChallengeDialect, Fault, Form, KeySet, MAX_INTROSPECTION_BYTES, Policy, Role, SipAnswer,
    TokenErrorKind, VerifiedToken, Verifier,
};

const ROLES: [(Role, ChallengeDialect); 3] = [
    (Role::Registrar, ChallengeDialect::Rfc8898),
    (Role::Proxy, ChallengeDialect::Rfc8898),
    (Role::Registrar, ChallengeDialect::UnifiedCm),
];
const TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";
const RESPONSE: &str = r#"{"active":true,"iss":"https://as.example.com","exp":1700003600,"aud":"sip:example.com","sub":"rado","username":"Rado","client_id":"C1","iat":1700000000,"jti":"t1","scope":"sip profile","token_type":"Bearer"}"#;

fn policy() -> Policy {
    Policy::introspection(ISSUER, AUDIENCE)
}

fn verifier(policy: Policy) -> Verifier {
    Verifier::new(KeySet::builder().build(), policy).with_cache(16)
}

fn judge(policy: Policy, response: &str) -> Result<VerifiedToken, String> {
    verifier(policy)
        .introspected(TOKEN, response.as_bytes(), now())
        .map_err(|refused| refused.to_string())
}

fn refusal(response: &str) -> String {
    judge(policy(), response).unwrap_err()
}

mod section_2_2_introspection_response {
    use super::*;

    #[test]
    fn an_active_token_is_judged_by_its_claims() {
        let token = judge(policy().require_scope("sip"), RESPONSE).unwrap();
        assert_eq!(token.form(), Form::Opaque);
        assert_eq!(token.user(), "rado");
        assert_eq!(token.client_id(), Some("C1"));
        assert_eq!(token.token_id(), Some("t1"));
        assert_eq!(token.scopes(), ["sip", "profile"]);
        assert_eq!(token.expires_at(), at(NOW + 3600));
    }

    /// "REQUIRED. Boolean indicator of whether or not the presented token is currently active."
    #[test]
    fn active_is_required_and_a_boolean() {
        let with_active = |value| refusal(&with(RESPONSE, "active", value));
        assert_eq!(
            with_active(Some("false")),
            "introspection of the token: not active"
        );
        assert_eq!(
            with_active(None),
            "introspection of the token: member \"active\" is absent, expected true or false (RFC 7662 section 2.2)"
        );
        for value in ["\"true\"", "1", "null", "{}"] {
            assert_eq!(
                with_active(Some(value)),
                "introspection of the token: member \"active\" is no boolean, expected true or false (RFC 7662 section 2.2)"
            );
        }
    }

    /// What an answer does not say is no reason to call a token bad: the client would drop a good one.
    #[test]
    fn an_answer_that_does_not_say_active_is_no_verdict() {
        let refused = |response: &str| {
            let answer = verifier(policy()).introspected(TOKEN, response.as_bytes(), now());
            answer.unwrap_err()
        };
        let unread = " ".repeat(MAX_INTROSPECTION_BYTES + 1);
        for response in ["", "<html>", "{}", r#"{"active":"true"}"#, &unread] {
            let refused = refused(response);
            assert!(
                refused.is_open() && !refused.needs_introspection(),
                "{refused}"
            );
            assert_eq!(refused.fault(), Fault::Configuration);
            assert!(refused.advice().contains("endpoint"), "{refused}");
            for (role, dialect) in ROLES {
                let answer = refused.answer(role, dialect);
                assert_eq!(answer, SipAnswer::Unavailable, "{refused}");
            }
        }
        // Said to be active, or not: that is a verdict, whatever else the answer lacks.
        for response in [r#"{"active":false}"#, r#"{"active":true}"#] {
            let refused = refused(response);
            assert!(!refused.is_open(), "{refused}");
            for (role, dialect) in ROLES {
                let status = refused.answer(role, dialect).status();
                assert!(matches!(status, 401 | 407), "{status} {refused}");
            }
        }
    }

    #[test]
    fn an_inactive_token_needs_no_other_member() {
        assert_eq!(
            refusal(r#"{"active":false}"#),
            "introspection of the token: not active"
        );
    }

    #[test]
    fn nothing_is_accepted_because_it_is_absent() {
        for name in ["iss", "aud", "sub", "client_id", "exp", "iat", "token_type"] {
            assert_eq!(
                refusal(&with(RESPONSE, name, None)),
                format!("token claim {name:?}: absent, but required")
            );
        }
    }

    #[test]
    fn members_of_another_type_are_refused() {
        for name in [
            "iss",
            "aud",
            "sub",
            "client_id",
            "exp",
            "iat",
            "nbf",
            "jti",
            "scope",
            "token_type",
        ] {
            let refused = refusal(&with(RESPONSE, name, Some("{}")));
            assert!(
                refused.starts_with(&format!("token claim {name:?}: expected ")),
                "{refused}"
            );
        }
    }

    #[test]
    fn issuer_audience_scope_and_times_are_held_against_the_policy() {
        for (name, value, sentence) in [
            (
                "iss",
                "\"https://other.example\"",
                "token claim \"iss\": expected \"https://as.example.com\", found \"https://other.example\"",
            ),
            (
                "aud",
                "[\"sip:other.example\"]",
                "token claim \"aud\": expected \"sip:example.com\", found \"sip:other.example\"",
            ),
            ("exp", "1699999900", "token claim \"exp\": expired 100s ago"),
            (
                "nbf",
                "1700000100",
                "token claim \"nbf\": not valid before 100s from now",
            ),
            (
                "iat",
                "1700000100",
                "token claim \"iat\": issued 100s from now",
            ),
            (
                "exp",
                "1700100000",
                "token claim \"exp\": lifetime of 100000s, more than the 86400s allowed",
            ),
            (
                "scope",
                "\"profile\"",
                "token claim \"scope\": scope \"sip\" was not granted",
            ),
        ] {
            let refused = judge(
                policy().require_scope("sip"),
                &with(RESPONSE, name, Some(value)),
            );
            assert_eq!(refused.unwrap_err(), sentence);
        }
    }

    #[test]
    fn a_refresh_token_is_refused_though_active() {
        for (name, value) in [
            ("token_type", "refresh_token"),
            ("typ", "Refresh"),
            ("ctyp", "refresh"),
        ] {
            let response = with(RESPONSE, name, Some(&format!("{value:?}")));
            assert_eq!(
                refusal(&response),
                "introspection of the token: is a refresh token, expected an access token"
            );
        }
    }

    /// A token bound to a key, as `DPoP` is, is no bearer token.
    #[test]
    fn the_type_must_be_bearer() {
        assert!(judge(policy(), &with(RESPONSE, "token_type", Some("\"bearer\""))).is_ok());
        assert_eq!(
            refusal(&with(RESPONSE, "token_type", Some("\"DPoP\""))),
            "token claim \"token_type\": type \"DPoP\", expected \"Bearer\""
        );
    }

    #[test]
    fn what_a_server_leaves_out_is_named_by_the_policy() {
        let lean = r#"{"active":true,"username":"rado","exp":1700003600}"#;
        assert!(judge(policy(), lean).is_err());
        let names = sip_oauth_token::ClaimNames {
            user: "username".to_owned(),
            ..sip_oauth_token::ClaimNames::rfc9068()
        };
        let lenient = policy()
            .endpoint_vouches(true)
            .claim_names(names)
            .required_claims([]);
        let token = judge(lenient.clone(), lean).unwrap();
        assert_eq!((token.user(), token.issuer()), ("rado", ISSUER));
        // What is there is not overruled by what may be absent.
        for (name, value) in [
            ("iss", "\"https://other.example\""),
            ("aud", "\"sip:other.example\""),
            ("iss", "null"),
            ("aud", "null"),
        ] {
            assert!(
                judge(lenient.clone(), &with(lean, name, Some(value))).is_err(),
                "{name} {value}"
            );
        }
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        for (response, sentence) in [
            ("", "does not start with '{', at byte 0"),
            ("[true]", "does not start with '{', at byte 0"),
            ("{\"active\":true", "ends too early, at byte 13"),
            (
                "{\"active\":true,\"active\":true}",
                "a member stands twice, at byte 22",
            ),
            ("{\"active\":true} x", "syntax, at byte 16"),
        ] {
            assert_eq!(
                refusal(response),
                format!("introspection of the token: not a JSON object: {sentence}")
            );
        }
    }

    #[test]
    fn a_response_over_the_limit_is_not_read() {
        let padded = |bytes: usize| format!("{}{RESPONSE}", " ".repeat(bytes - RESPONSE.len()));
        assert!(judge(policy(), &padded(MAX_INTROSPECTION_BYTES)).is_ok());
        assert_eq!(
            refusal(&padded(MAX_INTROSPECTION_BYTES + 1)),
            "introspection of the token: 65537 bytes, more than the 65536 allowed"
        );
    }
}

mod section_4_security_considerations {
    use super::*;

    #[test]
    fn an_opaque_token_is_a_question_until_it_is_answered() {
        let verifier = verifier(policy());
        let refused = verifier.verify(TOKEN, now()).unwrap_err();
        assert!(refused.needs_introspection());
        assert_eq!(refused.kind(), &TokenErrorKind::IntrospectionNeeded);
        let told = verifier
            .introspected(TOKEN, RESPONSE.as_bytes(), now())
            .unwrap();
        assert_eq!(verifier.verify(TOKEN, now()).unwrap(), told);
        assert!(
            verifier
                .verify("another", now())
                .unwrap_err()
                .needs_introspection()
        );
    }

    /// "A resource server MAY cache ... for a short period"; and never past the expiry.
    #[test]
    fn an_answer_is_used_again_for_the_time_of_the_policy() {
        let verifier = verifier(policy().introspection_reuse(Duration::from_secs(30)));
        verifier
            .introspected(TOKEN, RESPONSE.as_bytes(), now())
            .unwrap();
        assert!(verifier.verify(TOKEN, at(NOW + 29)).is_ok());
        assert!(
            verifier
                .verify(TOKEN, at(NOW + 30))
                .unwrap_err()
                .needs_introspection()
        );

        for reuse in [Duration::from_secs(7200), Duration::MAX] {
            let long = super::verifier(policy().introspection_reuse(reuse));
            long.introspected(TOKEN, RESPONSE.as_bytes(), now())
                .unwrap();
            assert!(long.verify(TOKEN, at(NOW + 3600 + 59)).is_ok(), "leeway");
            assert!(long.verify(TOKEN, at(NOW + 3600 + 60)).is_err());
        }
    }

    #[test]
    fn no_reuse_no_memory() {
        let verifier = verifier(policy().introspection_reuse(Duration::ZERO));
        verifier
            .introspected(TOKEN, RESPONSE.as_bytes(), now())
            .unwrap();
        assert!(
            verifier
                .verify(TOKEN, now())
                .unwrap_err()
                .needs_introspection()
        );
    }

    #[test]
    fn a_refused_answer_is_not_remembered() {
        let verifier = verifier(policy());
        let inactive = verifier.introspected(TOKEN, br#"{"active":false}"#, now());
        assert_eq!(inactive.unwrap_err().kind(), &TokenErrorKind::Inactive);
        assert!(
            verifier
                .verify(TOKEN, now())
                .unwrap_err()
                .needs_introspection()
        );
    }

    /// RFC 7662 section 4: what the server says last is what holds.
    #[test]
    fn a_later_answer_takes_the_earlier_verdict_back() {
        let other = r#"{"active":true,"iss":"https://other.example"}"#;
        for refused in [r#"{"active":false}"#, other, "not JSON", "{}"] {
            let verifier = verifier(policy());
            let second = "another-token";
            for text in [TOKEN, second] {
                verifier
                    .introspected(text, RESPONSE.as_bytes(), now())
                    .unwrap();
            }
            assert!(
                verifier
                    .introspected(TOKEN, refused.as_bytes(), now())
                    .is_err()
            );
            let unknown = verifier.verify(TOKEN, now()).unwrap_err();
            assert!(unknown.needs_introspection(), "{refused}");
            assert!(verifier.verify(second, now()).is_ok(), "{refused}");
        }
    }

    #[test]
    fn a_revoked_token_is_refused_although_the_answer_is_remembered() {
        let verifier = verifier(policy());
        verifier
            .introspected(TOKEN, RESPONSE.as_bytes(), now())
            .unwrap();
        verifier.revoke_token("t1");
        assert_eq!(
            verifier.verify(TOKEN, now()).unwrap_err().kind(),
            &TokenErrorKind::Revoked
        );
        let again = verifier.introspected(TOKEN, RESPONSE.as_bytes(), now());
        assert_eq!(again.unwrap_err().kind(), &TokenErrorKind::Revoked);
    }

    /// A key set that is replaced has nothing to do with what a server said.
    #[test]
    fn an_answer_outlives_a_key_set() {
        let verifier = verifier(policy());
        verifier
            .introspected(TOKEN, RESPONSE.as_bytes(), now())
            .unwrap();
        verifier.replace_keys(common::keys());
        assert!(verifier.verify(TOKEN, now()).is_ok());
    }

    #[test]
    fn a_policy_without_opaque_tokens_takes_no_answer() {
        let verifier = verifier(common::rfc9068());
        let refused = verifier
            .introspected(TOKEN, RESPONSE.as_bytes(), now())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token: an opaque token, but the policy takes a signed JWT"
        );
        let refused = verifier.verify(TOKEN, now()).unwrap_err();
        assert!(matches!(refused.kind(), TokenErrorKind::Segments { .. }));
    }

    #[test]
    fn beside_other_forms_only_text_without_form_is_opaque() {
        let policy = policy()
            .forms([Form::Jwt, Form::Opaque])
            .types(["at+jwt", "Bearer"])
            .required_claims(["sub"]);
        let verifier = Verifier::new(common::keys(), policy).with_cache(16);
        let jwt = common::sign(common::HEADER, common::CLAIMS);
        assert_eq!(verifier.verify(&jwt, now()).unwrap().form(), Form::Jwt);
        assert!(
            verifier
                .verify(TOKEN, now())
                .unwrap_err()
                .needs_introspection()
        );
        assert!(
            !verifier
                .verify("a.b.c", now())
                .unwrap_err()
                .needs_introspection()
        );

        let opaque_only = super::verifier(super::policy());
        assert!(
            opaque_only
                .verify(&jwt, now())
                .unwrap_err()
                .needs_introspection()
        );
    }
}
