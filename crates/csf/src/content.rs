//! The content of an element without child elements: its text, and the comments and processing instructions in it.

use std::ops::Range;

use crate::xml::{WHITE_SPACE, trim};
use crate::xml_writer::escape_text;

/// The part of `content` that a new text takes the place of, and what then stands there.
///
/// Comments and processing instructions stay, in their order; so does the white space around the old text, unless the new
/// one is empty or brings white space of its own.
pub(crate) fn replacement(content: &str, text: &str) -> (Range<usize>, String) {
    let is_exact = text.is_empty() || trim(text) != text;
    let kept = kept(content);
    let gaps = std::iter::once(0)
        .chain(kept.iter().map(|kept| kept.end))
        .zip(kept.iter().map(|kept| kept.start).chain([content.len()]));
    let mut runs = gaps
        .map(|(start, end)| {
            let run = content.get(start..end).unwrap_or_default();
            let from = if is_exact {
                run
            } else {
                run.trim_start_matches(WHITE_SPACE)
            };
            let start = end - from.len();
            let len = if is_exact { from } else { trim(from) }.len();
            start..start + len
        })
        .filter(|run| !run.is_empty());
    let mut replacement = escape_text(text).into_owned();
    let Some(first) = runs.next() else {
        // Blanks alone are the text; beside a comment they are its setting.
        let end = if kept.is_empty() { content.len() } else { 0 };
        return (0..end, replacement);
    };
    let replaced = first.start..runs.last().unwrap_or(first).end;
    for kept in kept {
        if replaced.contains(&kept.start) {
            replacement.push_str(content.get(kept).unwrap_or_default());
        }
    }
    (replaced, replacement)
}

/// Where comments and processing instructions stand. The reader has accepted the content, so each of them ends.
fn kept(content: &str) -> Vec<Range<usize>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(found) = content.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + found;
        let rest = content.get(start..).unwrap_or_default();
        let (begin, end) = if rest.starts_with("<!--") {
            ("<!--", "-->")
        } else if rest.starts_with("<?") {
            ("<?", "?>")
        } else {
            ("<![CDATA[", "]]>")
        };
        // Behind the beginning: `<!-->` ends no comment.
        let inner = start + begin.len();
        at = content
            .get(inner..)
            .and_then(|rest| rest.find(end))
            .map_or(content.len(), |found| inner + found + end.len());
        if end != "]]>" {
            kept.push(start..at);
        }
    }
    kept
}
