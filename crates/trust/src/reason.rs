//! Why a TLS handshake was refused.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::{CertificateError, Error, ExtendedKeyPurpose, PeerIncompatible};
use rustls_pki_types::{ServerName, UnixTime};

use crate::dns_name::printable;
use crate::{NameMismatch, NotAllowed, PresentedName, ReferenceIdentity, Remedy, Rule, Side};

/// Why a certificate or a handshake was refused, as far as this end can know.
///
/// The end that refuses knows details (which name, by how much expired); the other end only reads an
/// alert, so for it the details are absent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// No path from the certificate to an anchor of the store.
    UnknownIssuer {
        /// The issuer that is missing, when known.
        issuer: Option<String>,
    },
    /// No longer valid.
    Expired {
        /// How long ago it ended, when known.
        ago: Option<Duration>,
    },
    /// Not valid yet.
    NotYetValid {
        /// How long until it begins, when known.
        ahead: Option<Duration>,
    },
    /// Chain good, but the certificate belongs to another name.
    NameMismatch {
        /// The name that was expected and the names presented, when known.
        names: Option<NameMismatch>,
    },
    /// Chain good, but no name of the certificate is in the `expresswaycconfiguration` table.
    NameNotInTable {
        /// What was presented against what was expected, when known.
        names: Option<NotAllowed>,
    },
    /// The peer asked for a certificate and got none.
    NoCertificate,
    /// The extended key usage does not allow this role.
    Purpose {
        /// `serverAuth` or `clientAuth`, when known.
        required: Option<&'static str>,
    },
    /// The key usage of the certificate does not allow signing (digitalSignature), which every handshake needs.
    KeyUsage,
    /// An RSA key is shorter than 2048 bits: that of the certificate at which the trouble is, or of an anchor.
    WeakKey {
        /// How long it is, when known.
        bits: Option<usize>,
        /// The subject of the anchor whose key it is.
        anchor: Option<String>,
    },
    /// A signature of the chain does not verify with the key of any certificate of the issuer's name.
    BadSignature {
        /// Where that certificate is, when known.
        issuer: Option<IssuerPlace>,
    },
    /// The signature of the handshake does not verify: the certificate was presented without its private key.
    HandshakeSignature,
    /// Self-signed, and not itself in the store.
    SelfSigned,
    /// A signature algorithm nobody accepts any more, such as SHA-1, or a key too weak for it.
    WeakSignature,
    /// A certificate cannot be read, or a name or extension in it is not well formed.
    Malformed,
    /// Revoked.
    Revoked,
    /// No usable revocation list says whether it is revoked: none of its issuer, one past its nextUpdate, or one
    /// that its issuer did not sign.
    RevocationUnknown,
    /// A certificate of the chain was not allowed to issue the one before it.
    IssuerNotAllowed {
        /// What it lacks or exceeds.
        what: &'static str,
    },
    /// Finding a path took more work than is spent on one peer.
    TooComplex,
    /// A CA certificate with an issuer of its own was presented as end-entity certificate. Only a self-signed one is
    /// accepted so, and when it is itself in the store.
    AuthorityAsEndEntity,
    /// No TLS version in common.
    Version,
    /// No cipher suite, group or signature scheme in common.
    NoCommonParameters,
    /// The other end does not speak TLS on this port.
    NotTls,
    /// One of these, the likeliest first: the alert that was received does not say which.
    OneOf(Vec<Reason>),
    /// Some other alert or error.
    Other(String),
}

/// Where a certificate of an issuer's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssuerPlace {
    /// In the store.
    Store,
    /// Only in the chain that was presented.
    Chain,
}

impl Reason {
    /// What has to change when a certificate that `presenter` presented was refused for this reason.
    pub fn remedy(&self, presenter: Side) -> Remedy {
        Remedy::of(self, presenter)
    }

    /// What has to change for each cause there may be, the likeliest first; one, but for [`Reason::OneOf`].
    pub fn remedies(&self, presenter: Side) -> Vec<Remedy> {
        let causes = match self {
            Self::OneOf(causes) => causes.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut remedies: Vec<Remedy> = Vec::new();
        for cause in causes {
            let remedy = cause.remedy(presenter);
            if !remedies.contains(&remedy) {
                remedies.push(remedy);
            }
        }
        remedies
    }

    /// Whether a certificate is at stake, for certain.
    pub(crate) fn concerns_certificate(&self) -> bool {
        match self {
            Self::OneOf(causes) => causes.iter().all(Self::concerns_certificate),
            Self::Version
            | Self::NoCommonParameters
            | Self::NotTls
            | Self::NoCertificate
            | Self::Other(_) => false,
            _ => true,
        }
    }

    /// The reason in an error of our own making.
    pub(crate) fn of_error(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::of_certificate_error(error),
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::InvalidCertRevocationList(_) => Self::RevocationUnknown,
            Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => Self::NotTls,
            Error::PeerIncompatible(what) => match what {
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::Tls13RequiredForQuic => Self::Version,
                _ => Self::NoCommonParameters,
            },
            other => Self::Other(printable(&other.to_string())),
        }
    }

    fn of_certificate_error(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownIssuer { issuer: None },
            CertificateError::Expired => Self::Expired { ago: None },
            CertificateError::ExpiredContext { time, not_after } => Self::Expired {
                ago: Some(distance(*time, *not_after)),
            },
            CertificateError::NotValidYet => Self::NotYetValid { ahead: None },
            CertificateError::NotValidYetContext { time, not_before } => Self::NotYetValid {
                ahead: Some(distance(*not_before, *time)),
            },
            CertificateError::NotValidForName => Self::NameMismatch { names: None },
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => Self::NameMismatch {
                names: webpki_mismatch(expected, presented),
            },
            CertificateError::ApplicationVerificationFailure => {
                Self::NameNotInTable { names: None }
            }
            CertificateError::InvalidPurpose => Self::Purpose { required: None },
            CertificateError::InvalidPurposeContext { required, .. } => Self::Purpose {
                required: match required {
                    ExtendedKeyPurpose::ServerAuth => Some("serverAuth"),
                    ExtendedKeyPurpose::ClientAuth => Some("clientAuth"),
                    ExtendedKeyPurpose::Other(_) => None,
                },
            },
            CertificateError::BadSignature => Self::BadSignature { issuer: None },
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::WeakSignature
            }
            CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => {
                Self::Malformed
            }
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnknownRevocationStatus
            | CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => Self::RevocationUnknown,
            CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
                Some(error) => Self::of_webpki_error(error),
                None => Self::Other(printable(&other.0.to_string())),
            },
            other => Self::Other(printable(&other.to_string())),
        }
    }
}

/// What rustls has no variant for.
impl Reason {
    fn of_webpki_error(error: &webpki::Error) -> Self {
        use webpki::Error as E;
        match error {
            E::CaUsedAsEndEntity => Self::AuthorityAsEndEntity,
            E::EndEntityUsedAsCa => Self::IssuerNotAllowed {
                what: "it is no CA certificate (basicConstraints)",
            },
            E::PathLenConstraintViolated | E::MaximumPathDepthExceeded => Self::IssuerNotAllowed {
                what: "the chain is longer than allowed (pathLenConstraint, or more than six issuers)",
            },
            E::NameConstraintViolation => Self::IssuerNotAllowed {
                what: "the name constraints of an issuer exclude a name of the certificate",
            },
            E::MaximumSignatureChecksExceeded
            | E::MaximumPathBuildCallsExceeded
            | E::MaximumNameConstraintComparisonsExceeded => Self::TooComplex,
            E::SignatureAlgorithmMismatch
            | E::EmptyEkuExtension
            | E::ExtensionValueInvalid
            | E::InvalidNetworkMaskConstraint
            | E::InvalidSerialNumber
            | E::MalformedDnsIdentifier
            | E::MalformedExtensions
            | E::MalformedNameConstraint
            | E::UnsupportedCertVersion
            | E::UnsupportedCriticalExtension => Self::Malformed,
            E::UnsupportedCrlIssuingDistributionPoint
            | E::UnsupportedCrlVersion
            | E::UnsupportedDeltaCrl
            | E::UnsupportedIndirectCrl
            | E::UnsupportedRevocationReason
            | E::UnsupportedRevocationReasonsPartitioning
            | E::InvalidCrlNumber => Self::RevocationUnknown,
            other => Self::Other(printable(&other.to_string())),
        }
    }
}

/// rustls' error carries names as text in webpki's notation.
fn webpki_mismatch(expected: &ServerName<'_>, presented: &[String]) -> Option<NameMismatch> {
    Some(NameMismatch {
        rule: Rule::Rfc9525,
        expected: ReferenceIdentity::try_from(expected).ok()?,
        presented: presented.iter().map(|text| from_webpki(text)).collect(),
        unusable: Vec::new(),
    })
}

/// `DnsName("a.example.com")`, `IpAddress(192.0.2.1)`, `UniformResourceIdentifier("sip:example.com")`.
pub(crate) fn webpki_notation(name: &PresentedName) -> String {
    match name {
        PresentedName::CommonName(name) => format!("CommonName(\"{}\")", printable(name)),
        PresentedName::Dns(name) => format!("DnsName(\"{}\")", printable(name)),
        PresentedName::Uri(uri) => format!("UniformResourceIdentifier(\"{}\")", printable(uri)),
        PresentedName::Ip(address) => format!("IpAddress({address})"),
        PresentedName::Other(what) => printable(what),
    }
}

fn from_webpki(text: &str) -> PresentedName {
    let inside = text
        .strip_suffix(')')
        .and_then(|text| text.split_once('('))
        .map(|(kind, name)| (kind, name.trim_matches('"')));
    match inside {
        Some(("DnsName", name)) => PresentedName::Dns(name.to_owned()),
        Some(("CommonName", name)) => PresentedName::CommonName(name.to_owned()),
        Some(("UniformResourceIdentifier", uri)) => PresentedName::Uri(uri.to_owned()),
        Some(("IpAddress", address)) => match address.parse() {
            Ok(address) => PresentedName::Ip(address),
            Err(_) => PresentedName::Other(text.to_owned()),
        },
        _ => PresentedName::Other(text.to_owned()),
    }
}

fn distance(later: UnixTime, earlier: UnixTime) -> Duration {
    Duration::from_secs(later.as_secs().saturating_sub(earlier.as_secs()))
}

/// `rustls` reads its clock as seconds since 1970.
pub(crate) fn unix_time(time: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A duration a person can judge: its largest unit only.
fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer {
                issuer: Some(issuer),
            } => {
                write!(
                    f,
                    "no path to a trust anchor: issuer \"{issuer}\" is not in the store"
                )
            }
            Self::UnknownIssuer { issuer: None } => f.write_str("its issuer is not trusted"),
            Self::Expired { ago: Some(ago) } => write!(f, "it expired {} ago", rough(*ago)),
            Self::Expired { ago: None } => f.write_str("it has expired or is not valid yet"),
            Self::NotYetValid { ahead: Some(ahead) } => {
                write!(f, "it becomes valid only in {}", rough(*ahead))
            }
            Self::NotYetValid { ahead: None } => f.write_str("it is not valid yet"),
            Self::NameMismatch { names: Some(names) } => names.fmt(f),
            Self::NameMismatch { names: None } => {
                f.write_str("its name is not the expected one")
            }
            Self::NameNotInTable { names: Some(names) } => names.fmt(f),
            Self::NameNotInTable { names: None } => {
                f.write_str("none of its names is in table expresswaycconfiguration")
            }
            Self::NoCertificate => f.write_str("no client certificate was presented"),
            Self::Purpose {
                required: Some(required),
            } => {
                write!(f, "its extended key usage lacks {required}")
            }
            Self::Purpose { required: None } => {
                f.write_str("its extended key usage does not allow this role")
            }
            Self::KeyUsage => f.write_str("its key usage does not allow digitalSignature"),
            Self::WeakKey { bits, anchor } => {
                match anchor {
                    Some(anchor) => write!(f, "the RSA key of trust anchor \"{anchor}\"")?,
                    None => f.write_str("its RSA key")?,
                }
                match bits {
                    Some(bits) => write!(f, " has {bits} bits, expected 2048 or more"),
                    None => f.write_str(" is too short"),
                }
            }
            Self::BadSignature { issuer } => f.write_str(match issuer {
                Some(IssuerPlace::Store) => {
                    "no certificate of its issuer's name in the store has the key that signed it"
                }
                Some(IssuerPlace::Chain) => {
                    "the certificate of its issuer's name that was presented has another key than the one that signed it"
                }
                None => "a signature of its chain does not verify",
            }),
            Self::HandshakeSignature => {
                f.write_str("it was presented by somebody who does not have its private key")
            }
            Self::SelfSigned => f.write_str("it is self-signed and not itself in the store"),
            Self::WeakSignature => {
                f.write_str("it is signed with an algorithm that is not accepted")
            }
            Self::Malformed => f.write_str("it cannot be read"),
            Self::Revoked => f.write_str("it is revoked"),
            Self::RevocationUnknown => {
                f.write_str("no usable revocation list says whether it is revoked")
            }
            Self::IssuerNotAllowed { what } => {
                write!(f, "its chain has an issuer that may not issue it: {what}")
            }
            Self::TooComplex => f.write_str("finding a path took too much work"),
            Self::AuthorityAsEndEntity => f.write_str(
                "it is a CA certificate (CA:TRUE) with an issuer of its own, presented as end-entity certificate",
            ),
            Self::Version => f.write_str("no TLS version in common"),
            Self::NoCommonParameters => {
                f.write_str("no cipher suite, key exchange group or signature scheme in common")
            }
            Self::NotTls => f.write_str("what arrived is not TLS"),
            Self::OneOf(causes) => {
                for (index, cause) in causes.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", or " })?;
                    cause.fmt(f)?;
                }
                Ok(())
            }
            Self::Other(what) => f.write_str(what),
        }
    }
}
