//! Access tokens by a refresh token (RFC 6749 section 6), over HTTPS.

use std::{fmt, sync::Arc, time::Duration};

use hyper::Uri;
use sip_oauth_token::RefreshToken;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::token_source::{ObtainedToken, TokenRequest, TokenSource, TokenUnavailable};
use crate::{
    connect::Connector,
    http::printable,
    oauth::{ClientAuthentication, Form, ask, https},
    resolver::BoxFuture,
};

/// Called with a new refresh token where the authorization server rotates them.
type Rotated = Arc<dyn Fn(&RefreshToken) + Send + Sync>;

/// Asks an authorization server's token endpoint for a new access token each time one is wanted.
///
/// "the client makes a refresh request to the token endpoint by adding the following parameters using the
/// "application/x-www-form-urlencoded" format": `grant_type=refresh_token`, `refresh_token`, and `client_id` for a public
/// client (RFC 6749 section 6 and 3.2.1). Where Unified CM's endpoint is, and what else it wants, is not public: the URL
/// is the caller's, and so are [further fields](RefreshGrant::field). A refresh token that comes back with the access token
/// replaces the one we have.
///
/// A request goes on when the one who asked goes away: a refresh token that rotates would be lost with the answer. Clones share
/// the refresh token.
///
/// Put it into a [`RenewingToken`](crate::RenewingToken) to share one token between devices and to be spared while the
/// server is down.
#[derive(Clone)]
pub struct RefreshGrant {
    connector: Connector,
    endpoint: Uri,
    client: ClientAuthentication,
    refresh_token: Arc<Mutex<RefreshToken>>,
    /// A client's assertion or password may be among them.
    further_fields: Vec<(String, Zeroizing<String>)>,
    scope_from_challenge: bool,
    timeout: Duration,
    rotated: Option<Rotated>,
}

impl fmt::Debug for RefreshGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshGrant")
            .field("endpoint", &printable(&self.endpoint))
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl RefreshGrant {
    /// Asks `endpoint`, an https URL, as the public client `client_id`. Each request may take 15 s.
    ///
    /// # Errors
    ///
    /// When `endpoint` is not an https URL: RFC 6749 section 3.2 demands TLS.
    pub fn new(
        connector: Connector,
        endpoint: &str,
        client_id: &str,
        refresh_token: RefreshToken,
    ) -> Result<Self, TokenUnavailable> {
        let endpoint = https(endpoint, "the token endpoint").map_err(TokenUnavailable::new)?;
        Ok(Self {
            connector,
            endpoint,
            client: ClientAuthentication::public(client_id),
            refresh_token: Arc::new(Mutex::new(refresh_token)),
            further_fields: Vec::new(),
            scope_from_challenge: false,
            timeout: Duration::from_secs(15),
            rotated: None,
        })
    }

    /// Authenticates the client so instead of by its id alone.
    #[must_use]
    pub fn client(mut self, client: ClientAuthentication) -> Self {
        self.client = client;
        self
    }

    /// Adds a field to every request, for servers that want more than RFC 6749 says.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.further_fields
            .push((name.to_owned(), Zeroizing::new(value.to_owned())));
        self
    }

    /// Sets the time a request may take, connecting included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the `scope` of the challenge (RFC 8898 section 2.1.1). Off by default: a server refuses a scope that the
    /// resource owner did not grant.
    #[must_use]
    pub fn ask_scope_of_challenge(mut self) -> Self {
        self.scope_from_challenge = true;
        self
    }

    /// Calls `rotated` with every new refresh token, so that it can be stored.
    #[must_use]
    pub fn on_new_refresh_token(
        mut self,
        rotated: impl Fn(&RefreshToken) + Send + Sync + 'static,
    ) -> Self {
        self.rotated = Some(Arc::new(rotated));
        self
    }

    async fn ask(&self, request: &TokenRequest) -> Result<ObtainedToken, TokenUnavailable> {
        // Held over the exchange: two requests with one rotating refresh token would revoke each other.
        let mut current = self.refresh_token.lock().await;
        let mut form = Form::default();
        form.field("grant_type", "refresh_token");
        form.field("refresh_token", current.expose());
        let challenge = request.challenge.as_ref();
        if let Some(scope) = challenge.and_then(|challenge| challenge.scope.as_deref())
            && self.scope_from_challenge
        {
            form.field("scope", scope);
        }
        for (name, value) in &self.further_fields {
            form.field(name, value);
        }
        let granted = ask(
            &self.connector,
            &self.endpoint,
            &self.client,
            form,
            "token refresh",
            self.timeout,
        )
        .await?;
        if let Some(next) = granted.refresh
            && next != *current
        {
            // First: should the callback panic, we have it at least.
            *current = next;
            if let Some(rotated) = &self.rotated {
                rotated(&current);
            }
        }
        Ok(granted.access)
    }
}

impl TokenSource for RefreshGrant {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<ObtainedToken, TokenUnavailable>> {
        let (this, request) = (self.clone(), request.clone());
        Box::pin(async move {
            // On a task of its own: a client that is stopped drops what it asked for.
            tokio::spawn(async move { this.ask(&request).await })
                .await
                .unwrap_or_else(|_| {
                    Err(TokenUnavailable::new(
                        "the token refresh ended without an answer",
                    ))
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7523 section 2.2, `client_assertion`; RFC 6749 section 2.3.1, `client_secret`.
    #[test]
    fn a_secret_in_a_further_field_is_wiped_and_not_shown() {
        fn is_wiped(_: &Zeroizing<String>) {}
        let token = RefreshToken::parse("refresh").unwrap();
        let url = "https://as.example.com/token";
        let grant = RefreshGrant::new(Connector::new(), url, "id", token).unwrap();
        let grant = grant.field("client_assertion", "hunter2");
        grant
            .further_fields
            .iter()
            .for_each(|(_, value)| is_wiped(value));
        assert!(!format!("{grant:?}").contains("hunter2"));
    }

    #[test]
    fn the_endpoint_must_be_https() {
        let token = || RefreshToken::parse("refresh").unwrap();
        for endpoint in [
            "http://as.example.com/token",
            "as.example.com",
            "/token",
            "ftp://a/b",
        ] {
            assert!(
                RefreshGrant::new(Connector::new(), endpoint, "id", token()).is_err(),
                "{endpoint}"
            );
        }
        let grant = RefreshGrant::new(
            Connector::new(),
            "https://as.example.com/token",
            "id",
            token(),
        );
        assert!(!format!("{:?}", grant.unwrap()).contains("refresh\""));
    }
}
