//! The bodies that Cisco devices and Unified CM exchange in a registration.
//!
//! A device sends two `application/x-cisco-remotecc-request+xml` documents in one multipart
//! body: the first registers all its lines at once, the second says what it can do. Unified CM
//! answers with what it grants of that. Line ends are LF inside the documents and CRLF around
//! them; Content-Length of real messages only works out that way.
//!
//! A document is looked through for the marks of its elements, spelled as devices and Unified CM spell
//! them; it is not read as XML, so that no XML reader comes with this crate and those on top of it. A
//! mark in a comment counts, and one in another spelling (single quotes, blanks around `=`) does not.

use std::sync::LazyLock;

use crate::grammar::digits;
use crate::header::ContentType;
use crate::multipart::{self, BodyPart, Multipart};
use crate::scan::find;
use crate::{HeaderName, Limits, ParseError, TypedHeader};

/// The Content-Type of [`RegisterBody`].
pub const REGISTER_CONTENT_TYPE: &str = "multipart/mixed; boundary=uniqueBoundary";
/// The Content-Type of [`ResponseBody`].
pub const RESPONSE_CONTENT_TYPE: &str = "application/x-cisco-remotecc-response+xml";

const BOUNDARY: &str = "uniqueBoundary";
const PART_CONTENT_TYPE: &str = "application/x-cisco-remotecc-request+xml";
const PART_DISPOSITION: &str = "session;handling=optional";

/// One thing that an `optionsind` offers or grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Feature {
    /// `<combine max="6">` with remotecc status and service control.
    Combine,
    /// `<dialog usage="hook status">`
    HookStatus,
    /// `<dialog usage="shared line">`
    SharedLine,
    /// `<presence usage="blf speed dial">`
    BlfSpeedDial,
    /// `<joinreq>`
    JoinReq,
    /// `<cfwdall-anyline>`
    CfwdallAnyline,
    /// `<coaching>`
    Coaching,
    /// `<oosalarm>`
    OosAlarm,
    /// `<rpid-orig-called>`: phones send it, Jabber does not.
    RpidOrigCalled,
    /// `<x-cisco-number>`
    XCiscoNumber,
    /// `<bfcp>`
    Bfcp,
    /// `<ix>`
    Ix,
    /// `<gatewayrecording>`
    GatewayRecording,
    /// `<conferenceDisplayInstance>`
    ConferenceDisplayInstance,
}

use Feature::{
    Bfcp, BlfSpeedDial, CfwdallAnyline, Coaching, Combine, ConferenceDisplayInstance,
    GatewayRecording, HookStatus, Ix, JoinReq, OosAlarm, RpidOrigCalled, SharedLine, XCiscoNumber,
};

/// In the order in which devices write them.
const ALL: [Feature; 14] = [
    Combine,
    HookStatus,
    SharedLine,
    BlfSpeedDial,
    JoinReq,
    CfwdallAnyline,
    Coaching,
    OosAlarm,
    RpidOrigCalled,
    XCiscoNumber,
    Bfcp,
    Ix,
    GatewayRecording,
    ConferenceDisplayInstance,
];

/// What Unified CM grants, in the order in which it writes it.
const GRANTED: [Feature; 7] = [
    Combine,
    HookStatus,
    SharedLine,
    BlfSpeedDial,
    JoinReq,
    Ix,
    Bfcp,
];

impl Feature {
    /// What tells this feature from the others in a document.
    const fn mark(self) -> &'static str {
        match self {
            Combine => "<combine",
            HookStatus => "\"hook status\"",
            SharedLine => "\"shared line\"",
            BlfSpeedDial => "\"blf speed dial\"",
            JoinReq => "<joinreq",
            CfwdallAnyline => "<cfwdall-anyline",
            Coaching => "<coaching",
            OosAlarm => "<oosalarm",
            RpidOrigCalled => "<rpid-orig-called",
            XCiscoNumber => "<x-cisco-number",
            Bfcp => "<bfcp",
            Ix => "<ix",
            GatewayRecording => "<gatewayrecording",
            ConferenceDisplayInstance => "<conferenceDisplayInstance",
        }
    }

    /// The feature whose mark is what these bytes begin with.
    fn at(ahead: &[u8]) -> Option<Self> {
        ALL.into_iter().find(|feature| {
            let mark = feature.mark().as_bytes();
            // The second byte tells most apart. `<ix` must not be found in `<ixx`.
            ahead.get(1) == mark.get(1)
                && ahead.strip_prefix(mark).is_some_and(|behind| {
                    mark.starts_with(b"\"")
                        || matches!(behind, [b'>' | b'/' | b' ' | b'\t' | b'\n', ..])
                })
        })
    }

    /// As a device offers it.
    const fn offer(self) -> &'static str {
        match self {
            Combine => {
                "    <combine max=\"6\">\n      <remotecc>\n        <status></status>\n      \
                 </remotecc>\n      <service-control></service-control>\n    </combine>\n"
            }
            HookStatus => {
                "    <dialog usage=\"hook status\">\n      <unot></unot>\n      <sub></sub>\n    \
                 </dialog>\n"
            }
            SharedLine => {
                "    <dialog usage=\"shared line\">\n      <unot></unot>\n      <sub></sub>\n    \
                 </dialog>\n"
            }
            BlfSpeedDial => {
                "    <presence usage=\"blf speed dial\">\n      <unot></unot>\n      \
                 <sub></sub>\n    </presence>\n"
            }
            JoinReq => "    <joinreq></joinreq>\n",
            CfwdallAnyline => "    <cfwdall-anyline></cfwdall-anyline>\n",
            Coaching => "    <coaching></coaching>\n",
            OosAlarm => "    <oosalarm></oosalarm>\n",
            RpidOrigCalled => "    <rpid-orig-called></rpid-orig-called>\n",
            XCiscoNumber => "    <x-cisco-number></x-cisco-number>\n",
            Bfcp => "    <bfcp></bfcp>\n",
            Ix => "    <ix></ix>\n",
            GatewayRecording => "    <gatewayrecording></gatewayrecording>\n",
            ConferenceDisplayInstance => {
                "    <conferenceDisplayInstance></conferenceDisplayInstance>\n"
            }
        }
    }

    /// As Unified CM grants it. What it has never been seen to grant is written as the others are that
    /// have nothing in them.
    const fn grant(self) -> &'static str {
        match self {
            Combine => {
                "<combine max=\"6\">\n<remotecc><status/></remotecc>\n<service-control/>\n\
                 </combine>\n"
            }
            HookStatus => "<dialog usage=\"hook status\"><unot/></dialog>\n",
            SharedLine => "<dialog usage=\"shared line\"><unot/></dialog>\n",
            BlfSpeedDial => "<presence usage=\"blf speed dial\"><unot/></presence>\n",
            JoinReq => "<joinreq></joinreq>\n",
            Ix => "<ix/>\n",
            Bfcp => "<bfcp/>\n",
            CfwdallAnyline => "<cfwdall-anyline/>\n",
            Coaching => "<coaching/>\n",
            OosAlarm => "<oosalarm/>\n",
            RpidOrigCalled => "<rpid-orig-called/>\n",
            XCiscoNumber => "<x-cisco-number/>\n",
            GatewayRecording => "<gatewayrecording/>\n",
            ConferenceDisplayInstance => "<conferenceDisplayInstance/>\n",
        }
    }
}

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Features(u16);

impl Features {
    /// What Jabber offers.
    pub const JABBER: Self = Self::PHONE.without(RpidOrigCalled);
    /// What desk phones offer.
    pub const PHONE: Self = Self((1 << ALL.len()) - 1);

    /// The set without one feature.
    #[must_use]
    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !(1 << feature as u16))
    }

    /// The set with one feature more.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | 1 << feature as u16)
    }

    /// Whether the feature is in the set.
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & 1 << feature as u16 != 0
    }

    /// The features, in the order in which devices write them.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        ALL.into_iter()
            .filter(move |feature| self.contains(*feature))
    }

    /// What Unified CM grants of these.
    #[must_use]
    pub fn granted(self) -> Self {
        GRANTED
            .into_iter()
            .filter(|feature| self.contains(*feature))
            .fold(Self::default(), Self::with)
    }
}

/// What is ahead where a tag or a quoted string begins, or a quoted string ends.
fn marks(document: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = find(document, from, *b"<\"");
            from = at + 1;
            match document.get(at..)? {
                [] => return None,
                // The end of an element is none.
                [b'<', b'/', ..] => {}
                ahead => return Some(ahead),
            }
        }
    })
}

/// The body of a REGISTER from a Cisco device: all lines are registered, and this is offered.
///
/// ```
/// use sip_oauth_message::remotecc::RegisterBody;
/// assert_eq!(RegisterBody::JABBER.encode().len(), 1271);
/// assert_eq!(RegisterBody::PHONE.encode().len(), 1313);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegisterBody {
    /// Whether all lines of the device are registered with this one request.
    pub all_lines: bool,
    /// What the device offers.
    pub offers: Features,
}

impl RegisterBody {
    /// What Jabber sends, 1271 bytes.
    pub const JABBER: Self = Self {
        all_lines: true,
        offers: Features::JABBER,
    };
    /// What desk phones send, 1313 bytes.
    pub const PHONE: Self = Self {
        all_lines: true,
        offers: Features::PHONE,
    };

    /// The body; its Content-Type is [`REGISTER_CONTENT_TYPE`].
    pub fn encode(&self) -> Vec<u8> {
        const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        let mut documents = Vec::with_capacity(2);
        if self.all_lines {
            let bulk = format!(
                "{XML}<x-cisco-remotecc-request>\n<bulkregisterreq>\n<contact all=\"true\">\n\
                 <register></register>\n</contact>\n</bulkregisterreq>\n\
                 </x-cisco-remotecc-request>\n"
            );
            documents.push(bulk);
        }
        let mut options = format!("{XML}<x-cisco-remotecc-request>\n  <optionsind>\n");
        options.extend(self.offers.iter().map(Feature::offer));
        options.push_str("  </optionsind>\n</x-cisco-remotecc-request>");
        documents.push(options);
        in_parts(documents)
    }

    /// Reads the body of a REGISTER; `None` where it has no remotecc document.
    ///
    /// # Errors
    ///
    /// When `content_type` or the multipart body breaks its grammar.
    pub fn decode(
        content_type: &str,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Option<Self>, ParseError> {
        // Byte for byte what these devices send, as nearly all bodies are: nothing is left to read.
        static KNOWN: LazyLock<[(RegisterBody, Vec<u8>); 2]> = LazyLock::new(|| {
            [RegisterBody::JABBER, RegisterBody::PHONE].map(|known| (known, known.encode()))
        });
        if content_type == REGISTER_CONTENT_TYPE
            && let Some((known, _)) = KNOWN.iter().find(|(_, bytes)| bytes == body)
        {
            return Ok(Some(*known));
        }
        let kind = ContentType::parse(content_type)?;
        let mut found = None;
        if kind.is("application", "x-cisco-remotecc-request+xml") {
            Self::read(body, &mut found);
        } else if let (true, Some(boundary)) = (kind.is("multipart", "mixed"), kind.boundary()) {
            for part in multipart::parts(&boundary, body, limits) {
                let part = part?;
                let kind = part.content_type()?;
                if kind.is_some_and(|k| k.is("application", "x-cisco-remotecc-request+xml")) {
                    Self::read(part.body(), &mut found);
                }
            }
        }
        Ok(found)
    }

    fn read(document: &[u8], found: &mut Option<Self>) {
        let (mut is_bulk, mut has_options) = (false, false);
        let mut offers = Features::default();
        for ahead in marks(document) {
            if ahead.starts_with(b"<bulkregisterreq>") {
                is_bulk = true;
            } else if ahead.starts_with(b"<optionsind>") {
                has_options = true;
            } else if let Some(feature) = Feature::at(ahead) {
                offers = offers.with(feature);
            }
        }
        let body = found.get_or_insert(Self {
            all_lines: false,
            offers: Features::default(),
        });
        body.all_lines |= is_bulk && memchr::memmem::find(document, b"all=\"true\"").is_some();
        if has_options {
            body.offers = offers;
        }
    }
}

/// Our own documents as the parts of a body.
fn in_parts(documents: Vec<String>) -> Vec<u8> {
    let mut body = Multipart::new(BOUNDARY).expect("the boundary is one");
    for document in documents {
        let mut part = BodyPart::new(PART_CONTENT_TYPE, document);
        let disposition = HeaderName::ContentDisposition;
        part.headers.push(disposition, PART_DISPOSITION);
        body.parts.push(part);
    }
    body.to_bytes().expect("no document has the boundary in it")
}

/// The body of the 200 to a REGISTER: what Unified CM grants.
///
/// ```
/// use sip_oauth_message::remotecc::{Features, ResponseBody};
/// let body = ResponseBody::answering(Features::JABBER);
/// assert_eq!(body.encode().len(), 381);
/// assert_eq!(ResponseBody::decode(&body.encode()), Some(body));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponseBody {
    /// The status of the remotecc request, 200.
    pub code: u16,
    /// What is granted.
    pub grants: Features,
}

impl ResponseBody {
    /// The answer to these offers.
    pub fn answering(offers: Features) -> Self {
        Self {
            code: 200,
            grants: offers.granted(),
        }
    }

    /// The body; its Content-Type is [`RESPONSE_CONTENT_TYPE`].
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!(
            "<x-cisco-remotecc-response>\n<response>\n<code>{}</code>\n<optionsind>\n",
            self.code
        );
        let others = ALL.into_iter().filter(|feature| !GRANTED.contains(feature));
        let granted = GRANTED.into_iter().chain(others);
        let granted = granted.filter(|feature| self.grants.contains(*feature));
        text.extend(granted.map(Feature::grant));
        text.push_str("</optionsind>\n</response>\n</x-cisco-remotecc-response>\n\r\n");
        text.into_bytes()
    }

    /// Reads such a body; `None` where this is none.
    pub fn decode(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let (_, response) = text.split_once("<x-cisco-remotecc-response>")?;
        let (_, code) = response.split_once("<code>")?;
        let (code, _) = code.split_once("</code>")?;
        let granted = marks(body).filter_map(Feature::at);
        Some(Self {
            code: digits(code.trim())?,
            grants: granted.fold(Features::default(), Features::with),
        })
    }
}
