//! The way from an end entity towards an anchor, followed to explain a refusal or to show a chain. It decides nothing:
//! that a chain is good is webpki's to say.

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};

use crate::end_entity::{MIN_RSA_BITS, rsa_bits};
use crate::identities::parse;
use crate::reason::IssuerPlace;
use crate::{Anchor, CertificateSummary, TrustStore};

/// The most certificates of a chain that are looked at to explain a refusal. Verifying is webpki's work and has its
/// own bounds.
pub(crate) const MAX_CHAIN: usize = 8;

/// The most signatures that are verified once more to find the one that is wrong.
const MAX_SIGNATURES: usize = 16;

/// Which of the presented certificates are on the way, and the first link of it that does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Indices into the chain.
    pub(crate) indices: Vec<usize>,
    pub(crate) broken: Option<Broken>,
}

/// A certificate that nobody signed who has its issuer's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Which certificate of the chain.
    pub(crate) at: usize,
    /// Where those of its issuer's name are.
    pub(crate) place: IssuerPlace,
    /// One of them has an RSA key that nobody verifies with any more.
    pub(crate) weak: Option<WeakIssuer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WeakIssuer {
    pub(crate) bits: usize,
    /// Index into the chain, or the subject of an anchor.
    pub(crate) who: Result<usize, String>,
}

impl Way {
    /// From issuer to issuer by name, preferring those whose key made the signature. It ends where the store has an
    /// anchor of the issuer's name, where no certificate has it, with a certificate that names itself, or when it is
    /// longer than any path that is accepted.
    pub(crate) fn of(
        certificates: &[&CertificateDer<'_>],
        chain: &[CertificateSummary],
        store: &TrustStore,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Self {
        let mut way = Self::default();
        let mut signatures = Signatures {
            algorithms,
            left: MAX_SIGNATURES,
        };
        let mut next = (!chain.is_empty()).then_some(0);
        while let Some(index) = next {
            let (Some(certificate), Some(current)) = (certificates.get(index), chain.get(index))
            else {
                break;
            };
            way.indices.push(index);
            let anchors: Vec<&Anchor> = anchors_of(current, store)
                .filter(|anchor| anchor.summary().may_issue())
                .take(MAX_CHAIN)
                .collect();
            let is_end = current.is_self_issued() || way.indices.len() == MAX_CHAIN;
            let issuers: Vec<usize> = (0..chain.len())
                .filter(|_| !is_end)
                .filter(|issuer| !way.indices.contains(issuer))
                .filter(|issuer| {
                    let issuer = chain.get(*issuer);
                    issuer.is_some_and(|issuer| current.is_issued_by_subject_of(issuer))
                })
                .collect();
            let ders = issuers
                .iter()
                .filter_map(|issuer| certificates.get(*issuer));
            let by_anchor =
                signatures.signer(certificate, anchors.iter().map(|it| it.certificate()));
            if by_anchor.is_some() {
                break;
            }
            let by_presented = signatures.signer(certificate, ders.copied());
            if by_presented.is_none() && !(anchors.is_empty() && issuers.is_empty()) {
                let broken = Broken {
                    at: index,
                    place: if anchors.is_empty() {
                        IssuerPlace::Chain
                    } else {
                        IssuerPlace::Store
                    },
                    weak: weak(&anchors, &issuers, certificates),
                };
                way.broken.get_or_insert(broken);
            }
            next = match by_presented {
                Some(signer) => issuers.get(signer).copied(),
                None if anchors.is_empty() => issuers.first().copied(),
                None => None,
            };
        }
        way
    }

    /// Where it ends.
    pub(crate) fn last(&self) -> Option<usize> {
        self.indices.last().copied()
    }
}

/// The anchors whose subject `certificate` names as its issuer.
pub(crate) fn anchors_of<'a>(
    certificate: &'a CertificateSummary,
    store: &'a TrustStore,
) -> impl Iterator<Item = &'a Anchor> {
    store
        .anchors()
        .iter()
        .filter(|anchor| certificate.is_issued_by_subject_of(anchor.summary()))
}

fn weak(
    anchors: &[&Anchor],
    issuers: &[usize],
    certificates: &[&CertificateDer<'_>],
) -> Option<WeakIssuer> {
    let bits = |certificate: &CertificateDer<'_>| {
        rsa_bits(&parse(certificate).ok()?).filter(|bits| *bits < MIN_RSA_BITS)
    };
    let of_anchor = anchors.iter().find_map(|anchor| {
        Some(WeakIssuer {
            bits: bits(anchor.certificate())?,
            who: Err(anchor.summary().subject().to_owned()),
        })
    });
    let of_presented = || {
        issuers.iter().find_map(|issuer| {
            Some(WeakIssuer {
                bits: bits(certificates.get(*issuer)?)?,
                who: Ok(*issuer),
            })
        })
    };
    of_anchor.or_else(of_presented)
}

struct Signatures<'a> {
    algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    left: usize,
}

impl Signatures<'_> {
    /// Which of `issuers` signed `certificate`; the first where no more signatures are to be verified.
    fn signer<'c>(
        &mut self,
        certificate: &CertificateDer<'_>,
        issuers: impl Iterator<Item = &'c CertificateDer<'c>>,
    ) -> Option<usize> {
        for (index, issuer) in issuers.enumerate() {
            if self.left == 0 {
                return Some(index);
            }
            if self.verifies(certificate, issuer).unwrap_or(false) {
                return Some(index);
            }
        }
        None
    }

    fn verifies(
        &mut self,
        certificate: &CertificateDer<'_>,
        issuer: &CertificateDer<'_>,
    ) -> Option<bool> {
        let (certificate, issuer) = (parse(certificate).ok()?, parse(issuer).ok()?);
        let signed_with = certificate.signature_algorithm.algorithm.as_bytes();
        let key = issuer.public_key();
        let key_is_for = key.algorithm.algorithm.as_bytes();
        for algorithm in self.algorithms {
            if object_identifier(algorithm.signature_alg_id().as_ref()) != Some(signed_with)
                || object_identifier(algorithm.public_key_alg_id().as_ref()) != Some(key_is_for)
                || self.left == 0
            {
                continue;
            }
            self.left -= 1;
            let verified = algorithm.verify_signature(
                &key.subject_public_key.data,
                certificate.tbs_certificate.as_ref(),
                &certificate.signature_value.data,
            );
            if verified.is_ok() {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// What an AlgorithmIdentifier begins with.
fn object_identifier(algorithm: &[u8]) -> Option<&[u8]> {
    match algorithm {
        [0x06, length, rest @ ..] => rest.get(..usize::from(*length)),
        _ => None,
    }
}
