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

/// The grace of a rotation: the old key is kept in the new set, with an end.
#[test]
fn an_old_key_is_good_until_its_end_and_then_retired() {
    let old = AuthorizationServer::new(UUID).unwrap();
    let new = AuthorizationServer::new(UUID).unwrap();
    let end = at(NOW + 600);
    let signing = VerifyingKey::from_pem(old.signing_key_pem(), Algorithm::Rs256).unwrap();
    let with_grace = KeySet::builder()
        .unified_cm(UUID, new.signing_key_pem(), new.encryption_key().clone())
        .unwrap()
        .verifying_key(old.signing_key_id().as_str(), signing.until(end))
        .unwrap()
        .encryption_key(
            old.encryption_key_id().as_str(),
            old.encryption_key().clone().until(end),
        )
        .unwrap()
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
