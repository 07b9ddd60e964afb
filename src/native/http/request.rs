//! Requests of HTTP/1.1 as they come over a connection: the head, and a body of a length that is told before or in chunks.
//! What they ask for is none of its business.

use std::io;

use httparse::Status;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::OwnedWriteHalf,
};

/// The longest head of a request, and the longest body of somebody unknown.
const HEAD_MAX: usize = 16 << 10;
/// The longest body.
const BODY_MAX: usize = 64 << 20;
const HEADERS_MAX: usize = 64;

/// A request.
#[derive(Default)]
pub struct Request {
    /// The method, as it was sent.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
    /// Whether the connection goes on after it.
    pub keeps_alive: bool,
}

/// Why there is no request.
pub enum Refused {
    /// It is none that is understood; the status to answer.
    Request(u16),
    /// The connection is broken.
    Io,
}

/// How the end of a body is found.
#[derive(Debug, PartialEq)]
enum Extent {
    Length(usize),
    Chunks,
}

/// A body that comes in chunks, as far as it has come.
struct Chunks {
    body: Vec<u8>,
    body_max: usize,
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Refused::Io
    }
}

impl Request {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// What is before the question mark, and what is behind it.
    pub fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// Whether a header that lists words has this one.
    fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case(word))
    }

    fn extent(&self) -> Result<Extent, Refused> {
        let encodings: Vec<&str> = self.values("transfer-encoding").collect();
        let mut lengths = self.values("content-length");
        match (&encodings[..], lengths.next()) {
            ([], None) => Ok(Extent::Length(0)),
            ([], Some(length)) if lengths.all(|other| other == length) => {
                let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
                let length = length.parse().unwrap_or(usize::MAX);
                if is_number { Ok(Extent::Length(length)) } else { Err(Refused::Request(400)) }
            }
            // Of a request with two ends, others might see another end.
            (_, Some(_)) => Err(Refused::Request(400)),
            ([chunked], None) if chunked.eq_ignore_ascii_case("chunked") => Ok(Extent::Chunks),
            _ => Err(Refused::Request(501)),
        }
    }
}

/// Reads a request; `pending` keeps what follows it. `None` when the connection ends before one.
pub async fn read(
    reader: &mut (impl AsyncReadExt + Unpin),
    writer: &mut OwnedWriteHalf,
    pending: &mut Vec<u8>,
    is_known: impl Fn(&Request) -> bool,
) -> Result<Option<Request>, Refused> {
    let mut request = loop {
        if let Some(request) = take_head(pending)? {
            break request;
        }
        if pending.len() > HEAD_MAX {
            return Err(Refused::Request(431));
        }
        if reader.read_buf(pending).await? == 0 {
            return Ok(None);
        }
    };
    let extent = request.extent()?;
    let (body_max, status) = if is_known(&request) { (BODY_MAX, 413) } else { (HEAD_MAX, 401) };
    if matches!(extent, Extent::Length(length) if length > body_max) {
        return Err(Refused::Request(status));
    }
    let expects_word = request.lists("expect", "100-continue");
    if expects_word && pending.is_empty() && extent != Extent::Length(0) {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let mut chunks = Chunks { body: Vec::new(), body_max };
    loop {
        let body = match extent {
            Extent::Length(length) => take_bytes(pending, length),
            Extent::Chunks => chunks.take(pending).map_err(|refused| refused.unless_full(status))?,
        };
        if let Some(body) = body {
            request.body = body;
            return Ok(Some(request));
        }
        if reader.read_buf(pending).await? == 0 {
            return Ok(None);
        }
    }
}

impl Refused {
    /// Refuses what is too long with another status.
    fn unless_full(self, status: u16) -> Refused {
        if let Refused::Request(413) = self { Refused::Request(status) } else { self }
    }
}

/// Takes so many bytes from the front, once they are there.
fn take_bytes(pending: &mut Vec<u8>, count: usize) -> Option<Vec<u8>> {
    let rest = (pending.len() >= count).then(|| pending.split_off(count))?;
    Some(std::mem::replace(pending, rest))
}

/// Takes the head of a request from the front, if all of it is there.
fn take_head(pending: &mut Vec<u8>) -> Result<Option<Request>, Refused> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(pending) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refused::Request(431)),
        Err(_) => return Err(Refused::Request(400)),
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_string(),
        target: parsed.path.unwrap_or_default().to_string(),
        headers: parsed.headers.iter().map(|it| (it.name.to_ascii_lowercase(), text(it.value))).collect(),
        ..Request::default()
    };
    request.keeps_alive = match parsed.version {
        Some(1) => !request.lists("connection", "close"),
        _ => request.lists("connection", "keep-alive"),
    };
    pending.drain(..length);
    Ok(Some(request))
}

impl Chunks {
    /// The longest line that says how long a chunk is.
    const LINE_MAX: usize = 256;

    /// Takes all whole chunks from the front; the body once the last of them was there.
    fn take(&mut self, pending: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Refused> {
        let mut at = 0;
        let is_last = loop {
            match self.read(&pending[at..])? {
                None => break false,
                Some((length, true)) => {
                    at += length;
                    break true;
                }
                Some((length, false)) => at += length,
            }
        };
        pending.drain(..at);
        Ok(is_last.then(|| std::mem::take(&mut self.body)))
    }

    /// Reads a chunk, if it is whole: its length with all that belongs to it, and whether it is the last.
    fn read(&mut self, bytes: &[u8]) -> Result<Option<(usize, bool)>, Refused> {
        let (start, length) = match httparse::parse_chunk_size(bytes) {
            Ok(Status::Complete(found)) => found,
            Ok(Status::Partial) if bytes.len() <= Chunks::LINE_MAX => return Ok(None),
            _ => return Err(Refused::Request(400)),
        };
        if length == 0 {
            return Ok(trailers(&bytes[start..])?.map(|length| (start + length, true)));
        }
        if length > (self.body_max - self.body.len()) as u64 {
            return Err(Refused::Request(413));
        }
        let end = start + length as usize;
        let Some(line_end) = bytes.get(end..end + 2) else { return Ok(None) };
        if line_end != b"\r\n" {
            return Err(Refused::Request(400));
        }
        self.body.extend_from_slice(&bytes[start..end]);
        Ok(Some((end + 2, false)))
    }
}

/// The length of the headers that follow the last chunk, which nobody needs, once they are there.
fn trailers(bytes: &[u8]) -> Result<Option<usize>, Refused> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    match httparse::parse_headers(bytes, &mut headers) {
        Ok(Status::Complete((length, _))) => Ok(Some(length)),
        Ok(Status::Partial) if bytes.len() <= HEAD_MAX => Ok(None),
        Ok(Status::Partial) => Err(Refused::Request(431)),
        Err(_) => Err(Refused::Request(400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<Request>, Refused> {
        take_head(&mut text.as_bytes().to_vec())
    }

    /// The status with which a request is refused, or 0.
    fn status(text: &str) -> u16 {
        match head(text).and_then(|request| request.expect("a whole head").extent()) {
            Err(Refused::Request(status)) => status,
            _ => 0,
        }
    }

    #[test]
    fn a_head_says_how_long_the_body_is() {
        let text = "POST /pipeline?a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n[1]GET";
        let mut pending = text.as_bytes().to_vec();
        let Ok(Some(request)) = take_head(&mut pending) else { panic!("it is a head") };
        assert_eq!((request.method.as_str(), request.path_and_query()), ("POST", ("/pipeline", "a")));
        assert!(matches!(request.extent(), Ok(Extent::Length(3))));
        assert_eq!(take_bytes(&mut pending, 3).unwrap(), b"[1]");
        assert_eq!(pending, b"GET");
        assert!(matches!(head(&text[..20]), Ok(None)));
    }

    #[test]
    fn a_connection_goes_on_unless_somebody_wants_its_end() {
        let keeps = |text: &str| head(text).ok().flatten().is_some_and(|request| request.keeps_alive);
        assert!(keeps("GET / HTTP/1.1\r\n\r\n") && keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
        assert!(
            !keeps("GET / HTTP/1.1\r\nConnection: te, Close\r\n\r\n") && !keeps("GET / HTTP/1.0\r\n\r\n")
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert!(matches!(head("PING\r\n\r\n"), Err(Refused::Request(400))));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
        assert!(matches!(head(&many), Err(Refused::Request(431))));
        for (headers, refusal) in [
            ("content-length: -1", 400),
            ("content-length: +1", 400),
            ("content-length:", 400),
            ("content-length: 1\r\ncontent-length: 2", 400),
            ("content-length: 1\r\ntransfer-encoding: chunked", 400),
            ("transfer-encoding: gzip", 501),
            ("transfer-encoding: gzip, chunked", 501),
            ("transfer-encoding: Chunked", 0),
            ("content-length: 1\r\ncontent-length: 1", 0),
        ] {
            assert_eq!(status(&format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n")), refusal, "{headers}");
        }
    }

    #[test]
    fn chunks_are_put_together_wherever_they_were_cut() {
        let text = b"3\r\nabc\r\n00A;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET";
        for cut in 0..text.len() - 3 {
            let mut chunks = Chunks { body: Vec::new(), body_max: 13 };
            let mut pending = text[..cut].to_vec();
            assert!(matches!(chunks.take(&mut pending), Ok(None)), "{cut}");
            pending.extend(&text[cut..]);
            let Ok(Some(body)) = chunks.take(&mut pending) else { panic!("it is whole, cut at {cut}") };
            assert_eq!((&body[..], &pending[..]), (&b"abc0123456789"[..], &b"GET"[..]), "{cut}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let status = |text: &[u8]| match (Chunks { body: Vec::new(), body_max: 9 }).take(&mut text.to_vec()) {
            Err(Refused::Request(status)) => status,
            _ => 0,
        };
        assert_eq!((status(b"A\r\n"), status(b"5\r\nabcde\r\n5\r\n")), (413, 413));
        assert_eq!((status(b"ffffffffffffffff\r\n"), status(b"fffffffffffffffff\r\n")), (413, 400));
        assert_eq!((status(b"x\r\n"), status(b"1\r\nabc"), status(b"-1\r\n")), (400, 400, 400));
        assert_eq!((status(&[b'0'; 300]), status(b"0\r\n: x\r\n\r\n")), (400, 400));
    }
}
