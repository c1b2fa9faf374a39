//! From what an observer is told to what a report keeps of it.

use rustls::ProtocolVersion;
use sip_oauth_message::{Limits, MessageView};
use sip_oauth_tokio::TlsFacts;
use sip_oauth_trust::{Explanation, Party, alert_name};

use crate::report::{Connection, Header, Leg, SipMessage};

/// A handshake that came to an end on the side that opened the connection. In TLS 1.3 the other side may still refuse.
pub(super) fn handshake(leg: Leg, tls: &TlsFacts) -> Connection {
    let version = match tls.version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let mut shows = Vec::new();
    if let Some(peer) = &tls.peer {
        let names: Vec<&str> = peer.dns_names().iter().map(String::as_str).collect();
        shows.push(format!("certificate of {}", names.join(", ")));
    }
    if tls.own_certificate {
        shows.push(format!("{} shows its own", leg.from.name()));
    }
    Connection {
        leg,
        refused: false,
        client_certificate: tls.own_certificate,
        summary: format!("{version} handshake"),
        shows,
    }
}

/// A handshake of which nothing but its refusal is to come.
pub(super) fn attempt(leg: Leg) -> Connection {
    Connection {
        leg,
        refused: false,
        client_certificate: false,
        summary: "TLS handshake begins".to_owned(),
        shows: Vec::new(),
    }
}

/// A refused handshake: the alert goes from the side that refused to the other.
pub(super) fn refusal(outward: Leg, explanation: &Explanation) -> Connection {
    let leg = match explanation.refused_by {
        Party::Us => outward,
        Party::Peer => Leg {
            from: outward.to,
            to: outward.from,
            port: None,
            ..outward
        },
    };
    let summary = match explanation.alert {
        Some(alert) => format!("alert {} ({})", alert_name(alert), u8::from(alert)),
        None => "TLS handshake failed".to_owned(),
    };
    Connection {
        leg,
        refused: true,
        client_certificate: false,
        summary,
        shows: vec![explanation.reason.to_string()],
    }
}

/// Scheme, port and path of a URL, as far as the ladder needs them.
pub(super) fn parts(url: &str) -> Option<(bool, u16, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash)?;
    let port = authority
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())?;
    Some((scheme == "https", port, path))
}

/// A message as the report keeps it; nothing for bytes that are no message.
pub(super) fn sip_message(leg: Leg, bytes: &[u8]) -> Option<SipMessage> {
    let view = MessageView::parse(bytes, &Limits::default()).ok()?;
    let start_line = bytes
        .split(|&byte| byte == b'\r')
        .next()
        .map(String::from_utf8_lossy)?
        .into_owned();
    let headers = view
        .fields()
        .map(|field| {
            let name = field.name_text();
            Header {
                name: name.to_owned(),
                value: redacted(name, field.value()),
            }
        })
        .collect();
    Some(SipMessage {
        leg,
        start_line,
        headers,
        body_bytes: view.body().len(),
        message_bytes: bytes.len(),
    })
}

/// A header field value without secrets: credentials keep their scheme, their form and their length.
fn redacted(name: &str, value: &str) -> String {
    if !name.eq_ignore_ascii_case("Authorization")
        && !name.eq_ignore_ascii_case("Proxy-Authorization")
    {
        return value.to_owned();
    }
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    match rest
        .strip_prefix("token=\"")
        .and_then(|rest| rest.split_once('"'))
    {
        Some((token, "")) => format!("{scheme} token=\"<{} bytes>\"", token.len()),
        _ => format!("{scheme} <{} bytes>", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::PartyId;

    const LEG: Leg = Leg {
        from: PartyId::Jabber,
        to: PartyId::UnifiedCm,
        transport: "TLS",
        port: Some(5090),
    };

    #[test]
    fn credentials_keep_their_form_and_length_only() {
        for (value, shown) in [
            ("Bearer token=\"eyJhbGciOi\"", "Bearer token=\"<10 bytes>\""),
            ("Bearer eyJhbGciOi", "Bearer <10 bytes>"),
            (
                "Bearer token=\"eyJ\", username=\"eyJ\"",
                "Bearer <27 bytes>",
            ),
            ("Digest username=\"a\"", "Digest <12 bytes>"),
            ("eyJhbGciOi", " <10 bytes>"),
        ] {
            assert_eq!(redacted("proxy-authorization", value), shown);
            assert!(!redacted("Authorization", value).contains("eyJ"));
        }
        assert_eq!(redacted("Expires", "120"), "120");
    }

    #[test]
    fn a_message_keeps_the_order_of_its_header_fields() {
        let bytes = b"REGISTER sip:ucm.example.com SIP/2.0\r\nCSeq: 1 REGISTER\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\nContent-Length: 2\r\n\r\nab";
        let message = sip_message(LEG, bytes).unwrap();
        assert_eq!(message.start_line, "REGISTER sip:ucm.example.com SIP/2.0");
        let names: Vec<_> = message
            .headers
            .iter()
            .map(|header| header.name.as_str())
            .collect();
        assert_eq!(names, ["CSeq", "Via", "Content-Length"]);
        assert_eq!(
            (message.body_bytes, message.message_bytes),
            (2, bytes.len())
        );
        assert!(sip_message(LEG, b"\x15\x03\x03").is_none());
    }

    #[test]
    fn urls_give_scheme_port_and_path() {
        assert_eq!(
            parts("https://ucm.example.com:8443/axl/"),
            Some((true, 8443, "/axl/"))
        );
        assert_eq!(
            parts("http://ucm.example.com:6970"),
            Some((false, 6970, ""))
        );
        assert_eq!(parts("ucm.example.com"), None);
    }
}
