//! The few words over an arrow.

use crate::report::SipMessage;

/// Breaks `text` at blanks, commas and semicolons into lines of at most `columns`, later lines indented by `hang`.
/// A word longer than a line is cut with an ellipsis.
pub(super) fn wrap(text: &str, columns: usize, hang: usize) -> Vec<String> {
    let columns = columns.max(hang + 8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        let length = piece.chars().count();
        let used = line.chars().count();
        if used + piece.trim_end().chars().count() > columns && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(hang);
        }
        let room = columns.saturating_sub(line.chars().count());
        if length > room && piece.trim_end().chars().count() > room {
            line.extend(piece.chars().take(room.saturating_sub(1)));
            line.push('…');
        } else {
            line.push_str(piece);
        }
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// `text` in pieces after which a line may end.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive([' ', ';', ',', '@'])
}

/// Less room than this between two lifelines, and the branch is left out.
const ROOM_FOR_BRANCH: usize = 44;

/// The start line and the header fields that carry the story.
pub(super) fn sip(message: &SipMessage, room: usize) -> Vec<String> {
    let mut lines = vec![
        message
            .start_line
            .trim_end_matches(" SIP/2.0")
            .replacen("SIP/2.0 ", "", 1),
    ];
    let mut correlation = Vec::new();
    if let Some(cseq) = message.header("CSeq") {
        correlation.push(format!("CSeq {}", cseq.split(' ').next().unwrap_or(cseq)));
    }
    if let Some(expires) = message.header("Expires") {
        correlation.push(format!("Expires {expires}"));
    }
    if message.is_request()
        && room >= ROOM_FOR_BRANCH
        && let Some(branch) = message.header("Via").and_then(branch_of)
    {
        correlation.push(format!("branch {branch}"));
    }
    lines.push(correlation.join(" · "));
    // Only a proxy makes more than one, and only on the way out is it news.
    let vias: Vec<&str> = message.values("Via").collect();
    if message.is_request() && vias.len() > 1 {
        lines.extend(
            vias.into_iter()
                .map(|via| format!("Via: {}", shortened_via(via))),
        );
    }
    for name in [
        "Proxy-Authenticate",
        "WWW-Authenticate",
        "Proxy-Authorization",
        "Authorization",
        "Retry-After",
        "Warning",
    ] {
        if let Some(value) = message.header(name) {
            lines.push(format!("{name}: {value}"));
        }
    }
    for name in ["Route", "Contact"] {
        if let Some(value) = message.header(name) {
            lines.push(format!("{name}: {}", shortened(value)));
        }
    }
    lines
}

/// The branch of the top Via without the magic cookie.
fn branch_of(via: &str) -> Option<String> {
    let (_, rest) = via.split_once("branch=")?;
    let branch = rest.split([';', ',']).next()?;
    Some(
        branch
            .trim_start_matches("z9hG4bK")
            .chars()
            .take(12)
            .collect(),
    )
}

/// Host and port of a Via, and the zone it came in by.
fn shortened_via(via: &str) -> String {
    let (protocol_and_host, parameters) = via.split_once(';').unwrap_or((via, ""));
    let host = protocol_and_host
        .split(' ')
        .next_back()
        .unwrap_or(protocol_and_host);
    let mut out = host.to_owned();
    append(&mut out, parameters, &["branch=", "received=", "rport"]);
    out
}

/// A Contact or Route with what everybody has left out: most of the GUID, the parameters that never change.
fn shortened(value: &str) -> String {
    let Some((address, parameters)) = value.split_once('>') else {
        return value.to_owned();
    };
    let (uri, uri_parameters) = address.split_once(';').unwrap_or((address, ""));
    let mut out = match uri.split_once('@') {
        Some((user, host)) if user.chars().count() > 18 => {
            // `<sip:` and the first group of the GUID.
            let user: String = user.chars().take(13).collect();
            format!("{user}…@{host}")
        }
        _ => uri.to_owned(),
    };
    let common = ["transport=", "zone-id=", "directed", "lr"];
    append(&mut out, uri_parameters, &common);
    out.push('>');
    append(
        &mut out,
        parameters,
        &["+sip.instance=", "+u.sip!devicename", "+u.sip!model"],
    );
    out
}

/// Appends parameters; those that begin as one of `common` become one ellipsis.
fn append(out: &mut String, parameters: &str, common: &[&str]) {
    let mut left_out = false;
    for parameter in parameters
        .split(';')
        .filter(|parameter| !parameter.is_empty())
    {
        if common.iter().any(|prefix| parameter.starts_with(prefix)) {
            if !left_out {
                out.push('…');
            }
            left_out = true;
        } else {
            out.push(';');
            out.push_str(&parameter.replace("userid.ccm.cisco.com=", "userid…="));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_blanks_commas_and_semicolons_and_never_run_over() {
        assert_eq!(
            wrap("Proxy-Authenticate: Bearer realm=\"ccmsipline\"", 30, 2),
            ["Proxy-Authenticate: Bearer", "  realm=\"ccmsipline\""]
        );
        assert_eq!(
            wrap("<sip:a@b>;transport=tls;video", 16, 2),
            ["<sip:a@b>;", "  transport=tls;", "  video"]
        );
        assert_eq!(
            wrap("<sip:4f6d2c18…@expc1.example.com:5061>", 26, 2),
            ["<sip:4f6d2c18…@", "  expc1.example.com:5061>"]
        );
        assert_eq!(wrap("", 20, 2), [""]);
        for columns in 9..40 {
            for line in wrap(
                &"Supported: replaces,join,sdp-anat,norefersub,resource-priority".repeat(2),
                columns,
                2,
            ) {
                assert!(line.chars().count() <= columns.max(10), "{columns}: {line}");
            }
        }
    }

    #[test]
    fn a_contact_keeps_what_differs_between_devices() {
        let contact = "<sip:4f6d2c18-7a3b-4e5c-9d0f-8b1a2c3d4e5f@192.0.2.10:62162;transport=tls>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-020000001234>\";+u.sip!devicename.ccm.cisco.com=\"CSFrado\";+u.sip!model.ccm.cisco.com=\"503\";video;x-cisco-newreg";
        assert_eq!(
            shortened(contact),
            "<sip:4f6d2c18…@192.0.2.10:62162…>…;video;x-cisco-newreg"
        );
    }
}
