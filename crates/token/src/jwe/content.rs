//! The content of a JWE: authenticated, then decrypted (RFC 7518 section 5).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    self, AES_CBC_IV_LEN, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use crate::algorithm::ContentEncryption;

/// A content key, ready for use.
pub(crate) enum ContentKey {
    /// AES-CBC with HMAC (section 5.2).
    Cbc(Box<CbcKey>),
    /// AES GCM (section 5.3).
    Gcm(LessSafeKey),
}

pub(crate) struct CbcKey {
    mac: hmac::Key,
    aes: PaddedBlockDecryptingKey,
    tag_bytes: usize,
}

impl ContentKey {
    /// `None` for a length that is not the algorithm's, and for an algorithm that is not built in.
    pub(crate) fn new(encryption: ContentEncryption, key: &[u8]) -> Option<Self> {
        if key.len() != encryption.key_bytes() {
            return None;
        }
        match encryption {
            ContentEncryption::A128CbcHs256 => cbc(&cipher::AES_128, hmac::HMAC_SHA256, key),
            ContentEncryption::A256CbcHs512 => cbc(&cipher::AES_256, hmac::HMAC_SHA512, key),
            ContentEncryption::A128Gcm => gcm(&aead::AES_128_GCM, key),
            ContentEncryption::A256Gcm => gcm(&aead::AES_256_GCM, key),
            ContentEncryption::A192CbcHs384 | ContentEncryption::A192Gcm => None,
        }
    }

    /// Authenticates, then decrypts. `None` for every reason alike.
    pub(crate) fn open(
        &self,
        aad: &[u8],
        iv: &[u8],
        ciphertext: Vec<u8>,
        tag: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(ciphertext);
        let len = match self {
            Self::Cbc(key) => {
                let authentic = key.authenticate(aad, iv, &mut buffer, tag)?;
                key.decrypt(authentic)?
            }
            Self::Gcm(key) => {
                // "The requested size of the Authentication Tag output MUST be 128 bits".
                if tag.len() != key.algorithm().tag_len() {
                    return None;
                }
                let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
                buffer.extend_from_slice(tag);
                key.open_in_place(nonce, Aad::from(aad), &mut buffer)
                    .ok()?
                    .len()
            }
        };
        buffer.truncate(len);
        Some(buffer)
    }
}

/// A ciphertext under a tag that was found right, with its initialization vector: only such a one is decrypted.
struct Authentic<'a> {
    iv: &'a [u8],
    ciphertext: &'a mut [u8],
}

impl CbcKey {
    /// Compares the tag in constant time (RFC 7518 section 5.2.2.2 step 2), and decrypts nothing.
    fn authenticate<'a>(
        &self,
        aad: &[u8],
        iv: &'a [u8],
        ciphertext: &'a mut [u8],
        tag: &[u8],
    ) -> Option<Authentic<'a>> {
        let expected = cbc::tag(&self.mac, aad, iv, ciphertext);
        verify_slices_are_equal(expected.as_ref().get(..self.tag_bytes)?, tag).ok()?;
        Some(Authentic { iv, ciphertext })
    }

    /// Decrypts in place (step 3), and gives the length of the plaintext.
    fn decrypt(&self, Authentic { iv, ciphertext }: Authentic<'_>) -> Option<usize> {
        let iv: [u8; AES_CBC_IV_LEN] = iv.try_into().ok()?;
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        Some(self.aes.decrypt(ciphertext, context).ok()?.len())
    }
}

/// The first half of the key is for HMAC, the second for AES.
fn cbc(
    algorithm: &'static cipher::Algorithm,
    mac: hmac::Algorithm,
    key: &[u8],
) -> Option<ContentKey> {
    let (mac_key, aes_key) = key.split_at_checked(key.len() / 2)?;
    let aes = UnboundCipherKey::new(algorithm, aes_key).ok()?;
    Some(ContentKey::Cbc(Box::new(CbcKey {
        mac: hmac::Key::new(mac, mac_key),
        aes: PaddedBlockDecryptingKey::cbc_pkcs7(aes).ok()?,
        tag_bytes: mac_key.len(),
    })))
}

fn gcm(algorithm: &'static aead::Algorithm, key: &[u8]) -> Option<ContentKey> {
    let key = UnboundKey::new(algorithm, key).ok()?;
    Some(ContentKey::Gcm(LessSafeKey::new(key)))
}

/// The tag of AES-CBC with HMAC (section 5.2.2.1).
pub(crate) mod cbc {
    use aws_lc_rs::hmac;

    /// `HMAC(aad || iv || ciphertext || bits of aad as 64 bit big endian)`, before it is cut in half.
    pub(super) fn tag(key: &hmac::Key, aad: &[u8], iv: &[u8], ciphertext: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(key);
        context.update(aad);
        context.update(iv);
        context.update(ciphertext);
        // A token has at most 16 KiB, so the bits of its header fit.
        context.update(&(aad.len() as u64 * 8).to_be_bytes());
        context.sign()
    }

    /// The same with a key that was not used before, for who issues tokens.
    #[cfg(feature = "issue")]
    pub(crate) fn full_tag(
        mac: hmac::Algorithm,
        mac_key: &[u8],
        aad: &[u8],
        iv: &[u8],
        ciphertext: &[u8],
    ) -> hmac::Tag {
        tag(&hmac::Key::new(mac, mac_key), aad, iv, ciphertext)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says what it skipped"
)]
mod tests {
    use std::path::PathBuf;

    use serde_json::Value;

    use super::{ContentEncryption, ContentKey};

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
                let plaintext =
                    ContentKey::new(encryption, &key).and_then(|key| key.open(&aad, &iv, ct, &tag));
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
