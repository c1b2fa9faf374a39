//! A stop that answers what it has: no request that has begun to arrive is left without its answer, and nobody who says
//! nothing is waited for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{sync::Arc, time::Duration};

use rustls::{ClientConnection, pki_types::ServerName};
use sip_oauth_registration::{
    client::Transport,
    registrar::{Listener, TokenFinding},
};
use sip_oauth_token::{KeySet, Policy, VerifiedToken, Verifier};
use sip_oauth_tokio::{BoxFuture, Enquiry, RegistrarServer, ServerLimits};
use support::{BOTH, DEVICE, Estate, NODE, UUID, client_tls, loopback, quick, soon};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
    time::Instant,
};

const OPTIONS: &str = "OPTIONS sip:ucm1.example.com SIP/2.0\r\n\
    Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n\
    To: <sip:ucm1.example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

/// What the other side says until it ends the connection.
async fn to_the_end<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut read = Vec::new();
    soon(stream.read_to_end(&mut read)).await.unwrap();
    String::from_utf8(read).unwrap()
}

/// Begins to stop, and returns when this listener accepts nobody any more.
async fn stopping(server: RegistrarServer, listener: Listener) -> JoinHandle<()> {
    let address = server.local_addr(listener).unwrap();
    let stopping = tokio::spawn(server.shutdown());
    soon(async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    stopping
}

/// A time to stop in that a test does not reach.
fn patient() -> sip_oauth_tokio::Timeouts {
    let long = Duration::from_secs(30);
    quick().shutdown(long).handshake(long)
}

/// A client in the middle of its handshake: its ClientHello is sent, the server's answer taken.
async fn half_shaken(estate: &Estate, server: &RegistrarServer) -> (TcpStream, ClientConnection) {
    let config = client_tls(estate.authority.store("client trust"), None, BOTH);
    let name = ServerName::try_from(NODE).unwrap();
    let mut tls = ClientConnection::new(config, name).unwrap();
    let address = server.local_addr(Listener::SipOAuth).unwrap();
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    tcp.write_all(&hello).await.unwrap();
    let mut buffer = vec![0; 16 * 1024];
    while tls.is_handshaking() {
        let read = soon(tcp.read(&mut buffer)).await.unwrap();
        tls.read_tls(&mut &buffer[..read]).unwrap();
        tls.process_new_packets().unwrap();
    }
    (tcp, tls)
}

/// Sends what TLS has to send, and gives the text that comes until the server ends the connection in order.
async fn finish(mut tcp: TcpStream, mut tls: ClientConnection) -> String {
    let mut out = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut out).unwrap();
    }
    tcp.write_all(&out).await.unwrap();
    let (mut text, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        let read = soon(tcp.read(&mut buffer)).await.unwrap();
        tls.read_tls(&mut &buffer[..read]).unwrap();
        let state = tls.process_new_packets().unwrap();
        let mut plain = vec![0; state.plaintext_bytes_to_read()];
        std::io::Read::read_exact(&mut tls.reader(), &mut plain).unwrap();
        text.extend(plain);
        if state.peer_has_closed() {
            return String::from_utf8(text).unwrap();
        }
        assert_ne!(read, 0, "ended without close_notify");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_under_way_is_finished_and_its_request_answered() {
    let estate = Estate::new();
    let server = estate.serve_with(patient(), ServerLimits::new()).await;
    let (with_request, mut tls) = half_shaken(&estate, &server).await;
    let (without, silent) = half_shaken(&estate, &server).await;
    let stopping = stopping(server, Listener::SipOAuth).await;
    std::io::Write::write_all(&mut tls.writer(), OPTIONS.as_bytes()).unwrap();
    // The request arrives together with the end of the handshake.
    let answer = finish(with_request, tls).await;
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    assert_eq!(finish(without, silent).await, "", "closed in order");
    soon(stopping).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_begun_to_shake_hands_is_not_waited_for() {
    let estate = Estate::new();
    let server = estate.serve_with(patient(), ServerLimits::new()).await;
    let address = server.local_addr(Listener::SipOAuth).unwrap();
    let mut silent = TcpStream::connect(address).await.unwrap();
    soon(async {
        while server.connections() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let started = Instant::now();
    soon(server.shutdown()).await;
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(soon(silent.read(&mut [0; 1])).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_which_a_part_has_come_is_answered() {
    let estate = Estate::new();
    let server = estate.serve_with(patient(), ServerLimits::new()).await;
    let address = server.local_addr(Listener::Sip).unwrap();
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let (first, rest) = OPTIONS.split_at(OPTIONS.len() / 2);
    // Answered once, so that what follows is known to be at the server when it is told to stop.
    let begun = [OPTIONS, first].concat();
    tcp.write_all(begun.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let read = soon(tcp.read(&mut buffer)).await.unwrap();
    assert!(buffer[..read].starts_with(b"SIP/2.0 200 "));
    let stopping = stopping(server, Listener::Sip).await;
    tcp.write_all(rest.as_bytes()).await.unwrap();
    let answer = to_the_end(&mut tcp).await;
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer:?}");
    soon(stopping).await.unwrap();
}

/// Knows when it is asked, and says nothing before it may.
#[derive(Default)]
struct Slow {
    asked: Arc<tokio::sync::Notify>,
    may_answer: Arc<tokio::sync::Notify>,
}

impl Enquiry for Slow {
    fn enquire<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<VerifiedToken, TokenFinding>> {
        Box::pin(async {
            self.asked.notify_one();
            self.may_answer.notified().await;
            Err(TokenFinding::unavailable("nothing is known"))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_for_an_authorization_server_is_answered() {
    let estate = Estate::new();
    let nothing = Verifier::new(KeySet::builder().build(), Policy::unified_cm(UUID));
    estate.registrar.set_verifier(Arc::new(nothing));
    let slow = Slow::default();
    let (asked, may_answer) = (Arc::clone(&slow.asked), Arc::clone(&slow.may_answer));
    let server = RegistrarServer::builder(Arc::clone(&estate.registrar), Arc::clone(&estate.tls))
        .listen(Listener::SipOAuth, loopback(0))
        .timeouts(patient())
        .enquiry(Arc::new(slow))
        .start()
        .await
        .unwrap();
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let connector = estate.connector();
    let connected = soon(connector.connect(NODE, port, Transport::Tls)).await;
    let (mut stream, _) = connected.unwrap();
    let token = estate.token().token;
    let register = format!(
        "REGISTER sip:{NODE} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1\r\n\
         From: <sip:1010@{NODE}>;tag=1\r\nTo: <sip:1010@{NODE}>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:1010@127.0.0.1>;+u.sip!devicename.ccm.cisco.com=\"{DEVICE}\"\r\n\
         Proxy-Authorization: Bearer token=\"{}\"\r\nContent-Length: 0\r\n\r\n",
        token.expose()
    );
    stream.write_all(register.as_bytes()).await.unwrap();
    soon(asked.notified()).await;
    let stopping = stopping(server, Listener::SipOAuth).await;
    may_answer.notify_one();
    let answer = to_the_end(&mut stream).await;
    assert!(answer.starts_with("SIP/2.0 503 "), "{answer}");
    soon(stopping).await.unwrap();
}
