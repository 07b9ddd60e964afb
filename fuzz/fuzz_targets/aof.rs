//! Any bytes as a part of an append-only file, in two cuts: they are refused where they make no sense, or run.
#![no_main]

use keyside::{Config, Engine};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (u16, &[u8])| {
    let (cut, log) = data;
    let mut engine = Engine::new(Config::default(), 1);
    let mut replay = engine.begin_replay(1_700_000_000_000);
    let (first, rest) = log.split_at(cut as usize % (log.len() + 1));
    let run = engine.replay(&mut replay, first, 0).and_then(|()| engine.replay(&mut replay, rest, 0));
    if let Err(damage) = run {
        assert!(damage.position <= log.len() as u64);
    }
    engine.end_replay(replay);
    engine.check();
});
