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

    use aws_lc_rs::hmac;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::{ContentEncryption, ContentKey, cbc};

    fn hex(value: &Value) -> Vec<u8> {
        bytes(value.as_str().unwrap_or_default())
    }

    fn bytes(text: &str) -> Vec<u8> {
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

    /// What the cases of Appendix B have in common: the key counts from 0.
    const APPENDIX_B_PLAINTEXT: &str = "A cipher system must not be required to be secret, and it must be able to fall \
        into the hands of the enemy without inconvenience";
    const APPENDIX_B_AAD: &[u8] = b"The second principle of Auguste Kerckhoffs";
    const APPENDIX_B_IV: &str = "1af38c2dc2b96ffdd86694092341bc04";

    /// Opens a case of Appendix B, and refuses it with any bit of its parts flipped. `mac` is `M`, of which the tag is
    /// the first half.
    fn appendix_b(
        encryption: ContentEncryption,
        algorithm: hmac::Algorithm,
        ciphertext: &str,
        mac: &str,
    ) {
        let key: Vec<u8> = (0..).take(encryption.key_bytes()).collect();
        let (iv, ciphertext, mac) = (bytes(APPENDIX_B_IV), bytes(ciphertext), bytes(mac));
        let (mac_key, _) = key.split_at(key.len() / 2);
        let made = cbc::tag(
            &hmac::Key::new(algorithm, mac_key),
            APPENDIX_B_AAD,
            &iv,
            &ciphertext,
        );
        assert_eq!(made.as_ref(), mac, "M");

        let tag = &mac[..mac_key.len()];
        let open = |parts: &[Vec<u8>; 4]| {
            let [aad, iv, ciphertext, tag] = parts;
            let key = ContentKey::new(encryption, &key).unwrap();
            key.open(aad, iv, ciphertext.clone(), tag)
        };
        let mut parts = [APPENDIX_B_AAD.to_vec(), iv, ciphertext, tag.to_vec()];
        assert_eq!(*open(&parts).unwrap(), APPENDIX_B_PLAINTEXT.as_bytes());
        for part in 0..parts.len() {
            for bit in 0..parts[part].len() * 8 {
                parts[part][bit / 8] ^= 1 << (bit % 8);
                assert!(open(&parts).is_none(), "bit {bit} of part {part}");
                parts[part][bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn rfc7518_appendix_b_1_a128cbc_hs256() {
        appendix_b(
            ContentEncryption::A128CbcHs256,
            hmac::HMAC_SHA256,
            "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9\
             a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336\
             09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b\
             384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5\
             4b8851ffb598f7f80074b9473c82e2db",
            "652c3fa36b0a7c5b3219fab3a30bc1c4e6e54582476515f0ad9f75a2b71c73ef",
        );
    }

    #[test]
    fn rfc7518_appendix_b_2_a192cbc_hs384_is_not_built_in() {
        assert!(ContentKey::new(ContentEncryption::A192CbcHs384, &[0; 48]).is_none());
    }

    #[test]
    fn rfc7518_appendix_b_3_a256cbc_hs512() {
        appendix_b(
            ContentEncryption::A256CbcHs512,
            hmac::HMAC_SHA512,
            "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd\
             822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b\
             36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3\
             a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b\
             be2638d09dd7a4930930806d0703b1f6",
            "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5\
             fd30a565c616ffb2f364baece68fc40753bcfc025dde3693754aa1f5c3373b9c",
        );
    }

    /// The content of the example; how its key is unwrapped is seen with whole tokens.
    #[test]
    fn rfc7516_appendix_a_3_a128cbc_hs256() {
        let content_key = [
            4, 211, 31, 197, 84, 157, 252, 254, 11, 100, 157, 250, 63, 170, 106, 206, 107, 124,
            212, 45, 111, 107, 9, 219, 200, 177, 0, 240, 143, 156, 44, 207,
        ];
        let header = "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0";
        let [iv, ciphertext, tag] = [
            "AxY8DCtDaGlsbGljb3RoZQ",
            "KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY",
            "U0m_YmjN04DJvceFICbCVQ",
        ]
        .map(|segment| URL_SAFE_NO_PAD.decode(segment).unwrap());
        let key = ContentKey::new(ContentEncryption::A128CbcHs256, &content_key).unwrap();
        let plaintext = key.open(header.as_bytes(), &iv, ciphertext, &tag);
        assert_eq!(*plaintext.unwrap(), b"Live long and prosper.");
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
