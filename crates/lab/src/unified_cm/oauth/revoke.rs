//! `/ssosp/token/revoke`: the tokens of a user, of one client or of all, end.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;

use super::{OAuth, fields::Fields, is_authenticated, json, unauthorized};
use crate::http::plain;

/// The published answer, in its order.
#[derive(Serialize)]
struct Answer<'a> {
    revoked_tokens: Revoked<'a>,
}

#[derive(Serialize)]
struct Revoked<'a> {
    status: &'static str,
    user_id: &'a str,
    #[serde(rename = "clientID_tokens")]
    client_id_tokens: Vec<Token>,
}

#[derive(Serialize)]
struct Token {
    client_id: String,
    /// 64 hexadecimal digits; of what is not public. Here the SHA-256 of the token's `tid`.
    refresh_token: String,
}

impl OAuth {
    pub(super) fn revoke(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "revocation takes GET\n");
        }
        if !is_authenticated(request.headers(), &self.accounts.administrator, false) {
            return unauthorized("Basic realm=\"Unified CM\"");
        }
        let fields = Fields::new(request.uri().query().unwrap_or_default());
        let (Ok(user), Ok(client_id)) = (fields.required("user_id"), fields.get("client_id"))
        else {
            return plain(
                StatusCode::BAD_REQUEST,
                "expected user_id once, and client_id at most once\n",
            );
        };
        let revoked = self.server().revoke(&user, client_id.as_deref());
        let answer = Answer {
            revoked_tokens: Revoked {
                status: "success",
                user_id: &user,
                client_id_tokens: revoked
                    .into_iter()
                    .map(|token| Token {
                        client_id: token.client_id,
                        refresh_token: hex(digest(&SHA256, token.token_id.as_bytes()).as_ref()),
                    })
                    .collect(),
            },
        };
        match serde_json::to_string(&answer) {
            Ok(body) => json(StatusCode::OK, body),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "no JSON\n"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}
