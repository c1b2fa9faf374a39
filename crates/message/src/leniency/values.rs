//! Repairs of values of header fields.

use super::Leniency::{
    EmptyElement, EmptyParameter, UnbracketedUri, UnquotedDisplayName, ViaComment, WhiteSpaceInUri,
};
use super::{Leniencies, Leniency};
use crate::header::check_value;
use crate::{HeaderName, Text};

/// Gives the repaired text, or nothing where there is nothing to repair.
type Apply = fn(HeaderName<'_>, &str) -> Option<String>;

/// In the order in which they are tried: what stands around a URI before what stands in it.
const REPAIRS: [(Leniency, Apply); 6] = [
    (ViaComment, |_, value| without_comments(value)),
    (UnquotedDisplayName, with_quotes),
    (UnbracketedUri, |_, value| with_brackets(value)),
    (WhiteSpaceInUri, |_, value| without_space_in_brackets(value)),
    (EmptyParameter, |_, value| without_empty_params(value)),
    (EmptyElement, |_, value| without_empty_elements(value)),
];

/// A value that is well formed, and which leniencies that takes: no more than must be.
pub(super) fn repair(
    name: HeaderName<'_>,
    value: &str,
    allowed: Leniencies,
) -> Option<(String, Leniencies)> {
    let mut found = attempt(name, value, allowed)?;
    for (leniency, _) in REPAIRS {
        if found.1.contains(leniency)
            && let Some(without) = attempt(name, value, found.1.without(leniency))
        {
            found = without;
        }
    }
    Some(found)
}

/// Repairs the value step by step until it is well formed.
fn attempt(name: HeaderName<'_>, value: &str, allowed: Leniencies) -> Option<(String, Leniencies)> {
    let mut text = value.to_owned();
    let mut needed = Leniencies::NONE;
    for (leniency, apply) in REPAIRS {
        if !allowed.contains(leniency) || !fits(leniency, name) {
            continue;
        }
        let Some(repaired) = apply(name, &text) else {
            continue;
        };
        text = repaired;
        needed = needed.with(leniency);
        if check_value(name, &text).is_ok() {
            return Some((text, needed));
        }
    }
    None
}

fn fits(leniency: Leniency, name: HeaderName<'_>) -> bool {
    let has_address = matches!(
        name,
        HeaderName::From
            | HeaderName::To
            | HeaderName::Contact
            | HeaderName::ReferTo
            | HeaderName::Route
            | HeaderName::RecordRoute
            | HeaderName::Path
            | HeaderName::ServiceRoute
    );
    match leniency {
        ViaComment => name == HeaderName::Via,
        UnquotedDisplayName | UnbracketedUri | WhiteSpaceInUri => has_address,
        EmptyElement => is_list(name),
        // Credentials are never changed: a token is what it is.
        _ => !name.is_secret(),
    }
}

/// Whether the field holds elements between commas (RFC 3261 section 7.3.1).
const fn is_list(name: HeaderName<'_>) -> bool {
    matches!(
        name,
        HeaderName::Accept
            | HeaderName::Allow
            | HeaderName::Contact
            | HeaderName::Path
            | HeaderName::ProxyAuthenticate
            | HeaderName::ProxyRequire
            | HeaderName::Reason
            | HeaderName::RecordRoute
            | HeaderName::Require
            | HeaderName::Route
            | HeaderName::ServiceRoute
            | HeaderName::Supported
            | HeaderName::Unsupported
            | HeaderName::Via
            | HeaderName::Warning
            | HeaderName::WwwAuthenticate
    )
}

/// Where a character of a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Neither of the others.
    Open,
    /// Inside quotes, the quotes themselves included.
    Quoted,
    /// Inside angle brackets, without the brackets.
    Bracketed,
}

/// The characters of a value, each with its position and place.
fn placed(value: &str) -> impl Iterator<Item = (usize, char, Place)> + Clone + '_ {
    let mut place = Place::Open;
    let mut escaped = false;
    value.char_indices().map(move |(at, c)| {
        let here = place;
        match (place, c) {
            (Place::Quoted, _) if escaped => escaped = false,
            (Place::Quoted, '\\') => escaped = true,
            (Place::Quoted, '"') | (Place::Bracketed, '>') => place = Place::Open,
            (Place::Open, '"') => place = Place::Quoted,
            (Place::Open, '<') => place = Place::Bracketed,
            _ => {}
        }
        let here = if place == Place::Open && here == Place::Bracketed {
            place
        } else {
            here
        };
        (at, c, here)
    })
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The value without the characters at these positions; `None` where there are none.
fn without(value: &str, mut drops: impl FnMut(usize, char, Place) -> bool) -> Option<String> {
    let kept: String = placed(value)
        .filter(|&(at, c, place)| !drops(at, c, place))
        .map(|(_, c, _)| c)
        .collect();
    (kept.len() < value.len()).then_some(kept)
}

fn without_comments(value: &str) -> Option<String> {
    let mut depth = 0_usize;
    let kept = without(value, |_, c, place| match (place, c) {
        (Place::Open, '(') => {
            depth += 1;
            true
        }
        (Place::Open, ')') if depth > 0 => {
            depth -= 1;
            true
        }
        _ => depth > 0,
    });
    // A comment that nothing closes may be all that follows, a hop among it.
    kept.filter(|_| depth == 0)
}

fn without_space_in_brackets(value: &str) -> Option<String> {
    without(value, |_, c, place| {
        place == Place::Bracketed && is_space(c)
    })
}

fn without_empty_params(value: &str) -> Option<String> {
    let next = next_visible(value);
    without(value, |at, c, place| {
        place == Place::Open && c == ';' && matches!(next(at), Some(';' | ',') | None)
    })
}

fn without_empty_elements(value: &str) -> Option<String> {
    let next = next_visible(value);
    let mut started = false;
    without(value, |at, c, place| {
        let is_comma = place == Place::Open && c == ',';
        let drops = is_comma && (!started || matches!(next(at), Some(',') | None));
        started |= !is_comma && !is_space(c);
        drops
    })
}

/// The next character that is no white space behind a position.
fn next_visible(value: &str) -> impl Fn(usize) -> Option<char> + '_ {
    |at| {
        let behind = value.get(at + 1..).unwrap_or_default();
        behind.chars().find(|c| !is_space(*c))
    }
}

/// `sip:a@example.com?b=c;d` becomes `<sip:a@example.com?b=c>;d`, and where a route needs them
/// `sip:a@example.com;d` becomes `<sip:a@example.com>;d`. One address only: where there is a comma, it may be
/// part of either.
fn with_brackets(value: &str) -> Option<String> {
    if value.contains(['<', '"', ',']) {
        return None;
    }
    let question = value.find('?').unwrap_or(0);
    let behind = value.get(question..)?;
    let end = question + behind.find(';').unwrap_or(behind.len());
    let (uri, params) = value.split_at_checked(end)?;
    Some(format!("<{}>{params}", uri.trim_matches(is_space)))
}

/// `Bell, Alexander <sip:a@example.com>` becomes `"Bell, Alexander" <sip:a@example.com>`, but in a list, where
/// what is before a comma may be an address of its own.
fn with_quotes(field: HeaderName<'_>, value: &str) -> Option<String> {
    let (name, address) = value.split_at_checked(value.find('<')?)?;
    let name = name.trim_matches(is_space);
    let is_plain = !name.is_empty() && !name.contains('"');
    let is_one = !is_list(field) || !name.contains(',');
    (is_plain && is_one).then(|| format!("{} {address}", Text::Plain(name)))
}
