//! What several tests need.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::path::PathBuf;

use sip_oauth_csf::{DeviceConfig, DeviceFile, Limits, LineSettings, Member};

/// A folder of the corpus, named by the environment variable `SIP_OAUTH_CORPUS`; none, said so by name, when absent.
pub(crate) fn corpus(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let path = root.join(folder);
    if path.is_dir() {
        Some(path)
    } else {
        println!("skipped: no corpus folder {folder} (set SIP_OAUTH_CORPUS)");
        None
    }
}

pub(crate) fn read(text: &str) -> DeviceConfig {
    DeviceConfig::read(text.as_bytes(), &Limits::default()).expect("the test's file is readable")
}

/// A Jabber client in SIP OAuth mode with two nodes.
pub(crate) fn jabber() -> DeviceFile {
    DeviceFile::builder(
        "CSFrado".parse().expect("a device name"),
        "7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e",
    )
    .node(Member::new("cucm1.example.com"))
    .node(Member::new("cucm2.example.com").oauth_ports(5190, 5191))
    .line(LineSettings::new("2001"))
    .sip_oauth()
}

/// A file whose members are given as written, under a mode, security mode and transport.
pub(crate) fn file(mode: &str, security: &str, transport: &str, members: &str) -> String {
    format!(
        "<device  xsi:type=\"axl:XIPPhone\" ctiid=\"24\">\n<deviceProtocol>SIP</deviceProtocol>\n<devicePool>\
         <callManagerGroup><members>{members}</members></callManagerGroup></devicePool>\n\
         <sipProfile><sipLines><line  button=\"1\"><featureID>9</featureID><proxy>USECALLMANAGER</proxy>\
         <name>2001</name></line></sipLines></sipProfile>\n\
         <deviceSecurityMode>{security}</deviceSecurityMode>\n\
         <transportLayerProtocol>{transport}</transportLayerProtocol>\n<sipOAuthMode>{mode}</sipOAuthMode>\n</device>\n"
    )
}

/// A member as the product writes it.
pub(crate) fn member(priority: &str, host: &str, ports: &str) -> String {
    format!(
        "<member  priority=\"{priority}\"><callManager><name>{host}</name><ports>{ports}</ports>\
         <processNodeName>{host}</processNodeName></callManager></member>"
    )
}

pub(crate) const OAUTH_PORTS: &str = "<sipPort>5060</sipPort><securedSipPort>5061</securedSipPort>\
    <sipOAuthPort>5090</sipOAuthPort><sipMRAOAuthPort>5091</sipMRAOAuthPort>";
