//! What an edge changes in a message on its way.

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hash, Hasher};

use sip_oauth_message::header::{CSeq, Contact, MaxForwards, Route, Via};
use sip_oauth_message::{HeaderName, Headers, Request, Text, TypedHeader, Uri};

use super::EdgeArrival;
use super::config::EdgeConfig;
use crate::address::uri_host;

/// What every branch begins with (RFC 3261 section 8.1.1.7).
const MAGIC: &str = "z9hG4bK";
/// How many digits of the transaction follow it in a branch of the edge.
const TRANSACTION_DIGITS: usize = 16;
/// The Contact parameter that tells the registrar whose token the edge judged.
const USER_PARAM: &str = "+u.sip!userid.ccm.cisco.com";
/// The same as older clients spell such parameters.
const OLDER_USER_PARAM: &str = "+u.sip!userid.ccm.features.cisco.com";

/// Why no writing into a `String` fails.
const INTO_STRING: &str = "writing into a String cannot fail";

/// The edge between two connections.
pub(super) struct Hop<'a> {
    pub(super) config: &'a EdgeConfig,
    pub(super) from: &'a EdgeArrival,
    /// Whose token was judged.
    pub(super) user: Option<&'a str>,
}

/// Rewrites a request for its way into a zone.
pub(super) fn request(hop: &Hop<'_>, request: &mut Request) {
    let headers = &mut request.headers;
    let transaction = transaction_of(headers);
    remove_own_routes(headers, hop.config);
    count_hop(headers);
    rewrite_contacts(headers, hop);
    if hop.config.sip_path_headers {
        headers.push_after(HeaderName::Via, HeaderName::Path, path(hop.config));
    }
    mark_client_via(headers, hop);
    headers.push_first(HeaderName::Via, own_via(hop, transaction));
}

/// `<sip:edge:port;transport=tls;lr>`, over which requests reach the client (RFC 3327).
fn path(config: &EdgeConfig) -> String {
    format!(
        "<sip:{}:{};transport=tls;lr>",
        uri_host(&config.host),
        config.port
    )
}

/// What the requests of one transaction have in common, as a number: topmost Via, Call-ID and number
/// of CSeq. A proxy that keeps no state must give the same branch to a request, its retransmissions
/// and its CANCEL (RFC 3261 section 16.11).
fn transaction_of(headers: &Headers) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Ok(Some(via)) = headers.header::<Via<'_>>() {
        (via.branch(), via.host().as_str(), via.port()).hash(&mut hasher);
    }
    headers.get("Call-ID").hash(&mut hasher);
    if let Ok(Some(cseq)) = headers.header::<CSeq<'_>>() {
        cseq.number().hash(&mut hasher);
    }
    hasher.finish()
}

/// The edge's own Via. Its branch names the connection of the client:
///
/// ```text
/// z9hG4bK<16 hex digits of the transaction>-<connection in hex>
/// ```
fn own_via(hop: &Hop<'_>, transaction: u64) -> String {
    format!(
        "SIP/2.0/TLS {}:{};branch={MAGIC}{transaction:0TRANSACTION_DIGITS$x}-{:x}",
        uri_host(&hop.config.host),
        hop.config.port,
        hop.from.connection
    )
}

/// The connection a branch of the edge names.
pub(super) fn connection_of(branch: &str) -> Option<u64> {
    let (transaction, connection) = branch.strip_prefix(MAGIC)?.split_once('-')?;
    let made_here = transaction.len() == TRANSACTION_DIGITS
        && transaction.bytes().all(|b| b.is_ascii_hexdigit());
    // `from_str_radix` takes a sign, the edge never writes one.
    let digits = !connection.is_empty() && connection.bytes().all(|b| b.is_ascii_hexdigit());
    if made_here && digits {
        u64::from_str_radix(connection, 16).ok()
    } else {
        None
    }
}

/// "If the first value in the Route header field indicates this proxy, the proxy MUST remove that value
/// from the request" (RFC 3261 section 16.4). Several values in a row may: the edge has two sides.
fn remove_own_routes(headers: &mut Headers, config: &EdgeConfig) {
    let is_own = |route: &Route<'_>| {
        route.uri().host().is_some_and(|host| {
            config
                .own_hosts
                .iter()
                .any(|own| own.eq_ignore_ascii_case(host.as_str()))
        })
    };
    // `forward_request` refused what cannot be read.
    let routes: Vec<Route<'_>> = headers.all().filter_map(Result::ok).collect();
    let others: Vec<String> = routes
        .iter()
        .skip_while(|route| is_own(route))
        .map(ToString::to_string)
        .collect();
    if others.len() == routes.len() {
        return;
    }
    headers.remove("Route");
    if !others.is_empty() {
        headers.push_first(HeaderName::Route, others.join(", "));
    }
}

/// Takes the first value out of the first field of a name; `rest` is what stays of its list.
fn replace_first(headers: &mut Headers, name: HeaderName<'_>, rest: &str) {
    headers.remove_first(name.as_str());
    if !rest.is_empty() {
        headers.push_first(name, rest);
    }
}

/// What follows the first value in the first field of its name.
fn rest_of<'a, H: TypedHeader<'a>>(headers: &'a Headers) -> String {
    headers
        .get(H::NAME.as_str())
        .and_then(|value| H::decode(value).ok())
        .map(|(_, rest)| rest.to_owned())
        .unwrap_or_default()
}

/// Removes the topmost Via.
pub(super) fn remove_top_via(headers: &mut Headers) {
    let rest = rest_of::<Via<'_>>(headers);
    replace_first(headers, HeaderName::Via, &rest);
}

/// One hop less; 70 where the client did not count (RFC 3261 section 16.6 step 3).
fn count_hop(headers: &mut Headers) {
    match headers.header::<MaxForwards>() {
        Ok(Some(MaxForwards(left))) => headers.set(HeaderName::MaxForwards, left.saturating_sub(1)),
        Ok(None) | Err(_) => headers.set(HeaderName::MaxForwards, 70),
    }
}

/// Tells in the client's Via where the request really came from, and by which zone:
/// `;received=…;rport=…;ingress-zone=CollaborationEdgeZone`.
fn mark_client_via(headers: &mut Headers, hop: &Hop<'_>) {
    let Ok(Some(via)) = headers.header::<Via<'_>>() else {
        return;
    };
    let marked = marked(&via, hop).expect(INTO_STRING);
    let rest = rest_of::<Via<'_>>(headers);
    replace_first(headers, HeaderName::Via, &rest);
    headers.push_first(HeaderName::Via, marked);
}

fn marked(via: &Via<'_>, hop: &Hop<'_>) -> Result<String, fmt::Error> {
    const OURS: [&str; 3] = ["received", "rport", "ingress-zone"];
    let mut text = format!("SIP/2.0/{} {}", via.transport(), via.host());
    if let Some(port) = via.port() {
        write!(text, ":{port}")?;
    }
    for param in via.params().iter() {
        if !OURS
            .iter()
            .any(|ours| param.name().eq_ignore_ascii_case(ours))
        {
            write!(text, ";{param}")?;
        }
    }
    let (ip, port) = (hop.from.peer.ip(), hop.from.peer.port());
    write!(
        text,
        ";received={ip};rport={port};ingress-zone={}",
        hop.config.ingress_zone
    )?;
    Ok(text)
}

/// Puts the edge's own address into the Contacts, or leaves them alone where a Path says the same.
///
/// Who the user is only the edge says: what a client says about it goes no further either way.
fn rewrite_contacts(headers: &mut Headers, hop: &Hop<'_>) {
    let alone = hop.config.sip_path_headers;
    // `forward_request` refused what cannot be read.
    let contacts: Vec<Contact<'_>> = headers.all().filter_map(Result::ok).collect();
    if alone && !contacts.iter().any(names_a_user) {
        return;
    }
    let contacts: Vec<String> = contacts
        .iter()
        .map(|contact| rewritten(contact, hop, alone).expect(INTO_STRING))
        .collect();
    if !contacts.is_empty() {
        headers.set(HeaderName::Contact, contacts.join(", "));
    }
}

/// The parameter has two spellings; what reads the one may read the other.
fn is_user_param(name: &str) -> bool {
    [USER_PARAM, OLDER_USER_PARAM]
        .iter()
        .any(|ours| name.eq_ignore_ascii_case(ours))
}

fn names_a_user(contact: &Contact<'_>) -> bool {
    contact
        .params()
        .iter()
        .any(|param| is_user_param(param.name()))
}

/// The Contact without the name of a user; unless it is left `alone`, with the edge's address in
/// place of the client's and the name of the user whose token was judged.
fn rewritten(contact: &Contact<'_>, hop: &Hop<'_>, alone: bool) -> Result<String, fmt::Error> {
    let Some(uri) = contact.uri() else {
        return Ok(contact.to_string());
    };
    let mut text = String::new();
    if let Some(name) = contact.display_name() {
        write!(text, "{name} ")?;
    }
    if alone || !uri.is_sip() {
        write!(text, "<{uri}>")?;
    } else {
        write_own_uri(&mut text, &uri, hop)?;
    }
    for param in contact.params().iter() {
        if !is_user_param(param.name()) {
            write!(text, ";{param}")?;
        }
    }
    if let Some(user) = hop.user.filter(|_| !alone) {
        write!(text, ";{USER_PARAM}={}", Text::Plain(user))?;
    }
    Ok(text)
}

/// `<sip:user@edge:port;transport=tls;orig-hostport=client>`
fn write_own_uri(text: &mut String, uri: &Uri<'_>, hop: &Hop<'_>) -> fmt::Result {
    text.push_str("<sip:");
    if let Some(user) = uri.user() {
        write!(text, "{user}@")?;
    }
    let (host, port) = (uri_host(&hop.config.host), hop.config.port);
    write!(text, "{host}:{port};transport=tls")?;
    for (name, value) in uri.params().iter() {
        let replaced = ["transport", "orig-hostport"]
            .iter()
            .any(|ours| name.eq_ignore_ascii_case(ours));
        match value {
            _ if replaced => {}
            Some(value) => write!(text, ";{name}={value}")?,
            None => write!(text, ";{name}")?,
        }
    }
    match (uri.host(), uri.port()) {
        (Some(host), Some(port)) => write!(text, ";orig-hostport={host}:{port}")?,
        (Some(host), None) => write!(text, ";orig-hostport={host}")?,
        (None, _) => {}
    }
    text.push('>');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_names_its_connection() {
        let config = EdgeConfig::new("expc.example.com", 5061);
        for connection in [0, 1, 255, u64::MAX] {
            let from = EdgeArrival::new(connection, ([192, 0, 2, 10], 50000).into());
            let hop = Hop {
                config: &config,
                from: &from,
                user: None,
            };
            let via = own_via(&hop, 1);
            let (_, branch) = via.split_once("branch=").unwrap();
            assert_eq!(connection_of(branch), Some(connection));
        }
    }

    #[test]
    fn a_foreign_branch_names_none() {
        for branch in [
            "",
            "z9hG4bK00001188",
            "z9hG4bK-1",
            "z9hG4bK0123456789abcdef-",
            "z9hG4bK0123456789abcdef-+1",
        ] {
            assert_eq!(connection_of(branch), None, "{branch}");
        }
    }
}
