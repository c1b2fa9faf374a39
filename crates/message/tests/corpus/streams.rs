//! The same bytes as a datagram and as a stream, in any pieces.

use sip_oauth_message::{Frame, Framer, FramingErrorKind, Limits, MessageView};

/// What a stream was cut into: messages and keep-alives, what was left, and why it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Framed {
    pub(crate) messages: Vec<Vec<u8>>,
    keep_alives: usize,
    pending: usize,
    pub(crate) lost: Option<FramingErrorKind>,
}

pub(crate) fn framed(bytes: &[u8], sizes: impl Iterator<Item = usize>) -> Framed {
    let mut framer = Framer::new(Limits::default());
    let mut found = Framed {
        messages: Vec::new(),
        keep_alives: 0,
        pending: 0,
        lost: None,
    };
    let mut rest = bytes;
    for size in sizes {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        framer.feed(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(message))) => found.messages.push(message.to_vec()),
                Ok(Some(_)) => found.keep_alives += 1,
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next_frame(), Err(error), "lost framing stays lost");
                    found.lost = Some(error.kind);
                    return found;
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    found.pending = framer.pending();
    found
}

/// Sizes from 1 to 64 in an order that a seed decides (xorshift64).
fn random_sizes(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 64).ok().map(|size| size + 1)
    })
}

/// The outcome of a stream does not depend on its pieces and is that of the datagram. Gives the outcome.
pub(crate) fn is_the_same_as_a_stream(bytes: &[u8], name: &str) -> Framed {
    let whole = framed(bytes, std::iter::once(bytes.len()));
    for size in [1, 2, 3, 7, 64, 1000] {
        let cut = framed(bytes, std::iter::repeat(size));
        assert_eq!(cut, whole, "{name} in pieces of {size}");
    }
    for seed in 1..=16 {
        let cut = framed(bytes, random_sizes(seed));
        assert_eq!(cut, whole, "{name} in random pieces, seed {seed}");
    }
    let limits = Limits::default();
    let first = whole.messages.first();
    match MessageView::parse(bytes, &limits) {
        Ok(view) => match view.content_length() {
            None => assert_eq!(
                (first, whole.lost),
                (None, Some(FramingErrorKind::MissingContentLength)),
                "{name} has no Content-Length"
            ),
            Some(length) if length as usize > view.body().len() => {
                assert_eq!((first, whole.lost), (None, None), "{name} is not whole");
            }
            Some(_) => {
                let message = &bytes[..bytes.len() - view.trailing()];
                assert_eq!(first.map(Vec::as_slice), Some(message), "{name}");
            }
        },
        // A stream that begins with line ends has them as keep-alives in front.
        Err(_) if bytes.starts_with(b"\r\n") => {}
        Err(error) => {
            if let Some(message) = first {
                let framed = MessageView::parse(message, &limits).map(|_| ());
                assert_eq!(framed.map_err(|e| e.kind()), Err(error.kind()), "{name}");
            }
        }
    }
    whole
}
