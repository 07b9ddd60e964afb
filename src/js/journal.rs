//! Everything that happens as the bytes of an append-only file: made for JavaScript, or run again from there. Where the
//! parts of the file are kept, and when their bytes are safe, is decided in pkg/src/persistence.ts.

use alloc::{format, string::String, vec::Vec};
use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use super::{Store, std, with};
use crate::{
    Engine, Purpose, Replay,
    persistence::{aof::Scanner, rdb::Loader},
};

/// JavaScript is told again when so many bytes more wait to be taken.
const TOLD_EVERY: usize = 1 << 20;

/// What the first bytes of a part show it to be.
const MAGIC: usize = 5;

std::thread_local! {
    static PART: RefCell<Part> = const { RefCell::new(Part::Beginning(Vec::new())) };
}

/// A part of an append-only file that is read.
enum Part {
    Beginning(Vec<u8>),
    Base(Loader, u64),
    Commands(Replay, Scanner, u64),
}

/// Keeps all that happens from now on in the journal, or keeps it no more.
#[wasm_bindgen]
pub fn keep_journal(is_on: bool) {
    with(|store| {
        store.engine.keep_journal(is_on);
        store.engine.journal().begin_anew();
        store.told.journal = if is_on { 1 } else { usize::MAX };
    });
}

/// How many bytes of the journal wait to be taken.
#[wasm_bindgen]
pub fn journal_len() -> usize {
    with(|store| store.engine.journal().len())
}

/// Makes the bytes that wait the reply; returns the position in the journal after them.
#[wasm_bindgen]
pub fn take_journal() -> f64 {
    with(|store| {
        store.take_back();
        store.reply = store.engine.journal().take();
        store.told.journal = if store.told.journal == usize::MAX { usize::MAX } else { 1 };
        store.engine.journal().position() as f64
    })
}

/// Hears up to which position the journal is safe, how many bytes the parts have, and how many they had after the last
/// rewrite. Returns what is wanted: 1 for a rewrite, and when to sync as twice 0 for every second, 1 for always, 2 for never.
#[wasm_bindgen]
pub fn journal_kept(position: f64, size: f64, base_size: f64) -> u32 {
    with(|store| {
        let Store { engine, .. } = store;
        let waiting = engine.journal().len();
        let it = engine.append_only();
        (it.size, it.base_size, it.waiting) = (size as u64, base_size as u64, waiting);
        engine.synced(position as u64);
        engine.rewrite_if_due();
        let policy = match engine.config().get("appendfsync").as_deref() {
            Some(b"always") => 1,
            Some(b"no") => 2,
            _ => 0,
        };
        policy << 1 | engine.wants_rewrite() as u32
    })
}

/// Begins a rewrite: what the store holds now is the base, and what is logged from now on follows it. The bytes that waited
/// have to be taken before.
#[wasm_bindgen]
pub fn begin_rewrite() {
    with(|store| {
        store.engine.journal().begin_anew();
        store.engine.begin_rewrite();
    });
}

/// Makes the next bytes of the base the reply; returns whether there are more.
#[wasm_bindgen]
pub fn rewrite_step() -> bool {
    with(|store| {
        store.take_back();
        let (bytes, more) = store.engine.snapshot_step();
        store.reply = bytes;
        more
    })
}

/// The base is kept, or could not be.
#[wasm_bindgen]
pub fn rewrite_ended(is_kept: bool, now_ms: f64) {
    let outcome = if is_kept { Ok(()) } else { Err(String::from("the storage failed")) };
    with(|store| store.engine.rewrite_ended(outcome, now_ms as u64));
}

/// Makes all that is stored, as a base, the reply.
#[wasm_bindgen]
pub fn whole_base() {
    with(|store| {
        store.take_back();
        store.engine.journal().begin_anew();
        store.reply = store.engine.whole_snapshot(Purpose::Base);
    });
}

/// Takes the next `len` bytes of a part from the scratch memory. Returns false when it makes no sense, and then the reply says
/// where.
#[wasm_bindgen]
pub fn load_part(len: usize, now_ms: f64) -> bool {
    with(|store| {
        store.take_back();
        let bytes = store.scratch.bytes.get(..len).unwrap_or_default();
        let outcome = PART.take().feed(&mut store.engine, bytes, now_ms as u64);
        store.reply = outcome.as_ref().err().map_or(Vec::new(), |reason| reason.as_bytes().to_vec());
        PART.set(outcome.unwrap_or_default());
        store.reply.is_empty()
    })
}

/// Ends a part. Returns up to where it is whole, or -1 when it is to its end; -2 when it ends within a base.
#[wasm_bindgen]
pub fn end_part() -> f64 {
    with(|store| match PART.take().end(&mut store.engine) {
        None => -2.0,
        Some(None) => -1.0,
        Some(Some(whole)) => whole as f64,
    })
}

impl Store {
    /// Whether enough is in the journal for JavaScript to be told.
    #[inline]
    pub(super) fn tells_of_journal(&mut self) -> bool {
        let len = self.engine.journal().len();
        let is_due = len >= self.told.journal;
        if is_due {
            self.told.journal = len + TOLD_EVERY;
        }
        is_due
    }
}

impl Default for Part {
    fn default() -> Self {
        Part::Beginning(Vec::new())
    }
}

impl Part {
    fn feed(self, engine: &mut Engine, bytes: &[u8], now_ms: u64) -> Result<Part, String> {
        match self {
            Part::Beginning(mut first) => {
                first.extend_from_slice(bytes);
                if first.len() < MAGIC {
                    return Ok(Part::Beginning(first));
                }
                Part::of(&first, engine, now_ms).feed(engine, &first, now_ms)
            }
            Part::Base(mut loader, len) => {
                let len = len + bytes.len() as u64;
                engine.load_base(&mut loader, Some(bytes), now_ms).map_err(|damage| format!("{damage}"))?;
                let Some(rest) = loader.take_rest() else { return Ok(Part::Base(loader, len)) };
                engine.load_base(&mut loader, None, now_ms).map_err(|damage| format!("{damage}"))?;
                let start = len - rest.len() as u64;
                let commands = Part::Commands(engine.begin_replay(now_ms), Scanner::default(), start);
                commands.feed(engine, &rest, now_ms)
            }
            Part::Commands(mut replay, mut scanner, start) => {
                if let Err(mut damage) = engine.replay(&mut replay, bytes, now_ms) {
                    engine.end_replay(replay);
                    damage.position += start;
                    return Err(format!("{damage}"));
                }
                scanner.feed(bytes)?;
                Ok(Part::Commands(replay, scanner, start))
            }
        }
    }

    fn of(first: &[u8], engine: &mut Engine, now_ms: u64) -> Part {
        if first.starts_with(b"REDIS") || first.starts_with(b"VALKE") {
            return Part::Base(engine.loader(), 0);
        }
        Part::Commands(engine.begin_replay(now_ms), Scanner::default(), 0)
    }

    fn end(self, engine: &mut Engine) -> Option<Option<u64>> {
        match self {
            Part::Beginning(first) => Some((!first.is_empty()).then_some(0)),
            Part::Base(..) => None,
            Part::Commands(replay, scanner, start) => {
                Some(engine.end_replay(replay).then(|| start + scanner.whole()))
            }
        }
    }
}
