//! What every answer repeats of its request (RFC 3261 section 8.2.6.2).

use std::net::SocketAddr;
use std::time::SystemTime;

use sip_oauth_message::header::{To, Via};
use sip_oauth_message::{HeaderName, Headers, MessageView, TypedHeader};

use crate::date::date;
use crate::entropy::Entropy;

/// Via, From, To with a tag, Date, Call-ID, Server, CSeq: Unified CM's order.
pub(crate) fn headers(
    request: &MessageView<'_>,
    peer: SocketAddr,
    now: SystemTime,
    server: Option<&str>,
    entropy: &mut dyn Entropy,
) -> Headers {
    let mut headers = Headers::new();
    push_vias(&mut headers, request, peer);
    push_copy(&mut headers, request, HeaderName::From);
    push_to(&mut headers, request, entropy);
    headers.push(HeaderName::Date, date(now));
    push_copy(&mut headers, request, HeaderName::CallId);
    if let Some(server) = server {
        headers.push(HeaderName::Server, server);
    }
    push_copy(&mut headers, request, HeaderName::CSeq);
    headers
}

fn push_copy(headers: &mut Headers, request: &MessageView<'_>, name: HeaderName<'_>) {
    if let Some(field) = request.fields_named(name).next() {
        headers.push(name, field.unfolded());
    }
}

/// Copies To, with a tag where it has none. Decimal digits, as the product writes its tags.
fn push_to(headers: &mut Headers, request: &MessageView<'_>, entropy: &mut dyn Entropy) {
    let Some(field) = request.fields_named(HeaderName::To).next() else {
        return;
    };
    match To::decode(field.value()) {
        Ok((to, _)) if to.tag().is_none() => {
            headers.push(
                HeaderName::To,
                format_args!("{};tag={}", field.unfolded(), entropy.next_u32()),
            );
        }
        Ok(_) | Err(_) => headers.push(HeaderName::To, field.unfolded()),
    }
}

/// Copies the Via fields; the topmost tells where the request came from, if it says otherwise or asks
/// (RFC 3261 section 18.2.1, RFC 3581 section 4).
fn push_vias(headers: &mut Headers, request: &MessageView<'_>, peer: SocketAddr) {
    for (index, field) in request.fields_named(HeaderName::Via).enumerate() {
        let top = (index == 0)
            .then(|| Via::decode(field.value()).ok())
            .flatten();
        match top {
            Some((via, rest)) if via.host().ip() != Some(peer.ip()) || via.rport().is_some() => {
                headers.push(HeaderName::Via, via.received_from(peer));
                if !rest.is_empty() {
                    headers.push(HeaderName::Via, rest);
                }
            }
            Some(_) | None => headers.push(HeaderName::Via, field.unfolded()),
        }
    }
}
