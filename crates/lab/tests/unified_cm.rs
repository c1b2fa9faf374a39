//! The node by itself: console, configuration server, start.

#[path = "../../tokio/tests/support/log.rs"]
mod log;

use sip_oauth_lab::{Error, Lab, LabBuilder, STANDARD_PROFILE};
use sip_oauth_registration::registrar::Listener;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A lab whose log is watched for tokens.
fn lab() -> LabBuilder {
    log::watch();
    Lab::builder()
}

/// What a server answers to a request, to the end of the connection.
async fn answer(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the server listens");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("the server answers in UTF-8");
    answer
}

#[tokio::test]
async fn the_console_prints_the_table_the_mode_and_the_ports() {
    let lab = lab().start().await.unwrap();
    let empty = lab
        .cli("run sql select * from expresswaycconfiguration")
        .await
        .unwrap();
    assert_eq!(empty.last().unwrap(), "No records found");
    let status = lab.cli("utils sipOAuth-mode status").await.unwrap();
    assert_eq!(status, ["Cluster SIPOAuth Mode: enabled"]);
    let port = lab.unified_cm().port(Listener::SipMraOAuth);
    let open = lab
        .cli(&format!("show open ports regexp {port}"))
        .await
        .unwrap();
    assert!(open[1].ends_with(&format!(":{port} (LISTEN)")), "{open:?}");

    lab.cli("utils sipOAuth-mode disable").await.unwrap();
    let status = lab.cli("utils sipOAuth-mode status").await.unwrap();
    assert!(status[1].contains("restart"), "{status:?}");
    assert!(
        TcpStream::connect(("127.0.0.1", port)).await.is_ok(),
        "running is not configured"
    );
    lab.cli("utils service restart Cisco CallManager")
        .await
        .unwrap();
    assert!(
        TcpStream::connect(("127.0.0.1", port)).await.is_err(),
        "the restart closed the port"
    );
    assert!(lab.cli("utils sip-oauth enable").await.unwrap()[0].contains("not a command"));
    lab.stop().await;
}

#[tokio::test]
async fn only_files_of_devices_are_served() {
    let lab = lab().start().await.unwrap();
    let port = lab.unified_cm().configuration_port();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let file = answer(port, &get("/CSFrado.cnf.xml")).await;
    assert!(file.starts_with("HTTP/1.1 200 "));
    assert!(file.contains("\r\n\r\n<device  xsi:type=\"axl:XIPPhone\""));
    for path in [
        "/CSFother.cnf.xml",
        "/",
        "/CSFrado.cnf.xml/..",
        "/..%2fCSFrado.cnf.xml",
        "/CSFrado.xml",
        "//CSFrado.cnf.xml",
        "/CSFrado.cnf.xml.sgn",
    ] {
        assert!(
            answer(port, &get(path)).await.starts_with("HTTP/1.1 404 "),
            "{path}"
        );
    }
    let not_a_get = "POST /CSFrado.cnf.xml HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert!(answer(port, not_a_get).await.starts_with("HTTP/1.1 405 "));
    lab.stop().await;
}

#[tokio::test]
async fn a_file_changes_when_the_device_is_reset() {
    let lab = lab().start().await.unwrap();
    let node = lab.unified_cm();
    let request = "GET /CSFrado.cnf.xml HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let port = node.configuration_port();
    node.assign_profile("CSFrado", STANDARD_PROFILE).unwrap();
    assert!(
        answer(port, request)
            .await
            .contains("<sipOAuthMode>1</sipOAuthMode>")
    );
    node.reset_device("CSFrado").unwrap();
    assert!(
        answer(port, request)
            .await
            .contains("<sipOAuthMode>0</sipOAuthMode>")
    );
    assert!(node.reset_device("CSFnobody").is_err());
    assert!(node.assign_profile("CSFrado", "no such profile").is_err());
    lab.stop().await;
}

#[tokio::test]
async fn a_product_port_in_use_is_one_clear_sentence() {
    // On a machine where somebody else has it, the sentence is the same.
    let _taken = TcpListener::bind("127.0.0.1:6970").await;
    let error = lab().product_ports().start().await.unwrap_err();
    assert!(matches!(error, Error::PortInUse { .. }), "{error:?}");
    let sentence = error.to_string();
    assert!(sentence.contains("is in use on 127.0.0.1"), "{sentence}");
    assert!(!sentence.contains('\n'));
}
