//! Certificates made on the spot, and a client and a server joined without sockets.

pub(crate) mod scene;
pub(crate) mod watched;

use std::io::Cursor;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, DnValue, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConnection, Error, ServerConnection};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use sip_oauth_trust::{
    CertifiedIdentity, Identities, LiveTrustStore, Observer, Refusal, Source, TrustStore,
};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn provider() -> Arc<CryptoProvider> {
    sip_oauth_trust::default_provider().unwrap()
}

/// A CA with this subject.
pub(crate) fn authority(common_name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A CA with this subject that `issuer` signed.
pub(crate) fn sub_authority(common_name: &str, issuer: &Authority) -> Authority {
    sub_authority_valid(common_name, issuer, Validity::Now)
}

/// The same, valid then.
pub(crate) fn sub_authority_valid(
    common_name: &str,
    issuer: &Authority,
    validity: Validity,
) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity.put_into(&mut params);
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), issuer).unwrap()
}

/// When a certificate is valid.
#[derive(Clone, Copy, Default)]
pub(crate) enum Validity {
    #[default]
    Now,
    Past,
    Future,
}

impl Validity {
    fn put_into(self, params: &mut CertificateParams) {
        match self {
            Self::Now => {}
            Self::Past => {
                params.not_before = date_time_ymd(2020, 1, 1);
                params.not_after = date_time_ymd(2021, 1, 1);
            }
            Self::Future => params.not_before = date_time_ymd(3000, 1, 1),
        }
    }
}

/// What to put into an end-entity certificate.
#[derive(Clone, Default)]
pub(crate) struct Leaf {
    pub(crate) common_names: Vec<DnValue>,
    pub(crate) sans: Vec<SanType>,
    pub(crate) usages: Option<Vec<ExtendedKeyUsagePurpose>>,
    pub(crate) key_usages: Vec<KeyUsagePurpose>,
    pub(crate) serial: Option<u64>,
    pub(crate) validity: Validity,
    pub(crate) ca: bool,
    pub(crate) rsa: bool,
}

impl Leaf {
    /// As both products' certificates are: CN and SAN alike, serverAuth and clientAuth.
    pub(crate) fn named(name: &str) -> Self {
        Self::default().cn(name).dns(name)
    }

    pub(crate) fn cn(mut self, name: &str) -> Self {
        self.common_names.push(DnValue::Utf8String(name.to_owned()));
        self
    }

    pub(crate) fn cn_value(mut self, value: DnValue) -> Self {
        self.common_names.push(value);
        self
    }

    pub(crate) fn dns(mut self, name: &str) -> Self {
        self.sans.push(SanType::DnsName(name.try_into().unwrap()));
        self
    }

    pub(crate) fn uri(mut self, uri: &str) -> Self {
        self.sans.push(SanType::URI(uri.try_into().unwrap()));
        self
    }

    pub(crate) fn ip(mut self, address: &str) -> Self {
        self.sans
            .push(SanType::IpAddress(address.parse::<IpAddr>().unwrap()));
        self
    }

    pub(crate) fn usages(mut self, usages: &[ExtendedKeyUsagePurpose]) -> Self {
        self.usages = Some(usages.to_vec());
        self
    }

    pub(crate) fn key_usages(mut self, usages: &[KeyUsagePurpose]) -> Self {
        self.key_usages = usages.to_vec();
        self
    }

    pub(crate) fn serial(mut self, serial: u64) -> Self {
        self.serial = Some(serial);
        self
    }

    pub(crate) fn expired(mut self) -> Self {
        self.validity = Validity::Past;
        self
    }

    pub(crate) fn future(mut self) -> Self {
        self.validity = Validity::Future;
        self
    }

    pub(crate) fn ca(mut self) -> Self {
        self.ca = true;
        self
    }

    /// RSA 2048 instead of P-256.
    pub(crate) fn rsa(mut self) -> Self {
        self.rsa = true;
        self
    }

    fn key(&self) -> KeyPair {
        if self.rsa {
            KeyPair::from_pem(include_str!("../fixtures/rsa-2048.key.pem")).unwrap()
        } else {
            KeyPair::generate().unwrap()
        }
    }

    fn params(self) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (at, value) in self.common_names.into_iter().enumerate() {
            params.distinguished_name.push(common_name(at), value);
        }
        params.subject_alt_names = self.sans;
        params.extended_key_usages = self.usages.unwrap_or_else(|| {
            vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ]
        });
        self.validity.put_into(&mut params);
        params.key_usages = self.key_usages;
        params.serial_number = self.serial.map(rcgen::SerialNumber::from);
        if self.ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params
    }

    pub(crate) fn signed_by(self, authority: &Authority) -> CertifiedIdentity {
        let key = self.key();
        let certificate = self.params().signed_by(&key, authority).unwrap();
        identity(certificate.der().clone(), &key)
    }

    /// With what another program needs to present it: chain and key as PEM.
    pub(crate) fn signed_by_as_pem(self, authority: &Authority) -> (CertifiedIdentity, String) {
        let key = self.key();
        let certificate = self.params().signed_by(&key, authority).unwrap();
        let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
        (identity(certificate.der().clone(), &key), pem)
    }

    /// A chain of more than the end entity.
    pub(crate) fn signed_by_with(
        self,
        authority: &Authority,
        more: &[&Authority],
    ) -> CertifiedIdentity {
        let key = self.key();
        let certificate = self.params().signed_by(&key, authority).unwrap();
        let mut chain = vec![certificate.der().clone()];
        chain.extend(more.iter().map(|authority| authority.der().clone()));
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        CertifiedIdentity::from_der(chain, key, &provider()).unwrap()
    }

    pub(crate) fn self_signed(self) -> CertifiedIdentity {
        let key = self.key();
        let certificate = self.params().self_signed(&key).unwrap();
        identity(certificate.der().clone(), &key)
    }

    /// The identities only, signed by nobody in particular.
    pub(crate) fn identities(self) -> Identities {
        let key = KeyPair::generate().unwrap();
        Identities::of(self.params().self_signed(&key).unwrap().der()).unwrap()
    }
}

fn identity(certificate: CertificateDer<'static>, key: &KeyPair) -> CertifiedIdentity {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    CertifiedIdentity::from_der(vec![certificate], key, &provider()).unwrap()
}

/// A store trusting these certificates.
pub(crate) fn store<'a>(
    name: &str,
    trusted: impl IntoIterator<Item = &'a CertificateDer<'static>>,
) -> Arc<LiveTrustStore> {
    let mut store = TrustStore::new(name);
    for certificate in trusted {
        store
            .add_der(
                certificate.clone(),
                &Source::Memory("made for this test".to_owned()),
            )
            .unwrap();
    }
    Arc::new(LiveTrustStore::new(store))
}

/// rcgen keeps one value for each type, but takes a second CN under its number.
pub(crate) fn common_name(at: usize) -> DnType {
    match at {
        0 => DnType::CommonName,
        1 => DnType::CustomDnType(vec![2, 5, 4, 3]),
        _ => unreachable!("no test has more than two CNs"),
    }
}

/// An observer that remembers.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<Refusal>>);

impl Observer for Heard {
    fn refused(&self, refusal: &Refusal) {
        self.0.lock().unwrap().push(refusal.clone());
    }
}

impl Heard {
    pub(crate) fn only(&self) -> Refusal {
        let heard = self.0.lock().unwrap();
        assert_eq!(heard.len(), 1, "expected one refusal, heard {heard:?}");
        heard[0].clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// What each end ended with.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) client: Result<(), Error>,
    pub(crate) server: Result<(), Error>,
    /// Whether the client's handshake was complete before its error, as TLS 1.3 has it.
    pub(crate) client_was_up: bool,
}

pub(crate) fn connect(
    client: Arc<rustls::ClientConfig>,
    server: Arc<rustls::ServerConfig>,
    name: &str,
) -> (Ends, ClientConnection, ServerConnection) {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client, name).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    let mut ends = Ends {
        client: Ok(()),
        server: Ok(()),
        client_was_up: false,
    };
    for _ in 0..16 {
        let to_server = drain(|out| client.wants_write().then(|| client.write_tls(out)));
        if ends.server.is_ok() {
            server.read_tls(&mut Cursor::new(&to_server)).unwrap();
            ends.server = server.process_new_packets().map(drop);
        }
        let to_client = drain(|out| server.wants_write().then(|| server.write_tls(out)));
        if ends.client.is_ok() {
            ends.client_was_up = !client.is_handshaking();
            client.read_tls(&mut Cursor::new(&to_client)).unwrap();
            ends.client = client.process_new_packets().map(drop);
        }
        if to_server.is_empty() && to_client.is_empty() {
            break;
        }
    }
    (ends, client, server)
}

fn drain(mut write: impl FnMut(&mut Vec<u8>) -> Option<std::io::Result<usize>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(written) = write(&mut bytes) {
        written.unwrap();
    }
    bytes
}
