//! How a replica introduces itself to a primary, a line at a time: who it is, what it can do, and where it wants to go on.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::resp::{Version, Writer};

/// What a replica tells of itself.
#[derive(Clone, Debug, Default)]
pub struct Introduction {
    /// With which name it authenticates, if not as the default user.
    pub user: Vec<u8>,
    /// With which password, if it does.
    pub password: Vec<u8>,
    /// The port it listens on.
    pub port: u16,
    /// The address it is to be reached at, if not the one that it comes from.
    pub address: Vec<u8>,
    /// The stream that it knows, and the number of the next byte it needs.
    pub known: Option<(String, u64)>,
    /// Whether the primary is to give up its role to those who ask.
    pub takes_over: bool,
}

/// What a primary is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Question {
    Ping,
    Auth,
    Port,
    Address,
    Capabilities,
    Psync,
    Sync,
}

/// What the primary will send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A snapshot, and then the stream called `id` after its first `offset` bytes.
    Full {
        /// The name of the stream; `None` when the primary knows no names.
        id: Option<String>,
        /// The offset.
        offset: u64,
    },
    /// The stream from where the replica wanted to go on, under another name if it has got one.
    Continue(Option<String>),
    /// Nothing: for what reason, for people.
    Refusal(String),
}

/// An introduction that goes on.
pub struct Handshake {
    introduction: Introduction,
    question: Question,
}

impl Handshake {
    /// Begins to speak.
    pub fn new(introduction: Introduction, out: &mut Vec<u8>) -> Handshake {
        let handshake = Handshake { introduction, question: Question::Ping };
        handshake.ask(out);
        handshake
    }

    /// Whether the last question is asked, and the answer may take its time.
    pub fn is_last(&self) -> bool {
        matches!(self.question, Question::Psync | Question::Sync)
    }

    /// Whether an answer has come already.
    pub fn is_answered(&self) -> bool {
        self.question != Question::Ping
    }

    /// Takes a line, without its end, and goes on or is done.
    pub fn answer(&mut self, line: &[u8], out: &mut Vec<u8>) -> Option<Answer> {
        if line.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(line).into_owned();
        let is_error = text.starts_with('-');
        self.question = match self.question {
            Question::Ping => {
                // It may want a password first.
                let is_fine = !is_error
                    || ["-NOAUTH", "-NOPERM", "-ERR operation not permitted"]
                        .iter()
                        .any(|it| text.starts_with(it));
                if !is_fine {
                    return Some(Answer::Refusal(format!("Error reply to PING from master: '{text}'")));
                }
                if self.introduction.password.is_empty() { Question::Port } else { Question::Auth }
            }
            Question::Auth if is_error => {
                return Some(Answer::Refusal(format!("Unable to AUTH to MASTER: {text}")));
            }
            Question::Auth => Question::Port,
            // Old primaries know none of this.
            Question::Port if self.introduction.address.is_empty() => Question::Capabilities,
            Question::Port => Question::Address,
            Question::Address => Question::Capabilities,
            Question::Capabilities => Question::Psync,
            Question::Psync => match self.decision(&text) {
                Some(answer) => return Some(answer),
                None => Question::Sync,
            },
            Question::Sync => return Some(Answer::Refusal(format!("unexpected reply to SYNC: {text}"))),
        };
        self.ask(out);
        (self.question == Question::Sync).then_some(Answer::Full { id: None, offset: 0 })
    }

    /// What an answer to PSYNC means; `None` if the primary does not know what that is.
    fn decision(&self, text: &str) -> Option<Answer> {
        let mut words = text.split(' ');
        match words.next() {
            Some("+FULLRESYNC") => {
                let id = words.next().filter(|id| id.len() == 40);
                let offset = words.next().and_then(|offset| offset.trim_end().parse().ok());
                Some(match (id, offset) {
                    (Some(id), Some(offset)) => Answer::Full { id: Some(id.to_string()), offset },
                    _ => Answer::Refusal(format!("Master replied with wrong +FULLRESYNC syntax: {text}")),
                })
            }
            Some("+CONTINUE") => {
                let id = words.next().map(str::trim_end).filter(|id| id.len() == 40);
                Some(Answer::Continue(id.map(ToString::to_string)))
            }
            _ if self.introduction.takes_over => {
                Some(Answer::Refusal(format!("Failover target rejected psync request: {text}")))
            }
            Some("-NOMASTERLINK" | "-LOADING" | "-NOAUTH" | "-NOPERM" | "-BUSY" | "-MASTERDOWN") => {
                Some(Answer::Refusal(format!(
                    "Master is currently unable to PSYNC but should be in the future: {text}"
                )))
            }
            _ => None,
        }
    }

    fn ask(&self, out: &mut Vec<u8>) {
        let it = &self.introduction;
        let port = it.port.to_string();
        let (id, next) = match &it.known {
            Some((id, next)) => (id.as_str(), next.to_string()),
            None => ("?", "-1".to_string()),
        };
        match self.question {
            Question::Ping => say(out, &[b"PING"]),
            Question::Auth if it.user.is_empty() => say(out, &[b"AUTH", &it.password]),
            Question::Auth => say(out, &[b"AUTH", &it.user, &it.password]),
            Question::Port => say(out, &[b"REPLCONF", b"listening-port", port.as_bytes()]),
            Question::Address => say(out, &[b"REPLCONF", b"ip-address", &it.address]),
            Question::Capabilities => say(out, &[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]),
            Question::Psync if it.takes_over => {
                say(out, &[b"PSYNC", id.as_bytes(), next.as_bytes(), b"FAILOVER"]);
            }
            Question::Psync => say(out, &[b"PSYNC", id.as_bytes(), next.as_bytes()]),
            Question::Sync => say(out, &[b"SYNC"]),
        }
    }
}

/// Writes a request.
pub fn say(out: &mut Vec<u8>, words: &[&[u8]]) {
    let mut out = Writer::new(out, Version::V2);
    out.array(words.len());
    words.iter().for_each(|word| out.bulk(word));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands asked, when a primary answers with these lines, and what came of it.
    fn talk(introduction: Introduction, lines: &[&str]) -> (Vec<String>, Option<Answer>) {
        let mut out = Vec::new();
        let mut handshake = Handshake::new(introduction, &mut out);
        let mut decision = None;
        for line in lines {
            assert_eq!(decision, None, "it is over before '{line}'");
            decision = handshake.answer(line.as_bytes(), &mut out);
        }
        let text = String::from_utf8(out).unwrap();
        let commands = text.split('*').skip(1);
        let words = |it: &str| it.split("\r\n").skip(2).step_by(2).collect::<Vec<_>>().join(" ");
        (commands.map(words).collect(), decision)
    }

    const ID: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn a_stranger_gets_everything() {
        let introduction = Introduction { port: 7, ..Introduction::default() };
        let answer = alloc::format!("+FULLRESYNC {ID} 99");
        let (asked, decision) = talk(introduction, &["+PONG", "+OK", "+OK", "", &answer]);
        assert_eq!(
            asked,
            ["PING", "REPLCONF listening-port 7", "REPLCONF capa eof capa psync2", "PSYNC ? -1"]
        );
        assert_eq!(decision, Some(Answer::Full { id: Some(ID.into()), offset: 99 }));
    }

    #[test]
    fn one_who_is_known_goes_on_and_says_all_it_has_to() {
        let introduction = Introduction {
            user: b"u".to_vec(),
            password: b"p".to_vec(),
            port: 7,
            address: b"h".to_vec(),
            known: Some((ID.into(), 5)),
            takes_over: true,
        };
        let lines = ["-NOAUTH Authentication required.", "+OK", "-ERR what", "+OK", "+OK", "+CONTINUE"];
        let (asked, decision) = talk(introduction, &lines);
        assert_eq!(asked[1..4], ["AUTH u p", "REPLCONF listening-port 7", "REPLCONF ip-address h"]);
        assert_eq!(asked[5], alloc::format!("PSYNC {ID} 5 FAILOVER"));
        assert_eq!(decision, Some(Answer::Continue(None)));
    }

    #[test]
    fn a_refusal_ends_it_and_an_old_primary_is_asked_the_old_way() {
        let none = Introduction::default;
        let is_refused = |(_, decision): (_, Option<Answer>)| matches!(decision, Some(Answer::Refusal(_)));
        assert!(is_refused(talk(none(), &["-ERR no"])));
        assert!(is_refused(talk(
            Introduction { password: b"p".to_vec(), ..none() },
            &["+PONG", "-WRONGPASS"]
        )));
        assert!(is_refused(talk(none(), &["+PONG", "+OK", "+OK", "-NOMASTERLINK"])));
        assert!(is_refused(talk(none(), &["+PONG", "+OK", "+OK", "+FULLRESYNC"])));
        let (asked, decision) = talk(none(), &["+PONG", "-ERR", "-ERR", "-ERR unknown command 'PSYNC'"]);
        assert_eq!(
            (asked.last().unwrap().as_str(), decision),
            ("SYNC", Some(Answer::Full { id: None, offset: 0 }))
        );
    }
}
