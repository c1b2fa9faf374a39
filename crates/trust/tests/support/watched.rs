//! A crypto provider that tells of each signature it verifies.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

struct Watched {
    inner: &'static dyn SignatureVerificationAlgorithm,
    before: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl SignatureVerificationAlgorithm for Watched {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        (self.before)();
        self.inner.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

/// `before` is called before each signature of a certificate is verified.
pub(crate) fn watched(before: impl Fn() + Send + Sync + 'static) -> Arc<CryptoProvider> {
    let mut provider = CryptoProvider::clone(&super::provider());
    let before: Arc<dyn Fn() + Send + Sync> = Arc::new(before);
    // rustls wants them for ever; a test has few.
    let all: Vec<&'static dyn SignatureVerificationAlgorithm> = provider
        .signature_verification_algorithms
        .all
        .iter()
        .map(|inner| -> &'static dyn SignatureVerificationAlgorithm {
            Box::leak(Box::new(Watched {
                inner: *inner,
                before: Arc::clone(&before),
            }))
        })
        .collect();
    provider.signature_verification_algorithms = WebPkiSupportedAlgorithms {
        all: Vec::leak(all),
        mapping: provider.signature_verification_algorithms.mapping,
    };
    Arc::new(provider)
}
