//! RDB files, read piece by piece: bytes come in cuts of any size, and each entry goes into the keyspace as soon as it is
//! whole. Files of Redis from the first version to 8.6 and of Valkey are read.

use alloc::{string::String, vec::Vec};
use core::fmt;

use super::{Flaw, VALKEY, form, input::Input, opcode, read, reads, sum::Sum};
use crate::keyspace::{
    Keyspace, Value,
    arriving::{Arrival, Content, TOGETHER},
};

/// A file that is being read.
pub struct Loader {
    /// Bytes that are not read yet, or not to an end.
    pending: Vec<u8>,
    /// How many bytes of the file were read before them.
    position: u64,
    /// There is no sense in another try before so many bytes are pending.
    wanted: usize,
    checksum: Option<Sum>,
    stage: Stage,
    version: Option<Version>,
    next: Facts,
    db: usize,
    /// How many keys the file says that its database has.
    expected: usize,
    /// Whether values are only looked at, and put nowhere.
    checks: bool,
    /// Names and values at the beginning of the file, and where each of them ends.
    pub aux: Vec<(Vec<u8>, Vec<u8>, u64)>,
    /// The databases that were selected, and where.
    pub databases: Vec<(usize, u64)>,
    /// The sources of libraries of functions.
    pub libraries: Vec<Vec<u8>>,
    /// How many keys were loaded.
    pub keys: u64,
    /// How many of them expire.
    pub expires: u64,
    /// How many keys had expired, and were left out.
    pub expired: u64,
    /// How many collections had nothing in them, and were left out.
    pub empty: u64,
}

/// Where in the file the loader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Magic,
    Entries,
    Checksum,
    Done,
}

/// Who wrote the file, and in which version of the format.
#[derive(Clone, Copy)]
enum Version {
    Redis(u16),
    Valkey,
}

/// What stands before the entry that it is about.
#[derive(Clone, Copy, Default)]
struct Facts {
    deadline: Option<u64>,
    idle: Option<u32>,
}

/// How far the bytes that are there have been read.
#[derive(Default)]
struct Progress {
    /// Where in the file they begin.
    start: u64,
    read: usize,
    /// How many of them are in the checksum.
    summed: usize,
}

/// Entries that are put where they belong together, and where each of them ends.
#[derive(Default)]
struct Arrivals<'b> {
    waiting: Vec<Arrival<'b>>,
    ends: [u64; TOGETHER],
}

/// Why a file was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The offset of the first byte that makes no sense.
    pub position: u64,
    /// What is wrong with it, for people.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.position)
    }
}

impl Loader {
    /// A file of which nothing was read; the checksum at its end is verified or not.
    pub fn new(verifies: bool) -> Self {
        Loader {
            pending: Vec::new(),
            position: 0,
            wanted: 0,
            checksum: verifies.then(Sum::new),
            stage: Stage::Magic,
            version: None,
            next: Facts::default(),
            db: 0,
            expected: 0,
            checks: false,
            aux: Vec::new(),
            databases: Vec::new(),
            libraries: Vec::new(),
            keys: 0,
            expires: 0,
            expired: 0,
            empty: 0,
        }
    }

    /// The same, but nothing is put anywhere, and what is expired counts as well.
    pub fn checking(self) -> Self {
        Loader { checks: true, ..self }
    }

    /// Takes the next bytes of the file. What they complete is in the keyspace then.
    pub fn feed(&mut self, bytes: &[u8], keyspace: &mut Keyspace) -> Result<(), Damage> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < self.wanted {
            return Ok(());
        }
        self.go_on(keyspace, false)
    }

    /// What the file tells of itself under a name.
    pub fn fact(&self, name: &[u8]) -> Option<&[u8]> {
        self.aux.iter().find(|(it, ..)| it == name).map(|(_, value, _)| &value[..])
    }

    /// What follows the file, of the bytes taken, if it has ended.
    pub fn take_rest(&mut self) -> Option<Vec<u8>> {
        (self.stage == Stage::Done).then(|| core::mem::take(&mut self.pending))
    }

    /// The file has no more bytes.
    pub fn finish(&mut self, keyspace: &mut Keyspace) -> Result<(), Damage> {
        self.go_on(keyspace, true)
    }

    /// Reads what is whole.
    fn go_on(&mut self, keyspace: &mut Keyspace, is_all: bool) -> Result<(), Damage> {
        let pending = core::mem::take(&mut self.pending);
        let mut progress = Progress { start: self.position, ..Progress::default() };
        let outcome = self.read(&pending, &mut progress, keyspace, is_all);
        self.position = progress.start + progress.read as u64;
        outcome?;
        self.pending = pending;
        self.pending.drain(..progress.read);
        // A long entry is tried again only when twice as much of it is there.
        self.wanted = self.pending.len() * 2;
        Ok(())
    }

    fn read(
        &mut self,
        pending: &[u8],
        progress: &mut Progress,
        keyspace: &mut Keyspace,
        is_all: bool,
    ) -> Result<(), Damage> {
        let mut arrivals = Arrivals::default();
        while self.stage != Stage::Done {
            self.position = progress.start + progress.read as u64;
            if self.stage == Stage::Checksum {
                self.sum(pending, progress);
            }
            let mut input = Input::new(&pending[progress.read..]);
            match self.part(&mut input, keyspace) {
                Ok(arrival) => {
                    progress.read += input.position();
                    if let Some(arrival) = arrival {
                        arrivals.ends[arrivals.waiting.len()] = progress.start + progress.read as u64;
                        arrivals.waiting.push(arrival);
                    }
                    if arrivals.waiting.len() == TOGETHER {
                        self.insert(&mut arrivals, keyspace)?;
                    }
                }
                Err(Flaw::Short) if !is_all => break,
                Err(flaw) => {
                    let position = self.position + input.position() as u64;
                    return Err(Damage { position, reason: alloc::format!("{flaw}") });
                }
            }
        }
        self.sum(pending, progress);
        self.insert(&mut arrivals, keyspace)
    }

    /// Adds to the checksum what was read since the last time.
    fn sum(&mut self, pending: &[u8], progress: &mut Progress) {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&pending[progress.summed..progress.read]);
        }
        progress.summed = progress.read;
    }

    /// Puts what has come where it belongs.
    fn insert(&mut self, arrivals: &mut Arrivals<'_>, keyspace: &mut Keyspace) -> Result<(), Damage> {
        keyspace.expect(self.db, self.expected);
        let waiting = arrivals.waiting.drain(..);
        self.keys += waiting.len() as u64;
        keyspace
            .insert_all(waiting)
            .map_err(|index| Damage { position: arrivals.ends[index], reason: "a key is there twice".into() })
    }

    /// Reads one part of the file, which may be an entry.
    fn part<'b>(
        &mut self,
        input: &mut Input<'b>,
        keyspace: &mut Keyspace,
    ) -> Result<Option<Arrival<'b>>, Flaw> {
        match self.stage {
            Stage::Magic => {
                self.version = Some(version(input)?);
                self.stage = Stage::Entries;
            }
            Stage::Entries => {
                let number = input.byte()?;
                return self.entry_or_fact(number, input, keyspace);
            }
            Stage::Checksum => {
                let told = u64::from_le_bytes(input.array()?);
                let sum = self.checksum.take().map(|checksum| checksum.value());
                if told != 0 && sum.is_some_and(|sum| sum != told) {
                    return Err(Flaw::Corrupt("the checksum is wrong"));
                }
                self.stage = Stage::Done;
            }
            Stage::Done => {}
        }
        Ok(None)
    }

    fn entry_or_fact<'b>(
        &mut self,
        number: u8,
        input: &mut Input<'b>,
        keyspace: &mut Keyspace,
    ) -> Result<Option<Arrival<'b>>, Flaw> {
        match number {
            opcode::AUX => {
                let (name, value) = (input.string()?.into_owned(), input.string()?.into_owned());
                self.aux.push((name, value, self.position + input.position() as u64));
            }
            opcode::FUNCTION => self.libraries.push(input.string()?.into_owned()),
            opcode::SELECT => {
                let db = usize::try_from(input.length()?).ok();
                let db = db.filter(|&db| db < keyspace.count() || self.checks);
                self.db =
                    db.ok_or(Flaw::Corrupt("there are not so many databases ('databases' says how many)"))?;
                self.expected = 0;
                self.databases.push((self.db, self.position + input.position() as u64));
            }
            opcode::RESIZE => {
                self.expected = usize::try_from(input.length()?).unwrap_or(0);
                skip_lengths(input, 1)?;
            }
            opcode::EXPIRES => {
                self.next.deadline = Some(deadline(i32::from_le_bytes(input.array()?) as i64 * 1000));
            }
            opcode::EXPIRES_MS => self.next.deadline = Some(deadline(i64::from_le_bytes(input.array()?))),
            opcode::IDLE => {
                self.next.idle = Some(u32::try_from(input.length()?).unwrap_or(u32::MAX));
            }
            opcode::FREQUENCY => {
                input.byte()?;
            }
            opcode::SLOT_INFO => skip_lengths(input, 3)?,
            opcode::SLOT_IMPORT if matches!(self.version, Some(Version::Valkey)) => {
                input.string()?;
                let ranges = input.count(2)?;
                skip_lengths(input, 2 * ranges)?;
            }
            opcode::SLOT_IMPORT => return Err(Flaw::Corrupt("metadata of modules are not supported")),
            opcode::MODULE_AUX => return Err(Flaw::Module(input.length()?)),
            opcode::END => {
                let has_checksum = !matches!(self.version, Some(Version::Redis(..5)));
                self.stage = if has_checksum { Stage::Checksum } else { Stage::Done };
            }
            number => return self.entry(number, input, keyspace),
        }
        Ok(None)
    }

    /// Reads an entry; none comes if there is nothing in it, or nothing any more.
    fn entry<'b>(
        &mut self,
        number: u8,
        input: &mut Input<'b>,
        keyspace: &mut Keyspace,
    ) -> Result<Option<Arrival<'b>>, Flaw> {
        if number > form::HIGHEST {
            return Err(Flaw::Unknown(number));
        }
        let key = input.string()?;
        let mut content = match number {
            form::STRING => read::text(input)?,
            _ => Content::Value(read::value(input, number, self.version_number(), &keyspace.limits)?),
        };
        let Facts { deadline, idle } = core::mem::take(&mut self.next);
        let now_ms = keyspace.passed_ms();
        let is_past = deadline.is_some_and(|at| at <= now_ms);
        self.expires += (deadline.is_some() && (self.checks || !is_past)) as u64;
        if self.checks {
            (self.keys, self.expired) = (self.keys + 1, self.expired + is_past as u64);
            return Ok(None);
        }
        if let Content::Value(value) = &content
            && read::is_empty(value)
        {
            self.empty += 1;
            return Ok(None);
        }
        if is_past || !outlives(&mut content, now_ms) {
            self.expired += 1;
            // Whoever goes on from the moment of the file has it still.
            keyspace.effects.log_removal(self.db, &[b"DEL", &key]);
            return Ok(None);
        }
        Ok(Some(Arrival { db: self.db, key, content, deadline, idle }))
    }

    /// The version of the format, as payloads tell it.
    fn version_number(&self) -> u16 {
        match self.version {
            Some(Version::Redis(version)) => version,
            _ => VALKEY,
        }
    }
}

/// Removes the fields that have expired; whether something is left.
fn outlives(content: &mut Content<'_>, now_ms: u64) -> bool {
    let Content::Value(Value::Hash(hash)) = content else { return true };
    hash.remove_due(now_ms, usize::MAX, |_| ());
    !hash.is_empty()
}

/// The time that a file tells; none is before 1970 here.
fn deadline(millis: i64) -> u64 {
    millis.max(0) as u64
}

fn skip_lengths(input: &mut Input<'_>, count: usize) -> Result<(), Flaw> {
    (0..count).try_for_each(|_| input.length().map(|_| ()))
}

fn version(input: &mut Input<'_>) -> Result<Version, Flaw> {
    const UNKNOWN: Flaw = Flaw::Corrupt("this is no RDB file, or one of a version that is not supported");
    let magic: [u8; 9] = input.array()?;
    let (digits, is_valkey) = match (magic.strip_prefix(b"REDIS"), magic.strip_prefix(b"VALKEY")) {
        (Some(digits), _) => (digits, false),
        (_, Some(digits)) => (digits, true),
        _ => return Err(UNKNOWN),
    };
    let digits = digits.iter().try_fold(0, |n, digit| Some(10 * n + (*digit as char).to_digit(10)? as u16));
    match digits {
        Some(VALKEY) if is_valkey => Ok(Version::Valkey),
        Some(version) if reads(version) && version != VALKEY && !is_valkey => Ok(Version::Redis(version)),
        _ => Err(UNKNOWN),
    }
}
