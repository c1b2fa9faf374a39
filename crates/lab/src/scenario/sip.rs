//! What the document says about the messages of a registration, held against those that were seen.

use crate::report::{Check, Connection, Event, Leg, Occurrence, PartyId, SipMessage};

/// Header fields of a first REGISTER, in the order of the published message.
pub(super) const REGISTER: &[&str] = &[
    "Via",
    "From",
    "To",
    "Call-ID",
    "Max-Forwards",
    "Date",
    "CSeq",
    "User-Agent",
    "Contact",
    "Supported",
    "Reason",
    "Expires",
    "Content-Type",
    "Mime-Version",
    "Content-Length",
];
/// Header fields of the REGISTER with the token: credentials stand between Contact and Supported.
pub(super) const REGISTER_WITH_TOKEN: &[&str] = &[
    "Via",
    "From",
    "To",
    "Call-ID",
    "Max-Forwards",
    "Date",
    "CSeq",
    "User-Agent",
    "Contact",
    "Proxy-Authorization",
    "Supported",
    "Reason",
    "Expires",
    "Content-Type",
    "Mime-Version",
    "Content-Length",
];
/// Header fields of the 407.
pub(super) const CHALLENGE: &[&str] = &[
    "Via",
    "From",
    "To",
    "Date",
    "Call-ID",
    "Server",
    "CSeq",
    "Proxy-Authenticate",
    "Content-Length",
];
/// Header fields of the 200.
pub(super) const GRANTED: &[&str] = &[
    "Via",
    "From",
    "To",
    "Date",
    "Call-ID",
    "Server",
    "CSeq",
    "Expires",
    "Contact",
    "Supported",
    "Content-Type",
    "Content-Length",
];
/// Header fields of the 403.
pub(super) const FORBIDDEN: &[&str] = &[
    "Via",
    "From",
    "To",
    "Date",
    "Call-ID",
    "Server",
    "CSeq",
    "Retry-After",
    "Warning",
    "Content-Length",
];

/// The REGISTER body of Jabber 12.8: Content-Length in the published message.
pub(super) const REGISTER_BODY_BYTES: usize = 1271;
/// The body of the 200.
pub(super) const GRANTED_BODY_BYTES: usize = 381;

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

/// A first REGISTER: no credentials, everything where the published message has it.
pub(super) fn first_register(
    node: &str,
    device: &str,
    line: &str,
    request: Option<&SipMessage>,
) -> Vec<Check> {
    let what = "REGISTER";
    let contact = value(request, "Contact").unwrap_or_default();
    let parameter_of_contact = |text: &str| {
        Check::that(
            format!("{what}: Contact"),
            format!("has {text}"),
            if contact.contains(text) {
                "has it"
            } else {
                "has it not"
            },
            contact.contains(text),
        )
    };
    let to = format!("<sip:{line}@{node}>");
    vec![
        start_line(
            "request line",
            &format!("REGISTER sip:{node} SIP/2.0"),
            request,
        ),
        order(what, REGISTER, request),
        field(what, "To", &to, request),
        Check::present(
            "REGISTER: From without its tag",
            &to,
            value(request, "From")
                .and_then(|from| from.split_once(";tag="))
                .map(|(from, _)| from),
        ),
        field(what, "Expires", "3600", request),
        field(what, "User-Agent", "Cisco-CSF", request),
        field(
            what,
            "Content-Type",
            "multipart/mixed; boundary=uniqueBoundary",
            request,
        ),
        body(what, REGISTER_BODY_BYTES, request),
        parameter_of_contact("+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-"),
        parameter_of_contact(&format!("+u.sip!devicename.ccm.cisco.com=\"{device}\"")),
        parameter_of_contact("+u.sip!model.ccm.cisco.com=\"503\""),
        absent(what, "Authorization", request),
        absent(what, "Proxy-Authorization", request),
    ]
}

/// The 407 of the registrar.
pub(super) fn challenge(request: Option<&SipMessage>, answer: Option<&SipMessage>) -> Vec<Check> {
    let what = "407";
    let mut checks = vec![
        start_line(
            "status line",
            "SIP/2.0 407 Proxy Authentication Required",
            answer,
        ),
        order(what, CHALLENGE, answer),
        field(
            what,
            "Proxy-Authenticate",
            "Bearer realm=\"ccmsipline\"",
            answer,
        ),
        body(what, 0, answer),
    ];
    checks.extend(belongs(what, request, answer));
    checks
}

/// The REGISTER that answers a 407.
pub(super) fn with_token(first: Option<&SipMessage>, second: Option<&SipMessage>) -> Vec<Check> {
    let what = "REGISTER with token";
    let credentials = value(second, "Proxy-Authorization").unwrap_or("absent");
    vec![
        order(what, REGISTER_WITH_TOKEN, second),
        Check::that(
            "REGISTER with token: Proxy-Authorization",
            "Bearer token=\"…\"",
            credentials,
            credentials.starts_with("Bearer token=\"<"),
        ),
        same(
            "same Call-ID",
            value(first, "Call-ID"),
            value(second, "Call-ID"),
        ),
        same(
            "same tag of From",
            parameter(first, "From", "tag"),
            parameter(second, "From", "tag"),
        ),
        Check::present(
            "CSeq of the first plus one",
            cseq(first).map_or(0, |number| number + 1),
            cseq(second),
        ),
        different(
            "new branch",
            parameter(first, "Via", "branch"),
            parameter(second, "Via", "branch"),
        ),
        same(
            "same connection (sent-by of Via)",
            sent_by(first),
            sent_by(second),
        ),
        body(what, REGISTER_BODY_BYTES, second),
    ]
}

/// The 200 of a registrar that granted `expires` seconds.
pub(super) fn granted(
    expires: &str,
    new: bool,
    request: Option<&SipMessage>,
    answer: Option<&SipMessage>,
) -> Vec<Check> {
    let what = "200";
    let contact = value(request, "Contact").unwrap_or("absent");
    let contact = if new {
        format!("{contact};x-cisco-newreg")
    } else {
        contact.to_owned()
    };
    let mut checks = vec![
        start_line("status line", "SIP/2.0 200 OK", answer),
        order(what, GRANTED, answer),
        field(what, "Expires", expires, answer),
        field(what, "Contact", &contact, answer),
        field(
            what,
            "Supported",
            "X-cisco-srtp-fallback,X-cisco-sis-9.1.0",
            answer,
        ),
        field(
            what,
            "Content-Type",
            "application/x-cisco-remotecc-response+xml",
            answer,
        ),
        body(what, GRANTED_BODY_BYTES, answer),
    ];
    checks.extend(belongs(what, request, answer));
    checks
}

/// The 403 of a REGISTER that came to the wrong port.
pub(super) fn port_mismatch(
    node: &str,
    request: Option<&SipMessage>,
    answer: Option<&SipMessage>,
) -> Vec<Check> {
    let what = "403";
    let warning = format!("399 {node} \"SIP OAuth Registration port Mismatch\"");
    let mut checks = vec![
        start_line("status line", "SIP/2.0 403 Forbidden", answer),
        order(what, FORBIDDEN, answer),
        field(what, "Retry-After", "35", answer),
        field(what, "Warning", &warning, answer),
        body(what, 0, answer),
    ];
    checks.extend(belongs(what, request, answer));
    checks
}
