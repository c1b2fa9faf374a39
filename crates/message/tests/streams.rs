//! Streams: RFC 3261 sections 7.5 and 18.3, RFC 5626 section 3.5.1.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::{Frame, Framer, FramingErrorKind, Limits, MessageView};

fn frames(mut framer: Framer, pieces: &[&[u8]]) -> (Vec<String>, Option<FramingErrorKind>) {
    let mut found = Vec::new();
    for piece in pieces {
        framer.feed(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(m))) => found.push(String::from_utf8_lossy(m).into_owned()),
                Ok(Some(other)) => found.push(format!("{other:?}")),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next_frame(), Err(error), "an error stays");
                    return (found, Some(error.kind));
                }
            }
        }
    }
    (found, None)
}

const ONE: &str = "OPTIONS sip:a@example.com SIP/2.0\r\nl:\r\n 2 \r\nX: y\r\n\r\nok";
const TWO: &str = "SIP/2.0 200 OK\r\nContent-Length : 0\r\ncontent-length: 0\r\n\r\n";

#[test]
fn any_cut_gives_the_same_frames() {
    let stream = format!("\r\n{ONE}\r\n\r\n\r\n{TWO}{ONE}\r\n\r\n");
    let expected = vec![ONE, "KeepAlivePing", TWO, ONE, "KeepAlivePing"];
    for cut in 0..=stream.len() {
        let (front, back) = stream.as_bytes().split_at(cut);
        let framer = Framer::new(Limits::default());
        assert_eq!(
            frames(framer, &[front, back]),
            (expected.iter().map(ToString::to_string).collect(), None),
            "cut at {cut}"
        );
    }
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(frames(Framer::new(Limits::default()), &bytes).0, expected);
}

/// RFC 3261 section 7.1: the version is case-insensitive, and each part of it is a number. What a view reads as a message with
/// its length is one on a stream.
#[test]
fn what_is_a_message_in_a_datagram_is_one_on_a_stream() {
    for first in [
        "OPTIONS sip:a@example.com sip/2.0",
        "OPTIONS sip:a@example.com SIP/10.42",
        "sip/2.0 200 OK",
        "Sip/02.00 200 OK",
    ] {
        let message = format!("{first}\r\nl: 2\r\n\r\nok");
        let view = MessageView::parse(message.as_bytes(), &Limits::default()).expect(first);
        assert_eq!(view.body(), b"ok", "{first}");
        let framer = Framer::new(Limits::default());
        assert_eq!(
            frames(framer, &[message.as_bytes()]),
            (vec![message.clone()], None),
            "{first}"
        );
    }
}

/// What separates the parts of the first line is the parser's business, with its leniencies.
#[test]
fn a_start_line_with_a_tab_is_cut_out() {
    let message = "OPTIONS sip:a@example.com\tSIP/2.0\r\nl: 0\r\n\r\n";
    let framer = Framer::new(Limits::default());
    let expected = (vec![message.to_owned()], None);
    assert_eq!(frames(framer, &[message.as_bytes()]), expected);
}

#[test]
fn client_sees_each_crlf_as_a_pong() {
    let stream = format!("\r\n{TWO}\r\n\r\n{ONE}");
    let expected = ["KeepAlivePong", TWO, "KeepAlivePong", "KeepAlivePong", ONE];
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(
        frames(Framer::for_client(Limits::default()), &bytes).0,
        expected
    );
    assert_eq!(
        frames(Framer::for_client(Limits::default()), &[stream.as_bytes()]).0,
        expected
    );
}

#[test]
fn lost_framing_is_an_error() {
    use FramingErrorKind::{
        BodyTooLong, ContentLength, ContentLengthConflict, HeadTooLong, LineEnding, LineTooLong,
        MessageTooLong, MissingContentLength, StartLine, TooManyFields,
    };
    let limits = Limits {
        max_message_bytes: 170,
        max_line_bytes: 80,
        max_header_bytes: 160,
        max_header_fields: 4,
        max_body_bytes: 50,
        ..Limits::default()
    };
    let start = "OPTIONS sip:a@example.com SIP/2.0\r\n";
    for (stream, kind) in [
        (format!("{start}X: y\r\n\r\n"), MissingContentLength),
        (format!("{start}l: -999\r\n\r\n"), ContentLength),
        (format!("{start}l: x\r\n\r\n"), ContentLength),
        (format!("{start}l:\r\n\r\n"), ContentLength),
        (format!("{start}l: 99999999999\r\n\r\n"), ContentLength),
        (
            format!("{start}l: 13\r\nContent-Length: 5\r\n\r\n"),
            ContentLengthConflict,
        ),
        (format!("{start}l: 0\n\r\n"), LineEnding),
        (format!("{start}l: 0\r\rx\r\n"), LineEnding),
        ("\x16\x03\x01 not SIP\r\n".to_owned(), StartLine),
        ("GET / HTTP/1.1\r\n".to_owned(), StartLine),
        (format!("{start}X: {}", "y".repeat(80)), LineTooLong),
        (
            format!("{start}a:1\r\nb:2\r\nc:3\r\nd:4\r\ne:5\r\n\r\n"),
            TooManyFields,
        ),
        (format!("{start}l: 51\r\n\r\n"), BodyTooLong),
        (format!("{start}{}", " \r\n".repeat(100)), HeadTooLong),
        (
            format!("{start}l: 50\r\nX: {}\r\n\r\n", "y".repeat(76)),
            MessageTooLong,
        ),
    ] {
        let whole = frames(Framer::new(limits), &[stream.as_bytes()]);
        assert_eq!(whole, (Vec::new(), Some(kind)), "{stream:?}");
        let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        assert_eq!(frames(Framer::new(limits), &bytes), whole, "{stream:?}");
    }
}

#[test]
fn what_is_held_is_bounded() {
    let mut framer = Framer::new(Limits::default());
    let stream = ONE.repeat(1000);
    let mut count = 0;
    for piece in stream.as_bytes().chunks(97) {
        framer.feed(piece);
        while let Some(frame) = framer.next_frame().unwrap() {
            count += usize::from(matches!(frame, Frame::Message(_)));
        }
        assert!(framer.pending() <= ONE.len());
    }
    assert_eq!(count, 1000);
}

#[test]
fn nothing_is_held_of_what_comes_after_an_error() {
    let mut framer = Framer::new(Limits::default());
    framer.feed(b"GET / HTTP/1.1\r\n");
    assert!(framer.next_frame().is_err());
    let held = framer.pending();
    framer.feed(&[b'x'; 1000]);
    assert_eq!(framer.pending(), held);
}
