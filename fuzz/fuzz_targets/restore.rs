//! Any bytes as the body of a payload for RESTORE, of any version and rightly sealed: they are refused, or make a value that can
//! be dumped and restored again.
#![no_main]

use crc::{CRC_64_REDIS, Crc};
use keyside::{ClientId, Config, Engine, Origin};
use libfuzzer_sys::fuzz_target;

static CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

fuzz_target!(|data: (u8, &[u8])| {
    let (version, body) = data;
    let mut engine = Engine::new(Config::default(), 1);
    let client = engine.connect(Origin::default(), 0);
    let sealed = [body, &u16::from(version).to_le_bytes()].concat();
    let payload = [&sealed[..], &CHECKSUM.checksum(&sealed).to_le_bytes()].concat();
    if ask(&mut engine, client, &[b"RESTORE", b"k", b"0", &payload]) == b"+OK\r\n" {
        engine.check();
        let dumped = ask(&mut engine, client, &[b"DUMP", b"k"]);
        // Fields that had expired may have been all of it.
        if dumped != b"$-1\r\n" {
            let start = dumped.iter().position(|&byte| byte == b'\n').unwrap() + 1;
            let again = &dumped[start..dumped.len() - 2];
            let restored = ask(&mut engine, client, &[b"RESTORE", b"again", b"0", again]);
            assert_eq!(restored, b"+OK\r\n");
        }
        engine.check();
    }
});

fn ask(engine: &mut Engine, client: ClientId, words: &[&[u8]]) -> Vec<u8> {
    engine.execute(client, words, 1_700_000_000_000);
    std::mem::take(engine.output(client).unwrap())
}
