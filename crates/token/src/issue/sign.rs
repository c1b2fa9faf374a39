//! Making compact JWS (RFC 7515 section 5.1).

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use zeroize::Zeroizing;

use super::IssueError;
use crate::der::{self, PublicKey};
use crate::jose::to_base64url;
use crate::keys::KeyId;

/// An RSA key of 2048 bits under its `kid`.
pub(super) struct SigningKey {
    pair: RsaKeyPair,
    public_pem: String,
    /// As an entry of a JWK set (RFC 7517 section 4, RFC 7518 section 6.3.1).
    jwk: String,
    kid: KeyId,
}

impl SigningKey {
    pub(super) fn generate(uuid: &str) -> Result<Self, IssueError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| IssueError::Crypto)?;
        let spki: PublicKeyX509Der<'_> =
            pair.public_key().as_der().map_err(|_| IssueError::Crypto)?;
        let public_pem = public_key_pem(spki.as_ref());
        let kid = KeyId::unified_cm(uuid, spki.as_ref());
        let jwk = public_jwk(spki.as_ref(), &kid).ok_or(IssueError::Crypto)?;
        Ok(Self {
            pair,
            public_pem,
            jwk,
            kid,
        })
    }

    pub(super) fn public_pem(&self) -> &str {
        &self.public_pem
    }

    pub(super) fn jwk(&self) -> &str {
        &self.jwk
    }

    pub(super) fn kid(&self) -> &KeyId {
        &self.kid
    }

    pub(super) fn sign(
        &self,
        header: &impl Serialize,
        claims: &impl Serialize,
    ) -> Result<Zeroizing<String>, IssueError> {
        let (header, claims) = (segment(header), segment(claims));
        let signature_len = self.pair.public_modulus_len();
        // Room for all of it: a text that has to move leaves a copy behind.
        let room = header.len() + claims.len() + signature_len.div_ceil(3) * 4 + 2;
        let mut text = Zeroizing::new(String::with_capacity(room));
        for part in [header.as_str(), ".", claims.as_str()] {
            text.push_str(part);
        }
        let mut signature = vec![0; signature_len];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .map_err(|_| IssueError::Crypto)?;
        text.push('.');
        text.push_str(&to_base64url(&signature));
        Ok(text)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// An unsecured JWT (RFC 7519 section 6), which only an encrypted part may hold.
pub(super) fn unsecured(claims: &impl Serialize) -> Zeroizing<String> {
    #[derive(Serialize)]
    struct Header {
        alg: &'static str,
    }
    let (header, claims) = (segment(&Header { alg: "none" }), segment(claims));
    Zeroizing::new([header.as_str(), ".", claims.as_str(), "."].concat())
}

/// BASE64URL(UTF8(JSON)).
pub(super) fn segment(value: &impl Serialize) -> Zeroizing<String> {
    let json = serde_json::to_vec(value).expect("structs of strings and numbers are JSON");
    Zeroizing::new(to_base64url(&json))
}

fn public_jwk(spki: &[u8], kid: &KeyId) -> Option<String> {
    #[derive(Serialize)]
    struct Jwk<'a> {
        kty: &'static str,
        kid: &'a str,
        #[serde(rename = "use")]
        usage: &'static str,
        alg: &'static str,
        n: String,
        e: String,
    }
    /// Base64urlUInt: "MUST utilize the minimum number of octets", without DER's sign byte.
    fn integer(bytes: &[u8]) -> String {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        to_base64url(bytes.get(zeros..).unwrap_or_default())
    }
    let PublicKey::Rsa { n, e } = der::subject_public_key_info(spki)? else {
        return None;
    };
    let jwk = Jwk {
        kty: "RSA",
        kid: kid.as_str(),
        usage: "sig",
        alg: "RS256",
        n: integer(n),
        e: integer(e),
    };
    serde_json::to_string(&jwk).ok()
}

/// PEM with lines of 64 characters (RFC 7468 section 2).
fn public_key_pem(spki: &[u8]) -> String {
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for (at, character) in STANDARD.encode(spki).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PUBLIC KEY-----\n");
    pem
}
