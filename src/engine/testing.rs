//! A store with a few clients, for tests that speak to it in lines. Only for tests; whole conversations belong into
//! tests/commands.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::mem;

use super::{ClientId, Config, Engine, Origin};
use crate::resp::{Version, Writer};

/// An engine and its time.
pub struct Session {
    pub engine: Engine,
    pub now_ms: u64,
    /// The client of [`Session::ask`], once there is one.
    asking: Option<ClientId>,
}

impl Session {
    /// An empty store with a journal, in which it is early in 1970.
    pub fn new() -> Session {
        Session::with(Config::default())
    }

    /// The same, configured.
    pub fn with(config: Config) -> Session {
        Session::seeded(config, 42)
    }

    /// The same, unlike others.
    pub fn seeded(config: Config, seed: u64) -> Session {
        let engine = Engine::new(Config { journal: true, ..config }, seed);
        Session { engine, now_ms: 1_000_000, asking: None }
    }

    /// A new client.
    pub fn connect(&mut self) -> ClientId {
        let addr = format!("127.0.0.1:{}", 5001 + self.engine.clients.len());
        let origin = Origin { addr, laddr: "127.0.0.1:6379".to_string(), fd: 8 };
        self.engine.connect(origin, self.now_ms)
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.engine.tick(self.now_ms);
    }

    /// Sends inline requests, and returns all that came back.
    pub fn run(&mut self, client: ClientId, lines: &str) -> Vec<u8> {
        let lines = format!("{lines}\r\n");
        self.engine.receive(client, lines.as_bytes(), self.now_ms);
        self.output(client)
    }

    /// What a client was sent since the last time.
    pub fn output(&mut self, client: ClientId) -> Vec<u8> {
        self.engine.output(client).map(mem::take).unwrap_or_default()
    }

    /// The replies of one and the same client, as text.
    pub fn ask(&mut self, lines: &str) -> String {
        let client = match self.asking {
            Some(client) => client,
            None => self.connect(),
        };
        self.asking = Some(client);
        String::from_utf8_lossy(&self.run(client, lines)).into_owned()
    }

    /// The replies of a client that comes for this alone, as text.
    pub fn ask_once(&mut self, lines: &str) -> String {
        let client = self.connect();
        let replies = self.run(client, lines);
        self.engine.disconnect(client);
        String::from_utf8_lossy(&replies).into_owned()
    }

    /// The words of each command logged since the last time, joined by spaces.
    pub fn logged(&mut self) -> Vec<String> {
        let bytes = self.engine.journal.take();
        let text = String::from_utf8(bytes).expect("journals of these tests are text");
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
