//! Certificates, the keys of the authorization server and a token, on disk for servers that read files.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use sip_oauth_token::issue::{AccessTokenExpiryTimer, AuthorizationServer};
use sip_oauth_token::{ContentEncryption, EncryptionKey, KeySet, Policy, Verifier};

use super::Outcome;
use super::common::{NODE, token};

/// The authorization server.
pub(crate) const ISSUER: &str = "5d0c7e2a-94b1-4f38-8a67-c1e3f0b2d495";

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
        let folder = Self(at);
        folder.issue()?;
        Ok(folder)
    }

    /// Writes a token, and what is needed to check it. It lives as long as the product lets one: a run may take hours.
    fn issue(&self) -> Outcome {
        let mut server = AuthorizationServer::new(ISSUER)?;
        server.set_access_token_expiry_timer(AccessTokenExpiryTimer::from_minutes(1440)?);
        fs::write(self.file("token.txt"), token(&server, SystemTime::now())?)?;
        fs::write(self.file("signing-key.pem"), server.signing_key_pem())?;
        let encryption_key = server.encryption_key().to_hex();
        fs::write(self.file("encryption-key.txt"), &*encryption_key)?;
        Ok(())
    }

    /// Judges the token by those keys.
    pub(crate) fn verifier(at: &Path) -> Outcome<Verifier> {
        let signing_key = fs::read_to_string(at.join("signing-key.pem"))?;
        let encryption_key = fs::read_to_string(at.join("encryption-key.txt"))?;
        let encryption_key =
            EncryptionKey::from_hex(ContentEncryption::A128CbcHs256, &encryption_key)?;
        let keys = KeySet::builder().unified_cm(ISSUER, &signing_key, encryption_key)?;
        Ok(Verifier::new(keys.build(), Policy::unified_cm(ISSUER)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// A folder for each kind of keys, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Folders {
    at: PathBuf,
    rsa: Folder,
    p256: Folder,
}

impl Folders {
    pub(crate) fn make() -> Outcome<Self> {
        let at = std::env::temp_dir().join(format!("registrations-{}", std::process::id()));
        Ok(Self {
            rsa: Folder::make(at.join("rsa"), Keys::Rsa2048)?,
            p256: Folder::make(at.join("p256"), Keys::P256)?,
            at,
        })
    }

    pub(crate) const fn of(&self, keys: Keys) -> &Folder {
        match keys {
            Keys::Rsa2048 => &self.rsa,
            Keys::P256 => &self.p256,
        }
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.at);
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
        let mut tls = if certificate.exists() {
            let certificate = CertificateDer::from_pem_file(certificate)?;
            let key = PrivateKeyDer::from_pem_file(folder.join("client-key.pem"))?;
            tls.with_client_auth_cert(vec![certificate], key)?
        } else {
            tls.with_no_client_auth()
        };
        // Each connection is a whole handshake, also at a server that hands out tickets.
        tls.resumption = Resumption::disabled();
        let token = fs::read_to_string(folder.join("token.txt"))?;
        Ok(Self {
            tls: Arc::new(tls),
            token: token.trim_end().to_owned(),
        })
    }
}

/// TLS 1.3 by aws-lc-rs.
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
