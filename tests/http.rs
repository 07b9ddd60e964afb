//! What the server answers over HTTP, byte by byte: metrics, health, and Upstash's REST protocol with its tokens, encodings and
//! events. What commands answer is the business of the transcripts.
#![cfg(feature = "native")]

#[allow(dead_code, reason = "the transcripts need more of it")]
#[path = "transcript/peer.rs"]
mod peer;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use peer::{Peer, free_port};

/// A running server, which ends with the test.
struct Server {
    peer: Peer,
    http_port: u16,
}

/// An answer: status, head and body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    fn start() -> Server {
        let http_port = free_port();
        let options = ["--http-port", &http_port.to_string(), "--http-token", "all"];
        let secrets = ["--http-read-only-token", "read", "--requirepass", "secret"];
        let peer = Peer::new_keyside(&[options, secrets].concat()).expect("this crate's server is built");
        Server { peer, http_port }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.http_port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        BufReader::new(stream)
    }

    fn ask(&self, method: &str, path: &str, token: &str, headers: &str, body: &str) -> Answer {
        ask(&mut self.connect(), &request(method, path, token, headers, body))
    }

    fn post(&self, path: &str, body: &str) -> String {
        self.ask("POST", path, "all", "", body).body
    }
}

/// The text of a request.
fn request(method: &str, path: &str, token: &str, headers: &str, body: &str) -> String {
    let authorization =
        if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\n{authorization}{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

fn send(connection: &mut BufReader<TcpStream>, request: &str) {
    connection.get_mut().write_all(request.as_bytes()).unwrap();
}

fn read_head(connection: &mut BufReader<TcpStream>) -> (u16, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(connection.read_line(&mut head).unwrap() > 0, "the connection ended in {head:?}");
    }
    (head[9..12].parse().unwrap(), head)
}

fn ask(connection: &mut BufReader<TcpStream>, request: &str) -> Answer {
    send(connection, request);
    read_answer(connection)
}

fn read_answer(connection: &mut BufReader<TcpStream>) -> Answer {
    let (status, head) = read_head(connection);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    connection.read_exact(&mut body).unwrap();
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

#[test]
fn anybody_may_look_at_health_and_metrics() {
    let server = Server::start();
    let health = server.ask("GET", "/health", "", "", "");
    assert_eq!((health.status, health.body.as_str()), (200, "{\"status\":\"ok\"}\n"));
    server.post("/", r#"["SET","k","v"]"#);
    let metrics = server.ask("GET", "/metrics", "", "", "");
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"));
    for line in [
        "redis_up 1",
        "redis_db_keys{db=\"db0\"} 1",
        "redis_commands_total{cmd=\"set\"} 1",
        "redis_connected_clients 1",
    ] {
        assert!(metrics.body.lines().any(|it| it == line), "{line} is not in\n{}", metrics.body);
    }
}

#[test]
fn commands_come_in_the_path_or_in_the_body() {
    let server = Server::start();
    assert_eq!(server.ask("GET", "/set/k/a%20b/EX/100", "all", "", "").body, r#"{"result":"OK"}"#);
    assert_eq!(server.ask("GET", "/get/k?_token=all", "", "", "").body, r#"{"result":"a b"}"#);
    assert_eq!(server.post("/set/k?EX=100", "body"), r#"{"result":"OK"}"#);
    assert_eq!(server.post("/", r#"["GETRANGE","k",0,1]"#), r#"{"result":"bo"}"#);
    assert_eq!(
        server.post("/pipeline", r#"[["INCR","n"],["INCR","k"],["MGET","n","none"]]"#),
        r#"[{"result":1},{"error":"ERR value is not an integer or out of range"},{"result":["1",null]}]"#
    );
    assert_eq!(
        server.post("/multi-exec", r#"[["INCR","n"],["GET","n"]]"#),
        r#"[{"result":2},{"result":"2"}]"#
    );
    let discarded = server.ask("POST", "/multi-exec", "all", "", r#"[["INCR","n"],["NOTHING"]]"#);
    assert_eq!(discarded.status, 400);
    assert!(discarded.body.starts_with(r#"{"error":"ERR unknown command 'NOTHING'"#), "{}", discarded.body);
    assert_eq!(server.post("/get/n", ""), r#"{"result":"2"}"#);
}

#[test]
fn replies_come_as_they_are_asked_for() {
    let server = Server::start();
    let mut connection = server.connect();
    let mut post =
        |headers: &str, body: &str| ask(&mut connection, &request("POST", "/", "all", headers, body));
    let base64 = "Upstash-Encoding: base64\r\n";
    assert_eq!(post(base64, r#"["SET","k","v"]"#).body, r#"{"result":"OK"}"#);
    assert_eq!(post(base64, r#"["MGET","k","x"]"#).body, r#"{"result":["dg==",null]}"#);
    let resp = post("Upstash-Response-Format: resp2\r\n", r#"["GET","k"]"#);
    assert_eq!(resp.body, "$1\r\nv\r\n");
    assert!(resp.head.contains("content-type: application/octet-stream\r\n"));
    assert_eq!(post(&format!("{base64}Upstash-Response-Format: resp2\r\n"), r#"["GET","k"]"#).status, 400);
    assert_eq!(post("", r#"["INCR","k"]"#).status, 400);
    let first = post("", r#"["PING"]"#).head;
    let token = |head: &str| {
        head.split("upstash-sync-token: ").nth(1).unwrap().lines().next().unwrap().parse::<u64>().unwrap()
    };
    assert!(token(&post("", r#"["PING"]"#).head) > token(&first));
}

#[test]
fn a_token_gives_rights_and_nothing_else_does() {
    let server = Server::start();
    let status = |path: &str, token: &str| server.ask("GET", path, token, "", "").status;
    assert_eq!(
        (status("/get/k", ""), status("/get/k", "wrong"), status("/get/k", "secret")),
        (401, 401, 401)
    );
    assert_eq!(
        (status("/get/k", "read"), status("/ping", "read"), status("/ttl/k", "read")),
        (200, 200, 200)
    );
    for path in ["/set/k/v", "/keys/*", "/scan/0", "/flushall", "/config/set/timeout/1", "/nothing"] {
        assert_eq!(status(path, "read"), 400, "{path}");
    }
    for path in ["/blpop/l/0", "/xread/block/0/streams/s/0", "/monitor/x", "/client/list", "/shutdown"] {
        assert_eq!(status(path, "all"), 400, "{path}");
    }
    assert_eq!(server.ask("DELETE", "/get/k", "all", "", "").status, 405);
    let options = server.ask("OPTIONS", "/", "", "Access-Control-Request-Headers: authorization\r\n", "");
    assert_eq!(options.status, 204);
    assert!(options.head.contains("access-control-allow-headers: authorization\r\n"));
}

#[test]
fn a_body_may_come_in_chunks_and_requests_one_after_the_other() {
    let server = Server::start();
    let mut connection = server.connect();
    let head = "POST / HTTP/1.1\r\nAuthorization: Bearer all\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let value = chunk("vvvvvvv").repeat(10_000);
    let set = format!("{head}{}{value}{}0\r\n\r\n", chunk(r#"["SET","k",""#), chunk(r#""]"#));
    let get = format!("{head}{}0\r\nTrailer: x\r\n\r\n", chunk(r#"["STRLEN","k"]"#));
    send(&mut connection, &(set + &get));
    assert_eq!(read_answer(&mut connection).body, r#"{"result":"OK"}"#);
    assert_eq!(read_answer(&mut connection).body, r#"{"result":70000}"#);
    let last = ask(&mut connection, &request("GET", "/ping", "all", "Connection: close\r\n", ""));
    assert!(last.head.contains("connection: close\r\n"), "{}", last.head);
    assert_eq!(connection.read_to_string(&mut String::new()).unwrap(), 0, "the connection is to end");
}

#[test]
fn messages_come_as_events_until_the_client_leaves() {
    let server = Server::start();
    let mut events = server.connect();
    send(&mut events, &request("POST", "/subscribe/chat", "read", "Accept: text/event-stream\r\n", ""));
    assert!(read_head(&mut events).1.contains("content-type: text/event-stream\r\n"));
    let mut next = || {
        let mut line = String::new();
        events.read_line(&mut line).unwrap();
        events.read_line(&mut String::new()).unwrap();
        line
    };
    assert_eq!(next(), "data: subscribe,chat,1\n");
    assert_eq!(server.post("/publish/chat/hello", ""), r#"{"result":1}"#);
    assert_eq!(next(), "data: message,chat,hello\n");
    drop(events);
    let is_gone = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        server.post("/publish/chat/hello", "") == r#"{"result":0}"#
    });
    assert!(is_gone);

    let mut monitor = server.connect();
    send(&mut monitor, &request("POST", "/monitor", "all", "", ""));
    read_head(&mut monitor);
    let mut lines = monitor.lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "data: \"OK\"");
    server.post("/", r#"["SET","k","v"]"#);
    assert!(lines.any(|line| line.ends_with(r#"] "SET" "k" "v""#)));
}

#[test]
fn the_port_can_be_changed_while_the_server_runs() {
    let mut server = Server::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("AUTH secret\r\nCONFIG SET http-port {}\r\n", taken.local_addr().unwrap().port());
    let mut resp = BufReader::new(TcpStream::connect(server.peer.address).unwrap());
    let mut ask = |request: &str, replies: usize| {
        resp.get_mut().write_all(request.as_bytes()).unwrap();
        let mut said = String::new();
        (0..replies).for_each(|_| _ = resp.read_line(&mut said).unwrap());
        said
    };
    assert!(ask(&refused, 2).contains("'http-port') - Unable to listen on this port. Check server logs."));
    assert_eq!(server.ask("GET", "/health", "", "", "").status, 200);
    drop(taken);
    let port = free_port();
    assert_eq!(ask(&format!("CONFIG SET http-port {port}\r\n"), 1), "+OK\r\n");
    server.http_port = port;
    assert_eq!(server.ask("GET", "/health", "", "", "").status, 200);
}

#[test]
fn what_is_no_request_is_refused_and_disturbs_nobody() {
    let server = Server::start();
    for (request, status) in [
        ("PING\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nAuthorization: Bearer all\r\nContent-Length: 99999999999\r\n\r\n", "413"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "501"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nbanana\r\n", "400"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "400"),
        // Who shows no token need not send much to hear that.
        ("POST / HTTP/1.1\r\nContent-Length: 20000\r\n\r\n", "401"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n", "401"),
    ] {
        let mut connection = server.connect();
        send(&mut connection, request);
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
    }
    assert_eq!(server.ask("POST", "/", "all", "", "{").status, 400);
    let mut resp = TcpStream::connect(server.peer.address).unwrap();
    resp.write_all(b"AUTH secret\r\n").unwrap();
    let mut reply = [0; 5];
    resp.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+OK\r\n");
}
