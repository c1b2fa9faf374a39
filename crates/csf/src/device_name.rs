//! Names of devices, and of the files and addresses that follow from them.

use std::fmt;
use std::str::FromStr;

/// The name of a device, checked before it becomes part of a path.
///
/// `[A-Za-z0-9_.-]{1,50}`, and not `.` or `..` alone or in front: what a user types as a device name ends up in a file name and a URL.
///
/// ```
/// use sip_oauth_csf::{ConfigService, DeviceKind, DeviceName, FileForm};
///
/// let name: DeviceName = "CSFrado".parse()?;
/// assert_eq!(name.kind(), Some(DeviceKind::Csf));
/// assert_eq!(name.file_name(), "CSFrado.cnf.xml");
/// let url = name.url(FileForm::Plain, ConfigService::Plain, "cucm1.example.com");
/// assert_eq!(url, "http://cucm1.example.com:6970/CSFrado.cnf.xml");
/// assert!("../etc/passwd".parse::<DeviceName>().is_err());
/// # Ok::<(), sip_oauth_csf::DeviceNameError>(())
/// ```
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceName(String);

impl DeviceName {
    /// Checks `name`.
    ///
    /// # Errors
    ///
    /// [`DeviceNameError`] when it is empty, too long, begins with a dot or has a character outside `[A-Za-z0-9_.-]`.
    pub fn new(name: impl Into<String>) -> Result<Self, DeviceNameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(DeviceNameError::Empty);
        }
        if let Some((at, found)) = name.char_indices().find(|&(at, c)| {
            !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || (c == '.' && at > 0))
        }) {
            return Err(DeviceNameError::Character { found, at });
        }
        if name.len() > Self::MAX_LEN {
            return Err(DeviceNameError::TooLong { found: name.len() });
        }
        Ok(Self(name))
    }

    /// The longest name, in characters.
    pub const MAX_LEN: usize = 50;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind its prefix tells, or none for a name outside the product's convention.
    pub fn kind(&self) -> Option<DeviceKind> {
        DeviceKind::ALL
            .into_iter()
            .find(|kind| self.0.starts_with(kind.prefix()))
    }

    /// `<device>.cnf.xml`, the name of the plain file.
    pub fn file_name(&self) -> String {
        self.file_name_of(FileForm::Plain)
    }

    /// The name of the file in a form.
    pub fn file_name_of(&self, form: FileForm) -> String {
        format!("{}{}", self.0, form.suffix())
    }

    /// The name in a file name or path such as `spool/CSFrado.cnf.xml`, whichever form it has.
    ///
    /// # Errors
    ///
    /// [`DeviceNameError`] when what stands before the suffix is no device name.
    pub fn from_file_name(path: &str) -> Result<Self, DeviceNameError> {
        let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let stem = FileForm::ALL
            .map(FileForm::suffix)
            .into_iter()
            .chain([".xml"])
            .find_map(|suffix| file.strip_suffix(suffix))
            .unwrap_or(file);
        Self::new(stem)
    }

    /// The address of the file in a form on `host`, at the port of `service`.
    ///
    /// An IPv6 address is put in brackets. The host is the caller's, who should have it from a trusted place.
    pub fn url(&self, form: FileForm, service: ConfigService, host: &str) -> String {
        self.url_at(form, service, host, service.port())
    }

    /// As [`url`](Self::url) at a port of the caller's, for a lab or a forwarded port.
    pub fn url_at(&self, form: FileForm, service: ConfigService, host: &str, port: u16) -> String {
        service.url_of(host, port, &self.file_name_of(form))
    }

    /// `http://<host>:<port>/<device>.cnf.xml`, the address of the plain file.
    pub fn plain_url(&self, host: &str, port: u16) -> String {
        self.url_at(FileForm::Plain, ConfigService::Plain, host, port)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for DeviceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceName {
    type Err = DeviceNameError;

    fn from_str(name: &str) -> Result<Self, DeviceNameError> {
        Self::new(name)
    }
}

impl TryFrom<String> for DeviceName {
    type Error = DeviceNameError;

    fn try_from(name: String) -> Result<Self, DeviceNameError> {
        Self::new(name)
    }
}

impl From<DeviceName> for String {
    fn from(name: DeviceName) -> Self {
        name.0
    }
}

/// Why a text is no device name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceNameError {
    /// There is nothing.
    #[error("device name: expected 1 to 50 characters, found none")]
    Empty,
    /// More than [`DeviceName::MAX_LEN`].
    #[error("device name: expected at most 50 characters, found {found}")]
    TooLong {
        /// The number of characters.
        found: usize,
    },
    /// A character that does not belong there.
    #[error(
        "device name: expected letters, digits, '_', '-' or '.' (not in front), found {found:?} at byte {at}"
    )]
    Character {
        /// The first such character.
        found: char,
        /// The bytes before it.
        at: usize,
    },
}

/// What kind of device a name's prefix announces.
///
/// SIP OAuth mode is offered for all five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceKind {
    /// `CSF`: Jabber on a desktop (Cisco Unified Client Services Framework).
    Csf,
    /// `TCT`: Jabber on an iPhone.
    Tct,
    /// `BOT`: Jabber on an Android phone.
    Bot,
    /// `TAB`: Jabber on a tablet.
    Tab,
    /// `SEP` and a MAC address: a desk phone.
    Sep,
}

impl DeviceKind {
    const ALL: [Self; 5] = [Self::Csf, Self::Tct, Self::Bot, Self::Tab, Self::Sep];

    /// The three letters in front of the name.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Csf => "CSF",
            Self::Tct => "TCT",
            Self::Bot => "BOT",
            Self::Tab => "TAB",
            Self::Sep => "SEP",
        }
    }

    /// The phone type as the administration pages call it, or none for desk phones, which have one per model.
    pub const fn phone_type(self) -> Option<&'static str> {
        match self {
            Self::Csf => Some("Cisco Unified Client Services Framework"),
            Self::Tct => Some("Cisco Dual Mode for iPhone"),
            Self::Bot => Some("Cisco Dual Mode for Android"),
            Self::Tab => Some("Cisco Jabber for Tablet"),
            Self::Sep => None,
        }
    }
}

/// The forms a device's file has. SIP OAuth mode knows the plain one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileForm {
    /// `.cnf.xml`.
    Plain,
    /// `.cnf.xml.sgn`. At [`ConfigService::Token`] a phone asks for the file by this name, and receives the plain one.
    Signed,
    /// `.cnf.xml.enc.sgn`.
    EncryptedSigned,
}

impl FileForm {
    const ALL: [Self; 3] = [Self::Plain, Self::Signed, Self::EncryptedSigned];

    /// What stands behind the device's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => ".cnf.xml",
            Self::Signed => ".cnf.xml.sgn",
            Self::EncryptedSigned => ".cnf.xml.enc.sgn",
        }
    }
}

/// A service of a Unified CM node that hands out configuration files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigService {
    /// HTTP on 6970.
    Plain,
    /// HTTPS on 6971: phones in SIP OAuth mode come here with their token.
    Token,
    /// HTTPS on 6972.
    Tls,
}

impl ConfigService {
    /// The port the product listens on.
    pub const fn port(self) -> u16 {
        match self {
            Self::Plain => 6970,
            Self::Token => 6971,
            Self::Tls => 6972,
        }
    }

    /// The address of a file whose name is good in a path.
    pub(crate) fn url_of(self, host: &str, port: u16, file: &str) -> String {
        let bare_ipv6 = host.contains(':') && !host.starts_with('[');
        let (open, close) = if bare_ipv6 { ("[", "]") } else { ("", "") };
        format!("{}://{open}{host}{close}:{port}/{file}", self.scheme())
    }

    /// `http` or `https`.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Token | Self::Tls => "https",
        }
    }
}
