//! Signing a user in: the authorization code grant (RFC 6749 section 4.1) with PKCE, as native apps do it (RFC 8252).

use std::{fmt, time::Duration};

use bytes::Bytes;
use hyper::{
    Method, StatusCode, Uri,
    header::{AUTHORIZATION, LOCATION},
};
use rustls::crypto::CryptoProvider;
use sip_oauth_token::RefreshToken;
use zeroize::Zeroizing;

use super::{
    client_authentication::ClientAuthentication,
    digest::random_text,
    form::{Form, only_field},
    pkce::Pkce,
    token_answer::{ask, https},
};
use crate::{
    client::{ObtainedToken, TokenUnavailable},
    connect::Connector,
    http::{Exchange, basic, printable},
};

/// Longest URL a browser is sent back to that is read, in bytes.
const MAX_REDIRECT_BYTES: usize = 8 * 1024;
/// A page that authenticates a user is not read, only its head.
const MAX_PAGE_BYTES: usize = 256 * 1024;

/// Signs a user in with the help of a browser: [`begin`](CodeGrant::begin) gives the URL to open, and
/// [`finish`](CodeGrant::finish) makes tokens of the URL the browser was sent back to.
///
/// Every sign-in has a `state` (RFC 6749 section 10.12) and a code verifier (RFC 7636, method S256) of its own, used once.
/// Where Unified CM's token endpoint is, is not public; both URLs are the caller's.
///
/// # Examples
///
/// ```
/// use sip_oauth_tokio::{CodeGrant, Connector};
///
/// let grant = CodeGrant::new(
///     Connector::new(),
///     "https://ucm1.example.com:8443/ssosp/oauth/authorize",
///     "https://ucm1.example.com:8443/example/token",
///     "C0ffee",
///     "http://127.0.0.1:49152/callback",
/// )?
/// .scope("UnifiedCommunications:readwrite");
/// let sign_in = grant.begin()?;
/// assert!(sign_in.url().contains("response_type=code&client_id=C0ffee&"));
/// assert!(sign_in.url().contains("&code_challenge_method=S256"));
/// # Ok::<(), sip_oauth_tokio::TokenUnavailable>(())
/// ```
pub struct CodeGrant {
    connector: Connector,
    authorization_endpoint: Uri,
    token_endpoint: Uri,
    client: ClientAuthentication,
    client_id: String,
    redirect_uri: String,
    scope: Option<String>,
    /// A client's assertion or password may be among them.
    further_fields: Vec<(String, Zeroizing<String>)>,
    timeout: Duration,
}

impl fmt::Debug for CodeGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeGrant")
            .field(
                "authorization_endpoint",
                &printable(&self.authorization_endpoint),
            )
            .field("token_endpoint", &printable(&self.token_endpoint))
            .field("client", &self.client)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// What a sign-in brought.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedIn {
    /// The first access token.
    pub access_token: ObtainedToken,
    /// For the next ones, by a [`RefreshGrant`](crate::RefreshGrant).
    pub refresh_token: Option<RefreshToken>,
}

/// A sign-in that has begun. It is good for one answer.
pub struct SignIn {
    url: String,
    state: Zeroizing<String>,
    verifier: Zeroizing<String>,
}

impl SignIn {
    /// The URL to open in the user's browser.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn(..)")
    }
}

impl CodeGrant {
    /// Signs in at `authorization_endpoint` and `token_endpoint`, https URLs, as the public client `client_id`, to which
    /// answers come at `redirect_uri`. Each request may take 15 s.
    ///
    /// # Errors
    ///
    /// When an endpoint is not an https URL, or has a fragment in its way (RFC 6749 section 3.1).
    pub fn new(
        connector: Connector,
        authorization_endpoint: &str,
        token_endpoint: &str,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<Self, TokenUnavailable> {
        let endpoint = |url, what| https(url, what).map_err(TokenUnavailable::new);
        Ok(Self {
            connector,
            authorization_endpoint: endpoint(authorization_endpoint, "the authorization endpoint")?,
            token_endpoint: endpoint(token_endpoint, "the token endpoint")?,
            client: ClientAuthentication::public(client_id),
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            scope: None,
            further_fields: Vec::new(),
            timeout: Duration::from_secs(15),
        })
    }

    /// Authenticates the client so at the token endpoint instead of by its id alone.
    #[must_use]
    pub fn client(mut self, client: ClientAuthentication) -> Self {
        self.client = client;
        self
    }

    /// Asks for this scope.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope.to_owned());
        self
    }

    /// Adds a field to the authorization request, as `realm` and `email` in the product's through an Expressway-E.
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

    /// Begins a sign-in (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
    ///
    /// # Errors
    ///
    /// When there is no crypto provider, or it has no randomness.
    pub fn begin(&self) -> Result<SignIn, TokenUnavailable> {
        let provider = self.provider()?;
        let no_randomness = || TokenUnavailable::new("the crypto provider has no random numbers");
        let pkce = Pkce::new(&provider).ok_or_else(no_randomness)?;
        let state = random_text(&provider).ok_or_else(no_randomness)?;
        let mut query = Form::default();
        query.field("response_type", "code");
        query.field("client_id", &self.client_id);
        query.field("redirect_uri", &self.redirect_uri);
        if let Some(scope) = &self.scope {
            query.field("scope", scope);
        }
        query.field("state", &state);
        query.field("code_challenge", &pkce.challenge);
        query.field("code_challenge_method", "S256");
        for (name, value) in &self.further_fields {
            query.field(name, value);
        }
        // "The endpoint URI MAY include … query component, which MUST be retained" (section 3.1).
        let join = if self.authorization_endpoint.query().is_some() {
            '&'
        } else {
            '?'
        };
        let url = format!("{}{join}{}", self.authorization_endpoint, query.as_str());
        Ok(SignIn {
            url,
            state,
            verifier: pkce.verifier,
        })
    }

    /// Ends a sign-in with the URL the browser was sent back to: takes its code to the token endpoint (RFC 6749
    /// section 4.1.3, RFC 7636 section 4.5).
    ///
    /// # Errors
    ///
    /// The URL is not the redirect URI's, belongs to another sign-in, or brings an error (section 4.1.2.1); the token
    /// endpoint refuses.
    pub async fn finish(
        &self,
        sign_in: SignIn,
        redirected_to: &str,
    ) -> Result<SignedIn, TokenUnavailable> {
        let code = self.code(&sign_in, redirected_to)?;
        let mut form = Form::default();
        form.field("grant_type", "authorization_code");
        form.field("code", &code);
        form.field("redirect_uri", &self.redirect_uri);
        form.field("code_verifier", &sign_in.verifier);
        let granted = ask(
            &self.connector,
            &self.token_endpoint,
            &self.client,
            form,
            "authorization code",
            self.timeout,
        )
        .await?;
        Ok(SignedIn {
            access_token: granted.access,
            refresh_token: granted.refresh,
        })
    }

    /// Does the browser's part at a server that takes the user's name and password by HTTP Basic, and gives the URL it was
    /// sent back to: for tests and machines without a person. The lab's server does; most others have a page of their own.
    ///
    /// # Errors
    ///
    /// No answer; an answer that is no redirect.
    pub async fn authorize_with_password(
        &self,
        sign_in: &SignIn,
        user: &str,
        password: &str,
    ) -> Result<String, TokenUnavailable> {
        let uri =
            https(&sign_in.url, "the authorization endpoint").map_err(TokenUnavailable::new)?;
        let basic = basic(user, password)
            .ok_or_else(|| TokenUnavailable::new("user and password cannot be sent"))?;
        let answer = Exchange {
            method: Method::GET,
            uri: &uri,
            headers: vec![(AUTHORIZATION, basic)],
            body: Bytes::new(),
            subject: "authorize",
            max_body_bytes: MAX_PAGE_BYTES,
            timeout: self.timeout,
        }
        .run(&self.connector)
        .await
        .map_err(|error| {
            TokenUnavailable::new(format!("authorization endpoint {error}")).caused_by(error)
        })?;
        let place = format!("authorization endpoint {}", printable(&uri));
        let location = answer
            .headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        match (answer.status, location) {
            (StatusCode::FOUND | StatusCode::SEE_OTHER, Some(location)) => Ok(location.to_owned()),
            (StatusCode::UNAUTHORIZED, _) => Err(TokenUnavailable::new(format!(
                "{place}: user name or password is wrong"
            ))
            .for_good()),
            (status, _) => Err(TokenUnavailable::new(format!(
                "{place}: status {} instead of a redirect; check client id and redirect URI",
                status.as_u16()
            ))
            .for_good()),
        }
    }

    /// The code in the URL, if it answers this sign-in.
    fn code(
        &self,
        sign_in: &SignIn,
        redirected_to: &str,
    ) -> Result<Zeroizing<String>, TokenUnavailable> {
        let refused = |why: &str| TokenUnavailable::new(format!("the sign-in's answer {why}"));
        if redirected_to.len() > MAX_REDIRECT_BYTES {
            return Err(refused("is longer than 8 KiB"));
        }
        let query = redirected_to
            .strip_prefix(self.redirect_uri.as_str())
            .and_then(|rest| rest.strip_prefix(['?', '&']))
            .ok_or_else(|| refused("did not come to the redirect URI"))?;
        let query = query.split('#').next().unwrap_or_default();
        // RFC 6749 section 10.12: somebody else's answer is put into a user's browser.
        if only_field(query, "state").as_deref() != Some(sign_in.state.as_str()) {
            return Err(refused("belongs to another sign-in: its state is not ours"));
        }
        if let Some(error) = only_field(query, "error") {
            let known = !error.is_empty()
                && error.len() <= 64
                && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let error = if known { error.as_str() } else { "an error" };
            return Err(refused(&format!("is {error}; sign in again")).for_good());
        }
        only_field(query, "code")
            .filter(|code| !code.is_empty())
            .map(Zeroizing::new)
            .ok_or_else(|| refused("has neither a code nor an error"))
    }

    fn provider(&self) -> Result<std::sync::Arc<CryptoProvider>, TokenUnavailable> {
        match self.connector.tls() {
            Some(tls) => Ok(std::sync::Arc::clone(tls.crypto_provider())),
            None => sip_oauth_trust::default_provider()
                .map_err(|error| TokenUnavailable::new(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> CodeGrant {
        CodeGrant::new(
            Connector::new(),
            "https://as.example.com/authorize?tenant=1",
            "https://as.example.com/token",
            "C0ffee",
            "http://127.0.0.1:49152/callback",
        )
        .unwrap()
        .field("realm", "local")
    }

    #[test]
    fn rfc6749_section_4_1_1_the_request_keeps_the_query_of_the_endpoint() {
        let sign_in = grant().begin().unwrap();
        let url = sign_in.url();
        let start = "https://as.example.com/authorize?tenant=1&response_type=code&client_id=C0ffee\
                     &redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcallback&state=";
        assert!(url.starts_with(start), "{url}");
        assert!(
            url.ends_with("&code_challenge_method=S256&realm=local"),
            "{url}"
        );
        assert!(!url.contains(sign_in.verifier.as_str()));
        assert_eq!(format!("{sign_in:?}"), "SignIn(..)");
    }

    #[test]
    fn rfc6749_section_10_12_only_the_answer_to_this_sign_in_is_taken() {
        let (grant, sign_in) = (grant(), grant().begin().unwrap());
        let state = sign_in.state.as_str();
        let at = "http://127.0.0.1:49152/callback";
        let good = format!("{at}?state={state}&code=abc#_=_");
        assert_eq!(grant.code(&sign_in, &good).unwrap().as_str(), "abc");
        for (url, words) in [
            (format!("{at}?code=abc"), "state"),
            (format!("{at}?code=abc&state=other"), "state"),
            (
                format!("{at}?code=abc&state={state}&state={state}"),
                "state",
            ),
            (
                format!("http://127.0.0.1:49152/callbac?state={state}&code=abc"),
                "redirect URI",
            ),
            (
                format!("http://127.0.0.1:49152/callback2?state={state}&code=abc"),
                "redirect URI",
            ),
            (format!("{at}?state={state}"), "neither"),
            (format!("{at}?state={state}&code="), "neither"),
            (format!("{at}?state={state}&code=a&code=b"), "neither"),
            (
                format!("{at}?state={state}&error=access_denied"),
                "access_denied",
            ),
            (format!("{at}?state={state}&error=%1b[31m"), "an error"),
            (
                format!("{at}?state={state}&code={}", "a".repeat(9000)),
                "8 KiB",
            ),
        ] {
            let error = grant.code(&sign_in, &url).unwrap_err().to_string();
            assert!(error.contains(words), "{url}: {error}");
            assert!(!error.contains(state) && !error.contains("abc"), "{error}");
        }
    }
}
