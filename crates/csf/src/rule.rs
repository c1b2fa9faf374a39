//! The rules a file is judged by, as one table.

use std::fmt;

/// How bad it is, in these three steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Registration may fail, or fails in some place.
    Warning,
    /// Registration fails.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Defines the rules: variant, doc, severity, why, fix.
macro_rules! rules {
    ($($(#[$meta:meta])* $variant:ident = $severity:ident, $why:literal, $fix:literal;)+) => {
        /// The rules a file is judged by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$meta])* $variant,)+
        }

        impl Rule {
            /// How bad a breach is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// Why a breach matters.
            pub const fn why(self) -> &'static str {
                match self { $(Self::$variant => $why,)+ }
            }

            /// What to do about a breach.
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)+ }
            }
        }
    };
}

rules! {
    /// A value is not of its type.
    UnreadableValue = Error,
        "A device cannot use the value, and what it does instead is not documented.",
        "Correct the value, or remove the text so that the default applies.";
    /// A value that registration can do without is not of its type.
    UnreadableSetting = Warning,
        "A device cannot use the value; registering does not need it.",
        "Correct the value, or remove the text so that the default applies.";
    /// An element that decides stands twice.
    RepeatedElement = Warning,
        "The first one is used here; another reader may use the last.",
        "Remove the one that is not meant.";
    /// `deviceProtocol` is not SIP.
    NotSip = Error,
        "SIP OAuth mode is for SIP devices.",
        "Choose SIP as the device protocol when the device is added.";
    /// `fullConfig` is false.
    ShortConfiguration = Error,
        "The short file only leads to an encrypted one, which SIP OAuth mode does not allow.",
        "Turn off TFTP Encrypted Config in the phone security profile and reset the device.";
    /// No member has a `processNodeName`.
    NoUsableNode = Error,
        "There is nothing to register to.",
        "Assign a device pool whose Cisco Unified CM group has nodes (System > Cisco Unified CM Group).";
    /// One member has no `processNodeName`.
    NodeWithoutName = Warning,
        "The node is left out, so that there is one less to fall back to.",
        "Check the node under System > Server and reset the device.";
    /// The same node stands twice.
    RepeatedNode = Warning,
        "Falling back to the node that has just failed helps nobody.",
        "Remove one of the two from the Cisco Unified CM group.";
    /// No line has a name.
    NoUsableLine = Error,
        "Every registration is of a line.",
        "Add a directory number to the device.";
    /// A line does not go to the nodes of the group.
    LineWithProxy = Warning,
        "The line goes to its own proxy, not to the nodes and ports of the Cisco Unified CM group.",
        "Set the proxy to USECALLMANAGER.";
    /// `encrConfig` is true with SIP OAuth mode on.
    EncryptedConfiguration = Error,
        "TFTP Encrypted Config is not supported with SIP OAuth mode.",
        "Turn off TFTP Encrypted Config in the phone security profile and reset the device.";
    /// Digest credentials with SIP OAuth mode on.
    DigestCredentials = Warning,
        "A phone security profile with OAuth must not have digest authentication enabled.",
        "Turn off Enable Digest Authentication in the phone security profile and reset the device.";
    /// SIP OAuth mode on, security mode not encrypted.
    NotEncrypted = Error,
        "OAuth authentication exists only in profiles with Device Security Mode Encrypted.",
        "Set Device Security Mode to Encrypted in the phone security profile.";
    /// SIP OAuth mode on, transport not TLS.
    NotTls = Error,
        "The OAuth ports speak TLS only.",
        "Set Transport Type to TLS in the phone security profile.";
    /// SIP OAuth mode on, a node without OAuth ports.
    NodeWithoutOauthPorts = Error,
        "A node older than 12.5, or one without the feature, does not listen for tokens; 5090 and 5091 are only assumed.",
        "Upgrade the node, or take it out of the Cisco Unified CM group; then reset the device.";
    /// SIP OAuth mode on, one of the two OAuth ports missing.
    OauthPortMissing = Warning,
        "The product's default is assumed, which the node may not use.",
        "Set the port under System > Cisco Unified CM for the node and reset the device.";
    /// Two ports of a node are the same.
    PortsEqual = Error,
        "Two listeners cannot share a port: what arrives is judged by the wrong one, or refused.",
        "Give each its own port under System > Cisco Unified CM, and refresh the servers on Expressway-C.";
    /// An OAuth port outside of 1024 to 49151.
    PortOutOfRange = Error,
        "Unified CM takes 1024 to 49151 for the SIP OAuth ports.",
        "Set a port in that range under System > Cisco Unified CM.";
    /// A node's name is an address, or has no domain.
    HostNotFqdn = Warning,
        "The Tomcat certificate carries the fully qualified name, and Expressway-C verifies it by that name.",
        "Set the node's fully qualified domain name under System > Server.";
    /// A CAPF operation is pending with SIP OAuth mode on.
    CapfPending = Note,
        "A device with SIP OAuth mode on needs no certificate of its own.",
        "Set Certificate Operation to No Pending Operation, unless the certificate is wanted for something else.";
    /// Transport TLS without a security mode, SIP OAuth mode off.
    TlsWithoutSecurity = Error,
        "TLS needs a security mode of Authenticated or Encrypted when there is no token.",
        "Set Device Security Mode and Transport Type together in the phone security profile.";
    /// SIP OAuth mode is off.
    SipOauthOff = Note,
        "The device registers without a token on the ports for TCP, UDP or TLS with certificates.",
        "If the profile says otherwise: utils sipOAuth-mode enable, restart the Cisco CallManager service, reset the device.";
    /// The refresh would come after the end.
    DeltaTooLong = Warning,
        "The refresh is due before the registration has begun.",
        "Set Timer Register Delta in the SIP profile below Timer Register Expires.";
    /// The refresh would come within 20 seconds.
    RefreshTooSoon = Warning,
        "A client that counts a refresh within 20 seconds as no expiry registers again and again.",
        "Raise Timer Register Expires in the SIP profile.";
    /// The file of a device of kind CSF lacks elements that kind insists on.
    RefusedByCsf = Error,
        "The Client Services Framework refuses a file without them.",
        "Fetch the file from the node again; it was changed, or not written by Unified CM.";
    /// Elements that a Jabber client insists on are missing, and the kind of the device is not known or another one.
    MissingForJabber = Note,
        "A Jabber client refuses a file without them; a desk phone does not.",
        "Fetch the file from the node again; it was changed, or not written by Unified CM.";
    /// The answer to `get_edge_config` names no User Data Service of the user's home cluster.
    NoHomeUds = Error,
        "A client outside reports \"XML didn't contain UDS server address\" and goes no further.",
        "Assign the user a home cluster and a UC service profile (User Management > End User).";
    /// `Telephony_Enabled` is false in a Jabber configuration.
    TelephonyDisabled = Error,
        "Without telephony the client registers no device.",
        "Set Telephony_Enabled to true, or remove it, in the Policies section of jabber-config.xml.";
    /// `CUCM` is left out of service discovery.
    UdsExcluded = Warning,
        "The client does not look for _cisco-uds, so that on premises nothing leads it to its node and to a token.",
        "Remove CUCM from ServiceDiscoveryExcludedServices in jabber-config.xml, unless clients are always outside.";
    /// A Jabber configuration names a TFTP server.
    TftpServerFixed = Note,
        "The device file comes from that server whatever the home node is, and may be that of another cluster.",
        "Remove the server from the Phone section of jabber-config.xml where clients discover their services.";
    /// A setting stands in another section of a Jabber configuration than it is documented in.
    SettingElsewhere = Warning,
        "A client looks for a setting in its section only, as far as is published.",
        "Move it to the section named.";
}
