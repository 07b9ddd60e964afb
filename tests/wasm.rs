//! The store as wasm: what must be as on a server, asked in Node and in a browser. Not the npm package, which has its own
//! tests in pkg/test.
#![cfg(target_arch = "wasm32")]

use keyside as _;
use wasm_bindgen_test::wasm_bindgen_test;

/// The bits are what x86-64 computes: replies with floats, and geo scores, must not tell one target from another.
#[wasm_bindgen_test]
fn float_functions_give_the_bits_of_a_server() {
    assert_eq!(libm::asin(0.5).to_bits(), 0x3fe0_c152_382d_7366);
    assert_eq!(libm::sin(2.0).to_bits(), 0x3fed_18f6_ead1_b446);
    assert_eq!(libm::cos(1.0).to_bits(), 0x3fe1_4a28_0fb5_068c);
    assert_eq!(libm::log(7.0).to_bits(), 0x3fff_2272_ae32_5a57);
    assert_eq!(libm::pow(1.1, 0.3).to_bits(), 0x3ff0_76ce_be41_bf7a);
}
