//! Certificates and the token, on disk for servers that read files.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::Outcome;
use super::common::NODE;

/// What keys the certificates have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    Rsa2048,
    P256,
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "RSA-2048",
            Self::P256 => "P-256",
        })
    }
}

impl Keys {
    fn generate(self) -> Result<KeyPair, rcgen::Error> {
        match self {
            Self::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        }
    }
}

/// Where the files of one authority are.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes an authority, a certificate for the server and one for a client, and writes them down.
    pub(crate) fn make(at: PathBuf, keys: Keys) -> Outcome<Self> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Bench CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority = CertifiedIssuer::self_signed(params, keys.generate()?)?;
        fs::create_dir_all(&at)?;
        fs::write(at.join("ca.pem"), authority.pem())?;
        for (file, name) in [("server", NODE), ("client", "expc.example.com")] {
            let mut params = CertificateParams::new([name.to_owned()])?;
            params.distinguished_name.push(DnType::CommonName, name);
            params.use_authority_key_identifier_extension = true;
            params.extended_key_usages = vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ];
            let key = keys.generate()?;
            let certificate = params.signed_by(&key, &authority)?;
            fs::write(at.join(format!("{file}.pem")), certificate.pem())?;
            fs::write(at.join(format!("{file}-key.pem")), key.serialize_pem())?;
        }
        Ok(Self(at))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// What a client needs.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) token: String,
}

impl Material {
    /// What is in a folder. The certificate, if there is one, is shown to a server that asks for it.
    pub(crate) fn read(folder: &Path) -> Outcome<Self> {
        let tls = builder(&folder.join("ca.pem"))?;
        let certificate = folder.join("client.pem");
        let tls = if certificate.exists() {
            let certificate = CertificateDer::from_pem_file(certificate)?;
            let key = PrivateKeyDer::from_pem_file(folder.join("client-key.pem"))?;
            tls.with_client_auth_cert(vec![certificate], key)?
        } else {
            tls.with_no_client_auth()
        };
        let token = fs::read_to_string(folder.join("token.txt"))?;
        Ok(Self {
            tls: Arc::new(tls),
            token: token.trim_end().to_owned(),
        })
    }
}

/// TLS 1.3 by aws-lc-rs, no session resumed.
fn builder(
    authority: &Path,
) -> Outcome<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots))
}
