//! Every transition of the registration exchange, by the sections of the reference (Cisco document 215572, SIPCC, RFC 3261, RFC 8898),
//! and the test that is named for it.
//!
//! Left out, with the reason in `docs/choices.md`: the REFER that asks whether to fall back, whose answers in SIP OAuth mode nobody
//! published.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

use std::fs;
use std::path::Path;

/// Section, transition, file, test.
const TRANSITIONS: &[(&str, &str, &str, &str)] = &[
    (
        "1.1",
        "without credentials 407, with the token 200, same Call-ID and From tag, next CSeq",
        "tests/unified_cm.rs",
        "challenge_token_registered",
    ),
    (
        "1.1",
        "one REGISTER registers all lines",
        "tests/unified_cm.rs",
        "all_lines_are_registered_by_one_request",
    ),
    (
        "1.3",
        "100: wait",
        "tests/transitions.rs",
        "a_100_is_waited_out_and_timer_f_goes_on",
    ),
    (
        "1.3",
        "200: the interface version",
        "tests/transitions.rs",
        "the_interface_version_is_that_of_supported_and_1_0_0_without_one",
    ),
    (
        "1.3",
        "3xx: follow Contact",
        "tests/rfc3261.rs",
        "the_preferred_contact_that_is_configured_is_followed_and_no_node_twice",
    ),
    (
        "1.3",
        "401 and 407: answered in the field that belongs to each",
        "tests/transitions.rs",
        "a_401_is_answered_in_authorization_and_a_407_in_proxy_authorization",
    ),
    (
        "1.3",
        "401 and 407: at most 3 tries",
        "tests/lease.rs",
        "three_tries_and_no_more",
    ),
    (
        "1.3",
        "401 and 407: an unknown scheme is given up",
        "tests/transitions.rs",
        "a_challenge_that_is_not_for_a_token_is_given_up",
    ),
    (
        "1.3",
        "423: again with Min-Expires and a new Call-ID",
        "tests/rfc3261.rs",
        "a_423_is_answered_with_its_min_expires_and_a_new_call_id",
    ),
    (
        "1.3",
        "423: not above 3600",
        "tests/rfc3261.rs",
        "a_423_without_a_usable_min_expires_ends_the_attempt",
    ),
    (
        "1.3",
        "404, 413, 480, 486, 503 and 403 with Retry-After: wait, again",
        "tests/transitions.rs",
        "retry_after_is_waited_out_to_the_second",
    ),
    (
        "1.3",
        "without Retry-After: no node but the caller",
        "tests/transitions.rs",
        "without_retry_after_nothing_is_tried_again",
    ),
    (
        "1.3",
        "every other refusal: final",
        "tests/transitions.rs",
        "what_retry_after_does_not_belong_to_is_final_even_with_one",
    ),
    (
        "1.3",
        "a refusal is no reason to fail over",
        "tests/lease.rs",
        "a_refusal_does_not",
    ),
    (
        "1.3",
        "no answer: the next node",
        "tests/lease.rs",
        "silence_for_32_s_does",
    ),
    (
        "1.3",
        "TCP or TLS failure: the next node",
        "tests/lease.rs",
        "a_node_out_of_reach_leads_to_the_next",
    ),
    (
        "1.3",
        "failure: fall-back monitors are dropped",
        "tests/commands.rs",
        "who_has_no_token_asks_no_node_any_more",
    ),
    (
        "1.3",
        "failure on the standby: stay, next keep-alive",
        "tests/transitions.rs",
        "is_asked_again_after_120_s",
    ),
    (
        "1.4",
        "expiry: Contact, else Expires, else what was asked",
        "src/client/lease.rs",
        "contact_comes_before_header_and_neither_exceeds_what_was_asked",
    ),
    (
        "1.4",
        "refresh at granted minus delta, under 20 s by option",
        "src/client/lease.rs",
        "refresh_comes_delta_before_the_end_unless_that_is_too_soon",
    ),
    (
        "1.4",
        "refresh: at 115 s of 120",
        "tests/lease.rs",
        "at_114_s_nothing_at_115_s_a_register_with_the_token",
    ),
    (
        "1.4",
        "refresh without the token: challenged again",
        "tests/lease.rs",
        "without_the_token_a_refresh_is_challenged_again",
    ),
    (
        "1.4",
        "x-cisco-newreg on a refresh: the node lost its state",
        "tests/transitions.rs",
        "on_a_refresh_it_says_that_the_node_lost_its_state",
    ),
    (
        "1.4",
        "unregister: Expires 0",
        "tests/lease.rs",
        "expires_0_and_the_connection_is_closed",
    ),
    (
        "1.4",
        "Expires 0 where nothing is registered: 200",
        "tests/unified_cm.rs",
        "a_request_for_nothing_registered_is_a_keep_alive",
    ),
    (
        "1.5",
        "the standby is asked every 120 s",
        "tests/nodes.rs",
        "the_next_node_is_asked_with_expires_0_every_120_s",
    ),
    (
        "1.5",
        "fail-over: the next becomes active, the one after it standby",
        "tests/nodes.rs",
        "a_fail_over_uses_its_connection",
    ),
    (
        "1.5",
        "a connection may take 8 s",
        "tests/lease.rs",
        "a_connection_may_take_8_s",
    ),
    (
        "1.5",
        "none left: all failed",
        "tests/nodes.rs",
        "is_told_after_one_attempt_and_left_to_the_caller",
    ),
    (
        "1.5",
        "a better node is asked at least every 300 s",
        "tests/transitions.rs",
        "a_better_node_is_asked_at_least_every_300_s_and_a_standby_as_often_as_configured",
    ),
    (
        "1.5",
        "stability check: 120 s of good polls, then move",
        "tests/nodes.rs",
        "a_better_node_that_was_there_for_120_s_takes_the_registration_back",
    ),
    (
        "1.5",
        "stability check: a bad poll begins it anew",
        "tests/nodes.rs",
        "one_that_comes_and_goes_does_not",
    ),
    (
        "1.5",
        "503 of the better node: Retry-After, else keep-alive",
        "tests/transitions.rs",
        "is_asked_again_after_its_retry_after_where_that_is_longer",
    ),
    (
        "1.5",
        "the better node refuses: back to monitoring",
        "tests/nodes.rs",
        "when_the_better_one_refuses_the_registration_goes_on_where_it_was",
    ),
    (
        "1.6",
        "another client has the device: the person is asked, then by force",
        "tests/commands.rs",
        "a_device_in_use_is_taken_over_when_the_person_says_so",
    ),
    (
        "1.6",
        "the earlier client is deregistered by a forced one",
        "tests/unified_cm_bindings.rs",
        "a_device_in_use_is_taken_over_by_force_only",
    ),
    (
        "1.6",
        "no ping-pong",
        "tests/commands.rs",
        "a_client_that_was_taken_over_does_not_take_it_back",
    ),
    (
        "1.7",
        "Reason tells what happened, once",
        "tests/transitions.rs",
        "the_reason_of_the_next_register_tells_what_happened",
    ),
    (
        "1.8",
        "a token obtained before the first REGISTER",
        "tests/unified_cm.rs",
        "a_token_held_before_the_start_answers_the_challenge_at_once",
    ),
    (
        "1.8",
        "75 % of the life: a new one, used by the next REGISTER",
        "tests/lease.rs",
        "a_new_one_is_asked_for_at_three_quarters_and_used_by_the_next_refresh",
    ),
    (
        "1.8",
        "407 to a token: another one, never the same",
        "tests/lease.rs",
        "a_refused_token_is_never_presented_twice",
    ),
    (
        "1.8",
        "no token to be had: stop and report",
        "tests/lease.rs",
        "without_any_the_registration_is_given_up_when_the_caller_says_so",
    ),
    (
        "1.8",
        "keys regenerated in mid-lease: replaced, the lease goes on",
        "tests/lease.rs",
        "refused_in_mid_lease_it_is_replaced_and_the_lease_goes_on",
    ),
];

#[test]
fn every_transition_has_a_test_named_for_it() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (section, transition, file, test) in TRANSITIONS {
        let source = fs::read_to_string(crate_root.join(file)).unwrap();
        let attribute = format!("#[test]\nfn {test}()");
        let stripped: Vec<_> = source.lines().map(str::trim_start).collect();
        assert!(
            stripped.join("\n").contains(&attribute),
            "{section} {transition}: no test {test} in {file}"
        );
    }
}
