//! Asking a token endpoint (RFC 6749 sections 3.2 and 5).

use std::{borrow::Cow, ops::Deref, time::Duration};

use hyper::{
    Method, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::{Deserialize, de::IgnoredAny};
use sip_oauth_token::{AccessToken, RefreshToken};
use zeroize::Zeroize as _;

use super::{client_authentication::ClientAuthentication, form::Form};
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

/// Section 5.1. What the fields hold is copied into types that wipe themselves.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    access_token: Option<Text<'a>>,
    #[serde(borrow)]
    token_type: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_token: Option<Text<'a>>,
    #[serde(borrow)]
    error: Option<Text<'a>>,
    expires_in: Option<Seconds<'a>>,
}

/// A string over the body it was read from. One with escapes, as servers write `/`, is its own and is wiped.
///
/// A type of its own, since serde borrows a `Cow` only where it is no `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

/// A number of seconds; some servers write it as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds<'a> {
    Number(u64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
    /// A fraction, or something negative: a lifetime nobody can go by.
    Other(IgnoredAny),
}

impl Seconds<'_> {
    fn get(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(seconds) => *seconds,
            Self::Text(text) => text.parse().ok()?,
            Self::Other(_) => return None,
        };
        Some(Duration::from_secs(seconds))
    }
}

fn read(place: &str, answer: &Answer) -> Result<Granted, TokenUnavailable> {
    let fields = serde_json::from_slice::<Fields<'_>>(&answer.body).ok();
    let Some(fields) = fields.as_ref().filter(|_| answer.status == StatusCode::OK) else {
        return Err(refusal(place, answer, fields.as_ref()));
    };
    let lacks = |what: &str| TokenUnavailable::new(format!("{place}: {what}"));
    // RFC 6749 section 5.1: the type is REQUIRED, its value is case insensitive.
    let kind = fields.token_type.as_deref();
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(lacks("the answer's token_type is not Bearer"));
    }
    let token = fields.access_token.as_deref();
    let token = token.ok_or_else(|| lacks("the answer has no access_token"))?;
    let token =
        AccessToken::parse(token).map_err(|error| lacks(&format!("access_token: {error}")))?;
    // The access token is good without it: what is no refresh token leaves us with the one we have, if any.
    let refresh = fields.refresh_token.as_deref().and_then(|text| {
        RefreshToken::parse(text)
            .inspect_err(|error| tracing::warn!(place, %error, "refresh_token left out"))
            .ok()
    });
    Ok(Granted {
        access: ObtainedToken {
            token,
            expires_in: fields.expires_in.as_ref().and_then(Seconds::get),
        },
        refresh,
    })
}

/// The sentence for an answer without a token (RFC 6749 section 5.2).
fn refusal(place: &str, answer: &Answer, fields: Option<&Fields<'_>>) -> TokenUnavailable {
    let status = answer.status.as_u16();
    let error = fields
        .and_then(|fields| fields.error.as_deref())
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
        None if status == 200 => {
            TokenUnavailable::new(format!("{place}: the answer is not JSON"))
        }
        None => TokenUnavailable::new(format!(
            "{place}: status {status} without an OAuth error"
        )),
    };
    match retry_after(&answer.headers) {
        Some(wait) => refused.retry_after(wait),
        None => refused,
    }
}

#[cfg(test)]
mod tests {
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

    /// A token that is copied while it is read lies where nobody wipes it.
    #[test]
    fn tokens_are_read_where_they_lie_unless_they_have_escapes() {
        let body = r#"{"access_token":"a-token","refresh_token":"a\/b","token_type":"Bearer"}"#;
        let fields: Fields<'_> = serde_json::from_str(body).unwrap();
        let token = fields.access_token.as_ref().unwrap();
        assert!(matches!(&token.0, Cow::Borrowed("a-token")));
        assert!(matches!(
            &fields.token_type.as_ref().unwrap().0,
            Cow::Borrowed(_)
        ));
        let escaped = fields.refresh_token.as_ref().unwrap();
        assert!(matches!(&escaped.0, Cow::Owned(text) if text == "a/b"));
    }
}
