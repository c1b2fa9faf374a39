//! A verdict that is remembered, and what ends it.

use std::sync::atomic::{AtomicUsize, Ordering};

use sip_oauth_token::CryptoProvider;

use super::*;

static SIGNATURE_CHECKS: AtomicUsize = AtomicUsize::new(0);

/// Checks as aws-lc-rs does, and counts.
static COUNTING: CryptoProvider = CryptoProvider {
    verifier_factory: |algorithm, key| {
        SIGNATURE_CHECKS.fetch_add(1, Ordering::Relaxed);
        (jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.verifier_factory)(algorithm, key)
    },
    signer_factory: jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.signer_factory,
    key_utils: jsonwebtoken::crypto::KeyUtils::new_unimplemented(),
};

#[test]
fn refreshing_every_two_minutes_costs_one_signature_check() {
    let server = server();
    let keys = KeySet::builder_with_provider(&COUNTING)
        .unified_cm(
            UUID,
            server.signing_key_pem(),
            server.encryption_key().clone(),
        )
        .unwrap()
        .build();
    let verifier = Verifier::new(keys, server.policy()).with_cache(16);
    let token = server
        .issue_access("rado", CLIENT, &[], now())
        .unwrap()
        .token;
    for refresh in 0..30 {
        assert!(
            verifier
                .verify(token.expose(), at(NOW + 120 * refresh))
                .is_ok()
        );
    }
    assert_eq!(SIGNATURE_CHECKS.load(Ordering::Relaxed), 1);
}

/// Keys that refuse everything make a hit visible: only a remembered verdict can say yes.
#[test]
fn a_verdict_is_used_with_its_own_keys_only() {
    let server = server();
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(16);
    let token = server
        .issue_access("rado", CLIENT, &[], now())
        .unwrap()
        .token;
    assert!(verifier.verify(token.expose(), now()).is_ok());
    assert!(verifier.verify(token.expose(), now()).is_ok());
    verifier.replace_keys(KeySet::builder().build());
    assert!(
        verifier
            .verify(token.expose(), now())
            .unwrap_err()
            .unknown_key()
            .is_some()
    );
    verifier.replace_keys(server.key_set());
    assert!(verifier.verify(token.expose(), now()).is_ok());
}

#[test]
fn a_verdict_ends_with_its_token() {
    let server = server();
    let verifier =
        Verifier::new(server.key_set(), server.policy().leeway(Duration::ZERO)).with_cache(16);
    let token = server
        .issue_access("rado", CLIENT, &[], now())
        .unwrap()
        .token;
    assert!(verifier.verify(token.expose(), at(NOW + 3599)).is_ok());
    let refused = verifier.verify(token.expose(), at(NOW + 3600)).unwrap_err();
    assert_eq!(refused.to_string(), "token claim \"exp\": expired 0ns ago");
    let too_early = verifier.verify(token.expose(), at(NOW - 1)).unwrap_err();
    assert_eq!(
        too_early.to_string(),
        "token claim \"iat\": issued 1s from now"
    );
}

#[test]
fn a_verdict_ends_with_its_key() {
    let server = server();
    let key = server.encryption_key().clone().until(at(NOW + 10));
    let keys = KeySet::builder()
        .unified_cm(UUID, server.signing_key_pem(), key)
        .unwrap()
        .build();
    let verifier = Verifier::new(keys, server.policy()).with_cache(16);
    let token = server
        .issue_access("rado", CLIENT, &[], now())
        .unwrap()
        .token;
    assert!(verifier.verify(token.expose(), at(NOW + 9)).is_ok());
    let refused = verifier.verify(token.expose(), at(NOW + 10)).unwrap_err();
    assert!(
        matches!(refused.kind(), TokenErrorKind::RetiredKey { .. }),
        "{refused}"
    );
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let server = server();
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(16);
    let token = server
        .issue_access("rado", CLIENT, &[], now())
        .unwrap()
        .token;
    let accepted = verifier.verify(token.expose(), now()).unwrap();
    verifier.revoke_token(accepted.token_id().unwrap());
    assert_eq!(
        verifier.verify(token.expose(), now()).unwrap_err().kind(),
        &TokenErrorKind::Revoked
    );
    verifier.forget_revoked_token(accepted.token_id().unwrap());
    assert!(verifier.verify(token.expose(), now()).is_ok());
}

#[test]
fn a_revoked_refresh_token_is_refused() {
    let mut server = server();
    let verifier = Verifier::new(server.key_set(), server.policy());
    let (token, _) = server.issue_refresh("rado", CLIENT, &[], now()).unwrap();
    let verify = || verifier.verify_refresh(token.expose(), now());
    verifier.revoke_token(verify().unwrap().token_id());
    assert_eq!(verify().unwrap_err().kind(), &TokenErrorKind::Revoked);
}

#[test]
fn revoking_a_user_takes_what_a_fast_clock_issued_and_leaves_later_tokens_alone() {
    let server = server();
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(16);
    let old = server
        .issue_access("rado", CLIENT, &[], now())
        .unwrap()
        .token;
    let other = server
        .issue_access("alice", CLIENT, &[], now())
        .unwrap()
        .token;
    // The policy's leeway is 60 s: a server whose clock is ahead by that much wrote it before the
    // revocation.
    let ahead = server
        .issue_access("rado", CLIENT, &[], at(NOW + 60))
        .unwrap()
        .token;
    let new = server
        .issue_access("rado", CLIENT, &[], at(NOW + 61))
        .unwrap()
        .token;
    assert!(verifier.verify(old.expose(), now()).is_ok());
    assert!(verifier.verify(ahead.expose(), now()).is_ok());
    verifier.revoke_user("rado", now());
    for revoked in [old.expose(), ahead.expose()] {
        let refused = verifier.verify(revoked, at(NOW + 61)).unwrap_err();
        assert_eq!(refused.kind(), &TokenErrorKind::Revoked);
    }
    assert!(verifier.verify(new.expose(), at(NOW + 61)).is_ok());
    assert!(verifier.verify(other.expose(), now()).is_ok());
    verifier.forget_revoked_user("rado");
    assert!(verifier.verify(old.expose(), now()).is_ok());
}

#[test]
fn many_tokens_do_not_make_it_wrong() {
    let server = server();
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(1);
    let all: Vec<_> = (0..40)
        .map(|n| {
            server
                .issue_access(&format!("user{n}"), CLIENT, &[], now())
                .unwrap()
                .token
        })
        .collect();
    for _round in 0..2 {
        for (n, token) in all.iter().enumerate() {
            assert_eq!(
                verifier.verify(token.expose(), now()).unwrap().user(),
                format!("user{n}")
            );
        }
    }
}

#[test]
fn readers_never_see_half_a_rotation() {
    let server = server();
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(16);
    let token = server
        .issue_access("rado", CLIENT, &[], now())
        .unwrap()
        .token;
    std::thread::scope(|scope| {
        for _reader in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    assert!(verifier.verify(token.expose(), now()).is_ok());
                }
            });
        }
        for _rotation in 0..200 {
            verifier.replace_keys(server.key_set());
        }
    });
}
