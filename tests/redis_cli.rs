//! The modes of `redis-cli` in which people look at a server, and the first requests of RedisInsight. Each runs for a moment
//! against a server with a few thousand keys; without a `redis-cli` there is nothing to run.
#![cfg(feature = "native")]

#[allow(dead_code, reason = "the transcripts need more of it")]
#[path = "transcript/peer.rs"]
mod peer;

use std::{
    env,
    process::{Command, Stdio},
};

use peer::Peer;

/// A running server, which ends with the test.
struct Server(Peer);

impl Server {
    fn start() -> Server {
        let peer = Peer::new_keyside(&["--maxmemory-policy", "allkeys-lfu"]);
        Server(peer.expect("this crate's server is built"))
    }

    /// What `redis-cli` prints with these words. It is ended after a second if it does not end by itself.
    fn cli(&self, words: &str) -> String {
        self.cli_words(&words.split(' ').collect::<Vec<_>>())
    }

    fn cli_words(&self, words: &[&str]) -> String {
        let mut command = Command::new("timeout");
        command.args([
            "-s",
            "INT",
            "1",
            "stdbuf",
            "-o0",
            "redis-cli",
            "-p",
            &self.0.address.port().to_string(),
        ]);
        let output = command.args(words).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

fn has_redis_cli() -> bool {
    let found = Command::new("redis-cli").arg("--version").output().is_ok();
    assert!(found || env::var("CI").as_deref() != Ok("true"), "there is no redis-cli");
    found
}

#[test]
fn every_mode_shows_what_is_there() {
    if !has_redis_cli() {
        return;
    }
    let server = Server::start();
    server.cli_words(&["EVAL", "for i = 0, 2999 do redis.call('SET', 'key:' .. i, 'v') end", "0"]);
    server.cli("RPUSH list 1 2 3 4 5 6 7 8 9");
    server.cli("HSET hash a 1 b 2");
    server.cli(
        "SET long xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    );
    (0..20).for_each(|_| drop(server.cli("GET long")));
    for (mode, parts) in [
        ("--scan", &["key:0", "key:2999", "list"][..]),
        ("--scan --pattern key:29*", &["key:29\n", "key:2999"]),
        (
            "--bigkeys",
            &[
                "Sampled 3003 keys",
                "Biggest   list found",
                "has 9 items",
                "Biggest string found '\"long\"' has 89 bytes",
            ],
        ),
        ("--memkeys", &["Sampled 3003 keys", "Biggest string found '\"long\"' has "]),
        ("--hotkeys", &["Sampled 3003 keys", "hot key found with counter: "]),
        ("--stat -i 0.2", &["keys       mem", "3003 "]),
        ("--latency --raw -i 0.2", &[" "]),
        ("--pipe", &["errors: 0, replies: 0"]),
        ("--memkeys-samples 5", &["Sampled 3003 keys"]),
    ] {
        let shown = server.cli(mode);
        for part in parts {
            assert!(shown.contains(part), "{mode}: {part:?} is not in\n{shown}");
        }
    }
}

#[test]
fn redis_insight_finds_what_it_asks_for_first() {
    if !has_redis_cli() {
        return;
    }
    let server = Server::start();
    server.cli("SET k v EX 100");
    for (request, part) in [
        ("INFO", "redis_version:"),
        ("INFO server", "redis_mode:standalone"),
        ("MODULE LIST", "\n"),
        ("CONFIG GET databases", "16"),
        ("CLIENT LIST", "cmd=client|list"),
        ("CLIENT SETINFO LIB-NAME insight", "OK"),
        ("COMMAND COUNT", ""),
        ("ACL WHOAMI", "default"),
        ("DBSIZE", "1"),
        ("SLOWLOG GET 10", "\n"),
        ("CONFIG GET slowlog*", "slowlog-max-len"),
        ("SCAN 0 COUNT 100", "k"),
        ("TYPE k", "string"),
        ("TTL k", ""),
        ("MEMORY USAGE k SAMPLES 0", ""),
        ("CLUSTER INFO", "cluster support disabled"),
        ("MEMORY DOCTOR", "bytes"),
        ("PUBSUB CHANNELS", "\n"),
    ] {
        let shown = server.cli(request);
        assert!(shown.contains(part) && !shown.starts_with("ERR unknown"), "{request}: {shown}");
    }
}
