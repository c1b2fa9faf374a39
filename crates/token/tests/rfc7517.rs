//! RFC 7517: keys as JWK and JWK sets; keys as PEM and certificates beside them.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use common::{CLAIMS, HEADER, at, b64, now, pem, rfc9068, rsa, sign};
use sip_oauth_token::{
    Algorithm, ContentEncryption, EncryptionKey, KeyError, KeySet, TokenErrorKind, Verifier,
    VerifyingKey,
};

const EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;

/// The members of the test key as a JWK.
fn rsa_members() -> String {
    use aws_lc_rs::signature::{KeyPair as _, RsaPublicKeyComponents};
    let components = RsaPublicKeyComponents::<Vec<u8>>::from(rsa().public_key());
    format!(
        r#""kty":"RSA","n":"{}","e":"{}""#,
        b64(components.n),
        b64(components.e)
    )
}

mod section_4_jwk {
    use super::*;

    /// Members beside those of an EC key, sentence of refusal.
    const REFUSED: &[(&str, &str)] = &[
        (r#""use":"enc""#, "not a JWK: `use` is not `sig`"),
        (
            r#""key_ops":["encrypt"]"#,
            "not a JWK: `key_ops` does not contain `verify`",
        ),
        (
            r#""alg":"ECDH-ES""#,
            "not a JWK: `alg` is not a signature algorithm that is known",
        ),
        (
            r#""alg":"RS256""#,
            "a key of type P-256 does not serve RS256",
        ),
        (
            r#""kty":"EC""#,
            "not a JWK: not a JSON object with distinct members",
        ),
    ];

    #[test]
    fn a_key_for_something_else_is_refused() {
        assert!(VerifyingKey::from_jwk(&format!("{{{EC}}}")).is_ok());
        for (member, sentence) in REFUSED {
            let refused = VerifyingKey::from_jwk(&format!("{{{EC},{member}}}")).unwrap_err();
            assert_eq!(refused.to_string(), *sentence);
        }
    }

    #[test]
    fn the_caller_may_pin_the_algorithm_but_not_against_the_key() {
        let jwk = format!("{{{}}}", rsa_members());
        assert_eq!(
            VerifyingKey::from_jwk(&jwk).unwrap().algorithm(),
            Algorithm::Rs256
        );
        let pinned = VerifyingKey::from_jwk_for(&jwk, Algorithm::Ps512).unwrap();
        assert_eq!(pinned.algorithm(), Algorithm::Ps512);
        let declared = format!(r#"{{{},"alg":"RS512"}}"#, rsa_members());
        assert!(VerifyingKey::from_jwk_for(&declared, Algorithm::Ps512).is_err());
    }

    #[test]
    fn coordinates_have_the_curves_length() {
        let jwk = r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#;
        assert_eq!(
            VerifyingKey::from_jwk(jwk).unwrap_err(),
            KeyError::Jwk("coordinates of another length than the curve's")
        );
    }

    #[test]
    fn key_material_is_never_printed() {
        let secret = b64([0x41; 32]);
        let key =
            VerifyingKey::from_jwk(&format!(r#"{{"kty":"oct","alg":"HS256","k":"{secret}"}}"#))
                .unwrap();
        assert_eq!(format!("{key:?}"), "VerifyingKey(HS256)");
    }
}

mod section_5_jwk_set {
    use super::*;

    #[test]
    fn entries_that_are_not_understood_are_skipped_with_a_reason() {
        let set = format!(
            r#"{{"keys":[{{"kty":"new","kid":"1"}}, 7, {{{EC}}}, {{{EC},"kid":"ec","use":"enc"}},
                {{"kty":"oct","kid":"s","k":"AAAA","alg":"HS256"}}, {{{},"kid":"signing-key"}}]}}"#,
            rsa_members()
        );
        let keys = KeySet::builder().jwk_set(&set).unwrap().build();
        assert_eq!((keys.len(), keys.skipped().len()), (1, 5));
        let verifier = Verifier::new(keys, rfc9068());
        assert!(verifier.verify(&sign(HEADER, CLAIMS), now()).is_ok());
    }

    #[test]
    fn a_set_without_a_usable_key_is_an_error() {
        for set in [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"new","kid":"1"}]}"#] {
            assert!(matches!(
                KeySet::builder().jwk_set(set),
                Err(KeyError::NoUsableKey { .. })
            ));
        }
        for no_set in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(
                matches!(KeySet::builder().jwk_set(no_set), Err(KeyError::Jwk(_))),
                "{no_set}"
            );
        }
    }

    /// Section 4.5: two keys may have one `kid` if they differ in `kty`. One of them costs no other key its place.
    #[test]
    fn of_two_keys_under_one_kid_the_first_counts() {
        let rsa = format!(r#"{{{},"kid":"signing-key"}}"#, rsa_members());
        let set = format!(r#"{{"keys":[{rsa},{{{EC},"kid":"signing-key"}},{{{EC},"kid":"ec"}}]}}"#);
        let keys = KeySet::builder().jwk_set(&set).unwrap().build();
        assert_eq!(keys.len(), 2);
        let [skipped] = keys.skipped() else {
            panic!("{keys:?}");
        };
        assert_eq!(skipped.to_string(), "two keys under kid \"signing-key\"");
        let verifier = Verifier::new(keys, rfc9068());
        assert!(verifier.verify(&sign(HEADER, CLAIMS), now()).is_ok());
    }
}

mod rfc7468_pem {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn text_around_the_block_is_skipped() {
        let text = format!(
            "subject=CN = AUTHZ\n{}trailing",
            pem(rsa()).replace('\n', "\r\n")
        );
        assert!(VerifyingKey::from_pem(&text, Algorithm::Rs256).is_ok());
    }

    /// DER: tag, length, content.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [[tag, 0x82].as_slice(), &len, content].concat()
    }

    /// The AUTHZ certificate is a container: what matters is the key inside.
    #[test]
    fn the_key_of_a_certificate_is_found() {
        let spki = base64::engine::general_purpose::STANDARD
            .decode(pem(rsa()).lines().nth(1).unwrap())
            .unwrap();
        let empty = der(0x30, &[]);
        let version = der(0xa0, &der(0x02, &[2]));
        let serial = der(0x02, &[1]);
        for version in [version.as_slice(), &[]] {
            let fields = [version, &serial, &empty, &empty, &empty, &empty, &spki].concat();
            let signed = der(0x30, &fields);
            let certificate = der(0x30, &[signed, empty.clone(), der(0x03, &[0])].concat());
            let body = base64::engine::general_purpose::STANDARD.encode(certificate);
            let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
            let key = VerifyingKey::from_pem(&text, Algorithm::Rs256).unwrap();
            let keys = KeySet::builder()
                .verifying_key(common::KID, key)
                .unwrap()
                .build();
            assert!(
                Verifier::new(keys, rfc9068())
                    .verify(&sign(HEADER, CLAIMS), now())
                    .is_ok()
            );
        }
    }

    /// The AUTHZ certificate as a tool writes it: RFC 5280, signed by its own key.
    #[test]
    fn the_key_of_an_authz_certificate_verifies_a_token() {
        let private: Pkcs8V1Der<'_> = rsa().as_der().unwrap();
        let pair = rcgen::KeyPair::try_from(private.as_ref()).unwrap();
        let mut params = rcgen::CertificateParams::new([]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "AUTHZ_ucm-pub.example.com");
        let certificate = params.self_signed(&pair).unwrap().pem();
        let key = VerifyingKey::from_pem(&certificate, Algorithm::Rs256).unwrap();
        let keys = KeySet::builder().verifying_key(common::KID, key).unwrap();
        let verifier = Verifier::new(keys.build(), rfc9068());
        let token = verifier.verify(&sign(HEADER, CLAIMS), now()).unwrap();
        assert_eq!(token.user(), "rado");
        let ids = |signing_pem: &str| {
            let encryption =
                EncryptionKey::new(ContentEncryption::A128CbcHs256, &common::ENCRYPTION_KEY)
                    .unwrap();
            let keys = KeySet::builder().unified_cm(common::UUID, signing_pem, encryption);
            let keys = keys.unwrap().build();
            keys.key_ids().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            ids(&certificate),
            ids(&pem(rsa())),
            "of the key, not of what it came in"
        );
    }

    #[test]
    fn what_is_no_public_key_is_refused_by_name() {
        let good = pem(rsa());
        for (text, sentence) in [
            (String::new(), "not PEM: expected -----BEGIN"),
            (
                good.replace("-----END PUBLIC KEY-----", ""),
                "not PEM: expected -----END",
            ),
            (
                good.replace("END PUBLIC", "END PRIVATE"),
                "not PEM: -----BEGIN and -----END differ",
            ),
            (
                good.replace("PUBLIC", "PRIVATE"),
                "not PEM: expected PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE",
            ),
            (good.replace("MII", "M!I"), "not PEM: content is not base64"),
        ] {
            let refused = VerifyingKey::from_pem(&text, Algorithm::Rs256).unwrap_err();
            assert_eq!(refused.to_string(), sentence);
        }
        let cut = good.replacen("MII", "MIAI", 1);
        assert!(VerifyingKey::from_pem(&cut, Algorithm::Rs256).is_err());
        let refused = VerifyingKey::from_pem(&good, Algorithm::Es256).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a key of type RSA does not serve ES256"
        );
    }
}

/// The examples, where the corpus is.
mod appendix {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use common::{corpus_text, sign_by, with};
    use serde_json::Value;
    use sip_oauth_token::{DecryptionKey, Form, KeyManagement};

    use super::*;

    /// The `kid` of the RSA key of A.1 and A.2.
    const RSA_KID: &str = "2011-04-29";
    /// A.3, the second key: that of RFC 7515 Appendix A.1.
    const HMAC: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow","kid":"HMAC key used in JWS spec Appendix A.1 example"}"#;
    /// A.3, the first key: that of RFC 7516 Appendix A.3.
    const KEK: &str = r#"{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"}"#;

    fn vector(name: &str) -> Option<String> {
        corpus_text(&format!("rfc-vectors/{name}"))
    }

    /// The RSA key of A.2, from its members.
    fn private_half(set: &str) -> aws_lc_rs::signature::RsaKeyPair {
        fn der(tag: u8, content: &[u8]) -> Vec<u8> {
            let len = u16::try_from(content.len()).unwrap().to_be_bytes();
            let len = match len {
                [0, short @ ..=0x7f] => vec![short],
                [0, short] => vec![0x81, short],
                [high, low] => vec![0x82, high, low],
            };
            [&[tag], len.as_slice(), content].concat()
        }
        let set: Value = serde_json::from_str(set).unwrap();
        let jwk = &set["keys"][1];
        assert_eq!(jwk["kid"], RSA_KID);
        let mut members = der(0x02, &[0]);
        for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
            let number = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
            let sign: &[u8] = if number[0] < 0x80 { &[] } else { &[0] };
            members.extend(der(0x02, &[sign, &number].concat()));
        }
        aws_lc_rs::signature::RsaKeyPair::from_der(&der(0x30, &members)).unwrap()
    }

    #[test]
    fn a_1_the_key_for_signatures_is_taken_and_the_one_for_encryption_skipped() {
        let Some(set) = vector("rfc7517_A.1.jwkset") else {
            return;
        };
        let keys = KeySet::builder().jwk_set(&set).unwrap().build();
        let ids: Vec<String> = keys.key_ids().map(|kid| kid.as_str().to_owned()).collect();
        assert_eq!(ids, [RSA_KID]);
        assert_eq!(keys.skipped(), [KeyError::Jwk("`use` is not `sig`")]);
    }

    /// A set that has the private halves too serves as one that has not.
    #[test]
    fn a_2_signs_what_a_1_verifies() {
        let (Some(public), Some(private)) =
            (vector("rfc7517_A.1.jwkset"), vector("rfc7517_A.2.jwkset"))
        else {
            return;
        };
        let header = with(HEADER, "kid", Some(&format!("{RSA_KID:?}")));
        let token = sign_by(&private_half(&private), &header, CLAIMS);
        for set in [&public, &private] {
            let keys = KeySet::builder().jwk_set(set).unwrap().build();
            let verifier = Verifier::new(keys, rfc9068());
            assert_eq!(verifier.verify(&token, now()).unwrap().user(), "rado");
            let forged = sign_by(rsa(), &header, CLAIMS);
            let refused = verifier.verify(&forged, now()).unwrap_err();
            assert_eq!(refused.kind(), &TokenErrorKind::Signature);
        }
    }

    #[test]
    fn a_2_decrypts_only_where_its_alg_says_so() {
        let Some(set) = vector("rfc7517_A.2.jwkset") else {
            return;
        };
        let set: Value = serde_json::from_str(&set).unwrap();
        let mut jwk = set["keys"][1].clone();
        assert_eq!(
            DecryptionKey::from_jwk(&jwk.to_string()).unwrap_err(),
            KeyError::Jwk("`alg` is absent, or no encryption that is known")
        );
        jwk["alg"] = "RSA-OAEP-256".into();
        assert_eq!(
            DecryptionKey::from_jwk(&jwk.to_string())
                .unwrap()
                .algorithm(),
            KeyManagement::RsaOaep256
        );
        assert_eq!(
            DecryptionKey::from_jwk(&set["keys"][0].to_string()).unwrap_err(),
            KeyError::Jwk("`kty` is not RSA or oct"),
            "elliptic curves are for signatures here"
        );
    }

    #[test]
    fn a_3_shared_secrets_are_taken_one_by_one_and_not_in_a_set() {
        let refused = KeySet::builder().jwk_set(&format!(r#"{{"keys":[{KEK},{HMAC}]}}"#));
        assert_eq!(refused.unwrap_err(), KeyError::NoUsableKey { skipped: 2 });
        let kek = DecryptionKey::from_jwk(KEK).unwrap();
        assert_eq!(kek.algorithm(), KeyManagement::A128Kw);
        // It does not say what it is for, and a secret of this length serves any of three.
        assert!(VerifyingKey::from_jwk(HMAC).is_err());
        for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
            let key = VerifyingKey::from_jwk_for(HMAC, algorithm).unwrap();
            assert_eq!(key.algorithm(), algorithm);
        }
        assert!(VerifyingKey::from_jwk_for(HMAC, Algorithm::Rs256).is_err());
    }

    /// The key is what the members say: a certificate beside them is not read.
    #[test]
    fn b_x5c_is_ignored_and_its_certificate_holds_a_key() {
        let Some(jwk) = vector("rfc7517_B.jwk") else {
            return;
        };
        let key = VerifyingKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Rs256);
        let mut read: Value = serde_json::from_str(&jwk).unwrap();
        let body = read["x5c"][0].as_str().unwrap().to_owned();
        read["x5c"][0] = "no certificate".into();
        assert!(VerifyingKey::from_jwk(&read.to_string()).is_ok());

        let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        assert!(VerifyingKey::from_pem(&text, Algorithm::Rs256).is_ok());
        let modulus = URL_SAFE_NO_PAD.decode(read["n"].as_str().unwrap()).unwrap();
        let certificate = STANDARD.decode(body).unwrap();
        let found = certificate
            .windows(modulus.len())
            .any(|bytes| bytes == modulus);
        assert!(found, "one key twice");
    }

    /// C.9: a private key encrypted with a password is no token, and the password is never asked for.
    #[test]
    fn c_pbes2_is_never_accepted() {
        let header = r#"{"alg":"PBES2-HS256+A128KW","p2s":"2WCTcJZ1Rvd_CJuJripQ1w","p2c":4096,"enc":"A128CBC-HS256","cty":"jwk+json"}"#;
        let token = format!("{}.AAAA.AAAA.AAAA.AAAA", b64(header));
        let policy = rfc9068().forms([Form::Nested]).key_id_required(false);
        let refused = Verifier::new(common::keys(), policy)
            .verify(&token, now())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "header of the token's encrypted part: algorithm PBES2-HS256+A128KW is never accepted (a password is no key, and the sender would choose the work)"
        );
    }
}

mod rotation {
    use super::*;

    #[test]
    fn an_old_key_serves_until_its_end() {
        let key = VerifyingKey::from_pem(&pem(rsa()), Algorithm::Rs256).unwrap();
        let keys = KeySet::builder()
            .verifying_key(common::KID, key.until(at(common::NOW + 60)))
            .unwrap()
            .build();
        let verifier = Verifier::new(keys, rfc9068());
        let token = sign(HEADER, CLAIMS);
        assert!(verifier.verify(&token, at(common::NOW + 59)).is_ok());
        let refused = verifier.verify(&token, at(common::NOW + 60)).unwrap_err();
        assert!(
            matches!(refused.kind(), TokenErrorKind::RetiredKey { .. }),
            "{refused}"
        );
    }
}
