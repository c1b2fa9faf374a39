//! The authorization server's side, for tests and for the lab (feature `issue`).
//!
//! It issues what Unified CM issues: access tokens of the self-describing form and readable refresh
//! tokens, under the timers of the product and with its two keys. HTTP is somebody else's work.

mod claims;
mod error;
mod seal;
mod sign;
mod timers;

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

pub use error::IssueError;
pub use timers::{AccessTokenExpiryTimer, RefreshTokenExpiryTimer, TimerError};

use crate::algorithm::ContentEncryption;
use crate::keys::{EncryptionKey, KeyId, KeySet};
use crate::policy::Policy;
use crate::secret::{AccessToken, RefreshToken};
use crate::verified::Form;
use crate::verifier::Verifier;
use claims::{AccessClaims, JwtClaims, Private, RefreshClaims, SignedHeader};
use seal::seal;
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
    refresh_tokens: HashMap<String, RefreshDetails>,
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
            refresh_tokens: HashMap::new(),
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

    /// Sets the lifetime of refresh tokens. As in the product, a change revokes every refresh token.
    pub fn set_refresh_token_expiry_timer(&mut self, timer: RefreshTokenExpiryTimer) {
        if timer != self.refresh_timer {
            self.refresh_tokens.clear();
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
        let (iat, exp) = self.times(now);
        let claims = AccessClaims {
            exp,
            iat,
            iss: &self.uuid,
            sub: user,
            typ: "user",
            tid: new_uuid()?,
            ctyp: "access",
            ccid: client_id,
            scope: scopes.join(" "),
        };
        // `cty` says JWT, and there is no room for a signature: an unsecured JWT (RFC 7519 section 6).
        let inner = sign::unsecured(&claims);
        let private = self.seal(inner.as_bytes())?;
        self.issued(&self.sign("JWT", &Private { private })?)
    }

    /// Issues an access token of another form for `audience`: a signed JWT of RFC 9068, or the same
    /// encrypted around with the server's encryption key.
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
        check_names(user, client_id)?;
        let (iat, exp) = self.times(now);
        let claims = JwtClaims {
            iss: &self.uuid,
            exp,
            aud: audience,
            sub: user,
            client_id,
            iat,
            jti: new_uuid()?,
            scope: scopes.join(" "),
        };
        match form {
            Form::UnifiedCm => self.issue_access(user, client_id, scopes, now),
            Form::Jwt => self.issued(&self.sign("at+jwt", &claims)?),
            Form::Nested => self.issued(&self.seal(self.sign("at+jwt", &claims)?.as_bytes())?),
            Form::Opaque => Err(IssueError::Form(form)),
        }
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
        let claims = RefreshClaims {
            exp: seconds(now).saturating_add(expires_in.as_secs()),
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
        self.refresh_tokens.insert(token_id, details);
        Ok((token, expires_in))
    }

    /// The refresh grant (RFC 6749 section 6): a new access token for the user of `token`.
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
        let verified =
            Verifier::new(self.key_set(), self.policy()).verify_refresh(token.expose(), now)?;
        let details = self
            .refresh_tokens
            .get(verified.token_id())
            .ok_or(IssueError::Revoked)?;
        if details.client_id != client_id || verified.client_id() != client_id {
            return Err(IssueError::OtherClient);
        }
        let scopes: Vec<&str> = details.scopes.iter().map(String::as_str).collect();
        self.issue_access(&details.user, client_id, &scopes, now)
    }

    /// Revokes the refresh tokens of a user, of one client or of all, as `/ssosp/token/revoke` does.
    ///
    /// Access tokens stay good until they expire; a verifier refuses them at once when told by
    /// [`Verifier::revoke_user`].
    pub fn revoke(&mut self, user: &str, client_id: Option<&str>) -> Vec<RevokedToken> {
        let mut revoked: Vec<RevokedToken> = self
            .refresh_tokens
            .extract_if(|_, details| {
                details.user == user
                    && client_id.is_none_or(|client_id| details.client_id == client_id)
            })
            .map(|(token_id, details)| RevokedToken {
                client_id: details.client_id,
                token_id,
            })
            .collect();
        revoked.sort_by(|left, right| left.token_id.cmp(&right.token_id));
        revoked
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
        self.refresh_tokens.clear();
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
        self.refresh_tokens.clear();
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

    fn times(&self, now: SystemTime) -> (u64, u64) {
        let issued = seconds(now);
        (
            issued,
            issued.saturating_add(self.access_timer.duration().as_secs()),
        )
    }

    fn issued(&self, text: &str) -> Result<IssuedToken, IssueError> {
        let token = AccessToken::parse(text)?;
        let expires_in = self.access_timer.duration();
        Ok(IssuedToken { token, expires_in })
    }

    fn sign(&self, typ: &'static str, claims: &impl Serialize) -> Result<String, IssueError> {
        let header = SignedHeader {
            alg: "RS256",
            typ,
            kid: self.signing.kid().as_str(),
        };
        self.signing.sign(&header, claims)
    }

    fn seal(&self, plaintext: &[u8]) -> Result<String, IssueError> {
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
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| IssueError::Crypto)?;
    let key = EncryptionKey::new(ContentEncryption::A128CbcHs256, bytes.as_slice())?;
    let kid = KeyId::unified_cm(uuid, key.expose());
    Ok((key, kid))
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
