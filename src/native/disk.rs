//! What files that have to last ask of a disk, so that tests can put one in its place that fails, tears writes and fills
//! up (`disk/testing.rs`). A disk is one directory; its files are called by their names.

#[cfg(test)]
pub mod testing;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A directory.
pub trait Disk {
    /// A file of it.
    type File: DiskFile;
    /// A new and empty file, in the place of what had its name.
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
    /// Names of files in it.
    fn names(&self) -> Vec<String>;
    /// Makes the directory if need be, and keeps others from using it.
    fn claim(&mut self) -> Result<(), String>;
    /// Gives the directory free for others.
    fn release(&mut self);
    /// Has a file of the directory that this one is in be in this one too, under the same name; false if there is none.
    fn bring_in(&mut self, name: &str) -> io::Result<bool>;
    /// Removes a file of the directory that this one is in.
    fn remove_outside(&mut self, name: &str) -> io::Result<()>;
}

/// A file that is written.
pub trait DiskFile: Send + 'static {
    /// Appends some of the bytes; returns how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Has all that was written be safe.
    fn sync(&mut self) -> io::Result<()>;
    /// The same, to be done by another thread while this one goes on to write.
    fn syncing(&self) -> io::Result<Box<dyn FnOnce() -> io::Result<()> + Send>>;
    /// Cuts off what is beyond an offset, and goes on there.
    fn cut(&mut self, len: u64) -> io::Result<()>;

    /// Appends all of the bytes.
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
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

    /// Makes the directory, and has its name be safe, unless it is there.
    fn make(&self) -> io::Result<()> {
        if self.path.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.path)?;
        let outer = self.path.parent().filter(|outer| !outer.as_os_str().is_empty());
        File::open(outer.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Where a file of it is.
    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Disk for Folder {
    type File = File;

    fn create(&mut self, name: &str) -> io::Result<File> {
        let path = self.path(name);
        // What is cut off may come back when the power goes; what is removed before has no name any more.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::create(path),
        }
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

    fn claim(&mut self) -> Result<(), String> {
        if self.lock.is_some() {
            return Ok(());
        }
        let path = self.path.display();
        self.make().map_err(|error| format!("Can't open or create append-only dir {path}: {error}"))?;
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

    fn release(&mut self) {
        self.lock = None;
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    fn bring_in(&mut self, name: &str) -> io::Result<bool> {
        let outside = self.path.with_file_name(name);
        if !outside.is_file() {
            return Ok(false);
        }
        let inside = self.path(name);
        fs::hard_link(&outside, &inside).or_else(|_| fs::rename(&outside, &inside)).map(|()| true)
    }

    fn remove_outside(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.with_file_name(name))
    }
}

impl DiskFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn syncing(&self) -> io::Result<Box<dyn FnOnce() -> io::Result<()> + Send>> {
        let file = self.try_clone()?;
        Ok(Box::new(move || file.sync_data()))
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.seek(SeekFrom::Start(len)).map(drop)
    }
}
