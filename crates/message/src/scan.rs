//! Looking for bytes that are near, several at a time and without a call.
//!
//! Where something may be far, `memchr` takes longer to begin and less for each byte.

const WORD: usize = 8;
pub(crate) const BLOCK: usize = 16;

/// How many bytes are looked at here before `memchr` is asked.
const NEAR: usize = 128;

/// Where the first of up to three `needles` is, at or behind `from`; the length if there is none.
/// None of them may be NUL.
#[allow(
    clippy::inline_always,
    reason = "the needles are literals, and comparing with literals takes fewer instructions"
)]
#[inline(always)]
pub(crate) fn find<const N: usize>(bytes: &[u8], from: usize, needles: [u8; N]) -> usize {
    let Some(ahead) = bytes.get(from..) else {
        return from;
    };
    let (words, rest) = ahead.as_chunks::<WORD>();
    let mut at = from;
    for word in words {
        let marks = equal_to_any(u64::from_le_bytes(*word), needles);
        if let Some(found) = first_marked(marks) {
            return at + found;
        }
        at += WORD;
        if at == from + NEAR {
            return find_far(bytes, at, needles);
        }
    }
    let in_rest = match bytes.last_chunk::<WORD>() {
        // The rest, with zeros behind it in place of what was before it.
        Some(last) if !rest.is_empty() => {
            let word = u64::from_le_bytes(*last) >> (8 * (WORD - rest.len()));
            first_marked(equal_to_any(word, needles))
        }
        _ => rest.iter().position(|byte| needles.contains(byte)),
    };
    in_rest.map_or(bytes.len(), |found| at + found)
}

#[inline(never)]
fn find_far<const N: usize>(bytes: &[u8], at: usize, needles: [u8; N]) -> usize {
    let ahead = bytes.get(at..).unwrap_or_default();
    let found = match *needles.as_slice() {
        [a] => memchr::memchr(a, ahead),
        [a, b] => memchr::memchr2(a, b, ahead),
        [a, b, c] => memchr::memchr3(a, b, c, ahead),
        _ => ahead.iter().position(|byte| needles.contains(byte)),
    };
    found.map_or(bytes.len(), |found| at + found)
}

/// Where the first line end or other control character but the tab is, at or behind `from`; the
/// length if there is none.
#[allow(
    clippy::inline_always,
    reason = "it is what the indexing of a message consists of"
)]
#[inline(always)]
pub(crate) fn find_control(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    'odd: loop {
        let Some(ahead) = bytes.get(at..) else {
            return from;
        };
        let (blocks, rest) = ahead.as_chunks::<BLOCK>();
        let end = at + NEAR;
        for block in blocks {
            if any(block, |byte| !is_visible(byte)) {
                at += first_in(block, not_visible);
                match bytes.get(at) {
                    Some(b'\t' | 0x80..) => {
                        at = behind_allowed(bytes, at);
                        continue 'odd;
                    }
                    _ => return at,
                }
            }
            at += BLOCK;
            if at == end {
                at += visible_blocks(bytes.get(at..).unwrap_or_default());
                continue 'odd;
            }
        }
        let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
        return at + rest.iter().position(is_control).unwrap_or(rest.len());
    }
}

/// Where tabs and what is not ASCII end.
#[inline(never)]
fn behind_allowed(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'\t' | 0x80..) = bytes.get(at) {
        at += 1;
    }
    at
}

/// Whether this is a visible character of ASCII or the space. What is behind the tilde is negative
/// when it is one more, so that one comparison tells.
#[inline]
fn is_visible(byte: u8) -> bool {
    byte.wrapping_add(1).cast_signed() > b' '.cast_signed()
}

/// How far the visible characters of ASCII and the space go, less the space.
const MOST_VISIBLE: u8 = b'~' - b' ';

/// How many bytes the leading blocks have that hold visible characters of ASCII and spaces only.
#[inline(never)]
fn visible_blocks(bytes: &[u8]) -> usize {
    let is_visible = |block: &&[u8; WIDE]| {
        // Row by row, so that the rows are one at the end and that is compared once.
        let mut most = [0; BLOCK];
        let (rows, _) = block.as_chunks::<BLOCK>();
        for row in rows {
            for (most, byte) in most.iter_mut().zip(row) {
                *most = byte.wrapping_sub(b' ').max(*most);
            }
        }
        !any(&most, |most| most > MOST_VISIBLE)
    };
    let (blocks, _) = bytes.as_chunks::<WIDE>();
    WIDE * blocks.iter().take_while(is_visible).count()
}

/// The control characters in the value of a header field that may not stand there: all but tabs,
/// the line ends of folds, and what a quoted pair has in a quoted string or a comment (RFC 3261
/// section 25.1).
pub(crate) fn forbidden_controls(value: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let (mut at, mut quoted, mut depth) = (0, false, 0_usize);
    std::iter::from_fn(move || {
        loop {
            let here = at;
            match value.get(here..)? {
                [b'\r', b'\n', b' ' | b'\t', ..] => at += 3,
                [b'\\', next, ..] if (quoted || depth > 0) && !b"\r\n".contains(next) => at += 2,
                [first, ..] => {
                    at += 1;
                    match first {
                        b'"' if depth == 0 => quoted = !quoted,
                        b'(' if !quoted => depth += 1,
                        b')' if !quoted => depth = depth.saturating_sub(1),
                        b'\t' => {}
                        control if control.is_ascii_control() => return Some(here),
                        _ => {}
                    }
                }
                [] => return None,
            }
        }
    })
}

/// Where in a block the first byte is that is marked in its word; 0 if none is.
#[inline]
fn first_in(block: &[u8; BLOCK], marks: impl Fn(u64) -> u64) -> usize {
    let (words, _) = block.as_chunks::<WORD>();
    let places = words.iter().zip([0, WORD]).find_map(|(word, before)| {
        let found = first_marked(marks(u64::from_le_bytes(*word)))?;
        Some(before + found)
    });
    places.unwrap_or_default()
}

/// Where letters, digits, `-` and `.` end in a block; none where all of it is made of them.
#[allow(
    clippy::inline_always,
    reason = "the compiler keeps its constants at hand"
)]
#[inline(always)]
pub(crate) fn first_not_plain(block: &[u8; BLOCK]) -> Option<usize> {
    // The top bit says it, without branches, so that the compiler makes all marks at once.
    let mut marks = [0; BLOCK];
    for (mark, &byte) in marks.iter_mut().zip(block) {
        *mark = plain_mark(byte).saturating_add(0x7f - MOST_MARK) & 0x80;
    }
    let marks = u128::from_le_bytes(marks);
    #[allow(clippy::cast_possible_truncation, reason = "the halves are meant")]
    let (front, back) = (marks as u64, (marks >> u64::BITS) as u64);
    first_marked(front).or_else(|| Some(WORD + first_marked(back)?))
}

/// Where in a word the first byte is whose top bit is set.
#[inline]
pub(crate) fn first_marked(marks: u64) -> Option<usize> {
    (marks != 0).then(|| (marks.trailing_zeros() / u8::BITS) as usize)
}

const ONES: u64 = u64::from_le_bytes([0x01; WORD]);
const TOPS: u64 = u64::from_le_bytes([0x80; WORD]);

/// The top bit of each byte of a word, read in little endian, that is one of the needles, and
/// perhaps of bytes above the lowest such.
#[inline]
pub(crate) fn equal_to_any<const N: usize>(word: u64, needles: [u8; N]) -> u64 {
    let marks = needles.iter().fold(0, |marks, &needle| {
        let zero_where_equal = word ^ (ONES * u64::from(needle));
        marks | zero_where_equal.wrapping_sub(ONES) & !zero_where_equal
    });
    marks & TOPS
}

/// As [`equal_to_any`], of all bytes but the visible characters of ASCII and the space.
#[inline]
fn not_visible(word: u64) -> u64 {
    let below_space = word.wrapping_sub(ONES * u64::from(b' '));
    // The byte behind the tilde gets its top bit here, those behind it have it.
    let behind_tilde = word.wrapping_add(ONES) | word;
    (below_space | behind_tilde) & TOPS
}

/// Whether two neighbours may be below `limit`, an ASCII character; surely not where this is false.
#[inline]
pub(crate) fn may_have_two_below(bytes: &[u8], limit: u8) -> bool {
    let has_two = |word: &[u8; WORD]| {
        let word = u64::from_le_bytes(*word);
        let below = word.wrapping_sub(ONES * u64::from(limit)) & !word & TOPS;
        below & (below >> u8::BITS) != 0
    };
    let Some(last) = bytes.last_chunk() else {
        return true;
    };
    let mut rest = bytes;
    while let Some((word, _)) = rest.split_first_chunk() {
        if has_two(word) {
            return true;
        }
        // The next word begins with the last byte of this one, so that no neighbours are missed.
        rest = rest.get(WORD - 1..).unwrap_or_default();
    }
    has_two(last)
}

/// Whether there is an ASCII control character.
pub(crate) fn has_control(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let in_block = |block: &[u8; BLOCK]| any(block, |byte| byte < b' ' || byte == 0x7f);
    blocks.iter().any(in_block) || rest.iter().any(u8::is_ascii_control)
}

/// Whether one of the bytes is such. Without an early exit, so that a block is compared at once.
#[inline]
fn any<const N: usize>(bytes: &[u8; N], is_such: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(false, |any, &byte| any | is_such(byte))
}

/// How many bytes of an access token are looked at together.
const WIDE: usize = 128;

/// Where whole blocks of what nearly all access tokens are made of end: letters, digits and
/// `-`, `.`, `/`, `_`. Behind it may be more of them.
pub(crate) fn behind_token_blocks(bytes: &[u8]) -> usize {
    let wide = full_blocks::<WIDE>(bytes);
    wide + full_blocks::<BLOCK>(bytes.get(wide..).unwrap_or_default())
}

/// How many bytes the leading blocks have in which all bytes are such.
#[inline]
fn full_blocks<const N: usize>(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<N>();
    let is_full = |block: &&[u8; N]| {
        let most = |most: u8, &byte| most.max(token_mark(byte));
        block.iter().fold(0, most) <= MOST_MARK
    };
    N * blocks.iter().take_while(is_full).count()
}

const MOST_MARK: u8 = b'z' - b'a';

/// At most [`MOST_MARK`] for letters, digits and `-`, `.`, `/`, `_`, and for nothing else. The largest
/// mark of a block takes fewer instructions than a comparison for each range.
#[inline]
fn token_mark(byte: u8) -> u8 {
    // The first three and the digits follow each other in ASCII.
    mark_between(byte, b'-', b'9')
        .min(letter_mark(byte))
        .min(mark_between(byte, b'_', b'_'))
}

/// As [`token_mark`], for letters, digits and `-`, `.`: what most of our rules have in common.
#[inline]
fn plain_mark(byte: u8) -> u8 {
    mark_between(byte, b'0', b'9')
        .min(letter_mark(byte))
        .min(mark_between(byte, b'-', b'.'))
}

#[inline]
fn letter_mark(byte: u8) -> u8 {
    (byte | 0x20).wrapping_sub(b'a')
}

/// At most [`MOST_MARK`] for what is between the two, which are not further apart than that.
#[inline]
fn mark_between(byte: u8, first: u8, last: u8) -> u8 {
    byte.wrapping_sub(first)
        .saturating_add(MOST_MARK - (last - first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        BLOCK, MOST_MARK, behind_token_blocks, equal_to_any, find, find_control, first_marked,
        forbidden_controls, has_control, is_visible, may_have_two_below, plain_mark, token_mark,
    };

    #[test]
    fn the_mark_of_a_byte_says_whether_tokens_are_made_of_it() {
        for byte in 0..=u8::MAX {
            let plain = byte.is_ascii_alphanumeric() || b"-./_".contains(&byte);
            assert_eq!(token_mark(byte) <= MOST_MARK, plain, "{byte:#x}");
            let plain = byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            assert_eq!(plain_mark(byte) <= MOST_MARK, plain, "{byte:#x}");
        }
    }

    #[test]
    fn what_is_visible_is_between_the_space_and_the_tilde() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_visible(byte), (b' '..=b'~').contains(&byte), "{byte:#x}");
        }
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![20 => Just(b'x'), 1 => any::<u8>(), 1 => Just(b':'), 1 => Just(b'"'), 1 => Just(b'\r')];
        proptest::collection::vec(byte, 0..300)
    }

    #[test]
    fn a_control_character_may_stand_in_a_quoted_pair_only() {
        for (value, found) in [
            ("a\tb\r\n c\r\n\td", &[][..]),
            ("\"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\"", &[]),
            ("x (\\\u{7} (\\\u{7}))", &[]),
            ("\\\u{7}", &[1]),
            ("\"\u{7}\\\\\u{7f}\" \\\0", &[1, 4, 8]),
            ("(a) \\\0 \"(\" \\\0", &[5, 12]),
            ("a\rb\nc\r\nd\r\n", &[1, 3, 5, 6, 8, 9]),
            ("\"\\\r\n x\"", &[]),
            ("\u{80}é", &[]),
        ] {
            let all: Vec<_> = forbidden_controls(value.as_bytes()).collect();
            assert_eq!(all, found, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_byte_finds(bytes in bytes(), from in 0_usize..310) {
            let plain = |needles: &[u8]| {
                let ahead = bytes.get(from..).unwrap_or_default();
                let found = ahead.iter().position(|byte| needles.contains(byte));
                found.map_or(bytes.len().max(from), |found| from + found)
            };
            prop_assert_eq!(find(&bytes, from, [b':']), plain(b":"));
            prop_assert_eq!(find(&bytes, from, [b':', b'"']), plain(b":\""));
            prop_assert_eq!(find(&bytes, from, [b':', b'"', 0xff]), plain(b":\"\xff"));
            let controls: Vec<u8> = (0..=u8::MAX).filter(|b| b.is_ascii_control() && *b != b'\t').collect();
            prop_assert_eq!(find_control(&bytes, from), plain(&controls));
            if bytes.windows(2).any(|pair| pair.iter().all(|byte| *byte < b'0')) {
                prop_assert!(may_have_two_below(&bytes, b'0'));
            }
            prop_assert_eq!(has_control(&bytes), bytes.iter().any(u8::is_ascii_control));
        }

        #[test]
        fn token_blocks_end_in_the_block_in_which_the_token_ends(
            token in "[A-Za-z0-9._/-]{0,600}",
            end in any::<u8>(),
            behind in "[ -~]{0,300}",
        ) {
            let bytes = [token.as_bytes(), &[end], behind.as_bytes()].concat();
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-./_".contains(byte);
            let plain = bytes.iter().take_while(|byte| is_plain(byte)).count();
            prop_assert_eq!(behind_token_blocks(&bytes), plain / BLOCK * BLOCK);
        }

        #[test]
        fn finds_in_a_word_what_a_look_at_each_byte_finds(
            bytes in proptest::array::uniform8(prop_oneof![any::<u8>(), Just(b'9'), Just(b':'), Just(b';')])
        ) {
            let plain = bytes.iter().position(|byte| b":\x01".contains(byte));
            let marks = equal_to_any(u64::from_le_bytes(bytes), [b':', 1]);
            prop_assert_eq!(first_marked(marks), plain);
        }
    }
}
