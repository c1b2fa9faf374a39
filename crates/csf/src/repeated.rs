//! Elements that decide and stand twice: the first is read here, another reader may read the last.

use crate::document::Element;
use crate::finding::Judge;
use crate::rule::Rule;

/// Elements by the path of the one they stand in, in which each may stand once.
const ONCE: [(&[&str], &[&str]); 9] = [
    (
        &[],
        &[
            "fullConfig",
            "deviceProtocol",
            "devicePool",
            "TVS",
            "sipProfile",
            "deviceSecurityMode",
            "transportLayerProtocol",
            "capfAuthMode",
            "capfList",
            "certHash",
            "encrConfig",
            "phoneServices",
            "sipOAuthMode",
        ],
    ),
    (
        &["devicePool"],
        &["callManagerGroup", "srstInfo", "connectionMonitorDuration"],
    ),
    (&["devicePool", "callManagerGroup"], &["members"]),
    (
        &["devicePool", "srstInfo"],
        &[
            "srstOption",
            "sipIpAddr1",
            "sipPort1",
            "sipIpAddr2",
            "sipPort2",
            "sipIpAddr3",
            "sipPort3",
            "isSecure",
        ],
    ),
    (&["TVS"], &["members"]),
    (
        &["sipProfile"],
        &[
            "sipStack",
            "startMediaPort",
            "stopMediaPort",
            "sipLines",
            "voipControlPort",
        ],
    ),
    (
        &["sipProfile", "sipStack"],
        &[
            "sipInviteRetx",
            "sipRetx",
            "timerInviteExpires",
            "timerRegisterExpires",
            "timerRegisterDelta",
            "timerKeepAliveExpires",
            "timerSubscribeExpires",
            "timerSubscribeDelta",
            "timerT1",
            "timerT2",
            "maxRedirects",
        ],
    ),
    (&["capfList", "capf"], &["phonePort", "processNodeName"]),
    (&["phoneServices"], &["provisioning"]),
];

/// The same in every `member` of the Unified CM group.
const ONCE_IN_MEMBER: [(&[&str], &[&str]); 4] = [
    (&[], &["callManager"]),
    (&["callManager"], &["name", "ports", "processNodeName"]),
    (
        &["callManager", "ports"],
        &[
            "ethernetPhonePort",
            "sipPort",
            "securedSipPort",
            "sipOAuthPort",
            "sipMRAOAuthPort",
            "mgcpPorts",
        ],
    ),
    (
        &["callManager", "ports", "mgcpPorts"],
        &["listen", "keepAlive"],
    ),
];

/// The same in every `line`.
const ONCE_IN_LINE: [(&[&str], &[&str]); 1] = [(
    &[],
    &[
        "featureID",
        "proxy",
        "port",
        "name",
        "contact",
        "authName",
        "authPassword",
    ],
)];

impl Judge<'_> {
    pub(crate) fn repeated(&mut self) {
        self.repeated_below(self.config.root(), &ONCE);
    }

    pub(crate) fn repeated_in_member(&mut self, member: Element<'_>) {
        self.repeated_below(member, &ONCE_IN_MEMBER);
    }

    pub(crate) fn repeated_in_line(&mut self, line: Element<'_>) {
        self.repeated_below(line, &ONCE_IN_LINE);
    }

    fn repeated_below(&mut self, top: Element<'_>, table: &[(&[&str], &[&str])]) {
        for (path, once) in table {
            let Some(parent) = top.descend(path) else {
                continue;
            };
            let mut counts = vec![0usize; once.len()];
            for child in parent.children() {
                let name = child.name();
                let count = once.iter().position(|&one| one == name);
                if let Some(count) = count.and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                    if *count == 2 {
                        let what = format!("<{name}> stands twice");
                        self.at(Rule::RepeatedElement, child, what);
                    }
                }
            }
        }
    }
}
