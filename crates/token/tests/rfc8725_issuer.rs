//! RFC 8725 section 3.8: a key belongs to an issuer, and verifies that issuer's tokens only.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use aws_lc_rs::signature::RsaKeyPair;
use common::{
    CLAIMS, HEADER, ISSUER, UCM_CLAIMS, UCM_HEADER, UCM_INNER_HEADER, UUID, now, rfc9068, sign,
    with,
};
use sip_oauth_token::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptionKey, Fault, Form, KeySet, Policy,
    TokenErrorKind, Verifier, VerifyingKey,
};

const OTHER: &str = "https://other.example";
const OTHER_KID: &str = "other-key";

fn both() -> Policy {
    rfc9068().issuer(OTHER)
}

fn key(pair: &RsaKeyPair) -> VerifyingKey {
    VerifyingKey::from_pem(&common::pem(pair), Algorithm::Rs256).unwrap()
}

/// A token that names `issuer`, signed by the key under `kid`.
fn token(issuer: &str, kid: &str) -> String {
    let pair = if kid == OTHER_KID {
        common::other_rsa()
    } else {
        common::rsa()
    };
    let header = with(HEADER, "kid", Some(&format!("{kid:?}")));
    common::sign_by(
        pair,
        &header,
        with(CLAIMS, "iss", Some(&format!("{issuer:?}"))),
    )
}

fn expect_own_issuers_only(verifier: &Verifier) {
    for (issuer, kid) in [(ISSUER, common::KID), (OTHER, OTHER_KID)] {
        let judged = verifier.verify(&token(issuer, kid), now()).unwrap();
        assert_eq!(judged.issuer(), issuer);
    }
    for (issuer, kid, owner) in [(ISSUER, OTHER_KID, OTHER), (OTHER, common::KID, ISSUER)] {
        let refused = verifier.verify(&token(issuer, kid), now()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("token claim \"iss\": found {issuer:?}, but the key belongs to {owner:?}")
        );
        assert_eq!(refused.fault(), Fault::Client);
    }
}

/// "the application MUST validate that the cryptographic keys used for the cryptographic operations in the
/// JWT belong to the issuer": one of two servers that are trusted does not speak for the other.
#[test]
fn a_key_says_whose_it_is() {
    let keys = KeySet::builder()
        .verifying_key(common::KID, key(common::rsa()).of_issuer(ISSUER))
        .unwrap()
        .verifying_key(OTHER_KID, key(common::other_rsa()).of_issuer(OTHER))
        .unwrap()
        .build();
    expect_own_issuers_only(&Verifier::new(keys.clone(), both()));
    expect_own_issuers_only(&Verifier::new(keys, both()).with_cache(16));
}

#[test]
fn a_set_says_whose_its_keys_are() {
    let verifier = Verifier::new(KeySet::builder().build(), both()).with_cache(16);
    for (issuer, kid, pair) in [
        (ISSUER, common::KID, common::rsa()),
        (OTHER, OTHER_KID, common::other_rsa()),
    ] {
        let keys = verifier.key_set_builder();
        let keys = keys.verifying_key(kid, key(pair)).unwrap().build();
        verifier.replace_keys_of(issuer, keys);
    }
    expect_own_issuers_only(&verifier);
}

/// What is said of one key is more than what is said of its set.
#[test]
fn a_key_in_the_set_of_another_issuer_stays_its_own() {
    let keys = KeySet::builder()
        .verifying_key(common::KID, key(common::rsa()))
        .unwrap()
        .verifying_key(OTHER_KID, key(common::other_rsa()).of_issuer(OTHER))
        .unwrap()
        .build();
    let verifier = Verifier::new(KeySet::builder().build(), both());
    verifier.replace_keys_of(ISSUER, keys);
    expect_own_issuers_only(&verifier);
}

#[test]
fn with_several_issuers_a_key_of_nobody_is_refused() {
    let verifier = Verifier::new(common::keys(), both());
    for issuer in [ISSUER, OTHER] {
        let refused = verifier
            .verify(&token(issuer, common::KID), now())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token header: key \"signing-key\" belongs to no issuer, and the policy has several"
        );
        assert_eq!(refused.fault(), Fault::Configuration);
    }
    // The same issuer twice is one.
    let once = Verifier::new(common::keys(), rfc9068().issuer(ISSUER));
    assert!(once.verify(&token(ISSUER, common::KID), now()).is_ok());
    let other = VerifyingKey::of_issuer(key(common::rsa()), OTHER);
    let keys = KeySet::builder().verifying_key(common::KID, other).unwrap();
    let refused = Verifier::new(keys.build(), rfc9068())
        .verify(&token(ISSUER, common::KID), now())
        .unwrap_err();
    assert!(
        matches!(refused.kind(), TokenErrorKind::IssuerOfKey { .. }),
        "{refused}"
    );
}

/// The same of both keys of a nested token: that which signed, and that which was shared for encryption.
#[test]
fn both_keys_of_an_encrypted_token_belong_to_its_issuer() {
    let nested = |issuer, kid| {
        let header = r#"{"alg":"dir","enc":"A128CBC-HS256","kid":"encryption-key","cty":"JWT"}"#;
        common::encrypt(header, token(issuer, kid))
    };
    let shared =
        EncryptionKey::new(ContentEncryption::A128CbcHs256, &common::ENCRYPTION_KEY).unwrap();
    let judge = |mark: Option<&str>, token: &str| {
        let shared = DecryptionKey::from(shared.clone());
        let shared = match mark {
            Some(issuer) => shared.of_issuer(issuer),
            None => shared,
        };
        let keys = KeySet::builder()
            .verifying_key(common::KID, key(common::rsa()).of_issuer(ISSUER))
            .unwrap()
            .verifying_key(OTHER_KID, key(common::other_rsa()).of_issuer(OTHER))
            .unwrap()
            .decryption_key(common::ENCRYPTION_KID, shared)
            .unwrap()
            .build();
        let policy = both().forms([Form::Nested]);
        let verdict = Verifier::new(keys, policy).verify(token, now());
        verdict.map_err(|refused| refused.to_string())
    };
    let refused = |issuer: &str, owner: &str| {
        Err(format!(
            "token claim \"iss\": found {issuer:?}, but the key belongs to {owner:?}"
        ))
    };
    let good = nested(ISSUER, common::KID);
    for mark in [None, Some(ISSUER)] {
        assert!(judge(mark, &good).is_ok(), "{mark:?}");
    }
    assert_eq!(judge(Some(OTHER), &good), refused(ISSUER, OTHER));
    let forged = nested(ISSUER, OTHER_KID);
    assert_eq!(judge(None, &forged), refused(ISSUER, OTHER));
}

/// An encryption key that is put in as one issuer's is that issuer's, as a signing key is.
#[test]
fn an_encryption_key_in_the_set_of_an_issuer_is_its_own() {
    let header = r#"{"alg":"dir","enc":"A128CBC-HS256","kid":"encryption-key","cty":"JWT"}"#;
    let nested = common::encrypt(header, token(ISSUER, common::KID));
    for owner in [ISSUER, OTHER] {
        let signing = KeySet::builder()
            .verifying_key(common::KID, key(common::rsa()).of_issuer(ISSUER))
            .unwrap()
            .build();
        let verifier = Verifier::new(signing, both().forms([Form::Nested]));
        let shared = EncryptionKey::new(ContentEncryption::A128CbcHs256, &common::ENCRYPTION_KEY);
        let keys = verifier
            .key_set_builder()
            .encryption_key(common::ENCRYPTION_KID, shared.unwrap())
            .unwrap()
            .build();
        verifier.replace_keys_of(owner, keys);
        let verdict = verifier.verify(&nested, now());
        let is_of_another = verdict
            .is_err_and(|refused| matches!(refused.kind(), TokenErrorKind::IssuerOfKey { .. }));
        assert_eq!(is_of_another, owner == OTHER, "{owner}");
    }
}

/// Two clusters, told apart by the UUID in each `kid` of Unified CM's form.
mod unified_cm {
    use super::*;

    const SECOND: &str = "0a1b2c3d-0000-4000-8000-00000000beef";

    fn token(issuer: &str, signing: &str, encryption: &str) -> String {
        let pair = if signing == SECOND {
            common::other_rsa()
        } else {
            common::rsa()
        };
        let claims = with(UCM_CLAIMS, "iss", Some(&format!("{issuer:?}")));
        let inner = with(
            UCM_INNER_HEADER,
            "kid",
            Some(&format!("\"{encryption}:e\"")),
        );
        let outer = with(UCM_HEADER, "kid", Some(&format!("\"{signing}:5\"")));
        let jwe = common::encrypt(&inner, claims);
        common::sign_by(pair, &outer, format!(r#"{{"private":"{jwe}"}}"#))
    }

    #[test]
    fn one_cluster_does_not_speak_for_another() {
        let shared =
            EncryptionKey::new(ContentEncryption::A128CbcHs256, &common::ENCRYPTION_KEY).unwrap();
        let keys = KeySet::builder()
            .verifying_key(&format!("{UUID}:5"), key(common::rsa()))
            .unwrap()
            .verifying_key(&format!("{SECOND}:5"), key(common::other_rsa()))
            .unwrap()
            .encryption_key(&format!("{UUID}:e"), shared.clone())
            .unwrap()
            .encryption_key(&format!("{SECOND}:e"), shared)
            .unwrap()
            .build();
        let verifier = Verifier::new(keys, common::ucm().issuer(SECOND));
        for (issuer, signing, encryption, owner) in [
            (UUID, UUID, UUID, None),
            (SECOND, SECOND, SECOND, None),
            (UUID, SECOND, UUID, Some(SECOND)),
            (UUID, SECOND, SECOND, Some(SECOND)),
            (SECOND, UUID, SECOND, Some(UUID)),
            (UUID, UUID, SECOND, Some(SECOND)),
        ] {
            let verdict = verifier.verify(&token(issuer, signing, encryption), now());
            let expected = owner.map(|owner| TokenErrorKind::IssuerOfKey {
                expected: format!("{owner:?}"),
                found: format!("{issuer:?}"),
            });
            assert_eq!(
                verdict.err().map(|refused| refused.kind().clone()),
                expected,
                "{issuer} {signing} {encryption}"
            );
        }
    }

    /// So it is where the policy takes one cluster only: the keys of another one in its set vouch for nobody there.
    #[test]
    fn a_strange_cluster_does_not_speak_for_the_only_one() {
        let shared = || {
            EncryptionKey::new(ContentEncryption::A128CbcHs256, &common::ENCRYPTION_KEY).unwrap()
        };
        let keys = KeySet::builder()
            .verifying_key(&format!("{UUID}:5"), key(common::rsa()))
            .unwrap()
            .verifying_key(&format!("{SECOND}:5"), key(common::other_rsa()))
            .unwrap()
            .encryption_key(&format!("{UUID}:e"), shared())
            .unwrap()
            .encryption_key(&format!("{SECOND}:e"), shared())
            .unwrap()
            .build();
        let verifier = Verifier::new(keys, common::ucm());
        assert!(verifier.verify(&token(UUID, UUID, UUID), now()).is_ok());
        for (signing, encryption) in [(SECOND, SECOND), (SECOND, UUID), (UUID, SECOND)] {
            let refused = verifier.verify(&token(UUID, signing, encryption), now());
            assert_eq!(
                refused.unwrap_err().kind(),
                &TokenErrorKind::IssuerOfKey {
                    expected: format!("{SECOND:?}"),
                    found: format!("{UUID:?}"),
                },
                "{signing} {encryption}"
            );
        }
    }

    /// RFC 9562 section 4: a UUID is the same in capitals.
    #[test]
    fn a_kid_names_its_cluster_in_capitals_too() {
        let capitals = UUID.to_ascii_uppercase();
        let shared =
            EncryptionKey::new(ContentEncryption::A128CbcHs256, &common::ENCRYPTION_KEY).unwrap();
        let keys = KeySet::builder()
            .verifying_key(&format!("{capitals}:5"), key(common::rsa()))
            .unwrap()
            .encryption_key(&format!("{capitals}:e"), shared)
            .unwrap()
            .build();
        let verifier = Verifier::new(keys, common::ucm());
        let verdict = verifier.verify(&token(UUID, &capitals, &capitals), now());
        assert_eq!(verdict.unwrap().issuer(), UUID);
    }

    /// RFC 9562 section 4: 32 hexadecimal digits in five groups. Other names with a colon are names.
    #[test]
    fn what_stands_before_the_colon_is_a_uuid_or_nothing() {
        use sip_oauth_token::KeyId;
        let uuid = |text: &str| KeyId::new(text).unwrap().issuer_uuid().map(str::to_owned);
        assert_eq!(uuid(&format!("{UUID}:5")).as_deref(), Some(UUID));
        let words = "as-one.the-example-company.example.c";
        assert_eq!(words.len(), UUID.len());
        for other in ["8e9de0a5", "", &UUID[1..], words] {
            assert_eq!(uuid(&format!("{other}:5")), None, "{other}");
        }
    }

    /// Another server may name its keys so too. A UUID that is no issuer of the policy says nothing.
    #[test]
    fn a_kid_names_an_issuer_of_the_policy_or_nobody() {
        let kid = format!("{SECOND}:5");
        let keys = KeySet::builder()
            .verifying_key(&kid, key(common::rsa()))
            .unwrap()
            .build();
        let token = super::token(ISSUER, &kid);
        let verifier = Verifier::new(keys.clone(), rfc9068());
        assert_eq!(verifier.verify(&token, now()).unwrap().issuer(), ISSUER);
        let verifier = Verifier::new(keys, rfc9068().issuer(SECOND));
        assert!(matches!(
            verifier.verify(&token, now()).unwrap_err().kind(),
            TokenErrorKind::IssuerOfKey { .. }
        ));
    }

    /// The keys of a cluster are given as its own, whatever else the verifier takes.
    #[cfg(feature = "issue")]
    #[test]
    fn the_keys_of_a_cluster_are_its_own() {
        use sip_oauth_token::issue::AuthorizationServer;
        let [first, second] = [UUID, SECOND].map(|uuid| AuthorizationServer::new(uuid).unwrap());
        let verifier = Verifier::new(first.key_set(), first.policy().issuer(SECOND));
        verifier.replace_keys_of(SECOND, second.key_set());
        for server in [&first, &second] {
            let token = server.issue_access("rado", "C1", &[], now()).unwrap().token;
            let judged = verifier.verify(token.expose(), now()).unwrap();
            assert_eq!(judged.issuer(), server.uuid());
        }
    }

    /// A refresh token too, where an authorization server judges it.
    #[test]
    fn one_cluster_does_not_refresh_for_another() {
        let keys = KeySet::builder()
            .verifying_key(&format!("{UUID}:5"), key(common::rsa()))
            .unwrap()
            .build();
        let verifier = Verifier::new(keys, common::ucm().issuer(SECOND));
        let refresh = |issuer: &str| {
            let claims = with(UCM_CLAIMS, "iss", Some(&format!("{issuer:?}")));
            let claims = with(&claims, "ctyp", Some("\"refresh\""));
            let header = with(UCM_HEADER, "kid", Some(&format!("\"{UUID}:5\"")));
            verifier.verify_refresh(&sign(&header, claims), now())
        };
        assert!(refresh(UUID).is_ok());
        assert!(matches!(
            refresh(SECOND).unwrap_err().kind(),
            TokenErrorKind::IssuerOfKey { .. }
        ));
    }
}

/// What a token can cost: one signature check for each key set that has its `kid`, and none where no set has it.
mod work {
    use std::cell::Cell;

    use jsonwebtoken::crypto::KeyUtils;
    use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    use sip_oauth_token::CryptoProvider;

    use super::*;

    thread_local! {
        static CHECKS: Cell<u32> = const { Cell::new(0) };
    }

    /// Checks as aws-lc-rs does, and counts.
    static COUNTING: CryptoProvider = CryptoProvider {
        verifier_factory: |algorithm, key| {
            CHECKS.set(CHECKS.get() + 1);
            (DEFAULT_PROVIDER.verifier_factory)(algorithm, key)
        },
        signer_factory: DEFAULT_PROVIDER.signer_factory,
        key_utils: KeyUtils::new_unimplemented(),
    };

    fn set(kid: &str) -> KeySet {
        let keys = KeySet::builder_with_provider(&COUNTING);
        keys.verifying_key(kid, key(common::rsa())).unwrap().build()
    }

    #[test]
    fn a_signature_is_checked_once_for_each_set_that_has_its_kid() {
        const THIRD: &str = "https://third.example";
        let forged = common::sign_by(common::other_rsa(), HEADER, CLAIMS);
        for (kids, checks) in [
            (["a", "b", "c"], 0),
            ([common::KID, "b", "c"], 1),
            ([common::KID, "b", common::KID], 2),
            ([common::KID; 3], 3),
        ] {
            let none = KeySet::builder_with_provider(&COUNTING).build();
            let verifier = Verifier::new(none, both().issuer(THIRD));
            for (issuer, kid) in [ISSUER, OTHER, THIRD].into_iter().zip(kids) {
                verifier.replace_keys_of(issuer, set(kid));
            }
            CHECKS.set(0);
            assert!(verifier.verify(&forged, now()).is_err());
            assert_eq!(CHECKS.get(), checks, "{kids:?}");
        }
    }
}
