//! The wire: words come in, replies go out. Nothing here knows what a command means.

mod request;
mod writer;

pub use request::{Limits, ProtocolError, RequestParser, split_quoted};
pub use writer::{Version, Writer};
