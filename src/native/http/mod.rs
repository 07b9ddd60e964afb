//! What the server answers over HTTP on `http-port`: `/metrics` for Prometheus, `/health` for whoever restarts what is ill,
//! and Upstash's REST protocol for everything else. Here are the connections and the answers; `request.rs` reads requests,
//! and what is said is the others'.

mod json;
mod metrics;
mod request;
mod rest;

use std::{future::Future, rc::Rc, time::Duration};

use keyside::Origin;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedWriteHalf},
    time::timeout,
};

use super::shell::Shell;
use request::{Refused, Request};

/// A request that is not whole by then is not waited for, nor is the next one.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
pub struct Response {
    status: u16,
    kind: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Response {
    /// An answer with a body of some kind.
    pub fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response { status, kind, headers: Vec::new(), body: body.into() }
    }

    /// The refusal of what cannot be answered.
    fn refusal(status: u16) -> Response {
        Response::new(status, "text/plain", "")
    }

    /// Without a length, the content ends with the connection.
    fn head(&self, length: Option<usize>, keeps_alive: bool) -> String {
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
            None => head += "cache-control: no-store\r\n",
        }
        head += if keeps_alive { "connection: keep-alive\r\n" } else { "connection: close\r\n" };
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        head + "\r\n"
    }
}

/// Serves a connection until it ends.
pub async fn serve(shell: Rc<Shell>, stream: TcpStream, origin: Origin) {
    let (mut reader, mut writer) = stream.into_split();
    let mut pending = Vec::new();
    // A stranger need not be given room for more than what any stranger may ask.
    let is_known = |request: &Request| rest::is_known(shell.state.borrow().engine.config(), request);
    loop {
        let read = request::read(&mut reader, &mut writer, &mut pending, is_known);
        let request = match timeout(PATIENCE, read).await {
            Ok(Ok(Some(request))) => request,
            Ok(Err(Refused::Request(status))) => {
                let head = Response::refusal(status).head(Some(0), false);
                let _ = writer.write_all(head.as_bytes()).await;
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
        let head = response.head(Some(response.body.len()), request.keeps_alive);
        if writer.write_all(&[head.as_bytes(), body].concat()).await.is_err() || !request.keeps_alive {
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

/// Sends what is heard, until either side has enough.
async fn send_events(
    mut events: rest::Events,
    mut reader: impl AsyncReadExt + Unpin,
    mut writer: OwnedWriteHalf,
) {
    let head = events.response().head(None, false);
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
