//! The span of one transaction.

use sip_oauth_message::{HeaderName, MessageView, Response, TypedHeader, header::Via};

/// A span that says which transaction what is inside belongs to: method, branch and Call-ID. Nothing is read where
/// nobody listens.
pub(crate) fn transaction_span(request: &MessageView<'_>) -> tracing::Span {
    tracing::info_span!(
        "transaction",
        method = request.method().map_or("", |method| method.as_str()),
        branch = branch(request).unwrap_or_default(),
        call_id = request
            .fields_named(HeaderName::CallId)
            .next()
            .map_or("", |field| field.value()),
    )
}

/// The same for a request that was answered without being read, by what its answer repeats of it.
pub(crate) fn answered_span(method: &str, answer: &Response) -> tracing::Span {
    let via = answer
        .headers
        .get("Via")
        .and_then(|via| Via::parse(via).ok());
    tracing::info_span!(
        "transaction",
        method,
        branch = via.and_then(|via| via.branch()).unwrap_or_default(),
        call_id = answer.headers.get("Call-ID").unwrap_or_default(),
    )
}

fn branch<'a>(request: &MessageView<'a>) -> Option<&'a str> {
    request.header::<Via<'a>>().ok()??.branch()
}
