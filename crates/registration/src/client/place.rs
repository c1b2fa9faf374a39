//! What its owner tells a client about the world: another place, no network, a device that is in use elsewhere.

use std::time::Instant;

use super::Client;
use super::config::{Alarm, Target};
use super::leave::Afterwards;
use super::state::{Purpose, State};

impl Client {
    /// The place changed, from on premises to outside (MRA) or back: ends the registration where it is and registers at
    /// these nodes.
    ///
    /// The old registration is ended by a REGISTER with `Expires: 0` first, where one is in force, and reported by
    /// [`Event::Deregistered`](super::Event::Deregistered). Where the old place cannot be reached any more,
    /// [`suspend`](Self::suspend) first: then nobody waits for its answer, and [`resume`](Self::resume) registers at the new
    /// one. A client that was not started takes the nodes and stays; so does one that is [leaving](Self::deregister).
    pub fn relocate(&mut self, targets: Vec<Target>, now: Instant) {
        match self.state {
            State::Idle | State::Suspended => self.put_targets(targets),
            State::Connecting { .. }
            | State::Requesting { .. }
            | State::AwaitingToken { .. }
            | State::Registered { .. }
            | State::Refused { .. }
            | State::Failed { .. } => {
                let leaving = self.is_leaving();
                self.afterwards.targets = Some(targets);
                if !leaving {
                    self.afterwards.register = true;
                    self.end_registration(now);
                }
            }
        }
    }

    /// The network is gone: closes every connection and tries nothing until [`resume`](Self::resume).
    ///
    /// The registration, if there was one, ends at the registrar by itself. A client that was
    /// [moving](Self::relocate) goes on at the new place when it is resumed; one that was leaving has left. Does nothing
    /// before the start.
    pub fn suspend(&mut self) {
        let open = match &self.state {
            State::Idle | State::Suspended => return,
            State::Connecting { id, .. } => Some(*id),
            other => other.connection().map(|open| open.id),
        };
        self.close(open);
        self.stop_watching();
        let leaving = self.is_leaving();
        let Afterwards { targets, register } = std::mem::take(&mut self.afterwards);
        if let Some(targets) = targets {
            self.put_targets(targets);
        }
        self.leaving = false;
        self.bound = None;
        self.state = State::Suspended;
        if leaving {
            // Who wanted out is out: there is nobody to tell.
            self.events
                .push_back(super::Event::Deregistered { confirmed: false });
            if !register {
                self.state = State::Idle;
            }
        }
    }

    /// The network is back: registers, best node first. Does nothing unless [suspended](Self::suspend).
    pub fn resume(&mut self, now: Instant) {
        if matches!(self.state, State::Suspended) {
            self.begin(now);
        }
    }

    /// Registers by force: takes the device over from the client that is registered as it.
    ///
    /// This is the answer to a refusal with "Registration is active for another client"
    /// ([`Refusal::ActiveElsewhere`](crate::Refusal::ActiveElsewhere)), after the person was asked. The REGISTER reports
    /// alarm 111, `Application-Requested-Destroy`. Starts a client that was not started; one that is
    /// [suspended](Self::suspend) registers by force when it is resumed, unless it has deregistered or has other targets
    /// by then. Does nothing while it is registered.
    pub fn take_over(&mut self, now: Instant) {
        if matches!(self.state, State::Registered { .. }) {
            return;
        }
        self.alarm = Some(Alarm::forced());
        if let State::Refused {
            connection: Some(connection),
            ..
        } = self.state
        {
            self.request(connection, Purpose::Register, None, 0, now);
        } else {
            self.start(now);
        }
    }

    /// What the person agreed to was said of one registration at one cluster: it is not kept for another.
    pub(super) fn forget_take_over(&mut self) {
        self.alarm.take_if(|alarm| *alarm == Alarm::forced());
    }
}
