//! From words to a command: found by name, let through the gates in Redis's order, called, counted.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Engine,
    client::{ClientId, Replies},
    commandlog::request_len_max,
    eviction::OUT_OF_MEMORY,
    latency::Histogram,
    names::Names,
};
use crate::{
    Error,
    commands::{self, Command, Ctx, Flags, Spec, args::Words},
    error::until_zero,
    keyspace::Wait,
    resp::{Version, Writer},
};

/// A command found: its number in [`Table`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known(pub u16);

/// What a row of the table runs.
#[derive(Clone, Copy)]
enum Run {
    /// A command on values.
    Value(&'static Command<Ctx>),
    /// A command on the engine.
    Engine(&'static Command<Engine>),
}

/// A command with what dispatch asks of it at every call, worked out once.
struct Row {
    run: Run,
    spec: &'static Spec,
    arity: i64,
    name_words: usize,
    /// Whether the name also opens a group of subcommands.
    is_group: bool,
    /// Whether it looks for members or fields in what its first key holds.
    looks_up_members: bool,
    /// The name as INFO and CLIENT LIST write it: `client|list`.
    name: String,
}

/// Every command, found by name.
pub struct Table {
    rows: Vec<Row>,
    index: Names,
    /// Commands whose first word only opens a group, such as CLIENT.
    containers: Vec<&'static str>,
    /// Commands under other names: the name, and what it is called instead.
    renames: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What one command has cost so far.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct CallStats {
    pub calls: u64,
    pub usec: u64,
    /// Refused before it ran.
    pub rejected: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Of the calls that took a microsecond or more.
    pub histogram: Option<Histogram>,
}

const LONGEST_NAME: usize = 40;

impl Table {
    /// The table of all commands.
    pub fn new() -> Table {
        let values = commands::COMMANDS.iter().copied().flatten().map(|it| (Run::Value(it), &it.spec));
        let engine = super::COMMANDS.iter().copied().flatten().map(|it| (Run::Engine(it), &it.spec));
        let mut table =
            Table { rows: Vec::new(), index: Names::new(), containers: Vec::new(), renames: Vec::new() };
        for (run, spec) in values.chain(engine) {
            table.push(run, spec);
        }
        for row in &mut table.rows {
            row.is_group = table.containers.contains(&row.spec.name);
        }
        table
    }

    fn push(&mut self, run: Run, spec: &'static Spec) {
        let name = spec.name.to_ascii_lowercase().replace(' ', "|");
        self.rows.push(Row {
            run,
            spec,
            arity: spec.arity(),
            name_words: spec.name_words(),
            is_group: false,
            looks_up_members: matches!(spec.group, "set" | "hash" | "sorted-set"),
            name,
        });
        self.index.push(spec.name);
        if let Some((container, _)) = spec.name.split_once(' ')
            && !self.containers.contains(&container)
        {
            self.containers.push(container);
        }
    }

    /// The command that `words` name.
    #[inline]
    pub fn find(&self, words: &[&[u8]]) -> Option<Known> {
        let name = self.original_name(words.first()?)?;
        let sub = || words.get(1).and_then(|sub| self.find_sub(name, sub));
        // A word with a blank in it is no name, though `CLIENT LIST` is how subcommands are called here.
        match self.find_name(name).filter(|known| self.rows[known.0 as usize].name_words == 1) {
            None => sub(),
            // COMMAND is both a command and a group of others.
            Some(known) if words.len() > 1 && self.rows[known.0 as usize].is_group => sub(),
            found => found,
        }
    }

    /// Has commands be found by other names.
    pub fn rename(&mut self, renames: Vec<(Vec<u8>, Vec<u8>)>) {
        self.renames = renames;
    }

    /// What a command was called before it was renamed, if there still is one of that name.
    #[inline]
    fn original_name<'a>(&'a self, name: &'a [u8]) -> Option<&'a [u8]> {
        if self.renames.is_empty() {
            return Some(name);
        }
        match self.renames.iter().find(|(_, new)| new.eq_ignore_ascii_case(name)) {
            Some((old, _)) => Some(old),
            None if self.renames.iter().any(|(old, _)| old.eq_ignore_ascii_case(name)) => None,
            None => Some(name),
        }
    }

    /// The command called `name`, in any letter case; a subcommand as `CLIENT LIST`.
    #[inline]
    pub fn find_name(&self, name: &[u8]) -> Option<Known> {
        self.index.find(name).map(Known)
    }

    fn find_sub(&self, container: &[u8], sub: &[u8]) -> Option<Known> {
        let mut name = [b' '; LONGEST_NAME];
        let len = container.len() + 1 + sub.len();
        if len > LONGEST_NAME {
            return None;
        }
        name[..container.len()].copy_from_slice(container);
        name[container.len() + 1..len].copy_from_slice(sub);
        self.find_name(&name[..len])
    }

    /// The commands that ACL rules call `name`: `get`, `config|get`, or `config` for all of its subcommands.
    pub fn members(&self, name: &[u8]) -> Vec<Known> {
        let is_meant = |row: &Row| match row.name.as_bytes().strip_prefix(name) {
            Some(rest) => rest.is_empty() || rest[0] == b'|',
            None => false,
        };
        self.all().filter(|known| is_meant(&self.rows[known.0 as usize])).collect()
    }

    /// The group of subcommands that `name` opens, if it opens one.
    pub fn container(&self, name: &[u8]) -> Option<&'static str> {
        self.containers.iter().copied().find(|it| it.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The groups of subcommands.
    pub fn containers(&self) -> impl Iterator<Item = &'static str> {
        self.containers.iter().copied()
    }

    /// What is known of a command.
    #[inline]
    pub fn spec(&self, known: Known) -> &'static Spec {
        self.rows[known.0 as usize].spec
    }

    /// Whether a command looks for members or fields in what its first key holds.
    #[inline]
    pub fn looks_up_members(&self, known: Known) -> bool {
        self.rows[known.0 as usize].looks_up_members
    }

    /// The name as INFO and CLIENT LIST write it: `client|list`.
    #[inline]
    pub fn name(&self, known: Known) -> &str {
        &self.rows[known.0 as usize].name
    }

    /// Every command.
    pub fn all(&self) -> impl ExactSizeIterator<Item = Known> + use<> {
        (0..self.rows.len() as u16).map(Known)
    }
}

impl Default for Table {
    fn default() -> Self {
        Table::new()
    }
}

impl Engine {
    /// One request of a client, from its words to its reply and all that follows from it.
    pub(super) fn run(&mut self, id: ClientId, known: Option<Known>, words: &[&[u8]], out: &mut Writer) {
        self.current = id;
        let admitted = self.admit(known, words);
        if self.config.maxmemory > 0 {
            self.send_ahead(out);
        }
        let start = out.position();
        match admitted {
            Err(error) => self.refuse(error, words, out),
            Ok(known) if self.waiting.is_paused() && self.is_held_up(known, words) => {
                return self.pause_current();
            }
            Ok(known) if self.queues(known) => {
                if let Some(transaction) = &mut self.current_mut().transaction {
                    transaction.push(known, words);
                }
                out.simple("QUEUED");
            }
            Ok(known) => {
                let wait = self.call(known, words, out);
                self.settle();
                if let Some(wait) = wait {
                    self.keep_command(words);
                    return self.park(known, words, wait);
                }
            }
        }
        self.finish(start, out);
    }

    /// Runs a command that is admitted, and counts what it cost. One that is to wait has not answered, and is not counted.
    pub(super) fn call(&mut self, known: Known, words: &[&[u8]], out: &mut Writer) -> Option<Wait> {
        if !self.monitors.is_empty() {
            self.feed_monitors_script(known, words, out);
        }
        let start = out.position();
        let Row { run, name_words, .. } = self.table.rows[known.0 as usize];
        let args = Words::new(&words[name_words..]);
        let db = self.keyspace.selected();
        self.keyspace.effects.begin();
        let outcome = match run {
            Run::Value(command) => (command.run)(&mut self.keyspace, args, out),
            Run::Engine(command) => (command.run)(self, args, out),
        };
        self.keyspace.effects.end(db, words);
        let failed = outcome.is_err();
        if let Err(error) = outcome {
            out.truncate(start);
            let error = match error {
                Error::Arity => wrong_arity(self.table.name(known)),
                error => error,
            };
            self.write_error(&error, out);
        }
        if !self.monitors.is_empty() && !self.waiting.is_retrying {
            self.feed_monitors(known, words, out);
        }
        if let Some(wait) = self.keyspace.wait.take().filter(|_| !failed && self.executing.is_none()) {
            out.truncate(start);
            return Some(wait);
        }
        if !self.tracking.is_empty() {
            self.track_reads(known, words);
        }
        let took_us = self.lap();
        let stats = &mut self.calls[known.0 as usize];
        stats.calls += 1;
        stats.usec += took_us;
        stats.failed += failed as u64;
        self.stats.commands += 1;
        let reply = out.position() - start;
        if request_len_max(words) >= self.config.large_request as usize
            || reply >= self.config.large_reply as usize
        {
            self.log_large(known, words, reply);
        }
        if took_us > 0 || self.config.slowlog_log_slower_than == 0 {
            self.keep_duration(known, words, took_us);
        }
        None
    }

    /// The gates, in Redis's order.
    fn admit(&mut self, known: Option<Known>, words: &[&[u8]]) -> Result<Known, Error> {
        let found = known.or_else(|| self.table.find(words));
        self.current_mut().last_command = found;
        let Some(known) = found else { return Err(self.unknown(words)) };
        let Row { arity, spec, .. } = self.table.rows[known.0 as usize];
        let flags = spec.flags;
        let refusal = if if arity >= 0 { words.len() as i64 != arity } else { (words.len() as i64) < -arity }
        {
            Some(wrong_arity(self.table.name(known)))
        } else if self.needs_authentication() && !flags.has(Flags::NO_AUTH) {
            Some(Error::refused("NOAUTH Authentication required."))
        } else if flags.has(Flags::NO_MULTI) && self.current().transaction.is_some() {
            Some(Error::refused("ERR Command not allowed inside a transaction"))
        } else if let Err(denied) = self.permit(known, words) {
            Some(self.no_permission("", known, denied))
        } else if self.is_busy() && !flags.has(Flags::ALLOW_BUSY) {
            Some(self.busy())
        } else if self.config.maxmemory > 0
            && !self.is_obeying()
            && !self.is_busy()
            && !self.make_room()
            && self.takes_memory(spec)
        {
            Some(OUT_OF_MEMORY)
        } else if self.has_disk_trouble()
            && !self.is_obeying()
            && (flags.has(Flags::WRITE) || spec.name == "PING")
            && let Some(error) = self.refuse_without_log().or_else(|| self.refuse_without_snapshots())
        {
            Some(error)
        } else if self.replication.is_restrictive()
            && let Some(error) = self.refuse_in_role(self.role_traits(spec))
        {
            Some(error)
        } else if self.current().is_subscriber()
            && self.current().version == Version::V2
            && !is_for_subscribers(spec)
        {
            Some(Error::from(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                self.table.name(known)
            )))
        } else if (self.current().is_monitor || self.current().is_replica()) && reaches_keyspace(spec) {
            Some(Error::refused("ERR Replica can't interact with the keyspace"))
        } else {
            None
        };
        match refusal {
            None => Ok(known),
            Some(error) => {
                self.calls[known.0 as usize].rejected += 1;
                Err(error)
            }
        }
    }

    /// Whether a command, or one of those that EXEC runs, may change values, and whether all of them run on a replica without
    /// its primary.
    fn role_traits(&self, spec: &Spec) -> (bool, bool) {
        let traits = |spec: &Spec| (spec.flags.has(Flags::WRITE), spec.flags.has(Flags::STALE));
        let queued = self.current().transaction.as_ref().filter(|_| spec.name == "EXEC");
        let queued = queued.into_iter().flat_map(|it| it.commands());
        queued
            .map(|known| traits(self.table.spec(known)))
            .fold(traits(spec), |(writes, stale), it| (writes || it.0, stale && it.1))
    }

    /// Whether the command waits for EXEC in place of running now.
    fn queues(&self, known: Known) -> bool {
        self.current().transaction.is_some()
            && !matches!(
                self.table.spec(known).name,
                "EXEC" | "DISCARD" | "MULTI" | "WATCH" | "QUIT" | "RESET"
            )
    }

    /// Answers a command that is not let through. In a transaction EXEC will be refused, and a refused EXEC ends it.
    fn refuse(&mut self, error: Error, words: &[&[u8]], out: &mut Writer) {
        if let Some(mishap) = &mut self.replaying {
            mishap.reason.get_or_insert(error.to_string());
            return self.close(self.current);
        }
        if self.current().last_command.is_none() && is_http(words[0]) {
            return self.close(self.current);
        }
        let Some(exec) = self.current().last_command.filter(|&known| self.table.spec(known).name == "EXEC")
        else {
            if let Some(transaction) = &mut self.current_mut().transaction {
                transaction.refuse();
            }
            return self.write_error(&error, out);
        };
        self.current_mut().transaction = None;
        self.unwatch_all(self.current);
        let text = error.to_string();
        let text = text.strip_prefix("ERR ").unwrap_or(&text);
        self.write_error(&format!("EXECABORT Transaction discarded because of: {text}").into(), out);
        if !self.monitors.is_empty() {
            self.feed_monitors(exec, words, out);
        }
    }

    /// Takes back a reply that the client does not want (CLIENT REPLY). Messages that came meanwhile follow it; inside
    /// the reply, to EXEC for example, they would be taken for parts of it.
    pub(super) fn finish(&mut self, start: usize, out: &mut Writer) {
        let Some(client) = self.clients.get_mut(self.current) else { return };
        if client.replies != Replies::On {
            let is_message = client.last_command.is_some_and(|known| is_subscription(self.table.spec(known)));
            let wanted = is_message || client.replies == Replies::SkipNext;
            client.replies = match client.replies {
                Replies::Off => Replies::Off,
                Replies::SkipNext => Replies::SkipThis,
                Replies::SkipThis | Replies::On => Replies::On,
            };
            if !wanted {
                out.truncate(start);
            }
        }
        if !client.out.is_empty() {
            out.raw(&core::mem::take(&mut client.out));
        }
    }

    /// What the client is told of what had to go for its command comes before the reply.
    fn send_ahead(&mut self, out: &mut Writer) {
        let messages = core::mem::take(&mut self.current_mut().out);
        out.raw(&messages);
    }

    /// Writes an error and counts it.
    pub(super) fn write_error(&mut self, error: &Error, out: &mut Writer) {
        let start = out.position();
        match error {
            Error::Quoting(text) => out.error_bytes(text),
            error => out.error(error),
        }
        let text = String::from_utf8_lossy(&out.written_since(start)[1..]);
        self.stats.count_error(Error::code(text.trim_end()));
    }

    fn unknown(&self, words: &[&[u8]]) -> Error {
        const QUOTED: usize = 128;
        let start = |word: &[u8], limit: usize| word[..word.len().min(limit)].to_vec();
        let group = self.table.original_name(words[0]).and_then(|name| self.table.container(name));
        if let (Some(container), Some(sub)) = (group, words.get(1)) {
            let help = format!("'. Try {container} HELP.");
            return Error::quoting("ERR unknown subcommand '", &start(sub, QUOTED), &help);
        }
        if let Some(container) = group {
            return wrong_arity(&container.to_ascii_lowercase());
        }
        let mut args = Vec::new();
        for word in &words[1..] {
            if args.len() >= QUOTED {
                break;
            }
            let word = start(word, QUOTED - args.len());
            args.extend([b"'", until_zero(&word), b"' "].concat());
        }
        let name = start(words[0], QUOTED);
        let text = [b"ERR unknown command '", until_zero(&name), b"', with args beginning with: ", &args];
        Error::Quoting(text.concat())
    }
}

/// What a client that listens under RESP2 may still ask for.
fn is_for_subscribers(spec: &Spec) -> bool {
    is_subscription(spec) || matches!(spec.name, "PING" | "QUIT" | "RESET")
}

/// Whether the replies are messages, which are sent even when replies are not.
fn is_subscription(spec: &Spec) -> bool {
    spec.name.ends_with("SUBSCRIBE")
}

/// What a client that monitors, a kind of replica to Redis, may not ask for.
fn reaches_keyspace(spec: &Spec) -> bool {
    spec.flags.has(Flags::WRITE) || spec.flags.has(Flags::READONLY) || spec.name.ends_with("PUBLISH")
}

/// Whether a request is the start of one that a browser was tricked into sending.
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"POST") || name.eq_ignore_ascii_case(b"Host:")
}

fn wrong_arity(name: &str) -> Error {
    format!("ERR wrong number of arguments for '{name}' command").into()
}
