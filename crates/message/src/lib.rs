//! SIP messages for registration: borrowed views, typed headers, owned values, Bearer
//! credentials, stream framing.
//!
//! * [`MessageView`] borrows a message and says where its parts are; header fields become the
//!   types of [`header`] when they are asked for.
//! * [`Parser`] does the same with named leniencies; everything else is strict.
//! * [`Request`] and [`Response`] own a message, can be changed, and are written.
//! * [`Framer`] cuts a stream into messages.
//! * [`check`](mod@check) says which well-formed requests must be refused, and how.
//! * [`remotecc`] holds the bodies that Cisco devices and Unified CM exchange in a registration.
//!
//! # What may grow
//!
//! An enum whose list a registry, a vendor or this crate makes longer is `non_exhaustive`:
//! [`Method`], [`HeaderName`], [`header::Transport`], [`auth::AuthzServerSpelling`],
//! [`header::AlarmLoads`], [`remotecc::Feature`], [`Leniency`], [`ErrorKind`], [`FramingErrorKind`]
//! and [`check::Cause`]. What is in none of their variants today stands in `Other`, where they have it;
//! compare such a value by its text.
//!
//! The others are complete. Grammar lists the variants of [`StartLine`], [`Text`], [`header::Contact`],
//! [`header::Accept`], [`header::Rport`] and [`BearerForm`] (a token68 or a parameter, RFC 9110 section
//! 11.4), RFC 3261 section 18.3 and RFC 5626 section 3.5.1 those of [`Frame`]; [`Scheme`] has the ones
//! whose URIs are read in their parts, and all others. [`Challenge`] and
//! [`Credentials`] are Bearer, Digest and all others: whoever decides by them decides for each, so that
//! no new scheme slips in by a catch-all arm.
//!
//! [`Limits`], [`check::Element`] and [`check::Recipient`] may get further fields; end them with
//! `..Limits::default()`, `..Element::SERVER` and `..Recipient::default()`.
//!
//! ```
//! use sip_oauth_message::{header::From, HeaderName, Limits, MessageView, Response, StatusCode};
//!
//! let bytes = b"REGISTER sip:ucm.example.com SIP/2.0\r\n\
//!     Via: SIP/2.0/TLS 192.0.2.7:62162;branch=z9hG4bK1\r\n\
//!     From: <sip:1010@ucm.example.com>;tag=7\r\n\
//!     Content-Length: 0\r\n\r\n";
//! let view = MessageView::parse(bytes, &Limits::default())?;
//! assert_eq!(view.required::<From>()?.tag(), Some("7"));
//!
//! let mut response = Response::new(StatusCode::FORBIDDEN);
//! for name in [HeaderName::Via, HeaderName::From] {
//!     for field in view.fields_named(name) {
//!         response.headers.push_field(&field);
//!     }
//! }
//! assert!(response.to_bytes().starts_with(b"SIP/2.0 403 Forbidden\r\nVia: SIP/2.0/TLS"));
//! # Ok::<(), sip_oauth_message::ParseError>(())
//! ```

pub mod auth;
pub mod check;
mod error;
mod field;
mod framer;
mod grammar;
pub mod header;
mod headers;
mod leniency;
mod limits;
mod message;
mod method;
pub mod multipart;
mod name;
mod name_addr;
mod params;
pub mod remotecc;
mod scan;
mod start_line;
mod status;
mod text;
mod typed;
pub mod uri;
mod view;

pub use self::auth::{
    BearerChallenge, BearerCredentials, BearerForm, Challenge, Credentials, SecretValue,
};
pub use self::error::{ErrorKind, ParseError};
pub use self::field::HeaderField;
pub use self::framer::{Frame, Framer, FramingError, FramingErrorKind};
pub use self::headers::Headers;
pub use self::leniency::{Leniencies, Leniency, Parser, Reading};
pub use self::limits::Limits;
pub use self::message::{Request, Response};
pub use self::method::{Method, OtherMethod};
pub use self::name::{HeaderName, OtherName};
pub use self::name_addr::NameAddr;
pub use self::params::{Param, Params};
pub use self::start_line::{RequestLine, StartLine, StatusLine};
pub use self::status::StatusCode;
pub use self::text::Text;
pub use self::typed::TypedHeader;
pub use self::uri::{Host, Scheme, Uri};
pub use self::view::MessageView;
