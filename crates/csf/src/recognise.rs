//! What a file is before it is read: text in an encoding that is known, or signed, encrypted, with bytes XML forbids.

use std::borrow::Cow;

use crate::encoding::Encoding;
use crate::error::ReadErrorKind;
use crate::position::BYTE_ORDER_MARK;
use crate::xml::is_character;

/// Recognises what is no text, and gives the text.
pub(crate) fn text<'a>(
    bytes: &'a [u8],
    root: &str,
) -> Result<(Encoding, Cow<'a, str>), (usize, ReadErrorKind)> {
    let encoding = Encoding::of(bytes).map_err(|kind| (0, kind))?;
    if !matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
        begins_as_text(bytes, root)?;
    }
    let text = encoding.decode(bytes)?;
    if let Some((at, c)) = forbidden(&text) {
        let at = encoding.offset_in_file(&text, at);
        return Err((at, ReadErrorKind::Character { code: u32::from(c) }));
    }
    Ok((encoding, text))
}

/// Tells what begins with anything but `<` and white space: signed, encrypted, empty, or text.
fn begins_as_text(bytes: &[u8], root: &str) -> Result<(), (usize, ReadErrorKind)> {
    let base = if bytes.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let body = bytes.get(base..).unwrap_or_default();
    let Some(first) = body.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return Err((
            0,
            ReadErrorKind::Empty {
                expected: root.to_owned(),
            },
        ));
    };
    if body.get(first) != Some(&b'<') {
        let binary =
            std::str::from_utf8(bytes).is_err() || body.iter().any(|&byte| is_control(byte));
        let document = [b"<?xml".as_slice(), format!("<{root}").as_bytes()]
            .into_iter()
            .filter_map(|start| {
                bytes
                    .windows(start.len())
                    .position(|window| window == start)
            })
            .min();
        return Err(match (binary, document) {
            (true, Some(document)) => (0, ReadErrorKind::Signed { document }),
            (true, None) => (0, ReadErrorKind::Encrypted),
            (false, _) => (base + first, ReadErrorKind::TextOutsideRoot),
        });
    }
    Ok(())
}

/// The first character that XML 1.0 §2.2 does not allow.
fn forbidden(text: &str) -> Option<(usize, char)> {
    // What is illegal is illegal anywhere: in text, names and comments alike (XML 1.0 §2.2). Chunks without an early
    // exit let the compiler compare many bytes at once.
    let controls = text.as_bytes().chunks(256).any(|chunk| {
        chunk
            .iter()
            .fold(false, |found, &byte| found | is_control(byte))
    });
    (controls || text.contains('\u{FFFE}') || text.contains('\u{FFFF}'))
        .then(|| text.char_indices().find(|&(_, c)| !is_character(c)))
        .flatten()
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')
}
