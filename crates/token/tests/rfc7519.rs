//! RFC 7519: the claims of a JWT, held against a policy; RFC 9068 where it asks for more.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use std::time::Duration;

use common::{
    AUDIENCE, CLAIMS, HEADER, ISSUER, NOW, at, keys, now, refusal, rfc9068, sign, verify,
    verify_with, with,
};
use sip_oauth_token::{BearerError, Fault, Form, KeySet, Policy, TokenErrorKind, Verifier};

/// A good token with one claim replaced, or removed.
fn token(name: &str, value: Option<&str>) -> String {
    sign(HEADER, with(CLAIMS, name, value))
}

#[test]
fn a_verified_token_says_what_the_claims_say() {
    let claims = with(CLAIMS, "scope", Some("\"one two\""));
    let token = verify(&sign(HEADER, claims)).unwrap();
    assert_eq!(token.form(), Form::Jwt);
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.user(), "rado");
    assert_eq!(token.client_id(), Some("C1"));
    assert_eq!(token.audience(), [AUDIENCE]);
    assert_eq!(token.scopes(), ["one", "two"]);
    assert!(token.has_scope("two") && !token.has_scope("Two"));
    assert_eq!(token.token_id(), Some("t1"));
    assert_eq!(token.issued_at(), Some(now()));
    assert_eq!(token.expires_at(), at(NOW + 3600));
}

/// The example of section 3.1, signed with the key of RFC 7515 Appendix A.1: `iss`, `exp` and a claim of nobody's.
mod section_3_1_example {
    use sip_oauth_token::{Algorithm, ClaimNames, VerifyingKey};

    use super::*;

    const HEADER_SEGMENT: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    const CLAIMS_SEGMENT: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE_SEGMENT: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const SECRET: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    const EXPIRES: u64 = 1_300_819_380;

    fn verifier(policy: Policy) -> Verifier {
        let key = VerifyingKey::from_jwk_for(SECRET, Algorithm::Hs256).unwrap();
        let keys = KeySet::builder().verifying_key("secret", key).unwrap();
        Verifier::new(keys.build(), policy.key_id_required(false))
    }

    /// The example names no user and no audience; a policy for it says so: the issuer is the user.
    fn policy() -> Policy {
        let names = ClaimNames {
            user: "iss".to_owned(),
            ..ClaimNames::rfc9068()
        };
        Policy::unified_cm("joe")
            .forms([Form::Jwt])
            .algorithms([Algorithm::Hs256])
            .claim_names(names)
            .required_claims([])
            .leeway(Duration::ZERO)
    }

    fn example() -> String {
        [HEADER_SEGMENT, CLAIMS_SEGMENT, SIGNATURE_SEGMENT].join(".")
    }

    #[test]
    fn its_segments_are_those_octets() {
        let header = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
        let claims =
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        assert_eq!(common::b64(header), HEADER_SEGMENT);
        assert_eq!(common::b64(claims), CLAIMS_SEGMENT);
    }

    #[test]
    fn it_is_good_until_the_second_it_expires() {
        let verifier = verifier(policy());
        let token = verifier.verify(&example(), at(EXPIRES - 1)).unwrap();
        assert_eq!((token.issuer(), token.user()), ("joe", "joe"));
        assert_eq!(token.expires_at(), at(EXPIRES));
        let refused = verifier.verify(&example(), at(EXPIRES)).unwrap_err();
        assert!(
            matches!(refused.kind(), TokenErrorKind::Expired { .. }),
            "{refused}"
        );
    }

    #[test]
    fn the_usual_policies_miss_what_it_does_not_say() {
        for (policy, sentence) in [
            (
                Policy::rfc9068("joe", AUDIENCE),
                "token header: algorithm HS256 is not in the policy",
            ),
            (
                Policy::jwt("joe", AUDIENCE).algorithms([Algorithm::Hs256]),
                "token claim \"aud\": absent, but required",
            ),
            (
                policy().claim_names(ClaimNames::rfc9068()),
                "token claim \"sub\": absent, but required",
            ),
            (
                policy().required_claims(["iat"]),
                "token claim \"iat\": absent, but required",
            ),
        ] {
            let refused = verifier(policy).verify(&example(), at(EXPIRES - 1));
            assert_eq!(refused.unwrap_err().to_string(), sentence);
        }
    }

    /// Section 6.1, the same claims unsecured; Appendix A.1, encrypted with RSA1_5; A.2 around a signed one.
    #[test]
    fn the_unsecured_and_the_encrypted_examples_are_refused_by_algorithm() {
        let policy = || policy().forms([Form::Jwt, Form::Nested]);
        for (token, sentence) in [
            (
                format!("{}.{CLAIMS_SEGMENT}.", common::b64(r#"{"alg":"none"}"#)),
                "token header: algorithm none is never accepted here",
            ),
            (
                format!(
                    "{}.AAAA.AAAA.AAAA.AAAA",
                    common::b64(r#"{"alg":"RSA1_5","enc":"A128CBC-HS256"}"#)
                ),
                "header of the token's encrypted part: algorithm RSA1_5 is never accepted (padding oracles, RFC 8725 section 3.2)",
            ),
            (
                format!(
                    "{}.AAAA.AAAA.AAAA.AAAA",
                    common::b64(r#"{"alg":"RSA1_5","enc":"A128CBC-HS256","cty":"JWT"}"#)
                ),
                "header of the token's encrypted part: algorithm RSA1_5 is never accepted (padding oracles, RFC 8725 section 3.2)",
            ),
        ] {
            let refused = verifier(policy()).verify(&token, at(EXPIRES - 1));
            assert_eq!(refused.unwrap_err().to_string(), sentence);
        }
    }
}

mod section_4_1_1_iss {
    use super::*;

    #[test]
    fn another_issuer_is_refused() {
        assert_eq!(
            refusal(&token("iss", Some("\"https://other.example\""))),
            "token claim \"iss\": expected \"https://as.example.com\", found \"https://other.example\""
        );
    }

    #[test]
    fn an_issuer_is_compared_by_case_and_whole() {
        for issuer in [
            "HTTPS://AS.EXAMPLE.COM",
            "https://as.example.com/",
            "https://as.example.co",
            "",
        ] {
            assert!(
                verify(&token("iss", Some(&format!("{issuer:?}")))).is_err(),
                "{issuer}"
            );
        }
    }

    #[test]
    fn an_array_is_no_issuer() {
        let value = format!("[{ISSUER:?}]");
        assert_eq!(
            refusal(&token("iss", Some(&value))),
            "token claim \"iss\": expected a string"
        );
    }

    /// Each by keys of its own: see RFC 8725 section 3.8.
    #[test]
    fn one_of_several_issuers_is_enough() {
        const SECOND: &str = "https://second.example";
        let policy = rfc9068().issuer(SECOND);
        let verifier = Verifier::new(KeySet::builder().build(), policy);
        verifier.replace_keys_of(SECOND, common::keys());
        let token = token("iss", Some(&format!("{SECOND:?}")));
        assert_eq!(verifier.verify(&token, now()).unwrap().issuer(), SECOND);
    }
}

mod section_4_1_3_aud {
    use super::*;

    #[test]
    fn one_audience_of_an_array_is_enough() {
        let value = format!(r#"["sip:other.example",{AUDIENCE:?}]"#);
        assert!(verify(&token("aud", Some(&value))).is_ok());
    }

    #[test]
    fn another_audience_is_refused() {
        assert_eq!(
            refusal(&token("aud", Some("\"sip:other.example\""))),
            "token claim \"aud\": expected \"sip:example.com\", found \"sip:other.example\""
        );
        assert_eq!(
            refusal(&token("aud", Some("[]"))),
            "token claim \"aud\": expected \"sip:example.com\", found none"
        );
    }

    /// Unified CM's form has no audience that is known; any other form names one, or none does.
    #[test]
    fn a_policy_without_audience_takes_no_token_for_somebody() {
        let nobody = || {
            Policy::unified_cm(ISSUER)
                .forms([Form::Jwt])
                .types(["at+jwt"])
                .required_claims([])
        };
        assert!(verify_with(nobody(), &token("aud", None)).is_ok());
        assert_eq!(
            verify_with(nobody(), &token("aud", Some("\"sip:example.com\"")))
                .unwrap_err()
                .to_string(),
            "token claim \"aud\": expected none, found \"sip:example.com\""
        );
        let claims = with(common::UCM_CLAIMS, "aud", Some("\"somebody\""));
        assert!(common::verify_ucm(&common::unified_cm(claims)).is_ok());
    }

    #[test]
    fn other_types_are_refused() {
        for value in ["7", "{}", "null", "[7]", "[[\"sip:example.com\"]]"] {
            assert!(verify(&token("aud", Some(value))).is_err(), "{value}");
        }
    }

    #[test]
    fn an_absent_audience_is_refused_even_where_it_is_not_listed_as_required() {
        let policy = rfc9068().required_claims([]);
        assert!(verify_with(policy, &token("aud", None)).is_err());
    }
}

mod section_4_1_4_exp {
    use super::*;

    fn verify_at(exp: &str, seconds: u64) -> Result<(), String> {
        let verifier = Verifier::new(keys(), rfc9068().leeway(Duration::from_secs(10)));
        let verdict = verifier.verify(&token("exp", Some(exp)), at(seconds));
        verdict.map(drop).map_err(|refused| refused.to_string())
    }

    #[test]
    fn a_token_is_good_until_exp_plus_leeway_exclusive() {
        assert_eq!(verify_at("1700003600", NOW + 3609), Ok(()));
        let refused = verify_at("1700003600", NOW + 3610);
        assert_eq!(refused.unwrap_err(), "token claim \"exp\": expired 10s ago");
    }

    #[test]
    fn a_fraction_counts() {
        assert_eq!(verify_at("1700003600.5", NOW + 3610), Ok(()));
        assert!(verify_at("1700003600.5", NOW + 3611).is_err());
    }

    #[test]
    fn other_types_are_refused() {
        for value in [
            "\"1700003600\"",
            "-1",
            "1e300",
            "true",
            "[1700003600]",
            "null",
            "18446744073709551615",
        ] {
            assert!(verify(&token("exp", Some(value))).is_err(), "{value}");
        }
    }

    #[test]
    fn exp_is_required_even_where_it_is_not_listed() {
        let policy = rfc9068().required_claims([]);
        let refused = verify_with(policy, &token("exp", None)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token claim \"exp\": absent, but required"
        );
    }
}

mod section_4_1_5_nbf {
    use super::*;

    #[test]
    fn a_token_is_good_from_nbf_minus_leeway() {
        assert!(verify(&token("nbf", Some("1700000060"))).is_ok());
        assert_eq!(
            refusal(&token("nbf", Some("1700000061"))),
            "token claim \"nbf\": not valid before 61s from now"
        );
    }
}

mod section_4_1_6_iat {
    use super::*;

    #[test]
    fn iat_may_not_lie_in_the_future() {
        assert!(verify(&token("iat", Some("1700000060"))).is_ok());
        assert_eq!(
            refusal(&token("iat", Some("1700000061"))),
            "token claim \"iat\": issued 61s from now"
        );
    }

    /// 1440 minutes, the end of the OAuth Access Token Expiry Timer, where the policy says nothing else.
    #[test]
    fn a_day_is_the_longest_lifetime_of_every_preset() {
        let of = |seconds: u64| (NOW + seconds).to_string();
        let jwt = |seconds| sign(HEADER, with(CLAIMS, "exp", Some(&of(seconds))));
        let ucm = |seconds| common::unified_cm(with(common::UCM_CLAIMS, "exp", Some(&of(seconds))));
        assert!(verify(&jwt(86_400)).is_ok());
        assert!(common::verify_ucm(&ucm(86_400)).is_ok());
        for refused in [refusal(&jwt(86_401)), common::ucm_refusal(&ucm(86_401))] {
            assert_eq!(
                refused,
                "token claim \"exp\": lifetime of 86401s, more than the 86400s allowed"
            );
        }
    }

    #[test]
    fn a_lifetime_longer_than_the_policys_is_refused() {
        let policy = rfc9068().max_lifetime(Duration::from_secs(3599));
        let refused = verify_with(policy, &sign(HEADER, CLAIMS)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token claim \"exp\": lifetime of 3600s, more than the 3599s allowed"
        );
        assert_eq!(refused.fault(), Fault::Configuration);
    }

    /// Sections 4.1.4 and 4.1.6: one clock makes both, so no leeway helps.
    #[test]
    fn a_token_that_was_over_before_it_was_issued_is_refused() {
        let token = |issued: u64| {
            let claims = with(CLAIMS, "iat", Some(&issued.to_string()));
            sign(HEADER, with(&claims, "exp", Some(&NOW.to_string())))
        };
        assert!(verify(&token(NOW)).is_ok(), "within the leeway of 60 s");
        let refused = verify(&token(NOW + 1)).unwrap_err();
        assert_eq!(refused.kind(), &TokenErrorKind::EndsBeforeIssued);
        assert_eq!(refused.to_string(), "token claim \"exp\": is before `iat`");
    }

    #[test]
    fn without_iat_the_lifetime_counts_from_now() {
        let policy = Policy::jwt(ISSUER, AUDIENCE)
            .types(["at+jwt"])
            .max_lifetime(Duration::from_secs(3599));
        let verifier = Verifier::new(keys(), policy);
        assert!(verifier.verify(&token("iat", None), at(NOW + 1)).is_ok());
        assert!(verifier.verify(&token("iat", None), now()).is_err());
    }
}

mod rfc9068_section_2_2_required_claims {
    use super::*;

    #[test]
    fn nothing_is_accepted_because_it_is_absent() {
        for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
            let sentence = format!("token claim {name:?}: absent, but required");
            assert_eq!(refusal(&token(name, None)), sentence);
            assert_eq!(refusal(&token(name, Some("null"))), sentence);
        }
    }

    #[test]
    fn an_empty_string_is_absent() {
        for name in ["sub", "client_id", "jti"] {
            assert_eq!(
                refusal(&token(name, Some("\"\""))),
                format!("token claim {name:?}: absent, but required")
            );
        }
    }

    #[test]
    fn other_types_than_string_are_refused() {
        for name in ["sub", "client_id", "jti"] {
            assert_eq!(
                refusal(&token(name, Some("7"))),
                format!("token claim {name:?}: expected a string")
            );
        }
    }
}

/// A name that is empty names nobody, though the policy requires no claim.
#[test]
fn an_empty_user_is_no_user() {
    let policy = || rfc9068().required_claims([]);
    assert!(verify_with(policy(), &sign(HEADER, CLAIMS)).is_ok());
    for empty in [Some("\"\""), None] {
        let refused = verify_with(policy(), &token("sub", empty)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token claim \"sub\": absent, but required"
        );
    }
}

/// What a claim is called and that it must be there are two settings; the one follows the other.
#[test]
fn a_required_claim_is_required_under_its_new_name() {
    let names = sip_oauth_token::ClaimNames {
        client_id: "azp".to_owned(),
        ..sip_oauth_token::ClaimNames::rfc9068()
    };
    let policy = || rfc9068().claim_names(names.clone());
    let renamed = with(&with(CLAIMS, "client_id", None), "azp", Some("\"C2\""));
    let verified = verify_with(policy(), &sign(HEADER, &renamed)).unwrap();
    assert_eq!(verified.client_id(), Some("C2"));
    for absent in ["azp", "iat", "jti"] {
        let refused =
            verify_with(policy(), &sign(HEADER, with(&renamed, absent, None))).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("token claim {absent:?}: absent, but required")
        );
    }
}

mod rfc9068_section_2_2_3_scope {
    use super::*;

    #[test]
    fn a_missing_scope_is_insufficient_scope() {
        let policy = || rfc9068().require_scope("two");
        assert!(verify_with(policy(), &token("scope", Some("\"one two\""))).is_ok());
        for scope in [None, Some("\"one\""), Some("\"twofold\""), Some("\"\"")] {
            let refused = verify_with(policy(), &token("scope", scope)).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "token claim \"scope\": scope \"two\" was not granted"
            );
            assert_eq!(refused.error_code(), BearerError::InsufficientScope);
        }
    }
}

mod section_6_unsecured {
    use super::*;

    #[test]
    fn an_unsecured_jwt_is_refused() {
        for alg in ["none", "None", "NONE", "nOnE"] {
            let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt"}}"#);
            let token = format!("{}.{}.", common::b64(header), common::b64(CLAIMS));
            let refused = verify_with(rfc9068().key_id_required(false), &token).unwrap_err();
            assert!(
                matches!(refused.kind(), TokenErrorKind::Algorithm { .. }),
                "{refused}"
            );
        }
    }
}

mod section_7_2_validation {
    use super::*;

    #[test]
    fn duplicate_claims_are_refused() {
        let claims = CLAIMS.replacen('{', "{\"sub\":\"root\",", 1);
        assert!(
            refusal(&sign(HEADER, claims))
                .starts_with("token payload: not a JSON object: a member stands twice")
        );
    }

    #[test]
    fn claims_are_an_object() {
        for payload in ["", "[]", "null", "7", "\"text\"", "\u{feff}{}"] {
            assert!(
                refusal(&sign(HEADER, payload)).starts_with("token payload: not a JSON object")
            );
        }
    }
}
