//! sipx-sip: reference-counted bytes, typed on demand into owned values.

use bytes::Bytes;
use sipx_sip::headers::{ContactValue, ContentLength, Expires, From, MaxForwards, To};
use sipx_sip::{Address, CSeq, CallId, HeaderName, Limits, Message, parse_datagram, uri, validate};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Head, Host, Party, Reading, StartLine, TenValues, Via};

pub struct Sipx;

impl Peer for Sipx {
    fn name(&self) -> &'static str {
        "sipx-sip"
    }

    fn version(&self) -> String {
        super::locked("sipx-sip")
    }

    fn kind(&self) -> Kind {
        Kind::Rust
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let message = parse(bytes)?;
        found(&Head {
            start_line: start_line(&message),
            fields: &|| message.headers().len(),
        });
        Ok(())
    }

    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal> {
        let message = parse(bytes)?;
        let headers = message.headers();
        let via = headers.typed::<sipx_sip::Via>();
        let from = headers.typed::<From>();
        let to = headers.typed::<To>();
        let call_id = headers.typed::<CallId>();
        let cseq = headers.typed::<CSeq>();
        let contact = headers.typed::<ContactValue>();
        let proof = headers.value(&HeaderName::ProxyAuthorization);
        read(&TenValues {
            start_line: start_line(&message),
            via: super::reading(via.as_ref(), |via: &sipx_sip::Via| Via {
                transport: &via.transport,
                host: host(Some(&via.host)),
                port: via.port,
                branch: via.branch(),
            }),
            from: super::reading(from.as_ref(), |from: &From| party(from)),
            to: super::reading(to.as_ref(), |to: &To| party(to)),
            call_id: super::reading(call_id.as_ref(), |id: &CallId| id.0.as_slice()),
            cseq: super::reading(cseq.as_ref(), |cseq: &CSeq| {
                (cseq.sequence, cseq.method.as_bytes())
            }),
            contact: super::reading(contact.as_ref(), contact_of),
            proxy_authorization: Reading::text(proof.as_deref()),
            max_forwards: Reading::of(
                headers
                    .typed()
                    .map(|hops| hops.map(|hops: MaxForwards| hops.0.into())),
            ),
            content_length: Reading::of(headers.typed().map(|length| {
                length.map(|length: ContentLength| u32::try_from(length.0).unwrap_or(u32::MAX))
            })),
            expires: Reading::of(
                headers
                    .typed()
                    .map(|seconds| seconds.map(|seconds: Expires| seconds.0)),
            ),
        });
        Ok(())
    }

    fn judge(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let message = parse(bytes)?;
        match validate(&message).into_iter().next() {
            Some(finding) => Err(Refusal::of(finding)),
            None => Ok(()),
        }
    }
}

/// The copy is not avoidable: a message is slices of a `Bytes` that owns it.
fn parse(bytes: &[u8]) -> Result<Message, Refusal> {
    parse_datagram(Bytes::copy_from_slice(bytes), &Limits::stream()).map_err(Refusal::of)
}

fn start_line(message: &Message) -> StartLine<'_> {
    match message {
        Message::Request(request) => StartLine::Request(request.method.as_bytes()),
        Message::Response(response) => StartLine::Response(response.status.code()),
    }
}

fn party(address: &Address) -> Party<'_> {
    Party {
        user: address.uri.user(),
        host: host(address.uri.host()),
        tag: address.tag(),
    }
}

fn contact_of(contact: &ContactValue) -> Contact<'_> {
    match contact {
        ContactValue::Wildcard => Contact {
            user: None,
            host: Host::Text(b"*"),
            port: None,
            instance: None,
            expires: None,
        },
        ContactValue::Address(address) => Contact {
            user: address.uri.user(),
            host: host(address.uri.host()),
            port: address.uri.port(),
            instance: address.param("+sip.instance"),
            expires: address
                .param("expires")
                .and_then(|seconds| str::from_utf8(seconds).ok()?.parse().ok()),
        },
    }
}

fn host(host: Option<&uri::Host>) -> Host<'_> {
    match host {
        Some(uri::Host::Name(name)) => Host::Text(name.as_bytes()),
        Some(uri::Host::Ip(address)) => Host::Address(*address),
        None => Host::Text(b""),
    }
}
