//! What a file is before it is read: text in UTF-8, or signed, encrypted, in another encoding, with bytes XML forbids.

use crate::error::ReadErrorKind;
use crate::position::BYTE_ORDER_MARK;
use crate::xml::is_character;

/// Recognises what is no text, and gives the text.
pub(crate) fn text<'a>(bytes: &'a [u8], root: &str) -> Result<&'a str, (usize, ReadErrorKind)> {
    for (mark, name) in [
        (b"\xFE\xFF", "UTF-16 (big-endian byte order mark)"),
        (b"\xFF\xFE", "UTF-16 (little-endian byte order mark)"),
    ] {
        if bytes.starts_with(mark) {
            return Err((
                0,
                ReadErrorKind::Encoding {
                    declared: name.to_owned(),
                },
            ));
        }
    }
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
    let utf8 = std::str::from_utf8(bytes);
    if body.get(first) != Some(&b'<') {
        let binary = utf8.is_err() || body.iter().any(|&byte| is_control(byte));
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
    let text = utf8.map_err(|error| match declared_encoding(body) {
        Some(declared) if !declared.eq_ignore_ascii_case("utf-8") => (
            base,
            ReadErrorKind::Encoding {
                declared: declared.to_owned(),
            },
        ),
        _ => (error.valid_up_to(), ReadErrorKind::NotUtf8),
    })?;
    // What is illegal is illegal anywhere: in text, names and comments alike (XML 1.0 §2.2). Chunks without an early
    // exit let the compiler compare many bytes at once.
    let controls = bytes.chunks(256).any(|chunk| {
        chunk
            .iter()
            .fold(false, |found, &byte| found | is_control(byte))
    });
    if controls || text.contains('\u{FFFE}') || text.contains('\u{FFFF}') {
        let illegal = text.char_indices().find(|&(_, c)| !is_character(c));
        if let Some((at, c)) = illegal {
            return Err((at, ReadErrorKind::Character { code: u32::from(c) }));
        }
    }
    Ok(text)
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')
}

/// The encoding an ASCII-compatible declaration names, read from bytes that are not UTF-8.
fn declared_encoding(body: &[u8]) -> Option<&str> {
    let head = body.get(..body.len().min(256))?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(head.get(..end)?)
        .ok()?
        .strip_prefix("<?xml")?;
    let value = declaration
        .split_once("encoding")?
        .1
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(name, _)| name)
}
