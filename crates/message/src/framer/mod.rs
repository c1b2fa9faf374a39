//! Cutting a stream into messages.

mod frame;
#[cfg(test)]
mod linear;

use std::fmt;

pub use self::frame::{Frame, FramingError, FramingErrorKind};

use crate::grammar::{TOKEN, digits, is_class};
use crate::name::code_of;
use crate::{HeaderName, Leniencies, Leniency, Limits};

/// Cuts the bytes of a TCP or TLS connection into messages and keep-alives.
///
/// It may be fed in any pieces: where the search for a line end stopped, it goes on, so that the
/// cost is linear in the bytes even when they come one by one. A message ends where Content-Length
/// says, which every message on a stream must have (RFC 3261 section 18.3). After an error the
/// stream cannot be read any more and the connection must be closed.
///
/// What was handed out, or is dropped, is overwritten: it may hold a token.
///
/// ```
/// use sip_oauth_message::{Frame, Framer, Limits};
/// let mut framer = Framer::new(Limits::default());
/// framer.feed(b"OPTIONS sip:ucm.example.com SIP/2.0\r\nl: 2\r\n\r");
/// assert_eq!(framer.next_frame()?, None);
/// framer.feed(b"\nok\r\n\r\n");
/// assert!(matches!(framer.next_frame()?, Some(Frame::Message(m)) if m.ends_with(b"ok")));
/// assert_eq!(framer.next_frame()?, Some(Frame::KeepAlivePing));
/// # Ok::<(), sip_oauth_message::FramingError>(())
/// ```
pub struct Framer {
    limits: Limits,
    leniencies: Leniencies,
    end: End,
    buffer: Vec<u8>,
    /// Where the frame that is being read begins.
    start: usize,
    /// Where the line that is being read begins.
    line: usize,
    /// Up to where the line was looked through.
    scanned: usize,
    /// How many header fields the frame has so far.
    fields: usize,
    /// The value of the Content-Length field that is being read, which may be folded.
    open_length: Option<(usize, usize)>,
    /// What a complete Content-Length field said.
    length: Option<usize>,
    /// Where the frame ends, once the head is complete.
    frame_end: Option<usize>,
    failed: Option<FramingError>,
    /// How many bytes were looked at or moved.
    #[cfg(test)]
    work: usize,
}

/// Which end of the connection this is: RFC 5626 section 3.5.1 has the client send CRLFCRLF and
/// the server answer CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Accepting,
    Connecting,
}

impl Framer {
    /// What a client sends to keep its connection alive (RFC 5626 section 3.5.1).
    pub const PING: &'static [u8] = b"\r\n\r\n";

    /// A framer for connections that were accepted: CRLFCRLF between messages is a ping, a
    /// single CRLF is ignored (RFC 3261 section 7.5).
    pub const fn new(limits: Limits) -> Self {
        Self::of(limits, End::Accepting)
    }

    /// A framer for connections that were opened by us: each CRLF between messages is a pong.
    pub const fn for_client(limits: Limits) -> Self {
        Self::of(limits, End::Connecting)
    }

    const fn of(limits: Limits, end: End) -> Self {
        Self {
            limits,
            leniencies: Leniencies::NONE,
            end,
            buffer: Vec::new(),
            start: 0,
            line: 0,
            scanned: 0,
            fields: 0,
            open_length: None,
            length: None,
            frame_end: None,
            failed: None,
            #[cfg(test)]
            work: 0,
        }
    }

    /// Counts bytes that were looked at or moved, for the proof that the cost is linear.
    #[cfg(test)]
    const fn count(&mut self, bytes: usize) {
        self.work += bytes;
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, reason = "counts in tests only")]
    const fn count(&mut self, _: usize) {}

    /// The same with leniencies. Two of them are about framing: [`Leniency::BareLineFeed`] and
    /// [`Leniency::NoContentLength`]; frames are then for a [`Parser`](crate::Parser) that allows
    /// the first as well.
    #[must_use]
    pub const fn with_leniencies(mut self, leniencies: Leniencies) -> Self {
        self.leniencies = leniencies;
        self
    }

    /// Takes bytes as they arrive. Call [`next_frame`](Self::next_frame) until it has none
    /// before more is read from the connection; what is held is then bounded by the limits. After
    /// an error nothing is taken any more.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        // Frames that were handed out are dropped when they are half of the buffer, so that a
        // byte is moved once on average.
        if self.start > 0 && self.start * 2 >= self.buffer.len() {
            let gone = self.start;
            let left = self.buffer.len() - gone;
            self.buffer.copy_within(gone.., 0);
            wipe(self.buffer.get_mut(left..).unwrap_or_default());
            self.buffer.truncate(left);
            self.count(left);
            self.start = 0;
            self.line -= gone;
            self.scanned -= gone;
            self.frame_end = self.frame_end.map(|end| end - gone);
            self.open_length = self.open_length.map(|(from, to)| (from - gone, to - gone));
        }
        let needed = self.buffer.len() + bytes.len();
        if needed > self.buffer.capacity() {
            // `Vec` would free the smaller block as it is. One that begins takes no more than it is given.
            let larger = if self.buffer.is_empty() {
                needed
            } else {
                needed.max(2 * self.buffer.capacity())
            };
            let mut larger = Vec::with_capacity(larger);
            larger.extend_from_slice(&self.buffer);
            wipe(&mut self.buffer);
            self.buffer = larger;
        }
        self.buffer.extend_from_slice(bytes);
        self.count(bytes.len());
    }

    /// The next piece that is complete, or `None` where more bytes are needed.
    ///
    /// # Errors
    ///
    /// When the stream cannot be read any further. The same error comes again.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FramingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.advance() {
            Ok(None) => Ok(None),
            Ok(Some(Found::KeepAlivePing)) => Ok(Some(Frame::KeepAlivePing)),
            Ok(Some(Found::KeepAlivePong)) => Ok(Some(Frame::KeepAlivePong)),
            Ok(Some(Found::Message(from, to))) => {
                let message = self.buffer.get(from..to).unwrap_or_default();
                Ok(Some(Frame::Message(message)))
            }
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// How many bytes are held that are no complete frame yet.
    pub const fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Those bytes: the beginning of a message, or after an error what had come of the one that could not be cut out.
    pub fn unframed(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn advance(&mut self) -> Result<Option<Found>, FramingError> {
        if self.frame_end.is_none() {
            if let Some(found) = self.keep_alive() {
                return Ok(found.into());
            }
            while self.frame_end.is_none() {
                let Some((end, next)) = self.complete_line()? else {
                    return Ok(None);
                };
                self.read_line(end, next)?;
            }
        }
        match self.frame_end {
            Some(end) if self.buffer.len() >= end => {
                let start = self.start;
                self.begin(end);
                Ok(Some(Found::Message(start, end)))
            }
            _ => Ok(None),
        }
    }

    /// The next frame begins at `at`.
    fn begin(&mut self, at: usize) {
        self.start = at;
        self.line = at;
        self.scanned = at;
        self.fields = 0;
        self.open_length = None;
        self.length = None;
        self.frame_end = None;
    }

    /// CRLFs where a message would begin.
    fn keep_alive(&mut self) -> Option<Found> {
        if self.line != self.start {
            return None;
        }
        loop {
            self.count("\r\n\r\n".len());
            let ahead = self.buffer.get(self.start..).unwrap_or_default();
            match (self.end, ahead) {
                (End::Connecting, [b'\r', b'\n', ..]) => {
                    self.begin(self.start + 2);
                    return Some(Found::KeepAlivePong);
                }
                (End::Accepting, [b'\r', b'\n', b'\r', b'\n', ..]) => {
                    self.begin(self.start + 4);
                    return Some(Found::KeepAlivePing);
                }
                // What follows tells whether this is half of a ping; it is nothing by itself.
                (End::Accepting, [b'\r', b'\n', other, ..]) if *other != b'\r' => {
                    self.begin(self.start + 2);
                }
                (End::Accepting, [b'\r', b'\n', b'\r', other, ..]) if *other != b'\n' => {
                    self.begin(self.start + 2);
                }
                _ => return None,
            }
        }
    }

    /// Where the line that is being read ends and where the next one begins, if its CRLF is here.
    fn complete_line(&mut self) -> Result<Option<(usize, usize)>, FramingError> {
        let waits_for_keep_alive = self.line == self.start
            && matches!(
                self.buffer.get(self.start..),
                Some([b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'])
            );
        if waits_for_keep_alive {
            return Ok(None);
        }
        let ahead = self.buffer.get(self.scanned..).unwrap_or_default();
        let found = memchr::memchr2(b'\r', b'\n', ahead);
        let looked_at = found.unwrap_or(ahead.len());
        let at = self.scanned + looked_at;
        // And the two bytes of a line end.
        self.count(looked_at + 2);
        if at - self.line > self.limits.max_line_bytes {
            return Err(self.error(FramingErrorKind::LineTooLong, self.line));
        }
        if at - self.start > self.limits.max_header_bytes {
            return Err(self.error(FramingErrorKind::HeadTooLong, at));
        }
        if at - self.start > self.limits.max_message_bytes {
            return Err(self.error(FramingErrorKind::MessageTooLong, at));
        }
        self.scanned = at;
        match self.buffer.get(at..) {
            Some([b'\r', b'\n', ..]) => Ok(Some((at, at + 2))),
            Some([b'\r'] | []) | None => Ok(None),
            Some([b'\n', ..]) if self.leniencies.contains(Leniency::BareLineFeed) => {
                Ok(Some((at, at + 1)))
            }
            Some(_) => Err(self.error(FramingErrorKind::LineEnding, at)),
        }
    }

    /// Takes note of a complete line of the head, its line end from `end` to `next`.
    fn read_line(&mut self, end: usize, next: usize) -> Result<(), FramingError> {
        let start = self.line;
        self.count(next - start);
        let line = self.buffer.get(start..end).unwrap_or_default();
        if start == self.start {
            if !is_start_line(line) {
                return Err(self.error(FramingErrorKind::StartLine, start));
            }
        } else if let Some(b' ' | b'\t') = line.first() {
            // Folded: the field that is open goes on.
            if let Some((_, to)) = &mut self.open_length {
                *to = end;
            }
        } else {
            let value = content_length_value(line).map(|at| (start + at, end));
            let is_last = line.is_empty();
            self.close_length()?;
            self.open_length = value;
            if is_last {
                return self.read_end_of_head(next);
            }
            self.fields += 1;
            if self.fields > self.limits.max_header_fields {
                return Err(self.error(FramingErrorKind::TooManyFields, start));
            }
        }
        self.line = next;
        self.scanned = next;
        Ok(())
    }

    /// Reads the Content-Length field that was open, now that it is complete.
    fn close_length(&mut self) -> Result<(), FramingError> {
        let Some((from, to)) = self.open_length.take() else {
            return Ok(());
        };
        self.count(to - from);
        let value = self.buffer.get(from..to).unwrap_or_default();
        let Some(length) = decimal(value) else {
            return Err(self.error(FramingErrorKind::ContentLength, from));
        };
        if self.length.is_some_and(|earlier| earlier != length) {
            return Err(self.error(FramingErrorKind::ContentLengthConflict, from));
        }
        self.length = Some(length);
        Ok(())
    }

    fn read_end_of_head(&mut self, body: usize) -> Result<(), FramingError> {
        let length = match self.length {
            Some(length) => length,
            None if self.leniencies.contains(Leniency::NoContentLength) => 0,
            None => return Err(self.error(FramingErrorKind::MissingContentLength, body)),
        };
        if body - self.start > self.limits.max_header_bytes {
            return Err(self.error(FramingErrorKind::HeadTooLong, body));
        }
        if length > self.limits.max_body_bytes {
            return Err(self.error(FramingErrorKind::BodyTooLong, body));
        }
        let end = body.saturating_add(length);
        if end - self.start > self.limits.max_message_bytes {
            return Err(self.error(FramingErrorKind::MessageTooLong, body));
        }
        self.frame_end = Some(end);
        Ok(())
    }

    const fn error(&self, kind: FramingErrorKind, at: usize) -> FramingError {
        FramingError {
            kind,
            offset: at - self.start,
        }
    }
}

enum Found {
    Message(usize, usize),
    KeepAlivePing,
    KeepAlivePong,
}

/// `SIP/2.0 …` or `… SIP/2.0`, in any case (RFC 3261 section 7.1). The rest of the line is for the parser, which can
/// answer 400.
fn is_start_line(line: &[u8]) -> bool {
    let begins = |at: usize| {
        let name = line.get(at..at + 4);
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/"))
    };
    begins(0) || memchr::memchr2_iter(b' ', b'\t', line).any(|blank| begins(blank + 1))
}

/// Where the value begins, if this line is a Content-Length field.
fn content_length_value(line: &[u8]) -> Option<usize> {
    let first = line.first()?;
    if !matches!(first, b'c' | b'C' | b'l' | b'L') {
        return None;
    }
    let name_end = line.iter().position(|&b| !is_class(b, TOKEN))?;
    if code_of(line.get(..name_end)?) != HeaderName::ContentLength.code() {
        return None;
    }
    let blank = line
        .iter()
        .skip(name_end)
        .take_while(|b| is_blank(**b))
        .count();
    (line.get(name_end + blank) == Some(&b':')).then_some(name_end + blank + 1)
}

/// A number with white space around it.
fn decimal(value: &[u8]) -> Option<usize> {
    let number: u32 = digits(std::str::from_utf8(value.trim_ascii()).ok()?)?;
    Some(number as usize)
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Overwrites what may hold credentials. At the speed of a copy, which `Zeroize` is not: that writes byte by byte.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Without it the stores could be left out: nobody reads them.
    std::hint::black_box(bytes);
}

impl Drop for Framer {
    fn drop(&mut self) {
        wipe(&mut self.buffer);
    }
}

impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framer")
            .field("limits", &self.limits)
            .field("pending_bytes", &self.pending())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
