//! rvoip-sip-core: owned values; the parse types every header at once.

use rvoip_sip_core::parser::parse_message;
use rvoip_sip_core::types::address::Address;
use rvoip_sip_core::types::auth::{Credentials, DigestParam};
use rvoip_sip_core::types::contact::ContactValue;
use rvoip_sip_core::types::headers::{HeaderName, HeaderValue, TypedHeader};
use rvoip_sip_core::types::param::{GenericValue, Param};
use rvoip_sip_core::types::uri::Host as TheirHost;
use rvoip_sip_core::types::{Message, StatusCode};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Head, Host, Party, Proof, StartLine, TenValues, Via};

pub struct Rvoip;

impl Peer for Rvoip {
    fn name(&self) -> &'static str {
        "rvoip-sip-core"
    }

    fn version(&self) -> String {
        super::locked("rvoip-sip-core")
    }

    fn kind(&self) -> Kind {
        Kind::Rust
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let message = parse_message(bytes).map_err(Refusal::of)?;
        found(&Head {
            start_line: start_line(&message),
            fields: &|| headers(&message).len(),
        });
        Ok(())
    }

    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal> {
        let message = parse_message(bytes).map_err(Refusal::of)?;
        let mut ten = TenValues::new(start_line(&message));
        for header in headers(&message) {
            match header {
                TypedHeader::Via(via) => ten.via.first(via.0.first().map(|via| Via {
                    transport: via.transport().as_bytes(),
                    host: host(via.host()),
                    port: via.port(),
                    branch: via.branch().map(str::as_bytes),
                })),
                TypedHeader::From(from) => ten.from.first(Some(party(&from.0))),
                TypedHeader::To(to) => ten.to.first(Some(party(&to.0))),
                TypedHeader::CallId(id) => ten.call_id.first(Some(id.0.as_bytes())),
                TypedHeader::CSeq(cseq) => {
                    ten.cseq
                        .first(Some((cseq.seq, cseq.method.as_str().as_bytes())));
                }
                TypedHeader::Contact(list) => ten.contact.first(list.0.first().and_then(contact)),
                TypedHeader::ProxyAuthorization(proof) => {
                    ten.proxy_authorization.first(Some(proof_of(&proof.0)));
                }
                TypedHeader::MaxForwards(hops) => ten.max_forwards.first(Some(hops.0.into())),
                TypedHeader::ContentLength(length) => ten.content_length.first(Some(length.0)),
                TypedHeader::Expires(seconds) => ten.expires.first(Some(seconds.0)),
                TypedHeader::Other(name, HeaderValue::Raw(text)) => unparsed(&mut ten, name, text),
                _ => {}
            }
        }
        read(&ten);
        Ok(())
    }
}

/// What the parse could not type stays in the message as text.
fn unparsed<'a>(ten: &mut TenValues<'a>, name: &HeaderName, text: &'a [u8]) {
    match name {
        HeaderName::Via => ten.via.or_text(text),
        HeaderName::From => ten.from.or_text(text),
        HeaderName::To => ten.to.or_text(text),
        HeaderName::CallId => ten.call_id.or_text(text),
        HeaderName::CSeq => ten.cseq.or_text(text),
        HeaderName::Contact => ten.contact.or_text(text),
        HeaderName::ProxyAuthorization => ten.proxy_authorization.or_text(text),
        HeaderName::MaxForwards => ten.max_forwards.or_text(text),
        HeaderName::ContentLength => ten.content_length.or_text(text),
        HeaderName::Expires => ten.expires.or_text(text),
        _ => {}
    }
}

fn headers(message: &Message) -> &[TypedHeader] {
    match message {
        Message::Request(request) => &request.headers,
        Message::Response(response) => &response.headers,
    }
}

fn start_line(message: &Message) -> StartLine<'_> {
    match message {
        Message::Request(request) => StartLine::Request(request.method.as_str().as_bytes()),
        Message::Response(response) => StartLine::Response(StatusCode::as_u16(&response.status)),
    }
}

fn party(address: &Address) -> Party<'_> {
    Party {
        user: address.uri.user.as_deref().map(str::as_bytes),
        host: host(&address.uri.host),
        tag: address.tag().map(str::as_bytes),
    }
}

fn contact(value: &ContactValue) -> Option<Contact<'_>> {
    let ContactValue::Params(list) = value else {
        return None;
    };
    let address = &list.first()?.address;
    Some(Contact {
        user: address.uri.user.as_deref().map(str::as_bytes),
        host: host(&address.uri.host),
        port: address.uri.port,
        instance: address.params.iter().find_map(instance),
        expires: address.expires(),
    })
}

fn instance(param: &Param) -> Option<&[u8]> {
    match param {
        Param::Other(name, Some(GenericValue::Quoted(text) | GenericValue::Token(text)))
            if name.eq_ignore_ascii_case("+sip.instance") =>
        {
            Some(text.as_bytes())
        }
        _ => None,
    }
}

fn proof_of(credentials: &Credentials) -> Proof<'_> {
    match credentials {
        Credentials::Bearer { token } => Proof::Bearer(token.as_bytes()),
        Credentials::Digest { params } => {
            Proof::Digest(params.iter().find_map(|param| match param {
                DigestParam::Username(name) => Some(name.as_bytes()),
                _ => None,
            }))
        }
        _ => Proof::Other,
    }
}

fn host(host: &TheirHost) -> Host<'_> {
    match host {
        TheirHost::Domain(name) => Host::Text(name.as_bytes()),
        TheirHost::Address(address) => Host::Address(*address),
    }
}
