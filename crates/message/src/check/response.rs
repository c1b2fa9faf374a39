//! Responses: RFC 3261 sections 8.1.3.3, 18.1.2 and 18.3.

use std::net::IpAddr;

use super::{Cause, is_cut_short, required};
use crate::header::{CSeq, CallId, From, To, Via};
use crate::{Host, MessageView};

/// Who gets a response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipient<'s> {
    /// Whether it would send the response on to the Via below its own.
    pub forwards: bool,
    /// What it writes as sent-by into its own Via, host and port. Empty for any.
    pub sent_by: &'s [(Host<'s>, Option<u16>)],
}

/// Checks a response. One that fails is dropped: there is nobody to answer.
///
/// # Errors
///
/// The first reason to drop it. Requests are never dropped; they are for
/// [`request`](super::request).
///
/// ```
/// use sip_oauth_message::{check::{self, Cause, Recipient}, Limits, MessageView};
/// let bytes = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\n\
///     Via: SIP/2.0/TLS 192.0.2.8;branch=z9hG4bK2\r\n\
///     From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=2\r\n\
///     Call-ID: 1\r\nCSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n";
/// let view = MessageView::parse(bytes, &Limits::default())?;
/// let client = Recipient { forwards: false, sent_by: &[] };
/// assert_eq!(check::response(&view, &client), Err(Cause::SeveralVias));
/// assert_eq!(check::response(&view, &Recipient { forwards: true, ..client }), Ok(()));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
pub fn response(view: &MessageView<'_>, recipient: &Recipient<'_>) -> Result<(), Cause> {
    let Some(line) = view.as_response() else {
        return Ok(());
    };
    if !line.version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Cause::Version);
    }
    let top: Via<'_> = required(view, true)?;
    required::<From<'_>>(view, false)?;
    required::<To<'_>>(view, false)?;
    required::<CallId<'_>>(view, false)?;
    required::<CSeq<'_>>(view, false)?;
    // "If the transport packet ends before the end of the message body ... it MUST be discarded"
    if is_cut_short(view) {
        return Err(Cause::ContentLength);
    }
    let own = |(host, port): &(Host<'_>, Option<u16>)| *host == top.host() && *port == top.port();
    if !recipient.sent_by.is_empty() && !recipient.sent_by.iter().any(own) {
        return Err(Cause::NotOurs);
    }
    match view.all::<Via<'_>>().nth(1) {
        Some(_) if !recipient.forwards => Err(Cause::SeveralVias),
        Some(Ok(next)) if is_for_many(&next) => Err(Cause::Broadcast),
        _ => Ok(()),
    }
}

/// Where the response would go: `received` before sent-by (section 18.2.2).
fn is_for_many(via: &Via<'_>) -> bool {
    match via.received_ip().or_else(|| via.host().ip()) {
        Some(IpAddr::V4(ip)) => ip.is_broadcast() || ip.is_multicast(),
        Some(IpAddr::V6(ip)) => ip.is_multicast(),
        None => false,
    }
}
