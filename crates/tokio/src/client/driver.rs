//! The loop around the client's machine.

use std::{collections::HashMap, sync::Arc};

use sip_oauth_registration::client::{
    Client, ClientState, ConnectionFailure, Disposition, Event, FlowId,
};
use sip_oauth_token::AccessToken;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

use super::{
    handle::{ClientEvent, Command, Ends},
    link::{Flow, Link, News},
    token_source::{ObtainedToken, TokenRequest, TokenSource, TokenUnavailable},
};

/// News of connections not yet taken up; a connection that has more waits.
const MAX_NEWS: usize = 32;

pub(super) struct Driver {
    client: Client,
    flow: Flow,
    tokens: Arc<dyn TokenSource>,
    ends: Ends,
    links: HashMap<FlowId, Link>,
    news: mpsc::Receiver<(FlowId, News)>,
    for_news: mpsc::Sender<(FlowId, News)>,
    /// At most one request to the token source runs.
    asking: JoinSet<Result<ObtainedToken, TokenUnavailable>>,
    /// What it asks for.
    asked: Option<TokenRequest>,
    /// What the machine asked for while one ran.
    wanted: Option<TokenRequest>,
    /// A request to be made again, and when: the source said that it may have a token then.
    again: Option<(TokenRequest, std::time::Instant)>,
    /// The token the machine was given last.
    given: Option<AccessToken>,
    /// Until when the registrar may answer the deregistration of a stop.
    stop_by: Option<Instant>,
    /// What the client was started in.
    span: tracing::Span,
}

impl Driver {
    pub(super) fn new(
        client: Client,
        flow: Flow,
        tokens: Arc<dyn TokenSource>,
        ends: Ends,
    ) -> Self {
        let (for_news, news) = mpsc::channel(MAX_NEWS);
        Self {
            client,
            flow,
            tokens,
            ends,
            links: HashMap::new(),
            news,
            for_news,
            asking: JoinSet::new(),
            wanted: None,
            asked: None,
            again: None,
            given: None,
            stop_by: None,
            span: tracing::Span::current(),
        }
    }

    pub(super) async fn run(mut self) {
        self.client.start(self.now());
        loop {
            self.pump();
            self.ends.set_state(self.client.state());
            if self.stop_by.is_some() && self.client.state() == ClientState::Idle {
                return;
            }
            self.step().await;
            if self.stop_by.is_some_and(|by| Instant::now() >= by) {
                return;
            }
        }
    }

    /// Waits for one thing to happen and tells the machine.
    async fn step(&mut self) {
        let clock = self.flow.connector.clock().clone();
        let deadline = self.client.poll_timeout();
        tokio::select! {
            () = self.ends.stopped.wait(), if self.stop_by.is_none() => {
                self.stop_by = Some(Instant::now() + self.flow.connector.timeouts().shutdown);
                self.client.deregister(self.now());
            }
            () = sleep_until(self.stop_by) => {}
            Some(command) = self.ends.commands.recv(), if self.stop_by.is_none() => {
                self.command(command);
            }
            // We hold a sender: the channel never closes.
            Some((id, news)) = self.news.recv() => self.heard(id, news),
            Some(asked) = self.asking.join_next() => {
                let asked = asked.unwrap_or_else(|_| {
                    Err(TokenUnavailable::new("the token source ended without an answer"))
                });
                self.answered(asked);
            }
            () = clock.sleep_until_or_forever(deadline) => {
                self.client.handle_timeout(self.now());
            }
            () = clock.sleep_until_or_forever(self.again.as_ref().map(|(_, due)| *due)) => {
                self.ask_again();
            }
        }
    }

    fn now(&self) -> std::time::Instant {
        self.flow.connector.clock().now()
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Start => self.client.start(self.now()),
            Command::Deregister => self.client.deregister(self.now()),
            Command::Relocate(targets) => self.client.relocate(targets, self.now()),
            Command::TakeOver => self.client.take_over(self.now()),
            Command::Suspend => self.client.suspend(),
            Command::Resume => self.client.resume(self.now()),
            Command::Targets(targets) => self.client.set_targets(targets),
        }
    }

    /// Does what the machine wants done, until it wants nothing.
    fn pump(&mut self) {
        loop {
            let mut idle = true;
            // Before events: a connection is closed after what belongs to it was written.
            let mut request = Vec::new();
            let wall = self.flow.connector.clock().system_now();
            if let Some(id) = self.client.poll_transmit(wall, &mut request) {
                idle = false;
                let limits = &self.flow.limits;
                let link = self.links.get_mut(&id);
                // A transaction is part of the client, not of the one whose answer led to it.
                let _in = self.span.enter();
                let sent = link.is_some_and(|link| link.send(request, limits));
                if !sent {
                    self.links.remove(&id);
                    let cause = ConnectionFailure::Broken("the peer does not read".to_owned());
                    self.client.handle_disconnected(id, cause, self.now());
                }
            }
            if let Some(event) = self.client.poll_event() {
                idle = false;
                self.handle_event(event);
            }
            if idle {
                return;
            }
        }
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Connect { connection, target } => {
                let news = self.for_news.clone();
                let link = Link::open(connection, target, self.flow.clone(), news);
                self.links.insert(connection, link);
            }
            Event::Close { connection } => {
                self.links.remove(&connection);
            }
            Event::TokenNeeded { reason, challenge } => {
                self.ask(TokenRequest::new(reason, challenge));
            }
            event => {
                tracing::info!(?event, "registration");
                // Who hears of the event may ask for the state at once.
                self.ends.set_state(self.client.state());
                self.ends.emit(ClientEvent::Registration(event));
            }
        }
    }

    fn heard(&mut self, id: FlowId, news: News) {
        let now = self.now();
        let link = self.links.get(&id);
        let _in = link.map(|link| link.transaction.clone().entered());
        match news {
            News::Connected(local) => self.client.handle_connected(id, local, now),
            News::Message(bytes) => match self.client.handle_message(id, &bytes, now) {
                Disposition::Consumed => {}
                Disposition::NotForUs => self.ends.emit(ClientEvent::Unclaimed(bytes)),
                Disposition::Malformed(error) => {
                    let cause = ConnectionFailure::Protocol(error.to_string());
                    self.down(id, cause, None);
                }
            },
            News::Pong => self.client.handle_pong(id, now),
            News::Down(cause, explanation) => self.down(id, cause, explanation),
        }
        // What comes of it is told within the span of the transaction.
        self.pump();
    }

    fn down(
        &mut self,
        id: FlowId,
        failure: ConnectionFailure,
        explanation: Option<Box<sip_oauth_trust::Explanation>>,
    ) {
        // Absent when the machine has closed it already: then nobody waits for it.
        if let Some(link) = self.links.remove(&id) {
            self.ends.emit(ClientEvent::Connection {
                target: link.target,
                failure: failure.clone(),
                explanation,
            });
            self.client.handle_disconnected(id, failure, self.now());
        }
    }

    fn ask(&mut self, mut request: TokenRequest) {
        self.again = None;
        request.held.clone_from(&self.given);
        if !self.asking.is_empty() {
            self.wanted = Some(request);
            return;
        }
        self.asked = Some(request.clone());
        let tokens = Arc::clone(&self.tokens);
        self.asking
            .spawn(async move { tokens.token(&request).await });
    }

    /// Asks for what could not be had before, if the machine still waits for it.
    fn ask_again(&mut self) {
        if let Some((request, _)) = self.again.take()
            && self.client.state() == ClientState::AwaitingToken
        {
            self.ask(request);
        }
    }

    fn answered(&mut self, asked: Result<ObtainedToken, TokenUnavailable>) {
        let now = self.now();
        let error = match asked {
            Ok(ObtainedToken { token, expires_in }) => {
                match self.client.provide_token(token.clone(), expires_in, now) {
                    Ok(()) => {
                        self.given = Some(token);
                        self.wanted = None;
                        return;
                    }
                    Err(error) => TokenUnavailable::new(error.to_string()),
                }
            }
            Err(error) => error,
        };
        let sentence = error.to_string();
        tracing::warn!(reason = sentence, "no token");
        self.ends.emit(ClientEvent::TokenUnavailable(sentence));
        if let Some(request) = self.wanted.take() {
            return self.ask(request);
        }
        let due = error
            .retry_at_least()
            .filter(|_| !error.is_final())
            .and_then(|wait| now.checked_add(wait));
        match (self.asked.take(), due) {
            // The machine goes on waiting: what the source lacks now it may have then.
            (Some(request), Some(due)) if self.client.state() == ClientState::AwaitingToken => {
                self.again = Some((request, due));
            }
            _ => self.client.token_unavailable(),
        }
    }
}

/// Waits until `deadline` by real time; for ever if there is none.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
