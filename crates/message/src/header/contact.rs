//! Contact.

use std::borrow::Cow;
use std::fmt;

use crate::grammar::{Parsed, digits, element};
use crate::name_addr::{NameAddr, name_addr};
use crate::{HeaderName, Params, ParseError, Text, TypedHeader, Uri};

/// Where somebody can be reached (RFC 3261 section 20.10).
///
/// ```text
/// Contact       = ("Contact" / "m" ) HCOLON ( STAR / (contact-param *(COMMA contact-param)))
/// contact-param = (name-addr / addr-spec) *(SEMI contact-params)
/// ```
///
/// ```
/// use sip_oauth_message::{header::Contact, TypedHeader};
/// let contact = Contact::parse(concat!(
///     "<sip:4f6d2c18@192.0.2.7:62162;transport=tls>",
///     r#";+sip.instance="<urn:uuid:00000000-0000-0000-0000-005056000001>""#,
///     r#";+u.sip!devicename.ccm.cisco.com="CSFrado";+u.sip!model.ccm.cisco.com="503";video"#,
/// ))?;
/// let instance = contact.instance();
/// assert_eq!(instance.as_deref(), Some("urn:uuid:00000000-0000-0000-0000-005056000001"));
/// assert_eq!(contact.device_name().as_deref(), Some("CSFrado"));
/// assert_eq!(contact.model().as_deref(), Some("503"));
/// assert_eq!(contact.expires(), None);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact<'a> {
    /// One address.
    Addr(NameAddr<'a>),
    /// `*`: all of them, in a REGISTER with `Expires: 0`.
    Star,
}

impl<'a> Contact<'a> {
    /// The address, unless this is `*`.
    pub const fn address(&self) -> Option<NameAddr<'a>> {
        match self {
            Self::Addr(address) => Some(*address),
            Self::Star => None,
        }
    }

    /// The URI, unless this is `*`.
    pub fn uri(&self) -> Option<Uri<'a>> {
        match self {
            Self::Addr(address) => Some(address.uri()),
            Self::Star => None,
        }
    }

    /// The display name, if there is one that is not empty.
    pub fn display_name(&self) -> Option<Text<'a>> {
        self.address()?.display_name()
    }

    /// The parameters behind the URI.
    pub fn params(&self) -> Params<'a> {
        match self {
            Self::Addr(address) => address.params(),
            Self::Star => Params::EMPTY,
        }
    }

    /// The `expires` parameter in seconds. "Malformed values SHOULD be treated as equivalent to
    /// 3600."
    pub fn expires(&self) -> Option<u32> {
        let seconds = match self.params().get("expires")?.value {
            Some(Text::Token(seconds)) => digits(seconds),
            _ => None,
        };
        Some(seconds.unwrap_or(3600))
    }

    /// The `q` parameter, if it is well formed.
    pub fn q(&self) -> Option<QValue> {
        QValue::parse(self.params().token("q")?)
    }

    /// The URN in `+sip.instance`, without its brackets (RFC 5626 section 4.1).
    pub fn instance(&self) -> Option<Cow<'a, str>> {
        fn inner(value: &str) -> &str {
            let inner = value.strip_prefix('<').and_then(|v| v.strip_suffix('>'));
            inner.unwrap_or(value)
        }
        Some(match self.params().text("+sip.instance")? {
            Cow::Borrowed(value) => Cow::Borrowed(inner(value)),
            Cow::Owned(value) => Cow::Owned(inner(&value).to_owned()),
        })
    }

    /// The value of a Cisco feature parameter: `+u.sip!<feature>.ccm.cisco.com`, or the older
    /// spelling `+u.sip!<feature>.ccm.features.cisco.com`.
    pub fn cisco_feature(&self, feature: &str) -> Option<Cow<'a, str>> {
        const PREFIX: &str = "+u.sip!";
        const SUFFIXES: [&str; 2] = [".ccm.cisco.com", ".ccm.features.cisco.com"];
        let is_it = |name: &str| {
            let Some(rest) = name.len().checked_sub(PREFIX.len() + feature.len()) else {
                return false;
            };
            let Some(suffix) = SUFFIXES.iter().find(|suffix| suffix.len() == rest) else {
                return false;
            };
            let (prefix, rest) = name.as_bytes().split_at(PREFIX.len());
            let (found, rest) = rest.split_at(feature.len());
            prefix.eq_ignore_ascii_case(PREFIX.as_bytes())
                && found.eq_ignore_ascii_case(feature.as_bytes())
                && rest.eq_ignore_ascii_case(suffix.as_bytes())
        };
        let param = self.params().iter().find(|param| is_it(param.name))?;
        param.value.map(|value| value.to_str())
    }

    /// The device name, such as `CSFRADO`.
    pub fn device_name(&self) -> Option<Cow<'a, str>> {
        self.cisco_feature("devicename")
    }

    /// The model number, such as `503`.
    pub fn model(&self) -> Option<Cow<'a, str>> {
        self.cisco_feature("model")
    }
}

impl<'a> TypedHeader<'a> for Contact<'a> {
    const NAME: HeaderName<'static> = HeaderName::Contact;

    #[inline]
    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        element(value, Self::NAME, contact)
    }
}

fn contact(input: &str) -> Parsed<'_, Contact<'_>> {
    if let Some("") = input.strip_prefix('*').map(crate::grammar::skip_lws) {
        return Ok(("", Contact::Star));
    }
    let (rest, address) = name_addr(input)?;
    Ok((rest, Contact::Addr(address)))
}

impl fmt::Display for Contact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addr(address) => address.fmt(f),
            Self::Star => f.write_str("*"),
        }
    }
}

/// How much somebody is preferred, 0 to 1 in thousandths.
///
/// `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QValue(u16);

impl QValue {
    /// Not at all.
    pub const ZERO: Self = Self(0);
    /// What is meant where there is no `q`.
    pub const ONE: Self = Self(1000);

    /// Reads a qvalue.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if !matches!(whole, "0" | "1") || fraction.len() > 3 {
            return None;
        }
        let mut thousandths = if whole == "1" { 1000 } else { 0 };
        for (digit, weight) in fraction.bytes().zip([100, 10, 1]) {
            thousandths += u16::from(digit.checked_sub(b'0').filter(|d| *d < 10)?) * weight;
        }
        (thousandths <= 1000).then_some(Self(thousandths))
    }

    /// In thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }
}
