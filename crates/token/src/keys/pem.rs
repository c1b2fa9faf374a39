//! PEM (RFC 7468), of public and private keys alike.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KeyError;

/// The label and the content of the first PEM block.
pub(super) fn read_pem(pem: &str) -> Result<(&str, Zeroizing<Vec<u8>>), KeyError> {
    /// A certificate chain is longer, but the first block is what counts.
    const MAX_BYTES: usize = 64 * 1024;
    if pem.len() > MAX_BYTES {
        return Err(KeyError::Pem("longer than 64 KiB"));
    }
    let (_, rest) = pem
        .split_once("-----BEGIN ")
        .ok_or(KeyError::Pem("expected -----BEGIN"))?;
    let (label, rest) = rest
        .split_once("-----")
        .ok_or(KeyError::Pem("the line of -----BEGIN does not end"))?;
    let (body, rest) = rest
        .split_once("-----END ")
        .ok_or(KeyError::Pem("expected -----END"))?;
    if !rest.starts_with(label) {
        return Err(KeyError::Pem("-----BEGIN and -----END differ"));
    }
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let der = STANDARD
        .decode(body.as_bytes())
        .map_err(|_| KeyError::Pem("content is not base64"))?;
    Ok((label, Zeroizing::new(der)))
}
