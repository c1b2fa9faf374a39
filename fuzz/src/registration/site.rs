//! The registrars of one dialect over one store, and what holds of the bindings they make.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sip_oauth_message::{MessageView, Response};
use sip_oauth_registration::Entropy;
use sip_oauth_registration::registrar::{
    Arrival, Binding, BindingStore, Cluster, Database, Decision, Listener, MemoryStore, Registrar,
    RegistrarConfig, RegistrarDialect, TokenVerdict,
};
use sip_oauth_token::Verifier;

use super::{DEVICES, NODES, OWNER};

/// A registrar at each node.
pub(super) struct Site {
    registrars: [Registrar<Arc<MemoryStore>>; 3],
    store: Arc<MemoryStore>,
    /// Whether only machines have asked so far: each of them asks for all lines of its device by one Contact.
    pub(super) machines_only: bool,
}

impl Site {
    pub(super) fn new(
        cluster: &Cluster,
        verifier: &Arc<Verifier>,
        config: impl Fn(&str) -> RegistrarConfig,
    ) -> Self {
        let store = Arc::default();
        let registrar = |node| {
            let database = Database::new(cluster.clone());
            let verifier = Arc::clone(verifier);
            Registrar::with_store(config(node), database, verifier, Arc::clone(&store))
        };
        Self {
            registrars: NODES.map(registrar),
            store,
            machines_only: true,
        }
    }

    pub(super) fn registrar(&self, node: usize) -> Option<&Registrar<Arc<MemoryStore>>> {
        self.registrars.get(node)
    }

    pub(super) fn expire(&self, now: SystemTime) {
        let [registrar, ..] = &self.registrars;
        registrar.expire(now).expect("memory answers");
        for binding in self.bindings() {
            assert!(binding.expires_at > now, "what is over is gone");
        }
    }

    fn bindings(&self) -> Vec<Binding> {
        let of_node = |node| self.store.of_node(node).expect("memory answers");
        let all = NODES.iter().flat_map(|node| of_node(node));
        all.map(|(_, binding)| binding).collect()
    }

    /// Has a node answer a request.
    pub(super) fn handle(
        &self,
        node: usize,
        request: &MessageView<'_>,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Option<Response> {
        let registrar = self.registrar(node)?;
        let before = self.bindings();
        let answer = registrar.handle(&arrival(), request, now, entropy);
        let after = self.bindings();
        if matches!(
            answer.observation.decision,
            Decision::Refused(_) | Decision::Listed | Decision::OptionsAnswered | Decision::Ignored
        ) {
            let lasting = |binding: &&Binding| binding.expires_at > now;
            let before: Vec<_> = before.iter().filter(lasting).collect();
            let after: Vec<_> = after.iter().filter(lasting).collect();
            assert_eq!(before, after, "only what is granted changes anything");
        }
        if before != after {
            let TokenVerdict::Valid { user, .. } = &answer.observation.token else {
                panic!("a binding changed without a token that holds: {answer:?}");
            };
            assert_eq!(user, OWNER);
        }
        self.check(registrar.config(), &before, &after, now);
        answer.response
    }

    fn check(
        &self,
        config: &RegistrarConfig,
        before: &[Binding],
        after: &[Binding],
        now: SystemTime,
    ) {
        let longest = now + config.expires.max.max(Duration::from_secs(120));
        for (at, binding) in after.iter().enumerate() {
            assert!(
                binding.expires_at <= longest,
                "granted more than is allowed"
            );
            // One that has ended is no binding, whether it has been cleared away or not.
            let mut lasting = before.iter().filter(|old| old.expires_at > now);
            let old = lasting.find(|old| same_place(old, binding));
            if let Some(old) = old.filter(|old| *old != binding && old.call_id == binding.call_id) {
                assert!(old.cseq < binding.cseq, "out of order: {old:?} {binding:?}");
            }
            let others = after.iter().skip(at + 1);
            let twice = others.filter(|other| same_place(other, binding)).count();
            assert_eq!(twice, 0, "the same Contact twice: {binding:?}");
        }
        match config.dialect {
            RegistrarDialect::UnifiedCm { .. } => {
                for (device, lines) in DEVICES {
                    self.check_device(device, lines, after);
                }
            }
            _ => assert!(after.iter().all(|binding| binding.line == OWNER)),
        }
    }

    /// One registration a device: whatever it consists of belongs to one client.
    fn check_device(&self, device: &str, lines: [&str; 2], all: &[Binding]) {
        let of_device = self.store.of_device(device).expect("memory answers");
        let of_device: Vec<_> = of_device.into_iter().map(|(_, binding)| binding).collect();
        let scanned = all
            .iter()
            .filter(|binding| binding.device.as_deref() == Some(device));
        assert_eq!(of_device.len(), scanned.count(), "found by its device");
        if self.machines_only {
            let many = of_device.len();
            assert!(many <= 1, "one registration a device: {of_device:?}");
        }
        for binding in &of_device {
            assert_eq!(
                of_device.first().map(|first| &first.instance),
                Some(&binding.instance),
                "two clients have one device: {of_device:?}"
            );
            let bulk = binding.lines == lines;
            assert!(
                bulk || !self.machines_only && binding.lines == [&*binding.line],
                "all lines, or the one that is named: {binding:?}"
            );
            assert!(lines.contains(&&*binding.line), "a line of its own");
        }
    }
}

/// Whether both stand under one address-of-record for one Contact. That of an RFC 8898 user is a node's.
fn same_place(one: &Binding, other: &Binding) -> bool {
    let apart = one.device.is_none() && one.node != other.node;
    !apart && one.device == other.device && one.contact_uri == other.contact_uri
}

pub(super) fn arrival() -> Arrival {
    Arrival::new(Listener::SipOAuth, 5090, ([192, 0, 2, 10], 20_000).into())
}
