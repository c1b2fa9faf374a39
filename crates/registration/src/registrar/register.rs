//! A REGISTER, read as far as a registrar needs it (RFC 3261 section 10.3).

use sip_oauth_message::header::{CSeq, CallId, Contact, Expires, Path, Reason, Supported, To};
use sip_oauth_message::remotecc::RegisterBody;
use sip_oauth_message::{HeaderName, Limits, MessageView, ParseError};

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
    /// Cisco's body: whether all lines are registered, and what is offered.
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
    /// Whether something was left out of it.
    stripped: bool,
    /// The same in canonical writing, as it is stored.
    pub(super) stored: String,
    pub(super) uri: String,
    pub(super) expires: Option<u32>,
    pub(super) device: Option<String>,
    pub(super) model: Option<u16>,
    pub(super) instance: Option<String>,
}

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
    pub(super) fn read(request: &MessageView<'_>, limits: &Limits) -> Result<Self, Unreadable> {
        let to = request.required::<To<'_>>()?;
        let uri = to.uri();
        if !uri.is_sip() {
            return Err(Unreadable::Refused(Refusal::UnsupportedUriScheme));
        }
        let supported = values(request.all::<Supported<'_>>())?;
        let supports = |tag: &str| supported.iter().any(|list| list.contains(tag));
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
            path_supported: supports("path"),
            graceful: supports("X-cisco-graceful-reg"),
            forced: alarm == Some(111),
            remotecc: remotecc(request, limits),
        })
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
                let mut contacts: Vec<_> =
                    several.iter().filter_map(ContactRequest::read).collect();
                let fields: Vec<_> = request.fields_named(HeaderName::Contact).collect();
                if fields.len() == contacts.len() {
                    for (contact, field) in contacts.iter_mut().zip(&fields) {
                        if !contact.stripped {
                            contact.written = field.unfolded().to_string();
                        }
                    }
                }
                Ok(Self::These(contacts))
            }
        }
    }
}

impl ContactRequest {
    fn read(contact: &Contact<'_>) -> Option<Self> {
        let uri = contact.uri()?;
        let mut stored = String::new();
        if let Some(name) = contact.display_name() {
            stored.push_str(&name.to_string());
            stored.push(' ');
        }
        stored.push('<');
        stored.push_str(uri.as_str());
        stored.push('>');
        let mut stripped = false;
        for param in contact.params().iter() {
            let own = ["expires", "x-cisco-newreg"]
                .iter()
                .any(|own| param.name.eq_ignore_ascii_case(own));
            if own {
                stripped = true;
            } else {
                stored.push(';');
                stored.push_str(&param.to_string());
            }
        }
        Some(Self {
            written: stored.clone(),
            stripped,
            stored,
            uri: uri.as_str().to_owned(),
            expires: contact.expires(),
            device: contact.device_name().map(str::to_owned),
            model: contact.model().and_then(|model| model.parse().ok()),
            instance: contact.instance().map(str::to_owned),
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
