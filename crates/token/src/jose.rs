//! Compact serializations: segments and base64url (RFC 7515 section 7.1, RFC 7516 section 7.1).

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeError, Engine as _};

use crate::error::{Place, TokenError, TokenErrorKind};

/// A compact JWS, split.
///
/// ```text
/// BASE64URL(UTF8(JWS Protected Header)) || '.' || BASE64URL(JWS Payload) || '.' || BASE64URL(JWS Signature)
/// ```
#[derive(Clone, Copy)]
pub(crate) struct CompactJws<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// Header, dot and payload: what is signed.
    pub(crate) signing_input: &'a str,
}

/// A compact JWE, split.
///
/// ```text
/// header || '.' || encrypted key || '.' || initialization vector || '.' || ciphertext || '.' || tag
/// ```
#[derive(Clone, Copy)]
pub(crate) struct CompactJwe<'a> {
    /// Also the additional authenticated data (RFC 7516 section 5.1 step 14).
    pub(crate) header: &'a str,
    pub(crate) encrypted_key: &'a str,
    pub(crate) iv: &'a str,
    pub(crate) ciphertext: &'a str,
    pub(crate) tag: &'a str,
}

/// The two compact serializations.
pub(crate) enum Compact<'a> {
    Jws(CompactJws<'a>),
    Jwe(CompactJwe<'a>),
}

/// Splits `text` at its dots: three segments make a JWS, five a JWE, anything else neither.
pub(crate) fn split<'a>(text: &'a str, place: &Place) -> Result<Compact<'a>, TokenError> {
    let mut segments = text.splitn(6, '.');
    let parts: [Option<&str>; 6] = std::array::from_fn(|_| segments.next());
    match parts {
        [Some(header), Some(payload), Some(signature), None, ..] => Ok(Compact::Jws(CompactJws {
            header,
            payload,
            signature,
            signing_input: text
                .get(..header.len() + 1 + payload.len())
                .unwrap_or_default(),
        })),
        [
            Some(header),
            Some(encrypted_key),
            Some(iv),
            Some(ciphertext),
            Some(tag),
            None,
        ] => Ok(Compact::Jwe(CompactJwe {
            header,
            encrypted_key,
            iv,
            ciphertext,
            tag,
        })),
        _ => {
            let expected = "3 (JWS) or 5 (JWE)";
            let found = text.split('.').count();
            Err(TokenErrorKind::Segments { expected, found }.at(place.clone()))
        }
    }
}

/// Splits a JWE where nothing else may stand.
pub(crate) fn split_jwe<'a>(text: &'a str, place: &Place) -> Result<CompactJwe<'a>, TokenError> {
    match split(text, place)? {
        Compact::Jwe(jwe) => Ok(jwe),
        Compact::Jws(_) => {
            let expected = "5 (JWE)";
            Err(TokenErrorKind::Segments { expected, found: 3 }.at(place.clone()))
        }
    }
}

/// Splits a JWS where nothing else may stand.
pub(crate) fn split_jws<'a>(text: &'a str, place: &Place) -> Result<CompactJws<'a>, TokenError> {
    match split(text, place)? {
        Compact::Jws(jws) => Ok(jws),
        Compact::Jwe(_) => {
            let expected = "3 (JWS)";
            Err(TokenErrorKind::Segments { expected, found: 5 }.at(place.clone()))
        }
    }
}

/// Decodes base64url: no padding, no line breaks, no bits left over in the last character, so that
/// one value has one spelling.
pub(crate) fn base64url(segment: &str, place: &Place) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|error| {
        let outside = segment
            .bytes()
            .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'));
        let at = outside.unwrap_or(match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => segment.len(),
        });
        TokenErrorKind::Base64 { at }.at(place.clone())
    })
}

/// Encodes base64url without padding.
#[cfg(feature = "issue")]
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
