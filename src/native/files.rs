//! Files: how many, and so how many clients, the operating system lets the server have open, and small ones that are read
//! and written whole; also files that take the place of others when they are whole.

use std::{fs, io, path::Path};

use keyside::NewFile;
use rlimit::{Resource, getrlimit, setrlimit};

use super::disk::{Disk, DiskFile, Folder};

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
    replacement(path).map(|file| Box::new(file) as Box<dyn NewFile>)
}

/// A file that takes the place of the one of this path when it is whole.
pub fn replacement(path: &str) -> Result<Replacement<Folder>, String> {
    let (path, folder) = (Path::new(path), Path::new(path).parent());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| format!("{} is not the name of a file", path.display()))?;
    Replacement::new(Folder::new(folder.into()), &name.to_string_lossy())
}

/// A file that is written from its beginning to its end, under a name of its own until it takes the place of another one.
pub struct Replacement<D: Disk> {
    file: D::File,
    place: Option<Place<D>>,
    /// After how many bytes each the disk is to have them, so that it has not all to do at the end.
    stride: Option<usize>,
    /// Bytes since the disk was last told to have all.
    unsynced: usize,
}

/// What a file is to replace.
struct Place<D: Disk> {
    disk: D,
    temporary: String,
    name: String,
    is_taken: bool,
}

impl<D: Disk> Replacement<D> {
    /// An empty file to replace another one.
    pub fn new(mut disk: D, name: &str) -> Result<Self, String> {
        let temporary = format!("{name}.tmp-{}", std::process::id());
        let file = disk.create(&temporary).map_err(|error| error.to_string())?;
        let place = Place { disk, temporary, name: name.into(), is_taken: false };
        Ok(Replacement { place: Some(place), ..Self::in_place(file) })
    }

    /// An empty file that stays where it is.
    pub fn in_place(file: D::File) -> Self {
        Replacement { file, place: None, stride: None, unsynced: 0 }
    }

    /// The same, but it is synced after so many bytes each.
    pub fn with_stride(mut self, stride: Option<usize>) -> Self {
        self.stride = stride;
        self
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.unsynced += bytes.len();
        if self.stride.is_some_and(|stride| self.unsynced >= stride) {
            self.unsynced = 0;
            self.file.sync()?;
        }
        Ok(())
    }

    fn replace(&mut self) -> io::Result<()> {
        self.file.sync()?;
        let Some(place) = &mut self.place else { return Ok(()) };
        place.disk.rename(&place.temporary, &place.name)?;
        place.is_taken = true;
        place.disk.sync()
    }
}

impl<D: Disk> NewFile for Replacement<D> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.append(bytes).map_err(|error| error.to_string())
    }

    fn commit(mut self: Box<Self>) -> Result<(), String> {
        self.replace().map_err(|error| error.to_string())
    }
}

impl<D: Disk> Drop for Place<D> {
    fn drop(&mut self) {
        if !self.is_taken {
            let _ = self.disk.remove(&self.temporary);
        }
    }
}
