//! Repairs of lines: their ends, their bytes, and the start line.

use std::borrow::Cow;

use super::Leniency::{
    BareLineFeed, BracketedRequestUri, ControlCharacters, Latin1, LeadingLineEnds, NoReasonPhrase,
    SpacesInStartLine, WhiteSpaceInUri,
};
use super::{Leniencies, Leniency};
use crate::StartLine;
use crate::scan::forbidden_controls;

/// What may be relaxed, and what was.
struct Repair {
    allowed: Leniencies,
    needed: Leniencies,
}

impl Repair {
    /// Takes note that a leniency is needed; false where it is not allowed.
    fn needs(&mut self, leniency: Leniency) -> bool {
        self.needed = self.needed.with(leniency);
        self.allowed.contains(leniency)
    }
}

/// The message with its head repaired, body as it is; `None` where what it needs is not allowed.
pub(super) fn repair(bytes: &[u8], allowed: Leniencies) -> Option<(Vec<u8>, Leniencies)> {
    let mut repair = Repair {
        allowed,
        needed: Leniencies::NONE,
    };
    let mut rest = bytes;
    while let [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] = rest {
        let is_bare = rest.first() == Some(&b'\n');
        if !repair.needs(LeadingLineEnds) || (is_bare && !repair.needs(BareLineFeed)) {
            return None;
        }
        rest = after;
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut is_first = true;
    loop {
        let end = memchr::memchr(b'\n', rest)?;
        let (line, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        let line = match line {
            [line @ .., b'\r'] => line,
            line if repair.needs(BareLineFeed) => line,
            _ => return None,
        };
        let text = match std::str::from_utf8(line) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) if repair.needs(Latin1) => line.iter().copied().map(char::from).collect(),
            Err(_) => return None,
        };
        let text = repair.controls(text, is_first);
        if is_first {
            out.extend_from_slice(repair.start_line(&text).as_bytes());
        } else {
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        if line.is_empty() && !is_first {
            out.extend_from_slice(rest);
            return Some((out, repair.needed));
        }
        is_first = false;
    }
}

impl Repair {
    /// A line with spaces for the control characters that may not stand in it; left as it is where
    /// that is not allowed.
    fn controls<'t>(&mut self, line: Cow<'t, str>, is_first: bool) -> Cow<'t, str> {
        let value = match memchr::memchr(b':', line.as_bytes()) {
            Some(colon) if !is_first => colon,
            _ => 0,
        };
        let behind = line.as_bytes().get(value..).unwrap_or_default();
        let places: Vec<_> = forbidden_controls(behind).collect();
        if places.is_empty() || !self.needs(ControlCharacters) {
            return line;
        }
        let mut line = line.into_owned();
        for place in places {
            line.replace_range(value + place..=value + place, " ");
        }
        Cow::Owned(line)
    }

    /// The start line; left as it is where it is good, or where what it needs is not allowed.
    fn start_line<'t>(&mut self, line: &'t str) -> Cow<'t, str> {
        if StartLine::parse(line).is_ok() {
            return Cow::Borrowed(line);
        }
        let words = line.trim_matches(BLANK);
        if words.len() < line.len() && !self.needs(SpacesInStartLine) {
            return Cow::Borrowed(line);
        }
        let repaired = match words.get(..4) {
            Some(front) if front.eq_ignore_ascii_case("SIP/") => self.status_line(words),
            _ => self.request_line(words),
        };
        let Some(repaired) = repaired else {
            return Cow::Borrowed(line);
        };
        // Only what is a start line now counts.
        if StartLine::parse(&repaired).is_ok() {
            Cow::Owned(repaired)
        } else {
            Cow::Borrowed(line)
        }
    }

    fn status_line(&mut self, line: &str) -> Option<String> {
        let (version, rest) = line.split_once(BLANK)?;
        let rest = rest.trim_start_matches(BLANK);
        let (code, phrase) = match rest.split_once(BLANK) {
            Some((code, phrase)) => (code, phrase),
            None if self.needs(NoReasonPhrase) => (rest, ""),
            None => return None,
        };
        let repaired = format!("{version} {code} {phrase}");
        let is_same = repaired.trim_end_matches(BLANK) == line;
        (is_same || self.needs(SpacesInStartLine)).then_some(repaired)
    }

    fn request_line(&mut self, line: &str) -> Option<String> {
        let (method, rest) = line.split_once(BLANK)?;
        let (uri, version) = rest.rsplit_once(BLANK)?;
        let mut uri = uri.trim_matches(BLANK).to_owned();
        if let Some(inner) = uri.strip_prefix('<').and_then(|uri| uri.strip_suffix('>'))
            && self.needs(BracketedRequestUri)
        {
            uri = inner.to_owned();
        }
        if uri.contains(BLANK) && self.needs(WhiteSpaceInUri) {
            uri.retain(|c| !BLANK.contains(&c));
        }
        let single_spaces = !line.contains('\t') && !line.contains("  ");
        (single_spaces || self.needs(SpacesInStartLine))
            .then(|| format!("{method} {uri} {version}"))
    }
}

const BLANK: [char; 2] = [' ', '\t'];
