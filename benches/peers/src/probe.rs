//! Small messages that tell parsers apart, and what each peer makes of them.

use crate::check::{bare, caught};
use crate::peer::{Peer, Refusal};
use crate::values::{Host, Proof, Reading, TenValues};

/// A question.
pub struct Probe {
    /// What is in the message.
    pub about: &'static str,
    /// More than one where either form will do.
    messages: Vec<Vec<u8>>,
    wanted: Wanted,
}

enum Wanted {
    /// That it is read, and gives what `right` says.
    Read(fn(&TenValues<'_>) -> Verdict),
    /// That it is refused, by the parse or by the peer's own check of a whole message.
    Refusal,
}

/// What a peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should: it reads the value.
    Reads,
    /// As it should: it refuses.
    Refuses,
    /// The message, or the header.
    RefusesWrongly,
    /// It finds the header and reads something else, or a part.
    Misreads,
    /// It does not find the header, or the token in it.
    Loses,
    /// It has no type for the header.
    Text,
    /// What should be refused.
    Takes,
    /// It refuses a message without fault as well, so nothing is learnt.
    RefusesAll,
    NotOffered,
}

impl Verdict {
    pub fn is_right(self) -> bool {
        matches!(self, Self::Reads | Self::Refuses)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Refuses => "refuses",
            Self::RefusesWrongly => "**refuses**",
            Self::Misreads => "**misreads**",
            Self::Loses => "**loses**",
            Self::Text => "text only",
            Self::Takes => "**takes**",
            Self::RefusesAll => "(refuses all)",
            Self::NotOffered => "–",
        }
    }

    fn of<T>(reading: &Reading<'_, T>, right: impl FnOnce(&T) -> bool) -> Self {
        match reading {
            Reading::Value(value) if right(value) => Self::Reads,
            Reading::Value(_) => Self::Misreads,
            Reading::Absent => Self::Loses,
            Reading::Text(_) => Self::Text,
            Reading::Refused => Self::RefusesWrongly,
        }
    }
}

/// What a peer does with a probe.
pub fn verdict(peer: &dyn Peer, probe: &Probe) -> Verdict {
    let verdicts = probe.messages.iter().map(|message| match probe.wanted {
        Wanted::Read(right) => {
            let mut verdict = Verdict::NotOffered;
            let read = || peer.ten_headers(message, &mut |ten| verdict = right(ten));
            match caught(read) {
                Ok(()) => verdict,
                Err(Refusal::NotOffered) => Verdict::NotOffered,
                Err(Refusal::Message(_)) => Verdict::RefusesWrongly,
            }
        }
        Wanted::Refusal => match caught(|| peer.judge(message)) {
            Ok(()) => Verdict::Takes,
            Err(Refusal::NotOffered) => Verdict::NotOffered,
            Err(Refusal::Message(_)) if caught(|| peer.judge(&register(&[]))).is_err() => {
                Verdict::RefusesAll
            }
            Err(Refusal::Message(_)) => Verdict::Refuses,
        },
    });
    verdicts.min().unwrap_or(Verdict::NotOffered)
}

/// All of them, in the order of the table.
pub fn probes() -> Vec<Probe> {
    let mut probes = bearer();
    probes.extend(grammar());
    probes.extend(refusals());
    probes
}

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl";
const LONG: usize = 8192;

fn bearer() -> Vec<Probe> {
    let proof = |text: &str| register(&[&format!("Proxy-Authorization: Bearer {text}")]);
    let long = "x".repeat(LONG);
    let right = |ten: &TenValues<'_>| token(ten, |token| token == TOKEN.as_bytes());
    let right_long = |ten: &TenValues<'_>| token(ten, |token| token.len() == LONG);
    vec![
        read("Bearer, token68 (RFC 8898)", proof(TOKEN), right),
        read(
            "Bearer `token=\"…\"` (Cisco)",
            proof(&format!("token=\"{TOKEN}\"")),
            right,
        ),
        read(
            "Bearer, token68, then `, realm=\"…\"` (belle-sip)",
            proof(&format!("{TOKEN}, realm=\"example.com\"")),
            right,
        ),
        read(
            "Bearer `token=\"…\", username=\"…\", realm=\"…\"` (PJSIP)",
            proof(&format!(
                "token=\"{TOKEN}\", username=\"anna\", realm=\"example.com\""
            )),
            right,
        ),
        Probe {
            about: "Bearer with a token of 8,192 bytes, either form",
            messages: vec![proof(&long), proof(&format!("token=\"{long}\""))],
            wanted: Wanted::Read(right_long),
        },
    ]
}

fn token(ten: &TenValues<'_>, right: impl FnOnce(&[u8]) -> bool) -> Verdict {
    match ten.proxy_authorization {
        Reading::Value(Proof::Other) => Verdict::Loses,
        reading => Verdict::of(&reading, |proof| match proof {
            Proof::Bearer(token) => right(bare(token)),
            _ => false,
        }),
    }
}

fn grammar() -> Vec<Probe> {
    vec![
        read(
            "Contact with Jabber's `+sip.instance` and `+u.sip!…`",
            register(&["Contact: <sip:3b7e9d52@192.0.2.61:49821;transport=tls>;\
                 +sip.instance=\"<urn:uuid:00000000-0000-0000-0000-0250c3a4b5d6>\";\
                 +u.sip!devicename.ccm.cisco.com=\"CSFANNA\";expires=3600"]),
            |ten| {
                Verdict::of(&ten.contact, |contact| {
                    contact.instance.map(bare)
                        == Some(b"urn:uuid:00000000-0000-0000-0000-0250c3a4b5d6")
                        && contact.expires == Some(3600)
                })
            },
        ),
        read(
            "folded header (RFC 3261 7.3.1)",
            register(&["To: Anna\r\n <sip:anna@example.com>\r\n\t;tag=folded"]),
            |ten| {
                Verdict::of(&ten.to, |to| {
                    to.user == Some(b"anna") && to.tag == Some(b"folded")
                })
            },
        ),
        read(
            "two Contacts in one field, a comma in the quoted name of the first",
            register(&[
                "Contact: \"Doe, Anna\" <sip:anna@192.0.2.61:5061>;expires=60, \
                 <sip:anna@192.0.2.62>;expires=90",
            ]),
            |ten| {
                Verdict::of(&ten.contact, |contact| {
                    contact.user == Some(b"anna")
                        && contact.port == Some(5061)
                        && contact.expires == Some(60)
                })
            },
        ),
        read("compact names (RFC 3261 7.3.3)", compact(), |ten| {
            let all = [
                Verdict::of(&ten.via, |via| via.branch == Some(b"z9hG4bK74b43")),
                Verdict::of(&ten.from, |from| from.tag == Some(b"9fxced76sl")),
                Verdict::of(&ten.to, |to| to.user == Some(b"anna")),
                Verdict::of(&ten.call_id, |id| *id == b"3848276298@192.0.2.61"),
                Verdict::of(&ten.contact, |contact| contact.user == Some(b"anna")),
            ];
            all.into_iter().max().unwrap_or(Verdict::Reads)
        }),
        read(
            "IPv6 reference in Via and Contact, with port",
            register(&[
                "Via: SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bK74b43",
                "Contact: <sip:anna@[2001:db8::9]:5071>",
            ]),
            |ten| {
                let host = Host::Text(b"2001:db8::9");
                let via = Verdict::of(&ten.via, |via| via.host == host && via.port == Some(5061));
                via.max(Verdict::of(&ten.contact, |contact| {
                    contact.host == host && contact.port == Some(5071)
                }))
            },
        ),
        read(
            "escaped quotes, and an address, in a quoted name",
            register(&[
                r#"From: "A \"<sip:no@example.net>\" B" <sip:anna@example.com>;tag=quoted"#,
            ]),
            |ten| {
                Verdict::of(&ten.from, |from| {
                    from.user == Some(b"anna")
                        && from.host == Host::Text(b"example.com")
                        && from.tag == Some(b"quoted")
                })
            },
        ),
        read(
            "parameter names in capitals (RFC 3261 7.3.1)",
            register(&[
                "Via: SIP/2.0/TLS 192.0.2.61;BRANCH=z9hG4bK74b43",
                "From: <sip:anna@example.com>;TAG=9fxced76sl",
            ]),
            |ten| {
                Verdict::of(&ten.via, |via| via.branch == Some(b"z9hG4bK74b43"))
                    .max(Verdict::of(&ten.from, |from| {
                        from.tag == Some(b"9fxced76sl")
                    }))
            },
        ),
        read(
            "address without brackets: the parameter is the header's (RFC 3261 20.10)",
            register(&["From: sip:anna@example.com;tag=bare"]),
            |ten| {
                Verdict::of(&ten.from, |from| {
                    from.user == Some(b"anna") && from.tag == Some(b"bare")
                })
            },
        ),
    ]
}

fn refusals() -> Vec<Probe> {
    let refuse = |about, message| Probe {
        about,
        messages: vec![message],
        wanted: Wanted::Refusal,
    };
    vec![
        refuse(
            "two Content-Lengths that differ",
            register(&["Content-Length: 0\r\nContent-Length: 5"]),
        ),
        refuse(
            "Content-Length beyond the datagram (RFC 3261 18.3)",
            [register(&["Content-Length: 400"]).as_slice(), b"v=0\r\n"].concat(),
        ),
        refuse(
            "CSeq of another method (RFC 3261 8.1.1.5)",
            register(&["CSeq: 7 INVITE"]),
        ),
        refuse("no Call-ID (RFC 3261 8.1.1)", register(&["Call-ID"])),
    ]
}

fn read(about: &'static str, message: Vec<u8>, right: fn(&TenValues<'_>) -> Verdict) -> Probe {
    Probe {
        about,
        messages: vec![message],
        wanted: Wanted::Read(right),
    }
}

/// A REGISTER without fault, in which `lines` replace or add fields; a bare name takes one away.
fn register(lines: &[&str]) -> Vec<u8> {
    const WHOLE: [&str; 7] = [
        "Via: SIP/2.0/TLS 192.0.2.61:49821;branch=z9hG4bK74b43",
        "Max-Forwards: 70",
        "From: <sip:anna@example.com>;tag=9fxced76sl",
        "To: <sip:anna@example.com>",
        "Call-ID: 3848276298@192.0.2.61",
        "CSeq: 7 REGISTER",
        "Content-Length: 0",
    ];
    let name = |line: &&str| line.split(':').next().map(str::to_owned);
    let kept = WHOLE
        .iter()
        .filter(|line| !lines.iter().any(|other| name(line) == name(other)));
    let added = lines.iter().filter(|line| line.contains(':'));
    let fields: Vec<&str> = kept.chain(added).copied().collect();
    let head = fields.join("\r\n");
    format!("REGISTER sip:example.com SIP/2.0\r\n{head}\r\n\r\n").into_bytes()
}

fn compact() -> Vec<u8> {
    "REGISTER sip:example.com SIP/2.0\r\n\
     v: SIP/2.0/TLS 192.0.2.61:49821;branch=z9hG4bK74b43\r\n\
     Max-Forwards: 70\r\n\
     f: <sip:anna@example.com>;tag=9fxced76sl\r\n\
     t: <sip:anna@example.com>\r\n\
     i: 3848276298@192.0.2.61\r\n\
     CSeq: 7 REGISTER\r\n\
     m: <sip:anna@192.0.2.61:49821>\r\n\
     l: 0\r\n\r\n"
        .into()
}
