//! A complete file in the product's document order and style.
//!
//! One element a line, no indentation, no self-closing tags, two spaces before the first attribute of a start tag. The
//! order is that of files Unified CM has written; the position of `<sipOAuthMode>` among its siblings is not published,
//! and is at the end of `<device>` here.

use crate::config::Srst;
use crate::device::{Device, LineSettings, Member, Setting};
use crate::services::TVS_PORT;
use crate::xml_writer::{WriteError, Writer};

impl Device {
    /// Writes the complete configuration file.
    ///
    /// Elements that a [`Device`] does not know are written with the values a SIP device usually has.
    ///
    /// # Errors
    ///
    /// [`WriteError`] when a text has a character XML does not allow, a name, address or keyword has white space around it, a
    /// setting's name is no name or its path is out of bounds, a port is 0, an SRST gateway has no address, or there are
    /// more of them than a file has places for: what is written can be read, and is then equal.
    pub fn to_xml(&self) -> Result<String, WriteError> {
        // A file with one line and a few nodes.
        let mut w = Writer::with_capacity(16 << 10);
        let ctiid = self.ctiid.to_string();
        w.open_with(
            "device",
            &[
                ("xsi:type", "axl:XIPPhone"),
                ("ctiid", &ctiid),
                ("uuid", &self.uuid),
            ],
        );
        self.head(&mut w);
        self.device_pool(&mut w);
        self.trust_verification_service(&mut w);
        self.sip_profile(&mut w);
        self.profile_and_vendor(&mut w);
        self.locales_and_urls(&mut w);
        self.tail(&mut w);
        w.close();
        w.finish()
    }

    fn head(&self, w: &mut Writer) {
        w.text("fullConfig", truth(self.full_config));
        w.texts(&[
            ("portalDefaultServer", ""),
            ("deviceProtocol", "SIP"),
            ("sshUserId", ""),
            ("sshPassword", ""),
            ("ipAddressMode", "0"),
            ("allowAutoConfig", "true"),
            ("dadEnable", "true"),
            ("redirectEnable", "false"),
            ("echoMultiEnable", "false"),
            ("ipPreferenceModeControl", "0"),
            ("ipMediaAddressFamilyPreference", "0"),
        ]);
        w.open("tzdata");
        w.texts(&[("tzolsonversion", ""), ("tzupdater", "")]);
        w.close();
        w.texts(&[
            ("mlppDomainId", "-1"),
            ("mlppIndicationStatus", "Default"),
            ("preemption", "Default"),
            ("executiveOverridePreemptable", "false"),
        ]);
    }

    fn device_pool(&self, w: &mut Writer) {
        open_with_uuid("devicePool", self.device_pool_uuid.as_deref(), w);
        w.text("revertPriority", "0");
        w.text("name", &self.device_pool);
        let uuid = self.date_time_setting_uuid.as_deref();
        open_with_uuid("dateTimeSetting", uuid, w);
        w.texts(&[
            ("name", "CMLocal"),
            ("dateTemplate", "D/M/Y"),
            ("timeZone", "Greenwich Standard Time"),
            ("olsonTimeZone", "Etc/GMT"),
        ]);
        w.open("ntps");
        w.close();
        w.close();
        w.open("callManagerGroup");
        w.text("name", &self.call_manager_group);
        w.text("tftpDefault", "true");
        w.open("members");
        for member in &self.members {
            write_member(member, w);
        }
        w.close();
        w.close();
        open_with_uuid("srstInfo", self.srst_uuid.as_deref(), w);
        w.text("name", &self.srst_name);
        w.word("srstOption", &self.srst_option);
        w.texts(&[
            ("userModifiable", "false"),
            ("ipAddr1", ""),
            ("port1", "2000"),
            ("ipAddr2", ""),
            ("port2", "2000"),
            ("ipAddr3", ""),
            ("port3", "2000"),
        ]);
        self.srst_gateways(w);
        w.text("isSecure", truth(self.srst_is_secure));
        w.close();
        w.text(
            "connectionMonitorDuration",
            &self.connection_monitor_duration.to_string(),
        );
        w.close();
    }

    fn srst_gateways(&self, w: &mut Writer) {
        const PLACES: [(&str, &str); 3] = Srst::GATEWAYS;
        if self.srst_gateways.len() > PLACES.len() {
            w.too_many("sipIpAddr", PLACES.len());
        }
        let mut gateways = self.srst_gateways.iter();
        for (address, port) in PLACES {
            let (host, number) = match gateways.next() {
                Some(gateway) if gateway.address.is_empty() => {
                    w.no_address(address);
                    ("", gateway.port)
                }
                Some(gateway) => (&*gateway.address, gateway.port),
                None => ("", Srst::SIP_PORT),
            };
            w.word(address, host);
            w.port(port, number);
            if address == "sipIpAddr1" {
                w.text("sipIpV6Addr1", "");
            }
        }
    }

    /// The trust verification service runs on the same nodes.
    fn trust_verification_service(&self, w: &mut Writer) {
        w.open("TVS");
        w.open("members");
        for member in &self.members {
            w.open_with("member", &[("priority", &member.priority.to_string())]);
            w.port("port", TVS_PORT);
            w.word("address", &member.process_node_name);
            w.close();
        }
        w.close();
        w.close();
    }

    fn sip_profile(&self, w: &mut Writer) {
        w.open("sipProfile");
        w.open("sipProxies");
        w.texts(&[
            ("backupProxy", "USECALLMANAGER"),
            ("backupProxyPort", "5060"),
            ("emergencyProxy", "USECALLMANAGER"),
            ("emergencyProxyPort", "5060"),
            ("outboundProxy", "USECALLMANAGER"),
            ("outboundProxyPort", "5060"),
            ("registerWithProxy", "true"),
        ]);
        w.close();
        w.open("sipCallFeatures");
        w.texts(&[
            ("cnfJoinEnabled", "true"),
            ("callForwardURI", "x-cisco-serviceuri-cfwdall"),
            ("callPickupURI", "x-cisco-serviceuri-pickup"),
            ("callPickupListURI", "x-cisco-serviceuri-opickup"),
            ("callPickupGroupURI", "x-cisco-serviceuri-gpickup"),
            ("meetMeServiceURI", "x-cisco-serviceuri-meetme"),
            ("abbreviatedDialURI", "x-cisco-serviceuri-abbrdial"),
            ("rfc2543Hold", "false"),
            ("callHoldRingback", "2"),
            ("URIDialingDisplayPreference", "1"),
            ("localCfwdEnable", "true"),
            ("semiAttendedTransfer", "true"),
            ("anonymousCallBlock", "2"),
            ("callerIdBlocking", "2"),
            ("dndControl", "0"),
            ("remoteCcEnable", "true"),
            ("retainForwardInformation", "false"),
        ]);
        w.close();
        self.sip_stack(w);
        w.texts(&[
            ("autoAnswerTimer", "1"),
            ("autoAnswerAltBehavior", "false"),
            ("autoAnswerOverride", "true"),
            ("transferOnhookEnabled", "false"),
            ("enableVad", "false"),
            ("preferredCodec", "none"),
            ("dtmfAvtPayload", "101"),
            ("dtmfDbLevel", "3"),
            ("dtmfOutofBand", "avt"),
            ("kpml", "3"),
        ]);
        w.text("phoneLabel", &self.phone_label);
        w.texts(&[
            ("stutterMsgWaiting", "0"),
            ("callStats", "true"),
            ("offhookToFirstDigitTimer", "15000"),
            ("T302Timer", "15000"),
            ("silentPeriodBetweenCallWaitingBursts", "10"),
            ("disableLocalSpeedDialConfig", "true"),
            ("poundEndOfDial", "false"),
        ]);
        w.port("startMediaPort", self.start_media_port);
        w.port("stopMediaPort", self.stop_media_port);
        w.texts(&[
            ("startVideoPort", "0"),
            ("stopVideoPort", "0"),
            ("organizationTopLevelDomain", ""),
        ]);
        w.open("sipLines");
        for line in &self.lines {
            write_line(line, w);
        }
        w.close();
        w.text("externalNumberMask", "");
        w.port("voipControlPort", self.voip_control_port);
        for (name, dscp, tcl) in DSCP {
            w.text_with(name, &[("tcl", tcl)], dscp);
        }
        w.texts(&[
            ("ringSettingBusyStationPolicy", "0"),
            ("dialTemplate", ""),
            ("softKeyFile", ""),
            ("alwaysUsePrimeLine", "false"),
            ("alwaysUsePrimeLineVoiceMail", "false"),
        ]);
        w.close();
    }

    fn sip_stack(&self, w: &mut Writer) {
        let stack = &self.sip_stack;
        w.open("sipStack");
        for (name, value) in [
            ("sipInviteRetx", stack.sip_invite_retx),
            ("sipRetx", stack.sip_retx),
            ("timerInviteExpires", stack.timer_invite_expires),
            ("timerRegisterExpires", stack.timer_register_expires),
            ("timerRegisterDelta", stack.timer_register_delta),
            ("timerKeepAliveExpires", stack.timer_keep_alive_expires),
            ("timerSubscribeExpires", stack.timer_subscribe_expires),
            ("timerSubscribeDelta", stack.timer_subscribe_delta),
            ("timerT1", stack.timer_t1),
            ("timerT2", stack.timer_t2),
            ("maxRedirects", stack.max_redirects),
        ] {
            w.text(name, &value.to_string());
        }
        w.texts(&[("remotePartyID", "true"), ("userInfo", "None")]);
        w.close();
    }

    fn profile_and_vendor(&self, w: &mut Writer) {
        // One digit per line.
        w.text("MissedCallLoggingOption", &"1".repeat(self.lines.len()));
        w.open("commonProfile");
        w.texts(&[
            ("phonePassword", ""),
            ("backgroundImageAccess", "true"),
            ("callLogBlfEnabled", "2"),
        ]);
        w.close();
        w.word("loadInformation", &self.load_information);
        w.word("inactiveLoadInformation", &self.inactive_load_information);
        for (level, settings) in [
            ("vendorConfig", &self.vendor_config),
            ("commonConfig", &self.common_config),
            ("enterpriseConfig", &self.enterprise_config),
        ] {
            w.open(level);
            let settings = settings
                .iter()
                .map(|Setting { name, value }| (&**name, &**value));
            w.settings(settings);
            w.close();
        }
        w.word("versionStamp", &self.version_stamp);
    }

    fn locales_and_urls(&self, w: &mut Writer) {
        w.open("userLocale");
        w.texts(&[
            ("name", "English_United_States"),
            ("uid", "1"),
            ("langCode", "en_US"),
            ("version", ""),
            ("winCharSet", "iso-8859-1"),
        ]);
        w.close();
        w.text("networkLocale", "United_States");
        w.open("networkLocaleInfo");
        w.texts(&[("name", "United_States"), ("uid", "64"), ("version", "")]);
        w.close();
        w.text(
            "deviceSecurityMode",
            &self.device_security_mode.code().to_string(),
        );
        w.text("idleTimeout", "0");
        for name in [
            "authenticationURL",
            "directoryURL",
            "idleURL",
            "informationURL",
            "messagesURL",
            "proxyServerURL",
            "servicesURL",
            "secureAuthenticationURL",
            "secureDirectoryURL",
            "secureUDSUsersAccessURL",
            "secureIdleURL",
            "secureInformationURL",
            "secureMessagesURL",
            "secureServicesURL",
        ] {
            w.text(name, "");
        }
    }

    fn tail(&self, w: &mut Writer) {
        w.texts(&[
            ("dscpForSCCPPhoneConfig", "96"),
            ("dscpForSCCPPhoneServices", "0"),
            ("dscpForCm2Dvce", "96"),
        ]);
        w.text(
            "transportLayerProtocol",
            &self.transport_layer_protocol.code().to_string(),
        );
        w.texts(&[
            ("dialToneSetting", "2"),
            ("dndCallAlert", "5"),
            ("phonePersonalization", "0"),
            ("rollover", "0"),
            ("singleButtonBarge", "0"),
            ("joinAcrossLines", "0"),
            ("autoCallPickupEnable", "false"),
            ("blfAudibleAlertSettingOfIdleStation", "0"),
            ("blfAudibleAlertSettingOfBusyStation", "0"),
        ]);
        w.text("capfAuthMode", &self.capf_auth_mode.code().to_string());
        w.open("capfList");
        for capf in &self.capf_list {
            w.open("capf");
            w.port("phonePort", capf.phone_port);
            w.word("processNodeName", &capf.process_node_name);
            w.close();
        }
        w.close();
        w.word("certHash", &self.cert_hash);
        w.text("encrConfig", truth(self.encr_config));
        w.text("advertiseG722Codec", "1");
        w.open("mobility");
        for name in [
            "handoffdn",
            "dtmfdn",
            "ivrdn",
            "dtmfHoldCode",
            "dtmfExclusiveHoldCode",
            "dtmfResumeCode",
            "dtmfTxfCode",
            "dtmfCnfCode",
        ] {
            w.text(name, "");
        }
        w.close();
        w.text("TLSResumptionTimer", "3600");
        w.word_with(
            "userId",
            &[("serviceProfileFile", "SPDefault.cnf.xml")],
            &self.user_id,
        );
        w.word_with(
            "ownerId",
            &[("serviceProfileFile", "SPDefault.cnf.xml")],
            &self.owner_id,
        );
        let secure = truth(self.phone_services_use_https);
        w.open_with("phoneServices", &[("useHTTPS", secure)]);
        w.text(
            "provisioning",
            &self.phone_service_provisioning.code().to_string(),
        );
        for service in &self.phone_services {
            let kind = service.kind.code().to_string();
            let category = service.category.to_string();
            w.open_with("phoneService", &[("type", &kind), ("category", &category)]);
            w.text("name", &service.name);
            w.word("url", &service.url);
            w.text("vendor", &service.vendor);
            w.text("version", &service.version);
            w.close();
        }
        w.close();
        w.text("sipOAuthMode", &self.sip_oauth_mode.code().to_string());
    }
}

/// `dscp…` elements of `sipProfile`: name, value, traffic class label.
const DSCP: [(&str, &str, &str); 6] = [
    ("dscpForAudio", "184", "default"),
    ("dscpVideo", "136", "default"),
    ("dscpAudioForVideo", "136", "default"),
    ("dscpForTelepresence", "128", "default"),
    ("dscpAudioForTelepresence", "128", "default"),
    ("dscpForPriorityAudio", "184", "default"),
];

fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn open_with_uuid(name: &'static str, uuid: Option<&str>, w: &mut Writer) {
    match uuid {
        Some(uuid) => w.open_with(name, &[("uuid", uuid)]),
        None => w.open(name),
    }
}

/// One node, alone.
pub(crate) fn member(member: &Member) -> Result<String, WriteError> {
    let mut w = Writer::with_capacity(1 << 10);
    write_member(member, &mut w);
    w.finish()
}

/// One line, alone.
pub(crate) fn line(line: &LineSettings) -> Result<String, WriteError> {
    let mut w = Writer::with_capacity(1 << 10);
    write_line(line, &mut w);
    w.finish()
}

fn write_member(member: &Member, w: &mut Writer) {
    w.open_with("member", &[("priority", &member.priority.to_string())]);
    w.open("callManager");
    w.text("name", &member.name);
    w.text("description", &member.description);
    w.open("ports");
    for (name, port) in [
        ("ethernetPhonePort", member.ports.ethernet_phone_port),
        ("sipPort", member.ports.sip_port),
        ("securedSipPort", member.ports.secured_sip_port),
        ("sipOAuthPort", member.ports.sip_oauth_port),
        ("sipMRAOAuthPort", member.ports.sip_mra_oauth_port),
    ] {
        w.port(name, port);
    }
    w.open("mgcpPorts");
    w.port("listen", member.ports.mgcp_listen_port);
    w.port("keepAlive", member.ports.mgcp_keep_alive_port);
    w.close();
    w.close();
    w.word("processNodeName", &member.process_node_name);
    w.close();
    w.close();
}

fn write_line(line: &LineSettings, w: &mut Writer) {
    let button = line.button.to_string();
    let index = line.line_index.map(|index| index.to_string());
    let index = index.as_deref().map(|index| ("lineIndex", index));
    let attributes: Vec<_> = std::iter::once(("button", &*button)).chain(index).collect();
    w.open_with("line", &attributes);
    w.text("featureID", "9");
    w.text("featureLabel", &line.feature_label);
    w.word("proxy", &line.proxy);
    w.port("port", line.port);
    w.word("name", &line.name);
    w.text("displayName", &line.display_name);
    w.open("autoAnswer");
    w.text("autoAnswerEnabled", "2");
    w.close();
    w.texts(&[
        ("callWaiting", "3"),
        ("sharedLine", "false"),
        ("messageWaitingLampPolicy", "1"),
        ("messageWaitingAMWI", "0"),
        ("messagesNumber", ""),
        ("ringSettingIdle", "4"),
        ("ringSettingActive", "5"),
    ]);
    w.word("contact", &line.contact);
    w.open("forwardCallInfoDisplay");
    w.texts(&[
        ("callerName", "true"),
        ("callerNumber", "false"),
        ("redirectedNumber", "false"),
        ("dialedNumber", "true"),
    ]);
    w.close();
    w.texts(&[("maxNumCalls", "6"), ("busyTrigger", "2")]);
    w.close();
}
