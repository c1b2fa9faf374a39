//! Asking a token endpoint (RFC 6749 sections 3.2 and 5).

use std::{fmt, time::Duration};

use hyper::{
    Method, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use sip_oauth_token::{AccessToken, RefreshToken};

use super::{
    client_authentication::ClientAuthentication,
    form::Form,
    token_members::{Member, Members},
};
use crate::{
    client::{ObtainedToken, TokenUnavailable},
    connect::Connector,
    http::{Answer, Exchange, printable},
};

/// Answers of a token endpoint are a few kilobytes; tokens are at most 16 KiB each.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Reads the URL of an endpoint, which must be `https` (RFC 6749 sections 3.1 and 3.2, RFC 7662 section 2).
pub(crate) fn https(url: &str, what: &str) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|_| format!("{what} is not a URL"))?;
    if uri.scheme_str() != Some("https") || uri.host().is_none_or(str::is_empty) {
        return Err(format!(
            "{what} must be an https URL (RFC 6749 section 3.2)"
        ));
    }
    Ok(uri)
}

/// The header fields of a form that asks for JSON.
pub(crate) fn form_headers(
    credentials: Option<(HeaderName, HeaderValue)>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        ),
        (ACCEPT, HeaderValue::from_static("application/json")),
    ];
    headers.extend(credentials);
    headers
}

/// How long a server that is overloaded asks to be left alone: the number of seconds only, at most an hour.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
}

/// What a token endpoint gave.
pub(crate) struct Granted {
    pub(crate) access: ObtainedToken,
    pub(crate) refresh: Option<RefreshToken>,
}

/// Sends `form` with the client's authentication to a token endpoint.
pub(crate) async fn ask(
    connector: &Connector,
    endpoint: &Uri,
    client: &ClientAuthentication,
    mut form: Form,
    subject: &str,
    timeout: Duration,
) -> Result<Granted, TokenUnavailable> {
    let headers = form_headers(client.apply(&mut form));
    let answer = Exchange {
        method: Method::POST,
        uri: endpoint,
        headers,
        body: form.into_bytes(),
        subject,
        max_body_bytes: MAX_ANSWER_BYTES,
        timeout,
    }
    .run(connector)
    .await
    .map_err(|error| TokenUnavailable::new(format!("token endpoint {error}")).caused_by(error))?;
    read(&format!("token endpoint {}", printable(endpoint)), &answer)
}

fn read(place: &str, answer: &Answer) -> Result<Granted, TokenUnavailable> {
    let lacks = |what: &dyn fmt::Display| TokenUnavailable::new(format!("{place}: {what}"));
    let members = Members::read(&answer.body);
    let members = match &members {
        Ok(members) if answer.status == StatusCode::OK => members,
        Err(what) if answer.status == StatusCode::OK => {
            return Err(lacks(&format_args!("the answer is {what}")));
        }
        _ => return Err(refusal(place, answer, members.as_ref().ok())),
    };
    // Some servers refuse with a 200.
    if let (Member::Absent, Ok(Some(_))) = (&members.access_token, members.error.text("error")) {
        return Err(refusal(place, answer, Some(members)));
    }
    // RFC 6749 section 5.1: the type is REQUIRED, its value is case insensitive.
    let kind = members.token_type.text("token_type");
    let kind = kind.map_err(|error| lacks(&error))?;
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(lacks(&"the answer's token_type is not Bearer"));
    }
    let token = members.access_token.text("access_token");
    let token = token.map_err(|error| lacks(&error))?;
    let token = token.ok_or_else(|| lacks(&"the answer has no access_token"))?;
    let token =
        AccessToken::parse(token).map_err(|error| lacks(&format_args!("access_token: {error}")))?;
    Ok(Granted {
        access: ObtainedToken {
            token,
            expires_in: lifetime(place, members),
        },
        refresh: next_refresh_token(place, members),
    })
}

/// The access token is good without it: what is no refresh token leaves us with the one we have, if any.
fn next_refresh_token(place: &str, members: &Members<'_>) -> Option<RefreshToken> {
    let text = members
        .refresh_token
        .text("refresh_token")
        .inspect_err(|error| tracing::warn!(place, %error, "refresh_token left out"))
        .ok()??;
    RefreshToken::parse(text)
        .inspect_err(|error| tracing::warn!(place, %error, "refresh_token left out"))
        .ok()
}

/// The access token is good without it: a lifetime nobody can go by is none.
fn lifetime(place: &str, members: &Members<'_>) -> Option<Duration> {
    let seconds = members.expires_in.whole_number("expires_in");
    seconds
        .inspect_err(|error| tracing::warn!(place, %error, "expires_in left out"))
        .ok()?
        .map(Duration::from_secs)
}

/// The sentence for an answer without a token (RFC 6749 section 5.2).
fn refusal(place: &str, answer: &Answer, members: Option<&Members<'_>>) -> TokenUnavailable {
    let status = answer.status.as_u16();
    let error = members
        .map(|members| members.error.text("error"))
        .transpose();
    let mistyped = error.err();
    let error = error
        .ok()
        .flatten()
        .flatten()
        // Section 5.2: "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
        .filter(|error| error.len() <= 64 && error.bytes().all(|b| (0x20..0x7f).contains(&b)));
    let refused = match error {
        Some("invalid_grant") => TokenUnavailable::new(format!(
            "{place}: the grant (refresh token or code) has expired or was revoked (invalid_grant); sign in again"
        ))
        .for_good(),
        Some("invalid_client" | "unauthorized_client") => TokenUnavailable::new(format!(
            "{place}: the client is not accepted ({status}); check client_id and secret"
        ))
        .for_good(),
        Some(error @ ("unsupported_grant_type" | "invalid_scope" | "invalid_request")) => {
            TokenUnavailable::new(format!("{place}: refused with {error} ({status})")).for_good()
        }
        Some(error) => TokenUnavailable::new(format!("{place}: refused with {error} ({status})")),
        None => {
            let why = mistyped.map_or_else(
                || "without an OAuth error".to_owned(),
                |mistyped| format!("and {mistyped}"),
            );
            TokenUnavailable::new(format!("{place}: status {status} {why}"))
        }
    };
    match retry_after(&answer.headers) {
        Some(wait) => refused.retry_after(wait),
        None => refused,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn rfc9110_section_10_2_3_retry_after_is_a_number_and_at_most_an_hour() {
        let wait = |value: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(
            ["0", " 60 ", "3600", "3601"].map(wait),
            [0, 60, 3600, 3600].map(Some)
        );
        assert_eq!(wait("86400000000"), Some(3600));
        for date_or_nonsense in ["Fri, 31 Dec 1999 23:59:59 GMT", "-1", "1.5", ""] {
            assert_eq!(wait(date_or_nonsense), None, "{date_or_nonsense}");
        }
    }

    /// RFC 6749 section 5.2 bounds the characters; what is longer than any code is not repeated either.
    #[test]
    fn rfc6749_section_5_2_an_error_that_is_no_code_is_not_repeated() {
        let long = "a".repeat(65);
        for (error, is_told) in [("slow_down", true), (&long, false), ("b\\u001b[31m", false)] {
            let answer = Answer {
                status: StatusCode::BAD_REQUEST,
                headers: HeaderMap::new(),
                body: format!(r#"{{"error":"{error}"}}"#).into(),
            };
            let sentence = read("here", &answer).err().unwrap().to_string();
            let expected = if is_told {
                "here: refused with slow_down (400)"
            } else {
                "here: status 400 without an OAuth error"
            };
            assert_eq!(sentence, expected);
        }
    }

    /// The access token comes all the same; what was wrong with the rest is told by its name.
    #[test]
    fn rfc6749_section_5_1_what_is_left_out_is_told_in_the_log_and_not_its_value() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || Lines(Arc::clone(&writer)))
            .with_ansi(false)
            .finish();
        let body = r#"{"access_token":"abc","token_type":"Bearer","expires_in":-4242,"refresh_token":4242}"#;
        let answer = Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.into(),
        };
        tracing::subscriber::with_default(subscriber, || {
            let granted = read("here", &answer).ok().unwrap();
            assert_eq!(granted.access.token.expose(), "abc");
            assert!(granted.refresh.is_none() && granted.access.expires_in.is_none());
        });
        let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
        for words in [
            "refresh_token: expected a string, found a number",
            "expires_in: expected a whole number that is not negative, found a number that is negative",
        ] {
            assert!(log.contains(words), "{log}");
        }
        assert!(!log.contains("4242"), "{log}");
    }

    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
