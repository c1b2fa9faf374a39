//! What can still be answered of bytes that are no SIP message.
//!
//! RFC 3261 section 8.2.6.2 has an answer repeat Via, From, To, Call-ID and CSeq of its request. Where
//! something else in the head breaks the grammar, those five can often be read all the same, and "400 Bad
//! Request" tells the sender more than a closed connection does (section 18.3, RFC 4475 section 3.1.2).

use sip_oauth_message::header::Via;
use sip_oauth_message::{HeaderName, Limits, MessageView, TypedHeader};

/// Makes a request of what can be read: its method and the fields an answer repeats.
///
/// `None` where nothing may be answered: a response, an ACK, a request that does not say who sent it.
pub(crate) fn salvage(bytes: &[u8]) -> Option<Salvaged> {
    let head = match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(end) => bytes.get(..end)?,
        None => bytes,
    };
    let mut lines = Lines(head);
    let method = method(lines.next()?)?;
    let mut out = format!("{method} sip:unreadable.invalid SIP/2.0\r\n");
    let mut seen = [false; REPEATED.len()];
    // The field whose continuation lines are being read, if it is one that is kept.
    let mut open = false;
    for line in lines {
        if let [b' ' | b'\t', ..] = line {
            if open {
                let part = text(line)?.trim_matches([' ', '\t']);
                out.insert_str(out.len() - 2, &format!(" {part}"));
            }
            continue;
        }
        open = false;
        let Some((name, value)) = field(line) else {
            continue;
        };
        let Some(at) = REPEATED.iter().position(|kept| *kept == name) else {
            continue;
        };
        // Each stands once, but Via: a second one of another kind is somebody's mistake or trick.
        if seen.get(at).copied().unwrap_or(true) && name != HeaderName::Via {
            continue;
        }
        // A field that is to be repeated and cannot be: there is nothing to answer with.
        let value = text(value)?.trim_matches([' ', '\t']);
        *seen.get_mut(at)? = true;
        open = true;
        out.push_str(name.as_str());
        out.push_str(": ");
        out.push_str(value);
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    let salvaged = Salvaged(out);
    let answerable = seen.iter().all(|seen| *seen)
        && salvaged.view().is_some_and(|view| {
            let top = view.fields_named(HeaderName::Via).next();
            top.is_some_and(|via| Via::decode(via.value()).is_ok())
        });
    answerable.then_some(salvaged)
}

/// The fields an answer repeats (RFC 3261 section 8.2.6.2).
const REPEATED: [HeaderName<'static>; 5] = [
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
];

/// A request reduced to what its answer repeats.
pub(crate) struct Salvaged(String);

impl Salvaged {
    /// The same as a message.
    pub(crate) fn view(&self) -> Option<MessageView<'_>> {
        MessageView::parse(self.0.as_bytes(), &Limits::default()).ok()
    }
}

/// The lines of a head, wherever CRLF ends one.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.windows(2).position(|two| two == b"\r\n");
        let (line, rest) = match end {
            Some(end) => (self.0.get(..end)?, self.0.get(end + 2..)?),
            None => (self.0, &[] as &[u8]),
        };
        self.0 = rest;
        Some(line)
    }
}

/// The method of a start line; `None` for a status line and for ACK, which is never answered.
fn method(line: &[u8]) -> Option<&str> {
    let word = line.split(|&byte| matches!(byte, b' ' | b'\t')).next()?;
    let word = std::str::from_utf8(word).ok()?;
    let token = !word.is_empty()
        && word.len() <= 64
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b));
    (token && word != "ACK").then_some(word)
}

fn field(line: &[u8]) -> Option<(HeaderName<'_>, &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = std::str::from_utf8(line.get(..colon)?).ok()?;
    let name = HeaderName::parse(name.trim_end_matches([' ', '\t'])).ok()?;
    Some((name, line.get(colon + 1..)?))
}

/// A value that may be repeated: UTF-8 without control characters.
fn text(bytes: &[u8]) -> Option<&str> {
    let clean = bytes.iter().all(|&byte| byte == b'\t' || byte >= b' ');
    std::str::from_utf8(bytes).ok().filter(|_| clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\nf: <sip:a@example.com>;tag=1\r\n\
        To : <sip:b@example.com>\r\ni: 1\r\nCSeq: 8\r\n  REGISTER\r\n";

    fn head(bytes: &[u8]) -> Option<String> {
        salvage(bytes).map(|salvaged| salvaged.0)
    }

    #[test]
    fn what_an_answer_repeats_is_found_among_what_cannot_be_read() {
        for broken in ["no colon here\r\n", "Bad Name: 1\r\n", "Subject: \u{1}\r\n"] {
            let text = format!("REGISTER  sip:x SIP/2.0\r\n{broken}{GOOD}{broken}\r\n");
            let head = head(text.as_bytes()).expect(broken);
            assert!(
                head.starts_with("REGISTER sip:unreadable.invalid SIP/2.0\r\nVia: SIP/2.0/TLS")
            );
            assert!(head.contains("\r\nCSeq: 8 REGISTER\r\n"), "{head}");
            assert!(head.contains("\r\nTo: <sip:b@example.com>\r\n"), "{head}");
        }
        let mut latin1 = format!("OPTIONS sip:x SIP/2.0\r\n{GOOD}Subject: ").into_bytes();
        latin1.extend_from_slice(b"\xe9\r\n\r\n");
        assert!(head(&latin1).is_some());
    }

    #[test]
    fn what_must_not_or_cannot_be_answered_is_not() {
        for (text, why) in [
            (format!("ACK sip:x SIP/2.0\r\n{GOOD}\r\n"), "an ACK"),
            (format!("SIP/2.0 200 OK\r\n{GOOD}\r\n"), "a response"),
            (
                format!(
                    "REGISTER sip:x SIP/2.0\r\n{}\r\n",
                    GOOD.replace("i: 1", "x: 1")
                ),
                "no Call-ID",
            ),
            (
                format!(
                    "REGISTER sip:x SIP/2.0\r\n{}\r\n",
                    GOOD.replace("SIP/2.0/TLS", "?")
                ),
                "no Via to answer to",
            ),
            (
                format!(
                    "REGISTER sip:x SIP/2.0\r\n{}\r\n",
                    GOOD.replace("i: 1", "i: \u{1}")
                ),
                "a control character in a field that is repeated",
            ),
            (String::new(), "nothing"),
        ] {
            assert_eq!(head(text.as_bytes()), None, "{why}");
        }
    }
}
