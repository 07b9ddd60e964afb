//! The two that are asked: a `redis-server` behind a socket, and keyside in process. Both get the same bytes, many requests
//! at a time, and the clock of keyside is set to that of the machine.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use keyside::{ClientId, Config, Engine, Origin, resp::reply_len};

/// Both, with a client each for RESP2 and RESP3.
pub struct Sides {
    redis: [TcpStream; 2],
    engine: Engine,
    clients: [ClientId; 2],
}

/// What both said to one request.
pub struct Replies {
    pub redis: Vec<u8>,
    pub keyside: Vec<u8>,
}

impl Replies {
    /// Leaves only what EXEC brought when that is one reply on both sides.
    pub fn unwrap_exec(&mut self) {
        const ONE: &[u8] = b"*1\r\n";
        if self.redis.starts_with(ONE) && self.keyside.starts_with(ONE) {
            self.redis.drain(..ONE.len());
            self.keyside.drain(..ONE.len());
        }
    }
}

impl Sides {
    pub fn connect(redis: SocketAddr, seed: u64) -> Sides {
        let mut engine = Engine::new(Config::default(), seed);
        let clients = [(), ()].map(|()| engine.connect(Origin::default(), now_ms()));
        let redis = [(), ()].map(|()| {
            let stream = TcpStream::connect(redis).expect("the redis-server is there");
            stream.set_nodelay(true).expect("a connected socket takes options");
            let patience = Some(Duration::from_secs(20));
            stream.set_read_timeout(patience).expect("a connected socket takes options");
            stream
        });
        let mut sides = Sides { redis, engine, clients };
        for (client, version) in [2, 3].into_iter().enumerate() {
            sides.ask(client, &[words(&format!("HELLO {version}"))]);
        }
        sides
    }

    /// Has both answer the same requests.
    pub fn ask(&mut self, client: usize, requests: &[Vec<Vec<u8>>]) -> Vec<Replies> {
        let mut bytes = Vec::new();
        requests.iter().for_each(|words| encode(words, &mut bytes));
        self.redis[client].write_all(&bytes).expect("the redis-server listens");
        let keyside = self.ask_keyside(client, &bytes);
        let redis = self.read_redis(client, requests.len());
        assert_eq!(keyside.len(), requests.len(), "keyside answers each request once");
        redis.into_iter().zip(keyside).map(|(redis, keyside)| Replies { redis, keyside }).collect()
    }

    /// Has only keyside answer a request.
    pub fn tell_keyside(&mut self, client: usize, words: &[Vec<u8>]) {
        let mut bytes = Vec::new();
        encode(words, &mut bytes);
        self.ask_keyside(client, &bytes);
    }

    fn ask_keyside(&mut self, client: usize, bytes: &[u8]) -> Vec<Vec<u8>> {
        let now_ms = now_ms();
        self.engine.tick(now_ms);
        self.engine.receive(self.clients[client], bytes, now_ms);
        let out = self.engine.output(self.clients[client]).expect("connected");
        let mut rest = &std::mem::take(out)[..];
        let mut replies = Vec::new();
        while let Some(length) = reply_len(rest) {
            replies.push(rest[..length].to_vec());
            rest = &rest[length..];
        }
        assert!(rest.is_empty(), "not a reply: {}", rest.escape_ascii());
        replies
    }

    fn read_redis(&mut self, client: usize, count: usize) -> Vec<Vec<u8>> {
        let (mut received, mut at, mut replies) = (Vec::new(), 0, Vec::new());
        let mut chunk = vec![0; 1 << 18];
        while replies.len() < count {
            let length = self.redis[client].read(&mut chunk).expect("the redis-server answers in time");
            assert!(length > 0, "the redis-server hung up");
            received.extend_from_slice(&chunk[..length]);
            while let Some(length) = reply_len(&received[at..]) {
                replies.push(received[at..at + length].to_vec());
                at += length;
            }
        }
        replies
    }
}

/// The words of a line.
pub fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

fn encode(words: &[Vec<u8>], out: &mut Vec<u8>) {
    out.extend(format!("*{}\r\n", words.len()).bytes());
    for word in words {
        out.extend(format!("${}\r\n", word.len()).bytes());
        out.extend_from_slice(word);
        out.extend(b"\r\n");
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis() as u64
}
