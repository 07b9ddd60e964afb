//! How much may wait on the way to and from a client before it is closed: requests that are not complete or not run, and
//! replies and messages that it does not fetch. Whoever sends bytes away is the shell; here they are counted.

use alloc::{format, string::String, vec::Vec};
use core::mem;

use super::{
    ClientId, Engine,
    client::{Client, ClientKind, Clients},
    transactions::Transaction,
};

/// How many bytes may wait to be fetched by a client of some kind; 0 for any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// At any time.
    pub hard: usize,
    /// For longer than the grace.
    pub soft: usize,
    /// For how many milliseconds `soft` may be exceeded.
    pub grace_ms: u64,
}

/// The limits by kind of client (`client-output-buffer-limit`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimits {
    /// Those who wait for replies.
    pub normal: OutputLimit,
    /// Those who follow the journal.
    pub replica: OutputLimit,
    /// Those who wait for messages.
    pub pubsub: OutputLimit,
}

impl OutputLimits {
    /// Reads the directive as it is shown: a kind, a hard limit, a soft one and seconds, for each kind.
    pub fn parse(directive: &str) -> OutputLimits {
        let words: Vec<&str> = directive.split(' ').collect();
        let mut limits = OutputLimits::default();
        for class in words.chunks_exact(4) {
            let number = |at: usize| class[at].parse::<u64>().unwrap_or(0);
            let limit = OutputLimit {
                hard: number(1) as usize,
                soft: number(2) as usize,
                grace_ms: number(3).saturating_mul(1000),
            };
            match class[0] {
                "normal" => limits.normal = limit,
                "pubsub" => limits.pubsub = limit,
                _ => limits.replica = limit,
            }
        }
        limits
    }

    fn of(&self, client: &Client) -> OutputLimit {
        match client.kind() {
            ClientKind::Normal | ClientKind::Master => self.normal,
            ClientKind::Replica => self.replica,
            ClientKind::PubSub => self.pubsub,
        }
    }

    /// The least number of bytes of which any limit takes notice.
    fn least(&self) -> usize {
        let all = [self.normal, self.replica, self.pubsub];
        let bytes = all.iter().flat_map(|limit| [limit.hard, limit.soft]).filter(|&bytes| bytes > 0);
        bytes.min().unwrap_or(usize::MAX)
    }
}

/// Who has more to fetch than somebody may.
pub(super) struct Lagging {
    limits: OutputLimits,
    /// Nobody who has less is looked at.
    least: usize,
    /// Clients to be looked at when the unit ends.
    grown: Vec<ClientId>,
    /// Clients over their soft limit. Some may be gone, or have fetched what they had.
    over: Vec<ClientId>,
}

impl Default for Lagging {
    fn default() -> Self {
        Lagging { limits: OutputLimits::default(), least: usize::MAX, grown: Vec::new(), over: Vec::new() }
    }
}

impl Clients {
    /// Has limits hold from now on.
    pub(super) fn set_output_limits(&mut self, limits: OutputLimits) {
        self.lagging.limits = limits;
        self.lagging.least = limits.least();
    }

    /// Looks at a client whose output has grown: beyond its hard limit it gets nothing more.
    #[inline]
    pub(super) fn note_growth(&mut self, id: ClientId) {
        if let Some(client) = self.get(id)
            && client.out.len() > self.lagging.least
        {
            self.note_lag(id, client.pending_output());
        }
    }

    #[cold]
    fn note_lag(&mut self, id: ClientId, unsent: usize) {
        let limits = self.lagging.limits;
        let Some(client) = self.get_mut(id) else { return };
        let limit = limits.of(client);
        let is_over = |bytes: usize| bytes > 0 && unsent > bytes;
        let is_new = if is_over(limit.hard) {
            !mem::replace(&mut client.overflows, true)
        } else {
            is_over(limit.soft) && !mem::replace(&mut client.lags, true)
        };
        if is_new {
            self.lagging.grown.push(id);
        }
    }

    /// Whether the client whose requests run is over its hard limit with so many bytes of replies.
    #[inline]
    pub(super) fn overflows_with(&mut self, id: ClientId, replies: usize) -> bool {
        if replies > self.lagging.least {
            let sent = self.get(id).map_or(0, |client| client.sent);
            self.note_lag(id, replies.saturating_sub(sent));
        }
        self.get(id).is_some_and(|client| client.overflows)
    }
}

impl Engine {
    /// What a client has to fetch, and how many bytes at its start the shell has sent already and left standing.
    pub fn output_and_sent(&mut self, id: ClientId) -> Option<(&mut Vec<u8>, &mut usize)> {
        let client = self.clients.get_mut(id)?;
        client.ready = false;
        Some((&mut client.out, &mut client.sent))
    }

    /// Bytes that wait to be sent to a client.
    pub fn pending_output(&self, id: ClientId) -> usize {
        self.clients.get(id).map_or(0, Client::pending_output)
    }

    /// Has a client closed that has more to be run than it may: requests that are not complete, wait, or are queued since
    /// MULTI.
    pub(super) fn limit_query(&mut self, id: ClientId) {
        let limit = self.config.client_query_buffer_limit;
        let queued = |client: &Client| client.transaction.as_ref().map_or(0, Transaction::memory);
        if self.clients.get(id).is_some_and(|client| client.query.len() + queued(client) > limit) {
            let line = self.clients.get(id).map(|client| self.client_line(client, None)).unwrap_or_default();
            self.note(format!("A client is closed that reached the query buffer limit: {line}"));
            self.close(id);
        }
    }

    /// Has clients closed that have more to fetch than they may, and remembers those who may for a while.
    #[inline]
    pub(super) fn limit_output(&mut self) {
        if !self.clients.lagging.grown.is_empty() {
            self.close_lagging();
        }
    }

    #[cold]
    fn close_lagging(&mut self) {
        let now_ms = self.keyspace.now_ms();
        for id in mem::take(&mut self.clients.lagging.grown) {
            let Some(client) = self.clients.get_mut(id).filter(|client| !client.closing) else { continue };
            client.lags_since_ms = now_ms;
            if client.overflows {
                self.drop_overflowing(id, "at once");
            } else {
                self.clients.lagging.over.push(id);
            }
        }
    }

    /// Closes the clients who were over their soft limit for too long.
    pub(super) fn limit_lag(&mut self) {
        if self.clients.lagging.over.is_empty() {
            return;
        }
        let now_ms = self.keyspace.now_ms();
        let limits = self.clients.lagging.limits;
        for id in mem::take(&mut self.clients.lagging.over) {
            let Some(client) = self.clients.get_mut(id).filter(|it| it.lags && !it.closing) else { continue };
            let limit = limits.of(client);
            client.lags = limit.soft > 0 && client.pending_output() > limit.soft;
            if client.lags && now_ms.saturating_sub(client.lags_since_ms) > limit.grace_ms {
                self.drop_overflowing(id, "for too long");
            } else if client.lags {
                self.clients.lagging.over.push(id);
            }
        }
    }

    /// Closes a client and forgets what it was to be sent: the memory is needed.
    fn drop_overflowing(&mut self, id: ClientId, how: &str) {
        let line: String =
            self.clients.get(id).map(|client| self.client_line(client, None)).unwrap_or_default();
        self.note(format!("A client is closed that left more output unread than it may {how}: {line}"));
        self.close(id);
        if let Some(client) = self.clients.get_mut(id) {
            client.out = Vec::new();
            client.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Session;

    fn with_limits(limits: &str) -> Session {
        let mut session = Session::new();
        assert_eq!(session.ask(&format!("CONFIG SET client-output-buffer-limit \"{limits}\"")), "+OK\r\n");
        session
    }

    #[test]
    fn a_subscriber_over_the_hard_limit_is_closed_at_once_and_nobody_else() {
        let mut session = with_limits("pubsub 1000 0 0");
        let (slow, fast) = (session.connect(), session.connect());
        session.run(slow, "SUBSCRIBE c");
        session.run(fast, "SUBSCRIBE c");
        let message = "x".repeat(400);
        let heard: Vec<usize> = (0..4)
            .map(|_| {
                session.ask(&format!("PUBLISH c {message}"));
                session.output(fast).len()
            })
            .collect();
        assert!(heard.iter().all(|&len| len > 400), "{heard:?}");
        assert!(session.engine.is_closing(slow) && !session.engine.is_closing(fast));
        assert_eq!(session.output(slow), b"");
    }

    #[test]
    fn one_command_can_overflow_and_what_it_did_stays_done() {
        let mut session = with_limits("normal 1000 0 0");
        let client = session.connect();
        let lines = format!("SET big {}\nMULTI\nGET big\nSET done yes\nEXEC\nSET late yes", "x".repeat(2000));
        assert_eq!(session.run(client, &lines), b"");
        assert!(session.engine.is_closing(client));
        assert_eq!(session.ask("GET done\nGET late"), "$3\r\nyes\r\n$-1\r\n");
    }

    #[test]
    fn over_the_soft_limit_there_is_a_grace() {
        let mut session = with_limits("pubsub 0 100 2");
        let (slow, late) = (session.connect(), session.connect());
        session.run(slow, "SUBSCRIBE c");
        session.run(late, "SUBSCRIBE c");
        session.ask(&format!("PUBLISH c {}", "x".repeat(200)));
        session.wait(1900);
        session.output(late);
        session.wait(100);
        assert!(!session.engine.is_closing(slow));
        session.wait(100);
        assert!(session.engine.is_closing(slow) && !session.engine.is_closing(late));
    }

    #[test]
    fn what_was_sent_does_not_count() {
        let mut session = with_limits("pubsub 1000 0 0");
        let slow = session.connect();
        session.run(slow, "SUBSCRIBE c");
        for _ in 0..10 {
            session.ask(&format!("PUBLISH c {}", "x".repeat(500)));
            let (out, sent) = session.engine.output_and_sent(slow).expect("connected");
            *sent = out.len();
        }
        assert!(!session.engine.is_closing(slow));
    }

    #[test]
    fn a_waiting_client_that_is_served_too_much_is_closed() {
        let mut session = with_limits("normal 1000 0 0");
        let client = session.connect();
        session.run(client, "BLPOP q 0");
        session.ask(&format!("RPUSH q {}", "x".repeat(2000)));
        assert!(session.engine.is_closing(client));
    }
}
