//! Keys and tokens made at test time, byte by byte where a test needs a token nobody issues.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::print_stdout, reason = "a test says what it skipped")]

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sip_oauth_token::{
    Algorithm, ContentEncryption, EncryptionKey, KeySet, KeySetBuilder, Policy, TokenError,
    VerifiedToken, Verifier, VerifyingKey,
};

pub(crate) const UUID: &str = "8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5";
pub(crate) const ISSUER: &str = "https://as.example.com";
pub(crate) const AUDIENCE: &str = "sip:example.com";
pub(crate) const KID: &str = "signing-key";
pub(crate) const ENCRYPTION_KID: &str = "encryption-key";
pub(crate) const ENCRYPTION_KEY: [u8; 32] = [0x5a; 32];
pub(crate) const NOW: u64 = 1_700_000_000;

/// The header and claims of a good RFC 9068 token.
pub(crate) const HEADER: &str = r#"{"alg":"RS256","typ":"at+jwt","kid":"signing-key"}"#;
pub(crate) const CLAIMS: &str = r#"{"iss":"https://as.example.com","exp":1700003600,"aud":"sip:example.com","sub":"rado","client_id":"C1","iat":1700000000,"jti":"t1"}"#;

/// The headers and inner claims of a good Unified CM token.
pub(crate) const UCM_HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"signing-key"}"#;
pub(crate) const UCM_INNER_HEADER: &str =
    r#"{"alg":"dir","cty":"JWT","enc":"A128CBC-HS256","kid":"encryption-key"}"#;
pub(crate) const UCM_CLAIMS: &str = r#"{"iss":"8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5","exp":1700003600,"iat":1700000000,"sub":"rado","ccid":"C1","tid":"t1","ctyp":"access"}"#;

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn now() -> SystemTime {
    at(NOW)
}

/// A file of `$SIP_OAUTH_CORPUS/jose`, or what was skipped.
pub(crate) fn corpus_text(name: &str) -> Option<String> {
    let path = corpus().join("jose").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped, not found: {}", path.display());
    }
    text
}

pub(crate) fn corpus() -> PathBuf {
    std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    )
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn rsa() -> &'static RsaKeyPair {
    static KEY: OnceLock<RsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

/// The key of another issuer.
pub(crate) fn other_rsa() -> &'static RsaKeyPair {
    static KEY: OnceLock<RsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

pub(crate) fn pem(pair: &RsaKeyPair) -> String {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let body = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

pub(crate) fn rsa_signature(pair: &RsaKeyPair, input: &str) -> String {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        input.as_bytes(),
        &mut signature,
    )
    .unwrap();
    b64(signature)
}

/// A JWS over any bytes, with any header, whose RS256 signature is right.
pub(crate) fn sign(header: &str, payload: impl AsRef<[u8]>) -> String {
    sign_segments(&b64(header), &b64(payload))
}

/// The same by a key of the test's choice.
pub(crate) fn sign_by(pair: &RsaKeyPair, header: &str, payload: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let signature = rsa_signature(pair, &input);
    format!("{input}.{signature}")
}

pub(crate) fn sign_segments(header: &str, payload: &str) -> String {
    let input = format!("{header}.{payload}");
    let signature = rsa_signature(rsa(), &input);
    format!("{input}.{signature}")
}

/// A JWE over any bytes, with any header, that opens with [`ENCRYPTION_KEY`] by A128CBC-HS256.
pub(crate) fn encrypt(header: &str, plaintext: impl AsRef<[u8]>) -> String {
    let header = b64(header);
    let aes_key = &ENCRYPTION_KEY[16..];
    let key = UnboundCipherKey::new(&AES_128, aes_key).unwrap();
    let mut ciphertext = plaintext.as_ref().to_vec();
    let context = PaddedBlockEncryptingKey::cbc_pkcs7(key)
        .unwrap()
        .encrypt(&mut ciphertext)
        .unwrap();
    let DecryptionContext::Iv128(iv) = context else {
        panic!("CBC has an initialization vector of 128 bits");
    };
    authenticated(&header, iv.as_ref(), &ciphertext)
}

/// A JWE of this header segment, whatever its ciphertext is, whose tag is right under [`ENCRYPTION_KEY`].
pub(crate) fn authenticated(header: &str, iv: &[u8], ciphertext: &[u8]) -> String {
    let mac_key = &ENCRYPTION_KEY[..16];
    let aad_bits = (header.len() as u64 * 8).to_be_bytes();
    let covered = [header.as_bytes(), iv, ciphertext, &aad_bits].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, mac_key), &covered);
    let tag = &tag.as_ref()[..16];
    format!("{header}..{}.{}.{}", b64(iv), b64(ciphertext), b64(tag))
}

/// A Unified CM token around any inner bytes.
pub(crate) fn unified_cm(inner: impl AsRef<[u8]>) -> String {
    around(&encrypt(UCM_INNER_HEADER, inner))
}

/// A Unified CM token around any JWE.
pub(crate) fn around(jwe: &str) -> String {
    sign(UCM_HEADER, format!(r#"{{"private":"{jwe}"}}"#))
}

pub(crate) fn key_set_builder() -> KeySetBuilder {
    let signing = VerifyingKey::from_pem(&pem(rsa()), Algorithm::Rs256).unwrap();
    let encryption = EncryptionKey::new(ContentEncryption::A128CbcHs256, &ENCRYPTION_KEY).unwrap();
    KeySet::builder()
        .verifying_key(KID, signing)
        .unwrap()
        .encryption_key(ENCRYPTION_KID, encryption)
        .unwrap()
}

pub(crate) fn keys() -> KeySet {
    key_set_builder().build()
}

pub(crate) fn rfc9068() -> Policy {
    Policy::rfc9068(ISSUER, AUDIENCE)
}

pub(crate) fn ucm() -> Policy {
    Policy::unified_cm(UUID)
}

pub(crate) fn verify_with(policy: Policy, token: &str) -> Result<VerifiedToken, TokenError> {
    Verifier::new(keys(), policy).verify(token, now())
}

/// Judges by the RFC 9068 policy.
pub(crate) fn verify(token: &str) -> Result<VerifiedToken, TokenError> {
    verify_with(rfc9068(), token)
}

/// Judges by the Unified CM policy.
pub(crate) fn verify_ucm(token: &str) -> Result<VerifiedToken, TokenError> {
    verify_with(ucm(), token)
}

/// The sentence a token is refused with.
pub(crate) fn refusal(token: &str) -> String {
    verify(token).unwrap_err().to_string()
}

pub(crate) fn ucm_refusal(token: &str) -> String {
    verify_ucm(token).unwrap_err().to_string()
}

/// Claims with one replaced or added, or removed where `value` is `None`.
pub(crate) fn with(claims: &str, name: &str, value: Option<&str>) -> String {
    let mut claims: serde_json::Value = serde_json::from_str(claims).unwrap();
    let object = claims.as_object_mut().unwrap();
    match value {
        Some(json) => object.insert(name.to_owned(), serde_json::from_str(json).unwrap()),
        None => object.remove(name),
    };
    claims.to_string()
}
