//! Replies back to values, for whoever wants values rather than bytes: tests, scripts, replicas. It borrows everything
//! from the bytes and builds nothing.

/// One piece of a reply: a value, or the head of a collection whose pieces follow.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Piece<'a> {
    Simple(&'a [u8]),
    Error(&'a [u8]),
    Integer(i64),
    Double(&'a [u8]),
    Boolean(bool),
    BigNumber(&'a [u8]),
    Bulk(&'a [u8]),
    /// Text with its three-letter format in front: `txt:…`.
    Verbatim(&'a [u8]),
    Null,
    Array(usize),
    Map(usize),
    Set(usize),
    Push(usize),
    Attribute(usize),
}

impl Piece<'_> {
    /// How many pieces follow that belong to this one, their own not counted.
    pub fn children(&self) -> usize {
        match *self {
            Piece::Array(n) | Piece::Set(n) | Piece::Push(n) => n,
            Piece::Map(n) => 2 * n,
            // An attribute stands in front of the reply it belongs to.
            Piece::Attribute(n) => 2 * n + 1,
            _ => 0,
        }
    }
}

/// Reads the first piece of `bytes`: the piece, and how many bytes it took. `None` when the bytes end before it does,
/// or are no reply at all.
pub fn read_piece(bytes: &[u8]) -> Option<(Piece<'_>, usize)> {
    let end = memchr::memchr(b'\r', bytes)?;
    let (line, next) = (bytes.get(1..end)?, end + 2);
    if bytes.len() < next {
        return None;
    }
    let count = || crate::data::number::parse_u64(line).and_then(|n| usize::try_from(n).ok());
    let body = || {
        let end = next.checked_add(count()?)?;
        Some((bytes.get(next..end)?, end + 2)).filter(|_| bytes.len() >= end + 2)
    };
    let piece = match bytes[0] {
        b'+' => Piece::Simple(line),
        b'-' => Piece::Error(line),
        b':' => Piece::Integer(crate::data::number::parse_i64(line)?),
        b',' => Piece::Double(line),
        b'#' => Piece::Boolean(line == b"t"),
        b'(' => Piece::BigNumber(line),
        b'_' => Piece::Null,
        b'$' | b'*' if line == b"-1" => Piece::Null,
        b'$' => return body().map(|(body, used)| (Piece::Bulk(body), used)),
        b'=' => return body().map(|(body, used)| (Piece::Verbatim(body), used)),
        b'*' => Piece::Array(count()?),
        b'%' => Piece::Map(count()?),
        b'~' => Piece::Set(count()?),
        b'>' => Piece::Push(count()?),
        b'|' => Piece::Attribute(count()?),
        _ => return None,
    };
    Some((piece, next))
}

/// The length of the first whole reply in `bytes`, or `None` when it is not complete.
pub fn reply_len(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut missing) = (0, 1);
    while missing > 0 {
        let (piece, used) = read_piece(bytes.get(at..)?)?;
        at += used;
        missing += piece.children();
        missing -= 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_complete_with_its_last_byte() {
        let bytes = b"%2\r\n$1\r\na\r\n*2\r\n:1\r\n_\r\n+b\r\n~1\r\n#t\r\n";
        assert_eq!(reply_len(bytes), Some(bytes.len()));
        for end in 0..bytes.len() {
            assert_eq!(reply_len(&bytes[..end]), None, "the first {end} bytes");
        }
        assert_eq!(read_piece(b"$2\r\nhi\r\n"), Some((Piece::Bulk(b"hi"), 8)));
        assert_eq!(read_piece(b"$-1\r\n"), Some((Piece::Null, 5)));
        assert_eq!(read_piece(b"$99999999999999999999\r\n"), None);
        assert_eq!(read_piece(b"?\r\n"), None);
    }
}
