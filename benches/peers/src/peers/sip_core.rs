//! sip-core: owned strings. It types `CSeq`; of From, To and Contact it cuts out URI, tag, host and
//! port; the rest is text.

use sip_core::header::{extract_tag, extract_uri};
use sip_core::transport::parse_sip_uri;
use sip_core::{HeaderName, HeaderValue, SipMessage};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Head, Host, Party, Reading, StartLine, TenValues};

pub struct SipCore;

impl Peer for SipCore {
    fn name(&self) -> &'static str {
        "sip-core"
    }

    fn version(&self) -> String {
        super::locked("sip-core")
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
        let text = |name| message.headers().get(&name).map(HeaderValue::as_str);
        let call_id = message.call_id();
        let cseq = message.cseq();
        let from = text(HeaderName::From).map(Cut::of);
        let to = text(HeaderName::To).map(Cut::of);
        let contact = text(HeaderName::Contact).map(Cut::of);
        read(&TenValues {
            start_line: start_line(&message),
            via: Reading::text(text(HeaderName::Via).map(str::as_bytes)),
            from: party(from.as_ref()),
            to: party(to.as_ref()),
            call_id: Reading::value(call_id.as_deref().map(str::as_bytes)),
            cseq: match &cseq {
                Some((number, method)) => Reading::Value((*number, method.as_str().as_bytes())),
                None if text(HeaderName::CSeq).is_some() => Reading::Refused,
                None => Reading::Absent,
            },
            contact: match &contact {
                None => Reading::Absent,
                Some(Cut { place: None, .. }) => Reading::Refused,
                Some(Cut {
                    place: Some((host, port)),
                    ..
                }) => Reading::Value(Contact {
                    user: None,
                    host: Host::Text(host.as_bytes()),
                    port: Some(*port),
                    instance: None,
                    expires: None,
                }),
            },
            proxy_authorization: Reading::text(
                text(HeaderName::ProxyAuthorization).map(str::as_bytes),
            ),
            max_forwards: Reading::text(text(HeaderName::MaxForwards).map(str::as_bytes)),
            content_length: Reading::text(text(HeaderName::ContentLength).map(str::as_bytes)),
            expires: Reading::text(text(HeaderName::Expires).map(str::as_bytes)),
        });
        Ok(())
    }
}

/// What its helpers cut out of an address.
struct Cut {
    place: Option<(String, u16)>,
    tag: Option<String>,
}

impl Cut {
    fn of(text: &str) -> Self {
        Self {
            place: extract_uri(text).and_then(|uri| parse_sip_uri(&uri)),
            tag: extract_tag(text),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<SipMessage, Refusal> {
    let text = str::from_utf8(bytes).map_err(Refusal::of)?;
    SipMessage::parse(text).map_err(Refusal::of)
}

fn start_line(message: &SipMessage) -> StartLine<'_> {
    match message {
        SipMessage::Request(request) => StartLine::Request(request.method.as_str().as_bytes()),
        SipMessage::Response(response) => StartLine::Response(response.status.0),
    }
}

fn party(cut: Option<&Cut>) -> Reading<'_, Party<'_>> {
    match cut {
        None => Reading::Absent,
        Some(Cut { place: None, .. }) => Reading::Refused,
        Some(Cut {
            place: Some((host, _)),
            tag,
        }) => Reading::Value(Party {
            user: None,
            host: Host::Text(host.as_bytes()),
            tag: tag.as_deref().map(str::as_bytes),
        }),
    }
}
