//! Opening a token as far as possible without its keys, for diagnosis.
//!
//! Nothing here is verified. What is shown says what a token claims to be, not what it is.

use std::fmt;
use std::time::SystemTime;

use serde_json::Value;

use crate::claims::time;
use crate::error::{Place, TokenError, quoted};
use crate::jose::{self, Compact, CompactJwe, CompactJws, base64url};
use crate::json::{self, Object};
use crate::keys::KeyId;
use crate::text::{MAX_TOKEN_BYTES, check_text};

/// Opens a token without keys.
///
/// ```
/// use sip_oauth_token::inspect::{Kind, inspect};
///
/// // {"alg":"RS256","kid":"2024-key"} . {"iss":"https://as.example.com","exp":1700000000} . (no signature)
/// let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIwMjQta2V5In0\
///     .eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUuY29tIiwiZXhwIjoxNzAwMDAwMDAwfQ.";
/// let inspection = inspect(token)?;
/// assert_eq!(inspection.kind(), Kind::Jwt);
/// assert_eq!(inspection.signed().and_then(|part| part.text("alg")), Some("RS256"));
/// assert_eq!(inspection.claim("iss").as_deref(), Some("https://as.example.com"));
/// # Ok::<(), sip_oauth_token::TokenError>(())
/// ```
///
/// # Errors
///
/// Text no token can have; segments, base64url or JSON that cannot be read. A text without dots is no
/// error but [`Kind::Opaque`].
pub fn inspect(text: &str) -> Result<Inspection, TokenError> {
    check_text(text, MAX_TOKEN_BYTES)?;
    let mut inspection = Inspection {
        bytes: text.len(),
        signed: None,
        encrypted: None,
        claims: None,
    };
    if !text.contains('.') {
        return Ok(inspection);
    }
    match jose::split(text, &Place::Text)? {
        Compact::Jwe(jwe) => inspection.encrypted = Some(read_jwe(jwe)?),
        Compact::Jws(jws) => {
            inspection.signed = Some(read_signed(jws)?);
            let claims = read_object(jws.payload, &Place::Payload)?;
            match claims.get("private") {
                Some(Value::String(private)) => {
                    inspection.encrypted =
                        Some(read_jwe(jose::split_jwe(private, &Place::Encrypted)?)?);
                }
                _ => inspection.claims = Some(claims),
            }
        }
    }
    Ok(inspection)
}

fn read_signed(jws: CompactJws<'_>) -> Result<SignedPart, TokenError> {
    Ok(SignedPart {
        header: read_object(jws.header, &Place::Header)?,
        signature_bytes: base64url(jws.signature, &Place::Signature)?.len(),
    })
}

fn read_jwe(jwe: CompactJwe<'_>) -> Result<EncryptedPart, TokenError> {
    let len = |segment| base64url(segment, &Place::Encrypted).map(|bytes| bytes.len());
    Ok(EncryptedPart {
        header: read_object(jwe.header, &Place::EncryptedHeader)?,
        encrypted_key_bytes: len(jwe.encrypted_key)?,
        iv_bytes: len(jwe.iv)?,
        ciphertext_bytes: len(jwe.ciphertext)?,
        tag_bytes: len(jwe.tag)?,
    })
}

fn read_object(segment: &str, place: &Place) -> Result<Object, TokenError> {
    json::object(&base64url(segment, place)?, place)
}

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// No structure: a simple token, to be checked by asking its server.
    Opaque,
    /// Unified CM's self-describing access token.
    UnifiedCmAccess,
    /// Unified CM's refresh token.
    UnifiedCmRefresh,
    /// A signed JWT.
    Jwt,
    /// An encrypted token.
    Encrypted,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opaque => "opaque token",
            Self::UnifiedCmAccess => "Unified CM self-describing access token",
            Self::UnifiedCmRefresh => "Unified CM refresh token",
            Self::Jwt => "signed JWT",
            Self::Encrypted => "encrypted token",
        })
    }
}

/// What can be seen of a token without keys. `Display` gives one line per part, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    bytes: usize,
    signed: Option<SignedPart>,
    encrypted: Option<EncryptedPart>,
    claims: Option<Object>,
}

impl Inspection {
    /// Length of the text.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it looks like.
    pub fn kind(&self) -> Kind {
        match (&self.signed, &self.encrypted, &self.claims) {
            (Some(_), Some(_), _) => Kind::UnifiedCmAccess,
            (None, Some(_), _) => Kind::Encrypted,
            (_, None, Some(claims))
                if claims.get("ctyp").is_some_and(|class| class == "refresh") =>
            {
                Kind::UnifiedCmRefresh
            }
            (_, None, Some(_)) => Kind::Jwt,
            (_, None, None) => Kind::Opaque,
        }
    }

    /// The signed part.
    pub fn signed(&self) -> Option<&SignedPart> {
        self.signed.as_ref()
    }

    /// The encrypted part.
    pub fn encrypted(&self) -> Option<&EncryptedPart> {
        self.encrypted.as_ref()
    }

    /// The names of the readable claims, sorted.
    pub fn claim_names(&self) -> impl Iterator<Item = &str> {
        self.claims
            .iter()
            .flat_map(Object::keys)
            .map(String::as_str)
    }

    /// A readable claim: a string as it is, anything else as JSON.
    pub fn claim(&self, name: &str) -> Option<String> {
        self.claims.as_ref()?.get(name).map(plain)
    }

    /// The readable time of expiry. Unified CM's access tokens have none: a client must remember the
    /// `expires_in` it was told.
    pub fn expires_at(&self) -> Option<SystemTime> {
        time(self.claims.as_ref()?.get("exp")?.as_number()?)
    }

    /// Whether the token says of itself that it has expired by `now`; `None` when it does not say.
    pub fn is_expired(&self, now: SystemTime) -> Option<bool> {
        self.expires_at().map(|expires_at| expires_at <= now)
    }
}

/// The header and the signature of a JWS.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedPart {
    header: Object,
    signature_bytes: usize,
}

/// The header of a JWE and the lengths of its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct EncryptedPart {
    header: Object,
    encrypted_key_bytes: usize,
    iv_bytes: usize,
    ciphertext_bytes: usize,
    tag_bytes: usize,
}

impl SignedPart {
    /// A header parameter that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// The `kid`.
    pub fn key_id(&self) -> Option<KeyId> {
        KeyId::new(self.text("kid")?).ok()
    }

    /// Length of the signature: 256 for RSA with 2048 bits.
    pub fn signature_bytes(&self) -> usize {
        self.signature_bytes
    }
}

impl EncryptedPart {
    /// A header parameter that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// The `kid`.
    pub fn key_id(&self) -> Option<KeyId> {
        KeyId::new(self.text("kid")?).ok()
    }

    /// Length of the encrypted key: 0 with `dir`.
    pub fn encrypted_key_bytes(&self) -> usize {
        self.encrypted_key_bytes
    }

    /// Length of the initialization vector.
    pub fn iv_bytes(&self) -> usize {
        self.iv_bytes
    }

    /// Length of the ciphertext.
    pub fn ciphertext_bytes(&self) -> usize {
        self.ciphertext_bytes
    }

    /// Length of the authentication tag.
    pub fn tag_bytes(&self) -> usize {
        self.tag_bytes
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes", self.kind(), self.bytes)?;
        if let Some(signed) = &self.signed {
            write!(f, "\nsigned:    ")?;
            write_members(f, &signed.header)?;
            write!(f, "; signature {} bytes", signed.signature_bytes)?;
        }
        if let Some(encrypted) = &self.encrypted {
            write!(f, "\nencrypted: ")?;
            write_members(f, &encrypted.header)?;
            write!(
                f,
                "; key {}, iv {}, ciphertext {}, tag {} bytes",
                encrypted.encrypted_key_bytes,
                encrypted.iv_bytes,
                encrypted.ciphertext_bytes,
                encrypted.tag_bytes
            )?;
        }
        if let Some(claims) = &self.claims {
            write!(f, "\nclaims:    ")?;
            write_members(f, claims)?;
        }
        Ok(())
    }
}

fn write_members(f: &mut fmt::Formatter<'_>, object: &Object) -> fmt::Result {
    for (at, (name, value)) in object.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(f, "{separator}{name}={}", quoted(&plain(value)))?;
    }
    Ok(())
}
