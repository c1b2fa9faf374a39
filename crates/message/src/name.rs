//! Header field names: known ones, their compact forms, and everything else as written.

use std::fmt;
use std::hash::{Hash, Hasher};

macro_rules! header_names {
    ($($variant:ident $text:literal $($compact:literal)?,)*) => {
        /// The name of a header field (RFC 3261 sections 7.3.1 and 20).
        ///
        /// Names are case-insensitive, and a compact form is the same name.
        ///
        /// ```
        /// use sip_oauth_message::HeaderName;
        /// assert_eq!(HeaderName::of("CALL-id"), HeaderName::CallId);
        /// assert_eq!(HeaderName::of("i"), HeaderName::CallId);
        /// assert_eq!(HeaderName::of("X-Own"), HeaderName::Other("x-own"));
        /// ```
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each variant is the header field of that name")]
        pub enum HeaderName<'a> {
            $($variant,)*
            /// Any other name, as written.
            Other(&'a str),
        }

        #[derive(Clone, Copy)]
        #[repr(u8)]
        enum Code { $($variant,)* Count }

        const KNOWN: [HeaderName<'static>; Code::Count as usize] = [$(HeaderName::$variant,)*];

        const ENTRIES: [(&[u8], u8); Code::Count as usize] =
            [$(($text.as_bytes(), Code::$variant as u8),)*];

        impl<'a> HeaderName<'a> {
            /// The name in its usual spelling; an unknown one as written.
            pub const fn as_str(&self) -> &'a str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// The one-letter form, where the name has one.
            pub const fn compact(&self) -> Option<&'static str> {
                match self {
                    $($(Self::$variant => Some($compact),)?)*
                    _ => None,
                }
            }

            pub(crate) const fn code(&self) -> u8 {
                match self {
                    $(Self::$variant => Code::$variant as u8,)*
                    Self::Other(_) => OTHER,
                }
            }

            fn code_of_letter(letter: u8) -> u8 {
                $($(if $compact.as_bytes() == [letter] { return Code::$variant as u8; })?)*
                OTHER
            }
        }
    };
}

header_names! {
    Accept "Accept",
    AcceptContact "Accept-Contact" "a",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AlertInfo "Alert-Info",
    Allow "Allow",
    AllowEvents "Allow-Events" "u",
    AuthenticationInfo "Authentication-Info",
    Authorization "Authorization",
    CallId "Call-ID" "i",
    CallInfo "Call-Info",
    Contact "Contact" "m",
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding" "e",
    ContentId "Content-ID",
    ContentLanguage "Content-Language",
    ContentLength "Content-Length" "l",
    ContentType "Content-Type" "c",
    CSeq "CSeq",
    Date "Date",
    ErrorInfo "Error-Info",
    Event "Event" "o",
    Expires "Expires",
    FlowTimer "Flow-Timer",
    From "From" "f",
    InReplyTo "In-Reply-To",
    MaxForwards "Max-Forwards",
    MimeVersion "MIME-Version",
    MinExpires "Min-Expires",
    Organization "Organization",
    Path "Path",
    Priority "Priority",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    Reason "Reason",
    RecordRoute "Record-Route",
    ReferTo "Refer-To" "r",
    ReferredBy "Referred-By" "b",
    RejectContact "Reject-Contact" "j",
    ReplyTo "Reply-To",
    RequestDisposition "Request-Disposition" "d",
    Require "Require",
    RetryAfter "Retry-After",
    Route "Route",
    Server "Server",
    ServiceRoute "Service-Route",
    SessionExpires "Session-Expires" "x",
    SessionId "Session-ID",
    Subject "Subject" "s",
    Supported "Supported" "k",
    Timestamp "Timestamp",
    To "To" "t",
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    Via "Via" "v",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
}

/// The code of names that are not in the table.
pub(crate) const OTHER: u8 = u8::MAX;

const LONGEST: usize = 19;

/// Where the entries of each length begin in `BY_LENGTH`.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const STARTS: [u8; LONGEST + 2] = {
    let mut starts = [0_u8; LONGEST + 2];
    let mut length = 0;
    let mut count = 0_u8;
    while length <= LONGEST {
        starts[length] = count;
        let mut entry = 0;
        while entry < ENTRIES.len() {
            if ENTRIES[entry].0.len() == length {
                count += 1;
            }
            entry += 1;
        }
        length += 1;
    }
    assert!(count as usize == ENTRIES.len(), "LONGEST is too short");
    starts[length] = count;
    starts
};

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const BY_LENGTH: [(&[u8], u8); ENTRIES.len()] = {
    let mut sorted = ENTRIES;
    let mut length = 0;
    let mut at = 0;
    while length <= LONGEST {
        let mut entry = 0;
        while entry < ENTRIES.len() {
            if ENTRIES[entry].0.len() == length {
                sorted[at] = ENTRIES[entry];
                at += 1;
            }
            entry += 1;
        }
        length += 1;
    }
    sorted
};

/// The code of a name, by length, first letter, then the whole; most names are in their usual
/// spelling.
pub(crate) fn code_of(name: &[u8]) -> u8 {
    if let [letter] = name {
        return HeaderName::code_of_letter(letter.to_ascii_lowercase());
    }
    let bounds = (STARTS.get(name.len()), STARTS.get(name.len() + 1));
    let (Some(&from), Some(&to)) = bounds else {
        return OTHER;
    };
    let candidates = BY_LENGTH.get(usize::from(from)..usize::from(to));
    let first = name.first().map(u8::to_ascii_lowercase);
    for (text, code) in candidates.unwrap_or_default() {
        if text.first().map(u8::to_ascii_lowercase) == first
            && (*text == name || text.eq_ignore_ascii_case(name))
        {
            return *code;
        }
    }
    OTHER
}

impl<'a> HeaderName<'a> {
    /// The name that `text` is a spelling of.
    pub fn of(text: &'a str) -> Self {
        Self::from_code(code_of(text.as_bytes()), text)
    }

    /// The name with this code, `text` where it is an unknown one.
    pub(crate) fn from_code(code: u8, text: &'a str) -> Self {
        match KNOWN.get(usize::from(code)) {
            Some(&known) => known,
            None => Self::Other(text),
        }
    }

    /// Whether values of this field are credentials and must not be printed.
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::Authorization | Self::ProxyAuthorization)
    }
}

impl PartialEq<HeaderName<'_>> for HeaderName<'_> {
    fn eq(&self, other: &HeaderName<'_>) -> bool {
        match (self, other) {
            (Self::Other(one), HeaderName::Other(two)) => one.eq_ignore_ascii_case(two),
            _ => self.code() == other.code(),
        }
    }
}

impl Eq for HeaderName<'_> {}

impl Hash for HeaderName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_str().bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(OTHER);
    }
}

impl fmt::Display for HeaderName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
