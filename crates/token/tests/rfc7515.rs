//! RFC 7515: JSON Web Signature, compact serialization.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use common::{CLAIMS, HEADER, b64, keys, now, refusal, rfc9068, sign, sign_segments, verify, with};
use sip_oauth_token::{KeySet, TokenErrorKind, Verifier};

#[test]
fn a_good_token_is_verified() {
    let token = verify(&sign(HEADER, CLAIMS)).unwrap();
    assert_eq!(token.user(), "rado");
}

mod section_3_1_compact_serialization {
    use super::*;

    #[test]
    fn only_three_or_five_segments_are_read() {
        for (text, found) in [
            ("a", 1),
            ("a.b", 2),
            ("a.b.c.d", 4),
            ("a.b.c.d.e.f", 6),
            (".", 2),
        ] {
            let sentence = format!("token: {found} segments, expected 3 (JWS) or 5 (JWE)");
            assert_eq!(refusal(text), sentence);
        }
    }

    #[test]
    fn many_dots_cost_nothing() {
        assert!(refusal(&".".repeat(16_384)).starts_with("token: 16385 segments"));
    }
}

mod section_2_base64url {
    use super::*;

    #[test]
    fn padding_is_refused() {
        let good = sign(HEADER, CLAIMS);
        assert_eq!(
            refusal(&format!("{good}==")),
            "token signature: not base64url without padding, at byte 342 of the segment"
        );
    }

    #[test]
    fn the_standard_alphabet_is_refused() {
        let payload = b64(CLAIMS).replace(['-', '_'], "+");
        let token = sign_segments(&b64(HEADER), &format!("{payload}++"));
        assert!(matches!(
            verify(&token).unwrap_err().kind(),
            TokenErrorKind::Base64 { .. }
        ));
    }

    /// The last character of a segment has bits that decode to nothing; only zeros are the encoding.
    #[test]
    fn leftover_bits_are_refused() {
        let good = sign(HEADER, CLAIMS);
        // 256 bytes end in a group of one byte: the last character carries two bits.
        let last = good.chars().last().unwrap();
        let other = char::from(last as u8 + 1);
        let token = format!("{}{other}", &good[..good.len() - 1]);
        assert_eq!(
            refusal(&token),
            "token signature: not base64url without padding, at byte 341 of the segment"
        );
    }
}

mod section_4_header {
    use super::*;

    /// Header, sentence of refusal.
    const REFUSED: &[(&str, &str)] = &[
        (
            "",
            "token header: not a JSON object: does not start with '{', at byte 0",
        ),
        (
            "[]",
            "token header: not a JSON object: does not start with '{', at byte 0",
        ),
        (
            "\"RS256\"",
            "token header: not a JSON object: does not start with '{', at byte 0",
        ),
        (
            "{",
            "token header: not a JSON object: ends too early, at byte 0",
        ),
        (
            r#"{"alg":"RS256"} x"#,
            "token header: not a JSON object: syntax, at byte 16",
        ),
        (
            r#"{"alg":"RS256","alg":"RS256"}"#,
            "token header: not a JSON object: a member stands twice, at byte 19",
        ),
        (
            r#"{"alg":"RS256","\u0061lg":"none"}"#,
            "token header: not a JSON object: a member stands twice, at byte 24",
        ),
        ("{}", "token header: parameter \"alg\" is absent"),
        (
            r#"{"alg":["RS256"]}"#,
            "token header: parameter \"alg\" is not a string",
        ),
        (
            r#"{"alg":"rs256"}"#,
            "token header: algorithm (unregistered) is not known",
        ),
        (
            r#"{"alg":"ES512"}"#,
            "token header: algorithm (unregistered) is not known",
        ),
        (
            r#"{"alg":"ES256"}"#,
            "token header: algorithm ES256 is not in the policy",
        ),
        (
            r#"{"alg":"RS256","typ":"at+jwt"}"#,
            "token header: parameter \"kid\" is absent",
        ),
        (
            r#"{"alg":"RS256","typ":"at+jwt","kid":7}"#,
            "token header: parameter \"kid\" is not a string",
        ),
        (
            r#"{"alg":"RS256","typ":"at+jwt","kid":""}"#,
            "token header: parameter \"kid\" is empty or too long",
        ),
        (
            r#"{"alg":"RS256","typ":"at+jwt","kid":"other"}"#,
            "token header: no key under kid \"other\"",
        ),
    ];

    #[test]
    fn a_header_says_what_is_expected_and_nothing_twice() {
        for (header, sentence) in REFUSED {
            assert_eq!(refusal(&sign(header, CLAIMS)), *sentence, "{header}");
        }
    }

    #[test]
    fn a_header_is_utf_8() {
        let token = sign_segments(&b64(b"{\"alg\":\"RS\xff256\"}"), &b64(CLAIMS));
        assert_eq!(
            refusal(&token),
            "token header: not a JSON object: not UTF-8, at byte 10"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!(
            r#"{{"alg":"RS256","x":{}{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        assert!(refusal(&sign(&deep, CLAIMS)).contains("nested too deep"));
    }

    #[test]
    fn unknown_parameters_are_ignored() {
        let header =
            r#"{"alg":"RS256","typ":"at+jwt","kid":"signing-key","x-vendor":{"a":1},"x5t":"abc"}"#;
        assert!(verify(&sign(header, CLAIMS)).is_ok());
    }
}

mod section_4_1_4_kid {
    use super::*;

    #[test]
    fn a_kid_is_compared_by_case() {
        let header = HEADER.replace("signing-key", "Signing-Key");
        let refused = verify(&sign(&header, CLAIMS)).unwrap_err();
        assert_eq!(refused.unknown_key().unwrap().as_str(), "Signing-Key");
    }

    #[test]
    fn without_kid_the_only_key_is_tried_where_the_policy_says_so() {
        let token = sign(r#"{"alg":"RS256","typ":"at+jwt"}"#, CLAIMS);
        let policy = rfc9068().key_id_required(false);
        assert!(
            Verifier::new(keys(), policy.clone())
                .verify(&token, now())
                .is_ok()
        );
        let none = KeySet::builder().build();
        let refused = Verifier::new(none, policy)
            .verify(&token, now())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token header: names no kid, and there is not exactly one key to try"
        );
    }
}

mod section_4_1_9_typ {
    use super::*;

    #[test]
    fn a_media_type_is_compared_without_case_and_prefix() {
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/at+JWT",
        ] {
            assert!(
                verify(&sign(
                    &with(HEADER, "typ", Some(&format!("{typ:?}"))),
                    CLAIMS
                ))
                .is_ok(),
                "{typ}"
            );
        }
        for typ in ["JWT", "jwt", "text/at+jwt", "dpop+jwt"] {
            let header = with(HEADER, "typ", Some(&format!("{typ:?}")));
            let sentence = format!("token header: type {typ:?}, expected \"at+jwt\"");
            assert_eq!(refusal(&sign(&header, CLAIMS)), sentence);
        }
    }
}

mod section_5_2_verification {
    use super::*;

    #[test]
    fn a_changed_payload_does_not_verify() {
        let good = sign(HEADER, CLAIMS);
        let mut segments = good.split('.');
        let (header, _, signature) = (
            segments.next().unwrap(),
            segments.next(),
            segments.next().unwrap(),
        );
        let other = b64(CLAIMS.replace("rado", "root"));
        assert_eq!(
            refusal(&format!("{header}.{other}.{signature}")),
            "token signature: does not verify"
        );
    }

    #[test]
    fn an_absent_signature_does_not_verify() {
        let good = sign(HEADER, CLAIMS);
        let (input, _) = good.rsplit_once('.').unwrap();
        assert_eq!(
            refusal(&format!("{input}.")),
            "token signature: does not verify"
        );
    }

    #[test]
    fn the_payload_is_read_after_the_signature_only() {
        assert_eq!(
            refusal(&format!(
                "{}.{}.{}",
                b64(HEADER),
                b64("no json"),
                b64([0; 256])
            )),
            "token signature: does not verify"
        );
        assert_eq!(
            refusal(&sign(HEADER, "no json")),
            "token payload: not a JSON object: does not start with '{', at byte 0"
        );
    }
}
