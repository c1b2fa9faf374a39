//! The schema version an AXL conversation speaks.

use std::{fmt, str::FromStr};

/// What every AXL namespace begins with; the version follows.
pub(crate) const NAMESPACE_PREFIX: &str = "http://www.cisco.com/AXL/API/";

/// A version of the AXL schema, `major.minor`.
///
/// It appears twice in a request: in the `SOAPAction` header and at the end of the namespace. A
/// server answers any version up to its own.
///
/// ```
/// use sip_oauth_axl::Version;
///
/// let version: Version = "14.0".parse()?;
/// assert_eq!(version, Version::V14_0);
/// assert_eq!(version.namespace(), "http://www.cisco.com/AXL/API/14.0");
/// assert!(!"11.5".parse::<Version>()?.knows_expressway_c());
/// # Ok::<(), sip_oauth_axl::InvalidVersion>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u8,
    minor: u8,
}

impl Version {
    /// 12.5, the first with SIP OAuth ports and `ExpresswayCConfiguration`.
    pub const V12_5: Self = Self {
        major: 12,
        minor: 5,
    };
    /// 14.0.
    pub const V14_0: Self = Self {
        major: 14,
        minor: 0,
    };
    /// 15.0.
    pub const V15_0: Self = Self {
        major: 15,
        minor: 0,
    };

    /// The number before the point.
    pub fn major(self) -> u8 {
        self.major
    }

    /// The number after the point.
    pub fn minor(self) -> u8 {
        self.minor
    }

    /// The namespace of this version's elements.
    pub fn namespace(self) -> String {
        format!("{NAMESPACE_PREFIX}{self}")
    }

    /// Whether the schema has the `ExpresswayCConfiguration` operations and the SIP OAuth ports:
    /// 12.5 and later.
    pub fn knows_expressway_c(self) -> bool {
        self >= Self::V12_5
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text is not a schema version: expected `major.minor`, one or two digits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an AXL version such as 14.0 (one or two digits, a point, one or two digits)")]
pub struct InvalidVersion;

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let (major, minor) = text.split_once('.').ok_or(InvalidVersion)?;
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
        })
    }
}

/// One or two digits without a needless zero in front, so that text and value are one to one.
fn number(text: &str) -> Result<u8, InvalidVersion> {
    let canonical = matches!(text.as_bytes(), [b'0'..=b'9'] | [b'1'..=b'9', b'0'..=b'9']);
    if !canonical {
        return Err(InvalidVersion);
    }
    text.parse().map_err(|_| InvalidVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_a_version() {
        for good in ["12.5", "14.0", "15.0", "8.5", "0.0", "99.99"] {
            assert_eq!(
                good.parse::<Version>().map(|v| v.to_string()).as_deref(),
                Ok(good)
            );
        }
        for bad in [
            "", "14", "14.", ".0", "14.0.1", "014.0", "14.00", "+4.0", "14.0 ", "١٤.0", "140.0",
        ] {
            assert_eq!(bad.parse::<Version>(), Err(InvalidVersion), "{bad:?}");
        }
    }
}
