//! Any request, and each as a type that knows its answer.

use crate::{
    answer::{Answer, Returned},
    call::{Call, Envelope, Reply},
    call_manager::{CallManager, GetCallManager, ListCallManager},
    codec::Parameters,
    element::Element,
    error::ReadError,
    expressway_c::{
        AddExpresswayCConfiguration, ExpresswayCConfiguration, GetExpresswayCConfiguration,
        ListExpresswayCConfiguration, RemoveExpresswayCConfiguration,
        UpdateExpresswayCConfiguration,
    },
    fault::Fault,
    limits::Limits,
    operation::Operation,
    sql::{ExecuteSqlQuery, SqlRows},
    version::Version,
    writer::Writer,
};

/// A request whose answer has a type of its own.
///
/// ```
/// use sip_oauth_axl::{AnswerError, Limits, ListExpresswayCConfiguration, Request, TypedRequest, Version};
///
/// let list = ListExpresswayCConfiguration::all();
/// let sent = Request::from(list).encode(Version::V14_0);
/// assert!(sent.body.contains("<HostNameOrIP>%</HostNameOrIP>"));
///
/// let received = br#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>
///   <n:listExpresswayCConfigurationResponse xmlns:n="http://www.cisco.com/AXL/API/14.0"><return>
///     <expresswayCConfiguration><HostNameOrIP>expc1.example.com</HostNameOrIP></expresswayCConfiguration>
///   </return></n:listExpresswayCConfigurationResponse></e:Body></e:Envelope>"#;
/// let rows = ListExpresswayCConfiguration::read_answer(received, &Limits::default())?;
/// assert_eq!(rows.len(), 1);
/// # Ok::<(), AnswerError>(())
/// ```
pub trait TypedRequest: Into<Request> + sealed::Sealed {
    /// The operation.
    const OPERATION: Operation;
    /// What a good answer holds.
    type Return;

    /// The operation's own value out of an answer of any kind.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Fault`] for a fault, [`AnswerError::OtherOperation`] for another answer.
    fn from_answer(answer: Answer) -> Result<Self::Return, AnswerError>;

    /// Reads an HTTP response's body as the answer to this operation.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Fault`] when the server refused, [`AnswerError::Read`] when the body is not an
    /// answer to this operation.
    fn read_answer(body: &[u8], limits: &Limits) -> Result<Self::Return, AnswerError> {
        Self::from_answer(Reply::decode(body, Self::OPERATION, limits)?.answer)
    }
}

/// Why there is no answer to go on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The server refused.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The answer could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The answer is another operation's.
    #[error("expected the answer to {expected}, found the answer to {found}")]
    OtherOperation {
        /// The operation that was asked.
        expected: Operation,
        /// The operation that was answered.
        found: Operation,
    },
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! requests {
    ($($name:ident -> $return:ty,)*) => {
        /// A request of any operation.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Request {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )*
        }

        impl Request {
            /// The operation.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$name(_) => Operation::$name,)*
                }
            }

            pub(crate) fn write(&self, writer: &mut Writer) {
                match self {
                    $(Self::$name(request) => request.write(writer),)*
                }
            }

            pub(crate) fn read(operation: Operation, element: Element<'_>) -> Result<Self, ReadError> {
                match operation {
                    $(Operation::$name => $name::read(element).map(Self::$name),)*
                }
            }
        }

        $(
            impl From<$name> for Request {
                fn from(request: $name) -> Self {
                    Self::$name(request)
                }
            }

            impl sealed::Sealed for $name {}

            impl TypedRequest for $name {
                const OPERATION: Operation = Operation::$name;
                type Return = $return;

                fn from_answer(answer: Answer) -> Result<$return, AnswerError> {
                    match (answer.operation(), answer) {
                        (_, Answer::$name(value)) => Ok(value),
                        (_, Answer::Fault(fault)) => Err(AnswerError::Fault(fault)),
                        (found, _) => Err(AnswerError::OtherOperation {
                            expected: Self::OPERATION,
                            // Only a fault answers no operation.
                            found: found.unwrap_or(Self::OPERATION),
                        }),
                    }
                }
            }
        )*
    };
}

requests! {
    AddExpresswayCConfiguration -> Returned,
    UpdateExpresswayCConfiguration -> Returned,
    GetExpresswayCConfiguration -> ExpresswayCConfiguration,
    ListExpresswayCConfiguration -> Vec<ExpresswayCConfiguration>,
    RemoveExpresswayCConfiguration -> Returned,
    GetCallManager -> CallManager,
    ListCallManager -> Vec<CallManager>,
    ExecuteSqlQuery -> SqlRows,
}

impl Request {
    /// Writes the request without a sequence number; [`Call`] carries one.
    pub fn encode(&self, version: Version) -> Envelope {
        crate::call::encode_request(version, None, self)
    }

    /// Reads the body of an HTTP request, and its `SOAPAction` header when it has one.
    ///
    /// # Errors
    ///
    /// See [`Call::decode`], which also gives version and sequence number.
    pub fn decode(
        body: &[u8],
        soap_action: Option<&str>,
        limits: &Limits,
    ) -> Result<Self, ReadError> {
        Call::decode(body, soap_action, limits).map(|call| call.request)
    }
}
