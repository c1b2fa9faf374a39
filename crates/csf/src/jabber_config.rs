//! The configuration file of Jabber clients.

use std::borrow::Cow;

use crate::device_name::ConfigService;
use crate::document::{Document, Element};
use crate::error::{ReadError, ValueError, shorten};
use crate::finding::Finding;
use crate::limits::Limits;
use crate::rule::Rule;
use crate::target::is_host;
use crate::value::{self, Value};
use crate::vendor::SettingText;

/// `jabber-config.xml`: how a client finds its services, before it has a device file.
///
/// | section | settings that have a getter | what they decide |
/// |---|---|---|
/// | `Policies` | `VoiceServicesDomain`, `ServiceDiscoveryExcludedServices` | whether and where the cluster is looked for |
/// | `Policies` | `ServicesDomainSsoEmailPrompt` | whether the user is asked for an address to find the home cluster by |
/// | any | `SSO_Enabled` | whether the user signs in at an identity provider |
/// | `Policies` | `Telephony_Enabled`, `Voicemail_Enabled` | which services the client uses |
/// | `Phone` | `TftpServer1`, `2`, `CcmcipServer1`, `2`, `CtiServer1`, `2` | servers that stand in for those that are discovered |
///
/// Everything else is reached by [`setting`](Self::setting). No published setting of this file switches OAuth: that is done
/// in Unified CM, and a client learns of it from the node that service discovery leads to. So what keeps a client from
/// being led there keeps it from getting a token; signing in without an identity provider does not, for tokens are issued
/// for a password too.
///
/// Names, sections and defaults are those of the "Parameters Reference Guide for Cisco Jabber". It has no section for
/// `SSO_Enabled`, which Cisco's guide to single sign-on names alone; that is read wherever it stands.
///
/// ```
/// use sip_oauth_csf::{ConfigService, ExcludedService, JabberConfig, Limits, Rule};
///
/// let file = b"<?xml version=\"1.0\" encoding=\"utf-8\"?><config version=\"1.0\"><Policies>\
///     <VoiceServicesDomain>voice.example.com</VoiceServicesDomain>\
///     <ServiceDiscoveryExcludedServices>WEBEX,CUCM</ServiceDiscoveryExcludedServices></Policies></config>";
/// let config = JabberConfig::read(file, &Limits::default())?;
/// assert_eq!(config.voice_services_domain().unwrap().value, "voice.example.com");
/// assert_eq!(config.excluded_services()?.value, [ExcludedService::Webex, ExcludedService::Cucm]);
/// assert_eq!(config.findings()[0].rule, Rule::UdsExcluded);
///
/// let url = JabberConfig::url(ConfigService::Plain, "cucm1.example.com");
/// assert_eq!(url, "http://cucm1.example.com:6970/jabber-config.xml");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct JabberConfig {
    document: Document,
}

/// A service that service discovery leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExcludedService {
    /// `WEBEX`: no lookup of the central authentication service; `_cisco-uds`, `_cuplogin` and `_collab-edge` are looked
    /// for.
    Webex,
    /// `CUCM`: `_cisco-uds` is not looked for; `_cuplogin` and `_collab-edge` are.
    Cucm,
    /// `CUP`: `_cuplogin` is not looked for.
    Cup,
}

impl ExcludedService {
    const EXPECTED: &str = "WEBEX, CUCM or CUP, with commas between them";

    fn from_text(text: &str) -> Option<Self> {
        [
            ("WEBEX", Self::Webex),
            ("CUCM", Self::Cucm),
            ("CUP", Self::Cup),
        ]
        .into_iter()
        .find_map(|(name, service)| text.eq_ignore_ascii_case(name).then_some(service))
    }
}

/// In place of a section: the setting is documented in none.
const ANY_SECTION: &str = "*";

/// The settings that have getters, with the section each is documented in.
const SETTINGS: [(&str, &str); 12] = [
    ("Policies", "ServiceDiscoveryExcludedServices"),
    ("Policies", "VoiceServicesDomain"),
    ("Policies", "ServicesDomainSsoEmailPrompt"),
    (ANY_SECTION, "SSO_Enabled"),
    ("Policies", "Telephony_Enabled"),
    ("Policies", "Voicemail_Enabled"),
    ("Phone", "TftpServer1"),
    ("Phone", "TftpServer2"),
    ("Phone", "CcmcipServer1"),
    ("Phone", "CcmcipServer2"),
    ("Phone", "CtiServer1"),
    ("Phone", "CtiServer2"),
];

impl JabberConfig {
    /// The name of the root element.
    pub const ROOT: &str = "config";

    /// The name of the file, unless a device's Cisco Support Field names another.
    pub const FILE_NAME: &str = "jabber-config.xml";

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`ReadError`] as for a device file.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        Ok(Self {
            document: Document::read(bytes, Self::ROOT, limits)?,
        })
    }

    /// The address of the file on `host`, at the port of `service`.
    pub fn url(service: ConfigService, host: &str) -> String {
        service.url_of(host, service.port(), Self::FILE_NAME)
    }

    /// The document tree.
    pub fn document(&self) -> &Document {
        &self.document
    }

    fn at(&self, section: &str, name: &str) -> Option<Element<'_>> {
        let root = self.document.root();
        if section == ANY_SECTION {
            return root.children().find_map(|section| section.child(name));
        }
        root.descend(&[section, name])
    }

    /// Any setting, by its section (`Client`, `Policies`, `Phone`, `Options` ...) and name.
    pub fn setting(&self, section: &str, name: &str) -> Option<Value<SettingText<'_>>> {
        SettingText::of(self.at(section, name))
    }

    /// `Policies/VoiceServicesDomain`: the domain whose `_collab-edge` and `_cisco-uds` records lead to the cluster,
    /// where it is not that of the account.
    pub fn voice_services_domain(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at("Policies", "VoiceServicesDomain"))
    }

    /// `Policies/ServiceDiscoveryExcludedServices`. Default none.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when one of them is none of the known services.
    pub fn excluded_services(&self) -> Result<Value<Vec<ExcludedService>>, ValueError> {
        value::parsed(
            self.at("Policies", "ServiceDiscoveryExcludedServices"),
            Vec::new(),
            ExcludedService::EXPECTED,
            |text| {
                text.split(',')
                    .map(|name| ExcludedService::from_text(name.trim()))
                    .collect()
            },
        )
    }

    /// `Policies/ServicesDomainSsoEmailPrompt`, `ON` or `OFF`: whether the user is asked for an address to find the home
    /// cluster by. Default off.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither.
    pub fn sso_email_prompt(&self) -> Result<Value<bool>, ValueError> {
        value::parsed(
            self.at("Policies", "ServicesDomainSsoEmailPrompt"),
            false,
            "ON or OFF",
            |text| match text {
                _ if text.eq_ignore_ascii_case("on") => Some(true),
                _ if text.eq_ignore_ascii_case("off") => Some(false),
                _ => None,
            },
        )
    }

    /// `SSO_Enabled`, in any section: whether the user signs in at the identity provider of a cluster that has one, and not
    /// with a user name and a password. Default true.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `true` or `1` nor `false` or `0`.
    pub fn sso_enabled(&self) -> Result<Value<bool>, ValueError> {
        value::boolean(self.at(ANY_SECTION, "SSO_Enabled"), true)
    }

    /// `Policies/Voicemail_Enabled`: whether the client uses a voicemail server. Default true.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `true` or `1` nor `false` or `0`.
    pub fn voicemail_enabled(&self) -> Result<Value<bool>, ValueError> {
        value::boolean(self.at("Policies", "Voicemail_Enabled"), true)
    }

    /// `Policies/Telephony_Enabled`: whether there is telephony, and so a registration, at all. Default true.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `true` or `1` nor `false` or `0`.
    pub fn telephony_enabled(&self) -> Result<Value<bool>, ValueError> {
        value::boolean(self.at("Policies", "Telephony_Enabled"), true)
    }

    /// `Phone/TftpServer1` and `2`: where device files are fetched, instead of from the node discovery leads to.
    pub fn tftp_servers(&self) -> Vec<Value<Cow<'_, str>>> {
        self.servers(["TftpServer1", "TftpServer2"])
    }

    /// `Phone/CcmcipServer1` and `2`: where the list of devices is fetched by clients that do not use UDS.
    pub fn ccmcip_servers(&self) -> Vec<Value<Cow<'_, str>>> {
        self.servers(["CcmcipServer1", "CcmcipServer2"])
    }

    /// `Phone/CtiServer1` and `2`: where desk phones are controlled.
    pub fn cti_servers(&self) -> Vec<Value<Cow<'_, str>>> {
        self.servers(["CtiServer1", "CtiServer2"])
    }

    /// Those that are not empty.
    fn servers(&self, names: [&str; 2]) -> Vec<Value<Cow<'_, str>>> {
        names
            .into_iter()
            .filter_map(|name| value::word(self.at("Phone", name)))
            .filter(|server| !server.value.is_empty())
            .collect()
    }

    /// Judges the file: what keeps a client from its node, and so from its token and its registration. The gravest
    /// first, then in document order; at most one for each setting that has a getter, and rule.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (section, name) in SETTINGS {
            self.judge_place(section, name, &mut findings);
            let Some(element) = self.at(section, name) else {
                continue;
            };
            let mut found = |rule, what: String| {
                findings.push(Finding::new(rule, element.content_position(), what));
            };
            let text = element.text();
            let text = text.trim();
            let is_server = section == "Phone" || name == "VoiceServicesDomain";
            if is_server && !text.is_empty() && !is_host(text) {
                let what = format!(
                    "expected a host name or an address, found {:?}",
                    shorten(text)
                );
                found(Rule::UnreadableValue, what);
            } else if name.starts_with("TftpServer") && !text.is_empty() {
                let what = format!("device files are fetched from {:?}", shorten(text));
                found(Rule::TftpServerFixed, what);
            }
            let unreadable = |error: ValueError| {
                let what = format!("expected {}, found {:?}", error.expected, error.found);
                Finding::new(Rule::UnreadableValue, error.position, what)
            };
            match name {
                "Telephony_Enabled" => match self.telephony_enabled() {
                    Ok(enabled) if enabled.value => {}
                    Ok(_) => found(Rule::TelephonyDisabled, "telephony is off".to_owned()),
                    Err(error) => findings.push(unreadable(error)),
                },
                "ServiceDiscoveryExcludedServices" => match self.excluded_services() {
                    Ok(services) if services.value.contains(&ExcludedService::Cucm) => found(
                        Rule::UdsExcluded,
                        "service discovery leaves out CUCM".to_owned(),
                    ),
                    Ok(_) => {}
                    Err(error) => findings.push(unreadable(error)),
                },
                "SSO_Enabled" => findings.extend(self.sso_enabled().err().map(unreadable)),
                "Voicemail_Enabled" => {
                    findings.extend(self.voicemail_enabled().err().map(unreadable));
                }
                "ServicesDomainSsoEmailPrompt" => {
                    findings.extend(self.sso_email_prompt().err().map(unreadable));
                }
                _ => {}
            }
        }
        findings
            .sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.position.offset));
        findings
    }

    /// A setting that stands twice, or in another section than it is documented in.
    fn judge_place(&self, section: &str, name: &str, findings: &mut Vec<Finding>) {
        let mut places = self
            .document
            .root()
            .children()
            .flat_map(|group| group.children_named(name));
        let first = places.next();
        if let Some(element) = first
            && let Some(group) = element.parent()
            && group.name() != section
            && section != ANY_SECTION
        {
            let what = format!(
                "<{name}> stands in <{}>, not in <{section}>",
                shorten(group.name())
            );
            findings.push(Finding::new(
                Rule::SettingElsewhere,
                element.position(),
                what,
            ));
        }
        if let Some(second) = places.next() {
            let what = format!("<{name}> stands twice");
            findings.push(Finding::new(Rule::RepeatedElement, second.position(), what));
        }
    }
}
