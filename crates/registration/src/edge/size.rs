//! Whether a request still fits where it is going.

use sip_oauth_message::{Limits, Request};

/// Which limit a request exceeds when it is written, if one.
pub(super) fn excess(request: &Request, limits: &Limits) -> Option<&'static str> {
    let written = request.to_bytes();
    let head = written
        .get(..written.len().saturating_sub(request.body.len()))
        .unwrap_or_default();
    // What is short as a whole has no long line: the usual case is not looked through.
    let long_line = written.len() > limits.max_line_bytes
        && head
            .split(|&byte| byte == b'\n')
            .any(|line| line.strip_suffix(b"\r").unwrap_or(line).len() > limits.max_line_bytes);
    [
        (
            written.len() > limits.max_message_bytes,
            "the longest message",
        ),
        (head.len() > limits.max_header_bytes, "the longest head"),
        (
            request.body.len() > limits.max_body_bytes,
            "the longest body",
        ),
        (
            request.headers.len() > limits.max_header_fields,
            "the number of header fields",
        ),
        (long_line, "the longest line"),
    ]
    .into_iter()
    .find_map(|(exceeded, what)| exceeded.then_some(what))
}
