//! The encodings a file may be in, and where a byte of its text stands in the file.
//!
//! Reading goes over text in UTF-8. A file in another encoding is decoded for that and kept beside its text as it was:
//! what it gives back, the spans it speaks of and the bytes an edit leaves alone are those of the file. Only encodings
//! in which every character has one form are read, so that a place in the text is a place in the file.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

use crate::error::ReadErrorKind;
use crate::position::{BYTE_ORDER_MARK, Span};

/// How characters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    /// A part of UTF-8; characters beyond it are written as references.
    Ascii,
    /// One byte a character, as the WHATWG Encoding Standard has it: ISO-8859-1 is read as windows-1252.
    SingleByte(&'static encoding_rs::Encoding),
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// The encoding the first bytes tell: a byte order mark, else the declaration, else UTF-8.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, ReadErrorKind> {
        let unread = |name: &str| {
            Err(ReadErrorKind::Encoding {
                declared: crate::error::shorten(name),
            })
        };
        match bytes {
            // UTF-32 in little-endian order begins as UTF-16 does.
            [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => return unread("UTF-32"),
            [0xFF, 0xFE, ..] => return Ok(Self::Utf16Le),
            [0xFE, 0xFF, ..] => return Ok(Self::Utf16Be),
            [b'<', 0, ..] | [0, b'<', ..] => return unread("UTF-16 without a byte order mark"),
            _ => {}
        }
        let body = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let Some(declared) = declared(body) else {
            return Ok(Self::Utf8);
        };
        if body.len() < bytes.len() {
            return Ok(Self::Utf8);
        }
        if is_ascii_label(declared) {
            return Ok(Self::Ascii);
        }
        match encoding_rs::Encoding::for_label(declared.as_bytes()) {
            Some(encoding) if encoding == UTF_8 => Ok(Self::Utf8),
            Some(encoding) if encoding.is_single_byte() && encoding != X_USER_DEFINED => {
                Ok(Self::SingleByte(encoding))
            }
            _ => unread(declared),
        }
    }

    /// Whether a declaration in a file that was decoded from this encoding may name `label`.
    pub(crate) fn is_called(self, label: &str) -> bool {
        let named = encoding_rs::Encoding::for_label(label.as_bytes());
        match self {
            Self::Utf8 => named == Some(UTF_8),
            Self::Ascii => is_ascii_label(label),
            Self::SingleByte(encoding) => named == Some(encoding) && !is_ascii_label(label),
            Self::Utf16Le => named == Some(UTF_16LE),
            // "UTF-16" alone leaves the order to the mark; the standard reads it as little-endian.
            Self::Utf16Be => {
                named == Some(UTF_16BE)
                    || named == Some(UTF_16LE) && !label.eq_ignore_ascii_case("utf-16le")
            }
        }
    }

    /// The name in the WHATWG Encoding Standard, or `US-ASCII`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => UTF_8.name(),
            Self::Ascii => "US-ASCII",
            Self::SingleByte(encoding) => encoding.name(),
            Self::Utf16Le => UTF_16LE.name(),
            Self::Utf16Be => UTF_16BE.name(),
        }
    }

    /// The text of a file. In UTF-8, and its part ASCII, that is the file, byte order mark included.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, (usize, ReadErrorKind)> {
        let undecodable = |at: usize| {
            let encoding = self.name();
            (at, ReadErrorKind::Undecodable { encoding })
        };
        match self {
            Self::Utf8 => std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|error| (error.valid_up_to(), ReadErrorKind::NotUtf8)),
            Self::Ascii => {
                let beyond = bytes.iter().position(|byte| !byte.is_ascii());
                match (beyond, std::str::from_utf8(bytes)) {
                    (None, Ok(text)) => Ok(Cow::Borrowed(text)),
                    (at, _) => Err(undecodable(at.unwrap_or(0))),
                }
            }
            Self::SingleByte(encoding) => {
                let beyond = bytes.iter().filter(|byte| !byte.is_ascii()).count();
                if beyond == 0
                    && let Ok(text) = std::str::from_utf8(bytes)
                {
                    return Ok(Cow::Borrowed(text));
                }
                // A character has three bytes at most. The decoder likes some room to spare.
                let mut text = String::with_capacity(bytes.len() + 2 * beyond + 16);
                let mut decoder = encoding.new_decoder_without_bom_handling();
                let mut at = 0;
                loop {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let (result, read) =
                        decoder.decode_to_string_without_replacement(rest, &mut text, true);
                    at += read;
                    match result {
                        DecoderResult::InputEmpty => return Ok(Cow::Owned(text)),
                        DecoderResult::OutputFull => text.reserve(64),
                        // The byte it names is the last it has read.
                        DecoderResult::Malformed(..) => {
                            return Err(undecodable(at.saturating_sub(1)));
                        }
                    }
                }
            }
            Self::Utf16Le | Self::Utf16Be => {
                let (units, rest) = bytes.get(2..).unwrap_or_default().as_chunks::<2>();
                // Enough for ASCII.
                let mut text = String::with_capacity(bytes.len() / 2);
                let mut at = 2;
                let units = units.iter().map(|&unit| match self {
                    Self::Utf16Be => u16::from_be_bytes(unit),
                    _ => u16::from_le_bytes(unit),
                });
                for c in char::decode_utf16(units) {
                    let c = c.map_err(|_| undecodable(at))?;
                    at += self.len_of(c);
                    text.push(c);
                }
                if rest.is_empty() {
                    Ok(Cow::Owned(text))
                } else {
                    Err(undecodable(at))
                }
            }
        }
    }

    /// The text in front of the byte at `offset` of a file, for what is wrong there. What does not decode is replaced.
    pub(crate) fn text_before(self, bytes: &[u8], offset: usize) -> Cow<'_, str> {
        let before = bytes.get(..offset).unwrap_or(bytes);
        match self {
            Self::Utf8 | Self::Ascii => String::from_utf8_lossy(before),
            Self::SingleByte(encoding) => encoding.decode_without_bom_handling(before).0,
            // What is refused is refused at its first unit, in front of which all is well.
            Self::Utf16Le | Self::Utf16Be => self.decode(before).unwrap_or_default(),
        }
    }

    /// Markup as a text in this encoding has it: what there are no bytes for is a character reference.
    pub(crate) fn represent(self, markup: &str) -> Cow<'_, str> {
        match self {
            Self::Ascii if !markup.is_ascii() => {
                let mut ascii = String::with_capacity(markup.len());
                for c in markup.chars() {
                    if c.is_ascii() {
                        ascii.push(c);
                    } else {
                        ascii.push_str("&#");
                        ascii.push_str(&u32::from(c).to_string());
                        ascii.push(';');
                    }
                }
                Cow::Owned(ascii)
            }
            // Made for forms in HTML: what has no byte comes out as `&#8364;`, which XML reads alike.
            Self::SingleByte(encoding) => {
                let (bytes, _, _) = encoding.encode(markup);
                let (text, _) = encoding.decode_without_bom_handling(&bytes);
                Cow::Owned(text.into_owned())
            }
            Self::Ascii | Self::Utf8 | Self::Utf16Le | Self::Utf16Be => Cow::Borrowed(markup),
        }
    }

    /// A text that [`represent`](Self::represent) gave, as bytes.
    pub(crate) fn encode(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Self::Utf8 | Self::Ascii => Cow::Borrowed(text.as_bytes()),
            Self::SingleByte(encoding) => encoding.encode(text).0,
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// Bytes before the text that are not part of it. The mark of UTF-8 is.
    fn mark_len(self) -> usize {
        match self {
            Self::Utf8 | Self::Ascii | Self::SingleByte(_) => 0,
            Self::Utf16Le | Self::Utf16Be => 2,
        }
    }

    fn len_of(self, c: char) -> usize {
        match self {
            Self::Utf8 | Self::Ascii => c.len_utf8(),
            Self::SingleByte(_) => 1,
            Self::Utf16Le | Self::Utf16Be => 2 * c.len_utf16(),
        }
    }

    /// Where in the file the byte at `offset` of its text stands.
    pub(crate) fn offset_in_file(self, text: &str, offset: usize) -> usize {
        let before = text.get(..offset).unwrap_or(text);
        match self {
            Self::Utf8 | Self::Ascii => offset,
            _ => self.mark_len() + before.chars().map(|c| self.len_of(c)).sum::<usize>(),
        }
    }
}

/// A file that is not in UTF-8, beside its text.
#[derive(Clone)]
pub(crate) struct Original {
    pub(crate) bytes: Vec<u8>,
    encoding: Encoding,
    /// Where every [`BLOCK`]th byte of the text, or the next character, stands in the file.
    blocks: Vec<u32>,
}

/// Bytes of text between two known places: an offset is found by counting through one block at most.
const BLOCK: usize = 256;

impl Original {
    pub(crate) fn new(bytes: Vec<u8>, encoding: Encoding, text: &str) -> Self {
        Self {
            bytes,
            encoding,
            blocks: blocks(encoding, text),
        }
    }

    /// Puts `encoded` in the place of `span`, after which the text is `text`.
    pub(crate) fn replace(&mut self, span: Span, encoded: &[u8], text: &str) {
        self.bytes
            .reserve_exact(encoded.len().saturating_sub(span.len()));
        self.bytes.splice(span.range(), encoded.iter().copied());
        self.blocks = blocks(self.encoding, text);
    }

    /// As [`Encoding::offset_in_file`], in bounded time.
    pub(crate) fn offset_in_file(&self, text: &str, offset: usize) -> usize {
        let offset = offset.min(text.len());
        let block = (offset / BLOCK).min(self.blocks.len().saturating_sub(1));
        let start = (block * BLOCK..=offset)
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(offset);
        let known = self.blocks.get(block).copied().unwrap_or_default();
        let rest = text.get(start..offset).unwrap_or_default();
        let rest: usize = rest.chars().map(|c| self.encoding.len_of(c)).sum();
        if self.blocks.is_empty() {
            self.encoding.mark_len()
        } else {
            known as usize + rest
        }
    }
}

fn blocks(encoding: Encoding, text: &str) -> Vec<u32> {
    let mut blocks = Vec::with_capacity(text.len() / BLOCK + 1);
    let mut in_file = encoding.mark_len();
    for (at, c) in text.char_indices() {
        if at >= blocks.len() * BLOCK {
            // The reader takes no file whose offsets are longer.
            blocks.push(u32::try_from(in_file).unwrap_or(u32::MAX));
        }
        in_file += encoding.len_of(c);
    }
    blocks
}

/// The names of ASCII that the WHATWG Encoding Standard takes for windows-1252.
fn is_ascii_label(label: &str) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968"]
        .iter()
        .any(|ascii| label.eq_ignore_ascii_case(ascii))
}

/// The encoding an ASCII-compatible declaration names. Whether the declaration is good is asked when it is read.
fn declared(body: &[u8]) -> Option<&str> {
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
