//! Certificates out of the bytes of a file, whichever of the usual forms it has.

use rustls_pki_types::CertificateDer;
use x509_parser::pem::Pem;

use crate::pkcs7::{self, Pkcs7Error, SEQUENCE};
use crate::{PemError, pem};

/// No certificate fits into the 127 bytes of a short length, and no text has such a byte in second place.
const LONG_LENGTH: u8 = 0x80;

/// Why a file gave no certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It is PEM text, or nothing that could be told from it.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// It is a PKCS#7 bundle.
    #[error(transparent)]
    Pkcs7(#[from] Pkcs7Error),
}

/// The certificates of a PEM text (`CERTIFICATE` and `PKCS7` sections), a PKCS#7 bundle in DER, or one
/// certificate in DER.
///
/// What begins as DER does is taken for DER, everything else for PEM, which explanatory text may precede
/// (RFC 7468 §2).
///
/// ```
/// let error = sip_oauth_trust::certificates(b"not a certificate").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "PEM: expected at least one BEGIN CERTIFICATE section, found none in 17 bytes",
/// );
/// ```
///
/// # Errors
///
/// When there is none, or a section is broken. Whether a certificate in DER is one is not looked at here.
pub fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, BundleError> {
    if pkcs7::looks_like(bytes) {
        return Ok(pkcs7::certificates(bytes)?);
    }
    if let [SEQUENCE, length, ..] = bytes
        && *length >= LONG_LENGTH
    {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let bytes = pem::without_mark(bytes);
    let bundles = pkcs7_sections(bytes)?;
    if bundles.is_empty() {
        return Ok(pem::certificates(bytes)?);
    }
    let mut found = match pem::certificates(bytes) {
        Ok(found) => found,
        Err(PemError::NoCertificate { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    for bundle in bundles {
        found.extend(pkcs7::certificates(&bundle)?);
    }
    Ok(found)
}

/// `BEGIN PKCS7` (RFC 7468 §8), and the `CMS` label of the same content (§9).
fn pkcs7_sections(text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let expected = pem::sections(text, &pem::PKCS7)? + pem::sections(text, &pem::CMS)?;
    let mut found = Vec::new();
    if expected == 0 {
        return Ok(found);
    }
    for (number, section) in Pem::iter_from_buffer(text).enumerate() {
        let section = section.map_err(|error| PemError::Section {
            section: number + 1,
            what: error.to_string(),
        })?;
        if matches!(section.label.as_str(), "PKCS7" | "CMS") {
            found.push(section.contents);
        }
    }
    if found.len() != expected {
        return Err(PemError::Section {
            section: found.len() + 1,
            what: "another section begins before its END line".to_owned(),
        });
    }
    Ok(found)
}
