//! Registration as Unified CM does it in SIP OAuth mode: ladder, truth table, refusals.

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
use std::time::Duration;

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::client::{ClientState, Event, TokenReason};
use sip_oauth_registration::registrar::{
    AddressOfRecord, Arrival, Binding, BindingStore, Decision, DeviceLine, DeviceRecord, Listener,
    PeerIdentity, RegistrarConfig, RejectedToken, SecurityProfile, SipOAuthMode, Swap,
    TokenFinding, TokenVerdict, Version,
};
use sip_oauth_registration::{Refusal, RegistrationFailure, Seeded};
use sip_oauth_token::{AccessToken, KeySet, Policy, Verifier};
use support::{
    AUTHORIZATION_SERVER, DEVICE, LINE, NODE, Pair, Path, USER, ask, client_config, contact_line,
    credentials_line, local, on_premises, register, registrar, registrar_with, response, token_of,
    token_of_an_unknown_key, tokens_lines, verifier_that_asks, wall,
};

mod the_four_messages {
    use super::*;

    #[test]
    fn challenge_token_registered() {
        let mut pair = Pair::new();
        pair.start();
        assert_eq!(pair.statuses(), [407, 200]);
        let (first, second) = (pair.request(0), pair.request(1));
        for name in [
            "Call-ID",
            "From",
            "To",
            "Contact",
            "Supported",
            "Reason",
            "Expires",
        ] {
            assert_eq!(first.headers.get(name), second.headers.get(name), "{name}");
        }
        assert_ne!(
            first.headers.get("Via"),
            second.headers.get("Via"),
            "a new branch"
        );
        let cseq = |at: usize| -> u32 {
            let value = pair.request(at);
            let value = value.headers.get("CSeq").unwrap().to_owned();
            value.split(' ').next().unwrap().parse().unwrap()
        };
        assert_eq!(cseq(1), cseq(0) + 1);
        assert!(first.headers.get("Proxy-Authorization").is_none());
        assert!(
            second
                .headers
                .get("Proxy-Authorization")
                .unwrap()
                .starts_with("Bearer token=\"ey")
        );

        let granted = pair.answer(1);
        assert_eq!(granted.headers.get("Expires"), Some("120"));
        let echoed = format!("{};x-cisco-newreg", second.headers.get("Contact").unwrap());
        assert_eq!(granted.headers.get("Contact"), Some(echoed.as_str()));
        assert_eq!(granted.body.len(), 381);
        assert_ne!(
            pair.answer(0).headers.get("To"),
            granted.headers.get("To"),
            "a new To tag"
        );

        let events = pair.take_events();
        assert!(
            matches!(
                &events[..],
                [
                    Event::Connect { .. },
                    Event::TokenNeeded { reason: TokenReason::Challenged, challenge: Some(challenge) },
                    Event::Registered(grant),
                ] if challenge.realm.as_deref() == Some("ccmsipline")
                    && grant.new_registration
                    && grant.granted.as_secs() == 120
                    && grant.sis_version == [9, 1, 0]
            ),
            "{events:#?}"
        );
    }

    #[test]
    fn a_token_held_before_the_start_answers_the_challenge_at_once() {
        let mut pair = Pair::new();
        let token = pair.tokens.remove(0);
        pair.client.provide_token(token, None, pair.now()).unwrap();
        pair.start();
        assert_eq!(pair.statuses(), [407, 200]);
        assert!(
            !pair
                .events
                .iter()
                .any(|event| matches!(event, Event::TokenNeeded { .. }))
        );
    }

    #[test]
    fn all_lines_are_registered_by_one_request() {
        let mut pair = Pair::new();
        pair.start();
        let aor = AddressOfRecord::of_line(LINE);
        let snapshot = pair.registrar.store().load(&aor).unwrap();
        assert_eq!(snapshot.bindings[0].lines, ["1010", "1011"]);
        assert_eq!(snapshot.bindings[0].user.as_deref(), Some(USER));
    }

    #[test]
    fn a_request_for_nothing_registered_is_a_keep_alive() {
        let registrar = registrar();
        let lines = format!("{}{}Expires: 0\n", contact_line(), credentials_line(USER));
        let answer = ask(&registrar, &on_premises(), &register(1, &lines));
        assert_eq!(
            answer.observation.decision,
            Decision::Unregistered { removed: 0 }
        );
        assert_eq!(response(answer).status.as_u16(), 200);
    }
}

mod truth_table {
    use super::*;

    /// Mode, profile, listener, certificate, whether there is a token, answer.
    type Row = (
        SipOAuthMode,
        &'static str,
        Listener,
        Option<PeerIdentity>,
        bool,
        u16,
    );

    /// The table of what a checker expects, row by row.
    #[test]
    fn every_row_holds() {
        let edge = || PeerIdentity::new(["expc.example.com"]).allowed_by("expc.example.com");
        let stranger = || PeerIdentity::new(["other.example.com"]);
        let (on, off) = (SipOAuthMode::Enabled, SipOAuthMode::Disabled);
        let rows: [Row; 21] = [
            // mode, profile, listener, certificate, token, answer
            (off, "oauth", Listener::SipOAuth, None, false, 403),
            (off, "oauth", Listener::SipMraOAuth, Some(edge()), true, 403),
            (off, "legacy", Listener::SipOAuth, None, true, 403),
            (on, "legacy", Listener::SipOAuth, None, false, 403),
            (on, "legacy", Listener::SipOAuth, None, true, 403),
            (on, "legacy", Listener::SipMraOAuth, Some(edge()), true, 403),
            (on, "oauth", Listener::Sip, None, true, 403),
            (on, "oauth", Listener::Sip, None, false, 403),
            // 5061 takes neither a token nor a certificate, not even an Expressway-C's, in place of 5090.
            (on, "oauth", Listener::SipSecure, None, false, 403),
            (on, "oauth", Listener::SipSecure, None, true, 403),
            (on, "oauth", Listener::SipSecure, Some(edge()), true, 403),
            (
                on,
                "oauth",
                Listener::SipSecure,
                Some(stranger()),
                true,
                403,
            ),
            // Cluster mode off: a profile with OAuth stays with its ports, which are closed.
            (off, "oauth", Listener::Sip, None, true, 403),
            (
                off,
                "oauth",
                Listener::SipSecure,
                Some(stranger()),
                true,
                403,
            ),
            (on, "oauth", Listener::SipOAuth, None, false, 407),
            (on, "oauth", Listener::SipOAuth, None, true, 200),
            (on, "oauth", Listener::SipMraOAuth, None, true, 403),
            (
                on,
                "oauth",
                Listener::SipMraOAuth,
                Some(stranger()),
                true,
                403,
            ),
            (on, "oauth", Listener::SipMraOAuth, Some(edge()), false, 407),
            (on, "oauth", Listener::SipMraOAuth, Some(edge()), true, 200),
            (on, "legacy", Listener::Sip, None, false, 200),
        ];
        for (mode, profile, listener, identity, token, expected) in rows {
            let row = format!("{mode:?} {profile} {listener:?} {identity:?} token={token}");
            let registrar = registrar();
            registrar.database().edit(|cluster| {
                cluster.set_sip_oauth_mode(mode).unwrap();
                cluster.restart(NODE).unwrap();
                let lines = [DeviceLine::new(LINE)];
                cluster
                    .put_device(DeviceRecord::csf(DEVICE, profile, USER, lines))
                    .unwrap();
            });
            let mut arrival = Arrival::new(listener, 0, local());
            arrival.peer_identity = identity;
            let credentials = if token {
                credentials_line(USER)
            } else {
                String::new()
            };
            let lines = format!("{}{credentials}Expires: 3600\n", contact_line());
            let answer = ask(&registrar, &arrival, &register(1, &lines));
            let refusal = answer.observation.refusal();
            assert_eq!(response(answer).status.as_u16(), expected, "{row}");
            if expected == 403 {
                assert_eq!(refusal, Some(Refusal::OAuthPortMismatch), "{row}");
            }
        }
    }

    #[test]
    fn a_mode_that_is_configured_applies_after_the_restart() {
        let registrar = registrar();
        let lines = format!("{}Expires: 3600\n", contact_line());
        let ask_again = || {
            response(ask(&registrar, &on_premises(), &register(1, &lines)))
                .status
                .as_u16()
        };
        assert_eq!(ask_again(), 407);
        registrar
            .database()
            .edit(|cluster| cluster.set_sip_oauth_mode(SipOAuthMode::Disabled).unwrap());
        assert_eq!(ask_again(), 407, "not restarted");
        let (running, _) = registrar.restart().unwrap();
        assert!(
            running
                .listeners()
                .all(|(listener, _)| !listener.is_oauth())
        );
        assert_eq!(ask_again(), 403);
    }

    #[test]
    fn a_node_the_cluster_does_not_know_is_not_restarted_and_keeps_its_bindings() {
        let registrar = registrar_with(RegistrarConfig::unified_cm("ucm9.example.com"));
        let aor = AddressOfRecord::of_line(LINE);
        let expires_at = wall() + std::time::Duration::from_secs(120);
        let contact = ("sip:1010@192.0.2.10", ("call", 1));
        let node = "ucm9.example.com";
        let binding = Binding::new(LINE, contact.0, contact.1, expires_at, node, local());
        let stored = registrar
            .store()
            .compare_and_swap(&aor, Version::ABSENT, vec![binding]);
        assert_eq!(stored, Ok(Swap::Stored));
        assert!(registrar.restart().is_err());
        assert_eq!(registrar.store().of_node(node).unwrap().len(), 1);
    }

    #[test]
    fn a_profile_that_contradicts_itself_cannot_be_stored() {
        let mut cluster = support::cluster();
        let mut profile = SecurityProfile::oauth("bad");
        profile.tftp_encrypted_config = true;
        let refused = cluster.put_profile(profile).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "phone security profile \"bad\": TFTP Encrypted Config must be off"
        );
    }
}

mod refusals {
    use super::*;

    #[test]
    fn port_mismatch_says_so_and_when_to_come_back() {
        let registrar = registrar_with(RegistrarConfig::unified_cm("UCM2-PUB"));
        let mut pair = Pair::with(
            client_config(),
            registrar,
            Path::Direct(Listener::SipMraOAuth),
        );
        pair.start();
        assert_eq!(pair.client.state(), ClientState::Refused);
        let Some(Event::Refused(refused)) = pair.events.last() else {
            panic!("{:?}", pair.events)
        };
        assert_eq!(
            refused.warning.as_deref(),
            Some("SIP OAuth Registration port Mismatch")
        );
        assert_eq!(refused.retry_after.unwrap().as_secs(), 35);
        assert_eq!(
            refused.entry().unwrap().cause,
            RegistrationFailure::SecurityMismatch
        );
        assert_eq!(
            refused.retry_at,
            Some(pair.now() + std::time::Duration::from_secs(35))
        );
        assert!(
            !pair
                .events
                .iter()
                .any(|event| matches!(event, Event::FailedOver { .. }))
        );
    }

    #[test]
    fn a_token_of_somebody_else_is_answered_as_configured() {
        for (option, expected, challenge) in [
            (
                RejectedToken::ByDialect,
                407,
                Some("Bearer realm=\"ccmsipline\""),
            ),
            (
                RejectedToken::ChallengeAgain,
                407,
                Some("Bearer realm=\"ccmsipline\""),
            ),
            (
                RejectedToken::ChallengeWithError,
                407,
                Some("Bearer realm=\"ccmsipline\", error=\"invalid_token\""),
            ),
            (RejectedToken::Forbid, 403, None),
        ] {
            let mut config = RegistrarConfig::unified_cm(NODE);
            config.rejected_token = option;
            let lines = format!("{}{}", contact_line(), credentials_line("mallory"));
            let answer = ask(
                &registrar_with(config),
                &on_premises(),
                &register(1, &lines),
            );
            assert_eq!(
                answer.observation.refusal(),
                Some(Refusal::TokenOfAnotherUser)
            );
            assert!(
                matches!(&answer.observation.token, TokenVerdict::OfAnotherUser { user, .. } if user == "mallory")
            );
            let response = response(answer);
            assert_eq!(response.status.as_u16(), expected, "{option:?}");
            assert_eq!(
                response.headers.get("Proxy-Authenticate"),
                challenge,
                "{option:?}"
            );
        }
    }

    #[test]
    fn an_expired_token_is_answered_by_the_challenge() {
        let yesterday = wall() - std::time::Duration::from_secs(86400);
        let token = token_of(USER, yesterday);
        let lines = format!(
            "{}Proxy-Authorization: Bearer token=\"{}\"\n",
            contact_line(),
            token.expose()
        );
        let answer = ask(&registrar(), &on_premises(), &register(1, &lines));
        assert_eq!(answer.observation.refusal(), Some(Refusal::TokenRejected));
        let said = answer.observation.to_string();
        assert!(!said.contains(token.expose()), "no token in what is logged");
        assert_eq!(response(answer).status.as_u16(), 407);
    }

    /// Its challenge cannot name the scope: the client would come back with the same token.
    #[test]
    fn a_missing_scope_is_403_unless_told_otherwise() {
        for (option, expected) in [
            (RejectedToken::ByDialect, 403),
            (RejectedToken::ChallengeAgain, 407),
            (RejectedToken::ChallengeWithError, 407),
            (RejectedToken::Forbid, 403),
        ] {
            let mut config = RegistrarConfig::unified_cm(NODE);
            config.rejected_token = option;
            let registrar = registrar_with(config);
            let policy = AUTHORIZATION_SERVER.policy().require_scope("nobody:grants");
            let verifier = Verifier::new(AUTHORIZATION_SERVER.key_set(), policy);
            registrar.set_verifier(Arc::new(verifier));
            let lines = format!("{}{}", contact_line(), credentials_line(USER));
            let answer = ask(&registrar, &on_premises(), &register(1, &lines));
            assert_eq!(answer.observation.refusal(), Some(Refusal::TokenRejected));
            let response = response(answer);
            assert_eq!(response.status.as_u16(), expected, "{option:?}");
            let challenge = response.headers.get("Proxy-Authenticate");
            assert_eq!(
                challenge.is_some_and(|value| value.ends_with("error=\"invalid_scope\"")),
                option == RejectedToken::ChallengeWithError,
                "{option:?}"
            );
        }
    }

    /// RFC 3261 section 21.5.4: a token that nobody could judge costs the client nothing but time.
    #[test]
    fn a_token_nobody_could_judge_is_503_with_retry_after_whatever_the_option() {
        for option in [
            RejectedToken::ByDialect,
            RejectedToken::ChallengeAgain,
            RejectedToken::ChallengeWithError,
            RejectedToken::Forbid,
        ] {
            let mut config = RegistrarConfig::unified_cm(NODE);
            config.rejected_token = option;
            let registrar = registrar_with(config);
            let policy = Policy::introspection("https://as.example.com", "sip:example.com");
            let verifier = Verifier::new(KeySet::builder().build(), policy);
            registrar.set_verifier(Arc::new(verifier));
            let lines = format!("{}{}", contact_line(), credentials_line(USER));
            let request = register(1, &lines);
            let answer = ask(&registrar, &on_premises(), &request);
            assert_eq!(answer.observation.refusal(), Some(Refusal::TokenUnjudged));
            let seen = answer.observation.clone();
            let unjudged = response(answer);
            assert_eq!(unjudged.status.as_u16(), 503);
            assert_eq!(unjudged.reason, "Service Unavailable");
            assert_eq!(unjudged.headers.get("Retry-After"), Some("30"));
            assert_eq!(unjudged.headers.get("Proxy-Authenticate"), None);

            let bytes = request.replace('\n', "\r\n");
            let view = MessageView::parse(bytes.as_bytes(), &Limits::default()).unwrap();
            let refuse = |finding| {
                let (seen, entropy) = (seen.clone(), &mut Seeded::new(1));
                registrar.refuse_token(&on_premises(), &view, seen, finding, wall(), entropy)
            };
            let down = refuse(TokenFinding::unavailable("the server is down"));
            assert_eq!(down.observation.refusal(), Some(Refusal::TokenUnjudged));
            assert!(down.observation.to_string().contains("the server is down"));
            assert_eq!(response(down).headers.get("Retry-After"), Some("30"));
            for (milliseconds, seconds) in [(0, "1"), (24_000, "24"), (24_001, "25")] {
                let wait = Duration::from_millis(milliseconds);
                let soon = refuse(TokenFinding::unavailable("asked before").retry_after(wait));
                assert_eq!(response(soon).headers.get("Retry-After"), Some(seconds));
            }
            let error = AccessToken::parse("").unwrap_err();
            let refused = refuse(TokenFinding::Refused(error.clone()));
            assert_eq!(refused.observation.refusal(), Some(Refusal::TokenRejected));
            assert_eq!(refused.observation.token, TokenVerdict::Rejected(error));
            assert_eq!(refused.observation.device, seen.device);
            let status = response(refused).status.as_u16();
            let forbids = option == RejectedToken::Forbid;
            assert_eq!(status, if forbids { 403 } else { 407 }, "{option:?}");
        }
    }

    /// RFC 3261 section 22.3: the tokens of other realms stand beside ours, in any order. What could yet be found good is what
    /// counts: one nobody has judged, then one whose key may be there after another look.
    #[test]
    fn of_several_tokens_the_one_that_may_yet_be_good_is_answered() {
        let registrar = registrar();
        registrar.set_verifier(verifier_that_asks());
        let unknown_key = token_of_an_unknown_key();
        let judge = |tokens: &[&str]| {
            let lines = format!("{}{}", contact_line(), tokens_lines(tokens));
            let answer = ask(&registrar, &on_premises(), &register(1, &lines));
            let TokenVerdict::Rejected(error) = answer.observation.token.clone() else {
                panic!("{:?}", answer.observation)
            };
            (error, response(answer).status.as_u16())
        };
        for tokens in [["a.b.c", unknown_key.as_str()], [&unknown_key, "a.b.c"]] {
            let (error, status) = judge(&tokens);
            assert!(error.unknown_key().is_some(), "{error}");
            assert_eq!(status, 407);
        }
        for tokens in [
            ["a.b.c", &unknown_key, "opaque"],
            ["opaque", &unknown_key, "a.b.c"],
            ["a.b.c", "opaque", &unknown_key],
        ] {
            let (error, status) = judge(&tokens);
            assert!(error.needs_introspection(), "{error}");
            assert_eq!(status, 503);
        }
    }

    #[test]
    fn forms_of_other_clients_register_too() {
        let token = token_of(USER, wall());
        let token = token.expose();
        for credentials in [
            format!("Authorization: Bearer token=\"{token}\", username=\"U\", realm=\"R\"\n"),
            format!("Proxy-Authorization: Bearer {token}, realm=\"ccmsipline\"\n"),
            format!("Authorization: Bearer {token}\n"),
        ] {
            let lines = format!("{}{credentials}", contact_line());
            let answer = ask(&registrar(), &on_premises(), &register(1, &lines));
            assert_eq!(response(answer).status.as_u16(), 200);
        }
    }

    /// RFC 3261 section 10.3 step 5: "If the address-of-record is not valid for the domain in the Request-URI, the registrar MUST
    /// send a 404 (Not Found) response and skip the remaining steps."
    #[test]
    fn an_address_of_record_of_another_domain_is_not_found() {
        let request = register(1, &format!("{}{}", contact_line(), credentials_line(USER)));
        let to = |host: &str| {
            let own = format!("To: <sip:{LINE}@{NODE}>");
            assert!(request.contains(&own));
            let text = request.replace(&own, &format!("To: <sip:{LINE}@{host}>"));
            ask(&registrar(), &on_premises(), &text)
        };
        for host in [NODE, "UCM1.Example.COM", "10.10.10.1", "UCM2-PUB"] {
            assert_eq!(response(to(host)).status.as_u16(), 200, "{host}");
        }
        for host in [
            "evil.example",
            "192.0.2.66",
            "ucm1.example.com.evil.example",
        ] {
            let answer = to(host);
            assert_eq!(answer.observation.refusal(), Some(Refusal::NotServed));
            assert_eq!(response(answer).status.as_u16(), 404, "{host}");
        }
    }

    #[test]
    fn device_and_line_must_be_configured() {
        let token = credentials_line(USER);
        let unknown = contact_line().replace(DEVICE, "CSFNOBODY");
        let answer = ask(
            &registrar(),
            &on_premises(),
            &register(1, &format!("{unknown}{token}")),
        );
        assert_eq!(answer.observation.refusal(), Some(Refusal::UnknownDevice));
        let other_line = register(1, &format!("{}{token}", contact_line())).replace(LINE, "4711");
        let answer = ask(&registrar(), &on_premises(), &other_line);
        assert_eq!(answer.observation.refusal(), Some(Refusal::LineMismatch));
        let other_model = contact_line().replace("\"503\"", "\"621\"");
        let answer = ask(
            &registrar(),
            &on_premises(),
            &register(1, &format!("{other_model}{token}")),
        );
        assert_eq!(
            answer.observation.refusal(),
            Some(Refusal::DeviceTypeMismatch)
        );
    }
}
