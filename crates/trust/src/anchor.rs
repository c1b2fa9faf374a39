//! One trusted certificate, and where it came from.

use std::fmt;
use std::path::PathBuf;

use rustls::crypto::CryptoProvider;
use rustls_pki_types::CertificateDer;

use crate::dns_name::printable;
use crate::{CertificateSummary, Fingerprint, Sha1Fingerprint, UnreadableCertificate};

/// Where an anchor or a revocation list came from.
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
            Self::Memory(what) => f.write_str(what),
            Self::Upload(name) => write!(f, "upload {}", printable(name)),
            Self::Platform => f.write_str("the platform's store"),
        }
    }
}

/// One trusted certificate.
#[derive(Debug, Clone)]
pub struct Anchor {
    certificate: CertificateDer<'static>,
    summary: CertificateSummary,
    sha1: Sha1Fingerprint,
    source: Source,
}

impl Anchor {
    pub(crate) fn new(
        certificate: CertificateDer<'static>,
        source: Source,
    ) -> Result<Self, UnreadableCertificate> {
        Ok(Self {
            summary: CertificateSummary::of(&certificate)?,
            sha1: Sha1Fingerprint::of(&certificate),
            certificate,
            source,
        })
    }

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

    /// Its SHA-1 fingerprint.
    pub fn sha1(&self) -> Sha1Fingerprint {
        self.sha1
    }
}
