//! What values are made of. Nothing here knows of keys, clients or RESP.

pub mod containers;
pub mod geohash;
pub mod glob;
pub mod hash;
pub mod hyperloglog;
pub mod limits;
pub mod list;
pub mod number;
pub mod set;
pub mod sorted_set;
pub mod sorting;
pub mod stream;
