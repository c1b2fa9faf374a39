//! Reading allocates nothing: a view of a message, and ten header fields of it as types.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use allocation_counter::measure;
use sip_oauth_message::header::{
    CSeq, CallId, Contact, ContentLength, Expires, From, MaxForwards, ProxyAuthorization, To, Via,
};
use sip_oauth_message::{
    BearerCredentials, BearerForm, Credentials, HeaderName, Headers, Limits, MessageView, check,
};

/// A REGISTER with an access token of 2,000 bytes, its answers 407 and 200, a contorted INVITE,
/// and an INVITE with SDP.
fn messages() -> [String; 5] {
    let token = "eyJhbGciOiJSUzI1NiJ9.".to_owned() + &"x".repeat(1979);
    let identity = "Via: SIP/2.0/TLS 192.0.2.7:62162;branch=z9hG4bK1188;received=203.0.113.4;rport\r\n\
         From: \"1010\" <sip:1010@ucm.example.com>;tag=020000001234\r\n\
         To: <sip:1010@ucm.example.com>\r\n\
         Call-ID: 00505600-0001@192.0.2.7\r\n\
         CSeq: 2270 REGISTER\r\n";
    let contact = "Contact: <sip:4f6d2c18@192.0.2.7:62162;transport=tls>\
         ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-005056000001>\"\
         ;+u.sip!devicename.ccm.cisco.com=\"CSFrado\";+u.sip!model.ccm.cisco.com=\"503\";video\r\n";
    let register = format!(
        "REGISTER sip:ucm.example.com SIP/2.0\r\n{identity}Max-Forwards: 70\r\n{contact}\
         Proxy-Authorization: Bearer token=\"{token}\"\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
    );
    let challenge = format!(
        "SIP/2.0 407 Proxy Authentication Required\r\n{identity}\
         Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\nContent-Length: 0\r\n\r\n"
    );
    let success =
        format!("SIP/2.0 200 OK\r\n{identity}{contact}Expires: 120\r\nContent-Length: 0\r\n\r\n");
    let contorted = "INVITE sip:bob%2Djones@example.com;unknown SIP/2.0\r\n\
         t :\r\n sip:bob@example.com ;   tag    = 19\r\n\
         f : \"Al \\\\\\\"ice\\\\\\\"\"  <sip:alice@example.com>\r\n  ;\r\n  tag   =   7c\r\n\
         mAx-FoRwArDs: 0068\r\nI: x@192.0.2.9\r\nCSEQ: 0009\r\n  INVITE\r\n\
         v: SIP / 2.0\r\n /UDP\r\n 192.0.2.2 ; branch=z9hG4bK3,\r\n SIP/2.0/TCP [2001:db8::9]\r\n\
         m:\"Quoted \\\"name\\\"\" <sip:alice@example.com> ; newparam =\r\n newvalue ;\r\n q = 0.33\r\n\
         Proxy-Authorization: Bearer t68.t68.t68 ,\r\n realm=\"r\"\r\nExpires: 5\r\nl:\r\n 2\r\n\r\nok";
    let sdp = "v=0\r\no=a 1 1 IN IP4 198.51.100.23\r\ns=-\r\nc=IN IP4 198.51.100.23\r\nt=0 0\r\n";
    let invite = format!(
        "INVITE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/TCP phone.example.com:5060;branch=z9hG4bK6\r\n\
         From: Ada <sip:ada@example.com>;tag=b8\r\nTo: Desk <sip:bob@example.net>\r\n\
         Call-ID: 77@phone.example.com\r\nCSeq: 2 INVITE\r\nMax-Forwards: 70\r\n\
         Contact: <sip:ada@phone.example.com;transport=tcp>\r\n\
         Proxy-Authorization: Digest username=\"ada\", realm=\"example.com\", response=\"0\"\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    [register, challenge, success, contorted.to_owned(), invite]
}

/// Reads all ten, and gives how many there were, so that no reading can be left out.
fn read_ten(bytes: &[u8]) -> (usize, usize) {
    let view = MessageView::parse(bytes, &Limits::default()).unwrap();
    let mut found = 0;
    let mut token_bytes = 0;
    for via in view.all::<Via<'_>>() {
        found += usize::from(via.unwrap().branch().is_some());
    }
    found += usize::from(view.required::<From<'_>>().unwrap().tag().is_some());
    found += usize::from(view.required::<To<'_>>().unwrap().uri().user().is_some());
    found += view.required::<CallId<'_>>().unwrap().as_str().len().min(1);
    found += usize::from(view.required::<CSeq<'_>>().unwrap().number() > 0);
    found += usize::from(view.required::<ContentLength>().unwrap().0 as usize == view.body().len());
    if let Some(contact) = view.header::<Contact<'_>>().unwrap() {
        found += usize::from(contact.uri().is_some_and(|uri| uri.host().is_some()));
        let _ = (contact.instance(), contact.q(), contact.display_name());
    }
    if let Some(credentials) = view.header::<ProxyAuthorization<'_>>().unwrap() {
        found += 1;
        if let Credentials::Bearer(bearer) = credentials.credentials() {
            token_bytes = bearer.expose().len();
        }
    }
    found += usize::from(view.header::<MaxForwards>().unwrap().is_some());
    found += usize::from(view.header::<Expires>().unwrap().is_some());
    (found, token_bytes)
}

#[test]
fn view_and_ten_headers_allocate_nothing() {
    let expected = [(10, 2000), (6, 0), (8, 0), (10, 11), (9, 0)];
    for (message, expected) in messages().iter().zip(expected) {
        let mut found = (0, 0);
        let counted = measure(|| found = read_ten(message.as_bytes()));
        assert_eq!(found, expected, "{message}");
        assert_eq!(counted.count_total, 0, "{message}");
    }
}

#[test]
fn framer_allocates_for_its_buffer_only() {
    let [register, ..] = messages();
    let mut framer = sip_oauth_message::Framer::new(Limits::default());
    framer.feed(register.as_bytes());
    let counted = measure(|| assert!(framer.next_frame().unwrap().is_some()));
    assert_eq!(counted.count_total, 0);
}

#[test]
fn more_than_64_fields_allocate_for_their_places_only() {
    let text =
        |fields: usize| format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(fields));
    let (most, more) = (text(64), text(65));
    let parse = |text: &str| {
        let mut count = 0;
        let counted = measure(|| {
            let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
            count = view.fields().count();
        });
        (count, counted.count_total)
    };
    assert_eq!(parse(&most), (64, 0));
    assert_eq!(parse(&more), (65, 1));
}

/// A part is 1 KB of our memory, and a stranger writes one in five bytes.
#[test]
fn the_second_check_holds_one_part_at_a_time() {
    let body = "--b\r\n\r\nx\r\n".repeat(64) + "--b--";
    let text = format!(
        "MESSAGE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a\r\nTo: sip:a\r\nCall-ID: 1\r\n\
         CSeq: 1 MESSAGE\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n{body}"
    );
    let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
    let element = check::Element {
        media_types: &["multipart/*", "text/plain"],
        ..check::Element::SERVER
    };
    let counted = measure(|| check::request(&view, &element).unwrap());
    assert_eq!(counted.count_total, 0);
}

/// What grows is moved, and where it was a copy of the token stays.
#[test]
fn credentials_are_written_into_their_last_place() {
    let [register, ..] = messages();
    let view = MessageView::parse(register.as_bytes(), &Limits::default()).unwrap();
    let credentials = view.required::<ProxyAuthorization<'_>>().unwrap();
    let Credentials::Bearer(read) = credentials.credentials() else {
        unreachable!("the REGISTER has a token");
    };
    let name = "\"".repeat(1000);
    let own = BearerCredentials::new(read.expose(), BearerForm::Token68).unwrap();
    let text = format!("Bearer t,{}", "a=1,".repeat(500) + "a=1");
    let Credentials::Bearer(many) = Credentials::parse(&text).unwrap() else {
        unreachable!("it says Bearer");
    };
    let mut headers = Headers::new();
    headers.push(HeaderName::MaxForwards, 70);
    for bearer in [read, own.with_username(&name).with_realm(&name), many] {
        let mut value = None;
        let counted = measure(|| value = Some(bearer.to_header_value()));
        assert_eq!(counted.count_total, 1);
        let value = value.unwrap();
        let counted = measure(|| headers.push_secret(None, HeaderName::ProxyAuthorization, &value));
        assert_eq!(counted.count_total, 1);
        assert_eq!(headers.get("Proxy-Authorization"), Some(value.expose()));
        headers.remove("Proxy-Authorization");
    }
    // Nor does the text of a field that is copied, or pushed as any other is, grow.
    let field = view.fields_named(HeaderName::ProxyAuthorization).next();
    let field = field.expect("the REGISTER has a token");
    let counted = measure(|| headers.push_field(&field));
    assert_eq!(counted.count_total, 1);
    headers.remove("Proxy-Authorization");
    let counted = measure(|| headers.push(HeaderName::ProxyAuthorization, field.value()));
    assert_eq!(counted.count_total, 1);
    let counted = measure(|| drop(credentials.credentials().to_header_value()));
    assert_eq!(counted.count_total, 1);
}
