//! Proof Key for Code Exchange (RFC 7636), method S256.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::crypto::CryptoProvider;
use zeroize::Zeroizing;

use super::digest::{random_text, sha256};

/// A code verifier and its challenge.
pub(crate) struct Pkce {
    pub(crate) verifier: Zeroizing<String>,
    pub(crate) challenge: String,
}

impl Pkce {
    /// "It is RECOMMENDED that the output of a suitable random number generator be used to create a 32-octet sequence"
    /// (section 4.1). Nothing when the provider has no randomness.
    pub(crate) fn new(provider: &CryptoProvider) -> Option<Self> {
        let verifier = random_text(provider)?;
        Self::of(provider, verifier)
    }

    /// `code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))` (section 4.2).
    fn of(provider: &CryptoProvider, verifier: Zeroizing<String>) -> Option<Self> {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(provider, verifier.as_bytes())?);
        Some(Self {
            verifier,
            challenge,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b() {
        let provider = sip_oauth_trust::default_provider().unwrap();
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let pkce = Pkce::of(&provider, Zeroizing::new(verifier)).unwrap();
        assert_eq!(
            pkce.challenge,
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn section_4_1_a_verifier_has_43_to_128_unreserved_characters_and_is_new_each_time() {
        let provider = sip_oauth_trust::default_provider().unwrap();
        let (one, two) = (Pkce::new(&provider).unwrap(), Pkce::new(&provider).unwrap());
        assert_eq!(one.verifier.len(), 43);
        assert_ne!(one.verifier, two.verifier);
    }
}
