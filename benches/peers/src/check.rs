//! Whether a peer reads what is there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::case::Case;
use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Party, Proof, Reading, StartLine, TenValues, Via};

/// What came of a job on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    NotOffered,
    /// With the reason.
    Refused(String),
    /// With how many of how many were right, and what was not.
    Read {
        right: usize,
        of: usize,
        faults: Vec<String>,
    },
}

/// The two jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Head,
    TenHeaders,
}

impl Job {
    pub const ALL: [Self; 2] = [Self::Head, Self::TenHeaders];
}

impl Outcome {
    /// Whether there is something to time.
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}

/// The bytes this peer is given.
pub fn bytes<'c>(peer: &dyn Peer, case: &'c Case) -> &'c [u8] {
    match peer.kind() {
        Kind::Ceiling => &case.http,
        Kind::Ours | Kind::Rust | Kind::C => &case.sip,
    }
}

/// A peer that panics has refused.
pub fn caught<T>(job: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(job))
        .unwrap_or_else(|_| Err(Refusal::Message("panics".to_owned())))
}

/// Does a job with a peer and compares the answer with what `ours` reads of the same message.
pub fn outcome(ours: &dyn Peer, peer: &dyn Peer, case: &Case, job: Job) -> Outcome {
    let mut read = Comparison::default();
    let mut result = Ok(());
    let reference = match job {
        Job::Head => ours.head(&case.sip, &mut |expected| {
            result = caught(|| {
                peer.head(bytes(peer, case), &mut |found| {
                    read.start_line(expected.start_line, found.start_line);
                    read.fields((expected.fields)(), (found.fields)());
                })
            });
        }),
        Job::TenHeaders => ours.ten_headers(&case.sip, &mut |expected| {
            result = caught(|| {
                peer.ten_headers(bytes(peer, case), &mut |found| read.ten(expected, found))
            });
        }),
    };
    match reference.and(result) {
        Ok(()) => Outcome::Read {
            right: read.of - read.wrong,
            of: read.of,
            faults: read.faults,
        },
        Err(Refusal::NotOffered) => Outcome::NotOffered,
        Err(Refusal::Message(reason)) => Outcome::Refused(reason),
    }
}

/// What was compared so far: how many things, how many of them wrong, and in which way.
#[derive(Default)]
struct Comparison {
    of: usize,
    wrong: usize,
    faults: Vec<String>,
}

impl Comparison {
    fn start_line(&mut self, expected: StartLine<'_>, found: StartLine<'_>) {
        let fault = (expected != found).then(|| "start line not told".to_owned());
        self.count(fault);
    }

    /// More than there are may be a list that is counted by its values.
    fn fields(&mut self, expected: usize, found: usize) {
        self.count((found < expected).then(|| format!("{found} of {expected} fields")));
    }

    fn ten(&mut self, expected: &TenValues<'_>, found: &TenValues<'_>) {
        self.start_line(expected.start_line, found.start_line);
        self.header("Via", &expected.via, &found.via, via);
        self.header("From", &expected.from, &found.from, party);
        self.header("To", &expected.to, &found.to, party);
        self.header("Call-ID", &expected.call_id, &found.call_id, whole);
        self.header("CSeq", &expected.cseq, &found.cseq, whole);
        self.header("Contact", &expected.contact, &found.contact, contact);
        let (wanted, proof) = (&expected.proxy_authorization, &found.proxy_authorization);
        self.header("Proxy-Authorization", wanted, proof, credentials);
        self.header(
            "Max-Forwards",
            &expected.max_forwards,
            &found.max_forwards,
            whole,
        );
        self.header(
            "Content-Length",
            &expected.content_length,
            &found.content_length,
            whole,
        );
        self.header("Expires", &expected.expires, &found.expires, whole);
    }

    /// Compares one header, if the message has it.
    fn header<T, U>(
        &mut self,
        name: &str,
        expected: &Reading<'_, T>,
        found: &Reading<'_, U>,
        parts: impl FnOnce(&T, &U) -> Vec<(&'static str, bool)>,
    ) {
        let fault = match (expected, found) {
            (Reading::Absent, Reading::Absent) => return,
            (Reading::Value(expected), Reading::Value(found)) => {
                let wrong = parts(expected, found).into_iter().filter(|(_, same)| !same);
                let wrong: Vec<&str> = wrong.map(|(part, _)| part).collect();
                (!wrong.is_empty()).then(|| wrong.join(", "))
            }
            (_, Reading::Value(_)) => Some("made up".to_owned()),
            (_, Reading::Text(_)) => Some("as text".to_owned()),
            (_, Reading::Refused) => Some("refused".to_owned()),
            (_, Reading::Absent) => Some("not found".to_owned()),
        };
        self.count(fault.map(|fault| format!("{name}: {fault}")));
    }

    fn count(&mut self, fault: Option<String>) {
        self.of += 1;
        self.wrong += usize::from(fault.is_some());
        self.faults.extend(fault);
    }
}

fn whole<T: PartialEq>(expected: &T, found: &T) -> Vec<(&'static str, bool)> {
    vec![("wrong value", expected == found)]
}

fn via(expected: &Via<'_>, found: &Via<'_>) -> Vec<(&'static str, bool)> {
    vec![
        (
            "transport",
            expected.transport.eq_ignore_ascii_case(found.transport),
        ),
        ("host", expected.host == found.host),
        ("port", expected.port == found.port),
        ("branch", expected.branch == found.branch),
    ]
}

fn party(expected: &Party<'_>, found: &Party<'_>) -> Vec<(&'static str, bool)> {
    vec![
        ("user", expected.user == found.user),
        ("host", expected.host == found.host),
        ("tag", expected.tag == found.tag),
    ]
}

fn contact(expected: &Contact<'_>, found: &Contact<'_>) -> Vec<(&'static str, bool)> {
    vec![
        ("user", expected.user == found.user),
        ("host", expected.host == found.host),
        ("port", expected.port == found.port),
        (
            "+sip.instance",
            expected.instance.map(bare) == found.instance.map(bare),
        ),
        ("expires", expected.expires == found.expires),
    ]
}

fn credentials(expected: &Proof<'_>, found: &Proof<'_>) -> Vec<(&'static str, bool)> {
    match (expected, found) {
        (Proof::Bearer(expected), Proof::Bearer(found)) => {
            vec![("wrong token", *expected == bare(found))]
        }
        (Proof::Digest(expected), Proof::Digest(found)) => {
            vec![("wrong user name", *expected == found.map(bare))]
        }
        (Proof::Bearer(_), _) => vec![("no token", false)],
        (expected, found) => vec![("wrong scheme", expected == found)],
    }
}

/// Without the quotes and the angle brackets that some peers leave on.
pub fn bare(text: &[u8]) -> &[u8] {
    let without = |text, open: &[u8], close: &[u8]| -> Option<&[u8]> {
        <[u8]>::strip_prefix(text, open)?.strip_suffix(close)
    };
    let text = without(text, b"\"", b"\"").unwrap_or(text);
    without(text, b"<", b">").unwrap_or(text)
}
