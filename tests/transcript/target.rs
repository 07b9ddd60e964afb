//! What can answer a transcript: a `Target`, and the one that is a server behind a socket.
//!
//! The RESP decoder here is the tests' own, so that the crate's writer has an independent witness. It trusts the server
//! to be well-formed enough to make a test fail cleanly, no more.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::notation::{ListKind, MapKind, Value};

/// A Redis with some clients. All clients of one target share its keyspace and its time.
pub trait Target {
    type Client;

    /// Opens a connection that speaks RESP2 until it says otherwise.
    fn connect(&mut self) -> Self::Client;

    /// Hangs up.
    fn disconnect(&mut self, client: Self::Client);

    /// Sends bytes as they are.
    fn send_bytes(&mut self, client: &mut Self::Client, bytes: &[u8]);

    /// Sends one request.
    fn send(&mut self, client: &mut Self::Client, words: &[Vec<u8>]) {
        self.send_bytes(client, &encode(words));
    }

    /// Waits for the next reply or message. Targets that answer at once need no patience.
    fn read(&mut self, client: &mut Self::Client, patience: Duration) -> Received;

    /// Lets time pass.
    fn advance(&mut self, milliseconds: u64);
}

#[derive(Debug)]
pub enum Received {
    Value(Value),
    Silence,
    Closed,
}

/// The words as RESP puts them on the wire.
pub fn encode(words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).into_bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    bytes
}

/// A server at an address.
pub struct Tcp {
    pub address: SocketAddr,
}

pub struct TcpClient {
    stream: TcpStream,
    received: Vec<u8>,
    closed: bool,
}

impl Target for Tcp {
    type Client = TcpClient;

    fn connect(&mut self) -> TcpClient {
        let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(2));
        let stream = stream.unwrap_or_else(|error| panic!("cannot connect to {}: {error}", self.address));
        stream.set_nodelay(true).expect("a connected socket takes options");
        stream.set_write_timeout(Some(Duration::from_secs(2))).expect("a connected socket takes options");
        TcpClient { stream, received: Vec::new(), closed: false }
    }

    fn disconnect(&mut self, client: TcpClient) {
        drop(client);
    }

    fn send_bytes(&mut self, client: &mut TcpClient, bytes: &[u8]) {
        // A server may hang up before it has read everything; the reader then reports it.
        if client.stream.write_all(bytes).is_err() {
            client.closed = client.received.is_empty();
        }
    }

    fn read(&mut self, client: &mut TcpClient, patience: Duration) -> Received {
        let deadline = Instant::now() + patience;
        loop {
            if let Some((value, length)) = decode(&client.received) {
                client.received.drain(..length);
                return Received::Value(value);
            }
            if client.closed {
                return Received::Closed;
            }
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_micros(1));
            client.stream.set_read_timeout(Some(left)).expect("a connected socket takes options");
            let mut chunk = [0; 16 * 1024];
            match client.stream.read(&mut chunk) {
                Ok(0) => client.closed = true,
                Ok(length) => client.received.extend(&chunk[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Received::Silence;
                }
                Err(_) => client.closed = true,
            }
        }
    }

    fn advance(&mut self, milliseconds: u64) {
        sleep(Duration::from_millis(milliseconds));
    }
}

/// Reads one value from the start of `bytes`; none when it is not complete yet.
pub fn decode(bytes: &[u8]) -> Option<(Value, usize)> {
    let mut decoder = Decoder { bytes, at: 0 };
    let value = decoder.value()?;
    Some((value, decoder.at))
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Decoder<'_> {
    fn value(&mut self) -> Option<Value> {
        let kind = *self.bytes.get(self.at)?;
        self.at += 1;
        let line = self.line()?;
        let text = String::from_utf8_lossy(&line).into_owned();
        let length = || text.parse::<i64>().unwrap_or_else(|_| panic!("not a length: {text:?}"));
        Some(match kind {
            b'+' => Value::Simple(line),
            b'-' => Value::Error(line),
            b':' => Value::Integer(length()),
            b'_' => Value::Null,
            b'$' if length() < 0 => Value::Null,
            b'$' => Value::Bulk(self.bulk(length())?),
            b'!' => Value::Error(self.bulk(length())?),
            b'=' => {
                let text = self.bulk(length())?;
                Value::Verbatim(text[..3].to_vec(), text[4..].to_vec())
            }
            b'*' if length() < 0 => Value::NullArray,
            b'*' => Value::List(ListKind::Array, self.values(length())?),
            b'~' => Value::List(ListKind::Set, self.values(length())?),
            b'>' => Value::List(ListKind::Push, self.values(length())?),
            b'%' => Value::Map(MapKind::Map, self.pairs(length())?),
            b'|' => Value::Map(MapKind::Attribute, self.pairs(length())?),
            b',' => Value::Double(text.parse().unwrap_or_else(|_| panic!("not a double: {text:?}"))),
            b'#' => Value::Boolean(text == "t"),
            b'(' => Value::BigNumber(line),
            other => panic!("not RESP: {:?} {text:?}", other as char),
        })
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let rest = &self.bytes[self.at..];
        let length = rest.windows(2).position(|pair| pair == b"\r\n")?;
        self.at += length + 2;
        Some(rest[..length].to_vec())
    }

    fn bulk(&mut self, length: i64) -> Option<Vec<u8>> {
        let end = self.at + length as usize;
        let text = self.bytes.get(self.at..end)?.to_vec();
        assert!(self.bytes.get(end..end + 2)? == b"\r\n", "a bulk string ends in CRLF");
        self.at = end + 2;
        Some(text)
    }

    fn values(&mut self, length: i64) -> Option<Vec<Value>> {
        (0..length).map(|_| self.value()).collect()
    }

    fn pairs(&mut self, length: i64) -> Option<Vec<(Value, Value)>> {
        (0..length).map(|_| Some((self.value()?, self.value()?))).collect()
    }
}
