//! Libraries of functions: which there are, and which functions are in them. What a function does is the interpreter's
//! affair, and how it is called that of `engine/functions.rs`.

use alloc::vec::Vec;
use core::mem;

use super::interpreter::Registered;
use crate::{Error, Result, data::containers::ordered::OrderedMap};

/// A library.
pub struct Library {
    /// Its name.
    pub name: Vec<u8>,
    /// Its source, with the first line.
    pub source: Vec<u8>,
    /// Its functions.
    pub functions: Vec<Registered>,
}

/// Libraries by name. No two functions of different libraries have the same name.
#[derive(Default)]
pub struct Libraries {
    libraries: OrderedMap<Vec<u8>, Library>,
    /// The library of each function, by its name in lower case.
    homes: OrderedMap<Vec<u8>, Vec<u8>>,
}

impl Libraries {
    /// How many there are.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.libraries.len()
    }

    /// How many functions are in them.
    pub fn functions(&self) -> usize {
        self.iter().map(|library| library.functions.len()).sum()
    }

    /// Every library, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Library> {
        self.libraries.values()
    }

    /// Whether there is a library of that name.
    fn contains(&self, name: &[u8]) -> bool {
        self.libraries.contains_key(name)
    }

    /// An error if there is a library of that name.
    pub fn lacks(&self, name: &[u8]) -> Result<()> {
        match self.contains(name) {
            true => Err(Error::quoting("ERR Library '", name, "' already exists")),
            false => Ok(()),
        }
    }

    /// The function of that name, in any letter case.
    pub fn function(&self, name: &[u8]) -> Option<&Registered> {
        let home = self.homes.get(&name.to_ascii_lowercase())?;
        let mut functions = self.libraries.get(home)?.functions.iter();
        functions.find(|function| function.name.eq_ignore_ascii_case(name))
    }

    /// Whether a library may be added, in the place of one of the same name if there is one.
    pub fn admits(&self, library: &Library) -> Result<()> {
        self.admits_beside(library, |home| home == library.name)
    }

    /// Whether several libraries may be added, in the place of those of the same names if `replaces` says so.
    pub fn admits_all(&self, others: &Libraries, replaces: bool) -> Result<()> {
        if !replaces && let Some(taken) = others.iter().find(|library| self.contains(&library.name)) {
            return Err(Error::quoting("ERR Library ", &taken.name, " already exists"));
        }
        others.iter().try_for_each(|library| self.admits_beside(library, |home| others.contains(home)))
    }

    /// Whether no function has the name of one that is there, in a library that does not go.
    fn admits_beside(&self, library: &Library, goes: impl Fn(&[u8]) -> bool) -> Result<()> {
        let is_taken = |function: &&Registered| {
            let home = self.homes.get(&function.name.to_ascii_lowercase());
            home.is_some_and(|home| !goes(home))
        };
        match library.functions.iter().find(is_taken) {
            Some(function) => Err(Error::quoting("ERR Function ", &function.name, " already exists")),
            None => Ok(()),
        }
    }

    /// Adds a library that is admitted; returns the one whose place it takes.
    pub fn insert(&mut self, library: Library) -> Option<Library> {
        let old = self.remove(&library.name);
        for function in &library.functions {
            self.homes.insert(function.name.to_ascii_lowercase(), library.name.clone());
        }
        self.libraries.insert(library.name.clone(), library);
        old
    }

    /// Takes a library away.
    pub fn remove(&mut self, name: &[u8]) -> Option<Library> {
        let library = self.libraries.remove(name)?;
        self.homes.retain(|_, home| *home != name);
        Some(library)
    }

    /// Takes all libraries away.
    pub fn take_all(&mut self) -> impl Iterator<Item = Library> + use<> {
        mem::take(self).libraries.into_iter().map(|(_, library)| library)
    }
}
