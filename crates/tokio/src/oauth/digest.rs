//! SHA-256 and random text from whichever crypto provider TLS uses.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{
    SupportedCipherSuite,
    crypto::{CryptoProvider, hash::HashAlgorithm},
};
use zeroize::Zeroizing;

/// SHA-256 of `bytes`; nothing when the provider has no cipher suite with it, which no usable one lacks.
pub(crate) fn sha256(provider: &CryptoProvider, bytes: &[u8]) -> Option<[u8; 32]> {
    let hash = provider.cipher_suites.iter().find_map(|suite| {
        let common = match suite {
            SupportedCipherSuite::Tls12(suite) => &suite.common,
            SupportedCipherSuite::Tls13(suite) => &suite.common,
        };
        (common.hash_provider.algorithm() == HashAlgorithm::SHA256).then_some(common.hash_provider)
    })?;
    hash.hash(bytes).as_ref().try_into().ok()
}

/// 256 random bits as 43 characters of base64url.
pub(crate) fn random_text(provider: &CryptoProvider) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    provider.secure_random.fill(&mut *bytes).ok()?;
    Some(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_180_4_abc() {
        let provider = sip_oauth_trust::default_provider().unwrap();
        let digest = sha256(&provider, b"abc").unwrap();
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
