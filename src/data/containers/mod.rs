//! The structures under the values: the only home of `unsafe`.
#![allow(unsafe_code)]

pub mod dict;
pub mod rank_tree;
pub mod slab;

#[cfg(test)]
pub(crate) mod testing;
