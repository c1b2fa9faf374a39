//! Settings of the three vendor levels, and texts that may be passwords.

use std::borrow::Cow;
use std::fmt;

use crate::config::DeviceConfig;
use crate::document::Element;
use crate::value::{self, Value};

/// The text of a setting. Some settings are passwords, and their names are as many as there are models: `Debug` shows the
/// length, and there is no `Display`; [`as_str`](Self::as_str) is the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SettingText<'a>(Cow<'a, str>);

impl<'a> SettingText<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_owned(self) -> String {
        self.0.into_owned()
    }

    /// The text of an element, without the white space around it.
    pub(crate) fn of(element: Option<Element<'a>>) -> Option<Value<Self>> {
        Some(value::word(element)?.map(Self))
    }
}

impl PartialEq<str> for SettingText<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for SettingText<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for SettingText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// A level at which a vendor setting can be made. There are these three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VendorLevel {
    /// `vendorConfig`: the device itself.
    Device,
    /// `commonConfig`: its common phone profile.
    CommonProfile,
    /// `enterpriseConfig`: the cluster.
    Enterprise,
}

impl VendorLevel {
    /// In the order of precedence.
    pub const ALL: [Self; 3] = [Self::Device, Self::CommonProfile, Self::Enterprise];

    /// The element its settings stand in, a child of `<device>`.
    pub const fn element(self) -> &'static str {
        match self {
            Self::Device => "vendorConfig",
            Self::CommonProfile => "commonConfig",
            Self::Enterprise => "enterpriseConfig",
        }
    }
}

/// The first element with this path that is not empty. A group may stand more than once.
fn deciding<'a>(group: Element<'a>, path: &[&str]) -> Option<Element<'a>> {
    let (name, inner) = path.split_first()?;
    group.children_named(name).find_map(|child| {
        if inner.is_empty() {
            (!child.text().trim().is_empty()).then_some(child)
        } else {
            deciding(child, inner)
        }
    })
}

impl DeviceConfig {
    /// A vendor setting such as `webAccess`, and the level that decides: the device's `vendorConfig`, else the common
    /// phone profile's `commonConfig`, else the `enterpriseConfig`. An empty element does not decide. Jabber has groups in
    /// these levels, whose settings are asked for with a slash: `desktopClient/allowUserConfigureVoicemail`.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits, VendorLevel};
    ///
    /// let file = b"<device><vendorConfig><webAccess></webAccess></vendorConfig>\
    ///     <enterpriseConfig><webAccess>1</webAccess></enterpriseConfig></device>";
    /// let config = DeviceConfig::read(file, &Limits::default())?;
    /// let (level, text) = config.vendor_setting("webAccess").unwrap();
    /// assert_eq!((level, text.value.as_str()), (VendorLevel::Enterprise, "1"));
    /// # Ok::<(), sip_oauth_csf::ReadError>(())
    /// ```
    pub fn vendor_setting(&self, path: &str) -> Option<(VendorLevel, Value<SettingText<'_>>)> {
        VendorLevel::ALL.into_iter().find_map(|level| {
            let group = self.root().child(level.element())?;
            let names: Vec<&str> = path.split('/').collect();
            let text = SettingText::of(deciding(group, &names))?;
            Some((level, text))
        })
    }
}
