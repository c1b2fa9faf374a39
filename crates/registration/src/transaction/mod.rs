//! Non-INVITE transactions over a reliable transport (RFC 3261 sections 17.1.2 and 17.2.2).
//!
//! A transaction is one request and everything that answers it. Over TCP and TLS nothing is sent twice, so of the timers
//! of RFC 3261 three are left:
//!
//! | timer | where | value | what it ends |
//! |---|---|---|---|
//! | F | client, from the request to the final answer | 64·T1 = 32 s | the wait for an answer |
//! | K | client, after the final answer | 0 s | the absorption of repeated answers |
//! | J | server, after the final answer | 0 s | the absorption of repeated requests |
//!
//! Timer E, which sends a request again, "is not set" over a reliable transport.
//!
//! The [client](crate::client) runs one machine for each request. The registrar's server keeps no table of server machines:
//! it answers the requests of a connection one after another, and Timer J ends a transaction with its answer. So when the
//! next request is looked at, no earlier one is left that it could repeat. The same REGISTER once more is a new one whose
//! CSeq is not higher, and changes nothing: "the update MUST be aborted and the request fails" (section 10.3).
//! [`ServerTransaction`] is for who answers requests while others are being worked on.
//!
//! Both machines take time as an argument. A timeout before it is due, an answer after the final one, and an error after
//! the end do nothing.

mod client;
mod server;

use std::time::Duration;

pub use client::{ClientTransaction, Received};
pub use server::{Repeated, ServerKey, ServerTransaction};

/// T1, the estimate of a round trip: 500 ms (RFC 3261 section 17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);

/// Timer F: 64·T1 (RFC 3261 section 17.1.2.2).
pub const TIMER_F: Duration = Duration::from_secs(32);

/// Timer K: zero over a reliable transport (RFC 3261 section 17.1.2.2).
pub const TIMER_K: Duration = Duration::ZERO;

/// Timer J: zero over a reliable transport (RFC 3261 section 17.2.2).
pub const TIMER_J: Duration = Duration::ZERO;

/// The states both machines go through (RFC 3261 figures 6 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionState {
    /// The request is on its way, or waits to be answered.
    Trying,
    /// A provisional answer (1xx) was given.
    Proceeding,
    /// The final answer was given; what is repeated is absorbed until Timer K or J.
    Completed,
    /// It is over.
    Terminated,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timer_f_is_64_times_t1() {
        assert_eq!(TIMER_F, 64 * T1);
    }
}
