//! The server's side (RFC 3261 section 17.2.2).

use std::time::Instant;

use sip_oauth_message::header::Via;
use sip_oauth_message::{MessageView, Method};

use super::{TIMER_J, TransactionState};

/// What tells one server transaction from another (RFC 3261 section 17.2.3): the branch and sent-by of the topmost Via,
/// and the method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerKey {
    branch: String,
    sent_by: String,
    method: Method<'static>,
}

impl ServerKey {
    /// The key of a request; `None` where it is of RFC 2543, whose branches say nothing, or no request.
    pub fn of(request: &MessageView<'_>) -> Option<Self> {
        const COOKIE: &str = "z9hG4bK";
        let method = request.method()?.clone();
        let via = request.header::<Via<'_>>().ok()??;
        let branch = via.branch()?;
        let cookie = branch.get(..COOKIE.len())?;
        cookie.eq_ignore_ascii_case(COOKIE).then(|| Self {
            branch: branch.to_ascii_lowercase(),
            sent_by: match via.port() {
                Some(port) => format!("{}:{port}", via.host()).to_ascii_lowercase(),
                None => via.host().to_string().to_ascii_lowercase(),
            },
            // "the method of the request matches the one that created the transaction, except for ACK"
            method: match method {
                Method::Ack => Method::Invite,
                other => other.into_owned(),
            },
        })
    }
}

/// A non-INVITE server transaction over a reliable transport.
///
/// ```
/// use std::time::Instant;
/// use sip_oauth_registration::transaction::{Repeated, ServerTransaction, TransactionState};
///
/// let now = Instant::now();
/// let mut transaction = ServerTransaction::new();
/// assert_eq!(transaction.handle_repeated(), Repeated::Discard);
/// assert!(transaction.respond(200, b"SIP/2.0 200 OK\r\n\r\n", now));
/// assert_eq!(transaction.handle_repeated(), Repeated::SendAgain(b"SIP/2.0 200 OK\r\n\r\n"));
/// transaction.handle_timeout(now);
/// assert_eq!(transaction.state(), TransactionState::Terminated);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ServerTransaction {
    state: TransactionState,
    /// The last answer given.
    answer: Vec<u8>,
    timer_j: Option<Instant>,
}

/// What to do about a request that came again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated<'a> {
    /// Nothing: it is being worked on.
    Discard,
    /// Send this again.
    SendAgain(&'a [u8]),
    /// It is a new request: the transaction is over.
    New,
}

impl Default for ServerTransaction {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ServerTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTransaction")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl ServerTransaction {
    /// A transaction whose request was just passed to the transaction user.
    pub const fn new() -> Self {
        Self {
            state: TransactionState::Trying,
            answer: Vec::new(),
            timer_j: None,
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> TransactionState {
        self.state
    }

    /// The same request again.
    pub fn handle_repeated(&self) -> Repeated<'_> {
        match self.state {
            TransactionState::Trying => Repeated::Discard,
            TransactionState::Proceeding | TransactionState::Completed => {
                Repeated::SendAgain(&self.answer)
            }
            TransactionState::Terminated => Repeated::New,
        }
    }

    /// The transaction user answers; whether the answer is to be sent. "Any other final responses passed by the TU …
    /// MUST be discarded while in the Completed state."
    pub fn respond(&mut self, status: u16, answer: &[u8], now: Instant) -> bool {
        match self.state {
            TransactionState::Completed | TransactionState::Terminated => return false,
            TransactionState::Trying | TransactionState::Proceeding if status < 200 => {
                self.state = TransactionState::Proceeding;
            }
            TransactionState::Trying | TransactionState::Proceeding => {
                self.state = TransactionState::Completed;
                self.timer_j = now.checked_add(TIMER_J);
            }
        }
        answer.clone_into(&mut self.answer);
        true
    }

    /// The transport failed; true where the transaction user has to be told.
    pub fn handle_transport_error(&mut self) -> bool {
        let told = self.state != TransactionState::Terminated;
        self.terminate();
        told
    }

    /// Time has passed. Nothing before Timer J is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timer_j.is_some_and(|due| due <= now) {
            self.terminate();
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.timer_j
    }

    fn terminate(&mut self) {
        self.state = TransactionState::Terminated;
        self.timer_j = None;
        self.answer = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use sip_oauth_message::Limits;

    use super::*;

    #[test]
    fn trying_discards_and_proceeding_and_completed_send_again() {
        let now = Instant::now();
        let mut transaction = ServerTransaction::new();
        assert_eq!(transaction.handle_repeated(), Repeated::Discard);
        assert!(transaction.respond(100, b"100", now));
        assert_eq!(transaction.state(), TransactionState::Proceeding);
        assert_eq!(transaction.handle_repeated(), Repeated::SendAgain(b"100"));
        assert!(transaction.respond(200, b"200", now));
        assert_eq!(transaction.handle_repeated(), Repeated::SendAgain(b"200"));
    }

    #[test]
    fn a_second_final_answer_is_discarded() {
        let now = Instant::now();
        let mut transaction = ServerTransaction::new();
        assert!(transaction.respond(407, b"407", now));
        assert!(!transaction.respond(200, b"200", now));
        assert_eq!(transaction.handle_repeated(), Repeated::SendAgain(b"407"));
    }

    #[test]
    fn timer_j_of_0_s_ends_it() {
        let now = Instant::now();
        let mut transaction = ServerTransaction::new();
        transaction.handle_timeout(now);
        assert_eq!(
            transaction.state(),
            TransactionState::Trying,
            "J is not set"
        );
        transaction.respond(200, b"200", now);
        assert_eq!(transaction.poll_timeout(), Some(now));
        transaction.handle_timeout(now);
        assert_eq!(transaction.state(), TransactionState::Terminated);
        assert_eq!(transaction.handle_repeated(), Repeated::New);
        assert!(!transaction.respond(200, b"200", now));
    }

    #[test]
    fn a_transport_error_ends_it_and_is_told_once() {
        let mut transaction = ServerTransaction::new();
        assert!(transaction.handle_transport_error());
        assert!(!transaction.handle_transport_error());
    }

    #[test]
    fn requests_are_told_apart_by_branch_sent_by_and_method() {
        let key = |method: &str, via: &str| {
            let text = format!("{method} sip:x SIP/2.0\r\nVia: SIP/2.0/TLS {via}\r\n\r\n");
            let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
            ServerKey::of(&view)
        };
        let first = key("REGISTER", "192.0.2.7:5061;branch=z9hG4bK1");
        assert!(first.is_some());
        assert_eq!(
            first,
            key("REGISTER", "192.0.2.7:5061;branch=Z9HG4BK1;rport")
        );
        for (method, via) in [
            ("OPTIONS", "192.0.2.7:5061;branch=z9hG4bK1"),
            ("REGISTER", "192.0.2.8:5061;branch=z9hG4bK1"),
            ("REGISTER", "192.0.2.7;branch=z9hG4bK1"),
            ("REGISTER", "192.0.2.7:5061;branch=z9hG4bK2"),
        ] {
            assert_ne!(first, key(method, via), "{method} {via}");
        }
        assert_eq!(key("REGISTER", "192.0.2.7;branch=1"), None, "RFC 2543");
    }
}
