//! Where in a chain the trouble is, and which anchors were tried for it.

use std::fmt;

use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};

use crate::identities::{parse, write_list};
use crate::reason::{IssuerPlace, unix_time};
use crate::way::{MAX_CHAIN, Way, anchors_of};
use crate::{Anchor, CertificateSummary, Reason, Source, TrustStore};

/// An anchor that bears the name of the issuer that was looked for, and why the path does not end at it.
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
    /// Why it does not serve.
    pub why: Unfit,
}

/// Why an anchor of the right name does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unfit {
    /// The signature was not made with its key.
    OtherKey,
    /// It has the key of the self-signed certificate that was presented, and is another certificate; only the very
    /// certificate is accepted.
    SameKey,
    /// It may not issue certificates ([`CertificateSummary::may_issue`]).
    MayNotIssue,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherKey => "another key",
            Self::SameKey => "the same key, and not the same certificate",
            Self::MayNotIssue => "it may not issue certificates",
        })
    }
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

/// Where the trouble of `error` is.
pub(crate) fn of(
    error: &Error,
    reason: Reason,
    certificates: &[&CertificateDer<'_>],
    chain: &[CertificateSummary],
    store: &TrustStore,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Finding {
    let way = Way::of(certificates, chain, store, algorithms);
    let mut finding = Finding {
        at: place(error, &reason, certificates, chain, &way.indices, store),
        reason,
        tried: Vec::new(),
    };
    if let Reason::BadSignature { .. } = finding.reason
        && let Some(broken) = &way.broken
    {
        finding.at = Some(broken.at);
        finding.reason = match &broken.weak {
            Some(weak) => {
                finding.at = Some(*weak.who.as_ref().unwrap_or(&broken.at));
                Reason::WeakKey {
                    bits: Some(weak.bits),
                    anchor: weak.who.as_ref().err().cloned(),
                }
            }
            None => Reason::BadSignature {
                issuer: Some(broken.place),
            },
        };
    }
    let end_entity = chain.first();
    if way.indices == [0]
        && end_entity.is_some_and(CertificateSummary::is_self_issued)
        && matches!(
            finding.reason,
            Reason::UnknownIssuer { .. } | Reason::BadSignature { .. }
        )
    {
        finding.reason = Reason::SelfSigned;
    }
    let last = way.last().and_then(|last| chain.get(last));
    if let (Reason::UnknownIssuer { issuer }, Some(last)) = (&mut finding.reason, last) {
        *issuer = Some(last.issuer().to_owned());
    }
    let looked_for = match finding.reason {
        Reason::UnknownIssuer { .. } => last,
        Reason::SelfSigned => end_entity,
        Reason::BadSignature {
            issuer: Some(IssuerPlace::Store),
        } => finding.at.and_then(|at| chain.get(at)),
        _ => None,
    };
    let key = matches!(finding.reason, Reason::SelfSigned)
        .then(|| public_key(certificates.first()?))
        .flatten();
    finding.tried = looked_for
        .into_iter()
        .flat_map(|certificate| anchors_of(certificate, store))
        .take(MAX_CHAIN)
        .map(|anchor| tried(anchor, key.as_deref()))
        .collect();
    finding
}

/// `key` is that of a self-signed certificate.
fn tried(anchor: &Anchor, key: Option<&[u8]>) -> TriedAnchor {
    let summary = anchor.summary();
    TriedAnchor {
        subject: summary.subject().to_owned(),
        serial: summary.serial().to_owned(),
        source: anchor.source().clone(),
        why: match key {
            Some(key) if public_key(anchor.certificate()).as_deref() == Some(key) => Unfit::SameKey,
            None if !summary.may_issue() => Unfit::MayNotIssue,
            _ => Unfit::OtherKey,
        },
    }
}

fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let parsed = parse(certificate).ok()?;
    Some(parsed.public_key().raw.to_vec())
}

fn place(
    error: &Error,
    reason: &Reason,
    certificates: &[&CertificateDer<'_>],
    chain: &[CertificateSummary],
    way: &[usize],
    store: &TrustStore,
) -> Option<usize> {
    // What concerns the end entity alone.
    if matches!(
        reason,
        Reason::NameMismatch { .. }
            | Reason::NameNotInTable { .. }
            | Reason::KeyUsage
            | Reason::WeakKey { .. }
            | Reason::AuthorityAsEndEntity
            | Reason::HandshakeSignature
    ) {
        return (!chain.is_empty()).then_some(0);
    }
    let first = |matches: &dyn Fn(&CertificateSummary) -> bool| {
        way.iter()
            .copied()
            .find(|index| chain.get(*index).is_some_and(matches))
    };
    let Error::InvalidCertificate(error) = error else {
        return None;
    };
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            first(&|it| unix_time(it.not_after()) == *not_after)
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            first(&|it| unix_time(it.not_before()) == *not_before)
        }
        CertificateError::UnknownIssuer => way.last().copied(),
        CertificateError::Revoked => {
            first(&|it| store.revocation_lists().iter().any(|list| list.revokes(it)))
        }
        CertificateError::InvalidPurposeContext { required, .. } => {
            way.iter().copied().find(|index| {
                certificates
                    .get(*index)
                    .and_then(|certificate| parse(certificate).ok())
                    .is_some_and(|parsed| {
                        crate::end_entity::extended_key_usage(&parsed, required.clone()).is_err()
                    })
            })
        }
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id,
            ..
        } => way.iter().copied().find(|index| {
            certificates.get(*index).is_some_and(|certificate| {
                crate::pem::contains(certificate, signature_algorithm_id)
            })
        }),
        _ => None,
    }
}

/// `; the store has 2 certificates with subject "CN=Edge CA", each was tried and has another key [serial 01 from file a.pem, …]`
pub(crate) fn write_tried(f: &mut fmt::Formatter<'_>, tried: &[TriedAnchor]) -> fmt::Result {
    match tried {
        [] => Ok(()),
        [one] => {
            write!(
                f,
                "; the store has another certificate with subject \"{}\" ({one}): {}",
                one.subject, one.why
            )
        }
        [first, ..] => {
            write!(
                f,
                "; the store has {} certificates with subject \"{}\"",
                tried.len(),
                first.subject
            )?;
            if tried.iter().all(|it| it.why == Unfit::OtherKey) {
                f.write_str(", each was tried and has another key ")?;
                return write_list(f, tried);
            }
            f.write_str(": ")?;
            write_list(f, tried.iter().map(|it| format!("{it}: {}", it.why)))
        }
    }
}
