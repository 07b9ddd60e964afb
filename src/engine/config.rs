//! What can be configured, what the shell tells the engine about its host, and CONFIG. Reading a configuration file is the
//! shell's task: it hands each line to [`Config::apply`].

mod directives;
mod kind;
mod rewrite;

use alloc::{
    borrow::Cow,
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Engine, dispatch::Table, eviction::ClientLimit, notifications::Notifications,
    output_limits::OutputLimits, scripting::interpreter::Interpreter,
};
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{Arg, Kind as WordKind, Pattern, Rest, Shape, Words},
        help::{HelpLines, help},
        reply::{Done, FieldMap, Written},
        spec::commands,
    },
    data::{containers::ordered::OrderedMap, glob::Glob, limits::Limits, number::parse_i64},
    keyspace::{Eviction, Measure},
    resp::Writer,
};
use directives::{Change, DIRECTIVES, Directive, Place};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Returns the directives whose names match, and their values.
    "CONFIG GET" = config_get(patterns) since "2.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) when N is the number of configuration parameters provided");
    /// Changes directives, all or none.
    "CONFIG SET" = config_set(settings) since "2.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) when N is the number of configuration parameters provided");
    /// Sets the counters of INFO to zero.
    "CONFIG RESETSTAT" = config_resetstat() since "2.0.0" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Writes the configuration to the file it was read from.
    "CONFIG REWRITE" = config_rewrite() since "2.8.0" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Lists the subcommands.
    "CONFIG HELP" = config_help() since "5.0.0" [LOADING STALE] O("1");
};

/// How an engine runs. What a running engine may change of it, CONFIG SET changes.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many databases there are.
    pub databases: usize,
    /// The password of the default user; empty for none.
    pub requirepass: Vec<u8>,
    /// The longest word of a request, in bytes.
    pub proto_max_bulk_len: usize,
    /// The longest incomplete request of a client, in bytes.
    pub client_query_buffer_limit: usize,
    /// How many keys are remembered for CLIENT TRACKING; 0 for any number.
    pub tracking_table_max_keys: usize,
    /// After how many idle seconds a client is disconnected; 0 for never.
    pub timeout: u32,
    /// How many bytes may be used; 0 for any number.
    pub maxmemory: u64,
    /// How far clients may lag behind what they are sent.
    pub output_limits: OutputLimits,
    /// How much clients may take together.
    pub maxmemory_clients: ClientLimit,
    /// Which keys go when there is no more room.
    pub eviction: Eviction,
    /// Which events on keys are published.
    pub notify_keyspace_events: Notifications,
    /// Whether it is counted how long commands take, for LATENCY HISTOGRAM.
    pub latency_tracking: bool,
    /// From how many milliseconds on LATENCY keeps that a command took long; 0 for never.
    pub latency_monitor_threshold: u64,
    /// From how many microseconds on a command is kept in the slow log; negative for never.
    pub slowlog_log_slower_than: i64,
    /// How many commands the slow log keeps.
    pub slowlog_max_len: usize,
    /// From how many bytes on a request is kept in the log of long ones; negative for never.
    pub large_request: i64,
    /// How many requests that log keeps.
    pub large_request_max_len: usize,
    /// From how many bytes on a command is kept in the log of those with long replies; negative for never.
    pub large_reply: i64,
    /// How many commands that log keeps.
    pub large_reply_max_len: usize,
    /// Whether the effects of every unit are written to [`Engine::journal`](super::Engine::journal).
    pub journal: bool,
    /// Up to which sizes collections are packed.
    pub limits: Limits,
    /// Commands under other names: the name, and what it is called instead; empty for nothing.
    pub renames: Vec<(Vec<u8>, Vec<u8>)>,
    /// The users that lines of the configuration define: name and rules, each.
    pub users: Vec<Vec<Vec<u8>>>,
    /// The other directives, as far as they are not at their defaults.
    pub others: Others,
    /// After how many milliseconds of a script others are heard, and told that it runs; 0 for never.
    pub busy_reply_threshold: u64,
    /// Whether a script can pause, so that others are heard.
    pub pauses_scripts: bool,
    /// Makes what runs scripts, where there is such a thing.
    pub interpreter: Option<fn() -> Box<dyn Interpreter>>,
    /// The host.
    pub host: Host,
}

/// Directives that the engine keeps for the shell, or only to show them again.
#[derive(Clone, Debug, Default)]
pub struct Others {
    values: OrderedMap<&'static str, Vec<u8>>,
    version: u64,
}

/// What only the shell knows.
#[derive(Clone, Debug)]
pub struct Host {
    /// A clock for durations, in microseconds from any point in time.
    pub clock: fn() -> u64,
    /// Bytes that the process has allocated.
    pub allocated: fn() -> usize,
    /// Bytes of memory that the process holds, as the operating system counts them; 0 when nobody knows.
    pub resident: fn() -> usize,
    /// Processor time that the process has used, in microseconds: in the system, and in itself.
    pub cpu: fn() -> (u64, u64),
    /// Fills bytes from a source of secrets, where there is one.
    pub entropy: Option<fn(&mut [u8])>,
    /// Files, where there are any.
    pub files: Option<Files>,
    /// Listens where a configuration says from now on, in place of where it did, where there are sockets; false when that is
    /// impossible, and then nothing has changed.
    pub listen: Option<fn(&Config) -> bool>,
    /// Has the certificates and keys that a configuration names be used from now on, where there are sockets; false when that
    /// is impossible, and then nothing has changed.
    pub secure: Option<fn(&Config) -> bool>,
    /// Stops the process for some microseconds, where that is possible (DEBUG SLEEP).
    pub sleep: Option<fn(u64)>,
    /// Free text for INFO: the operating system.
    pub os: String,
    /// The process's number, or 0.
    pub process_id: u32,
    /// The port it listens on, or 0.
    pub tcp_port: u16,
    /// The program, as started.
    pub executable: String,
    /// The configuration file, or empty.
    pub config_file: String,
}

/// Small files, such as that of ACL SAVE. Errors are the reason, for people.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    /// Returns what is in a file.
    pub read: fn(&str) -> Result<Vec<u8>, String>,
    /// Puts bytes into a file, in the place of what it held, or leaves it as it was.
    pub write: fn(&str, &[u8]) -> Result<(), String>,
    /// Begins a file that may become long.
    pub create: fn(&str) -> Result<Box<dyn NewFile>, String>,
}

/// A file that takes the place of another one once it is whole. Dropped before, it leaves no trace.
pub trait NewFile {
    /// Appends bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// Puts it where it belongs, when all of its bytes are on the disk.
    fn commit(self: Box<Self>) -> Result<(), String>;
}

impl Default for Config {
    fn default() -> Self {
        Config {
            databases: 16,
            requirepass: Vec::new(),
            proto_max_bulk_len: 512 << 20,
            client_query_buffer_limit: 1 << 30,
            tracking_table_max_keys: 1_000_000,
            timeout: 0,
            maxmemory: 0,
            output_limits: OutputLimits::default(),
            maxmemory_clients: ClientLimit::Bytes(0),
            eviction: Eviction::default(),
            notify_keyspace_events: Notifications::default(),
            latency_tracking: true,
            latency_monitor_threshold: 0,
            slowlog_log_slower_than: 10_000,
            slowlog_max_len: 128,
            large_request: 1 << 20,
            large_request_max_len: 128,
            large_reply: 1 << 20,
            large_reply_max_len: 128,
            journal: false,
            limits: Limits::default(),
            renames: Vec::new(),
            users: Vec::new(),
            others: Others::default(),
            busy_reply_threshold: 5000,
            pauses_scripts: false,
            interpreter: None,
            host: Host::default(),
        }
    }
}

impl Host {
    /// The time of the clock for durations, in microseconds.
    pub fn now_us(&self) -> u64 {
        (self.clock)()
    }
}

/// A host without a clock, whose commands take no time.
impl Default for Host {
    fn default() -> Self {
        Host {
            clock: || 0,
            allocated: || 0,
            resident: || 0,
            cpu: || (0, 0),
            entropy: None,
            files: None,
            listen: None,
            secure: None,
            sleep: None,
            os: String::new(),
            process_id: 0,
            tcp_port: 0,
            executable: String::new(),
            config_file: String::new(),
        }
    }
}

impl Config {
    /// Applies a line of a configuration file, or `--name values…` of a command line, before the engine starts. Lines of
    /// `save` add up, as in Redis. An error is what is wrong with the line, for people.
    pub fn apply(&mut self, name: &str, values: &[&[u8]]) -> Result<(), String> {
        if name.eq_ignore_ascii_case("user") {
            let name = values.first().ok_or("wrong number of arguments")?;
            if self.users.iter().any(|words| words[0] == *name) {
                return Err(format!(
                    "Duplicate user '{}' found in the configuration",
                    String::from_utf8_lossy(name)
                ));
            }
            self.users.push(values.iter().map(|word| word.to_vec()).collect());
            return Ok(());
        }
        if name.eq_ignore_ascii_case("rename-command") {
            let &[old, new] = values else { return Err("wrong number of arguments".into()) };
            return self.rename_command(old, new);
        }
        let directive =
            directives::find(name.as_bytes()).ok_or("Bad directive or wrong number of arguments")?;
        let value = match values {
            [value] => value.to_vec(),
            [_, ..] if directive.kind.takes_words() => values.join(&b' '),
            _ => return Err("wrong number of arguments".into()),
        };
        let mut value = directive.kind.read(&value, &self.value(directive)).map_err(Cow::into_owned)?;
        if let ("save", Some(earlier)) = (directive.name, self.others.values.get("save"))
            && !earlier.is_empty()
            && !value.is_empty()
        {
            value = [earlier, &value[..]].join(&b' ');
        }
        self.put(directive, value);
        Ok(())
    }

    fn rename_command(&mut self, old: &[u8], new: &[u8]) -> Result<(), String> {
        let table = Table::new();
        let exists = |name: &[u8]| table.find_name(name).is_some() || table.container(name).is_some();
        if old.contains(&b' ') || !exists(old) {
            return Err("No such command in rename-command".into());
        }
        if exists(new)
            || self.renames.iter().any(|(_, taken)| !taken.is_empty() && taken.eq_ignore_ascii_case(new))
        {
            return Err("Target command name already exists".into());
        }
        self.renames.push((old.to_vec(), new.to_vec()));
        Ok(())
    }

    /// The value of a directive as CONFIG GET shows it. `None` when there is no directive of that name.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        directives::find(name.as_bytes()).map(|directive| self.value(directive))
    }

    /// Directives that are known and have no effect, by name, with their defaults.
    pub fn without_effect() -> impl Iterator<Item = (&'static str, String)> {
        let defaults = Config::default();
        directives::WITHOUT_EFFECT.iter().map(move |name| {
            let value = defaults.get(name).expect("a directive");
            (*name, String::from_utf8_lossy(&value).into_owned())
        })
    }

    /// Has the host use the certificates and keys that are named now, and listen where it is to, if that may be new: each
    /// with the directive that says so.
    fn tell_host(&self, tls: Option<&str>, address: Option<&str>) -> Result<()> {
        let Host { listen, secure, .. } = self.host;
        if let Some(directive) = tls
            && secure.is_some_and(|secure| !secure(self))
        {
            return Err(failed(
                directive.as_bytes(),
                "Unable to update TLS configuration. Check server logs.",
            ));
        }
        match address {
            Some(directive) if listen.is_some_and(|listen| !listen(self)) => Err(match directive {
                "bind" => failed(b"bind", "Failed to bind to specified addresses."),
                port => failed(port.as_bytes(), "Unable to listen on this port. Check server logs."),
            }),
            _ => Ok(()),
        }
    }

    /// Grows with every change, so that a shell notices when to read its directives again.
    pub fn version(&self) -> u64 {
        self.others.version
    }

    /// The value of the directive called `name`, if it is a number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(|text| parse_i64(&text))
    }

    /// Keeps whose replica this server is.
    pub(super) fn note_primary(&mut self, primary: Option<(&str, u16)>) {
        let value = primary.map_or_else(String::new, |(host, port)| format!("{host} {port}"));
        self.others.version += 1;
        self.others.values.insert("replicaof", value.into_bytes());
    }

    /// Whose replica this server is to be from the start.
    pub(super) fn primary(&self) -> Option<(String, u16)> {
        let value = self.get("replicaof")?;
        let (host, port) = str::from_utf8(&value).ok()?.rsplit_once(' ')?;
        Some((host.into(), port.parse().ok()?))
    }

    /// Whether the directive called `name` holds a secret.
    pub(super) fn is_secret(name: &[u8]) -> bool {
        directives::find(name).is_some_and(Directive::is_secret)
    }

    fn value(&self, directive: &Directive) -> Vec<u8> {
        match directive.place {
            Place::Field { get, .. } => get(self),
            Place::Stored(default) => {
                self.others.values.get(directive.name).cloned().unwrap_or_else(|| default.as_bytes().to_vec())
            }
        }
    }

    fn put(&mut self, directive: &'static Directive, value: Vec<u8>) {
        self.others.version += 1;
        match directive.place {
            Place::Field { set, .. } => set(self, &value),
            Place::Stored(_) => drop(self.others.values.insert(directive.name, value)),
        }
    }

    /// Reads what CONFIG SET is to change, and changes nothing yet.
    fn check(&self, settings: Settings) -> Result<Vec<(&'static Directive, Vec<u8>)>> {
        let mut found: Vec<&'static Directive> = Vec::new();
        for (name, _) in settings.iter() {
            let directive = directives::find(name).ok_or_else(|| {
                Error::quoting("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'")
            })?;
            let is_open = match directive.change {
                Change::Live => Ok(()),
                Change::AtStart => Err("can't set immutable config"),
                Change::Protected if self.get("enable-protected-configs").as_deref() == Some(b"no") => {
                    Err("can't set protected config")
                }
                Change::Protected => Ok(()),
            };
            is_open.map_err(|reason| failed(name, reason))?;
            if found.iter().any(|earlier| earlier.name == directive.name) {
                return Err(failed(name, "duplicate parameter"));
            }
            found.push(directive);
        }
        let read = |((name, value), directive): ((&[u8], &[u8]), &'static Directive)| {
            let value =
                directive.kind.read(value, &self.value(directive)).map_err(|reason| failed(name, &reason))?;
            Ok((directive, value))
        };
        settings.iter().zip(found).map(read).collect()
    }
}

fn failed(name: &[u8], reason: &str) -> Error {
    let reason = format!("') - {reason}");
    Error::quoting("ERR CONFIG SET failed (possibly related to argument '", name, &reason)
}

/// `parameter value [parameter value …]`
#[derive(Clone, Copy)]
struct Settings<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for Settings<'a> {
    const SHAPE: Shape =
        Shape::Many(&[Shape::Word("parameter", WordKind::Text), Shape::Word("value", WordKind::Text)]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if !words.len().is_multiple_of(2) {
            return Err(Error::Syntax);
        }
        Ok(Settings(words.split_off(0)))
    }
}

impl<'a> Settings<'a> {
    fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.0.chunks_exact(2).map(|pair| (pair[0], pair[1]))
    }
}

fn config_get<'a>(
    engine: &mut Engine,
    patterns: Rest<'a, Pattern<'a>>,
) -> Result<Written<FieldMap, impl FnOnce(&mut Writer) + use<'a>>> {
    // Under which name a value is shown depends on the name it was asked for.
    let mut found: OrderedMap<String, Vec<u8>> = OrderedMap::new();
    for Pattern(pattern) in patterns.iter() {
        let glob = Glob::new(pattern).ignoring_case();
        if let Some(directive) = directives::find(pattern) {
            found.insert(String::from_utf8_lossy(pattern).into_owned(), engine.config.value(directive));
            continue;
        }
        for directive in DIRECTIVES.iter().filter(|it| !it.is_hidden()) {
            for name in [directive.name, directive.alias] {
                if !name.is_empty() && glob.matches(name.as_bytes()) {
                    found.insert(name.to_string(), engine.config.value(directive));
                }
            }
        }
    }
    Ok(Written::new(move |out| {
        out.map(found.len());
        for (name, value) in &found {
            out.bulk(name.as_bytes());
            out.bulk(value);
        }
    }))
}

fn config_set(engine: &mut Engine, settings: Settings) -> Result<Done> {
    let new = engine.config.check(settings)?;
    let old: Vec<(&'static Directive, Vec<u8>)> =
        new.iter().map(|(directive, _)| (*directive, engine.config.value(directive))).collect();
    let is_new = |name: &str| old.iter().zip(&new).any(|(old, new)| old.0.name == name && old.1 != new.1);
    let address = ["port", "tls-port", "http-port", "bind"].into_iter().find(|name| is_new(name));
    let tls = new.iter().map(|(directive, _)| directive.name).find(|name| name.starts_with("tls-"));
    new.into_iter().for_each(|(directive, value)| engine.config.put(directive, value));
    if let Err(refusal) = engine.config.tell_host(tls, address) {
        old.into_iter().for_each(|(directive, value)| engine.config.put(directive, value));
        // It may have taken the certificates before it refused the address.
        let _ = engine.config.tell_host(tls, None);
        return Err(refusal);
    }
    if address == Some("port") && engine.config.host.listen.is_some() {
        let port = engine.config.number("port").unwrap_or_default();
        engine.config.host.tcp_port = port as u16;
    }
    engine.configure();
    // Clients that take more than they may now go before the next command.
    engine.clients.grow(usize::MAX);
    Ok(Done)
}

fn config_resetstat(engine: &mut Engine) -> Result<Done> {
    engine.reset_stats();
    Ok(Done)
}

fn config_rewrite(engine: &mut Engine) -> Result<Done> {
    let path = &engine.config.host.config_file;
    let files = engine.config.host.files.filter(|_| !path.is_empty());
    let files = files.ok_or(Error::refused("ERR The server is running without a config file"))?;
    let old = (files.read)(path).unwrap_or_default();
    let keeps_users = engine.config.get("aclfile").is_none_or(|file| file.is_empty());
    let users = keeps_users.then(|| engine.acl.lines().collect());
    let new = rewrite::rewrite(&old, &engine.config, users);
    (files.write)(path, &new)
        .map_err(|reason| Error::from(format!("ERR Rewriting config file: {reason}")))?;
    Ok(Done)
}

fn config_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("CONFIG", COMMANDS))
}

impl Engine {
    /// How the engine runs now.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Has a configuration take effect where it is used.
    pub(super) fn configure(&mut self) {
        self.configure_replication();
        self.keyspace.limits = Limits { seed: self.keyspace.limits.seed, ..self.config.limits.clone() };
        self.keyspace.text_max = self.config.proto_max_bulk_len;
        self.keyspace.set_eviction(self.config.eviction.clone());
        let has_clocks = matches!(self.config.eviction.policy.measure, Some(Measure::Lru | Measure::Lfu));
        self.keyspace.shares_integers = self.config.maxmemory == 0 || !has_clocks;
        self.follow_requirepass();
        self.follow_output_limits();
        self.slow_log.truncate(self.config.slowlog_max_len);
        self.large_requests.truncate(self.config.large_request_max_len);
        self.large_replies.truncate(self.config.large_reply_max_len);
        self.limit_tracking();
        self.refresh_interests();
        // Those who have too much memory now must not wait for the next command.
        self.evicts = self.config.maxmemory > 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn everything_that_is_shown_can_be_set_again() {
        let mut config = Config::default();
        for directive in DIRECTIVES {
            let shown = config.value(directive);
            config
                .apply(directive.name, &[&shown])
                .unwrap_or_else(|error| panic!("{}: {error}", directive.name));
            assert_eq!(config.value(directive), shown, "{}", directive.name);
        }
    }

    #[test]
    fn what_a_client_is_shown_it_can_set_again() {
        let mut session = Session::new();
        let client = session.connect();
        for directive in DIRECTIVES.iter().filter(|it| it.change == Change::Live) {
            for name in [directive.name, directive.alias].into_iter().filter(|name| !name.is_empty()) {
                let shown = session.engine.config.value(directive);
                session.engine.execute(client, &[b"CONFIG", b"SET", name.as_bytes(), &shown], 0);
                assert_eq!(session.output(client), b"+OK\r\n", "{name}");
                assert_eq!(session.engine.config.value(directive), shown, "{name}");
            }
        }
        assert!(Config::without_effect().count() > 50);
    }

    #[test]
    fn no_two_directives_share_a_name() {
        let mut names: Vec<_> =
            DIRECTIVES.iter().flat_map(|it| [it.name, it.alias]).filter(|it| !it.is_empty()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_file_may_set_what_a_client_may_not() {
        let mut config = Config::default();
        config.apply("databases", &[b"4"]).unwrap();
        config.apply("BIND", &[b"127.0.0.1", b"::1"]).unwrap();
        config.apply("save", &[b"60", b"1"]).unwrap();
        config.apply("save", &[b"300 10"]).unwrap();
        assert_eq!((config.databases, config.get("bind").unwrap()), (4, b"127.0.0.1 ::1".to_vec()));
        assert_eq!(config.get("save").unwrap(), b"60 1 300 10");
        config.apply("save", &[b""]).unwrap();
        assert_eq!(config.get("save").unwrap(), b"");
        assert!(config.apply("port", &[b"1", b"2"]).is_err());
        assert!(config.apply("banana", &[b"1"]).is_err());
    }

    #[test]
    fn several_settings_are_made_together_or_not_at_all() {
        let mut session = Session::new();
        let refused = session.ask("CONFIG SET timeout 10 maxmemory banana");
        assert_eq!(
            refused,
            "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value\r\n"
        );
        assert_eq!(session.ask("CONFIG GET TIMEOUT"), "*2\r\n$7\r\nTIMEOUT\r\n$1\r\n0\r\n");
        assert_eq!(session.ask("CONFIG SET maxmemory 1kb hash-max-ziplist-entries 9"), "+OK\r\n");
        assert_eq!(session.ask("CONFIG GET maxmemory"), "*2\r\n$9\r\nmaxmemory\r\n$4\r\n1024\r\n");
        let entries = session.ask("CONFIG GET hash-max-l*-entries");
        assert_eq!(entries, "*2\r\n$25\r\nhash-max-listpack-entries\r\n$1\r\n9\r\n");
    }
}
