//! What every story begins with: a user who logs in, and a device that reads its file.

use sip_oauth_csf::{DeviceConfig, Place, RegistrationTarget};

use super::story::Story;
use crate::{
    CLIENT_ID, Error, Jabber, Lab,
    report::{Check, Event, Occurrence},
};

/// The user logs in: a refresh token, and an access token for it.
pub(super) async fn log_in(
    lab: &Lab,
    jabber: &mut Jabber,
    story: &mut Story<'_>,
) -> Result<(), Error> {
    let node = lab.unified_cm();
    let refresh_token = node.log_in(jabber.user(), CLIENT_ID)?;
    let refresh_bytes = refresh_token.len();
    let obtained = jabber
        .obtain_token(&node.token_endpoint(), refresh_token)
        .await?;
    let text = obtained.token.expose();
    let inspection =
        sip_oauth_token::inspect(text).map_err(|error| Error::setup("access token", error))?;
    let signed = inspection.signed();
    let encrypted = inspection.encrypted();
    let algorithm = signed.and_then(|part| part.text("alg"));
    let key_management = encrypted.and_then(|part| part.text("alg"));
    let encryption = encrypted.and_then(|part| part.text("enc"));
    let key_ids_of_issuer = [
        signed.and_then(sip_oauth_token::inspect::SignedPart::key_id),
        encrypted.and_then(sip_oauth_token::inspect::EncryptedPart::key_id),
    ]
    .iter()
    .all(|kid| kid.as_ref().is_some_and(|kid| kid.issuer_uuid().is_some()));
    let judged = node.token_verifier().verify(text, lab.clock().system_now());
    let checks = vec![
        Check::present("access token: signature algorithm", "RS256", algorithm),
        Check::present(
            "access token: key management of its payload",
            "dir",
            key_management,
        ),
        Check::present(
            "access token: encryption of its payload",
            "A128CBC-HS256",
            encryption,
        ),
        Check::that(
            "access token: kid of both parts",
            "<uuid>:<64 hex>",
            if key_ids_of_issuer {
                "<uuid>:<64 hex>"
            } else {
                "another form"
            },
            key_ids_of_issuer,
        ),
        Check::present(
            "access token: seconds to live",
            3600,
            obtained.expires_in.map(|life| life.as_secs()),
        ),
        match judged {
            Ok(token) => Check::equal("access token: user", jabber.user(), token.user()),
            Err(error) => Check::that("access token: user", jabber.user(), error, false),
        },
    ];
    let mut events = story.events();
    let access_bytes = text.len();
    let life = obtained.expires_in.map_or_else(
        || "no expires_in".to_owned(),
        |life| format!("expires_in {}", life.as_secs()),
    );
    annotate(
        &mut events,
        "",
        vec![format!("access token of {access_bytes} bytes, {life}")],
    );
    story.step(
        "Log in",
        events,
        format!(
            "refresh token {refresh_bytes} bytes, access token {access_bytes} bytes: RS256 around A128CBC-HS256"
        ),
        checks,
    );
    Ok(())
}

/// The device fetches and reads its file.
pub(super) async fn read_configuration(
    lab: &Lab,
    jabber: &Jabber,
    story: &mut Story<'_>,
    place: Place,
    expected: &Expected,
) -> Result<DeviceConfig, Error> {
    let node = lab.unified_cm();
    let config = jabber
        .fetch_configuration(node.name(), node.configuration_port())
        .await?;
    let failed = |error: sip_oauth_csf::ValueError| Error::setup("configuration file", error);
    let mode = config.sip_oauth_mode().map_err(failed)?.value.code();
    let targets = config
        .registration_targets(place)
        .map_err(|error| Error::setup("configuration file", error))?;
    let first: Option<&RegistrationTarget> = targets.first();
    let mut checks = vec![
        Check::that(
            "root element as the product writes it",
            "<device  xsi:type=\"axl:XIPPhone\" …>",
            String::from_utf8_lossy(config.source().get(..36).unwrap_or_default()),
            config
                .source()
                .starts_with(b"<device  xsi:type=\"axl:XIPPhone\" "),
        ),
        Check::equal("sipOAuthMode", expected.mode, mode),
        Check::present(
            "processNodeName",
            node.name(),
            first.map(|target| target.host.as_str()),
        ),
        Check::present(
            "port chosen from the file",
            expected.port,
            first.map(|target| target.port),
        ),
    ];
    checks.extend(first.map(|target| {
        Check::equal(
            "transport",
            expected.transport,
            format!("{:?}", target.transport),
        )
    }));
    let mut events = story.events();
    let ports = config
        .nodes()
        .map_err(failed)?
        .first()
        .map(|node| node.ports());
    let mut shows = vec![format!("sipOAuthMode {mode}")];
    if let Some(ports) = ports {
        let oauth = ports.sip_oauth_port().map_err(failed)?.value;
        let mra = ports.sip_mra_oauth_port().map_err(failed)?.value;
        shows.push(format!("sipOAuthPort {oauth} · sipMRAOAuthPort {mra}"));
    }
    annotate(&mut events, "", shows);
    story.step(expected.title, events, expected.verdict.clone(), checks);
    Ok(config)
}

/// What a device's file must lead to.
pub(super) struct Expected {
    pub(super) title: &'static str,
    pub(super) mode: u8,
    pub(super) port: u16,
    pub(super) transport: &'static str,
    pub(super) verdict: String,
}

/// Adds what an HTTP answer held, which only its reader knows: to the answer of the last request whose first line ends in
/// `request`.
pub(super) fn annotate(events: &mut [Event], request: &str, lines: Vec<String>) {
    let is_request = |event: &Event| match &event.what {
        Occurrence::Http(message) => {
            message.leg.port.is_some() && message.start_line.ends_with(request)
        }
        _ => false,
    };
    let Some(asked) = events.iter().rposition(is_request) else {
        return;
    };
    let answer = events
        .iter_mut()
        .skip(asked + 1)
        .find_map(|event| match &mut event.what {
            Occurrence::Http(message) => Some(message),
            _ => None,
        });
    if let Some(answer) = answer {
        answer.shows.extend(lines);
    }
}
