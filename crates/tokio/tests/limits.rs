//! What a stranger may take up: time, bytes, connections.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::time::Duration;

use sip_oauth_registration::{client::Transport, registrar::Listener};
use sip_oauth_tokio::{ServerLimits, Timeouts};
use support::{Estate, NODE, quick, soon};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

/// Reads until the other side ends the connection, in whichever way.
async fn until_closed<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = soon(stream.read_to_end(&mut read)).await;
    read
}

fn short() -> Timeouts {
    let time = Duration::from_millis(200);
    quick()
        .handshake(time)
        .first_message(time)
        .message(time)
        .idle(Duration::from_millis(500))
}

async fn tcp_to(server: &sip_oauth_tokio::RegistrarServer, listener: Listener) -> TcpStream {
    TcpStream::connect(server.local_addr(listener).unwrap())
        .await
        .unwrap()
}

mod time {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_peer_that_connects_and_says_nothing_is_dropped() {
        let estate = Estate::new();
        let server = estate.serve_with(short(), ServerLimits::new()).await;
        for listener in [Listener::SipOAuth, Listener::SipMraOAuth, Listener::Sip] {
            // Before the server can have begun to count.
            let start = Instant::now();
            let mut tcp = tcp_to(&server, listener).await;
            until_closed(&mut tcp).await;
            assert!(start.elapsed() >= Duration::from_millis(150), "{listener}");
        }
        let limited = estate.trace.limited();
        assert!(limited[0].contains("handshake"), "{limited:?}");
        assert!(limited[2].contains("no first message"), "{limited:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_peer_that_sends_a_message_byte_by_byte_is_dropped() {
        let estate = Estate::new();
        let timeouts = short().first_message(Duration::from_secs(20));
        let server = estate.serve_with(timeouts, ServerLimits::new()).await;
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        let (mut reader, mut writer) = tcp.split();
        let start = Instant::now();
        let trickle = async {
            for byte in b"REGISTER sip:ucm1.example.com SIP/2.0\r\n".iter().cycle() {
                if writer.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            _ = until_closed(&mut reader) => {}
            () = trickle => {}
        }
        assert!(start.elapsed() < Duration::from_secs(15));
        let limited = estate.trace.limited();
        assert!(limited[0].contains("a message took longer"), "{limited:?}");
    }

    /// RFC 3261 section 18.3, RFC 4475 section 3.1.2.2: Content-Length promises more than comes.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_peer_that_never_sends_its_body_is_told_400_and_dropped() {
        let estate = Estate::new();
        let server = estate.serve_with(short(), ServerLimits::new()).await;
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        let longer = options("").replace("Content-Length: 0", "Content-Length: 9");
        tcp.write_all(longer.as_bytes()).await.unwrap();
        let answer = String::from_utf8(until_closed(&mut tcp).await).unwrap();
        assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
        let limited = estate.trace.limited();
        assert!(limited[0].contains("a message took longer"), "{limited:?}");
        // A value that was cut off is not repeated.
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        let cut = longer.find("TIONS\r\nContent-Length").unwrap();
        tcp.write_all(&longer.as_bytes()[..cut]).await.unwrap();
        assert!(until_closed(&mut tcp).await.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keep_alives_are_answered_and_keep_a_connection_from_idling() {
        let estate = Estate::new();
        let timeouts = quick().idle(Duration::from_secs(2));
        let server = estate.serve_with(timeouts, ServerLimits::new()).await;
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        tcp.write_all(b"OPTIONS sip:ucm1.example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:ucm1.example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        let mut buffer = [0; 4096];
        let read = soon(tcp.read(&mut buffer)).await.unwrap();
        assert!(buffer[..read].starts_with(b"SIP/2.0 "));
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(200)).await;
            tcp.write_all(b"\r\n\r\n").await.unwrap();
            let read = soon(tcp.read(&mut buffer)).await.unwrap();
            assert_eq!(&buffer[..read], b"\r\n");
        }
        // More than the idle time has passed; silence ends it.
        until_closed(&mut tcp).await;
        let limited = estate.trace.limited();
        assert!(limited[0].contains("idle"), "{limited:?}");
    }
}

mod bytes {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_message_beyond_the_limit_closes_the_connection() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let connector = estate.connector();
        let port = server.local_addr(Listener::SipOAuth).unwrap().port();
        let (mut stream, _) = connector.connect(NODE, port, Transport::Tls).await.unwrap();
        let head = "REGISTER sip:ucm1.example.com SIP/2.0\r\nContent-Length: 999999999\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(until_closed(&mut stream).await.is_empty());
        let limited = estate.trace.limited();
        assert!(limited[0].contains("size limit"), "{limited:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_first_message_is_bounded_more_narrowly_than_later_ones() {
        let estate = Estate::new();
        let limits = ServerLimits::new().first_message_bytes(2000);
        let server = estate.serve_with(quick(), limits).await;
        let body = "x".repeat(4000);
        let long = options("").replace(
            "Content-Length: 0\r\n\r\n",
            &format!("Content-Length: 4000\r\n\r\n{body}"),
        );
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        let answer = ask(&mut tcp, &options("")).await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        let answer = ask(&mut tcp, &long).await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");

        let mut stranger = tcp_to(&server, Listener::Sip).await;
        let _ = stranger.write_all(&long.as_bytes()[..3000]).await;
        assert!(until_closed(&mut stranger).await.is_empty());
        let limited = estate.trace.limited();
        assert!(
            limited[0].contains("within the first 2000 bytes"),
            "{limited:?}"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_not_sip_closes_the_connection() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(until_closed(&mut tcp).await.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn plain_sip_on_the_tls_port_gets_a_tls_alert() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let mut tcp = tcp_to(&server, Listener::SipOAuth).await;
        tcp.write_all(b"REGISTER sip:ucm1.example.com SIP/2.0\r\n\r\n")
            .await
            .unwrap();
        let alert = until_closed(&mut tcp).await;
        assert!(alert.starts_with(&[0x15, 3]), "{alert:?}");
        let refusals = estate.trace.refusals();
        assert_eq!(refusals[0].1.reason, sip_oauth_trust::Reason::NotTls);
    }
}

/// An OPTIONS with these lines between CSeq and Content-Length.
fn options(lines: &str) -> String {
    format!(
        "OPTIONS sip:ucm1.example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: <sip:a@example.com>;tag=1\r\nTo: <sip:ucm1.example.com>\r\nCall-ID: 1\r\n\
         CSeq: 1 OPTIONS\r\n{lines}Content-Length: 0\r\n\r\n"
    )
}

/// Sends and reads one answer.
async fn ask<S>(stream: &mut S, request: &str) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let read = soon(stream.read(&mut buffer)).await.unwrap();
    String::from_utf8(buffer[..read].to_vec()).unwrap()
}

mod answers {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_frames_but_does_not_parse_is_answered_400_and_the_connection_stays() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        let answer = ask(&mut tcp, &options("a line without a colon\r\n")).await;
        assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
        assert!(answer.contains("\r\nCSeq: 1 OPTIONS\r\n"), "{answer}");
        let answer = ask(&mut tcp, &options("")).await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        // Nobody could be answered here.
        let unanswerable = options("no colon\r\n").replace("Via:", "X:");
        tcp.write_all(unanswerable.as_bytes()).await.unwrap();
        assert!(until_closed(&mut tcp).await.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_beyond_the_limit_is_told_503_and_when_to_come_back() {
        let estate = Estate::new();
        let limits = ServerLimits::new().connections(1).turned_away(1);
        let server = estate.serve_with(quick(), limits).await;
        let mut first = tcp_to(&server, Listener::Sip).await;
        let answer = ask(&mut first, &options("")).await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        let mut second = tcp_to(&server, Listener::Sip).await;
        let answer = ask(&mut second, &options("")).await;
        assert!(answer.starts_with("SIP/2.0 503 "), "{answer}");
        assert!(answer.contains("\r\nRetry-After: 30\r\n"), "{answer}");
        assert!(until_closed(&mut second).await.is_empty());
        drop(second);
        // TLS is shaken hands on first: the answer is for whoever can be told apart from a flood.
        let port = server.local_addr(Listener::SipOAuth).unwrap().port();
        let connector = estate.connector();
        let (mut third, _) = soon(async {
            loop {
                // The place of the second is free when its connection is closed.
                match connector.connect(NODE, port, Transport::Tls).await {
                    Ok(connected) => return connected,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        })
        .await;
        let answer = ask(&mut third, &options("")).await;
        assert!(answer.starts_with("SIP/2.0 503 "), "{answer}");
        assert_eq!(server.connections(), 1);
        // While one is being told, the next is closed unheard. Who is told before may still have the place that the first of
        // the two is to have, and may give it up to the second.
        soon(async {
            loop {
                let _occupied = tcp_to(&server, Listener::Sip).await;
                let mut unheard = tcp_to(&server, Listener::Sip).await;
                let _ = unheard.write_all(options("").as_bytes()).await;
                if until_closed(&mut unheard).await.is_empty() {
                    return;
                }
            }
        })
        .await;
    }

    /// Asks until the answer has this status, and does `before` each time.
    async fn until_answered(tcp: &mut TcpStream, status: &str, before: impl Fn()) -> String {
        loop {
            before();
            tokio::time::sleep(Duration::from_millis(1)).await;
            let answer = ask(tcp, &options("")).await;
            if answer.starts_with(&format!("SIP/2.0 {status} ")) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One thread: while it is kept busy, everything that is due waits.
    #[tokio::test]
    async fn an_overloaded_server_answers_503_and_recovers() {
        let estate = Estate::new();
        let timeouts = quick().overload(Duration::from_millis(400));
        let server = estate.serve_with(timeouts, ServerLimits::new()).await;
        let mut tcp = tcp_to(&server, Listener::Sip).await;
        // A machine that is busy with other things may make the server late, or give it the time to recover, at any moment:
        // each of the three comes in the end.
        soon(async {
            until_answered(&mut tcp, "200", || ()).await;
            // Blocked for so long, the timer that runs next is late.
            let block = || std::thread::sleep(Duration::from_millis(900));
            let answer = until_answered(&mut tcp, "503", block).await;
            assert!(answer.contains("\r\nRetry-After: "), "{answer}");
            until_answered(&mut tcp, "200", || ()).await;
        })
        .await;
    }
}

mod connections {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn beyond_the_limit_of_one_address_connections_are_not_taken() {
        let estate = Estate::new();
        let limits = ServerLimits::new().connections_per_peer(2);
        let server = estate.serve_with(quick(), limits).await;
        let first = tcp_to(&server, Listener::Sip).await;
        let _second = tcp_to(&server, Listener::Sip).await;
        let mut third = tcp_to(&server, Listener::Sip).await;
        until_closed(&mut third).await;
        assert_eq!(server.connections(), 2);
        drop(first);
        soon(async {
            while server.connections() == 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        let _fourth = tcp_to(&server, Listener::Sip).await;
        soon(async {
            while server.connections() < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn silent_peers_do_not_use_up_the_handshakes() {
        let estate = Estate::new();
        let limits = ServerLimits::new().handshakes(1);
        let server = estate.serve_with(quick(), limits).await;
        let mut silent = Vec::new();
        for _ in 0..8 {
            silent.push(tcp_to(&server, Listener::SipOAuth).await);
        }
        let port = server.local_addr(Listener::SipOAuth).unwrap().port();
        let connected = soon(estate.connector().connect(NODE, port, Transport::Tls)).await;
        assert!(connected.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_graceful_stop_ends_idle_connections_and_frees_the_port() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let address = server.local_addr(Listener::SipOAuth).unwrap();
        let (mut stream, _) = estate
            .connector()
            .connect(NODE, address.port(), Transport::Tls)
            .await
            .unwrap();
        let shutdown = tokio::spawn(server.shutdown());
        assert!(until_closed(&mut stream).await.is_empty());
        drop(stream);
        soon(shutdown).await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
