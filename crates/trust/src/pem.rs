//! Certificates out of PEM text, with errors where rustls-pki-types is silent.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject};

/// Why a PEM file did not give what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// The text holds no `BEGIN CERTIFICATE` section.
    #[error("PEM: expected at least one BEGIN CERTIFICATE section, found none in {bytes} bytes")]
    NoCertificate {
        /// Length of the input.
        bytes: usize,
    },
    /// The certificates are in OpenSSL's own form, which carries extra trust data.
    #[error(
        "PEM: expected BEGIN CERTIFICATE, found BEGIN TRUSTED CERTIFICATE (OpenSSL's own form); convert it with `openssl x509`"
    )]
    TrustedCertificate,
    /// A section is broken: missing end line, bad base64.
    #[error("PEM: section {section}: {what}")]
    Section {
        /// Which certificate section of the file, the first is 1.
        section: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Every certificate of a PEM text, in order. Other sections (keys, CRLs) are passed over.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let mut found = Vec::new();
    for item in CertificateDer::pem_slice_iter(text) {
        match item {
            Ok(certificate) => found.push(certificate),
            Err(error) => {
                return Err(PemError::Section {
                    section: found.len() + 1,
                    what: describe(&error),
                });
            }
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    if contains(text, b"-----BEGIN TRUSTED CERTIFICATE-----") {
        return Err(PemError::TrustedCertificate);
    }
    Err(PemError::NoCertificate { bytes: text.len() })
}

/// One phrase for a section error, never quoting the section: it may be a key.
pub(crate) fn describe(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "no END line".to_owned(),
        pem::Error::IllegalSectionStart { .. } => {
            "a BEGIN line that does not end in -----".to_owned()
        }
        pem::Error::Base64Decode(_) => "its content is not base64".to_owned(),
        pem::Error::NoItemsFound => "no such section".to_owned(),
        _ => "not readable as PEM".to_owned(),
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
