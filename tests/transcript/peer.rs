//! Servers to put transcripts to: given by their address, or a `redis-server` and a `keyside-server` started for the
//! occasion.
//!
//! A started server lives as long as its `Peer`, keeps nothing on disk and listens on loopback only.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub struct Peer {
    pub kind: Kind,
    pub address: SocketAddr,
    /// Dropped with the peer, one way or the other.
    _hold: Hold,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Redis,
    Keyside,
}

enum Hold {
    /// A given server has one keyspace: one transcript at a time.
    Turn(#[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>),
    Started(#[expect(dead_code, reason = "held, not read")] Started),
}

struct Started {
    server: Child,
    directory: PathBuf,
}

/// The server of this crate, when it is built along with the tests.
const KEYSIDE_SERVER: Option<&str> =
    if cfg!(feature = "native") { option_env!("CARGO_BIN_EXE_keyside-server") } else { None };

impl Peer {
    /// The Redis that knows what is right: the one `ORACLE` names, else one started here, else none; but tests that run
    /// for others (`CI=true`) may not do without it.
    pub fn oracle() -> Option<Peer> {
        static TURN: Mutex<()> = Mutex::new(());
        let (address, hold) = match env::var("ORACLE") {
            Ok(address) => (resolve(&address), take_turn(&TURN)),
            Err(_) => return Peer::new_oracle(&[]),
        };
        Some(Peer { kind: Kind::Redis, address, _hold: hold })
    }

    /// A Redis started here with more options, if there is one; tests that run for others may not do without it.
    pub fn new_oracle(options: &[&str]) -> Option<Peer> {
        let (address, hold) = match start("redis-server", &[&["--loglevel", "warning"], options].concat()) {
            None if env::var_os("CI").is_some_and(|it| it == "true") => panic!("there is no redis-server"),
            started => started?,
        };
        Some(Peer { kind: Kind::Redis, address, _hold: hold })
    }

    /// A keyside server started here with more options, if it is built.
    pub fn new_keyside(options: &[&str]) -> Option<Peer> {
        let (address, hold) = start(KEYSIDE_SERVER?, options)?;
        Some(Peer { kind: Kind::Keyside, address, _hold: hold })
    }

    /// The keyside server that `KEYSIDE` names, else one started here if it is built, else none.
    pub fn keyside() -> Option<Peer> {
        static TURN: Mutex<()> = Mutex::new(());
        let (address, hold) = match env::var("KEYSIDE") {
            Ok(address) => (resolve(&address), take_turn(&TURN)),
            Err(_) => return Peer::new_keyside(&[]),
        };
        Some(Peer { kind: Kind::Keyside, address, _hold: hold })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Nothing is left to save a server that is already gone.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn resolve(address: &str) -> SocketAddr {
    let found = address.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.unwrap_or_else(|| panic!("not host:port: {address}"))
}

fn take_turn(turn: &'static Mutex<()>) -> Hold {
    // A transcript that failed has not spoilt the server for the next: each begins by emptying it.
    Hold::Turn(turn.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// Starts a server on a free port; none when there is no such program.
fn start(program: &str, more: &[&str]) -> Option<(SocketAddr, Hold)> {
    // Between looking for a free port and using it somebody else may take it.
    for _ in 0..5 {
        let port = free_port();
        let directory = env::temp_dir().join(format!("transcripts-{}-{port}", std::process::id()));
        fs::create_dir_all(&directory).expect("a temporary directory can be made");
        let spawned = Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(more)
            .arg("--dir")
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn();
        let Ok(server) = spawned else {
            let _ = fs::remove_dir_all(&directory);
            return None;
        };
        let mut started = Started { server, directory };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if listens(&mut started, address) {
            return Some((address, Hold::Started(started)));
        }
    }
    panic!("{program} does not start");
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn listens(started: &mut Started, address: SocketAddr) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        if matches!(started.server.try_wait(), Ok(Some(_))) {
            return false;
        }
        sleep(Duration::from_millis(5));
    }
    false
}
