//! What the append-only file asks of a disk, so that tests can put one in its place that fails, tears writes and fills up.
//! A disk is one directory; its files are called by their names.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

/// A directory.
pub trait Disk {
    /// A file of it.
    type File: DiskFile;
    /// An empty file, in the place of what had its name.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;
    /// A file to be written from this offset on; what it held beyond is cut off.
    fn reopen(&mut self, name: &str, len: u64) -> io::Result<Self::File>;
    /// A file to be read.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read>>;
    /// Gives a file another name, in the place of what had that.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// Has the names of files be safe.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is written.
pub trait DiskFile {
    /// Appends some of the bytes; returns how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Has all that was written be safe.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts off what is beyond an offset, and goes on there.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

/// A directory of the operating system.
pub struct Folder {
    path: PathBuf,
    /// Held for as long as the directory is somebody's.
    lock: Option<File>,
}

impl Folder {
    /// A directory that is made when it is needed.
    pub fn new(path: PathBuf) -> Folder {
        Folder { path, lock: None }
    }

    /// Makes the directory if need be, and keeps others from using it.
    pub fn claim(&mut self) -> Result<(), String> {
        if self.lock.is_some() {
            return Ok(());
        }
        let path = self.path.display();
        fs::create_dir_all(&self.path)
            .map_err(|error| format!("Can't open or create append-only dir {path}: {error}"))?;
        let lock =
            File::open(&self.path).map_err(|error| format!("Can't open append-only dir {path}: {error}"))?;
        match lock.try_lock() {
            Ok(()) => self.lock = Some(lock),
            Err(TryLockError::WouldBlock) => {
                return Err(format!("The directory {path} is in use by another server"));
            }
            // Not every file system has locks.
            Err(TryLockError::Error(_)) => {}
        }
        Ok(())
    }

    /// Gives the directory free for others.
    pub fn release(&mut self) {
        self.lock = None;
    }

    /// Names of files in it.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// Where it is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Disk for Folder {
    type File = File;

    fn create(&mut self, name: &str) -> io::Result<File> {
        File::create(self.path(name))
    }

    fn reopen(&mut self, name: &str, len: u64) -> io::Result<File> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path(name))?;
        DiskFile::cut(&mut file, len)?;
        Ok(file)
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(self.path(name))?))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl DiskFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.seek(SeekFrom::Start(len)).map(drop)
    }
}
