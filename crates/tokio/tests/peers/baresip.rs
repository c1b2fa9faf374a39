//! baresip, which knows no Bearer: its REGISTER is challenged, it calls the challenge a bad message, and nothing is broken.

use std::{path::Path, process::Command, sync::Arc};

use sip_oauth_registration::{
    Refusal,
    client::Event,
    registrar::{Listener, TokenVerdict},
};
use sip_oauth_tokio::{FixedToken, RegistrationClient};

use crate::{
    patient,
    program::{Folder, Program, all_installed, skipped},
    serve,
    support::{Estate, NODE, at_node, device_at, registration, soon},
};

/// Where Debian's package keeps the modules.
const MODULES: &str = "/usr/lib/baresip/modules";

#[tokio::test(flavor = "multi_thread")]
async fn is_refused_cleanly_and_the_registrar_goes_on() {
    if !all_installed(&[("baresip", "baresip-core")]) {
        return;
    }
    if !Path::new(MODULES).is_dir() {
        skipped(&format!("baresip has no modules at {MODULES}"));
        return;
    }
    let (estate, folder) = (Estate::new(), Folder::new());
    let server = serve(&estate).await;
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let trusted = folder.write("ca.pem", &estate.authority.pem());
    let config = format!(
        "sip_listen 127.0.0.1:0\nsip_cafile {}\nnet_interface 127.0.0.1\n\
         module_path {MODULES}\nmodule_tmp uuid.so\nmodule_tmp account.so\n",
        trusted.display()
    );
    folder.write("config", &config);
    let account = format!(
        "<sip:1010@{NODE};transport=tls>;auth_user=jdoe;auth_pass=secret;regint=600;\
         outbound=\"sip:127.0.0.1:{port};transport=tls\"\n"
    );
    folder.write("accounts", &account);
    let baresip = Program::start(Command::new("baresip").arg("-f").arg(folder.path()));
    baresip.says("Bad message", 1).await;

    let seen = estate.trace.decisions();
    assert!(!seen.is_empty());
    for seen in &seen {
        assert_eq!(seen.refusal(), Some(Refusal::TokenMissing), "{seen:?}");
        assert_eq!(seen.token, TokenVerdict::Missing);
    }
    assert_eq!(estate.bindings(), 0);

    let tokens = Arc::new(FixedToken::new(estate.token()));
    let (handle, mut events) = RegistrationClient::new(
        device_at(vec![at_node(&server)]),
        estate.connector().with_timeouts(patient()),
        tokens,
    )
    .start();
    let event = registration(&mut events).await;
    assert!(matches!(event, Event::Registered(_)), "{event:?}");
    handle.stop();
    soon(handle.stopped()).await;
    drop(baresip);
    server.shutdown().await;
}
