//! Clients whose answer depends on what others do: those parked by BLPOP, XREAD BLOCK and their like until a key comes or
//! their time is over, and those that CLIENT PAUSE holds up. How a command waits and what it then takes is its own
//! business (`commands/blocking.rs`): it is simply run again, from the start, by the same client.
//!
//! A change of a key costs one look into the keys that are waited for, and nothing when there are none.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};
use core::mem;

use super::{ClientId, Engine, dispatch::Known};
use crate::{
    Error, Result,
    commands::{
        Command, Flags, Kind as WordKind, Shape, Spec,
        args::{Arg, Millis, Words},
        reply::Done,
        spec::commands,
    },
    data::{
        containers::ordered::{OrderedMap, OrderedSet},
        number::parse_i64,
    },
    keyspace::{Class, Effects, Event, Kind, Sweep, Wait},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "connection";
    /// Ends the waiting of a client, as if its time were over or with an error.
    "CLIENT UNBLOCK" = client_unblock(client_id, how) since "5.0.0" [ADMIN NOSCRIPT LOADING STALE] O("log N) where N is the number of client connections");
    /// Holds up the commands of all clients, or only those that may write, for some milliseconds.
    "CLIENT PAUSE" = client_pause(timeout, mode) since "3.0.0" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Ends a pause.
    "CLIENT UNPAUSE" = client_unpause() since "6.2.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of paused clients");
};

/// A client's command that found nothing, and what has to happen before it is run again.
pub struct Parked {
    /// Its place in every queue.
    ticket: u64,
    db: usize,
    known: Known,
    words: Vec<Vec<u8>>,
    wait: Wait,
}

/// Who waits for a key, in the order in which they came.
#[derive(Default)]
struct Queue {
    clients: OrderedMap<u64, ClientId>,
    /// How many of them want to hear that the key is gone.
    needing_key: usize,
    /// Whether the key has changed since they were last run.
    is_ready: bool,
}

/// The commands of all clients are held up.
#[derive(Clone, Copy)]
struct Pause {
    until_ms: u64,
    /// Not only those that may write.
    all: bool,
}

/// Who waits for what.
#[derive(Default)]
pub struct Waiting {
    /// By database and key.
    queues: Vec<OrderedMap<Box<[u8]>, Queue>>,
    /// Deadlines with the ticket and the client they are for.
    deadlines: OrderedSet<(u64, u64, ClientId)>,
    /// Keys that changed and whose queues have not been looked at, in the order of their changes.
    ready: VecDeque<(usize, Box<[u8]>)>,
    last_ticket: u64,
    parked: usize,
    pause: Option<Pause>,
    /// Clients with a request that the pause holds up, in order.
    paused: Vec<ClientId>,
    is_serving: bool,
    /// Whether the command that runs has run before.
    pub(super) is_retrying: bool,
}

impl Waiting {
    /// Whether nobody waits for a key.
    pub fn is_empty(&self) -> bool {
        self.parked == 0
    }

    /// How many clients wait for a key, or for the end of a pause.
    pub fn blocked_clients(&self) -> usize {
        self.parked + self.paused.len()
    }

    /// How many of them will not wait for ever.
    pub fn clients_with_deadline(&self) -> usize {
        self.deadlines.len()
    }

    /// How many keys are waited for, and how many of these also to go.
    pub fn blocking_keys(&self) -> (usize, usize) {
        let queues = self.queues.iter().flat_map(OrderedMap::values);
        queues.fold((0, 0), |(all, needed), queue| (all + 1, needed + (queue.needing_key > 0) as usize))
    }

    /// When the next wait or the pause is over, in milliseconds since 1970; `u64::MAX` if none ever is.
    #[inline(always)]
    pub fn soonest_ms(&self) -> u64 {
        let deadline = self.deadlines.first().map_or(u64::MAX, |(at, ..)| *at);
        self.pause.map_or(deadline, |pause| pause.until_ms.min(deadline))
    }

    /// Whether some commands are held up.
    #[inline]
    pub fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Remembers the keys that changed and that somebody waits for.
    pub fn mark(&mut self, effects: &Effects) {
        if self.is_empty() {
            return;
        }
        for touch in effects.touches().iter().filter(|touch| may_serve(touch.event)) {
            self.mark_key(touch.db, effects.key(touch));
        }
        for sweep in effects.sweeps() {
            match *sweep {
                Sweep::Flushed(db) => self.mark_all(db),
                Sweep::Swapped(a, b) => {
                    self.mark_all(a);
                    self.mark_all(b);
                }
            }
        }
    }

    fn mark_key(&mut self, db: usize, key: &[u8]) {
        let queue = self.queues.get_mut(db).and_then(|queues| queues.get_mut(key));
        if let Some(queue) = queue.filter(|queue| !queue.is_ready) {
            queue.is_ready = true;
            self.ready.push_back((db, key.into()));
        }
    }

    fn mark_all(&mut self, db: usize) {
        for (key, queue) in self.queues.get_mut(db).into_iter().flat_map(OrderedMap::iter_mut) {
            if !mem::replace(&mut queue.is_ready, true) {
                self.ready.push_back((db, key.clone()));
            }
        }
    }

    fn next_ready(&mut self) -> Option<(usize, Box<[u8]>)> {
        let (db, key) = self.ready.pop_front()?;
        if let Some(queue) = self.queue_mut(db, &key) {
            queue.is_ready = false;
        }
        Some((db, key))
    }

    fn queue(&self, db: usize, key: &[u8]) -> Option<&Queue> {
        self.queues.get(db)?.get(key)
    }

    fn queue_mut(&mut self, db: usize, key: &[u8]) -> Option<&mut Queue> {
        self.queues.get_mut(db)?.get_mut(key)
    }

    fn insert(&mut self, id: ClientId, parked: &Parked) {
        let Parked { ticket, db, wait, .. } = parked;
        if self.queues.len() <= *db {
            self.queues.resize_with(db + 1, OrderedMap::new);
        }
        for key in &wait.keys {
            let queue = self.queues[*db].get_or_default(key.as_slice().into());
            // A key may be named twice.
            if queue.clients.insert(*ticket, id).is_none() {
                queue.needing_key += wait.needs_keys as usize;
            }
        }
        if let Some(at) = wait.deadline_ms {
            self.deadlines.insert((at, *ticket, id));
        }
        self.parked += 1;
    }

    fn remove(&mut self, id: ClientId, parked: &Parked) {
        let Parked { ticket, db, wait, .. } = parked;
        for key in &wait.keys {
            let Some(queue) = self.queue_mut(*db, key) else { continue };
            if queue.clients.remove(ticket).is_some() {
                queue.needing_key -= wait.needs_keys as usize;
            }
            if queue.clients.is_empty() {
                self.queues[*db].remove(key.as_slice());
            }
        }
        if let Some(at) = wait.deadline_ms {
            self.deadlines.remove(&(at, *ticket, id));
        }
        self.parked -= 1;
    }
}

/// Whether what happened to a key may be what somebody waits for. Of a stream only new entries are, and the end of a group.
fn may_serve(event: Event) -> bool {
    let is_for_readers = matches!(event, Event::XAdd | Event::XGroupDestroy);
    event.is_change() && (event.class() != Class::Stream || is_for_readers)
}

/// Whether a command may do something that others hear of: it writes, or counts as writing.
pub(super) fn may_replicate(spec: &Spec) -> bool {
    spec.flags.has(Flags::WRITE) || matches!(spec.name, "PUBLISH" | "SPUBLISH" | "PFCOUNT" | "FCALL")
}

/// Whether a command reads streams and says that it would wait for them.
pub(super) fn waits_for_streams(spec: &Spec, words: &[&[u8]]) -> bool {
    let before_keys = words.iter().take_while(|word| !word.eq_ignore_ascii_case(b"STREAMS"));
    matches!(spec.name, "XREAD" | "XREADGROUP")
        && before_keys.skip(1).any(|word| word.eq_ignore_ascii_case(b"BLOCK"))
}

/// The number of a client.
struct Id(i64);

impl Arg<'_> for Id {
    const SHAPE: Shape = Shape::Word("client-id", WordKind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        parse_i64(words.next()?).map(Id).ok_or(Error::NotInteger)
    }
}

/// A choice of two words; any other is refused in words of the command's own.
macro_rules! either {
    ($(#[$doc:meta])* enum $Name:ident else $refusal:literal { $first:literal = $First:ident, $second:literal = $Second:ident }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq)]
        enum $Name { $First, $Second }

        impl Arg<'_> for $Name {
            const SHAPE: Shape = Shape::OneOf(&[Shape::Token($first), Shape::Token($second)]);
            fn parse(words: &mut Words<'_>) -> Result<Self> {
                if words.take($first) {
                    Ok($Name::$First)
                } else if words.take($second) {
                    Ok($Name::$Second)
                } else {
                    Err(Error::refused($refusal))
                }
            }
        }
    };
}

either! {
    /// How CLIENT UNBLOCK ends a wait.
    enum Unblock else "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR" { "TIMEOUT" = Timeout, "ERROR" = Error }
}

either! {
    /// Which commands CLIENT PAUSE holds up.
    enum PauseMode else "ERR CLIENT PAUSE mode must be WRITE or ALL" { "WRITE" = Write, "ALL" = All }
}

fn client_unblock(engine: &mut Engine, client_id: Id, how: Option<Unblock>) -> Result<bool> {
    let is_meant = |client: &super::Client| client.id as i64 == client_id.0 && client.parked.is_some();
    let found = engine.clients.iter().find(|(_, client)| is_meant(client)).map(|(id, _)| id);
    if let Some(id) = found {
        let error = Error::refused("UNBLOCKED client unblocked via CLIENT UNBLOCK");
        engine.give_up(id, Some(error).filter(|_| how == Some(Unblock::Error)));
    }
    Ok(found.is_some())
}

fn client_pause(engine: &mut Engine, timeout: Millis, mode: Option<PauseMode>) -> Result<Done> {
    let until_ms = engine.keyspace.now_ms().saturating_add(timeout.0);
    let all = mode != Some(PauseMode::Write);
    engine.pause(Pause { until_ms, all });
    Ok(Done)
}

fn client_unpause(engine: &mut Engine) -> Result<Done> {
    engine.end_pause();
    Ok(Done)
}

impl Engine {
    /// Has the current client wait, and with it the requests behind this one.
    pub(super) fn park(&mut self, known: Known, words: &[&[u8]], mut wait: Wait) {
        let words = wait.words.take().unwrap_or_else(|| words.iter().map(|word| word.to_vec()).collect());
        self.waiting.last_ticket += 1;
        let db = self.keyspace.selected();
        let parked = Parked { ticket: self.waiting.last_ticket, db, known, words, wait };
        self.waiting.insert(self.current, &parked);
        self.current_mut().parked = Some(Box::new(parked));
        self.refresh_interests();
    }

    /// Runs the commands of those again who wait for keys that changed, until nobody can be served any more.
    pub(super) fn serve(&mut self) {
        if self.waiting.ready.is_empty() || self.waiting.is_serving || self.executing.is_some() {
            return;
        }
        self.waiting.is_serving = true;
        while let Some((db, key)) = self.waiting.next_ready() {
            self.serve_key(db, &key);
        }
        self.waiting.is_serving = false;
    }

    /// Runs the commands of those again who wait for this key, first come, first served.
    fn serve_key(&mut self, db: usize, key: &[u8]) {
        let (mut from, last) = (0, self.waiting.last_ticket);
        while let Some(queue) = self.waiting.queue(db, key)
            && let Some((&ticket, &id)) = queue.clients.first_from(&from)
            && ticket <= last
        {
            let there = self.keyspace.kind_of(db, key);
            if there.is_none() && queue.needing_key == 0 {
                return;
            }
            from = ticket + 1;
            if self.can_serve(id, there) {
                self.retry(id);
            }
        }
    }

    fn can_serve(&self, id: ClientId, there: Option<Kind>) -> bool {
        let parked = self.clients.get(id).and_then(|client| client.parked.as_ref());
        parked.is_some_and(|parked| parked.wait.needs_keys || there == Some(parked.wait.kind))
    }

    /// Runs the command of a parked client again, as a unit of its own. If there still is nothing, the client stays where
    /// it is.
    pub(super) fn retry(&mut self, id: ClientId) {
        let Some(parked) = self.clients.get_mut(id).and_then(|client| client.parked.take()) else { return };
        let words: Vec<&[u8]> = parked.words.iter().map(Vec::as_slice).collect();
        let mut waits = false;
        self.speak_for(id, |engine, out| {
            engine.keyspace.select(parked.db);
            engine.waiting.is_retrying = true;
            // What the user may do can have changed meanwhile.
            match engine.permit(parked.known, &words) {
                Ok(()) => waits = engine.call(parked.known, &words, out).is_some(),
                Err(denied) => engine.write_error(&engine.no_permission("", parked.known, denied), out),
            }
            engine.waiting.is_retrying = false;
            if !engine.keyspace.effects.is_empty() {
                engine.tell();
            }
            !waits
        });
        if !waits {
            self.waiting.remove(id, &parked);
        }
        if let Some(client) = self.clients.get_mut(id) {
            match waits {
                true => client.parked = Some(parked),
                false => client.resume(),
            }
        }
        self.refresh_interests();
    }

    /// Answers a parked client that there was nothing, or with an error, and has it go on.
    pub(super) fn give_up(&mut self, id: ClientId, error: Option<Error>) {
        let Some(parked) = self.clients.get_mut(id).and_then(|client| client.parked.take()) else { return };
        self.waiting.remove(id, &parked);
        let awaited = self.clients.get_mut(id).and_then(|client| client.awaits.take());
        let stats = &mut self.calls[parked.known.0 as usize];
        stats.calls += 1;
        stats.failed += error.is_some() as u64;
        self.stats.commands += 1;
        self.speak_for(id, |engine, out| {
            match &error {
                Some(error) => engine.write_error(error, out),
                None => match awaited {
                    Some(awaited) => engine.write_reached(awaited, out),
                    None => out.null_array(),
                },
            }
            true
        });
        if let Some(client) = self.clients.get_mut(id) {
            client.resume();
        }
        self.refresh_interests();
    }

    /// Does something in the name of a client that is not the one whose command runs, and sends what it `answers`.
    fn speak_for(&mut self, id: ClientId, answers: impl FnOnce(&mut Engine, &mut Writer) -> bool) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let mut out = mem::take(&mut client.out);
        let (unsent, version, no_touch) = (out.len(), client.version, client.no_touch);
        let was = (mem::replace(&mut self.current, id), self.keyspace.selected());
        let kept_clocks = mem::replace(&mut self.keyspace.keeps_clocks, no_touch);
        let mut writer = Writer::new(&mut out, version);
        let start = writer.position();
        let answered = answers(self, &mut writer);
        if answered {
            self.finish(start, &mut writer);
        }
        self.stats.output_bytes += (out.len() - unsent) as u64;
        if let Some(client) = self.clients.get_mut(id) {
            client.put_back(out);
        }
        self.current = was.0;
        self.keyspace.select(was.1);
        self.keyspace.keeps_clocks = kept_clocks;
        if answered {
            self.clients.make_ready(id);
        }
    }

    /// Whether the pause holds up a command of the current client.
    pub(super) fn is_held_up(&self, known: Known, words: &[&[u8]]) -> bool {
        let writes = |known, script| {
            let spec = self.table.spec(known);
            match spec.name {
                "EVAL" | "EVALSHA" | "FCALL" => self.may_script_write(spec.name, script),
                _ => may_replicate(spec),
            }
        };
        let executes = || {
            let is_exec = self.table.spec(known).name == "EXEC";
            let queued = self.current().transaction.as_ref().filter(|_| is_exec);
            queued.is_some_and(|it| {
                it.requests().any(|(known, words)| writes(known, words.get(1).map(|word| &word[..])))
            })
        };
        !self.is_obeying()
            && self
                .waiting
                .pause
                .is_some_and(|pause| pause.all || writes(known, words.get(1).copied()) || executes())
    }

    /// Leaves a request of the current client for the end of the pause.
    pub(super) fn pause_current(&mut self) {
        self.waiting.paused.push(self.current);
        self.current_mut().paused = true;
    }

    /// Holds up what may write until some time, for the sake of another server.
    pub(super) fn pause_writes(&mut self, until_ms: u64) {
        self.pause(Pause { until_ms, all: false });
    }

    /// Holds clients up. A second pause can add to the first, and take nothing from it.
    fn pause(&mut self, Pause { until_ms, all }: Pause) {
        let old = self.waiting.pause.unwrap_or(Pause { until_ms: 0, all: false });
        self.waiting.pause = Some(Pause { until_ms: until_ms.max(old.until_ms), all: all || old.all });
        self.refresh_role();
    }

    /// Has nobody wait any more: what they wait for is another server's business now.
    pub(super) fn unblock_all(&mut self) {
        let parked: Vec<ClientId> =
            self.clients.iter().filter(|(_, client)| client.parked.is_some()).map(|(id, _)| id).collect();
        let error = Error::refused(
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        );
        for id in parked {
            self.give_up(id, Some(error.clone()));
            self.close(id);
        }
    }

    /// Ends a pause, and has those go on whom it held up.
    pub(super) fn end_pause(&mut self) {
        self.waiting.pause = None;
        self.refresh_role();
        for id in mem::take(&mut self.waiting.paused) {
            if let Some(client) = self.clients.get_mut(id) {
                client.resume();
                self.clients.make_ready(id);
            }
        }
    }

    /// Ends the waits, and the pause, whose time is over.
    #[cold]
    pub(super) fn end_waits(&mut self) {
        let now_ms = self.keyspace.now_ms();
        if self.waiting.pause.is_some_and(|pause| pause.until_ms <= now_ms) {
            self.end_pause();
        }
        while let Some(&(at, _, id)) = self.waiting.deadlines.first()
            && at <= now_ms
        {
            self.give_up(id, None);
        }
    }

    /// Has a client that is about to go wait for nothing any more.
    pub(super) fn stop_waiting(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        if mem::take(&mut client.paused) {
            self.waiting.paused.retain(|&other| other != id);
        }
        if let Some(parked) = client.parked.take() {
            self.waiting.remove(id, &parked);
            self.refresh_interests();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::{Session, bytes};

    #[test]
    fn what_a_wake_did_is_logged_and_not_that_it_waited() {
        let mut session = Session::new();
        let clients: Vec<ClientId> = (0..6).map(|_| session.connect()).collect();
        for (&client, line) in clients.iter().zip([
            "BLPOP a 0",
            "BRPOPLPUSH a b 0",
            "BLMOVE a b LEFT RIGHT 0",
            "BLMPOP 0 1 a RIGHT COUNT 2",
            "BZPOPMIN z 0",
            "BZMPOP 0 1 z MAX COUNT 9",
        ]) {
            session.run(client, line);
        }
        session.ask("RPUSH a 1 2 3 4 5");
        session.ask("ZADD z 1 one 2 two 3 three");
        assert_eq!(
            session.logged(),
            [
                "SELECT 0",
                "RPUSH a 1 2 3 4 5",
                "LPOP a 1",
                "RPOPLPUSH a b",
                "LMOVE a b LEFT RIGHT",
                "RPOP a 2",
                "ZADD z 1 one 2 two 3 three",
                "ZPOPMIN z 1",
                "ZPOPMAX z 2",
            ]
        );
        assert!(session.engine.waiting.is_empty() && !session.engine.keyspace.effects.touches_wanted);
    }

    #[test]
    fn a_client_is_served_once_however_many_of_its_keys_come() {
        let mut session = Session::new();
        let (client, other) = (session.connect(), session.connect());
        session.run(client, "BLPOP a b a 0");
        session.run(other, "MULTI\nRPUSH a 1\nRPUSH b 2\nEXEC");
        assert_eq!(session.output(client), bytes(&["a", "1"]));
        assert_eq!(session.run(other, "LLEN b"), b":1\r\n");
        assert_eq!(session.run(client, "BLPOP b 0"), bytes(&["b", "2"]));
    }

    #[test]
    fn whoever_leaves_takes_nothing() {
        let mut session = Session::new();
        let (gone, killed, last) = (session.connect(), session.connect(), session.connect());
        for client in [gone, killed, last] {
            session.run(client, "BLPOP k 0");
        }
        session.engine.disconnect(gone);
        assert_eq!(session.ask("CLIENT KILL ID 2"), ":1\r\n");
        session.ask("RPUSH k 1 2");
        assert_eq!(session.output(last), bytes(&["k", "1"]));
        assert_eq!(session.ask("LLEN k"), ":1\r\n");
        assert_eq!(session.output(killed), b"");
    }

    #[test]
    fn requests_behind_one_that_waits_are_held_whichever_way_they_came() {
        let mut session = Session::new();
        let client = session.connect();
        assert_eq!(session.run(client, "PING\nBLPOP k 0\nPING one"), b"+PONG\r\n");
        session.run(client, "PING two");
        session.engine.execute(client, &[b"PING", b"three"], session.now_ms);
        assert!(!session.engine.is_held(client));
        while session.engine.next_ready().is_some() {}
        session.ask("RPUSH k x");
        assert_eq!(session.engine.next_ready(), Some(client));
        assert_eq!(session.output(client), bytes(&["k", "x"]));
        assert!(session.engine.is_held(client));
        session.engine.receive(client, b"", session.now_ms);
        assert_eq!(session.output(client), b"$3\r\none\r\n$3\r\ntwo\r\n$5\r\nthree\r\n");
        assert!(!session.engine.is_held(client));
    }

    #[test]
    fn whoever_is_closed_with_requests_that_waited_is_not_held_for_ever() {
        let mut session = Session::new();
        let client = session.connect();
        session.run(client, "BLPOP k 0");
        session.run(client, "PING");
        session.ask("MULTI\nRPUSH k x\nCLIENT KILL ID 1\nEXEC");
        session.run(client, "");
        session.ask("CLIENT KILL ID 1");
        assert!(session.engine.is_closing(client) && !session.engine.is_held(client));
        let other = session.connect();
        session.run(other, "BLPOP k 0");
        session.run(other, "PING");
        session.ask("RPUSH k y\nCLIENT KILL ID 3");
        assert!(session.engine.is_closing(other) && !session.engine.is_held(other));
    }

    #[test]
    fn a_wait_ends_at_its_deadline_whoever_tells_the_time() {
        let mut session = Session::new();
        let (client, other) = (session.connect(), session.connect());
        let deadline = session.now_ms + 1500;
        session.run(client, "BLPOP k 1.4995");
        assert_eq!(session.engine.next_deadline(), Some(deadline));
        assert!(session.engine.may_wake_before(deadline + 1) && !session.engine.may_wake_before(deadline));
        session.wait(1499);
        assert_eq!(session.output(client), b"");
        session.now_ms += 1;
        session.run(other, "RPUSH k too-late");
        assert_eq!(session.output(client), b"*-1\r\n");
        assert_eq!(session.engine.next_deadline(), None);
        assert_eq!(session.run(client, "LLEN k"), b":1\r\n");
    }

    #[test]
    fn client_unblock_ends_a_wait_as_asked() {
        let mut session = Session::new();
        let client = session.connect();
        for (how, reply) in [
            ("", &b"*-1\r\n"[..]),
            ("TIMEOUT", b"*-1\r\n"),
            ("ERROR", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
        ] {
            session.run(client, "BLPOP k 10");
            assert!(session.ask("CLIENT LIST ID 1").contains(" flags=b "));
            let asked = alloc::format!("CLIENT UNBLOCK 1 {how}");
            assert_eq!(session.ask(&asked), ":1\r\n", "{how}");
            assert_eq!(session.output(client), reply, "{how}");
            assert_eq!(session.ask(&asked), ":0\r\n", "{how}");
        }
    }

    #[test]
    fn clients_that_wait_are_counted_and_their_commands_when_they_are_done() {
        let mut session = Session::new();
        let clients: Vec<ClientId> = (0..3).map(|_| session.connect()).collect();
        session.run(clients[0], "BLPOP a b 0");
        session.run(clients[1], "BLPOP a 10");
        session.run(clients[2], "XREAD BLOCK 10 STREAMS s $");
        let clients_info = session.ask("INFO clients");
        for line in [
            "blocked_clients:3",
            "clients_in_timeout_table:2",
            "total_blocking_keys:3",
            "total_blocking_keys_on_nokey:0",
        ] {
            assert!(clients_info.contains(line), "{line}: {clients_info}");
        }
        assert!(!session.ask("INFO commandstats").contains("cmdstat_blpop"));
        session.ask("RPUSH a 1");
        session.wait(20_000);
        let stats = session.ask("INFO commandstats");
        assert!(
            stats.contains("cmdstat_blpop:calls=2,") && stats.contains("cmdstat_xread:calls=1,"),
            "{stats}"
        );
        assert!(session.ask("INFO clients").contains("blocked_clients:0"));
    }

    #[test]
    fn a_monitor_sees_a_command_that_waits_once() {
        let mut session = Session::new();
        let (monitor, client) = (session.connect(), session.connect());
        session.run(monitor, "MONITOR");
        session.run(client, "BLPOP k 0");
        session.ask("RPUSH k 1");
        let seen = session.output(monitor);
        let seen = core::str::from_utf8(&seen).unwrap();
        assert_eq!(seen.matches("\"BLPOP\"").count(), 1, "{seen}");
    }

    #[test]
    fn one_push_serves_one_of_many_and_looks_at_no_other() {
        let mut session = Session::new();
        let clients: Vec<ClientId> = (0..2000).map(|_| session.connect()).collect();
        for &client in &clients {
            session.run(client, "BLPOP k 0");
        }
        for (n, &client) in clients.iter().enumerate() {
            session.ask(&alloc::format!("RPUSH k {n}"));
            assert_eq!(session.output(client), bytes(&["k", &alloc::format!("{n}")]));
        }
        assert!(session.engine.waiting.is_empty());
    }

    #[test]
    fn a_pause_of_writes_holds_up_scripts_that_may_write() {
        let mut session = Session::new();
        session.ask("CLIENT PAUSE 100 WRITE");
        for (lines, is_held) in [
            ("EVAL 'return 1' 0", true),
            ("EVAL \"#!lua\\nreturn 1\" 0", true),
            ("EVAL \"#!lua flags=no-writes\\nreturn 1\" 0", false),
            ("EVAL_RO 'return 1' 0", false),
            ("EVALSHA 0 0", true),
            ("PUBLISH c m", true),
            ("GET k", false),
        ] {
            let client = session.connect();
            assert_eq!(session.run(client, lines).is_empty(), is_held, "{lines}");
            let client = session.connect();
            let replies = session.run(client, &alloc::format!("MULTI\nGET k\nEXEC\nMULTI\n{lines}"));
            assert_eq!(!replies.ends_with(b"+QUEUED\r\n"), is_held, "{lines}");
        }
    }

    #[test]
    fn a_pause_keeps_what_has_expired_and_expires_it_afterwards() {
        let mut session = Session::new();
        session.ask("SET k v PX 10\nSET other v\nCLIENT PAUSE 100 WRITE");
        session.logged();
        session.wait(20);
        assert_eq!(session.ask("GET k\nDBSIZE\nRANDOMKEY"), "$-1\r\n:2\r\n$5\r\nother\r\n");
        assert_eq!(session.logged(), [""; 0]);
        let (writer, gone) = (session.connect(), session.connect());
        assert_eq!(session.run(writer, "SET k new"), b"");
        session.engine.execute(gone, &[b"SET", b"k", b"gone"], session.now_ms);
        session.engine.disconnect(gone);
        session.wait(80);
        assert_eq!(session.engine.next_ready(), Some(writer));
        session.engine.receive(writer, b"", session.now_ms);
        assert_eq!(session.output(writer), b"+OK\r\n");
        assert_eq!(session.logged(), ["DEL k", "SET k new"]);
    }
}
