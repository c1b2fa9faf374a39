//! sip-header: rows of text, typed on demand into owned values. `CSeq`, Max-Forwards and Expires have
//! no type in it, and a status line is only told from a request line.

use sip_header::sip_uri::{Host as TheirHost, SipUri};
use sip_header::{
    ContactList, SipAuthValue, SipHeader as Name, SipHeaderAddr, SipHeaderLookup, SipHeaderRowsExt,
    SipMessageHeaders, SipVia, extract_request_line,
};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Head, Host, Party, Proof, Reading, StartLine, TenValues, Via};

pub struct SipHeader;

impl Peer for SipHeader {
    fn name(&self) -> &'static str {
        "sip-header"
    }

    fn version(&self) -> String {
        super::locked("sip-header")
    }

    fn kind(&self) -> Kind {
        Kind::Rust
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let text = str::from_utf8(bytes).map_err(Refusal::of)?;
        let start_line = start_line(text)?;
        let headers = SipMessageHeaders::new(text);
        found(&Head {
            start_line,
            fields: &|| headers.len(),
        });
        Ok(())
    }

    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal> {
        let text = str::from_utf8(bytes).map_err(Refusal::of)?;
        let start_line = start_line(text)?;
        let headers = SipMessageHeaders::new(text);
        let via = headers.via().transpose();
        let from = headers.sip_from().transpose();
        let to = headers.sip_to().transpose();
        let call_id = headers.call_id().transpose();
        let contact = headers.contact().transpose();
        let proof = headers.proxy_authorization().transpose();
        let text = |name| headers.sip_header(name).ok().flatten().map(str::as_bytes);
        read(&TenValues {
            start_line,
            via: first(via.as_ref(), |via: &SipVia| {
                let via = via.entries().first()?;
                Some(Via {
                    transport: via.transport().as_bytes(),
                    host: host(Some(via.host())),
                    port: via.port(),
                    branch: via.branch().map(str::as_bytes),
                })
            }),
            from: super::reading(from.as_ref(), party),
            to: super::reading(to.as_ref(), party),
            call_id: super::reading(call_id.as_ref(), |id: &sip_header::SipCallId| {
                id.as_str().as_bytes()
            }),
            cseq: Reading::text(text(Name::Cseq)),
            contact: first(contact.as_ref(), |list: &ContactList| {
                list.addrs().first().map(contact_of)
            }),
            proxy_authorization: first(proof.as_ref(), |list: &Vec<SipAuthValue>| {
                list.first().map(proof_of)
            }),
            max_forwards: Reading::text(text(Name::MaxForwards)),
            content_length: Reading::of(
                headers.content_length().transpose().map(|found| {
                    found.map(|length| u32::try_from(length.get()).unwrap_or(u32::MAX))
                }),
            ),
            expires: Reading::text(text(Name::Expires)),
        });
        Ok(())
    }
}

fn start_line(text: &str) -> Result<StartLine<'_>, Refusal> {
    let line = extract_request_line(text).map_err(Refusal::of)?;
    Ok(match line {
        Some(line) => StartLine::Request(line.method().as_bytes()),
        None => StartLine::Response(0),
    })
}

fn first<'s, H, E, T>(
    found: Option<&'s Result<H, E>>,
    read: impl FnOnce(&'s H) -> Option<T>,
) -> Reading<'s, T> {
    match super::reading(found, read) {
        Reading::Value(Some(value)) => Reading::Value(value),
        Reading::Value(None) | Reading::Absent => Reading::Absent,
        Reading::Text(text) => Reading::Text(text),
        Reading::Refused => Reading::Refused,
    }
}

fn party(address: &SipHeaderAddr) -> Party<'_> {
    let uri = address.sip_uri();
    Party {
        user: uri.and_then(SipUri::user).map(str::as_bytes),
        host: host(uri.and_then(SipUri::host)),
        tag: address.tag().map(str::as_bytes),
    }
}

fn contact_of(address: &SipHeaderAddr) -> Contact<'_> {
    let uri = address.sip_uri();
    Contact {
        user: uri.and_then(SipUri::user).map(str::as_bytes),
        host: host(uri.and_then(SipUri::host)),
        port: uri.and_then(SipUri::port),
        instance: address.param("+sip.instance").flatten().map(str::as_bytes),
        expires: address
            .param("expires")
            .flatten()
            .and_then(|seconds| seconds.parse().ok()),
    }
}

fn proof_of(value: &SipAuthValue) -> Proof<'_> {
    if value.scheme().eq_ignore_ascii_case("Bearer") {
        let token = value.token68().or_else(|| value.param("token").flatten());
        return token.map_or(Proof::Other, |token| Proof::Bearer(token.as_bytes()));
    }
    if value.scheme().eq_ignore_ascii_case("Digest") {
        return Proof::Digest(value.username().map(str::as_bytes));
    }
    Proof::Other
}

fn host(host: Option<&TheirHost>) -> Host<'_> {
    match host {
        Some(TheirHost::IPv4(address)) => Host::Address((*address).into()),
        Some(TheirHost::IPv6(address)) => Host::Address((*address).into()),
        Some(TheirHost::Hostname(name)) => Host::Text(name.as_str().as_bytes()),
        _ => Host::Text(b""),
    }
}
