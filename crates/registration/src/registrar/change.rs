//! How a REGISTER changes bindings (RFC 3261 section 10.3, steps 6 to 8).

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use sip_oauth_message::Uri;

use super::binding::{Binding, Snapshot};
use super::options::{ExpiresPolicy, GracefulRegistration};
use super::register::{ContactRequest, Contacts, Register};
use crate::refusal::Refusal;

/// What surrounds a change: who asks, where, when, and under which policy.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) now: SystemTime,
    pub(super) node: String,
    pub(super) peer: SocketAddr,
    pub(super) user: Option<String>,
    /// The device the request speaks for; `None` where devices do not count.
    pub(super) device: Option<String>,
    /// All lines of that device, for a bulk registration.
    pub(super) device_lines: Vec<String>,
    pub(super) expires: ExpiresPolicy,
    pub(super) max_bindings: usize,
    pub(super) graceful: GracefulRegistration,
}

/// What a change comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing changed: the bindings were asked for.
    Listed,
    Bound {
        /// The longest expiry granted to a Contact of the request.
        granted: Duration,
        /// Whether a binding was made, rather than prolonged.
        new: bool,
    },
    Removed(usize),
}

/// Applies a request to the bindings read. All of it is carried out, or nothing.
///
/// Gives the bindings as they are afterwards, those past their expiry left out.
pub(super) fn apply(
    snapshot: &Snapshot,
    register: &Register,
    context: &Context,
) -> Result<(Vec<Binding>, Outcome), Refusal> {
    let mut bindings: Vec<Binding> = snapshot
        .bindings
        .iter()
        .filter(|binding| binding.expires_at > context.now)
        .cloned()
        .collect();
    let outcome = match &register.contacts {
        Contacts::Absent => Outcome::Listed,
        Contacts::Star => remove_all(&mut bindings, register, context)?,
        Contacts::These(contacts) => {
            let mut granted = Duration::ZERO;
            let (mut new, mut removed) = (false, 0);
            for contact in contacts {
                match grant(register.asked(contact), &context.expires)? {
                    Some(expiry) => {
                        new |= bind(&mut bindings, register, contact, expiry, context)?;
                        granted = granted.max(expiry);
                    }
                    None => removed += usize::from(unbind(&mut bindings, register, contact)?),
                }
            }
            if granted.is_zero() {
                Outcome::Removed(removed)
            } else {
                Outcome::Bound { granted, new }
            }
        }
    };
    if bindings.len() > context.max_bindings {
        return Err(Refusal::TooManyBindings);
    }
    Ok((bindings, outcome))
}

/// The expiry granted for what was asked; `None` for a removal.
fn grant(asked: Option<u32>, policy: &ExpiresPolicy) -> Result<Option<Duration>, Refusal> {
    let asked = match asked {
        Some(0) => return Ok(None),
        Some(seconds) => Duration::from_secs(seconds.into()),
        None => policy.default,
    };
    // "If and only if the requested expiration interval is greater than zero AND smaller than one hour
    // AND less than a registrar-configured minimum, the registrar MAY reject the registration".
    if asked < policy.min && asked < Duration::from_secs(3600) {
        return Err(Refusal::IntervalTooBrief);
    }
    Ok(Some(asked.min(policy.max)))
}

/// "If they are the same [the Call-IDs], the registrar compares the CSeq value. If the value is higher than
/// that of the existing binding, it MUST update or remove the binding as above. If not, the update MUST
/// be aborted and the request fails."
fn in_order(binding: &Binding, register: &Register) -> Result<(), Refusal> {
    if binding.call_id == register.call_id && register.cseq <= binding.cseq {
        return Err(Refusal::OutOfOrder);
    }
    Ok(())
}

fn remove_all(
    bindings: &mut Vec<Binding>,
    register: &Register,
    context: &Context,
) -> Result<Outcome, Refusal> {
    if register.expires != Some(0) {
        return Err(Refusal::WildcardMisuse);
    }
    let concerned =
        |binding: &Binding| context.device.is_none() || binding.device == context.device;
    bindings
        .iter()
        .filter(|binding| concerned(binding))
        .try_for_each(|binding| in_order(binding, register))?;
    let before = bindings.len();
    bindings.retain(|binding| !concerned(binding));
    Ok(Outcome::Removed(before - bindings.len()))
}

fn unbind(
    bindings: &mut Vec<Binding>,
    register: &Register,
    contact: &ContactRequest,
) -> Result<bool, Refusal> {
    let Some(at) = bindings
        .iter()
        .position(|binding| same_uri(&binding.contact_uri, &contact.uri))
    else {
        return Ok(false);
    };
    if let Some(binding) = bindings.get(at) {
        in_order(binding, register)?;
    }
    bindings.remove(at);
    Ok(true)
}

/// Makes or prolongs a binding; true when it was made.
fn bind(
    bindings: &mut Vec<Binding>,
    register: &Register,
    contact: &ContactRequest,
    expiry: Duration,
    context: &Context,
) -> Result<bool, Refusal> {
    take_over(bindings, register, contact, context)?;
    let next = Binding {
        contact: contact.stored.clone(),
        contact_uri: contact.uri.clone(),
        line: register.user.clone(),
        lines: if register.is_bulk() && !context.device_lines.is_empty() {
            context.device_lines.clone()
        } else {
            vec![register.user.clone()]
        },
        call_id: register.call_id.clone(),
        cseq: register.cseq,
        expires_at: context.now.checked_add(expiry).unwrap_or(context.now),
        device: context.device.clone().or_else(|| contact.device.clone()),
        instance: contact.instance.clone(),
        user: context.user.clone(),
        node: context.node.clone(),
        peer: context.peer,
        path: register.path.clone(),
    };
    let known = bindings
        .iter_mut()
        .find(|binding| same_uri(&binding.contact_uri, &contact.uri));
    if let Some(present) = known {
        in_order(present, register)?;
        // A binding another node took is one this node does not know yet.
        let new = present.node != next.node;
        *present = next;
        return Ok(new);
    }
    bindings.push(next);
    Ok(true)
}

/// One registration per device: the bindings of the same device at another address make room, if they
/// are the client's own, or if the client may have them.
fn take_over(
    bindings: &mut Vec<Binding>,
    register: &Register,
    contact: &ContactRequest,
    context: &Context,
) -> Result<(), Refusal> {
    let Some(device) = &context.device else {
        return Ok(());
    };
    let of_other_client = |binding: &Binding| {
        binding.device.as_ref() == Some(device)
            && binding.instance != contact.instance
            && !same_uri(&binding.contact_uri, &contact.uri)
    };
    let asks = match context.graceful {
        GracefulRegistration::Asked => register.graceful && !register.forced,
        GracefulRegistration::Never => false,
    };
    if asks && bindings.iter().any(of_other_client) {
        return Err(Refusal::ActiveElsewhere);
    }
    bindings.retain(|binding| {
        let moved = binding.device.as_ref() == Some(device)
            && binding.instance == contact.instance
            && binding.line == register.user
            && !same_uri(&binding.contact_uri, &contact.uri);
        !(of_other_client(binding) || moved)
    });
    Ok(())
}

/// RFC 3261 section 19.1.4.
fn same_uri(one: &str, other: &str) -> bool {
    one == other
        || match (Uri::parse(one), Uri::parse(other)) {
            (Ok(one), Ok(other)) => one.equivalent(&other),
            (Err(_), _) | (_, Err(_)) => false,
        }
}
