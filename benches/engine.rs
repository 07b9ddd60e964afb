//! The engine in process, without sockets: nanoseconds a command, the worst single insert while a store grows, the lag
//! of expiry. `cargo bench --bench engine`; `KEYS=5000000` sets the size of the growth test.
//!
//! Times on a shared machine are noisy: every figure is the median of rounds.

use std::{hint::black_box, time::Instant};

use keyside::{ClientId, Config, Engine, Origin};

const ROUNDS: usize = 7;
const BATCH: usize = 100_000;
const NOW: u64 = 1_700_000_000_000;

struct Bench {
    engine: Engine,
    client: ClientId,
}

impl Bench {
    fn new() -> Bench {
        let mut engine = Engine::new(Config::default(), 1);
        let client = engine.connect(Origin::default(), NOW);
        Bench { engine, client }
    }

    fn send(&mut self, bytes: &[u8], now_ms: u64) {
        self.engine.receive(self.client, bytes, now_ms);
        let out = self.engine.output(self.client).expect("connected");
        assert!(!out.starts_with(b"-"), "{}", out.escape_ascii());
        black_box(&*out);
        out.clear();
    }

    /// Median nanoseconds of a command that `make` makes out of a number below 100,000, 16 to a pipeline.
    fn measure(&mut self, name: &str, make: impl Fn(usize) -> String) {
        let requests: Vec<Vec<u8>> = (0..BATCH).map(|i| encode(&make(scatter(i)))).collect();
        let pipelines: Vec<Vec<u8>> = requests.chunks(16).map(|chunk| chunk.concat()).collect();
        let mut times: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                pipelines.iter().for_each(|pipeline| self.send(pipeline, NOW));
                start.elapsed().as_nanos() as f64 / BATCH as f64
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{name:28} {:8.0} ns", times[ROUNDS / 2]);
    }
}

/// A permutation of the numbers below 100,000.
fn scatter(i: usize) -> usize {
    i * 7919 % BATCH
}

fn encode(line: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut out = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| out += &format!("${}\r\n{word}\r\n", word.len()));
    out.into_bytes()
}

fn commands() {
    let value = "v".repeat(64);
    let mut bench = Bench::new();
    bench.measure("PING", |_| "PING".into());
    bench.measure("SET", |i| format!("SET key:{i:012} {value}"));
    bench.measure("GET", |i| format!("GET key:{i:012}"));
    bench.measure("SET EX", |i| format!("SET ttl:{i:012} {value} EX {}", 1000 + i));
    bench.measure("INCR", |i| format!("INCR counter:{i:012}"));
    bench.measure("LPUSH", |_| format!("LPUSH list {value}"));
    bench.measure("RPOP", |_| "RPOP list".into());
    bench.measure("SADD", |i| format!("SADD set element:{i:012}"));
    bench.measure("HSET", |i| format!("HSET hash element:{i:012} {value}"));
    bench.measure("HGET", |i| format!("HGET hash element:{i:012}"));
    bench.measure("ZADD", |i| format!("ZADD zset {i} element:{i:012}"));
    bench.measure("ZRANK", |i| format!("ZRANK zset element:{i:012}"));
    bench.measure("ZRANGE of 100", |i| format!("ZRANGE zset {i} {}", i + 99));
    bench.measure("XADD", |i| format!("XADD stream * temp {i}"));
}

fn growth(keys: usize) {
    let mut bench = Bench::new();
    let mut worst = [0u128; 5];
    for i in 0..keys {
        let request = encode(&format!("SET key:{i:012} 12345678"));
        let start = Instant::now();
        bench.send(&request, NOW);
        let took = start.elapsed().as_nanos();
        if took > worst[0] {
            worst[0] = took;
            worst.sort();
        }
    }
    let worst: Vec<String> = worst.iter().rev().map(|ns| format!("{:.0}", *ns as f64 / 1000.0)).collect();
    println!("growing to {keys} keys: worst inserts {} µs", worst.join(" "));
}

/// Keys with short lives among a million with long ones: how late after its deadline each is gone, when the engine is
/// ticked as it asks to be.
fn expiry() {
    let mut bench = Bench::new();
    for i in 0..1_000_000 {
        bench.send(&encode(&format!("SET long:{i} x PX {}", 1_000_000 + scatter(i) * 10)), NOW);
    }
    let deadlines: Vec<u64> = (0..1000).map(|i| NOW + 100 + i * 7 % 5000).collect();
    for (i, deadline) in deadlines.iter().enumerate() {
        bench.send(&encode(&format!("SET short:{i} x PXAT {deadline}")), NOW);
    }
    let mut lags = Vec::new();
    let mut gone = 0;
    while let Some(due) = bench.engine.next_deadline().filter(|due| *due < NOW + 10_000) {
        let start = Instant::now();
        bench.engine.tick(due);
        let lag_ms = start.elapsed().as_micros() as f64 / 1000.0;
        let left = deadlines.iter().filter(|deadline| **deadline > due).count();
        let now_gone = deadlines.len() - left;
        lags.extend(std::iter::repeat_n(lag_ms, now_gone - gone));
        gone = now_gone;
    }
    lags.sort_by(f64::total_cmp);
    println!(
        "expiry among 1000000 others: {gone} of 1000, p99 {:.3} ms after the tick that was asked for",
        lags[lags.len() * 99 / 100]
    );
}

fn main() {
    commands();
    growth(std::env::var("KEYS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000_000));
    expiry();
}
