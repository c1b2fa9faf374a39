//! Any value that can be written reads back equal.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use sip_oauth_message::header::{
    AlarmLoads, CSeq, CiscoAlarm, Contact, Expires, From, MaxForwards, MinExpires, Reason,
    RetryAfter, Route, Transport, Via, Warning, WwwAuthenticate,
};
use sip_oauth_message::multipart::{BodyPart, Multipart, free_boundary};
use sip_oauth_message::remotecc::{Feature, Features, RegisterBody, ResponseBody};
use sip_oauth_message::uri::EscapedUser;
use sip_oauth_message::{
    BearerChallenge, Challenge, HeaderName, Host, Limits, MessageView, Method, NameAddr, Params,
    Response, StatusCode, Text, TypedHeader, Uri,
};

const TOKEN: &str = "[A-Za-z0-9.!%*_+`'~-]{1,12}";
/// Anything on one line.
const LINE: &str = "[^\r\n]{0,24}";

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "([a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?\\.){0,3}[a-z]([a-z0-9_-]{0,6}[a-z0-9])?\\.?",
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| format!("[{ip}]")),
    ]
}

/// Names and values as tokens, quoted strings and hosts.
fn params() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        TOKEN.prop_map(|token| format!("={token}")),
        LINE.prop_map(|text| format!("={}", Text::Plain(&text))),
        host().prop_map(|host| format!("={host}")),
        Just(String::new()),
    ];
    let param = (TOKEN, value).prop_map(|(name, value)| format!(";{name}{value}"));
    prop::collection::vec(param, 0..5).prop_map(|params| params.concat())
}

fn uri() -> impl Strategy<Value = String> {
    (
        any::<bool>(),
        prop::option::of("[^\r\n]{1,12}"),
        host(),
        prop::option::of(any::<u16>()),
    )
        .prop_map(|(secure, user, host, port)| {
            let scheme = if secure { "sips" } else { "sip" };
            let user = user.map(|user| format!("{}@", EscapedUser(&user)));
            let port = port.map(|port| format!(":{port}"));
            format!(
                "{scheme}:{}{host}{}",
                user.unwrap_or_default(),
                port.unwrap_or_default()
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn addresses(uri in uri(), name in prop::option::of(LINE), params in params()) {
        let uri = Uri::parse(&uri).unwrap();
        let mut address = NameAddr::new(uri).with_params(Params::parse(&params).unwrap());
        if let Some(name) = &name {
            address = address.with_display_name(Text::Plain(name));
        }
        let written = address.to_string();
        prop_assert_eq!(NameAddr::parse(&written), Ok(address));
        prop_assert_eq!(From::parse(&written), Ok(From(address)));
        prop_assert_eq!(Contact::parse(&written), Ok(Contact::Addr(address)));
        let list = format!("{written},{written}");
        let (first, rest) = Route::decode(&list).unwrap();
        prop_assert_eq!(first, Route(address));
        prop_assert_eq!(Route::parse(rest), Ok(Route(address)));
    }

    #[test]
    fn users_of_uris(user in "[^\r\n]{1,20}", host in host()) {
        let text = format!("sip:{}@{host}", EscapedUser(&user));
        let uri = Uri::parse(&text).unwrap();
        let read = uri.user_unescaped().unwrap();
        prop_assert_eq!(read.as_ref(), user.as_bytes());
        prop_assert_eq!(uri.host(), Some(Host::parse(&host).unwrap()));
        prop_assert!(uri.equivalent(&uri));
    }

    #[test]
    fn hops(transport in "[A-Za-z-]{1,8}", host in host(), port in prop::option::of(any::<u16>()), params in params()) {
        let params = Params::parse(&params).unwrap();
        let via = Via::new(Transport::parse(&transport).unwrap(), Host::parse(&host).unwrap(), port, params);
        let written = via.to_string();
        prop_assert_eq!(Via::parse(&written), Ok(via));
        let source = ([192, 0, 2, 1], 5060).into();
        let received = via.received_from(source).to_string();
        let again = Via::parse(&received).unwrap();
        prop_assert_eq!((again.host(), again.port()), (via.host(), via.port()));
        if via.host().ip() != Some([192, 0, 2, 1].into()) {
            prop_assert_eq!(again.received_ip(), Some([192, 0, 2, 1].into()));
        }
    }

    #[test]
    fn numbers(number in any::<u32>(), hops in any::<u8>(), method in TOKEN) {
        let method = Method::parse(&method).unwrap();
        let new = CSeq::new(number, method.clone());
        prop_assert_eq!(new.is_ok(), number <= CSeq::MAX);
        let cseq = CSeq::new(number & CSeq::MAX, method).unwrap();
        let written = cseq.to_string();
        prop_assert_eq!(CSeq::parse(&written), Ok(cseq));
        prop_assert_eq!(Expires::parse(&number.to_string()), Ok(Expires(number)));
        prop_assert_eq!(MinExpires::parse(&number.to_string()), Ok(MinExpires(number)));
        prop_assert_eq!(MaxForwards::parse(&hops.to_string()), Ok(MaxForwards(hops)));
        let retry = RetryAfter::new(number);
        let written = retry.to_string();
        prop_assert_eq!(RetryAfter::parse(&written), Ok(retry));
    }

    #[test]
    fn warnings(agent in "[A-Za-z0-9.-]{1,12}", text in LINE) {
        let warning = Warning::miscellaneous(&agent, &text);
        let written = warning.to_string();
        prop_assert_eq!(Warning::parse(&written), Ok(warning));
    }

    #[test]
    fn alarms(code in any::<u16>(), words in prop::array::uniform4("[A-Za-z0-9._\"\\\\-]{1,12}"), both in any::<bool>()) {
        let [name, active, inactive, last] = &words;
        let loads = if both {
            AlarmLoads::Both { active: active.into(), inactive: inactive.into() }
        } else {
            AlarmLoads::One(active.into())
        };
        let alarm = CiscoAlarm { code, name: name.into(), loads, last: last.into() };
        let written = alarm.to_string();
        prop_assert_eq!(CiscoAlarm::parse(&written), Some(alarm.clone()));
        let value = alarm.to_reason();
        prop_assert_eq!(Reason::parse(&value).unwrap().cisco_alarm(), Some(alarm));
    }

    #[test]
    fn challenges(realm in LINE, server in prop::option::of(LINE), scope in prop::option::of(LINE), error in prop::option::of(LINE)) {
        let mut challenge = BearerChallenge::new(&realm);
        if let Some(server) = &server {
            challenge = challenge.with_authz_server(server);
        }
        if let Some(scope) = &scope {
            challenge = challenge.with_scope(scope);
        }
        if let Some(error) = &error {
            challenge = challenge.with_error(error);
        }
        let written = format!("{challenge}, Digest realm=\"r\", nonce=\"n\"");
        let (first, rest) = WwwAuthenticate::decode(&written).unwrap();
        let Challenge::Bearer(read) = first.challenge() else { panic!("no Bearer") };
        prop_assert_eq!(read.realm(), Some(Text::Plain(&realm)));
        prop_assert_eq!(read.authz_server(), server.as_deref().map(Text::Plain));
        prop_assert_eq!(read.scope(), scope.as_deref().map(Text::Plain));
        prop_assert_eq!(read.error(), error.as_deref().map(Text::Plain));
        prop_assert_eq!(WwwAuthenticate::parse(rest).unwrap().challenge().scheme(), "Digest");
    }

    #[test]
    fn responses(code in 100_u16..1000, reason in r"[^\x00-\x08\x0a-\x1f\x7f]{0,24}", fields in prop::collection::vec((TOKEN, "[ -~]{0,30}"), 0..8), body in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut response = Response::new(StatusCode::new(code).unwrap());
        response.reason = reason;
        for (name, value) in &fields {
            if HeaderName::parse(name) != Ok(HeaderName::ContentLength) {
                response.headers.try_push(name, value).unwrap();
            }
        }
        response.headers.push(HeaderName::ContentLength, body.len());
        response.body = body;
        let bytes = response.to_bytes();
        let read = MessageView::parse(&bytes, &Limits::default()).unwrap().to_response().unwrap();
        prop_assert_eq!(&read.reason, &response.reason);
        prop_assert_eq!((read.status, &read.body), (response.status, &response.body));
        prop_assert_eq!(read.to_bytes(), bytes);
    }

    #[test]
    fn multipart_bodies(bodies in prop::collection::vec("[a-z0-9\r\n-]{0,40}", 1..5)) {
        let parts: Vec<_> = bodies.iter().map(|body| BodyPart::new("text/plain", body.as_str())).collect();
        let mut written = Multipart::new(free_boundary("-", &parts)).unwrap();
        written.parts = parts;
        let bytes = written.to_bytes().unwrap();
        let read = Multipart::parse(written.boundary(), &bytes, &Limits::default());
        prop_assert_eq!(read, Ok(written));
    }

    #[test]
    fn remotecc_bodies(all_lines in any::<bool>(), chosen in prop::sample::subsequence(Features::PHONE.iter().collect::<Vec<_>>(), 0..=14), code in any::<u16>()) {
        let features = chosen.into_iter().fold(Features::default(), |set, feature: Feature| set.with(feature));
        let body = RegisterBody { all_lines, offers: features };
        let kind = sip_oauth_message::remotecc::REGISTER_CONTENT_TYPE;
        let read = RegisterBody::decode(kind, &body.encode(), &Limits::default());
        prop_assert_eq!(read, Ok(Some(body)));
        let answer = ResponseBody { code, grants: features };
        prop_assert_eq!(ResponseBody::decode(&answer.encode()), Some(answer));
    }
}
