//! Opening a JWE (RFC 7516 section 5.2): `alg` `dir`, A128KW, A256KW or RSA-OAEP-256.

#[cfg(feature = "aws-lc-rs")]
mod content;

use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::algorithm::{ContentEncryption, KeyManagement};
use crate::error::{Place, TokenError, TokenErrorKind};
use crate::header::Header;
use crate::jose::{CompactJwe, base64url};
use crate::keys::{Owner, Sources};
use crate::policy::Policy;
#[cfg(feature = "aws-lc-rs")]
pub(crate) use content::ContentKey;
#[cfg(feature = "issue")]
pub(crate) use content::cbc;

/// What a JWE held, and how long its key may be used.
pub(crate) struct Opened<'a> {
    pub(crate) header: Header<'a>,
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    pub(crate) key_until: Option<SystemTime>,
    /// Whose the key is, if it is an issuer's.
    pub(crate) owner: Owner<'a>,
}

/// Opens `jwe`, whose `header` was decoded, with the key its `kid` names.
///
/// Every failure behind the header is one error. A content key that does not unwrap is replaced by a
/// random one, so that the tag refuses it in the same time (RFC 7516 section 11.5).
pub(crate) fn open<'a>(
    jwe: CompactJwe<'_>,
    header: &'a [u8],
    keys: &'a Sources,
    policy: &'a Policy,
    now: SystemTime,
) -> Result<Opened<'a>, TokenError> {
    let header = Header::read(header, Place::EncryptedHeader)?;
    let algorithm = key_management(&header, policy)?;
    let encryption = content_encryption(&header, policy)?;

    let (key, owner) = keys.decryption_key(header.key_id()?.as_ref(), policy, now)?;
    let place = Place::Encrypted;
    let refuse = || TokenErrorKind::Decryption.at(place.clone());
    let encrypted_key = base64url(jwe.encrypted_key, &place)?;
    let iv = base64url(jwe.iv, &place)?;
    let ciphertext = base64url(jwe.ciphertext, &place)?;
    let tag = base64url(jwe.tag, &place)?;
    if !key.is_for(algorithm, encryption) {
        // The key is pinned to its algorithm; with another it is not this token's key.
        return Err(refuse());
    }
    #[cfg(feature = "aws-lc-rs")]
    let plaintext = key
        .content_key(encryption, &encrypted_key)
        .and_then(|content_key| content_key.open(jwe.header.as_bytes(), &iv, ciphertext, &tag));
    // Without a provider there is nothing to decrypt with; `key_management` has said so by name before.
    #[cfg(not(feature = "aws-lc-rs"))]
    let plaintext = {
        let _ = (encrypted_key, iv, ciphertext, tag);
        None
    };
    let plaintext = plaintext.ok_or_else(refuse)?;
    // Checked behind the tag, which vouches for the header too.
    header.require_jwt_content()?;
    Ok(Opened {
        header,
        plaintext,
        key_until: key.end(),
        owner,
    })
}

fn key_management(header: &Header<'_>, policy: &Policy) -> Result<KeyManagement, TokenError> {
    let refuse = |name, reason| Err(header.refuse(TokenErrorKind::Algorithm { name, reason }));
    let Some(algorithm) = KeyManagement::from_name(header.required("alg")?) else {
        return refuse("(unregistered)", "is not known");
    };
    let name = algorithm.as_str();
    match algorithm {
        KeyManagement::Dir
        | KeyManagement::A128Kw
        | KeyManagement::A256Kw
        | KeyManagement::RsaOaep256 => {
            if !cfg!(feature = "aws-lc-rs") {
                return refuse(name, "needs the feature `aws-lc-rs`");
            }
            if !policy.key_management.contains(&algorithm) {
                return refuse(name, "is not in the policy");
            }
            Ok(algorithm)
        }
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
        KeyManagement::A192Kw
        | KeyManagement::RsaOaep
        | KeyManagement::EcdhEs
        | KeyManagement::EcdhEsA128Kw
        | KeyManagement::EcdhEsA192Kw
        | KeyManagement::EcdhEsA256Kw
        | KeyManagement::A128GcmKw
        | KeyManagement::A192GcmKw
        | KeyManagement::A256GcmKw => refuse(name, "is not built in"),
    }
}

fn content_encryption(
    header: &Header<'_>,
    policy: &Policy,
) -> Result<ContentEncryption, TokenError> {
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
