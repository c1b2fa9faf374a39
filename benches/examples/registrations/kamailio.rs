//! Kamailio as a registrar: one that takes any token without looking, and one that has Python check it.
//!
//! As Debian packages it and as it comes up it is slower than it needs to be, so it is set up as somebody would who cares:
//!
//! * `-x fm`: the default manager of shared memory is the one for debugging, and all of OpenSSL allocates there. Without
//!   this it takes two to three times the CPU on a standing connection.
//! * No session tickets, which our registrar does not hand out either. OpenSSL 3.0 decodes the session, with the client's
//!   certificate in it, once for each of the two tickets of TLS 1.3. Kamailio has no setting for it; OpenSSL's own file has.
//! * The server's certificate comes with its chain. Else OpenSSL builds and verifies the chain in each handshake, to find
//!   out what to send.
//!
//! What remains of a mutual handshake is OpenSSL 3.0, a quarter of it for reading the client's key out of the certificate.

use std::fmt;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Outcome;
use super::material::{Folder, ISSUER};
use super::process::{Server, Watched, free};

/// Its standard error, in the folder.
pub(crate) const LOG: &str = "kamailio.log";

const PORT: u16 = 25_090;

const NO_TICKETS: &str = "openssl_conf = all\n\
                          [all]\nssl_conf = ssl\n\
                          [ssl]\nsystem_default = contexts\n\
                          [contexts]\nOptions = -SessionTicket\n";

/// What it does with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: the header field is there.
    Nothing,
    /// Signature, decryption, issuer and expiry, by `check_token.py`.
    InPython,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Kamailio, no check",
            Self::InPython => "Kamailio, check in Python",
        })
    }
}

impl Check {
    /// The Debian packages it takes.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &["kamailio", "kamailio-tls-modules"],
            Self::InPython => &[
                "kamailio-python3-modules",
                "python3-jwt",
                "python3-cryptography",
            ],
        }
    }

    /// Those with their versions, or which of them is not installed.
    pub(crate) fn installed(self) -> Result<String, String> {
        let versions = self.packages().iter().map(|package| {
            let version = version(package).ok_or(format!("package {package} is not installed"))?;
            Ok(format!("{package} {version}"))
        });
        Ok(versions.collect::<Result<Vec<_>, String>>()?.join(", "))
    }
}

fn version(package: &str) -> Option<String> {
    let said = Command::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status} ${Version}", package])
        .output()
        .ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.strip_prefix("installed ").map(str::to_owned)
}

/// Where it listens.
pub(crate) fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, PORT).into()
}

/// Starts it with one process for connections, and with memory for many.
pub(crate) fn start(
    folder: &Folder,
    is_mutual: bool,
    check: Check,
    watched: Watched,
) -> Outcome<Server> {
    free(address())?;
    let chain = [
        fs::read(folder.file("server.pem"))?,
        fs::read(folder.file("ca.pem"))?,
    ];
    fs::write(folder.file("chain.pem"), chain.concat())?;
    fs::write(folder.file("openssl.cnf"), NO_TICKETS)?;
    fs::write(folder.file("tls.cfg"), tls(folder, is_mutual))?;
    fs::write(
        folder.file("check_token.py"),
        include_str!("check_token.py"),
    )?;
    fs::write(folder.file("kamailio.cfg"), configuration(folder, check))?;
    let mut command = watched.command("kamailio");
    command
        // In the foreground, log on the standard error; shared memory, and that of each process, in MB.
        .args(["-DD", "-E", "-x", "fm", "-m", "2048", "-M", "16", "-f"])
        .arg(folder.file("kamailio.cfg"))
        .arg("-Y")
        .arg(folder.path())
        .env("OPENSSL_CONF", folder.file("openssl.cnf"))
        .env("TOKEN_FOLDER", folder.path())
        .env("TOKEN_ISSUER", ISSUER)
        .stdout(Stdio::null());
    let mut server = Server::start(&mut command, File::create(folder.file(LOG))?)?;
    while server.child().try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(100));
        if TcpStream::connect(address()).is_ok() {
            std::thread::sleep(Duration::from_millis(300));
            return Ok(server);
        }
    }
    let log = fs::read_to_string(folder.file(LOG))?;
    Err(format!("Kamailio did not start:\n{log}").into())
}

fn tls(folder: &Folder, is_mutual: bool) -> String {
    let at = folder.path().display();
    let asks = if is_mutual { "yes" } else { "no" };
    format!(
        "[server:default]\n\
         method = TLSv1.2+\n\
         verify_certificate = {asks}\n\
         require_certificate = {asks}\n\
         certificate = {at}/chain.pem\n\
         private_key = {at}/server-key.pem\n\
         ca_list = {at}/ca.pem\n"
    )
}

fn configuration(folder: &Folder, check: Check) -> String {
    let at = folder.path().display();
    let modules = ["tls", "sl", "pv", "textops", "usrloc", "registrar"]
        .map(|module| format!("loadmodule \"{module}.so\"\n"))
        .concat();
    let (module, condition) = match check {
        Check::Nothing => (String::new(), "!is_present_hf(\"Proxy-Authorization\")"),
        Check::InPython => (
            format!(
                "loadmodule \"app_python3.so\"\n\
                 modparam(\"app_python3\", \"load\", \"{at}/check_token.py\")\n"
            ),
            "!is_present_hf(\"Proxy-Authorization\") || !python_exec(\"holds\", \"$hdr(Proxy-Authorization)\")",
        ),
    };
    format!(
        "#!KAMAILIO\n\
         debug=0\n\
         children=1\n\
         tcp_children=1\n\
         tcp_max_connections=12000\n\
         tls_max_connections=12000\n\
         tcp_connection_lifetime=3600\n\
         tcp_rd_buf_size=16384\n\
         enable_tls=yes\n\
         listen=tls:127.0.0.1:{PORT}\n\
         {modules}\
         {module}\
         modparam(\"tls\", \"config\", \"{at}/tls.cfg\")\n\
         modparam(\"usrloc\", \"db_mode\", 0)\n\
         request_route {{\n\
           if (!is_method(\"REGISTER\")) {{ sl_send_reply(\"405\", \"Method Not Allowed\"); exit; }}\n\
           if ({condition}) {{\n\
             append_to_reply(\"Proxy-Authenticate: Bearer realm=\\\"ccmsipline\\\"\\r\\n\");\n\
             sl_send_reply(\"407\", \"Proxy Authentication Required\");\n\
             exit;\n\
           }}\n\
           save(\"location\");\n\
         }}\n"
    )
}
