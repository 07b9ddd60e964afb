//! The engine as a target: no socket, and a clock that goes only when it is told to.

use std::time::Duration;

use keyside::{ClientId, Config, Engine, Files, NewFile, Origin};

use super::target::{Received, Target, decode};

pub struct InProcess {
    engine: Engine,
    now_ms: u64,
}

pub struct InProcessClient {
    id: ClientId,
    received: Vec<u8>,
}

impl InProcess {
    pub fn new() -> InProcess {
        let mut config = Config { interpreter: keyside::INTERPRETER, ..Config::default() };
        // Enough that there may be too little.
        config.host.allocated = || 1 << 20;
        let none = |_: &str| Err("there is no such file".into());
        config.host.files =
            Some(Files { read: none, write: |_, _| Ok(()), create: |_| Ok(Box::new(Nowhere)) });
        InProcess { engine: Engine::new(config, 7), now_ms: 1_700_000_000_000 }
    }
}

/// A file that is never read again.
struct Nowhere;

impl NewFile for Nowhere {
    fn write(&mut self, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), String> {
        Ok(())
    }
}

impl Target for InProcess {
    type Client = InProcessClient;

    fn connect(&mut self) -> InProcessClient {
        let origin = Origin { addr: "127.0.0.1:50000".into(), laddr: "127.0.0.1:6379".into(), fd: 8 };
        InProcessClient { id: self.engine.connect(origin, self.now_ms), received: Vec::new() }
    }

    fn disconnect(&mut self, client: InProcessClient) {
        self.engine.disconnect(client.id);
    }

    fn send_bytes(&mut self, client: &mut InProcessClient, bytes: &[u8]) {
        // Each exchange takes a moment, as it would over a socket.
        self.now_ms += 1;
        self.engine.receive(client.id, bytes, self.now_ms);
        if self.engine.is_saving() {
            while self.engine.snapshot_step().1 {}
            self.engine.snapshot_ended(Ok(()), self.now_ms);
        }
    }

    fn read(&mut self, client: &mut InProcessClient, _: Duration) -> Received {
        if let Some(output) = self.engine.output(client.id) {
            client.received.append(output);
        }
        // Requests that waited for another client.
        if self.engine.is_held(client.id) {
            self.engine.receive(client.id, b"", self.now_ms);
            client.received.append(self.engine.output(client.id).expect("connected"));
        }
        if let Some((value, length)) = decode(&client.received) {
            client.received.drain(..length);
            return Received::Value(value);
        }
        if self.engine.is_closing(client.id) { Received::Closed } else { Received::Silence }
    }

    fn advance(&mut self, milliseconds: u64) {
        self.now_ms += milliseconds;
        while self.engine.next_deadline().is_some_and(|due| due <= self.now_ms) {
            self.engine.tick(self.now_ms);
        }
    }
}
