//! RFC 8725: best current practices, one test a sentence.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use common::{
    AUDIENCE, CLAIMS, HEADER, ISSUER, UUID, b64, now, pem, refusal, rfc9068, rsa, sign,
    verify_with, with,
};
use sip_oauth_token::{
    Algorithm, Form, KeyError, KeySet, Policy, TokenErrorKind, Verifier, VerifyingKey,
};

mod section_3_1_perform_algorithm_verification {
    use super::*;

    fn hs256(header: &str, secret: &[u8]) -> String {
        let input = format!("{}.{}", b64(header), b64(CLAIMS));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        format!("{input}.{}", b64(tag.as_ref()))
    }

    /// The attack on libraries that let the token choose: HMAC keyed with the public key.
    #[test]
    fn the_key_pins_the_algorithm() {
        let header = with(HEADER, "alg", Some("\"HS256\""));
        let token = hs256(&header, pem(rsa()).as_bytes());
        assert_eq!(
            refusal(&token),
            "token header: algorithm HS256 is not in the policy"
        );
        let policy = rfc9068().algorithms([Algorithm::Rs256, Algorithm::Hs256]);
        assert_eq!(
            verify_with(policy, &token).unwrap_err().kind(),
            &TokenErrorKind::AlgorithmOfKey {
                expected: Algorithm::Rs256,
                found: Algorithm::Hs256
            }
        );
    }

    /// The signature is right for RS256; the header says PS256 and RS384 of the same family.
    #[test]
    fn a_related_algorithm_is_another_algorithm() {
        for found in [Algorithm::Ps256, Algorithm::Rs384, Algorithm::Rs512] {
            let header = with(HEADER, "alg", Some(&format!("\"{found}\"")));
            let policy = rfc9068().algorithms([Algorithm::Rs256, found]);
            assert_eq!(
                verify_with(policy, &sign(&header, CLAIMS))
                    .unwrap_err()
                    .kind(),
                &TokenErrorKind::AlgorithmOfKey {
                    expected: Algorithm::Rs256,
                    found
                }
            );
        }
    }

    #[test]
    fn a_shared_secret_is_taken_where_key_and_policy_say_so() {
        let secret = [9; 32];
        let key = VerifyingKey::from_secret(&secret, Algorithm::Hs256).unwrap();
        let keys = KeySet::builder()
            .verifying_key(common::KID, key)
            .unwrap()
            .build();
        let verifier = Verifier::new(keys, rfc9068().algorithms([Algorithm::Hs256]));
        let header = with(HEADER, "alg", Some("\"HS256\""));
        assert!(verifier.verify(&hs256(&header, &secret), now()).is_ok());
        assert!(verifier.verify(&hs256(&header, &[8; 32]), now()).is_err());
    }
}

mod section_3_2_use_appropriate_algorithms {
    use super::*;

    #[test]
    fn none_is_refused_though_the_policy_lists_everything() {
        let policy = rfc9068().key_id_required(false).any_type();
        let token = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(CLAIMS));
        assert_eq!(
            verify_with(policy, &token).unwrap_err().to_string(),
            "token header: algorithm none is never accepted here"
        );
    }

    #[test]
    fn passwords_are_refused_before_any_work() {
        let header = r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"c2FsdA","kid":"k","cty":"JWT"}"#;
        let token = format!("{}.a.a.a.a", b64(header));
        let started = std::time::Instant::now();
        let refused = verify_with(rfc9068().forms([Form::Nested]), &token).unwrap_err();
        assert!(started.elapsed() < std::time::Duration::from_millis(100));
        assert!(
            refused
                .to_string()
                .contains("PBES2-HS256+A128KW is never accepted"),
            "{refused}"
        );
    }
}

mod section_3_3_validate_all_cryptographic_operations {
    use super::*;

    /// The inner part is good, the outer signature is somebody else's.
    #[test]
    fn every_layer_must_verify() {
        let stranger = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let good = common::unified_cm(common::UCM_CLAIMS);
        let (input, _) = good.rsplit_once('.').unwrap();
        let token = format!("{input}.{}", common::rsa_signature(&stranger, input));
        assert_eq!(
            common::ucm_refusal(&token),
            "token signature: does not verify"
        );
    }
}

mod section_3_5_ensure_cryptographic_keys_have_sufficient_entropy {
    use super::*;

    #[test]
    fn short_secrets_are_refused() {
        let refused = VerifyingKey::from_secret(b"password", Algorithm::Hs256).unwrap_err();
        assert_eq!(refused.to_string(), "key of 64 bits, expected 256 or more");
    }

    #[test]
    fn rsa_under_2048_bits_is_refused() {
        let n = b64([0xff; 128]);
        let jwk = format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#);
        let refused = VerifyingKey::from_jwk(&jwk).unwrap_err();
        assert_eq!(
            refused,
            KeyError::Size {
                found: 1024,
                expected: "2048 to 8192"
            }
        );
    }

    /// 257 bytes, of which the first is zero: what Java writes for 2048 bits.
    #[test]
    fn a_sign_byte_is_no_bit() {
        let mut n = vec![0];
        n.extend([0xff; 256]);
        let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AAEAAQ"}}"#, b64(&n));
        assert!(VerifyingKey::from_jwk(&jwk).is_ok());
        let mut short = vec![0; 129];
        short.extend([0xff; 128]);
        let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, b64(&short));
        assert!(VerifyingKey::from_jwk(&jwk).is_err());
    }

    #[test]
    fn exponents_nobody_generates_are_refused() {
        for e in ["", "AA", "AQ", "AAAC", "AQAAAAE"] {
            let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"{e}"}}"#, b64([0xff; 256]));
            assert!(VerifyingKey::from_jwk(&jwk).is_err(), "{e}");
        }
    }
}

mod section_3_6_avoid_compression {
    use super::*;

    #[test]
    fn zip_is_refused_unopened() {
        let header =
            r#"{"alg":"dir","enc":"A128CBC-HS256","zip":"DEF","kid":"encryption-key","cty":"JWT"}"#;
        let refused = verify_with(
            rfc9068().forms([Form::Nested]),
            &common::encrypt(header, CLAIMS),
        )
        .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "header of the token's encrypted part: parameter \"zip\" is not accepted: compressed content is not opened (RFC 8725 section 3.6)"
        );
    }
}

mod section_3_8_validate_issuer_and_subject {
    use super::*;

    #[test]
    fn the_right_key_does_not_make_the_right_issuer() {
        let claims = with(CLAIMS, "iss", Some("\"https://tenant2.example.com\""));
        assert!(matches!(
            verify_with(rfc9068(), &sign(HEADER, claims))
                .unwrap_err()
                .kind(),
            TokenErrorKind::Issuer { .. }
        ));
    }
}

mod section_3_10_do_not_trust_received_claims {
    use super::*;

    #[test]
    fn keys_and_places_of_keys_in_the_header_are_refused() {
        let values = [
            ("jku", "\"https://attacker.example/keys\""),
            ("x5u", "\"https://attacker.example/cert\""),
            ("jwk", r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#),
            ("x5c", "[\"MIIB\"]"),
        ];
        for (name, value) in values {
            let token = sign(&with(HEADER, name, Some(value)), CLAIMS);
            let sentence =
                format!("token header: parameter {name:?} is not accepted: a token does not ");
            assert!(refusal(&token).starts_with(&sentence), "{name}");
        }
    }

    #[test]
    fn extensions_that_must_be_understood_are_refused() {
        for (name, value) in [
            ("crit", "[\"exp\"]"),
            ("crit", "[]"),
            ("b64", "false"),
            ("b64", "true"),
        ] {
            let token = sign(&with(HEADER, name, Some(value)), CLAIMS);
            assert!(
                refusal(&token).contains("is not accepted"),
                "{name} {value}"
            );
        }
    }

    /// A `kid` is a key of a map. Whatever it looks like, nothing is opened, asked or computed.
    #[test]
    fn a_kid_is_data() {
        for kid in [
            "../../../../dev/null",
            "' OR 1=1 --",
            "https://attacker.example/k",
            "signing-key\u{0}",
            "|id",
        ] {
            let header = with(
                HEADER,
                "kid",
                Some(&serde_json::Value::from(kid).to_string()),
            );
            let sentence = format!("token header: no key under kid {kid:?}");
            assert_eq!(refusal(&sign(&header, CLAIMS)), sentence);
        }
        let long = with(HEADER, "kid", Some(&format!("{:?}", "k".repeat(257))));
        assert_eq!(
            refusal(&sign(&long, CLAIMS)),
            "token header: parameter \"kid\" is empty or too long"
        );
    }
}

mod section_3_11_use_explicit_typing {
    use super::*;

    #[test]
    fn an_id_token_is_no_access_token() {
        let header = with(HEADER, "typ", Some("\"JWT\""));
        assert!(matches!(
            verify_with(rfc9068(), &sign(&header, CLAIMS))
                .unwrap_err()
                .kind(),
            TokenErrorKind::Type { .. }
        ));
        let untyped = with(HEADER, "typ", None);
        assert_eq!(
            refusal(&sign(&untyped, CLAIMS)),
            "token header: parameter \"typ\" is absent"
        );
    }
}

mod section_3_12_mutually_exclusive_validation_rules {
    use super::*;

    #[test]
    fn a_refresh_token_is_no_access_token_in_any_form() {
        let claims = with(CLAIMS, "ctyp", Some("\"refresh\""));
        let refused = verify_with(rfc9068(), &sign(HEADER, claims)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token: is a refresh token, expected an access token"
        );
    }

    #[test]
    fn a_form_the_policy_does_not_name_is_refused() {
        let jwt = sign(HEADER, CLAIMS);
        let policy = Policy::unified_cm(UUID).types(["at+jwt"]);
        assert_eq!(
            verify_with(policy, &jwt).unwrap_err().to_string(),
            "token: a signed JWT, but the policy takes a Unified CM self-describing token"
        );
        let ucm = common::unified_cm(common::UCM_CLAIMS);
        let policy = Policy::jwt(ISSUER, AUDIENCE);
        assert_eq!(
            verify_with(policy, &ucm).unwrap_err().to_string(),
            "token: a Unified CM self-describing token, but the policy takes a signed JWT"
        );
    }
}
