//! Files: how many, and so how many clients, the operating system lets the server have open, and small ones that are read
//! and written whole; also files that take the place of others when they are whole.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use keyside::NewFile;
use rlimit::{Resource, getrlimit, setrlimit};

/// Files that the server needs open beside its clients.
const RESERVED: u64 = 32;

/// Makes room for so many clients, or as many as are allowed; returns for how many there is room.
pub fn make_room(clients: usize) -> usize {
    let wanted = clients as u64 + RESERVED;
    let Ok((soft, hard)) = getrlimit(Resource::NOFILE) else { return clients };
    if soft >= wanted {
        return clients;
    }
    // Only root may raise the hard limit; everybody may go up to it.
    let raised = [(wanted, hard.max(wanted)), (hard, hard)]
        .into_iter()
        .find(|&(soft, hard)| setrlimit(Resource::NOFILE, soft, hard).is_ok())
        .map_or(soft, |(soft, _)| soft);
    raised.saturating_sub(RESERVED).clamp(1, clients as u64) as usize
}

/// What is in a file.
pub fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| error.to_string())
}

/// Puts bytes into a file, in the place of what it held: all of them are on the disk before the old ones go.
pub fn write(path: &str, bytes: &[u8]) -> Result<(), String> {
    let mut file = create(path)?;
    file.write(bytes)?;
    file.commit()
}

/// Begins a file that takes the place of another one when it is whole.
pub fn create(path: &str) -> Result<Box<dyn NewFile>, String> {
    Replacement::new(path).map(|file| Box::new(file) as Box<dyn NewFile>)
}

/// A file under a name of its own, until it takes the place of another one.
pub struct Replacement {
    file: fs::File,
    temporary: String,
    path: String,
    is_done: bool,
}

impl Replacement {
    /// An empty file to replace the one of a path.
    pub fn new(path: &str) -> Result<Replacement, String> {
        let temporary = format!("{path}.tmp-{}", std::process::id());
        let file = fs::File::create(&temporary).map_err(|error| error.to_string())?;
        Ok(Replacement { file, temporary, path: path.to_string(), is_done: false })
    }

    /// An empty file that stays where it is.
    pub fn in_place(path: &str) -> Result<Replacement, String> {
        let file = fs::File::create(path).map_err(|error| error.to_string())?;
        Ok(Replacement { file, temporary: path.to_string(), path: String::new(), is_done: false })
    }

    fn replace(&self) -> io::Result<()> {
        self.file.sync_all()?;
        if self.path.is_empty() {
            return Ok(());
        }
        fs::rename(&self.temporary, &self.path)?;
        let dir = Path::new(&self.path).parent().filter(|dir| !dir.as_os_str().is_empty());
        fs::File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl NewFile for Replacement {
    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.file.write_all(bytes).map_err(|error| error.to_string())
    }

    fn commit(mut self: Box<Self>) -> Result<(), String> {
        self.replace().map_err(|error| error.to_string())?;
        self.is_done = true;
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_done {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
