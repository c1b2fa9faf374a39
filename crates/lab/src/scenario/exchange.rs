//! One request and its answer through the edge: four legs.

use super::sip;
use crate::{
    lab::EDGE,
    report::{Check, Event, PartyId, SipMessage},
};

use PartyId::{ExpresswayC, Jabber, UnifiedCm};

/// The four legs of one exchange.
pub(super) struct Exchange<'e> {
    /// From the client to the edge.
    pub(super) request: Option<&'e SipMessage>,
    /// From the edge to the node.
    pub(super) forwarded: Option<&'e SipMessage>,
    /// From the node to the edge.
    pub(super) answer: Option<&'e SipMessage>,
    /// From the edge to the client.
    pub(super) returned: Option<&'e SipMessage>,
}

impl<'e> Exchange<'e> {
    /// The `number`-th exchange among these events, from 0.
    pub(super) fn nth(events: &'e [Event], number: usize) -> Self {
        let leg = |from, to| sip::sent(events, from, to).get(number).copied();
        Self {
            request: leg(Jabber, ExpresswayC),
            forwarded: leg(ExpresswayC, UnifiedCm),
            answer: leg(UnifiedCm, ExpresswayC),
            returned: leg(ExpresswayC, Jabber),
        }
    }

    /// What every request and answer through the edge must show.
    pub(super) fn checks(&self, edge_port: u16) -> Vec<Check> {
        let mut checks = self.forwarding(edge_port);
        checks.extend(self.returning());
        checks
    }

    /// The edge puts itself into Via and Contact, takes its Route out, and leaves the rest alone.
    fn forwarding(&self, edge_port: u16) -> Vec<Check> {
        let Self {
            request, forwarded, ..
        } = *self;
        let what = "forwarded request";
        let client = sip::sent_by(request).unwrap_or("absent");
        let client_via = sip::via(forwarded, 1);
        let contact = sip::value(forwarded, "Contact");
        let through = |name: &str| {
            sip::same(
                &format!("{name} through the edge"),
                sip::value(request, name),
                sip::value(forwarded, name),
            )
        };
        vec![
            sip::holds(
                "client's request: Route",
                ";lr",
                sip::value(request, "Route"),
            ),
            sip::absent(what, "Route", forwarded),
            sip::begins(
                "forwarded request: top Via",
                &format!("SIP/2.0/TLS {EDGE}:{edge_port};branch="),
                sip::via(forwarded, 0),
            ),
            sip::begins(
                "forwarded request: client's Via",
                &format!("SIP/2.0/TLS {client};"),
                client_via,
            ),
            sip::holds(
                "forwarded request: client's Via",
                ";ingress-zone=CollaborationEdgeZone",
                client_via,
            ),
            sip::holds(
                "forwarded request: client's Via",
                ";received=127.0.0.1",
                client_via,
            ),
            sip::holds(
                "forwarded request: Contact",
                &format!("@{EDGE}:{edge_port};transport=tls"),
                contact,
            ),
            sip::holds(
                "forwarded request: Contact",
                &format!(";orig-hostport={client}>"),
                contact,
            ),
            sip::field(what, "Max-Forwards", "69", forwarded),
            through("Call-ID"),
            through("CSeq"),
            through("From"),
            through("To"),
        ]
    }

    /// The answer comes back as it was, without the edge's Via.
    fn returning(&self) -> Vec<Check> {
        let Self {
            request,
            answer,
            returned,
            ..
        } = *self;
        let client = sip::sent_by(request).unwrap_or("absent");
        vec![
            sip::same(
                "status through the edge",
                answer.map(|answer| answer.start_line.as_str()),
                returned.map(|returned| returned.start_line.as_str()),
            ),
            sip::begins(
                "returned answer: Via",
                &format!("SIP/2.0/TLS {client};"),
                sip::via(returned, 0),
            ),
            Check::equal(
                "returned answer: second Via",
                "absent",
                sip::via(returned, 1).unwrap_or("absent"),
            ),
            sip::same(
                "returned answer: CSeq of the request",
                sip::value(request, "CSeq"),
                sip::value(returned, "CSeq"),
            ),
        ]
    }
}
