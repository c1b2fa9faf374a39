//! What this crate writes, held against the published messages, field by field and in their order.
//!
//! The messages are read from `$SIP_OAUTH_CORPUS/../wire`; without them the tests pass and say what they
//! skipped.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use std::path::PathBuf;
use std::time::SystemTime;

use sip_oauth_message::header::{Contact, To, Via};
use sip_oauth_message::{Headers, Limits, MessageView, Request, Response};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    Alarm, Client, ClientConfig, Device, Event, Instance, Line, Load, Target, Transport,
};
use sip_oauth_registration::registrar::{
    Arrival, DeviceLine, DeviceRecord, Listener, RegistrarConfig,
};
use support::{USER, registrar_with, token_of, wall};

fn wire(name: &str) -> Option<Vec<u8>> {
    let corpus = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/corpus"
            ))
        },
        PathBuf::from,
    );
    let folder = corpus.join("../wire");
    if !folder.is_dir() {
        println!("skipped: {name} (no folder {})", folder.display());
        return None;
    }
    Some(std::fs::read(folder.join(name)).unwrap())
}

fn request(bytes: &[u8]) -> Request {
    MessageView::parse(bytes, &Limits::default())
        .unwrap()
        .to_request()
        .unwrap()
}

fn response_of(bytes: &[u8]) -> Response {
    MessageView::parse(bytes, &Limits::default())
        .unwrap()
        .to_response()
        .unwrap()
}

/// Fails unless both have the same fields in the same order with the same values, but for `differing`,
/// whose values must differ and be of the same length.
fn assert_fields(ours: &Headers, theirs: &Headers, differing: &[&str]) {
    let names = |headers: &Headers| -> Vec<String> {
        headers
            .iter()
            .map(|field| field.name_text().to_owned())
            .collect()
    };
    assert_eq!(names(ours), names(theirs), "names and order");
    for (our, their) in ours.iter().zip(theirs.iter()) {
        let name = our.name_text();
        if differing.contains(&name) {
            assert_ne!(our.value(), their.value(), "{name}");
        } else {
            assert_eq!(our.value(), their.value(), "{name}");
        }
    }
}

fn date_of(headers: &Headers) -> SystemTime {
    httpdate::parse_http_date(headers.get("Date").unwrap()).unwrap()
}

/// A client configured as the one that sent `published`.
fn client_like(published: &Request) -> (Client, std::net::SocketAddr) {
    let contact: Contact<'_> = published.required().unwrap();
    let instance = contact.instance().unwrap();
    let instance = instance.rsplit('-').next().unwrap();
    let mut device = Device::csf(
        &contact.device_name().unwrap(),
        Instance::new(instance).unwrap(),
    );
    let reason = published
        .required::<sip_oauth_message::header::Reason<'_>>()
        .unwrap();
    let alarm = reason.cisco_alarm().unwrap();
    let sip_oauth_message::header::AlarmLoads::Both { active, inactive } = alarm.loads else {
        panic!("two loads")
    };
    device.load = Load::new(&active, &inactive);
    device.alarm = Some(Alarm::new(alarm.code, &alarm.last));
    let to: To<'_> = published.required().unwrap();
    let node = to.uri().host().unwrap().as_str().to_owned();
    let line = Line::new(
        to.uri().user().unwrap(),
        contact.uri().unwrap().user().unwrap(),
    );
    let via: Via<'_> = published.required().unwrap();
    let local = (via.host().ip().unwrap(), via.port().unwrap()).into();
    let config =
        ClientConfig::unified_cm(device, line, vec![Target::new(&node, 5090, Transport::Tls)]);
    (Client::new(config, Seeded::new(9)), local)
}

/// The first REGISTER and, after a challenge, the second.
fn our_registers(published: &Request) -> (Vec<u8>, Vec<u8>) {
    let (mut client, local) = client_like(published);
    let now = std::time::Instant::now();
    let date = date_of(&published.headers);
    client
        .provide_token(token_of(USER, wall()), None, now)
        .unwrap();
    client.start(now);
    let Some(Event::Connect { connection, .. }) = client.poll_event() else {
        panic!("no Connect")
    };
    client.handle_connected(connection, local, now);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    client.poll_transmit(date, &mut first).unwrap();
    let view = MessageView::parse(&first, &Limits::default()).unwrap();
    let arrival = Arrival::new(Listener::SipOAuth, 5090, local);
    let answer = registrar_like(published).handle(&arrival, &view, date, &mut Seeded::new(4));
    client.handle_message(connection, &support::response(answer).to_bytes(), now);
    client.poll_transmit(date, &mut second).unwrap();
    (first, second)
}

/// A registrar that knows the device of `published`.
fn registrar_like(published: &Request) -> sip_oauth_registration::registrar::Registrar {
    let registrar = registrar_with(RegistrarConfig::unified_cm("UCM2-PUB"));
    let contact: Contact<'_> = published.required().unwrap();
    let to: To<'_> = published.required().unwrap();
    let (name, line) = (contact.device_name().unwrap(), to.uri().user().unwrap());
    registrar.database().edit(|cluster| {
        let device = DeviceRecord::csf(&name, "oauth", USER, [DeviceLine::new(line)]);
        cluster.put_device(device).unwrap();
        cluster.restart("UCM2-PUB").unwrap();
    });
    registrar
}

#[test]
fn the_first_register_is_the_published_one() {
    let Some(bytes) = wire("01-onprem-register-no-credentials.reconstructed.txt") else {
        return;
    };
    let theirs = request(&bytes);
    let ours = request(&our_registers(&theirs).0);
    assert_eq!((&ours.method, ours.uri()), (&theirs.method, theirs.uri()));
    // Branch, tag, the random part of the Call-ID and the starting number are the client's own.
    assert_fields(
        &ours.headers,
        &theirs.headers,
        &["Via", "From", "Call-ID", "CSeq"],
    );
    for name in ["Via", "From", "Call-ID"] {
        let length = |headers: &Headers| headers.get(name).unwrap().len();
        assert_eq!(
            length(&ours.headers),
            length(&theirs.headers),
            "{name} has the published form"
        );
    }
    assert_eq!(ours.body, theirs.body);
    assert_eq!(ours.body.len(), 1271);
}

#[test]
fn the_register_with_the_token_is_the_published_one() {
    let Some(bytes) = wire("03-onprem-register-bearer-token.reconstructed.txt") else {
        return;
    };
    let theirs = request(&bytes);
    let ours = request(&our_registers(&theirs).1);
    assert_eq!((&ours.method, ours.uri()), (&theirs.method, theirs.uri()));
    let differing = ["Via", "From", "Call-ID", "CSeq", "Proxy-Authorization"];
    assert_fields(&ours.headers, &theirs.headers, &differing);
    assert!(
        ours.headers
            .get("Proxy-Authorization")
            .unwrap()
            .starts_with("Bearer token=\"")
    );
    assert_eq!(ours.body, theirs.body);
}

#[test]
fn the_407_is_the_published_one() {
    let Some(asked) = wire("01-onprem-register-no-credentials.reconstructed.txt") else {
        return;
    };
    let Some(answered) = wire("02-onprem-407-bearer-challenge.txt") else {
        return;
    };
    let theirs = response_of(&answered);
    let ours = answer_to(&asked, &theirs);
    assert_eq!((ours.status, &ours.reason), (theirs.status, &theirs.reason));
    assert_fields(&ours.headers, &theirs.headers, &["To"]);
}

#[test]
fn the_200_is_the_published_one() {
    let Some(asked) = wire("03-onprem-register-bearer-token.reconstructed.txt") else {
        return;
    };
    let Some(answered) = wire("04-onprem-200-ok.reconstructed.txt") else {
        return;
    };
    // The published request has words in place of its token.
    let text = String::from_utf8(asked).unwrap();
    let (head, rest) = text.split_once("token=\"").unwrap();
    let (_, tail) = rest.split_once('"').unwrap();
    let token = token_of(USER, wall());
    let asked = format!("{head}token=\"{}\"{tail}", token.expose());
    let theirs = response_of(&answered);
    let ours = answer_to(asked.as_bytes(), &theirs);
    assert_eq!((ours.status, &ours.reason), (theirs.status, &theirs.reason));
    assert_fields(&ours.headers, &theirs.headers, &["To"]);
    assert_eq!(ours.body, theirs.body);
    assert_eq!(ours.body.len(), 381);
}

#[test]
fn the_403_is_the_published_one() {
    let Some(answered) = wire("05-onprem-403-port-mismatch.txt") else {
        return;
    };
    let theirs = response_of(&answered);
    // The request it answers is not published; this is what the answer repeats of it, and a device.
    let field = |name: &str| theirs.headers.get(name).unwrap();
    let to = field("To").split(";tag=").next().unwrap();
    let asked = format!(
        "REGISTER sip:UCM2-PUB SIP/2.0\r\nVia: {}\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\nMax-Forwards: 70\r\n\
         CSeq: {}\r\nContact: <sip:x@192.0.2.1>;+u.sip!devicename.ccm.cisco.com=\"CSFX\"\r\n\
         Content-Length: 0\r\n\r\n",
        field("Via"),
        field("From"),
        field("Call-ID"),
        field("CSeq"),
    );
    let ours = answer_on(asked.as_bytes(), &theirs, Listener::Sip);
    assert_eq!((ours.status, &ours.reason), (theirs.status, &theirs.reason));
    assert_fields(&ours.headers, &theirs.headers, &["To"]);
}

fn answer_to(asked: &[u8], published: &Response) -> Response {
    answer_on(asked, published, Listener::SipOAuth)
}

fn answer_on(asked: &[u8], published: &Response, listener: Listener) -> Response {
    let view = MessageView::parse(asked, &Limits::default()).unwrap();
    let via: Via<'_> = view.required().unwrap();
    let peer = (via.host().ip().unwrap(), via.port().unwrap()).into();
    let registrar = registrar_like(&view.to_request().unwrap());
    let date = date_of(&published.headers);
    let arrival = Arrival::new(listener, 0, peer);
    support::response(registrar.handle(&arrival, &view, date, &mut Seeded::new(5)))
}

/// RFC 3261 section 25.1: what is no `hostport` can be in no Request-URI. A node that is called so is asked nothing, and the next
/// one is in time.
#[test]
fn a_node_whose_name_can_be_no_host_is_sent_nothing() {
    for name in ["ucm one", "ucm1;x=y", "ucm1>\r\nX: y", "ucm@1", ""] {
        let device = Device::csf("CSFX", Instance::new("005056aabbcc").unwrap());
        let nodes = [name, "ucm2.example.com"].map(|node| Target::new(node, 5090, Transport::Tls));
        let config = ClientConfig::unified_cm(device, Line::new("1010", "x"), nodes.to_vec());
        let mut client = Client::new(config, Seeded::new(1));
        let mut now = std::time::Instant::now();
        client.start(now);
        let mut sent_to = Vec::new();
        for _ in 0..20 {
            while let Some(event) = client.poll_event() {
                if let Event::Connect { connection, target } = event {
                    client.handle_connected(connection, ([192, 0, 2, 1], 5000).into(), now);
                    let mut out = Vec::new();
                    if client.poll_transmit(wall(), &mut out).is_some() {
                        sent_to.push(target.node);
                    }
                    assert_eq!(out.is_empty(), sent_to.is_empty(), "{name:?}");
                }
            }
            if let Some(due) = client.poll_timeout().filter(|_| sent_to.is_empty()) {
                now = due;
                client.handle_timeout(now);
            }
        }
        assert_eq!(sent_to, ["ucm2.example.com"], "{name:?}");
    }
}
