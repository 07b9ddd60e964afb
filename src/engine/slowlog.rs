//! SLOWLOG: the commands that took long. How long a command took is measured in `dispatch.rs`. The log that it is kept in
//! also holds what COMMANDLOG shows.

use alloc::{
    collections::VecDeque,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{Config, Engine, commandlog::request_len, dispatch::Known};
use crate::{
    Error, Result,
    commands::{
        Command, Flags,
        args::{Arg, Kind, Shape, Words},
        help::{HelpLines, help},
        reply::{Done, Written, typed},
        spec::commands,
    },
    data::number::parse_i64,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Returns the last commands that took long.
    "SLOWLOG GET" = slowlog_get(count) since "2.2.12" [ADMIN LOADING STALE] O("N) where N is the number of entries returned");
    /// Returns how many commands the slow log holds.
    "SLOWLOG LEN" = slowlog_len() since "2.2.12" [ADMIN LOADING STALE] O("1");
    /// Empties the slow log.
    "SLOWLOG RESET" = slowlog_reset() since "2.2.12" [ADMIN LOADING STALE] O("N) where N is the number of entries in the slowlog");
    /// Lists the subcommands.
    "SLOWLOG HELP" = slowlog_help() since "6.2.0" [LOADING STALE] O("1");
};

/// Commands that took more of something than usual, the latest first.
#[derive(Default)]
pub struct CommandLog {
    entries: VecDeque<Entry>,
    next_id: u64,
}

/// A command that took much.
struct Entry {
    id: u64,
    unix_seconds: u64,
    /// How much: microseconds, or bytes.
    took: u64,
    words: Vec<Vec<u8>>,
    addr: String,
    name: Vec<u8>,
}

impl CommandLog {
    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Writes the latest `count` entries.
    pub fn write(&self, count: usize, out: &mut Writer) {
        out.array(self.entries.len().min(count));
        for entry in self.entries.iter().take(count) {
            out.array(6);
            out.integer(entry.id as i64);
            out.integer(entry.unix_seconds as i64);
            out.integer(entry.took as i64);
            out.array(entry.words.len());
            entry.words.iter().for_each(|word| out.bulk(word));
            out.bulk(entry.addr.as_bytes());
            out.bulk(&entry.name);
        }
    }

    fn add(&mut self, entry: Entry, most: usize) {
        self.entries.push_front(Entry { id: self.next_id, ..entry });
        self.next_id += 1;
        self.truncate(most);
    }

    /// Keeps the latest `len` entries.
    pub fn truncate(&mut self, len: usize) {
        self.entries.truncate(len);
    }
}

impl Engine {
    /// Keeps a command that took long enough for that.
    #[cold]
    pub(super) fn log_slow(&mut self, known: Known, words: &[&[u8]], took_us: u64) {
        if let Some(entry) = self.log_entry(known, words, took_us) {
            self.slow_log.add(entry, self.config.slowlog_max_len);
        }
    }

    /// Keeps a command whose request or reply was long enough for that.
    #[cold]
    pub(super) fn log_large(&mut self, known: Known, words: &[&[u8]], reply: usize) {
        let request = request_len(words);
        if request >= self.config.large_request as usize
            && let Some(entry) = self.log_entry(known, words, request as u64)
        {
            self.large_requests.add(entry, self.config.large_request_max_len);
        }
        if reply >= self.config.large_reply as usize
            && let Some(entry) = self.log_entry(known, words, reply as u64)
        {
            self.large_replies.add(entry, self.config.large_reply_max_len);
        }
    }

    fn log_entry(&self, known: Known, words: &[&[u8]], took: u64) -> Option<Entry> {
        let spec = self.table.spec(known);
        let client = self.current();
        (!spec.flags.has(Flags::SKIP_SLOWLOG)).then(|| Entry {
            id: 0,
            unix_seconds: self.keyspace.now_ms() / 1000,
            took,
            words: abridged(spec.name, words),
            addr: client.origin.addr.to_string(),
            name: client.name.clone(),
        })
    }
}

/// The words as they are kept: not too many, not too long, and no secrets.
fn abridged(name: &str, words: &[&[u8]]) -> Vec<Vec<u8>> {
    const WORDS_MAX: usize = 32;
    const LEN_MAX: usize = 128;
    let shown = if words.len() > WORDS_MAX { WORDS_MAX - 1 } else { words.len() };
    let mut kept: Vec<Vec<u8>> = (0..shown)
        .map(|i| match words[i] {
            _ if is_secret(name, words, i) => b"(redacted)".to_vec(),
            word if word.len() > LEN_MAX => {
                let more = format!("... ({} more bytes)", word.len() - LEN_MAX);
                [&word[..LEN_MAX], more.as_bytes()].concat()
            }
            word => word.to_vec(),
        })
        .collect();
    if shown < words.len() {
        kept.push(format!("... ({} more arguments)", words.len() - shown).into_bytes());
    }
    kept
}

/// Whether word `i` of a request of the command called `name` is not for everybody's eyes.
pub(super) fn is_secret(name: &str, words: &[&[u8]], i: usize) -> bool {
    let word_before =
        |back: usize| i.checked_sub(back).and_then(|at| words.get(at)).copied().unwrap_or_default();
    let follows =
        |word: &[u8], most: usize| (1..=most).any(|back| word_before(back).eq_ignore_ascii_case(word));
    match name {
        "AUTH" => i > 0,
        "HELLO" => i > 2 && follows(b"AUTH", 2),
        "CONFIG SET" => i > 2 && i % 2 == 1 && Config::is_secret(word_before(1)),
        "MIGRATE" => i > 6 && (follows(b"AUTH", 1) || follows(b"AUTH2", 2)),
        "ACL SETUSER" | "ACL DELUSER" | "ACL GETUSER" => i > 1,
        _ => false,
    }
}

/// How many entries are asked for: ten when nothing is said, -1 for all.
#[derive(Clone, Copy)]
struct Count(usize);

impl<'a> Arg<'a> for Count {
    const SHAPE: Shape = Shape::Maybe(&Shape::Word("count", Kind::Integer));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if words.is_empty() {
            return Ok(Count(10));
        }
        let count = parse_i64(words.next()?);
        if !words.is_empty() {
            return Err(Error::refused(
                "ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.",
            ));
        }
        entry_count(count).map(Count)
    }
}

/// How many entries a number asks for: -1 is all of them.
pub(super) fn entry_count(number: Option<i64>) -> Result<usize> {
    match number {
        Some(-1) => Ok(usize::MAX),
        Some(count @ 0..) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
        _ => Err(Error::refused("ERR count should be greater than or equal to -1")),
    }
}

typed! {
    /// Entries: number, Unix time, microseconds, words, address, name of the client.
    Entries = "[id: number, time: number, microseconds: number, words: Bytes[], address: string, name: string][]";
}

fn slowlog_get(
    engine: &mut Engine,
    count: Count,
) -> Result<Written<Entries, impl FnOnce(&mut Writer) + use<'_>>> {
    let log = &engine.slow_log;
    Ok(Written::new(move |out| log.write(count.0, out)))
}

fn slowlog_len(engine: &mut Engine) -> Result<usize> {
    Ok(engine.slow_log.len())
}

fn slowlog_reset(engine: &mut Engine) -> Result<Done> {
    engine.slow_log.clear();
    Ok(Done)
}

fn slowlog_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("SLOWLOG", COMMANDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn long_words_and_many_words_are_cut() {
        let long = [b'x'; 200];
        let cut = &abridged("GET", &[b"GET", &long])[1];
        assert_eq!(cut, &[&long[..128], b"... (72 more bytes)"].concat());
        let words = [&b"k"[..]; 41];
        let cut = abridged("DEL", &words);
        assert_eq!((cut.len(), cut[31].as_slice()), (32, &b"... (10 more arguments)"[..]));
    }

    #[test]
    fn secrets_are_not_kept() {
        let shown = |name: &str, words: &str| -> String {
            let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
            String::from_utf8(abridged(name, &words).join(&b' ')).unwrap()
        };
        assert_eq!(shown("AUTH", "AUTH ada pw"), "AUTH (redacted) (redacted)");
        assert_eq!(
            shown("HELLO", "HELLO 3 auth ada pw SETNAME x"),
            "HELLO 3 auth (redacted) (redacted) SETNAME x"
        );
        assert_eq!(
            shown("CONFIG SET", "CONFIG SET timeout 1 RequirePass pw"),
            "CONFIG SET timeout 1 RequirePass (redacted)"
        );
        assert_eq!(
            shown("MIGRATE", "MIGRATE h 1 k 0 9 COPY AUTH2 ada pw REPLACE"),
            "MIGRATE h 1 k 0 9 COPY AUTH2 (redacted) (redacted) REPLACE"
        );
    }

    #[test]
    fn commands_of_a_transaction_are_kept_once_each() {
        let mut session = Session::new();
        session.ask("CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 3");
        session.ask("SLOWLOG RESET\nSET a 1\nMULTI\nSET a 2\nEXEC");
        assert_eq!(session.ask("SLOWLOG LEN"), ":3\r\n");
        let last = session.ask("SLOWLOG GET 2");
        assert!(last.contains("SLOWLOG") && last.contains("$1\r\n2\r\n") && !last.contains("EXEC"), "{last}");
        session.ask("CONFIG SET slowlog-max-len 1");
        assert_eq!(session.ask("SLOWLOG LEN"), ":1\r\n");
    }
}
