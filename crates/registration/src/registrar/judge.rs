//! The part of a decision that needs no bindings: request, device, profile, listener, token, line.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sip_oauth_message::header::Require;
use sip_oauth_message::{Limits, MessageView, Method, ParseError, Uri, check};
use sip_oauth_token::{BearerError, VerifiedToken};

use super::admission::{Admission, admit};
use super::answer::Extra;
use super::arrival::{Arrival, Listener};
use super::binding::AddressOfRecord;
use super::change::Context;
use super::cluster::Cluster;
use super::credentials::{Judged, judge};
use super::device::{DeviceKind, DeviceRecord};
use super::observation::{Observation, TokenVerdict};
use super::options::{DeviceLookup, RegistrarConfig, RegistrarDialect};
use super::register::{Register, Unreadable};
use super::{Change, Refused, Registrar, Verdict};
use crate::refusal::Refusal;

/// One request before the bench.
pub(super) struct Judge<'a, S> {
    pub(super) registrar: &'a Registrar<S>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) arrival: &'a Arrival,
    pub(super) request: &'a MessageView<'a>,
    pub(super) now: SystemTime,
    pub(super) observation: Observation,
}

impl<S> Judge<'_, S> {
    pub(super) fn decide(&mut self) -> Result<Verdict, Refused> {
        let method = self.request.method();
        match method {
            Some(Method::Options | Method::Register) => self.check_mandatory()?,
            // Every request before it is answered (RFC 3261 section 9.2).
            Some(Method::Cancel) => return Err(Refusal::NothingToCancel.into()),
            Some(Method::Other(_)) | None => return Err(Refusal::MethodNotImplemented.into()),
            Some(_) => return Err(Refusal::MethodNotAllowed.into()),
        }
        if method == Some(&Method::Options) {
            let (config, cluster) = (&self.registrar.config, Arc::clone(&self.cluster));
            self.check_served(|host| is_for(config, &cluster, host))?;
            return Ok(Verdict::Options);
        }
        let register = match Register::read(self.request) {
            Ok(register) => register,
            Err(Unreadable::Grammar(error)) => return Err(self.malformed(&error)),
            Err(Unreadable::Refused(refusal)) => return Err(refusal.into()),
        };
        self.observation.line = Some(register.user.clone());
        let mut verdict = match &self.registrar.config.dialect {
            RegistrarDialect::UnifiedCm { .. } => self.unified_cm(register),
            RegistrarDialect::Rfc8898 { domains, .. } => self.rfc8898(register, domains),
        };
        if let Ok(Verdict::Change(change)) = &mut verdict {
            change.register.read_body(self.request, &Limits::default());
        }
        verdict
    }

    /// What every request must have (RFC 3261 sections 8.1.1 and 8.2).
    fn check_mandatory(&mut self) -> Result<(), Refused> {
        let element = check::Element {
            extensions: &["path"],
            ..check::Element::SERVER
        };
        let Err(found) = check::request(self.request, &element) else {
            return Ok(());
        };
        self.observation.detail = Some(found.cause.to_string());
        Err(match found.cause {
            check::Cause::Version => Refusal::VersionNotSupported.into(),
            check::Cause::Scheme => Refusal::UnsupportedUriScheme.into(),
            check::Cause::Extensions => Refused {
                refusal: Refusal::BadExtension,
                extra: Extra {
                    unsupported: self.unsupported(element.extensions),
                    ..Extra::default()
                },
            },
            _ => Refusal::Malformed.into(),
        })
    }

    /// The option tags that are required and not known.
    fn unsupported(&self, known: &[&str]) -> Vec<String> {
        self.request
            .all::<Require<'_>>()
            .filter_map(Result::ok)
            .filter(|tag| !known.iter().any(|known| tag.is(known)))
            .map(|tag| tag.as_str().to_owned())
            .collect()
    }

    fn malformed(&mut self, error: &ParseError) -> Refused {
        self.observation.detail = Some(error.to_string());
        Refusal::Malformed.into()
    }

    fn unified_cm(&mut self, mut register: Register) -> Result<Verdict, Refused> {
        let cluster = Arc::clone(&self.cluster);
        let config = Arc::clone(&self.registrar.config);
        let served = |host: &str| cluster.node(host).is_some();
        self.check_served(served)?;
        // "If the address-of-record is not valid for the domain in the Request-URI, the registrar MUST send a 404" (RFC 3261
        // section 10.3 step 5). Clients write a node's name or address into both.
        if !served(&register.host) {
            return Err(Refusal::NotServed.into());
        }
        let device = self.device(&cluster, &register)?;
        self.observation.device = Some(device.name.clone());
        let profile = cluster
            .profile(&device.profile)
            .ok_or(Refusal::UnknownDevice)?;
        // A node that never started has no listener; who reaches it meets a stale one.
        let running = cluster
            .running(&config.node)
            .ok_or(Refusal::OAuthPortMismatch)?;
        let admission = admit(running, profile, &device.name, self.arrival)?;
        // Requests to the client would go where its Path says: only an Expressway-C may say so.
        if self.arrival.listener != Listener::SipMraOAuth {
            register.path.clear();
        }
        let user = match admission {
            Admission::Nothing => None,
            Admission::Token => {
                let token = self.token()?;
                let owner = device.owner.as_deref();
                if owner != Some(token.user()) {
                    return Err(self.other_user(&token, owner));
                }
                Some(self.genuine(&token))
            }
        };
        if device.line(&register.user).is_none() {
            return Err(Refusal::LineMismatch.into());
        }
        if register
            .contacts()
            .iter()
            .any(|contact| contact.model.is_some_and(|model| model != device.model))
        {
            return Err(Refusal::DeviceTypeMismatch.into());
        }
        let first_line = device
            .lines
            .first()
            .map_or(register.user.as_str(), |line| &line.name);
        let mut expires = config.expires;
        if let DeviceKind::DualMode {
            timer_register_expires,
        } = device.kind
        {
            expires.max = Duration::from_secs(timer_register_expires.into());
            expires.default = expires.max;
        }
        Ok(Verdict::Change(Box::new(Change {
            aor: AddressOfRecord::of_line(first_line),
            context: Context {
                now: self.now,
                node: config.node.clone(),
                peer: self.arrival.peer,
                user,
                device: Some(device.name.clone()),
                device_lines: device.lines.iter().map(|line| line.name.clone()).collect(),
                expires,
                max_bindings: config.max_bindings,
                graceful: config.graceful,
            },
            register,
        })))
    }

    fn rfc8898(&mut self, register: Register, domains: &[String]) -> Result<Verdict, Refused> {
        let config = Arc::clone(&self.registrar.config);
        let served = |host: &str| {
            domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(host))
        };
        self.check_served(served)?;
        if !served(&register.host) {
            return Err(Refusal::NotServed.into());
        }
        if !(self.arrival.listener.is_tls() || config.token_without_tls) {
            return Err(Refusal::OAuthPortMismatch.into());
        }
        let token = self.token()?;
        // A user without a domain is one of the only domain; where there are several, of none.
        let bare = domains.len() == 1 && token.user() == register.user;
        if !(bare || is_address_of(token.user(), &register)) {
            return Err(self.other_user(&token, Some(&register.user)));
        }
        let user = Some(self.genuine(&token));
        Ok(Verdict::Change(Box::new(Change {
            aor: AddressOfRecord::new(&register.user, &register.host),
            context: Context {
                now: self.now,
                node: config.node.clone(),
                peer: self.arrival.peer,
                user,
                device: None,
                device_lines: Vec::new(),
                expires: config.expires,
                max_bindings: config.max_bindings,
                graceful: config.graceful,
            },
            register,
        })))
    }

    /// The Request-URI names "the domain of the location service" (RFC 3261 section 10.2).
    fn check_served(&mut self, served: impl Fn(&str) -> bool) -> Result<(), Refused> {
        let text = self.request.as_request().map_or("", |line| line.uri);
        let uri = Uri::parse(text).map_err(|error| self.malformed(&error))?;
        match uri.host() {
            Some(host) if uri.is_sip() && served(host.as_str()) => Ok(()),
            Some(_) if uri.is_sip() => Err(Refusal::NotServed.into()),
            Some(_) | None => Err(Refusal::UnsupportedUriScheme.into()),
        }
    }

    fn device<'c>(
        &self,
        cluster: &'c Cluster,
        register: &Register,
    ) -> Result<&'c DeviceRecord, Refusal> {
        if let Some(name) = register.device() {
            return cluster.device(name).ok_or(Refusal::UnknownDevice);
        }
        match self.registrar.config.device_lookup {
            DeviceLookup::Name => Err(Refusal::UnknownDevice),
            DeviceLookup::NameOrLine => cluster
                .device_of_line(&register.user)
                .ok_or(Refusal::UnknownDevice),
        }
    }

    fn token(&mut self) -> Result<VerifiedToken, Refused> {
        let config = Arc::clone(&self.registrar.config);
        let verifier = self.registrar.verifier();
        match judge(self.request, self.arrival, &config, &verifier, self.now) {
            Judged::Genuine(token) => Ok(token),
            Judged::Missing => {
                self.observation.token = TokenVerdict::Missing;
                Err(Refusal::TokenMissing.into())
            }
            Judged::Rejected { verdict, answer } => {
                self.observation.token = verdict;
                Err(Refused::token(Refusal::TokenRejected, answer))
            }
        }
    }

    fn genuine(&mut self, token: &VerifiedToken) -> String {
        self.observation.token = TokenVerdict::Valid {
            user: token.user().to_owned(),
            expires_at: token.expires_at(),
        };
        token.user().to_owned()
    }

    fn other_user(&mut self, token: &VerifiedToken, expected: Option<&str>) -> Refused {
        self.observation.token = TokenVerdict::OfAnotherUser {
            user: token.user().to_owned(),
            expected: expected.map(str::to_owned),
        };
        let answer = self
            .registrar
            .config
            .answer(|role, dialect| BearerError::InvalidToken.answer(role, dialect));
        Refused::token(Refusal::TokenOfAnotherUser, answer)
    }
}

/// Whether a request to this host, about whatever, is for this registrar.
fn is_for(config: &RegistrarConfig, cluster: &Cluster, host: &str) -> bool {
    match &config.dialect {
        RegistrarDialect::UnifiedCm { .. } => cluster.node(host).is_some(),
        RegistrarDialect::Rfc8898 { domains, .. } => domains
            .iter()
            .chain([&config.node])
            .any(|served| served.eq_ignore_ascii_case(host)),
    }
}

/// Whether `user` is `[sip:]<user>@<host>` of To. Hosts are compared without regard to case.
fn is_address_of(user: &str, register: &Register) -> bool {
    user.strip_prefix("sip:")
        .unwrap_or(user)
        .rsplit_once('@')
        .is_some_and(|(user, host)| {
            user == register.user && host.eq_ignore_ascii_case(&register.host)
        })
}
