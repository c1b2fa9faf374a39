//! Whether a device may register where its request arrived: the truth table.

use super::arrival::{Arrival, Listener};
use super::cluster::RunningNode;
use super::profile::{DeviceSecurityMode, SecurityProfile};
use crate::refusal::Refusal;

/// What a device that may register here still has to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admission {
    /// That it holds a token of its owner.
    Token,
    /// Nothing: its profile asks for none, or the certificate of the connection was enough.
    Nothing,
}

/// Judges where a request arrived against what the node runs and what the profile of the device says.
///
/// | SIP OAuth mode | profile | arrives on | verdict |
/// |---|---|---|---|
/// | off | any | 5090, 5091 | 403 port mismatch (the ports are closed; this is a node not yet restarted) |
/// | on | OAuth off | 5090, 5091 | 403 port mismatch |
/// | on | OAuth on | 5060, 5061 | 403 port mismatch |
/// | on | OAuth on | 5090 | token |
/// | on | OAuth on | 5091, peer is no allowed Expressway-C | 403 port mismatch |
/// | on | OAuth on | 5091, peer is an allowed Expressway-C | token |
/// | any | OAuth off, Non Secure | 5060 | nothing |
/// | any | OAuth off, else | 5061, certificate names the device | nothing |
/// | any | OAuth off, else | 5061 otherwise, 5060 | 403 TLS authentication failure |
///
/// The last three rows are not SIP OAuth; they keep the legacy ports from being dead ends.
///
/// # Errors
///
/// The refusal to answer with.
pub fn admit(
    running: &RunningNode,
    profile: &SecurityProfile,
    device: &str,
    arrival: &Arrival,
) -> Result<Admission, Refusal> {
    if !running.is_open(arrival.listener) {
        return Err(Refusal::OAuthPortMismatch);
    }
    match (arrival.listener, profile.oauth_authentication) {
        (Listener::SipOAuth | Listener::SipMraOAuth, false)
        | (Listener::Sip | Listener::SipSecure, true) => Err(Refusal::OAuthPortMismatch),
        (Listener::SipOAuth, true) => valid(profile),
        (Listener::SipMraOAuth, true) => {
            let edge = arrival
                .peer_identity
                .as_ref()
                .and_then(|peer| peer.allowed_by.as_ref());
            match edge {
                Some(_) => valid(profile),
                None => Err(Refusal::OAuthPortMismatch),
            }
        }
        (Listener::Sip, false) => match profile.device_security_mode {
            DeviceSecurityMode::NonSecure => Ok(Admission::Nothing),
            DeviceSecurityMode::Authenticated | DeviceSecurityMode::Encrypted => {
                Err(Refusal::TlsAuthentication)
            }
        },
        (Listener::SipSecure, false) => {
            let named = arrival.peer_identity.as_ref().is_some_and(|peer| {
                peer.names
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(device))
            });
            if named && profile.device_security_mode != DeviceSecurityMode::NonSecure {
                Ok(Admission::Nothing)
            } else {
                Err(Refusal::TlsAuthentication)
            }
        }
    }
}

/// An OAuth profile that contradicts itself admits nobody.
fn valid(profile: &SecurityProfile) -> Result<Admission, Refusal> {
    if profile.problems().is_empty() {
        Ok(Admission::Token)
    } else {
        Err(Refusal::InvalidProfile)
    }
}
