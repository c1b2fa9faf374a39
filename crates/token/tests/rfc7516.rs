//! RFC 7516: JSON Web Encryption, compact serialization, with `alg` `dir`.
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
use sip_oauth_token::{ContentEncryption, EncryptionKey, KeySet, TokenErrorKind, Verifier};

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
