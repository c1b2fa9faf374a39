//! What resource servers ask: the signing key (RFC 7517) and the state of a token (RFC 7662).

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH},
};

use super::{OAuth, is_authenticated, json, refused, token::form};
use crate::http::{plain, with_type};

impl OAuth {
    /// The JWK set. It changes when the administrator makes a new key, and may be kept for five minutes.
    pub(super) fn keys(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "the keys take GET\n");
        }
        let (set, kid) = {
            let server = self.server();
            (
                server.jwk_set(),
                server.signing_key_id().as_str().to_owned(),
            )
        };
        let etag = HeaderValue::try_from(format!("\"{kid}\"")).ok();
        let known = request.headers().get(IF_NONE_MATCH);
        let mut response = if known.is_some() && known == etag.as_ref() {
            plain(StatusCode::NOT_MODIFIED, "")
        } else {
            with_type(StatusCode::OK, "application/jwk-set+json", set)
        };
        let headers = response.headers_mut();
        headers.extend(etag.map(|etag| (ETAG, etag)));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
        response
    }

    /// The answer of RFC 7662 section 2.2.
    pub(super) fn introspect(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::POST {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "introspection takes POST\n");
        }
        // Section 2.3: a client that does not say who it is learns nothing, not even whether the token exists.
        if !is_authenticated(request.headers(), &self.accounts.resource_server, true) {
            return refused("invalid_client");
        }
        match form(request).and_then(|form| form.required("token")) {
            Ok(token) => {
                let said = self.server().introspect(&token, self.clock.system_now());
                json(StatusCode::OK, said)
            }
            Err(_) => refused("invalid_request"),
        }
    }
}
