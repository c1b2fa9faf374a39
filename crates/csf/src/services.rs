//! What else a file names: trust verification services and phone services.

use std::borrow::Cow;

use crate::config::DeviceConfig;
use crate::document::Element;
use crate::error::ValueError;
use crate::modes::{PhoneServiceKind, PhoneServiceProvisioning};
use crate::value::{self, Value};

/// The port of a trust verification service.
pub(crate) const TVS_PORT: u16 = 2445;

/// `TVS/members/member`: a trust verification service, which a device asks about certificates it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustVerificationServer<'a> {
    /// `@priority`: the lowest is asked first. Missing or empty counts as 0.
    pub priority: Value<u32>,
    /// `address`.
    pub address: Value<Cow<'a, str>>,
    /// `port`. Default 2445.
    pub port: Value<u16>,
}

/// `phoneServices/phoneService`: an entry of the services, directories or messages menu.
#[derive(Debug, Clone, Copy)]
pub struct PhoneService<'a> {
    service: Element<'a>,
}

impl<'a> PhoneService<'a> {
    /// The `phoneService` element.
    pub fn element(self) -> Element<'a> {
        self.service
    }

    /// `@type`: the menu it stands in. Default services.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is none of the known numbers.
    pub fn kind(self) -> Result<Value<PhoneServiceKind>, ValueError> {
        value::attribute_or(
            self.service,
            "type",
            PhoneServiceKind::Services,
            PhoneServiceKind::EXPECTED,
            PhoneServiceKind::from_text,
        )
    }

    /// `@category`. Default 0.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is no number.
    pub fn category(self) -> Result<Value<u32>, ValueError> {
        value::number_attribute_or_0(self.service, "category")
    }

    /// `name`.
    pub fn name(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.service.child("name"))
    }

    /// `url`.
    pub fn url(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.service.child("url"))
    }

    /// `vendor`.
    pub fn vendor(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.service.child("vendor"))
    }

    /// `version`.
    pub fn version(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.service.child("version"))
    }
}

impl DeviceConfig {
    /// `TVS/members/member` by priority, equals in document order; members without an address are left out.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a priority is no number, or something else than a port from 1 to 65535 is written.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits};
    ///
    /// let file = b"<device><TVS><members><member priority=\"0\"><port>2445</port><address>cucm1.example.com</address>\
    ///     </member></members></TVS></device>";
    /// let config = DeviceConfig::read(file, &Limits::default())?;
    /// assert_eq!(config.trust_verification_servers()?[0].address.value, "cucm1.example.com");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trust_verification_servers(
        &self,
    ) -> Result<Vec<TrustVerificationServer<'_>>, ValueError> {
        let members = self.root().descend(&["TVS", "members"]);
        let members = members
            .into_iter()
            .flat_map(|members| members.children_named("member"));
        let mut servers = Vec::new();
        for member in members {
            let address = value::word(member.child("address"));
            if let Some(address) = address.filter(|address| !address.value.is_empty()) {
                servers.push(TrustVerificationServer {
                    priority: value::number_attribute_or_0(member, "priority")?,
                    address,
                    port: value::port(member.child("port"), TVS_PORT)?,
                });
            }
        }
        // The sort is stable, which keeps document order.
        servers.sort_by_key(|server| server.priority.value);
        Ok(servers)
    }

    /// `phoneServices/provisioning`. Default internal.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is none of the known numbers.
    pub fn phone_service_provisioning(
        &self,
    ) -> Result<Value<PhoneServiceProvisioning>, ValueError> {
        value::parsed(
            self.root().descend(&["phoneServices", "provisioning"]),
            PhoneServiceProvisioning::Internal,
            PhoneServiceProvisioning::EXPECTED,
            PhoneServiceProvisioning::from_text,
        )
    }

    /// `phoneServices/@useHTTPS`. Default false.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `true` or `1` nor `false` or `0`.
    pub fn phone_services_use_https(&self) -> Result<Value<bool>, ValueError> {
        let Some(services) = self.root().child("phoneServices") else {
            return Ok(Value::missing(false));
        };
        let (expected, parse) = (value::BOOLEAN, value::parse_boolean);
        value::attribute_or(services, "useHTTPS", false, expected, parse)
    }

    /// `phoneServices/phoneService` in document order.
    pub fn phone_services(&self) -> impl Iterator<Item = PhoneService<'_>> {
        let services = self.root().child("phoneServices");
        services
            .into_iter()
            .flat_map(|services| services.children_named("phoneService"))
            .map(|service| PhoneService { service })
    }
}
