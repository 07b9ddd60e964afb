//! Commands and replies as JSON, as Upstash writes them: texts as they are or in base64, integers as digits. What the
//! commands mean is not known here.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use keyside::resp::{Piece, read_piece};
use serde_json::value::RawValue;

/// The words of a command.
pub type Words = Vec<Vec<u8>>;

/// What is wrong with a request, as a reply would say it.
pub type Refusal = String;

/// How texts are written.
#[derive(Clone, Copy, PartialEq)]
pub enum Encoding {
    Text,
    Base64,
}

/// Reads `["SET","k","v"]`.
pub fn read_command(body: &[u8]) -> Result<Words, Refusal> {
    words(parse(body, "ERR empty command")?)
}

/// Reads `[["SET","k","v"],…]`.
pub fn read_commands(body: &[u8]) -> Result<Vec<Words>, Refusal> {
    let commands: Vec<Vec<&RawValue>> = parse(body, "ERR the request body must be an array of commands")?;
    commands.into_iter().map(words).collect()
}

fn parse<'b, T: serde::Deserialize<'b>>(body: &'b [u8], otherwise: &str) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => otherwise.to_string(),
        _ => "ERR failed to parse the request body: it is not JSON".to_string(),
    })
}

fn words(words: Vec<&RawValue>) -> Result<Words, Refusal> {
    if words.is_empty() { Err("ERR empty command".into()) } else { words.into_iter().map(word).collect() }
}

/// A text is what it says; a number, a boolean, an object and an array are as they were written.
fn word(word: &RawValue) -> Result<Vec<u8>, Refusal> {
    let written = word.get();
    match written.as_bytes()[0] {
        b'"' => serde_json::from_str(written)
            .map(String::into_bytes)
            .map_err(|_| "ERR failed to parse the request body: it is not JSON".into()),
        b'n' => Err("ERR the words of a command must be strings, numbers or booleans".into()),
        _ => Ok(written.into()),
    }
}

/// `{"result":…}`, or `{"error":…}` for a refusal.
pub fn answer(reply: &[u8], encoding: Encoding, out: &mut String) {
    match read_piece(reply) {
        Some((Piece::Error(text), _)) => refusal(&String::from_utf8_lossy(text), out),
        _ => {
            out.push_str("{\"result\":");
            write(reply, encoding, out);
            out.push('}');
        }
    }
}

/// `{"error":…}`
pub fn refusal(text: &str, out: &mut String) {
    out.push_str("{\"error\":");
    string(text, out);
    out.push('}');
}

/// Writes the first reply of some bytes, and returns how long it was.
pub fn write(reply: &[u8], encoding: Encoding, out: &mut String) -> usize {
    let Some((piece, mut used)) = read_piece(reply) else {
        out.push_str("null");
        return reply.len();
    };
    match piece {
        Piece::Null => out.push_str("null"),
        Piece::Integer(n) => out.push_str(&n.to_string()),
        Piece::Bulk(text) | Piece::Simple(text) | Piece::Error(text) => match encoding {
            Encoding::Base64 if text != b"OK" => string(&BASE64_STANDARD.encode(text), out),
            _ => string(&String::from_utf8_lossy(text), out),
        },
        other => {
            out.push('[');
            for i in 0..other.children() {
                if i > 0 {
                    out.push(',');
                }
                used += write(&reply[used..], encoding, out);
            }
            out.push(']');
        }
    }
    used
}

fn string(text: &str, out: &mut String) {
    *out += &serde_json::Value::from(text).to_string();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_more_than_texts() {
        let words = read_command(br#"["SET", "k\u00fc", 12.50, true, {"a": 1}]"#).unwrap();
        let words: Vec<&str> = words.iter().map(|word| str::from_utf8(word).unwrap()).collect();
        assert_eq!(words, ["SET", "kü", "12.50", "true", r#"{"a": 1}"#]);
        for (body, reason) in [
            ("[", "ERR failed to parse"),
            ("{}", "ERR empty command"),
            ("[]", "ERR empty command"),
            ("[null]", "ERR the words"),
        ] {
            assert!(read_command(body.as_bytes()).unwrap_err().starts_with(reason), "{body}");
        }
        assert_eq!(read_commands(b"[[\"PING\"],[1]]").unwrap(), [[b"PING".to_vec()], [b"1".to_vec()]]);
        assert!(read_commands(b"[\"PING\"]").unwrap_err().contains("array of commands"));
    }

    #[test]
    fn replies_are_written_as_upstash_writes_them() {
        let written = |reply: &str, encoding| {
            let mut out = String::new();
            answer(reply.as_bytes(), encoding, &mut out);
            out
        };
        let reply = "*4\r\n$2\r\nhi\r\n:9007199254740993\r\n$-1\r\n*1\r\n+OK\r\n";
        assert_eq!(written(reply, Encoding::Text), r#"{"result":["hi",9007199254740993,null,["OK"]]}"#);
        assert_eq!(written(reply, Encoding::Base64), r#"{"result":["aGk=",9007199254740993,null,["OK"]]}"#);
        assert_eq!(written("-ERR \"no\"\r\n", Encoding::Base64), r#"{"error":"ERR \"no\""}"#);
    }
}
