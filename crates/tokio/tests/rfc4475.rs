//! The torture messages of RFC 4475, sent over the registrar's sockets.
//!
//! They are read from `$SIP_OAUTH_CORPUS` (default `../shared/corpus` beside the workspace); where it is absent, the test
//! passes and says so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::path::PathBuf;

use serde_json::Value;
use sip_oauth_registration::{client::Transport, registrar::Listener};
use sip_oauth_tokio::RegistrarServer;
use support::{Estate, NODE, soon};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/corpus"
            ))
        },
        PathBuf::from,
    );
    Some(corpus.join("sip/rfc4475")).filter(|folder| folder.is_dir())
}

/// Sends a message, ends our direction, and gives the statuses of what is answered until the other side closes.
async fn statuses<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, message: &[u8]) -> Vec<u16> {
    let mut answer = Vec::new();
    soon(async {
        // The other side may have closed in the middle of it.
        let _ = stream.write_all(message).await;
        let _ = stream.flush().await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    })
    .await;
    String::from_utf8_lossy(&answer)
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok())
        .collect()
}

async fn over_tcp(server: &RegistrarServer, message: &[u8]) -> Vec<u16> {
    let address = server.local_addr(Listener::Sip).unwrap();
    statuses(TcpStream::connect(address).await.unwrap(), message).await
}

async fn over_tls(estate: &Estate, server: &RegistrarServer, message: &[u8]) -> Vec<u16> {
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let connector = estate.connector();
    let (stream, _) = soon(connector.connect(NODE, port, Transport::Tls))
        .await
        .unwrap();
    statuses(stream, message).await
}

/// What a registrar of other domains, which takes REGISTER and OPTIONS of its own (RFC 3261 section 8.2.2.1), answers to each. Where there is no status the
/// connection is closed without an answer: to a response, and to what is no message.
const ANSWERS: [(&str, &[u16]); 50] = [
    ("wsinv", &[405]),
    ("intmeth", &[501]),
    ("esc01", &[405]),
    ("escnull", &[404]),
    ("esc02", &[501]),
    ("lwsdisp", &[404]), // OPTIONS, here and below
    ("longreq", &[405]),
    ("dblreq", &[404, 405]), // two in one
    ("semiuri", &[404]),
    ("transports", &[404]),
    ("mpart01", &[405]),
    ("unreason", &[]), // a response
    ("noreason", &[]), // a response
    ("badinv01", &[405]),
    ("clerr", &[400]), // ends before its body does
    ("ncl", &[400]),
    ("scalar02", &[400]),
    ("scalarlg", &[]),   // a response
    ("quotbal", &[405]), // the method is looked at first (RFC 3261 section 8.2.1)
    ("ltgtruri", &[400]),
    ("lwsruri", &[400]),
    ("lwsstart", &[400]),
    ("trws", &[400]),
    ("escruri", &[405]),
    ("baddate", &[405]),
    ("regbadct", &[400]),
    ("badaspec", &[400]),
    ("baddn", &[400]), // and ends before its head does
    ("badvers", &[505]),
    ("mismatch01", &[400]),
    ("mismatch02", &[501]),
    ("bigcode", &[]), // a response
    ("badbranch", &[404]),
    ("insuf", &[405]),
    ("unkscm", &[416]),
    ("novelsc", &[416]),
    ("unksm2", &[416]),
    ("bext01", &[420]),
    ("invut", &[405]),
    ("regaut01", &[404]),
    ("multi01", &[405]),
    ("mcl01", &[400]), // two lengths
    ("bcast", &[]),    // a response
    ("zeromf", &[404]),
    ("cparam01", &[404]),
    ("cparam02", &[404]),
    ("regescrt", &[404]),
    ("sdp01", &[405]),
    ("inv2543", &[400]), // no Content-Length on a stream
    ("test", &[]),       // no message
];

/// Over TCP and over TLS (RFC 3261 sections 8.2 and 18.3): none of them is waited on, none ends the server, none makes a
/// binding.
#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_answered_or_its_connection_closed() {
    let Some(folder) = corpus() else {
        println!("skipped: rfc4475 (no corpus; set SIP_OAUTH_CORPUS)");
        return;
    };
    let manifest = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let Value::Array(cases) = serde_json::from_str(&manifest).unwrap() else {
        panic!("expected.json is no list");
    };
    let estate = Estate::new();
    let server = estate.serve().await;
    let mut answers = Vec::new();
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        let message = std::fs::read(folder.join(case["file"].as_str().unwrap())).unwrap();
        let plain = over_tcp(&server, &message).await;
        assert_eq!(over_tls(&estate, &server, &message).await, plain, "{id}");
        answers.push((id, plain));
    }
    let expected: Vec<_> = ANSWERS.map(|(id, statuses)| (id, statuses.to_vec())).into();
    assert_eq!(answers, expected);
    assert_eq!(estate.bindings(), 0);
    let options = b"OPTIONS sip:ucm1.example.com SIP/2.0\r\n\
        Via: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bK1\r\n\
        From: <sip:1010@ucm1.example.com>;tag=1\r\n\
        To: <sip:ucm1.example.com>\r\n\
        Call-ID: 1@192.0.2.10\r\n\
        CSeq: 1 OPTIONS\r\n\
        Max-Forwards: 70\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(over_tcp(&server, options).await, [200], "it still serves");
    estate
        .trace
        .until("all are closed", |_| server.connections() == 0)
        .await;
    server.shutdown().await;
}
