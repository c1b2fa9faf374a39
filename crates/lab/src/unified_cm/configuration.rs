//! `http://<node>:6970/<device>.cnf.xml`: the configuration server.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use hyper::{Method, Request, Response, StatusCode};
use sip_oauth_csf::{DeviceFile, DeviceName, LineSettings, Member};
use sip_oauth_registration::registrar::{
    Cluster, DeviceLine, DeviceRecord, DeviceSecurityMode, Listener, Node,
};

use crate::{
    Error,
    http::{Answers, plain, with_type},
};

/// The files as they were last generated. As on a real node a file is made when the device is reset, not when it is
/// fetched: between a change and the reset a device reads the old one.
#[derive(Debug, Default)]
pub(super) struct ConfigurationServer {
    files: Mutex<BTreeMap<DeviceName, String>>,
}

impl ConfigurationServer {
    /// Generates the file of `device` from what is configured now.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] when the device does not exist or its name cannot be one.
    pub(super) fn generate(
        &self,
        cluster: &Cluster,
        device: &str,
        uuid: &str,
    ) -> Result<(), Error> {
        let failed = |reason: &dyn std::fmt::Display| {
            Error::setup("configuration file", format!("{device}: {reason}"))
        };
        let record = cluster
            .device(device)
            .ok_or_else(|| failed(&"no such device"))?;
        let name = DeviceName::new(&record.name).map_err(|error| failed(&error))?;
        let file = device_file(cluster, record, name.clone(), uuid)
            .ok_or_else(|| failed(&"no node or no line"))?;
        let text = file.to_xml().map_err(|error| failed(&error))?;
        self.lock().insert(name, text);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceName, String>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for ConfigurationServer {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        }
        let file = request.uri().path().strip_prefix('/').and_then(|path| {
            let name = DeviceName::from_file_name(path).ok()?;
            // Signed and encrypted forms lead to the same name; only the plain one is here.
            let files = self.lock();
            files
                .get(&name)
                .filter(|_| path == name.file_name())
                .cloned()
        });
        match file {
            Some(text) => with_type(StatusCode::OK, "application/xml; charset=utf-8", text),
            None => plain(StatusCode::NOT_FOUND, "no such file\n"),
        }
    }
}

/// What the product would write for `device`: SIP OAuth if cluster mode and profile agree on it, else what the profile
/// says.
fn device_file(
    cluster: &Cluster,
    device: &DeviceRecord,
    name: DeviceName,
    uuid: &str,
) -> Option<DeviceFile> {
    let mut nodes = cluster.nodes().iter().map(member);
    let mut lines = device.lines.iter().map(line);
    let mut builder = DeviceFile::builder(name, uuid)
        .node(nodes.next()?)
        .line(lines.next()?);
    for node in nodes {
        builder = builder.node(node);
    }
    for line in lines {
        builder = builder.line(line);
    }
    let builder =
        builder.with(|settings| settings.owner_id = device.owner.clone().unwrap_or_default());
    let profile = cluster.profile(&device.profile)?;
    Some(if cluster.sip_oauth_mode_of(device) {
        builder.sip_oauth()
    } else if profile.device_security_mode == DeviceSecurityMode::NonSecure {
        builder.non_secure()
    } else {
        builder.encrypted()
    })
}

fn member(node: &Node) -> Member {
    let mut member = Member::new(node.name.as_str());
    member.ports.sip_port = node.ports.port(Listener::Sip);
    member.ports.secured_sip_port = node.ports.port(Listener::SipSecure);
    member.ports.sip_oauth_port = node.ports.port(Listener::SipOAuth);
    member.ports.sip_mra_oauth_port = node.ports.port(Listener::SipMraOAuth);
    member
}

fn line(line: &DeviceLine) -> LineSettings {
    let mut settings = LineSettings::new(line.name.as_str());
    if let Some(contact) = &line.contact {
        settings.contact.clone_from(contact);
    }
    settings
}
