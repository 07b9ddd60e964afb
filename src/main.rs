//! The server binary. It is a crate of its own around the library, so what it needs of the engine is what anybody can
//! have of it.
#![deny(unsafe_code)]

mod native;

use std::{alloc::System, process::ExitCode};

use keyside::data::containers::counting::Counting;

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

fn main() -> ExitCode {
    native::main(|| ALLOCATOR.allocated())
}
