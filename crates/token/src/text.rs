//! The text of a token, before anything in it is decoded.

use crate::error::{Place, TokenError, TokenErrorKind};

/// Longest token taken, in bytes. A Unified CM access token has about 2000.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Holds `text` against the grammar of RFC 6750 section 2.1:
///
/// ```text
/// b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
/// ```
pub(crate) fn check_text(text: &str, max_bytes: usize) -> Result<(), TokenError> {
    check_length(text, max_bytes)?;
    let body = text.trim_end_matches('=');
    // Most texts are good: looked through without a branch per byte first.
    let is_good = body
        .bytes()
        .fold(true, |is_good, byte| is_good & is_b64token(byte));
    if !is_good && let Some(at) = body.bytes().position(|byte| !is_b64token(byte)) {
        let kind = match body.as_bytes().get(at) {
            Some(b'\r' | b'\n') => TokenErrorKind::LineBreak { at },
            Some(b' ' | b'\t') => TokenErrorKind::Blank { at },
            _ => TokenErrorKind::Character { at },
        };
        return Err(kind.at(Place::Text));
    }
    if body.is_empty() {
        return Err(TokenErrorKind::Character { at: 0 }.at(Place::Text));
    }
    Ok(())
}

/// Holds `text` against the grammar of RFC 6749 appendix A.17:
///
/// ```text
/// refresh-token = 1*VSCHAR
/// VSCHAR        = %x20-7E
/// ```
pub(crate) fn check_refresh_text(text: &str, max_bytes: usize) -> Result<(), TokenError> {
    check_length(text, max_bytes)?;
    let mut bytes = text.bytes().enumerate();
    match bytes.find(|(_, byte)| !(0x20..=0x7e).contains(byte)) {
        None => Ok(()),
        Some((at, b'\r' | b'\n')) => Err(TokenErrorKind::LineBreak { at }.at(Place::Text)),
        Some((at, _)) => Err(TokenErrorKind::RefreshTokenCharacter { at }.at(Place::Text)),
    }
}

fn check_length(text: &str, max_bytes: usize) -> Result<(), TokenError> {
    if text.is_empty() {
        return Err(TokenErrorKind::Empty.at(Place::Text));
    }
    if text.len() > max_bytes {
        let found_bytes = text.len();
        return Err(TokenErrorKind::TooLong {
            max_bytes,
            found_bytes,
        }
        .at(Place::Text));
    }
    Ok(())
}

const fn is_b64token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}
