//! COMMAND: what the engine knows of its own commands. All of it comes from the rows, but for the hints to clients that
//! spread requests over several servers, which are listed here.

use alloc::{format, string::String, vec::Vec};

use super::{
    Engine,
    dispatch::{Known, Table},
};
use crate::{
    Error, Result,
    commands::{
        Command, Flags, KeyRange, Spec,
        args::{Arg, Kind, Rest, Shape, Text, Words, one_of},
        docs::{Argument, Form},
        help::{HelpLines, help},
        keys::{Access, Begin, Find, FoundKey, KeySpec},
        reply::{ManyBytes, Unknown, Written},
        spec::commands,
    },
    data::glob::Glob,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Describes every command.
    "COMMAND" = command(_words) since "2.8.13" [LOADING STALE CONNECTION] O("N) where N is the total number of Redis commands");
    /// Returns how many commands there are.
    "COMMAND COUNT" = command_count() since "2.8.13" [LOADING STALE CONNECTION] O("1");
    /// Returns what is known of the arguments, history and cost of commands.
    "COMMAND DOCS" = command_docs(command_names) since "7.0.0" [LOADING STALE CONNECTION] O("N) where N is the number of commands to look up");
    /// Returns the keys of a request without running it.
    "COMMAND GETKEYS" = command_getkeys(request) since "2.8.13" [LOADING STALE CONNECTION] O("N) where N is the number of arguments to the command");
    /// Returns the keys of a request without running it, and what it would do to them.
    "COMMAND GETKEYSANDFLAGS" = command_getkeysandflags(request) since "7.0.0" [LOADING STALE CONNECTION] O("N) where N is the number of arguments to the command");
    /// Lists the subcommands.
    "COMMAND HELP" = command_help() since "5.0.0" [LOADING STALE CONNECTION] O("1");
    /// Describes some commands, or all.
    "COMMAND INFO" = command_info(command_names) since "2.8.13" [LOADING STALE CONNECTION] O("N) where N is the number of commands to look up");
    /// Lists the names of commands.
    "COMMAND LIST" = command_list(filter) since "7.0.0" [LOADING STALE CONNECTION] O("N) where N is the total number of Redis commands");
};

/// Commands that only open a group of others.
const CONTAINERS: &[Container] = &[
    container("ACL", "6.0.0", "server", "Who may do what."),
    container("CLIENT", "2.4.0", "connection", "Clients and their connections."),
    container("CLUSTER", "3.0.0", "cluster", "The servers of a cluster."),
    container("COMMANDLOG", "8.1.0", "server", "Commands that took long or were long."),
    container("CONFIG", "2.0.0", "server", "How the server runs."),
    container("FUNCTION", "7.0.0", "scripting", "Functions that the server keeps."),
    container("LATENCY", "2.8.13", "server", "What made clients wait."),
    container("MEMORY", "4.0.0", "server", "How memory is used."),
    container("MODULE", "4.0.0", "server", "Modules."),
    container("OBJECT", "2.2.3", "generic", "How values are stored."),
    container("PUBSUB", "2.8.0", "pubsub", "Channels and who listens."),
    container("SCRIPT", "2.6.0", "scripting", "Scripts that the server keeps."),
    container("SLOWLOG", "2.2.12", "server", "Commands that took long."),
    container("XGROUP", "5.0.0", "stream", "Consumer groups of a stream."),
    container("XINFO", "5.0.0", "stream", "What streams consist of."),
];

/// What is known of a command that only opens a group of others.
struct Container {
    name: &'static str,
    since: &'static str,
    group: &'static str,
    summary: &'static str,
}

const fn container(
    name: &'static str,
    since: &'static str,
    group: &'static str,
    summary: &'static str,
) -> Container {
    Container { name, since, group, summary }
}

/// Hints for clients that spread requests over several servers.
const TIPS: &[(&str, &str)] = &[
    (
        "nondeterministic_output",
        "CLIENT|INFO CLIENT|LIST CLUSTER|INFO CLUSTER|LINKS CLUSTER|NODES CLUSTER|SHARDS CLUSTER|SLOTS DUMP FUNCTION|STATS \
         HRANDFIELD HSCAN INFO LASTSAVE LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HISTOGRAM LATENCY|HISTORY LATENCY|LATEST \
         MEMORY|DOCTOR MEMORY|MALLOC-STATS MEMORY|STATS OBJECT|ENCODING OBJECT|FREQ OBJECT|IDLETIME OBJECT|REFCOUNT PTTL \
         RANDOMKEY SCAN SLOWLOG|GET SLOWLOG|LEN SPOP SRANDMEMBER SSCAN TIME TTL XADD XAUTOCLAIM XCLAIM XINFO|CONSUMERS \
         XPENDING XTRIM ZRANDMEMBER ZSCAN",
    ),
    (
        "nondeterministic_output_order",
        "COMMAND COMMAND|DOCS COMMAND|INFO COMMAND|LIST FUNCTION|LIST HGETALL HKEYS HVALS KEYS MODULE|LIST SDIFF SINTER \
         SMEMBERS SUNION",
    ),
    (
        "request_policy:all_nodes",
        "CONFIG|SET LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HISTOGRAM LATENCY|HISTORY LATENCY|LATEST LATENCY|RESET \
         SCRIPT|FLUSH SCRIPT|LOAD SLOWLOG|GET SLOWLOG|LEN SLOWLOG|RESET",
    ),
    (
        "request_policy:all_shards",
        "DBSIZE FLUSHALL FLUSHDB FUNCTION|DELETE FUNCTION|FLUSH FUNCTION|KILL FUNCTION|LOAD FUNCTION|RESTORE FUNCTION|STATS \
         INFO KEYS MEMORY|DOCTOR MEMORY|MALLOC-STATS MEMORY|PURGE MEMORY|STATS PING RANDOMKEY SCRIPT|EXISTS SCRIPT|KILL WAIT",
    ),
    ("request_policy:multi_shard", "DEL EXISTS MGET MSET MSETNX TOUCH UNLINK"),
    ("request_policy:special", "SCAN"),
    ("response_policy:agg_logical_and", "SCRIPT|EXISTS"),
    ("response_policy:agg_min", "MSETNX WAIT"),
    ("response_policy:agg_sum", "DBSIZE DEL EXISTS SLOWLOG|LEN TOUCH UNLINK"),
    (
        "response_policy:all_succeeded",
        "CONFIG|SET FLUSHALL FLUSHDB FUNCTION|DELETE FUNCTION|FLUSH FUNCTION|LOAD FUNCTION|RESTORE LATENCY|RESET MEMORY|PURGE \
         MSET PING SCRIPT|FLUSH SCRIPT|LOAD SLOWLOG|RESET",
    ),
    ("response_policy:one_succeeded", "FUNCTION|KILL SCRIPT|KILL"),
    (
        "response_policy:special",
        "FUNCTION|STATS INFO LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HISTOGRAM LATENCY|HISTORY LATENCY|LATEST MEMORY|DOCTOR \
         MEMORY|MALLOC-STATS MEMORY|STATS RANDOMKEY SCAN",
    ),
];

/// The hints for the command called `name`, `CLIENT LIST`.
fn tips(name: &str) -> impl Iterator<Item = &'static str> + Clone {
    TIPS.iter()
        .filter(move |(_, names)| names.split_ascii_whitespace().any(|it| it.split('|').eq(name.split(' '))))
        .map(|(tip, _)| *tip)
}

/// A name that COMMAND shows at the top: a command, or a group of them.
#[derive(Clone, Copy)]
enum Entry {
    Command(Known),
    Container(&'static str),
}

impl Table {
    /// Every command and group that is no subcommand.
    fn entries(&self) -> Vec<Entry> {
        let commands = self.all().filter(|&known| self.spec(known).name_words() == 1).map(Entry::Command);
        let alone = |name: &&str| self.find_name(name.as_bytes()).is_none();
        commands.chain(self.containers().filter(alone).map(Entry::Container)).collect()
    }

    /// The commands of a group.
    fn subcommands(&self, container: &str) -> Vec<Known> {
        let opens = |known: &Known| {
            self.spec(*known).name.split_once(' ').is_some_and(|(first, _)| first == container)
        };
        self.all().filter(opens).collect()
    }

    /// What `name` stands for, written `get` or `config|get`.
    fn entry(&self, name: &[u8]) -> Option<Entry> {
        let spaced: Vec<u8> = name.iter().map(|&byte| if byte == b'|' { b' ' } else { byte }).collect();
        if name.contains(&b' ') {
            return None;
        }
        let known = self.find_name(&spaced).map(Entry::Command);
        known.or_else(|| self.container(name).map(Entry::Container))
    }

    /// Writes what COMMAND INFO tells.
    fn write_info(&self, entry: Entry, out: &mut Writer) {
        out.array(10);
        match entry {
            Entry::Command(known) => {
                let spec = self.spec(known);
                out.bulk(self.name(known).as_bytes());
                out.integer(spec.arity());
                let movable = spec.has_movable_keys().then_some("movablekeys");
                write_names(out, spec.flags.names().chain(movable));
                let KeyRange { first, last, step } = spec.keys();
                [first, last, step].into_iter().for_each(|n| out.integer(n));
                write_names(out, spec.categories().map(|category| format!("@{category}")));
                write_tips(out, spec.name);
                let specs = spec.key_specs();
                out.set(specs.len());
                specs.iter().for_each(|spec| write_key_spec(spec, out));
                self.write_subcommands(spec.name, out);
            }
            Entry::Container(name) => {
                out.bulk(name.to_ascii_lowercase().as_bytes());
                out.integer(-2);
                out.set(0);
                (0..3).for_each(|_| out.integer(0));
                write_names(out, ["@slow"].into_iter());
                write_tips(out, name);
                out.set(0);
                self.write_subcommands(name, out);
            }
        }
    }

    fn write_subcommands(&self, container: &str, out: &mut Writer) {
        let subcommands = self.subcommands(container);
        if subcommands.is_empty() {
            out.set(0);
            return;
        }
        out.array(subcommands.len());
        subcommands.into_iter().for_each(|known| self.write_info(Entry::Command(known), out));
    }

    /// Writes the name, and then what COMMAND DOCS tells.
    fn write_docs(&self, entry: Entry, out: &mut Writer) {
        let (name, summary, since, group, complexity, arguments) = match entry {
            Entry::Command(known) => {
                let spec = self.spec(known);
                out.bulk(self.name(known).as_bytes());
                (spec.name, spec.summary.trim(), spec.since, spec.group, spec.complexity, spec.arguments())
            }
            Entry::Container(name) => {
                out.bulk(name.to_ascii_lowercase().as_bytes());
                let known = CONTAINERS.iter().find(|it| it.name == name);
                let (summary, since, group) =
                    known.map_or(("", "", ""), |it| (it.summary, it.since, it.group));
                (name, summary, since, group, "Depends on subcommand.", Vec::new())
            }
        };
        let subcommands = self.subcommands(name);
        out.map(4 + usize::from(!arguments.is_empty()) + usize::from(!subcommands.is_empty()));
        let fields = [("summary", summary), ("since", since), ("group", group), ("complexity", complexity)];
        for (field, value) in fields {
            out.bulk(field.as_bytes());
            out.bulk(value.as_bytes());
        }
        if !arguments.is_empty() {
            out.bulk(b"arguments");
            let mut keys = 0;
            write_arguments(&arguments, &mut keys, out);
        }
        if !subcommands.is_empty() {
            out.bulk(b"subcommands");
            out.map(subcommands.len());
            subcommands.into_iter().for_each(|known| self.write_docs(Entry::Command(known), out));
        }
    }
}

fn write_names(out: &mut Writer, names: impl Iterator<Item = impl AsRef<str>>) {
    out.counted(Writer::set, |out| names.map(|name| out.simple(name.as_ref())).count());
}

fn write_tips(out: &mut Writer, name: &str) {
    let tips = tips(name);
    out.set(tips.clone().count());
    tips.for_each(|tip| out.bulk(tip.as_bytes()));
}

fn write_access(access: Access, incomplete: bool, out: &mut Writer) {
    write_names(out, access.names().chain(incomplete.then_some("incomplete")));
}

fn write_key_spec(spec: &KeySpec, out: &mut Writer) {
    out.map(3);
    out.bulk(b"flags");
    write_access(spec.access, spec.incomplete, out);
    out.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => write_search("index", &[("index", index)], None, out),
        Begin::Keyword(word, from) => write_search("keyword", &[("startfrom", from)], Some(word), out),
        Begin::Unknown => write_search("unknown", &[], None, out),
    }
    out.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            write_search("range", &[("lastkey", last), ("keystep", step), ("limit", limit)], None, out);
        }
        Find::Counted { step } => {
            write_search("keynum", &[("keynumidx", 0), ("firstkey", 1), ("keystep", step)], None, out);
        }
        Find::Unknown => write_search("unknown", &[], None, out),
    }
}

fn write_search(form: &str, numbers: &[(&str, i64)], keyword: Option<&str>, out: &mut Writer) {
    out.map(2);
    out.bulk(b"type");
    out.bulk(form.as_bytes());
    out.bulk(b"spec");
    out.map(numbers.len() + usize::from(keyword.is_some()));
    if let Some(keyword) = keyword {
        out.bulk(b"keyword");
        out.bulk(keyword.as_bytes());
    }
    for (name, number) in numbers {
        out.bulk(name.as_bytes());
        out.integer(*number);
    }
}

/// Writes arguments; `keys` counts the keys among them, which is how they refer to key specifications.
fn write_arguments(arguments: &[Argument], keys: &mut i64, out: &mut Writer) {
    out.array(arguments.len());
    for argument in arguments {
        let form = &argument.form;
        let is_shown = matches!(form, Form::Key | Form::Word(_));
        let flags = [(argument.is_optional, "optional"), (argument.is_multiple, "multiple")];
        let flags: Vec<&str> =
            flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
        let has = |condition: bool| usize::from(condition);
        out.map(
            2 + has(is_shown)
                + has(*form == Form::Key)
                + has(argument.token.is_some())
                + has(!flags.is_empty())
                + has(!form.parts().is_empty()),
        );
        let mut text = |name: &str, value: &str| {
            out.bulk(name.as_bytes());
            out.bulk(value.as_bytes());
        };
        text("name", &argument.name);
        text("type", form.name());
        if is_shown {
            text("display_text", &argument.name);
        }
        if *form == Form::Key {
            out.bulk(b"key_spec_index");
            out.integer(*keys);
            *keys += 1;
        }
        if let Some(token) = argument.token {
            out.bulk(b"token");
            out.bulk(token.as_bytes());
        }
        if !flags.is_empty() {
            out.bulk(b"flags");
            write_names(out, flags.into_iter());
        }
        if !form.parts().is_empty() {
            out.bulk(b"arguments");
            write_arguments(form.parts(), keys, out);
        }
    }
}

/// The words are none: what follows the name is a subcommand, or refused before.
fn command<'c>(
    engine: &'c mut Engine,
    _words: Option<Rest<'c, Text<'c>>>,
) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'c>>> {
    command_info(engine, None)
}

fn command_count(engine: &mut Engine) -> Result<usize> {
    Ok(engine.table.entries().len())
}

fn command_info<'c>(
    engine: &'c mut Engine,
    command_names: Option<Rest<'c, Text<'c>>>,
) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'c>>> {
    let table = &engine.table;
    let entries: Vec<Option<Entry>> = match command_names {
        None => table.entries().into_iter().map(Some).collect(),
        Some(names) => names.iter().map(|name| table.entry(name.0)).collect(),
    };
    Ok(Written::new(move |out| {
        out.array(entries.len());
        for entry in entries {
            match entry {
                Some(entry) => table.write_info(entry, out),
                None => out.null(),
            }
        }
    }))
}

fn command_docs<'c>(
    engine: &'c mut Engine,
    command_names: Option<Rest<'c, Text<'c>>>,
) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'c>>> {
    let table = &engine.table;
    let entries: Vec<Entry> = match command_names {
        None => table.entries(),
        Some(names) => names.iter().filter_map(|name| table.entry(name.0)).collect(),
    };
    Ok(Written::new(move |out| {
        out.map(entries.len());
        entries.into_iter().for_each(|entry| table.write_docs(entry, out));
    }))
}

/// The keys of a request, and their names.
fn keys_of<'a>(table: &Table, words: &[&'a [u8]]) -> Result<Vec<(&'a [u8], FoundKey)>> {
    let known = table.find(words).ok_or(Error::refused("ERR Invalid command specified"))?;
    let spec: &Spec = table.spec(known);
    if spec.key_specs().iter().all(|keys| !keys.access.is_to_keys()) {
        return Err(Error::refused("ERR The command has no key arguments"));
    }
    if !spec.accepts(words.len()) {
        return Err(Error::refused("ERR Invalid number of arguments specified for command"));
    }
    let found = spec.find_keys(words).unwrap_or_default();
    if found.is_empty() && !spec.flags.has(Flags::NO_MANDATORY_KEYS) {
        return Err(Error::refused("ERR Invalid arguments specified for command"));
    }
    Ok(found.into_iter().map(|key| (words[key.at], key)).collect())
}

fn command_getkeys<'a>(
    engine: &mut Engine,
    request: Rest<'a, Text<'a>>,
) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'a>>> {
    let keys = keys_of(&engine.table, request.words())?;
    Ok(Written::new(move |out| {
        out.array(keys.len());
        keys.iter().for_each(|(name, _)| out.bulk(name));
    }))
}

fn command_getkeysandflags<'a>(
    engine: &mut Engine,
    request: Rest<'a, Text<'a>>,
) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'a>>> {
    let keys = keys_of(&engine.table, request.words())?;
    Ok(Written::new(move |out| {
        out.array(keys.len());
        for (name, key) in keys {
            out.array(2);
            out.bulk(name);
            write_access(key.access, false, out);
        }
    }))
}

one_of! {
    /// What COMMAND LIST chooses by.
    enum FilterBy { "MODULE" = Module, "ACLCAT" = Category, "PATTERN" = Pattern }
}

/// `FILTERBY MODULE name | ACLCAT category | PATTERN pattern`
#[derive(Clone, Copy)]
struct Filter<'a>(Option<(FilterBy, &'a [u8])>);

impl<'a> Arg<'a> for Filter<'a> {
    const SHAPE: Shape = Shape::Maybe(&Shape::Group(&[
        Shape::Token("FILTERBY"),
        Shape::OneOf(&[
            Shape::Group(&[Shape::Token("MODULE"), Shape::Word("module-name", Kind::Text)]),
            Shape::Group(&[Shape::Token("ACLCAT"), Shape::Word("category", Kind::Text)]),
            Shape::Group(&[Shape::Token("PATTERN"), Shape::Word("pattern", Kind::Pattern)]),
        ]),
    ]));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if !words.take("FILTERBY") {
            return Ok(Filter(None));
        }
        let by = FilterBy::parse(words)?;
        Ok(Filter(Some((by, words.next()?))))
    }
}

impl Filter<'_> {
    fn keeps(&self, name: &str, is_in: impl Fn(&str) -> bool) -> bool {
        match self.0 {
            None => true,
            Some((FilterBy::Module, _)) => false,
            Some((FilterBy::Category, category)) => {
                is_in(&String::from_utf8_lossy(category).to_ascii_lowercase())
            }
            Some((FilterBy::Pattern, pattern)) => Glob::new(pattern).ignoring_case().matches(name.as_bytes()),
        }
    }
}

fn command_list(
    engine: &mut Engine,
    filter: Filter,
) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<>>> {
    let table = &engine.table;
    let commands = table
        .all()
        .filter(|&known| filter.keeps(table.name(known), |category| table.spec(known).is_in(category)));
    let mut names: Vec<String> = commands.map(|known| table.name(known).into()).collect();
    let containers = table.containers().filter(|name| table.find_name(name.as_bytes()).is_none());
    let containers = containers.map(str::to_ascii_lowercase);
    names.extend(containers.filter(|name| filter.keeps(name, |category| category == "slow")));
    Ok(Written::new(move |out| {
        out.array(names.len());
        names.iter().for_each(|name| out.bulk(name.as_bytes()));
    }))
}

fn command_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("COMMAND", COMMANDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn every_group_of_commands_is_described() {
        let table = Table::new();
        let unknown: Vec<_> = table
            .entries()
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Container(name) if !CONTAINERS.iter().any(|it| it.name == name) => Some(name),
                _ => None,
            })
            .collect();
        assert!(unknown.is_empty(), "add {unknown:?} to CONTAINERS");
    }

    #[test]
    fn a_word_after_command_is_a_subcommand() {
        let mut session = Session::new();
        assert!(session.ask("\"CONFIG GET\" x timeout").starts_with("-ERR unknown command 'CONFIG GET'"));
        assert_eq!(session.ask("COMMAND BANANA"), "-ERR unknown subcommand 'BANANA'. Try COMMAND HELP.\r\n");
        assert!(session.ask("COMMAND").len() > session.ask("COMMAND INFO get set").len());
    }

    #[test]
    fn the_keys_of_a_request_are_found() {
        let mut session = Session::new();
        let mut keys = |request: &str| session.ask(&format!("COMMAND GETKEYS {request}"));
        assert_eq!(keys("SET k v"), "*1\r\n$1\r\nk\r\n");
        assert_eq!(keys("mset a 1 b 2"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
        assert_eq!(keys("GET a b"), "-ERR Invalid number of arguments specified for command\r\n");
        assert_eq!(keys("BANANA a"), "-ERR Invalid command specified\r\n");
        assert_eq!(keys("CONFIG GET x"), "-ERR The command has no key arguments\r\n");
    }

    #[test]
    fn any_words_may_be_asked_for_their_keys() {
        const WORDS: [&[u8]; 12] = [
            b"k",
            b"2",
            b"-1",
            b"STREAMS",
            b"STORE",
            b"BY",
            b"",
            b"LEFT",
            b"99999999999",
            b"COUNT",
            b"GET",
            b"0",
        ];
        let table = Table::new();
        let mut random = crate::keyspace::Random::new(1);
        for known in table.all() {
            let spec = table.spec(known);
            for _ in 0..200 {
                let mut words: Vec<&[u8]> = spec.name.split(' ').map(str::as_bytes).collect();
                words.extend((0..random.below(8)).map(|_| WORDS[random.next() as usize % WORDS.len()]));
                let found = spec.find_keys(&words).unwrap_or_default();
                assert!(found.iter().all(|key| key.at < words.len()), "{}", spec.name);
            }
        }
    }

    #[test]
    fn what_is_done_to_a_key_may_depend_on_the_words() {
        let mut session = Session::new();
        let mut flags = |request: &str| session.ask(&format!("COMMAND GETKEYSANDFLAGS {request}"));
        assert!(flags("SET k v").ends_with("*2\r\n+OW\r\n+update\r\n"));
        assert!(flags("SET k v EX 5 GET").ends_with("*3\r\n+RW\r\n+access\r\n+update\r\n"));
    }

    #[test]
    fn groups_hold_their_subcommands() {
        let mut session = Session::new();
        let config = session.ask("COMMAND INFO config");
        assert!(config.starts_with("*1\r\n*10\r\n$6\r\nconfig\r\n:-2\r\n*0\r\n"), "{config}");
        assert!(config.contains("$10\r\nconfig|get\r\n:-3\r\n"), "{config}");
        assert_eq!(
            session.ask("COMMAND INFO get|x config get"),
            session.ask("COMMAND INFO get|x config GET")
        );
        assert_eq!(session.ask("COMMAND INFO banana"), "*1\r\n$-1\r\n");
        assert_eq!(session.ask("COMMAND LIST FILTERBY PATTERN slowlog|r*"), "*1\r\n$13\r\nslowlog|reset\r\n");
        assert!(session.ask("SLOWLOG HELP").contains("+GET [count]\r\n"));
    }
}
