//! What only the host of the module knows: a clock for durations, how much memory is allocated, and what was said last
//! before a failure ended the instance.

use alloc::string::{String, ToString};
use std::{
    cell::{Cell, RefCell},
    panic,
};

use wasm_bindgen::prelude::wasm_bindgen;

use super::std;
use crate::{data::containers::counting::Counting, engine::Host};

#[global_allocator]
static ALLOCATOR: Counting<std::alloc::System> = Counting::new(std::alloc::System);

#[wasm_bindgen]
extern "C" {
    /// Milliseconds from the start of the page or process.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    /// Fills bytes that nobody can foresee.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);
}

std::thread_local! {
    static IS_TIMED: Cell<bool> = const { Cell::new(false) };
    static LAST_WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The host as the engine sees it.
pub fn host() -> Host {
    Host {
        clock,
        allocated: || ALLOCATOR.allocated(),
        entropy: Some(get_random_values),
        os: "wasm32".to_string(),
        ..Host::default()
    }
}

/// Says whether the next command is worth timing. Reading the clock twice costs as much as a GET, so commands of
/// constant or logarithmic time count as taking none; what can be slow is timed, and appears in SLOWLOG.
#[inline(always)]
pub fn time_next(is_timed: bool) {
    IS_TIMED.set(is_timed);
}

fn clock() -> u64 {
    if IS_TIMED.get() { (performance_now() * 1000.0) as u64 } else { 0 }
}

/// Keeps what a failure says, since the failure itself reaches JavaScript as a bare trap.
pub fn keep_last_words() {
    panic::set_hook(alloc::boxed::Box::new(|info| {
        let _ = LAST_WORDS.try_with(|words| words.replace(info.to_string()));
    }));
}

/// Shows what was kept.
pub fn last_words<T>(read: impl FnOnce(&str) -> T) -> T {
    LAST_WORDS.with_borrow(|words| read(words))
}
