//! What `Debug` says: never a secret. RFC 3261 section 19.1.1 has passwords in URIs and header fields,
//! credentials among them, behind their question mark.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use sip_oauth_message::header::{Contact, From, ProxyAuthorization};
use sip_oauth_message::multipart::{BodyPart, Multipart};
use sip_oauth_message::{
    Challenge, Credentials, Limits, MessageView, Request, StartLine, TypedHeader, Uri,
};

const URI: &str = "sip:alice:c2VjcmV0@example.com;lr?Authorization=c2VjcmV0&a=";

#[test]
fn secrets_in_a_uri_are_not_printed() {
    let uri = Uri::parse(URI).unwrap();
    let expected = "Uri(sip:alice:<8 bytes>@example.com;lr?Authorization=<8 bytes>&a=<0 bytes>)";
    assert_eq!(format!("{uri:?}"), expected);
    assert_eq!(
        format!("{:?}", uri.headers()),
        "\"Authorization=<8 bytes>&a=<0 bytes>\""
    );
    assert_eq!(uri.to_string(), URI, "writing it is not printing it");
}

#[test]
fn secrets_in_a_uri_are_not_printed_with_what_holds_it() {
    let lines = format!("From: \"A\" <{URI}>;tag=1\r\nContact: <{URI}>\r\nX-Other: <{URI}>\r\n");
    let text = format!("OPTIONS {URI} SIP/2.0\r\n{lines}To: <sip:a:c2VjcmV0@[>\r\n\r\n");
    let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
    let request: Request = view.to_request().unwrap();
    let printed = format!(
        "{view:?} {request:?} {:?} {:?} {:?}",
        StartLine::parse(&format!("OPTIONS {URI} SIP/2.0")).unwrap(),
        view.required::<From<'_>>().unwrap(),
        view.required::<Contact<'_>>().unwrap(),
    );
    assert!(!printed.contains("c2VjcmV0"), "{printed}");
    assert!(
        printed.contains("From: \"A\" <sip:alice:<8 bytes>@example.com;lr"),
        "{printed}"
    );
}

/// A token in a field whose name is misspelt, or our own to nobody.
#[test]
fn values_of_unknown_fields_are_not_printed() {
    for name in ["Proxy-Authorisation", "X-Auth"] {
        let text = format!("OPTIONS sip:h SIP/2.0\r\n{name}: Bearer c2VjcmV0\r\n\r\n");
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let printed = format!("{view:?} {:?}", view.to_headers());
        assert!(!printed.contains("c2VjcmV0"), "{printed}");
        assert!(
            printed.contains(&format!("{name}: <15 bytes>")),
            "{printed}"
        );
    }
}

#[test]
fn parameters_of_credentials_are_not_printed() {
    let text = r#"Digest username="c2VjcmV0", response="c2VjcmV0""#;
    let header = ProxyAuthorization::parse(text).unwrap();
    let Credentials::Digest(digest) = header.credentials() else {
        unreachable!("{text}")
    };
    assert_eq!(
        format!("{:?}", digest.expose()),
        "[username=<8 bytes>, response=<8 bytes>]"
    );
    let bearer = Credentials::parse("Bearer token=\"x\", refresh_token=\"c2VjcmV0\"").unwrap();
    let Credentials::Bearer(bearer) = bearer else {
        unreachable!("{text}")
    };
    let others: Vec<_> = bearer.other_params().collect();
    assert_eq!(format!("{others:?}"), "[refresh_token=<8 bytes>]");
    // What a server asks is no secret.
    let challenge = Challenge::parse(r#"Digest realm="r", nonce="n""#).unwrap();
    assert_eq!(
        format!("{challenge:?}"),
        r#"Digest(Digest realm="r", nonce="n")"#
    );
}

#[test]
fn bodies_of_parts_are_not_printed() {
    let mut body = Multipart::new("b").unwrap();
    body.parts.push(BodyPart::new("text/plain", "c2VjcmV0"));
    let printed = format!("{body:?}");
    assert!(printed.contains("body_bytes: 8"), "{printed}");
    assert!(!printed.contains("c2VjcmV0"), "{printed}");
}
