//! What holds for a message whatever its fields are.

use sip_oauth_message::header::{ContentLength, From, Server};
use sip_oauth_message::{
    ErrorKind, Limits, MessageView, NameAddr, Params, Request, Text, TypedHeader, Uri,
};

use crate::{REGISTER, view, with_field};

#[test]
fn bodies_and_control_characters_are_not_printed() {
    let text = with_field("Subject: \"a\\\u{1b}[31m\"\r\n b") + "secret";
    let view = view(&text).unwrap();
    let request = view.to_request().unwrap();
    for printed in [format!("{view:?}"), format!("{request:?}")] {
        assert!(
            printed.contains("Subject: \"a\\\\u{1b}[31m\" b"),
            "{printed}"
        );
        assert!(printed.contains("body_bytes: 6"), "{printed}");
        assert!(
            !printed.contains("secret") && !printed.contains("115"),
            "{printed}"
        );
    }
}

#[test]
fn values_of_our_own_are_escaped() {
    let uri = Uri::parse("sip:1010@example.com").unwrap();
    let params = Params::parse(";tag=1").unwrap();
    let address = NameAddr::new(uri)
        .with_display_name(Text::Plain("a \"b\" \\c"))
        .with_params(params);
    let text = From(address).to_string();
    assert_eq!(text, r#""a \"b\" \\c" <sip:1010@example.com>;tag=1"#);
    assert_eq!(From::parse(&text).unwrap(), From(address));
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        max_message_bytes: 400,
        max_line_bytes: 50,
        max_header_bytes: 100,
        max_header_fields: 3,
        max_body_bytes: 5,
        ..Limits::default()
    };
    let parse = |text: &str| MessageView::parse(text.as_bytes(), &limits).map(|_| ());
    let long = with_field(&format!("X: {}", "x".repeat(48)));
    for text in [
        &*"x".repeat(401),
        &*long,
        &*with_field(&format!("X: {0}\r\nY: {0}", "x".repeat(40))),
        &*with_field("a:1\r\nb:2\r\nc:3\r\nd:4"),
        &*(with_field("l: 6") + "123456"),
    ] {
        assert_eq!(parse(text).unwrap_err().kind(), ErrorKind::Limit);
    }
    assert_eq!(parse(&(with_field("l: 5") + "12345")), Ok(()));
}

#[test]
fn more_than_64_fields_are_kept_in_order() {
    let lines: Vec<_> = (0..200).map(|n| format!("X-{n}: {n}")).collect();
    let text = with_field(&lines.join("\r\n"));
    let view = view(&text).unwrap();
    assert_eq!(view.fields().count(), 200);
    assert_eq!(view.fields().last().unwrap().value(), "199");
    let request: Request = view.to_request().unwrap();
    assert_eq!(request.headers.get("x-77"), Some("77"));
}

#[test]
fn typed_access_is_the_same_for_views_and_values() {
    let view = view(REGISTER).unwrap();
    let request = view.to_request().unwrap();
    assert_eq!(
        view.required::<ContentLength>(),
        request.required::<ContentLength>()
    );
    assert_eq!(view.required::<From<'_>>(), request.required::<From<'_>>());
    assert_eq!(request.header::<Server<'_>>(), Ok(None));
    let missing = view.required::<Server<'_>>().unwrap_err();
    assert_eq!(
        missing.to_string(),
        "Server: expected this header field, found none"
    );
}
