//! Header field names: known ones, their compact forms, and everything else as written.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::grammar::{TOKEN, is_token, is_token_byte, span};
use crate::scan::{equal_to_any, first_marked};
use crate::{ErrorKind, ParseError};

macro_rules! header_names {
    ($($variant:ident $text:literal $($compact:literal)?,)*) => {
        /// The name of a header field (RFC 3261 sections 7.3.1 and 20).
        ///
        /// Names are case-insensitive, and a compact form is the same name.
        ///
        /// ```
        /// use sip_oauth_message::HeaderName;
        /// assert_eq!(HeaderName::parse("CALL-id")?, HeaderName::CallId);
        /// assert_eq!(HeaderName::parse("i")?, HeaderName::CallId);
        /// const OWN: HeaderName<'_> = HeaderName::from_static("X-Own");
        /// assert_eq!(HeaderName::parse("x-own")?, OWN);
        /// assert!(HeaderName::parse("X Own").is_err());
        /// # Ok::<(), sip_oauth_message::ParseError>(())
        /// ```
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each variant is the header field of that name")]
        pub enum HeaderName<'a> {
            $($variant,)*
            /// Any other name, as written.
            Other(OtherName<'a>),
        }

        #[derive(Clone, Copy)]
        #[repr(u8)]
        enum Code { $($variant,)* Count }

        pub(crate) const NAMES: [HeaderName<'static>; Code::Count as usize] = [$(HeaderName::$variant,)*];

        /// Each spelling, the compact ones included, and the code of the name.
        const SPELLINGS: &[(&[u8], u8)] = &[$(
            ($text.as_bytes(), Code::$variant as u8),
            $(($compact.as_bytes(), Code::$variant as u8),)?
        )*];

        impl<'a> HeaderName<'a> {
            /// The name in its usual spelling; an unknown one as written.
            pub const fn as_str(&self) -> &'a str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(other) => other.as_str(),
                }
            }

            /// The one-letter form, where the name has one.
            pub const fn compact(&self) -> Option<&'static str> {
                match self {
                    $($(Self::$variant => Some($compact),)?)*
                    _ => None,
                }
            }

            pub(crate) const fn code(&self) -> u8 {
                match self {
                    $(Self::$variant => Code::$variant as u8,)*
                    Self::Other(_) => OTHER,
                }
            }
        }
    };
}

header_names! {
    Accept "Accept",
    AcceptContact "Accept-Contact" "a",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AlertInfo "Alert-Info",
    Allow "Allow",
    AllowEvents "Allow-Events" "u",
    AuthenticationInfo "Authentication-Info",
    Authorization "Authorization",
    CallId "Call-ID" "i",
    CallInfo "Call-Info",
    Contact "Contact" "m",
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding" "e",
    ContentId "Content-ID",
    ContentLanguage "Content-Language",
    ContentLength "Content-Length" "l",
    ContentType "Content-Type" "c",
    CSeq "CSeq",
    Date "Date",
    ErrorInfo "Error-Info",
    Event "Event" "o",
    Expires "Expires",
    FlowTimer "Flow-Timer",
    From "From" "f",
    Identity "Identity" "y",
    IdentityInfo "Identity-Info" "n",
    InReplyTo "In-Reply-To",
    MaxForwards "Max-Forwards",
    MimeVersion "MIME-Version",
    MinExpires "Min-Expires",
    Organization "Organization",
    Path "Path",
    Priority "Priority",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    Reason "Reason",
    RecordRoute "Record-Route",
    ReferTo "Refer-To" "r",
    ReferredBy "Referred-By" "b",
    RejectContact "Reject-Contact" "j",
    ReplyTo "Reply-To",
    RequestDisposition "Request-Disposition" "d",
    Require "Require",
    RetryAfter "Retry-After",
    Route "Route",
    Server "Server",
    ServiceRoute "Service-Route",
    SessionExpires "Session-Expires" "x",
    SessionId "Session-ID",
    Subject "Subject" "s",
    Supported "Supported" "k",
    Timestamp "Timestamp",
    To "To" "t",
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    Via "Via" "v",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
}

/// What a header field name is, as errors have it.
pub(crate) const NAME: &str = "a token as the name of a header field";

/// The code of names that are not in the table, one above the codes of those that are.
pub(crate) const OTHER: u8 = Code::Count as u8;

/// How many codes there are.
pub(crate) const CODES: usize = OTHER as usize + 1;

const LONGEST: usize = 19;
const WORDS: usize = LONGEST.div_ceil(8);
/// How many bytes of a line are looked at for a known name and its colon.
const FRONT: usize = 8 * WORDS;

/// A spelling, eight bytes to a word, so that it is compared without a loop.
#[derive(Clone, Copy)]
struct Spelling {
    words: [u64; WORDS],
    /// The bits that must be the same: all but the one that tells the case of a letter.
    mask: [u64; WORDS],
    length: usize,
    code: u8,
    /// The next spelling in the same bucket.
    next: u8,
}

/// So many, and weighed by such numbers, that two names share a bucket at the most.
const BUCKETS: usize = 256;
const NONE: u8 = u8::MAX;

const fn bucket(first: u8, last: u8, length: usize) -> usize {
    let (first, last) = ((first | 0x20) as usize, (last | 0x20) as usize);
    (first * 3 + last * 17 + length * 20) % BUCKETS
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static TABLE: ([Spelling; SPELLINGS.len()], [u8; BUCKETS]) = {
    let empty = Spelling {
        words: [0; WORDS],
        mask: [0; WORDS],
        length: 0,
        code: OTHER,
        next: NONE,
    };
    assert!(
        SPELLINGS.len() < NONE as usize,
        "codes and places are bytes"
    );
    let mut spellings = [empty; SPELLINGS.len()];
    let mut buckets = [NONE; BUCKETS];
    let mut entry = 0;
    while entry < SPELLINGS.len() {
        let (text, code) = SPELLINGS[entry];
        assert!(text.len() <= LONGEST, "LONGEST is too short");
        let spelling = &mut spellings[entry];
        spelling.length = text.len();
        spelling.code = code;
        let mut at = 0;
        while at < text.len() {
            let same = if text[at].is_ascii_alphabetic() {
                !0x20
            } else {
                !0_u8
            };
            spelling.words[at / 8] |= (text[at] as u64) << (8 * (at % 8));
            spelling.mask[at / 8] |= (same as u64) << (8 * (at % 8));
            at += 1;
        }
        let bucket = bucket(text[0], text[text.len() - 1], text.len());
        spelling.next = buckets[bucket];
        #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
        {
            buckets[bucket] = entry as u8;
        }
        entry += 1;
    }
    (spellings, buckets)
};

#[inline]
fn words_of(bytes: &[u8; FRONT]) -> [u64; WORDS] {
    let (bytes, _) = bytes.as_chunks();
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// The code of a name.
pub(crate) fn code_of(name: &[u8]) -> u8 {
    code_in(words_of(&padded(name)), name)
}

/// The first bytes, with zeros behind them where there are fewer.
#[inline(never)]
fn padded(bytes: &[u8]) -> [u8; FRONT] {
    let mut padded = [0; FRONT];
    let length = bytes.len().min(FRONT);
    if let (Some(to), Some(from)) = (padded.get_mut(..length), bytes.get(..length)) {
        to.copy_from_slice(from);
    }
    padded
}

/// The code of a name that the words begin with.
#[inline]
fn code_in(words: [u64; WORDS], name: &[u8]) -> u8 {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return OTHER;
    };
    let (spellings, buckets) = &TABLE;
    let mut place = buckets.get(bucket(first, last, name.len())).copied();
    while let Some(spelling) = place.and_then(|place| spellings.get(usize::from(place))) {
        let mut differing = 0;
        for ((word, known), mask) in words.iter().zip(&spelling.words).zip(&spelling.mask) {
            differing |= (word ^ known) & mask;
        }
        if differing == 0 && spelling.length == name.len() {
            return spelling.code;
        }
        place = Some(spelling.next);
    }
    OTHER
}

/// The name at the front of a line, with the colon behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameAt {
    pub(crate) code: u8,
    /// Where the colon stands.
    pub(crate) colon: usize,
}

/// `header-name HCOLON` without the white space behind the colon. The error is where something else
/// stands.
#[inline]
pub(crate) fn name_at(line: &[u8]) -> Result<NameAt, usize> {
    match line.first_chunk() {
        Some(front) => name_in(front, line),
        None => short_name_at(line),
    }
}

#[inline(never)]
fn short_name_at(line: &[u8]) -> Result<NameAt, usize> {
    name_in(&padded(line), line)
}

/// The name at the front of a line whose first bytes are `front`.
#[allow(
    clippy::inline_always,
    reason = "it is done for each field, and is small"
)]
#[inline(always)]
fn name_in(front: &[u8; FRONT], line: &[u8]) -> Result<NameAt, usize> {
    let words = words_of(front);
    let [first, second, third] = words.map(|word| equal_to_any(word, [b':']));
    // What is in the table is a token, and most names are in the table.
    let colon = if let Some(colon) = first_marked(first) {
        colon
    } else if let Some(colon) = first_marked(second) {
        8 + colon
    } else if let Some(colon) = first_marked(third) {
        16 + colon
    } else {
        return any_name_at(line);
    };
    let mut name = front.get(..colon).unwrap_or_default();
    while let [before @ .., b' ' | b'\t'] = name {
        name = before;
    }
    match code_in(words, name) {
        OTHER => any_name_at(line),
        code => Ok(NameAt { code, colon }),
    }
}

/// As [`name_at`], whatever the name is.
#[inline(never)]
fn any_name_at(line: &[u8]) -> Result<NameAt, usize> {
    let length = span(line, TOKEN);
    let (name, after) = line.split_at_checked(length).unwrap_or((line, &[]));
    let blanks = after.iter().take_while(|b| matches!(b, b' ' | b'\t'));
    let colon = length + blanks.count();
    if length == 0 || line.get(colon) != Some(&b':') {
        return Err(colon);
    }
    let code = code_of(name);
    Ok(NameAt { code, colon })
}

/// `extension-header = header-name HCOLON header-value` (RFC 3261 section 25.1): the name of a field
/// that is none of those above.
///
/// [`HeaderName::parse`] and [`HeaderName::from_static`] make one, so that it is a token and no known
/// name.
#[derive(Clone, Copy, Debug)]
pub struct OtherName<'a>(&'a str);

impl<'a> OtherName<'a> {
    /// The name as it is written.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// Whether both are the same but for the case of letters, for what the compiler works out.
const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([a, behind_a @ ..], [b, behind_b @ ..]) = (one, other) {
        if !a.eq_ignore_ascii_case(b) {
            return false;
        }
        (one, other) = (behind_a, behind_b);
    }
    one.is_empty() && other.is_empty()
}

impl<'a> HeaderName<'a> {
    /// The name that `text` is a spelling of.
    ///
    /// # Errors
    ///
    /// When `text` is not a token (RFC 3261 section 25.1).
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        if is_token(text) {
            Ok(Self::of_token(text))
        } else {
            Err(ParseError::new(ErrorKind::HeaderLine, 0, NAME))
        }
    }

    /// The name that a text of the program is a spelling of, as for
    /// [`TypedHeader::NAME`](crate::TypedHeader::NAME).
    ///
    /// # Panics
    ///
    /// When `text` is not a token; in a constant, where it belongs, when it is compiled.
    pub const fn from_static(text: &'static str) -> HeaderName<'static> {
        let bytes = text.as_bytes();
        let mut rest = bytes;
        while let [byte, behind @ ..] = rest {
            assert!(is_token_byte(*byte), "a header field name is a token");
            rest = behind;
        }
        assert!(!bytes.is_empty(), "a header field name is a token");
        let mut spellings = SPELLINGS;
        while let [(spelling, code), behind @ ..] = spellings {
            if is_same(bytes, spelling) {
                let (_, names) = NAMES.split_at(*code as usize);
                if let [name, ..] = names {
                    return *name;
                }
            }
            spellings = behind;
        }
        HeaderName::Other(OtherName(text))
    }

    /// The name that a token is a spelling of; of what is no token, one that no field has.
    pub(crate) fn of_token(text: &'a str) -> Self {
        Self::from_code(code_of(text.as_bytes()), text)
    }

    /// The name with this code, `text` where it is an unknown one.
    pub(crate) fn from_code(code: u8, text: &'a str) -> Self {
        match NAMES.get(usize::from(code)) {
            Some(&known) => known,
            None => Self::Other(OtherName(text)),
        }
    }

    /// The name, unless it is one of those that are not listed here.
    pub(crate) fn known(&self) -> Option<HeaderName<'static>> {
        NAMES.get(usize::from(self.code())).copied()
    }

    /// Whether values of this field are credentials and must not be printed.
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::Authorization | Self::ProxyAuthorization)
    }
}

impl PartialEq<HeaderName<'_>> for HeaderName<'_> {
    fn eq(&self, other: &HeaderName<'_>) -> bool {
        match (self, other) {
            (Self::Other(one), HeaderName::Other(two)) => one.0.eq_ignore_ascii_case(two.0),
            _ => self.code() == other.code(),
        }
    }
}

impl Eq for HeaderName<'_> {}

impl Hash for HeaderName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_str().bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(OTHER);
    }
}

impl fmt::Display for HeaderName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CODES, HeaderName, NAMES, OTHER, SPELLINGS, TABLE};
    use super::{any_name_at, code_of, name_at};

    /// The rule: the same letters, without regard to case.
    fn plain(name: &[u8]) -> u8 {
        let same = |(text, _): &&(&[u8], u8)| text.eq_ignore_ascii_case(name);
        SPELLINGS.iter().find(same).map_or(OTHER, |(_, code)| *code)
    }

    #[test]
    fn every_spelling_is_found_and_its_neighbours_are_not() {
        for (text, code) in SPELLINGS {
            assert_eq!(code_of(text), *code);
            assert_eq!(code_of(&text.to_ascii_uppercase()), *code);
            for at in 0..text.len() {
                for bit in 0..8 {
                    let mut other = text.to_vec();
                    other[at] ^= 1 << bit;
                    assert_eq!(code_of(&other), plain(&other), "{other:?}");
                }
            }
        }
        assert!(NAMES.iter().all(|name| usize::from(name.code()) < CODES));
        assert_eq!(HeaderName::of_token("x-own").code(), OTHER);
        for (text, code) in SPELLINGS {
            let text = std::str::from_utf8(text).unwrap();
            assert_eq!(HeaderName::from_static(text).code(), *code);
        }
    }

    #[test]
    fn no_bucket_is_long() {
        let (spellings, buckets) = &TABLE;
        let longest = buckets.iter().map(|&first| {
            let next = |place: &u8| spellings.get(usize::from(*place)).map(|s| s.next);
            std::iter::successors(Some(first), next).count() - 1
        });
        assert!(longest.max().unwrap() <= 2);
    }

    proptest! {
        #[test]
        fn names_in_the_table_are_found_as_any_name_is(
            name in prop_oneof![
                proptest::sample::select(SPELLINGS).prop_map(|(text, _)| text.to_vec()),
                "[ -~]{0,30}".prop_map(String::into_bytes),
                proptest::collection::vec(any::<u8>(), 0..40),
            ],
            upper in any::<bool>(),
            rest in "[:\r\t -]{0,2}[ -~]{0,40}",
        ) {
            let mut line = if upper { name.to_ascii_uppercase() } else { name };
            line.extend_from_slice(rest.as_bytes());
            let plain = any_name_at(&line);
            if let Ok(plain) = plain {
                let name = line[..plain.colon].trim_ascii_end();
                prop_assert_eq!(plain.code, super::tests::plain(name));
            }
            prop_assert_eq!(name_at(&line), plain);
        }
    }
}
