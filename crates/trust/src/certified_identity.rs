//! A certificate chain with its private key, loaded from PEM with one clear sentence when it fails.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::pem;
use crate::{CertificateSummary, Fingerprint, PemError, UnreadableCertificate};

/// Why a chain and key cannot be used. Nothing of the key is ever repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// No certificate could be read from the chain's PEM text.
    #[error("certificate chain: {0}")]
    Chain(PemError),
    /// A certificate of the chain is unreadable.
    #[error("certificate chain, certificate {number}: {error}")]
    Certificate {
        /// Which one, the first is 1.
        number: usize,
        /// What is wrong with it.
        error: UnreadableCertificate,
    },
    /// The key's PEM text holds no key.
    #[error(
        "private key: expected a BEGIN PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY section, found none"
    )]
    NoKey,
    /// The key is encrypted with a pass phrase.
    #[error(
        "private key: expected an unencrypted key, found BEGIN ENCRYPTED PRIVATE KEY; decrypt it with `openssl pkcs8`"
    )]
    EncryptedKey,
    /// The key's section is broken.
    #[error("private key: {0}")]
    KeySection(String),
    /// The provider cannot use this key: unknown kind, too short, damaged.
    #[error("private key: the crypto provider cannot use it ({0})")]
    UnusableKey(String),
    /// The key belongs to another certificate.
    #[error(
        "private key: it does not belong to certificate \"{subject}\" (the first of the chain)"
    )]
    KeyMismatch {
        /// The subject of the certificate.
        subject: String,
    },
    /// The certificate is no longer valid.
    #[error("certificate \"{subject}\" expired {days} days ago; renew it")]
    Expired {
        /// Its subject.
        subject: String,
        /// Whole days since then.
        days: u64,
    },
    /// The certificate is not valid yet.
    #[error("certificate \"{subject}\" becomes valid only in {days} days; compare the clocks")]
    NotYetValid {
        /// Its subject.
        subject: String,
        /// Whole days until then.
        days: u64,
    },
}

/// A chain, end entity first, and the private key that belongs to it.
///
/// `Debug` and every error leave the key out.
#[derive(Clone)]
pub struct CertifiedIdentity {
    key: Arc<CertifiedKey>,
    summary: CertificateSummary,
}

impl CertifiedIdentity {
    /// Loads a chain and its key from PEM texts (which may be the same text).
    ///
    /// # Errors
    ///
    /// No certificate, no key, an encrypted key, or a key of another certificate.
    pub fn from_pem(
        chain: &[u8],
        key: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, IdentityError> {
        let chain = pem::certificates(chain).map_err(IdentityError::Chain)?;
        Self::from_der(chain, private_key(key)?, provider)
    }

    /// Takes a chain, end entity first, and its key.
    ///
    /// # Errors
    ///
    /// An empty chain, an unreadable certificate, or a key of another certificate.
    pub fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        provider: &CryptoProvider,
    ) -> Result<Self, IdentityError> {
        let mut summaries = Vec::with_capacity(chain.len());
        for (index, certificate) in chain.iter().enumerate() {
            summaries.push(CertificateSummary::of(certificate).map_err(|error| {
                IdentityError::Certificate {
                    number: index + 1,
                    error,
                }
            })?);
        }
        let Some(summary) = summaries.into_iter().next() else {
            return Err(IdentityError::Chain(PemError::NoCertificate { bytes: 0 }));
        };
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => IdentityError::KeyMismatch {
                subject: summary.subject().to_owned(),
            },
            other => IdentityError::UnusableKey(other.to_string()),
        })?;
        Ok(Self {
            key: Arc::new(key),
            summary,
        })
    }

    /// The chain, end entity first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }

    /// Subject, issuer, serial, validity and names of the end entity.
    pub fn summary(&self) -> &CertificateSummary {
        &self.summary
    }

    /// CN and DNS names without repetition: what an Expressway-C pushes for itself.
    pub fn names_for_table(&self) -> Vec<String> {
        self.summary.identities().names_for_table()
    }

    /// The SHA-256 fingerprint of the end entity; see [`Fingerprint::sha256`].
    pub fn sha256(&self, provider: &CryptoProvider) -> Option<Fingerprint> {
        Fingerprint::sha256(self.chain().first()?, provider)
    }

    /// Whether the end entity is valid at `now`.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Expired`] or [`IdentityError::NotYetValid`].
    pub fn check_validity(&self, now: SystemTime) -> Result<(), IdentityError> {
        let subject = || self.summary.subject().to_owned();
        if let Ok(ahead) = self.summary.not_before().duration_since(now)
            && ahead > Duration::ZERO
        {
            return Err(IdentityError::NotYetValid {
                subject: subject(),
                days: days(ahead),
            });
        }
        match now.duration_since(self.summary.not_after()) {
            // notAfter is the last second of validity, all of it.
            Ok(ago) if ago >= Duration::from_secs(1) => Err(IdentityError::Expired {
                subject: subject(),
                days: days(ago),
            }),
            _ => Ok(()),
        }
    }

    /// Chain and key as rustls takes them.
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }
}

impl fmt::Debug for CertifiedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertifiedIdentity")
            .field("subject", &self.summary.subject())
            .field("serial", &self.summary.serial())
            .field("chain_length", &self.chain().len())
            .finish_non_exhaustive()
    }
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, IdentityError> {
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => Ok(key),
        Err(rustls_pki_types::pem::Error::NoItemsFound) => {
            if pem::contains(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
                Err(IdentityError::EncryptedKey)
            } else {
                Err(IdentityError::NoKey)
            }
        }
        Err(error) => Err(IdentityError::KeySection(pem::describe(&error))),
    }
}

fn days(duration: Duration) -> u64 {
    duration.as_secs() / 86_400
}
