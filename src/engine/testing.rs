//! An engine with one client, for unit tests that look at replies. Whole conversations belong into tests/commands.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{ClientId, Config, Engine, Origin};

/// A conversation with an empty engine.
pub struct Session {
    /// The engine.
    pub engine: Engine,
    /// The client.
    pub client: ClientId,
    now_ms: u64,
}

impl Session {
    /// A client that speaks RESP2, at a fixed time.
    pub fn new() -> Session {
        let mut engine = Engine::new(Config::default(), 7);
        let client =
            engine.connect(Origin { addr: "127.0.0.1:5".to_string(), ..Origin::default() }, 1_000_000);
        Session { engine, client, now_ms: 1_000_000 }
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.engine.tick(self.now_ms);
    }

    /// Sends words, which blanks separate; returns the bytes of the reply as text.
    pub fn ask(&mut self, words: &str) -> String {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        self.engine.execute(self.client, &words, self.now_ms);
        let out = core::mem::take(self.engine.output(self.client).expect("the client is connected"));
        String::from_utf8_lossy(&out).into_owned()
    }
}
