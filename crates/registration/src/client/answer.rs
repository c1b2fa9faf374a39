//! What a client reads in an answer.

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::time::Duration;

use sip_oauth_message::header::{
    CSeq, CallId, Contact, Expires, MinExpires, ProxyAuthenticate, QValue, RetryAfter, Supported,
    Via, Warning, WwwAuthenticate,
};
use sip_oauth_message::{Challenge, HeaderName, MessageView, Method, ParseError, Uri};

use super::event::TokenChallenge;

/// An answer, as far as it matters to a registration.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) branch: String,
    pub(super) call_id: String,
    pub(super) cseq: u32,
    pub(super) method_is_register: bool,
    pub(super) challenge: Option<TokenChallenge>,
    pub(super) contacts: Vec<ContactFact>,
    pub(super) expires: Option<u32>,
    pub(super) min_expires: Option<u32>,
    pub(super) retry_after: Option<Duration>,
    pub(super) warning: Option<String>,
    /// Whether a Contact carries `x-cisco-newreg`.
    pub(super) new_registration: bool,
    pub(super) sis_version: [u16; 3],
    /// `Flow-Timer`: how long the flow may be silent (RFC 5626 section 10).
    pub(super) flow_timer: Option<Duration>,
}

/// One binding the registrar lists.
#[derive(Debug)]
pub(super) struct ContactFact {
    user: Option<String>,
    /// Host and port in the URI, and those an edge put in their place (`orig-hostport`).
    addresses: [Option<String>; 2],
    pub(super) expires: Option<u32>,
    /// Host as written and port, of a sip URI.
    host: Option<(String, Option<u16>)>,
    /// In thousandths; 1000 where none is named.
    q: u16,
}

impl Facts {
    /// Reads a response.
    ///
    /// What correlates it (Via, Call-ID, CSeq) must be there. Of the rest, what breaks its grammar
    /// counts as absent: an answer is better half understood than not at all.
    pub(super) fn read(view: &MessageView<'_>) -> Result<Self, ParseError> {
        let cseq = view.required::<CSeq<'_>>()?;
        let call_id = view.required::<CallId<'_>>()?;
        let branch = view.required::<Via<'_>>()?.branch().unwrap_or_default();
        let line = view.as_response();
        let contacts: Vec<Contact<'_>> = view.all().filter_map(Result::ok).collect();
        Ok(Self {
            status: line.map_or(0, |line| line.status.as_u16()),
            reason: line.map_or_else(String::new, |line| line.reason.to_owned()),
            branch: branch.to_owned(),
            call_id: call_id.as_str().to_owned(),
            cseq: cseq.number(),
            method_is_register: *cseq.method() == Method::Register,
            challenge: challenge(view),
            new_registration: contacts
                .iter()
                .any(|contact| contact.params().contains("x-cisco-newreg")),
            contacts: contacts.iter().map(ContactFact::new).collect(),
            expires: view
                .header::<Expires>()
                .ok()
                .flatten()
                .map(|expires| expires.0),
            min_expires: view
                .header::<MinExpires>()
                .ok()
                .flatten()
                .map(|expires| expires.0),
            retry_after: view
                .header::<RetryAfter<'_>>()
                .ok()
                .flatten()
                .map(|wait| Duration::from_secs(wait.seconds().into())),
            warning: view
                .header::<Warning<'_>>()
                .ok()
                .flatten()
                .map(|warning| warning.text().to_str().into_owned()),
            sis_version: sis_version(view),
            flow_timer: view
                .fields_named(HeaderName::FlowTimer)
                .next()
                .and_then(|field| field.value().parse::<u32>().ok())
                .filter(|&seconds| seconds > 0)
                .map(|seconds| Duration::from_secs(seconds.into())),
        })
    }

    /// Where a 3xx leads, most preferred first: host and port.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = (&str, Option<u16>)> {
        let mut contacts: Vec<_> = self.contacts.iter().collect();
        contacts.sort_by_key(|contact| Reverse(contact.q));
        contacts
            .into_iter()
            .filter_map(|contact| contact.host.as_ref())
            .map(|(host, port)| (host.as_str(), *port))
    }

    /// The client's own binding among those listed: user = line, address = own address.
    pub(super) fn contact_of(&self, line: &str, local: SocketAddr) -> Option<&ContactFact> {
        let own = local.to_string();
        self.contacts.iter().find(|contact| {
            contact.user.as_deref() == Some(line)
                && contact
                    .addresses
                    .iter()
                    .flatten()
                    .any(|address| address.eq_ignore_ascii_case(&own))
        })
    }
}

impl ContactFact {
    fn new(contact: &Contact<'_>) -> Self {
        let uri = contact.uri();
        let host_port = uri.and_then(|uri| match (uri.host()?, uri.port()) {
            (host, Some(port)) => Some(format!("{host}:{port}")),
            (host, None) => Some(host.to_string()),
        });
        let original = uri.and_then(|uri| uri.params().value("orig-hostport"));
        Self {
            user: uri
                .and_then(|uri| uri.user_unescaped())
                .map(|user| String::from_utf8_lossy(&user).into_owned()),
            addresses: [host_port, original.map(str::to_owned)],
            expires: contact.expires(),
            host: uri
                .filter(Uri::is_sip)
                .and_then(|uri| Some((uri.host()?.as_str().to_owned(), uri.port()))),
            q: contact.q().map_or(1000, QValue::thousandths),
        }
    }
}

/// The first challenge for a token, whichever of the two header fields it stands in: a client treats
/// 401 and 407 alike.
fn challenge(view: &MessageView<'_>) -> Option<TokenChallenge> {
    let proxy = view
        .all::<ProxyAuthenticate<'_>>()
        .filter_map(Result::ok)
        .map(|field| field.challenge());
    let www = view
        .all::<WwwAuthenticate<'_>>()
        .filter_map(Result::ok)
        .map(|field| field.challenge());
    let bearer = proxy.chain(www).find_map(|challenge| match challenge {
        Challenge::Bearer(bearer) => Some(bearer),
        Challenge::Digest(_) | Challenge::Other(_) => None,
    })?;
    let status = view.as_response().map_or(0, |line| line.status.as_u16());
    Some(TokenChallenge {
        status,
        realm: bearer.realm().map(|text| text.to_str().into_owned()),
        authorization_server: bearer.authz_server().map(|text| text.to_str().into_owned()),
        scope: bearer.scope().map(|text| text.to_str().into_owned()),
        error: bearer.error().map(|text| text.to_str().into_owned()),
    })
}

/// The version of `X-cisco-sis-<major>.<minor>.<additional>`; 1.0.0 where none is named.
fn sis_version(view: &MessageView<'_>) -> [u16; 3] {
    const PREFIX: &str = "x-cisco-sis-";
    view.all::<Supported<'_>>()
        .filter_map(Result::ok)
        .map(|tag| tag.as_str().to_ascii_lowercase())
        .find_map(|tag| {
            let mut numbers = tag.strip_prefix(PREFIX)?.split('.').map(str::parse);
            let version = [
                numbers.next()?.ok()?,
                numbers.next()?.ok()?,
                numbers.next()?.ok()?,
            ];
            numbers.next().is_none().then_some(version)
        })
        .unwrap_or([1, 0, 0])
}
