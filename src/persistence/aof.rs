//! Append-only files as far as they are bytes: the manifest that names the parts, a base in the form of commands, and how
//! far a part can be trusted. Where the parts lie is the shells' business.
//!
//! ```text
//! appendonly.aof.manifest       file appendonly.aof.2.base.rdb seq 2 type b
//! appendonly.aof.2.base.rdb     file appendonly.aof.5.incr.aof seq 5 type i
//! appendonly.aof.5.incr.aof
//! ```

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::rdb::{View, payload};
use crate::{
    keyspace::Seen,
    resp::{Limits, RequestParser, Version, Writer, quoted, split_quoted},
};

/// What a part of an append-only file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// All that was stored at one moment.
    Base,
    /// What happened since.
    Increment,
    /// No part any more, and not removed yet.
    History,
}

/// A part of an append-only file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The name of the file, which is no path.
    pub name: String,
    /// Grows from one part of a role to the next.
    pub sequence: u64,
    /// What it is.
    pub role: Role,
}

/// The parts of an append-only file, in the order in which they are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Manifest {
    /// All parts: at most one base, and the increments by sequence.
    pub parts: Vec<Part>,
}

impl Manifest {
    /// Reads a manifest. An error is what is wrong with it, for people.
    pub fn parse(text: &[u8]) -> Result<Manifest, String> {
        let mut manifest = Manifest::default();
        if text.is_empty() {
            return Err("it is empty".into());
        }
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            if line.is_empty() && index > 0 || line.first() == Some(&b'#') {
                continue;
            }
            let part = Part::parse(line).ok_or_else(|| format!("line {} makes no sense", index + 1))?;
            manifest.accept(part).map_err(|reason| format!("{reason} in line {}", index + 1))?;
        }
        Ok(manifest)
    }

    /// The bytes of the manifest.
    pub fn to_bytes(&self) -> Vec<u8> {
        let line = |part: &Part| {
            let letter = match part.role {
                Role::Base => 'b',
                Role::Increment => 'i',
                Role::History => 'h',
            };
            let rest = format!(" seq {} type {letter}\n", part.sequence);
            [b"file ", &quoted(part.name.as_bytes())[..], rest.as_bytes()].concat()
        };
        self.parts.iter().flat_map(line).collect()
    }

    /// The parts to be read, in order.
    pub fn living(&self) -> impl DoubleEndedIterator<Item = &Part> {
        let of = |role| self.parts.iter().filter(move |part| part.role == role);
        of(Role::Base).chain(of(Role::Increment))
    }

    /// The number of the next part of a role.
    pub fn next_sequence(&self, role: Role) -> u64 {
        let is_meant = |part: &&Part| part.role == role || part.role == Role::History;
        self.parts.iter().filter(is_meant).map(|part| part.sequence).max().unwrap_or(0) + 1
    }

    /// The same with one more part, which is read last.
    pub fn with(&self, part: Part) -> Manifest {
        let mut manifest = self.clone();
        manifest.parts.push(part);
        manifest
    }

    /// The same with a base that holds what the old one and the increments before `first` held.
    pub fn rebased(&self, base: Part, first: u64) -> Manifest {
        let mut parts = [base].to_vec();
        parts.extend(self.parts.iter().cloned().map(|part| match part.role {
            Role::Increment if part.sequence >= first => part,
            _ => Part { role: Role::History, ..part },
        }));
        Manifest { parts }
    }

    /// The same without those that are no parts any more.
    pub fn without_history(&self) -> Manifest {
        Manifest { parts: self.living().cloned().collect() }
    }

    fn accept(&mut self, part: Part) -> Result<(), &'static str> {
        let of = |role| self.parts.iter().filter(move |it| it.role == role);
        match part.role {
            Role::Base if of(Role::Base).next().is_some() => return Err("there is a second base"),
            Role::Increment if of(Role::Increment).any(|it| it.sequence >= part.sequence) => {
                return Err("the sequence does not grow");
            }
            _ => {}
        }
        self.parts.push(part);
        Ok(())
    }
}

impl Part {
    fn parse(line: &[u8]) -> Option<Part> {
        const LINE_MAX: usize = 1024;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let words = split_quoted(line).filter(|words| words.len() >= 6 && words.len().is_multiple_of(2))?;
        let value = |name: &str| {
            let mut pairs = words.chunks_exact(2);
            pairs.find(|pair| pair[0].eq_ignore_ascii_case(name.as_bytes())).map(|pair| &pair[1])
        };
        let name = String::from_utf8(value("file")?.clone()).ok()?;
        let sequence = str::from_utf8(value("seq")?).ok()?.parse().ok().filter(|&sequence| sequence > 0)?;
        let role = match value("type")?.as_slice() {
            b"b" => Role::Base,
            b"i" => Role::Increment,
            b"h" => Role::History,
            _ => return None,
        };
        let is_path = name.is_empty() || name.contains('/') || line.len() > LINE_MAX;
        (!is_path).then_some(Part { name, sequence, role })
    }
}

/// A base in the form of commands, that grows entry by entry.
#[derive(Default)]
pub struct CommandWriter {
    bytes: Vec<u8>,
    db: Option<usize>,
}

impl CommandWriter {
    /// Adds a library of functions.
    pub fn library(&mut self, source: &[u8]) {
        self.command(&[b"FUNCTION", b"LOAD", source]);
    }

    /// Adds an entry: a text as SET, and what has parts as RESTORE.
    pub fn entry(&mut self, seen: &Seen<'_>) {
        if self.db.replace(seen.db) != Some(seen.db) {
            self.command(&[b"SELECT", seen.db.to_string().as_bytes()]);
        }
        let at = seen.deadline.map(|at| at.to_string());
        match View::held(seen.value) {
            View::Text(text) => {
                let text = text.to_vec();
                match &at {
                    Some(at) => self.command(&[b"SET", seen.key, &text, b"PXAT", at.as_bytes()]),
                    None => self.command(&[b"SET", seen.key, &text]),
                }
            }
            view => {
                let payload = payload::dump(&view, false);
                let at = at.unwrap_or_else(|| "0".into());
                self.command(&[b"RESTORE", seen.key, at.as_bytes(), &payload, b"ABSTTL"]);
            }
        }
    }

    /// How many bytes wait to be taken.
    pub fn waiting(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the bytes since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    fn command(&mut self, words: &[&[u8]]) {
        let mut out = Writer::new(&mut self.bytes, Version::V2);
        out.array(words.len());
        words.iter().for_each(|word| out.bulk(word));
    }
}

/// Follows the commands of a part without running them, and knows up to where they are whole.
#[derive(Default)]
pub struct Scanner {
    parser: RequestParser,
    pending: Vec<u8>,
    position: u64,
    /// Where the transaction began that has not ended.
    transaction: Option<u64>,
    /// The last time that the part tells, in seconds since 1970.
    pub seconds: Option<u64>,
    /// How many commands there were.
    pub commands: u64,
    /// How many lines they had, one a word and one more a word and a command.
    pub lines: u64,
    /// The second beyond which nothing is wanted, if there is one.
    pub until: Option<u64>,
    /// Where what is beyond it begins. No more is looked at then.
    pub passed: Option<u64>,
}

impl Scanner {
    /// Takes the next bytes. An error is why they are no commands, for people; [`Scanner::whole`] is where.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut pending = core::mem::take(&mut self.pending);
        pending.extend_from_slice(bytes);
        let mut at = 0;
        let outcome = loop {
            if self.passed.is_some() {
                break Ok(());
            }
            match self.next(&pending[at..]) {
                Ok(Some(used)) => at += used,
                Ok(None) => break Ok(()),
                Err(reason) => break Err(reason),
            }
        };
        pending.drain(..at);
        pending.reserve(self.parser.wants().saturating_sub(pending.len()));
        self.pending = pending;
        outcome
    }

    /// The end of the last command, or of the last one before a transaction that has not ended.
    pub fn whole(&self) -> u64 {
        self.transaction.unwrap_or(self.position)
    }

    /// Whether a transaction has begun and not ended.
    pub fn is_in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Whether a command or a transaction has begun and not ended.
    pub fn is_short(&self) -> bool {
        !self.pending.is_empty() || self.transaction.is_some()
    }

    fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        let limits = Limits { word: usize::MAX >> 1, unauthenticated: false };
        let mut words = Vec::new();
        let Some(used) = self.parser.parse(bytes, limits, &mut words).map_err(|error| error.to_string())?
        else {
            return Ok(None);
        };
        match words.first() {
            None => {
                let line = self.parser.take_inline();
                self.note(&line)?;
            }
            Some(name) => {
                self.commands += 1;
                self.lines += 1 + 2 * words.len() as u64;
                if name.eq_ignore_ascii_case(b"MULTI") {
                    self.transaction = Some(self.position);
                } else if name.eq_ignore_ascii_case(b"EXEC") {
                    self.transaction = None;
                }
            }
        }
        self.position += used as u64;
        Ok(Some(used))
    }

    fn note(&mut self, words: &[Vec<u8>]) -> Result<(), String> {
        let word = words.first().filter(|word| word.starts_with(b"#"));
        let word = word.ok_or("there is something that is no command")?;
        if let Some(digits) = word.strip_prefix(b"#TS:") {
            self.seconds = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            if self.seconds.is_some_and(|seconds| self.until.is_some_and(|until| seconds > until)) {
                self.passed = Some(self.position);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let text = "file a.1.base.rdb seq 1 type b\nfile \"a b\\\"\\x01.2.incr.aof\" seq 2 type i\nfile old seq 1 type h\n";
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.parts[1].name, "a b\"\u{1}.2.incr.aof");
        assert_eq!(manifest.to_bytes(), text.as_bytes());
        let names: Vec<&str> = manifest.living().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["a.1.base.rdb", "a b\"\u{1}.2.incr.aof"]);
        assert_eq!(manifest.next_sequence(Role::Base), 2);
    }

    #[test]
    fn comments_and_other_pairs_are_passed_over() {
        let text = "# all\nfile x seq 1 type b startoffset 5 endoffset 9\r\n";
        let expected = Part { name: "x".into(), sequence: 1, role: Role::Base };
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().parts, [expected]);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for text in [
            "",
            "\n",
            "file x seq 1\n",
            "file x seq 0 type b\n",
            "file x seq y type b\n",
            "file x seq 1 type z\n",
            "file x seq 1 type b more\n",
            "file a/x seq 1 type b\n",
            "file \"x seq 1 type b\n",
            "file x seq 1 type b\nfile y seq 2 type b\n",
            "file x seq 2 type i\nfile y seq 2 type i\n",
        ] {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_scanner_stops_before_what_is_not_whole() {
        let ping = b"*1\r\n$4\r\nPING\r\n";
        let bytes =
            [&b"#TS:7\r\n"[..], ping, b"*1\r\n$5\r\nMULTI\r\n", ping, b"*1\r\n$4\r\nEXEC\r\n"].concat();
        for cut in 0..=bytes.len() {
            let mut scanner = Scanner::default();
            bytes[..cut].chunks(3).for_each(|bytes| scanner.feed(bytes).unwrap());
            let ends = [0, 7, 7 + ping.len() as u64, bytes.len() as u64];
            let whole = ends.into_iter().rfind(|&end| end <= cut as u64).unwrap();
            assert_eq!((scanner.whole(), scanner.is_short()), (whole, whole != cut as u64), "{cut}");
        }
        let mut scanner = Scanner::default();
        assert!(scanner.feed(&[ping, &b"hello there\r\n"[..]].concat()).is_err());
        assert_eq!((scanner.whole(), scanner.commands), (ping.len() as u64, 1));
    }
}
