//! Requests: RFC 3261 sections 8.1.1, 8.2, 10.3, 16.3 and 18.3.

use super::{
    Cause, Element, Refusal, content, is_cut_short, required, requires_nothing, unsupported,
};
use crate::header::{
    CSeq, CallId, Contact, Expires, From, MaxForwards, ProxyRequire, Require, To, Via,
};
use crate::{ErrorKind, HeaderName, MessageView, Method, ParseError, Scheme, StatusCode};

/// Checks a request as RFC 3261 sections 8.2 and 16.3 have it.
///
/// Requests without From tag, Max-Forwards or the `z9hG4bK` of a branch come from RFC 2543 and
/// are let through (sections 12.1.1, 16.3 and 17.2.3); [`strict`] refuses the first two.
///
/// # Errors
///
/// The first reason to refuse, with the status code to answer. Responses are never refused; they
/// are for [`response`](super::response).
///
/// ```
/// use sip_oauth_message::{check, Limits, MessageView, StatusCode};
/// let bytes = b"OPTIONS sip:ucm.example.com SIP/2.0\r\n\
///     Via: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\n\
///     From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n\
///     Call-ID: 1\r\nCSeq: 8 INVITE\r\nMax-Forwards: 70\r\n\r\n";
/// let view = MessageView::parse(bytes, &Limits::default())?;
/// let refusal = check::request(&view, &check::Element::SERVER).unwrap_err();
/// assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
/// assert_eq!(refusal.reason(), "Bad Request (the method of CSeq is another)");
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
pub fn request(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Refusal> {
    checked(view, element).map_err(refusal)
}

/// As [`request`], and refuses what RFC 3261 has as mandatory but RFC 2543 did not know,
/// Max-Forwards and the tag of From; what one method needs, such as the Contact of an INVITE; a body of no type; and
/// every header field of [`header`](crate::header) that stands more often than it may.
///
/// # Errors
///
/// The first reason to refuse.
pub fn strict(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Refusal> {
    request(view, element)?;
    if view.as_request().is_none() {
        return Ok(());
    }
    required::<MaxForwards>(view, false).map_err(refusal)?;
    let from: From<'_> = required(view, false).map_err(refusal)?;
    if from.tag().is_none() {
        return Err(refusal(Cause::FromTag));
    }
    let method = view.method();
    for (needs, name) in NEEDED {
        if method == Some(&needs) && view.fields_named(name).next().is_none() {
            return Err(refusal(Cause::Missing(name)));
        }
    }
    // "The Content-Type header field MUST be present if the body is not empty" (section 20.15). No proxy looks at it.
    let kinds = view.fields_named(HeaderName::ContentType);
    if !element.forwards && !view.body().is_empty() && kinds.count() == 0 {
        return Err(refusal(Cause::Missing(HeaderName::ContentType)));
    }
    for name in SINGLE {
        if view.fields_named(name).nth(1).is_some() {
            return Err(refusal(Cause::Repeated(name)));
        }
    }
    Ok(())
}

/// What requests of one method must have: RFC 3261 section 8.1.1.8, RFC 3515 section 2.4.1, RFC 6665 sections 8.2.1.
const NEEDED: [(Method<'static>, HeaderName<'static>); 4] = [
    (Method::Invite, HeaderName::Contact),
    (Method::Refer, HeaderName::ReferTo),
    (Method::Subscribe, HeaderName::Event),
    (Method::Notify, HeaderName::Event),
];

/// Header fields that are no list, so that a second one has no meaning (RFC 3261 section 7.3.1).
/// Those of every request are checked one by one.
const SINGLE: [HeaderName<'static>; 22] = [
    HeaderName::ContentDisposition,
    HeaderName::ContentId,
    HeaderName::ContentLength,
    HeaderName::ContentType,
    HeaderName::Date,
    HeaderName::Event,
    HeaderName::Expires,
    HeaderName::FlowTimer,
    HeaderName::MimeVersion,
    HeaderName::MinExpires,
    HeaderName::Organization,
    HeaderName::Priority,
    HeaderName::ReferTo,
    HeaderName::ReferredBy,
    HeaderName::ReplyTo,
    HeaderName::RetryAfter,
    HeaderName::Server,
    HeaderName::SessionExpires,
    HeaderName::SessionId,
    HeaderName::Subject,
    HeaderName::Timestamp,
    HeaderName::UserAgent,
];

/// As [`request`], and what a registrar refuses before it looks for the user: an address-of-record
/// that is no SIP URI, and `Contact: *` that does not stand alone with `Expires: 0` (RFC 3261
/// section 10.3 steps 5 and 6).
///
/// # Errors
///
/// The first reason to refuse. Requests of other methods are only checked as [`request`] does.
pub fn register(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Refusal> {
    request(view, element)?;
    if view.method() == Some(&Method::Register) {
        registration(view).map_err(refusal)?;
    }
    Ok(())
}

fn registration(view: &MessageView<'_>) -> Result<(), Cause> {
    let to: To<'_> = required(view, false)?;
    if !to.uri().is_sip() {
        return Err(Cause::AddressOfRecord);
    }
    let (mut contacts, mut has_star) = (0, false);
    for contact in view.all::<Contact<'_>>() {
        has_star |= contact.map_err(Cause::Malformed)? == Contact::Star;
        contacts += 1;
    }
    if has_star {
        let expires: Option<Expires> = view.header().map_err(Cause::Malformed)?;
        if contacts > 1 || expires != Some(Expires(0)) {
            return Err(Cause::Wildcard);
        }
    }
    Ok(())
}

fn checked(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Cause> {
    let Some(line) = view.as_request() else {
        return Ok(());
    };
    if !line.version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Cause::Version);
    }
    required::<Via<'_>>(view, true)?;
    required::<From<'_>>(view, false)?;
    required::<To<'_>>(view, false)?;
    required::<CallId<'_>>(view, false)?;
    let cseq: CSeq<'_> = required(view, false)?;
    if *cseq.method() != line.method {
        return Err(Cause::CSeqMethod);
    }
    if is_cut_short(view) {
        return Err(Cause::ContentLength);
    }
    max_forwards(view, element)?;
    match line.request_uri() {
        Err(error) => return Err(Cause::RequestUri(error)),
        Ok(uri) if matches!(uri.scheme(), Scheme::Other(_)) => return Err(Cause::Scheme),
        Ok(uri) if uri.is_sip() && !uri.headers().is_empty() => {
            let what = "a Request-URI without header fields";
            // From the start of the line, as all errors of the Request-URI; at the question mark.
            let before = line.uri.len() - uri.headers().as_str().len() - "?".len();
            let at = line.method.as_str().len() + " ".len() + before;
            return Err(Cause::RequestUri(ParseError::new(ErrorKind::Uri, at, what)));
        }
        Ok(_) => {}
    }
    if !element.forwards {
        method(&line.method, element)?;
    }
    extensions(view, element)?;
    if !element.forwards {
        content::check(view, element)?;
    }
    Ok(())
}

fn max_forwards(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Cause> {
    if view.fields_named(HeaderName::MaxForwards).next().is_none() {
        return Ok(());
    }
    let hops: MaxForwards = required(view, false)?;
    if element.forwards && hops.0 == 0 {
        return Err(Cause::MaxForwards);
    }
    Ok(())
}

fn method(method: &Method<'_>, element: &Element<'_>) -> Result<(), Cause> {
    match method {
        known if element.methods.is_empty() || element.methods.contains(known) => Ok(()),
        // Nobody could be told: it is not answered.
        Method::Ack => Ok(()),
        Method::Other(_) => Err(Cause::MethodUnknown),
        _ => Err(Cause::MethodNotAllowed),
    }
}

fn extensions(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Cause> {
    if requires_nothing(view) {
        return Ok(());
    }
    let fields = if element.forwards {
        view.all::<ProxyRequire<'_>>().find_map(Result::err)
    } else {
        view.all::<Require<'_>>().find_map(Result::err)
    };
    match fields {
        Some(error) => Err(Cause::Malformed(error)),
        None if unsupported(view, element).is_empty() => Ok(()),
        None => Err(Cause::Extensions),
    }
}

/// The status code that goes with a cause.
const fn refusal(cause: Cause) -> Refusal {
    let status = match cause {
        Cause::Version => StatusCode::VERSION_NOT_SUPPORTED,
        Cause::Scheme => StatusCode::UNSUPPORTED_URI_SCHEME,
        Cause::MaxForwards => StatusCode::TOO_MANY_HOPS,
        Cause::Extensions => StatusCode::BAD_EXTENSION,
        Cause::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Cause::MethodUnknown => StatusCode::NOT_IMPLEMENTED,
        Cause::MediaType | Cause::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Cause::Accept => StatusCode::NOT_ACCEPTABLE,
        Cause::RequestUri(_)
        | Cause::Missing(_)
        | Cause::Repeated(_)
        | Cause::Malformed(_)
        | Cause::CSeqMethod
        | Cause::FromTag
        | Cause::ContentLength
        | Cause::AddressOfRecord
        | Cause::Wildcard
        // Of responses, which are not answered.
        | Cause::NotOurs
        | Cause::SeveralVias
        | Cause::Broadcast => StatusCode::BAD_REQUEST,
    };
    Refusal { status, cause }
}
