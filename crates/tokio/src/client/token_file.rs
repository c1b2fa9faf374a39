//! A token in a file, which somebody else keeps fresh.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sip_oauth_token::{AccessToken, MAX_TOKEN_BYTES};
use zeroize::Zeroizing;

use super::token_source::{ObtainedToken, TokenRequest, TokenSource, TokenUnavailable};
use crate::{clock::Clock, resolver::BoxFuture};

/// Reads a file each time a token is wanted: another program writes it, as sign-in agents and secret stores do.
///
/// The file holds the token and nothing else; white space at its end is cut. A token that a registrar has refused is not
/// given again.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sip_oauth_registration::client::TokenReason;
/// use sip_oauth_tokio::{TokenFile, TokenRequest, TokenSource as _};
///
/// let source = TokenFile::new("/nowhere/token");
/// let error = source.token(&TokenRequest::new(TokenReason::Challenged, None)).await.unwrap_err();
/// assert!(error.to_string().starts_with("token file /nowhere/token: "));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
    lifetime: Option<Duration>,
    clock: Clock,
}

impl TokenFile {
    /// Reads `path` each time.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            lifetime: None,
            clock: Clock::real(),
        }
    }

    /// Says that a token is good for `lifetime` from the file's last change, so that the file is read again at 75 % of it.
    /// Without this it is read again when a registrar refuses the token.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets the clock by which the file's age is reckoned.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    async fn read(&self, request: &TokenRequest) -> Result<ObtainedToken, TokenUnavailable> {
        let path = self.path.clone();
        // A file may lie on a network share: not on a thread that moves bytes.
        let read = tokio::task::spawn_blocking(move || read(&path))
            .await
            .map_err(|_| self.failed("reading it was given up"))?;
        let (token, changed_at) = read.map_err(|error| self.failed(&error))?;
        let is_held = request.held.as_ref() == Some(&token);
        if request.is_rejected() && is_held {
            return Err(self.failed(
                "it still holds the token that the registrar refused; write a new one into it",
            ));
        }
        let Some(lifetime) = self.lifetime else {
            return Ok(ObtainedToken::new(token));
        };
        let changed_at =
            changed_at.ok_or_else(|| self.failed("the time of its last change is not known"))?;
        let age = self
            .clock
            .system_now()
            .duration_since(changed_at)
            .unwrap_or_default();
        match lifetime.checked_sub(age) {
            Some(left) if !left.is_zero() => Ok(ObtainedToken::new(token).expires_in(left)),
            _ => Err(self.failed(&format!(
                "it was written {} s ago, and its token is good for {} s",
                age.as_secs(),
                lifetime.as_secs()
            ))),
        }
    }

    fn failed(&self, why: &(impl ToString + ?Sized)) -> TokenUnavailable {
        TokenUnavailable::new(format!(
            "token file {}: {}",
            self.path.display(),
            why.to_string()
        ))
    }
}

impl TokenSource for TokenFile {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<ObtainedToken, TokenUnavailable>> {
        Box::pin(self.read(request))
    }
}

fn read(path: &Path) -> io::Result<(AccessToken, Option<SystemTime>)> {
    let regular = |metadata: Metadata| {
        if metadata.is_file() {
            Ok(metadata)
        } else {
            Err(io::Error::other("not a regular file"))
        }
    };
    // Before it is opened: to open a FIFO that nobody writes to takes for ever, and a thread with it.
    regular(std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    // And after: the path may lead elsewhere by now.
    let metadata = regular(file.metadata()?)?;
    // One byte more than is taken, so that a larger file is refused rather than cut; and a few for the line's end.
    let most = MAX_TOKEN_BYTES + 16;
    let mut text = Zeroizing::new(String::with_capacity(most));
    file.take(most as u64).read_to_string(&mut text)?;
    let token = AccessToken::parse(text.trim_end())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    Ok((token, metadata.modified().ok()))
}
