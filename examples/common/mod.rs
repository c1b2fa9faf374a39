//! What the examples share: input from files and URLs, each failure as one sentence.

// Each example is a program of its own and uses a part of this.
#![allow(dead_code)]

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use sip_oauth::csf::{DeviceConfig, DeviceName, Finding};
use sip_oauth::token::AccessToken;
use sip_oauth::tokio::{ConfigFetch, Connector, StaticResolver, SystemResolver};
use sip_oauth::trust::{LiveTrustStore, ServerVerifier, Source, TrustStore, default_provider};

/// The bytes of a file, or of what a URL names.
pub(crate) async fn file_or_url(place: &str, connector: Connector) -> Result<Vec<u8>, String> {
    if place.starts_with("http://") || place.starts_with("https://") {
        let fetched = ConfigFetch::new(connector).get(place).await;
        return fetched
            .map(|file| file.bytes.to_vec())
            .map_err(|error| error.to_string());
    }
    read(Path::new(place))
}

/// An address for a name, as `name=address`.
pub(crate) fn name_and_address(text: &str) -> Result<(String, IpAddr), String> {
    let (name, address) = text
        .split_once('=')
        .ok_or("expected name=address, for example ucm-pub.example.com=192.0.2.10")?;
    let address = address.parse().map_err(|error| format!("{error}"))?;
    Ok((name.to_owned(), address))
}

/// Connects to these names at these addresses, to others as usual.
pub(crate) fn connector(resolve: &[(String, IpAddr)]) -> Connector {
    let mut names = StaticResolver::new().falling_back_to(Arc::new(SystemResolver));
    for (name, address) in resolve {
        names = names.with(name, *address);
    }
    Connector::new().with_resolver(Arc::new(names))
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

/// A text file.
pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    String::from_utf8(read(path)?)
        .map_err(|error| format!("{}: is not UTF-8 text: {error}", path.display()))
}

/// An access token from a file of one line; the line end that editors leave is not part of it.
pub(crate) fn read_token(path: &Path) -> Result<AccessToken, String> {
    let text = read_text(path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    AccessToken::parse(line).map_err(|error| format!("{}: {error}", path.display()))
}

/// The same, with TLS to servers whose certificates lead to one of a PEM file.
pub(crate) fn with_trust(connector: Connector, trust: &Path) -> Result<Connector, String> {
    let store = read_trust("of --trust", trust)?;
    let provider = default_provider().map_err(|error| error.to_string())?;
    let verifier = ServerVerifier::builder(store, provider).build();
    connector
        .with_verifier(Arc::new(verifier), None)
        .map_err(|error| error.to_string())
}

/// What is found in a file of the kind of device that its name tells.
pub(crate) fn findings(file: &str, config: &DeviceConfig) -> Vec<Finding> {
    let name = DeviceName::from_file_name(file).ok();
    match name.and_then(|name| name.kind()) {
        Some(kind) => config.findings_for(kind),
        None => config.findings(),
    }
}

/// The certificates of a PEM file as a store to trust.
pub(crate) fn read_trust(name: &str, path: &Path) -> Result<Arc<LiveTrustStore>, String> {
    TrustStore::from_pem(name, &read(path)?, &Source::File(path.to_owned()))
        .map(|store| Arc::new(LiveTrustStore::new(store)))
        .map_err(|error| error.to_string())
}
