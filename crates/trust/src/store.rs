//! Trust stores that know their product name and where each anchor came from.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

use crate::{
    Anchor, CrlError, RevocationList, RevocationPolicy, Source, StoreError, bundle, pem, revocation,
};

/// The length of a certificate and its last octets, which are those of its signature: different certificates hardly ever
/// have both in common, and a look-up in every handshake need not go over all of one.
type End = (usize, [u8; 8]);

fn end_of(certificate: &CertificateDer<'_>) -> End {
    let last = certificate.last_chunk().copied().unwrap_or_default();
    (certificate.len(), last)
}

/// A named set of trust anchors, immutable once it is in use.
///
/// Anchors with the same subject (the self-signed Tomcat and CallManager trap) stand side by side; path
/// building tries each. A certificate that may not issue others ([`CertificateSummary::may_issue`](crate::CertificateSummary::may_issue)),
/// such as that of an Expressway-C, vouches for nobody but itself: it is accepted byte for byte. Adding a certificate that is already there changes nothing. Every method that
/// changes it either does all it was asked or leaves the store as it was; for a store in use, make the change in
/// [`LiveTrustStore::update`](crate::Live::update).
///
/// ```
/// use sip_oauth_trust::{Source, TrustStore};
///
/// let mut store = TrustStore::new("Tomcat-trust");
/// let error = store.add_pem(b"", &Source::Upload("empty.pem".into())).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "trust store Tomcat-trust, upload empty.pem: PEM: expected at least one BEGIN CERTIFICATE section, \
///      found none in 0 bytes",
/// );
/// ```
#[derive(Debug, Clone)]
pub struct TrustStore {
    name: String,
    anchors: Vec<Anchor>,
    /// Where in `anchors` certificates of this end are.
    by_end: HashMap<End, Vec<usize>>,
    roots: Arc<RootCertStore>,
    revocation_lists: Vec<RevocationList>,
    /// See [`revocation::sets`].
    revocation_sets: Vec<Vec<usize>>,
    revocation_policy: RevocationPolicy,
}

impl TrustStore {
    /// An empty store: it trusts nobody.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            anchors: Vec::new(),
            by_end: HashMap::new(),
            roots: Arc::new(RootCertStore::empty()),
            revocation_lists: Vec::new(),
            revocation_sets: vec![Vec::new()],
            revocation_policy: RevocationPolicy::default(),
        }
    }

    /// A store of the certificates of one PEM text.
    ///
    /// # Errors
    ///
    /// As [`add_pem`](Self::add_pem).
    pub fn from_pem(
        name: impl Into<String>,
        text: &[u8],
        source: &Source,
    ) -> Result<Self, StoreError> {
        let mut store = Self::new(name);
        store.add_pem(text, source)?;
        Ok(store)
    }

    /// Adds every certificate of a PEM text and says how many were new.
    ///
    /// # Errors
    ///
    /// When the text holds no certificate, or one of them cannot be an anchor. The store is then as it
    /// was before.
    pub fn add_pem(&mut self, text: &[u8], source: &Source) -> Result<usize, StoreError> {
        let certificates = pem::certificates(text).map_err(|error| StoreError::Pem {
            store: self.name.clone(),
            origin: source.clone(),
            error,
        })?;
        self.add_all(certificates, source)
    }

    /// Adds one DER certificate and says whether it was new.
    ///
    /// # Errors
    ///
    /// When it is no certificate or cannot be an anchor.
    pub fn add_der(
        &mut self,
        certificate: CertificateDer<'_>,
        source: &Source,
    ) -> Result<bool, StoreError> {
        self.add_all(vec![certificate.into_owned()], source)
            .map(|added| added == 1)
    }

    /// Adds every certificate of a file's bytes, whichever form it has (see [`certificates`](crate::certificates):
    /// PEM, PKCS#7 as PEM or DER, one certificate in DER), and says how many were new.
    ///
    /// # Errors
    ///
    /// When there is no certificate in it, or one of them cannot be an anchor.
    pub fn add_bundle(&mut self, bytes: &[u8], source: &Source) -> Result<usize, StoreError> {
        let certificates = bundle::certificates(bytes).map_err(|error| StoreError::Bundle {
            store: self.name.clone(),
            origin: source.clone(),
            error,
        })?;
        self.add_all(certificates, source)
    }

    /// Removes a certificate and gives back its anchor, if it was there.
    pub fn remove(&mut self, certificate: &CertificateDer<'_>) -> Option<Anchor> {
        let index = self.position(certificate)?;
        let removed = self.anchors.remove(index);
        // Each of the others was accepted as an anchor when it was added, so they are again.
        let others = std::mem::take(&mut self.anchors);
        self.by_end.clear();
        let mut roots = RootCertStore::empty();
        for anchor in others {
            if add_root(&mut roots, &anchor).is_ok() {
                self.push(anchor);
            }
        }
        self.roots = Arc::new(roots);
        Some(removed)
    }

    /// Puts the certificates of `bytes` in the place of `old`, as when an authority renews its certificate, and
    /// gives back the anchor that went, if it was there.
    ///
    /// # Errors
    ///
    /// As [`add_bundle`](Self::add_bundle); `old` then stays.
    pub fn replace(
        &mut self,
        old: &CertificateDer<'_>,
        bytes: &[u8],
        source: &Source,
    ) -> Result<Option<Anchor>, StoreError> {
        let mut next = self.clone();
        let removed = next.remove(old);
        next.add_bundle(bytes, source)?;
        *self = next;
        Ok(removed)
    }

    /// Adds the revocation lists of a file, PEM or DER, and says how many count. A list takes the place of an older
    /// one of the same issuer and scope; one that is older than what is here does not count.
    ///
    /// Authorities of one name with different keys (authorityKeyIdentifier) keep their lists side by side: a
    /// certificate is judged by each, and refused when one that its issuer signed revokes it.
    ///
    /// # Errors
    ///
    /// When there is no list in it, or webpki cannot use one of them (delta lists, indirect lists), or there are too many
    /// of one name. Whether a list is signed by the authority it names is seen when it is used.
    pub fn add_crl(&mut self, bytes: &[u8], source: &Source) -> Result<usize, StoreError> {
        let failed = |error| StoreError::Crl {
            store: self.name.clone(),
            origin: source.clone(),
            error,
        };
        let lists = revocation::lists(bytes, source).map_err(failed)?;
        let mut next = self.revocation_lists.clone();
        let mut counted = 0;
        for list in lists {
            let known = next
                .iter_mut()
                .find(|known| known.speaks_for_the_same(&list));
            match known {
                Some(known) if known.this_update() >= list.this_update() => continue,
                Some(known) => *known = list,
                // webpki asks the first list that may speak for a certificate, and takes one with a distribution point
                // for such a list where the certificate names none: what speaks for everything comes first.
                None if list.is_complete() => {
                    let complete = next.iter().take_while(|known| known.is_complete());
                    let complete = complete.count();
                    next.insert(complete, list);
                }
                None => next.push(list),
            }
            counted += 1;
        }
        let max = revocation::MAX_SETS;
        self.revocation_sets =
            revocation::sets(&next).ok_or_else(|| failed(CrlError::TooManyKeys { max }))?;
        self.revocation_lists = next;
        Ok(counted)
    }

    /// The revocation lists in use.
    pub fn revocation_lists(&self) -> &[RevocationList] {
        &self.revocation_lists
    }

    /// The lists as webpki can use them: one set, but for authorities of one name.
    pub(crate) fn revocation_sets(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = &RevocationList>> {
        self.revocation_sets
            .iter()
            .map(|set| set.iter().filter_map(|at| self.revocation_lists.get(*at)))
    }

    /// How the lists are used.
    pub fn revocation_policy(&self) -> RevocationPolicy {
        self.revocation_policy
    }

    /// Use the lists in this way.
    pub fn set_revocation_policy(&mut self, policy: RevocationPolicy) {
        self.revocation_policy = policy;
    }

    /// The name of the store, for example `Tomcat-trust`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The anchors, in the order they were added.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// Whether it trusts nobody.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// How many anchors there are.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// The anchor that is byte for byte this certificate.
    pub fn find(&self, certificate: &CertificateDer<'_>) -> Option<&Anchor> {
        self.anchors.get(self.position(certificate)?)
    }

    /// Those of the anchors that may issue certificates as rustls takes them, in the order of [`anchors`](Self::anchors).
    ///
    /// The others are not among them: neither rustls nor webpki looks at basicConstraints and keyUsage of an anchor, so
    /// that the key of a host in the store could sign a certificate of any name.
    pub fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    fn position(&self, certificate: &CertificateDer<'_>) -> Option<usize> {
        let candidates = self.by_end.get(&end_of(certificate))?;
        let is_same = |&at: &usize| {
            let anchor = self.anchors.get(at);
            anchor.is_some_and(|anchor| anchor.certificate() == certificate)
        };
        candidates.iter().copied().find(is_same)
    }

    fn push(&mut self, anchor: Anchor) {
        let end = end_of(anchor.certificate());
        self.by_end.entry(end).or_default().push(self.anchors.len());
        self.anchors.push(anchor);
    }

    pub(crate) fn add_all(
        &mut self,
        certificates: Vec<CertificateDer<'static>>,
        source: &Source,
    ) -> Result<usize, StoreError> {
        let mut fresh: Vec<Anchor> = Vec::new();
        let mut roots = RootCertStore::empty();
        let mut seen = HashSet::new();
        for (index, certificate) in certificates.into_iter().enumerate() {
            let number = index + 1;
            let anchor = Anchor::new(certificate, source.clone()).map_err(|error| {
                StoreError::Certificate {
                    store: self.name.clone(),
                    origin: source.clone(),
                    number,
                    error,
                }
            })?;
            if self.find(anchor.certificate()).is_some()
                || !seen.insert(anchor.certificate().to_vec())
            {
                continue;
            }
            add_root(&mut roots, &anchor).map_err(|error| StoreError::Anchor {
                store: self.name.clone(),
                origin: source.clone(),
                number,
                subject: anchor.summary().subject().to_owned(),
                what: error.to_string(),
            })?;
            fresh.push(anchor);
        }
        let added = fresh.len();
        for anchor in fresh {
            self.push(anchor);
        }
        // Copied only while a reader holds the old ones.
        Arc::make_mut(&mut self.roots).extend(roots.roots);
        Ok(added)
    }
}

/// Among `roots` if it may issue; an error if webpki cannot read it.
fn add_root(roots: &mut RootCertStore, anchor: &Anchor) -> Result<(), rustls::Error> {
    roots.add(anchor.certificate().clone())?;
    if !anchor.summary().may_issue() {
        roots.roots.pop();
    }
    Ok(())
}
