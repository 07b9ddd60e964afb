//! The file that snapshots are kept in: read when the server starts, written while it runs and when it ends. What is in it
//! the engine knows; writing it goes on beside the requests, on a thread that only writes.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
    rc::Rc,
    thread,
    time::Instant,
};

use keyside::{Engine, NewFile, Purpose};
use tokio::sync::{
    mpsc::{self, Receiver},
    oneshot,
};

use super::{
    disk::Folder,
    files::{Replacement, replacement},
    log::Log,
    shell::Shell,
    time::now_ms,
};

/// Bytes read at once.
const READ: usize = 1 << 20;
/// Bytes after which the disk is to have them, where it is not to have all to do at the end.
const STRIDE: usize = 4 << 20;
/// Pieces that may wait for the disk.
const WAITING: usize = 4;

/// What goes to the thread that writes.
enum Piece {
    Bytes(Vec<u8>),
    /// There are no more, and the file is to take its place.
    End,
}

/// Fills the store with what is in the file, if there is one.
pub fn load(engine: &mut Engine, log: &Log) -> Result<(), String> {
    let name = engine.snapshot_file();
    let mut file = match File::open(Path::new(&name)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(format!("Fatal error: can't open the RDB file {name} for reading: {error}"));
        }
    };
    let (started, mut loader, mut buffer) = (Instant::now(), engine.loader(), vec![0; READ]);
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(|error| format!("Fatal error: can't read the RDB file {name}: {error}"))?;
        let bytes = (read > 0).then(|| &buffer[..read]);
        engine.load(&mut loader, bytes, now_ms()).map_err(|damage| {
            format!("Fatal error loading the DB, the RDB file {name} is damaged: {damage}")
        })?;
        if bytes.is_none() {
            break;
        }
    }
    engine.recall(&loader);
    let fact = |name: &[u8]| loader.fact(name).map(|value| String::from_utf8_lossy(value).into_owned());
    if let Some(version) = fact(b"redis-ver").or_else(|| fact(b"valkey-ver")) {
        log.notice(format_args!("Loading RDB produced by version {version}"));
    }
    if let Some(created_s) = fact(b"ctime").and_then(|seconds| seconds.parse::<u64>().ok()) {
        log.notice(format_args!("RDB age {} seconds", (now_ms() / 1000).saturating_sub(created_s)));
    }
    if loader.empty > 0 {
        log.notice(format_args!("Collections with nothing in them were left out: {}.", loader.empty));
    }
    log.notice(format_args!(
        "Done loading RDB, keys loaded: {}, keys expired: {}.",
        loader.keys, loader.expired
    ));
    log.notice(format_args!("DB loaded from disk: {:.3} seconds", started.elapsed().as_secs_f64()));
    Ok(())
}

impl Shell {
    /// Writes the snapshots that the engine begins, for as long as the server runs.
    pub async fn keep_snapshots(self: Rc<Self>) {
        loop {
            self.saves.notified().await;
            let purpose = self.state.borrow().engine.snapshot_purpose();
            if let (Some(Purpose::Base), Some(base)) = (purpose, self.take_rewriting()) {
                if let Some(outcome) = self.write_file(base, "aof-rewrite-incremental-fsync").await {
                    self.rewrite_written(outcome);
                }
            } else if purpose == Some(Purpose::File)
                && let Some(outcome) = self.write_snapshot().await
            {
                self.state.borrow_mut().engine.snapshot_ended(outcome.map(drop), now_ms());
            }
        }
    }

    async fn write_snapshot(&self) -> Option<Result<u64, String>> {
        let name = self.state.borrow().engine.snapshot_file();
        match replacement(&name) {
            Ok(file) => self.write_file(file, "rdb-save-incremental-fsync").await,
            Err(reason) => Some(Err(reason)),
        }
    }

    /// Writes the snapshot into a file, which is synced piece by piece if the directive says so; returns how many bytes it
    /// has, and nothing at all if the engine has given the snapshot up.
    async fn write_file(&self, file: Replacement<Folder>, directive: &str) -> Option<Result<u64, String>> {
        let (number, is_gradual) = {
            let engine = &self.state.borrow().engine;
            (engine.snapshot_number(), engine.config().get(directive).as_deref() == Some(b"yes"))
        };
        let (file, mut len) = (file.with_stride(is_gradual.then_some(STRIDE)), 0);
        let (pieces, received) = mpsc::channel(WAITING);
        let (tell, told) = oneshot::channel();
        let writing = move || tell.send(write(file, received));
        if let Err(error) = thread::Builder::new().name("snapshot".into()).spawn(writing) {
            return Some(Err(error.to_string()));
        }
        loop {
            if self.state.borrow().engine.snapshot_number() != number {
                return None;
            }
            let (bytes, more) = self.state.borrow_mut().engine.snapshot_step();
            len += bytes.len() as u64;
            // Whoever takes no more has met an error, and tells it.
            if pieces.send(Piece::Bytes(bytes)).await.is_err() {
                break;
            }
            if !more {
                let _ = pieces.send(Piece::End).await;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(pieces);
        let written = told.await.unwrap_or_else(|_| Err("the thread that writes it has ended".into()));
        let is_wanted = self.state.borrow().engine.snapshot_number() == number;
        is_wanted.then(|| written.map(|()| len))
    }
}

/// Writes what comes, on a thread of its own.
fn write(file: Replacement<Folder>, mut pieces: Receiver<Piece>) -> Result<(), String> {
    let mut file = Box::new(file);
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Bytes(bytes) => file.write(&bytes)?,
            Piece::End => return file.commit(),
        }
    }
    Err("it was given up".into())
}
