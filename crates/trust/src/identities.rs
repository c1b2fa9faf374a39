//! The names a certificate presents, each kind apart from the others.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Any, Tag};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::allowed_names::is_separator;
use crate::dns_name::{is_unsafe, printable};
use crate::rule::is_sip_domain_uri;

/// Why a certificate could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableCertificate {
    /// The bytes are no X.509 certificate.
    #[error(
        "certificate: expected a DER X.509 certificate, found {bytes} bytes that are none ({what})"
    )]
    Malformed {
        /// Length of the input.
        bytes: usize,
        /// The parser's word for it.
        what: String,
    },
    /// A certificate is followed by further bytes: two readers could see two different certificates.
    #[error("certificate: expected its end at byte {at}, found {bytes} trailing bytes")]
    TrailingBytes {
        /// Where the certificate ends.
        at: usize,
        /// How much follows.
        bytes: usize,
    },
    /// The subjectAltName extension is unreadable or present twice. Such a certificate must not pass
    /// for one that has none.
    #[error("certificate: subjectAltName is malformed or present twice (RFC 5280 §4.2.1.6)")]
    SubjectAltName,
}

/// One name out of a certificate, with its kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PresentedName {
    /// A `commonName` of the subject.
    CommonName(String),
    /// A `dNSName` of the subjectAltName; may begin with `*.`.
    Dns(String),
    /// A `uniformResourceIdentifier` of the subjectAltName.
    Uri(String),
    /// An `iPAddress` of the subjectAltName.
    Ip(IpAddr),
    /// Any other name: mail address, directory name, otherName, registered identifier.
    Other(String),
}

impl fmt::Display for PresentedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommonName(name) => write!(f, "CN \"{}\"", printable(name)),
            Self::Dns(name) => write!(f, "DNS \"{}\"", printable(name)),
            Self::Uri(uri) => write!(f, "URI \"{}\"", printable(uri)),
            Self::Ip(address) => write!(f, "IP {address}"),
            Self::Other(name) => write!(f, "{}", printable(name)),
        }
    }
}

/// A name that is in the certificate but is never compared with anything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unusable {
    /// The field it stands in: `CN`, `DNS`, `URI`, `IP`.
    pub field: &'static str,
    /// The name with everything unprintable escaped.
    pub shown: String,
    /// Why it is not used.
    pub why: &'static str,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\" ({})", self.field, self.shown, self.why)
    }
}

/// The identities of a certificate (RFC 5280 §4.2.1.6, §4.1.2.6), each kind apart.
///
/// A name with NUL, control or invisible characters, a dNSName outside ASCII, an iPAddress of another
/// length than 4 or 16 octets, and a CN in a string type that cannot be decoded are kept under
/// [`unusable`](Self::unusable): shown, never matched. BMPString and TeletexString CNs are decoded.
///
/// # Example
///
/// ```no_run
/// # use sip_oauth_trust::{Identities, UnreadableCertificate};
/// # fn read() -> rustls_pki_types::CertificateDer<'static> { unimplemented!() }
/// let identities = Identities::of(&read())?;
/// assert_eq!(identities.dns_names(), ["expc1.example.com"]);
/// # Ok::<(), UnreadableCertificate>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    common_names: Vec<String>,
    dns_names: Vec<String>,
    uris: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    others: Vec<String>,
    unusable: Vec<Unusable>,
    has_subject_alt_name: bool,
    has_sip_domain_uri: bool,
    has_other_name: bool,
}

impl Identities {
    /// Reads the names of `certificate`.
    ///
    /// # Errors
    ///
    /// When it is not exactly one certificate, or its subjectAltName cannot be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, UnreadableCertificate> {
        Self::of_parsed(&parse(certificate)?)
    }

    pub(crate) fn of_parsed(
        certificate: &X509Certificate<'_>,
    ) -> Result<Self, UnreadableCertificate> {
        let mut identities = Self::default();
        for attribute in certificate.subject().iter_common_name() {
            identities.add_common_name(attribute.attr_value());
        }
        let extension = certificate
            .subject_alternative_name()
            .map_err(|_| UnreadableCertificate::SubjectAltName)?;
        if let Some(extension) = extension {
            identities.has_subject_alt_name = true;
            for name in &extension.value.general_names {
                identities.add_general_name(name);
            }
        }
        Ok(identities)
    }

    /// The common names of the subject, in order.
    pub fn common_names(&self) -> &[String] {
        &self.common_names
    }

    /// The dNSName entries, in order and as written.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// The uniformResourceIdentifier entries, in order and as written.
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// The iPAddress entries, in order.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.ip_addresses
    }

    /// Everything else in the subjectAltName, each with its kind in words.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// Names that take no part in any comparison, and why.
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// Whether the certificate has a subjectAltName at all. RFC 5922 lets a CN count only without one.
    pub fn has_subject_alt_name(&self) -> bool {
        self.has_subject_alt_name
    }

    /// Whether there is a URI of scheme `sip` without a user part, usable or not: then no dNSName is a SIP domain identity
    /// (RFC 5922 §7.1).
    pub(crate) fn has_sip_domain_uri(&self) -> bool {
        self.has_sip_domain_uri
    }

    /// Whether there is an otherName, such as the SRVName of RFC 4985.
    pub(crate) fn has_other_name(&self) -> bool {
        self.has_other_name
    }

    /// The names out of these fields that take no part in any comparison.
    pub(crate) fn unusable_of(&self, fields: &[&str]) -> Vec<Unusable> {
        let unusable = self.unusable.iter();
        unusable
            .filter(|name| fields.contains(&name.field))
            .cloned()
            .collect()
    }

    /// Every usable name: CN first, then DNS, IP, URI and the others.
    pub fn presented(&self) -> impl Iterator<Item = PresentedName> + '_ {
        let common = self
            .common_names
            .iter()
            .cloned()
            .map(PresentedName::CommonName);
        let dns = self.dns_names.iter().cloned().map(PresentedName::Dns);
        let ips = self.ip_addresses.iter().copied().map(PresentedName::Ip);
        let uris = self.uris.iter().cloned().map(PresentedName::Uri);
        let others = self.others.iter().cloned().map(PresentedName::Other);
        common.chain(dns).chain(ips).chain(uris).chain(others)
    }

    /// CN and dNSName entries without repetition: what an Expressway-C puts into the
    /// `expresswaycconfiguration` table for its own certificate.
    ///
    /// A name with a comma, semicolon or blank in it is left out: in the one string of a row it would be several names,
    /// some of them perhaps another's.
    pub fn names_for_table(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        self.common_names
            .iter()
            .chain(&self.dns_names)
            .filter(|name| !name.contains(is_separator))
            .filter(|name| seen.insert(name.to_ascii_lowercase()))
            .cloned()
            .collect()
    }

    fn add_common_name(&mut self, value: &Any<'_>) {
        match directory_string(value) {
            Some(text) if text.chars().any(is_unsafe) => {
                self.refuse("CN", &text, "it holds NUL, control or invisible characters");
            }
            Some(text) if text.is_empty() => self.refuse("CN", "", "it is empty"),
            Some(text) => self.common_names.push(text),
            None => {
                let shown = String::from_utf8_lossy(value.data).into_owned();
                self.refuse("CN", &shown, "its string type and its bytes do not agree");
            }
        }
    }

    fn add_general_name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(text) => match text_problem(text) {
                Some(why) => self.refuse("DNS", text, why),
                None => self.dns_names.push((*text).to_owned()),
            },
            GeneralName::URI(text) => {
                self.has_sip_domain_uri |= is_sip_domain_uri(text);
                match text_problem(text) {
                    Some(why) => self.refuse("URI", text, why),
                    None => self.uris.push((*text).to_owned()),
                }
            }
            GeneralName::IPAddress(octets) => match ip_address(octets) {
                Some(address) => self.ip_addresses.push(address),
                None => {
                    self.refuse("IP", &hex(octets), "an iPAddress has 4 or 16 octets");
                }
            },
            GeneralName::RFC822Name(text) => self.others.push(format!("mail {text:?}")),
            GeneralName::DirectoryName(name) => {
                self.others.push(format!("directory name \"{name}\""));
            }
            GeneralName::OtherName(oid, _) => {
                self.has_other_name = true;
                self.others.push(format!("otherName {oid}"));
            }
            GeneralName::RegisteredID(oid) => {
                self.others.push(format!("registered identifier {oid}"));
            }
            GeneralName::X400Address(_) => self.others.push("X.400 address".to_owned()),
            GeneralName::EDIPartyName(_) => self.others.push("EDI party name".to_owned()),
            GeneralName::Invalid(tag, octets) => {
                let field = match tag.0 {
                    2 => "DNS",
                    6 => "URI",
                    7 => "IP",
                    _ => "other name",
                };
                self.has_sip_domain_uri |=
                    tag.0 == 6 && is_sip_domain_uri(&String::from_utf8_lossy(octets));
                self.refuse(
                    field,
                    &String::from_utf8_lossy(octets),
                    "it is not well formed",
                );
            }
        }
    }

    fn refuse(&mut self, field: &'static str, text: &str, why: &'static str) {
        self.unusable.push(Unusable {
            field,
            shown: printable(text),
            why,
        });
    }
}

/// `[CN "a", DNS "b"]`, at most 16 names.
impl fmt::Display for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.presented())
    }
}

pub(crate) fn write_list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    const MAX_SHOWN: usize = 16;
    let mut left_out = 0_usize;
    f.write_str("[")?;
    for (index, item) in items.into_iter().enumerate() {
        if index >= MAX_SHOWN {
            left_out += 1;
            continue;
        }
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    if left_out > 0 {
        write!(f, ", and {left_out} more")?;
    }
    f.write_str("]")
}

/// `, not usable [CN "a\u{0}" (it holds NUL …)]`
pub(crate) fn write_unusable<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    unusable: &[T],
) -> fmt::Result {
    if unusable.is_empty() {
        return Ok(());
    }
    f.write_str(", not usable ")?;
    write_list(f, unusable)
}

/// Exactly one certificate, nothing behind it.
pub(crate) fn parse<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, UnreadableCertificate> {
    let bytes = certificate.as_ref();
    let (rest, parsed) =
        X509Certificate::from_der(bytes).map_err(|error| UnreadableCertificate::Malformed {
            bytes: bytes.len(),
            what: parser_words(&error),
        })?;
    if !rest.is_empty() {
        return Err(UnreadableCertificate::TrailingBytes {
            at: bytes.len() - rest.len(),
            bytes: rest.len(),
        });
    }
    Ok(parsed)
}

fn parser_words(error: &x509_parser::nom::Err<x509_parser::error::X509Error>) -> String {
    match error {
        x509_parser::nom::Err::Incomplete(_) => "cut off".to_owned(),
        x509_parser::nom::Err::Error(e) | x509_parser::nom::Err::Failure(e) => e.to_string(),
    }
}

/// `DirectoryString` of RFC 5280 §4.1.2.4, plus the types seen in old certificates.
fn directory_string(value: &Any<'_>) -> Option<String> {
    let bytes = value.data;
    match value.tag() {
        Tag::Utf8String => std::str::from_utf8(bytes).ok().map(str::to_owned),
        // TeletexString is T.61; only the part it shares with ASCII has one meaning everywhere.
        Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString
        | Tag::T61String => {
            let text = std::str::from_utf8(bytes).ok()?;
            text.is_ascii().then(|| text.to_owned())
        }
        Tag::BmpString => {
            let units = bytes.chunks_exact(2);
            if !units.remainder().is_empty() {
                return None;
            }
            // BMPString is UCS-2: a surrogate is no character of it.
            units
                .map(|pair| char::from_u32(u32::from(u16::from_be_bytes(pair.try_into().ok()?))))
                .collect()
        }
        Tag::UniversalString => {
            let units = bytes.chunks_exact(4);
            if !units.remainder().is_empty() {
                return None;
            }
            units
                .map(|four| char::from_u32(u32::from_be_bytes(four.try_into().ok()?)))
                .collect()
        }
        _ => None,
    }
}

/// dNSName and URI are IA5String (RFC 5280 §4.2.1.6).
fn text_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("it is empty")
    } else if !text.is_ascii() {
        Some("it is not ASCII")
    } else if text.chars().any(|c| !c.is_ascii_graphic()) {
        Some("it holds NUL, control or blank characters")
    } else {
        None
    }
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets
        .iter()
        .take(32)
        .fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        })
}
