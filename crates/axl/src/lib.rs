//! The part of AXL that SIP OAuth needs: SOAP requests and answers as values.
//!
//! AXL is the SOAP 1.1 interface of Cisco Unified CM's configuration. Three of its objects bear on
//! SIP OAuth: the table of names Expressway-C may present at the MRA port
//! ([`ExpresswayCConfiguration`]), the ports of each node ([`CallManager`]) and the cluster's mode,
//! which is read with SQL ([`ClusterSipOAuthMode`]). Each request is a value both ends can write and
//! read, so that an Expressway-C and a Unified CM can be built from the same vocabulary:
//!
//! ```
//! use sip_oauth_axl::{Answer, Call, Limits, ListCallManager, Reply, TypedRequest, Version};
//!
//! // A client writes a request ...
//! let sent = Call::new(Version::V14_0, ListCallManager::all()).encode();
//! assert_eq!(sent.soap_action, "\"CUCM:DB ver=14.0 listCallManager\"");
//!
//! // ... a server reads it and answers ...
//! let call = Call::decode(sent.body.as_bytes(), Some(&sent.soap_action), &Limits::default())?;
//! let body = call.reply(Answer::ListCallManager(Vec::new())).encode();
//!
//! // ... and the client reads that, knowing from the request what it may be.
//! let nodes = ListCallManager::read_answer(body.as_bytes(), &Limits::default())?;
//! assert!(nodes.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here opens a socket: bodies go over HTTPS to port 8443 (`POST /axl/`, Basic
//! authentication), which is the caller's. [`push`] decides what an Expressway-C changes in the
//! table.
//!
//! # Reading
//!
//! A body is read within [`Limits`]; a document type, a processing instruction, an unknown entity
//! and mixed content are refused; no entity is expanded and nothing is fetched. Elements go by
//! their local names, whatever their prefix. A request with an element the schema does not have is
//! refused, an answer with one is not. Every [`ReadError`] names element and byte.
//!
//! # Writing
//!
//! Values are checked when they are made ([`HostNameOrIp`], [`Text`], [`ColumnName`]), so writing
//! cannot fail and what stands in a value cannot become markup.

mod answer;
mod call;
mod call_manager;
mod codec;
mod document;
mod element;
mod error;
mod expressway_c;
mod fault;
mod limits;
mod nullable;
mod operation;
pub mod push;
mod request;
mod sql;
mod tables;
mod text;
mod uuid;
mod version;
mod writer;

pub use answer::{Answer, Returned};
pub use call::{Call, Envelope, Reply};
pub use call_manager::{
    CallManager, CallManagerKey, CallManagerTag, CallManagerTags, GetCallManager, ListCallManager,
    MgcpPorts, Ports, ProcessNodeName, SipPorts,
};
pub use error::{Bound, ReadError, ReadErrorKind};
pub use expressway_c::{
    AddExpresswayCConfiguration, ExpresswayCConfiguration, ExpresswayCKey, ExpresswayCTag,
    ExpresswayCTags, GetExpresswayCConfiguration, ListExpresswayCConfiguration,
    RemoveExpresswayCConfiguration, UpdateExpresswayCConfiguration,
};
pub use fault::{AxlError, Fault, FaultCode};
pub use limits::Limits;
pub use nullable::Nullable;
pub use operation::{InvalidSoapAction, Operation, SoapAction};
pub use request::{AnswerError, Request, TypedRequest};
pub use sql::{ColumnName, ExecuteSqlQuery, KnownQuery, SqlColumn, SqlRow, SqlRows};
pub use tables::{ClusterSipOAuthMode, ExpresswayCColumns, SqlError};
pub use text::{Description, FieldError, HostNameOrIp, ObjectName, Prose, Text, X509Names};
pub use uuid::Uuid;
pub use version::{InvalidVersion, Version};
