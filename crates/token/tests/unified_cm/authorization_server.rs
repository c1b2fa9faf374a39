//! What the server issues and takes back: its forms, timers and keys.

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
    let key = EncryptionKey::from_hex(ContentEncryption::A128CbcHs256, &format!("{}\n", *key_file))
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
    let day = 24 * 3600;
    let defaults = [
        AccessTokenExpiryTimer::default().duration(),
        RefreshTokenExpiryTimer::default().duration(),
    ];
    assert_eq!(defaults.map(|time| time.as_secs()), [3600, 60 * day]);
    let mut server = server();
    let issued = server.issue_access("rado", CLIENT, &[], now()).unwrap();
    assert_eq!(issued.expires_in.as_secs(), 3600);
    let (refresh, _) = server.issue_refresh("rado", CLIENT, &[], now()).unwrap();
    let ends = inspect(refresh.expose()).unwrap().expires_at();
    assert_eq!(ends, Some(at(NOW + 60 * day)));
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
