//! How a REGISTER is written: the header fields, their order and their form.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use sip_oauth_message::header::{AlarmLoads, CiscoAlarm};
use sip_oauth_message::remotecc::{REGISTER_CONTENT_TYPE, RegisterBody};
use sip_oauth_message::uri::EscapedUser;
use sip_oauth_message::{
    BearerCredentials, BearerForm, HeaderName, Host, Method, Request, SecretValue, Text, Uri,
};

use super::config::{Alarm, ClientConfig, Dialect, Target};
use super::series::Series;
use super::state::Transaction;
use crate::address::uri_host;
use crate::date::date;

/// Which header field carries credentials, and how they are written in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `Authorization`, the answer to a 401.
    Authorization,
    /// `Proxy-Authorization`, the answer to a 407.
    ProxyAuthorization,
}

impl Scheme {
    /// The one that answers a 401 or a 407.
    pub(super) fn answering(status: u16) -> Self {
        if status == 401 {
            Self::Authorization
        } else {
            Self::ProxyAuthorization
        }
    }

    /// The one used before any challenge.
    pub(super) fn of_dialect(dialect: &Dialect) -> Self {
        match dialect {
            Dialect::UnifiedCm => Self::ProxyAuthorization,
            Dialect::Rfc8898 { .. } => Self::Authorization,
        }
    }

    fn field_name(self) -> HeaderName<'static> {
        match self {
            Self::Authorization => HeaderName::Authorization,
            Self::ProxyAuthorization => HeaderName::ProxyAuthorization,
        }
    }
}

/// Everything a REGISTER is made from.
pub(super) struct Register<'a> {
    pub(super) config: &'a ClientConfig,
    pub(super) target: &'a Target,
    pub(super) local: SocketAddr,
    pub(super) series: &'a Series,
    pub(super) transaction: &'a Transaction,
    pub(super) scheme: Scheme,
    pub(super) asked: Duration,
    pub(super) alarm: Option<&'a Alarm>,
}

impl Register<'_> {
    /// The request, its header fields in the order Unified CM's clients write them. None where the
    /// node's name can be no host of a URI.
    pub(super) fn build(&self, wall: SystemTime) -> Option<Request> {
        let Self {
            config,
            target,
            series,
            transaction,
            ..
        } = self;
        let unified_cm = matches!(config.dialect, Dialect::UnifiedCm);
        let (node, line) = (uri_host(&target.node), EscapedUser(&config.line.name));
        let uri = format!("sip:{}", Host::parse(&node).ok()?);
        let mut request = Request::new(Method::Register, Uri::parse(&uri).ok()?);
        let headers = &mut request.headers;
        headers.push(
            HeaderName::Via,
            format_args!(
                "SIP/2.0/{} {};branch={}",
                target.transport.via_name(),
                self.local,
                transaction.exchange.branch()
            ),
        );
        if let Some(route) = &target.route {
            headers.push(HeaderName::Route, route);
        }
        headers.push(
            HeaderName::From,
            format_args!("<sip:{line}@{node}>;tag={}", series.from_tag),
        );
        headers.push(HeaderName::To, format_args!("<sip:{line}@{node}>"));
        headers.push(HeaderName::CallId, &series.call_id);
        headers.push(HeaderName::MaxForwards, 70);
        headers.push(HeaderName::Date, date(wall));
        headers.push(
            HeaderName::CSeq,
            format_args!("{} REGISTER", transaction.cseq),
        );
        headers.push(HeaderName::UserAgent, &config.device.user_agent);
        headers.push(HeaderName::Contact, self.contact());
        if let Some(credentials) = self.credentials() {
            headers.push_secret(None, self.scheme.field_name(), &credentials);
        }
        if !config.device.supported.is_empty() {
            headers.push(HeaderName::Supported, config.device.supported.join(","));
        }
        if let Some(alarm) = self.alarm.filter(|_| unified_cm) {
            headers.push(HeaderName::Reason, reason(config, alarm));
        }
        let leaving = transaction.purpose.is_for_nothing();
        headers.push(
            HeaderName::Expires,
            if leaving { 0 } else { self.asked.as_secs() },
        );
        if unified_cm && !leaving {
            headers.push(HeaderName::ContentType, REGISTER_CONTENT_TYPE);
            // As the product spells it.
            let written = headers.try_push("Mime-Version", "1.0");
            written.expect("the name is a token");
            request.body = RegisterBody::JABBER.encode();
        }
        let length = request.body.len();
        request.headers.push(HeaderName::ContentLength, length);
        Some(request)
    }

    /// The token in the dialect's form: `Bearer token="…"` or `Bearer …`.
    fn credentials(&self) -> Option<SecretValue> {
        let form = match self.config.dialect {
            Dialect::UnifiedCm => BearerForm::TokenParameter,
            Dialect::Rfc8898 { .. } => BearerForm::Token68,
        };
        let token = self.transaction.token.as_ref()?;
        // An `AccessToken` is a token68, which both forms can carry.
        let credentials = BearerCredentials::new(token.expose(), form).ok()?;
        Some(credentials.to_header_value())
    }

    /// The Contact, for example
    ///
    /// ```text
    /// <sip:GUID@192.0.2.10:62162;transport=tls>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-005056aabbcc>"
    /// ;+u.sip!devicename.ccm.cisco.com="CSFJDOE";+u.sip!model.ccm.cisco.com="503";video
    /// ```
    fn contact(&self) -> String {
        let Self { config, target, .. } = self;
        let device = &config.device;
        let mut contact = format!(
            "<sip:{}@{};transport={}>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{}>\"",
            EscapedUser(&config.line.contact),
            self.local,
            target.transport.uri_name(),
            device.instance.as_str(),
        );
        if matches!(config.dialect, Dialect::UnifiedCm) {
            write!(
                contact,
                ";+u.sip!devicename.ccm.cisco.com={};+u.sip!model.ccm.cisco.com=\"{}\"",
                Text::Plain(&device.name),
                device.model
            )
            .expect("writing into a String cannot fail");
            if device.video {
                contact.push_str(";video");
            }
        }
        contact
    }
}

/// `SIP;cause=200;text="cisco-alarm:25 Name=CSFJDOE ActiveLoad=… InactiveLoad=… Last=initialized"`.
fn reason(config: &ClientConfig, alarm: &Alarm) -> String {
    let load = &config.device.load;
    let alarm = CiscoAlarm {
        code: alarm.code,
        name: (&config.device.name).into(),
        loads: AlarmLoads::Both {
            active: (&load.active).into(),
            inactive: (&load.inactive).into(),
        },
        last: (&alarm.last).into(),
    };
    alarm.to_reason()
}
