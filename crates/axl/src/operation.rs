//! The operations spoken here, and the `SOAPAction` header that names one.

use std::{fmt, str::FromStr};

use crate::version::Version;

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// An AXL operation, by the name its request element has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[$doc])* $variant,)*
        }

        impl Operation {
            /// Every operation of this crate.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The request element's local name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The answer element's local name: the operation's with `Response` behind it.
            pub fn response_name(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($name, "Response"),)*
                }
            }
        }
    };
}

operations! {
    /// Adds a row to the table of allowed Expressway-C names.
    AddExpresswayCConfiguration = "addExpresswayCConfiguration",
    /// Changes a row.
    UpdateExpresswayCConfiguration = "updateExpresswayCConfiguration",
    /// Reads one row.
    GetExpresswayCConfiguration = "getExpresswayCConfiguration",
    /// Reads the rows that match.
    ListExpresswayCConfiguration = "listExpresswayCConfiguration",
    /// Removes a row.
    RemoveExpresswayCConfiguration = "removeExpresswayCConfiguration",
    /// Reads one Unified CM node and its ports.
    GetCallManager = "getCallManager",
    /// Reads the Unified CM nodes that match.
    ListCallManager = "listCallManager",
    /// Runs a query on the configuration database.
    ExecuteSqlQuery = "executeSQLQuery",
}

impl Operation {
    /// The operation with this request element, if it is one spoken here.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|operation| operation.name() == name)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The value of the HTTP header `SOAPAction`: `"CUCM:DB ver=14.0 getCallManager"`, quotes included.
///
/// Clients are known to leave the operation out; the version is always there.
///
/// ```
/// use sip_oauth_axl::{Operation, SoapAction, Version};
///
/// let action: SoapAction = "\"CUCM:DB ver=14.0 getCallManager\"".parse()?;
/// assert_eq!(action.version, Version::V14_0);
/// assert_eq!(action.operation, Some(Operation::GetCallManager));
/// assert_eq!(action.to_string(), "\"CUCM:DB ver=14.0 getCallManager\"");
/// # Ok::<(), sip_oauth_axl::InvalidSoapAction>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoapAction {
    /// The schema version the request is written in.
    pub version: Version,
    /// The operation, when it is named.
    pub operation: Option<Operation>,
}

impl fmt::Display for SoapAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"CUCM:DB ver={}", self.version)?;
        if let Some(operation) = self.operation {
            write!(f, " {operation}")?;
        }
        f.write_str("\"")
    }
}

/// Why a `SOAPAction` header was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSoapAction {
    /// It does not begin with `CUCM:DB ver=` and a version.
    #[error("SOAPAction: expected \"CUCM:DB ver=<version> <operation>\"")]
    Form,
    /// It names an operation that is not spoken here.
    #[error("SOAPAction: the operation is not one of this crate's")]
    UnknownOperation,
}

impl FromStr for SoapAction {
    type Err = InvalidSoapAction;

    fn from_str(text: &str) -> Result<Self, InvalidSoapAction> {
        let text = text.trim();
        let text = text
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .unwrap_or(text);
        let rest = text
            .trim()
            .strip_prefix("CUCM:DB ver=")
            .ok_or(InvalidSoapAction::Form)?;
        let mut words = rest.split_ascii_whitespace();
        let version = words
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or(InvalidSoapAction::Form)?;
        let operation = match words.next() {
            Some(name) => {
                Some(Operation::from_name(name).ok_or(InvalidSoapAction::UnknownOperation)?)
            }
            None => None,
        };
        if words.next().is_some() {
            return Err(InvalidSoapAction::Form);
        }
        Ok(Self { version, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_operation_are_optional_on_reading() {
        let plain = SoapAction {
            version: Version::V12_5,
            operation: None,
        };
        assert_eq!("CUCM:DB ver=12.5".parse(), Ok(plain));
        assert_eq!("\"CUCM:DB ver=12.5\"".parse(), Ok(plain));
        for operation in Operation::ALL {
            let action = SoapAction {
                version: Version::V15_0,
                operation: Some(*operation),
            };
            assert_eq!(action.to_string().parse(), Ok(action));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "\"\"",
            "CUCM:DB",
            "CUCM:DB ver=",
            "ver=14.0",
            "CUCM:DB ver=14.0 getCallManager x",
        ] {
            assert_eq!(
                bad.parse::<SoapAction>(),
                Err(InvalidSoapAction::Form),
                "{bad:?}"
            );
        }
        assert_eq!(
            "CUCM:DB ver=14.0 getPhone".parse::<SoapAction>(),
            Err(InvalidSoapAction::UnknownOperation)
        );
    }
}
