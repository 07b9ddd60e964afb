//! Upstash's REST protocol: single commands, pipelines, transactions and subscriptions, each complete in itself. The npm
//! package serves the same in `pkg/src/rest.ts` and `upstash.ts`.

use std::rc::Rc;

use keyside::{
    Config, Origin,
    engine::same_secret,
    resp::{Piece, read_piece, reply_len},
};
use percent_encoding::percent_decode_str;

use super::{
    super::{settings::text, shell::Shell},
    Guest, Response,
    json::{self, Encoding, Refusal, Words},
    request::Request,
};

/// Commands that need a connection that outlives the request, or would have it wait.
const UNAVAILABLE: &str = " ASKING AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER DISCARD \
    EXEC HELLO MIGRATE MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE REPLCONF REPLICAOF RESET SELECT \
    SHUTDOWN SLAVEOF SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WAIT WAITAOF WATCH ";
/// Reads of all there is, which Upstash keeps from readers.
const NOT_FOR_READERS: &str = " KEYS SCAN ";
/// Neither read nor write.
const FOR_READERS: &str = " ECHO PING TIME ";

const METHODS: &str = "HEAD, GET, POST, PUT, OPTIONS";
const JSON: &str = "application/json";

/// Who asks: everything, or only what changes nothing.
#[derive(Clone, Copy)]
struct Rights {
    is_read_only: bool,
}

/// How replies are wanted.
enum Format {
    Json(Encoding),
    Resp2,
}

/// Answers a request.
pub async fn answer(shell: &Rc<Shell>, request: &Request, origin: &Origin) -> Response {
    let mut response = respond(shell, request, origin).await;
    let served = shell.next_sync_token();
    response.headers = headers(shell, request);
    response.headers.push(("upstash-sync-token", served.to_string()));
    response
}

async fn respond(shell: &Rc<Shell>, request: &Request, origin: &Origin) -> Response {
    match &*request.method {
        "OPTIONS" => return Response::new(204, JSON, ""),
        "HEAD" | "GET" | "POST" | "PUT" => {}
        _ => return refuse(405, "ERR method not allowed"),
    }
    let rights = rights(shell.state.borrow().engine.config(), request);
    let Some(rights) = rights else { return refuse(401, "WRONGPASS invalid or missing auth token") };
    match serve(shell, request, rights, origin).await {
        Ok(response) => response,
        Err(reason) => refuse(400, &reason),
    }
}

fn refuse(status: u16, reason: &str) -> Response {
    let mut body = String::new();
    json::refusal(reason, &mut body);
    Response::new(status, JSON, body)
}

async fn serve(
    shell: &Rc<Shell>,
    request: &Request,
    rights: Rights,
    origin: &Origin,
) -> Result<Response, Refusal> {
    let path = segments(request);
    let format = format_of(request)?;
    let guest = Guest::new(shell, origin);
    match path.first().map(Vec::as_slice) {
        Some(b"pipeline") if path.len() == 1 => {
            let commands = json::read_commands(&request.body)?;
            let mut replies = Vec::new();
            for words in &commands {
                replies.push(run(&guest, words, rights).await.unwrap_or_else(|reason| error_reply(&reason)));
            }
            Ok(several(&replies, format))
        }
        Some(b"multi-exec") if path.len() == 1 => {
            let Format::Json(encoding) = format else {
                return Err("ERR multi-exec has no RESP2 format".into());
            };
            let replies = transaction(&guest, &json::read_commands(&request.body)?, rights).await?;
            Ok(several(&replies, Format::Json(encoding)))
        }
        _ => {
            let words = command(request, path)?;
            let reply = run(&guest, &words, rights).await?;
            let status = if reply.first() == Some(&b'-') { 400 } else { 200 };
            let Format::Json(encoding) = format else {
                return Ok(Response::new(status, "application/octet-stream", reply));
            };
            let mut body = String::new();
            json::answer(&reply, encoding, &mut body);
            Ok(Response::new(status, JSON, body))
        }
    }
}

/// The words in the body, or in the path, then the body, then the query.
fn command(request: &Request, path: Vec<Vec<u8>>) -> Result<Words, Refusal> {
    if path.is_empty() {
        return json::read_command(&request.body);
    }
    let body = Some(request.body.clone()).filter(|body| !body.is_empty());
    Ok(path.into_iter().chain(body).chain(parameters(request)).collect())
}

/// Runs a command, unless it is not for this protocol or not for who asks.
async fn run(guest: &Guest, words: &Words, rights: Rights) -> Result<Vec<u8>, Refusal> {
    permit(guest, words, rights)?;
    guest.ask(&slices(words)).await.ok_or_else(|| "ERR the connection was closed".to_string())
}

/// Runs commands as one; refused as a whole for what the first of them is refused.
async fn transaction(guest: &Guest, commands: &[Words], rights: Rights) -> Result<Vec<Vec<u8>>, Refusal> {
    for words in commands {
        permit(guest, words, rights)?;
    }
    let multi = vec![b"MULTI".to_vec()];
    for words in [&multi].into_iter().chain(commands) {
        let reply = guest.ask(&slices(words)).await.unwrap_or_default();
        if let Some((Piece::Error(reason), _)) = read_piece(&reply) {
            return Err(String::from_utf8_lossy(reason).into_owned());
        }
    }
    let replies = guest.ask(&[b"EXEC"]).await.unwrap_or_default();
    match read_piece(&replies) {
        Some((Piece::Array(_), used)) => Ok(split(&replies[used..])),
        Some((Piece::Error(reason), _)) => Err(String::from_utf8_lossy(reason).into_owned()),
        _ => Err("ERR the transaction was discarded".into()),
    }
}

/// Replies one by one.
fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut replies = Vec::new();
    while let Some(len) = reply_len(bytes) {
        replies.push(bytes[..len].to_vec());
        bytes = &bytes[len..];
    }
    replies
}

fn several(replies: &[Vec<u8>], format: Format) -> Response {
    let Format::Json(encoding) = format else {
        let head = format!("*{}\r\n", replies.len()).into_bytes();
        return Response::new(200, "application/octet-stream", [head, replies.concat()].concat());
    };
    let mut body = String::from("[");
    for (i, reply) in replies.iter().enumerate() {
        if i > 0 {
            body.push(',');
        }
        json::answer(reply, encoding, &mut body);
    }
    Response::new(200, JSON, body + "]")
}

fn error_reply(reason: &str) -> Vec<u8> {
    format!("-{}\r\n", reason.replace(['\r', '\n'], " ")).into_bytes()
}

fn permit(guest: &Guest, words: &Words, rights: Rights) -> Result<(), Refusal> {
    let name = String::from_utf8_lossy(&words[0]).to_ascii_uppercase();
    let is_in = |list: &str| list.contains(&format!(" {name} "));
    let (words, state) = (slices(words), guest.shell.state.borrow());
    if is_in(UNAVAILABLE) || state.engine.would_wait(&words) {
        return Err(format!("ERR Command is not available over REST: '{name}'"));
    }
    let is_read = || is_in(FOR_READERS) || state.engine.is_read(&words);
    if rights.is_read_only && (is_in(NOT_FOR_READERS) || !is_read()) {
        let name = name.to_ascii_lowercase();
        return Err(format!("NOPERM this user has no permissions to run the '{name}' command"));
    }
    Ok(())
}

fn slices(words: &[Vec<u8>]) -> Vec<&[u8]> {
    words.iter().map(Vec::as_slice).collect()
}

/// What who asks may do, by the token that it shows; `None` when it shows none of ours.
fn rights(config: &Config, request: &Request) -> Option<Rights> {
    let bearer = request.header("authorization").and_then(|it| {
        let (scheme, token) = it.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.as_bytes().to_vec())
    });
    let in_query = || {
        let (_, query) = request.path_and_query();
        let token = query.split('&').find_map(|pair| pair.strip_prefix("_token="))?;
        Some(percent_decode_str(token).collect())
    };
    let given: Vec<u8> = bearer.or_else(in_query)?;
    let is = |directive: &str| {
        let wanted = text(config, directive);
        !wanted.is_empty() && same_secret(&given, wanted.as_bytes())
    };
    match (is("http-read-only-token"), is("http-token")) {
        (_, true) => Some(Rights { is_read_only: false }),
        (true, false) => Some(Rights { is_read_only: true }),
        _ => None,
    }
}

/// Whether who asks shows a token of ours.
pub fn is_known(config: &Config, request: &Request) -> bool {
    rights(config, request).is_some()
}

/// For pages that ask from a browser. Without the token they learn nothing.
fn headers(shell: &Shell, request: &Request) -> Vec<(&'static str, String)> {
    let origin = text(shell.state.borrow().engine.config(), "http-cors-origin");
    if origin.is_empty() {
        return Vec::new();
    }
    let mut headers = vec![
        ("access-control-allow-origin", origin),
        ("access-control-allow-methods", METHODS.into()),
        ("access-control-expose-headers", "upstash-sync-token".into()),
        ("access-control-max-age", "86400".into()),
    ];
    if let Some(asked) = request.header("access-control-request-headers") {
        headers.push(("access-control-allow-headers", asked.into()));
    }
    headers
}

/// The parts of the path.
fn segments(request: &Request) -> Vec<Vec<u8>> {
    let path = request.path_and_query().0.trim_start_matches('/');
    if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').map(|part| percent_decode_str(part).collect()).collect()
    }
}

/// What stands behind the question mark: each name, and its value if it has one.
fn parameters(request: &Request) -> Vec<Vec<u8>> {
    let pairs = request.path_and_query().1.split('&').filter(|pair| !pair.starts_with("_token="));
    let parts = pairs.flat_map(|pair| pair.splitn(2, '=')).filter(|part| !part.is_empty());
    parts.map(|part| percent_decode_str(&part.replace('+', " ")).collect()).collect()
}

fn format_of(request: &Request) -> Result<Format, Refusal> {
    let is_base64 = request.header("upstash-encoding").is_some_and(|it| it.eq_ignore_ascii_case("base64"));
    let encoding = if is_base64 { Encoding::Base64 } else { Encoding::Text };
    match request.header("upstash-response-format").map(str::to_ascii_lowercase).as_deref() {
        None | Some("json") => Ok(Format::Json(encoding)),
        Some("resp2") if is_base64 => Err("ERR the RESP2 format has no base64".into()),
        Some("resp2") => Ok(Format::Resp2),
        Some(other) => Err(format!("ERR there is no response format {other}")),
    }
}

/// What is heard on a subscription, as server-sent events.
pub struct Events {
    guest: Guest,
    headers: Vec<(&'static str, String)>,
    is_monitor: bool,
}

/// Begins to listen, if that is what a request asks for and who asks may.
pub fn event_stream(shell: &Rc<Shell>, request: &Request, origin: &Origin) -> Option<Events> {
    if !matches!(&*request.method, "GET" | "POST") {
        return None;
    }
    let rights = rights(shell.state.borrow().engine.config(), request)?;
    let path = segments(request);
    let path = slices(&path);
    let is_monitor = path == [b"monitor"];
    if !(is_monitor && !rights.is_read_only || matches!(path[..], [b"subscribe" | b"psubscribe", _])) {
        return None;
    }
    let guest = Guest::new(shell, origin);
    shell.execute(&mut shell.state.borrow_mut(), guest.id, &path);
    Some(Events { guest, headers: headers(shell, request), is_monitor })
}

impl Events {
    /// The answer that the events are the body of.
    pub fn response(&self) -> Response {
        Response { headers: self.headers.clone(), ..Response::new(200, "text/event-stream", "") }
    }

    /// What was heard since the last time; `None` when nothing more will be.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let heard = self.guest.output(|out| !out.is_empty()).await?;
        let mut events = Vec::new();
        for message in split(&heard) {
            events.extend_from_slice(b"data: ");
            if self.is_monitor {
                events.extend(monitor_line(&message));
            } else {
                events.extend(message_line(&message));
            }
            events.extend_from_slice(b"\n\n");
        }
        Some(events)
    }
}

/// `"OK"`, and then commands as MONITOR shows them.
fn monitor_line(message: &[u8]) -> Vec<u8> {
    let line = message[1..].trim_ascii_end();
    if line == b"OK" { b"\"OK\"".to_vec() } else { line.to_vec() }
}

/// `message,channel,text`, each line of which has to say that it is data.
fn message_line(message: &[u8]) -> Vec<u8> {
    let (mut at, mut line) = (0, Vec::new());
    while let Some((piece, used)) = read_piece(&message[at..]) {
        at += used;
        let part = match piece {
            Piece::Bulk(part) | Piece::Simple(part) | Piece::Error(part) => part.to_vec(),
            Piece::Integer(n) => n.to_string().into_bytes(),
            _ => continue,
        };
        if !line.is_empty() {
            line.push(b',');
        }
        line.extend(part);
    }
    let lines = line.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.collect::<Vec<_>>().join(&b"\ndata: "[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str) -> Request {
        Request { method: method.into(), target: target.into(), ..Request::default() }
    }

    #[test]
    fn a_path_is_a_command_and_the_body_comes_before_the_query() {
        let mut request = request("POST", "/set/k%2F%FF?EX=100&NX&_token=x+y");
        request.body = b"value".to_vec();
        let words = command(&request, segments(&request)).unwrap();
        assert_eq!(words, [&b"set"[..], b"k/\xff", b"value", b"EX", b"100", b"NX"]);
    }

    #[test]
    fn only_a_token_of_ours_gives_rights() {
        let mut config = Config::default();
        let of =
            |config: &Config, target: &str| rights(config, &request("GET", target)).map(|it| it.is_read_only);
        assert_eq!(of(&config, "/get/k?_token="), None, "no token is nobody's");
        config.apply("http-token", &[b"all"]).unwrap();
        config.apply("http-read-only-token", &[b"read"]).unwrap();
        assert_eq!(of(&config, "/get/k?_token=all"), Some(false));
        assert_eq!(of(&config, "/get/k?a=b&_token=re%61d"), Some(true));
        assert_eq!((of(&config, "/get/k?_token=al"), of(&config, "/get/k")), (None, None));
        let mut bearer = request("GET", "/");
        bearer.headers.push(("authorization".into(), "Bearer all".into()));
        assert!(rights(&config, &bearer).is_some());
    }

    #[test]
    fn messages_are_lines() {
        assert_eq!(message_line(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"), b"subscribe,c,1");
        assert_eq!(
            message_line(b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$3\r\na\nb\r\n"),
            b"message,c,a\ndata: b"
        );
        assert_eq!(monitor_line(b"+OK\r\n"), b"\"OK\"");
    }
}
