//! The store as JavaScript drives it: one instance of the module is one store, and numbers are all that crosses.
//!
//! A request is written by JavaScript into [`Scratch`], one call runs it, and its reply is read where the call left it.
//! There is no logic here and no value of JavaScript: words, options and replies become values in pkg/src. An instance
//! of its own for every store gives all memory back when the store goes, and keeps a failure to that store.

extern crate std;

mod host;
mod journal;
mod snapshots;
mod stream;

use alloc::{string::String, vec, vec::Vec};
use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    ClientId, Config, Engine, Origin,
    commands::Flags,
    data::number::Digits,
    engine::{
        Quick,
        dispatch::{Known, Table},
    },
    resp::Version,
};

/// The command number of a request whose words begin with the name.
const BY_NAME: u32 = u32::MAX;

/// The answer to a quick request that is not one; odd when it comes with news.
const MISSING: i32 = -2;

/// The answer to a request that cannot be quick.
const DECLINED: i32 = -4;

/// Longer requests give their memory back once they ran.
const SCRATCH_KEPT: usize = 1 << 20;

/// Longer replies give their memory back once they are read.
const REPLY_KEPT: usize = 1 << 16;

std::thread_local! {
    static STORE: RefCell<Option<Store>> = const { RefCell::new(None) };
}

struct Store {
    engine: Engine,
    commands: Vec<Name>,
    scratch: Scratch,
    /// What the last call left for JavaScript to read: replies, and messages between them.
    reply: Vec<u8>,
    told: Told,
}

/// A command as a request that comes by number needs it.
struct Name {
    words: [&'static [u8]; 2],
    len: usize,
    /// Whether the time it takes can grow with the data; the clock is read only for these.
    is_timed: bool,
    /// Whether it leaves all deadlines as they are.
    is_readonly: bool,
}

/// Where JavaScript writes a request: the bytes of its words anywhere in `bytes`, and where each starts and ends in
/// `bounds`.
struct Scratch {
    bytes: Vec<u8>,
    bounds: Vec<u32>,
}

/// What JavaScript knows, so that it need not ask after every call.
struct Told {
    reply_at: usize,
    /// Never, if it is `u64::MAX`.
    deadline: u64,
    /// How many bytes the journal has to have for JavaScript to be told.
    journal: usize,
}

/// Makes the store. The seed decides what is left to chance.
#[wasm_bindgen]
pub fn open(seed_low: u32, seed_high: u32) {
    host::keep_last_words();
    let config = Config { host: host::host(), interpreter: crate::INTERPRETER, ..Config::default() };
    STORE.set(Some(Store {
        engine: Engine::new(config, (seed_high as u64) << 32 | seed_low as u64),
        commands: Name::all(),
        scratch: Scratch::default(),
        reply: Vec::with_capacity(4 << 10),
        told: Told { reply_at: 0, deadline: u64::MAX, journal: usize::MAX },
    }));
}

/// Which commands there are, as a number: JavaScript calls them by their places, and must know the same. It is FNV-1a of
/// the names as methods have them, a line each.
#[wasm_bindgen]
pub fn fingerprint() -> u32 {
    let table = Table::new();
    let names = table.all().flat_map(|known| table.spec(known).name.bytes().chain([b'\n']));
    names.fold(0x811c_9dc5, |hash: u32, byte| {
        let byte = if matches!(byte, b' ' | b'-' | b'.') { b'_' } else { byte.to_ascii_lowercase() };
        (hash ^ byte as u32).wrapping_mul(0x0100_0193)
    })
}

/// Adds a client that speaks RESP3; returns its number.
#[wasm_bindgen]
pub fn connect(now_ms: f64) -> u32 {
    with(|store| {
        let here = || String::from("in-process:0");
        let origin = Origin { addr: here(), laddr: here(), fd: -1 };
        let id = store.engine.connect(origin, now_ms as u64);
        store.engine.speak(id, Version::V3);
        id.0
    })
}

/// Adds a client that stands for another one while it waits; returns its number, or -1 when the other one may not wait.
#[wasm_bindgen]
pub fn connect_beside(client: u32, now_ms: f64) -> i32 {
    with(|store| store.engine.connect_beside(ClientId(client), now_ms as u64).map_or(-1, |id| id.0 as i32))
}

/// Forgets a client.
#[wasm_bindgen]
pub fn disconnect(client: u32) {
    with(|store| store.engine.disconnect(ClientId(client)));
}

/// Has room for `bytes` bytes and `words` words in a request; where both are written may change.
#[wasm_bindgen]
pub fn reserve(bytes: usize, words: usize) {
    with(|store| store.scratch.reserve(bytes, words));
}

/// Where the bytes of a request are written.
#[wasm_bindgen]
pub fn bytes_at() -> usize {
    with(|store| store.scratch.bytes.as_ptr().addr())
}

/// How many bytes fit there.
#[wasm_bindgen]
pub fn bytes_len() -> usize {
    with(|store| store.scratch.bytes.len())
}

/// Where the bounds of words are written: start and end of each, as 32-bit numbers.
#[wasm_bindgen]
pub fn bounds_at() -> usize {
    with(|store| store.scratch.bounds.as_ptr().addr())
}

/// How many words fit there.
#[wasm_bindgen]
pub fn bounds_len() -> usize {
    with(|store| store.scratch.bounds.len() / 2)
}

/// Runs the request of `words` words in the scratch memory. Returns twice the length of the reply; odd when something
/// else changed for JavaScript to ask for: where the reply is, a nearer deadline, clients that have messages.
#[wasm_bindgen]
pub fn call(client: u32, command: u32, words: usize, now_ms: f64) -> u32 {
    with(|store| store.call(ClientId(client), command, words, now_ms as u64))
}

/// GET of the one word in the scratch memory. Returns twice the length of the text, which is the reply as it is, or
/// [`MISSING`]; odd as that of [`call`] is. [`DECLINED`] says to call that instead.
#[wasm_bindgen]
pub fn quick_get(client: u32, now_ms: f64) -> i32 {
    with(|store| store.quick_get(ClientId(client), now_ms as u64))
}

/// SET of the two words in the scratch memory, for so many milliseconds if they are not 0. Returns 0, or 1 as [`call`]
/// has it odd; [`DECLINED`] says to call that instead.
#[wasm_bindgen]
pub fn quick_set(client: u32, lifetime_ms: f64, now_ms: f64) -> i32 {
    with(|store| store.quick_set(ClientId(client), lifetime_ms as u64, now_ms as u64))
}

/// Lets time pass; what follows from it is told as by [`call`].
#[wasm_bindgen]
pub fn tick(now_ms: f64) {
    with(|store| store.engine.tick(now_ms as u64));
}

/// When [`tick`] is to be called next, in milliseconds since 1970, or infinity.
#[wasm_bindgen]
pub fn next_deadline() -> f64 {
    with(|store| {
        let next = store.engine.next_deadline();
        store.told.deadline = next.unwrap_or(u64::MAX);
        next.map_or(f64::INFINITY, |at| at as f64)
    })
}

/// Where the reply is.
#[wasm_bindgen]
pub fn reply_at() -> usize {
    with(|store| {
        store.told.reply_at = store.reply.as_ptr().addr();
        store.told.reply_at
    })
}

/// How long it is, in bytes.
#[wasm_bindgen]
pub fn reply_len() -> usize {
    with(|store| store.reply.len())
}

/// Makes the messages of the next client that has any the reply, and returns the client; -1 when there is none. Requests of
/// it that waited for others run first.
#[wasm_bindgen]
pub fn next_ready(now_ms: f64) -> i32 {
    with(|store| {
        let Some(id) = store.engine.next_ready() else { return -1 };
        while store.engine.is_held(id) {
            store.engine.receive(id, b"", now_ms as u64);
        }
        store.reply = store.engine.output(id).map(core::mem::take).unwrap_or_default();
        id.0 as i32
    })
}

/// Whether a client's connection has ended.
#[wasm_bindgen]
pub fn is_closing(client: u32) -> bool {
    with(|store| store.engine.is_closing(ClientId(client)))
}

/// Makes the text of the failure that ended the instance the reply. It works when nothing else does any more.
#[wasm_bindgen]
pub fn last_words_at() -> usize {
    host::last_words(|text| text.as_ptr().addr())
}

/// How long that text is, in bytes.
#[wasm_bindgen]
pub fn last_words_len() -> usize {
    host::last_words(str::len)
}

fn with<T>(work: impl FnOnce(&mut Store) -> T) -> T {
    STORE.with_borrow_mut(|store| work(store.as_mut().expect("a store is opened first")))
}

impl Store {
    fn call(&mut self, id: ClientId, command: u32, words: usize, now_ms: u64) -> u32 {
        self.take_back();
        if let Some(out) = self.engine.output(id)
            && out.is_empty()
        {
            core::mem::swap(out, &mut self.reply);
        }
        let known = (command != BY_NAME).then(|| &self.commands[command as usize]);
        host::time_next(known.is_none_or(|name| name.is_timed));
        let is_readonly = known.is_some_and(|name| name.is_readonly);
        let name = known.map_or(&[][..], |name| &name.words[..name.len]);
        let known = known.map(|_| Known(command as u16));
        let Scratch { bytes, bounds } = &self.scratch;
        let bounds = bounds[..2 * words].chunks_exact(2);
        let words = bounds.map(|bound| bytes.get(bound[0] as usize..bound[1] as usize).unwrap_or_default());
        // Nearly every request is short, and needs no allocation.
        let mut few = [&[][..]; 16];
        let len = name.len() + words.len();
        if len <= few.len() {
            few[..name.len()].copy_from_slice(name);
            few[name.len()..].iter_mut().zip(words).for_each(|(slot, word)| *slot = word);
            self.engine.execute_known(id, known, &few[..len], now_ms);
        } else {
            let words: Vec<&[u8]> = name.iter().copied().chain(words).collect();
            self.engine.execute_known(id, known, &words, now_ms);
        }
        self.reply = self.engine.output(id).map(core::mem::take).unwrap_or_default();
        self.status(id, is_readonly)
    }

    fn quick_get(&mut self, id: ClientId, now_ms: u64) -> i32 {
        self.take_back();
        host::time_next(false);
        let text = match self.engine.quick_get(id, self.scratch.word(0), now_ms) {
            Quick::Declined => return DECLINED,
            Quick::Missing => None,
            Quick::Found(text) => {
                self.reply.extend_from_slice(text.as_bytes(&mut Digits::new()));
                Some(self.reply.len())
            }
        };
        let news = self.status(id, true) & 1;
        text.map_or(MISSING, |len| (len as i32) << 1) | news as i32
    }

    fn quick_set(&mut self, id: ClientId, lifetime_ms: u64, now_ms: u64) -> i32 {
        self.take_back();
        host::time_next(false);
        let [key, text] = [0, 1].map(|i| self.scratch.word(i));
        let lifetime_ms = (lifetime_ms > 0).then_some(lifetime_ms);
        if !self.engine.quick_set(id, key, text, lifetime_ms, now_ms) {
            return DECLINED;
        }
        (self.status(id, false) & 1) as i32
    }

    /// Forgets the reply that JavaScript has read.
    #[inline(always)]
    fn take_back(&mut self) {
        if self.reply.capacity() > REPLY_KEPT {
            self.reply = Vec::new();
        }
        self.reply.clear();
    }

    #[inline(always)]
    fn status(&mut self, id: ClientId, is_readonly: bool) -> u32 {
        let len = self.reply.len();
        let news = self.scratch.shrink()
            || self.tells_of_journal()
            || self.reply.as_ptr().addr() != self.told.reply_at
            || len >= 1 << 30
            || self.engine.has_ready()
            || self.engine.is_closing(id)
            || !is_readonly && self.engine.may_wake_before(self.told.deadline);
        (len as u32) << 1 | news as u32
    }
}

impl Name {
    fn all() -> Vec<Name> {
        let table = Table::new();
        let specs = table.all().map(|known| table.spec(known));
        specs
            .map(|spec| {
                let mut words = spec.name.split(' ').map(str::as_bytes);
                Name {
                    words: [words.next().unwrap_or_default(), words.next().unwrap_or_default()],
                    len: spec.name_words(),
                    is_readonly: spec.flags.has(Flags::READONLY) && !spec.flags.has(Flags::BLOCKING),
                    is_timed: !spec.flags.has(Flags::FAST) && spec.complexity != "O(1)",
                }
            })
            .collect()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch { bytes: vec![0; 16 << 10], bounds: vec![0; 2 << 10] }
    }
}

impl Scratch {
    /// A word of the request.
    #[inline(always)]
    fn word(&self, i: usize) -> &[u8] {
        self.bytes.get(self.bounds[2 * i] as usize..self.bounds[2 * i + 1] as usize).unwrap_or_default()
    }

    /// Makes room; what was written stays.
    fn reserve(&mut self, bytes: usize, words: usize) {
        if bytes > self.bytes.len() {
            self.bytes.resize(bytes.max(2 * self.bytes.len()), 0);
        }
        if 2 * words > self.bounds.len() {
            self.bounds.resize(4 * words, 0);
        }
    }

    /// Gives back what an uncommonly long request needed.
    fn shrink(&mut self) -> bool {
        let is_large = self.bytes.len().max(4 * self.bounds.len()) > SCRATCH_KEPT;
        if is_large {
            *self = Scratch::default();
        }
        is_large
    }
}
