//! Unified CM's tokens: a JWS around a JWE around claims, the refresh token, the server's habits.
#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{
    NOW, UCM_CLAIMS, UCM_HEADER, UUID, at, b64, encrypt, now, sign, ucm, ucm_refusal, unified_cm,
    verify_ucm, verify_with, with,
};
use sip_oauth_token::inspect::Kind;
use sip_oauth_token::issue::{
    AccessTokenExpiryTimer, AuthorizationServer, IssueError, RefreshTokenExpiryTimer,
};
use sip_oauth_token::{
    Algorithm, ClaimNames, ContentEncryption, EncryptionKey, Form, KeySet, Policy, TokenErrorKind,
    Verifier, inspect,
};

const CLIENT: &str = "C0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SCOPE: &str = "UnifiedCommunications:readwrite";

fn server() -> AuthorizationServer {
    AuthorizationServer::new(UUID).unwrap()
}

#[test]
fn verifier_and_server_are_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Verifier>();
    is_shared::<AuthorizationServer>();
}

mod access_token {
    use super::*;

    #[test]
    fn the_claims_inside_are_read() {
        let token = verify_ucm(&unified_cm(UCM_CLAIMS)).unwrap();
        assert_eq!(token.form(), Form::UnifiedCm);
        assert_eq!(token.issuer(), UUID);
        assert_eq!(token.user(), "rado");
        assert_eq!(token.client_id(), Some("C1"));
        assert_eq!(token.token_id(), Some("t1"));
    }

    #[test]
    fn an_unsecured_jwt_is_accepted_inside() {
        let inner = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(UCM_CLAIMS));
        assert!(verify_ucm(&unified_cm(inner)).is_ok());
    }

    #[test]
    fn an_unsecured_jwt_is_accepted_nowhere_else() {
        let outside = format!(
            "{}.{}.",
            b64(r#"{"alg":"none","typ":"JWT"}"#),
            b64(UCM_CLAIMS)
        );
        assert_eq!(
            ucm_refusal(&outside),
            "token header: algorithm none is never accepted here"
        );
    }

    #[test]
    fn an_unsecured_jwt_has_alg_none_and_no_signature() {
        let signed = format!("{}.{}.c2ln", b64(r#"{"alg":"none"}"#), b64(UCM_CLAIMS));
        assert_eq!(
            ucm_refusal(&unified_cm(signed)),
            "token's decrypted part: algorithm none comes with a signature"
        );
        let other = format!("{}.{}.", b64(r#"{"alg":"HS256"}"#), b64(UCM_CLAIMS));
        assert!(
            ucm_refusal(&unified_cm(other))
                .starts_with("token's decrypted part: algorithm (inner) is not `none`")
        );
    }

    #[test]
    fn what_is_inside_is_an_object_with_distinct_members() {
        for (inner, start) in [
            (
                "[]",
                "token's decrypted part: 1 segments, expected 3 (JWS) or 5 (JWE)",
            ),
            (
                "{\"sub\":\"a\",\"sub\":\"b\"}",
                "token's decrypted part: not a JSON object: a member stands twice",
            ),
            ("{} {}", "token's decrypted part: not a JSON object: syntax"),
            ("", "token's decrypted part: 1 segments"),
        ] {
            let sentence = ucm_refusal(&unified_cm(inner));
            assert!(sentence.starts_with(start), "{sentence}");
        }
    }

    #[test]
    fn the_payload_is_private_and_nothing_else() {
        let jwe = encrypt(common::UCM_INNER_HEADER, UCM_CLAIMS);
        for payload in [
            format!(r#"{{"private":"{jwe}","exp":1700003600}}"#),
            r#"{"private":7}"#.to_owned(),
        ] {
            assert_eq!(
                ucm_refusal(&sign(UCM_HEADER, payload)),
                "token claim \"private\": expected a string, and nothing beside it"
            );
        }
    }

    #[test]
    fn nothing_is_accepted_because_it_is_absent() {
        for name in ["iss", "iat", "exp", "sub", "ccid"] {
            let claims = with(UCM_CLAIMS, name, None);
            assert_eq!(
                ucm_refusal(&unified_cm(claims)),
                format!("token claim {name:?}: absent, but required")
            );
        }
    }

    #[test]
    fn the_names_of_the_claims_are_a_choice() {
        let names = ClaimNames {
            user: "userid".to_owned(),
            client_id: "clientid".to_owned(),
            ..ClaimNames::default()
        };
        let policy = || ucm().claim_names(names.clone());
        let claims = UCM_CLAIMS
            .replace("\"sub\"", "\"userid\"")
            .replace("\"ccid\"", "\"clientid\"");
        let token = verify_with(policy(), &unified_cm(claims)).unwrap();
        assert_eq!((token.user(), token.client_id()), ("rado", Some("C1")));
        assert_eq!(
            verify_with(policy(), &unified_cm(UCM_CLAIMS))
                .unwrap_err()
                .to_string(),
            "token claim \"userid\": absent, but required"
        );
    }

    #[test]
    fn a_token_of_another_cluster_is_refused() {
        let claims = with(
            UCM_CLAIMS,
            "iss",
            Some("\"0e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5\""),
        );
        assert!(ucm_refusal(&unified_cm(claims)).starts_with("token claim \"iss\": expected"));
    }

    #[test]
    fn a_refresh_token_is_refused_inside_and_outside() {
        let refusal = "token: is a refresh token, expected an access token";
        let claims = with(UCM_CLAIMS, "ctyp", Some("\"refresh\""));
        assert_eq!(ucm_refusal(&unified_cm(&claims)), refusal);
        assert_eq!(ucm_refusal(&sign(UCM_HEADER, claims)), refusal);
    }
}

mod authorization_server {
    use super::*;

    #[test]
    fn its_access_tokens_have_the_products_form() {
        let server = server();
        let issued = server
            .issue_access("rado", CLIENT, &[SCOPE], now())
            .unwrap();
        assert_eq!(issued.expires_in, Duration::from_secs(3600));
        // The published sample has 1999 bytes.
        assert!(
            (1500..2200).contains(&issued.token.len()),
            "{}",
            issued.token.len()
        );

        let seen = inspect(issued.token.expose()).unwrap();
        assert_eq!(seen.kind(), Kind::UnifiedCmAccess);
        assert_eq!(seen.expires_at(), None);
        let signed = seen.signed().unwrap();
        assert_eq!(
            (
                signed.text("alg"),
                signed.text("typ"),
                signed.signature_bytes()
            ),
            (Some("RS256"), Some("JWT"), 256)
        );
        assert_eq!(signed.key_id().as_ref(), Some(server.signing_key_id()));
        assert_eq!(server.signing_key_id().issuer_uuid(), Some(UUID));
        let encrypted = seen.encrypted().unwrap();
        assert_eq!(
            [
                encrypted.text("alg"),
                encrypted.text("cty"),
                encrypted.text("enc")
            ],
            [Some("dir"), Some("JWT"), Some("A128CBC-HS256")]
        );
        assert_eq!(
            encrypted.key_id().as_ref(),
            Some(server.encryption_key_id())
        );
        assert_eq!(
            (
                encrypted.encrypted_key_bytes(),
                encrypted.iv_bytes(),
                encrypted.tag_bytes()
            ),
            (0, 16, 16)
        );
    }

    #[test]
    fn a_registrar_configured_from_files_verifies_them() {
        let server = server();
        let issued = server
            .issue_access("rado", CLIENT, &[SCOPE], now())
            .unwrap();
        let key_file = server.encryption_key().to_hex();
        let key =
            EncryptionKey::from_hex(ContentEncryption::A128CbcHs256, &format!("{}\n", *key_file))
                .unwrap();
        let keys = KeySet::builder()
            .unified_cm(UUID, server.signing_key_pem(), key)
            .unwrap()
            .build();
        let token = Verifier::new(keys, server.policy())
            .verify(issued.token.expose(), now())
            .unwrap();
        assert_eq!((token.user(), token.client_id()), ("rado", Some(CLIENT)));
        assert_eq!(token.scopes(), [SCOPE]);
        assert_eq!(token.expires_at(), at(NOW + 3600));
    }

    #[test]
    fn a_key_file_that_is_no_key_is_told_so() {
        for (text, sentence) in [
            ("0".repeat(63), "not hexadecimal: an odd number of digits"),
            (
                "x".repeat(64),
                "not hexadecimal: a character that is no digit of it",
            ),
            (
                "é".repeat(32),
                "not hexadecimal: a character that is no digit of it",
            ),
            ("00".repeat(31), "key of 248 bits, expected 256"),
        ] {
            let error = EncryptionKey::from_hex(ContentEncryption::A128CbcHs256, &text);
            assert_eq!(error.unwrap_err().to_string(), sentence);
        }
    }

    #[test]
    fn its_refresh_token_has_the_products_claims() {
        let mut server = server();
        let (token, expires_in) = server
            .issue_refresh("rado", CLIENT, &[SCOPE], now())
            .unwrap();
        assert_eq!(expires_in, Duration::from_secs(60 * 86_400));
        let seen = inspect(token.expose()).unwrap();
        assert_eq!(seen.kind(), Kind::UnifiedCmRefresh);
        assert_eq!(
            seen.claim_names().collect::<Vec<_>>(),
            ["ccid", "ctyp", "exp", "iss", "tid", "typ"]
        );
        assert_eq!(seen.claim("iss").as_deref(), Some(UUID));
        assert_eq!(seen.claim("ccid").as_deref(), Some(CLIENT));
        assert_eq!(seen.expires_at(), Some(at(NOW + 60 * 86_400)));
    }

    #[test]
    fn access_and_refresh_tokens_are_not_taken_for_each_other() {
        let mut server = server();
        let verifier = Verifier::new(server.key_set(), server.policy());
        let access = server
            .issue_access("rado", CLIENT, &[], now())
            .unwrap()
            .token;
        let (refresh, _) = server.issue_refresh("rado", CLIENT, &[], now()).unwrap();
        assert_eq!(
            verifier.verify(refresh.expose(), now()).unwrap_err().kind(),
            &TokenErrorKind::RefreshToken
        );
        assert_eq!(
            verifier
                .verify_refresh(access.expose(), now())
                .unwrap_err()
                .kind(),
            &TokenErrorKind::NotRefreshToken
        );
        assert_eq!(
            verifier
                .verify_refresh(refresh.expose(), now())
                .unwrap()
                .client_id(),
            CLIENT
        );
    }

    #[test]
    fn refreshing_gives_the_same_user_and_scopes() {
        let mut server = server();
        let (refresh, _) = server
            .issue_refresh("rado", CLIENT, &[SCOPE], now())
            .unwrap();
        let later = at(NOW + 59 * 86_400);
        let issued = server.refresh(&refresh, CLIENT, later).unwrap();
        let token = Verifier::new(server.key_set(), server.policy())
            .verify(issued.token.expose(), later)
            .unwrap();
        assert_eq!(
            (token.user(), token.scopes()),
            ("rado", [SCOPE.to_owned()].as_slice())
        );

        assert_eq!(
            server.refresh(&refresh, "C2", later).unwrap_err(),
            IssueError::OtherClient
        );
        let too_late = server
            .refresh(&refresh, CLIENT, at(NOW + 61 * 86_400))
            .unwrap_err();
        assert_eq!(too_late.error_code(), "invalid_grant");
    }

    #[test]
    fn revoking_is_by_user_and_client() {
        let mut server = server();
        let (first, _) = server.issue_refresh("rado", "C1", &[], now()).unwrap();
        let (second, _) = server.issue_refresh("rado", "C2", &[], now()).unwrap();
        let (other, _) = server.issue_refresh("alice", "C1", &[], now()).unwrap();
        assert_eq!(server.revoke("rado", Some("C1")).len(), 1);
        assert_eq!(
            server.refresh(&first, "C1", now()).unwrap_err(),
            IssueError::Revoked
        );
        assert!(server.refresh(&second, "C2", now()).is_ok());
        assert_eq!(server.revoke("rado", None).len(), 1);
        assert!(server.refresh(&second, "C2", now()).is_err());
        assert!(server.refresh(&other, "C1", now()).is_ok());
    }

    #[test]
    fn regenerating_either_key_invalidates_every_token() {
        for regenerate in [
            AuthorizationServer::regenerate_signing_key,
            AuthorizationServer::regenerate_encryption_key,
        ] {
            let mut server = server();
            let access = server
                .issue_access("rado", CLIENT, &[], now())
                .unwrap()
                .token;
            let (refresh, _) = server.issue_refresh("rado", CLIENT, &[], now()).unwrap();
            let verifier = Verifier::new(server.key_set(), server.policy());
            assert!(verifier.verify(access.expose(), now()).is_ok());

            regenerate(&mut server).unwrap();
            assert!(
                verifier.verify(access.expose(), now()).is_ok(),
                "the verifier has the old keys still"
            );
            verifier.replace_keys(server.key_set());
            let refused = verifier.verify(access.expose(), now()).unwrap_err();
            assert!(refused.unknown_key().is_some(), "{refused}");
            assert!(server.refresh(&refresh, CLIENT, now()).is_err());
            let access = server
                .issue_access("rado", CLIENT, &[], now())
                .unwrap()
                .token;
            assert!(verifier.verify(access.expose(), now()).is_ok());
        }
    }

    #[test]
    fn changing_the_refresh_timer_revokes_refresh_tokens() {
        let mut server = server();
        let (refresh, _) = server.issue_refresh("rado", CLIENT, &[], now()).unwrap();
        server.set_refresh_token_expiry_timer(RefreshTokenExpiryTimer::default());
        assert!(server.refresh(&refresh, CLIENT, now()).is_ok());
        server.set_refresh_token_expiry_timer(RefreshTokenExpiryTimer::from_days(30).unwrap());
        assert_eq!(
            server.refresh(&refresh, CLIENT, now()).unwrap_err(),
            IssueError::Revoked
        );
    }

    #[test]
    fn timers_have_the_products_ranges() {
        assert_eq!(
            AccessTokenExpiryTimer::NAME,
            "OAuth Access Token Expiry Timer"
        );
        assert_eq!(
            RefreshTokenExpiryTimer::NAME,
            "OAuth Refresh Token Expiry Timer"
        );
        for (minutes, taken) in [(0, false), (1, true), (1440, true), (1441, false)] {
            assert_eq!(AccessTokenExpiryTimer::from_minutes(minutes).is_ok(), taken);
        }
        for (days, taken) in [(0, false), (1, true), (365, true), (366, false)] {
            assert_eq!(RefreshTokenExpiryTimer::from_days(days).is_ok(), taken);
        }
        let mut server = server();
        server.set_access_token_expiry_timer(AccessTokenExpiryTimer::from_minutes(5).unwrap());
        let issued = server.issue_access("rado", CLIENT, &[], now()).unwrap();
        assert_eq!(issued.expires_in, Duration::from_secs(300));
    }

    #[test]
    fn an_issuer_is_a_uuid() {
        for uuid in [
            "",
            "as.example.com",
            "8E9DE0A5-0B1D-4D4C-A8E8-0D29C5E0C2B5",
            "8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b",
        ] {
            assert_eq!(
                AuthorizationServer::new(uuid).unwrap_err(),
                IssueError::Issuer
            );
        }
    }

    #[test]
    fn it_issues_the_other_forms_too() {
        let server = server();
        for form in [Form::Jwt, Form::Nested] {
            let issued = server
                .issue_access_for(form, "sip:example.com", "rado", CLIENT, &[SCOPE], now())
                .unwrap();
            let policy = Policy::rfc9068(UUID, "sip:example.com")
                .forms([form])
                .algorithms([Algorithm::Rs256]);
            let token = Verifier::new(server.key_set(), policy)
                .verify(issued.token.expose(), now())
                .unwrap();
            assert_eq!((token.form(), token.user()), (form, "rado"));
        }
    }
}

mod verdict_cache {
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
}

mod published_samples {
    use super::*;

    /// The sample of this name, or `None` with a line that says so.
    fn sample(name: &str) -> Option<String> {
        let corpus = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
            PathBuf::from,
        );
        let folder = corpus.join("../wire");
        if !folder.is_dir() {
            println!("skipped {name}: no folder {}", folder.display());
            return None;
        }
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        Some(text.trim_end().to_owned())
    }

    const ISSUER_OF_2017: &str = "8d0d5324-f4f0-4b0b-811e-4a59fdb6b722";

    #[test]
    fn the_access_token_opens_as_far_as_its_keys_allow() {
        let Some(text) = sample("30-cucm-access-token.public-sample-2017.txt") else {
            return;
        };
        let seen = inspect(&text).unwrap();
        assert_eq!((seen.kind(), seen.bytes()), (Kind::UnifiedCmAccess, 1999));
        let signed = seen.signed().unwrap();
        assert_eq!(signed.key_id().unwrap().issuer_uuid(), Some(ISSUER_OF_2017));
        assert_eq!(signed.signature_bytes(), 256);
        let encrypted = seen.encrypted().unwrap();
        assert_eq!(
            encrypted.key_id().unwrap().issuer_uuid(),
            Some(ISSUER_OF_2017)
        );
        assert_ne!(encrypted.key_id(), signed.key_id());
        assert_eq!(
            [
                encrypted.encrypted_key_bytes(),
                encrypted.iv_bytes(),
                encrypted.ciphertext_bytes(),
                encrypted.tag_bytes()
            ],
            [0, 16, 624, 16]
        );
        let refused = verify_with(Policy::unified_cm(ISSUER_OF_2017), &text).unwrap_err();
        assert_eq!(refused.unknown_key(), signed.key_id().as_ref());
    }

    #[test]
    fn the_refresh_token_is_readable_and_expired() {
        let Some(text) = sample("31-cucm-refresh-token.public-sample-2017.txt") else {
            return;
        };
        let seen = inspect(&text).unwrap();
        assert_eq!((seen.kind(), seen.bytes()), (Kind::UnifiedCmRefresh, 811));
        assert_eq!(seen.claim("iss").as_deref(), Some(ISSUER_OF_2017));
        assert_eq!(seen.claim("ctyp").as_deref(), Some("refresh"));
        assert_eq!(seen.expires_at(), Some(at(1_502_620_052)));
        assert_eq!(seen.is_expired(now()), Some(true));
        let verifier = Verifier::new(common::keys(), Policy::unified_cm(ISSUER_OF_2017));
        assert!(
            verifier
                .verify_refresh(&text, now())
                .unwrap_err()
                .unknown_key()
                .is_some()
        );
        assert!(
            verifier
                .verify(&text, now())
                .unwrap_err()
                .unknown_key()
                .is_some()
        );
    }
}
