//! Values that registration can do without and that cannot be read: who asks for all of a file, as
//! [`Device`](crate::Device) does, is told beforehand.

use crate::error::ValueError;
use crate::finding::Judge;
use crate::line::Line;
use crate::rule::{Rule, Severity};
use crate::services::TVS_PORT;
use crate::value;

impl Judge<'_> {
    /// A value, or a finding that it cannot be read. An error reads the file up to its place, so that none is made that
    /// would not be kept.
    fn setting<T>(&mut self, read: impl FnOnce() -> Result<T, ValueError>) {
        if !self.is_full(Severity::Warning)
            && let Err(error) = read()
        {
            self.unreadable(Rule::UnreadableSetting, error);
        }
    }

    pub(crate) fn settings(&mut self) {
        let config = self.config;
        self.setting(|| config.ctiid());
        if let Some(srst) = config.srst() {
            self.setting(|| srst.is_secure());
            for (address, port) in crate::Srst::GATEWAYS {
                let element = srst.element();
                if value::word(element.child(address)).is_some_and(|host| !host.value.is_empty()) {
                    self.setting(|| value::port(element.child(port), crate::Srst::SIP_PORT));
                }
            }
        }
        let members = config.root().descend(&["TVS", "members"]);
        let members = members
            .into_iter()
            .flat_map(|all| all.children_named("member"));
        for member in members {
            if value::word(member.child("address")).is_some_and(|host| !host.value.is_empty()) {
                self.setting(|| value::number_attribute(member, "priority"));
                self.setting(|| value::port(member.child("port"), TVS_PORT));
            }
        }
        let capfs = config.root().child("capfList");
        for capf in capfs.into_iter().flat_map(|all| all.children_named("capf")) {
            self.setting(|| value::port(capf.child("phonePort"), crate::CapfServer::PHONE_PORT));
        }
        self.setting(|| config.phone_services_use_https());
        self.setting(|| config.phone_service_provisioning());
        for service in config.phone_services() {
            self.setting(|| service.kind());
            self.setting(|| service.category());
        }
    }

    pub(crate) fn line_settings(&mut self, line: Line<'_>) {
        self.setting(|| line.line_index());
        self.setting(|| line.port());
    }
}
