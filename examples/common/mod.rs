//! What the examples share: input from files and URLs, each failure as one sentence.

// Each example is a program of its own and uses a part of this.
#![allow(dead_code)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sip_oauth::token::AccessToken;
use sip_oauth::tokio::{ConfigFetch, Connector};
use sip_oauth::trust::{LiveTrustStore, Source, TrustStore};

/// The bytes of a file, or of what an `http://` URL names.
pub(crate) async fn file_or_url(place: &str) -> Result<Vec<u8>, String> {
    if place.starts_with("http://") || place.starts_with("https://") {
        let fetched = ConfigFetch::new(Connector::new()).get(place).await;
        return fetched
            .map(|file| file.bytes.to_vec())
            .map_err(|error| error.to_string());
    }
    read(Path::new(place))
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

/// The certificates of a PEM file as a store to trust.
pub(crate) fn read_trust(name: &str, path: &Path) -> Result<Arc<LiveTrustStore>, String> {
    TrustStore::from_pem(name, &read(path)?, &Source::File(path.to_owned()))
        .map(|store| Arc::new(LiveTrustStore::new(store)))
        .map_err(|error| error.to_string())
}
