//! SIP messages over a byte stream (RFC 3261 section 18.3), bounded in size and time.

mod error;

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    task::{Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use sip_oauth_message::{Frame, Framer, FramingErrorKind, Limits};
use sip_oauth_trust::{Side, explain, tls_cause};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    time::{Instant, timeout, timeout_at},
};

pub use error::{ConnectionError, Waiting};

use crate::{
    clock::Clock,
    limits::Timeouts,
    observe::{
        ConnectionChange, ConnectionEvent, Direction, Ends, MessageEvent, Observed, RedactedBytes,
        Role,
    },
    stop::ready_at_a_stop,
};

/// Bytes asked from the stream at a time. They stand on the stack while a read runs, so an idle connection holds none.
const READ_BYTES: usize = 8 * 1024;

/// What may stand between two messages without being the beginning of one (RFC 3261 section 7.5), and the answer to a
/// keep-alive of two of it (RFC 5626 section 4.4.1).
const CRLF: &[u8] = b"\r\n";

/// What [`Connection::receive`] has for its caller.
#[derive(PartialEq, Eq)]
pub enum Incoming {
    /// One whole message, as on the wire.
    Message(Vec<u8>),
    /// The peer answered our keep-alive (RFC 5626 section 4.4.1).
    Pong,
    /// The peer ended the stream between two messages.
    End,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(bytes) => write!(f, "Message(<{} bytes>)", bytes.len()),
            Self::Pong => f.write_str("Pong"),
            Self::End => f.write_str("End"),
        }
    }
}

/// How a [`Connection`] is bounded and watched.
#[derive(Debug, Clone, Default)]
pub struct ConnectionSettings {
    /// Sizes of messages.
    pub limits: Limits,
    /// Times of reads and writes.
    pub timeouts: Timeouts,
    /// Stamps events.
    pub clock: Clock,
    /// Sees messages.
    pub observed: Observed,
}

/// A stream of SIP messages over any byte stream.
///
/// Keep-alives are answered here. On a connection we accepted, a peer is bounded in the time to its first message, in the
/// time a message may take from first to last byte, and in idle time; on one we opened the machine that opened it decides
/// how long silence may last, so only the second bound holds.
pub struct Connection<S> {
    stream: S,
    framer: Framer,
    /// Keep-alive answers not yet written; kept here so that a cancelled [`Connection::receive`] loses nothing.
    owed: BytesMut,
    /// Something was written and not flushed since; kept for the same reason.
    unflushed: bool,
    ends: Ends,
    settings: ConnectionSettings,
    opened_at: Instant,
    active_at: Instant,
    partial_since: Option<Instant>,
    spoke: bool,
    ended: bool,
    /// How much may come before the first message is complete.
    first_message_bytes: usize,
}

impl<S> std::fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

impl<S> Connection<S> {
    /// Frames `stream`, which is connected between `ends`.
    pub fn new(stream: S, ends: Ends, settings: ConnectionSettings) -> Self {
        let now = Instant::now();
        Self {
            stream,
            framer: framer(ends.role, settings.limits),
            owed: BytesMut::new(),
            unflushed: false,
            ends,
            settings,
            opened_at: now,
            active_at: now,
            partial_since: None,
            spoke: false,
            ended: false,
            first_message_bytes: usize::MAX,
        }
    }

    /// Bounds what may come before the first message is complete, more narrowly than later ones.
    #[must_use]
    pub fn with_first_message_bytes(mut self, bytes: usize) -> Self {
        self.first_message_bytes = bytes;
        self
    }

    /// The two ends.
    pub fn ends(&self) -> Ends {
        self.ends
    }

    /// The stream under the frames.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// What has come and is no whole message: after [`ConnectionError::Framing`] the message whose end cannot be told.
    pub fn unframed(&self) -> &[u8] {
        self.framer.unframed()
    }

    /// What has come, in whole lines, of the message in which `error` ended the connection; where that is one whose sender may
    /// be told before it is closed (RFC 3261 section 18.3): its end cannot be told, or did not come.
    pub(crate) fn without_end(&self, error: &ConnectionError) -> Option<&[u8]> {
        let bytes = self.framer.unframed();
        match error {
            ConnectionError::Framing(error) => matches!(
                error.kind,
                FramingErrorKind::ContentLength
                    | FramingErrorKind::ContentLengthConflict
                    | FramingErrorKind::MissingContentLength
            ),
            ConnectionError::EndInsideMessage | ConnectionError::TimedOut(Waiting::Message(_)) => {
                true
            }
            _ => false,
        }
        .then(|| {
            let whole = whole_lines(bytes)?;
            let next = bytes.get(whole.len());
            // A value that was cut off must not be repeated, nor one that may go on (RFC 3261 section 7.3.1).
            if matches!(next, None | Some(b' ' | b'\t'))
                && !whole.windows(4).any(|four| four == b"\r\n\r\n")
            {
                without_last_field(whole)
            } else {
                Some(whole)
            }
        })?
    }

    /// When the current wait is over, and what was waited for.
    fn deadline(&self) -> Option<(Instant, Waiting)> {
        let timeouts = &self.settings.timeouts;
        if let Some(since) = self.partial_since {
            return Some((since + timeouts.message, Waiting::Message(timeouts.message)));
        }
        match (self.ends.role, self.spoke) {
            (Role::Initiator, _) => None,
            (Role::Acceptor, false) => Some((
                self.opened_at + timeouts.first_message,
                Waiting::FirstMessage(timeouts.first_message),
            )),
            (Role::Acceptor, true) => {
                Some((self.active_at + timeouts.idle, Waiting::Idle(timeouts.idle)))
            }
        }
    }

    fn side(&self) -> Side {
        match self.ends.role {
            Role::Initiator => Side::Client,
            Role::Acceptor => Side::Server,
        }
    }

    fn report(&self, direction: Direction, bytes: &[u8]) {
        tracing::debug!(
            connection = %self.ends.id,
            peer = %self.ends.peer,
            transport = self.ends.transport.via_name(),
            direction = ?direction,
            start_line = ?start_line(bytes),
            bytes = bytes.len(),
            "message"
        );
        self.settings.observed.message(&MessageEvent {
            direction,
            ends: self.ends,
            bytes: RedactedBytes(bytes),
            at: self.settings.clock.system_now(),
        });
    }

    /// Tells the observer how the connection ended.
    pub(crate) fn report_end(&self, error: Option<&ConnectionError>) {
        let text;
        let change = match error {
            None => ConnectionChange::Closed,
            Some(
                ConnectionError::Tls { explanation, .. } | ConnectionError::Withdrawn(explanation),
            ) => ConnectionChange::Refused(explanation),
            Some(
                error @ (ConnectionError::TimedOut(_)
                | ConnectionError::Framing(_)
                | ConnectionError::FirstMessageTooLong(_)
                | ConnectionError::Malformed(_)),
            ) => {
                text = error.to_string();
                ConnectionChange::Limited(&text)
            }
            Some(error) => {
                text = error.to_string();
                ConnectionChange::Failed(&text)
            }
        };
        tracing::debug!(connection = %self.ends.id, peer = %self.ends.peer, ?change, "connection ended");
        self.settings.observed.connection(&ConnectionEvent {
            id: self.ends.id,
            local: Some(self.ends.local),
            peer: self.ends.peer,
            transport: self.ends.transport,
            role: self.ends.role,
            at: self.settings.clock.system_now(),
            change,
        });
    }

    fn io_error(&self, source: io::Error) -> ConnectionError {
        match tls_cause(&source).map(|cause| explain(cause, self.side())) {
            Some(explanation) => ConnectionError::Tls {
                explanation: Box::new(explanation),
                source,
            },
            None => ConnectionError::Io(source),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// The next message. Cancel-safe: a call that is dropped loses no bytes.
    ///
    /// A stream that ends without TLS's close_notify is an end like any other when no message has begun
    /// ([`Incoming::End`]), and stays one on further calls.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`]; the connection is of no further use and should be [closed](Connection::close).
    pub async fn receive(&mut self) -> Result<Incoming, ConnectionError> {
        loop {
            self.write_owed().await?;
            if let Some(incoming) = self.next_frame()? {
                return Ok(incoming);
            }
            if !self.owed.is_empty() {
                continue;
            }
            if self.ended {
                return Ok(Incoming::End);
            }
            let read = match self.deadline() {
                None => self.read_some().await,
                Some((deadline, waiting)) => timeout_at(deadline, self.read_some())
                    .await
                    .map_err(|_| ConnectionError::TimedOut(waiting))?,
            };
            match read {
                Ok(0) => self.end()?,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.end()?,
                Err(error) => return Err(self.io_error(error)),
            }
        }
    }

    /// The next message, if it or a part of it has arrived; `None` where the peer has sent nothing that waits for an answer.
    pub(crate) async fn receive_begun(&mut self) -> Result<Option<Incoming>, ConnectionError> {
        let arrived = {
            let mut receiving = pin!(self.receive());
            ready_at_a_stop(receiving.as_mut()).await
        };
        match arrived {
            Poll::Ready(incoming) => incoming.map(Some),
            Poll::Pending if self.partial_since.is_some() => self.receive().await.map(Some),
            Poll::Pending => Ok(None),
        }
    }

    /// Writes one message and flushes it.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`]. After a failed write the stream is read once: a peer that refused our certificate has sent its
    /// alert there, and "connection reset" would hide it.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), ConnectionError> {
        self.report(Direction::Sent, message);
        self.write(message).await
    }

    /// Sends a keep-alive of two CRLF (RFC 5626 section 3.5.1); the answer arrives as [`Incoming::Pong`].
    ///
    /// # Errors
    ///
    /// As [`Connection::send`].
    pub async fn ping(&mut self) -> Result<(), ConnectionError> {
        self.write(b"\r\n\r\n").await
    }

    /// Ends our direction of the stream (on TLS with close_notify), then lets the peer finish for the time of
    /// [`Timeouts::linger`].
    pub async fn close(mut self) {
        let linger = self.settings.timeouts.linger;
        let _ = timeout(linger, self.stream.shutdown()).await;
        if !self.ended {
            drain(&mut self.stream, linger).await;
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        let limit = self.settings.timeouts.write;
        let written = timeout(limit, async {
            self.unflushed = true;
            self.stream.write_all_buf(&mut self.owed).await?;
            self.stream.write_all(bytes).await?;
            self.stream.flush().await?;
            self.unflushed = false;
            Ok(())
        })
        .await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.after_failed_write(error).await),
            Err(_) => Err(ConnectionError::TimedOut(Waiting::Write(limit))),
        }
    }

    /// The better of two reasons: what the peer said before it closed, or else the write error itself.
    async fn after_failed_write(&mut self, error: io::Error) -> ConnectionError {
        let mut sink = [0; 256];
        let linger = self.settings.timeouts.linger;
        match timeout(linger, self.stream.read(&mut sink)).await {
            Ok(Err(said)) if tls_cause(&said).is_some() => self.io_error(said),
            _ => self.io_error(error),
        }
    }

    /// Writes keep-alive answers, and flushes them in time: TLS takes bytes that a peer who has stopped reading never gets.
    /// Cancel-safe: what has been written has left `owed`, and what was not flushed is remembered.
    async fn write_owed(&mut self) -> Result<(), ConnectionError> {
        if self.owed.is_empty() && !self.unflushed {
            return Ok(());
        }
        self.write(&[]).await
    }

    /// One read into the framer; the number of bytes, 0 at the end.
    async fn read_some(&mut self) -> io::Result<usize> {
        let Self { stream, framer, .. } = self;
        poll_fn(|cx| {
            let mut chunk = [const { MaybeUninit::uninit() }; READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut chunk);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            framer.feed(buffer.filled());
            let read = buffer.filled().len();
            // It may hold a token, and the stack is not cleared.
            buffer.filled_mut().fill(0);
            std::hint::black_box(&mut chunk);
            Poll::Ready(Ok(read))
        })
        .await
    }

    fn next_frame(&mut self) -> Result<Option<Incoming>, ConnectionError> {
        let incoming = match self.framer.next_frame().map_err(ConnectionError::Framing)? {
            None => {
                if !self.spoke && self.framer.pending() > self.first_message_bytes {
                    let limit = self.first_message_bytes;
                    return Err(ConnectionError::FirstMessageTooLong(limit));
                }
                if self.framer.pending() == 0 {
                    // An idle connection holds no buffer.
                    self.framer = framer(self.ends.role, self.settings.limits);
                }
                if self.framer.pending() <= CRLF.len() {
                    self.partial_since = None;
                } else if self.partial_since.is_none() {
                    self.partial_since = Some(Instant::now());
                }
                return Ok(None);
            }
            Some(Frame::Message(bytes)) => Some(Incoming::Message(bytes.to_vec())),
            Some(Frame::KeepAlivePing) => {
                // Bounded by what one read can bring: receive() writes before it reads again.
                self.owed.extend_from_slice(CRLF);
                None
            }
            Some(Frame::KeepAlivePong) => Some(Incoming::Pong),
        };
        self.partial_since = None;
        self.active_at = Instant::now();
        if let Some(Incoming::Message(bytes)) = &incoming {
            self.spoke = true;
            self.report(Direction::Received, bytes);
        }
        Ok(incoming)
    }

    fn end(&mut self) -> Result<(), ConnectionError> {
        self.ended = true;
        if self.framer.pending() <= CRLF.len() {
            Ok(())
        } else {
            Err(ConnectionError::EndInsideMessage)
        }
    }
}

/// The beginning of `bytes` up to its last line end.
fn whole_lines(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.windows(CRLF.len()).rposition(|two| two == CRLF)?;
    bytes.get(..last + CRLF.len())
}

/// `lines` without the last one and, where that is folded, without the whole field; `None` where nothing is left.
fn without_last_field(mut lines: &[u8]) -> Option<&[u8]> {
    loop {
        let before = whole_lines(lines.get(..lines.len() - CRLF.len())?)?;
        if !matches!(lines.get(before.len()), Some(b' ' | b'\t')) {
            return Some(before);
        }
        lines = before;
    }
}

fn framer(role: Role, limits: Limits) -> Framer {
    match role {
        Role::Initiator => Framer::for_client(limits),
        Role::Acceptor => Framer::new(limits),
    }
}

/// Reads and forgets for at most `for_at_most`, so that what we wrote last arrives instead of a reset.
pub(crate) async fn drain<S: AsyncRead + Unpin>(stream: &mut S, for_at_most: Duration) {
    let mut sink = [0; 1024];
    let _ = timeout(for_at_most, async {
        while matches!(stream.read(&mut sink).await, Ok(read) if read > 0) {}
    })
    .await;
}

/// The first line of a message for a log, at most 200 bytes. A start line holds no credentials.
fn start_line(bytes: &[u8]) -> String {
    let line = bytes
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or_default();
    let line = line.get(..200).unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests;
