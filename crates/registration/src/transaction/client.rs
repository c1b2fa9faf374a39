//! The client's side (RFC 3261 section 17.1.2).

use std::time::{Duration, Instant};

use sip_oauth_message::header::{CSeq, Via};
use sip_oauth_message::{MessageView, Method};

use super::{TIMER_K, TransactionState};

/// A non-INVITE client transaction over a reliable transport.
///
/// ```
/// use std::time::{Duration, Instant};
/// use sip_oauth_message::Method;
/// use sip_oauth_registration::transaction::{ClientTransaction, Received, TIMER_F, TransactionState};
///
/// let now = Instant::now();
/// let mut transaction = ClientTransaction::new("z9hG4bK1", Method::Register, TIMER_F, now);
/// assert_eq!(transaction.handle_response(100, now), Received::Provisional);
/// assert_eq!(transaction.state(), TransactionState::Proceeding);
/// assert_eq!(transaction.handle_response(200, now), Received::Final);
/// assert_eq!(transaction.handle_response(200, now), Received::Absorbed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTransaction {
    branch: String,
    method: Method<'static>,
    state: TransactionState,
    /// Timer F in Trying and Proceeding, Timer K in Completed, none when it is over.
    due: Option<Instant>,
}

/// What an answer means to a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Received {
    /// To be passed to the transaction user: a provisional answer.
    Provisional,
    /// To be passed to the transaction user: the final answer.
    Final,
    /// Not to be passed on: the final answer was there already.
    Absorbed,
}

impl ClientTransaction {
    /// A transaction whose request is handed to the transport now. `timer_f` is [`TIMER_F`](super::TIMER_F) where
    /// nothing else is wanted.
    pub fn new(branch: &str, method: Method<'_>, timer_f: Duration, now: Instant) -> Self {
        Self {
            branch: branch.to_owned(),
            method: method.into_owned(),
            state: TransactionState::Trying,
            due: now.checked_add(timer_f),
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> TransactionState {
        self.state
    }

    /// The branch of its Via.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Whether an answer with this branch in its topmost Via and this method in CSeq belongs to it (RFC 3261
    /// section 17.1.3).
    pub fn matches(&self, branch: &str, method: &Method<'_>) -> bool {
        // "The branch parameter … is compared case-insensitively" (section 7.3.1, values of parameters).
        self.branch.eq_ignore_ascii_case(branch) && self.method == *method
    }

    /// Whether a message is an answer that belongs to it.
    pub fn is_answered_by(&self, message: &MessageView<'_>) -> bool {
        let (Ok(via), Ok(cseq)) = (
            message.required::<Via<'_>>(),
            message.required::<CSeq<'_>>(),
        ) else {
            return false;
        };
        message.as_response().is_some()
            && via
                .branch()
                .is_some_and(|branch| self.matches(branch, cseq.method()))
    }

    /// An answer that belongs to it arrived.
    pub fn handle_response(&mut self, status: u16, now: Instant) -> Received {
        match self.state {
            TransactionState::Trying | TransactionState::Proceeding if status < 200 => {
                self.state = TransactionState::Proceeding;
                Received::Provisional
            }
            TransactionState::Trying | TransactionState::Proceeding => {
                self.state = TransactionState::Completed;
                self.due = now.checked_add(TIMER_K);
                Received::Final
            }
            TransactionState::Completed | TransactionState::Terminated => Received::Absorbed,
        }
    }

    /// The transport failed; true where the transaction user has to be told.
    pub fn handle_transport_error(&mut self) -> bool {
        let waiting = self.is_waiting();
        self.terminate();
        waiting
    }

    /// Time has passed; true where Timer F ended the wait and the transaction user has to be told. Nothing before it is
    /// due.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        let waiting = self.is_waiting();
        self.terminate();
        waiting
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn is_waiting(&self) -> bool {
        self.state < TransactionState::Completed
    }

    fn terminate(&mut self) {
        self.state = TransactionState::Terminated;
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::TIMER_F;
    use super::*;

    fn begun() -> (ClientTransaction, Instant) {
        let now = Instant::now();
        let transaction = ClientTransaction::new("z9hG4bK1", Method::Register, TIMER_F, now);
        (transaction, now)
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn timer_f_ends_trying_at_32_s_and_not_before() {
        let (mut transaction, start) = begun();
        assert_eq!(transaction.poll_timeout(), Some(start + seconds(32)));
        assert!(!transaction.handle_timeout(start + Duration::from_millis(31_999)));
        assert_eq!(transaction.state(), TransactionState::Trying);
        assert!(transaction.handle_timeout(start + seconds(32)));
        assert_eq!(transaction.state(), TransactionState::Terminated);
        assert!(
            !transaction.handle_timeout(start + seconds(64)),
            "told once"
        );
    }

    #[test]
    fn timer_f_ends_proceeding_too() {
        let (mut transaction, start) = begun();
        let provisional = transaction.handle_response(100, start + seconds(10));
        assert_eq!(provisional, Received::Provisional);
        assert_eq!(transaction.poll_timeout(), Some(start + seconds(32)));
        assert!(transaction.handle_timeout(start + seconds(32)));
    }

    #[test]
    fn a_final_answer_completes_it_and_timer_k_of_0_s_ends_it() {
        for status in [200, 302, 407, 503, 603] {
            let (mut transaction, start) = begun();
            let at = start + seconds(1);
            assert_eq!(transaction.handle_response(status, at), Received::Final);
            assert_eq!(transaction.state(), TransactionState::Completed);
            assert_eq!(transaction.handle_response(status, at), Received::Absorbed);
            assert_eq!(transaction.poll_timeout(), Some(at));
            assert!(!transaction.handle_timeout(at), "no failure");
            assert_eq!(transaction.state(), TransactionState::Terminated);
            assert_eq!(transaction.poll_timeout(), None);
        }
    }

    #[test]
    fn a_transport_error_is_told_while_an_answer_is_awaited() {
        let (mut transaction, _) = begun();
        assert!(transaction.handle_transport_error());
        assert!(!transaction.handle_transport_error());
        let (mut transaction, now) = begun();
        transaction.handle_response(200, now);
        assert!(!transaction.handle_transport_error());
    }

    #[test]
    fn an_answer_is_matched_by_branch_and_method() {
        let (transaction, _) = begun();
        assert!(transaction.matches("z9hG4bK1", &Method::Register));
        assert!(transaction.matches("z9hg4bk1", &Method::Register));
        assert!(!transaction.matches("z9hG4bK2", &Method::Register));
        assert!(!transaction.matches("z9hG4bK1", &Method::Options));
    }
}
