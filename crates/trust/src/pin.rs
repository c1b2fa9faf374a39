//! A self-signed CA certificate that is itself in the store and presented as end entity.

use rustls::{CertificateError, Error, ExtendedKeyPurpose};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::end_entity::extended_key_usage;
use crate::identities::parse;
use crate::reason::unix_time;
use crate::{CertificateSummary, Side, TrustStore};

/// Whether `certificate` is accepted because it stands in `store` byte for byte.
///
/// webpki refuses a `CA:TRUE` certificate as end entity (`CaUsedAsEndEntity`) even when it is itself an
/// anchor, but that is what the self-signed Tomcat certificate of an untouched Unified CM is. Only that
/// case is decided here: self-issued, `CA:TRUE`, and in the store. Dates and extended key usage still
/// count; the name is the caller's to check. Any other certificate is `None` and goes to webpki.
pub(crate) fn check(
    store: &TrustStore,
    certificate: &CertificateDer<'_>,
    presenter: Side,
    now: UnixTime,
) -> Option<Result<(), CertificateError>> {
    let summary = store.find(certificate)?.summary();
    if !summary.is_self_issued() || !summary.is_authority() {
        return None;
    }
    let not_before = unix_time(summary.not_before());
    let not_after = unix_time(summary.not_after());
    if now < not_before {
        return Some(Err(CertificateError::NotValidYetContext {
            time: now,
            not_before,
        }));
    }
    if now > not_after {
        return Some(Err(CertificateError::ExpiredContext {
            time: now,
            not_after,
        }));
    }
    let required = match presenter {
        Side::Server => ExtendedKeyPurpose::ServerAuth,
        Side::Client => ExtendedKeyPurpose::ClientAuth,
    };
    Some(
        parse(certificate)
            .map_err(|_| CertificateError::BadEncoding)
            .and_then(|parsed| extended_key_usage(&parsed, required)),
    )
}

/// A self-signed CA certificate that is *not* in the store comes out of webpki as `CaUsedAsEndEntity`,
/// which rustls sends as certificate_unknown. What is wrong with it is that nobody here trusts its
/// issuer, and that is what peer and administrator are told. It stays refused either way.
pub(crate) fn unknown_issuer(error: Error, certificate: &CertificateDer<'_>) -> Error {
    let Error::InvalidCertificate(CertificateError::Other(other)) = &error else {
        return error;
    };
    let used_as_end_entity = matches!(
        other.0.downcast_ref(),
        Some(webpki::Error::CaUsedAsEndEntity)
    );
    if used_as_end_entity && CertificateSummary::of(certificate).is_ok_and(|it| it.is_self_issued())
    {
        return CertificateError::UnknownIssuer.into();
    }
    error
}
