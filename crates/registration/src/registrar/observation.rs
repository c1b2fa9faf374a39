//! What was decided and why, for logs and for diagnosis.

use std::fmt;
use std::time::{Duration, SystemTime};

use sip_oauth_token::TokenError;

use super::arrival::Listener;
use crate::refusal::Refusal;

/// What a registrar decided about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// A binding was made.
    Registered {
        /// The expiry granted.
        granted: Duration,
    },
    /// A binding was prolonged.
    Refreshed {
        /// The expiry granted.
        granted: Duration,
    },
    /// Bindings were removed; none, when a client only asked whether the node is alive
    /// (`Expires: 0` where nothing is registered).
    Unregistered {
        /// How many.
        removed: usize,
    },
    /// The bindings were listed; the request asked for no change.
    Listed,
    /// OPTIONS was answered.
    OptionsAnswered,
    /// The request was refused or challenged.
    Refused(Refusal),
    /// Nothing was answered: an ACK, or a response.
    Ignored,
}

/// What the token of a request was found to be.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TokenVerdict {
    /// The decision was made without looking for one.
    #[default]
    NotJudged,
    /// There was none.
    Missing,
    /// Credentials were there, but no token could be read from them.
    Unreadable {
        /// Why.
        why: String,
    },
    /// It is genuine.
    Valid {
        /// Whose it is.
        user: String,
        /// When it ends.
        expires_at: SystemTime,
    },
    /// It is genuine, but belongs to somebody who may not register this.
    OfAnotherUser {
        /// Whose it is.
        user: String,
        /// Whose it should be.
        expected: Option<String>,
    },
    /// It is genuine, but does not grant what is wanted here.
    InsufficientScope {
        /// Whose it is.
        user: String,
        /// The scopes wanted.
        wanted: String,
    },
    /// It is not genuine, over, or lacks something.
    Rejected(TokenError),
}

/// What asking about a token came to, where it was not accepted.
///
/// A registrar asks nobody itself: whoever runs it may, when a [`TokenVerdict::Rejected`] names a key that is
/// not there or an authorization server to be asked, and then [judges again](super::Registrar::handle) or
/// [refuses](super::Registrar::refuse_token).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFinding {
    /// It was judged, and refused.
    Refused(TokenError),
    /// Nobody could say: the token may well be good.
    Unavailable {
        /// Why.
        why: String,
        /// When it is worth asking again; `None` leaves it to the table of refusals, which says 30 s.
        retry_after: Option<Duration>,
    },
}

impl TokenFinding {
    /// Nobody could say, and why.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable {
            why: why.into(),
            retry_after: None,
        }
    }

    /// The same, worth asking again after `wait`, as the client is told in whole seconds, none less. Does nothing to a
    /// refusal.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        if let Self::Unavailable { retry_after, .. } = &mut self {
            *retry_after = Some(wait);
        }
        self
    }
}

/// What was decided about one request, and what it rests on. Never holds a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The method of the request.
    pub method: String,
    /// The listener it came to.
    pub listener: Listener,
    /// The device it spoke for.
    pub device: Option<String>,
    /// The line it named.
    pub line: Option<String>,
    /// What its token was found to be.
    pub token: TokenVerdict,
    /// What was decided.
    pub decision: Decision,
    /// What the table of refusals cannot know: an offset, a name.
    pub detail: Option<String>,
}

impl Observation {
    pub(super) fn new(method: &str, listener: Listener) -> Self {
        Self {
            method: method.to_owned(),
            listener,
            device: None,
            line: None,
            token: TokenVerdict::NotJudged,
            decision: Decision::Ignored,
            detail: None,
        }
    }

    /// The refusal, where it was one.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.decision {
            Decision::Refused(refusal) => Some(refusal),
            Decision::Registered { .. }
            | Decision::Refreshed { .. }
            | Decision::Unregistered { .. }
            | Decision::Listed
            | Decision::OptionsAnswered
            | Decision::Ignored => None,
        }
    }
}

impl fmt::Display for TokenVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJudged => f.write_str("token not looked at"),
            Self::Missing => f.write_str("no token"),
            Self::Unreadable { why } => write!(f, "unreadable credentials: {why}"),
            Self::Valid { user, .. } => write!(f, "token of {user}"),
            Self::OfAnotherUser {
                user,
                expected: Some(expected),
            } => write!(f, "token of {user}, expected one of {expected}"),
            Self::OfAnotherUser {
                user,
                expected: None,
            } => {
                write!(f, "token of {user}, but nobody owns the device")
            }
            Self::InsufficientScope { user, wanted } => {
                write!(f, "token of {user} without scope {wanted}")
            }
            Self::Rejected(error) => write!(f, "{error}"),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { granted } => write!(f, "registered for {} s", granted.as_secs()),
            Self::Refreshed { granted } => write!(f, "refreshed for {} s", granted.as_secs()),
            Self::Unregistered { removed: 0 } => {
                f.write_str("nothing was registered: a keep-alive")
            }
            Self::Unregistered { removed } => {
                write!(f, "unregistered, {removed} binding(s) removed")
            }
            Self::Listed => f.write_str("bindings listed"),
            Self::OptionsAnswered => f.write_str("answered"),
            Self::Refused(refusal) => f.write_str(refusal.entry().sentence),
            Self::Ignored => f.write_str("not answered"),
        }
    }
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.method, self.listener)?;
        if let Some(device) = &self.device {
            write!(f, " for {device}")?;
        }
        if let Some(line) = &self.line {
            // A client writes what it likes into To; it does not end our line.
            write!(f, " line {}", line.escape_debug())?;
        }
        if self.token != TokenVerdict::NotJudged {
            write!(f, " ({})", self.token)?;
        }
        write!(f, ": {}", self.decision)?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}
