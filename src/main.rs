//! The server binary. It is a crate of its own around the library, so what it needs of the engine is what anybody can
//! have of it.
#![deny(unsafe_code)]

mod native;

use std::process::ExitCode;

use keyside::data::containers::counting::Counting;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting::new(MiMalloc);

fn main() -> ExitCode {
    native::main(|| ALLOCATOR.allocated())
}
