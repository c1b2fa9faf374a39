//! Certificate revocation lists, and what is made of a missing or an old one.

use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;
use webpki::{
    CertRevocationList, ExpirationPolicy, OwnedCertRevocationList, RevocationCheckDepth,
    UnknownStatusPolicy,
};
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::dns_name::printable;
use crate::summary::system_time;
use crate::{CertificateSummary, PemError, Source, pem};

/// How often one certificate is judged at most.
pub(crate) const MAX_SETS: usize = 16;

/// What to do with a certificate for which no list of its issuer is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MissingCrl {
    /// Accept it: lists are honoured where they are given.
    #[default]
    Accept,
    /// Refuse it, as [`Reason::RevocationUnknown`](crate::Reason::RevocationUnknown). A store without any list then
    /// refuses everybody but those whose own certificate is in it: an anchor needs no list, and is taken back by taking
    /// it out.
    Refuse,
}

/// What to do with a list whose nextUpdate has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StaleCrl {
    /// Refuse the certificates it speaks for: an old list cannot say that a certificate is still good
    /// (RFC 5280 §6.3.3).
    #[default]
    Refuse,
    /// Use it as if it were fresh.
    Accept,
}

/// Which certificates of a path are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RevocationDepth {
    /// All of them but the anchor.
    #[default]
    Chain,
    /// The end entity alone.
    EndEntity,
}

/// How revocation lists are used. What the products do is not published; the defaults are ours.
///
/// ```
/// use sip_oauth_trust::{MissingCrl, RevocationPolicy};
///
/// let policy = RevocationPolicy::new().missing(MissingCrl::Refuse);
/// assert_ne!(policy, RevocationPolicy::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct RevocationPolicy {
    /// No list of the issuer at hand.
    pub missing: MissingCrl,
    /// A list past its nextUpdate.
    pub stale: StaleCrl,
    /// How much of a path is looked up.
    pub depth: RevocationDepth,
}

impl RevocationPolicy {
    /// The defaults, each of which may be set by the method of its name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`missing`](Self::missing).
    #[must_use]
    pub fn missing(mut self, missing: MissingCrl) -> Self {
        self.missing = missing;
        self
    }

    /// Sets [`stale`](Self::stale).
    #[must_use]
    pub fn stale(mut self, stale: StaleCrl) -> Self {
        self.stale = stale;
        self
    }

    /// Sets [`depth`](Self::depth).
    #[must_use]
    pub fn depth(mut self, depth: RevocationDepth) -> Self {
        self.depth = depth;
        self
    }

    pub(crate) fn webpki_depth(self) -> RevocationCheckDepth {
        match self.depth {
            RevocationDepth::Chain => RevocationCheckDepth::Chain,
            RevocationDepth::EndEntity => RevocationCheckDepth::EndEntity,
        }
    }

    pub(crate) fn webpki_missing(self) -> UnknownStatusPolicy {
        match self.missing {
            MissingCrl::Accept => UnknownStatusPolicy::Allow,
            MissingCrl::Refuse => UnknownStatusPolicy::Deny,
        }
    }

    pub(crate) fn webpki_stale(self) -> ExpirationPolicy {
        match self.stale {
            StaleCrl::Refuse => ExpirationPolicy::Enforce,
            StaleCrl::Accept => ExpirationPolicy::Ignore,
        }
    }
}

/// Why a revocation list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// The text holds no `BEGIN X509 CRL` section, and the bytes are no DER either.
    #[error(
        "revocation list: expected DER or a BEGIN X509 CRL section, found none in {bytes} bytes"
    )]
    NoList {
        /// Length of the input.
        bytes: usize,
    },
    /// A PEM section is broken.
    #[error("revocation list: {0}")]
    Pem(PemError),
    /// Authorities of one name with different keys have so many lists that a certificate would have to be judged by too
    /// many combinations of them.
    #[error(
        "revocation list: expected at most {max} combinations of lists whose issuers have one name and different keys, found more"
    )]
    TooManyKeys {
        /// How many there may be.
        max: usize,
    },
    /// The list cannot be read, or is of a kind that is not supported (a delta list, an indirect list).
    #[error("revocation list {number}: {what}")]
    Unusable {
        /// Which list of the input, the first is 1.
        number: usize,
        /// webpki's word for it.
        what: String,
    },
}

/// A certificate revocation list (RFC 5280 §5), read but not verified: its signature is verified with the key of
/// the issuer on each path it is used for.
#[derive(Debug, Clone)]
pub struct RevocationList {
    parsed: Arc<CertRevocationList<'static>>,
    issuer: String,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    revoked: usize,
    /// Which of the keys of its issuer's name signed it (RFC 5280 §5.2.1).
    authority_key: Option<Vec<u8>>,
    source: Source,
}

impl RevocationList {
    /// Who issued it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// When it was made.
    pub fn this_update(&self) -> SystemTime {
        self.this_update
    }

    /// When the next one is due, if it says so.
    pub fn next_update(&self) -> Option<SystemTime> {
        self.next_update
    }

    /// How many certificates it revokes.
    pub fn len(&self) -> usize {
        self.revoked
    }

    /// Whether it revokes none.
    pub fn is_empty(&self) -> bool {
        self.revoked == 0
    }

    /// Where it came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether it lists this certificate: issuer and serial number, and not another authority of that name.
    pub(crate) fn revokes(&self, certificate: &CertificateSummary) -> bool {
        // webpki keeps the issuer without the header of its SEQUENCE.
        certificate.issuer_der().ends_with(self.parsed.issuer())
            && !differ(certificate.authority_key(), self.authority_key.as_deref())
            && matches!(
                self.parsed.find_serial(certificate.serial_der()),
                Ok(Some(_))
            )
    }

    /// Same issuer and same scope: of two such lists only the newer counts, unless different keys signed them.
    pub(crate) fn speaks_for_the_same(&self, other: &Self) -> bool {
        self.has_name_and_scope_of(other)
            && !differ(
                self.authority_key.as_deref(),
                other.authority_key.as_deref(),
            )
    }

    fn has_name_and_scope_of(&self, other: &Self) -> bool {
        self.parsed.issuer() == other.parsed.issuer()
            && self.parsed.issuing_distribution_point() == other.parsed.issuing_distribution_point()
    }

    /// Whether it speaks for every certificate of its issuer: no issuing distribution point limits it.
    pub(crate) fn is_complete(&self) -> bool {
        self.parsed.issuing_distribution_point().is_none()
    }

    pub(crate) fn parsed(&self) -> &CertRevocationList<'static> {
        &self.parsed
    }
}

/// Every list of a PEM text, or the one list that the bytes are.
pub(crate) fn lists(bytes: &[u8], source: &Source) -> Result<Vec<RevocationList>, CrlError> {
    let bytes = pem::without_mark(bytes);
    let mut ders: Vec<CertificateRevocationListDer<'static>> = Vec::new();
    if bytes.first() == Some(&0x30) && !pem::contains(bytes, b"-----BEGIN ") {
        ders.push(bytes.to_vec().into());
    } else {
        let expected = pem::sections(bytes, &pem::CRL).map_err(CrlError::Pem)?;
        for section in CertificateRevocationListDer::pem_slice_iter(bytes) {
            ders.push(section.map_err(|error| {
                CrlError::Pem(PemError::Section {
                    section: ders.len() + 1,
                    what: pem::describe(&error),
                })
            })?);
        }
        if ders.len() != expected {
            return Err(CrlError::Pem(PemError::Section {
                section: ders.len() + 1,
                what: "another section begins before its END line".to_owned(),
            }));
        }
    }
    if ders.is_empty() {
        return Err(CrlError::NoList { bytes: bytes.len() });
    }
    ders.into_iter()
        .enumerate()
        .map(|(index, der)| {
            read(&der, source).map_err(|what| CrlError::Unusable {
                number: index + 1,
                what,
            })
        })
        .collect()
}

fn read(der: &CertificateRevocationListDer<'_>, source: &Source) -> Result<RevocationList, String> {
    // webpki first: what it refuses can never count.
    let parsed =
        OwnedCertRevocationList::from_der(der.as_ref()).map_err(|error| error.to_string())?;
    let (rest, list) = CertificateRevocationList::from_der(der.as_ref())
        .map_err(|_| "it is no revocation list".to_owned())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow it", rest.len()));
    }
    Ok(RevocationList {
        issuer: printable(&list.issuer().to_string()),
        this_update: system_time(&list.last_update()),
        next_update: list.next_update().map(|time| system_time(&time)),
        revoked: list.iter_revoked_certificates().count(),
        authority_key: list.extensions().iter().find_map(authority_key),
        source: source.clone(),
        parsed: Arc::new(parsed.into()),
    })
}

/// The keyIdentifier of an authorityKeyIdentifier.
pub(crate) fn authority_key(extension: &X509Extension<'_>) -> Option<Vec<u8>> {
    match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(authority) => {
            Some(authority.key_identifier.as_ref()?.0.to_vec())
        }
        _ => None,
    }
}

/// Two keys that are named, and are two.
fn differ(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

/// The lists as webpki can use them, indices into `lists`: it asks the first list of an issuer's name, whoever of that
/// name issued the certificate. So where authorities of one name have lists, each set has that of one of them.
///
/// One set, but for such names; `None` when there are too many.
pub(crate) fn sets(lists: &[RevocationList]) -> Option<Vec<Vec<usize>>> {
    let mut sets = vec![Vec::new()];
    let mut seen = vec![false; lists.len()];
    for (first, list) in lists.iter().enumerate() {
        if seen.get(first).copied().unwrap_or(true) {
            continue;
        }
        let alike: Vec<usize> = (first..lists.len())
            .filter(|at| {
                lists
                    .get(*at)
                    .is_some_and(|other| list.has_name_and_scope_of(other))
            })
            .collect();
        if sets.len() * alike.len() > MAX_SETS {
            return None;
        }
        for at in &alike {
            if let Some(seen) = seen.get_mut(*at) {
                *seen = true;
            }
        }
        sets = sets
            .iter()
            .flat_map(|set| {
                alike.iter().map(|at| {
                    let mut set = set.clone();
                    set.push(*at);
                    set
                })
            })
            .collect();
    }
    // In the order of `lists`, which puts complete ones first.
    for set in &mut sets {
        set.sort_unstable();
    }
    Some(sets)
}
