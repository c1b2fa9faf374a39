//! The span of one transaction.

use sip_oauth_message::{HeaderName, MessageView, header::Via};

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

fn branch<'a>(request: &MessageView<'a>) -> Option<&'a str> {
    request.header::<Via<'a>>().ok()??.branch()
}
