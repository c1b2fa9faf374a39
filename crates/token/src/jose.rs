//! Compact serializations: segments and base64url (RFC 7515 section 7.1, RFC 7516 section 7.1).

use std::sync::LazyLock;

use base64::engine::general_purpose::NO_PAD;
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
    let mut dots = memchr::memchr_iter(b'.', text.as_bytes());
    let mut begin = Some(0);
    let parts: [Option<&str>; 6] = std::array::from_fn(|_segment| {
        let from = begin?;
        let dot = dots.next();
        begin = dot.map(|dot| dot + 1);
        text.get(from..dot.unwrap_or(text.len()))
    });
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

/// The engine for base64url, by the widest instructions of this machine.
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
))]
static BASE64URL: LazyLock<base64::engine::Simd> =
    LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
)))]
static BASE64URL: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

/// Decodes base64url: no padding, no line breaks, no bits left over in the last character, so that
/// one value has one spelling.
pub(crate) fn base64url(segment: &str, place: &Place) -> Result<Vec<u8>, TokenError> {
    BASE64URL.decode(segment).map_err(|error| {
        let outside = segment
            .bytes()
            .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'));
        let at = outside.unwrap_or(match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => {
                at
            }
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => segment.len(),
        });
        TokenErrorKind::Base64 { at }.at(place.clone())
    })
}

/// Encodes base64url without padding.
#[cfg(feature = "issue")]
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{Compact, base64url, split};
    use crate::error::Place;

    /// RFC 7515 section 2: "all trailing '=' characters omitted ... and without the inclusion of any line breaks,
    /// whitespace, or other additional characters". What decodes many characters at a time is no more lenient about
    /// that than what decodes one after the other, wherever the wrong one stands.
    #[test]
    fn rfc7515_section_2_base64url_has_one_spelling_at_every_length() {
        let bytes: Vec<u8> = (0..=255).chain(0..=255).collect();
        for len in (0..=5).chain(44..=52).chain(92..=100).chain(380..=384) {
            let good = URL_SAFE_NO_PAD.encode(bytes.get(..len).unwrap_or_default());
            let decoded = base64url(&good, &Place::Payload).unwrap_or_default();
            assert_eq!(Some(&*decoded), bytes.get(..len), "{len}");
            for at in 0..good.len() {
                for wrong in ["+", "/", "=", "\n", " ", ".", "\0", "\u{7f}", "\u{e9}"] {
                    let mut text = good.clone();
                    text.replace_range(at..=at, wrong);
                    let refused =
                        base64url(&text, &Place::Payload).map_err(|error| error.to_string());
                    let sentence = format!(
                        "token payload: not base64url without padding, at byte {at} of the segment"
                    );
                    assert_eq!(refused, Err(sentence), "{len} {wrong:?}");
                }
            }
            for (behind, is_whole) in [("A", len % 3 != 0), ("=", false), ("\n", false)] {
                let longer = base64url(&format!("{good}{behind}"), &Place::Payload);
                assert!(longer.is_err() || is_whole, "{len} {behind:?}");
            }
        }
        // Bits left over in the last character make a second spelling of the same bytes.
        for head in ["", &"A".repeat(64), &"A".repeat(128)] {
            for (last, is_good) in [
                ("AA", true),
                ("AB", false),
                ("AAA", true),
                ("AAB", false),
                ("A", false),
            ] {
                let outcome = base64url(&format!("{head}{last}"), &Place::Payload);
                assert_eq!(outcome.is_ok(), is_good, "{} {last}", head.len());
            }
        }
    }

    #[test]
    fn rfc7515_section_7_1_and_rfc7516_section_7_1_segments_are_counted() {
        for count in 1..=9 {
            let segments: Vec<String> = (0..count).map(|n| "a".repeat(n % 3)).collect();
            let text = segments.join(".");
            let split = split(&text, &Place::Text);
            let found = match &split {
                Ok(Compact::Jws(jws)) => {
                    assert_eq!(
                        jws.signing_input,
                        segments.get(..2).unwrap_or_default().join(".")
                    );
                    vec![jws.header, jws.payload, jws.signature]
                }
                Ok(Compact::Jwe(jwe)) => vec![
                    jwe.header,
                    jwe.encrypted_key,
                    jwe.iv,
                    jwe.ciphertext,
                    jwe.tag,
                ],
                Err(refused) => {
                    assert!(![3, 5].contains(&count), "{count}");
                    assert!(
                        refused.to_string().contains(&format!("{count}")),
                        "{refused}"
                    );
                    continue;
                }
            };
            assert_eq!(found, segments);
        }
    }
}
