//! What holds for any input.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use sip_oauth_message::header::{
    self, Accept, Authorization, Contact, From, ProxyAuthorization, Reason, RetryAfter, SessionId,
    Supported, Via, WwwAuthenticate,
};
use sip_oauth_message::remotecc::{RegisterBody, ResponseBody};
use sip_oauth_message::{
    BearerCredentials, BearerForm, Challenge, Credentials, Frame, Framer, HeaderName, Headers,
    Host, Leniencies, Limits, MessageView, Method, Parser, Request, Text, TypedHeader, Uri, check,
    multipart,
};

/// Text in which the grammar's own characters are frequent.
fn grammar_soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just(" ".to_owned()),
        Just("\t".to_owned()),
        Just("<".to_owned()),
        Just(">".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just(";".to_owned()),
        Just(",".to_owned()),
        Just("=".to_owned()),
        Just(":".to_owned()),
        Just("@".to_owned()),
        Just("%".to_owned()),
        Just("sip:".to_owned()),
        Just("SIP/2.0".to_owned()),
        Just("[::1]".to_owned()),
        Just("Bearer ".to_owned()),
        Just("token".to_owned()),
        Just("Digest ".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("*".to_owned()),
        "[a-zA-Z0-9]{1,6}",
        "\\PC{1,3}",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Via",
        "From",
        "t",
        "Contact",
        "Route",
        "CSeq",
        "i",
        "Warning",
        "Retry-After",
        "Reason",
        "Supported",
        "WWW-Authenticate",
        "Proxy-Authorization",
        "Authorization",
        "Date",
        "l",
        "Session-ID",
        "Content-Type",
        "Content-Disposition",
        "Accept",
        "Event",
        "Expires",
        "Max-Forwards",
        "MIME-Version",
        "Min-Expires",
        "Path",
        "Require",
        "Proxy-Require",
        "Unsupported",
        "Allow",
        "Refer-To",
        "Record-Route",
        "Service-Route",
        "Server",
        "User-Agent",
        "Proxy-Authenticate",
        "X-Unknown",
    ])
}

/// Calls every accessor; what is decoded must read as equal once it is written.
fn use_everything(view: &MessageView<'_>) {
    let _ = format!("{view:?}");
    let _ = (view.start_line(), view.method(), view.status());
    let _ = (view.content_length(), view.trailing());
    if let Some(line) = view.as_request() {
        let _ = (line.request_uri(), line.to_string());
    }
    for field in view.fields() {
        let _ = (field.name(), field.unfolded(), format!("{field:?}"));
        let _ = header::check_value(field.name(), field.value());
        assert!(view.fields_named(field.name()).count() > 0);
    }
    use_typed_values(view);
    use_accessors(view);
    use_credentials(view);
    use_checks(view);
    let headers = view.to_headers();
    assert_eq!(headers.iter().count(), view.fields().count());
    let _ = (view.to_request(), view.to_response());
    let content_type = headers.get("Content-Type");
    for kind in [content_type, Some("multipart/mixed;boundary=b")]
        .into_iter()
        .flatten()
    {
        let _ = RegisterBody::decode(kind, view.body(), &Limits::default());
    }
    let _ = ResponseBody::decode(view.body());
}

fn use_typed_values(view: &MessageView<'_>) {
    macro_rules! each {
        ($($name:ident $(<$lifetime:lifetime>)?),* $(,)?) => {$(
            let _ = view.header::<header::$name $(<$lifetime>)?>();
            let _ = view.required::<header::$name $(<$lifetime>)?>();
            for value in view.all::<header::$name $(<$lifetime>)?>().flatten() {
                let _ = format!("{value:?}");
                let written = value.to_string();
                let again = <header::$name $(<$lifetime>)?>::parse(&written);
                assert_eq!(again, Ok(value.clone()), "{written:?}");
                let mut headers = Headers::new();
                headers.push_typed(&value);
                let again = headers.header::<header::$name $(<$lifetime>)?>();
                assert_eq!(again, Ok(Some(value)), "{headers:?}");
            }
        )*};
    }
    sip_oauth_message::each_header!(each);
}

fn use_accessors(view: &MessageView<'_>) {
    for contact in view.all::<Contact<'_>>().flatten() {
        let _ = (
            contact.q(),
            contact.expires(),
            contact.instance(),
            contact.device_name(),
        );
        if let Some(uri) = contact.uri() {
            assert!(uri.equivalent(&uri));
            let _ = (uri.user_unescaped(), uri.headers().iter().count());
        }
    }
    for via in view.all::<Via<'_>>().flatten() {
        let _ = (via.rport(), via.received_ip(), via.branch());
        let _ = via.received_from(([192, 0, 2, 1], 5060).into()).to_string();
    }
    for reason in view.all::<Reason<'_>>().flatten() {
        let _ = (reason.cause(), reason.text(), reason.cisco_alarm());
    }
    for retry in view.all::<RetryAfter<'_>>().flatten() {
        let _ = (
            retry.duration(),
            retry.comment(),
            retry.params().iter().count(),
        );
    }
    for accept in view.all::<Accept<'_>>().flatten() {
        let _ = (accept.q(), accept.matches("a", "b"), accept.range());
    }
    for session in view.all::<SessionId<'_>>().flatten() {
        let _ = (session.local(), session.remote());
    }
    for tag in view.all::<Supported<'_>>().flatten() {
        assert!(tag.is(tag.as_str()));
    }
}

fn use_credentials(view: &MessageView<'_>) {
    let own = view.all::<Authorization<'_>>().flatten().map(|h| h.0);
    let proxy = view.all::<ProxyAuthorization<'_>>().flatten().map(|h| h.0);
    for credentials in own.chain(proxy) {
        let _ = (
            format!("{credentials:?}"),
            credentials.to_header_value(),
            credentials.scheme(),
        );
        match credentials {
            Credentials::Bearer(bearer) => {
                let _ = (
                    bearer.username(),
                    bearer.realm(),
                    bearer.other_params().count(),
                );
                let _ = bearer.to_header_value();
            }
            Credentials::Digest(digest) => {
                let _ = (
                    digest.username(),
                    digest.realm(),
                    digest.expose().iter().count(),
                );
            }
            Credentials::Other(other) => {
                let _ = (
                    other.expose(),
                    other.expose_params().map(|p| p.iter().count()),
                );
            }
        }
    }
    for challenge in view.all::<WwwAuthenticate<'_>>().flatten().map(|h| h.0) {
        match challenge {
            Challenge::Bearer(bearer) => {
                let _ = (
                    bearer.realm(),
                    bearer.authz_server(),
                    bearer.scope(),
                    bearer.error(),
                );
                let _ = (
                    bearer.authz_server_spelling(),
                    bearer.other_params().count(),
                );
            }
            Challenge::Digest(digest) => {
                let _ = (digest.realm(), digest.nonce(), digest.algorithm());
            }
            Challenge::Other(other) => {
                let _ = (other.scheme(), other.as_str());
            }
        }
    }
}

fn use_checks(view: &MessageView<'_>) {
    let phone = check::Element {
        methods: &[Method::Invite],
        media_types: &["application/sdp", "multipart/*"],
        answers: &["application/sdp"],
        ..check::Element::SERVER
    };
    for element in [check::Element::SERVER, check::Element::PROXY, phone] {
        let _ = check::strict(view, &element);
        let _ = check::unsupported(view, &element);
        if let Err(refusal) = check::register(view, &element) {
            refusal.push_headers(view, &element, &mut view.to_headers());
            let _ = format!("{refusal} {}", refusal.reason());
        }
    }
    let sent_by = [(Host::parse("h").unwrap(), None)];
    for forwards in [false, true] {
        let recipient = check::Recipient {
            forwards,
            sent_by: &sent_by,
        };
        let _ = check::response(view, &recipient);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(view) = MessageView::parse(&bytes, &Limits::default()) {
            use_everything(&view);
        }
        let parser = Parser::new(Limits::default()).with_leniencies(Leniencies::ALL);
        if let Ok(reading) = parser.parse(&bytes, &mut Vec::new()) {
            use_everything(&reading.view);
        }
        let mut framer = Framer::new(Limits::default());
        framer.feed(&bytes);
        while let Ok(Some(_)) = framer.next_frame() {}
    }

    #[test]
    fn any_header_fields_do_not_panic(fields in prop::collection::vec((names(), grammar_soup()), 0..6)) {
        let lines: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        for start in ["REGISTER sip:a@example.com SIP/2.0", "SIP/2.0 200 OK", "INVITE  <sip:a>  SIP/2.0"] {
            let text = format!("{start}\r\n{}\r\n", lines.concat());
            if let Ok(view) = MessageView::parse(text.as_bytes(), &Limits::default()) {
                use_everything(&view);
            }
            let parser = Parser::new(Limits::default()).with_leniencies(Leniencies::ALL);
            if let Ok(reading) = parser.parse(text.as_bytes(), &mut Vec::new()) {
                use_everything(&reading.view);
            }
        }
    }

    #[test]
    fn uris_do_not_panic_and_are_written_as_read(text in grammar_soup()) {
        for text in [text.clone(), format!("sip:{text}"), format!("tel:{text}")] {
            if let Ok(uri) = Uri::parse(&text) {
                prop_assert_eq!(uri.to_string(), text.as_str());
                prop_assert!(uri.equivalent(&uri));
            }
        }
    }

    #[test]
    fn multipart_bodies_do_not_panic(bytes in "(--b(--)?|\r\n|[a-z: ]){0,20}") {
        for part in multipart::parts("b", bytes.as_bytes(), &Limits::default()) {
            let _ = part.map(|part| format!("{part:?}"));
        }
    }

    #[test]
    fn text_comes_back_from_quotes(text in "[^\r\n]{0,40}") {
        let written = format!("{} <sip:a@example.com>", Text::Plain(&text));
        let from = From::parse(&written).unwrap();
        let read = from.display_name().map(|name| name.to_str().into_owned()).unwrap_or_default();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn tokens_come_back(token in "[A-Za-z0-9._~+/-]{1,60}={0,2}", realm in prop::option::of("[^\r\n]{0,20}")) {
        prop_assume!(!token.trim_end_matches('=').eq_ignore_ascii_case("token"));
        for form in [BearerForm::Token68, BearerForm::TokenParameter] {
            let mut written = BearerCredentials::new(&token, form).unwrap();
            if let Some(realm) = &realm {
                written = written.with_realm(realm);
            }
            let value = written.to_header_value();
            let Credentials::Bearer(read) = Credentials::parse(value.expose()).unwrap() else {
                panic!("no bearer credentials");
            };
            prop_assert_eq!(read.expose(), &token);
            prop_assert_eq!(read.form(), form);
            prop_assert_eq!(read.realm(), realm.as_deref().map(Text::Plain));
        }
    }

    #[test]
    fn requests_come_back(fields in prop::collection::vec(("[A-Za-z-]{1,12}", "[ -~]{0,30}"), 0..80), body in prop::collection::vec(any::<u8>(), 0..60)) {
        let uri = Uri::parse("sip:a@example.com").unwrap();
        let mut request = Request::new(Method::Register, uri);
        let is_other = |name: &str| HeaderName::parse(name) != Ok(HeaderName::ContentLength);
        for (name, value) in fields.iter().filter(|(name, _)| is_other(name)) {
            request.headers.try_push(name, value).unwrap();
        }
        request.headers.push(HeaderName::ContentLength, body.len());
        request.body = body;
        let bytes = request.to_bytes();
        let view = MessageView::parse(&bytes, &Limits::default()).unwrap();
        let read = view.to_request().unwrap();
        prop_assert_eq!(read.to_bytes(), bytes.clone());
        let pairs = |r: &Request| r.headers.iter().map(|f| (f.name_text().to_owned(), f.value().to_owned())).collect::<Vec<_>>();
        prop_assert_eq!(pairs(&read), pairs(&request));
        let given = fields.iter().filter(|(name, _)| is_other(name));
        let given = given.map(|(name, value)| (name.clone(), value.trim_matches(' ').to_owned()));
        prop_assert!(pairs(&read).into_iter().take(read.headers.len() - 1).eq(given));
        prop_assert_eq!(read.body, request.body);
    }

    #[test]
    fn streams_give_the_same_frames_in_any_pieces(
        parts in prop::collection::vec(prop_oneof![
            Just("\r\n".to_owned()), Just("\r\n\r\n".to_owned()),
            "[a-z\r\n]{0,20}".prop_map(|body| format!("SIP/2.0 200 OK\r\nl: {}\r\n\r\n{body}", body.len())),
            Just("OPTIONS sip:a SIP/2.0\r\nX: y\r\n z\r\nContent-Length\t:\r\n 0\r\n\r\n".to_owned()),
            "[ -~\r\n]{0,8}",
        ], 0..8),
        sizes in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let stream = parts.concat().into_bytes();
        let read = |sizes: &[usize], mut framer: Framer| {
            let (mut frames, mut at, mut turn) = (Vec::new(), 0, 0);
            while at < stream.len() {
                let end = (at + sizes[turn % sizes.len()]).min(stream.len());
                framer.feed(&stream[at..end]);
                (at, turn) = (end, turn + 1);
                loop {
                    match framer.next_frame() {
                        Ok(Some(Frame::Message(m))) => frames.push(Ok(m.to_vec())),
                        Ok(Some(other)) => frames.push(Ok(format!("{other:?}").into_bytes())),
                        Ok(None) => break,
                        Err(error) => {
                            frames.push(Err(error));
                            return frames;
                        }
                    }
                }
            }
            frames
        };
        let new = || Framer::new(Limits::default());
        prop_assert_eq!(read(&sizes, new()), read(&[stream.len().max(1)], new()));
        let client = || Framer::for_client(Limits::default());
        prop_assert_eq!(read(&sizes, client()), read(&[1], client()));
    }
}
