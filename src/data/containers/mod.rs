//! The structures under the values: the only home of `unsafe`.
#![allow(unsafe_code)]

mod block;
pub mod intset;
pub mod listpack;
pub mod tagged;
