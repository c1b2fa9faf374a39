//! The little DER (X.690) a public key needs: SubjectPublicKeyInfo, bare or inside a certificate.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// `[0] EXPLICIT Version` of a certificate.
const VERSION: u8 = 0xa0;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A public key as found in DER.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PublicKey<'a> {
    /// Modulus and exponent, big endian, sign byte included.
    Rsa { n: &'a [u8], e: &'a [u8] },
    /// An uncompressed point on P-256.
    P256(&'a [u8]),
    /// An uncompressed point on P-384.
    P384(&'a [u8]),
    /// An Ed25519 key.
    Ed25519(&'a [u8]),
}

/// Reads an RSAPublicKey (RFC 8017 Appendix A.1.1).
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<PublicKey<'_>> {
    let mut rest = der;
    let mut key = element(SEQUENCE, &mut rest)?;
    let n = element(INTEGER, &mut key)?;
    let e = element(INTEGER, &mut key)?;
    (rest.is_empty() && key.is_empty()).then_some(PublicKey::Rsa { n, e })
}

/// Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
pub(crate) fn subject_public_key_info(der: &[u8]) -> Option<PublicKey<'_>> {
    let mut rest = der;
    let mut info = element(SEQUENCE, &mut rest)?;
    let mut algorithm = element(SEQUENCE, &mut info)?;
    let identifier = element(OBJECT_IDENTIFIER, &mut algorithm)?;
    let (&unused_bits, key) = element(BIT_STRING, &mut info)?.split_first()?;
    if unused_bits != 0 || !rest.is_empty() || !info.is_empty() {
        return None;
    }
    match identifier {
        RSA_ENCRYPTION => rsa_public_key(key),
        EC_PUBLIC_KEY => match (element(OBJECT_IDENTIFIER, &mut algorithm)?, key.len()) {
            (SECP256R1, 65) => Some(PublicKey::P256(key)),
            (SECP384R1, 97) => Some(PublicKey::P384(key)),
            _ => None,
        },
        ED25519 if key.len() == 32 => Some(PublicKey::Ed25519(key)),
        _ => None,
    }
}

/// Finds the SubjectPublicKeyInfo of a certificate (RFC 5280 section 4.1), header included.
pub(crate) fn certificate_key_info(der: &[u8]) -> Option<&[u8]> {
    let mut rest = der;
    let mut certificate = element(SEQUENCE, &mut rest)?;
    let mut signed = element(SEQUENCE, &mut certificate)?;
    if signed.first() == Some(&VERSION) {
        element(VERSION, &mut signed)?;
    }
    element(INTEGER, &mut signed)?;
    for _signature_issuer_validity_subject in 0..4 {
        element(SEQUENCE, &mut signed)?;
    }
    let from_here = signed;
    element(SEQUENCE, &mut signed)?;
    from_here.get(..from_here.len() - signed.len())
}

/// Takes one element with this tag off the front of `input` and returns its content.
fn element<'a>(tag: u8, input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&found, rest) = input.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let len = if first < 0x80 {
        usize::from(first)
    } else {
        // The long form, at most 64 KiB: no key or certificate here is larger.
        let count = usize::from(first & 0x7f);
        if !(1..=2).contains(&count) {
            return None;
        }
        let (digits, after) = rest.split_at_checked(count)?;
        rest = after;
        digits
            .iter()
            .fold(0, |len, digit| len << 8 | usize::from(*digit))
    };
    let (content, after) = rest.split_at_checked(len)?;
    *input = after;
    Some(content)
}
