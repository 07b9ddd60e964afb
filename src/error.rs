//! Every refusal, in Redis's exact words. What the host failed at (disk, socket) and our own bugs are not errors of this kind.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

/// The result of anything that a command can refuse.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a command was refused. [`Error::text`] is the exact text Redis sends; its first word is the error code.
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
    /// Any other refusal, with its whole text: bytes, as it may repeat what a client sent.
    Refused(Cow<'static, [u8]>),
}

impl Error {
    /// A refusal with a fixed text.
    pub const fn refused(text: &'static str) -> Error {
        Error::Refused(Cow::Borrowed(text.as_bytes()))
    }

    /// A refusal that repeats a word of the client's between two texts.
    pub fn quoting(before: &str, word: &[u8], after: &str) -> Error {
        Error::from([before.as_bytes(), quotable(word), after.as_bytes()].concat())
    }

    /// The exact text.
    pub fn text(&self) -> &[u8] {
        match self {
            Error::WrongType => b"WRONGTYPE Operation against a key holding the wrong kind of value",
            Error::Syntax => b"ERR syntax error",
            Error::NotInteger => b"ERR value is not an integer or out of range",
            Error::NotFloat => b"ERR value is not a valid float",
            Error::OutOfRange => b"ERR value is out of range",
            Error::Arity => b"ERR wrong number of arguments",
            Error::NoSuchKey => b"ERR no such key",
            Error::IndexOutOfRange => b"ERR index out of range",
            Error::Overflow => b"ERR increment or decrement would overflow",
            Error::Refused(text) => text,
        }
    }

    /// The first word of the text, under which INFO counts the error.
    pub fn code(&self) -> &str {
        let word = self.text().split(|&byte| byte == b' ').next().unwrap_or_default();
        core::str::from_utf8(word).unwrap_or_default()
    }
}

/// What an error may repeat of a client's word: a zero byte ends it, as it does in C.
pub fn quotable(word: &[u8]) -> &[u8] {
    word.split(|&byte| byte == 0).next().unwrap_or_default()
}

impl From<String> for Error {
    fn from(text: String) -> Error {
        Error::from(text.into_bytes())
    }
}

impl From<Vec<u8>> for Error {
    fn from(text: Vec<u8>) -> Error {
        Error::Refused(Cow::Owned(text))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.text()))
    }
}

impl core::error::Error for Error {}
