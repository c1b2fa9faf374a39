//! Opening a JWE (RFC 7516 section 5.2) with a shared key: `alg` `dir`.

use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::algorithm::{ContentEncryption, KeyManagement};
use crate::error::{Place, TokenError, TokenErrorKind};
use crate::header::Header;
use crate::jose::{CompactJwe, base64url};
use crate::keys::KeySet;
use crate::policy::Policy;

/// What a JWE held, and how long its key may be used.
pub(crate) struct Opened {
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    pub(crate) key_until: Option<SystemTime>,
}

/// Opens `jwe` with the key its `kid` names.
pub(crate) fn open(
    jwe: CompactJwe<'_>,
    keys: &KeySet,
    policy: &Policy,
    now: SystemTime,
) -> Result<Opened, TokenError> {
    let header = Header::read(jwe.header, Place::EncryptedHeader)?;
    require_dir(&header)?;
    let encryption = content_encryption(&header, policy)?;

    let key = keys.encryption_key(header.key_id()?.as_ref(), policy, now)?;
    if key.encryption() != encryption {
        // The key is pinned to one algorithm; with another it is not this token's key.
        return Err(TokenErrorKind::Decryption.at(Place::Encrypted));
    }
    let place = Place::Encrypted;
    // RFC 7516 section 5.2 step 10: with direct encryption the encrypted key is the empty sequence.
    if !jwe.encrypted_key.is_empty() {
        return Err(TokenErrorKind::Decryption.at(place));
    }
    let iv = base64url(jwe.iv, &place)?;
    let ciphertext = base64url(jwe.ciphertext, &place)?;
    let tag = base64url(jwe.tag, &place)?;
    let plaintext = decrypt(
        encryption,
        key.expose(),
        jwe.header.as_bytes(),
        &iv,
        ciphertext,
        &tag,
    )
    .ok_or_else(|| TokenErrorKind::Decryption.at(place))?;
    // Checked behind the tag, which vouches for the header too.
    header.require_jwt_content()?;
    Ok(Opened {
        plaintext,
        key_until: key.end(),
    })
}

fn require_dir(header: &Header) -> Result<(), TokenError> {
    let refuse = |name, reason| Err(header.refuse(TokenErrorKind::Algorithm { name, reason }));
    let Some(algorithm) = KeyManagement::from_name(header.required("alg")?) else {
        return refuse("(unregistered)", "is not known");
    };
    let name = algorithm.as_str();
    match algorithm {
        KeyManagement::Dir if cfg!(feature = "aws-lc-rs") => Ok(()),
        KeyManagement::Dir => refuse(name, "needs the feature `aws-lc-rs`"),
        KeyManagement::Rsa1v5 => refuse(
            name,
            "is never accepted (padding oracles, RFC 8725 section 3.2)",
        ),
        KeyManagement::Pbes2Hs256A128Kw
        | KeyManagement::Pbes2Hs384A192Kw
        | KeyManagement::Pbes2Hs512A256Kw => refuse(
            name,
            "is never accepted (a password is no key, and the sender would choose the work)",
        ),
        KeyManagement::A128Kw
        | KeyManagement::A192Kw
        | KeyManagement::A256Kw
        | KeyManagement::RsaOaep
        | KeyManagement::RsaOaep256
        | KeyManagement::EcdhEs
        | KeyManagement::EcdhEsA128Kw
        | KeyManagement::EcdhEsA192Kw
        | KeyManagement::EcdhEsA256Kw
        | KeyManagement::A128GcmKw
        | KeyManagement::A192GcmKw
        | KeyManagement::A256GcmKw => refuse(name, "is not built in"),
    }
}

fn content_encryption(header: &Header, policy: &Policy) -> Result<ContentEncryption, TokenError> {
    let refuse = |name, reason| Err(header.refuse(TokenErrorKind::Algorithm { name, reason }));
    let Some(encryption) = ContentEncryption::from_name(header.required("enc")?) else {
        return refuse("(unregistered)", "is not known");
    };
    if !policy.content_encryption.contains(&encryption) {
        return refuse(encryption.as_str(), "is not in the policy");
    }
    if !encryption.is_built_in() {
        return refuse(encryption.as_str(), "is not built in");
    }
    Ok(encryption)
}

/// Without a provider there is nothing to decrypt with; `require_dir` has said so by name before.
#[cfg(not(feature = "aws-lc-rs"))]
fn decrypt(
    _: ContentEncryption,
    _: &[u8],
    _: &[u8],
    _: &[u8],
    _: Vec<u8>,
    _: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    None
}

/// Authenticates, then decrypts. `None` for every reason alike.
#[cfg(feature = "aws-lc-rs")]
fn decrypt(
    encryption: ContentEncryption,
    key: &[u8],
    aad: &[u8],
    iv: &[u8],
    ciphertext: Vec<u8>,
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    use aws_lc_rs::{aead, cipher, hmac};
    match encryption {
        ContentEncryption::A128CbcHs256 => cbc::decrypt(
            &cipher::AES_128,
            hmac::HMAC_SHA256,
            key,
            aad,
            iv,
            ciphertext,
            tag,
        ),
        ContentEncryption::A256CbcHs512 => cbc::decrypt(
            &cipher::AES_256,
            hmac::HMAC_SHA512,
            key,
            aad,
            iv,
            ciphertext,
            tag,
        ),
        ContentEncryption::A128Gcm => gcm(&aead::AES_128_GCM, key, aad, iv, ciphertext, tag),
        ContentEncryption::A256Gcm => gcm(&aead::AES_256_GCM, key, aad, iv, ciphertext, tag),
        ContentEncryption::A192CbcHs384 | ContentEncryption::A192Gcm => None,
    }
}

/// AES GCM (RFC 7518 section 5.3): a 96 bit initialization vector and a 128 bit tag.
#[cfg(feature = "aws-lc-rs")]
fn gcm(
    algorithm: &'static aws_lc_rs::aead::Algorithm,
    key: &[u8],
    aad: &[u8],
    iv: &[u8],
    ciphertext: Vec<u8>,
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
    if tag.len() != algorithm.tag_len() {
        return None;
    }
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    let mut sealed = Zeroizing::new(ciphertext);
    sealed.extend_from_slice(tag);
    let len = key
        .open_in_place(nonce, Aad::from(aad), &mut sealed)
        .ok()?
        .len();
    sealed.truncate(len);
    Some(sealed)
}

/// AES-CBC with HMAC (RFC 7518 section 5.2).
///
/// The first half of the key is for HMAC, the second for AES. The tag is the first half of
/// `HMAC(aad || iv || ciphertext || bits of aad as 64 bit big endian)`.
#[cfg(feature = "aws-lc-rs")]
pub(crate) mod cbc {
    use aws_lc_rs::cipher::{
        AES_CBC_IV_LEN, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
    };
    use aws_lc_rs::constant_time::verify_slices_are_equal;
    use aws_lc_rs::hmac;
    use aws_lc_rs::iv::FixedLength;
    use zeroize::Zeroizing;

    pub(super) fn decrypt(
        algorithm: &'static Algorithm,
        mac: hmac::Algorithm,
        key: &[u8],
        aad: &[u8],
        iv: &[u8],
        ciphertext: Vec<u8>,
        tag: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (mac_key, aes_key) = key.split_at_checked(key.len() / 2)?;
        let expected = full_tag(mac, mac_key, aad, iv, &ciphertext);
        let expected = expected.as_ref().get(..mac_key.len())?;
        verify_slices_are_equal(expected, tag).ok()?;

        let iv: [u8; AES_CBC_IV_LEN] = iv.try_into().ok()?;
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        let key = UnboundCipherKey::new(algorithm, aes_key).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let mut buffer = Zeroizing::new(ciphertext);
        let len = key.decrypt(&mut buffer, context).ok()?.len();
        buffer.truncate(len);
        Some(buffer)
    }

    /// The HMAC before it is cut in half.
    pub(crate) fn full_tag(
        mac: hmac::Algorithm,
        mac_key: &[u8],
        aad: &[u8],
        iv: &[u8],
        ciphertext: &[u8],
    ) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&hmac::Key::new(mac, mac_key));
        context.update(aad);
        context.update(iv);
        context.update(ciphertext);
        // A token has at most 16 KiB, so the bits of its header fit.
        context.update(&(aad.len() as u64 * 8).to_be_bytes());
        context.sign()
    }
}

#[cfg(all(test, feature = "aws-lc-rs"))]
#[allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says what it skipped"
)]
mod tests {
    use std::path::PathBuf;

    use serde_json::Value;

    use super::{ContentEncryption, decrypt};

    fn hex(value: &Value) -> Vec<u8> {
        let text = value.as_str().unwrap_or_default();
        let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        (0..text.len()).step_by(2).filter_map(byte).collect()
    }

    /// Runs one file of `$SIP_OAUTH_CORPUS/jose/wycheproof/primitives`; `takes` says which algorithm a
    /// key and an initialization vector of so many bits are for, if JWE has one. Returns how many
    /// tests there were, and how many opened.
    fn run(name: &str, takes: fn(u64, u64) -> Option<ContentEncryption>) -> Option<(usize, usize)> {
        let corpus = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
            PathBuf::from,
        );
        let path = corpus.join("jose/wycheproof/primitives").join(name);
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped, not found: {}", path.display());
            return None;
        };
        let file: Value = serde_json::from_str(&text).unwrap();
        let (mut total, mut opened) = (0, 0);
        for group in file["testGroups"].as_array().unwrap() {
            let size = |name: &str| group[name].as_u64().unwrap();
            let algorithm = takes(size("keySize"), size("ivSize"));
            // Where JWE has no such algorithm, the nearest one must refuse.
            let encryption = algorithm.unwrap_or(ContentEncryption::A256Gcm);
            for test in group["tests"].as_array().unwrap() {
                let [key, aad, iv, ct, tag] =
                    ["key", "aad", "iv", "ct", "tag"].map(|part| hex(&test[part]));
                let plaintext = decrypt(encryption, &key, &aad, &iv, ct, &tag);
                let opens = algorithm.is_some() && test["result"] == "valid";
                assert_eq!(plaintext.is_some(), opens, "{name} {}", test["tcId"]);
                if let Some(plaintext) = plaintext {
                    assert_eq!(*plaintext, hex(&test["msg"]), "{name} {}", test["tcId"]);
                    opened += 1;
                }
                total += 1;
            }
        }
        Some((total, opened))
    }

    #[test]
    fn rfc7518_section_5_2_3_a128cbc_hs256() {
        let counts = run("a128cbc_hs256_test.json", |_, _| {
            Some(ContentEncryption::A128CbcHs256)
        });
        assert!(counts.is_none_or(|counts| counts == (47, 35)), "{counts:?}");
    }

    #[test]
    fn rfc7518_section_5_2_5_a256cbc_hs512() {
        let counts = run("a256cbc_hs512_test.json", |_, _| {
            Some(ContentEncryption::A256CbcHs512)
        });
        assert!(counts.is_none_or(|counts| counts == (47, 30)), "{counts:?}");
    }

    /// "Use of an IV of size 96 bits is REQUIRED with this algorithm."
    #[test]
    fn rfc7518_section_5_3_gcm() {
        let counts = run("aes_gcm_test.json", |key_bits, iv_bits| {
            match (key_bits, iv_bits) {
                (128, 96) => Some(ContentEncryption::A128Gcm),
                (256, 96) => Some(ContentEncryption::A256Gcm),
                _ => None,
            }
        });
        println!("AES GCM, tests and opened: {counts:?}");
        assert!(counts.is_none_or(|(_, opened)| opened > 0));
    }
}
