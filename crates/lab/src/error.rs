//! Why a lab does not run.

use thiserror::Error as ThisError;

/// A reason for a lab not to start or not to go on. What a scenario wants to see refused is not an error but part of
/// its report.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A port is taken.
    #[error(
        "port {port} ({purpose}) is in use on 127.0.0.1: stop what listens there, or run without product ports"
    )]
    PortInUse {
        /// The port.
        port: u16,
        /// What the lab wanted it for.
        purpose: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A certificate could not be made.
    #[error("certificate for {name}: {reason}")]
    Certificate {
        /// The subject.
        name: String,
        /// Why.
        reason: String,
    },
    /// A part of the lab refused its own configuration.
    #[error("{part}: {reason}")]
    Setup {
        /// Which part.
        part: &'static str,
        /// Why.
        reason: String,
    },
    /// A socket of the lab failed.
    #[error("{part}: {source}")]
    Socket {
        /// Which part.
        part: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn certificate(name: &str, cause: impl std::fmt::Display) -> Self {
        Self::Certificate {
            name: name.to_owned(),
            reason: cause.to_string(),
        }
    }

    pub(crate) fn setup(part: &'static str, cause: impl std::fmt::Display) -> Self {
        Self::Setup {
            part,
            reason: cause.to_string(),
        }
    }

    pub(crate) fn socket(part: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Socket { part, source }
    }
}
