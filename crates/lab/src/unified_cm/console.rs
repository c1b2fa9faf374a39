//! The administrator's console: the commands of the documents, word for word.
//!
//! What the product prints for most of them is not public. `show open ports` has the form seen for another service and
//! `run sql` its row of names and row of `=`; all other output is ours, chosen to say plainly what is configured and
//! what is running.

use sip_oauth_registration::registrar::{Cluster, Database, Listener, SipOAuthMode};

use super::sql::{self, Table};

/// A command line, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// `utils sipOAuth-mode enable` and `disable`.
    SetMode(SipOAuthMode),
    /// `utils sipOAuth-mode status`.
    ModeStatus,
    /// `utils service restart Cisco CallManager`.
    RestartCallManager,
    /// `run sql <statement>`.
    Sql(&'a str),
    /// `show open ports regexp <pattern>`.
    OpenPorts(&'a str),
    /// `show key authz signing` and `encryption`.
    ShowKey(AuthzKey),
    /// `set key regen authz signing` and `encryption`.
    RegenerateKey(AuthzKey),
    /// Anything else.
    Unknown,
}

/// The two keys of the authorization server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthzKey {
    /// The RSA pair.
    Signing,
    /// The shared key.
    Encryption,
}

impl AuthzKey {
    fn word(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Encryption => "encryption",
        }
    }
}

impl<'a> Command<'a> {
    /// Reads a line. Commands are in lower case but for the words the product capitalises itself.
    pub(super) fn read(line: &'a str) -> Self {
        let line = line.trim();
        match line {
            "utils sipOAuth-mode enable" => Self::SetMode(SipOAuthMode::Enabled),
            "utils sipOAuth-mode disable" => Self::SetMode(SipOAuthMode::Disabled),
            "utils sipOAuth-mode status" => Self::ModeStatus,
            "utils service restart Cisco CallManager" => Self::RestartCallManager,
            "show key authz signing" => Self::ShowKey(AuthzKey::Signing),
            "show key authz encryption" => Self::ShowKey(AuthzKey::Encryption),
            "set key regen authz signing" => Self::RegenerateKey(AuthzKey::Signing),
            "set key regen authz encryption" => Self::RegenerateKey(AuthzKey::Encryption),
            _ => {
                if let Some(statement) = line.strip_prefix("run sql ") {
                    Self::Sql(statement)
                } else if let Some(pattern) = line.strip_prefix("show open ports regexp ") {
                    Self::OpenPorts(pattern.trim())
                } else {
                    Self::Unknown
                }
            }
        }
    }
}

/// `utils sipOAuth-mode enable` and `disable`.
pub(super) fn set_mode(database: &Database, mode: SipOAuthMode) -> Vec<String> {
    match database.edit(|cluster| cluster.set_sip_oauth_mode(mode)) {
        Ok(()) => vec![
            format!("Cluster SIPOAuth Mode is now {}.", mode_name(mode)),
            "Restart the Cisco CallManager service on every node that runs it.".to_owned(),
        ],
        Err(error) => vec![format!("Command failed: {error}.")],
    }
}

/// `show key authz`: the second half of the `kid`, which tells a node whose key was not replicated.
pub(super) fn key_line(key: AuthzKey, kid: &str) -> String {
    let checksum = kid.rsplit(':').next().unwrap_or(kid);
    format!("authz {} key checksum: {checksum}", key.word())
}

/// `set key regen authz`.
pub(super) fn regenerated(key: AuthzKey) -> Vec<String> {
    vec![
        format!("The authz {} key was regenerated; all tokens are invalid.", key.word()),
        "Restart the Cisco CallManager service on every node, and refresh the servers on Expressway-C.".to_owned(),
    ]
}

/// `utils sipOAuth-mode status`.
pub(super) fn mode_status(cluster: &Cluster) -> Vec<String> {
    let mut lines = vec![format!(
        "Cluster SIPOAuth Mode: {}",
        mode_name(cluster.sip_oauth_mode())
    )];
    for node in cluster.nodes_to_restart() {
        lines.push(format!(
            "Cisco CallManager on {node} runs with other values: restart it."
        ));
    }
    lines
}

/// `run sql`.
pub(super) fn run_sql(cluster: &Cluster, statement: &str) -> Vec<String> {
    match sql::select(statement, &tables(cluster)) {
        Ok(selection) => selection.lines(),
        Err(error) => vec![error.to_string()],
    }
}

/// `show open ports regexp`: the listeners of this node whose line holds the pattern. Alternatives are separated by
/// `|`; nothing else of a regular expression is understood.
pub(super) fn open_ports(node: &str, open: &[(Listener, u16)], pattern: &str) -> Vec<String> {
    let pid = std::process::id();
    let mut lines = vec!["Executing.. please wait.".to_owned()];
    lines.extend(
        open.iter()
            .zip(90..)
            .map(|((_, port), fd)| {
                format!("ccm {pid} ccmbase {fd}u IPv4 0 0t0 TCP {node}:{port} (LISTEN)")
            })
            .filter(|line| {
                pattern
                    .split('|')
                    .any(|alternative| line.contains(alternative))
            }),
    );
    lines
}

/// The tables a statement may select from.
pub(super) fn tables(cluster: &Cluster) -> Vec<Table> {
    let mode = match cluster.sip_oauth_mode() {
        SipOAuthMode::Disabled => "0",
        SipOAuthMode::Enabled => "1",
    };
    vec![
        Table {
            name: "processconfig",
            columns: &["paramname", "paramvalue"],
            rows: vec![vec!["ClusterSIPOAuthMode".to_owned(), mode.to_owned()]],
        },
        // The names of these columns are ours, after the names AXL gives the fields.
        Table {
            name: "expresswaycconfiguration",
            columns: &[
                "hostnameorip",
                "description",
                "x509subjectnameorsubjectalternatename",
            ],
            rows: cluster
                .expressway_rows()
                .iter()
                .map(|row| {
                    vec![
                        row.host_name_or_ip.clone(),
                        row.description.clone().unwrap_or_default(),
                        row.names.clone().unwrap_or_default(),
                    ]
                })
                .collect(),
        },
    ]
}

fn mode_name(mode: SipOAuthMode) -> &'static str {
    match mode {
        SipOAuthMode::Disabled => "disabled",
        SipOAuthMode::Enabled => "enabled",
    }
}

#[cfg(test)]
mod tests {
    use sip_oauth_registration::registrar::{Node, NodePorts};

    use super::*;

    fn database() -> Database {
        let mut cluster = Cluster::new();
        cluster
            .add_node(Node::new("ucm.example.com", NodePorts::default()))
            .unwrap();
        cluster.restart("ucm.example.com").unwrap();
        Database::new(cluster)
    }

    #[test]
    fn the_commands_of_the_documents_are_known_and_no_others() {
        assert_eq!(
            Command::read("utils sipOAuth-mode enable"),
            Command::SetMode(SipOAuthMode::Enabled)
        );
        assert_eq!(
            Command::read(" run sql select 1 "),
            Command::Sql("select 1")
        );
        assert_eq!(
            Command::read("show open ports regexp 5090"),
            Command::OpenPorts("5090")
        );
        assert_eq!(Command::read("utils sip-oauth enable"), Command::Unknown);
    }

    #[test]
    fn the_mode_is_configured_at_once_and_runs_after_a_restart() {
        let database = database();
        assert!(
            set_mode(&database, SipOAuthMode::Enabled)[0].contains("OAuth with Refresh Login Flow")
        );
        database.edit(|cluster| cluster.set_refresh_login_flow(true));
        assert_eq!(
            set_mode(&database, SipOAuthMode::Enabled)[0],
            "Cluster SIPOAuth Mode is now enabled."
        );
        let statement =
            "select paramvalue FROM processconfig WHERE paramname = 'ClusterSIPOAuthMode'";
        assert_eq!(run_sql(&database.read(), statement)[2], "1");
        assert_eq!(
            mode_status(&database.read()).len(),
            2,
            "a restart is still owed"
        );
        database
            .edit(|cluster| cluster.restart("ucm.example.com").map(|_| ()))
            .unwrap();
        assert_eq!(
            mode_status(&database.read()),
            ["Cluster SIPOAuth Mode: enabled"]
        );
    }

    #[test]
    fn open_ports_are_those_that_match() {
        let open = [(Listener::Sip, 5060), (Listener::SipOAuth, 5090)];
        assert_eq!(open_ports("ucm.example.com", &open, "5091").len(), 1);
        let lines = open_ports("ucm.example.com", &open, "5090");
        assert!(lines[1].ends_with("TCP ucm.example.com:5090 (LISTEN)"));
        assert_eq!(open_ports("ucm.example.com", &open, "5090|5060").len(), 3);
    }
}
