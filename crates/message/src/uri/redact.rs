//! URIs as they are printed for people: passwords and header fields may be secrets.

use std::fmt::{self, Display};

/// Text with SIP URIs in it, as it goes into a log: of passwords and of the header fields behind
/// a question mark the length alone.
///
/// It works on the text and not on what was read, since what does not read as a URI must not print its
/// password either. In doubt more is left out than must be.
pub(crate) struct Redacted<'a>(pub(crate) &'a str);

/// The same for header fields in a URI, without the question mark.
pub(super) struct RedactedHeaders<'a>(pub(super) &'a str);

impl Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((before, found)) = split_before(rest, &['@', '?']) {
            let (mark, behind) = found.split_at_checked(1).unwrap_or_default();
            rest = behind;
            if mark == "@" {
                let (shown, password) = split_password(before);
                f.write_str(shown)?;
                if !password.is_empty() {
                    write!(f, "<{} bytes>", password.len())?;
                }
                f.write_str(mark)?;
            } else {
                write!(f, "{before}{mark}")?;
                let ends = ['>', '"', ' ', '\t', '\r', '\n'];
                let (headers, behind) = split_before(rest, &ends).unwrap_or((rest, ""));
                RedactedHeaders(headers).fmt(f)?;
                rest = behind;
            }
        }
        f.write_str(rest)
    }
}

impl Display for RedactedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, header) in self.0.split('&').enumerate() {
            if index > 0 {
                f.write_str("&")?;
            }
            match header.split_once('=') {
                Some((name, value)) => write!(f, "{name}=<{} bytes>", value.len())?,
                None if header.is_empty() => {}
                None => write!(f, "<{} bytes>", header.len())?,
            }
        }
        Ok(())
    }
}

/// Whether there may be a SIP URI in the text.
pub(crate) fn has_sip_uri(text: &str) -> bool {
    let mut four = text.as_bytes().windows(4);
    four.any(|four| four.eq_ignore_ascii_case(b"sip:") || four.eq_ignore_ascii_case(b"ips:"))
}

fn split_before<'t>(text: &'t str, marks: &[char]) -> Option<(&'t str, &'t str)> {
    text.split_at_checked(text.find(marks)?)
}

/// What stands before an `@`, without the password at its end, and the password.
fn split_password(before: &str) -> (&str, &str) {
    let start = before.rfind(['<', '"', ' ', '\t', '\r', '\n']);
    let start = start.map_or(0, |at| at + 1);
    // The colon of the scheme, and the one behind the user.
    let colon = |from: usize| Some(from + before.get(from..)?.find(':')? + 1);
    let password = colon(start).and_then(colon);
    let at = password.unwrap_or(before.len());
    before.split_at_checked(at).unwrap_or((before, ""))
}

#[cfg(test)]
mod tests {
    use super::Redacted;

    #[test]
    fn passwords_and_header_fields_are_told_by_their_length() {
        for (text, printed) in [
            ("sip:a@h", "sip:a@h"),
            ("sip:h:5060", "sip:h:5060"),
            ("sips:a:pw@h:5061;lr", "sips:a:<2 bytes>@h:5061;lr"),
            ("sip:a:p:w@h", "sip:a:<3 bytes>@h"),
            ("sip:h?a=bc&d=&e", "sip:h?a=<2 bytes>&d=<0 bytes>&<1 bytes>"),
            (
                "\"A\" <sip:a:pw@h?b=c>;x=1",
                "\"A\" <sip:a:<2 bytes>@h?b=<1 bytes>>;x=1",
            ),
            ("<sip:a@h>, <sip:b:pw@h>", "<sip:a@h>, <sip:b:<2 bytes>@h>"),
            ("sip:a?b:pw@h", "sip:a?<6 bytes>"),
            ("sip:é:é@h", "sip:é:<2 bytes>@h"),
        ] {
            assert_eq!(Redacted(text).to_string(), printed);
        }
    }
}
