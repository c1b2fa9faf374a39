//! Devices and their lines, as the administrator configured them.

/// What kind of client a device is; the granted expiry follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum DeviceKind {
    /// Desktop clients and phones: the SIP Station KeepAlive Interval applies.
    #[default]
    Station,
    /// Dual-mode clients on Android (BOT) and iPhone (TCT): Timer Register Expires of their SIP
    /// profile applies.
    DualMode {
        /// Timer Register Expires in seconds.
        timer_register_expires: u32,
    },
}

/// A line of a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DeviceLine {
    /// Its name, usually the directory number.
    pub name: String,
    /// Its contact, a GUID that its configuration file carries for the client to write into Contact. The
    /// registrar takes any; whether Unified CM does is not published.
    pub contact: Option<String>,
}

impl DeviceLine {
    /// A line without a contact of its own.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            contact: None,
        }
    }

    /// The same line with the contact of the configuration file.
    #[must_use]
    pub fn with_contact(mut self, contact: &str) -> Self {
        self.contact = Some(contact.to_owned());
        self
    }
}

/// A device as the administrator configured it (Device > Phone).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceRecord {
    /// Device Name.
    pub name: String,
    /// The model number: 503 for Client Services Framework.
    pub model: u16,
    /// The name of its phone security profile.
    pub profile: String,
    /// Owner User ID.
    pub owner: Option<String>,
    /// Its lines, first line first.
    pub lines: Vec<DeviceLine>,
    /// What kind of client it is.
    pub kind: DeviceKind,
}

impl DeviceRecord {
    /// A Client Services Framework device.
    pub fn csf(
        name: &str,
        profile: &str,
        owner: &str,
        lines: impl IntoIterator<Item = DeviceLine>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            model: 503,
            profile: profile.to_owned(),
            owner: Some(owner.to_owned()),
            lines: lines.into_iter().collect(),
            kind: DeviceKind::Station,
        }
    }

    /// The line of this name.
    pub fn line(&self, name: &str) -> Option<&DeviceLine> {
        self.lines.iter().find(|line| line.name == name)
    }
}
