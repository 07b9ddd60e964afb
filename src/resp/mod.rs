//! The wire: words come in, replies go out. Nothing here knows what a command means.

mod reader;
mod request;
mod writer;

pub use reader::{Piece, read_piece, reply_len};
pub use request::{Limits, ProtocolError, RequestParser, quoted, split_quoted};
pub use writer::{Version, Writer};
