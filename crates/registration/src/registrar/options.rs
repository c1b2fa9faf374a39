//! What a registrar is told once, and what no document decides.

use std::time::Duration;

use sip_oauth_token::{ChallengeDialect, Role, SipAnswer};

use crate::refusal::Refusal;

/// What is answered to a request whose token is expired, unverifiable or somebody else's.
///
/// What Unified CM answers is not published; that it challenges again is our choice, because a client that
/// has another token can go on. A token nobody could judge is not refused: it is answered 503, whatever
/// stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RejectedToken {
    /// By the table of [`TokenError::answer`](sip_oauth_token::TokenError::answer): the challenge again,
    /// with `error` in RFC 8898 and without a word in Unified CM's dialect, where a missing scope is 403.
    #[default]
    ByDialect,
    /// The same challenge as to a request without a token.
    ChallengeAgain,
    /// The same challenge with `error="invalid_token"` or what else applies (RFC 8898 section 4).
    ChallengeWithError,
    /// 403 without a challenge: the client gives up.
    Forbid,
}

/// Which header fields are searched for a token.
///
/// Unified CM challenges with 407, so its clients answer in Proxy-Authorization. Clients of other
/// makers put a token into Authorization without being asked; that they register is our default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TokenPlace {
    /// Both, the one that answers the dialect's challenge first.
    #[default]
    Both,
    /// Only the one that answers the dialect's challenge.
    AnswerOnly,
}

/// How the device of a REGISTER is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum DeviceLookup {
    /// By the name in the Contact; where there is none, by the line, if one device alone has it. Lets
    /// clients of other makers register. Our default.
    #[default]
    NameOrLine,
    /// By the name in the Contact only.
    Name,
}

/// Which rules a registrar follows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrarDialect {
    /// Cisco Unified CM in SIP OAuth mode.
    UnifiedCm {
        /// The realm of the challenge: `ccmsipline`.
        realm: String,
    },
    /// RFC 8898: 401, `WWW-Authenticate` with the authorization server, bindings as RFC 3261 has them.
    Rfc8898 {
        /// The realm of the challenge.
        realm: String,
        /// The authorization server, an https URI; every challenge names it (RFC 8898 section 2.2).
        authorization_server: String,
        /// The scope a token must have at least.
        scope: Option<String>,
        /// The domains served: hosts of To whose users may register here. The user of a token is
        /// `user@domain` or `sip:user@domain`; where there is one domain alone, `user` means it too.
        domains: Vec<String>,
    },
}

/// Which expiry is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ExpiresPolicy {
    /// The longest. For Unified CM the service parameter SIP Station KeepAlive Interval, 120 s.
    pub max: Duration,
    /// The shortest a client may ask for; below it the answer is 423. Unified CM grants what it wants
    /// whatever was asked, so zero there.
    pub min: Duration,
    /// What is granted where nothing was asked for.
    pub default: Duration,
}

impl ExpiresPolicy {
    /// The expiry granted for what was asked; `None` for a removal.
    pub(super) fn grant(&self, asked: Option<u32>) -> Result<Option<Duration>, Refusal> {
        let asked = match asked {
            Some(0) => return Ok(None),
            Some(seconds) => Duration::from_secs(seconds.into()),
            None => self.default,
        };
        // "If and only if the requested expiration interval is greater than zero AND smaller than one
        // hour AND less than a registrar-configured minimum, the registrar MAY reject the registration"
        // (RFC 3261 section 10.3 step 7).
        if asked < self.min && asked < Duration::from_secs(3600) {
            return Err(Refusal::IntervalTooBrief);
        }
        Ok(Some(asked.min(self.max)))
    }
}

/// Everything a [`Registrar`](super::Registrar) is told once.
///
/// ```
/// use sip_oauth_registration::registrar::RegistrarConfig;
///
/// let config = RegistrarConfig::unified_cm("ucm1.example.com");
/// assert_eq!(config.expires.max.as_secs(), 120);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrarConfig {
    /// The node this registrar is; agent of Warning.
    pub node: String,
    /// The `Server` header field; `None` leaves it out.
    pub server: Option<String>,
    /// Which rules apply.
    pub dialect: RegistrarDialect,
    /// Which expiry is granted.
    pub expires: ExpiresPolicy,
    /// How many bindings a device may have, or an address-of-record where devices do not count: 32. Where there are more, as
    /// after the limit was lowered, none is added; they may be asked for, prolonged and removed.
    pub max_bindings: usize,
    /// What is answered to a token that does not hold.
    pub rejected_token: RejectedToken,
    /// Which header fields are searched for a token.
    pub token_place: TokenPlace,
    /// How the device of a REGISTER is found.
    pub device_lookup: DeviceLookup,
    /// Whether an RFC 8898 registrar takes tokens over the listener without TLS: false. RFC 6750
    /// section 5.3 demands TLS; true is for a TLS tunnel in front of it.
    pub token_without_tls: bool,
    /// How often a decision is made anew when another one came between: 16.
    pub max_attempts: u8,
    /// What happens when a device registers that is registered from another instance.
    pub graceful: GracefulRegistration,
}

/// What happens when a device registers that is registered from another instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GracefulRegistration {
    /// A client that announces `X-cisco-graceful-reg` and does not report alarm 111
    /// (`Application-Requested-Destroy`) is refused; every other one takes the device over. This is how
    /// published traces read; the exact rule is not published.
    #[default]
    Asked,
    /// Every client takes the device over.
    Never,
}

impl RegistrarConfig {
    /// What a request without a token is answered.
    pub(super) fn challenge(&self) -> SipAnswer {
        SipAnswer::challenge(Role::Registrar, self.challenge_dialect())
    }

    /// What a refused token is answered: by `table`, which is the token crate's for the error at hand, unless
    /// [`rejected_token`](Self::rejected_token) says otherwise.
    pub(super) fn answer(&self, table: impl Fn(Role, ChallengeDialect) -> SipAnswer) -> SipAnswer {
        let answer = table(Role::Registrar, self.challenge_dialect());
        if answer == SipAnswer::Unavailable {
            return answer;
        }
        match self.rejected_token {
            RejectedToken::ByDialect => answer,
            RejectedToken::ChallengeAgain => self.challenge(),
            RejectedToken::ChallengeWithError => {
                // Who challenges with 407 in RFC 8898 is a proxy.
                let role = match self.dialect {
                    RegistrarDialect::UnifiedCm { .. } => Role::Proxy,
                    RegistrarDialect::Rfc8898 { .. } => Role::Registrar,
                };
                table(role, ChallengeDialect::Rfc8898)
            }
            RejectedToken::Forbid => SipAnswer::Forbid,
        }
    }

    fn challenge_dialect(&self) -> ChallengeDialect {
        match self.dialect {
            RegistrarDialect::UnifiedCm { .. } => ChallengeDialect::UnifiedCm,
            RegistrarDialect::Rfc8898 { .. } => ChallengeDialect::Rfc8898,
        }
    }

    /// A node of Unified CM: realm `ccmsipline`, 120 s.
    pub fn unified_cm(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            server: Some("Cisco-CUCM12.5".to_owned()),
            dialect: RegistrarDialect::UnifiedCm {
                realm: "ccmsipline".to_owned(),
            },
            expires: ExpiresPolicy {
                max: Duration::from_secs(120),
                min: Duration::ZERO,
                default: Duration::from_secs(120),
            },
            max_bindings: 32,
            rejected_token: RejectedToken::ByDialect,
            token_place: TokenPlace::Both,
            device_lookup: DeviceLookup::NameOrLine,
            token_without_tls: false,
            max_attempts: 16,
            graceful: GracefulRegistration::Asked,
        }
    }

    /// An RFC 8898 registrar for one domain: up to an hour, not below a minute, tokens of one
    /// authorization server, refused tokens answered with `error`.
    pub fn rfc8898(domain: &str, authorization_server: &str) -> Self {
        Self {
            server: Some(concat!("sip-oauth/", env!("CARGO_PKG_VERSION")).to_owned()),
            dialect: RegistrarDialect::Rfc8898 {
                realm: domain.to_owned(),
                authorization_server: authorization_server.to_owned(),
                scope: None,
                domains: vec![domain.to_owned()],
            },
            expires: ExpiresPolicy {
                max: Duration::from_secs(3600),
                min: Duration::from_secs(60),
                default: Duration::from_secs(3600),
            },
            ..Self::unified_cm(domain)
        }
    }
}
