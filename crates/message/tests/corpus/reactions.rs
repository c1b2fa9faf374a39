//! What a server, a proxy and a registrar do with a message, by the parser and the second check.

use serde_json::Value;
use sip_oauth_message::check::{self, Element, Recipient};
use sip_oauth_message::{Limits, MessageView, Method};

use crate::support::read_all_headers;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// It is acted upon; what comes of it is not for this crate to say.
    Process,
    /// It is answered with this status code.
    Refuse(u16),
    /// It is dropped without an answer.
    Discard,
}

#[derive(Clone, Copy)]
enum Role {
    /// One that knows every method and body.
    Server,
    /// A telephone.
    Uas,
    Proxy,
    Registrar,
}

const UAS: Element<'static> = Element {
    methods: &[
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Options,
    ],
    media_types: &["application/sdp", "multipart/*", "text/plain"],
    answers: &["application/sdp"],
    ..Element::SERVER
};

/// The reaction of each role that a name in the manifest stands for.
pub(crate) fn of(bytes: &[u8], role: &str) -> Vec<(&'static str, Reaction)> {
    let roles: &[(&str, Role)] = match role {
        "any" => &[("server", Role::Server), ("proxy", Role::Proxy)],
        "uas" => &[("uas", Role::Uas)],
        "proxy" => &[("proxy", Role::Proxy)],
        "registrar" => &[("registrar", Role::Registrar)],
        other => panic!("no such role: {other}"),
    };
    let reactions = roles
        .iter()
        .map(|(name, role)| (*name, react(bytes, *role)));
    reactions.collect()
}

fn react(bytes: &[u8], role: Role) -> Reaction {
    let malformed = if bytes.starts_with(b"SIP/") {
        Reaction::Discard
    } else {
        Reaction::Refuse(400)
    };
    let Ok(view) = MessageView::parse(bytes, &Limits::default()) else {
        return malformed;
    };
    let recipient = Recipient {
        forwards: matches!(role, Role::Proxy),
        sent_by: &[],
    };
    if check::response(&view, &recipient).is_err() {
        return Reaction::Discard;
    }
    let checked = match role {
        Role::Server => check::request(&view, &Element::SERVER),
        Role::Uas => check::request(&view, &UAS),
        Role::Proxy => check::request(&view, &Element::PROXY),
        Role::Registrar => check::register(&view, &Element::SERVER),
    };
    match checked {
        Err(refusal) => Reaction::Refuse(refusal.status.as_u16()),
        Ok(()) if read_all_headers(&view).is_err() => malformed,
        Ok(()) => Reaction::Process,
    }
}

/// Whether the manifest allows it. A status code that a decision leads to, and not a check, is for
/// whoever processes the message; where the RFC lets an element be liberal, so may be we.
pub(crate) fn is_among(found: Reaction, expected: &Value, may_be_liberal: bool) -> bool {
    match found {
        Reaction::Discard => expected == "discard",
        Reaction::Process => {
            let decides = |code: &Value| [200, 401, 404].iter().any(|decided| code == decided);
            expected == "process-normally"
                || may_be_liberal
                || expected
                    .as_array()
                    .is_some_and(|codes| codes.iter().any(decides))
        }
        Reaction::Refuse(status) => expected
            .as_array()
            .is_some_and(|codes| codes.iter().any(|code| *code == status)),
    }
}
