//! Requests that none of our clients would send.

use std::fmt::Write;

use sip_oauth_message::remotecc::{REGISTER_CONTENT_TYPE, RegisterBody};
use sip_oauth_token::AccessToken;

use super::{DEVICES, NODES, OWNER};

/// A REGISTER of one client for one device, each part of it drawn by `choose`, which gives a number below its argument.
///
/// It names several Contacts or `*`, one line or all, a time of its own for each, and any CSeq.
pub(super) fn register(
    mut choose: impl FnMut(usize) -> usize,
    node: usize,
    rfc8898: bool,
    tokens: &[AccessToken],
) -> Vec<u8> {
    const EXPIRES: [&str; 8] = ["", "0", "0", "60", "120", "3600", "59", "4294967295"];
    let node = NODES.get(node).copied().unwrap_or_default();
    let (device, lines) = one_of(&DEVICES, choose(DEVICES.len()));
    // The last is no line of anybody's.
    let line = match choose(5) {
        4 => "9999",
        _ if rfc8898 => OWNER,
        other => one_of(&lines, other % lines.len()),
    };
    let instance = choose(3);
    let mut text = format!(
        "REGISTER sip:{node} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10:20000;branch=z9hG4bKforged\r\n\
         From: <sip:{line}@{node}>;tag=1\r\nTo: <sip:{line}@{node}>\r\nCall-ID: {}@192.0.2.10\r\n\
         CSeq: {} REGISTER\r\nMax-Forwards: 70\r\n",
        choose(2),
        1 + choose(8)
    );
    let mut add = |name: &str, value: &str| {
        write!(text, "{name}: {value}\r\n").expect("writing into a String cannot fail");
    };
    match choose(8) {
        0 => {}
        1 => add("Contact", "*"),
        many => {
            for _ in 0..=many % 3 {
                let mut contact = format!("<sip:guid@192.0.2.10:2000{};transport=tls>", choose(4));
                if !rfc8898 {
                    contact.extend([";+u.sip!devicename.ccm.cisco.com=\"", device, "\""]);
                }
                if instance > 0 {
                    let instance = if instance == 1 { "01" } else { "02" };
                    let urn = ";+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-0050560000";
                    contact.extend([urn, instance, ">\""]);
                }
                let expires = one_of(&EXPIRES, choose(EXPIRES.len()));
                if !expires.is_empty() {
                    contact.extend([";expires=", expires]);
                }
                add("Contact", &contact);
            }
        }
    }
    let expires = one_of(&EXPIRES, choose(EXPIRES.len()));
    if !expires.is_empty() {
        add("Expires", expires);
    }
    if let Some(token) = tokens.get(choose(tokens.len() + 1)) {
        add("Authorization", &format!("Bearer {}", token.expose()));
    }
    let kind = choose(8);
    if kind & 1 != 0 {
        add("Supported", "X-cisco-graceful-reg,path");
    }
    if kind & 2 != 0 {
        let alarm = "SIP;cause=200;text=\"cisco-alarm:111 Name=x Load=x Last=Application-Requested-Destroy\"";
        add("Reason", alarm);
    }
    let mut body = Vec::new();
    if kind & 4 != 0 {
        add("Content-Type", REGISTER_CONTENT_TYPE);
        body = RegisterBody::JABBER.encode();
    }
    add("Content-Length", &body.len().to_string());
    text += "\r\n";
    let mut bytes = text.into_bytes();
    bytes.extend(body);
    bytes
}

fn one_of<T: Copy>(these: &[T], at: usize) -> T {
    *these.get(at).expect("chosen below the length")
}
