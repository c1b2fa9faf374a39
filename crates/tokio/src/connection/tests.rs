//! Framing over a stream in memory: cuts, ends, keep-alives, time.

use std::task::Context;

use sip_oauth_registration::client::Transport;
use tokio::io::{DuplexStream, duplex};

use super::*;
use crate::observe::ConnectionId;

const OPTIONS: &[u8] = b"OPTIONS sip:ucm1.example.com SIP/2.0\r\nContent-Length: 2\r\n\r\nok";

fn pair(role: Role) -> (Connection<DuplexStream>, DuplexStream) {
    pair_of(role, |ours| ours)
}

fn pair_of<S>(role: Role, ours: impl Fn(DuplexStream) -> S) -> (Connection<S>, DuplexStream) {
    let (stream, theirs) = duplex(64 * 1024);
    let address = "192.0.2.1:5090".parse().unwrap();
    let ends = Ends {
        id: ConnectionId::next(),
        local: address,
        peer: address,
        transport: Transport::Tcp,
        role,
    };
    let settings = ConnectionSettings::default();
    (Connection::new(ours(stream), ends, settings), theirs)
}

#[tokio::test]
async fn messages_arrive_whole_however_the_stream_is_cut() {
    for cut in 1..OPTIONS.len() {
        let (mut connection, mut peer) = pair(Role::Acceptor);
        let (first, rest) = OPTIONS.split_at(cut);
        peer.write_all(first).await.unwrap();
        // Cancelled in the middle: nothing is lost.
        let waited = timeout(Duration::from_millis(1), connection.receive()).await;
        assert!(waited.is_err(), "cut at {cut}");
        peer.write_all(rest).await.unwrap();
        peer.write_all(OPTIONS).await.unwrap();
        for _ in 0..2 {
            let incoming = connection.receive().await.unwrap();
            assert!(
                incoming == Incoming::Message(OPTIONS.to_vec()),
                "cut at {cut}"
            );
        }
    }
}

#[tokio::test]
async fn an_end_between_messages_is_an_end_and_stays_one() {
    let (mut connection, mut peer) = pair(Role::Acceptor);
    peer.write_all(OPTIONS).await.unwrap();
    peer.write_all(b"\r\n").await.unwrap();
    drop(peer);
    assert!(matches!(
        connection.receive().await,
        Ok(Incoming::Message(_))
    ));
    for _ in 0..2 {
        assert_eq!(connection.receive().await.unwrap(), Incoming::End);
    }
}

#[tokio::test]
async fn an_end_inside_a_message_is_an_error() {
    let (mut connection, mut peer) = pair(Role::Initiator);
    peer.write_all(&OPTIONS[..OPTIONS.len() - 1]).await.unwrap();
    drop(peer);
    let ended = connection.receive().await;
    assert!(matches!(ended, Err(ConnectionError::EndInsideMessage)));
}

#[tokio::test]
async fn pings_are_answered_between_messages_and_pongs_are_told() {
    let (mut server, client) = pair(Role::Acceptor);
    let ends = Ends {
        role: Role::Initiator,
        ..server.ends()
    };
    let mut client = Connection::new(client, ends, ConnectionSettings::default());
    client.ping().await.unwrap();
    client.send(OPTIONS).await.unwrap();
    client.ping().await.unwrap();
    let incoming = server.receive().await.unwrap();
    assert!(matches!(incoming, Incoming::Message(_)));
    assert_eq!(client.receive().await.unwrap(), Incoming::Pong);
    // The second ping is answered while the next message is waited for.
    let waited = timeout(Duration::from_millis(20), server.receive()).await;
    assert!(waited.is_err());
    assert_eq!(client.receive().await.unwrap(), Incoming::Pong);
}

#[tokio::test(start_paused = true)]
async fn an_initiator_waits_for_ever_and_an_acceptor_does_not() {
    let (mut acceptor, _peer) = pair(Role::Acceptor);
    let ended = acceptor.receive().await;
    let limit = Timeouts::default().first_message;
    assert!(matches!(
        ended,
        Err(ConnectionError::TimedOut(Waiting::FirstMessage(after))) if after == limit
    ));
    let (mut initiator, _peer) = pair(Role::Initiator);
    let day = Duration::from_secs(86_400);
    assert!(timeout(day, initiator.receive()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_single_line_break_begins_no_message() {
    let (mut initiator, mut peer) = pair(Role::Acceptor);
    peer.write_all(OPTIONS).await.unwrap();
    assert!(matches!(
        initiator.receive().await,
        Ok(Incoming::Message(_))
    ));
    peer.write_all(b"\r\n").await.unwrap();
    let ended = initiator.receive().await;
    assert!(matches!(
        ended,
        Err(ConnectionError::TimedOut(Waiting::Idle(_)))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_given_up() {
    let (mut connection, _peer) = pair(Role::Acceptor);
    let large = vec![b'x'; 128 * 1024];
    let sent = connection.send(&large).await;
    assert!(matches!(
        sent,
        Err(ConnectionError::TimedOut(Waiting::Write(_)))
    ));
}

/// Takes what is written and sends none of it, as TLS does when the peer has stopped reading.
struct Stuck(DuplexStream);

impl AsyncRead for Stuck {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_pings_and_does_not_read_is_given_up() {
    let (mut connection, mut peer) = pair_of(Role::Acceptor, Stuck);
    peer.write_all(b"\r\n\r\n").await.unwrap();
    let day = Duration::from_secs(86_400);
    // Cancelled in the flush: the next call goes on with it.
    assert!(
        timeout(Duration::from_secs(1), connection.receive())
            .await
            .is_err()
    );
    let ended = timeout(day, connection.receive()).await.unwrap();
    assert!(matches!(
        ended,
        Err(ConnectionError::TimedOut(Waiting::Write(_)))
    ));
}

/// A stop takes what is in the kernel, although the runtime has not looked there since the socket was registered.
#[tokio::test]
async fn what_waits_in_the_kernel_has_begun_to_arrive() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    std::io::Write::write_all(&mut peer, OPTIONS).unwrap();
    let ends = pair(Role::Acceptor).0.ends();
    let mut connection = Connection::new(stream, ends, ConnectionSettings::default());
    let incoming = connection.receive_begun().await.unwrap();
    assert_eq!(incoming, Some(Incoming::Message(OPTIONS.to_vec())));
    assert_eq!(connection.receive_begun().await.unwrap(), None);
}

#[tokio::test]
async fn what_has_come_is_taken_by_a_task_that_has_used_its_turn() {
    use tokio::task::coop;
    let (mut connection, mut peer) = pair(Role::Acceptor);
    peer.write_all(OPTIONS).await.unwrap();
    poll_fn(|cx| {
        while coop::has_budget_remaining() {
            ready!(coop::poll_proceed(cx)).made_progress();
        }
        Poll::Ready(())
    })
    .await;
    let incoming = connection.receive_begun().await.unwrap();
    assert_eq!(incoming, Some(Incoming::Message(OPTIONS.to_vec())));
}

/// What may be repeated of `came`, after which the peer ends the stream.
async fn repeated(came: &str) -> Option<String> {
    let (mut connection, mut peer) = pair(Role::Acceptor);
    peer.write_all(came.as_bytes()).await.unwrap();
    drop(peer);
    let error = connection.receive().await.unwrap_err();
    let whole = connection.without_end(&error)?;
    Some(String::from_utf8(whole.to_vec()).unwrap())
}

/// RFC 3261 section 7.3.1: a line that begins with a blank goes on with the field before it.
#[tokio::test]
async fn a_field_that_may_go_on_in_a_line_still_to_come_is_not_repeated() {
    const START: &str = "OPTIONS sip:a@example.com SIP/2.0\r\nCall-ID: 1\r\n";
    for came in [
        "From: <sip:a@example.com>\r\n",
        "From: <sip:a@example.com>\r\n ;ta",
        "From: <sip:a@example.com>\r\n\t;tag=1\r\n",
        "From: <sip:a@example.com>\r\n ;tag=1\r\n ;x=",
        "From: <sip:a@exa",
        "From: <sip:a@example.com>\r",
    ] {
        let whole = repeated(&format!("{START}{came}")).await;
        assert_eq!(whole.as_deref(), Some(START), "{came:?}");
    }
    // Whatever begins after it ends it, the blank line too.
    let folded = format!("{START}From: <sip:a@example.com>\r\n ;tag=1\r\n");
    for rest in ["T", "\r"] {
        let whole = repeated(&format!("{folded}{rest}")).await;
        assert_eq!(whole, Some(folded.clone()), "{rest:?}");
    }
    let head = format!("{folded}Content-Length: 9\r\n\r\n");
    for body in ["", " "] {
        let whole = repeated(&format!("{head}{body}")).await;
        assert_eq!(whole, Some(head.clone()), "{body:?}");
    }
    assert_eq!(
        repeated("OPTIONS sip:a@example.com SIP/2.0\r\n").await,
        None
    );
}
