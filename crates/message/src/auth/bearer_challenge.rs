//! The Bearer challenge.

use std::fmt;

use super::params::{AuthParam, AuthParams};
use crate::Text;

/// Asks for an access token (RFC 8898 section 4).
///
/// ```text
/// challenge  =/ ("Bearer" LWS bearer-cln *(COMMA bearer-cln))
/// bearer-cln = realm / scope-param / authz-server-param / error-param / auth-param
/// ```
///
/// Unified CM sends the realm alone.
///
/// ```
/// use sip_oauth_message::{BearerChallenge, Challenge};
/// assert_eq!(
///     BearerChallenge::new("ccmsipline").to_string(),
///     r#"Bearer realm="ccmsipline""#,
/// );
/// let text = r#"Bearer realm="r", authz_server="https://as.example.com", scope="a b""#;
/// let Challenge::Bearer(challenge) = Challenge::parse(text)? else { unreachable!() };
/// assert_eq!(challenge.authz_server().unwrap(), "https://as.example.com");
/// assert_eq!(challenge.scope().unwrap(), "a b");
/// assert_eq!(challenge.to_string(), text);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BearerChallenge<'a> {
    realm: Option<Text<'a>>,
    authz_server: Option<(AuthzServerSpelling, Text<'a>)>,
    scope: Option<Text<'a>>,
    error: Option<Text<'a>>,
    rest: AuthParams<'a>,
}

/// How the parameter for the authorization server is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthzServerSpelling {
    /// `authz_server`, as RFC 8898 has it.
    Underscore,
    /// `authz-server`, as some servers send it.
    Hyphen,
}

impl<'a> BearerChallenge<'a> {
    /// A challenge with a realm, as Unified CM sends it.
    pub const fn new(realm: &'a str) -> Self {
        Self {
            realm: Some(Text::Plain(realm)),
            authz_server: None,
            scope: None,
            error: None,
            rest: AuthParams::EMPTY,
        }
    }

    /// The same with an authorization server, an HTTPS URI (RFC 8898 section 4).
    #[must_use]
    pub const fn with_authz_server(mut self, uri: &'a str) -> Self {
        self.authz_server = Some((AuthzServerSpelling::Underscore, Text::Plain(uri)));
        self
    }

    /// The same with scopes, separated by spaces (RFC 6749 section 3.3).
    #[must_use]
    pub const fn with_scope(mut self, scope: &'a str) -> Self {
        self.scope = Some(Text::Plain(scope));
        self
    }

    /// The same with an error such as `invalid_token` (RFC 6750 section 3.1).
    #[must_use]
    pub const fn with_error(mut self, error: &'a str) -> Self {
        self.error = Some(Text::Plain(error));
        self
    }

    pub(super) fn read(params: AuthParams<'a>) -> Self {
        let server = |name, spelling| params.get(name).map(|value| (spelling, value));
        Self {
            realm: params.get("realm"),
            authz_server: server("authz_server", AuthzServerSpelling::Underscore)
                .or_else(|| server("authz-server", AuthzServerSpelling::Hyphen)),
            scope: params.get("scope"),
            error: params.get("error"),
            rest: params,
        }
    }

    /// The realm.
    pub const fn realm(&self) -> Option<Text<'a>> {
        self.realm
    }

    /// The authorization server, in either spelling.
    pub fn authz_server(&self) -> Option<Text<'a>> {
        self.authz_server.map(|(_, uri)| uri)
    }

    /// How the authorization server is spelled.
    pub fn authz_server_spelling(&self) -> Option<AuthzServerSpelling> {
        self.authz_server.map(|(spelling, _)| spelling)
    }

    /// The scopes, separated by spaces.
    pub const fn scope(&self) -> Option<Text<'a>> {
        self.scope
    }

    /// The error, `invalid_token` where a token was refused.
    pub const fn error(&self) -> Option<Text<'a>> {
        self.error
    }

    /// All other parameters, in order; a second one of the names above and the other spelling of the
    /// authorization server are among them.
    pub fn other_params(&self) -> impl Iterator<Item = AuthParam<'a>> + use<'a> {
        // The one that was read, whatever was put in its place since.
        let server = if self.rest.get("authz_server").is_some() {
            "authz_server"
        } else {
            "authz-server"
        };
        self.rest.except_first(["realm", server, "scope", "error"])
    }
}

/// Two challenges are equal when they ask for the same; where their own parameters stand among the
/// others does not matter.
impl PartialEq for BearerChallenge<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.realm == other.realm
            && self.authz_server == other.authz_server
            && self.scope == other.scope
            && self.error == other.error
            && self.other_params().eq(other.other_params())
    }
}

impl Eq for BearerChallenge<'_> {}

impl fmt::Display for BearerChallenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")?;
        let (server_name, server) = match self.authz_server {
            Some((AuthzServerSpelling::Hyphen, uri)) => ("authz-server", Some(uri)),
            Some((AuthzServerSpelling::Underscore, uri)) => ("authz_server", Some(uri)),
            None => ("", None),
        };
        let own = [
            ("realm", self.realm),
            (server_name, server),
            ("scope", self.scope),
            ("error", self.error),
        ];
        let own = own.into_iter().filter_map(|(name, value)| {
            let value = value?;
            Some(AuthParam { name, value })
        });
        for (index, param) in own.chain(self.other_params()).enumerate() {
            f.write_str(if index == 0 { " " } else { ", " })?;
            param.fmt(f)?;
        }
        Ok(())
    }
}
