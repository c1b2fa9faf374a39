//! What is read although the grammar forbids it, where somebody asks for that.

mod lines;
mod parser;
mod values;

use std::fmt;

pub use self::parser::{Parser, Reading};

/// One rule of the grammar that a reader may relax.
///
/// This crate is strict by default. A leniency is allowed by name, in a [`Parser`] or with
/// [`Framer::with_leniencies`](crate::Framer::with_leniencies), and the reading says whether it was
/// needed. What is not here is not offered: a closing quote that is missing, or a
/// line without a colon, leaves open what the sender meant.
///
/// A few things beyond the grammar of RFC 3261 section 25.1 are always read, because a later standard or every product
/// wants them and nobody can take them for anything else:
///
/// | what | although | because |
/// |---|---|---|
/// | an IPv6 address without brackets in `received` and other parameters | `via-received` has an `IPv6address`, which is bracketed elsewhere | RFC 5118 section 4.5 |
/// | no blank before the bracket behind a display name | `display-name = *(token LWS)` | RFC 4475 section 3.1.1.6 |
/// | an underscore in a host name | `domainlabel` has none | nodes of Unified CM are called so; RFC 2181 section 11 |
/// | a last label of a host name that begins with a digit, if it is no number | `toplabel` begins with a letter | names of containers; RFC 1123 section 2.1 |
/// | any text in User-Agent and Server | `server-val = product / comment` | products write what they like, and nothing depends on it |
/// | base64 without quotes in a parameter of a challenge or of credentials | `auth-param-value = token / quoted-string` | RFC 7235 section 2.1 has it as `token68` |
///
/// ```
/// use sip_oauth_message::Leniency;
/// assert_eq!(Leniency::BareLineFeed.section(), "RFC 3261 section 7");
/// assert!(Leniency::BareLineFeed.rule().contains("MUST be terminated by a carriage-return"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Leniency {
    /// Lines of the head may end with LF alone.
    BareLineFeed,
    /// Line ends before the start line of a datagram are passed over.
    LeadingLineEnds,
    /// Several spaces or tabs may stand between the elements of a start line and at its ends.
    SpacesInStartLine,
    /// A Request-URI may stand in angle brackets, which are taken off.
    BracketedRequestUri,
    /// A status line may end behind the status code.
    NoReasonPhrase,
    /// A line of the head that is not UTF-8 is read as ISO 8859-1.
    Latin1,
    /// A control character where none may stand, in the reason phrase or the value of a header
    /// field, is read as a space.
    ControlCharacters,
    /// White space inside a URI is taken out where its ends are clear: in the Request-URI and
    /// in angle brackets.
    WhiteSpaceInUri,
    /// A semicolon that no parameter follows is passed over.
    EmptyParameter,
    /// A comma that no value precedes or follows is passed over.
    EmptyElement,
    /// An address without brackets may have a question mark, or stand in Route, Record-Route, Path or Service-Route;
    /// brackets are put around it. What follows the first semicolon are parameters of the field.
    UnbracketedUri,
    /// A display name may have any character but quotes and brackets; quotes are put around it.
    UnquotedDisplayName,
    /// A comment in parentheses behind a Via, as in RFC 2543, is taken out.
    ViaComment,
    /// A message on a stream without Content-Length has no body.
    NoContentLength,
}

use Leniency::{
    BareLineFeed, BracketedRequestUri, ControlCharacters, EmptyElement, EmptyParameter, Latin1,
    LeadingLineEnds, NoContentLength, NoReasonPhrase, SpacesInStartLine, UnbracketedUri,
    UnquotedDisplayName, ViaComment, WhiteSpaceInUri,
};

impl Leniency {
    /// All there are.
    pub const ALL: &'static [Self] = &[
        BareLineFeed,
        LeadingLineEnds,
        SpacesInStartLine,
        BracketedRequestUri,
        NoReasonPhrase,
        Latin1,
        ControlCharacters,
        WhiteSpaceInUri,
        EmptyParameter,
        EmptyElement,
        UnbracketedUri,
        UnquotedDisplayName,
        ViaComment,
        NoContentLength,
    ];

    /// Where the rule stands that is relaxed.
    pub const fn section(self) -> &'static str {
        match self {
            BareLineFeed | Latin1 => "RFC 3261 section 7",
            LeadingLineEnds => "RFC 3261 section 7.5",
            SpacesInStartLine | BracketedRequestUri => "RFC 3261 section 7.1",
            NoReasonPhrase => "RFC 3261 section 7.2",
            WhiteSpaceInUri => "RFC 3261 section 19.1.1",
            EmptyElement => "RFC 3261 section 7.3.1",
            ControlCharacters | EmptyParameter | UnquotedDisplayName | ViaComment => {
                "RFC 3261 section 25.1"
            }
            UnbracketedUri => "RFC 3261 section 20",
            NoContentLength => "RFC 3261 section 20.14",
        }
    }

    /// The rule that is relaxed, in its own words.
    pub const fn rule(self) -> &'static str {
        match self {
            BareLineFeed => {
                "The start-line, each message-header line, and the empty line MUST be terminated \
                 by a carriage-return line-feed sequence (CRLF)."
            }
            LeadingLineEnds => {
                "Implementations processing SIP messages over stream-oriented transports MUST \
                 ignore any CRLF appearing before the start-line."
            }
            SpacesInStartLine => {
                "A Request-Line contains a method name, a Request-URI, and the protocol version \
                 separated by a single space (SP) character."
            }
            BracketedRequestUri => {
                "The Request-URI MUST NOT contain unescaped spaces or control characters and MUST \
                 NOT be enclosed in \"<>\"."
            }
            NoReasonPhrase => "Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF",
            Latin1 => "SIP is a text-based protocol and uses the UTF-8 charset.",
            ControlCharacters => {
                "TEXT-UTF8char = %x21-7E / UTF8-NONASCII, qdtext = LWS / %x21 / %x23-5B / %x5D-7E \
                 / UTF8-NONASCII"
            }
            WhiteSpaceInUri => {
                "SIP-URI = \"sip:\" [ userinfo ] hostport uri-parameters [ headers ]"
            }
            EmptyParameter => "contact-param = (name-addr / addr-spec) *(SEMI contact-params)",
            EmptyElement => "header = \"header-name\" HCOLON header-value *(COMMA header-value)",
            UnbracketedUri => {
                "If the URI contains a comma, question mark or semicolon, the URI MUST be enclosed \
                 in angle brackets (< and >)."
            }
            UnquotedDisplayName => "display-name = *(token LWS)/ quoted-string",
            ViaComment => "via-parm = sent-protocol LWS sent-by *( SEMI via-params )",
            NoContentLength => {
                "If a stream-based protocol (such as TCP) is used as transport, the header field \
                 MUST be used."
            }
        }
    }

    /// Whether it is about the value of a header field, so that values must be looked at.
    const fn is_about_values(self) -> bool {
        matches!(
            self,
            WhiteSpaceInUri
                | EmptyParameter
                | EmptyElement
                | UnbracketedUri
                | UnquotedDisplayName
                | ViaComment
        )
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.section(), self.rule())
    }
}

/// A set of leniencies; none by default.
///
/// ```
/// use sip_oauth_message::{Leniencies, Leniency};
/// let set = Leniencies::NONE.with(Leniency::EmptyParameter);
/// assert!(set.contains(Leniency::EmptyParameter));
/// assert_eq!(set.iter().count(), 1);
/// assert!(Leniencies::default().is_empty());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Leniencies(u16);

impl Leniencies {
    /// No leniency: the grammar as it is written.
    pub const NONE: Self = Self(0);
    /// Every leniency there is. For tools that show what can be shown, not for servers.
    pub const ALL: Self = Self((1 << Leniency::ALL.len()) - 1);

    /// The set with one leniency more.
    #[must_use]
    pub const fn with(self, leniency: Leniency) -> Self {
        Self(self.0 | 1 << leniency as u16)
    }

    /// The set without one leniency.
    #[must_use]
    pub const fn without(self, leniency: Leniency) -> Self {
        Self(self.0 & !(1 << leniency as u16))
    }

    /// Whether the leniency is in the set.
    pub const fn contains(self, leniency: Leniency) -> bool {
        self.0 & 1 << leniency as u16 != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The leniencies in the set.
    pub fn iter(self) -> impl Iterator<Item = Leniency> {
        let all = Leniency::ALL.iter().copied();
        all.filter(move |leniency| self.contains(*leniency))
    }

    /// What is in either set.
    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Leniency> for Leniencies {
    fn from_iter<I: IntoIterator<Item = Leniency>>(leniencies: I) -> Self {
        leniencies.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Leniencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
