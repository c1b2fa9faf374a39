//! The values that the manifests name.

use serde_json::Value;
use sip_oauth_message::header::{
    Accept, Authorization, CSeq, CallId, Contact, ContentType, From, MaxForwards, ProxyRequire,
    Require, Route, To, Via,
};
use sip_oauth_message::{
    Credentials, Headers, Limits, MessageView, Scheme, Text, Uri, check, multipart, uri,
};

use crate::streams::framed;

/// Compares one value of a manifest with what is read; gives what was found when they differ.
pub(crate) fn check_value(bytes: &[u8], key: &str, expected: &Value) -> Result<(), String> {
    let limits = Limits::default();
    let view = MessageView::parse(bytes, &limits).map_err(|e| e.to_string())?;
    let found = match key {
        "raw_header" => return raw_headers(&view.to_headers(), expected),
        // The stream goes on behind it, or cannot be read: it is not this one message.
        "datagram_only" => {
            let stream = framed(bytes, std::iter::once(bytes.len()));
            Value::from(stream.lost.is_some() || stream.messages.len() != 1)
        }
        "response_header" => return answer_has(&view, expected),
        _ => value_of(&view, key).ok_or_else(|| "no such value".to_owned())?,
    };
    let same = match key {
        "request_uri_host" | "via_host" | "contact_host" | "via_received" | "via_received_3" => {
            same_host(&found, expected)
        }
        "via_hosts" => {
            let (one, two) = (found.as_array().unwrap(), expected.as_array().unwrap());
            one.len() == two.len() && one.iter().zip(two).all(|(a, b)| same_host(a, b))
        }
        _ => found == *expected,
    };
    if same { Ok(()) } else { Err(found.to_string()) }
}

fn raw_headers(headers: &Headers, expected: &Value) -> Result<(), String> {
    for (name, value) in expected.as_object().expect("an object") {
        if headers.get(name) != value.as_str() {
            return Err(format!("{:?}", headers.get(name)));
        }
    }
    Ok(())
}

/// The answer of a server without extensions has a header field of this name.
fn answer_has(view: &MessageView<'_>, name: &Value) -> Result<(), String> {
    let server = check::Element::SERVER;
    let refusal = check::request(view, &server).expect_err("a request to refuse");
    let mut headers = Headers::new();
    refusal.push_headers(view, &server, &mut headers);
    if headers.contains(name.as_str().unwrap_or_default()) {
        Ok(())
    } else {
        Err(format!("{headers:?}"))
    }
}

fn same_host(one: &Value, two: &Value) -> bool {
    let (one, two) = (one.as_str().unwrap_or(""), two.as_str().unwrap_or(""));
    match (
        one.parse::<std::net::IpAddr>(),
        two.parse::<std::net::IpAddr>(),
    ) {
        (Ok(one), Ok(two)) => one == two,
        _ => one.eq_ignore_ascii_case(two),
    }
}

fn uri_text(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(bytes))
}

fn user(uri: Uri<'_>) -> Value {
    uri.user_unescaped()
        .map_or(Value::Null, |user| uri_text(&user))
}

fn scheme(uri: Uri<'_>) -> Value {
    Value::from(match uri.scheme() {
        Scheme::Sip => "sip",
        Scheme::Sips => "sips",
        Scheme::Tel => "tel",
        Scheme::Other(other) => other,
    })
}

fn display(name: Option<Text<'_>>) -> Value {
    name.map_or(Value::Null, |name| Value::from(name.to_str()))
}

#[allow(
    clippy::too_many_lines,
    reason = "one line for each key of the manifests"
)]
fn value_of(view: &MessageView<'_>, key: &str) -> Option<Value> {
    let vias = || view.all::<Via<'_>>().collect::<Result<Vec<_>, _>>().ok();
    let contacts = || {
        view.all::<Contact<'_>>()
            .collect::<Result<Vec<_>, _>>()
            .ok()
    };
    let from = || view.required::<From<'_>>().ok();
    let to = || view.required::<To<'_>>().ok();
    let line = view.as_request();
    let request_uri = || line.as_ref()?.request_uri().ok();
    let contact = || view.required::<Contact<'_>>().ok();
    let option = |value: Option<&str>| value.map_or(Value::Null, Value::from);
    Some(match key {
        "method" => Value::from(line.as_ref()?.method.as_str()),
        "status" => Value::from(view.as_response()?.status.as_u16()),
        "reason" => Value::from(view.as_response()?.reason),
        "request_uri" => Value::from(line.as_ref()?.uri),
        "request_uri_host" => Value::from(request_uri()?.host()?.as_str()),
        "request_uri_port" => Value::from(request_uri()?.port()),
        "request_uri_scheme" => scheme(request_uri()?),
        "request_uri_user_unescaped" => user(request_uri()?),
        "request_uri_param_count" => Value::from(request_uri()?.params().iter().count()),
        "sip_version" => Value::from(line.as_ref()?.version.strip_prefix("SIP/")?),
        "missing" => {
            let all = ["Call-ID", "From", "To", "Max-Forwards", "CSeq", "Via"];
            let found = all.into_iter().filter(|name| count(view, name) == 0);
            Value::from(found.collect::<Vec<_>>())
        }
        "duplicated" => {
            let all = [
                "Call-ID",
                "To",
                "From",
                "CSeq",
                "Max-Forwards",
                "Content-Length",
            ];
            let found = all.into_iter().filter(|name| count(view, name) > 1);
            Value::from(found.collect::<Vec<_>>())
        }
        "to_tag" => option(to()?.tag()),
        "from_tag" => option(from()?.tag()),
        "from_display_name" => display(from()?.display_name()),
        "from_uri" => Value::from(from()?.uri().as_str()),
        "from_scheme" => scheme(from()?.uri()),
        "to_scheme" => scheme(to()?.uri()),
        "from_user_unescaped" => user(from()?.uri()),
        "to_user_unescaped" => user(to()?.uri()),
        "to_display_name" => display(to()?.display_name()),
        "to_display_name_bytes_hex" => {
            let name = to()?.display_name()?.to_str().into_owned();
            let hex: Vec<_> = name.bytes().map(|b| format!("{b:02x}")).collect();
            Value::from(hex.concat())
        }
        "call_id" => Value::from(view.required::<CallId<'_>>().ok()?.as_str()),
        "max_forwards" => Value::from(view.required::<MaxForwards>().ok()?.0),
        "cseq" => {
            let cseq = view.required::<CSeq<'_>>().ok()?;
            Value::from(vec![
                Value::from(cseq.number()),
                Value::from(cseq.method().as_str()),
            ])
        }
        "via_count" => Value::from(vias()?.len()),
        "via_transports" => {
            let vias = vias()?;
            Value::from(
                vias.iter()
                    .map(|via| via.transport().as_str())
                    .collect::<Vec<_>>(),
            )
        }
        "via_branches" => Value::from(vias()?.iter().filter_map(Via::branch).collect::<Vec<_>>()),
        "via_branch" => option(vias()?.first()?.branch()),
        "via_host" => Value::from(vias()?.first()?.host().as_str()),
        "via_hosts" => Value::from(
            vias()?
                .iter()
                .map(|via| via.host().as_str())
                .collect::<Vec<_>>(),
        ),
        "via_ports" => Value::from(
            vias()?
                .iter()
                .map(Via::port)
                .map(Value::from)
                .collect::<Vec<_>>(),
        ),
        "via_received" => Value::from(vias()?.first()?.received_ip()?.to_string()),
        "via_received_3" => Value::from(vias()?.get(2)?.received_ip()?.to_string()),
        "contact_count" => Value::from(contacts()?.len()),
        "contact_display_name" => display(contact()?.display_name()),
        "contact_q" => Value::from(f64::from(contact()?.q()?.thousandths()) / 1000.0),
        "contact_host" => Value::from(contact()?.uri()?.host()?.as_str()),
        "contact_scheme" => scheme(contact()?.uri()?),
        "contact_user_unescaped" => user(contact()?.uri()?),
        "contact_users_unescaped" => {
            let users = contacts()?
                .iter()
                .filter_map(Contact::uri)
                .map(user)
                .collect::<Vec<_>>();
            Value::from(users)
        }
        "contacts_distinct" => {
            let uris = contacts()?
                .iter()
                .filter_map(Contact::uri)
                .collect::<Vec<_>>();
            Value::from(!uris.first()?.equivalent(uris.get(1)?))
        }
        "contact_uri" => Value::from(contact()?.uri()?.as_str()),
        "contact_uri_param_count" => Value::from(contact()?.uri()?.params().iter().count()),
        "contact_uri_params" => {
            let uri = contact()?.uri()?;
            Value::from(
                uri.params()
                    .iter()
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>(),
            )
        }
        "contact_uri_params_unescaped" => {
            let uri = contact()?.uri()?;
            let unescaped = |text| String::from_utf8_lossy(&uri::unescape(text)).into_owned();
            let params = uri.params().iter();
            params
                .map(|(name, value)| (unescaped(name), Value::from(value.map(unescaped))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        "contact_uri_headers_unescaped" => {
            let uri = contact()?.uri()?;
            let unescaped = |text| String::from_utf8_lossy(&uri::unescape(text)).into_owned();
            let headers = uri.headers().iter();
            headers
                .map(|(name, value)| (unescaped(name), Value::from(unescaped(value))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        "contact_header_params" => {
            let contact = contact()?;
            Value::from(
                contact
                    .params()
                    .iter()
                    .map(|param| param.name())
                    .collect::<Vec<_>>(),
            )
        }
        "contact_header_param_count" => Value::from(contact()?.params().iter().count()),
        "route_count" => Value::from(view.all::<Route<'_>>().flatten().count()),
        "content_length" => Value::from(view.content_length()?),
        "available_body" | "body_length" => Value::from(view.body().len()),
        "trailing_octets_ignored" => Value::from(view.trailing()),
        "subject" => Value::from(view.to_headers().get("Subject")?),
        "content_type" => Value::from(view.required::<ContentType<'_>>().ok()?.to_string()),
        "multipart_boundary" => option(
            view.required::<ContentType<'_>>()
                .ok()?
                .boundary()
                .as_deref(),
        ),
        "multipart_parts" => {
            let boundary = view.required::<ContentType<'_>>().ok()?.boundary()?;
            let parts = multipart::parts(&boundary, view.body(), &Limits::default());
            Value::from(parts.collect::<Result<Vec<_>, _>>().ok()?.len())
        }
        "require" => Value::from(
            view.all::<Require<'_>>()
                .flatten()
                .map(|tag| tag.as_str())
                .collect::<Vec<_>>(),
        ),
        "proxy_require" => {
            let all = view.all::<ProxyRequire<'_>>().flatten();
            Value::from(all.map(|tag| tag.as_str()).collect::<Vec<_>>())
        }
        "authorization_scheme" => {
            let header = view.required::<Authorization<'_>>().ok()?;
            Value::from(header.credentials().scheme())
        }
        "authorization_params" => {
            let Credentials::Other(other) = view.required::<Authorization<'_>>().ok()?.0 else {
                return None;
            };
            let params = other.expose_params()?;
            let pairs = params
                .iter()
                .map(|p| (p.name().to_owned(), Value::from(p.value().to_str())));
            pairs.collect::<serde_json::Map<_, _>>().into()
        }
        "accept" => {
            let ranges = view
                .all::<Accept<'_>>()
                .collect::<Result<Vec<_>, _>>()
                .ok()?;
            Value::from(ranges.iter().map(ToString::to_string).collect::<Vec<_>>())
        }
        _ => return None,
    })
}

/// How many fields of this name there are.
fn count(view: &MessageView<'_>, name: &str) -> usize {
    view.to_headers().get_all(name).count()
}
