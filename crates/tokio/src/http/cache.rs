//! The last copy of each configuration file, for when the server does not give it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::fetch::{ConfigFetch, FetchError, FetchFailure, FetchedConfig};

/// How many files are kept: a client fetches a few, its own and the default ones, from a few nodes.
const MAX_COPIES: usize = 64;

/// Fetches configuration files and keeps the last good copy of each.
///
/// A phone whose configuration server is out of reach goes on with the file it has. What it has may be old, and says so.
///
/// ```no_run
/// use sip_oauth_tokio::{ConfigCache, ConfigFetch, Connector};
/// # async fn example(connector: Connector) -> Result<(), Box<dyn std::error::Error>> {
///
/// let cache = ConfigCache::new(ConfigFetch::new(connector));
/// let copy = cache.get("http://ucm1.example.com:6970/CSFJDOE.cnf.xml").await?;
/// if let Some(error) = &copy.instead_of {
///     println!("going on with a file that is {:?} old: {error}", copy.age);
/// }
/// # Ok(()) }
/// ```
pub struct ConfigCache {
    fetch: ConfigFetch,
    copies: Mutex<HashMap<String, FetchedConfig>>,
}

impl fmt::Debug for ConfigCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigCache")
            .field("fetch", &self.fetch)
            .finish_non_exhaustive()
    }
}

/// A file, fresh or kept.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConfigCopy {
    /// The file.
    pub config: FetchedConfig,
    /// How long ago it was fetched; zero where it was fetched now.
    pub age: Duration,
    /// Why it is a kept copy and no fresh one.
    pub instead_of: Option<FetchError>,
}

impl ConfigCache {
    /// Keeps what `fetch` fetches.
    pub fn new(fetch: ConfigFetch) -> Self {
        Self {
            fetch,
            copies: Mutex::default(),
        }
    }

    /// Puts a copy that was kept elsewhere, on disk for example ([`FetchedConfig::new`]), under the URL it is asked for by.
    pub fn put(&self, url: &str, config: FetchedConfig) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        if copies.len() >= MAX_COPIES && !copies.contains_key(url) {
            let oldest = copies
                .iter()
                .min_by_key(|(_, copy)| copy.fetched_at)
                .map(|(url, _)| url.clone());
            oldest.map(|oldest| copies.remove(&oldest));
        }
        copies.insert(url.to_owned(), config);
    }

    /// The file at `url`: fetched now, or the copy kept where the server is out of reach or cannot give it now: 5xx, 408,
    /// 425, 429.
    ///
    /// Where the server says that it does not have the file, or does not give it to us, or leads elsewhere, that is an
    /// answer: the kept copy is forgotten and the error given.
    ///
    /// # Errors
    ///
    /// [`FetchError`], where there is no copy either.
    pub async fn get(&self, url: &str) -> Result<ConfigCopy, FetchError> {
        let error = match self.fetch.get(url).await {
            Ok(config) => {
                self.put(url, config.clone());
                return Ok(ConfigCopy {
                    config,
                    age: Duration::ZERO,
                    instead_of: None,
                });
            }
            Err(error) => error,
        };
        let unreachable = match error.failure {
            FetchFailure::Http(_) => true,
            FetchFailure::Status(status) => says_later(status),
            FetchFailure::NotFound
            | FetchFailure::Denied(_)
            | FetchFailure::BadRedirect
            | FetchFailure::RedirectElsewhere(_)
            | FetchFailure::TooManyRedirects(_) => false,
        };
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        if !unreachable {
            copies.remove(url);
            return Err(error);
        }
        match copies.get(url).cloned() {
            Some(config) => Ok(ConfigCopy {
                age: config.age(self.fetch.now()),
                config,
                instead_of: Some(error),
            }),
            None => Err(error),
        }
    }
}

/// Whether a status says nothing about the file but that now is not the time: RFC 9110 sections 15.5.9 and 15.6, RFC 8470
/// section 5.2, RFC 6585 section 4.
const fn says_later(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}
