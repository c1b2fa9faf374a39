//! The bodies of a Cisco registration, to the byte.

use sip_oauth_message::remotecc::{
    Feature, Features, REGISTER_CONTENT_TYPE, RegisterBody, ResponseBody,
};
use sip_oauth_message::{Limits, multipart};

#[test]
fn register_bodies_have_their_published_lengths() {
    assert_eq!(RegisterBody::JABBER.encode().len(), 1271);
    assert_eq!(RegisterBody::PHONE.encode().len(), 1313);
}

#[test]
fn register_body_ends_lines_with_lf_inside_and_crlf_outside_the_documents() {
    let body = RegisterBody::JABBER.encode();
    let limits = Limits::default();
    let parts = multipart::parts("uniqueBoundary", &body, &limits);
    let parts: Vec<_> = parts.collect::<Result<_, _>>().expect("two parts");
    assert_eq!(parts.len(), 2);
    for part in &parts {
        assert!(!part.body().contains(&b'\r'));
        let kind = part.content_type().expect("well formed").expect("present");
        assert!(kind.is("application", "x-cisco-remotecc-request+xml"));
        let disposition = part.content_disposition().expect("well formed");
        assert!(disposition.expect("present").is_optional());
    }
    assert!(parts[0].body().ends_with(b"</x-cisco-remotecc-request>\n"));
    assert!(parts[1].body().ends_with(b"</x-cisco-remotecc-request>"));
    assert!(body.ends_with(b"\r\n--uniqueBoundary--\r\n"));
}

#[test]
fn register_bodies_read_back() {
    let some = Features::default()
        .with(Feature::Ix)
        .with(Feature::HookStatus);
    for (all_lines, offers) in [
        (true, Features::JABBER),
        (true, Features::PHONE),
        (false, some),
        (true, Features::default()),
    ] {
        let body = RegisterBody { all_lines, offers };
        let read = RegisterBody::decode(REGISTER_CONTENT_TYPE, &body.encode(), &Limits::default());
        assert_eq!(read, Ok(Some(body)));
    }
}

/// What devices send byte for byte is known without being read; the same with a byte more before it is read, and says
/// the same.
#[test]
fn a_known_body_says_what_it_says_when_it_is_read() {
    for known in [RegisterBody::JABBER, RegisterBody::PHONE] {
        let mut read = b"\r\n".to_vec();
        read.extend(known.encode());
        for body in [known.encode(), read] {
            let decoded = RegisterBody::decode(REGISTER_CONTENT_TYPE, &body, &Limits::default());
            assert_eq!(decoded, Ok(Some(known)));
        }
    }
}

#[test]
fn response_grants_what_was_offered_and_is_grantable() {
    let all = ResponseBody::answering(Features::JABBER);
    assert_eq!(all.encode().len(), 381);
    assert_eq!(ResponseBody::answering(Features::PHONE), all);
    let offers = Features::JABBER.without(Feature::Ix).without(Feature::Bfcp);
    let fewer = ResponseBody::answering(offers);
    assert_eq!(fewer.encode().len(), 367);
    assert!(!fewer.grants.contains(Feature::Ix));
    assert_eq!(ResponseBody::decode(&fewer.encode()), Some(fewer));
    assert!(
        all.encode()
            .ends_with(b"</x-cisco-remotecc-response>\n\r\n")
    );
}

#[test]
fn other_bodies_are_not_mistaken_for_remotecc() {
    let limits = Limits::default();
    assert_eq!(
        RegisterBody::decode("application/sdp", b"v=0\r\n", &limits),
        Ok(None)
    );
    assert_eq!(ResponseBody::decode(b"v=0\r\n"), None);
    assert!(RegisterBody::decode("multipart/mixed;boundary=x", b"--y\r\n", &limits).is_err());
}

#[test]
fn every_grant_reads_back() {
    let grants = Features::PHONE;
    let body = ResponseBody { code: 200, grants };
    assert_eq!(ResponseBody::decode(&body.encode()), Some(body));
}
