//! Equality of URIs by RFC 3261 section 19.1.4.

use std::cmp::Ordering;

use super::escape::{unescape, unescaped};
use super::{Scheme, Uri};
use crate::HeaderName;

/// Parameters that must be in both URIs or in none. The list of section 19.1.4 has the first
/// four; that `transport` belongs to them follows from its examples.
const NEVER_IN_ONE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl Uri<'_> {
    /// Whether both URIs mean the same by RFC 3261 section 19.1.4.
    ///
    /// This is no equivalence relation: `sip:a@h;x=1` and `sip:a@h;x=2` are both equivalent to
    /// `sip:a@h` but not to each other. A parameter name that stands twice, which section 19.1.1
    /// forbids, is equal to one of the same name and value. A header is the same under its compact
    /// name; its value is compared without regard to case (section 7.3.1), but a body, a Call-ID, credentials
    /// and what stands in quotes.
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
        match (self.scheme(), other.scheme()) {
            (Scheme::Sip, Scheme::Sip) | (Scheme::Sips, Scheme::Sips) => {
                option(self.user(), other.user(), same_escaped)
                    && option(self.password(), other.password(), same_escaped)
                    && self.host() == other.host()
                    && self.port() == other.port()
                    && params_match(self, other)
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

/// A character, and whether it is reserved and escaped. "Characters other than those in the reserved set are
/// equivalent to their escapes."
fn normal(text: &str) -> impl Iterator<Item = (u8, bool)> + '_ {
    unescaped(text).map(|(byte, escaped)| (byte, escaped && b";/?:@&=+$,".contains(&byte)))
}

fn normal_no_case(text: &str) -> impl Iterator<Item = (u8, bool)> + '_ {
    normal(text).map(|(byte, reserved)| (byte.to_ascii_lowercase(), reserved))
}

fn same_escaped(one: &str, two: &str) -> bool {
    normal(one).eq(normal(two))
}

fn order_no_case(one: &str, two: &str) -> Ordering {
    normal_no_case(one).cmp(normal_no_case(two))
}

type Param<'a> = (&'a str, Option<&'a str>);

/// The parameters in the order of their names, and of their values by `order`: a stranger may send thousands,
/// and each is looked for among those of the other URI.
fn sorted<'a>(uri: &Uri<'a>, order: fn(&Param<'_>, &Param<'_>) -> Ordering) -> Vec<Param<'a>> {
    let mut params: Vec<_> = uri.params().iter().collect();
    params.sort_unstable_by(order);
    params
}

fn order_of_params(one: &Param<'_>, two: &Param<'_>) -> Ordering {
    order_no_case(one.0, two.0)
        .then_with(|| one.1.is_some().cmp(&two.1.is_some()))
        .then_with(|| order_no_case(one.1.unwrap_or_default(), two.1.unwrap_or_default()))
}

fn params_match(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    let all_in = |one: &[Param<'_>], two: &[Param<'_>]| {
        one.iter().all(|param| {
            let (name, _) = param;
            let twin = |other: &Param<'_>| order_of_params(other, param);
            let namesake = |(other, _): &Param<'_>| order_no_case(other, name);
            if two.binary_search_by(namesake).is_ok() {
                two.binary_search_by(twin).is_ok()
            } else {
                !NEVER_IN_ONE
                    .iter()
                    .any(|never| order_no_case(never, name).is_eq())
            }
        })
    };
    if one.params() == two.params() {
        return true;
    }
    let (one, two) = (sorted(one, order_of_params), sorted(two, order_of_params));
    all_in(&one, &two) && all_in(&two, &one)
}

/// "URI header components are never ignored. Any present header component MUST be present in
/// both URIs and match." Their order does not matter.
fn headers_match(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    fn sorted<'a>(uri: &Uri<'a>) -> Vec<UriHeader<'a>> {
        let mut headers: Vec<_> = uri.headers().iter().map(UriHeader::new).collect();
        headers.sort_unstable_by(UriHeader::order);
        headers
    }
    if one.headers() == two.headers() {
        return true;
    }
    let (one, two) = (sorted(one), sorted(two));
    one.len() == two.len()
        && one
            .iter()
            .zip(&two)
            .all(|(one, two)| one.order(two).is_eq())
}

/// One header component, to be compared by the rules of its field.
struct UriHeader<'a> {
    /// In lower case, not the compact one.
    name: String,
    value: &'a str,
    has_case: bool,
}

impl<'a> UriHeader<'a> {
    fn new((name, value): (&'a str, &'a str)) -> Self {
        let name = String::from_utf8_lossy(&unescape(name)).to_ascii_lowercase();
        let known = HeaderName::parse(&name).ok();
        let has_case = name == "body"
            || unescaped(value).any(|(byte, _)| byte == b'"')
            || known.is_some_and(|known| {
                known.is_secret() || matches!(known, HeaderName::CallId | HeaderName::InReplyTo)
            });
        Self {
            name: known.map_or_else(|| name.clone(), |known| known.as_str().to_ascii_lowercase()),
            value,
            has_case,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let value = || {
            if self.has_case {
                normal(self.value).cmp(normal(other.value))
            } else {
                order_no_case(self.value, other.value)
            }
        };
        self.name
            .cmp(&other.name)
            .then(self.has_case.cmp(&other.has_case))
            .then_with(value)
    }
}

/// RFC 3966 section 4: visual separators do not count, nor case, nor the order of parameters; a
/// parameter that is in one URI is in the other.
fn same_number(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    let all_in = |one: &[Param<'_>], two: &[Param<'_>]| {
        one.iter().all(|param| {
            let twin = |other: &Param<'_>| order_of_tel_params(other, param);
            two.binary_search_by(twin).is_ok()
        })
    };
    let numbers = (
        one.user().unwrap_or_default(),
        two.user().unwrap_or_default(),
    );
    let params = (
        sorted(one, order_of_tel_params),
        sorted(two, order_of_tel_params),
    );
    same_digits(numbers.0, numbers.1)
        && all_in(&params.0, &params.1)
        && all_in(&params.1, &params.0)
}

/// A context is a number or a domain, an extension is a number; others are text.
fn order_of_tel_params(one: &Param<'_>, two: &Param<'_>) -> Ordering {
    fn value<'a>((name, value): &Param<'a>) -> impl Iterator<Item = (u8, bool)> + use<'a> {
        let text = value.unwrap_or_default();
        let is_number = name.eq_ignore_ascii_case("ext")
            || (name.eq_ignore_ascii_case("phone-context") && text.starts_with('+'));
        normal_no_case(text).filter(move |(byte, _)| !is_number || !is_separator(*byte))
    }
    order_no_case(one.0, two.0)
        .then_with(|| one.1.is_some().cmp(&two.1.is_some()))
        .then_with(|| value(one).cmp(value(two)))
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'(' | b')')
}

/// `phonedigit = DIGIT / [ visual-separator ]`
fn same_digits(one: &str, two: &str) -> bool {
    fn digits(text: &str) -> impl Iterator<Item = u8> + '_ {
        text.bytes()
            .filter(|b| !is_separator(*b))
            .map(|b| b.to_ascii_lowercase())
    }
    digits(one).eq(digits(two))
}
