//! A REGISTER, read as far as a registrar needs it (RFC 3261 section 10.3).

use std::borrow::Cow;
use std::fmt::Write;

use sip_oauth_message::header::{CSeq, CallId, Contact, Expires, Path, Reason, Supported, To};
use sip_oauth_message::remotecc::RegisterBody;
use sip_oauth_message::{HeaderField, HeaderName, Limits, MessageView, ParseError};

use crate::refusal::Refusal;

/// What a REGISTER asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Register {
    /// User and host of To, escapes undone.
    pub(super) user: String,
    pub(super) host: String,
    pub(super) call_id: String,
    pub(super) cseq: u32,
    /// The `Expires` header field.
    pub(super) expires: Option<u32>,
    pub(super) contacts: Contacts,
    /// The Path, and whether the client understands one in the answer.
    pub(super) path: Vec<String>,
    pub(super) path_supported: bool,
    /// `X-cisco-graceful-reg`: the client can be told that its device is in use.
    pub(super) graceful: bool,
    /// Alarm 111, a registration by force.
    pub(super) forced: bool,
    /// Cisco's body: whether all lines are registered, and what is offered. See [`read_body`](Self::read_body).
    pub(super) remotecc: Option<RegisterBody>,
}

/// The Contact header fields of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contacts {
    /// None: the client asks for its bindings.
    Absent,
    /// `*`: all bindings.
    Star,
    These(Vec<ContactRequest>),
}

/// One Contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ContactRequest {
    /// The value as it came, byte for byte where it has a header field of its own; without `expires`
    /// and `x-cisco-newreg`, which are the registrar's to say.
    pub(super) written: String,
    /// The same in canonical writing, as it is stored.
    pub(super) stored: String,
    pub(super) uri: String,
    pub(super) expires: Option<u32>,
    pub(super) device: Option<String>,
    pub(super) model: Option<u16>,
    pub(super) instance: Option<String>,
}

/// Bytes that most Contacts of phones fit in.
const MOST_CONTACTS: usize = 256;

/// Why a REGISTER is not carried out, whoever sent it.
#[derive(Debug)]
pub(super) enum Unreadable {
    Grammar(ParseError),
    Refused(Refusal),
}

impl From<ParseError> for Unreadable {
    fn from(error: ParseError) -> Self {
        Self::Grammar(error)
    }
}

impl Register {
    /// Reads a request that is a REGISTER.
    pub(super) fn read(request: &MessageView<'_>) -> Result<Self, Unreadable> {
        let to = request.required::<To<'_>>()?;
        let uri = to.uri();
        if !uri.is_sip() {
            return Err(Unreadable::Refused(Refusal::UnsupportedUriScheme));
        }
        let (mut path_supported, mut graceful) = (false, false);
        for tag in request.all::<Supported<'_>>() {
            let tag = tag?;
            path_supported |= tag.is("path");
            graceful |= tag.is("X-cisco-graceful-reg");
        }
        let path = values(request.all::<Path<'_>>())?;
        let alarm = request
            .all::<Reason<'_>>()
            .filter_map(Result::ok)
            .find_map(|reason| reason.cisco_alarm().map(|alarm| alarm.code));
        Ok(Self {
            user: uri
                .user_unescaped()
                .map(|user| String::from_utf8_lossy(&user).into_owned())
                .unwrap_or_default(),
            host: uri
                .host()
                .map(|host| host.as_str().to_owned())
                .unwrap_or_default(),
            call_id: request.required::<CallId<'_>>()?.as_str().to_owned(),
            cseq: request.required::<CSeq<'_>>()?.number(),
            expires: request.header::<Expires>()?.map(|expires| expires.0),
            contacts: Contacts::read(request)?,
            path: path.iter().map(ToString::to_string).collect(),
            path_supported,
            graceful,
            forced: alarm == Some(111),
            remotecc: None,
        })
    }

    /// Reads the body. Apart from the rest, so that a request without a token, which changes nothing, does not pay for it.
    pub(super) fn read_body(&mut self, request: &MessageView<'_>, limits: &Limits) {
        self.remotecc = remotecc(request, limits);
    }

    /// The Contacts, none where there is none or a `*`.
    pub(super) fn contacts(&self) -> &[ContactRequest] {
        match &self.contacts {
            Contacts::These(contacts) => contacts,
            Contacts::Absent | Contacts::Star => &[],
        }
    }

    /// Whether one request registers all lines of the device.
    pub(super) fn is_bulk(&self) -> bool {
        self.remotecc.is_some_and(|body| body.all_lines)
    }

    /// The device the Contacts name.
    pub(super) fn device(&self) -> Option<&str> {
        self.contacts()
            .iter()
            .find_map(|contact| contact.device.as_deref())
    }

    /// What is asked for in seconds: the Contact's own `expires`, else the `Expires` header field.
    pub(super) fn asked(&self, contact: &ContactRequest) -> Option<u32> {
        contact.expires.or(self.expires)
    }
}

impl Contacts {
    fn read(request: &MessageView<'_>) -> Result<Self, Unreadable> {
        let contacts = values(request.all::<Contact<'_>>())?;
        match contacts.as_slice() {
            [] => Ok(Self::Absent),
            [Contact::Star] => Ok(Self::Star),
            several if several.contains(&Contact::Star) => {
                Err(Unreadable::Refused(Refusal::WildcardMisuse))
            }
            several => {
                let fields = || request.fields_named(HeaderName::Contact);
                let contacts = if fields().count() == several.len() {
                    let own = several.iter().zip(fields());
                    own.filter_map(|(contact, field)| ContactRequest::read(contact, Some(&field)))
                        .collect()
                } else {
                    let read = |contact| ContactRequest::read(contact, None);
                    several.iter().filter_map(read).collect()
                };
                Ok(Self::These(contacts))
            }
        }
    }
}

impl ContactRequest {
    /// Reads a Contact; `own` is the header field, where it has one of its own.
    fn read(contact: &Contact<'_>, own: Option<&HeaderField<'_>>) -> Option<Self> {
        let uri = contact.uri()?;
        let mut stored = String::with_capacity(MOST_CONTACTS);
        if let Some(name) = contact.display_name() {
            // Writing to a String does not fail, here and below.
            let _ = write!(stored, "{name} ");
        }
        stored.push('<');
        stored.push_str(uri.as_str());
        stored.push('>');
        let mut stripped = false;
        for param in contact.params().iter() {
            let is_ours = ["expires", "x-cisco-newreg"]
                .iter()
                .any(|ours| param.name().eq_ignore_ascii_case(ours));
            if is_ours {
                stripped = true;
            } else {
                stored.push(';');
                let _ = write!(stored, "{param}");
            }
        }
        Some(Self {
            written: match own {
                Some(field) if !stripped => field.unfolded().into_owned(),
                _ => stored.clone(),
            },
            stored,
            uri: uri.as_str().to_owned(),
            expires: contact.expires(),
            device: contact.device_name().map(Cow::into_owned),
            model: contact.model().and_then(|model| model.parse().ok()),
            instance: contact.instance().map(Cow::into_owned),
        })
    }
}

/// Cisco's body, where there is one that can be read. It is `handling=optional`: a broken one is none.
fn remotecc(request: &MessageView<'_>, limits: &Limits) -> Option<RegisterBody> {
    let content_type = request.fields_named(HeaderName::ContentType).next()?;
    RegisterBody::decode(content_type.value(), request.body(), limits).ok()?
}

fn values<T>(found: impl Iterator<Item = Result<T, ParseError>>) -> Result<Vec<T>, ParseError> {
    found.collect()
}
