//! The cost of framing is linear in the bytes of the stream, counted and not timed.

use super::{Framer, Limits};

/// Bytes looked at or moved while `stream` is fed in pieces of this size.
fn work(stream: &[u8], piece: usize) -> usize {
    let limits = Limits {
        max_line_bytes: 1 << 20,
        max_header_bytes: 1 << 20,
        max_message_bytes: 1 << 21,
        max_body_bytes: 1 << 20,
        max_parts: 0,
        max_header_fields: 1 << 20,
    };
    let mut framer = Framer::new(limits);
    for bytes in stream.chunks(piece) {
        framer.feed(bytes);
        while framer.next_frame().expect("a good stream").is_some() {}
    }
    assert_eq!(framer.pending(), 0, "the stream is whole messages");
    framer.work
}

/// Streams of about `size` bytes in which a second look at the same bytes would cost most.
fn streams(size: usize) -> [(&'static str, Vec<u8>); 6] {
    let message = |fields: &str, body: &str| {
        let length = body.len();
        format!("OPTIONS sip:a SIP/2.0\r\n{fields}l: {length}\r\n\r\n{body}").into_bytes()
    };
    let long_line = format!("X: {}\r\n", "x".repeat(size));
    let folds = format!("l:{} 0\r\n", "\r\n ".repeat(size / 3));
    [
        ("one line", message(&long_line, "")),
        ("many lines", message(&"X: y\r\n".repeat(size / 6), "")),
        ("one folded line", {
            let mut bytes = message(&folds, "");
            bytes.truncate(bytes.len() - "l: 0\r\n\r\n".len());
            bytes.extend_from_slice(b"\r\n");
            bytes
        }),
        ("one body", message("", &"\r".repeat(size))),
        ("many messages", message("", "ok").repeat(size / 32)),
        ("many pings", b"\r\n\r\n".repeat(size / 4)),
    ]
}

#[test]
fn every_byte_costs_the_same_however_it_arrives() {
    // A byte is taken, looked for a line end, read in its line, perhaps in its Content-Length, and
    // moved once on average; each call looks at up to four bytes for a keep-alive, twice where a
    // frame ends, and at two for a line end.
    const EACH: usize = 20;
    for size in [1 << 10, 1 << 14, 1 << 18] {
        for (name, stream) in streams(size) {
            for piece in [1, 2, 7, 1000, stream.len()] {
                let work = work(&stream, piece);
                assert!(
                    work <= EACH * stream.len(),
                    "{name} of {} bytes in pieces of {piece}: {work}",
                    stream.len()
                );
            }
        }
    }
}
