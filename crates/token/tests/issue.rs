//! The authorization server's side: what it issues is what the verifier takes, and what it says of it afterwards.

#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sip_oauth_token::issue::{
    AccessTokenExpiryTimer, AuthorizationServer, IssueError, Recipient, RefreshTokenExpiryTimer,
};
use sip_oauth_token::{
    ContentEncryption, DecryptionKey, EncryptionKey, Form, KeyManagement, KeySet, KeySetBuilder,
    Policy, TokenErrorKind, Verifier,
};

const UUID: &str = "8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5";
const AUDIENCE: &str = "sip:example.com";
const CLIENT: &str = "C0ffee";
const SCOPE: &str = "UnifiedCommunications:readwrite";
const FORMS: [Form; 4] = [Form::UnifiedCm, Form::Jwt, Form::Nested, Form::Opaque];

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn server() -> AuthorizationServer {
    AuthorizationServer::new(UUID).unwrap()
}

fn issue(server: &AuthorizationServer, form: Form, user: &str, client: &str) -> String {
    let issued = server
        .issue_access_for(form, AUDIENCE, user, client, &[SCOPE], at(0))
        .unwrap();
    issued.token.expose().to_owned()
}

fn is_active(server: &AuthorizationServer, token: &str, now: SystemTime) -> bool {
    let said: Value = serde_json::from_str(&server.introspect(token, now)).unwrap();
    said["active"].as_bool().unwrap()
}

mod rfc7517_section_5 {
    use super::*;

    #[test]
    fn the_published_set_verifies_what_the_server_signs_and_nothing_of_another_server() {
        let (server, other) = (server(), server());
        let keys = KeySet::builder()
            .jwk_set(&server.jwk_set())
            .unwrap()
            .build();
        let ids: Vec<_> = keys.key_ids().cloned().collect();
        assert_eq!(ids, [server.signing_key_id().clone()]);
        let verifier = Verifier::new(keys, Policy::rfc9068(UUID, AUDIENCE));
        let token = issue(&server, Form::Jwt, "rado", CLIENT);
        assert_eq!(verifier.verify(&token, at(1)).unwrap().user(), "rado");
        let foreign = issue(&other, Form::Jwt, "rado", CLIENT);
        let refused = verifier.verify(&foreign, at(1)).unwrap_err();
        assert_eq!(refused.unknown_key(), Some(other.signing_key_id()));
    }

    #[test]
    fn it_holds_public_members_only() {
        let set: Value = serde_json::from_str(&server().jwk_set()).unwrap();
        let mut members: Vec<_> = set["keys"][0].as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        // RFC 7518 section 6.3.1.2: AQAB, without a byte more.
        assert_eq!(set["keys"][0]["e"], "AQAB");
        assert_eq!(set["keys"][0]["n"].as_str().unwrap().len(), 342);
    }
}

mod rfc7662_section_2_2 {
    use super::*;

    #[test]
    fn every_form_is_known_until_it_expires() {
        let server = server();
        for form in FORMS {
            let token = issue(&server, form, "rado", CLIENT);
            let said: Value = serde_json::from_str(&server.introspect(&token, at(3599))).unwrap();
            assert_eq!(said["active"], true, "{form}");
            assert_eq!(
                (&said["sub"], &said["client_id"]),
                (&"rado".into(), &CLIENT.into())
            );
            assert_eq!(
                (&said["scope"], &said["token_type"]),
                (&SCOPE.into(), &"Bearer".into())
            );
            assert_eq!(said["exp"], 1_700_003_600_u64);
            assert_eq!(said.get("aud").is_some(), form != Form::UnifiedCm, "{form}");
            assert!(!is_active(&server, &token, at(3600)), "{form}");
        }
    }

    #[test]
    fn the_verifier_takes_what_it_says_of_an_opaque_token() {
        let server = server();
        let token = issue(&server, Form::Opaque, "rado", CLIENT);
        let verifier = Verifier::new(
            KeySet::builder().build(),
            Policy::introspection(UUID, AUDIENCE),
        );
        let said = server.introspect(&token, at(5));
        let accepted = verifier
            .introspected(&token, said.as_bytes(), at(5))
            .unwrap();
        assert_eq!((accepted.user(), accepted.form()), ("rado", Form::Opaque));
        let said = server.introspect(&token, at(3600));
        assert_eq!(said, r#"{"active":false}"#, "nothing more is told");
        assert!(
            verifier
                .introspected(&token, said.as_bytes(), at(3600))
                .is_err()
        );
    }

    #[test]
    fn what_it_did_not_issue_and_refresh_tokens_are_inactive() {
        let mut server = server();
        let (refresh, _) = server
            .issue_refresh("rado", CLIENT, &[SCOPE], at(0))
            .unwrap();
        let foreign = issue(&super::server(), Form::UnifiedCm, "rado", CLIENT);
        for token in [refresh.expose(), &foreign, "", "x", &"a".repeat(100_000)] {
            assert!(!is_active(&server, token, at(0)));
        }
    }
}

mod revocation {
    use super::*;

    #[test]
    fn of_a_user_or_of_one_client_ends_those_tokens_and_no_others() {
        let mut server = server();
        let mut tokens = Vec::new();
        for (user, client) in [("rado", "C1"), ("rado", "C2"), ("ana", "C1")] {
            let (refresh, _) = server.issue_refresh(user, client, &[SCOPE], at(0)).unwrap();
            for form in FORMS {
                tokens.push((user, client, issue(&server, form, user, client)));
            }
            tokens.push((
                user,
                client,
                server
                    .refresh(&refresh, client, at(0))
                    .unwrap()
                    .token
                    .expose()
                    .to_owned(),
            ));
        }
        let left = |server: &AuthorizationServer| {
            let mut left: Vec<_> = tokens
                .iter()
                .filter(|(_, _, token)| is_active(server, token, at(1)))
                .map(|(user, client, _)| (*user, *client))
                .collect();
            left.dedup();
            left
        };
        assert_eq!(server.revoke("rado", Some("C1")).len(), 1);
        assert_eq!(left(&server), [("rado", "C2"), ("ana", "C1")]);
        assert_eq!(server.revoke("rado", None).len(), 1);
        assert_eq!(left(&server), [("ana", "C1")]);
        assert!(server.revoke("nobody", None).is_empty());
    }

    #[test]
    fn of_one_token_is_done_once() {
        let mut server = server();
        let (refresh, _) = server
            .issue_refresh("rado", CLIENT, &[SCOPE], at(0))
            .unwrap();
        let access = server.refresh(&refresh, CLIENT, at(0)).unwrap().token;
        assert!(server.revoke_access_token(&access));
        assert!(!is_active(&server, access.expose(), at(0)));
        assert!(!server.revoke_access_token(&access));
        assert!(server.revoke_refresh_token(&refresh, at(0)));
        assert!(!server.revoke_refresh_token(&refresh, at(0)));
        let refused = server.refresh(&refresh, CLIENT, at(0)).unwrap_err();
        assert_eq!(refused, IssueError::Revoked);
    }

    /// "invalidates all tokens" (`set key regen authz`), "revokes every issued token" (the refresh timer).
    #[test]
    fn new_keys_and_another_refresh_timer_end_every_token() {
        let changes: [fn(&mut AuthorizationServer); 3] = [
            |server| server.regenerate_signing_key().unwrap(),
            |server| server.regenerate_encryption_key().unwrap(),
            |server| {
                server.set_refresh_token_expiry_timer(
                    RefreshTokenExpiryTimer::from_days(30).unwrap(),
                );
            },
        ];
        for change in changes {
            let mut server = server();
            let (refresh, _) = server
                .issue_refresh("rado", CLIENT, &[SCOPE], at(0))
                .unwrap();
            let tokens = FORMS.map(|form| issue(&server, form, "rado", CLIENT));
            change(&mut server);
            assert!(server.refresh(&refresh, CLIENT, at(1)).is_err());
            for token in &tokens {
                assert!(!is_active(&server, token, at(1)));
            }
        }
    }
}

#[test]
fn a_refresh_token_ends_to_the_second() {
    let mut server = server();
    let (refresh, life) = server
        .issue_refresh("rado", CLIENT, &[SCOPE], at(0))
        .unwrap();
    assert_eq!(life, Duration::from_secs(60 * 86_400));
    assert!(
        server
            .refresh(&refresh, CLIENT, at(60 * 86_400 - 1))
            .is_ok()
    );
    let refused = server
        .refresh(&refresh, CLIENT, at(60 * 86_400))
        .unwrap_err();
    assert_eq!(refused.error_code(), "invalid_grant");
}

#[test]
fn the_access_timer_goes_for_every_form() {
    let mut server = server();
    server.set_access_token_expiry_timer(AccessTokenExpiryTimer::from_minutes(1).unwrap());
    for form in FORMS {
        let token = issue(&server, form, "rado", CLIENT);
        assert!(
            is_active(&server, &token, at(59)) && !is_active(&server, &token, at(60)),
            "{form}"
        );
    }
}

#[test]
fn rfc6749_section_6_a_refresh_may_ask_for_less_and_never_for_more() {
    let mut server = server();
    let (refresh, _) = server
        .issue_refresh("rado", CLIENT, &["a", "b"], at(0))
        .unwrap();
    let ask = |scopes: Option<&[&str]>| server.refresh_for(&refresh, CLIENT, scopes, at(1));
    assert_eq!(ask(None).unwrap().1, ["a", "b"]);
    let (issued, scopes) = ask(Some(&["b"])).unwrap();
    assert_eq!(scopes, ["b"]);
    let verifier = Verifier::new(server.key_set(), server.policy());
    let taken = verifier.verify(issued.token.expose(), at(1)).unwrap();
    assert_eq!(taken.scopes(), ["b"]);
    let refused = ask(Some(&["b", "c"])).unwrap_err();
    assert_eq!(refused.error_code(), "invalid_scope");
}

mod rfc7519_appendix_a_2 {
    use super::*;

    const CONTENT: [ContentEncryption; 4] = [
        ContentEncryption::A128CbcHs256,
        ContentEncryption::A256CbcHs512,
        ContentEncryption::A128Gcm,
        ContentEncryption::A256Gcm,
    ];
    const KID: &str = "recipient";

    /// Encrypted for this recipient, judged with the keys that `add` adds.
    fn judged(
        recipient: &Recipient,
        add: impl FnOnce(KeySetBuilder) -> KeySetBuilder,
    ) -> Result<String, TokenErrorKind> {
        let server = server();
        let issued = server
            .issue_nested(recipient, AUDIENCE, "rado", CLIENT, &[SCOPE], at(0))
            .unwrap();
        let keys = KeySet::builder().jwk_set(&server.jwk_set()).unwrap();
        let policy = Policy::rfc9068(UUID, AUDIENCE).forms([Form::Nested]);
        Verifier::new(add(keys).build(), policy)
            .verify(issued.token.expose(), at(1))
            .map(|token| token.user().to_owned())
            .map_err(|error| error.kind().clone())
    }

    #[test]
    fn dir_opens_with_the_shared_key_only() {
        for content in CONTENT {
            let key = |byte| EncryptionKey::new(content, &vec![byte; content.key_bytes()]).unwrap();
            let recipient = Recipient::direct(KID, key(1)).unwrap();
            let with = |key| judged(&recipient, |keys| keys.encryption_key(KID, key).unwrap());
            assert_eq!(with(key(1)), Ok("rado".to_owned()), "{content}");
            assert_eq!(with(key(2)), Err(TokenErrorKind::Decryption), "{content}");
        }
    }

    #[test]
    fn a128kw_and_a256kw_open_with_the_shared_key_only() {
        for (algorithm, len) in [(KeyManagement::A128Kw, 16), (KeyManagement::A256Kw, 32)] {
            for content in CONTENT {
                let recipient = Recipient::aes_key_wrap(KID, &vec![1; len], content).unwrap();
                let with = |byte| {
                    let key = DecryptionKey::key_wrap(algorithm, &vec![byte; len]).unwrap();
                    judged(&recipient, |keys| keys.decryption_key(KID, key).unwrap())
                };
                assert_eq!(with(1), Ok("rado".to_owned()), "{algorithm} {content}");
                assert_eq!(
                    with(2),
                    Err(TokenErrorKind::Decryption),
                    "{algorithm} {content}"
                );
            }
        }
        assert!(Recipient::aes_key_wrap(KID, &[0; 24], ContentEncryption::A128Gcm).is_err());
    }

    #[test]
    fn rsa_oaep_256_opens_with_the_private_half_only() {
        let pair = || {
            let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
            let public: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
            let der: Pkcs8V1Der<'_> = private.as_der().unwrap();
            let pem = format!(
                "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                STANDARD.encode(der.as_ref())
            );
            (
                public.as_ref().to_vec(),
                DecryptionKey::rsa_oaep_256(&pem).unwrap(),
            )
        };
        let ((spki, private), (_, other)) = (pair(), pair());
        for content in CONTENT {
            let recipient = Recipient::rsa_oaep_256(KID, &spki, content).unwrap();
            let with = |key: &DecryptionKey| {
                judged(&recipient, |keys| {
                    keys.decryption_key(KID, key.clone()).unwrap()
                })
            };
            assert_eq!(with(&private), Ok("rado".to_owned()), "{content}");
            assert_eq!(with(&other), Err(TokenErrorKind::Decryption), "{content}");
        }
        assert!(Recipient::rsa_oaep_256(KID, b"no key", ContentEncryption::A128Gcm).is_err());
    }

    #[test]
    fn a_recipient_prints_no_key() {
        let recipient = Recipient::aes_key_wrap(KID, &[7; 32], ContentEncryption::A256Gcm).unwrap();
        let shown = format!("{recipient:?}");
        assert_eq!(shown, r#"Recipient("recipient", A256KW, A256GCM)"#);
    }
}
