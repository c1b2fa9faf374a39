//! Fingerprints of certificates.

use std::fmt;

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::crypto::hash::{Hash, HashAlgorithm};
use rustls_pki_types::CertificateDer;
use sha1::{Digest, Sha1};

/// The SHA-256 digest of a certificate's DER, written as the product's certificate pages do:
/// upper-case hexadecimal pairs with colons.
///
/// The digest is computed by the hash of the given provider's own cipher suites: whoever can speak TLS
/// with SHA-256 can compute it, with no second cryptographic library in the tree and with any foreign
/// provider alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// The SHA-1 digest of a certificate's DER, in the same notation: to find the certificate that an older
/// page or log names. It identifies nothing safely, and nothing here is accepted because of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha1Fingerprint([u8; 20]);

impl Fingerprint {
    /// The fingerprint of `certificate`; `None` if `provider` has no cipher suite with SHA-256.
    pub fn sha256(certificate: &CertificateDer<'_>, provider: &CryptoProvider) -> Option<Self> {
        let hash = provider
            .cipher_suites
            .iter()
            .map(hash_of)
            .find(|hash| hash.algorithm() == HashAlgorithm::SHA256)?;
        let digest = hash.hash(certificate.as_ref());
        <[u8; 32]>::try_from(digest.as_ref()).ok().map(Self)
    }

    /// The 32 octets of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Sha1Fingerprint {
    /// The fingerprint of `certificate`.
    ///
    /// No TLS provider has this hash any more, so it comes from a crate that has nothing else.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha1::digest(certificate.as_ref()).into())
    }

    /// The 20 octets of the digest.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

fn hash_of(suite: &SupportedCipherSuite) -> &'static dyn Hash {
    match suite {
        SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
        SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
    }
}

fn write_octets(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for (index, octet) in octets.iter().enumerate() {
        if index > 0 {
            f.write_str(":")?;
        }
        write!(f, "{octet:02X}")?;
    }
    Ok(())
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_octets(f, &self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl fmt::Display for Sha1Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_octets(f, &self.0)
    }
}

impl fmt::Debug for Sha1Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha1Fingerprint({self})")
    }
}
