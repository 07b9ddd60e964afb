//! A store with a few clients, for tests that speak to it in lines. Only for tests.

use alloc::{string::ToString, vec::Vec};
use core::mem;

use super::{ClientId, Config, Engine, Origin};
use crate::resp::{Version, Writer};

/// An engine and its time.
pub struct Session {
    pub engine: Engine,
    pub now_ms: u64,
}

impl Session {
    /// An empty store with a journal, in which it is early in 1970.
    pub fn new() -> Session {
        Session::with(Config::default())
    }

    /// The same, configured.
    pub fn with(config: Config) -> Session {
        let engine = Engine::new(Config { journal: true, ..config }, 42);
        Session { engine, now_ms: 1_000_000 }
    }

    /// A new client.
    pub fn connect(&mut self) -> ClientId {
        let addr = alloc::format!("127.0.0.1:{}", 5001 + self.engine.clients.len());
        let origin = Origin { addr, laddr: "127.0.0.1:6379".to_string(), fd: 8 };
        self.engine.connect(origin, self.now_ms)
    }

    /// Sends inline requests, and returns all that came back.
    pub fn run(&mut self, client: ClientId, lines: &str) -> Vec<u8> {
        let lines = alloc::format!("{lines}\n");
        self.engine.receive(client, lines.as_bytes(), self.now_ms);
        self.output(client)
    }

    /// What a client was sent since the last time.
    pub fn output(&mut self, client: ClientId) -> Vec<u8> {
        self.engine.output(client).map(mem::take).unwrap_or_default()
    }

    /// The replies of a client of its own, as text.
    pub fn ask(&mut self, lines: &str) -> alloc::string::String {
        let client = self.connect();
        let reply = self.run(client, lines);
        self.engine.disconnect(client);
        alloc::string::String::from_utf8(reply).expect("replies of these tests are text")
    }

    /// The words of each command logged since the last time, joined by spaces.
    pub fn logged(&mut self) -> Vec<alloc::string::String> {
        let bytes = self.engine.journal.take();
        let text = alloc::string::String::from_utf8(bytes).expect("journals of these tests are text");
        let commands = text.split('*').skip(1);
        commands.map(|it| it.split("\r\n").skip(2).step_by(2).collect::<Vec<_>>().join(" ")).collect()
    }
}

/// An array of strings as RESP2 writes it.
pub fn bytes(words: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, Version::V2);
    writer.array(words.len());
    words.iter().for_each(|word| writer.bulk(word.as_bytes()));
    out
}
