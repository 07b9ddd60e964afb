//! What values are made of. Nothing here knows of keys, clients or RESP.

pub mod containers;
pub mod glob;
pub mod list;
pub mod number;
pub mod stream;
