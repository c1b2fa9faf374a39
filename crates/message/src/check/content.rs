//! The body of a request: RFC 3261 section 8.2.3, and section 21.4.7 for that of the answer.

use super::{Cause, Element};
use crate::header::{Accept, ContentDisposition, ContentType, QValue};
use crate::{HeaderName, Limits, MessageView, multipart};

/// How deep multipart bodies are looked into. Deeper ones are not understood.
const MAX_DEPTH: usize = 4;

/// The body was bounded in bytes when the message was read, by limits that are not known here.
const LIMITS: Limits = Limits {
    max_message_bytes: usize::MAX,
    max_line_bytes: usize::MAX,
    max_header_bytes: usize::MAX,
    max_header_fields: 64,
    max_body_bytes: usize::MAX,
    max_parts: 64,
};

pub(super) fn check(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Cause> {
    if !view.body().is_empty() && !element.media_types.is_empty() {
        body(view, element)?;
    }
    answer(view, element)
}

fn body(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Cause> {
    let disposition: Option<ContentDisposition<'_>> = view.header().map_err(Cause::Malformed)?;
    if disposition.is_some_and(|disposition| disposition.is_optional()) {
        return Ok(());
    }
    let mut encodings = view.fields_named(HeaderName::ContentEncoding);
    if encodings.any(|field| !field.value().eq_ignore_ascii_case("identity")) {
        return Err(Cause::Encoding);
    }
    // "If there is a body, Content-Type MUST be present" (section 20.15).
    let Some(kind) = view.header().map_err(Cause::Malformed)? else {
        return Err(Cause::Missing(HeaderName::ContentType));
    };
    if is_understood(kind, view.body(), element, MAX_DEPTH) {
        Ok(())
    } else {
        Err(Cause::MediaType)
    }
}

/// A multipart body is understood where its type is, and where all its parts are that are not
/// optional; of `multipart/alternative`, where one is (RFC 5621 section 3.1).
fn is_understood(kind: ContentType<'_>, body: &[u8], element: &Element<'_>, depth: usize) -> bool {
    if !is_known(element, kind.main_type(), kind.sub_type()) {
        return false;
    }
    if !kind.main_type().eq_ignore_ascii_case("multipart") {
        return true;
    }
    let (Some(boundary), Some(depth)) = (kind.boundary(), depth.checked_sub(1)) else {
        return false;
    };
    let is_part_understood = |part: &multipart::Part<'_>| {
        let disposition = part.content_disposition();
        if disposition.is_ok_and(|found| found.is_some_and(|found| found.is_optional())) {
            return true;
        }
        match part.content_type() {
            Ok(Some(kind)) => is_understood(kind, part.body(), element, depth),
            // "Content-Type: text/plain; charset=us-ascii" is meant (RFC 2046 section 5.2).
            Ok(None) => is_known(element, "text", "plain"),
            Err(_) => false,
        }
    };
    let one_is_enough = kind.sub_type().eq_ignore_ascii_case("alternative");
    let mut is_understood = !one_is_enough;
    // To the end, since a part that breaks the grammar spoils them all; one part is held at a time.
    for part in multipart::parts(&boundary, body, &LIMITS) {
        let Ok(part) = part else {
            return false;
        };
        let is_this = is_part_understood(&part);
        is_understood = if one_is_enough {
            is_understood || is_this
        } else {
            is_understood && is_this
        };
    }
    is_understood
}

/// Whether the element lists the type, or all of its main type.
fn is_known(element: &Element<'_>, main: &str, sub: &str) -> bool {
    element.media_types.iter().any(|known| {
        let (known_main, known_sub) = known.split_once('/').unwrap_or((known, "*"));
        known_main.eq_ignore_ascii_case(main)
            && (known_sub == "*" || known_sub.eq_ignore_ascii_case(sub))
    })
}

/// "The resource identified by the request is only capable of generating response entities that
/// have content characteristics not acceptable according to the Accept header field".
fn answer(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Cause> {
    if element.answers.is_empty() {
        return Ok(());
    }
    let accept = view.all::<Accept<'_>>().collect::<Result<Vec<_>, _>>();
    let accept = accept.map_err(Cause::Malformed)?;
    // "If more than one media range applies to a given type, the most specific reference has precedence"
    // (RFC 2616 section 14.1, to which section 20.1 sends).
    let is_accepted = |answer: &&str| {
        let (main, sub) = answer.split_once('/').unwrap_or((answer, "*"));
        let ranges = accept.iter().filter_map(|accept| {
            let specific = accept.range()?.specificity(main, sub)?;
            Some((specific, accept.q()))
        });
        ranges.max().is_some_and(|(_, q)| q > QValue::ZERO)
    };
    if accept.is_empty() || element.answers.iter().any(is_accepted) {
        Ok(())
    } else {
        Err(Cause::Accept)
    }
}
