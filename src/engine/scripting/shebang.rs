//! The first line of a script that says how it may be run: `#!lua flags=no-writes,allow-stale`.

use alloc::vec::Vec;

use crate::{Error, Result, resp::split_quoted};

/// How a script or function may be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScriptFlags(u8);

impl ScriptFlags {
    /// It changes nothing.
    pub const NO_WRITES: ScriptFlags = ScriptFlags(1);
    /// It runs when there is no memory left.
    pub const ALLOW_OOM: ScriptFlags = ScriptFlags(2);
    /// Nothing is said: an older script, whose commands are each held to their own rules.
    pub const COMPATIBLE: ScriptFlags = ScriptFlags(64);

    /// The flags that a script may have, in Redis's order, and `allow-key-locking`, which Upstash's have.
    const NAMES: [(&'static str, u8); 6] = [
        ("no-writes", 1),
        ("allow-oom", 2),
        ("allow-stale", 4),
        ("no-cluster", 8),
        ("allow-cross-slot-keys", 16),
        ("allow-key-locking", 32),
    ];

    /// The flag of that name.
    pub fn named(name: &[u8]) -> Option<ScriptFlags> {
        let found = ScriptFlags::NAMES.iter().find(|(text, _)| text.as_bytes() == name);
        found.map(|&(_, bit)| ScriptFlags(bit))
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ScriptFlags::NAMES.iter().filter(move |(_, bit)| self.0 & bit != 0).map(|(text, _)| *text)
    }

    /// These and `other`.
    pub fn with(self, other: ScriptFlags) -> ScriptFlags {
        ScriptFlags(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    pub fn has(self, other: ScriptFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A script apart from its first line.
pub struct Script<'a> {
    /// How it may be run.
    pub flags: ScriptFlags,
    /// What is compiled. The end of the first line stays, so that lines keep their numbers.
    pub body: &'a [u8],
}

/// Takes the first line of a script off, if it says how to run it.
pub fn parse_script(source: &[u8]) -> Result<Script<'_>> {
    let Some((options, body)) = split(source)? else {
        return Ok(Script { flags: ScriptFlags::COMPATIBLE, body: source });
    };
    let mut flags = ScriptFlags::default();
    for (i, option) in options.into_iter().enumerate() {
        if i == 0 {
            if option != b"#!lua" {
                return Err(Error::quoting("ERR Unexpected engine in script shebang: ", option, ""));
            }
            continue;
        }
        let Some(names) = option.strip_prefix(b"flags=") else {
            return Err(Error::quoting("ERR Unknown lua shebang option: ", option, ""));
        };
        for name in names.split(|&byte| byte == b',').filter(|name| !name.is_empty()) {
            let flag = ScriptFlags::named(name)
                .ok_or_else(|| Error::quoting("ERR Unexpected flag in script shebang: ", name, ""))?;
            flags = flags.with(flag);
        }
    }
    Ok(Script { flags, body })
}

/// A library apart from its first line.
pub struct ParsedLibrary<'a> {
    /// Its name.
    pub name: Vec<u8>,
    /// What is compiled. The end of the first line stays, so that lines keep their numbers.
    pub body: &'a [u8],
}

/// Takes the first line of a library off, which names it.
pub fn parse_library(source: &[u8]) -> Result<ParsedLibrary<'_>> {
    const INVALID: Error = Error::refused("ERR Invalid library metadata");
    if !source.starts_with(b"#!") {
        return Err(Error::refused("ERR Missing library metadata"));
    }
    let (line, body) = source.split_at(memchr::memchr(b'\n', source).ok_or(INVALID)?);
    let words = split_quoted(line).ok_or(INVALID)?;
    let (engine, options) = words.split_first().ok_or(INVALID)?;
    let mut name = None;
    for option in options {
        let Some(value) = option.get(..5).filter(|start| start.eq_ignore_ascii_case(b"name=")) else {
            return Err(Error::quoting("ERR Invalid metadata value given: ", option, ""));
        };
        if name.replace(&option[value.len()..]).is_some() {
            return Err(Error::refused("ERR Invalid metadata value, name argument was given multiple times"));
        }
    }
    let name = name.ok_or(Error::refused("ERR Library name was not given"))?;
    if name.is_empty() || !name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Error::refused(
            "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
        ));
    }
    let engine = &engine[2..];
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(Error::quoting("ERR Engine '", engine, "' not found"));
    }
    Ok(ParsedLibrary { name: name.to_vec(), body })
}

/// The words of the first line, and what follows them.
#[allow(clippy::type_complexity)]
fn split(source: &[u8]) -> Result<Option<(Vec<&[u8]>, &[u8])>> {
    if !source.starts_with(b"#!") {
        return Ok(None);
    }
    let end = memchr::memchr(b'\n', source).ok_or(Error::refused("ERR Invalid script shebang"))?;
    let (line, body) = source.split_at(end);
    Ok(Some((words(line).collect(), body)))
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}
