//! The messages: five of our own, and five more where the material they come with is at hand.

use std::path::PathBuf;

use sip_oauth_message::Method;
use sip_oauth_message::header::Transport;

use crate::{Proof, TenHeaders};

/// A message and its name.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it is called in the tables.
    pub name: String,
    /// As it is on the wire.
    pub bytes: Vec<u8>,
}

impl Message {
    /// The same in the shape of HTTP, for a parser of that: another version, no field on several
    /// lines, no white space before a colon. Nothing else changes, so it is as long but for that.
    #[must_use]
    pub fn http_twin(&self) -> Vec<u8> {
        let text = String::from_utf8_lossy(&self.bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines: Vec<String> = Vec::new();
        for line in head.split("\r\n") {
            match lines.last_mut() {
                Some(last) if line.starts_with([' ', '\t']) => {
                    last.push(' ');
                    last.push_str(line.trim_start());
                }
                None => lines.push(line.replace("SIP/2.0", "HTTP/1.1")),
                _ => {
                    let (name, value) = line.split_once(':').unwrap_or((line, ""));
                    lines.push(format!("{}:{value}", name.trim_end()));
                }
            }
        }
        format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
    }

    /// What a registrar and a softphone really see, and one that they had better survive: REGISTER
    /// with an access token in Unified CM's form, the 407 before it and the 200 after it, an INVITE
    /// written as strangely as RFC 3261 permits, an INVITE with SDP.
    ///
    /// Beside each: how many header fields it has, and what the ten say.
    pub fn ours() -> Vec<(Self, usize, TenHeaders<'static>)> {
        let own = |name: &str, bytes: &[u8], fields, ten| {
            let (name, bytes) = (name.to_owned(), bytes.to_owned());
            (Self { name, bytes }, fields, ten)
        };
        vec![
            own(
                "REGISTER",
                include_bytes!("../messages/register.sip"),
                13,
                register(),
            ),
            own(
                "407",
                include_bytes!("../messages/407.sip"),
                10,
                challenge(),
            ),
            own("200", include_bytes!("../messages/200.sip"), 11, ok()),
            own(
                "torturous INVITE",
                include_bytes!("../messages/torturous-invite.sip"),
                14,
                torturous_invite(),
            ),
            own(
                "INVITE with SDP",
                include_bytes!("../messages/invite.sip"),
                13,
                invite(),
            ),
        ]
    }
}

/// Every `*.sip` of the folder `bench-messages` beside the corpus, by name; none, said so, where there
/// is none.
///
/// The corpus is the folder in `SIP_OAUTH_CORPUS`, or `../shared/corpus` seen from the workspace.
pub fn shared() -> Vec<Message> {
    let corpus = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus")),
        PathBuf::from,
    );
    let folder = corpus.join("../bench-messages");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} (set SIP_OAUTH_CORPUS)", folder.display());
        return Vec::new();
    };
    let mut messages: Vec<Message> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            if path.extension()? != "sip" {
                return None;
            }
            let name = path.file_stem()?.to_str()?.to_owned();
            let bytes = std::fs::read(&path).ok()?;
            Some(Message { name, bytes })
        })
        .collect();
    messages.sort_by(|left, right| left.name.cmp(&right.name));
    messages
}

const CALL_ID: &str = "0250c3a4-b5d60003-00004b17-00006e20@192.0.2.61";

fn register() -> TenHeaders<'static> {
    TenHeaders {
        via: Some((
            Transport::Tls,
            "192.0.2.61",
            Some(49821),
            Some("z9hG4bK00002c75"),
        )),
        from: Some((
            "anna",
            "ucm1.example.com",
            Some("0250c3a4b5d60007000024e1-00001f9c"),
        )),
        to: Some(("anna", "ucm1.example.com", None)),
        call_id: Some(CALL_ID),
        cseq: Some((302, Method::Register)),
        contact: Some((
            "3b7e9d52-18c4-4a6f-b0d3-92e5f7a1c868",
            "192.0.2.61",
            Some(49821),
        )),
        binding: Some((
            Some("urn:uuid:00000000-0000-0000-0000-0250c3a4b5d6".into()),
            None,
        )),
        proxy_authorization: Some(Proof::Bearer(1545)),
        max_forwards: Some(70),
        content_length: Some(0),
        expires: Some(3600),
    }
}

fn challenge() -> TenHeaders<'static> {
    let request = register();
    TenHeaders {
        via: request.via,
        from: request.from,
        to: Some((
            "anna",
            "ucm1.example.com",
            Some("c40d8f15a92b4e7761d3b08e2f5a9c14.0311"),
        )),
        call_id: request.call_id,
        cseq: Some((301, Method::Register)),
        content_length: Some(0),
        ..TenHeaders::default()
    }
}

fn ok() -> TenHeaders<'static> {
    let request = register();
    TenHeaders {
        to: Some(("anna", "ucm1.example.com", Some("703311298"))),
        binding: request.binding.map(|(instance, _)| (instance, Some(120))),
        proxy_authorization: None,
        max_forwards: None,
        expires: Some(120),
        ..request
    }
}

fn torturous_invite() -> TenHeaders<'static> {
    TenHeaders {
        via: Some((Transport::Tls, "192.0.2.9", Some(5061), Some("z9hG4bKa7f2"))),
        from: Some(("ada", "example.com", Some("7c3a9f"))),
        to: Some(("front-desk", "example.com", Some("51f0cn"))),
        call_id: Some("longrun.4f2a@192.0.2.9"),
        cseq: Some((12, Method::Invite)),
        contact: Some(("ada", "example.com", None)),
        binding: Some((None, None)),
        max_forwards: Some(41),
        content_length: Some(146),
        ..TenHeaders::default()
    }
}

fn invite() -> TenHeaders<'static> {
    TenHeaders {
        via: Some((
            Transport::Tcp,
            "phone7.example.com",
            Some(5060),
            Some("z9hG4bK61e0d"),
        )),
        from: Some(("ada", "example.com", Some("b81d04fa72"))),
        to: Some(("front-desk", "example.net", None)),
        call_id: Some("7741906358120937745@phone7.example.com"),
        cseq: Some((2, Method::Invite)),
        contact: Some(("ada", "phone7.example.com", None)),
        binding: Some((None, None)),
        proxy_authorization: Some(Proof::Digest(Some("ada"))),
        max_forwards: Some(70),
        content_length: Some(268),
        ..TenHeaders::default()
    }
}
