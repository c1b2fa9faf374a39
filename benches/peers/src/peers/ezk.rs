//! ezk-sip-types: reference-counted slices of the message, typed on demand.

use bytes::Bytes;
use ezk_sip_types::header::HeaderError;
use ezk_sip_types::header::typed::{
    self, AuthResponse, CSeq, CallID, ContentLength, Expires, FromTo, MaxForwards, Username,
};
use ezk_sip_types::host::HostPort;
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use ezk_sip_types::parse::Parse;
use ezk_sip_types::uri::{SipUri, SipUriUserPart};
use ezk_sip_types::{Headers, Method, Name, host};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Head, Host, Party, Proof, Reading, StartLine, TenValues, Via};

pub struct Ezk;

struct Message {
    line: MessageLine,
    headers: Headers,
}

impl Peer for Ezk {
    fn name(&self) -> &'static str {
        "ezk-sip-types"
    }

    fn version(&self) -> String {
        super::locked("ezk-sip-types")
    }

    fn kind(&self) -> Kind {
        Kind::Rust
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let message = Message::parse(bytes)?;
        found(&Head {
            start_line: message.start_line(),
            fields: &|| message.headers.iter().count(),
        });
        Ok(())
    }

    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal> {
        let message = Message::parse(bytes)?;
        let headers = &message.headers;
        let via = headers.try_get_named::<typed::Via>();
        let from = headers.try_get::<FromTo>(Name::FROM);
        let to = headers.try_get::<FromTo>(Name::TO);
        let call_id = headers.try_get_named::<CallID>();
        let cseq = headers.try_get_named::<CSeq>();
        let contact = headers.try_get_named::<typed::Contact>();
        let proof = headers.try_get::<AuthResponse>(Name::PROXY_AUTHORIZATION);
        read(&TenValues {
            start_line: message.start_line(),
            via: super::reading(via.as_ref(), |via: &typed::Via| Via {
                transport: via.transport.as_bytes(),
                host: host(&via.sent_by),
                port: via.sent_by.port,
                branch: via.params.get_val("branch").map(|branch| branch.as_bytes()),
            }),
            from: super::reading(from.as_ref(), party),
            to: super::reading(to.as_ref(), party),
            call_id: super::reading(call_id.as_ref(), |id: &CallID| id.0.as_bytes()),
            cseq: super::reading(cseq.as_ref(), |cseq: &CSeq| {
                (cseq.cseq, method(&cseq.method))
            }),
            contact: super::reading(contact.as_ref(), |contact: &typed::Contact| Contact {
                user: user(&contact.uri.uri),
                host: host(&contact.uri.uri.host_port),
                port: contact.uri.uri.host_port.port,
                instance: contact
                    .params
                    .get_val("+sip.instance")
                    .map(|value| value.as_bytes()),
                expires: contact
                    .params
                    .get_val("expires")
                    .and_then(|value| value.parse().ok()),
            }),
            proxy_authorization: super::reading(proof.as_ref(), proof_of),
            max_forwards: number(headers.try_get_named(), |hops: MaxForwards| hops.0.into()),
            content_length: number(headers.try_get_named(), |length: ContentLength| {
                u32::try_from(length.0).unwrap_or(u32::MAX)
            }),
            expires: number(headers.try_get_named(), |seconds: Expires| seconds.0),
        });
        Ok(())
    }
}

impl Message {
    /// As the documentation of `PullParser` and `Line` shows it. The copy is not avoidable: a value
    /// is a slice of a `Bytes` that owns the message.
    fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let source = Bytes::copy_from_slice(bytes);
        let mut lines = PullParser::new(&source, 0);
        let mut next = || -> Option<Result<&str, Refusal>> {
            let line = lines.next()?.map_err(Refusal::of);
            Some(line.and_then(|line| str::from_utf8(line).map_err(Refusal::of)))
        };
        let first = next().ok_or_else(|| Refusal::of("no start line"))??;
        let (_, line) = MessageLine::parse(&source)(first).map_err(Refusal::of)?;
        let mut headers = Headers::with_capacity(16);
        while let Some(line) = next() {
            let (_, line) = Line::parse(&source, line?).map_err(Refusal::of)?;
            headers.insert(line.name, line.value);
        }
        Ok(Self { line, headers })
    }

    fn start_line(&self) -> StartLine<'_> {
        match &self.line {
            MessageLine::Request(line) => StartLine::Request(method(&line.method)),
            MessageLine::Response(line) => StartLine::Response(line.code.into_u16()),
        }
    }
}

fn party(party: &FromTo) -> Party<'_> {
    Party {
        user: user(&party.uri.uri),
        host: host(&party.uri.uri.host_port),
        tag: party.tag.as_ref().map(|tag| tag.as_bytes()),
    }
}

fn proof_of(response: &AuthResponse) -> Proof<'_> {
    match response {
        AuthResponse::Digest(digest) => Proof::Digest(match &digest.username {
            Username::Username(name) => Some(name.as_bytes()),
            Username::UsernameNonASCII(_) => None,
        }),
        AuthResponse::Other(auth) if auth.scheme.eq_ignore_ascii_case("Bearer") => {
            let token = auth.params.iter().find(|param| param.name == "token");
            token.map_or(Proof::Other, |token| Proof::Bearer(token.value.as_bytes()))
        }
        AuthResponse::Other(_) => Proof::Other,
    }
}

fn user(uri: &SipUri) -> Option<&[u8]> {
    match &uri.user_part {
        SipUriUserPart::Empty => None,
        SipUriUserPart::User(user) => Some(user.as_bytes()),
        SipUriUserPart::UserPw(both) => Some(both.user.as_bytes()),
    }
}

fn host(host_port: &HostPort) -> Host<'_> {
    match &host_port.host {
        host::Host::IP6(address) => Host::Address((*address).into()),
        host::Host::IP4(address) => Host::Address((*address).into()),
        host::Host::Name(name) => Host::Text(name.as_bytes()),
    }
}

/// The names are not lent, only displayed; these are the ones that the messages have.
fn method(method: &Method) -> &'static [u8] {
    match method {
        method if *method == Method::REGISTER => b"REGISTER",
        method if *method == Method::INVITE => b"INVITE",
        _ => b"another",
    }
}

fn number<'a, H>(
    found: Option<Result<H, HeaderError>>,
    read: impl FnOnce(H) -> u32,
) -> Reading<'a, u32> {
    Reading::of(found.map(|found| found.map(read)))
}
