//! What an end-entity certificate must allow beyond its chain: signing a handshake, and the roles it is used in.

use rustls::{CertificateError, ExtendedKeyPurpose};
use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ExtendedKeyUsage;
use x509_parser::public_key::PublicKey;

use crate::identities::parse;
use crate::refusal::Verdict;
use crate::{Identities, Reason};

/// The shortest RSA key whose signatures rustls verifies.
pub(crate) const MIN_RSA_BITS: usize = 2048;

/// Which roles a certificate is to be good for.
///
/// A node accepts on 5090 and 5091 and connects to other nodes, an Expressway-C connects and accepts: their
/// certificates need both roles ("Certificate needs both serverAuth and clientAuth" in Cisco's certificate guide),
/// although each handshake needs only one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// serverAuth.
    Server,
    /// clientAuth.
    Client,
    /// serverAuth and clientAuth.
    Both,
}

/// Key usage, key strength and, for [`Purpose::Both`], both extended key usages. The one that the handshake needs is
/// webpki's to check, all along the chain.
///
/// webpki does not look at keyUsage at all. RFC 8446 §4.4.2.2: "the digitalSignature bit MUST be set if the Key Usage
/// extension is present"; the suites that rustls has for TLS 1.2 sign as well.
pub(crate) fn check(
    certificate: &CertificateDer<'_>,
    both_roles: bool,
) -> Result<Identities, Box<Verdict>> {
    let parsed = parse(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let usage = parsed
        .key_usage()
        .map_err(|_| CertificateError::BadEncoding)?;
    if usage.is_some_and(|usage| !usage.value.digital_signature()) {
        return Err(Box::new(Verdict {
            error: CertificateError::InvalidPurpose.into(),
            reason: Some(Reason::KeyUsage),
        }));
    }
    if let Some(bits) = rsa_bits(&parsed).filter(|bits| *bits < MIN_RSA_BITS) {
        return Err(Box::new(Verdict {
            // bad_certificate, as OpenSSL sends for a key too small. Left to the handshake it would be
            // decrypt_error, as if the key were another's.
            error: CertificateError::BadEncoding.into(),
            reason: Some(Reason::WeakKey {
                bits: Some(bits),
                anchor: None,
            }),
        }));
    }
    if both_roles {
        for purpose in [
            ExtendedKeyPurpose::ServerAuth,
            ExtendedKeyPurpose::ClientAuth,
        ] {
            extended_key_usage(&parsed, purpose)?;
        }
    }
    Identities::of_parsed(&parsed).map_err(|_| CertificateError::BadEncoding.into())
}

/// RFC 5280 §4.2.1.12: without the extension every purpose is allowed.
pub(crate) fn extended_key_usage(
    parsed: &X509Certificate<'_>,
    required: ExtendedKeyPurpose,
) -> Result<(), CertificateError> {
    let extension = parsed
        .extended_key_usage()
        .map_err(|_| CertificateError::BadEncoding)?;
    let Some(usage) = extension.map(|extension| extension.value) else {
        return Ok(());
    };
    let allowed = match required {
        ExtendedKeyPurpose::ServerAuth => usage.server_auth,
        ExtendedKeyPurpose::ClientAuth => usage.client_auth,
        ExtendedKeyPurpose::Other(_) => false,
    };
    if allowed {
        return Ok(());
    }
    Err(CertificateError::InvalidPurposeContext {
        required,
        presented: presented(usage),
    })
}

fn presented(usage: &ExtendedKeyUsage<'_>) -> Vec<ExtendedKeyPurpose> {
    let known = [
        (usage.server_auth, ExtendedKeyPurpose::ServerAuth),
        (usage.client_auth, ExtendedKeyPurpose::ClientAuth),
    ];
    known
        .into_iter()
        .filter(|(present, _)| *present)
        .map(|(_, purpose)| purpose)
        .collect()
}

pub(crate) fn rsa_bits(parsed: &X509Certificate<'_>) -> Option<usize> {
    let Ok(PublicKey::RSA(key)) = parsed.public_key().parsed() else {
        return None;
    };
    let modulus: &[u8] = key.modulus;
    let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
    let significant = modulus.get(zeros..)?;
    let first = significant.first()?;
    Some(significant.len() * 8 - first.leading_zeros() as usize)
}
