//! A transcript file: sections, blocks in them, steps in those, each with the line it stands on.
//!
//! Only what is run is kept; prose is for readers. Nothing is sent anywhere from here.

use super::notation::{Pattern, parse_pattern, parse_words};

#[derive(Debug)]
pub struct Document {
    /// As it is shown in failures.
    pub path: String,
    pub lines: Vec<String>,
    pub sections: Vec<Section>,
}

/// What follows a `##` heading; it starts with an empty database and no clients.
#[derive(Debug)]
pub struct Section {
    pub heading: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug)]
pub struct Block {
    pub attributes: Attributes,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, Default)]
pub struct Attributes {
    /// Clients of this block speak RESP2.
    pub resp2: bool,
    /// The first Redis version of which the block is true.
    pub since: Option<Version>,
    /// The first Redis version of which it is true no more.
    pub until: Option<Version>,
    /// The only kind of server the block is meant for.
    pub only: Option<Only>,
    /// Redis answers differently, on purpose: its replies are read and not compared.
    pub differs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Only {
    Redis,
    Keyside,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Version(pub u32, pub u32);

/// One action and what has to come of it.
#[derive(Debug)]
pub struct Step {
    pub line: usize,
    pub action: Action,
    pub expected: Vec<Expected>,
}

#[derive(Debug)]
pub enum Action {
    Request {
        client: char,
        words: Vec<Vec<u8>>,
    },
    /// Bytes sent as they are.
    Raw {
        client: char,
        bytes: Vec<u8>,
    },
    /// A message arrives at a client that did not just ask.
    Receive {
        client: char,
    },
    Wait {
        milliseconds: u64,
    },
}

#[derive(Debug)]
pub struct Expected {
    pub outcome: Outcome,
    /// First and last line, counted from 1.
    pub lines: (usize, usize),
}

#[derive(Debug)]
pub enum Outcome {
    Reply(Pattern),
    Closed,
}

/// The client that `>` without a letter speaks for.
pub const UNNAMED: char = ' ';

/// No transcript may wait longer than this at once: servers really have to.
const LONGEST_WAIT_MS: u64 = 2000;

impl Version {
    pub fn parse(text: &str) -> Option<Version> {
        let mut parts = text.split('.').map(str::parse);
        Some(Version(parts.next()?.ok()?, parts.next()?.ok()?))
    }
}

impl Document {
    /// Reads a file's text. Errors begin with `path:line`.
    pub fn parse(path: &str, text: &str) -> Result<Document, String> {
        let lines: Vec<&str> = text.lines().collect();
        let mut sections = Vec::new();
        let (mut of_file, mut of_section) = (Attributes::default(), Attributes::default());
        let mut index = 0;
        while index < lines.len() {
            let line = lines[index];
            let at = |error: String| format!("{path}:{}: {error}", index + 1);
            if let Some(heading) = line.strip_prefix("## ") {
                sections.push(Section { heading: heading.into(), blocks: Vec::new() });
                of_section = of_file.clone();
            } else if let Some(words) =
                line.strip_prefix("<!-- redis: ").and_then(|rest| rest.strip_suffix(" -->"))
            {
                of_section = of_section.with(words).map_err(at)?;
                if sections.is_empty() {
                    of_file = of_section.clone();
                }
            } else if let Some(words) = line.strip_prefix("```redis") {
                let attributes = of_section.with(words).map_err(at)?;
                let length = lines[index + 1..].iter().position(|line| *line == "```");
                let length = length.ok_or_else(|| at("the block does not end".into()))?;
                let steps = parse_steps(path, index + 1, &lines[index + 1..index + 1 + length])?;
                let section =
                    sections.last_mut().ok_or_else(|| at("a block before the first ## heading".into()))?;
                section.blocks.push(Block { attributes, steps });
                index += length + 1;
            }
            index += 1;
        }
        let lines = lines.into_iter().map(String::from).collect();
        Ok(Document { path: path.into(), lines, sections })
    }

    /// The text of some lines, counted from 1.
    pub fn text(&self, (first, last): (usize, usize)) -> String {
        self.lines[first - 1..last].join("\n")
    }
}

impl Attributes {
    fn with(&self, words: &str) -> Result<Attributes, String> {
        let mut attributes = self.clone();
        for word in words.split_whitespace() {
            match word.split_once('=').unwrap_or((word, "")) {
                ("resp2", "") => attributes.resp2 = true,
                ("differs", "") => attributes.differs = true,
                ("only", "redis") => attributes.only = Some(Only::Redis),
                ("only", "keyside") => attributes.only = Some(Only::Keyside),
                ("since", version) => {
                    attributes.since = Some(Version::parse(version).ok_or("not a version")?)
                }
                ("until", version) => {
                    attributes.until = Some(Version::parse(version).ok_or("not a version")?)
                }
                _ => return Err(format!("unknown attribute `{word}`")),
            }
        }
        Ok(attributes)
    }
}

/// Reads the lines of a block; `before` lines stand above them in the file.
fn parse_steps(path: &str, before: usize, lines: &[&str]) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        let line = before + index + 1;
        let at = |error: String| format!("{path}:{line}: {error}");
        let text = lines[index].trim_end();
        if text.is_empty() || text.starts_with('#') {
            index += 1;
        } else if let Some((action, reply)) = parse_action(text).map_err(at)? {
            let step = Step { line, action, expected: Vec::new() };
            steps.push(step);
            match reply {
                Some(column) => {
                    index += parse_expected(lines, index, column, before, &mut steps).map_err(at)?
                }
                None => index += 1,
            }
        } else {
            index += parse_expected(lines, index, 0, before, &mut steps).map_err(at)?;
        }
    }
    Ok(steps)
}

/// Recognises a line that does something; for `B< reply` also the column at which the reply begins.
fn parse_action(line: &str) -> Result<Option<(Action, Option<usize>)>, String> {
    if let Some(wait) = line.strip_prefix('+').and_then(|rest| rest.strip_suffix("ms")) {
        let milliseconds = wait.parse().map_err(|_| format!("not a time: `{wait}`"))?;
        if milliseconds > LONGEST_WAIT_MS {
            return Err(format!("waits longer than {LONGEST_WAIT_MS} ms"));
        }
        return Ok(Some((Action::Wait { milliseconds }, None)));
    }
    let named = line.starts_with(|first: char| first.is_ascii_uppercase());
    let (client, rest) = if named { (line.as_bytes()[0] as char, &line[1..]) } else { (UNNAMED, line) };
    if let Some(words) = rest.strip_prefix("> ") {
        let words = parse_words(words)?;
        return Ok(Some((Action::Request { client, words }, None)));
    }
    if let Some(quoted) = rest.strip_prefix(">raw ") {
        let bytes = parse_words(quoted)?.concat();
        return Ok(Some((Action::Raw { client, bytes }, None)));
    }
    if rest == "<" {
        return Ok(Some((Action::Receive { client }, None)));
    }
    if rest.starts_with("< ") {
        return Ok(Some((Action::Receive { client }, Some(line.len() - rest.len() + 2))));
    }
    Ok(None)
}

/// Reads one expected reply, which may go on over several lines; returns how many it took.
fn parse_expected(
    lines: &[&str],
    index: usize,
    column: usize,
    before: usize,
    steps: &mut [Step],
) -> Result<usize, String> {
    let step = steps.last_mut().ok_or("a reply before the first request")?;
    if matches!(step.action, Action::Wait { .. }) {
        return Err("time has no reply".into());
    }
    let text = lines[index..].join("\n");
    let text = &text[column..];
    let (outcome, taken) = if text.lines().next().is_some_and(|line| line.trim_end() == "closed") {
        (Outcome::Closed, "closed".len())
    } else {
        let (pattern, taken) = parse_pattern(text)?;
        (Outcome::Reply(pattern), taken)
    };
    let (reply, after) = text.split_at(taken);
    let after = after.lines().next().unwrap_or("").trim();
    if !after.is_empty() {
        return Err(format!("unexpected `{after}` after a reply"));
    }
    let height = reply.matches('\n').count() + 1;
    let first = before + index + 1;
    step.expected.push(Expected { outcome, lines: (first, first + height - 1) });
    Ok(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Strings

Prose with `> not a request`.

## SET, GET
<!-- redis: since=7.2 -->

```redis resp2
# a comment
> SET k v
OK
B> SUBSCRIBE a b
push[
  \"subscribe\", \"a\", 1
]
push[\"subscribe\", \"b\", 2]

+100ms
B< closed
```

## DEL
```redis
>raw \"PING\\r\\n\"
```
";

    #[test]
    fn sections_blocks_and_steps_know_their_lines() {
        let document = Document::parse("t.md", TEXT).unwrap();
        let headings: Vec<_> = document.sections.iter().map(|section| section.heading.as_str()).collect();
        assert_eq!(headings, ["SET, GET", "DEL"]);
        let block = &document.sections[0].blocks[0];
        assert!(block.attributes.resp2 && block.attributes.since == Some(Version(7, 2)));
        let lines: Vec<_> = block.steps.iter().map(|step| step.line).collect();
        assert_eq!(lines, [10, 12, 18, 19]);
        let replies: Vec<_> = block.steps[1].expected.iter().map(|expected| expected.lines).collect();
        assert_eq!(replies, [(13, 15), (16, 16)]);
        assert!(matches!(block.steps[3].expected[0].outcome, Outcome::Closed));
        let last = &document.sections[1].blocks[0];
        assert!(last.attributes.since.is_none() && last.steps[0].expected.is_empty());
    }

    #[test]
    fn mistakes_are_reported_with_their_line() {
        let error = |body: &str| {
            let text = format!("## X\n```redis\n> PING\n{body}\n```\n");
            Document::parse("t.md", &text).unwrap_err()
        };
        assert_eq!(error("[1, 2"), "t.md:4: expected `]` before ``");
        assert_eq!(error("1 2"), "t.md:4: unexpected `2` after a reply");
        assert_eq!(error("+9999ms"), "t.md:4: waits longer than 2000 ms");
        assert_eq!(error("> SET \"k"), "t.md:4: a quoted text does not end");
        assert!(Document::parse("t.md", "```redis\n```").unwrap_err().starts_with("t.md:1: a block before"));
    }
}
