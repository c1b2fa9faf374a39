//! Certificates out of a PKCS#7 bundle: SignedData that carries certificates and nothing else (RFC 5652 §5.1).
//!
//! Such a file (`.p7b`, `.p7c`) is what certification authorities hand out as a chain. Nothing signs it as a
//! whole, and a signature in one that has signers says nothing about the certificates: it is not looked at.

use rustls_pki_types::CertificateDer;
use x509_parser::asn1_rs::{Any, Class, FromBer, Header, Tag};

/// The identifier octet of a SEQUENCE, which is universal and constructed (X.690 §8.1.2, §8.9).
pub(crate) const SEQUENCE: u8 = 0x30;

/// The bit of an identifier octet that says that the value is constructed.
const CONSTRUCTED: u8 = 0x20;

/// The identifier octet of `[0]`, but for that bit.
const CONTEXT_0: u8 = 0x80;

/// 1.2.840.113549.1.7.2, id-signedData.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// Why a PKCS#7 bundle gave no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs7Error {
    /// The bytes are no ContentInfo with SignedData in it.
    #[error("PKCS#7: expected {expected} at byte {at} (RFC 5652 §5.1)")]
    NotSignedData {
        /// What should have stood there.
        expected: &'static str,
        /// Where, counted from the start of the bundle.
        at: usize,
    },
    /// SignedData, and no certificate in it.
    #[error("PKCS#7: expected at least one certificate, found SignedData with none")]
    NoCertificate,
}

/// Whether `bytes` begin as a ContentInfo does, a SEQUENCE whose first element is an object identifier.
/// A certificate begins with two SEQUENCEs.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SEQUENCE)
        && Header::from_ber(bytes)
            .and_then(|(content, _)| Header::from_ber(content))
            .is_ok_and(|(_, inner)| inner.tag() == Tag::Oid)
}

/// Every X.509 certificate of the bundle, in its order. Other choices of CertificateSet (attribute certificates)
/// and revocation lists are passed over, anything else is an error.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Pkcs7Error> {
    let mut file = Reader::new(bytes);
    let content_info = file.universal(Tag::Sequence, "ContentInfo")?;
    if !file.is_at_end() {
        return Err(file.wrong("the end of the bundle"));
    }
    let mut content_info = file.inside(content_info);
    let kind = content_info.universal(Tag::Oid, "the content type")?;
    if kind != SIGNED_DATA {
        return Err(content_info.wrong("content type signedData"));
    }
    let content = content_info.tagged(0, "[0] content")?;
    let mut content = content_info.inside(content);
    let signed_data = content.universal(Tag::Sequence, "SignedData")?;
    let mut signed_data = content.inside(signed_data);
    signed_data.universal(Tag::Integer, "the version")?;
    signed_data.universal(Tag::Set, "digestAlgorithms")?;
    signed_data.universal(Tag::Sequence, "encapContentInfo")?;
    if signed_data.is_at_end() {
        return Err(signed_data.wrong("certificates or signerInfos"));
    }
    let next = signed_data.rest.first();
    if next.is_none_or(|identifier| identifier & !CONSTRUCTED != CONTEXT_0) {
        return Err(Pkcs7Error::NoCertificate);
    }
    let set = signed_data.tagged(0, "[0] certificates")?;
    let mut set = signed_data.inside(set);
    let mut found = Vec::new();
    while !set.is_at_end() {
        let (before, start) = (set.rest, set.at);
        let element = set.next("a certificate")?;
        if is_other_choice(&element) {
            continue;
        }
        if element.class() != Class::Universal || !well_formed(&element, Tag::Sequence) {
            return Err(Pkcs7Error::NotSignedData {
                expected: "a certificate",
                at: start,
            });
        }
        let length = before.len() - set.rest.len();
        found.push(CertificateDer::from(
            before.get(..length).unwrap_or_default().to_vec(),
        ));
    }
    if found.is_empty() {
        return Err(Pkcs7Error::NoCertificate);
    }
    Ok(found)
}

/// Whether it is what CertificateChoices has beside certificates, `[0]` to `[3]` (RFC 5652 §10.2.2).
fn is_other_choice(element: &Any<'_>) -> bool {
    element.class() == Class::ContextSpecific
        && element.tag().0 <= 3
        && element.header.is_constructed()
}

/// Whether a value has this tag and the form that goes with it: a SEQUENCE or SET is constructed, an INTEGER or
/// OBJECT IDENTIFIER primitive (X.690 §8.3, §8.9, §8.11, §8.19). The reader of the headers looks at neither.
fn well_formed(value: &Any<'_>, tag: Tag) -> bool {
    value.tag() == tag && value.header.is_constructed() == matches!(tag, Tag::Sequence | Tag::Set)
}

/// One value after another. BER, since such bundles are written with indefinite lengths as well.
struct Reader<'a> {
    rest: &'a [u8],
    /// Where `rest` begins in the file, for errors.
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn wrong(&self, expected: &'static str) -> Pkcs7Error {
        Pkcs7Error::NotSignedData {
            expected,
            at: self.at,
        }
    }

    fn next(&mut self, expected: &'static str) -> Result<Any<'a>, Pkcs7Error> {
        let (rest, value) = Any::from_ber(self.rest).map_err(|_| self.wrong(expected))?;
        self.at += self.rest.len() - rest.len();
        self.rest = rest;
        Ok(value)
    }

    fn universal(&mut self, tag: Tag, expected: &'static str) -> Result<&'a [u8], Pkcs7Error> {
        let start = self.at;
        let value = self.next(expected)?;
        if value.class() == Class::Universal && well_formed(&value, tag) {
            Ok(value.data)
        } else {
            Err(Pkcs7Error::NotSignedData {
                expected,
                at: start,
            })
        }
    }

    fn tagged(&mut self, number: u32, expected: &'static str) -> Result<&'a [u8], Pkcs7Error> {
        let start = self.at;
        let value = self.next(expected)?;
        if value.class() == Class::ContextSpecific
            && value.tag() == Tag(number)
            && value.header.is_constructed()
        {
            Ok(value.data)
        } else {
            Err(Pkcs7Error::NotSignedData {
                expected,
                at: start,
            })
        }
    }

    /// The reader of a value that this one has just passed.
    fn inside(&self, content: &'a [u8]) -> Self {
        Self {
            rest: content,
            at: self.at.saturating_sub(content.len()),
        }
    }
}
