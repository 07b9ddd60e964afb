//! The structures under the values: the only home of `unsafe`.
#![allow(unsafe_code)]

mod block;
pub mod counting;
pub mod deadlines;
pub mod dict;
pub mod entry;
pub mod intset;
pub mod keyed_hash;
pub mod lent;
pub mod listpack;
pub mod ordered;
pub mod packed_set;
pub mod rank_tree;
pub mod slab;
pub mod table;
pub mod tagged;

#[cfg(test)]
pub(crate) mod testing;
