//! What a person wants to know of a certificate at one glance.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::{Validity, X509Certificate};
use x509_parser::der_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

use crate::dns_name::printable;
use crate::identities::parse;
use crate::revocation::authority_key;
use crate::{Identities, UnreadableCertificate};

/// Subject, issuer, serial and validity of one certificate, and the names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSummary {
    subject: String,
    issuer: String,
    /// Subject, issuer and serial as encoded: what path building compares.
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    serial_der: Vec<u8>,
    authority_key: Option<Vec<u8>>,
    serial: String,
    not_before: SystemTime,
    not_after: SystemTime,
    self_issued: bool,
    authority: bool,
    may_issue: bool,
    identities: Identities,
}

impl CertificateSummary {
    /// Reads `certificate`.
    ///
    /// # Errors
    ///
    /// As [`Identities::of`].
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, UnreadableCertificate> {
        Self::of_parsed(&parse(certificate)?)
    }

    pub(crate) fn of_parsed(parsed: &X509Certificate<'_>) -> Result<Self, UnreadableCertificate> {
        Ok(Self {
            subject: printable(&parsed.subject().to_string()),
            issuer: printable(&parsed.issuer().to_string()),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            serial_der: parsed.raw_serial().to_vec(),
            authority_key: parsed.extensions().iter().find_map(authority_key),
            serial: parsed.raw_serial_as_string(),
            not_before: system_time(&parsed.validity().not_before),
            not_after: system_time(&parsed.validity().not_after),
            self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            authority: parsed.is_ca(),
            may_issue: may_issue(parsed),
            identities: Identities::of_parsed(parsed)?,
        })
    }

    /// The subject as text, for example `O=Example, CN=cucm1.example.com`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The issuer as text.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether `other` has the subject that this certificate names as its issuer.
    pub fn is_issued_by_subject_of(&self, other: &Self) -> bool {
        self.issuer_der == other.subject_der
    }

    pub(crate) fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    pub(crate) fn serial_der(&self) -> &[u8] {
        &self.serial_der
    }

    /// The keyIdentifier of the key that signed it, if it says so (RFC 5280 §4.2.1.1).
    pub(crate) fn authority_key(&self) -> Option<&[u8]> {
        self.authority_key.as_deref()
    }

    /// The serial number: lower-case hexadecimal octets with colons.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The first instant of validity.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// The last second of validity.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether subject and issuer are the same name. A self-signed certificate is self-issued.
    pub fn is_self_issued(&self) -> bool {
        self.self_issued
    }

    /// Whether basicConstraints say `CA:TRUE`.
    pub fn is_authority(&self) -> bool {
        self.authority
    }

    /// Whether its key may sign other certificates: `CA:TRUE`, and keyCertSign where there is a key usage (RFC 5280
    /// §4.2.1.9, §6.1.4). A certificate of version 1 can say neither and may.
    pub fn may_issue(&self) -> bool {
        self.may_issue
    }

    /// The names in it.
    pub fn identities(&self) -> &Identities {
        &self.identities
    }
}

impl fmt::Display for CertificateSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" issued by \"{}\", serial {}",
            self.subject, self.issuer, self.serial
        )
    }
}

/// The last second of validity of `certificate`, without a look at the rest of it; `None` when it cannot be found.
///
/// For who waits for the end of a certificate that was verified. [`CertificateSummary`] has it beside all else.
///
/// ```
/// use sip_oauth_trust::{not_after, rustls::pki_types::CertificateDer};
///
/// assert_eq!(not_after(&CertificateDer::from(&b"no certificate"[..])), None);
/// ```
pub fn not_after(certificate: &CertificateDer<'_>) -> Option<SystemTime> {
    const VERSION: u8 = 0xa0;
    let behind = |field| Any::from_der(field).ok().map(|(rest, _)| rest);
    // Certificate and TBSCertificate, RFC 5280 §4.1.
    let (_, certificate) = Any::from_der(certificate).ok()?;
    let (_, to_be_signed) = Any::from_der(certificate.data).ok()?;
    let mut rest = to_be_signed.data;
    if rest.first() == Some(&VERSION) {
        rest = behind(rest)?;
    }
    for _ in ["serialNumber", "signature", "issuer"] {
        rest = behind(rest)?;
    }
    let (_, validity) = Validity::from_der(rest).ok()?;
    Some(system_time(&validity.not_after))
}

fn may_issue(parsed: &X509Certificate<'_>) -> bool {
    let may_sign = match parsed.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.key_cert_sign()),
        Err(_) => false,
    };
    parsed.version() == X509Version::V1 || (parsed.is_ca() && may_sign)
}

pub(crate) fn system_time(time: &ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let found = if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    // X.509 dates end with the year 9999; only a platform with a narrower SystemTime falls back.
    found.unwrap_or(UNIX_EPOCH)
}
