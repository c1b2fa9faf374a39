//! Reading messages, and checks of one value each.

use crate::report::{Check, Connection, Event, Leg, Occurrence, PartyId, SipMessage};

/// The SIP messages that went from one party to another, in order.
pub(super) fn sent(events: &[Event], from: PartyId, to: PartyId) -> Vec<&SipMessage> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            Occurrence::Sip(message) => Some(message),
            _ => None,
        })
        .filter(|message| matches!(message.leg, Leg { from: sender, to: receiver, .. } if sender == from && receiver == to))
        .collect()
}

/// The first connection among the events.
pub(super) fn handshake(events: &[Event]) -> Option<&Connection> {
    events.iter().find_map(|event| match &event.what {
        Occurrence::Connection(connection) => Some(connection),
        _ => None,
    })
}

/// The `number`-th Via, from 0.
pub(super) fn via(message: Option<&SipMessage>, number: usize) -> Option<&str> {
    message?.values("Via").nth(number)
}

/// A value begins as expected.
pub(super) fn begins(what: &str, expected: &str, observed: Option<&str>) -> Check {
    let observed = observed.unwrap_or("absent");
    Check::that(
        what,
        format!("{expected}…"),
        observed,
        observed.starts_with(expected),
    )
}

/// A value holds what is expected.
pub(super) fn holds(what: &str, expected: &str, observed: Option<&str>) -> Check {
    let observed = observed.unwrap_or("absent");
    Check::that(
        what,
        format!("…{expected}…"),
        observed,
        observed.contains(expected),
    )
}

/// The value of a header field, or nothing.
pub(super) fn value<'m>(message: Option<&'m SipMessage>, name: &str) -> Option<&'m str> {
    message.and_then(|message| message.header(name))
}

/// A parameter behind a header field value: `tag`, `branch`.
pub(super) fn parameter<'m>(
    message: Option<&'m SipMessage>,
    header: &str,
    name: &str,
) -> Option<&'m str> {
    let value = value(message, header)?;
    // A name-addr may hold parameters of its URI; those of the field stand behind it.
    let behind = value.rsplit_once('>').map_or(value, |(_, behind)| behind);
    behind
        .split(';')
        .find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))
}

/// The number of CSeq.
pub(super) fn cseq(message: Option<&SipMessage>) -> Option<u32> {
    value(message, "CSeq")?.split(' ').next()?.parse().ok()
}

/// The host and port of the top Via.
pub(super) fn sent_by(message: Option<&SipMessage>) -> Option<&str> {
    value(message, "Via")?.split(' ').nth(1)?.split(';').next()
}

/// The request went to the listener at this port.
pub(super) fn port(what: &str, expected: u16, request: Option<&SipMessage>) -> Check {
    let seen = request.and_then(|request| request.leg.port);
    Check::present(what, expected, seen)
}

/// The start line is `expected`.
pub(super) fn start_line(what: &str, expected: &str, message: Option<&SipMessage>) -> Check {
    Check::present(
        what,
        expected,
        message.map(|message| message.start_line.as_str()),
    )
}

/// The header fields are those of the published message, in its order.
pub(super) fn order(what: &str, expected: &[&str], message: Option<&SipMessage>) -> Check {
    let seen = message.map(|message| {
        let names: Vec<&str> = message
            .headers
            .iter()
            .map(|header| header.name.as_str())
            .collect();
        names.join(" ")
    });
    Check::present(
        format!("{what}: header fields and their order"),
        expected.join(" "),
        seen,
    )
}

/// A header field has this value.
pub(super) fn field(what: &str, name: &str, expected: &str, message: Option<&SipMessage>) -> Check {
    Check::present(format!("{what}: {name}"), expected, value(message, name))
}

/// A header field is not there.
pub(super) fn absent(what: &str, name: &str, message: Option<&SipMessage>) -> Check {
    let seen = match message {
        None => "no message",
        Some(message) => message.header(name).map_or("absent", |_| "present"),
    };
    Check::equal(format!("{what}: {name}"), "absent", seen)
}

/// A body of this many bytes.
pub(super) fn body(what: &str, expected: usize, message: Option<&SipMessage>) -> Check {
    Check::present(
        format!("{what}: bytes in the body"),
        expected,
        message.map(|message| message.body_bytes),
    )
}

/// Two values that must be the same.
pub(super) fn same(what: &str, first: Option<&str>, second: Option<&str>) -> Check {
    let holds = first.is_some() && first == second;
    Check::that(
        what,
        first.unwrap_or("absent"),
        second.unwrap_or("absent"),
        holds,
    )
}

/// Two values that must differ.
pub(super) fn different(what: &str, first: Option<&str>, second: Option<&str>) -> Check {
    let holds = second.is_some() && first.is_some() && first != second;
    let expected = format!("another than {}", first.unwrap_or("absent"));
    Check::that(what, expected, second.unwrap_or("absent"), holds)
}

/// An answer belongs to a request: Via, From, Call-ID and CSeq come back as they were, To with a tag.
pub(super) fn belongs(
    what: &str,
    request: Option<&SipMessage>,
    answer: Option<&SipMessage>,
) -> Vec<Check> {
    let mut checks: Vec<Check> = ["Via", "From", "Call-ID", "CSeq"]
        .into_iter()
        .map(|name| {
            same(
                &format!("{what}: {name} of the request"),
                value(request, name),
                value(answer, name),
            )
        })
        .collect();
    let tag = parameter(answer, "To", "tag");
    checks.push(Check::that(
        format!("{what}: tag of To"),
        "a tag",
        tag.unwrap_or("absent"),
        tag.is_some_and(|tag| !tag.is_empty()),
    ));
    checks
}
