//! Alerts: their names, and what each may stand for.

use rustls::AlertDescription;

use crate::{Reason, Side};

/// What a received alert stands for (RFC 8446 §6.2), when a certificate of `presenter` was at stake.
///
/// An alert tells less than the reason it was sent for, and implementations differ: GnuTLS sends bad_certificate for an
/// unknown CA, a date, a name and a usage alike, and access_denied for a client's unknown CA; Java has
/// certificate_unknown for most. So there are several causes, the likeliest first, wherever an end known to us means
/// more than one: rustls, OpenSSL and GnuTLS were asked.
pub(crate) fn reason(alert: AlertDescription, presenter: Side) -> Reason {
    let unknown_issuer = || Reason::UnknownIssuer { issuer: None };
    let expired = || Reason::Expired { ago: None };
    let name = || match presenter {
        Side::Server => Reason::NameMismatch { names: None },
        Side::Client => Reason::NameNotInTable { names: None },
    };
    let purpose = || Reason::Purpose { required: None };
    let weak_key = || Reason::WeakKey {
        bits: None,
        anchor: None,
    };
    let other = || Reason::Other(format!("alert {alert:?}"));
    let causes = match alert {
        AlertDescription::UnknownCA => vec![unknown_issuer(), Reason::RevocationUnknown],
        AlertDescription::CertificateExpired => vec![expired()],
        AlertDescription::BadCertificate => vec![
            name(),
            unknown_issuer(),
            expired(),
            purpose(),
            weak_key(),
            Reason::Malformed,
        ],
        AlertDescription::CertificateUnknown => vec![
            unknown_issuer(),
            name(),
            expired(),
            Reason::AuthorityAsEndEntity,
            Reason::IssuerNotAllowed {
                what: "basicConstraints, pathLenConstraint or name constraints",
            },
            Reason::Malformed,
        ],
        AlertDescription::AccessDenied => vec![name(), unknown_issuer(), expired()],
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            vec![Reason::NoCertificate]
        }
        AlertDescription::UnsupportedCertificate => vec![purpose(), Reason::KeyUsage],
        AlertDescription::CertificateRevoked => vec![Reason::Revoked],
        AlertDescription::DecryptError => vec![
            Reason::HandshakeSignature,
            Reason::BadSignature { issuer: None },
            Reason::WeakSignature,
            weak_key(),
        ],
        AlertDescription::ProtocolVersion => vec![Reason::Version],
        // A server of TLS 1.2 has no alert of its own for a client certificate that is missing.
        AlertDescription::HandshakeFailure if presenter == Side::Client => {
            vec![Reason::NoCommonParameters, Reason::NoCertificate]
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            vec![Reason::NoCommonParameters]
        }
        AlertDescription::DecodeError if presenter == Side::Client => {
            vec![other(), Reason::NoCertificate]
        }
        _ => vec![other()],
    };
    match <[Reason; 1]>::try_from(causes) {
        Ok([only]) => only,
        Err(several) => Reason::OneOf(several),
    }
}

/// The name of an alert as RFC 8446 §6 and RFC 5246 §7.2 write it.
pub fn alert_name(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CloseNotify => "close_notify",
        AlertDescription::UnexpectedMessage => "unexpected_message",
        AlertDescription::BadRecordMac => "bad_record_mac",
        AlertDescription::RecordOverflow => "record_overflow",
        AlertDescription::HandshakeFailure => "handshake_failure",
        AlertDescription::NoCertificate => "no_certificate",
        AlertDescription::BadCertificate => "bad_certificate",
        AlertDescription::UnsupportedCertificate => "unsupported_certificate",
        AlertDescription::CertificateRevoked => "certificate_revoked",
        AlertDescription::CertificateExpired => "certificate_expired",
        AlertDescription::CertificateUnknown => "certificate_unknown",
        AlertDescription::IllegalParameter => "illegal_parameter",
        AlertDescription::UnknownCA => "unknown_ca",
        AlertDescription::AccessDenied => "access_denied",
        AlertDescription::DecodeError => "decode_error",
        AlertDescription::DecryptError => "decrypt_error",
        AlertDescription::ProtocolVersion => "protocol_version",
        AlertDescription::InsufficientSecurity => "insufficient_security",
        AlertDescription::InternalError => "internal_error",
        AlertDescription::UserCanceled => "user_canceled",
        AlertDescription::NoRenegotiation => "no_renegotiation",
        AlertDescription::MissingExtension => "missing_extension",
        AlertDescription::UnsupportedExtension => "unsupported_extension",
        AlertDescription::UnrecognisedName => "unrecognized_name",
        AlertDescription::BadCertificateStatusResponse => "bad_certificate_status_response",
        AlertDescription::UnknownPSKIdentity => "unknown_psk_identity",
        AlertDescription::CertificateRequired => "certificate_required",
        AlertDescription::NoApplicationProtocol => "no_application_protocol",
        _ => "unnamed",
    }
}
