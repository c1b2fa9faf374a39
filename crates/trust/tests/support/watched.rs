//! A crypto provider that tells of each signature it verifies. The tests of `crates/tokio` use it too.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;
type Before = Arc<dyn Fn() + Send + Sync>;

struct Watched {
    inner: Algorithm,
    before: Before,
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

/// rustls wants them for ever; a test has few.
fn watch(algorithms: &[Algorithm], before: &Before) -> &'static [Algorithm] {
    let watched = algorithms.iter().map(|inner| -> Algorithm {
        Box::leak(Box::new(Watched {
            inner: *inner,
            before: Arc::clone(before),
        }))
    });
    watched.collect::<Vec<_>>().leak()
}

/// `before` is called before each signature of a certificate or a revocation list is verified.
pub(crate) fn watched(
    provider: &CryptoProvider,
    before: impl Fn() + Send + Sync + 'static,
) -> Arc<CryptoProvider> {
    let mut provider = provider.clone();
    let known = provider.signature_verification_algorithms;
    provider.signature_verification_algorithms = WebPkiSupportedAlgorithms {
        all: watch(known.all, &(Arc::new(before) as Before)),
        mapping: known.mapping,
    };
    Arc::new(provider)
}

/// `before` is called before the signature of a handshake is verified, when the certificate has been.
pub(crate) fn watched_handshakes(
    provider: &CryptoProvider,
    before: impl Fn() + Send + Sync + 'static,
) -> Arc<CryptoProvider> {
    let mut provider = provider.clone();
    let known = provider.signature_verification_algorithms;
    let before: Before = Arc::new(before);
    let mapping: Vec<(SignatureScheme, &'static [Algorithm])> = known
        .mapping
        .iter()
        .map(|(scheme, algorithms)| (*scheme, watch(algorithms, &before)))
        .collect();
    provider.signature_verification_algorithms = WebPkiSupportedAlgorithms {
        all: known.all,
        mapping: mapping.leak(),
    };
    Arc::new(provider)
}
