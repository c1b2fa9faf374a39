//! What has to change so that a refused handshake succeeds, in the product's own menu words.

use std::fmt;

use crate::reason::IssuerPlace;
use crate::{Reason, Side};

/// Where the change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The Tomcat-trust store of Unified CM.
    TomcatTrust,
    /// The trust store of the connecting side; on Expressway-C the trusted CA list.
    ClientTrust,
    /// The Tomcat certificate of Unified CM, which ports 5090 and 5091 present.
    TomcatCertificate,
    /// The certificate of the connecting side; on Expressway-C its server certificate.
    ClientCertificate,
    /// The table `expresswaycconfiguration` of Unified CM.
    AllowedNamesTable,
    /// The name under which the server is addressed.
    ServerName,
    /// TLS versions, cipher suites, signature schemes.
    TlsSettings,
    /// The port that was connected to.
    Port,
    /// Nothing certain: the log of the side that refused knows more.
    Log,
}

/// What to do, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remedy {
    /// Where the change is made.
    pub place: Place,
    /// What to do there, as an imperative without full stop.
    pub action: &'static str,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action)
    }
}

impl Place {
    /// The product's name of the place.
    pub fn name(self) -> &'static str {
        match self {
            Self::TomcatTrust => "Tomcat-trust",
            Self::ClientTrust => "trusted CA list of the connecting side",
            Self::TomcatCertificate => "Tomcat certificate",
            Self::ClientCertificate => "certificate of the connecting side",
            Self::AllowedNamesTable => "expresswaycconfiguration",
            Self::ServerName => "server name",
            Self::TlsSettings => "TLS settings",
            Self::Port => "port",
            Self::Log => "log",
        }
    }
}

impl Remedy {
    /// The remedy for `reason` when the certificate of `presenter` was at stake.
    pub(crate) fn of(reason: &Reason, presenter: Side) -> Self {
        if let Reason::OneOf(_) = reason {
            return Self::of_any(&reason.remedies(presenter));
        }
        let (place, action) = match presenter {
            Side::Server => for_server_certificate(reason),
            Side::Client => for_client_certificate(reason),
        };
        Self { place, action }
    }

    /// The likeliest one where all are in one place; else only the side that refused knows.
    fn of_any(remedies: &[Self]) -> Self {
        match remedies {
            [first, others @ ..] if others.iter().all(|it| it.place == first.place) => *first,
            _ => Self {
                place: Place::Log,
                action: "read the log of the side that refused, which says where the change is to be made",
            },
        }
    }
}

fn for_server_certificate(reason: &Reason) -> (Place, &'static str) {
    match reason {
        Reason::UnknownIssuer { .. } | Reason::SelfSigned => (
            Place::ClientTrust,
            "load the CA that signed the Tomcat certificate (not CallManager's), or the Tomcat certificate \
             itself when it is self-signed, into the trust store of the connecting side (Expressway-C: \
             Maintenance > Security > Trusted CA certificate); if an ECDSA certificate was presented, trust \
             the signer of Tomcat-ECDSA or prefer RSA",
        ),
        Reason::Expired { .. } | Reason::NotYetValid { .. } => (
            Place::TomcatCertificate,
            "compare the clocks (NTP), then renew the Tomcat certificate (OS Administration > Security > \
             Certificate Management) and restart Cisco CallManager, which loads it only then",
        ),
        Reason::NameMismatch { .. } | Reason::NameNotInTable { .. } => (
            Place::ServerName,
            "address the server by a name of its Tomcat certificate: enter it as FQDN under System > Server, \
             or renew the Tomcat certificate with that name as DNS entry of the subjectAltName",
        ),
        Reason::Purpose { .. } => (
            Place::TomcatCertificate,
            "renew the Tomcat certificate with both serverAuth and clientAuth in its extended key usage, \
             and restart Cisco CallManager",
        ),
        Reason::BadSignature {
            issuer: Some(IssuerPlace::Chain),
        } => (
            Place::TomcatCertificate,
            "upload with the Tomcat certificate the certificate of the CA whose key signed it, not a renewed one of \
             the same name; then restart Cisco CallManager",
        ),
        Reason::HandshakeSignature => (
            Place::TomcatCertificate,
            "install the Tomcat certificate together with the private key it was made for, and restart Cisco CallManager",
        ),
        Reason::AuthorityAsEndEntity => (
            Place::TomcatCertificate,
            "renew the Tomcat certificate as one of a server (basicConstraints CA:FALSE) and restart Cisco CallManager",
        ),
        Reason::WeakKey {
            anchor: Some(_), ..
        } => (
            Place::TomcatCertificate,
            "have the Tomcat certificate signed by a CA with a longer key (RSA 2048 or P-256), trust that one, and \
             restart Cisco CallManager",
        ),
        Reason::BadSignature { .. } => (
            Place::ClientTrust,
            "look for two certificates with one subject and different keys (self-signed Tomcat and CallManager, \
             or a renewed CA): only the one in the trust store of the connecting side counts, so load the \
             signer of the Tomcat certificate there, or have both signed by one CA",
        ),
        Reason::KeyUsage => (
            Place::TomcatCertificate,
            "renew the Tomcat certificate with digitalSignature in its key usage, and restart Cisco CallManager",
        ),
        Reason::IssuerNotAllowed { .. } | Reason::TooComplex => (
            Place::TomcatCertificate,
            "upload the right chain with the Tomcat certificate: CA certificates only, in their order, \
             no others; then restart Cisco CallManager",
        ),
        Reason::RevocationUnknown => (
            Place::ClientTrust,
            "load a current revocation list of the issuer of the Tomcat certificate on the connecting side",
        ),
        Reason::WeakSignature | Reason::WeakKey { .. } | Reason::Malformed | Reason::Revoked => (
            Place::TomcatCertificate,
            "renew the Tomcat certificate (RSA 2048 or P-256, SHA-256) and restart Cisco CallManager",
        ),
        other => for_connection(other),
    }
}

fn for_client_certificate(reason: &Reason) -> (Place, &'static str) {
    match reason {
        Reason::SelfSigned => (
            Place::TomcatTrust,
            "upload the Expressway-C certificate itself, which is self-signed, to Tomcat-trust (OS Administration > \
             Security > Certificate Management) and restart Cisco CallManager",
        ),
        Reason::UnknownIssuer { .. } => (
            Place::TomcatTrust,
            "upload the CA that signed the Expressway-C certificate to Tomcat-trust (OS Administration > \
             Security > Certificate Management) and restart Cisco CallManager",
        ),
        Reason::Expired { .. } | Reason::NotYetValid { .. } => (
            Place::ClientCertificate,
            "compare the clocks (NTP), then renew the Expressway-C certificate (Maintenance > Security > \
             Server certificate)",
        ),
        Reason::NameMismatch { .. } | Reason::NameNotInTable { .. } => (
            Place::AllowedNamesTable,
            "refresh the Unified CM servers on Expressway-C (Configuration > Unified Communications > Unified \
             CM servers > Refresh servers), or add CN and SAN of the Expressway-C certificate by hand under \
             Device > Expressway-C",
        ),
        Reason::NoCertificate => (
            Place::ClientCertificate,
            "present a client certificate: port 5091 is mutual TLS and for Expressway-C; a device on \
             premises belongs on port 5090",
        ),
        Reason::Purpose { .. } => (
            Place::ClientCertificate,
            "renew the Expressway-C certificate with both serverAuth and clientAuth in its extended key usage",
        ),
        Reason::BadSignature {
            issuer: Some(IssuerPlace::Chain),
        } => (
            Place::ClientCertificate,
            "upload with the Expressway-C certificate the certificate of the CA whose key signed it, not a renewed one \
             of the same name",
        ),
        Reason::HandshakeSignature => (
            Place::ClientCertificate,
            "install the Expressway-C certificate together with the private key it was made for",
        ),
        Reason::AuthorityAsEndEntity => (
            Place::ClientCertificate,
            "renew the Expressway-C certificate as one of a host (basicConstraints CA:FALSE)",
        ),
        Reason::WeakKey {
            anchor: Some(_), ..
        } => (
            Place::ClientCertificate,
            "have the Expressway-C certificate signed by a CA with a longer key (RSA 2048 or P-256), and upload that \
             one to Tomcat-trust",
        ),
        Reason::BadSignature { .. } => (
            Place::TomcatTrust,
            "look for two certificates with one subject and different keys (a renewed CA): upload the one that \
             signed the Expressway-C certificate to Tomcat-trust and restart Cisco CallManager",
        ),
        Reason::KeyUsage => (
            Place::ClientCertificate,
            "renew the Expressway-C certificate with digitalSignature in its key usage",
        ),
        Reason::IssuerNotAllowed { .. } | Reason::TooComplex => (
            Place::ClientCertificate,
            "upload the right chain with the Expressway-C certificate: CA certificates only, in their order, \
             no others",
        ),
        Reason::RevocationUnknown => (
            Place::TomcatTrust,
            "load a current revocation list of the issuer of the Expressway-C certificate at the node",
        ),
        Reason::WeakSignature | Reason::WeakKey { .. } | Reason::Malformed | Reason::Revoked => (
            Place::ClientCertificate,
            "renew the Expressway-C certificate (RSA 2048 or P-256, SHA-256)",
        ),
        other => for_connection(other),
    }
}

/// Reasons that concern no certificate.
fn for_connection(reason: &Reason) -> (Place, &'static str) {
    match reason {
        Reason::Version => (
            Place::TlsSettings,
            "enable TLS 1.2 or 1.3 on both sides (Unified CM: set tls min-version)",
        ),
        Reason::NoCommonParameters => (
            Place::TlsSettings,
            "compare cipher suites, groups and signature schemes of both sides",
        ),
        Reason::NotTls => (
            Place::Port,
            "connect with TLS to a TLS port (5090 on premises, 5091 for Expressway-C), not with plain SIP",
        ),
        _ => (Place::Log, "read the log of the side that refused"),
    }
}
