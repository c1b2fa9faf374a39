//! Messages that are hard to read: one of our own for each section of RFC 4475.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::check::{self, Cause, Element};
use sip_oauth_message::header::{
    CSeq, Contact, ContentType, Date, From, MaxForwards, RetryAfter, Route, To, Transport, Via,
    Warning,
};
use sip_oauth_message::multipart::parts;
use sip_oauth_message::{
    Credentials, ErrorKind, Host, Leniencies, Leniency, Limits, MessageView, Method, ParseError,
    Parser, StatusCode, TypedHeader, Uri, header,
};

/// The fields every request has; `CSeq` is the caller's.
const FIELDS: &str = "Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK-1\r\n\
     From: <sip:caller@example.com>;tag=1\r\n\
     To: <sip:callee@example.com>\r\n\
     Call-ID: hard@host.example.com\r\n\
     Contact: <sip:caller@host.example.com>\r\n\
     Max-Forwards: 70\r\n";

/// A request with further lines, each with its CRLF, and no body.
fn request(method: &str, uri: &str, lines: &str) -> String {
    format!("{method} {uri} SIP/2.0\r\n{FIELDS}CSeq: 7 {method}\r\n{lines}l: 0\r\n\r\n")
}

fn view(text: &str) -> Result<MessageView<'_>, ParseError> {
    MessageView::parse(text.as_bytes(), &Limits::default())
}

/// The status code of the answer of a server, where it refuses.
fn refused(text: &str) -> Option<u16> {
    let found = check::strict(&view(text).unwrap(), &Element::SERVER);
    found.err().map(|refusal| refusal.status.as_u16())
}

/// What a leniency makes of a message that is refused without it.
fn relaxed(text: &str, leniency: Leniency) -> String {
    let strict = Parser::new(Limits::default());
    let mut copy = Vec::new();
    let is_read = |parser: &Parser, copy: &mut Vec<u8>| {
        let reading = parser.parse(text.as_bytes(), copy).ok()?;
        let fields: Vec<_> = reading.view.fields().collect();
        let good = |field: &sip_oauth_message::HeaderField<'_>| {
            header::check_value(field.name(), field.value()).is_ok()
        };
        let first = reading.view.as_request();
        let is_uri = first.is_none_or(|line| line.request_uri().is_ok());
        (is_uri && fields.iter().all(good)).then(|| {
            let request = reading.view.to_request().unwrap();
            String::from_utf8(request.to_bytes()).unwrap()
        })
    };
    assert_eq!(is_read(&strict, &mut copy), None, "strictly: {text}");
    let lenient = strict.with_leniencies(Leniencies::NONE.with(leniency));
    is_read(&lenient, &mut copy).unwrap_or_else(|| unreachable!("{leniency:?}: {text}"))
}

mod section_3_1_1 {
    use super::*;

    #[test]
    fn section_1_a_short_tortuous_invite() {
        let text = "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n\
             TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n\
             from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n\
             MaX-fOrWaRdS: 0068\r\n\
             Call-ID: hard.ndaksdj@192.0.2.1\r\n\
             cseq: 0009\r\n  INVITE\r\n\
             Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n\
             NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\
             UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n\
             v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n\
             \u{20}SIP  /    2.0   / UDP  192.0.2.5   ; branch=z9hG4bK30239\r\n\
             m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\
             l: 0\r\n\r\n";
        let view = view(text).unwrap();
        assert_eq!(
            view.required::<To<'_>>().unwrap().tag(),
            Some("1918181833n")
        );
        let from = view.required::<From<'_>>().unwrap();
        assert_eq!(from.display_name().unwrap(), "J Rosenberg \\\"");
        assert_eq!(from.tag(), Some("98asjd8"));
        assert_eq!(view.required::<MaxForwards>().unwrap().0, 68);
        let cseq = view.required::<CSeq<'_>>().unwrap();
        assert_eq!((cseq.number(), cseq.method()), (9, &Method::Invite));
        let hops: Vec<_> = view.all::<Via<'_>>().map(Result::unwrap).collect();
        let branches: Vec<_> = hops.iter().map(|hop| hop.branch().unwrap()).collect();
        assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
        let contact = view.required::<Contact<'_>>().unwrap();
        assert_eq!(contact.q().unwrap().thousandths(), 330);
        assert_eq!(contact.params().value("newparam"), Some("newvalue"));
        assert_eq!(refused(text), None);
        assert_eq!(view.to_request().unwrap().to_bytes(), text.as_bytes());
    }

    #[test]
    fn section_2_every_character_that_may_stand_where_it_may() {
        let method = "!x~ot'ic-%m+e`_t*h.od";
        let user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*";
        let uri = format!("sip:{user}:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com");
        let text = request(method, &uri, "extensionHeader-!.%*+_`'~: \u{fe0f}\r\n");
        let view = view(&text).unwrap();
        let line = view.as_request().unwrap();
        assert_eq!(line.method.as_str(), method);
        let uri = line.request_uri().unwrap();
        assert_eq!(uri.user(), Some(user));
        assert_eq!(
            uri.password(),
            Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        );
        assert_eq!(refused(&text), None);
    }

    #[test]
    fn sections_3_and_4_escapes_are_undone_once_zeros_included() {
        let text = request("INVITE", "sip:sips%3Auser%40example.com@example.net", "");
        let uri = view(&text)
            .unwrap()
            .as_request()
            .unwrap()
            .request_uri()
            .unwrap();
        assert_eq!(&*uri.user_unescaped().unwrap(), b"sips:user@example.com");
        let null = Uri::parse("sip:null-%00-null@example.com").unwrap();
        assert_eq!(&*null.user_unescaped().unwrap(), b"null-\0-null");
        assert!(!null.equivalent(&Uri::parse("sip:null--null@example.com").unwrap()));
    }

    #[test]
    fn section_5_a_percent_sign_in_a_token_is_no_escape() {
        let text = request(
            "RE%47IST%45R",
            "sip:registrar.example.com",
            "E: \"%Z%45\" <sip:r@example.com>\r\n",
        );
        let view = view(&text).unwrap();
        assert_eq!(view.method().unwrap().as_str(), "RE%47IST%45R");
        assert_ne!(view.method(), Some(&Method::Register));
        let from = From::parse("\"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23").unwrap();
        assert_eq!(from.display_name().unwrap(), "%Z%45");
    }

    #[test]
    fn section_6_no_blank_before_the_bracket() {
        let from = From::parse("Caller<sip:caller@example.com>;tag=323").unwrap();
        assert_eq!(from.display_name().unwrap(), "Caller");
    }

    #[test]
    fn section_7_long_values_are_values() {
        let long = "a".repeat(3000);
        let lines = format!("Unknown-{long}: {long}\r\nRoute: <sip:{long}@example.com;lr>\r\n");
        let text = request("INVITE", "sip:user@example.com", &lines);
        let view = view(&text).unwrap();
        let route = view.required::<Route<'_>>().unwrap();
        assert_eq!(route.uri().user(), Some(&*long));
        assert_eq!(refused(&text), None);
    }

    #[test]
    fn section_8_octets_behind_the_body_are_no_part_of_it() {
        let text =
            request("REGISTER", "sip:example.com", "") + "INVITE sip:joe@example.com SIP/2.0\r\n";
        let view = view(&text).unwrap();
        assert_eq!((view.body().len(), view.trailing()), (0, 36));
        assert_eq!(refused(&text), None);
    }

    #[test]
    fn section_9_parameters_in_the_user_part_are_the_users() {
        let uri = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
        assert_eq!(uri.user(), Some("user;par=u%40example.net"));
        assert!(uri.params().as_str().is_empty());
    }

    #[test]
    fn section_10_transports_of_any_name() {
        let lines = "Via: SIP/2.0/SCTP s.example.com;branch=z9hG4bK2,SIP/2.0/UNKNOWN u.example.com;branch=z9hG4bK3\r\n";
        let text = request("OPTIONS", "sip:user@example.com", lines);
        let view = view(&text).unwrap();
        let hops = view.all::<Via<'_>>().map(|hop| hop.unwrap().transport());
        let unknown = Transport::parse("unknown").unwrap();
        assert_eq!(
            hops.collect::<Vec<_>>(),
            [Transport::Tcp, Transport::Sctp, unknown]
        );
    }

    #[test]
    fn section_11_a_body_of_several_parts_one_of_them_bytes() {
        let body = b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n\
            --7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\r\n-\r\n\
            --7a9cbec02ceef655--\r\n";
        let kind = ContentType::parse("multipart/mixed;boundary=7a9cbec02ceef655").unwrap();
        let boundary = kind.boundary().unwrap();
        let parts: Result<Vec<_>, _> = parts(&boundary, body, &Limits::default()).collect();
        let parts = parts.unwrap();
        assert_eq!(parts[0].body(), b"Hello");
        assert_eq!(parts[1].body(), b"\x00\xff\r\n-");
    }

    #[test]
    fn sections_12_and_13_any_reason_phrase_and_none() {
        for reason in ["= 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}", ""] {
            let text = format!("SIP/2.0 200 {reason}\r\n{FIELDS}CSeq: 7 INVITE\r\nl: 0\r\n\r\n");
            let line = view(&text).unwrap().as_response().unwrap();
            assert_eq!((line.status, line.reason), (StatusCode::OK, reason));
        }
    }
}

mod section_3_1_2 {
    use super::*;

    #[test]
    fn section_1_separators_without_a_value() {
        let text = request(
            "INVITE",
            "sip:user@example.com",
            "m: <sip:joe@192.0.2.1>;;;\r\n",
        );
        let read = relaxed(&text, Leniency::EmptyParameter);
        assert!(read.contains("m: <sip:joe@192.0.2.1>\r\n"));
        let text = request(
            "INVITE",
            "sip:user@example.com",
            "v: SIP/2.0/UDP a;branch=z9hG4bK1,,SIP/2.0/TCP b\r\n",
        );
        assert!(Via::parse("SIP/2.0/UDP a,,SIP/2.0/TCP b").is_err());
        relaxed(&text, Leniency::EmptyElement);
    }

    #[test]
    fn sections_2_and_3_a_length_that_is_not_the_bodys() {
        let text = request("INVITE", "sip:user@example.com", "").replace("l: 0", "l: 9999");
        assert_eq!(refused(&text), Some(400));
        let text = text.replace("9999", "-999");
        let error = view(&text).unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::ContentLength, text.find("-999").unwrap())
        );
    }

    #[test]
    fn sections_4_and_5_numbers_that_are_too_large() {
        let text = request("REGISTER", "sip:example.com", "")
            .replace("CSeq: 7", "CSeq: 36893488147419103232");
        assert_eq!(refused(&text), Some(400));
        let forwards =
            request("REGISTER", "sip:example.com", "").replace("Forwards: 70", "Forwards: 300");
        assert_eq!(refused(&forwards), Some(400));
        // "Should be treated as 3600" (RFC 3261 section 20.10).
        let contact =
            Contact::parse("<sip:user@host.example.com>;expires=280297596632815").unwrap();
        assert_eq!(contact.expires(), Some(3600));
        assert!(RetryAfter::parse("949302838503028349304023988").is_err());
        assert!(Warning::parse("1812 overture \"In Progress\"").is_err());
        assert!(CSeq::parse("9292394834772304023312 OPTIONS").is_err());
    }

    #[test]
    fn section_6_a_quote_that_nothing_closes() {
        let error = To::parse("\"Mr. J. User <sip:j.user@example.com>").unwrap_err();
        assert_eq!(error.header(), Some(To::NAME));
    }

    #[test]
    fn sections_7_to_10_what_stands_around_a_request_uri() {
        for (line, leniency) in [
            (
                "INVITE <sip:user@example.com> SIP/2.0",
                Leniency::BracketedRequestUri,
            ),
            (
                "INVITE sip:user@example.com; lr SIP/2.0",
                Leniency::WhiteSpaceInUri,
            ),
            (
                "INVITE  sip:user@example.com  SIP/2.0",
                Leniency::SpacesInStartLine,
            ),
            (
                "INVITE sip:user@example.com SIP/2.0  ",
                Leniency::SpacesInStartLine,
            ),
        ] {
            let text = request("INVITE", "sip:user@example.com", "");
            let text = text.replace("INVITE sip:user@example.com SIP/2.0", line);
            let read = relaxed(&text, leniency);
            let first = read.lines().next().unwrap();
            assert!(first.starts_with("INVITE sip:user@example.com"), "{first}");
            assert!(
                first.ends_with(" SIP/2.0") && !first.contains("  "),
                "{first}"
            );
        }
    }

    #[test]
    fn section_11_header_fields_in_a_request_uri() {
        let text = request(
            "INVITE",
            "sip:user@example.com?Route=%3Csip:example.com%3E",
            "",
        );
        assert_eq!(refused(&text), Some(400));
        let cause = check::request(&view(&text).unwrap(), &Element::SERVER)
            .unwrap_err()
            .cause;
        let Cause::RequestUri(error) = cause else {
            unreachable!("{cause}")
        };
        assert_eq!(error.offset(), text.find('?').unwrap());
    }

    #[test]
    fn section_12_a_date_in_another_zone() {
        assert!(Date::parse("Fri, 01 Jan 2010 16:00:00 EST").is_err());
    }

    #[test]
    fn section_13_an_address_that_must_stand_in_brackets() {
        let line = "m: sip:user@example.com?Route=%3Csip:sip.example.com%3E\r\n";
        let text = request("REGISTER", "sip:example.com", line);
        let read = relaxed(&text, Leniency::UnbracketedUri);
        assert!(read.contains("m: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\r\n"));
    }

    #[test]
    fn sections_14_and_15_what_stands_around_an_address() {
        let text = request(
            "OPTIONS",
            "sip:user@example.org",
            "r: \"Watson\" < sip:t.watson@example.org >\r\n",
        );
        let read = relaxed(&text, Leniency::WhiteSpaceInUri);
        assert!(read.contains("r: \"Watson\" <sip:t.watson@example.org>"));
        let text = request(
            "OPTIONS",
            "sip:user@example.org",
            "r: Bell, Alexander <sip:a.bell@example.com>\r\n",
        );
        let read = relaxed(&text, Leniency::UnquotedDisplayName);
        assert!(read.contains("r: \"Bell, Alexander\" <sip:a.bell@example.com>"));
    }

    #[test]
    fn section_16_a_version_that_nobody_knows() {
        let text = request("OPTIONS", "sip:t.watson@example.org", "")
            .replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia");
        assert_eq!(refused(&text), Some(505));
    }

    #[test]
    fn sections_17_and_18_a_cseq_of_another_method() {
        for (method, other) in [("OPTIONS", "INVITE"), ("NEWMETHOD", "INVITE")] {
            let text = request(method, "sip:user@example.com", "");
            let text = text.replace(&format!("7 {method}"), &format!("7 {other}"));
            assert_eq!(refused(&text), Some(400), "{method}");
        }
    }

    #[test]
    fn section_19_a_status_code_of_too_many_digits() {
        let text = format!("SIP/2.0 4294967301 better\r\n{FIELDS}CSeq: 7 INVITE\r\nl: 0\r\n\r\n");
        assert_eq!(view(&text).unwrap_err().kind(), ErrorKind::StartLine);
    }
}

/// Section 3.2.1: a branch that is the cookie and nothing else names no transaction of RFC 3261.
#[test]
fn section_3_2_1_a_branch_without_an_identifier() {
    let via = Via::parse("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK").unwrap();
    assert_eq!(via.branch(), Some("z9hG4bK"));
}

mod section_3_3 {
    use super::*;

    fn cause(text: &str) -> Option<Cause> {
        let found = check::strict(&view(text).unwrap(), &Element::SERVER);
        found.err().map(|refusal| refusal.cause)
    }

    #[test]
    fn section_1_what_is_mandatory_and_missing() {
        let text = "INVITE sip:user@example.com SIP/2.0\r\nCSeq: 193942 INVITE\r\n\
            Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\r\nl: 0\r\n\r\n";
        assert!(matches!(cause(text), Some(Cause::Missing(_))));
        assert_eq!(refused(text), Some(400));
    }

    #[test]
    fn sections_2_to_4_schemes() {
        for (uri, status) in [
            ("nobodyKnowsThisScheme:totallyopaquecontent", Some(416)),
            ("soap.beep://192.0.2.103:3002", Some(416)),
            ("tel:+1-201-555-0123", None),
        ] {
            assert_eq!(refused(&request("OPTIONS", uri, "")), status, "{uri}");
        }
        let register = request("REGISTER", "sip:registrar.example.com", "");
        for (address, is_good) in [
            ("<isbn:2983792873>", false),
            ("<http://www.example.com>", false),
            ("<sip:j.user@example.com>", true),
        ] {
            let text = register.replace("To: <sip:callee@example.com>", &format!("To: {address}"));
            let found = check::register(&view(&text).unwrap(), &Element::SERVER);
            assert_eq!(found.is_ok(), is_good, "{address}");
        }
    }

    #[test]
    fn section_5_extensions_that_nobody_knows() {
        let lines = "Require: nothingSupportsThis\r\nProxy-Require: noProxiesSupportThis\r\n";
        let text = request("OPTIONS", "sip:user@example.com", lines);
        assert_eq!(refused(&text), Some(420));
        let view = view(&text).unwrap();
        assert_eq!(
            check::unsupported(&view, &Element::SERVER),
            ["nothingSupportsThis"]
        );
        assert_eq!(
            check::unsupported(&view, &Element::PROXY),
            ["noProxiesSupportThis"]
        );
    }

    #[test]
    fn sections_6_and_15_media_types() {
        let phone = Element {
            media_types: &["application/sdp"],
            answers: &["application/sdp"],
            ..Element::SERVER
        };
        let status = |text: &str| {
            let found = check::strict(&view(text).unwrap(), &phone);
            found.err().map(|refusal| refusal.status.as_u16())
        };
        let text = request(
            "INVITE",
            "sip:user@example.com",
            "c: application/unknownformat\r\n",
        );
        assert_eq!(
            status(&text.replace("l: 0\r\n\r\n", "l: 1\r\n\r\nx")),
            Some(415)
        );
        let text = request(
            "INVITE",
            "sip:user@example.com",
            "Accept: text/nobodyKnowsThis\r\n",
        );
        assert_eq!(status(&text), Some(406));
    }

    #[test]
    fn section_7_a_scheme_of_credentials_that_nobody_knows() {
        let line = "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n";
        let text = request("REGISTER", "sip:example.com", line);
        assert_eq!(refused(&text), None);
        let view = view(&text).unwrap();
        let credentials = view.required::<header::Authorization<'_>>().unwrap().0;
        assert!(matches!(credentials, Credentials::Other(_)));
        assert_eq!(
            credentials.to_header_value().expose(),
            "NoOneKnowsThisScheme opaque-data=here"
        );
    }

    #[test]
    fn sections_8_and_9_several_values_where_one_may_stand() {
        let text = request(
            "INVITE",
            "sip:user@example.com",
            "CSeq: 5 INVITE\r\nCall-ID: other\r\nFrom: <sip:other@example.com>\r\n",
        );
        assert_eq!(refused(&text), Some(400));
        let text = request("OPTIONS", "sip:user@example.com", "l: 13\r\n");
        assert_eq!(view(&text).unwrap_err().kind(), ErrorKind::ContentLength);
    }

    #[test]
    fn section_10_an_answer_that_would_go_to_everybody() {
        let text = format!("SIP/2.0 200 OK\r\n{FIELDS}CSeq: 7 INVITE\r\nl: 0\r\n\r\n").replace(
            "Via: ",
            "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK2\r\nv: ",
        );
        let sent_by = [(Host::parse("192.0.2.198").unwrap(), None)];
        let proxy = check::Recipient {
            forwards: true,
            sent_by: &sent_by,
        };
        assert_eq!(
            check::response(&view(&text).unwrap(), &proxy),
            Err(Cause::Broadcast)
        );
    }

    #[test]
    fn section_11_no_hops_left() {
        let text =
            request("OPTIONS", "sip:user@example.com", "").replace("Forwards: 70", "Forwards: 0");
        let view = view(&text).unwrap();
        let refusal = check::request(&view, &Element::PROXY).unwrap_err();
        assert_eq!(refusal.status, StatusCode::TOO_MANY_HOPS);
        assert!(check::request(&view, &Element::SERVER).is_ok());
    }

    #[test]
    fn sections_12_to_14_parameters_of_a_contact_and_of_its_uri() {
        let bare = Contact::parse("sip:+19725552222@gw1.example.net;unknownparam").unwrap();
        assert!(bare.params().contains("unknownparam"));
        assert!(bare.uri().unwrap().params().as_str().is_empty());
        let inside = Contact::parse("<sip:+19725552222@gw1.example.net;unknownparam>").unwrap();
        assert!(inside.params().is_empty());
        assert!(inside.uri().unwrap().params().contains("unknownparam"));
        let escaped =
            Contact::parse("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>").unwrap();
        let header = escaped.uri().unwrap().headers().iter().next();
        assert_eq!(header, Some(("Route", "%3Csip:sip.example.com%3E")));
    }
}

/// Section 3.4.1: what RFC 2543 allowed. The strict check asks for what it did not know.
#[test]
fn section_3_4_1_an_invite_as_of_rfc_2543() {
    let text = "INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\n\
        From: <sip:+13035551111@ift.client.example.net;user=phone>\r\n\
        Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\r\n\
        To: sip:+16505552222@ss1.example.net;user=phone\r\nCall-ID: inv2543.1717@ift.client.example.com\r\n\
        CSeq: 56 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
    let view = view(text).unwrap();
    assert_eq!(view.body(), b"v=0\r\n");
    assert!(check::request(&view, &Element::SERVER).is_ok());
    assert_eq!(refused(text), Some(400));
}
