//! One sentence for each failure: who refused whom, why, and what to change.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use sip_oauth_trust::{Party, Place, Side, explain, tls_cause};

#[test]
fn who_sends_unknown_ca_tells_which_store_to_fix() {
    let ours = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    let theirs = Error::AlertReceived(AlertDescription::UnknownCA);
    let cases = [
        (Side::Client, &ours, Party::Us, Place::ClientTrust),
        (Side::Client, &theirs, Party::Peer, Place::TomcatTrust),
        (Side::Server, &ours, Party::Us, Place::TomcatTrust),
        (Side::Server, &theirs, Party::Peer, Place::ClientTrust),
    ];
    for (side, error, party, place) in cases {
        let found = explain(error, side);
        assert_eq!(
            (found.refused_by, found.remedy.place),
            (party, place),
            "{side:?} {error:?}"
        );
        assert_eq!(found.alert, Some(AlertDescription::UnknownCA));
    }
}

#[test]
fn received_alerts_in_words() {
    use AlertDescription as Alert;
    let cases = [
        (
            Alert::UnknownCA,
            "(alert unknown_ca, 48): its issuer is not trusted, or no usable revocation list says whether it is revoked; \
             upload the CA",
        ),
        (
            Alert::AccessDenied,
            "(alert access_denied, 49): none of its names is in table expresswaycconfiguration, or its issuer is not \
             trusted, or it has expired or is not valid yet; read the log of the side that refused, which says where the \
             change is to be made: expresswaycconfiguration, Tomcat-trust, certificate of the connecting side",
        ),
        (
            Alert::BadCertificate,
            "(alert bad_certificate, 42): none of its names is in table expresswaycconfiguration, or its issuer is not \
             trusted, or it has expired or is not valid yet, or its extended key usage does not allow this role, or ",
        ),
        (
            Alert::CertificateExpired,
            "(alert certificate_expired, 45): it has expired",
        ),
        (
            Alert::UnsupportedCertificate,
            "(alert unsupported_certificate, 43): its extended key usage",
        ),
        (
            Alert::CertificateRequired,
            "(alert certificate_required, 116): no client certificate",
        ),
        (
            Alert::CertificateUnknown,
            "(alert certificate_unknown, 46): its issuer is not trusted, or ",
        ),
        (
            Alert::ProtocolVersion,
            "(alert protocol_version, 70): no TLS version in common; enable TLS 1.2",
        ),
        (
            Alert::HandshakeFailure,
            "(alert handshake_failure, 40): no cipher suite, key exchange group or signature scheme in common, or no client \
             certificate was presented; ",
        ),
        (
            Alert::DecryptError,
            "(alert decrypt_error, 51): it was presented by somebody who does not have its private key, or a signature of \
             its chain does not verify, or ",
        ),
        (Alert::InternalError, "(alert internal_error, 80): "),
    ];
    for (alert, expected) in cases {
        let sentence = explain(&Error::AlertReceived(alert), Side::Client).to_string();
        assert!(sentence.starts_with("the server refused "), "{sentence}");
        assert!(sentence.contains(expected), "{sentence}");
        assert!(!sentence.contains(['\n', '\r']), "{sentence}");
    }
}

#[test]
fn plain_sip_on_a_tls_port() {
    let found = explain(
        &Error::InvalidMessage(InvalidMessage::InvalidContentType),
        Side::Server,
    );
    assert_eq!(found.remedy.place, Place::Port);
    assert_eq!(
        found.to_string(),
        "we refused the client: what arrived is not TLS; connect with TLS to a TLS port (5090 on premises, 5091 for \
         Expressway-C), not with plain SIP"
    );
}

#[test]
fn no_version_in_common() {
    let found = explain(
        &Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled),
        Side::Server,
    );
    assert_eq!(found.remedy.place, Place::TlsSettings);
}

#[test]
fn client_that_presents_nothing() {
    let found = explain(&Error::NoCertificatesPresented, Side::Server);
    assert_eq!(
        (found.refused_by, found.remedy.place),
        (Party::Us, Place::ClientCertificate)
    );
    assert!(found.to_string().contains("5090"), "{found}");
}

#[test]
fn rustls_error_is_found_inside_an_io_error() {
    let error = Error::AlertReceived(AlertDescription::UnknownCA);
    let wrapped = io::Error::new(io::ErrorKind::InvalidData, error.clone());
    assert_eq!(tls_cause(&wrapped), Some(&error));
    assert_eq!(
        tls_cause(&io::Error::from(io::ErrorKind::ConnectionReset)),
        None
    );
}
