//! A certificate that is itself in the store and presented as end entity.

use rustls::{CertificateError, Error, ExtendedKeyPurpose};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::end_entity::extended_key_usage;
use crate::identities::parse;
use crate::reason::unix_time;
use crate::{CertificateSummary, Side, TrustStore};

/// Whether `certificate`, for which webpki found no path (`error` says why), is accepted all the same because it stands
/// in `store` byte for byte.
///
/// webpki refuses a `CA:TRUE` certificate as end entity (`CaUsedAsEndEntity`) even when it is itself an anchor, but that
/// is what the self-signed Tomcat certificate of an untouched Unified CM is. And one that may not issue, such as the
/// Expressway-C's own in Tomcat-trust, is no anchor of webpki's at all. These two are pinned. A CA certificate with an
/// issuer of its own is not: whoever puts it into a store means those it signed.
///
/// Dates and extended key usage still count, and so does a revocation list that names it; the name is the caller's to
/// check.
pub(crate) fn instead_of_path(
    error: Error,
    store: &TrustStore,
    certificate: &CertificateDer<'_>,
    presenter: Side,
    now: UnixTime,
) -> Result<(), Error> {
    let Error::InvalidCertificate(no_path) = &error else {
        return Err(error);
    };
    let is_authority = match no_path {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => false,
        CertificateError::Other(other)
            if matches!(
                other.0.downcast_ref(),
                Some(webpki::Error::CaUsedAsEndEntity)
            ) =>
        {
            true
        }
        _ => return Err(error),
    };
    if let Some(anchor) = store.find(certificate) {
        let summary = anchor.summary();
        if summary.is_self_issued() || !summary.is_authority() {
            return check(store, certificate, summary, presenter, now).map_err(Error::from);
        }
    } else if is_authority
        && CertificateSummary::of(certificate).is_ok_and(|it| it.is_self_issued())
    {
        // rustls would send certificate_unknown. What is wrong is that nobody here trusts its issuer, and that is
        // what peer and administrator are told.
        return Err(CertificateError::UnknownIssuer.into());
    }
    Err(error)
}

fn check(
    store: &TrustStore,
    certificate: &CertificateDer<'_>,
    summary: &CertificateSummary,
    presenter: Side,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let not_before = unix_time(summary.not_before());
    let not_after = unix_time(summary.not_after());
    if now < not_before {
        return Err(CertificateError::NotValidYetContext {
            time: now,
            not_before,
        });
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext {
            time: now,
            not_after,
        });
    }
    // Whoever put the list into the store vouches for it as for the certificate: that its issuer signed it cannot be
    // seen without the issuer's key, and a list can only refuse.
    if store
        .revocation_lists()
        .iter()
        .any(|list| list.revokes(summary))
    {
        return Err(CertificateError::Revoked);
    }
    let required = match presenter {
        Side::Server => ExtendedKeyPurpose::ServerAuth,
        Side::Client => ExtendedKeyPurpose::ClientAuth,
    };
    let parsed = parse(certificate).map_err(|_| CertificateError::BadEncoding)?;
    extended_key_usage(&parsed, required)
}
