//! Kills servers while they write, and looks at what their next start finds: no write that was acknowledged is missing,
//! and no restart is refused. `ROUNDS` says how often; a few rounds are run without it. Also the exchange of append-only
//! files with a real server. What commands answer is the business of the transcripts.
#![cfg(feature = "native")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(30);
/// Clients who write at once.
const WRITERS: usize = 4;

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = env::temp_dir().join(format!("keyside-crash-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that is killed with the value.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(program: &str, directory: &Path, options: &[&str]) -> Option<Server> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "yes"])
            .args(["--enable-debug-command", "yes", "--dir", directory.to_str().unwrap()])
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let server = Server { process, port };
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if TcpStream::connect(("127.0.0.1", port))
                .is_ok_and(|stream| Client::new(stream).ask(&["PING"]).is_some_and(|reply| reply == "+PONG"))
            {
                return Some(server);
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{program} does not answer: its restart was refused");
    }

    fn keyside(directory: &Path, options: &[&str]) -> Server {
        Server::start(env!("CARGO_BIN_EXE_keyside-server"), directory, options).expect("it can be started")
    }

    fn connect(&self) -> Client {
        Client::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap())
    }

    /// Waits for the end of a rewrite, which has to succeed.
    fn await_rewrite(&self) {
        let (mut client, end) = (self.connect(), Instant::now() + PATIENCE);
        loop {
            let info = client.ask(&["INFO", "persistence"]).unwrap();
            if info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0") {
                return assert!(info.contains("aof_last_bgrewrite_status:ok"), "{info}");
            }
            assert!(Instant::now() < end, "{info}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(BufReader::new(stream))
    }

    /// The reply, flattened to text; none when the connection is over.
    fn ask(&mut self, words: &[&str]) -> Option<String> {
        let words: Vec<String> = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let request = format!("*{}\r\n{}", words.len(), words.concat());
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        self.reply()
    }

    fn reply(&mut self) -> Option<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).ok()? == 0 || !line.ends_with("\r\n") {
            return None;
        }
        let line = line.trim_end();
        let count = || line[1..].parse::<i64>().unwrap();
        match line.as_bytes()[0] {
            b'$' if count() >= 0 => {
                let mut bytes = vec![0; count() as usize + 2];
                self.0.read_exact(&mut bytes).ok()?;
                bytes.truncate(bytes.len() - 2);
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            b'*' => {
                (0..count()).map(|_| self.reply()).collect::<Option<Vec<String>>>().map(|it| it.join(" "))
            }
            _ => Some(line.to_string()),
        }
    }
}

/// Counts as fast as it can until the server is gone; what was acknowledged last is in `last`.
fn count_up(mut client: Client, writer: usize, from: u64, last: &AtomicU64) {
    let (counter, list) = (format!("counter:{writer}"), format!("list:{writer}"));
    for n in from + 1.. {
        let text = n.to_string();
        let replies = [
            client.ask(&["MULTI"]),
            client.ask(&["SET", &counter, &text]),
            client.ask(&["RPUSH", &list, &text]),
            client.ask(&["EXEC"]),
        ];
        if replies[3].is_none() {
            return;
        }
        last.store(n, Ordering::SeqCst);
    }
}

fn rounds() -> u64 {
    env::var("ROUNDS").map_or(5, |rounds| rounds.parse().expect("ROUNDS is a number"))
}

#[test]
fn nothing_that_was_acknowledged_is_lost() {
    let directory = Directory::new("always");
    let options = ["--appendfsync", "always", "--auto-aof-rewrite-min-size", "20kb"];
    let mut acknowledged = vec![0; WRITERS];
    let mut chance = u64::from(std::process::id());
    for round in 0..=rounds() {
        let mut server = Server::keyside(&directory.0, &options);
        let mut client = server.connect();
        for (writer, acknowledged) in acknowledged.iter_mut().enumerate() {
            let counter = client.ask(&["GET", &format!("counter:{writer}")]).unwrap();
            let counted = counter.parse().unwrap_or(0);
            assert!(counted >= *acknowledged, "round {round}: {counted} of {acknowledged}");
            let len = client.ask(&["LLEN", &format!("list:{writer}")]).unwrap();
            assert_eq!(len, format!(":{counted}"), "round {round}: half of a transaction");
            *acknowledged = counted;
        }
        let last: Arc<Vec<AtomicU64>> = Arc::new(acknowledged.iter().map(|&n| AtomicU64::new(n)).collect());
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (client, from, last) = (server.connect(), acknowledged[writer], last.clone());
                thread::spawn(move || count_up(client, writer, from, &last[writer]))
            })
            .collect();
        chance = chance.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        thread::sleep(Duration::from_millis(5 + (chance >> 33) % 200));
        server.process.kill().unwrap();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        acknowledged = last.iter().map(|n| n.load(Ordering::SeqCst)).collect();
    }
    assert!(acknowledged.iter().all(|&n| n > 0));
}

fn fill(client: &mut Client) {
    for line in [
        "SET a 1",
        "SET e x EX 1000",
        "HSET h f v g w",
        "RPUSH l 1 2 3 a b c",
        "SADD s a b c d",
        "SADD n 1 2 3",
        "ZADD z 1 m 2 n",
        "XADD x 1-1 f v",
        "XGROUP CREATE x g 0",
        "XREADGROUP GROUP g c STREAMS x >",
        "SPOP s",
        "INCR a",
        "MULTI",
        "SET t1 1",
        "EXPIRE t1 500",
        "EXEC",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let reply = client.ask(&words).unwrap();
        assert!(!reply.starts_with('-'), "{line}: {reply}");
    }
}

const DIGESTS: [&str; 11] = ["DEBUG", "DIGEST-VALUE", "a", "e", "h", "l", "s", "n", "z", "x", "t1"];

#[test]
fn redis_and_keyside_read_the_files_of_each_other() {
    for preamble in ["yes", "no"] {
        let directory = Directory::new(&format!("exchange-{preamble}"));
        let options = ["--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes"];
        let server = Server::keyside(&directory.0, &options);
        let mut client = server.connect();
        fill(&mut client);
        for rewrites in [false, true] {
            if rewrites {
                client.ask(&["BGREWRITEAOF"]).unwrap();
                server.await_rewrite();
                client.ask(&["APPEND", "a", "7"]).unwrap();
            }
            let (digest, expires) =
                (client.ask(&DIGESTS).unwrap(), client.ask(&["PEXPIRETIME", "t1"]).unwrap());
            assert_eq!(client.ask(&["DEBUG", "LOADAOF"]).unwrap(), "+OK");
            assert_eq!(client.ask(&DIGESTS).unwrap(), digest, "{preamble} {rewrites}");

            let copy = Directory::new(&format!("copy-{preamble}-{rewrites}"));
            fs::create_dir(copy.0.join("appendonlydir")).unwrap();
            for entry in fs::read_dir(directory.0.join("appendonlydir")).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), copy.0.join("appendonlydir").join(entry.file_name())).unwrap();
            }
            let Some(redis) = Server::start("redis-server", &copy.0, &options) else { return };
            // What it read it appends to and writes anew, for keyside to read.
            for anew in [false, true] {
                if anew {
                    redis.connect().ask(&["BGREWRITEAOF"]).unwrap();
                    redis.await_rewrite();
                }
                let again = Directory::new(&format!("again-{preamble}-{rewrites}-{anew}"));
                fs::create_dir(again.0.join("appendonlydir")).unwrap();
                for entry in fs::read_dir(copy.0.join("appendonlydir")).unwrap() {
                    let entry = entry.unwrap();
                    fs::copy(entry.path(), again.0.join("appendonlydir").join(entry.file_name())).unwrap();
                }
                let keyside = Server::keyside(&again.0, &options);
                let mut client = keyside.connect();
                assert_eq!(client.ask(&DIGESTS).unwrap(), digest, "{preamble} {rewrites} {anew}");
                assert_eq!(client.ask(&["PEXPIRETIME", "t1"]).unwrap(), expires);
            }
        }
    }
}

#[test]
fn a_short_end_is_cut_off_and_other_damage_is_refused() {
    let directory = Directory::new("short");
    fill(&mut Server::keyside(&directory.0, &[]).connect());
    let path = directory.0.join("appendonlydir/appendonly.aof.1.incr.aof");
    let file = fs::read(&path).unwrap();
    for cut in [file.len() - 1, file.len() - 40, file.len() - 100] {
        fs::write(&path, &file[..cut]).unwrap();
        let server = Server::keyside(&directory.0, &[]);
        // The transaction is there as a whole, or not at all.
        assert_eq!(server.connect().ask(&["EXISTS", "t1"]).unwrap(), ":0", "{cut}");
        assert!(fs::metadata(&path).unwrap().len() <= cut as u64);
    }
    let refused = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyside-server"));
        command
            .args(["--port", "0", "--appendonly", "yes", "--dir", directory.0.to_str().unwrap()])
            .args(options);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    fs::write(&path, &file[..file.len() - 1]).unwrap();
    assert!(refused(&["--aof-load-truncated", "no"]).contains("Unexpected end of file"));
    fs::write(&path, [&file[..], b"*1\r\n$6\r\nBANANA\r\n"].concat()).unwrap();
    assert!(
        refused(&[]).contains(&format!(
            "unknown command 'BANANA', with args beginning with:  at byte {}",
            file.len()
        ))
    );
}

#[test]
fn two_servers_do_not_share_a_directory() {
    let directory = Directory::new("shared");
    let _first = Server::keyside(&directory.0, &[]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyside-server"));
    let output = command
        .args(["--port", "0", "--appendonly", "yes", "--dir", directory.0.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("is in use by another server"));
}
