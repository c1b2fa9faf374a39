//! The order in which nodes are tried.

use std::collections::VecDeque;

use super::event::ConnectionFailure;

/// One pass over the nodes, from a start or a loss to a registration or "all nodes failed".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Round {
    /// Nodes not yet tried, by their place in the configuration.
    waiting: VecDeque<usize>,
    /// Nodes that failed.
    causes: Vec<(usize, ConnectionFailure)>,
    /// Nodes that redirected, since the last registration.
    redirected: Vec<usize>,
}

impl Round {
    /// All nodes, best first.
    pub(super) fn all(nodes: usize) -> Self {
        Self {
            waiting: (0..nodes).collect(),
            ..Self::default()
        }
    }

    /// The node that held the registration was lost: those after it, those before it, and at last
    /// itself again, for it may only have closed the connection.
    pub(super) fn after_losing(lost: usize, nodes: usize) -> Self {
        Self {
            waiting: (lost + 1..nodes).chain(0..=lost).collect(),
            ..Self::default()
        }
    }

    /// The registration moves to a better node: where that one fails, the one that held it, then the others.
    pub(super) fn after_leaving(held: usize, better: usize, nodes: usize) -> Self {
        let others = (0..nodes).filter(|&node| node != held && node != better);
        Self {
            waiting: [held].into_iter().chain(others).collect(),
            ..Self::default()
        }
    }

    /// The node to try now.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.waiting.pop_front()
    }

    /// A node redirected. "Placing any given URI in the target set only once prevents infinite
    /// redirection loops" (RFC 3261 section 8.1.3.4).
    pub(super) fn redirected(&mut self, from: usize) {
        self.redirected.push(from);
    }

    /// Whether a redirection may lead to a node.
    pub(super) fn may_lead_to(&self, node: usize) -> bool {
        !self.redirected.contains(&node)
    }

    /// A redirection leads to this node: it is not tried twice.
    pub(super) fn take(&mut self, node: usize) {
        self.waiting.retain(|&waiting| waiting != node);
    }

    /// A node registered the client: later redirections are another matter.
    pub(super) fn settled(&mut self) {
        self.redirected.clear();
    }

    /// A node of this round failed.
    pub(super) fn failed(&mut self, node: usize, cause: ConnectionFailure) {
        self.causes.push((node, cause));
    }

    /// What failed, in order.
    pub(super) fn take_causes(&mut self) -> Vec<(usize, ConnectionFailure)> {
        std::mem::take(&mut self.causes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(mut round: Round) -> Vec<usize> {
        std::iter::from_fn(|| round.next()).collect()
    }

    #[test]
    fn every_node_is_tried_once() {
        assert_eq!(order(Round::all(3)), [0, 1, 2]);
        assert_eq!(order(Round::after_losing(1, 3)), [2, 0, 1]);
        assert_eq!(order(Round::after_losing(0, 1)), [0]);
        assert_eq!(order(Round::after_leaving(2, 0, 4)), [2, 1, 3]);
    }
}
