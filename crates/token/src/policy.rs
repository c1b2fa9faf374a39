//! What a verifier demands of a token.

use std::time::Duration;

use crate::algorithm::{Algorithm, ContentEncryption, KeyManagement};
use crate::keys::is_uuid;
use crate::text::MAX_TOKEN_BYTES;
use crate::verified::Form;

/// What a token must be to be accepted. Nothing is accepted because it is absent.
///
/// ```
/// use std::time::Duration;
/// use sip_oauth_token::{Algorithm, Policy};
///
/// let policy = Policy::rfc9068("https://as.example.com", "sip:example.com")
///     .algorithms([Algorithm::Rs256, Algorithm::Es256])
///     .leeway(Duration::from_secs(10))
///     .max_lifetime(Duration::from_secs(3600))
///     .require_scope("UnifiedCommunications:readwrite");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) forms: Vec<Form>,
    pub(crate) issuers: Vec<String>,
    pub(crate) audiences: Vec<String>,
    /// `None`: not looked at.
    pub(crate) types: Option<Vec<String>>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) key_management: Vec<KeyManagement>,
    pub(crate) content_encryption: Vec<ContentEncryption>,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Duration,
    pub(crate) required_claims: Vec<String>,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) claim_names: ClaimNames,
    pub(crate) key_id_required: bool,
    pub(crate) max_token_bytes: usize,
    pub(crate) endpoint_vouches: bool,
    pub(crate) introspection_reuse: Duration,
}

impl Policy {
    /// The end of the range of the OAuth Refresh Token Expiry Timer: 365 days.
    pub(crate) const LONGEST_REFRESH: Duration = Duration::from_secs(365 * 24 * 3600);

    const INTROSPECTION_REUSE: Duration = Duration::from_secs(60);

    /// Unified CM's self-describing token from the authorization server with this UUID.
    ///
    /// RS256 outside, A128CBC-HS256 inside, `typ` `JWT`, leeway 60 s, lifetime of a day at most
    /// (the OAuth Access Token Expiry Timer ends at 1440 minutes). The token carries no audience.
    /// Its claims must name issuer, user, client and the times of issue and expiry, under the names
    /// of [`ClaimNames::default`], which are our choice.
    pub fn unified_cm(issuer_uuid: &str) -> Self {
        let claim_names = ClaimNames::default();
        let required_claims = [
            "iss",
            "iat",
            "exp",
            &claim_names.user,
            &claim_names.client_id,
        ]
        .map(str::to_owned)
        .to_vec();
        Self {
            forms: vec![Form::UnifiedCm],
            issuers: vec![issuer_uuid.to_owned()],
            audiences: Vec::new(),
            types: Some(vec!["JWT".to_owned()]),
            algorithms: vec![Algorithm::Rs256],
            key_management: vec![KeyManagement::Dir],
            content_encryption: vec![ContentEncryption::A128CbcHs256],
            leeway: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(24 * 3600),
            required_claims,
            required_scopes: Vec::new(),
            claim_names,
            key_id_required: true,
            max_token_bytes: MAX_TOKEN_BYTES,
            endpoint_vouches: false,
            introspection_reuse: Self::INTROSPECTION_REUSE,
        }
    }

    /// A signed JWT of the access token profile (RFC 9068).
    ///
    /// `typ` `at+jwt`; the claims `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are
    /// required (section 2.2); RS256, leeway 60 s, lifetime of a day at most.
    pub fn rfc9068(issuer: &str, audience: &str) -> Self {
        Self {
            forms: vec![Form::Jwt],
            issuers: vec![issuer.to_owned()],
            audiences: vec![audience.to_owned()],
            types: Some(vec!["at+jwt".to_owned()]),
            algorithms: vec![Algorithm::Rs256],
            key_management: vec![
                KeyManagement::Dir,
                KeyManagement::A128Kw,
                KeyManagement::A256Kw,
                KeyManagement::RsaOaep256,
            ],
            content_encryption: vec![
                ContentEncryption::A128CbcHs256,
                ContentEncryption::A256CbcHs512,
                ContentEncryption::A128Gcm,
                ContentEncryption::A256Gcm,
            ],
            leeway: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(24 * 3600),
            required_claims: ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]
                .map(str::to_owned)
                .to_vec(),
            required_scopes: Vec::new(),
            claim_names: ClaimNames::rfc9068(),
            key_id_required: true,
            max_token_bytes: MAX_TOKEN_BYTES,
            endpoint_vouches: false,
            introspection_reuse: Self::INTROSPECTION_REUSE,
        }
    }

    /// A plain signed JWT (RFC 7519) from a server that does not follow RFC 9068.
    ///
    /// `typ` `JWT`; `iss`, `exp`, `aud`, `sub` are required; the rest as [`Policy::rfc9068`].
    pub fn jwt(issuer: &str, audience: &str) -> Self {
        Self {
            types: Some(vec!["JWT".to_owned()]),
            required_claims: ["iss", "exp", "aud", "sub"].map(str::to_owned).to_vec(),
            ..Self::rfc9068(issuer, audience)
        }
    }

    /// An opaque token, judged by what its server answers about it (RFC 7662 section 2.2).
    ///
    /// `token_type` `Bearer`; `active`, `iss`, `aud`, `sub`, `client_id`, `exp`, `iat` and `token_type`
    /// are required, though RFC 7662 makes all but the first optional: what a server leaves out is
    /// named by [`Policy::required_claims`], [`Policy::any_type`] and [`Policy::endpoint_vouches`].
    /// Leeway 60 s, lifetime of a day at most; the answer is used again for 60 s.
    pub fn introspection(issuer: &str, audience: &str) -> Self {
        Self {
            forms: vec![Form::Opaque],
            types: Some(vec!["Bearer".to_owned()]),
            required_claims: ["iss", "aud", "sub", "client_id", "exp", "iat", "token_type"]
                .map(str::to_owned)
                .to_vec(),
            ..Self::rfc9068(issuer, audience)
        }
    }

    /// The forms accepted, in place of the preset's.
    #[must_use]
    pub fn forms(mut self, forms: impl IntoIterator<Item = Form>) -> Self {
        self.forms = forms.into_iter().collect();
        self
    }

    /// One more issuer accepted. With several, each key must belong to one, see [`KeySet`](crate::KeySet).
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuers.push(issuer.to_owned());
        self
    }

    /// Whether tokens of this issuer are accepted.
    pub fn has_issuer(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|accepted| accepted == issuer)
    }

    /// Who is meant by the UUID in a `kid` of Unified CM's form: the issuer that is called so, in capitals or not. Where
    /// all issuers are called by UUIDs any other is a stranger; where they are not it says nothing.
    pub(crate) fn issuer_of_uuid<'a>(&'a self, uuid: &'a str) -> Option<&'a str> {
        let same = |issuer: &&String| issuer.eq_ignore_ascii_case(uuid);
        match self.issuers.iter().find(same) {
            Some(issuer) => Some(issuer),
            None => (self.issuers.iter().all(|issuer| is_uuid(issuer))).then_some(uuid),
        }
    }

    /// The issuer, where tokens of only one are accepted.
    pub fn only_issuer(&self) -> Option<&str> {
        let (first, others) = self.issuers.split_first()?;
        others
            .iter()
            .all(|other| other == first)
            .then_some(first.as_str())
    }

    /// One more audience accepted. With none, a token that names an audience is refused, unless it
    /// is of [`Form::UnifiedCm`].
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.audiences.push(audience.to_owned());
        self
    }

    /// The `typ` values accepted, in place of the preset's. Compared without regard to case and to a
    /// leading `application/` (RFC 7515 section 4.1.9).
    #[must_use]
    pub fn types<'a>(mut self, types: impl IntoIterator<Item = &'a str>) -> Self {
        self.types = Some(types.into_iter().map(str::to_owned).collect());
        self
    }

    /// Takes any `typ`, and none: for servers that predate explicit typing (RFC 8725 section 3.11).
    #[must_use]
    pub fn any_type(mut self) -> Self {
        self.types = None;
        self
    }

    /// The signature algorithms accepted, in place of the preset's. A key accepts one of them only.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// The ways to a content key accepted, in place of the preset's: `dir` for Unified CM's form; `dir`,
    /// A128KW, A256KW and RSA-OAEP-256 for the others. A key serves one of them only.
    #[must_use]
    pub fn key_management(mut self, accepted: impl IntoIterator<Item = KeyManagement>) -> Self {
        self.key_management = accepted.into_iter().collect();
        self
    }

    /// The content encryption accepted, in place of the preset's.
    #[must_use]
    pub fn content_encryption(
        mut self,
        accepted: impl IntoIterator<Item = ContentEncryption>,
    ) -> Self {
        self.content_encryption = accepted.into_iter().collect();
        self
    }

    /// How far clocks may differ, 60 s by default; more than 5 minutes counts as 5 minutes.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(Duration::from_secs(300));
        self
    }

    /// Longest lifetime accepted: from `iat` to `exp`, or from now where `iat` is absent.
    #[must_use]
    pub fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = max_lifetime;
        self
    }

    /// The claims that must be there, in place of the preset's. `exp`, issuer and user always must.
    #[must_use]
    pub fn required_claims<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.required_claims = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// One more scope that must have been granted.
    #[must_use]
    pub fn require_scope(mut self, scope: &str) -> Self {
        self.required_scopes.push(scope.to_owned());
        self
    }

    /// The names under which user, client, token identifier and scope are found.
    ///
    /// Names of the former `ClaimNames` among the required claims follow.
    #[must_use]
    pub fn claim_names(mut self, names: ClaimNames) -> Self {
        let old = std::mem::replace(&mut self.claim_names, names);
        let new = &self.claim_names;
        for required in &mut self.required_claims {
            let renamed = [
                (&old.user, &new.user),
                (&old.client_id, &new.client_id),
                (&old.token_id, &new.token_id),
                (&old.scope, &new.scope),
            ]
            .into_iter()
            .find(|(before, _)| *before == required);
            if let Some((_, after)) = renamed {
                required.clone_from(after);
            }
        }
        self
    }

    /// Whether a token must say under which `kid` its key is found; true by default. When false, a
    /// token without `kid` is tried with the only key there is.
    #[must_use]
    pub fn key_id_required(mut self, required: bool) -> Self {
        self.key_id_required = required;
        self
    }

    /// Whether an introspection response without `iss` counts as one about a token of the first issuer
    /// of the policy, and one without `aud` as about a token for its first audience; false by default.
    ///
    /// For servers that leave them out. The endpoint was asked over TLS, so it is the issuer's; and it
    /// "MUST determine whether or not the token can be used at the protected resource making the
    /// introspection call" (RFC 7662 section 4).
    #[must_use]
    pub fn endpoint_vouches(mut self, vouches: bool) -> Self {
        self.endpoint_vouches = vouches;
        self
    }

    /// How long an introspection response is used again before the server is asked anew, 60 s by
    /// default; never past the token's own expiry. A revocation is noticed that much later (RFC 7662
    /// section 4). With zero each request asks.
    #[must_use]
    pub fn introspection_reuse(mut self, reuse: Duration) -> Self {
        self.introspection_reuse = reuse;
        self
    }

    /// Longest token accepted in bytes, [`MAX_TOKEN_BYTES`] by default and at most.
    #[must_use]
    pub fn max_token_bytes(mut self, max_bytes: usize) -> Self {
        self.max_token_bytes = max_bytes.min(MAX_TOKEN_BYTES);
        self
    }
}

/// Names of the claims that differ between authorization servers.
///
/// What Unified CM writes inside the encrypted part of its access token is not public. The default
/// is our choice: the names of its readable refresh token (`tid`, `ccid`, `ctyp`) and the registered
/// names of RFC 7519 and RFC 8693 for the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// The user: `sub`.
    pub user: String,
    /// The client: `ccid`; `client_id` in RFC 9068.
    pub client_id: String,
    /// The identifier of the token: `tid`; `jti` in RFC 9068.
    pub token_id: String,
    /// What is granted, words separated by blanks: `scope`.
    pub scope: String,
    /// The class of the token: `ctyp`. `refresh` there makes it a refresh token.
    pub class: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            user: "sub".to_owned(),
            client_id: "ccid".to_owned(),
            token_id: "tid".to_owned(),
            scope: "scope".to_owned(),
            class: "ctyp".to_owned(),
        }
    }
}

impl ClaimNames {
    /// The names of RFC 9068 section 2.2.
    pub fn rfc9068() -> Self {
        Self {
            client_id: "client_id".to_owned(),
            token_id: "jti".to_owned(),
            ..Self::default()
        }
    }
}
