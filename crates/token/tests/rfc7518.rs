//! RFC 7518: the algorithms of the standard nested order, a JWE around a JWS (RFC 7519 Appendix A.2).
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
    PrivateDecryptingKey,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{CLAIMS, HEADER, KID, UCM_CLAIMS, around, b64, now, pem, rfc9068, sign, ucm};
use sip_oauth_token::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptionKey, Form, KeyError, KeyManagement,
    KeySet, Policy, TokenError, TokenErrorKind, VerifiedToken, Verifier, VerifyingKey,
};

const ONE_ERROR: &str = "token's encrypted part: does not decrypt";
const KEK: [u8; 32] = [0x42; 32];
const ENCRYPTIONS: [ContentEncryption; 4] = [
    ContentEncryption::A128CbcHs256,
    ContentEncryption::A256CbcHs512,
    ContentEncryption::A128Gcm,
    ContentEncryption::A256Gcm,
];
const MANAGEMENTS: [KeyManagement; 4] = [
    KeyManagement::Dir,
    KeyManagement::A128Kw,
    KeyManagement::A256Kw,
    KeyManagement::RsaOaep256,
];

/// The receiver's RSA key, as PKCS #8.
fn receiver() -> &'static [u8] {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        der.as_ref().to_vec()
    })
}

fn receiver_pem() -> String {
    let body = STANDARD.encode(receiver());
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

fn content_key(encryption: ContentEncryption) -> Vec<u8> {
    (0..encryption.key_bytes())
        .map(|at| u8::try_from(at).unwrap())
        .collect()
}

fn key(management: KeyManagement, encryption: ContentEncryption) -> DecryptionKey {
    match management {
        KeyManagement::Dir => EncryptionKey::new(encryption, &content_key(encryption))
            .unwrap()
            .into(),
        KeyManagement::A128Kw => DecryptionKey::key_wrap(management, &KEK[..16]).unwrap(),
        KeyManagement::A256Kw => DecryptionKey::key_wrap(management, &KEK).unwrap(),
        KeyManagement::RsaOaep256 => DecryptionKey::rsa_oaep_256(&receiver_pem()).unwrap(),
        other => panic!("{other} is not built in"),
    }
}

fn oaep(algorithm: &'static OaepAlgorithm, content_key: &[u8]) -> Vec<u8> {
    let public = PrivateDecryptingKey::from_pkcs8(receiver())
        .unwrap()
        .public_key();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let mut out = vec![0; public.ciphertext_size()];
    public
        .encrypt(algorithm, content_key, &mut out, None)
        .unwrap();
    out
}

fn wrap(kek: &[u8], content_key: &[u8]) -> Vec<u8> {
    let cipher = if kek.len() == 16 {
        &key_wrap::AES_128
    } else {
        &key_wrap::AES_256
    };
    let mut out = vec![0; content_key.len() + 8];
    AesKek::new(cipher, kek)
        .unwrap()
        .wrap(content_key, &mut out)
        .unwrap();
    out
}

fn encrypted_key(management: KeyManagement, content_key: &[u8]) -> Vec<u8> {
    match management {
        KeyManagement::Dir => Vec::new(),
        KeyManagement::A128Kw => wrap(&KEK[..16], content_key),
        KeyManagement::A256Kw => wrap(&KEK, content_key),
        KeyManagement::RsaOaep256 => oaep(&OAEP_SHA256_MGF1SHA256, content_key),
        other => panic!("{other} is not built in"),
    }
}

fn header(management: KeyManagement, encryption: ContentEncryption) -> String {
    format!(r#"{{"alg":"{management}","enc":"{encryption}","kid":"encryption-key","cty":"JWT"}}"#)
}

/// A JWE, byte by byte.
fn seal(
    header: &str,
    encryption: ContentEncryption,
    key: &[u8],
    wrapped: &[u8],
    plaintext: &[u8],
) -> String {
    let header = b64(header);
    let mut text = plaintext.to_vec();
    let (iv, tag) = match encryption {
        ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => {
            let algorithm = if key.len() == 16 {
                &AES_128_GCM
            } else {
                &AES_256_GCM
            };
            let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
            let iv = [3; 12];
            let nonce = Nonce::assume_unique_for_key(iv);
            let tag =
                key.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut text);
            (iv.to_vec(), tag.unwrap().as_ref().to_vec())
        }
        _ => {
            let (mac_key, aes_key) = key.split_at(key.len() / 2);
            let (aes, mac) = if aes_key.len() == 16 {
                (&AES_128, hmac::HMAC_SHA256)
            } else {
                (&AES_256, hmac::HMAC_SHA512)
            };
            let aes = UnboundCipherKey::new(aes, aes_key).unwrap();
            let context = PaddedBlockEncryptingKey::cbc_pkcs7(aes)
                .unwrap()
                .encrypt(&mut text)
                .unwrap();
            let DecryptionContext::Iv128(iv) = context else {
                panic!("CBC has an initialization vector of 128 bits");
            };
            let bits = (header.len() as u64 * 8).to_be_bytes();
            let covered = [header.as_bytes(), iv.as_ref(), &text, &bits].concat();
            let tag = hmac::sign(&hmac::Key::new(mac, mac_key), &covered);
            (iv.as_ref().to_vec(), tag.as_ref()[..mac_key.len()].to_vec())
        }
    };
    [header, b64(wrapped), b64(iv), b64(text), b64(tag)].join(".")
}

fn nested(management: KeyManagement, encryption: ContentEncryption) -> String {
    let content_key = content_key(encryption);
    let wrapped = encrypted_key(management, &content_key);
    let jws = sign(HEADER, CLAIMS);
    seal(
        &header(management, encryption),
        encryption,
        &content_key,
        &wrapped,
        jws.as_bytes(),
    )
}

fn key_set(key: DecryptionKey) -> KeySet {
    let signing = VerifyingKey::from_pem(&pem(common::rsa()), Algorithm::Rs256).unwrap();
    KeySet::builder()
        .verifying_key(KID, signing)
        .unwrap()
        .decryption_key(common::ENCRYPTION_KID, key)
        .unwrap()
        .build()
}

fn policy() -> Policy {
    rfc9068().forms([Form::Nested])
}

fn verify(key: DecryptionKey, token: &str) -> Result<VerifiedToken, TokenError> {
    Verifier::new(key_set(key), policy()).verify(token, now())
}

/// `token` with segment `at` replaced.
fn with_segment(token: &str, at: usize, text: &str) -> String {
    let mut segments: Vec<&str> = token.split('.').collect();
    segments[at] = text;
    segments.join(".")
}

fn one_error(key: DecryptionKey, token: &str) {
    assert_eq!(verify(key, token).unwrap_err().to_string(), ONE_ERROR);
}

#[test]
fn every_pair_of_algorithms_that_is_built_in_opens() {
    for management in MANAGEMENTS {
        for encryption in ENCRYPTIONS {
            let token = nested(management, encryption);
            let verified = verify(key(management, encryption), &token).unwrap();
            assert_eq!(
                (verified.form(), verified.user()),
                (Form::Nested, "rado"),
                "{management} {encryption}"
            );
        }
    }
}

/// RFC 7516 section 11.5: "the recipient MUST NOT distinguish between format, padding, and length errors
/// of encrypted keys".
#[test]
fn every_failure_behind_the_header_is_one_error() {
    for management in MANAGEMENTS {
        for encryption in ENCRYPTIONS {
            let token = nested(management, encryption);
            let segments: Vec<Vec<u8>> = token
                .split('.')
                .map(|segment| {
                    base64::engine::general_purpose::URL_SAFE_NO_PAD
                        .decode(segment)
                        .unwrap()
                })
                .collect();
            for (at, good) in segments.iter().enumerate().skip(1) {
                let mut flipped = good.clone();
                if let Some(first) = flipped.first_mut() {
                    *first ^= 1;
                } else {
                    flipped = vec![0; 40];
                }
                let cut = &good[..good.len().saturating_sub(1)];
                let longer = [good.as_slice(), &[0]].concat();
                for changed in [flipped.as_slice(), cut, &longer, &[]] {
                    if changed == good {
                        continue;
                    }
                    one_error(
                        key(management, encryption),
                        &with_segment(&token, at, &b64(changed)),
                    );
                }
            }
        }
    }
}

#[test]
fn a_key_opens_tokens_of_its_own_algorithm_only() {
    for management in MANAGEMENTS {
        for other in MANAGEMENTS {
            if other != management {
                let encryption = ContentEncryption::A256Gcm;
                one_error(key(other, encryption), &nested(management, encryption));
            }
        }
    }
    // A direct key is pinned to its `enc`, also where the length would fit.
    let token = nested(KeyManagement::Dir, ContentEncryption::A256Gcm);
    let key = EncryptionKey::new(
        ContentEncryption::A128CbcHs256,
        &content_key(ContentEncryption::A256Gcm),
    );
    one_error(key.unwrap().into(), &token);
}

#[test]
fn a_content_key_of_another_length_than_its_algorithm_needs_is_refused() {
    for management in [
        KeyManagement::A128Kw,
        KeyManagement::A256Kw,
        KeyManagement::RsaOaep256,
    ] {
        for encryption in ENCRYPTIONS {
            for wrong in [16, 24, 32, 48, 64]
                .into_iter()
                .filter(|len| *len != encryption.key_bytes())
            {
                let token = nested(management, encryption);
                let wrapped = encrypted_key(management, &vec![1; wrong]);
                one_error(
                    key(management, encryption),
                    &with_segment(&token, 1, &b64(wrapped)),
                );
            }
        }
    }
}

/// An attacker who knows what replaces a key that does not unwrap could make a token that opens.
#[test]
fn what_replaces_a_bad_content_key_cannot_be_foreseen() {
    for guess in [vec![0; 32], content_key(ContentEncryption::A256Gcm)] {
        let jws = sign(HEADER, CLAIMS);
        let encryption = ContentEncryption::A256Gcm;
        let header = header(KeyManagement::A256Kw, encryption);
        let token = seal(
            &header,
            encryption,
            &guess,
            b"no wrapped key",
            jws.as_bytes(),
        );
        one_error(key(KeyManagement::A256Kw, encryption), &token);
    }
}

mod section_4_3_rsa_oaep {
    use super::*;

    /// The same padding with SHA-1 is another algorithm.
    #[test]
    fn sha_1_is_no_sha_256() {
        let encryption = ContentEncryption::A128Gcm;
        let token = nested(KeyManagement::RsaOaep256, encryption);
        let wrapped = oaep(&OAEP_SHA1_MGF1SHA1, &content_key(encryption));
        one_error(
            key(KeyManagement::RsaOaep256, encryption),
            &with_segment(&token, 1, &b64(wrapped)),
        );
    }

    /// "A key of size 2048 bits or larger MUST be used with these algorithms."
    #[test]
    fn a_short_key_is_refused() {
        // 1024 bits, PKCS #1, made for this test and used nowhere.
        let pem = include_str!("keys/rsa-1024.pem");
        assert_eq!(
            DecryptionKey::rsa_oaep_256(pem).unwrap_err(),
            KeyError::PrivateKey
        );
    }

    #[test]
    fn pem_of_other_kinds_is_refused() {
        for (text, sentence) in [
            ("", "not PEM: expected -----BEGIN"),
            (
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                "not PEM: expected PRIVATE KEY or RSA PRIVATE KEY",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
                "not a private key: expected RSA as PrivateKeyInfo or RSAPrivateKey",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----",
                "not a private key: expected RSA as PrivateKeyInfo or RSAPrivateKey",
            ),
        ] {
            assert_eq!(
                DecryptionKey::rsa_oaep_256(text).unwrap_err().to_string(),
                sentence
            );
        }
    }

    #[test]
    fn both_kinds_of_pem_hold_the_same_key() {
        // A PrivateKeyInfo of RSA is 26 bytes of header around an RSAPrivateKey.
        let body = STANDARD.encode(&receiver()[26..]);
        let pkcs1 =
            format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n");
        let encryption = ContentEncryption::A256Gcm;
        let token = nested(KeyManagement::RsaOaep256, encryption);
        assert!(verify(DecryptionKey::rsa_oaep_256(&pkcs1).unwrap(), &token).is_ok());
        assert_eq!(
            format!(
                "{:?}",
                DecryptionKey::rsa_oaep_256(&receiver_pem()).unwrap()
            ),
            "DecryptionKey(RSA-OAEP-256, 2048 bits)"
        );
    }
}

mod section_4_4_aes_key_wrap {
    use super::*;

    #[test]
    fn a_key_has_the_length_of_its_algorithm() {
        for (management, len, expected) in [
            (KeyManagement::A128Kw, 32, "128"),
            (KeyManagement::A256Kw, 16, "256"),
        ] {
            let refused = DecryptionKey::key_wrap(management, &KEK[..len]).unwrap_err();
            assert_eq!(
                refused,
                KeyError::Size {
                    found: len * 8,
                    expected
                }
            );
        }
        for management in [
            KeyManagement::A192Kw,
            KeyManagement::Dir,
            KeyManagement::Pbes2Hs256A128Kw,
        ] {
            let refused = DecryptionKey::key_wrap(management, &KEK).unwrap_err();
            assert_eq!(refused, KeyError::KeyManagement(management));
        }
    }
}

/// The product writes `dir` only; its policy takes nothing else, whatever keys there are.
#[test]
fn unified_cms_form_takes_dir_only() {
    for management in [KeyManagement::A256Kw, KeyManagement::RsaOaep256] {
        let encryption = ContentEncryption::A128CbcHs256;
        let content_key = content_key(encryption);
        let wrapped = encrypted_key(management, &content_key);
        let jwe = seal(
            &header(management, encryption),
            encryption,
            &content_key,
            &wrapped,
            UCM_CLAIMS.as_bytes(),
        );
        let keys = key_set(key(management, encryption));
        let refused = Verifier::new(keys.clone(), ucm())
            .verify(&around(&jwe), now())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "header of the token's encrypted part: algorithm {management} is not in the policy"
            )
        );
        let named = ucm().key_management([management]);
        assert!(
            Verifier::new(keys, named)
                .verify(&around(&jwe), now())
                .is_ok()
        );
    }
}

mod rfc7519_section_5_3_replicated_claims {
    use super::*;

    #[test]
    fn claims_in_the_header_are_those_inside() {
        let encryption = ContentEncryption::A128Gcm;
        let content_key = content_key(encryption);
        let with = |member: &str| {
            let header = header(KeyManagement::Dir, encryption)
                .replace("\"cty\"", &format!("{member},\"cty\""));
            let jws = sign(HEADER, CLAIMS);
            let token = seal(&header, encryption, &content_key, &[], jws.as_bytes());
            verify(key(KeyManagement::Dir, encryption), &token)
        };
        for member in [
            r#""iss":"https://as.example.com""#,
            r#""sub":"rado""#,
            r#""aud":"sip:example.com""#,
        ] {
            assert!(with(member).is_ok(), "{member}");
        }
        for (name, value) in [
            ("iss", "\"https://other.example\""),
            ("sub", "\"anna\""),
            ("aud", "[\"sip:example.com\"]"),
            ("sub", "null"),
        ] {
            let refused = with(&format!("{name:?}:{value}")).unwrap_err();
            assert_eq!(
                refused.kind(),
                &TokenErrorKind::Parameter {
                    name,
                    problem: "is not the claim inside"
                }
            );
        }
    }
}

mod jwk {
    use super::*;

    #[test]
    fn a_jwk_pins_the_key_to_its_algorithm() {
        for (alg, len, algorithm) in [
            ("A128KW", 16, KeyManagement::A128Kw),
            ("A256KW", 32, KeyManagement::A256Kw),
            ("A128CBC-HS256", 32, KeyManagement::Dir),
            ("A256GCM", 32, KeyManagement::Dir),
        ] {
            let jwk = format!(
                r#"{{"kty":"oct","k":"{}","alg":"{alg}"}}"#,
                b64(&KEK[..len])
            );
            assert_eq!(
                DecryptionKey::from_jwk(&jwk).unwrap().algorithm(),
                algorithm
            );
        }
    }

    #[test]
    fn what_is_no_key_for_encryption_is_refused() {
        let k = b64(KEK);
        for (jwk, sentence) in [
            (
                format!(r#"{{"kty":"oct","k":"{k}"}}"#),
                "not a JWK: `alg` is absent, or no encryption that is known",
            ),
            (
                format!(r#"{{"kty":"oct","k":"{k}","alg":"HS256"}}"#),
                "not a JWK: `alg` is absent, or no encryption that is known",
            ),
            (
                format!(r#"{{"kty":"RSA","n":"{k}","alg":"RS256"}}"#),
                "not a JWK: `alg` is absent, or no encryption that is known",
            ),
            (
                format!(r#"{{"kty":"oct","k":"{k}","alg":"A128KW"}}"#),
                "key of 256 bits, expected 128",
            ),
            (
                format!(r#"{{"kty":"oct","k":"{k}","alg":"A192KW"}}"#),
                "A192KW needs another kind of key, or is not built in",
            ),
            (
                format!(r#"{{"kty":"oct","k":"{k}","alg":"RSA-OAEP-256"}}"#),
                "RSA-OAEP-256 needs another kind of key, or is not built in",
            ),
            (
                format!(r#"{{"kty":"RSA","k":"{k}","alg":"A256KW"}}"#),
                "A256KW needs another kind of key, or is not built in",
            ),
            (
                format!(r#"{{"kty":"EC","k":"{k}","alg":"ECDH-ES"}}"#),
                "not a JWK: `kty` is not RSA or oct",
            ),
            (
                format!(r#"{{"kty":"oct","k":"{k}","alg":"A256KW","use":"sig"}}"#),
                "not a JWK: `use` is not `enc`",
            ),
            (
                format!(r#"{{"kty":"oct","k":"{k}","alg":"A256KW","key_ops":["sign"]}}"#),
                "not a JWK: `key_ops` contains neither `decrypt` nor `unwrapKey`",
            ),
        ] {
            assert_eq!(
                DecryptionKey::from_jwk(&jwk).unwrap_err().to_string(),
                sentence
            );
        }
        let ops = format!(
            r#"{{"kty":"oct","k":"{k}","alg":"A256KW","key_ops":["unwrapKey"],"use":"enc"}}"#
        );
        assert!(DecryptionKey::from_jwk(&ops).is_ok());
    }
}
