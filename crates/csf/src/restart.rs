//! Which changes of a file make a client register again.

use crate::config::DeviceConfig;
use crate::document::Element;

/// Elements whose change makes a client give up its registration and make another: nodes, ports, security, transport,
/// lines and the timers of registration. Others are taken over while it stays registered.
///
/// The list follows the behaviour of SIPCC, the stack these clients grew from; Cisco publishes none for Jabber.
const RESTART: [&[&str]; 13] = [
    &["deviceProtocol"],
    &["fullConfig"],
    &["encrConfig"],
    &["certHash"],
    &["capfAuthMode"],
    &["sipOAuthMode"],
    &["deviceSecurityMode"],
    &["transportLayerProtocol"],
    &["devicePool", "callManagerGroup", "members"],
    &["sipProfile", "sipLines"],
    &["sipProfile", "sipProxies"],
    &["sipProfile", "sipStack"],
    &["sipProfile", "voipControlPort"],
];

impl DeviceConfig {
    /// The elements that differ between this file and a newer one, and whose change makes a client register again.
    ///
    /// White space between elements, comments and the order of attributes do not count.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits};
    ///
    /// let old = DeviceConfig::read(b"<device><sipOAuthMode>0</sipOAuthMode></device>", &Limits::default())?;
    /// let new = DeviceConfig::read(b"<device> <sipOAuthMode>1</sipOAuthMode></device>", &Limits::default())?;
    /// assert_eq!(old.restart_reasons(&new), ["/device/sipOAuthMode"]);
    /// assert!(!old.is_restart_needed(&old));
    /// # Ok::<(), sip_oauth_csf::ReadError>(())
    /// ```
    pub fn restart_reasons(&self, new: &Self) -> Vec<String> {
        RESTART
            .iter()
            .filter(
                |names| match (self.root().descend(names), new.root().descend(names)) {
                    (None, None) => false,
                    (Some(old), Some(new)) => !same(old, new),
                    // An element without content says no more than a missing one.
                    (Some(one), None) | (None, Some(one)) => {
                        !(one.is_leaf() && one.text().trim().is_empty())
                    }
                },
            )
            .map(|names| format!("/{}/{}", Self::ROOT, names.join("/")))
            .collect()
    }

    /// Whether a client that registered by this file must register again by a newer one.
    pub fn is_restart_needed(&self, new: &Self) -> bool {
        !self.restart_reasons(new).is_empty()
    }
}

/// Whether two elements say the same. The depth of recursion is that of the document, which its limits bound.
fn same(old: Element<'_>, new: Element<'_>) -> bool {
    old.name() == new.name()
        && old.text().trim() == new.text().trim()
        && old.attributes().count() == new.attributes().count()
        && old.attributes().all(|attribute| {
            new.attribute(attribute.name())
                .is_some_and(|other| other.value() == attribute.value())
        })
        && old.children().count() == new.children().count()
        && old
            .children()
            .zip(new.children())
            .all(|(old, new)| same(old, new))
}
