//! The append-only file on a disk: parts named by a manifest, appended to, synced, and replaced by shorter ones, in an order
//! in which a crash at any step leaves a prefix of what was logged. When to do which is decided elsewhere (`journal.rs`).

use std::io::{self, Read};

use keyside::{
    Engine,
    persistence::aof::{Manifest, Part, Role, Scanner},
};

use super::disk::{Disk, DiskFile};

/// Bytes read at once.
const READ: usize = 1 << 20;

/// An append-only file.
pub struct AppendLog<D: Disk> {
    pub disk: D,
    /// What the names of all files begin with.
    prefix: String,
    /// The parts, as the disk has them.
    manifest: Manifest,
    /// Whether the names of files may not be safe yet.
    names_pending: bool,
    /// The part that is appended to.
    file: Option<Open<D::File>>,
    /// Bytes to be written.
    pending: Vec<u8>,
    /// Positions in the journal: of what is taken, and of what is safe.
    taken: u64,
    synced: u64,
    /// Grows with every file that is begun.
    epoch: u64,
    /// Whether what is not safe is kept, to be written again when it could not be synced.
    keeps: bool,
    unsynced: Vec<u8>,
    /// Bytes in the parts but for the one that is appended to.
    rest: u64,
    rewrite: Option<Rewrite>,
    /// The second of the last time written into the log.
    second: u64,
}

/// Up to where a sync makes safe what was written.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    epoch: u64,
    /// Bytes of the file.
    len: u64,
    /// The position in the journal.
    position: u64,
}

/// A part that is appended to.
struct Open<F> {
    file: F,
    part: Part,
    /// How many bytes it has, and how many of them are safe.
    len: u64,
    safe: u64,
    /// Whether the manifest names it. Before, it follows a base that is being written.
    is_named: bool,
    /// Whether there may be more in it than `len`, or something else.
    is_doubtful: bool,
}

/// A base in the making.
struct Rewrite {
    base: Part,
    /// The first increment that it does not hold.
    first: u64,
}

impl<D: Disk> AppendLog<D> {
    /// The file whose parts have names that begin so.
    pub fn new(disk: D, prefix: String) -> Self {
        AppendLog {
            disk,
            prefix,
            manifest: Manifest::default(),
            names_pending: false,
            file: None,
            pending: Vec::new(),
            taken: 0,
            synced: 0,
            epoch: 0,
            keeps: false,
            unsynced: Vec::new(),
            rest: 0,
            rewrite: None,
            second: 0,
        }
    }

    /// Whether it is appended to.
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Whether what is appended would be read again: not before there is a base for it.
    pub fn is_in_force(&self) -> bool {
        self.file.as_ref().is_some_and(|open| open.is_named)
    }

    /// The position in the journal up to which all is safe.
    pub fn synced(&self) -> u64 {
        self.synced
    }

    /// Bytes that are not written yet.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Whether there is something to be synced.
    pub fn is_behind(&self) -> bool {
        self.file.as_ref().is_some_and(|open| open.safe < open.len) || self.names_pending
    }

    /// Bytes in all parts.
    pub fn size(&self) -> u64 {
        self.rest + self.file.as_ref().map_or(0, |open| open.len)
    }

    /// Keeps what is not safe, or does not.
    pub fn keep_unsynced(&mut self, keeps: bool) {
        self.keeps = keeps && (self.keeps || self.file.as_ref().is_none_or(|open| open.safe == open.len));
        if !self.keeps {
            self.unsynced = Vec::new();
        }
    }

    /// Reads the manifest; whether there is one.
    pub fn find(&mut self) -> Result<bool, String> {
        let name = self.manifest_name();
        let mut text = Vec::new();
        match self.disk.read(&name).and_then(|mut file| file.read_to_end(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                return Err(format!("Fatal error: can't open the AOF manifest file {name}: {error}"));
            }
        }
        self.manifest = Manifest::parse(&text)
            .map_err(|reason| format!("Invalid AOF manifest file format: {name}: {reason}"))?;
        // Who wrote it may have been killed before its name was safe.
        self.names_pending = true;
        Ok(true)
    }

    /// Adopts a file that lies among the parts already as the base.
    pub fn adopt(&mut self, name: &str) -> Result<(), String> {
        let base = Part { name: name.into(), sequence: 1, role: Role::Base };
        self.write_manifest(Manifest::default().with(base)).map_err(|error| error.to_string())
    }

    /// Fills the store with what the parts hold. A short end of the last one is cut off if that is allowed. What is worth
    /// telling comes back.
    pub fn load(&mut self, engine: &mut Engine, may_cut: bool, now_ms: u64) -> Result<Vec<String>, String> {
        let parts: Vec<Part> = self.manifest.living().cloned().collect();
        let (mut notes, mut total) = (Vec::new(), 0);
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            let len = load_part(&self.disk, part, engine, now_ms)
                .and_then(|(len, start, is_short)| match (is_short, is_last && may_cut) {
                    (false, _) => Ok(len),
                    (true, true) => {
                        let whole = self.whole(&part.name, start).map_err(|error| error.to_string())?;
                        self.disk.reopen(&part.name, whole).and_then(|mut file| file.sync()).map_err(|error| {
                            format!("Error truncating the AOF file {}: {error}", part.name)
                        })?;
                        notes.push(format!("!!! Warning: short read while loading the AOF file {}!!!", part.name));
                        notes.push(format!("AOF {} loaded anyway because aof-load-truncated is enabled: {} bytes are cut off", part.name, len - whole));
                        Ok(whole)
                    }
                    (true, false) => Err(format!(
                        "Unexpected end of file reading the append only file {}. You can: 1) Make a backup of your AOF file, then use keyside-server check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.",
                        part.name
                    )),
                })?;
            total += len;
            notes.push(format!(
                "DB loaded from {} file {}",
                if part.role == Role::Base { "base" } else { "incr" },
                part.name
            ));
        }
        self.rest = total;
        Ok(notes)
    }

    /// Up to where a part is whole.
    fn whole(&self, name: &str, start: u64) -> io::Result<u64> {
        let mut file = self.disk.read(name)?;
        io::copy(&mut file.by_ref().take(start), &mut io::sink())?;
        let (mut scanner, mut buffer) = (Scanner::default(), vec![0; READ]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(start + scanner.whole()),
                read if scanner.feed(&buffer[..read]).is_err() => return Ok(start + scanner.whole()),
                _ => {}
            }
        }
    }

    /// Goes on with the last increment, or begins the first. With `base`, all that is stored is that.
    pub fn start(&mut self, base: Option<Vec<u8>>, form: &str) -> io::Result<()> {
        let mut manifest = self.manifest.clone();
        if let Some(bytes) = base {
            let base = self.next_part(Role::Base, form);
            let mut file = self.disk.create(&base.name)?;
            file.write_all(&bytes)?;
            file.sync()?;
            self.rest = bytes.len() as u64;
            manifest = manifest.rebased(base, u64::MAX).without_history();
        }
        let last = manifest.parts.iter().rfind(|part| part.role == Role::Increment).cloned();
        let part = last.clone().unwrap_or_else(|| self.next_part(Role::Increment, "aof"));
        let (file, len) = if last.is_some() {
            let len = self.len(&part.name)?;
            (self.disk.reopen(&part.name, len)?, len)
        } else {
            manifest = manifest.with(part.clone());
            (self.disk.create(&part.name)?, 0)
        };
        if manifest != self.manifest {
            self.write_manifest(manifest)?;
        }
        self.rest -= len.min(self.rest);
        self.file = Some(Open { file, part, len, safe: len, is_named: true, is_doubtful: false });
        Ok(())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        io::copy(&mut self.disk.read(name)?, &mut io::sink())
    }

    /// Takes bytes that end at a position of the journal.
    pub fn append(&mut self, bytes: &[u8], position: u64, second: Option<u64>) {
        self.taken = position;
        // The base that a first part follows holds all that came before.
        if self.file.is_none() {
            return;
        }
        if let Some(second) = second.filter(|&second| second != self.second) {
            self.second = second;
            self.pending.extend(format!("#TS:{second}\r\n").into_bytes());
        }
        self.pending.extend_from_slice(bytes);
    }

    /// Writes what was taken. What could not be written is tried again the next time.
    pub fn write(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.file else { return Ok(()) };
        if open.is_doubtful {
            open.file.cut(open.len)?;
            open.is_doubtful = false;
        }
        let mut at = 0;
        let outcome = loop {
            if at == self.pending.len() {
                break Ok(());
            }
            match open.file.write(&self.pending[at..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => at += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        open.len += at as u64;
        open.is_doubtful = outcome.is_err();
        if self.keeps {
            self.unsynced.extend_from_slice(&self.pending[..at]);
        }
        if at == self.pending.len() {
            self.pending.clear();
            self.pending.shrink_to(READ);
        } else {
            self.pending.drain(..at);
        }
        outcome
    }

    /// The file to be synced, and what that makes safe.
    pub fn unsynced_file(&mut self) -> Option<(&mut D::File, Mark)> {
        let is_written = self.pending.is_empty();
        let position = if is_written { self.taken } else { self.synced };
        let epoch = self.epoch;
        self.file.as_mut().map(|open| (&mut open.file, Mark { epoch, len: open.len, position }))
    }

    /// All up to a mark is safe now, or is not.
    pub fn sync_ended(&mut self, outcome: io::Result<()>, mark: Mark) -> io::Result<()> {
        // It was another file: that was synced when this one began.
        if mark.epoch != self.epoch {
            return Ok(());
        }
        if let Err(error) = outcome {
            self.distrust();
            return Err(error);
        }
        self.sync_names()?;
        let Some(open) = &mut self.file else { return Ok(()) };
        if self.keeps && mark.len > open.safe {
            self.unsynced.drain(..(mark.len - open.safe) as usize);
        }
        open.safe = open.safe.max(mark.len);
        if open.is_named {
            self.synced = self.synced.max(mark.position);
        }
        Ok(())
    }

    /// The file could not be synced, and nobody knows what the disk has of it. What was kept is written again. If nothing was,
    /// only a base can bring back what is missing.
    fn distrust(&mut self) {
        let Some(mut open) = self.file.take() else { return };
        self.epoch += 1;
        if self.keeps {
            (open.len, open.is_doubtful) = (open.safe, true);
            let mut again = std::mem::take(&mut self.unsynced);
            again.append(&mut self.pending);
            self.pending = again;
            self.file = Some(open);
        } else {
            let _ = open.file.cut(open.safe);
            self.rest += open.safe;
            self.pending.clear();
            self.forget(&open);
        }
    }

    /// A part that is appended to no more is no part if no base was ever written for it.
    fn forget(&mut self, open: &Open<D::File>) {
        if !open.is_named {
            let _ = self.disk.remove(&open.part.name);
        }
    }

    /// Writes and syncs all that was taken.
    pub fn settle(&mut self) -> io::Result<()> {
        self.write()?;
        let Some((file, mark)) = self.unsynced_file() else { return Ok(()) };
        let outcome = file.sync();
        self.sync_ended(outcome, mark)
    }

    /// Ends appending. What is there stays.
    pub fn close(&mut self) {
        self.abandon_rewrite();
        if let Some(open) = self.file.take() {
            self.rest += open.len;
            self.forget(&open);
        }
        self.pending.clear();
        self.unsynced.clear();
    }

    /// Begins a rewrite: what is appended from now on follows the base that is to be written into the file that is returned.
    /// When nothing is appended, and nothing is to be (`appends`), the base will stand alone.
    pub fn begin_rewrite(&mut self, appends: bool, form: &str) -> io::Result<D::File> {
        self.abandon_rewrite();
        let mut first = u64::MAX;
        if appends {
            self.settle()?;
            first = self.next_increment()?;
        }
        let base = self.next_part(Role::Base, form);
        let file = self.disk.create(&temporary(&base))?;
        self.rewrite = Some(Rewrite { base, first });
        Ok(file)
    }

    /// Has an increment follow the one that is appended to, and returns its number.
    fn next_increment(&mut self) -> io::Result<u64> {
        let mut part = self.next_part(Role::Increment, "aof");
        if let Some(open) = &self.file
            && part.sequence <= open.part.sequence
        {
            part = self.part(Role::Increment, open.part.sequence + 1, "aof");
        }
        let file = self.disk.create(&part.name)?;
        let sequence = part.sequence;
        let is_named = self.file.as_ref().is_some_and(|open| open.is_named);
        if is_named {
            self.write_manifest(self.manifest.with(part.clone()))?;
        }
        let open = Open { file, part, len: 0, safe: 0, is_named, is_doubtful: false };
        self.epoch += 1;
        if let Some(old) = self.file.replace(open) {
            self.rest += old.len;
            self.forget(&old);
        }
        self.second = 0;
        Ok(sequence)
    }

    /// The base is written under its other name, and safe: it takes the place of what it holds.
    pub fn finish_rewrite(&mut self, len: u64) -> io::Result<()> {
        let Some(Rewrite { base, first }) = self.rewrite.take() else {
            return Err(io::Error::other("it was given up"));
        };
        self.disk.rename(&temporary(&base), &base.name)?;
        let name = base.name.clone();
        let mut manifest = self.manifest.rebased(base, first);
        if let Some(open) = self.file.as_ref().filter(|open| !open.is_named) {
            manifest = manifest.with(open.part.clone());
        }
        if let Err(error) = self.write_manifest(manifest) {
            let _ = self.disk.remove(&name);
            return Err(error);
        }
        if let Some(open) = &mut self.file {
            // Only the next sync tells that all in it is safe, its name included.
            self.names_pending |= !open.is_named;
            open.is_named = true;
        }
        self.rest = len;
        self.remove_history();
        Ok(())
    }

    /// Gives up a rewrite. The increment that it began stays.
    pub fn abandon_rewrite(&mut self) {
        if let Some(rewrite) = self.rewrite.take() {
            let _ = self.disk.remove(&temporary(&rewrite.base));
        }
    }

    /// Removes what is no part any more, if no crash can make it one again.
    fn remove_history(&mut self) {
        let history = self.manifest.parts.iter().filter(|part| part.role == Role::History);
        let names: Vec<String> = history.map(|part| part.name.clone()).collect();
        if !names.is_empty() && self.sync_names().is_ok() {
            names.iter().for_each(|name| drop(self.disk.remove(name)));
            let _ = self.write_manifest(self.manifest.without_history());
        }
    }

    fn sync_names(&mut self) -> io::Result<()> {
        if self.names_pending {
            self.disk.sync()?;
            self.names_pending = false;
        }
        Ok(())
    }

    /// Has the disk name these parts. Once it does, they are the parts, whether that is safe already or not.
    fn write_manifest(&mut self, manifest: Manifest) -> io::Result<()> {
        let name = self.manifest_name();
        let temporary = format!("temp-{name}");
        let mut file = self.disk.create(&temporary)?;
        file.write_all(&manifest.to_bytes())?;
        file.sync()?;
        self.disk.rename(&temporary, &name)?;
        self.manifest = manifest;
        self.names_pending = true;
        let _ = self.sync_names();
        Ok(())
    }

    fn manifest_name(&self) -> String {
        format!("{}.manifest", self.prefix)
    }

    fn next_part(&self, role: Role, form: &str) -> Part {
        self.part(role, self.manifest.next_sequence(role), form)
    }

    fn part(&self, role: Role, sequence: u64, form: &str) -> Part {
        let kind = if role == Role::Base { "base" } else { "incr" };
        Part { name: format!("{}.{sequence}.{kind}.{form}", self.prefix), sequence, role }
    }
}

/// The name of a base while it is being written.
fn temporary(base: &Part) -> String {
    format!("temp-{}", base.name)
}

/// Whether a file that begins so is a snapshot.
pub fn is_snapshot(start: &[u8]) -> bool {
    start.starts_with(b"REDIS") || start.starts_with(b"VALKE")
}

/// Fills the store with what a part holds: how long it is, where its commands begin, and whether it ends too early.
fn load_part(
    disk: &impl Disk,
    part: &Part,
    engine: &mut Engine,
    now_ms: u64,
) -> Result<(u64, u64, bool), String> {
    let name = &part.name;
    let unreadable =
        |error: io::Error| format!("Fatal error: can't open the append log file {name} for reading: {error}");
    let mut file = disk.read(name).map_err(unreadable)?;
    let mut buffer = vec![0; READ];
    let mut filled = 0;
    // The first bytes tell what it is.
    while filled < 5 {
        match file.read(&mut buffer[filled..]).map_err(unreadable)? {
            0 => break,
            read => filled += read,
        }
    }
    let mut len = filled as u64;
    let rest;
    let mut bytes = &buffer[..filled];
    if is_snapshot(bytes) {
        let mut loader = engine.loader();
        loop {
            engine.load_base(&mut loader, Some(bytes), now_ms).map_err(|damage| {
                format!("Error reading the RDB preamble of the AOF file {name}: {damage}")
            })?;
            if let Some(more) = loader.take_rest() {
                break rest = more;
            }
            let read = file.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                return Err(format!(
                    "Error reading the RDB preamble of the AOF file {name}: it ends too early at byte {len}"
                ));
            }
            len += read as u64;
            bytes = &buffer[..read];
        }
        let _ = engine.load_base(&mut loader, None, now_ms);
        bytes = &rest;
    }
    let start = len - bytes.len() as u64;
    let mut replay = engine.begin_replay(now_ms);
    loop {
        if let Err(mut damage) = engine.replay(&mut replay, bytes, now_ms) {
            damage.position += start;
            engine.end_replay(replay);
            return Err(format!(
                "Bad file format reading the append only file {name}: {damage}. Make a backup of your AOF file, then use keyside-server check-aof --fix <filename>"
            ));
        }
        let read = file.read(&mut buffer).map_err(unreadable)?;
        if read == 0 {
            return Ok((len, start, engine.end_replay(replay)));
        }
        len += read as u64;
        bytes = &buffer[..read];
    }
}
