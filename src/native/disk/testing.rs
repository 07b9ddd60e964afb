//! A disk in memory that goes wrong when it is told to: at a step of its work it fails, is full, or loses its power. Only
//! for tests.
//!
//! What was not synced when the power goes is lost from some point on, which may lie within a write. What a sync that failed
//! should have made safe may be lost for ever, as it is on systems that forget what they could not write.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    mem,
    sync::{Arc, Mutex, MutexGuard},
};

use super::{Disk, DiskFile};

/// How a disk goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing works, but part of what is written may be.
    Failing,
    /// There is no room for another byte.
    Full,
    /// Its power goes, and it is silent from then on.
    Off,
    /// The process ends, and is silent from then on.
    Killed,
}

/// A disk. Copies are the same disk.
#[derive(Clone)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

/// A file of such a disk.
pub struct SimulatedFile {
    disk: SimulatedDisk,
    number: usize,
}

struct State {
    files: Vec<Content>,
    /// The files by their names: as everybody sees them, and as they would be found without power.
    names: BTreeMap<String, usize>,
    safe_names: BTreeMap<String, usize>,
    /// What makes the one of the other.
    renaming: Vec<Naming>,
    steps: u64,
    fault: Option<(Fault, u64, u64)>,
    chance: u64,
}

/// A change of names.
enum Naming {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

/// What is in a file: as everybody sees it, and as it would be found without power.
#[derive(Default)]
struct Content {
    seen: Vec<u8>,
    safe: Vec<u8>,
    /// What makes the one of the other.
    changes: Vec<Change>,
}

enum Change {
    Write(Vec<u8>),
    /// Bytes that will never be where they should.
    Lose(usize),
    Cut(usize),
}

impl SimulatedDisk {
    /// An empty disk whose accidents follow from a seed.
    pub fn new(seed: u64) -> SimulatedDisk {
        SimulatedDisk(Arc::new(Mutex::new(State {
            files: Vec::new(),
            names: BTreeMap::new(),
            safe_names: BTreeMap::new(),
            renaming: Vec::new(),
            steps: 0,
            fault: None,
            chance: seed,
        })))
    }

    /// How many steps there were.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Has it go wrong at a step, for some steps.
    pub fn plan(&self, fault: Fault, at: u64, steps: u64) {
        self.state().fault = Some((fault, at, at.saturating_add(steps)));
    }

    /// Has nothing go wrong any more.
    pub fn heal(&self) {
        self.state().fault = None;
    }

    /// Whether nobody can do anything with it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state().wrong(), Some(Fault::Off | Fault::Killed))
    }

    /// Begins anew with what can be found.
    pub fn restart(&self) {
        let mut state = self.state();
        if state.wrong() != Some(Fault::Killed) {
            state.lose_power();
        }
        state.fault = None;
    }

    /// What is in a file, if there is one.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(name).map(|&number| state.files[number].seen.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn change_names(&self, naming: Naming) -> io::Result<()> {
        let mut state = self.state();
        state.step(&[Fault::Failing])?;
        naming.apply(&mut state.names)?;
        state.renaming.push(naming);
        Ok(())
    }

    fn file(&self, number: usize) -> SimulatedFile {
        SimulatedFile { disk: self.clone(), number }
    }
}

impl State {
    fn below(&mut self, bound: usize) -> usize {
        self.chance = self.chance.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.chance >> 33) as usize % bound
    }

    /// What is wrong at this step.
    fn wrong(&self) -> Option<Fault> {
        let (fault, from, to) = self.fault?;
        let is_over = matches!(fault, Fault::Off | Fault::Killed);
        (self.steps >= from && (is_over || self.steps < to)).then_some(fault)
    }

    /// Does a step that such faults prevent.
    fn step(&mut self, preventing: &[Fault]) -> io::Result<()> {
        self.steps += 1;
        match self.wrong() {
            Some(Fault::Full) if preventing.contains(&Fault::Full) => Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Full) | None => Ok(()),
            Some(fault) => Err(io::Error::other(format!("{fault:?}"))),
        }
    }

    fn lose_power(&mut self) {
        for number in 0..self.files.len() {
            let changes = mem::take(&mut self.files[number].changes);
            let kept = self.below(changes.len() + 1);
            for (index, change) in changes.into_iter().enumerate() {
                match change {
                    Change::Write(bytes) if index == kept => {
                        let torn = self.below(bytes.len() + 1);
                        self.files[number].safe.extend_from_slice(&bytes[..torn]);
                    }
                    change if index < kept => change.apply(&mut self.files[number].safe),
                    _ => {}
                }
            }
            let content = &mut self.files[number];
            content.seen = content.safe.clone();
        }
        let renaming = mem::take(&mut self.renaming);
        let kept = self.below(renaming.len() + 1);
        for naming in &renaming[..kept] {
            naming.apply(&mut self.safe_names).expect("it was possible before");
        }
        self.names = self.safe_names.clone();
    }
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) -> io::Result<()> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        match self {
            Naming::Create(name, number) => drop(names.insert(name.clone(), *number)),
            Naming::Rename(from, to) => {
                let number = names.remove(from).ok_or_else(missing)?;
                names.insert(to.clone(), number);
            }
            Naming::Remove(name) => drop(names.remove(name).ok_or_else(missing)?),
        }
        Ok(())
    }
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write(more) => bytes.extend(more),
            Change::Lose(len) => bytes.resize(bytes.len() + len, 0),
            Change::Cut(len) => bytes.resize(len, 0),
        }
    }
}

impl Disk for SimulatedDisk {
    type File = SimulatedFile;

    fn create(&mut self, name: &str) -> io::Result<SimulatedFile> {
        let number = {
            let mut state = self.state();
            state.files.push(Content::default());
            state.files.len() - 1
        };
        self.change_names(Naming::Create(name.into(), number))?;
        Ok(self.file(number))
    }

    fn reopen(&mut self, name: &str, len: u64) -> io::Result<SimulatedFile> {
        let number = self.state().names.get(name).copied();
        let Some(number) = number else { return self.create(name) };
        let mut file = self.file(number);
        file.cut(len)?;
        Ok(file)
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        self.state().step(&[Fault::Failing])?;
        let bytes = self.bytes(name).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.change_names(Naming::Rename(from.into(), to.into()))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.change_names(Naming::Remove(name.into()))
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.step(&[Fault::Failing])?;
        state.renaming.clear();
        state.safe_names = state.names.clone();
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    fn claim(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn release(&mut self) {}

    fn bring_in(&mut self, _: &str) -> io::Result<bool> {
        Ok(false)
    }

    fn remove_outside(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for SimulatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let outcome = state.step(&[Fault::Failing, Fault::Full]);
        let written = if outcome.is_err() { state.below(bytes.len() + 1) } else { bytes.len() };
        let is_silent = state.wrong() == Some(Fault::Killed);
        if written > 0 && !is_silent {
            let content = &mut state.files[self.number];
            content.seen.extend_from_slice(&bytes[..written]);
            content.changes.push(Change::Write(bytes[..written].to_vec()));
        }
        match outcome {
            // A disk that is full takes what it can before it says so.
            Err(error) if error.kind() == io::ErrorKind::StorageFull && written > 0 => Ok(written),
            outcome => outcome.map(|()| written),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let outcome = state.step(&[Fault::Failing]);
        if outcome.is_ok() {
            let content = &mut state.files[self.number];
            let changes = mem::take(&mut content.changes);
            changes.into_iter().for_each(|change| change.apply(&mut content.safe));
        } else if state.wrong() == Some(Fault::Failing) {
            for index in 0..state.files[self.number].changes.len() {
                let is_lost = state.below(2) == 0;
                let change = &mut state.files[self.number].changes[index];
                if let Change::Write(bytes) = change
                    && is_lost
                {
                    *change = Change::Lose(bytes.len());
                }
            }
        }
        outcome
    }

    fn syncing(&self) -> io::Result<Box<dyn FnOnce() -> io::Result<()> + Send>> {
        let mut file = self.disk.file(self.number);
        Ok(Box::new(move || file.sync()))
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.step(&[Fault::Failing])?;
        let content = &mut state.files[self.number];
        if content.seen.len() != len as usize {
            content.seen.resize(len as usize, 0);
            content.changes.push(Change::Cut(len as usize));
        }
        Ok(())
    }
}
