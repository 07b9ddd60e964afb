//! Any bytes as an RDB file, in two cuts: they are refused, or what they hold is whole and can be written and read again.
#![no_main]

use keyside::{Config, Engine};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (u16, &[u8])| {
    let (cut, file) = data;
    let mut config = Config::default();
    config.apply("rdbchecksum", &[b"no"]).unwrap();
    let mut engine = Engine::new(config, 1);
    if load(&mut engine, file, cut as usize % (file.len() + 1)) {
        engine.check();
        let again = engine.snapshot();
        let mut other = Engine::new(Config::default(), 2);
        assert!(load(&mut other, &again, 0));
        assert_eq!(other.digest(), engine.digest());
    }
});

fn load(engine: &mut Engine, file: &[u8], cut: usize) -> bool {
    let mut loader = engine.loader();
    let parts = [Some(&file[..cut]), Some(&file[cut..]), None];
    parts.into_iter().all(|bytes| engine.load(&mut loader, bytes, 1_700_000_000_000).is_ok())
}
