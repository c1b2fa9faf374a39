//! Faults: SOAP's envelope for an error, and AXL's detail in it.

use std::{fmt, str::FromStr};

use crate::{
    element::Element,
    error::ReadError,
    operation::Operation,
    text::{FieldError, ObjectName, Prose},
    writer::Writer,
};

pub(crate) const FAULT: &str = "Fault";

/// A SOAP 1.1 fault (section 4.4).
///
/// ```
/// use sip_oauth_axl::{Fault, Operation};
///
/// let fault = Fault::axl(5007, "Item not valid: The specified Expressway-C was not found", Operation::GetExpresswayCConfiguration);
/// assert_eq!(
///     fault.to_string(),
///     "AXL fault 5007 for getExpresswayCConfiguration: Item not valid: The specified Expressway-C was not found"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `faultcode`: who is to blame.
    pub code: FaultCode,
    /// `faultstring`: the sentence for people.
    pub message: Prose,
    /// `detail/axlError`, when AXL itself refused.
    pub detail: Option<AxlError>,
}

/// `axlError`: what AXL says about the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxlError {
    /// `axlcode`.
    pub axlcode: i32,
    /// `axlmessage`.
    pub axlmessage: Prose,
    /// `request`: the operation that was refused, as its element was named.
    pub request: Prose,
}

/// `faultcode`, without its prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultCode {
    /// The message was good, the server could not do it.
    Server,
    /// The message was at fault.
    Client,
    /// The envelope is of another SOAP version.
    VersionMismatch,
    /// A header that had to be understood was not.
    MustUnderstand,
    /// Another code.
    Other(ObjectName),
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "soapenv:Server",
            Self::Client => "soapenv:Client",
            Self::VersionMismatch => "soapenv:VersionMismatch",
            Self::MustUnderstand => "soapenv:MustUnderstand",
            Self::Other(code) => code.as_str(),
        })
    }
}

impl FromStr for FaultCode {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        Ok(
            match text.rsplit_once(':').map_or(text, |(_, local)| local) {
                "Server" => Self::Server,
                "Client" => Self::Client,
                "VersionMismatch" => Self::VersionMismatch,
                "MustUnderstand" => Self::MustUnderstand,
                _ => Self::Other(ObjectName::new(text)?),
            },
        )
    }
}

impl Fault {
    /// The fault of a server that could not do what it was asked. What a message cannot carry is
    /// replaced or cut.
    pub fn axl(axlcode: i32, message: &str, operation: Operation) -> Self {
        let message = Prose::lossy(message);
        Self {
            code: FaultCode::Server,
            message: message.clone(),
            detail: Some(AxlError {
                axlcode,
                axlmessage: message,
                request: Prose::lossy(operation.name()),
            }),
        }
    }

    /// The fault that answers a request that could not be read.
    pub fn unreadable(error: &ReadError) -> Self {
        Self {
            code: FaultCode::Client,
            message: Prose::lossy(&error.to_string()),
            detail: None,
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.element("soapenv:Fault", &[], |w| {
            w.value("faultcode", &self.code);
            w.value("faultstring", &self.message);
            let Some(detail) = &self.detail else { return };
            w.element("detail", &[], |w| {
                w.element("axlError", &[], |w| {
                    w.value("axlcode", &detail.axlcode);
                    w.value("axlmessage", &detail.axlmessage);
                    w.value("request", &detail.request);
                });
            });
        });
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, ReadError> {
        let axl_error = match element.child("detail")? {
            Some(detail) => detail.child("axlError")?,
            None => None,
        };
        Ok(Self {
            code: element.required("faultcode")?.value()?,
            message: element.required("faultstring")?.value()?,
            detail: axl_error.map(AxlError::read).transpose()?,
        })
    }
}

impl AxlError {
    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            axlcode: element.required("axlcode")?.number("a 32-bit integer")?,
            axlmessage: element.required("axlmessage")?.value()?,
            request: element.required("request")?.value()?,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(
                f,
                "AXL fault {} for {}: {}",
                detail.axlcode,
                detail.request.as_str().escape_debug(),
                detail.axlmessage.as_str().escape_debug()
            ),
            None => write!(
                f,
                "SOAP fault {}: {}",
                self.code.to_string().escape_debug(),
                self.message.as_str().escape_debug()
            ),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_by_their_local_name() {
        for text in [
            "soapenv:Server",
            "SOAP-ENV:Server",
            "Server",
            " env:Server ",
        ] {
            assert_eq!(text.parse(), Ok(FaultCode::Server), "{text:?}");
        }
        let other: FaultCode = "axis:Busy".parse().unwrap();
        assert_eq!(other.to_string(), "axis:Busy");
    }

    #[test]
    fn a_message_cannot_break_the_line_it_is_logged_on() {
        let fault = Fault::axl(1, "one\ntwo", Operation::GetCallManager);
        assert_eq!(
            fault.to_string(),
            "AXL fault 1 for getCallManager: one\\ntwo"
        );
    }
}
