//! From a failed handshake to a sentence: who refused whom, why, and what has to change.

use std::fmt;
use std::io;

use rustls::{AlertDescription, Error};

use crate::alert::{self, alert_name};
use crate::finding::{self, TriedAnchor};
use crate::{Party, Reason, Refusal, Remedy, Side};

/// Who refused whom, why, and what has to change. `Display` is one sentence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// Which end we are.
    pub side: Side,
    /// Who ended the handshake.
    pub refused_by: Party,
    /// The alert on the wire: received from the peer, or sent by us. `None` when there was none.
    pub alert: Option<AlertDescription>,
    /// Why.
    pub reason: Reason,
    /// The subject of the certificate at which the trouble is, and its place in the chain (the end entity is 1):
    /// known to the end that refused, when its verifier could tell.
    pub certificate: Option<(usize, String)>,
    /// Anchors with the name of the issuer that was looked for, at none of which the path ends.
    pub tried: Vec<TriedAnchor>,
    /// What has to change. For a [`Reason::OneOf`] this is the likeliest cause's where all are mended in one place, else
    /// the log of the side that refused; [`remedies`](Self::remedies) has them all.
    pub remedy: Remedy,
}

/// Explains a rustls error of either end, TLS 1.2 and 1.3 alike.
///
/// "Who sends the alert tells which store to fix": a *received* `unknown_ca` means that the peer does
/// not trust us, an `UnknownIssuer` of our own that we do not trust the peer.
///
/// In TLS 1.3 a client's handshake is complete before the server has looked at the client certificate, so
/// the refusal arrives as the error of the first read (read once after a failed write, or it is lost).
/// It is the same error value and is explained by this same function.
///
/// An alert is one number for several causes: where an end in use sends it for more than one, the reason is
/// [`Reason::OneOf`].
///
/// ```
/// use rustls::{CertificateError, Error};
/// use sip_oauth_trust::{Party, Place, Side, explain};
///
/// // Expressway-C does not trust the signer of the Tomcat certificate.
/// let ours = explain(&Error::InvalidCertificate(CertificateError::UnknownIssuer), Side::Client);
/// assert_eq!((ours.refused_by, ours.remedy.place), (Party::Us, Place::ClientTrust));
/// assert!(ours.to_string().starts_with("we refused the server's certificate (alert unknown_ca, 48):"));
/// ```
pub fn explain(error: &Error, side: Side) -> Explanation {
    let refused_by = match error {
        Error::AlertReceived(_) => Party::Peer,
        _ => Party::Us,
    };
    let alert = match error {
        Error::AlertReceived(alert) => Some(*alert),
        Error::InvalidCertificate(error) => Some(AlertDescription::from(error.clone())),
        // RFC 8446 §4.4.2.4. rustls sends it in TLS 1.2 as well; OpenSSL sends handshake_failure there.
        Error::NoCertificatesPresented => Some(AlertDescription::CertificateRequired),
        Error::InvalidCertRevocationList(_) => Some(AlertDescription::HandshakeFailure),
        Error::PeerMisbehaved(_) => Some(AlertDescription::IllegalParameter),
        _ => None,
    };
    let reason = match error {
        Error::AlertReceived(alert) => alert::reason(*alert, presenter(side, Party::Peer)),
        error => Reason::of_error(error),
    };
    Explanation::new(side, refused_by, alert, reason)
}

/// The rustls error inside an I/O error of a TLS stream, if it is one.
pub fn tls_cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

impl Explanation {
    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        let found = Self::new(
            refusal.side,
            Party::Us,
            Some(refusal.alert),
            refusal.reason.clone(),
        );
        Self {
            certificate: refusal
                .at
                .and_then(|at| Some((at + 1, refusal.chain.get(at)?.subject().to_owned()))),
            tried: refusal.tried.clone(),
            ..found
        }
    }

    /// What has to change for each cause there may be, the likeliest first.
    pub fn remedies(&self) -> Vec<Remedy> {
        self.reason.remedies(self.presenter())
    }

    /// Whose certificate was at stake.
    fn presenter(&self) -> Side {
        presenter_of(&self.reason, self.side, self.refused_by)
    }

    fn new(side: Side, refused_by: Party, alert: Option<AlertDescription>, reason: Reason) -> Self {
        let presenter = presenter_of(&reason, side, refused_by);
        Self {
            side,
            refused_by,
            alert,
            certificate: None,
            tried: Vec::new(),
            remedy: Remedy::of(&reason, presenter),
            reason,
        }
    }
}

fn presenter_of(reason: &Reason, side: Side, refused_by: Party) -> Side {
    match reason {
        // Only a client can lack a certificate.
        Reason::NoCertificate => Side::Client,
        _ => presenter(side, refused_by),
    }
}

/// Whose certificate was at stake: that of the side opposite to the one that refused.
fn presenter(side: Side, refused_by: Party) -> Side {
    match (side, refused_by) {
        (Side::Client, Party::Us) | (Side::Server, Party::Peer) => Side::Server,
        (Side::Client, Party::Peer) | (Side::Server, Party::Us) => Side::Client,
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (refuser, other) = match (self.side, self.refused_by) {
            (Side::Client, Party::Us) => ("we", "the server"),
            (Side::Client, Party::Peer) => ("the server", "us"),
            (Side::Server, Party::Us) => ("we", "the client"),
            (Side::Server, Party::Peer) => ("the client", "us"),
        };
        match (self.reason.concerns_certificate(), self.refused_by) {
            (false, _) => write!(f, "{refuser} refused {other}")?,
            (true, Party::Us) => write!(f, "{refuser} refused {other}'s certificate")?,
            (true, Party::Peer) => write!(f, "{refuser} refused our certificate")?,
        }
        if let Some(alert) = self.alert {
            write!(f, " (alert {}, {})", alert_name(alert), u8::from(alert))?;
        }
        f.write_str(": ")?;
        // "The client's certificate" is the first; another one is named.
        if let Some((number, subject)) = self.certificate.as_ref().filter(|(number, _)| *number > 1)
        {
            write!(f, "certificate {number} of its chain, \"{subject}\": ")?;
        }
        write!(f, "{}", self.reason)?;
        finding::write_tried(f, &self.tried)?;
        let remedies = self.remedies();
        match remedies.as_slice() {
            [_] => write!(f, "; {}", self.remedy),
            several if several.iter().all(|it| it.place == self.remedy.place) => {
                for (index, remedy) in several.iter().enumerate() {
                    f.write_str(if index == 0 { "; " } else { "; or " })?;
                    remedy.fmt(f)?;
                }
                Ok(())
            }
            several => {
                let mut places: Vec<&str> = Vec::new();
                for remedy in several {
                    if !places.contains(&remedy.place.name()) {
                        places.push(remedy.place.name());
                    }
                }
                write!(f, "; {}: {}", self.remedy, places.join(", "))
            }
        }
    }
}
