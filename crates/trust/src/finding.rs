//! Where in a chain the trouble is, and which anchors were tried for it.

use std::fmt;

use rustls::{CertificateError, Error};
use rustls_pki_types::CertificateDer;

use crate::identities::{parse, write_list};
use crate::reason::unix_time;
use crate::{CertificateSummary, Reason, Source, TrustStore};

/// The most certificates of a chain that are looked at to explain a refusal. Verifying is webpki's work and has its
/// own bounds.
pub(crate) const MAX_CHAIN: usize = 8;

/// An anchor that bears the name of the issuer that was looked for, and was tried.
///
/// Two of them are two certificates with one subject: self-signed Tomcat and CallManager, or an authority that was
/// renewed with another key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TriedAnchor {
    /// Its subject, which is the issuer that was looked for.
    pub subject: String,
    /// Its serial number.
    pub serial: String,
    /// Where the store has it from.
    pub source: Source,
}

impl fmt::Display for TriedAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial {} from {}", self.serial, self.source)
    }
}

/// A reason with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) reason: Reason,
    /// Index into the chain.
    pub(crate) at: Option<usize>,
    pub(crate) tried: Vec<TriedAnchor>,
}

/// The certificates that were presented, as far as they can be read, in their order.
pub(crate) fn read<'a>(
    chain: impl Iterator<Item = &'a CertificateDer<'a>>,
) -> (Vec<&'a CertificateDer<'a>>, Vec<CertificateSummary>) {
    chain
        .take(MAX_CHAIN)
        .map_while(|certificate| {
            let summary = CertificateSummary::of(certificate).ok()?;
            Some((certificate, summary))
        })
        .unzip()
}

/// Follows the issuers' names from the end entity: indices of the certificates on that way. It ends where the store
/// has an anchor of the issuer's name, where no certificate has it, with a certificate that names itself, or when it
/// is longer than any path that is accepted.
pub(crate) fn walk(chain: &[CertificateSummary], store: &TrustStore) -> Vec<usize> {
    let mut way = Vec::new();
    let mut next = (!chain.is_empty()).then_some(0);
    while let Some((index, current)) = next.and_then(|index| Some((index, chain.get(index)?))) {
        way.push(index);
        let is_anchored = anchors_of(current, store).next().is_some();
        next = if is_anchored || current.is_self_issued() || way.len() == MAX_CHAIN {
            None
        } else {
            (0..chain.len()).find(|candidate| {
                !way.contains(candidate)
                    && chain
                        .get(*candidate)
                        .is_some_and(|issuer| current.is_issued_by_subject_of(issuer))
            })
        };
    }
    way
}

/// The anchors whose subject `certificate` names as its issuer.
pub(crate) fn anchors_of<'a>(
    certificate: &'a CertificateSummary,
    store: &'a TrustStore,
) -> impl Iterator<Item = &'a crate::Anchor> {
    store
        .anchors()
        .iter()
        .filter(|anchor| certificate.is_issued_by_subject_of(anchor.summary()))
}

/// Where the trouble of `error` is.
pub(crate) fn of(
    error: &Error,
    reason: Reason,
    certificates: &[&CertificateDer<'_>],
    chain: &[CertificateSummary],
    store: &TrustStore,
) -> Finding {
    let way = walk(chain, store);
    let last = way.last().copied();
    let mut finding = Finding {
        at: place(error, &reason, certificates, chain, &way, store),
        reason,
        tried: Vec::new(),
    };
    if let Reason::UnknownIssuer { issuer } = &mut finding.reason {
        *issuer = last
            .and_then(|last| chain.get(last))
            .map(|last| last.issuer().to_owned());
    }
    if matches!(
        finding.reason,
        Reason::UnknownIssuer { .. } | Reason::BadSignature
    ) {
        let last = last.and_then(|last| chain.get(last));
        finding.tried = last
            .into_iter()
            .flat_map(|last| anchors_of(last, store))
            .take(MAX_CHAIN)
            .map(|anchor| TriedAnchor {
                subject: anchor.summary().subject().to_owned(),
                serial: anchor.summary().serial().to_owned(),
                source: anchor.source().clone(),
            })
            .collect();
    }
    finding
}

fn place(
    error: &Error,
    reason: &Reason,
    certificates: &[&CertificateDer<'_>],
    chain: &[CertificateSummary],
    way: &[usize],
    store: &TrustStore,
) -> Option<usize> {
    let first = |matches: &dyn Fn(&CertificateSummary) -> bool| {
        way.iter()
            .copied()
            .find(|index| chain.get(*index).is_some_and(matches))
    };
    let Error::InvalidCertificate(error) = error else {
        return None;
    };
    match (error, reason) {
        (CertificateError::ExpiredContext { not_after, .. }, _) => {
            first(&|it| unix_time(it.not_after()) == *not_after)
        }
        (CertificateError::NotValidYetContext { not_before, .. }, _) => {
            first(&|it| unix_time(it.not_before()) == *not_before)
        }
        (CertificateError::UnknownIssuer, _) => way.last().copied(),
        (CertificateError::Revoked, _) => first(&|it| {
            store
                .revocation_lists()
                .iter()
                .any(|list| list.revokes(it.issuer_der(), it.serial_der()))
        }),
        (CertificateError::InvalidPurposeContext { required, .. }, _) => {
            way.iter().copied().find(|index| {
                certificates
                    .get(*index)
                    .and_then(|certificate| parse(certificate).ok())
                    .is_some_and(|parsed| {
                        crate::end_entity::extended_key_usage(&parsed, required.clone()).is_err()
                    })
            })
        }
        (
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id,
                ..
            }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id,
                ..
            },
            _,
        ) => way.iter().copied().find(|index| {
            certificates.get(*index).is_some_and(|certificate| {
                crate::pem::contains(certificate, signature_algorithm_id)
            })
        }),
        // One link, so it is that one.
        (CertificateError::BadSignature, _) => way.first().copied().filter(|_| way.len() == 1),
        // What concerns the end entity alone.
        (
            _,
            Reason::NameMismatch { .. }
            | Reason::NameNotInTable { .. }
            | Reason::KeyUsage
            | Reason::WeakKey { .. }
            | Reason::AuthorityAsEndEntity,
        ) => (!chain.is_empty()).then_some(0),
        _ => None,
    }
}

/// `; the store has 2 certificates with that subject, and each was tried: [serial 01 from file a.pem, …]`
pub(crate) fn write_tried(f: &mut fmt::Formatter<'_>, tried: &[TriedAnchor]) -> fmt::Result {
    match tried {
        [] => Ok(()),
        [one] => write!(
            f,
            "; the store has one certificate with subject \"{}\", with another key ({one})",
            one.subject
        ),
        [first, ..] => {
            write!(
                f,
                "; the store has {} certificates with subject \"{}\", each was tried and has another key ",
                tried.len(),
                first.subject
            )?;
            write_list(f, tried)
        }
    }
}
