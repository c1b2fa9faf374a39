//! A refusal of ours as data, and who listens to it.

use std::fmt;

use rustls::{AlertDescription, CertificateError, Error};
use rustls_pki_types::CertificateDer;

use crate::{CertificateSummary, Explanation, Identities, Reason};

/// Which end of the handshake we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// We connected: a phone, Jabber, or Expressway-C towards Unified CM.
    Client,
    /// We accepted: Unified CM's listener.
    Server,
}

/// Who ended the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// This end: it found the error itself.
    Us,
    /// The other end: it sent an alert.
    Peer,
}

/// We refused the peer's certificate: who it was, why, and which alert it is sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// Which end we are.
    pub side: Side,
    /// Why.
    pub reason: Reason,
    /// The alert the peer reads.
    pub alert: AlertDescription,
    /// The name of the trust store that was asked, for example `Tomcat-trust`.
    pub store: String,
    /// The chain as the peer sent it, end entity first, as far as it could be read (at most 8).
    pub chain: Vec<CertificateSummary>,
}

impl Refusal {
    /// The names in the peer's own certificate, when it could be read.
    pub fn identities(&self) -> Option<&Identities> {
        self.chain.first().map(CertificateSummary::identities)
    }

    /// The refusal in the words of [`explain`](crate::explain), with all that only this end knows.
    pub fn explanation(&self) -> Explanation {
        Explanation::of_refusal(self)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explanation().fmt(f)
    }
}

/// Hears of every refusal, while the handshake it ends is still going on: it must not block.
///
/// Any `Fn(&Refusal)` is one.
pub trait Observer: Send + Sync {
    /// A peer was refused.
    fn refused(&self, refusal: &Refusal);
}

impl<F: Fn(&Refusal) + Send + Sync> Observer for F {
    fn refused(&self, refusal: &Refusal) {
        self(refusal);
    }
}

/// A refusal on its way: the error rustls turns into the alert, and the reason if that error cannot
/// carry it.
pub(crate) struct Verdict {
    pub(crate) error: Error,
    pub(crate) reason: Option<Reason>,
}

impl From<Error> for Verdict {
    fn from(error: Error) -> Self {
        Self {
            error,
            reason: None,
        }
    }
}

impl From<Error> for Box<Verdict> {
    fn from(error: Error) -> Self {
        Box::new(error.into())
    }
}

impl From<CertificateError> for Box<Verdict> {
    fn from(error: CertificateError) -> Self {
        Error::from(error).into()
    }
}

impl Verdict {
    /// Tells the observer, if there is one, and gives the error that rustls turns into the alert.
    pub(crate) fn report<'a>(
        self,
        observer: Option<&dyn Observer>,
        side: Side,
        store: &str,
        chain: impl Iterator<Item = &'a CertificateDer<'a>>,
    ) -> Error {
        if let Some(observer) = observer {
            observer.refused(&self.refusal(side, store, chain));
        }
        self.error
    }

    /// The refusal as data.
    pub(crate) fn refusal<'a>(
        &self,
        side: Side,
        store: &str,
        chain: impl Iterator<Item = &'a CertificateDer<'a>>,
    ) -> Refusal {
        const MAX_CHAIN: usize = 8;
        let chain: Vec<_> = chain
            .take(MAX_CHAIN)
            .map_while(|certificate| CertificateSummary::of(certificate).ok())
            .collect();
        let mut reason = self
            .reason
            .clone()
            .unwrap_or_else(|| Reason::of_error(&self.error));
        if let Reason::UnknownIssuer { issuer } = &mut reason {
            // What is missing is the issuer of the last certificate the peer sent.
            *issuer = chain.last().map(|last| last.issuer().to_owned());
        }
        Refusal {
            side,
            alert: match &self.error {
                Error::InvalidCertificate(error) => AlertDescription::from(error.clone()),
                Error::NoCertificatesPresented => AlertDescription::CertificateRequired,
                _ => AlertDescription::HandshakeFailure,
            },
            reason,
            store: store.to_owned(),
            chain,
        }
    }
}
