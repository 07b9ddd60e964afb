//! Files: how many, and so how many clients, the operating system lets the server have open, and small ones that are read
//! and written whole.

use std::{fs, io::Write, path::Path};

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
    let temporary = format!("{path}.tmp-{}", std::process::id());
    let replace = || {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        let dir = Path::new(path).parent().filter(|dir| !dir.as_os_str().is_empty());
        fs::File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
    };
    let outcome = replace();
    if outcome.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    outcome.map_err(|error| error.to_string())
}
