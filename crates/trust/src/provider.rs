//! The crypto provider used when the caller has no opinion.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// No crypto provider is installed in the process and none was compiled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no crypto provider: the process installed none and neither feature `aws-lc-rs` nor `ring` is enabled"
)]
pub struct NoProvider;

/// The process default if one was installed, else aws-lc-rs, else ring.
///
/// Nothing is installed process-wide by this function: a library that did so would decide for its
/// embedder. Every constructor of this crate takes the provider as an argument.
///
/// ```
/// let provider = sip_oauth_trust::default_provider()?;
/// assert!(!provider.cipher_suites.is_empty());
/// # Ok::<(), sip_oauth_trust::NoProvider>(())
/// ```
///
/// # Errors
///
/// [`NoProvider`] when the process has none and the crate was built without one.
pub fn default_provider() -> Result<Arc<CryptoProvider>, NoProvider> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Ok(Arc::clone(installed));
    }
    compiled_in()
}

#[cfg(feature = "aws-lc-rs")]
#[allow(clippy::unnecessary_wraps)] // one signature for all three feature sets
fn compiled_in() -> Result<Arc<CryptoProvider>, NoProvider> {
    Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
#[allow(clippy::unnecessary_wraps)] // one signature for all three feature sets
fn compiled_in() -> Result<Arc<CryptoProvider>, NoProvider> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
fn compiled_in() -> Result<Arc<CryptoProvider>, NoProvider> {
    Err(NoProvider)
}
