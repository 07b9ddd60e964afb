//! How far clients may lag behind what they are sent (`client-output-buffer-limit`), and what happens to those who lag too
//! far: they are closed, and sent nothing more. Sending is the shell's task.

use alloc::{format, string::String, vec::Vec};
use core::mem;

use super::{
    ClientId, Engine,
    client::{Client, ClientKind},
};

/// How far clients may lag behind, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Those who wait for replies.
    pub normal: OutputLimit,
    /// Replicas.
    pub replica: OutputLimit,
    /// Those who wait for messages.
    pub pubsub: OutputLimit,
}

/// How many bytes may wait to be fetched by a client before it is closed; 0 for any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// At any time.
    pub hard: usize,
    /// For longer than the grace.
    pub soft: usize,
    /// For how many seconds `soft` may be exceeded.
    pub grace: u64,
}

impl Default for OutputLimits {
    fn default() -> Self {
        OutputLimits {
            normal: OutputLimit::default(),
            replica: OutputLimit { hard: 256 << 20, soft: 64 << 20, grace: 60 },
            pubsub: OutputLimit { hard: 32 << 20, soft: 8 << 20, grace: 60 },
        }
    }
}

impl OutputLimits {
    /// Reads what [`OutputLimits::text`] writes, or as much of it as there is.
    pub fn parse(text: &str) -> OutputLimits {
        let mut limits = OutputLimits::default();
        let words: Vec<&str> = text.split(' ').collect();
        for class in words.chunks_exact(4) {
            let limit = OutputLimit {
                hard: class[1].parse().unwrap_or(0),
                soft: class[2].parse().unwrap_or(0),
                grace: class[3].parse().unwrap_or(0),
            };
            match class[0] {
                "normal" => limits.normal = limit,
                "slave" => limits.replica = limit,
                "pubsub" => limits.pubsub = limit,
                _ => {}
            }
        }
        limits
    }

    /// The value of the directive.
    pub fn text(&self) -> String {
        let class = |name: &str, it: &OutputLimit| format!("{name} {} {} {}", it.hard, it.soft, it.grace);
        [class("normal", &self.normal), class("slave", &self.replica), class("pubsub", &self.pubsub)]
            .join(" ")
    }

    /// The limit for a client.
    fn of(&self, client: &Client) -> OutputLimit {
        match client.kind() {
            ClientKind::PubSub => self.pubsub,
            // Most of what they are to be sent is not in their output; see `replication/primary.rs`.
            ClientKind::Replica => OutputLimit::default(),
            ClientKind::Normal | ClientKind::Master => self.normal,
        }
    }
}

/// Clients that lag behind, since when, and how far that is too far.
#[derive(Default)]
pub struct Lagging {
    limits: OutputLimits,
    /// Over their hard limit.
    too_far: Vec<ClientId>,
    /// Over their soft limit.
    behind: Vec<ClientId>,
}

impl Lagging {
    /// Notices how much a client has been left with.
    #[inline]
    pub fn notice(&mut self, id: ClientId, client: &mut Client, now_ms: u64) {
        let (limit, pending) = (self.limits.of(client), client.pending_output());
        if limit.hard > 0 && pending > limit.hard {
            self.too_far.push(id);
        } else if limit.soft > 0 && pending > limit.soft && client.lags_since_ms.is_none() {
            client.lags_since_ms = Some(now_ms);
            self.behind.push(id);
        }
    }

    /// Whether a client is to be closed.
    #[inline]
    pub fn has_too_far(&self) -> bool {
        !self.too_far.is_empty()
    }
}

impl Engine {
    /// Has new limits take effect.
    pub(super) fn follow_output_limits(&mut self) {
        self.clients.lagging.limits = self.config.output_limits;
    }

    /// Closes a client whose own requests left it with too much.
    #[inline]
    pub(super) fn limit_output(&mut self, id: ClientId) {
        let now_ms = self.keyspace.now_ms();
        self.clients.notice_output(id, now_ms);
        if self.clients.lagging.has_too_far() {
            self.close_lagging();
        }
    }

    /// Closes those who lag too far behind.
    #[cold]
    pub(super) fn close_lagging(&mut self) {
        let too_far = mem::take(&mut self.clients.lagging.too_far);
        too_far.into_iter().for_each(|id| self.close_for_output(id));
    }

    /// Closes those who have lagged behind for too long.
    pub(super) fn close_lagging_long(&mut self) {
        let behind = mem::take(&mut self.clients.lagging.behind);
        let (now_ms, limits) = (self.keyspace.now_ms(), self.config.output_limits);
        for id in behind {
            let Some(client) = self.clients.get_mut(id) else { continue };
            let Some(since_ms) = client.lags_since_ms else { continue };
            let limit = limits.of(client);
            if limit.soft == 0 || client.pending_output() <= limit.soft {
                client.lags_since_ms = None;
            } else if now_ms.saturating_sub(since_ms) > limit.grace * 1000 {
                self.close_for_output(id);
            } else {
                self.clients.lagging.behind.push(id);
            }
        }
    }

    fn close_for_output(&mut self, id: ClientId) {
        let Some(client) = self.clients.get(id).filter(|client| !client.closing) else { return };
        let line = self.client_line(client, None);
        self.note(format!("Client {line} is closed, as it fetched too little of its output"));
        self.close(id);
        self.forget_buffers(id);
    }

    /// Has a client that is closed give its memory back at once.
    pub(super) fn forget_buffers(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id) {
            client.out = Vec::new();
            client.query = Vec::new();
            client.sent = 0;
        }
    }

    /// Remembers how much at the start of a client's output has been sent already.
    pub fn note_sent(&mut self, id: ClientId, sent: usize) {
        if let Some(client) = self.clients.get_mut(id) {
            client.sent = sent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn a_limit_is_written_as_it_is_read() {
        let limits = OutputLimits::default();
        assert_eq!(OutputLimits::parse(&limits.text()), limits);
        assert_eq!(limits.text(), "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
    }

    #[test]
    fn replies_beyond_the_hard_limit_close_the_client_without_any() {
        let mut session = Session::new();
        session.ask("CONFIG SET client-output-buffer-limit \"normal 1000 0 0\"");
        session.ask(&format!("SET k {}", "x".repeat(900)));
        let client = session.connect();
        assert_eq!(session.run(client, "GET k").len(), 908);
        assert_eq!(session.run(client, "GET k\nGET k"), b"");
        assert!(session.engine.is_closing(client));
    }

    #[test]
    fn messages_beyond_the_soft_limit_may_wait_for_a_while() {
        let mut session = Session::new();
        session.ask("CONFIG SET client-output-buffer-limit \"pubsub 5000 100 2\"");
        let (quick, slow) = (session.connect(), session.connect());
        session.run(quick, "SUBSCRIBE c");
        session.run(slow, "SUBSCRIBE c");
        session.ask(&format!("PUBLISH c {}", "x".repeat(200)));
        session.output(quick);
        session.wait(1900);
        assert!(!session.engine.is_closing(slow));
        session.wait(200);
        assert!(session.engine.is_closing(slow) && !session.engine.is_closing(quick));
        session.ask(&format!("PUBLISH c {}", "x".repeat(5000)));
        assert!(session.engine.is_closing(quick));
    }
}
