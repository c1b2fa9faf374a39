//! The promises of SIP messages and their parts.

use sip_oauth_message::multipart::{Multipart, parts};
use sip_oauth_message::remotecc::{RegisterBody, ResponseBody};
use sip_oauth_message::{
    Challenge, Credentials, Frame, Framer, Headers, Host, Leniencies, Limits, MessageView, Parser,
    TypedHeader, Uri, check, header,
};

/// No question about a message that was read panics: every header field, the second check, the body.
pub fn message(data: &[u8]) {
    let limits = Limits::default();
    let Ok(view) = MessageView::parse(data, &limits) else {
        return;
    };
    let _ = format!("{view:?}");
    let _ = (view.method(), view.status(), view.trailing());
    for field in view.fields() {
        assert!(field.offset() + field.value().len() <= data.len());
        let _ = (field.unfolded(), format!("{field:?}"));
        let _ = header::check_value(field.name(), field.value());
    }
    if let Some(line) = view.as_request() {
        let _ = line.request_uri();
    }
    use_header_fields(&view);
    for element in [check::Element::SERVER, check::Element::PROXY, UAS] {
        let _ = check::strict(&view, &element);
        let _ = check::unsupported(&view, &element);
        if let Err(refusal) = check::register(&view, &element) {
            let mut headers = view.to_headers();
            refusal.push_headers(&view, &element, &mut headers);
            let _ = (refusal.to_string(), refusal.reason());
        }
    }
    let sent_by = [(Host::parse("192.0.2.1").expect("an address"), None)];
    let recipient = check::Recipient {
        forwards: true,
        sent_by: &sent_by,
    };
    let _ = check::response(&view, &recipient);
    let kind = view.header::<header::ContentType<'_>>();
    if let Ok(Some(boundary)) = kind.map(|kind| kind.and_then(|kind| kind.boundary())) {
        let _ = parts(&boundary, view.body(), &limits).count();
    }
    let kind = view.to_headers();
    let _ = RegisterBody::decode(
        kind.get("Content-Type").unwrap_or_default(),
        view.body(),
        &limits,
    );
    let _ = ResponseBody::decode(view.body());
}

const UAS: check::Element<'static> = check::Element {
    media_types: &["application/sdp", "multipart/*"],
    answers: &["application/sdp"],
    ..check::Element::SERVER
};

/// The accessors that are more than a field.
fn use_header_fields(view: &MessageView<'_>) {
    for contact in view.all::<header::Contact<'_>>().flatten() {
        let _ = (contact.q(), contact.expires(), contact.instance());
        let _ = (
            contact.device_name(),
            contact.model(),
            contact.display_name(),
        );
        if let Some(uri) = contact.uri() {
            assert!(uri.equivalent(&uri));
        }
    }
    for via in view.all::<header::Via<'_>>().flatten() {
        let _ = (
            via.rport(),
            via.received_ip(),
            via.branch(),
            via.transport(),
        );
        let source = ([192, 0, 2, 1], 5060).into();
        let written = via.received_from(source).to_string();
        let again = header::Via::parse(&written).expect("what a server writes can be read");
        assert!(again.host() == via.host());
    }
    for reason in view.all::<header::Reason<'_>>().flatten() {
        let _ = (reason.cause(), reason.text());
        if let Some(alarm) = reason.cisco_alarm() {
            let _ = (alarm.to_string(), alarm.to_reason());
        }
    }
    for accept in view.all::<header::Accept<'_>>().flatten() {
        let _ = (accept.q(), accept.matches("application", "sdp"));
    }
    for retry in view.all::<header::RetryAfter<'_>>().flatten() {
        let _ = (retry.duration(), retry.comment());
    }
    for session in view.all::<header::SessionId<'_>>().flatten() {
        let _ = session.remote();
    }
}

/// What is written from a message reads back as the same: byte for byte where Content-Length tells the truth.
pub fn message_round_trip(data: &[u8]) {
    let limits = Limits {
        // What is written may have a Content-Length that was not there.
        max_message_bytes: usize::MAX,
        max_header_bytes: usize::MAX,
        max_header_fields: usize::MAX,
        ..Limits::default()
    };
    let Ok(view) = MessageView::parse(data, &limits) else {
        return;
    };
    let written = match (view.to_request(), view.to_response()) {
        (Some(request), None) => request.to_bytes(),
        (None, Some(response)) => response.to_bytes(),
        both => panic!("a message is a request or a response, not {both:?}"),
    };
    if view.content_length() == u32::try_from(view.body().len()).ok() {
        let whole = data.len() - view.trailing();
        assert_eq!(Some(written.as_slice()), data.get(..whole));
    }
    let again = MessageView::parse(&written, &limits).expect("what was written can be read");
    assert_eq!(view.start_line(), again.start_line());
    assert_eq!(view.body(), again.body());
    let fields = |view: &MessageView<'_>| {
        view.fields()
            .filter(|field| field.name() != header::ContentLength::NAME)
            .map(|field| (field.name_text().to_owned(), field.value().to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&view), fields(&again));
}

/// A value that was read is written as one that reads as equal. The first line is the name of the field.
pub fn headers(data: &[u8]) {
    let Some((name, value)) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| text.split_once('\n'))
    else {
        return;
    };
    let message = format!("OPTIONS sip:h SIP/2.0\r\n{name}: {value}\r\n\r\n");
    let Ok(view) = MessageView::parse(message.as_bytes(), &Limits::default()) else {
        return;
    };
    macro_rules! each {
        ($($name:ident $(<$lifetime:lifetime>)?),+ $(,)?) => {$(
            for value in view.all::<header::$name $(<$lifetime>)?>().flatten() {
                let written = value.to_string();
                let again = <header::$name $(<$lifetime>)?>::parse(&written);
                assert_eq!(again, Ok(value.clone()), "{written:?}");
                let mut headers = Headers::new();
                headers.push_typed(&value);
                let again = headers.header::<header::$name $(<$lifetime>)?>();
                assert_eq!(again, Ok(Some(value)), "on one line");
            }
        )+};
    }
    sip_oauth_message::each_header!(each);
    let own = view.all::<header::Authorization<'_>>().flatten();
    let proxy = view.all::<header::ProxyAuthorization<'_>>().flatten();
    for credentials in own.map(|h| h.0).chain(proxy.map(|h| h.0)) {
        let _ = format!("{credentials:?}");
    }
}

/// A multipart body that was read is written as one that reads as equal. The first line is the boundary.
pub fn multipart(data: &[u8]) {
    let limits = Limits::default();
    let Some(at) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (boundary, rest) = data.split_at(at);
    let (Ok(boundary), Some(body)) = (std::str::from_utf8(boundary), rest.get(1..)) else {
        return;
    };
    let read: Result<Vec<_>, _> = parts(boundary, body, &limits).collect();
    let owned = Multipart::parse(boundary, body, &limits);
    assert_eq!(read.is_ok(), owned.is_ok());
    let (Ok(read), Ok(owned)) = (read, owned) else {
        return;
    };
    for part in &read {
        let _ = (part.content_type(), part.content_disposition());
        let _ = format!("{part:?}");
    }
    let written = owned.to_bytes().expect("what was read can be written");
    assert_eq!(Multipart::parse(boundary, &written, &limits), Ok(owned));
}

/// A good message needs no leniency, and what was repaired is good.
pub fn leniency(data: &[u8]) {
    let limits = Limits::default();
    let parser = Parser::new(limits).with_leniencies(Leniencies::ALL);
    let mut copy = Vec::new();
    let strict = MessageView::parse(data, &limits);
    let Ok(reading) = parser.parse(data, &mut copy) else {
        assert!(strict.is_err(), "a leniency refuses nothing");
        return;
    };
    let relaxed = reading.relaxed;
    if relaxed.is_empty() {
        assert!(strict.is_ok(), "what is not good needs a leniency");
        assert!(copy.is_empty());
        return;
    }
    MessageView::parse(&copy, &limits).expect("what was repaired is good");
    let mut again = Vec::new();
    let reading = parser.parse(&copy, &mut again);
    let reading = reading.expect("what was repaired is good");
    assert!(reading.relaxed.is_empty(), "{relaxed:?}, then {reading:?}");
}

/// A stream gives the same frames however it is cut.
pub fn framer(data: &[u8]) {
    let Some((&step, stream)) = data.split_first() else {
        return;
    };
    for framer in [
        || Framer::new(Limits::default()),
        || Framer::for_client(Limits::default()),
        || Framer::new(Limits::default()).with_leniencies(Leniencies::ALL),
    ] {
        let whole = frames(framer(), stream, stream.len().max(1));
        assert_eq!(whole, frames(framer(), stream, usize::from(step).max(1)));
        assert_eq!(whole, frames(framer(), stream, 1));
    }
    let Ok(view) = MessageView::parse(stream, &Limits::default()) else {
        return;
    };
    let mut lengths = view.all::<header::ContentLength>();
    let length = u32::try_from(view.body().len()).ok();
    let is_true = |found: Result<header::ContentLength, _>| found.ok().map(|n| n.0) == length;
    if view.content_length().is_some() && lengths.all(is_true) && view.trailing() == 0 {
        let (found, error) = frames(Framer::new(Limits::default()), stream, stream.len());
        assert_eq!(
            (found, error),
            (vec![stream.to_vec()], None),
            "a datagram is a frame"
        );
    }
}

/// The frames of a stream fed `step` bytes at a time, and the error at its end, if any.
fn frames(mut framer: Framer, stream: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<String>) {
    let mut found = Vec::new();
    for piece in stream.chunks(step) {
        framer.feed(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => found.push(bytes.to_vec()),
                Ok(Some(Frame::KeepAlivePing)) => found.push(b"ping".to_vec()),
                Ok(Some(Frame::KeepAlivePong)) => found.push(b"pong".to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next_frame(), Err(error), "lost framing stays lost");
                    return (found, Some(error.to_string()));
                }
            }
        }
    }
    (found, None)
}

/// A token never shows in what is printed, and a header written from credentials reads back as the same token.
pub fn bearer(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(challenge) = Challenge::parse(text) {
        let written = challenge.to_string();
        let again = Challenge::parse(&written).expect("what was written can be read");
        assert_eq!(again.to_string(), written);
    }
    let Ok(credentials) = Credentials::parse(text) else {
        return;
    };
    let printed = format!("{credentials:?}");
    assert_printed_by_length(&printed, &credentials);
    if let Credentials::Bearer(bearer) = credentials {
        let token = bearer.expose();
        assert!(!token.is_empty(), "an empty token is refused");
        let value = bearer.to_header_value();
        let Ok(Credentials::Bearer(again)) = Credentials::parse(value.expose()) else {
            panic!("what was written can be read");
        };
        assert_eq!(again.expose(), token);
    }
    let passed_on = credentials.to_header_value();
    let again = Credentials::parse(passed_on.expose()).expect("what was passed on can be read");
    assert_eq!(again.to_header_value(), passed_on);
}

/// Whatever the scheme, lengths are all that is printed of credentials, and a scheme that is known.
fn assert_printed_by_length(printed: &str, credentials: &Credentials<'_>) {
    let expected = match credentials {
        Credentials::Bearer(bearer) => format!("Bearer <{} bytes>", bearer.expose().len()),
        Credentials::Digest(digest) => format!("Digest <{} bytes>", digest.expose().as_str().len()),
        Credentials::Other(other) => {
            let (scheme, length) = (other.scheme(), other.expose().len());
            // No name of a scheme is longer than SCRAM-SHA-256.
            let is_name = scheme.len() <= 13 && !printed.starts_with('<');
            let scheme = if is_name {
                printed.split(' ').next().unwrap_or_default().to_owned()
            } else {
                format!("<{} bytes>", scheme.len())
            };
            format!("{scheme} <{length} bytes>")
        }
    };
    assert_eq!(printed, expected, "credentials are never printed");
}

/// A URI that was read is written as it stood, and is equal to itself.
pub fn uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(uri) = Uri::parse(text) else {
        return;
    };
    let written = uri.to_string();
    let again = Uri::parse(&written).expect("what was written can be read");
    assert_eq!(written, text, "a URI is written as it was read");
    assert!(uri.equivalent(&again) && again.equivalent(&uri));
    let _ = (uri.user_unescaped(), uri.password(), uri.port());
    let _ = uri.host().map(|host| (host.ip(), host.to_string()));
    for (name, value) in uri.params().iter() {
        assert!(uri.params().contains(name) && (value.is_none() || !name.is_empty()));
    }
    let _ = uri.headers().iter().count();
}
