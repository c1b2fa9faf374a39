//! RFC 7516: JSON Web Encryption, compact serialization, with `alg` `dir`; the compact examples of Appendix A.
#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use common::{
    ENCRYPTION_KEY, UCM_CLAIMS, UCM_INNER_HEADER, around, encrypt, key_set_builder, now, ucm,
    ucm_refusal, unified_cm, verify_ucm, with,
};
use sip_oauth_token::{
    ContentEncryption, DecryptionKey, EncryptionKey, Form, KeyManagement, KeySet, Place, Policy,
    TokenErrorKind, Verifier,
};

const ONE_ERROR: &str = "token's encrypted part: does not decrypt";

fn segments(jwe: &str) -> Vec<&str> {
    jwe.split('.').collect()
}

mod section_3_1_compact_serialization {
    use super::*;

    #[test]
    fn five_segments_are_required_inside() {
        for (inner, found) in [("a", 1), ("a.b.c", 3), ("a.b.c.d", 4), ("a.b.c.d.e.f", 6)] {
            let sentence = ucm_refusal(&around(inner));
            assert!(
                sentence.starts_with(&format!("token's encrypted part: {found} segments")),
                "{sentence}"
            );
        }
    }
}

mod section_4_1_header {
    use super::*;

    /// Parameter, value, sentence of refusal.
    const REFUSED: &[(&str, &str, &str)] = &[
        ("alg", "\"A256KW\"", "algorithm A256KW is not in the policy"),
        (
            "alg",
            "\"RSA-OAEP-256\"",
            "algorithm RSA-OAEP-256 is not in the policy",
        ),
        (
            "alg",
            "\"RSA1_5\"",
            "algorithm RSA1_5 is never accepted (padding oracles, RFC 8725 section 3.2)",
        ),
        ("alg", "\"none\"", "algorithm (unregistered) is not known"),
        ("alg", "\"DIR\"", "algorithm (unregistered) is not known"),
        (
            "enc",
            "\"A128GCM\"",
            "algorithm A128GCM is not in the policy",
        ),
        ("enc", "\"A64CBC\"", "algorithm (unregistered) is not known"),
        ("kid", "\"signing-key\"", "no key under kid \"signing-key\""),
        ("cty", "\"text\"", "parameter \"cty\" does not say JWT"),
        (
            "zip",
            "\"DEF\"",
            "parameter \"zip\" is not accepted: compressed content is not opened (RFC 8725 section 3.6)",
        ),
    ];

    #[test]
    fn what_is_not_taken_is_refused_by_name() {
        for (name, value, sentence) in REFUSED {
            let header = with(UCM_INNER_HEADER, name, Some(value));
            assert_eq!(
                ucm_refusal(&around(&encrypt(&header, UCM_CLAIMS))),
                format!("header of the token's encrypted part: {sentence}")
            );
        }
    }

    #[test]
    fn every_parameter_is_required() {
        for name in ["alg", "enc", "kid", "cty"] {
            let header = with(UCM_INNER_HEADER, name, None);
            assert_eq!(
                ucm_refusal(&around(&encrypt(&header, UCM_CLAIMS))),
                format!("header of the token's encrypted part: parameter {name:?} is absent")
            );
        }
    }
}

mod section_5_2_decryption {
    use super::*;

    #[test]
    fn every_failure_is_the_same_error() {
        let good = encrypt(UCM_INNER_HEADER, UCM_CLAIMS);
        let parts = segments(&good);
        let changed = |at: usize, part: &str| {
            let mut parts = parts.clone();
            parts[at] = part;
            parts.join(".")
        };
        let zeros_16 = common::b64([0; 16]);
        let short_tag = common::b64([0; 8]);
        let cases = [
            changed(1, "AAAA"),
            changed(2, ""),
            changed(2, &zeros_16),
            changed(2, &short_tag),
            changed(3, ""),
            changed(3, &zeros_16),
            changed(4, ""),
            changed(4, &short_tag),
            changed(4, &zeros_16),
        ];
        for jwe in cases {
            assert_eq!(ucm_refusal(&around(&jwe)), ONE_ERROR);
        }
    }

    #[test]
    fn the_header_is_authenticated() {
        let good = encrypt(UCM_INNER_HEADER, UCM_CLAIMS);
        let (_, rest) = good.split_once('.').unwrap();
        let header = common::b64(with(UCM_INNER_HEADER, "x", Some("1")));
        assert_eq!(ucm_refusal(&around(&format!("{header}.{rest}"))), ONE_ERROR);
    }

    #[test]
    fn another_key_is_the_same_error() {
        let other = EncryptionKey::new(ContentEncryption::A128CbcHs256, &[1; 32]).unwrap();
        let keys = KeySet::builder()
            .encryption_key(common::ENCRYPTION_KID, other)
            .unwrap()
            .verifying_key(
                common::KID,
                sip_oauth_token::VerifyingKey::from_pem(
                    &common::pem(common::rsa()),
                    sip_oauth_token::Algorithm::Rs256,
                )
                .unwrap(),
            )
            .unwrap()
            .build();
        let refused = Verifier::new(keys, ucm())
            .verify(&unified_cm(UCM_CLAIMS), now())
            .unwrap_err();
        assert_eq!(refused.kind(), &TokenErrorKind::Decryption);
    }

    /// A key is for one algorithm, whatever other algorithm takes keys of its length.
    #[test]
    fn the_algorithm_is_pinned_by_the_key() {
        let gcm = EncryptionKey::new(ContentEncryption::A256Gcm, &ENCRYPTION_KEY).unwrap();
        let keys = key_set_builder()
            .encryption_key("gcm", gcm)
            .unwrap()
            .build();
        let header = with(UCM_INNER_HEADER, "kid", Some("\"gcm\""));
        let token = around(&encrypt(&header, UCM_CLAIMS));
        let refused = Verifier::new(keys, ucm())
            .verify(&token, now())
            .unwrap_err();
        assert_eq!(refused.to_string(), ONE_ERROR);
    }
}

mod section_11_tag_before_padding {
    use super::*;

    /// A wrong padding behind a right tag and a wrong tag over a right padding look alike.
    #[test]
    fn no_padding_oracle() {
        assert!(verify_ucm(&unified_cm(UCM_CLAIMS)).is_ok());
        let good = encrypt(UCM_INNER_HEADER, UCM_CLAIMS);
        let parts = segments(&good);
        // Cut the last block: the tag no longer fits, and neither would the padding.
        let ciphertext = parts[3];
        let cut = &ciphertext[..ciphertext.len() - 64];
        let token = [parts[0], parts[1], parts[2], cut, parts[4]].join(".");
        assert_eq!(ucm_refusal(&around(&token)), ONE_ERROR);
    }

    /// The last octet before the padding is checked takes every value under a tag that is right: a padding that
    /// is wrong says no more than a tag that is.
    #[test]
    fn a_wrong_padding_under_a_right_tag_is_the_same_error() {
        let header = common::b64(UCM_INNER_HEADER);
        let mut answers = std::collections::BTreeMap::new();
        for octet in 0..=255 {
            // In CBC an octet of the initialization vector changes that octet of the only block.
            let mut iv = [0; 16];
            iv[15] = octet;
            let jwe = common::authenticated(&header, &iv, &[0x3c; 16]);
            *answers.entry(ucm_refusal(&around(&jwe))).or_insert(0) += 1;
        }
        // One of 256 is a padding of one octet; another one may be a longer one.
        assert!(answers[ONE_ERROR] >= 240, "{answers:?}");
        answers.remove(ONE_ERROR);
        let opened: usize = answers.values().sum();
        assert!(opened > 0, "under a right tag one of them opens");
        for sentence in answers.keys() {
            assert!(
                sentence.starts_with("token's decrypted part: "),
                "{sentence}"
            );
        }
        // Lengths that are no blocks, and none at all.
        for len in [0, 1, 15, 17] {
            let jwe = common::authenticated(&header, &[0; 16], &vec![0x3c; len]);
            assert_eq!(ucm_refusal(&around(&jwe)), ONE_ERROR, "{len}");
        }
        for len in [0, 12, 15, 17] {
            let jwe = common::authenticated(&header, &vec![0; len], &[0x3c; 16]);
            assert_eq!(ucm_refusal(&around(&jwe)), ONE_ERROR, "{len}");
        }
    }
}

/// The examples carry no `kid`, so the policy asks for none, and no `cty`, for which one that opens is refused: that is
/// looked at behind the tag. What A.3 holds is seen in the tests of the crate's own decryption.
mod appendix_a {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    /// The key of A.3.3, as a JWK.
    const KEK: &str = "GawgguFyGrWKav7AX4VKUg";
    /// A.3.7, by segments.
    const A_3: [&str; 5] = [
        "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0",
        "6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ",
        "AxY8DCtDaGlsbGljb3RoZQ",
        "KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY",
        "U0m_YmjN04DJvceFICbCVQ",
    ];
    /// Behind the headers of A.1 and A.2, which decide.
    const UNREAD: &str = "AAAA.AAAA.AAAA.AAAA";

    fn refused(key: &str, token: &str) -> sip_oauth_token::TokenError {
        let jwk = format!(r#"{{"kty":"oct","alg":"A128KW","k":"{key}"}}"#);
        let key = DecryptionKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.algorithm(), KeyManagement::A128Kw);
        let keys = KeySet::builder().decryption_key("kek", key).unwrap();
        let policy = Policy::jwt("joe", "sip:example.com")
            .forms([Form::Nested])
            .key_id_required(false);
        Verifier::new(keys.build(), policy)
            .verify(token, now())
            .unwrap_err()
    }

    fn header_refused(header: &str) -> String {
        refused(KEK, &format!("{}.{UNREAD}", common::b64(header))).to_string()
    }

    #[test]
    fn a_1_rsa_oaep_is_not_built_in() {
        assert_eq!(
            header_refused(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#),
            "header of the token's encrypted part: algorithm RSA-OAEP is not built in"
        );
    }

    #[test]
    fn a_2_rsa1_5_is_never_accepted() {
        assert_eq!(
            header_refused(r#"{"alg":"RSA1_5","enc":"A128CBC-HS256"}"#),
            "header of the token's encrypted part: algorithm RSA1_5 is never accepted (padding oracles, RFC 8725 section 3.2)"
        );
    }

    #[test]
    fn a_3_a128kw_and_a128cbc_hs256_opens() {
        assert_eq!(
            A_3[0],
            common::b64(r#"{"alg":"A128KW","enc":"A128CBC-HS256"}"#)
        );
        let opened = refused(KEK, &A_3.join("."));
        assert_eq!(opened.place(), &Place::EncryptedHeader);
        assert!(
            matches!(opened.kind(), TokenErrorKind::Parameter { name: "cty", .. }),
            "{opened}"
        );
    }

    #[test]
    fn a_3_with_any_bit_changed_does_not_open() {
        for at in 0..A_3.len() {
            let mut bytes = URL_SAFE_NO_PAD.decode(A_3[at]).unwrap();
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let segment = common::b64(&bytes);
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut segments = A_3;
                segments[at] = &segment;
                let refused = refused(KEK, &segments.join("."));
                // A changed header is no JSON, or names nothing that is known, before anything is opened.
                assert!(
                    refused.to_string() == ONE_ERROR
                        || (at == 0
                            && !matches!(
                                refused.kind(),
                                TokenErrorKind::Parameter { name: "cty", .. }
                            )),
                    "bit {bit} of segment {at}: {refused}"
                );
            }
        }
        assert_eq!(
            refused("GawgguFyGrWKav7AX4VKUQ", &A_3.join(".")).to_string(),
            ONE_ERROR,
            "another key"
        );
    }
}
