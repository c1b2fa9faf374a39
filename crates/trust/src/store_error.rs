//! What can go wrong when a trust store is filled.

use crate::{BundleError, CrlError, PemError, Source, UnreadableCertificate};

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
    /// A file of whichever form gave no certificates.
    #[error("trust store {store}, {origin}: {error}")]
    Bundle {
        /// Name of the store.
        store: String,
        /// Where the bytes came from.
        origin: Source,
        /// What is wrong with them.
        error: BundleError,
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
        error: UnreadableCertificate,
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
    /// A revocation list cannot be used.
    #[error("trust store {store}, {origin}: {error}")]
    Crl {
        /// Name of the store.
        store: String,
        /// Where it came from.
        origin: Source,
        /// What is wrong with it.
        error: CrlError,
    },
    /// A file or folder cannot be read, or is larger than anything that is one.
    #[error("trust store {store}, {origin}: {what}")]
    Unreadable {
        /// Name of the store.
        store: String,
        /// The file or folder, or the platform's store.
        origin: Source,
        /// What the system says.
        what: String,
    },
}
