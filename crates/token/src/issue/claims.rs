//! What the tokens of the product say, in its order.

use serde::Serialize;

/// The JOSE header of the signed part, in the product's order.
#[derive(Serialize)]
pub(super) struct SignedHeader<'a> {
    pub(super) alg: &'static str,
    pub(super) typ: &'static str,
    pub(super) kid: &'a str,
}

/// The payload of Unified CM's access token.
#[derive(Serialize)]
pub(super) struct Private<'a> {
    pub(super) private: &'a str,
}

/// The claims inside the encrypted part. What the product writes there is not public; the names are
/// those of [`ClaimNames::default`](crate::ClaimNames).
#[derive(Serialize)]
pub(super) struct AccessClaims<'a> {
    pub(super) exp: u64,
    pub(super) iat: u64,
    pub(super) iss: &'a str,
    pub(super) sub: &'a str,
    pub(super) typ: &'static str,
    pub(super) tid: &'a str,
    pub(super) ctyp: &'static str,
    pub(super) ccid: &'a str,
    pub(super) scope: &'a str,
}

/// The claims of RFC 9068 section 2.2.
#[derive(Serialize)]
pub(super) struct JwtClaims<'a> {
    pub(super) iss: &'a str,
    pub(super) exp: u64,
    pub(super) aud: &'a str,
    pub(super) sub: &'a str,
    pub(super) client_id: &'a str,
    pub(super) iat: u64,
    pub(super) jti: &'a str,
    pub(super) scope: &'a str,
}

/// The claims of Unified CM's refresh token, in the product's order.
#[derive(Serialize)]
pub(super) struct RefreshClaims<'a> {
    pub(super) exp: u64,
    pub(super) iss: &'a str,
    pub(super) typ: &'static str,
    pub(super) tid: &'a str,
    pub(super) ctyp: &'static str,
    pub(super) ccid: &'a str,
}
