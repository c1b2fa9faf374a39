//! Kamailio as a registrar that takes any token without looking.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Outcome;
use super::material::Folder;
use super::process::Server;

const PORT: u16 = 25_090;

/// Where it listens.
pub(crate) fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, PORT).into()
}

/// Its version; `None` where it is not installed.
pub(crate) fn version() -> Option<String> {
    let said = Command::new("kamailio").arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    text.lines()
        .next()
        .map(|line| line.trim_start_matches("version: ").trim_end().to_owned())
}

/// Starts it with one process for connections, and with memory for many.
pub(crate) fn start(folder: &Folder, is_mutual: bool) -> Outcome<Server> {
    let at = folder.path().display();
    let asks = if is_mutual { "yes" } else { "no" };
    fs::write(
        folder.file("tls.cfg"),
        format!(
            "[server:default]\n\
             method = TLSv1.2+\n\
             verify_certificate = {asks}\n\
             require_certificate = {asks}\n\
             certificate = {at}/server.pem\n\
             private_key = {at}/server-key.pem\n\
             ca_list = {at}/ca.pem\n"
        ),
    )?;
    let modules = ["tls", "sl", "pv", "textops", "usrloc", "registrar"]
        .map(|module| format!("loadmodule \"{module}.so\"\n"))
        .concat();
    fs::write(
        folder.file("kamailio.cfg"),
        format!(
            "#!KAMAILIO\n\
             debug=0\n\
             children=1\n\
             tcp_children=1\n\
             tcp_max_connections=12000\n\
             tls_max_connections=12000\n\
             tcp_rd_buf_size=16384\n\
             open_files_limit=20000\n\
             enable_tls=yes\n\
             listen=tls:127.0.0.1:{PORT}\n\
             {modules}\
             modparam(\"tls\", \"config\", \"{at}/tls.cfg\")\n\
             modparam(\"usrloc\", \"db_mode\", 0)\n\
             request_route {{\n\
               if (!is_method(\"REGISTER\")) {{ sl_send_reply(\"405\", \"Method Not Allowed\"); exit; }}\n\
               if (!is_present_hf(\"Proxy-Authorization\")) {{\n\
                 append_to_reply(\"Proxy-Authenticate: Bearer realm=\\\"ccmsipline\\\"\\r\\n\");\n\
                 sl_send_reply(\"407\", \"Proxy Authentication Required\");\n\
                 exit;\n\
               }}\n\
               save(\"location\");\n\
             }}\n"
        ),
    )?;
    let log = File::create(folder.file("kamailio.log"))?;
    let mut command = Command::new("kamailio");
    command
        // In the foreground, log on the standard error; shared memory, and that of each process, in MB.
        .args(["-DD", "-E", "-m", "2048", "-M", "16", "-f"])
        .arg(folder.file("kamailio.cfg"))
        .arg("-Y")
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(log);
    let server = Server::start(&mut command)?;
    for _ in 0..100 {
        if TcpStream::connect(address()).is_ok() {
            std::thread::sleep(Duration::from_millis(300));
            return Ok(server);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("Kamailio did not start; see {at}/kamailio.log").into())
}
