//! Every refusal, in Redis's exact words. What the host failed at (disk, socket) and our own bugs are not errors of this kind.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

/// The result of anything that a command can refuse.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a command was refused. `Display` is the exact text Redis sends; its first word is the error code.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The key holds a value of another kind.
    WrongType,
    /// The words do not follow the command's grammar.
    Syntax,
    /// A word is no integer of 64 bits.
    NotInteger,
    /// A word is no floating point number.
    NotFloat,
    /// A number is outside the range the command accepts.
    OutOfRange,
    /// The wrong number of words; dispatch adds the name of the command.
    Arity,
    /// The named key does not exist.
    NoSuchKey,
    /// A position outside the list.
    IndexOutOfRange,
    /// Arithmetic that would leave the range of a 64-bit integer.
    Overflow,
    /// Any other refusal, with its whole text.
    Refused(Cow<'static, str>),
    /// Any other refusal that quotes the request, in which there may be any bytes.
    Quoting(Vec<u8>),
}

impl Error {
    /// A refusal with a fixed text.
    pub const fn refused(text: &'static str) -> Error {
        Error::Refused(Cow::Borrowed(text))
    }

    /// A refusal that quotes a word as it came, up to a zero byte, where the texts of Redis end.
    pub fn quoting(before: &str, word: &[u8], after: &str) -> Error {
        Error::Quoting([before.as_bytes(), until_zero(word), after.as_bytes()].concat())
    }

    /// A refusal that quotes several words: texts and words in turn, each word up to a zero byte.
    pub fn quoting_all(parts: &[&[u8]]) -> Error {
        Error::Quoting(parts.iter().flat_map(|part| until_zero(part)).copied().collect())
    }

    /// The first word of the text, under which INFO counts the error.
    pub fn code(text: &str) -> &str {
        text.split(' ').next().unwrap_or(text)
    }
}

impl From<String> for Error {
    fn from(text: String) -> Error {
        Error::Refused(Cow::Owned(text))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Quoting(text) => return f.write_str(&String::from_utf8_lossy(text)),
            Error::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            Error::Syntax => "ERR syntax error",
            Error::NotInteger => "ERR value is not an integer or out of range",
            Error::NotFloat => "ERR value is not a valid float",
            Error::OutOfRange => "ERR value is out of range",
            Error::Arity => "ERR wrong number of arguments",
            Error::NoSuchKey => "ERR no such key",
            Error::IndexOutOfRange => "ERR index out of range",
            Error::Overflow => "ERR increment or decrement would overflow",
            Error::Refused(text) => text,
        })
    }
}

impl core::error::Error for Error {}

/// What a word is to whoever takes it for a C string.
pub(crate) fn until_zero(word: &[u8]) -> &[u8] {
    word.split(|byte| *byte == 0).next().unwrap_or_default()
}
