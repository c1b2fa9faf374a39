//! Access tokens by a refresh token (RFC 6749 section 6), over HTTPS.

use std::{fmt, sync::Arc, time::Duration};

use hyper::Uri;
use sip_oauth_registration::client::TokenReason;
use sip_oauth_token::{AccessToken, RefreshToken};
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
    held: Arc<Mutex<Held>>,
    /// A client's assertion or password may be among them.
    further_fields: Vec<(String, Zeroizing<String>)>,
    scope_from_challenge: bool,
    timeout: Duration,
    rotated: Option<Rotated>,
}

/// What clones share.
struct Held {
    refresh_token: RefreshToken,
    /// The scope a registrar has refused a token for the lack of: asked for from then on.
    demanded: Option<String>,
    /// The last token that was asked for with a scope, and which.
    scoped: Option<(AccessToken, String)>,
}

/// What says that a token lacks a scope: RFC 8898 section 4, and RFC 6750 section 3.1.
const SCOPE_ERRORS: [&str; 2] = ["invalid_scope", "insufficient_scope"];

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
            held: Arc::new(Mutex::new(Held {
                refresh_token,
                demanded: None,
                scoped: None,
            })),
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

    /// Asks for the `scope` of every challenge (RFC 8898 section 2.1.1). By default it is asked for once a registrar has refused
    /// a token for its scope, and from then on: without one the server grants what the resource owner granted (RFC 6749
    /// section 6), and refuses what he did not.
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
        let mut held = self.held.lock().await;
        let scope = self.scope_for(request, &mut held)?;
        let mut form = Form::default();
        form.field("grant_type", "refresh_token");
        form.field("refresh_token", held.refresh_token.expose());
        if let Some(scope) = &scope {
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
            && next != held.refresh_token
        {
            // First: should the callback panic, we have it at least.
            held.refresh_token = next;
            if let Some(rotated) = &self.rotated {
                rotated(&held.refresh_token);
            }
        }
        held.scoped = scope.map(|scope| (granted.access.token.clone(), scope));
        Ok(granted.access)
    }

    /// The scope to ask for, if any. A token that was refused for its scope is not followed by one that was asked for in the
    /// same way.
    fn scope_for(
        &self,
        request: &TokenRequest,
        held: &mut Held,
    ) -> Result<Option<String>, TokenUnavailable> {
        let challenge = request.challenge.as_ref();
        let named = challenge.and_then(|challenge| challenge.scope.as_deref());
        let lacks_scope = request.reason == TokenReason::Rejected
            && challenge
                .and_then(|challenge| challenge.error.as_deref())
                .is_some_and(|error| SCOPE_ERRORS.contains(&error));
        if lacks_scope {
            let Some(scope) = named else {
                return Err(TokenUnavailable::new(
                    "the registrar refuses the token for its scope and names none to ask for; have its challenge name one, or \
                     grant the user what it wants",
                )
                .for_good());
            };
            let asked_already = held.scoped.as_ref().is_some_and(|(token, asked)| {
                request.held.as_ref() == Some(token) && asked == scope
            });
            if asked_already {
                return Err(TokenUnavailable::new(format!(
                    "the registrar wants the scope {scope:?}, which the authorization server was asked for and did not put into \
                     the token; grant it to the user"
                ))
                .for_good());
            }
            held.demanded = Some(scope.to_owned());
        }
        let asked = if self.scope_from_challenge {
            named.map(str::to_owned)
        } else {
            None
        };
        Ok(asked.or_else(|| held.demanded.clone()))
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
