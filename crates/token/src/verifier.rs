//! Token text, keys, policy and now: the verdict.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::claims::{self, Judged, list};
use crate::error::{Place, TokenError, TokenErrorKind, quoted};
use crate::header::{Header, media_type_eq};
use crate::introspection;
use crate::jose::{self, Compact, CompactJwe, CompactJws, base64url};
use crate::json::{self, Json, Members};
use crate::jwe;
use crate::keys::{Candidate, KeySet, KeySetBuilder, Owner, Sources, check_end, unknown};
use crate::policy::Policy;
use crate::revocation::DenyList;
use crate::text::check_text;
use crate::verified::{Form, VerifiedRefreshToken, VerifiedToken};

/// Judges access tokens. Shared by reference between threads; nothing in it blocks a reader while
/// keys are replaced.
///
/// ```
/// # #[cfg(feature = "issue")] {
/// use std::time::{Duration, SystemTime};
/// use sip_oauth_token::issue::AuthorizationServer;
/// use sip_oauth_token::{Policy, TokenErrorKind, Verifier};
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let mut server = AuthorizationServer::new("8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5")?;
/// let issued = server.issue_access("rado", "C0ffee", &["UnifiedCommunications:readwrite"], now)?;
///
/// let verifier = Verifier::new(server.key_set(), Policy::unified_cm(server.uuid()));
/// let verified = verifier.verify(issued.token.expose(), now)?;
/// assert_eq!(verified.user(), "rado");
///
/// let two_hours_later = now + Duration::from_secs(7200);
/// let refused = verifier.verify(issued.token.expose(), two_hours_later).unwrap_err();
/// assert_eq!(refused.to_string(), "token claim \"exp\": expired 3600s ago");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier {
    keys: ArcSwap<Sources>,
    policy: Policy,
    denied: ArcSwap<DenyList>,
    #[cfg(feature = "aws-lc-rs")]
    cache: Option<crate::cache::Cache>,
}

impl Verifier {
    /// A verifier without a cache of verdicts.
    pub fn new(keys: KeySet, policy: Policy) -> Self {
        Self {
            keys: ArcSwap::from_pointee(Sources::new(keys)),
            policy,
            denied: ArcSwap::default(),
            #[cfg(feature = "aws-lc-rs")]
            cache: None,
        }
    }

    /// The same verifier, remembering up to `max_entries` accepted tokens by their SHA-256, in up to
    /// 1 KiB each on average; [`Verifier::with_bounded_cache`] sets the bytes too.
    ///
    /// A verdict is used only with the key set it was made with, and only at times at which the token
    /// would be accepted again; revocations are looked up each time. Refused tokens are not
    /// remembered, so that nobody fills the cache with rubbish.
    #[cfg(feature = "aws-lc-rs")]
    #[must_use]
    pub fn with_cache(self, max_entries: usize) -> Self {
        self.with_bounded_cache(max_entries, max_entries.saturating_mul(1024))
    }

    /// The same verifier with a cache as [`Verifier::with_cache`], of at most `max_entries` verdicts and
    /// `max_bytes`: what the verdicts hold and their entries, without the slack of the hash map. A
    /// verdict of Unified CM's form takes about 600 bytes.
    #[cfg(feature = "aws-lc-rs")]
    #[must_use]
    pub fn with_bounded_cache(mut self, max_entries: usize, max_bytes: usize) -> Self {
        self.cache = Some(crate::cache::Cache::new(max_entries, max_bytes));
        self
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Puts `keys` in the place of the set the verifier was made with, in one step. Verifications under way
    /// finish with the set they started with; verdicts remembered from the former set are not used any more.
    ///
    /// Sets put in by [`replace_keys_of`](Self::replace_keys_of) stay.
    pub fn replace_keys(&self, keys: KeySet) {
        let keys = Arc::new(keys);
        self.keys.rcu(|sources| sources.with_own(&keys));
    }

    /// The same for the set of one issuer, beside the verifier's own and those of other issuers, which stay.
    /// What stands in it verifies tokens of that issuer only. An empty set takes the issuer's keys out.
    ///
    /// Whoever fetches the keys of several authorization servers has a set for each, so that none undoes what
    /// another did. Two issuers may use the same `kid`.
    ///
    /// Gives whether anything changed: keys that are there already, each under its `kid` and with its end, leave
    /// the verifier and the verdicts it remembers alone. So a set may be put in again as often as it is fetched.
    ///
    /// ```
    /// # #[cfg(feature = "aws-lc-rs")] {
    /// use sip_oauth_token::{Algorithm, EncryptionKey, KeySet, Policy, Verifier};
    ///
    /// # let jwk_set = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    /// let policy = Policy::rfc9068("https://as.example.com", "sip:example.com")
    ///     .issuer("https://as.example.net")
    ///     .algorithms([Algorithm::Es256]);
    /// let verifier = Verifier::new(KeySet::builder().build(), policy);
    /// for issuer in ["https://as.example.com", "https://as.example.net"] {
    ///     // What that issuer's server published.
    ///     let keys = verifier.key_set_builder().jwk_set(jwk_set)?.build();
    ///     verifier.replace_keys_of(issuer, keys);
    /// }
    /// # }
    /// # Ok::<(), sip_oauth_token::KeyError>(())
    /// ```
    pub fn replace_keys_of(&self, issuer: &str, keys: KeySet) -> bool {
        let (issuer, keys) = (Arc::from(issuer), Arc::new(keys));
        let mut is_other = false;
        self.keys.rcu(|sources| {
            is_other = !sources.has_set_of(&issuer, &keys);
            if is_other {
                Arc::new(sources.with_set_of(&issuer, &keys))
            } else {
                Arc::clone(sources)
            }
        });
        is_other
    }

    /// Starts a set whose signatures are checked as those of the verifier's own set are: by aws-lc-rs, or by
    /// its provider.
    pub fn key_set_builder(&self) -> KeySetBuilder {
        self.keys.load().own().another()
    }

    /// Refuses the token with this identifier (`jti`, `tid`) from now on, until
    /// [`forget_revoked_token`](Self::forget_revoked_token).
    ///
    /// The list is the operator's: nothing a client sends adds to it, and nothing leaves it by itself. Each
    /// change copies it, so that nobody who verifies waits.
    pub fn revoke_token(&self, token_id: &str) {
        self.denied.rcu(|list| {
            let mut list = DenyList::clone(list);
            list.add_token(token_id);
            list
        });
    }

    /// Refuses, from now on, every token of `user` that was issued at `until` or before, and every
    /// one that does not say when it was issued.
    ///
    /// The policy's leeway is added to `until`: a server whose clock is ahead by so much dates the tokens it
    /// issued before the revocation after it. One it issues within that time is refused too, and the user
    /// signs in again.
    pub fn revoke_user(&self, user: &str, until: SystemTime) {
        let until = claims::later(until, self.policy.leeway);
        self.denied.rcu(|list| {
            let mut list = DenyList::clone(list);
            list.add_user(user, until);
            list
        });
    }

    /// Takes a token off the list again: it has expired and the list shall not grow, or it was there by
    /// mistake.
    pub fn forget_revoked_token(&self, token_id: &str) {
        self.denied.rcu(|list| {
            let mut list = DenyList::clone(list);
            list.remove_token(token_id);
            list
        });
    }

    /// The same for a user. Where the policy requires `iat`, what [`revoke_user`](Self::revoke_user) refuses
    /// has expired by `until` and the policy's [longest lifetime](Policy::max_lifetime) and twice its leeway.
    pub fn forget_revoked_user(&self, user: &str) {
        self.denied.rcu(|list| {
            let mut list = DenyList::clone(list);
            list.remove_user(user);
            list
        });
    }

    /// Judges an access token.
    ///
    /// # Errors
    ///
    /// The first reason found to refuse it, see [`TokenErrorKind`].
    pub fn verify(&self, text: &str, now: SystemTime) -> Result<VerifiedToken, TokenError> {
        check_text(text, self.policy.max_token_bytes)?;
        let keys = self.keys.load();
        let token = self.remembered_or_judged(&keys, text, now)?;
        if self.denied.load().denies(&token.0) {
            return Err(TokenErrorKind::Revoked.at(Place::Text));
        }
        Ok(token)
    }

    #[cfg(feature = "aws-lc-rs")]
    fn remembered_or_judged(
        &self,
        keys: &Sources,
        text: &str,
        now: SystemTime,
    ) -> Result<VerifiedToken, TokenError> {
        let Some(cache) = &self.cache else {
            return self.judge(keys, text, now).map(|(token, _)| token);
        };
        let key = crate::cache::digest(text);
        if let Some(token) = cache.get(&key, keys.number(), now) {
            return Ok(token);
        }
        let (token, window) = self.judge(keys, text, now)?;
        cache.insert(key, Some(keys.number()), window, token.clone(), now);
        Ok(token)
    }

    #[cfg(not(feature = "aws-lc-rs"))]
    fn remembered_or_judged(
        &self,
        keys: &Sources,
        text: &str,
        now: SystemTime,
    ) -> Result<VerifiedToken, TokenError> {
        self.judge(keys, text, now).map(|(token, _)| token)
    }

    fn judge(
        &self,
        keys: &Sources,
        text: &str,
        now: SystemTime,
    ) -> Result<(VerifiedToken, Window), TokenError> {
        if self.is_opaque(text) {
            return Err(TokenErrorKind::IntrospectionNeeded.at(Place::Text));
        }
        let (judged, key_ends) = match jose::split(text, &Place::Text)? {
            Compact::Jws(jws) => self.judge_jws(keys, jws, now)?,
            Compact::Jwe(jwe) => self.judge_nested(keys, jwe, now)?,
        };
        let until = key_ends
            .into_iter()
            .flatten()
            .fold(judged.valid_until, SystemTime::min);
        let window = Window {
            from: judged.valid_from,
            until,
        };
        Ok((VerifiedToken(Arc::new(judged.grant)), window))
    }

    /// With [`Form::Opaque`] alone in the policy every text is opaque; beside other forms only one that
    /// is neither a JWS nor a JWE by its number of segments.
    fn is_opaque(&self, text: &str) -> bool {
        match self.policy.forms.as_slice() {
            [Form::Opaque] => true,
            forms => forms.contains(&Form::Opaque) && jose::split(text, &Place::Text).is_err(),
        }
    }

    /// Judges what the authorization server answered about the token `text` (RFC 7662 section 2.2):
    /// `response` is the body of its 200.
    ///
    /// A verifier with a cache remembers the verdict for [`Policy::introspection_reuse`], so that
    /// [`Verifier::verify`] of the same text gives it again meanwhile. Without one, the verdict is for
    /// the caller only. A refusal takes back what was remembered of an earlier response.
    ///
    /// ```
    /// # #[cfg(feature = "aws-lc-rs")] {
    /// use std::time::{Duration, SystemTime};
    /// use sip_oauth_token::{KeySet, Policy, Verifier};
    ///
    /// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    /// let policy = Policy::introspection("https://as.example.com", "sip:example.com");
    /// let verifier = Verifier::new(KeySet::builder().build(), policy).with_cache(64);
    ///
    /// let refused = verifier.verify("2YotnFZFEjr1zCsicMWpAA", now).unwrap_err();
    /// assert!(refused.needs_introspection());
    ///
    /// // What POST /introspect answered.
    /// let body = br#"{"active":true,"iss":"https://as.example.com","aud":"sip:example.com","sub":"rado",
    ///     "client_id":"C1","token_type":"Bearer","iat":1700000000,"exp":1700003600}"#;
    /// verifier.introspected("2YotnFZFEjr1zCsicMWpAA", body, now)?;
    /// assert_eq!(verifier.verify("2YotnFZFEjr1zCsicMWpAA", now)?.user(), "rado");
    /// # }
    /// # Ok::<(), sip_oauth_token::TokenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `active` is not true ([`TokenErrorKind::Inactive`]); the response is over
    /// [`MAX_INTROSPECTION_BYTES`](crate::MAX_INTROSPECTION_BYTES) or not one JSON object; the policy
    /// takes no [`Form::Opaque`]; a claim does not meet the policy, as in [`Verifier::verify`].
    pub fn introspected(
        &self,
        text: &str,
        response: &[u8],
        now: SystemTime,
    ) -> Result<VerifiedToken, TokenError> {
        check_text(text, self.policy.max_token_bytes)?;
        self.require_form(Form::Opaque)?;
        let verdict = introspection::judge(response, &self.policy, now).and_then(|judged| {
            if self.denied.load().denies(&judged.grant) {
                return Err(TokenErrorKind::Revoked.at(Place::Text));
            }
            let window = Window {
                from: judged.valid_from,
                until: judged.valid_until,
            };
            Ok((VerifiedToken(Arc::new(judged.grant)), window))
        });
        #[cfg(feature = "aws-lc-rs")]
        if let Some(cache) = &self.cache {
            let key = crate::cache::digest(text);
            match &verdict {
                Ok((token, window)) => cache.insert(key, None, *window, token.clone(), now),
                Err(_) => cache.remove(&key),
            }
        }
        verdict.map(|(token, _)| token)
    }

    /// Signed outside: a plain JWT, or Unified CM's form.
    fn judge_jws(
        &self,
        keys: &Sources,
        jws: CompactJws<'_>,
        now: SystemTime,
    ) -> Result<(Judged, KeyEnds), TokenError> {
        let signed = self.verify_jws(keys, jws, now)?;
        let outer = json::members(&signed.payload, &Place::Payload)?;
        let Some(private) = outer.get("private") else {
            self.refuse_refresh(&outer)?;
            self.require_form(Form::Jwt)?;
            let judged = claims::judge(&outer, Form::Jwt, &self.policy, now)?;
            require_owner(Some(signed.owner), &judged.grant.issuer)?;
            return Ok((judged, [signed.key_end, None]));
        };
        self.require_form(Form::UnifiedCm)?;
        let (Json::String(private), 1) = (private, outer.len()) else {
            let expected = "a string, and nothing beside it";
            return Err(TokenErrorKind::ClaimType { expected }.claim("private"));
        };
        let jwe = jose::split_jwe(private, &Place::Encrypted)?;
        let header = base64url(jwe.header, &Place::EncryptedHeader)?;
        let opened = jwe::open(jwe, &header, keys, &self.policy, now)?;
        let unsecured = unsecured_payload(&opened.plaintext)?;
        let plaintext = unsecured.as_deref().unwrap_or(&opened.plaintext);
        let inner = json::members(plaintext, &Place::Decrypted)?;
        self.refuse_refresh(&inner)?;
        let judged = claims::judge(&inner, Form::UnifiedCm, &self.policy, now)?;
        for owner in [Some(signed.owner), opened.owner] {
            require_owner(owner, &judged.grant.issuer)?;
        }
        Ok((judged, [signed.key_end, opened.key_until]))
    }

    /// Encrypted outside, signed inside (RFC 7519 Appendix A.2).
    fn judge_nested(
        &self,
        keys: &Sources,
        jwe: CompactJwe<'_>,
        now: SystemTime,
    ) -> Result<(Judged, KeyEnds), TokenError> {
        self.require_form(Form::Nested)?;
        let header = base64url(jwe.header, &Place::EncryptedHeader)?;
        let opened = jwe::open(jwe, &header, keys, &self.policy, now)?;
        let text = std::str::from_utf8(&opened.plaintext).map_err(|error| {
            let at = error.valid_up_to();
            TokenErrorKind::Character { at }.at(Place::Decrypted)
        })?;
        let signed = self.verify_jws(keys, jose::split_jws(text, &Place::Decrypted)?, now)?;
        // These claims came encrypted; those of a plain JWT are in the text the caller holds anyway.
        let payload = Zeroizing::new(signed.payload);
        let claims = json::members(&payload, &Place::Payload)?;
        self.refuse_refresh(&claims)?;
        opened.header.require_same_claims(&claims)?;
        let judged = claims::judge(&claims, Form::Nested, &self.policy, now)?;
        for owner in [Some(signed.owner), opened.owner] {
            require_owner(owner, &judged.grant.issuer)?;
        }
        Ok((judged, [signed.key_end, opened.key_until]))
    }

    /// Checks header and signature, then reads the payload (RFC 7515 section 5.2). Whose the key is stays to be
    /// held against the issuer the claims name.
    fn verify_jws<'a>(
        &'a self,
        keys: &'a Sources,
        jws: CompactJws<'_>,
        now: SystemTime,
    ) -> Result<Signed<'a>, TokenError> {
        let header = base64url(jws.header, &Place::Header)?;
        let header = Header::read(&header, Place::Header)?;
        let algorithm = signature_algorithm(&header, &self.policy)?;
        self.check_type(&header)?;
        let kid = header.key_id()?;
        let kid = kid.as_ref();
        let mut refused = None;
        for candidate in keys.verifying_keys(kid, &self.policy)? {
            let checked = check_end(kid, candidate.key.end(), now, Place::Header)
                .and_then(|()| self.check_signature(&candidate, algorithm, &header, jws));
            match checked {
                Ok(owner) => {
                    return Ok(Signed {
                        payload: base64url(jws.payload, &Place::Payload)?,
                        key_end: candidate.key.end(),
                        owner,
                    });
                }
                // Of two keys of one name, that the signature is of neither says more than that the other one
                // is over.
                Err(error) => {
                    if refused.is_none() || error.kind() == &TokenErrorKind::Signature {
                        refused = Some(error);
                    }
                }
            }
        }
        Err(refused.unwrap_or_else(|| unknown(kid, &Place::Header)))
    }

    /// Checks the signature with this key, and says whose it is.
    fn check_signature<'a>(
        &'a self,
        candidate: &Candidate<'a>,
        algorithm: Algorithm,
        header: &Header<'_>,
        jws: CompactJws<'_>,
    ) -> Result<&'a str, TokenError> {
        let key = candidate.key;
        let owner = candidate.owner(&self.policy)?;
        if key.algorithm() != algorithm {
            let expected = key.algorithm();
            return Err(header.refuse(TokenErrorKind::AlgorithmOfKey {
                expected,
                found: algorithm,
            }));
        }
        let signature = base64url(jws.signature, &Place::Signature)?;
        if !candidate.set.verifies(key, jws.signing_input, &signature) {
            return Err(TokenErrorKind::Signature.at(Place::Signature));
        }
        Ok(owner)
    }

    fn check_type(&self, header: &Header<'_>) -> Result<(), TokenError> {
        let Some(types) = &self.policy.types else {
            return Ok(());
        };
        let found = header.required("typ")?;
        if types.iter().any(|accepted| media_type_eq(accepted, found)) {
            return Ok(());
        }
        let (expected, found) = (list(types), quoted(found));
        Err(header.refuse(TokenErrorKind::Type { expected, found }))
    }

    fn require_form(&self, found: Form) -> Result<(), TokenError> {
        if self.policy.forms.contains(&found) {
            return Ok(());
        }
        let names: Vec<String> = self.policy.forms.iter().map(Form::to_string).collect();
        let expected = if names.is_empty() {
            "no form".to_owned()
        } else {
            names.join(" or ")
        };
        Err(TokenErrorKind::Form { found, expected }.at(Place::Text))
    }

    fn refuse_refresh(&self, claims: &Members<'_>) -> Result<(), TokenError> {
        if claims::is_refresh(claims, &self.policy) {
            return Err(TokenErrorKind::RefreshToken.at(Place::Text));
        }
        Ok(())
    }

    /// Judges a refresh token of Unified CM's form: a plain JWS with the readable claims `exp`, `iss`,
    /// `tid`, `ctyp` `refresh` and `ccid`. For authorization servers; a registrar never sees one.
    ///
    /// The lifetime is bounded by a year, the end of the OAuth Refresh Token Expiry Timer.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`]; an access token is [`TokenErrorKind::NotRefreshToken`].
    pub fn verify_refresh(
        &self,
        text: &str,
        now: SystemTime,
    ) -> Result<VerifiedRefreshToken, TokenError> {
        check_text(text, self.policy.max_token_bytes)?;
        let keys = self.keys.load();
        let jws = jose::split_jws(text, &Place::Text)?;
        let signed = self.verify_jws(&keys, jws, now)?;
        let claims = json::members(&signed.payload, &Place::Payload)?;
        if !claims::is_refresh(&claims, &self.policy) {
            return Err(TokenErrorKind::NotRefreshToken.at(Place::Text));
        }
        let names = &self.policy.claim_names;
        let issuer = claims::check_issuer(&claims, &self.policy)?;
        require_owner(Some(signed.owner), &issuer)?;
        let times = claims::check_times(
            &claims,
            &self.policy.clone().max_lifetime(Policy::LONGEST_REFRESH),
            now,
        )?;
        let token_id = claims::required_string(&claims, &names.token_id)?;
        let client_id = claims::required_string(&claims, &names.client_id)?;
        if self.denied.load().denies_token(&token_id) {
            return Err(TokenErrorKind::Revoked.at(Place::Text));
        }
        Ok(VerifiedRefreshToken {
            issuer,
            token_id,
            client_id,
            expires_at: times.expires_at,
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &*self.keys.load())
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The times between which a verdict holds: at `from` and after, before `until`.
#[cfg_attr(
    not(feature = "aws-lc-rs"),
    expect(dead_code, reason = "asked by the cache only")
)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: SystemTime,
    pub(crate) until: SystemTime,
}

/// When the signing key and the encryption key end.
type KeyEnds = [Option<SystemTime>; 2];

/// What was signed, decoded and not read yet.
struct Signed<'a> {
    payload: Vec<u8>,
    key_end: Option<SystemTime>,
    /// Whose the key is.
    owner: &'a str,
}

/// "the application MUST validate that the cryptographic keys used for the cryptographic operations in the JWT
/// belong to the issuer" (RFC 8725 section 3.8).
fn require_owner(owner: Owner<'_>, issuer: &str) -> Result<(), TokenError> {
    match owner {
        Some(owner) if owner != issuer => {
            let (expected, found) = (quoted(owner), quoted(issuer));
            Err(TokenErrorKind::IssuerOfKey { expected, found }.claim("iss"))
        }
        _ => Ok(()),
    }
}

fn signature_algorithm(header: &Header<'_>, policy: &Policy) -> Result<Algorithm, TokenError> {
    let refuse = |name, reason| Err(header.refuse(TokenErrorKind::Algorithm { name, reason }));
    let name = header.required("alg")?;
    match Algorithm::from_name(name) {
        Some(algorithm) if policy.algorithms.contains(&algorithm) => Ok(algorithm),
        Some(algorithm) => refuse(algorithm.as_str(), "is not in the policy"),
        None if name == "none" => refuse("none", "is never accepted here"),
        None => refuse("(unregistered)", "is not known"),
    }
}

/// The payload of the unsecured JWT (RFC 7519 section 6) inside Unified CM's encrypted part, as `cty`
/// `JWT` says; `None` where a claims object is there itself. Nowhere else is `alg` `none` accepted; here
/// the JWE has authenticated it.
fn unsecured_payload(plaintext: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, TokenError> {
    let place = Place::Decrypted;
    if plaintext.trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    let text = std::str::from_utf8(plaintext).map_err(|error| {
        TokenErrorKind::Character {
            at: error.valid_up_to(),
        }
        .at(place.clone())
    })?;
    let jwt = jose::split_jws(text, &place)?;
    let header = base64url(jwt.header, &place)?;
    let header = Header::read(&header, place.clone())?;
    if header.required("alg")? != "none" {
        let (name, reason) = (
            "(inner)",
            "is not `none`; a signed token inside the encrypted part is not Unified CM's form",
        );
        return Err(header.refuse(TokenErrorKind::Algorithm { name, reason }));
    }
    if !jwt.signature.is_empty() {
        let (name, reason) = ("none", "comes with a signature");
        return Err(header.refuse(TokenErrorKind::Algorithm { name, reason }));
    }
    Ok(Some(Zeroizing::new(base64url(jwt.payload, &place)?)))
}
