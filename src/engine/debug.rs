//! DEBUG: what tests of a server want to see and to force. It is refused unless the directive `enable-debug-command` allows
//! it. What would crash the process, or needs files that there are none of, is not here.

use alloc::{format, string::String, vec::Vec};

use super::Engine;
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{DbIndex, Key, Rest, Text},
        reply::{Reply, Typed, Unknown},
        spec::commands,
        string::put_text,
    },
    data::number::{parse_float, parse_i64},
    resp::{Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Shows what is inside, or forces it, for tests.
    "DEBUG" = debug(subcommand) since "1.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is what the subcommand looks at");
};

/// Lines for the log that the shell has not fetched; the oldest go first.
const LOG_MAX: usize = 100;

const HELP: &[&str] = &[
    "DEBUG <subcommand> [<argument> ...]. The subcommands:",
    "CHANGE-REPL-ID",
    "    Takes another replication id.",
    "DIGEST",
    "    Returns a number for everything that is stored.",
    "DIGEST-VALUE key [key ...]",
    "    Returns a number for the value of each key.",
    "ERROR message",
    "    Answers with this error.",
    "HELP",
    "    Lists the subcommands.",
    "HTSTATS db",
    "    Returns how many keys a database has.",
    "LOADAOF",
    "    Reads the append-only file again, in the place of all that is stored.",
    "LOG message",
    "    Writes a line to the log.",
    "OBJECT key",
    "    Returns how a value is stored.",
    "POPULATE count [prefix] [size]",
    "    Adds texts under the names prefix:0 and so on, of 'size' bytes, where there are none.",
    "PROTOCOL type",
    "    Answers with a reply of a type: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim, true, \
     false.",
    "QUICKLIST-PACKED-THRESHOLD bytes",
    "    Changes nothing: an element of any length shares its node as the limits of a list say.",
    "RELOAD [option ...]",
    "    Writes all that is stored as a snapshot, and reads it back. Options are accepted and change nothing.",
    "REPLYBUFFER PEAK-RESET-TIME milliseconds|RESET|NEVER, REPLYBUFFER RESIZING 0|1",
    "    Changes nothing: buffers of replies are as long as the replies.",
    "SET-ACTIVE-EXPIRE 0|1",
    "    Whether keys past their deadline are removed before anybody asks for them.",
    "SLEEP seconds",
    "    Stops the server for so long.",
];

/// The answer to a subcommand.
enum Answer {
    Ok,
    Line(String),
    Lines(Vec<String>),
    Prose(String),
    Help,
    Sample(fn(&mut Writer)),
}

impl Reply for Answer {
    const TS: &'static str = Unknown::TS;
    fn write(self, out: &mut Writer<'_>) {
        match self {
            Answer::Ok => out.ok(),
            Answer::Line(line) => out.simple(&line),
            Answer::Lines(lines) => {
                out.array(lines.len());
                lines.iter().for_each(|line| out.simple(line));
            }
            Answer::Prose(text) => out.verbatim("txt", &text),
            Answer::Help => {
                out.array(HELP.len());
                HELP.iter().for_each(|line| out.simple(line));
            }
            Answer::Sample(write) => write(out),
        }
    }
}

fn debug<'a>(engine: &mut Engine, subcommand: Rest<'a, Text<'a>>) -> Result<Answer> {
    if !engine.may_debug() {
        return Err(Error::refused(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
        ));
    }
    let (name, args) = subcommand.words().split_first().ok_or(Error::Arity)?;
    match (name.to_ascii_uppercase().as_slice(), args) {
        (b"CHANGE-REPL-ID", []) => engine.replication.begin_anew(),
        (b"DIGEST", []) => return Ok(Answer::Line(digits(engine.digest()))),
        (b"DIGEST-VALUE", keys) => {
            let digest = |key: &&[u8]| digits(engine.keyspace.digest_of(Key(key)));
            return Ok(Answer::Lines(keys.iter().map(digest).collect()));
        }
        (b"ERROR", [message]) => return Err(Error::Quoting(message.to_vec())),
        (b"HELP", []) => return Ok(Answer::Help),
        (b"HTSTATS", [db]) => return engine.table_stats(db).map(Answer::Prose),
        (b"LOADAOF", []) if engine.config.host.files.is_none() => {
            return Err(Error::refused(
                "ERR nothing is logged to be loaded again: there is no append-only file",
            ));
        }
        (b"LOADAOF", []) => engine.wants_log_again = true,
        (b"LOG", [message]) => engine.note(format!("DEBUG LOG: {}", String::from_utf8_lossy(message))),
        (b"OBJECT", [key]) => return engine.describe(Key(key)).map(Answer::Line),
        (b"POPULATE", [count, rest @ ..]) if rest.len() <= 2 => engine.populate(count, rest)?,
        (b"PROTOCOL", [kind]) => return sample(kind, engine.current().version).map(Answer::Sample),
        (b"REPLYBUFFER", [what, _])
            if [&b"peak-reset-time"[..], b"resizing"].iter().any(|it| what.eq_ignore_ascii_case(it)) => {}
        (b"QUICKLIST-PACKED-THRESHOLD", [bytes]) if bytes.first().is_some_and(u8::is_ascii_digit) => {}
        (b"QUICKLIST-PACKED-THRESHOLD", [_]) => {
            return Err(Error::refused(
                "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
            ));
        }
        (b"RELOAD", options) => {
            const OPTIONS: [&[u8]; 3] = [b"MERGE", b"NOFLUSH", b"NOSAVE"];
            if !options.iter().all(|option| OPTIONS.contains(&option.to_ascii_uppercase().as_slice())) {
                return Err(Error::refused(
                    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
                ));
            }
            if engine.is_saving() {
                return Err(Error::refused("ERR Background save already in progress"));
            }
            engine.put_off_rewrite();
            engine
                .reload()
                .map_err(|damage| Error::from(format!("ERR Error trying to load the RDB dump: {damage}")))?;
        }
        (b"SET-ACTIVE-EXPIRE", [flag]) => {
            engine.expires_actively = parse_i64(flag).ok_or(Error::NotInteger)? != 0;
        }
        (b"SLEEP", [seconds]) => engine.sleep(parse_float(seconds).ok_or(Error::NotFloat)?)?,
        _ => {
            return Err(Error::quoting(
                "ERR unknown subcommand or wrong number of arguments for '",
                name,
                "'. Try DEBUG HELP.",
            ));
        }
    }
    Ok(Answer::Ok)
}

/// A digest as long as Redis's.
fn digits(digest: u64) -> String {
    format!("{digest:040x}")
}

/// The reply with which clients test that they read a type.
fn sample(kind: &[u8], version: Version) -> Result<fn(&mut Writer)> {
    fn three(out: &mut Writer) {
        (0..3).for_each(|n| out.integer(n));
    }
    let write: fn(&mut Writer) = match kind.to_ascii_lowercase().as_slice() {
        b"string" => |out| out.bulk(b"Hello World"),
        b"integer" => |out| out.integer(12345),
        // 3.141, which is not meant to be a better known number.
        b"double" => |out| out.double(3141.0 / 1000.0),
        b"bignum" => |out| out.big_number("1234567999999999999999999999999999999"),
        b"null" => |out| out.null(),
        b"array" => |out| {
            out.array(3);
            three(out);
        },
        b"set" => |out| {
            out.set(3);
            three(out);
        },
        b"map" => |out| {
            out.map(3);
            for n in 0..3 {
                out.integer(n);
                out.boolean(n == 1);
            }
        },
        b"attrib" => |out| {
            out.attribute(1, |out| {
                out.bulk(b"key-popularity");
                out.array(2);
                out.bulk(b"key:123");
                out.integer(90);
            });
            out.bulk(b"Some real reply following the attribute");
        },
        b"push" if version == Version::V2 => {
            return Err(Error::refused("ERR RESP2 is not supported by this command"));
        }
        b"push" => |out| {
            out.push(2);
            out.bulk(b"server-cpu-usage");
            out.integer(42);
            out.bulk(b"Some real reply following the push reply");
        },
        b"verbatim" => |out| out.verbatim("txt", "This is a verbatim\nstring"),
        b"true" => |out| out.boolean(true),
        b"false" => |out| out.boolean(false),
        _ => {
            return Err(Error::refused(
                "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    };
    Ok(write)
}

impl Engine {
    fn may_debug(&self) -> bool {
        match self.config.get("enable-debug-command").as_deref() {
            Some(b"yes") => true,
            Some(b"local") => self.current().origin.is_local(),
            _ => false,
        }
    }

    /// Adds keys that are not there: so many, and perhaps with other names than `key:0` and texts of another length.
    fn populate(&mut self, count: &[u8], rest: &[&[u8]]) -> Result<()> {
        let number = |text| parse_i64(text).and_then(|n| usize::try_from(n).ok()).ok_or(Error::OutOfRange);
        let (count, prefix) = (number(count)?, rest.first().copied().unwrap_or(b"key"));
        let size = rest.get(1).map(|size| number(size)).transpose()?.unwrap_or(0);
        if size > self.keyspace.text_max {
            return Err(Error::OutOfRange);
        }
        let db = self.keyspace.selected();
        for i in 0..count {
            let key = [prefix, format!(":{i}").as_bytes()].concat();
            if self.keyspace.find(Key(&key)).is_some() {
                continue;
            }
            let mut text = format!("value:{i}").into_bytes();
            if size > 0 {
                text.resize(size, 0);
            }
            put_text(&mut self.keyspace, Key(&key), &text, None);
            self.keyspace.effects.log_as(db, &[b"SET", &key, &text]);
        }
        Ok(())
    }

    /// How a value is stored, in the words in which Redis tells it. The length is what it takes here, since a value is
    /// serialized nowhere.
    fn describe(&mut self, key: Key) -> Result<String> {
        let found = self.keyspace.find(key).ok_or(Error::NoSuchKey)?;
        let database = self.keyspace.database();
        Ok(format!(
            "Value at:{:#x} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
            found.address(),
            database.encoding(found),
            database.memory(found),
            database.clock(found),
            self.keyspace.idle_seconds(found),
        ))
    }

    fn table_stats(&self, db: &[u8]) -> Result<String> {
        let db = DbIndex::read(db).ok_or(Error::NotInteger)?;
        let db = db.among(self.keyspace.count()).map_err(|_| Error::refused("ERR Out of range database"))?;
        let database = &self.keyspace.databases()[db];
        let (keys, volatile) = (database.len(), database.volatile());
        Ok(format!(
            "[Dictionary HT]\n number of elements: {keys}\n[Expires HT]\n number of elements: {volatile}\n"
        ))
    }

    /// Has the host stop the process. Time stands still within a unit all the same, as it does in Redis.
    fn sleep(&self, seconds: f64) -> Result<()> {
        let sleep = self.config.host.sleep.ok_or(Error::refused("ERR this host cannot be stopped"))?;
        sleep((seconds * 1e6) as u64);
        Ok(())
    }

    /// Keeps a line for the shell's log.
    pub(super) fn note(&mut self, line: String) {
        if self.notes.len() == LOG_MAX {
            self.notes.remove(0);
        }
        self.notes.push(line);
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::{Config, engine::testing::Session};

    fn debugging(value: &[u8]) -> Session {
        let mut config = Config::default();
        config.apply("enable-debug-command", &[value]).unwrap();
        Session::with(config)
    }

    #[test]
    fn only_whom_the_directive_allows_may_debug() {
        assert!(debugging(b"no").ask("DEBUG HELP").starts_with("-ERR DEBUG command not allowed."));
        assert!(debugging(b"local").ask("DEBUG HELP").starts_with('*'));
        assert!(debugging(b"yes").ask("DEBUG HELP").starts_with('*'));
        let mut session = debugging(b"local");
        let origin = crate::Origin { addr: "10.0.0.1:5001".to_string(), ..Default::default() };
        let stranger = session.engine.connect(origin, 0);
        assert!(session.run(stranger, "DEBUG HELP").starts_with(b"-ERR DEBUG"));
    }

    #[test]
    fn keys_stay_past_their_deadline_when_they_are_told_to() {
        let mut session = debugging(b"yes");
        session.ask("DEBUG SET-ACTIVE-EXPIRE 0\nSET k v PX 5");
        session.wait(10);
        assert_eq!((session.ask("DBSIZE"), session.engine.next_deadline()), (":1\r\n".to_string(), None));
        session.ask("DEBUG SET-ACTIVE-EXPIRE 1");
        session.wait(0);
        assert_eq!(session.ask("DBSIZE"), ":0\r\n");
    }

    #[test]
    fn a_digest_is_of_the_value_and_not_of_its_key_or_its_encoding() {
        let mut session = debugging(b"yes");
        session.ask("SADD a 1 2\nSADD b 1 2 x\nSREM b x\nSADD c 1 3");
        let digests = session.ask("DEBUG DIGEST-VALUE a b c missing");
        let digests: Vec<&str> = digests.lines().skip(1).collect();
        assert!(digests[0] == digests[1] && digests[0] != digests[2], "{digests:?}");
        assert_eq!(digests[3], format!("+{:040}", 0));
        assert_eq!(session.ask("DEL a b c\nDEBUG DIGEST"), format!(":3\r\n+{:040}\r\n", 0));
    }

    #[test]
    fn a_host_that_cannot_stop_says_so() {
        let mut session = debugging(b"yes");
        assert_eq!(session.ask("DEBUG SLEEP 0.1"), "-ERR this host cannot be stopped\r\n");
        assert_eq!(session.ask("DEBUG SLEEP x"), "-ERR value is not a valid float\r\n");
        session.engine.config.host.sleep = Some(|micros| assert_eq!(micros, 100_000));
        assert_eq!(session.ask("DEBUG SLEEP 0.1"), "+OK\r\n");
    }

    #[test]
    fn what_is_noted_waits_for_the_shell() {
        let mut session = debugging(b"yes");
        (0..LOG_MAX + 1).for_each(|n| assert_eq!(session.ask(&format!("DEBUG LOG line-{n}")), "+OK\r\n"));
        let notes: Vec<String> = session.engine.take_notes().collect();
        assert_eq!((notes.len(), notes[0].as_str()), (LOG_MAX, "DEBUG LOG: line-1"));
        assert_eq!(session.engine.take_notes().count(), 0);
    }
}
