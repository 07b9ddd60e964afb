//! Values on their way between keyside and a real `redis-server`: each kind in each encoding, there and back, as DUMP and
//! RESTORE carry them. And payloads that nobody should have sent.
//!
//! The server is started for the occasion; without a `redis-server` only what needs none is tested, unless `CI=true`.

#[allow(dead_code, reason = "the transcripts need more of it")]
#[path = "transcript/peer.rs"]
mod peer;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::PathBuf,
};

use crc::{CRC_64_REDIS, Crc};
use keyside::{ClientId, Config, Engine, Origin};
use peer::Peer;

/// A reply; only those that occur here.
#[derive(Clone, Debug, PartialEq)]
enum Reply {
    Line(String),
    Bytes(Option<Vec<u8>>),
    Array(Vec<Reply>),
}

impl Reply {
    fn read(from: &mut impl BufRead) -> Reply {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        let line = line.trim_end();
        match line.split_at(1) {
            ("$", "-1") => Reply::Bytes(None),
            ("$", len) => {
                let mut bytes = vec![0; len.parse::<usize>().unwrap() + 2];
                from.read_exact(&mut bytes).unwrap();
                bytes.truncate(bytes.len() - 2);
                Reply::Bytes(Some(bytes))
            }
            ("*", len) => Reply::Array((0..len.parse().unwrap()).map(|_| Reply::read(from)).collect()),
            _ => Reply::Line(line.to_string()),
        }
    }

    fn ok() -> Reply {
        Reply::Line("+OK".into())
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Reply::Bytes(Some(bytes)) => bytes,
            other => panic!("not a string: {other:?}"),
        }
    }
}

/// Whoever answers requests.
trait Store {
    fn ask(&mut self, words: &[&[u8]]) -> Reply;

    fn run(&mut self, request: &str) -> Reply {
        self.ask(&request.split(' ').map(str::as_bytes).collect::<Vec<_>>())
    }

    fn dump(&mut self, key: &str) -> Vec<u8> {
        self.run(&format!("DUMP {key}")).into_bytes()
    }

    fn restore(&mut self, key: &str, payload: &[u8]) -> Reply {
        self.ask(&[b"RESTORE", key.as_bytes(), b"0", payload, b"REPLACE"])
    }

    /// What tells two values apart.
    fn digest(&mut self, key: &str) -> Reply {
        self.run(&format!("DEBUG DIGEST-VALUE {key}"))
    }
}

struct Redis {
    stream: BufReader<TcpStream>,
    _server: Peer,
}

impl Redis {
    fn start() -> Option<Redis> {
        let server = Peer::new_oracle(&["--enable-debug-command", "local"])?;
        let stream = BufReader::new(TcpStream::connect(server.address).unwrap());
        Some(Redis { stream, _server: server })
    }

    /// Where it keeps its file.
    fn directory(&mut self) -> PathBuf {
        match self.run("CONFIG GET dir") {
            Reply::Array(pair) => String::from_utf8(pair[1].clone().into_bytes()).unwrap().into(),
            other => panic!("no directory: {other:?}"),
        }
    }
}

impl Store for Redis {
    fn ask(&mut self, words: &[&[u8]]) -> Reply {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request).unwrap();
        Reply::read(&mut self.stream)
    }
}

struct Keyside {
    engine: Engine,
    client: ClientId,
    now_ms: u64,
}

impl Keyside {
    fn new() -> Keyside {
        let mut config = Config::default();
        config.apply("enable-debug-command", &[b"yes"]).unwrap();
        let mut engine = Engine::new(config, 7);
        let client = engine.connect(Origin::default(), 0);
        Keyside { engine, client, now_ms: 1_795_453_426_387 }
    }
}

impl Store for Keyside {
    fn ask(&mut self, words: &[&[u8]]) -> Reply {
        self.engine.execute(self.client, words, self.now_ms);
        let output = std::mem::take(self.engine.output(self.client).unwrap());
        Reply::read(&mut &output[..])
    }
}

/// A command with many arguments, made of their number.
fn many(command: &str, count: usize, argument: impl Fn(usize) -> String) -> String {
    let arguments: Vec<String> = (0..count).map(argument).collect();
    format!("{command} {}", arguments.join(" "))
}

/// What makes `k` a value of every kind in every encoding: a name, requests.
fn values() -> Vec<(&'static str, Vec<String>)> {
    let long = |n: usize| format!("{n}-").repeat(n * 7 + 3);
    let one = |request: &str| vec![request.to_string()];
    let mut streams = vec!["XADD k 5-1 a 1 b 2".to_string()];
    streams.extend((0..250).map(|n| format!("XADD k 6-{n} a {n} {} x", if n % 3 == 0 { "b" } else { "c" })));
    streams.extend(["XDEL k 6-3 6-4 6-249".into(), "XTRIM k MAXLEN 240".into(), "XADD k 7-7 z y".into()]);
    vec![
        ("a small number", one("SET k 12")),
        ("a number of 16 bits", one("SET k -30000")),
        ("a number of 32 bits", one("SET k 2000000000")),
        ("a number of 64 bits", one("SET k -9223372036854775808")),
        ("a short text", one("SET k hello")),
        ("a text like a number", one("SET k 0012")),
        (
            "a text that compresses",
            vec![format!("SET k {}", "keyside ".repeat(5000).trim_end().replace(' ', "_"))],
        ),
        (
            "a text that does not",
            vec![many("SET k", 1, |_| {
                (0..3000u32).map(|n| char::from(33 + (n.wrapping_mul(n) / 7 % 89) as u8)).collect()
            })],
        ),
        ("an empty text", vec!["SETRANGE k 0 x".into(), "SET k ".into()]),
        ("a list of one", one("RPUSH k a")),
        (
            "a small list",
            vec![many("RPUSH k", 100, |n| if n % 2 == 0 { n.to_string() } else { long(n % 11) })],
        ),
        ("a large list", vec![many("RPUSH k", 5000, |n| format!("element-{n}"))]),
        ("a list pushed from the left", (0..3000).map(|n| format!("LPUSH k {n} v{n}")).collect()),
        ("a list of large elements", vec![many("RPUSH k", 12, |n| "x".repeat(3000 * n + 1))]),
        ("a set of small integers", vec![many("SADD k", 300, |n| (n * 3).to_string())]),
        ("a set of integers", vec![many("SADD k", 300, |n| (n * 300_000).to_string())]),
        ("a set of large integers", vec![many("SADD k", 300, |n| (n * 30_000_000_000).to_string())]),
        (
            "a small set",
            vec![many("SADD k", 100, |n| if n % 3 == 0 { n.to_string() } else { format!("m{n}") })],
        ),
        ("a large set", vec![many("SADD k", 3000, |n| format!("m{n}"))]),
        ("a set of long members", vec![many("SADD k", 30, long)]),
        ("a large set of integers", vec![many("SADD k", 3000, |n| n.to_string())]),
        ("a small sorted set", vec![many("ZADD k", 60, |n| format!("{} m{n}", (n as f64 - 20.0) * 0.3))]),
        (
            "a sorted set of odd scores",
            one("ZADD k inf a -inf b 0 c -0.0 d 1e300 e 5e-324 f 4611686018427387904 g 3.0 h"),
        ),
        (
            "a large sorted set",
            vec![many("ZADD k", 3000, |n| format!("{} m{n}", (n * 7 % 1000) as f64 / 7.0))],
        ),
        ("a sorted set of long members", vec![many("ZADD k", 30, |n| format!("{n} {}", long(n)))]),
        (
            "a small hash",
            vec![many("HSET k", 100, |n| {
                format!("f{n} {}", if n % 2 == 0 { n.to_string() } else { "v".repeat(n % 60) })
            })],
        ),
        ("a large hash", vec![many("HSET k", 3000, |n| format!("f{n} {n}"))]),
        ("a hash of long values", vec![many("HSET k", 30, |n| format!("f{n} {}", long(n)))]),
        ("a stream", streams),
        (
            "a stream with groups",
            [
                "XADD k 1-1 a b",
                "XADD k 1-2 a c",
                "XADD k 2-0 d e",
                "XADD k 3-0 d f",
                "XGROUP CREATE k g 0",
                "XGROUP CREATE k h $",
                "XREADGROUP GROUP g ann COUNT 2 STREAMS k >",
                "XREADGROUP GROUP g bob COUNT 1 STREAMS k >",
                "XACK k g 1-1",
                "XDEL k 1-2",
                "XGROUP CREATE k i 1-2 ENTRIESREAD 2",
            ]
            .map(String::from)
            .to_vec(),
        ),
        ("a stream without entries", vec!["XADD k 1-1 a b".into(), "XDEL k 1-1".into()]),
    ]
}

#[test]
fn what_redis_dumps_is_restored_and_dumped_for_redis() {
    let (Some(mut redis), mut keyside) = (Redis::start(), Keyside::new()) else { return };
    for (name, requests) in values() {
        redis.run("DEL k");
        requests.iter().for_each(|request| drop(redis.run(request)));
        assert_eq!(keyside.restore("k", &redis.dump("k")), Reply::ok(), "{name}");
        assert_eq!(redis.restore("back", &keyside.dump("k")), Reply::ok(), "{name}");
        assert_eq!(redis.digest("back"), redis.digest("k"), "{name}");
        if name.starts_with("a stream") {
            // Redis leaves groups out of its digest.
            assert_eq!(redis.run("XINFO STREAM back FULL"), redis.run("XINFO STREAM k FULL"), "{name}");
        }
        keyside.engine.check();
    }
}

#[test]
fn what_keyside_dumps_is_restored_by_redis_and_dumped_for_keyside() {
    let (Some(mut redis), mut keyside) = (Redis::start(), Keyside::new()) else { return };
    for compression in ["yes", "no"] {
        keyside.run(&format!("CONFIG SET rdbcompression {compression}"));
        for (name, requests) in values() {
            keyside.run("DEL k");
            requests.iter().for_each(|request| drop(keyside.run(request)));
            assert_eq!(redis.restore("k", &keyside.dump("k")), Reply::ok(), "{name}");
            assert_eq!(keyside.restore("back", &redis.dump("k")), Reply::ok(), "{name}");
            assert_eq!(keyside.digest("back"), keyside.digest("k"), "{name}");
            // And a value made there of the same requests is the same.
            redis.run("DEL same");
            requests.iter().for_each(|it| drop(redis.run(&it.replacen(" k ", " same ", 1))));
            assert_eq!(redis.digest("k"), redis.digest("same"), "{name}");
        }
    }
}

/// All values, each under a key of its own and some of them with a time to live, in two databases.
fn fill(store: &mut impl Store) {
    // Groups keep the times of the clocks, which are not the same.
    let values = values().into_iter().filter(|(name, _)| *name != "a stream with groups");
    for (i, (_, requests)) in values.enumerate() {
        let key = format!(" key:{i} ");
        store.run(&format!("SELECT {}", i % 2 * 9));
        requests.iter().for_each(|request| drop(store.run(&request.replacen(" k ", &key, 1))));
        if i % 3 == 0 {
            store.run(&format!("PEXPIREAT{key}{}", 32_503_680_000_000u64 + i as u64));
        }
    }
}

#[test]
fn redis_loads_the_files_of_keyside() {
    let (Some(mut redis), mut keyside) = (Redis::start(), Keyside::new()) else { return };
    fill(&mut redis);
    for compression in ["yes", "no"] {
        keyside.run("FLUSHALL");
        keyside.run(&format!("CONFIG SET rdbcompression {compression}"));
        fill(&mut keyside);
        let directory = redis.directory();
        let digest = redis.run("DEBUG DIGEST");
        std::fs::write(directory.join("dump.rdb"), keyside.engine.snapshot()).unwrap();
        assert_eq!(redis.run("DEBUG RELOAD NOSAVE"), Reply::ok(), "{compression}");
        assert_eq!(redis.run("DEBUG DIGEST"), digest, "{compression}");
    }
}

#[test]
fn keyside_loads_the_files_of_redis() {
    let (Some(mut redis), mut keyside) = (Redis::start(), Keyside::new()) else { return };
    fill(&mut keyside);
    for compression in ["yes", "no"] {
        redis.run("FLUSHALL");
        redis.run(&format!("CONFIG SET rdbcompression {compression} maxmemory-policy allkeys-lru"));
        fill(&mut redis);
        assert_eq!(redis.run("SAVE"), Reply::ok(), "{compression}");
        let file = std::fs::read(redis.directory().join("dump.rdb")).unwrap();
        for cut in [file.len(), 1000, 17] {
            let mut other = Keyside::new();
            let mut loader = other.engine.loader();
            for bytes in file.chunks(cut) {
                other.engine.load(&mut loader, Some(bytes), other.now_ms).unwrap();
            }
            other.engine.load(&mut loader, None, other.now_ms).unwrap();
            assert_eq!(other.engine.digest(), keyside.engine.digest(), "{compression} {cut}");
        }
    }
}

/// A payload of a form and its bytes, sealed as one of a version.
fn sealed(body: &[u8], version: u16) -> Vec<u8> {
    let mut payload = [body, &version.to_le_bytes()].concat();
    let checksum = Crc::<u64>::new(&CRC_64_REDIS).checksum(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// A length, in the form that holds any.
fn length(len: usize) -> Vec<u8> {
    [&[0x81][..], &(len as u64).to_be_bytes()].concat()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&length(bytes.len()), bytes].concat()
}

fn strings(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| string(text.as_bytes())).collect()
}

/// A ziplist of texts and of integers of every width.
fn ziplist(elements: &[&str]) -> Vec<u8> {
    let (mut bytes, mut before, mut last) = (vec![0; 10], 0, 10);
    for element in elements {
        last = bytes.len();
        match before {
            0..254 => bytes.push(before as u8),
            _ => bytes.extend([&[0xFE][..], &(before as u32).to_le_bytes()].concat()),
        }
        match element.parse::<i64>() {
            Ok(n @ 0..=12) => bytes.push(0xF1 + n as u8),
            Ok(n @ -128..=127) => bytes.extend([0xFE, n as u8]),
            Ok(n @ -0x8000..=0x7FFF) => bytes.extend([&[0xC0][..], &n.to_le_bytes()[..2]].concat()),
            Ok(n @ -0x80_0000..=0x7F_FFFF) => bytes.extend([&[0xF0][..], &n.to_le_bytes()[..3]].concat()),
            Ok(n @ -0x8000_0000..=0x7FFF_FFFF) => bytes.extend([&[0xD0][..], &n.to_le_bytes()[..4]].concat()),
            Ok(n) => bytes.extend([&[0xE0][..], &n.to_le_bytes()].concat()),
            Err(_) => {
                match element.len() {
                    len @ 0..64 => bytes.push(len as u8),
                    len @ 64..0x4000 => bytes.extend((0x4000 | len as u16).to_be_bytes()),
                    len => bytes.extend([&[0x80][..], &(len as u32).to_be_bytes()].concat()),
                }
                bytes.extend_from_slice(element.as_bytes());
            }
        }
        before = bytes.len() - last;
    }
    bytes.push(0xFF);
    let total = bytes.len() as u32;
    bytes[..4].copy_from_slice(&total.to_le_bytes());
    bytes[4..8].copy_from_slice(&(last as u32).to_le_bytes());
    bytes[8..10].copy_from_slice(&(elements.len() as u16).to_le_bytes());
    bytes
}

/// A zipmap whose values have some bytes of slack.
fn zipmap(texts: &[&str]) -> Vec<u8> {
    let len = |text: &str| match text.len() {
        len @ 0..254 => vec![len as u8],
        len => [&[254][..], &(len as u32).to_le_bytes()].concat(),
    };
    let mut bytes = vec![(texts.len() / 2) as u8];
    for (i, pair) in texts.chunks_exact(2).enumerate() {
        bytes.extend(
            [&len(pair[0]), pair[0].as_bytes(), &len(pair[1]), &[i as u8], pair[1].as_bytes()].concat(),
        );
        bytes.extend(vec![b'?'; i]);
    }
    bytes.push(0xFF);
    bytes
}

/// Payloads in the forms that no server writes any more, or none as old as the oracle: what they are, the version that
/// brought the form, the payload, and the requests that make the same value.
fn other_forms() -> Vec<(&'static str, u16, Vec<u8>, Vec<String>)> {
    let long = "x".repeat(300);
    let longer = "y".repeat(20_000);
    let elements = [
        "a",
        "7",
        "12",
        "13",
        "-1",
        "128",
        "-300",
        "70000",
        "-8388608",
        "8388608",
        "-5000000000",
        "",
        &long,
        "b",
        &longer,
        "c",
    ];
    let pairs = ["a", "1", "b", "2.5", "c", "-3", "long", "1e30"];
    let body = |form: u8, parts: &[Vec<u8>]| [&[form][..], &parts.concat()].concat();
    let score = |n: f64| n.to_le_bytes().to_vec();
    let rpush = || vec![format!("RPUSH k {}", elements.join(" "))];
    let hset = || vec![format!("HSET k {}", pairs.join(" "))];
    let zadd = |request: &str| vec![request.to_string()];
    let old_scores = [
        &strings(&["a"])[..],
        b"\x031.5",
        &strings(&["b"]),
        b"\xfe",
        &strings(&["c"]),
        b"\xff",
        &strings(&["d"]),
        b"\x02-7",
    ]
    .concat();
    let far = 32_503_680_000_000i64;
    let at = |more: i64| (far + more).to_le_bytes().to_vec();
    let mortal = || vec!["HSET k a 1 b 2".to_string(), format!("HPEXPIREAT k {} FIELDS 1 a", far + 5)];
    let triples =
        [&b"\x1d\0\0\0\x06\0\x81a\x02\x01\x01\xf4"[..], &at(5), b"\x09\x81b\x02\x02\x01\x00\x01\xff"]
            .concat();
    let mut two_ziplists = elements.to_vec();
    two_ziplists.extend(elements);
    vec![
        ("a linked list", 1, body(1, &[length(16), strings(&elements)]), rpush()),
        ("a ziplist as a list", 2, body(10, &[string(&ziplist(&elements))]), rpush()),
        (
            "a quicklist of ziplists",
            7,
            body(
                14,
                &[length(3), string(&ziplist(&elements)), string(&ziplist(&[])), string(&ziplist(&elements))],
            ),
            vec![format!("RPUSH k {}", two_ziplists.join(" "))],
        ),
        ("old scores", 1, body(3, &[length(4), old_scores]), zadd("ZADD k 1.5 a inf b -inf c -7 d")),
        (
            "scores in eight bytes",
            8,
            body(5, &[length(2), strings(&["a"]), score(0.1), strings(&["b"]), score(-0.0)]),
            zadd("ZADD k 0.1 a -0.0 b"),
        ),
        (
            "a ziplist as a sorted set",
            2,
            body(12, &[string(&ziplist(&["c", "-3", "a", "1", "b", "2.5", "long", "1e30"]))]),
            zadd("ZADD k 1 a 2.5 b -3 c 1e30 long"),
        ),
        ("a ziplist as a hash", 4, body(13, &[string(&ziplist(&pairs))]), hset()),
        ("a zipmap", 2, body(9, &[string(&zipmap(&pairs))]), hset()),
        ("a hash of strings", 1, body(4, &[length(4), strings(&pairs)]), hset()),
        (
            "a zipmap of long values",
            2,
            body(9, &[string(&zipmap(&[&long, "v", "f", &long]))]),
            vec![format!("HSET k {long} v f {long}")],
        ),
        (
            "a compressed string",
            1,
            body(0, &[vec![0xC3], length(5), length(12), b"\x00a\xe0\x02".to_vec(), vec![0]]),
            vec![],
        ),
        (
            "a hash of which fields expire",
            12,
            body(24, &[at(5), length(2), length(1), strings(&["a", "1"]), length(0), strings(&["b", "2"])]),
            mortal(),
        ),
        (
            "the same before it was done",
            12,
            body(
                22,
                &[length(2), length(far as usize + 5), strings(&["a", "1"]), length(0), strings(&["b", "2"])],
            ),
            mortal(),
        ),
        (
            "the same of Valkey",
            80,
            body(
                22,
                &[
                    length(2),
                    strings(&["a", "1"]),
                    at(5),
                    strings(&["b", "2"]),
                    (-1i64).to_le_bytes().to_vec(),
                ],
            ),
            mortal(),
        ),
        ("the same in a listpack", 12, body(25, &[at(5), string(&triples)]), mortal()),
        ("the same before that was done", 12, body(23, &[string(&triples)]), mortal()),
        (
            "a set in a listpack",
            11,
            body(20, &[string(b"\x0c\0\0\0\x02\0\x81a\x02\x07\x01\xff")]),
            zadd("SADD k a 7"),
        ),
    ]
}

#[test]
fn forms_of_other_times_are_read_as_redis_reads_them() {
    let (mut redis, mut keyside) = (Redis::start(), Keyside::new());
    for (name, version, body, requests) in other_forms() {
        keyside.run("DEL k");
        requests.iter().for_each(|request| drop(keyside.run(request)));
        assert_eq!(keyside.restore("old", &sealed(&body, version)), Reply::ok(), "{name}");
        if !requests.is_empty() {
            assert_eq!(keyside.digest("old"), keyside.digest("k"), "{name}");
        }
        let Some(redis) = redis.as_mut().filter(|_| version <= 10) else { continue };
        assert_eq!(redis.restore("old", &sealed(&body, version)), Reply::ok(), "{name}");
        assert_eq!(redis.restore("new", &keyside.dump("old")), Reply::ok(), "{name}");
        assert_eq!(redis.digest("new"), redis.digest("old"), "{name}");
    }
}

#[test]
fn only_payloads_of_known_versions_are_taken() {
    let mut keyside = Keyside::new();
    let refused = Reply::Line("-ERR DUMP payload version or checksum are wrong".into());
    for version in [1, 6, 9, 10, 11, 12, 13, 80] {
        assert_eq!(keyside.restore("k", &sealed(b"\x00\x01v", version)), Reply::ok(), "{version}");
    }
    for version in [0, 14, 15, 79, 81, u16::MAX] {
        assert_eq!(keyside.restore("k", &sealed(b"\x00\x01v", version)), refused, "{version}");
    }
}

#[test]
fn values_of_modules_are_refused() {
    let mut keyside = Keyside::new();
    let refused = Reply::Line("-ERR Bad data format".into());
    for form in [6, 7, 8, 33, 243, 255] {
        assert_eq!(keyside.restore("k", &sealed(&[form, 1, 1, 1, 1, 0], 10)), refused, "{form}");
    }
}

/// Random numbers that are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound
    }

    /// Some bytes, damaged in one of the ways in which strangers damage them.
    fn damage(&mut self, body: &[u8]) -> Vec<u8> {
        const LENGTHS: [&[u8]; 6] = [
            b"\x00",
            b"\x7f\xff",
            b"\x80\xff\xff\xff\xff",
            b"\x81\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xc3",
            b"\xff\xff\xff\x7f",
        ];
        let (mut bytes, at) = (body.to_vec(), self.below(body.len()));
        match self.below(7) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes[at] = self.below(256) as u8,
            // Most of what tells lengths stands at the beginning.
            3 => bytes[at.min(self.below(24))] = self.below(256) as u8,
            4 => {
                let lie = LENGTHS[self.below(LENGTHS.len())];
                let at = at.min(self.below(40));
                let end = (at + lie.len()).min(bytes.len());
                bytes.splice(at..end, lie.iter().copied());
            }
            5 => drop(bytes.drain(at..(at + 1 + self.below(8)).min(body.len()))),
            _ => bytes.insert(at, self.below(256) as u8),
        }
        bytes
    }
}

#[test]
fn damaged_payloads_are_refused_or_hold_a_whole_value() {
    let (mut keyside, mut chance) = (Keyside::new(), Chance(11));
    let bad_seal = Reply::Line("-ERR DUMP payload version or checksum are wrong".into());
    let bad_data = Reply::Line("-ERR Bad data format".into());
    let mut samples: Vec<(&str, Vec<u8>)> =
        other_forms().into_iter().map(|(name, _, body, _)| (name, body)).collect();
    for compression in ["no", "yes"] {
        keyside.run(&format!("CONFIG SET rdbcompression {compression}"));
        for (name, requests) in values() {
            keyside.run("DEL k");
            requests.iter().for_each(|request| drop(keyside.run(request)));
            let payload = keyside.dump("k");
            samples.push((name, payload[..payload.len() - 10].to_vec()));
        }
    }
    for (name, body) in samples {
        let (mut refused, payload) = (0, sealed(&body, 11));
        keyside.run("DEL k");
        // Large values take long, and there are small ones of the same kinds.
        let damages = if body.len() < 10_000 { 200 } else { 20 };
        for _ in 0..damages {
            let damaged = chance.damage(&payload);
            if damaged != payload {
                // Zeros at the front are beyond the checksum: what stands behind them is looked at then.
                let reply = keyside.restore("k", &damaged);
                assert!(reply == bad_seal || reply == bad_data, "{name}: {reply:?}");
            }
            assert_eq!(keyside.run("EXISTS k"), Reply::Line(":0".into()), "{name}");
            let damaged = chance.damage(&body);
            match keyside.restore("k", &sealed(&damaged, 11)) {
                reply if reply == bad_data => {
                    assert_eq!(keyside.run("EXISTS k"), Reply::Line(":0".into()), "{name}");
                    refused += 1;
                }
                reply => {
                    assert_eq!(reply, Reply::ok(), "{name}");
                    keyside.engine.check();
                    let again = keyside.dump("k");
                    assert_eq!(keyside.restore("again", &again), Reply::ok(), "{name}");
                    assert_eq!(keyside.digest("again"), keyside.digest("k"), "{name}");
                    keyside.run("DEL k again");
                }
            }
        }
        assert!(refused > damages / 20, "{name}: {refused}");
    }
}
