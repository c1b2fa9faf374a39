//! A registrar that knows many devices, and the requests of those devices: shared by the benches of registration.

use std::sync::Arc;
use std::time::SystemTime;

use sip_oauth_message::remotecc::{REGISTER_CONTENT_TYPE, RegisterBody};
use sip_oauth_registration::registrar::{
    Cluster, ClusterError, Database, DeviceLine, DeviceRecord, Node, NodePorts, Registrar,
    RegistrarConfig, SecurityProfile, SipOAuthMode,
};
use sip_oauth_token::Verifier;
use sip_oauth_token::issue::AuthorizationServer;

/// The node.
pub(crate) const NODE: &str = "ucm1.example.com";

/// Who owns every device.
pub(crate) const OWNER: &str = "anna";

/// A registrar of a running node in SIP OAuth mode with so many devices.
///
/// # Errors
///
/// As the cluster's own.
pub(crate) fn registrar(
    ports: NodePorts,
    devices: usize,
    verifier: Verifier,
) -> Result<Registrar, ClusterError> {
    let mut cluster = Cluster::new();
    cluster.add_node(Node::new(NODE, ports))?;
    cluster.set_refresh_login_flow(true);
    cluster.set_sip_oauth_mode(SipOAuthMode::Enabled)?;
    cluster.restart(NODE)?;
    cluster.put_profile(SecurityProfile::oauth("oauth"))?;
    for device in 0..devices {
        let name = format!("CSF{device:06}");
        let lines = [DeviceLine::new(&line(device))];
        cluster.put_device(DeviceRecord::csf(&name, "oauth", OWNER, lines))?;
    }
    let config = RegistrarConfig::unified_cm(NODE);
    Ok(Registrar::new(
        config,
        Database::new(cluster),
        Arc::new(verifier),
    ))
}

/// An access token of the owner in Unified CM's form: signed with RS256, then encrypted.
///
/// # Errors
///
/// When it cannot be signed.
pub(crate) fn token(
    server: &AuthorizationServer,
    now: SystemTime,
) -> Result<String, Box<dyn std::error::Error>> {
    let scopes = ["UnifiedCommunications:readwrite"];
    let issued = server.issue_access(OWNER, "C0ffee", &scopes, now)?;
    Ok(issued.token.expose().to_owned())
}

fn line(device: usize) -> String {
    format!("{}", 100_000 + device)
}

/// A REGISTER as Jabber writes it, in one of its calls, with or without the token.
pub(crate) fn request(device: usize, (call, cseq): (u32, u32), token: Option<&str>) -> Vec<u8> {
    let line = line(device);
    let body = RegisterBody::JABBER.encode();
    let credentials = token.map_or(String::new(), |token| {
        format!("Proxy-Authorization: Bearer token=\"{token}\"\r\n")
    });
    let mut bytes = format!(
        "REGISTER sip:{NODE} SIP/2.0\r\n\
         Via: SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK{cseq:08x}\r\n\
         From: <sip:{line}@{NODE}>;tag=005056aabbcc0d1a00004c5d-00006e7f\r\n\
         To: <sip:{line}@{NODE}>\r\n\
         Call-ID: 005056aa-bbcc{device:04x}-{call:08x}-00001ebd@192.0.2.10\r\n\
         Max-Forwards: 70\r\n\
         Date: Mon, 30 Mar 2020 11:03:19 GMT\r\n\
         CSeq: {cseq} REGISTER\r\n\
         User-Agent: Cisco-CSF\r\n\
         Contact: <sip:a1b2c3d4-0000-4000-8000-{device:012x}@192.0.2.10:62162;transport=tls>\
         ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{device:012x}>\"\
         ;+u.sip!devicename.ccm.cisco.com=\"CSF{device:06}\";+u.sip!model.ccm.cisco.com=\"503\";video\r\n\
         {credentials}\
         Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,X-cisco-callinfo,\
         X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,X-cisco-srtp-fallback,X-cisco-monrec,\
         X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1,X-cisco-graceful-reg,X-cisco-duplicate-reg\r\n\
         Expires: 3600\r\n\
         Content-Type: {REGISTER_CONTENT_TYPE}\r\n\
         Mime-Version: 1.0\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}
