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
        let policy = rfc9068().forms([Form::Nested]);
        let refused = verify_with(policy.clone(), &token).unwrap_err();
        // There is nothing to work with where there is no key, and the refusal is the same.
        let without_keys = Verifier::new(KeySet::builder().build(), policy);
        assert_eq!(without_keys.verify(&token, now()).unwrap_err(), refused);
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

mod section_3_4_validate_cryptographic_inputs {
    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    /// "Some cryptographic operations ... take inputs that may contain invalid values. This includes points
    /// not on the specified elliptic curve".
    #[test]
    fn a_point_beside_its_curve_is_no_key() {
        let jwk = |x: &str, y: &str| format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        assert!(VerifyingKey::from_jwk(&jwk(X, Y)).is_ok());
        for (x, y) in [(Y, X), (X, X), (&*b64([0; 32]), &*b64([0; 32]))] {
            assert_eq!(
                VerifyingKey::from_jwk(&jwk(x, y)).unwrap_err(),
                KeyError::PublicKey
            );
        }
    }

    /// The "psychic signature": r and s zero satisfy a verifier that does not look at their range.
    #[test]
    fn a_signature_of_zeros_is_none() {
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"}}"#);
        let key = VerifyingKey::from_jwk(&jwk).unwrap();
        let keys = KeySet::builder()
            .verifying_key(common::KID, key)
            .unwrap()
            .build();
        let verifier = Verifier::new(keys, rfc9068().algorithms([Algorithm::Es256]));
        let header = with(HEADER, "alg", Some("\"ES256\""));
        for signature in [vec![0; 64], vec![0; 63], Vec::new(), vec![0xff; 64]] {
            let token = format!("{}.{}.{}", b64(&header), b64(CLAIMS), b64(&signature));
            assert_eq!(
                verifier.verify(&token, now()).unwrap_err().to_string(),
                "token signature: does not verify"
            );
        }
    }
}

/// What the issue of this crate adds to the list: bounds, and one meaning for one token.
mod bounded_and_unambiguous {
    use super::*;

    #[test]
    fn an_oversize_token_is_not_looked_at() {
        let token = "a".repeat(sip_oauth_token::MAX_TOKEN_BYTES + 1);
        assert_eq!(
            refusal(&token),
            "token: 16385 bytes, more than the 16384 allowed"
        );
        let policy = rfc9068().max_token_bytes(100);
        assert!(matches!(
            verify_with(policy, &sign(HEADER, CLAIMS))
                .unwrap_err()
                .kind(),
            TokenErrorKind::TooLong { max_bytes: 100, .. }
        ));
        // Nor a refresh token, nor one somebody has been asked about.
        let verifier = Verifier::new(common::keys(), rfc9068().forms([Form::Opaque, Form::Jwt]));
        for refused in [
            verifier.verify_refresh(&token, now()).map(drop),
            verifier
                .introspected(&token, br#"{"active":true}"#, now())
                .map(drop),
        ] {
            assert!(matches!(
                refused.unwrap_err().kind(),
                TokenErrorKind::TooLong {
                    found_bytes: 16385,
                    ..
                }
            ));
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_wherever_it_stands() {
        let header = HEADER.replacen('{', r#"{"alg":"RS256","#, 1);
        let claims = CLAIMS.replacen('{', r#"{"sub":"anna","#, 1);
        let deep = CLAIMS.replacen('{', r#"{"x":{"y":1,"y":2},"#, 1);
        for token in [
            sign(&header, CLAIMS),
            sign(HEADER, &claims),
            sign(HEADER, &deep),
        ] {
            assert!(refusal(&token).contains("a member stands twice"));
        }
        // Among many members too, and many are no reason to refuse.
        for count in [31, 32, 33, 200] {
            let many: Vec<String> = (0..count).map(|n| format!("\"m{n}\":{n}")).collect();
            let many = many.join(",") + ",";
            let distinct = CLAIMS.replacen('{', &format!("{{{many}"), 1);
            assert!(common::verify(&sign(HEADER, &distinct)).is_ok(), "{count}");
            for twice in [0, count - 1] {
                let twice = CLAIMS.replacen('{', &format!("{{{many}\"m{twice}\":0,"), 1);
                assert!(refusal(&sign(HEADER, &twice)).contains("a member stands twice"));
            }
        }
        let jwk = r#"{"kty":"oct","kty":"oct","k":"AAAA","alg":"HS256"}"#;
        assert!(VerifyingKey::from_jwk(jwk).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| {
            let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            sign(
                HEADER,
                CLAIMS.replacen('{', &format!("{{\"x\":{value},"), 1),
            )
        };
        assert!(common::verify(&nested(15)).is_ok());
        assert!(refusal(&nested(17)).contains("nested too deep"));
        assert!(refusal(&nested(5000)).contains("nested too deep"));
    }

    /// The content is authenticated as it came. A padding nobody may see under a good tag, and any
    /// padding under a bad one, are the same answer (RFC 7516 section 11.5).
    #[test]
    fn a_padding_is_no_oracle() {
        let jwe = common::encrypt(common::UCM_INNER_HEADER, common::UCM_CLAIMS);
        let segments: Vec<&str> = jwe.split('.').collect();
        let mut seen = std::collections::BTreeSet::new();
        for last in 0..=255_u8 {
            let mut ciphertext = vec![0; 32];
            ciphertext[31] = last;
            let changed = [segments[0], "", segments[2], &b64(&ciphertext), segments[4]].join(".");
            seen.insert(common::ucm_refusal(&common::around(&changed)));
        }
        assert_eq!(
            Vec::from_iter(seen),
            ["token's encrypted part: does not decrypt"]
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

mod section_3_7_use_utf_8 {
    use super::*;

    /// "JWT implementations and applications MUST encode JSON ... as UTF-8, and MUST NOT use other encodings".
    #[test]
    fn other_encodings_are_refused() {
        let utf_16: Vec<u8> = CLAIMS.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let latin_1: Vec<u8> = CLAIMS
            .replace("rado", "rad#")
            .bytes()
            .map(|byte| if byte == b'#' { 0xf3 } else { byte })
            .collect();
        let marked = format!("\u{feff}{CLAIMS}");
        for payload in [&utf_16, &latin_1, &marked.into_bytes()] {
            let refused = refusal(&sign(HEADER, payload));
            assert!(
                refused.starts_with("token payload: not a JSON object: "),
                "{refused}"
            );
        }
    }
}

mod section_3_9_use_and_validate_audience {
    use super::*;

    /// "If the audience value is not present or not associated with the recipient, it MUST reject the JWT."
    #[test]
    fn no_audience_and_another_audience_are_refused() {
        for (value, sentence) in [
            (None, "token claim \"aud\": absent, but required"),
            (
                Some("\"sip:other.example\""),
                "token claim \"aud\": expected \"sip:example.com\", found \"sip:other.example\"",
            ),
        ] {
            assert_eq!(refusal(&sign(HEADER, with(CLAIMS, "aud", value))), sentence);
        }
        // Not the list of required claims alone stands behind it.
        let policy = rfc9068().required_claims([]);
        let token = sign(HEADER, with(CLAIMS, "aud", None));
        assert!(matches!(
            verify_with(policy, &token).unwrap_err().kind(),
            TokenErrorKind::Audience { .. }
        ));
    }
}

mod section_3_8_validate_issuer_and_subject {
    use super::*;

    /// That the key is the issuer's stands in `rfc8725_issuer.rs`.
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
        let signed = sign(HEADER, claims);
        let outside = r#"{"alg":"dir","enc":"A128CBC-HS256","kid":"encryption-key","cty":"JWT"}"#;
        let nested = common::encrypt(outside, &signed);
        let inside = with(common::UCM_CLAIMS, "ctyp", Some("\"refresh\""));
        let unified_cm = common::unified_cm(inside);
        for (form, token) in [
            (Form::Jwt, signed),
            (Form::Nested, nested),
            (Form::UnifiedCm, unified_cm),
        ] {
            let policy = match form {
                Form::UnifiedCm => common::ucm(),
                form => rfc9068().forms([form]),
            };
            assert_eq!(
                verify_with(policy, &token).unwrap_err().to_string(),
                "token: is a refresh token, expected an access token",
                "{form}"
            );
        }
        // Only that is wrong with it.
        let good = common::encrypt(outside, sign(HEADER, CLAIMS));
        assert!(verify_with(rfc9068().forms([Form::Nested]), &good).is_ok());
    }

    #[test]
    fn a_form_the_policy_does_not_name_is_refused() {
        let jwt = sign(HEADER, CLAIMS);
        let policy = Policy::unified_cm(UUID).types(["at+jwt"]);
        assert_eq!(
            verify_with(policy, &jwt).unwrap_err().to_string(),
            "token: a signed JWT, but the policy takes a Unified CM self-describing token"
        );
        let outside = r#"{"alg":"dir","enc":"A128CBC-HS256","kid":"encryption-key","cty":"JWT"}"#;
        let nested = common::encrypt(outside, &jwt);
        assert_eq!(
            verify_with(rfc9068(), &nested).unwrap_err().to_string(),
            "token: an encrypted signed JWT, but the policy takes a signed JWT"
        );
        let ucm = common::unified_cm(common::UCM_CLAIMS);
        let policy = Policy::jwt(ISSUER, AUDIENCE);
        assert_eq!(
            verify_with(policy, &ucm).unwrap_err().to_string(),
            "token: a Unified CM self-describing token, but the policy takes a signed JWT"
        );
    }
}
