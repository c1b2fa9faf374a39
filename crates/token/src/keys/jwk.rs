//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use zeroize::Zeroizing;

#[cfg(feature = "aws-lc-rs")]
use super::{DecryptionKey, EncryptionKey};
use super::{KeyError, VerifyingKey};
use crate::algorithm::Algorithm;
#[cfg(feature = "aws-lc-rs")]
use crate::algorithm::{ContentEncryption, KeyManagement};
use crate::der::PublicKey;
use crate::error::Place;
use crate::jose::base64url;
use crate::json::{self, Json, Members};

/// Longest JWK or JWK set read, in bytes.
const MAX_BYTES: usize = 256 * 1024;

impl VerifyingKey {
    /// Reads a JWK. Its `alg` pins the algorithm; without one the key's type does, which for RSA is
    /// RS256.
    ///
    /// # Errors
    ///
    /// Not a JWK; made for encryption (`use`, `key_ops`); a type or size that is not taken.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        from_object(&read(json)?, None)
    }

    /// Reads a JWK and pins it to `algorithm`.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_jwk`], and when the JWK's own `alg` says otherwise.
    pub fn from_jwk_for(json: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        from_object(&read(json)?, Some(algorithm))
    }
}

#[cfg(feature = "aws-lc-rs")]
impl DecryptionKey {
    /// Reads a JWK that decrypts. Its `alg` is required and pins the key: A128KW, A256KW, or with `dir`
    /// one of the `enc` names, for a shared secret (RFC 7518 section 6.4); RSA-OAEP-256 for an RSA
    /// private key with all its members (section 6.3.2).
    ///
    /// # Errors
    ///
    /// Not a JWK; made for signatures (`use`, `key_ops`); a type, size or algorithm that is not taken.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        let jwk = read(json)?;
        if jwk
            .get("use")
            .is_some_and(|usage| usage.as_str() != Some("enc"))
        {
            return Err(KeyError::Jwk("`use` is not `enc`"));
        }
        if jwk
            .get("key_ops")
            .is_some_and(|ops| !lists(ops, &["decrypt", "unwrapKey"]))
        {
            return Err(KeyError::Jwk(
                "`key_ops` contains neither `decrypt` nor `unwrapKey`",
            ));
        }
        let name = jwk.get("alg").and_then(Json::as_str).unwrap_or_default();
        let is_secret = match text(&jwk, "kty")? {
            "oct" => true,
            "RSA" => false,
            _ => return Err(KeyError::Jwk("`kty` is not RSA or oct")),
        };
        match (is_secret, KeyManagement::from_name(name)) {
            (true, Some(algorithm @ (KeyManagement::A128Kw | KeyManagement::A256Kw))) => {
                Self::key_wrap(algorithm, &bytes(&jwk, "k")?)
            }
            (false, Some(KeyManagement::RsaOaep256)) => rsa_private(&jwk),
            (true, None) => {
                let encryption = ContentEncryption::from_name(name).ok_or(KeyError::Jwk(
                    "`alg` is absent, or no encryption that is known",
                ))?;
                EncryptionKey::new(encryption, &bytes(&jwk, "k")?).map(Self::from)
            }
            (_, Some(algorithm)) => Err(KeyError::KeyManagement(algorithm)),
            (false, None) => Err(KeyError::Jwk(
                "`alg` is absent, or no encryption that is known",
            )),
        }
    }
}

/// An RSA private key; its members are checked against each other (RFC 7518 section 6.3.2).
#[cfg(feature = "aws-lc-rs")]
fn rsa_private(jwk: &Members<'_>) -> Result<DecryptionKey, KeyError> {
    use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
    let pair = KeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents {
            n: bytes(jwk, "n")?,
            e: bytes(jwk, "e")?,
        },
        d: bytes(jwk, "d")?,
        p: bytes(jwk, "p")?,
        q: bytes(jwk, "q")?,
        dP: bytes(jwk, "dp")?,
        dQ: bytes(jwk, "dq")?,
        qInv: bytes(jwk, "qi")?,
    })
    .map_err(|_| KeyError::PrivateKey)?;
    super::decryption::rsa_pair(&pair)
}

/// The `keys` of a JWK set.
pub(super) fn read_set(json: &str) -> Result<Vec<Json<'_>>, KeyError> {
    match read(json)?.take("keys") {
        Some(Json::Array(keys)) => Ok(keys),
        _ => Err(KeyError::Jwk("a set needs the member `keys`, an array")),
    }
}

/// A key of a set, with its `kid`.
pub(super) fn from_set<'a>(entry: &'a Json<'_>) -> Result<(&'a str, VerifyingKey), KeyError> {
    let Json::Object(object) = entry else {
        return Err(KeyError::Jwk("not an object"));
    };
    if text(object, "kty")? == "oct" {
        // A set is published; a secret in it is none any more.
        return Err(KeyError::Jwk("a shared secret in a set"));
    }
    Ok((text(object, "kid")?, from_object(object, None)?))
}

/// Over the text it was read from, so that no member of a private key is copied but into what is wiped.
fn read(json: &str) -> Result<Members<'_>, KeyError> {
    if json.len() > MAX_BYTES {
        return Err(KeyError::Jwk("longer than 256 KiB"));
    }
    json::members(json.as_bytes(), &Place::Payload)
        .map_err(|_| KeyError::Jwk("not a JSON object with distinct members"))
}

fn from_object(jwk: &Members<'_>, wanted: Option<Algorithm>) -> Result<VerifyingKey, KeyError> {
    if jwk
        .get("use")
        .is_some_and(|usage| usage.as_str() != Some("sig"))
    {
        return Err(KeyError::Jwk("`use` is not `sig`"));
    }
    if jwk
        .get("key_ops")
        .is_some_and(|ops| !lists(ops, &["verify", "sign"]))
    {
        return Err(KeyError::Jwk("`key_ops` does not contain `verify`"));
    }
    let declared =
        match jwk.get("alg") {
            None => None,
            Some(name) => Some(name.as_str().and_then(Algorithm::from_name).ok_or(
                KeyError::Jwk("`alg` is not a signature algorithm that is known"),
            )?),
        };
    let pinned = match (declared, wanted) {
        (Some(declared), Some(wanted)) if declared != wanted => {
            return Err(KeyError::Jwk("`alg` is not the algorithm asked for"));
        }
        (declared, wanted) => declared.or(wanted),
    };
    match text(jwk, "kty")? {
        "RSA" => {
            let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
            let key = PublicKey::Rsa { n: &n, e: &e };
            VerifyingKey::from_public_key(&key, pinned.unwrap_or(Algorithm::Rs256))
        }
        "EC" => {
            let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
            let point = [[4].as_slice(), &x, &y].concat();
            let (key, implied) = match (text(jwk, "crv")?, x.len(), y.len()) {
                ("P-256", 32, 32) => (PublicKey::P256(&point), Algorithm::Es256),
                ("P-384", 48, 48) => (PublicKey::P384(&point), Algorithm::Es384),
                ("P-256" | "P-384", ..) => {
                    return Err(KeyError::Jwk(
                        "coordinates of another length than the curve's",
                    ));
                }
                _ => return Err(KeyError::Jwk("`crv` is not P-256 or P-384")),
            };
            VerifyingKey::from_public_key(&key, pinned.unwrap_or(implied))
        }
        "OKP" => {
            let x = bytes(jwk, "x")?;
            if text(jwk, "crv")? != "Ed25519" || x.len() != 32 {
                return Err(KeyError::Jwk(
                    "`crv` is not Ed25519, or `x` has not 32 bytes",
                ));
            }
            VerifyingKey::from_public_key(
                &PublicKey::Ed25519(&x),
                pinned.unwrap_or(Algorithm::EdDsa),
            )
        }
        "oct" => {
            let algorithm = pinned.ok_or(KeyError::Jwk("a shared secret needs `alg`"))?;
            VerifyingKey::from_secret(&bytes(jwk, "k")?, algorithm)
        }
        _ => Err(KeyError::Jwk("`kty` is not RSA, EC, OKP or oct")),
    }
}

/// Whether the array `ops` has one of `wanted`.
fn lists(ops: &Json<'_>, wanted: &[&str]) -> bool {
    let Json::Array(ops) = ops else { return false };
    ops.iter()
        .filter_map(Json::as_str)
        .any(|op| wanted.contains(&op))
}

fn text<'a>(jwk: &'a Members<'_>, name: &'static str) -> Result<&'a str, KeyError> {
    jwk.get(name).and_then(Json::as_str).ok_or(match name {
        "kty" => KeyError::Jwk("`kty` is absent or not a string"),
        "kid" => KeyError::Jwk("`kid` is absent or not a string"),
        "crv" => KeyError::Jwk("`crv` is absent or not a string"),
        _ => KeyError::Jwk("a coordinate, modulus, exponent or secret is absent or not a string"),
    })
}

fn bytes(jwk: &Members<'_>, name: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    base64url(text(jwk, name)?, &Place::Payload)
        .map(Zeroizing::new)
        .map_err(|_| {
            KeyError::Jwk(
                "a coordinate, modulus, exponent or secret is not base64url without padding",
            )
        })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Json, read};

    /// RFC 7517 section 9: a copy of a secret that nobody wipes would outlive the key.
    #[test]
    fn rfc7517_section_9_a_secret_is_read_where_it_stands() {
        let jwk = r#"{"kty":"oct","alg":"A128KW","k":"Wlpaaaaaaaaaaaaaaaaaag"}"#;
        let members = read(jwk);
        let secret = members.as_ref().map(|members| members.get("k"));
        assert!(matches!(secret, Ok(Some(Json::String(Cow::Borrowed(_))))));
    }
}
