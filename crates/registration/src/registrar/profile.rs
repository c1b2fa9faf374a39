//! The phone security profile and when it allows SIP OAuth.

use std::fmt;

/// Device Security Mode of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum DeviceSecurityMode {
    /// Non Secure.
    #[default]
    NonSecure,
    /// Authenticated: TLS without encryption of media.
    Authenticated,
    /// Encrypted.
    Encrypted,
}

/// Transport Type of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TransportType {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// TLS.
    Tls,
    /// TCP+UDP.
    #[default]
    TcpUdp,
}

/// A phone security profile (System > Security > Phone Security Profile).
///
/// ```
/// use sip_oauth_registration::registrar::{ProfileProblem, SecurityProfile};
///
/// let profile = SecurityProfile::oauth("CSF - OAuth");
/// assert!(profile.problems().is_empty());
///
/// let contradicting = SecurityProfile { digest_authentication: true, ..profile };
/// assert_eq!(contradicting.problems(), [ProfileProblem::DigestAuthentication]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SecurityProfile {
    /// Name.
    pub name: String,
    /// Device Security Mode.
    pub device_security_mode: DeviceSecurityMode,
    /// Transport Type.
    pub transport_type: TransportType,
    /// TFTP Encrypted Config.
    pub tftp_encrypted_config: bool,
    /// Enable OAuth Authentication.
    pub oauth_authentication: bool,
    /// Enable Digest Authentication.
    pub digest_authentication: bool,
}

impl SecurityProfile {
    /// Encrypted, TLS, Enable OAuth Authentication.
    pub fn oauth(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            device_security_mode: DeviceSecurityMode::Encrypted,
            transport_type: TransportType::Tls,
            oauth_authentication: true,
            ..Self::default()
        }
    }

    /// The product's standard profile: Non Secure, TCP+UDP.
    pub fn non_secure(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// What contradicts SIP OAuth in a profile that enables it; nothing in one that does not.
    pub fn problems(&self) -> Vec<ProfileProblem> {
        if !self.oauth_authentication {
            return Vec::new();
        }
        let checks = [
            (
                self.device_security_mode != DeviceSecurityMode::Encrypted,
                ProfileProblem::NotEncrypted,
            ),
            (
                self.transport_type != TransportType::Tls,
                ProfileProblem::NotTls,
            ),
            (
                self.digest_authentication,
                ProfileProblem::DigestAuthentication,
            ),
            (
                self.tftp_encrypted_config,
                ProfileProblem::TftpEncryptedConfig,
            ),
        ];
        checks
            .into_iter()
            .filter_map(|(broken, problem)| broken.then_some(problem))
            .collect()
    }
}

/// What contradicts Enable OAuth Authentication in a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProfileProblem {
    /// Device Security Mode is not Encrypted.
    NotEncrypted,
    /// Transport Type is not TLS.
    NotTls,
    /// Enable Digest Authentication is on.
    DigestAuthentication,
    /// TFTP Encrypted Config is on.
    TftpEncryptedConfig,
}

impl fmt::Display for ProfileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotEncrypted => "Device Security Mode must be Encrypted",
            Self::NotTls => "Transport Type must be TLS",
            Self::DigestAuthentication => "Enable Digest Authentication must be off",
            Self::TftpEncryptedConfig => "TFTP Encrypted Config must be off",
        })
    }
}
