//! The authorization server on 8443.
//!
//! The product's are `/ssosp/oauth/authorize` and `/ssosp/token/revoke`. Where it takes codes and refresh tokens, publishes
//! its keys or answers introspection is not public, if it does at all: those paths are the lab's own, and what is spoken
//! there is what the RFCs say.

mod authorize;
mod codes;
mod fields;
mod introspect;
mod revoke;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE},
};
use sip_oauth_registration::registrar::Database;
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_tokio::Clock;

use super::Account;
use crate::{
    http::{plain, with_type},
    jabber::CLIENT_ID,
};
use codes::Codes;

/// The product's path for signing in.
pub(super) const AUTHORIZE_PATH: &str = "/ssosp/oauth/authorize";
/// The product's path for revoking the tokens of a user.
const REVOKE_PATH: &str = "/ssosp/token/revoke";
/// Where the lab publishes its signing key.
pub(super) const JWKS_PATH: &str = "/lab/oauth2/jwks";
/// Where the lab answers introspection.
pub(super) const INTROSPECTION_PATH: &str = "/lab/oauth2/introspect";
/// Longest query or form that is read.
const MAX_FIELDS_BYTES: usize = 40 * 1024;

/// The authorization server over HTTP.
pub(super) struct OAuth {
    server: Arc<Mutex<AuthorizationServer>>,
    database: Database,
    clock: Clock,
    codes: Mutex<Codes>,
    token_path: String,
    accounts: Accounts,
}

/// Who may do what.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    /// The application user: AXL, and revoking.
    pub(crate) administrator: Account,
    /// The end user: signing in.
    pub(crate) user: Account,
    /// A resource server: asking about tokens.
    pub(crate) resource_server: Account,
}

impl OAuth {
    pub(super) fn new(
        server: Arc<Mutex<AuthorizationServer>>,
        database: Database,
        clock: Clock,
        token_path: &str,
        accounts: Accounts,
    ) -> Self {
        Self {
            server,
            database,
            clock,
            codes: Mutex::default(),
            token_path: token_path.to_owned(),
            accounts,
        }
    }

    /// The answer to a request for one of its paths; nothing for others.
    pub(super) fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let query = request.uri().query().unwrap_or_default();
        let answer = match request.uri().path() {
            _ if query.len().max(request.body().len()) > MAX_FIELDS_BYTES => plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "more than 40 KiB of fields\n",
            ),
            AUTHORIZE_PATH => self.authorize(request),
            REVOKE_PATH => self.revoke(request),
            JWKS_PATH => self.keys(request),
            INTROSPECTION_PATH => self.introspect(request),
            path if path == self.token_path => self.token(request),
            _ => return None,
        };
        Some(answer)
    }

    fn server(&self) -> MutexGuard<'_, AuthorizationServer> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A poisoned lock still holds whole codes: each is put in or changed in one step.
    fn codes(&self) -> MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one client the lab knows, a native app (RFC 8252): public, and answered on loopback, at whichever port it has
/// there (section 7.3).
fn is_known_client(client_id: &str) -> bool {
    client_id == CLIENT_ID
}

/// Whether these are the credentials of `account`, by HTTP Basic; in constant time, but for the lengths.
fn is_authenticated(headers: &HeaderMap, account: &Account, encoded: bool) -> bool {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))
        .and_then(|(_, given)| STANDARD.decode(given.trim()).ok())
        .and_then(|given| String::from_utf8(given).ok());
    let Some((name, password)) = given.as_ref().and_then(|given| given.split_once(':')) else {
        return false;
    };
    let same = |given: &str, known: &str| {
        aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), known.as_bytes())
            .is_ok()
    };
    // RFC 6749 section 2.3.1 has a client's id and secret form-encoded first; a person's name is sent as it is.
    let read = |given: &str| {
        if encoded {
            fields::decoded(given)
        } else {
            Some(given.to_owned())
        }
    };
    match (read(name), read(password)) {
        (Some(name), Some(password)) => {
            same(&name, &account.name) & same(&password, &account.password)
        }
        _ => false,
    }
}

/// 401 for who has to say who it is.
fn unauthorized(realm: &'static str) -> Response<Bytes> {
    let mut response = plain(StatusCode::UNAUTHORIZED, "expected other credentials\n");
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static(realm));
    response
}

/// JSON that nobody may keep: "The authorization server MUST include … no-store" (RFC 6749 section 5.1).
fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = with_type(status, "application/json", body);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer of RFC 6749 section 5.2.
fn refused(error: &str) -> Response<Bytes> {
    let status = match error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = json(status, format!(r#"{{"error":"{error}"}}"#));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"oauth\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
