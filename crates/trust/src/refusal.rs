//! A refusal of ours as data, and who listens to it.

use std::fmt;

use rustls::{AlertDescription, CertificateError, Error};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};

use crate::finding::{self, TriedAnchor};
use crate::{CertificateSummary, Explanation, Identities, Reason, TrustStore};

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
    /// At which certificate of [`chain`](Self::chain) the trouble is, where one can be named.
    pub at: Option<usize>,
    /// Anchors of the store with the name of the issuer that was looked for, at none of which the path ends.
    pub tried: Vec<TriedAnchor>,
}

impl Refusal {
    /// The names in the peer's own certificate, when it could be read.
    pub fn identities(&self) -> Option<&Identities> {
        self.chain.first().map(CertificateSummary::identities)
    }

    /// The certificate at which the trouble is.
    pub fn certificate(&self) -> Option<&CertificateSummary> {
        self.chain.get(self.at?)
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
        store: &TrustStore,
        chain: impl Iterator<Item = &'a CertificateDer<'a>>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Error {
        if let Some(observer) = observer {
            observer.refused(&self.refusal(side, store, chain, algorithms));
        }
        self.error
    }

    /// Of an error in the signature of a handshake, not of a certificate.
    pub(crate) fn of_handshake_signature(error: Error) -> Self {
        let reason = matches!(
            error,
            Error::InvalidCertificate(CertificateError::BadSignature)
        )
        .then_some(Reason::HandshakeSignature);
        Self { error, reason }
    }

    /// The refusal as data.
    pub(crate) fn refusal<'a>(
        &self,
        side: Side,
        store: &TrustStore,
        chain: impl Iterator<Item = &'a CertificateDer<'a>>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Refusal {
        let (certificates, chain) = finding::read(chain);
        let reason = self
            .reason
            .clone()
            .unwrap_or_else(|| Reason::of_error(&self.error));
        let found = finding::of(
            &self.error,
            reason,
            &certificates,
            &chain,
            store,
            algorithms,
        );
        Refusal {
            side,
            alert: match &self.error {
                Error::InvalidCertificate(error) => AlertDescription::from(error.clone()),
                Error::NoCertificatesPresented => AlertDescription::CertificateRequired,
                Error::PeerMisbehaved(_) => AlertDescription::IllegalParameter,
                _ => AlertDescription::HandshakeFailure,
            },
            reason: found.reason,
            store: store.name().to_owned(),
            chain,
            at: found.at,
            tried: found.tried,
        }
    }
}
