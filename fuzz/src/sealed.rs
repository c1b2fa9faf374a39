//! Encrypted tokens: sealed by hand around what the fuzzer gives, or given as text.

// Of arrays of known length, by numbers cut to it.
#![allow(clippy::indexing_slicing)]

use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sip_oauth_token::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptionKey, Form, KeyManagement, KeySet,
    MAX_TOKEN_BYTES, Policy, TokenErrorKind, Verifier, VerifyingKey,
};

use crate::token::{AUDIENCE, ISSUER, TAKES_ALL, meets_policy, now};

/// A fixture, nobody's key. The same in every run, so that a text sealed for it stays what it is.
const RSA_PEM: &str = include_str!("../../crates/trust/tests/fixtures/rsa-2048.key.pem");
const KEY: [u8; 64] = [0x5a; 64];
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt","kid":"k"}"#;

/// The ways to a content key, by two bits.
const WAYS: [KeyManagement; 4] = [
    KeyManagement::Dir,
    KeyManagement::A128Kw,
    KeyManagement::A256Kw,
    KeyManagement::RsaOaep256,
];

/// The encryptions of the content, by two bits.
const CONTENTS: [ContentEncryption; 4] = [
    ContentEncryption::A128CbcHs256,
    ContentEncryption::A256CbcHs512,
    ContentEncryption::A128Gcm,
    ContentEncryption::A256Gcm,
];

/// What opens does so whatever is inside, and is accepted only where that meets the policy; what was changed
/// behind the header does not decrypt, and nothing else is said of it.
///
/// The first octet says by which keys (bits 0 to 3), around what (bits 4 and 5: claims that are signed, the
/// plaintext itself, Unified CM's form; or the rest is the text of a token), and whether the next two say which
/// octet is changed (bits 6 and 7).
pub fn token_encrypted(data: &[u8]) {
    let Some((control, rest)) = data.split_first() else {
        return;
    };
    let way = WAYS[usize::from(control & 3)];
    let content = CONTENTS[usize::from(control >> 2 & 3)];
    let inside = control >> 4 & 3;
    let (change, rest) = match (control >> 6, rest) {
        (0, rest) | (_, rest @ ([] | [_])) => (None, rest),
        (_, [segment, octet, rest @ ..]) => (Some((*segment, *octet)), rest),
    };
    let seal = |plaintext: &[u8]| {
        let segments = segments(way, content, plaintext);
        change.map_or_else(
            || segments.join("."),
            |change| changed(&segments, change).join("."),
        )
    };
    let signed = format!("{}.{}.c2ln", encode(HEADER), encode(rest));
    let text = match inside {
        0 => seal(signed.as_bytes()),
        1 => seal(rest),
        2 => {
            let private = format!(r#"{{"private":"{}"}}"#, seal(rest));
            format!("{}.{}.c2ln", encode(HEADER), encode(private))
        }
        _ => match std::str::from_utf8(rest) {
            Ok(text) => text.to_owned(),
            Err(_) => return,
        },
    };
    let [plain, cached] = verifiers();
    let verdict = plain.verify(&text, now());
    for _ in 0..2 {
        assert_eq!(
            cached.verify(&text, now()),
            verdict,
            "a cache changes no verdict"
        );
    }
    if let Ok(token) = &verdict {
        meets_policy(token);
    }
    if inside == 3 || text.len() > MAX_TOKEN_BYTES {
        return;
    }
    let refused = verdict
        .as_ref()
        .err()
        .map(sip_oauth_token::TokenError::kind);
    if change.is_some() {
        assert_eq!(refused, Some(&TokenErrorKind::Decryption), "it was changed");
        return;
    }
    assert_ne!(refused, Some(&TokenErrorKind::Decryption), "it was sealed");
    if inside == 0
        && let Ok(token) = plain.verify(&signed, now())
        && token.form() == Form::Jwt
    {
        let nested = verdict.expect("encryption makes no good token bad");
        assert_eq!(
            (nested.form(), nested.user()),
            (Form::Nested, token.user()),
            "it is the same token"
        );
    }
}

/// One without a cache and one with, which take every way and every form.
fn verifiers() -> &'static [Verifier; 2] {
    static VERIFIERS: OnceLock<[Verifier; 2]> = OnceLock::new();
    VERIFIERS.get_or_init(|| {
        let mut keys = KeySet::builder_with_provider(&TAKES_ALL)
            .verifying_key(
                "k",
                VerifyingKey::from_secret(&[7; 32], Algorithm::Hs256).expect("256 bits"),
            )
            .expect("one key");
        for content in CONTENTS {
            let key = EncryptionKey::new(content, content_key(content)).expect("its length");
            keys = keys
                .encryption_key(&kid(KeyManagement::Dir, content), key)
                .expect("a kid of its own");
        }
        for (way, len) in [(KeyManagement::A128Kw, 16), (KeyManagement::A256Kw, 32)] {
            let key = DecryptionKey::key_wrap(way, &KEY[..len]).expect("its length");
            keys = keys
                .decryption_key(way.as_str(), key)
                .expect("a kid of its own");
        }
        let rsa = DecryptionKey::rsa_oaep_256(RSA_PEM).expect("a private key");
        let keys = keys
            .decryption_key(KeyManagement::RsaOaep256.as_str(), rsa)
            .expect("a kid of its own")
            .build();
        let policy = Policy::rfc9068(ISSUER, AUDIENCE)
            .forms([Form::Jwt, Form::Nested, Form::UnifiedCm])
            .algorithms([Algorithm::Hs256]);
        let verifier = || Verifier::new(keys.clone(), policy.clone());
        [verifier(), verifier().with_cache(64)]
    })
}

/// A shared key is for one encryption, the others are for any.
fn kid(way: KeyManagement, content: ContentEncryption) -> String {
    match way {
        KeyManagement::Dir => format!("dir-{content}"),
        other => other.as_str().to_owned(),
    }
}

fn content_key(content: ContentEncryption) -> &'static [u8] {
    let len = match content {
        ContentEncryption::A128Gcm => 16,
        ContentEncryption::A256CbcHs512 => 64,
        _ => 32,
    };
    &KEY[..len]
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The five segments of a JWE around `plaintext` (RFC 7516 section 5.1).
fn segments(way: KeyManagement, content: ContentEncryption, plaintext: &[u8]) -> [String; 5] {
    let header = encode(format!(
        r#"{{"alg":"{way}","enc":"{content}","cty":"JWT","kid":"{}"}}"#,
        kid(way, content)
    ));
    let key = content_key(content);
    let encrypted_key = match way {
        KeyManagement::A128Kw => wrap(&KEY[..16], key),
        KeyManagement::A256Kw => wrap(&KEY[..32], key),
        KeyManagement::RsaOaep256 => encrypt_key(key),
        _ => Vec::new(),
    };
    let (iv, ciphertext, tag) = match content {
        ContentEncryption::A128CbcHs256 | ContentEncryption::A256CbcHs512 => {
            seal_cbc(key, header.as_bytes(), plaintext)
        }
        _ => seal_gcm(key, header.as_bytes(), plaintext),
    };
    [
        header,
        encode(encrypted_key),
        encode(iv),
        encode(ciphertext),
        encode(tag),
    ]
}

/// The same with one bit of one octet behind the header changed; where there is none, one octet too many.
fn changed(segments: &[String; 5], (segment, octet): (u8, u8)) -> [String; 5] {
    let mut segments = segments.clone();
    let segment = &mut segments[usize::from(segment % 4) + 1];
    let mut bytes = URL_SAFE_NO_PAD.decode(&*segment).expect("as written");
    let len = bytes.len();
    match bytes.get_mut(usize::from(octet) % len.max(1)) {
        Some(byte) => *byte ^= 1 << (octet % 8),
        None => bytes.push(octet),
    }
    *segment = encode(bytes);
    segments
}

/// AES Key Wrap (RFC 3394): 8 octets longer than the key.
fn wrap(kek: &[u8], key: &[u8]) -> Vec<u8> {
    let cipher = match kek.len() {
        16 => &key_wrap::AES_128,
        _ => &key_wrap::AES_256,
    };
    let mut wrapped = vec![0; key.len() + 8];
    let kek = AesKek::new(cipher, kek).expect("its length");
    let len = kek.wrap(key, &mut wrapped).expect("room").len();
    wrapped.truncate(len);
    wrapped
}

/// RSAES-OAEP with SHA-256 (RFC 8017 section 7.1).
fn encrypt_key(key: &[u8]) -> Vec<u8> {
    static PUBLIC: OnceLock<OaepPublicEncryptingKey> = OnceLock::new();
    let public = PUBLIC.get_or_init(|| {
        let body: String = RSA_PEM
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let der = STANDARD.decode(body).expect("PEM");
        let private = PrivateDecryptingKey::from_pkcs8(&der).expect("a private key");
        OaepPublicEncryptingKey::new(private.public_key()).expect("RSA")
    });
    let mut encrypted = vec![0; public.ciphertext_size()];
    public
        .encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut encrypted, None)
        .expect("a short key")
        .to_vec()
}

/// AES-CBC with HMAC (RFC 7518 section 5.2.2.1): initialization vector, ciphertext, tag.
fn seal_cbc(key: &[u8], aad: &[u8], plaintext: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (mac_key, aes_key) = key.split_at(key.len() / 2);
    let (aes, mac) = match aes_key.len() {
        16 => (&AES_128, hmac::HMAC_SHA256),
        _ => (&AES_256, hmac::HMAC_SHA512),
    };
    let iv = [0x1f; 16];
    let mut ciphertext = plaintext.to_vec();
    let key = UnboundCipherKey::new(aes, aes_key).expect("its length");
    PaddedBlockEncryptingKey::cbc_pkcs7(key)
        .expect("a key")
        .less_safe_encrypt(
            &mut ciphertext,
            EncryptionContext::Iv128(FixedLength::from(iv)),
        )
        .expect("room for the padding");
    let bits = (aad.len() as u64 * 8).to_be_bytes();
    let covered = [aad, &iv, &ciphertext, &bits].concat();
    let tag = hmac::sign(&hmac::Key::new(mac, mac_key), &covered);
    let tag = tag.as_ref()[..mac_key.len()].to_vec();
    (iv.to_vec(), ciphertext, tag)
}

/// AES GCM (RFC 7518 section 5.3): the same.
fn seal_gcm(key: &[u8], aad: &[u8], plaintext: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        _ => &AES_256_GCM,
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).expect("its length"));
    let iv = [0x1f; 12];
    let mut ciphertext = plaintext.to_vec();
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(iv),
            Aad::from(aad),
            &mut ciphertext,
        )
        .expect("a short text");
    (iv.to_vec(), ciphertext, tag.as_ref().to_vec())
}
