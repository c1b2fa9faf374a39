//! The grammar of DNS names in certificates, and their comparison form.

use std::net::IpAddr;

/// Whether a name may end in the dot of the root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrailingDot {
    /// `example.com.` is the same name as `example.com`.
    Ignored,
    /// RFC 5280 §4.2.1.6: a dNSName is in preferred name syntax, which has no trailing dot.
    Refused,
}

/// The lower-case form of a DNS name, or `None` when it is not one.
///
/// Labels of letters, digits, hyphen and underscore (hosts with underscores exist), 1 to 63 octets, no
/// hyphen at either end; 253 octets in all; the last label is no decimal or hexadecimal number,
/// so that nothing which some resolver reads as an IPv4 address is taken for a name. Internationalised names are given as A-labels:
/// anything outside ASCII is not a name here, which also keeps look-alike letters out.
pub(crate) fn canonical(name: &str, dot: TrailingDot) -> Option<String> {
    let name = match (name.strip_suffix('.'), dot) {
        (Some(rest), TrailingDot::Ignored) => rest,
        (Some(_), TrailingDot::Refused) => return None,
        (None, _) => name,
    };
    if name.is_empty() || name.len() > 253 {
        return None;
    }
    let mut last = "";
    for label in name.split('.') {
        let valid = (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !valid {
            return None;
        }
        last = label;
    }
    if is_number(last) {
        return None;
    }
    Some(name.to_ascii_lowercase())
}

/// "Ends in a number" of the WHATWG URL standard.
fn is_number(label: &str) -> bool {
    let hexadecimal = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || label.bytes().all(|b| b.is_ascii_digit())
}

/// An IP address written as text: `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`.
pub(crate) fn ip_literal(text: &str) -> Option<IpAddr> {
    let text = match text.strip_prefix('[') {
        Some(rest) => {
            let inner = rest.strip_suffix(']')?;
            return inner.parse().ok().map(IpAddr::V6);
        }
        None => text,
    };
    text.parse().ok()
}

/// `text` with everything that could disturb a line of output escaped, and cut at 256 characters.
pub(crate) fn printable(text: &str) -> String {
    const MAX_CHARS: usize = 256;
    let mut shown = String::with_capacity(text.len().min(MAX_CHARS));
    for (count, c) in text.chars().enumerate() {
        if count == MAX_CHARS {
            shown.push('…');
            break;
        }
        if is_unsafe(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Controls, and the invisible or direction-changing characters that make one name look like another.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
        )
}
