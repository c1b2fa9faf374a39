//! rsipstack, its `sip` module: a further growth of rsip, with a parser of its own.

use rsipstack::sip::headers::untyped;
use rsipstack::sip::prelude::*;
use rsipstack::sip::{Header, Headers, Method, Param, SipMessage, Transport, Uri, typed, uri};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Head, Host, Party, Proof, Reading, StartLine, TenValues, Via};

pub struct Rsipstack;

impl Peer for Rsipstack {
    fn name(&self) -> &'static str {
        "rsipstack"
    }

    fn version(&self) -> String {
        super::locked("rsipstack")
    }

    fn kind(&self) -> Kind {
        Kind::Rust
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let message = SipMessage::try_from(bytes).map_err(Refusal::of)?;
        found(&Head {
            start_line: start_line(&message),
            fields: &|| message.headers().iter().count(),
        });
        Ok(())
    }

    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal> {
        let message = SipMessage::try_from(bytes).map_err(Refusal::of)?;
        let via = message.via_header().ok().map(ToTypedHeader::typed);
        let from = message.from_header().ok().map(ToTypedHeader::typed);
        let to = message.to_header().ok().map(ToTypedHeader::typed);
        let cseq = message.cseq_header().ok().map(ToTypedHeader::typed);
        let contact = message.contact_header().ok().map(ToTypedHeader::typed);
        let proof = proxy_authorization(message.headers());
        let proof = proof.map(|proof| typed::ProxyAuthorization::parse(proof.value()));
        let length = content_length(message.headers());
        read(&TenValues {
            start_line: start_line(&message),
            via: super::reading(via.as_ref(), |via: &typed::Via| Via {
                transport: transport(via.transport),
                host: host(&via.uri),
                port: port(&via.uri),
                branch: via.branch().map(|branch| branch.value().as_bytes()),
            }),
            from: super::reading(from.as_ref(), |from: &typed::From| Party {
                user: from.uri.user().map(str::as_bytes),
                host: host(&from.uri),
                tag: from.tag().map(|tag| tag.value().as_bytes()),
            }),
            to: super::reading(to.as_ref(), |to: &typed::To| Party {
                user: to.uri.user().map(str::as_bytes),
                host: host(&to.uri),
                tag: to.tag().map(|tag| tag.value().as_bytes()),
            }),
            call_id: Reading::value(
                message
                    .call_id_header()
                    .ok()
                    .map(|id| id.value().as_bytes()),
            ),
            cseq: super::reading(cseq.as_ref(), |cseq: &typed::CSeq| {
                (cseq.seq, method(cseq.method))
            }),
            contact: super::reading(contact.as_ref(), |contact: &typed::Contact| Contact {
                user: contact.uri.user().map(str::as_bytes),
                host: host(&contact.uri),
                port: port(&contact.uri),
                instance: contact.params.iter().find_map(instance),
                expires: contact.expires(),
            }),
            proxy_authorization: super::reading(
                proof.as_ref(),
                |proof: &typed::ProxyAuthorization| Proof::Digest(Some(proof.username.as_bytes())),
            ),
            max_forwards: Reading::text(
                message
                    .max_forwards_header()
                    .ok()
                    .map(|hops| hops.value().as_bytes()),
            ),
            content_length: Reading::text(length.map(|length| length.value().as_bytes())),
            expires: Reading::text(
                message
                    .expires_header()
                    .map(|seconds| seconds.value().as_bytes()),
            ),
        });
        Ok(())
    }
}

fn start_line(message: &SipMessage) -> StartLine<'_> {
    match message {
        SipMessage::Request(request) => StartLine::Request(method(request.method)),
        SipMessage::Response(response) => {
            StartLine::Response(u16::from(response.status_code.clone()))
        }
    }
}

fn proxy_authorization(headers: &Headers) -> Option<&untyped::ProxyAuthorization> {
    headers.iter().find_map(|header| match header {
        Header::ProxyAuthorization(found) => Some(found),
        _ => None,
    })
}

fn content_length(headers: &Headers) -> Option<&untyped::ContentLength> {
    headers.iter().find_map(|header| match header {
        Header::ContentLength(found) => Some(found),
        _ => None,
    })
}

fn instance(param: &Param) -> Option<&[u8]> {
    match param {
        Param::Other(name, value) if name.value().eq_ignore_ascii_case("+sip.instance") => {
            value.as_ref().map(|value| value.value().as_bytes())
        }
        _ => None,
    }
}

fn host(uri: &Uri) -> Host<'_> {
    match uri.host() {
        uri::Host::Domain(name) => Host::Text(name.0.as_bytes()),
        uri::Host::IpAddr(address) => Host::Address(*address),
    }
}

fn port(uri: &Uri) -> Option<u16> {
    uri.host_with_port.port.as_ref().map(|port| port.0)
}

/// The enumeration is closed; these are the ones that the messages have.
fn method(method: Method) -> &'static [u8] {
    match method {
        Method::Register => b"REGISTER",
        Method::Invite => b"INVITE",
        _ => b"another",
    }
}

fn transport(transport: Transport) -> &'static [u8] {
    match transport {
        Transport::Udp => b"UDP",
        Transport::Tcp => b"TCP",
        Transport::Tls => b"TLS",
        _ => b"another",
    }
}
