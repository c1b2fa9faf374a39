//! `openssl s_client`, and a person who types.

use std::process::Command;

use sip_oauth_registration::registrar::{Decision, Listener, TokenVerdict};
use sip_oauth_tokio::RegistrarServer;

use crate::{
    program::{Folder, Program, all_installed},
    serve,
    support::{DEVICE, Estate, NODE},
};

/// A terminal at the node's TLS listener. `-quiet` is needed: without it a line that begins with R, as REGISTER does, asks
/// for a renegotiation.
fn terminal(estate: &Estate, server: &RegistrarServer, folder: &Folder) -> Program {
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let trusted = folder.write("ca.pem", &estate.authority.pem());
    Program::start(
        Command::new("openssl")
            .args(["s_client", "-quiet", "-crlf"])
            .args(["-connect", &format!("127.0.0.1:{port}")])
            .args(["-servername", NODE, "-verify_hostname", NODE])
            .args(["-verify_return_error", "-CAfile"])
            .arg(trusted),
    )
}

/// A REGISTER as short as one can be typed.
fn register(cseq: u32, expires: u32, contact_params: &str, credentials: &str) -> String {
    format!(
        "REGISTER sip:{NODE} SIP/2.0\n\
         Via: SIP/2.0/TLS 127.0.0.1:40000;branch=z9hG4bK-typed-{cseq}\n\
         From: <sip:1010@{NODE}>;tag=typed\n\
         To: <sip:1010@{NODE}>\n\
         Call-ID: typed@127.0.0.1\n\
         CSeq: {cseq} REGISTER\n\
         Max-Forwards: 70\n\
         Contact: <sip:1010@127.0.0.1:40000;transport=tls>{contact_params}\n\
         {credentials}Expires: {expires}\n\
         Content-Length: 0\n\
         \n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_typed_by_hand_is_challenged_then_accepted() {
    if !all_installed(&[("openssl", "openssl")]) {
        return;
    }
    let (estate, folder) = (Estate::new(), Folder::new());
    let server = serve(&estate).await;
    let mut terminal = terminal(&estate, &server, &folder);
    let device = format!(";+u.sip!devicename.ccm.cisco.com=\"{DEVICE}\"");

    terminal.types(&register(1, 3600, &device, ""));
    let said = terminal.says("Content-Length: 0\r\n\r\n", 1).await;
    assert!(
        said.contains("SIP/2.0 407 Proxy Authentication Required\r\n"),
        "{said}"
    );
    assert!(
        said.contains("Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\n"),
        "{said}"
    );

    let token = estate.token();
    let credentials = format!(
        "Proxy-Authorization: Bearer token=\"{}\"\n",
        token.token.expose()
    );
    terminal.types(&register(2, 3600, &device, &credentials));
    let said = terminal.says("Content-Length: 0\r\n\r\n", 2).await;
    assert!(said.contains("SIP/2.0 200 OK\r\n"), "{said}");
    assert!(said.contains("Expires: 120\r\n"), "{said}");
    assert_eq!(estate.bindings(), 1);

    terminal.types(&register(3, 0, &device, &credentials));
    terminal.says("Content-Length: 0\r\n\r\n", 3).await;
    assert_eq!(estate.bindings(), 0);
    server.shutdown().await;
}

/// What else somebody may type: each gets its answer, the last one an end, and the next terminal is served.
#[tokio::test(flavor = "multi_thread")]
async fn other_requests_and_no_request_at_all_are_answered() {
    if !all_installed(&[("openssl", "openssl")]) {
        return;
    }
    let (estate, folder) = (Estate::new(), Folder::new());
    let server = serve(&estate).await;
    let mut first = terminal(&estate, &server, &folder);
    let cases = [
        (
            "OPTIONS",
            "SIP/2.0 200 OK\r\n",
            "Allow: REGISTER, OPTIONS\r\n",
        ),
        (
            "INVITE",
            "SIP/2.0 405 Method Not Allowed\r\n",
            "Allow: REGISTER, OPTIONS\r\n",
        ),
        (
            "DANCE",
            "SIP/2.0 501 Not Implemented\r\n",
            "Allow: REGISTER, OPTIONS\r\n",
        ),
    ];
    for (number, (method, status, header)) in cases.into_iter().enumerate() {
        let before = first.said().len();
        first.types(&register(1, 600, "", "").replace("REGISTER", method));
        let said = first.says("\r\n\r\n", number + 1).await;
        let answer = &said[before..];
        assert!(answer.contains(status), "{method}: {answer}");
        assert!(answer.contains(header), "{method}: {answer}");
    }
    first.types("what is this\n\n");
    let (_, said) = first.ends().await;
    assert_eq!(said.matches("SIP/2.0 ").count(), 3, "{said}");

    let mut second = terminal(&estate, &server, &folder);
    second.types(&register(1, 600, "", ""));
    second.says("SIP/2.0 407 ", 1).await;
    server.shutdown().await;
}

/// What clients of other makers send without being asked, in their own writing. Their Contact names no device: the line
/// leads to it.
#[tokio::test(flavor = "multi_thread")]
async fn the_forms_that_other_clients_send_unasked_register() {
    if !all_installed(&[("openssl", "openssl")]) {
        return;
    }
    let (estate, folder) = (Estate::new(), Folder::new());
    let server = serve(&estate).await;
    let issued = estate.token();
    let token = issued.token.expose();
    let forms = [
        (
            "PJSIP",
            format!(
                "Authorization: Bearer token=\"{token}\", username=\"jdoe\", realm=\"ccmsipline\"\n"
            ),
        ),
        (
            "belle-sip",
            format!("Proxy-Authorization: Bearer {token}, realm=\"ccmsipline\"\n"),
        ),
        ("JsSIP", format!("Authorization: Bearer {token}\n")),
    ];
    let mut terminal = terminal(&estate, &server, &folder);
    let mut cseq = 0;
    for (maker, credentials) in &forms {
        for (expires, bindings) in [(600, 1), (0, 0)] {
            cseq += 1;
            terminal.types(&register(cseq, expires, "", credentials));
            let said = terminal.says("\r\n\r\n", cseq as usize).await;
            let answers = said.matches("SIP/2.0 200 OK\r\n").count();
            assert_eq!(answers, cseq as usize, "{maker}: {said}");
            assert_eq!(estate.bindings(), bindings, "{maker}, Expires: {expires}");
        }
    }
    for seen in estate.trace.decisions() {
        assert!(!matches!(seen.decision, Decision::Refused(_)), "{seen:?}");
        assert!(matches!(seen.token, TokenVerdict::Valid { .. }), "{seen:?}");
        assert_eq!(seen.device.as_deref(), Some(DEVICE));
    }
    server.shutdown().await;
}

/// A form that looks like one of them and is not: the token of somebody else in the same writing.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_forms_with_the_token_of_another_user_do_not() {
    if !all_installed(&[("openssl", "openssl")]) {
        return;
    }
    let (estate, folder) = (Estate::new(), Folder::new());
    let server = serve(&estate).await;
    let issued = estate.token_of("mallory");
    let token = issued.token.expose();
    let mut terminal = terminal(&estate, &server, &folder);
    let credentials = format!(
        "Authorization: Bearer token=\"{token}\", username=\"jdoe\", realm=\"ccmsipline\"\n"
    );
    terminal.types(&register(1, 600, "", &credentials));
    let said = terminal.says("Content-Length: 0\r\n\r\n", 1).await;
    assert!(said.contains("SIP/2.0 407 "), "{said}");
    assert_eq!(estate.bindings(), 0);
    let seen = estate.trace.decisions().remove(0);
    assert!(
        matches!(seen.token, TokenVerdict::OfAnotherUser { .. }),
        "{seen:?}"
    );
    server.shutdown().await;
}
