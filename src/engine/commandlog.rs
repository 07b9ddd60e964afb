//! COMMANDLOG: the commands that took long, and those whose requests or replies were long. The first are those of SLOWLOG,
//! whose log this shows, too.

use super::{
    Engine,
    slowlog::{CommandLog, entry_count},
};
use crate::{
    Error, Result,
    commands::{
        Command,
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
    /// Returns the last commands that took long, or whose requests or replies were long.
    "COMMANDLOG GET" = commandlog_get(count, log) since "8.1.0" [ADMIN LOADING STALE] O("N) where N is the number of entries returned");
    /// Lists the subcommands.
    "COMMANDLOG HELP" = commandlog_help() since "8.1.0" [LOADING STALE] O("1");
    /// Returns how many commands a log holds.
    "COMMANDLOG LEN" = commandlog_len(log) since "8.1.0" [ADMIN LOADING STALE] O("1");
    /// Empties a log.
    "COMMANDLOG RESET" = commandlog_reset(log) since "8.1.0" [ADMIN LOADING STALE] O("N) where N is the number of entries in the commandlog");
};

typed! {
    /// Entries: number, Unix time, microseconds or bytes, words, address, name of the client.
    LogEntries = "[id: number, time: number, took: number, words: Bytes[], address: string, name: string][]";
}

/// Which log.
#[derive(Clone, Copy)]
enum Log {
    Slow,
    LargeRequest,
    LargeReply,
}

impl Arg<'_> for Log {
    const SHAPE: Shape =
        Shape::OneOf(&[Shape::Token("slow"), Shape::Token("large-request"), Shape::Token("large-reply")]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let logs =
            [("slow", Log::Slow), ("large-request", Log::LargeRequest), ("large-reply", Log::LargeReply)];
        let word = words.next()?;
        let found = logs.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, log)| log).ok_or(Error::refused(
            "ERR type should be one of the following: slow, large-request, large-reply",
        ))
    }
}

/// How many entries; -1 for all.
#[derive(Clone, Copy)]
struct Count(usize);

impl Arg<'_> for Count {
    const SHAPE: Shape = Shape::Word("count", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        entry_count(parse_i64(words.next()?)).map(Count)
    }
}

fn commandlog_get(
    engine: &mut Engine,
    count: Count,
    log: Log,
) -> Result<Written<LogEntries, impl FnOnce(&mut Writer) + use<'_>>> {
    let log: &CommandLog = engine.command_log(log);
    Ok(Written::new(move |out| log.write(count.0, out)))
}

fn commandlog_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("COMMANDLOG", COMMANDS))
}

fn commandlog_len(engine: &mut Engine, log: Log) -> Result<usize> {
    Ok(engine.command_log(log).len())
}

fn commandlog_reset(engine: &mut Engine, log: Log) -> Result<Done> {
    engine.command_log(log).clear();
    Ok(Done)
}

impl Engine {
    fn command_log(&mut self, log: Log) -> &mut CommandLog {
        match log {
            Log::Slow => &mut self.slow_log,
            Log::LargeRequest => &mut self.large_requests,
            Log::LargeReply => &mut self.large_replies,
        }
    }
}

/// A length that no request of these words exceeds, found at once.
#[inline]
pub(super) fn request_len_max(words: &[&[u8]]) -> usize {
    const FRAME_MAX: usize = "$\r\n\r\n".len() + MAX_DIGITS;
    const MAX_DIGITS: usize = usize::MAX.ilog10() as usize + 1;
    FRAME_MAX + words.iter().map(|word| word.len() + FRAME_MAX).sum::<usize>()
}

/// The length of a request as RESP has it.
pub(super) fn request_len(words: &[&[u8]]) -> usize {
    const FRAME: usize = "$\r\n\r\n".len();
    let digits = |n: usize| n.checked_ilog10().unwrap_or(0) as usize + 1;
    let bodies = words.iter().map(|word| word.len() + digits(word.len()) + FRAME);
    "*\r\n".len() + digits(words.len()) + bodies.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec::Vec};

    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn a_request_is_as_long_as_it_was_sent() {
        let sent = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nabcdefghijkl\r\n";
        let words: [&[u8]; 3] = [b"SET", b"k", b"abcdefghijkl"];
        assert_eq!(request_len(&words), sent.len());
        assert!(request_len_max(&words) >= sent.len());
        let none: Vec<&[u8]> = Vec::new();
        assert_eq!(request_len(&none), 4);
    }

    #[test]
    fn long_requests_and_long_replies_are_kept_apart() {
        let mut session = Session::new();
        session.ask("CONFIG SET commandlog-request-larger-than 1000 commandlog-reply-larger-than 500");
        session.ask(&format!("SET k {}", "x".repeat(900)));
        let set = format!("SET k {}", "x".repeat(1000));
        session.ask(&set);
        session.ask("GET k");
        assert_eq!(session.ask("COMMANDLOG LEN large-request\nCOMMANDLOG LEN large-reply"), ":1\r\n:1\r\n");
        let entry = session.ask("COMMANDLOG GET -1 LARGE-REPLY");
        assert!(entry.contains(":1009\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), "{entry}");
        session.ask("COMMANDLOG RESET large-reply\nCONFIG SET commandlog-reply-larger-than -1\nGET k");
        assert_eq!(session.ask("COMMANDLOG LEN large-reply"), ":0\r\n");
        session.ask("CONFIG SET commandlog-large-request-max-len 0");
        assert_eq!(session.ask("COMMANDLOG LEN large-request"), ":0\r\n");
    }
}
