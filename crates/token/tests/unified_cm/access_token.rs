//! A JWS around a JWE around claims.

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
