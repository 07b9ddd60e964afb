//! A client that sends bytes as over a socket, cut anywhere: what programs that speak the protocol themselves are put on.
//! It differs from others only in how its requests arrive; its replies and messages are read like theirs.

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;

use super::{Store, with};
use crate::{ClientId, Origin};

/// Adds a client that speaks RESP2 until it says HELLO; returns its number. The two words in the scratch memory are the
/// address it has and the one it reached, as CLIENT LIST shows them.
#[wasm_bindgen]
pub fn connect_stream(now_ms: f64) -> u32 {
    with(|store| {
        let [addr, laddr] = [0, 1].map(|i| String::from_utf8_lossy(store.scratch.word(i)).into_owned());
        store.engine.connect(Origin { addr, laddr, fd: -1 }, now_ms as u64).0
    })
}

/// Takes the first `len` bytes of the scratch memory. What is to be sent back is told as by `call`.
#[wasm_bindgen]
pub fn receive(client: u32, len: usize, now_ms: f64) -> u32 {
    with(|store| store.receive(ClientId(client), len, now_ms as u64))
}

impl Store {
    fn receive(&mut self, id: ClientId, len: usize, now_ms: u64) -> u32 {
        self.take_back();
        super::host::time_next(true);
        let bytes = self.scratch.bytes.get(..len).unwrap_or_default();
        self.engine.receive(id, bytes, now_ms);
        while self.engine.is_held(id) {
            self.take_output(id);
            self.engine.receive(id, b"", now_ms);
        }
        self.take_output(id);
        self.status(id, false)
    }

    fn take_output(&mut self, id: ClientId) {
        if let Some(out) = self.engine.output(id) {
            self.reply.append(out);
        }
    }
}
