//! This project's parser.

use std::borrow::Cow;

use sip_oauth_message::check::{self, Element};
use sip_oauth_message::header::{
    CSeq, CallId, Contact, ContentLength, Expires, From, MaxForwards, ProxyAuthorization, To, Via,
};
use sip_oauth_message::{Credentials, Limits, MessageView, ParseError, StatusCode, Uri};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{self, Head, Host, Party, Proof, Reading, StartLine, TenValues};

pub struct Ours;

impl Peer for Ours {
    fn name(&self) -> &'static str {
        "sip-oauth-message"
    }

    fn version(&self) -> String {
        super::locked("sip-oauth-message")
    }

    fn kind(&self) -> Kind {
        Kind::Ours
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let view = MessageView::parse(bytes, &Limits::default()).map_err(Refusal::of)?;
        found(&Head {
            start_line: start_line(&view),
            fields: &|| view.fields().count(),
        });
        Ok(())
    }

    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal> {
        let view = MessageView::parse(bytes, &Limits::default()).map_err(Refusal::of)?;
        let via: Option<Result<Via<'_>, ParseError>> = view.header().transpose();
        let from: Option<Result<From<'_>, ParseError>> = view.header().transpose();
        let to: Option<Result<To<'_>, ParseError>> = view.header().transpose();
        let cseq: Option<Result<CSeq<'_>, ParseError>> = view.header().transpose();
        let contact: Option<Result<Contact<'_>, ParseError>> = view.header().transpose();
        let proof: Option<Result<ProxyAuthorization<'_>, ParseError>> = view.header().transpose();
        let credentials = proof.map(|found| found.map(|header| header.credentials()));
        read(&TenValues {
            start_line: start_line(&view),
            via: super::reading(via.as_ref(), |via| values::Via {
                transport: via.transport().as_str().as_bytes(),
                host: Host::Text(via.host().as_str().as_bytes()),
                port: via.port(),
                branch: via.branch().map(str::as_bytes),
            }),
            from: super::reading(from.as_ref(), |from| party(from.uri(), from.tag())),
            to: super::reading(to.as_ref(), |to| party(to.uri(), to.tag())),
            call_id: Reading::of(
                view.header::<CallId<'_>>()
                    .transpose()
                    .map(|found| found.map(|id| id.as_str().as_bytes())),
            ),
            cseq: super::reading(cseq.as_ref(), |cseq| {
                (cseq.number(), cseq.method().as_str().as_bytes())
            }),
            contact: super::reading(contact.as_ref(), |contact| {
                let uri = contact.uri();
                values::Contact {
                    user: uri.and_then(|uri| uri.user()).map(str::as_bytes),
                    host: uri.map_or(Host::Text(b""), host),
                    port: uri.and_then(|uri| uri.port()),
                    // None of the messages has a backslash in it.
                    instance: match contact.instance() {
                        Some(Cow::Borrowed(instance)) => Some(instance.as_bytes()),
                        _ => None,
                    },
                    expires: contact.expires(),
                }
            }),
            proxy_authorization: super::reading(credentials.as_ref(), |credentials| {
                match credentials {
                    Credentials::Bearer(bearer) => Proof::Bearer(bearer.expose().as_bytes()),
                    Credentials::Digest(digest) => {
                        Proof::Digest(digest.username().map(|name| name.as_written().as_bytes()))
                    }
                    Credentials::Other(_) => Proof::Other,
                }
            }),
            max_forwards: number(view.header::<MaxForwards>(), |hops| hops.0.into()),
            content_length: number(view.header::<ContentLength>(), |length| length.0),
            expires: number(view.header::<Expires>(), |seconds| seconds.0),
        });
        Ok(())
    }

    fn judge(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let view = MessageView::parse(bytes, &Limits::default()).map_err(Refusal::of)?;
        check::request(&view, &Element::SERVER).map_err(Refusal::of)
    }
}

fn start_line<'s>(view: &'s MessageView<'_>) -> StartLine<'s> {
    match (view.method(), view.status()) {
        (Some(method), _) => StartLine::Request(method.as_str().as_bytes()),
        (None, status) => StartLine::Response(status.map_or(0, StatusCode::as_u16)),
    }
}

fn number<'a, H>(
    found: Result<Option<H>, ParseError>,
    read: impl FnOnce(H) -> u32,
) -> Reading<'a, u32> {
    Reading::of(found.transpose().map(|found| found.map(read)))
}

fn host(uri: Uri<'_>) -> Host<'_> {
    Host::Text(
        uri.host()
            .map_or(b"".as_slice(), |host| host.as_str().as_bytes()),
    )
}

fn party<'a>(uri: Uri<'a>, tag: Option<&'a str>) -> Party<'a> {
    Party {
        user: uri.user().map(str::as_bytes),
        host: host(uri),
        tag: tag.map(str::as_bytes),
    }
}
