//! Named rules that compare a reference identity with the identities of a certificate.

use std::fmt;

use crate::dns_name::{TrailingDot, canonical};
use crate::identities::{write_list, write_unusable};
use crate::{Identities, PresentedName, ReferenceIdentity, Unusable};

/// How presented identities are compared with a reference identity.
///
/// ```no_run
/// # use sip_oauth_trust::{Identities, ReferenceIdentity, Rule};
/// # fn identities() -> Identities { unimplemented!() }
/// let reference: ReferenceIdentity = "cucm1.example.com".parse()?;
/// let matched = Rule::Rfc9525.matches(&reference, &identities())?;
/// assert_eq!(matched.presented.to_string(), "DNS \"cucm1.example.com\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Rule {
    /// RFC 9525 §6: DNS-ID (with a wildcard as the whole left-most label, §6.3) and IP-ID. The CN is
    /// never looked at.
    #[default]
    Rfc9525,
    /// RFC 5922 §7: the hosts of SIP URIs without a user part; only when there is none, even one whose host is no
    /// domain, the dNSName entries; only without any subjectAltName, the CN. Never a wildcard, never an IP address.
    Rfc5922,
}

/// Which presented identity matched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Matched {
    /// The rule that was applied.
    pub rule: Rule,
    /// The name of the certificate that matched.
    pub presented: PresentedName,
}

/// No presented identity matched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameMismatch {
    /// The rule that was applied.
    pub rule: Rule,
    /// What was expected.
    pub expected: ReferenceIdentity,
    /// The names the rule looked at, and no others.
    pub presented: Vec<PresentedName>,
    /// What stands in the fields the rule looks at and cannot be compared, with the cause.
    pub unusable: Vec<Unusable>,
}

impl fmt::Display for NameMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "certificate: expected identity \"{}\", presented ",
            self.expected
        )?;
        write_list(f, &self.presented)?;
        write_unusable(f, &self.unusable)?;
        write!(f, " ({})", self.rule)
    }
}

impl std::error::Error for NameMismatch {}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc9525 => "RFC 9525 §6",
            Self::Rfc5922 => "RFC 5922 §7",
        })
    }
}

impl Rule {
    /// Whether one of `identities` is `reference` under this rule.
    ///
    /// # Errors
    ///
    /// [`NameMismatch`] with what was expected and what was presented.
    pub fn matches(
        self,
        reference: &ReferenceIdentity,
        identities: &Identities,
    ) -> Result<Matched, NameMismatch> {
        let is_same = |name: &PresentedName| self.is_same(reference, name);
        let found = match self {
            // Most certificates match with their first name: no more of them is copied.
            Self::Rfc9525 => dns_and_ip(identities).find(is_same),
            Self::Rfc5922 => self.candidates(identities).into_iter().find(is_same),
        };
        match found {
            Some(presented) => Ok(Matched {
                rule: self,
                presented,
            }),
            None => Err(NameMismatch {
                rule: self,
                expected: reference.clone(),
                presented: self.candidates(identities),
                unusable: identities.unusable_of(self.fields(identities)),
            }),
        }
    }

    /// The presented identities this rule looks at.
    pub fn candidates(self, identities: &Identities) -> Vec<PresentedName> {
        match self {
            Self::Rfc9525 => dns_and_ip(identities).collect(),
            Self::Rfc5922 => {
                let uris: Vec<_> = identities
                    .uris()
                    .iter()
                    .filter(|uri| is_sip_domain_uri(uri))
                    .cloned()
                    .map(PresentedName::Uri)
                    .collect();
                // RFC 5922 §7.1: a dNSName counts "if and only if no other identity is found that matches the 'sip'
                // URI type": what is wrong with its host opens no other way.
                if identities.has_sip_domain_uri() {
                    uris
                } else if identities.has_subject_alt_name() {
                    dns(identities).collect()
                } else {
                    identities
                        .common_names()
                        .iter()
                        .cloned()
                        .map(PresentedName::CommonName)
                        .collect()
                }
            }
        }
    }

    /// The fields this rule looks at.
    fn fields(self, identities: &Identities) -> &'static [&'static str] {
        match self {
            Self::Rfc9525 => &["DNS", "IP"],
            Self::Rfc5922 if identities.has_sip_domain_uri() => &["URI"],
            Self::Rfc5922 if identities.has_subject_alt_name() => &["URI", "DNS"],
            Self::Rfc5922 => &["CN"],
        }
    }

    fn is_same(self, reference: &ReferenceIdentity, presented: &PresentedName) -> bool {
        match (self, reference, presented) {
            (Self::Rfc9525, ReferenceIdentity::Dns(expected), PresentedName::Dns(name)) => {
                dns_id_matches(expected.as_str(), name)
            }
            (Self::Rfc9525, ReferenceIdentity::Ip(expected), PresentedName::Ip(address)) => {
                expected == address
            }
            (Self::Rfc5922, ReferenceIdentity::Dns(expected), PresentedName::Uri(uri)) => {
                sip_domain(uri).is_some_and(|host| host == expected.as_str())
            }
            (
                Self::Rfc5922,
                ReferenceIdentity::Dns(expected),
                PresentedName::Dns(name) | PresentedName::CommonName(name),
            ) => {
                canonical(name, TrailingDot::Refused).is_some_and(|name| name == expected.as_str())
            }
            (Self::Rfc9525 | Self::Rfc5922, _, _) => false,
        }
    }
}

fn dns(identities: &Identities) -> impl Iterator<Item = PresentedName> + '_ {
    let names = identities.dns_names().iter();
    names.cloned().map(PresentedName::Dns)
}

/// What RFC 9525 §6 looks at.
fn dns_and_ip(identities: &Identities) -> impl Iterator<Item = PresentedName> + '_ {
    let addresses = identities.ip_addresses().iter();
    dns(identities).chain(addresses.copied().map(PresentedName::Ip))
}

/// Whether a URI is of the type that RFC 5922 §7.1 takes for a SIP domain identity: scheme `sip`, "no userinfo component
/// in the URI (there is no '@')".
pub(crate) fn is_sip_domain_uri(uri: &str) -> bool {
    uri.split_once(':')
        .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case("sip") && !rest.contains('@'))
}

/// The SIP domain a URI speaks for (RFC 5922 §7.1): scheme `sip`, no user part.
///
/// ```
/// assert_eq!(sip_oauth_trust::sip_domain("sip:Example.com").as_deref(), Some("example.com"));
/// assert_eq!(sip_oauth_trust::sip_domain("sip:alice@example.com"), None);
/// assert_eq!(sip_oauth_trust::sip_domain("sips:example.com"), None);
/// ```
pub fn sip_domain(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once(':').filter(|_| is_sip_domain_uri(uri))?;
    // "sip:" hostport uri-parameters [ headers ]: the certificate speaks for the host alone.
    let host = rest.split([';', '?']).next()?;
    let host = match host.split_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host,
    };
    canonical(host, TrailingDot::Refused)
}

/// The SIP domains a certificate speaks for (RFC 5922 §7.1), in canonical form.
///
/// A name that [`Rule::Rfc5922`] looks at but that is no domain (a wildcard, a host with a user part)
/// is not among them.
pub fn sip_domains(identities: &Identities) -> Vec<String> {
    Rule::Rfc5922
        .candidates(identities)
        .iter()
        .filter_map(|name| match name {
            PresentedName::Uri(uri) => sip_domain(uri),
            PresentedName::Dns(name) | PresentedName::CommonName(name) => {
                canonical(name, TrailingDot::Refused)
            }
            PresentedName::Ip(_) | PresentedName::Other(_) => None,
        })
        .collect()
}

/// DNS-ID of RFC 9525 §6.3; `expected` is in canonical form.
///
/// "the wildcard character … is the complete content of the left-most label": it stands for exactly one
/// label. At least two labels follow it, so that no certificate speaks for a whole top-level domain.
pub(crate) fn dns_id_matches(expected: &str, presented: &str) -> bool {
    let Some(suffix) = presented.strip_prefix("*.") else {
        return canonical(presented, TrailingDot::Refused).is_some_and(|name| name == expected);
    };
    let Some(suffix) = canonical(suffix, TrailingDot::Refused) else {
        return false;
    };
    suffix.contains('.')
        && expected
            .split_once('.')
            .is_some_and(|(_, parent)| parent == suffix)
}
