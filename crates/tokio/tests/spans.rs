//! Each line about a transaction stands in its span, also where the request is not judged or waits for somebody else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::sync::Arc;

use sip_oauth_registration::registrar::{Listener, TokenFinding};
use sip_oauth_token::{KeySet, Policy, VerifiedToken, Verifier};
use sip_oauth_tokio::{BoxFuture, Enquiry, RegistrarServer, ServerLimits};
use support::{DEVICE, Estate, NODE, UUID, kept::Kept, loopback, quick, soon};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Says that it is asked, and knows nothing.
struct Asked;

impl Enquiry for Asked {
    fn enquire<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<VerifiedToken, TokenFinding>> {
        Box::pin(async {
            tracing::info!("somebody is asked");
            Err(TokenFinding::unavailable("it knows nothing"))
        })
    }
}

/// Sends, and reads one answer.
async fn ask(tcp: &mut TcpStream, request: &str) -> String {
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let read = soon(tcp.read(&mut buffer)).await.unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

fn request(method: &str, call_id: &str, lines: &str) -> String {
    format!(
        "{method} sip:{NODE} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK-{call_id}\r\n\
         From: <sip:1010@{NODE}>;tag=1\r\nTo: <sip:1010@{NODE}>\r\nCall-ID: {call_id}\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\n{lines}Content-Length: 0\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_transaction_tells_in_its_own_span() {
    let log = Kept::from(tracing::Level::INFO);
    let estate = Estate::new();
    let nothing = Verifier::new(KeySet::builder().build(), Policy::unified_cm(UUID));
    estate.registrar.set_verifier(Arc::new(nothing));
    let server = RegistrarServer::builder(Arc::clone(&estate.registrar), Arc::clone(&estate.tls))
        .listen(Listener::SipOAuth, loopback(0))
        .listen(Listener::Sip, loopback(0))
        .timeouts(quick())
        .limits(ServerLimits::new().connections(1))
        .enquiry(Arc::new(Asked))
        .start()
        .await
        .unwrap();
    let address = server.local_addr(Listener::Sip).unwrap();
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let unreadable = request("OPTIONS", "unreadable", "no colon\r\n");
    assert!(ask(&mut tcp, &unreadable).await.contains(" 400 "));
    // There is room for one connection: the next is told so.
    let mut second = TcpStream::connect(address).await.unwrap();
    let overload = request("OPTIONS", "overload", "");
    assert!(ask(&mut second, &overload).await.contains(" 503 "));
    drop((tcp, second));
    soon(async {
        while server.connections() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    // Of a key the node does not have.
    let token = estate.token().token;
    let lines = format!(
        "Contact: <sip:1010@127.0.0.1>;+u.sip!devicename.ccm.cisco.com=\"{DEVICE}\"\r\n\
         Proxy-Authorization: Bearer token=\"{}\"\r\n",
        token.expose()
    );
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let transport = sip_oauth_registration::client::Transport::Tls;
    let connected = soon(estate.connector().connect(NODE, port, transport)).await;
    let (mut stream, _) = connected.unwrap();
    let enquiry = request("REGISTER", "enquiry", &lines);
    stream.write_all(enquiry.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let read = soon(stream.read(&mut buffer)).await.unwrap();
    assert!(buffer[..read].starts_with(b"SIP/2.0 503 "));
    soon(server.shutdown()).await;

    let log = log.text();
    for (said, method, call_id) in [
        ("request not read", "OPTIONS", "unreadable"),
        ("request turned away", "OPTIONS", "overload"),
        ("somebody is asked", "REGISTER", "enquiry"),
    ] {
        let span = format!(
            "transaction{{method=\"{method}\" branch=\"z9hG4bK-{call_id}\" call_id=\"{call_id}\"}}"
        );
        let lines: Vec<_> = log.lines().filter(|line| line.contains(said)).collect();
        assert!(
            matches!(lines.as_slice(), [line] if line.contains(&span)),
            "{said}: {lines:#?}\n{log}"
        );
    }
}
