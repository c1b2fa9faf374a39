//! Tokens, key sets and introspection responses.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sip_oauth_token::jsonwebtoken::crypto::{JwtVerifier, KeyUtils};
use sip_oauth_token::jsonwebtoken::{self, signature};
use sip_oauth_token::{
    Algorithm, CryptoProvider, DecryptionKey, KeySet, Policy, VerifiedToken, Verifier, VerifyingKey,
};

pub(crate) const ISSUER: &str = "https://as.example.com";
pub(crate) const AUDIENCE: &str = "sip:ucm.example.com";

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// Without keys no token is good, and none is printed.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    // Other parts are of no token, and may be the error's own words.
    let base64url = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let shows_token = |printed: &str| {
        text.split('.')
            .filter(|part| part.len() > 32 && base64url(part))
            .any(|part| printed.contains(part))
    };
    match sip_oauth_token::inspect(text) {
        Ok(inspection) => assert!(!shows_token(&format!("{inspection:?}{inspection}"))),
        Err(error) => assert!(!shows_token(&format!("{error:?}{error}"))),
    }
    for policy in [
        Policy::unified_cm("5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f"),
        Policy::rfc9068("https://as.example.com", "sip:ucm.example.com"),
    ] {
        let error = Verifier::new(KeySet::builder().build(), policy)
            .verify(text, now)
            .expect_err("there is no key it could be good under");
        assert!(!shows_token(&format!("{error:?}{error}")));
    }
}

/// A signature check that takes everything, so that what is signed is read however it came about.
struct TakesAll(jsonwebtoken::Algorithm);

impl signature::Verifier<Vec<u8>> for TakesAll {
    fn verify(&self, _message: &[u8], _signature: &Vec<u8>) -> Result<(), signature::Error> {
        Ok(())
    }
}

impl JwtVerifier for TakesAll {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.0
    }
}

pub(crate) static TAKES_ALL: CryptoProvider = CryptoProvider {
    verifier_factory: |algorithm, _key| Ok(Box::new(TakesAll(*algorithm))),
    signer_factory: |_, _| Err(jsonwebtoken::errors::ErrorKind::InvalidAlgorithm.into()),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Claims behind a good signature are accepted only where they meet the policy, and a cache changes no
/// verdict.
pub fn token_claims(data: &[u8]) {
    static VERIFIERS: OnceLock<[Verifier; 2]> = OnceLock::new();
    let [plain, cached] = VERIFIERS.get_or_init(|| {
        let verifier = || {
            let key = VerifyingKey::from_secret(&[7; 32], Algorithm::Hs256).expect("256 bits");
            let keys = KeySet::builder_with_provider(&TAKES_ALL)
                .verifying_key("k", key)
                .expect("one key")
                .build();
            let policy = Policy::rfc9068(ISSUER, AUDIENCE).algorithms([Algorithm::Hs256]);
            Verifier::new(keys, policy)
        };
        [verifier(), verifier().with_cache(64)]
    });
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"at+jwt","kid":"k"}"#);
    let text = format!("{header}.{}.c2ln", URL_SAFE_NO_PAD.encode(data));
    let verdict = plain.verify(&text, now());
    if let Ok(token) = &verdict {
        meets_policy(token);
    }
    for _ in 0..2 {
        assert_eq!(
            cached.verify(&text, now()),
            verdict,
            "a cache changes no verdict"
        );
    }
}

/// What every policy of these targets demands.
pub(crate) fn meets_policy(token: &VerifiedToken) {
    let leeway = Duration::from_secs(60);
    assert_eq!(token.issuer(), ISSUER);
    assert!(token.audience().iter().any(|one| one == AUDIENCE));
    assert!(!token.user().is_empty());
    assert!(token.expires_at() + leeway > now(), "expired");
    let issued = token.issued_at().expect("`iat` is required");
    assert!(issued <= now() + leeway, "issued in the future");
    let lifetime = token.expires_at().duration_since(issued);
    assert!(
        lifetime.is_ok_and(|lifetime| lifetime <= Duration::from_secs(24 * 3600)),
        "lives too long"
    );
}

/// A response is accepted only where it says `active` and meets the policy, and then
/// [`Verifier::verify`] repeats it until a later response says otherwise. A NUL, which no JSON contains,
/// stands between two responses.
pub fn introspection(data: &[u8]) {
    let policy = Policy::introspection(ISSUER, AUDIENCE);
    let verifier = Verifier::new(KeySet::builder().build(), policy).with_cache(4);
    for response in data.splitn(2, |byte| *byte == 0) {
        if let Ok(token) = verifier.introspected("opaque", response, now()) {
            meets_policy(&token);
            match verifier.verify("opaque", now()) {
                Ok(repeated) => assert_eq!(repeated, token),
                // What is larger than the cache is asked about again.
                Err(error) => assert!(error.needs_introspection() && response.len() > 512),
            }
        } else {
            let error = verifier
                .verify("opaque", now())
                .expect_err("what was last said is no yes");
            assert!(error.needs_introspection());
        }
    }
}

/// Whatever bytes a key server sends, a key set is read or refused, the same way twice, and no key
/// shows itself.
pub fn jwk_set(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let names = |set: &KeySet| {
        let mut names: Vec<String> = set.key_ids().map(ToString::to_string).collect();
        names.sort();
        names
    };
    if let Ok(set) = KeySet::builder().jwk_set(text) {
        let set = set.build();
        assert!(!set.is_empty());
        let again = KeySet::builder().jwk_set(text).expect("as before").build();
        assert_eq!(names(&set), names(&again));
        let _ = format!("{set:?}");
    }
    let secret = URL_SAFE_NO_PAD.encode([0x5a; 32]);
    for printed in [
        VerifyingKey::from_jwk(text).map(|key| format!("{key:?}")),
        DecryptionKey::from_jwk(text).map(|key| format!("{key:?}")),
        VerifyingKey::from_pem(text, Algorithm::Rs256).map(|key| format!("{key:?}")),
        DecryptionKey::rsa_oaep_256(text).map(|key| format!("{key:?}")),
    ] {
        let printed = printed.unwrap_or_else(|error| format!("{error:?} {error}"));
        assert!(!printed.contains(&secret));
    }
}
