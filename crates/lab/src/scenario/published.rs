//! The messages of the document, field by field.

use super::sip;
use crate::report::{Check, SipMessage};

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

/// A first REGISTER: no credentials, everything where the published message has it.
pub(super) fn first_register(
    node: &str,
    device: &str,
    line: &str,
    request: Option<&SipMessage>,
) -> Vec<Check> {
    let what = "REGISTER";
    let contact = sip::value(request, "Contact").unwrap_or_default();
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
        sip::start_line(
            "request line",
            &format!("REGISTER sip:{node} SIP/2.0"),
            request,
        ),
        sip::order(what, REGISTER, request),
        sip::field(what, "To", &to, request),
        Check::present(
            "REGISTER: From without its tag",
            &to,
            sip::value(request, "From")
                .and_then(|from| from.split_once(";tag="))
                .map(|(from, _)| from),
        ),
        sip::field(what, "Expires", "3600", request),
        sip::field(what, "User-Agent", "Cisco-CSF", request),
        sip::field(
            what,
            "Content-Type",
            "multipart/mixed; boundary=uniqueBoundary",
            request,
        ),
        sip::body(what, REGISTER_BODY_BYTES, request),
        parameter_of_contact("+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-"),
        parameter_of_contact(&format!("+u.sip!devicename.ccm.cisco.com=\"{device}\"")),
        parameter_of_contact("+u.sip!model.ccm.cisco.com=\"503\""),
        sip::absent(what, "Authorization", request),
        sip::absent(what, "Proxy-Authorization", request),
    ]
}

/// The 407 of the registrar.
pub(super) fn challenge(request: Option<&SipMessage>, answer: Option<&SipMessage>) -> Vec<Check> {
    let what = "407";
    let mut checks = vec![
        sip::start_line(
            "status line",
            "SIP/2.0 407 Proxy Authentication Required",
            answer,
        ),
        sip::order(what, CHALLENGE, answer),
        sip::field(
            what,
            "Proxy-Authenticate",
            "Bearer realm=\"ccmsipline\"",
            answer,
        ),
        sip::body(what, 0, answer),
    ];
    checks.extend(sip::belongs(what, request, answer));
    checks
}

/// The REGISTER that answers a 407.
pub(super) fn with_token(first: Option<&SipMessage>, second: Option<&SipMessage>) -> Vec<Check> {
    let what = "REGISTER with token";
    let credentials = sip::value(second, "Proxy-Authorization").unwrap_or("absent");
    vec![
        sip::order(what, REGISTER_WITH_TOKEN, second),
        Check::that(
            "REGISTER with token: Proxy-Authorization",
            "Bearer token=\"…\"",
            credentials,
            credentials.starts_with("Bearer token=\"<"),
        ),
        sip::same(
            "same Call-ID",
            sip::value(first, "Call-ID"),
            sip::value(second, "Call-ID"),
        ),
        sip::same(
            "same tag of From",
            sip::parameter(first, "From", "tag"),
            sip::parameter(second, "From", "tag"),
        ),
        Check::present(
            "CSeq of the first plus one",
            sip::cseq(first).map_or(0, |number| number + 1),
            sip::cseq(second),
        ),
        sip::different(
            "new branch",
            sip::parameter(first, "Via", "branch"),
            sip::parameter(second, "Via", "branch"),
        ),
        sip::same(
            "same connection (sent-by of Via)",
            sip::sent_by(first),
            sip::sent_by(second),
        ),
        sip::body(what, REGISTER_BODY_BYTES, second),
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
    let contact = sip::value(request, "Contact").unwrap_or("absent");
    let contact = if new {
        format!("{contact};x-cisco-newreg")
    } else {
        contact.to_owned()
    };
    let mut checks = vec![
        sip::start_line("status line", "SIP/2.0 200 OK", answer),
        sip::order(what, GRANTED, answer),
        sip::field(what, "Expires", expires, answer),
        sip::field(what, "Contact", &contact, answer),
        sip::field(
            what,
            "Supported",
            "X-cisco-srtp-fallback,X-cisco-sis-9.1.0",
            answer,
        ),
        sip::field(
            what,
            "Content-Type",
            "application/x-cisco-remotecc-response+xml",
            answer,
        ),
        sip::body(what, GRANTED_BODY_BYTES, answer),
    ];
    checks.extend(sip::belongs(what, request, answer));
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
        sip::start_line("status line", "SIP/2.0 403 Forbidden", answer),
        sip::order(what, FORBIDDEN, answer),
        sip::field(what, "Retry-After", "35", answer),
        sip::field(what, "Warning", &warning, answer),
        sip::body(what, 0, answer),
    ];
    checks.extend(sip::belongs(what, request, answer));
    checks
}
