//! RFC 8898: challenges that name an authorization server, tokens as token68.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use std::sync::Arc;

use sip_oauth_message::header::Authorization;
use sip_oauth_message::{BearerForm, Credentials, Limits, MessageView};
use sip_oauth_registration::Refusal;
use sip_oauth_registration::client::{
    ClientConfig, ClientState, Event, GaveUp, Line, Target, TokenReason, Transport,
};
use sip_oauth_registration::registrar::{
    Arrival, Listener, RegistrarConfig, RegistrarDialect, TokenVerdict,
};
use sip_oauth_token::{KeySet, Policy, Verifier};
use support::{Pair, Path, ask, device, local, registrar_with, response, token_of, verifier, wall};

const DOMAIN: &str = "example.com";
const SERVER: &str = "https://as.example.com";

fn registrar_config() -> RegistrarConfig {
    RegistrarConfig::rfc8898(DOMAIN, SERVER)
}

fn pair_trusting(servers: &[&str], config: RegistrarConfig) -> Pair {
    let client = ClientConfig::rfc8898(
        device(),
        Line::new("alice", "alice"),
        vec![Target::new(DOMAIN, 5061, Transport::Tls)],
        servers.iter().map(|&server| server.to_owned()).collect(),
    );
    let mut pair = Pair::with(
        client,
        registrar_with(config),
        Path::Direct(Listener::SipOAuth),
    );
    pair.tokens = vec![token_of("alice", wall())];
    pair
}

mod section_2_1_1 {
    use super::*;

    #[test]
    fn token_sent_when_authz_server_is_trusted() {
        let mut pair = pair_trusting(&[SERVER], registrar_config());
        pair.start();
        assert_eq!(pair.statuses(), [401, 200]);
        let challenge = pair.answer(0);
        assert_eq!(
            challenge.headers.get("WWW-Authenticate"),
            Some("Bearer realm=\"example.com\", authz_server=\"https://as.example.com\"")
        );
        let view = MessageView::parse(&pair.sent[1], &Limits::default()).unwrap();
        let sent: Authorization<'_> = view.required().unwrap();
        let Credentials::Bearer(bearer) = sent.credentials() else {
            panic!("not Bearer")
        };
        assert_eq!(bearer.form(), BearerForm::Token68);
        assert!(!pair.request(1).headers.contains("Proxy-Authorization"));
        assert!(
            !pair.request(1).headers.contains("Reason"),
            "nothing of Cisco's"
        );
        assert!(pair.request(1).body.is_empty());
        assert!(matches!(
            &pair.events[1],
            Event::TokenNeeded { challenge: Some(challenge), .. }
                if challenge.authorization_server.as_deref() == Some(SERVER)
        ));
    }

    #[test]
    fn no_token_sent_when_authz_server_is_not_trusted() {
        let mut pair = pair_trusting(&["https://other.example.com"], registrar_config());
        let token = pair.tokens.remove(0);
        pair.client.provide_token(token, None, pair.now()).unwrap();
        pair.start();
        assert_eq!(pair.statuses(), [401]);
        assert_eq!(pair.client.state(), ClientState::Refused);
        assert!(matches!(
            pair.events.last(),
            Some(Event::Refused(refused))
                if refused.gave_up == Some(GaveUp::UntrustedAuthorizationServer(SERVER.to_owned()))
        ));
    }

    /// Nor later: a renewal asks for what was asked for last, but not by whom nobody trusts.
    #[test]
    fn no_token_is_renewed_for_an_authz_server_that_is_not_trusted() {
        let mut pair = pair_trusting(&["https://other.example.com"], registrar_config());
        let token = pair.tokens.remove(0);
        let life = std::time::Duration::from_secs(3600);
        let start = pair.now();
        pair.client.provide_token(token, Some(life), start).unwrap();
        pair.start();
        assert_eq!(pair.client.state(), ClientState::Refused);
        pair.client.start(start + life * 74 / 100);
        pair.client.handle_timeout(start + life * 75 / 100);
        let renewal =
            std::iter::from_fn(|| pair.client.poll_event()).find_map(|event| match event {
                Event::TokenNeeded { reason, challenge } => Some((reason, challenge)),
                _ => None,
            });
        assert_eq!(renewal, Some((TokenReason::Renewal, None)));
    }

    #[test]
    fn scope_of_the_challenge_is_what_to_ask_for() {
        let mut config = registrar_config();
        let RegistrarDialect::Rfc8898 { scope, .. } = &mut config.dialect else {
            panic!("dialect")
        };
        *scope = Some("UnifiedCommunications:readwrite".to_owned());
        let mut pair = pair_trusting(&[SERVER], config);
        pair.start();
        assert_eq!(pair.statuses(), [401, 200]);
        assert!(matches!(
            &pair.events[1],
            Event::TokenNeeded { challenge: Some(challenge), .. }
                if challenge.scope.as_deref() == Some("UnifiedCommunications:readwrite")
        ));
    }
}

mod section_2_1_3 {
    use super::*;

    #[test]
    fn rejected_again_leads_to_a_new_token() {
        let mut pair = pair_trusting(&[SERVER], registrar_config());
        pair.tokens.insert(
            0,
            token_of("alice", wall() - std::time::Duration::from_secs(86400)),
        );
        pair.start();
        assert_eq!(pair.statuses(), [401, 401, 200]);
        let reasons: Vec<_> = pair
            .events
            .iter()
            .filter_map(|event| match event {
                Event::TokenNeeded { reason, challenge } => Some((
                    *reason,
                    challenge
                        .as_ref()
                        .and_then(|challenge| challenge.error.clone()),
                )),
                _ => None,
            })
            .collect();
        assert_eq!(
            reasons,
            [
                (TokenReason::Challenged, None),
                (TokenReason::Rejected, Some("invalid_token".to_owned()))
            ]
        );
    }
}

mod section_2_2 {
    use super::*;

    fn register(token: &str) -> String {
        format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\nVia: SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK1\n\
             From: <sip:alice@{DOMAIN}>;tag=1\nTo: <sip:alice@{DOMAIN}>\nCall-ID: 1\nMax-Forwards: 70\n\
             CSeq: 1 REGISTER\nContact: <sip:alice@192.0.2.10>\n{token}Content-Length: 0\n\n"
        )
    }

    #[test]
    fn a_scope_not_granted_is_named() {
        let mut config = registrar_config();
        let RegistrarDialect::Rfc8898 { scope, .. } = &mut config.dialect else {
            panic!("dialect")
        };
        *scope = Some("sip:register".to_owned());
        let token = format!(
            "Authorization: Bearer {}\n",
            token_of("alice", wall()).expose()
        );
        let arrival = Arrival::new(Listener::SipOAuth, 5061, local());
        let answer = ask(&registrar_with(config), &arrival, &register(&token));
        assert!(matches!(
            answer.observation.token,
            TokenVerdict::InsufficientScope { .. }
        ));
        let response = response(answer);
        assert_eq!(response.status.as_u16(), 401);
        let challenge = response.headers.get("WWW-Authenticate").unwrap();
        assert!(
            challenge.ends_with("scope=\"sip:register\", error=\"invalid_scope\""),
            "{challenge}"
        );
    }

    /// A token that came with its verdict is not judged again, and no other token is let in by it.
    #[test]
    fn a_verdict_is_that_of_its_own_token() {
        let [asked_about, other] = ["alice", "alice"].map(|user| token_of(user, wall()));
        let judged = verifier().verify(asked_about.expose(), wall()).unwrap();
        let registrar = registrar_with(registrar_config());
        let policy = Policy::introspection("https://as.example.com", "sip:example.com");
        registrar.set_verifier(Arc::new(Verifier::new(KeySet::builder().build(), policy)));
        let arrival = Arrival::new(Listener::SipOAuth, 5061, local());
        let with_verdict = arrival
            .clone()
            .with_judged_token(asked_about.clone(), judged);
        for (arrival, token, status) in [
            (&arrival, &asked_about, 503),
            (&with_verdict, &asked_about, 200),
            (&with_verdict, &other, 503),
        ] {
            let token = format!("Authorization: Bearer {}\n", token.expose());
            let answer = ask(&registrar, arrival, &register(&token));
            assert_eq!(response(answer).status.as_u16(), status);
        }
    }

    #[test]
    fn a_token_speaks_for_its_own_user_only() {
        for user in ["alice", "alice@example.com", "sip:alice@example.com"] {
            let token = format!(
                "Authorization: Bearer {}\n",
                token_of(user, wall()).expose()
            );
            let arrival = Arrival::new(Listener::SipOAuth, 5061, local());
            let answer = ask(
                &registrar_with(registrar_config()),
                &arrival,
                &register(&token),
            );
            assert_eq!(response(answer).status.as_u16(), 200, "{user}");
        }
        let token = format!(
            "Authorization: Bearer {}\n",
            token_of("bob", wall()).expose()
        );
        let arrival = Arrival::new(Listener::SipOAuth, 5061, local());
        let answer = ask(
            &registrar_with(registrar_config()),
            &arrival,
            &register(&token),
        );
        assert_eq!(
            answer.observation.refusal(),
            Some(Refusal::TokenOfAnotherUser)
        );
    }

    #[test]
    fn of_several_domains_a_user_must_name_his_own() {
        let mut config = registrar_config();
        let RegistrarDialect::Rfc8898 { domains, .. } = &mut config.dialect else {
            panic!("dialect")
        };
        domains.push("example.org".to_owned());
        let registrar = registrar_with(config);
        for (user, expected) in [
            ("alice", 401),
            ("alice@example.org", 401),
            ("alice@EXAMPLE.com", 200),
        ] {
            let token = token_of(user, wall());
            let credentials = format!("Authorization: Bearer {}\n", token.expose());
            let arrival = Arrival::new(Listener::SipOAuth, 5061, local());
            let answer = ask(&registrar, &arrival, &register(&credentials));
            assert_eq!(response(answer).status.as_u16(), expected, "{user}");
        }
    }

    #[test]
    fn tokens_are_taken_over_tls_only_unless_told_otherwise() {
        let token = format!(
            "Authorization: Bearer {}\n",
            token_of("alice", wall()).expose()
        );
        let arrival = Arrival::new(Listener::Sip, 5060, local());
        let answer = ask(
            &registrar_with(registrar_config()),
            &arrival,
            &register(&token),
        );
        assert_eq!(response(answer).status.as_u16(), 403);
        let mut config = registrar_config();
        config.token_without_tls = true;
        let answer = ask(&registrar_with(config), &arrival, &register(&token));
        assert_eq!(response(answer).status.as_u16(), 200);
    }
}
