//! The store as wasm: what must be as on a server, asked in Node and in a browser. Not the npm package, which has its own
//! tests in pkg/test.
#![cfg(target_arch = "wasm32")]

#[allow(dead_code)]
mod transcript;

use keyside::{Config, Engine, Origin};
use transcript::{document::Document, in_process::InProcess, peer::Kind, runner::run};
use wasm_bindgen_test::wasm_bindgen_test;

macro_rules! families {
    ($($name:ident)*) => { $(
        #[wasm_bindgen_test]
        fn $name() {
            check(concat!(stringify!($name), ".md"), include_str!(concat!("commands/", stringify!($name), ".md")));
        }
    )* };
}

families! {
    string hash list set sorted_set stream generic connection server pubsub transactions bad_input
}

fn check(path: &str, text: &str) {
    let document = Document::parse(path, text).expect("its notation is right");
    let report = run(&document, &mut InProcess::new(), Kind::Keyside, false);
    assert!(report.exchanges > 0, "{path} is asked");
    assert!(report.failures.is_empty(), "\n\n{}\n", report.failures.join("\n\n"));
}

#[wasm_bindgen_test]
fn time_is_what_the_caller_says() {
    let mut engine = Engine::new(Config::default(), 42);
    let client = engine.connect(Origin::default(), 0);
    engine.receive(client, b"SET k v PX 100\r\n", 1000);
    assert_eq!(engine.next_deadline(), Some(1100));
    engine.receive(client, b"GET k\r\n", 1099);
    engine.receive(client, b"GET k\r\n", 1100);
    assert_eq!(engine.output(client).unwrap(), b"+OK\r\n$1\r\nv\r\n$-1\r\n");
}

/// The bits are what x86-64 computes: replies with floats, and geo scores, must not tell one target from another.
#[wasm_bindgen_test]
fn float_functions_give_the_bits_of_a_server() {
    assert_eq!(libm::asin(0.5).to_bits(), 0x3fe0_c152_382d_7366);
    assert_eq!(libm::sin(2.0).to_bits(), 0x3fed_18f6_ead1_b446);
    assert_eq!(libm::cos(1.0).to_bits(), 0x3fe1_4a28_0fb5_068c);
    assert_eq!(libm::log(7.0).to_bits(), 0x3fff_2272_ae32_5a57);
    assert_eq!(libm::pow(1.1, 0.3).to_bits(), 0x3ff0_76ce_be41_bf7a);
}
