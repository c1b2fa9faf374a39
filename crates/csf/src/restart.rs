//! Which changes of a file make a client register again.

use std::borrow::Cow;

use crate::config::DeviceConfig;
use crate::document::Element;

/// Elements whose change makes a client give up its registration and make another: nodes, ports, security, transport,
/// lines, the timers of registration, and what SIP says in it. Others are taken over while it stays registered. Beside
/// each stands the value it has where it is missing or empty.
///
/// The list follows the behaviour of SIPCC, the stack these clients grew from; Cisco publishes none for Jabber.
const RESTART: [(&[&str], &str); 23] = [
    (&["deviceProtocol"], ""),
    (&["fullConfig"], "true"),
    (&["encrConfig"], "false"),
    (&["certHash"], ""),
    (&["capfAuthMode"], "0"),
    (&["sipOAuthMode"], "0"),
    (&["deviceSecurityMode"], "1"),
    (&["transportLayerProtocol"], "4"),
    (&["devicePool", "callManagerGroup", "members"], ""),
    (&["sipProfile", "sipLines"], ""),
    (&["sipProfile", "sipProxies"], ""),
    (&["sipProfile", "sipStack"], ""),
    (&["sipProfile", "sipCallFeatures", "remoteCcEnable"], ""),
    (&["sipProfile", "preferredCodec"], ""),
    (&["sipProfile", "dtmfAvtPayload"], ""),
    (&["sipProfile", "dtmfDbLevel"], ""),
    (&["sipProfile", "dtmfOutofBand"], ""),
    (&["sipProfile", "kpml"], ""),
    (&["sipProfile", "startMediaPort"], "16384"),
    (&["sipProfile", "natEnabled"], ""),
    (&["sipProfile", "natAddress"], ""),
    (&["sipProfile", "natReceivedProcessing"], ""),
    (&["sipProfile", "voipControlPort"], "5060"),
];

impl DeviceConfig {
    /// The elements that differ between this file and a newer one, and whose change makes a client register again.
    ///
    /// White space between elements, comments and the order of attributes do not count, nor whether a default is
    /// written: a file of an older cluster without `<sipOAuthMode>` says what one with mode 0 says.
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
            .filter(|&&(names, default)| {
                let (old, new) = (self.root().descend(names), new.root().descend(names));
                match (old, new) {
                    (Some(old), Some(new)) if !(is_value(old) && is_value(new)) => !same(old, new),
                    // A default that is written says no more than a missing or empty element.
                    _ => value_or(old, default) != value_or(new, default),
                }
            })
            .map(|(names, _)| format!("/{}/{}", Self::ROOT, names.join("/")))
            .collect()
    }

    /// Whether a client that registered by this file must register again by a newer one.
    pub fn is_restart_needed(&self, new: &Self) -> bool {
        !self.restart_reasons(new).is_empty()
    }
}

/// Whether an element is a value and nothing else.
fn is_value(element: Element<'_>) -> bool {
    element.is_leaf() && element.attributes().next().is_none()
}

/// What an element says; none when it says more than a value.
fn value_or<'a>(element: Option<Element<'a>>, default: &'a str) -> Option<Cow<'a, str>> {
    let Some(element) = element else {
        return Some(Cow::Borrowed(default));
    };
    let text = element.text();
    if !is_value(element) {
        None
    } else if text.trim().is_empty() {
        Some(Cow::Borrowed(default))
    } else {
        Some(Cow::Owned(text.trim().to_owned()))
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
