//! Puts a transcript to a target and compares what comes back.
//!
//! Every section begins with an empty database and new clients. A target that falls silent ends the section, so that a
//! run is bounded in time. With `update`, replies that differ become corrections of the file instead of failures.

use std::time::Duration;

use super::document::{
    Action, Attributes, Document, Expected, Only, Outcome, Section, Step, UNNAMED, Version,
};
use super::notation::{MapKind, Value, render};
use super::peer::Kind;
use super::target::{Received, Target};

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a request without a reply is watched for one.
const SILENCE: Duration = Duration::from_millis(20);
/// How long more replies may trail behind the first while their number is being learnt.
const TRAILING: Duration = Duration::from_millis(10);

#[derive(Default)]
pub struct Report {
    /// Replies compared.
    pub exchanges: usize,
    /// Blocks left out, being of another version or server.
    pub skipped: usize,
    pub failures: Vec<String>,
    pub corrections: Vec<Correction>,
    pub version: String,
}

/// Lines of the file to be replaced by others.
pub struct Correction {
    pub first: usize,
    pub removed: usize,
    pub lines: Vec<String>,
}

pub fn run(document: &Document, target: &mut impl Target, kind: Kind, update: bool) -> Report {
    let mut run = Run {
        document,
        target,
        kind,
        update,
        clients: Vec::new(),
        differed: false,
        has_given_up: false,
        report: Report::default(),
    };
    run.learn_version();
    for section in &document.sections {
        if run.is_ready() {
            run.section(section);
        }
    }
    run.report
}

impl Correction {
    pub fn apply(corrections: Vec<Correction>, document: &Document) -> String {
        let mut lines = document.lines.clone();
        for correction in corrections.into_iter().rev() {
            let at = correction.first - 1;
            lines.splice(at..at + correction.removed, correction.lines);
        }
        lines.join("\n") + "\n"
    }
}

struct Run<'a, T: Target> {
    document: &'a Document,
    target: &'a mut T,
    kind: Kind,
    update: bool,
    clients: Vec<(Name, T::Client)>,
    /// Whether the block in hand has shown a reply that is not the written one.
    differed: bool,
    has_given_up: bool,
    report: Report,
}

/// The same letter in RESP2 and in RESP3 means two clients.
#[derive(Clone, Copy, PartialEq)]
struct Name {
    letter: char,
    resp2: bool,
}

/// The target answers no more: the rest of the section would only fail, slowly.
struct Stalled;

impl<T: Target> Run<'_, T> {
    fn learn_version(&mut self) {
        if let Received::Value(Value::Bulk(info) | Value::Simple(info)) = self.ask_once(&["INFO", "server"]) {
            let info = String::from_utf8_lossy(&info).into_owned();
            let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
            self.report.version = version.unwrap_or_default().into();
        }
    }

    /// Asks on a connection of its own.
    fn ask_once(&mut self, words: &[&str]) -> Received {
        let words: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let mut client = self.target.connect();
        self.target.send(&mut client, &words);
        let received = self.target.read(&mut client, PATIENCE);
        self.target.disconnect(client);
        received
    }

    /// Empties the target; one that cannot be emptied is not asked again.
    fn is_ready(&mut self) -> bool {
        if self.has_given_up {
            return false;
        }
        self.has_given_up = !matches!(self.ask_once(&["FLUSHALL"]), Received::Value(Value::Simple(_)));
        if self.has_given_up {
            self.report.failures.push(format!("{}: FLUSHALL is refused", self.document.path));
        }
        !self.has_given_up
    }

    fn section(&mut self, section: &Section) {
        for block in &section.blocks {
            if !self.is_meant(&block.attributes) {
                self.report.skipped += 1;
                continue;
            }
            self.differed = false;
            for step in &block.steps {
                if let Err(Stalled) = self.step(step, &block.attributes) {
                    return self.hang_up();
                }
            }
            if block.attributes.differs && self.kind == Kind::Redis && !self.differed {
                let path = &self.document.path;
                self.report
                    .failures
                    .push(format!("{path}: ## {}: a block no longer differs", section.heading));
            }
        }
        self.refuse_unread(section);
        self.hang_up();
    }

    /// Every server is taken for the version of Redis that it says it is.
    fn is_meant(&self, attributes: &Attributes) -> bool {
        let other = match self.kind {
            Kind::Redis => Only::Keyside,
            Kind::Keyside => Only::Redis,
        };
        let version = Version::parse(&self.report.version).unwrap_or(Version(0, 0));
        attributes.only != Some(other)
            && attributes.since.is_none_or(|since| version >= since)
            && attributes.until.is_none_or(|until| version < until)
    }

    fn step(&mut self, step: &Step, attributes: &Attributes) -> Result<(), Stalled> {
        let (letter, extra_patience) = match &step.action {
            Action::Wait { milliseconds } => {
                self.target.advance(*milliseconds);
                return Ok(());
            }
            Action::Request { client, words } => (*client, trailing_patience(words)),
            Action::Raw { client, .. } | Action::Receive { client } => (*client, TRAILING),
        };
        let mut client = self.client(Name { letter, resp2: attributes.resp2 });
        match &step.action {
            Action::Request { words, .. } => self.target.send(&mut client.1, words),
            Action::Raw { bytes, .. } => self.target.send_bytes(&mut client.1, bytes),
            Action::Receive { .. } | Action::Wait { .. } => {}
        }
        let learns = self.update && self.kind == Kind::Redis && !attributes.differs;
        // Of messages, those that are written belong here: more of them may be written below.
        let is_known = matches!(step.action, Action::Receive { .. }) && !step.expected.is_empty();
        let count = if learns && !is_known { None } else { Some(step.expected.len()) };
        let received = self.replies(&mut client.1, count, extra_patience);
        self.clients.push(client);
        if learns {
            self.correct(step, &received);
            return Ok(());
        }
        let compared = self.kind == Kind::Keyside || !attributes.differs;
        self.compare(step, &received, compared)
    }

    /// Takes the client out of the list, connecting it first when it is new.
    fn client(&mut self, name: Name) -> (Name, T::Client) {
        if let Some(index) = self.clients.iter().position(|(other, _)| *other == name) {
            return self.clients.swap_remove(index);
        }
        let mut client = self.target.connect();
        if !name.resp2 {
            self.target.send(&mut client, &[b"HELLO".to_vec(), b"3".to_vec()]);
            let reply = self.target.read(&mut client, PATIENCE);
            if !matches!(reply, Received::Value(Value::Map(MapKind::Map, _))) {
                self.report.failures.push(format!("{}: HELLO 3 gives {reply:?}", self.document.path));
            }
        }
        (name, client)
    }

    /// Reads as many replies as are expected; when none is, or the number is unknown, until silence.
    fn replies(&mut self, client: &mut T::Client, count: Option<usize>, trailing: Duration) -> Vec<Received> {
        let mut received = Vec::new();
        loop {
            let patience = match (count, received.len()) {
                (Some(0), 0) => SILENCE,
                (Some(count), had) if had >= count => return received,
                (Some(_), _) => PATIENCE,
                (None, 0) => Duration::from_millis(300),
                (None, _) => trailing,
            };
            let next = self.target.read(client, patience);
            let is_last = !matches!(next, Received::Value(_));
            if !(is_last && matches!(next, Received::Silence) && count.is_none_or(|count| count == 0)) {
                received.push(next);
            }
            if is_last || count == Some(0) {
                return received;
            }
        }
    }

    fn compare(&mut self, step: &Step, received: &[Received], compared: bool) -> Result<(), Stalled> {
        let mut expected = step.expected.iter();
        if matches!(step.action, Action::Receive { .. }) && step.expected.is_empty() && received.is_empty() {
            self.fail(step, None, "nothing, and nothing is written");
        }
        for got in received {
            let expected = expected.next();
            self.report.exchanges += usize::from(compared);
            if !expected.is_some_and(|expected| expected.outcome.allows(got)) {
                self.differed = true;
                if compared {
                    self.fail(step, expected, &describe(got));
                }
            }
            if matches!(got, Received::Silence) {
                return Err(Stalled);
            }
        }
        // The connection closed before all was said.
        match expected.next() {
            Some(_) if !compared => Ok(()),
            Some(missing) => {
                self.fail(step, Some(missing), "nothing more");
                Err(Stalled)
            }
            None => Ok(()),
        }
    }

    fn fail(&mut self, step: &Step, expected: Option<&Expected>, got: &str) {
        let request = &self.document.lines[step.line - 1];
        let expected = expected.map_or("no reply".into(), |expected| self.document.text(expected.lines));
        let shown = |text: &str| text.replace('\n', "\n            ");
        self.report.failures.push(format!(
            "{}:{}: {request}\n  expected: {}\n  got:      {}",
            self.document.path,
            step.line,
            shown(&expected),
            shown(got)
        ));
    }

    /// Keeps what is written and true, and writes the rest anew.
    fn correct(&mut self, step: &Step, received: &[Received]) {
        let is_right = |index: usize, got: &Received| {
            step.expected.get(index).is_some_and(|expected| expected.outcome.allows(got))
        };
        self.report.exchanges += received.len();
        let all_right = received.iter().enumerate().all(|(index, got)| is_right(index, got));
        if all_right && received.len() == step.expected.len() {
            return;
        }
        let prefix = match step.action {
            Action::Receive { client: UNNAMED } => "< ".into(),
            Action::Receive { client } => format!("{client}< "),
            _ => String::new(),
        };
        let mut lines = Vec::new();
        for (index, got) in received.iter().enumerate() {
            let text = if is_right(index, got) {
                self.document.text(step.expected[index].lines)
            } else if index == 0 {
                format!("{prefix}{}", describe(got))
            } else {
                describe(got)
            };
            lines.extend(text.lines().map(String::from));
        }
        let replaces_own_line = !prefix.is_empty();
        let first = if replaces_own_line { step.line } else { step.line + 1 };
        let last = step.expected.last().map_or(step.line, |expected| expected.lines.1);
        self.report.corrections.push(Correction { first, removed: last + 1 - first, lines });
    }

    fn refuse_unread(&mut self, section: &Section) {
        let mut clients = std::mem::take(&mut self.clients);
        for (name, client) in &mut clients {
            if let Received::Value(value) = self.target.read(client, Duration::ZERO) {
                let who = format!("{}: ## {}: client `{}`", self.document.path, section.heading, name.letter);
                self.report.failures.push(format!("{who} has not read\n  {}", render(&value)));
            }
        }
        self.clients = clients;
    }

    fn hang_up(&mut self) {
        for (_, client) in self.clients.drain(..) {
            self.target.disconnect(client);
        }
    }
}

impl Outcome {
    fn allows(&self, received: &Received) -> bool {
        match (self, received) {
            (Outcome::Reply(pattern), Received::Value(value)) => pattern.matches(value),
            (Outcome::Closed, Received::Closed) => true,
            _ => false,
        }
    }
}

fn describe(received: &Received) -> String {
    match received {
        Received::Value(value) => render(value),
        Received::Silence => "silence".into(),
        Received::Closed => "closed".into(),
    }
}

/// Few commands answer more than once, or hang up.
fn trailing_patience(words: &[Vec<u8>]) -> Duration {
    let name = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    if name == b"QUIT" || name.ends_with(b"SUBSCRIBE") { TRAILING } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Says what it was told to, whatever it is asked.
    struct Parrot {
        replies: VecDeque<&'static str>,
    }

    impl Target for Parrot {
        type Client = ();

        fn connect(&mut self) {}

        fn disconnect(&mut self, (): ()) {}

        fn send_bytes(&mut self, (): &mut (), _: &[u8]) {}

        fn read(&mut self, (): &mut (), _: Duration) -> Received {
            match self.replies.pop_front() {
                None | Some("silence") => Received::Silence,
                Some("closed") => Received::Closed,
                Some(text) => Received::Value(Value::Simple(text.into())),
            }
        }

        fn advance(&mut self, _: u64) {}
    }

    fn report(attributes: &str, block: &str, replies: &[&'static str], update: bool) -> (Report, Document) {
        let text = format!("## X\n```redis resp2 {attributes}\n{block}\n```\n");
        let document = Document::parse("t.md", &text).unwrap();
        // INFO and FLUSHALL come first.
        let replies = ["7", "OK"].iter().chain(replies).copied().collect();
        (run(&document, &mut Parrot { replies }, Kind::Redis, update), document)
    }

    fn failures(attributes: &str, block: &str, replies: &[&'static str]) -> Vec<String> {
        report(attributes, block, replies, false).0.failures
    }

    #[test]
    fn every_kind_of_disagreement_is_a_failure() {
        assert!(failures("", "> A\none\n> B\ntwo\nclosed", &["one", "two", "closed"]).is_empty());
        let wrong = failures("", "> A\none\n> B\ntwo", &["one", "three"]);
        assert_eq!(wrong, ["t.md:5: > B\n  expected: two\n  got:      three"]);
        assert_eq!(failures("", "> A\none", &["silence"]).len(), 1, "no reply");
        assert_eq!(failures("", "> A\none\ntwo", &["one", "closed"]).len(), 1, "hangs up early");
        assert_eq!(failures("", "> A\none\nclosed", &["one", "silence"]).len(), 1, "does not hang up");
        assert_eq!(failures("", "> A", &["one"]).len(), 1, "a reply too many");
        assert_eq!(failures("", "> A\none", &["one", "two"]).len(), 1, "a reply left unread");
        assert_eq!(failures("", "A<", &["one"]).len(), 1, "an unwritten message");
        assert_eq!(failures("", "A<", &["silence"]).len(), 1, "neither written nor sent");
    }

    #[test]
    fn a_difference_on_purpose_has_to_be_one() {
        assert!(failures("differs", "> A\none", &["two"]).is_empty());
        assert_eq!(failures("differs", "> A\none", &["one"]).len(), 1);
        assert_eq!(report("only=keyside", "> A\none", &[], false).0.skipped, 1);
        assert_eq!(report("only=redis", "> A\none", &["one"], false).0.exchanges, 1);
    }

    #[test]
    fn blocks_are_for_versions() {
        let skipped = |attributes: &str, version: &'static str| {
            let text = format!("## X\n```redis resp2 {attributes}\n> A\none\n```\n");
            let replies = VecDeque::from([version, "OK", "one"]);
            let mut parrot = Parrot { replies };
            run(&Document::parse("t.md", &text).unwrap(), &mut parrot, Kind::Keyside, false).skipped == 1
        };
        for (attributes, before, at, after) in [
            ("since=7.2", true, false, false),
            ("until=7.2", false, true, true),
            ("since=7.2 until=8.0", true, false, true),
        ] {
            assert_eq!(skipped(attributes, "redis_version:7.0.15"), before, "{attributes}");
            assert_eq!(skipped(attributes, "redis_version:7.2.0"), at, "{attributes}");
            assert_eq!(skipped(attributes, "redis_version:8.10.1"), after, "{attributes}");
        }
    }

    #[test]
    fn corrections_keep_what_is_right() {
        let block = "> A\n<text o*>\n> B\nnil\n> C\nB<\n> D\none";
        let replies = ["one", "silence", "two", "silence", "silence", "four", "silence", "silence"];
        let (report, document) = report("", block, &replies, true);
        let corrected = Correction::apply(report.corrections, &document);
        let expected = "## X\n```redis resp2 \n> A\n<text o*>\n> B\ntwo\n> C\nB< four\n> D\n```\n";
        assert_eq!(corrected, expected);
    }
}
