//! What else a file names: trust verification services and phone services.

use std::borrow::Cow;

use crate::config::DeviceConfig;
use crate::document::Element;
use crate::error::ValueError;
use crate::value::{self, Value};

/// `TVS/members/member`: a trust verification service, which a device asks about certificates it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustVerificationServer<'a> {
    /// `address`.
    pub address: Cow<'a, str>,
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

    /// `@type`: 0 services, 1 directories, 2 messages.
    pub fn kind(self) -> Option<Cow<'a, str>> {
        self.service.attribute("type").map(crate::Attribute::value)
    }

    /// `name`.
    pub fn name(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.service.child("name"))
    }

    /// `url`.
    pub fn url(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.service.child("url"))
    }
}

impl DeviceConfig {
    /// `TVS/members/member` in document order; members without an address are left out.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits};
    ///
    /// let file = b"<device><TVS><members><member priority=\"0\"><port>2445</port><address>cucm1.example.com</address>\
    ///     </member></members></TVS></device>";
    /// let config = DeviceConfig::read(file, &Limits::default())?;
    /// assert_eq!(config.trust_verification_servers()?[0].address, "cucm1.example.com");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trust_verification_servers(
        &self,
    ) -> Result<Vec<TrustVerificationServer<'_>>, ValueError> {
        let members = self.root().descend(&["TVS", "members"]);
        let members = members
            .into_iter()
            .flat_map(|members| members.children_named("member"));
        members
            .filter_map(|member| {
                let address = value::word(member.child("address"))
                    .filter(|address| !address.value.is_empty())?;
                let port = value::port(member.child("port"), 2445);
                Some(port.map(|port| TrustVerificationServer {
                    address: address.value,
                    port,
                }))
            })
            .collect()
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
