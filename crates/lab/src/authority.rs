//! Certificates made on the spot.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;

/// A certificate authority with a root that signs certificates directly.
///
/// ```
/// use sip_oauth_lab::CertificateAuthority;
///
/// let authority = CertificateAuthority::new("Example Corp Voice CA")?;
/// let tomcat = authority.issue("ucm-pub.example.com", &["ucm-pub.example.com"])?;
/// assert_eq!(tomcat.chain().len(), 1);
/// assert!(authority.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), sip_oauth_lab::Error>(())
/// ```
pub struct CertificateAuthority {
    name: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateAuthority")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl CertificateAuthority {
    /// A new authority, its root valid from 2024 to 2044.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] if no key can be made.
    pub fn new(name: &str) -> Result<Self, Error> {
        let mut params = parameters(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = KeyPair::generate()
            .and_then(|key| CertifiedIssuer::self_signed(params, key))
            .map_err(|cause| Error::certificate(name, cause))?;
        Ok(Self {
            name: name.to_owned(),
            issuer,
        })
    }

    /// The common name of the root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The root, to be placed in a trust store.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    /// The root in PEM.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for `common_name` with `dns_names` as subject alternative names, for both server and client
    /// authentication as the Expressway guides demand.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] if a name has no IA5 form or no key can be made.
    pub fn issue(&self, common_name: &str, dns_names: &[&str]) -> Result<Certificate, Error> {
        self.sign(common_name, dns_names, parameters(common_name))
    }

    /// The same, but expired since the first day of 2025: to see what is said about it.
    ///
    /// # Errors
    ///
    /// As [`CertificateAuthority::issue`].
    pub fn issue_expired(
        &self,
        common_name: &str,
        dns_names: &[&str],
    ) -> Result<Certificate, Error> {
        let mut params = parameters(common_name);
        params.not_after = date_time_ymd(2025, 1, 1);
        self.sign(common_name, dns_names, params)
    }

    fn sign(
        &self,
        common_name: &str,
        dns_names: &[&str],
        mut params: CertificateParams,
    ) -> Result<Certificate, Error> {
        let failed = |cause| Error::certificate(common_name, cause);
        for name in dns_names {
            let name = (*name).try_into().map_err(failed)?;
            params.subject_alt_names.push(rcgen::SanType::DnsName(name));
        }
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Certificate {
            chain: vec![certificate.der().clone()],
            chain_pem: certificate.pem(),
            key: key.serialize_der().into(),
            key_pem: key.serialize_pem(),
        })
    }
}

/// Twenty years around now: no lab runs into its own expiry.
fn parameters(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example Corp");
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2044, 1, 1);
    params
}

/// A certificate with its key.
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    chain_pem: String,
    key: PrivatePkcs8KeyDer<'static>,
    key_pem: String,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("certificates", &self.chain.len())
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// The certificate, then what lies between it and the root (nothing in the lab).
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The chain in PEM, as it is written to a file.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// The private key in PEM (PKCS#8). Not to be printed.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The private key.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.clone_key())
    }
}
