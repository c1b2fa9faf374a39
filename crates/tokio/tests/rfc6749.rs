//! Access tokens by a refresh token, RFC 6749 section 6.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sip_oauth_registration::client::{Event, TokenReason};
use sip_oauth_token::RefreshToken;
use sip_oauth_tokio::{
    Connector, RefreshGrant, RegistrationClient, TokenRequest, TokenSource, TokenUnavailable,
};
use support::{
    BOTH, Estate, at_node, client_tls, device_at,
    http::{HttpServer, respond},
    names, quick, registration, server_tls, soon,
};

const SERVER: &str = "as.example.com";

/// A token endpoint that answers with these statuses and bodies, the last one again and again.
async fn endpoint(estate: &Estate, answers: Vec<(u16, String)>) -> HttpServer {
    let authority = &estate.authority;
    let tls = server_tls(authority.issue(SERVER), authority.store("trust"), "", BOTH);
    let answers = Mutex::new(answers);
    HttpServer::start(Some(tls.oauth()), move |_| {
        let mut answers = answers.lock().unwrap();
        let (status, body) = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        respond(status, body)
    })
    .await
}

fn grant(estate: &Estate, server: &HttpServer) -> RefreshGrant {
    let tls = client_tls(estate.authority.store("trust"), None, BOTH);
    let connector = Connector::new()
        .with_resolver(names())
        .with_tls(tls)
        .with_timeouts(quick());
    let url = format!("https://{SERVER}:{}/token", server.address.port());
    let refresh = RefreshToken::parse("first-refresh").unwrap();
    RefreshGrant::new(connector, &url, "C0ffee", refresh).unwrap()
}

async fn refused(status: u16, body: &str) -> TokenUnavailable {
    let estate = Estate::new();
    let server = endpoint(&estate, vec![(status, body.to_owned())]).await;
    let grant = grant(&estate, &server);
    let request = TokenRequest::new(TokenReason::Challenged, None);
    soon(grant.token(&request)).await.unwrap_err()
}

mod section_5_1 {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_request_is_a_form_and_the_answer_registers_the_device() {
        let estate = Estate::new();
        let node = estate.serve().await;
        let token = estate.token();
        let body = format!(
            r#"{{"access_token":"{}","token_type":"bearer","expires_in":3600}}"#,
            token.token.expose()
        );
        let server = endpoint(&estate, vec![(200, body)]).await;
        let tokens = Arc::new(grant(&estate, &server));
        let (_handle, mut events) =
            RegistrationClient::new(device_at(vec![at_node(&node)]), estate.connector(), tokens)
                .start();
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        let seen = server.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            seen[0].body,
            "grant_type=refresh_token&refresh_token=first-refresh&client_id=C0ffee"
        );
        assert_eq!(
            seen[0].headers["content-type"],
            "application/x-www-form-urlencoded"
        );
    }

    #[tokio::test]
    async fn a_new_refresh_token_replaces_the_old_one() {
        let estate = Estate::new();
        let rotating = r#"{"access_token":"abc","token_type":"Bearer","expires_in":"60","refresh_token":"second-refresh"}"#;
        let server = endpoint(&estate, vec![(200, rotating.to_owned())]).await;
        let stored = Arc::new(Mutex::new(Vec::new()));
        let store = Arc::clone(&stored);
        let grant = grant(&estate, &server).on_new_refresh_token(move |token| {
            store.lock().unwrap().push(token.expose().to_owned());
        });
        let request = TokenRequest::new(TokenReason::Renewal, None);
        for _ in 0..2 {
            let obtained = soon(grant.token(&request)).await.unwrap();
            assert_eq!(obtained.expires_in, Some(Duration::from_secs(60)));
        }
        assert!(
            server.seen()[1]
                .body
                .contains("refresh_token=second-refresh")
        );
        assert_eq!(*stored.lock().unwrap(), ["second-refresh"]);
    }

    /// Appendix A.17: `refresh-token = 1*VSCHAR`, which is more than an access token in SIP may have.
    #[tokio::test]
    async fn a_refresh_token_is_any_printable_text() {
        let estate = Estate::new();
        let rotating = r#"{"access_token":"abc","token_type":"Bearer","refresh_token":"1!a|b c"}"#;
        let server = endpoint(&estate, vec![(200, rotating.to_owned())]).await;
        let grant = grant(&estate, &server);
        let request = TokenRequest::new(TokenReason::Renewal, None);
        for _ in 0..2 {
            soon(grant.token(&request)).await.unwrap();
        }
        let body = &server.seen()[1].body;
        assert!(body.contains("refresh_token=1%21a%7Cb+c&"), "{body}");
    }

    /// The server has done its part, and may have ended what came before: the access token is not thrown away.
    #[tokio::test]
    async fn a_refresh_token_that_is_none_costs_no_access_token() {
        let estate = Estate::new();
        let long = "a".repeat(20_000);
        let strings = ["", "caf\u{e9}", "a\\nb", &long].map(|text| format!("\"{text}\""));
        let others = [
            "17",
            "true",
            "[]",
            r#"{"a":"b"}"#,
            r#""a","refresh_token":"b""#,
        ];
        let answers = strings.into_iter().chain(others.map(str::to_owned));
        let answers: Vec<(u16, String)> = answers
            .map(|refresh| {
                let body = format!(
                    r#"{{"access_token":"abc","token_type":"Bearer","refresh_token":{refresh}}}"#
                );
                (200, body)
            })
            .collect();
        let asked = answers.len();
        let server = endpoint(&estate, answers).await;
        let grant = grant(&estate, &server).on_new_refresh_token(|_| panic!("there is none"));
        let request = TokenRequest::new(TokenReason::Renewal, None);
        for _ in 0..asked {
            let obtained = soon(grant.token(&request)).await.unwrap();
            assert_eq!(obtained.token.expose(), "abc");
        }
        for seen in server.seen() {
            assert!(seen.body.contains("refresh_token=first-refresh&"), "kept");
        }
    }

    #[tokio::test]
    async fn an_answer_without_what_is_required_is_refused() {
        for (body, words) in [
            ("not json", "not JSON"),
            (r#"{"access_token":"abc"}"#, "token_type"),
            (r#"{"token_type":"Bearer"}"#, "no access_token"),
            (
                r#"{"access_token":"a b","token_type":"Bearer"}"#,
                "access_token: ",
            ),
            (r#"{"access_token":"abc","token_type":"mac"}"#, "token_type"),
            (
                r#"{"access_token":4242,"token_type":"Bearer"}"#,
                "access_token: expected a string, found a number",
            ),
            (
                r#"{"access_token":"abc","token_type":["Bearer"]}"#,
                "token_type: expected a string, found an array",
            ),
            (r#"["4242","Bearer"]"#, "not a JSON object"),
        ] {
            let error = refused(200, body).await.to_string();
            assert!(error.contains(words), "{body}: {error}");
            assert!(!error.contains("4242"), "{error}");
        }
    }

    /// What the access token does not need is left out, whatever stands in its place.
    #[tokio::test]
    async fn a_member_of_a_wrong_type_costs_no_access_token_that_is_good_without_it() {
        let estate = Estate::new();
        for (member, expires_in) in [
            (r#""expires_in":"60""#, Some(60)),
            (r#""expires_in":60.5"#, None),
            (r#""expires_in":{"seconds":60}"#, None),
            (r#""expires_in":null"#, None),
            (r#""expires_in":60,"scope":17"#, Some(60)),
            (r#""expires_in":60,"id":{"a":[1,null]}"#, Some(60)),
        ] {
            let body = format!(r#"{{"access_token":"abc","token_type":"Bearer",{member}}}"#);
            let server = endpoint(&estate, vec![(200, body)]).await;
            let request = TokenRequest::new(TokenReason::Renewal, None);
            let grant = grant(&estate, &server);
            let obtained = soon(grant.token(&request)).await.unwrap();
            assert_eq!(obtained.token.expose(), "abc");
            let expires_in = expires_in.map(Duration::from_secs);
            assert_eq!(obtained.expires_in, expires_in, "{member}");
        }
    }
}

mod section_6 {
    use super::*;

    /// "The authorization server MAY issue a new refresh token, in which case the client MUST discard the old refresh token
    /// and replace it with the new". Whoever asks and goes away, as a client that is stopped, must not lose it.
    #[tokio::test]
    async fn a_new_refresh_token_is_stored_though_the_one_who_asked_is_gone() {
        let estate = Estate::new();
        let rotating =
            r#"{"access_token":"abc","token_type":"Bearer","refresh_token":"second-refresh"}"#;
        let server = endpoint(&estate, vec![(200, rotating.to_owned())]).await;
        let (store, mut stored) = tokio::sync::mpsc::unbounded_channel();
        let grant = grant(&estate, &server).on_new_refresh_token(move |token| {
            store.send(token.expose().to_owned()).unwrap();
        });
        let request = TokenRequest::new(TokenReason::Renewal, None);
        tokio::select! {
            biased;
            _ = grant.token(&request) => panic!("answered before it was sent"),
            () = std::future::ready(()) => {}
        }
        let next = soon(stored.recv()).await;
        assert_eq!(next.as_deref(), Some("second-refresh"));
        soon(grant.token(&request)).await.unwrap();
        let seen = server.seen();
        assert_eq!(seen.len(), 2);
        assert!(seen[1].body.contains("refresh_token=second-refresh"));
    }
}

mod section_5_2 {
    use super::*;

    #[tokio::test]
    async fn errors_say_what_to_do_and_never_repeat_a_token() {
        for (status, body, words) in [
            (400, r#"{"error":"invalid_grant"}"#, "sign in again"),
            (401, r#"{"error":"invalid_client"}"#, "check client_id"),
            (400, r#"{"error":"invalid_request"}"#, "invalid_request"),
            (500, "<html/>", "status 500"),
            (
                400,
                r#"{"error":17}"#,
                "status 400 and error: expected a string, found a number",
            ),
            // Not by the standard, but some servers refuse so.
            (200, r#"{"error":"invalid_grant"}"#, "sign in again"),
        ] {
            let error = refused(status, body).await;
            let text = format!("{error} {error:?}");
            assert!(text.contains(words), "{text}");
            assert!(!text.contains("first-refresh"), "{text}");
        }
    }
}

mod recovery {
    use sip_oauth_tokio::{ClientEvent, RenewingToken};

    use super::*;

    /// An authorization server that is down for a while costs a client time, not its registration.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_waits_for_a_token_asks_again_when_the_source_says_so() {
        let estate = Estate::new();
        let node = estate.serve().await;
        let good = format!(
            r#"{{"access_token":"{}","token_type":"Bearer","expires_in":3600}}"#,
            estate.token().token.expose()
        );
        let down = || (503, String::new());
        let server = endpoint(&estate, vec![down(), down(), (200, good)]).await;
        let tokens = RenewingToken::new(grant(&estate, &server), estate.clock.clone()).jitter(0);
        let (_handle, mut events) = RegistrationClient::new(
            device_at(vec![at_node(&node)]),
            estate.connector(),
            Arc::new(tokens),
        )
        .start();
        for wait in [5, 10] {
            loop {
                match soon(events.recv()).await {
                    Some(ClientEvent::TokenUnavailable(sentence)) => {
                        assert!(sentence.contains("status 503"), "{sentence}");
                        break;
                    }
                    Some(_) => {}
                    None => panic!("the client ended"),
                }
            }
            estate.clock.advance(Duration::from_secs(wait));
        }
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        assert_eq!(server.seen().len(), 3);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refusal_for_good_ends_the_attempt() {
        let estate = Estate::new();
        let node = estate.serve().await;
        let revoked = (400, r#"{"error":"invalid_grant"}"#.to_owned());
        let server = endpoint(&estate, vec![revoked]).await;
        let tokens = RenewingToken::new(grant(&estate, &server), estate.clock.clone()).jitter(0);
        let (_handle, mut events) = RegistrationClient::new(
            device_at(vec![at_node(&node)]),
            estate.connector(),
            Arc::new(tokens),
        )
        .start();
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Refused(_)), "{event:?}");
        assert_eq!(server.seen().len(), 1);
    }
}
