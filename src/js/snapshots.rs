//! All that is stored as one RDB file: its bytes are made for JavaScript, or come from there. Where they are kept is not known
//! here.

use alloc::{string::ToString, vec::Vec};
use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use super::{std, with};
use crate::persistence::rdb::Loader;

std::thread_local! {
    static LOADER: RefCell<Option<Loader>> = const { RefCell::new(None) };
}

/// Makes a file of all that is stored the reply; returns false while another one is being made.
#[wasm_bindgen]
pub fn snapshot(now_ms: f64) -> bool {
    with(|store| {
        store.take_back();
        if store.engine.is_saving() {
            return false;
        }
        store.engine.tick(now_ms as u64);
        store.reply = store.engine.snapshot();
        true
    })
}

/// Takes the next `len` bytes of a file from the scratch memory; with none, the file is over. Returns false when it is damaged,
/// and then the reply says where.
#[wasm_bindgen]
pub fn load(len: usize, now_ms: f64) -> bool {
    with(|store| {
        store.take_back();
        let bytes = store.scratch.bytes.get(..len).filter(|bytes| !bytes.is_empty());
        let mut loader = LOADER.take().unwrap_or_else(|| store.engine.loader());
        let outcome = store.engine.load(&mut loader, bytes, now_ms as u64);
        let is_over = bytes.is_none() || outcome.is_err();
        LOADER.set((!is_over).then_some(loader));
        store.reply = outcome.as_ref().err().map_or(Vec::new(), |damage| damage.to_string().into_bytes());
        outcome.is_ok()
    })
}
