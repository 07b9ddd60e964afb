//! The server as a process: started as a user starts it, spoken to over sockets, ended by signals. What commands answer
//! is the business of the transcripts.
#![cfg(feature = "native")]

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{IpAddr, Shutdown, TcpListener, TcpStream, UdpSocket},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// No single step of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, which ends with the test.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts a server on a free port, with more options, and waits until it is ready.
    fn start(options: &[&str]) -> Server {
        let port = free_port();
        // Nothing is left behind, unless the options say so.
        let process = spawn(&[&["--port", &port.to_string(), "--save", ""], options].concat());
        let mut server = Server { process, port };
        server.await_ready();
        server
    }

    fn await_ready(&mut self) {
        let stdout = self.process.stdout.take().unwrap();
        let mut lines = BufReader::new(stdout).lines();
        assert!(
            lines.any(|line| line.unwrap().ends_with("* Ready to accept connections")),
            "the server ended"
        );
        // What else it says has to go somewhere.
        thread::spawn(move || lines.for_each(drop));
    }

    fn connect(&self) -> Client {
        Client::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap())
    }

    fn signal(&self, name: &str) {
        assert!(
            Command::new("kill")
                .args(["-s", name, &self.process.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    fn wait(&mut self) -> ExitStatus {
        wait(&mut self.process)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(options: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyside-server"));
    command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs a server that is expected to end by itself.
fn run(options: &[&str]) -> Output {
    let mut process = spawn(options);
    wait(&mut process);
    process.wait_with_output().unwrap()
}

fn wait(process: &mut Child) -> ExitStatus {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > end {
            let _ = process.kill();
            panic!("the server did not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A file in the temporary directory that nobody else uses, removed with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("keyside-{}-{}-{name}", std::process::id(), free_port())))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

struct Client {
    stream: TcpStream,
}

impl Client {
    fn new(stream: TcpStream) -> Client {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { stream }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Reads exactly what is expected.
    fn expect(&mut self, reply: impl AsRef<[u8]>) {
        let reply = reply.as_ref();
        let mut got = vec![0; reply.len()];
        self.stream.read_exact(&mut got).unwrap_or_else(|error| panic!("{error}, not {:?}", text(reply)));
        assert!(got == reply, "{:?}, not {:?}", text(&got), text(reply));
    }

    fn ask(&mut self, request: impl AsRef<[u8]>, reply: impl AsRef<[u8]>) {
        self.send(request);
        self.expect(reply);
    }

    /// A line without its end.
    fn line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while !line.ends_with(b"\r\n") {
            self.stream.read_exact(&mut byte).unwrap();
            line.extend(byte);
        }
        String::from_utf8(line).unwrap().trim_end().to_string()
    }

    /// Everything until the server closes the connection, gently or not.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => rest,
            Err(error) => panic!("the connection was not closed: {error}"),
        }
    }
}

/// The beginning of some bytes, to be read by people.
fn text(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(200)].escape_ascii().to_string()
}

/// A request in the binary form.
fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).bytes());
        bytes.extend(*word);
        bytes.extend(b"\r\n");
    }
    bytes
}

#[test]
fn a_pipeline_is_answered_in_order() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let (mut requests, mut replies) = (Vec::new(), Vec::new());
    for i in 1..=10_000 {
        requests.extend(request(&[b"INCR", b"n"]));
        requests.extend(request(&[b"SET", format!("key:{i}").as_bytes(), b"value"]));
        requests.extend(format!("GET key:{i}\r\n").bytes());
        replies.extend(format!(":{i}\r\n+OK\r\n$5\r\nvalue\r\n").bytes());
    }
    let mut writer = client.stream.try_clone().unwrap();
    let sending = thread::spawn(move || writer.write_all(&requests).unwrap());
    client.expect(replies);
    sending.join().unwrap();
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for byte in [request(&[b"SET", b"k", b"a\r\nb"]), b"GET k\r\n".to_vec()].concat() {
        client.send([byte]);
        thread::sleep(Duration::from_micros(200));
    }
    client.expect(b"+OK\r\n$4\r\na\r\nb\r\n");
}

#[test]
fn a_value_of_64_mb_comes_and_goes() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let value: Vec<u8> = (0..64 << 20).map(|i| (i % 251) as u8).collect();
    client.ask(request(&[b"SET", b"big", &value]), b"+OK\r\n");
    client.ask(b"STRLEN big\r\n", b":67108864\r\n");
    client.ask(b"GET big\r\n", [b"$67108864\r\n", &value[..], b"\r\n"].concat());
}

#[test]
fn a_client_who_does_not_read_stops_nobody() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.ask(request(&[b"SET", b"big", &vec![b'x'; 1 << 20]]), b"+OK\r\n");
    let mut deaf = server.connect();
    deaf.send(b"GET big\r\n".repeat(100));
    let start = Instant::now();
    for _ in 0..100 {
        client.ask(b"STRLEN big\r\n", b":1048576\r\n");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "others waited for {:?}", start.elapsed());
    let reply = [b"$1048576\r\n", &vec![b'x'; 1 << 20][..], b"\r\n"].concat();
    (0..100).for_each(|_| deaf.expect(&reply));
}

#[test]
fn a_client_who_does_not_read_can_be_killed() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.ask(request(&[b"SET", b"big", &vec![b'x'; 32 << 20]]), b"+OK\r\n");
    let mut deaf = server.connect();
    deaf.ask(b"CLIENT ID\r\n", b":2\r\n");
    deaf.send(b"GET big\r\n");
    thread::sleep(Duration::from_millis(100));
    client.ask(b"CLIENT KILL ID 2\r\n", b":1\r\n");
    let is_gone = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(10));
        client.send(b"CLIENT LIST ID 2\r\n");
        client.line() == "$0" && client.line().is_empty()
    });
    assert!(is_gone, "it is still there");
}

#[test]
fn a_subscriber_who_does_not_read_is_closed() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub", "1mb", "0", "0"]);
    let (mut deaf, mut client) = (server.connect(), server.connect());
    deaf.ask(b"SUBSCRIBE c\r\n", b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    let publish = request(&[b"PUBLISH", b"c", &vec![b'x'; 1 << 20]]);
    let closed = (0..100).any(|_| {
        client.send(&publish);
        let mut receivers = [0; 4];
        client.stream.read_exact(&mut receivers).unwrap();
        &receivers == b":0\r\n"
    });
    assert!(closed, "100 MB wait for a client who may have one");
    assert!(deaf.rest().len() < 100 << 20);
}

#[test]
fn a_subscriber_who_reads_too_slowly_for_too_long_is_closed() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub", "0", "1mb", "1"]);
    let (mut deaf, mut hears, mut client) = (server.connect(), server.connect(), server.connect());
    for subscriber in [&mut deaf, &mut hears] {
        subscriber.ask(b"SUBSCRIBE c\r\n", b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    }
    let text = vec![b'x'; 1 << 20];
    let message = [b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1048576\r\n", &text[..], b"\r\n"].concat();
    let start = Instant::now();
    for _ in 0..16 {
        client.ask(request(&[b"PUBLISH", b"c", &text]), b":2\r\n");
        hears.expect(&message);
    }
    while {
        client.send(b"PUBLISH c still\r\n");
        hears.expect(b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nstill\r\n");
        client.line() == ":2"
    } {
        assert!(start.elapsed() < PATIENCE, "nobody was closed");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(start.elapsed() > Duration::from_secs(1), "closed after {:?}", start.elapsed());
    assert!(deaf.rest().len() < 16 << 20);
}

#[test]
fn who_asks_for_too_much_is_closed_and_nobody_else() {
    let server = Server::start(&[
        "--client-query-buffer-limit",
        "1mb",
        "--proto-max-bulk-len",
        "8mb",
        "--maxmemory",
        "0",
    ]);
    let mut other = server.connect();
    let set = request(&[b"SET", b"k", &[b'v'; 1000]]);
    for (requests, answer) in [
        (
            b"*2\r\n$4\r\nECHO\r\n$1073741824\r\n".to_vec(),
            &b"-ERR Protocol error: invalid bulk length\r\n"[..],
        ),
        (b"*2147483648\r\n".to_vec(), b"-ERR Protocol error: invalid multibulk length\r\n"),
        (vec![b'x'; 1 << 20], b"-ERR Protocol error: too big inline request\r\n"),
        ([b"*2\r\n$4\r\nECHO\r\n$4000000\r\n", &vec![b'x'; 3_900_000][..]].concat(), b""),
        ([b"BLPOP none 0\r\n", &set.repeat(2000)[..]].concat(), b""),
    ] {
        let mut client = server.connect();
        // It may be closed before all of it is sent.
        let _ = client.stream.write_all(&requests);
        let said = client.rest();
        assert!(said == answer || said.is_empty(), "{}", text(&said));
        other.ask(b"PING\r\n", b"+PONG\r\n");
    }
    let mut queues = server.connect();
    let _ = queues.stream.write_all(&[b"MULTI\r\n", &set.repeat(2000)[..]].concat());
    assert!(!text(&queues.rest()).contains("EXEC"));
    other.ask(b"EXISTS k\r\n", b":0\r\n");
}

#[test]
fn connections_that_never_authenticate_are_bounded_in_number_and_in_what_they_take() {
    const CLIENTS: usize = 400;
    let server = Server::start(&["--requirepass", "secret", "--maxclients", &CLIENTS.to_string()]);
    let mut known = server.connect();
    known.ask(b"AUTH secret\r\n", b"+OK\r\n");
    let before = resident_bytes(&server);
    // As much of a request as a stranger may send, and never the end of it.
    let half = [&b"*10\r\n$16384\r\n"[..], &[b'x'; 16000]].concat();
    let mut strangers: Vec<Client> = (0..CLIENTS - 1).map(|_| server.connect()).collect();
    for (request, length) in [("*11\r\n", "multibulk"), ("*1\r\n$16385\r\n", "bulk")] {
        let mut stranger = strangers.pop().unwrap();
        stranger.send(request);
        stranger.expect(format!("-ERR Protocol error: unauthenticated {length} length\r\n"));
        assert_eq!(stranger.rest(), b"");
    }
    strangers.iter_mut().for_each(|it| it.stream.write_all(&half).unwrap());
    known.ask(b"PING\r\n", b"+PONG\r\n");
    for _ in 0..2 {
        let mut stranger = server.connect();
        stranger.ask(b"PING\r\n", b"-NOAUTH Authentication required.\r\n");
        strangers.push(stranger);
    }
    assert_eq!(server.connect().rest(), b"-ERR max number of clients reached\r\n");
    let taken = resident_bytes(&server).saturating_sub(before);
    assert!(taken < CLIENTS * (48 << 10), "{CLIENTS} strangers take {taken} bytes");
    known.ask(b"PING\r\n", b"+PONG\r\n");
}

#[test]
fn much_that_is_allowed_disturbs_nobody_and_takes_bounded_memory() {
    const MANY: usize = 200_000;
    let server = Server::start(&[]);
    let (mut other, mut client) = (server.connect(), server.connect());
    let keys: Vec<String> = (0..MANY).map(|n| format!("key:{n}")).collect();
    let watch: Vec<&[u8]> =
        [&b"WATCH"[..]].into_iter().chain(keys.iter().map(|key| key.as_bytes())).collect();
    client.ask(request(&watch), b"+OK\r\n");
    other.ask(b"SET key:7 v\r\n", b"+OK\r\n");
    client.ask(b"MULTI\r\n", b"+OK\r\n");
    for _ in 0..MANY / 1000 {
        client.ask(b"PING\r\n".repeat(1000), b"+QUEUED\r\n".repeat(1000));
        other.ask(b"PING\r\n", b"+PONG\r\n");
    }
    client.ask(b"EXEC\r\n", b"*-1\r\n");
    let mut floods = server.connect();
    floods.stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let echo = request(&[b"ECHO", &vec![b'x'; 1 << 20]]);
    let sent = (0..1000).take_while(|_| floods.stream.write_all(&echo).is_ok()).count();
    other.ask(b"PING\r\n", b"+PONG\r\n");
    assert!(sent < 500, "a gigabyte of replies waits for somebody who reads none");
    let resident = resident_bytes(&server);
    assert!(resident < 400 << 20, "the server takes {resident} bytes");
}

#[test]
fn a_thousand_clients_are_served_at_once() {
    let server = Server::start(&[]);
    let mut clients: Vec<Client> = (0..1000).map(|_| server.connect()).collect();
    for round in 1..=3 {
        clients.iter_mut().for_each(|client| client.send(b"INCR n\r\n"));
        for (i, client) in clients.iter_mut().enumerate() {
            let mut reply = [0; 16];
            let len = client.stream.read(&mut reply).unwrap();
            let n: usize = text(&reply[1..len - 2]).parse().unwrap();
            assert!(
                (1000 * (round - 1) + 1..=1000 * round).contains(&n),
                "client {i} got {n} in round {round}"
            );
        }
    }
}

/// Each socket takes a file here and one in the server.
#[test]
fn ten_thousand_idle_clients_cost_little() {
    let limit = rlimit::increase_nofile_limit(12_000).unwrap();
    let count = 10_000.min(limit.saturating_sub(100)) as usize;
    let server = Server::start(&["--maxclients", "10100"]);
    let mut client = server.connect();
    client.ask(b"SET k v\r\n", b"+OK\r\n");
    let before = resident_bytes(&server);
    let mut idle: Vec<Client> = (0..count).map(|_| server.connect()).collect();
    idle.iter_mut().for_each(|client| client.ask(b"GET k\r\n", b"$1\r\nv\r\n"));
    let each = (resident_bytes(&server) - before) / count;
    println!("{count} idle clients of {each} bytes each");
    assert!(each <= 20_000, "{each} bytes for each of {count} clients");
    idle.last_mut().unwrap().ask(b"GET k\r\n", b"$1\r\nv\r\n");
}

fn resident_bytes(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn a_client_too_many_is_told_so() {
    let server = Server::start(&["--maxclients", "2"]);
    let (mut first, mut second) = (server.connect(), server.connect());
    first.ask(b"SET k v\r\n", b"+OK\r\n");
    second.ask(b"GET k\r\n", b"$1\r\nv\r\n");
    assert_eq!(text(&server.connect().rest()), "-ERR max number of clients reached\\r\\n");
    drop(first);
    let end = Instant::now() + PATIENCE;
    loop {
        let mut next = server.connect();
        next.send(b"GET k\r\n");
        let mut reply = [0; 7];
        if next.stream.read_exact(&mut reply).is_ok() && &reply == b"$1\r\nv\r\n" {
            return;
        }
        assert!(Instant::now() < end, "the place of the first client stays taken");
    }
}

#[test]
fn what_breaks_the_protocol_ends_only_its_own_connection() {
    let server = Server::start(&[]);
    for (bytes, reply) in [
        (&b"*1\r\n!3\r\n"[..], &b"-ERR Protocol error: expected '$', got '!'\r\n"[..]),
        (b"*1\r\n$-5\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*99999999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"SET k \"v\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
    ] {
        let mut client = server.connect();
        client.send(bytes);
        assert_eq!(text(&client.rest()), text(reply));
    }
    let mut seed = 1u64;
    for _ in 0..200 {
        let mut client = server.connect();
        let noise: Vec<u8> = (0..500)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 56) as u8
            })
            .collect();
        // The server may close the connection before everything is sent.
        let _ = client.stream.write_all(&noise);
        let _ = client.stream.shutdown(Shutdown::Write);
        client.rest();
    }
    server.connect().ask(b"SET k v\r\n", b"+OK\r\n");
}

#[test]
fn a_silent_client_is_closed_after_the_timeout() {
    let server = Server::start(&["--timeout", "1"]);
    let (mut silent, mut busy) = (server.connect(), server.connect());
    let start = Instant::now();
    silent.ask(b"SET k v\r\n", b"+OK\r\n");
    while start.elapsed() < Duration::from_millis(2500) {
        busy.ask(b"GET k\r\n", b"$1\r\nv\r\n");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(text(&silent.rest()), "");
    assert!(start.elapsed() < Duration::from_secs(4), "closed after {:?}", start.elapsed());
}

#[test]
fn a_password_is_asked_for() {
    let server = Server::start(&["--requirepass", "secret"]);
    let mut client = server.connect();
    client.ask(b"GET k\r\n", b"-NOAUTH Authentication required.\r\n");
    client.send(b"*11\r\n");
    assert_eq!(text(&client.rest()), "-ERR Protocol error: unauthenticated multibulk length\\r\\n");
}

#[test]
fn without_a_password_only_this_machine_is_served() {
    let Some(own) = own_address() else { return println!("this machine has no address but the loopback's") };
    let ask = |options: &[&str]| {
        let server = Server::start(&[&["--bind", "*", "-::*"], options].concat());
        let mut client = Client::new(TcpStream::connect((own, server.port)).unwrap());
        // A client that is refused may be gone before it has asked.
        let _ = client.stream.write_all(b"GET k\r\n");
        let mut reply = [0; 8];
        client.stream.read_exact(&mut reply[..5]).unwrap();
        server.connect().ask(b"*1\r\n!\r\n", b"-ERR Protocol error");
        text(&reply[..5])
    };
    assert_eq!(ask(&[]), "-DENI");
    assert_eq!(ask(&["--protected-mode", "no"]), "$-1\\r\\n");
    assert_eq!(ask(&["--requirepass", "secret"]), "-NOAU");
}

/// The address by which this machine would reach others, if any.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|own| own.ip()).filter(|own| !own.is_loopback())
}

#[test]
fn a_unix_socket_serves_too() {
    let path = Scratch::new("socket");
    let mut server = Server::start(&["--unixsocket", path.path(), "--unixsocketperm", "700"]);
    let mut client = UnixStream::connect(&path.0).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(b"SET k v\r\n").unwrap();
    let mut reply = [0; 5];
    client.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+OK\r\n");
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(!path.0.exists(), "the socket is left behind");
}

#[test]
fn a_signal_ends_the_server_when_everything_is_sent() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        let mut client = server.connect();
        client.ask(request(&[b"SET", b"big", &vec![b'x'; 16 << 20]]), b"+OK\r\n");
        client.send(b"GET big\r\n");
        thread::sleep(Duration::from_millis(200));
        server.signal(signal);
        thread::sleep(Duration::from_millis(50));
        client.expect([b"$16777216\r\n", &vec![b'x'; 16 << 20][..], b"\r\n"].concat());
        assert_eq!(text(&client.rest()), "");
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn a_second_signal_does_not_wait_for_slow_clients() {
    let mut server = Server::start(&[]);
    let mut deaf = server.connect();
    deaf.ask(request(&[b"SET", b"big", &vec![b'x'; 16 << 20]]), b"+OK\r\n");
    deaf.send(b"GET big\r\n");
    thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    server.signal("TERM");
    thread::sleep(Duration::from_millis(100));
    server.signal("TERM");
    server.wait();
    assert!(start.elapsed() < Duration::from_millis(1500), "it took {:?}", start.elapsed());
}

#[test]
fn a_bad_directive_starts_nothing() {
    let port = free_port();
    let output = run(&["--port", &port.to_string(), "--prot", "7000"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("FATAL CONFIG FILE ERROR") && said.contains(">>> 'prot \"7000\"'"), "{said}");
    assert!(said.contains("Bad directive or wrong number of arguments"), "{said}");
    assert!(output.stdout.is_empty() && TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_bad_line_of_a_file_is_named() {
    let file = Scratch::new("bad");
    for (line, reason) in [
        ("maxclients banana", "argument couldn't be parsed into an integer"),
        ("user ada +nosuch", "Unknown command or category name in ACL"),
        ("save 60", "Invalid save parameters"),
    ] {
        fs::write(&file.0, format!("# a comment\n\n{line}\nport 1\n")).unwrap();
        let output = run(&[file.path()]);
        let said = String::from_utf8([output.stderr, output.stdout].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(reason) && said.contains(line.split(' ').nth(1).unwrap()), "{line}: {said}");
        assert!(line.starts_with("user") || said.contains("at line 3"), "{line}: {said}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = run(&["--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("Address already in use"), "{said}");
}

#[test]
fn a_file_configures_and_options_override_it() {
    let (file, log) = (Scratch::new("conf"), Scratch::new("log"));
    let port = free_port();
    let text = format!(
        "# a comment\nport 1\nsave \"\"\nlogfile \"{}\"\nmaxclients 1\nloglevel verbose\n",
        log.path()
    );
    fs::write(&file.0, text).unwrap();
    let mut server = Server { process: spawn(&[file.path(), "--port", &port.to_string()]), port };
    let end = Instant::now() + PATIENCE;
    while !fs::read_to_string(&log.0).is_ok_and(|log| log.contains("Ready to accept connections")) {
        assert!(Instant::now() < end, "the server did not start");
        thread::sleep(Duration::from_millis(10));
    }
    server.connect().ask(b"SET k v\r\n", b"+OK\r\n");
    server.signal("TERM");
    assert!(server.wait().success());
    let log = fs::read_to_string(&log.0).unwrap();
    assert!(log.contains(" - Accepted 127.0.0.1:"), "{log}");
    let first = log.lines().next().unwrap();
    let mark = format!("{}:M ", server.process.id());
    assert!(first.starts_with(&mark) && first.contains(" # keyside version="), "{first}");
}

#[test]
fn version_and_help_are_told() {
    for (option, expected) in
        [("-v", "keyside server v="), ("--version", "keyside server v="), ("--help", "Usage:")]
    {
        let output = run(&[option]);
        assert!(output.status.success());
        assert!(output.stdout.starts_with(expected.as_bytes()), "{option} says {}", text(&output.stdout));
    }
}

/// A directory for one test, removed with everything in it.
struct Directory(Scratch);

impl Directory {
    fn new(name: &str) -> Directory {
        let scratch = Scratch::new(name);
        fs::create_dir(&scratch.0).unwrap();
        Directory(scratch)
    }

    fn start(&self, options: &[&str]) -> Server {
        Server::start(&[&["--dir", self.0.path()], options].concat())
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0.0).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.0);
    }
}

#[test]
fn what_is_saved_is_there_again() {
    let directory = Directory::new("saved");
    let mut server = directory.start(&[]);
    let mut client = server.connect();
    client.ask(b"SET k v\r\nSAVE\r\nSET lost v\r\n", b"+OK\r\n+OK\r\n+OK\r\n");
    server.signal("TERM");
    assert!(server.wait().success());
    assert_eq!(directory.files(), ["dump.rdb"]);

    let mut server = directory.start(&[]);
    let mut client = server.connect();
    client.ask(b"GET k\r\nEXISTS lost\r\nSET k w\r\n", b"$1\r\nv\r\n:0\r\n+OK\r\n");
    client.send(b"SHUTDOWN SAVE\r\n");
    assert!(client.rest().is_empty() && server.wait().success());

    let mut server = directory.start(&["--save", "3600", "1"]);
    let mut client = server.connect();
    client.ask(b"GET k\r\nSET k x\r\n", b"$1\r\nw\r\n+OK\r\n");
    server.signal("TERM");
    assert!(server.wait().success());

    let mut server = directory.start(&["--save", "3600", "1"]);
    let mut client = server.connect();
    client.ask(b"GET k\r\nSET k y\r\n", b"$1\r\nx\r\n+OK\r\n");
    client.send(b"SHUTDOWN NOSAVE\r\n");
    assert!(client.rest().is_empty() && server.wait().success());
    directory.start(&[]).connect().ask(b"GET k\r\n", b"$1\r\nx\r\n");
    assert_eq!(directory.files(), ["dump.rdb"]);
}

#[test]
fn a_snapshot_in_the_background_is_written_while_requests_are_served() {
    let directory = Directory::new("background");
    let mut server = directory.start(&["--dbfilename", "other.rdb"]);
    let mut client = server.connect();
    let requests: String = (0..20_000).map(|n| format!("SET key:{n} value-of-{n}\r\n")).collect();
    client.ask(requests.as_bytes(), "+OK\r\n".repeat(20_000).as_bytes());
    let replies = b"+Background saving started\r\n+OK\r\n:1\r\n";
    client.ask(b"BGSAVE\r\nSET late v\r\nDEL key:7\r\n", replies);
    let end = Instant::now() + PATIENCE;
    while directory.files() != ["other.rdb"] {
        assert!(Instant::now() < end, "nothing was written");
        client.ask(b"PING\r\n", b"+PONG\r\n");
        thread::sleep(Duration::from_millis(5));
    }
    server.signal("KILL");
    server.wait();
    let again = directory.start(&["--dbfilename", "other.rdb"]);
    let expected = b":20000\r\n$10\r\nvalue-of-7\r\n:0\r\n";
    again.connect().ask(b"DBSIZE\r\nGET key:7\r\nEXISTS late\r\n", expected);
}

#[test]
fn a_damaged_file_starts_nothing_and_is_left_alone() {
    let directory = Directory::new("damaged");
    let file = directory.0.0.join("dump.rdb");
    fs::write(&file, b"REDIS0010\x00\x01k\x01v\x00\x01l").unwrap();
    let output = run(&["--port", &free_port().to_string(), "--dir", directory.0.path()]);
    let log = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let reason = "the RDB file dump.rdb is damaged: it ends too early at byte 17";
    assert!(log.contains(reason), "{log}");
    assert_eq!(fs::read(&file).unwrap().len(), 17);
}

#[test]
fn a_server_that_cannot_save_does_not_end_unless_it_has_to() {
    let directory = Directory::new("unwritable");
    let name = "no-such-directory/dump.rdb";
    let mut server = directory.start(&["--dbfilename", name, "--save", "3600", "1"]);
    let mut client = server.connect();
    client.ask(b"SHUTDOWN\r\n", b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    client.ask(b"BGSAVE\r\n", b"+Background saving started\r\n");
    let end = Instant::now() + PATIENCE;
    loop {
        client.send(b"SET k v\r\n");
        match client.line() {
            line if line.starts_with("-MISCONF") => break,
            line => assert!(line == "+OK" && Instant::now() < end, "{line}"),
        }
    }
    server.signal("TERM");
    client.ask(b"GET missing\r\n", b"$-1\r\n");
    client.send(b"SHUTDOWN FORCE\r\n");
    assert!(client.rest().is_empty() && server.wait().success());
}
