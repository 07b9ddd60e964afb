//! A replica's connection to its primary, from the first word to the stream: bytes come in, and it says what they are. What
//! becomes of a snapshot or a stream is the engine's business.

use alloc::{format, string::String, vec::Vec};

use super::{Answer, Handshake, Introduction, Transfer};

/// A line of a primary that is longer is none.
const LINE_MAX: usize = 1024;

/// The connection.
pub struct Link {
    stage: Stage,
    /// The beginning of a line.
    line: Vec<u8>,
}

enum Stage {
    Handshake(Handshake),
    /// A snapshot was promised.
    Awaiting,
    Transfer(Transfer),
    Stream,
}

/// What has come.
#[derive(PartialEq, Eq, Debug)]
pub enum News {
    /// How the primary answered.
    Answer(Answer),
    /// The snapshot begins.
    Begin,
    /// Bytes of it, and whether they are the last.
    Snapshot(Vec<u8>, bool),
    /// All bytes that are left are of the stream.
    Stream,
    /// What came makes no sense: for people.
    Nonsense(String),
}

impl Link {
    /// Begins to speak to a primary.
    pub fn new(introduction: Introduction, out: &mut Vec<u8>) -> Link {
        Link { stage: Stage::Handshake(Handshake::new(introduction, out)), line: Vec::new() }
    }

    /// Whether the stream comes.
    pub fn is_streaming(&self) -> bool {
        matches!(self.stage, Stage::Stream)
    }

    /// Whether a snapshot comes, or is to.
    pub fn is_loading(&self) -> bool {
        matches!(self.stage, Stage::Awaiting | Stage::Transfer(_))
    }

    /// How far the handshake is, as ROLE calls it.
    pub fn state(&self) -> &'static str {
        match &self.stage {
            Stage::Handshake(handshake) if handshake.is_answered() => "handshake",
            Stage::Handshake(_) => "connecting",
            Stage::Awaiting | Stage::Transfer(_) => "sync",
            Stage::Stream => "connected",
        }
    }

    /// How many bytes the snapshot has and how many are still to come, if that is known.
    pub fn progress(&self) -> Option<(u64, u64)> {
        match &self.stage {
            Stage::Transfer(transfer) => transfer.progress(),
            _ => None,
        }
    }

    /// What the first of the bytes are, which are then gone; `None` if more have to come.
    pub fn next(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Option<News> {
        loop {
            match &mut self.stage {
                Stage::Stream => return (!input.is_empty()).then_some(News::Stream),
                Stage::Transfer(transfer) => {
                    if input.is_empty() {
                        return None;
                    }
                    let (bytes, taken, is_over) = transfer.feed(input);
                    *input = &input[taken..];
                    if is_over {
                        self.stage = Stage::Stream;
                    }
                    return Some(News::Snapshot(bytes, is_over));
                }
                Stage::Handshake(_) | Stage::Awaiting => {}
            }
            let line = match self.take_line(input)? {
                Ok(line) => line,
                Err(nonsense) => return Some(nonsense),
            };
            // An empty line says that the primary still is there.
            if line.is_empty() {
                continue;
            }
            match &mut self.stage {
                Stage::Handshake(handshake) => {
                    let Some(answer) = handshake.answer(&line, out) else { continue };
                    match answer {
                        Answer::Full { .. } => self.stage = Stage::Awaiting,
                        Answer::Continue(_) => self.stage = Stage::Stream,
                        Answer::Refusal(_) => {}
                    }
                    return Some(News::Answer(answer));
                }
                _ => match Transfer::begin(&line) {
                    Some(transfer) => {
                        self.stage = Stage::Transfer(transfer);
                        return Some(News::Begin);
                    }
                    None => {
                        let text = String::from_utf8_lossy(&line).into_owned();
                        return Some(News::Nonsense(format!(
                            "Bad protocol from MASTER, the first byte is not '$' (we received '{text}'), are you sure the host and port are right?"
                        )));
                    }
                },
            }
        }
    }

    /// A whole line without its end; `None` if it is not whole yet.
    fn take_line(&mut self, input: &mut &[u8]) -> Option<Result<Vec<u8>, News>> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let part = &input[..end.unwrap_or(input.len())];
        self.line.extend_from_slice(part);
        *input = &input[end.map_or(input.len(), |end| end + 1)..];
        if self.line.len() > LINE_MAX {
            return Some(Err(News::Nonsense("the primary sends no end of a line".into())));
        }
        end?;
        let mut line = core::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(Ok(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_cuts_the_same_comes_in_the_same_order() {
        let id = "0123456789".repeat(4);
        let text =
            format!("+PONG\r\n+OK\r\n+OK\r\n\n\n+FULLRESYNC {id} 7\r\n\n$5\r\nHELLO*1\r\n$4\r\nPING\r\n");
        for cut in 1..text.len() {
            let (mut out, mut seen, mut snapshot, mut stream) =
                (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            let mut link = Link::new(Introduction::default(), &mut out);
            for mut input in text.as_bytes().chunks(cut) {
                while let Some(news) = link.next(&mut input, &mut out) {
                    match news {
                        News::Snapshot(bytes, is_over) => {
                            snapshot.extend(bytes);
                            assert_eq!(is_over, link.is_streaming());
                        }
                        News::Stream => stream.extend(core::mem::take(&mut input)),
                        news => seen.push(news),
                    }
                }
            }
            assert_eq!(seen, [News::Answer(Answer::Full { id: Some(id.clone()), offset: 7 }), News::Begin]);
            assert_eq!((&snapshot[..], &stream[..]), (&b"HELLO"[..], &b"*1\r\n$4\r\nPING\r\n"[..]));
        }
    }

    #[test]
    fn nonsense_is_noticed() {
        let mut out = Vec::new();
        let mut link = Link::new(Introduction::default(), &mut out);
        assert!(matches!(link.next(&mut &[b'x'; 2000][..], &mut out), Some(News::Nonsense(_))));
    }
}
