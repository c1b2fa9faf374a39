//! Making compact JWE (RFC 7516 section 5.1): `dir`, AES key wrap, RSA-OAEP-256.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm as GcmAlgorithm, LessSafeKey, NONCE_LEN, Nonce,
    UnboundKey,
};
use aws_lc_rs::cipher::{
    AES_128, AES_256, Algorithm as AesAlgorithm, DecryptionContext, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::{hmac, rand};
use serde::Serialize;
use zeroize::Zeroizing;

use super::IssueError;
use super::recipient::{Key, Recipient};
use super::sign::segment;
use crate::algorithm::ContentEncryption;
use crate::jose::to_base64url;
use crate::jwe::cbc;
use crate::keys::{EncryptionKey, KeyId};

/// The JOSE header, in the product's order.
#[derive(Serialize)]
struct SealedHeader<'a> {
    alg: &'static str,
    cty: &'static str,
    enc: &'static str,
    kid: &'a str,
}

const AES_BLOCK_BYTES: usize = 16;

/// Initialization vector, ciphertext, tag.
struct Sealed {
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

/// Encrypts for who shares `key`.
pub(super) fn seal(
    key: &EncryptionKey,
    kid: &KeyId,
    plaintext: &[u8],
) -> Result<Zeroizing<String>, IssueError> {
    // With direct encryption the encrypted key is empty.
    compact("dir", kid, key, &[], plaintext)
}

/// Encrypts for `recipient`.
pub(super) fn seal_for(
    recipient: &Recipient,
    plaintext: &[u8],
) -> Result<Zeroizing<String>, IssueError> {
    let (alg, encrypted_key, content_key) = match &recipient.key {
        Key::Direct(key) => return seal(key, &recipient.kid, plaintext),
        Key::Wrap(kek, content) => {
            let content_key = new_key(*content)?;
            let wrapped = wrap(kek, content_key.expose()).ok_or(IssueError::Crypto)?;
            let alg = if kek.len() == 16 { "A128KW" } else { "A256KW" };
            (alg, wrapped, content_key)
        }
        Key::RsaOaep256(spki, content) => {
            let content_key = new_key(*content)?;
            let encrypted = encrypt_key(spki, content_key.expose()).ok_or(IssueError::Crypto)?;
            ("RSA-OAEP-256", encrypted, content_key)
        }
    };
    compact(alg, &recipient.kid, &content_key, &encrypted_key, plaintext)
}

/// A random key for this algorithm.
pub(super) fn new_key(content: ContentEncryption) -> Result<EncryptionKey, IssueError> {
    let mut bytes = Zeroizing::new(vec![0; content.key_bytes()]);
    rand::fill(&mut bytes).map_err(|_| IssueError::Crypto)?;
    Ok(EncryptionKey::new(content, &bytes)?)
}

/// AES Key Wrap (RFC 3394): 8 bytes longer than the key.
fn wrap(kek: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let cipher = match kek.len() {
        16 => &key_wrap::AES_128,
        _ => &key_wrap::AES_256,
    };
    let mut wrapped = vec![0; key.len() + 8];
    let len = AesKek::new(cipher, kek)
        .ok()?
        .wrap(key, &mut wrapped)
        .ok()?
        .len();
    wrapped.truncate(len);
    Some(wrapped)
}

/// RSAES-OAEP with SHA-256 and MGF1 with SHA-256 (RFC 8017 section 7.1).
fn encrypt_key(spki: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(spki).ok()?).ok()?;
    let mut encrypted = vec![0; public.ciphertext_size()];
    let len = public
        .encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut encrypted, None)
        .ok()?
        .len();
    encrypted.truncate(len);
    Some(encrypted)
}

fn compact(
    alg: &'static str,
    kid: &KeyId,
    key: &EncryptionKey,
    encrypted_key: &[u8],
    plaintext: &[u8],
) -> Result<Zeroizing<String>, IssueError> {
    let enc = key.encryption().as_str();
    let header = segment(&SealedHeader {
        alg,
        cty: "JWT",
        enc,
        kid: kid.as_str(),
    });
    let aad = header.as_bytes();
    let bytes = key.expose();
    let sealed = match key.encryption() {
        ContentEncryption::A128CbcHs256 => {
            seal_cbc(&AES_128, hmac::HMAC_SHA256, bytes, aad, plaintext)
        }
        ContentEncryption::A256CbcHs512 => {
            seal_cbc(&AES_256, hmac::HMAC_SHA512, bytes, aad, plaintext)
        }
        ContentEncryption::A128Gcm => seal_gcm(&AES_128_GCM, bytes, aad, plaintext),
        ContentEncryption::A256Gcm => seal_gcm(&AES_256_GCM, bytes, aad, plaintext),
        ContentEncryption::A192CbcHs384 | ContentEncryption::A192Gcm => None,
    };
    let Sealed {
        iv,
        ciphertext,
        tag,
    } = sealed.ok_or(IssueError::Crypto)?;
    let [encrypted_key, iv, ciphertext, tag] =
        [encrypted_key, &iv, &ciphertext, &tag].map(|part| Zeroizing::new(to_base64url(part)));
    let parts = [&*header, &*encrypted_key, &*iv, &*ciphertext, &*tag];
    Ok(Zeroizing::new(parts.map(String::as_str).join(".")))
}

fn seal_cbc(
    algorithm: &'static AesAlgorithm,
    mac: hmac::Algorithm,
    key: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Option<Sealed> {
    let (mac_key, aes_key) = key.split_at_checked(key.len() / 2)?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, aes_key).ok()?)
        .ok()?;
    // Room for the padding: a text that has to move leaves a copy behind.
    let mut in_place = Zeroizing::new(Vec::with_capacity(plaintext.len() + AES_BLOCK_BYTES));
    in_place.extend_from_slice(plaintext);
    let DecryptionContext::Iv128(iv) = key.encrypt(&mut *in_place).ok()? else {
        return None;
    };
    let ciphertext = std::mem::take(&mut *in_place);
    let iv = iv.as_ref().to_vec();
    let tag = cbc::full_tag(mac, mac_key, aad, &iv, &ciphertext);
    let tag = tag.as_ref().get(..mac_key.len())?.to_vec();
    Some(Sealed {
        iv,
        ciphertext,
        tag,
    })
}

fn seal_gcm(
    algorithm: &'static GcmAlgorithm,
    key: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Option<Sealed> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let mut iv = [0; NONCE_LEN];
    rand::fill(&mut iv).ok()?;
    let mut in_place = Zeroizing::new(plaintext.to_vec());
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut in_place)
        .ok()?;
    Some(Sealed {
        iv: iv.to_vec(),
        ciphertext: std::mem::take(&mut *in_place),
        tag: tag.as_ref().to_vec(),
    })
}
