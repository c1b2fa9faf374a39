//! Keys are replaced while others verify: nobody waits for anybody.
#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{NOW, UUID, at, now};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{Algorithm, CryptoProvider, KeySet, TokenErrorKind, Verifier, VerifyingKey};

/// Met once when a signature check has begun, and once more when it may end.
static CHECKING: Barrier = Barrier::new(2);

/// Checks as aws-lc-rs does, in the middle of which the test does what it wants.
static STOPPING: CryptoProvider = CryptoProvider {
    verifier_factory: |algorithm, key| {
        CHECKING.wait();
        CHECKING.wait();
        (DEFAULT_PROVIDER.verifier_factory)(algorithm, key)
    },
    signer_factory: DEFAULT_PROVIDER.signer_factory,
    key_utils: jsonwebtoken::crypto::KeyUtils::new_unimplemented(),
};

/// If a verification held a lock, the replacement would wait for it and this test would never end; if a
/// replacement held one, the readers would.
#[test]
fn a_verification_under_way_stops_neither_a_replacement_nor_other_readers() {
    let server = AuthorizationServer::new(UUID).unwrap();
    let stopping = KeySet::builder_with_provider(&STOPPING)
        .unified_cm(
            UUID,
            server.signing_key_pem(),
            server.encryption_key().clone(),
        )
        .unwrap()
        .build();
    let token = server.issue_access("rado", "C1", &[], now()).unwrap().token;
    let verifier = Verifier::new(stopping, server.policy()).with_cache(16);
    thread::scope(|scope| {
        let slow = scope.spawn(|| verifier.verify(token.expose(), now()).map(drop));
        CHECKING.wait();
        // The slow one stands in the middle of its signature check from here ...
        for _rotation in 0..100 {
            verifier.replace_keys(server.key_set());
        }
        let readers: Vec<_> = (0..16)
            .map(|_reader| {
                scope.spawn(|| {
                    for second in 0..10 {
                        verifier.verify(token.expose(), at(NOW + second)).unwrap();
                    }
                })
            })
            .collect();
        for reader in readers {
            reader.join().unwrap();
        }
        verifier.replace_keys(KeySet::builder().build());
        // ... to here, and ends with the keys it began with.
        CHECKING.wait();
        assert_eq!(slow.join().unwrap(), Ok(()));
    });
    // Its verdict rests on keys that are gone, so it is not given to anybody else.
    let refused = verifier.verify(token.expose(), now()).unwrap_err();
    assert!(
        matches!(refused.kind(), TokenErrorKind::UnknownKey { .. }),
        "{refused}"
    );
}

/// Every reader sees one whole set or the other: with the key of one and not of the other the verdict is
/// one of two, and never a third.
#[test]
fn sixteen_readers_see_one_whole_set_or_the_other() {
    let server = AuthorizationServer::new(UUID).unwrap();
    let token = server.issue_access("rado", "C1", &[], now()).unwrap().token;
    let without_encryption = || {
        let key = VerifyingKey::from_pem(server.signing_key_pem(), Algorithm::Rs256).unwrap();
        KeySet::builder()
            .verifying_key(server.signing_key_id().as_str(), key)
            .unwrap()
            .build()
    };
    let verifier = Verifier::new(server.key_set(), server.policy());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let replacing = scope.spawn(|| {
            let mut rotations = 0;
            while !is_over.load(Ordering::Relaxed) {
                verifier.replace_keys(without_encryption());
                verifier.replace_keys(server.key_set());
                rotations += 1;
            }
            rotations
        });
        let readers: Vec<_> = (0..16)
            .map(|_reader| {
                scope.spawn(|| {
                    for _ in 0..30 {
                        if let Err(refused) = verifier.verify(token.expose(), now()) {
                            assert!(
                                matches!(refused.kind(), TokenErrorKind::UnknownKey { .. }),
                                "{refused}"
                            );
                        }
                    }
                })
            })
            .collect();
        for reader in readers {
            reader.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(replacing.join().unwrap() > 0);
    });
    assert!(verifier.verify(token.expose(), now()).is_ok());
}

/// Of a key that ends anyway, and of one that is there under the same name, the earlier end and the new one count.
#[test]
fn grace_prolongs_no_key_and_replaces_none() {
    let server = AuthorizationServer::new(UUID).unwrap();
    let key = || VerifyingKey::from_pem(server.signing_key_pem(), Algorithm::Rs256).unwrap();
    let shared = || server.encryption_key().clone();
    let (sign, open) = (
        server.signing_key_id().as_str(),
        server.encryption_key_id().as_str(),
    );
    let set = |end| {
        let set = KeySet::builder().verifying_key(sign, key().until(end));
        let set = set.unwrap().encryption_key(open, shared().until(end));
        set.unwrap().build()
    };
    let token = server.issue_access("rado", "C1", &[], now()).unwrap().token;
    let good_at = |keys: KeySet, seconds| {
        let verifier = Verifier::new(keys, server.policy());
        verifier.verify(token.expose(), at(NOW + seconds)).is_ok()
    };
    let short = set(at(NOW + 60));
    let prolonged = KeySet::builder().grace(&short, at(NOW + 600)).build();
    assert!(good_at(prolonged.clone(), 59) && !good_at(prolonged, 60));
    let shortened = KeySet::builder().grace(&set(at(NOW + 600)), at(NOW + 60));
    let shortened = shortened.build();
    assert!(good_at(shortened.clone(), 59) && !good_at(shortened, 60));
    let replaced = KeySet::builder().verifying_key(sign, key()).unwrap();
    let replaced = replaced.encryption_key(open, shared()).unwrap();
    assert!(good_at(replaced.grace(&short, at(NOW + 1)).build(), 600));
}

/// The grace of a rotation: the old key is kept in the new set, with an end.
#[test]
fn an_old_key_is_good_until_its_end_and_then_retired() {
    let old = AuthorizationServer::new(UUID).unwrap();
    let new = AuthorizationServer::new(UUID).unwrap();
    let end = at(NOW + 600);
    let with_grace = KeySet::builder()
        .unified_cm(UUID, new.signing_key_pem(), new.encryption_key().clone())
        .unwrap()
        .grace(&old.key_set(), end)
        .build();
    let [before, after] =
        [&old, &new].map(|server| server.issue_access("rado", "C1", &[], now()).unwrap().token);
    let verifier = Verifier::new(old.key_set(), old.policy()).with_cache(16);
    assert!(verifier.verify(before.expose(), now()).is_ok());
    let unknown = verifier.verify(after.expose(), now()).unwrap_err();
    assert_eq!(
        unknown.unknown_key(),
        Some(new.signing_key_id()),
        "which key to fetch"
    );

    verifier.replace_keys(with_grace);
    for token in [&before, &after] {
        assert!(verifier.verify(token.expose(), at(NOW + 599)).is_ok());
    }
    assert!(verifier.verify(after.expose(), at(NOW + 600)).is_ok());
    let retired = verifier.verify(before.expose(), at(NOW + 601)).unwrap_err();
    assert_eq!(
        retired.to_string(),
        format!(
            "token header: key {} is retired since 1s",
            old.signing_key_id()
        )
    );
    assert_eq!(retired.unknown_key(), None, "nothing to fetch");
}

/// The sets of a verifier: its own, and one of each issuer.
mod sources {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jsonwebtoken::crypto::{KeyUtils, aws_lc::DEFAULT_PROVIDER};
    use sip_oauth_token::{
        ContentEncryption, CryptoProvider, DecryptionKey, EncryptionKey, KeyManagement, Policy,
        TokenError, VerifiedToken,
    };

    use super::*;

    static SIGNATURE_CHECKS: AtomicUsize = AtomicUsize::new(0);

    /// Checks as aws-lc-rs does, and counts.
    static COUNTING: CryptoProvider = CryptoProvider {
        verifier_factory: |algorithm, key| {
            SIGNATURE_CHECKS.fetch_add(1, Ordering::Relaxed);
            (DEFAULT_PROVIDER.verifier_factory)(algorithm, key)
        },
        signer_factory: DEFAULT_PROVIDER.signer_factory,
        key_utils: KeyUtils::new_unimplemented(),
    };

    /// Another one.
    static OTHER: CryptoProvider = CryptoProvider {
        verifier_factory: DEFAULT_PROVIDER.verifier_factory,
        signer_factory: DEFAULT_PROVIDER.signer_factory,
        key_utils: KeyUtils::new_unimplemented(),
    };

    const ISSUERS: [&str; 2] = ["https://as.example.com", "https://as.example.net"];

    fn policy() -> Policy {
        common::rfc9068().issuer(ISSUERS[1])
    }

    fn key(number: usize) -> VerifyingKey {
        let pair = [common::rsa(), common::other_rsa()][number];
        VerifyingKey::from_pem(&common::pem(pair), Algorithm::Rs256).unwrap()
    }

    fn set(kid: &str, number: usize) -> KeySet {
        let keys = KeySet::builder().verifying_key(kid, key(number));
        keys.unwrap().build()
    }

    /// Judges a token of the issuer with this number, by its key under this `kid`.
    fn judge(verifier: &Verifier, number: usize, kid: &str) -> Result<VerifiedToken, TokenError> {
        let pair = [common::rsa(), common::other_rsa()][number];
        let issuer = ISSUERS[number];
        let header = common::with(common::HEADER, "kid", Some(&format!("{kid:?}")));
        let claims = common::with(common::CLAIMS, "iss", Some(&format!("{issuer:?}")));
        verifier.verify(&common::sign_by(pair, &header, claims), now())
    }

    #[test]
    fn each_is_replaced_without_touching_another() {
        let own = KeySet::builder()
            .verifying_key("own", key(0).of_issuer(ISSUERS[0]))
            .unwrap()
            .build();
        let verifier = Verifier::new(own, policy()).with_cache(16);
        verifier.replace_keys_of(ISSUERS[0], set("a", 0));
        verifier.replace_keys_of(ISSUERS[1], set("b", 1));
        let good = |expected: [bool; 4]| {
            let found = [(0, "own"), (0, "a"), (1, "b"), (1, "c")]
                .map(|(number, kid)| judge(&verifier, number, kid).is_ok());
            assert_eq!(found, expected);
        };
        good([true, true, true, false]);
        // Rotated: verdicts that rest on the old key go with it.
        verifier.replace_keys_of(ISSUERS[1], set("c", 1));
        good([true, true, false, true]);
        verifier.replace_keys(KeySet::builder().build());
        good([false, true, false, true]);
        // Taken out, and not a trace of it left.
        verifier.replace_keys_of(ISSUERS[0], KeySet::builder().build());
        good([false, false, false, true]);
        // Once in the policy.
        assert_eq!(format!("{verifier:?}").matches(ISSUERS[0]).count(), 1);
    }

    /// Issue 4: the same token must cost no second RSA operation, however often its issuer's keys are fetched.
    #[test]
    fn the_same_keys_cost_no_second_signature_check_and_any_other_ones_do() {
        let one = set;
        let set = |provider, keys: &[(&str, VerifyingKey)]| {
            let keys = keys.iter().cloned();
            let set = keys.fold(
                KeySet::builder_with_provider(provider),
                |set, (kid, key)| set.verifying_key(kid, key).unwrap(),
            );
            set.build()
        };
        let counting = |keys: &[(&str, VerifyingKey)]| set(&COUNTING, keys);
        let with_secret = |secret: DecryptionKey| {
            let set = KeySet::builder_with_provider(&COUNTING).verifying_key("a", key(0));
            set.unwrap().decryption_key("e", secret).unwrap().build()
        };
        let wrap = |algorithm, byte| {
            let bytes = vec![
                byte;
                if algorithm == KeyManagement::A128Kw {
                    16
                } else {
                    32
                }
            ];
            DecryptionKey::key_wrap(algorithm, &bytes).unwrap()
        };
        let direct = |byte| {
            let encryption = ContentEncryption::A128CbcHs256;
            DecryptionKey::from(EncryptionKey::new(encryption, &[byte; 32]).unwrap())
        };
        let verifier = Verifier::new(KeySet::builder().build(), policy()).with_cache(16);
        let replaced = |keys| verifier.replace_keys_of(ISSUERS[0], keys);
        assert!(!replaced(KeySet::builder().build()), "there is none yet");

        let both = || [("a", key(0)), ("b", key(1))];
        assert!(replaced(counting(&both())));
        for _refresh in 0..3 {
            assert!(judge(&verifier, 0, "a").is_ok());
            assert_eq!(SIGNATURE_CHECKS.load(Ordering::Relaxed), 1);
            let [a, b] = both();
            assert!(!replaced(counting(&[b, a])));
        }

        let rs384 = VerifyingKey::from_pem(&common::pem(common::rsa()), Algorithm::Rs384);
        let same_twice = |keys: KeySet, what: &str| {
            assert!(replaced(keys.clone()), "{what}");
            assert!(!replaced(keys), "{what}, again");
        };
        for (what, keys) in [
            ("a key less", counting(&[("a", key(0))])),
            ("another name", counting(&[("c", key(0))])),
            ("another key", counting(&[("c", key(1))])),
            ("another algorithm", counting(&[("c", rs384.unwrap())])),
            ("the first again", counting(&[("a", key(0))])),
            ("an end", counting(&[("a", key(0).until(now()))])),
            (
                "another end",
                counting(&[("a", key(0).until(common::at(9)))]),
            ),
            (
                "an issuer",
                counting(&[("a", key(0).of_issuer(ISSUERS[0]))]),
            ),
            ("no issuer", counting(&[("a", key(0))])),
            ("another provider", set(&OTHER, &[("a", key(0))])),
            ("no provider", one("a", 0)),
            ("a secret", with_secret(direct(1))),
            ("another secret", with_secret(direct(2))),
            ("another use", with_secret(wrap(KeyManagement::A256Kw, 2))),
            ("another wrap", with_secret(wrap(KeyManagement::A128Kw, 2))),
            (
                "its end",
                with_secret(wrap(KeyManagement::A128Kw, 2).until(now())),
            ),
            (
                "its issuer",
                with_secret(wrap(KeyManagement::A128Kw, 2).of_issuer("i")),
            ),
            (
                "another wrapping secret",
                with_secret(wrap(KeyManagement::A128Kw, 3)),
            ),
            ("none", KeySet::builder().build()),
        ] {
            same_twice(keys, what);
        }
    }

    /// Whoever fetches one issuer's keys does not undo what another one put in meanwhile.
    #[test]
    fn replacements_at_the_same_time_are_all_kept() {
        let verifier = Verifier::new(KeySet::builder().build(), policy());
        for round in 0..50 {
            let kid = format!("round-{round}");
            let sets = [set(&kid, 0), set(&kid, 1)];
            thread::scope(|scope| {
                for (issuer, keys) in ISSUERS.iter().zip(sets) {
                    let verifier = &verifier;
                    scope.spawn(move || verifier.replace_keys_of(issuer, keys));
                }
                scope.spawn(|| verifier.replace_keys(KeySet::builder().build()));
            });
            let held = format!("{verifier:?}").matches(&kid).count();
            assert_eq!(held, 2, "{round}");
        }
    }

    /// RFC 7515 section 4.1.4 leaves the structure of a `kid` to whoever makes it, so two may choose the same.
    #[test]
    fn two_issuers_may_use_one_kid() {
        let verifier = Verifier::new(KeySet::builder().build(), policy()).with_cache(16);
        for number in [0, 1] {
            verifier.replace_keys_of(ISSUERS[number], set("1", number));
        }
        for number in [0, 1] {
            let judged = judge(&verifier, number, "1").unwrap();
            assert_eq!(judged.issuer(), ISSUERS[number]);
        }
        // Signed by neither.
        let token = common::sign(
            &common::with(common::HEADER, "kid", Some("\"1\"")),
            common::CLAIMS,
        );
        let (input, _) = token.rsplit_once('.').unwrap();
        let refused = verifier
            .verify(&format!("{input}.AAAA"), now())
            .unwrap_err();
        assert_eq!(refused.to_string(), "token signature: does not verify");
        // One of them is over: that the signature is not the other's is what is said.
        let ended = KeySet::builder().verifying_key("1", key(0).until(now()));
        verifier.replace_keys_of(ISSUERS[0], ended.unwrap().build());
        assert!(judge(&verifier, 1, "1").is_ok());
        assert_eq!(
            judge(&verifier, 0, "1").unwrap_err().kind(),
            &TokenErrorKind::Signature
        );
    }

    /// Without `kid`, where the policy takes that, the only key of all sets is tried.
    #[test]
    fn without_kid_all_sets_together_hold_one_key() {
        let policy = policy().key_id_required(false);
        let verifier = Verifier::new(KeySet::builder().build(), policy);
        let header = common::with(common::HEADER, "kid", None);
        let token = common::sign(&header, common::CLAIMS);
        assert!(verifier.verify(&token, now()).is_err());
        verifier.replace_keys_of(ISSUERS[0], set("a", 0));
        assert!(verifier.verify(&token, now()).is_ok());
        verifier.replace_keys_of(ISSUERS[1], set("b", 1));
        let refused = verifier.verify(&token, now()).unwrap_err();
        assert_eq!(refused.kind(), &TokenErrorKind::UnknownKey { kid: None });
    }
}
