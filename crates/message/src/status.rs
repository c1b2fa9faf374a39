//! Status codes and the phrases that go with them.

use std::fmt;

/// A status code, 100 to 999 (RFC 3261 section 7.2).
///
/// ```
/// use sip_oauth_message::StatusCode;
/// assert_eq!(StatusCode::new(407), Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED));
/// assert_eq!(StatusCode::OK.default_reason(), "OK");
/// assert_eq!(StatusCode::new(99), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

macro_rules! status_codes {
    ($($code:literal $name:ident $phrase:literal,)*) => {
        impl StatusCode {
            $(#[doc = concat!("`", stringify!($code), " ", $phrase, "`")]
            pub const $name: Self = Self($code);)*

            /// The phrase registered with IANA for this code; for another code what RFC 3261 section 21
            /// calls its class.
            pub const fn default_reason(self) -> &'static str {
                match self.0 {
                    $($code => $phrase,)*
                    100..=199 => "Provisional",
                    200..=299 => "Successful",
                    300..=399 => "Redirection",
                    400..=499 => "Request Failure",
                    500..=599 => "Server Failure",
                    _ => "Global Failure",
                }
            }
        }
    };
}

status_codes! {
    100 TRYING "Trying",
    180 RINGING "Ringing",
    181 CALL_IS_BEING_FORWARDED "Call Is Being Forwarded",
    182 QUEUED "Queued",
    183 SESSION_PROGRESS "Session Progress",
    199 EARLY_DIALOG_TERMINATED "Early Dialog Terminated",
    200 OK "OK",
    202 ACCEPTED "Accepted",
    204 NO_NOTIFICATION "No Notification",
    300 MULTIPLE_CHOICES "Multiple Choices",
    301 MOVED_PERMANENTLY "Moved Permanently",
    302 MOVED_TEMPORARILY "Moved Temporarily",
    305 USE_PROXY "Use Proxy",
    380 ALTERNATIVE_SERVICE "Alternative Service",
    400 BAD_REQUEST "Bad Request",
    401 UNAUTHORIZED "Unauthorized",
    402 PAYMENT_REQUIRED "Payment Required",
    403 FORBIDDEN "Forbidden",
    404 NOT_FOUND "Not Found",
    405 METHOD_NOT_ALLOWED "Method Not Allowed",
    406 NOT_ACCEPTABLE "Not Acceptable",
    407 PROXY_AUTHENTICATION_REQUIRED "Proxy Authentication Required",
    408 REQUEST_TIMEOUT "Request Timeout",
    410 GONE "Gone",
    412 CONDITIONAL_REQUEST_FAILED "Conditional Request Failed",
    413 REQUEST_ENTITY_TOO_LARGE "Request Entity Too Large",
    414 REQUEST_URI_TOO_LONG "Request-URI Too Long",
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type",
    416 UNSUPPORTED_URI_SCHEME "Unsupported URI Scheme",
    417 UNKNOWN_RESOURCE_PRIORITY "Unknown Resource-Priority",
    420 BAD_EXTENSION "Bad Extension",
    421 EXTENSION_REQUIRED "Extension Required",
    422 SESSION_INTERVAL_TOO_SMALL "Session Interval Too Small",
    423 INTERVAL_TOO_BRIEF "Interval Too Brief",
    424 BAD_LOCATION_INFORMATION "Bad Location Information",
    425 BAD_ALERT_MESSAGE "Bad Alert Message",
    428 USE_IDENTITY_HEADER "Use Identity Header",
    429 PROVIDE_REFERRER_IDENTITY "Provide Referrer Identity",
    430 FLOW_FAILED "Flow Failed",
    433 ANONYMITY_DISALLOWED "Anonymity Disallowed",
    436 BAD_IDENTITY_INFO "Bad Identity Info",
    437 UNSUPPORTED_CREDENTIAL "Unsupported Credential",
    438 INVALID_IDENTITY_HEADER "Invalid Identity Header",
    439 FIRST_HOP_LACKS_OUTBOUND_SUPPORT "First Hop Lacks Outbound Support",
    440 MAX_BREADTH_EXCEEDED "Max-Breadth Exceeded",
    469 BAD_INFO_PACKAGE "Bad Info Package",
    470 CONSENT_NEEDED "Consent Needed",
    480 TEMPORARILY_UNAVAILABLE "Temporarily Unavailable",
    481 CALL_DOES_NOT_EXIST "Call/Transaction Does Not Exist",
    482 LOOP_DETECTED "Loop Detected",
    483 TOO_MANY_HOPS "Too Many Hops",
    484 ADDRESS_INCOMPLETE "Address Incomplete",
    485 AMBIGUOUS "Ambiguous",
    486 BUSY_HERE "Busy Here",
    487 REQUEST_TERMINATED "Request Terminated",
    488 NOT_ACCEPTABLE_HERE "Not Acceptable Here",
    489 BAD_EVENT "Bad Event",
    491 REQUEST_PENDING "Request Pending",
    493 UNDECIPHERABLE "Undecipherable",
    494 SECURITY_AGREEMENT_REQUIRED "Security Agreement Required",
    500 SERVER_INTERNAL_ERROR "Server Internal Error",
    501 NOT_IMPLEMENTED "Not Implemented",
    502 BAD_GATEWAY "Bad Gateway",
    503 SERVICE_UNAVAILABLE "Service Unavailable",
    504 SERVER_TIMEOUT "Server Time-out",
    505 VERSION_NOT_SUPPORTED "Version Not Supported",
    513 MESSAGE_TOO_LARGE "Message Too Large",
    555 PUSH_NOTIFICATION_SERVICE_NOT_SUPPORTED "Push Notification Service Not Supported",
    580 PRECONDITION_FAILURE "Precondition Failure",
    600 BUSY_EVERYWHERE "Busy Everywhere",
    603 DECLINE "Decline",
    604 DOES_NOT_EXIST_ANYWHERE "Does Not Exist Anywhere",
    606 GLOBAL_NOT_ACCEPTABLE "Not Acceptable",
    607 UNWANTED "Unwanted",
    608 REJECTED "Rejected",
}

impl StatusCode {
    /// The code `number`, if it has three digits and does not start with 0.
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            100..=999 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// Whether this is 1xx: more follows.
    pub const fn is_provisional(self) -> bool {
        self.0 < 200
    }

    /// Whether this is 2xx.
    pub const fn is_success(self) -> bool {
        matches!(self.0, 200..=299)
    }

    /// Whether this is 3xx.
    pub const fn is_redirection(self) -> bool {
        matches!(self.0, 300..=399)
    }

    /// Whether this is 401 or 407: credentials are asked for.
    pub const fn is_challenge(self) -> bool {
        matches!(self.0, 401 | 407)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusCode({})", self.0)
    }
}
