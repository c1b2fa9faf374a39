//! Every signature algorithm beside its bare check, and every way to a content key.

use std::hint::black_box;
use std::rc::Rc;
use std::time::SystemTime;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    self as lc, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaEncoding,
    RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm as Theirs, DecodingKey};
use sip_oauth_token::issue::{AuthorizationServer, Recipient};
use sip_oauth_token::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptionKey, Form, KeyManagement, KeySet,
    Policy, Verifier, VerifyingKey,
};

use super::ratios::{self, Contender};
use super::{AUDIENCE, AUTHORIZATION_SERVER, SCOPES, peer_decodes, signed, validation};

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;
type Check = Box<dyn Fn(&[u8], &[u8]) -> bool>;

/// One algorithm: our key, the bare check, who signs, and the peer's key.
struct Case {
    key: VerifyingKey,
    check: Check,
    sign: Sign,
    peer: (Theirs, DecodingKey),
}

/// Prints a table for each.
pub(crate) fn print() {
    let now = SystemTime::now();
    for case in signatures() {
        let algorithm = case.key.algorithm();
        let text = signed(algorithm, now, &case.sign);
        let (input, signature) = text.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let keys = KeySet::builder()
            .verifying_key("k", case.key)
            .expect("one key");
        let policy = Policy::rfc9068(AUTHORIZATION_SERVER, AUDIENCE).algorithms([algorithm]);
        let verifier = Verifier::new(keys.build(), policy);
        assert_eq!(
            verifier.verify(&text, now).expect("a good token").user(),
            "anna"
        );
        assert!((case.check)(input.as_bytes(), &signature));
        let validation = validation(case.peer.0);
        assert_eq!(peer_decodes(&text, &case.peer.1, &validation).sub, "anna");
        let contenders: [Contender<'_>; 3] = [
            (
                "aws-lc-rs: signature, key parsed",
                Box::new(|| assert!((case.check)(black_box(input.as_bytes()), &signature))),
            ),
            (
                "verify",
                Box::new(|| drop(verifier.verify(black_box(&text), now).expect("good"))),
            ),
            (
                "jsonwebtoken: decode",
                Box::new(|| drop(peer_decodes(black_box(&text), &case.peer.1, &validation))),
            ),
        ];
        ratios::print(
            &format!("RFC 9068, {algorithm}, {} bytes", text.len()),
            &contenders,
        );
    }
    nested(now);
}

fn signatures() -> Vec<Case> {
    let rsa = Rc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));
    let with_rsa = |algorithm, encoding: &'static dyn RsaEncoding, parameters, theirs| {
        let pair = Rc::clone(&rsa);
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a key");
        Case {
            key: VerifyingKey::from_spki_der(spki.as_ref(), algorithm).expect("a key"),
            check: public(parameters, spki.as_ref()),
            peer: (theirs, DecodingKey::from_rsa_der(spki.as_ref())),
            sign: Box::new(move |input| {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), input, &mut signature)
                    .expect("a signature");
                signature
            }),
        }
    };
    let with_curve = |algorithm, signing, verifying, theirs| {
        let pair = EcdsaKeyPair::generate(signing).expect("a key");
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a key");
        let point = pair.public_key().as_ref().to_vec();
        Case {
            key: VerifyingKey::from_spki_der(spki.as_ref(), algorithm).expect("a key"),
            check: public(verifying, &point),
            peer: (theirs, DecodingKey::from_ec_der(&point)),
            sign: Box::new(move |input| {
                let signature = pair.sign(&SystemRandom::new(), input).expect("a signature");
                signature.as_ref().to_vec()
            }),
        }
    };
    let with_secret = |algorithm, mac, theirs| {
        let secret = [7; 64];
        let key = Rc::new(hmac::Key::new(mac, &secret));
        let same = Rc::clone(&key);
        Case {
            key: VerifyingKey::from_secret(&secret, algorithm).expect("a key"),
            check: Box::new(move |input, tag| hmac::verify(&same, input, tag).is_ok()),
            peer: (theirs, DecodingKey::from_secret(&secret)),
            sign: Box::new(move |input| hmac::sign(&key, input).as_ref().to_vec()),
        }
    };
    vec![
        with_rsa(
            Algorithm::Rs256,
            &lc::RSA_PKCS1_SHA256,
            &lc::RSA_PKCS1_2048_8192_SHA256,
            Theirs::RS256,
        ),
        with_rsa(
            Algorithm::Rs384,
            &lc::RSA_PKCS1_SHA384,
            &lc::RSA_PKCS1_2048_8192_SHA384,
            Theirs::RS384,
        ),
        with_rsa(
            Algorithm::Rs512,
            &lc::RSA_PKCS1_SHA512,
            &lc::RSA_PKCS1_2048_8192_SHA512,
            Theirs::RS512,
        ),
        with_rsa(
            Algorithm::Ps256,
            &lc::RSA_PSS_SHA256,
            &lc::RSA_PSS_2048_8192_SHA256,
            Theirs::PS256,
        ),
        with_rsa(
            Algorithm::Ps384,
            &lc::RSA_PSS_SHA384,
            &lc::RSA_PSS_2048_8192_SHA384,
            Theirs::PS384,
        ),
        with_rsa(
            Algorithm::Ps512,
            &lc::RSA_PSS_SHA512,
            &lc::RSA_PSS_2048_8192_SHA512,
            Theirs::PS512,
        ),
        with_curve(
            Algorithm::Es256,
            &lc::ECDSA_P256_SHA256_FIXED_SIGNING,
            &lc::ECDSA_P256_SHA256_FIXED,
            Theirs::ES256,
        ),
        with_curve(
            Algorithm::Es384,
            &lc::ECDSA_P384_SHA384_FIXED_SIGNING,
            &lc::ECDSA_P384_SHA384_FIXED,
            Theirs::ES384,
        ),
        with_ed25519(),
        with_secret(Algorithm::Hs256, hmac::HMAC_SHA256, Theirs::HS256),
        with_secret(Algorithm::Hs384, hmac::HMAC_SHA384, Theirs::HS384),
        with_secret(Algorithm::Hs512, hmac::HMAC_SHA512, Theirs::HS512),
    ]
}

fn with_ed25519() -> Case {
    let pair = Ed25519KeyPair::generate().expect("a key");
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a key");
    let bytes = pair.public_key().as_ref().to_vec();
    Case {
        key: VerifyingKey::from_spki_der(spki.as_ref(), Algorithm::EdDsa).expect("a key"),
        check: public(&lc::ED25519, &bytes),
        peer: (Theirs::EdDSA, DecodingKey::from_ed_der(&bytes)),
        sign: Box::new(move |input| pair.sign(input).as_ref().to_vec()),
    }
}

fn public(algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> Check {
    let key = ParsedPublicKey::new(algorithm, key).expect("a key");
    Box::new(move |input, signature| key.verify_sig(input, signature).is_ok())
}

/// RS256 inside; the bare work is its check, and for RSA-OAEP-256 the RSA operation too.
fn nested(now: SystemTime) {
    const KID: &str = "k";
    let server = AuthorizationServer::new(AUTHORIZATION_SERVER).expect("new keys");
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
    let spki: PublicKeyX509Der<'_> = private.public_key().as_der().expect("a key");
    let pkcs8: Pkcs8V1Der<'_> = private.as_der().expect("a key");
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(pkcs8.as_ref())
    );
    let oaep = OaepPrivateDecryptingKey::new(private).expect("a key");
    let plain = server
        .issue_access_for(Form::Jwt, AUDIENCE, "anna", "C0ffee", &SCOPES, now)
        .expect("a token");
    let (input, signature) = plain.token.expose().rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let check = public(
        &lc::RSA_PKCS1_2048_8192_SHA256,
        &super::der(server.signing_key_pem()),
    );
    assert!(check(input.as_bytes(), &signature));

    for content in [
        ContentEncryption::A128CbcHs256,
        ContentEncryption::A256CbcHs512,
        ContentEncryption::A128Gcm,
        ContentEncryption::A256Gcm,
    ] {
        let direct = || EncryptionKey::new(content, &vec![7; content.key_bytes()]).expect("a key");
        let wrap = |algorithm, len| {
            let key = DecryptionKey::key_wrap(algorithm, &vec![7; len]).expect("a key");
            (Recipient::aes_key_wrap(KID, &vec![7; len], content), key)
        };
        for (recipient, key) in [
            (Recipient::direct(KID, direct()), direct().into()),
            wrap(KeyManagement::A128Kw, 16),
            wrap(KeyManagement::A256Kw, 32),
            (
                Recipient::rsa_oaep_256(KID, spki.as_ref(), content),
                DecryptionKey::rsa_oaep_256(&pem).expect("a key"),
            ),
        ] {
            let algorithm = key.algorithm();
            let recipient = recipient.expect("a recipient");
            let issued = server
                .issue_nested(&recipient, AUDIENCE, "anna", "C0ffee", &SCOPES, now)
                .expect("a token");
            let text = issued.token.expose();
            let keys = KeySet::builder()
                .jwk_set(&server.jwk_set())
                .and_then(|keys| keys.decryption_key(KID, key))
                .expect("two keys");
            let policy = Policy::rfc9068(AUTHORIZATION_SERVER, AUDIENCE).forms([Form::Nested]);
            let verifier = Verifier::new(keys.build(), policy);
            assert_eq!(
                verifier.verify(text, now).expect("a good token").user(),
                "anna"
            );
            let encrypted_key = text.split('.').nth(1).expect("five parts");
            let encrypted_key = URL_SAFE_NO_PAD.decode(encrypted_key).expect("base64url");
            let by_rsa = algorithm == KeyManagement::RsaOaep256;
            let bare = || {
                assert!(check(black_box(input.as_bytes()), &signature));
                if by_rsa {
                    let mut content_key = vec![0; oaep.min_output_size()];
                    oaep.decrypt(
                        &OAEP_SHA256_MGF1SHA256,
                        &encrypted_key,
                        &mut content_key,
                        None,
                    )
                    .expect("a content key");
                    black_box(content_key);
                }
            };
            let contenders: [Contender<'_>; 2] = [
                (
                    if by_rsa {
                        "aws-lc-rs: signature and OAEP, keys parsed"
                    } else {
                        "aws-lc-rs: signature, key parsed"
                    },
                    Box::new(bare),
                ),
                (
                    "verify",
                    Box::new(|| drop(verifier.verify(black_box(text), now).expect("good"))),
                ),
            ];
            ratios::print(
                &format!(
                    "nested, {algorithm}, {content} around RS256, {} bytes",
                    text.len()
                ),
                &contenders,
            );
        }
    }
}
