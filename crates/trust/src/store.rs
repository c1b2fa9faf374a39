//! Trust stores that know their product name and where each anchor came from.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::CertificateDer;

use crate::pem;
use crate::{CertificateError, CertificateSummary, Fingerprint, PemError};

/// Where an anchor came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A file on disk.
    File(PathBuf),
    /// Made or held by the running program, with a word on what it is.
    Memory(String),
    /// Uploaded by an administrator, with the name given to it.
    Upload(String),
    /// The platform's own store.
    Platform,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Memory(what) => write!(f, "{what}"),
            Self::Upload(name) => write!(f, "upload {name}"),
            Self::Platform => f.write_str("the platform's store"),
        }
    }
}

/// Why an anchor could not be added. Nothing is added when one of several fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The PEM text is unusable.
    #[error("trust store {store}, {origin}: {error}")]
    Pem {
        /// Name of the store.
        store: String,
        /// Where the text came from.
        origin: Source,
        /// What is wrong with it.
        error: PemError,
    },
    /// A certificate cannot be read.
    #[error("trust store {store}, {origin}, certificate {number}: {error}")]
    Certificate {
        /// Name of the store.
        store: String,
        /// Where it came from.
        origin: Source,
        /// Which certificate of the input, the first is 1.
        number: usize,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// The certificate is readable but cannot serve as a trust anchor.
    #[error(
        "trust store {store}, {origin}, certificate {number} {subject:?}: unusable as a trust anchor ({what})"
    )]
    Anchor {
        /// Name of the store.
        store: String,
        /// Where it came from.
        origin: Source,
        /// Which certificate of the input, the first is 1.
        number: usize,
        /// Its subject.
        subject: String,
        /// webpki's word for it.
        what: String,
    },
}

/// One trusted certificate.
#[derive(Debug, Clone)]
pub struct Anchor {
    certificate: CertificateDer<'static>,
    summary: CertificateSummary,
    source: Source,
}

impl Anchor {
    /// The certificate itself.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Subject, issuer, serial, validity and names.
    pub fn summary(&self) -> &CertificateSummary {
        &self.summary
    }

    /// Where it came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Its SHA-256 fingerprint, computed by `provider`; see [`Fingerprint::sha256`].
    pub fn sha256(&self, provider: &CryptoProvider) -> Option<Fingerprint> {
        Fingerprint::sha256(&self.certificate, provider)
    }
}

/// A named set of trust anchors, immutable once it is in use.
///
/// Anchors with the same subject (the self-signed Tomcat and CallManager trap) stand side by side; path
/// building tries each. Adding a certificate that is already there changes nothing.
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
    by_der: HashMap<Vec<u8>, usize>,
    roots: Arc<RootCertStore>,
}

impl TrustStore {
    /// An empty store: it trusts nobody.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            anchors: Vec::new(),
            by_der: HashMap::new(),
            roots: Arc::new(RootCertStore::empty()),
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

    /// Removes a certificate and gives back its anchor, if it was there.
    pub fn remove(&mut self, certificate: &CertificateDer<'_>) -> Option<Anchor> {
        let index = self.position(certificate)?;
        let removed = self.anchors.remove(index);
        let anchors = std::mem::take(&mut self.anchors);
        self.by_der.clear();
        let mut roots = RootCertStore::empty();
        for anchor in anchors {
            // Each of them was accepted as an anchor when it was added.
            if roots.add(anchor.certificate.clone()).is_ok() {
                self.by_der
                    .insert(anchor.certificate.to_vec(), self.anchors.len());
                self.anchors.push(anchor);
            }
        }
        self.roots = Arc::new(roots);
        Some(removed)
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

    /// The anchors as rustls takes them.
    pub fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    fn position(&self, certificate: &CertificateDer<'_>) -> Option<usize> {
        self.by_der.get(certificate.as_ref()).copied()
    }

    fn add_all(
        &mut self,
        certificates: Vec<CertificateDer<'static>>,
        source: &Source,
    ) -> Result<usize, StoreError> {
        let mut roots = RootCertStore::clone(&self.roots);
        let mut fresh: Vec<Anchor> = Vec::new();
        let mut seen = HashSet::new();
        for (index, certificate) in certificates.into_iter().enumerate() {
            let known = self.by_der.contains_key(certificate.as_ref())
                || !seen.insert(certificate.to_vec());
            let number = index + 1;
            let summary =
                CertificateSummary::of(&certificate).map_err(|error| StoreError::Certificate {
                    store: self.name.clone(),
                    origin: source.clone(),
                    number,
                    error,
                })?;
            if known {
                continue;
            }
            roots
                .add(certificate.clone())
                .map_err(|error| StoreError::Anchor {
                    store: self.name.clone(),
                    origin: source.clone(),
                    number,
                    subject: summary.subject().to_owned(),
                    what: error.to_string(),
                })?;
            fresh.push(Anchor {
                certificate,
                summary,
                source: source.clone(),
            });
        }
        let added = fresh.len();
        for anchor in fresh {
            self.by_der
                .insert(anchor.certificate.to_vec(), self.anchors.len());
            self.anchors.push(anchor);
        }
        self.roots = Arc::new(roots);
        Ok(added)
    }
}
