//! One promise a target, as plain functions: the fuzzer feeds them, and `tests/replay.rs` feeds them the seeds.
//!
//! A function panics when its promise is broken, and returns whatever else it is given.

// A panic is how a fuzz target says that its promise is broken.
#![allow(clippy::missing_panics_doc, clippy::panic)]

pub mod csf;
pub mod registration;

use std::fmt::{Debug, Display};
use std::time::{Duration, SystemTime};

use sip_oauth_axl::Call;
use sip_oauth_message::{
    Challenge, Credentials, Frame, Framer, Limits, MessageView, Request, TypedHeader, Uri, header,
    multipart,
};
use sip_oauth_token::{KeySet, Policy, Verifier};
use sip_oauth_trust::{AllowedNames, AllowedRow, Identities};

/// A parser's promise, to be held for any bytes.
pub type Promise = fn(&[u8]);

/// Every target by its name, which is also that of its folder of seeds.
pub const TARGETS: &[(&str, Promise)] = &[
    ("allowed_names", allowed_names),
    ("axl", axl),
    ("bearer", bearer),
    ("certificate_identity", certificate_identity),
    ("device_xml", csf::device_xml),
    ("device_xml_edit", csf::device_xml_edit),
    ("device_xml_round_trip", csf::device_xml_round_trip),
    ("framer", framer),
    ("message", message),
    ("registration", registration::registration),
    ("token", token),
    ("uri", uri),
];

/// Whatever is accepted can be read to its last header, and what is written from it reads back as the same.
pub fn message(data: &[u8]) {
    let limits = Limits::default();
    let Ok(view) = MessageView::parse(data, &limits) else {
        return;
    };
    read_every_header(&view);
    let mut written = Vec::new();
    match (view.to_request(), view.to_response()) {
        (Some(request), None) => request.encode(&mut written),
        (None, Some(response)) => response.encode(&mut written),
        both => panic!("a message is a request or a response, not {both:?}"),
    }
    let again = MessageView::parse(&written, &limits).expect("what was written can be read");
    assert_eq!(view.body(), again.body());
    let count = |view: &MessageView<'_>| {
        let content_length = view
            .fields()
            .filter(|field| field.name() == header::ContentLength::NAME)
            .count();
        view.fields().count() - content_length
    };
    assert_eq!(
        count(&view),
        count(&again),
        "no field is lost or won but Content-Length"
    );
}

fn read_every_header(view: &MessageView<'_>) {
    fn read<'a, H: TypedHeader<'a> + Display + Debug>(view: &MessageView<'a>) {
        for value in view.all::<H>().flatten() {
            let _ = (value.to_string(), format!("{value:?}"));
        }
    }
    macro_rules! read_all {
        ($($name:ident),+ $(,)?) => { $(read::<header::$name<'_>>(view);)+ };
    }
    read_all!(
        Allow,
        CallId,
        Contact,
        ContentDisposition,
        ContentType,
        Date,
        Event,
        From,
        Path,
        ProxyAuthenticate,
        ProxyRequire,
        Reason,
        RecordRoute,
        ReferTo,
        Require,
        RetryAfter,
        Route,
        Server,
        ServiceRoute,
        SessionId,
        Supported,
        To,
        Unsupported,
        UserAgent,
        Via,
        Warning,
        WwwAuthenticate,
    );
    let _ = view.header::<header::CSeq<'_>>();
    let _ = view.header::<header::ContentLength>();
    let _ = view.header::<header::Expires>();
    let _ = view.header::<header::MaxForwards>();
    let _ = view.header::<header::MimeVersion>();
    let _ = view.header::<header::MinExpires>();
    let _ = view.header::<header::Authorization<'_>>();
    let _ = view.header::<header::ProxyAuthorization<'_>>();
    if let Ok(Some(content_type)) = view.header::<header::ContentType<'_>>()
        && let Some(boundary) = content_type.boundary()
    {
        let _ = multipart::parts(boundary, view.body(), &Limits::default()).count();
    }
    if let Some(request) = view.to_request() {
        let _: Request = request.clone();
        let _ = format!("{request:?}");
    }
}

/// A stream gives the same frames however it is cut.
pub fn framer(data: &[u8]) {
    let Some((&step, stream)) = data.split_first() else {
        return;
    };
    let whole = frames(stream, stream.len().max(1));
    assert_eq!(whole, frames(stream, usize::from(step).max(1)));
    assert_eq!(whole, frames(stream, 1));
}

/// The frames of a stream fed `step` bytes at a time, and the error at its end, if any.
fn frames(stream: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<String>) {
    let mut framer = Framer::new(Limits::default());
    let mut found = Vec::new();
    for piece in stream.chunks(step) {
        framer.feed(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => found.push(bytes.to_vec()),
                Ok(Some(Frame::KeepAlivePing)) => found.push(b"ping".to_vec()),
                Ok(Some(Frame::KeepAlivePong)) => found.push(b"pong".to_vec()),
                Ok(None) => break,
                Err(error) => return (found, Some(error.to_string())),
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
    if let Credentials::Bearer(bearer) = credentials {
        let token = bearer.expose();
        assert!(!token.is_empty(), "an empty token is refused");
        assert!(
            token.len() < 8 || !printed.contains(token),
            "a token is never printed"
        );
        let value = bearer.to_header_value();
        let Ok(Credentials::Bearer(again)) = Credentials::parse(value.expose()) else {
            panic!("what was written can be read");
        };
        assert_eq!(again.expose(), token);
    }
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
    assert!(uri.equivalent(&again) && again.equivalent(&uri));
}

/// Without keys no token is good, and none is printed.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let shows_token = |printed: &str| {
        text.split('.')
            .filter(|part| part.len() > 32)
            .any(|part| printed.contains(part))
    };
    match sip_oauth_token::inspect(text) {
        Ok(inspection) => assert!(!shows_token(&format!("{inspection:?}{inspection}"))),
        Err(error) => assert!(!shows_token(&format!("{error:?}{error}"))),
    }
    for policy in [
        Policy::unified_cm("5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f"),
        Policy::rfc9068("https://as.example.com", "sip:ucm.example.com"),
    ] {
        let error = Verifier::new(KeySet::builder().build(), policy)
            .verify(text, now)
            .expect_err("there is no key it could be good under");
        assert!(!shows_token(&format!("{error:?}{error}")));
    }
}

/// The names of a certificate are read without a panic, and none holds a control character.
pub fn certificate_identity(data: &[u8]) {
    let Ok(identities) = Identities::of(&data.into()) else {
        return;
    };
    let names = identities
        .common_names()
        .iter()
        .chain(identities.dns_names());
    for name in names {
        assert!(
            !name.chars().any(char::is_control),
            "a control character cuts a name elsewhere"
        );
    }
}

/// A name list never lets a stranger in: the check is by whole names.
pub fn allowed_names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (host, names) = text.split_once('\n').unwrap_or(("expc.example.com", text));
    let allowed = AllowedNames::new([AllowedRow::new(host, "", names)]);
    assert!(allowed.rows().len() <= 1);
    for row in allowed.rows() {
        for entry in row.entries() {
            assert!(
                !entry.text().is_empty(),
                "an empty entry would match an empty name"
            );
        }
    }
}

/// A request that was read is written and read again as the same.
pub fn axl(data: &[u8]) {
    let limits = sip_oauth_axl::Limits::default();
    let Ok(call) = Call::decode(data, None, &limits) else {
        return;
    };
    let envelope = call.encode();
    let again = Call::decode(envelope.body.as_bytes(), None, &limits)
        .expect("what was written can be read");
    assert_eq!(call, again);
}
