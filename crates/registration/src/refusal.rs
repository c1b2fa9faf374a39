//! The one table of refusals: what goes on the wire, why, and what the operator does about it.
//!
//! The registrar writes answers from it; the client and whoever reads a trace search it backwards,
//! from status and Warning text to the cause.

use std::time::Duration;

use crate::cause::RegistrationFailure;

/// One reason why a registrar does not register a device.
///
/// The name says the reason; [`Refusal::entry`] says what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The request carried no token; it is challenged.
    TokenMissing,
    /// The request carried a token that is expired, unverifiable or not a token.
    TokenRejected,
    /// Nobody could say whether the token is good.
    TokenUnjudged,
    /// The token is genuine, but its user does not own the device.
    TokenOfAnotherUser,
    /// The REGISTER came to a port that does not fit cluster mode, profile and transport.
    OAuthPortMismatch,
    /// Another client is registered as this device.
    ActiveElsewhere,
    /// The certificate of the connection is missing or does not name the peer.
    TlsAuthentication,
    /// The device is not in the database.
    UnknownDevice,
    /// The device is another model than the database says.
    DeviceTypeMismatch,
    /// The security profile of the device contradicts itself.
    InvalidProfile,
    /// The line is not one of the device.
    LineMismatch,
    /// The Request-URI or To names a host this registrar does not serve.
    NotServed,
    /// The request breaks the grammar or lacks a mandatory header.
    Malformed,
    /// The request's URI scheme is not one of SIP.
    UnsupportedUriScheme,
    /// The request is of another SIP version.
    VersionNotSupported,
    /// The request requires an extension that is not implemented.
    BadExtension,
    /// `Contact: *` with another expiry than zero, or beside another Contact.
    WildcardMisuse,
    /// An older request than the one that made the binding.
    OutOfOrder,
    /// The expiry asked for is below the minimum.
    IntervalTooBrief,
    /// More bindings than the device or address-of-record may have.
    TooManyBindings,
    /// A CANCEL: no request waits for its answer.
    NothingToCancel,
    /// The method is known but not allowed here.
    MethodNotAllowed,
    /// The method is not known.
    MethodNotImplemented,
    /// The store of bindings did not answer, or the registrar is overloaded.
    Unavailable,
}

/// A row of the table.
///
/// `Warning` is written as `399 <node> "<warning>"`: the code is always 399.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalEntry {
    /// Which refusal this row is about.
    pub refusal: Refusal,
    /// The status code answered. Where Cisco does not publish it, this is our choice
    /// ([`RefusalEntry::published`]).
    pub status: u16,
    /// The reason phrase.
    pub phrase: &'static str,
    /// The Warning text, without code, agent and quotes.
    pub warning: Option<&'static str>,
    /// The `Retry-After` the answer carries.
    pub retry_after: Option<Duration>,
    /// The cause as the MIB numbers it.
    pub cause: RegistrationFailure,
    /// Whether status and text were seen in a published trace of the product. All other rows follow
    /// RFC 3261 where it rules, and are our choice where it does not.
    pub published: bool,
    /// What is wrong and what to do, for the operator.
    pub sentence: &'static str,
}

/// What a row has when nothing else is said.
const PLAIN: RefusalEntry = RefusalEntry {
    refusal: Refusal::Malformed,
    status: 400,
    phrase: "Bad Request",
    warning: None,
    retry_after: None,
    cause: RegistrationFailure::Unknown,
    published: false,
    sentence: "",
};

const TOKEN_MISSING: RefusalEntry = RefusalEntry {
    refusal: Refusal::TokenMissing,
    status: 407,
    phrase: "Proxy Authentication Required",
    cause: RegistrationFailure::NoError,
    published: true,
    sentence: "no token yet: the client answers the challenge with an access token",
    ..PLAIN
};
const TOKEN_REJECTED: RefusalEntry = RefusalEntry {
    refusal: Refusal::TokenRejected,
    status: 407,
    phrase: "Proxy Authentication Required",
    cause: RegistrationFailure::AuthenticationError,
    sentence: "the token was refused: the client obtains a new one; if every token is refused, compare the \
               authz keys of the nodes and restart Cisco CallManager after a regeneration",
    ..PLAIN
};
const TOKEN_UNJUDGED: RefusalEntry = RefusalEntry {
    refusal: Refusal::TokenUnjudged,
    status: 503,
    phrase: "Service Unavailable",
    retry_after: Some(Duration::from_secs(30)),
    cause: RegistrationFailure::AuthenticationError,
    sentence: "nobody could say whether the token is good: the authorization server or its keys are out of reach, \
               or nobody was told to ask; the client keeps its token and comes back",
    ..PLAIN
};
const TOKEN_OF_ANOTHER_USER: RefusalEntry = RefusalEntry {
    refusal: Refusal::TokenOfAnotherUser,
    status: 407,
    phrase: "Proxy Authentication Required",
    cause: RegistrationFailure::AuthenticationError,
    sentence: "the token belongs to a user who does not own the device: set Owner User ID of the device",
    ..PLAIN
};
const OAUTH_PORT_MISMATCH: RefusalEntry = RefusalEntry {
    refusal: Refusal::OAuthPortMismatch,
    status: 403,
    phrase: "Forbidden",
    warning: Some("SIP OAuth Registration port Mismatch"),
    retry_after: Some(Duration::from_secs(35)),
    cause: RegistrationFailure::SecurityMismatch,
    published: true,
    sentence: "the REGISTER came to the wrong port: enable the cluster's SIP OAuth mode, tick Enable OAuth \
               Authentication in the phone security profile, and use 5090 on premises, 5091 only for an \
               Expressway-C",
    ..PLAIN
};
const ACTIVE_ELSEWHERE: RefusalEntry = RefusalEntry {
    refusal: Refusal::ActiveElsewhere,
    status: 403,
    phrase: "Forbidden",
    warning: Some("Registration is active for another client"),
    cause: RegistrationFailure::AuthenticatedDeviceAlreadyExists,
    published: true,
    sentence: "the same device is in use elsewhere: sign out there, or register by force",
    ..PLAIN
};
const TLS_AUTHENTICATION: RefusalEntry = RefusalEntry {
    refusal: Refusal::TlsAuthentication,
    status: 403,
    phrase: "Forbidden",
    warning: Some("TLS authentication failure"),
    cause: RegistrationFailure::InvalidX509NameInCertificate,
    published: true,
    sentence: "the certificate of the connection is missing or names somebody else: enrol one, or use SIP OAuth",
    ..PLAIN
};
const UNKNOWN_DEVICE: RefusalEntry = RefusalEntry {
    refusal: Refusal::UnknownDevice,
    status: 404,
    phrase: "Not Found",
    cause: RegistrationFailure::NoEntryInDatabase,
    sentence: "no device of this name is configured: add it under Device > Phone",
    ..PLAIN
};
const DEVICE_TYPE_MISMATCH: RefusalEntry = RefusalEntry {
    refusal: Refusal::DeviceTypeMismatch,
    status: 403,
    phrase: "Forbidden",
    cause: RegistrationFailure::DeviceTypeMismatch,
    sentence: "the device says it is another model than configured: correct its type under Device > Phone",
    ..PLAIN
};
const INVALID_PROFILE: RefusalEntry = RefusalEntry {
    refusal: Refusal::InvalidProfile,
    status: 403,
    phrase: "Forbidden",
    cause: RegistrationFailure::DatabaseConfigurationError,
    sentence: "the phone security profile contradicts itself: SIP OAuth needs Encrypted and TLS, without digest \
               authentication and without TFTP Encrypted Config",
    ..PLAIN
};
const LINE_MISMATCH: RefusalEntry = RefusalEntry {
    refusal: Refusal::LineMismatch,
    status: 404,
    phrase: "Not Found",
    cause: RegistrationFailure::DirectoryNumberMismatch,
    sentence: "the line is not one of the device: add it, or have the client fetch its configuration again",
    ..PLAIN
};
const NOT_SERVED: RefusalEntry = RefusalEntry {
    refusal: Refusal::NotServed,
    status: 404,
    phrase: "Not Found",
    cause: RegistrationFailure::Unknown,
    sentence: "the request names a host this registrar does not serve: use a node name or a served domain",
    ..PLAIN
};
const MALFORMED: RefusalEntry = RefusalEntry {
    cause: RegistrationFailure::MalformedRegisterMsg,
    sentence: "the request breaks the grammar or lacks a mandatory header",
    ..PLAIN
};
const UNSUPPORTED_URI_SCHEME: RefusalEntry = RefusalEntry {
    refusal: Refusal::UnsupportedUriScheme,
    status: 416,
    phrase: "Unsupported URI Scheme",
    cause: RegistrationFailure::MalformedRegisterMsg,
    sentence: "only sip and sips URIs can be registered to",
    ..PLAIN
};
const VERSION_NOT_SUPPORTED: RefusalEntry = RefusalEntry {
    refusal: Refusal::VersionNotSupported,
    status: 505,
    phrase: "Version Not Supported",
    cause: RegistrationFailure::ObsoleteProtocolVersion,
    sentence: "the request is not of SIP/2.0",
    ..PLAIN
};
const BAD_EXTENSION: RefusalEntry = RefusalEntry {
    refusal: Refusal::BadExtension,
    status: 420,
    phrase: "Bad Extension",
    cause: RegistrationFailure::InvalidCapabilities,
    sentence: "the request requires an extension that is not implemented; Unsupported names it",
    ..PLAIN
};
const WILDCARD_MISUSE: RefusalEntry = RefusalEntry {
    refusal: Refusal::WildcardMisuse,
    cause: RegistrationFailure::MalformedRegisterMsg,
    sentence: "Contact: * is allowed only alone and with Expires: 0",
    ..PLAIN
};
const OUT_OF_ORDER: RefusalEntry = RefusalEntry {
    refusal: Refusal::OutOfOrder,
    status: 500,
    phrase: "Server Internal Error",
    cause: RegistrationFailure::RegistrationSequenceError,
    sentence: "a newer request of the same Call-ID was already processed: this one came late or twice",
    ..PLAIN
};
const INTERVAL_TOO_BRIEF: RefusalEntry = RefusalEntry {
    refusal: Refusal::IntervalTooBrief,
    status: 423,
    phrase: "Interval Too Brief",
    cause: RegistrationFailure::NoError,
    sentence: "the expiry asked for is below the registrar's minimum; Min-Expires names it",
    ..PLAIN
};
const TOO_MANY_BINDINGS: RefusalEntry = RefusalEntry {
    refusal: Refusal::TooManyBindings,
    status: 403,
    phrase: "Forbidden",
    cause: RegistrationFailure::MaxDevRegExceeded,
    sentence: "the address-of-record has as many bindings as it may: remove one first",
    ..PLAIN
};
const NOTHING_TO_CANCEL: RefusalEntry = RefusalEntry {
    refusal: Refusal::NothingToCancel,
    status: 481,
    phrase: "Call/Transaction Does Not Exist",
    sentence: "there is nothing to cancel: a registrar has answered every request before it looks at the next one",
    ..PLAIN
};
const METHOD_NOT_ALLOWED: RefusalEntry = RefusalEntry {
    refusal: Refusal::MethodNotAllowed,
    status: 405,
    phrase: "Method Not Allowed",
    cause: RegistrationFailure::NoError,
    sentence: "a registrar takes REGISTER and OPTIONS; Allow lists them",
    ..PLAIN
};
const METHOD_NOT_IMPLEMENTED: RefusalEntry = RefusalEntry {
    refusal: Refusal::MethodNotImplemented,
    status: 501,
    phrase: "Not Implemented",
    cause: RegistrationFailure::NoError,
    sentence: "the method is not known here",
    ..PLAIN
};
const UNAVAILABLE: RefusalEntry = RefusalEntry {
    refusal: Refusal::Unavailable,
    status: 503,
    phrase: "Service Unavailable",
    retry_after: Some(Duration::from_secs(30)),
    cause: RegistrationFailure::DatabaseTimeout,
    sentence: "the store of bindings did not answer or the node is overloaded: try again later",
    ..PLAIN
};

/// The whole table, published rows first.
static TABLE: [RefusalEntry; 24] = [
    TOKEN_MISSING,
    OAUTH_PORT_MISMATCH,
    ACTIVE_ELSEWHERE,
    TLS_AUTHENTICATION,
    TOKEN_REJECTED,
    TOKEN_UNJUDGED,
    TOKEN_OF_ANOTHER_USER,
    UNKNOWN_DEVICE,
    DEVICE_TYPE_MISMATCH,
    INVALID_PROFILE,
    LINE_MISMATCH,
    NOT_SERVED,
    MALFORMED,
    UNSUPPORTED_URI_SCHEME,
    VERSION_NOT_SUPPORTED,
    BAD_EXTENSION,
    WILDCARD_MISUSE,
    OUT_OF_ORDER,
    INTERVAL_TOO_BRIEF,
    TOO_MANY_BINDINGS,
    NOTHING_TO_CANCEL,
    METHOD_NOT_ALLOWED,
    METHOD_NOT_IMPLEMENTED,
    UNAVAILABLE,
];

impl Refusal {
    /// Its row of the table.
    ///
    /// ```
    /// use sip_oauth_registration::Refusal;
    ///
    /// let entry = Refusal::OAuthPortMismatch.entry();
    /// assert_eq!(entry.status, 403);
    /// assert_eq!(entry.warning, Some("SIP OAuth Registration port Mismatch"));
    /// assert_eq!(entry.retry_after.map(|wait| wait.as_secs()), Some(35));
    /// ```
    pub const fn entry(self) -> &'static RefusalEntry {
        match self {
            Self::TokenMissing => &TOKEN_MISSING,
            Self::TokenRejected => &TOKEN_REJECTED,
            Self::TokenUnjudged => &TOKEN_UNJUDGED,
            Self::TokenOfAnotherUser => &TOKEN_OF_ANOTHER_USER,
            Self::OAuthPortMismatch => &OAUTH_PORT_MISMATCH,
            Self::ActiveElsewhere => &ACTIVE_ELSEWHERE,
            Self::TlsAuthentication => &TLS_AUTHENTICATION,
            Self::UnknownDevice => &UNKNOWN_DEVICE,
            Self::DeviceTypeMismatch => &DEVICE_TYPE_MISMATCH,
            Self::InvalidProfile => &INVALID_PROFILE,
            Self::LineMismatch => &LINE_MISMATCH,
            Self::NotServed => &NOT_SERVED,
            Self::Malformed => &MALFORMED,
            Self::UnsupportedUriScheme => &UNSUPPORTED_URI_SCHEME,
            Self::VersionNotSupported => &VERSION_NOT_SUPPORTED,
            Self::BadExtension => &BAD_EXTENSION,
            Self::WildcardMisuse => &WILDCARD_MISUSE,
            Self::OutOfOrder => &OUT_OF_ORDER,
            Self::IntervalTooBrief => &INTERVAL_TOO_BRIEF,
            Self::TooManyBindings => &TOO_MANY_BINDINGS,
            Self::NothingToCancel => &NOTHING_TO_CANCEL,
            Self::MethodNotAllowed => &METHOD_NOT_ALLOWED,
            Self::MethodNotImplemented => &METHOD_NOT_IMPLEMENTED,
            Self::Unavailable => &UNAVAILABLE,
        }
    }

    /// The table read backwards: which refusals an answer with this status and Warning text may mean.
    ///
    /// A Warning text decides alone, whatever its letter case. Without one, every row of the status
    /// that has no text of its own remains.
    ///
    /// ```
    /// use sip_oauth_registration::Refusal;
    ///
    /// let mut found = Refusal::find(403, Some("sip oauth registration PORT mismatch"));
    /// assert_eq!(found.next().map(|entry| entry.refusal), Some(Refusal::OAuthPortMismatch));
    /// assert_eq!(found.next(), None);
    /// assert_eq!(Refusal::find(423, None).count(), 1);
    /// assert_eq!(Refusal::find(403, Some("something nobody documented")).count(), 0);
    /// ```
    pub fn find(status: u16, warning: Option<&str>) -> impl Iterator<Item = &'static RefusalEntry> {
        TABLE.iter().filter(move |entry| {
            entry.status == status
                && match (entry.warning, warning) {
                    (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs.trim()),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                }
        })
    }

    /// Every row, those seen in published traces first.
    pub fn table() -> &'static [RefusalEntry] {
        &TABLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_under_its_own_name() {
        for row in Refusal::table() {
            assert_eq!(row.refusal.entry(), row);
            assert!(!row.sentence.is_empty(), "{:?}", row.refusal);
        }
    }

    #[test]
    fn every_row_is_found_backwards() {
        for row in Refusal::table() {
            assert!(
                Refusal::find(row.status, row.warning).any(|found| found.refusal == row.refusal),
                "{:?}",
                row.refusal
            );
        }
    }

    #[test]
    fn a_warning_text_names_one_refusal() {
        for row in Refusal::table().iter().filter(|row| row.warning.is_some()) {
            assert_eq!(
                Refusal::find(row.status, row.warning).count(),
                1,
                "{:?}",
                row.refusal
            );
        }
    }
}
