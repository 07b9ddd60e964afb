//! The requests of one client in the order they came, a few of them read before the first one runs, so that the processor
//! fetches the keys of the later ones meanwhile. Reading ahead changes nothing that a client can see.

use alloc::{string::ToString, vec::Vec};

use super::{ClientId, Engine, dispatch::Known};
use crate::resp::{Limits, ProtocolError, RequestParser, Writer};

/// Requests read ahead at most: enough to hide the time memory takes, few enough to stay in the nearest cache.
const AHEAD: usize = 16;

/// A client with so many bytes of replies to fetch has the rest of its requests wait.
const OUTPUT_MAX: usize = 64 << 20;

/// Requests that are read and have not run.
struct Ahead<'i> {
    words: Vec<&'i [u8]>,
    requests: [Request; AHEAD],
    len: usize,
}

/// A request that is read.
#[derive(Clone, Copy, Default)]
struct Request {
    /// What it asks for, if that is anything.
    known: Option<Known>,
    /// Where its words end.
    words_end: usize,
    /// Where it ends in the input.
    end: usize,
}

/// Why no more requests were read ahead.
enum Stop {
    /// Enough were.
    Full,
    /// The rest is not complete.
    Incomplete,
    /// The next one, which ends there, is an inline one: its words are not in the input.
    Inline(Vec<Vec<u8>>, usize),
    /// The next one breaks the protocol.
    Refused(ProtocolError),
}

impl<'i> Ahead<'i> {
    fn new() -> Self {
        Ahead { words: Vec::with_capacity(4 * AHEAD), requests: [Request::default(); AHEAD], len: 0 }
    }

    fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
    }

    /// Ends the request whose words were appended last.
    fn push(&mut self, known: Option<Known>, end: usize) {
        self.requests[self.len] = Request { known, words_end: self.words.len(), end };
        self.len += 1;
    }

    /// Each request with its words.
    fn requests(&self) -> impl Iterator<Item = (&Request, &[&'i [u8]])> {
        let mut start = 0;
        self.requests[..self.len].iter().map(move |request| {
            let end = request.words_end;
            (request, &self.words[core::mem::replace(&mut start, end)..end])
        })
    }
}

/// What becomes of the requests behind one that ran.
enum Outlook {
    /// They run.
    Goes,
    /// They wait until this one is answered.
    Parked,
    /// They wait, and this one with them: it has not run.
    Paused,
    /// Nobody will read them.
    Closed,
}

impl Engine {
    #[inline]
    fn outlook(&self, id: ClientId) -> Outlook {
        match self.clients.get(id) {
            Some(client) if !client.closing => match (client.paused, client.parked.is_some()) {
                (false, false) => Outlook::Goes,
                (false, true) => Outlook::Parked,
                (true, _) => Outlook::Paused,
            },
            _ => Outlook::Closed,
        }
    }

    /// Runs every complete request in `input`; returns how many bytes they took.
    pub(super) fn requests(
        &mut self,
        id: ClientId,
        input: &[u8],
        parser: &mut RequestParser,
        out: &mut Writer,
    ) -> usize {
        let mut ahead = Ahead::new();
        let mut at = 0;
        self.hold(id, false);
        loop {
            let stop = self.read_ahead(id, input, at, parser, &mut ahead);
            for (request, words) in ahead.requests() {
                self.request(id, request.known, words, out);
                match self.outlook(id) {
                    Outlook::Goes => {}
                    // What follows the end of a connection is not read.
                    Outlook::Closed => {
                        self.stumble_at(at);
                        return input.len();
                    }
                    // What was read ahead is read again.
                    Outlook::Parked => {
                        *parser = RequestParser::default();
                        return request.end;
                    }
                    Outlook::Paused => {
                        *parser = RequestParser::default();
                        return at;
                    }
                }
                at = request.end;
                if out.position() > OUTPUT_MAX || self.wants_log_again {
                    // What was read ahead is read again.
                    *parser = RequestParser::default();
                    self.hold(id, true);
                    return at;
                }
            }
            match stop {
                Stop::Full => {}
                Stop::Incomplete => return at,
                Stop::Inline(words, end) if self.replaying.is_some() => match words.first() {
                    Some(word) if !word.starts_with(b"#") => {
                        self.stumble("there is something that is no command".into());
                        self.stumble_at(at);
                        return input.len();
                    }
                    _ => at = end,
                },
                Stop::Inline(words, end) => {
                    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                    self.request(id, None, &words, out);
                    match self.outlook(id) {
                        Outlook::Goes | Outlook::Closed => at = end,
                        Outlook::Parked => return end,
                        Outlook::Paused => return at,
                    }
                }
                Stop::Refused(error) if self.replaying.is_some() => {
                    self.stumble(error.to_string());
                    self.stumble_at(at);
                    return input.len();
                }
                Stop::Refused(error) => {
                    self.stats.count_error("ERR");
                    out.error(error);
                    self.close(id);
                }
            }
            if self.is_closing(id) {
                return input.len();
            }
        }
    }

    /// Reads the next requests and has what they will look at fetched: all keys first, then what these hold.
    fn read_ahead<'i>(
        &mut self,
        id: ClientId,
        input: &'i [u8],
        at: usize,
        parser: &mut RequestParser,
        ahead: &mut Ahead<'i>,
    ) -> Stop {
        ahead.clear();
        let stop = self.read_requests(id, input, at, parser, ahead);
        if ahead.len > 1 {
            let look_up = |known| self.table.looks_up_members(known);
            let requests = ahead.requests().filter(|(request, _)| request.known.is_some_and(look_up));
            self.keyspace.prefetch_members(requests.map(|(_, words)| words));
        }
        stop
    }

    fn read_requests<'i>(
        &mut self,
        id: ClientId,
        input: &'i [u8],
        mut at: usize,
        parser: &mut RequestParser,
        ahead: &mut Ahead<'i>,
    ) -> Stop {
        let limits = self.limits(id);
        // The limits change with the request that authenticates.
        let most = if limits.unauthenticated { 1 } else { AHEAD };
        while ahead.len < most {
            let rest = &input[at..];
            let first = ahead.words.len();
            let used = match parser.parse(rest, limits, &mut ahead.words) {
                Ok(Some(used)) => used,
                Ok(None) => return Stop::Incomplete,
                Err(error) => return Stop::Refused(error),
            };
            at += used;
            let words = &ahead.words[first..];
            match words {
                [] => return Stop::Inline(parser.take_inline(), at),
                // A key nearly always; if it is none, little is lost.
                [_, key, ..] if first > 0 || at < input.len() => self.keyspace.prefetch(key),
                _ => {}
            }
            ahead.push(self.table.find(words), at);
        }
        Stop::Full
    }

    fn hold(&mut self, id: ClientId, held: bool) {
        if let Some(client) = self.clients.get_mut(id) {
            client.held = held;
        }
    }

    /// What a client's requests may be.
    fn limits(&mut self, id: ClientId) -> Limits {
        let client = self.clients.get(id);
        if let Some(client) = client {
            self.keyspace.select(client.db);
        }
        let is_authenticated = client.is_some_and(|client| client.authenticated);
        Limits {
            word: self.config.proto_max_bulk_len,
            unauthenticated: self.has_password() && !is_authenticated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Origin};
    use alloc::{format, string::String};

    fn engine() -> (Engine, ClientId) {
        let mut engine = Engine::new(Config::default(), 1);
        let client = engine.connect(Origin::default(), 0);
        (engine, client)
    }

    fn take(engine: &mut Engine, client: ClientId) -> Vec<u8> {
        core::mem::take(engine.output(client).unwrap())
    }

    #[test]
    fn more_requests_than_are_read_ahead_run_in_order() {
        let (mut engine, client) = engine();
        let requests = b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\nINCR n\r\n\r\n*0\r\n".repeat(3 * AHEAD);
        engine.receive(client, &requests, 0);
        let replies: Vec<u8> = (1..=6 * AHEAD).flat_map(|n| format!(":{n}\r\n").into_bytes()).collect();
        assert_eq!(take(&mut engine, client), replies);
    }

    #[test]
    fn members_fetched_ahead_are_those_that_are_found() {
        let (mut engine, client) = engine();
        let request = |line: String| {
            let words: Vec<&str> = line.split(' ').collect();
            let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
            format!("*{}\r\n{}", words.len(), words.collect::<String>())
        };
        for reply in [":1\r\n", ":0\r\n"] {
            let requests = (0..5000).flat_map(|n| {
                [format!("SADD s {n}"), format!("HSET h {n} v"), format!("ZADD z 0 {n}")].map(request)
            });
            engine.receive(client, requests.collect::<String>().as_bytes(), 0);
            assert_eq!(take(&mut engine, client), reply.repeat(3 * 5000).as_bytes());
        }
        let others =
            ["SISMEMBER s x", "HGET h 7", "ZSCORE z x", "HGET s 7", "SISMEMBER nothing 7", "SCARD s"];
        let others = others.map(|line| request(line.into())).concat();
        engine.receive(client, others.as_bytes(), 0);
        let replies = String::from_utf8(take(&mut engine, client)).unwrap();
        let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
        assert_eq!(replies, [":0\r\n$1\r\nv\r\n$-1\r\n", wrong, ":0\r\n:5000\r\n"].concat());
    }

    #[test]
    fn requests_before_one_that_breaks_the_protocol_are_answered() {
        let (mut engine, client) = engine();
        engine.receive(client, b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*x\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n", 0);
        assert_eq!(take(&mut engine, client), b":1\r\n-ERR Protocol error: invalid multibulk length\r\n");
        assert!(engine.is_closing(client));
    }

    #[test]
    fn requests_wait_while_too_many_replies_are_not_fetched() {
        let (mut engine, client) = engine();
        let value = alloc::vec![b'x'; OUTPUT_MAX / 2];
        let set = [&b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$33554432\r\n"[..], &value, b"\r\n"].concat();
        engine.receive(client, &set, 0);
        assert_eq!(take(&mut engine, client), b"+OK\r\n");

        engine.receive(client, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".repeat(5).as_slice(), 0);
        let reply = value.len() + 13;
        let mut fetched = [0; 3];
        for len in &mut fetched {
            *len = take(&mut engine, client).len();
            engine.receive(client, b"", 0);
        }
        assert_eq!(fetched, [2 * reply, 2 * reply, reply]);
        assert!(!engine.is_held(client) && take(&mut engine, client).is_empty());
    }
}
