//! What the server answers over HTTP on `http-port`: `/metrics` for Prometheus, `/health` for whoever restarts what is ill,
//! and Upstash's REST protocol for everything else. Here are HTTP/1.1 and its connections; what is said is the others'.

mod json;
mod metrics;
mod rest;

use std::{future::Future, io, rc::Rc, time::Duration};

use keyside::Origin;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedWriteHalf},
    time::timeout,
};

use super::shell::Shell;

/// The longest head of a request.
const HEAD_MAX: usize = 16 << 10;
/// The longest body.
const BODY_MAX: usize = 64 << 20;
const HEADERS_MAX: usize = 64;
/// A request that is not whole by then is not waited for, nor is the next one.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
pub struct Request {
    method: String,
    /// Path and query, as they were sent.
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Whether the connection goes on after it.
    keeps_alive: bool,
}

/// An answer.
pub struct Response {
    status: u16,
    kind: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// What is before the question mark, and what is behind it.
    pub fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }
}

impl Response {
    /// An answer with a body of some kind.
    pub fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response { status, kind, headers: Vec::new(), body: body.into() }
    }

    fn head(&self, length: Option<usize>) -> String {
        let reason = match self.status {
            200 => "OK",
            204 => "No Content",
            400 => "Bad Request",
            401 => "Unauthorized",
            405 => "Method Not Allowed",
            413 => "Content Too Large",
            431 => "Request Header Fields Too Large",
            501 => "Not Implemented",
            503 => "Service Unavailable",
            _ => "Error",
        };
        let mut head = format!("HTTP/1.1 {} {reason}\r\ncontent-type: {}\r\n", self.status, self.kind);
        match length {
            // An answer without content has no length either.
            Some(_) if self.status == 204 => {}
            Some(length) => head += &format!("content-length: {length}\r\n"),
            None => head += "cache-control: no-store\r\nconnection: close\r\n",
        }
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        head + "\r\n"
    }
}

/// Serves a connection until it ends.
pub async fn serve(shell: Rc<Shell>, stream: TcpStream, origin: Origin) {
    let (mut reader, mut writer) = stream.into_split();
    let mut pending = Vec::new();
    loop {
        let request = match timeout(PATIENCE, read_request(&mut reader, &mut writer, &mut pending)).await {
            Ok(Ok(Some(request))) => request,
            Ok(Err(Refused::Request(status))) => {
                let response = Response::new(status, "text/plain", "");
                let _ = writer.write_all(response.head(Some(0)).as_bytes()).await;
                return;
            }
            _ => return,
        };
        if shell.state.borrow().is_ending {
            return;
        }
        if let Some(stream) = rest::event_stream(&shell, &request, &origin) {
            return send_events(stream, reader, writer).await;
        }
        let response = answer(&shell, &request, &origin).await;
        let body: &[u8] = if request.method == "HEAD" { b"" } else { &response.body };
        let bytes = [response.head(Some(response.body.len())).as_bytes(), body].concat();
        if writer.write_all(&bytes).await.is_err() || !request.keeps_alive {
            return;
        }
    }
}

async fn answer(shell: &Rc<Shell>, request: &Request, origin: &Origin) -> Response {
    let is_look = matches!(&*request.method, "GET" | "HEAD");
    match request.path_and_query().0 {
        "/metrics" if is_look => metrics::metrics(shell, origin).await,
        "/health" if is_look => metrics::health(shell, origin).await,
        _ => rest::answer(shell, request, origin).await,
    }
}

/// Why there is no request.
enum Refused {
    /// It is none that is understood; what to answer.
    Request(u16),
    Io,
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Refused::Io
    }
}

/// Reads a request; `pending` keeps what follows it. `None` when the connection ends before one.
async fn read_request(
    reader: &mut (impl AsyncReadExt + Unpin),
    writer: &mut OwnedWriteHalf,
    pending: &mut Vec<u8>,
) -> Result<Option<Request>, Refused> {
    let (mut request, head_len, body_len) = loop {
        if let Some(head) = parse_head(pending)? {
            break head;
        }
        if pending.len() > HEAD_MAX {
            return Err(Refused::Request(431));
        }
        if reader.read_buf(pending).await? == 0 {
            return Ok(None);
        }
    };
    let end = head_len + body_len;
    if pending.len() < end
        && request.header("expect").is_some_and(|it| it.eq_ignore_ascii_case("100-continue"))
    {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    while pending.len() < end {
        if reader.read_buf(pending).await? == 0 {
            return Ok(None);
        }
    }
    let rest = pending.split_off(end);
    request.body = std::mem::replace(pending, rest).split_off(head_len);
    Ok(Some(request))
}

/// The head of a request, its length and that of the body, if all of the head is there.
fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize, usize)>, Refused> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let head_len = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refused::Request(431)),
        Err(_) => return Err(Refused::Request(400)),
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<(String, String)> =
        parsed.headers.iter().map(|it| (it.name.to_ascii_lowercase(), text(it.value))).collect();
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_string(),
        target: parsed.path.unwrap_or_default().to_string(),
        headers,
        body: Vec::new(),
        keeps_alive: false,
    };
    let connection = request.header("connection").unwrap_or_default().to_ascii_lowercase();
    request.keeps_alive = match parsed.version {
        Some(1) => connection != "close",
        _ => connection == "keep-alive",
    };
    // Bodies in chunks come from streams, and nobody streams a command.
    if request.header("transfer-encoding").is_some() {
        return Err(Refused::Request(501));
    }
    let body_len = match request.header("content-length").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(len)) if len <= BODY_MAX => len,
        Some(Ok(_)) => return Err(Refused::Request(413)),
        Some(Err(_)) => return Err(Refused::Request(400)),
    };
    Ok(Some((request, head_len, body_len)))
}

/// Sends what is heard, until either side has enough.
async fn send_events(
    mut events: rest::Events,
    mut reader: impl AsyncReadExt + Unpin,
    mut writer: OwnedWriteHalf,
) {
    let head = events.response().head(None);
    if writer.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let mut ignored = [0; 512];
    loop {
        tokio::select! {
            heard = events.next() => match heard {
                Some(lines) if writer.write_all(&lines).await.is_ok() => {}
                _ => return,
            },
            read = reader.read(&mut ignored) => if !matches!(read, Ok(1..)) { return },
        }
    }
}

/// A client of the engine for as long as a request takes.
pub struct Guest {
    shell: Rc<Shell>,
    id: keyside::ClientId,
}

impl Guest {
    /// A client that may do everything: whoever asks over HTTP has shown before what it may.
    fn new(shell: &Rc<Shell>, origin: &Origin) -> Guest {
        let id = shell.connect_trusted(origin.clone());
        Guest { shell: shell.clone(), id }
    }

    /// Runs a command and returns its reply as RESP2, or nothing when the client was closed.
    async fn ask(&self, words: &[&[u8]]) -> Option<Vec<u8>> {
        self.shell.execute(&mut self.shell.state.borrow_mut(), self.id, words);
        self.output(|out| keyside::resp::reply_len(out) == Some(out.len())).await
    }

    /// Waits for output that is enough, and takes all of it.
    fn output(&self, is_enough: impl Fn(&[u8]) -> bool) -> impl Future<Output = Option<Vec<u8>>> {
        std::future::poll_fn(move |cx| {
            let mut state = self.shell.state.borrow_mut();
            state.remember(self.id, cx.waker());
            self.shell.take_output(&mut state, self.id, &is_enough)
        })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.shell.disconnect(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_long_the_body_is() {
        let head = b"POST /pipeline HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n[1]GET";
        let Ok(Some((request, head_len, body_len))) = parse_head(head) else { panic!("it is a head") };
        assert_eq!((request.method.as_str(), request.path_and_query()), ("POST", ("/pipeline", "")));
        assert_eq!((&head[head_len..head_len + body_len], request.keeps_alive), (&b"[1]"[..], true));
        assert!(matches!(parse_head(&head[..20]), Ok(None)));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let status = |head: &str| match parse_head(head.as_bytes()) {
            Err(Refused::Request(status)) => status,
            _ => 0,
        };
        assert_eq!(status("PING\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n"), 413);
        assert_eq!(status("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"), 501);
        assert_eq!(status(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65))), 431);
    }
}
