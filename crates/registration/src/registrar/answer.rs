//! How answers are written: the header fields, their order and their form.

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use sip_oauth_message::header::{QValue, Warning};
use sip_oauth_message::remotecc::{RESPONSE_CONTENT_TYPE, ResponseBody};
use sip_oauth_message::{BearerChallenge, HeaderName, Headers, MessageView, Response, StatusCode};
use sip_oauth_token::{BearerError, SipAnswer};

use super::binding::Binding;
use super::options::{ExpiresPolicy, RegistrarConfig, RegistrarDialect};
use super::register::Register;
use crate::entropy::Entropy;
use crate::refusal::Refusal;
use crate::reply;

/// What every answer to one request begins with (RFC 3261 section 8.2.6), in Unified CM's order:
/// Via, From, To with a tag, Date, Call-ID, Server, CSeq.
#[derive(Clone, Debug, Default)]
pub(super) struct Skeleton(Headers);

impl Skeleton {
    /// Copies what an answer repeats, and tags it.
    pub(super) fn new(
        request: &MessageView<'_>,
        peer: SocketAddr,
        config: &RegistrarConfig,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Self {
        Self(reply::headers(
            request,
            peer,
            now,
            config.server.as_deref(),
            entropy,
        ))
    }

    fn response(self, status: u16, phrase: &str) -> Response {
        // The table holds no number outside 100 to 699.
        let mut response =
            Response::new(StatusCode::new(status).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR));
        phrase.clone_into(&mut response.reason);
        response.headers = self.0;
        response
    }

    /// A refusal from the table, with the header fields its kind asks for.
    pub(super) fn refusal(
        self,
        refusal: Refusal,
        config: &RegistrarConfig,
        extra: &Extra,
    ) -> Response {
        let entry = refusal.entry();
        let answer = match refusal {
            Refusal::TokenMissing => Some(config.challenge()),
            _ => extra.token,
        };
        let (status, phrase) = match answer {
            Some(answer) => {
                let status = answer.status();
                let phrase = StatusCode::new(status).map_or("", StatusCode::default_reason);
                (status, phrase)
            }
            None => (entry.status, entry.phrase),
        };
        let mut response = self.response(status, phrase);
        let headers = &mut response.headers;
        if let Some(SipAnswer::Challenge { status, error }) = answer {
            push_challenge(headers, status, config, error);
        }
        match refusal {
            Refusal::MethodNotAllowed | Refusal::MethodNotImplemented => {
                headers.push(HeaderName::Allow, ALLOW);
            }
            Refusal::IntervalTooBrief => {
                headers.push(HeaderName::MinExpires, config.expires.min.as_secs());
            }
            Refusal::BadExtension => {
                headers.push(HeaderName::Unsupported, extra.unsupported.join(", "));
            }
            _ => {}
        }
        if let Some(wait) = extra.retry_after.or(entry.retry_after) {
            headers.push(HeaderName::RetryAfter, whole_seconds(wait));
        }
        if let Some(warning) = entry.warning {
            headers.push(
                HeaderName::Warning,
                Warning::miscellaneous(&config.node, warning),
            );
        }
        headers.push(HeaderName::ContentLength, 0);
        response
    }

    /// The 200 to OPTIONS (RFC 3261 section 11.2).
    pub(super) fn options(self) -> Response {
        let mut response = self.response(200, "OK");
        response.headers.push(HeaderName::Allow, ALLOW);
        response.headers.push(
            HeaderName::Accept,
            "application/x-cisco-remotecc-request+xml",
        );
        response.headers.push(HeaderName::Supported, "path");
        response.headers.push(HeaderName::ContentLength, 0);
        response
    }

    /// The 200 of Unified CM: its own expiry, the Contacts as they came, a body for who offered
    /// optional features.
    pub(super) fn unified_cm(
        self,
        register: &Register,
        policy: &ExpiresPolicy,
        granted: Duration,
        new: bool,
    ) -> Response {
        let mut response = self.response(200, "OK");
        let headers = &mut response.headers;
        headers.push(HeaderName::Expires, granted.as_secs());
        // The mark stands on the first line's Contact only.
        let mut mark = if new { ";x-cisco-newreg" } else { "" };
        for contact in register.contacts() {
            let Ok(Some(expiry)) = policy.grant(register.asked(contact)) else {
                continue;
            };
            let written = &contact.written;
            // Where the client asked for this Contact by itself it reads the answer there.
            if contact.expires.is_some() || expiry != granted {
                let seconds = expiry.as_secs();
                headers.push(
                    HeaderName::Contact,
                    format_args!("{written};expires={seconds}{mark}"),
                );
            } else {
                headers.push(HeaderName::Contact, format_args!("{written}{mark}"));
            }
            mark = "";
        }
        push_path(headers, register);
        headers.push(
            HeaderName::Supported,
            "X-cisco-srtp-fallback,X-cisco-sis-9.1.0",
        );
        if let Some(body) = register.remotecc.filter(|_| !granted.is_zero()) {
            headers.push(HeaderName::ContentType, RESPONSE_CONTENT_TYPE);
            response.body = ResponseBody::answering(body.offers).encode();
        }
        response
            .headers
            .push(HeaderName::ContentLength, response.body.len());
        response
    }

    /// The 200 that lists bindings, the preferred ones first. "Each Contact value MUST feature an "expires" parameter" (RFC 3261
    /// section 10.3 step 8).
    pub(super) fn listing<'b>(
        self,
        register: &Register,
        bindings: impl Iterator<Item = &'b Binding>,
        now: SystemTime,
    ) -> Response {
        let mut response = self.response(200, "OK");
        let headers = &mut response.headers;
        let mut bindings: Vec<_> = bindings.collect();
        // A Contact without q is preferred as one of q=1.
        let preference = |binding: &Binding| binding.q().map_or(1000, QValue::thousandths);
        bindings.sort_by_cached_key(|binding| Reverse(preference(binding)));
        for binding in bindings {
            let left = binding.expires_at.duration_since(now).unwrap_or_default();
            // A binding of half a second is still one.
            let seconds = left.as_millis().div_ceil(1000);
            headers.push(
                HeaderName::Contact,
                format_args!("{};expires={seconds}", binding.contact),
            );
        }
        push_path(headers, register);
        headers.push(HeaderName::ContentLength, 0);
        response
    }
}

/// What a refusal needs beyond its row of the table.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// How its token is answered, where the refusal is for that.
    pub(super) token: Option<SipAnswer>,
    pub(super) unsupported: Vec<String>,
    /// When to come back, where that is known better than the row does.
    pub(super) retry_after: Option<Duration>,
}

/// Rounded up, and never 0: who comes back then is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(begun).max(1)
}

/// The methods a registrar takes.
const ALLOW: &str = "REGISTER, OPTIONS";

fn push_challenge(
    headers: &mut Headers,
    status: u16,
    config: &RegistrarConfig,
    error: Option<BearerError>,
) {
    let challenge = match &config.dialect {
        RegistrarDialect::UnifiedCm { realm } => BearerChallenge::new(realm),
        RegistrarDialect::Rfc8898 {
            realm,
            authorization_server,
            scope,
            ..
        } => {
            let challenge = BearerChallenge::new(realm).with_authz_server(authorization_server);
            match scope {
                Some(scope) => challenge.with_scope(scope),
                None => challenge,
            }
        }
    };
    let challenge = match error {
        Some(error) => challenge.with_error(error.as_str()),
        None => challenge,
    };
    let name = if status == 401 {
        HeaderName::WwwAuthenticate
    } else {
        HeaderName::ProxyAuthenticate
    };
    headers.push(name, challenge);
}

/// Path is given back to a client that says it understands it (RFC 3327 section 5.3).
fn push_path(headers: &mut Headers, register: &Register) {
    if register.path_supported {
        for path in &register.path {
            headers.push(HeaderName::Path, path);
        }
    }
}
