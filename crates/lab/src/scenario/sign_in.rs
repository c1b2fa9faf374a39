//! Where the token comes from: a user signs in over HTTPS, and the registration outlives the first token.

use std::time::Duration;

use sip_oauth_csf::Place;
use sip_oauth_registration::registrar::Listener;
use sip_oauth_token::issue::AccessTokenExpiryTimer;
use sip_oauth_tokio::{ObtainedToken, SignedIn};

use super::{
    client::{Expected, annotate, read_configuration},
    on_premises::REFRESH_AFTER,
    sip,
    story::Story,
};
use crate::{
    Error, Lab, LabBuilder, Outcome, Way,
    lab::{NODE, USER},
    report::{Check, Event, Occurrence, PartyId, Scenario},
};

use PartyId::{Jabber as Client, UnifiedCm};

/// The OAuth Access Token Expiry Timer of this story. Two minutes, so that the token's renewal falls between two
/// registrations.
const MINUTES: u32 = 2;
/// Three quarters of it.
const RENEW_AFTER: Duration = Duration::from_secs(90);

/// A user signs in by authorization code with PKCE, the client registers with the token, renews it at three quarters of
/// its life by the refresh grant, and refreshes the registration with the next one.
///
/// # Errors
///
/// When the lab does not start or a part of it fails in a way that is no difference but a defect.
pub async fn sign_in(lab: &LabBuilder) -> Result<Scenario, Error> {
    let lab = lab.clone().start().await?;
    let node = lab.unified_cm();
    let timer = AccessTokenExpiryTimer::from_minutes(MINUTES)
        .map_err(|error| Error::setup("authorization server", error))?;
    node.set_access_token_expiry_timer(timer);
    let title = format!("Sign-in: {USER} gets tokens of {NODE} by authorization code with PKCE");
    let mut story = Story::begin(&lab, "sign-in", title, &[Client, UnifiedCm]);

    let mut jabber = lab.jabber()?;
    let tokens = jabber.sign_in(node).await?;
    signed_in(&mut story, &lab, &tokens);

    let port = node.port(Listener::SipOAuth);
    let expected = Expected {
        title: "Read the device configuration file",
        mode: 1,
        port,
        transport: "Tls",
        verdict: format!("leads to {NODE}:{port} over TLS, with the token"),
    };
    let config =
        read_configuration(&lab, &jabber, &mut story, Place::OnPremises, &expected).await?;
    jabber.register(&config, &Way::OnPremises)?;
    let outcome = jabber.outcome().await;
    registered(&mut story, &lab, &outcome);

    lab.wait(RENEW_AFTER).await;
    // The client renews it by itself; who else asks gets what that brings.
    let next = jabber.token().await?;
    renewed(&mut story, &lab, &tokens.access_token, &next);

    lab.wait(REFRESH_AFTER.saturating_sub(RENEW_AFTER)).await;
    let outcome = jabber.outcome().await;
    refreshed(&mut story, &outcome);

    jabber.stop().await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

fn signed_in(story: &mut Story<'_>, lab: &Lab, tokens: &SignedIn) {
    let mut events = story.events();
    let statuses = statuses(&events);
    let text = tokens.access_token.token.expose();
    let judged = lab
        .unified_cm()
        .token_verifier()
        .verify(text, lab.clock().system_now());
    let user = match judged {
        Ok(token) => token.user().to_owned(),
        Err(error) => error.to_string(),
    };
    let life = tokens.access_token.expires_in.map(|life| life.as_secs());
    let refresh_bytes = tokens
        .refresh_token
        .as_ref()
        .map(sip_oauth_token::RefreshToken::len);
    let checks = vec![
        Check::equal("answers", "302, 200", statuses.join(", ")),
        Check::equal("access token: user", USER, user),
        Check::present(
            "access token: seconds to live",
            u64::from(MINUTES) * 60,
            life,
        ),
        Check::that(
            "refresh token",
            "comes with it",
            if refresh_bytes.is_some() {
                "comes with it"
            } else {
                "none"
            },
            refresh_bytes.is_some(),
        ),
    ];
    annotate(
        &mut events,
        "/authorize",
        vec!["a code, for one use, bound to the S256 challenge".to_owned()],
    );
    let bytes = refresh_bytes.unwrap_or_default();
    annotate(
        &mut events,
        "authorization code",
        vec![format!(
            "access token of {} bytes, refresh token of {bytes} bytes",
            text.len()
        )],
    );
    story.step(
        "Sign in",
        events,
        "the code was exchanged for tokens with the verifier of its challenge (RFC 7636)",
        checks,
    );
}

fn registered(story: &mut Story<'_>, lab: &Lab, outcome: &Outcome) {
    let events = story.events();
    let answers = sip::sent(&events, UnifiedCm, Client);
    let checks = vec![
        Check::equal("answers", 2, answers.len()),
        sip::start_line("status line", "SIP/2.0 200 OK", answers.last().copied()),
        Check::equal("what the client reports", "registered for 120 s", outcome),
        Check::equal("bindings at the node", 1, lab.unified_cm().bindings()),
    ];
    story.step(
        "Register with the access token",
        events,
        "challenged, then accepted for 120 s",
        checks,
    );
}

fn renewed(story: &mut Story<'_>, lab: &Lab, first: &ObtainedToken, next: &ObtainedToken) {
    let mut events = story.events();
    let statuses = statuses(&events);
    let judged = lab
        .unified_cm()
        .token_verifier()
        .verify(next.token.expose(), lab.clock().system_now());
    let checks = vec![
        Check::equal("answers", "200", statuses.join(", ")),
        Check::equal(
            "SIP messages",
            0,
            sip::sent(&events, Client, UnifiedCm).len(),
        ),
        Check::that(
            "the token",
            "another one, good",
            if judged.is_ok() { "good" } else { "refused" },
            judged.is_ok() && next.token != first.token,
        ),
    ];
    let life = next.expires_in.unwrap_or_default().as_secs_f64().round();
    annotate(
        &mut events,
        "token refresh",
        vec![format!(
            "access token of {} bytes, expires_in {life}",
            next.token.len()
        )],
    );
    story.step(
        "Three quarters of its life later: the next token",
        events,
        "renewed once by the refresh grant, 90 s into the 120 s of the first",
        checks,
    );
}

fn refreshed(story: &mut Story<'_>, outcome: &Outcome) {
    let events = story.events();
    let (waited, shown) = story.is_115_s_later(&events, UnifiedCm);
    let checks = vec![
        Check::that(
            "time since the 200",
            "115 s (granted 120 minus delta 5)",
            shown,
            waited,
        ),
        Check::equal("what the client reports", "refreshed for 120 s", outcome),
    ];
    story.step(
        "Refresh the registration",
        events,
        "refreshed with the new token",
        checks,
    );
}

/// The statuses of the HTTP answers, in order.
fn statuses(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            Occurrence::Http(message) if message.leg.from == UnifiedCm => {
                message.start_line.split(',').next()
            }
            _ => None,
        })
        .collect()
}
