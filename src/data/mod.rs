//! What values are made of. Nothing here knows of keys, clients or RESP.

pub mod containers;
pub mod limits;
pub mod number;
pub mod hash; pub mod list; pub mod set; pub mod sorted_set; pub mod stream;
