//! Equality of URIs by RFC 3261 section 19.1.4.

use super::escape::unescaped;
use super::{Scheme, Uri};

/// Parameters that must be in both URIs or in none. The list of section 19.1.4 has the first
/// four; that `transport` belongs to them follows from its examples.
const NEVER_IN_ONE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

/// URIs with more parameters or headers than this are compared as text: pairing them up costs their
/// number times their length.
const MAX_PAIRED: usize = 64;

/// And those that have more than one and are longer than this.
const MAX_PAIRED_BYTES: usize = 2048;

impl Uri<'_> {
    /// Whether both URIs mean the same by RFC 3261 section 19.1.4.
    ///
    /// This is no equivalence relation: `sip:a@h;x=1` and `sip:a@h;x=2` are both equivalent to
    /// `sip:a@h` but not to each other. A parameter name that stands twice, which section 19.1.1
    /// forbids, is equal to one of the same name and value. URIs with more than 64 parameters or
    /// headers, or with more than one in more than 2 KiB, are equivalent only when they are the same
    /// text.
    ///
    /// ```
    /// use sip_oauth_message::Uri;
    /// let one = Uri::parse("sip:%61lice@atlanta.example.com;transport=TCP")?;
    /// let two = Uri::parse("sip:alice@AtLanTa.Example.CoM;Transport=tcp")?;
    /// assert!(one.equivalent(&two));
    /// assert!(!one.equivalent(&Uri::parse("sip:alice@atlanta.example.com:5060")?));
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        if [self, other].into_iter().any(has_many_components) {
            return self.as_str() == other.as_str();
        }
        match (self.scheme(), other.scheme()) {
            (Scheme::Sip, Scheme::Sip) | (Scheme::Sips, Scheme::Sips) => {
                option(self.user(), other.user(), same_escaped)
                    && option(self.password(), other.password(), same_escaped)
                    && self.host() == other.host()
                    && self.port() == other.port()
                    && params_match(self, other)
                    && params_match(other, self)
                    && headers_match(self, other)
            }
            (Scheme::Tel, Scheme::Tel) => same_number(self, other),
            (Scheme::Other(one), Scheme::Other(two)) => {
                one.eq_ignore_ascii_case(two)
                    && self.as_str().get(one.len()..) == other.as_str().get(two.len()..)
            }
            _ => false,
        }
    }
}

fn option<'a>(
    one: Option<&'a str>,
    two: Option<&'a str>,
    same: impl Fn(&str, &str) -> bool,
) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => same(one, two),
        (None, None) => true,
        _ => false,
    }
}

/// "Characters other than those in the reserved set are equivalent to their escapes."
fn same_escaped(one: &str, two: &str) -> bool {
    if !has_escape(one) && !has_escape(two) {
        return one == two;
    }
    let normal = |(byte, escaped): (u8, bool)| (byte, escaped && b";/?:@&=+$,".contains(&byte));
    unescaped(one).map(normal).eq(unescaped(two).map(normal))
}

fn same_escaped_no_case(one: &str, two: &str) -> bool {
    if !has_escape(one) && !has_escape(two) {
        return one.eq_ignore_ascii_case(two);
    }
    let normal = |(byte, escaped): (u8, bool)| {
        let reserved = escaped && b";/?:@&=+$,".contains(&byte);
        (byte.to_ascii_lowercase(), reserved)
    };
    unescaped(one).map(normal).eq(unescaped(two).map(normal))
}

fn has_many_components(uri: &Uri<'_>) -> bool {
    let most = if uri.as_str().len() > MAX_PAIRED_BYTES {
        1
    } else {
        MAX_PAIRED
    };
    uri.params().iter().nth(most).is_some() || uri.headers().iter().nth(most).is_some()
}

fn has_escape(text: &str) -> bool {
    memchr::memchr(b'%', text.as_bytes()).is_some()
}

fn params_match(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    one.params().iter().all(|(name, value)| {
        let mut twins = two
            .params()
            .iter()
            .filter(|(other, _)| same_escaped_no_case(name, other))
            .map(|(_, other)| option(value, other, same_escaped_no_case))
            .peekable();
        if twins.peek().is_some() {
            twins.any(|same| same)
        } else {
            !NEVER_IN_ONE.iter().any(|n| same_escaped_no_case(n, name))
        }
    })
}

/// "URI header components are never ignored. Any present header component MUST be present in
/// both URIs and match." Their order does not matter.
fn headers_match(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    let contains = |uri: &Uri<'_>, name: &str, value: &str| {
        uri.headers()
            .iter()
            .any(|(n, v)| same_escaped_no_case(n, name) && same_escaped(v, value))
    };
    one.headers().iter().count() == two.headers().iter().count()
        && one.headers().iter().all(|(n, v)| contains(two, n, v))
        && two.headers().iter().all(|(n, v)| contains(one, n, v))
}

/// RFC 3966 section 4: visual separators do not count, nor case, nor the order of parameters; a
/// parameter that is in one URI is in the other.
fn same_number(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    let all_in = |one: &Uri<'_>, two: &Uri<'_>| {
        one.params().iter().all(|(name, value)| {
            two.params().iter().any(|(other, found)| {
                same_escaped_no_case(other, name)
                    && option(found, value, |found, value| {
                        same_tel_value(name, found, value)
                    })
            })
        })
    };
    let numbers = (
        one.user().unwrap_or_default(),
        two.user().unwrap_or_default(),
    );
    same_digits(numbers.0, numbers.1) && all_in(one, two) && all_in(two, one)
}

/// A context is a number or a domain, an extension is a number; others are text.
fn same_tel_value(name: &str, one: &str, two: &str) -> bool {
    let is_number = name.eq_ignore_ascii_case("ext")
        || (name.eq_ignore_ascii_case("phone-context") && one.starts_with('+'));
    if is_number {
        same_digits(one, two)
    } else {
        same_escaped_no_case(one, two)
    }
}

/// `phonedigit = DIGIT / [ visual-separator ]`
fn same_digits(one: &str, two: &str) -> bool {
    fn digits(text: &str) -> impl Iterator<Item = u8> + '_ {
        text.bytes()
            .filter(|b| !b"-.()".contains(b))
            .map(|b| b.to_ascii_lowercase())
    }
    digits(one).eq(digits(two))
}
