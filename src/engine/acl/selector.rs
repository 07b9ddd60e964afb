//! What a set of ACL rules allows: commands, keys and channels. Rules are read, applied in order and written down again;
//! who they apply to, and what happens to who breaks them, is decided elsewhere.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::super::dispatch::{Known, Table};
use crate::{
    commands::{Flags, Spec, keys::FoundKey},
    data::glob::Glob,
};

/// Why a rule is refused, in Redis's words.
pub type RuleError = &'static str;

pub const SYNTAX: RuleError = "Syntax error";
const UNKNOWN: RuleError = "Unknown command or category name in ACL";
const AFTER_ALL_KEYS: RuleError = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any \
     effect. Try 'resetkeys' to start with an empty list of patterns";
const AFTER_ALL_CHANNELS: RuleError = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not \
     have any effect. Try 'resetchannels' to start with an empty list of channels";
const FIRST_ARG_OF_SUBCOMMAND: RuleError = "Allowing first-arg of a subcommand is not supported";

/// Commands whose words are names of channels: which word is the first, and whether all that follow are, too.
const CHANNELS: &[(&str, bool)] = &[
    ("PUBLISH", false),
    ("SPUBLISH", false),
    ("SUBSCRIBE", true),
    ("SSUBSCRIBE", true),
    ("PSUBSCRIBE", true),
];

/// What a request is refused for. The greater reason is told when several selectors refuse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Denied {
    /// The command.
    Command,
    /// The key that this word of the request names.
    Key(usize),
    /// The channel that this word of the request names.
    Channel(usize),
    /// The option of SORT whose pattern leads to keys that the request does not name.
    Pattern(&'static str),
}

/// A request as the rules see it.
pub struct Request<'r> {
    /// Which command it is.
    pub known: Known,
    /// What is known of it.
    pub spec: &'static Spec,
    /// The words, name included.
    pub words: &'r [&'r [u8]],
    /// The keys among them.
    pub keys: &'r [FoundKey],
}

/// Commands, keys and channels that a user may use together.
#[derive(Clone, Default)]
pub struct Selector {
    keys: Keys,
    channels: Channels,
    commands: Commands,
}

/// Keys that may be used.
#[derive(Clone, Default)]
struct Keys {
    all: bool,
    patterns: Vec<KeyPattern>,
}

/// Keys whose names match, and what may be done to them.
#[derive(Clone)]
struct KeyPattern {
    pattern: Box<[u8]>,
    read: bool,
    write: bool,
}

/// Channels that may be used.
#[derive(Clone, Default)]
struct Channels {
    all: bool,
    patterns: Vec<Box<[u8]>>,
}

/// Commands that may be run.
#[derive(Clone, Default)]
struct Commands {
    /// Every command, and no rule has taken one away since.
    all: bool,
    /// Whether the rules began with every command: those that a later version adds are allowed, too.
    begins_with_all: bool,
    /// By number in the table.
    allowed: Vec<bool>,
    /// Commands allowed with these first arguments alone.
    first_args: Vec<(Known, Vec<u8>)>,
    /// The rules since the last `@all`, without those that later ones made void.
    rules: Vec<String>,
}

impl Selector {
    /// Applies one rule. `table` knows the commands.
    pub fn apply(&mut self, rule: &[u8], table: &Table) -> Result<(), RuleError> {
        match &*rule.to_ascii_lowercase() {
            b"" => {}
            b"allkeys" | b"~*" => self.keys = Keys { all: true, patterns: Vec::new() },
            b"resetkeys" => self.keys = Keys::default(),
            b"allchannels" | b"&*" => self.channels = Channels { all: true, patterns: Vec::new() },
            b"resetchannels" => self.channels = Channels::default(),
            b"allcommands" | b"+@all" => self.commands = Commands::all(table),
            b"nocommands" | b"-@all" => self.commands = Commands::default(),
            [b'~' | b'%', ..] => self.keys.add(rule)?,
            [b'&', ..] => self.channels.add(&rule[1..])?,
            [b'+', b'@', category @ ..] => self.commands.set_category(category, true, table)?,
            [b'-', b'@', category @ ..] => self.commands.set_category(category, false, table)?,
            [b'+', name @ ..] => self.commands.add(name, &rule[1..], table)?,
            [b'-', name @ ..] => self.commands.remove(name, table)?,
            _ => return Err(SYNTAX),
        }
        Ok(())
    }

    /// Whether nothing is refused.
    pub fn is_unrestricted(&self) -> bool {
        self.keys.all && self.channels.all && self.commands.all
    }

    /// Lets a request through or says why not.
    pub fn check(&self, request: &Request) -> Result<(), Denied> {
        if !request.spec.flags.has(Flags::NO_AUTH) && !self.commands.allow(request) {
            return Err(Denied::Command);
        }
        let refused = |key: &&FoundKey| !self.keys.allow(request.words[key.at], key);
        if let Some(key) = request.keys.iter().find(refused) {
            return Err(Denied::Key(key.at));
        }
        let is_pattern = request.spec.name == "PSUBSCRIBE";
        match channels(request).find(|&at| !self.allows_channel(request.words[at], is_pattern)) {
            Some(at) => Err(Denied::Channel(at)),
            None => Ok(()),
        }
    }

    /// Whether every key may be read, whatever its name.
    pub fn reads_every_key(&self) -> bool {
        self.keys.all || self.keys.patterns.iter().any(|own| own.read && *own.pattern == *b"*")
    }

    /// Whether a channel may be used, or a pattern be listened to, which has to be one of the rules' own.
    pub fn allows_channel(&self, name: &[u8], is_pattern: bool) -> bool {
        let matches = |own: &[u8]| if is_pattern { own == name } else { Glob::new(own).matches(name) };
        self.channels.all || self.channels.patterns.iter().any(|own| matches(own))
    }

    /// The rules for keys, as they are written.
    pub fn key_rules(&self) -> String {
        match self.keys.all {
            true => "~*".into(),
            false => join(self.keys.patterns.iter().map(KeyPattern::rule)),
        }
    }

    /// The rules for channels, as they are written.
    pub fn channel_rules(&self) -> String {
        match self.channels.all {
            true => "&*".into(),
            false => {
                join(self.channels.patterns.iter().map(|own| format!("&{}", String::from_utf8_lossy(own))))
            }
        }
    }

    /// The rules for commands, as they are written.
    pub fn command_rules(&self) -> String {
        let base = if self.commands.begins_with_all { "+@all" } else { "-@all" };
        join([base.to_string()].into_iter().chain(self.commands.rules.iter().cloned()))
    }

    /// All rules, from which the same can be made again.
    pub fn describe(&self) -> String {
        let reset = if self.channels.all { "" } else { "resetchannels" };
        let parts = [self.key_rules(), reset.into(), self.channel_rules(), self.command_rules()];
        join(parts.into_iter().filter(|part| !part.is_empty()))
    }
}

/// The option of SORT that may lead to keys that the request does not name.
pub fn sort_pattern(request: &Request) -> Option<&'static str> {
    if !matches!(request.spec.name, "SORT" | "SORT_RO") {
        return None;
    }
    let options = request.words.get(2..)?.windows(2);
    options.into_iter().find_map(|option| match option[0] {
        word if word.eq_ignore_ascii_case(b"BY") && option[1].contains(&b'*') => Some("BY"),
        word if word.eq_ignore_ascii_case(b"GET") => Some("GET"),
        _ => None,
    })
}

/// The words of a request that name channels.
fn channels(request: &Request) -> impl Iterator<Item = usize> + use<> {
    let listed = CHANNELS.iter().find(|(name, _)| *name == request.spec.name);
    let end = match listed {
        Some((_, true)) => request.words.len(),
        Some((_, false)) => request.words.len().min(2),
        None => 0,
    };
    1..end
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" ")
}

impl Keys {
    /// `~pattern`, or `%R~pattern`, `%W~pattern`, `%RW~pattern`.
    fn add(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.all {
            return Err(AFTER_ALL_KEYS);
        }
        let (mut read, mut write) = (rule[0] == b'~', rule[0] == b'~');
        let mut pattern = &rule[1..];
        if rule[0] == b'%' {
            let flags = pattern.iter().position(|&byte| byte == b'~').unwrap_or(pattern.len());
            for flag in &pattern[..flags] {
                match flag.to_ascii_uppercase() {
                    b'R' if !read => read = true,
                    b'W' if !write => write = true,
                    _ => return Err(SYNTAX),
                }
            }
            pattern = pattern.get(flags + 1..).unwrap_or_default();
        }
        check_pattern(pattern)?;
        match self.patterns.iter_mut().find(|own| *own.pattern == *pattern) {
            Some(own) => (own.read, own.write) = (own.read | read, own.write | write),
            None => self.patterns.push(KeyPattern { pattern: pattern.into(), read, write }),
        }
        Ok(())
    }

    fn allow(&self, name: &[u8], key: &FoundKey) -> bool {
        let (reads, writes) = (key.access.reads(), key.access.writes());
        let allows = |own: &KeyPattern| {
            (own.read || !reads) && (own.write || !writes) && Glob::new(&own.pattern).matches(name)
        };
        self.all || !key.access.is_to_keys() || self.patterns.iter().any(allows)
    }
}

impl KeyPattern {
    fn rule(&self) -> String {
        let flags = match (self.read, self.write) {
            (true, false) => "%R~",
            (false, true) => "%W~",
            _ => "~",
        };
        format!("{flags}{}", String::from_utf8_lossy(&self.pattern))
    }
}

impl Channels {
    fn add(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all {
            return Err(AFTER_ALL_CHANNELS);
        }
        check_pattern(pattern)?;
        if !self.patterns.iter().any(|own| **own == *pattern) {
            self.patterns.push(pattern.into());
        }
        Ok(())
    }
}

fn check_pattern(pattern: &[u8]) -> Result<(), RuleError> {
    let is_refused = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b);
    if pattern.iter().any(is_refused) { Err(SYNTAX) } else { Ok(()) }
}

impl Commands {
    fn all(table: &Table) -> Commands {
        Commands {
            all: true,
            begins_with_all: true,
            allowed: vec![true; table.all().len()],
            first_args: Vec::new(),
            rules: Vec::new(),
        }
    }

    fn allow(&self, request: &Request) -> bool {
        let is_first_arg = |(known, arg): &(Known, Vec<u8>)| {
            *known == request.known && request.words.get(1).is_some_and(|word| word.eq_ignore_ascii_case(arg))
        };
        self.all
            || self.allowed.get(request.known.0 as usize).copied().unwrap_or(false)
            || self.first_args.iter().any(is_first_arg)
    }

    /// `+@category` or `-@category`
    fn set_category(&mut self, category: &[u8], allow: bool, table: &Table) -> Result<(), RuleError> {
        let name = super::find_category(category).ok_or(UNKNOWN)?;
        let members: Vec<Known> = table.all().filter(|&known| table.spec(known).is_in(name)).collect();
        self.set(&members, allow, table);
        self.note(format!("@{name}"), allow);
        Ok(())
    }

    /// `+command`, `+command|subcommand` or `+command|first-arg`, the last with its argument `as_written`.
    fn add(&mut self, name: &[u8], as_written: &[u8], table: &Table) -> Result<(), RuleError> {
        let Some(bar) = name.iter().rposition(|&byte| byte == b'|') else {
            return self.set_named(name, true, table);
        };
        let (command, rest) = (&name[..bar], &name[bar + 1..]);
        if table.members(command).is_empty() {
            return Err(UNKNOWN);
        } else if command.contains(&b'|') {
            return Err(FIRST_ARG_OF_SUBCOMMAND);
        } else if rest.is_empty() {
            return Err(SYNTAX);
        } else if table.container(command).is_some() {
            return self.set_named(name, true, table);
        }
        let known = table.members(command)[0];
        self.first_args.push((known, as_written[bar + 1..].to_vec()));
        self.note(String::from_utf8_lossy(as_written).to_ascii_lowercase(), true);
        Ok(())
    }

    /// `-command` or `-command|subcommand`
    fn remove(&mut self, name: &[u8], table: &Table) -> Result<(), RuleError> {
        self.set_named(name, false, table)
    }

    fn set_named(&mut self, name: &[u8], allow: bool, table: &Table) -> Result<(), RuleError> {
        let members = table.members(name);
        if members.is_empty() {
            return Err(UNKNOWN);
        }
        self.set(&members, allow, table);
        self.note(String::from_utf8_lossy(name).into_owned(), allow);
        Ok(())
    }

    fn set(&mut self, members: &[Known], allow: bool, table: &Table) {
        self.allowed.resize(table.all().len(), false);
        self.all &= allow;
        for &known in members {
            self.allowed[known.0 as usize] = allow;
            self.first_args.retain(|&(other, _)| other != known);
        }
    }

    /// Writes a rule down, in place of those about the same command and its subcommands.
    fn note(&mut self, name: String, allow: bool) {
        let is_same = |rule: &String| {
            rule[1..].strip_prefix(&*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('|'))
        };
        self.rules.retain(|rule| !is_same(rule));
        self.rules.push(format!("{}{name}", if allow { '+' } else { '-' }));
    }
}
