//! The authorization server's side, for tests and for the lab (feature `issue`).
//!
//! It issues what Unified CM issues: access tokens of the self-describing form and readable refresh
//! tokens, under the timers of the product and with its two keys; and the other forms this crate
//! verifies. HTTP is somebody else's work.

mod claims;
mod error;
mod expiring;
mod live;
mod recipient;
mod seal;
mod sign;
mod timers;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use zeroize::Zeroizing;

pub use error::IssueError;
pub use recipient::Recipient;
pub use timers::{AccessTokenExpiryTimer, RefreshTokenExpiryTimer, TimerError};

use crate::algorithm::ContentEncryption;
use crate::keys::{EncryptionKey, KeyId, KeySet};
use crate::policy::Policy;
use crate::secret::{AccessToken, RefreshToken};
use crate::verified::Form;
use crate::verifier::Verifier;
use claims::{AccessClaims, JwtClaims, Private, RefreshClaims, SignedHeader};
use expiring::Expiring;
use live::{Details, Live};
use seal::{new_key, seal, seal_for};
use sign::SigningKey;

/// An authorization server of Unified CM's kind, in memory.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sip_oauth_token::issue::AuthorizationServer;
/// use sip_oauth_token::{Policy, Verifier};
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let mut server = AuthorizationServer::new("8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5")?;
/// let (refresh, _) = server.issue_refresh("rado", "C0ffee", &["UnifiedCommunications:readwrite"], now)?;
///
/// let an_hour_later = now + Duration::from_secs(3600);
/// let access = server.refresh(&refresh, "C0ffee", an_hour_later)?;
/// assert_eq!(access.expires_in, Duration::from_secs(3600));
///
/// server.revoke("rado", None);
/// assert!(server.refresh(&refresh, "C0ffee", an_hour_later).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AuthorizationServer {
    uuid: String,
    signing: SigningKey,
    encryption: EncryptionKey,
    encryption_kid: KeyId,
    /// The public half of the two, for verifiers.
    keys: KeySet,
    access_timer: AccessTokenExpiryTimer,
    refresh_timer: RefreshTokenExpiryTimer,
    /// By `tid`. What the product keeps in table `refreshtokendetails`.
    refresh_tokens: Expiring<String, RefreshDetails>,
    access_tokens: Live,
}

#[derive(Debug)]
struct RefreshDetails {
    user: String,
    client_id: String,
    scopes: Vec<String>,
}

/// An access token and what the server tells the client about it (RFC 6749 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token.
    pub token: AccessToken,
    /// Its lifetime, which the client cannot read from it.
    pub expires_in: Duration,
}

/// A refresh token that was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// The client it was issued to.
    pub client_id: String,
    /// Its identifier, claim `tid`.
    pub token_id: String,
}

impl AuthorizationServer {
    /// A server with this UUID, new keys and the timers' defaults.
    ///
    /// # Errors
    ///
    /// [`IssueError::Issuer`], and [`IssueError::Crypto`] when no keys could be made.
    pub fn new(uuid: &str) -> Result<Self, IssueError> {
        let is_uuid =
            KeyId::new(&format!("{uuid}:")).is_ok_and(|kid| kid.issuer_uuid() == Some(uuid));
        if !is_uuid || uuid.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(IssueError::Issuer);
        }
        let (encryption, encryption_kid) = new_encryption_key(uuid)?;
        let signing = SigningKey::generate(uuid)?;
        Ok(Self {
            uuid: uuid.to_owned(),
            keys: key_set(uuid, &signing, &encryption)?,
            signing,
            encryption,
            encryption_kid,
            access_timer: AccessTokenExpiryTimer::default(),
            refresh_timer: RefreshTokenExpiryTimer::default(),
            refresh_tokens: Expiring::default(),
            access_tokens: Live::default(),
        })
    }

    /// The server's UUID: `iss` of its tokens and first part of its `kid`s.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// The keys a verifier needs: what Expressway-C gets when "Refresh servers" is run.
    pub fn key_set(&self) -> KeySet {
        self.keys.clone()
    }

    /// The policy its access tokens meet.
    pub fn policy(&self) -> Policy {
        Policy::unified_cm(&self.uuid)
    }

    /// The public signing key as PEM `PUBLIC KEY`, to be written to a file.
    pub fn signing_key_pem(&self) -> &str {
        self.signing.public_pem()
    }

    /// The public signing key as a JWK set (RFC 7517 section 5), as a server publishes it at its `jwks_uri`.
    pub fn jwk_set(&self) -> String {
        format!(r#"{{"keys":[{}]}}"#, self.signing.jwk())
    }

    /// The `kid` of the signing key.
    pub fn signing_key_id(&self) -> &KeyId {
        self.signing.kid()
    }

    /// The encryption key.
    pub fn encryption_key(&self) -> &EncryptionKey {
        &self.encryption
    }

    /// The `kid` of the encryption key.
    pub fn encryption_key_id(&self) -> &KeyId {
        &self.encryption_kid
    }

    /// Lifetime of access tokens.
    pub fn access_token_expiry_timer(&self) -> AccessTokenExpiryTimer {
        self.access_timer
    }

    /// Sets the lifetime of access tokens from now on.
    pub fn set_access_token_expiry_timer(&mut self, timer: AccessTokenExpiryTimer) {
        self.access_timer = timer;
    }

    /// Lifetime of refresh tokens.
    pub fn refresh_token_expiry_timer(&self) -> RefreshTokenExpiryTimer {
        self.refresh_timer
    }

    /// Sets the lifetime of refresh tokens. As in the product, a change revokes every issued token.
    pub fn set_refresh_token_expiry_timer(&mut self, timer: RefreshTokenExpiryTimer) {
        if timer != self.refresh_timer {
            self.revoke_all();
        }
        self.refresh_timer = timer;
    }

    /// Issues an access token of Unified CM's self-describing form.
    ///
    /// # Errors
    ///
    /// An empty user or client; failure of the cryptographic library.
    pub fn issue_access(
        &self,
        user: &str,
        client_id: &str,
        scopes: &[&str],
        now: SystemTime,
    ) -> Result<IssuedToken, IssueError> {
        check_names(user, client_id)?;
        let details = self.details(user, client_id, None, scopes, now)?;
        let claims = AccessClaims {
            exp: details.exp,
            iat: details.iat,
            iss: &self.uuid,
            sub: user,
            typ: "user",
            tid: &details.token_id,
            ctyp: "access",
            ccid: client_id,
            scope: &details.scope,
        };
        // `cty` says JWT, and there is no room for a signature: an unsecured JWT (RFC 7519 section 6).
        let inner = sign::unsecured(&claims);
        let private = self.seal(inner.as_bytes())?;
        let text = self.sign("JWT", &Private { private: &private })?;
        self.issued(&text, details)
    }

    /// Issues an access token of any form for `audience`: a signed JWT of RFC 9068, the same encrypted
    /// around with the server's encryption key, or an opaque one that only
    /// [`AuthorizationServer::introspect`] can read.
    ///
    /// # Errors
    ///
    /// As [`AuthorizationServer::issue_access`], which is called for [`Form::UnifiedCm`].
    pub fn issue_access_for(
        &self,
        form: Form,
        audience: &str,
        user: &str,
        client_id: &str,
        scopes: &[&str],
        now: SystemTime,
    ) -> Result<IssuedToken, IssueError> {
        if form == Form::UnifiedCm {
            return self.issue_access(user, client_id, scopes, now);
        }
        check_names(user, client_id)?;
        let details = self.details(user, client_id, Some(audience), scopes, now)?;
        let text = match form {
            Form::UnifiedCm | Form::Jwt => self.sign_jwt(&details)?,
            Form::Nested => self.seal(self.sign_jwt(&details)?.as_bytes())?,
            Form::Opaque => opaque()?,
        };
        self.issued(&text, details)
    }

    /// Issues a signed JWT of RFC 9068 for `audience`, encrypted around for `recipient` (RFC 7519
    /// Appendix A.2).
    ///
    /// # Errors
    ///
    /// As [`AuthorizationServer::issue_access`].
    pub fn issue_nested(
        &self,
        recipient: &Recipient,
        audience: &str,
        user: &str,
        client_id: &str,
        scopes: &[&str],
        now: SystemTime,
    ) -> Result<IssuedToken, IssueError> {
        check_names(user, client_id)?;
        let details = self.details(user, client_id, Some(audience), scopes, now)?;
        let text = seal_for(recipient, self.sign_jwt(&details)?.as_bytes())?;
        self.issued(&text, details)
    }

    /// Says what the server knows about an access token: the body of an introspection response (RFC
    /// 7662 section 2.2). `{"active":false}` for everything else: expired, revoked, issued before the
    /// keys changed, a refresh token, somebody else's.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sip_oauth_token::issue::AuthorizationServer;
    /// use sip_oauth_token::Form;
    ///
    /// let now = SystemTime::now();
    /// let mut server = AuthorizationServer::new("8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5")?;
    /// let issued = server.issue_access_for(Form::Opaque, "sip:example.com", "rado", "C1", &[], now)?;
    /// assert!(server.introspect(issued.token.expose(), now).starts_with(r#"{"active":true,"#));
    ///
    /// server.revoke("rado", Some("C1"));
    /// assert_eq!(server.introspect(issued.token.expose(), now), r#"{"active":false}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn introspect(&self, token: &str, now: SystemTime) -> String {
        let details = self.access_tokens.get(token, seconds(now));
        live::response(&self.uuid, details.as_ref())
    }

    /// Issues a refresh token and tells its lifetime.
    ///
    /// # Errors
    ///
    /// An empty user or client; failure of the cryptographic library.
    pub fn issue_refresh(
        &mut self,
        user: &str,
        client_id: &str,
        scopes: &[&str],
        now: SystemTime,
    ) -> Result<(RefreshToken, Duration), IssueError> {
        check_names(user, client_id)?;
        let token_id = new_uuid()?;
        let expires_in = self.refresh_timer.duration();
        let claims_end = seconds(now).saturating_add(expires_in.as_secs());
        let claims = RefreshClaims {
            exp: claims_end,
            iss: &self.uuid,
            typ: "user",
            tid: &token_id,
            ctyp: "refresh",
            ccid: client_id,
        };
        let token = RefreshToken::parse(&self.sign("JWT", &claims)?)?;
        let details = RefreshDetails {
            user: user.to_owned(),
            client_id: client_id.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        };
        self.refresh_tokens
            .insert(token_id, claims_end, details, seconds(now));
        Ok((token, expires_in))
    }

    /// The refresh grant (RFC 6749 section 6): a new access token for the user of `token`, with the
    /// scopes that were granted with it.
    ///
    /// # Errors
    ///
    /// The token does not verify, was revoked, or belongs to another client.
    pub fn refresh(
        &self,
        token: &RefreshToken,
        client_id: &str,
        now: SystemTime,
    ) -> Result<IssuedToken, IssueError> {
        self.refresh_for(token, client_id, None, now)
            .map(|(issued, _)| issued)
    }

    /// The same for some of the scopes; gives back which they are.
    ///
    /// # Errors
    ///
    /// As [`AuthorizationServer::refresh`]; [`IssueError::Scope`] for a scope that was not granted: "The
    /// requested scope MUST NOT include any scope not originally granted by the resource owner".
    pub fn refresh_for(
        &self,
        token: &RefreshToken,
        client_id: &str,
        scopes: Option<&[&str]>,
        now: SystemTime,
    ) -> Result<(IssuedToken, Vec<String>), IssueError> {
        // To the second: a server has no need of leeway towards its own clock.
        let policy = self.policy().leeway(Duration::ZERO);
        let verified = Verifier::new(self.key_set(), policy).verify_refresh(token.expose(), now)?;
        let details = self
            .refresh_tokens
            .get(&verified.token_id().to_owned(), seconds(now))
            .ok_or(IssueError::Revoked)?;
        if details.client_id != client_id || verified.client_id() != client_id {
            return Err(IssueError::OtherClient);
        }
        let granted: Vec<&str> = details.scopes.iter().map(String::as_str).collect();
        let scopes = scopes.unwrap_or(&granted);
        if scopes.iter().any(|scope| !granted.contains(scope)) {
            return Err(IssueError::Scope);
        }
        let issued = self.issue_access(&details.user, client_id, scopes, now)?;
        Ok((
            issued,
            scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ))
    }

    /// Revokes the tokens of a user, of one client or of all, as `/ssosp/token/revoke` does, and says
    /// which refresh tokens these were.
    ///
    /// [`AuthorizationServer::introspect`] calls their access tokens inactive from then on. A verifier
    /// that does not ask takes self-describing ones until they expire, or until it is told by
    /// [`Verifier::revoke_user`].
    pub fn revoke(&mut self, user: &str, client_id: Option<&str>) -> Vec<RevokedToken> {
        self.access_tokens.revoke_of(user, client_id);
        let of_them = |details: &RefreshDetails| {
            details.user == user && client_id.is_none_or(|client_id| details.client_id == client_id)
        };
        let mut revoked: Vec<RevokedToken> = self
            .refresh_tokens
            .take(of_them)
            .into_iter()
            .map(|(token_id, details)| RevokedToken {
                client_id: details.client_id,
                token_id,
            })
            .collect();
        revoked.sort_by(|left, right| left.token_id.cmp(&right.token_id));
        revoked
    }

    /// Revokes one refresh token, and says whether it was good.
    pub fn revoke_refresh_token(&mut self, token: &RefreshToken, now: SystemTime) -> bool {
        Verifier::new(self.key_set(), self.policy())
            .verify_refresh(token.expose(), now)
            .is_ok_and(|verified| {
                let token_id = verified.token_id().to_owned();
                self.refresh_tokens.remove(&token_id).is_some()
            })
    }

    /// Makes [`AuthorizationServer::introspect`] call one access token inactive, and says whether it
    /// was active.
    pub fn revoke_access_token(&mut self, token: &AccessToken) -> bool {
        self.access_tokens.revoke(token.expose())
    }

    /// `set key regen authz signing`: a new signing key. Every token is invalid from then on, at
    /// verifiers that have the new [`AuthorizationServer::key_set`].
    ///
    /// # Errors
    ///
    /// [`IssueError::Crypto`]; the old key stays.
    pub fn regenerate_signing_key(&mut self) -> Result<(), IssueError> {
        let signing = SigningKey::generate(&self.uuid)?;
        self.keys = key_set(&self.uuid, &signing, &self.encryption)?;
        self.signing = signing;
        self.revoke_all();
        Ok(())
    }

    /// `set key regen authz encryption`: a new encryption key. Every token is invalid from then on, at
    /// verifiers that have the new [`AuthorizationServer::key_set`].
    ///
    /// # Errors
    ///
    /// [`IssueError::Crypto`]; the old key stays.
    pub fn regenerate_encryption_key(&mut self) -> Result<(), IssueError> {
        let (encryption, encryption_kid) = new_encryption_key(&self.uuid)?;
        self.keys = key_set(&self.uuid, &self.signing, &encryption)?;
        (self.encryption, self.encryption_kid) = (encryption, encryption_kid);
        self.revoke_all();
        Ok(())
    }

    /// Both keys anew.
    ///
    /// # Errors
    ///
    /// [`IssueError::Crypto`].
    pub fn regenerate_keys(&mut self) -> Result<(), IssueError> {
        self.regenerate_signing_key()?;
        self.regenerate_encryption_key()
    }

    /// What a new access token will say.
    fn details(
        &self,
        user: &str,
        client_id: &str,
        audience: Option<&str>,
        scopes: &[&str],
        now: SystemTime,
    ) -> Result<Details, IssueError> {
        let iat = seconds(now);
        Ok(Details {
            user: user.to_owned(),
            client_id: client_id.to_owned(),
            audience: audience.map(str::to_owned),
            scope: scopes.join(" "),
            token_id: new_uuid()?,
            iat,
            exp: iat.saturating_add(self.access_timer.duration().as_secs()),
        })
    }

    fn issued(&self, text: &str, details: Details) -> Result<IssuedToken, IssueError> {
        let token = AccessToken::parse(text)?;
        self.access_tokens.insert(text, details);
        let expires_in = self.access_timer.duration();
        Ok(IssuedToken { token, expires_in })
    }

    fn revoke_all(&mut self) {
        self.refresh_tokens.clear();
        self.access_tokens.clear();
    }

    /// A JWT of RFC 9068.
    fn sign_jwt(&self, details: &Details) -> Result<Zeroizing<String>, IssueError> {
        let claims = JwtClaims {
            iss: &self.uuid,
            exp: details.exp,
            aud: details.audience.as_deref().unwrap_or_default(),
            sub: &details.user,
            client_id: &details.client_id,
            iat: details.iat,
            jti: &details.token_id,
            scope: &details.scope,
        };
        self.sign("at+jwt", &claims)
    }

    fn sign(
        &self,
        typ: &'static str,
        claims: &impl Serialize,
    ) -> Result<Zeroizing<String>, IssueError> {
        let header = SignedHeader {
            alg: "RS256",
            typ,
            kid: self.signing.kid().as_str(),
        };
        self.signing.sign(&header, claims)
    }

    fn seal(&self, plaintext: &[u8]) -> Result<Zeroizing<String>, IssueError> {
        seal(&self.encryption, &self.encryption_kid, plaintext)
    }
}

fn check_names(user: &str, client_id: &str) -> Result<(), IssueError> {
    if user.is_empty() {
        return Err(IssueError::Empty("user"));
    }
    if client_id.is_empty() {
        return Err(IssueError::Empty("client"));
    }
    Ok(())
}

fn key_set(
    uuid: &str,
    signing: &SigningKey,
    encryption: &EncryptionKey,
) -> Result<KeySet, IssueError> {
    let builder = KeySet::builder().unified_cm(uuid, signing.public_pem(), encryption.clone())?;
    Ok(builder.build())
}

fn new_encryption_key(uuid: &str) -> Result<(EncryptionKey, KeyId), IssueError> {
    let key = new_key(ContentEncryption::A128CbcHs256)?;
    let kid = KeyId::unified_cm(uuid, key.expose());
    Ok((key, kid))
}

/// 256 random bits: what an opaque token is.
fn opaque() -> Result<Zeroizing<String>, IssueError> {
    let mut bytes = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| IssueError::Crypto)?;
    let text = crate::jose::to_base64url(bytes.as_slice());
    Ok(Zeroizing::new(text))
}

/// A random UUID (RFC 9562 section 5.4).
fn new_uuid() -> Result<String, IssueError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| IssueError::Crypto)?;
    // Version 4 and variant 10 go into fixed bits.
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76 | 0x3 << 62) | (0x4 << 76 | 0x2 << 62);
    let hex = format!("{bits:032x}");
    let part = |range| hex.get(range).unwrap_or_default();
    Ok([
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32),
    ]
    .join("-"))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
