//! How a REGISTER changes bindings (RFC 3261 section 10.3, steps 6 to 8).

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use sip_oauth_message::Uri;

use super::Ended;
use super::binding::{AddressOfRecord, Binding, Snapshot};
use super::options::{ExpiresPolicy, GracefulRegistration};
use super::register::{ContactRequest, Contacts, Register};
use crate::cause::Unregistration;
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
    /// How many bindings the device, or without one the address-of-record, may have.
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

/// What a request makes of the bindings read.
#[derive(Debug)]
pub(super) struct Changed {
    /// The bindings afterwards, those past their expiry left out.
    pub(super) bindings: Vec<Binding>,
    pub(super) outcome: Outcome,
    /// Those that are gone though this request did not ask for it.
    pub(super) ended: Vec<Ended>,
}

/// Applies a request to the bindings read. All of it is carried out, or nothing.
pub(super) fn apply(
    snapshot: &Snapshot,
    aor: &AddressOfRecord,
    register: &Register,
    context: &Context,
) -> Result<Changed, Refusal> {
    let mut ended = Vec::new();
    let mut end = |binding: &Binding, cause| {
        ended.push(Ended {
            aor: aor.clone(),
            binding: binding.clone(),
            cause,
        });
    };
    let mut bindings: Vec<Cow<'_, Binding>> = Vec::with_capacity(snapshot.bindings.len() + 1);
    for binding in snapshot.bindings.iter() {
        if binding.expires_at > context.now {
            bindings.push(Cow::Borrowed(binding));
        } else {
            end(binding, Unregistration::KeepAliveTimeout);
        }
    }
    let own = |bindings: &[Cow<'_, Binding>]| {
        let own = bindings.iter().filter(|binding| concerns(context, binding));
        own.count()
    };
    let before = own(&bindings);
    let outcome = match &register.contacts {
        Contacts::Absent => Outcome::Listed,
        Contacts::Star => remove_all(&mut bindings, register, context)?,
        Contacts::These(contacts) => {
            let (outcome, lost) = change(&mut bindings, register, contacts, context)?;
            for binding in lost {
                end(&binding, Unregistration::DuplicateRegistration);
            }
            outcome
        }
    };
    // Where there are too many already, they may be asked for, prolonged and removed.
    let after = own(&bindings);
    if after > context.max_bindings && after > before {
        return Err(Refusal::TooManyBindings);
    }
    Ok(Changed {
        bindings: bindings.into_iter().map(Cow::into_owned).collect(),
        outcome,
        ended,
    })
}

/// Makes, prolongs and removes bindings, Contact by Contact. Gives those of other clients that had to go, too.
fn change<'b>(
    bindings: &mut Vec<Cow<'b, Binding>>,
    register: &Register,
    contacts: &[ContactRequest],
    context: &Context,
) -> Result<(Outcome, Vec<Cow<'b, Binding>>), Refusal> {
    // Each Contact is compared with each binding: the product is bounded before the work begins.
    if contacts.len() > context.max_bindings {
        return Err(Refusal::TooManyBindings);
    }
    let wanted = contacts
        .iter()
        .map(|contact| Ok((contact, context.expires.grant(register.asked(contact))?)))
        .collect::<Result<Vec<_>, Refusal>>()?;
    for contact in contacts {
        if let Some(at) = position(bindings, contact, context) {
            bindings
                .get(at)
                .map_or(Ok(()), |binding| in_order(binding, register))?;
        }
    }
    let kept: Vec<_> = wanted
        .iter()
        .filter_map(|(contact, expiry)| expiry.map(|_| *contact))
        .collect();
    let lost = take_over(bindings, register, &kept, context)?;
    let mut granted = Duration::ZERO;
    let (mut new, mut removed) = (false, 0);
    for (contact, expiry) in wanted {
        match expiry {
            Some(expiry) => {
                new |= bind(bindings, register, contact, expiry, context);
                granted = granted.max(expiry);
            }
            None => removed += usize::from(unbind(bindings, contact, context)),
        }
    }
    let outcome = if granted.is_zero() {
        Outcome::Removed(removed)
    } else {
        Outcome::Bound { granted, new }
    };
    Ok((outcome, lost))
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

/// Whether a request has anything to do with a binding.
///
/// Devices that share their first line share an address-of-record. Who proved to own one of them has no
/// say over the bindings of the other.
pub(super) fn concerns(context: &Context, binding: &Binding) -> bool {
    context.device.is_none() || binding.device == context.device
}

/// The binding a Contact means.
fn position(
    bindings: &[Cow<'_, Binding>],
    contact: &ContactRequest,
    context: &Context,
) -> Option<usize> {
    bindings.iter().position(|binding| {
        concerns(context, binding) && same_uri(&binding.contact_uri, &contact.uri)
    })
}

fn remove_all(
    bindings: &mut Vec<Cow<'_, Binding>>,
    register: &Register,
    context: &Context,
) -> Result<Outcome, Refusal> {
    if register.expires != Some(0) {
        return Err(Refusal::WildcardMisuse);
    }
    bindings
        .iter()
        .filter(|binding| concerns(context, binding))
        .try_for_each(|binding| in_order(binding, register))?;
    let before = bindings.len();
    bindings.retain(|binding| !concerns(context, binding));
    Ok(Outcome::Removed(before - bindings.len()))
}

/// Removes the binding of a Contact; whether there was one.
fn unbind(
    bindings: &mut Vec<Cow<'_, Binding>>,
    contact: &ContactRequest,
    context: &Context,
) -> bool {
    position(bindings, contact, context)
        .map(|at| bindings.remove(at))
        .is_some()
}

/// Makes or prolongs a binding; true when it was made.
fn bind(
    bindings: &mut Vec<Cow<'_, Binding>>,
    register: &Register,
    contact: &ContactRequest,
    expiry: Duration,
    context: &Context,
) -> bool {
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
    let known = position(bindings, contact, context).and_then(|at| bindings.get_mut(at));
    if let Some(present) = known {
        // A binding another node took is one this node does not know yet.
        let new = present.node != next.node;
        *present = Cow::Owned(next);
        return new;
    }
    bindings.push(Cow::Owned(next));
    true
}

/// One registration per device: the bindings of the same device at other addresses make room for the
/// `contacts` to be bound, if they are the client's own, or if the client may have them. Gives those of other clients.
fn take_over<'b>(
    bindings: &mut Vec<Cow<'b, Binding>>,
    register: &Register,
    contacts: &[&ContactRequest],
    context: &Context,
) -> Result<Vec<Cow<'b, Binding>>, Refusal> {
    let mut lost = Vec::new();
    if context.device.is_none() || contacts.is_empty() {
        return Ok(lost);
    }
    let asks = match context.graceful {
        GracefulRegistration::Asked => register.graceful && !register.forced,
        GracefulRegistration::Never => false,
    };
    let mut kept = Vec::with_capacity(bindings.len());
    for binding in bindings.drain(..) {
        let named = contacts
            .iter()
            .any(|contact| same_uri(&binding.contact_uri, &contact.uri));
        let own = contacts
            .iter()
            .any(|contact| binding.instance == contact.instance);
        if named || !concerns(context, &binding) || (own && binding.line != register.user) {
            kept.push(binding);
        } else if asks && !own {
            return Err(Refusal::ActiveElsewhere);
        } else {
            // What a client sent before it moved may still arrive after.
            in_order(&binding, register)?;
            if !own {
                lost.push(binding);
            }
        }
    }
    *bindings = kept;
    Ok(lost)
}

/// RFC 3261 section 19.1.4.
fn same_uri(one: &str, other: &str) -> bool {
    one == other
        || match (Uri::parse(one), Uri::parse(other)) {
            (Ok(one), Ok(other)) => one.equivalent(&other),
            (Err(_), _) | (_, Err(_)) => false,
        }
}
