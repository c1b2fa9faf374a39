//! A chain judged outside of a handshake, and how far it came.

use std::fmt;
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, RevocationOptionsBuilder, VerifiedPath};

use crate::finding::{self, TriedAnchor};
use crate::reason::unix_time;
use crate::refusal::Verdict;
use crate::webpki_error::to_rustls;
use crate::{
    Anchor, CertificateSummary, MissingCrl, Purpose, Reason, Side, TrustStore, end_entity, pin,
};

/// The path that was found for a chain.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifiedChain {
    /// Which of the presented certificates are on the path, as indices, the end entity (0) first.
    pub path: Vec<usize>,
    /// The anchor it ends at.
    pub anchor: Anchor,
    /// Whether the certificate is its own anchor: in the store byte for byte, with no path to another one.
    pub is_pinned: bool,
}

/// Why a chain is refused, and how far it came.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChainRefusal {
    /// Why.
    pub reason: Reason,
    /// At which certificate, as an index into the presented chain, where one can be named.
    pub at: Option<usize>,
    /// The subject of that certificate.
    pub subject: Option<String>,
    /// Anchors of the name that was looked for, at none of which the path ends.
    pub tried: Vec<TriedAnchor>,
    /// What rustls would be told, and the alert made of.
    pub error: Error,
}

impl fmt::Display for ChainRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(at), Some(subject)) = (self.at, &self.subject) {
            write!(f, "certificate {} \"{subject}\": ", at + 1)?;
        }
        write!(f, "{}", self.reason)?;
        finding::write_tried(f, &self.tried)
    }
}

impl std::error::Error for ChainRefusal {}

/// Judges `chain`, end entity first and the others in any order, against `store` at `now`, as
/// [`ServerVerifier`](crate::ServerVerifier) and [`ClientVerifier`](crate::ClientVerifier) do in a handshake, names
/// aside.
///
/// Paths, signatures, dates, extended key usage, name constraints and revocation are rustls-webpki's work, and so are
/// the bounds on that work: 100 signatures, 200,000 steps, six certificates between end entity and anchor. Added are
/// that an anchor which may not issue vouches for itself alone, the exact pin of such a one and of a self-signed CA
/// certificate, the end entity's key usage (digitalSignature) and the length of its
/// RSA key (2048 bits).
///
/// ```
/// use std::time::SystemTime;
/// use sip_oauth_trust::{Purpose, Reason, TrustStore, default_provider, verify_chain};
///
/// let store = TrustStore::new("Tomcat-trust");
/// let refusal = verify_chain(&[], &store, Purpose::Both, SystemTime::now(), &*default_provider()?).unwrap_err();
/// assert_eq!(refusal.reason, Reason::NoCertificate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ChainRefusal`]: no path and which issuer is missing, which certificate is expired and for how long, usage, key,
/// signature, revocation.
pub fn verify_chain(
    chain: &[CertificateDer<'_>],
    store: &TrustStore,
    purpose: Purpose,
    now: SystemTime,
    provider: &CryptoProvider,
) -> Result<VerifiedChain, Box<ChainRefusal>> {
    judge(chain, store, purpose, unix_time(now), provider).map_err(|verdict| {
        let (certificates, summaries) = finding::read(chain.iter());
        let algorithms = provider.signature_verification_algorithms.all;
        let Verdict { error, reason } = *verdict;
        let reason = reason.unwrap_or_else(|| Reason::of_error(&error));
        let found = finding::of(&error, reason, &certificates, &summaries, store, algorithms);
        Box::new(ChainRefusal {
            reason: found.reason,
            subject: found
                .at
                .and_then(|at| summaries.get(at))
                .map(|it: &CertificateSummary| it.subject().to_owned()),
            at: found.at,
            tried: found.tried,
            error,
        })
    })
}

fn judge(
    chain: &[CertificateDer<'_>],
    store: &TrustStore,
    purpose: Purpose,
    now: UnixTime,
    provider: &CryptoProvider,
) -> Result<VerifiedChain, Box<Verdict>> {
    let (end_entity, intermediates) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
    let sides: &[Side] = match purpose {
        Purpose::Server => &[Side::Server],
        Purpose::Client => &[Side::Client],
        Purpose::Both => &[Side::Server, Side::Client],
    };
    let algorithms = provider.signature_verification_algorithms.all;
    let mut verified = None;
    for side in sides {
        verified = Some(path(
            store,
            end_entity,
            intermediates,
            *side,
            now,
            algorithms,
            |path| found(path, chain, store),
        )?);
    }
    end_entity::check(end_entity, purpose == Purpose::Both)?;
    let pinned = || {
        Some(VerifiedChain {
            path: vec![0],
            anchor: store.find(end_entity)?.clone(),
            is_pinned: true,
        })
    };
    // A path always ends at an anchor of the store.
    verified
        .flatten()
        .flatten()
        .or_else(pinned)
        .ok_or_else(|| CertificateError::UnknownIssuer.into())
}

/// The path from `end_entity` to an anchor, given to `then`; without one when the certificate is pinned.
pub(crate) fn path<T>(
    store: &TrustStore,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    presenter: Side,
    now: UnixTime,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    then: impl FnOnce(&VerifiedPath<'_>) -> T,
) -> Result<Option<T>, Error> {
    let policy = store.revocation_policy();
    let usage = || match presenter {
        Side::Server => KeyUsage::server_auth(),
        Side::Client => KeyUsage::client_auth(),
    };
    let certificate = EndEntityCert::try_from(end_entity).map_err(to_rustls)?;
    let mut then = Some(then);
    let verdicts = store.revocation_sets().map(|lists| {
        let lists: Vec<_> = lists.map(crate::RevocationList::parsed).collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|builder| {
            builder
                .with_depth(policy.webpki_depth())
                .with_status_policy(policy.webpki_missing())
                .with_expiration_policy(policy.webpki_stale())
                .build()
        });
        certificate
            .verify_for_usage(
                algorithms,
                &store.roots().roots,
                intermediates,
                now,
                usage(),
                revocation,
                None,
            )
            .map(|path| then.take().map(|then| then(&path)))
            .map_err(to_rustls)
    });
    match of_all_lists(verdicts) {
        Ok(found) => {
            no_list_at_all(store)?;
            Ok(found)
        }
        Err(error) => {
            pin::instead_of_path(error, store, end_entity, presenter, now)?;
            Ok(None)
        }
    }
}

/// The verdict by all sets of lists. A list that the certificate's issuer did not sign says nothing, so one good verdict
/// is enough; that it is revoked is said by its issuer alone, and outweighs it.
fn of_all_lists<T>(verdicts: impl Iterator<Item = Result<T, Error>>) -> Result<T, Error> {
    let mut verdict: Option<Result<T, Error>> = None;
    for next in verdicts {
        if matches!(
            next,
            Err(Error::InvalidCertificate(CertificateError::Revoked))
        ) {
            return next;
        }
        if !matches!(verdict, Some(Ok(_))) && (verdict.is_none() || next.is_ok()) {
            verdict = Some(next);
        }
    }
    verdict.unwrap_or_else(|| Err(CertificateError::UnknownIssuer.into()))
}

/// webpki has no policy for an empty set of lists.
pub(crate) fn no_list_at_all(store: &TrustStore) -> Result<(), Error> {
    if store.revocation_lists().is_empty()
        && store.revocation_policy().missing == MissingCrl::Refuse
    {
        return Err(CertificateError::UnknownRevocationStatus.into());
    }
    Ok(())
}

fn found(
    path: &VerifiedPath<'_>,
    chain: &[CertificateDer<'_>],
    store: &TrustStore,
) -> Option<VerifiedChain> {
    let roots = &store.roots().roots;
    let anchor = roots.iter().position(|root| root == path.anchor())?;
    let mut indices = vec![0];
    indices.extend(path.intermediate_certificates().filter_map(|certificate| {
        let der = certificate.der();
        chain.iter().position(|presented| *presented == der)
    }));
    let mut issuing = store
        .anchors()
        .iter()
        .filter(|anchor| anchor.summary().may_issue());
    Some(VerifiedChain {
        path: indices,
        anchor: issuing.nth(anchor)?.clone(),
        is_pinned: false,
    })
}
